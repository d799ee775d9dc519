//! The one error a client can see: a SQLSTATE, a message, and the fields Postgres fills.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Five characters of class and condition (PostgreSQL documentation, appendix A).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SqlState(pub [u8; 5]);

impl SqlState {
    pub const fn new(code: &str) -> SqlState {
        let b = code.as_bytes();
        assert!(b.len() == 5);
        SqlState([b[0], b[1], b[2], b[3], b[4]])
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The SQLSTATEs this server uses, by PostgreSQL's condition names.
pub mod state {
    use super::SqlState;
    macro_rules! states {
        ($($name:ident $code:literal;)*) => {
            $(pub const $name: SqlState = SqlState::new($code);)*

            /// The SQLSTATE of a condition by its name, in whatever case.
            pub fn named(name: &str) -> Option<SqlState> {
                $(if name.eq_ignore_ascii_case(stringify!($name)) {
                    return Some($name);
                })*
                None
            }
        };
    }
    states! {
        SUCCESSFUL_COMPLETION "00000";
        WARNING "01000";
        WARNING_PRIVILEGE_NOT_REVOKED "01006";
        WARNING_PRIVILEGE_NOT_GRANTED "01007";
        CONNECTION_FAILURE "08006";
        PROTOCOL_VIOLATION "08P01";
        FEATURE_NOT_SUPPORTED "0A000";
        INVALID_GRANTOR "0L000";
        INVALID_GRANT_OPERATION "0LP01";
        INVALID_ROLE_SPECIFICATION "0P000";
        NUMERIC_VALUE_OUT_OF_RANGE "22003";
        NULL_VALUE_NOT_ALLOWED "22004";
        INVALID_DATETIME_FORMAT "22007";
        DATETIME_FIELD_OVERFLOW "22008";
        DIVISION_BY_ZERO "22012";
        INVALID_TABLESAMPLE_REPEAT "2202G";
        INVALID_TABLESAMPLE_ARGUMENT "2202H";
        INVALID_PRECEDING_OR_FOLLOWING_SIZE "22013";
        INTERVAL_FIELD_OVERFLOW "22015";
        INVALID_ESCAPE_SEQUENCE "22025";
        INVALID_USE_OF_ESCAPE_CHARACTER "2200C";
        INVALID_PARAMETER_VALUE "22023";
        STRING_DATA_RIGHT_TRUNCATION "22001";
        STRING_DATA_LENGTH_MISMATCH "22026";
        ARRAY_SUBSCRIPT_ERROR "2202E";
        SUBSTRING_ERROR "22011";
        CHARACTER_NOT_IN_REPERTOIRE "22021";
        UNTRANSLATABLE_CHARACTER "22P05";
        INVALID_REGULAR_EXPRESSION "2201B";
        INVALID_TEXT_REPRESENTATION "22P02";
        INVALID_BINARY_REPRESENTATION "22P03";
        BAD_COPY_FILE_FORMAT "22P04";
        NOT_NULL_VIOLATION "23502";
        WITH_CHECK_OPTION_VIOLATION "44000";
        FOREIGN_KEY_VIOLATION "23503";
        UNIQUE_VIOLATION "23505";
        CHECK_VIOLATION "23514";
        INVALID_CURSOR_STATE "24000";
        ACTIVE_SQL_TRANSACTION "25001";
        READ_ONLY_SQL_TRANSACTION "25006";
        NO_ACTIVE_SQL_TRANSACTION "25P01";
        IN_FAILED_SQL_TRANSACTION "25P02";
        IDLE_IN_TRANSACTION_SESSION_TIMEOUT "25P03";
        TRANSACTION_TIMEOUT "25P04";
        INVALID_SQL_STATEMENT_NAME "26000";
        INVALID_AUTHORIZATION_SPECIFICATION "28000";
        INVALID_PASSWORD "28P01";
        DEPENDENT_OBJECTS_STILL_EXIST "2BP01";
        INVALID_CURSOR_NAME "34000";
        INVALID_CATALOG_NAME "3D000";
        INVALID_SCHEMA_NAME "3F000";
        SAVEPOINT_EXCEPTION "3B001";
        SERIALIZATION_FAILURE "40001";
        STATEMENT_COMPLETION_UNKNOWN "40003";
        DEADLOCK_DETECTED "40P01";
        SYNTAX_ERROR "42601";
        INSUFFICIENT_PRIVILEGE "42501";
        CANNOT_COERCE "42846";
        GROUPING_ERROR "42803";
        WINDOWING_ERROR "42P20";
        INVALID_RECURSION "42P19";
        INVALID_FOREIGN_KEY "42830";
        INVALID_NAME "42602";
        NAME_TOO_LONG "42622";
        RESERVED_NAME "42939";
        DATATYPE_MISMATCH "42804";
        INDETERMINATE_DATATYPE "42P18";
        WRONG_OBJECT_TYPE "42809";
        UNDEFINED_COLUMN "42703";
        UNDEFINED_FUNCTION "42883";
        UNDEFINED_TABLE "42P01";
        UNDEFINED_PARAMETER "42P02";
        UNDEFINED_OBJECT "42704";
        DUPLICATE_COLUMN "42701";
        DUPLICATE_CURSOR "42P03";
        DUPLICATE_DATABASE "42P04";
        DUPLICATE_PREPARED_STATEMENT "42P05";
        DUPLICATE_SCHEMA "42P06";
        DUPLICATE_TABLE "42P07";
        DUPLICATE_ALIAS "42712";
        DUPLICATE_OBJECT "42710";
        AMBIGUOUS_COLUMN "42702";
        AMBIGUOUS_FUNCTION "42725";
        INVALID_COLUMN_REFERENCE "42P10";
        INVALID_TABLE_DEFINITION "42P16";
        INVALID_OBJECT_DEFINITION "42P17";
        AMBIGUOUS_PARAMETER "42P08";
        COLLATION_MISMATCH "42P21";
        GENERATED_ALWAYS "428C9";
        DISK_FULL "53100";
        OUT_OF_MEMORY "53200";
        TOO_MANY_CONNECTIONS "53300";
        CONFIGURATION_LIMIT_EXCEEDED "53400";
        PROGRAM_LIMIT_EXCEEDED "54000";
        STATEMENT_TOO_COMPLEX "54001";
        OBJECT_NOT_IN_PREREQUISITE_STATE "55000";
        OBJECT_IN_USE "55006";
        LOCK_NOT_AVAILABLE "55P03";
        UNSAFE_NEW_ENUM_VALUE "55P04";
        QUERY_CANCELED "57014";
        ADMIN_SHUTDOWN "57P01";
        CRASH_SHUTDOWN "57P02";
        CANNOT_CONNECT_NOW "57P03";
        SYSTEM_ERROR "58000";
        IO_ERROR "58030";
        INTERNAL_ERROR "XX000";
        DATA_CORRUPTED "XX001";
        UNDEFINED_SCHEMA "3F000";
        SEQUENCE_GENERATOR_LIMIT_EXCEEDED "2200H";
        CARDINALITY_VIOLATION "21000";
    }
}

/// An error as a client sees it. Equal inputs give equal errors on every replica, so it may be an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlError {
    pub code: SqlState,
    pub message: String,
    /// Set when the session cannot go on (severity FATAL instead of ERROR).
    pub fatal: bool,
    pub fields: Box<Fields>,
}

/// The optional fields of an ErrorResponse (PostgreSQL protocol, "Error and Notice Message Fields").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// 1-based, counted in characters of the query text.
    pub position: Option<u32>,
    pub context: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub datatype: Option<String>,
    pub constraint: Option<String>,
}

