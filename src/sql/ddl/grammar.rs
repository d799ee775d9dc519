//! Syntax of the statements that define things. Expressions and queries stay source text: the binder reads them.

use super::roles::grants::{self, Grant, Target};
use super::roles::{RoleSpec, RoleStatement, grammar as roles};
use super::storage::Given;
use super::{absent, schema};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::catalog::{self, Action, ViewOptions};
use crate::sql::cursor::{Cursor, Name};
use crate::sql::database;
use crate::sql::lex::{Kind, quote_identifier};
use crate::sql::parse::{self, Ast};
use crate::sql::plan::Utility;

#[derive(Clone, Debug)]
pub enum Ddl {
    CreateTable(CreateTable),
    CreateIndex(CreateIndex),
    CreateSequence {
        temporary: bool,
        name: Name,
        if_not_exists: bool,
        options: Vec<SequenceOption>,
    },
    AlterSequence {
        name: Name,
        if_exists: bool,
        action: SequenceAction,
    },
    CreateView {
        temporary: bool,
        name: Name,
        replace: bool,
        columns: Vec<String>,
        query: String,
        options: ViewOptions,
    },
    CreateMaterialized(CreateMaterialized),
    /// CLUSTER, of all tables if none is named.
    Cluster {
        table: Option<Name>,
        index: Option<String>,
    },
    Refresh {
        name: Name,
        concurrently: bool,
        with_data: bool,
    },
    /// ANALYZE, of all tables if none is named; and VACUUM with it.
    Analyze {
        vacuum: bool,
        tables: Vec<(Name, Vec<String>)>,
    },
    CreateSchema {
        name: Option<String>,
        /// AUTHORIZATION
        owner: Option<RoleSpec>,
        if_not_exists: bool,
        /// What is defined in it at once.
        elements: Vec<Ddl>,
    },
    /// DROP of objects of a kind of which there are none.
    DropAbsent(absent::Absent),
    Drop {
        what: Object,
        if_exists: bool,
        names: Vec<Name>,
        cascade: bool,
        /// Of an index.
        concurrently: bool,
    },
    AlterTable {
        what: Object,
        name: Name,
        if_exists: bool,
        actions: Vec<AlterAction>,
    },
    CreateExtension {
        name: String,
        if_not_exists: bool,
    },
    DropExtension {
        names: Vec<String>,
        if_exists: bool,
        cascade: bool,
    },
    /// CREATE TYPE … AS ENUM
    CreateEnum {
        name: Name,
        labels: Vec<String>,
    },
    AlterType {
        name: Name,
        action: TypeAction,
    },
    CreateDomain(DomainDef),
    AlterDomain {
        name: Name,
        action: DomainAction,
    },
    DropDomains {
        names: Vec<Name>,
        if_exists: bool,
        cascade: bool,
    },
    RenameSchema {
        name: String,
        to: String,
    },
    Truncate {
        tables: Vec<Name>,
        restart: bool,
        cascade: bool,
    },
    Comment {
        on: CommentOn,
        text: Option<String>,
    },
    Role(RoleStatement),
    Grant(Box<Grant>),
    OwnerTo {
        object: Owned,
        to: RoleSpec,
    },
    Reassign {
        from: Vec<RoleSpec>,
        to: RoleSpec,
    },
    DropOwned {
        roles: Vec<RoleSpec>,
        cascade: bool,
    },
}

/// What is given to another owner, beside relations and types.
#[derive(Clone, Debug)]
pub enum Owned {
    Schema(String),
    Database(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Table,
    Index,
    Sequence,
    View,
    Materialized,
    Schema,
    Type,
}

impl Object {
    pub fn noun(self) -> &'static str {
        match self {
            Object::Table => "table",
            Object::Index => "index",
            Object::Sequence => "sequence",
            Object::View => "view",
            Object::Materialized => "materialized view",
            Object::Schema => "schema",
            Object::Type => "type",
        }
    }
}

/// CREATE DOMAIN
#[derive(Clone, Debug)]
pub struct DomainDef {
    pub name: Name,
    pub ty: TypeName,
    pub constraints: Vec<ConstraintDef>,
}

/// ALTER DOMAIN
#[derive(Clone, Debug)]
pub enum DomainAction {
    /// None: there is to be none.
    SetDefault(Option<String>),
    NotNull(bool),
    Add {
        def: ConstraintDef,
        validated: bool,
    },
    Drop {
        constraint: String,
        if_exists: bool,
    },
    RenameConstraint(String, String),
    Validate(String),
    /// What all types of one's own have in common.
    OfType(TypeAction),
}

#[derive(Clone, Debug)]
pub struct CreateTable {
    pub temporary: bool,
    pub unlogged: bool,
    pub on_commit: OnCommit,
    pub name: Name,
    pub if_not_exists: bool,
    pub columns: Vec<ColumnDef>,
    pub constraints: Vec<ConstraintDef>,
    pub like: Vec<Like>,
    /// CREATE TABLE AS: column names, query, WITH DATA.
    pub query: Option<(Vec<String>, String, bool)>,
    pub storage: Vec<Given>,
}

#[derive(Clone, Debug)]
pub struct CreateMaterialized {
    pub name: Name,
    pub if_not_exists: bool,
    pub columns: Vec<String>,
    pub query: String,
    pub with_data: bool,
    pub storage: Vec<Given>,
}

/// What becomes of a temporary table when the transaction ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCommit {
    #[default]
    Preserve,
    DeleteRows,
    Drop,
}

#[derive(Clone, Debug)]
pub struct Like {
    pub table: Name,
    /// How many columns are written before it.
    pub behind: usize,
    pub defaults: bool,
    pub constraints: bool,
    pub indexes: bool,
    pub identity: bool,
    pub generated: bool,
}

#[derive(Clone, Debug)]
pub struct ColumnDef {
    pub name: String,
    pub ty: TypeName,
    pub position: u32,
    pub constraints: Vec<ConstraintDef>,
}

/// A type as written: `schema.name(modifiers)[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    pub schema: Option<String>,
    /// Folded; multi-word names in their PostgreSQL short form (`float8`, `timestamptz`, `varchar`).
    pub name: String,
    pub modifiers: Vec<i64>,
    pub array: bool,
    pub position: u32,
}

#[derive(Clone, Debug)]
pub struct ConstraintDef {
    pub name: Option<String>,
    pub kind: ConstraintSyntax,
    pub deferrable: bool,
    pub initially_deferred: bool,
    /// Of UNIQUE: NULLs count as equal.
    pub nulls_equal: bool,
    /// Of keys: columns that their index has besides.
    pub include: Vec<String>,
    /// And its storage parameters.
    pub storage: Vec<Given>,
    /// Rows that are there are not looked at.
    pub not_valid: bool,
    pub position: u32,
}

impl ConstraintDef {
    /// One that nothing more is said of.
    pub fn new(kind: ConstraintSyntax) -> ConstraintDef {
        ConstraintDef {
            name: None,
            kind,
            deferrable: false,
            initially_deferred: false,
            nulls_equal: false,
            include: Vec::new(),
            storage: Vec::new(),
            not_valid: false,
            position: 0,
        }
    }
}

#[derive(Clone, Debug)]
pub enum ConstraintSyntax {
    Null,
    /// A collation (its OID) that orders as everything here is ordered.
    Collate(u32),
    NotNull,
    Default(String),
    Check(String),
    /// Column names; empty in a column's own constraint.
    PrimaryKey(Vec<String>),
    Unique(Vec<String>),
    /// ADD CONSTRAINT … USING INDEX: primary?, index.
    UsingIndex(bool, String),
    ForeignKey {
        columns: Vec<String>,
        table: Name,
        referenced: Vec<String>,
        on_update: Action,
        on_delete: Action,
        /// MATCH FULL
        full: bool,
    },
    Identity {
        always: bool,
        options: Vec<SequenceOption>,
    },
    Generated(String),
}

