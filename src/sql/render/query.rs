//! Queries.

use super::Sql;
use crate::sql::ir::{
    Body, Cte, FromItem, Hidden, Materialized, Node, OrderKey, Out, Query, Select, SetOperator, Side, SortKey, System,
    Typed,
};
use crate::value::Value;

/// A column of it is compared by a key of its own.
fn has_keys(body: &Body) -> bool {
    body.outputs().iter().any(|out| out.ty.has_key())
}

/// A sorted query other than a SELECT that has such a column.
fn orders_by_keys(query: &Query) -> bool {
    !query.order.is_empty() && !matches!(query.body, Body::Select(_)) && has_keys(&query.body)
}

impl Sql {
    /// With `named`, the columns are called `c1`, `c2`, ….
    pub(super) fn whole_query(&mut self, query: &Query, hoisted: &[System], named: bool) {
        self.with(hoisted, &query.with, query.recursive);
        let tail = !query.order.is_empty() || query.limit.is_some() || query.offset.is_some();
        match &query.body {
            Body::Select(select) if !select.on.is_empty() => self.distinct_on(select, &query.order),
            // SQLite confuses the groups of a compound's parts with the order of the whole.
            body if matches!(body, Body::Query(_)) && tail
                || !query.order.is_empty() && body.is_compound_of_groups()
                || orders_by_keys(query) =>
            {
                self.operand(&query.body, named, false);
                self.order(query);
            }
            body => {
                let values = matches!(body, Body::Values(_));
                self.body(body, named || values && tail);
                self.order(query);
            }
        }
        match (&query.limit, &query.offset) {
            (None, None) => {}
            (limit, offset) => {
                self.push(" LIMIT ");
                match limit {
                    Some(limit) => self.count(limit, -1),
                    None => self.push("-1"),
                }
                if let Some(offset) = offset {
                    self.push(" OFFSET ");
                    self.count(offset, 0);
                }
            }
        }
    }

    fn count(&mut self, expr: &Typed, null: i64) {
        match &expr.node {
            Node::Const(Value::Int(n)) => self.put(format_args!("{n}")),
            Node::Const(_) => self.put(format_args!("{null}")),
            _ => {
                self.push("coalesce(");
                self.expr(expr);
                self.put(format_args!(", {null})"));
            }
        }
    }

    fn body(&mut self, body: &Body, named: bool) {
        match body {
            Body::Select(select) => self.select(select, named, false),
            // SQLite loses the names of the columns of a VALUES that depends on others.
            // Rows of whole rows without columns: SQLite has none.
            Body::Values(rows) if rows.first().is_some_and(Vec::is_empty) => {
                self.push("VALUES ");
                self.list(", ", rows, |sql, _| sql.push("(NULL)"));
            }
            Body::Values(rows) if named && rows.len() < 400 && rows.iter().flatten().any(reads) => {
                self.list(" UNION ALL ", rows, |sql, row| {
                    sql.push("SELECT ");
                    sql.list(", ", row.iter().zip(1..), |sql, (value, i): (&Typed, usize)| {
                        sql.expr(value);
                        sql.push(" AS ");
                        sql.output_name(i);
                    });
                });
            }
            Body::Values(rows) => {
                if named {
                    self.push("SELECT ");
                    let width = rows.first().map_or(0, Vec::len);
                    // SQLite calls them column1, column2, ….
                    self.list(", ", 1..=width, |sql, i| sql.put(format_args!("\"column{i}\" AS \"c{i}\"")));
                    self.push(" FROM (");
                }
                self.push("VALUES ");
                self.list(", ", rows, |sql, row| {
                    sql.push("(");
                    sql.exprs(row);
                    sql.push(")");
                });
                self.push(if named { ")" } else { "" });
            }
            Body::Set { operator, left, right }
                if !matches!(operator, SetOperator::UnionAll | SetOperator::Step) && has_keys(body) =>
            {
                self.set_by_keys(*operator, left, right);
            }
            Body::Set { operator, left, right } => {
                let keyed = *operator != SetOperator::UnionAll;
                // SQLite joins compound operands from the left and knows no parentheses around them.
                match &**left {
                    Body::Set { .. } => self.body(left, named),
                    other => self.operand(other, named, keyed),
                }
                self.push(match operator {
                    SetOperator::Union | SetOperator::Step => " UNION ",
                    SetOperator::UnionAll => " UNION ALL ",
                    SetOperator::Intersect => " INTERSECT ",
                    SetOperator::Except => " EXCEPT ",
                });
                self.operand(right, false, keyed);
            }
            Body::Query(query) => self.whole_query(query, &[], named),
        }
    }

