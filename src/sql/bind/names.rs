//! Which names are visible where: FROM items, their columns, and the nesting of queries.

use super::{Binder, Notes, error_at, spot};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::sql::catalog::{FIRST_USER_OID, Relation, RelationKind, Source};
use crate::sql::ir::{Column, FromItem, Named, Node, Op, Over, Typed};
use crate::sql::{Means, Variable, lex};
use crate::types::Type;
use crate::types::record::Field;
use crate::value::Value;
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::tokenizer::Location;
use std::rc::Rc;
use std::sync::Arc;

/// A FROM item.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub id: usize,
    pub alias: String,
    /// The schema by which it may be qualified: only for relations without an alias.
    pub schema: Option<String>,
    pub relation: Option<Arc<Relation>>,
    pub columns: Vec<Named>,
    /// A function's item of one column: its row is that value.
    pub scalar: bool,
    /// An outer join may leave its row out.
    pub optional: bool,
    /// Its rows are numbered, in a column `ordinality`.
    pub numbered: bool,
    /// A query in parentheses, which can tell by one more column that there is a row.
    pub derived: bool,
}

/// Columns of every table that `*` does not mean.
pub(super) const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"];

/// What a FROM clause, or a part of one, makes visible.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub ranges: Vec<Range>,
    /// What `*` means, and where unqualified names are looked up: columns merged by USING are one.
    pub columns: Vec<Named>,
}

/// Where in a query an expression stands: what is allowed there, and how errors call the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    From,
    On,
    Where,
    GroupBy,
    Having,
    OrderBy,
    Limit,
    Values,
    /// The only row of INSERT … VALUES, where functions may yield rows.
    Row,
    Set,
    Returning,
    Filter,
    Window,
    /// Inside the arguments of an aggregate.
    Aggregate,
    /// An expression that a table keeps.
    Column(Kept),
}

/// What an expression is kept for: it is computed again for each row that is stored, also while the log is applied, so it
/// has neither rows of its own nor others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Default,
    Check,
    Generated,
    Index,
    Predicate,
    /// ALTER COLUMN … TYPE … USING
    Transform,
    /// A domain's condition on `VALUE`.
    Domain,
    /// COPY … FROM … WHERE: kept for as long as it takes.
    Copied,
}

impl Kept {
    /// In messages; with an `s` behind it for several.
    pub fn name(self) -> &'static str {
        match self {
            Kept::Default => "DEFAULT expression",
            Kept::Check | Kept::Domain => "check constraint",
            Kept::Generated => "column generation expression",
            Kept::Index => "index expression",
            Kept::Predicate => "index predicate",
            Kept::Transform => "transform expression",
            Kept::Copied => "COPY FROM WHERE condition",
        }
    }

    fn names(self) -> &'static str {
        match self {
            Kept::Default => "DEFAULT expressions",
            Kept::Check | Kept::Domain => "check constraints",
            Kept::Generated => "column generation expressions",
            Kept::Index => "index expressions",
            Kept::Predicate => "index predicates",
            Kept::Transform => "transform expressions",
            Kept::Copied => "COPY FROM WHERE conditions",
        }
    }
}

impl Clause {
    pub fn allows_aggregates(self) -> bool {
        matches!(self, Clause::Select | Clause::Having | Clause::OrderBy | Clause::Window)
    }

    pub fn allows_windows(self) -> bool {
        matches!(self, Clause::Select | Clause::OrderBy)
    }

    pub fn name(self) -> &'static str {
        match self {
            Clause::Select => "SELECT",
            Clause::From => "functions in FROM",
            Clause::On => "JOIN conditions",
            Clause::Where => "WHERE",
            Clause::GroupBy => "GROUP BY",
            Clause::Having => "HAVING",
            Clause::OrderBy => "ORDER BY",
            Clause::Limit => "LIMIT",
            Clause::Values | Clause::Row => "VALUES",
            Clause::Set => "UPDATE",
            Clause::Returning => "RETURNING",
            Clause::Filter => "FILTER",
            Clause::Window => "window definitions",
            Clause::Aggregate => "aggregate arguments",
            Clause::Column(kept) => kept.names(),
        }
    }
}

