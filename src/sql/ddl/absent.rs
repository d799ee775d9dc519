//! DROP of kinds of objects that nobody can have made here: with IF EXISTS there is nothing to do, otherwise the object
//! is missing, in PostgreSQL's words.

use super::grammar::{TypeName, type_name};
use super::work::{Work, no_relation};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::sql::cursor::{Cursor, Name};

/// What is to be dropped.
#[derive(Clone, Debug)]
pub struct Absent {
    kind: &'static Kind,
    if_exists: bool,
    objects: Vec<Object>,
}

/// Its name, its arguments if they were written, and the table it is on.
#[derive(Clone, Debug)]
struct Object {
    name: Name,
    arguments: Option<Vec<TypeName>>,
    on: Option<Name>,
}

#[derive(Debug)]
struct Kind {
    words: &'static str,
    noun: &'static str,
    tag: &'static str,
    form: Form,
    code: SqlState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Named,
    /// With the types of its arguments.
    Called,
    /// Something of a table.
    OnTable,
}

const fn kind(words: &'static str, noun: &'static str, tag: &'static str, form: Form) -> Kind {
    let code = match form {
        Form::Called => state::UNDEFINED_FUNCTION,
        _ => state::UNDEFINED_OBJECT,
    };
    Kind { words, noun, tag, form, code }
}

static KINDS: [Kind; 18] = [
    kind("FUNCTION", "function", "DROP FUNCTION", Form::Called),
    kind("PROCEDURE", "procedure", "DROP PROCEDURE", Form::Called),
    kind("ROUTINE", "routine", "DROP ROUTINE", Form::Called),
    kind("AGGREGATE", "aggregate", "DROP AGGREGATE", Form::Called),
    kind("TRIGGER", "trigger", "DROP TRIGGER", Form::OnTable),
    kind("RULE", "rule", "DROP RULE", Form::OnTable),
    kind("POLICY", "policy", "DROP POLICY", Form::OnTable),
    kind("EVENT TRIGGER", "event trigger", "DROP EVENT TRIGGER", Form::Named),
    kind("FOREIGN TABLE", "foreign table", "DROP FOREIGN TABLE", Form::Named),
    kind("FOREIGN DATA WRAPPER", "foreign-data wrapper", "DROP FOREIGN DATA WRAPPER", Form::Named),
    kind("SERVER", "server", "DROP SERVER", Form::Named),
    kind("COLLATION", "collation", "DROP COLLATION", Form::Named),
    kind("CONVERSION", "conversion", "DROP CONVERSION", Form::Named),
    kind("STATISTICS", "statistics object", "DROP STATISTICS", Form::Named),
    kind("PUBLICATION", "publication", "DROP PUBLICATION", Form::Named),
    kind("SUBSCRIPTION", "subscription", "DROP SUBSCRIPTION", Form::Named),
    kind("TEXT SEARCH CONFIGURATION", "text search configuration", "DROP TEXT SEARCH CONFIGURATION", Form::Named),
    kind("TEXT SEARCH DICTIONARY", "text search dictionary", "DROP TEXT SEARCH DICTIONARY", Form::Named),
];

/// After DROP; `None` if it is another kind.
pub fn drop(c: &mut Cursor<'_>) -> SqlResult<Option<Absent>> {
    let Some(kind) = KINDS.iter().find(|kind| c.eat_all(kind.words)) else { return Ok(None) };
    let if_exists = c.eat_all("IF EXISTS");
    let objects = c.list(|c| object(c, kind.form))?;
    c.eat_one(&["CASCADE", "RESTRICT"]);
    Ok(Some(Absent { kind, if_exists, objects }))
}

fn object(c: &mut Cursor<'_>, form: Form) -> SqlResult<Object> {
    let name = c.name()?;
    let mut object = Object { name, arguments: None, on: None };
    match form {
        Form::Called if c.eat("(") => {
            let list = if c.is(")") || c.eat("*") { Vec::new() } else { c.list(argument)? };
            c.expect(")")?;
            object.arguments = Some(list);
        }
        Form::OnTable => {
            c.expect("ON")?;
            object.on = Some(c.name()?);
        }
        _ => {}
    }
    Ok(object)
}

/// A type, with a mode and a name before it that say nothing here.
fn argument(c: &mut Cursor<'_>) -> SqlResult<TypeName> {
    c.eat_one(&["IN", "INOUT", "OUT", "VARIADIC"]);
    let start = c.mark();
    let ty = type_name(c)?;
    if c.is(",") || c.is(")") {
        return Ok(ty);
    }
    c.reset(start);
    c.ident()?;
    type_name(c)
}

/// A type as the notice shows it: SQL's own names stand for those of `pg_catalog`.
fn written(ty: &TypeName) -> String {
    const OWN_WORDS: [&str; 15] = [
        "bool",
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "numeric",
        "varchar",
        "bpchar",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "bit",
    ];
    let schema = match &ty.schema {
        Some(schema) => format!("{schema}."),
        None if OWN_WORDS.contains(&ty.name.as_str()) => "pg_catalog.".to_owned(),
        None => String::new(),
    };
    format!("{schema}{}{}", ty.name, if ty.array { "[]" } else { "" })
}

/// Says that there is nothing, as an error or a notice.
pub fn run(work: &mut Work<'_>, absent: &Absent) -> SqlResult<&'static str> {
    let Kind { noun, tag, code, .. } = *absent.kind;
    for object in &absent.objects {
        let name = &object.name;
        let mut error = SqlError::new(code, format!("{noun} \"{name}\" does not exist"));
        let mut skipped = error.message.clone();
        if let Some(arguments) = &object.arguments {
            let mut types = Vec::with_capacity(arguments.len());
            for argument in arguments {
                types.push(work.type_of(argument).map(|(ty, _)| work.type_name(ty))?);
            }
            error.message = format!("{noun} {name}({}) does not exist", types.join(", "));
            let written: Vec<String> = arguments.iter().map(written).collect();
            skipped = format!("{noun} {name}({}) does not exist", written.join(","));
        } else if absent.kind.form == Form::Called {
            error.message = format!("could not find a {noun} named \"{name}\"");
            skipped = format!("{noun} {name}() does not exist");
        }
        if let Some(table) = &object.on {
            match work.find(table) {
                None if !absent.if_exists => return Err(no_relation(table)),
                None => skipped = format!("relation \"{table}\" does not exist"),
                Some(relation) => {
                    error.message = format!("{noun} \"{name}\" for table \"{}\" does not exist", relation.name);
                    skipped = format!("{noun} \"{name}\" for relation \"{}\" does not exist", relation.name);
                }
            }
        }
        let on = object.on.as_ref().unwrap_or(name);
        if let Some(missing) = work.missing_schema(on) {
            skipped.clone_from(&missing.message);
            error = missing;
        }
        if !absent.if_exists {
            return Err(error);
        }
        work.notice(state::SUCCESSFUL_COMPLETION, skipped + ", skipping");
    }
    Ok(tag)
}
