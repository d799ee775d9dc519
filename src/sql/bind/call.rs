//! Which operator or function a call means (PostgreSQL documentation, chapter 10), and the call itself.

use super::coerce::{category, is_implicit, is_preferred};
use super::{Binder, error_at};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::{Function, Native, Operator, builtin, lookup_functions, lookup_operators};
use crate::rights::{SELECT, UPDATE, USAGE};
use crate::sql::access;
use crate::sql::catalog::{Relation, RelationKind, collation_name};
use crate::sql::ir::{Explicit, Infix, Node, Op, Typed};
use crate::sql::plan::Effort;
use crate::types::{Type, format_type_plain};
use crate::value::Value;
use sqlparser::tokenizer::Location;
use std::sync::Arc;

/// A signature as the choice sees it: one declared type for each argument that is there.
struct Candidate<T> {
    item: T,
    args: Vec<Type>,
}

/// A function with its arguments as it wants them and the type of its result; or the arguments back, if none takes them.
pub(super) type Resolved = Result<(&'static Function, Vec<Typed>, Type), Vec<Typed>>;

/// What the choice among signatures came to.
enum Choice<T> {
    One(T, Vec<Type>),
    None,
    Ambiguous,
}

fn accepts(declared: Type, given: Type) -> bool {
    match declared {
        Type::ANY | Type::ANYELEMENT | Type::ANYCOMPATIBLE => true,
        Type::ANYNONARRAY => !given.is_array(),
        Type::ANYARRAY | Type::ANYCOMPATIBLEARRAY => given == Type::UNKNOWN || given.is_array(),
        Type::ANYENUM => given == Type::UNKNOWN || given.is_enum(),
        _ => is_implicit(given, declared),
    }
}

fn is_exact(declared: Type, given: Type) -> bool {
    declared == given
}

/// Keeps the candidates for which `score` is highest.
fn keep_best<T>(candidates: &mut Vec<Candidate<T>>, score: impl Fn(&Candidate<T>) -> usize) {
    let best = candidates.iter().map(&score).max().unwrap_or(0);
    candidates.retain(|c| score(c) == best);
}

/// Whether the candidate's polymorphic arguments can all mean one type.
fn consistent(declared: &[Type], given: &[Type]) -> bool {
    let mut element: Option<Type> = None;
    let mut compatible: Option<char> = None;
    declared.iter().zip(given).all(|(declared, given)| {
        let loose = match *declared {
            Type::ANYCOMPATIBLE => *given,
            Type::ANYCOMPATIBLEARRAY => given.element().unwrap_or(Type::UNKNOWN),
            _ => Type::UNKNOWN,
        };
        if loose != Type::UNKNOWN {
            let this = category(loose);
            return *compatible.get_or_insert(this) == this;
        }
        let this = match *declared {
            Type::ANYELEMENT | Type::ANYNONARRAY | Type::ANYENUM => *given,
            Type::ANYARRAY => given.element().unwrap_or(Type::UNKNOWN),
            _ => return true,
        };
        if this == Type::UNKNOWN {
            return true;
        }
        *element.get_or_insert(this) == this
    })
}

fn choose<T>(mut candidates: Vec<Candidate<T>>, given: &[Type]) -> Choice<T> {
    let unknown = |i: usize| given[i] == Type::UNKNOWN;
    let one = |c: Candidate<T>| Choice::One(c.item, c.args);
    let exact = |c: &Candidate<T>| c.args.iter().zip(given).all(|(d, g)| is_exact(*d, *g));
    if let Some(at) = candidates.iter().position(exact) {
        return one(candidates.swap_remove(at));
    }
    candidates.retain(|c| c.args.iter().zip(given).all(|(d, g)| accepts(*d, *g)) && consistent(&c.args, given));
    let known: Vec<usize> = (0..given.len()).filter(|i| !unknown(*i)).collect();
    if candidates.len() > 1 {
        keep_best(&mut candidates, |c| known.iter().filter(|i| is_exact(c.args[**i], given[**i])).count());
    }
    if candidates.len() > 1 {
        keep_best(&mut candidates, |c| {
            let good = |i: &&usize| {
                let declared = c.args[**i];
                is_exact(declared, given[**i]) || is_preferred(declared) && category(declared) == category(given[**i])
            };
            known.iter().filter(good).count()
        });
    }
    if candidates.len() > 1 && known.len() < given.len() {
        by_category(&mut candidates, given);
    }
    if candidates.len() > 1 && !known.is_empty() && known.len() < given.len() {
        // All known arguments of one type: the unknown ones may be of it, too.
        let ty = given[known[0]];
        if known.iter().all(|i| given[*i] == ty) {
            let all = vec![ty; given.len()];
            let fits = |c: &Candidate<T>| c.args.iter().all(|d| accepts(*d, ty)) && consistent(&c.args, &all);
            if candidates.iter().filter(|c| fits(c)).count() == 1 {
                candidates.retain(fits);
            }
        }
    }
    match candidates.len() {
        0 => Choice::None,
        1 => candidates.pop().map_or(Choice::None, one),
        _ => Choice::Ambiguous,
    }
}

/// Unknown arguments: prefer strings, else the category all candidates agree on, and in it the preferred type.
fn by_category<T>(candidates: &mut Vec<Candidate<T>>, given: &[Type]) {
    let mut wanted = Vec::new();
    for i in (0..given.len()).filter(|i| given[*i] == Type::UNKNOWN) {
        let mut categories: Vec<char> = candidates.iter().map(|c| category(c.args[i])).collect();
        categories.dedup();
        let string = categories.contains(&'S');
        let chosen = if string { 'S' } else { categories[0] };
        if !string && categories.iter().any(|c| *c != chosen) {
            return;
        }
        let preferred = candidates.iter().any(|c| category(c.args[i]) == chosen && is_preferred(c.args[i]));
        wanted.push((i, chosen, preferred));
    }
    let fits = |c: &Candidate<T>| {
        wanted
            .iter()
            .all(|(i, chosen, preferred)| category(c.args[*i]) == *chosen && (!preferred || is_preferred(c.args[*i])))
    };
    if candidates.iter().any(fits) {
        candidates.retain(fits);
    }
}

/// What the pseudo-types of a signature mean in one call.
#[derive(Default)]
struct Meaning {
    element: Option<Type>,
    compatible: Option<Type>,
}

impl Meaning {
    fn of(&self, declared: Type, given: Type) -> SqlResult<Type> {
        let undetermined = || {
            SqlError::new(
                state::DATATYPE_MISMATCH,
                "could not determine polymorphic type because input has type unknown",
            )
        };
        let array = |element: Option<Type>| {
            let element = element.ok_or_else(undetermined)?;
            element.array().ok_or_else(|| {
                let text = format!("could not find array type for data type {}", format_type_plain(element));
                SqlError::new(state::UNDEFINED_OBJECT, text)
            })
        };
        match declared {
            Type::ANY => Ok(if given == Type::UNKNOWN { Type::TEXT } else { given }),
            Type::ANYELEMENT | Type::ANYNONARRAY | Type::ANYENUM => self.element.ok_or_else(undetermined),
            Type::ANYCOMPATIBLE => self.compatible.ok_or_else(undetermined),
            Type::ANYARRAY if given.is_array() => Ok(given),
            Type::ANYARRAY => array(self.element),
            Type::ANYCOMPATIBLEARRAY => array(self.compatible),
            other => Ok(other),
        }
    }
}

impl Function {
    /// The declared types of a call with `given` arguments; `None` if it does not take that many.
    fn expanded(&self, given: usize) -> Option<Vec<Type>> {
        let declared = self.args.len();
        let mut args = self.args.to_vec();
        if self.variadic && given >= declared {
            args.resize(given, *self.args.last()?);
        }
        if given > args.len() || given + usize::from(self.optional) < args.len() {
            return None;
        }
        args.truncate(given);
        Some(args)
    }
}

impl Binder<'_> {
    /// Errors: 42P21 for values that COLLATE gives different collations.
    pub(super) fn check_collations(&self, args: &[Typed]) -> SqlResult<()> {
        let mut explicit = args.iter().map(|arg| arg.explicit).filter(|said| said.collation != 0);
        let Some(first) = explicit.next() else { return Ok(()) };
        let Some(other) = explicit.find(|said| said.collation != first.collation) else { return Ok(()) };
        let place = |said: &Explicit| (said.at.line, said.at.column);
        let [first, other] = if place(&other) < place(&first) { [other, first] } else { [first, other] };
        let [first, name] = [first, other].map(|said| collation_name(said.collation));
        let text = format!("collation mismatch between explicit collations \"{first}\" and \"{name}\"");
        Err(error_at(self, SqlError::new(state::COLLATION_MISMATCH, text), other.at))
    }

    /// The number of a parameter whose type nothing has decided yet.
    pub(super) fn undecided(&self, expr: &Typed) -> Option<usize> {
        match expr.node {
            Node::Param(n) if expr.ty == Type::UNKNOWN && self.params[n - 1].is_none() => Some(n),
            _ => None,
        }
    }

    fn given(&self, args: &[Typed]) -> Vec<Type> {
        args.iter()
            .map(|arg| match (&arg.node, arg.ty) {
                (Node::Param(n), Type::UNKNOWN) => self.params[n - 1].unwrap_or(Type::UNKNOWN),
                (Node::Array(items), Type::UNKNOWN) if !items.is_empty() => Type::TEXT_ARRAY,
                (_, ty) => ty,
            })
            .collect()
    }

    /// An operator applied: `left` is `None` for a prefix operator.
    pub(super) fn operator(&mut self, name: &str, left: Option<Typed>, right: Typed) -> SqlResult<Typed> {
        self.operator_at(name, left, right, Location::empty())
    }

    pub(super) fn operator_at(
        &mut self,
        name: &str,
        left: Option<Typed>,
        right: Typed,
        at: Location,
    ) -> SqlResult<Typed> {
        let (infix, args, result) = self.resolve_operator(name, left, right, at)?;
        Ok(Typed::apply(result, Op::Operator(infix), args).at(at))
    }

    /// The `=` of two values: how they compare, and the values as it wants them.
    pub(super) fn equality(&mut self, left: Typed, right: Typed) -> SqlResult<(Infix, Vec<Typed>)> {
        let (infix, args, _) = self.resolve_operator("=", Some(left), right, Location::empty())?;
        Ok((infix, args))
    }

    /// The operator that is meant, with its arguments as it wants them, and the type of its result.
    fn resolve_operator(
        &mut self,
        name: &str,
        left: Option<Typed>,
        right: Typed,
        at: Location,
    ) -> SqlResult<(Infix, Vec<Typed>, Type)> {
        let name = if name == "!=" { "<>" } else { name };
        let infix = left.is_some();
        let args: Vec<Typed> = left.into_iter().chain([right]).collect();
        let (operator, declared) = self.choose_operator(name, infix, &args, at)?;
        if is_heavy(operator.name) {
            self.effort = self.effort.max(Effort::Pass);
        }
        let compares = operator.native != Native::No;
        let (mut args, result) = self.coerce_arguments(args, &declared, operator.result, !compares)?;
        if operator.name == "||" && result == Type::TEXT && !self.faithful {
            // Something with text: cast to it, which for a boolean is not what its output function gives.
            for (arg, _) in args.iter_mut().zip(&declared).filter(|(_, declared)| **declared == Type::ANYNONARRAY) {
                let value = std::mem::replace(arg, Typed::null(Type::TEXT));
                *arg = self.cast(value, Type::TEXT, crate::types::NO_TYPMOD)?;
            }
        }
        let mut collation = None;
        if operator.native != Native::No {
            if args.iter().any(|arg| matches!(arg.node, Node::Row(_))) {
                return Err(SqlError::unsupported("comparison of a row with a value"));
            }
            // Without a column of the table, nothing tells SQLite how values of such a type compare.
            // SQLite goes by the left one first.
            let other = args[0].ty == Type::BPCHAR && !args[0].collated();
            if operator.native == Native::Plain && (other || !args.iter().any(Typed::collated)) {
                collation = args[0].ty.collation();
            }
        }
        Ok((Infix { operator, collation }, args, result))
    }

    fn choose_operator(
        &self,
        name: &str,
        infix: bool,
        args: &[Typed],
        at: Location,
    ) -> SqlResult<(&'static Operator, Vec<Type>)> {
        let given = self.given(args);
        let all = lookup_operators(name).iter().filter(|o| o.left.is_some() == infix);
        let candidates: Vec<Candidate<&'static Operator>> =
            all.map(|o| Candidate { item: *o, args: o.left.into_iter().chain([o.right]).collect() }).collect();
        // One unknown argument of two: first ask whether it is of the other's type.
        if let [left, right] = given[..]
            && (left == Type::UNKNOWN) != (right == Type::UNKNOWN)
        {
            let ty = if left == Type::UNKNOWN { right } else { left };
            if let Some(found) = candidates.iter().find(|c| c.args == [ty, ty]) {
                return Ok((found.item, found.args.clone()));
            }
        }
        match choose(candidates, &given) {
            Choice::One(operator, declared) => Ok((operator, declared)),
            Choice::None => Err(error_at(self, self.undefined_operator(name, infix, &given), at)),
            Choice::Ambiguous => {
                let text = format!("operator is not unique: {}", self.operator_call(name, infix, &given));
                let hint = "Could not choose a best candidate operator. You might need to add explicit type casts.";
                Err(error_at(self, SqlError::new(state::AMBIGUOUS_FUNCTION, text).hint(hint), at))
            }
        }
    }

    /// Coerces arguments to what a signature declares, and gives the type of the result.
    /// `pad`: what is done with a char(n) depends on its blanks.
    fn coerce_arguments(
        &mut self,
        args: Vec<Typed>,
        declared: &[Type],
        result: Type,
        pad: bool,
    ) -> SqlResult<(Vec<Typed>, Type)> {
        self.check_collations(&args)?;
        let given = self.given(&args);
        let mut meaning = Meaning::default();
        for (declared, given) in declared.iter().zip(&given) {
            if *given == Type::UNKNOWN {
                continue;
            }
            match *declared {
                Type::ANYELEMENT | Type::ANYNONARRAY | Type::ANYENUM => {
                    meaning.element = meaning.element.or(Some(*given))
                }
                Type::ANYARRAY => meaning.element = meaning.element.or(given.element()),
                _ => {}
            }
        }
        let compatible = |d: &Type| matches!(*d, Type::ANYCOMPATIBLE | Type::ANYCOMPATIBLEARRAY);
        if declared.iter().any(compatible) {
            let elements: Vec<Typed> = declared
                .iter()
                .zip(&given)
                .filter(|(d, _)| compatible(d))
                .map(|(d, g)| {
                    let array = *d == Type::ANYCOMPATIBLEARRAY;
                    Typed::null(if array { g.element().unwrap_or(Type::UNKNOWN) } else { *g })
                })
                .collect();
            meaning.compatible = Some(self.common_type(&elements.iter().collect::<Vec<_>>(), "arguments of")?);
        }
        // An unknown literal among arguments of any one type is text (as in `array_agg('x')`).
        if meaning.element.is_none() && declared.contains(&Type::ANYELEMENT) && result != Type::ANYARRAY {
            meaning.element = Some(Type::TEXT);
        }
        if meaning.element.is_none() && matches!(declared, [Type::ANYELEMENT | Type::ANYNONARRAY, ..]) {
            meaning.element = Some(Type::TEXT);
        }
        let mut out = Vec::with_capacity(args.len());
        for (arg, (declared, given)) in args.into_iter().zip(declared.iter().zip(&given)) {
            if let (Type::ANY, Some(n)) = (*declared, self.undecided(&arg)) {
                return Err(super::undetermined(state::INDETERMINATE_DATATYPE, n));
            }
            let target = meaning.of(*declared, *given)?;
            out.push(match target {
                Type::RECORD => {
                    let arg = self.record(arg)?;
                    if arg.is_unknown() { self.coerce(arg, Type::RECORD)? } else { arg }
                }
                Type::BPCHAR if pad && !self.faithful => {
                    let arg = arg.padded();
                    self.coerce(arg, target)?
                }
                _ => self.coerce(arg, target)?,
            });
        }
        let result = if result.is_polymorphic() { meaning.of(result, Type::UNKNOWN)? } else { result };
        Ok((out, result))
    }

    /// The function that a call means, with its arguments as it wants them, and the type of its result.
    pub(super) fn resolve_function(&mut self, name: &str, args: Vec<Typed>, at: Location) -> SqlResult<Resolved> {
        let given = self.given(&args);
        if name.starts_with("q_") && !self.speaks_for_us() {
            return Ok(Err(args));
        }
        let candidates: Vec<Candidate<&'static Function>> = lookup_functions(name)
            .iter()
            .filter_map(|f| f.expanded(args.len()).map(|args| Candidate { item: *f, args }))
            .collect();
        match choose(candidates, &given) {
            Choice::One(function, declared) => {
                let (args, result) = self.coerce_arguments(args, &declared, function.result, true)?;
                let args = self.with_labels(function, args, result)?;
                let args = self.with_names_in(function, args, &declared)?;
                if is_heavy(function.name) {
                    self.effort = self.effort.max(Effort::Pass);
                }
                if function.name.starts_with("pg_sleep") {
                    // Tried before it goes into the log, where nothing waits: and refused there.
                    self.effort = Effort::Open;
                }
                if name == "pg_notify" {
                    self.writes = true;
                }
                if matches!(name, "nextval" | "setval") {
                    (self.writes, self.draws) = (true, true);
                }
                let args = self.with_sequence(name, args)?;
                Ok(Ok((function, args, result)))
            }
            Choice::None => Ok(Err(args)),
            Choice::Ambiguous => {
                let text = format!("function {} is not unique", self.function_call(name, &given));
                let hint = "Could not choose a best candidate function. You might need to add explicit type casts.";
                Err(error_at(self, SqlError::new(state::AMBIGUOUS_FUNCTION, text).hint(hint), at))
            }
        }
    }

    /// The arguments of a function of a sequence, which the current role must be allowed to call: a view's owner has no say.
    fn with_sequence(&mut self, name: &str, mut args: Vec<Typed>) -> SqlResult<Vec<Typed>> {
        let any_of = match name {
            "nextval" => USAGE | UPDATE,
            "currval" | "pg_sequence_last_value" => USAGE | SELECT,
            "setval" => UPDATE,
            _ => return Ok(args),
        };
        let catalog = self.scope.catalog;
        match args.first().map(|arg| &arg.node) {
            Some(Node::Const(Value::Int(oid))) => {
                let sequence = u32::try_from(*oid).ok().and_then(|oid| catalog.by_oid(oid));
                sequence.iter().for_each(|sequence| self.needs.sequence(sequence, any_of));
            }
            // Which sequence it is, is known when it is called.
            Some(_) if !self.faithful && !self.unasked => {
                let role = access::current_role(self.scope)?;
                if !catalog.rights.roles.is_superuser(role) {
                    let may = |r: &&Arc<Relation>| {
                        matches!(r.kind, RelationKind::Sequence(_)) && access::held(catalog, role, r, any_of) != 0
                    };
                    let allowed = catalog.relations.values().filter(may).map(|r| r.oid.to_string());
                    let allowed = Typed::text(&allowed.collect::<Vec<_>>().join(" "));
                    let arg = args.remove(0);
                    let ty = arg.ty;
                    args.insert(0, Typed::apply(ty, Op::Internal("q_allowed"), vec![arg, allowed]));
                }
            }
            _ => {}
        }
        Ok(args)
    }

    /// A call of a function that carries out an operator (`textcat`, `int4eq`), as that operator; or the arguments back.
    pub(super) fn operator_function(
        &mut self,
        name: &str,
        mut args: Vec<Typed>,
        at: Location,
    ) -> SqlResult<Result<Typed, Vec<Typed>>> {
        if !builtin::is_missing(name) {
            return Ok(Err(args));
        }
        let all = builtin::operators_of(name).into_iter();
        let all = all.map(|(item, left, right)| Candidate { item, args: left.into_iter().chain([right]).collect() });
        let candidates = all.filter(|c: &Candidate<&str>| c.args.len() == args.len()).collect();
        let Choice::One(operator, types) = choose(candidates, &self.given(&args)) else { return Ok(Err(args)) };
        for (arg, ty) in args.iter_mut().zip(types).filter(|(_, ty)| !ty.is_polymorphic()) {
            let value = std::mem::replace(arg, Typed::null(ty));
            *arg = self.coerce(value, ty)?;
        }
        let right = args.pop().ok_or_else(|| SqlError::internal("an operator without operands"))?;
        self.operator_at(operator, args.pop(), right, at).map(Ok)
    }

    pub(super) fn undefined_function(&self, name: &str, args: &[Typed], at: Location) -> SqlError {
        if builtin::is_missing(name) && builtin::operators_of(name).is_empty() {
            return error_at(self, SqlError::unsupported(format!("function {name}()")), at);
        }
        let text = format!("function {} does not exist", self.function_call(name, &self.given(args)));
        let hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
        error_at(self, SqlError::new(state::UNDEFINED_FUNCTION, text).hint(hint), at)
    }

    /// A scalar function of ours, by name.
    pub(super) fn call_by_name(&mut self, name: &str, args: Vec<Typed>) -> SqlResult<Typed> {
        self.scalar_at(name, args, Location::empty())
    }

    /// As [`Self::call_by_name`], for what has a syntax of its own: an error names the schema that the grammar names.
    pub(super) fn syntax_call(&mut self, name: &str, args: Vec<Typed>) -> SqlResult<Typed> {
        match self.resolve_function(name, args, Location::empty())? {
            Ok((function, args, ty)) => Ok(Typed::apply(ty, Op::Function(function), args)),
            Err(args) => Err(self.undefined_function(&format!("pg_catalog.{name}"), &args, Location::empty())),
        }
    }

    pub(super) fn scalar_at(&mut self, name: &str, args: Vec<Typed>, at: Location) -> SqlResult<Typed> {
        match self.resolve_function(name, args, at)? {
            Ok((function, args, ty)) => Ok(Typed::apply(ty, Op::Function(function), args).at(at)),
            Err(args) => Err(self.undefined_function(name, &args, at)),
        }
    }
}

