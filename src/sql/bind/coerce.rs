//! Types by name, and the ways from one type to another.

use super::names::{fold as fold_name, parts};
use super::{Binder, error_at};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::CastContext;
use crate::functions::casts::{Way, way};
use crate::sql::ir::{Cast, Column, Node, Op, Typed};
use crate::types::text::parse_literal;
use crate::types::{NO_TYPMOD, Own as OwnKind, Type, interval_typmod, typmod_in};
use crate::value::Value;
use sqlparser::ast::{ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, ObjectName, TimezoneInfo};

/// The type and type modifier that a written type means.
///
/// Errors: 42704 for a type that does not exist, 22023 and 42601 for wrong modifiers.
pub fn data_type(ty: &DataType) -> SqlResult<(Type, i32)> {
    data_type_among(ty, &|_, _| None)
}

/// As [`data_type`], where `own` finds the types that users have made, by schema and name.
fn data_type_among(ty: &DataType, own: Own<'_>) -> SqlResult<(Type, i32)> {
    let plain = |ty: Type| Ok((ty, NO_TYPMOD));
    match ty {
        DataType::Bool | DataType::Boolean => plain(Type::BOOL),
        DataType::SmallInt(None) | DataType::Int2(None) => plain(Type::INT2),
        DataType::Int(None) | DataType::Integer(None) | DataType::Int4(None) => plain(Type::INT4),
        DataType::BigInt(None) | DataType::Int8(None) => plain(Type::INT8),
        DataType::Real | DataType::Float4 => plain(Type::FLOAT4),
        DataType::Float8 | DataType::DoublePrecision | DataType::Double(ExactNumberInfo::None) => plain(Type::FLOAT8),
        DataType::Float(ExactNumberInfo::None) => plain(Type::FLOAT8),
        DataType::Float(ExactNumberInfo::Precision(p)) => match p {
            0 => Err(SqlError::new(state::INVALID_PARAMETER_VALUE, "precision for type float must be at least 1 bit")),
            1..=24 => plain(Type::FLOAT4),
            25..=53 => plain(Type::FLOAT8),
            _ => {
                Err(SqlError::new(state::INVALID_PARAMETER_VALUE, "precision for type float must be less than 54 bits"))
            }
        },
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => {
            let args: Vec<i64> = match info {
                ExactNumberInfo::None => vec![],
                ExactNumberInfo::Precision(p) => vec![*p as i64],
                ExactNumberInfo::PrecisionAndScale(p, s) => vec![*p as i64, *s],
            };
            with_modifiers(Type::NUMERIC, &args)
        }
        DataType::Text => plain(Type::TEXT),
        DataType::Varchar(n) | DataType::CharacterVarying(n) | DataType::CharVarying(n) => {
            with_modifiers(Type::VARCHAR, &length(n)?)
        }
        DataType::Char(n) | DataType::Character(n) => {
            let given = length(n)?;
            with_modifiers(Type::BPCHAR, if given.is_empty() { &[1] } else { &given })
        }
        DataType::Bytea => plain(Type::BYTEA),
        DataType::Uuid => plain(Type::UUID),
        DataType::JSON => plain(Type::JSON),
        DataType::JSONB => plain(Type::JSONB),
        DataType::Date => plain(Type::DATE),
        DataType::Time(p, zone) => {
            let zoned = matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz);
            with_modifiers(if zoned { Type::TIMETZ } else { Type::TIME }, &precision(p))
        }
        DataType::Timestamp(p, zone) => {
            let zoned = matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz);
            with_modifiers(if zoned { Type::TIMESTAMPTZ } else { Type::TIMESTAMP }, &precision(p))
        }
        DataType::Interval { fields, precision } => {
            let precision = precision.map(|p| p as i32);
            match (fields, precision) {
                (None, None) => plain(Type::INTERVAL),
                (None, Some(p)) => with_modifiers(Type::INTERVAL, &[p.into()]),
                (Some(fields), p) => {
                    let name = fields.to_string().to_lowercase();
                    let typmod =
                        interval_typmod(&name, p).ok_or_else(|| SqlError::syntax("invalid interval fields"))?;
                    Ok((Type::INTERVAL, typmod))
                }
            }
        }
        DataType::Trigger => plain(Type(2279)),
        DataType::Regclass => plain(Type::REGCLASS),
        DataType::Bit(n) => with_modifiers(Type::BIT, &n.map_or(vec![1], |n| vec![n as i64])),
        DataType::BitVarying(n) | DataType::VarBit(n) => with_modifiers(Type::VARBIT, &precision(n)),
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::Qualified(element, _)) => {
            let (element, typmod) = data_type_among(element, own)?;
            // `int[][]` is the type `int[]`.
            let array = if element.is_array() { Some(element) } else { element.array() };
            array.map(|a| (a, typmod)).ok_or_else(|| no_type(&ty.to_string()))
        }
        DataType::Custom(name, modifiers) => custom(name, modifiers, own),
        // The parser knows names of types that are none here.
        other => {
            let name = other.to_string().to_lowercase();
            own(None, &name).map(|ty| (ty, NO_TYPMOD)).ok_or_else(|| no_type(&name))
        }
    }
}

