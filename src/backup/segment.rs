//! Parts of a database's log, as they are kept beside backups: entries that a majority has committed, in order.
//!
//! An entry is in the form in which it is in the log; what that is the log knows. Two nodes that both think that they are to keep
//! the log keep the same entries, in other parts perhaps: whoever reads takes what he needs next from any of them.

use super::envelope;
use super::piece::Key;
use serde::{Deserialize, Serialize};

/// Entries in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The cluster's number, the group, and the index of the first entry.
    pub cluster_id: String,
    pub group: u64,
    pub first: u64,
    pub entries: Vec<Vec<u8>>,
}

/// How far the log is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Through {
    pub index: u64,
    /// No transaction of an earlier time is behind that entry: µs since 2000-01-01 00:00 UTC.
    pub time: i64,
}

/// Up to where a log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// This entry included.
    Index(u64),
    /// All transactions before this time, µs since 2000-01-01 00:00 UTC.
    Time(i64),
    /// All that was kept.
    End,
}

const MAGIC: &str = "quorate-log";
const THROUGH: &str = "quorate-through";

/// Where the parts of a group's log are.
pub fn folder(cluster_id: &str, group: u64) -> String {
    format!("log/{cluster_id}/{group}")
}

/// Where it says how far it is kept.
pub fn through_name(cluster_id: &str, group: u64) -> String {
    format!("log/{cluster_id}/{group}.through")
}

impl Segment {
    fn last(&self) -> u64 {
        (self.first + self.entries.len() as u64).saturating_sub(1)
    }

    pub fn name(&self) -> String {
        format!("{}/{:020}-{:020}", folder(&self.cluster_id, self.group), self.first, self.last())
    }

    pub fn encode(&self, key: Option<&Key>, nonce: [u8; 12]) -> Vec<u8> {
        let body = postcard::to_allocvec(self).expect("plain data");
        envelope::wrap(MAGIC, &self.name(), body, key, nonce)
    }

    /// Reads the part that is kept under this name.
    pub fn decode(name: &str, kept: &[u8], key: Option<&Key>) -> Result<Segment, String> {
        let body = envelope::unwrap(MAGIC, name, kept, key).map_err(|why| format!("{name} {why}"))?;
        let segment: Option<Segment> = postcard::from_bytes(&body).ok();
        segment.filter(|segment| segment.name() == name).ok_or_else(|| format!("{name} is not what was written"))
    }
}

/// Of which cluster and group a part is, by its name.
pub fn of(name: &str) -> Option<(&str, u64)> {
    let (cluster_id, rest) = name.strip_prefix("log/")?.split_once('/')?;
    let group = rest.split(['/', '.']).next()?;
    Some((cluster_id, group.parse().ok()?))
}

/// First and last entry of a part, by its name.
pub fn range(name: &str) -> Option<(u64, u64)> {
    let (first, last) = name.rsplit('/').next()?.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

impl Through {
    pub fn encode(self, name: &str, key: Option<&Key>, nonce: [u8; 12]) -> Vec<u8> {
        envelope::wrap(THROUGH, name, postcard::to_allocvec(&self).expect("plain data"), key, nonce)
    }

    pub fn decode(name: &str, kept: &[u8], key: Option<&Key>) -> Result<Through, String> {
        let body = envelope::unwrap(THROUGH, name, kept, key).map_err(|why| format!("{name} {why}"))?;
        postcard::from_bytes(&body).map_err(|_| format!("{name} is not what was written"))
    }
}

/// The parts that bring a state beyond the entry `after`, in order, and how far they do without a gap.
pub fn chain(names: &[String], after: u64) -> (Vec<&str>, u64) {
    let mut all: Vec<(u64, u64, &str)> =
        names.iter().filter_map(|name| range(name).map(|(first, last)| (first, last, name.as_str()))).collect();
    all.sort();
    let (mut chosen, mut reached, mut at) = (Vec::new(), after, 0);
    loop {
        // Of those that go on without a gap the one that leads furthest.
        let mut best: Option<(u64, &str)> = None;
        while let Some((first, last, name)) = all.get(at).filter(|(first, ..)| *first <= reached + 1) {
            debug_assert!(first <= last);
            if *last > best.map_or(reached, |(last, _)| last) {
                best = Some((*last, name));
            }
            at += 1;
        }
        let Some((last, name)) = best else { return (chosen, reached) };
        chosen.push(name);
        reached = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(first: u64, last: u64) -> Segment {
        let entries = (first..=last).map(|index| index.to_le_bytes().to_vec()).collect();
        Segment { cluster_id: "c".into(), group: 7, first, entries }
    }

    #[test]
    fn a_part_is_whole_or_none() {
        let key = Key::parse(&Key::text([1; 32])).unwrap();
        for key in [None, Some(&key)] {
            let segment = segment(5, 9);
            let (name, kept) = (segment.name(), segment.encode(key, [2; 12]));
            assert_eq!((range(&name), Segment::decode(&name, &kept, key)), (Some((5, 9)), Ok(segment)));
            for bit in 0..8 * kept.len() {
                let mut damaged = kept.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(Segment::decode(&name, &damaged, key).unwrap_err().starts_with(&name), "bit {bit}");
            }
            assert!((0..kept.len()).all(|cut| Segment::decode(&name, &kept[..cut], key).is_err()));
            assert_eq!((of(&name), of(&through_name("c", 7))), (Some(("c", 7)), Some(("c", 7))));
            let other = super::tests::segment(5, 8).name();
            assert!(Segment::decode(&other, &kept, key).is_err(), "another's name");
            let (through, name) = (Through { index: 9, time: -3 }, through_name("c", 7));
            let kept = through.encode(&name, key, [3; 12]);
            assert_eq!(Through::decode(&name, &kept, key), Ok(through));
            assert!(Through::decode(&name, &kept[1..], key).is_err());
        }
    }

    #[test]
    fn parts_that_overlap_are_one_log() {
        let names = |ranges: &[(u64, u64)]| ranges.iter().map(|(a, b)| segment(*a, *b).name()).collect::<Vec<_>>();
        let chained = |ranges: &[(u64, u64)], after| {
            let names = names(ranges);
            let (chosen, reached) = chain(&names, after);
            (chosen.iter().map(|name| range(name).unwrap()).collect::<Vec<_>>(), reached)
        };
        let all = [(1, 4), (5, 9), (3, 12), (10, 12), (13, 13), (15, 20)];
        assert_eq!(chained(&all, 4), (vec![(3, 12), (13, 13)], 13));
        assert_eq!(chained(&all, 12), (vec![(13, 13)], 13));
        assert_eq!(chained(&all, 13), (vec![], 13));
        assert_eq!(chained(&all, 14), (vec![(15, 20)], 20));
        assert_eq!(chained(&[(1, 4), (5, 9)], 0), (vec![(1, 4), (5, 9)], 9));
        assert_eq!(chain(&["log/c/7/x".to_owned()], 3), (vec![], 3));
    }
}
