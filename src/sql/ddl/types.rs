//! CREATE, ALTER and DROP TYPE.
//!
//! What is stored for an enum's value is its place in the order (`enumsortorder`), so a new name changes no row, and a new
//! value between two others takes a place between theirs.

use super::alter::drop_column;
use super::grammar::{Beside, TypeAction};
use super::roles::owners;
use super::table::{allow, drop_parts, drop_views};
use super::work::{TablePart, Work, is_system_schema, no_schema};
use crate::error::{SqlError, SqlResult, state};
use crate::rights;
use crate::sql::access;
use crate::sql::catalog::{Label, Object, OwnType, Relation, RelationKind};
use crate::sql::cursor::Name;
use crate::sql::view;
use crate::types::{Own, Type};
use std::collections::BTreeSet;

/// Bytes of a label, without C's terminator.
const LABEL_LENGTH: usize = 63;

pub fn duplicate(name: &str) -> SqlError {
    SqlError::new(state::DUPLICATE_OBJECT, format!("type \"{name}\" already exists"))
}

pub fn missing(name: &Name) -> SqlError {
    SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"))
}

pub fn lookup(work: &Work<'_>, name: &Name) -> Option<OwnType> {
    let scope = work.scope();
    let ty = scope.catalog.resolve_type(scope.search_path, name.schema.as_deref(), &name.name)?;
    scope.catalog.own_type(ty).filter(|own| own.ty() == ty).map(|own| OwnType::clone(own))
}

/// A type of one's own by its name.
pub fn find(work: &Work<'_>, name: &Name) -> SqlResult<OwnType> {
    lookup(work, name).ok_or_else(|| missing(name))
}

/// Errors: 42501 unless the current role owns the type.
pub fn check_owner(work: &Work<'_>, own: &OwnType) -> SqlResult<()> {
    match work.owns(Object::of_type(own.oid)) {
        true => Ok(()),
        false => Err(access::not_owner("type", &work.type_name(own.ty()))),
    }
}

/// The types of a schema.
pub fn of_schema(work: &Work<'_>, schema: &str) -> Vec<OwnType> {
    work.catalog.types.values().filter(|own| own.schema == schema).map(|own| OwnType::clone(own)).collect()
}

/// Relations and types share their names: a relation has a type of its row.
pub fn check_free(work: &Work<'_>, schema: &str, name: &str) -> SqlResult<()> {
    match work.catalog.type_in(schema, name).is_some() || work.is_taken(schema, name) {
        true => Err(duplicate(name)),
        false => Ok(()),
    }
}

/// `_name`, with more of them where that is taken, cut to 63 bytes.
pub fn array_name(work: &Work<'_>, schema: &str, name: &str) -> String {
    let mut array = format!("_{name}");
    loop {
        while array.len() > LABEL_LENGTH {
            array.pop();
        }
        if check_free(work, schema, &array).is_ok() {
            return array;
        }
        array.insert(0, '_');
    }
}

fn check_label(label: &str) -> SqlResult<()> {
    if label.len() > LABEL_LENGTH {
        return Err(SqlError::new(state::INVALID_NAME, format!("invalid enum label \"{label}\""))
            .detail(format!("Labels must be {LABEL_LENGTH} bytes or less.")));
    }
    Ok(())
}

