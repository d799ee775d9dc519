//! Expressions.

use super::Sql;
use crate::functions::casts::{Way, way};
use crate::functions::{Arguments, CastContext, Kind, Native, fill};
use crate::sql::catalog::OwnType;
use crate::sql::ir::{Bound, Call, Cast, Frame, Infix, Node, Op, Out, Over, SortKey, SubQuery, Truth, Typed};
use crate::types::record::{self, Field};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;

/// The most operands of AND, OR or `||` side by side: SQLite makes a tree of them as high as they are many.
const SIDE_BY_SIDE: usize = 64;

impl Sql {
    /// Something that stands by itself.
    pub(super) fn expr(&mut self, expr: &Typed) {
        crate::sql::on_stack(|| self.standing(expr));
    }

    fn standing(&mut self, expr: &Typed) {
        let (start, before) = (self.out.len(), self.collates);
        self.bare(expr);
        let built = matches!(expr.node, Node::Apply(..) | Node::Call(_));
        if built && expr.ty != Type::BOOL && self.collates > before {
            // SQLite takes any COLLATE within an expression, be it in the condition of a CASE, for that of its value.
            self.out.insert(start, '(');
            self.collate(expr.ty.collation().unwrap_or("BINARY"));
            self.push(")");
        }
    }

    fn bare(&mut self, expr: &Typed) {
        match &expr.node {
            Node::Text(text) => self.text(text),
            Node::Const(value) => self.literal(value),
            Node::Param(n) => self.put(format_args!("?{n}")),
            Node::RowList => self.row_list(),
            Node::Column(column) => self.column(column),
            Node::Kept { rowid, number, .. } => {
                self.push("q_kept(");
                self.column(rowid);
                self.put(format_args!(", {number})"));
            }
            Node::Apply(op, args) => self.apply(expr, op, args),
            Node::Call(call) => self.call(call),
            Node::Row(fields) => {
                self.push("(");
                self.exprs(fields);
                self.push(")");
            }
            Node::Array(elements) => self.array(expr.ty, elements),
            Node::Query(query) => {
                self.push("(");
                self.subquery(query);
                self.push(")");
            }
        }
    }

    /// The query of an expression, without its parentheses.
    fn subquery(&mut self, sub: &SubQuery) {
        if !sub.single {
            return self.whole_query(&sub.query, &[], true);
        }
        self.push("SELECT ");
        self.list(", ", 1..=sub.query.body.width(), |sql, i| {
            sql.put(format_args!("q_single(\"c{i}\") AS \"c{i}\""));
        });
        self.push(" FROM (");
        self.whole_query(&sub.query, &[], true);
        self.push(")");
    }

    /// An expression where SQLite groups, sorts, or compares by it: its type's collation, or its key in its place.
    pub(super) fn keyed(&mut self, expr: &Typed) {
        if expr.ty.has_key() {
            self.key_of(expr.ty, |sql| sql.expr(expr));
        } else {
            self.collated(expr);
        }
    }

    /// An expression under its type's collation: where its value is needed as well.
    pub(super) fn collated(&mut self, expr: &Typed) {
        self.expr(expr);
        self.collate_by(expr);
    }

    /// See [`super::index_key`].
    pub(super) fn index_key(&mut self, expr: &Typed) {
        let column = matches!(expr.node, Node::Column(_)) && !expr.ty.has_key();
        self.push(match expr.node {
            _ if column => "",
            // There SQLite takes a lone string for the name of a column.
            Node::Text(_) | Node::Const(_) => "(+",
            _ => "(",
        });
        self.keyed(expr);
        self.push(if column { "" } else { ")" });
    }

    /// What values of a type that has a key ([`Type::key`]) compare by.
    pub(super) fn key_of(&mut self, ty: Type, write: impl FnOnce(&mut Sql)) {
        self.push(ty.key().unwrap_or_default());
        self.push("(");
        write(self);
        self.push(")");
    }

    /// An operand of a comparison, whose collation the other may have.
    fn comparand(&mut self, expr: &Typed) {
        if expr.ty.has_key() {
            self.keyed(expr);
        } else if expr.is_trimmed() {
            self.expr(expr);
        } else {
            self.push("rtrim(");
            self.expr(expr);
            self.push(", ' ')");
        }
    }