impl SqlError {
    pub fn new(code: SqlState, message: impl Into<String>) -> SqlError {
        SqlError { code, message: message.into(), fatal: false, fields: Box::default() }
    }

    /// What is missing here, by its PostgreSQL name: SQLSTATE 0A000.
    pub fn unsupported(feature: impl fmt::Display) -> SqlError {
        SqlError::new(state::FEATURE_NOT_SUPPORTED, format!("{feature} is not supported"))
    }

    pub fn syntax(message: impl Into<String>) -> SqlError {
        SqlError::new(state::SYNTAX_ERROR, message)
    }

    /// A broken promise of our own code, reported instead of hidden.
    pub fn internal(message: impl Into<String>) -> SqlError {
        SqlError::new(state::INTERNAL_ERROR, message)
    }

    pub fn fatal(mut self) -> SqlError {
        self.fatal = true;
        self
    }
    pub fn detail(mut self, text: impl Into<String>) -> SqlError {
        self.fields.detail = Some(text.into());
        self
    }
    pub fn hint(mut self, text: impl Into<String>) -> SqlError {
        self.fields.hint = Some(text.into());
        self
    }
    pub fn position(mut self, chars: u32) -> SqlError {
        self.fields.position = Some(chars);
        self
    }
    pub fn context(mut self, text: impl Into<String>) -> SqlError {
        self.fields.context = Some(text.into());
        self
    }
    pub fn table(mut self, schema: impl Into<String>, table: impl Into<String>) -> SqlError {
        self.fields.schema = Some(schema.into());
        self.fields.table = Some(table.into());
        self
    }
    pub fn column(mut self, name: impl Into<String>) -> SqlError {
        self.fields.column = Some(name.into());
        self
    }
    pub fn constraint(mut self, name: impl Into<String>) -> SqlError {
        self.fields.constraint = Some(name.into());
        self
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for SqlError {}

pub type SqlResult<T> = Result<T, SqlError>;
