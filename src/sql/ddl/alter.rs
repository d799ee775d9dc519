//! ALTER TABLE and ALTER SEQUENCE. Each action changes the working copy before the next one looks at it.

use super::grammar::{
    AlterAction, ColumnDef, ConstraintDef, ConstraintSyntax, Object, SequenceAction, SequenceOption, set_view_option,
};
use super::roles::owners;
use super::rows::{Expression, referenced_key};
use super::storage;
use super::table::{
    allow, check_generated, collated, define_column, define_constraint, drop_views, freeze_default, guard_foreign_key,
    guard_unique, mentioned, nextval_of, owned_sequence, plain_column, refuse_system_column, release_owned,
    remove_owned, sequence_with,
};
use super::work::{
    NO_COLUMN, Violation, Work, each_kept, is_set_to_default, is_system_schema, no_column, no_relation, no_schema,
    sets_default, system_relation,
};
use crate::command::Definition;
use crate::error::{SqlError, SqlResult, state};
use crate::sql::access;
use crate::sql::bind::{self, Binder, Kept};
use crate::sql::catalog::{
    self, Catalog, Column, Constraint, ConstraintKind, Identity, Index, Relation, RelationKind, Source, is_temporary,
    quote, sqlite_name,
};
use crate::sql::cursor::Name;
use crate::sql::lex::{Kind, Lexer, identifier, quote_identifier};
use crate::sql::view;
use crate::sql::violation::violated_by_some_row;
use crate::types::{NO_TYPMOD, Type};
use sqlparser::ast::Expr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub fn table(
    work: &mut Work<'_>,
    what: Object,
    name: &Name,
    if_exists: bool,
    actions: &[AlterAction],
) -> SqlResult<&'static str> {
    let tag = match what {
        Object::Index => "ALTER INDEX",
        Object::View => "ALTER VIEW",
        Object::Materialized => "ALTER MATERIALIZED VIEW",
        _ => "ALTER TABLE",
    };
    let Some(relation) = work.find(name) else {
        if !if_exists {
            return Err(no_relation(name));
        }
        work.notice(state::SUCCESSFUL_COMPLETION, format!("relation \"{}\" does not exist, skipping", name.name));
        return Ok(tag);
    };
    if matches!(relation.kind, RelationKind::System) {
        return Err(system_relation(&relation));
    }
    if !actions.iter().all(|action| matches!(action, AlterAction::OwnerTo(_))) {
        work.check_owner(&relation)?;
    }
    // PostgreSQL's order: what goes first, then types, new columns, keys and checks, and the rest as it is written.
    let mut actions: Vec<&AlterAction> = actions.iter().collect();
    actions.sort_by_key(|action| match action {
        AlterAction::DropColumn { .. }
        | AlterAction::DropConstraint { .. }
        | AlterAction::DropDefault(_)
        | AlterAction::DropNotNull(_)
        | AlterAction::DropIdentity { .. }
        | AlterAction::DropExpression { .. } => 0,
        AlterAction::SetType { .. } => 1,
        AlterAction::AddColumn { .. } => 2,
        AlterAction::AddConstraint(def) => match def.kind {
            ConstraintSyntax::ForeignKey { .. } => 6,
            ConstraintSyntax::Check(_) => 3,
            _ => 5,
        },
        _ => 4,
    });
    for action in actions {
        let current = work.catalog.by_oid(relation.oid).map(|r| Relation::clone(r));
        let current = current.ok_or_else(|| SqlError::internal("the altered relation is gone"))?;
        // Each action describes the whole relation anew.
        work.scope().allowance.spend(8 * current.columns.len() as u64)?;
        match (&current.kind, action) {
            (_, AlterAction::Accepted) => {}
            (_, AlterAction::OwnerTo(to)) => owners::relation_to(work, &current, to)?,
            (_, AlterAction::RenameTo(to)) => rename(work, &current, to)?,
            (_, AlterAction::SetSchema(to)) => set_schema(work, &current, to)?,
            (RelationKind::Materialized { .. }, action) => alter_materialized(work, &current, action)?,
            (RelationKind::View { .. }, action) => alter_view(work, &current, action)?,
            (RelationKind::Table, action) => alter(work, &current, action)?,
            (RelationKind::Index { .. }, AlterAction::Options(given)) => storage::alter(work, &current, given)?,
            (RelationKind::Index { table }, AlterAction::KeyStatistics(number)) => {
                key_statistics(work, &current, *table, *number)?;
            }
            _ => return Err(SqlError::unsupported(format!("{tag} of this kind"))),
        }
    }
    Ok(tag)
}

fn alter(work: &mut Work<'_>, table: &Relation, action: &AlterAction) -> SqlResult<()> {
    match action {
        AlterAction::AddColumn { if_not_exists, column } => add_column(work, table, column, *if_not_exists),
        AlterAction::DropColumn { if_exists, column, cascade } => {
            drop_column(work, table, column, *if_exists, *cascade)
        }
        AlterAction::AddConstraint(def) => add_constraint(work, table, def),
        AlterAction::DropConstraint { if_exists, name, cascade } => {
            drop_constraint(work, table, name, *if_exists, *cascade)
        }
        AlterAction::SetDefault(column, text) => set_default(work, table, column, Some(text)),
        AlterAction::DropDefault(column) => set_default(work, table, column, None),
        AlterAction::SetNotNull(column) => set_not_null(work, table, column),
        AlterAction::DropNotNull(column) => drop_not_null(work, table, column),
        AlterAction::SetType { column, ty, collation, using } => {
            let (ty, typmod) = work.type_of(ty)?;
            let mut target = plain_column(0, column, ty, typmod);
            work.as_declared(&mut target)?;
            if let Some(collation) = collation {
                target.collation = collated(work, target.ty, *collation)?;
            }
            set_type(work, table, column, &target, using.as_deref())
        }
        AlterAction::AddIdentity { column, always, options } => add_identity(work, table, column, *always, options),
        AlterAction::DropIdentity { column, if_exists } => drop_identity(work, table, column, *if_exists),
        AlterAction::SetIdentity { column, always, options } => set_identity(work, table, column, *always, options),
        AlterAction::RenameColumn(from, to) => rename_column(work, table, from, to),
        AlterAction::RenameConstraint(from, to) => rename_constraint(work, table, from, to),
        AlterAction::ValidateConstraint(name) => validate_constraint(work, table, name),
        AlterAction::AlterConstraint { name, deferrable, deferred } => {
            alter_constraint(work, table, name, *deferrable, *deferred)
        }
        AlterAction::DropExpression { column, if_exists } => drop_expression(work, table, column, *if_exists),
        AlterAction::Unlogged(unlogged) => {
            work.update(table, Relation { unlogged: *unlogged, ..table.clone() });
            Ok(())
        }
        AlterAction::Attribute(name) => column(table, name).map(|_| ()),
        AlterAction::KeyStatistics(_) => {
            let text = "cannot refer to non-index column by number";
            Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text))
        }
        AlterAction::RenameTo(_) | AlterAction::SetSchema(_) | AlterAction::OwnerTo(_) | AlterAction::Accepted => {
            Ok(())
        }
        AlterAction::Options(given) => storage::alter(work, table, given),
        AlterAction::ClusterOn(index) => storage::cluster_on(work, table, index.as_deref()),
    }
}

