//! Expressions: from the syntax tree to typed trees.

use super::names::{Clause, fold, name_start, parts};
use super::record::{plain_field, shape_argument};
use super::{Binder, error_at, spot};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::arrays::quantified as quantified_calls;
use crate::functions::frames::{self, Place};
use crate::functions::{CastContext, Kind, aggregates, lookup_functions};
use crate::sql::catalog::{self, Index};
use crate::sql::ir::{
    Bound, Call, Column, ELEMENT, Explicit, FIRST, Frame, Named, Node, Op, Over, Query as Tree, SortKey, SubQuery,
    Truth, Typed,
};
use crate::sql::parse::ALL_FIELDS;
use crate::sql::phrases;
use crate::types::interval::Interval;
use crate::types::text::parse_text;
use crate::types::zone::Zone;
use crate::types::{NO_TYPMOD, Type, array, bits, interval_typmod, numeric_typmod};
use crate::value::Value;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType, DuplicateTreatment, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Ident, NullTreatment, ObjectName,
    OrderByExpr, OrderBySort, Query, Spanned, Subscript, TrimWhereField, UnaryOperator, Value as Literal, WindowFrame,
    WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};
use sqlparser::tokenizer::Location;

/// Functions without parentheses.
const KEYWORDS: [&str; 12] = [
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "system_user",
    "user",
];

/// Aggregates that order their arguments.
const ORDERED_SETS: [&str; 3] = ["mode", "percentile_cont", "percentile_disc"];
/// Those that ask where a row would stand. Without arguments they are window functions.
const HYPOTHETICAL_SETS: [&str; 4] = ["rank", "dense_rank", "percent_rank", "cume_dist"];

