//! Short constructors for the rows of the signature and implementation tables. All are `const`.

use super::{Accumulator, Aggregate, Cast, CastContext, Context, Function, Kind, Native, Operator, Scalar, Volatility};
use crate::error::SqlResult;
use crate::types::Type;
use crate::value::{Value, ValueRef};

macro_rules! short_names {
    ($($name:ident)*) => { $(pub const $name: Type = Type::$name;)* };
}
short_names! {
    BOOL INT2 INT4 INT8 OID FLOAT4 FLOAT8 NUMERIC TEXT VARCHAR BPCHAR NAME CHAR BYTEA UUID DATE TIME TIMESTAMP
    TIMESTAMPTZ INTERVAL XID XID8 CID VOID ANY ANYARRAY ANYELEMENT ANYNONARRAY ANYCOMPATIBLE ANYCOMPATIBLEARRAY REGCLASS
    REGTYPE REGPROC REGPROCEDURE REGOPER REGOPERATOR REGROLE REGNAMESPACE TEXT_ARRAY NAME_ARRAY INT2VECTOR OIDVECTOR
    JSON PG_NODE_TREE CSTRING
}

/// An immutable scalar function.
pub const fn func(name: &'static str, args: &'static [Type], result: Type, lower: &'static str) -> Function {
    let (kind, volatility) = (Kind::Scalar, Volatility::Immutable);
    Function { name, kind, args, variadic: false, optional: 0, result, volatility, lower, columns: &[] }
}

/// A plain aggregate.
pub const fn aggregate(name: &'static str, args: &'static [Type], result: Type, lower: &'static str) -> Function {
    func(name, args, result, lower).kind(Kind::Aggregate)
}

/// A function that only exists with OVER.
pub const fn window(name: &'static str, args: &'static [Type], result: Type, lower: &'static str) -> Function {
    func(name, args, result, lower).kind(Kind::Window)
}

/// A function that yields rows.
pub const fn set(name: &'static str, args: &'static [Type], result: Type, lower: &'static str) -> Function {
    func(name, args, result, lower).kind(Kind::Set)
}

impl Function {
    pub const fn kind(mut self, kind: Kind) -> Function {
        self.kind = kind;
        self
    }
    pub const fn stable(mut self) -> Function {
        self.volatility = Volatility::Stable;
        self
    }
    pub const fn volatile(mut self) -> Function {
        self.volatility = Volatility::Volatile;
        self
    }
    /// The last argument repeats.
    pub const fn variadic(mut self) -> Function {
        self.variadic = true;
        self
    }
    /// So many of the last arguments may be left out.
    pub const fn optional(mut self, count: u8) -> Function {
        self.optional = count;
        self
    }
    pub const fn columns(mut self, columns: &'static [(&'static str, Type)]) -> Function {
        self.columns = columns;
        self
    }
}

/// An infix operator.
pub const fn op(name: &'static str, left: Type, right: Type, result: Type, lower: &'static str) -> Operator {
    Operator { name, left: Some(left), right, result, lower, native: Native::No }
}

/// A prefix operator.
pub const fn prefix(name: &'static str, right: Type, result: Type, lower: &'static str) -> Operator {
    Operator { name, left: None, right, result, lower, native: Native::No }
}

impl Operator {
    pub const fn native(mut self, native: Native) -> Operator {
        self.native = native;
        self
    }
}

/// The six comparisons as plain SQLite, for each pair of types: N is six times their number.
pub const fn comparisons<const N: usize>(pairs: &[(Type, Type)]) -> [Operator; N] {
    const SIX: [(&str, &str); 6] = [
        ("=", "({0} = {1})"),
        ("<>", "({0} <> {1})"),
        ("<", "({0} < {1})"),
        ("<=", "({0} <= {1})"),
        (">", "({0} > {1})"),
        (">=", "({0} >= {1})"),
    ];
    assert!(N == 6 * pairs.len());
    let mut all = [const { prefix("", Type::UNSPECIFIED, Type::BOOL, "") }; N];
    let mut i = 0;
    while i < N {
        let ((left, right), (name, lower)) = (pairs[i / 6], SIX[i % 6]);
        all[i] = op(name, left, right, Type::BOOL, lower).native(Native::Plain);
        i += 1;
    }
    all
}

/// The six comparisons of values of a type by a collation.
macro_rules! collated {
    ($ty:expr, $collation:literal) => {
        collated!($ty, $collation, "=" "<>" "<" "<=" ">" ">=")
    };
    ($ty:expr, $collation:literal, $($name:literal)*) => {
        [$(op($name, $ty, $ty, BOOL, concat!("({0} ", $name, " {1} COLLATE ", $collation, ")"))
            .native(Native::Collated($collation))),*]
    };
}
pub(super) use collated;

/// A cast that applies anywhere.
pub const fn implicit(from: Type, to: Type, lower: &'static str) -> Cast {
    Cast { from, to, context: CastContext::Implicit, lower }
}

/// A cast that applies when storing.
pub const fn assignment(from: Type, to: Type, lower: &'static str) -> Cast {
    Cast { from, to, context: CastContext::Assignment, lower }
}

/// A cast that must be written.
pub const fn explicit(from: Type, to: Type, lower: &'static str) -> Cast {
    Cast { from, to, context: CastContext::Explicit, lower }
}

/// What implements a scalar function.
pub type Call = fn(&mut Context, &[ValueRef<'_>]) -> SqlResult<Value>;

/// A strict function of its arguments alone.
pub const fn scalar(name: &'static str, args: i32, call: Call) -> Scalar {
    Scalar { name, args, strict: true, deterministic: true, call }
}

impl Scalar {
    /// Called with NULLs, too.
    pub const fn lax(mut self) -> Scalar {
        self.strict = false;
        self
    }
    /// Depends on [`Context`].
    pub const fn contextual(mut self) -> Scalar {
        self.deterministic = false;
        self
    }
}

/// What implements an aggregate.
pub const fn accumulator(name: &'static str, args: i32, init: fn() -> Box<dyn Accumulator>) -> Aggregate {
    Aggregate { name, args, init }
}