/// Statistics of an index's key: PostgreSQL keeps them of expressions only, and there are none here.
///
/// Errors: 22023, 42703, 0A000.
fn key_statistics(work: &Work<'_>, index: &Relation, table: u32, number: i64) -> SqlResult<()> {
    let refuse = |code, text: String| Err(SqlError::new(code, text));
    if !(1..=32_767).contains(&number) {
        return refuse(state::INVALID_PARAMETER_VALUE, "column number must be in range from 1 to 32767".to_owned());
    }
    let table = work.catalog.by_oid(table).ok_or_else(|| SqlError::internal("an index without its table"))?;
    let Some(of) = table.indexes.iter().find(|i| i.oid == index.oid) else { return Ok(()) };
    let at = number as usize - 1;
    let (what, attnum) = match (of.keys.get(at), at.checked_sub(of.keys.len()).and_then(|at| of.include.get(at))) {
        (Some(key), _) => ("non-expression", key.column),
        (None, Some(included)) => ("included", Some(*included)),
        (None, None) => {
            let text = format!("column number {number} of relation \"{}\" does not exist", index.name);
            return refuse(state::UNDEFINED_COLUMN, text);
        }
    };
    let Some(column) = attnum.and_then(|attnum| table.column_at(attnum)) else { return Ok(()) };
    let text = format!("cannot alter statistics on {what} column \"{}\" of index \"{}\"", column.name, index.name);
    let error = SqlError::new(state::FEATURE_NOT_SUPPORTED, text);
    Err(if what == "included" { error } else { error.hint("Alter statistics on table column instead.") })
}

fn alter_view(work: &mut Work<'_>, view: &Relation, action: &AlterAction) -> SqlResult<()> {
    match action {
        AlterAction::SetDefault(column, text) => set_default(work, view, column, Some(text)),
        AlterAction::DropDefault(column) => set_default(work, view, column, None),
        AlterAction::RenameColumn(from, to) => rename_column(work, view, from, to),
        AlterAction::Options(options) => set_view_options(work, view, options),
        action => {
            let message =
                format!("ALTER action {} cannot be performed on relation \"{}\"", described(action), view.name);
            let detail = "This operation is not supported for views.";
            Err(SqlError::new(state::WRONG_OBJECT_TYPE, message).detail(detail))
        }
    }
}

fn alter_materialized(work: &mut Work<'_>, view: &Relation, action: &AlterAction) -> SqlResult<()> {
    match action {
        AlterAction::RenameColumn(from, to) => rename_column(work, view, from, to),
        AlterAction::Attribute(name) => column(view, name).map(|_| ()),
        AlterAction::Options(given) => storage::alter(work, view, given),
        AlterAction::ClusterOn(index) => storage::cluster_on(work, view, index.as_deref()),
        action => {
            let message =
                format!("ALTER action {} cannot be performed on relation \"{}\"", described(action), view.name);
            let detail = "This operation is not supported for materialized views.";
            Err(SqlError::new(state::WRONG_OBJECT_TYPE, message).detail(detail))
        }
    }
}

/// What PostgreSQL calls an action.
fn described(action: &AlterAction) -> &'static str {
    match action {
        AlterAction::AddColumn { .. } => "ADD COLUMN",
        AlterAction::DropColumn { .. } => "DROP COLUMN",
        AlterAction::AddConstraint(_) => "ADD CONSTRAINT",
        AlterAction::DropConstraint { .. } => "DROP CONSTRAINT",
        AlterAction::SetDefault(..) | AlterAction::DropDefault(_) => "ALTER COLUMN ... SET DEFAULT",
        AlterAction::SetNotNull(_) => "ALTER COLUMN ... SET NOT NULL",
        AlterAction::DropNotNull(_) => "ALTER COLUMN ... DROP NOT NULL",
        AlterAction::SetType { .. } => "ALTER COLUMN ... SET DATA TYPE",
        AlterAction::AddIdentity { .. } => "ALTER COLUMN ... ADD IDENTITY",
        AlterAction::DropIdentity { .. } => "ALTER COLUMN ... DROP IDENTITY",
        AlterAction::SetIdentity { .. } => "ALTER COLUMN ... SET",
        AlterAction::RenameConstraint(..) => "RENAME CONSTRAINT",
        AlterAction::ValidateConstraint(_) => "VALIDATE CONSTRAINT",
        AlterAction::AlterConstraint { .. } => "ALTER CONSTRAINT",
        AlterAction::DropExpression { .. } => "ALTER COLUMN ... DROP EXPRESSION",
        AlterAction::Unlogged(true) => "SET UNLOGGED",
        AlterAction::Unlogged(false) => "SET LOGGED",
        AlterAction::Attribute(_) | AlterAction::KeyStatistics(_) => "ALTER COLUMN ... SET",
        AlterAction::RenameTo(_) | AlterAction::RenameColumn(..) => "RENAME",
        AlterAction::OwnerTo(_) => "OWNER TO",
        AlterAction::Options(_) => "SET",
        AlterAction::ClusterOn(Some(_)) => "CLUSTER ON",
        AlterAction::ClusterOn(None) => "SET WITHOUT CLUSTER",
        AlterAction::SetSchema(_) => "SET SCHEMA",
        AlterAction::Accepted => "this",
    }
}

fn set_view_options(work: &mut Work<'_>, view: &Relation, changes: &[(String, Option<String>)]) -> SqlResult<()> {
    let mut new = view.clone();
    let RelationKind::View { options, .. } = &mut new.kind else { return Ok(()) };
    for (name, value) in changes {
        match value {
            Some(value) => set_view_option(options, name, &value.to_ascii_lowercase())?,
            None => options.reset(name),
        }
    }
    if options.check().is_some() && Binder::new(&work.scope()).shows(&Arc::new(view.clone())).is_none() {
        let message = "WITH CHECK OPTION is supported only on automatically updatable views";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    work.update(view, new);
    Ok(())
}

fn physical(r: &Relation) -> String {
    quote(&sqlite_name(&r.schema, &r.name))
}

fn column<'r>(table: &'r Relation, name: &str) -> SqlResult<&'r Column> {
    table.column(name).ok_or_else(|| no_column(table, name))
}

/// `table` with one column changed.
fn with_column(table: &Relation, name: &str, change: impl FnOnce(&mut Column)) -> Relation {
    let mut new = table.clone();
    if let Some(column) = new.columns.iter_mut().find(|c| c.name == name) {
        change(column);
    }
    new
}

// ---- columns