impl Binder<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> SqlResult<Typed> {
        self.scope.allowance.spend(1)?;
        self.deeper(|this| this.expr_inner(expr))
    }

    fn exprs(&mut self, exprs: &[Expr]) -> SqlResult<Vec<Typed>> {
        exprs.iter().map(|e| self.expr(e)).collect()
    }

    fn expr_inner(&mut self, expr: &Expr) -> SqlResult<Typed> {
        match expr {
            Expr::Nested(inner) => self.expr(inner),
            Expr::Identifier(ident) => self.identifiers(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(idents) => self.identifiers(idents),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::Value(value) => self.literal(&value.value, value.span.start),
            Expr::TypedString(typed) => {
                let (ty, typmod) = self.data_type(&typed.data_type)?;
                // Before a literal, `bit` has no length.
                let typmod = if typed.data_type == DataType::Bit(None) { NO_TYPMOD } else { typmod };
                let literal = self.literal(&typed.value.value, typed.value.span.start)?;
                self.cast(literal, ty, typmod)
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type: ty, format: None }
                if self.data_type(ty).is_err() && self.row_type(ty).is_some() =>
            {
                let (expr, fields) = (self.expr(expr)?, self.row_type(ty).unwrap_or_default());
                self.cast_to_row(expr, fields)
            }
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type: ty, format: None } => {
                let (ty, typmod) = self.data_type(ty).map_err(|e| error_at(self, e, expr.span().start))?;
                let expr = match (unnested(expr), ty.element()) {
                    (Expr::Array(array), Some(element)) => self.array_of(&array.elem, ty, element, typmod)?,
                    (expr, _) => self.expr(expr)?,
                };
                self.cast(expr, ty, typmod)
            }
            Expr::IsNull(e) => self.null_test(e, true),
            Expr::IsNotNull(e) => self.null_test(e, false),
            Expr::IsTrue(e) => self.truth_test(e, "TRUE", Truth::True),
            Expr::IsNotTrue(e) => self.truth_test(e, "NOT TRUE", Truth::NotTrue),
            Expr::IsFalse(e) => self.truth_test(e, "FALSE", Truth::False),
            Expr::IsNotFalse(e) => self.truth_test(e, "NOT FALSE", Truth::NotFalse),
            Expr::IsUnknown(e) => self.truth_test(e, "UNKNOWN", Truth::Unknown),
            Expr::IsNotUnknown(e) => self.truth_test(e, "NOT UNKNOWN", Truth::NotUnknown),
            Expr::IsDistinctFrom(a, b) => self.distinct_from(a, b, true),
            Expr::IsNotDistinctFrom(a, b) => self.distinct_from(a, b, false),
            Expr::Between { expr, negated, low, high } => self.between(expr, low, high, *negated),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::InSubquery { expr, subquery, negated } => self.in_subquery(expr, subquery, *negated),
            Expr::AnyOp { left, compare_op, right, .. } => self.quantified(left, compare_op, right, false),
            Expr::AllOp { left, compare_op, right } => self.quantified(left, compare_op, right, true),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(op, expr),
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(if *negated { "!~~" } else { "~~" }, expr, pattern, escape_char.as_deref())
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(if *negated { "!~~*" } else { "~~*" }, expr, pattern, escape_char.as_deref())
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char } => {
                let (expr, pattern) = (self.expr(expr)?, self.expr(pattern)?);
                let escape = escape_char.as_deref().map(|escape| self.expr(escape)).transpose()?;
                let pattern = self.syntax_call("similar_to_escape", [pattern].into_iter().chain(escape).collect())?;
                self.operator(if *negated { "!~" } else { "~" }, Some(expr), pattern)
            }
            Expr::Case { case_token, operand, conditions, else_result, .. } => {
                let at = case_token.0.span.start;
                if let Some(notes) = self.own_notes().filter(|_| operand.is_some()) {
                    notes.cases.insert(spot(at));
                }
                Ok(self.case(operand.as_deref(), conditions, else_result.as_deref())?.at(at))
            }
            Expr::Exists { subquery, negated } => {
                let query = self.subquery(subquery)?;
                let query = Typed::new(Type::BOOL, Node::Query(Box::new(query)));
                let exists = Typed::test(Op::Exists, vec![query]);
                Ok(if *negated { self.not(exists) } else { exists })
            }
            Expr::Subquery(query) => self.scalar_subquery(query),
            // Only in GROUP BY is there a list of nothing.
            Expr::Tuple(fields) if fields.is_empty() => Err(SqlError::syntax("syntax error at or near \")\"")),
            Expr::Tuple(fields) => Ok(Typed::new(Type::RECORD, Node::Row(self.exprs(fields)?))),
            Expr::Array(array) => {
                let elements = self.exprs(&array.elem)?;
                self.array(elements)
            }
            Expr::Function(function) => self.function(function),
            Expr::Extract { field, expr, .. } => {
                let field = Node::Text(field.to_string().to_lowercase().replace('\'', ""));
                let expr = self.expr(expr)?;
                self.syntax_call("extract", vec![Typed::new(Type::UNKNOWN, field), expr])
            }
            Expr::Ceil { expr, field } => self.rounding("ceil", expr, field),
            Expr::Floor { expr, field } => self.rounding("floor", expr, field),
            Expr::Position { expr, r#in } => {
                let (part, whole) = (self.expr(expr)?, self.expr(r#in)?);
                self.syntax_call("position", vec![whole, part])
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let mut args = vec![self.expr(expr)?];
                match (substring_from, substring_for) {
                    (None, Some(_)) => args.push(Typed::constant(Type::INT4, Value::Int(1))),
                    (Some(from), _) => args.push(self.expr(from)?),
                    (None, None) => {}
                }
                if let Some(length) = substring_for {
                    args.push(self.expr(length)?);
                }
                self.syntax_call("substring", args)
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = trim_name(trim_where);
                let mut args = vec![self.expr(expr)?];
                // What the parser wanted to have there, see `parse::query_tokens`.
                let unsaid = |what: &&Expr| matches!(what, Expr::Value(value) if value.value == Literal::EscapedStringLiteral(" ".into()));
                let said = trim_what.iter().map(|w| &**w).chain(trim_characters.iter().flatten());
                for what in said.filter(|what| !unsaid(what)) {
                    args.push(self.expr(what)?);
                }
                self.syntax_call(name, args)
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut args = vec![self.expr(expr)?, self.expr(overlay_what)?, self.expr(overlay_from)?];
                if let Some(length) = overlay_for {
                    args.push(self.expr(length)?);
                }
                self.syntax_call("overlay", args)
            }
            Expr::AtTimeZone { timestamp, time_zone } => {
                let (timestamp, zone) = (self.expr(timestamp)?, self.expr(time_zone)?);
                self.syntax_call("timezone", vec![zone, timestamp])
            }
            Expr::Collate { expr, collation } => {
                let names = parts(collation)?;
                let name = names.last().map_or("", String::as_str);
                // The one collation there is: by bytes of UTF-8, which is by code points.
                let at = name_start(collation);
                let schema = names.len().checked_sub(2).map(|i| names[i].as_str());
                if let Some(schema) = schema.filter(|schema| !self.scope.catalog.schemas.contains_key(*schema)) {
                    let text = format!("schema \"{schema}\" does not exist");
                    return Err(error_at(self, SqlError::new(state::INVALID_SCHEMA_NAME, text), at));
                }
                let known = catalog::collation(name).filter(|_| schema.is_none_or(|schema| schema == "pg_catalog"));
                let Some(collation) = known else {
                    let text = format!("collation \"{name}\" for encoding \"UTF8\" does not exist");
                    return Err(error_at(self, SqlError::new(state::UNDEFINED_OBJECT, text), at));
                };
                let expr = self.expr(expr)?;
                let expr = if matches!(expr.node, Node::Text(_)) { self.decide_text(expr)? } else { expr };
                if !expr.is_unknown() && catalog::default_collation(expr.ty) == 0 {
                    let text = format!("collations are not supported by type {}", self.type_name(expr.ty));
                    return Err(error_at(self, SqlError::new(state::DATATYPE_MISMATCH, text), at));
                }
                Ok(Typed { explicit: Explicit { collation, at }, ..expr })
            }
            Expr::IsNormalized { expr, form, negated } => {
                let at = expr.span().start;
                let text = self.expr(expr)?;
                let form = form.map_or("NFC".to_owned(), |form| form.to_string());
                let is = self.scalar_at("is_normalized", vec![text, Typed::text(&form)], at)?;
                Ok(if *negated { Typed::test(Op::Not, vec![is]) } else { is })
            }
            Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => Err(SqlError::unsupported("GROUPING SETS")),
            Expr::Prefixed { prefix, .. } => Err(SqlError::unsupported(format!("the literal prefix {prefix}"))),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => Err(SqlError::syntax("syntax error at or near \"*\"")),
            other => Err(SqlError::unsupported(format!("the expression {other}"))),
        }
    }

    fn identifiers(&mut self, idents: &[Ident]) -> SqlResult<Typed> {
        // DEFAULT arrives as an identifier where it is not one.
        if let [ident] = idents
            && ident.quote_style.is_none()
            && ident.value.eq_ignore_ascii_case("default")
        {
            let text = "DEFAULT is not allowed in this context";
            return Err(error_at(self, SqlError::syntax(text), ident.span.start));
        }
        if let [table @ .., row] = idents
            && row.value == phrases::ROW
        {
            return self.whole_row(&ObjectName::from(table.to_vec()));
        }
        let (expr, taken) = match (self.column(idents), idents) {
            // Keywords that the parser takes for names.
            (Err(_), [ident]) if ident.quote_style.is_none() && KEYWORDS.contains(&&*fold(ident)) => {
                return self.keyword(&fold(ident), ident.span.start);
            }
            (result, _) => result?,
        };
        match idents.get(taken) {
            None => Ok(expr),
            Some(_) => idents[taken..].iter().try_fold(expr, |record, field| self.field(record, field)),
        }
    }

    /// `a[1]`, `t.a[1][2]`, `a[1:2]`, `(t).a`
    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) -> SqlResult<Typed> {
        let mut idents: Vec<Ident> = match root {
            Expr::Identifier(ident) => vec![ident.clone()],
            Expr::CompoundIdentifier(idents) => idents.clone(),
            _ => vec![],
        };
        let mut rest = chain;
        if let Some(AccessExpr::Subscript(_)) = chain.first()
            && self.views.is_empty()
            && !self.speaks_for_us()
            && !takes_subscripts(root)
        {
            return Err(SqlError::syntax("syntax error at or near \"[\""));
        }
        while let ([AccessExpr::Dot(Expr::Identifier(ident)), tail @ ..], false) = (rest, idents.is_empty()) {
            idents.push(ident.clone());
            rest = tail;
        }
        let mut base = if idents.is_empty() { self.expr(root)? } else { self.identifiers(&idents)? };
        while let [AccessExpr::Dot(Expr::Identifier(field)), tail @ ..] = rest {
            base = self.field(base, field).map_err(|e| match root {
                // As of a table.
                Expr::Nested(inner) if e.code == state::UNDEFINED_COLUMN => match &**inner {
                    Expr::Identifier(table) => {
                        SqlError { message: format!("column {}.{} does not exist", fold(table), fold(field)), ..e }
                    }
                    _ => e,
                },
                _ => e,
            })?;
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(base);
        }
        if base.ty == Type::JSONB {
            return self.jsonb_subscripts(base, rest);
        }
        if let (Type::NAME, [AccessExpr::Subscript(Subscript::Index { index })]) = (base.ty, rest) {
            let at = base.at;
            let index = self.expr(index)?;
            let index = self.subscript(index)?;
            return Ok(Typed::apply(Type::CHAR, Op::NameByte, vec![base, index]).at(at));
        }
        let base = self.decided_array(base)?;
        let Some(element) = base.ty.element() else {
            let text =
                format!("cannot subscript type {} because it does not support subscripting", self.type_name(base.ty));
            return Err(SqlError::new(state::DATATYPE_MISMATCH, text));
        };
        let (ty, at) = (base.ty, base.at);
        array::check_dimensions(rest.len())?;
        if rest.iter().any(|access| matches!(access, AccessExpr::Subscript(Subscript::Slice { .. }))) {
            let mut bounds = Vec::with_capacity(rest.len());
            for access in rest {
                let (lower, upper) = match access {
                    AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride: None }) => {
                        (lower_bound.as_ref(), upper_bound.as_ref())
                    }
                    // Among slices, `n` is `1:n`.
                    AccessExpr::Subscript(Subscript::Index { index }) => {
                        bounds.push([Some(Typed::constant(Type::INT4, Value::Int(1))), Some(self.expr(index)?)]);
                        continue;
                    }
                    _ => return Err(SqlError::unsupported("this kind of subscript")),
                };
                let mut bound = |bound: Option<&Expr>| bound.map(|bound| self.expr(bound)).transpose();
                bounds.push([bound(lower)?, bound(upper)?]);
            }
            let mut args = vec![base];
            args.extend(self.slice_bounds(bounds)?);
            return Ok(Typed::apply(ty, Op::Slice, args).at(at));
        }
        let mut args = vec![base];
        for access in rest {
            match access {
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let index = self.expr(index)?;
                    args.push(self.subscript(index)?);
                }
                AccessExpr::Dot(field) => {
                    return Err(SqlError::unsupported(format!("the field {field} of a composite")));
                }
                _ => return Err(SqlError::unsupported("this kind of subscript")),
            }
        }
        Ok(Typed::apply(element, Op::Subscript, args).at(at))
    }

    /// Bounds of a slice, behind a number that says which of them there are: two bits for each dimension.
    pub(super) fn slice_bounds(&mut self, bounds: Vec<[Option<Typed>; 2]>) -> SqlResult<Vec<Typed>> {
        let given = bounds.iter().flatten().map(Option::is_some);
        let which = (0..).zip(given).map(|(bit, given)| i64::from(given) << bit).sum();
        let mut args = vec![Typed::constant(Type::INT4, Value::Int(which))];
        for bound in bounds.into_iter().flatten() {
            args.push(bound.map_or_else(|| Ok(Typed::null(Type::INT4)), |bound| self.subscript(bound))?);
        }
        Ok(args)
    }

    /// `j['a'][1]`: what stands at the end of the path.
    fn jsonb_subscripts(&mut self, base: Typed, chain: &[AccessExpr]) -> SqlResult<Typed> {
        let at = base.at;
        let mut path = Vec::with_capacity(chain.len());
        for access in chain {
            match access {
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let index = self.expr(index)?;
                    path.push(self.jsonb_subscript(index)?);
                }
                AccessExpr::Subscript(Subscript::Slice { .. }) => {
                    let e = SqlError::new(state::DATATYPE_MISMATCH, "jsonb subscript does not support slices");
                    return Err(error_at(self, e, at));
                }
                AccessExpr::Dot(field) => {
                    return Err(SqlError::unsupported(format!("the field {field} of a composite")));
                }
            }
        }
        let path = Typed::new(Type::TEXT_ARRAY, Node::Array(path));
        self.operator("#>", Some(base), path).map(|e| e.at(at))
    }

    /// A step of a path: the name of a member, or the number of an element as text.
    pub(super) fn jsonb_subscript(&mut self, index: Typed) -> SqlResult<Typed> {
        let (ty, at) = (index.ty, index.at);
        let fits = index.is_unknown() || ty.is_text_like() || ty.is_integer();
        match self.try_coerce(index, Type::TEXT, NO_TYPMOD, CastContext::Explicit)? {
            Some(step) if fits => Ok(step),
            _ => {
                let text = format!("subscript type {} is not supported", self.type_name(ty));
                let e = SqlError::new(state::DATATYPE_MISMATCH, text)
                    .hint("jsonb subscript must be coercible to either integer or text.");
                Err(error_at(self, e, at))
            }
        }
    }

    pub(super) fn subscript(&mut self, index: Typed) -> SqlResult<Typed> {
        let at = index.at;
        match self.try_coerce(index, Type::INT4, NO_TYPMOD, CastContext::Assignment)? {
            Some(index) => Ok(index),
            None => {
                let e = SqlError::new(state::DATATYPE_MISMATCH, "array subscript must have type integer");
                Err(error_at(self, e, at))
            }
        }
    }

    fn literal(&mut self, value: &Literal, at: Location) -> SqlResult<Typed> {
        let typed = match value {
            Literal::Number(digits, _) => number(digits)?,
            Literal::SingleQuotedString(s)
            | Literal::EscapedStringLiteral(s)
            | Literal::UnicodeStringLiteral(s)
            | Literal::NationalStringLiteral(s) => Typed::new(Type::UNKNOWN, Node::Text(s.clone())),
            Literal::DollarQuotedString(s) => Typed::new(Type::UNKNOWN, Node::Text(s.value.clone())),
            Literal::SingleQuotedByteStringLiteral(digits) => {
                let bits = bits::parse_binary(digits).map_err(|e| error_at(self, e, at))?;
                Typed::constant(Type::BIT, Value::Text(bits))
            }
            Literal::HexStringLiteral(digits) => {
                let bits = bits::parse_hex(digits).map_err(|e| error_at(self, e, at))?;
                Typed::constant(Type::BIT, Value::Text(bits))
            }
            Literal::Boolean(b) => Typed::bool(*b),
            Literal::Null => Typed::null(Type::UNKNOWN),
            Literal::Placeholder(name) => self.parameter(name).map_err(|e| error_at(self, e, at))?,
            other => return Err(error_at(self, SqlError::unsupported(format!("the literal {other}")), at)),
        };
        if let Node::Text(text) = &typed.node
            && text.contains('\0')
        {
            let text = "invalid byte sequence for encoding \"UTF8\": 0x00";
            return Err(error_at(self, SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, text), at));
        }
        Ok(typed.at(at))
    }

    pub(super) fn parameter(&mut self, name: &str) -> SqlResult<Typed> {
        if name.starts_with(':') {
            return Err(SqlError::syntax("syntax error at or near \":\""));
        }
        let missing = || SqlError::new(state::UNDEFINED_PARAMETER, format!("there is no parameter {name}"));
        let n: usize = name.strip_prefix('$').and_then(|n| n.parse().ok()).ok_or_else(missing)?;
        if !(1..=65_535).contains(&n) || !self.allow_params {
            return Err(missing());
        }
        if self.params.len() < n {
            self.params.resize(n, None);
        }
        self.reg_of_param(self.param(n, self.params[n - 1].unwrap_or(Type::UNKNOWN)))
    }

    fn interval(&mut self, interval: &sqlparser::ast::Interval) -> SqlResult<Typed> {
        let value = self.expr(&interval.value)?;
        let typmod = match (&interval.leading_field, &interval.last_field) {
            (None, _) => NO_TYPMOD,
            (Some(first), last) => {
                let mut fields = first.to_string().to_lowercase();
                if let Some(last) = last {
                    fields = format!("{fields} to {}", last.to_string().to_lowercase());
                }
                // SECOND(2) has its precision in the place of a leading field's.
                let seconds = interval.leading_precision.filter(|_| fields == "second");
                let precision = interval.fractional_seconds_precision.or(seconds).map(|p| p as i32);
                interval_typmod(&fields, precision)
                    .ok_or_else(|| SqlError::syntax(format!("syntax error at or near \"{fields}\"")))?
            }
        };
        self.cast(value, Type::INTERVAL, typmod)
    }

    fn null_test(&mut self, expr: &Expr, null: bool) -> SqlResult<Typed> {
        let expr = self.expr(expr)?;
        let test = if null { Op::IsNull } else { Op::IsNotNull };
        if let Some(fields) = expr.row_values() {
            // All fields, also for IS NOT NULL: a row of both is neither. A row among them is a value.
            let fields = fields.iter().cloned().map(|f| self.record(f)).collect::<SqlResult<Vec<_>>>()?;
            return Ok(if fields.is_empty() { Typed::bool(true) } else { Typed::test(test, fields) });
        }
        let expr = match self.undecided(&expr) {
            Some(n) => {
                // Nothing here says of what type it is.
                self.loose.insert(n);
                expr
            }
            None => self.decide_text(expr)?,
        };
        if expr.ty == Type::RECORD {
            let (at, null) = (expr.at, Typed::constant(Type::INT8, Value::Int(null.into())));
            return Ok(Typed::apply(Type::BOOL, Op::Internal("q_record_null"), vec![expr, null]).at(at));
        }
        Ok(Typed::test(test, vec![expr]))
    }

    fn truth_test(&mut self, expr: &Expr, test: &str, truth: Truth) -> SqlResult<Typed> {
        let expr = self.expr(expr)?;
        let expr = self.condition(expr, &format!("IS {test}"))?;
        Ok(Typed::test(Op::Is(truth), vec![expr]))
    }

    fn distinct_from(&mut self, a: &Expr, b: &Expr, distinct: bool) -> SqlResult<Typed> {
        let (a, b) = (self.expr(a)?, self.expr(b)?);
        if let (Node::Row(left), Node::Row(right)) = (&a.node, &b.node) {
            let tests = self.pairs(left.clone(), right.clone(), |this, a, b| this.is_distinct(a, b, distinct))?;
            return Ok(Typed::join(if distinct { Op::Or } else { Op::And }, tests));
        }
        self.is_distinct(a, b, distinct)
    }

    fn is_distinct(&mut self, a: Typed, b: Typed, distinct: bool) -> SqlResult<Typed> {
        let (equal, args) = self.equality(a, b)?;
        Ok(Typed::test(Op::Distinct { equal, negated: !distinct }, args))
    }

    fn between(&mut self, expr: &Expr, low: &Expr, high: &Expr, negated: bool) -> SqlResult<Typed> {
        let (expr, low, high) = (self.expr(expr)?, self.expr(low)?, self.expr(high)?);
        let from = self.operator(">=", Some(expr.clone()), low)?;
        // What the first comparison decided about a parameter holds for the second.
        let to = self.operator("<=", Some(expr), high)?;
        let both = Typed::test(Op::And, vec![from, to]);
        Ok(if negated { self.not(both) } else { both })
    }

    pub(super) fn not(&self, expr: Typed) -> Typed {
        Typed::test(Op::Not, vec![expr])
    }

    fn pairs(
        &mut self,
        left: Vec<Typed>,
        right: Vec<Typed>,
        mut f: impl FnMut(&mut Self, Typed, Typed) -> SqlResult<Typed>,
    ) -> SqlResult<Vec<Typed>> {
        if left.len() != right.len() {
            return Err(SqlError::syntax("unequal number of entries in row expressions"));
        }
        left.into_iter().zip(right).map(|(a, b)| f(self, a, b)).collect()
    }

    fn in_list(&mut self, expr: &Expr, list: &[Expr], negated: bool) -> SqlResult<Typed> {
        let left = self.expr(expr)?;
        let items = self.exprs(list)?;
        let items = self.listed_beside(&left, items)?;
        if let Node::Row(_) = left.node {
            let mut tests = Vec::with_capacity(items.len());
            for item in items {
                tests.push(self.compare(left.clone(), "=", item, Location::empty())?);
            }
            let any = Typed::join(Op::Or, tests);
            return Ok(if negated { self.not(any) } else { any });
        }
        let mut all = vec![left.clone()];
        all.extend(items.iter().cloned());
        // Blanks at the end count or not, as the two types have it that are compared.
        let padded = |e: &Typed| e.ty == Type::BPCHAR;
        let mixed = all.iter().any(padded) && all.iter().any(|e| e.ty.is_text_like() && !padded(e));
        // Without a common type each item is compared on its own terms, or is the error that = gives.
        if !mixed && let Ok(ty) = self.common_type(&all.iter().collect::<Vec<_>>(), "IN") {
            let probe = self.equality(Typed::null(ty), Typed::null(ty));
            if probe.is_ok_and(|(equal, _)| equal.is_native()) {
                let (_, args) = self.unify(all, "IN")?;
                return Ok(Typed::test(Op::In { negated }, args));
            }
        }
        let mut tests = Vec::with_capacity(items.len());
        for item in items {
            tests.push(self.operator("=", Some(left.clone()), item)?);
        }
        let any = Typed::join(Op::Or, tests);
        Ok(if negated { self.not(any) } else { any })
    }

    fn in_subquery(&mut self, expr: &Expr, query: &Query, negated: bool) -> SqlResult<Typed> {
        let left = self.expr(expr)?;
        let lefts = match left.node {
            Node::Row(fields) => fields,
            _ => vec![left],
        };
        let mut tree = self.query_tree(query)?;
        let width = tree.outputs().len();
        if width != lefts.len() {
            let text =
                if width > lefts.len() { "subquery has too many columns" } else { "subquery has too few columns" };
            return Err(SqlError::syntax(text));
        }
        let mut args = Vec::with_capacity(width);
        for (i, left) in lefts.into_iter().enumerate() {
            let output = tree.output_expr(i);
            let (equal, mut sides) = self.equality(left, output)?;
            if !equal.is_native() {
                return Err(SqlError::unsupported(format!("IN (SELECT …) for type {}", self.type_name(sides[0].ty))));
            }
            let right = sides.pop().ok_or_else(|| SqlError::internal("an operator without arguments"))?;
            self.coerce_output(&mut tree, i, right.ty, NO_TYPMOD, CastContext::Implicit)?;
            args.append(&mut sides);
        }
        if width > 1 && tree.limit.is_none() && self.begins_descending(&tree) {
            // SQLite 3.54 looks for NULLs from the end of such an index on, and so misses most; a limit keeps it off.
            tree.limit = Some(Typed::constant(Type::INT8, Value::Int(i64::MAX)));
        }
        let query = Typed::new(Type::RECORD, Node::Query(Box::new(self.embed(tree))));
        args.push(query);
        Ok(Typed::test(Op::InQuery { negated }, args))
    }

    /// Whether a query's columns are a table's that has an index whose first key is a descending column.
    fn begins_descending(&self, tree: &Tree) -> bool {
        let first = |index: &Index| index.keys.first().is_some_and(|key| key.descending);
        let table = tree.outputs().first().and_then(|out| self.scope.catalog.by_oid(out.table));
        table.is_some_and(|table| table.indexes.iter().any(first))
    }

    /// `left op ANY (…)`, `left op ALL (…)` over an array or a subquery.
    fn quantified(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, all: bool) -> SqlResult<Typed> {
        let name = operator_name(op);
        let mut inner = right;
        while let Expr::Nested(e) = inner {
            inner = e;
        }
        if let Expr::Subquery(query) = inner {
            match (name.as_str(), all) {
                ("=", false) => return self.in_subquery(left, query, false),
                ("<>", true) => return self.in_subquery(left, query, true),
                _ => {}
            }
            let left = self.expr(left)?;
            let mut tree = self.query_tree(query)?;
            self.decide_outputs(&mut tree)?;
            let width = if let Node::Row(fields) = &left.node { fields.len() } else { 1 };
            let value = self.row_of_query(width, &tree)?;
            let query = Typed::new(Type::RECORD, Node::Query(Box::new(self.embed(tree))));
            return self.fold_comparison(&name, left, value, query, all);
        }
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let right = self.as_array_for(&left, &name, right)?;
        if let Node::Array(items) = &right.node
            && !items.iter().any(|i| i.ty.is_array())
            && matches!((name.as_str(), all), ("=", false) | ("<>", true))
        {
            // The elements one by one, as in IN.
            let mut args = vec![left.clone()];
            args.extend(items.iter().cloned());
            let (equal, sides) = self.equality(left.clone(), items.first().cloned().unwrap_or(Typed::null(left.ty)))?;
            if equal.is_native() && sides[0].ty == sides[1].ty && !items.is_empty() {
                let ty = sides[0].ty;
                let mut coerced = Vec::with_capacity(args.len());
                for arg in args {
                    coerced.push(self.coerce(arg, ty)?);
                }
                return Ok(Typed::test(Op::In { negated: all }, coerced));
            }
        }
        let Some(element) = right.ty.element() else {
            let text = "op ANY/ALL (array) requires array on right side";
            return Err(error_at(self, SqlError::new(state::WRONG_OBJECT_TYPE, text), right.at));
        };
        let value = Typed::new(element, Node::Column(Column::plain(ELEMENT)));
        let compared = self.operator(&name, Some(left.clone()), value.clone())?;
        if let (Clause::Column(_), false) = (self.level().clause, self.faithful) {
            // Where SQLite takes no subquery.
            return self.quantified_by_call(&name, compared, right, all);
        }
        if let Node::Apply(Op::Operator(infix), sides) = &compared.node
            && infix.is_native()
            && matches!((name.as_str(), all), ("=", false) | ("<>", true))
            && sides[1].node == value.node
        {
            return Ok(Typed::test(Op::InArray { negated: all }, vec![sides[0].clone(), right]));
        }
        self.fold_comparison(&name, left, value, right, all)
    }

    /// ANY and ALL of a comparison with the elements of an array, as a call.
    fn quantified_by_call(&mut self, name: &str, compared: Typed, array: Typed, all: bool) -> SqlResult<Typed> {
        let unsupported =
            || SqlError::unsupported(format!("{name} ANY of an array in an expression that a table keeps"));
        let (any, every) = quantified_calls(name).ok_or_else(unsupported)?;
        let Node::Apply(Op::Operator(_), mut sides) = compared.node else { return Err(unsupported()) };
        let element = sides.pop().map_or(Type::TEXT, |side| side.ty);
        let value = sides.pop().ok_or_else(unsupported)?;
        let array = match element.array().filter(|ty| *ty != array.ty) {
            Some(ty) => self.cast(array, ty, NO_TYPMOD)?,
            None => array,
        };
        Ok(Typed::test(Op::Internal(if all { every } else { any }), vec![value, array]))
    }

    /// ANY and ALL of a comparison over rows, in which `value` stands for each.
    fn fold_comparison(&mut self, name: &str, left: Typed, value: Typed, rows: Typed, all: bool) -> SqlResult<Typed> {
        let test = self.compare(left, name, value, Location::empty())?;
        if test.ty != Type::BOOL {
            let text = "op ANY/ALL (array) requires operator to yield boolean";
            return Err(error_at(self, SqlError::new(state::WRONG_OBJECT_TYPE, text), test.at));
        }
        Ok(Typed::test(Op::Quantified { all }, vec![test, rows]))
    }

    /// The right side of ANY/ALL: an undecided one is an array of what the operator takes behind the left.
    fn as_array_for(&mut self, left: &Typed, operator: &str, right: Typed) -> SqlResult<Typed> {
        if !right.is_unknown() {
            return Ok(right);
        }
        if let Node::Array(items) = &right.node
            && items.iter().any(|item| matches!(item.node, Node::Text(_)))
        {
            // Written out, it is decided by itself.
            return self.decide_text(right);
        }
        let undecided = Typed::null(Type::UNKNOWN);
        let taken = match self.operator(operator, Some(left.clone()), undecided) {
            Ok(Typed { node: Node::Apply(Op::Operator(infix), _), .. }) => infix.operator.right,
            _ => left.ty,
        };
        let element = match taken {
            Type::UNKNOWN | Type::VARCHAR => Type::TEXT,
            // An operator of all types.
            ty if ty.is_polymorphic() => left.ty,
            ty => ty,
        };
        let array = element.array().ok_or_else(|| {
            let text = format!("could not find array type for data type {}", self.type_name(element));
            SqlError::new(state::UNDEFINED_OBJECT, text)
        })?;
        self.coerce(right, array)
    }

    /// A chain of operators leans to the left in syntax: it is bound from its beginning on, without a step of the stack for
    /// each.
    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> SqlResult<Typed> {
        let mut links = vec![(op, right)];
        let mut first = left;
        while let Expr::BinaryOp { left, op, right } = first {
            links.push((op, right));
            first = left;
        }
        let mut chain = self.expr(first)?;
        while let Some((op, right)) = links.pop() {
            chain = self.link(chain, op, right)?;
        }
        Ok(chain)
    }

    fn link(&mut self, left: Typed, op: &BinaryOperator, right: &Expr) -> SqlResult<Typed> {
        match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let (name, op) = match op {
                    BinaryOperator::And => ("AND", Op::And),
                    _ => ("OR", Op::Or),
                };
                let left = self.condition(left, name)?;
                let right = self.expr(right)?;
                let right = self.condition(right, name)?;
                Ok(match left.node {
                    Node::Apply(same, mut operands) if same == op => {
                        operands.push(right);
                        Typed { node: Node::Apply(same, operands), ..left }
                    }
                    node => Typed::test(op, vec![Typed { node, ..left }, right]),
                })
            }
            BinaryOperator::Overlaps => {
                let right = self.expr(right)?;
                match (left.node, right.node) {
                    (Node::Row(mut a), Node::Row(b)) => {
                        a.extend(b);
                        self.call_by_name("overlaps", a)
                    }
                    _ => Err(SqlError::syntax("OVERLAPS needs two pairs")),
                }
            }
            op => {
                if let (Node::Row(_), Expr::Subquery(query)) = (&left.node, unnested(right)) {
                    let Node::Row(fields) = left.node else { return Err(SqlError::internal("a row")) };
                    return self.row_with_query(fields, op, query);
                }
                let right = self.expr(right)?;
                self.compare(left, &operator_name(op), right, Location::empty()).map(chained)
            }
        }
    }

    /// An operator, also between rows.
    fn compare(&mut self, left: Typed, name: &str, right: Typed, at: Location) -> SqlResult<Typed> {
        let (Node::Row(a), Node::Row(b)) = (&left.node, &right.node) else {
            return self.operator_at(name, Some(left), right, at);
        };
        let (a, b) = (a.clone(), b.clone());
        let ordered = matches!(name, "<" | "<=" | ">" | ">=");
        if !ordered && !matches!(name, "=" | "<>") {
            let text = format!("operator does not exist: record {name} record");
            return Err(SqlError::new(state::UNDEFINED_FUNCTION, text));
        }
        if a.is_empty() && b.is_empty() {
            let text = "cannot compare rows of zero length";
            return Err(error_at(self, SqlError::new(state::FEATURE_NOT_SUPPORTED, text), at));
        }
        let element = if ordered { "=" } else { name };
        let tests = self.pairs(a, b, |this, a, b| this.operator(element, Some(a), b))?;
        if !ordered {
            return Ok(Typed::join(if name == "=" { Op::And } else { Op::Or }, tests));
        }
        // Row values compare in SQLite as in Postgres, element by element.
        let mut args = Vec::new();
        for test in tests {
            let Node::Apply(Op::Operator(equal), sides) = test.node else { continue };
            if !equal.is_native() {
                return Err(SqlError::unsupported(format!("comparison of rows with {}", self.type_name(sides[0].ty))));
            }
            args.extend(sides);
        }
        let name = ["<", "<=", ">", ">="].into_iter().find(|n| *n == name).unwrap_or("<");
        Ok(Typed::test(Op::Rows(name), args))
    }

    fn unary(&mut self, op: &UnaryOperator, expr: &Expr) -> SqlResult<Typed> {
        match op {
            UnaryOperator::Not => {
                let expr = self.expr(expr)?;
                let expr = self.condition(expr, "NOT")?;
                Ok(self.not(expr))
            }
            UnaryOperator::Minus => {
                // −2147483648 is an integer though 2147483648 is a bigint.
                if let Some((digits, negative, at)) = signed_number(expr) {
                    let sign = if negative { "" } else { "-" };
                    return number(&format!("{sign}{digits}")).map(|n| n.at(at));
                }
                let expr = self.expr(expr)?;
                self.operator("-", None, expr)
            }
            op => {
                let name = match op {
                    UnaryOperator::PGAbs => "@".to_owned(),
                    UnaryOperator::PGSquareRoot => "|/".to_owned(),
                    UnaryOperator::PGCubeRoot => "||/".to_owned(),
                    other => other.to_string(),
                };
                let expr = self.expr(expr)?;
                self.operator(&name, None, expr)
            }
        }
    }

    fn like(&mut self, name: &str, expr: &Expr, pattern: &Expr, escape: Option<&Expr>) -> SqlResult<Typed> {
        let expr = self.expr(expr)?;
        let mut pattern = self.expr(pattern)?;
        if let Some(escape) = escape {
            let escape = self.expr(escape)?;
            pattern = self.call_by_name("like_escape", vec![pattern, escape])?;
        }
        self.operator(name, Some(expr), pattern)
    }

    fn case(&mut self, operand: Option<&Expr>, conditions: &[CaseWhen], otherwise: Option<&Expr>) -> SqlResult<Typed> {
        let before = self.level().no_sets.replace("CASE");
        let result = self.case_inner(operand, conditions, otherwise);
        self.level().no_sets = before;
        result
    }

    fn case_inner(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> SqlResult<Typed> {
        let operand = operand.map(|o| self.expr(o)).transpose()?;
        let operand = match operand {
            Some(o) if o.is_unknown() => Some(self.decide_text(o)?),
            o => o,
        };
        let (mut tests, mut results) = (Vec::new(), Vec::new());
        for when in conditions {
            let test = self.expr(&when.condition)?;
            tests.push(match &operand {
                Some(operand) => self.operator("=", Some(operand.clone()), test)?,
                None => self.condition(test, "CASE/WHEN")?,
            });
            results.push(self.expr(&when.result)?);
        }
        // ELSE comes first when the common type is chosen, as in Postgres.
        let last = match otherwise {
            Some(e) => self.expr(e)?,
            None => Typed::null(Type::UNKNOWN),
        };
        results.insert(0, last);
        let (ty, mut results) = self.unify(results, "CASE")?;
        let typmod = results.iter().find(|r| !r.is_null()).map_or(NO_TYPMOD, |r| r.typmod);
        let otherwise = results.remove(0);
        let mut args: Vec<Typed> = tests.into_iter().zip(results).flat_map(|(t, r)| [t, r]).collect();
        args.push(otherwise);
        Ok(Typed::apply(ty, Op::Case, args).typmod(typmod))
    }

    fn rounding(&mut self, name: &str, expr: &Expr, field: &CeilFloorKind) -> SqlResult<Typed> {
        if !matches!(field, CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime)) {
            return Err(SqlError::syntax(format!("{name} takes one argument")));
        }
        let expr = self.expr(expr)?;
        self.call_by_name(name, vec![expr])
    }

    /// `ARRAY[…]`: its element type is the common type; without one it stays open.
    fn array(&mut self, elements: Vec<Typed>) -> SqlResult<Typed> {
        if elements.iter().all(Typed::is_unknown) {
            return Ok(Typed::new(Type::UNKNOWN, Node::Array(elements)));
        }
        let (element, elements) = self.unify(elements, "ARRAY")?;
        let array = if element.is_array() { Some(element) } else { element.array() };
        let ty = array.ok_or_else(|| {
            let text = format!("could not find array type for data type {}", self.type_name(element));
            SqlError::new(state::UNDEFINED_OBJECT, text)
        })?;
        Ok(Typed::new(ty, Node::Array(elements)))
    }

    /// `ARRAY[…]::ty`: the cast is of each element, as PostgreSQL does it, so they need no common type.
    fn array_of(&mut self, list: &[Expr], ty: Type, element: Type, typmod: i32) -> SqlResult<Typed> {
        let mut elements = Vec::with_capacity(list.len());
        for expr in list {
            elements.push(match unnested(expr) {
                Expr::Array(inner) => self.array_of(&inner.elem, ty, element, typmod)?,
                expr => self.expr(expr)?,
            });
        }
        let nested = elements.iter().any(|e| e.ty.is_array());
        let to = if nested { ty } else { element };
        let elements = elements.into_iter().map(|e| self.cast(e, to, typmod)).collect::<SqlResult<Vec<_>>>()?;
        self.array(elements)
    }

    /// A subquery whose columns' values do not matter, or are taken as they are.
    fn subquery(&mut self, query: &Query) -> SqlResult<SubQuery> {
        let mut tree = self.query_tree(query)?;
        self.decide_outputs(&mut tree)?;
        Ok(self.embed(tree))
    }

    fn scalar_subquery(&mut self, query: &Query) -> SqlResult<Typed> {
        let mut tree = self.query_tree(query)?;
        if tree.outputs().len() != 1 {
            return Err(SqlError::syntax("subquery must return only one column"));
        }
        self.decide_outputs(&mut tree)?;
        let output = tree.outputs().remove(0);
        let single = tree.at_most_one_row();
        let query = SubQuery { single: !single, ..self.embed(tree) };
        Ok(Typed::new(output.ty, Node::Query(Box::new(query))).typmod(output.typmod))
    }

    fn array_subquery(&mut self, query: &Query) -> SqlResult<Typed> {
        let mut tree = self.query_tree(query)?;
        if tree.outputs().len() != 1 {
            return Err(SqlError::syntax("subquery must return only one column"));
        }
        self.decide_outputs(&mut tree)?;
        let output = tree.outputs().remove(0);
        let id = self.next_id();
        let value = Typed::new(output.ty, Node::Column(Column::of(id, format!("t{id}"), FIRST)));
        let Ok((function, args, ty)) = self.resolve_function("array_agg", vec![value], Location::empty())? else {
            return Err(SqlError::unsupported("ARRAY(SELECT …)"));
        };
        let call = Typed::new(
            ty,
            Node::Call(Box::new(Call { function, args, distinct: false, order: vec![], filter: None, over: None })),
        );
        let empty = Typed::new(ty, Node::Array(vec![]));
        let inner = self.embed(tree);
        let expr = Typed::apply(ty, Op::Coalesce, vec![call, empty]);
        let query = Tree::around(inner.query, id, vec![Named { name: "array".into(), expr }]);
        Ok(Typed::new(ty, Node::Query(Box::new(SubQuery { query, outer: inner.outer, single: false }))))
    }

    fn function(&mut self, function: &Function) -> SqlResult<Typed> {
        let names = parts(&function.name)?;
        let at = name_start(&function.name);
        let (name, schema) = names.split_last().ok_or_else(|| SqlError::syntax("a function without a name"))?;
        if schema.last().is_some_and(|s| !matches!(s.as_str(), "pg_catalog" | "information_schema" | "public")) {
            let text = format!("schema \"{}\" does not exist", schema.join("."));
            return Err(error_at(self, SqlError::new(state::INVALID_SCHEMA_NAME, text), at));
        }
        if !matches!(function.parameters, FunctionArguments::None) {
            return Err(error_at(self, SqlError::unsupported("parameters of a function"), at));
        }
        let list = match &function.args {
            FunctionArguments::None => return self.keyword(name, at),
            FunctionArguments::Subquery(query) if name == "array" => return self.array_subquery(query),
            FunctionArguments::Subquery(query) => {
                let arg = self.scalar_subquery(query)?;
                return self.scalar_at(name, vec![arg], at);
            }
            FunctionArguments::List(list) => list,
        };
        if name == phrases::SYMMETRIC {
            return self.between_symmetric(&list.args, at);
        }
        if name == phrases::ELEMENT || name == phrases::SLICE {
            return self.set_part(name == phrases::SLICE, &list.args, at);
        }
        if name == "grouping" {
            let clause = self.level().clause;
            if !matches!(clause, Clause::Select | Clause::Having | Clause::OrderBy | Clause::Window) {
                let text = format!("grouping operations are not allowed in {}", clause.name());
                return Err(error_at(self, SqlError::new(state::GROUPING_ERROR, text), at));
            }
            let mut args = Vec::with_capacity(list.args.len());
            for arg in &list.args {
                match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                        let arg = self.expr(expr)?;
                        args.push(self.decide_text(arg)?);
                    }
                    _ => return Err(error_at(self, super::grouping::not_grouped(), at)),
                }
            }
            return Ok(Typed::apply(Type::INT4, super::grouping::GROUPING, args).at(at));
        }
        let kind = lookup_functions(name).first().map(|f| f.kind);
        let windowed = function.over.is_some();
        let aggregate = matches!(kind, Some(Kind::Aggregate | Kind::Window));
        let mut order = &[][..];
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(keys) => order = keys,
                FunctionArgumentClause::IgnoreOrRespectNulls(NullTreatment::RespectNulls) => {}
                other => return Err(error_at(self, SqlError::unsupported(format!("{other} in a call")), at)),
            }
        }
        if function.null_treatment == Some(NullTreatment::IgnoreNulls) {
            return Err(error_at(self, SqlError::unsupported("IGNORE NULLS"), at));
        }
        if !function.within_group.is_empty() {
            if !order.is_empty() {
                let error = SqlError::syntax("cannot use multiple ORDER BY clauses with WITHIN GROUP");
                return Err(error_at(self, error, at));
            }
            return self.within_group(name, function, list, at);
        }
        if aggregate {
            return self.aggregate(name, function, list, order, at);
        }
        for (given, what) in [
            (windowed, "OVER specified"),
            (function.filter.is_some(), "FILTER specified"),
            (!order.is_empty(), "ORDER BY specified"),
            (list.duplicate_treatment == Some(DuplicateTreatment::Distinct), "DISTINCT specified"),
        ] {
            if given && kind.is_some() {
                let what = if windowed { "OVER specified" } else { what };
                let kind =
                    if windowed { "a window function nor an aggregate function" } else { "an aggregate function" };
                let text = format!("{what}, but {name} is not {kind}");
                return Err(error_at(self, SqlError::new(state::WRONG_OBJECT_TYPE, text), at));
            }
        }
        if is_star(&list.args) && kind.is_some() {
            return Err(self.star_call(name, at));
        }
        if let Some((before, array)) = variadic(&list.args) {
            return self.variadic_call(name, before, array, at);
        }
        let named = list.args.iter().any(|arg| !matches!(arg, FunctionArg::Unnamed(_)));
        let before = self.level().no_sets;
        if name == "coalesce" {
            self.level().no_sets = Some("COALESCE");
        }
        let args = match (named, name.as_str()) {
            (true, _) => self.named_arguments(name, &list.args, at)?,
            (false, "row") => self.row_arguments(&list.args, at)?,
            (false, "normalize") => self.form_arguments(&list.args, at)?,
            (false, _) => self.arguments(&list.args, at)?,
        };
        self.level().no_sets = before;
        if kind == Some(Kind::Set) {
            return self.set_in_expression(name, args, at);
        }
        self.named_call(name, args, at)
    }

    /// `f(*)` where `f` is no aggregate.
    fn star_call(&self, name: &str, at: Location) -> SqlError {
        if !lookup_functions(name).iter().any(|f| f.args.is_empty()) {
            return self.undefined_function(name, &[], at);
        }
        let text = format!("{name}(*) specified, but {name} is not an aggregate function");
        error_at(self, SqlError::new(state::WRONG_OBJECT_TYPE, text), at)
    }

    /// Arguments of `normalize`, whose form is a word.
    fn form_arguments(&mut self, args: &[FunctionArg], at: Location) -> SqlResult<Vec<Typed>> {
        let [text, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(form)))] = args else {
            return args.iter().map(|arg| self.argument(arg, at)).collect();
        };
        match form.quote_style {
            None if ["NFC", "NFD", "NFKC", "NFKD"].iter().any(|known| form.value.eq_ignore_ascii_case(known)) => {
                Ok(vec![self.argument(text, at)?, Typed::text(&form.value.to_ascii_uppercase())])
            }
            _ => Err(error_at(self, SqlError::syntax(format!("syntax error at or near \"{}\"", form.value)), at)),
        }
    }

    /// The fields of `ROW(t.*, 1)`.
    fn row_arguments(&mut self, list: &[FunctionArg], at: Location) -> SqlResult<Vec<Typed>> {
        let mut args = Vec::with_capacity(list.len());
        for arg in list {
            let value = self.argument(arg, at)?;
            let all = match arg {
                FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)) => true,
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => fields_of(expr).is_some(),
                _ => false,
            };
            match all {
                true => args.extend(self.fields(value)?.into_iter().map(|field| field.expr)),
                false => args.push(value),
            }
        }
        Ok(args)
    }

    /// The arguments of a call. A parameter of the type `void` is none: with such a one drivers hold the place of a result
    /// (`{? = call f(?)}`).
    pub(super) fn arguments(&mut self, args: &[FunctionArg], at: Location) -> SqlResult<Vec<Typed>> {
        let mut args = args.iter().map(|arg| self.argument(arg, at)).collect::<SqlResult<Vec<_>>>()?;
        args.retain(|arg| arg.ty != Type::VOID || !matches!(arg.node, Node::Param(_)));
        Ok(args)
    }

    pub(super) fn argument(&mut self, arg: &FunctionArg, at: Location) -> SqlResult<Typed> {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => self.expr(fields_of(e).unwrap_or(e)),
            FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) => self.whole_row(name),
            FunctionArg::Unnamed(_) => Err(error_at(self, SqlError::syntax("syntax error at or near \"*\""), at)),
            _ => Err(error_at(self, SqlError::unsupported("a named argument"), at)),
        }
    }

    /// Functions that are syntax, then those of the tables, then casts in the shape of a call.
    pub(super) fn named_call(&mut self, name: &str, mut args: Vec<Typed>, at: Location) -> SqlResult<Typed> {
        match (name, args.len()) {
            ("coalesce", 1..) => {
                let (ty, args) = self.unify(args, "COALESCE")?;
                let typmod = super::coerce::common_typmod(args.iter());
                return Ok(Typed::apply(ty, Op::Coalesce, args).typmod(typmod));
            }
            ("greatest" | "least", 1..) => return self.extreme(name, args),
            ("nullif", 2) => {
                let second = args.remove(1);
                let (equal, sides) = self.equality(args.remove(0), second)?;
                let (ty, typmod) = (sides[0].ty, sides[0].typmod);
                return Ok(Typed::apply(ty, Op::NullIf(equal), sides).typmod(typmod));
            }
            ("row", _) => return Ok(Typed::new(Type::RECORD, Node::Row(args))),
            ("current_database" | "current_schema", 0) => return self.keyword(name, at),
            ("current_schemas", 1) => {
                self.note_folded();
                let schemas = self.schemas_of_path(&args[0]);
                let names = schemas.into_iter().map(|s| Typed::constant(Type::NAME, Value::Text(s))).collect();
                return Ok(Typed::new(Type::NAME_ARRAY, Node::Array(names)));
            }
            // In PostgreSQL their argument is cast to text, and a boolean's text is longer than what it is shown as.
            ("quote_literal" | "quote_nullable", 1) if args[0].ty == Type::BOOL => {
                let arg = args.remove(0);
                args.push(self.cast(arg, Type::TEXT, NO_TYPMOD)?);
            }
            ("pg_typeof", 1) => {
                self.note_folded();
                let arg = args.remove(0);
                let ty = self.given_type(&arg);
                return Ok(said_of(arg, Typed::constant(Type::REGTYPE, Value::Int(ty.0.into()))));
            }
            _ => {}
        }
        let mut args = args.into_iter().map(|a| self.record(a)).collect::<SqlResult<Vec<_>>>()?;
        if let ("pg_get_viewdef", Some(view)) = (name, args.first_mut())
            && (view.is_unknown() || view.ty == Type::TEXT)
        {
            // By name: as of PostgreSQL's functions of this name the one of a text is taken.
            let text = std::mem::replace(view, Typed::null(Type::UNKNOWN));
            *view = self.cast(text, Type::REGCLASS, NO_TYPMOD)?;
        }
        if lookup_functions(name).first().is_some_and(|f| f.is_of_rows()) {
            return self.call_of_rows(name, args, None, at);
        }
        if let [Typed { node: Node::Text(_), ty: Type::UNKNOWN, .. }] = args[..]
            && let Some(ty) = Type::by_typname(name)
        {
            // Before whatever function is called so.
            return self.cast(args.remove(0), ty, NO_TYPMOD);
        }
        match self.resolve_function(name, args, at)? {
            Ok((function, mut args, ty)) => {
                if function.has_fields() {
                    let fields = function.columns.iter().map(|(name, ty)| plain_field(name, *ty));
                    args.push(shape_argument(&fields.collect::<Vec<_>>()));
                }
                Ok(Typed::apply(ty, Op::Function(function), args).at(at))
            }
            Err(mut args) => {
                let own = || self.scope.catalog.resolve_type(self.scope.search_path, None, name);
                // Any value has a text.
                let cast = Type::by_typname(name)
                    .or_else(own)
                    .filter(|ty| args.len() == 1 && (*ty == Type::TEXT || lookup_functions(name).is_empty()));
                match cast {
                    Some(ty) => self.cast(args.remove(0), ty, NO_TYPMOD),
                    None => match self.operator_function(name, args, at)? {
                        Ok(applied) => Ok(applied),
                        Err(args) => self.catalog_function(name, args, at),
                    },
                }
            }
        }
    }

    fn given_type(&self, arg: &Typed) -> Type {
        match (&arg.node, arg.ty) {
            (Node::Param(n), Type::UNKNOWN) => self.params[n - 1].unwrap_or(Type::UNKNOWN),
            (_, ty) => arg.domain().unwrap_or(ty),
        }
    }

    /// NULLs are passed over; SQLite's max(a, b) would be NULL.
    fn extreme(&mut self, name: &str, args: Vec<Typed>) -> SqlResult<Typed> {
        let what = if name == "greatest" { "GREATEST" } else { "LEAST" };
        let (ty, args) = self.unify(args, what)?;
        let greatest = name == "greatest";
        if ty.collation().is_none() && !ty.has_key() {
            return Ok(Typed::apply(ty, Op::Extreme { greatest, by: None }, args));
        }
        // Written out, each argument appears three times in the next: no long lists of these types.
        if args.len() > 6 {
            return Err(SqlError::unsupported(format!(
                "{what} of more than six values of type {}",
                self.type_name(ty)
            )));
        }
        let op = if greatest { ">=" } else { "<=" };
        let by = match self.operator(op, Some(Typed::null(ty)), Typed::null(ty))?.node {
            Node::Apply(Op::Operator(infix), _) => Some(infix),
            _ => None,
        };
        Ok(Typed::apply(ty, Op::Extreme { greatest, by }, args))
    }

    /// `CURRENT_DATE` and the like: calls without parentheses.
    fn keyword(&mut self, name: &str, at: Location) -> SqlResult<Typed> {
        let named = |text: &str| Ok(Typed::constant(Type::NAME, Value::Text(text.to_owned())));
        if self.faithful && name != "current_database" {
            let ty = match name {
                "current_timestamp" => Type::TIMESTAMPTZ,
                "current_date" => Type::DATE,
                "current_time" => Type::TIMETZ,
                "localtime" => Type::TIME,
                "localtimestamp" => Type::TIMESTAMP,
                _ => Type::NAME,
            };
            return Ok(Typed::new(ty, Node::Column(Column::plain(name.to_uppercase()))));
        }
        match name {
            "session_user" => named(self.scope.session_user),
            "current_user" | "user" | "current_role" => named(self.scope.user),
            "current_catalog" | "current_database" => {
                self.note_folded();
                named(self.scope.database)
            }
            "current_schema" => {
                let path = self.scope.search_path.iter().skip(usize::from(self.scope.temporary.leads));
                let first = path.into_iter().find(|s| self.scope.catalog.schemas.contains_key(*s));
                match first {
                    Some(schema) => named(schema),
                    None => Ok(Typed::null(Type::NAME)),
                }
            }
            "current_timestamp" => self.call_by_name("now", vec![]),
            "current_date" | "current_time" | "localtime" | "localtimestamp" => {
                let now = self.call_by_name("now", vec![])?;
                let ty = match name {
                    "current_date" => Type::DATE,
                    "current_time" => Type::TIMETZ,
                    "localtime" => Type::TIME,
                    _ => Type::TIMESTAMP,
                };
                self.cast(now, ty, NO_TYPMOD)
            }
            _ => Err(self.undefined_function(name, &[], at)),
        }
    }

    fn schemas_of_path(&self, implicit: &Typed) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let implicit = matches!(implicit.node, Node::Const(Value::Int(1)));
        let is_known = |s: &&String| self.scope.catalog.schemas.contains_key(*s);
        let (leading, path) = self.scope.search_path.split_at(usize::from(self.scope.temporary.leads));
        all.extend(leading.iter().filter(is_known).filter(|_| implicit).cloned());
        if implicit && !path.iter().any(|s| s == "pg_catalog") {
            all.push("pg_catalog".into());
        }
        all.extend(path.iter().filter(is_known).cloned());
        all
    }

    fn aggregate(
        &mut self,
        name: &str,
        function: &Function,
        list: &sqlparser::ast::FunctionArgumentList,
        order: &[OrderByExpr],
        at: Location,
    ) -> SqlResult<Typed> {
        let clause = self.level().clause;
        let windowed = function.over.is_some();
        if windowed && clause != Clause::Aggregate && !clause.allows_windows() {
            let text = format!("window functions are not allowed in {}", clause.name());
            return Err(error_at(self, SqlError::new(state::WINDOWING_ERROR, text), at));
        }
        if windowed && clause == Clause::Aggregate {
            let text = "aggregate function calls cannot contain window function calls";
            return Err(error_at(self, SqlError::new(state::GROUPING_ERROR, text), at));
        }
        if !windowed && clause == Clause::Aggregate {
            let text = "aggregate function calls cannot be nested";
            return Err(error_at(self, SqlError::new(state::GROUPING_ERROR, text), at));
        }
        if !windowed && !clause.allows_aggregates() {
            let text = format!("aggregate functions are not allowed in {}", clause.name());
            return Err(error_at(self, SqlError::new(state::GROUPING_ERROR, text), at));
        }
        // The arguments of a window function may hold aggregates, those of an aggregate may not.
        let inner = if windowed { Clause::Window } else { Clause::Aggregate };
        let star = is_star(&list.args);
        let outer_before = self.level().outer.len();
        let (args, order) = self.within(inner, |this| {
            let mut args = Vec::new();
            if !star {
                for arg in &list.args {
                    args.push(this.argument(arg, at)?);
                }
            }
            let keys = order.iter().map(|o| this.sort_key(o)).collect::<SqlResult<Vec<_>>>()?;
            Ok((args, keys))
        })?;
        let args = args.into_iter().map(|a| self.record(a)).collect::<SqlResult<Vec<_>>>()?;
        // As they are written: the aggregate may take another type.
        let written = args.clone();
        let reads_only_outside = self.level().outer.len() > outer_before && !self.reads_own_column(&args);
        if reads_only_outside && !windowed {
            return Err(error_at(self, SqlError::unsupported("an aggregate of an outer query"), at));
        }
        if HYPOTHETICAL_SETS.contains(&name) && !args.is_empty() {
            return Err(error_at(self, unordered(name), at));
        }
        let (resolved, args, ty) = match self.resolve_function(name, args, at)? {
            Ok(_) if ORDERED_SETS.contains(&name) => return Err(error_at(self, unordered(name), at)),
            Ok(found) => found,
            Err(args) => return Err(self.undefined_function(name, &args, at)),
        };
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let refused = if resolved.kind == Kind::Window && !windowed {
            Some((state::WRONG_OBJECT_TYPE, format!("window function {name} requires an OVER clause")))
        } else if resolved.kind == Kind::Aggregate && args.is_empty() && !star {
            let text = format!("{name}(*) must be used to call a parameterless aggregate function");
            Some((state::WRONG_OBJECT_TYPE, text))
        } else if distinct && windowed {
            Some((state::FEATURE_NOT_SUPPORTED, "DISTINCT is not implemented for window functions".to_owned()))
        } else if windowed && !order.is_empty() {
            let text = "aggregate ORDER BY is not implemented for window functions";
            Some((state::FEATURE_NOT_SUPPORTED, text.to_owned()))
        } else if resolved.kind == Kind::Window && function.filter.is_some() {
            let text = "FILTER is not implemented for non-aggregate window functions";
            Some((state::FEATURE_NOT_SUPPORTED, text.to_owned()))
        } else {
            None
        };
        if let Some((code, text)) = refused {
            return Err(error_at(self, SqlError::new(code, text), at));
        }
        let is_literal = |expr: &Typed| matches!(expr.node, Node::Const(_) | Node::Text(_));
        let argument = |expr: &Typed| written.iter().any(|arg| arg == expr || arg.is_unknown() && is_literal(expr));
        if distinct && order.iter().any(|k| !argument(&k.expr)) {
            let text = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
            return Err(error_at(self, SqlError::new(state::INVALID_COLUMN_REFERENCE, text), at));
        }
        let filter = self.filter(function)?;
        let over = match &function.over {
            None => None,
            Some(WindowType::NamedWindow(name)) => Some(self.named_window(name)?),
            Some(WindowType::WindowSpec(spec)) => Some(self.window(spec)?),
        };
        let moves = over.as_ref().and_then(|over| over.frame.as_ref()).is_some_and(Frame::moves);
        let function = if moves { aggregates::moving(resolved) } else { resolved };
        let call = Call { function, args, distinct, order, filter, over };
        Ok(Typed::new(ty, Node::Call(Box::new(call))).at(at))
    }

    /// The condition behind FILTER.
    fn filter(&mut self, function: &Function) -> SqlResult<Option<Typed>> {
        let Some(filter) = &function.filter else { return Ok(None) };
        self.within(Clause::Filter, |this| {
            let filter = this.expr(filter)?;
            this.condition(filter, "FILTER").map(Some)
        })
    }

    /// An ordered-set aggregate: its direct arguments, then what is ordered.
    fn within_group(
        &mut self,
        name: &str,
        function: &Function,
        list: &sqlparser::ast::FunctionArgumentList,
        at: Location,
    ) -> SqlResult<Typed> {
        let clause = self.level().clause;
        let known = ORDERED_SETS.contains(&name);
        let hypothetical = HYPOTHETICAL_SETS.contains(&name);
        if !known && !hypothetical {
            let args = self.within(Clause::Aggregate, |this| {
                let keys = function.within_group.iter().map(|key| this.expr(&key.expr));
                let keys = keys.collect::<SqlResult<Vec<_>>>()?;
                let args = list.args.iter().map(|a| this.argument(a, at)).collect::<SqlResult<Vec<_>>>()?;
                Ok([args, keys].concat())
            })?;
            return Err(self.undefined_function(name, &args, at));
        }
        if function.over.is_some() {
            let text = format!("OVER is not supported for ordered-set aggregate {name}");
            return Err(error_at(self, SqlError::new(state::FEATURE_NOT_SUPPORTED, text), at));
        }
        if clause == Clause::Aggregate || !clause.allows_aggregates() {
            let text = match clause {
                Clause::Aggregate => "aggregate function calls cannot be nested".to_owned(),
                _ => format!("aggregate functions are not allowed in {}", clause.name()),
            };
            return Err(error_at(self, SqlError::new(state::GROUPING_ERROR, text), at));
        }
        let filter = self.filter(function)?;
        let outer_before = self.level().outer.len();
        if hypothetical {
            return self.hypothetical(name, &list.args, &function.within_group, filter.as_ref(), at);
        }
        let (mut args, order) = self.within(Clause::Aggregate, |this| {
            let args = list.args.iter().map(|a| this.argument(a, at)).collect::<SqlResult<Vec<_>>>()?;
            let order = function.within_group.iter().map(|o| this.sort_key(o)).collect::<SqlResult<Vec<_>>>()?;
            Ok((args, order))
        })?;
        let ordered: Vec<Typed> = order.iter().map(|key| key.expr.clone()).collect();
        if self.level().outer.len() > outer_before && !self.reads_own_column(&ordered) {
            return Err(error_at(self, SqlError::unsupported("an aggregate of an outer query"), at));
        }
        self.level().direct.extend(args.iter().cloned());
        args.extend(order.iter().map(|key| key.expr.clone()));
        let (function, args, ty) = match self.resolve_function(name, args, at)? {
            Ok(found) => found,
            Err(args) => return Err(self.undefined_function(name, &args, at)),
        };
        let order =
            order.into_iter().zip(args.last()).map(|(key, expr)| SortKey { expr: expr.clone(), ..key }).collect();
        let call = Call { function, args, distinct: false, order, filter, over: None };
        Ok(Typed::new(ty, Node::Call(Box::new(call))).at(at))
    }

    pub(super) fn reads_own_column(&mut self, args: &[Typed]) -> bool {
        let own: Vec<usize> = self.level().names.ranges.iter().map(|r| r.id).collect();
        args.iter().any(|a| a.any(&|e| matches!(&e.node, Node::Column(c) if own.contains(&c.range))))
    }

    fn named_window(&mut self, name: &Ident) -> SqlResult<Over> {
        let folded = fold(name);
        match self.level().windows.iter().find(|(n, _)| *n == folded) {
            Some((_, over)) => Ok(over.clone()),
            None => {
                let text = format!("window \"{folded}\" does not exist");
                Err(error_at(self, SqlError::new(state::UNDEFINED_OBJECT, text), name.span.start))
            }
        }
    }

    pub(super) fn window(&mut self, spec: &WindowSpec) -> SqlResult<Over> {
        let exclude = match spec.window_name.as_ref().and_then(|n| phrases::exclusion(&n.value)) {
            None => (None, spec.window_name.clone()),
            Some((what, base)) => {
                if spec.window_frame.is_none() {
                    return Err(SqlError::syntax("syntax error at or near \"EXCLUDE\""));
                }
                let what = ["CURRENT ROW", "GROUP", "TIES"].into_iter().find(|known| *known == what);
                (what, base.map(Ident::new))
            }
        };
        let base = exclude.1.as_ref().map(|n| self.named_window(n)).transpose()?;
        if let (Some(Over { frame: Some(_), .. }), Some(name)) = (&base, &exclude.1) {
            let text = format!("cannot copy window \"{}\" because it has a frame clause", fold(name));
            return Err(error_at(self, SqlError::new(state::WINDOWING_ERROR, text), name.span.start));
        }
        let (exclude, named) = exclude;
        self.within(Clause::Window, |this| {
            let mut partition = Vec::new();
            for expr in &spec.partition_by {
                let expr = this.expr(expr)?;
                partition.push(this.decide_text(expr)?);
            }
            let mut order = spec.order_by.iter().map(|o| this.sort_key(o)).collect::<SqlResult<Vec<_>>>()?;
            if let Some(base) = base {
                let overrides = match () {
                    () if !partition.is_empty() => Some("PARTITION BY"),
                    () if !base.order.is_empty() && !order.is_empty() => Some("ORDER BY"),
                    () => None,
                };
                if let (Some(clause), Some(name)) = (overrides, &named) {
                    let text = format!("cannot override {clause} clause of window \"{}\"", fold(name));
                    return Err(error_at(this, SqlError::new(state::WINDOWING_ERROR, text), name.span.start));
                }
                partition = base.partition;
                if order.is_empty() {
                    order = base.order;
                }
            }
            let frame = spec.window_frame.as_ref().map(|f| this.frame(f, exclude, &order)).transpose()?;
            Ok(Over { partition, order, frame })
        })
    }

    fn frame(&mut self, frame: &WindowFrame, exclude: Option<&'static str>, order: &[SortKey]) -> SqlResult<Frame> {
        let units = match frame.units {
            WindowFrameUnits::Rows => "ROWS",
            WindowFrameUnits::Range => "RANGE",
            WindowFrameUnits::Groups => "GROUPS",
        };
        check_bounds(frame)?;
        if units == "GROUPS" && order.is_empty() {
            let text = "GROUPS mode requires an ORDER BY clause";
            return Err(SqlError::new(state::WINDOWING_ERROR, text));
        }
        let measured = [Some(&frame.start_bound), frame.end_bound.as_ref()]
            .into_iter()
            .flatten()
            .any(|bound| matches!(bound, WindowFrameBound::Preceding(Some(_)) | WindowFrameBound::Following(Some(_))));
        let key = match order {
            _ if units != "RANGE" || !measured => None,
            [key] => Some(&key.expr),
            _ => {
                let text = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
                return Err(SqlError::new(state::WINDOWING_ERROR, text));
            }
        };
        let decimals = match key.map(|key| (key.ty, key.typmod)) {
            Some((Type::NUMERIC, typmod)) if typmod != NO_TYPMOD => match numeric_typmod(typmod) {
                (..=18, scale @ 0..=18) => scale as u32,
                _ => frames::DECIMALS,
            },
            _ => frames::DECIMALS,
        };
        let place = Place { key: key.map(|key| key.ty.representation()), decimals, ends: false, preceding: false };
        let start = self.bound(&frame.start_bound, units, place)?;
        let place = Place { ends: true, ..place };
        let end = frame.end_bound.as_ref().map(|end| self.bound(end, units, place)).transpose()?;
        Ok(Frame { units, start, end, exclude, range: place.key.map(|ty| (ty, decimals)) })
    }

    /// The offset of a frame: a number of rows or groups, or a distance between values of the key.
    fn offset(&mut self, expr: &Expr, units: &str, place: Place) -> SqlResult<Typed> {
        let distance = match place.key {
            None | Some(Type::INT2 | Type::INT4 | Type::INT8) => Type::INT8,
            Some(Type::FLOAT4 | Type::FLOAT8) => Type::FLOAT8,
            Some(Type::NUMERIC) => Type::NUMERIC,
            Some(Type::DATE | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::INTERVAL) => Type::INTERVAL,
            Some(sorted) => {
                let name = self.type_name(sorted);
                let text = format!("RANGE with offset PRECEDING/FOLLOWING is not supported for column type {name}");
                let at = self.expr(expr)?.at;
                return Err(error_at(self, SqlError::new(state::FEATURE_NOT_SUPPORTED, text), at));
            }
        };
        // The parser takes a string for an interval here, with or without the word.
        let offset = match expr {
            Expr::Interval(interval) if distance != Type::INTERVAL && interval.leading_field.is_none() => {
                let literal = self.expr(&interval.value)?;
                match &literal.node {
                    Node::Text(text) if parse_text(distance, NO_TYPMOD, text, self.scope.env).is_ok() => literal,
                    _ => self.expr(expr)?,
                }
            }
            _ => self.expr(expr)?,
        };
        let (from, at) = (offset.ty, offset.at);
        let offset = match place.key {
            None => self.count(offset, units)?,
            Some(sorted) => match self.try_coerce(offset, distance, NO_TYPMOD, CastContext::Implicit)? {
                Some(offset) => offset,
                None => {
                    let (sorted, from) = (self.type_name(sorted), self.type_name(from));
                    let text = format!(
                        "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {sorted} and offset type {from}"
                    );
                    let error = SqlError::new(state::FEATURE_NOT_SUPPORTED, text)
                        .hint("Cast the offset value to an appropriate type.");
                    return Err(error_at(self, error, at));
                }
            },
        };
        if self.reads_own_column(std::slice::from_ref(&offset)) {
            let text = format!("argument of {units} must not contain variables");
            return Err(error_at(self, SqlError::new(state::INVALID_COLUMN_REFERENCE, text), at));
        }
        let Some(value) = constant(&offset) else {
            let plain = distance == Type::INT8 || distance == Type::FLOAT8;
            if plain && is_param(&offset) {
                return Ok(offset);
            }
            let error = SqlError::unsupported("an offset of a window frame that is no literal");
            return Err(error_at(self, error, at));
        };
        if place.key == Some(Type::TIMESTAMPTZ)
            && let Value::Text(stored) = &value
            && Interval::stored(stored)?.days != 0
            && matches!(Zone::find(&self.scope.env.time_zone)?, Zone::Named(_))
        {
            return Err(frames::beyond("timestamptz by days in a time zone whose days differ"));
        }
        let number = frames::offset(&value, place)?;
        let ty = if matches!(number, Value::Real(_)) { Type::FLOAT8 } else { Type::INT8 };
        Ok(Typed::constant(ty, number).at(at))
    }

    fn bound(&mut self, bound: &WindowFrameBound, units: &str, place: Place) -> SqlResult<Bound> {
        let place = Place { preceding: matches!(bound, WindowFrameBound::Preceding(_)), ..place };
        let mut offset = |expr: &Option<Box<Expr>>| -> SqlResult<Option<Typed>> {
            expr.as_ref().map(|expr| self.offset(expr, units, place)).transpose()
        };
        Ok(match bound {
            WindowFrameBound::CurrentRow => Bound::CurrentRow,
            WindowFrameBound::Preceding(e) => Bound::Preceding(offset(e)?),
            WindowFrameBound::Following(e) => Bound::Following(offset(e)?),
        })
    }

    /// A key of ORDER BY inside a call or a window: always an expression.
    pub(super) fn sort_key(&mut self, key: &OrderByExpr) -> SqlResult<SortKey> {
        let expr = self.expr(&key.expr)?;
        let expr = self.decide_text(expr)?;
        self.check_ordered(&expr)?;
        direction(key, expr)
    }

    /// Errors: 42883 for what has no order.
    pub(super) fn check_ordered(&self, expr: &Typed) -> SqlResult<()> {
        self.check_has(expr, "an ordering operator")
            .map_err(|e| e.hint("Use an explicit ordering operator or modify the query."))
    }

    /// Errors: 42883 for what cannot be told to be the same.
    pub(super) fn check_comparable(&self, expr: &Typed) -> SqlResult<()> {
        self.check_has(expr, "an equality operator")
    }

    fn check_has(&self, expr: &Typed, operator: &str) -> SqlResult<()> {
        if expr.ty != Type::JSON || self.speaks_for_us() {
            return Ok(());
        }
        let text = format!("could not identify {operator} for type {}", self.type_name(Type::JSON));
        Err(error_at(self, SqlError::new(state::UNDEFINED_FUNCTION, text), expr.at))
    }
}

