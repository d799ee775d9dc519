//! The working copy of a catalog that a DDL statement changes, and the SQLite statements that go with it.

use super::clashes;
use super::grammar::{OnCommit, TypeName};
use super::roles::grants;
use super::rows::{self, column_list, literal};
use super::table::{guard_foreign_key, guard_unique};
use super::temporary;
use crate::command::{Definition, Insert, Shape, Span, Statement, Yields};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::functions::Volatility;
use crate::functions::catalog::MARKS;
use crate::rights::{self, Acl, BOOTSTRAP, CREATE, Mode, TEMPORARY, USAGE};
use crate::sql::Scope;
use crate::sql::access;
use crate::sql::bind::{self, Address, Kept, Notes, class};
use crate::sql::catalog::Object;
use crate::sql::catalog::rights::acl_literal;
use crate::sql::catalog::{
    Action, Catalog, Column, Constraint, ConstraintKind, Index, IndexKey, OwnType, Relation, RelationKind,
    is_temporary, methods, quote, sqlite_name,
};
use crate::sql::cursor::Name;
use crate::sql::deparse;
use crate::sql::ir::{Node, Op, Typed};
use crate::sql::lex::quote_identifier;
use crate::sql::plan::{Effort, Facts};
use crate::sql::render;
use crate::sql::view;
use crate::sql::violation::{copy_name, references};
use crate::types::{NO_TYPMOD, Own, Type, typmod_in};
use crate::version::Version;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub struct Work<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub catalog: Catalog,
    statements: Vec<Statement>,
    pub notices: Vec<SqlError>,
    first_oid: u32,
    changes_catalog: bool,
    /// Relations that are being dropped: views may refer to each other in a circle.
    pub going: BTreeSet<u32>,
    /// What goes with what is dropped.
    pub dependents: Vec<Dependent>,
    /// Several objects are to be dropped.
    pub many: bool,
    /// What is to be dropped, where the first that depends does so by way of something else.
    pub dropped: Option<String>,
    /// What the queries in it take.
    pub effort: Effort,
    /// What the expressions that were bound ask for.
    pub facts: RefCell<Facts>,
    /// The statement computes something for rows that are there.
    pub passes: bool,
    /// An expression in it is more than a constant.
    calls: Cell<bool>,
    /// Foreign keys are not checked before its end.
    puts_off: bool,
    /// How many salts were drawn.
    drawn: u64,
    /// A schema was named that the role may not use: whatever else is wrong, this is what it is told.
    pub refused: RefCell<Option<SqlError>>,
    /// Whom it concerns, as far as that is known.
    change: Definition,
    /// It is about a temporary object: OIDs are drawn where those have theirs.
    temporary: Cell<bool>,
    /// The numbers that those have, once one is drawn.
    temporary_oids: Option<temporary::Oids>,
    /// What becomes of the temporary table that it makes.
    pub on_commit: Option<(u32, OnCommit)>,
    /// Types of the parameters of a query in it.
    pub params: Vec<Type>,
    /// See [`crate::sql::plan::WritePlan`].
    pub alone: Option<&'static str>,
    pub begins: Option<u32>,
    /// See [`Work::admit`].
    admits: bool,
}

/// A part of a table that goes while the table stays.
pub enum TablePart {
    /// Of a column.
    Default(i16),
    /// A generated column.
    Generated(i16),
    Check(String),
    Index(u32),
}

/// An object that goes with another one.
pub struct Dependent {
    pub oid: u32,
    pub of: String,
    pub what: String,
    /// CASCADE says so.
    pub allowed: bool,
}

pub struct Finished {
    pub statements: Vec<Statement>,
    pub facts: Facts,
    pub notices: Vec<SqlError>,
    pub change: Definition,
    /// It makes something temporary: the session has to say so first.
    pub temporary: bool,
    pub on_commit: Option<(u32, OnCommit)>,
    pub params: Vec<Type>,
    pub effort: Effort,
    pub alone: Option<&'static str>,
    pub begins: Option<u32>,
}

/// What a guard reports when its query finds a row.
pub struct Violation<'v> {
    pub code: SqlState,
    pub message: String,
    /// SQLite expression.
    pub detail: Option<String>,
    pub relation: &'v Relation,
    pub column: Option<&'v str>,
    pub constraint: Option<&'v str>,
}

impl Violation<'_> {
    /// The columns of a guard's row.
    pub fn columns(&self) -> String {
        let text = |t: Option<&str>| t.map_or("NULL".into(), literal);
        format!(
            "{}, {}, {}, NULL, {}, {}, {}, NULL, {}",
            literal(self.code.as_str()),
            literal(&self.message),
            self.detail.as_deref().unwrap_or("NULL"),
            literal(&self.relation.schema),
            literal(&self.relation.name),
            text(self.column),
            text(self.constraint),
        )
    }
}

/// In the order in which PostgreSQL lists them: older ones first, and behind each what depends on it. The array over a type
/// is as old as that.
fn arranged(mut left: Vec<Dependent>) -> Vec<Dependent> {
    fn element(of: &str) -> &str {
        of.strip_suffix("[]").unwrap_or(of)
    }
    fn behind(of: &str, left: &mut Vec<Dependent>, out: &mut Vec<Dependent>) {
        let mut found: Vec<Dependent> = left.extract_if(.., |d| element(&d.of) == of).collect();
        found.sort_by_key(|d| (d.of == of, d.oid));
        for dependent in found {
            let what = dependent.what.clone();
            out.push(dependent);
            behind(&what, left, out);
        }
    }
    let mut out = Vec::new();
    while let Some(first) =
        left.iter().find(|d| !left.iter().any(|other| other.what == element(&d.of))).or(left.first())
    {
        let of = element(&first.of).to_owned();
        behind(&of, &mut left, &mut out);
    }
    out
}

/// What an index is made of, as SQLite has it.
pub struct Keys {
    pub terms: Vec<Key>,
    pub predicate: Option<String>,
}

impl Keys {
    /// CREATE INDEX of SQLite.
    pub fn create(&self, r: &Relation, index: &Index, physical: &str) -> String {
        let keys: Vec<String> = self.terms.iter().map(|key| format!("{}{}", key.term, key.direction)).collect();
        format!(
            "CREATE {}INDEX {} ON {}({}){}",
            if index.unique && r.is_immediate(index) { "UNIQUE " } else { "" },
            quote(&sqlite_name(&r.schema, &index.name)),
            quote(physical),
            keys.join(", "),
            self.predicate.as_ref().map_or(String::new(), |condition| format!(" WHERE {condition}")),
        )
    }
}

pub struct Key {
    pub term: String,
    /// ` DESC`, or nothing.
    pub direction: &'static str,
    pub ty: Type,
}