fn add_column(work: &mut Work<'_>, table: &Relation, def: &ColumnDef, if_not_exists: bool) -> SqlResult<()> {
    if table.column(&def.name).is_some() {
        let message = format!("column \"{}\" of relation \"{}\" already exists", def.name, table.name);
        if !if_not_exists {
            return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
        }
        work.notice(state::DUPLICATE_COLUMN, message + ", skipping");
        return Ok(());
    }
    let mut new = table.clone();
    let constraints = define_column(work, &mut new, def)?;
    let column = column(&new, &def.name)?.clone();
    check_generated(&new, &column)?;
    if column.generated.is_some() {
        work.rebuild(table, &new, &BTreeMap::new())?;
    } else {
        let nullable = Column { not_null: false, ..column.clone() };
        let sql = work.column_sql(&new, &nullable, false)?;
        work.admit(table);
        work.sql(format!("ALTER TABLE {} ADD COLUMN {sql}", physical(table)));
        if table.columns.is_empty() {
            work.sql(format!("ALTER TABLE {} DROP COLUMN {}", physical(table), quote(NO_COLUMN)));
        }
    }
    work.update(table, new.clone());
    freeze_default(work, &new, &column)?;
    let filler = match (&column.default, column.sequence) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(sequence)) => work.catalog.by_oid(sequence).map(|s| nextval_of(s)),
        _ => None,
    };
    let declared = column.domain.map(|domain| work.type_shown(domain, NO_TYPMOD));
    let own_default = column.domain.and_then(|domain| work.catalog.domain(domain)?.default.clone());
    let asks = column.domain.is_some_and(|domain| !work.catalog.rules_of(domain).is_empty());
    let own = filler.or(own_default).filter(|_| column.generated.is_none());
    let filler = own.clone().or_else(|| asks.then(|| "NULL".to_owned()));
    let filler = match &declared {
        Some(declared) => {
            filler.map(|text| format!("(({text})::{})::{declared}", work.type_shown(column.ty, column.typmod)))
        }
        None => filler,
    };
    if let Some(text) = filler {
        bind::may_compute(&work.scope(), None, &text, Kept::Default)?;
        let target = Some((column.ty, column.typmod));
        let value = work.bind(None, &text, target, Kept::Default)?;
        // As what all rows have, a value is computed even if there are none; but a domain is not asked about it.
        if let Some(own) = own.filter(|own| !work.is_volatile(own, &column)) {
            let once = work.bind(None, &own, target, Kept::Default)?;
            work.data(format!("SELECT {once}"));
        }
        work.data(format!("UPDATE {} SET {} = {value}", physical(table), quote(&column.name)));
    }
    if column.not_null && column.generated.is_none() {
        guard_not_null(work, &new, &column);
        work.sql(format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", physical(table), quote(&column.name)));
    }
    if column.generated.is_none() {
        work.drop_lenient_checks(table);
        work.add_lenient_checks(&new)?;
    }
    for constraint in &constraints {
        let current = work.catalog.by_oid(table.oid).map(|r| Relation::clone(r)).unwrap_or_else(|| new.clone());
        add_constraint(work, &current, constraint)?;
    }
    Ok(())
}

fn guard_not_null(work: &mut Work<'_>, table: &Relation, column: &Column) {
    let violation = Violation {
        code: state::NOT_NULL_VIOLATION,
        message: format!("column \"{}\" of relation \"{}\" contains null values", column.name, table.name),
        detail: None,
        relation: table,
        column: Some(&column.name),
        constraint: None,
    };
    work.guard(&violation, &format!("FROM {} WHERE {} IS NULL", physical(table), quote(&column.name)));
}

pub fn drop_column(work: &mut Work<'_>, table: &Relation, name: &str, if_exists: bool, cascade: bool) -> SqlResult<()> {
    let Some(column) = table.column(name).cloned() else {
        if refuse_system_column(name).is_err() {
            let text = format!("cannot drop system column \"{name}\"");
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
        }
        if !if_exists {
            return Err(no_column(table, name));
        }
        let message = format!("column \"{name}\" of relation \"{}\" does not exist, skipping", table.name);
        work.notice(state::SUCCESSFUL_COMPLETION, message);
        return Ok(());
    };
    let what = format!("column {name} of table {}", quote_identifier(&table.name));
    work.dropped.get_or_insert_with(|| what.clone());
    release_owned(work, &column, &what, &BTreeSet::new(), cascade)?;
    let attnum = column.attnum;
    release_references(work, table, &|columns| columns.contains(&attnum), &what, cascade)?;
    drop_views(work, work.views_reading(table.oid, column.attnum), &what, &BTreeSet::new(), cascade)?;
    let table = &work.catalog.by_oid(table.oid).map_or_else(|| table.clone(), |r| Relation::clone(r));
    let mut current = table.clone();
    for constraint in &table.constraints {
        let of_key = |index: &&Index| constraint.index() == Some(index.oid) && index.include.contains(&attnum);
        if constraint.columns.contains(&attnum) || table.indexes.iter().any(|index| of_key(&index)) {
            drop_constraint(work, &current, &constraint.name, false, cascade)?;
            current = work.catalog.by_oid(table.oid).map(|r| Relation::clone(r)).unwrap_or(current);
        }
    }
    for other in generated_from(&current, attnum) {
        let dependent = format!("column {} of table {}", quote_identifier(&other.name), work.shown(&current));
        allow(work, cascade, &what, (current.oid, &dependent), None);
        if cascade {
            drop_column(work, &current, &other.name, true, true)?;
            current = work.catalog.by_oid(table.oid).map(|r| Relation::clone(r)).unwrap_or(current);
        }
    }
    let mut new = current.clone();
    for index in &current.indexes {
        let reads = |text: &Option<String>| text.as_deref().is_some_and(|t| mentioned(&current, t).contains(&attnum));
        let touched = index.keys.iter().any(|k| k.column == Some(attnum) || reads(&k.expression))
            || index.include.contains(&attnum)
            || reads(&index.predicate);
        if touched {
            work.drop_physical_index(&current, index);
            new.indexes.retain(|i| i.oid != index.oid);
        }
    }
    new.columns.retain(|c| c.attnum != attnum);
    if new.columns.is_empty() {
        work.sql(format!("ALTER TABLE {} ADD COLUMN {} INTEGER", physical(table), quote(NO_COLUMN)));
    }
    work.drop_lenient_checks(&current);
    work.sql(format!("ALTER TABLE {} DROP COLUMN {}", physical(table), quote(name)));
    work.add_lenient_checks(&new)?;
    work.update(&current, new);
    work.sql(format!(
        "DELETE FROM \"pg_catalog.pg_description\" WHERE objoid = {} AND classoid = 1259 AND objsubid = {attnum}",
        table.oid
    ));
    remove_owned(work, &column);
    Ok(())
}

fn set_default(work: &mut Work<'_>, table: &Relation, name: &str, text: Option<&String>) -> SqlResult<()> {
    let found = column(table, name)?;
    if found.identity.is_some() {
        let message = format!("column \"{name}\" of relation \"{}\" is an identity column", table.name);
        return Err(SqlError::syntax(message));
    }
    if found.generated.is_some() {
        let message = format!("column \"{name}\" of relation \"{}\" is a generated column", table.name);
        return Err(SqlError::syntax(message));
    }
    if let Some(text) = text {
        work.bind(None, text, Some((found.ty, found.typmod)), Kept::Default)?;
    }
    let text = text.filter(|t| !t.trim().eq_ignore_ascii_case("null") || found.domain.is_some());
    let text = text.map(|text| work.settled(text, found));
    let new = with_column(table, name, |c| c.default = text);
    work.update(table, new.clone());
    if let Some(column) = new.column(name) {
        freeze_default(work, &new, column)?;
    }
    // Where a reference is set to it, SQLite has to know it.
    if is_set_to_default(table, found) { work.rebuild(table, &new, &BTreeMap::new()) } else { Ok(()) }
}

fn set_not_null(work: &mut Work<'_>, table: &Relation, name: &str) -> SqlResult<()> {
    let found = column(table, name)?;
    if found.not_null {
        return Ok(());
    }
    guard_not_null(work, table, found);
    work.sql(format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", physical(table), quote(name)));
    work.update(table, with_column(table, name, |c| c.not_null = true));
    Ok(())
}

fn drop_not_null(work: &mut Work<'_>, table: &Relation, name: &str) -> SqlResult<()> {
    let found = column(table, name)?;
    if table.primary_key().is_some_and(|k| k.columns.contains(&found.attnum)) {
        let message = format!("column \"{name}\" is in a primary key");
        return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message));
    }
    if found.identity.is_some() {
        let message = format!("column \"{name}\" of relation \"{}\" is an identity column", table.name);
        return Err(SqlError::syntax(message));
    }
    if found.not_null {
        work.sql(format!("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", physical(table), quote(name)));
        work.update(table, with_column(table, name, |c| c.not_null = false));
    }
    Ok(())
}

