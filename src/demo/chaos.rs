//! `quorate demo --chaos`: a load, and somebody who does harm to the nodes: by the buttons of a page, or by a script.
//!
//! It acts only on processes that the demo has started and has not yet waited for, so a process id is theirs.

use super::cuts::Cuts;
use super::load::{Audit, Load, Second};
use super::{Layout, Running, initial_nodes, start_one, status_of};
use crate::admin::client::{Way, wait_for};
use crate::admin::console::POLICY;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// Writers at each node.
const WRITERS: u32 = 2;
/// Between two complete readings while the load runs.
const AUDIT: Duration = Duration::from_secs(10);
/// How long the gap that follows an action is looked for.
const AFTERMATH: Duration = Duration::from_secs(5);
/// How long everybody gets to be up again at the end.
const RECOVERY: Duration = Duration::from_secs(60);

/// What can be done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Kill,
    Pause,
    Resume,
    Cut,
    Heal,
    Restart,
    /// Let it lead everything.
    Lead,
}

impl Action {
    const ALL: [(&'static str, Action); 7] = [
        ("kill", Action::Kill),
        ("pause", Action::Pause),
        ("resume", Action::Resume),
        ("cut", Action::Cut),
        ("heal", Action::Heal),
        ("restart", Action::Restart),
        ("lead", Action::Lead),
    ];
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Do(Action, String),
    End,
}

/// Reads lines of `SECONDS ACTION NODE` (a name, `leader`, `follower` or `all`) and `SECONDS end`; `#` begins a comment.
pub fn parse_script(text: &str) -> Result<Vec<(Duration, Step)>, String> {
    let mut steps: Vec<(Duration, Step)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |why: &str| format!("line {number}: {why}\n  {line}");
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let (time, step) = match words[..] {
            [] => continue,
            [time, "end"] => (time, Step::End),
            [time, action, node] => {
                let known = Action::ALL.iter().find(|(name, _)| *name == action);
                let (_, action) = known.ok_or_else(|| wrong("there is no such action"))?;
                (time, Step::Do(*action, node.to_owned()))
            }
            _ => return Err(wrong("it must be SECONDS ACTION NODE, or SECONDS end")),
        };
        let at = time.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let at = at.ok_or_else(|| wrong("it must begin with a number of seconds"))?;
        if steps.last().is_some_and(|(last, _)| *last > at) {
            return Err(wrong("it is earlier than the line before"));
        }
        steps.push((at, step));
    }
    match steps.last() {
        Some((_, Step::End)) => Ok(steps),
        _ => Err("the last line must be SECONDS end".into()),
    }
}

/// Something that was done, and what came of it.
#[derive(Clone, Serialize)]
struct Event {
    /// Seconds since the load began.
    at: f64,
    text: String,
    /// The longest time in which no write succeeded, in the seconds that followed; ms.
    gap: Option<f64>,
    #[serde(skip)]
    since: Option<Instant>,
}

/// A node, as the page shows it.
#[derive(Serialize)]
struct Shown {
    name: String,
    /// `up`, `killed`, `paused`, `cut`.
    state: &'static str,
    leads: bool,
    term: u64,
    applied: u64,
    postgres: u16,
    http: u16,
}

#[derive(Serialize)]
struct Picture {
    nodes: Vec<Shown>,
    acknowledged: usize,
    errors: std::collections::BTreeMap<String, usize>,
    audit: Option<Audit>,
    /// The load has ended, and this is what remains to be said.
    end: bool,
    curve: Vec<Second>,
    events: Vec<Event>,
}

/// A node's term and applied index.
type Reached = (u64, u64);

/// The one who does harm.
pub struct Chaos {
    exe: PathBuf,
    dir: PathBuf,
    layout: Layout,
    running: Arc<Mutex<Vec<Running>>>,
    paused: Mutex<Vec<bool>>,
    cuts: Cuts,
    load: Load,
    begun: Instant,
    events: Mutex<Vec<Event>>,
    audit: Mutex<Option<Audit>>,
    /// What status nodes have told last: who leads the database, and term and applied index of each.
    known: Mutex<(Option<String>, Vec<Reached>)>,
    ended: AtomicBool,
}

