//! Advisory locks as functions of a query.
//!
//! A function cannot wait for the log while a query runs. So each call looks for its answer among those that the statement
//! came with; one that finds none ends the statement with an error that says what it wants ([`wanted`]), the session asks
//! for that, and runs the statement again with one answer more. Calls that have their answers say the same each time.

use super::arg::int;
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, SqlState};
use crate::value::{Value, ValueRef};

/// What a call wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Lock { shared: bool, transaction: bool, wait: bool },
    Unlock { shared: bool },
    UnlockAll,
    Fence,
}

const VERBS: [(i64, Verb); 12] = {
    const fn lock(shared: bool, transaction: bool, wait: bool) -> Verb {
        Verb::Lock { shared, transaction, wait }
    }
    [
        (0, lock(false, false, true)),
        (1, lock(true, false, true)),
        (2, lock(false, true, true)),
        (3, lock(true, true, true)),
        (4, lock(false, false, false)),
        (5, lock(true, false, false)),
        (6, lock(false, true, false)),
        (7, lock(true, true, false)),
        (8, Verb::Unlock { shared: false }),
        (9, Verb::Unlock { shared: true }),
        (10, Verb::UnlockAll),
        (11, Verb::Fence),
    ]
};

/// A call: its verb's number and its key, one number or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    verb: i64,
    pub key: (Option<i32>, i64),
}

impl Call {
    pub fn verb(&self) -> Verb {
        VERBS[self.verb as usize].1
    }

    /// What the client is told of it: `told` is whether it got what it wanted, or the number of its grant.
    pub fn answer(&self, told: Option<i64>) -> Value {
        match (self.verb(), told) {
            (Verb::Lock { wait: true, .. } | Verb::UnlockAll, _) => Value::Text(String::new()),
            (Verb::Fence, told) => told.map_or(Value::Null, Value::Int),
            (_, told) => Value::Int(told.is_some().into()),
        }
    }

    /// As it travels with a statement.
    pub fn numbers(&self) -> [i64; 4] {
        [self.verb, self.key.0.is_some().into(), self.key.0.unwrap_or(0).into(), self.key.1]
    }

    pub fn of_numbers([verb, two, class, key]: [i64; 4]) -> Option<Call> {
        let call = Call { verb, key: ((two != 0).then_some(class as i32), key) };
        (0..VERBS.len() as i64).contains(&verb).then_some(call)
    }
}

/// An answered call, as it travels with a statement: the call's numbers, and what it was told.
pub type Answered = ([i64; 4], Option<i64>);

pub const FUNCTIONS: &[Function] = &[
    func("pg_advisory_lock", &[INT8], VOID, "q_advisory(0, {0})").volatile(),
    func("pg_advisory_lock_shared", &[INT8], VOID, "q_advisory(1, {0})").volatile(),
    func("pg_advisory_xact_lock", &[INT8], VOID, "q_advisory(2, {0})").volatile(),
    func("pg_advisory_xact_lock_shared", &[INT8], VOID, "q_advisory(3, {0})").volatile(),
    func("pg_try_advisory_lock", &[INT8], BOOL, "q_advisory(4, {0})").volatile(),
    func("pg_try_advisory_lock_shared", &[INT8], BOOL, "q_advisory(5, {0})").volatile(),
    func("pg_try_advisory_xact_lock", &[INT8], BOOL, "q_advisory(6, {0})").volatile(),
    func("pg_try_advisory_xact_lock_shared", &[INT8], BOOL, "q_advisory(7, {0})").volatile(),
    func("pg_advisory_unlock", &[INT8], BOOL, "q_advisory(8, {0})").volatile(),
    func("pg_advisory_unlock_shared", &[INT8], BOOL, "q_advisory(9, {0})").volatile(),
    func("pg_advisory_unlock_all", &[], VOID, "q_advisory(10, 0)").volatile(),
    func("quorate_advisory_fence", &[INT8], INT8, "q_advisory(11, {0})").volatile(),
    func("pg_advisory_lock", &[INT4, INT4], VOID, "q_advisory(0, {0}, {1})").volatile(),
    func("pg_advisory_lock_shared", &[INT4, INT4], VOID, "q_advisory(1, {0}, {1})").volatile(),
    func("pg_advisory_xact_lock", &[INT4, INT4], VOID, "q_advisory(2, {0}, {1})").volatile(),
    func("pg_advisory_xact_lock_shared", &[INT4, INT4], VOID, "q_advisory(3, {0}, {1})").volatile(),
    func("pg_try_advisory_lock", &[INT4, INT4], BOOL, "q_advisory(4, {0}, {1})").volatile(),
    func("pg_try_advisory_lock_shared", &[INT4, INT4], BOOL, "q_advisory(5, {0}, {1})").volatile(),
    func("pg_try_advisory_xact_lock", &[INT4, INT4], BOOL, "q_advisory(6, {0}, {1})").volatile(),
    func("pg_try_advisory_xact_lock_shared", &[INT4, INT4], BOOL, "q_advisory(7, {0}, {1})").volatile(),
    func("pg_advisory_unlock", &[INT4, INT4], BOOL, "q_advisory(8, {0}, {1})").volatile(),
    func("pg_advisory_unlock_shared", &[INT4, INT4], BOOL, "q_advisory(9, {0}, {1})").volatile(),
    func("quorate_advisory_fence", &[INT4, INT4], INT8, "q_advisory(11, {0}, {1})").volatile(),
];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const SCALARS: &[Scalar] =
    &[scalar("q_advisory", 2, advisory).contextual(), scalar("q_advisory", 3, advisory).contextual()];

