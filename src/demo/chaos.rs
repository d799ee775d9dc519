//! `quorate demo --chaos`: a load, and somebody who does harm to the nodes: by the buttons of a page, by keys, or by a script.
//!
//! It acts only on processes that the demo has started and has not yet waited for, so a process id is theirs; and on one disk
//! only as long as a majority has the data on others.

use super::links::{DELAY, Links};
use super::load::{Audit, Load, Second};
use super::script::{Action, Step};
use super::{Layout, Running, initial_nodes, start_one, status_of, tell};
use crate::admin::client::{Way, wait_for};
use crate::status::ClusterStatus;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Writers at each node.
const WRITERS: u32 = 2;
/// Between two complete readings while the load runs.
const AUDIT: Duration = Duration::from_secs(10);
/// How long the gap that follows an action is looked for.
const AFTERMATH: Duration = Duration::from_secs(5);
/// How long everybody gets to be up again at the end.
const RECOVERY: Duration = Duration::from_secs(60);
/// How long all power is away.
const OUTAGE: Duration = Duration::from_secs(1);
/// Between two looks at a node that is to come back with an empty disk, and between two starts of it.
const LOOK: Duration = Duration::from_millis(100);
const AGAIN: Duration = Duration::from_secs(1);

/// Something that was done, and what came of it.
#[derive(Clone, Serialize)]
pub struct Event {
    /// Seconds since the load began.
    pub at: f64,
    pub text: String,
    /// The longest time in which no write succeeded, in the seconds that followed; ms.
    pub gap: Option<f64>,
    #[serde(skip)]
    since: Option<Instant>,
}

impl Event {
    pub fn new(at: f64, text: String) -> Event {
        Event { at, text, gap: None, since: Some(Instant::now()) }
    }
}

/// A node, as the page shows it.
#[derive(Serialize)]
pub struct Shown {
    pub name: String,
    /// `up`, `killed`, `wiped`, `paused`, `cut`, `joining`, `slow`: what matters most.
    pub state: &'static str,
    pub cut: bool,
    pub slow: bool,
    pub leads: bool,
    pub term: u64,
    pub applied: u64,
    pub postgres: u16,
    pub http: u16,
}

#[derive(Serialize)]
pub struct Picture {
    pub nodes: Vec<Shown>,
    pub acknowledged: usize,
    pub errors: BTreeMap<String, usize>,
    pub audit: Option<Audit>,
    /// The load has ended, and this is what remains to be said.
    pub end: bool,
    pub curve: Vec<Second>,
    /// The latest first.
    pub events: Vec<Event>,
}

/// A node's term and applied index.
type Reached = (u64, u64);

/// What was done to a node, beside ending its process and harming its links.
#[derive(Clone, Default)]
struct Place {
    paused: bool,
    /// Its disk was emptied: the id that it had until then. It stays until the node is a whole member again.
    former: Option<u64>,
}

/// The one who does harm.
pub struct Chaos {
    exe: PathBuf,
    dir: PathBuf,
    layout: Layout,
    running: Arc<Mutex<Vec<Running>>>,
    places: Mutex<Vec<Place>>,
    links: Links,
    load: Load,
    /// What is done is said on standard output too.
    prints: bool,
    begun: Instant,
    events: Mutex<Vec<Event>>,
    audit: Mutex<Option<Audit>>,
    /// What status nodes have told last: who leads the database, and term and applied index of each.
    known: Mutex<(Option<String>, Vec<Reached>)>,
    ended: AtomicBool,
    /// Processes are ended and started by one at a time.
    hands: Mutex<()>,
}

