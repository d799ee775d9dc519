//! What the clients of transactions saw, and whether a database of the promised isolation could have shown it to them.
//!
//! Each value is appended to one list once in a run, so a list names the transactions that wrote it, and the final list
//! tells in which order. From that follow the dependencies of Adya's theory ("Weak consistency", 1999), as Kingsbury and
//! Alvaro infer them ("Elle", 2020):
//!
//! * ww: one transaction's append comes next after another's;
//! * wr: a transaction read a list whose last element is another's;
//! * rw: a transaction read a list to which another appended next;
//! * time: one was acknowledged before the other began.
//!
//! **What each level must not show.** Let a transaction's place be that of its COMMIT in the log. ww and time lead to later
//! places at every level, and so does wr. rw does where the read is compared at COMMIT: all reads of SERIALIZABLE, locking
//! reads of any transaction that writes; and where all reads are of one snapshot and nothing is written. These edges are
//! *hard*: together they must have no circle, whatever levels are mixed. That excludes G0 and G1c at every level, and
//! G-single, G2 and violations of strictness among serializable transactions.
//! REPEATABLE READ reads a snapshot, which is no older than whatever it follows by ww, wr or time: an rw edge out of it
//! must not be closed to a circle by hard edges that enter it by one of these three (G-single and lost updates; write skew
//! enters by rw, and is allowed).
//! Beside the graph: nothing that was undone is ever seen (G1a), nor half of a transaction's appends to a list (G1b);
//! a transaction sees its own appends; a statement sees at least what was acknowledged before its snapshot was taken.
//!
//! **Locks**, at every level, of transactions that commit: no two hold one at the same time, from the answer that told of it
//! to COMMIT; no single statement writes such a row meanwhile; what a locking read has shown stays so for every later read; and what a read shows before the transaction's
//! own append is what stands before it in the end.

use super::oracle::Check;
use quorate::command::Isolation;
use std::collections::{BTreeMap, BTreeSet};

/// What became of a transaction, as far as its client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Running,
    /// COMMIT is under way.
    Committing,
    Committed,
    /// Certainly without effect.
    Gone(String),
    Unknown,
}

/// What kind of statement told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Plain,
    /// FOR UPDATE and its kin: compared at COMMIT at every level, if the transaction writes.
    Locking,
    /// An append: the same, and nothing is sure before.
    Write,
}

/// A list as it was read.
#[derive(Clone, Debug)]
pub struct Read {
    pub k: i64,
    /// Without the transaction's own appends.
    pub items: Vec<i64>,
    /// Own appends at its end.
    pub own: usize,
    pub how: How,
    /// When the statement began.
    pub began: u64,
    /// ROLLBACK TO has undone it, with its locks.
    pub cut: bool,
}

/// What a lock is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    List(i64),
    Account(i64),
    /// Of the queue.
    Item(i64),
    /// Not a row, but locked like one.
    Advisory(i64),
}

/// What a transaction does to the tables beside appends: there in the end if it committed, and not otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Its row in the ledger.
    Transfer(i64),
    /// An item of the queue, which may have been taken since.
    Put(i64),
    /// What this transaction has taken from there.
    Taken(i64),
    Large(i64),
    Table(i64),
}

/// A row that a transaction has locked and not given back before its end.
#[derive(Clone, Debug)]
pub struct Lock {
    pub row: Row,
    /// FOR SHARE is not.
    pub exclusive: bool,
    /// When it was told. (A single statement has it at some moment of its life.)
    pub since: u64,
}

/// A transaction.
#[derive(Clone, Debug)]
pub struct Tx {
    /// Of a single statement outside of a block: serializable.
    pub single: bool,
    pub isolation: Isolation,
    pub began: u64,
    pub ended: u64,
    pub fate: Fate,
    pub reads: Vec<Read>,
    /// What it appended and did not undo, in order.
    pub appends: Vec<(i64, i64)>,
    /// What it undid.
    pub undone: Vec<i64>,
    pub locks: Vec<Lock>,
    /// When it asked for COMMIT.
    pub closed: u64,
    pub effects: BTreeSet<Effect>,
    /// Which transfers were announced to it, in this order, and since when it listened.
    pub heard: Option<(u64, Vec<i64>)>,
    /// Whose it is.
    pub process: u64,
}