/// Not an error that a client sees.
const WANTED: SqlState = SqlState::new("QLOCK");

/// The call that a statement ended at, to be answered.
pub fn wanted(error: &SqlError) -> Option<Call> {
    if error.code != WANTED {
        return None;
    }
    let numbers: Vec<i64> = error.message.split(' ').filter_map(|n| n.parse().ok()).collect();
    numbers.try_into().ok().and_then(Call::of_numbers)
}

/// Whether a statement with this error is over. One that ends at a call is run again.
pub fn is_end(error: &SqlError) -> bool {
    error.code != WANTED
}

fn advisory(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (verb, first) = (int(args, 0)?, int(args, 1)?);
    let key = match args.len() {
        2 => (None, first),
        _ => (Some(first as i32), int(args, 2)?),
    };
    let call = Call { verb, key };
    let Some(answers) = &ctx.advisory else {
        return Err(SqlError::unsupported("advisory locks in a statement that writes, a cursor or an argument"));
    };
    // In order, mostly; rows that others have changed between two runs may come in another one.
    let same = |at: &usize| answers[*at].0 == call.numbers() && !ctx.advisory_told.contains(at);
    match (0..answers.len()).find(same) {
        Some(at) => {
            ctx.advisory_told.insert(at);
            Ok(call.answer(answers[at].1))
        }
        None => Err(SqlError::new(WANTED, call.numbers().map(|n| n.to_string()).join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn calls_are_answered_once_and_in_order() {
        let mut context = Context { advisory: Some(Arc::default()), ..Context::default() };
        let args = [ValueRef::Int(4), ValueRef::Int(-7)];
        let error = advisory(&mut context, &args).unwrap_err();
        let call = wanted(&error).unwrap();
        assert_eq!(call.verb(), Verb::Lock { shared: false, transaction: false, wait: false });
        assert_eq!(call.key, (None, -7));
        context.advisory = Some(Arc::new(vec![(call.numbers(), Some(3)), (call.numbers(), None)]));
        assert_eq!(advisory(&mut context, &args).unwrap(), Value::Int(1));
        assert_eq!(advisory(&mut context, &args).unwrap(), Value::Int(0));
        assert_eq!(wanted(&advisory(&mut context, &args).unwrap_err()), Some(call));
        let two = advisory(&mut context, &[ValueRef::Int(0), ValueRef::Int(1), ValueRef::Int(2)]).unwrap_err();
        assert_eq!(wanted(&two).unwrap().key, (Some(1), 2));
        assert_eq!(advisory(&mut Context::default(), &args).unwrap_err().code.as_str(), "0A000");
        assert!(wanted(&SqlError::internal("0 0 0 0")).is_none());
    }
}
