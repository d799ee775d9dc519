//! The settings a session has (PostgreSQL's `pg_settings`), what values they take, and who may change them.
//!
//! [`OWN`] holds those that mean something here. All others of PostgreSQL's, its planner's, its storage's and its
//! server's, are facts in `postgres.tsv`: they are checked, kept and shown, so that what clients and dumps set is accepted
//! and comes back, and have no effect.
//!
//! Values are text in one canonical form, so that equal settings compare equal: `on`/`off` for booleans, integers in
//! the setting's base unit shown with the largest unit that divides them. A setting that has no effect here but is
//! harmless is accepted; one whose other values would change results only takes the value that holds.

use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::types::encoding::Encoding;
use crate::types::zone::Zone;
use crate::types::{DateOrder, DateOutput, DateStyle, Env};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The version this server behaves like: what drivers and psql adapt to.
pub const SERVER_VERSION: &str = "15.18";
pub const SERVER_VERSION_NUM: &str = "150018";

/// Who may change a setting (`pg_settings.context`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Nobody: a fact about the server.
    Internal,
    /// The operator, in the configuration, at start …
    Server,
    /// … or while it runs.
    Reload,
    /// The client, when it connects only.
    Backend,
    /// A superuser, at any time.
    Superuser,
    /// Anybody, at any time.
    User,
}

impl Context {
    /// As `pg_settings.context` has it.
    pub fn name(self) -> &'static str {
        match self {
            Context::Internal => "internal",
            Context::Server => "postmaster",
            Context::Reload => "sighup",
            Context::Backend => "backend",
            Context::Superuser => "superuser",
            Context::User => "user",
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    None,
    Milliseconds,
    Seconds,
    Minutes,
    Bytes,
    Kilobytes,
    Megabytes,
    /// Of 8 KiB.
    Pages,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Bool,
    Int {
        min: i64,
        max: i64,
        unit: Unit,
    },
    Real {
        min: f64,
        max: f64,
        unit: Unit,
    },
    /// The first of the values is the default's form.
    Enum(&'static [&'static str]),
    Text,
    /// A list of identifiers.
    Names,
    TimeZone,
    DateStyle,
    Encoding,
    /// Only this value.
    Fixed,
}

#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub kind: Kind,
    pub context: Context,
    /// Sent to the client whenever it changes (ParameterStatus).
    pub report: bool,
    pub description: &'static str,
    /// As `pg_settings.category` has it.
    pub category: &'static str,
}

impl Setting {
    /// As `pg_settings.unit` has it.
    pub fn unit_name(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Int { unit, .. } | Kind::Real { unit, .. } => {
                UNITS.iter().find(|(_, u)| *u == unit).map(|(name, _)| *name)
            }
            _ => None,
        }
    }
}

const UNITS: [(&str, Unit); 7] = [
    ("ms", Unit::Milliseconds),
    ("s", Unit::Seconds),
    ("min", Unit::Minutes),
    ("B", Unit::Bytes),
    ("kB", Unit::Kilobytes),
    ("MB", Unit::Megabytes),
    ("8kB", Unit::Pages),
];

/// A value with a unit as a number of another one, named as in `pg_settings`.
pub fn in_unit(value: &str, unit: &str) -> Option<String> {
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number = in_base_unit(value, *unit)?;
    Some(((number * 1e6).round() / 1e6).to_string())
}

const fn setting(name: &'static str, default: &'static str, kind: Kind, description: &'static str) -> Setting {
    Setting { name, default, kind, context: Context::User, report: false, description, category: "" }
}

const fn reported(s: Setting) -> Setting {
    Setting { report: true, ..s }
}

const fn fact(name: &'static str, value: &'static str, description: &'static str) -> Setting {
    Setting { kind: Kind::Fixed, context: Context::Internal, ..setting(name, value, Kind::Text, description) }
}

const fn server(s: Setting) -> Setting {
    Setting { context: Context::Server, ..s }
}

const fn superusers(s: Setting) -> Setting {
    Setting { context: Context::Superuser, ..s }
}

const fn int(min: i64, max: i64, unit: Unit) -> Kind {
    Kind::Int { min, max, unit }
}

