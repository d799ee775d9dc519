//! A relation as rows of the system tables, and the change from one form of it to another as SQL.

use super::depend;
use super::table::name_of_expression;
use crate::functions::catalog::without_marks;
use crate::sql::bind::{Address, Kept, class};
use crate::sql::catalog::methods;
use crate::sql::catalog::rights::array_literal;
use crate::sql::catalog::{
    Catalog, Column, Constraint, ConstraintKind, Domain, Identity, Index, IndexKey, Object, OwnType, Relation,
    RelationKind, default_collation, encode_attnums, is_temporary, quote,
};
use crate::types::{NO_TYPMOD, Own, Type};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A SQL literal of SQLite.
pub fn literal(text: &str) -> String {
    // SQLite's text ends at a NUL, which begins the names that nobody can write (`phrases`).
    format!("'{}'", text.replace('\'', "''").replace('\0', "' || char(0) || '"))
}

fn optional(text: Option<&str>) -> String {
    text.map_or("NULL".into(), literal)
}

fn flag(value: bool) -> String {
    i32::from(value).to_string()
}

/// A row: its key, its other columns, and columns that only a new row sets (state that lives on).
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    values: Vec<(&'static str, String)>,
    initial: Vec<(&'static str, String)>,
}

impl Row {
    fn set(&mut self, name: &str, value: String) {
        self.values.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, old)| old.clone_from(&value));
    }
}

/// Rows by table and key columns. They are inserted in the order of tables and deleted in the reverse order: a key may be
/// looked up in a table before.
pub type Rows = BTreeMap<(u8, &'static str, Vec<(&'static str, String)>), Row>;