/// One query of the nest that is being bound.
#[derive(Debug)]
pub(super) struct Level {
    pub names: Names,
    pub clause: Clause,
    /// Columns of outer levels that this one reads.
    pub outer: Vec<Column>,
    /// Named windows.
    pub windows: Vec<(String, Over)>,
    /// Set-returning functions of the select list, in order.
    pub sets: Vec<FromItem>,
    /// How many relations and queries stand in FROM.
    pub sources: usize,
    /// FROM items that are there, but not for what is being bound.
    pub hidden: Vec<(String, Hidden)>,
    /// The number of the table that is being changed, while what stands beside it in FROM or USING is bound: nothing
    /// there may name it.
    pub barred: Option<usize>,
    /// Within what no function may yield rows.
    pub no_sets: Option<&'static str>,
    /// Direct arguments of ordered-set aggregates: they are computed once for a group.
    pub direct: Vec<Typed>,
}

/// Why a FROM item cannot be named.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hidden {
    /// It stands beside a subquery without LATERAL.
    Sibling,
    /// It stands on the left of a RIGHT or FULL JOIN.
    Outer,
}

impl Level {
    pub fn new(clause: Clause) -> Level {
        Level {
            names: Names::default(),
            clause,
            outer: Vec::new(),
            windows: Vec::new(),
            sets: Vec::new(),
            sources: 0,
            hidden: Vec::new(),
            barred: None,
            no_sets: None,
            direct: Vec::new(),
        }
    }

    /// Errors: 42P10 for what is there to be found, and may not be named here.
    pub fn check_barred(&self, range: &Range) -> SqlResult<()> {
        match self.barred == Some(range.id) {
            true => Err(out_of_reach(state::INVALID_COLUMN_REFERENCE, &range.alias)),
            false => Ok(()),
        }
    }
}

/// The error of a FROM item that is there, but not for this part of the query.
fn out_of_reach(code: SqlState, table: &str) -> SqlError {
    SqlError::new(code, format!("invalid reference to FROM-clause entry for table \"{table}\"")).hint(format!(
        "There is an entry for table \"{table}\", but it cannot be referenced from this part of the query."
    ))
}

impl Names {
    /// `self` and `other` side by side.
    pub fn append(&mut self, other: Names) -> SqlResult<()> {
        self.check_aliases(&other)?;
        self.ranges.extend(other.ranges);
        self.columns.extend(other.columns);
        Ok(())
    }

    /// How many FROM items and columns there are.
    pub fn extent(&self) -> (usize, usize) {
        (self.ranges.len(), self.columns.len())
    }

    /// What was appended after there were so many.
    pub fn split_off(&mut self, (ranges, columns): (usize, usize)) -> Names {
        Names { ranges: self.ranges.split_off(ranges), columns: self.columns.split_off(columns) }
    }

    /// Errors: 42712 if a FROM item of `other` is called like one of these.
    pub fn check_aliases(&self, other: &Names) -> SqlResult<()> {
        for range in &other.ranges {
            let clash = |r: &Range| r.alias == range.alias && (r.schema.is_none() || r.schema == range.schema);
            if !range.alias.is_empty() && self.ranges.iter().any(clash) {
                return Err(SqlError::new(
                    state::DUPLICATE_ALIAS,
                    format!("table name \"{}\" specified more than once", range.alias),
                ));
            }
        }
        Ok(())
    }

    pub fn of(range: Range) -> Names {
        Names { columns: range.columns.clone(), ranges: vec![range] }
    }

    pub fn find(&self, name: &str) -> SqlResult<Option<&Named>> {
        let mut found = self.columns.iter().filter(|c| c.name == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => {
                Err(SqlError::new(state::AMBIGUOUS_COLUMN, format!("column reference \"{name}\" is ambiguous")))
            }
            (first, None) => Ok(first),
        }
    }

    pub fn range(&self, schema: Option<&str>, alias: &str) -> Option<&Range> {
        self.ranges.iter().find(|r| r.alias == alias && schema.is_none_or(|s| r.schema.as_deref() == Some(s)))
    }
}