const I32: i64 = i32::MAX as i64;
const TIMEOUT: Kind = int(0, I32, Unit::Milliseconds);
const LEVELS: Kind = Kind::Enum(&[
    "notice", "debug5", "debug4", "debug3", "debug2", "debug1", "log", "warning", "error", "info", "debug",
]);
const ISOLATION: Kind = Kind::Enum(&["read committed", "serializable", "repeatable read", "read uncommitted"]);

/// The settings that mean something here, by name. The characteristics of the present transaction are the session's to
/// show and to change.
pub const OWN: &[Setting] = &[
    reported(setting("application_name", "", Kind::Text, "Name of the application, for logs.")),
    setting("array_nulls", "on", Kind::Fixed, "NULL in an array literal is a null."),
    setting(
        "backslash_quote",
        "safe_encoding",
        Kind::Enum(&["safe_encoding", "on", "off"]),
        "Whether \\' may stand for a quote.",
    ),
    fact("block_size", "8192", "Size of a page."),
    setting("bytea_output", "hex", Kind::Enum(&["hex", "escape"]), "Text form of bytea."),
    setting("check_function_bodies", "on", Kind::Bool, "Check functions when they are created."),
    reported(setting("client_encoding", "UTF8", Kind::Encoding, "Encoding of the client's text.")),
    setting("client_min_messages", "notice", LEVELS, "Least level of messages that are sent."),
    setting("constraint_exclusion", "partition", Kind::Text, "Planner: use constraints."),
    setting(
        "cpu_tuple_cost",
        "0.01",
        Kind::Real { min: 0.0, max: f64::MAX, unit: Unit::None },
        "Planner: cost of a row.",
    ),
    reported(setting("DateStyle", "ISO, MDY", Kind::DateStyle, "Text form of dates and order of their parts.")),
    superusers(setting(
        "deadlock_timeout",
        "1s",
        TIMEOUT,
        "How long to wait for a lock before deadlocks are looked for.",
    )),
    setting("default_statistics_target", "100", int(1, 10_000, Unit::None), "Planner: detail of statistics."),
    setting("default_table_access_method", "heap", Kind::Text, "How tables are stored."),
    setting("default_tablespace", "", Kind::Text, "Where tables are stored."),
    setting("default_text_search_config", "pg_catalog.simple", Kind::Text, "Text search: configuration."),
    setting("default_toast_compression", "pglz", Kind::Text, "How long values are compressed."),
    Setting {
        kind: Kind::Fixed,
        ..setting("default_with_oids", "off", Kind::Bool, "Of old dumps: tables have no OIDs.")
    },
    setting("default_transaction_deferrable", "off", Kind::Bool, "Whether new transactions are deferrable."),
    setting("default_transaction_isolation", "read committed", ISOLATION, "Isolation of new transactions."),
    reported(setting("default_transaction_read_only", "off", Kind::Bool, "Whether new transactions only read.")),
    setting("effective_cache_size", "4GB", int(1, I32, Unit::Pages), "Planner: size of the cache."),
    setting("enable_bitmapscan", "on", Kind::Bool, "Planner: bitmap scans."),
    setting("enable_hashagg", "on", Kind::Bool, "Planner: hashed aggregation."),
    setting("enable_hashjoin", "on", Kind::Bool, "Planner: hash joins."),
    setting("enable_indexscan", "on", Kind::Bool, "Planner: index scans."),
    setting("enable_indexonlyscan", "on", Kind::Bool, "Planner: index-only scans."),
    setting("enable_mergejoin", "on", Kind::Bool, "Planner: merge joins."),
    setting("enable_nestloop", "on", Kind::Bool, "Planner: nested loops."),
    setting("enable_seqscan", "on", Kind::Bool, "Planner: sequential scans."),
    setting("enable_sort", "on", Kind::Bool, "Planner: sorts."),
    setting("escape_string_warning", "on", Kind::Bool, "Warn of backslashes in plain literals."),
    setting("extra_float_digits", "1", int(-15, 3, Unit::None), "Digits of floating-point numbers."),
    setting("from_collapse_limit", "8", int(1, I32, Unit::None), "Planner: flattening of subqueries."),
    setting("geqo", "on", Kind::Bool, "Planner: genetic search."),
    setting("gin_fuzzy_search_limit", "0", int(0, I32, Unit::None), "Limit of results of a GIN search."),
    setting("idle_in_transaction_session_timeout", "10min", TIMEOUT, "How long a transaction may idle; 0 is for ever."),
    setting("idle_session_timeout", "0", TIMEOUT, "How long a session may idle; 0 is for ever."),
    reported(fact("in_hot_standby", "off", "Whether the server is a standby.")),
    reported(fact("integer_datetimes", "on", "Times are integers.")),
    reported(setting(
        "IntervalStyle",
        "postgres",
        Kind::Enum(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]),
        "Text form of intervals.",
    )),
    reported(fact("is_superuser", "on", "Whether the role may do everything.")),
    setting("jit", "off", Kind::Bool, "Planner: compile expressions."),
    setting("join_collapse_limit", "8", int(1, I32, Unit::None), "Planner: reordering of joins."),
    fact("lc_collate", "C", "Order of text."),
    fact("lc_ctype", "C", "Classes of characters."),
    superusers(setting("lc_messages", "C", Kind::Text, "Language of messages.")),
    setting("lc_monetary", "C", Kind::Text, "Format of money."),
    setting("lc_numeric", "C", Kind::Text, "Format of numbers."),
    setting("lc_time", "C", Kind::Text, "Names of days and months."),
    setting("lock_timeout", "0", TIMEOUT, "How long to wait for a lock; 0 is for ever."),
    superusers(setting(
        "log_min_duration_statement",
        "-1",
        int(-1, I32, Unit::None),
        "Which slow statements are logged.",
    )),
    superusers(setting(
        "log_statement",
        "none",
        Kind::Enum(&["none", "ddl", "mod", "all"]),
        "Which statements are logged.",
    )),
    setting("maintenance_work_mem", "64MB", int(1024, I32, Unit::Kilobytes), "Memory of maintenance."),
    server(setting("max_connections", "10000", int(1, 262_143, Unit::None), "Most sessions at a time.")),
    fact("max_identifier_length", "63", "Bytes of a name."),
    fact("max_index_keys", "32", "Columns of an index."),
    setting("max_parallel_workers_per_gather", "0", int(0, 1024, Unit::None), "Planner: workers of a query."),
    server(setting("max_prepared_transactions", "0", int(0, 262_143, Unit::None), "Most prepared transactions.")),
    superusers(setting("max_stack_depth", "2MB", int(100, I32, Unit::Kilobytes), "Stack of a statement.")),
    setting("password_encryption", "scram-sha-256", Kind::Enum(&["scram-sha-256", "md5"]), "How passwords are kept."),
    setting(
        "plan_cache_mode",
        "auto",
        Kind::Enum(&["auto", "force_generic_plan", "force_custom_plan"]),
        "Planner: plans of prepared statements.",
    ),
    server(setting("port", "5432", int(1, 65_535, Unit::None), "The port that clients connect to.")),
    setting(
        "quorate.read_consistency",
        "linearizable",
        Kind::Enum(&["linearizable", "stale"]),
        "Whether reads see every acknowledged write.",
    ),
    setting("quote_all_identifiers", "off", Kind::Bool, "Quote all names in generated SQL."),
    setting(
        "random_page_cost",
        "4",
        Kind::Real { min: 0.0, max: f64::MAX, unit: Unit::None },
        "Planner: cost of a page.",
    ),
    setting("restrict_nonsystem_relation_kind", "", Kind::Text, "Kinds of relations that are refused."),
    setting("role", "none", Kind::Text, "The current role."),
    setting("row_security", "on", Kind::Bool, "Apply row security policies."),
    setting("search_path", "\"$user\", public", Kind::Names, "Schemas in which names are looked up."),
    setting(
        "seq_page_cost",
        "1",
        Kind::Real { min: 0.0, max: f64::MAX, unit: Unit::None },
        "Planner: cost of a page read in order.",
    ),
    reported(fact("server_encoding", "UTF8", "Encoding of the database.")),
    reported(fact("server_version", SERVER_VERSION, "The PostgreSQL version this server behaves like.")),
    fact("server_version_num", SERVER_VERSION_NUM, "The PostgreSQL version as a number."),
    reported(setting("session_authorization", "default", Kind::Text, "The session's role.")),
    superusers(setting("session_replication_role", "origin", Kind::Enum(&["origin"]), "Which triggers fire.")),
    setting("shared_buffers", "128MB", int(16, I32, Unit::Pages), "Memory of the cache."),
    reported(Setting {
        kind: Kind::Fixed,
        ..setting("standard_conforming_strings", "on", Kind::Bool, "A backslash in a plain literal is itself.")
    }),
    fact("ssl", "off", "Whether connections may be encrypted."),
    setting("statement_timeout", "0", TIMEOUT, "How long a statement may run; 0 is for ever."),
    setting(
        "synchronous_commit",
        "on",
        Kind::Enum(&["on", "off", "local", "remote_write", "remote_apply"]),
        "Accepted: a commit is always durable on a majority.",
    ),
    setting("synchronize_seqscans", "on", Kind::Bool, "Let scans of a table share its pages."),
    setting("tcp_keepalives_idle", "0", int(0, I32, Unit::Seconds), "TCP: time between keepalives."),
    setting("temp_buffers", "8MB", int(100, I32, Unit::Pages), "Memory of temporary tables."),
    setting("temp_tablespaces", "", Kind::Text, "Where temporary tables are stored."),
    reported(setting("TimeZone", "UTC", Kind::TimeZone, "The time zone of times with time zone.")),
    setting("timezone_abbreviations", "Default", Kind::Text, "Abbreviations of time zones."),
    fact("transaction_deferrable", "off", "Whether this transaction is deferrable."),
    fact("transaction_isolation", "read committed", "Isolation of this transaction."),
    fact("transaction_read_only", "off", "Whether this transaction only reads."),
    setting("transaction_timeout", "0", TIMEOUT, "How long a transaction may last; 0 is for ever."),
    fact("track_counts", "off", "Whether accesses to tables and indexes are counted."),
    setting("transform_null_equals", "off", Kind::Fixed, "Whether x = NULL means x IS NULL."),
    fact("wal_block_size", "8192", "Size of a block of the log."),
    fact("wal_level", "replica", "What the log has."),
    setting("work_mem", "4MB", int(64, I32, Unit::Kilobytes), "Memory of a sort."),
    setting("xmlbinary", "base64", Kind::Enum(&["base64", "hex"]), "Form of bytes in XML."),
    setting("xmloption", "content", Kind::Enum(&["content", "document"]), "Whether XML is a document."),
];

