//! GROUPING SETS, ROLLUP and CUBE: each row is there once for each set, and what a set does not group by is NULL in it.
//!
//! A column has the number of the set, which all rows are grouped by as well. So groups, windows, DISTINCT and ORDER BY see one
//! query. The set of nothing has a row even where there is none: then the source is joined to the numbers from outside, and
//! what aggregates is told which rows are not real.

use super::Binder;
use crate::error::{SqlError, SqlResult, state};
use crate::sql::ir::{
    Body, Column, FromItem, Named, Node, Op, Query as Tree, Select as SelectTree, SetOperator, Side, Typed,
};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast::Expr;

/// PostgreSQL's limit.
const MOST: usize = 4096;
/// What `grouping(…)` is until it is known where.
pub const GROUPING: Op = Op::Internal("q_grouping");

/// The sets that a GROUP BY means, if it has any of these words.
pub fn sets(items: &[Expr]) -> SqlResult<Option<Vec<Vec<&Expr>>>> {
    let words = |expr: &Expr| matches!(expr, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
    if !items.iter().any(|item| words(super::scalar::unnested(item))) {
        return Ok(None);
    }
    let mut all: Vec<Vec<&Expr>> = vec![Vec::new()];
    for item in items {
        let more = of(item)?;
        if all.len() * more.len() > MOST {
            let text = format!("too many grouping sets present (maximum {MOST})");
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, text));
        }
        all = all.iter().flat_map(|set| more.iter().map(move |m| [&set[..], m].concat())).collect();
    }
    Ok(Some(all))
}

/// The sets of one item.
fn of(item: &Expr) -> SqlResult<Vec<Vec<&Expr>>> {
    Ok(match super::scalar::unnested(item) {
        Expr::Rollup(elements) => rollup(&listed(elements)),
        Expr::Cube(elements) => cube(&listed(elements))?,
        Expr::GroupingSets(elements) => {
            let mut all = Vec::new();
            for element in elements {
                match &element[..] {
                    [one] => all.extend(of(one)?),
                    several => all.push(several.iter().collect()),
                }
            }
            all
        }
        Expr::Tuple(items) => vec![items.iter().collect()],
        _ => vec![vec![item]],
    })
}

fn listed(elements: &[Vec<Expr>]) -> Vec<Vec<&Expr>> {
    elements.iter().map(|element| element.iter().collect()).collect()
}

fn rollup<'e>(elements: &[Vec<&'e Expr>]) -> Vec<Vec<&'e Expr>> {
    (0..=elements.len()).rev().map(|n| elements[..n].concat()).collect()
}

fn cube<'e>(elements: &[Vec<&'e Expr>]) -> SqlResult<Vec<Vec<&'e Expr>>> {
    if elements.len() > 12 {
        let text = "CUBE is limited to 12 elements";
        return Err(SqlError::new(crate::error::SqlState::new("54011"), text));
    }
    let has = |set: usize, i: usize| set >> (elements.len() - 1 - i) & 1 == 1;
    let chosen = |set: usize| (0..elements.len()).filter(|i| has(set, *i)).flat_map(|i| elements[i].clone()).collect();
    Ok((0..1 << elements.len()).rev().map(chosen).collect())
}

/// The sets of a query, as places in the list of all that is grouped by.
pub struct Sets {
    pub sets: Vec<Vec<usize>>,
    pub group: Vec<Typed>,
    /// The number of a row's set.
    number: Typed,
    range: usize,
    /// Whether a row is real, if there may be others.
    real: Option<(usize, Typed)>,
}

impl Sets {
    pub fn new(binder: &mut Binder<'_>, sets: Vec<Vec<usize>>, group: Vec<Typed>) -> Sets {
        let column = |range: usize| Typed::new(Type::INT4, Node::Column(Column::of(range, format!("t{range}"), "c1")));
        let range = binder.next_id();
        let real = sets.iter().any(Vec::is_empty).then(|| binder.next_id());
        let is_real = |range: usize| (range, Typed::apply(Type::BOOL, Op::IsNotNull, vec![column(range)]));
        Sets { sets, group, number: column(range), range, real: real.map(is_real) }
    }

    /// What is in all sets: that alone determines other columns.
    pub fn common(&self) -> Vec<Typed> {
        let everywhere = |(i, _): &(usize, &Typed)| self.sets.iter().all(|set| set.contains(i));
        self.group.iter().enumerate().filter(everywhere).map(|(_, g)| g.clone()).collect()
    }

    fn is_of(&self, sets: impl Iterator<Item = usize>) -> Typed {
        let number = |i: usize| Typed::constant(Type::INT4, Value::Int(i as i64));
        let args = [self.number.clone()].into_iter().chain(sets.map(number)).collect();
        Typed::apply(Type::BOOL, Op::In { negated: false }, args)
    }

    /// What is grouped by, under another type perhaps, where its set has it.
    fn masked(&self, place: usize, expr: Typed) -> Typed {
        let having: Vec<usize> = (0..self.sets.len()).filter(|i| self.sets[*i].contains(&place)).collect();
        if having.len() == self.sets.len() {
            return expr;
        }
        let (ty, typmod, at) = (expr.ty, expr.typmod, expr.at);
        let nothing = Typed::null(ty);
        Typed::apply(ty, Op::Case, vec![self.is_of(having.into_iter()), expr, nothing]).typmod(typmod).at(at)
    }