/// `new` with conditions and keys of indexes that read a column as PostgreSQL writes them: what they make of its value says how, and
/// so goes on when the column has another type (`length((v)::text)`).
fn with_types_said(work: &Work<'_>, old: &Relation, mut new: Relation, attnum: i16) -> Relation {
    each_kept(&mut new, |text, target, kept| {
        let said = || work.said(Expression { over: Some(old), text, target, kept });
        if let Some(said) = mentioned(old, text).contains(&attnum).then(said).flatten() {
            *text = said;
        }
    });
    new
}

/// The generated columns that read a column.
fn generated_from(table: &Relation, attnum: i16) -> Vec<Column> {
    let reads = |c: &&Column| c.generated.as_deref().is_some_and(|text| mentioned(table, text).contains(&attnum));
    table.columns.iter().filter(|c| c.attnum != attnum).filter(reads).cloned().collect()
}

fn set_type(work: &mut Work<'_>, table: &Relation, name: &str, target: &Column, using: Option<&str>) -> SqlResult<()> {
    let (ty, typmod) = (target.ty, target.typmod);
    let old = column(table, name)?.clone();
    if let Some(view) = work.views_reading(table.oid, old.attnum).first() {
        return Err(SqlError::new(
            state::FEATURE_NOT_SUPPORTED,
            "cannot alter type of a column used by a view or rule",
        )
        .detail(format!(
            "rule _RETURN on {} {} depends on column \"{name}\"",
            access::noun(view),
            quote_identifier(&view.name)
        )));
    }
    if let Some(reader) = generated_from(table, old.attnum).first() {
        let message = "cannot alter type of a column used by a generated column";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message)
            .detail(format!("Column \"{name}\" is used by generated column \"{}\".", reader.name)));
    }
    if old.identity.is_some() && !matches!(ty, Type::INT2 | Type::INT4 | Type::INT8) {
        let message = "identity column type must be smallint, integer, or bigint";
        return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    }
    let (plain, whole) = (work.type_shown(ty, NO_TYPMOD), work.type_shown(ty, typmod));
    let refused = |e: SqlError, what: String, hint: Option<String>| match e.code == state::DATATYPE_MISMATCH {
        true => {
            let error = SqlError::new(e.code, format!("{what} cannot be cast automatically to type {plain}"));
            hint.into_iter().fold(error, SqlError::hint)
        }
        false => e,
    };
    // A literal stays one of the type that the column had.
    let literal =
        |text: &String| matches!(bind::parse_expr(text), Ok(Expr::Value(v)) if v.value.clone().into_string().is_some());
    let default = old.default.clone().map(|text| match old.ty != ty && literal(&text) {
        true => format!("{text}::{}", work.type_shown(old.ty, NO_TYPMOD)),
        false => text,
    });
    if let Some(text) = &default {
        work.bind(None, text, Some((ty, typmod)), Kept::Default)
            .map_err(|e| refused(e, format!("default for column \"{name}\""), None))?;
    }
    let new = with_column(table, name, |c| {
        (c.ty, c.typmod, c.domain, c.default) = (ty, typmod, target.domain, default.clone());
        c.collation = target.collation;
    });
    // What a domain asks of values is asked of those that are there.
    let asks = target.domain.filter(|domain| !work.catalog.rules_of(*domain).is_empty());
    let is_plain = using.is_none_or(|u| is_own_cast(u, name)) && asks.is_none();
    if is_plain && keeps_values((old.ty, old.typmod), (ty, typmod)) {
        work.update(table, new);
    } else {
        let mut text = using.map_or_else(|| quote_identifier(name), str::to_owned);
        if let Some(domain) = asks {
            let (base, shown) = (work.type_shown(ty, typmod), work.type_shown(domain, NO_TYPMOD));
            text = format!("(({text})::{base})::{shown}");
        }
        bind::may_compute(&work.scope(), Some(table), &text, Kept::Transform)?;
        let value = work.bind(Some(table), &text, Some((ty, typmod)), Kept::Transform).map_err(|e| match using {
            None => {
                let hint = format!("You might need to specify \"USING {}::{whole}\".", quote_identifier(name));
                refused(e, format!("column \"{name}\""), Some(hint))
            }
            Some(_) => {
                let hint = "You might need to add an explicit cast.".to_owned();
                refused(e, format!("result of USING clause for column \"{name}\""), Some(hint))
            }
        })?;
        let new = with_types_said(work, table, new, old.attnum);
        // The copies' constraints are written against the changed table.
        work.update(table, new.clone());
        work.rebuild(table, &new, &BTreeMap::from([(old.attnum, value)]))?;
    }
    // A serial's or identity's sequence follows its column.
    if let Some(sequence) = old.sequence.and_then(|s| work.catalog.by_oid(s)).map(|r| Relation::clone(r))
        && let RelationKind::Sequence(s) = &sequence.kind
        && old.identity.is_some()
        && matches!(ty, Type::INT2 | Type::INT4 | Type::INT8)
    {
        let to = super::TypeName {
            schema: None,
            name: match ty {
                Type::INT2 => "int2",
                Type::INT4 => "int4",
                _ => "int8",
            }
            .into(),
            modifiers: Vec::new(),
            array: false,
            position: 0,
        };
        let change = sequence_with(work, Some(s), s.ty, &[SequenceOption::As(to)])?;
        let changed = Relation { kind: RelationKind::Sequence(change.sequence), ..sequence.clone() };
        work.update(&sequence, changed);
    }
    Ok(())
}

/// `using` is the column itself or a cast of it (`q::bigint`): what the conversion would be without it.
fn is_own_cast(using: &str, name: &str) -> bool {
    let mut tokens = Lexer::new(using).filter_map(Result::ok).skip_while(|t| t.text(using) == "(");
    let own = tokens.next().is_some_and(|t| identifier(t.text(using)) == name);
    own && tokens.all(|t| t.kind != Kind::Symbol || matches!(t.text(using), "::" | "(" | ")" | "," | "[" | "]"))
        && using.matches("::").count() <= 1
}

/// Does every value of the old type stand for itself in the new one?
fn keeps_values((from, from_mod): (Type, i32), (to, to_mod): (Type, i32)) -> bool {
    let wider = to_mod == NO_TYPMOD || (from_mod != NO_TYPMOD && from_mod <= to_mod);
    match (from, to) {
        (Type::INT2, Type::INT4 | Type::INT8) | (Type::INT4, Type::INT8) => true,
        (Type::VARCHAR, Type::TEXT) => true,
        (Type::TEXT | Type::VARCHAR, Type::VARCHAR) => wider,
        (Type::NUMERIC, Type::NUMERIC) => {
            let (scale, new_scale) = ((from_mod - 4) & 0x7ff, (to_mod - 4) & 0x7ff);
            to_mod == NO_TYPMOD || (from_mod != NO_TYPMOD && scale == new_scale && from_mod <= to_mod)
        }
        (Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ, same) if from == same => wider,
        (a, b) => a == b && from_mod == to_mod,
    }
}

fn add_identity(
    work: &mut Work<'_>,
    table: &Relation,
    name: &str,
    always: bool,
    options: &[SequenceOption],
) -> SqlResult<()> {
    let found = column(table, name)?.clone();
    let refuse = |what: &str| {
        let message = format!("column \"{name}\" of relation \"{}\" {what}", table.name);
        Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message))
    };
    if !found.not_null {
        return refuse("must be declared NOT NULL before identity can be added");
    }
    if found.identity.is_some() {
        return refuse("is already an identity column");
    }
    if found.default.is_some() {
        return refuse("already has a default value");
    }
    let sequence = owned_sequence(work, table, name, found.ty, options)?;
    let oid = sequence.oid;
    work.create(sequence)?;
    let identity = Some(if always { Identity::Always } else { Identity::ByDefault });
    work.update(table, with_column(table, name, |c| (c.identity, c.sequence) = (identity, Some(oid))));
    Ok(())
}

