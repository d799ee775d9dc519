//! EXPLAIN: SQLite's query plan of the translated statement, one step a line or as a JSON tree, of a data change below what is
//! changed; with ANALYZE the statement runs, and what is told of it is told at the top.
//!
//! Left out (0A000): the formats XML and YAML. Costs are not shown because SQLite has none to show.

use super::Scope;
use super::bind::fold;
use super::cursor::Cursor;
use super::lex;
use super::parse::{self, Ast, Parsed};
use super::plan::{Plan, PlanKind, Read, ResultColumn, Utility};
use crate::error::{SqlError, SqlResult, state};
use crate::types::{NO_TYPMOD, Type};
use sqlparser::ast::{FromTable, ObjectName, SetExpr, Statement, TableFactor, TableObject};

#[derive(Clone, Debug)]
pub struct ExplainStatement {
    pub options: Options,
    /// In lower case; `text` unless asked otherwise.
    pub format: String,
    pub source: String,
    pub statement: Parsed,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Json,
    Yaml,
    Xml,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub analyze: bool,
    pub verbose: bool,
    pub format: Format,
    /// `TIMING off`: without times but the last ones.
    pub untimed: bool,
    /// The times at the end; `None`: with ANALYZE.
    pub summary: Option<bool>,
}

/// What the session explains by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Explain {
    pub options: Options,
    /// The statement's text.
    pub query: String,
    /// It is EXECUTE: the name and the arguments.
    pub execute: Option<(String, usize)>,
    pub change: Option<Change>,
}

/// What a data change does, and to which table.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// `Insert`, …
    pub operation: &'static str,
    pub table: String,
}

/// What a statement changes.
fn change(statement: &Statement) -> Option<Change> {
    let name = |name: &ObjectName| name.0.last().and_then(|part| part.as_ident()).map(fold);
    let of = |factor: &TableFactor| match factor {
        TableFactor::Table { name: table, .. } => name(table),
        _ => None,
    };
    let (operation, table) = match statement {
        Statement::Query(query) => match &*query.body {
            SetExpr::Insert(inner) | SetExpr::Update(inner) | SetExpr::Delete(inner) | SetExpr::Merge(inner) => {
                return change(inner);
            }
            _ => return None,
        },
        Statement::Insert(insert) => match &insert.table {
            TableObject::TableName(table) => ("Insert", name(table)?),
            _ => return None,
        },
        Statement::Update(update) => ("Update", of(&update.table.relation)?),
        Statement::Delete(delete) => match &delete.from {
            FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from) => {
                ("Delete", of(&from.first()?.relation)?)
            }
        },
        Statement::Merge(merge) => ("Merge", of(&merge.table)?),
        _ => return None,
    };
    Some(Change { operation, table })
}

/// After EXPLAIN.
pub fn statement(c: &mut Cursor<'_>) -> SqlResult<ExplainStatement> {
    let (mut options, mut format) = (Options::default(), "text".to_owned());
    if c.is("(") && !["SELECT", "WITH", "VALUES", "("].iter().any(|w| c.is_at(1, w)) {
        for (name, value) in c.paren_list(option)? {
            let on = !matches!(value.as_str(), "off" | "false" | "0");
            match name.as_str() {
                "analyze" | "analyse" => options.analyze = on,
                "verbose" => options.verbose = on,
                "timing" => options.untimed = !on,
                "summary" => options.summary = Some(on),
                "format" => format = value,
                "costs" | "settings" | "buffers" | "wal" => {}
                _ => return Err(SqlError::syntax(format!("unrecognized EXPLAIN option \"{name}\""))),
            }
        }
    } else {
        while let Some(word) = c.eat_one(&["ANALYZE", "ANALYSE", "VERBOSE"]) {
            match word {
                "VERBOSE" => options.verbose = true,
                _ => options.analyze = true,
            }
        }
    }
    if c.done() || c.is("EXPLAIN") {
        return Err(c.error());
    }
    let source = c.rest();
    let before = lex::char_position(c.source, c.source.len() - source.len()) - 1;
    let mut statement = parse::parse_statement(source, c.allowance).map_err(|e| parse::moved(e, before))?;
    statement.offset_chars = before;
    Ok(ExplainStatement { options, format, source: source.to_owned(), statement })
}

/// `name [value]`
fn option(c: &mut Cursor<'_>) -> SqlResult<(String, String)> {
    let name = c.any_word()?;
    let value = match c.peek_text(0) {
        "," | ")" => String::new(),
        text if text.starts_with('\'') => c.string()?.to_ascii_lowercase(),
        _ => c.bump().map_or("", |t| t.text(c.source)).to_ascii_lowercase(),
    };
    Ok((name, value))
}

/// A read that yields the plan's steps in column `QUERY PLAN`; or, where more is to be told, what the session does.
pub fn compile(explain: &ExplainStatement, scope: &Scope<'_>) -> SqlResult<Plan> {
    let options = explain.options;
    let format = match explain.format.as_str() {
        "text" => Format::Text,
        "json" => Format::Json,
        "yaml" => Format::Yaml,
        "xml" => Format::Xml,
        other => {
            let message = format!("unrecognized value for EXPLAIN option \"format\": \"{other}\"");
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        }
    };
    let options = Options { format, ..options };
    let ty = if format == Format::Json { Type::JSON } else { Type::TEXT };
    let columns = vec![ResultColumn { name: "QUERY PLAN".into(), ty, typmod: NO_TYPMOD, table: 0, attnum: 0 }];
    let query = explain.source.clone();
    let own = |explain| PlanKind::Utility(Utility::Explain(explain));
    if let Ast::Utility(Utility::Execute { name, args, into: None }) = &explain.statement.ast {
        let execute = Some((name.clone(), args.len()));
        let kind = own(Explain { options, query, execute, change: None });
        return Ok(Plan { params: Vec::new(), columns, schema_version: scope.catalog.version, kind });
    }
    let change = match &explain.statement.ast {
        Ast::Sql(statement) => change(statement),
        Ast::Later => change(&*parse::parse_query(&explain.statement.text, scope.allowance)?),
        _ => return Err(SqlError::unsupported("EXPLAIN of this statement")),
    };
    let plan = super::compile(&explain.statement, scope)?;
    // Which rows a lock means is known when the statement runs.
    let locks = matches!(&plan.kind, PlanKind::Read(read) if read.inside.is_some());
    let plain = options == Options { verbose: options.verbose, ..Options::default() } && !locks;
    let kind = match plain && change.is_none() {
        true => PlanKind::Read(steps(&plan)?),
        false => own(Explain { options, query, execute: None, change }),
    };
    Ok(Plan { params: plan.params, columns, schema_version: plan.schema_version, kind })
}

/// A read of the steps in which a statement would run: id, parent, nothing, and what it does. Where the rows go to the
/// client, that is the last one (see `Read::tag`).
pub fn steps(plan: &Plan) -> SqlResult<Read> {
    let sql = match &plan.kind {
        PlanKind::Read(read) => read.sql.to_string(),
        PlanKind::Write(write) => {
            let last = write.statements.iter().rev().find(|s| s.yields != crate::command::Yields::Guard);
            last.map(|s| s.sql.clone()).unwrap_or_default()
        }
        _ => return Err(SqlError::unsupported("EXPLAIN of this statement")),
    };
    let sql = format!("EXPLAIN QUERY PLAN {sql}").into();
    Ok(Read {
        sql,
        facts: Default::default(),
        lock: None,
        inside: None,
        short: true,
        tag: "EXPLAIN",
        places: Vec::new(),
    })
}
