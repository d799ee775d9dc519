//! The settings a session has (PostgreSQL's `pg_settings`), what values they take, and who may change them.
//!
//! Values are text in one canonical form, so that equal settings compare equal: `on`/`off` for booleans, integers in
//! the setting's base unit shown with the largest unit that divides them. A setting that has no effect here but is
//! harmless is accepted; one whose other values would change results only takes the value that holds.

use crate::error::{SqlError, SqlResult, state};

/// Who may change a setting (`pg_settings.context`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Nobody: a fact about the server.
    Internal,
    /// The operator, in the configuration.
    Server,
    /// The client, when it connects only.
    Backend,
    /// Anybody, at any time.
    User,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    None,
    Milliseconds,
    Seconds,
    Kilobytes,
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
}

const fn setting(name: &'static str, default: &'static str, kind: Kind, description: &'static str) -> Setting {
    Setting { name, default, kind, context: Context::User, report: false, description }
}

const fn reported(s: Setting) -> Setting {
    Setting { report: true, ..s }
}

const fn fact(name: &'static str, value: &'static str, description: &'static str) -> Setting {
    Setting { name, default: value, kind: Kind::Fixed, context: Context::Internal, report: false, description }
}

const fn server(s: Setting) -> Setting {
    Setting { context: Context::Server, ..s }
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

/// All settings, by name.
pub const SETTINGS: &[Setting] = &[
    reported(setting("application_name", "", Kind::Text, "Name of the application, for logs.")),
    setting("array_nulls", "on", Kind::Fixed, "NULL in an array literal is a null."),
    setting("backslash_quote", "safe_encoding", Kind::Text, "Whether \\' may stand for a quote."),
    fact("block_size", "8192", "Size of a page."),
    setting("bytea_output", "hex", Kind::Enum(&["hex", "escape"]), "Text form of bytea."),
    setting("check_function_bodies", "on", Kind::Bool, "Check functions when they are created."),
    reported(setting("client_encoding", "UTF8", Kind::Encoding, "Encoding of the client's text.")),
    setting("client_min_messages", "notice", LEVELS, "Least level of messages that are sent."),
    setting("constraint_exclusion", "partition", Kind::Text, "Planner: use constraints."),
    setting("cpu_tuple_cost", "0.01", Kind::Real { min: 0.0, max: f64::MAX }, "Planner: cost of a row."),
    reported(setting("DateStyle", "ISO, MDY", Kind::DateStyle, "Text form of dates and order of their parts.")),
    setting("default_statistics_target", "100", int(1, 10_000, Unit::None), "Planner: detail of statistics."),
    setting("default_table_access_method", "heap", Kind::Text, "How tables are stored."),
    setting("default_tablespace", "", Kind::Text, "Where tables are stored."),
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
    setting("idle_in_transaction_session_timeout", "0", TIMEOUT, "How long a transaction may idle; 0 is for ever."),
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
    setting("lc_messages", "C", Kind::Text, "Language of messages."),
    setting("lc_monetary", "C", Kind::Text, "Format of money."),
    setting("lc_numeric", "C", Kind::Text, "Format of numbers."),
    setting("lc_time", "C", Kind::Text, "Names of days and months."),
    setting("lock_timeout", "0", TIMEOUT, "How long to wait for a lock; 0 is for ever."),
    setting("log_statement", "none", Kind::Enum(&["none", "ddl", "mod", "all"]), "Which statements are logged."),
    setting("maintenance_work_mem", "64MB", int(1024, I32, Unit::Kilobytes), "Memory of maintenance."),
    server(setting("max_connections", "100", int(1, 262_143, Unit::None), "Most sessions at a time.")),
    fact("max_identifier_length", "63", "Bytes of a name."),
    fact("max_index_keys", "32", "Columns of an index."),
    setting("max_parallel_workers_per_gather", "2", int(0, 1024, Unit::None), "Planner: workers of a query."),
    server(setting("max_prepared_transactions", "0", int(0, 262_143, Unit::None), "Most prepared transactions.")),
    setting("max_stack_depth", "2MB", int(100, I32, Unit::Kilobytes), "Stack of a statement."),
    setting("password_encryption", "scram-sha-256", Kind::Enum(&["scram-sha-256", "md5"]), "How passwords are kept."),
    setting(
        "plan_cache_mode",
        "auto",
        Kind::Enum(&["auto", "force_generic_plan", "force_custom_plan"]),
        "Planner: plans of prepared statements.",
    ),
    server(setting("port", "5432", int(1, 65_535, Unit::None), "The port that clients connect to.")),
    setting("quorate.max_staleness", "10s", TIMEOUT, "How far a stale read may lie behind; 0 is without limit."),
    setting(
        "quorate.read_consistency",
        "linearizable",
        Kind::Enum(&["linearizable", "stale"]),
        "Whether reads see every acknowledged write.",
    ),
    setting("quote_all_identifiers", "off", Kind::Bool, "Quote all names in generated SQL."),
    setting("random_page_cost", "4", Kind::Real { min: 0.0, max: f64::MAX }, "Planner: cost of a page."),
    setting("restrict_nonsystem_relation_kind", "", Kind::Text, "Kinds of relations that are refused."),
    setting("role", "none", Kind::Text, "The current role."),
    setting("row_security", "on", Kind::Bool, "Apply row security policies."),
    setting("search_path", "\"$user\", public", Kind::Names, "Schemas in which names are looked up."),
    setting("seq_page_cost", "1", Kind::Real { min: 0.0, max: f64::MAX }, "Planner: cost of a page read in order."),
    reported(fact("server_encoding", "UTF8", "Encoding of the database.")),
    reported(fact("server_version", "15.8", "The PostgreSQL version this server behaves like.")),
    fact("server_version_num", "150008", "The PostgreSQL version as a number."),
    reported(setting("session_authorization", "default", Kind::Text, "The session's role.")),
    setting("session_replication_role", "origin", Kind::Enum(&["origin"]), "Which triggers fire."),
    setting("shared_buffers", "128MB", int(16, I32, Unit::Pages), "Memory of the cache."),
    reported(Setting {
        kind: Kind::Fixed,
        ..setting("standard_conforming_strings", "on", Kind::Bool, "A backslash in a plain literal is itself.")
    }),
    setting("statement_timeout", "0", TIMEOUT, "How long a statement may run; 0 is for ever."),
    setting(
        "synchronous_commit",
        "on",
        Kind::Enum(&["on", "off", "local", "remote_write", "remote_apply"]),
        "Accepted: a commit is always durable on a majority.",
    ),
    setting("synchronize_seqscans", "on", Kind::Bool, "Let scans of a table share its pages."),
    setting("temp_buffers", "8MB", int(100, I32, Unit::Pages), "Memory of temporary tables."),
    setting("temp_tablespaces", "", Kind::Text, "Where temporary tables are stored."),
    reported(setting("TimeZone", "UTC", Kind::TimeZone, "The time zone of times with time zone.")),
    setting("timezone_abbreviations", "Default", Kind::Text, "Abbreviations of time zones."),
    setting("transaction_deferrable", "off", Kind::Bool, "Whether this transaction is deferrable."),
    setting("transaction_isolation", "read committed", ISOLATION, "Isolation of this transaction."),
    setting("transaction_read_only", "off", Kind::Bool, "Whether this transaction only reads."),
    setting("transform_null_equals", "off", Kind::Fixed, "Whether x = NULL means x IS NULL."),
    fact("wal_block_size", "8192", "Size of a block of the log."),
    setting("work_mem", "4MB", int(64, I32, Unit::Kilobytes), "Memory of a sort."),
    setting("xmlbinary", "base64", Kind::Enum(&["base64", "hex"]), "Form of bytes in XML."),
    setting("xmloption", "content", Kind::Enum(&["content", "document"]), "Whether XML is a document."),
];

/// The setting of this name, whatever its case.
pub fn lookup(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.name.eq_ignore_ascii_case(name))
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

/// The canonical value that `SET name TO values` gives a setting; none means its default.
/// Errors: 42704 unknown, 22023 not a value of it, 55P02 not to be changed.
pub fn assign(name: &str, values: &[String], at_start: bool) -> SqlResult<String> {
    let Some(setting) = known(name)? else { return Ok(values.join(", ")) };
    let cannot = |how: &str| {
        let code = crate::error::SqlState::new("55P02");
        Err(SqlError::new(code, format!("parameter \"{}\" cannot be {how}", setting.name)))
    };
    match setting.context {
        Context::Internal => return cannot("changed"),
        Context::Server => return cannot("changed now"),
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
            let number = integer(value, unit).ok_or_else(|| invalid(setting, value))?;
            if number < min || number > max {
                let range =
                    format!("{number} is outside the valid range for parameter \"{}\" ({min} .. {max})", setting.name);
                return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, range));
            }
            Ok(show(number, unit))
        }
        Kind::Real { min, max } => {
            let number: f64 = value.trim().parse().map_err(|_| invalid(setting, value))?;
            if number >= min && number <= max { Ok(number.to_string()) } else { Err(invalid(setting, value)) }
        }
        Kind::TimeZone => time_zone(value).ok_or_else(|| invalid(setting, value)),
        Kind::DateStyle => date_style(values).ok_or_else(|| invalid(setting, &values.join(", "))),
        Kind::Encoding => {
            let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            match plain.to_ascii_lowercase().as_str() {
                "utf8" | "unicode" => Ok("UTF8".into()),
                _ => Err(SqlError::unsupported(format!("client_encoding {value}"))),
            }
        }
    }
}

