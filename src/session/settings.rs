//! Settings of a session: SET, SET LOCAL, RESET, SHOW, and their way through transactions.
//!
//! A change takes effect at once and is written into a log. Rolling back undoes the log down to a mark; committing
//! keeps what SET said last and takes back what SET LOCAL said. Known settings are a table of facts: name, kind,
//! default. A setting that would have to do something here that is not done (`standard_conforming_strings = off`)
//! is refused; one whose effect PostgreSQL's own planner or storage would have is accepted and remembered.

use super::effect::Severity;
use super::transaction::isolation_named;
use crate::command::Isolation;
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::types::zone::Zone;
use crate::types::{DateOrder, DateOutput, DateStyle, Env, IntervalStyle};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// The version that this server reports; clients choose their catalog queries by it.
pub const SERVER_VERSION: &str = "15.18";
pub const SERVER_VERSION_NUM: &str = "150018";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    Int(i64, i64),
    Real,
    /// Milliseconds, with PostgreSQL's units.
    Millis,
    /// Kilobytes, with PostgreSQL's units.
    Kilobytes,
    Text,
    Names,
    OneOf(&'static [&'static str]),
    /// The only value that works here.
    Only(&'static str),
    Encoding,
    Zone,
    Dates,
    ReadOnly,
}

struct Definition {
    name: &'static str,
    kind: Kind,
    default: &'static str,
}

const fn def(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    Definition { name, kind, default }
}

const INTERVALS: &[&str] = &["postgres", "postgres_verbose", "sql_standard", "iso_8601"];
const ISOLATIONS: &[&str] = &["serializable", "repeatable read", "read committed", "read uncommitted"];
const LEVELS: &[&str] =
    &["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error", "fatal", "panic"];

/// In the order of their lower-case names.
const DEFINITIONS: &[Definition] = &[
    def("application_name", Kind::Text, ""),
    def("backslash_quote", Kind::OneOf(&["safe_encoding", "on", "off"]), "safe_encoding"),
    def("bytea_output", Kind::OneOf(&["hex", "escape"]), "hex"),
    def("check_function_bodies", Kind::Bool, "on"),
    def("client_encoding", Kind::Encoding, "UTF8"),
    def("client_min_messages", Kind::OneOf(LEVELS), "notice"),
    def("DateStyle", Kind::Dates, "ISO, MDY"),
    def("deadlock_timeout", Kind::Millis, "1s"),
    def("default_table_access_method", Kind::Text, "heap"),
    def("default_tablespace", Kind::Text, ""),
    def("default_text_search_config", Kind::Text, "pg_catalog.simple"),
    def("default_toast_compression", Kind::Text, "pglz"),
    def("default_transaction_deferrable", Kind::Bool, "off"),
    def("default_transaction_isolation", Kind::OneOf(ISOLATIONS), "read committed"),
    def("default_transaction_read_only", Kind::Bool, "off"),
    def("effective_cache_size", Kind::Kilobytes, "4GB"),
    def("enable_bitmapscan", Kind::Bool, "on"),
    def("enable_hashjoin", Kind::Bool, "on"),
    def("enable_indexscan", Kind::Bool, "on"),
    def("enable_mergejoin", Kind::Bool, "on"),
    def("enable_nestloop", Kind::Bool, "on"),
    def("enable_seqscan", Kind::Bool, "on"),
    def("enable_sort", Kind::Bool, "on"),
    def("escape_string_warning", Kind::Bool, "on"),
    def("extra_float_digits", Kind::Int(-15, 3), "1"),
    def("geqo", Kind::Bool, "on"),
    def("idle_in_transaction_session_timeout", Kind::Millis, "0"),
    def("idle_session_timeout", Kind::Millis, "0"),
    def("in_hot_standby", Kind::ReadOnly, "off"),
    def("integer_datetimes", Kind::ReadOnly, "on"),
    def("IntervalStyle", Kind::OneOf(INTERVALS), "postgres"),
    def("is_superuser", Kind::ReadOnly, "on"),
    def("jit", Kind::Bool, "off"),
    def("lc_collate", Kind::ReadOnly, "C"),
    def("lc_ctype", Kind::ReadOnly, "C.UTF-8"),
    def("lc_messages", Kind::Text, "C"),
    def("lc_monetary", Kind::Text, "C"),
    def("lc_numeric", Kind::Text, "C"),
    def("lc_time", Kind::Text, "C"),
    def("lock_timeout", Kind::Millis, "0"),
    def("log_min_duration_statement", Kind::Text, "-1"),
    def("log_statement", Kind::Text, "none"),
    def("maintenance_work_mem", Kind::Kilobytes, "64MB"),
    def("max_connections", Kind::ReadOnly, "1000"),
    def("max_identifier_length", Kind::ReadOnly, "63"),
    def("max_index_keys", Kind::ReadOnly, "32"),
    def("max_parallel_workers_per_gather", Kind::Int(0, 1024), "0"),
    def("max_prepared_transactions", Kind::ReadOnly, "0"),
    def("password_encryption", Kind::OneOf(&["scram-sha-256", "md5"]), "scram-sha-256"),
    def("plan_cache_mode", Kind::OneOf(&["auto", "force_generic_plan", "force_custom_plan"]), "auto"),
    def("quorate.read_consistency", Kind::OneOf(&["linearizable", "stale"]), "linearizable"),
    def("quote_all_identifiers", Kind::Bool, "off"),
    def("random_page_cost", Kind::Real, "4"),
    def("row_security", Kind::Bool, "on"),
    def("search_path", Kind::Names, "\"$user\", public"),
    def("seq_page_cost", Kind::Real, "1"),
    def("server_encoding", Kind::ReadOnly, "UTF8"),
    def("server_version", Kind::ReadOnly, SERVER_VERSION),
    def("server_version_num", Kind::ReadOnly, SERVER_VERSION_NUM),
    def("session_authorization", Kind::ReadOnly, ""),
    def("shared_buffers", Kind::ReadOnly, "128MB"),
    def("ssl", Kind::ReadOnly, "off"),
    def("standard_conforming_strings", Kind::Only("on"), "on"),
    def("statement_timeout", Kind::Millis, "0"),
    def("synchronize_seqscans", Kind::Bool, "on"),
    def("synchronous_commit", Kind::Only("on"), "on"),
    def("tcp_keepalives_idle", Kind::Int(0, i32::MAX as i64), "0"),
    def("temp_buffers", Kind::Kilobytes, "8MB"),
    def("TimeZone", Kind::Zone, "UTC"),
    def("transaction_deferrable", Kind::ReadOnly, "off"),
    def("transaction_isolation", Kind::ReadOnly, "read committed"),
    def("transaction_read_only", Kind::ReadOnly, "off"),
    def("transform_null_equals", Kind::Only("off"), "off"),
    def("wal_level", Kind::ReadOnly, "replica"),
    def("work_mem", Kind::Kilobytes, "4MB"),
    def("xmlbinary", Kind::OneOf(&["base64", "hex"]), "base64"),
    def("xmloption", Kind::OneOf(&["content", "document"]), "content"),
];