    /// With `keyed`, the columns carry their types' collations: SQLite compares rows by them.
    fn operand(&mut self, body: &Body, named: bool, keyed: bool) {
        if let Body::Select(select) = body
            && select.on.is_empty()
        {
            return self.select(select, named, keyed);
        }
        self.push("SELECT ");
        self.list(", ", (1..).zip(&body.outputs()), |sql, (i, out): (usize, &Out)| {
            sql.output_name(i);
            if let Some(name) = out.ty.collation().filter(|_| keyed) {
                sql.collate(name);
            }
            if named {
                sql.push(" AS ");
                sql.output_name(i);
            }
        });
        self.push(" FROM (");
        self.body(body, true);
        self.push(")");
    }

    /// UNION, INTERSECT and EXCEPT of rows that SQLite cannot compare: grouped by what they compare by, and then by which side
    /// they are on. Of several, the left side's is given.
    fn set_by_keys(&mut self, operator: SetOperator, left: &Body, right: &Body) {
        let outputs = left.outputs();
        let names = |sql: &mut Sql| sql.list(", ", 1..=outputs.len(), Sql::output_name);
        self.push("SELECT ");
        names(self);
        self.push(" FROM (SELECT ");
        for (side, body) in [(1, left), (2, right)] {
            self.push(if side == 2 { " UNION ALL SELECT " } else { "" });
            names(self);
            self.put(format_args!(", {side} AS \"side\" FROM ("));
            self.body(body, true);
            self.push(")");
        }
        self.push(") GROUP BY ");
        self.list(", ", (1..).zip(&outputs), |sql, (i, out): (usize, &Out)| sql.output_key(i, out.ty));
        self.push(match operator {
            SetOperator::Intersect => " HAVING min(\"side\") = 1 AND count(DISTINCT \"side\") = 2",
            SetOperator::Except => " HAVING min(\"side\") = 1 AND count(DISTINCT \"side\") = 1",
            SetOperator::Union | SetOperator::UnionAll | SetOperator::Step => " HAVING min(\"side\") > 0",
        });
    }

    fn select(&mut self, select: &Select, named: bool, keyed: bool) {
        if select.distinct && select.columns.iter().any(|c| c.expr.ty.has_key()) {
            self.push("SELECT ");
            self.list(", ", 1..=select.columns.len(), Sql::output_name);
            self.push(" FROM (");
            self.select(&Select { distinct: false, ..select.clone() }, true, false);
            self.push(") GROUP BY ");
            return self.list(", ", (1..).zip(&select.columns), |sql, (i, column)| sql.output_key(i, column.expr.ty));
        }
        self.push(if select.distinct { "SELECT DISTINCT " } else { "SELECT " });
        for (range, name) in &select.places {
            self.alias(*range);
            self.put(format_args!(".{name}, "));
        }
        if select.columns.is_empty() && select.hidden.is_empty() {
            // SQLite has no SELECT without columns.
            self.push("NULL");
        }
        self.list(", ", (1..).zip(&select.columns), |sql, (i, column)| {
            if keyed || select.distinct {
                sql.collated(&column.expr)
            } else {
                sql.expr(&column.expr)
            }
            if named {
                sql.push(" AS ");
                sql.output_name(i);
            }
        });
        for (hidden, i) in select.hidden.iter().zip(1..) {
            self.push(if i > 1 || !select.columns.is_empty() { ", " } else { "" });
            match hidden {
                Hidden::RowId(range, name) => {
                    self.alias(*range);
                    self.put(format_args!(".{name} AS \"h{i}\""));
                }
                Hidden::Inner(number) => self.put(format_args!("\"h{number}\"")),
            }
        }
        self.tail(select);
    }

    fn tail(&mut self, select: &Select) {
        if !select.from.is_empty() {
            self.push(" FROM ");
            self.from(&select.from);
        }
        match (&select.filter, &select.guard[..]) {
            (None, []) => {}
            (Some(filter), []) => {
                self.push(" WHERE ");
                self.expr(filter);
            }
            (filter, guard) => {
                self.push(" WHERE ");
                if let Some(filter) = filter {
                    self.push("(");
                    self.expr(filter);
                    self.push(") AND ");
                }
                self.list(" AND ", guard, |sql, (oid, range, rowid)| {
                    sql.put(format_args!("q_row_free({oid}, \"t{range}\".{rowid}, "));
                    sql.row_list();
                    sql.push(")");
                });
            }
        }
        if !select.group.is_empty() {
            self.push(" GROUP BY ");
            self.list(", ", &select.group, Sql::group_key);
        }
        if let Some(having) = &select.having {
            // SQLite wants a GROUP BY or an aggregate with HAVING; a group of all rows is one of a constant.
            self.push(" HAVING ");
            self.expr(having);
        }
    }

