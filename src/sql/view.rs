//! Definitions of views: a query whose meaning must not change with `search_path` or with its tables' new columns.
//!
//! So every relation in it gets its schema's name, and the view's columns are those the query had when it was
//! made. Left out (0A000): `*` over more than one table, whose columns would shift when a table gets another.

use super::Scope;
use super::bind::Binder;
use super::parse;
use super::plan::ResultColumn;
use crate::error::{SqlError, SqlResult, state};
use crate::types::Type;
use sqlparser::ast::{
    Ident, ObjectName, ObjectNamePart, Query, SelectItem, SetExpr, Statement, TableFactor, VisitMut, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

pub struct ViewDefinition {
    /// Postgres SQL with qualified names.
    pub definition: String,
    pub columns: Vec<ResultColumn>,
    /// OIDs of the relations it reads.
    pub uses: BTreeSet<u32>,
}

/// Binds a view's query and makes it independent of the session.
pub fn define(scope: &Scope<'_>, names: &[String], query: &str) -> SqlResult<ViewDefinition> {
    let Statement::Query(mut query) = *parse::parse_query(query, scope.allowance)? else {
        return Err(SqlError::unsupported("a view of a statement that is not a query"));
    };
    let mut binder = Binder::new(scope);
    let bound = binder.query(&query)?;
    if !bound.before.is_empty() {
        let text = "views must not contain data-modifying statements in WITH";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
    }
    if bound.writes || bound.lock.is_some() {
        return Err(SqlError::unsupported("a view with effects"));
    }
    if !binder.params()?.is_empty() {
        return Err(SqlError::new(state::UNDEFINED_PARAMETER, "there is no parameter $1"));
    }
    let mut columns = bound.columns;
    if names.len() > columns.len() {
        return Err(SqlError::syntax("CREATE VIEW specifies more column names than columns"));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    for column in &mut columns {
        if column.ty == Type::UNKNOWN {
            column.ty = Type::TEXT;
        }
    }
    check_stars(&query.body)?;
    let mut qualify = Qualify { scope, hidden: Vec::new(), uses: BTreeSet::new() };
    let _ = query.visit(&mut qualify);
    Ok(ViewDefinition { definition: query.to_string(), columns, uses: qualify.uses })
}

fn check_stars(body: &SetExpr) -> SqlResult<()> {
    match body {
        SetExpr::Select(select) => {
            let tables = select.from.len() + select.from.iter().map(|t| t.joins.len()).sum::<usize>();
            let star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
            let stars = select.projection.iter().filter(|i| star(i)).count();
            let last = select.projection.last().is_some_and(star);
            match (stars, tables) {
                (0, _) | (_, 0) => Ok(()),
                (1, 1) if last => Ok(()),
                _ => Err(SqlError::unsupported("a view with * over several tables or before other columns")),
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            check_stars(left)?;
            check_stars(right)
        }
        SetExpr::Query(query) => check_stars(&query.body),
        _ => Ok(()),
    }
}

/// Puts the schema before each relation's name, unless a WITH query hides it.
struct Qualify<'a> {
    scope: &'a Scope<'a>,
    hidden: Vec<Vec<String>>,
    uses: BTreeSet<u32>,
}

impl VisitorMut for Qualify<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let names = query.with.iter().flat_map(|w| &w.cte_tables).map(|cte| fold(&cte.alias.name));
        self.hidden.push(names.collect());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.hidden.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.qualify(name);
        }
        ControlFlow::Continue(())
    }
}

impl Qualify<'_> {
    fn qualify(&mut self, name: &mut ObjectName) {
        let parts: Vec<String> = name.0.iter().filter_map(|p| p.as_ident()).map(fold).collect();
        let (schema, table) = match &parts[..] {
            [table] if self.hidden.iter().flatten().any(|h| h == table) => return,
            [table] => (None, table),
            [.., schema, table] => (Some(schema.as_str()), table),
            [] => return,
        };
        let Some(relation) = self.scope.catalog.resolve(self.scope.search_path, schema, table) else { return };
        if relation.oid >= super::catalog::FIRST_USER_OID {
            self.uses.insert(relation.oid);
        }
        let part = |text: &str| ObjectNamePart::Identifier(Ident::with_quote('"', text));
        *name = ObjectName(vec![part(&relation.schema), part(&relation.name)]);
    }
}

fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_ascii_lowercase() }
}