/// What ParameterStatus messages tell, as PostgreSQL 15 does.
const REPORTED: [&str; 13] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

pub struct Settings {
    identity: u64,
    /// What RESET goes back to: the defaults and what the client asked for when it connected.
    initial: BTreeMap<String, String>,
    values: Arc<BTreeMap<String, String>>,
    log: Vec<Change>,
    reported: BTreeMap<&'static str, String>,
    // What follows from the values.
    env: Arc<Env>,
    search_path: Vec<String>,
    digest: u128,
}

struct Change {
    name: String,
    before: Option<String>,
    after: Option<String>,
    local: bool,
}

impl Settings {
    /// The defaults for `user` in `database`.
    pub fn new(user: &str, database: &str) -> Settings {
        let mut initial: BTreeMap<String, String> =
            DEFINITIONS.iter().map(|d| (d.name.to_owned(), d.default.to_owned())).collect();
        initial.insert("session_authorization".into(), user.to_owned());
        let mut hash = Xxh3::new();
        hash.update(user.as_bytes());
        hash.update(&[0]);
        hash.update(database.as_bytes());
        let mut settings = Settings {
            identity: hash.digest(),
            values: Arc::new(initial.clone()),
            initial,
            log: Vec::new(),
            reported: BTreeMap::new(),
            env: Arc::default(),
            search_path: Vec::new(),
            digest: 0,
        };
        settings.derive();
        settings
    }

    /// A setting of the startup packet: also what RESET goes back to.
    pub fn start_with(&mut self, name: &str, value: &str) -> SqlResult<()> {
        let (name, value) = checked(name, &[value.to_owned()], true)?;
        self.initial.insert(name.clone(), value.clone());
        Arc::make_mut(&mut self.values).insert(name, value);
        self.derive();
        Ok(())
    }