/// Finds a type that a user has made.
type Own<'f> = &'f dyn Fn(Option<&str>, &str) -> Option<Type>;

/// Types of PostgreSQL that there are not here.
const MISSING: [&str; 26] = [
    "box",
    "circle",
    "daterange",
    "datemultirange",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "line",
    "lseg",
    "nummultirange",
    "numrange",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "polygon",
    "refcursor",
    "regconfig",
    "regdictionary",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
];

pub fn no_type(name: &str) -> SqlError {
    let bare = name.strip_prefix("pg_catalog.").unwrap_or(name);
    if MISSING.contains(&bare) {
        return SqlError::unsupported(format!("type \"{bare}\""));
    }
    SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"))
}

fn custom(name: &ObjectName, modifiers: &[String], own: Own<'_>) -> SqlResult<(Type, i32)> {
    let quoted = name.0.last().and_then(|p| p.as_ident()).is_some_and(|i| i.quote_style.is_some());
    let names = parts(name)?;
    let (last, schema) = names.split_last().ok_or_else(|| no_type(""))?;
    let builtin = schema.last().is_none_or(|s| s == "pg_catalog");
    // information_schema's domains stand for their base types.
    let ty = match (schema.last().map(String::as_str), last.as_str()) {
        (Some("information_schema"), "sql_identifier") => Some(Type::NAME),
        (Some("information_schema"), "character_data" | "yes_or_no") => Some(Type::VARCHAR),
        (Some("information_schema"), "cardinal_number") => Some(Type::INT4),
        (Some("information_schema"), "time_stamp") => Some(Type::TIMESTAMPTZ),
        _ if !builtin => None,
        (_, name) if quoted || !schema.is_empty() => Type::by_typname(name),
        (_, name) => Type::by_name(name),
    };
    let ty = ty.or_else(|| own(schema.last().map(String::as_str), last));
    let ty = ty.ok_or_else(|| no_type(&names.join(".")))?;
    let args: Result<Vec<i64>, _> = modifiers.iter().map(|m| m.trim().parse::<i64>()).collect();
    with_modifiers(ty, &args.map_err(|_| SqlError::new(state::INVALID_PARAMETER_VALUE, "invalid type modifier"))?)
}

fn with_modifiers(ty: Type, args: &[i64]) -> SqlResult<(Type, i32)> {
    Ok((ty, if args.is_empty() { NO_TYPMOD } else { typmod_in(ty, args)? }))
}

fn length(n: &Option<CharacterLength>) -> SqlResult<Vec<i64>> {
    match n {
        None => Ok(vec![]),
        Some(CharacterLength::IntegerLength { length, unit: None }) => Ok(vec![*length as i64]),
        Some(other) => Err(SqlError::syntax(format!("syntax error at or near \"{other}\""))),
    }
}

fn precision(p: &Option<u64>) -> Vec<i64> {
    p.iter().map(|p| *p as i64).collect()
}

/// Category of a type (`pg_type.typcategory`).
pub(super) fn category(ty: Type) -> char {
    ty.category()
}

pub(super) fn is_preferred(ty: Type) -> bool {
    ty.info().is_some_and(|info| info.preferred)
}

/// What `cast` says about a pair of types: the narrowest context of a cast.
pub(super) fn cast_context(from: Type, to: Type) -> Option<CastContext> {
    if from == to || to == Type::REGCLASS && matches!(from, Type::TEXT | Type::VARCHAR) {
        return Some(CastContext::Implicit);
    }
    if let Some((context, _)) = way(from, to, CastContext::Explicit) {
        return Some(context);
    }
    match (from.element(), to.element()) {
        (Some(from), Some(to)) => cast_context(from, to),
        _ => None,
    }
}

