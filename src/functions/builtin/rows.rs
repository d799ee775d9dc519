//! The rows: read from the files, chosen by what there is here, and found by their keys.

use crate::functions::{self, CastContext, Kind};
use crate::meter::{Limits, Meter};
use crate::types::{Env, Type, array};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, OnceLock};

/// A relation of built-in rows.
pub struct Relation {
    pub name: &'static str,
    /// Its columns in order, as `name=form`; see [`read`]. `name:constant` is the same for all rows and not in the file.
    layout: &'static str,
    file: &'static str,
    /// Columns that rows are found by.
    pub keys: &'static [&'static str],
    wanted: fn(&Row<'_>) -> bool,
    loaded: OnceLock<Loaded>,
}

struct Loaded {
    rows: Vec<Vec<Value>>,
    /// For each key: where its values are.
    found: Vec<BTreeMap<Key, Vec<usize>>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Int(i64),
    Text(String),
}

fn key(value: &Value) -> Option<Key> {
    match value {
        Value::Int(n) => Some(Key::Int(*n)),
        Value::Text(text) => Some(Key::Text(text.clone())),
        _ => None,
    }
}

/// A line of a file by the names of its columns.
struct Row<'a>(BTreeMap<&'a str, &'a str>);

impl Row<'_> {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn oid(&self, name: &str) -> u32 {
        self.text(name).parse().unwrap_or(0)
    }
}

impl Relation {
    const fn new(
        name: &'static str,
        layout: &'static str,
        file: &'static str,
        keys: &'static [&'static str],
        wanted: fn(&Row<'_>) -> bool,
    ) -> Relation {
        Relation { name, layout, file, keys, wanted, loaded: OnceLock::new() }
    }

    /// The names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.layout.split_whitespace().map(|column| column.split(['=', ':']).next().unwrap_or(column))
    }

    pub fn rows(&self) -> &[Vec<Value>] {
        &self.loaded().rows
    }

    /// The rows whose key of this number has a value.
    pub fn find(&self, key_number: usize, value: &Value) -> &[usize] {
        let found = key(value).and_then(|key| self.loaded().found.get(key_number)?.get(&key));
        found.map_or(&[], Vec::as_slice)
    }

    fn loaded(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            // Whoever comes first in this process has no more to pay for than those who come later.
            let nobody = Arc::new(Meter::default());
            nobody.begin(Limits::NONE);
            let _entered = nobody.enter();
            let rows: Vec<Vec<Value>> =
                self.lines().filter(|row| (self.wanted)(row)).map(|row| self.values(&row)).collect();
            let columns: Vec<&str> = self.columns().collect();
            let found = self.keys.iter().map(|name| {
                let at = columns.iter().position(|c| c == name).unwrap_or_default();
                let mut found: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
                for (i, row) in rows.iter().enumerate() {
                    key(&row[at]).into_iter().for_each(|key| found.entry(key).or_default().push(i));
                }
                found
            });
            let found = found.collect();
            Loaded { rows, found }
        })
    }

    fn lines(&self) -> impl Iterator<Item = Row<'static>> {
        let stored: Vec<&str> = self.layout.split_whitespace().filter_map(|c| Some(c.split_once('=')?.0)).collect();
        self.file.lines().map(move |line| Row(stored.iter().copied().zip(line.split('\t')).collect()))
    }

    fn values(&self, row: &Row<'_>) -> Vec<Value> {
        let value = |column: &str| match column.split_once('=') {
            Some((name, form)) => read(form, row.text(name)),
            None => match column.split_once(':').map(|(_, constant)| constant) {
                Some("null") | None => Value::Null,
                Some(constant) => constant.parse().map_or_else(|_| Value::Text(constant.to_owned()), Value::Int),
            },
        };
        self.layout.split_whitespace().map(value).collect()
    }
}

