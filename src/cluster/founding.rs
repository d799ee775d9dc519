//! How a cluster comes to be, once, out of nodes that have nothing but the same list of each other.
//!
//! Every node without an identity asks all others of the list, again and again, and answers them. A node that has an
//! identity answers that it is a *member*, and of what. The node with the least id is the *founder*: it draws the
//! cluster's id at random and offers it with its questions. The others note the offer on disk as their *draft* and say
//! so. When all of them, without exception, have said that they have nothing but this draft, the founder writes its
//! own identity: that is the moment at which the cluster exists. It keeps the incarnations that it heard; the others
//! learn from it, or from whoever learned from it, that the cluster exists with them in it, and write theirs.
//!
//! **No acknowledged write can be lost by this.**
//! 1. A replica votes and acknowledges only on a node with an identity, and an identity is written in three cases: by
//!    the founder at the end; by a node whose draft is this cluster's and whose incarnation is among those that the
//!    founder kept; by a node that was let in by the members, under ids that were never used. An incarnation is drawn
//!    when a directory is set up and lives on no other disk, so after a loss of the disk none of the three gives back
//!    an old id: whatever a replica has acknowledged, a replica of that id has.
//! 2. A cluster that has acknowledged a write has done so on a majority, each with an identity. An empty node that
//!    founds needs the consent of every node of its list, and a member does not give it. So as long as one member of
//!    the list still has its disk, nobody founds a second cluster beside it, however many others are wiped, down or
//!    paused: they wait, or join.
//! 3. A draft promises nothing: nobody has voted on its strength, so a new offer may replace it. An offer that was
//!    replaced can still be completed elsewhere only if its founder wrote its identity before, and then that founder is
//!    a member (2), or has lost its disk, and with it the only thing that could have completed it.
//!
//! A crash anywhere leaves drafts (the same offer goes on: it is on the founder's disk) or a founder with an identity
//! (from which the others learn the rest whenever they ask).
//!
//! What it costs: all nodes of the list must be up together once. If a disk is lost between a node's consent and its
//! identity, its place among the founders stays empty, and it joins anew like any wiped member.

use crate::id::{NodeId, ReplicaId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a node without an identity keeps on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Drawn when the directory was set up.
    pub incarnation: u64,
    /// The cluster that it has agreed to be founded with; on the founder, the one that it offers.
    pub cluster: Option<u128>,
}

/// A cluster's birth certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founded {
    pub cluster: u128,
    /// All nodes of the list with their incarnations, ascending.
    pub founders: Vec<(NodeId, u64)>,
}

/// What a node without an identity asks of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The cluster's configured name.
    pub name: String,
    /// Ids and names as configured, ascending.
    pub list: Vec<(NodeId, String)>,
    pub from: NodeId,
    pub offer: Option<u128>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It has nothing, but perhaps agreed to be founded with a cluster.
    Empty { incarnation: u64, draft: Option<u128> },
    /// It belongs to a cluster: founders know how it was founded, others have an empty list. `http` is where to ask to be
    /// let in.
    Member { founded: Founded, http: String },
    /// The two do not have the same configuration.
    Unequal(String),
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: why, for people.
    Wait(String),
    /// The cluster exists, with this node in it.
    Found(Founded),
    /// It exists without this node: ask one of these HTTP addresses to be let in.
    Join(Vec<String>),
}

/// See the module.
pub struct Founding {
    name: String,
    list: Vec<(NodeId, String)>,
    me: NodeId,
    draft: Draft,
    heard: BTreeMap<NodeId, Answer>,
}

impl Founding {
    /// `draft` is what the disk says; a founder without an offer makes `drawn` its offer, which must be on the disk
    /// ([`Founding::draft`]) before anybody is asked.
    pub fn new(name: &str, mut list: Vec<(NodeId, String)>, me: NodeId, draft: Draft, drawn: u128) -> Founding {
        list.sort();
        let mut founding = Founding { name: name.to_owned(), list, me, draft, heard: BTreeMap::new() };
        if founding.founds() {
            founding.draft.cluster.get_or_insert(drawn);
        }
        founding
    }

    /// What must be on the disk now.
    pub fn draft(&self) -> Draft {
        self.draft
    }

    fn founds(&self) -> bool {
        self.list.first().is_some_and(|(first, _)| *first == self.me)
    }