impl Range {
    /// The item's whole row: NULL where an outer join has none.
    pub fn row(&self) -> Typed {
        if let ([column], true) = (&self.columns[..], self.scalar) {
            return column.expr.clone();
        }
        let own = |i: usize| self.relation.as_ref().and_then(|r| r.columns.get(i)).map(|c| &c.name);
        let fields = self.columns.iter().enumerate().map(|(i, column)| Field {
            name: own(i).unwrap_or(&column.name).clone(),
            ty: column.expr.ty,
            typmod: column.expr.typmod,
        });
        let fields = fields.collect();
        let mut args: Vec<Typed> = self.columns.iter().map(|column| column.expr.clone()).collect();
        if self.optional {
            args.push(self.is_there(&args));
        }
        Typed::apply(Type::RECORD, Op::Record(Rc::new(fields)), args)
    }

    /// Whether its row needs a mark that there is one.
    pub fn wants_mark(&self) -> bool {
        self.optional && self.derived && !self.numbered
    }

    /// Whether there is a row: by the rowid of a table, the row's number or a mark; a WITH query has one if any of its columns
    /// has a value.
    fn is_there(&self, columns: &[Typed]) -> Typed {
        match &self.relation {
            _ if self.numbered => {
                let number = Column::of(self.id, format!("t{}", self.id), "ordinality");
                Typed::test(Op::IsNotNull, vec![Typed::new(Type::INT8, Node::Column(number))])
            }
            _ if self.derived => {
                let mark = Column::of(self.id, format!("t{}", self.id), format!("c{}", self.columns.len() + 1));
                Typed::test(Op::IsNotNull, vec![Typed::new(Type::BOOL, Node::Column(mark))])
            }
            Some(relation) if matches!(relation.source, Source::Table(_)) => {
                let rowid = Column::of(self.id, format!("t{}", self.id), relation.rowid_name());
                Typed::test(Op::IsNotNull, vec![Typed::new(Type::INT8, Node::Column(rowid))])
            }
            _ => Typed::test(Op::Not, vec![Typed::test(Op::IsNull, columns.to_vec())]),
        }
    }

    /// A column of the FROM item, or one that every table has.
    pub fn find(&self, name: &str) -> SqlResult<Option<Typed>> {
        let mut found = self.columns.iter().filter(|c| c.name == name);
        match (found.next(), found.next(), name, &self.relation) {
            (Some(_), Some(_), ..) => {
                Err(SqlError::new(state::AMBIGUOUS_COLUMN, format!("column reference \"{name}\" is ambiguous")))
            }
            (Some(column), ..) => Ok(Some(column.expr.clone())),
            (None, _, name, Some(relation)) => Ok(self.system_column(name, relation)),
            _ => Ok(None),
        }
    }

    /// What every table has. There are no transactions to be numbered: `xmin` is a number that changes with the row, and
    /// `xmax` tells rows that INSERT … ON CONFLICT has updated from those that it has stored.
    fn system_column(&self, name: &str, relation: &Relation) -> Option<Typed> {
        if name == "tableoid" {
            return Some(Typed::constant(Type::OID, Value::Int(relation.oid.into())));
        }
        let stored = matches!(relation.source, Source::Table(_));
        if !SYSTEM_COLUMNS.contains(&name) || matches!(relation.kind, RelationKind::View { .. }) {
            return None;
        }
        let qualifier = self.columns.first().and_then(|c| match &c.expr.node {
            Node::Column(column) => column.qualifier.clone(),
            _ => None,
        });
        let qualifier = qualifier.unwrap_or_else(|| format!("t{}", self.id).into());
        let rowid = || {
            let column = Column { attnum: -1, ..Column::of(self.id, qualifier.clone(), relation.rowid_name()) };
            vec![Typed::new(Type::INT8, Node::Column(column))]
        };
        Some(match name {
            "ctid" if stored => Typed::apply(Type::TID, Op::Internal("q_ctid"), rowid()),
            "ctid" => Typed::constant(Type::TID, Value::Text("(0,1)".into())),
            "xmin" if stored => {
                let values = self.columns.iter().map(|column| column.expr.clone()).collect();
                Typed::apply(Type::XID, Op::Internal("q_xmin"), values)
            }
            "xmin" => Typed::constant(Type::XID, Value::Int(3)),
            "xmax" if stored => Typed::apply(Type::XID, Op::Internal("q_xmax"), rowid()),
            "xmax" => Typed::constant(Type::XID, Value::Int(0)),
            _ => Typed::constant(Type::CID, Value::Int(0)),
        })
    }
}

