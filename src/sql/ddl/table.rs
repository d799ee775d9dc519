//! CREATE, DROP, TRUNCATE and COMMENT.

use super::grammar::{
    ColumnDef, CommentOn, ConstraintDef, ConstraintSyntax, CreateIndex, CreateTable, Ddl, IndexElement, Like, Object,
    OnCommit, Owned, SequenceOption,
};
use super::roles::{self, RoleSpec, grants, owners};
use super::rows::{is_key_of, literal, referenced_key};
use super::work::{
    self, Dependent, KeyPart, TablePart, Violation, Work, key_detail, no_column, no_relation, no_schema, parts_detail,
    sets_default, system_relation,
};
use super::{absent, alter, clashes, domains, materialized, online, statistics, storage, types};
use crate::command::{Definition, Statement, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{self, REFERENCES, SELECT, TRUNCATE};
use crate::sql::access;
use crate::sql::bind::{Binder, Kept, bind_typed_column_expr, parse_expr, suggested_name};
use crate::sql::catalog;
use crate::sql::catalog::Action;
use crate::sql::catalog::{
    Column, Constraint, ConstraintKind, Identity, Index, IndexKey, Relation, RelationKind, Sequence, ViewOptions,
    is_temporary, methods, quote, sqlite_name,
};
use crate::sql::cursor::Name;
use crate::sql::lex::{Kind, Lexer, identifier, quote_identifier, quote_literal};
use crate::sql::plan::{ResultColumn, Tag};
use crate::sql::violation::orphans;
use crate::sql::violation::references::{self, Fit};
use crate::sql::{Scope, deparse, parse, view};
use crate::types::text::parse_literal;
use crate::types::{NO_TYPMOD, Type, format_type};
use sqlparser::ast::Expr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub fn run(work: &mut Work<'_>, ddl: &Ddl) -> SqlResult<Tag> {
    let tag = match ddl {
        Ddl::CreateTable(table) => return create_table(work, table),
        Ddl::CreateIndex(index) => create_index(work, index)?,
        Ddl::CreateSequence { temporary, name, if_not_exists, options } => {
            create_sequence(work, *temporary, name, *if_not_exists, options)?
        }
        Ddl::AlterSequence { name, if_exists, action } => alter::sequence(work, name, *if_exists, action)?,
        Ddl::CreateView { temporary, name, replace, columns, query, options } => {
            create_view(work, (*temporary, *replace), name, columns, query, options)?
        }
        Ddl::CreateMaterialized(view) => return materialized::create(work, view),
        Ddl::Refresh { name, concurrently, with_data } => materialized::refresh(work, name, *concurrently, *with_data)?,
        Ddl::Cluster { table, index } => storage::cluster(work, table.as_ref(), index.as_deref())?,
        Ddl::Analyze { vacuum, tables } => statistics::analyze(work, *vacuum, tables)?,
        Ddl::CreateSchema { name, owner, if_not_exists, .. } => {
            create_schema(work, name.as_deref(), owner.as_ref(), *if_not_exists)?
        }
        Ddl::Drop { what: Object::Schema, if_exists, names, cascade, .. } => {
            drop_schemas(work, names, *if_exists, *cascade)?
        }
        Ddl::Drop { what: Object::Type, if_exists, names, cascade, .. } => {
            types::drop(work, names, *if_exists, *cascade)?
        }
        Ddl::Drop { what, if_exists, names, cascade, concurrently } => {
            work.alone = concurrently.then_some("DROP INDEX CONCURRENTLY");
            drop_relations(work, *what, names, *if_exists, *cascade)?
        }
        Ddl::AlterTable { what, name, if_exists, actions } => alter::table(work, *what, name, *if_exists, actions)?,
        Ddl::CreateExtension { name, if_not_exists } => create_extension(work, name, *if_not_exists)?,
        Ddl::DropExtension { names, if_exists, cascade } => drop_extensions(work, names, *if_exists, *cascade)?,
        Ddl::DropAbsent(absent) => absent::run(work, absent)?,
        Ddl::CreateEnum { name, labels } => types::create_enum(work, name, labels)?,
        Ddl::AlterType { name, action } => types::alter(work, name, action)?,
        Ddl::RenameSchema { name, to } => alter::rename_schema(work, name, to)?,
        Ddl::CreateDomain(domain) => domains::create(work, domain)?,
        Ddl::AlterDomain { name, action } => domains::alter(work, name, action)?,
        Ddl::DropDomains { names, if_exists, cascade } => domains::drop_domains(work, names, *if_exists, *cascade)?,
        Ddl::Truncate { tables, restart, cascade } => truncate(work, tables, *restart, *cascade)?,
        Ddl::Comment { on, text } => comment(work, on, text.as_deref())?,
        Ddl::Role(statement) => roles::run(work, statement)?,
        Ddl::Grant(grant) => grants::run(work, grant)?,
        Ddl::OwnerTo { object: Owned::Schema(name), to } => owners::schema_to(work, name, to)?,
        Ddl::OwnerTo { object: Owned::Database(name), to } => owners::database_to(work, name, to)?,
        Ddl::Reassign { from, to } => owners::reassign(work, from, to)?,
        Ddl::DropOwned { roles, cascade } => owners::drop_owned(work, roles, *cascade)?,
    };
    Ok(Tag::Plain(tag))
}

fn duplicate(name: &str) -> SqlError {
    SqlError::new(state::DUPLICATE_TABLE, format!("relation \"{name}\" already exists"))
}

/// May a relation of this name be created? `false`: it exists, and that is fine.
pub fn is_free(work: &mut Work<'_>, schema: &str, name: &str, if_not_exists: bool) -> SqlResult<bool> {
    if !work.is_taken(schema, name) {
        if work.catalog.type_in(schema, name).is_some() {
            let hint = "A relation has an associated type of the same name, so you must use a name that doesn't conflict \
                        with any existing type.";
            return Err(types::duplicate(name).hint(hint));
        }
        work.check_case(schema, name)?;
        return Ok(true);
    }
    if !if_not_exists {
        return Err(duplicate(name));
    }
    work.notice(state::DUPLICATE_TABLE, format!("relation \"{name}\" already exists, skipping"));
    Ok(false)
}

// ---- tables

fn create_table(work: &mut Work<'_>, def: &CreateTable) -> SqlResult<Tag> {
    let schema = work.creation_schema(&def.name, def.temporary)?;
    if !is_temporary(&schema) && def.on_commit != OnCommit::Preserve {
        let message = "ON COMMIT can only be used on temporary tables";
        return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message));
    }
    let plain = Tag::Plain(if def.query.is_some() { "CREATE TABLE AS" } else { "CREATE TABLE" });
    if !is_free(work, &schema, &def.name.name, def.if_not_exists)? {
        return Ok(plain);
    }
    let oid = work.oid();
    let mut table = Relation::new(oid, RelationKind::Table, schema, def.name.name.clone());
    let mut rows = None;
    let mut constraints = Vec::new();
    if let Some((names, query, with_data)) = &def.query {
        let sql = query_columns(work, &mut table, names, query)?;
        rows = Some(sql).filter(|_| *with_data);
    }
    for behind in 0..=def.columns.len() {
        for like in def.like.iter().filter(|like| like.behind == behind) {
            constraints.extend(copy_definition(work, &mut table, like)?);
        }
        if let Some(column) = def.columns.get(behind) {
            constraints.extend(define_column(work, &mut table, column)?);
        }
    }
    constraints.extend(def.constraints.iter().cloned());
    // Keys first: a foreign key may refer to its own table's.
    constraints.sort_by_key(|c| matches!(c.kind, ConstraintSyntax::ForeignKey { .. }));
    let constraints = without_like_keys(constraints);
    for column in &table.columns {
        check_generated(&table, column)?;
    }
    table.unlogged = def.unlogged;
    table.options = storage::of_table(&[], &def.storage)?;
    for constraint in &constraints {
        define_constraint(work, &mut table, constraint, true)?;
    }
    for column in table.columns.iter().filter(|c| c.default.is_some() && c.sequence.is_none()) {
        work.bind(
            None,
            column.default.as_deref().unwrap_or_default(),
            Some((column.ty, column.typmod)),
            Kept::Default,
        )?;
    }
    let physical = sqlite_name(&table.schema, &table.name);
    work.create_physical(&table, &physical)?;
    for index in &table.indexes {
        work.create_physical_index(&table, index)?;
    }
    work.create(table.clone())?;
    for column in &table.columns {
        freeze_default(work, &table, column)?;
    }
    work.on_commit = Some((table.oid, def.on_commit)).filter(|(_, action)| *action != OnCommit::Preserve);
    let Some(rows) = rows else { return Ok(plain) };
    let columns = table.columns.iter().map(|c| quote(&c.name)).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {}({columns}) {rows}", quote(&physical));
    work.add(vec![Statement::new(sql, Yields::Count)]);
    Ok(Tag::Counted("SELECT"))
}

/// Of keys over the same columns one is made: the primary one, else the first, with whatever name was given.
fn without_like_keys(constraints: Vec<ConstraintDef>) -> Vec<ConstraintDef> {
    let key = |c: &ConstraintDef| match &c.kind {
        ConstraintSyntax::PrimaryKey(columns) | ConstraintSyntax::Unique(columns) => {
            Some((columns.clone(), c.include.clone(), c.nulls_equal, c.deferrable, c.initially_deferred))
        }
        _ => None,
    };
    let is_primary = |c: &ConstraintDef| matches!(c.kind, ConstraintSyntax::PrimaryKey(_));
    let primary: Vec<_> = constraints.iter().filter(|c| is_primary(c)).filter_map(key).collect();
    let mut kept: Vec<ConstraintDef> = Vec::with_capacity(constraints.len());
    for constraint in constraints {
        let of = key(&constraint).filter(|_| !is_primary(&constraint));
        let like = kept.iter_mut().find(|c| of.is_some() && !is_primary(c) && key(c) == of);
        match like {
            Some(like) => like.name = like.name.take().or(constraint.name),
            None if of.is_some_and(|of| primary.contains(&of)) => {}
            None => kept.push(constraint),
        }
    }
    kept
}

/// Errors: 42P17 for a generated column that reads one.
pub fn check_generated(table: &Relation, column: &Column) -> SqlResult<()> {
    let Some(text) = &column.generated else { return Ok(()) };
    let read = mentioned(table, text);
    let is_read = |c: &&Column| c.generated.is_some() && read.contains(&c.attnum);
    match table.columns.iter().find(is_read) {
        None => Ok(()),
        Some(read) => {
            let message = format!("cannot use generated column \"{}\" in column generation expression", read.name);
            Err(SqlError::new(state::INVALID_OBJECT_DEFINITION, message)
                .detail("A generated column cannot reference another generated column."))
        }
    }
}

