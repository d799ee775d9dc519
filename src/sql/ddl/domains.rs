//! CREATE, ALTER and DROP DOMAIN.
//!
//! A column of a domain is stored as what that is based on; what the domain asks of a value is looked at where a value
//! becomes one of it (`bind::domains`). So a condition that comes later changes no table: only the values that are there are
//! looked at.

use super::grammar::{ConstraintDef, ConstraintSyntax, DomainAction, DomainDef};
use super::table::{allow, check_collatable, frozen};
use super::types;
use super::work::{Violation, Work};
use crate::error::{SqlError, SqlResult, state};
use crate::rights;
use crate::sql::bind::Kept;
use crate::sql::catalog::{Domain, DomainCheck, Object, OwnType, Relation, RelationKind, quote, sqlite_name};
use crate::sql::cursor::Name;
use crate::types::{NO_TYPMOD, Own, Type};

pub fn create(work: &mut Work<'_>, def: &DomainDef) -> SqlResult<&'static str> {
    let schema = work.creation_schema(&def.name, false)?;
    let name = &def.name.name;
    types::check_free(work, &schema, name)?;
    let (base, typmod) = work.type_of(&def.ty)?;
    let inherited = work.catalog.domain(base).filter(|_| !base.is_array()).and_then(|above| above.default.clone());
    let mut domain = Domain { base, typmod, not_null: false, default: inherited, checks: Vec::new() };
    let (mut nullable, mut given) = (false, false);
    for constraint in &def.constraints {
        match &constraint.kind {
            ConstraintSyntax::Collate(_) => check_collatable(work, work.catalog.base_of(base, typmod).0)?,
            ConstraintSyntax::Null => nullable = true,
            ConstraintSyntax::NotNull => domain.not_null = true,
            ConstraintSyntax::Default(_) if given => {
                return Err(SqlError::syntax("multiple default expressions"));
            }
            ConstraintSyntax::Default(text) => (domain.default, given) = (Some(text.clone()), true),
            _ => {
                let check = check_of(work, (&schema, name), &domain, constraint, true)?;
                domain.checks.push(check);
            }
        }
    }
    if nullable && domain.not_null {
        return Err(SqlError::syntax("conflicting NULL/NOT NULL constraints"));
    }
    domain.default = known_default(work, &domain, domain.default.clone())?;
    let array = types::array_name(work, &schema, name);
    let oid = Own::Domain.numbered(work.oid()).0;
    let name = name.clone();
    let own = OwnType { oid, schema: schema.clone(), name, array, labels: Vec::new(), domain: Some(domain) };
    work.put_type(own.clone());
    freeze_default(work, &own)?;
    work.grant_defaults(Object::of_type(oid), rights::Kind::Type, "T", &schema)?;
    Ok("CREATE DOMAIN")
}

/// A default that can be computed; NULL is none.
fn known_default(work: &Work<'_>, domain: &Domain, text: Option<String>) -> SqlResult<Option<String>> {
    let Some(text) = text.filter(|text| !text.trim().eq_ignore_ascii_case("null")) else { return Ok(None) };
    let (base, typmod) = work.catalog.base_of(domain.base, domain.typmod);
    work.bind(None, &text, Some((base, typmod)), Kept::Default)?;
    Ok(Some(text))
}

/// As `table::freeze_default`.
fn freeze_default(work: &mut Work<'_>, own: &OwnType) -> SqlResult<()> {
    let Some(text) = own.domain.as_ref().and_then(|domain| domain.default.as_ref()) else { return Ok(()) };
    let target = work.catalog.base_of(own.ty(), NO_TYPMOD);
    if let Some(frozen) = frozen(work, text, target)? {
        let oid = own.oid;
        work.sql(format!(
            "UPDATE \"pg_catalog.pg_type\" SET typdefault = f.text, typdefaultbin = json_array(f.text, f.text) \
             FROM ({frozen}) f WHERE oid = {oid}"
        ));
    }
    Ok(())
}

/// A condition on values. Errors: 42601 for constraints that only tables have.
fn check_of(
    work: &mut Work<'_>,
    (schema, name): (&str, &str),
    domain: &Domain,
    def: &ConstraintDef,
    validated: bool,
) -> SqlResult<DomainCheck> {
    let text = match &def.kind {
        ConstraintSyntax::Check(text) => text,
        other => {
            let what = match other {
                ConstraintSyntax::PrimaryKey(_) => "primary key",
                ConstraintSyntax::Unique(_) => "unique",
                ConstraintSyntax::ForeignKey { .. } => "foreign key",
                _ => return Err(SqlError::syntax("this constraint is not possible for domains")),
            };
            return Err(SqlError::syntax(format!("{what} constraints not possible for domains")));
        }
    };
    let taken = |wanted: &str| domain.checks.iter().any(|check| check.name == wanted);
    let chosen = match &def.name {
        Some(given) if taken(given) => {
            let message = format!("constraint \"{given}\" for domain \"{name}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_OBJECT, message));
        }
        Some(given) => given.clone(),
        None => work.choose_name(schema, name, "", "check", &taken),
    };
    condition(work, domain, text)?;
    Ok(DomainCheck { oid: work.oid(), name: chosen, text: text.clone(), validated })
}

/// A condition as SQLite computes it of a column `VALUE`.
fn condition(work: &Work<'_>, domain: &Domain, text: &str) -> SqlResult<String> {
    let base = work.catalog.base_of(domain.base, domain.typmod);
    work.bind(Some(&Relation::of_value(base, None)), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Domain)
}

fn find(work: &Work<'_>, name: &Name) -> SqlResult<OwnType> {
    let own = types::find(work, name)?;
    match own.domain {
        Some(_) => Ok(own),
        None => Err(SqlError::new(state::WRONG_OBJECT_TYPE, format!("{} is not a domain", work.type_name(own.ty())))),
    }
}

fn not_a_domain(name: &Name) -> SqlError {
    SqlError::new(state::WRONG_OBJECT_TYPE, format!("\"{name}\" is not a domain"))
}

/// The OID of a condition that the current role may write about.
pub fn constraint(work: &Work<'_>, domain: &Name, constraint: &str) -> SqlResult<u32> {
    let own = find(work, domain).map_err(|error| match error.code {
        state::WRONG_OBJECT_TYPE => not_a_domain(domain),
        _ => error,
    })?;
    types::check_owner(work, &own)?;
    let mut checks = own.domain.iter().flat_map(|domain| &domain.checks);
    checks.find(|check| check.name == constraint).map(|check| check.oid).ok_or_else(|| {
        let message = format!("constraint \"{constraint}\" for domain {} does not exist", work.type_name(own.ty()));
        SqlError::new(state::UNDEFINED_OBJECT, message)
    })
}

pub fn alter(work: &mut Work<'_>, name: &Name, action: &DomainAction) -> SqlResult<&'static str> {
    const TAG: &str = "ALTER DOMAIN";
    let mut own = find(work, name)?;
    if let DomainAction::OfType(action) = action {
        types::alter(work, name, action)?;
        return Ok(TAG);
    }
    types::check_owner(work, &own)?;
    let shown = work.type_name(own.ty());
    let Some(mut domain) = own.domain.take() else { return Ok(TAG) };
    let missing = |wanted: &str| {
        let message = format!("constraint \"{wanted}\" of domain \"{shown}\" does not exist");
        SqlError::new(state::UNDEFINED_OBJECT, message)
    };
    let place = |domain: &Domain, wanted: &str| domain.checks.iter().position(|check| check.name == wanted);
    match action {
        DomainAction::OfType(_) => {}
        DomainAction::SetDefault(text) => domain.default = known_default(work, &domain, text.clone())?,
        DomainAction::NotNull(false) => domain.not_null = false,
        DomainAction::NotNull(true) => {
            domain.not_null = true;
            guard(work, own.ty(), None)?;
        }
        DomainAction::Add { def, .. } if matches!(def.kind, ConstraintSyntax::NotNull) => {
            domain.not_null = true;
            guard(work, own.ty(), None)?;
        }
        DomainAction::Add { def, validated } => {
            let check = check_of(work, (&own.schema, &own.name), &domain, def, *validated)?;
            if *validated {
                let condition = condition(work, &domain, &check.text)?;
                guard(work, own.ty(), Some((&condition, &check.name)))?;
            }
            domain.checks.push(check);
        }
        DomainAction::Drop { constraint, if_exists } => match place(&domain, constraint) {
            Some(at) => drop(domain.checks.remove(at)),
            None if *if_exists => {
                let message = format!("constraint \"{constraint}\" of domain \"{shown}\" does not exist, skipping");
                work.notice(state::SUCCESSFUL_COMPLETION, message);
            }
            None => return Err(missing(constraint)),
        },
        DomainAction::RenameConstraint(from, to) => {
            let at = place(&domain, from).ok_or_else(|| {
                let message = format!("constraint \"{from}\" for domain {shown} does not exist");
                SqlError::new(state::UNDEFINED_OBJECT, message)
            })?;
            if place(&domain, to).is_some() {
                let message = format!("constraint \"{to}\" for domain {shown} already exists");
                return Err(SqlError::new(state::DUPLICATE_OBJECT, message));
            }
            domain.checks[at].name.clone_from(to);
        }
        DomainAction::Validate(constraint) => {
            let at = place(&domain, constraint).ok_or_else(|| missing(constraint))?;
            if !domain.checks[at].validated {
                let condition = condition(work, &domain, &domain.checks[at].text)?;
                guard(work, own.ty(), Some((&condition, constraint)))?;
                domain.checks[at].validated = true;
            }
        }
    }
    own.domain = Some(domain);
    work.put_type(own.clone());
    if let DomainAction::SetDefault(_) = action {
        freeze_default(work, &own)?;
    }
    Ok(TAG)
}

/// Drops what of a domain names an object that goes: a condition, or the domain itself, whose default does.
pub fn drop_part(work: &mut Work<'_>, own: &OwnType, check: Option<&str>, of: &str, cascade: bool) -> SqlResult<()> {
    // What went before may have changed it.
    let Some(mut own) = work.catalog.types.get(&own.oid).map(|own| OwnType::clone(own)) else { return Ok(()) };
    let number = Own::Domain.number(own.oid);
    match (check, &mut own.domain) {
        (Some(name), Some(domain)) => {
            allow(work, cascade, of, (number, &format!("constraint {name}")), None);
            if cascade {
                domain.checks.retain(|check| check.name != name);
                work.put_type(own);
            }
        }
        _ => {
            let shown = format!("type {}", work.type_name(own.ty()));
            allow(work, cascade, of, (number, &shown), None);
            let dropped = work.dropped.take();
            // Without CASCADE that is an error anyway, which tells what depends on the domain.
            types::drop_one(work, &own, cascade)?;
            work.dropped = dropped;
        }
    }
    Ok(())
}

/// Refuses values of a domain that are there and do not meet a condition; without one, NULLs.
fn guard(work: &mut Work<'_>, domain: Type, condition: Option<(&str, &str)>) -> SqlResult<()> {
    let mut tables: Vec<Relation> = work.catalog.relations.values().map(|r| Relation::clone(r)).collect();
    tables.retain(|r| matches!(r.kind, RelationKind::Table));
    tables.sort_by_key(|r| r.oid);
    for table in &tables {
        for column in &table.columns {
            let (declared, _) = column.declared();
            if !rests_on(work, declared, domain) {
                continue;
            }
            if column.generated.is_some() {
                return Err(SqlError::unsupported("a domain with conditions in a generated column"));
            }
            let what = if condition.is_some() { "values that violate the new constraint" } else { "null values" };
            let violation = Violation {
                code: if condition.is_some() { state::CHECK_VIOLATION } else { state::NOT_NULL_VIOLATION },
                message: format!("column \"{}\" of table \"{}\" contains {what}", column.name, table.name),
                detail: None,
                relation: table,
                column: Some(&column.name),
                constraint: None,
            };
            let (name, from) = (quote(&column.name), quote(&sqlite_name(&table.schema, &table.name)));
            let values = match declared.is_array() {
                true => format!("SELECT e.value AS \"VALUE\" FROM {from} AS t, q_unnest(t.{name}) AS e"),
                false => format!("SELECT {name} AS \"VALUE\" FROM {from}"),
            };
            let fails = condition.map_or("\"VALUE\" IS NULL".to_owned(), |(condition, _)| format!("NOT ({condition})"));
            work.guard(&violation, &format!("FROM ({values}) WHERE {fails}"));
        }
    }
    Ok(())
}

/// Whether a type is a domain, or an array over it, or a domain over either.
fn rests_on(work: &Work<'_>, ty: Type, domain: Type) -> bool {
    let Some(own) = work.catalog.own_type(ty) else { return false };
    own.ty() == domain || own.domain.as_ref().is_some_and(|above| rests_on(work, above.base, domain))
}

pub fn drop_domains(work: &mut Work<'_>, names: &[Name], if_exists: bool, cascade: bool) -> SqlResult<&'static str> {
    for name in names {
        if types::lookup(work, name).is_some_and(|own| own.domain.is_none()) {
            return Err(not_a_domain(name));
        }
    }
    types::drop(work, names, if_exists, cascade)?;
    Ok("DROP DOMAIN")
}