/// An identifier as Postgres folds it.
pub(crate) fn fold(ident: &Ident) -> String {
    lex::fold(&ident.value, ident.quote_style.is_some())
}

/// The parts of a possibly qualified name, folded.
pub(crate) fn parts(name: &ObjectName) -> SqlResult<Vec<String>> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Ok(fold(ident)),
            ObjectNamePart::Function(f) => Err(SqlError::unsupported(format!("{f} as a name"))),
        })
        .collect()
}

/// Schema and name of a relation's name; a database name in front is dropped.
pub(crate) fn schema_and_name(name: &ObjectName) -> SqlResult<(Option<String>, String)> {
    let mut parts = parts(name)?;
    let last = parts.pop().ok_or_else(|| SqlError::syntax("zero-length name"))?;
    Ok((parts.pop(), last))
}

pub(crate) fn name_start(name: &ObjectName) -> Location {
    match name.0.first() {
        Some(ObjectNamePart::Identifier(ident)) => ident.span.start,
        _ => Location::empty(),
    }
}

/// Both a variable of a program's and something of the statement's have this name.
fn ambiguous(names: &[String]) -> SqlError {
    let text = format!("column reference \"{}\" is ambiguous", names.join("."));
    let detail = "It could refer to either a PL/pgSQL variable or a table column.";
    SqlError::new(state::AMBIGUOUS_COLUMN, text).detail(detail)
}