impl<'a> Work<'a> {
    pub fn new(scope: &'a Scope<'a>) -> Work<'a> {
        Work {
            scope,
            catalog: scope.catalog.clone(),
            statements: Vec::new(),
            notices: Vec::new(),
            first_oid: scope.catalog.next_oid,
            changes_catalog: false,
            dependents: Vec::new(),
            going: BTreeSet::new(),
            many: false,
            dropped: None,
            effort: Effort::Scan,
            facts: RefCell::default(),
            passes: false,
            calls: Cell::new(false),
            puts_off: false,
            drawn: 0,
            refused: RefCell::default(),
            change: Definition::None,
            temporary: Cell::new(false),
            temporary_oids: None,
            on_commit: None,
            params: Vec::new(),
            alone: None,
            begins: None,
            admits: false,
        }
    }

    /// Without CASCADE nothing else may go; with it, the client is told what does.
    pub fn settle(&mut self) -> SqlResult<()> {
        let gone = arranged(std::mem::take(&mut self.dependents));
        if gone.iter().any(|d| !d.allowed) {
            let message = match gone.first().filter(|_| !self.many) {
                Some(first) => {
                    let what = self.dropped.as_ref().unwrap_or(&first.of);
                    format!("cannot drop {what} because other objects depend on it")
                }
                None => "cannot drop desired object(s) because other objects depend on them".to_owned(),
            };
            let lines: Vec<String> = gone.iter().map(|d| format!("{} depends on {}", d.what, d.of)).collect();
            return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message)
                .detail(lines.join("\n"))
                .hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        let lines: Vec<String> = gone.iter().map(|d| format!("drop cascades to {}", d.what)).collect();
        match &lines[..] {
            [] => {}
            [line] => self.notice(state::SUCCESSFUL_COMPLETION, line.clone()),
            lines => {
                let message = format!("drop cascades to {} other objects", lines.len());
                self.notices.push(SqlError::new(state::SUCCESSFUL_COMPLETION, message).detail(lines.join("\n")));
            }
        }
        Ok(())
    }

    /// A relation's name as messages show it: qualified where the name alone would not find it.
    pub fn shown(&self, r: &Relation) -> String {
        let found = self.scope.catalog.resolve(self.scope.search_path, None, &r.name);
        let name = quote_identifier(&r.name);
        if found.is_some_and(|f| f.oid == r.oid) { name } else { format!("{}.{name}", quote_identifier(&r.schema)) }
    }

    pub fn finish(mut self) -> Finished {
        if self.catalog.next_oid != self.first_oid {
            let next = self.catalog.next_oid;
            self.sql(format!("UPDATE \"_quorate_schema\" SET next_oid = {next}"));
        }
        if self.puts_off {
            // What follows in the same transaction is checked as before.
            self.deferral("PRAGMA defer_foreign_keys = OFF");
        }
        if self.admits {
            self.statements.push(Statement::new("SELECT q_admit(0)", Yields::Nothing));
        }
        Finished {
            statements: self.statements,
            facts: self.facts.into_inner(),
            notices: self.notices,
            change: match (self.changes_catalog, self.change) {
                (false, _) => Definition::None,
                (true, Definition::None) => Definition::Shared,
                (true, change) => change,
            },
            temporary: self.temporary.get(),
            on_commit: self.on_commit,
            params: self.params,
            alone: self.alone,
            begins: self.begins,
            // How long a function takes for each of many rows, nobody knows before it is tried.
            effort: self.effort.max(if self.passes && self.calls.get() { Effort::Pass } else { Effort::Scan }),
        }
    }

    /// The scope with the working copy as its catalog.
    pub fn scope(&self) -> Scope<'_> {
        Scope { catalog: &self.catalog, ..self.scope.clone() }
    }

    /// The role in whose name the statement runs; 0 if there is none of that name.
    pub fn role(&self) -> u32 {
        self.scope.catalog.rights.roles.named(self.scope.user).map_or(0, |role| role.oid)
    }

    pub fn is_superuser(&self) -> bool {
        self.catalog.rights.roles.is_superuser(self.role())
    }

    /// Whether the current role may do what only an object's owner may.
    pub fn owns(&self, object: Object) -> bool {
        self.catalog.rights.owns(self.role(), object)
    }

    /// Errors: 42501 unless the current role owns the relation.
    pub fn check_owner(&self, relation: &Relation) -> SqlResult<()> {
        match self.owns(Object::relation(relation.oid)) {
            true => Ok(()),
            false => Err(access::not_owner(access::noun(relation), &relation.name)),
        }
    }

    /// Errors: 42501 unless the current role owns the relation, or its schema.
    pub fn check_may_drop(&self, relation: &Relation) -> SqlResult<()> {
        let schema = self.catalog.schemas.get(&relation.schema);
        match schema.is_some_and(|oid| self.owns(Object::schema(*oid))) {
            true => Ok(()),
            false => self.check_owner(relation),
        }
    }

    /// Errors: 42501 unless the current role has the right on the relation, or on all of the columns.
    pub fn check_right(&self, relation: &Relation, right: Mode, columns: &[i16]) -> SqlResult<()> {
        let (role, object) = (self.role(), Object::relation(relation.oid));
        let on = |column: &i16| self.catalog.rights.held_on_column(role, object, *column, right) != 0;
        match !columns.is_empty() && columns.iter().all(on) {
            true => Ok(()),
            false => access::any(&self.catalog, role, relation, right),
        }
    }

    /// Errors: 42501 unless the current role may make things in a schema.
    pub fn check_creates_in(&self, schema: &str) -> SqlResult<()> {
        access::schema(&self.scope(), schema, CREATE)
    }

    /// Whether a schema has the temporary objects of this session.
    pub fn is_own_temporary(&self, schema: &str) -> bool {
        !schema.is_empty() && schema == self.scope.temporary.schema
    }

    /// Errors: 42501 unless the current role may make schemas.
    pub fn check_creates_in_database(&self) -> SqlResult<()> {
        match self.catalog.rights.held(self.role(), rights::Kind::Database, Object::DATABASE, CREATE) {
            0 => Err(access::no_right("database", self.scope.database)),
            _ => Ok(()),
        }
    }

    /// Errors: 3D000 unless it is this database.
    pub fn check_database(&self, name: &str) -> SqlResult<()> {
        match name == self.scope.database {
            true => Ok(()),
            false => {
                let message = format!("database \"{name}\" does not exist");
                Err(SqlError::new(state::INVALID_CATALOG_NAME, message))
            }
        }
    }

    /// Records that a new object is the current role's.
    fn own(&mut self, object: Object) {
        let role = self.role();
        self.catalog.rights.set_owner(object, role);
    }

    /// Records another owner, with the grants as they are then.
    pub fn give(&mut self, object: Object, new: u32) -> SqlResult<()> {
        let old = self.catalog.rights.owner(object);
        let oid = object.oid;
        match object.class {
            1259 => {
                self.sql(format!("UPDATE \"pg_catalog.pg_class\" SET relowner = {new} WHERE oid = {oid}"));
                self.sql(format!(
                    "UPDATE \"pg_catalog.pg_type\" SET typowner = {new} WHERE typrelid = {oid} AND {oid} <> 0"
                ));
                let array = Own::Row.numbered(oid).0 + 1;
                self.sql(format!("UPDATE \"pg_catalog.pg_type\" SET typowner = {new} WHERE oid = {array}"));
            }
            2615 => self.sql(format!("UPDATE \"pg_catalog.pg_namespace\" SET nspowner = {new} WHERE oid = {oid}")),
            1247 => self.sql(format!("UPDATE \"pg_catalog.pg_type\" SET typowner = {new} WHERE oid = {oid}")),
            2612 => self.sql(format!("UPDATE \"pg_catalog.pg_language\" SET lanowner = {new} WHERE oid = {oid}")),
            3079 => self.sql(format!("UPDATE \"pg_catalog.pg_extension\" SET extowner = {new} WHERE oid = {oid}")),
            _ => {
                self.sql(format!("UPDATE \"_quorate_database\" SET datdba = {new}"));
                Arc::make_mut(&mut self.catalog.rights.roles).database_owner = new;
            }
        }
        self.catalog.rights.set_owner(object, new);
        let named: Vec<_> = self
            .catalog
            .rights
            .acls
            .range((object, 0)..=(object, i16::MAX))
            .map(|(k, acl)| (k.1, acl.clone()))
            .collect();
        for (column, acl) in named {
            self.put_acl(object, column, Some(acl.with_owner(old, new)))?;
        }
        Ok(())
    }

    /// Gives a new object the grants that it begins with, if they are others than all have.
    pub fn grant_defaults(&mut self, object: Object, kind: rights::Kind, letter: &str, schema: &str) -> SqlResult<()> {
        let schema = self.catalog.schemas.get(schema).copied().unwrap_or_default();
        match grants::initial(self, kind, letter, schema)? {
            Some(acl) => self.put_acl(object, 0, Some(acl)),
            None => Ok(()),
        }
    }

    /// Bytes that were never drawn before.
    pub fn salt(&mut self) -> [u8; 16] {
        let mut dice = crate::functions::Context { seed: self.scope.seed, ..Default::default() };
        (0..2 * self.drawn).for_each(|_| _ = dice.random());
        self.drawn += 1;
        let words = [dice.random(), dice.random()].map(u64::to_be_bytes);
        std::array::from_fn(|i| words[i / 8][i % 8])
    }

    /// Records the grants on an object, or on a column of it.
    pub fn put_acl(&mut self, object: Object, column: i16, acl: Option<Acl>) -> SqlResult<()> {
        let value = acl_literal(&self.catalog.rights.roles, acl.as_ref())?;
        let oid = object.oid;
        let sql = match (object.class, column) {
            (1259, 0) => format!("UPDATE \"pg_catalog.pg_class\" SET relacl = {value} WHERE oid = {oid}"),
            (1259, _) => format!(
                "UPDATE \"pg_catalog.pg_attribute\" SET attacl = {value} WHERE attrelid = {oid} AND attnum = {column}"
            ),
            (2615, _) => format!("UPDATE \"pg_catalog.pg_namespace\" SET nspacl = {value} WHERE oid = {oid}"),
            (1247, _) => format!("UPDATE \"pg_catalog.pg_type\" SET typacl = {value} WHERE oid = {oid}"),
            (2612, _) => format!("UPDATE \"pg_catalog.pg_language\" SET lanacl = {value} WHERE oid = {oid}"),
            _ => {
                format!("UPDATE \"_quorate_database\" SET datacl = {value}")
            }
        };
        self.sql(sql);
        match acl {
            Some(acl) => drop(self.catalog.rights.acls.insert((object, column), acl)),
            None => drop(self.catalog.rights.acls.remove(&(object, column))),
        }
        Ok(())
    }

    pub fn oid(&mut self) -> u32 {
        if self.temporary.get() {
            let own = || temporary::Oids::new(self.scope.catalog, self.scope.temporary.schema);
            return self.temporary_oids.get_or_insert_with(own).draw();
        }
        let oid = self.catalog.next_oid;
        self.catalog.next_oid += 1;
        oid
    }

    /// A statement that changes the schema or the catalog.
    pub fn sql(&mut self, sql: String) {
        self.changes_catalog = true;
        self.statements.push(Statement::new(sql, Yields::Nothing));
    }

    /// The same, of more than its text says.
    pub fn define(&mut self, statement: Statement) {
        self.changes_catalog = true;
        self.statements.push(statement);
    }

    /// What the group's log may contain.
    pub fn version(&self) -> Version {
        self.scope.version
    }

    /// From here on, foreign keys are checked at the end of the statement.
    pub fn put_off_references(&mut self) {
        self.deferral("PRAGMA defer_foreign_keys = ON");
        self.puts_off = true;
    }

    fn deferral(&mut self, sql: &str) {
        let deferral = Statement::new(sql.to_owned(), Yields::Nothing);
        self.statements.push(Statement { shape: Shape::Deferral, ..deferral });
    }

    /// A statement that changes rows only.
    pub fn data(&mut self, sql: String) {
        self.passes = true;
        self.statements.push(Statement::new(sql, Yields::Nothing));
    }

    pub fn add(&mut self, statements: Vec<Statement>) {
        self.statements.extend(statements);
    }

    pub fn notice(&mut self, code: SqlState, message: String) {
        self.notices.push(SqlError::new(code, message));
    }

    /// The error of a name whose schema does not exist.
    pub fn missing_schema(&self, name: &Name) -> Option<SqlError> {
        let schema = name.schema.as_deref().filter(|schema| !self.catalog.schemas.contains_key(*schema))?;
        (schema != "pg_temp").then(|| no_schema(schema))
    }

    /// Fails the statement if `from` (what follows SELECT …: FROM, WHERE) finds a row.
    pub fn guard(&mut self, v: &Violation<'_>, from: &str) {
        self.passes = true;
        self.statements.push(Statement::new(format!("SELECT {} {from} LIMIT 1", v.columns()), Yields::Guard));
    }

    // ---- names

    pub fn find(&self, name: &Name) -> Option<Relation> {
        let refused = name.schema.iter().find_map(|schema| access::schema(&self.scope(), schema, USAGE).err());
        if refused.is_some() {
            let mut known = self.refused.borrow_mut();
            *known = known.take().or(refused);
            return None;
        }
        let found = self.catalog.resolve(self.scope.search_path, name.schema.as_deref(), &name.name)?;
        if is_temporary(&found.schema) {
            self.temporary.set(true);
        }
        Some(Relation::clone(found))
    }

    pub fn relation(&self, name: &Name) -> SqlResult<Relation> {
        self.find(name).ok_or_else(|| no_relation(name))
    }

    /// An ordinary table of the user's.
    pub fn table(&self, name: &Name) -> SqlResult<Relation> {
        let relation = self.relation(name)?;
        match relation.kind {
            RelationKind::Table => Ok(relation),
            RelationKind::System => Err(system_relation(&relation)),
            _ => Err(SqlError::new(state::WRONG_OBJECT_TYPE, format!("\"{}\" is not a table", relation.name))),
        }
    }

    /// A relation with rows of its own, which an index may be over.
    pub fn stored(&self, name: &Name) -> SqlResult<Relation> {
        let relation = self.relation(name)?;
        if relation.kind.is_stored() {
            return Ok(relation);
        }
        if matches!(relation.kind, RelationKind::System) {
            return Err(system_relation(&relation));
        }
        let message = format!("cannot create index on relation \"{}\"", relation.name);
        let plural =
            if matches!(relation.kind, RelationKind::Index { .. }) { "indexe" } else { access::noun(&relation) };
        let detail = format!("This operation is not supported for {plural}s.");
        Err(SqlError::new(state::WRONG_OBJECT_TYPE, message).detail(detail))
    }

    /// A type's name as messages show it.
    pub fn type_name(&self, ty: Type) -> String {
        self.catalog.type_name(self.scope.search_path, ty)
    }

    /// What is changed concerns these.
    pub fn concerns(&mut self, whom: Definition) {
        self.change = self.change.and(whom);
    }

    /// Notes whom a change of a relation concerns.
    fn concerns_those_of(&mut self, relation: &Relation) {
        let private = is_temporary(&relation.schema) && relation.columns.iter().all(|c| c.ty.own().is_none());
        self.concerns(if private { Definition::Private } else { Definition::Shared });
    }

    /// The session's schema for temporary objects, which is made for the first of them.
    fn temporary_schema(&mut self) -> SqlResult<String> {
        let schema = self.scope.temporary.schema.to_owned();
        if schema.is_empty() {
            return Err(SqlError::unsupported("temporary objects here"));
        }
        if self.catalog.rights.held(self.role(), rights::Kind::Database, Object::DATABASE, TEMPORARY) == 0 {
            let database = self.scope.database;
            let message = format!("permission denied to create temporary tables in database \"{database}\"");
            return Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, message));
        }
        self.temporary.set(true);
        if !self.catalog.schemas.contains_key(&schema) {
            let oid = self.oid();
            self.catalog.schemas.insert(schema.clone(), oid);
            self.concerns(Definition::Private);
            self.sql(format!(
                "INSERT INTO \"pg_catalog.pg_namespace\"(oid, nspname, nspowner) VALUES ({oid}, {}, {BOOTSTRAP})",
                literal(&schema)
            ));
        }
        Ok(schema)
    }

    /// The schema in which a new object of this name goes.
    pub fn creation_schema(&mut self, name: &Name, temporary: bool) -> SqlResult<String> {
        let own = self.scope.temporary.schema;
        let is_own = |schema: &str| schema == "pg_temp" || !own.is_empty() && schema == own;
        let mut path = self.scope.search_path.iter().skip(usize::from(self.scope.temporary.leads));
        let first = path.find(|s| is_own(s) || self.catalog.schemas.contains_key(*s));
        match &name.schema {
            Some(schema) if is_own(schema) => return self.temporary_schema(),
            Some(_) if temporary => {
                let message = "cannot create temporary relation in non-temporary schema";
                return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message).position(name.position));
            }
            Some(schema) if is_temporary(schema) => {
                let message = "cannot create relations in temporary schemas of other sessions";
                return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message).position(name.position));
            }
            None if temporary || first.is_some_and(|first| is_own(first)) => return self.temporary_schema(),
            _ => {}
        }
        let schema = match &name.schema {
            Some(schema) if self.catalog.schemas.contains_key(schema) => schema.clone(),
            Some(schema) => return Err(no_schema(schema).position(name.position)),
            None => {
                let found = first;
                let missing = || SqlError::new(state::INVALID_SCHEMA_NAME, "no schema has been selected to create in");
                found.cloned().ok_or_else(missing)?
            }
        };
        self.check_creates_in(&schema)?;
        if is_system_schema(&schema) {
            return Err(SqlError::new(
                state::INSUFFICIENT_PRIVILEGE,
                format!("permission denied to create \"{schema}.{}\"", name.name),
            )
            .detail("System catalog modifications are currently disallowed."));
        }
        Ok(schema)
    }

    pub fn is_taken(&self, schema: &str, name: &str) -> bool {
        self.catalog.relations.contains_key(&(schema.to_owned(), name.to_owned()))
    }

    /// SQLite compares names without regard to ASCII case: two that differ only there cannot both exist.
    pub fn check_case(&self, schema: &str, name: &str) -> SqlResult<()> {
        let clash = self.catalog.relations.keys().find(|(s, n)| {
            s.eq_ignore_ascii_case(schema) && n.eq_ignore_ascii_case(name) && (s != schema || n != name)
        });
        match clash {
            Some((_, other)) => Err(SqlError::unsupported(format!(
                "a relation \"{name}\" beside \"{other}\" (names that differ only in case)"
            ))),
            None => Ok(()),
        }
    }

    /// `base_columns_label`, cut to 63 bytes, with a number if it is taken.
    pub fn choose_name(
        &self,
        schema: &str,
        base: &str,
        columns: &str,
        label: &str,
        taken: &dyn Fn(&str) -> bool,
    ) -> String {
        for pass in 0.. {
            let label = if pass == 0 { label.to_owned() } else { format!("{label}{pass}") };
            let name = object_name(base, columns, &label);
            let used = taken(&name) || self.is_taken(schema, &name);
            if !used {
                return name;
            }
        }
        unreachable!("the loop has no end")
    }

    // ---- types and expressions

    /// A type and its modifier.
    pub fn type_of(&self, ty: &TypeName) -> SqlResult<(Type, i32)> {
        let builtin = matches!(ty.schema.as_deref(), None | Some("pg_catalog"));
        let known = Type::by_typname(&ty.name).filter(|_| builtin);
        let own = || self.catalog.resolve_type(self.scope.search_path, ty.schema.as_deref(), &ty.name);
        let shown = ty.schema.iter().map(|s| format!("{s}.")).collect::<String>() + &ty.name;
        let element = known.or_else(own).ok_or_else(|| bind::no_type(&shown).position(ty.position))?;
        if element.info().is_some_and(|info| info.kind == 'p') {
            let message = format!("column has pseudo-type {shown}");
            return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message).position(ty.position));
        }
        if let Some(own) = self.catalog.own_type(element)
            && self.catalog.rights.held(self.role(), rights::Kind::Type, Object::of_type(own.oid), USAGE) == 0
        {
            return Err(access::no_right("type", &self.type_name(element)));
        }
        if !element.is_storable() {
            return Err(SqlError::unsupported(format!("type \"{shown}\"")).position(ty.position));
        }
        let typmod = typmod_in(element, &ty.modifiers).map_err(|e| e.position(ty.position))?;
        let array = || element.array().ok_or_else(|| SqlError::unsupported(format!("an array of type \"{shown}\"")));
        let ty = if ty.array && !element.is_array() { array()? } else { element };
        Ok((ty, typmod))
    }

    /// A type with its modifier, qualified, as an expression of ours may say it.
    pub fn type_shown(&self, ty: Type, typmod: i32) -> String {
        self.catalog.format_type(&[], ty, typmod)
    }

    /// A column of a domain is stored as what that is based on.
    pub fn as_declared(&self, column: &mut Column) -> SqlResult<()> {
        let declared = column.ty;
        let (base, typmod) = self.catalog.base_of(declared, column.typmod);
        if declared == base {
            return Ok(());
        }
        let element = declared.element().map(|element| self.catalog.base_of(element, NO_TYPMOD).0);
        if element.is_some_and(Type::is_array) {
            return Err(SqlError::unsupported("an array of a domain over an array"));
        }
        (column.ty, column.typmod, column.domain) = (base, typmod, Some(declared));
        Ok(())
    }

    /// The SQLite text of an expression that a table keeps.
    pub fn bind(
        &self,
        relation: Option<&Relation>,
        text: &str,
        target: Option<(Type, i32)>,
        kept: Kept,
    ) -> SqlResult<String> {
        let (sql, facts) = bind::bind_column_facts(&self.scope(), relation, text, target, kept)?;
        self.note(text, &facts);
        Ok(sql)
    }

    /// An expression of an index's key, as the index compares it.
    fn bind_index_key(&self, relation: &Relation, text: &str) -> SqlResult<String> {
        let (sql, facts) = bind::bind_index_key(&self.scope(), relation, text)?;
        self.note(text, &facts);
        Ok(sql)
    }

    fn note(&self, text: &str, facts: &Facts) {
        self.facts.borrow_mut().add(facts);
        // A constant, or a name, is computed in no time.
        if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '\'' | ':')) {
            self.calls.set(true);
        }
    }

    /// The type of an index's expression.
    pub fn type_of_expression(&self, relation: &Relation, text: &str) -> SqlResult<Type> {
        bind::bind_typed_column_expr(&self.scope(), relation, text).map(|(_, ty, _)| ty)
    }

    /// An expression as clients are shown it, plain and pretty; as it was written, if there is no better form.
    fn show(&self, catalog: &Catalog, e: rows::Expression<'_>) -> rows::Shown {
        let written = || vec![e.text.to_owned(); 2];
        let Some((tree, notes)) = self.tree(catalog, e) else {
            return rows::Shown { forms: written(), needs: BTreeSet::new() };
        };
        let forms = |path: &[String]| {
            let form = |pretty| deparse::expression(&tree, catalog, e.over, path, pretty);
            Some(vec![form(false)?, form(true)?])
        };
        let mut short = forms(&["public".to_owned()]).unwrap_or_else(written);
        let qualified = forms(&[]).filter(|qualified| *qualified != short);
        // Programs of before know of two paths only, which is enough for what is in `public`.
        let marked = |pretty| deparse::marked(&tree, catalog, e.over, pretty);
        let [open, close] = MARKS;
        let elsewhere = |form: &str| {
            form.split(open).skip(1).any(|part| part.split_once(close).is_some_and(|(s, _)| s != "public"))
        };
        match (marked(false), marked(true)) {
            (Some(plain), Some(pretty)) if elsewhere(&plain) && !short[0].contains(MARKS) => {
                short = vec![plain, pretty]
            }
            _ => short.extend(qualified.into_iter().flatten()),
        }
        rows::Shown { forms: short, needs: notes.needs() }
    }

    /// A default as it is kept: where it names a sequence or another relation, that one is meant under every search path.
    pub fn settled(&self, text: &str, column: &Column) -> String {
        let target = Some((column.ty, column.typmod));
        let e = rows::Expression { over: None, text, target, kept: Kept::Default };
        let named = |e: &Typed| e.ty == Type::REGCLASS && matches!(e.node, Node::Const(_));
        match self.tree(&self.catalog, e) {
            Some((tree, _)) if tree.any(&named) => {
                deparse::expression(&tree, &self.catalog, None, &[], false).unwrap_or_else(|| text.to_owned())
            }
            _ => text.to_owned(),
        }
    }

    /// Whether a column's default is another value each time.
    pub fn is_volatile(&self, text: &str, column: &Column) -> bool {
        let target = Some((column.ty, column.typmod));
        let e = rows::Expression { over: None, text, target, kept: Kept::Default };
        let changes = |e: &Typed| match &e.node {
            Node::Apply(Op::Function(function), _) => function.volatility == Volatility::Volatile,
            _ => false,
        };
        self.tree(&self.catalog, e).is_none_or(|(tree, _)| tree.any(&changes))
    }

    /// An expression with what it makes of its columns said, if there is a form for it.
    pub fn said(&self, e: rows::Expression<'_>) -> Option<String> {
        let (tree, _) = self.tree(&self.catalog, e)?;
        deparse::expression(&tree, &self.catalog, e.over, &[], false)
    }

    fn tree(&self, catalog: &Catalog, e: rows::Expression<'_>) -> Option<(Typed, Notes)> {
        let scope = Scope { catalog, ..self.scope.clone() };
        bind::faithful_column_expr(&scope, e.over, e.text, e.target, e.kept).ok()
    }

    /// Everything that tables and domains keep follows the new name of a sequence, a type or a label: bound under the old
    /// names, it is written with the new ones.
    pub fn follow(&mut self, old: &Catalog) {
        self.follow_in_domains(old);
        let tables: Vec<Relation> = self.catalog.relations.values().map(|r| Relation::clone(r)).collect();
        for table in tables.iter().filter(|r| matches!(r.kind, RelationKind::Table)) {
            let Some(before) = old.by_oid(table.oid).map(|r| Relation::clone(r)) else { continue };
            let mut after = table.clone();
            let renamed = |text: &mut String, over: Option<&Relation>, target, kept| {
                self.renamed(old, text, rows::Expression { over, text: "", target, kept });
            };
            for column in &mut after.columns {
                let target = Some((column.ty, column.typmod));
                column.default.iter_mut().for_each(|text| renamed(text, None, target, Kept::Default));
            }
            each_kept(&mut after, |text, target, kept| renamed(text, Some(&before), target, kept));
            if after == before {
                continue;
            }
            let show = |catalog: &Catalog, e: rows::Expression<'_>| self.show(catalog, e);
            let (changes, uses) = rows::change(Some((old, &before)), Some((&self.catalog, &after)), &show);
            self.catalog.note_uses(after.oid, uses);
            self.catalog.insert(after);
            for sql in changes {
                self.sql(sql);
            }
        }
    }

    fn follow_in_domains(&mut self, old: &Catalog) {
        let domains: Vec<Arc<OwnType>> =
            self.catalog.types.values().filter(|own| own.domain.is_some()).cloned().collect();
        for own in domains {
            let mut after = OwnType::clone(&own);
            if let Some(domain) = &mut after.domain {
                let value = value_of(old, &own);
                let target = old.base_of(own.ty(), NO_TYPMOD);
                let default = rows::Expression { over: None, text: "", target: Some(target), kept: Kept::Default };
                domain.default.iter_mut().for_each(|text| self.renamed(old, text, default));
                let truth = Some((Type::BOOL, NO_TYPMOD));
                let check = rows::Expression { over: Some(&value), text: "", target: truth, kept: Kept::Domain };
                domain.checks.iter_mut().for_each(|each| self.renamed(old, &mut each.text, check));
            }
            if after == *own {
                continue;
            }
            let show = |catalog: &Catalog, e: rows::Expression<'_>| self.show(catalog, e);
            let changes = rows::change_type(Some((old, &own)), Some((&self.catalog, &after)), &show);
            self.catalog.types.insert(after.oid, Arc::new(after));
            for sql in changes {
                self.sql(sql);
            }
        }
    }

    /// Writes an expression that was bound under the old names with the new ones.
    fn renamed(&self, old: &Catalog, text: &mut String, e: rows::Expression<'_>) {
        let Some((tree, _)) = self.tree(old, rows::Expression { text, ..e }) else { return };
        let form = |catalog| deparse::expression(&tree, catalog, None, &[], false);
        let (then, now) = (form(old), form(&self.catalog));
        if let Some(now) = now.filter(|now| then.as_ref() != Some(now)) {
            *text = now;
        }
    }

    // ---- relations

    /// Records a new relation, which is the current role's.
    pub fn create(&mut self, relation: Relation) -> SqlResult<()> {
        let (oid, schema) = (relation.oid, relation.schema.clone());
        let (kind, letter) = match relation.kind {
            RelationKind::Sequence(_) => (rights::Kind::Sequence, "S"),
            _ => (rights::Kind::Relation, "r"),
        };
        self.own(Object::relation(oid));
        self.put(None, relation);
        self.grant_defaults(Object::relation(oid), kind, letter, &schema)
    }

    /// Records a changed relation.
    pub fn update(&mut self, old: &Relation, new: Relation) {
        self.put(Some(old), new);
    }

    fn put(&mut self, old: Option<&Relation>, new: Relation) {
        if let Some(old) = old {
            self.concerns_those_of(old);
            self.forget(old);
        }
        self.concerns_those_of(&new);
        self.catalog.insert(new.clone());
        let owner = self.catalog.rights.owner(Object::relation(new.oid));
        for index in &new.indexes {
            self.catalog.insert(index_relation(&new, index));
            self.catalog.rights.set_owner(Object::relation(index.oid), owner);
        }
        let kept: BTreeSet<u32> = new.indexes.iter().map(|i| i.oid).collect();
        let show = |catalog: &Catalog, e: rows::Expression<'_>| self.show(catalog, e);
        let (changes, uses) = rows::change(old.map(|o| (&self.catalog, o)), Some((&self.catalog, &new)), &show);
        if new.kind.definition().is_none() {
            self.catalog.note_uses(new.oid, uses);
        }
        for index in old.iter().flat_map(|o| &o.indexes).filter(|i| !kept.contains(&i.oid)) {
            self.catalog.rowid_keys.remove(&index.oid);
            self.catalog.rights.forget(index.oid);
        }
        for sql in changes {
            self.sql(sql);
        }
        let parents = |r: &Relation| -> BTreeSet<u32> {
            let parent = |c: &Constraint| match c.kind {
                // Of a new table its row says so.
                ConstraintKind::ForeignKey { table, .. } if table != r.oid || old.is_some() => Some(table),
                _ => None,
            };
            r.constraints.iter().filter_map(parent).collect()
        };
        let known = old.map(parents).unwrap_or_default();
        for parent in parents(&new).difference(&known) {
            self.sql(format!("UPDATE \"pg_catalog.pg_class\" SET relhastriggers = 1 WHERE oid = {parent}"));
        }
    }

    /// Records a type of one's own, changed or new.
    pub fn put_type(&mut self, new: OwnType) {
        self.concerns(Definition::Shared);
        if !self.catalog.types.contains_key(&new.oid) {
            self.own(Object::of_type(new.oid));
            new.ty().array().iter().for_each(|array| self.own(Object::of_type(array.0)));
        }
        let old = self.catalog.types.insert(new.oid, Arc::new(new.clone()));
        let show = |catalog: &Catalog, e: rows::Expression<'_>| self.show(catalog, e);
        let old = old.as_deref().map(|old| (&self.catalog, old));
        for sql in rows::change_type(old, Some((&self.catalog, &new)), &show) {
            self.sql(sql);
        }
    }

    /// Records that a type is gone, with its comments.
    pub fn remove_type(&mut self, old: &OwnType) {
        self.concerns(Definition::Shared);
        let show = |catalog: &Catalog, e: rows::Expression<'_>| self.show(catalog, e);
        for sql in rows::change_type(Some((&self.catalog, old)), None, &show) {
            self.sql(sql);
        }
        self.catalog.types.remove(&old.oid);
        self.catalog.rights.forget_object(Object::of_type(old.oid));
        old.ty().array().iter().for_each(|array| self.catalog.rights.forget_object(Object::of_type(array.0)));
        let oid = old.oid;
        self.sql(format!("DELETE FROM \"pg_catalog.pg_description\" WHERE objoid = {oid} AND classoid = 1247"));
    }

    fn forget(&mut self, relation: &Relation) {
        self.catalog.remove(&relation.schema, &relation.name);
        for index in &relation.indexes {
            self.catalog.remove(&relation.schema, &index.name);
        }
    }

    /// Records that a relation is gone, with its comments.
    pub fn remove(&mut self, relation: &Relation) {
        self.concerns_those_of(relation);
        let show = |catalog: &Catalog, e: rows::Expression<'_>| self.show(catalog, e);
        for sql in rows::change(Some((&self.catalog, relation)), None, &show).0 {
            self.sql(sql);
        }
        self.forget(relation);
        for index in &relation.indexes {
            self.catalog.rowid_keys.remove(&index.oid);
            self.catalog.rights.forget(index.oid);
        }
        self.catalog.rights.forget(relation.oid);
        self.catalog.uses.remove(&relation.oid);
        let oid = relation.oid;
        if relation.kind.definition().is_some() {
            self.sql(format!("DELETE FROM \"pg_catalog.pg_depend\" WHERE classid = {} AND objid = {oid}", class::RULE));
        }
        self.sql(format!("DELETE FROM \"pg_catalog.pg_description\" WHERE objoid = {oid} AND classoid = 1259"));
    }

    // ---- tables inside SQLite

    /// CREATE TABLE of SQLite for `r`, under the name `physical`.
    pub fn create_physical(&mut self, r: &Relation, physical: &str) -> SqlResult<()> {
        self.create_physical_among(r, physical, &BTreeSet::new())
    }

    /// `copies`: tables that are being copied, to which foreign keys refer by the copies' names.
    fn create_physical_among(&mut self, r: &Relation, physical: &str, copies: &BTreeSet<u32>) -> SqlResult<()> {
        let rowid = self.catalog.rowid_column(r);
        let mut parts = Vec::new();
        for column in &r.columns {
            parts.push(self.column_sql(r, column, rowid == Some(column.attnum))?);
        }
        for constraint in &r.constraints {
            match &constraint.kind {
                ConstraintKind::Check(text) => parts.push(self.check_sql(r, constraint, text)?),
                ConstraintKind::ForeignKey { .. } => {
                    let columns = self.key_columns(r, constraint, &mut parts);
                    let references = self.references_sql(r, constraint, copies)?;
                    parts.push(format!("CONSTRAINT \"{}\" FOREIGN KEY ({columns}) {references}", constraint.oid));
                    if let Some(whole) = full_condition(r, constraint) {
                        parts.push(format!("CONSTRAINT \"{}\" CHECK ({whole})", references::full_name(constraint.oid)));
                    }
                }
                ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. } => {}
            }
        }
        if r.columns.is_empty() {
            parts.insert(0, format!("{} INTEGER", quote(NO_COLUMN)));
        }
        self.sql(format!("CREATE TABLE {}({}) STRICT", quote(physical), parts.join(", ")));
        Ok(())
    }

    /// `CONSTRAINT … CHECK …` of a condition of `r`.
    ///
    /// One that is NOT VALID lets the rows through that are there when the table is defined anew, and is asked whenever a row
    /// is updated: SQLite leaves conditions out that name no column which is assigned, so this one names all of them.
    pub fn check_sql(&self, r: &Relation, constraint: &Constraint, text: &str) -> SqlResult<String> {
        let condition = self.bind(Some(r), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Check)?;
        let condition = match constraint.validated {
            true => condition,
            false => {
                let columns: Vec<String> = r.columns.iter().map(|column| quote(&column.name)).collect();
                format!("({condition}) OR q_admits({})", columns.join(", "))
            }
        };
        Ok(format!("CONSTRAINT \"{}\" CHECK ({condition})", constraint.oid))
    }

    /// From here on, rows of `r` that do not meet conditions which are NOT VALID are let through.
    pub fn admit(&mut self, r: &Relation) {
        if r.constraints.iter().any(is_lenient_check) && !self.admits {
            self.admits = true;
            self.statements.push(Statement::new("SELECT q_admit(1)", Yields::Nothing));
        }
    }

    /// Takes conditions that are NOT VALID, which name all columns, off a table whose columns change.
    pub fn drop_lenient_checks(&mut self, r: &Relation) {
        for constraint in r.constraints.iter().filter(|c| is_lenient_check(c)) {
            self.drop_reference(r, constraint);
        }
    }

    /// Puts them back, over the columns of now.
    pub fn add_lenient_checks(&mut self, r: &Relation) -> SqlResult<()> {
        self.admit(r);
        for constraint in r.constraints.iter().filter(|c| is_lenient_check(c)) {
            self.add_check(r, constraint)?;
        }
        Ok(())
    }

    /// Adds a condition to SQLite's table.
    pub fn add_check(&mut self, r: &Relation, constraint: &Constraint) -> SqlResult<()> {
        let ConstraintKind::Check(text) = &constraint.kind else { return Ok(()) };
        let check = self.check_sql(r, constraint, text)?;
        self.sql(format!("ALTER TABLE {} ADD {check}", quote(&sqlite_name(&r.schema, &r.name))));
        Ok(())
    }

    /// The columns of a foreign key; those that compare through a cast are computed, and added to `parts`.
    fn key_columns(&self, r: &Relation, constraint: &Constraint, parts: &mut Vec<String>) -> String {
        let ConstraintKind::ForeignKey { table, columns, .. } = &constraint.kind else { return String::new() };
        let parent = if *table == r.oid { Some(r) } else { self.catalog.by_oid(*table).map(|p| &**p) };
        let mut names = Vec::new();
        for (place, (own, other)) in constraint.columns.iter().zip(columns).enumerate() {
            let (Some(own), Some(other)) = (r.column_at(*own), parent.and_then(|p| p.column_at(*other))) else {
                continue;
            };
            let name = quote(&own.name);
            let term = references::key_term(&name, own.ty, other.ty);
            if term == name {
                names.push(name);
                continue;
            }
            let name = quote(&key_column(constraint.oid, place));
            let place = parts.iter().position(|p| p.starts_with("CONSTRAINT ")).unwrap_or(parts.len());
            let ty = other.ty.storage().sqlite_name();
            parts.insert(place, format!("{name} {ty} GENERATED ALWAYS AS ({term}) VIRTUAL"));
            names.push(name);
        }
        names.join(", ")
    }

    pub fn column_sql(&self, r: &Relation, column: &Column, rowid: bool) -> SqlResult<String> {
        // Not a number is a text; and SQLite's REAL has no negative zero.
        let storage = if column.ty.is_float() { "ANY" } else { column.ty.storage().sqlite_name() };
        let mut sql = format!("{} {storage}", quote(&column.name));
        if rowid {
            sql.push_str(" PRIMARY KEY");
        }
        if column.not_null {
            sql.push_str(" NOT NULL");
        }
        if let Some(collation) = column.ty.collation() {
            sql.push_str(&format!(" COLLATE {collation}"));
        }
        // Defaults are part of statements; SQLite's own is what a reference is set to whose row goes.
        if let Some(text) = column.default.as_ref().filter(|_| is_set_to_default(r, column)) {
            let value = self.bind(None, text, Some((column.ty, column.typmod)), Kept::Default)?;
            sql.push_str(&format!(" DEFAULT ({value})"));
        }
        if let Some(text) = &column.generated {
            let value = self.bind(Some(r), text, Some((column.ty, column.typmod)), Kept::Generated)?;
            sql.push_str(&format!(" GENERATED ALWAYS AS ({value}) STORED"));
        }
        Ok(sql)
    }

    /// `REFERENCES …` of a foreign key of `r`, which may refer to itself.
    fn references_sql(&self, r: &Relation, constraint: &Constraint, copies: &BTreeSet<u32>) -> SqlResult<String> {
        let ConstraintKind::ForeignKey { table, columns, on_update, on_delete, .. } = &constraint.kind else {
            return Err(SqlError::internal("not a foreign key"));
        };
        let parent = if *table == r.oid { Some(r) } else { self.catalog.by_oid(*table).map(|p| &**p) };
        let parent = parent.ok_or_else(|| SqlError::internal("a foreign key refers to a table that is gone"))?;
        let deferrable = match (constraint.deferrable, constraint.initially_deferred) {
            (true, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE INITIALLY IMMEDIATE",
            _ => "",
        };
        let name = match copies.contains(table) {
            true => copy_name(*table),
            false => sqlite_name(&parent.schema, &parent.name),
        };
        Ok(format!(
            "REFERENCES {}({}) ON UPDATE {} ON DELETE {}{deferrable}",
            quote(&name),
            column_list(parent, columns),
            on_update.sql(),
            on_delete.sql(),
        ))
    }

    /// A foreign key goes, with the columns that were made for it.
    pub fn drop_reference(&mut self, r: &Relation, constraint: &Constraint) {
        if sets_default(constraint) {
            return;
        }
        let table = quote(&sqlite_name(&r.schema, &r.name));
        self.sql(format!("ALTER TABLE {table} DROP CONSTRAINT \"{}\"", constraint.oid));
        if full_condition(r, constraint).is_some() {
            self.sql(format!("ALTER TABLE {table} DROP CONSTRAINT \"{}\"", references::full_name(constraint.oid)));
        }
        let mut made = Vec::new();
        self.key_columns(r, constraint, &mut made);
        for place in (0..constraint.columns.len()).filter(|_| !made.is_empty()) {
            let name = quote(&key_column(constraint.oid, place));
            if made.iter().any(|column| column.starts_with(&name)) {
                self.sql(format!("ALTER TABLE {table} DROP COLUMN {name}"));
            }
        }
    }

    /// CREATE INDEX of SQLite, unless the key is the rowid.
    pub fn create_physical_index(&mut self, r: &Relation, index: &Index) -> SqlResult<()> {
        self.create_physical_index_on(r, index, &sqlite_name(&r.schema, &r.name))?;
        clashes::create(self, r, index);
        Ok(())
    }

    /// What SQLite's index is made of, if there is one: not where the key is the rowid.
    pub fn physical_keys(&self, r: &Relation, index: &Index) -> SqlResult<Option<Keys>> {
        if self.catalog.rowid_keys.contains(&index.oid) || !methods::is_physical(index.method) {
            return Ok(None);
        }
        let key = |key: &IndexKey| {
            let column = key.column.and_then(|n| r.column_at(n));
            let term = match (&key.expression, column) {
                (Some(text), _) => self.bind_index_key(r, text)?,
                (None, Some(column)) => crate::sql::bind::index_column(column),
                (None, None) => return Err(SqlError::internal("an index key without a column")),
            };
            let ty = key.ty.or_else(|| column.map(|c| c.ty)).unwrap_or(Type::TEXT);
            Ok(Key { term, ty, direction: if key.descending { " DESC" } else { "" } })
        };
        let predicate = |text: &String| self.bind(Some(r), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Predicate);
        Ok(Some(Keys {
            terms: index.keys.iter().map(key).collect::<SqlResult<_>>()?,
            predicate: index.predicate.as_ref().map(predicate).transpose()?,
        }))
    }

    fn create_physical_index_on(&mut self, r: &Relation, index: &Index, physical: &str) -> SqlResult<()> {
        let Some(keys) = self.physical_keys(r, index)? else { return Ok(()) };
        self.sql(keys.create(r, index, physical));
        let Keys { terms, predicate } = keys;
        if index.nulls_equal && index.unique && r.is_immediate(index) {
            // SQLite takes NULLs for different: keys with one are unique by an index of their own.
            let is_null: Vec<String> = terms.iter().map(|key| format!("{} IS NULL", key.term)).collect();
            let filled = terms.iter().map(|Key { term, ty, .. }| {
                let other = render::beside(*ty);
                let collation = ty.collation().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
                format!("ifnull({term}, {other}){collation}")
            });
            let filled: Vec<String> = filled.collect();
            let condition = match predicate {
                Some(condition) => format!("({}) AND ({condition})", is_null.join(" OR ")),
                None => is_null.join(" OR "),
            };
            self.sql(format!(
                "CREATE UNIQUE INDEX {} ON {}({}) WHERE {condition}",
                quote(&nulls_index(index.oid)),
                quote(physical),
                filled.join(", "),
            ));
        }
        Ok(())
    }

    pub fn drop_physical_index(&mut self, r: &Relation, index: &Index) {
        if !self.catalog.rowid_keys.contains(&index.oid) && methods::is_physical(index.method) {
            self.sql(format!("DROP INDEX {}", quote(&sqlite_name(&r.schema, &index.name))));
        }
        if index.nulls_equal && index.unique && r.is_immediate(index) {
            self.sql(format!("DROP INDEX {}", quote(&nulls_index(index.oid))));
        }
        clashes::drop(self, r, index, "ALTER");
    }

    /// Copies a table into its new form, with `values` (SQLite expressions over the old columns) for some columns.
    ///
    /// SQLite cannot change most things in place, and dropping a table that others refer to would first delete its
    /// rows, cascades and all. So every table that refers to it, directly or not, is copied as well, parents first,
    /// and the copies refer to one another; then the old ones lose their foreign keys and are dropped, and the
    /// copies take their names, which SQLite carries over to the references.
    pub fn rebuild(&mut self, old: &Relation, new: &Relation, values: &BTreeMap<i16, String>) -> SqlResult<()> {
        let mut pairs = vec![(old.clone(), new.clone())];
        for oid in self.referring(old.oid) {
            let other = self.catalog.by_oid(oid).map(|r| Relation::clone(r));
            pairs.extend(other.map(|r| (r.clone(), r)));
        }
        let (pairs, cycle) = parents_first(pairs);
        let copies: BTreeSet<u32> = pairs.iter().map(|(r, _)| r.oid).collect();
        // Of what refers by values that become others, it is asked when all are there.
        let mut asked = Vec::new();
        for (_, child) in &pairs {
            for constraint in &child.constraints {
                let ConstraintKind::ForeignKey { table, columns, .. } = &constraint.kind else { continue };
                let changes = |table: u32, columns: &[i16]| {
                    table == old.oid && columns.iter().any(|attnum| values.contains_key(attnum))
                };
                if changes(child.oid, &constraint.columns) || changes(*table, columns) {
                    asked.push((child.clone(), constraint.clone()));
                }
            }
        }
        if cycle || !asked.is_empty() {
            self.put_off_references();
        }
        pairs.iter().for_each(|(_, after)| self.admit(after));
        for (before, after) in &pairs {
            let copy = copy_name(before.oid);
            self.create_physical_among(after, &copy, &copies)?;
            for index in &before.indexes {
                let name = quote(&sqlite_name(&before.schema, &index.name));
                self.sql(format!("DROP INDEX IF EXISTS {name}"));
                if index.nulls_equal {
                    self.sql(format!("DROP INDEX IF EXISTS {}", quote(&nulls_index(index.oid))));
                }
                clashes::drop(self, before, index, "ALTER");
            }
            // A foreign key finds its parent through a unique index, also in the table itself.
            for index in after.indexes.iter().filter(|index| index.unique && after.is_immediate(index)) {
                self.create_physical_index_on(after, index, &copy)?;
            }
        }
        for (before, after) in &pairs {
            let copy = copy_name(before.oid);
            self.copy_rows(before, after, &copy, if before.oid == old.oid { Some(values) } else { None });
            for index in after.indexes.iter().filter(|index| !index.unique || !after.is_immediate(index)) {
                self.create_physical_index_on(after, index, &copy)?;
            }
        }
        let name = |r: &Relation| quote(&sqlite_name(&r.schema, &r.name));
        for (before, _) in &pairs {
            for c in before.constraints.iter().filter(|c| matches!(c.kind, ConstraintKind::ForeignKey { .. })) {
                self.drop_reference(before, c);
            }
        }
        // Children first: some still refer to their parents.
        for (before, _) in pairs.iter().rev() {
            self.sql(format!("DROP TABLE {}", name(before)));
        }
        for (before, _) in &pairs {
            self.sql(format!("ALTER TABLE {} RENAME TO {}", quote(&copy_name(before.oid)), name(before)));
        }
        for (_, after) in &pairs {
            for index in after.indexes.iter().filter(|index| !after.is_immediate(index)) {
                guard_unique(self, after, index)?;
                clashes::create(self, after, index);
            }
        }
        for (child, constraint) in &asked {
            guard_foreign_key(self, child, &Constraint { validated: true, ..constraint.clone() })?;
        }
        Ok(())
    }

    fn copy_rows(&mut self, before: &Relation, after: &Relation, copy: &str, values: Option<&BTreeMap<i16, String>>) {
        let (mut names, mut sources) = (Vec::new(), Vec::new());
        for column in after.columns.iter().filter(|c| c.generated.is_none()) {
            let mut computed = values.and_then(|v| v.get(&column.attnum)).cloned();
            if let Some(value) = computed.as_mut().filter(|_| self.catalog.rowid_column(after) == Some(column.attnum)) {
                // SQLite would choose a number.
                let names = [&after.schema, &after.name, &column.name].map(|name| literal(name));
                *value = format!("coalesce(({value}), q_contains_null({}))", names.join(", "));
            }
            let source = computed.or_else(|| before.column_at(column.attnum).map(|c| quote(&c.name)));
            if let Some(source) = source {
                names.push(quote(&column.name));
                sources.push(source);
            }
        }
        let old = quote(&sqlite_name(&before.schema, &before.name));
        if names.is_empty() {
            (names, sources) = (vec![quote(before.rowid_name())], vec![quote(before.rowid_name())]);
        }
        // Where its parts are, so that a row which cannot be in the copy is found.
        let mut sql = String::new();
        let mut put = |text: &str, between: &str| {
            sql.push_str(between);
            let start = sql.len() as u32;
            sql.push_str(text);
            Span { start, end: sql.len() as u32 }
        };
        let table = put(&quote(copy), "INSERT INTO ");
        let columns = names.iter().enumerate().map(|(i, name)| put(name, if i == 0 { "(" } else { ", " })).collect();
        let source = put(&format!("SELECT {} FROM {old}", sources.join(", ")), ") ");
        self.passes = true;
        let shape = Shape::Insert(Insert { table, columns, source, ..Insert::default() });
        self.statements.push(Statement { shape, ..Statement::new(sql, Yields::Nothing) });
    }

    /// Tables with a foreign key to `table`, and so on up; without `table` itself.
    pub fn referring(&self, table: u32) -> BTreeSet<u32> {
        let mut found = BTreeSet::from([table]);
        loop {
            let before = found.len();
            for r in self.catalog.relations.values() {
                let refers = r
                    .constraints
                    .iter()
                    .any(|c| matches!(&c.kind, ConstraintKind::ForeignKey { table, .. } if found.contains(table)));
                if refers {
                    found.insert(r.oid);
                }
            }
            if found.len() == before {
                found.remove(&table);
                return found;
            }
        }
    }

    /// Views that read a column of a relation, with the name under which each is shown.
    pub fn views_reading(&self, relation: u32, attnum: i16) -> Vec<Relation> {
        let reads = |view: &Relation| match view.kind.definition() {
            Some(definition) => {
                // A text that tells nothing may read anything.
                view::reads(&self.scope(), definition).map_or(true, |read| read.contains(&(relation, attnum)))
            }
            None => false,
        };
        self.views_on(relation).into_iter().filter(reads).collect()
    }

    /// Gives views other texts, which have to mean what theirs meant.
    pub fn rewrite_views(&mut self, texts: Vec<(Relation, String)>) -> SqlResult<()> {
        for (view, definition) in texts {
            let told = view::define(&self.scope(), view::Sort::View, &[], &definition);
            if !told.is_ok_and(|told| told.columns.len() == view.columns.len()) {
                return Err(SqlError::unsupported(format!("renaming what view \"{}\" reads in this way", view.name)));
            }
            let oid = view.oid;
            self.sql(format!("UPDATE \"_quorate_view\" SET definition = {} WHERE oid = {oid}", literal(&definition)));
            let mut new = view.clone();
            if let Some(text) = new.kind.definition_mut() {
                *text = definition;
            }
            self.update(&view, new);
        }
        Ok(())
    }

    /// Views whose definition names a relation or a type.
    pub fn views_on(&self, oid: u32) -> Vec<Relation> {
        self.users(oid).filter(|r| r.kind.definition().is_some()).collect()
    }

    fn users(&self, oid: u32) -> impl Iterator<Item = Relation> {
        let users = self.catalog.uses.iter().filter(move |(_, used)| used.contains(&oid));
        users.filter_map(|(user, _)| self.catalog.by_oid(*user)).map(|r| Relation::clone(r))
    }

    /// What of tables names a relation or a type: whole columns that are not among it.
    pub fn parts_on(&self, oid: u32) -> Vec<(Relation, TablePart)> {
        let mut parts = Vec::new();
        for table in self.users(oid).filter(|r| matches!(r.kind, RelationKind::Table)) {
            let names = |over: Option<&Relation>, text: Option<&String>, kept| {
                let text = text?;
                let read = bind::faithful_column_expr(&self.scope(), over, text, None, kept);
                let (_, notes) = read.ok()?;
                notes.needs().iter().any(|object| rows::used(&self.catalog, *object) == Some(oid)).then_some(())
            };
            let over = Some(&table);
            for column in &table.columns {
                let default =
                    names(None, column.default.as_ref(), Kept::Default).map(|()| TablePart::Default(column.attnum));
                let generated = names(over, column.generated.as_ref(), Kept::Generated);
                let generated = generated.map(|()| TablePart::Generated(column.attnum));
                parts.extend(default.or(generated).map(|part| (table.clone(), part)));
            }
            for constraint in &table.constraints {
                let ConstraintKind::Check(text) = &constraint.kind else { continue };
                let part = names(over, Some(text), Kept::Check).map(|()| TablePart::Check(constraint.name.clone()));
                parts.extend(part.map(|part| (table.clone(), part)));
            }
            for index in &table.indexes {
                let keys = index.keys.iter().find_map(|key| names(over, key.expression.as_ref(), Kept::Index));
                let named = keys.or_else(|| names(over, index.predicate.as_ref(), Kept::Predicate));
                parts.extend(named.map(|()| (table.clone(), TablePart::Index(index.oid))));
            }
        }
        parts
    }

    /// What of domains names a relation or a type: conditions by their names, or the default.
    pub fn domains_on(&self, oid: u32) -> Vec<(OwnType, Option<String>)> {
        let mut found = Vec::new();
        for own in self.catalog.types.values().filter(|own| own.oid != oid) {
            let Some(domain) = &own.domain else { continue };
            let (value, target) = (value_of(&self.catalog, own), self.catalog.base_of(own.ty(), NO_TYPMOD));
            let names = |over: Option<&Relation>, text: &str, target, kept| {
                let read = self.tree(&self.catalog, rows::Expression { over, text, target: Some(target), kept });
                let needs = read.map(|(_, notes)| notes.needs()).unwrap_or_default();
                needs.iter().any(|object| rows::used(&self.catalog, *object) == Some(oid))
            };
            if domain.default.iter().any(|text| names(None, text, target, Kept::Default)) {
                found.push((OwnType::clone(own), None));
            }
            let truth = (Type::BOOL, NO_TYPMOD);
            let checks = domain.checks.iter().filter(|check| names(Some(&value), &check.text, truth, Kept::Domain));
            found.extend(checks.map(|check| (OwnType::clone(own), Some(check.name.clone()))));
        }
        found
    }

    /// Views whose groups rest on a primary key.
    pub fn views_resting_on(&self, table: u32, key: u32) -> Vec<Relation> {
        let rests = |view: &Relation| match view.kind.definition() {
            Some(definition) => {
                view::needs(&self.scope(), definition).is_ok_and(|needs| needs.contains(&(class::CONSTRAINT, key, 0)))
            }
            None => false,
        };
        self.views_on(table).into_iter().filter(rests).collect()
    }

    /// Notes what a view rests on.
    pub fn note_needs(&mut self, view: u32, needs: &BTreeSet<Address>) {
        self.sql(format!("DELETE FROM \"pg_catalog.pg_depend\" WHERE classid = {} AND objid = {view}", class::RULE));
        for sql in rows::view_needs(view, needs) {
            self.sql(sql);
        }
        let uses = needs.iter().filter_map(|object| rows::used(&self.catalog, *object)).collect();
        self.catalog.note_uses(view, uses);
    }
}