/// The columns of CREATE TABLE AS; returns the query in SQLite SQL.
fn query_columns(work: &mut Work<'_>, table: &mut Relation, names: &[String], query: &str) -> SqlResult<String> {
    let statement = parse::parse_query(query, work.scope().allowance)?;
    let sqlparser::ast::Statement::Query(query) = *statement else {
        return Err(SqlError::unsupported("CREATE TABLE AS of a statement that is not a query"));
    };
    let (bound, params) = {
        let scope = work.scope();
        let mut binder = Binder::new(&scope);
        let bound = binder.stored_query(&query)?;
        if bound.writes {
            return Err(SqlError::unsupported("CREATE TABLE AS of a query with effects"));
        }
        (bound, binder.params()?)
    };
    if names.len() > bound.columns.len() {
        return Err(SqlError::syntax("too many column names were specified"));
    }
    for (i, result) in bound.columns.iter().enumerate() {
        let name = names.get(i).unwrap_or(&result.name);
        let ty = if result.ty == Type::UNKNOWN { Type::TEXT } else { result.ty };
        push_column(table, plain_column(i as i16 + 1, name, ty, result.typmod))?;
    }
    work.params = params;
    work.effort = work.effort.max(bound.effort);
    work.facts.get_mut().add(&bound.facts);
    Ok(bound.sql)
}

pub fn plain_column(attnum: i16, name: &str, ty: Type, typmod: i32) -> Column {
    Column {
        attnum,
        name: name.to_owned(),
        ty,
        typmod,
        domain: None,
        not_null: false,
        default: None,
        identity: None,
        generated: None,
        sequence: None,
        collation: None,
    }
}

/// The columns that a query has.
pub fn push_columns(relation: &mut Relation, columns: &[ResultColumn]) -> SqlResult<()> {
    for (i, column) in columns.iter().enumerate() {
        push_column(relation, plain_column(i as i16 + 1, &column.name, column.ty, column.typmod))?;
    }
    Ok(())
}

pub fn push_column(table: &mut Relation, column: Column) -> SqlResult<()> {
    if let Some(other) = table.columns.iter().find(|c| c.name.eq_ignore_ascii_case(&column.name)) {
        return Err(match other.name == column.name {
            true => {
                SqlError::new(state::DUPLICATE_COLUMN, format!("column \"{}\" specified more than once", column.name))
            }
            false => SqlError::unsupported(format!(
                "a column \"{}\" beside \"{}\" (names that differ only in case)",
                column.name, other.name
            )),
        });
    }
    if !matches!(table.kind, RelationKind::View { .. }) {
        refuse_system_column(&column.name)?;
    }
    if table.columns.len() >= 1600 {
        return Err(SqlError::new(SqlStates::TOO_MANY_COLUMNS, "tables can have at most 1600 columns"));
    }
    table.columns.push(column);
    Ok(())
}

/// SQLSTATEs that only this file needs.
struct SqlStates;
impl SqlStates {
    const TOO_MANY_COLUMNS: crate::error::SqlState = crate::error::SqlState::new("54011");
}

/// Adds a column to `table`, creating its sequence; returns the constraints that came with it.
pub fn define_column(work: &mut Work<'_>, table: &mut Relation, def: &ColumnDef) -> SqlResult<Vec<ConstraintDef>> {
    let attnum = table.columns.iter().map(|c| c.attnum).max().unwrap_or(0) + 1;
    let serial = match (&def.ty.schema, def.ty.name.as_str()) {
        (None, "serial" | "serial4") => Some(Type::INT4),
        (None, "bigserial" | "serial8") => Some(Type::INT8),
        (None, "smallserial" | "serial2") => Some(Type::INT2),
        _ => None,
    };
    let (ty, typmod) = match serial {
        Some(ty) if !def.ty.array => (ty, NO_TYPMOD),
        Some(_) => return Err(SqlError::unsupported("array of serial").position(def.ty.position)),
        None => work.type_of(&def.ty)?,
    };
    let mut column = plain_column(attnum, &def.name, ty, typmod);
    work.as_declared(&mut column)?;
    let ty = column.ty;
    let conflict = |what: &str| {
        let message = format!("{what} for column \"{}\" of table \"{}\"", def.name, table.name);
        Err(SqlError::syntax(message).position(def.position))
    };
    let (mut rest, mut nullable) = (Vec::new(), false);
    if serial.is_some() {
        let sequence = owned_sequence(work, table, &def.name, ty, &[])?;
        column.default = Some(nextval_of(&sequence));
        (column.sequence, column.not_null) = (Some(sequence.oid), true);
        work.create(sequence)?;
    }
    for constraint in &def.constraints {
        match &constraint.kind {
            ConstraintSyntax::Null => nullable = true,
            ConstraintSyntax::Collate(collation) => {
                column.collation =
                    collated(work, column.ty, *collation).map_err(|error| error.position(constraint.position))?;
            }
            ConstraintSyntax::NotNull => column.not_null = true,
            ConstraintSyntax::Default(_) if column.default.is_some() => {
                return conflict("multiple default values specified");
            }
            // Of a domain, NULL stands instead of the default that the domain may have.
            ConstraintSyntax::Default(text) => {
                let text = work.settled(text, &column);
                column.default = Some(text).filter(|t| !is_null(t) || column.domain.is_some());
            }
            ConstraintSyntax::Generated(_) if column.generated.is_some() => {
                return conflict("multiple generation clauses specified");
            }
            ConstraintSyntax::Generated(text) => column.generated = Some(text.clone()),
            ConstraintSyntax::Identity { .. } if column.identity.is_some() => {
                return conflict("multiple identity specifications");
            }
            ConstraintSyntax::Identity { .. } if column.default.is_some() => {
                return conflict("both default and identity specified");
            }
            ConstraintSyntax::Identity { always, options } => {
                let sequence = owned_sequence(work, table, &def.name, ty, options)?;
                column.identity = Some(if *always { Identity::Always } else { Identity::ByDefault });
                (column.sequence, column.not_null) = (Some(sequence.oid), true);
                work.create(sequence)?;
            }
            kind => {
                let mut moved = constraint.clone();
                moved.kind = match kind.clone() {
                    ConstraintSyntax::PrimaryKey(_) => ConstraintSyntax::PrimaryKey(vec![def.name.clone()]),
                    ConstraintSyntax::Unique(_) => ConstraintSyntax::Unique(vec![def.name.clone()]),
                    ConstraintSyntax::ForeignKey { table, referenced, on_update, on_delete, full, .. } => {
                        let columns = vec![def.name.clone()];
                        ConstraintSyntax::ForeignKey { columns, table, referenced, on_update, on_delete, full }
                    }
                    other => other,
                };
                rest.push(moved);
            }
        }
    }
    if column.generated.is_some() && column.identity.is_some() {
        return conflict("both identity and generation expression specified");
    }
    if column.generated.is_some() && column.default.is_some() {
        return conflict("both default and generation expression specified");
    }
    let asks = column.domain.is_some_and(|domain| !work.catalog.rules_of(domain).is_empty());
    if column.generated.is_some() && asks {
        return Err(SqlError::unsupported("a domain with conditions in a generated column"));
    }
    if nullable && column.not_null {
        return conflict("conflicting NULL/NOT NULL declarations");
    }
    push_column(table, column).map_err(|e| e.position(def.position))?;
    Ok(rest)
}

/// A default that is a literal of a moment (`'now'`, `'today 12:00'`) means the moment of the definition: its text is computed where
/// the log is applied, where it is known when that is.
pub fn freeze_default(work: &mut Work<'_>, table: &Relation, column: &Column) -> SqlResult<()> {
    let Some(text) = &column.default else { return Ok(()) };
    if let Some(frozen) = frozen(work, text, (column.ty, column.typmod))? {
        work.sql(format!(
            "UPDATE \"pg_catalog.pg_attrdef\" SET source = f.text, adbin = json_array(f.text, f.text) \
             FROM ({frozen}) f WHERE adrelid = {} AND adnum = {}",
            table.oid, column.attnum
        ));
    }
    Ok(())
}

/// The query of the text that such a default becomes.
pub fn frozen(work: &Work<'_>, text: &str, target: (Type, i32)) -> SqlResult<Option<String>> {
    let (ty, _) = target;
    let literal = match parse_expr(text)? {
        Expr::Value(value) => Some(value.value),
        Expr::TypedString(typed) => Some(typed.value.value),
        Expr::Cast { expr, .. } => match *expr {
            Expr::Value(value) => Some(value.value),
            _ => None,
        },
        _ => None,
    };
    let Some(sqlparser::ast::Value::SingleQuotedString(literal)) = literal else { return Ok(None) };
    if !matches!(parse_literal(ty, NO_TYPMOD, &literal, work.scope().env), Ok(None)) {
        return Ok(None);
    }
    let value = work.bind(None, text, Some(target), Kept::Default)?;
    let name = work.type_name(ty).replace('\'', "''");
    Ok(Some(format!("SELECT '''' || q_out({}, -1, {value}) || '''::{name}' AS text", ty.0)))
}

fn is_null(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("null")
}

/// CREATE TABLE (LIKE …).
fn copy_definition(work: &mut Work<'_>, table: &mut Relation, like: &Like) -> SqlResult<Vec<ConstraintDef>> {
    let source = work.relation(&like.table)?;
    work.check_right(&source, SELECT, &[])?;
    let mut constraints = Vec::new();
    for from in &source.columns {
        let attnum = table.columns.iter().map(|c| c.attnum).max().unwrap_or(0) + 1;
        let mut column = plain_column(attnum, &from.name, from.ty, from.typmod);
        (column.domain, column.collation) = (from.domain, from.collation);
        column.not_null = from.not_null;
        column.default = from.default.clone().filter(|_| like.defaults);
        column.generated = from.generated.clone().filter(|_| like.generated);
        if let Some(identity) = from.identity.filter(|_| like.identity) {
            let mut sequence = owned_sequence(work, table, &from.name, from.ty, &[])?;
            let source = from.sequence.and_then(|oid| work.catalog.by_oid(oid)).map(|source| source.kind.clone());
            if let Some(kind @ RelationKind::Sequence(_)) = source {
                sequence.kind = kind;
            }
            (column.identity, column.sequence) = (Some(identity), Some(sequence.oid));
            work.create(sequence)?;
        }
        push_column(table, column)?;
    }
    let names = |columns: &[i16]| -> Vec<String> {
        columns.iter().filter_map(|n| source.column_at(*n)).map(|c| c.name.clone()).collect()
    };
    for c in &source.constraints {
        match &c.kind {
            ConstraintKind::Check(text) if like.constraints => {
                constraints.push(ConstraintDef {
                    name: Some(c.name.clone()),
                    ..ConstraintDef::new(ConstraintSyntax::Check(text.clone()))
                });
            }
            ConstraintKind::PrimaryKey { index } if like.indexes => {
                let (deferrable, initially_deferred) = (c.deferrable, c.initially_deferred);
                let index = source.indexes.iter().find(|i| i.oid == *index);
                constraints.push(ConstraintDef {
                    deferrable,
                    initially_deferred,
                    include: names(index.map_or(&[], |i| &i.include)),
                    storage: index.map_or_else(Vec::new, storage::of_another),
                    ..ConstraintDef::new(ConstraintSyntax::PrimaryKey(names(&c.columns)))
                });
            }
            ConstraintKind::Unique { .. } if like.indexes => {
                let index = source
                    .indexes
                    .iter()
                    .find(|i| matches!(c.kind, ConstraintKind::Unique { index } if index == i.oid));
                let nulls_equal = index.is_some_and(|i| i.nulls_equal);
                constraints.push(ConstraintDef {
                    nulls_equal,
                    include: names(index.map_or(&[], |i| &i.include)),
                    storage: index.map_or_else(Vec::new, storage::of_another),
                    deferrable: c.deferrable,
                    initially_deferred: c.initially_deferred,
                    ..ConstraintDef::new(ConstraintSyntax::Unique(names(&c.columns)))
                });
            }
            _ => {}
        }
    }
    Ok(constraints)
}

