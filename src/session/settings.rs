//! Settings of a session: SET, SET LOCAL, RESET, SHOW, and their way through transactions.
//!
//! A change takes effect at once and is written into a log. Rolling back undoes the log down to a mark; committing
//! keeps what SET said last and takes back what SET LOCAL said. What settings there are, and their values' forms, is
//! the table of [`crate::settings`].

use super::effect::Severity;
use crate::error::{SqlError, SqlResult};
use crate::settings::{self as known, OWN};
use crate::sql::plan::IsolationLevel;
use crate::types::encoding::Encoding;
use crate::types::{Env, IntervalStyle};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

pub struct Settings {
    identity: u64,
    /// What RESET goes back to: the defaults and what the client asked for when it connected.
    initial: BTreeMap<String, String>,
    /// Those that mean something here, and of all others those that somebody has set: there are hundreds.
    values: Arc<BTreeMap<String, String>>,
    log: Vec<Change>,
    reported: BTreeMap<&'static str, String>,
    /// Something may have changed since the last report.
    unreported: bool,
    connection: String,
    // What follows from the values.
    env: Arc<Env>,
    search_path: Vec<String>,
    digest: u128,
    hot: Hot,
}

/// These say who acts: they change only by [`Settings::become_role`].
const OF_ROLES: [&str; 3] = ["role", "session_authorization", IS_SUPERUSER];

const IS_SUPERUSER: &str = "is_superuser";

/// Values that every statement needs, ready to be used.
#[derive(Clone, Debug)]
pub struct Hot {
    pub isolation: IsolationLevel,
    pub read_only: bool,
    pub deferrable: bool,
    /// `quorate.read_consistency` is not `stale`.
    pub linearizable: bool,
    pub statement_timeout: Option<Duration>,
    pub transaction_timeout: Option<Duration>,
    pub lock_timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    pub idle_in_transaction_timeout: Option<Duration>,
    pub application_name: Arc<str>,
    /// The role in whose name statements run.
    pub current_user: Arc<str>,
    /// `client_encoding`
    pub encoding: Encoding,
}

struct Change {
    name: String,
    before: Option<String>,
    after: Option<String>,
    local: bool,
}

impl Settings {
    /// The defaults for `user` in the database of this name and OID. `inner`: it is the node itself.
    pub fn new(user: &str, (database, oid): (&str, u32), inner: bool) -> Settings {
        let mut initial: BTreeMap<String, String> =
            OWN.iter().map(|s| (s.name.to_owned(), s.default.to_owned())).collect();
        initial.insert("session_authorization".into(), user.to_owned());
        let mut hash = Xxh3::new();
        hash.update(user.as_bytes());
        hash.update(&[0]);
        hash.update(&oid.to_be_bytes());
        // Its plans know its name, which may be another's tomorrow.
        hash.update(database.as_bytes());
        hash.update(&[u8::from(inner)]);
        let mut settings = Settings {
            identity: hash.digest(),
            connection: String::new(),
            values: Arc::new(initial.clone()),
            initial,
            log: Vec::new(),
            reported: BTreeMap::new(),
            unreported: true,
            env: Arc::default(),
            search_path: Vec::new(),
            digest: 0,
            hot: Hot {
                isolation: IsolationLevel::ReadCommitted,
                read_only: false,
                deferrable: false,
                linearizable: true,
                statement_timeout: None,
                transaction_timeout: None,
                lock_timeout: None,
                idle_timeout: None,
                idle_in_transaction_timeout: None,
                application_name: Arc::default(),
                current_user: Arc::default(),
                encoding: Encoding::UTF8,
            },
        };
        settings.derive();
        settings
    }

    /// A setting of the startup packet: also what RESET goes back to.
    pub fn start_with(&mut self, name: &str, value: &str) -> SqlResult<()> {
        let (name, value) = (canonical(name), known::assign_text(name, value, true)?);
        if OF_ROLES.contains(&name.as_str()) {
            return Err(SqlError::unsupported(format!("the parameter \"{name}\" at connection start")));
        }
        self.initial.insert(name.clone(), value.clone());
        Arc::make_mut(&mut self.values).insert(name, value);
        self.derive();
        Ok(())
    }

    /// What `functions::session::CONNECTION` is.
    pub fn connected(&mut self, ends: String) {
        self.connection = ends;
    }

    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// A fact that nobody can set.
    pub fn tell(&mut self, name: &'static str, value: &str) {
        self.initial.insert(name.to_owned(), value.to_owned());
        Arc::make_mut(&mut self.values).insert(name.to_owned(), value.to_owned());
    }

