//! The part of the world that clients with transactions need: gateways, what they ask of each other, and sessions.

use super::connection::Connection;
use super::gateway::{Ask, ProposeReply, serve};
use super::history::{Effect, Fate, Final, Tx};
use super::node::{GROUP, Who, query};
use super::oracle::Check;
use super::plan::Bug;
use super::schema::{ACCOUNTS, BALANCE};
use super::session::{Client, Job, LARGE_BYTES};
use super::tasks::Process;
use super::world::{Action, Call, World};
use bytes::Bytes;
use quorate::command::{self, Command, Outcome, Proposal};
use quorate::engine::Shared;
use quorate::gateway::peer::{self, Request};
use quorate::id::{NodeId, RequestId};
use quorate::replica::conductor::contract::Input;
use quorate::replica::handle::GroupLeadership;
use quorate::sql::plan::Effort;
use quorate::transaction::Terms;
use quorate::transport::CallError;
use quorate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::oneshot;

const MS: u64 = 1000;
/// Steps of tasks that may follow each other without any time passing.
const BUSY: usize = 100_000;

/// What defects need to know.
#[derive(Default)]
pub struct Memory {
    /// How often each request was proposed.
    seen: BTreeMap<RequestId, u64>,
    /// What a reservation of sequence values brought last.
    values: Option<Arc<Outcome>>,
    reserving: BTreeSet<RequestId>,
}

fn is_commit(proposal: &Proposal) -> bool {
    matches!(command::decode(&proposal.body), Ok(Command::Write(write)) if write.transaction.is_some())
}

fn is_reservation(proposal: &Proposal) -> bool {
    let reserves = |sql: &str| sql.contains("q_nextval(?1)");
    match command::decode(&proposal.body) {
        Ok(Command::Write(write)) => write.steps.iter().flat_map(|s| &s.statements).any(|s| reserves(&s.sql)),
        _ => false,
    }
}

impl World {
    // --- tasks --------------------------------------------------------------------------------------------------

    pub(super) fn open_gateway(&mut self, id: u64) {
        if self.plan.sessions == 0 {
            return;
        }
        let defect = self.plan.bug.and_then(Bug::defect);
        let process = Process::new((id, self.nodes[&id].epoch), self.clock.clone(), self.random.next(), defect);
        let (plan, inbox) = (self.plan.clone(), self.inbox.clone());
        self.node(id).serve(&plan, process, &inbox);
        for node in self.nodes.values().filter(|node| node.id != id) {
            if let Some(served) = node.live.as_ref().and_then(|live| live.gateway.as_ref()) {
                served.peers.note(id, false);
            }
        }
    }

    /// Runs everything that can go on, and what comes of it at once.
    pub(super) fn run_tasks(&mut self) -> Check {
        if self.plan.sessions == 0 {
            return Ok(());
        }
        for _ in 0..BUSY {
            let (nodes, now) = (&self.nodes, self.now);
            let ran = self.tasks.step(|(node, _)| nodes[&node].paused_until <= now);
            let served = self.nodes.values().filter_map(|node| node.live.as_ref()?.gateway.as_ref());
            let mut spawned = false;
            for process in served.map(|served| &served.process) {
                for task in process.spawned() {
                    self.tasks.spawn(process.id, task);
                    spawned = true;
                }
            }
            let asks = self.inbox.take();
            if !ran && !spawned && asks.is_empty() {
                return self.chronicle.with(|recorded| recorded.wrong.clone().map_or(Ok(()), Err));
            }
            for ask in asks {
                self.ask(ask)?;
            }
        }
        Err(format!("a task turns in circles: {}", self.describe()))
    }

