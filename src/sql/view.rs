//! Definitions of views: a query whose meaning must not change with `search_path` or with its tables' new columns.
//!
//! So every relation in it gets its schema's name, and each `*` is written out as the columns that it stands for. When a
//! column or a relation is renamed, the text is written anew: binding tells where in it that column is named.

use super::allowance::UNLIMITED;
use super::bind::{Address, Binder, Notes, class, fold, spot};
use super::catalog::{Catalog, Relation};
use super::lex::{Lexer, identifier, quote_identifier};
use super::parse;
use super::plan::ResultColumn;
use super::{Scope, deparse};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::names::name_parts;
use crate::types::{Env, Type};
use sqlparser::ast::{
    ArrayElemTypeDef, DataType, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, SetExpr, Spanned, Statement, TableAlias, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

pub struct ViewDefinition {
    /// Postgres SQL with qualified names.
    pub definition: String,
    pub columns: Vec<ResultColumn>,
    /// OIDs of the relations it reads.
    pub uses: BTreeSet<u32>,
    /// What it needs, with the columns; of a relation that it reads no column of, the relation.
    pub needs: BTreeSet<Address>,
}

/// Bytes of stack: of a tree that is low, each level is copied and printed in less than 64 KiB.
const WALKS: usize = 16 << 20;

/// A view's query as PostgreSQL writes it. `None`: it has no such form here, or that would not mean the same, or it is very
/// long.
pub fn shown(catalog: &Catalog, oid: u32, pretty: bool, path: &[String]) -> Option<String> {
    let relation = catalog.by_oid(oid)?;
    let text = relation.kind.definition()?;
    if !parse::weigh(text, &UNLIMITED).ok()?.is_low() {
        return None;
    }
    // Several walks over the tree go as deep as it is high, and it is asked for wherever SQLite happens to run.
    stacker::grow(WALKS, || shown_here(catalog, relation, text, pretty, path))
}

fn shown_here(catalog: &Catalog, relation: &Relation, text: &str, pretty: bool, path: &[String]) -> Option<String> {
    let env = Env::default();
    let scope = Scope::plain(catalog, path, &env, "", "");
    let names: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let form = deparse::query(&scope, text, &names, pretty)?;
    let Statement::Query(query) = *parse::parse_query(&form, scope.allowance).ok()? else { return None };
    let (bound, _) = Binder::new(&scope).noted_query(&query).ok()?;
    let same = bound.columns.len() == relation.columns.len()
        && bound.columns.iter().zip(&relation.columns).all(|(a, b)| a.name == b.name && a.ty == b.ty);
    same.then_some(form)
}

/// What is made of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    View,
    Materialized,
}

/// Binds a view's query and makes it independent of the session.
pub fn define(scope: &Scope<'_>, sort: Sort, names: &[String], query: &str) -> SqlResult<ViewDefinition> {
    let Statement::Query(mut query) = *parse::parse_query(query, scope.allowance)? else {
        return Err(SqlError::unsupported("a view of a statement that is not a query"));
    };
    let mut binder = Binder::new(scope);
    let (bound, notes) = binder.noted_query(&query)?;
    if !bound.before.is_empty() {
        let text = match sort {
            Sort::View => "views must not contain data-modifying statements in WITH",
            Sort::Materialized => "materialized views must not use data-modifying statements in WITH",
        };
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
        return Err(SqlError::syntax(match sort {
            Sort::View => "CREATE VIEW specifies more column names than columns",
            Sort::Materialized => "too many column names were specified",
        }));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    for column in &mut columns {
        if column.ty == Type::UNKNOWN {
            column.ty = Type::TEXT;
        }
    }
    let _ = query.visit(&mut Spell { notes: &notes });
    // Written out, it has to mean the same.
    let (again, notes) = Binder::new(scope).noted_query(&query)?;
    let same = again.columns.len() == columns.len()
        && again.columns.iter().zip(&columns).all(|(a, b)| a.ty == b.ty || b.ty == Type::TEXT);
    if !same {
        return Err(SqlError::unsupported("a view with * over columns that cannot be told apart"));
    }
    for (i, column) in columns.iter().enumerate() {
        name_output(&mut query, i, &column.name);
    }
    let mut qualify = Qualify { scope, hidden: Vec::new(), uses: BTreeSet::new() };
    let _ = query.visit(&mut qualify);
    let mut needs = notes.needs();
    let whole: Vec<u32> =
        qualify.uses.iter().copied().filter(|oid| !needs.iter().any(|(_, of, _)| of == oid)).collect();
    needs.extend(whole.into_iter().map(|oid| (class::RELATION, oid, 0)));
    Ok(ViewDefinition { definition: query.to_string(), columns, uses: qualify.uses, needs })
}

/// Writes out what each `*` stands for, and what each NATURAL JOIN compares.
struct Spell<'a> {
    notes: &'a Notes,
}