    /// SET; no values: RESET.
    pub fn set(&mut self, name: &str, values: &[String], local: bool) -> SqlResult<()> {
        let (name, after) = match values {
            [] => {
                let name = canonical(name);
                if definition(&name).is_none() && !self.values.contains_key(&name) && !name.contains('.') {
                    return Err(unrecognized(&name));
                }
                let initial = self.initial.get(&name).cloned();
                (name, initial)
            }
            values => {
                let (name, value) = checked(name, values, false)?;
                (name, Some(value))
            }
        };
        self.change(name, after, local);
        Ok(())
    }

    pub fn reset_all(&mut self) {
        let names: Vec<String> = self.values.keys().cloned().collect();
        for name in names {
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
        self.values.get(name).map(String::as_str)
    }

    pub fn show(&self, name: &str) -> SqlResult<String> {
        let name = canonical(name);
        self.values.get(&name).cloned().ok_or_else(|| unrecognized(&name))
    }

    /// The spelling of the definition, if there is one.
    pub fn display_name<'a>(&self, name: &'a str) -> &'a str {
        definition(name).map_or(name, |d| d.name)
    }

    /// Name, value and description of all.
    pub fn all(&self) -> Vec<[String; 3]> {
        self.values.iter().map(|(name, value)| [name.clone(), value.clone(), String::new()]).collect()
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
        if text == "0" {
            return None;
        }
        with_unit(text, TIME_UNITS).map(|ms| Duration::from_millis(ms.max(0) as u64))
    }

    pub fn default_isolation(&self) -> Isolation {
        self.get("default_transaction_isolation").and_then(isolation_named).unwrap_or(Isolation::ReadCommitted)
    }

    /// Notices below this are not sent.
    pub fn least_severity(&self) -> Severity {
        match self.get("client_min_messages") {
            Some("warning" | "error" | "fatal" | "panic") => Severity::Warning,
            _ => Severity::Notice,
        }
    }

    pub fn map(&self) -> Arc<BTreeMap<String, String>> {
        Arc::clone(&self.values)
    }

    pub fn env(&self) -> Arc<Env> {
        Arc::clone(&self.env)
    }

    /// The schemas to search, `$user` replaced.
    pub fn search_path(&self) -> &[String] {
        &self.search_path
    }

    /// A digest of everything that a translation depends on.
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// Reported settings whose value differs from what the client was told last (at first: all of them).
    pub fn changed_reports(&mut self) -> Vec<(&'static str, String)> {
        let mut changed = Vec::new();
        for name in REPORTED {
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
        let env = Env {
            time_zone: value("TimeZone").to_owned(),
            date_style: date_style(value("DateStyle"), Env::default().date_style).unwrap_or(Env::default().date_style),
            interval_style: match value("IntervalStyle") {
                "postgres_verbose" => IntervalStyle::PostgresVerbose,
                "sql_standard" => IntervalStyle::SqlStandard,
                "iso_8601" => IntervalStyle::Iso8601,
                _ => IntervalStyle::Postgres,
            },
            extra_float_digits: value("extra_float_digits").parse().unwrap_or(1),
            bytea_escape: value("bytea_output") == "escape",
        };
        let user = value("session_authorization");
        let path = identifiers(value("search_path")).unwrap_or_default();
        // A user who happens to be called like a schema of the system's does not own it.
        let owns = user != "quorate" && user != "information_schema" && !user.starts_with("pg_");
        let path: Vec<String> = path
            .into_iter()
            .filter_map(|name| if name == "$user" { owns.then(|| user.to_owned()) } else { Some(name) })
            .collect();
        let mut hash = Xxh3::new();
        hash.update(&self.identity.to_le_bytes());
        for name in ["TimeZone", "DateStyle", "IntervalStyle", "extra_float_digits", "bytea_output", "search_path"] {
            hash.update(value(name).as_bytes());
            hash.update(&[0]);
        }
        self.digest = hash.digest128();
        if env != *self.env {
            self.env = Arc::new(env);
        }
        self.search_path = path;
    }
}

fn put(values: &mut BTreeMap<String, String>, name: String, value: Option<String>) {
    match value {
        Some(value) => drop(values.insert(name, value)),
        None => drop(values.remove(&name)),
    }
}

fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|d| d.name.eq_ignore_ascii_case(name))
}

/// Known names in their own spelling, others in lower case.
fn canonical(name: &str) -> String {
    definition(name).map_or_else(|| name.to_ascii_lowercase(), |d| d.name.to_owned())
}