    fn ask(&mut self, ask: Ask) -> Check {
        match ask {
            Ask::Propose { node, proposal, term, reply } => self.take_proposal(node, proposal, term, reply),
            Ask::Read { node, reply } => {
                if self.nodes[&node].live.is_none() {
                    return Ok(());
                }
                self.input(node, Input::Read { group: GROUP, reply: Who::Reader(reply) })
            }
            Ask::Call { from, to, bytes, reply } => {
                let from = (from, self.nodes[&from].epoch);
                self.send_call(Call { from, to, bytes, reply }, 0);
                Ok(())
            }
            Ask::Answer { call, bytes } => {
                let Some(from) = self.calls.get(&call).map(|call| call.from.0) else { return Ok(()) };
                let delay = self.latency();
                self.after(delay, Action::Answer { node: from, call, bytes });
                Ok(())
            }
            Ask::Over { session } => {
                self.session_is_over(session);
                Ok(())
            }
        }
    }

    /// When tasks of a process end with it, what they drop must not do anything any more.
    pub(super) fn end_tasks(&mut self, id: u64, power: bool) -> Check {
        let Some(served) = self.nodes[&id].live.as_ref().and_then(|live| live.gateway.as_ref()) else { return Ok(()) };
        let (process, router) = (served.process.clone(), served.router.clone());
        process.die();
        self.tasks.end_all(process.id);
        if Arc::strong_count(&router) != 2 {
            return Err(format!("something of the dead process {id} lives on"));
        }
        self.calls.retain(|_, call| call.from != process.id);
        let open: Vec<u64> = self.calls.iter().filter(|(_, call)| call.to == id).map(|(number, _)| *number).collect();
        for call in open.into_iter().filter(|_| !power) {
            let delay = self.latency();
            self.after(delay, Action::Break { call });
        }
        for session in 0..self.sessions.len() {
            if self.sessions[session].active.is_some_and(|(_, pid, _)| pid == process.id) {
                self.lose(session, "the node died");
            }
        }
        Ok(())
    }

    // --- the replica --------------------------------------------------------------------------------------------

    pub(super) fn publish_leadership(&mut self, id: u64, now: GroupLeadership) {
        if let Some(served) = self.nodes[&id].live.as_ref().and_then(|live| live.gateway.as_ref()) {
            served.replica.publish(now);
        }
    }

    fn take_proposal(&mut self, node: u64, mut proposal: Proposal, term: Option<u64>, reply: ProposeReply) -> Check {
        if self.nodes[&node].live.is_none() {
            return Ok(());
        }
        let bug = self.plan.bug;
        if is_commit(&proposal) {
            if self.random.one_in(self.plan.double_submit) {
                self.submit_again(&proposal);
            }
            let seen = self.memory.seen.entry(proposal.request).or_default();
            *seen += 1;
            if bug == Some(Bug::NewCommitId) {
                proposal.request.seq += *seen << 40;
            }
        }
        if bug == Some(Bug::SequenceTwice) && is_reservation(&proposal) {
            if let Some(values) = self.memory.values.take() {
                let _ = reply.send(Ok((0, values)));
                return Ok(());
            }
            self.memory.reserving.insert(proposal.request);
        }
        self.oracle.proposed.entry(proposal.request).or_default().insert(proposal.body.clone());
        self.propose(node, Who::Proposer(reply), proposal, term)
    }

    pub(super) fn answer_proposer(
        &mut self,
        request: RequestId,
        reply: ProposeReply,
        index: u64,
        outcome: &Arc<Outcome>,
    ) {
        if self.memory.reserving.remove(&request) {
            self.memory.values = Some(outcome.clone());
        }
        let _ = reply.send(Ok((index, outcome.clone())));
    }

    /// The same COMMIT arrives at some other node as well.
    fn submit_again(&mut self, proposal: &Proposal) {
        let to = self.some_machine();
        let terms = Terms { attempt: 2, commit: true, effort: Effort::Key, within: 5000, lock_timeout: None };
        let bytes = peer::encode(&Request::Propose { group: GROUP, proposal: proposal.clone(), terms });
        let delay = self.random.range(0, 300 * MS);
        self.send_call(Call { from: (to, u64::MAX), to, bytes, reply: oneshot::channel().0 }, delay);
    }