/// Adds a constraint to `table`'s value, with its index; `is_new` while the table does not exist yet.
pub fn define_constraint(
    work: &mut Work<'_>,
    table: &mut Relation,
    def: &ConstraintDef,
    is_new: bool,
) -> SqlResult<()> {
    let namesake = def.name.as_ref().and_then(|name| Some((name, table.constraint(name)?)));
    if let Some((name, namesake)) = namesake {
        let is_key =
            |c: &Constraint| matches!(c.kind, ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. });
        return Err(match &def.kind {
            ConstraintSyntax::PrimaryKey(_) | ConstraintSyntax::Unique(_) if is_key(namesake) => duplicate(name),
            ConstraintSyntax::Check(_)
                if work.catalog.by_oid(table.oid).is_none() && matches!(namesake.kind, ConstraintKind::Check(_)) =>
            {
                SqlError::new(state::DUPLICATE_OBJECT, format!("check constraint \"{name}\" already exists"))
            }
            _ => {
                let message = format!("constraint \"{name}\" for relation \"{}\" already exists", table.name);
                SqlError::new(state::DUPLICATE_OBJECT, message)
            }
        });
    }
    match &def.kind {
        ConstraintSyntax::Check(text) => define_check(work, table, def, text),
        ConstraintSyntax::PrimaryKey(columns) => define_key(work, table, def, columns, true, is_new),
        ConstraintSyntax::Unique(columns) => define_key(work, table, def, columns, false, is_new),
        ConstraintSyntax::ForeignKey { .. } => define_foreign_key(work, table, def),
        _ => Err(SqlError::internal("a column's property as a table constraint")),
    }
}

fn define_check(work: &mut Work<'_>, table: &mut Relation, def: &ConstraintDef, text: &str) -> SqlResult<()> {
    let columns = mentioned(table, text);
    let only = if let [one] = columns[..] { table.column_at(one).map_or("", |c| &c.name) } else { "" };
    let name = constraint_name(work, table, def, only, "check");
    work.bind(Some(table), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Check)?;
    let oid = work.oid();
    table.constraints.push(Constraint {
        oid,
        name,
        kind: ConstraintKind::Check(text.to_owned()),
        columns,
        deferrable: false,
        initially_deferred: false,
        validated: true,
    });
    Ok(())
}

/// Columns of `table` that an expression's identifiers name.
pub fn mentioned(table: &Relation, text: &str) -> Vec<i16> {
    let words = Lexer::new(text).filter_map(Result::ok).filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted));
    let names: BTreeSet<String> = words.map(|t| identifier(t.text(text))).collect();
    table.columns.iter().filter(|c| names.contains(&c.name)).map(|c| c.attnum).collect()
}

fn constraint_name(work: &Work<'_>, table: &Relation, def: &ConstraintDef, columns: &str, label: &str) -> String {
    if let Some(name) = &def.name {
        return name.clone();
    }
    let taken = |name: &str| table.constraint(name).is_some();
    work.choose_name(&table.schema, &table.name, columns, label, &taken)
}

pub fn attnums_of(table: &Relation, names: &[String]) -> SqlResult<Vec<i16>> {
    let mut attnums = Vec::new();
    for name in names {
        let missing =
            || SqlError::new(state::UNDEFINED_COLUMN, format!("column \"{name}\" named in key does not exist"));
        attnums.push(table.column(name).ok_or_else(missing)?.attnum);
    }
    Ok(attnums)
}

fn define_key(
    work: &mut Work<'_>,
    table: &mut Relation,
    def: &ConstraintDef,
    names: &[String],
    primary: bool,
    is_new: bool,
) -> SqlResult<()> {
    if primary && table.primary_key().is_some() {
        let message = format!("multiple primary keys for table \"{}\" are not allowed", table.name);
        return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message).position(def.position));
    }
    let columns = attnums_of(table, names).map_err(|e| e.position(def.position))?;
    if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)).map(|(_, name)| name) {
        let what = if primary { "primary key" } else { "unique" };
        let message = format!("column \"{twice}\" appears twice in {what} constraint");
        return Err(SqlError::new(state::DUPLICATE_COLUMN, message).position(def.position));
    }
    let name = match (&def.name, primary) {
        (Some(name), _) if work.is_taken(&table.schema, name) || *name == table.name => return Err(duplicate(name)),
        (Some(name), _) => name.clone(),
        (None, true) => constraint_name(work, table, def, "", "pkey"),
        (None, false) => constraint_name(work, table, def, &[names, &def.include].concat().join("_"), "key"),
    };
    work.check_case(&table.schema, &name)?;
    let (index, oid) = (work.oid(), work.oid());
    if primary {
        for column in table.columns.iter_mut().filter(|c| columns.contains(&c.attnum)) {
            column.not_null = true;
        }
    }
    let is_integer = |n: &i16| {
        table
            .column_at(*n)
            .is_some_and(|c| matches!(c.ty, Type::INT2 | Type::INT4 | Type::INT8) && c.generated.is_none())
    };
    if primary && is_new && !def.deferrable && columns.len() == 1 && is_integer(&columns[0]) {
        work.catalog.rowid_keys.insert(index);
    }
    table.indexes.push(Index {
        oid: index,
        name: name.clone(),
        keys: columns.iter().map(|n| plain_key(*n)).collect(),
        include: attnums_of(table, &def.include).map_err(|e| e.position(def.position))?,
        unique: true,
        primary,
        nulls_equal: def.nulls_equal,
        method: methods::BTREE,
        predicate: None,
        valid: true,
        clustered: false,
        options: storage::of_index_by(methods::BTREE, &[], &def.storage)?,
    });
    table.constraints.push(Constraint {
        oid,
        name,
        kind: if primary { ConstraintKind::PrimaryKey { index } } else { ConstraintKind::Unique { index } },
        columns,
        deferrable: def.deferrable,
        initially_deferred: def.initially_deferred,
        validated: true,
    });
    Ok(())
}

/// The collation of a column of that type, if it is not the type's. Errors: 42804.
pub fn collated(work: &Work<'_>, ty: Type, collation: u32) -> SqlResult<Option<u32>> {
    check_collatable(work, ty)?;
    Ok(Some(collation).filter(|oid| *oid != catalog::default_collation(ty)))
}

/// Errors: 42804 for a type whose values have no collation.
pub fn check_collatable(work: &Work<'_>, ty: Type) -> SqlResult<()> {
    if catalog::default_collation(ty) != 0 {
        return Ok(());
    }
    let text = format!("collations are not supported by type {}", work.catalog.format_type(&[], ty, NO_TYPMOD));
    Err(SqlError::new(state::DATATYPE_MISMATCH, text))
}

fn plain_key(attnum: i16) -> IndexKey {
    IndexKey {
        column: Some(attnum),
        expression: None,
        ty: None,
        class: None,
        descending: false,
        nulls_first: false,
        collation: None,
    }
}

fn define_foreign_key(work: &mut Work<'_>, table: &mut Relation, def: &ConstraintDef) -> SqlResult<()> {
    let ConstraintSyntax::ForeignKey { columns: names, table: parent, referenced, on_update, on_delete, full } =
        &def.kind
    else {
        return Err(SqlError::internal("not a foreign key"));
    };
    let itself = parent.name == table.name && parent.schema.as_ref().is_none_or(|s| *s == table.schema);
    let parent = if itself { table.clone() } else { work.relation(parent)? };
    if !matches!(parent.kind, RelationKind::Table | RelationKind::System) {
        let message = format!("referenced relation \"{}\" is not a table", parent.name);
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
    }
    if matches!(parent.kind, RelationKind::System) {
        return Err(system_relation(&parent));
    }
    if is_temporary(&parent.schema) != is_temporary(&table.schema) {
        let kind = if is_temporary(&table.schema) { "temporary" } else { "permanent" };
        let message = format!("constraints on {kind} tables may reference only {kind} tables");
        return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message));
    }
    let mut columns = Vec::new();
    for name in names {
        let missing = || {
            let message = format!("column \"{name}\" referenced in foreign key constraint does not exist");
            SqlError::new(state::UNDEFINED_COLUMN, message)
        };
        let system = || {
            refuse_system_column(name)
                .err()
                .map(|_| SqlError::new(state::FEATURE_NOT_SUPPORTED, "system columns cannot be used in foreign keys"))
        };
        let column = table.column(name).ok_or_else(|| system().unwrap_or_else(missing))?;
        let changes = [(on_update, "ON UPDATE"), (on_delete, "ON DELETE")].into_iter().find(|(action, place)| {
            matches!(action, Action::SetNull | Action::SetDefault)
                || matches!(action, Action::Cascade) && *place == "ON UPDATE"
        });
        if let (Some(_), Some((_, place))) = (&column.generated, changes) {
            let text = format!("invalid {place} action for foreign key constraint containing generated column");
            return Err(SqlError::syntax(text));
        }
        columns.push(column.attnum);
    }
    let target = referenced_columns(&parent, referenced)?;
    if !itself {
        work.check_right(&parent, REFERENCES, &target)?;
    }
    if target.len() != columns.len() {
        let message = "number of referencing and referenced columns for foreign key disagree";
        return Err(SqlError::new(state::INVALID_FOREIGN_KEY, message));
    }
    if referenced_key(&parent, &target).is_none() {
        if parent.indexes.iter().any(|i| is_key_of(i, &target)) {
            let what = if referenced.is_empty() { "primary key" } else { "unique constraint" };
            let message = format!("cannot use a deferrable {what} for referenced table \"{}\"", parent.name);
            return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        let message =
            format!("there is no unique constraint matching given keys for referenced table \"{}\"", parent.name);
        return Err(SqlError::new(state::INVALID_FOREIGN_KEY, message));
    }
    let name = constraint_name(work, table, def, &names.join("_"), "fkey");
    for (own, other) in columns.iter().zip(&target) {
        let (Some(own), Some(other)) = (table.column_at(*own), parent.column_at(*other)) else { continue };
        let fit = references::fit(own.ty, other.ty);
        let changes = matches!(on_update, Action::NoAction | Action::Restrict)
            && matches!(on_delete, Action::NoAction | Action::Restrict);
        if fit == Fit::Converted && !changes {
            let what = "a foreign key with actions between a date and a timestamp";
            return Err(SqlError::unsupported(what));
        }
        if fit == Fit::Plain && other.ty.has_key() {
            // SQLite looks for the parent by the value that is stored.
            return Err(SqlError::unsupported(format!("a foreign key of type {}", work.type_name(other.ty))));
        }
        if fit == Fit::No {
            let message = format!("foreign key constraint \"{name}\" cannot be implemented");
            let types = (work.type_name(own.ty), work.type_name(other.ty));
            return Err(SqlError::new(state::DATATYPE_MISMATCH, message).detail(format!(
                "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
                own.name, other.name, types.0, types.1
            )));
        }
    }
    let oid = work.oid();
    table.constraints.push(Constraint {
        oid,
        name,
        kind: ConstraintKind::ForeignKey {
            table: parent.oid,
            columns: target,
            on_update: *on_update,
            on_delete: *on_delete,
            full: *full,
        },
        columns,
        deferrable: def.deferrable,
        initially_deferred: def.initially_deferred,
        validated: true,
    });
    Ok(())
}

