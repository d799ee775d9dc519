//! What is said in other words: phrases that mean no more than simpler ones do.
//!
//! `BETWEEN SYMMETRIC`, named arguments, rows beside queries, limits by number, WITH TIES, INTERSECT ALL and EXCEPT ALL, WITHIN GROUP.

use super::dml::Part;
use super::names::{Clause, fold};
use super::scalar::operator_name;
use super::{Binder, error_at, parse_expr};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::{CastContext, builtin, lookup_functions};
use crate::sql::ir::{
    Body, Call, Column, FIRST, Named, Node, Op, OrderKey, Over, Query as Tree, SetOperator, SortKey, SubQuery, Typed,
};
use crate::sql::phrases;
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, OrderByExpr, Query};
use sqlparser::tokenizer::Location;

/// Whether rows that are alike in ORDER BY count as one in a limit.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Peers {
    Count,
    Differ,
}

fn number(n: i64) -> Typed {
    Typed::constant(Type::INT8, Value::Int(n))
}

fn call(name: &str, ty: Type, args: Vec<Typed>, filter: Option<Typed>, over: Option<Over>) -> Typed {
    let function = lookup_functions(name)[0];
    Typed::new(ty, Node::Call(Box::new(Call { function, args, distinct: false, order: vec![], filter, over })))
}

/// The columns of a query in FROM, under their names.
fn columns_of(tree: &Tree, range: usize) -> Vec<Named> {
    let outputs = tree.outputs().into_iter().zip(1..);
    outputs
        .map(|(out, i): (_, usize)| {
            let column = Column::of(range, format!("t{range}"), format!("c{i}"));
            let column = Column { table: out.table, attnum: out.attnum, ..column };
            Named { name: out.name, expr: Typed::new(out.ty, Node::Column(column)).typmod(out.typmod) }
        })
        .collect()
}