pub fn create_enum(work: &mut Work<'_>, name: &Name, labels: &[String]) -> SqlResult<&'static str> {
    let schema = work.creation_schema(name, false)?;
    check_free(work, &schema, &name.name)?;
    let mut known = BTreeSet::new();
    for label in labels {
        check_label(label)?;
        if !known.insert(label) {
            let message = "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"";
            return Err(SqlError::new(state::UNIQUE_VIOLATION, message));
        }
    }
    let array = array_name(work, &schema, &name.name);
    let oid = Own::Enum.numbered(work.oid()).0;
    let labels = labels.iter().zip(1u32..).map(|(name, place)| Label {
        oid: work.oid(),
        order: f64::from(place),
        name: name.clone(),
    });
    let labels = labels.collect();
    work.put_type(OwnType { oid, schema: schema.clone(), name: name.name.clone(), array, labels, domain: None });
    work.grant_defaults(Object::of_type(oid), rights::Kind::Type, "T", &schema)?;
    Ok("CREATE TYPE")
}

pub fn alter(work: &mut Work<'_>, name: &Name, action: &TypeAction) -> SqlResult<&'static str> {
    const TAG: &str = "ALTER TYPE";
    let mut own = find(work, name)?;
    let is_enum = own.ty().is_enum();
    let not_enum = || SqlError::new(state::WRONG_OBJECT_TYPE, format!("{} is not an enum", work.type_name(own.ty())));
    if !matches!(action, TypeAction::OwnerTo(_)) {
        check_owner(work, &own)?;
    }
    match action {
        TypeAction::OwnerTo(to) => {
            owners::type_to(work, own.ty(), &own.schema, to)?;
            return Ok(TAG);
        }
        TypeAction::AddValue { .. } | TypeAction::RenameValue(..) if !is_enum => return Err(not_enum()),
        TypeAction::AddValue { if_not_exists, label, beside } => {
            check_label(label)?;
            let exists = format!("enum label \"{label}\" already exists");
            if own.label(label).is_some() {
                if !if_not_exists {
                    return Err(SqlError::new(state::DUPLICATE_OBJECT, exists));
                }
                work.notice(state::DUPLICATE_OBJECT, exists + ", skipping");
                return Ok(TAG);
            }
            let at = place_of(&own, beside.as_ref())?;
            let order = between(at.checked_sub(1).map(|i| own.labels[i].order), own.labels.get(at).map(|l| l.order))?;
            own.labels.insert(at, Label { oid: work.oid(), order, name: label.clone() });
        }
        TypeAction::RenameValue(from, to) => {
            check_label(to)?;
            if own.label(from).is_none() {
                return Err(no_label(from));
            }
            if own.label(to).is_some() {
                return Err(SqlError::new(state::DUPLICATE_OBJECT, format!("enum label \"{to}\" already exists")));
            }
            for label in own.labels.iter_mut().filter(|label| label.name == *from) {
                label.name.clone_from(to);
            }
        }
        TypeAction::RenameTo(to) => {
            let schema = own.schema.clone();
            check_free(work, &schema, to)?;
            own.name.clone_from(to);
            own.array = array_name(work, &schema, to);
        }
        TypeAction::SetSchema(to) => {
            if !work.catalog.schemas.contains_key(to) {
                return Err(no_schema(to));
            }
            if is_system_schema(to) {
                let message = format!("permission denied for schema {to}");
                return Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, message));
            }
            if *to != own.schema {
                check_free(work, to, &own.name)?;
                own.array = array_name(work, to, &own.name);
                own.schema.clone_from(to);
            }
        }
    }
    let before = work.catalog.clone();
    let old = before.types.get(&own.oid).cloned();
    let texts = match &old {
        Some(old) if (&old.schema, &old.name) != (&own.schema, &own.name) => renamed_in_views(work, old, &own)?,
        _ => Vec::new(),
    };
    work.put_type(own);
    work.follow(&before);
    work.rewrite_views(texts)?;
    Ok(TAG)
}

/// The texts of views that name a type, with its new name.
fn renamed_in_views(work: &Work<'_>, old: &OwnType, new: &OwnType) -> SqlResult<Vec<(Relation, String)>> {
    let mut texts = Vec::new();
    for view in work.views_on(old.oid) {
        if let Some(definition) = view.kind.definition() {
            let names = [old, new].map(|own| (own.schema.as_str(), own.name.as_str()));
            let text = view::with_type_renamed(&work.scope(), definition, names[0], names[1])?;
            texts.push((view, text));
        }
    }
    Ok(texts)
}

fn no_label(label: &str) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, format!("\"{label}\" is not an existing enum label"))
}

/// Where among the labels a new one goes.
fn place_of(own: &OwnType, beside: Option<&(Beside, String)>) -> SqlResult<usize> {
    let Some((side, neighbour)) = beside else { return Ok(own.labels.len()) };
    let found = own.labels.iter().position(|label| label.name == *neighbour);
    let found = found.ok_or_else(|| no_label(neighbour))?;
    Ok(if *side == Beside::Before { found } else { found + 1 })
}

/// A place between two others.
fn between(low: Option<f64>, high: Option<f64>) -> SqlResult<f64> {
    match (low, high) {
        (None, None) => Ok(1.0),
        (Some(low), None) => Ok((low + 1.0).floor()),
        (None, Some(high)) => Ok(high - 1.0),
        (Some(low), Some(high)) => {
            let middle = f64::midpoint(low, high);
            let free = middle > low && middle < high;
            free.then_some(middle).ok_or_else(|| SqlError::unsupported("so many enum labels between two others"))
        }
    }
}

