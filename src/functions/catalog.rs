//! Functions that look into the catalog: definitions as text, names, comments, sizes.
//!
//! Most are SQLite expressions over the tables of the catalog (see `migrations/database`), so that they need nothing
//! but the database they run in. What has no rows here (triggers, rules, functions, partitions) has no definition.

use super::arg::{from_text, int, text};
use super::builtin;
use super::session::TEMPORARY;
use super::table::*;
use super::text::quote_ident;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::SqlResult;
use crate::settings;
use crate::value::{Value, ValueRef};

/// The columns `a` of the index `i`, none for an expression; `k.key` counts from 0.
macro_rules! index_keys {
    () => {
        " FROM json_each('[' || replace(i.indkey, ' ', ',') || ']') k \
         LEFT JOIN \"pg_catalog.pg_attribute\" a ON a.attrelid = i.indrelid AND a.attnum = k.value AND k.value <> 0"
    };
}

/// One key as written in a definition.
macro_rules! index_key {
    ($list:expr) => {
        concat!(
            "iif(k.value = 0, q_index_key(q_shown(json_extract(",
            $list,
            ", '$[' || (SELECT count(*) FROM json_each('[' || \
             replace(i.indkey, ' ', ',') || ']') z WHERE z.value = 0 AND z.key < k.key) || ']'))), q_quote_ident(a.attname))"
        )
    };
}

/// ` COLLATE name` of a key whose collation is not that of its column, or its type.
macro_rules! index_collation {
    () => {
        "coalesce((SELECT ' COLLATE ' || q_quote_ident(o.collname) FROM \"pg_catalog.pg_collation\" o \
         WHERE o.oid = json_extract('[' || replace(i.indcollation, ' ', ',') || ']', '$[' || k.key || ']') \
         AND o.oid <> 100 AND o.oid <> coalesce(a.attcollation, (SELECT e.attcollation FROM \"pg_catalog.pg_attribute\" e \
         WHERE e.attrelid = i.indexrelid AND e.attnum = k.key + 1))), '')"
    };
}

/// ` name` of a key's operator class, if it is not the default.
macro_rules! index_class {
    () => {
        "coalesce((SELECT ' ' || o.opcname FROM \"pg_catalog.pg_opclass\" o WHERE NOT o.opcdefault AND o.oid = \
         json_extract('[' || replace(i.indclass, ' ', ',') || ']', '$[' || k.key || ']')), '')"
    };
}

/// ` DESC`, ` NULLS FIRST` and so on of a key.
macro_rules! index_direction {
    () => {
        "CASE json_extract('[' || replace(i.indoption, ' ', ',') || ']', '$[' || k.key || ']') \
         WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' ELSE '' END"
    };
}

/// A stored expression's form by its number, with qualified names where their schema is not in the search path: there are
/// forms with and without `public`, or such with [`MARKS`].
macro_rules! form {
    ($stored:literal, $number:literal) => {
        concat!(
            "q_shown(json_extract(",
            $stored,
            ", '$[' || ((",
            $number,
            ") + iif(q_path_place('public') IS NULL AND json_array_length(",
            $stored,
            ") = 4, 2, 0)) || ']'))"
        )
    };
}

/// The list of an index's expressions, likewise.
macro_rules! index_list {
    ($short:literal, $qualified:literal) => {
        concat!("iif(q_path_place('public') IS NULL, coalesce(", $qualified, ", ", $short, "), ", $short, ")")
    };
}