/// What the conditions of a domain are about.
fn value_of(catalog: &Catalog, own: &OwnType) -> Relation {
    let base = catalog.base_of(own.ty(), NO_TYPMOD);
    let below = own.domain.as_ref().map(|domain| domain.base).filter(|below| *below != base.0);
    Relation::of_value(base, below)
}

/// The index in SQLite that makes keys with NULLs unique (NULLS NOT DISTINCT).
pub fn nulls_index(index: u32) -> String {
    format!("quorate.nulls.{index}")
}

/// A table without columns has one of this name in SQLite, which wants one.
pub const NO_COLUMN: &str = "quorate.none";

/// The column in SQLite that stands in a foreign key for one that compares with its parent's through a cast.
fn key_column(constraint: u32, place: usize) -> String {
    format!("quorate.key.{constraint}.{place}")
}

/// Orders tables so that each comes after those it refers to; whether some refer to each other in a circle.
fn parents_first(mut left: Vec<(Relation, Relation)>) -> (Vec<(Relation, Relation)>, bool) {
    let (mut placed, mut cycle) = (Vec::new(), false);
    while !left.is_empty() {
        let waits_for = |r: &Relation, other: u32| {
            r.constraints.iter().any(|c| matches!(c.kind, ConstraintKind::ForeignKey { table, .. } if table == other))
        };
        let ready =
            left.iter().position(|(_, r)| left.iter().all(|(_, other)| other.oid == r.oid || !waits_for(r, other.oid)));
        cycle |= ready.is_none();
        placed.push(left.remove(ready.unwrap_or(0)));
    }
    (placed, cycle)
}