impl<'a> Binder<'a> {
    pub(super) fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("expressions are bound inside a level")
    }

    /// Runs `f` while `clause` is being bound.
    pub(super) fn within<R>(&mut self, clause: Clause, f: impl FnOnce(&mut Self) -> SqlResult<R>) -> SqlResult<R> {
        let before = std::mem::replace(&mut self.level().clause, clause);
        let result = f(self);
        self.level().clause = before;
        result
    }

    /// What a chain of identifiers that begins an expression means, and how many of them it took.
    pub(super) fn column(&mut self, idents: &[Ident]) -> SqlResult<(Typed, usize)> {
        let names: Vec<String> = idents.iter().map(fold).collect();
        let at = idents[0].span.start;
        for depth in (0..self.levels.len()).rev() {
            if let Some((expr, taken)) = lookup(&self.levels[depth], &names).map_err(|e| error_at(self, e, at))? {
                if let Some((_, taken)) = self.variable(&names) {
                    return Err(error_at(self, ambiguous(&names[..taken]), at));
                }
                self.note_outer(depth, &expr);
                self.note_surface(&expr);
                if SYSTEM_COLUMNS.contains(&names[taken - 1].as_str()) && !matches!(expr.node, Node::Column(_)) {
                    self.note_folded();
                }
                self.note_column(&idents[taken - 1], &expr);
                return Ok((expr.at(at), taken));
            }
        }
        if let Some((variable, taken)) = self.variable(&names) {
            let is_range = |name: &String| self.levels.iter().any(|level| level.names.range(None, name).is_some());
            if names.len() == 1 && is_range(&names[0]) {
                return Err(error_at(self, ambiguous(&names), at));
            }
            let (value, field) = self.value_of(variable, names.get(taken))?;
            return Ok((value.at(at), taken + usize::from(field)));
        }
        // A FROM item's whole row: only if nowhere there is a column of that name.
        if let [name] = &names[..] {
            for depth in (0..self.levels.len()).rev() {
                if let Some(range) = self.levels[depth].names.range(None, name) {
                    self.levels[depth].check_barred(range).map_err(|e| error_at(self, e, at))?;
                    let (row, mark) = (range.row(), range.wants_mark().then_some(range.id));
                    self.marks.extend(mark);
                    row.children(&mut |column| self.note_surface(column));
                    let row = self.labelled(row)?;
                    self.note_outer(depth, &row);
                    return Ok((row.at(at), 1));
                }
            }
        }
        Err(error_at(self, self.no_column(&names), at))
    }

    /// Which of the program's variables a chain of names begins with, and how many of the names are its own.
    pub(super) fn variable(&self, names: &[String]) -> Option<(&'a Variable, usize)> {
        // What the catalog keeps knows none.
        if !self.allow_params || !self.views.is_empty() {
            return None;
        }
        let variables = self.scope.variables.iter().filter(|variable| names.starts_with(&variable.names));
        variables.map(|variable| (variable, variable.names.len())).next()
    }

    /// The value of a variable, or of its field if it has one of that name, and whether it is that.
    pub(super) fn value_of(&mut self, variable: &Variable, field: Option<&String>) -> SqlResult<(Typed, bool)> {
        let (fields, is_null) = match &variable.means {
            Means::Parameter(n) => return Ok((self.parameter(&format!("${n}"))?, false)),
            Means::Record { fields, is_null } => (fields, *is_null),
        };
        if let Some((_, n)) = fields.iter().find(|(name, _)| Some(name) == field) {
            return Ok((self.parameter(&format!("${n}"))?, true));
        }
        let fields = self.fields_of_variable(variable)?;
        let field = |f: &Named| Field { name: f.name.clone(), ty: f.expr.ty, typmod: f.expr.typmod };
        let shape = fields.iter().map(field).collect();
        // Whether there is a row at all.
        let values = fields.into_iter().map(|f| f.expr).chain(is_null.then(|| Typed::bool(false))).collect();
        let record = Typed::apply(Type::RECORD, Op::Record(Rc::new(shape)), values);
        Ok((self.labelled(record)?, false))
    }

    /// The fields of a record's variable.
    pub(super) fn fields_of_variable(&mut self, variable: &Variable) -> SqlResult<Vec<Named>> {
        let Means::Record { fields, .. } = &variable.means else {
            let name = variable.names.last().cloned().unwrap_or_default();
            return Err(self.no_range(&name));
        };
        let mut named =
            |(name, n): &(String, usize)| Ok(Named { name: name.clone(), expr: self.parameter(&format!("${n}"))? });
        fields.iter().map(&mut named).collect()
    }

    /// The notes, if somebody wants them, while the text itself is bound: what stands in the texts of views is not in it.
    pub(super) fn own_notes(&mut self) -> Option<&mut Notes> {
        self.notes.as_mut().filter(|_| self.views.is_empty())
    }

    /// Notes what a name in the text means.
    fn note_column(&mut self, ident: &Ident, expr: &Typed) {
        if let (Some(notes), Node::Column(column)) = (self.own_notes(), &expr.node)
            && column.table != 0
        {
            notes.columns.push((ident.span.start, column.table, column.attnum));
        }
    }

    /// Notes something of the user's that the text needs, other than a column.
    pub(super) fn note_object(&self, class: u32, oid: u32) {
        if let (Some(notes), true) = (&self.notes, self.views.is_empty() && oid >= FIRST_USER_OID) {
            notes.objects.borrow_mut().insert((class, oid, 0));
        }
    }

    /// Notes what a `*` stands for.
    pub(super) fn note_star(&mut self, at: Location, columns: &[Named]) {
        if self.own_notes().is_none() {
            return;
        }
        let ranges = &self.level().names.ranges;
        let of = |column: &Named| ranges.iter().find(|r| r.columns.contains(column)).map(|r| r.alias.clone());
        let meant = columns.iter().map(|c| (of(c).filter(|alias| !alias.is_empty()), c.name.clone())).collect();
        if let Some(notes) = self.own_notes() {
            notes.stars.insert(spot(at), meant);
        }
    }

    /// Notes what a NATURAL JOIN compares.
    pub(super) fn note_natural(&mut self, at: Location, columns: &[String]) {
        if let Some(notes) = self.own_notes() {
            notes.naturals.insert(spot(at), columns.to_vec());
        }
    }

    /// Notes that a tree says less than its text.
    pub(super) fn note_folded(&mut self) {
        if let Some(notes) = self.own_notes() {
            notes.folded = true;
        }
    }

    /// Notes what the ON of a join says.
    pub(super) fn note_condition(&mut self, at: Location, on: &Typed) {
        if let Some(notes) = self.own_notes() {
            notes.conditions.insert(spot(at), on.clone());
        }
    }

    /// Tells every query between that it reads a column from outside.
    pub(super) fn note_outer(&mut self, depth: usize, expr: &Typed) {
        if depth + 1 == self.levels.len() {
            return;
        }
        let mut columns = Vec::new();
        expr.walk(&mut |e| {
            if let Node::Column(column) = &e.node {
                columns.push(column.clone());
            }
            true
        });
        for level in &mut self.levels[depth + 1..] {
            level.outer.extend(columns.iter().cloned());
        }
    }

    /// The error of a table that FROM does not have, at least not under its name.
    pub(super) fn no_range(&self, table: &str) -> SqlError {
        let ranges = self.levels.iter().rev().flat_map(|level| level.names.ranges.iter().map(move |r| (level, r)));
        let mut renamed = ranges.filter(|(_, range)| range.relation.as_ref().is_some_and(|r| r.name == *table));
        match renamed.next() {
            Some((level, range)) if level.check_barred(range).is_err() => {
                out_of_reach(state::INVALID_COLUMN_REFERENCE, &range.alias)
            }
            Some((_, range)) => {
                let text = format!("invalid reference to FROM-clause entry for table \"{table}\"");
                let hint = format!("Perhaps you meant to reference the table alias \"{}\".", range.alias);
                SqlError::new(state::UNDEFINED_TABLE, text).hint(hint)
            }
            None => SqlError::new(state::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{table}\"")),
        }
    }

    fn no_column(&self, names: &[String]) -> SqlError {
        let undefined = |text: String| SqlError::new(state::UNDEFINED_COLUMN, text);
        if self.levels.last().is_some_and(|level| level.clause == Clause::Column(Kept::Default)) {
            let text = "cannot use column reference in DEFAULT expression";
            return SqlError::new(state::FEATURE_NOT_SUPPORTED, text);
        }
        match names {
            [_, _, _, _, _, ..] => {
                let name = names.join(".");
                SqlError::syntax(format!("improper qualified name (too many dotted names): {name}"))
            }
            [name] => undefined(format!("column \"{name}\" does not exist")),
            [.., table, name] => {
                let known = self.levels.iter().any(|l| l.names.range(None, table).is_some());
                let hidden = self.levels.iter().flat_map(|l| &l.hidden).rev().find(|(hidden, _)| hidden == table);
                if known {
                    undefined(format!("column {table}.{name} does not exist"))
                } else if let Some((_, why)) = hidden {
                    let text = format!("invalid reference to FROM-clause entry for table \"{table}\"");
                    match why {
                        Hidden::Sibling => out_of_reach(state::UNDEFINED_TABLE, table),
                        Hidden::Outer => SqlError::new(state::INVALID_COLUMN_REFERENCE, text)
                            .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference."),
                    }
                } else {
                    self.no_range(table)
                }
            }
            [] => SqlError::syntax("zero-length name"),
        }
    }
}