pub fn drop(work: &mut Work<'_>, names: &[Name], if_exists: bool, cascade: bool) -> SqlResult<&'static str> {
    work.many = names.len() > 1;
    for name in names {
        match lookup(work, name) {
            Some(own) => {
                let schema = work.catalog.schemas.get(&own.schema);
                if !schema.is_some_and(|oid| work.owns(Object::schema(*oid))) {
                    check_owner(work, &own)?;
                }
                drop_one(work, &own, cascade)?;
            }
            None if if_exists => {
                let missing = work.missing_schema(name).map(|error| error.message);
                let message = missing.unwrap_or_else(|| format!("type \"{name}\" does not exist"));
                work.notice(state::SUCCESSFUL_COMPLETION, message + ", skipping");
            }
            None => return Err(missing(name)),
        }
    }
    Ok("DROP TYPE")
}

/// Drops a type, with the columns of it.
pub fn drop_one(work: &mut Work<'_>, own: &OwnType, cascade: bool) -> SqlResult<()> {
    let what = format!("type {}", work.type_name(own.ty()));
    let is_own = |ty: Type| work.catalog.own_type(ty).is_some_and(|known| known.oid == own.oid);
    let above: Vec<OwnType> = {
        let all = work.catalog.types.values();
        all.filter(|other| other.domain.as_ref().is_some_and(|d| is_own(d.base))).map(|d| OwnType::clone(d)).collect()
    };
    let mut users: Vec<Relation> = work
        .catalog
        .relations
        .values()
        .filter(|r| r.columns.iter().any(|c| is_own(c.declared().0)))
        .map(|r| Relation::clone(r))
        .collect();
    users.sort_by_key(|r| r.oid);
    let mut columns: Vec<(u32, String, Type)> = users
        .iter()
        .flat_map(|r| {
            let own = r.columns.iter().rev().map(|c| (r.oid, c.name.clone(), c.declared().0));
            own.filter(|(.., ty)| is_own(*ty)).collect::<Vec<_>>()
        })
        .collect();
    // Those of the array over it depend on that.
    columns.sort_by_key(|(.., ty)| !ty.is_array());
    for other in above {
        let dependent = format!("type {}", work.type_name(other.ty()));
        allow(work, cascade, &what, (Own::Domain.number(other.oid), &dependent), None);
        drop_one(work, &other, cascade)?;
    }
    work.dropped = Some(what);
    let (tables, views): (Vec<_>, Vec<_>) = columns
        .into_iter()
        .partition(|(oid, ..)| work.catalog.by_oid(*oid).is_some_and(|r| matches!(r.kind, RelationKind::Table)));
    let none = BTreeSet::new();
    let naming = work.views_on(own.oid);
    let mut gone = BTreeSet::new();
    for (oid, column, ty) in tables {
        let Some(relation) = work.catalog.by_oid(oid).map(|r| Relation::clone(r)) else { continue };
        let of = format!("type {}", work.type_name(ty));
        let dependent = format!("column {column} of table {}", work.shown(&relation));
        allow(work, cascade, &of, (oid, &dependent), None);
        if let Some(column) = relation.column(&column) {
            gone.insert((oid, column.attnum));
            let mut views = work.views_reading(oid, column.attnum);
            views.retain(|view| !naming.iter().any(|other| other.oid == view.oid));
            drop_views(work, views, &dependent, &none, cascade)?;
        }
        // Without CASCADE that is an error anyway: nothing needs to be dropped then.
        if cascade {
            drop_column(work, &relation, &column, false, true)?;
        }
    }
    let of = format!("type {}", work.type_name(own.ty()));
    let goes = |table: &Relation, part: &TablePart| match part {
        TablePart::Default(attnum) | TablePart::Generated(attnum) => gone.contains(&(table.oid, *attnum)),
        TablePart::Check(name) => {
            let columns = table.constraint(name).map_or(&[][..], |c| &c.columns);
            columns.iter().any(|attnum| gone.contains(&(table.oid, *attnum)))
        }
        TablePart::Index(_) => gone.iter().any(|(oid, _)| *oid == table.oid),
    };
    // With CASCADE they are gone by now.
    drop_parts(work, own.oid, &of, &|table, part| !cascade && goes(table, part), cascade)?;
    drop_views(work, naming, &of, &none, cascade)?;
    // Of those that an older version has made it is not written down what they name.
    let views = views.iter().filter_map(|(oid, ..)| work.catalog.by_oid(*oid)).map(|r| Relation::clone(r)).collect();
    drop_views(work, views, &of, &none, cascade)?;
    work.remove_type(own);
    Ok(())
}