fn referenced_columns(parent: &Relation, names: &[String]) -> SqlResult<Vec<i16>> {
    if names.is_empty() {
        let missing = || {
            let message = format!("there is no primary key for referenced table \"{}\"", parent.name);
            SqlError::new(state::UNDEFINED_OBJECT, message)
        };
        return Ok(parent.primary_key().ok_or_else(missing)?.columns.clone());
    }
    let mut columns = Vec::new();
    for name in names {
        let missing = || {
            let message = format!("column \"{name}\" referenced in foreign key constraint does not exist");
            SqlError::new(state::UNDEFINED_COLUMN, message)
        };
        columns.push(parent.column(name).ok_or_else(missing)?.attnum);
    }
    Ok(columns)
}

// ---- indexes

fn create_index(work: &mut Work<'_>, def: &CreateIndex) -> SqlResult<&'static str> {
    work.alone = def.concurrently.then_some("CREATE INDEX CONCURRENTLY");
    let table = work.stored(&def.table)?;
    work.check_owner(&table)?;
    work.check_creates_in(&table.schema)?;
    let name = match &def.name {
        Some(name) => {
            if !is_free(work, &table.schema, &name.name, def.if_not_exists)? {
                return Ok("CREATE INDEX");
            }
            name.name.clone()
        }
        None => {
            let label = index_columns(def);
            work.choose_name(&table.schema, &table.name, &label, "idx", &|_| false)
        }
    };
    let method = match def.method.as_deref() {
        Some(name) => methods::method(name).ok_or_else(|| {
            SqlError::new(state::UNDEFINED_OBJECT, format!("access method \"{name}\" does not exist"))
        })?,
        None => methods::BTREE,
    };
    let lacks = |what: &str| {
        let message = format!("access method \"{}\" does not support {what}", methods::method_name(method));
        Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message))
    };
    match methods::method_name(method) {
        "btree" => {}
        _ if def.unique => return lacks("unique indexes"),
        "hash" | "spgist" if def.keys.len() > 1 => return lacks("multicolumn indexes"),
        "hash" | "gin" | "brin" if !def.include.is_empty() => return lacks("included columns"),
        _ if def.keys.iter().any(|k| k.descending) => return lacks("ASC/DESC options"),
        _ if def.keys.iter().any(|k| k.nulls_first.is_some()) => return lacks("NULLS FIRST/LAST options"),
        _ => {}
    }
    let mut keys = Vec::new();
    for element in &def.keys {
        let column = match &element.column {
            Some(name) => Some(
                table
                    .column(name)
                    .ok_or_else(|| match refuse_system_column(name) {
                        Err(_) => SqlError::new(
                            state::FEATURE_NOT_SUPPORTED,
                            "index creation on system columns is not supported",
                        ),
                        Ok(()) => SqlError::new(state::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist")),
                    })?
                    .attnum,
            ),
            None => None,
        };
        let ty = match (&element.expression, column.and_then(|n| table.column_at(n))) {
            (Some(text), _) => work.type_of_expression(&table, text)?,
            (None, column) => column.map_or(Type::TEXT, |c| c.ty),
        };
        if element.collation.is_some() {
            check_collatable(work, ty)?;
        }
        keys.push(IndexKey {
            column,
            expression: element.expression.clone(),
            ty: element.expression.as_ref().map(|_| ty),
            class: operator_class(work, method, element.class.as_deref(), ty)?,
            descending: element.descending,
            nulls_first: element.nulls_first.unwrap_or(element.descending),
            collation: element.collation.filter(|oid| *oid != catalog::default_collation(ty)),
        });
    }
    let include = attnums_of(&table, &def.include)?;
    let oid = work.oid();
    let mut index = Index {
        oid,
        name,
        keys,
        include,
        unique: def.unique,
        primary: false,
        nulls_equal: def.nulls_equal,
        method,
        predicate: def.predicate.clone(),
        valid: true,
        clustered: false,
        options: storage::of_index_by(method, &[], &def.storage)?,
    };
    if !methods::is_physical(method) {
        let name = methods::method_name(method);
        let message =
            format!("index \"{}\" is kept in the catalog, but access method \"{name}\" is not used yet", index.name);
        work.notice(state::SUCCESSFUL_COMPLETION, message);
        check_index(work, &table, &index)?;
    }
    let online = def.concurrently && online::can_be(work, &table, &index)?;
    index.valid = !online;
    let mut new = table.clone();
    new.indexes.push(index.clone());
    if online {
        online::begin(work, &new, &index)?;
    } else {
        if def.unique {
            guard_unique(work, &new, &index)?;
        }
        work.create_physical_index(&new, &index)?;
        work.passes = true;
    }
    work.update(&table, new);
    Ok("CREATE INDEX")
}

/// The operator class of an index's key, if it is not the default.
fn operator_class(work: &Work<'_>, method: u32, name: Option<&str>, ty: Type) -> SqlResult<Option<u32>> {
    let method_name = methods::method_name(method);
    let there = |extension: &str| work.catalog.extensions.contains_key(extension);
    let Some(name) = name else {
        if methods::default_class(method, ty).is_some() {
            return Ok(None);
        }
        if let Some(class) = methods::extended_default(method, ty, there) {
            return Ok(Some(class.oid));
        }
        let ty = work.type_name(ty);
        let message = format!("data type {ty} has no default operator class for access method \"{method_name}\"");
        return Err(SqlError::new(state::UNDEFINED_OBJECT, message).hint(
            "You must specify an operator class for the index or define a default operator class for the data type.",
        ));
    };
    if !methods::has_class(method, name, there) {
        let message = format!("operator class \"{name}\" does not exist for access method \"{method_name}\"");
        return Err(SqlError::new(state::UNDEFINED_OBJECT, message));
    }
    match methods::named_class(method, name, ty, there) {
        Some(class) => Ok(Some(class.oid).filter(|_| !class.is_built_in_default())),
        None => {
            let message = format!("operator class \"{name}\" does not accept data type {}", work.type_name(ty));
            Err(SqlError::new(state::DATATYPE_MISMATCH, message))
        }
    }
}

/// Binds what an index computes, for its errors.
fn check_index(work: &Work<'_>, table: &Relation, index: &Index) -> SqlResult<()> {
    for text in index.keys.iter().filter_map(|k| k.expression.as_ref()) {
        work.bind(Some(table), text, None, Kept::Index)?;
    }
    if let Some(text) = &index.predicate {
        work.bind(Some(table), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Predicate)?;
    }
    Ok(())
}

/// The middle of an index's default name: its columns, numbered when repeated.
fn index_columns(def: &CreateIndex) -> String {
    let mut names: Vec<String> = Vec::new();
    let column = |k: &IndexElement| k.column.clone().unwrap_or_else(|| name_of_expression(k.expression.as_deref()));
    for base in def.keys.iter().map(column).chain(def.include.iter().cloned()) {
        let mut name = base.clone();
        let mut pass = 0;
        while names.contains(&name) {
            pass += 1;
            name = format!("{base}{pass}");
        }
        names.push(name);
    }
    names.join("_")
}

/// Refuses a name that every table's rows have a value under.
pub fn refuse_system_column(name: &str) -> SqlResult<()> {
    if ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"].contains(&name) {
        let message = format!("column name \"{name}\" conflicts with a system column name");
        return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
    }
    Ok(())
}

/// What an index's column is called that is an expression: as a select list would call it.
pub fn name_of_expression(expression: Option<&str>) -> String {
    expression.and_then(suggested_name).unwrap_or_else(|| "expr".to_owned())
}

/// Refuses to make a unique index over rows that repeat a key.
pub fn guard_unique(work: &mut Work<'_>, table: &Relation, index: &Index) -> SqlResult<()> {
    let mut terms = Vec::new();
    for key in &index.keys {
        match (&key.expression, key.column.and_then(|n| table.column_at(n))) {
            (Some(text), _) => terms.push(work.bind(Some(table), text, None, Kept::Index)?),
            (None, Some(column)) => terms.push(quote(&column.name)),
            (None, None) => {}
        }
    }
    let mut conditions: Vec<String> = terms.iter().map(|t| format!("({t}) IS NOT NULL")).collect();
    if index.nulls_equal {
        conditions = vec!["1".to_owned()];
    }
    if let Some(text) = &index.predicate {
        conditions.push(work.bind(Some(table), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Predicate)?);
    }
    let from = format!(
        "FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1",
        quote(&sqlite_name(&table.schema, &table.name)),
        conditions.join(" AND "),
        terms.join(", ")
    );
    let repeated = repeated(&work.scope(), table, index);
    work.guard(&repeated, &from);
    Ok(())
}

/// A row of a table has a key that another one has, too.
pub fn repeated<'r>(scope: &Scope<'_>, table: &'r Relation, index: &'r Index) -> Violation<'r> {
    let columns: Option<Vec<i16>> = index.keys.iter().map(|key| key.column).collect();
    let part = |key: &IndexKey| match (&key.expression, key.column.and_then(|n| table.column_at(n))) {
        (Some(text), _) => {
            let (term, ty, typmod) = bind_typed_column_expr(scope, table, text).ok()?;
            Some(KeyPart { name: deparse::index_key(scope, table, text), term, ty, typmod })
        }
        (None, Some(c)) => {
            Some(KeyPart { name: quote_identifier(&c.name), term: quote(&c.name), ty: c.ty, typmod: c.typmod })
        }
        (None, None) => None,
    };
    let tail = " is duplicated.";
    let detail = match columns {
        Some(columns) => key_detail(table, &columns, "", tail),
        None => index.keys.iter().map(part).collect::<Option<Vec<_>>>().and_then(|parts| parts_detail(&parts, tail)),
    };
    Violation {
        code: state::UNIQUE_VIOLATION,
        message: format!("could not create unique index \"{}\"", index.name),
        detail,
        relation: table,
        column: None,
        constraint: Some(&index.name),
    }
}