    // --- between gateways ---------------------------------------------------------------------------------------

    fn latency(&mut self) -> u64 {
        let (low, high) = self.plan.latency;
        // What the network drops, TCP sends again.
        let again = if self.random.permille(self.plan.drop) { self.random.range(10 * MS, 400 * MS) } else { 0 };
        self.random.range(low, high) + again
    }

    fn send_call(&mut self, call: Call, delay: u64) {
        self.next_call += 1;
        let (number, node) = (self.next_call, call.to);
        self.calls.insert(number, call);
        let delay = delay + self.latency();
        self.after(delay, Action::Call { node, call: number });
    }

    pub(super) fn call_arrives(&mut self, number: u64) -> Check {
        let Some(call) = self.calls.get(&number) else { return Ok(()) };
        let (from, to, bytes) = (call.from.0, call.to, call.bytes.clone());
        if self.blocked.contains(&(from, to)) {
            // The connection hangs, or it is found to be broken.
            return if self.random.one_in(2) { self.call_breaks(number) } else { Ok(()) };
        }
        let Some(served) = self.nodes[&to].live.as_ref().and_then(|live| live.gateway.as_ref()) else {
            return self.call_breaks(number);
        };
        let (router, pid) = (served.router.clone(), served.process.id);
        self.tasks.spawn(pid, Box::pin(serve(router, from, number, bytes, self.inbox.clone())));
        Ok(())
    }

    pub(super) fn answer_arrives(&mut self, number: u64, bytes: Bytes) -> Check {
        let Some((from, to)) = self.calls.get(&number).map(|call| (call.from.0, call.to)) else { return Ok(()) };
        if self.blocked.contains(&(to, from)) {
            return if self.random.one_in(2) { self.call_breaks(number) } else { Ok(()) };
        }
        if let Some(call) = self.calls.remove(&number) {
            let _ = call.reply.send(Ok(bytes));
        }
        Ok(())
    }

    pub(super) fn call_breaks(&mut self, number: u64) -> Check {
        if let Some(call) = self.calls.remove(&number) {
            let _ = call.reply.send(Err(CallError::ConnectionLost(NodeId(call.to))));
        }
        Ok(())
    }

    // --- sessions -----------------------------------------------------------------------------------------------

    pub(super) fn session(&mut self, number: usize, run: u64) -> Check {
        let session = &self.sessions[number];
        if session.run != run || session.active.is_some() {
            return Ok(());
        }
        let healed = self.healed_at.is_some();
        if healed && session.after_heal >= 2 {
            return Ok(());
        }
        let alive: Vec<u64> = self.nodes.values().filter(|n| n.live.is_some()).map(|n| n.id).collect();
        if alive.is_empty() || !healed && self.begun >= self.plan.transactions {
            self.after(20 * MS, Action::Session { session: number, run });
            return Ok(());
        }
        let node = self.random.pick(&alive);
        self.sessions[number].after_heal += u64::from(healed);
        self.begin(number, node);
        if self.random.one_in(self.plan.hang_up) {
            let delay = self.random.range(0, 100 * MS);
            self.after(delay, Action::HangUp { session: number, run });
        }
        Ok(())
    }