impl ConstraintSyntax {
    /// Nothing of it can be put off.
    fn is_checked_at_once(&self) -> bool {
        use ConstraintSyntax::{ForeignKey, PrimaryKey, Unique, UsingIndex};
        !matches!(self, PrimaryKey(_) | Unique(_) | UsingIndex(..) | ForeignKey { .. })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum SequenceOption {
    As(TypeName),
    Increment(i64),
    Min(Option<i64>),
    Max(Option<i64>),
    Start(i64),
    Restart(Option<i64>),
    Cache(i64),
    Cycle(bool),
    /// table and column; `None` for NONE.
    OwnedBy(Option<(Name, String)>),
    /// SEQUENCE NAME of an identity column.
    Name(Name),
}

#[derive(Clone, Debug)]
pub enum SequenceAction {
    Options(Vec<SequenceOption>),
    RenameTo(String),
    SetSchema(String),
    OwnerTo(RoleSpec),
}

#[derive(Clone, Debug)]
pub enum TypeAction {
    AddValue { if_not_exists: bool, label: String, beside: Option<(Beside, String)> },
    RenameValue(String, String),
    RenameTo(String),
    SetSchema(String),
    OwnerTo(RoleSpec),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    Before,
    After,
}

#[derive(Clone, Debug)]
pub struct CreateIndex {
    pub name: Option<Name>,
    pub table: Name,
    pub unique: bool,
    pub concurrently: bool,
    pub if_not_exists: bool,
    pub keys: Vec<IndexElement>,
    pub include: Vec<String>,
    /// Access method.
    pub method: Option<String>,
    pub nulls_equal: bool,
    pub predicate: Option<String>,
    pub storage: Vec<Given>,
}

#[derive(Clone, Debug)]
pub struct IndexElement {
    pub column: Option<String>,
    pub expression: Option<String>,
    /// Operator class.
    pub class: Option<String>,
    pub descending: bool,
    pub nulls_first: Option<bool>,
    /// Its OID.
    pub collation: Option<u32>,
}

#[derive(Clone, Debug)]
pub enum AlterAction {
    AddColumn {
        if_not_exists: bool,
        column: ColumnDef,
    },
    DropColumn {
        if_exists: bool,
        column: String,
        cascade: bool,
    },
    AddConstraint(ConstraintDef),
    DropConstraint {
        if_exists: bool,
        name: String,
        cascade: bool,
    },
    SetDefault(String, String),
    DropDefault(String),
    SetNotNull(String),
    DropNotNull(String),
    SetType {
        column: String,
        ty: TypeName,
        collation: Option<u32>,
        using: Option<String>,
    },
    AddIdentity {
        column: String,
        always: bool,
        options: Vec<SequenceOption>,
    },
    DropIdentity {
        column: String,
        if_exists: bool,
    },
    SetIdentity {
        column: String,
        always: Option<bool>,
        options: Vec<SequenceOption>,
    },
    RenameTo(String),
    RenameColumn(String, String),
    RenameConstraint(String, String),
    ValidateConstraint(String),
    /// Of a foreign key.
    AlterConstraint {
        name: String,
        deferrable: bool,
        deferred: bool,
    },
    DropExpression {
        column: String,
        if_exists: bool,
    },
    Unlogged(bool),
    /// ALTER COLUMN number SET STATISTICS, of an index.
    KeyStatistics(i64),
    /// What tunes PostgreSQL's storage and planner for a column, which must exist.
    Attribute(String),
    OwnerTo(RoleSpec),
    /// Options of a view, or storage parameters; those without a value are given up.
    Options(Vec<Given>),
    /// The index that CLUSTER is about, or none.
    ClusterOn(Option<String>),
    SetSchema(String),
    /// What changes nothing here.
    Accepted,
}

#[derive(Clone, Debug)]
pub enum CommentOn {
    Relation(Object, Name),
    Column(Name, String),
    Constraint(String, Name),
    DomainConstraint(String, Name),
    Schema(String),
    Type(Name),
    /// The database and others that have no row of their own here.
    Other,
}

fn ok(ddl: Ddl) -> SqlResult<Option<Ast>> {
    Ok(Some(Ast::Ddl(Box::new(ddl))))
}

fn unsupported(c: &mut Cursor<'_>, feature: impl Into<String>) -> SqlResult<Option<Ast>> {
    c.rest();
    Ok(Some(Ast::Unsupported(feature.into())))
}

/// A DDL statement, or `None` if it is not one.
pub fn statement(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let ast = if c.eat("CREATE") {
        create(c)?
    } else if c.eat("ALTER") {
        alter(c)?
    } else if c.eat("DROP") {
        drop(c)?
    } else if c.eat("TRUNCATE") {
        truncate(c)?
    } else if c.eat_all("REFRESH MATERIALIZED VIEW") {
        let concurrently = c.eat("CONCURRENTLY");
        let name = c.name()?;
        let with_data = !c.eat_all("WITH NO DATA");
        c.eat_all("WITH DATA");
        ok(Ddl::Refresh { name, concurrently, with_data })?
    } else if c.eat("CLUSTER") {
        cluster(c)?
    } else if c.eat("COMMENT") {
        comment(c)?
    } else if c.is("GRANT") || c.is("REVOKE") {
        privileges(c, None)?
    } else if c.eat_all("REASSIGN OWNED BY") {
        let from = RoleSpec::list(c)?;
        c.expect("TO")?;
        ok(Ddl::Reassign { from, to: RoleSpec::read(c)? })?
    } else {
        return Ok(None);
    };
    c.finish()?;
    Ok(ast)
}

/// `CLUSTER [VERBOSE] [table [USING index]]`, `CLUSTER index ON table`
fn cluster(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    if !c.eat("VERBOSE") && c.is("(") {
        c.paren_list(|c| {
            let name = c.any_word()?.to_ascii_lowercase();
            if !c.is(",") && !c.is(")") {
                c.take_until(|c| c.is(",") || c.is(")"))?;
            }
            match name.as_str() {
                "verbose" => Ok(()),
                _ => Err(SqlError::syntax(format!("unrecognized CLUSTER option \"{name}\""))),
            }
        })?;
    }
    if c.peek().is_none() || c.is(";") {
        return ok(Ddl::Cluster { table: None, index: None });
    }
    let first = c.name()?;
    if c.eat("ON") {
        return ok(Ddl::Cluster { table: Some(c.name()?), index: Some(first.name) });
    }
    let index = if c.eat("USING") { Some(c.ident()?) } else { None };
    ok(Ddl::Cluster { table: Some(first), index })
}

/// GRANT and REVOKE, of rights and of roles. `defaults`: they are default privileges, of these roles in these schemas.
fn privileges(c: &mut Cursor<'_>, defaults: Option<(Vec<RoleSpec>, Vec<String>)>) -> SqlResult<Option<Ast>> {
    let grant = c.eat("GRANT");
    if !grant {
        c.expect("REVOKE")?;
    }
    let option_for = !grant && c.eat_all("GRANT OPTION FOR");
    let admin_for = !grant && c.eat_all("ADMIN OPTION FOR");
    let (rights, all_columns) = grants::words(c)?;
    let of_roles = c.is(if grant { "TO" } else { "FROM" }) && !rights.is_empty();
    if (of_roles && defaults.is_none()) || admin_for {
        if rights.iter().any(|(_, columns)| !columns.is_empty()) {
            let message = "column names cannot be included in GRANT/REVOKE ROLE";
            return Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
        }
        let names = rights.into_iter().map(|(name, _)| RoleSpec::Named(name)).collect();
        return ok(Ddl::Role(if grant { roles::grant(c, names)? } else { roles::revoke(c, names, admin_for)? }));
    }
    c.expect("ON")?;
    let target = match defaults {
        Some((roles, schemas)) => {
            let (kind, letter) = grants::default_kind(c)?;
            Target::Defaults(roles, schemas, kind, letter)
        }
        None => grants::target(c)?,
    };
    c.expect(if grant { "TO" } else { "FROM" })?;
    let grantees = grants::grantees(c)?;
    let option = option_for || grant && c.eat_all("WITH GRANT OPTION");
    let grantor = roles::granted_by(c)?;
    let cascade = !grant && c.eat("CASCADE");
    if !grant && !cascade {
        c.eat("RESTRICT");
    }
    ok(Ddl::Grant(Box::new(Grant { grant, rights, all_columns, target, grantees, option, grantor, cascade })))
}

fn create(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let replace = c.eat_all("OR REPLACE");
    c.eat_one(&["GLOBAL", "LOCAL"]);
    let temporary = c.eat_one(&["TEMP", "TEMPORARY"]).is_some();
    let unlogged = !temporary && c.eat("UNLOGGED");
    if c.eat("TABLE") {
        return create_table(c, temporary, unlogged);
    }
    if c.is("UNIQUE") || c.is("INDEX") {
        return create_index(c);
    }
    let recursive = !unlogged && c.is_at(1, "VIEW") && c.eat("RECURSIVE");
    if c.eat("VIEW") {
        return create_view(c, temporary, replace, recursive);
    }
    if c.eat("SEQUENCE") {
        let if_not_exists = c.eat_all("IF NOT EXISTS");
        let name = c.name()?;
        return ok(Ddl::CreateSequence { temporary, name, if_not_exists, options: sequence_options(c)? });
    }
    if !temporary && c.eat_all("MATERIALIZED VIEW") {
        if unlogged {
            let message = "materialized views cannot be unlogged";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        return create_materialized(c);
    }
    if temporary || unlogged {
        return Err(c.error());
    }
    if c.eat("SCHEMA") {
        return create_schema(c);
    }
    if c.eat("EXTENSION") {
        return create_extension(c);
    }
    if c.is("TYPE") {
        return create_type(c);
    }
    if c.eat("DOMAIN") {
        let name = c.name()?;
        c.eat("AS");
        let (ty, mut constraints) = (type_name(c)?, Vec::new());
        while let Some(constraint) = column_constraint(c)? {
            constraints.push(constraint);
        }
        return ok(Ddl::CreateDomain(DomainDef { name, ty, constraints }));
    }
    if c.eat("DATABASE") {
        return database::create(c);
    }
    if let Some(statement) = roles::create(c)? {
        return ok(Ddl::Role(statement));
    }
    let feature = feature_name(c, "CREATE");
    if feature.is_empty() { Err(c.error()) } else { unsupported(c, feature) }
}

/// The name of a statement that is not supported: its first words, as far as they are keywords.
fn feature_name(c: &Cursor<'_>, verb: &str) -> String {
    const WORDS: [&str; 41] = [
        "TYPE",
        "DOMAIN",
        "FUNCTION",
        "PROCEDURE",
        "TRIGGER",
        "RULE",
        "POLICY",
        "AGGREGATE",
        "OPERATOR",
        "CAST",
        "ROLE",
        "USER",
        "GROUP",
        "DATABASE",
        "TABLESPACE",
        "LANGUAGE",
        "COLLATION",
        "CONVERSION",
        "PUBLICATION",
        "SUBSCRIPTION",
        "SERVER",
        "STATISTICS",
        "ACCESS",
        "METHOD",
        "EVENT",
        "FOREIGN",
        "MATERIALIZED",
        "VIEW",
        "TABLE",
        "TEXT",
        "SEARCH",
        "CONFIGURATION",
        "CLASS",
        "FAMILY",
        "CONSTRAINT",
        "TRANSFORM",
        "RECURSIVE",
        "SYSTEM",
        "DEFAULT",
        "PRIVILEGES",
        "OWNED",
    ];
    let words = (0..3).map(|i| c.peek_text(i).to_ascii_uppercase()).take_while(|w| WORDS.contains(&w.as_str()));
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::new() } else { format!("{verb} {}", words.join(" ")) }
}

/// The extensions that there are, and their versions.
pub const EXTENSIONS: [(&str, &str); 7] = [
    ("plpgsql", "1.0"),
    ("uuid-ossp", "1.1"),
    ("pgcrypto", "1.3"),
    ("citext", "1.6"),
    ("pg_trgm", "1.6"),
    ("btree_gin", "1.3"),
    ("btree_gist", "1.7"),
];

/// Extensions whose functions are built in are there already; others cannot be installed.
fn create_extension(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let if_not_exists = c.eat_all("IF NOT EXISTS");
    let name = c.any_word()?;
    c.rest();
    if EXTENSIONS.iter().any(|(known, _)| *known == name) {
        return ok(Ddl::CreateExtension { name, if_not_exists });
    }
    Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, format!("extension \"{name}\" is not available")))
}