    /// The bits of what is not grouped by, for each set.
    fn bits(&self, args: &[Typed]) -> SqlResult<Typed> {
        let mut places = Vec::with_capacity(args.len());
        for arg in args {
            match self.group.iter().position(|g| g == arg || g.node == arg.node) {
                Some(place) => places.push(place),
                None => return Err(not_grouped()),
            }
        }
        let of = |set: &Vec<usize>| places.iter().fold(0, |bits, p| bits << 1 | i64::from(!set.contains(p)));
        let value = |set| Typed::constant(Type::INT4, Value::Int(of(set)));
        let mut choice = Vec::new();
        for (i, set) in self.sets.iter().enumerate().skip(1) {
            choice.extend([self.is_of([i].into_iter()), value(set)]);
        }
        choice.push(self.sets.first().map_or_else(|| Typed::constant(Type::INT4, Value::Int(0)), value));
        Ok(match choice.len() {
            1 => choice.remove(0),
            _ => Typed::apply(Type::INT4, Op::Case, choice),
        })
    }

    /// An expression over the groups.
    pub fn expr(&self, expr: Typed) -> SqlResult<Typed> {
        let same = |g: &Typed| *g == expr || matches!(expr.node, Node::Column(_)) && g.node == expr.node;
        if let Some(place) = self.group.iter().position(same) {
            return Ok(self.masked(place, expr));
        }
        let all = |exprs: Vec<Typed>| exprs.into_iter().map(|e| self.expr(e)).collect::<SqlResult<Vec<_>>>();
        let node = match expr.node {
            Node::Apply(GROUPING, args) => return Ok(self.bits(&args)?.at(expr.at)),
            Node::Apply(op, args) => Node::Apply(op, all(args)?),
            Node::Row(args) => Node::Row(all(args)?),
            Node::Array(args) => Node::Array(all(args)?),
            Node::Call(mut call) => {
                match &mut call.over {
                    // What is aggregated are the rows as they were.
                    None => {
                        if let Some((_, real)) = &self.real {
                            let filter = call.filter.take();
                            let both = |filter| Typed::apply(Type::BOOL, Op::And, vec![real.clone(), filter]);
                            call.filter = Some(filter.map_or_else(|| real.clone(), both));
                        }
                    }
                    Some(over) => {
                        over.partition = all(std::mem::take(&mut over.partition))?;
                        for key in &mut over.order {
                            key.expr = self.expr(key.expr.clone())?;
                        }
                        call.args = all(std::mem::take(&mut call.args))?;
                        for key in &mut call.order {
                            key.expr = self.expr(key.expr.clone())?;
                        }
                        call.filter = call.filter.take().map(|filter| self.expr(filter)).transpose()?;
                    }
                }
                Node::Call(call)
            }
            Node::Query(sub) => {
                let reads = |g: &Typed| g.any(&|e| matches!(&e.node, Node::Column(c) if sub.outer.contains(c)));
                if self.group.iter().any(reads) {
                    return Err(SqlError::unsupported("a subquery that reads what grouping sets group by"));
                }
                Node::Query(sub)
            }
            node => node,
        };
        Ok(Typed { node, ..expr })
    }

    /// The source, once for each set; what its rows have to fulfil; and what they are grouped by.
    pub fn source(&self, from: Vec<FromItem>, filter: Option<Typed>) -> (Vec<FromItem>, Option<Typed>, Vec<Typed>) {
        let select = |value: i64| {
            let columns = vec![Named { name: String::new(), expr: Typed::constant(Type::INT4, Value::Int(value)) }];
            Body::Select(Box::new(SelectTree { columns, ..SelectTree::default() }))
        };
        let union = |left: Body, right: Body| Body::Set {
            operator: SetOperator::UnionAll,
            left: Box::new(left),
            right: Box::new(right),
        };
        let numbers = (1..self.sets.len() as i64).map(select).fold(select(0), union);
        let item = |body: Body, range: usize| FromItem::Query { query: Box::new(Tree::of(body)), range };
        let numbers = item(numbers, self.range);
        let masked = self.group.iter().enumerate().map(|(place, g)| self.masked(place, g.clone()));
        let group = [self.number.clone()].into_iter().chain(masked).collect();
        let Some((range, real)) = &self.real else {
            let from = [numbers].into_iter().chain(from).collect();
            return (from, filter, group);
        };
        let join = |left: FromItem, right: FromItem| FromItem::Join {
            left: Box::new(left),
            right: Box::new(right),
            side: Side::Inner,
            on: None,
        };
        let source = from.into_iter().reduce(join);
        let mark = item(select(1), *range);
        let source = source.map_or(mark.clone(), |source| join(source, mark));
        let all = FromItem::Join {
            left: Box::new(numbers),
            right: Box::new(FromItem::Nested(Box::new(source))),
            side: Side::Left,
            on: Some(filter.unwrap_or_else(|| Typed::constant(Type::BOOL, Value::Int(1)))),
        };
        let empty = (0..self.sets.len()).filter(|i| self.sets[*i].is_empty());
        let wanted = Typed::apply(Type::BOOL, Op::Or, vec![real.clone(), self.is_of(empty)]);
        (vec![all], Some(wanted), group)
    }
}

pub fn not_grouped() -> SqlError {
    let text = "arguments to GROUPING must be grouping expressions of the associated query level";
    SqlError::new(state::GROUPING_ERROR, text)
}