/// A field as it is stored: `i` an integer, `r` a real number, `t` a text, `o`, `c` and `n` arrays of OIDs, characters and
/// texts. `\N` is NULL, as COPY writes it.
fn read(form: &str, field: &str) -> Value {
    let list = |element: Type| array::parse_text(element, -1, field, &Env::default(), None).unwrap_or(Value::Null);
    match form {
        _ if field == "\\N" => Value::Null,
        "i" => field.parse().map_or(Value::Null, Value::Int),
        "r" => field.parse().map_or(Value::Null, Value::Real),
        "o" => list(Type::OID),
        "c" => list(Type::CHAR),
        "n" => list(Type::TEXT),
        _ => Value::Text(field.replace("\\\\", "\\")),
    }
}

pub static RELATIONS: [Relation; 6] = [
    Relation::new(
        "pg_proc",
        "oid=i proname=t pronamespace:11 proowner:10 prolang=i procost=r prorows=r provariadic=i prosupport=i prokind=t \
         prosecdef:0 proleakproof=i proisstrict=i proretset=i provolatile=t proparallel=t pronargs=i pronargdefaults=i \
         prorettype=i proargtypes=t proallargtypes=o proargmodes=c proargnames=n proargdefaults=t protrftypes:null \
         prosrc=t probin:null prosqlbody:null proconfig:null proacl:null",
        include_str!("pg_proc.tsv"),
        &["oid", "proname"],
        |row| NEEDED.contains(&row.oid("oid")) || is_function(row),
    ),
    Relation::new(
        "pg_operator",
        "oid=i oprname=t oprnamespace:11 oprowner:10 oprkind=t oprcanmerge=i oprcanhash=i oprleft=i oprright=i oprresult=i \
         oprcom=i oprnegate=i oprcode=i oprrest=i oprjoin=i",
        include_str!("pg_operator.tsv"),
        &["oid", "oprname"],
        is_operator,
    ),
    Relation::new(
        "pg_cast",
        "oid=i castsource=i casttarget=i castfunc=i castcontext=t castmethod=t",
        include_str!("pg_cast.tsv"),
        &["oid", "castsource", "casttarget"],
        |row| is_cast(Type(row.oid("castsource")), Type(row.oid("casttarget"))),
    ),
    Relation::new(
        "pg_aggregate",
        "aggfnoid=i aggkind=t aggnumdirectargs=i aggtransfn=i aggfinalfn=i aggcombinefn=i aggserialfn=i aggdeserialfn=i \
         aggmtransfn=i aggminvtransfn=i aggmfinalfn=i aggfinalextra=i aggmfinalextra=i aggfinalmodify=t \
         aggmfinalmodify=t aggsortop=i aggtranstype=i aggtransspace=i aggmtranstype=i aggmtransspace=i agginitval=t \
         aggminitval=t",
        include_str!("pg_aggregate.tsv"),
        &["aggfnoid"],
        |row| PROC.find(0, &Value::Int(row.oid("aggfnoid").into())).len() == 1,
    ),
    Relation::new(
        "pg_amop",
        "oid=i amopfamily=i amoplefttype=i amoprighttype=i amopstrategy=i amoppurpose=t amopopr=i amopmethod=i \
         amopsortfamily=i",
        include_str!("pg_amop.tsv"),
        &["oid", "amopfamily", "amopopr"],
        |row| RELATIONS[1].find(0, &Value::Int(row.oid("amopopr").into())).len() == 1,
    ),
    Relation::new(
        "pg_amproc",
        "oid=i amprocfamily=i amproclefttype=i amprocrighttype=i amprocnum=i amproc=i",
        include_str!("pg_amproc.tsv"),
        &["oid", "amprocfamily"],
        |_| true,
    ),
];

static PROC: &Relation = &RELATIONS[0];