fn not_identity(table: &Relation, name: &str) -> SqlError {
    let message = format!("column \"{name}\" of relation \"{}\" is not an identity column", table.name);
    SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}

fn drop_identity(work: &mut Work<'_>, table: &Relation, name: &str, if_exists: bool) -> SqlResult<()> {
    let found = column(table, name)?.clone();
    if found.identity.is_none() {
        if !if_exists {
            return Err(not_identity(table, name));
        }
        let error = not_identity(table, name);
        work.notice(state::SUCCESSFUL_COMPLETION, error.message + ", skipping");
        return Ok(());
    }
    work.update(table, with_column(table, name, |c| (c.identity, c.sequence) = (None, None)));
    if let Some(sequence) = found.sequence.and_then(|s| work.catalog.by_oid(s)).map(|r| Relation::clone(r)) {
        work.remove(&sequence);
    }
    Ok(())
}

fn set_identity(
    work: &mut Work<'_>,
    table: &Relation,
    name: &str,
    always: Option<bool>,
    options: &[SequenceOption],
) -> SqlResult<()> {
    let found = column(table, name)?.clone();
    let Some(oid) = found.sequence.filter(|_| found.identity.is_some()) else { return Err(not_identity(table, name)) };
    if let Some(always) = always {
        let identity = Some(if always { Identity::Always } else { Identity::ByDefault });
        work.update(table, with_column(table, name, |c| c.identity = identity));
    }
    if options.is_empty() { Ok(()) } else { change_sequence(work, oid, options) }
}

// ---- constraints

fn add_constraint(work: &mut Work<'_>, table: &Relation, def: &ConstraintDef) -> SqlResult<()> {
    if let ConstraintSyntax::UsingIndex(primary, index) = &def.kind {
        return adopt_index(work, table, def, *primary, index);
    }
    if let ConstraintSyntax::PrimaryKey(names) = &def.kind
        && let Some(name) = names.iter().find(|name| table.column(name).is_none())
    {
        return Err(no_column(table, name));
    }
    let mut new = table.clone();
    // A new integer primary key becomes the rowid: the table is copied once, and every lookup is faster for ever.
    define_constraint(work, &mut new, def, true)?;
    if let Some(constraint) = new.constraints.last_mut() {
        constraint.validated = !def.not_valid;
    }
    let Some(constraint) = new.constraints.last().cloned() else { return Ok(()) };
    match &constraint.kind {
        ConstraintKind::Check(text) => {
            match constraint.validated {
                true => guard_check(work, &new, &constraint, text)?,
                false => work.admit(&new),
            }
            work.add_check(&new, &constraint)?;
            work.update(table, new);
        }
        ConstraintKind::PrimaryKey { index } | ConstraintKind::Unique { index } => {
            let index = *index;
            add_key(work, table, &new, &constraint, index)?;
        }
        ConstraintKind::ForeignKey { .. } => {
            guard_foreign_key(work, table, &constraint)?;
            work.update(table, new.clone());
            work.rebuild(table, &new, &BTreeMap::new())?;
        }
    }
    Ok(())
}

/// Refuses rows of `table` that do not meet a condition.
fn guard_check(work: &mut Work<'_>, table: &Relation, constraint: &Constraint, text: &str) -> SqlResult<()> {
    let condition = work.bind(Some(table), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Check)?;
    let violation = Violation {
        code: state::CHECK_VIOLATION,
        message: violated_by_some_row(&constraint.name, &table.name),
        detail: None,
        relation: table,
        column: None,
        constraint: Some(&constraint.name),
    };
    work.guard(&violation, &format!("FROM {} WHERE NOT ({condition})", physical(table)));
    Ok(())
}

fn validate_constraint(work: &mut Work<'_>, table: &Relation, name: &str) -> SqlResult<()> {
    let constraint = table.constraint(name).cloned().ok_or_else(|| no_constraint(table, name))?;
    let valid = Constraint { validated: true, ..constraint.clone() };
    match &constraint.kind {
        ConstraintKind::Check(text) if !constraint.validated => {
            guard_check(work, table, &valid, text)?;
            work.drop_reference(table, &constraint);
            work.add_check(table, &valid)?;
        }
        ConstraintKind::ForeignKey { .. } if !constraint.validated => guard_foreign_key(work, table, &valid)?,
        ConstraintKind::Check(_) | ConstraintKind::ForeignKey { .. } => return Ok(()),
        _ => {
            let message = format!(
                "constraint \"{name}\" of relation \"{}\" is not a foreign key or check constraint",
                table.name
            );
            return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
        }
    }
    let mut new = table.clone();
    new.constraints.iter_mut().filter(|c| c.oid == constraint.oid).for_each(|c| c.validated = true);
    work.update(table, new);
    Ok(())
}

fn alter_constraint(
    work: &mut Work<'_>,
    table: &Relation,
    name: &str,
    deferrable: bool,
    deferred: bool,
) -> SqlResult<()> {
    let constraint = table.constraint(name).ok_or_else(|| no_constraint(table, name))?;
    if !matches!(constraint.kind, ConstraintKind::ForeignKey { .. }) {
        let message = format!("constraint \"{name}\" of relation \"{}\" is not a foreign key constraint", table.name);
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
    }
    if (constraint.deferrable, constraint.initially_deferred) == (deferrable, deferred) {
        return Ok(());
    }
    let mut new = table.clone();
    for c in new.constraints.iter_mut().filter(|c| c.name == name) {
        (c.deferrable, c.initially_deferred) = (deferrable, deferred);
    }
    work.update(table, new.clone());
    work.rebuild(table, &new, &BTreeMap::new())
}