impl Tx {
    pub fn new(isolation: Isolation, single: bool, now: u64) -> Tx {
        Tx {
            single,
            isolation,
            began: now,
            ended: u64::MAX,
            fate: Fate::Running,
            reads: Vec::new(),
            appends: Vec::new(),
            undone: Vec::new(),
            locks: Vec::new(),
            closed: u64::MAX,
            effects: BTreeSet::new(),
            heard: None,
            process: 0,
        }
    }

    pub fn own(&self, k: i64) -> Vec<i64> {
        self.appends.iter().filter(|(list, _)| *list == k).map(|(_, v)| *v).collect()
    }

    fn writes(&self) -> bool {
        !self.appends.is_empty() || !self.effects.is_empty()
    }

    /// READ COMMITTED does not fail for what others commit while all locks are held; a row that was not there, and could not
    /// be locked, was not there at that time.
    pub fn must_not_be_refused(&self) -> bool {
        let refused = matches!(&self.fate, Fate::Gone(why) if why.ends_with("40001"));
        refused && self.isolation == Isolation::ReadCommitted
    }

    /// Its rw edges lead to later places.
    fn is_hard(&self, read: &Read) -> bool {
        match (self.isolation, self.writes()) {
            (Isolation::Serializable, _) | (Isolation::RepeatableRead, false) => true,
            // There was no row to lock.
            (Isolation::ReadCommitted, _) if read.items.is_empty() && read.own == 0 => false,
            (_, writes) => writes && read.how != How::Plain,
        }
    }

    /// A snapshot that may be older than its place.
    fn is_soft(&self, read: &Read) -> bool {
        self.isolation == Isolation::RepeatableRead && !self.is_hard(read)
    }
}

/// All transactions of a run.
#[derive(Default)]
pub struct History {
    pub transactions: Vec<Tx>,
    values: i64,
}

/// Why an edge is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Ww,
    Wr,
    Rw,
    Time,
}

/// The final state of the tables.
#[derive(Default)]
pub struct Final {
    pub lists: BTreeMap<i64, Vec<i64>>,
    pub effects: BTreeSet<Effect>,
    /// The transfers in the ledger, in the order of the log.
    pub ledger: Vec<i64>,
}

/// Where a value stands, and whose it is.
struct Places {
    owner: BTreeMap<i64, usize>,
    at: BTreeMap<i64, usize>,
}

impl History {
    /// A value that no other append has.
    pub fn value(&mut self) -> i64 {
        self.values += 1;
        self.values
    }

    /// Compares everything that was seen with what is there in the end.
    pub fn check(&self, end: &Final) -> Check {
        let mut owner = BTreeMap::new();
        for (number, tx) in self.transactions.iter().enumerate() {
            owner.extend(tx.appends.iter().map(|(_, v)| (*v, number)));
        }
        let at = end.lists.values().flat_map(|list| list.iter().enumerate().map(|(i, v)| (*v, i))).collect();
        let places = Places { owner, at };
        self.check_final(end, &places)?;
        let committed: Vec<bool> = self.transactions.iter().map(|tx| took_effect(tx, end)).collect();
        for (number, tx) in self.transactions.iter().enumerate() {
            for read in &tx.reads {
                self.check_read(number, read, committed[number], end, &places)?;
            }
        }
        self.check_locks(&committed)?;
        self.check_announcements(end)?;
        self.check_circles(&committed, end, &places)
    }

