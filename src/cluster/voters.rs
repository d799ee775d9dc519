//! Who should vote in a group: from what its leader sees, the next change that it should make, if any.
//!
//! One change at a time; the next one follows from what then is. So changes that are wanted at once queue up by
//! themselves, a new leader goes on where the last one was, and nothing is remembered but what the system group's tables
//! and Raft's configuration say.
//!
//! **The rule.** A group wants an odd number of voters, as many as there are nodes that can vote, up to [`MAX_VOTERS`];
//! further replicas are learners that stand by.
//! - It *grows* from odd to odd: two learners that have caught up become voters one after the other. One alone waits.
//!   From an even number (left over by a removal) it grows by one.
//! - A voter that is *leaving* (removed by an operator, or replaced by its own node's new directory) gives its place to
//!   a learner that has caught up, in one joint step; without one it loses its vote, and an even number may remain. If it
//!   leads, it hands over first. If a successor was named, that one is waited for. It is removed when it is a learner:
//!   a majority of the voters has noted by then that it votes no more, and asks for it no more, whatever happens.
//! - A voter that has been *silent* for [`Rules::replace_after`] changes places with a learner that has caught up, in one
//!   joint step: it becomes a learner, and catches up as such when it comes back. Without a learner it loses its vote only
//!   if an odd number of at least three remains: four of which one is silent become three, five of which two are
//!   silent become three.
//! - No change is begun that the living could not commit: a majority of the voters before and of the voters after must
//!   be alive.
//!
//! **Even numbers are safe**, only not useful. Any two majorities of a configuration have a member in common, whatever
//! its size, and a change of one voter (or a joint step) keeps that true between the old and the new one. Four voters
//! survive the loss of one, as three do, and two survive none, as one does; so the group does not stay at such a
//! number if it can help it.

use crate::id::{NodeId, ReplicaId};
use std::time::Duration;

/// More voters make every write slower and survive nothing that five do not.
pub const MAX_VOTERS: usize = 5;
/// Whoever was heard of within this time is alive.
pub const ALIVE: Duration = Duration::from_secs(3);

/// Times after which a leader acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A voter that is silent for so long gives its vote to a learner that stands by.
    pub replace_after: Duration,
    /// A node that asked to join and was not heard of for so long is forgotten.
    pub join_within: Duration,
}

/// What the cluster has decided about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was let in and has not caught up yet.
    Joining,
    Up,
    /// It is to be removed, and perhaps this node takes its place.
    Leaving(Option<NodeId>),
}

/// A replica as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub replica: ReplicaId,
    pub node: NodeId,
    pub voter: bool,
    pub standing: Standing,
    /// Since its node was last heard of.
    pub silent: Duration,
    pub caught_up: bool,
}

/// A replica that should be a member and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    pub replica: ReplicaId,
    pub node: NodeId,
    /// It has connected to the leader's node.
    pub here: bool,
}

/// The next change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    AddLearner(ReplicaId, NodeId),
    Promote(ReplicaId),
    /// `promote` votes instead of `demote`, which stays as a learner.
    Swap {
        promote: ReplicaId,
        demote: ReplicaId,
    },
    Demote(ReplicaId),
    /// A learner goes.
    Remove(ReplicaId),
    /// The leader is to go: this one shall lead.
    HandOver(NodeId),
}

/// The next change of the group that `me` leads; see the module.
pub fn next(me: ReplicaId, seats: &[Seat], absent: &[Absent], rules: &Rules) -> Option<Wish> {
    let group = Group { me, seats, absent, rules };
    if !group.can_do(None, None) {
        return None;
    }
    let forgotten = |s: &&Seat| s.standing == Standing::Joining && s.silent >= rules.join_within && !s.voter;
    if let Some(seat) = seats.iter().find(forgotten) {
        return Some(Wish::Remove(seat.replica));
    }
    if let Some(new) = absent.iter().find(|a| a.here) {
        return Some(Wish::AddLearner(new.replica, new.node));
    }
    let leaving = |s: &&Seat| matches!(s.standing, Standing::Leaving(_));
    let go = seats.iter().filter(leaving).find_map(|seat| group.let_go(seat));
    go.or_else(|| group.replace_silent()).or_else(|| group.grow())
}