impl Chaos {
    /// The cluster is up. Begins the load, and everything that looks on.
    pub fn start(
        exe: PathBuf,
        dir: &Path,
        layout: &Layout,
        running: Arc<Mutex<Vec<Running>>>,
        cuts: Cuts,
    ) -> Result<Arc<Chaos>, String> {
        let load = Load::start(layout.nodes.iter().map(|node| node.postgres).collect(), WRITERS)?;
        let nodes = layout.nodes.len();
        let chaos = Arc::new(Chaos {
            exe,
            dir: dir.to_owned(),
            layout: layout.clone(),
            running,
            paused: Mutex::new(vec![false; nodes]),
            cuts,
            load,
            begun: Instant::now(),
            events: Mutex::default(),
            audit: Mutex::default(),
            known: Mutex::new((None, vec![(0, 0); nodes])),
            ended: AtomicBool::new(false),
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
        for (at, node) in self.layout.nodes.iter().enumerate() {
            if self.state(at) != "up" {
                continue;
            }
            let Some(status) = status_of(&format!("127.0.0.1:{}", node.http)) else { continue };
            let mut known = self.known.lock();
            known.0 =
                status.groups.iter().find(|group| group.database == "quorate").and_then(|group| group.leader.clone());
            for (i, node) in self.layout.nodes.iter().enumerate() {
                let replica = status.replicas.iter().find(|r| r.node == node.name && r.database == "quorate");
                if let Some(replica) = replica {
                    known.1[i] = (replica.term, replica.applied_index);
                }
            }
            break;
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

    fn state(&self, at: usize) -> &'static str {
        match (self.running.lock()[at].ended, self.paused.lock()[at], self.cuts.is_cut(at as u64 + 1)) {
            (true, ..) => "killed",
            (_, true, _) => "paused",
            (_, _, true) => "cut",
            _ => "up",
        }
    }

    fn say(&self, text: String) {
        let at = self.begun.elapsed().as_secs_f64();
        println!("{at:7.1} s  {text}");
        self.load.ledger.lock().take_longest_gap();
        self.events.lock().push(Event { at, text, gap: None, since: Some(Instant::now()) });
    }

    /// The nodes that a word means.
    fn named(&self, word: &str) -> Result<Vec<usize>, String> {
        let all = 0..self.layout.nodes.len();
        let leader = self.known.lock().0.clone();
        let leads = |at: &usize| Some(&self.layout.nodes[*at].name) == leader.as_ref();
        let found: Vec<usize> = match word {
            "all" => all.collect(),
            "leader" => all.filter(leads).collect(),
            "follower" => all.filter(|at| !leads(at) && self.state(*at) == "up").take(1).collect(),
            name => all.filter(|at| self.layout.nodes[*at].name == name).collect(),
        };
        if found.is_empty() { Err(format!("there is no {word} now")) } else { Ok(found) }
    }

    pub fn act(&self, action: Action, word: &str) -> Result<(), String> {
        if self.ended.load(Ordering::SeqCst) {
            return Err("the load has ended".into());
        }
        for at in self.named(word)? {
            self.act_on(action, at)?;
        }
        Ok(())
    }

    fn act_on(&self, action: Action, at: usize) -> Result<(), String> {
        let name = &self.layout.nodes[at].name;
        let state = self.state(at);
        let was = if self.known.lock().0.as_ref() == Some(name) { ", which led" } else { "" };
        match (action, state) {
            (Action::Kill | Action::Pause | Action::Cut | Action::Lead, "killed") => Err(format!("{name} is not up")),
            (Action::Kill, _) => {
                self.say(format!("kill {name}{was}"));
                let mut running = self.running.lock();
                let _ = running[at].child.kill();
                let _ = running[at].child.wait();
                running[at].ended = true;
                self.paused.lock()[at] = false;
                Ok(())
            }
            (Action::Pause, _) => {
                self.say(format!("pause {name}{was}"));
                self.signal(at, libc::SIGSTOP);
                self.paused.lock()[at] = true;
                Ok(())
            }
            (Action::Resume, "paused") => {
                self.say(format!("resume {name}"));
                self.signal(at, libc::SIGCONT);
                self.paused.lock()[at] = false;
                Ok(())
            }
            (Action::Cut, _) => {
                self.say(format!("cut {name} off from the others{was}"));
                self.cuts.set(at as u64 + 1, true);
                Ok(())
            }
            (Action::Heal, _) if self.cuts.is_cut(at as u64 + 1) => {
                self.say(format!("heal the network of {name}"));
                self.cuts.set(at as u64 + 1, false);
                Ok(())
            }
            (Action::Restart, "killed") => {
                self.say(format!("start {name} again"));
                let home = self.dir.join(name);
                let child = start_one(&self.exe, &home, &self.layout.nodes[at], &initial_nodes(&self.layout))?;
                let mut running = self.running.lock();
                running[at].child = child;
                running[at].ended = false;
                Ok(())
            }
            (Action::Lead, _) => {
                self.say(format!("let {name} lead"));
                self.transfer(name)
            }
            // It is so already.
            (Action::Resume | Action::Heal | Action::Restart, _) => Ok(()),
        }
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
        let up = (0..self.layout.nodes.len()).find(|at| self.state(*at) == "up").ok_or("no node is up")?;
        let address = format!("127.0.0.1:{}", self.layout.nodes[up].http);
        let body = serde_json::json!({ "to": to }).to_string().into_bytes();
        let said = wait_for(Way::default().ask(&address, "/transfer", Some(body), Duration::from_secs(30)))?;
        if said.is_success() { Ok(()) } else { Err(said.text()) }
    }

    fn picture(&self) -> Picture {
        let (leader, indexes) = self.known.lock().clone();
        let nodes = self.layout.nodes.iter().enumerate().map(|(at, node)| {
            let (term, applied) = indexes[at];
            let state = self.state(at);
            let leads = leader.as_ref() == Some(&node.name) && state == "up";
            Shown { name: node.name.clone(), state, leads, term, applied, postgres: node.postgres, http: node.http }
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
        for r in self.running.lock().iter_mut().filter(|r| !r.ended) {
            if let Ok(Some(status)) = r.child.try_wait() {
                r.ended = true;
                println!("{} ended by itself ({status}); its log is in its directory", r.node.name);
            }
        }
    }

    /// Does what a script says; true when it came to its end.
    pub fn play(&self, steps: &[(Duration, Step)], stop: &AtomicBool) -> bool {
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
                        println!("{:7.1} s  {action:?} {word}: {why}", self.begun.elapsed().as_secs_f64());
                    }
                }
            }
        }
        true
    }

    /// Heals everything, stops the load, reads everything back, and says what was found.
    pub fn finish(&self) -> Result<(), String> {
        for action in [Action::Resume, Action::Heal, Action::Restart] {
            self.act(action, "all")?;
        }
        self.load.stop();
        self.ended.store(true, Ordering::SeqCst);
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
        println!("\nacknowledged {acknowledged}, errors {errors} (of these rows {unsure} are there all the same)");
        println!("lost {lost}, doubled {doubled}");
        for event in self.events.lock().iter() {
            let gap = event.gap.map_or_else(String::new, |gap| format!("{gap:.0} ms without an acknowledged write"));
            println!("{:7.1} s  {:<44} {gap}", event.at, event.text);
        }
        if lost == 0 && doubled == 0 { Ok(()) } else { Err(format!("{lost} rows are lost, {doubled} are doubled")) }
    }
}

/// Serves the page until the process ends.
pub async fn serve(listener: TcpListener, chaos: Arc<Chaos>) {
    const HTML: &str = "text/html; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let page = |kind: &'static str, text: &'static str| get(move || async move { show(kind, text) });
    let app = Router::new()
        .route("/", page(HTML, include_str!("chaos.html")))
        .route("/chaos.js", page(SCRIPT, include_str!("chaos.js")))
        .route("/dom.js", page(SCRIPT, include_str!("../admin/console/dom.js")))
        .route("/console.css", page("text/css; charset=utf-8", include_str!("../admin/console/console.css")))
        .route("/icon.svg", page("image/svg+xml", include_str!("../admin/console/icon.svg")))
        .route("/state", get(|State(chaos): State<Arc<Chaos>>| async move { Json(chaos.picture()) }))
        .route("/act", post(act))
        .layer(from_fn(only_own_pages))
        .with_state(chaos);
    while let Ok((stream, _)) = listener.accept().await {
        let app = app.clone();
        let service = service_fn(move |request| app.clone().oneshot(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn show(kind: &'static str, text: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    (headers, text).into_response()
}

/// No page of somebody else may press the buttons, nor one that has made a name of its own mean this machine.
async fn only_own_pages(request: Request, next: Next) -> Response {
    let text = |headers: &HeaderMap, name| {
        headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok()).map(str::to_owned)
    };
    let (host, origin) = (text(request.headers(), HOST), text(request.headers(), ORIGIN));
    let here = host.as_ref().is_some_and(|host| {
        host.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
            || host.starts_with("localhost:")
    });
    let own = origin.is_none_or(|origin| host.as_ref().is_some_and(|host| origin == format!("http://{host}")));
    if here && own { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

#[derive(Deserialize)]
struct Order {
    action: Action,
    node: String,
}

async fn act(State(chaos): State<Arc<Chaos>>, Json(Order { action, node }): Json<Order>) -> Response {
    match tokio::task::spawn_blocking(move || chaos.act(action, &node)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(why)) => (StatusCode::CONFLICT, why).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Says where the pages are.
pub fn announce(layout: &Layout, port: u16) {
    println!("\nChaos: http://127.0.0.1:{port}/  (kill, pause, cut, restart, move the leadership)");
    for node in &layout.nodes {
        println!("  {:<8} http://127.0.0.1:{}/console", node.name, node.http);
    }
    println!("\nCtrl-C ends the load and reads every acknowledged row back.\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read() {
        let steps = parse_script("# a demo\n2 kill leader\n2.5 restart all # again\n\n9 end\n").unwrap();
        assert_eq!(steps[0], (Duration::from_secs(2), Step::Do(Action::Kill, "leader".into())));
        assert_eq!(steps[1].0, Duration::from_millis(2500));
        assert_eq!(steps[2], (Duration::from_secs(9), Step::End));
        for (wrong, why) in [
            ("1 kill leader", "the last line"),
            ("1 burn leader\n2 end", "no such action"),
            ("x kill leader\n2 end", "number of seconds"),
            ("-1 end", "number of seconds"),
            ("3 kill leader\n2 end", "earlier"),
            ("1 kill\n2 end", "it must be"),
        ] {
            assert!(parse_script(wrong).unwrap_err().contains(why), "{wrong}");
        }
    }
}