/// A list of schemas as one text; a name is quoted when it must be.
fn names(values: &[String]) -> String {
    let one = |v: &String| if v.is_empty() { "\"\"".into() } else { super::lex::quote_identifier(v) };
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The names in a `search_path`.
pub fn split_names(value: &str) -> Vec<String> {
    let lexed = super::lex::Lexer::new(value).filter_map(Result::ok);
    lexed.map(|t| t.text(value)).filter(|t| *t != ",").map(super::lex::identifier).filter(|n| !n.is_empty()).collect()
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

/// (suffix, how many of the base unit), largest first.
fn units(unit: Unit) -> &'static [(&'static str, f64)] {
    match unit {
        Unit::None => &[],
        Unit::Milliseconds => {
            &[("d", 86_400_000.0), ("h", 3_600_000.0), ("min", 60_000.0), ("s", 1000.0), ("ms", 1.0), ("us", 0.001)]
        }
        Unit::Seconds => &[("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 0.001)],
        Unit::Kilobytes => {
            &[("TB", 1_073_741_824.0), ("GB", 1_048_576.0), ("MB", 1024.0), ("kB", 1.0), ("B", 1.0 / 1024.0)]
        }
        Unit::Pages => &[("TB", 134_217_728.0), ("GB", 131_072.0), ("MB", 128.0), ("kB", 0.125)],
    }
}

/// A number with an optional unit, in the base unit.
fn integer(value: &str, unit: Unit) -> Option<i64> {
    let value = value.trim();
    let split = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (number, suffix) = (value[..split].trim(), value[split..].trim());
    let factor = match suffix {
        "" => 1.0,
        _ => units(unit).iter().find(|(name, _)| *name == suffix)?.1,
    };
    let number: f64 = number.parse().ok()?;
    let scaled = (number * factor).round();
    (scaled.abs() <= 9e15).then_some(scaled as i64)
}

/// The value with the largest unit that divides it.
fn show(number: i64, unit: Unit) -> String {
    if number == 0 {
        return "0".into();
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

/// An IANA name in its own spelling, or a fixed offset in POSIX form (`<+02>-02`).
fn time_zone(value: &str) -> Option<String> {
    let value = value.trim();
    if let Some(offset) = fixed_offset(value) {
        return Some(offset);
    }
    match value.to_ascii_lowercase().as_str() {
        "utc" | "z" | "zulu" | "default" => return Some("UTC".into()),
        "gmt" => return Some("GMT".into()),
        _ => {}
    }
    if value.starts_with('<') {
        return posix_offset(value).map(|_| value.to_owned());
    }
    jiff::tz::TimeZone::get(value).ok().and_then(|z| z.iana_name().map(str::to_owned))
}

/// `+02`, `-3.5`, `+05:30`: hours east of UTC.
fn fixed_offset(value: &str) -> Option<String> {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    let minutes = match digits.split_once(':') {
        Some((h, m)) => h.parse::<i32>().ok()? * 60 + m.split(':').next()?.parse::<i32>().ok()?,
        None => (digits.parse::<f64>().ok()? * 60.0).round() as i32,
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || minutes > 168 * 60 {
        return None;
    }
    if minutes == 0 {
        return Some("UTC".into());
    }
    let (east, west) = if value.starts_with('-') { ('-', '+') } else { ('+', '-') };
    let text = match minutes % 60 {
        0 => format!("{:02}", minutes / 60),
        rest => format!("{:02}:{rest:02}", minutes / 60),
    };
    Some(format!("<{east}{text}>{west}{text}"))
}

/// Seconds east of UTC of a zone that [`assign`] made from a fixed offset.
pub fn posix_offset(zone: &str) -> Option<i32> {
    let (_, offset) = zone.strip_prefix('<')?.split_once('>')?;
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (-1, offset.strip_prefix('+').unwrap_or(offset)),
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    Some(sign * (hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60))
}

/// `ISO, MDY` from any of its words; what is not said stays the default.
fn date_style(values: &[String]) -> Option<String> {
    let (mut style, mut order) = ("ISO", "MDY");
    for word in values.iter().flat_map(|v| v.split(',')).map(|w| w.trim().to_ascii_lowercase()) {
        match word.as_str() {
            "iso" => style = "ISO",
            "sql" => style = "SQL",
            "postgres" | "postgresql" => style = "Postgres",
            "german" => (style, order) = ("German", "DMY"),
            "mdy" | "us" | "noneuro" | "noneuropean" => order = "MDY",
            "dmy" | "euro" | "european" => order = "DMY",
            "ymd" => order = "YMD",
            "default" => (style, order) = ("ISO", "MDY"),
            _ => return None,
        }
    }
    Some(format!("{style}, {order}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> String {
        assign(name, &[value.to_owned()], false).unwrap_or_else(|e| format!("{} {}", e.code.as_str(), e.message))
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
        assert_eq!(set("timezone", "+00:00"), "UTC");
        assert_eq!(set("timezone", "-3.5"), "<-03:30>+03:30");
        assert_eq!(set("timezone", "europe/berlin"), "Europe/Berlin");
        assert_eq!(posix_offset("<-03:30>+03:30"), Some(-12_600));
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
        for s in SETTINGS {
            let list = if s.kind == Kind::Names { split_names(s.default) } else { vec![s.default.to_owned()] };
            assert_eq!(canonical(s, &list).as_deref(), Ok(s.default), "{}", s.name);
            assert_eq!(SETTINGS.iter().filter(|o| o.name.eq_ignore_ascii_case(s.name)).count(), 1);
        }
    }
}