struct Group<'a> {
    me: ReplicaId,
    seats: &'a [Seat],
    absent: &'a [Absent],
    rules: &'a Rules,
}

impl Group<'_> {
    fn voters(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(|s| s.voter)
    }

    fn is_alive(&self, seat: &Seat) -> bool {
        seat.replica == self.me || seat.silent < ALIVE
    }

    /// Learners that could vote at once.
    fn ready(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(|s| !s.voter && s.standing == Standing::Up && s.caught_up && self.is_alive(s))
    }

    /// Whether the voters that remain without `gone`, and with `new`, can commit.
    fn can_do(&self, gone: Option<ReplicaId>, new: Option<ReplicaId>) -> bool {
        let after = self.seats.iter().filter(|s| s.voter && Some(s.replica) != gone || Some(s.replica) == new);
        let (all, alive) = after.fold((0, 0), |(n, a), s| (n + 1, a + usize::from(self.is_alive(s))));
        let before = self.voters().filter(|s| self.is_alive(s)).count();
        2 * alive > all && 2 * before > self.voters().count()
    }

    fn let_go(&self, seat: &Seat) -> Option<Wish> {
        let Standing::Leaving(successor) = seat.standing else { return None };
        if !seat.voter {
            return Some(Wish::Remove(seat.replica));
        }
        let heir = match successor {
            Some(node) => self.ready().find(|s| s.node == node),
            None => self.ready().next(),
        };
        if seat.replica == self.me {
            let stays =
                |s: &&Seat| s.standing == Standing::Up && s.replica != self.me && self.is_alive(s) && s.caught_up;
            return match self.voters().find(stays) {
                Some(next) => Some(Wish::HandOver(next.node)),
                None => heir.filter(|h| self.can_do(None, Some(h.replica))).map(|heir| Wish::Promote(heir.replica)),
            };
        }
        if let Some(heir) = heir.filter(|heir| self.can_do(Some(seat.replica), Some(heir.replica))) {
            return Some(Wish::Swap { promote: heir.replica, demote: seat.replica });
        }
        let seated = |s: &Seat| Some(s.node) == successor && !matches!(s.standing, Standing::Leaving(_));
        let coming = self.seats.iter().any(seated) || self.absent.iter().any(|a| Some(a.node) == successor);
        let waits = successor.is_some() && coming;
        (!waits && self.can_do(Some(seat.replica), None)).then_some(Wish::Demote(seat.replica))
    }

    fn replace_silent(&self) -> Option<Wish> {
        let silent =
            |s: &&Seat| s.standing == Standing::Up && s.replica != self.me && s.silent >= self.rules.replace_after;
        let dead = self.voters().filter(silent).max_by_key(|s| (s.silent, std::cmp::Reverse(s.replica)))?;
        if let Some(heir) = self.ready().find(|heir| self.can_do(Some(dead.replica), Some(heir.replica))) {
            return Some(Wish::Swap { promote: heir.replica, demote: dead.replica });
        }
        let (voters, dead_voters) = (self.voters().count(), self.voters().filter(silent).count());
        let shrinks = match voters % 2 {
            0 => voters > 3,
            _ => dead_voters >= 2 && voters > 4,
        };
        (shrinks && self.can_do(Some(dead.replica), None)).then_some(Wish::Demote(dead.replica))
    }

    fn grow(&self) -> Option<Wish> {
        let voters = self.voters().count();
        let wanted = if voters.is_multiple_of(2) { 1 } else { 2 };
        if voters + wanted > MAX_VOTERS || self.ready().count() < wanted {
            return None;
        }
        let first = self.ready().next().filter(|first| self.can_do(None, Some(first.replica)))?;
        Some(Wish::Promote(first.replica))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { replace_after: Duration::from_secs(60), join_within: Duration::from_secs(60) };

    /// Members as `id:role[:word…]`; the first leads. `v` votes, `l` learns; `~9` silent for 9 s, `joining`, `leaving`,
    /// `leaving=4` (node 4 takes its place), `behind`; `id:absent` and `id:here` should be members.
    fn parse(text: &str) -> (Vec<Seat>, Vec<Absent>) {
        let (mut seats, mut absent) = (Vec::new(), Vec::new());
        for member in text.split_whitespace() {
            let mut words = member.split(':');
            let id: u64 = words.next().unwrap().parse().unwrap();
            let (replica, node) = (ReplicaId(id), NodeId(id));
            let role = words.next().unwrap();
            if role != "v" && role != "l" {
                absent.push(Absent { replica, node, here: role == "here" });
                continue;
            }
            let mut seat = Seat {
                replica,
                node,
                voter: role == "v",
                standing: Standing::Up,
                silent: Duration::ZERO,
                caught_up: true,
            };
            for word in words {
                if let Some(seconds) = word.strip_prefix('~') {
                    (seat.silent, seat.caught_up) = (Duration::from_secs(seconds.parse().unwrap()), false);
                } else if let Some(node) = word.strip_prefix("leaving=") {
                    seat.standing = Standing::Leaving(Some(NodeId(node.parse().unwrap())));
                } else {
                    match word {
                        "joining" => seat.standing = Standing::Joining,
                        "leaving" => seat.standing = Standing::Leaving(None),
                        "behind" => seat.caught_up = false,
                        other => panic!("{other}"),
                    }
                }
            }
            seats.push(seat);
        }
        (seats, absent)
    }

    fn show(wish: Option<&Wish>) -> String {
        match wish {
            None => "nothing".into(),
            Some(Wish::AddLearner(r, _)) => format!("add {}", r.0),
            Some(Wish::Promote(r)) => format!("promote {}", r.0),
            Some(Wish::Swap { promote, demote }) => format!("swap {} for {}", promote.0, demote.0),
            Some(Wish::Demote(r)) => format!("demote {}", r.0),
            Some(Wish::Remove(r)) => format!("remove {}", r.0),
            Some(Wish::HandOver(n)) => format!("hand over to {}", n.0),
        }
    }

    #[test]
    fn the_rule_by_example() {
        let cases = "
            1:v 2:v 3:v                                 => nothing
            1:v 2:v 3:v 4:absent                        => nothing
            1:v 2:v 3:v 4:here                          => add 4
            1:v 2:v 3:v 4:l                             => nothing
            1:v 2:v 3:v 4:l 5:l                         => promote 4
            1:v 2:v 3:v 4:l 5:l:behind                  => nothing
            1:v 2:v 3:v 4:l 5:l:joining                 => nothing
            1:v 2:v 3:v 4:v 5:l                         => promote 5
            1:v 2:v 3:v 4:v 5:v 6:l 7:l                 => nothing
            1:v 2:v                                     => nothing
            1:v 2:v 3:l                                 => promote 3
            1:v 2:l                                     => nothing
            1:v 2:l 3:l                                 => promote 2
            1:v 2:v 3:v:~59 4:l                         => nothing
            1:v 2:v 3:v:~60 4:l                         => swap 4 for 3
            1:v 2:v 3:v:~60 4:l:behind                  => nothing
            1:v 2:v 3:v:~99                             => nothing
            1:v 2:v:~99 3:v:~99 4:l                     => nothing
            1:v 2:v 3:v 4:v:~99                         => demote 4
            1:v 2:v 3:v 4:v:~99 5:v:~70                 => demote 4
            1:v 2:v 3:v 4:l:~99 5:v:~70                 => demote 5
            1:v 2:v 3:v 4:v 5:v:~99                     => nothing
            1:v 2:v:~99 3:v:~4 4:v 5:v                  => nothing
            1:v 2:v 3:v:leaving                         => demote 3
            1:v 2:v 3:v:leaving 4:l                     => swap 4 for 3
            1:v 2:v 3:v:leaving:~9 4:l                  => swap 4 for 3
            1:v 2:v:~9 3:v:leaving                      => nothing
            1:v 2:v 3:v:leaving=4 4:l:joining:behind    => nothing
            1:v 2:v 3:v:leaving=4 4:l 5:l               => swap 4 for 3
            1:v 2:v 3:v:leaving=4 5:l                   => demote 3
            1:v 2:v 3:v:leaving=4:~9 4:absent           => nothing
            1:v 2:v 3:v:leaving=4:~9 4:here             => add 4
            1:v 2:v 3:l:leaving                         => remove 3
            1:v:leaving 2:v 3:v                         => hand over to 2
            1:v:leaving 2:v:~9 3:v                      => hand over to 3
            1:v:leaving 2:v:leaving 3:v                 => hand over to 3
            3:v 1:v:leaving 2:v:leaving                 => demote 1
            3:v 2:v:leaving                             => demote 2
            3:v 2:v:leaving:~9                          => nothing
            1:v:leaving                                 => nothing
            1:v:leaving 2:l                             => promote 2
            1:v 2:v 3:v 4:l:joining:~60                 => remove 4
            1:v 2:v 3:v 4:l:joining:~59                 => nothing
        ";
        for case in cases.lines().filter(|l| l.contains("=>")) {
            let (members, expected) = case.split_once("=>").unwrap();
            let (seats, absent) = parse(members);
            let found = next(seats[0].replica, &seats, &absent, &RULES);
            assert_eq!(show(found.as_ref()), expected.trim(), "{members}");
        }
    }

    /// Whatever the beginning, the changes come to an end, and none is begun that the living cannot commit.
    #[test]
    fn changes_come_to_an_end() {
        let mut dice = 1u64;
        let mut draw = |n: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % n
        };
        for _ in 0..20_000 {
            let mut seats: Vec<Seat> = (1..=1 + draw(8))
                .map(|id| Seat {
                    replica: ReplicaId(id),
                    node: NodeId(id),
                    voter: id == 1 || draw(2) == 0,
                    standing: match draw(6) {
                        0 => Standing::Leaving(None),
                        1 => Standing::Leaving(Some(NodeId(1 + draw(9)))),
                        _ => Standing::Up,
                    },
                    silent: Duration::from_secs(if id > 1 && draw(4) == 0 { draw(120) } else { 0 }),
                    caught_up: draw(5) > 0,
                })
                .collect();
            let mut me = ReplicaId(1);
            let mut steps = 0;
            while let Some(wish) = next(me, &seats, &[], &RULES) {
                steps += 1;
                assert!(steps < 40, "{wish:?} again and again: {seats:?}");
                let mut vote = |r: ReplicaId, votes| seats.iter_mut().find(|s| s.replica == r).unwrap().voter = votes;
                match wish {
                    Wish::AddLearner(..) => unreachable!("nobody is absent"),
                    Wish::Promote(r) => vote(r, true),
                    Wish::Demote(r) => vote(r, false),
                    Wish::Swap { promote, demote } => {
                        vote(promote, true);
                        vote(demote, false);
                    }
                    Wish::Remove(r) => {
                        assert!(
                            seats.iter().all(|s| s.replica != r || !s.voter),
                            "{r} votes, and is removed: {seats:?}"
                        );
                        seats.retain(|s| s.replica != r);
                    }
                    Wish::HandOver(node) => me = seats.iter().find(|s| s.node == node && s.voter).unwrap().replica,
                }
                let voters: Vec<&Seat> = seats.iter().filter(|s| s.voter).collect();
                let alive = voters.iter().filter(|s| s.silent < ALIVE).count();
                assert!(2 * alive > voters.len(), "{wish:?} leaves a group that cannot commit: {seats:?}");
            }
        }
    }
}
