//! Statements that the session does by itself, with names resolved.

use super::Scope;
use super::access;
use super::catalog::{Relation, RelationKind};
use super::cursor::Name;
use super::ddl::TypeName;
use super::parse;
use super::plan::{LockMode, Plan, PlanKind, ResultColumn, Utility};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::USAGE;
use crate::settings;
use crate::types::{NO_TYPMOD, Type};

/// A plan for a utility statement: SHOW has result columns, FETCH has those of its cursor (unknown here).
pub fn compile(utility: Utility, scope: &Scope<'_>) -> SqlResult<Plan> {
    let text = |name: &str| ResultColumn { name: name.into(), ty: Type::TEXT, typmod: NO_TYPMOD, table: 0, attnum: 0 };
    let columns = match &utility {
        Utility::Show(name) => {
            let setting = settings::known(name)?;
            vec![text(setting.map_or(name.as_str(), |s| s.name))]
        }
        Utility::ShowAll => vec![text("name"), text("setting"), text("description")],
        Utility::Set { name, .. } | Utility::Reset(name) => {
            settings::known(name)?;
            Vec::new()
        }
        _ => Vec::new(),
    };
    let params = match &utility {
        // Those of its query. What is wrong with that is told when it runs.
        Utility::Declare { query, .. } => {
            let parsed = parse::parse_statement(query, scope.allowance);
            match parsed.and_then(|parsed| super::compile(&parsed, scope)) {
                Ok(plan) => plan.params,
                Err(error) if scope.allowance.was_too_brief() => return Err(error),
                Err(_) => Vec::new(),
            }
        }
        _ => Vec::new(),
    };
    Ok(Plan { params, columns, schema_version: scope.catalog.version, kind: PlanKind::Utility(utility) })
}

/// PREPARE: the declared types.
pub fn prepare(name: &str, types: &[TypeName], query: &str, scope: &Scope<'_>) -> SqlResult<Plan> {
    let work = super::ddl::types_of(types, scope)?;
    let utility = Utility::Prepare { name: name.to_owned(), types: work, query: query.to_owned() };
    compile(utility, scope)
}

pub fn lock(tables: &[Name], mode: LockMode, nowait: bool, scope: &Scope<'_>) -> SqlResult<Plan> {
    let mut oids = Vec::new();
    for name in tables {
        let relation = resolve(name, scope)?;
        if !matches!(relation.kind, RelationKind::Table | RelationKind::View { .. } | RelationKind::System) {
            let message = format!("cannot lock relation \"{}\"", relation.name);
            return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
        }
        access::lock(scope, relation, mode)?;
        oids.push(relation.oid);
    }
    compile(Utility::LockTable { tables: oids, mode, nowait }, scope)
}

/// SET CONSTRAINTS: names mean the constraints of that name in the first schema of the path that has some.
pub fn set_constraints(names: &[Name], deferred: bool, scope: &Scope<'_>) -> SqlResult<Plan> {
    let mut constraints = Vec::new();
    for name in names {
        let schemas = match &name.schema {
            Some(schema) => std::slice::from_ref(schema),
            None => scope.search_path,
        };
        let of = |schema: &String| -> Vec<_> {
            let relations = scope.catalog.relations.values().filter(|r| r.schema == *schema);
            relations.flat_map(|r| &r.constraints).filter(|c| c.name == name.name).collect()
        };
        let found = schemas.iter().map(of).find(|found| !found.is_empty()).ok_or_else(|| {
            SqlError::new(state::UNDEFINED_OBJECT, format!("constraint \"{}\" does not exist", name.name))
        })?;
        if !found.iter().any(|c| c.deferrable) {
            let message = format!("constraint \"{}\" is not deferrable", name.name);
            return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
        }
        constraints.extend(found.iter().filter(|c| c.deferrable).map(|c| c.oid));
    }
    compile(Utility::SetConstraints { constraints, deferred }, scope)
}

/// VACUUM and its kin: there is nothing to do, but the tables must exist.
pub fn maintenance(tag: &'static str, tables: &[Name], scope: &Scope<'_>) -> SqlResult<Plan> {
    let mut notices = Vec::new();
    let role = access::current_role(scope)?;
    for name in tables {
        let reason = access::left_out(scope.catalog, role, resolve(name, scope)?, "vacuum");
        notices.extend(reason.map(|reason| SqlError::new(state::WARNING, reason)));
    }
    compile(Utility::Maintenance { tag, alone: (tag == "VACUUM").then_some(tag), notices }, scope)
}

pub(super) fn resolve<'a>(name: &Name, scope: &'a Scope<'_>) -> SqlResult<&'a Relation> {
    name.schema.iter().try_for_each(|schema| access::schema(scope, schema, USAGE))?;
    let found = scope.catalog.resolve(scope.search_path, name.schema.as_deref(), &name.name);
    found.map(|r| &**r).ok_or_else(|| {
        SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist")).position(name.position)
    })
}
