//! GRANT and REVOKE on objects, and ALTER DEFAULT PRIVILEGES.
//!
//! Left out (0A000): grants on functions (all are built in), tablespaces, foreign-data wrappers, servers, large objects,
//! parameters and system relations.

use super::grammar::RoleSpec;
use super::{denied, known};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{self, Acl, Behavior, Item, Kind, Mode, PUBLIC, options, right};
use crate::sql::access::{self, no_right};
use crate::sql::catalog::rights::acl_literal;
use crate::sql::catalog::{Object, Relation, RelationKind};
use crate::sql::cursor::{Cursor, Name};
use crate::sql::ddl::work::{Work, no_column, no_schema};
use crate::types::Type;
use std::sync::Arc;

/// GRANT or REVOKE.
#[derive(Clone, Debug)]
pub struct Grant {
    pub grant: bool,
    /// Words, each with columns; none for ALL.
    pub rights: Vec<(String, Vec<String>)>,
    /// Columns of ALL PRIVILEGES (…).
    pub all_columns: Vec<String>,
    pub target: Target,
    pub grantees: Vec<RoleSpec>,
    /// WITH GRANT OPTION, or GRANT OPTION FOR.
    pub option: bool,
    pub grantor: Option<RoleSpec>,
    pub cascade: bool,
}