macro_rules! index_definition {
    ($table:literal, $list:expr, $predicate:expr) => {
        concat!(
            "(SELECT 'CREATE ' || iif(i.indisunique, 'UNIQUE ', '') || 'INDEX ' || q_quote_ident(c.relname) || ' ON ' || ",
            $table,
            " || ' USING ' || coalesce(m.amname, 'btree') || ' (' || (SELECT group_concat(",
            index_key!($list),
            " || ",
            index_collation!(),
            " || ",
            index_class!(),
            " || ",
            index_direction!(),
            ", ', ' ORDER BY k.key)",
            index_keys!(),
            " WHERE k.key < i.indnkeyatts) || ')' || coalesce(' INCLUDE (' || (",
            "SELECT group_concat(q_quote_ident(a.attname), ', ' ORDER BY k.key)",
            index_keys!(),
            " WHERE k.key >= i.indnkeyatts) || ')', '') || iif(i.indnullsnotdistinct, ' NULLS NOT DISTINCT', '') || \
             coalesce(' WITH (' || (SELECT group_concat(substr(u.value, 1, instr(u.value, '=')) || \
             iif(q_quote_ident(substr(u.value, instr(u.value, '=') + 1)) = substr(u.value, instr(u.value, '=') + 1), \
             substr(u.value, instr(u.value, '=') + 1), quote(substr(u.value, instr(u.value, '=') + 1))), ', ') \
             FROM q_unnest(c.reloptions) u) || ')', '') || coalesce(' WHERE ' || ",
            $predicate,
            ", '') \
             FROM \"pg_catalog.pg_index\" i JOIN \"pg_catalog.pg_class\" c ON c.oid = i.indexrelid \
             JOIN \"pg_catalog.pg_class\" t ON t.oid = i.indrelid JOIN \"pg_catalog.pg_namespace\" n ON n.oid = t.relnamespace \
             LEFT JOIN \"pg_catalog.pg_am\" m ON m.oid = c.relam WHERE i.indexrelid = {0})"
        )
    };
}

const INDEX: &str = index_definition!(
    "q_quote_ident(n.nspname) || '.' || q_quote_ident(t.relname)",
    index_list!("i.indexprlist", "i.qualifiedlist"),
    form!("i.indpred", "0")
);

/// The whole definition for column 0, otherwise one key of it.
const INDEX_COLUMN: &str = concat!(
    "iif({1} = 0, ",
    index_definition!(
        "iif({2}, q_relation_name(n.nspname, t.relname), q_quote_ident(n.nspname) || '.' || q_quote_ident(t.relname))",
        index_list!("iif({2}, i.prettylist, i.indexprlist)", "iif({2}, i.qualifiedpretty, i.qualifiedlist)"),
        form!("i.indpred", "{2}")
    ),
    ", (SELECT (",
    "SELECT ",
    index_key!(index_list!("iif({2}, i.prettylist, i.indexprlist)", "iif({2}, i.qualifiedpretty, i.qualifiedlist)")),
    index_keys!(),
    " WHERE k.key = {1} - 1) FROM \"pg_catalog.pg_index\" i WHERE i.indexrelid = {0}))"
);

macro_rules! constraint_columns {
    ($columns:literal, $table:literal) => {
        concat!(
            "(SELECT group_concat(q_quote_ident(a.attname), ', ' ORDER BY k.ordinality) FROM q_unnest(",
            $columns,
            ") k JOIN \"pg_catalog.pg_attribute\" a ON a.attnum = k.value AND a.attrelid = ",
            $table,
            ")"
        )
    };
}

macro_rules! action {
    ($event:literal, $column:literal) => {
        concat!(
            "CASE ",
            $column,
            " WHEN 'r' THEN '",
            $event,
            "RESTRICT' WHEN 'c' THEN '",
            $event,
            "CASCADE' WHEN 'n' THEN '",
            $event,
            "SET NULL' WHEN 'd' THEN '",
            $event,
            "SET DEFAULT' ELSE '' END"
        )
    };
}