/// What is known of a value while it is bound. An aggregate stays, for it is what makes one row of many.
pub(super) fn said_of(value: Typed, known: Typed) -> Typed {
    if !value.has_aggregate() {
        return known;
    }
    Typed::apply(known.ty, Op::Case, vec![Typed::test(Op::IsNull, vec![value]), known.clone(), known])
}

/// The arguments before VARIADIC, and the one behind it.
fn variadic(list: &[FunctionArg]) -> Option<(&[FunctionArg], &FunctionArgExpr)> {
    match list {
        [before @ .., FunctionArg::Named { name, arg, .. }] if name.value == phrases::VARIADIC => Some((before, arg)),
        [before @ .., FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, .. }]
            if name.value == phrases::VARIADIC =>
        {
            Some((before, arg))
        }
        _ => None,
    }
}

/// What an offset's value is, as far as it is of literals and sums of integers.
fn constant(expr: &Typed) -> Option<Value> {
    match &expr.node {
        Node::Const(value) => Some(value.clone()),
        Node::Apply(Op::Relabel | Op::Cast(_), args) => match &args[..] {
            [inner] if inner.ty == expr.ty && expr.typmod == NO_TYPMOD => constant(inner),
            [inner] => super::coerce::fold(inner.ty, &constant(inner)?, expr.ty),
            _ => None,
        },
        Node::Apply(Op::Operator(infix), args) => {
            let values = args.iter().map(constant).collect::<Option<Vec<_>>>()?;
            match (infix.operator.name, &values[..]) {
                ("+", [Value::Int(a), Value::Int(b)]) => a.checked_add(*b).map(Value::Int),
                ("-", [Value::Int(a), Value::Int(b)]) => a.checked_sub(*b).map(Value::Int),
                ("*", [Value::Int(a), Value::Int(b)]) => a.checked_mul(*b).map(Value::Int),
                ("-", [Value::Int(a)]) => a.checked_neg().map(Value::Int),
                ("-", [Value::Real(a)]) => Some(Value::Real(-a)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn unordered(name: &str) -> SqlError {
    let text = format!("WITHIN GROUP is required for ordered-set aggregate {name}");
    SqlError::new(state::WRONG_OBJECT_TYPE, text)
}

/// Whether subscripts may follow without parentheses: behind names, parameters, queries and what is in parentheses.
fn takes_subscripts(root: &Expr) -> bool {
    match root {
        Expr::Value(value) => matches!(value.value, Literal::Placeholder(_)),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Nested(_) | Expr::Subquery(_) | Expr::Tuple(_) => {
            true
        }
        Expr::CompoundFieldAccess { root, .. } => takes_subscripts(root),
        _ => false,
    }
}

/// The only argument of `f(*)`.
fn is_star(args: &[FunctionArg]) -> bool {
    matches!(args, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_))])
}

/// What cannot be the bounds of a frame, whatever the rows are.
fn check_bounds(frame: &WindowFrame) -> SqlResult<()> {
    use WindowFrameBound::{CurrentRow, Following, Preceding};
    let end = frame.end_bound.as_ref().unwrap_or(&CurrentRow);
    let text = match (&frame.start_bound, end) {
        (Following(None), _) => "frame start cannot be UNBOUNDED FOLLOWING",
        (_, Preceding(None)) => "frame end cannot be UNBOUNDED PRECEDING",
        (CurrentRow, Preceding(_)) => "frame starting from current row cannot have preceding rows",
        (Following(_), CurrentRow) if frame.end_bound.is_none() => {
            "frame starting from following row cannot end with current row"
        }
        (Following(_), CurrentRow | Preceding(_)) => "frame starting from following row cannot have preceding rows",
        _ => return Ok(()),
    };
    Err(SqlError::new(state::WINDOWING_ERROR, text))
}

/// A parameter, also as another type of number.
fn is_param(expr: &Typed) -> bool {
    match &expr.node {
        Node::Param(_) => true,
        Node::Apply(Op::Relabel | Op::Cast(_), args) => {
            matches!(&args[..], [inner] if matches!(inner.ty, Type::INT2 | Type::INT4 | Type::INT8) && is_param(inner))
        }
        _ => false,
    }
}

/// What `(record).*` takes all fields of.
pub(super) fn fields_of(expr: &Expr) -> Option<&Expr> {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return None };
    match &access_chain[..] {
        [AccessExpr::Dot(Expr::Identifier(all))] if all.value == ALL_FIELDS => Some(root),
        _ => None,
    }
}

/// The direction that an ORDER BY item states: NULLs sort as larger than everything.
pub(super) fn direction(key: &OrderByExpr, expr: Typed) -> SqlResult<SortKey> {
    let descending = match &key.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(op)) => match op.to_string().as_str() {
            "<" => false,
            ">" => true,
            _ => return Err(SqlError::unsupported("ORDER BY … USING")),
        },
    };
    Ok(SortKey { expr, descending, nulls_first: key.options.nulls_first.unwrap_or(descending) })
}