fn create_type(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    c.expect("TYPE")?;
    let name = c.name()?;
    if c.eat_all("AS ENUM") {
        c.expect("(")?;
        let labels = if c.is(")") { Vec::new() } else { c.list(Cursor::string)? };
        c.expect(")")?;
        return ok(Ddl::CreateEnum { name, labels });
    }
    if c.eat_all("AS RANGE") {
        return unsupported(c, "range types");
    }
    if c.eat("AS") && c.is("(") {
        return unsupported(c, "composite types");
    }
    unsupported(c, "base types and shell types")
}

fn alter_type(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let name = c.name()?;
    let action = if c.eat_all("ADD VALUE") {
        let if_not_exists = c.eat_all("IF NOT EXISTS");
        let label = c.string()?;
        let beside = match c.eat_one(&["BEFORE", "AFTER"]) {
            Some("BEFORE") => Some((Beside::Before, c.string()?)),
            Some(_) => Some((Beside::After, c.string()?)),
            None => None,
        };
        TypeAction::AddValue { if_not_exists, label, beside }
    } else if c.eat_all("RENAME VALUE") {
        let from = c.string()?;
        c.expect("TO")?;
        TypeAction::RenameValue(from, c.string()?)
    } else if c.eat_all("RENAME TO") {
        TypeAction::RenameTo(c.ident()?)
    } else if c.eat_all("SET SCHEMA") {
        TypeAction::SetSchema(c.ident()?)
    } else if c.eat_all("OWNER TO") {
        TypeAction::OwnerTo(RoleSpec::read(c)?)
    } else {
        return unsupported(c, "ALTER TYPE of a composite type");
    };
    ok(Ddl::AlterType { name, action })
}

fn alter_domain(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let name = c.name()?;
    let action = if c.eat_all("SET DEFAULT") {
        DomainAction::SetDefault(Some(checked(c, |c| c.take_until(|_| false).map(str::to_owned))?))
    } else if c.eat_all("DROP DEFAULT") {
        DomainAction::SetDefault(None)
    } else if c.eat_all("SET NOT NULL") {
        DomainAction::NotNull(true)
    } else if c.eat_all("DROP NOT NULL") {
        DomainAction::NotNull(false)
    } else if c.eat("ADD") {
        let def = column_constraint(c)?.ok_or_else(|| c.error())?;
        DomainAction::Add { def, validated: !c.eat_all("NOT VALID") }
    } else if c.eat_all("DROP CONSTRAINT") {
        let if_exists = c.eat_all("IF EXISTS");
        let constraint = c.ident()?;
        cascade(c);
        DomainAction::Drop { constraint, if_exists }
    } else if c.eat_all("RENAME CONSTRAINT") {
        let from = c.ident()?;
        c.expect("TO")?;
        DomainAction::RenameConstraint(from, c.ident()?)
    } else if c.eat_all("VALIDATE CONSTRAINT") {
        DomainAction::Validate(c.ident()?)
    } else if c.eat_all("RENAME TO") {
        DomainAction::OfType(TypeAction::RenameTo(c.ident()?))
    } else if c.eat_all("SET SCHEMA") {
        DomainAction::OfType(TypeAction::SetSchema(c.ident()?))
    } else if c.eat_all("OWNER TO") {
        DomainAction::OfType(TypeAction::OwnerTo(RoleSpec::read(c)?))
    } else {
        return Err(c.error());
    };
    ok(Ddl::AlterDomain { name, action })
}