macro_rules! constraint_definition {
    ($check:expr) => {
        concat!(
            "(SELECT CASE o.contype WHEN 'c' THEN 'CHECK (' || ",
            $check,
            " || ')' WHEN 'f' THEN 'FOREIGN KEY (' || ",
            constraint_columns!("o.conkey", "o.conrelid"),
            " || ') REFERENCES ' || (SELECT q_relation_name(n.nspname, t.relname) FROM \"pg_catalog.pg_class\" t \
             JOIN \"pg_catalog.pg_namespace\" n ON n.oid = t.relnamespace WHERE t.oid = o.confrelid) || '(' || ",
            constraint_columns!("o.confkey", "o.confrelid"),
            " || ')' || iif(o.confmatchtype = 'f', ' MATCH FULL', '') || ",
            action!(" ON UPDATE ", "o.confupdtype"),
            " || ",
            action!(" ON DELETE ", "o.confdeltype"),
            " ELSE iif(o.contype = 'p', 'PRIMARY KEY (', iif((SELECT i.indnullsnotdistinct FROM \"pg_catalog.pg_index\" i \
             WHERE i.indexrelid = o.conindid), 'UNIQUE NULLS NOT DISTINCT (', 'UNIQUE (')) || ",
            constraint_columns!("o.conkey", "o.conrelid"),
            " || ')' || coalesce(' INCLUDE (' || (SELECT ",
            "(SELECT group_concat(q_quote_ident(a.attname), ', ' ORDER BY k.key)",
            index_keys!(),
            " WHERE k.key >= i.indnkeyatts) \
             FROM \"pg_catalog.pg_index\" i WHERE i.indexrelid = o.conindid) || ')', '') END \
             || iif(o.condeferrable, ' DEFERRABLE', '') || iif(o.condeferred, ' INITIALLY DEFERRED', '') \
             || iif(o.convalidated, '', ' NOT VALID') FROM \"pg_catalog.pg_constraint\" o WHERE o.oid = {0})"
        )
    };
}

const CONSTRAINT: &str = constraint_definition!(form!("o.conbin", "0"));
const CONSTRAINT_PRETTY: &str = constraint_definition!(form!("o.conbin", "{1}"));

/// A stored expression, in its plain or its pretty form.
const EXPRESSION: &str = concat!("iif(json_valid({0}), ", form!("{0}", "0"), ", {0})");
const EXPRESSION_PRETTY: &str = concat!("iif(json_valid({0}), ", form!("{0}", "{2}"), ", {0})");

macro_rules! view {
    ($pretty:expr) => {
        concat!(
            "(SELECT coalesce(q_show_view(v.oid, ",
            $pretty,
            "), ' ' || v.definition) || ';' \
             FROM \"_quorate_view\" v WHERE v.oid = {0})"
        )
    };
}

/// What a relation is made of below the views that show its rows: the table's columns at the end of the way from each of its
/// own. A view that cannot be written through leads nowhere.
macro_rules! written {
    ($found:expr, $start:expr) => {
        concat!(
            "(WITH RECURSIVE w(oid, attnum, own) AS (SELECT a.attrelid, a.attnum, a.attnum FROM \"pg_catalog.pg_attribute\" a \
             WHERE a.attrelid = {0} AND a.attnum > 0", $start, " UNION ALL SELECT {0}, 0, 0 \
             UNION ALL SELECT v.base, \
             iif(w.attnum > 0, coalesce(json_extract(v.columns, '$[' || max(w.attnum - 1, 0) || ']'), 0), 0), w.own \
             FROM w JOIN \"_quorate_view\" v ON v.oid = w.oid WHERE v.base IS NOT NULL) ",
            $found, " FROM w JOIN \"pg_catalog.pg_class\" c ON c.oid = w.oid AND c.relkind = 'r')"
        )
    };
}
/// Bits of the commands: UPDATE 4, INSERT 8, DELETE 16.
const RELATION_UPDATABLE: &str = written!("SELECT coalesce(max(iif(w.attnum > 0 OR w.oid = {0}, 28, 16)), 0)", "");
const COLUMN_UPDATABLE: &str = written!("SELECT coalesce(max(w.attnum > 0), 0)", " AND a.attnum = {1}");

/// Whether a name without a schema means this relation.
const VISIBLE: &str = "(SELECT q_path_place(n.nspname) IS NOT NULL AND NOT EXISTS (SELECT 1 FROM \"pg_catalog.pg_class\" o \
     JOIN \"pg_catalog.pg_namespace\" p ON p.oid = o.relnamespace WHERE o.relname = c.relname \
     AND q_path_place(p.nspname) < q_path_place(n.nspname)) FROM \"pg_catalog.pg_class\" c \
     JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.relnamespace WHERE c.oid = {0})";

const COMMENT: &str = "(SELECT d.description FROM \"pg_catalog.pg_description\" d WHERE d.objoid = {0} AND d.objsubid = 0 \
     AND d.classoid = (SELECT c.oid FROM \"pg_catalog.pg_class\" c WHERE c.relname = {1} AND c.relnamespace = 11))";
