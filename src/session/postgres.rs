//! The language that sessions speak in production: the SQL compiler behind the session's seam.

use super::effect::CopyForm;
use super::language::{CopyReader, CopyWriter, Language, Statement};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::plan::{ConfigValue, Plan, PlanKind, ResultColumn, Utility};
use crate::sql::{self, Ast, Parsed, Scope, copy};
use crate::types::text::{parse_text, write_text};
use crate::types::{NO_TYPMOD, Type};
use crate::value::{Value, ValueRef};
use sqlparser::ast;
use std::sync::Arc;

/// PostgreSQL's SQL, as far as `sql` compiles it.
pub struct Postgres;

impl Language for Postgres {
    fn parse(&self, text: &str) -> SqlResult<Vec<Arc<dyn Statement>>> {
        let parsed = sql::parse(text)?;
        Ok(parsed
            .into_iter()
            .filter(|p| !matches!(p.ast, Ast::Empty))
            .map(|p| Arc::new(Source(p)) as Arc<dyn Statement>)
            .collect())
    }

    fn copy_reader(&self, form: &CopyForm) -> SqlResult<Box<dyn CopyReader>> {
        let names = form.columns.iter().map(|c| c.name.clone()).collect();
        Ok(Box::new(Reader { lines: copy::CopyReader::new(form.format.clone(), names), form: form.clone() }))
    }

    fn copy_writer(&self, form: &CopyForm) -> SqlResult<Box<dyn CopyWriter>> {
        Ok(Box::new(Writer { lines: copy::CopyWriter::new(form.format.clone()), form: form.clone(), text: Vec::new() }))
    }
}

struct Source(Parsed);

impl Statement for Source {
    fn compile(&self, scope: &Scope<'_>) -> SqlResult<Plan> {
        if let Some(utility) = set_config(&self.0.ast) {
            return Ok(set_config_plan(utility, scope));
        }
        sql::compile(&self.0, scope)
    }

    fn text(&self) -> &str {
        &self.0.text
    }
}

/// `SELECT [pg_catalog.]set_config('name', 'value' | $n | NULL, true | false)` and nothing else: a function that
/// changes the session cannot run inside SQLite, but clients set their time zone or search path like this.
fn set_config(ast: &Ast) -> Option<Utility> {
    let Ast::Sql(statement) = ast else { return None };
    let ast::Statement::Query(query) = &**statement else { return None };
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    if !select.from.is_empty() || select.selection.is_some() || query.with.is_some() || query.limit_clause.is_some() {
        return None;
    }
    let [ast::SelectItem::UnnamedExpr(call) | ast::SelectItem::ExprWithAlias { expr: call, .. }] =
        select.projection.as_slice()
    else {
        return None;
    };
    let ast::Expr::Function(call) = call else { return None };
    let name = call.name.to_string().to_ascii_lowercase();
    if name.strip_prefix("pg_catalog.").unwrap_or(&name) != "set_config" {
        return None;
    }
    let ast::FunctionArguments::List(list) = &call.args else { return None };
    let args: Vec<&ast::Value> = list.args.iter().map(literal).collect::<Option<_>>()?;
    let [name, value, local] = args.as_slice() else { return None };
    let local = match local {
        ast::Value::Boolean(local) => *local,
        other => sql::settings::boolean(text(other)?)?,
    };
    let value = match value {
        ast::Value::Null => ConfigValue::Null,
        ast::Value::Placeholder(name) => {
            ConfigValue::Param(name.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)?)
        }
        other => ConfigValue::Text(text(other)?.to_owned()),
    };
    Some(Utility::SetConfig { name: text(name)?.to_owned(), value, local })
}

/// A constant or parameter, without the casts around it.
fn literal(arg: &ast::FunctionArg) -> Option<&ast::Value> {
    let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) = arg else { return None };
    let mut expr: &ast::Expr = expr;
    loop {
        match expr {
            ast::Expr::Cast { expr: inner, .. } | ast::Expr::Nested(inner) => expr = inner,
            ast::Expr::Value(value) => return Some(&value.value),
            _ => return None,
        }
    }
}