    /// A query's rows as they are compared with.
    fn comparands(&mut self, query: &Typed) {
        let Node::Query(sub) = &query.node else { return self.expr(query) };
        let outputs = sub.query.outputs();
        if !outputs.iter().any(|out| out.ty.has_key() || out.ty == Type::BPCHAR) {
            return self.expr(query);
        }
        self.push("(SELECT ");
        self.list(", ", (1..).zip(&outputs), |sql, (i, out): (usize, &Out)| match out.ty {
            Type::BPCHAR => sql.put(format_args!("rtrim(\"c{i}\", ' ')")),
            ty => sql.output_key(i, ty),
        });
        self.push(" FROM ");
        self.expr(query);
        self.push(")");
    }

    /// A query's column, where SQLite groups, sorts, or compares by it.
    pub(super) fn output_key(&mut self, number: usize, ty: Type) {
        if ty.has_key() {
            return self.key_of(ty, |sql| sql.output_name(number));
        }
        self.output_name(number);
        if let Some(name) = ty.collation() {
            self.collate(name);
        }
    }

    pub(super) fn collate_by(&mut self, expr: &Typed) {
        if let Some(name) = expr.ty.collation().filter(|_| !expr.collated()) {
            self.collate(name);
        }
    }

    /// A key of GROUP BY or PARTITION BY; a number would be taken for an ordinal.
    pub(super) fn group_key(&mut self, expr: &Typed) {
        if expr.is_constant() { self.push("NULL") } else { self.keyed(expr) }
    }

    /// A key with its direction; a constant orders nothing, and a number would be taken for an ordinal.
    pub(super) fn sort_key(&mut self, key: &SortKey) {
        self.group_key(&key.expr);
        self.direction(key);
    }

    /// SQLite puts NULLs first when ascending, Postgres last: the order of NULLs is written where it differs.
    pub(super) fn direction(&mut self, key: &SortKey) {
        self.push(if key.descending { " DESC" } else { "" });
        self.push(match (key.descending, key.nulls_first) {
            (false, false) => " NULLS LAST",
            (true, true) => " NULLS FIRST",
            _ => "",
        });
    }

    pub(super) fn sort_list(&mut self, keys: &[SortKey]) {
        self.list(", ", keys, Sql::sort_key);
    }

    fn template(&mut self, template: &str, args: &[Typed], typmod: i32) {
        fill(template, &mut Filling { sql: self, args, filled: Filled::Plain }, typmod);
    }

    fn array(&mut self, ty: Type, elements: &[Typed]) {
        let element = ty.element().unwrap_or(Type::TEXT).representation();
        let nested = elements.first().is_some_and(|e| e.ty.is_array() && e.ty == ty);
        self.put(format_args!("{}({}", if nested { "q_array_nest" } else { "q_array" }, element.0));
        for element in elements {
            self.push(", ");
            self.expr(element);
        }
        self.push(")");
    }

    fn infix(&mut self, infix: &Infix, args: &[Typed]) {
        let operator = infix.operator;
        match (args.len(), operator.result) {
            (3.., Type::TEXT) => return self.chain(" || ", args),
            (3.., ty) => return self.sum(ty, args),
            _ => {}
        }
        let ([left, right], true) = (args, infix.is_native()) else {
            return self.template(operator.lower, args, NO_TYPMOD);
        };
        self.native(infix, operator.name, left, right);
    }

    /// SQLite's own comparison, or IS and IS NOT in the place of `=`.
    fn native(&mut self, infix: &Infix, word: &str, left: &Typed, right: &Typed) {
        self.push("(");
        self.comparand(left);
        if let Some(name) = infix.collation {
            self.collate(name);
        }
        self.put(format_args!(" {word} "));
        self.comparand(right);
        if let Native::Collated(name) = infix.operator.native {
            self.collate(name);
        }
        self.push(")");
    }

    /// `(a AND b AND c)`, of many operands as a balanced tree: its value does not depend on how they are put together.
    fn chain(&mut self, word: &str, args: &[Typed]) {
        self.push("(");
        if args.len() <= SIDE_BY_SIDE {
            self.list(word, args, Sql::expr);
        } else {
            let (left, right) = args.split_at(args.len() / 2);
            self.chain(word, left);
            self.push(word);
            self.chain(word, right);
        }
        self.push(")");
    }