/// A generated column keeps its values and becomes one like any other.
fn drop_expression(work: &mut Work<'_>, table: &Relation, name: &str, if_exists: bool) -> SqlResult<()> {
    if column(table, name)?.generated.is_none() {
        let message = format!("column \"{name}\" of relation \"{}\" is not a stored generated column", table.name);
        if !if_exists {
            return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        work.notice(state::SUCCESSFUL_COMPLETION, message + ", skipping");
        return Ok(());
    }
    let new = with_column(table, name, |c| c.generated = None);
    work.update(table, new.clone());
    work.rebuild(table, &new, &BTreeMap::new())
}

fn add_key(work: &mut Work<'_>, table: &Relation, new: &Relation, c: &Constraint, index: u32) -> SqlResult<()> {
    let definition = new.indexes.iter().find(|i| i.oid == index).cloned();
    let definition = definition.ok_or_else(|| SqlError::internal("a key without an index"))?;
    let was_nullable: Vec<Column> = table
        .columns
        .iter()
        .filter(|col| !col.not_null && c.columns.contains(&col.attnum) && definition.primary)
        .cloned()
        .collect();
    for column in &was_nullable {
        guard_not_null(work, table, column);
    }
    guard_unique(work, new, &definition)?;
    work.update(table, new.clone());
    if work.catalog.rowid_keys.contains(&index) {
        return work.rebuild(table, new, &BTreeMap::new());
    }
    for column in &was_nullable {
        work.sql(format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", physical(table), quote(&column.name)));
    }
    work.create_physical_index(new, &definition)
}

/// ADD CONSTRAINT … USING INDEX.
fn adopt_index(work: &mut Work<'_>, table: &Relation, def: &ConstraintDef, primary: bool, name: &str) -> SqlResult<()> {
    let index = table.indexes.iter().find(|i| i.name == name).cloned();
    let index =
        index.ok_or_else(|| SqlError::new(state::UNDEFINED_OBJECT, format!("index \"{name}\" does not exist")))?;
    if !index.valid {
        let message = format!("index \"{name}\" is not valid");
        return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
    }
    let columns: Option<Vec<i16>> = index.keys.iter().map(|k| k.column).collect();
    let Some(columns) = columns.filter(|_| index.unique && index.predicate.is_none()) else {
        let message = format!("\"{name}\" is not a unique index over plain columns");
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
    };
    let called = def.name.as_deref().unwrap_or(name);
    if called != name {
        let message = format!("ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{name}\" to \"{called}\"");
        work.notice(state::SUCCESSFUL_COMPLETION, message);
        check_new_name(work, &table.schema, called)?;
        rename_index(work, table.oid, index.oid, called)?;
    }
    let mut current = work.catalog.by_oid(table.oid).map_or_else(|| table.clone(), |r| Relation::clone(r));
    for attnum in columns.iter().filter(|_| primary) {
        if let Some(column) = table.column_at(*attnum) {
            set_not_null(work, &current, &column.name)?;
            current = work.catalog.by_oid(table.oid).map(|r| Relation::clone(r)).unwrap_or(current);
        }
    }
    let mut new = current.clone();
    for i in new.indexes.iter_mut().filter(|i| i.oid == index.oid) {
        i.primary = primary;
    }
    let oid = work.oid();
    let kind = match primary {
        true => ConstraintKind::PrimaryKey { index: index.oid },
        false => ConstraintKind::Unique { index: index.oid },
    };
    new.constraints.push(Constraint {
        oid,
        name: called.to_owned(),
        kind,
        columns,
        deferrable: def.deferrable,
        initially_deferred: def.initially_deferred,
        validated: true,
    });
    if def.deferrable {
        work.drop_physical_index(&current, &index);
        work.create_physical_index(&new, &index)?;
    }
    work.update(&current, new);
    Ok(())
}

fn no_constraint(table: &Relation, name: &str) -> SqlError {
    let message = format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name);
    SqlError::new(state::UNDEFINED_OBJECT, message)
}

pub fn drop_constraint(
    work: &mut Work<'_>,
    table: &Relation,
    name: &str,
    if_exists: bool,
    cascade: bool,
) -> SqlResult<()> {
    let Some(constraint) = table.constraint(name).cloned() else {
        if !if_exists {
            return Err(no_constraint(table, name));
        }
        let message = no_constraint(table, name).message + ", skipping";
        work.notice(state::SUCCESSFUL_COMPLETION, message);
        return Ok(());
    };
    let index = match constraint.kind {
        ConstraintKind::PrimaryKey { index } | ConstraintKind::Unique { index } => index,
        ConstraintKind::ForeignKey { .. } if sets_default(&constraint) => {
            let mut new = table.clone();
            new.constraints.retain(|c| c.oid != constraint.oid);
            work.update(table, new.clone());
            return work.rebuild(table, &new, &BTreeMap::new());
        }
        ConstraintKind::Check(_) | ConstraintKind::ForeignKey { .. } => {
            work.drop_reference(table, &constraint);
            let mut new = table.clone();
            new.constraints.retain(|c| c.oid != constraint.oid);
            work.update(table, new);
            return Ok(());
        }
    };
    let what = format!("constraint {name} on table {}", quote_identifier(&table.name));
    release_key(work, table, &constraint, index, cascade)?;
    drop_views(work, work.views_resting_on(table.oid, constraint.oid), &what, &BTreeSet::new(), cascade)?;
    let current = work.catalog.by_oid(table.oid).map_or_else(|| table.clone(), |r| Relation::clone(r));
    let mut new = current.clone();
    new.constraints.retain(|c| c.oid != constraint.oid);
    new.indexes.retain(|i| i.oid != index);
    if work.catalog.rowid_keys.contains(&index) {
        // The rowid is a column like any other from now on; NOT NULL stays, as in PostgreSQL.
        work.update(&current, new.clone());
        return work.rebuild(&current, &new, &BTreeMap::new());
    }
    if let Some(definition) = current.indexes.iter().find(|i| i.oid == index).cloned() {
        work.drop_physical_index(&current, &definition);
    }
    work.update(&current, new);
    Ok(())
}

/// Foreign keys that point at a key which is to go.
fn release_key(work: &mut Work<'_>, table: &Relation, key: &Constraint, index: u32, cascade: bool) -> SqlResult<()> {
    let what = format!("constraint {} on table {}", key.name, quote_identifier(&table.name));
    match table.indexes.iter().find(|i| i.oid == index).cloned() {
        Some(index) => {
            work.dropped = work.dropped.take().or(Some(what));
            release_index(work, table, &index, &format!("index {}", quote_identifier(&index.name)), cascade)
        }
        None => Ok(()),
    }
}

/// Foreign keys that rest on a unique index which is to go with `what`.
pub fn release_index(work: &mut Work<'_>, table: &Relation, index: &Index, what: &str, cascade: bool) -> SqlResult<()> {
    let rests = |columns: &[i16]| referenced_key(table, columns).is_some_and(|i| i.oid == index.oid);
    release_references(work, table, &rests, what, cascade)
}

/// Foreign keys to some columns of a table, as `rests` tells.
fn release_references(
    work: &mut Work<'_>,
    table: &Relation,
    rests: &dyn Fn(&[i16]) -> bool,
    what: &str,
    cascade: bool,
) -> SqlResult<()> {
    let rests = |c: &Constraint| matches!(&c.kind, ConstraintKind::ForeignKey { table: t, columns, .. } if *t == table.oid && rests(columns));
    let mut holders: Vec<(Arc<Relation>, u32, String)> = work
        .catalog
        .relations
        .values()
        .flat_map(|r| r.constraints.iter().filter(|c| rests(c)).map(|c| (r.clone(), c.oid, c.name.clone())))
        .collect();
    holders.sort_by_key(|(_, oid, _)| *oid);
    for (holder, oid, name) in holders {
        let dependent = format!("constraint {name}");
        let on = work.shown(&holder);
        allow(work, cascade, what, (oid, &dependent), Some(&on));
        if let Some(holder) = work.catalog.by_oid(holder.oid).map(|r| Relation::clone(r)) {
            drop_constraint(work, &holder, &name, false, cascade)?;
        }
    }
    Ok(())
}

// ---- names

/// Errors: 42P07 if a relation has the name already.
fn check_new_name(work: &Work<'_>, schema: &str, name: &str) -> SqlResult<()> {
    match work.is_taken(schema, name) {
        true => Err(SqlError::new(state::DUPLICATE_TABLE, format!("relation \"{name}\" already exists"))),
        false => Ok(()),
    }
}

fn rename(work: &mut Work<'_>, r: &Relation, to: &str) -> SqlResult<()> {
    check_new_name(work, &r.schema, to)?;
    if !r.name.eq_ignore_ascii_case(to) {
        work.check_case(&r.schema, to)?;
    }
    if let RelationKind::Index { table } = r.kind {
        return rename_index(work, table, r.oid, to);
    }
    let mut moves = Moves::new(work);
    moves.relation(work, r, &r.schema, to)?;
    moves.finish(work)
}

fn set_schema(work: &mut Work<'_>, r: &Relation, to: &str) -> SqlResult<()> {
    if matches!(r.kind, RelationKind::Index { .. }) {
        let message = format!("cannot change schema of index \"{}\"", r.name);
        let hint = "Change the schema of the table instead.";
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message).hint(hint));
    }
    if let Some((table, _)) = work.catalog.sequence_owner(r.oid) {
        let message = "cannot move an owned sequence into another schema";
        let detail = format!("Sequence \"{}\" is linked to table \"{}\".", r.name, table.name);
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message).detail(detail));
    }
    if !work.catalog.schemas.contains_key(to) {
        return Err(no_schema(to));
    }
    if is_system_schema(to) {
        let message = format!("permission denied for schema {to}");
        return Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, message));
    }
    if is_temporary(to) || is_temporary(&r.schema) {
        let message = "cannot move objects into or out of temporary schemas";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    work.check_creates_in(to)?;
    if r.schema == to {
        return Ok(());
    }
    let owned: Vec<u32> = r.columns.iter().filter_map(|c| c.sequence).collect();
    let sequences = owned.iter().filter_map(|oid| work.catalog.by_oid(*oid)).map(|s| Relation::clone(s));
    let mut moving: Vec<Relation> = sequences.collect();
    moving.insert(0, r.clone());
    for relation in &moving {
        for name in std::iter::once(&relation.name).chain(relation.indexes.iter().map(|i| &i.name)) {
            if work.is_taken(to, name) {
                let message = format!("relation \"{name}\" already exists in schema \"{to}\"");
                return Err(SqlError::new(state::DUPLICATE_TABLE, message));
            }
            work.check_case(to, name)?;
        }
    }
    let mut moves = Moves::new(work);
    for relation in &moving {
        moves.relation(work, relation, to, &relation.name)?;
    }
    moves.finish(work)
}

