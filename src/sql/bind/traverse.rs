//! SEARCH and CYCLE: columns that a recursive WITH query gets besides its own, in both of its parts, as PostgreSQL adds them.
//!
//! | clause | column | first | in each step |
//! |---|---|---|---|
//! | `SEARCH DEPTH FIRST BY a SET s` | s | `ARRAY[ROW(a)]` | `w.s \|\| ROW(a)` |
//! | `SEARCH BREADTH FIRST BY a SET s` | s | `ROW(0, a)` | `ROW((w.s).f1 + 1, a)` |
//! | `CYCLE a SET m USING p` | m | `false` | whether `ROW(a)` is in `w.p`; and only rows go on whose `w.m` is not true |
//! | | p | `ARRAY[ROW(a)]` | `w.p \|\| ROW(a)` |

use super::names::{Clause, Level};
use super::{Binder, CteColumn};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::ir::{Body, FromItem, Named, Node, Op, Select, Typed};
use crate::sql::traversal::{Cycle, Search, Traversal};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;

/// A part of the query: what it selects, and by which number it knows the query itself.
struct Part<'a> {
    select: &'a mut Select,
    itself: Option<usize>,
}

impl Binder<'_> {
    pub(super) fn traverse(
        &mut self,
        traversal: &Traversal,
        name: &str,
        sql_name: &str,
        columns: &mut Vec<CteColumn>,
        base: &mut Body,
        step: &mut Body,
    ) -> SqlResult<()> {
        let side = |which: &str| {
            let text = format!("with a SEARCH or CYCLE clause, the {which} side of the UNION must be a SELECT");
            SqlError::new(state::FEATURE_NOT_SUPPORTED, text)
        };
        if let Body::Values(rows) = base
            && let [row] = &mut rows[..]
        {
            let named = |(i, expr): (usize, Typed)| Named { name: format!("column{}", i + 1), expr };
            let columns = std::mem::take(row).into_iter().enumerate().map(named).collect();
            *base = Body::Select(Box::new(Select { columns, ..Select::default() }));
        }
        let Body::Select(base) = base else { return Err(side("left")) };
        let Body::Select(step) = step else { return Err(side("right")) };
        let Some(itself) = step.from.iter().find_map(|item| range_of(item, sql_name)) else {
            let text = format!(
                "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"{name}\" must be at the top level of its right-hand SELECT"
            );
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
        };
        let mut first = Part { select: base, itself: None };
        let mut step = Part { select: step, itself: Some(itself) };
        self.levels.push(Level::new(Clause::Values));
        let own = columns.len();
        let done = (|| {
            if let Some(search) = &traversal.search {
                self.search(search, own, columns, [&mut first, &mut step])?;
            }
            match &traversal.cycle {
                Some(cycle) => self.cycle(cycle, own, columns, [&mut first, &mut step]),
                None => Ok(()),
            }
        })();
        self.levels.pop();
        done
    }

    fn search(
        &mut self,
        search: &Search,
        own: usize,
        columns: &mut Vec<CteColumn>,
        parts: [&mut Part<'_>; 2],
    ) -> SqlResult<()> {
        let by = places(&search.by, &columns[..own], "search column")?;
        let set = new_column(&search.set, columns, "search sequence column name")?;
        let ty = if search.breadth { Type::RECORD } else { Type::RECORD_ARRAY };
        for part in parts {
            let before = part.itself.map(|range| self.so_far(range, set, ty));
            let added = match search.breadth {
                true => {
                    let depth = match before {
                        None => Typed::constant(Type::INT8, Value::Int(0)),
                        Some(before) => {
                            let depth = Typed::apply(Type::INT8, Op::Field(0), vec![before]);
                            self.operator("+", Some(depth), Typed::constant(Type::INT8, Value::Int(1)))?
                        }
                    };
                    let values = std::iter::once(depth).chain(values(part, &by)).collect();
                    self.record(Typed::new(Type::RECORD, Node::Row(values)))?
                }
                false => self.way(before, part, &by)?,
            };
            part.select.columns.push(Named { name: search.set.clone(), expr: added });
        }
        columns.push((search.set.clone(), ty, NO_TYPMOD));
        Ok(())
    }

    fn cycle(
        &mut self,
        cycle: &Cycle,
        own: usize,
        columns: &mut Vec<CteColumn>,
        parts: [&mut Part<'_>; 2],
    ) -> SqlResult<()> {
        let by = places(&cycle.columns, &columns[..own], "cycle column")?;
        let (met, other) = match &cycle.values {
            None => (Typed::bool(true), Typed::bool(false)),
            Some((met, other)) => {
                let (met, other) = (super::parse_expr(met)?, super::parse_expr(other)?);
                (self.expr(&met)?, self.expr(&other)?)
            }
        };
        let (ty, both) = self.unify(vec![met, other], "CYCLE")?;
        let both = both.into_iter().map(|value| self.decide_text(value)).collect::<SqlResult<Vec<_>>>()?;
        let ty = if ty == Type::UNKNOWN { Type::TEXT } else { ty };
        let [met, other] = &both[..] else { return Err(SqlError::internal("two values stay two")) };
        let mark = new_column(&cycle.mark, columns, "cycle mark column name")?;
        columns.push((cycle.mark.clone(), ty, NO_TYPMOD));
        let path = new_column(&cycle.path, columns, "cycle path column name")?;
        columns.push((cycle.path.clone(), Type::RECORD_ARRAY, NO_TYPMOD));
        for part in parts {
            let before = part.itself.map(|range| self.so_far(range, path, Type::RECORD_ARRAY));
            let is_met = match (part.itself, &before) {
                (Some(range), Some(before)) => {
                    let row = self.row_of(part, &by)?;
                    let row = Typed::new(Type::RECORD_ARRAY, Node::Array(vec![row]));
                    let met_before = self.operator("@>", Some(before.clone()), row)?;
                    let marked = self.so_far(range, mark, ty);
                    let goes_on = self.operator("<>", Some(marked), met.clone())?;
                    part.select.filter = Some(match part.select.filter.take() {
                        Some(filter) => Typed::test(Op::And, vec![filter, goes_on]),
                        None => goes_on,
                    });
                    Typed::apply(ty, Op::Case, vec![met_before, met.clone(), other.clone()])
                }
                _ => other.clone(),
            };
            let way = self.way(before, part, &by)?;
            part.select.columns.push(Named { name: cycle.mark.clone(), expr: is_met });
            part.select.columns.push(Named { name: cycle.path.clone(), expr: way });
        }
        Ok(())
    }

    /// The rows on the way to this one, and this one.
    fn way(&mut self, before: Option<Typed>, part: &Part<'_>, by: &[usize]) -> SqlResult<Typed> {
        let row = self.row_of(part, by)?;
        let row = Typed::new(Type::RECORD_ARRAY, Node::Array(vec![row]));
        match before {
            Some(before) => self.operator("||", Some(before), row),
            None => Ok(row),
        }
    }

    fn row_of(&mut self, part: &Part<'_>, by: &[usize]) -> SqlResult<Typed> {
        self.record(Typed::new(Type::RECORD, Node::Row(values(part, by).collect())))
    }

    /// A column of the query itself, as far as it has come.
    fn so_far(&self, range: usize, place: usize, ty: Type) -> Typed {
        self.column_of(range, &format!("t{range}"), &format!("c{}", place + 1), ty, NO_TYPMOD, (0, 0), false)
    }
}

fn values<'a>(part: &'a Part<'_>, by: &'a [usize]) -> impl Iterator<Item = Typed> + 'a {
    by.iter().map(|place| part.select.columns[*place].expr.clone())
}