pub(super) fn is_implicit(from: Type, to: Type) -> bool {
    from == to || from == Type::UNKNOWN || cast_context(from, to) == Some(CastContext::Implicit)
}

impl Binder<'_> {
    /// As [`data_type`], with the types that users have made.
    pub(super) fn data_type(&self, ty: &DataType) -> SqlResult<(Type, i32)> {
        let (catalog, path) = (self.scope.catalog, self.scope.search_path);
        data_type_among(ty, &|schema, name| catalog.resolve_type(path, schema, name))
    }

    /// A type's name in messages.
    pub(super) fn type_name(&self, ty: Type) -> String {
        self.scope.catalog.type_name(self.scope.search_path, ty)
    }

    /// Brings `expr` to a type where `context` allows it; `None` if there is no way.
    pub(super) fn try_coerce(
        &mut self,
        expr: Typed,
        to: Type,
        typmod: i32,
        context: CastContext,
    ) -> SqlResult<Option<Typed>> {
        let at = expr.at;
        if let Some((OwnKind::Domain, _)) = to.own() {
            let (base, below) = self.scope.catalog.base_of(to, typmod);
            let value = self.try_coerce(expr, base, below, context)?;
            return value.map(|value| self.in_domain(value, Some(to))).transpose();
        }
        let expr = self.record(expr)?;
        let expr = match self.settle(expr) {
            // Nothing says what its elements are.
            array if array.is_unknown() && to.element().is_none() && to != Type::RECORD => match &array.node {
                Node::Array(items) if !items.is_empty() => self.decide_text(array)?,
                _ => array,
            },
            expr => expr,
        };
        let expr = if expr.ty.is_reg() { self.reg_of_param(expr)? } else { expr };
        if expr.is_unknown() {
            if to == Type::RECORD && matches!(expr.node, Node::Text(_)) {
                let text = "input of anonymous composite types is not implemented";
                return Err(error_at(self, SqlError::new(state::FEATURE_NOT_SUPPORTED, text), at));
            }
            return self.decide(expr, to, typmod, context).map(Some);
        }
        // ARRAY[…]::t[] casts its elements.
        if let (Node::Array(_), Some(element)) = (&expr.node, to.element())
            && (expr.ty != to || typmod != NO_TYPMOD)
        {
            return self.coerce_array(expr, to, element, typmod, context);
        }
        let expr = if expr.ty == to {
            expr
        } else {
            match self.convert(expr, to, typmod, context)? {
                Some(expr) => expr,
                None => return Ok(None),
            }
        };
        self.apply_typmod(expr, typmod, context).map(|e| Some(e.at(at)))
    }

    /// A parameter may have got its type since the expression was made.
    fn settle(&self, mut expr: Typed) -> Typed {
        if let (Node::Param(n), Type::UNKNOWN) = (&expr.node, expr.ty)
            && let Some(Some(ty)) = self.params.get(n - 1)
        {
            expr = self.param(*n, *ty).at(expr.at);
        }
        expr
    }

    fn coerce_array(
        &mut self,
        expr: Typed,
        to: Type,
        element: Type,
        typmod: i32,
        context: CastContext,
    ) -> SqlResult<Option<Typed>> {
        let Node::Array(items) = expr.node else { return Ok(None) };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let target = if matches!(item.node, Node::Array(_)) { to } else { element };
            match self.try_coerce(item, target, typmod, context)? {
                Some(item) => out.push(item),
                None => return Ok(None),
            }
        }
        Ok(Some(Typed::new(to, Node::Array(out)).typmod(typmod).at(expr.at)))
    }

    /// Gives an undecided literal or parameter its type.
    fn decide(&mut self, expr: Typed, to: Type, typmod: i32, context: CastContext) -> SqlResult<Typed> {
        let at = expr.at;
        let decided = match expr.node {
            Node::Param(n) => {
                self.params[n - 1] = Some(to);
                let param = self.reg_of_param(self.param(n, to))?;
                self.apply_typmod(param, typmod, context)?
            }
            Node::Const(Value::Null) => Typed::null(to).typmod(typmod),
            Node::Text(text) => {
                let typed = self.parse(&text, to, typmod, at)?;
                self.apply_typmod(typed, typmod, context)?
            }
            Node::Array(items) if to.element().is_some() => {
                let element = to.element().unwrap_or(Type::TEXT);
                let array = Typed::new(Type::UNKNOWN, Node::Array(items));
                match self.coerce_array(array, to, element, typmod, context)? {
                    Some(expr) => expr,
                    None => return Err(self.cannot_cast(Type::UNKNOWN, to)),
                }
            }
            // Something of ours that stayed unknown is text.
            node => {
                let text = Typed::new(Type::TEXT, node);
                match self.convert(text, to, typmod, CastContext::Explicit)? {
                    Some(expr) => expr,
                    None => return Err(self.cannot_cast(Type::TEXT, to)),
                }
            }
        };
        Ok(decided.at(at))
    }

    /// A string literal as a value of a type.
    pub(super) fn parse(
        &mut self,
        text: &str,
        to: Type,
        typmod: i32,
        at: sqlparser::tokenizer::Location,
    ) -> SqlResult<Typed> {
        if to.is_reg() {
            return self.parse_reg(text, to).map_err(|e| error_at(self, e, at));
        }
        if to.has_labels() {
            return self.parse_labels(text, to).map_err(|e| error_at(self, e, at));
        }
        let typmod = if to == Type::INTERVAL { typmod } else { NO_TYPMOD };
        match parse_literal(to, typmod, text, self.scope.env).map_err(|e| error_at(self, e, at))? {
            Some(value) => Ok(Typed::constant(to, value)),
            // Read where the statement runs, which knows the time.
            None => self.cast(Typed::constant(Type::TEXT, Value::Text(text.to_owned())), to, typmod),
        }
    }

    /// One step of conversion between two decided types.
    fn convert(&mut self, expr: Typed, to: Type, typmod: i32, context: CastContext) -> SqlResult<Option<Typed>> {
        if let Node::Const(value) = &expr.node
            && (!self.faithful || value.is_null())
            && cast_context(expr.ty, to).is_some_and(|c| c <= context)
            && let Some(value) = fold(expr.ty, value, to)
        {
            return Ok(Some(Typed::constant(to, value)));
        }
        if expr.ty.has_labels() || to.has_labels() {
            return self.convert_labels(expr, to, typmod, context);
        }
        if (expr.ty.is_text_like() || expr.ty == Type::UNKNOWN) && to.is_reg() {
            let granted = context == CastContext::Explicit || to == Type::REGCLASS;
            return if granted { self.reg_of_text(expr, to, true).map(Some) } else { Ok(None) };
        }
        if expr.ty.is_reg() && to.is_text_like() {
            if context == CastContext::Implicit {
                return Ok(None);
            }
            let text = self.text_of_reg(expr)?;
            return self.try_coerce(text, to, typmod, context);
        }
        let cast = Cast { to, typmod, context };
        if let Some((needs, way)) = way(expr.ty, to, context) {
            if needs > context {
                return Ok(None);
            }
            if way.relabels(expr.ty, to) && !self.faithful {
                return Ok(Some(relabel(expr, to).typmod(NO_TYPMOD)));
            }
            // Its text has the blanks.
            let padded = way == Way::Input && expr.ty == Type::BPCHAR && !self.faithful;
            let expr = if padded { expr.padded() } else { expr };
            // A cast that takes the modifier has applied it; others leave that to the caller.
            let done = if way.takes_modifier(to) { typmod } else { NO_TYPMOD };
            return Ok(Some(Typed::apply(to, Op::Cast(cast), vec![expr]).typmod(done)));
        }
        let (Some(from_element), Some(to_element)) = (expr.ty.element(), to.element()) else { return Ok(None) };
        match cast_context(from_element, to_element) {
            Some(needs) if needs <= context => Ok(Some(match from_element == to_element {
                true if !self.faithful => relabel(expr, to),
                _ => Typed::apply(to, Op::Cast(cast), vec![expr]),
            })),
            _ => Ok(None),
        }
    }

    /// Makes a value fit a type modifier: `varchar(n)`, `numeric(p,s)`, `timestamp(p)`.
    fn apply_typmod(&mut self, expr: Typed, typmod: i32, context: CastContext) -> SqlResult<Typed> {
        if typmod == NO_TYPMOD || expr.typmod == typmod || expr.is_null() {
            return Ok(expr.typmod(typmod));
        }
        let to = expr.ty;
        // Of an array, it is its elements'.
        let one = to.element().filter(|_| to.is_array()).unwrap_or(to);
        match way(one, one, context) {
            Some((_, way)) if !way.relabels(one, one) => {
                Ok(Typed::apply(to, Op::Cast(Cast { to, typmod, context }), vec![expr]).typmod(typmod))
            }
            _ => Ok(expr.typmod(typmod)),
        }
    }

    /// An implicit coercion that the choice of an operator or function has already found possible.
    pub(super) fn coerce(&mut self, expr: Typed, to: Type) -> SqlResult<Typed> {
        let (from, at) = (expr.ty, expr.at);
        match self.try_coerce(expr, to, NO_TYPMOD, CastContext::Implicit)? {
            Some(expr) => Ok(expr),
            None => Err(error_at(self, self.cannot_cast(from, to), at)),
        }
    }

    /// `CAST(expr AS to)`
    pub(super) fn cast(&mut self, expr: Typed, to: Type, typmod: i32) -> SqlResult<Typed> {
        let untyped = expr.is_unknown() && matches!(expr.node, Node::Array(_));
        let (from, at) = (if untyped { Type::TEXT_ARRAY } else { expr.ty }, expr.at);
        match self.try_coerce(expr, to, typmod, CastContext::Explicit)? {
            Some(expr) => Ok(expr),
            None => Err(error_at(self, self.cannot_cast(from, to), at)),
        }
    }

    pub(super) fn cannot_cast(&self, from: Type, to: Type) -> SqlError {
        let (from, to) = (self.type_name(from), self.type_name(to));
        SqlError::new(state::CANNOT_COERCE, format!("cannot cast type {from} to {to}"))
    }

    /// A condition: WHERE, ON, HAVING, AND, OR, NOT.
    pub(super) fn condition(&mut self, expr: Typed, place: &str) -> SqlResult<Typed> {
        let (from, at) = (expr.ty, expr.at);
        match self.try_coerce(expr, Type::BOOL, NO_TYPMOD, CastContext::Implicit)? {
            Some(expr) => Ok(expr),
            None => {
                let text = format!("argument of {place} must be type boolean, not type {}", self.type_name(from));
                Err(error_at(self, SqlError::new(state::DATATYPE_MISMATCH, text), at))
            }
        }
    }

    /// LIMIT and OFFSET.
    pub(super) fn count(&mut self, expr: Typed, place: &str) -> SqlResult<Typed> {
        let (from, at) = (expr.ty, expr.at);
        match self.try_coerce(expr, Type::INT8, NO_TYPMOD, CastContext::Assignment)? {
            Some(expr) if from != Type::TEXT => Ok(expr),
            _ => {
                let text = format!("argument of {place} must be type bigint, not type {}", self.type_name(from));
                Err(error_at(self, SqlError::new(state::DATATYPE_MISMATCH, text), at))
            }
        }
    }

    /// What is still undecided where nothing else decides it is text.
    pub(super) fn decide_text(&mut self, expr: Typed) -> SqlResult<Typed> {
        let expr = self.record(expr)?;
        match (&expr.node, self.settle(expr.clone())) {
            (Node::Array(items), settled) if settled.is_unknown() && items.is_empty() => {
                let text = "cannot determine type of empty array";
                Err(SqlError::new(state::INDETERMINATE_DATATYPE, text)
                    .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."))
            }
            (Node::Array(_), settled) if settled.is_unknown() => self.coerce(expr, Type::TEXT_ARRAY),
            (_, settled) if settled.is_unknown() => self.coerce(expr, Type::TEXT),
            (_, settled) => Ok(settled),
        }
    }

    /// The common type of UNION, CASE, COALESCE, ARRAY, VALUES and IN ("UNION, CASE, and Related Constructs").
    pub(super) fn common_type(&self, exprs: &[&Typed], what: &str) -> SqlResult<Type> {
        let settled: Vec<Typed> = exprs.iter().map(|e| self.settle((*e).clone())).collect();
        let mut known = settled.iter().filter(|e| !e.is_unknown());
        let Some(first) = known.next() else { return Ok(Type::TEXT) };
        let mut best = first.ty;
        for expr in known {
            let ty = expr.ty;
            if ty == best {
                continue;
            }
            if category(ty) != category(best) {
                let (best, ty) = (self.type_name(best), self.type_name(ty));
                let text = format!("{what} types {best} and {ty} cannot be matched");
                return Err(error_at(self, SqlError::new(state::DATATYPE_MISMATCH, text), expr.at));
            }
            if !is_preferred(best) && is_implicit(best, ty) && !is_implicit(ty, best) {
                best = ty;
            }
        }
        Ok(best)
    }

    /// Brings all to their common type.
    pub(super) fn unify(&mut self, exprs: Vec<Typed>, what: &str) -> SqlResult<(Type, Vec<Typed>)> {
        self.check_collations(&exprs)?;
        let ty = self.common_type(&exprs.iter().collect::<Vec<_>>(), what)?;
        let typmod = common_typmod(exprs.iter());
        let mut out = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let (from, at) = (expr.ty, expr.at);
            // Where lengths differ, or go with the array, values take their blanks along.
            let pad = ty == Type::BPCHAR
                && !self.faithful
                && expr.ty == ty
                && (what == "ARRAY" || what != "IN" && typmod == NO_TYPMOD);
            let expr = if pad { expr.padded() } else { expr };
            match self.try_coerce(expr, ty, NO_TYPMOD, CastContext::Implicit)? {
                Some(expr) => out.push(expr.typmod(typmod)),
                None => {
                    let (from, ty) = (self.type_name(from), self.type_name(ty));
                    let text = format!("{what} could not convert type {from} to {ty}");
                    return Err(error_at(self, SqlError::new(state::CANNOT_COERCE, text), at));
                }
            }
        }
        Ok((ty, out))
    }
}