fn index_relation(table: &Relation, index: &Index) -> Relation {
    Relation::new(index.oid, RelationKind::Index { table: table.oid }, table.schema.clone(), index.name.clone())
}

fn is_lenient_check(constraint: &Constraint) -> bool {
    !constraint.validated && matches!(constraint.kind, ConstraintKind::Check(_))
}

pub fn no_relation(name: &Name) -> SqlError {
    SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist")).position(name.position)
}

pub fn no_schema(schema: &str) -> SqlError {
    SqlError::new(state::INVALID_SCHEMA_NAME, format!("schema \"{schema}\" does not exist"))
}

pub fn system_relation(r: &Relation) -> SqlError {
    let message = format!("permission denied: \"{}\" is a system catalog", r.name);
    SqlError::new(state::INSUFFICIENT_PRIVILEGE, message)
}

pub fn no_column(relation: &Relation, column: &str) -> SqlError {
    let message = format!("column \"{column}\" of relation \"{}\" does not exist", relation.name);
    SqlError::new(state::UNDEFINED_COLUMN, message)
}

pub fn is_system_schema(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema" | "quorate" | "pg_toast")
}

/// PostgreSQL's `makeObjectName`: the two names are cut evenly until all fits into 63 bytes.
fn object_name(first: &str, second: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!second.is_empty());
    let room = 63usize.saturating_sub(overhead);
    let (mut a, mut b) = (first.len(), second.len());
    while a + b > room {
        if a > b { a -= 1 } else { b -= 1 }
    }
    let cut = |text: &str, mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text[..at].to_owned()
    };
    let parts = [cut(first, a), cut(second, b), label.to_owned()];
    parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join("_")
}

