//! inet, cidr, macaddr and macaddr8.
//!
//! What is stored of an address compares as the type does (see `types::network`), so comparisons are SQLite's own, and a
//! cidr is an inet as it is.

use super::arg::{blob, from_bool, from_text, int, text};
use super::table::*;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::types::Type;
use crate::types::network::Inet;
use crate::value::{Value, ValueRef};

const INET: Type = Type::INET;
const CIDR: Type = Type::CIDR;
const MACADDR: Type = Type::MACADDR;
const MACADDR8: Type = Type::MACADDR8;
const PAIR: &[Type] = &[INET, INET];

pub const COMPARISONS: &[Operator] = &comparisons::<18>(&[(INET, INET), (MACADDR, MACADDR), (MACADDR8, MACADDR8)]);

pub const OPERATORS: &[Operator] = &[
    op("<<", INET, INET, BOOL, "q_inet_within({0}, {1})"),
    op("<<=", INET, INET, BOOL, "q_inet_within_eq({0}, {1})"),
    op(">>", INET, INET, BOOL, "q_inet_within({1}, {0})"),
    op(">>=", INET, INET, BOOL, "q_inet_within_eq({1}, {0})"),
    op("&&", INET, INET, BOOL, "q_inet_overlaps({0}, {1})"),
    prefix("~", INET, INET, "q_inet_not({0})"),
    op("&", INET, INET, INET, "q_inet_and({0}, {1})"),
    op("|", INET, INET, INET, "q_inet_or({0}, {1})"),
    op("+", INET, INT8, INET, "q_inet_plus({0}, {1})"),
    op("+", INT8, INET, INET, "q_inet_plus({1}, {0})"),
    op("-", INET, INT8, INET, "q_inet_less({0}, {1})"),
    op("-", INET, INET, INT8, "q_inet_minus({0}, {1})"),
    prefix("~", MACADDR, MACADDR, "q_mac_not({0})"),
    op("&", MACADDR, MACADDR, MACADDR, "q_mac_and({0}, {1})"),
    op("|", MACADDR, MACADDR, MACADDR, "q_mac_or({0}, {1})"),
    prefix("~", MACADDR8, MACADDR8, "q_mac_not({0})"),
    op("&", MACADDR8, MACADDR8, MACADDR8, "q_mac_and({0}, {1})"),
    op("|", MACADDR8, MACADDR8, MACADDR8, "q_mac_or({0}, {1})"),
];