fn unrecognized(name: &str) -> SqlError {
    SqlError::new(state::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

fn invalid(name: &str, value: &str) -> SqlError {
    let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

/// Name and value as they are kept. `raw`: the value is the setting's own text, as in a startup packet or in
/// `set_config`; otherwise it is what followed `SET name TO`.
fn checked(name: &str, values: &[String], raw: bool) -> SqlResult<(String, String)> {
    let Some(d) = definition(name) else {
        // A name with a dot belongs to an extension: a place to keep a value.
        if name.contains('.') {
            return Ok((name.to_ascii_lowercase(), values.join(", ")));
        }
        return Err(unrecognized(name));
    };
    let joined = || values.join(", ");
    let single = || match values {
        [one] => Ok(one.as_str()),
        _ => Err(SqlError::new(state::INVALID_PARAMETER_VALUE, format!("SET {} takes only one argument", d.name))),
    };
    let value = match d.kind {
        Kind::Names if raw => {
            let text = joined();
            identifiers(&text).ok_or_else(|| invalid(d.name, &text))?;
            text
        }
        Kind::Names => values.iter().map(|v| quoted(v)).collect::<Vec<_>>().join(", "),
        Kind::Dates => {
            let text = joined();
            let style = date_style(&text, Env::default().date_style).ok_or_else(|| invalid(d.name, &text))?;
            date_style_text(style)
        }
        Kind::ReadOnly => {
            let message = format!("parameter \"{}\" cannot be changed", d.name);
            return Err(SqlError::new(SqlState::new("55P02"), message));
        }
        _ => normal(d, single()?)?,
    };
    Ok((d.name.to_owned(), value))
}

fn normal(d: &Definition, value: &str) -> SqlResult<String> {
    let bad = || invalid(d.name, value);
    let on_off = |on: bool| if on { "on" } else { "off" }.to_owned();
    match d.kind {
        Kind::Bool => boolean(value).map(on_off).ok_or_else(bad),
        Kind::Int(min, max) => {
            let n: i64 = value.trim().parse().map_err(|_| bad())?;
            if (min..=max).contains(&n) {
                return Ok(n.to_string());
            }
            let message = format!("{n} is outside the valid range for parameter \"{}\" ({min} .. {max})", d.name);
            Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message))
        }
        Kind::Real => value.trim().parse::<f64>().map(|x| x.to_string()).map_err(|_| bad()),
        Kind::Millis => {
            let ms = with_unit(value, TIME_UNITS).filter(|ms| (0..=i64::from(i32::MAX)).contains(ms));
            ms.map(|ms| unit_text(ms, TIME_UNITS)).ok_or_else(bad)
        }
        Kind::Kilobytes => {
            let kb = with_unit(value, SIZE_UNITS).filter(|kb| *kb >= 0);
            kb.map(|kb| unit_text(kb, SIZE_UNITS)).ok_or_else(bad)
        }
        Kind::OneOf(words) => {
            let found = words.iter().find(|w| w.eq_ignore_ascii_case(value.trim()));
            found.map(|w| (*w).to_owned()).ok_or_else(|| bad().hint(format!("Available values: {}.", words.join(", "))))
        }
        Kind::Only(only) => match boolean(value) {
            Some(on) if on_off(on) == only => Ok(only.to_owned()),
            Some(_) => Err(SqlError::unsupported(format!("{} other than {only}", d.name))),
            None => Err(bad()),
        },
        Kind::Encoding => {
            match value.trim_matches(['\'', '"', ' ']).to_ascii_lowercase().replace(['-', '_'], "").as_str() {
                "utf8" | "unicode" => Ok("UTF8".to_owned()),
                _ => Err(SqlError::unsupported(format!("client encoding {value}"))),
            }
        }
        Kind::Zone => zone(value).ok_or_else(bad),
        Kind::Text | Kind::Names | Kind::Dates | Kind::ReadOnly => Ok(value.to_owned()),
    }
}

/// PostgreSQL's spellings of a boolean: unambiguous beginnings of true, false, yes, no, on, off, and 1, 0.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    match text.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if begins("true", 1) || begins("yes", 1) || begins("on", 2) => Some(true),
        _ if begins("false", 1) || begins("no", 1) || begins("off", 2) => Some(false),
        _ => None,
    }
}