/// The SQLite expression `(a, b)=(1, x)` of a detail line.
///
/// PostgreSQL quotes the names of an index's columns (`prefix` is empty), and not those of a foreign key.
pub fn key_detail(r: &Relation, attnums: &[i16], prefix: &str, tail: &str) -> Option<String> {
    let part = |c: &Column| KeyPart {
        name: if prefix.is_empty() { quote_identifier(&c.name) } else { c.name.clone() },
        term: format!("{prefix}{}", quote(&c.name)),
        ty: c.ty,
        typmod: c.typmod,
    };
    let parts: Vec<KeyPart> = attnums.iter().filter_map(|n| r.column_at(*n)).map(part).collect();
    parts_detail(&parts, tail)
}

/// A part of a key: what people call it, and SQLite's expression of it.
pub struct KeyPart {
    pub name: String,
    pub term: String,
    pub ty: Type,
    pub typmod: i32,
}

/// The same of any parts.
pub fn parts_detail(parts: &[KeyPart], tail: &str) -> Option<String> {
    // What a label is called is not told here.
    if parts.iter().any(|part| part.ty.has_labels()) {
        return None;
    }
    let shown = |part: &KeyPart| format!("coalesce(q_out({}, {}, {}), 'null')", part.ty.0, part.typmod, part.term);
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let values: Vec<String> = parts.iter().map(shown).collect();
    let head = literal(&format!("Key ({})=(", names.join(", ")));
    Some(format!("{head} || {} || {}", values.join(" || ', ' || "), literal(&format!("){tail}"))))
}