    /// A chain of additions; SQLite's functions have at most 127 arguments.
    fn sum(&mut self, ty: Type, args: &[Typed]) {
        const AT_ONCE: usize = 100;
        let (before, last) = match args.len() {
            0..=AT_ONCE => (&[][..], args),
            n => args.split_at(n - (AT_ONCE - 1)),
        };
        let open = match ty {
            Type::INT2 => "q_sum(2, ",
            Type::INT4 => "q_sum(4, ",
            Type::INT8 => "q_sum(8, ",
            _ => "q_num_sum(",
        };
        self.push(open);
        if !before.is_empty() {
            self.sum(ty, before);
            self.push(", ");
        }
        self.exprs(last);
        self.push(")");
    }

    fn function(&mut self, name: &str, args: &[Typed]) {
        self.push(name);
        self.push("(");
        self.exprs(args);
        self.push(")");
    }

    fn apply(&mut self, expr: &Typed, op: &Op, args: &[Typed]) {
        match op {
            Op::Operator(infix) => self.infix(infix, args),
            Op::Function(function) => self.template(function.lower, args, expr.typmod),
            Op::Cast(cast) => self.cast(cast, args),
            Op::Relabel => self.expr(&args[0]),
            Op::Pad => {
                self.put(format_args!("q_text({}, {}, ", Type::BPCHAR.0, args[0].typmod));
                self.expr(&args[0]);
                self.push(")");
            }
            Op::And => self.chain(" AND ", args),
            Op::Or => self.chain(" OR ", args),
            Op::Not => {
                self.push("(NOT ");
                self.expr(&args[0]);
                self.push(")");
            }
            Op::IsNull | Op::IsNotNull => {
                let test = if *op == Op::IsNull { " IS NULL" } else { " IS NOT NULL" };
                self.push("(");
                self.list(" AND ", args, |sql, arg| {
                    sql.expr(arg);
                    sql.push(test);
                });
                self.push(")");
            }
            Op::Is(truth) => {
                self.push("(");
                self.expr(&args[0]);
                self.push(match truth {
                    Truth::True => " IS TRUE)",
                    Truth::NotTrue => " IS NOT TRUE)",
                    Truth::False => " IS FALSE)",
                    Truth::NotFalse => " IS NOT FALSE)",
                    Truth::Unknown => " IS NULL)",
                    Truth::NotUnknown => " IS NOT NULL)",
                });
            }
            Op::Distinct { equal, negated } => self.distinct(equal, *negated, args),
            Op::In { negated } => {
                self.push("(");
                self.keyed(&args[0]);
                self.push(if *negated { " NOT IN (" } else { " IN (" });
                self.list(", ", &args[1..], Sql::comparand);
                self.push("))");
            }
            Op::InQuery { negated } => {
                let (query, lefts) = args.split_last().expect("a query to be in");
                self.push(if lefts.len() == 1 { "(" } else { "((" });
                self.list(", ", lefts, Sql::keyed);
                self.push(if lefts.len() == 1 { "" } else { ")" });
                self.push(if *negated { " NOT IN " } else { " IN " });
                self.comparands(query);
                self.push(")");
            }
            Op::InArray { negated } => {
                self.push("(");
                self.keyed(&args[0]);
                if args[0].collated() && args[0].ty == Type::BPCHAR {
                    self.collate("RTRIM");
                }
                self.push(if *negated { " NOT IN " } else { " IN " });
                self.elements(&args[1]);
                self.push(")");
            }
            Op::Quantified { all } => self.quantified(*all, &args[0], &args[1]),
            Op::Rows(name) => {
                self.push("((");
                self.list(", ", args.iter().step_by(2), Sql::keyed);
                self.put(format_args!(") {name} ("));
                self.list(", ", args.iter().skip(1).step_by(2), Sql::comparand);
                self.push("))");
            }
            Op::RowQuery(name) => {
                let (query, lefts) = args.split_last().expect("a query to compare with");
                self.push("((");
                self.list(", ", lefts, Sql::keyed);
                self.put(format_args!(") {name} "));
                self.comparands(query);
                self.push(")");
            }
            Op::Exists => {
                self.push("(EXISTS ");
                self.expr(&args[0]);
                self.push(")");
            }
            Op::Case => {
                self.push("(CASE");
                let (otherwise, branches) = args.split_last().expect("a value of ELSE");
                for branch in branches.chunks_exact(2) {
                    self.push(" WHEN ");
                    self.expr(&branch[0]);
                    self.push(" THEN ");
                    self.expr(&branch[1]);
                }
                self.push(" ELSE ");
                self.expr(otherwise);
                self.push(" END)");
            }
            Op::Coalesce if args.len() == 1 => self.expr(&args[0]),
            Op::Coalesce | Op::NeverNull => self.function("coalesce", args),
            Op::NullIf(equal) => {
                self.push("(CASE WHEN ");
                self.infix(equal, args);
                self.push(" THEN NULL ELSE ");
                self.expr(&args[0]);
                self.push(" END)");
            }
            Op::Extreme { greatest, by: None } => {
                self.function(if *greatest { "q_greatest" } else { "q_least" }, args);
            }
            Op::Extreme { by: Some(better), .. } => self.best(better, args),
            Op::Subscript => self.function("q_subscript", args),
            Op::NameByte => self.function("q_name_byte", args),
            Op::Slice => self.function("q_slice", args),
            Op::SetElement if expr.ty == Type::JSONB => self.function("q_jsonb_assign", args),
            Op::SetElement | Op::SetSlice => {
                let name = if *op == Op::SetElement { "q_array_assign" } else { "q_array_assign_slice" };
                self.put(format_args!("{name}({}, ", expr.ty.element().unwrap_or(Type::TEXT).0));
                self.exprs(args);
                self.push(")");
            }
            Op::NullViolation => self.function("q_null_violation", args),
            Op::Keep(numbers) => self.keep(numbers, args),
            Op::NumberAndName => {
                self.list(" || ' ' || ", args, Sql::expr);
            }
            Op::Labels(own) => self.labels(own, expr.ty, &args[0]),
            Op::Places(own) => self.places(own, expr.ty, &args[0]),
            Op::Domain(_) => self.expr(&args[0]),
            Op::Internal(name) if args.len() > 100 => {
                self.push(name);
                self.push("(");
                self.packed(args.len(), |sql, i| sql.expr(&args[i]));
                self.push(")");
            }
            Op::Internal(name) => self.function(name, args),
            Op::Record(fields) => self.record(fields, args),
            Op::Field(number) => {
                self.push("q_field(");
                self.expr(&args[0]);
                self.put(format_args!(", {number})"));
            }
        }
    }