/// ALTER SCHEMA … RENAME TO: everything in it moves, and the schema keeps its OID.
pub fn rename_schema(work: &mut Work<'_>, name: &str, to: &str) -> SqlResult<&'static str> {
    let oid = *work.catalog.schemas.get(name).ok_or_else(|| no_schema(name))?;
    if !work.owns(catalog::Object::schema(oid)) {
        return Err(access::not_owner("schema", name));
    }
    work.check_creates_in_database()?;
    if work.catalog.schemas.contains_key(to) {
        return Err(SqlError::new(state::DUPLICATE_SCHEMA, format!("schema \"{to}\" already exists")));
    }
    if is_system_schema(name) {
        return Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, format!("permission denied for schema {name}")));
    }
    if to.starts_with("pg_") {
        return Err(SqlError::new(state::RESERVED_NAME, format!("unacceptable schema name \"{to}\""))
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if to.contains('.') {
        return Err(SqlError::unsupported("a schema name with a dot"));
    }
    let other = work.catalog.schemas.keys().find(|s| s.eq_ignore_ascii_case(to) && *s != name);
    if let Some(other) = other {
        return Err(SqlError::unsupported(format!(
            "a schema \"{to}\" beside \"{other}\" (names that differ only in case)"
        )));
    }
    let inside = work.catalog.relations.values().filter(|r| r.schema == name);
    let mut inside: Vec<Relation> = inside.map(|r| Relation::clone(r)).collect();
    inside.retain(|r| !matches!(r.kind, RelationKind::Index { .. }));
    inside.sort_by_key(|r| r.oid);
    let mut moves = Moves::new(work);
    work.sql(format!(
        "UPDATE \"pg_catalog.pg_namespace\" SET nspname = {} WHERE oid = {oid}",
        super::rows::literal(to)
    ));
    // Both names mean it while things move.
    work.catalog.schemas.insert(to.to_owned(), oid);
    for relation in &inside {
        moves.relation(work, relation, to, &relation.name)?;
    }
    moves.types(work, name, to)?;
    moves.finish(work)?;
    work.catalog.schemas.remove(name);
    work.concerns(Definition::Shared);
    Ok("ALTER SCHEMA")
}

/// Relations and types on their way to other names: what names them follows when all have arrived.
struct Moves {
    before: Catalog,
    /// New texts of views.
    texts: BTreeMap<u32, String>,
    /// Constants in tables' expressions may name what has moved.
    follows: bool,
}

impl Moves {
    fn new(work: &Work<'_>) -> Moves {
        Moves { before: work.catalog.clone(), texts: BTreeMap::new(), follows: false }
    }

    fn text<'m>(&'m mut self, view: &Relation) -> &'m mut String {
        let known = view.kind.definition().unwrap_or_default();
        self.texts.entry(view.oid).or_insert_with(|| known.to_owned())
    }

    fn relation(&mut self, work: &mut Work<'_>, r: &Relation, schema: &str, to: &str) -> SqlResult<()> {
        for view in work.views_on(r.oid) {
            let text = self.text(&view);
            *text = view::with_relation_moved(&work.scope(), text, (&r.schema, schema), Some((&r.name, to)))?;
        }
        let mut new = r.clone();
        (new.name, new.schema) = (to.to_owned(), schema.to_owned());
        new.source = Source::of(&r.kind, r.oid, schema, to);
        let elsewhere = r.schema != schema;
        self.follows |= elsewhere || matches!(r.kind, RelationKind::Sequence(_));
        if r.kind.is_stored() {
            for index in r.indexes.iter().filter(|_| elsewhere) {
                work.drop_physical_index(r, index);
            }
            work.sql(format!("ALTER TABLE {} RENAME TO {}", physical(r), physical(&new)));
        }
        work.update(r, new.clone());
        // SQLite cannot rename an index.
        for index in new.indexes.iter().filter(|_| elsewhere) {
            work.create_physical_index(&new, index)?;
        }
        Ok(())
    }

    fn types(&mut self, work: &mut Work<'_>, from: &str, to: &str) -> SqlResult<()> {
        let inside: Vec<_> = work.catalog.types.values().filter(|own| own.schema == from).cloned().collect();
        for own in inside {
            for view in work.views_on(own.oid) {
                let text = self.text(&view);
                *text = view::with_type_renamed(&work.scope(), text, (from, &own.name), (to, &own.name))?;
            }
            let mut new = catalog::OwnType::clone(&own);
            to.clone_into(&mut new.schema);
            work.put_type(new);
            self.follows = true;
        }
        Ok(())
    }

    fn finish(self, work: &mut Work<'_>) -> SqlResult<()> {
        if self.follows {
            work.follow(&self.before);
        }
        let texts = self
            .texts
            .into_iter()
            .filter_map(|(oid, text)| work.catalog.by_oid(oid).map(|view| (Relation::clone(view), text)));
        let texts = texts.collect();
        work.rewrite_views(texts)
    }
}

/// SQLite cannot rename an index: it is made anew. The constraint of that name goes with it.
fn rename_index(work: &mut Work<'_>, table: u32, index: u32, to: &str) -> SqlResult<()> {
    let table = work.catalog.by_oid(table).map(|r| Relation::clone(r));
    let table = table.ok_or_else(|| SqlError::internal("an index without a table"))?;
    let mut new = table.clone();
    for i in new.indexes.iter_mut().filter(|i| i.oid == index) {
        work.drop_physical_index(&table, i);
        i.name = to.to_owned();
        work.create_physical_index(&table, i)?;
    }
    for c in &mut new.constraints {
        if matches!(c.kind, ConstraintKind::PrimaryKey { index: i } | ConstraintKind::Unique { index: i } if i == index)
        {
            c.name = to.to_owned();
        }
    }
    work.update(&table, new);
    Ok(())
}