/// Where the columns of these names are.
fn places(names: &[String], columns: &[CteColumn], what: &str) -> SqlResult<Vec<usize>> {
    let mut places = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let place = columns
            .iter()
            .position(|(column, ..)| column == name)
            .ok_or_else(|| SqlError::syntax(format!("{what} \"{name}\" not in WITH query column list")))?;
        if names[..i].contains(name) {
            let text = format!("{what} \"{name}\" specified more than once");
            return Err(SqlError::new(state::DUPLICATE_COLUMN, text));
        }
        places.push(place);
    }
    Ok(places)
}

/// The place of a column that is added.
fn new_column(name: &str, columns: &[CteColumn], what: &str) -> SqlResult<usize> {
    match columns.iter().any(|(column, ..)| column == name) {
        true => Err(SqlError::syntax(format!("{what} \"{name}\" already used in WITH query column list"))),
        false => Ok(columns.len()),
    }
}

/// The number by which a join knows a table of SQLite's.
fn range_of(item: &FromItem, table: &str) -> Option<usize> {
    match item {
        FromItem::Table { name, range } => (name == table).then_some(*range),
        FromItem::Join { left, right, .. } => range_of(left, table).or_else(|| range_of(right, table)),
        FromItem::Nested(inner) => range_of(inner, table),
        _ => None,
    }
}