pub fn put(
    rows: &mut Rows,
    table: &'static str,
    key: Vec<(&'static str, String)>,
    values: Vec<(&'static str, String)>,
) {
    rows.insert((0, table, key), Row { values, initial: Vec::new() });
}

/// The statements that make the system tables say `new` where they said `old`, and the OIDs of the relations and types that
/// the new one's expressions name.
pub fn change(
    old: Option<(&Catalog, &Relation)>,
    new: Option<(&Catalog, &Relation)>,
    show: Show<'_>,
) -> (Vec<String>, BTreeSet<u32>) {
    let (before, _) = old.map(|(c, r)| describe(c, r, show)).unwrap_or_default();
    let (after, uses) = new.map(|(c, r)| describe(c, r, show)).unwrap_or_default();
    (difference(&before, &after), uses)
}

/// The statements that tell what a new view rests on.
pub fn view_needs(oid: u32, needs: &BTreeSet<Address>) -> Vec<String> {
    let mut rows = Rows::new();
    depend::view(&mut rows, oid, needs);
    difference(&Rows::new(), &rows)
}

/// An expression that a table keeps.
#[derive(Clone, Copy)]
pub struct Expression<'e> {
    /// The table whose columns it reads.
    pub over: Option<&'e Relation>,
    pub text: &'e str,
    pub target: Option<(Type, i32)>,
    pub kept: Kept,
}

/// An expression as clients are shown it.
pub struct Shown {
    /// Plain and pretty; where it names something of the schema `public`, also both with that name qualified. Where it names
    /// something of another schema, plain and pretty with marks at the schemas' names.
    pub forms: Vec<String>,
    /// What it needs, the columns of its table among it.
    pub needs: BTreeSet<Address>,
}

/// Tells of an expression what [`Shown`] has.
pub type Show<'s> = &'s dyn Fn(&Catalog, Expression<'_>) -> Shown;

/// The OID of a relation or a type of one's own as [`Catalog::uses`] has it: arrays count as their elements.
pub fn used(catalog: &Catalog, (class, oid, _): Address) -> Option<u32> {
    match class {
        class::RELATION => Some(oid),
        class::TYPE => catalog.own_type(Type(oid)).map(|own| own.oid),
        _ => None,
    }
}

/// The forms as they are stored.
fn all(forms: &[String]) -> String {
    literal(&serde_json::to_string(forms).unwrap_or_default())
}

/// As [`change`], of a type of one's own.
pub fn change_type(
    old: Option<(&Catalog, &OwnType)>,
    new: Option<(&Catalog, &OwnType)>,
    show: Show<'_>,
) -> Vec<String> {
    let before = old.map_or_else(Rows::new, |(catalog, own)| describe_type(catalog, own, show));
    let after = new.map_or_else(Rows::new, |(catalog, own)| describe_type(catalog, own, show));
    difference(&before, &after)
}

fn difference(before: &Rows, after: &Rows) -> Vec<String> {
    let mut out = Vec::new();
    for ((_, table, key), _) in before.iter().rev().filter(|(k, _)| !after.contains_key(*k)) {
        out.push(format!("DELETE FROM \"pg_catalog.{table}\" WHERE {}", conditions(key)));
    }
    for (full, row) in after {
        let (_, table, key) = full;
        match before.get(full) {
            None => out.push(insert(table, key, row)),
            Some(old) => {
                let changed = row.values.iter().filter(|v| !old.values.contains(v));
                let set: Vec<String> = changed.map(|(name, value)| format!("{name} = {value}")).collect();
                if !set.is_empty() {
                    let set = set.join(", ");
                    out.push(format!("UPDATE \"pg_catalog.{table}\" SET {set} WHERE {}", conditions(key)));
                }
            }
        }
    }
    out
}

fn conditions(key: &[(&'static str, String)]) -> String {
    key.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(" AND ")
}

fn insert(table: &str, key: &[(&'static str, String)], row: &Row) -> String {
    let all = key.iter().chain(&row.values).chain(&row.initial);
    let (names, values): (Vec<&str>, Vec<&str>) = all.map(|(n, v)| (*n, v.as_str())).unzip();
    format!("INSERT INTO \"pg_catalog.{table}\"({}) VALUES ({})", names.join(", "), values.join(", "))
}

fn describe(catalog: &Catalog, r: &Relation, show: Show<'_>) -> (Rows, BTreeSet<u32>) {
    let (mut rows, mut uses) = (Rows::new(), BTreeSet::new());
    let mut note = |needs: &BTreeSet<Address>| {
        uses.extend(needs.iter().filter_map(|object| used(catalog, *object)).filter(|oid| *oid != r.oid));
    };
    depend::in_schema(&mut rows, catalog, class::RELATION, r.oid, &r.schema);
    class_row(&mut rows, catalog, r.oid, &r.schema, &r.name, Some(r));
    if r.kind.is_stored() || matches!(r.kind, RelationKind::View { .. }) {
        let own = OwnType {
            oid: Own::Row.numbered(r.oid).0,
            schema: r.schema.clone(),
            name: r.name.clone(),
            array: array_name(&r.name),
            labels: Vec::new(),
            domain: None,
        };
        type_rows(&mut rows, catalog, &own);
    }
    for column in &r.columns {
        column_rows(&mut rows, r.oid, column);
        depend::column(&mut rows, r.oid, column);
        if let Some(needs) = default_row(&mut rows, catalog, r, column, show) {
            depend::default(&mut rows, r.oid, column, &needs);
            note(&needs);
        }
    }
    for constraint in &r.constraints {
        let needs = constraint_row(&mut rows, catalog, r, constraint, show);
        depend::constraint(&mut rows, catalog, r, constraint, &needs);
        note(&needs.into_iter().filter(|(class, ..)| *class == class::TYPE).collect());
    }
    for index in &r.indexes {
        class_row(&mut rows, catalog, index.oid, &r.schema, &index.name, None);
        if let Some(row) = rows.get_mut(&(0, "pg_class", vec![("oid", index.oid.to_string())])) {
            let width = index.keys.len() + index.include.len();
            row.set("relam", index.method.to_string());
            row.set("relnatts", width.to_string());
            row.set("reloptions", text_array(index.options.clone()));
            if r.unlogged && !is_temporary(&r.schema) {
                row.set("relpersistence", literal("u"));
            }
        }
        index_attributes(&mut rows, r, index);
        let needs = index_row(&mut rows, catalog, r, index, show);
        depend::index(&mut rows, r, index, &needs);
        note(&needs);
    }
    if let RelationKind::Sequence(s) = &r.kind {
        let values = vec![
            ("seqtypid", s.ty.0.to_string()),
            ("seqstart", s.start.to_string()),
            ("seqincrement", s.increment.to_string()),
            ("seqmax", s.max.to_string()),
            ("seqmin", s.min.to_string()),
            ("seqcache", s.cache.to_string()),
            ("seqcycle", flag(s.cycle)),
        ];
        let initial = vec![("last_value", s.start.to_string()), ("is_called", flag(false))];
        rows.insert((0, "pg_sequence", vec![("seqrelid", r.oid.to_string())]), Row { values, initial });
    }
    (rows, uses)
}

/// A type's row, the row of the array over it, an enum's labels, and a domain's conditions.
fn describe_type(catalog: &Catalog, own: &OwnType, show: Show<'_>) -> Rows {
    let mut rows = Rows::new();
    type_rows(&mut rows, catalog, own);
    if let Some(domain) = &own.domain {
        domain_rows(&mut rows, catalog, own, domain, show);
    }
    rows
}

/// What sets a domain's row apart from that of another type, and its conditions.
fn domain_rows(rows: &mut Rows, catalog: &Catalog, own: &OwnType, domain: &Domain, show: Show<'_>) {
    let (base, typmod) = catalog.base_of(own.ty(), NO_TYPMOD);
    let of_base = |field: &str| format!("(SELECT {field} FROM \"pg_catalog.pg_type\" WHERE oid = {})", base.0);
    let mut default = None;
    if let Some(row) = rows.get_mut(&(0, "pg_type", vec![("oid", own.oid.to_string())])) {
        const AS_BASE: [&str; 8] =
            ["typlen", "typbyval", "typcategory", "typoutput", "typsend", "typanalyze", "typalign", "typstorage"];
        AS_BASE.iter().for_each(|field| row.set(field, of_base(field)));
        row.set("typcollation", of_base("typcollation"));
        row.set("typnotnull", flag(domain.not_null));
        row.set("typbasetype", domain.base.0.to_string());
        row.set("typtypmod", domain.typmod.to_string());
        default = domain.default.as_deref().map(|text| {
            show(catalog, Expression { over: None, text, target: Some((base, typmod)), kept: Kept::Default })
        });
        let first = default.as_ref().and_then(|shown| shown.forms.first());
        let first = first.map(|form| without_marks(form, |schema| schema == "public"));
        row.values.push(("typdefault", optional(first.as_deref())));
        row.values.push(("typdefaultbin", default.as_ref().map_or("NULL".into(), |shown| all(&shown.forms))));
    }
    let namespace = catalog.schemas.get(&own.schema).copied().unwrap_or_default();
    let value = Relation::of_value((base, typmod), Some(domain.base).filter(|below| *below != base));
    depend::domain(rows, own.oid, domain, &default.map(|shown| shown.needs).unwrap_or_default());
    for check in &domain.checks {
        let target = Some((Type::BOOL, NO_TYPMOD));
        let expression = Expression { over: Some(&value), text: &check.text, target, kept: Kept::Domain };
        let shown = show(catalog, expression);
        let values = vec![
            ("conname", literal(&check.name)),
            ("connamespace", namespace.to_string()),
            ("contype", "'c'".into()),
            ("condeferrable", "0".into()),
            ("condeferred", "0".into()),
            ("convalidated", flag(check.validated)),
            ("conrelid", "0".into()),
            ("contypid", own.oid.to_string()),
            ("conparentid", "0".into()),
            ("conislocal", "1".into()),
            ("coninhcount", "0".into()),
            ("connoinherit", "0".into()),
            ("conkey", "NULL".into()),
            ("conindid", "0".into()),
            ("confrelid", "0".into()),
            ("confupdtype", "' '".into()),
            ("confdeltype", "' '".into()),
            ("confmatchtype", "' '".into()),
            ("confkey", "NULL".into()),
            ("conbin", all(&shown.forms)),
            ("source", literal(&check.text)),
        ];
        depend::condition(rows, check.oid, own.oid, &shown.needs);
        put(rows, "pg_constraint", vec![("oid", check.oid.to_string())], values);
    }
}

/// `_name`, cut to 63 bytes.
fn array_name(name: &str) -> String {
    let end = (0..=62.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or_default();
    format!("_{}", &name[..end])
}

fn type_rows(rows: &mut Rows, catalog: &Catalog, own: &OwnType) {
    let namespace = catalog.schemas.get(&own.schema).copied().unwrap_or_default();
    let ty = own.ty();
    let owner = match ty.own() {
        Some((Own::Row, _)) => Object::relation((ty.0 - Own::Row.numbered(0).0) / 2),
        _ => Object::of_type(ty.0),
    };
    let owner = catalog.rights.owner(owner);
    // OIDs of the functions that read and write it: those of anyenum and of arrays.
    let (io, kind, by_value, storage) = match ty.own() {
        Some((Own::Enum, _)) => ([3506, 3507, 3532, 3533], "e", true, "p"),
        Some((Own::Domain, _)) => ([2597, 0, 2598, 0], "d", false, "x"),
        Some((Own::Row, _)) => ([2290, 2291, 2402, 2403], "c", false, "x"),
        _ => ([0, 0, 0, 0], "b", false, "x"),
    };
    depend::types(rows, catalog, ty, &own.schema);
    let element = TypeRow {
        name: &own.name,
        kind,
        by_value,
        storage,
        io,
        subscript: 0,
        analyze: 0,
        array: ty.array().map_or(0, |a| a.0),
        element: 0,
        owner,
    };
    type_row(rows, namespace, ty, &element);
    if let Some(array) = ty.array() {
        let row = TypeRow {
            name: &own.array,
            kind: "b",
            by_value: false,
            storage: "x",
            io: [750, 751, 2400, 2401],
            subscript: 6179,
            analyze: 3816,
            array: 0,
            element: ty.0,
            owner,
        };
        type_row(rows, namespace, array, &row);
    }
    for label in &own.labels {
        let values = vec![
            ("enumtypid", own.oid.to_string()),
            ("enumsortorder", format!("{:?}", label.order)),
            ("enumlabel", literal(&label.name)),
        ];
        put(rows, "pg_enum", vec![("oid", label.oid.to_string())], values);
    }
}

/// What differs between rows of `pg_type`.
struct TypeRow<'t> {
    name: &'t str,
    kind: &'t str,
    by_value: bool,
    storage: &'t str,
    /// typinput, typoutput, typreceive, typsend
    io: [u32; 4],
    subscript: u32,
    analyze: u32,
    array: u32,
    element: u32,
    owner: u32,
}

fn type_row(rows: &mut Rows, namespace: u32, ty: Type, row: &TypeRow<'_>) {
    let [input, output, receive, send] = row.io.map(|oid| oid.to_string());
    let is_row = matches!(ty.own(), Some((Own::Row, _)));
    let relation = if is_row && row.element == 0 { (ty.0 - Own::Row.numbered(0).0) / 2 } else { 0 };
    let values = vec![
        ("typname", literal(row.name)),
        ("typnamespace", namespace.to_string()),
        ("typowner", row.owner.to_string()),
        ("typlen", ty.length().to_string()),
        ("typbyval", flag(row.by_value)),
        ("typtype", literal(row.kind)),
        ("typcategory", literal(&ty.category().to_string())),
        ("typispreferred", "0".into()),
        ("typisdefined", "1".into()),
        ("typdelim", "','".into()),
        ("typrelid", relation.to_string()),
        ("typsubscript", row.subscript.to_string()),
        ("typelem", row.element.to_string()),
        ("typarray", row.array.to_string()),
        ("typinput", input),
        ("typoutput", output),
        ("typreceive", receive),
        ("typsend", send),
        ("typmodin", "0".into()),
        ("typmodout", "0".into()),
        ("typanalyze", row.analyze.to_string()),
        ("typalign", if is_row { "'d'" } else { "'i'" }.into()),
        ("typstorage", literal(row.storage)),
        ("typnotnull", "0".into()),
        ("typbasetype", "0".into()),
        ("typtypmod", "-1".into()),
        ("typndims", "0".into()),
        ("typcollation", "0".into()),
    ];
    put(rows, "pg_type", vec![("oid", ty.0.to_string())], values);
}

/// `relation` is `None` for an index, which has its own row but lives inside its table's value.
fn class_row(rows: &mut Rows, catalog: &Catalog, oid: u32, schema: &str, name: &str, relation: Option<&Relation>) {
    let kind = match relation.map(|r| &r.kind) {
        None | Some(RelationKind::Index { .. }) => "i",
        Some(RelationKind::View { .. }) => "v",
        Some(RelationKind::Materialized { .. }) => "m",
        Some(RelationKind::Sequence(_)) => "S",
        Some(_) => "r",
    };
    let count =
        |f: fn(&ConstraintKind) -> bool| relation.map_or(0, |r| r.constraints.iter().filter(|c| f(&c.kind)).count());
    let checks = count(|k| matches!(k, ConstraintKind::Check(_)));
    let namespace = catalog.schemas.get(schema).copied().unwrap_or_default();
    let attributes = relation.and_then(|r| r.columns.iter().map(|c| c.attnum).max()).unwrap_or_default();
    let access = match kind {
        "i" => 403,
        "r" | "m" => 2,
        _ => 0,
    };
    // An index is as lasting as its table.
    let persistence = match relation {
        _ if is_temporary(schema) => "t",
        Some(r) if r.unlogged => "u",
        _ => "p",
    };
    let zeros = [
        "reloftype",
        "reltablespace",
        "relpages",
        "relallvisible",
        "reltoastrelid",
        "relisshared",
        "relhassubclass",
        "relrowsecurity",
        "relforcerowsecurity",
        "relispartition",
        "relrewrite",
        "relfrozenxid",
        "relminmxid",
    ];
    let mut values = vec![
        ("relname", literal(name)),
        ("relnamespace", namespace.to_string()),
        ("reltype", if matches!(kind, "r" | "v" | "m") { Own::Row.numbered(oid).0 } else { 0 }.to_string()),
        ("relowner", catalog.rights.owner(Object::relation(oid)).to_string()),
        ("relam", access.to_string()),
        ("relfilenode", if kind == "v" { "0".into() } else { oid.to_string() }),
        ("reltuples", "-1.0".into()),
        ("relhasindex", flag(relation.is_some_and(|r| !r.indexes.is_empty()))),
        ("relpersistence", literal(persistence)),
        ("relkind", literal(kind)),
        ("relnatts", attributes.to_string()),
        ("relchecks", checks.to_string()),
        ("relhasrules", flag(matches!(kind, "v" | "m"))),
        // Those of foreign keys, of both ends. As in PostgreSQL, it stays when they go.
        ("relhastriggers", flag(relation.is_some_and(|r| has_references(catalog, r)))),
        (
            "relispopulated",
            flag(!matches!(relation.map(|r| &r.kind), Some(RelationKind::Materialized { populated: false, .. }))),
        ),
        ("reloptions", reloptions(relation)),
        ("relreplident", literal(if matches!(kind, "r" | "m") { "d" } else { "n" })),
    ];
    values.extend(zeros.iter().map(|name| (*name, "0".to_owned())));
    put(rows, "pg_class", vec![("oid", oid.to_string())], values);
}

/// Whether foreign keys lead from the table or to it.
fn has_references(catalog: &Catalog, r: &Relation) -> bool {
    let leads = |c: &Constraint| matches!(c.kind, ConstraintKind::ForeignKey { .. });
    let leads_here = |c: &Constraint| matches!(c.kind, ConstraintKind::ForeignKey { table, .. } if table == r.oid);
    r.constraints.iter().any(leads) || catalog.relations.values().any(|other| other.constraints.iter().any(leads_here))
}

fn reloptions(relation: Option<&Relation>) -> String {
    let texts = match relation.map(|r| &r.kind) {
        Some(RelationKind::View { options, .. }) => options.texts(),
        _ => relation.map(|r| r.options.clone()).unwrap_or_default(),
    };
    text_array(texts)
}

fn text_array(texts: Vec<String>) -> String {
    if texts.is_empty() {
        return "NULL".to_owned();
    }
    let texts: Vec<Value> = texts.into_iter().map(Value::Text).collect();
    array_literal(Type::TEXT, &texts).unwrap_or_else(|_| "NULL".to_owned())
}

fn column_rows(rows: &mut Rows, relation: u32, column: &Column) {
    let (ty, typmod) = column.declared();
    let of_type = |field: &str| format!("(SELECT {field} FROM \"pg_catalog.pg_type\" WHERE oid = {})", ty.0);
    let identity = match column.identity {
        Some(Identity::Always) => "a",
        Some(Identity::ByDefault) => "d",
        None => "",
    };
    let expression = column.default.as_deref().or(column.generated.as_deref());
    let key = vec![("attrelid", relation.to_string()), ("attnum", column.attnum.to_string())];
    let values = vec![
        ("attname", literal(&column.name)),
        ("atttypid", ty.0.to_string()),
        ("attstattarget", "-1".into()),
        ("attlen", of_type("typlen")),
        ("attndims", of_type("(typcategory = 'A')")),
        ("attcacheoff", "-1".into()),
        ("atttypmod", typmod.to_string()),
        ("attbyval", of_type("typbyval")),
        ("attalign", of_type("typalign")),
        ("attstorage", of_type("typstorage")),
        ("attcompression", "''".into()),
        ("attnotnull", flag(column.not_null)),
        ("atthasdef", flag(expression.is_some())),
        ("atthasmissing", "0".into()),
        ("attidentity", literal(identity)),
        ("attgenerated", literal(if column.generated.is_some() { "s" } else { "" })),
        ("attisdropped", "0".into()),
        ("attislocal", "1".into()),
        ("attinhcount", "0".into()),
        ("attcollation", column.collation.map_or_else(|| of_type("typcollation"), |oid| oid.to_string())),
    ];
    put(rows, "pg_attribute", key, values);
}

fn default_row(
    rows: &mut Rows,
    catalog: &Catalog,
    r: &Relation,
    column: &Column,
    show: Show<'_>,
) -> Option<BTreeSet<Address>> {
    let text = column.default.as_deref().or(column.generated.as_deref())?;
    let (over, kept) = match column.generated {
        Some(_) => (Some(r), Kept::Generated),
        None => (None, Kept::Default),
    };
    let shown = show(catalog, Expression { over, text, target: Some((column.ty, column.typmod)), kept });
    // A default is named by its column: the OID of its row only has to be unique.
    let key = vec![("adrelid", r.oid.to_string()), ("adnum", column.attnum.to_string())];
    put(rows, "pg_attrdef", key, vec![("adbin", all(&shown.forms)), ("source", literal(text))]);
    Some(shown.needs)
}

fn attnums(attnums: &[i16]) -> String {
    format!("X'{}'", hex::encode(encode_attnums(attnums)))
}

fn constraint_row(
    rows: &mut Rows,
    catalog: &Catalog,
    r: &Relation,
    c: &Constraint,
    show: Show<'_>,
) -> BTreeSet<Address> {
    let mut needs = BTreeSet::new();
    let code = match c.kind {
        ConstraintKind::PrimaryKey { .. } => "p",
        ConstraintKind::Unique { .. } => "u",
        ConstraintKind::Check(_) => "c",
        ConstraintKind::ForeignKey { .. } => "f",
    };
    let namespace = catalog.schemas.get(&r.schema).copied().unwrap_or_default();
    let mut values = vec![
        ("conname", literal(&c.name)),
        ("connamespace", namespace.to_string()),
        ("contype", literal(code)),
        ("condeferrable", flag(c.deferrable)),
        ("condeferred", flag(c.initially_deferred)),
        ("convalidated", flag(c.validated)),
        ("conrelid", r.oid.to_string()),
        ("contypid", "0".into()),
        ("conparentid", "0".into()),
        ("conislocal", "1".into()),
        ("coninhcount", "0".into()),
        ("connoinherit", flag(code != "c")),
        ("conkey", if c.columns.is_empty() { "NULL".into() } else { attnums(&c.columns) }),
    ];
    match &c.kind {
        ConstraintKind::ForeignKey { table, columns, on_update, on_delete, full } => values.extend([
            ("conindid", referenced_index(catalog, *table, columns).to_string()),
            ("confrelid", table.to_string()),
            ("confupdtype", literal(on_update.code())),
            ("confdeltype", literal(on_delete.code())),
            ("confmatchtype", literal(if *full { "f" } else { "s" })),
            ("confkey", attnums(columns)),
            ("conbin", "NULL".into()),
            ("source", "NULL".into()),
        ]),
        kind => {
            let (index, text) = match kind {
                ConstraintKind::PrimaryKey { index } | ConstraintKind::Unique { index } => (*index, None),
                ConstraintKind::Check(text) => (0, Some(text.as_str())),
                ConstraintKind::ForeignKey { .. } => (0, None),
            };
            let target = Some((Type::BOOL, -1));
            let shown = text.map(|text| show(catalog, Expression { over: Some(r), text, target, kept: Kept::Check }));
            values.extend([
                ("conindid", index.to_string()),
                ("confrelid", "0".into()),
                ("confupdtype", "' '".into()),
                ("confdeltype", "' '".into()),
                ("confmatchtype", "' '".into()),
                ("confkey", "NULL".into()),
                ("conbin", shown.as_ref().map_or("NULL".into(), |shown| all(&shown.forms))),
                ("source", optional(text)),
            ]);
            needs = shown.map(|shown| shown.needs).unwrap_or_default();
        }
    }
    put(rows, "pg_constraint", vec![("oid", c.oid.to_string())], values);
    needs
}

/// The unique index a foreign key points to.
pub fn referenced_index(catalog: &Catalog, table: u32, columns: &[i16]) -> u32 {
    catalog.by_oid(table).and_then(|relation| referenced_key(relation, columns)).map_or(0, |i| i.oid)
}

/// The unique index that foreign keys to these columns rest on.
pub fn referenced_key<'a>(relation: &'a Relation, columns: &[i16]) -> Option<&'a Index> {
    relation.indexes.iter().find(|i| is_key_of(i, columns) && relation.is_immediate(i))
}

/// Is `index` a unique index over exactly these columns?
pub fn is_key_of(index: &Index, columns: &[i16]) -> bool {
    index.is_total_key()
        && index.keys.len() == columns.len()
        && index.keys.iter().all(|k| k.column.is_some_and(|c| columns.contains(&c)))
}

fn index_row(rows: &mut Rows, catalog: &Catalog, r: &Relation, index: &Index, show: Show<'_>) -> BTreeSet<Address> {
    let mut needs = BTreeSet::new();
    let key_types: Vec<Type> = index.keys.iter().map(|k| key_type(r, k)).collect();
    let words = |words: Vec<String>| literal(&words.join(" "));
    let attributes = index.keys.iter().map(|k| k.column.unwrap_or(0)).chain(index.include.iter().copied());
    let options = index.keys.iter().map(|k| i32::from(k.descending) | i32::from(k.nulls_first) << 1);
    let collations = index.keys.iter().zip(&key_types);
    let collations = collations.map(|(key, ty)| key.collation.unwrap_or_else(|| default_collation(*ty)).to_string());
    let expressions: Vec<&str> = index.keys.iter().filter_map(|k| k.expression.as_deref()).collect();
    let over = Some(r);
    // Plain, pretty, and both with qualified names.
    let mut lists = [const { Vec::new() }; 4];
    for text in &expressions {
        let shown = show(catalog, Expression { over, text, target: None, kept: Kept::Index });
        needs.extend(shown.needs);
        let forms = shown.forms;
        for (place, list) in lists.iter_mut().enumerate() {
            list.extend(forms.get(place).or(forms.get(place % 2)).cloned());
        }
    }
    let json =
        |list: &Vec<String>| optional(serde_json::to_string(list).ok().as_deref().filter(|_| !expressions.is_empty()));
    let mut joined: Vec<String> = lists.iter().map(|list| list.join(", ")).collect();
    let [plain, pretty, qualified, qualified_pretty] = &lists;
    if plain == qualified && pretty == qualified_pretty {
        joined.truncate(2);
    }
    let target = Some((Type::BOOL, -1));
    let predicate = index.predicate.as_deref();
    let predicate = predicate.map(|text| show(catalog, Expression { over, text, target, kept: Kept::Predicate }));
    let values = vec![
        ("indrelid", r.oid.to_string()),
        ("indnatts", (index.keys.len() + index.include.len()).to_string()),
        ("indnkeyatts", index.keys.len().to_string()),
        ("indisunique", flag(index.unique)),
        ("indnullsnotdistinct", flag(index.nulls_equal)),
        ("indisprimary", flag(index.primary)),
        ("indisexclusion", "0".into()),
        ("indimmediate", flag(r.is_immediate(index))),
        ("indisclustered", flag(index.clustered)),
        ("indisvalid", flag(index.valid)),
        ("indcheckxmin", "0".into()),
        ("indisready", "1".into()),
        ("indislive", "1".into()),
        ("indisreplident", "0".into()),
        ("indkey", words(attributes.map(|n| n.to_string()).collect())),
        ("indcollation", words(collations.collect())),
        ("indclass", words(index.keys.iter().map(|k| operator_class(r, index.method, k).to_string()).collect())),
        ("indoption", words(options.map(|o| o.to_string()).collect())),
        ("indexprs", json(&joined)),
        ("indpred", predicate.as_ref().map_or("NULL".into(), |shown| all(&shown.forms))),
        ("predsource", optional(index.predicate.as_deref())),
        ("indisrowid", flag(catalog.rowid_keys.contains(&index.oid))),
        ("indexprlist", json(plain)),
        ("prettylist", json(pretty)),
        ("qualifiedlist", json(qualified)),
        ("qualifiedpretty", json(qualified_pretty)),
        ("exprsource", json(&expressions.iter().map(|e| (*e).to_owned()).collect())),
    ];
    put(rows, "pg_index", vec![("indexrelid", index.oid.to_string())], values);
    needs.extend(predicate.into_iter().flat_map(|shown| shown.needs));
    needs
}

fn key_type(r: &Relation, key: &IndexKey) -> Type {
    key.ty.or_else(|| key.column.and_then(|n| r.column_at(n)).map(|c| c.ty)).unwrap_or(Type::TEXT)
}

fn operator_class(r: &Relation, method: u32, key: &IndexKey) -> u32 {
    key.class.or_else(|| methods::default_class(method, key_type(r, key)).map(|c| c.oid)).unwrap_or_default()
}

/// An index's own columns: called as those of the table, or as a select list would call an expression.
fn index_attributes(rows: &mut Rows, r: &Relation, index: &Index) {
    let mut names: Vec<String> = Vec::new();
    let mut name = |base: &str| {
        let free = |name: &String| !names.contains(name);
        let numbered = (1..).map(|n| format!("{base}{n}"));
        let name = std::iter::once(base.to_owned()).chain(numbered).find(free).unwrap_or_default();
        names.push(name.clone());
        name
    };
    for (place, key) in (1..).zip(&index.keys) {
        let own = key.column.and_then(|n| r.column_at(n));
        let name = name(&own.map_or_else(|| name_of_expression(key.expression.as_deref()), |c| c.name.clone()));
        let typmod = own.map_or(-1, |c| c.typmod);
        // A few classes store something else than the key.
        let stored = methods::class(operator_class(r, index.method, key)).map(|class| class.key);
        let ty = match stored {
            Some(ty) if ty.0 != 0 && !ty.is_polymorphic() => ty,
            Some(Type::ANYELEMENT) => key_type(r, key).element().unwrap_or(key_type(r, key)),
            _ => key_type(r, key),
        };
        column_rows(rows, index.oid, &super::table::plain_column(place, &name, ty, typmod));
    }
    let first = index.keys.len() as i16 + 1;
    for (place, column) in (first..).zip(index.include.iter().filter_map(|n| r.column_at(*n))) {
        let name = name(&column.name);
        column_rows(rows, index.oid, &super::table::plain_column(place, &name, column.ty, column.typmod));
    }
}

/// The column list that a name in SQLite stands for: used by indexes and foreign keys.
pub fn column_list(r: &Relation, attnums: &[i16]) -> String {
    attnums.iter().filter_map(|n| r.column_at(*n)).map(|c| quote(&c.name)).collect::<Vec<_>>().join(", ")
}
