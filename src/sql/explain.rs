//! EXPLAIN: SQLite's query plan of the translated statement, one line of text per step.
//!
//! Left out (0A000): ANALYZE and formats other than text; costs are not shown because SQLite has none to show.

use super::Scope;
use super::cursor::Cursor;
use super::lex;
use super::parse::{self, Ast, Parsed};
use super::plan::{Plan, PlanKind, Read, ResultColumn};
use crate::error::{SqlError, SqlResult};
use crate::types::{NO_TYPMOD, Type};

#[derive(Clone, Debug)]
pub struct ExplainStatement {
    pub analyze: bool,
    /// In lower case; `text` unless asked otherwise.
    pub format: String,
    pub statement: Parsed,
}

/// After EXPLAIN.
pub fn statement(c: &mut Cursor<'_>) -> SqlResult<ExplainStatement> {
    let (mut analyze, mut format) = (false, "text".to_owned());
    if c.is("(") && !["SELECT", "WITH", "VALUES", "("].iter().any(|w| c.is_at(1, w)) {
        for (name, value) in c.paren_list(option)? {
            match name.as_str() {
                "analyze" => analyze = !matches!(value.as_str(), "off" | "false" | "0"),
                "format" => format = value,
                "verbose" | "costs" | "settings" | "buffers" | "wal" | "timing" | "summary" => {}
                _ => return Err(SqlError::syntax(format!("unrecognized EXPLAIN option \"{name}\""))),
            }
        }
    } else {
        while let Some(word) = c.eat_one(&["ANALYZE", "ANALYSE", "VERBOSE"]) {
            analyze |= word != "VERBOSE";
        }
    }
    if c.done() || c.is("EXPLAIN") {
        return Err(c.error());
    }
    let source = c.rest();
    let before = lex::char_position(c.source, c.source.len() - source.len()) - 1;
    let mut statement = parse::parse_statement(source, c.allowance).map_err(|e| parse::moved(e, before))?;
    statement.offset_chars = before;
    Ok(ExplainStatement { analyze, format, statement })
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

/// A read that yields the plan's steps in column `QUERY PLAN`.
pub fn compile(explain: &ExplainStatement, scope: &Scope<'_>) -> SqlResult<Plan> {
    if explain.analyze {
        return Err(SqlError::unsupported("EXPLAIN ANALYZE"));
    }
    if explain.format != "text" {
        return Err(SqlError::unsupported(format!("EXPLAIN (FORMAT {})", explain.format.to_uppercase())));
    }
    if !matches!(explain.statement.ast, Ast::Sql(_) | Ast::Later) {
        return Err(SqlError::unsupported("EXPLAIN of this statement"));
    }
    let plan = super::compile(&explain.statement, scope)?;
    let sql = match &plan.kind {
        PlanKind::Read(read) => read.sql.to_string(),
        PlanKind::Write(write) => {
            let last = write.statements.iter().rev().find(|s| s.yields != crate::command::Yields::Guard);
            last.map(|s| s.sql.clone()).unwrap_or_default()
        }
        _ => return Err(SqlError::internal("EXPLAIN of a plan that neither reads nor writes")),
    };
    let column = ResultColumn { name: "QUERY PLAN".into(), ty: Type::TEXT, typmod: NO_TYPMOD, table: 0, attnum: 0 };
    Ok(Plan {
        params: plan.params,
        columns: vec![column],
        schema_version: plan.schema_version,
        kind: PlanKind::Read(Read {
            // Its columns are id, parent, notused, detail: the session shows the last one (see `Read::tag`).
            sql: format!("EXPLAIN QUERY PLAN {sql}").into(),
            facts: Default::default(),
            lock: None,
            inside: None,
            short: true,
            tag: "EXPLAIN",
        }),
    })
}