fn create_schema(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let if_not_exists = c.eat_all("IF NOT EXISTS");
    let name = if c.is("AUTHORIZATION") { None } else { Some(c.ident()?) };
    let owner = if c.eat("AUTHORIZATION") { Some(RoleSpec::read(c)?) } else { None };
    let elements = schema::elements(c)?;
    if if_not_exists && !elements.is_empty() {
        let message = "CREATE SCHEMA IF NOT EXISTS cannot include schema elements";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    ok(Ddl::CreateSchema { name, owner, if_not_exists, elements })
}

fn create_view(c: &mut Cursor<'_>, temporary: bool, replace: bool, recursive: bool) -> SqlResult<Option<Ast>> {
    let name = c.name()?;
    let columns = if c.is("(") || recursive { c.paren_list(Cursor::ident)? } else { Vec::new() };
    let mut options = ViewOptions::default();
    if c.eat("WITH") {
        for (name, value) in parameters(c)? {
            set_view_option(&mut options, &name, &value.unwrap_or_default().to_ascii_lowercase())?;
        }
    }
    c.expect("AS")?;
    let before = c.position() - 1;
    let query = c.take_until(|c| c.is("WITH") && ["CHECK", "CASCADED", "LOCAL"].iter().any(|w| c.is_at(1, w)))?;
    if c.eat("WITH") {
        if recursive {
            let message = "WITH CHECK OPTION not supported on recursive views";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        let local = c.eat("LOCAL");
        if !local {
            c.eat("CASCADED");
        }
        c.expect("CHECK")?;
        c.expect("OPTION")?;
        set_view_option(&mut options, "check_option", if local { "local" } else { "cascaded" })?;
    }
    parse::parse_query(query, c.allowance).map_err(|e| parse::moved(e, before))?;
    if !recursive {
        return ok(Ddl::CreateView { temporary, name, replace, columns, query: query.to_owned(), options });
    }
    let list: Vec<String> = columns.iter().map(|name| quote_identifier(name)).collect();
    let (list, own) = (list.join(", "), quote_identifier(&name.name));
    let query = format!("WITH RECURSIVE {own} ({list}) AS ({query}) SELECT {list} FROM {own}");
    ok(Ddl::CreateView { temporary, name, replace, columns, query, options })
}

/// `[toast.]name [= value]`
fn parameter(c: &mut Cursor<'_>) -> SqlResult<Given> {
    let mut name = c.any_word()?;
    while c.eat(".") {
        name = format!("{name}.{}", c.any_word()?);
    }
    if !c.eat("=") {
        return Ok((name, None));
    }
    let mut value = String::from(if c.eat("-") { "-" } else { "" });
    if !c.eat("+") && c.peek().is_none() {
        return Err(c.error());
    }
    let token = c.bump();
    let (word, text) = token.map_or((false, ""), |t| (t.kind == Kind::Word, t.text(c.source)));
    value.push_str(text.trim_matches('\''));
    Ok((name, Some(if word { value.to_ascii_lowercase() } else { value })))
}

/// Parameters in parentheses; those that are given no value are on.
fn parameters(c: &mut Cursor<'_>) -> SqlResult<Vec<Given>> {
    let given = c.paren_list(parameter)?;
    Ok(given.into_iter().map(|(name, value)| (name, Some(value.unwrap_or_else(|| "true".to_owned())))).collect())
}

/// Errors: 22023 for an option that columns do not have, or a value that it cannot have.
fn attribute_option(name: &str, value: &str, set: bool) -> SqlResult<()> {
    let wrong = |text: String| SqlError::new(state::INVALID_PARAMETER_VALUE, text);
    if !["n_distinct", "n_distinct_inherited"].contains(&name) {
        return Err(wrong(format!("unrecognized parameter \"{name}\"")));
    }
    match value.parse::<f64>() {
        _ if !set => Ok(()),
        Ok(number) if number >= -1.0 => Ok(()),
        Ok(_) => {
            let text = format!("value {value} out of bounds for option \"{name}\"");
            let detail = format!("Valid values are between \"-1.000000\" and \"{:.6}\".", f64::MAX);
            Err(wrong(text).detail(detail))
        }
        Err(_) => Err(wrong(format!("invalid value for floating point option \"{name}\": {value}"))),
    }
}

pub fn set_view_option(options: &mut ViewOptions, name: &str, value: &str) -> SqlResult<()> {
    options.set(name, value).ok_or_else(|| {
        let invalid = |text: String| SqlError::new(state::INVALID_PARAMETER_VALUE, text);
        match name {
            "check_option" => invalid(format!("invalid value for enum option \"check_option\": {value}"))
                .detail("Valid values are \"local\" and \"cascaded\"."),
            "security_barrier" | "security_invoker" => {
                invalid(format!("invalid value for boolean option \"{name}\": {value}"))
            }
            _ => invalid(format!("unrecognized parameter \"{name}\"")),
        }
    })
}

fn create_table(c: &mut Cursor<'_>, temporary: bool, unlogged: bool) -> SqlResult<Option<Ast>> {
    let if_not_exists = c.eat_all("IF NOT EXISTS");
    let name = c.name()?;
    let mut table = CreateTable {
        temporary,
        unlogged,
        on_commit: OnCommit::Preserve,
        name,
        if_not_exists,
        columns: Vec::new(),
        constraints: Vec::new(),
        like: Vec::new(),
        query: None,
        storage: Vec::new(),
    };
    if c.is("OF") || (c.is("PARTITION") && c.is_at(1, "OF")) {
        return unsupported(c, "CREATE TABLE OF");
    }
    let mut names = None;
    if c.eat("(") {
        let mark = c.mark();
        names = column_names(c).filter(|_| ["AS", "WITH", "USING", "ON", "TABLESPACE"].iter().any(|word| c.is(word)));
        if names.is_none() {
            c.reset(mark);
            if !c.is(")") {
                c.list(|c| element(c, &mut table))?;
            }
            c.expect(")")?;
        }
    }
    if c.eat("INHERITS") {
        return unsupported(c, "INHERITS");
    }
    if c.eat_all("PARTITION BY") {
        return unsupported(c, "PARTITION BY");
    }
    loop {
        if c.eat("USING") {
            c.ident()?;
        } else if c.eat("WITH") {
            table.storage = parameters(c)?;
        } else if c.eat("TABLESPACE") {
            c.ident()?;
        } else if c.eat_all("ON COMMIT") {
            table.on_commit = match c.any_word()?.as_str() {
                "preserve" if c.eat("ROWS") => OnCommit::Preserve,
                "delete" if c.eat("ROWS") => OnCommit::DeleteRows,
                "drop" => OnCommit::Drop,
                _ => return Err(c.error()),
            };
        } else if !c.eat_all("WITHOUT OIDS") {
            break;
        }
    }
    if c.eat("AS") {
        if c.is("EXECUTE") {
            return create_from_prepared(c).map(Some);
        }
        let (query, with_data) = stored_query(c)?;
        table.query = Some((names.unwrap_or_default(), query, with_data));
    } else if names.is_some() {
        return Err(c.error());
    }
    ok(Ddl::CreateTable(table))
}

/// `EXECUTE name (…)` in place of the query of CREATE TABLE AS: only the session knows that.
fn create_from_prepared(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let before = c.source[..c.peek().map_or(0, |t| t.start)].to_owned();
    c.expect("EXECUTE")?;
    let Ast::Utility(Utility::Execute { name, args, .. }) = parse::execute(c)? else { return Err(c.error()) };
    let behind = c.peek().map_or("", |t| &c.source[t.start..]).to_owned();
    let _ = c.eat_all("WITH NO DATA") || c.eat_all("WITH DATA");
    c.finish()?;
    Ok(Ast::Utility(Utility::Execute { name, args, into: Some((before, behind)) }))
}

/// A query whose rows are kept, WITH DATA or without.
fn stored_query(c: &mut Cursor<'_>) -> SqlResult<(String, bool)> {
    let before = c.position() - 1;
    let query = c.take_until(|c| c.is("WITH") && (c.is_at(1, "DATA") || (c.is_at(1, "NO") && c.is_at(2, "DATA"))))?;
    parse::parse_query(query, c.allowance).map_err(|e| parse::moved(e, before))?;
    let with_data = !c.eat_all("WITH NO DATA");
    c.eat_all("WITH DATA");
    Ok((query.to_owned(), with_data))
}

fn create_materialized(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let if_not_exists = c.eat_all("IF NOT EXISTS");
    let name = c.name()?;
    let columns = if c.is("(") { c.paren_list(Cursor::ident)? } else { Vec::new() };
    let mut storage = Vec::new();
    loop {
        if c.eat("USING") || c.eat("TABLESPACE") {
            c.ident()?;
        } else if c.eat("WITH") {
            storage = parameters(c)?;
        } else {
            break;
        }
    }
    c.expect("AS")?;
    let (query, with_data) = stored_query(c)?;
    ok(Ddl::CreateMaterialized(CreateMaterialized { name, if_not_exists, columns, query, with_data, storage }))
}

/// `name, …)` and nothing else: the column list of CREATE TABLE AS.
fn column_names(c: &mut Cursor<'_>) -> Option<Vec<String>> {
    let names = c.list(Cursor::ident).ok()?;
    c.eat(")").then_some(names)
}

fn element(c: &mut Cursor<'_>, table: &mut CreateTable) -> SqlResult<()> {
    if c.eat("LIKE") {
        let behind = table.columns.len();
        table.like.push(Like { behind, ..like(c)? });
    } else if is_table_constraint(c) {
        table.constraints.push(table_constraint(c)?);
    } else {
        table.columns.push(column(c)?);
    }
    Ok(())
}

fn like(c: &mut Cursor<'_>) -> SqlResult<Like> {
    let table = c.name()?;
    let mut like = Like {
        table,
        behind: 0,
        defaults: false,
        constraints: false,
        indexes: false,
        identity: false,
        generated: false,
    };
    while let Some(word) = c.eat_one(&["INCLUDING", "EXCLUDING"]) {
        let on = word == "INCLUDING";
        match c.any_word()?.as_str() {
            "all" => {
                like = Like { defaults: on, constraints: on, indexes: on, identity: on, generated: on, ..like };
            }
            "defaults" => like.defaults = on,
            "constraints" => like.constraints = on,
            "indexes" => like.indexes = on,
            "identity" => like.identity = on,
            "generated" => like.generated = on,
            "comments" | "storage" | "compression" | "statistics" => {}
            _ => return Err(c.error()),
        }
    }
    Ok(like)
}

fn is_table_constraint(c: &Cursor<'_>) -> bool {
    c.is("CONSTRAINT")
        || c.is("CHECK")
        || (c.is("EXCLUDE") && (c.is_at(1, "USING") || c.peek_text(1) == "("))
        || c.is("UNIQUE")
        || (c.is("PRIMARY") && c.is_at(1, "KEY"))
        || (c.is("FOREIGN") && c.is_at(1, "KEY"))
}

fn column(c: &mut Cursor<'_>) -> SqlResult<ColumnDef> {
    let position = c.position();
    let name = c.ident()?;
    let ty = type_name(c)?;
    let mut constraints = Vec::new();
    while let Some(constraint) = column_constraint(c)? {
        constraints.push(constraint);
    }
    Ok(ColumnDef { name, ty, position, constraints })
}

/// Where an unparenthesised DEFAULT expression ends: PostgreSQL's `b_expr` has none of these outside of brackets.
fn ends_default(c: &Cursor<'_>) -> bool {
    const WORDS: [&str; 14] = [
        ",",
        "CONSTRAINT",
        "NOT",
        "NULL",
        "UNIQUE",
        "PRIMARY",
        "CHECK",
        "REFERENCES",
        "GENERATED",
        "DEFAULT",
        "COLLATE",
        "DEFERRABLE",
        "INITIALLY",
        "USING",
    ];
    WORDS.iter().any(|w| c.is(w))
}

fn checked(c: &mut Cursor<'_>, take: impl FnOnce(&mut Cursor<'_>) -> SqlResult<String>) -> SqlResult<String> {
    let before = c.position() - 1;
    let text = take(c)?;
    parse::check_expression(&text, c.allowance).map_err(|e| parse::moved(e, before))?;
    Ok(text)
}

fn column_constraint(c: &mut Cursor<'_>) -> SqlResult<Option<ConstraintDef>> {
    let position = c.position();
    let name = if c.eat("CONSTRAINT") { Some(c.ident()?) } else { None };
    let (mut nulls, mut storage) = (false, Vec::new());
    let kind = if c.eat_all("NOT NULL") {
        ConstraintSyntax::NotNull
    } else if c.eat("NULL") {
        ConstraintSyntax::Null
    } else if c.eat("DEFAULT") {
        ConstraintSyntax::Default(checked(c, |c| c.take_until(ends_default).map(str::to_owned))?)
    } else if c.eat("CHECK") {
        let text = checked(c, |c| c.parenthesised().map(|t| t.trim().to_owned()))?;
        c.eat_all("NO INHERIT");
        ConstraintSyntax::Check(text)
    } else if c.eat_all("PRIMARY KEY") {
        storage = index_storage(c)?;
        ConstraintSyntax::PrimaryKey(Vec::new())
    } else if c.eat("UNIQUE") {
        nulls = nulls_equal(c)?;
        storage = index_storage(c)?;
        ConstraintSyntax::Unique(Vec::new())
    } else if c.eat("REFERENCES") {
        references(c, Vec::new())?
    } else if c.eat("GENERATED") {
        generated(c)?
    } else if c.eat("COLLATE") {
        ConstraintSyntax::Collate(collation(c)?)
    } else if name.is_some() {
        return Err(c.error());
    } else {
        return Ok(None);
    };
    let mut constraint = ConstraintDef { name, nulls_equal: nulls, storage, position, ..ConstraintDef::new(kind) };
    attributes(c, &mut constraint)?;
    Ok(Some(constraint))
}

/// All text is ordered by bytes; a collation that means something else cannot be had.
///
/// Errors: 42704.
fn collation(c: &mut Cursor<'_>) -> SqlResult<u32> {
    let position = c.position();
    let name = c.name()?.name;
    catalog::collation(&name).ok_or_else(|| {
        let text = format!("collation \"{name}\" for encoding \"UTF8\" does not exist");
        SqlError::new(state::UNDEFINED_OBJECT, text).position(position)
    })
}

/// `NULLS [NOT] DISTINCT`: whether NULLs count as equal.
fn nulls_equal(c: &mut Cursor<'_>) -> SqlResult<bool> {
    let equal = c.eat_all("NULLS NOT DISTINCT");
    if !equal {
        c.eat_all("NULLS DISTINCT");
    }
    Ok(equal)
}

/// The columns behind INCLUDE, and the storage parameters.
fn index_parameters(c: &mut Cursor<'_>) -> SqlResult<(Vec<String>, Vec<Given>)> {
    let include = if c.eat("INCLUDE") { c.paren_list(Cursor::ident)? } else { Vec::new() };
    Ok((include, index_storage(c)?))
}

/// Storage parameters; TABLESPACE says nothing here.
fn index_storage(c: &mut Cursor<'_>) -> SqlResult<Vec<Given>> {
    let storage = if c.eat("WITH") { parameters(c)? } else { Vec::new() };
    if c.eat_all("USING INDEX TABLESPACE") {
        c.ident()?;
    }
    Ok(storage)
}

fn generated(c: &mut Cursor<'_>) -> SqlResult<ConstraintSyntax> {
    let always = c.eat("ALWAYS");
    if !always {
        c.expect("BY DEFAULT")?;
    }
    c.expect("AS")?;
    if c.eat("IDENTITY") {
        return Ok(ConstraintSyntax::Identity { always, options: identity_options(c)? });
    }
    let position = c.position();
    let text = checked(c, |c| c.parenthesised().map(|t| t.trim().to_owned()))?;
    c.expect("STORED")?;
    if !always {
        let text = "for a generated column, GENERATED ALWAYS must be specified";
        return Err(SqlError::syntax(text).position(position));
    }
    Ok(ConstraintSyntax::Generated(text))
}

fn identity_options(c: &mut Cursor<'_>) -> SqlResult<Vec<SequenceOption>> {
    if !c.eat("(") {
        return Ok(Vec::new());
    }
    let options = sequence_options(c)?;
    c.expect(")")?;
    Ok(options)
}

/// When a constraint is checked. Errors: 42601 for a column's property that is no constraint of this kind.
fn attributes(c: &mut Cursor<'_>, constraint: &mut ConstraintDef) -> SqlResult<()> {
    let (mut deferrable, mut deferred) = (None, None);
    let refuse = |position, message: &str| Err(SqlError::syntax(message).position(position));
    loop {
        let position = c.position();
        let (what, value, known) = if c.eat_all("NOT DEFERRABLE") {
            ("NOT DEFERRABLE", false, &mut deferrable)
        } else if c.eat("DEFERRABLE") {
            ("DEFERRABLE", true, &mut deferrable)
        } else if c.eat_all("INITIALLY DEFERRED") {
            ("INITIALLY DEFERRED", true, &mut deferred)
        } else if c.eat_all("INITIALLY IMMEDIATE") {
            ("INITIALLY IMMEDIATE", false, &mut deferred)
        } else {
            break;
        };
        if constraint.kind.is_checked_at_once() {
            return refuse(position, &format!("misplaced {what} clause"));
        }
        if known.replace(value).is_some() {
            let either = if what.starts_with("INITIALLY") {
                "INITIALLY IMMEDIATE/DEFERRED"
            } else {
                "DEFERRABLE/NOT DEFERRABLE"
            };
            return refuse(position, &format!("multiple {either} clauses not allowed"));
        }
        if (deferrable, deferred) == (Some(false), Some(true)) {
            return refuse(position, "constraint declared INITIALLY DEFERRED must be DEFERRABLE");
        }
    }
    constraint.initially_deferred |= deferred == Some(true);
    constraint.deferrable = deferrable.unwrap_or(constraint.deferrable || constraint.initially_deferred);
    Ok(())
}

fn references(c: &mut Cursor<'_>, columns: Vec<String>) -> SqlResult<ConstraintSyntax> {
    let table = c.name()?;
    let referenced = if c.is("(") { c.paren_list(Cursor::ident)? } else { Vec::new() };
    let (mut on_update, mut on_delete, mut full) = (Action::NoAction, Action::NoAction, false);
    loop {
        if c.eat("MATCH") {
            if c.eat("PARTIAL") {
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "MATCH PARTIAL not yet implemented"));
            }
            full = c.eat("FULL");
            if !full {
                c.expect("SIMPLE")?;
            }
        } else if c.eat_all("ON UPDATE") {
            on_update = action(c)?;
        } else if c.eat_all("ON DELETE") {
            on_delete = action(c)?;
        } else {
            break;
        }
    }
    Ok(ConstraintSyntax::ForeignKey { columns, table, referenced, on_update, on_delete, full })
}

