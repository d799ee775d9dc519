//! What PostgreSQL's hash indexes hash by (`hashtext` and its kin): applications take numbers for advisory locks and shards from
//! it, so it has to be the same. The hash is Bob Jenkins's "lookup3" as `src/common/hashfn.c` has it, on a little-endian
//! machine.

use super::arg::{int, text};
use super::table::*;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::types::Type;
use crate::value::Value;

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const FUNCTIONS: &[Function] = &[
    func("hashtext", &[TEXT], INT4, "q_hash_text({0}, NULL)"),
    func("hashtextextended", &[TEXT, INT8], INT8, "q_hash_text({0}, {1})"),
    func("hashname", &[Type::NAME], INT4, "q_hash_text({0}, NULL)"),
    func("hashnameextended", &[Type::NAME, INT8], INT8, "q_hash_text({0}, {1})"),
    func("hashint2", &[INT2], INT4, "q_hash_int({0}, NULL, 4)"),
    func("hashint2extended", &[INT2, INT8], INT8, "q_hash_int({0}, {1}, 4)"),
    func("hashint4", &[INT4], INT4, "q_hash_int({0}, NULL, 4)"),
    func("hashint4extended", &[INT4, INT8], INT8, "q_hash_int({0}, {1}, 4)"),
    func("hashint8", &[INT8], INT4, "q_hash_int({0}, NULL, 8)"),
    func("hashint8extended", &[INT8, INT8], INT8, "q_hash_int({0}, {1}, 8)"),
    func("hashoid", &[OID], INT4, "q_hash_int({0}, NULL, 4)"),
    func("hashoidextended", &[OID, INT8], INT8, "q_hash_int({0}, {1}, 4)"),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_hash_text", 2, |_, a| {
        Ok(match (a[0].is_null(), a[1].is_null()) {
            (true, _) => Value::Null,
            (_, true) => Value::Int((hash(text(a, 0)?.as_bytes(), 0) as u32 as i32).into()),
            (_, false) => Value::Int(hash(text(a, 0)?.as_bytes(), int(a, 1)? as u64) as i64),
        })
    })
    .lax(),
    scalar("q_hash_int", 3, |_, a| {
        if a[0].is_null() {
            return Ok(Value::Null);
        }
        let (n, seed) = (int(a, 0)?, if a[1].is_null() { 0 } else { int(a, 1)? as u64 });
        let (low, high) = (n as u32, (n >> 32) as u32);
        // Numbers hash as they do in a shorter type that they fit into.
        let folded = if int(a, 2)? == 8 { low ^ if n >= 0 { high } else { !high } } else { low };
        let hash = hash_word(folded, seed);
        Ok(Value::Int(if a[1].is_null() { (hash as u32 as i32).into() } else { hash as i64 }))
    })
    .lax(),
];

#[derive(Clone, Copy)]
struct State {
    a: u32,
    b: u32,
    c: u32,
}

impl State {
    fn new(length: usize, seed: u64) -> State {
        let start = 0x9e37_79b9_u32.wrapping_add(length as u32).wrapping_add(3_923_095);
        let mut state = State { a: start, b: start, c: start };
        if seed != 0 {
            state.a = state.a.wrapping_add((seed >> 32) as u32);
            state.b = state.b.wrapping_add(seed as u32);
            state.mix();
        }
        state
    }

    fn mix(&mut self) {
        let State { mut a, mut b, mut c } = *self;
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
        *self = State { a, b, c };
    }

    fn end(mut self) -> u64 {
        let State { a, b, c } = &mut self;
        *c = (*c ^ *b).wrapping_sub(b.rotate_left(14));
        *a = (*a ^ *c).wrapping_sub(c.rotate_left(11));
        *b = (*b ^ *a).wrapping_sub(a.rotate_left(25));
        *c = (*c ^ *b).wrapping_sub(b.rotate_left(16));
        *a = (*a ^ *c).wrapping_sub(c.rotate_left(4));
        *b = (*b ^ *a).wrapping_sub(a.rotate_left(14));
        *c = (*c ^ *b).wrapping_sub(b.rotate_left(24));
        u64::from(*b) << 32 | u64::from(*c)
    }
}

/// The 64 bits of a text's hash; the lower ones are the 32 bits of a hash without a seed.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut state = State::new(bytes.len(), seed);
    let words = |piece: &[u8]| {
        let mut padded = [0; 12];
        padded[..piece.len()].copy_from_slice(piece);
        [0, 4, 8].map(|at| u32::from_le_bytes([padded[at], padded[at + 1], padded[at + 2], padded[at + 3]]))
    };
    let (whole, rest) = bytes.as_chunks::<12>();
    let add = |[a, b, c]: [u32; 3], state: &mut State| {
        state.a = state.a.wrapping_add(a);
        state.b = state.b.wrapping_add(b);
        state.c = state.c.wrapping_add(c);
    };
    for piece in whole {
        add(words(piece), &mut state);
        state.mix();
    }
    // The lowest byte of the third word is the length's.
    let [a, b, c] = words(rest);
    add([a, b, c << 8], &mut state);
    state.end()
}

fn hash_word(word: u32, seed: u64) -> u64 {
    let mut state = State::new(4, seed);
    state.a = state.a.wrapping_add(word);
    state.end()
}
