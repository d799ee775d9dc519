//! What the functions of a statement ask for besides their arguments: the session it comes from and live facts of the
//! cluster. That much has to travel with a write.
//!
//! It is read off the texts of the registry's rows once, in which the names of what implements them begin with `q_`.

use super::{Function, Operator, SHOW_VIEW, functions, operators};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What the functions of a statement want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// User, database, process id.
    pub identity: bool,
    /// `currval` and `lastval`.
    pub sequences: bool,
    pub settings: Settings,
    /// Live relations.
    pub live: BTreeSet<String>,
    /// It sends signals to sessions.
    pub signals: bool,
    /// Advisory locks.
    pub advisory: bool,
    /// It changes settings.
    pub config: bool,
}

/// Which settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    All,
    Named(BTreeSet<String>),
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::Named(BTreeSet::new())
    }
}

/// What a function asks for, whatever its arguments; `None` for nothing.
pub fn asks_of(function: &Function) -> Option<&'static Asks> {
    static ASKS: LazyLock<BTreeMap<(&str, &[crate::types::Type]), Asks>> = LazyLock::new(|| {
        let asks = functions().map(|f| ((f.name, f.args), Asks::of_implementations(f.lower)));
        asks.filter(|(_, asks)| !asks.is_empty()).collect()
    });
    ASKS.get(&(function.name, function.args))
}

/// What an operator asks for: few do.
pub fn asks_of_operator(operator: &Operator) -> Option<&'static Asks> {
    static ASKS: LazyLock<BTreeMap<&str, Asks>> = LazyLock::new(|| {
        let asks = operators().map(|o| (o.lower, Asks::of_implementations(o.lower)));
        asks.filter(|(_, asks)| !asks.is_empty()).collect()
    });
    ASKS.get(operator.lower)
}

/// The setting, not to be seen as one, that has the schema of the session's temporary objects, once there are some.
pub const TEMPORARY: &str = "quorate.temporary";

/// The setting, not to be seen as one, that has the ends of the client's connection: address and port of the client, then
/// of this node, with blanks between; nothing instead of each for a connection that is not of TCP. The last word is when this
/// node was started, in µs since 2000-01-01 00:00 UTC.
pub const CONNECTION: &str = "quorate.connection";

/// The setting, not to be seen as one, that has where the session's cursors are: for each of them, by its name, the row that
/// it is on, as a JSON object of rowids by the OIDs of their tables, or null if it is on none.
pub const CURSORS: &str = "quorate.cursors";

impl Asks {
    /// What the implementations ask for that one of our own texts calls.
    pub fn of_implementations(text: &str) -> Asks {
        let mut asks = Asks::default();
        asks.scan(text);
        asks
    }

    fn scan(&mut self, sql: &str) {
        for (at, _) in sql.match_indices("q_") {
            let rest = &sql[at..];
            let Some((name, args)) = rest.split_once('(') else { return };
            match name {
                "q_live" => self.live.extend(args.split('\'').nth(1).map(str::to_owned)),
                "q_signal" => self.signals = true,
                "q_advisory" => self.advisory = true,
                "q_set_config" => self.config = true,
                "q_current_user" | "q_current_database" | "q_backend_pid" | "q_notify" => self.identity = true,
                "q_current_schema" | "q_current_schemas" | "q_path_place" | "q_relation_name" | "q_shown"
                | SHOW_VIEW => {
                    self.identity = true;
                    self.setting("search_path");
                    self.setting(TEMPORARY);
                }
                "q_current_setting" => match args.strip_prefix('\'').and_then(|args| args.split_once("',")) {
                    Some((name, _)) => self.setting(name),
                    None => self.settings = Settings::All,
                },
                "q_session_user" => {
                    self.identity = true;
                    self.setting("session_authorization");
                }
                "q_currval" | "q_lastval" => self.sequences = true,
                _ => {}
            }
        }
    }

    /// Adds what others ask for.
    pub fn add(&mut self, other: &Asks) {
        self.identity |= other.identity;
        self.sequences |= other.sequences;
        self.signals |= other.signals;
        self.advisory |= other.advisory;
        self.config |= other.config;
        self.live.extend(other.live.iter().cloned());
        match &other.settings {
            Settings::All => self.settings = Settings::All,
            Settings::Named(names) => names.iter().for_each(|name| self.setting(name)),
        }
    }

    /// Adds a setting.
    pub fn setting(&mut self, name: &str) {
        if let Settings::Named(names) = &mut self.settings {
            names.insert(name.to_ascii_lowercase());
        }
    }

    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Asks::default()
    }

    /// Whether any setting is asked for.
    pub fn wants_settings(&self) -> bool {
        !matches!(&self.settings, Settings::Named(names) if names.is_empty())
    }

    /// Whether the setting with this name is asked for.
    pub fn wants_setting(&self, name: &str) -> bool {
        match &self.settings {
            Settings::All => true,
            Settings::Named(names) => !names.is_empty() && names.contains(&name.to_ascii_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Asks;

    fn asks(sql: &str) -> Asks {
        Asks::of_implementations(sql)
    }

    #[test]
    fn most_functions_ask_for_nothing() {
        assert!(asks("iif({0}, q_now(), 'q_')").is_empty());
        let asking = crate::functions::functions().filter(|f| super::asks_of(f).is_some()).map(|f| f.name);
        let asking: Vec<_> = asking.collect();
        assert!(asking.contains(&"currval") && asking.contains(&"pg_terminate_backend"), "{asking:?}");
        assert!(!asking.contains(&"lower") && !asking.contains(&"nextval"), "{asking:?}");
    }

    #[test]
    fn functions_ask_for_what_they_read() {
        assert!(asks("SELECT q_currval(1), q_other(2)").sequences);
        assert!(asks("SELECT q_current_user()").identity && !asks("SELECT q_current_user()").sequences);
        let named = asks("SELECT q_current_setting('App.user', 0), q_current_setting('b', 1)");
        assert!(named.wants_setting("app.user") && named.wants_setting("B") && !named.wants_setting("c"));
        assert!(asks("SELECT q_current_setting(?1, 0)").wants_setting("anything"));
        assert!(asks("SELECT q_path_place(s)").wants_setting("search_path"));
    }

    #[test]
    fn live_relations_are_found_by_name() {
        let sql = "SELECT 1 FROM json_each(q_live('nodes')) JOIN json_each(q_live('pg_locks'))";
        assert_eq!(asks(sql).live.into_iter().collect::<Vec<_>>(), ["nodes", "pg_locks"]);
        assert!(asks("iif({1} IS NULL, NULL, q_signal({0}, 1))").signals);
    }
}