// ---- sequences

/// `nextval('schema.name'::regclass)`
pub fn nextval_of(sequence: &Relation) -> String {
    let name = format!("{}.{}", quote_identifier(&sequence.schema), quote_identifier(&sequence.name));
    format!("nextval({}::regclass)", quote_literal(&name))
}

/// A sequence for a serial or identity column.
pub fn owned_sequence(
    work: &mut Work<'_>,
    table: &Relation,
    column: &str,
    ty: Type,
    options: &[SequenceOption],
) -> SqlResult<Relation> {
    if !matches!(ty, Type::INT2 | Type::INT4 | Type::INT8) {
        let message = "identity column type must be smallint, integer, or bigint";
        return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    }
    let named = options.iter().find_map(|o| if let SequenceOption::Name(n) = o { Some(n.name.clone()) } else { None });
    let name = named.unwrap_or_else(|| work.choose_name(&table.schema, &table.name, column, "seq", &|_| false));
    if work.is_taken(&table.schema, &name) {
        return Err(duplicate(&name));
    }
    work.check_case(&table.schema, &name)?;
    let sequence = sequence_with(work, None, ty, options)?.sequence;
    Ok(sequence_relation(work, &table.schema, &name, sequence))
}

fn sequence_relation(work: &mut Work<'_>, schema: &str, name: &str, sequence: Sequence) -> Relation {
    let oid = work.oid();
    let kind = RelationKind::Sequence(sequence);
    let column = |n, name: &str, ty| Column { not_null: true, ..plain_column(n, name, ty, NO_TYPMOD) };
    let columns =
        vec![column(1, "last_value", Type::INT8), column(2, "log_cnt", Type::INT8), column(3, "is_called", Type::BOOL)];
    Relation { columns, ..Relation::new(oid, kind, schema.to_owned(), name.to_owned()) }
}

pub struct SequenceChange {
    pub sequence: Sequence,
    /// RESTART: the next value.
    pub restart: Option<i64>,
    pub owned_by: Option<Option<(Name, String)>>,
}

/// The parameters of a sequence after `options`; `old` for ALTER.
pub fn sequence_with(
    work: &Work<'_>,
    old: Option<&Sequence>,
    ty: Type,
    options: &[SequenceOption],
) -> SqlResult<SequenceChange> {
    let invalid = |message: String| SqlError::new(state::INVALID_PARAMETER_VALUE, message);
    let mut ty = old.map_or(ty, |s| s.ty);
    let (mut increment, mut cache, mut cycle) = old.map_or((1, 1, false), |s| (s.increment, s.cache, s.cycle));
    let mut min = old.map(|s| Some(s.min));
    let mut max = old.map(|s| Some(s.max));
    let (mut start, mut restart, mut owned_by) = (old.map(|s| s.start), None, None);
    for option in options {
        match option {
            SequenceOption::As(name) => {
                let (before, (new, _)) = (ty, work.type_of(name)?);
                if !matches!(new, Type::INT2 | Type::INT4 | Type::INT8) {
                    return Err(invalid("sequence type must be smallint, integer, or bigint".into()));
                }
                ty = new;
                if let Some(s) = old {
                    // Limits that were the old type's become the new type's.
                    if s.min == limits(before).0 {
                        min = Some(Some(limits(new).0));
                    }
                    if s.max == limits(before).1 {
                        max = Some(Some(limits(new).1));
                    }
                }
            }
            SequenceOption::Increment(0) => return Err(invalid("INCREMENT must not be zero".into())),
            SequenceOption::Increment(n) => increment = *n,
            SequenceOption::Min(n) => min = Some(*n),
            SequenceOption::Max(n) => max = Some(*n),
            SequenceOption::Start(n) => start = Some(*n),
            SequenceOption::Restart(n) => restart = Some(*n),
            SequenceOption::Cache(n) if *n < 1 => {
                return Err(invalid(format!("CACHE ({n}) must be greater than zero")));
            }
            SequenceOption::Cache(n) => cache = *n,
            SequenceOption::Cycle(on) => cycle = *on,
            SequenceOption::OwnedBy(owner) => owned_by = Some(owner.clone()),
            SequenceOption::Name(_) => {}
        }
    }
    let (low, high) = limits(ty);
    let min = min.flatten().unwrap_or(if increment > 0 { 1 } else { low });
    let max = max.flatten().unwrap_or(if increment > 0 { high } else { -1 });
    if max > high || max < low {
        return Err(invalid(format!("MAXVALUE ({max}) is out of range for sequence data type {}", integer_name(ty))));
    }
    if min > high || min < low {
        return Err(invalid(format!("MINVALUE ({min}) is out of range for sequence data type {}", integer_name(ty))));
    }
    if min >= max {
        return Err(invalid(format!("MINVALUE ({min}) must be less than MAXVALUE ({max})")));
    }
    let start = start.unwrap_or(if increment > 0 { min } else { max });
    if start < min {
        return Err(invalid(format!("START value ({start}) cannot be less than MINVALUE ({min})")));
    }
    if start > max {
        return Err(invalid(format!("START value ({start}) cannot be greater than MAXVALUE ({max})")));
    }
    let restart = restart.map(|n| n.unwrap_or(start));
    if let Some(n) = restart.filter(|n| *n < min || *n > max) {
        let (word, limit, bound) = if n < min { ("less", "MINVALUE", min) } else { ("greater", "MAXVALUE", max) };
        return Err(invalid(format!("RESTART value ({n}) cannot be {word} than {limit} ({bound})")));
    }
    Ok(SequenceChange { sequence: Sequence { ty, start, increment, min, max, cache, cycle }, restart, owned_by })
}

fn limits(ty: Type) -> (i64, i64) {
    match ty {
        Type::INT2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::INT4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

fn integer_name(ty: Type) -> &'static str {
    match ty {
        Type::INT2 => "smallint",
        Type::INT4 => "integer",
        _ => "bigint",
    }
}

fn create_sequence(
    work: &mut Work<'_>,
    temporary: bool,
    name: &Name,
    if_not_exists: bool,
    options: &[SequenceOption],
) -> SqlResult<&'static str> {
    let schema = work.creation_schema(name, temporary)?;
    if is_free(work, &schema, &name.name, if_not_exists)? {
        let change = sequence_with(work, None, Type::INT8, options)?;
        let sequence = sequence_relation(work, &schema, &name.name, change.sequence);
        let oid = sequence.oid;
        work.create(sequence)?;
        if let Some(owner) = change.owned_by {
            alter::own_sequence(work, oid, owner.as_ref())?;
        }
    }
    Ok("CREATE SEQUENCE")
}

// ---- views and schemas

fn create_view(
    work: &mut Work<'_>,
    (temporary, replace): (bool, bool),
    name: &Name,
    columns: &[String],
    query: &str,
    options: &ViewOptions,
) -> SqlResult<&'static str> {
    let view = view::define(&work.scope(), view::Sort::View, columns, query)?;
    let schema_of = |oid: &u32| work.catalog.by_oid(*oid).map(|r| r.schema.clone()).unwrap_or_default();
    let reads_temporary = view.uses.iter().any(|oid| is_temporary(&schema_of(oid)));
    let reads_others = view.uses.iter().any(|oid| !is_temporary(&schema_of(oid)));
    let mut schema = work.creation_schema(name, temporary)?;
    if reads_temporary && !is_temporary(&schema) {
        work.notice(state::SUCCESSFUL_COMPLETION, format!("view \"{}\" will be a temporary view", name.name));
        schema = work.creation_schema(name, true)?;
    }
    if reads_others {
        // Whoever drops those must know of it.
        work.concerns(Definition::Shared);
    }
    let old = work.catalog.relations.get(&(schema.clone(), name.name.clone())).map(|r| Relation::clone(r));
    match &old {
        Some(r) if !replace => return Err(duplicate(&r.name)),
        Some(r) if !matches!(r.kind, RelationKind::View { .. }) => {
            return Err(SqlError::new(state::WRONG_OBJECT_TYPE, format!("\"{}\" is not a view", r.name)));
        }
        Some(r) => work.check_owner(r)?,
        None => {}
    }
    work.check_case(&schema, &name.name)?;
    let kind = RelationKind::View { definition: view.definition.clone(), options: options.clone() };
    let oid = match &old {
        Some(old) => old.oid,
        None => work.oid(),
    };
    if view.uses.contains(&oid) {
        return Err(SqlError::new(state::INVALID_RECURSION, format!("view \"{}\" refers to itself", name.name)));
    }
    let mut relation = Relation::new(oid, kind, schema, name.name.clone());
    push_columns(&mut relation, &view.columns)?;
    if let Some(old) = &old {
        check_replacement(work, old, &relation)?;
        for column in &mut relation.columns {
            column.default = old.column_at(column.attnum).and_then(|c| c.default.clone());
        }
        work.sql(format!("UPDATE \"_quorate_view\" SET definition = {} WHERE oid = {oid}", literal(&view.definition)));
        work.update(old, relation.clone());
    } else {
        work.sql(format!(
            "INSERT INTO \"_quorate_view\"(oid, definition) VALUES ({oid}, {})",
            literal(&view.definition)
        ));
        work.create(relation.clone())?;
    }
    let shown = Binder::new(&work.scope()).shows(&Arc::new(relation));
    if options.check().is_some() && shown.is_none() {
        let message = "WITH CHECK OPTION is supported only on automatically updatable views";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    note_shown(work, oid, shown);
    work.note_needs(oid, &view.needs);
    Ok("CREATE VIEW")
}

/// Notes for `pg_relation_is_updatable` which relation a view shows the rows of, and which of its columns.
fn note_shown(work: &mut Work<'_>, view: u32, shown: Option<(u32, Vec<i16>)>) {
    let (base, columns) = match shown {
        Some((base, columns)) => (base.to_string(), literal(&serde_json::to_string(&columns).unwrap_or_default())),
        None => ("NULL".to_owned(), "NULL".to_owned()),
    };
    work.sql(format!("UPDATE \"_quorate_view\" SET base = {base}, columns = {columns} WHERE oid = {view}"));
}

/// CREATE OR REPLACE VIEW may only add columns at the end.
fn check_replacement(work: &Work<'_>, old: &Relation, new: &Relation) -> SqlResult<()> {
    let invalid = |message: String| Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message));
    if new.columns.len() < old.columns.len() {
        return invalid("cannot drop columns from view".into());
    }
    for (a, b) in old.columns.iter().zip(&new.columns) {
        if a.name != b.name {
            return invalid(format!("cannot change name of view column \"{}\" to \"{}\"", a.name, b.name));
        }
        if (a.ty, a.typmod) != (b.ty, b.typmod) {
            let shown = |c: &catalog::Column| match c.ty.own() {
                Some(_) => work.type_name(c.ty),
                None => format_type(c.ty, c.typmod),
            };
            let (name, from, to) = (&a.name, shown(a), shown(b));
            return invalid(format!("cannot change data type of view column \"{name}\" from {from} to {to}"));
        }
    }
    Ok(())
}

