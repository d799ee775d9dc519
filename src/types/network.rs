//! Network addresses: `inet`, `cidr`, `macaddr` and `macaddr8`.
//!
//! An `inet` is stored as bytes that SQLite orders as PostgreSQL does: first by family, then by the bits of the network
//! that two addresses share, then by the length of the network, last by the rest of the address. For that each bit of the
//! network stands behind a one, a zero ends them, and the bits of the host follow:
//!
//! ```text
//! 10.0.0.0/2 is 04, then the bits 1 0 1 0, 0, and the 30 bits of the host
//! ```
//!
//! A `cidr` is stored in the same way: the two differ in what they take and in how they are shown. Hardware addresses are
//! their bytes.

use super::{Type, format_type_plain};
use crate::error::{SqlError, SqlResult, state};
use core::net::{Ipv4Addr, Ipv6Addr};

/// An address with the length of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inet {
    pub family: Family,
    /// Bits of the network, of all bits of the family.
    pub bits: u8,
    /// The address in the upper bits: of version 4, the lower 96 are zero.
    address: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// Bits of an address.
    pub fn width(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }

    pub fn number(self) -> i64 {
        match self {
            Family::V4 => 4,
            Family::V6 => 6,
        }
    }

    /// As the binary form calls it.
    fn sent(self) -> u8 {
        match self {
            Family::V4 => 2,
            Family::V6 => 3,
        }
    }
}

/// The upper `bits` of 128.
fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

fn invalid(ty: Type, text: &str) -> SqlError {
    let ty = format_type_plain(ty);
    SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type {ty}: \"{text}\""))
}

fn misuse(message: impl Into<String>) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

fn out_of_range() -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range")
}