impl Spell<'_> {
    fn joins(&self, item: &mut TableWithJoins) {
        use JoinOperator as J;
        for join in &mut item.joins {
            let at = join.relation.span().start;
            let (J::Join(how)
            | J::Inner(how)
            | J::Left(how)
            | J::LeftOuter(how)
            | J::Right(how)
            | J::RightOuter(how)
            | J::FullOuter(how)) = &mut join.join_operator
            else {
                continue;
            };
            let columns = self.notes.naturals.get(&spot(at)).filter(|columns| !columns.is_empty());
            if let (JoinConstraint::Natural, Some(columns)) = (&how, columns) {
                let name =
                    |name: &String| ObjectName(vec![ObjectNamePart::Identifier(Ident::with_quote('"', name.as_str()))]);
                *how = JoinConstraint::Using(columns.iter().map(name).collect());
            }
        }
    }
}

impl VisitorMut for Spell<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut items = Vec::with_capacity(select.projection.len());
        for item in std::mem::take(&mut select.projection) {
            let star = match &item {
                SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
                    let at = options.wildcard_token.0.span.start;
                    self.notes.stars.get(&spot(at))
                }
                _ => None,
            };
            let quoted = |name: &String| Ident::with_quote('"', name.as_str());
            match star {
                Some(columns) => items.extend(columns.iter().map(|(alias, name)| match alias {
                    Some(alias) => SelectItem::UnnamedExpr(Expr::CompoundIdentifier(vec![quoted(alias), quoted(name)])),
                    None => SelectItem::UnnamedExpr(Expr::Identifier(quoted(name))),
                })),
                None => items.push(item),
            }
        }
        select.projection = items;
        select.from.iter_mut().for_each(|item| self.joins(item));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            self.joins(table_with_joins);
        }
        ControlFlow::Continue(())
    }
}

/// The columns of a relation that a view's text names, as (OID, number).
pub fn reads(scope: &Scope<'_>, definition: &str) -> SqlResult<BTreeSet<(u32, i16)>> {
    Ok(noted(scope, definition)?.columns.into_iter().map(|(_, table, attnum)| (table, attnum)).collect())
}

/// What a view's text needs.
pub fn needs(scope: &Scope<'_>, definition: &str) -> SqlResult<BTreeSet<Address>> {
    Ok(noted(scope, definition)?.needs())
}

fn noted(scope: &Scope<'_>, definition: &str) -> SqlResult<Notes> {
    let Statement::Query(query) = *parse::parse_query(definition, scope.allowance)? else {
        return Err(SqlError::internal("a view of a statement that is not a query"));
    };
    Binder::new(scope).noted_query(&query).map(|(_, notes)| notes)
}

/// A view's text after a column that it names is called otherwise.
pub fn with_column_renamed(
    scope: &Scope<'_>,
    definition: &str,
    column: (u32, i16),
    names: (&str, &str),
) -> SqlResult<String> {
    let mut places: Vec<usize> = Vec::new();
    for (at, table, attnum) in noted(scope, definition)?.columns {
        if (table, attnum) == column {
            places.extend(offset(definition, at.line, at.column));
        }
    }
    places.sort_unstable();
    places.dedup();
    let mut out = String::with_capacity(definition.len());
    let mut copied = 0;
    for place in places {
        let Some(Ok(token)) = Lexer::new(&definition[place..]).next() else { continue };
        // A subquery may have given it a name of its own.
        if token.start == 0 && identifier(token.text(&definition[place..])) == names.0 {
            out.push_str(&definition[copied..place]);
            out.push_str(&quote_identifier(names.1));
            copied = place + token.end;
        }
    }
    Ok(out + &definition[copied..])
}