    fn check_locks(&self, committed: &[bool]) -> Check {
        let mut held: BTreeMap<Row, Vec<(usize, &Lock)>> = BTreeMap::new();
        for (number, tx) in self.transactions.iter().enumerate().filter(|(number, _)| committed[*number]) {
            tx.locks.iter().for_each(|lock| held.entry(lock.row).or_default().push((number, lock)));
            let mut shown: BTreeMap<i64, &Read> = BTreeMap::new();
            for read in tx.reads.iter().filter(|read| !read.cut) {
                if let Some(before) = shown.get(&read.k).filter(|before| before.items != read.items) {
                    return Err(format!(
                        "changed under a lock: transaction {number} read {before:?}, then {read:?}: {tx:?}"
                    ));
                }
                if read.how == How::Locking && !read.items.is_empty() {
                    shown.entry(read.k).or_insert(read);
                }
            }
        }
        for (row, locks) in held {
            for (i, (one, a)) in locks.iter().enumerate() {
                for (other, b) in &locks[i + 1..] {
                    let (first, second) = (&self.transactions[*one], &self.transactions[*other]);
                    let within =
                        |inner: &Tx, tx: &Tx, lock: &Lock| lock.since <= inner.began && inner.ended <= tx.closed;
                    let apart = match (first.single, second.single) {
                        (true, true) => true,
                        (true, false) => !within(first, second, b),
                        (false, true) => !within(second, first, a),
                        (false, false) => first.closed <= b.since || second.closed <= a.since,
                    };
                    if one != other && (a.exclusive || b.exclusive) && !apart {
                        return Err(format!(
                            "two held one lock: {row:?}, {one} since {} and {other} since {}: {first:?} {second:?}",
                            a.since, b.since
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whoever listens hears of everything, in the order of the log, from some moment on, which is not after all that began when
    /// it already listened.
    fn check_announcements(&self, end: &Final) -> Check {
        let place: BTreeMap<i64, usize> = end.ledger.iter().enumerate().map(|(place, n)| (*n, place)).collect();
        let began = |n: i64| self.transactions.iter().find(|tx| tx.effects.contains(&Effect::Transfer(n)));
        for (number, tx) in self.transactions.iter().enumerate() {
            let Some((since, heard)) = &tx.heard else { continue };
            let places: Option<Vec<usize>> = heard.iter().map(|n| place.get(n).copied()).collect();
            let Some(places) = places else {
                return Err(format!("announced, and never done: {number} heard {heard:?} of {:?}", end.ledger));
            };
            if !places.windows(2).all(|pair| pair[0] + 1 == pair[1]) {
                return Err(format!("announced in another order: {number} heard {heard:?} of {:?}", end.ledger));
            }
            let Some(first) = places.first() else { continue };
            let missed = end.ledger[..*first].iter().find(|n| began(**n).is_some_and(|tx| tx.began > *since));
            if let Some(missed) = missed {
                return Err(format!("not announced: {number} listened since {since} and never heard of {missed}"));
            }
        }
        Ok(())
    }

    fn check_final(&self, end: &Final, places: &Places) -> Check {
        let mut seen = BTreeSet::new();
        for (k, list) in &end.lists {
            for v in list {
                let owner = places.owner.get(v).map(|number| &self.transactions[*number]);
                if !owner.is_some_and(|tx| tx.appends.contains(&(*k, *v))) {
                    return Err(format!("{v} in list {k} was undone or never appended"));
                }
                if !seen.insert(*v) {
                    return Err(format!("{v} was appended twice to list {k}"));
                }
            }
        }
        for (number, tx) in self.transactions.iter().enumerate() {
            let there = tx.appends.iter().filter(|(_, v)| seen.contains(v)).count()
                + tx.effects.iter().filter(|effect| end.effects.contains(effect)).count();
            let all = tx.appends.len() + tx.effects.len();
            let right = match &tx.fate {
                Fate::Committed => there == all,
                Fate::Unknown => there == 0 || there == all,
                Fate::Running | Fate::Committing | Fate::Gone(_) => there == 0,
            };
            if !right {
                return Err(format!("{there} of {all} writes of transaction {number} took effect: {tx:?}"));
            }
        }
        Ok(())
    }

    fn check_read(&self, number: usize, read: &Read, committed: bool, end: &Final, places: &Places) -> Check {
        let tx = &self.transactions[number];
        let list = end.lists.get(&read.k).map_or(&[][..], Vec::as_slice);
        let wrong = |what: &str| Err(format!("{what}: transaction {number} read {read:?} of {list:?}: {tx:?}"));
        if !list.starts_with(&read.items) {
            return wrong("a list that never was");
        }
        if let Some(last) = read.items.last() {
            let owner = places.owner[last];
            let own = self.transactions[owner].own(read.k);
            if owner != number && own.last() != Some(last) {
                return wrong("half of a transaction");
            }
        }
        let given_back = read.cut && tx.isolation == Isolation::ReadCommitted;
        if committed && !given_back && read.own > 0 && tx.writes() {
            let own: Vec<i64> = tx.own(read.k);
            // What was undone later is not in the list; what was not stands where it was seen.
            let kept = own.first().and_then(|v| places.at.get(v));
            if read.own <= own.len() && kept.is_some_and(|at| *at != read.items.len()) {
                return wrong("something came in between");
            }
        }
        let floor = if tx.isolation == Isolation::ReadCommitted { read.began } else { tx.began };
        if read.how == How::Write && !committed {
            return Ok(());
        }
        let missing = list[read.items.len()..].iter().find(|v| {
            let owner = &self.transactions[places.owner[v]];
            owner.fate == Fate::Committed && owner.ended < floor
        });
        match missing {
            Some(v) => wrong(&format!("stale read, without {v}")),
            None => Ok(()),
        }
    }

    fn check_circles(&self, committed: &[bool], end: &Final, places: &Places) -> Check {
        let mut graph = Graph::new(self.transactions.len());
        for list in end.lists.values() {
            for pair in list.windows(2) {
                graph.edge(places.owner[&pair[0]], places.owner[&pair[1]], Why::Ww);
            }
        }
        let mut soft = Vec::new();
        for (number, tx) in self.transactions.iter().enumerate().filter(|(number, _)| committed[*number]) {
            for read in &tx.reads {
                if let Some(last) = read.items.last() {
                    graph.edge(places.owner[last], number, Why::Wr);
                }
                let list = end.lists.get(&read.k).map_or(&[][..], Vec::as_slice);
                let next = list[read.items.len()..].iter().map(|v| places.owner[v]).find(|owner| *owner != number);
                match next {
                    Some(next) if tx.is_hard(read) => graph.edge(number, next, Why::Rw),
                    Some(next) if tx.is_soft(read) => soft.push((number, next)),
                    _ => {}
                }
            }
        }
        self.add_time(&mut graph, committed);
        if let Some(circle) = graph.circle() {
            return Err(format!("circle of hard edges: {}", self.show(&circle)));
        }
        for (reader, writer) in soft {
            if let Some(path) = graph.path(writer, reader) {
                return Err(format!("G-single: rw from {reader} to {writer}, and back: {}", self.show(&path)));
            }
        }
        Ok(())
    }

    /// Time as a chain of moments: each end leads to the next, and the last one before a beginning to that.
    fn add_time(&self, graph: &mut Graph, committed: &[bool]) {
        let known = |number: &usize| committed[*number] && self.transactions[*number].fate == Fate::Committed;
        let mut ends: Vec<(u64, usize)> =
            (0..self.transactions.len()).filter(known).map(|n| (self.transactions[n].ended, n)).collect();
        ends.sort_unstable();
        let moments: Vec<usize> = ends.iter().map(|_| graph.node()).collect();
        for (i, (_, number)) in ends.iter().enumerate() {
            graph.edge(*number, moments[i], Why::Time);
            if i > 0 {
                graph.edge(moments[i - 1], moments[i], Why::Time);
            }
        }
        for (number, tx) in self.transactions.iter().enumerate().filter(|(number, _)| committed[*number]) {
            let before = ends.partition_point(|(ended, _)| *ended < tx.began);
            if before > 0 {
                graph.edge(moments[before - 1], number, Why::Time);
            }
        }
    }

    fn show(&self, path: &[(usize, Why)]) -> String {
        let mut text = String::new();
        for (number, why) in path {
            match self.transactions.get(*number) {
                Some(tx) => text.push_str(&format!("\n    {number} {tx:?} {why:?} ->")),
                None => text.push_str(&format!(" {why:?} ->")),
            }
        }
        text
    }
}

impl History {
    /// As Elle reads it (`list-append`): one map a line, an invocation and its completion for each transaction.
    pub fn edn(&self) -> String {
        let mut lines: Vec<(u64, usize, String)> = Vec::new();
        for (number, tx) in self.transactions.iter().enumerate() {
            let asked = tx.operations().iter().map(Operation::asked).collect::<Vec<_>>().join(" ");
            if asked.is_empty() {
                continue;
            }
            let (kind, told) = match tx.fate {
                Fate::Committed => ("ok", tx.operations().iter().map(Operation::told).collect::<Vec<_>>().join(" ")),
                Fate::Gone(_) => ("fail", asked.clone()),
                Fate::Running | Fate::Committing | Fate::Unknown => ("info", asked.clone()),
            };
            let line = |kind, value: &str, time| {
                format!("{{:process {}, :type :{kind}, :f :txn, :value [{value}], :time {time}", tx.process)
            };
            lines.push((tx.began, 2 * number, line("invoke", &asked, tx.began * 1000)));
            let ended = if tx.ended == u64::MAX { tx.began } else { tx.ended };
            lines.push((ended, 2 * number + 1, line(kind, &told, ended * 1000)));
        }
        lines.sort();
        let indexed = lines.iter().enumerate().map(|(index, (_, _, line))| format!("{line}, :index {index}}}\n"));
        indexed.collect()
    }
}

/// An operation as Elle knows it.
enum Operation {
    Append(i64, i64),
    Read(i64, Vec<i64>),
}

impl Operation {
    fn asked(&self) -> String {
        match self {
            Operation::Append(k, v) => format!("[:append {k} {v}]"),
            Operation::Read(k, _) => format!("[:r {k} nil]"),
        }
    }

    fn told(&self) -> String {
        match self {
            Operation::Append(..) => self.asked(),
            Operation::Read(k, items) => {
                let items: Vec<String> = items.iter().map(i64::to_string).collect();
                format!("[:r {k} [{}]]", items.join(" "))
            }
        }
    }
}

impl Tx {
    /// Reads and appends that were not undone. Those of one list are in their order: a read tells after how many own appends it
    /// came. Between lists none is known, and none matters.
    fn operations(&self) -> Vec<Operation> {
        let mut lists: BTreeSet<i64> = self.appends.iter().map(|(k, _)| *k).collect();
        lists.extend(self.reads.iter().map(|read| read.k));
        let mut operations = Vec::new();
        for k in lists {
            let own = self.own(k);
            let reads: Vec<&Read> = self.reads.iter().filter(|read| read.k == k && !read.cut).collect();
            for done in 0..=own.len() {
                for read in reads.iter().filter(|read| read.own == done) {
                    let items = read.items.iter().chain(&own[..done]).copied().collect();
                    operations.push(Operation::Read(k, items));
                }
                operations.extend(own.get(done).map(|v| Operation::Append(k, *v)));
            }
        }
        operations
    }
}

/// What the client does not know, the final state tells.
fn took_effect(tx: &Tx, end: &Final) -> bool {
    match tx.fate {
        Fate::Committed => true,
        Fate::Unknown => {
            tx.appends.iter().any(|(k, v)| end.lists.get(k).is_some_and(|list| list.contains(v)))
                || tx.effects.iter().any(|effect| end.effects.contains(effect))
        }
        _ => false,
    }
}

/// Hard edges.
struct Graph {
    edges: Vec<Vec<(usize, Why)>>,
}

impl Graph {
    fn new(nodes: usize) -> Graph {
        Graph { edges: vec![Vec::new(); nodes] }
    }

    fn node(&mut self) -> usize {
        self.edges.push(Vec::new());
        self.edges.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize, why: Why) {
        if from != to && !self.edges[from].contains(&(to, why)) {
            self.edges[from].push((to, why));
        }
    }

    /// A circle, if there is one: found among the strongly connected components.
    fn circle(&self) -> Option<Vec<(usize, Why)>> {
        let components = self.components();
        let start = (0..self.edges.len())
            .find(|node| self.edges[*node].iter().any(|(to, _)| components[*to] == components[*node]))?;
        let (next, why) = *self.edges[start].iter().find(|(to, _)| components[*to] == components[start])?;
        let mut circle = vec![(start, why)];
        circle.extend(self.walk(next, |to, _| to == start)?);
        Some(circle)
    }

    /// A way that enters `to` by anything but rw.
    fn path(&self, from: usize, to: usize) -> Option<Vec<(usize, Why)>> {
        self.walk(from, |node, why| node == to && why != Why::Rw)
    }

    /// The shortest way to an edge that is looked for, with the edges taken.
    fn walk(&self, from: usize, found: impl Fn(usize, Why) -> bool) -> Option<Vec<(usize, Why)>> {
        let mut parent: BTreeMap<usize, (usize, Why)> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for (to, why) in &self.edges[node] {
                if found(*to, *why) {
                    let mut path = vec![(node, *why)];
                    let mut at = node;
                    while at != from {
                        let (before, why) = parent[&at];
                        path.push((before, why));
                        at = before;
                    }
                    path.reverse();
                    return Some(path);
                }
                if *to != from && !parent.contains_key(to) {
                    parent.insert(*to, (node, *why));
                    queue.push_back(*to);
                }
            }
        }
        None
    }

    /// Tarjan's algorithm, without recursion: the component of each node.
    fn components(&self) -> Vec<usize> {
        const NEW: usize = usize::MAX;
        let nodes = self.edges.len();
        let (mut index, mut low, mut component) = (vec![NEW; nodes], vec![0; nodes], vec![NEW; nodes]);
        let (mut stack, mut next, mut count) = (Vec::new(), 0, 0);
        for root in 0..nodes {
            if index[root] != NEW {
                continue;
            }
            // A node and which of its edges comes next.
            let mut work = vec![(root, 0)];
            while let Some((node, edge)) = work.pop() {
                if edge == 0 {
                    (index[node], low[node]) = (next, next);
                    next += 1;
                    stack.push(node);
                }
                if let Some((to, _)) = self.edges[node].get(edge) {
                    work.push((node, edge + 1));
                    if index[*to] == NEW {
                        work.push((*to, 0));
                    } else if component[*to] == NEW {
                        low[node] = low[node].min(index[*to]);
                    }
                    continue;
                }
                if let Some((above, _)) = work.last() {
                    low[*above] = low[*above].min(low[node]);
                }
                if low[node] == index[node] {
                    while let Some(member) = stack.pop() {
                        component[member] = count;
                        if member == node {
                            break;
                        }
                    }
                    count += 1;
                }
            }
        }
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Isolation::{ReadCommitted, RepeatableRead, Serializable};

    /// A transaction: when, at which level, what it read of which list, what it appended.
    fn tx(when: (u64, u64), isolation: Isolation, reads: &[(i64, &[i64])], appends: &[(i64, i64)]) -> Tx {
        let read = |(k, items): &(i64, &[i64])| Read {
            k: *k,
            items: items.to_vec(),
            own: 0,
            how: How::Plain,
            began: when.0,
            cut: false,
        };
        Tx {
            ended: when.1,
            fate: Fate::Committed,
            reads: reads.iter().map(read).collect(),
            appends: appends.to_vec(),
            ..Tx::new(isolation, false, when.0)
        }
    }

    fn verdict(transactions: Vec<Tx>, lists: &[(i64, &[i64])]) -> String {
        let lists = lists.iter().map(|(k, list)| (*k, list.to_vec())).collect();
        let end = Final { lists, ..Final::default() };
        let history = History { transactions, values: 0 };
        history.check(&end).err().map_or("ok".to_owned(), |e| e.split(':').next().unwrap_or_default().to_owned())
    }

    const CIRCLE: &str = "circle of hard edges";

    #[test]
    fn histories_are_judged_by_level() {
        for level in [ReadCommitted, RepeatableRead, Serializable] {
            let during = (0, 9);
            // Each read what the other overwrote.
            let skew = vec![tx(during, level, &[(0, &[])], &[(1, 11)]), tx(during, level, &[(1, &[])], &[(0, 12)])];
            let expected = if level == Serializable { CIRCLE } else { "ok" };
            assert_eq!(verdict(skew, &[(0, &[12]), (1, &[11])]), expected, "write skew, {level:?}");
            // It read before the other's append, and appended after it.
            let lost = vec![tx(during, level, &[(0, &[])], &[(0, 12)]), tx(during, level, &[], &[(0, 11)])];
            let expected = match level {
                ReadCommitted => "ok",
                RepeatableRead => "G-single",
                Serializable => CIRCLE,
            };
            assert_eq!(verdict(lost, &[(0, &[11, 12])]), expected, "lost update, {level:?}");
            // Two lists, one before and one after the same transaction.
            let reader = tx(during, level, &[(0, &[]), (1, &[12])], &[(2, 13)]);
            let torn = vec![tx(during, level, &[], &[(0, 11), (1, 12)]), reader];
            assert_eq!(verdict(torn, &[(0, &[11]), (1, &[12]), (2, &[13])]), expected, "torn read, {level:?}");
            // Appends in opposite orders.
            let g0 = vec![tx(during, level, &[], &[(0, 11), (1, 12)]), tx(during, level, &[], &[(0, 13), (1, 14)])];
            assert_eq!(verdict(g0, &[(0, &[11, 13]), (1, &[14, 12])]), CIRCLE, "dirty write, {level:?}");
            // Each read the other's append.
            let g1c = vec![tx(during, level, &[(1, &[12])], &[(0, 11)]), tx(during, level, &[(0, &[11])], &[(1, 12)])];
            assert_eq!(verdict(g1c, &[(0, &[11]), (1, &[12])]), CIRCLE, "circular information, {level:?}");
            let half = vec![tx(during, level, &[], &[(0, 11), (0, 12)]), tx(during, level, &[(0, &[11])], &[])];
            assert_eq!(verdict(half, &[(0, &[11, 12])]), "half of a transaction", "{level:?}");
            let stale = vec![tx((0, 1), level, &[], &[(0, 11)]), tx((2, 3), level, &[(0, &[])], &[])];
            assert_eq!(verdict(stale, &[(0, &[11])]), "stale read, without 11", "{level:?}");
            // Acknowledged one after the other, and the other way round in the list.
            let late = vec![tx((0, 1), level, &[], &[(0, 11)]), tx((2, 3), level, &[], &[(0, 12)])];
            assert_eq!(verdict(late, &[(0, &[12, 11])]), CIRCLE, "{level:?}");
            let undone = Tx { fate: Fate::Gone("40001".into()), ..tx(during, level, &[], &[(0, 11)]) };
            let dirty = vec![undone.clone(), tx(during, level, &[(0, &[11])], &[])];
            assert_eq!(verdict(dirty, &[(0, &[])]), "a list that never was", "{level:?}");
            assert_eq!(verdict(vec![undone], &[(0, &[11])]), "1 of 1 writes of transaction 0 took effect");
            let fine = vec![tx((0, 1), level, &[], &[(0, 11)]), tx((2, 3), level, &[(0, &[11])], &[(0, 12)])];
            assert_eq!(verdict(fine, &[(0, &[11, 12])]), "ok");
        }
    }

    #[test]
    fn locks_are_judged_at_every_level() {
        let lock = |k, exclusive, since| Lock { row: Row::List(k), exclusive, since };
        let held =
            |when: (u64, u64), level, lock: Lock| Tx { locks: vec![lock], closed: when.1, ..tx(when, level, &[], &[]) };
        for level in [ReadCommitted, RepeatableRead, Serializable] {
            let two = |a: Lock, b: Lock| verdict(vec![held((0, 5), level, a), held((0, 9), level, b)], &[]);
            assert_eq!(two(lock(0, true, 1), lock(0, true, 4)), "two held one lock", "{level:?}");
            assert_eq!(two(lock(0, true, 1), lock(0, false, 4)), "two held one lock", "{level:?}");
            assert_eq!(two(lock(0, false, 1), lock(0, false, 4)), "ok", "both share it, {level:?}");
            assert_eq!(two(lock(0, true, 1), lock(1, true, 4)), "ok", "two rows, {level:?}");
            assert_eq!(two(lock(0, true, 1), lock(0, true, 5)), "ok", "one after the other, {level:?}");
            let single = |began, ended| Tx {
                single: true,
                locks: vec![lock(0, true, ended)],
                ..tx((began, ended), level, &[], &[])
            };
            let beside =
                |when: (u64, u64)| verdict(vec![held((0, 5), level, lock(0, false, 1)), single(when.0, when.1)], &[]);
            assert_eq!([(0, 4), (2, 6)].map(beside), ["ok", "ok"], "before or after, {level:?}");
            assert_eq!(beside((2, 4)), "two held one lock", "{level:?}");
            let failed = Tx { fate: Fate::Gone("40001".into()), ..held((0, 9), level, lock(0, true, 1)) };
            assert_eq!(verdict(vec![failed, held((0, 5), level, lock(0, true, 1))], &[]), "ok", "{level:?}");

            // Both were told that their append is the first.
            let told = |v| {
                let mut tx = tx((0, 9), level, &[(0, &[])], &[(0, v)]);
                (tx.reads[0].own, tx.reads[0].how) = (1, How::Plain);
                tx
            };
            let tickets = vec![told(11), told(12)];
            assert_eq!(verdict(tickets, &[(0, &[11, 12])]), "something came in between", "{level:?}");

            // A locking read, and then a plain one.
            let mut other = tx((0, 9), level, &[(0, &[11]), (0, &[11, 12])], &[]);
            other.reads[0].how = How::Locking;
            let writers = [tx((0, 1), level, &[], &[(0, 11)]), tx((2, 3), level, &[], &[(0, 12)])];
            let history = [&writers[..], &[other]].concat();
            assert_eq!(verdict(history, &[(0, &[11, 12])]), "changed under a lock", "{level:?}");
        }
    }

    #[test]
    fn what_is_announced_is_judged() {
        let during = (0, 9);
        let transfer =
            |began, n| Tx { effects: [Effect::Transfer(n)].into(), ..tx((began, 9), Serializable, &[], &[]) };
        let heard = |numbers: &[i64]| {
            let listener = Tx { heard: Some((5, numbers.to_vec())), ..tx(during, ReadCommitted, &[], &[]) };
            let transactions = vec![transfer(1, 1), transfer(6, 2), transfer(7, 3), listener];
            let effects = [1, 2, 3].map(Effect::Transfer).into();
            let end = Final { effects, ledger: vec![1, 2, 3], ..Final::default() };
            let error = History { transactions, values: 0 }.check(&end).err();
            error.map_or("ok".to_owned(), |e| e.split(':').next().unwrap_or_default().to_owned())
        };
        assert_eq!([heard(&[]), heard(&[2, 3]), heard(&[1, 2])], ["ok"; 3]);
        assert_eq!(heard(&[1, 3]), "announced in another order");
        assert_eq!(heard(&[2, 1]), "announced in another order");
        assert_eq!(heard(&[2, 4]), "announced, and never done");
        assert_eq!(heard(&[3]), "not announced");
    }

    #[test]
    fn effects_are_judged_by_fate() {
        let of = |fate, there: &[Effect]| {
            let both = [Effect::Put(1), Effect::Taken(2)].into();
            let tx = Tx { fate, effects: both, ..tx((0, 9), ReadCommitted, &[], &[]) };
            let end = Final { effects: there.iter().copied().collect(), ..Final::default() };
            History { transactions: vec![tx], values: 0 }.check(&end).is_ok()
        };
        let both = [Effect::Put(1), Effect::Taken(2)];
        let gone = || Fate::Gone("40001".into());
        assert_eq!(
            [of(Fate::Committed, &both), of(Fate::Committed, &both[..1]), of(Fate::Committed, &[])],
            [true, false, false]
        );
        assert_eq!(
            [of(Fate::Unknown, &both), of(Fate::Unknown, &both[..1]), of(Fate::Unknown, &[])],
            [true, false, true]
        );
        assert_eq!([of(gone(), &both[1..]), of(gone(), &[])], [false, true]);
    }

    #[test]
    fn a_history_is_written_for_elle() {
        let mut first = tx((1, 3), Serializable, &[(0, &[11])], &[(0, 12), (1, 13)]);
        first.reads[0].own = 1;
        let second = Tx { fate: Fate::Unknown, process: 4, ..tx((2, 5), Serializable, &[(1, &[])], &[]) };
        let history = History { transactions: vec![first, second], values: 0 };
        assert_eq!(
            history.edn(),
            "{:process 0, :type :invoke, :f :txn, :value [[:append 0 12] [:r 0 nil] [:append 1 13]], :time 1000, :index 0}\n\
             {:process 4, :type :invoke, :f :txn, :value [[:r 1 nil]], :time 2000, :index 1}\n\
             {:process 0, :type :ok, :f :txn, :value [[:append 0 12] [:r 0 [11 12]] [:append 1 13]], :time 3000, :index 2}\n\
             {:process 4, :type :info, :f :txn, :value [[:r 1 nil]], :time 5000, :index 3}\n"
        );
    }

    /// A reader of snapshots sees two independent appends in the order in which another one excluded.
    #[test]
    fn a_read_only_transaction_of_one_snapshot_counts_as_serializable() {
        let during = (0, 9);
        let writers = [tx(during, Serializable, &[], &[(0, 11)]), tx(during, Serializable, &[], &[(1, 12)])];
        let readers = [
            tx(during, RepeatableRead, &[(0, &[11]), (1, &[])], &[]),
            tx(during, RepeatableRead, &[(0, &[]), (1, &[12])], &[]),
        ];
        let lists: &[(i64, &[i64])] = &[(0, &[11]), (1, &[12])];
        assert_eq!(verdict([&writers[..], &readers[..1]].concat(), lists), "ok");
        assert_eq!(verdict([&writers[..], &readers[..]].concat(), lists), CIRCLE);
    }
}