    /// The labels of what is stored, as a value or an array of type `ty`.
    fn labels(&mut self, own: &OwnType, ty: Type, arg: &Typed) {
        if let Some(element) = ty.element() {
            self.push("q_labels(");
            self.text(&own.labels_text());
            self.put(format_args!(", {}, ", element.0));
            self.expr(arg);
            return self.push(")");
        }
        if own.labels.is_empty() {
            return self.push("NULL");
        }
        self.push("(CASE ");
        self.expr(arg);
        for label in &own.labels {
            self.put(format_args!(" WHEN {:?} THEN ", label.order));
            self.text(&label.name);
        }
        self.push(" END)");
    }

    /// What is stored for labels.
    fn places(&mut self, own: &OwnType, ty: Type, arg: &Typed) {
        if ty.is_array() {
            self.push("q_of_labels(");
            self.text(&own.labels_text());
            self.push(", ");
            self.text(&own.name);
            self.push(", ");
            self.expr(arg);
            return self.push(")");
        }
        self.push(if own.labels.is_empty() { "(" } else { "(CASE " });
        if !own.labels.is_empty() {
            self.expr(arg);
            for label in &own.labels {
                self.push(" WHEN ");
                self.text(&label.name);
                self.put(format_args!(" THEN {:?}", label.order));
            }
            self.push(" ELSE ");
        }
        self.push("q_no_label(");
        self.text(&own.name);
        self.push(", ");
        self.expr(arg);
        self.push(if own.labels.is_empty() { "))" } else { ") END)" });
    }