impl Inet {
    /// Reads an `inet`, or a `cidr`, which may lack octets at its end and has no bits behind its network.
    ///
    /// Errors: 22P02.
    pub fn parse(ty: Type, text: &str) -> SqlResult<Inet> {
        let strict = ty == Type::CIDR;
        let read = match (text.contains(':'), strict) {
            (true, _) => read_v6(text),
            (false, true) => read_network(text),
            (false, false) => read_v4(text),
        };
        let inet = read.ok_or_else(|| invalid(ty, text))?;
        match strict && inet.network() != inet {
            true => Err(SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("invalid cidr value: \"{text}\""))
                .detail("Value has bits set to right of mask.")),
            false => Ok(inet),
        }
    }

    fn v4(octets: [u8; 4], bits: u8) -> Inet {
        Inet { family: Family::V4, bits, address: u128::from(u32::from_be_bytes(octets)) << 96 }
    }

    /// The stored form.
    pub fn encode(self) -> Vec<u8> {
        let (bits, width) = (u32::from(self.bits), u32::from(self.family.width()));
        let mut out = Packer { bytes: vec![self.family.number() as u8], used: 8 };
        for i in 0..bits {
            out.push(true);
            out.push(self.address >> (127 - i) & 1 == 1);
        }
        out.push(false);
        for i in bits..width {
            out.push(self.address >> (127 - i) & 1 == 1);
        }
        out.bytes
    }

    /// Errors: XX000 for what no address is stored as.
    pub fn stored(bytes: &[u8]) -> SqlResult<Inet> {
        let damaged = || SqlError::internal("a stored network address is damaged");
        let (family, rest) = match bytes.split_first() {
            Some((4, rest)) => (Family::V4, rest),
            Some((6, rest)) => (Family::V6, rest),
            _ => return Err(damaged()),
        };
        let mut at = 0;
        let mut next = || {
            let bit = rest.get(at / 8).map(|byte| byte >> (7 - at % 8) & 1 == 1);
            at += 1;
            bit.ok_or_else(damaged)
        };
        let (mut address, mut bits, mut done) = (0u128, 0, 0);
        while next()? {
            if done == family.width() {
                return Err(damaged());
            }
            address = address << 1 | u128::from(next()?);
            (bits, done) = (bits + 1, done + 1);
        }
        while done < family.width() {
            address = address << 1 | u128::from(next()?);
            done += 1;
        }
        Ok(Inet { family, bits, address: address << (128 - u32::from(done)) })
    }

    /// Errors: 22P03.
    pub fn parse_binary(ty: Type, bytes: &[u8]) -> SqlResult<Inet> {
        let name = if ty == Type::CIDR { "cidr" } else { "inet" };
        let bad = |what: &str| {
            let message = format!("invalid {what} in external \"{name}\" value");
            SqlError::new(state::INVALID_BINARY_REPRESENTATION, message)
        };
        let short = || SqlError::new(state::PROTOCOL_VIOLATION, "insufficient data left in message");
        let ([family, bits, _, length], address) = bytes.split_first_chunk().ok_or_else(short)?;
        let family = match family {
            2 => Family::V4,
            3 => Family::V6,
            _ => return Err(bad("address family")),
        };
        if *bits > family.width() {
            return Err(bad("bits"));
        }
        if *length != family.width() / 8 {
            return Err(bad("length"));
        }
        if address.len() < usize::from(*length) {
            return Err(short());
        }
        if address.len() > usize::from(*length) {
            let ty = format_type_plain(ty);
            let message = format!("incorrect binary data format for type {ty}");
            return Err(SqlError::new(state::INVALID_BINARY_REPRESENTATION, message));
        }
        let mut all = [0; 16];
        all[..address.len()].copy_from_slice(address);
        let inet = Inet { family, bits: *bits, address: u128::from_be_bytes(all) };
        match ty == Type::CIDR && inet.network() != inet {
            true => Err(SqlError::new(state::INVALID_BINARY_REPRESENTATION, "invalid external \"cidr\" value")
                .detail("Value has bits set to right of mask.")),
            false => Ok(inet),
        }
    }

    pub fn write_binary(self, ty: Type, out: &mut Vec<u8>) {
        let length = self.family.width() / 8;
        out.extend([self.family.sent(), self.bits, u8::from(ty == Type::CIDR), length]);
        out.extend(&self.address.to_be_bytes()[..usize::from(length)]);
    }

    /// As the type is shown: of an `inet`, a network of all bits is not.
    pub fn to_text(self, ty: Type) -> String {
        let mut text = self.host();
        if ty == Type::CIDR || self.bits != self.family.width() {
            text.push_str(&format!("/{}", self.bits));
        }
        text
    }

    /// The address without the length of its network.
    pub fn host(self) -> String {
        match self.family {
            Family::V4 => self.octets().to_string(),
            Family::V6 => show_v6(self.address),
        }
    }

    fn octets(self) -> Ipv4Addr {
        Ipv4Addr::from((self.address >> 96) as u32)
    }

    /// A `cidr` without what says nothing: octets, or groups, behind the network.
    pub fn abbreviated(self) -> String {
        let network = self.network();
        match (self.family, self.bits) {
            (Family::V4, bits) => {
                let shown = usize::from(bits.div_ceil(8)).max(1);
                let octets = network.octets().octets();
                let octets: Vec<String> = octets[..shown].iter().map(u8::to_string).collect();
                format!("{}/{bits}", octets.join("."))
            }
            (Family::V6, 0) => "::/0".into(),
            (Family::V6, bits) => format!("{}/{bits}", show_prefix(network.address, bits)),
        }
    }

    /// With another length of the network; below zero, all bits. Errors: 22023.
    pub fn with_bits(self, bits: i64) -> SqlResult<Inet> {
        let width = self.family.width();
        match bits {
            -1 => Ok(Inet { bits: width, ..self }),
            _ => match u8::try_from(bits).ok().filter(|bits| *bits <= width) {
                Some(bits) => Ok(Inet { bits, ..self }),
                None => Err(misuse(format!("invalid mask length: {bits}"))),
            },
        }
    }

    /// The bits behind the network are zero.
    pub fn network(self) -> Inet {
        Inet { address: self.address & mask(self.bits), ..self }
    }

    pub fn broadcast(self) -> Inet {
        Inet { address: self.address | !mask(self.bits) & mask(self.family.width()), ..self }
    }

    pub fn netmask(self) -> Inet {
        Inet { address: mask(self.bits), bits: self.family.width(), ..self }
    }

    pub fn hostmask(self) -> Inet {
        let width = self.family.width();
        Inet { address: !mask(self.bits) & mask(width), bits: width, ..self }
    }

    /// Whether the other's network is within this one's, or is the same.
    pub fn contains(self, other: Inet) -> bool {
        self.bits <= other.bits && self.shares(other, self.bits)
    }

    pub fn contains_strictly(self, other: Inet) -> bool {
        self.bits < other.bits && self.shares(other, self.bits)
    }

    pub fn overlaps(self, other: Inet) -> bool {
        self.shares(other, self.bits.min(other.bits))
    }

    fn shares(self, other: Inet, bits: u8) -> bool {
        self.family == other.family && (self.address ^ other.address) & mask(bits) == 0
    }

    /// The smallest network that has both. Errors: 22023.
    pub fn merge(self, other: Inet) -> SqlResult<Inet> {
        if self.family != other.family {
            return Err(misuse("cannot merge addresses from different families"));
        }
        let common = (self.address ^ other.address).leading_zeros() as u8;
        Ok(Inet { bits: common.min(self.bits).min(other.bits), ..self }.network())
    }

    pub fn inverted(self) -> Inet {
        Inet { address: !self.address & mask(self.family.width()), ..self }
    }

    /// Bit by bit, with the longer network of both. `name`: of the operation. Errors: 22023.
    pub fn combine(self, other: Inet, name: &str, f: fn(u128, u128) -> u128) -> SqlResult<Inet> {
        if self.family != other.family {
            return Err(misuse(format!("cannot {name} inet values of different sizes")));
        }
        Ok(Inet { address: f(self.address, other.address), bits: self.bits.max(other.bits), ..self })
    }

    /// The address so many further on. Errors: 22003.
    pub fn plus(self, count: i128) -> SqlResult<Inet> {
        let unused = 128 - u32::from(self.family.width());
        let number = (self.address >> unused).checked_add_signed(count);
        let number = number.filter(|n| *n <= u128::MAX >> unused).ok_or_else(out_of_range)?;
        Ok(Inet { address: number << unused, ..self })
    }

    /// How far the address is from another. Errors: 22023, 22003.
    pub fn minus(self, other: Inet) -> SqlResult<i64> {
        if self.family != other.family {
            return Err(misuse("cannot subtract inet values of different sizes"));
        }
        let unused = 128 - u32::from(self.family.width());
        let (a, b) = (self.address >> unused, other.address >> unused);
        let distance = i128::try_from(a.abs_diff(b)).map_err(|_| out_of_range())?;
        i64::try_from(if a < b { -distance } else { distance }).map_err(|_| out_of_range())
    }
}