    /// DISTINCT ON: the first row of each group by the order of the query.
    fn distinct_on(&mut self, select: &Select, order: &[OrderKey]) {
        let key = |key: &OrderKey| match key {
            OrderKey::Expr(key) => key.clone(),
            OrderKey::Output(i, key) => SortKey { expr: select.columns[*i].expr.clone(), ..key.clone() },
        };
        let keys: Vec<SortKey> = order.iter().map(key).collect();
        self.push("SELECT ");
        self.list(", ", 1..=select.columns.len(), Sql::output_name);
        self.push(" FROM (SELECT ");
        for (column, i) in select.columns.iter().zip(1..) {
            self.expr(&column.expr);
            self.put(format_args!(" AS \"c{i}\", "));
        }
        for (key, i) in keys.iter().zip(1..) {
            self.expr(&key.expr);
            self.put(format_args!(" AS \"k{i}\", "));
        }
        self.push("row_number() OVER (PARTITION BY ");
        self.list(", ", &select.on, Sql::group_key);
        if !keys.is_empty() {
            self.push(" ORDER BY ");
            self.sort_list(&keys);
        }
        self.push(") AS \"rn\"");
        self.tail(select);
        self.push(") WHERE \"rn\" = 1");
        if !keys.is_empty() {
            self.push(" ORDER BY ");
            self.list(", ", keys.iter().zip(1..), |sql, (key, i): (&SortKey, usize)| {
                let ty = key.expr.ty;
                match ty.has_key() {
                    true => sql.key_of(ty, |sql| sql.put(format_args!("\"k{i}\""))),
                    false => sql.put(format_args!("\"k{i}\"")),
                }
                if let Some(name) = ty.collation() {
                    sql.collate(name);
                }
                sql.direction(key);
            });
        }
    }

    fn order(&mut self, query: &Query) {
        if query.order.is_empty() {
            return;
        }
        let outputs = query.outputs();
        let before = if let Body::Select(select) = &query.body { select.places.len() } else { 0 };
        self.push(" ORDER BY ");
        self.list(", ", &query.order, |sql, key| match key {
            OrderKey::Expr(key) => sql.sort_key(key),
            OrderKey::Output(i, key) => {
                let collated = match &query.body {
                    Body::Select(s) if outputs[*i].ty.has_key() && !s.distinct => {
                        sql.keyed(&s.columns[*i].expr);
                        return sql.direction(key);
                    }
                    _ if outputs[*i].ty.has_key() => {
                        sql.output_key(i + 1, outputs[*i].ty);
                        return sql.direction(key);
                    }
                    Body::Select(s) => s.columns[*i].expr.collated(),
                    _ => false,
                };
                sql.put(format_args!("{}", before + i + 1));
                if let Some(name) = outputs[*i].ty.collation().filter(|_| !collated) {
                    sql.collate(name);
                }
                sql.direction(key);
            }
        });
    }

    pub(super) fn cte(&mut self, cte: &Cte) {
        self.name(&cte.name);
        self.push("(");
        self.list(", ", 1..=cte.width, Sql::output_name);
        self.push(match cte.materialized {
            _ if cte.query.is_volatile() => ") AS MATERIALIZED (",
            Materialized::Unsaid => ") AS (",
            Materialized::Yes => ") AS MATERIALIZED (",
            Materialized::No => ") AS NOT MATERIALIZED (",
        });
        self.whole_query(&cte.query, &[], true);
        self.push(")");
    }

    /// What follows FROM.
    pub(super) fn from(&mut self, items: &[FromItem]) {
        self.list(", ", items, |sql, item| {
            let nested = items.len() > 1 && item.is_outer();
            sql.push(if nested { "(" } else { "" });
            sql.source(item);
            sql.push(if nested { ")" } else { "" });
        });
    }

    fn source(&mut self, item: &FromItem) {
        let range = match item {
            FromItem::Table { name, range } => {
                self.name(name);
                range
            }
            FromItem::Query { query, range } => {
                self.push("(");
                if query.is_volatile() {
                    self.barrier(query, *range);
                } else {
                    self.whole_query(query, &[], true);
                }
                self.push(")");
                range
            }
            FromItem::Lateral { query, range } => {
                self.gathered(query);
                range
            }
            FromItem::Kept { list, names, range } => {
                self.kept(*list, names, *range);
                range
            }
            FromItem::Function { call, range } => {
                self.rows_of(call);
                range
            }
            FromItem::Value { value, range } => {
                self.one_row(value);
                range
            }
            FromItem::Join { left, right, side, on } => return self.join(left, right, *side, on.as_ref()),
            FromItem::Nested(inner) => {
                self.push("(");
                self.source(inner);
                return self.push(")");
            }
            FromItem::InStep(calls) => return self.in_step(calls),
        };
        if *range != 0 {
            self.push(" AS ");
            self.alias(*range);
        }
    }