fn action(c: &mut Cursor<'_>) -> SqlResult<Action> {
    let action = if c.eat_all("NO ACTION") {
        Action::NoAction
    } else if c.eat("RESTRICT") {
        Action::Restrict
    } else if c.eat("CASCADE") {
        Action::Cascade
    } else if c.eat_all("SET NULL") {
        Action::SetNull
    } else if c.eat_all("SET DEFAULT") {
        Action::SetDefault
    } else {
        return Err(c.error());
    };
    if c.is("(") {
        return Err(SqlError::unsupported("ON DELETE SET NULL with a column list"));
    }
    Ok(action)
}

fn table_constraint(c: &mut Cursor<'_>) -> SqlResult<ConstraintDef> {
    let position = c.position();
    let name = if c.eat("CONSTRAINT") { Some(c.ident()?) } else { None };
    let (mut nulls, mut include, mut storage) = (false, Vec::new(), Vec::new());
    let kind = if c.eat("CHECK") {
        let text = checked(c, |c| c.parenthesised().map(|t| t.trim().to_owned()))?;
        c.eat_all("NO INHERIT");
        ConstraintSyntax::Check(text)
    } else if c.is("PRIMARY") || c.is("UNIQUE") {
        let primary = c.eat_all("PRIMARY KEY");
        if !primary {
            c.expect("UNIQUE")?;
            nulls = nulls_equal(c)?;
        }
        if c.eat_all("USING INDEX") {
            ConstraintSyntax::UsingIndex(primary, c.ident()?)
        } else {
            let columns = c.paren_list(Cursor::ident)?;
            (include, storage) = index_parameters(c)?;
            if primary { ConstraintSyntax::PrimaryKey(columns) } else { ConstraintSyntax::Unique(columns) }
        }
    } else if c.eat_all("FOREIGN KEY") {
        let columns = c.paren_list(Cursor::ident)?;
        c.expect("REFERENCES")?;
        references(c, columns)?
    } else if c.eat("EXCLUDE") {
        return Err(SqlError::unsupported("EXCLUDE"));
    } else {
        return Err(c.error());
    };
    let mut constraint =
        ConstraintDef { name, nulls_equal: nulls, include, storage, position, ..ConstraintDef::new(kind) };
    if matches!(constraint.kind, ConstraintSyntax::Check(_)) {
        c.eat_all("NOT DEFERRABLE");
        if c.is("DEFERRABLE") || c.is("INITIALLY") && c.is_at(1, "DEFERRED") {
            let message = "CHECK constraints cannot be marked DEFERRABLE";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        c.eat_all("INITIALLY IMMEDIATE");
    } else {
        attributes(c, &mut constraint)?;
    }
    if c.eat_all("NOT VALID") {
        let what = match constraint.kind {
            ConstraintSyntax::Check(_) | ConstraintSyntax::ForeignKey { .. } => None,
            ConstraintSyntax::PrimaryKey(_) | ConstraintSyntax::UsingIndex(true, _) => Some("PRIMARY KEY"),
            _ => Some("UNIQUE"),
        };
        if let Some(what) = what {
            let message = format!("{what} constraints cannot be marked NOT VALID");
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        constraint.not_valid = true;
        if !matches!(constraint.kind, ConstraintSyntax::Check(_)) {
            attributes(c, &mut constraint)?;
        }
    }
    Ok(constraint)
}

fn sequence_options(c: &mut Cursor<'_>) -> SqlResult<Vec<SequenceOption>> {
    let mut options = Vec::new();
    loop {
        let option = if c.eat("AS") {
            SequenceOption::As(type_name(c)?)
        } else if c.eat("INCREMENT") {
            c.eat("BY");
            SequenceOption::Increment(c.integer()?)
        } else if c.eat("MINVALUE") {
            SequenceOption::Min(Some(c.integer()?))
        } else if c.eat_all("NO MINVALUE") {
            SequenceOption::Min(None)
        } else if c.eat("MAXVALUE") {
            SequenceOption::Max(Some(c.integer()?))
        } else if c.eat_all("NO MAXVALUE") {
            SequenceOption::Max(None)
        } else if c.eat("START") {
            c.eat("WITH");
            SequenceOption::Start(c.integer()?)
        } else if c.eat("RESTART") {
            let with = c.eat("WITH") || c.is_integer();
            SequenceOption::Restart(if with { Some(c.integer()?) } else { None })
        } else if c.eat("CACHE") {
            SequenceOption::Cache(c.integer()?)
        } else if c.eat_all("NO CYCLE") {
            SequenceOption::Cycle(false)
        } else if c.eat("CYCLE") {
            SequenceOption::Cycle(true)
        } else if c.eat_all("OWNED BY") {
            SequenceOption::OwnedBy(owned_by(c)?)
        } else if c.eat_all("SEQUENCE NAME") {
            SequenceOption::Name(c.name()?)
        } else if c.eat("LOGGED") {
            continue;
        } else {
            return Ok(options);
        };
        options.push(option);
    }
}

fn owned_by(c: &mut Cursor<'_>) -> SqlResult<Option<(Name, String)>> {
    if c.eat("NONE") {
        return Ok(None);
    }
    let position = c.position();
    let mut parts = vec![c.ident()?];
    while c.eat(".") {
        parts.push(c.any_word()?);
    }
    let column = parts.pop().unwrap_or_default();
    let Some(name) = parts.pop() else {
        return Err(SqlError::syntax("invalid OWNED BY option")
            .hint("Specify OWNED BY table.column or OWNED BY NONE.")
            .position(position));
    };
    Ok(Some((Name { schema: parts.pop(), name, position }, column)))
}

fn create_index(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let unique = c.eat("UNIQUE");
    c.expect("INDEX")?;
    let concurrently = c.eat("CONCURRENTLY");
    let if_not_exists = c.eat_all("IF NOT EXISTS");
    let name = if c.is("ON") { None } else { Some(c.name()?) };
    c.expect("ON")?;
    let table = parse::table_name(c)?;
    let method = if c.eat("USING") { Some(c.ident()?) } else { None };
    let keys = c.paren_list(index_element)?;
    let include = if c.eat("INCLUDE") { c.paren_list(Cursor::ident)? } else { Vec::new() };
    let nulls_equal = nulls_equal(c)?;
    let storage = if c.eat("WITH") { parameters(c)? } else { Vec::new() };
    if c.eat("TABLESPACE") {
        c.ident()?;
    }
    let predicate = match c.eat("WHERE") {
        true => Some(checked(c, |c| Ok(c.rest().to_owned()))?),
        false => None,
    };
    ok(Ddl::CreateIndex(CreateIndex {
        name,
        table,
        unique,
        concurrently,
        if_not_exists,
        keys,
        include,
        method,
        nulls_equal,
        predicate,
        storage,
    }))
}

fn index_element(c: &mut Cursor<'_>) -> SqlResult<IndexElement> {
    let mut element = IndexElement {
        column: None,
        expression: None,
        class: None,
        descending: false,
        nulls_first: None,
        collation: None,
    };
    if let Some((column, collation)) = column_in_parens(c) {
        (element.column, element.collation) = (Some(column), collation);
    } else if c.is("(") {
        element.expression = Some(checked(c, |c| c.parenthesised().map(|t| t.trim().to_owned()))?);
    } else if c.is_at(1, "(") || (c.is_at(1, ".") && c.is_at(3, "(")) {
        let position = c.position();
        let start = c.mark();
        c.name()?;
        c.skip_parens()?;
        let end = c.mark();
        c.reset(start);
        let text = take_tokens(c, end);
        parse::check_expression(&text, c.allowance).map_err(|e| parse::moved(e, position - 1))?;
        element.expression = Some(text);
    } else {
        element.column = Some(c.ident()?);
    }
    if c.eat("COLLATE") {
        element.collation = Some(collation(c)?);
    }
    // Operator classes like text_pattern_ops order by bytes, as everything here does.
    if !["ASC", "DESC", "NULLS", ",", ")"].iter().any(|w| c.is(w)) {
        element.class = Some(c.name()?.name);
        c.skip_parens()?;
    }
    element.descending = c.eat("DESC");
    if !element.descending {
        c.eat("ASC");
    }
    if c.eat("NULLS") {
        element.nulls_first = Some(c.eat("FIRST"));
        if element.nulls_first == Some(false) {
            c.expect("LAST")?;
        }
    }
    Ok(element)
}

/// `(column)` or `(column COLLATE name)`, in any number of parentheses: no expression, but the column.
fn column_in_parens(c: &mut Cursor<'_>) -> Option<(String, Option<u32>)> {
    let start = c.mark();
    let inside = |c: &mut Cursor<'_>| {
        let mut depth = 0;
        while c.eat("(") {
            depth += 1;
        }
        let (column, mut said) = (c.ident().ok().filter(|_| depth > 0)?, None);
        loop {
            if c.eat("COLLATE") {
                said = said.or(Some(collation(c).ok()?));
            } else if depth > 0 && c.eat(")") {
                depth -= 1;
            } else {
                break;
            }
            if depth == 0 {
                break;
            }
        }
        (depth == 0).then_some((column, said))
    };
    let found = inside(c);
    if found.is_none() {
        c.reset(start);
    }
    found
}

fn take_tokens(c: &mut Cursor<'_>, end: usize) -> String {
    let mut range = None;
    while c.mark() < end {
        let Some(token) = c.bump() else { break };
        range = Some((range.map_or(token.start, |(s, _)| s), token.end));
    }
    range.map_or(String::new(), |(s, e)| c.source[s..e].to_owned())
}

fn object(c: &mut Cursor<'_>) -> Option<Object> {
    if c.eat_all("MATERIALIZED VIEW") {
        return Some(Object::Materialized);
    }
    const OBJECTS: [(&str, Object); 6] = [
        ("TABLE", Object::Table),
        ("INDEX", Object::Index),
        ("SEQUENCE", Object::Sequence),
        ("VIEW", Object::View),
        ("SCHEMA", Object::Schema),
        ("TYPE", Object::Type),
    ];
    OBJECTS.iter().find(|(word, _)| c.eat(word)).map(|(_, o)| *o)
}

fn drop(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    if let Some(statement) = roles::drop(c)? {
        return ok(Ddl::Role(statement));
    }
    if c.eat_all("OWNED BY") {
        let roles = RoleSpec::list(c)?;
        return ok(Ddl::DropOwned { roles, cascade: cascade(c) });
    }
    if c.eat("DOMAIN") {
        let if_exists = c.eat_all("IF EXISTS");
        let names = c.list(Cursor::name)?;
        return ok(Ddl::DropDomains { names, if_exists, cascade: cascade(c) });
    }
    if c.eat("DATABASE") {
        return database::drop(c);
    }
    let Some(what) = object(c) else {
        if let Some(absent) = absent::drop(c)? {
            return ok(Ddl::DropAbsent(absent));
        }
        if c.eat("EXTENSION") {
            let if_exists = c.eat_all("IF EXISTS");
            let names = c.list(Cursor::any_word)?;
            let cascade = c.eat_one(&["CASCADE", "RESTRICT"]) == Some("CASCADE");
            return ok(Ddl::DropExtension { names, if_exists, cascade });
        }
        let feature = feature_name(c, "DROP");
        return if feature.is_empty() { Err(c.error()) } else { unsupported(c, feature) };
    };
    let concurrently = what == Object::Index && c.eat("CONCURRENTLY");
    let if_exists = c.eat_all("IF EXISTS");
    let names = c.list(Cursor::name)?;
    let cascade = cascade(c);
    let lacks = |message| SqlError::new(state::FEATURE_NOT_SUPPORTED, message);
    if concurrently && names.len() > 1 {
        return Err(lacks("DROP INDEX CONCURRENTLY does not support dropping multiple objects"));
    }
    if concurrently && cascade {
        return Err(lacks("DROP INDEX CONCURRENTLY does not support CASCADE"));
    }
    ok(Ddl::Drop { what, if_exists, names, cascade, concurrently })
}

fn cascade(c: &mut Cursor<'_>) -> bool {
    c.eat_one(&["CASCADE", "RESTRICT"]) == Some("CASCADE")
}

fn truncate(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    c.eat("TABLE");
    let tables = c.list(parse::table_name)?;
    let restart = c.eat_all("RESTART IDENTITY");
    if !restart {
        c.eat_all("CONTINUE IDENTITY");
    }
    let cascade = cascade(c);
    ok(Ddl::Truncate { tables, restart, cascade })
}

fn comment(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    c.expect("ON")?;
    let on = if c.eat("COLUMN") {
        let (name, column) = owned_by(c)?.ok_or_else(|| c.error())?;
        CommentOn::Column(name, column)
    } else if c.eat("CONSTRAINT") {
        let name = c.ident()?;
        c.expect("ON")?;
        // A table may have that name.
        match c.is("DOMAIN") && !c.is_at(1, "IS") && c.eat("DOMAIN") {
            true => CommentOn::DomainConstraint(name, c.name()?),
            false => CommentOn::Constraint(name, c.name()?),
        }
    } else {
        match object(c) {
            None if c.eat("DOMAIN") => CommentOn::Type(c.name()?),
            Some(Object::Schema) => CommentOn::Schema(c.ident()?),
            Some(Object::Type) => CommentOn::Type(c.name()?),
            Some(what) => CommentOn::Relation(what, c.name()?),
            None if c.eat("DATABASE") || c.eat("EXTENSION") => {
                c.any_word()?;
                CommentOn::Other
            }
            None => {
                let feature = feature_name(c, "COMMENT ON");
                return if feature.is_empty() { Err(c.error()) } else { unsupported(c, feature) };
            }
        }
    };
    c.expect("IS")?;
    let text = if c.eat("NULL") { None } else { Some(c.string()?).filter(|t| !t.is_empty()) };
    ok(Ddl::Comment { on, text })
}

fn alter(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    if let Some(statement) = roles::alter(c)? {
        return ok(Ddl::Role(statement));
    }
    if c.eat_all("DEFAULT PRIVILEGES") {
        let defaults = grants::defaults(c)?;
        return privileges(c, Some(defaults));
    }
    if c.is("DATABASE") && c.is_at(2, "OWNER") {
        c.bump();
        let object = Owned::Database(c.ident()?);
        c.expect("OWNER TO")?;
        return ok(Ddl::OwnerTo { object, to: RoleSpec::read(c)? });
    }
    if c.eat("DATABASE") {
        return database::alter(c);
    }
    let feature = feature_name(c, "ALTER");
    if c.eat("DOMAIN") {
        return alter_domain(c);
    }
    let Some(what) = object(c) else {
        return if feature.is_empty() { Err(c.error()) } else { unsupported(c, feature) };
    };
    match what {
        Object::Schema => alter_schema(c),
        Object::Sequence => alter_sequence(c),
        Object::Type => alter_type(c),
        _ => alter_relation(c, what),
    }
}

fn alter_schema(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let name = c.ident()?;
    if c.eat_all("RENAME TO") {
        return ok(Ddl::RenameSchema { name, to: c.ident()? });
    }
    c.expect("OWNER TO")?;
    ok(Ddl::OwnerTo { object: Owned::Schema(name), to: RoleSpec::read(c)? })
}

fn alter_sequence(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let if_exists = c.eat_all("IF EXISTS");
    let name = c.name()?;
    let action = if c.eat_all("RENAME TO") {
        SequenceAction::RenameTo(c.ident()?)
    } else if c.eat_all("OWNER TO") {
        SequenceAction::OwnerTo(RoleSpec::read(c)?)
    } else if c.eat_all("SET SCHEMA") {
        SequenceAction::SetSchema(c.ident()?)
    } else {
        let options = sequence_options(c)?;
        if options.is_empty() {
            return Err(c.error());
        }
        SequenceAction::Options(options)
    };
    ok(Ddl::AlterSequence { name, if_exists, action })
}

fn alter_relation(c: &mut Cursor<'_>, what: Object) -> SqlResult<Option<Ast>> {
    if c.eat_all("ALL IN TABLESPACE") {
        return unsupported(c, "ALTER TABLE ALL IN TABLESPACE");
    }
    let if_exists = c.eat_all("IF EXISTS");
    let name = parse::table_name(c)?;
    let mut actions = Vec::new();
    loop {
        let start = c.mark();
        let action = alter_action(c)?;
        // What is no part of a list.
        let schema = matches!(action, AlterAction::SetSchema(_));
        let alone = schema
            || matches!(
                action,
                AlterAction::RenameTo(_) | AlterAction::RenameColumn(..) | AlterAction::RenameConstraint(..)
            );
        if alone && !actions.is_empty() {
            c.reset(start);
            if schema {
                c.bump();
            }
            return Err(c.error());
        }
        actions.push(action);
        if alone || !c.eat(",") {
            break;
        }
    }
    ok(Ddl::AlterTable { what, name, if_exists, actions })
}

fn alter_action(c: &mut Cursor<'_>) -> SqlResult<AlterAction> {
    if c.eat("ADD") {
        if is_table_constraint(c) {
            return Ok(AlterAction::AddConstraint(table_constraint(c)?));
        }
        c.eat("COLUMN");
        let if_not_exists = c.eat_all("IF NOT EXISTS");
        return Ok(AlterAction::AddColumn { if_not_exists, column: column(c)? });
    }
    if c.eat("DROP") {
        let constraint = c.eat("CONSTRAINT");
        if !constraint {
            c.eat("COLUMN");
        }
        let if_exists = c.eat_all("IF EXISTS");
        let name = c.ident()?;
        let cascade = cascade(c);
        return Ok(match constraint {
            true => AlterAction::DropConstraint { if_exists, name, cascade },
            false => AlterAction::DropColumn { if_exists, column: name, cascade },
        });
    }
    if c.eat("RENAME") {
        if c.eat("TO") {
            return Ok(AlterAction::RenameTo(c.ident()?));
        }
        let constraint = c.eat("CONSTRAINT");
        c.eat("COLUMN");
        let from = c.ident()?;
        c.expect("TO")?;
        let to = c.ident()?;
        return Ok(if constraint {
            AlterAction::RenameConstraint(from, to)
        } else {
            AlterAction::RenameColumn(from, to)
        });
    }
    if c.eat("ALTER") {
        if c.eat("CONSTRAINT") {
            let (name, position) = (c.ident()?, c.position());
            // Of whatever kind it turns out to be.
            let kind = ConstraintSyntax::Unique(Vec::new());
            let mut constraint = ConstraintDef { position, ..ConstraintDef::new(kind) };
            attributes(c, &mut constraint)?;
            let (deferrable, deferred) = (constraint.deferrable, constraint.initially_deferred);
            return Ok(AlterAction::AlterConstraint { name, deferrable, deferred });
        }
        c.eat("COLUMN");
        if c.peek().is_some_and(|t| t.kind == Kind::Number) {
            let number = c.integer()?;
            c.expect("SET STATISTICS")?;
            c.integer()?;
            return Ok(AlterAction::KeyStatistics(number));
        }
        let column = c.ident()?;
        return alter_column(c, column);
    }
    if c.eat_all("VALIDATE CONSTRAINT") {
        return Ok(AlterAction::ValidateConstraint(c.ident()?));
    }
    if c.eat_all("OWNER TO") {
        return Ok(AlterAction::OwnerTo(RoleSpec::read(c)?));
    }
    if c.eat_all("CLUSTER ON") {
        return Ok(AlterAction::ClusterOn(Some(c.ident()?)));
    }
    if c.eat_all("SET SCHEMA") {
        return Ok(AlterAction::SetSchema(c.ident()?));
    }
    if (c.is("SET") || c.is("RESET")) && c.is_at(1, "(") {
        let set = c.eat("SET");
        if !set {
            c.expect("RESET")?;
        }
        if set {
            return Ok(AlterAction::Options(parameters(c)?));
        }
        let given = c.paren_list(parameter)?;
        if given.iter().any(|(_, value)| value.is_some()) {
            return Err(SqlError::syntax("RESET must not include values for parameters"));
        }
        return Ok(AlterAction::Options(given));
    }
    if c.eat_all("SET LOGGED") {
        return Ok(AlterAction::Unlogged(false));
    }
    if c.eat_all("SET UNLOGGED") {
        return Ok(AlterAction::Unlogged(true));
    }
    if c.eat_all("SET WITHOUT CLUSTER") {
        return Ok(AlterAction::ClusterOn(None));
    }
    if c.eat_all("SET WITHOUT OIDS") {
        return Ok(AlterAction::Accepted);
    }
    if c.eat_all("REPLICA IDENTITY") {
        if c.eat_all("USING INDEX") {
            c.ident()?;
        } else if c.eat_one(&["DEFAULT", "FULL", "NOTHING"]).is_none() {
            return Err(c.error());
        }
        return Ok(AlterAction::Accepted);
    }
    // There are none of a user's, and those of foreign keys are always on.
    if ["ENABLE TRIGGER ALL", "ENABLE TRIGGER USER", "DISABLE TRIGGER USER"].iter().any(|words| c.eat_all(words)) {
        return Ok(AlterAction::Accepted);
    }
    for feature in [
        "ENABLE ROW LEVEL SECURITY",
        "DISABLE ROW LEVEL SECURITY",
        "FORCE ROW LEVEL SECURITY",
        "ENABLE TRIGGER",
        "DISABLE TRIGGER",
        "ENABLE RULE",
        "DISABLE RULE",
        "INHERIT",
        "NO INHERIT",
        "ATTACH PARTITION",
        "DETACH PARTITION",
        "SET TABLESPACE",
        "SET ACCESS METHOD",
        "OF",
        "NOT OF",
    ] {
        if c.eat_all(feature) {
            return Err(SqlError::unsupported(format!("ALTER TABLE {feature}")));
        }
    }
    Err(c.error())
}

fn alter_column(c: &mut Cursor<'_>, column: String) -> SqlResult<AlterAction> {
    if c.eat_all("SET DEFAULT") {
        return Ok(AlterAction::SetDefault(column, checked(c, |c| c.take_until(|c| c.is(",")).map(str::to_owned))?));
    }
    if c.eat_all("DROP DEFAULT") {
        return Ok(AlterAction::DropDefault(column));
    }
    if c.eat_all("SET NOT NULL") {
        return Ok(AlterAction::SetNotNull(column));
    }
    if c.eat_all("DROP NOT NULL") {
        return Ok(AlterAction::DropNotNull(column));
    }
    if c.eat_all("SET DATA TYPE") || c.eat("TYPE") {
        let ty = type_name(c)?;
        let collation = if c.eat("COLLATE") { Some(collation(c)?) } else { None };
        let using = match c.eat("USING") {
            true => Some(checked(c, |c| c.take_until(|c| c.is(",")).map(str::to_owned))?),
            false => None,
        };
        return Ok(AlterAction::SetType { column, ty, collation, using });
    }
    if c.eat_all("ADD GENERATED") {
        return match generated(c)? {
            ConstraintSyntax::Identity { always, options } => Ok(AlterAction::AddIdentity { column, always, options }),
            _ => Err(c.error()),
        };
    }
    if c.eat_all("DROP IDENTITY") {
        return Ok(AlterAction::DropIdentity { column, if_exists: c.eat_all("IF EXISTS") });
    }
    if c.eat_all("DROP EXPRESSION") {
        return Ok(AlterAction::DropExpression { column, if_exists: c.eat_all("IF EXISTS") });
    }
    if c.eat_all("SET STATISTICS") {
        c.integer()?;
        return Ok(AlterAction::Attribute(column));
    }
    // n_distinct and the like are for PostgreSQL's planner.
    if (c.is("SET") || c.is("RESET")) && c.is_at(1, "(") {
        let set = c.is("SET");
        c.bump();
        for (name, value) in parameters(c)? {
            attribute_option(&name, value.as_deref().unwrap_or_default(), set)?;
        }
        return Ok(AlterAction::Attribute(column));
    }
    if c.eat_all("SET STORAGE") {
        let kind = c.any_word()?;
        if !["plain", "external", "extended", "main"].contains(&kind.to_ascii_lowercase().as_str()) {
            let text = format!("invalid storage type \"{kind}\"");
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, text));
        }
        return Ok(AlterAction::Attribute(column));
    }
    if c.eat_all("SET COMPRESSION") {
        c.any_word()?;
        return Ok(AlterAction::Attribute(column));
    }
    let (mut always, mut options) = (None, Vec::new());
    loop {
        if c.eat_all("SET GENERATED") {
            always = Some(c.eat("ALWAYS"));
            if always == Some(false) {
                c.expect("BY DEFAULT")?;
            }
        } else if c.is("RESTART") {
            options.extend(sequence_options(c)?);
        } else if c.eat("SET") {
            let more = sequence_options(c)?;
            if more.is_empty() {
                return Err(c.error());
            }
            options.extend(more);
        } else {
            break;
        }
    }
    if always.is_none() && options.is_empty() {
        return Err(c.error());
    }
    Ok(AlterAction::SetIdentity { column, always, options })
}