impl Binder<'_> {
    fn operator_call(&self, name: &str, infix: bool, given: &[Type]) -> String {
        match given {
            [left, right] if infix => format!("{} {name} {}", self.type_name(*left), self.type_name(*right)),
            [right, ..] => format!("{name} {}", self.type_name(*right)),
            [] => name.to_owned(),
        }
    }

    fn undefined_operator(&self, name: &str, infix: bool, given: &[Type]) -> SqlError {
        let arguments = if infix { "types" } else { "type" };
        let text = format!("operator does not exist: {}", self.operator_call(name, infix, given));
        SqlError::new(state::UNDEFINED_FUNCTION, text).hint(format!(
            "No operator matches the given name and argument {arguments}. You might need to add explicit type casts."
        ))
    }

    fn function_call(&self, name: &str, given: &[Type]) -> String {
        let args: Vec<String> = given.iter().map(|t| self.type_name(*t)).collect();
        format!("{name}({})", args.join(", "))
    }
}

/// Functions and operators that may take much longer than their arguments and result are long: how long has to be tried.
fn is_heavy(name: &str) -> bool {
    const HEAVY: &[&str] = &[
        "!~",
        "!~*",
        "!~~",
        "!~~*",
        "&&",
        "<@",
        "@>",
        "^",
        "exp",
        "factorial",
        "gcd",
        "lcm",
        "like",
        "ln",
        "log",
        "log10",
        "lpad",
        "pow",
        "power",
        "repeat",
        "replace",
        "rpad",
        "sqrt",
        "string_to_array",
        "to_char",
        "~",
        "~*",
        "~~",
        "~~*",
    ];
    HEAVY.contains(&name) || name.starts_with("regexp_")
}