fn create_schema(
    work: &mut Work<'_>,
    name: Option<&str>,
    owner: Option<&RoleSpec>,
    if_not_exists: bool,
) -> SqlResult<&'static str> {
    let owner = owner.map(|spec| roles::known(work, spec)).transpose()?;
    let name = name.or(owner.as_ref().map(|role| role.name.as_str())).unwrap_or_default();
    work.check_creates_in_database()?;
    if let Some(role) = &owner
        && !work.catalog.rights.roles.is_member(work.role(), role.oid)
    {
        return Err(roles::denied(format!("must be member of role \"{}\"", role.name)));
    }
    if name.starts_with("pg_") {
        return Err(SqlError::new(state::RESERVED_NAME, format!("unacceptable schema name \"{name}\""))
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if let Some(other) = work.catalog.schemas.keys().find(|s| s.eq_ignore_ascii_case(name)) {
        if other != name {
            return Err(SqlError::unsupported(format!(
                "a schema \"{name}\" beside \"{other}\" (names that differ only in case)"
            )));
        }
        let message = format!("schema \"{name}\" already exists");
        if !if_not_exists {
            return Err(SqlError::new(state::DUPLICATE_SCHEMA, message));
        }
        work.notice(state::DUPLICATE_SCHEMA, message + ", skipping");
        return Ok("CREATE SCHEMA");
    }
    if name.contains('.') {
        return Err(SqlError::unsupported("a schema name with a dot"));
    }
    let oid = work.oid();
    work.catalog.schemas.insert(name.to_owned(), oid);
    let owner = owner.as_ref().map_or(work.role(), |role| role.oid);
    work.catalog.rights.set_owner(catalog::Object::schema(oid), owner);
    work.sql(format!(
        "INSERT INTO \"pg_catalog.pg_namespace\"(oid, nspname, nspowner) VALUES ({oid}, {}, {owner})",
        literal(name)
    ));
    work.grant_defaults(catalog::Object::schema(oid), rights::Kind::Schema, "n", "")?;
    Ok("CREATE SCHEMA")
}

/// What the extensions have is here already: they are only noted, for whoever asks which were created.
fn create_extension(work: &mut Work<'_>, name: &str, if_not_exists: bool) -> SqlResult<&'static str> {
    const TAG: &str = "CREATE EXTENSION";
    if work.catalog.extensions.contains_key(name) {
        let message = format!("extension \"{name}\" already exists");
        if !if_not_exists {
            return Err(SqlError::new(state::DUPLICATE_OBJECT, message));
        }
        work.notice(state::DUPLICATE_OBJECT, message + ", skipping");
        return Ok(TAG);
    }
    if !work.is_superuser() && work.check_creates_in_database().is_err() {
        return Err(roles::denied(format!("permission denied to create extension \"{name}\""))
            .hint("Must have CREATE privilege on current database to create this extension."));
    }
    let schema = if name == "plpgsql" { catalog::PG_CATALOG_OID } else { catalog::PUBLIC_OID };
    let version =
        super::grammar::EXTENSIONS.iter().find(|(known, _)| *known == name).map_or("1.0", |(_, version)| version);
    let oid = work.oid();
    work.catalog.extensions.insert(name.to_owned(), oid);
    let role = work.role();
    work.catalog.rights.set_owner(catalog::Object::extension(oid), role);
    work.sql(format!(
        "INSERT INTO \"pg_catalog.pg_extension\"(oid, extname, extowner, extnamespace, extrelocatable, extversion)
         VALUES ({oid}, {}, {}, {schema}, {}, {})",
        literal(name),
        work.role(),
        i32::from(name != "plpgsql"),
        literal(version)
    ));
    if name == "citext" {
        create_citext(work, oid);
    }
    create_operator_classes(work, name, oid);
    Ok(TAG)
}

/// The rows of the operator classes that an extension brings.
fn create_operator_classes(work: &mut Work<'_>, name: &str, extension: u32) {
    let (public, owner) = (catalog::PUBLIC_OID, work.role());
    for class in methods::classes_of(name) {
        let methods::OperatorClass { oid, method, name, ty, default, key, extension: _ } = class;
        work.sql(format!(
            "INSERT INTO \"pg_catalog.pg_opclass\"(oid, opcmethod, opcname, opcnamespace, opcowner, opcfamily, opcintype, \
             opcdefault, opckeytype) VALUES ({oid}, {method}, {}, {public}, {owner}, 0, {}, {}, {})",
            literal(name),
            ty.0,
            i32::from(*default),
            key.0
        ));
        work.sql(format!("INSERT INTO \"pg_catalog.pg_depend\" VALUES (2616, {oid}, 0, 3079, {extension}, 0, 'e')"));
    }
}

/// An extension's operator classes go, unless an index is of them. Errors: 2BP01, 0A000.
fn drop_operator_classes(work: &mut Work<'_>, name: &str, cascade: bool) -> SqlResult<()> {
    let classes: Vec<u32> = methods::classes_of(name).map(|class| class.oid).collect();
    let mut gone = Vec::new();
    for index in work.catalog.relations.values().flat_map(|r| &r.indexes) {
        let mut own = index.keys.iter().filter_map(|key| key.class).filter(|class| classes.contains(class));
        if let Some(class) = own.next_back().and_then(methods::class) {
            let (class, method) = (class.name, methods::method_name(class.method));
            gone.push(format!("index {} depends on operator class {class} for access method {method}", index.name));
        }
    }
    if !gone.is_empty() && cascade {
        let what = format!("DROP EXTENSION {name} CASCADE while indexes are of its operator classes");
        return Err(SqlError::unsupported(what));
    }
    if !gone.is_empty() {
        let message = format!("cannot drop extension {name} because other objects depend on it");
        let error = SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message).detail(gone.join("\n"));
        return Err(error.hint("Use DROP ... CASCADE to drop the dependent objects too."));
    }
    for oid in classes {
        work.sql(format!("DELETE FROM \"pg_catalog.pg_opclass\" WHERE oid = {oid}"));
        work.sql(format!("DELETE FROM \"pg_catalog.pg_depend\" WHERE classid = 2616 AND objid = {oid}"));
    }
    Ok(())
}

/// The rows of citext's types: as those of text, but for the names and what belongs together.
fn create_citext(work: &mut Work<'_>, extension: u32) {
    let (one, array, public, owner) = (Type::CITEXT.0, Type::CITEXT_ARRAY.0, catalog::PUBLIC_OID, work.role());
    let rows = [(Type::TEXT, one, "citext", 0, array), (Type::TEXT_ARRAY, array, "_citext", one, 0)];
    for (like, oid, name, element, of) in rows {
        work.sql(format!(
            "INSERT INTO \"pg_catalog.pg_type\"(oid, typname, typnamespace, typowner, typlen, typbyval, typtype, typcategory, \
             typispreferred, typisdefined, typdelim, typrelid, typsubscript, typelem, typarray, typinput, typoutput, typreceive, \
             typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typnotnull, typbasetype, typtypmod, typndims, typcollation) \
             SELECT {oid}, {}, {public}, {owner}, typlen, typbyval, typtype, typcategory, 0, typisdefined, typdelim, typrelid, \
             typsubscript, {element}, {of}, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, \
             typstorage, typnotnull, typbasetype, typtypmod, typndims, typcollation FROM \"pg_catalog.pg_type\" WHERE oid = {}",
            literal(name),
            like.0
        ));
    }
    work.sql(format!(
        "INSERT INTO \"pg_catalog.pg_depend\" VALUES (1247, {one}, 0, 3079, {extension}, 0, 'e'), \
         (1247, {array}, 0, 1247, {one}, 0, 'i')"
    ));
}

/// Citext's types go, unless a column is of them. Errors: 2BP01, 0A000.
fn drop_citext(work: &mut Work<'_>, cascade: bool) -> SqlResult<()> {
    let (one, array) = (Type::CITEXT, Type::CITEXT_ARRAY);
    let mut gone = Vec::new();
    for relation in work.catalog.relations.values().filter(|r| matches!(r.source, catalog::Source::Table(_))) {
        for column in relation.columns.iter().filter(|c| c.ty == one || c.ty == array) {
            let ty = work.type_name(column.ty);
            gone.push(format!("column {} of table {} depends on type {ty}", column.name, relation.name));
        }
    }
    if !gone.is_empty() && cascade {
        return Err(SqlError::unsupported("DROP EXTENSION citext CASCADE while columns are of its type"));
    }
    if !gone.is_empty() {
        let message = "cannot drop extension citext because other objects depend on it";
        let error = SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message).detail(gone.join("\n"));
        return Err(error.hint("Use DROP ... CASCADE to drop the dependent objects too."));
    }
    work.sql(format!("DELETE FROM \"pg_catalog.pg_type\" WHERE oid IN ({}, {})", one.0, array.0));
    work.sql(format!(
        "DELETE FROM \"pg_catalog.pg_depend\" WHERE classid = 1247 AND objid IN ({}, {})",
        one.0, array.0
    ));
    Ok(())
}

fn drop_extensions(work: &mut Work<'_>, names: &[String], if_exists: bool, cascade: bool) -> SqlResult<&'static str> {
    for name in names {
        let known = work.catalog.extensions.get(name).map(|oid| catalog::Object::extension(*oid));
        if known.is_some_and(|object| !work.owns(object)) {
            return Err(access::not_owner("extension", name));
        }
        if known.is_some() && name == "citext" {
            drop_citext(work, cascade)?;
        }
        if known.is_some() {
            drop_operator_classes(work, name, cascade)?;
        }
        known.iter().for_each(|object| work.catalog.rights.forget_object(*object));
        match work.catalog.extensions.remove(name) {
            Some(oid) => work.sql(format!("DELETE FROM \"pg_catalog.pg_extension\" WHERE oid = {oid}")),
            None => {
                let message = format!("extension \"{name}\" does not exist");
                if !if_exists {
                    return Err(SqlError::new(state::UNDEFINED_OBJECT, message));
                }
                work.notice(state::SUCCESSFUL_COMPLETION, message + ", skipping");
            }
        }
    }
    Ok("DROP EXTENSION")
}

fn drop_schemas(work: &mut Work<'_>, names: &[Name], if_exists: bool, cascade: bool) -> SqlResult<&'static str> {
    work.many = names.len() > 1;
    for name in names {
        let schema = &name.name;
        let Some(&oid) = work.catalog.schemas.get(schema) else {
            if !if_exists {
                return Err(no_schema(schema));
            }
            work.notice(state::SUCCESSFUL_COMPLETION, format!("schema \"{schema}\" does not exist, skipping"));
            continue;
        };
        if !work.is_own_temporary(schema) && !work.owns(catalog::Object::schema(oid)) {
            return Err(access::not_owner("schema", schema));
        }
        if work::is_system_schema(schema) {
            let message = format!("cannot drop schema {schema} because it is required by the database system");
            return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message));
        }
        drop_schema(work, schema, cascade)?;
    }
    Ok("DROP SCHEMA")
}