    fn record(&mut self, fields: &[Field], args: &[Typed]) {
        const AT_ONCE: usize = 100;
        let (values, condition) = args.split_at(fields.len());
        if let [condition] = condition {
            self.push("(CASE WHEN ");
            self.expr(condition);
            self.push(" THEN ");
        }
        let shape = Value::Blob(record::shape(fields));
        if values.len() > AT_ONCE {
            self.push("q_record_of(");
            self.literal(&shape);
            self.push(", ");
            self.packed(values.len(), |sql, i| sql.expr(&values[i]));
        } else {
            self.push("q_record(");
            self.literal(&shape);
            for value in values {
                self.push(", ");
                self.expr(value);
            }
        }
        self.push(if condition.is_empty() { ")" } else { ") END)" });
    }

    /// An element cast to another element type, or the cast of a whole value.
    fn cast(&mut self, cast: &Cast, args: &[Typed]) {
        let from = args[0].ty;
        match way(from, cast.to, cast.context) {
            Some((_, way)) => self.by(way, cast, args),
            None => {
                let element = |ty: Type| ty.element().unwrap_or(Type::TEXT).representation();
                let (from, to) = (element(from), element(cast.to));
                if crate::functions::arrays::converts(from, to) {
                    self.put(format_args!("q_array_to({}, {}, ", from.0, to.0));
                    self.expr(&args[0]);
                    return self.push(")");
                }
                // An explicit cast cuts what is too long.
                let name = match (cast.context == CastContext::Explicit, is_steady(from) && is_steady(to)) {
                    (true, true) => "q_array_cut_steadily",
                    (true, false) => "q_array_cut",
                    (false, true) => "q_array_cast_steadily",
                    (false, false) => "q_array_cast",
                };
                self.put(format_args!("{name}({}, {}, {}, ", from.0, to.0, cast.typmod));
                self.expr(&args[0]);
                self.push(")");
            }
        }
    }

    fn by(&mut self, way: Way, cast: &Cast, args: &[Typed]) {
        way.write(cast.to, cast.typmod, &mut Filling { sql: self, args, filled: Filled::Plain });
    }

    fn distinct(&mut self, equal: &Infix, negated: bool, args: &[Typed]) {
        let [left, right] = args else { return };
        // SQLite's IS compares as = does, with NULL as a value.
        if equal.is_native() {
            return self.native(equal, if negated { "IS" } else { "IS NOT" }, left, right);
        }
        self.push("(CASE WHEN ");
        self.expr(left);
        self.push(" IS NULL AND ");
        self.expr(right);
        self.push(if negated { " IS NULL THEN 1 WHEN " } else { " IS NULL THEN 0 WHEN " });
        self.expr(left);
        self.push(" IS NULL OR ");
        self.expr(right);
        self.push(if negated { " IS NULL THEN 0 ELSE " } else { " IS NULL THEN 1 ELSE (NOT " });
        self.infix(equal, args);
        self.push(if negated { " END)" } else { ") END)" });
    }

    /// The elements of an array as rows, in the column [`crate::sql::ir::ELEMENT`]. A NULL array compares as NULL: an array
    /// of one NULL does that.
    fn elements(&mut self, array: &Typed) {
        let constant = match &array.node {
            Node::Const(value) => *value != Value::Null,
            node => matches!(node, Node::Array(_)),
        };
        self.push("(SELECT value FROM q_unnest(");
        if constant {
            self.expr(array);
        } else {
            self.push("coalesce(");
            self.expr(array);
            self.put(format_args!(", q_array({}, NULL))", array.ty.element().unwrap_or(Type::TEXT).representation().0));
        }
        self.push("))");
    }

    /// Three-valued ANY and ALL: the maximum or minimum of the comparisons, NULL if one is NULL and none decides.
    fn quantified(&mut self, all: bool, test: &Typed, rows: &Typed) {
        let (decided, otherwise, fold) = if all { ("0", "1", "min") } else { ("1", "0", "max") };
        self.put(format_args!("(SELECT CASE WHEN {fold}("));
        self.expr(test);
        self.put(format_args!(") = {decided} THEN {decided} WHEN count(*) > count("));
        self.expr(test);
        self.put(format_args!(") THEN NULL ELSE {otherwise} END FROM "));
        match &rows.node {
            Node::Query(_) => self.expr(rows),
            _ => self.elements(rows),
        }
        self.push(")");
    }