/// All settings, in the order of their names.
pub fn all() -> &'static [Setting] {
    &ALL.0
}

/// The settings and where each is, by its name in lower case.
static ALL: LazyLock<(Vec<Setting>, BTreeMap<String, usize>)> = LazyLock::new(|| {
    let file = include_str!("postgres.tsv");
    let category = |name: &str| {
        let line = file.lines().find(|line| line.split('\t').next().is_some_and(|n| n.eq_ignore_ascii_case(name)));
        line.and_then(|line| line.split('\t').nth(8)).unwrap_or("Customized Options")
    };
    let mut settings: Vec<Setting> = OWN.iter().map(|s| Setting { category: category(s.name), ..*s }).collect();
    for setting in file.lines().filter_map(accepted) {
        if !settings.iter().any(|s| s.name.eq_ignore_ascii_case(setting.name)) {
            settings.push(setting);
        }
    }
    settings.sort_by_key(|s| s.name.to_ascii_lowercase());
    let places = settings.iter().enumerate().map(|(i, s)| (s.name.to_ascii_lowercase(), i)).collect();
    (settings, places)
});

/// A line of the file: name, type, unit, context, default, least and largest value, values of an enumeration, category.
fn accepted(line: &'static str) -> Option<Setting> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, kind, unit, context, default, low, high, values, category] = fields[..] else { return None };
    let unit = UNITS.iter().find(|(name, _)| *name == unit).map_or(Unit::None, |(_, unit)| *unit);
    let kind = match kind {
        "bool" => Kind::Bool,
        "integer" => Kind::Int { min: low.parse().ok()?, max: high.parse().ok()?, unit },
        "real" => Kind::Real { min: low.parse().ok()?, max: high.parse().ok()?, unit },
        "enum" => Kind::Enum(values.split(',').collect::<Vec<_>>().leak()),
        _ => Kind::Text,
    };
    let context = match context {
        "internal" => Context::Internal,
        "backend" | "superuser-backend" => Context::Backend,
        "superuser" => Context::Superuser,
        "user" => Context::User,
        "sighup" => Context::Reload,
        _ => Context::Server,
    };
    let description = "PostgreSQL's; checked and kept, without effect here.";
    let default = match kind {
        Kind::Int { unit, .. } => default.parse().map_or(default, |n| &*show(n, unit).leak()),
        Kind::Real { unit, .. } => default.parse().map_or(default, |n| &*show_real(n, unit).leak()),
        _ => default,
    };
    Some(Setting { context, category, ..setting(name, default, kind, description) })
}