    fn begin(&mut self, session: usize, node: u64) {
        self.begun += 1;
        let job = Job::draw(&mut self.random, &self.plan, self.begun as i64);
        let mut tx = Tx::new(job.isolation(), job.single(), self.now);
        (tx.effects, tx.process) = (job.effects(), session as u64);
        let number = self.chronicle.with(|recorded| {
            recorded.history.transactions.push(tx);
            recorded.history.transactions.len() - 1
        });
        self.say(|| format!("session {session} begins {number} at {node}: {job:?}"));
        let random = super::random::Random::new(self.random.next());
        let (inbox, chronicle) = (self.inbox.clone(), self.chronicle.clone());
        let Some(served) = self.nodes[&node].live.as_ref().and_then(|live| live.gateway.as_ref()) else { return };
        let mut random = random;
        let connection = Connection::new(
            served.router.clone(),
            served.process.clone(),
            1_000_000 + self.begun,
            job.manner(),
            &chronicle.plans,
            super::random::Random::new(random.next()),
        );
        let client = Client { session, connection, inbox, chronicle, number, random, savepoints: Vec::new() };
        let pid = served.process.id;
        let task = self.tasks.spawn(pid, Box::pin(client.run(job)));
        self.sessions[session].active = Some((task, pid, number));
    }

    pub(super) fn hang_up(&mut self, session: usize, run: u64) -> Check {
        if self.sessions[session].run == run
            && self.healed_at.is_none()
            && let Some((task, ..)) = self.sessions[session].active
        {
            self.tasks.end(task);
            self.lose(session, "hung up");
        }
        Ok(())
    }

    /// The task has ended where it stood.
    fn lose(&mut self, session: usize, why: &str) {
        let Some((_, _, number)) = self.sessions[session].active else { return };
        self.chronicle.with(|recorded| {
            let tx = &mut recorded.history.transactions[number];
            tx.fate = match tx.fate {
                Fate::Committing => Fate::Unknown,
                _ if tx.single => Fate::Unknown,
                _ => Fate::Gone(why.to_owned()),
            };
        });
        self.session_is_over(session);
    }

    fn session_is_over(&mut self, session: usize) {
        let Some((_, _, number)) = self.sessions[session].active.take() else { return };
        let fate = self.chronicle.with(|recorded| recorded.history.transactions[number].fate.clone());
        self.say(|| format!("session {session} ends {number}: {fate:?}"));
        match fate {
            Fate::Committed => self.report.transactions += 1,
            Fate::Gone(_) => self.report.refused += 1,
            _ => {}
        }
        let state = &mut self.sessions[session];
        state.run += 1;
        let run = state.run;
        let delay = self.random.range(0, 2 * self.plan.think + 1);
        self.after(delay, Action::Session { session, run });
    }

    /// All sessions have been served after the faults, and nothing of anybody is left on any node.
    pub(super) fn sessions_are_over(&self) -> bool {
        let idle = self.sessions.iter().all(|s| s.active.is_none() && s.after_heal >= 2);
        let served = self.nodes.values().filter_map(|node| node.live.as_ref()?.gateway.as_ref());
        idle && served.map(|s| &s.router.executor).all(|executor| executor.is_idle())
    }

    pub(super) fn describe_sessions(&self, out: &mut String) {
        for (i, session) in self.sessions.iter().enumerate() {
            if let Some((_, pid, number)) = session.active {
                let tx = self.chronicle.with(|recorded| recorded.history.transactions[number].clone());
                out.push_str(&format!("  session {i} at {pid:?}: {tx:?}\n"));
            }
        }
        for node in self.nodes.values() {
            if let Some(served) = node.live.as_ref().and_then(|live| live.gateway.as_ref()) {
                let executor = &served.router.executor;
                out.push_str(&format!(
                    "  {}: {} open, {:?}\n",
                    node.id,
                    executor.open_transactions(),
                    executor.locks()
                ));
            }
        }
    }

    // --- the end ------------------------------------------------------------------------------------------------

