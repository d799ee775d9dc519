//! Machines come and go: what the system group's tables would say of them, and leaders that make it so by the server's
//! own rule ([`quorate::cluster::voters`]).
//!
//! A machine's id is its replica's. One that has lost its disk comes back as another machine, with the next id.

use super::node::{GROUP, Node};
use super::oracle::Check;
use super::plan::Bug;
use super::world::{Action, World};
use quorate::cluster::voters::{Absent, Rules, Seat, Standing, Wish, next};
use quorate::id::{NodeId, ReplicaId};
use quorate::replica::Membership;
use quorate::replica::conductor::contract::Input;
use quorate::replica::core::{Change, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const PERIOD: u64 = 50_000;
/// Simulated time is short: so many µs of it count as one.
const SCALE: u64 = 10;
/// More would only make runs longer.
const MAX_MACHINES: usize = 7;

/// See the module.
pub struct Members {
    standings: BTreeMap<u64, Standing>,
    /// Lost or removed: they are down for ever.
    retired: BTreeSet<u64>,
    /// The latest configurations, the newest last.
    configurations: Vec<Membership>,
    /// The latest of which its leader said that no loss of power undoes it.
    settled: Membership,
}

impl Members {
    pub fn new(nodes: u64) -> Members {
        let voters = (1..=nodes).map(ReplicaId).collect();
        let founders = Membership { voters, ..Membership::default() };
        Members {
            standings: (1..=nodes).map(|id| (id, Standing::Up)).collect(),
            retired: BTreeSet::new(),
            configurations: vec![founders.clone()],
            settled: founders,
        }
    }

    pub fn is_here(&self, id: u64) -> bool {
        self.standings.contains_key(&id) && !self.retired.contains(&id)
    }

    /// The machines that there are, ascending.
    pub fn here(&self) -> Vec<u64> {
        self.standings.keys().copied().filter(|id| !self.retired.contains(id)).collect()
    }

    pub fn another(&self, than: u64) -> u64 {
        self.here().into_iter().find(|id| *id != than).unwrap_or(than + 1)
    }

    /// A leader has this configuration now. True if that is news.
    pub fn note(&mut self, members: Membership) -> bool {
        let news = self.configurations.last() != Some(&members);
        if news {
            self.configurations.push(members);
        }
        news
    }

    /// No leader has had this configuration yet.
    pub fn is_unknown(&self, members: &Membership) -> bool {
        !self.configurations.contains(members)
    }

    /// Those of the latest configuration.
    pub fn voters(&self) -> &[ReplicaId] {
        self.configurations.last().map_or(&[], |latest| &latest.voters)
    }

    /// Where the replicas of all machines live.
    pub fn nodes(&self) -> BTreeMap<ReplicaId, NodeId> {
        self.standings.keys().map(|id| (ReplicaId(*id), NodeId(*id))).collect()
    }

    /// Those that had better not lead because they are to go.
    fn leaving(&self) -> BTreeSet<NodeId> {
        let leaving = self.standings.iter().filter(|(_, standing)| matches!(standing, Standing::Leaving(_)));
        leaving.map(|(id, _)| NodeId(*id)).collect()
    }

    /// A majority of one of the latest configurations has it; of both halves, if that is a joint one.
    pub fn is_durable(&self, has: impl Fn(&ReplicaId) -> bool) -> bool {
        let majority = |voters: &[ReplicaId]| 2 * voters.iter().filter(|v| has(v)).count() > voters.len();
        let latest = self.configurations.iter().rev().take(6);
        latest
            .into_iter()
            .any(|c| majority(&c.voters) && (c.voters_outgoing.is_empty() || majority(&c.voters_outgoing)))
    }
}

impl World {
    pub fn some_machine(&mut self) -> u64 {
        let here = self.members.here();
        self.random.pick(&here)
    }

    /// The configuration of the replica that has applied most.
    fn configuration(&self) -> Option<Membership> {
        let live = self.nodes.values().filter_map(|node| node.live.as_ref());
        live.max_by_key(|live| live.core().applied()).map(|live| live.core().membership().clone())
    }

    fn note_settled(&mut self) {
        let live = self
            .nodes
            .values()
            .filter_map(|node| node.live.as_ref())
            .filter(|live| live.core().membership_is_settled());
        if let Some(leader) = live.max_by_key(|live| live.core().leadership().term) {
            self.members.settled = leader.core().membership().clone();
        }
    }

    /// Whether a further voter may be lost: all others are there, at least for good, and are known to be the voters; and no learner,
    /// who may be a voter soon, has damage that nobody has found.
    fn can_spare(&mut self, id: u64) -> bool {
        self.note_settled();
        let Some(now) = self.configuration() else { return false };
        if now.voters != self.members.settled.voters {
            return false;
        }
        let stays = |r: &ReplicaId| {
            let up = self.members.standings.get(&r.0) == Some(&Standing::Up);
            up && self.members.is_here(r.0)
        };
        // Who votes is taken from what is known to be committed. Whoever is left must know of the last change: a machine that is
        // lost for good right after it was replaced, with the one that knew, leaves a group that counts the dead.
        let knows = |(other, node): (&u64, &Node)| {
            let votes = *other != id && now.voters.contains(&ReplicaId(*other));
            !votes || node.live.as_ref().is_none_or(|live| *live.core().membership() == now)
        };
        let known = self.nodes.iter().all(knows);
        let sound = self.members.here().iter().all(|machine| !self.nodes[machine].rotten);
        let here = self.members.here().len();
        now.voters_outgoing.is_empty()
            && now.voters.len() >= 3
            && now.voters.iter().all(stays)
            && known
            && sound
            && self.members.is_here(id)
            && here < MAX_MACHINES
    }

    /// A machine is lost with its disk; somebody sets up another one in its place.
    pub(super) fn wipe(&mut self, id: u64) -> Check {
        if self.healed_at.is_some() || !self.can_spare(id) {
            return Ok(());
        }
        self.say(|| format!("{id} is lost with its disk"));
        self.crash(id, true)?;
        self.replace(id)
    }

    /// A bit of a machine's file turns over while it is down.
    pub(super) fn rot(&mut self, id: u64) -> Check {
        if self.healed_at.is_some() || !self.can_spare(id) || self.nodes[&id].live.is_none() {
            return Ok(());
        }
        self.crash(id, false)?;
        let bug = self.plan.bug == Some(Bug::RotUnnoticed);
        let tables = self.oracle.tables_at(self.oracle.last_committed());
        let list = tables.map(|tables| tables.registers[0].1.clone()).filter(|list| list.len() > 3);
        let mut random = self.random.clone();
        let done = match (bug, list) {
            (true, None) => false,
            (true, Some(list)) => self.node(id).rot(&mut random, Some(&list)),
            (false, _) => self.node(id).rot(&mut random, None),
        };
        self.random = random;
        self.node(id).rotten = done && !bug;
        self.say(|| format!("{id} rots: {done}"));
        Ok(())
    }

    /// Damage was found: nothing of that machine is used any more.
    pub(super) fn found_rotten(&mut self, id: u64, why: &str) -> Check {
        if !self.nodes[&id].rotten {
            return Err(format!("{id} halts: {why}"));
        }
        self.say(|| format!("{id} is found to be rotten: {why}"));
        self.node(id).rotten = false;
        self.crash(id, false)?;
        self.replace(id)
    }

    /// Reads all of the files in which a bit has turned over: it is found, unless the page was written anew or is free.
    pub(super) fn scrub(&mut self) -> Check {
        for id in self.members.here() {
            let node = &self.nodes[&id];
            let Some(live) = node.live.as_ref().filter(|_| node.rotten) else { continue };
            match live.shared.scrub(1, u32::MAX) {
                Err(why) => self.found_rotten(id, &why)?,
                Ok(_) => self.node(id).rotten = false,
            }
        }
        Ok(())
    }

    /// Somebody sets up another machine in place of one that is lost.
    fn replace(&mut self, id: u64) -> Check {
        self.report.wiped += 1;
        if self.plan.bug == Some(Bug::WipedVotes) {
            let epoch = self.nodes[&id].epoch + 1;
            let _ = std::fs::remove_dir_all(self.root.path().join(format!("n{id}")));
            let mut node = Node::new(id, self.root.path(), &self.plan);
            node.epoch = epoch;
            self.nodes.insert(id, node);
            return self.start(id);
        }
        let new = self.add_machine()?;
        self.members.standings.insert(id, Standing::Leaving(Some(NodeId(new))));
        self.members.retired.insert(id);
        Ok(())
    }

    pub(super) fn join(&mut self) -> Check {
        if self.healed_at.is_none() && self.members.here().len() < MAX_MACHINES {
            self.add_machine()?;
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, id: u64) {
        if self.healed_at.is_none() && self.can_spare(id) {
            self.say(|| format!("{id} is to leave"));
            self.members.standings.insert(id, Standing::Leaving(None));
        }
    }

    fn add_machine(&mut self) -> Result<u64, String> {
        let id = self.nodes.keys().max().map_or(1, |id| id + 1);
        self.say(|| format!("{id} joins"));
        let mut node = Node::empty(id, self.root.path());
        node.skew = self.random.range(0, 2 * self.plan.skew as u64 + 1) as i64 - self.plan.skew;
        self.nodes.insert(id, node);
        self.members.standings.insert(id, Standing::Joining);
        self.start(id)?;
        Ok(id)
    }

    /// What each leader does about the group's shape; and who has left it for good.
    pub(super) fn shape(&mut self) -> Check {
        self.after(PERIOD, Action::Shape);
        self.note_settled();
        let leads = |node: &&Node| node.live.as_ref().is_some_and(|l| l.core().leadership().role == Role::Leader);
        let leaders: Vec<u64> = self.nodes.values().filter(leads).map(|n| n.id).collect();
        for leader in leaders {
            if let Some(wish) = self.wish_of(leader) {
                self.say(|| format!("{leader} wishes {wish:?}"));
                let input = match wish {
                    Wish::AddLearner(r, node) => Err(Change::AddLearner(r, node)),
                    Wish::Promote(r) => Err(Change::Promote(r)),
                    Wish::Swap { promote, demote } => Err(Change::Swap { promote, demote }),
                    Wish::Demote(r) => Err(Change::Demote(r)),
                    Wish::Remove(r) => Err(Change::Remove(r)),
                    Wish::HandOver(to) => Ok(Input::Transfer { group: GROUP, to: Some(to) }),
                };
                self.report.changes += 1;
                let change = |change| Input::Change { group: GROUP, change, reply: () };
                self.input(leader, input.unwrap_or_else(change))?;
            }
        }
        self.tell_members()?;
        self.take_leave()
    }

    /// What each node knows of the others.
    fn tell_members(&mut self) -> Check {
        let (nodes, leaving) = (self.members.nodes(), self.members.leaving());
        for id in self.members.here() {
            let told = (nodes.clone(), leaving.clone());
            if self.nodes[&id].live.as_ref().is_some_and(|live| live.told != told) {
                self.live(id).told = told;
                self.input(id, Input::SetNodes { group: GROUP, nodes: nodes.clone(), leaving: leaving.clone() })?;
            }
        }
        Ok(())
    }

    fn wish_of(&self, leader: u64) -> Option<Wish> {
        let core = self.nodes[&leader].live.as_ref()?.core();
        let now = core.membership();
        if !now.voters_outgoing.is_empty() {
            return None;
        }
        let (matched, last) = (core.matched(), core.last_index());
        let all = now.voters.iter().map(|r| (*r, true)).chain(now.learners.iter().map(|r| (*r, false)));
        let seat = |(replica, voter): (ReplicaId, bool)| {
            let node = &self.nodes[&replica.0];
            let silent = match node.live {
                _ if self.plan.bug == Some(Bug::NeverReplaced) => Duration::ZERO,
                Some(_) => Duration::ZERO,
                None => Duration::from_micros(SCALE * (self.now - node.down_since)),
            };
            let has = matched.get(&replica).copied().unwrap_or(0);
            Seat {
                replica,
                node: NodeId(replica.0),
                voter,
                standing: match self.members.standings.get(&replica.0) {
                    Some(Standing::Leaving(_)) if self.plan.bug == Some(Bug::NeverReplaced) => Standing::Up,
                    standing => standing.copied().unwrap_or(Standing::Up),
                },
                silent,
                caught_up: has > 0 && has + 50 >= last,
            }
        };
        let seats: Vec<Seat> = all.map(seat).collect();
        let missing = self.members.standings.iter().filter(|(id, standing)| {
            !matches!(standing, Standing::Leaving(_)) && seats.iter().all(|s| s.replica.0 != **id)
        });
        let absent: Vec<Absent> = missing
            .map(|(id, _)| Absent { replica: ReplicaId(*id), node: NodeId(*id), here: self.nodes[id].live.is_some() })
            .collect();
        let rules = Rules { replace_after: Duration::from_secs(5), join_within: Duration::from_secs(1000) };
        next(ReplicaId(leader), &seats, &absent, &rules)
    }

    /// Machines that have caught up are members; those that are in no configuration any more are switched off.
    fn take_leave(&mut self) -> Check {
        let Some(now) = self.configuration() else { return Ok(()) };
        for id in self.members.here() {
            match self.members.standings[&id] {
                Standing::Joining if now.learners.contains(&ReplicaId(id)) => {
                    let end = self.oracle.last_committed();
                    let caught_up = self.nodes[&id].live.as_ref().is_some_and(|l| l.shared.applied() + 50 >= end);
                    if caught_up {
                        self.members.standings.insert(id, Standing::Up);
                    }
                }
                Standing::Leaving(_) if !is_member(&now, id) => {
                    self.say(|| format!("{id} has left"));
                    self.crash(id, false)?;
                    self.members.retired.insert(id);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Nobody is on the way in or out.
    pub(super) fn is_settled(&self) -> bool {
        let Some(now) = self.configuration() else { return false };
        let out = |id: &u64| !is_member(&now, *id);
        now.voters_outgoing.is_empty()
            && self.members.retired.iter().all(out)
            && self.members.here().iter().all(|id| self.members.standings[id] == Standing::Up)
    }
}

fn is_member(members: &Membership, id: u64) -> bool {
    [&members.voters, &members.learners, &members.voters_outgoing, &members.learners_next]
        .iter()
        .any(|list| list.contains(&ReplicaId(id)))
}