fn text(value: &ast::Value) -> Option<&str> {
    match value {
        ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => Some(text),
        _ => None,
    }
}

fn set_config_plan(utility: Utility, scope: &Scope<'_>) -> Plan {
    let params = match &utility {
        Utility::SetConfig { value: ConfigValue::Param(i), .. } => vec![Type::TEXT; i + 1],
        _ => Vec::new(),
    };
    let column = ResultColumn { name: "set_config".into(), ty: Type::TEXT, typmod: NO_TYPMOD, table: 0, attnum: 0 };
    let kind = PlanKind::Utility(utility);
    Plan { params, columns: vec![column], schema_version: scope.catalog.version, kind }
}

struct Reader {
    lines: copy::CopyReader,
    form: CopyForm,
}

impl Reader {
    fn drain(&mut self, row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        while let Some(fields) = self.lines.next_row()? {
            let values = self.form.columns.iter().zip(&fields).map(|(column, field)| match field {
                None => Ok(Value::Null),
                Some(text) => parse_text(column.ty, column.typmod, text, &self.form.env)
                    .map_err(|e| e.context(format!("COPY, column {}: \"{}\"", column.name, excerpt(text)))),
            });
            row(values.collect::<SqlResult<_>>()?)?;
        }
        Ok(())
    }
}

fn excerpt(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}

impl CopyReader for Reader {
    fn feed(&mut self, data: &[u8], row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        self.lines.push(data);
        self.drain(row)
    }

    fn finish(&mut self, row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        self.lines.finish();
        self.drain(row)
    }
}

struct Writer {
    lines: copy::CopyWriter,
    form: CopyForm,
    text: Vec<u8>,
}

impl CopyWriter for Writer {
    fn begin(&mut self, out: &mut Vec<u8>) -> SqlResult<()> {
        let names: Vec<&str> = self.form.columns.iter().map(|c| c.name.as_str()).collect();
        self.lines.header(&names, out);
        Ok(())
    }

    fn row(&mut self, values: &[ValueRef<'_>], out: &mut Vec<u8>) -> SqlResult<()> {
        self.text.clear();
        let mut ends = Vec::with_capacity(values.len());
        for (value, column) in values.iter().zip(&self.form.columns) {
            let start = self.text.len();
            if !value.is_null() {
                write_text(column.ty, column.typmod, *value, &self.form.env, &mut self.text)?;
            }
            ends.push((!value.is_null()).then_some((start, self.text.len())));
        }
        let text = std::str::from_utf8(&self.text)
            .map_err(|_| SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, "a value is not valid UTF-8"))?;
        let fields: Vec<Option<&str>> = ends.into_iter().map(|e| e.map(|(start, end)| &text[start..end])).collect();
        self.lines.row(&fields, out);
        Ok(())
    }

    fn end(&mut self, _out: &mut Vec<u8>) -> SqlResult<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_config_is_a_statement_of_the_session() {
        let found = |sql: &str| set_config(&sql::parse(sql).unwrap().remove(0).ast);
        let zone = |value, local| Some(Utility::SetConfig { name: "TimeZone".into(), value, local });
        let utc = || ConfigValue::Text("UTC".into());
        assert_eq!(found("SELECT set_config('TimeZone', 'UTC', false)"), zone(utc(), false));
        assert_eq!(found("select pg_catalog.set_config('TimeZone', 'UTC'::text, true) as x"), zone(utc(), true));
        assert_eq!(found("select set_config('TimeZone', $1, false)"), zone(ConfigValue::Param(0), false));
        assert_eq!(found("select set_config('TimeZone', null, 'f')"), zone(ConfigValue::Null, false));
        for other in [
            "select set_config(name, 'x', false) from pg_settings",
            "select set_config('a.b', 'x', false), 1",
            "select 1",
            "select set_config('a.b', $0, false)",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