    /// Rows that were kept before. Under names of a table, they are looked up as its rows are.
    fn kept(&mut self, list: u16, names: &[(String, Option<&'static str>)], range: usize) {
        let rows = format!("q_rows(q_given({list}))");
        if names.is_empty() {
            return self.push(&rows);
        }
        self.put(format_args!("(WITH \"k{range}\" AS MATERIALIZED (SELECT "));
        let column = |sql: &mut Sql, ((name, collation), i): (&(String, Option<&'static str>), usize)| {
            sql.put(format_args!("c{i}"));
            if let Some(collation) = collation {
                sql.put(format_args!(" COLLATE {collation}"));
            }
            sql.push(" AS ");
            sql.name(name);
        };
        self.list(", ", names.iter().zip(1..), column);
        self.put(format_args!(" FROM {rows}) SELECT * FROM \"k{range}\")"));
    }

    /// SQLite has no LATERAL: an expression gathers the rows into a list, and a table-valued function takes it apart.
    fn gathered(&mut self, query: &Query) {
        self.push("q_rows((SELECT q_list(");
        self.packed(query.body.width(), |sql, i| sql.output_name(i + 1));
        self.push(") FROM (");
        self.whole_query(query, &[], true);
        self.push(")))");
    }

    /// Values as one. SQLite's functions have at most 127 arguments.
    pub(super) fn packed(&mut self, count: usize, mut write: impl FnMut(&mut Sql, usize)) {
        const AT_ONCE: usize = 100;
        self.push(if count > AT_ONCE { "q_join(" } else { "" });
        for start in (0..count.max(1)).step_by(AT_ONCE) {
            self.push(if start > 0 { ", q_pack(" } else { "q_pack(" });
            self.list(", ", start..count.min(start + AT_ONCE), &mut write);
            self.push(")");
        }
        self.push(if count > AT_ONCE { ")" } else { "" });
    }

    /// A query whose values are computed once for each row, however often they are used: SQLite must not merge it into
    /// what is around it.
    fn barrier(&mut self, query: &Query, range: usize) {
        self.put(format_args!("WITH \"m{range}\" AS MATERIALIZED ("));
        self.whole_query(query, &[], true);
        self.put(format_args!(") SELECT * FROM \"m{range}\""));
    }

    fn join(&mut self, left: &FromItem, right: &FromItem, side: Side, on: Option<&Typed>) {
        self.source(left);
        self.push(match side {
            Side::Inner => " JOIN ",
            Side::Left => " LEFT JOIN ",
            Side::Right => " RIGHT JOIN ",
            Side::Full => " FULL JOIN ",
        });
        self.source(right);
        if let Some(on) = on {
            self.push(" ON ");
            self.expr(on);
        }
    }

    /// As many steps as the longest has rows, each joined to the row of that number.
    fn in_step(&mut self, items: &[FromItem]) {
        let steps = items.first().map_or(0, FromItem::range);
        self.push("q_generate_series(1, max(");
        self.list(", ", items, |sql, item| {
            sql.push("(SELECT count(*) FROM ");
            sql.numbered_rows(item);
            sql.push(")");
        });
        self.put(format_args!("), 1) AS \"t{steps}_steps\""));
        for item in items {
            self.push(" LEFT JOIN ");
            self.numbered_rows(item);
            let range = item.range();
            self.put(format_args!(" AS \"t{range}\" ON \"t{range}\".ordinality = \"t{steps}_steps\".value"));
        }
    }

    /// Rows with their numbers in a column `ordinality`.
    fn numbered_rows(&mut self, item: &FromItem) {
        match item {
            FromItem::Function { call, .. } => self.rows_of(call),
            FromItem::Lateral { query, .. } => self.gathered(query),
            FromItem::Value { value, .. } => self.one_row(value),
            _ => self.source(item),
        }
    }

    fn one_row(&mut self, value: &Typed) {
        self.push("(SELECT ");
        self.expr(value);
        self.push(" AS \"c1\", 1 AS \"ordinality\")");
    }
}

/// It reads columns.
fn reads(expr: &Typed) -> bool {
    expr.any(&|e| match &e.node {
        Node::Column(_) => true,
        Node::Query(sub) => !sub.outer.is_empty(),
        _ => false,
    })
}
