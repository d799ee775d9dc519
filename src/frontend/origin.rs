//! Where PostgreSQL 15 raises an error: the fields F, L and R of an ErrorResponse.
//!
//! Drivers decide by them: asyncpg and pgjdbc know by `RevalidateCachedQuery` that a prepared statement is to be prepared
//! again. A SQLSTATE that PostgreSQL raises in many places has its commonest one. Of other errors nothing is said.

use crate::error::{SqlError, state};

/// File, line and routine.
pub fn origin(error: &SqlError) -> Option<(&'static str, u32, &'static str)> {
    let says = |text: &str| error.message.contains(text);
    Some(match error.code {
        state::FEATURE_NOT_SUPPORTED if says("cached plan must not change result type") => {
            ("plancache.c", 722, "RevalidateCachedQuery")
        }
        state::SYNTAX_ERROR if says("syntax error") => ("scan.l", 1188, "scanner_yyerror"),
        state::SYNTAX_ERROR => ("analyze.c", 1017, "transformInsertRow"),
        state::UNDEFINED_TABLE if says("missing FROM-clause") => ("parse_relation.c", 3617, "errorMissingRTE"),
        state::UNDEFINED_TABLE if says("relation ") => ("parse_relation.c", 1392, "parserOpenTable"),
        state::UNDEFINED_TABLE => ("tablecmds.c", 1304, "DropErrorMsgNonExistent"),
        state::UNDEFINED_COLUMN => ("parse_relation.c", 3665, "errorMissingColumn"),
        state::UNDEFINED_FUNCTION if says("operator ") => ("parse_oper.c", 647, "op_error"),
        state::UNDEFINED_FUNCTION => ("parse_func.c", 629, "ParseFuncOrColumn"),
        state::AMBIGUOUS_FUNCTION => ("parse_func.c", 570, "ParseFuncOrColumn"),
        state::UNDEFINED_PARAMETER => ("parse_expr.c", 838, "transformParamRef"),
        state::UNDEFINED_OBJECT if says("type ") => ("parse_type.c", 270, "typenameType"),
        state::UNDEFINED_OBJECT if says("configuration parameter") => ("guc.c", 5734, "find_option"),
        state::UNDEFINED_OBJECT => ("tablecmds.c", 1304, "DropErrorMsgNonExistent"),
        state::AMBIGUOUS_COLUMN => ("parse_relation.c", 898, "colNameToVar"),
        state::DUPLICATE_ALIAS => ("parse_relation.c", 443, "checkNameSpaceConflicts"),
        state::DUPLICATE_COLUMN => ("tablecmds.c", 7279, "check_for_column_name_collision"),
        state::DUPLICATE_TABLE => ("heap.c", 1164, "heap_create_with_catalog"),
        state::DUPLICATE_SCHEMA => ("pg_namespace.c", 62, "NamespaceCreate"),
        state::DUPLICATE_DATABASE => ("dbcommands.c", 1242, "createdb"),
        state::DUPLICATE_CURSOR => ("portalmem.c", 186, "CreatePortal"),
        state::DUPLICATE_PREPARED_STATEMENT => ("prepare.c", 412, "StorePreparedStatement"),
        state::INVALID_SQL_STATEMENT_NAME => ("prepare.c", 451, "FetchPreparedStatement"),
        state::INVALID_CURSOR_NAME => ("portalcmds.c", 187, "PerformPortalFetch"),
        state::GROUPING_ERROR => ("parse_agg.c", 1484, "check_ungrouped_columns_walker"),
        state::DATATYPE_MISMATCH => ("parse_coerce.c", 1416, "select_common_type"),
        state::CANNOT_COERCE => ("parse_expr.c", 2665, "transformTypeCast"),
        state::INVALID_FOREIGN_KEY => ("tablecmds.c", 11762, "transformFkeyCheckAttrs"),
        state::DEPENDENT_OBJECTS_STILL_EXIST => ("dependency.c", 1196, "reportDependentObjects"),
        state::GENERATED_ALWAYS => ("rewriteHandler.c", 930, "rewriteTargetListIU"),
        state::CARDINALITY_VIOLATION => ("nodeSubplan.c", 1156, "ExecSetParamPlan"),
        state::UNIQUE_VIOLATION => ("nbtinsert.c", 664, "_bt_check_unique"),
        state::NOT_NULL_VIOLATION => ("execMain.c", 2023, "ExecConstraints"),
        state::CHECK_VIOLATION => ("execMain.c", 2074, "ExecConstraints"),
        state::FOREIGN_KEY_VIOLATION => ("ri_triggers.c", 2596, "ri_ReportViolation"),
        state::STRING_DATA_RIGHT_TRUNCATION => ("varchar.c", 632, "varchar"),
        state::DIVISION_BY_ZERO => ("int.c", 869, "int4div"),
        state::NUMERIC_VALUE_OUT_OF_RANGE => ("int.c", 826, "int4pl"),
        state::INVALID_TEXT_REPRESENTATION if says("integer") => ("numutils.c", 232, "pg_strtoint32"),
        state::INVALID_TEXT_REPRESENTATION if says("uuid") => ("uuid.c", 133, "string_to_uuid"),
        state::INVALID_TEXT_REPRESENTATION if says("array") => ("arrayfuncs.c", 492, "ArrayCount"),
        state::INVALID_TEXT_REPRESENTATION if says("json") => ("jsonfuncs.c", 627, "json_ereport_error"),
        state::INVALID_TEXT_REPRESENTATION if says("enum") => ("enum.c", 128, "enum_in"),
        state::INVALID_TEXT_REPRESENTATION => ("numeric.c", 6896, "set_var_from_str"),
        state::INVALID_DATETIME_FORMAT => ("datetime.c", 4048, "DateTimeParseError"),
        state::DATETIME_FIELD_OVERFLOW => ("datetime.c", 4028, "DateTimeParseError"),
        state::INVALID_REGULAR_EXPRESSION => ("regexp.c", 207, "RE_compile_and_cache"),
        state::INVALID_PARAMETER_VALUE if says("for parameter") => ("guc.c", 7422, "parse_and_validate_value"),
        state::BAD_COPY_FILE_FORMAT => ("copyfromparse.c", 902, "NextCopyFrom"),
        state::IN_FAILED_SQL_TRANSACTION => ("postgres.c", 1081, "exec_simple_query"),
        state::READ_ONLY_SQL_TRANSACTION => ("utility.c", 414, "PreventCommandIfReadOnly"),
        state::NO_ACTIVE_SQL_TRANSACTION => ("xact.c", 3587, "CheckTransactionBlock"),
        state::SAVEPOINT_EXCEPTION => ("xact.c", 4428, "RollbackToSavepoint"),
        state::OBJECT_NOT_IN_PREREQUISITE_STATE if says("currval") => ("sequence.c", 897, "currval_oid"),
        state::QUERY_CANCELED => ("postgres.c", 3349, "ProcessInterrupts"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_plan_is_known_by_its_routine() {
        let stale = SqlError::new(state::FEATURE_NOT_SUPPORTED, "cached plan must not change result type");
        assert_eq!(origin(&stale).map(|(.., routine)| routine), Some("RevalidateCachedQuery"));
        assert_eq!(origin(&SqlError::unsupported("a thing")), None);
    }
}