/// One level's meaning of `names`: a column, `table.column`, or `schema.table.column`.
fn lookup(level: &Level, names: &[String]) -> SqlResult<Option<(Typed, usize)>> {
    let known = &level.names;
    if names.len() == 1 {
        if let Some(found) = known.find(&names[0])? {
            let mut barred = known.ranges.iter().filter(|range| range.columns.iter().any(|c| c.name == names[0]));
            barred.try_for_each(|range| level.check_barred(range))?;
            return Ok(Some((found.expr.clone(), 1)));
        }
        if SYSTEM_COLUMNS.contains(&&*names[0]) {
            let mut found = Vec::new();
            for range in &known.ranges {
                let column = range.find(&names[0])?;
                column.as_ref().map_or(Ok(()), |_| level.check_barred(range))?;
                found.extend(column);
            }
            return match found.len() {
                0 => Ok(None),
                1 => Ok(found.pop().map(|e| (e, 1))),
                _ => {
                    let text = format!("column reference \"{}\" is ambiguous", names[0]);
                    Err(SqlError::new(state::AMBIGUOUS_COLUMN, text))
                }
            };
        }
        return Ok(None);
    }
    if names.len() >= 3
        && let Some(range) = known.range(Some(&names[0]), &names[1])
    {
        level.check_barred(range)?;
        return Ok(range.find(&names[2])?.map(|e| (e, 3)));
    }
    match known.range(None, &names[0]) {
        Some(range) => {
            level.check_barred(range)?;
            Ok(range.find(&names[1])?.map(|e| (e, 2)))
        }
        None => Ok(None),
    }
}