/// A view's text after one of its own columns is called otherwise.
pub fn with_output_renamed(scope: &Scope<'_>, definition: &str, place: Option<usize>, to: &str) -> SqlResult<String> {
    let Statement::Query(mut query) = *parse::parse_query(definition, scope.allowance)? else {
        return Err(SqlError::internal("a view of a statement that is not a query"));
    };
    if let Some(place) = place {
        name_output(&mut query, place, to);
    }
    Ok(query.to_string())
}

/// Gives a column of a query's result its name: the first of several SELECTs says it.
fn name_output(query: &mut Query, place: usize, name: &str) {
    fn first(body: &mut SetExpr) -> Option<&mut Select> {
        match body {
            SetExpr::Select(select) => Some(select),
            SetExpr::SetOperation { left, .. } => first(left),
            SetExpr::Query(query) => first(&mut query.body),
            _ => None,
        }
    }
    let Some(item) = first(&mut query.body).and_then(|select| select.projection.get_mut(place)) else { return };
    let known = |expr: &Expr| match expr {
        Expr::Identifier(ident) => fold(ident) == name,
        Expr::CompoundIdentifier(idents) => idents.last().is_some_and(|ident| fold(ident) == name),
        _ => false,
    };
    let alias = Ident::with_quote('"', name);
    *item = match std::mem::replace(item, SelectItem::UnnamedExpr(Expr::Identifier(alias.clone()))) {
        SelectItem::UnnamedExpr(expr) if known(&expr) => SelectItem::UnnamedExpr(expr),
        SelectItem::UnnamedExpr(expr) => SelectItem::ExprWithAlias { expr, alias },
        SelectItem::ExprWithAlias { expr, alias: old } if fold(&old) == name => {
            SelectItem::ExprWithAlias { expr, alias: old }
        }
        SelectItem::ExprWithAlias { expr, .. } => SelectItem::ExprWithAlias { expr, alias },
        other => other,
    };
}

/// Where a line and a column of it, from 1, are in a text.
fn offset(text: &str, line: u64, column: u64) -> Option<usize> {
    let start: usize = text.split_inclusive('\n').take(usize::try_from(line).ok()?.checked_sub(1)?).map(str::len).sum();
    let within = text[start..].char_indices().nth(usize::try_from(column).ok()?.checked_sub(1)?)?;
    Some(start + within.0)
}

/// A view's text after a relation that it names is in another schema, or called otherwise: there it keeps its old name as an
/// alias. Without names, all relations of the schema have moved.
pub fn with_relation_moved(
    scope: &Scope<'_>,
    definition: &str,
    schemas: (&str, &str),
    names: Option<(&str, &str)>,
) -> SqlResult<String> {
    let Statement::Query(mut query) = *parse::parse_query(definition, scope.allowance)? else {
        return Err(SqlError::internal("a view of a statement that is not a query"));
    };
    let _ = query.visit(&mut Moved { schemas, names });
    Ok(query.to_string())
}

/// A view's text after a type that it names is called otherwise.
pub fn with_type_renamed(
    scope: &Scope<'_>,
    definition: &str,
    from: (&str, &str),
    to: (&str, &str),
) -> SqlResult<String> {
    let Statement::Query(mut query) = *parse::parse_query(definition, scope.allowance)? else {
        return Err(SqlError::internal("a view of a statement that is not a query"));
    };
    let _ = query.visit(&mut RenamedType { from, to });
    Ok(query.to_string())
}

struct RenamedType<'a> {
    from: (&'a str, &'a str),
    to: (&'a str, &'a str),
}

impl VisitorMut for RenamedType<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let mut ty = match expr {
            Expr::Cast { data_type, .. } => data_type,
            Expr::TypedString(typed) => &mut typed.data_type,
            _ => return ControlFlow::Continue(()),
        };
        while let DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element),
        ) = ty
        {
            ty = element;
        }
        if let DataType::Custom(name, _) = ty {
            let parts: Vec<String> = name.0.iter().filter_map(|p| p.as_ident()).map(fold).collect();
            if parts == [self.from.0, self.from.1] {
                let part = |text: &str| ObjectNamePart::Identifier(Ident::with_quote('"', text));
                *name = ObjectName(vec![part(self.to.0), part(self.to.1)]);
            }
        }
        ControlFlow::Continue(())
    }
}

struct Moved<'a> {
    schemas: (&'a str, &'a str),
    names: Option<(&'a str, &'a str)>,
}