    pub(super) fn conclude_transactions(&mut self, shared: &Arc<Shared>) -> Check {
        let end = self.final_state(shared)?;
        self.chronicle.with(|recorded| recorded.history.check(&end))?;
        let calm = self.plan.is_calm() && self.report.elections == 1;
        let alone = calm && self.plan.sessions == 1 && self.plan.clients == 0;
        let failed = self.chronicle.with(|recorded| {
            let failed = |tx: &&Tx| matches!(&tx.fate, Fate::Gone(why) if why.ends_with("40001"));
            recorded.history.transactions.iter().find(failed).cloned()
        });
        if let Some(tx) = failed.filter(|_| alone) {
            return Err(format!("a block was alone, and could not be serialized: {tx:?}"));
        }
        let refused = self.chronicle.with(|recorded| {
            let mut all = recorded.history.transactions.iter().enumerate();
            all.find(|(_, tx)| tx.must_not_be_refused()).map(|(number, tx)| format!("{number}: {tx:?}"))
        });
        match refused.filter(|_| calm) {
            Some(tx) => Err(format!("READ COMMITTED could not be serialized although nothing happened: {tx}")),
            None => Ok(()),
        }
    }

    fn final_state(&self, shared: &Arc<Shared>) -> Result<Final, String> {
        let number = |value: &Value| if let Value::Int(i) = value { *i } else { i64::MIN };
        let mut lists = BTreeMap::new();
        for row in query(shared, r#"SELECT k, items FROM "public.list" ORDER BY k"#)? {
            let [k, Value::Text(items)] = &row[..] else { return Err(format!("a list is {row:?}")) };
            lists.insert(number(k), items.split_terminator(',').filter_map(|v| v.parse().ok()).collect());
        }
        let mut balances: BTreeMap<i64, i64> = (0..ACCOUNTS).map(|id| (id, BALANCE)).collect();
        let (mut ledger, mut numbers) = (Vec::new(), BTreeSet::new());
        let all = r#"SELECT no, transfer, debit, credit, amount FROM "public.ledger" ORDER BY rowid"#;
        for row in query(shared, all)? {
            let row: Vec<i64> = row.iter().map(number).collect();
            if !numbers.insert(row[0]) {
                return Err(format!("the sequence gave {} twice", row[0]));
            }
            ledger.push(row[1]);
            *balances.entry(row[2]).or_default() -= row[4];
            *balances.entry(row[3]).or_default() += row[4];
        }
        let mut all: Vec<Effect> = ledger.iter().copied().map(Effect::Transfer).collect();
        for (sql, effect) in [
            (
                r#"SELECT item FROM "public.queue" UNION ALL SELECT item FROM "public.taken""#,
                Effect::Put as fn(i64) -> _,
            ),
            (r#"SELECT taker FROM "public.taken""#, Effect::Taken),
            (r#"SELECT n FROM "public.large""#, Effect::Large),
            (
                "SELECT CAST(substr(name, 18) AS INTEGER) FROM sqlite_schema \
                 WHERE type = 'table' AND name LIKE 'public.bystander_%'",
                Effect::Table,
            ),
        ] {
            all.extend(query(shared, sql)?.iter().map(|row| effect(number(&row[0]))));
        }
        let mut effects = BTreeSet::new();
        if let Some(twice) = all.into_iter().find(|effect| !effects.insert(*effect)) {
            return Err(format!("{twice:?} took effect twice"));
        }
        let wrong = format!(
            r#"SELECT n FROM "public.large" WHERE body <> 'heavy' AND (length(body) <> {LARGE_BYTES} OR replace(body, 'x', '') <> '')"#
        );
        if !query(shared, &wrong)?.is_empty() {
            return Err("a large command arrived as another".to_owned());
        }
        let mut found = BTreeMap::new();
        for row in query(shared, r#"SELECT id, balance FROM "public.account""#)? {
            found.insert(number(&row[0]), number(&row[1]));
        }
        let sum: i64 = found.values().sum();
        if sum != ACCOUNTS * BALANCE {
            return Err(format!("the balances end as {found:?}, which is {sum}"));
        }
        // Moves outside of blocks have no row in the ledger.
        if self.plan.single == 0 && found != balances {
            return Err(format!("the balances end as {found:?}, the ledger says {balances:?}"));
        }
        Ok(Final { lists, effects, ledger })
    }
}
