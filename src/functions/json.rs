//! Tables of this topic.

use super::{Aggregate, Cast, Collation, Function, Operator, Scalar};

pub const FUNCTIONS: &[Function] = &[];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const SCALARS: &[Scalar] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const COLLATIONS: &[Collation] = &[];