/// Drops a schema with all that is in it.
pub fn drop_schema(work: &mut Work<'_>, schema: &str, cascade: bool) -> SqlResult<()> {
    let Some(&oid) = work.catalog.schemas.get(schema) else { return Ok(()) };
    {
        let inside = |work: &Work<'_>| -> Option<Relation> {
            let mut own = work.catalog.relations.values().filter(|r| r.schema == schema);
            own.find(|r| !matches!(r.kind, RelationKind::Index { .. })).map(|r| Relation::clone(r))
        };
        let what = format!("schema {}", quote_identifier(schema));
        let mut all: Vec<Relation> =
            work.catalog.relations.values().filter(|r| r.schema == schema).map(|r| Relation::clone(r)).collect();
        all.retain(|r| !matches!(r.kind, RelationKind::Index { .. }) && work.catalog.sequence_owner(r.oid).is_none());
        all.sort_by_key(|r| r.oid);
        for relation in &all {
            let dependent = described(work, relation);
            allow(work, cascade, &what, (relation.oid, &dependent), None);
        }
        let doomed: BTreeSet<u32> = all.iter().map(|r| r.oid).collect();
        let own = types::of_schema(work, schema);
        for own in &own {
            let dependent = format!("type {}", work.type_name(own.ty()));
            allow(work, cascade, &what, (own.oid, &dependent), None);
        }
        while let Some(relation) = inside(work) {
            drop_one(work, &relation, &doomed, cascade)?;
        }
        for own in &own {
            types::drop_one(work, own, cascade)?;
        }
        work.catalog.schemas.remove(schema);
        work.catalog.rights.forget_object(catalog::Object::schema(oid));
        work.catalog.rights.defaults.retain(|(_, place, _), _| *place != oid);
        work.sql(format!("DELETE FROM \"pg_catalog.pg_default_acl\" WHERE defaclnamespace = {oid}"));
        work.concerns(if is_temporary(schema) { Definition::Private } else { Definition::Shared });
        work.sql(format!("DELETE FROM \"pg_catalog.pg_namespace\" WHERE oid = {oid}"));
        work.sql(format!("DELETE FROM \"pg_catalog.pg_description\" WHERE objoid = {oid} AND classoid = 2615"));
    }
    Ok(())
}

// ---- DROP

fn described(work: &Work<'_>, r: &Relation) -> String {
    let noun = match r.kind {
        RelationKind::View { .. } => "view",
        RelationKind::Materialized { .. } => "materialized view",
        RelationKind::Sequence(_) => "sequence",
        RelationKind::Index { .. } => "index",
        _ => "table",
    };
    format!("{noun} {}", work.shown(r))
}

fn is_a(r: &Relation, what: Object) -> bool {
    matches!(
        (&r.kind, what),
        (RelationKind::Table, Object::Table)
            | (RelationKind::View { .. }, Object::View)
            | (RelationKind::Materialized { .. }, Object::Materialized)
            | (RelationKind::Sequence(_), Object::Sequence)
            | (RelationKind::Index { .. }, Object::Index)
    )
}

fn drop_relations(
    work: &mut Work<'_>,
    what: Object,
    names: &[Name],
    if_exists: bool,
    cascade: bool,
) -> SqlResult<&'static str> {
    let mut doomed = Vec::new();
    work.many = names.len() > 1;
    for name in names {
        match work.find(name) {
            Some(r) if matches!(r.kind, RelationKind::System) => return Err(system_relation(&r)),
            Some(r) if is_a(&r, what) => {
                work.check_may_drop(&r)?;
                doomed.push(r.oid);
            }
            Some(r) => {
                let message =
                    format!("\"{}\" is not {} {}", r.name, if what == Object::Index { "an" } else { "a" }, what.noun());
                let error = SqlError::new(state::WRONG_OBJECT_TYPE, message);
                let own = access::noun(&r);
                return Err(match r.kind {
                    RelationKind::Index { .. } | RelationKind::Sequence(_) | RelationKind::Table => {
                        error.hint(format!("Use DROP {} to remove {} {own}.", own.to_uppercase(), article(own)))
                    }
                    _ => error.hint(format!("Use DROP {} to remove a {own}.", own.to_uppercase())),
                });
            }
            None if if_exists => {
                let message = format!("{} \"{}\" does not exist, skipping", what.noun(), name.name);
                let missing = work.missing_schema(name).map(|error| error.message + ", skipping");
                work.notice(state::SUCCESSFUL_COMPLETION, missing.unwrap_or(message));
            }
            None if what == Object::Table
                || what == Object::View
                || what == Object::Materialized
                || what == Object::Sequence
                || what == Object::Index =>
            {
                let code = if what == Object::Index { state::UNDEFINED_OBJECT } else { state::UNDEFINED_TABLE };
                let message = format!("{} \"{}\" does not exist", what.noun(), name.name);
                return Err(work.missing_schema(name).unwrap_or(SqlError::new(code, message)));
            }
            None => return Err(no_relation(name)),
        }
    }
    let set: BTreeSet<u32> = doomed.iter().copied().collect();
    for oid in doomed {
        // An earlier one may have taken this one with it.
        if let Some(relation) = work.catalog.by_oid(oid).map(|r| Relation::clone(r)) {
            drop_one(work, &relation, &set, cascade)?;
        }
    }
    Ok(match what {
        Object::Table => "DROP TABLE",
        Object::Index => "DROP INDEX",
        Object::Sequence => "DROP SEQUENCE",
        Object::View => "DROP VIEW",
        Object::Materialized => "DROP MATERIALIZED VIEW",
        Object::Schema => "DROP SCHEMA",
        Object::Type => "DROP TYPE",
    })
}

fn article(noun: &str) -> &'static str {
    if noun == "index" { "an" } else { "a" }
}

/// Drops one relation; what depends on it goes too if it is `doomed` anyway or with CASCADE.
pub fn drop_one(work: &mut Work<'_>, r: &Relation, doomed: &BTreeSet<u32>, cascade: bool) -> SqlResult<()> {
    let of = described(work, r);
    work.going.insert(r.oid);
    for column in &r.columns {
        release_owned(work, column, &of, doomed, cascade)?;
    }
    drop_views(work, work.views_on(r.oid), &of, doomed, cascade)?;
    match &r.kind {
        RelationKind::Table => drop_table(work, r, doomed, cascade),
        RelationKind::Index { table } => drop_index(work, *table, r.oid, cascade),
        RelationKind::Sequence(_) => drop_sequence(work, r, doomed, cascade),
        RelationKind::View { .. } => {
            work.sql(format!("DELETE FROM \"_quorate_view\" WHERE oid = {}", r.oid));
            work.remove(r);
            Ok(())
        }
        RelationKind::Materialized { .. } => {
            work.sql(format!("DELETE FROM \"_quorate_view\" WHERE oid = {}", r.oid));
            drop_table(work, r, doomed, cascade)
        }
        RelationKind::System => Err(system_relation(r)),
    }
}

/// Views that need something which is to go.
pub fn drop_views(
    work: &mut Work<'_>,
    views: Vec<Relation>,
    of: &str,
    doomed: &BTreeSet<u32>,
    cascade: bool,
) -> SqlResult<()> {
    for view in views {
        if work.catalog.by_oid(view.oid).is_none() || work.going.contains(&view.oid) {
            // It went with another one, or goes already.
            continue;
        }
        if !doomed.contains(&view.oid) {
            let dependent = described(work, &view);
            allow(work, cascade, of, (view.oid, &dependent), None);
        }
        drop_one(work, &view, doomed, cascade)?;
    }
    Ok(())
}

/// Defaults, conditions and indexes that name a relation or a type which is to go. `goes`: that one goes anyway.
pub fn drop_parts(
    work: &mut Work<'_>,
    oid: u32,
    of: &str,
    goes: &dyn Fn(&Relation, &TablePart) -> bool,
    cascade: bool,
) -> SqlResult<()> {
    for (own, check) in work.domains_on(oid) {
        domains::drop_part(work, &own, check.as_deref(), of, cascade)?;
    }
    for (table, part) in work.parts_on(oid).into_iter().filter(|(table, part)| !goes(table, part)) {
        // What went before may have changed it.
        let Some(table) = work.catalog.by_oid(table.oid).map(|r| Relation::clone(r)) else { continue };
        let on = work.shown(&table);
        let name = |attnum| table.column_at(attnum).map(|c| quote_identifier(&c.name)).unwrap_or_default();
        let (dependent, on) = match &part {
            TablePart::Default(attnum) => (format!("default value for column {} of table {on}", name(*attnum)), None),
            TablePart::Generated(attnum) => (format!("column {} of table {on}", name(*attnum)), None),
            TablePart::Check(name) => (format!("constraint {name}"), Some(on.as_str())),
            TablePart::Index(oid) => {
                let index = work.catalog.by_oid(*oid).map(|r| Relation::clone(r));
                (index.map(|index| described(work, &index)).unwrap_or_default(), None)
            }
        };
        allow(work, cascade, of, (table.oid, &dependent), on);
        if !cascade {
            continue;
        }
        match part {
            TablePart::Default(attnum) => {
                let mut new = table.clone();
                new.columns.iter_mut().filter(|c| c.attnum == attnum).for_each(|c| c.default = None);
                work.update(&table, new);
            }
            TablePart::Generated(attnum) => {
                let column = table.column_at(attnum).map(|c| c.name.clone()).unwrap_or_default();
                alter::drop_column(work, &table, &column, true, true)?;
            }
            TablePart::Check(name) => alter::drop_constraint(work, &table, &name, true, true)?,
            TablePart::Index(index) => drop_index(work, table.oid, index, true)?,
        }
    }
    Ok(())
}

/// Notes that something goes with `of`, which CASCADE allows. `on`: the table a dependent constraint or default belongs to.
pub fn allow(work: &mut Work<'_>, cascade: bool, of: &str, (oid, dependent): (u32, &str), on: Option<&str>) {
    let what = on.map_or(dependent.to_owned(), |table| format!("{dependent} on table {table}"));
    work.dependents.push(Dependent { oid, of: of.to_owned(), what, allowed: cascade });
}