/// The modifier that all share, if they do.
pub(super) fn common_typmod<'t>(mut exprs: impl Iterator<Item = &'t Typed>) -> i32 {
    let Some(first) = exprs.next() else { return NO_TYPMOD };
    if exprs.all(|e| e.typmod == first.typmod && e.ty == first.ty) { first.typmod } else { NO_TYPMOD }
}

/// The same value under another type.
fn relabel(expr: Typed, to: Type) -> Typed {
    let at = expr.at;
    // A column stays a column, so that its index and its place in GROUP BY are found.
    let node = match expr.node {
        // It was declared to compare as what it was.
        Node::Column(column) if to == Type::BPCHAR && expr.ty != to => {
            Node::Column(Column { collated: false, ..column })
        }
        node @ (Node::Column(_) | Node::Kept { .. } | Node::Const(_) | Node::Query(_)) => node,
        node => {
            let (ty, typmod, explicit) = (expr.ty, expr.typmod, expr.explicit);
            Node::Apply(Op::Relabel, vec![Typed { ty, typmod, node, at, explicit }])
        }
    };
    Typed { explicit: expr.explicit, ..Typed::new(to, node).at(at) }
}

/// Casts of constants that are worth doing here: they make `numeric_column = 5` a comparison with a constant.
pub(super) fn fold(from: Type, value: &Value, to: Type) -> Option<Value> {
    match (from, value, to) {
        (_, Value::Null, _) => Some(Value::Null),
        (Type::INT2 | Type::INT4 | Type::INT8, Value::Int(i), _) => match to {
            Type::INT2 => i16::try_from(*i).ok().map(|i| Value::Int(i.into())),
            Type::INT4 => i32::try_from(*i).ok().map(|i| Value::Int(i.into())),
            Type::OID => u32::try_from(*i).ok().map(|i| Value::Int(i.into())),
            Type::INT8 => Some(Value::Int(*i)),
            Type::FLOAT8 => Some(Value::Real(*i as f64)),
            Type::NUMERIC | Type::TEXT => Some(Value::Text(i.to_string())),
            _ => None,
        },
        (Type::NUMERIC, Value::Text(digits), Type::FLOAT8) => {
            digits.parse().ok().filter(|f: &f64| f.is_finite()).map(Value::Real)
        }
        _ => None,
    }
}

/// The name of a type as a select list's column is called by it (`pg_type.typname`).
pub(super) fn column_name(ty: &DataType) -> String {
    match ty {
        DataType::Custom(name, _) => name.0.last().and_then(|p| p.as_ident()).map_or_else(String::new, fold_name),
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => column_name(element),
        other => match data_type(other) {
            Ok((ty, _)) => ty.info().map_or("?column?", |info| info.name).to_owned(),
            Err(_) => "?column?".into(),
        },
    }
}