const ANY_COMMENT: &str =
    "(SELECT d.description FROM \"pg_catalog.pg_description\" d WHERE d.objoid = {0} AND d.objsubid = 0 LIMIT 1)";
const COLUMN_COMMENT: &str = "(SELECT d.description FROM \"pg_catalog.pg_description\" d \
     WHERE d.objoid = {0} AND d.classoid = 1259 AND d.objsubid = {1})";

const USER: &str = "coalesce((SELECT r.rolname FROM \"pg_catalog.pg_authid\" r WHERE r.oid = {0}), \
     iif({0} = 6171, 'pg_database_owner', 'unknown (OID=' || {0} || ')'))";

/// The pages of a table's indexes.
macro_rules! index_pages {
    () => {
        "d.name IN (SELECT n.nspname || '.' || x.relname FROM \"pg_catalog.pg_index\" i \
         JOIN \"pg_catalog.pg_class\" x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid)"
    };
}

/// Bytes of SQLite's pages. An index without pages of its own is the table itself.
macro_rules! size {
    ($($which:expr),+) => {
        concat!(
            "(SELECT coalesce((SELECT sum(d.pgsize) FROM dbstat d WHERE d.aggregate = 1 AND (",
            $($which),+,
            ")), 0) FROM \"pg_catalog.pg_class\" c JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.relnamespace WHERE c.oid = {0})"
        )
    };
}
const SIZE: &str = size!("d.name = n.nspname || '.' || c.relname");
/// Of its forks only the main one exists.
const MAIN_SIZE: &str = size!("{1} = 'main' AND d.name = n.nspname || '.' || c.relname");
const INDEXES_SIZE: &str = size!(index_pages!());
const TOTAL_SIZE: &str = size!("d.name = n.nspname || '.' || c.relname OR ", index_pages!());
/// The size of a database: of the session's own what its pages take, of another one what the file here takes.
macro_rules! database_size {
    ($own:literal, $field:literal, $missing:literal) => {
        concat!(
            "iif({0} IS NULL, NULL, iif(",
            $own,
            ", (SELECT sum(d.pgsize) FROM dbstat d WHERE d.aggregate = 1), coalesce((SELECT json_extract(d.value, '$.size') \
             FROM json_each(q_live('databases')) d WHERE json_extract(d.value, '$.",
            $field,
            "') = {0}), ",
            $missing,
            ")))"
        )
    };
}
const DATABASE_SIZE: &str = database_size!(
    "{0} = q_current_database()",
    "name",
    "q_raise('3D000', 'database \"' || {0} || '\" does not exist')"
);
const NUMBERED_DATABASE_SIZE: &str = database_size!(
    "{0} = (SELECT json_extract(o.value, '$.oid') FROM json_each(q_live('databases')) o \
     WHERE json_extract(o.value, '$.name') = q_current_database())",
    "oid",
    "NULL"
);

const LAST_VALUE: &str =
    "(SELECT iif(s.is_called, s.last_value, NULL) FROM \"pg_catalog.pg_sequence\" s WHERE s.seqrelid = {0})";

/// A definition of something that does not exist here, whatever its OID.
const NONE: &str = "NULL";