fn drop_table(work: &mut Work<'_>, table: &Relation, doomed: &BTreeSet<u32>, cascade: bool) -> SqlResult<()> {
    // SQLite deletes the rows of a table that others refer to before it drops it, so they let go of it first.
    let mut holders: Vec<Relation> = work.catalog.relations.values().map(|r| Relation::clone(r)).collect();
    holders.sort_by_key(|r| r.oid);
    for holder in &holders {
        let foreign: Vec<&Constraint> = holder
            .constraints
            .iter()
            .filter(|c| matches!(c.kind, ConstraintKind::ForeignKey { table: t, .. } if t == table.oid))
            .collect();
        if foreign.is_empty() {
            continue;
        }
        let mut freed = holder.clone();
        let anew = holder.oid != table.oid && foreign.iter().any(|c| sets_default(c));
        for constraint in foreign {
            if holder.oid != table.oid && !doomed.contains(&holder.oid) {
                let name = format!("constraint {}", constraint.name);
                let (of, on) = (described(work, table), work.shown(holder));
                allow(work, cascade, &of, (constraint.oid, &name), Some(&on));
            }
            work.drop_reference(holder, constraint);
            freed.constraints.retain(|c| c.oid != constraint.oid);
        }
        if holder.oid != table.oid {
            work.update(holder, freed.clone());
        }
        if anew {
            work.rebuild(holder, &freed, &BTreeMap::new())?;
        }
    }
    table.indexes.iter().for_each(|index| clashes::drop(work, table, index, "DROP"));
    work.sql(format!("DROP TABLE {}", quote(&sqlite_name(&table.schema, &table.name))));
    work.remove(table);
    table.columns.iter().for_each(|column| remove_owned(work, column));
    Ok(())
}

/// What of other relations draws from a sequence that goes with its column, because `what` goes.
pub fn release_owned(
    work: &mut Work<'_>,
    column: &Column,
    what: &str,
    doomed: &BTreeSet<u32>,
    cascade: bool,
) -> SqlResult<()> {
    let Some(sequence) = owned(work, column) else { return Ok(()) };
    let (of, before) = (described(work, &sequence), work.dependents.len());
    let owner = work.catalog.sequence_owner(sequence.oid).map(|(table, _)| table.oid);
    let doomed: BTreeSet<u32> = doomed.iter().copied().chain(owner).collect();
    drop_parts(work, sequence.oid, &of, &|table, _| doomed.contains(&table.oid), cascade)?;
    drop_views(work, work.views_on(sequence.oid), &of, &doomed, cascade)?;
    if work.dependents.len() > before {
        work.dropped.get_or_insert_with(|| what.to_owned());
    }
    Ok(())
}

/// A sequence goes with its column.
pub fn remove_owned(work: &mut Work<'_>, column: &Column) {
    if let Some(sequence) = owned(work, column) {
        work.remove(&sequence);
    }
}

fn owned(work: &Work<'_>, column: &Column) -> Option<Relation> {
    work.catalog.by_oid(column.sequence?).map(|r| Relation::clone(r))
}

fn drop_index(work: &mut Work<'_>, table: u32, index: u32, cascade: bool) -> SqlResult<()> {
    let table = work.catalog.by_oid(table).map(|r| Relation::clone(r));
    let table = table.ok_or_else(|| SqlError::internal("an index without a table"))?;
    let owner = table.constraints.iter().find(|c| {
        matches!(c.kind, ConstraintKind::PrimaryKey { index: i } | ConstraintKind::Unique { index: i } if i == index)
    });
    let found = table.indexes.iter().find(|i| i.oid == index);
    let found = found.ok_or_else(|| SqlError::internal("an index without a definition"))?.clone();
    if let Some(c) = owner {
        let what = format!("index {}", quote_identifier(&found.name));
        let by = format!("constraint {} on table {}", c.name, quote_identifier(&table.name));
        return Err(SqlError::new(
            state::DEPENDENT_OBJECTS_STILL_EXIST,
            format!("cannot drop {what} because {by} requires it"),
        )
        .hint(format!("You can drop {by} instead.")));
    }
    alter::release_index(work, &table, &found, &format!("index {}", quote_identifier(&found.name)), cascade)?;
    let table = work.catalog.by_oid(table.oid).map_or(table, |r| Relation::clone(r));
    work.drop_physical_index(&table, &found);
    let mut new = table.clone();
    new.indexes.retain(|i| i.oid != index);
    work.update(&table, new);
    Ok(())
}

fn drop_sequence(work: &mut Work<'_>, sequence: &Relation, doomed: &BTreeSet<u32>, cascade: bool) -> SqlResult<()> {
    let owner = work.catalog.sequence_owner(sequence.oid).map(|(r, n)| (Relation::clone(r), n));
    if let Some((table, attnum)) = owner {
        let column = table.column_at(attnum).ok_or_else(|| SqlError::internal("a sequence owned by no column"))?;
        let shown = format!("column {} of table {}", column.name, quote_identifier(&table.name));
        if column.identity.is_some() {
            let what = described(work, sequence);
            let message = format!("cannot drop {what} because {shown} requires it");
            return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message)
                .hint(format!("You can drop {shown} instead.")));
        }
        let mut new = table.clone();
        new.columns.iter_mut().filter(|c| c.attnum == attnum).for_each(|c| c.sequence = None);
        work.update(&table, new);
    }
    let of = described(work, sequence);
    drop_parts(work, sequence.oid, &of, &|table, _| doomed.contains(&table.oid), cascade)?;
    work.remove(sequence);
    Ok(())
}

// ---- TRUNCATE and COMMENT

fn truncate(work: &mut Work<'_>, names: &[Name], restart: bool, cascade: bool) -> SqlResult<&'static str> {
    let mut tables = Vec::new();
    for name in names {
        let table = work.table(name)?;
        work.check_right(&table, TRUNCATE, &[])?;
        if !tables.iter().any(|t: &Relation| t.oid == table.oid) {
            tables.push(table);
        }
    }
    let mut next = 0;
    while next < tables.len() {
        for holder in work.referring(tables[next].oid) {
            if tables.iter().any(|t| t.oid == holder) {
                continue;
            }
            let Some(holder) = work.catalog.by_oid(holder).map(|r| Relation::clone(r)) else { continue };
            if !cascade {
                let message = "cannot truncate a table referenced in a foreign key constraint";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message)
                    .detail(format!("Table \"{}\" references \"{}\".", holder.name, tables[next].name))
                    .hint(format!(
                        "Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                        holder.name
                    )));
            }
            work.check_right(&holder, TRUNCATE, &[])?;
            work.notice(state::SUCCESSFUL_COMPLETION, format!("truncate cascades to table \"{}\"", holder.name));
            tables.push(holder);
        }
        next += 1;
    }
    // Referring tables first, so that no row is left without its parent.
    tables.sort_by_key(|t| std::cmp::Reverse(depth_of(work, t.oid)));
    let circle = tables.iter().any(|t| {
        tables.iter().any(|other| {
            other.oid != t.oid
                && work.referring(t.oid).contains(&other.oid)
                && work.referring(other.oid).contains(&t.oid)
        })
    });
    if circle {
        work.put_off_references();
    }
    for table in &tables {
        work.data(format!("DELETE FROM {}", quote(&sqlite_name(&table.schema, &table.name))));
    }
    for sequence in tables.iter().flat_map(|t| &t.columns).filter_map(|c| c.sequence).filter(|_| restart) {
        work.data(format!(
            "UPDATE \"pg_catalog.pg_sequence\" SET last_value = seqstart, is_called = 0 WHERE seqrelid = {sequence}"
        ));
    }
    Ok("TRUNCATE TABLE")
}

/// How many tables a table depends on through foreign keys: more than any of those has.
fn depth_of(work: &Work<'_>, table: u32) -> usize {
    work.catalog.relations.values().filter(|r| r.oid != table && work.referring(r.oid).contains(&table)).count()
}

fn comment(work: &mut Work<'_>, on: &CommentOn, text: Option<&str>) -> SqlResult<&'static str> {
    let owned = |relation: Relation| work.check_owner(&relation).map(|()| relation);
    let (object, class, part) = match on {
        CommentOn::Relation(_, name) => (owned(work.relation(name)?)?.oid, 1259, 0),
        CommentOn::Column(name, column) => {
            let relation = owned(work.relation(name)?)?;
            let column = relation.column(column).ok_or_else(|| no_column(&relation, column))?;
            (relation.oid, 1259, column.attnum)
        }
        CommentOn::Constraint(constraint, table) => {
            let table = owned(work.table(table)?)?;
            let missing = || {
                let message = format!("constraint \"{constraint}\" for table \"{}\" does not exist", table.name);
                SqlError::new(state::UNDEFINED_OBJECT, message)
            };
            (table.constraint(constraint).ok_or_else(missing)?.oid, 2606, 0)
        }
        CommentOn::DomainConstraint(constraint, domain) => (domains::constraint(work, domain, constraint)?, 2606, 0),
        CommentOn::Schema(schema) => {
            let oid = work.catalog.schemas.get(schema).copied().ok_or_else(|| no_schema(schema))?;
            if !work.owns(catalog::Object::schema(oid)) {
                return Err(access::not_owner("schema", schema));
            }
            (oid, 2615, 0)
        }
        CommentOn::Type(name) => {
            let own = types::find(work, name)?;
            types::check_owner(work, &own)?;
            (own.oid, 1247, 0)
        }
        CommentOn::Other => return Ok("COMMENT"),
    };
    work.data(format!(
        "DELETE FROM \"pg_catalog.pg_description\" WHERE objoid = {object} AND classoid = {class} AND objsubid = {part}"
    ));
    if let Some(text) = text {
        work.data(format!(
            "INSERT INTO \"pg_catalog.pg_description\"(objoid, classoid, objsubid, description)
             VALUES ({object}, {class}, {part}, {})",
            literal(text)
        ));
    }
    Ok("COMMENT")
}

/// Shared with ALTER TABLE: refuses rows of `table` without a parent.
pub fn guard_foreign_key(work: &mut Work<'_>, table: &Relation, constraint: &Constraint) -> SqlResult<()> {
    let ConstraintKind::ForeignKey { table: parent, columns, .. } = &constraint.kind else { return Ok(()) };
    let parent = if *parent == table.oid {
        Some(table.clone())
    } else {
        work.catalog.by_oid(*parent).map(|r| Relation::clone(r))
    };
    let parent = parent.ok_or_else(|| SqlError::internal("a foreign key refers to a table that is gone"))?;
    let tail = format!(" is not present in table \"{}\".", parent.name);
    // SQLite has no table whose rows refer to nothing.
    let (code, message) = match constraint.validated {
        true => (state::FOREIGN_KEY_VIOLATION, references::unmatched(table, constraint)),
        false => {
            let what = format!("NOT VALID where rows break constraint \"{}\"", constraint.name);
            (state::FEATURE_NOT_SUPPORTED, what)
        }
    };
    let violation = Violation {
        code,
        message,
        detail: key_detail(table, &constraint.columns, "c.", &tail),
        relation: table,
        column: None,
        constraint: Some(&constraint.name),
    };
    if let Some(whole) = work::full_condition(table, constraint) {
        let mixed = literal(references::MIXED_NULLS);
        let violation = Violation { detail: Some(mixed), message: violation.message.clone(), ..violation };
        work.guard(
            &violation,
            &format!("FROM {} WHERE NOT ({whole})", quote(&sqlite_name(&table.schema, &table.name))),
        );
    }
    work.guard(&violation, &orphans(table, &parent, &constraint.columns, columns));
    Ok(())
}
