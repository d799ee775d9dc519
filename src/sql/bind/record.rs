//! Rows as values: which fields a record has, and how they are reached.
//!
//! The fields of a record are known while a statement is bound, or it has none that can be named: a value tells its fields
//! itself at run time, but no name is looked up there.

use super::names::{fold, name_start, parts};
use super::scalar::fields_of;
use super::{Binder, error_at};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::CastContext;
use crate::sql::catalog::Relation;
use crate::sql::ir::{Body, Named, Node, Op, Typed};
use crate::sql::phrases;
use crate::types::record::{Field, fields, read_text, shape};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{DataType, Expr, Ident, ObjectName};
use std::rc::Rc;

/// The fields of a record.
pub(super) type Shape = Rc<Vec<Field>>;

impl Binder<'_> {
    /// `ROW(…)` as a value; anything else stays as it is.
    pub(super) fn record(&mut self, expr: Typed) -> SqlResult<Typed> {
        let Node::Row(values) = expr.node else { return Ok(expr) };
        let values = values.into_iter().map(|v| self.decide_text(v)).collect::<SqlResult<Vec<_>>>()?;
        let field = |(value, n): (&Typed, usize)| Field { name: format!("f{n}"), ty: value.ty, typmod: value.typmod };
        let fields = values.iter().zip(1..).map(field).collect();
        let record = Typed::apply(Type::RECORD, Op::Record(Rc::new(fields)), values).at(expr.at);
        self.labelled(record)
    }

    /// A record that is whole without the catalog: labels of enums, and names of objects, are texts in it.
    pub(super) fn labelled(&mut self, record: Typed) -> SqlResult<Typed> {
        let Node::Apply(Op::Record(fields), args) = record.node else { return Ok(record) };
        let (mut fields, mut args) = (fields, args);
        let named = |ty: Type| ty.is_reg() || ty.is_reg_array();
        if fields.iter().any(|f| named(f.ty)) && !self.faithful {
            for (field, arg) in Rc::make_mut(&mut fields).iter_mut().zip(&mut args).filter(|(f, _)| named(f.ty)) {
                let name = self.with_name(arg.clone())?;
                field.ty = name.ty;
                *arg = name;
            }
        }
        if fields.iter().any(|f| f.ty.has_labels()) {
            for (field, arg) in Rc::make_mut(&mut fields).iter_mut().zip(&mut args).filter(|(f, _)| f.ty.has_labels()) {
                field.ty = if field.ty.is_array() { Type::TEXT_ARRAY } else { Type::TEXT };
                let label = self.to_client(arg.clone());
                *arg = Typed { ty: field.ty, ..label };
            }
        }
        Ok(Typed { node: Node::Apply(Op::Record(fields), args), ..record })
    }

    /// The fields of a record, as far as they are known.
    pub(super) fn shape_of(&self, expr: &Typed) -> Option<Shape> {
        if expr.ty != Type::RECORD {
            return None;
        }
        match &expr.node {
            Node::Apply(Op::Record(fields), _) => Some(fields.clone()),
            Node::Column(column) => self.shapes.get(&(column.range, column.name.to_string())).cloned(),
            Node::Query(sub) => self.shape_of(&sub.query.body.expr(0)),
            Node::Apply(Op::Case, args) => {
                let results = args.iter().skip(1).step_by(2).chain(args.last());
                results.into_iter().find_map(|result| self.shape_of(result))
            }
            Node::Apply(Op::Coalesce | Op::NullIf(_), args) => args.iter().find_map(|a| self.shape_of(a)),
            Node::Apply(Op::Function(function), args) if function.is_of_rows() || function.has_fields() => {
                match &args.last()?.node {
                    Node::Const(Value::Blob(shape)) => fields(shape).ok().map(Rc::new),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Notes which fields the columns of a query have that becomes a FROM item.
    pub(super) fn note_shapes(&mut self, range: usize, body: &Body) {
        for i in 0..body.width() {
            if let Some(shape) = self.shape_of(&body.expr(i)) {
                self.shapes.insert((range, format!("c{}", i + 1)), shape);
            }
        }
    }

    /// The same of a WITH query, by SQLite's name of it.
    pub(super) fn note_cte_shapes(&mut self, name: &str, body: &Body) {
        for i in 0..body.width() {
            if let Some(shape) = self.shape_of(&body.expr(i)) {
                self.cte_shapes.insert((name.to_owned(), i + 1), shape);
            }
        }
    }

    /// `(record).field`
    ///
    /// Errors: 42703 if it has none of this name, 42809 if it is no record.
    pub(super) fn field(&mut self, record: Typed, name: &Ident) -> SqlResult<Typed> {
        let (record, field) = (self.record(record)?, fold(name));
        let at = name.span.start;
        if record.ty != Type::RECORD {
            let ty = self.type_name(record.ty);
            let text = format!("column notation .{field} applied to type {ty}, which is not a composite type");
            return Err(error_at(self, SqlError::new(state::WRONG_OBJECT_TYPE, text), at));
        }
        let found = self.shape_of(&record).and_then(|shape| {
            let number = shape.iter().position(|f| f.name == field)?;
            Some((number, shape[number].clone()))
        });
        let Some((number, found)) = found else {
            let text = format!("could not identify column \"{field}\" in record data type");
            return Err(error_at(self, SqlError::new(state::UNDEFINED_COLUMN, text), at));
        };
        Ok(field_of(&record, number, &found).at(at))
    }

    /// `(record).*`
    pub(super) fn fields(&mut self, record: Typed) -> SqlResult<Vec<Named>> {
        let (record, at) = (self.record(record)?, Typed::null(Type::RECORD).at);
        let Some(shape) = self.shape_of(&record) else {
            let (code, text) = match record.ty {
                Type::RECORD => (state::FEATURE_NOT_SUPPORTED, "record type has not been registered".to_owned()),
                ty => (state::WRONG_OBJECT_TYPE, format!("type {} is not composite", self.type_name(ty))),
            };
            return Err(error_at(self, SqlError::new(code, text), at));
        };
        let named = |(i, field): (usize, &Field)| Named { name: field.name.clone(), expr: field_of(&record, i, field) };
        Ok(shape.iter().enumerate().map(named).collect())
    }

    /// The whole row of a FROM item of this name, here or in a query around.
    pub(super) fn whole_row(&mut self, name: &ObjectName) -> SqlResult<Typed> {
        let names = parts(name)?;
        let idents: Vec<Ident> = names.last().map(|last| Ident::with_quote('"', last.clone())).into_iter().collect();
        let at = name_start(name);
        for depth in (0..self.levels.len()).rev() {
            let schema = names.len().checked_sub(2).map(|i| names[i].as_str());
            let Some(ident) = idents.first() else { break };
            if let Some(range) = self.levels[depth].names.range(schema, &ident.value) {
                self.levels[depth].check_barred(range).map_err(|e| error_at(self, e, at))?;
                let mark = range.wants_mark().then_some(range.id);
                let row = range.row();
                let row = self.labelled(row)?;
                self.marks.extend(mark);
                self.note_outer(depth, &row);
                return Ok(row.at(at));
            }
        }
        if let Some((variable, _)) = self.variable(&names).filter(|(_, taken)| *taken == names.len()) {
            return Ok(self.value_of(variable, None)?.0.at(at));
        }
        let table = names.last().cloned().unwrap_or_default();
        Err(error_at(self, self.no_range(&table), at))
    }

    /// The values of a row of VALUES, in which `r.*` and `(r).*` are the fields of a record.
    pub(super) fn listed(&mut self, exprs: &[Expr]) -> SqlResult<Vec<Typed>> {
        let mut values = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let fields = match (expr, fields_of(expr)) {
                (_, Some(record)) => {
                    let record = self.expr(record)?;
                    self.fields(record)?
                }
                (Expr::CompoundIdentifier(idents), _) if is_record_star(expr) => {
                    self.table_wildcard(&ObjectName::from(idents[..idents.len() - 1].to_vec()))?
                }
                _ => {
                    values.push(self.expr(expr)?);
                    continue;
                }
            };
            values.extend(fields.into_iter().map(|field| field.expr));
        }
        Ok(values)
    }

    /// The fields of the rows of a table or view by whose name a type is called.
    pub(super) fn row_type(&self, ty: &DataType) -> Option<Shape> {
        let DataType::Custom(name, modifiers) = ty else { return None };
        let names = parts(name).ok().filter(|_| modifiers.is_empty())?;
        let (table, schema) = names.split_last()?;
        let relation = self.scope.catalog.resolve(self.scope.search_path, schema.last().map(String::as_str), table)?;
        Some(row_fields(relation))
    }

    /// Literals in a list beside a row of a table are such rows.
    pub(super) fn listed_beside(&mut self, row: &Typed, items: Vec<Typed>) -> SqlResult<Vec<Typed>> {
        let shape = self.shape_of(row).filter(|_| items.len() > 1 && !matches!(row.node, Node::Row(_)));
        let Some(fields) = shape else { return Ok(items) };
        let row = |item: Typed| match item.node {
            Node::Text(_) if item.is_unknown() => self.cast_to_row(item, fields.clone()),
            _ => Ok(item),
        };
        items.into_iter().map(row).collect()
    }

    /// A value as a row of a table.
    pub(super) fn cast_to_row(&mut self, expr: Typed, fields: Shape) -> SqlResult<Typed> {
        if expr.is_null() && expr.is_unknown() {
            let nulls = fields.iter().map(|f| Typed::null(f.ty).typmod(f.typmod)).chain([Typed::bool(false)]);
            let nulls = nulls.collect();
            return Ok(Typed::apply(Type::RECORD, Op::Record(fields), nulls));
        }
        if let (Node::Text(text), true) = (&expr.node, expr.is_unknown()) {
            let mut values = Vec::with_capacity(fields.len());
            for (value, field) in read_text(text, fields.len())?.into_iter().zip(fields.iter()) {
                let literal = value.map_or(Typed::null(Type::UNKNOWN), |v| Typed::new(Type::UNKNOWN, Node::Text(v)));
                values.push(self.cast(literal.at(expr.at), field.ty, field.typmod)?);
            }
            return Ok(Typed::apply(Type::RECORD, Op::Record(fields), values).at(expr.at));
        }
        if expr.is_unknown() || expr.ty.is_text_like() {
            return Err(error_at(self, SqlError::unsupported("the text form of a row as a value"), expr.at));
        }
        let (from, at) = (expr.ty, expr.at);
        let record = self.record(expr)?;
        let Some(given) = self.shape_of(&record).filter(|given| given.len() == fields.len()) else {
            let text = format!("cannot cast type {} to a row of other columns", self.type_name(from));
            return Err(error_at(self, SqlError::new(state::CANNOT_COERCE, text), at));
        };
        let mut values = Vec::with_capacity(fields.len());
        for (i, (from, to)) in given.iter().zip(fields.iter()).enumerate() {
            let value = field_of(&record, i, from);
            let coerced = self.try_coerce(value, to.ty, to.typmod, CastContext::Explicit)?;
            values.push(coerced.ok_or_else(|| error_at(self, self.cannot_cast(from.ty, to.ty), at))?);
        }
        Ok(Typed::apply(Type::RECORD, Op::Record(fields), values).at(at))
    }
}

/// Whether it is `r.*`, or `(r).*`.
pub(super) fn is_record_star(expr: &Expr) -> bool {
    let whole = |idents: &[Ident]| idents.len() > 1 && idents.last().is_some_and(|last| last.value == phrases::ROW);
    matches!(expr, Expr::CompoundIdentifier(idents) if whole(idents)) || fields_of(expr).is_some()
}

/// The fields of a relation's rows.
pub(super) fn row_fields(relation: &Relation) -> Shape {
    let field = |c: &crate::sql::catalog::Column| Field { name: c.name.clone(), ty: c.ty, typmod: c.typmod };
    Rc::new(relation.columns.iter().map(field).collect())
}

/// A shape as the argument of a function.
pub(super) fn shape_argument(fields: &[Field]) -> Typed {
    Typed::constant(Type::BYTEA, Value::Blob(shape(fields)))
}

fn field_of(record: &Typed, number: usize, field: &Field) -> Typed {
    if let Node::Apply(Op::Record(_), args) = &record.node {
        return args[number].clone();
    }
    Typed::apply(field.ty, Op::Field(number), vec![record.clone()]).typmod(field.typmod)
}

/// A field without a type modifier.
pub(super) fn plain_field(name: &str, ty: Type) -> Field {
    Field { name: name.to_owned(), ty, typmod: NO_TYPMOD }
}