pub const FUNCTIONS: &[Function] = &[
    func("pg_get_indexdef", &[OID], TEXT, INDEX).stable(),
    func("pg_get_indexdef", &[OID, INT4, BOOL], TEXT, INDEX_COLUMN).stable(),
    func("pg_get_constraintdef", &[OID], TEXT, CONSTRAINT).stable(),
    func("pg_get_constraintdef", &[OID, BOOL], TEXT, CONSTRAINT_PRETTY).stable(),
    func("pg_relation_is_updatable", &[REGCLASS, BOOL], INT4, RELATION_UPDATABLE).stable(),
    func("pg_column_is_updatable", &[REGCLASS, INT2, BOOL], BOOL, COLUMN_UPDATABLE).stable(),
    func("pg_get_viewdef", &[OID], TEXT, view!("0")).stable(),
    func("pg_get_viewdef", &[OID, BOOL], TEXT, view!("{1}")).stable(),
    func("pg_get_viewdef", &[OID, INT4], TEXT, view!("1")).stable(),
    // Expressions are kept in the catalog as they are shown.
    func("pg_get_expr", &[PG_NODE_TREE, OID], TEXT, EXPRESSION).stable(),
    func("pg_get_expr", &[PG_NODE_TREE, OID, BOOL], TEXT, EXPRESSION_PRETTY).stable(),
    func("pg_get_ruledef", &[OID], TEXT, NONE).stable(),
    func("pg_get_ruledef", &[OID, BOOL], TEXT, NONE).stable(),
    func("pg_get_triggerdef", &[OID], TEXT, NONE).stable(),
    func("pg_get_triggerdef", &[OID, BOOL], TEXT, NONE).stable(),
    // Those that there are have no definition in SQL.
    func("pg_get_functiondef", &[OID], TEXT, NONE).stable(),
    func("pg_get_function_arg_default", &[OID, INT4], TEXT, NONE).stable(),
    func("pg_get_function_arguments", &[OID], TEXT, "q_function_part({0}, 'arguments')").stable(),
    func("pg_get_function_identity_arguments", &[OID], TEXT, "q_function_part({0}, 'identity')").stable(),
    func("pg_get_function_result", &[OID], TEXT, "q_function_part({0}, 'result')").stable(),
    func("pg_get_function_sqlbody", &[OID], TEXT, NONE).stable(),
    func("pg_get_partkeydef", &[OID], TEXT, NONE).stable(),
    func("pg_get_partition_constraintdef", &[OID], TEXT, NONE).stable(),
    func("pg_get_statisticsobjdef", &[OID], TEXT, NONE).stable(),
    func("pg_get_statisticsobjdef_columns", &[OID], TEXT, NONE).stable(),
    set("pg_partition_ancestors", &[REGCLASS], REGCLASS, "q_generate_series(1, 0 * {0}, 1)"),
    func("obj_description", &[OID, NAME], TEXT, COMMENT).stable(),
    func("obj_description", &[OID], TEXT, ANY_COMMENT).stable(),
    func("col_description", &[OID, INT4], TEXT, COLUMN_COMMENT).stable(),
    // Nothing shared can have a comment.
    func("shobj_description", &[OID, NAME], TEXT, NONE).stable(),
    func("pg_get_userbyid", &[OID], NAME, USER).stable(),
    func("pg_table_is_visible", &[OID], BOOL, VISIBLE).stable(),
    func("pg_table_size", &[REGCLASS], INT8, SIZE).volatile(),
    func("pg_relation_size", &[REGCLASS], INT8, SIZE).volatile(),
    func("pg_relation_size", &[REGCLASS, TEXT], INT8, MAIN_SIZE).volatile(),
    func("pg_indexes_size", &[REGCLASS], INT8, INDEXES_SIZE).volatile(),
    func("pg_total_relation_size", &[REGCLASS], INT8, TOTAL_SIZE).volatile(),
    func("pg_database_size", &[NAME], INT8, DATABASE_SIZE).volatile(),
    func("pg_database_size", &[OID], INT8, NUMBERED_DATABASE_SIZE).volatile(),
    func("pg_sequence_last_value", &[REGCLASS], INT8, LAST_VALUE).volatile(),
];

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] =
    &[
        scalar("q_index_key", 1, |_, a| Ok(Value::Text(index_key(text(a, 0)?)))),
        scalar("q_path_place", 1, path_place).contextual(),
        scalar("q_relation_name", 2, relation_name).contextual(),
        scalar("q_shown", 1, shown).contextual(),
        scalar("q_in_unit", 2, in_unit).lax(),
        scalar("q_function_part", 2, |_, a| {
            Ok(builtin::describe(int(a, 0)?, text(a, 1)?).map_or(Value::Null, Value::Text))
        })
        .contextual(),
    ];

/// The names of the setting `search_path`, in order.
pub(super) fn listed_schemas(ctx: &Context) -> Vec<String> {
    let own = ctx.settings.get(TEMPORARY).filter(|own| !own.is_empty());
    let listed = settings::split_names(ctx.settings.get("search_path").map_or("\"$user\", public", String::as_str));
    let meant = |name: String| match own {
        Some(own) if name == "pg_temp" => own.clone(),
        _ => name,
    };
    listed.into_iter().map(meant).collect()
}

