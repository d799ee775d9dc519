//! Which functions of a statement ask for the session it comes from: that much of it has to travel with a write.
//!
//! The statement is SQLite SQL made by the compiler, in which our own functions begin with `q_`. A name in a literal
//! may be taken for a call, which costs a few bytes in the log and nothing else.

use std::collections::BTreeSet;

/// What the functions of a statement want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// User, database, process id.
    pub identity: bool,
    /// `currval` and `lastval`.
    pub sequences: bool,
    pub settings: Settings,
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

impl Asks {
    /// Adds what the functions in `sql` ask for.
    pub fn scan(&mut self, sql: &str) {
        for (at, _) in sql.match_indices("q_") {
            let rest = &sql[at..];
            let Some((name, args)) = rest.split_once('(') else { return };
            match name {
                "q_current_user" | "q_current_database" | "q_backend_pid" => self.identity = true,
                "q_current_schema" | "q_current_schemas" | "q_path_place" | "q_relation_name" => {
                    self.identity = true;
                    self.setting("search_path");
                }
                "q_current_setting" => match args.strip_prefix('\'').and_then(|args| args.split_once("',")) {
                    Some((name, _)) => self.setting(name),
                    None => self.settings = Settings::All,
                },
                "q_currval" | "q_lastval" => self.sequences = true,
                _ => {}
            }
        }
    }

    fn setting(&mut self, name: &str) {
        if let Settings::Named(names) = &mut self.settings {
            names.insert(name.to_ascii_lowercase());
        }
    }

    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Asks::default()
    }

    /// Whether the setting with this name is asked for.
    pub fn wants_setting(&self, name: &str) -> bool {
        match &self.settings {
            Settings::All => true,
            Settings::Named(names) => !names.is_empty() && names.contains(&name.to_ascii_lowercase()),
        }
    }
}

/// The live relations that a statement reads.
pub fn live_relations(sql: &str) -> impl Iterator<Item = &str> {
    const CALL: &str = "q_live('";
    sql.match_indices(CALL).filter_map(|(at, _)| sql[at + CALL.len()..].split_once('\'')).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(sql: &str) -> Asks {
        let mut asks = Asks::default();
        asks.scan(sql);
        asks
    }

    #[test]
    fn most_statements_ask_for_nothing() {
        assert!(asks("INSERT INTO \"public.t\" VALUES (?1, q_now(), 'q_')").is_empty());
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
        assert_eq!(live_relations(sql).collect::<Vec<_>>(), ["nodes", "pg_locks"]);
    }
}