    /// The best of some values; NULLs are passed over, where SQLite's max(a, b) would be NULL.
    fn best(&mut self, better: &Infix, args: &[Typed]) {
        let (next, before) = args.split_last().expect("values to choose from");
        if before.is_empty() {
            return self.expr(next);
        }
        let (start, collates) = (self.out.len(), self.collates);
        self.best(better, before);
        let best = self.out.split_off(start);
        let inner = self.collates - collates;
        self.push("(CASE WHEN ");
        self.push(&best);
        self.push(" IS NULL THEN ");
        self.expr(next);
        self.push(" WHEN ");
        self.expr(next);
        self.push(" IS NULL OR ");
        if better.is_native() && next.ty.has_key() {
            self.push("(");
            self.key_of(next.ty, |sql| sql.push(&best));
            self.put(format_args!(" {} ", better.operator.name));
            self.keyed(next);
            self.push(")");
        } else if better.is_native() {
            self.push("(");
            self.push(&best);
            if let Some(name) = better.collation {
                self.collate(name);
            }
            self.put(format_args!(" {} ", better.operator.name));
            self.expr(next);
            if let Native::Collated(name) = better.operator.native {
                self.collate(name);
            }
            self.push(")");
        } else {
            let of = next.ty;
            fill(better.operator.lower, &mut Pair { sql: self, first: &best, second: next, of }, NO_TYPMOD);
        }
        self.push(" THEN ");
        self.push(&best);
        self.push(" ELSE ");
        self.expr(next);
        self.push(" END)");
        self.collates += 2 * inner;
    }

    /// SQLite's functions have at most 127 arguments.
    fn keep(&mut self, numbers: &[usize], args: &[Typed]) {
        let ([rowid, value], others) = args.split_at(2) else { return };
        let chunks: Vec<_> = numbers.chunks(60).zip(others.chunks(60)).collect();
        for _ in &chunks {
            self.push("q_keep(");
            self.expr(rowid);
            self.push(", ");
        }
        self.expr(value);
        for (numbers, others) in chunks {
            for (number, other) in numbers.iter().zip(others) {
                self.put(format_args!(", {number}, "));
                self.expr(other);
            }
            self.push(")");
        }
    }