/// Units, smallest first, as multiples of the first one.
type Units = &'static [(&'static str, i64)];
const TIME_UNITS: Units = &[("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZE_UNITS: Units = &[("kB", 1), ("MB", 1 << 10), ("GB", 1 << 20), ("TB", 1 << 30)];

/// A number in the first unit.
fn with_unit(text: &str, units: Units) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..digits].trim(), &text[digits..]);
    let factor = match unit {
        "" => 1,
        unit => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    match number.parse::<i64>() {
        Ok(n) => n.checked_mul(factor),
        Err(_) => number.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| (x * factor as f64).round() as i64),
    }
}

/// In the largest unit that divides it.
fn unit_text(n: i64, units: Units) -> String {
    match units.iter().rev().find(|(_, factor)| n % factor == 0) {
        Some((unit, factor)) if n != 0 => format!("{}{unit}", n / factor),
        _ => n.to_string(),
    }
}

/// A time zone that exists, as it will be shown.
fn zone(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(hours) = text.parse::<f64>() {
        return fixed_zone((hours * 3600.0).round() as i64);
    }
    match Zone::look_up(text)? {
        Zone::Named(zone) => Some(zone.iana_name().unwrap_or(text).to_owned()),
        Zone::Utc if text.eq_ignore_ascii_case("utc") => Some("UTC".to_owned()),
        Zone::Utc | Zone::Fixed(_) => Some(text.to_owned()),
    }
}

/// POSIX writes offsets west of Greenwich: `<+05:30>-05:30`.
fn fixed_zone(seconds: i64) -> Option<String> {
    if seconds.abs() > 15 * 3600 + 59 * 60 + 59 {
        return None;
    }
    let clock = |sign: char| {
        let (h, m, s) = (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
        match (m, s) {
            (0, 0) => format!("{sign}{h:02}"),
            (m, 0) => format!("{sign}{h:02}:{m:02}"),
            (m, s) => format!("{sign}{h:02}:{m:02}:{s:02}"),
        }
    };
    let (east, west) = if seconds < 0 { ('-', '+') } else { ('+', '-') };
    Some(format!("<{}>{}", clock(east), clock(west)))
}

fn date_style(text: &str, from: DateStyle) -> Option<DateStyle> {
    let mut style = from;
    for word in text.split(',').map(|w| w.trim().to_ascii_lowercase()) {
        match word.as_str() {
            "iso" => style.output = DateOutput::Iso,
            "sql" => style.output = DateOutput::Sql,
            "postgres" => style.output = DateOutput::Postgres,
            "german" => {
                style.output = DateOutput::German;
                style.order = DateOrder::Dmy;
            }
            "mdy" | "us" | "noneuro" | "noneuropean" => style.order = DateOrder::Mdy,
            "dmy" | "euro" | "european" => style.order = DateOrder::Dmy,
            "ymd" => style.order = DateOrder::Ymd,
            _ => return None,
        }
    }
    Some(style)
}

fn date_style_text(style: DateStyle) -> String {
    let output = match style.output {
        DateOutput::Iso => "ISO",
        DateOutput::Sql => "SQL",
        DateOutput::Postgres => "Postgres",
        DateOutput::German => "German",
    };
    let order = match style.order {
        DateOrder::Mdy => "MDY",
        DateOrder::Dmy => "DMY",
        DateOrder::Ymd => "YMD",
    };
    format!("{output}, {order}")
}

/// A list of identifiers as Postgres reads it: folded unless quoted.
fn identifiers(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_name(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let name = rest[..end].trim();
                if name.is_empty() || name.contains(char::is_whitespace) {
                    return None;
                }
                (name.to_ascii_lowercase(), &rest[end..])
            }
        };
        names.push(name);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return rest.is_empty().then_some(names),
        }
    }
}

fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' if chars.peek().is_some_and(|(_, c)| *c == '"') => {
                chars.next();
                name.push('"');
            }
            '"' => return Some((name, &text[i + 1..])),
            c => name.push(c),
        }
    }
    None
}

fn quoted(name: &str) -> String {
    let plain = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new("ann", "quorate")
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
            ("client_encoding", "LATIN1", "0A000"),
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
        assert_eq!(s.env().time_zone, "Asia/Tokyo");
        s.roll_back_to(0);
        assert_eq!(s.env().time_zone, "UTC");
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
        assert_eq!(s.changed_reports().len(), REPORTED.len());
        set(&mut s, "DateStyle", "SQL", false);
        set(&mut s, "jit", "on", false);
        assert_eq!(s.changed_reports(), [("DateStyle", "SQL, MDY".to_owned())]);
        assert!(s.changed_reports().is_empty());
    }
}