struct Packer {
    bytes: Vec<u8>,
    used: usize,
}

impl Packer {
    fn push(&mut self, bit: bool) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (7 - self.used % 8);
        }
        self.used += 1;
    }
}

/// The text before and the number behind a slash.
fn with_length(text: &str, width: u8) -> Option<(&str, Option<u8>)> {
    let Some((address, length)) = text.split_once('/') else { return Some((text, None)) };
    let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let length: u8 = length.parse().ok().filter(|n| digits && *n <= width)?;
    Some((address, Some(length)))
}

/// Up to four octets in decimal.
fn octets(text: &str) -> Option<Vec<u8>> {
    // A dot may stand at the end.
    let text = text.strip_suffix('.').unwrap_or(text);
    let octet = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
    let octets: Vec<u8> = text.split('.').map(octet).collect::<Option<_>>()?;
    (octets.len() <= 4).then_some(octets)
}

fn filled(octets: &[u8]) -> [u8; 4] {
    std::array::from_fn(|i| octets.get(i).copied().unwrap_or(0))
}

/// With all octets, or as many as the network reaches into wholly.
fn read_v4(text: &str) -> Option<Inet> {
    let (address, length) = with_length(text, 32)?;
    let given = octets(address)?;
    let bits = match length {
        Some(bits) => bits,
        None if given.len() == 4 && !address.ends_with('.') => 32,
        None => return None,
    };
    (usize::from(bits / 8) <= given.len()).then(|| Inet::v4(filled(&given), bits))
}

/// A network: without a length it has that of its old class, or of all octets that are given.
fn read_network(text: &str) -> Option<Inet> {
    let (address, length) = with_length(text, 32)?;
    let hex = address.strip_prefix("0x").or_else(|| address.strip_prefix("0X"));
    let given = match hex.filter(|hex| !hex.is_empty()) {
        Some(hex) => {
            let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
            let octets: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect();
            (octets.len() <= 4).then_some(octets)?
        }
        None => octets(address)?,
    };
    let first = *given.first()?;
    let bits = length.unwrap_or_else(|| {
        let class = match first {
            240.. => 32,
            224.. => 8,
            192.. => 24,
            128.. => 16,
            _ => 8,
        };
        match class.max(given.len() as u8 * 8) {
            8 if first == 224 => 4,
            bits => bits,
        }
    });
    Some(Inet::v4(filled(&given), bits))
}

