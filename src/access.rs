//! Who may come in from where by which method: an ordered list of rules, of which the first that fits decides.
//!
//! The rules are lines as in PostgreSQL's `pg_hba.conf`. Pure: what is known of a connection goes in, the method comes out.

use core::net::IpAddr;
use std::fmt;

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// It is believed.
    Trust,
    /// It is not let in, whoever it is.
    Reject,
    /// By a password, which it does not send.
    Scram,
    /// By a certificate with its name.
    Cert,
}

impl Method {
    const NAMES: [(&str, Method); 4] = [
        ("trust", Method::Trust),
        ("reject", Method::Reject),
        ("scram-sha-256", Method::Scram),
        ("cert", Method::Cert),
    ];

    pub fn name(self) -> &'static str {
        Method::NAMES.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }
}

/// Which channel a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Any,
    Encrypted,
    Plain,
}

/// Names that a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    All,
    /// The database that has the user's name.
    SameUser,
    These(Vec<String>),
}

/// A range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    Anywhere,
    Net(IpAddr, u8),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    channel: Channel,
    databases: Names,
    users: Names,
    from: From,
    method: Method,
}

/// All of them, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(pub Vec<Rule>);

/// Who knocks.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    pub database: &'a str,
    pub user: &'a str,
    pub address: IpAddr,
    pub encrypted: bool,
}

impl Rules {
    /// Everybody from everywhere is believed.
    pub fn open() -> Rules {
        let (channel, databases, users) = (Channel::Any, Names::All, Names::All);
        Rules(vec![Rule { channel, databases, users, from: From::Anywhere, method: Method::Trust }])
    }

    /// The method of the first rule that fits; without one, nobody is let in.
    pub fn method(&self, visitor: &Visitor<'_>) -> Option<Method> {
        self.0.iter().find(|rule| rule.fits(visitor)).map(|rule| rule.method)
    }
}

impl Rule {
    /// Reads `TYPE DATABASE USER ADDRESS METHOD`.
    pub fn parse(line: &str) -> Result<Rule, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, database, user, address, method] = words.as_slice() else {
            return Err("it must have five words".into());
        };
        let channel = match *kind {
            "host" => Channel::Any,
            "hostssl" => Channel::Encrypted,
            "hostnossl" => Channel::Plain,
            other => return Err(format!("the type {other} is not known: there are host, hostssl, hostnossl")),
        };
        let known = Method::NAMES.iter().find(|(name, _)| name == method).map(|(_, method)| *method);
        let method = known
            .ok_or_else(|| format!("the method {method} is not known: there are trust, reject, scram-sha-256, cert"))?;
        if method == Method::Cert && channel != Channel::Encrypted {
            return Err("the method cert needs the type hostssl".into());
        }
        let (databases, users) = (names(database)?, names(user)?);
        if users == Names::SameUser {
            return Err("sameuser is for databases".into());
        }
        Ok(Rule { channel, databases, users, from: range(address)?, method })
    }

    fn fits(&self, visitor: &Visitor<'_>) -> bool {
        let channel = match self.channel {
            Channel::Any => true,
            Channel::Encrypted => visitor.encrypted,
            Channel::Plain => !visitor.encrypted,
        };
        channel
            && self.databases.have(visitor.database, visitor.user)
            && self.users.have(visitor.user, visitor.user)
            && self.from.has(visitor.address)
    }

    /// As `pg_hba_file_rules` shows it: type, databases, users, address, mask, method.
    pub fn columns(&self) -> (&'static str, Vec<String>, Vec<String>, String, Option<String>, &'static str) {
        let channel = match self.channel {
            Channel::Any => "host",
            Channel::Encrypted => "hostssl",
            Channel::Plain => "hostnossl",
        };
        let (address, mask) = match &self.from {
            From::Anywhere => ("all".to_owned(), None),
            From::Net(address, bits) => (address.to_string(), Some(mask(*address, *bits).to_string())),
        };
        (channel, self.databases.list(), self.users.list(), address, mask, self.method.name())
    }
}

/// The line that it was read from.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (channel, databases, users, address, _, method) = self.columns();
        write!(f, "{channel} {} {} {address}", databases.join(","), users.join(","))?;
        if let From::Net(_, bits) = self.from {
            write!(f, "/{bits}")?;
        }
        write!(f, " {method}")
    }
}

fn names(word: &str) -> Result<Names, String> {
    match word {
        "all" => Ok(Names::All),
        "sameuser" => Ok(Names::SameUser),
        list => {
            let names: Vec<String> = list.split(',').map(|name| name.trim_matches('"').to_owned()).collect();
            match names.iter().find(|name| name.is_empty() || name.starts_with(['+', '@', '/'])) {
                Some(odd) => Err(format!("{odd:?} is no name; groups, files and patterns are not supported")),
                None => Ok(Names::These(names)),
            }
        }
    }
}

fn range(word: &str) -> Result<From, String> {
    if word == "all" {
        return Ok(From::Anywhere);
    }
    let bad =
        || format!("{word} is no range of addresses: write all, or an address with the bits of its net, as 10.0.0.0/8");
    let (address, bits) = word.split_once('/').ok_or_else(bad)?;
    let (address, bits): (IpAddr, u8) = (address.parse().map_err(|_| bad())?, bits.parse().map_err(|_| bad())?);
    let most = if address.is_ipv4() { 32 } else { 128 };
    if bits > most { Err(bad()) } else { Ok(From::Net(address, bits)) }
}