/// Functions by which the others and the types work: those that operators, casts, types and access methods name.
static NEEDED: LazyLock<BTreeSet<u32>> = LazyLock::new(|| {
    let [_, operators, casts, _, _, procedures] = &RELATIONS;
    let mut needed = BTreeSet::new();
    let mut take = |relation: &Relation, columns: &[&str]| {
        for row in relation.lines().filter(|row| (relation.wanted)(row)) {
            needed.extend(columns.iter().map(|column| row.oid(column)));
        }
    };
    take(operators, &["oprcode", "oprrest", "oprjoin"]);
    take(casts, &["castfunc"]);
    take(procedures, &["amproc"]);
    for row in PROC.lines() {
        // What types are read, written and described by, and the handlers of access methods.
        let (result, arguments) = (row.oid("prorettype"), row.text("proargtypes"));
        let first = arguments.split(' ').next().unwrap_or_default();
        let [cstring, internal, cstrings] = ["2275", "2281", "1263"];
        let handler = [269, 325].contains(&result);
        if result == 2275
            || first == cstring
            || first == internal && arguments.split(' ').count() <= 3 && is_type(&row)
            || result == 17 && row.text("proname").ends_with("send")
            || first == cstrings && row.text("proname").ends_with("typmodin")
            || handler
            || row.text("proname").ends_with("_subscript_handler")
        {
            needed.insert(row.oid("oid"));
        }
        if row.text("prokind") == "a" && is_function(&row) {
            needed.insert(row.oid("prosupport"));
        }
    }
    needed.remove(&0);
    needed
});

/// Whether this is a function that reads a type's binary form.
fn is_type(row: &Row<'_>) -> bool {
    row.text("proname").ends_with("recv")
}

fn is_function(row: &Row<'_>) -> bool {
    let args: Vec<Type> = row.text("proargtypes").split(' ').filter_map(|oid| oid.parse().ok()).map(Type).collect();
    let kind = match row.text("prokind") {
        "a" => Kind::Aggregate,
        "w" => Kind::Window,
        _ if row.text("proretset") == "1" => Kind::Set,
        _ => Kind::Scalar,
    };
    functions::lookup_functions(row.text("proname")).iter().any(|f| {
        let fixed = f.args.len() - f.optional as usize;
        let count = fixed <= args.len() && (f.variadic || args.len() <= f.args.len());
        let same_kind = f.kind == kind || f.kind == Kind::Aggregate && kind == Kind::Window;
        let last = f.args.last();
        let fits = |(i, arg): (usize, &Type)| f.args.get(i).or(last).is_some_and(|declared| accepts(*declared, *arg));
        same_kind && count && args.iter().enumerate().all(fits)
    })
}

fn is_operator(row: &Row<'_>) -> bool {
    let (left, right) = (Type(row.oid("oprleft")), Type(row.oid("oprright")));
    functions::lookup_operators(row.text("oprname")).iter().any(|o| {
        let fits = match o.left {
            Some(declared) => left.0 != 0 && accepts(declared, left),
            None => left.0 == 0,
        };
        fits && accepts(o.right, right)
    })
}

fn is_cast(from: Type, to: Type) -> bool {
    let is_oid = |ty: Type| ty.is_reg() || [Type::OID, Type::INT4, Type::INT8, Type::INT2, Type::TEXT].contains(&ty);
    functions::find_cast(from, to).is_some() || (from.is_reg() || to.is_reg()) && is_oid(from) && is_oid(to)
}

/// Whether a value of type `given` may stand for an argument declared as `declared`.
fn accepts(declared: Type, given: Type) -> bool {
    let implicit = || functions::find_cast_in(given, declared, CastContext::Implicit).is_some();
    declared == given || declared.is_polymorphic() && (given.is_polymorphic() || given.info().is_some()) || implicit()
}

/// A row of `pg_proc`.
pub struct BuiltIn(&'static [Value]);

impl BuiltIn {
    pub fn get(&self, column: &str) -> &'static Value {
        let at = PROC.columns().position(|c| c == column);
        at.and_then(|at| self.0.get(at)).unwrap_or(&Value::Null)
    }
}