impl Chaos {
    /// The cluster is up. Begins the load, and everything that looks on.
    pub fn start(
        exe: PathBuf,
        dir: &Path,
        layout: &Layout,
        running: Arc<Mutex<Vec<Running>>>,
        links: Links,
        prints: bool,
    ) -> Result<Arc<Chaos>, String> {
        let load = Load::start(layout.nodes.iter().map(|node| node.postgres).collect(), WRITERS)?;
        let nodes = layout.nodes.len();
        let chaos = Arc::new(Chaos {
            exe,
            dir: dir.to_owned(),
            layout: layout.clone(),
            running,
            places: Mutex::new(vec![Place::default(); nodes]),
            links,
            load,
            prints,
            begun: Instant::now(),
            events: Mutex::default(),
            audit: Mutex::default(),
            known: Mutex::new((None, vec![(0, 0); nodes])),
            ended: AtomicBool::new(false),
            hands: Mutex::default(),
        });
        let (looks, reads) = (Arc::downgrade(&chaos), Arc::downgrade(&chaos));
        std::thread::spawn(move || {
            while let Some(chaos) = looks.upgrade() {
                chaos.look();
                drop(chaos);
                std::thread::sleep(Duration::from_millis(250));
            }
        });
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(AUDIT);
                let Some(chaos) = reads.upgrade().filter(|chaos| !chaos.ended.load(Ordering::SeqCst)) else { return };
                if let Ok(audit) = chaos.load.audit() {
                    *chaos.audit.lock() = Some(audit);
                }
            }
        });
        Ok(chaos)
    }

    /// Asks who leads, and closes the account of the latest action.
    fn look(&self) {
        if let Some(status) = self.status() {
            let mut known = self.known.lock();
            known.0 =
                status.groups.iter().find(|group| group.database == "quorate").and_then(|group| group.leader.clone());
            for (i, node) in self.layout.nodes.iter().enumerate() {
                let replica = status.replicas.iter().find(|r| r.node == node.name && r.database == "quorate");
                if let Some(replica) = replica {
                    known.1[i] = (replica.term, replica.applied_index);
                }
            }
        }
        let gap = self.load.ledger.lock().take_longest_gap();
        if let Some(event) = self.events.lock().last_mut()
            && let Some(since) = event.since
        {
            event.gap = Some(event.gap.unwrap_or(0.0).max(gap));
            if since.elapsed() > AFTERMATH {
                event.since = None;
            }
        }
    }

    /// What the first node that is well says of the cluster.
    fn status(&self) -> Option<ClusterStatus> {
        let mut well = (0..self.layout.nodes.len()).filter(|at| self.is_well(*at));
        well.find_map(|at| status_of(&format!("127.0.0.1:{}", self.layout.nodes[at].http)))
    }

    fn link(&self, at: usize) -> u16 {
        let node = &self.layout.nodes[at];
        node.front.unwrap_or(node.peers)
    }

    fn state(&self, at: usize) -> &'static str {
        let place = self.places.lock()[at].clone();
        let ended = self.running.lock()[at].ended;
        match (ended, place.former.is_some()) {
            (true, false) => "killed",
            (true, true) => "wiped",
            _ if place.paused => "paused",
            _ if self.links.is_cut(self.link(at)) => "cut",
            (false, true) => "joining",
            _ if self.links.is_slow(self.link(at)) => "slow",
            _ => "up",
        }
    }

    /// It has the data and can be talked to, by the others too.
    fn is_well(&self, at: usize) -> bool {
        matches!(self.state(at), "up" | "slow")
    }

    /// Puts something into the list of what happened.
    fn say(&self, text: String) {
        let at = self.begun.elapsed().as_secs_f64();
        if self.prints {
            tell(&format!("{at:7.1} s  {text}"));
        }
        self.load.ledger.lock().take_longest_gap();
        self.events.lock().push(Event::new(at, text));
    }

    /// The nodes that a word means.
    fn named(&self, word: &str) -> Result<Vec<usize>, String> {
        let all = 0..self.layout.nodes.len();
        let leader = self.known.lock().0.clone();
        let leads = |at: &usize| Some(&self.layout.nodes[*at].name) == leader.as_ref();
        let found: Vec<usize> = match word {
            "all" => all.collect(),
            "leader" => all.filter(leads).collect(),
            "follower" => all.filter(|at| !leads(at) && self.is_well(*at)).take(1).collect(),
            name => all.filter(|at| self.layout.nodes[*at].name == name).collect(),
        };
        if found.is_empty() { Err(format!("there is no {word} now")) } else { Ok(found) }
    }

    pub fn act(self: &Arc<Self>, action: Action, word: &str) -> Result<(), String> {
        let going_on = || match self.ended.load(Ordering::SeqCst) {
            true => Err("the load has ended".to_owned()),
            false => Ok(()),
        };
        if action == Action::Power {
            let _hands = self.hands.lock();
            return going_on().and_then(|()| self.power());
        }
        for at in self.named(word)? {
            // It takes a while, and ends and starts nothing.
            let _hands = (action != Action::Lead).then(|| self.hands.lock());
            going_on()?;
            self.act_on(action, at)?;
        }
        Ok(())
    }

    fn act_on(self: &Arc<Self>, action: Action, at: usize) -> Result<(), String> {
        let name = &self.layout.nodes[at].name;
        let (state, link) = (self.state(at), self.link(at));
        let was = if self.known.lock().0.as_ref() == Some(name) { ", which led" } else { "" };
        match (action, state) {
            (Action::Wipe, _) => self.wipe(at, was),
            (Action::Resume, "paused") => {
                self.say(format!("resume {name}"));
                self.signal(at, libc::SIGCONT);
                self.places.lock()[at].paused = false;
                Ok(())
            }
            (Action::Heal, _) if self.links.is_cut(link) || self.links.is_slow(link) => {
                self.say(format!("heal the network of {name}"));
                self.links.heal(link);
                Ok(())
            }
            (Action::Restart, "killed") => {
                self.say(format!("start {name} again"));
                self.launch(at)
            }
            // It is so already, or comes by itself.
            (Action::Resume | Action::Heal | Action::Restart, _) => Ok(()),
            (_, "killed" | "wiped") => Err(format!("{name} is not up")),
            (Action::Kill, _) => {
                self.say(format!("kill {name}{was}"));
                self.kill(&[at]);
                // If it was coming back with an empty disk, it goes on with that when it is started.
                self.places.lock()[at].former = None;
                Ok(())
            }
            (Action::Pause, _) => {
                self.say(format!("pause {name}{was}"));
                self.signal(at, libc::SIGSTOP);
                self.places.lock()[at].paused = true;
                Ok(())
            }
            (Action::Cut, _) => {
                self.say(format!("cut {name} off from the others{was}"));
                self.links.cut(link);
                Ok(())
            }
            (Action::Slow, _) => {
                self.say(format!("slow down the links of {name}{was}: {} ms each way", DELAY.as_millis()));
                self.links.slow(link);
                Ok(())
            }
            (Action::Lead, _) => {
                self.say(format!("let {name} lead"));
                self.transfer(name)
            }
            (Action::Power, _) => self.power(),
        }
    }

    /// With SIGKILL, all of them before anybody waits for one.
    fn kill(&self, nodes: &[usize]) {
        let mut running = self.running.lock();
        for at in nodes {
            if !running[*at].ended {
                let _ = running[*at].child.kill();
            }
        }
        for at in nodes {
            if !running[*at].ended {
                let _ = running[*at].child.wait();
                running[*at].ended = true;
            }
            self.places.lock()[*at].paused = false;
        }
    }

    fn launch(&self, at: usize) -> Result<(), String> {
        let node = &self.layout.nodes[at];
        let child = start_one(&self.exe, &self.dir.join(&node.name), node, &initial_nodes(&self.layout))?;
        let mut running = self.running.lock();
        running[at].child = child;
        running[at].ended = false;
        Ok(())
    }

    /// To a child that has not been waited for: its id is still its own.
    fn signal(&self, at: usize, signal: libc::c_int) {
        let running = self.running.lock();
        if !running[at].ended {
            // SAFETY: kill(2) on the id of a child that has not been waited for.
            unsafe { libc::kill(running[at].child.id() as libc::pid_t, signal) };
        }
    }

    fn transfer(&self, to: &str) -> Result<(), String> {
        let up = (0..self.layout.nodes.len()).find(|at| self.is_well(*at)).ok_or("no node is up")?;
        let address = format!("127.0.0.1:{}", self.layout.nodes[up].http);
        let body = serde_json::json!({ "to": to }).to_string().into_bytes();
        let said = wait_for(Way::default().ask(&address, "/transfer", Some(body), Duration::from_secs(30)))?;
        if said.is_success() { Ok(()) } else { Err(said.text()) }
    }

    /// All power goes, and comes back. What the nodes had written without a sync survives it, in the page cache: that is said
    /// on the page.
    fn power(&self) -> Result<(), String> {
        let all: Vec<usize> = (0..self.layout.nodes.len()).collect();
        self.say("power goes: every node is killed in the same moment".into());
        self.kill(&all);
        std::thread::sleep(OUTAGE);
        self.say("power is back: every node is started".into());
        all.into_iter().try_for_each(|at| self.launch(at))
    }

    // --- a lost disk ------------------------------------------------------------------------------------------------

    /// The node's process ends and its directory is emptied, as long as nothing is lost by it for ever.
    fn wipe(self: &Arc<Self>, at: usize, was: &str) -> Result<(), String> {
        let name = &self.layout.nodes[at].name;
        let status = self.status().ok_or("no node is well enough to say who has the data")?;
        let well = |node: &str| {
            let mut others = (0..self.layout.nodes.len()).filter(|i| *i != at && self.is_well(*i));
            others.any(|i| self.layout.nodes[i].name == node)
        };
        if let Some(database) = only_copy(&status, well) {
            return Err(format!("{name} keeps its disk: without it, no majority has the data of {database}"));
        }
        let former = status.nodes.iter().find(|node| node.node == *name).map_or(0, |node| node.id);
        self.say(format!("wipe {name}{was}: killed, its disk emptied"));
        self.kill(&[at]);
        empty(&self.dir.join(name)).map_err(|error| format!("{name} cannot be wiped: {error}"))?;
        self.places.lock()[at].former = Some(former);
        let chaos = self.clone();
        std::thread::spawn(move || chaos.come_back(at, former));
        Ok(())
    }

    /// Starts a wiped node again when the others have noticed that it is gone (before that they would take it for an impostor),
    /// and looks on until it is a member as it was.
    fn come_back(&self, at: usize, former: u64) {
        let name = &self.layout.nodes[at].name;
        let mut started: Option<Instant> = None;
        loop {
            std::thread::sleep(LOOK);
            let status = self.status();
            let _hands = self.hands.lock();
            if self.ended.load(Ordering::SeqCst) || self.places.lock()[at].former != Some(former) {
                return;
            }
            let Some(status) = status else { continue };
            if !self.running.lock()[at].ended {
                if let Some(id) = new_id(&status, name, former) {
                    self.places.lock()[at].former = None;
                    self.say(format!("{name} has everything again, as member {id} (it was {former})"));
                    return;
                }
            } else if started.is_none_or(|at| at.elapsed() > AGAIN) && is_gone(&status, name) {
                started = Some(Instant::now());
                self.say(format!("start {name} again, with nothing"));
                if let Err(why) = self.launch(at) {
                    self.say(why);
                }
            }
        }
    }

    // --- what is told -----------------------------------------------------------------------------------------------

    pub fn picture(&self) -> Picture {
        let (leader, indexes) = self.known.lock().clone();
        let nodes = self.layout.nodes.iter().enumerate().map(|(at, node)| {
            let (term, applied) = indexes[at];
            let leads = leader.as_ref() == Some(&node.name) && self.is_well(at);
            Shown {
                name: node.name.clone(),
                state: self.state(at),
                cut: self.links.is_cut(self.link(at)),
                slow: self.links.is_slow(self.link(at)),
                leads,
                term,
                applied,
                postgres: node.postgres,
                http: node.http,
            }
        });
        let nodes = nodes.collect();
        let mut ledger = self.load.ledger.lock();
        Picture {
            nodes,
            acknowledged: ledger.count(),
            errors: ledger.errors.clone(),
            curve: ledger.curve(),
            audit: self.audit.lock().clone(),
            end: self.ended.load(Ordering::SeqCst),
            events: self.events.lock().iter().rev().take(40).cloned().collect(),
        }
    }

    /// Notes what has ended without having been killed here.
    pub fn reap(&self) {
        let mut told = Vec::new();
        for r in self.running.lock().iter_mut().filter(|r| !r.ended) {
            if let Ok(Some(status)) = r.child.try_wait() {
                r.ended = true;
                told.push(format!("{} ended by itself ({status}); its log is in its directory", r.node.name));
            }
        }
        told.into_iter().for_each(|text| self.say(text));
    }

    /// Does what a script says; true when it came to its end.
    pub fn play(self: &Arc<Self>, steps: &[(Duration, Step)], stop: &AtomicBool) -> bool {
        for (at, step) in steps {
            while self.begun.elapsed() < *at {
                if stop.load(Ordering::SeqCst) {
                    return false;
                }
                self.reap();
                std::thread::sleep(Duration::from_millis(10));
            }
            match step {
                Step::End => return true,
                Step::Do(action, word) => {
                    if let Err(why) = self.act(*action, word) {
                        self.say(format!("{action:?} {word}: {why}"));
                    }
                }
            }
        }
        true
    }

    /// Heals everything, stops the load, reads everything back, and says what was found.
    pub fn finish(self: &Arc<Self>) -> Result<(), String> {
        for action in [Action::Resume, Action::Heal, Action::Restart] {
            self.act(action, "all")?;
        }
        self.load.stop();
        {
            // Whoever starts a node has done so, or does it no more.
            let _hands = self.hands.lock();
            self.ended.store(true, Ordering::SeqCst);
        }
        let until = Instant::now() + RECOVERY;
        let audit = loop {
            match self.load.audit() {
                Ok(audit) => break audit,
                Err(why) if Instant::now() > until => return Err(format!("the rows cannot be read back: {why}")),
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        };
        *self.audit.lock() = Some(audit.clone());
        let Audit { acknowledged, lost, doubled, unsure, .. } = audit;
        let errors: usize = self.load.ledger.lock().errors.values().sum();
        tell(&format!(
            "\nacknowledged {acknowledged}, errors {errors} (of these rows {unsure} are there all the same)"
        ));
        tell(&format!("lost {lost}, doubled {doubled}"));
        for event in self.events.lock().iter() {
            let gap = event.gap.map_or_else(String::new, |gap| format!("{gap:.0} ms without an acknowledged write"));
            tell(&format!("{:7.1} s  {:<56} {gap}", event.at, event.text));
        }
        if lost == 0 && doubled == 0 { Ok(()) } else { Err(format!("{lost} rows are lost, {doubled} are doubled")) }
    }
}