    fn others(&self) -> impl Iterator<Item = &(NodeId, String)> {
        self.list.iter().filter(|(id, _)| *id != self.me)
    }

    pub fn question(&self) -> Question {
        let offer = self.draft.cluster.filter(|_| self.founds());
        Question { name: self.name.clone(), list: self.list.clone(), from: self.me, offer }
    }

    /// The answer to another node. It must not leave before [`Founding::draft`] is on the disk.
    pub fn answer(&mut self, question: &Question) -> Answer {
        if let Some(why) = unequal(&self.name, &self.list, question) {
            return Answer::Unequal(why);
        }
        let first = self.list.first().map(|(id, _)| *id);
        if question.offer.is_some() && Some(question.from) == first && !self.founds() {
            self.draft.cluster = question.offer;
        }
        Answer::Empty { incarnation: self.draft.incarnation, draft: self.draft.cluster }
    }

    /// What a node said last; `None` if it cannot be reached.
    pub fn hear(&mut self, from: NodeId, answer: Option<Answer>) {
        match answer {
            Some(answer) => self.heard.insert(from, answer),
            None => self.heard.remove(&from),
        };
    }

    pub fn decide(&self) -> Decision {
        let members = self.heard.values().filter_map(|answer| match answer {
            Answer::Member { founded, http } => Some((founded, http)),
            _ => None,
        });
        let members: Vec<_> = members.collect();
        if let Some((other, _)) = members.iter().find(|(founded, _)| founded.cluster != members[0].0.cluster) {
            return Decision::Wait(format!(
                "the nodes of cluster.initial belong to two clusters, {:032x} and {:032x}: correct the list",
                members[0].0.cluster, other.cluster
            ));
        }
        let mine = (self.me, self.draft.incarnation);
        let with_me =
            |founded: &Founded| self.draft.cluster == Some(founded.cluster) && founded.founders.contains(&mine);
        if let Some((founded, _)) = members.iter().find(|(founded, _)| with_me(founded)) {
            return Decision::Found((*founded).clone());
        }
        if !members.is_empty() {
            return Decision::Join(members.into_iter().map(|(_, http)| http.clone()).collect());
        }
        match self.consent() {
            Ok(founded) => Decision::Found(founded),
            Err(why) => Decision::Wait(why),
        }
    }

    /// The new cluster, if this node founds it and everybody has agreed; otherwise who or what is missing.
    fn consent(&self) -> Result<Founded, String> {
        let mut founders = vec![(self.me, self.draft.incarnation)];
        let (mut missing, mut undecided) = (Vec::new(), Vec::new());
        for (id, name) in self.others() {
            match self.heard.get(id) {
                Some(Answer::Empty { incarnation, draft }) if *draft == self.draft.cluster && draft.is_some() => {
                    founders.push((*id, *incarnation));
                }
                Some(Answer::Unequal(why)) => return Err(format!("{name} says: {why}")),
                Some(_) => undecided.push(name.as_str()),
                None => missing.push(name.as_str()),
            }
        }
        founders.sort();
        match (missing.is_empty(), undecided.is_empty(), self.draft.cluster) {
            (true, true, Some(cluster)) if self.founds() => Ok(Founded { cluster, founders }),
            (false, _, _) => Err(format!(
                "this node has no data yet and cannot reach {}: if the cluster exists, one of its members will let this \
                 node in; if it does not, all nodes of cluster.initial must be up once to found it",
                missing.join(", ")
            )),
            _ => Err(format!("this node has no data yet; the cluster is being founded by {}", self.list[0].1)),
        }
    }
}

/// The number of a founder's replica in each of the first groups.
pub fn replica(founder: NodeId) -> ReplicaId {
    ReplicaId(founder.0)
}

/// A member's answer.
pub fn answer_as_member(name: &str, founded: Founded, http: &str, question: &Question) -> Answer {
    match name == question.name {
        true => Answer::Member { founded, http: http.to_owned() },
        false => Answer::Unequal(format!("this is the cluster \"{name}\", not \"{}\"", question.name)),
    }
}