/// The built-in function with this OID.
pub fn function(oid: i64) -> Option<BuiltIn> {
    let at = PROC.find(0, &Value::Int(oid)).first()?;
    Some(BuiltIn(&PROC.rows()[*at]))
}

/// The operators that functions of this name carry out: their names and what stands to the left and to the right of them.
pub fn operators_of(function: &str) -> Vec<(&'static str, Option<Type>, Type)> {
    let column = |relation: &Relation, name| relation.columns().position(|c| c == name).unwrap_or_default();
    let oid = |value: &Value| if let Value::Int(oid) = value { *oid as u32 } else { 0 };
    let operators = &RELATIONS[1];
    let [name, left, right, code] = ["oprname", "oprleft", "oprright", "oprcode"].map(|name| column(operators, name));
    let functions = PROC.find(1, &Value::Text(function.to_owned()));
    let functions: BTreeSet<u32> = functions.iter().map(|at| oid(&PROC.rows()[*at][0])).collect();
    let carried_out = operators.rows().iter().filter(|row| functions.contains(&oid(&row[code])));
    carried_out
        .filter_map(|row| match &row[name] {
            Value::Text(name) => {
                Some((&**name, Some(Type(oid(&row[left]))).filter(|ty| ty.0 != 0), Type(oid(&row[right]))))
            }
            _ => None,
        })
        .collect()
}

/// Whether PostgreSQL has functions of this name, and there are none here.
pub fn is_missing(name: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| PROC.file.lines().filter_map(|line| line.split('\t').nth(1)).collect());
    NAMES.contains(name) && functions::lookup_functions(name).is_empty()
}

/// The names of a function's arguments, and what the last of them are if they are not given.
pub struct Parameters {
    pub names: Vec<String>,
    defaults: Vec<String>,
}

impl Parameters {
    /// As an expression; `None` if the argument has to be given.
    pub fn default(&self, i: usize) -> Option<&str> {
        let first = self.names.len() - self.defaults.len();
        i.checked_sub(first).and_then(|i| self.defaults.get(i)).map(String::as_str)
    }
}

/// The parameters of the functions of that name, as far as they have names.
pub fn parameters(name: &str) -> Vec<Parameters> {
    let columns: Vec<&str> = PROC.columns().collect();
    let texts = |value: Option<&Value>| match value {
        Some(Value::Blob(bytes)) => array::Array::read(bytes).and_then(|a| a.values()).unwrap_or_default(),
        _ => Vec::new(),
    };
    let rows = PROC.find(1, &Value::Text(name.to_owned())).iter().map(|at| &PROC.rows()[*at]);
    rows.filter_map(|row| {
        let get = |column: &str| columns.iter().position(|c| *c == column).and_then(|at| row.get(at));
        let Some(Value::Int(count)) = get("pronargs") else { return None };
        let name = |value: Value| if let Value::Text(name) = value { name } else { String::new() };
        // What follows the arguments are the columns of a result.
        let names: Vec<String> = texts(get("proargnames")).into_iter().map(name).take(*count as usize).collect();
        let defaults = match get("proargdefaults") {
            Some(Value::Text(list)) => list.split(", ").map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        (names.len() == *count as usize && defaults.len() <= names.len() && !names.is_empty())
            .then_some(Parameters { names, defaults })
    })
    .collect()
}

/// `pg_get_keywords()`: word, category, whether it may be a label without AS, and both described.
pub fn keywords() -> &'static [Vec<Value>] {
    static KEYWORDS: LazyLock<Vec<Vec<Value>>> = LazyLock::new(|| {
        let forms = ["t", "t", "i", "t", "t"];
        let line = |line: &str| line.split('\t').zip(forms).map(|(field, form)| read(form, field)).collect();
        include_str!("keywords.tsv").lines().map(line).collect()
    });
    &KEYWORDS
}