    /// As [`Self::start_with`], of a client's packet. Errors: 42501 for what only superusers may change.
    pub fn ask_for(&mut self, name: &str, value: &str, superuser: bool) -> SqlResult<()> {
        known::check_may_set(name, superuser)?;
        self.start_with(name, value)
    }

    /// Whether the client has come as a superuser.
    pub fn come_as(&mut self, superuser: bool) {
        self.tell(IS_SUPERUSER, &on_or_off(superuser));
    }

    /// SET; no values: RESET.
    pub fn set(&mut self, name: &str, values: &[String], local: bool) -> SqlResult<()> {
        let (name, after) = match values {
            [] => {
                let name = canonical(name);
                known::known(&name)?;
                let initial = self.initial.get(&name).cloned();
                (name, initial)
            }
            values => {
                let name = canonical(name);
                let value = known::assign_over(&name, values, self.get(&name))?;
                (name, Some(value))
            }
        };
        self.change(name, after, local);
        Ok(())
    }

    /// `set_config`; the value as it is now.
    pub fn set_text(&mut self, name: &str, text: &str, local: bool) -> SqlResult<()> {
        let name = canonical(name);
        let value = known::assign_text_over(&name, text, self.get(&name))?;
        self.change(name, Some(value), local);
        Ok(())
    }

    /// What a setting would be shown as, were it set to this (`None`: reset).
    pub fn preview(&self) -> impl Fn(&str, Option<&str>) -> SqlResult<String> + Send + Sync + use<> {
        let initial = self.initial.clone();
        let style = self.get(&canonical("datestyle")).map(str::to_owned);
        move |name, value| match value {
            Some(text) => known::assign_text_over(name, text, style.as_deref()),
            None => {
                let name = canonical(name);
                let default = known::known(&name)?.map(|setting| setting.default.to_owned());
                initial.get(&name).cloned().or(default).ok_or_else(|| known::unknown(&name))
            }
        }
    }

    pub fn reset_all(&mut self) {
        let names: Vec<String> = self.values.keys().cloned().collect();
        for name in names.into_iter().filter(|name| !OF_ROLES.contains(&name.as_str())) {
            let initial = self.initial.get(&name).cloned();
            if self.values.get(&name) != initial.as_ref() {
                self.change(name, initial, false);
            }
        }
    }

    fn change(&mut self, name: String, after: Option<String>, local: bool) {
        let values = Arc::make_mut(&mut self.values);
        let before = match &after {
            Some(value) => values.insert(name.clone(), value.clone()),
            None => values.remove(&name),
        };
        self.log.push(Change { name, before, after, local });
        self.derive();
    }

    /// A point to roll back to.
    pub fn mark(&self) -> usize {
        self.log.len()
    }

    pub fn roll_back_to(&mut self, mark: usize) {
        if self.log.len() <= mark {
            return;
        }
        let values = Arc::make_mut(&mut self.values);
        for change in self.log.drain(mark..).rev() {
            put(values, change.name, change.before);
        }
        self.derive();
    }