    /// An aggregate's call. Those of ours find different values by themselves, by what they compare by.
    fn call(&mut self, call: &Call) {
        let start = self.out.len();
        // SQLite takes the collation by which DISTINCT, min and max compare from the argument.
        let keyed = if call.distinct && call.function.name == "count" { Filled::Keyed } else { Filled::Collated };
        fill(call.function.lower, &mut Filling { sql: self, args: &call.args, filled: keyed }, NO_TYPMOD);
        // A template is one call: what it has between its parentheses follows the first of them.
        self.out.pop();
        if call.distinct {
            let open = start + self.out[start..].find('(').map_or(0, |at| at);
            let rest = self.out.split_off(open);
            if call.function.is_ours() {
                self.push("_distinct(q_key(");
                self.list(", ", &call.args, |sql, arg| {
                    sql.put(format_args!("{}, ", arg.ty.0));
                    sql.expr(arg);
                });
                self.push("), ");
            } else {
                self.push("(DISTINCT ");
            }
            self.push(&rest[1..]);
        }
        if !call.order.is_empty() {
            self.push(" ORDER BY ");
            self.sort_list(&call.order);
        } else if call.distinct && call.function.is_ours() {
            // As they come out of PostgreSQL's sort that finds the different ones.
            self.push(" ORDER BY ");
            self.list(", ", &call.args, |sql, arg| {
                sql.group_key(arg);
                sql.push(" NULLS LAST");
            });
        }
        self.push(")");
        if let Some(filter) = &call.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter);
            self.push(")");
        }
        if let Some(over) = &call.over {
            self.push(" OVER (");
            self.over(over);
            self.push(")");
        }
    }

    fn over(&mut self, over: &Over) {
        let mut space = "";
        if !over.partition.is_empty() {
            self.push("PARTITION BY ");
            self.list(", ", &over.partition, Sql::group_key);
            space = " ";
        }
        if !over.order.is_empty() {
            self.push(space);
            self.push("ORDER BY ");
            match over.frame.as_ref().and_then(|frame| frame.range) {
                Some(range) => self.list(", ", &over.order, |sql, key| sql.range_key(key, range)),
                None => self.sort_list(&over.order),
            }
            space = " ";
        }
        if let Some(frame) = &over.frame {
            self.push(space);
            self.frame(frame);
        }
    }

    fn frame(&mut self, frame: &Frame) {
        self.push(frame.units);
        match &frame.end {
            None => {
                self.push(" ");
                self.bound(&frame.start);
            }
            Some(end) => {
                self.push(" BETWEEN ");
                self.bound(&frame.start);
                self.push(" AND ");
                self.bound(end);
            }
        }
        if let Some(exclude) = frame.exclude {
            self.put(format_args!(" EXCLUDE {exclude}"));
        }
    }

    /// The key of RANGE with offsets, as a number to which SQLite can add one (`functions::frames`).
    fn range_key(&mut self, key: &SortKey, (ty, decimals): (Type, u32)) {
        match ty {
            Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT4 | Type::FLOAT8 if !key.expr.is_constant() => {
                self.expr(&key.expr);
            }
            _ => {
                self.put(format_args!("q_range_key({}, ", ty.0));
                self.expr(&key.expr);
                self.put(format_args!(", {decimals})"));
            }
        }
        self.direction(key);
    }

    fn bound(&mut self, bound: &Bound) {
        let (offset, word) = match bound {
            Bound::CurrentRow => return self.push("CURRENT ROW"),
            Bound::Preceding(offset) => (offset, " PRECEDING"),
            Bound::Following(offset) => (offset, " FOLLOWING"),
        };
        match offset {
            None => self.push("UNBOUNDED"),
            Some(offset) => self.expr(offset),
        }
        self.push(word);
    }

    /// A call of a function that yields rows, as it stands in FROM.
    pub(super) fn rows_of(&mut self, call: &Typed) {
        if let Node::Apply(Op::Function(function), args) = &call.node
            && function.kind == Kind::Set
        {
            return self.template(function.lower, args, call.typmod);
        }
        self.expr(call);
    }
}

/// How arguments are written.
#[derive(Clone, Copy)]
enum Filled {
    Plain,
    /// Under their types' collations.
    Collated,
    /// As what they compare by: only for a function that does not give them back.
    Keyed,
}

/// Expressions as the arguments of a template.
struct Filling<'a> {
    sql: &'a mut Sql,
    args: &'a [Typed],
    filled: Filled,
}

impl Arguments for Filling<'_> {
    fn count(&self) -> usize {
        self.args.len()
    }

    fn of_type(&self, i: usize) -> (Type, i32) {
        (self.args[i].ty, self.args[i].typmod)
    }

    fn write(&mut self, i: usize) {
        let (sql, arg) = (&mut *self.sql, &self.args[i]);
        match self.filled {
            Filled::Plain => sql.expr(arg),
            Filled::Collated => sql.collated(arg),
            Filled::Keyed => sql.keyed(arg),
        }
    }

    fn out(&mut self) -> &mut String {
        &mut self.sql.out
    }
}

/// A text and an expression as the arguments of a template.
struct Pair<'a> {
    sql: &'a mut Sql,
    first: &'a str,
    second: &'a Typed,
    of: Type,
}

impl Arguments for Pair<'_> {
    fn count(&self) -> usize {
        2
    }

    fn of_type(&self, _: usize) -> (Type, i32) {
        (self.of, NO_TYPMOD)
    }

    fn write(&mut self, i: usize) {
        if i == 0 { self.sql.push(self.first) } else { self.sql.expr(self.second) }
    }

    fn out(&mut self) -> &mut String {
        &mut self.sql.out
    }
}

/// Whether the text of a type's values, and what a text means as one, is the same under all settings.
fn is_steady(ty: Type) -> bool {
    ty.is_integer()
        || matches!(
            ty,
            Type::TEXT
                | Type::VARCHAR
                | Type::BPCHAR
                | Type::NAME
                | Type::CITEXT
                | Type::BOOL
                | Type::NUMERIC
                | Type::UUID
                | Type::BIT
                | Type::VARBIT
        )
}
