//! `SELECT set_config(…), …` without FROM: the session does it by itself, because it changes the session.

use super::Binder;
use super::names::{Clause, Level, fold};
use crate::error::{SqlError, SqlResult};
use crate::sql::ir::Node;
use crate::sql::plan::{Operand, ResultColumn};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, ObjectNamePart, Query, SelectItem,
    SetExpr,
};

/// What is to be set, and the columns of the values.
pub type ConfigCalls = (Vec<[Operand; 3]>, Vec<ResultColumn>);

/// The calls, if the query is nothing but them.
fn calls(query: &Query) -> Option<Vec<(&Function, Option<String>)>> {
    let SetExpr::Select(select) = &*query.body else { return None };
    let alone = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && select.from.is_empty()
        && select.selection.is_none()
        && select.having.is_none()
        && select.distinct.is_none()
        && matches!(&select.group_by, GroupByExpr::Expressions(e, _) if e.is_empty());
    alone.then(|| select.projection.iter().map(call).collect::<Option<Vec<_>>>())?
}

fn call(item: &SelectItem) -> Option<(&Function, Option<String>)> {
    let (expr, alias) = match item {
        SelectItem::UnnamedExpr(expr) => (expr, None),
        SelectItem::ExprWithAlias { expr, alias } => (expr, Some(fold(alias))),
        _ => return None,
    };
    let Expr::Function(function) = expr else { return None };
    match function.name.0.last() {
        Some(ObjectNamePart::Identifier(name)) if fold(name) == "set_config" => Some((function, alias)),
        _ => None,
    }
}

impl Binder<'_> {
    /// Calls of `set_config` and the columns of their values; `None` for any other query.
    pub fn set_config(&mut self, query: &Query) -> SqlResult<Option<ConfigCalls>> {
        let Some(calls) = calls(query) else { return Ok(None) };
        let (mut operands, mut columns) = (Vec::new(), Vec::new());
        for (function, alias) in calls {
            let FunctionArguments::List(list) = &function.args else { return Ok(None) };
            let args = list.args.iter().map(|a| match a {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
                _ => None,
            });
            let Some(args) = args.collect::<Option<Vec<&Expr>>>() else { return Ok(None) };
            // Another number of arguments is an error that the call itself has.
            let [name, value, local] = args[..] else { return Ok(None) };
            let (name, value) = (self.operand(name, Type::TEXT)?, self.operand(value, Type::TEXT)?);
            operands.push([name, value, self.operand(local, Type::BOOL)?]);
            let name = alias.unwrap_or_else(|| "set_config".into());
            columns.push(ResultColumn { name, ty: Type::TEXT, typmod: NO_TYPMOD, table: 0, attnum: 0 });
        }
        Ok(Some((operands, columns)))
    }

    fn operand(&mut self, expr: &Expr, ty: Type) -> SqlResult<Operand> {
        self.levels.push(Level::new(Clause::Select));
        let bound = self.expr(expr).and_then(|e| self.coerce(e, ty));
        self.levels.pop();
        match bound?.node {
            Node::Text(text) => Ok(Operand::Value(Value::Text(text))),
            Node::Const(value) => Ok(Operand::Value(value)),
            Node::Param(n) => Ok(Operand::Param(n)),
            _ => Err(SqlError::unsupported("set_config() of a computed value")),
        }
    }
}