    /// The transaction is over: keeps what SET said last, takes back what SET LOCAL said.
    pub fn commit(&mut self) {
        if self.log.is_empty() {
            return;
        }
        let mut result: BTreeMap<String, Option<String>> = BTreeMap::new();
        for change in self.log.drain(..) {
            let kept = result.entry(change.name).or_insert(change.before);
            if !change.local {
                *kept = change.after;
            }
        }
        let values = Arc::make_mut(&mut self.values);
        for (name, value) in result {
            put(values, name, value);
        }
        self.derive();
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).or_else(|| known::lookup(name).map(|s| s.default))
    }

    pub fn show(&self, name: &str) -> SqlResult<String> {
        let name = canonical(name);
        self.get(&name).map(str::to_owned).ok_or_else(|| known::unknown(&name))
    }

    /// The spelling of the definition, if there is one.
    pub fn display_name<'a>(&self, name: &'a str) -> &'a str {
        known::lookup(name).map_or(name, |s| s.name)
    }

    /// Names of all, without regard to case in order.
    pub fn names(&self) -> Vec<String> {
        let custom = self.values.keys().filter(|name| known::lookup(name).is_none()).cloned();
        let mut names: Vec<String> = known::all().iter().map(|s| s.name.to_owned()).chain(custom).collect();
        names.sort_by_key(|name| name.to_ascii_lowercase());
        names
    }

    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.is(name, "on")
    }

    /// A timeout; `None` when it is 0.
    pub fn millis(&self, name: &str) -> Option<Duration> {
        let text = self.get(name)?;
        let millis = u64::try_from(known::milliseconds(text)).unwrap_or(0);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// What every statement needs.
    pub fn hot(&self) -> &Hot {
        &self.hot
    }

    pub fn default_isolation(&self) -> IsolationLevel {
        self.hot.isolation
    }

    /// Notices below this are not sent.
    pub fn least_severity(&self) -> Option<Severity> {
        match self.get("client_min_messages") {
            Some("error" | "fatal" | "panic") => None,
            Some("warning") => Some(Severity::Warning),
            _ => Some(Severity::Notice),
        }
    }

    /// All values, where `present` are those of the transaction.
    pub fn map(&self, present: &[(&str, &str)]) -> Arc<BTreeMap<String, String>> {
        let mut values = Arc::clone(&self.values);
        for (name, value) in present.iter().filter(|(name, value)| !self.is(name, value)) {
            Arc::make_mut(&mut values).insert((*name).to_owned(), (*value).to_owned());
        }
        values
    }

    pub fn env(&self) -> Arc<Env> {
        Arc::clone(&self.env)
    }

    /// The schemas to search, `$user` replaced.
    pub fn search_path(&self) -> &[String] {
        &self.search_path
    }

    /// The role in whose name statements run.
    pub fn current_user(&self) -> &str {
        &self.hot.current_user
    }

    /// The role that the session belongs to.
    pub fn session_user(&self) -> &str {
        self.get("session_authorization").unwrap_or_default()
    }

    /// SET ROLE and SET SESSION AUTHORIZATION, of a role that is known and may be a superuser, or of the one that the client
    /// has come as.
    pub fn become_role(&mut self, name: &'static str, role: Option<(&str, bool)>, local: bool) {
        let initial = |name: &str| self.initial.get(name).cloned();
        let (now, superuser) = match role {
            Some((role, superuser)) => (Some(role.to_owned()), Some(on_or_off(superuser))),
            None => (initial(name), initial(IS_SUPERUSER)),
        };
        self.change(name.to_owned(), now, local);
        self.change(IS_SUPERUSER.to_owned(), superuser, local);
        if name == "session_authorization" {
            // Whoever the session belongs to now, it acts for itself.
            self.change("role".to_owned(), Some("none".to_owned()), local);
        }
    }

    /// A digest of everything that a translation depends on.
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// Reported settings whose value differs from what the client was told last (at first: all of them).
    pub fn changed_reports(&mut self) -> Vec<(&'static str, String)> {
        let mut changed = Vec::new();
        if !std::mem::take(&mut self.unreported) {
            return changed;
        }
        for name in OWN.iter().filter(|s| s.report).map(|s| s.name) {
            let value = self.values.get(name).map_or("", String::as_str);
            if self.reported.get(name).map(String::as_str) != Some(value) {
                self.reported.insert(name, value.to_owned());
                changed.push((name, value.to_owned()));
            }
        }
        changed
    }

    fn derive(&mut self) {
        let value = |name: &str| self.values.get(name).map_or("", String::as_str);
        let style = Env::default().date_style;
        let env = Env {
            time_zone: value("TimeZone").into(),
            date_style: known::date_style(value("DateStyle"), style).unwrap_or(style),
            interval_style: match value("IntervalStyle") {
                "postgres_verbose" => IntervalStyle::PostgresVerbose,
                "sql_standard" => IntervalStyle::SqlStandard,
                "iso_8601" => IntervalStyle::Iso8601,
                _ => IntervalStyle::Postgres,
            },
            extra_float_digits: value("extra_float_digits").parse().unwrap_or(1),
            bytea_escape: value("bytea_output") == "escape",
        };
        let user = current_user(&self.values);
        let path = known::split_names(value("search_path"));
        // A user who happens to be called like a schema of the system's does not own it.
        let owns = user != "quorate" && user != "information_schema" && !user.starts_with("pg_");
        let path: Vec<String> = path
            .into_iter()
            .filter_map(|name| if name == "$user" { owns.then(|| user.to_owned()) } else { Some(name) })
            .collect();
        let mut hash = Xxh3::new();
        hash.update(&self.identity.to_le_bytes());
        for name in [
            "TimeZone",
            "DateStyle",
            "IntervalStyle",
            "extra_float_digits",
            "bytea_output",
            "search_path",
            "session_authorization",
            "role",
        ] {
            hash.update(value(name).as_bytes());
            hash.update(&[0]);
        }
        self.digest = hash.digest128();
        if env != *self.env {
            self.env = Arc::new(env);
        }
        self.search_path = path;
        self.hot = Hot {
            isolation: self
                .get("default_transaction_isolation")
                .and_then(IsolationLevel::named)
                .unwrap_or(IsolationLevel::ReadCommitted),
            read_only: self.is_on("default_transaction_read_only"),
            deferrable: self.is_on("default_transaction_deferrable"),
            linearizable: !self.is("quorate.read_consistency", "stale"),
            statement_timeout: self.millis("statement_timeout"),
            transaction_timeout: self.millis("transaction_timeout"),
            lock_timeout: self.millis("lock_timeout"),
            idle_timeout: self.millis("idle_session_timeout"),
            idle_in_transaction_timeout: self.millis("idle_in_transaction_session_timeout"),
            application_name: Arc::from(self.get("application_name").unwrap_or_default()),
            current_user: Arc::from(current_user(&self.values)),
            encoding: self.get("client_encoding").and_then(|name| Encoding::named(name).ok()).unwrap_or(Encoding::UTF8),
        };
        self.unreported = true;
    }
}