/// A type: SQL's names of several words, modifiers, arrays.
pub fn type_name(c: &mut Cursor<'_>) -> SqlResult<TypeName> {
    let position = c.position();
    c.eat("SETOF");
    let quoted = c.peek_text(0).starts_with('"');
    let first = c.any_word()?;
    let mut ty = TypeName { schema: None, name: first, modifiers: Vec::new(), array: false, position };
    while c.eat(".") {
        ty.schema = Some(std::mem::replace(&mut ty.name, c.any_word()?));
    }
    let builtin = !quoted && ty.schema.is_none();
    let sql_name = if builtin { ty.name.clone() } else { String::new() };
    match sql_name.as_str() {
        "double" => {
            c.expect("PRECISION")?;
            ty.name = "float8".into();
        }
        "character" | "char" | "nchar" => {
            let varying = c.eat("VARYING");
            ty.name = if varying { "varchar" } else { "bpchar" }.into();
            ty.modifiers = modifiers(c)?;
            if !varying && ty.modifiers.is_empty() {
                ty.modifiers = vec![1];
            }
        }
        "national" => {
            if c.eat_one(&["CHARACTER", "CHAR"]).is_none() {
                return Err(c.error());
            }
            ty.name = if c.eat("VARYING") { "varchar" } else { "bpchar" }.into();
        }
        "bit" => {
            let varying = c.eat("VARYING");
            ty.name = if varying { "varbit" } else { "bit" }.into();
            ty.modifiers = modifiers(c)?;
            if !varying && ty.modifiers.is_empty() {
                ty.modifiers = vec![1];
            }
        }
        "time" | "timestamp" => {
            ty.modifiers = modifiers(c)?;
            if c.eat_all("WITH TIME ZONE") {
                ty.name = format!("{}tz", ty.name);
            } else {
                c.eat_all("WITHOUT TIME ZONE");
            }
        }
        "interval" => interval_fields(c, &mut ty)?,
        "float" => {
            let bits = modifiers(c)?;
            ty.name = match bits.first() {
                Some(1..=24) => "float4",
                None | Some(25..=53) => "float8",
                Some(_) => {
                    let message = "precision for type float must be between 1 and 53";
                    return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message).position(position));
                }
            }
            .into();
        }
        "int" | "integer" => ty.name = "int4".into(),
        "smallint" => ty.name = "int2".into(),
        "bigint" => ty.name = "int8".into(),
        "real" => ty.name = "float4".into(),
        "decimal" | "dec" => ty.name = "numeric".into(),
        "boolean" => ty.name = "bool".into(),
        _ => {}
    }
    if ty.modifiers.is_empty() {
        ty.modifiers = modifiers(c)?;
    }
    if c.eat("ARRAY") {
        ty.array = true;
        if c.is("[") {
            array_bound(c)?;
        }
    }
    while c.is("[") {
        array_bound(c)?;
        ty.array = true;
    }
    Ok(ty)
}