fn read_v6(text: &str) -> Option<Inet> {
    let (address, length) = with_length(text, 128)?;
    // A length has no zeros in front.
    let zeros = text.split_once('/').is_some_and(|(_, length)| length.len() > 1 && length.starts_with('0'));
    let address: Ipv6Addr = address.parse().ok().filter(|_| !zeros)?;
    Some(Inet { family: Family::V6, bits: length.unwrap_or(128), address: address.into() })
}

fn groups(address: u128) -> [u16; 8] {
    std::array::from_fn(|i| (address >> (112 - 16 * i)) as u16)
}

/// The first of the longest runs of zeros, from two on.
fn longest_run(groups: &[u16]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    let mut at = 0;
    while at < groups.len() {
        let length = groups[at..].iter().take_while(|group| **group == 0).count();
        if length >= 2 && best.is_none_or(|(_, known)| length > known) {
            best = Some((at, length));
        }
        at += length.max(1);
    }
    best
}

/// Zeros are left out once, and an address that holds one of version 4 shows it.
fn show_v6(address: u128) -> String {
    let groups = groups(address);
    let run = longest_run(&groups);
    let embedded = match run {
        Some((0, 5)) => groups[5] == 0xffff,
        Some((0, 6)) => true,
        _ => false,
    };
    let hex = |groups: &[u16]| groups.iter().map(|group| format!("{group:x}")).collect::<Vec<_>>().join(":");
    match run {
        _ if embedded => {
            let inner = Ipv4Addr::from(address as u32);
            if groups[5] == 0 { format!("::{inner}") } else { format!("::ffff:{inner}") }
        }
        None => hex(&groups),
        Some((at, length)) => format!("{}::{}", hex(&groups[..at]), hex(&groups[at + length..])),
    }
}

/// The groups that a network reaches into: at least two of them.
fn show_prefix(address: u128, bits: u8) -> String {
    let all = groups(address);
    let shown = usize::from(bits.div_ceil(16)).max(2);
    let groups = &all[..shown];
    // A single zero is left out as well.
    let run = longest_run(groups).or_else(|| groups.iter().position(|group| *group == 0).map(|at| (at, 1)));
    let embedded = match run {
        Some((0, length)) if length != shown => match length {
            6 => true,
            5 => all[5] == 0xffff,
            7 => all[7] >> 8 != 0 && all[7] & 0xff != 1,
            _ => false,
        },
        _ => false,
    };
    let mut out = String::new();
    for (at, group) in groups.iter().enumerate() {
        if let Some((start, length)) = run
            && (start..start + length).contains(&at)
        {
            out.push_str(if at == start { ":" } else { "" });
            out.push_str(if at == shown - 1 { ":" } else { "" });
            continue;
        }
        let [high, low] = group.to_be_bytes();
        match at {
            6 | 7 if embedded => {
                out.push_str(&format!("{}{high}", if at == 6 { ':' } else { '.' }));
                if at == 6 || bits > 120 {
                    out.push_str(&format!(".{low}"));
                }
            }
            _ => {
                out.push_str(if out.is_empty() { "" } else { ":" });
                out.push_str(&format!("{group:x}"));
            }
        }
    }
    out
}

// ---- hardware addresses ----

/// Six octets in one of the usual forms. Errors: 22P02, 22003.
pub fn parse_macaddr(text: &str) -> SqlResult<[u8; 6]> {
    let bad = || invalid(Type::MACADDR, text);
    let body = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let count = |separator| body.matches(separator).count();
    let parts: Vec<&str> = match (count(':'), count('-'), count('.')) {
        (5, 0, 0) => body.split(':').collect(),
        (0, 5, 0) => body.split('-').collect(),
        (1, 0, 0) => body.split(':').flat_map(|half| pieces(half, 3)).collect(),
        (0, 1, 0) => body.split('-').flat_map(|half| pieces(half, 3)).collect(),
        (0, 0, 2) => body.split('.').flat_map(|third| pieces(third, 2)).collect(),
        (0, 2, 0) => body.split('-').flat_map(|third| pieces(third, 2)).collect(),
        (0, 0, 0) => pieces(body, 6),
        _ => return Err(bad()),
    };
    let mut octets = [0; 6];
    if parts.len() != 6 {
        return Err(bad());
    }
    for (octet, part) in octets.iter_mut().zip(parts) {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        *octet = u8::from_str_radix(part, 16).map_err(|_| {
            let message = format!("invalid octet value in \"macaddr\" value: \"{text}\"");
            SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, message)
        })?;
    }
    Ok(octets)
}