/// A database of which no majority of the voters is well.
fn only_copy(status: &ClusterStatus, well: impl Fn(&str) -> bool) -> Option<String> {
    let short = status.groups.iter().find(|group| {
        let voters: Vec<&str> = group.voters.split_whitespace().collect();
        2 * voters.iter().filter(|voter| well(voter)).count() <= voters.len()
    });
    short.map(|group| group.database.clone())
}

/// The others have heard nothing of the node for a while, or know no more that there was one.
fn is_gone(status: &ClusterStatus, name: &str) -> bool {
    status.nodes.iter().all(|node| node.node != name || node.state == "down")
}

/// The id of the node's new self, once that has the data and nobody counts on the vote of the `former` one.
fn new_id(status: &ClusterStatus, name: &str, former: u64) -> Option<u64> {
    let node = status.nodes.iter().find(|node| node.node == name && node.id != former && node.state == "up")?;
    let ghost = format!("{name}#{former}");
    let whole = status.groups.iter().all(|group| {
        let mut members = group.voters.split_whitespace().chain(group.learners.split_whitespace());
        !group.voters.split_whitespace().any(|voter| voter == ghost) && members.any(|member| member == name)
    });
    whole.then_some(node.id)
}

/// Everything but what the process has said: that is the demo's, not the node's.
fn empty(home: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(home)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != "log" {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Says where the pages are.
pub fn announce(layout: &Layout, port: u16) {
    println!(
        "\nChaos: http://127.0.0.1:{port}/  (kill, pause, cut, slow down, wipe, restart, power, move the leadership)"
    );
    for node in &layout.nodes {
        println!("  {:<8} http://127.0.0.1:{}/console", node.name, node.http);
    }
    println!("\nCtrl-C ends the load and reads every acknowledged row back.\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{GroupRow, NodeRow};

    fn status(nodes: &[(&str, u64, &str)], groups: &[(&str, &str)]) -> ClusterStatus {
        let node = |(name, id, state): &(&str, u64, &str)| NodeRow {
            node: (*name).into(),
            id: *id,
            state: (*state).into(),
            ..NodeRow::default()
        };
        let group = |(voters, learners): &(&str, &str)| GroupRow {
            database: "quorate".into(),
            voters: (*voters).into(),
            learners: (*learners).into(),
            ..GroupRow::default()
        };
        let (nodes, groups) = (nodes.iter().map(node).collect(), groups.iter().map(group).collect());
        ClusterStatus { nodes, groups, ..ClusterStatus::default() }
    }

    #[test]
    fn a_disk_is_emptied_only_beside_a_majority() {
        let three = status(&[], &[("a b c", ""), ("a b c", "")]);
        assert_eq!(only_copy(&three, |node| node != "c"), None);
        assert_eq!(only_copy(&three, |node| node == "b").as_deref(), Some("quorate"), "one is no majority");
        // Wiped, and not yet in the place of its former self.
        let coming = status(&[], &[("a b c#3", "c")]);
        assert!(only_copy(&coming, |node| node == "a" || node == "c").is_some());
        assert!(only_copy(&status(&[], &[("a b", "")]), |node| node == "a").is_some(), "two cannot lose one");
    }

    #[test]
    fn a_wiped_node_is_back_when_it_votes_under_another_id() {
        let told = |state, id, voters, learners| status(&[("a", 1, "up"), ("c", id, state)], &[(voters, learners)]);
        assert!(!is_gone(&told("up", 3, "a b c", ""), "c"));
        assert!(is_gone(&told("down", 3, "a b c", ""), "c") && is_gone(&status(&[], &[]), "c"));
        assert_eq!(new_id(&told("up", 3, "a b c", ""), "c", 3), None, "its former self, not yet missed");
        assert_eq!(new_id(&told("joining", 4, "a b c#3", "c"), "c", 3), None);
        assert_eq!(new_id(&told("up", 4, "a b c#3", "c"), "c", 3), None, "it has no vote");
        assert_eq!(new_id(&told("up", 4, "a b", ""), "c", 3), None);
        assert_eq!(new_id(&told("up", 4, "a b c", ""), "c", 3), Some(4));
        assert_eq!(new_id(&told("up", 4, "a b d", "c"), "c", 3), Some(4), "a fourth one stands by");
    }
}