/// An expression without the parentheses around it.
pub(super) fn unnested(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// `(a + b) + c` as one application.
fn chained(expr: Typed) -> Typed {
    let Node::Apply(Op::Operator(infix), mut args) = expr.node else { return expr };
    match args.first().map(|left| &left.node) {
        Some(Node::Apply(Op::Operator(same), _)) if *same == infix && infix.chains() => {
            let right = args.pop();
            let left = args.pop().map(|left| left.node);
            let Some(Node::Apply(_, mut operands)) = left else { return Typed { node: Node::Array(args), ..expr } };
            operands.extend(right);
            Typed { node: Node::Apply(Op::Operator(infix), operands), ..expr }
        }
        _ => Typed { node: Node::Apply(Op::Operator(infix), args), ..expr },
    }
}

/// Integers by their size, everything else is numeric.
fn number(digits: &str) -> SqlResult<Typed> {
    let clean = digits.replace('_', "");
    if let Ok(i) = clean.parse::<i64>() {
        let ty = if i32::try_from(i).is_ok() { Type::INT4 } else { Type::INT8 };
        return Ok(Typed::constant(ty, Value::Int(i)));
    }
    let value = crate::types::text::parse_text(Type::NUMERIC, NO_TYPMOD, &clean, &crate::types::Env::default())?;
    Ok(Typed::constant(Type::NUMERIC, value))
}

pub(super) fn operator_name(op: &BinaryOperator) -> String {
    match op {
        BinaryOperator::PGCustomBinaryOperator(names) => names.last().cloned().unwrap_or_default(),
        BinaryOperator::NotEq => "<>".into(),
        BinaryOperator::Custom(name) if name == "!=" => "<>".into(),
        other => other.to_string(),
    }
}

pub(super) fn trim_name(place: &Option<TrimWhereField>) -> &'static str {
    match place {
        None | Some(TrimWhereField::Both) => "btrim",
        Some(TrimWhereField::Leading) => "ltrim",
        Some(TrimWhereField::Trailing) => "rtrim",
    }
}

/// The digits of a number under any minus signs and parentheses, whether it is negative, and where it is.
fn signed_number(expr: &Expr) -> Option<(&str, bool, Location)> {
    match expr {
        Expr::Nested(inner) => signed_number(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            signed_number(expr).map(|(digits, negative, at)| (digits, !negative, at))
        }
        Expr::Value(v) => match &v.value {
            Literal::Number(digits, _) => Some((digits, false, v.span.start)),
            _ => None,
        },
        _ => None,
    }
}