fn array_bound(c: &mut Cursor<'_>) -> SqlResult<()> {
    c.expect("[")?;
    if c.is_integer() {
        c.integer()?;
    }
    c.expect("]")
}

fn modifiers(c: &mut Cursor<'_>) -> SqlResult<Vec<i64>> {
    if c.is("(") { c.paren_list(Cursor::integer) } else { Ok(Vec::new()) }
}

/// `interval [fields] [(p)]`: the modifiers become `[mask, p]` as in PostgreSQL's `intervaltypmodin`.
fn interval_fields(c: &mut Cursor<'_>, ty: &mut TypeName) -> SqlResult<()> {
    // (words, mask): PostgreSQL's bits are MONTH 1, YEAR 2, DAY 3, HOUR 10, MINUTE 11, SECOND 12.
    const FIELDS: [(&str, i64); 13] = [
        ("YEAR TO MONTH", 1 << 2 | 1 << 1),
        ("DAY TO HOUR", 1 << 3 | 1 << 10),
        ("DAY TO MINUTE", 1 << 3 | 1 << 10 | 1 << 11),
        ("DAY TO SECOND", 1 << 3 | 1 << 10 | 1 << 11 | 1 << 12),
        ("HOUR TO MINUTE", 1 << 10 | 1 << 11),
        ("HOUR TO SECOND", 1 << 10 | 1 << 11 | 1 << 12),
        ("MINUTE TO SECOND", 1 << 11 | 1 << 12),
        ("YEAR", 1 << 2),
        ("MONTH", 1 << 1),
        ("DAY", 1 << 3),
        ("HOUR", 1 << 10),
        ("MINUTE", 1 << 11),
        ("SECOND", 1 << 12),
    ];
    let mask = FIELDS.iter().find(|(words, _)| c.eat_all(words)).map(|(_, mask)| *mask);
    let precision = modifiers(c)?;
    if mask.is_some() || !precision.is_empty() {
        ty.modifiers = vec![mask.unwrap_or(0x7fff), precision.first().copied().unwrap_or(0xffff)];
    }
    Ok(())
}