/// An address as a number that is compared from its first bit on.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => v6.into(),
    }
}

fn first_bits(bits: u8) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - u32::from(bits)) }
}

fn mask(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(((first_bits(bits) >> 96) as u32).into()),
        IpAddr::V6(_) => IpAddr::V6(first_bits(bits).into()),
    }
}

impl From {
    fn has(&self, address: IpAddr) -> bool {
        match self {
            From::Anywhere => true,
            From::Net(net, bits) => {
                net.is_ipv4() == address.is_ipv4() && (number(*net) ^ number(address)) & first_bits(*bits) == 0
            }
        }
    }
}

impl Names {
    fn have(&self, name: &str, user: &str) -> bool {
        match self {
            Names::All => true,
            Names::SameUser => name == user,
            Names::These(names) => names.iter().any(|known| known == name),
        }
    }

    fn list(&self) -> Vec<String> {
        match self {
            Names::All => vec!["all".into()],
            Names::SameUser => vec!["sameuser".into()],
            Names::These(names) => names.clone(),
        }
    }
}

/// How many attempts an address may fail in a while, and how many addresses are remembered.
const ATTEMPTS: u32 = 20;
const WHILE: u64 = 60;
const ADDRESSES: usize = 10_000;

/// Counts failed logins by address; times are seconds of any clock that only goes forward.
#[derive(Debug, Default)]
pub struct Failures {
    by_address: std::collections::HashMap<u128, (u32, u64)>,
}

impl Failures {
    /// Whether an address has to wait before it may try again.
    pub fn blocked(&self, address: IpAddr, now: u64) -> bool {
        self.by_address.get(&whole(address)).is_some_and(|(count, until)| *count >= ATTEMPTS && now < *until)
    }

    /// An attempt has failed.
    pub fn failed(&mut self, address: IpAddr, now: u64) {
        if self.by_address.len() >= ADDRESSES {
            self.by_address.retain(|_, (_, until)| now < *until);
            // Somebody who has so many addresses must not cost memory without end.
            if self.by_address.len() >= ADDRESSES {
                self.by_address.clear();
            }
        }
        let entry = self.by_address.entry(whole(address)).or_insert((0, now + WHILE));
        if now >= entry.1 {
            *entry = (0, now + WHILE);
        }
        entry.0 += 1;
        if entry.0 == ATTEMPTS {
            entry.1 = now + WHILE;
        }
    }
}

/// Of IPv6 the net of a customer counts: he has all addresses in it.
fn whole(address: IpAddr) -> u128 {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => number(v4),
        v6 => number(v6) & first_bits(64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(rules: &[&str], user: &str, address: &str, encrypted: bool) -> Option<Method> {
        let rules = Rules(rules.iter().map(|line| Rule::parse(line).unwrap()).collect());
        let address = address.parse().unwrap();
        rules.method(&Visitor { database: "quorate", user, address, encrypted })
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = [
            "host all mallory all reject",
            "hostssl quorate ann,bob 10.0.0.0/8 cert",
            "hostssl all all 10.1.0.0/16 scram-sha-256",
            "hostnossl sameuser all ::1/128 trust",
        ];
        assert_eq!(method(&rules, "mallory", "10.0.0.1", true), Some(Method::Reject));
        assert_eq!(method(&rules, "ann", "10.255.0.1", true), Some(Method::Cert));
        assert_eq!(method(&rules, "ann", "10.1.0.1", false), None);
        assert_eq!(method(&rules, "eve", "10.1.2.3", true), Some(Method::Scram));
        assert_eq!(method(&rules, "eve", "10.2.2.3", true), None);
        assert_eq!(method(&rules, "eve", "::1", false), None);
        assert_eq!(method(&rules, "quorate", "::1", false), Some(Method::Trust));
        assert_eq!(method(&["host all all 0.0.0.0/0 trust"], "x", "::1", false), None);
    }

    #[test]
    fn lines_are_what_they_were_read_from() {
        for line in ["host all all all trust", "hostssl a,b sameuser2 192.168.4.0/22 scram-sha-256"] {
            assert_eq!(Rule::parse(line).unwrap().to_string(), line);
        }
        let rule = Rule::parse("hostssl all all 192.168.4.0/22 cert").unwrap();
        assert_eq!(rule.columns().4.as_deref(), Some("255.255.252.0"));
        for line in ["local all all trust", "host all all all password", "host all all all cert", "host a +b all trust"]
        {
            assert!(Rule::parse(line).is_err(), "{line}");
        }
        for address in ["10.0.0.0", "10.0.0.0/33", "host.example/8", "/8"] {
            assert!(Rule::parse(&format!("host all all {address} trust")).is_err(), "{address}");
        }
    }

    #[test]
    fn who_fails_too_often_waits() {
        let mut failures = Failures::default();
        let (one, other): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..ATTEMPTS {
            assert!(!failures.blocked(one, 5));
            failures.failed(one, 5);
        }
        assert!(failures.blocked(one, 5) && failures.blocked(one, 64) && !failures.blocked(other, 5));
        assert!(!failures.blocked(one, 65));
        failures.failed(one, 66);
        assert!(!failures.blocked(one, 66));
        // Neighbours in one net of IPv6 are one.
        let (a, b): (IpAddr, IpAddr) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
        (0..ATTEMPTS).for_each(|_| failures.failed(a, 0));
        assert!(failures.blocked(b, 0));
    }
}