fn unequal(name: &str, list: &[(NodeId, String)], question: &Question) -> Option<String> {
    if question.name != name {
        return Some(format!("this is the cluster \"{name}\", not \"{}\"", question.name));
    }
    let text = |list: &[(NodeId, String)]| {
        list.iter().map(|(id, name)| format!("{}={name}", id.0)).collect::<Vec<_>>().join(", ")
    };
    (question.list != list).then(|| {
        format!(
            "cluster.initial is [{}] here and [{}] there: write the same list on all nodes",
            text(list),
            text(&question.list)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A machine: what is on its disk, and its process while it runs.
    #[derive(Default)]
    struct Machine {
        draft: Option<Draft>,
        identity: Option<Founded>,
        /// Under an id that the founding did not give.
        joined: bool,
        process: Option<Founding>,
    }

    /// A mistake on purpose.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Mistake {
        None,
        /// A majority that is empty suffices for founding.
        Majority,
        /// Whoever has no identity and is among the founders takes its old place, whatever its incarnation.
        OldPlace,
        /// The cluster's id is made of the list, and an empty directory needs nobody to begin.
        Alone,
    }

    struct World {
        machines: Vec<Machine>,
        dice: u64,
        mistake: Mistake,
        /// (cluster, node, incarnation) that have had an identity, and may have acknowledged something.
        voters: BTreeSet<(u128, usize, u64)>,
        clusters: BTreeSet<u128>,
    }

    impl World {
        fn new(seed: u64, nodes: usize, mistake: Mistake) -> World {
            let machines = (0..nodes).map(|_| Machine::default()).collect();
            World { machines, dice: seed, mistake, voters: BTreeSet::new(), clusters: BTreeSet::new() }
        }

        fn draw(&mut self) -> u64 {
            self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z ^ (z >> 27)
        }

        fn start(&mut self, node: usize) {
            if self.machines[node].identity.is_some() || self.machines[node].process.is_some() {
                return;
            }
            let list = (0..self.machines.len()).map(|n| (NodeId(n as u64), format!("node-{n}"))).collect();
            let (incarnation, drawn) = (self.draw(), u128::from(self.draw()));
            let drawn = if self.mistake == Mistake::Alone { 7 } else { drawn };
            let draft = self.machines[node].draft.unwrap_or(Draft { incarnation, cluster: None });
            let founding = Founding::new("c", list, NodeId(node as u64), draft, drawn);
            self.machines[node].draft = Some(founding.draft());
            self.machines[node].process = Some(founding);
        }

        /// `a` asks `b`; the answer may be lost after `b` has noted its draft.
        fn ask(&mut self, a: usize, b: usize, lost: bool) {
            let Some(question) = self.machines[a].process.as_ref().map(Founding::question) else { return };
            let machine = &mut self.machines[b];
            let answer = match (&machine.identity, &mut machine.process) {
                (Some(founded), _) if machine.joined => {
                    let founded = Founded { founders: Vec::new(), ..founded.clone() };
                    Some(answer_as_member("c", founded, "http", &question))
                }
                (Some(founded), _) => Some(answer_as_member("c", founded.clone(), "http", &question)),
                (None, Some(process)) => {
                    let answer = process.answer(&question);
                    machine.draft = Some(process.draft());
                    Some(answer)
                }
                (None, None) => None,
            };
            let process = self.machines[a].process.as_mut().unwrap();
            process.hear(NodeId(b as u64), answer.filter(|_| !lost));
            self.decide(a);
        }

        fn decide(&mut self, node: usize) {
            let n = self.machines.len();
            let Some(process) = &self.machines[node].process else { return };
            let draft = process.draft();
            let mut decision = process.decide();
            let empty = process.heard.values().filter(|a| matches!(a, Answer::Empty { .. })).count();
            let told = process.heard.values().find_map(|answer| match answer {
                Answer::Member { founded, .. } => Some(founded.clone()),
                _ => None,
            });
            match self.mistake {
                Mistake::Majority if process.founds() && told.is_none() && 2 * (empty + 1) > n => {
                    let founders = (0..n).map(|i| (NodeId(i as u64), 0)).collect();
                    decision = Decision::Found(Founded { cluster: draft.cluster.unwrap(), founders });
                }
                Mistake::OldPlace => {
                    if let Some(founded) = told.clone() {
                        decision = Decision::Found(founded);
                    }
                }
                Mistake::Alone => decision = Decision::Found(Founded { cluster: 7, founders: Vec::new() }),
                _ => {}
            }
            let machine = &mut self.machines[node];
            match decision {
                Decision::Wait(_) => {}
                Decision::Found(founded) => {
                    self.clusters.insert(founded.cluster);
                    self.voters.insert((founded.cluster, node, draft.incarnation));
                    (machine.identity, machine.process) = (Some(founded), None);
                }
                Decision::Join(_) => {
                    // Joining needs a majority of members; here it always succeeds.
                    let founded = Founded { founders: Vec::new(), ..told.unwrap() };
                    (machine.identity, machine.joined, machine.process) = (Some(founded), true, None);
                }
            }
        }

        /// No id of a founder is ever used by two directories, and no second cluster appears while a member of the
        /// first has its disk.
        fn check(&self) -> Result<(), String> {
            for (cluster, node, incarnation) in &self.voters {
                if self.voters.iter().any(|(c, n, i)| (c, n) == (cluster, node) && i != incarnation) {
                    return Err(format!("two directories were replica {node}"));
                }
            }
            let alive: BTreeSet<u128> =
                self.machines.iter().filter_map(|m| m.identity.as_ref()).map(|founded| founded.cluster).collect();
            if alive.len() > 1 {
                return Err(format!("{} clusters at once", alive.len()));
            }
            Ok(())
        }
    }

    /// Random asking, crashing and wiping, then peace: everybody ends up in one cluster.
    fn run(seed: u64, mistake: Mistake) -> Result<(), String> {
        let nodes = 1 + (seed % 4) as usize;
        let mut world = World::new(seed, nodes, mistake);
        let steps = world.draw() % 120;
        for _ in 0..steps {
            let (a, b) = (world.draw() as usize % nodes, world.draw() as usize % nodes);
            match world.draw() % 20 {
                0 | 1 => world.start(a),
                2 => world.machines[a].process = None,
                3 => {
                    // A wiped machine: everything on it is gone.
                    world.machines[a] = Machine::default();
                }
                n if a != b => world.ask(a, b, n == 4),
                _ => world.decide(a),
            }
            world.check()?;
        }
        for _ in 0..2 * nodes {
            for a in 0..nodes {
                world.start(a);
                for b in (0..nodes).filter(|b| *b != a) {
                    world.ask(a, b, false);
                }
                world.decide(a);
                world.check()?;
            }
        }
        match world.machines.iter().all(|m| m.identity.is_some()) {
            true => Ok(()),
            false => Err("somebody waits for ever".into()),
        }
    }

    #[test]
    fn one_cluster_whatever_happens() {
        for seed in 0..20_000 {
            if let Err(what) = run(seed, Mistake::None) {
                panic!("seed {seed}: {what}");
            }
        }
    }

    #[test]
    fn planted_mistakes_are_found() {
        for mistake in [Mistake::Majority, Mistake::OldPlace, Mistake::Alone] {
            let found = (0..5000).find_map(|seed| run(seed, mistake).err().map(|what| (seed, what)));
            let (seed, what) = found.unwrap_or_else(|| panic!("{mistake:?} is not found"));
            println!("{mistake:?}: seed {seed}: {what}");
        }
    }

    #[test]
    fn it_says_what_it_waits_for() {
        let list = || vec![(NodeId(1), "a".to_owned()), (NodeId(2), "b".to_owned()), (NodeId(3), "c".to_owned())];
        let draft = Draft { incarnation: 9, cluster: None };
        let mut founding = Founding::new("c", list(), NodeId(1), draft, 7);
        let empty = |draft| Some(Answer::Empty { incarnation: 5, draft });
        founding.hear(NodeId(2), empty(Some(7)));
        let Decision::Wait(why) = founding.decide() else { panic!("founded without c") };
        assert!(why.contains("cannot reach c"), "{why}");
        founding.hear(NodeId(3), empty(Some(8)));
        assert!(matches!(founding.decide(), Decision::Wait(_)), "c has agreed to something else");
        let other = Question { list: list()[..2].to_vec(), ..founding.question() };
        let Answer::Unequal(why) = founding.answer(&other) else { panic!("another list") };
        assert!(why.contains("the same list"), "{why}");
        founding.hear(NodeId(3), empty(Some(7)));
        let founders = vec![(NodeId(1), 9), (NodeId(2), 5), (NodeId(3), 5)];
        assert_eq!(founding.decide(), Decision::Found(Founded { cluster: 7, founders }));
    }
}