/// Errors: 42501 for a setting that only superusers may change.
pub fn check_may_set(name: &str, superuser: bool) -> SqlResult<()> {
    match lookup(name) {
        Some(setting) if setting.context == Context::Superuser && !superuser => {
            let message = format!("permission denied to set parameter \"{}\"", setting.name);
            Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, message))
        }
        _ => Ok(()),
    }
}

/// Whether it means something here.
pub fn is_own(setting: &Setting) -> bool {
    OWN.iter().any(|own| own.name == setting.name)
}

/// The setting of this name, whatever its case.
pub fn lookup(name: &str) -> Option<&'static Setting> {
    let (settings, places) = &*ALL;
    places.get(name).or_else(|| places.get(&name.to_ascii_lowercase())).map(|i| &settings[*i])
}

/// May a session have a setting of this name? Known ones, and names with a dot that extensions would own.
pub fn known(name: &str) -> SqlResult<Option<&'static Setting>> {
    match lookup(name) {
        Some(setting) => Ok(Some(setting)),
        None if name.contains('.') && !name.starts_with("quorate.") => Ok(None),
        None => Err(unknown(name)),
    }
}

/// 42704 for a setting that does not exist.
pub fn unknown(name: &str) -> SqlError {
    SqlError::new(state::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

/// Whether this may be a part of the name of a setting of the client's own.
fn is_simple(part: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    part.starts_with(starts) && part.chars().all(|c| starts(c) || c.is_ascii_digit() || c == '$')
}

/// The canonical value that `SET name TO values` gives a setting; none means its default.
/// Errors: 42602 no name for one, 42704 unknown, 22023 not a value of it, 55P02 not to be changed.
pub fn assign(name: &str, values: &[String], at_start: bool) -> SqlResult<String> {
    let Some(setting) = known(name)? else {
        let message = format!("invalid configuration parameter name \"{name}\"");
        let detail = "Custom parameter names must be two or more simple identifiers separated by dots.";
        return match name.split('.').all(is_simple) {
            true => Ok(values.join(", ")),
            false => Err(SqlError::new(state::INVALID_NAME, message).detail(detail)),
        };
    };
    let cannot = |how: &str| {
        Err(SqlError::new(SqlState::new("55P02"), format!("parameter \"{}\" cannot be {how}", setting.name)))
    };
    match setting.context {
        Context::Internal => return cannot("changed"),
        Context::Server => return cannot("changed without restarting the server"),
        Context::Reload => return cannot("changed now"),
        Context::Backend if !at_start => return cannot("set after connection start"),
        _ => {}
    }
    if values.is_empty() {
        return Ok(setting.default.to_owned());
    }
    let is_list = matches!(setting.kind, Kind::Names | Kind::DateStyle);
    if values.len() > 1 && !is_list {
        let message = format!("SET {} takes only one argument", setting.name);
        return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    }
    canonical(setting, values)
}

/// As [`assign`], where the value before says what the new one leaves open: `SET DateStyle = SQL` leaves the order of day
/// and month.
pub fn assign_over(name: &str, values: &[String], before: Option<&str>) -> SqlResult<String> {
    let value = assign(name, values, false)?;
    match (lookup(name), before) {
        (Some(setting), Some(before)) if setting.kind == Kind::DateStyle => {
            canonical(setting, &[&[before.to_owned()], values].concat())
        }
        _ => Ok(value),
    }
}

/// As [`assign_over`] and [`assign_text`].
pub fn assign_text_over(name: &str, text: &str, before: Option<&str>) -> SqlResult<String> {
    match lookup(name) {
        Some(setting) if setting.kind == Kind::DateStyle => assign_over(name, &[text.to_owned()], before),
        _ => assign_text(name, text, false),
    }
}

/// As [`assign`], for a value that is the setting's own text: from a startup packet or `set_config`.
pub fn assign_text(name: &str, text: &str, at_start: bool) -> SqlResult<String> {
    match lookup(name) {
        Some(setting) if setting.kind == Kind::Names => match identifiers(text) {
            Some(_) => Ok(text.to_owned()),
            None => Err(invalid(setting, text)),
        },
        _ => assign(name, &[text.to_owned()], at_start),
    }
}

fn invalid(setting: &Setting, value: &str) -> SqlError {
    let message = format!("invalid value for parameter \"{}\": \"{value}\"", setting.name);
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

fn canonical(setting: &Setting, values: &[String]) -> SqlResult<String> {
    let value = values[0].as_str();
    match setting.kind {
        Kind::Text => Ok(value.to_owned()),
        Kind::Names => Ok(names(values)),
        Kind::Bool => match boolean(value) {
            Some(on) => Ok(if on { "on" } else { "off" }.into()),
            None => Err(SqlError::new(
                state::INVALID_PARAMETER_VALUE,
                format!("parameter \"{}\" requires a Boolean value", setting.name),
            )),
        },
        Kind::Fixed => {
            let same = value.eq_ignore_ascii_case(setting.default)
                || (boolean(value).is_some() && boolean(value) == boolean(setting.default));
            match same {
                true => Ok(setting.default.to_owned()),
                false => Err(SqlError::unsupported(format!("{} = {value}", setting.name))),
            }
        }
        Kind::Enum(allowed) => {
            let found = allowed.iter().find(|a| a.eq_ignore_ascii_case(value));
            let found = found.or_else(|| {
                let word = boolean(value).map(|on| if on { "on" } else { "off" })?;
                allowed.iter().find(|a| **a == word)
            });
            found
                .map(|a| (*a).to_owned())
                .ok_or_else(|| invalid(setting, value).hint(format!("Available values: {}.", allowed.join(", "))))
        }
        Kind::Int { min, max, unit } => {
            let number = integer(value, unit).ok_or_else(|| match valid_units(unit) {
                Some(units) if value.trim().starts_with(|c: char| c.is_ascii_digit()) => {
                    invalid(setting, value).hint(format!("Valid units for this parameter are {units}."))
                }
                _ => invalid(setting, value),
            })?;
            if i32::try_from(number).is_err() {
                return Err(invalid(setting, value).hint("Value exceeds integer range."));
            }
            within(setting, number, min, max)?;
            Ok(show(number, unit))
        }
        Kind::Real { min, max, unit } => {
            let number = in_base_unit(value, unit).ok_or_else(|| invalid(setting, value))?;
            within(setting, number, min, max)?;
            Ok(show_real(number, unit))
        }
        Kind::TimeZone => time_zone(value).ok_or_else(|| invalid(setting, value)),
        Kind::DateStyle => {
            let text = values.join(", ");
            let from = Env::default().date_style;
            let style = date_style(&text, from).ok_or_else(|| {
                let words = text.split(',').map(str::trim);
                let unknown = words.map(str::to_ascii_lowercase).find(|word| date_style(word, from).is_none());
                invalid(setting, &text).detail(format!("Unrecognized key word: \"{}\".", unknown.unwrap_or_default()))
            })?;
            Ok(date_style_text(style))
        }
        Kind::Encoding => {
            // asyncpg sends its quotes along.
            let name = value.trim_matches('\'');
            Encoding::named(name).map(|encoding| encoding.name().to_owned()).map_err(|error| {
                if error.code == state::FEATURE_NOT_SUPPORTED { error } else { invalid(setting, value) }
            })
        }
    }
}

/// A list of schemas as one text; a name is quoted when it must be.
fn names(values: &[String]) -> String {
    values.iter().map(|v| quoted(v)).collect::<Vec<_>>().join(", ")
}

/// The names in a `search_path`, none where it is malformed.
pub fn split_names(value: &str) -> Vec<String> {
    identifiers(value).unwrap_or_default()
}

/// A list of identifiers as Postgres reads it: folded unless quoted.
pub fn identifiers(text: &str) -> Option<Vec<String>> {
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

/// PostgreSQL's words for truth: any prefix that is not ambiguous.
pub fn boolean(value: &str) -> Option<bool> {
    let value = value.trim().to_ascii_lowercase();
    let prefix = |word: &str, least: usize| value.len() >= least && word.starts_with(&value);
    match value.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if prefix("true", 1) || prefix("yes", 1) || prefix("on", 2) => Some(true),
        _ if prefix("false", 1) || prefix("no", 1) || prefix("off", 2) => Some(false),
        _ => None,
    }
}

const KIB: f64 = 1024.0;

/// (suffix, how many of the base unit), largest first.
fn units(unit: Unit) -> &'static [(&'static str, f64)] {
    match unit {
        Unit::None => &[],
        Unit::Milliseconds => {
            &[("d", 86_400_000.0), ("h", 3_600_000.0), ("min", 60_000.0), ("s", 1000.0), ("ms", 1.0), ("us", 0.001)]
        }
        Unit::Seconds => &[("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 0.001), ("us", 1e-6)],
        Unit::Minutes => &[("d", 1440.0), ("h", 60.0), ("min", 1.0), ("s", 1.0 / 60.0), ("ms", 1.0 / 60_000.0)],
        Unit::Bytes => {
            &[("TB", KIB * KIB * KIB * KIB), ("GB", KIB * KIB * KIB), ("MB", KIB * KIB), ("kB", KIB), ("B", 1.0)]
        }
        Unit::Kilobytes => {
            &[("TB", 1_073_741_824.0), ("GB", 1_048_576.0), ("MB", 1024.0), ("kB", 1.0), ("B", 1.0 / 1024.0)]
        }
        Unit::Megabytes => &[("TB", KIB * KIB), ("GB", KIB), ("MB", 1.0), ("kB", 1.0 / KIB), ("B", 1.0 / (KIB * KIB))],
        Unit::Pages => &[("TB", 134_217_728.0), ("GB", 131_072.0), ("MB", 128.0), ("kB", 0.125), ("B", 1.0 / 8192.0)],
    }
}

/// A number with an optional unit, in the base unit.
fn integer(value: &str, unit: Unit) -> Option<i64> {
    let scaled = in_base_unit(value, unit)?.round();
    (scaled.abs() <= 9e15).then_some(scaled as i64)
}

fn in_base_unit(value: &str, unit: Unit) -> Option<f64> {
    let value = value.trim();
    if let Ok(number) = value.parse() {
        return Some(number);
    }
    let split = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (number, suffix) = (value[..split].trim(), value[split..].trim());
    let factor = match suffix {
        "" => 1.0,
        _ => units(unit).iter().find(|(name, _)| *name == suffix)?.1,
    };
    let number: f64 = number.parse().ok()?;
    Some(number * factor)
}

/// Errors: 22023 for a number that is not between these, as NaN is not.
fn within<N: PartialOrd + std::fmt::Display>(setting: &Setting, number: N, min: N, max: N) -> SqlResult<()> {
    if (&min..=&max).contains(&&number) {
        return Ok(());
    }
    let unit = setting.unit_name().map_or_else(String::new, |unit| format!(" {unit}"));
    let name = setting.name;
    let range = format!("{number}{unit} is outside the valid range for parameter \"{name}\" ({min} .. {max})");
    Err(SqlError::new(state::INVALID_PARAMETER_VALUE, range))
}

/// The units that a value may have, as PostgreSQL lists them.
fn valid_units(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::None => None,
        Unit::Milliseconds | Unit::Seconds | Unit::Minutes => Some("\"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\""),
        Unit::Bytes | Unit::Kilobytes | Unit::Megabytes | Unit::Pages => {
            Some("\"B\", \"kB\", \"MB\", \"GB\", and \"TB\"")
        }
    }
}

/// The value in the largest unit in which it is whole, or else in the smallest.
fn show_real(number: f64, unit: Unit) -> String {
    let units = units(unit);
    let whole = |factor: f64| {
        let value = number / factor;
        value > 0.0 && (value.round() / value - 1.0).abs() <= 1e-8
    };
    match units.iter().find(|(_, factor)| whole(*factor)).or(units.last()) {
        Some((_, factor)) if number <= 0.0 || *factor == 0.0 => number.to_string(),
        Some((name, factor)) if whole(*factor) => format!("{}{name}", (number / factor).round()),
        Some((name, factor)) => format!("{}{name}", number / factor),
        None => number.to_string(),
    }
}

/// The value with the largest unit that divides it.
fn show(number: i64, unit: Unit) -> String {
    if number == 0 || number == -1 {
        return number.to_string();
    }
    for (name, factor) in units(unit) {
        if *factor >= 1.0 && number % (*factor as i64) == 0 {
            return format!("{}{name}", number / (*factor as i64));
        }
    }
    match unit {
        Unit::Pages => format!("{}kB", number * 8),
        _ => number.to_string(),
    }
}

/// Milliseconds of a canonical timeout.
pub fn milliseconds(value: &str) -> i64 {
    integer(value, Unit::Milliseconds).unwrap_or(0)
}

/// A time zone that exists, as it will be shown.
fn time_zone(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(hours) = text.parse::<f64>() {
        return fixed_zone((hours * 3600.0).round() as i64);
    }
    match Zone::look_up(text)? {
        Zone::Named(zone) => Some(zone.iana_name().unwrap_or(text).to_owned()),
        Zone::Utc if text.eq_ignore_ascii_case("utc") => Some("UTC".to_owned()),
        Zone::Utc | Zone::Fixed(_) | Zone::Abbreviation(..) => Some(text.to_owned()),
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

pub fn date_style(text: &str, from: DateStyle) -> Option<DateStyle> {
    let mut style = from;
    for word in text.split(',').map(|w| w.trim().to_ascii_lowercase()) {
        match word.as_str() {
            "iso" => style.output = DateOutput::Iso,
            "sql" => style.output = DateOutput::Sql,
            "postgres" | "postgresql" => style.output = DateOutput::Postgres,
            "german" => {
                style.output = DateOutput::German;
                style.order = DateOrder::Dmy;
            }
            "mdy" | "us" | "noneuro" | "noneuropean" => style.order = DateOrder::Mdy,
            "dmy" | "euro" | "european" => style.order = DateOrder::Dmy,
            "ymd" => style.order = DateOrder::Ymd,
            "default" => style = Env::default().date_style,
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

/// A name in a list of names, in quotes unless it is a plain word.
fn quoted(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> String {
        assign(name, &[value.to_owned()], false).unwrap_or_else(|e| format!("{} {}", e.code.as_str(), e.message))
    }

    #[test]
    fn what_is_for_superusers_in_postgresql_is_so_here() {
        for line in include_str!("postgres.tsv").lines() {
            let mut columns = line.split('\t');
            let (name, context) = (columns.next().unwrap(), columns.nth(2));
            if let Some(setting) = lookup(name)
                && context == Some("superuser")
            {
                let closed = matches!(setting.context, Context::Superuser | Context::Internal | Context::Server);
                assert!(closed, "{name} is {:?}", setting.context);
            }
        }
    }

    #[test]
    fn values() {
        assert_eq!(set("statement_timeout", "1500"), "1500ms");
        assert_eq!(set("statement_timeout", "90s"), "90s");
        assert_eq!(set("Statement_Timeout", "2min"), "2min");
        assert_eq!(set("work_mem", "65536"), "64MB");
        assert_eq!(set("effective_cache_size", "1GB"), "1GB");
        assert_eq!(set("jit", "tr"), "on");
        assert!(set("jit", "o").starts_with("22023"));
        assert_eq!(set("datestyle", "german"), "German, DMY");
        assert_eq!(set("intervalstyle", "ISO_8601"), "iso_8601");
        assert_eq!(set("client_encoding", "'utf-8'"), "UTF8");
        assert_eq!(set("timezone", "5.5"), "<+05:30>-05:30");
        assert_eq!(set("timezone", "-3.5"), "<-03:30>+03:30");
        assert_eq!(set("timezone", "europe/berlin"), "Europe/Berlin");
        assert!(set("timezone", "Mars/Base").starts_with("22023"));
        assert!(set("extra_float_digits", "7").starts_with("22023"));
        assert!(set("nonsense", "1").starts_with("42704"));
        assert_eq!(set("myapp.user", "7"), "7");
        assert!(set("quorate.nonsense", "7").starts_with("42704"));
        assert!(set("server_version", "9").starts_with("55P02"));
        assert!(set("standard_conforming_strings", "off").starts_with("0A000"));
        assert_eq!(assign("search_path", &["$user".into(), "public".into()], false).unwrap(), "\"$user\", public");
        assert_eq!(split_names("\"$user\", Public"), ["$user", "public"]);
    }

    #[test]
    fn defaults_are_values_and_names_are_unique() {
        for s in all() {
            let list = if s.kind == Kind::Names { split_names(s.default) } else { vec![s.default.to_owned()] };
            assert_eq!(canonical(s, &list).as_deref(), Ok(s.default), "{}", s.name);
            assert_eq!(all().iter().filter(|o| o.name.eq_ignore_ascii_case(s.name)).count(), 1);
        }
    }
}