#[derive(Clone, Debug)]
pub enum Target {
    /// TABLE or nothing: tables, views and sequences.
    Relations(Vec<Name>),
    Sequences(Vec<Name>),
    Databases(Vec<String>),
    Schemas(Vec<String>),
    Types(Vec<Name>, &'static str),
    Languages(Vec<String>),
    /// ALL … IN SCHEMA
    All(Kind, Vec<String>),
    /// ALTER DEFAULT PRIVILEGES: of whose objects, in which schemas, the kind and its letter.
    Defaults(Vec<RoleSpec>, Vec<String>, Kind, &'static str),
}

/// What stands between GRANT, or REVOKE, and ON, TO or FROM.
type Words = Vec<(String, Vec<String>)>;

/// The list of rights, or of roles; no words for ALL.
pub fn words(c: &mut Cursor<'_>) -> SqlResult<(Words, Vec<String>)> {
    let columns = |c: &mut Cursor<'_>| if c.is("(") { c.paren_list(Cursor::ident) } else { Ok(Vec::new()) };
    if c.eat("ALL") {
        c.eat("PRIVILEGES");
        return Ok((Vec::new(), columns(c)?));
    }
    let words = c.list(|c| {
        let word = if c.eat_all("ALTER SYSTEM") { "alter system".to_owned() } else { c.any_word()? };
        Ok((word, columns(c)?))
    })?;
    Ok((words, Vec::new()))
}

/// Behind ON.
pub fn target(c: &mut Cursor<'_>) -> SqlResult<Target> {
    let refuse = |what: &str| Err(SqlError::unsupported(format!("GRANT ON {what}")));
    if c.eat("ALL") {
        let kind = match c.eat_one(&["TABLES", "SEQUENCES", "FUNCTIONS", "PROCEDURES", "ROUTINES"]) {
            Some("TABLES") => Kind::Relation,
            Some("SEQUENCES") => Kind::Sequence,
            Some(_) => Kind::Function,
            None => return Err(c.error()),
        };
        c.expect("IN SCHEMA")?;
        return Ok(Target::All(kind, c.list(Cursor::ident)?));
    }
    if c.eat_all("FOREIGN DATA WRAPPER") {
        return refuse("FOREIGN DATA WRAPPER");
    }
    if c.eat_all("FOREIGN SERVER") {
        return refuse("FOREIGN SERVER");
    }
    if c.eat_all("LARGE OBJECT") {
        return refuse("LARGE OBJECT");
    }
    for what in ["FUNCTION", "PROCEDURE", "ROUTINE", "PARAMETER", "TABLESPACE"] {
        if c.eat(what) {
            return refuse(what);
        }
    }
    if c.eat("SEQUENCE") {
        return Ok(Target::Sequences(c.list(Cursor::name)?));
    }
    if c.eat("DATABASE") {
        return Ok(Target::Databases(c.list(Cursor::ident)?));
    }
    if c.eat("SCHEMA") {
        return Ok(Target::Schemas(c.list(Cursor::ident)?));
    }
    if c.eat("TYPE") {
        return Ok(Target::Types(c.list(Cursor::name)?, "type"));
    }
    if c.eat("DOMAIN") {
        return Ok(Target::Types(c.list(Cursor::name)?, "domain"));
    }
    if c.eat("LANGUAGE") {
        return Ok(Target::Languages(c.list(Cursor::ident)?));
    }
    c.eat("TABLE");
    Ok(Target::Relations(c.list(Cursor::name)?))
}

/// GROUP may stand before a name.
pub fn grantees(c: &mut Cursor<'_>) -> SqlResult<Vec<RoleSpec>> {
    c.list(|c| {
        c.eat("GROUP");
        RoleSpec::read(c)
    })
}

/// What ALTER DEFAULT PRIVILEGES is about, behind these words.
pub fn defaults(c: &mut Cursor<'_>) -> SqlResult<(Vec<RoleSpec>, Vec<String>)> {
    let (mut roles, mut schemas) = (Vec::new(), Vec::new());
    loop {
        if c.eat_all("FOR ROLE") || c.eat_all("FOR USER") {
            roles = RoleSpec::list(c)?;
        } else if c.eat_all("IN SCHEMA") {
            schemas = c.list(Cursor::ident)?;
        } else {
            return Ok((roles, schemas));
        }
    }
}

/// Behind ON, in ALTER DEFAULT PRIVILEGES.
pub fn default_kind(c: &mut Cursor<'_>) -> SqlResult<(Kind, &'static str)> {
    let kinds = ["TABLES", "FUNCTIONS", "ROUTINES", "SEQUENCES", "TYPES", "SCHEMAS"];
    Ok(match c.eat_one(&kinds) {
        Some("TABLES") => (Kind::Relation, "r"),
        Some("FUNCTIONS" | "ROUTINES") => (Kind::Function, "f"),
        Some("SEQUENCES") => (Kind::Sequence, "S"),
        Some("TYPES") => (Kind::Type, "T"),
        Some(_) => (Kind::Schema, "n"),
        None => return Err(c.error()),
    })
}

/// Rights, and the columns that they are on.
type Asked = Vec<(Mode, Vec<String>)>;

impl Grant {
    /// The rights that are meant on objects of a kind. Errors: 0LP01.
    fn asked(&self, kind: Kind) -> SqlResult<Asked> {
        if self.rights.is_empty() {
            return Ok(vec![(kind.all(), self.all_columns.clone())]);
        }
        let invalid = |message: String| Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
        let mut asked = Asked::new();
        for (word, columns) in &self.rights {
            let Some(mode) = right(word) else {
                return Err(SqlError::syntax(format!("unrecognized privilege type \"{word}\"")));
            };
            let shown = rights::words(mode).next().unwrap_or_default();
            if !columns.is_empty() {
                if kind != Kind::Relation {
                    return invalid("column privileges are only valid for relations".into());
                }
                if mode & Kind::Column.all() == 0 {
                    return invalid(format!("invalid privilege type {shown} for column"));
                }
            } else if mode & kind.all() == 0 && !(kind == Kind::Relation && mode == rights::USAGE) {
                let noun = if kind == Kind::Relation { "relation" } else { kind.noun() };
                return invalid(format!("invalid privilege type {shown} for {noun}"));
            }
            asked.push((mode, columns.clone()));
        }
        Ok(asked)
    }

    fn behavior(&self) -> Behavior {
        if self.cascade { Behavior::Cascade } else { Behavior::Restrict }
    }

    /// What is added to, or taken from, the grants.
    fn item(&self, grantee: u32, grantor: u32, rights: Mode) -> Item {
        let plain = if self.grant || !self.option { rights } else { 0 };
        let further = if !self.grant || self.option { options(rights) } else { 0 };
        Item { grantee, grantor, mode: plain | further }
    }

    fn changed(&self, work: &Work<'_>, acl: Acl, owner: u32, grantor: u32, rights: Mode) -> SqlResult<Acl> {
        let roles = &work.catalog.rights.roles;
        let mut acl = acl;
        for spec in &self.grantees {
            let grantee = match spec {
                RoleSpec::Public => PUBLIC,
                named => known(work, named)?.oid,
            };
            if self.grant && self.option && grantee == PUBLIC {
                let message = "grant options can only be granted to roles";
                return Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
            }
            let item = self.item(grantee, grantor, rights);
            acl = match self.grant {
                true => acl.grant(roles, item, owner)?,
                false => acl.revoke(roles, item, owner, self.behavior())?,
            };
        }
        Ok(acl)
    }
}

/// One object of a GRANT.
struct Subject<'s> {
    object: Object,
    kind: Kind,
    noun: &'s str,
    name: &'s str,
    relation: Option<&'s Relation>,
}

pub fn run(work: &mut Work<'_>, grant: &Grant) -> SqlResult<&'static str> {
    let tag = if grant.grant { "GRANT" } else { "REVOKE" };
    if let Some(grantor) = &grant.grantor
        && known(work, grantor)?.oid != work.role()
    {
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "grantor must be current user"));
    }
    // Roles that do not exist come before anything else.
    for spec in grant.grantees.iter().filter(|spec| **spec != RoleSpec::Public) {
        known(work, spec)?;
    }
    match &grant.target {
        Target::Relations(names) => {
            let relations = found(work, names)?;
            for relation in relations {
                on_relation(work, grant, &relation)?;
            }
        }
        Target::Sequences(names) => {
            let relations = found(work, names)?;
            if let Some(other) = relations.iter().find(|r| !matches!(r.kind, RelationKind::Sequence(_))) {
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, format!("\"{}\" is not a sequence", other.name)));
            }
            for relation in relations {
                on_relation(work, grant, &relation)?;
            }
        }
        Target::All(kind, schemas) => {
            grant.asked(*kind)?;
            for schema in schemas {
                if !work.catalog.schemas.contains_key(schema) {
                    return Err(no_schema(schema));
                }
                access::schema(&work.scope(), schema, rights::USAGE)?;
                let mut inside: Vec<Relation> = work
                    .catalog
                    .relations
                    .values()
                    .filter(|r| r.schema == *schema)
                    .map(|r| Relation::clone(r))
                    .collect();
                inside.retain(|r| match kind {
                    Kind::Relation => r.kind.is_stored() || matches!(r.kind, RelationKind::View { .. }),
                    Kind::Sequence => matches!(r.kind, RelationKind::Sequence(_)),
                    _ => false,
                });
                inside.sort_by_key(|r| r.oid);
                for relation in inside {
                    on_relation(work, grant, &relation)?;
                }
            }
        }
        Target::Databases(names) => {
            for name in names {
                if work.scope().inner && name != work.scope().database {
                    // It is told as well.
                    continue;
                }
                work.check_database(name)?;
                on_object(work, grant, Object::DATABASE, Kind::Database, "database", name)?;
            }
        }
        Target::Schemas(names) => {
            for name in names {
                let oid = work.catalog.schemas.get(name).copied().ok_or_else(|| no_schema(name))?;
                on_object(work, grant, Object::schema(oid), Kind::Schema, "schema", name)?;
            }
        }
        Target::Types(names, _) => {
            for name in names {
                on_type(work, grant, name)?;
            }
        }
        Target::Languages(names) => {
            for name in names {
                let oid = match name.as_str() {
                    "internal" => 12,
                    "c" => 13,
                    "sql" => 14,
                    "plpgsql" => 13563,
                    _ => {
                        let message = format!("language \"{name}\" does not exist");
                        return Err(SqlError::new(state::UNDEFINED_OBJECT, message));
                    }
                };
                if oid == 12 || oid == 13 {
                    let message = format!("language \"{name}\" is not trusted");
                    let detail = "GRANT and REVOKE are not allowed on untrusted languages, because only superusers can \
                                  use untrusted languages.";
                    return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message).detail(detail));
                }
                on_object(work, grant, Object::language(oid), Kind::Language, "language", name)?;
            }
        }
        Target::Defaults(roles, schemas, kind, letter) => {
            defaults_of(work, grant, roles, schemas, (*kind, letter))?;
            return Ok("ALTER DEFAULT PRIVILEGES");
        }
    }
    Ok(tag)
}