/// What SQLite's table has beside a foreign key with MATCH FULL, whose columns are all NULL or none.
pub fn full_condition(r: &Relation, constraint: &Constraint) -> Option<String> {
    let ConstraintKind::ForeignKey { full: true, .. } = constraint.kind else { return None };
    let names: Vec<String> = constraint.columns.iter().filter_map(|n| Some(quote(&r.column_at(*n)?.name))).collect();
    let (first, others) = names.split_first().filter(|(_, others)| !others.is_empty())?;
    let equal = |other: &String| format!("({first} IS NULL) = ({other} IS NULL)");
    Some(others.iter().map(equal).collect::<Vec<_>>().join(" AND "))
}

/// The expressions over a table's columns that it keeps, with what is wanted of them.
pub fn each_kept(table: &mut Relation, mut f: impl FnMut(&mut String, Option<(Type, i32)>, Kept)) {
    for column in &mut table.columns {
        let target = Some((column.ty, column.typmod));
        column.generated.iter_mut().for_each(|text| f(text, target, Kept::Generated));
    }
    let truth = Some((Type::BOOL, NO_TYPMOD));
    for constraint in &mut table.constraints {
        if let ConstraintKind::Check(text) = &mut constraint.kind {
            f(text, truth, Kept::Check);
        }
    }
    for index in &mut table.indexes {
        index.predicate.iter_mut().for_each(|text| f(text, truth, Kept::Predicate));
        index.keys.iter_mut().filter_map(|key| key.expression.as_mut()).for_each(|text| f(text, None, Kept::Index));
    }
}

/// Whether a foreign key of the table sets the column to its default.
pub fn is_set_to_default(r: &Relation, column: &Column) -> bool {
    r.constraints.iter().any(|constraint| sets_default(constraint) && constraint.columns.contains(&column.attnum))
}

/// Whether a foreign key sets its columns to their defaults. SQLite's `DROP CONSTRAINT` stumbles over the word: such a one
/// goes when its table is made anew.
pub fn sets_default(constraint: &Constraint) -> bool {
    matches!(constraint.kind, ConstraintKind::ForeignKey { on_update, on_delete, .. }
        if on_update == Action::SetDefault || on_delete == Action::SetDefault)
}