/// The schema of the session's temporary objects, where it is searched first though it is not listed.
pub(super) fn leading_schema(ctx: &Context) -> Option<String> {
    let own = ctx.settings.get(TEMPORARY).filter(|own| !own.is_empty())?;
    (!listed_schemas(ctx).contains(own)).then(|| own.clone())
}

/// The schemas in which unqualified names are looked up, in order; some may not exist.
fn search_path(ctx: &Context) -> Vec<String> {
    let names = listed_schemas(ctx).into_iter();
    names.map(|name| if name == "$user" { ctx.user.to_string() } else { name }).collect()
}

/// Where a schema stands in the search path, where `pg_catalog` is first unless it is listed.
fn path_place(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (schema, path) = (text(args, 0)?, search_path(ctx));
    if leading_schema(ctx).is_some_and(|own| own == schema) {
        return Ok(Value::Int(-1));
    }
    let listed = path.iter().position(|s| s == schema).map(|n| n as i64 + 1);
    Ok(listed.or((schema == "pg_catalog").then_some(0)).map_or(Value::Null, Value::Int))
}

/// What a schema's name stands between where it is needed only if the schema is not in the search path.
pub const MARKS: [char; 2] = ['\u{1}', '\u{2}'];

/// An expression with its names qualified as far as the search path does not lead to them.
fn shown(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let text = text(args, 0)?;
    if !text.contains(MARKS) {
        return Ok(Value::Text(text.to_owned()));
    }
    let (path, own) = (search_path(ctx), leading_schema(ctx));
    Ok(Value::Text(without_marks(text, |schema| {
        own.as_deref().is_some_and(|own| own == schema) || path.iter().any(|known| known == schema)
    })))
}

/// A text with the marked schemas that names need, where a path leads to some of them.
pub fn without_marks(text: &str, leads: impl Fn(&str) -> bool) -> String {
    let [open, close] = MARKS;
    let mut parts = text.split(open);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (schema, rest) = part.split_once(close).unwrap_or(("", part));
        if !schema.is_empty() && !leads(schema) {
            out.push_str(&quote_ident(schema));
            out.push('.');
        }
        out.push_str(rest);
    }
    out
}

/// A relation's name, qualified if its schema is not in the search path.
fn relation_name(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (schema, name) = (text(args, 0)?, quote_ident(text(args, 1)?));
    let leads = leading_schema(ctx).is_some_and(|own| own == schema);
    let short = leads || schema == "pg_catalog" || search_path(ctx).iter().any(|s| s == schema);
    Ok(Value::Text(if short { name } else { format!("{}.{name}", quote_ident(schema)) }))
}

/// An index expression: in parentheses unless it is one call.
pub fn index_key(expression: &str) -> String {
    let name = expression.find('(').map_or("", |open| &expression[..open]);
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
    if is_name && closes_at_end(&expression[name.len()..]) { expression.to_owned() } else { format!("({expression})") }
}

/// Whether the first parenthesis of `text` is closed by its last character. Quoted parentheses count for nothing.
fn closes_at_end(text: &str) -> bool {
    let (mut depth, mut quote) = (0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + c.len_utf8() == text.len();
        }
    }
    false
}

/// A setting's value as a number of its unit, which `SHOW` writes with a larger one.
fn in_unit(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (value, unit) = match args {
        [ValueRef::Null, _] => return Ok(Value::Null),
        [_, ValueRef::Null] => return Ok(args[0].to_owned()),
        _ => (text(args, 0)?, text(args, 1)?),
    };
    Ok(settings::in_unit(value, unit).map_or_else(|| from_text(value), Value::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_expressions_stand_in_parentheses_unless_they_are_calls() {
        assert_eq!(index_key("lower(code)"), "lower(code)");
        assert_eq!(index_key("f(a, ')') || g(b)"), "(f(a, ')') || g(b))");
        assert_eq!(index_key("a + 1"), "(a + 1)");
        assert_eq!(index_key("(a + 1)"), "((a + 1))");
    }
}