/// So many pairs of digits, the last of which may be a single one.
fn pieces(text: &str, count: usize) -> Vec<&str> {
    let digits = text.is_ascii() && text.len().div_ceil(2) == count;
    let pair = |i: usize| &text[2 * i..text.len().min(2 * i + 2)];
    if digits { (0..count).map(pair).collect() } else { Vec::new() }
}

/// Eight octets, or six, which `ff:fe` goes between. Errors: 22P02.
pub fn parse_macaddr8(text: &str) -> SqlResult<[u8; 8]> {
    let bad = || invalid(Type::MACADDR8, text);
    let body = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let mut octets = Vec::with_capacity(8);
    let mut rest = body.as_bytes();
    let mut separator = None;
    while let [high, low, after @ ..] = rest {
        let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(bad()) };
        octets.push(high << 4 | low);
        rest = after;
        if let [mark @ (b':' | b'-' | b'.'), after @ ..] = rest {
            if *separator.get_or_insert(*mark) != *mark {
                return Err(bad());
            }
            rest = after;
        }
    }
    match (octets[..].try_into(), &octets[..]) {
        _ if !rest.is_empty() => Err(bad()),
        (Ok(eight), _) => Ok(eight),
        (_, [a, b, c, d, e, f]) => Ok([*a, *b, *c, 0xff, 0xfe, *d, *e, *f]),
        _ => Err(bad()),
    }
}

/// Appends the octets in hexadecimal with colons between.
pub fn push_macaddr(octets: &[u8], out: &mut Vec<u8>) {
    for (i, octet) in octets.iter().enumerate() {
        let colon = if i == 0 { "" } else { ":" };
        out.extend(format!("{colon}{octet:02x}").bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inet(text: &str) -> Inet {
        Inet::parse(Type::INET, text).unwrap()
    }

    #[test]
    fn stored_bytes_are_in_order() {
        let ordered = [
            "0.0.0.0/0",
            "0.0.0.1/0",
            "10.0.0.0/7",
            "10.0.0.0/8",
            "10.1.2.3/8",
            "10.0.0.0/9",
            "10.0.0.0",
            "10.0.0.1",
            "10.128.0.0/9",
            "192.168.1.0/24",
            "192.168.1.5/24",
            "192.168.1.0/25",
            "255.255.255.255",
            "::/0",
            "::1/0",
            "::/64",
            "::1",
            "ffff::",
        ];
        let stored: Vec<Vec<u8>> = ordered.iter().map(|text| inet(text).encode()).collect();
        assert!(stored.is_sorted(), "{stored:?}");
        for (text, stored) in ordered.iter().zip(stored) {
            assert_eq!(Inet::stored(&stored).unwrap().to_text(Type::INET), *text);
        }
        assert!(Inet::stored(&[]).is_err() && Inet::stored(&[4, 0xff]).is_err() && Inet::stored(&[6; 3]).is_err());
    }

    #[test]
    fn hardware_addresses() {
        for text in ["08:00:2b:1:2:3", "08002b-010203", "0800.2b01.0203", "0800-2b01-0203", " 08002b010203 "] {
            assert_eq!(parse_macaddr(text).unwrap(), [8, 0, 0x2b, 1, 2, 3], "{text}");
        }
        for text in ["", "08:00:2b:01:02", "08:00:2b:01:02:03:04", "08:00-2b:01:02:03", "g8002b010203", "0800:2b010203"]
        {
            assert!(parse_macaddr(text).is_err(), "{text}");
        }
        assert_eq!(parse_macaddr8("08:00:2b:01:02:03").unwrap(), [8, 0, 0x2b, 0xff, 0xfe, 1, 2, 3]);
        assert!(parse_macaddr8("08:00-2b:01:02:03").is_err() && parse_macaddr8("08:00:2b:1").is_err());
    }
}