fn on_or_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn current_user(values: &BTreeMap<String, String>) -> &str {
    let value = |name: &str| values.get(name).map_or("", String::as_str);
    match value("role") {
        "" | "none" => value("session_authorization"),
        role => role,
    }
}

fn put(values: &mut BTreeMap<String, String>, name: String, value: Option<String>) {
    match value {
        Some(value) => drop(values.insert(name, value)),
        None => drop(values.remove(&name)),
    }
}

/// Known names in their own spelling, others in lower case.
fn canonical(name: &str) -> String {
    known::lookup(name).map_or_else(|| name.to_ascii_lowercase(), |s| s.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new("ann", ("quorate", crate::id::HOME), false)
    }

    fn set(s: &mut Settings, name: &str, value: &str, local: bool) {
        s.set(name, &[value.to_owned()], local).unwrap();
    }

    #[test]
    fn values_as_postgres_shows_them() {
        let mut s = settings();
        for (name, given, shown) in [
            ("STATEMENT_TIMEOUT", "5000", "5s"),
            ("statement_timeout", "90s", "90s"),
            ("statement_timeout", "120000", "2min"),
            ("statement_timeout", "0", "0"),
            ("datestyle", "german", "German, DMY"),
            ("datestyle", "iso, ymd", "ISO, YMD"),
            ("client_encoding", "'utf-8'", "UTF8"),
            ("client_encoding", "iso-8859-15", "LATIN9"),
            ("timezone", "europe/berlin", "Europe/Berlin"),
            ("timezone", "-7", "<-07>+07"),
            ("timezone", "5.5", "<+05:30>-05:30"),
            ("timezone", "EST5EDT", "EST5EDT"),
            ("jit", "T", "on"),
            ("work_mem", "2048", "2MB"),
            ("app.user", "7", "7"),
            ("search_path", "My Schema", "\"My Schema\""),
        ] {
            set(&mut s, name, given, false);
            assert_eq!(s.show(name).unwrap(), shown, "{name} = {given}");
        }
        for (name, given, code) in [
            ("nothing", "1", "42704"),
            ("server_version", "16", "55P02"),
            ("standard_conforming_strings", "off", "0A000"),
            ("client_encoding", "EUC_TW", "0A000"),
            ("client_encoding", "latin", "22023"),
            ("timezone", "Mars/Olympus", "22023"),
            ("jit", "maybe", "22023"),
            ("extra_float_digits", "99", "22023"),
        ] {
            let error = s.set(name, &[given.to_owned()], false).unwrap_err();
            assert_eq!(error.code.as_str(), code, "{name} = {given}");
        }
    }

    #[test]
    fn set_and_set_local_through_a_transaction() {
        let mut s = settings();
        set(&mut s, "jit", "on", false);
        set(&mut s, "jit", "off", true);
        set(&mut s, "application_name", "x", true);
        s.commit();
        assert_eq!((s.get("jit"), s.get("application_name")), (Some("on"), Some("")));
        set(&mut s, "TimeZone", "Asia/Tokyo", false);
        let mark = s.mark();
        set(&mut s, "TimeZone", "Europe/Paris", false);
        s.roll_back_to(mark);
        assert_eq!(&*s.env().time_zone, "Asia/Tokyo");
        s.roll_back_to(0);
        assert_eq!(&*s.env().time_zone, "UTC");
    }

    #[test]
    fn search_path_is_a_list_of_identifiers() {
        let mut s = settings();
        assert_eq!(s.search_path(), ["ann", "public"]);
        s.start_with("search_path", "A, \"B c\",d").unwrap();
        assert_eq!(s.search_path(), ["a", "B c", "d"]);
        assert!(s.start_with("search_path", "a b").is_err());
        s.start_with("search_path", "").unwrap();
        assert!(s.search_path().is_empty());
    }

    #[test]
    fn only_changes_are_reported() {
        let mut s = settings();
        assert_eq!(s.changed_reports().len(), 13);
        set(&mut s, "DateStyle", "SQL", false);
        set(&mut s, "jit", "on", false);
        assert_eq!(s.changed_reports(), [("DateStyle", "SQL, MDY".to_owned())]);
        assert!(s.changed_reports().is_empty());
    }
}