impl Binder<'_> {
    /// `a BETWEEN SYMMETRIC b AND c`
    pub(super) fn between_symmetric(&mut self, args: &[FunctionArg], at: Location) -> SqlResult<Typed> {
        let [a, b, c] = args else { return Err(SqlError::internal("BETWEEN SYMMETRIC takes three operands")) };
        let [a, b, c] = [self.argument(a, at)?, self.argument(b, at)?, self.argument(c, at)?];
        let mut either = Vec::with_capacity(2);
        for (low, high) in [(&b, &c), (&c, &b)] {
            let from = self.operator(">=", Some(a.clone()), low.clone())?;
            let to = self.operator("<=", Some(a.clone()), high.clone())?;
            either.push(Typed::test(Op::And, vec![from, to]));
        }
        Ok(Typed::test(Op::Or, either))
    }

    /// `a[1] := x` of a program: the whole value of `a`, whose name comes first, with that part set.
    pub(super) fn set_part(&mut self, slice: bool, args: &[FunctionArg], at: Location) -> SqlResult<Typed> {
        let args = args.iter().map(|arg| self.subscript_given(arg, at)).collect::<SqlResult<Vec<_>>>()?;
        let mut args = args.into_iter();
        let (Some(Some(Typed { node: Node::Text(name), .. })), Some(Some(old)), Some(Some(value))) =
            (args.next(), args.next(), args.next())
        else {
            return Err(SqlError::internal("an assignment to a part takes a name and values"));
        };
        let bounds: Vec<Option<Typed>> = args.collect();
        let part = match slice {
            true => Part::Slice(bounds.chunks_exact(2).map(|both| [both[0].clone(), both[1].clone()]).collect()),
            false => Part::Element(bounds.into_iter().flatten().collect()),
        };
        self.with_part(&name, old, part, value)
    }

    /// A subscript, unless it is left out.
    pub(super) fn subscript_given(&mut self, arg: &FunctionArg, at: Location) -> SqlResult<Option<Typed>> {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(ident))) if ident.value == phrases::OMITTED => {
                Ok(None)
            }
            arg => self.argument(arg, at).map(Some),
        }
    }

    /// `f(a, VARIADIC array)`: the elements that are written out one by one, or what says the same of a whole array.
    pub(super) fn variadic_call(
        &mut self,
        name: &str,
        before: &[FunctionArg],
        array: &FunctionArgExpr,
        at: Location,
    ) -> SqlResult<Typed> {
        let mut args = self.arguments(before, at)?;
        let array = self.argument(&FunctionArg::Unnamed(array.clone()), at)?;
        if let Node::Array(elements) = &array.node
            && !elements.iter().any(|element| element.ty.is_array())
        {
            args.extend(elements.iter().cloned());
            return self.named_call(name, args, at);
        }
        // A literal becomes an array where the declared type is one, not where it may be any.
        let any =
            ["concat", "concat_ws", "format", "num_nulls", "num_nonnulls"].contains(&name) || name.contains("_build_");
        if array.ty.element().is_none() && (any || !array.is_unknown()) {
            let error = SqlError::new(state::DATATYPE_MISMATCH, "VARIADIC argument must be an array");
            return Err(error_at(self, error, at));
        }
        let path = |this: &mut Self, operator: &str, args: &mut Vec<Typed>, array: Typed| {
            let path = this.coerce(array, Type::TEXT_ARRAY)?;
            this.operator(operator, args.pop(), path)
        };
        // Functions of ours of a whole array.
        let whole =
            |ty: Type, function: &'static str, args: Vec<Typed>| Ok(Typed::apply(ty, Op::Internal(function), args));
        match (name, args.len()) {
            ("concat", 0) => self.named_call("array_to_string", vec![array, Typed::text("")], at),
            ("concat_ws", 1) => {
                args.insert(0, array);
                self.named_call("array_to_string", args, at)
            }
            ("format", 1) => {
                let format = args.remove(0);
                let format = self.coerce(format, Type::TEXT)?;
                whole(Type::TEXT, "q_format_of", vec![format, array])
            }
            ("jsonb_build_array", 0) => whole(Type::JSONB, "q_jsonb_build_array_of", vec![array]),
            ("json_build_array", 0) => whole(Type::JSON, "q_json_build_array_of", vec![array]),
            ("jsonb_build_object", 0) => whole(Type::JSONB, "q_jsonb_build_object_of", vec![array]),
            ("json_build_object", 0) => whole(Type::JSON, "q_json_build_object_of", vec![array]),
            ("num_nulls" | "num_nonnulls", 0) => {
                let which = Typed::constant(Type::INT4, Value::Int((name == "num_nulls").into()));
                whole(Type::INT4, "q_count_nulls", vec![array, which])
            }
            ("json_extract_path" | "jsonb_extract_path", 1) => path(self, "#>", &mut args, array),
            ("json_extract_path_text" | "jsonb_extract_path_text", 1) => path(self, "#>>", &mut args, array),
            _ => Err(error_at(self, SqlError::unsupported(format!("{name} of a VARIADIC array")), at)),
        }
    }

    /// The arguments of a call in their order, where some are named and those that are left out have defaults.
    pub(super) fn named_arguments(&mut self, name: &str, list: &[FunctionArg], at: Location) -> SqlResult<Vec<Typed>> {
        let (mut positional, mut named): (Vec<Typed>, Vec<(String, Typed)>) = (Vec::new(), Vec::new());
        for arg in list {
            let (ident, value) = match arg {
                FunctionArg::Named { name, arg, .. } => (name, arg),
                FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, .. } => (name, arg),
                FunctionArg::ExprNamed { .. } => return Err(error_at(self, SqlError::syntax("syntax error"), at)),
                FunctionArg::Unnamed(_) if !named.is_empty() => {
                    let error = SqlError::syntax("positional argument cannot follow named argument");
                    return Err(error_at(self, error, at));
                }
                FunctionArg::Unnamed(_) => {
                    positional.push(self.argument(arg, at)?);
                    continue;
                }
            };
            let folded = fold(ident);
            if named.iter().any(|(known, _)| *known == folded) {
                let error = SqlError::syntax(format!("argument name \"{folded}\" used more than once"));
                return Err(error_at(self, error, ident.span.start));
            }
            let value = FunctionArg::Unnamed(value.clone());
            named.push((folded, self.argument(&value, at)?));
        }
        let fits = |p: &&builtin::Parameters| {
            let place = |name: &str| p.names.iter().position(|known| known == name);
            let given = |i: usize| i < positional.len() || named.iter().any(|(name, _)| place(name) == Some(i));
            positional.len() <= p.names.len()
                && named.iter().all(|(name, _)| place(name).is_some_and(|i| i >= positional.len()))
                && (0..p.names.len()).all(|i| given(i) || p.default(i).is_some())
        };
        let known = builtin::parameters(name);
        let Some(parameters) = known.iter().find(fits) else {
            let mut given: Vec<String> = positional.iter().map(|a| self.type_name(a.ty)).collect();
            given.extend(named.iter().map(|(name, a)| format!("{name} => {}", self.type_name(a.ty))));
            let text = format!("function {name}({}) does not exist", given.join(", "));
            let hint =
                "No function matches the given name and argument types. You might need to add explicit type casts.";
            return Err(error_at(self, SqlError::new(state::UNDEFINED_FUNCTION, text).hint(hint), at));
        };
        let mut args = positional;
        for (i, parameter) in parameters.names.iter().enumerate().skip(args.len()) {
            let given = named.iter().position(|(name, _)| name == parameter);
            args.push(match (given, parameters.default(i)) {
                (Some(found), _) => named.swap_remove(found).1,
                (None, Some(text)) => self.expr(&parse_expr(text)?)?,
                (None, None) => return Err(SqlError::internal("an argument without a default")),
            });
        }
        Ok(args)
    }

    /// `(a, b) = (SELECT …)`
    pub(super) fn row_with_query(&mut self, left: Vec<Typed>, op: &BinaryOperator, query: &Query) -> SqlResult<Typed> {
        let name = operator_name(op);
        let Some(word) = ["=", "<>", "<", "<=", ">", ">="].into_iter().find(|known| *known == name) else {
            let text = format!("operator does not exist: record {name} record");
            return Err(SqlError::new(state::UNDEFINED_FUNCTION, text));
        };
        let mut tree = self.query_tree(query)?;
        check_width(left.len(), &tree)?;
        let mut args = Vec::with_capacity(left.len() + 1);
        for (i, left) in left.into_iter().enumerate() {
            let output = tree.output_expr(i);
            let (equal, mut sides) = self.equality(left, output)?;
            if !equal.is_native() {
                return Err(SqlError::unsupported(format!("comparison of rows with {}", self.type_name(sides[0].ty))));
            }
            let right = sides.pop().ok_or_else(|| SqlError::internal("an operator without arguments"))?;
            self.coerce_output(&mut tree, i, right.ty, NO_TYPMOD, CastContext::Implicit)?;
            args.append(&mut sides);
        }
        let single = !tree.at_most_one_row();
        let query = SubQuery { single, ..self.embed(tree) };
        args.push(Typed::new(Type::RECORD, Node::Query(Box::new(query))));
        Ok(Typed::test(Op::RowQuery(word), args))
    }

    /// What stands for the rows of a query of several columns in ANY and ALL.
    pub(super) fn row_of_query(&mut self, left: usize, tree: &Tree) -> SqlResult<Typed> {
        check_width(left, tree)?;
        let fields = (0..left).map(|i| {
            let mut value = tree.output_expr(i);
            value.node = Node::Column(Column::plain(format!("c{}", i + 1)));
            value
        });
        let fields: Vec<Typed> = fields.collect();
        Ok(match &fields[..] {
            [_] => Typed { node: Node::Column(Column::plain(FIRST)), ..fields[0].clone() },
            _ => Typed::new(Type::RECORD, Node::Row(fields)),
        })
    }

    /// INTERSECT ALL and EXCEPT ALL: rows that are alike are told apart by counting them.
    pub(super) fn counted_operation(&mut self, operator: SetOperator, left: Body, right: Body) -> SqlResult<Body> {
        let (left, right) = (self.numbered_alike(left)?, self.numbered_alike(right)?);
        let width = left.width() - 1;
        let whole = Tree::of(Body::Set { operator, left: Box::new(left), right: Box::new(right) });
        let range = self.next_id();
        let mut columns = columns_of(&whole, range);
        columns.truncate(width);
        Ok(Tree::around(whole, range, columns).body)
    }

    /// The rows with a column more: the how manieth of its like each is.
    fn numbered_alike(&mut self, body: Body) -> SqlResult<Body> {
        let mut tree = Tree::of(body);
        self.decide_outputs(&mut tree)?;
        let range = self.next_id();
        let mut columns = columns_of(&tree, range);
        let partition = columns.iter().map(|c| c.expr.clone()).collect();
        let over = Over { partition, order: vec![], frame: None };
        let expr = call("row_number", Type::INT8, vec![], None, Some(over));
        columns.push(Named { name: "row_number".into(), expr });
        Ok(Tree::around(tree, range, columns).body)
    }

    /// A limit that SQLite's LIMIT cannot say: rows are numbered, and a condition takes those within it. With
    /// `FETCH FIRST … WITH TIES` it is the rank that must be within it.
    pub(super) fn limited_by_numbers(&mut self, tree: &mut Tree, peers: Peers) -> SqlResult<()> {
        if peers == Peers::Count && tree.order.is_empty() {
            return Err(SqlError::syntax("WITH TIES cannot be specified without ORDER BY clause"));
        }
        if tree.lock.is_some() {
            let what = match peers {
                Peers::Count => "WITH TIES with FOR UPDATE",
                Peers::Differ => "FOR UPDATE with a LIMIT or OFFSET that reads a column of an outer query",
            };
            return Err(SqlError::unsupported(what));
        }
        self.decide_outputs(tree)?;
        let (limit, offset) = (tree.limit.take(), tree.offset.take());
        let (with, recursive, outer) =
            (std::mem::take(&mut tree.with), tree.recursive, std::mem::take(&mut tree.outer));
        let mut inner = std::mem::replace(tree, Tree::of(Body::Values(vec![])));
        let width = inner.body.width();
        let mut keys = Vec::with_capacity(inner.order.len());
        for key in &mut inner.order {
            let (at, sort) = match (key.clone(), &mut inner.body) {
                (OrderKey::Output(at, sort), _) => (at, sort),
                (OrderKey::Expr(sort), Body::Select(select)) => {
                    select.columns.push(Named { name: String::new(), expr: sort.expr.clone() });
                    (select.columns.len() - 1, sort)
                }
                (OrderKey::Expr(_), _) => return Err(SqlError::internal("ORDER BY an expression over no SELECT")),
            };
            *key = OrderKey::Output(at, sort.clone());
            keys.push((at, sort));
        }
        // The order within decides what DISTINCT ON keeps, and nothing else.
        if !matches!(&inner.body, Body::Select(select) if !select.on.is_empty()) {
            inner.order.clear();
        }
        let range = self.next_id();
        let mut columns = columns_of(&inner, range);
        let key = |(at, sort): &(usize, SortKey)| SortKey { expr: columns[*at].expr.clone(), ..sort.clone() };
        let order: Vec<SortKey> = keys.iter().map(key).collect();
        columns.truncate(width);
        let numbers = if peers == Peers::Count { &["rank", "row_number"][..] } else { &["row_number"] };
        for &name in numbers {
            let over = Over { partition: vec![], order: order.clone(), frame: None };
            let expr = call(name, Type::INT8, vec![], None, Some(over));
            columns.push(Named { name: name.into(), expr });
        }
        let ranked = Tree::around(inner, range, columns);
        let range = self.next_id();
        let mut columns = columns_of(&ranked, range);
        let mut numbers = columns.split_off(width).into_iter();
        let (Some(counted), row_number) = (numbers.next(), numbers.next()) else {
            return Err(SqlError::internal("a query without numbers"));
        };
        let row_number = row_number.unwrap_or_else(|| counted.clone());
        let zero = |e: Option<Typed>| match e {
            Some(e) => Typed::apply(Type::INT8, Op::Coalesce, vec![e, number(0)]),
            None => number(0),
        };
        let skipped = zero(offset);
        let mut filter = vec![self.operator(">", Some(row_number.expr.clone()), skipped.clone())?];
        if let Some(limit) = limit {
            let last = self.operator("+", Some(limit.clone()), skipped)?;
            let within = self.operator("<=", Some(counted.expr), last)?;
            let any = self.operator(">", Some(limit.clone()), number(0))?;
            let all = Typed::test(Op::IsNull, vec![limit]);
            filter.push(Typed::test(Op::Or, vec![all, Typed::test(Op::And, vec![within, any])]));
        }
        let mut whole = Tree::around(ranked, range, columns);
        if let Body::Select(select) = &mut whole.body {
            select.filter = Some(Typed::test(Op::And, filter));
        }
        whole.order = vec![OrderKey::Expr(SortKey { expr: row_number.expr, descending: false, nulls_first: false })];
        *tree = Tree { with, recursive, outer, ..whole };
        Ok(())
    }

    /// `rank(x) WITHIN GROUP (ORDER BY y)` and its kin: where a row would stand that is not there.
    pub(super) fn hypothetical(
        &mut self,
        name: &str,
        direct: &[FunctionArg],
        keys: &[OrderByExpr],
        filter: Option<&Typed>,
        at: Location,
    ) -> SqlResult<Typed> {
        let (direct, keys) = self.within(Clause::Aggregate, |this| {
            let direct = direct.iter().map(|a| this.argument(a, at)).collect::<SqlResult<Vec<_>>>()?;
            let keys = keys.iter().map(|k| this.sort_key(k)).collect::<SqlResult<Vec<_>>>()?;
            Ok((direct, keys))
        })?;
        self.level().direct.extend(direct.iter().cloned());
        if direct.len() != keys.len() {
            let text = format!(
                "To use the hypothetical-set aggregate {name}, the number of hypothetical direct arguments (here {}) must \
                 match the number of ordering columns (here {}).",
                direct.len(),
                keys.len()
            );
            let keys = keys.into_iter().map(|key| key.expr);
            let args: Vec<Typed> = direct.into_iter().chain(keys).collect();
            let error = SqlError { fields: Default::default(), ..self.undefined_function(name, &args, at) }.hint(text);
            return Err(error_at(self, error, at));
        }
        // A row stands before the other if it does by a key, and they are alike by those to the left of it.
        let (mut before, mut alike) = (Vec::new(), Vec::new());
        let mut first = None;
        for (value, key) in direct.into_iter().zip(keys) {
            let less = if key.descending { ">" } else { "<" };
            let (equal, sides) = self.equality(key.expr, value)?;
            let (theirs, ours) = (sides[0].clone(), sides[1].clone());
            let null =
                |e: &Typed, null: bool| Typed::test(if null { Op::IsNull } else { Op::IsNotNull }, vec![e.clone()]);
            let by_null = Typed::test(Op::And, vec![null(&theirs, key.nulls_first), null(&ours, !key.nulls_first)]);
            let by_value = self.operator(less, Some(theirs.clone()), ours)?;
            let here =
                Typed::test(Op::Or, vec![by_null, Typed::test(Op::Is(crate::sql::ir::Truth::True), vec![by_value])]);
            before.push(Typed::join(Op::And, alike.iter().cloned().chain([here]).collect()));
            alike.push(Typed::test(Op::Distinct { equal, negated: true }, sides));
            first = first.or(Some(theirs));
        }
        let among = |test: Typed| match filter {
            Some(filter) => Typed::test(Op::And, vec![filter.clone(), test]),
            None => test,
        };
        let count = |filter: Option<Typed>| call("count", Type::INT8, vec![], filter, None);
        let single = alike.len() == 1;
        let is_before = Typed::join(Op::Or, before);
        let all = count(filter.cloned());
        let ahead = count(Some(among(is_before.clone())));
        let real = |this: &mut Self, e: Typed| this.cast(e, Type::FLOAT8, NO_TYPMOD);
        let tree = match name {
            "rank" => self.operator("+", Some(ahead), number(1))?,
            "dense_rank" if single => {
                let Some(theirs) = first else { return Err(SqlError::internal("a rank by nothing")) };
                let values = Node::Call(Box::new(Call {
                    function: lookup_functions("count")[1],
                    args: vec![theirs.clone()],
                    distinct: true,
                    order: vec![],
                    filter: Some(among(is_before.clone())),
                    over: None,
                }));
                let is_null = Typed::test(Op::IsNull, vec![theirs]);
                let nulls = count(Some(among(Typed::test(Op::And, vec![is_before, is_null]))));
                let nulls = self.call_by_name("sign", vec![nulls])?;
                let nulls = self.cast(nulls, Type::INT8, NO_TYPMOD)?;
                let different = self.operator("+", Some(Typed::new(Type::INT8, values)), nulls)?;
                self.operator("+", Some(different), number(1))?
            }
            "percent_rank" => {
                let (ahead, some) = (real(self, ahead)?, self.operator("=", Some(all.clone()), number(0))?);
                let share = real(self, all)?;
                let share = self.operator("/", Some(ahead), share)?;
                let none = Typed::constant(Type::FLOAT8, Value::Real(0.0));
                Typed::apply(Type::FLOAT8, Op::Case, vec![some, none, share])
            }
            "cume_dist" => {
                let same = Typed::join(Op::And, alike);
                let here = count(Some(among(Typed::test(Op::Or, vec![is_before, same]))));
                let (here, all) =
                    (self.operator("+", Some(here), number(1))?, self.operator("+", Some(all), number(1))?);
                let (here, all) = (real(self, here)?, real(self, all)?);
                self.operator("/", Some(here), all)?
            }
            _ => return Err(error_at(self, SqlError::unsupported(format!("{name} WITHIN GROUP")), at)),
        };
        Ok(tree.at(at))
    }
}

fn check_width(left: usize, tree: &Tree) -> SqlResult<()> {
    match tree.outputs().len() {
        width if width > left => Err(SqlError::syntax("subquery has too many columns")),
        width if width < left => Err(SqlError::syntax("subquery has too few columns")),
        _ => Ok(()),
    }
}