fn rename_constraint(work: &mut Work<'_>, table: &Relation, from: &str, to: &str) -> SqlResult<()> {
    let constraint = table.constraint(from).cloned().ok_or_else(|| no_constraint(table, from))?;
    if table.constraint(to).is_some() {
        let message = format!("constraint \"{to}\" for relation \"{}\" already exists", table.name);
        return Err(SqlError::new(state::DUPLICATE_OBJECT, message));
    }
    if let ConstraintKind::PrimaryKey { index } | ConstraintKind::Unique { index } = constraint.kind {
        check_new_name(work, &table.schema, to)?;
        return rename_index(work, table.oid, index, to);
    }
    let mut new = table.clone();
    for c in new.constraints.iter_mut().filter(|c| c.oid == constraint.oid) {
        c.name = to.to_owned();
    }
    work.update(table, new);
    Ok(())
}

fn rename_column(work: &mut Work<'_>, table: &Relation, from: &str, to: &str) -> SqlResult<()> {
    if table.column(from).is_none() {
        return Err(SqlError::new(state::UNDEFINED_COLUMN, format!("column \"{from}\" does not exist")));
    }
    refuse_system_column(to)?;
    if let Some(other) = table.columns.iter().find(|c| c.name.eq_ignore_ascii_case(to) && c.name != from) {
        if other.name != to {
            return Err(SqlError::unsupported(format!(
                "a column \"{to}\" beside \"{}\" (names that differ only in case)",
                other.name
            )));
        }
        let message = format!("column \"{to}\" of relation \"{}\" already exists", table.name);
        return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
    }
    let attnum = column(table, from)?.attnum;
    let mut texts = Vec::new();
    for view in work.views_reading(table.oid, attnum) {
        if let Some(definition) = view.kind.definition() {
            let text = view::with_column_renamed(&work.scope(), definition, (table.oid, attnum), (from, to))?;
            texts.push((view, text));
        }
    }
    let mut new = with_column(table, from, |c| c.name = to.to_owned());
    each_kept(&mut new, |text, _, _| *text = rename_in(text, from, to));
    if let Some(definition) = new.kind.definition_mut() {
        *definition = view::with_output_renamed(
            &work.scope(),
            definition,
            table.columns.iter().position(|c| c.attnum == attnum),
            to,
        )?;
        let text = super::rows::literal(definition);
        work.sql(format!("UPDATE \"_quorate_view\" SET definition = {text} WHERE oid = {}", table.oid));
    }
    if table.kind.is_stored() {
        work.sql(format!("ALTER TABLE {} RENAME COLUMN {} TO {}", physical(table), quote(from), quote(to)));
    }
    work.update(table, new);
    work.rewrite_views(texts)
}

/// An expression over one table's columns with a column renamed: an identifier that is neither called nor a type.
fn rename_in(text: &str, from: &str, to: &str) -> String {
    let tokens: Vec<_> = Lexer::new(text).filter_map(Result::ok).collect();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (i, token) in tokens.iter().enumerate() {
        let is_name = matches!(token.kind, Kind::Word | Kind::Quoted) && identifier(token.text(text)) == from;
        let called = tokens.get(i + 1).is_some_and(|t| t.text(text) == "(");
        let cast = i > 0 && matches!(tokens[i - 1].text(text), "::" | ".");
        let cast_as = i > 0 && tokens[i - 1].text(text).eq_ignore_ascii_case("as");
        let qualified =
            i > 1 && tokens[i - 1].text(text) == "." && !tokens[i - 2].text(text).eq_ignore_ascii_case("pg_catalog");
        if is_name && !called && (!cast || qualified) && !cast_as {
            out.push_str(&text[copied..token.start]);
            out.push_str(&quote_identifier(to));
            copied = token.end;
        }
    }
    out + &text[copied..]
}

// ---- sequences

pub fn sequence(work: &mut Work<'_>, name: &Name, if_exists: bool, action: &SequenceAction) -> SqlResult<&'static str> {
    const TAG: &str = "ALTER SEQUENCE";
    let Some(sequence) = work.find(name) else {
        if !if_exists {
            return Err(no_relation(name));
        }
        work.notice(state::SUCCESSFUL_COMPLETION, format!("relation \"{name}\" does not exist, skipping"));
        return Ok(TAG);
    };
    if !matches!(sequence.kind, RelationKind::Sequence(_)) {
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, format!("\"{}\" is not a sequence", sequence.name)));
    }
    if !matches!(action, SequenceAction::OwnerTo(_)) {
        work.check_owner(&sequence)?;
    }
    match action {
        SequenceAction::OwnerTo(to) => owners::relation_to(work, &sequence, to)?,
        SequenceAction::RenameTo(to) => rename(work, &sequence, to)?,
        SequenceAction::SetSchema(to) => set_schema(work, &sequence, to)?,
        SequenceAction::Options(options) => change_sequence(work, sequence.oid, options)?,
    }
    Ok(TAG)
}

fn change_sequence(work: &mut Work<'_>, oid: u32, options: &[SequenceOption]) -> SqlResult<()> {
    let old = work.catalog.by_oid(oid).map(|r| Relation::clone(r));
    let Some((old, RelationKind::Sequence(s))) = old.as_ref().map(|r| (r, &r.kind)) else {
        return Err(SqlError::internal("a sequence that is none"));
    };
    let change = sequence_with(work, Some(s), s.ty, options)?;
    let (min, max) = (change.sequence.min, change.sequence.max);
    work.update(old, Relation { kind: RelationKind::Sequence(change.sequence), ..old.clone() });
    match change.restart {
        Some(n) => work.data(format!(
            "UPDATE \"pg_catalog.pg_sequence\" SET last_value = {n}, is_called = 0 WHERE seqrelid = {oid}"
        )),
        None => {
            let violation = Violation {
                code: state::INVALID_PARAMETER_VALUE,
                message: format!(
                    "RESTART value of \"{}\" is outside of MINVALUE ({min}) and MAXVALUE ({max})",
                    old.name
                ),
                detail: None,
                relation: old,
                column: None,
                constraint: None,
            };
            let outside = format!(
                "FROM \"pg_catalog.pg_sequence\" WHERE seqrelid = {oid} AND (last_value < {min} OR last_value > {max})"
            );
            work.guard(&violation, &outside);
        }
    }
    if let Some(owner) = change.owned_by {
        own_sequence(work, oid, owner.as_ref())?;
    }
    Ok(())
}

/// OWNED BY: the sequence is dropped with its column.
pub fn own_sequence(work: &mut Work<'_>, sequence: u32, owner: Option<&(Name, String)>) -> SqlResult<()> {
    if let Some((table, attnum)) = work.catalog.sequence_owner(sequence).map(|(r, n)| (Relation::clone(r), n)) {
        let column = table.column_at(attnum).map(|c| (c.name.clone(), c.identity));
        if let Some((name, identity)) = column {
            if identity.is_some() {
                return Err(SqlError::new(
                    state::FEATURE_NOT_SUPPORTED,
                    "cannot change ownership of identity sequence",
                ));
            }
            work.update(&table, with_column(&table, &name, |c| c.sequence = None));
        }
    }
    if let Some((table, name)) = owner {
        let table = work.table(table)?;
        column(&table, name)?;
        work.update(&table, with_column(&table, name, |c| c.sequence = Some(sequence)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_columns_in_expressions() {
        assert_eq!(rename_in("a > 0 and f(a) < t.a", "a", "b"), "b > 0 and f(b) < t.b");
        assert_eq!(rename_in("a(1) + \"a\" + 'a' + x::a", "a", "B"), "a(1) + \"B\" + 'a' + x::a");
    }
}