impl Moved<'_> {
    /// The new name of a relation, if it has moved.
    fn name(&self, schema: &str, name: &str) -> Option<String> {
        let moved = schema == self.schemas.0 && self.names.is_none_or(|(old, _)| old == name);
        moved.then(|| self.names.map_or(name, |(_, new)| new).to_owned())
    }
}

impl VisitorMut for Moved<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, args: None, alias, .. } = factor else { return ControlFlow::Continue(()) };
        let parts: Vec<String> = name.0.iter().filter_map(|p| p.as_ident()).map(fold).collect();
        let [schema, old] = &parts[..] else { return ControlFlow::Continue(()) };
        if let Some(new) = self.name(schema, old) {
            let part = |text: &str| ObjectNamePart::Identifier(Ident::with_quote('"', text));
            *name = ObjectName(vec![part(self.schemas.1), part(&new)]);
            if new != *old {
                let name = Ident::with_quote('"', old.as_str());
                alias.get_or_insert(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundIdentifier(names)
                if names.len() > 2 && self.name(&fold(&names[0]), &fold(&names[1])).is_some() =>
            {
                names.remove(0);
            }
            Expr::Cast { data_type: DataType::Regclass, expr, .. } => {
                if let Expr::Value(value) = &mut **expr {
                    self.text(&mut value.value);
                }
            }
            Expr::TypedString(typed) if typed.data_type == DataType::Regclass => self.text(&mut typed.value.value),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Moved<'_> {
    /// The name of a relation in a literal.
    fn text(&self, value: &mut Value) {
        let Value::SingleQuotedString(text) = value else { return };
        let Ok(names) = name_parts(text) else { return };
        let [schema, old] = &names[..] else { return };
        if let Some(new) = self.name(schema, old) {
            *text = format!("{}.{}", quote_identifier(self.schemas.1), quote_identifier(&new));
        }
    }
}

/// Puts the schema before each name of a relation, unless a WITH query hides it, and of a type of one's own.
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

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let (ty, value) = match expr {
            Expr::Cast { data_type, expr, .. } => match &mut **expr {
                Expr::Value(value) => (data_type, Some(value)),
                _ => (data_type, None),
            },
            Expr::TypedString(typed) => (&mut typed.data_type, Some(&mut typed.value)),
            _ => return ControlFlow::Continue(()),
        };
        if let (DataType::Regclass, Some(Value::SingleQuotedString(text))) = (&*ty, value.map(|value| &mut value.value))
        {
            self.qualify_text(text);
        }
        self.qualify_type(ty);
        ControlFlow::Continue(())
    }
}

impl Qualify<'_> {
    fn qualify_type(&self, ty: &mut DataType) {
        match ty {
            DataType::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element)) => {
                self.qualify_type(element);
            }
            DataType::Custom(name, _) => {
                let parts: Vec<String> = name.0.iter().filter_map(|p| p.as_ident()).map(fold).collect();
                let (schema, name_in_it) = match &parts[..] {
                    [name] => (None, name),
                    [.., schema, name] => (Some(schema.as_str()), name),
                    [] => return,
                };
                let builtin = schema.is_none_or(|s| s == "pg_catalog") && Type::by_typname(name_in_it).is_some();
                let found = self.scope.catalog.resolve_type(self.scope.search_path, schema, name_in_it);
                if let Some((schema, name_in_it)) = found.filter(|_| !builtin).and_then(|ty| {
                    let own = self.scope.catalog.own_type(ty)?;
                    Some((&own.schema, if ty.is_array() { &own.array } else { &own.name }))
                }) {
                    let part = |text: &str| ObjectNamePart::Identifier(Ident::with_quote('"', text));
                    *name = ObjectName(vec![part(schema), part(name_in_it)]);
                }
            }
            _ => {}
        }
    }

    /// The name of a relation in a literal.
    fn qualify_text(&self, text: &mut String) {
        let Ok(names) = name_parts(text) else { return };
        let Some((name, schema)) = names.split_last() else { return };
        let found = self.scope.catalog.resolve(self.scope.search_path, schema.last().map(String::as_str), name);
        if let Some(relation) = found {
            *text = format!("{}.{}", quote_identifier(&relation.schema), quote_identifier(&relation.name));
        }
    }

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