pub const FUNCTIONS: &[Function] = &[
    func("abbrev", &[INET], TEXT, "q_text(869, -1, {0})"),
    func("abbrev", &[CIDR], TEXT, "q_cidr_abbrev({0})"),
    func("broadcast", &[INET], INET, "q_inet_broadcast({0})"),
    func("cidr", &[INET], CIDR, "q_inet_network({0})"),
    func("family", &[INET], INT4, "q_inet_family({0})"),
    func("host", &[INET], TEXT, "q_inet_host({0})"),
    func("hostmask", &[INET], INET, "q_inet_hostmask({0})"),
    func("inet_merge", PAIR, CIDR, "q_inet_merge({0}, {1})"),
    func("inet_same_family", PAIR, BOOL, "(q_inet_family({0}) = q_inet_family({1}))"),
    func("masklen", &[INET], INT4, "q_inet_masklen({0})"),
    func("netmask", &[INET], INET, "q_inet_netmask({0})"),
    func("network", &[INET], CIDR, "q_inet_network({0})"),
    func("set_masklen", &[INET, INT4], INET, "q_inet_set_masklen({0}, {1})"),
    func("set_masklen", &[CIDR, INT4], CIDR, "q_inet_network(q_inet_set_masklen({0}, {1}))"),
    func("text", &[INET], TEXT, "q_text(650, -1, {0})"),
    func("trunc", &[MACADDR], MACADDR, "q_mac_trunc({0})"),
    func("trunc", &[MACADDR8], MACADDR8, "q_mac_trunc({0})"),
    func("macaddr", &[MACADDR8], MACADDR, "q_mac_short({0})"),
    func("macaddr8", &[MACADDR], MACADDR8, "q_mac_long({0})"),
    func("macaddr8_set7bit", &[MACADDR8], MACADDR8, "q_mac_set7bit({0})"),
    // The functions behind the operators, which have names of their own.
    func("network_cmp", PAIR, INT4, "q_blob_cmp({0}, {1})"),
    func("network_eq", PAIR, BOOL, "({0} = {1})"),
    func("network_ne", PAIR, BOOL, "({0} <> {1})"),
    func("network_lt", PAIR, BOOL, "({0} < {1})"),
    func("network_le", PAIR, BOOL, "({0} <= {1})"),
    func("network_gt", PAIR, BOOL, "({0} > {1})"),
    func("network_ge", PAIR, BOOL, "({0} >= {1})"),
    func("network_sub", PAIR, BOOL, "q_inet_within({0}, {1})"),
    func("network_subeq", PAIR, BOOL, "q_inet_within_eq({0}, {1})"),
    func("network_sup", PAIR, BOOL, "q_inet_within({1}, {0})"),
    func("network_supeq", PAIR, BOOL, "q_inet_within_eq({1}, {0})"),
    func("network_overlap", PAIR, BOOL, "q_inet_overlaps({0}, {1})"),
    func("network_larger", PAIR, INET, "max({0}, {1})"),
    func("network_smaller", PAIR, INET, "min({0}, {1})"),
    func("inetnot", &[INET], INET, "q_inet_not({0})"),
    func("inetand", PAIR, INET, "q_inet_and({0}, {1})"),
    func("inetor", PAIR, INET, "q_inet_or({0}, {1})"),
    func("inetpl", &[INET, INT8], INET, "q_inet_plus({0}, {1})"),
    func("inetmi", PAIR, INT8, "q_inet_minus({0}, {1})"),
    func("inetmi_int8", &[INET, INT8], INET, "q_inet_less({0}, {1})"),
    func("macaddr_cmp", &[MACADDR, MACADDR], INT4, "q_blob_cmp({0}, {1})"),
    func("macaddr8_cmp", &[MACADDR8, MACADDR8], INT4, "q_blob_cmp({0}, {1})"),
    func("inet_client_addr", &[], INET, "q_endpoint(q_current_setting('quorate.connection', 1), 0)").stable(),
    func("inet_client_port", &[], INT4, "q_endpoint(q_current_setting('quorate.connection', 1), 1)").stable(),
    func("inet_server_addr", &[], INET, "q_endpoint(q_current_setting('quorate.connection', 1), 2)").stable(),
    func("inet_server_port", &[], INT4, "q_endpoint(q_current_setting('quorate.connection', 1), 3)").stable(),
    aggregate("min", &[INET], INET, "min({0})"),
    aggregate("max", &[INET], INET, "max({0})"),
];

pub const CASTS: &[Cast] = &[
    implicit(CIDR, INET, "{0}"),
    assignment(INET, CIDR, "q_inet_network({0})"),
    // As text, the length of the network is always there.
    assignment(INET, TEXT, "q_text(650, -1, {0})"),
    assignment(CIDR, TEXT, "q_text(650, -1, {0})"),
    assignment(INET, VARCHAR, "q_varchar(q_text(650, -1, {0}), {typmod})"),
    explicit(INET, VARCHAR, "q_varchar_cut(q_text(650, -1, {0}), {typmod})"),
    assignment(CIDR, VARCHAR, "q_varchar(q_text(650, -1, {0}), {typmod})"),
    explicit(CIDR, VARCHAR, "q_varchar_cut(q_text(650, -1, {0}), {typmod})"),
    assignment(INET, BPCHAR, "q_bpchar(q_text(650, -1, {0}), {typmod})"),
    explicit(INET, BPCHAR, "q_bpchar_cut(q_text(650, -1, {0}), {typmod})"),
    assignment(CIDR, BPCHAR, "q_bpchar(q_text(650, -1, {0}), {typmod})"),
    explicit(CIDR, BPCHAR, "q_bpchar_cut(q_text(650, -1, {0}), {typmod})"),
    implicit(MACADDR, MACADDR8, "q_mac_long({0})"),
    implicit(MACADDR8, MACADDR, "q_mac_short({0})"),
];

pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_blob_cmp", 2, |_, a| Ok(Value::Int(blob(a, 0)?.cmp(blob(a, 1)?) as i64))),
    scalar("q_cidr_abbrev", 1, |_, a| Ok(from_text(inet(a, 0)?.abbreviated()))),
    // Part of `session::CONNECTION`.
    scalar("q_endpoint", 2, |_, a| {
        let (which, part) = (int(a, 1)?, text(a, 0)?.split(' ').nth(int(a, 1)? as usize));
        Ok(match part.filter(|part| !part.is_empty()) {
            None => Value::Null,
            Some(port) if which % 2 == 1 => port.parse().map_or(Value::Null, Value::Int),
            Some(address) => stored(Inet::parse(INET, address)?)?,
        })
    }),
    scalar("q_inet_and", 2, |_, a| stored(inet(a, 0)?.combine(inet(a, 1)?, "AND", |a, b| a & b)?)),
    scalar("q_inet_broadcast", 1, |_, a| stored(inet(a, 0)?.broadcast())),
    scalar("q_inet_family", 1, |_, a| Ok(Value::Int(inet(a, 0)?.family.number()))),
    scalar("q_inet_host", 1, |_, a| Ok(from_text(inet(a, 0)?.host()))),
    scalar("q_inet_hostmask", 1, |_, a| stored(inet(a, 0)?.hostmask())),
    scalar("q_inet_less", 2, |_, a| stored(inet(a, 0)?.plus(-i128::from(int(a, 1)?))?)),
    scalar("q_inet_masklen", 1, |_, a| Ok(Value::Int(inet(a, 0)?.bits.into()))),
    scalar("q_inet_merge", 2, |_, a| stored(inet(a, 0)?.merge(inet(a, 1)?)?)),
    scalar("q_inet_minus", 2, |_, a| Ok(Value::Int(inet(a, 0)?.minus(inet(a, 1)?)?))),
    scalar("q_inet_netmask", 1, |_, a| stored(inet(a, 0)?.netmask())),
    scalar("q_inet_network", 1, |_, a| stored(inet(a, 0)?.network())),
    scalar("q_inet_not", 1, |_, a| stored(inet(a, 0)?.inverted())),
    scalar("q_inet_or", 2, |_, a| stored(inet(a, 0)?.combine(inet(a, 1)?, "OR", |a, b| a | b)?)),
    scalar("q_inet_overlaps", 2, |_, a| Ok(from_bool(inet(a, 0)?.overlaps(inet(a, 1)?)))),
    scalar("q_inet_plus", 2, |_, a| stored(inet(a, 0)?.plus(int(a, 1)?.into())?)),
    scalar("q_inet_set_masklen", 2, |_, a| stored(inet(a, 0)?.with_bits(int(a, 1)?)?)),
    scalar("q_inet_within", 2, |_, a| Ok(from_bool(inet(a, 1)?.contains_strictly(inet(a, 0)?)))),
    scalar("q_inet_within_eq", 2, |_, a| Ok(from_bool(inet(a, 1)?.contains(inet(a, 0)?)))),
    scalar("q_mac_and", 2, |_, a| combine(a, |a, b| a & b)),
    scalar("q_mac_long", 1, |_, a| {
        let octets = blob(a, 0)?;
        Ok(Value::Blob([&octets[..3.min(octets.len())], &[0xff, 0xfe], &octets[3.min(octets.len())..]].concat()))
    }),
    scalar("q_mac_not", 1, |_, a| Ok(Value::Blob(blob(a, 0)?.iter().map(|octet| !octet).collect()))),
    scalar("q_mac_or", 2, |_, a| combine(a, |a, b| a | b)),
    scalar("q_mac_set7bit", 1, |_, a| {
        let mut octets = blob(a, 0)?.to_vec();
        octets.first_mut().into_iter().for_each(|first| *first |= 2);
        Ok(Value::Blob(octets))
    }),
    scalar("q_mac_short", 1, |_, a| short(blob(a, 0)?)),
    scalar("q_mac_trunc", 1, |_, a| {
        let maker = |(i, octet): (usize, &u8)| if i < 3 { *octet } else { 0 };
        Ok(Value::Blob(blob(a, 0)?.iter().enumerate().map(maker).collect()))
    }),
];

fn inet(args: &[ValueRef<'_>], i: usize) -> SqlResult<Inet> {
    Inet::stored(blob(args, i)?)
}

#[allow(clippy::unnecessary_wraps)]
fn stored(inet: Inet) -> SqlResult<Value> {
    Ok(Value::Blob(inet.encode()))
}

fn combine(args: &[ValueRef<'_>], f: fn(u8, u8) -> u8) -> SqlResult<Value> {
    let (a, b) = (blob(args, 0)?, blob(args, 1)?);
    Ok(Value::Blob(a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()))
}

/// Six octets of eight. Errors: 22003.
fn short(octets: &[u8]) -> SqlResult<Value> {
    match octets {
        [a, b, c, 0xff, 0xfe, d, e, f] => Ok(Value::Blob(vec![*a, *b, *c, *d, *e, *f])),
        _ => Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "macaddr8 data out of range to convert to macaddr")
            .hint(
                "Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example \
             xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.",
            )),
    }
}