fn found(work: &Work<'_>, names: &[Name]) -> SqlResult<Vec<Relation>> {
    let mut relations: Vec<Relation> = Vec::new();
    for name in names {
        let relation = work.relation(name)?;
        match relation.kind {
            RelationKind::Index { .. } => {
                let message = format!("\"{}\" is an index", relation.name);
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
            }
            RelationKind::System => return Err(SqlError::unsupported("GRANT ON a system relation")),
            _ => relations.push(relation),
        }
    }
    Ok(relations)
}

fn on_type(work: &mut Work<'_>, grant: &Grant, name: &Name) -> SqlResult<()> {
    let scope = work.scope();
    let own = scope.catalog.resolve_type(scope.search_path, name.schema.as_deref(), &name.name);
    let ty = own
        .or_else(|| Type::by_typname(&name.name))
        .ok_or_else(|| SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist")))?;
    if ty.is_array() {
        return Err(SqlError::new(state::INVALID_GRANT_OPERATION, "cannot set privileges of array types")
            .hint("Set the privileges of the element type instead."));
    }
    if own.is_none() {
        return Err(SqlError::unsupported("GRANT ON a type that is built in"));
    }
    let shown = work.type_name(ty);
    on_object(work, grant, Object::of_type(ty.0), Kind::Type, "type", &shown)
}

fn on_object(work: &mut Work<'_>, grant: &Grant, object: Object, kind: Kind, noun: &str, name: &str) -> SqlResult<()> {
    let asked = grant.asked(kind)?;
    let rights = asked.iter().fold(0, |all, (mode, _)| all | mode);
    let all = grant.rights.is_empty();
    on_whole(work, grant, &Subject { object, kind, noun, name, relation: None }, rights, all)
}

fn on_relation(work: &mut Work<'_>, grant: &Grant, relation: &Relation) -> SqlResult<()> {
    let object = Object::relation(relation.oid);
    let sequence = matches!(relation.kind, RelationKind::Sequence(_));
    let named_as_sequence = matches!(grant.target, Target::Sequences(_) | Target::All(Kind::Sequence, _));
    let mut asked = grant.asked(if named_as_sequence { Kind::Sequence } else { Kind::Relation })?;
    let kind = if sequence { Kind::Sequence } else { Kind::Relation };
    if grant.rights.is_empty() && grant.all_columns.is_empty() {
        asked = vec![(kind.all(), Vec::new())];
    }
    for (mode, _) in asked.iter_mut().filter(|(_, columns)| columns.is_empty()) {
        // A sequence may be named as a table: what it does not know of a table's rights is passed over.
        if sequence && *mode & !kind.all() != 0 {
            let message = format!("sequence \"{}\" only supports USAGE, SELECT, and UPDATE privileges", relation.name);
            work.notice(state::WARNING, message);
            *mode &= kind.all();
        } else if !sequence && *mode & !kind.all() != 0 {
            let shown = rights::words(*mode & !kind.all()).next().unwrap_or_default();
            let message = format!("invalid privilege type {shown} for table");
            return Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
        }
    }
    let noun = access::noun(relation);
    let subject = Subject { object, kind, noun, name: &relation.name, relation: Some(relation) };
    let whole = asked.iter().filter(|(_, columns)| columns.is_empty()).fold(0, |all, (mode, _)| all | mode);
    let all = grant.rights.is_empty() && grant.all_columns.is_empty();
    if whole != 0 {
        on_whole(work, grant, &subject, whole, all)?;
    }
    // A REVOKE on the table takes rights on its columns along.
    if whole & Kind::Column.all() != 0 && !grant.grant {
        let columns: Vec<i16> = relation.columns.iter().map(|c| c.attnum).collect();
        for column in columns {
            if work.catalog.rights.acl(object, column).is_none() {
                continue;
            }
            on_column(work, grant, &subject, column, whole & Kind::Column.all(), true)?;
        }
    }
    for (mode, columns) in asked.iter().filter(|(_, columns)| !columns.is_empty()) {
        let mode = if *mode == Kind::Relation.all() { Kind::Column.all() } else { *mode };
        for name in columns {
            let column = relation.column(name).ok_or_else(|| no_column(relation, name))?.attnum;
            on_column(work, grant, &subject, column, mode, grant.rights.is_empty())?;
        }
    }
    Ok(())
}

fn on_whole(work: &mut Work<'_>, grant: &Grant, subject: &Subject<'_>, rights: Mode, all: bool) -> SqlResult<()> {
    let owner = work.catalog.rights.owner(subject.object);
    let old = work.catalog.rights.acl(subject.object, 0).cloned();
    let old = old.unwrap_or_else(|| subject.kind.default_acl(owner));
    let (grantor, may) = old.best_grantor(&work.catalog.rights.roles, work.role(), owner, rights);
    if may == 0 && !work.is_superuser() {
        let whole = subject.kind.all();
        let any = old.held(&work.catalog.rights.roles, grantor, owner, whole | options(whole)) != 0;
        if !any {
            return Err(no_right(subject.noun, subject.name));
        }
    }
    warn(work, grant, (rights, may), all, &format!("\"{}\"", subject.name));
    let new = grant.changed(work, old, owner, grantor, rights & may)?;
    work.put_acl(subject.object, 0, Some(new))
}

fn on_column(
    work: &mut Work<'_>,
    grant: &Grant,
    subject: &Subject<'_>,
    column: i16,
    rights: Mode,
    all: bool,
) -> SqlResult<()> {
    let Some(relation) = subject.relation else { return Ok(()) };
    let roles = Arc::clone(&work.catalog.rights.roles);
    let owner = work.catalog.rights.owner(subject.object);
    let old = work.catalog.rights.acl(subject.object, column).cloned().unwrap_or_default();
    // Whoever may grant a right on the table may grant it on its columns.
    let of_table = work.catalog.rights.acl(subject.object, 0).cloned();
    let mut merged = of_table.unwrap_or_else(|| subject.kind.default_acl(owner));
    merged.0.extend(old.0.iter().copied());
    let (grantor, may) = merged.best_grantor(&roles, work.role(), owner, rights);
    let name = relation.column_at(column).map_or("", |c| c.name.as_str());
    if may == 0 && !work.is_superuser() {
        let whole = Kind::Column.all();
        if merged.held(&roles, grantor, owner, whole | options(whole)) == 0 {
            let message = format!("permission denied for column \"{name}\" of relation \"{}\"", relation.name);
            return Err(denied(message));
        }
    }
    warn(work, grant, (rights, may), all, &format!("column \"{name}\" of relation \"{}\"", relation.name));
    let new = grant.changed(work, old, owner, grantor, rights & may)?;
    let new = Some(new).filter(|acl| !acl.0.is_empty());
    if new.is_none() && work.catalog.rights.acl(subject.object, column).is_none() {
        return Ok(());
    }
    work.put_acl(subject.object, column, new)
}

/// Tells that not all was granted, or revoked.
fn warn(work: &mut Work<'_>, grant: &Grant, (asked, may): (Mode, Mode), all: bool, what: &str) {
    let (code, done) = match grant.grant {
        true => (state::WARNING_PRIVILEGE_NOT_GRANTED, "granted"),
        false => (state::WARNING_PRIVILEGE_NOT_REVOKED, "could be revoked"),
    };
    let verb = if grant.grant { "were granted" } else { done };
    if asked & may == 0 {
        work.notice(code, format!("no privileges {verb} for {what}"));
    } else if !all && asked & may != asked {
        work.notice(code, format!("not all privileges {verb} for {what}"));
    }
}

/// ALTER DEFAULT PRIVILEGES
fn defaults_of(
    work: &mut Work<'_>,
    grant: &Grant,
    roles: &[RoleSpec],
    schemas: &[String],
    (kind, letter): (Kind, &str),
) -> SqlResult<()> {
    let asked = grant.asked(kind)?;
    if asked.iter().any(|(_, columns)| !columns.is_empty()) {
        let message = "default privileges cannot be set for columns";
        return Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
    }
    if kind == Kind::Schema && !schemas.is_empty() {
        let message = "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS";
        return Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
    }
    let rights = asked.iter().fold(0, |all, (mode, _)| all | mode);
    let current = [RoleSpec::CurrentUser];
    for spec in if roles.is_empty() { &current[..] } else { roles } {
        let role = known(work, spec)?;
        if !work.catalog.rights.roles.has_rights_of(work.role(), role.oid) {
            return Err(denied("permission denied to change default privileges"));
        }
        let mut places = Vec::new();
        for schema in schemas {
            places.push(work.catalog.schemas.get(schema).copied().ok_or_else(|| no_schema(schema))?);
        }
        if places.is_empty() {
            places.push(0);
        }
        for place in places {
            let key = (role.oid, place, letter.to_owned());
            let known = work.catalog.rights.defaults.get(&key).cloned();
            // What a schema adds begins with nothing; what holds everywhere, with what objects have by themselves.
            let plain = if place == 0 { kind.default_acl(role.oid) } else { Acl::default() };
            let old = known.as_ref().map_or_else(|| plain.clone(), |(_, acl)| acl.clone());
            let new = grant.changed(work, old, role.oid, role.oid, rights)?.sorted();
            put_default(work, key, known.map(|(oid, _)| oid), new, &plain)?;
        }
    }
    Ok(())
}

fn put_default(
    work: &mut Work<'_>,
    key: (u32, u32, String),
    known: Option<u32>,
    new: Acl,
    plain: &Acl,
) -> SqlResult<()> {
    let value = acl_literal(&work.catalog.rights.roles, Some(&new))?;
    match (known, new.says_the_same_as(plain)) {
        (Some(oid), true) => {
            work.sql(format!("DELETE FROM \"pg_catalog.pg_default_acl\" WHERE oid = {oid}"));
            work.catalog.rights.defaults.remove(&key);
        }
        (None, true) => {}
        (Some(oid), false) => {
            work.sql(format!("UPDATE \"pg_catalog.pg_default_acl\" SET defaclacl = {value} WHERE oid = {oid}"));
            work.catalog.rights.defaults.insert(key, (oid, new));
        }
        (None, false) => {
            let oid = work.oid();
            let (role, schema, kind) = &key;
            work.sql(format!(
                "INSERT INTO \"pg_catalog.pg_default_acl\" VALUES ({oid}, {role}, {schema}, '{kind}', {value})"
            ));
            work.catalog.rights.defaults.insert(key, (oid, new));
        }
    }
    Ok(())
}

/// The grants that a new object begins with; `None`: those that objects have by themselves.
pub fn initial(work: &Work<'_>, kind: Kind, letter: &str, schema: u32) -> SqlResult<Option<Acl>> {
    let role = work.role();
    let defaults = &work.catalog.rights.defaults;
    let of = |place: u32| defaults.get(&(role, place, letter.to_owned())).map(|(_, acl)| acl);
    let (everywhere, here) = (of(0), if schema == 0 { None } else { of(schema) });
    if everywhere.is_none() && here.is_none() {
        return Ok(None);
    }
    let plain = kind.default_acl(role);
    let mut acl = everywhere.cloned().unwrap_or_else(|| plain.clone());
    for item in here.iter().flat_map(|acl| &acl.0) {
        acl = acl.grant(&work.catalog.rights.roles, *item, role)?;
    }
    Ok(Some(acl.sorted()).filter(|acl| !acl.says_the_same_as(&plain)))
}
