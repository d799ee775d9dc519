//! How this node comes to have an identity: it has one, it is founded with others ([`crate::cluster::founding`]), or it is
//! let in by a member.
//!
//! Until then the node is in its waiting room: it answers other nodes' questions on the peer port, and tells people what
//! it waits for, in its log, under `/ready`, and to every client that connects.

use super::{Listeners, refuse_old_data, security};
use crate::access::Rules;
use crate::admin::backup::Copies;
use crate::admin::client::Way;
use crate::admin::console::Sight;
use crate::admin::{
    self, Answer as Later, AuthorityOrder, EntryOrder, Facts, JoinReply, JoinRequest, NodeOrder, Problem,
    ScrubProgress, Secret, SignedIn, TokenOrder, TransferRequest, Transferred,
};
use crate::cluster::founding::{self, Answer, Decision, Draft, Founded, Founding, Question, answer_as_member};
use crate::cluster::token::Token;
use crate::command;
use crate::config::{Config, Member, Origin};
use crate::error::{SqlError, SqlResult, state};
use crate::frontend;
use crate::frontend::login::{Everybody, Guard};
use crate::gateway::router::Router;
use crate::id::{FIRST_DATABASE_GROUP, GroupId, NodeId, ReplicaId, SYSTEM_GROUP};
use crate::pki::{Keys, join_config};
use crate::raftlog::identity::{Identity, IdentityError, KnownMember, load_draft, save_draft};
use crate::session::postgres::Postgres;
use crate::status::{ClusterStatus, NodeRow};
use crate::transport::tcp::{Clerk, ask, lobby};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two rounds of questions.
const ROUND: Duration = Duration::from_millis(100);
const SLOW_ROUND: Duration = Duration::from_secs(1);

/// The identity of the data directory, or a new one; returns when there is one.
pub async fn establish(config: &Config, listeners: &Listeners) -> Result<(Identity, Option<Arc<Keys>>), String> {
    match Identity::load_expecting(&config.data_dir, &config.name) {
        Ok(identity) if identity.removed => return Err(removed_message(config)),
        Ok(identity) => return Ok((identity, security::keys(config)?)),
        Err(IdentityError::Missing(path)) => refuse_old_data(&config.data_dir, &path)?,
        Err(e) => return Err(e.to_string()),
    }
    let (why, waiting) = watch::channel("this node has no data yet".to_owned());
    // Who comes with a token has no certificate yet.
    let files = security::files(config);
    let keys = match (&config.origin, &config.join_token) {
        (Origin::Join(_), Some(_)) if !files.certificate.exists() => None,
        _ => security::keys(config)?,
    };
    let room = match config.security.is_some() && keys.is_none() {
        // Without a certificate nothing can be said in confidence, and it does not take long.
        true => None,
        false => Some(WaitingRoom::open(config, listeners, waiting, keys.clone())?),
    };
    let identity = match &config.origin {
        Origin::Founder { id, members } => found(config, listeners, *id, members, &why, &keys).await,
        Origin::Join(member) => join(config, std::slice::from_ref(member), &why, false, &keys).await,
    };
    if let Some(room) = room {
        room.close().await;
    }
    let identity = identity?;
    let keys = match keys {
        None => security::keys(config)?,
        keys => keys,
    };
    for note in ["joining", "founding"] {
        let _ = std::fs::remove_file(config.data_dir.join(note));
    }
    Ok((identity, keys))
}

/// What a node says that the cluster has removed.
pub fn removed_message(config: &Config) -> String {
    format!(
        "this node was removed from the cluster, and its data was given up\n  delete {} and start it again: it will join as \
         a new member",
        config.data_dir.display()
    )
}

fn wait_for(why: &watch::Sender<String>, text: String) {
    why.send_if_modified(|now| {
        let news = *now != text;
        if news {
            tracing::warn!("waiting: {text}");
            *now = text;
        }
        news
    });
}

// --- founding -------------------------------------------------------------------------------------------------------

async fn found(
    config: &Config,
    listeners: &Listeners,
    me: NodeId,
    members: &[Member],
    why: &watch::Sender<String>,
    keys: &Option<Arc<Keys>>,
) -> Result<Identity, String> {
    let dir = &config.data_dir;
    let draft = load_draft(dir).map_err(|e| e.to_string())?;
    let draft = draft.unwrap_or_else(|| Draft { incarnation: rand::random(), cluster: None });
    let list = members.iter().map(|m| (m.id, m.name.clone())).collect();
    let founding = Founding::new(&config.cluster, list, me, draft, rand::random());
    save_draft(founding.draft(), dir).map_err(|e| e.to_string())?;
    let founding = Arc::new(Mutex::new(founding));
    let clerk = clerk_of(founding.clone(), config);
    tokio::select! {
        () = lobby(&listeners.peers, clerk, keys.clone()) => unreachable!("the lobby has no end"),
        identity = confer(config, me, members, &founding, why, keys) => identity,
    }
}

/// Answers others; what it agrees to is on the disk first.
fn clerk_of(founding: Arc<Mutex<Founding>>, config: &Config) -> Clerk {
    let dir = config.data_dir.clone();
    Arc::new(move |question| {
        let Ok(question) = command::decode::<Question>(question) else { return Vec::new() };
        let mut founding = founding.lock();
        let before = founding.draft();
        let answer = founding.answer(&question);
        if founding.draft() != before
            && let Err(error) = save_draft(founding.draft(), &dir)
        {
            tracing::error!(%error, "agreeing to be founded failed");
            return Vec::new();
        }
        command::encode(&answer).to_vec()
    })
}

async fn confer(
    config: &Config,
    me: NodeId,
    members: &[Member],
    founding: &Mutex<Founding>,
    why: &watch::Sender<String>,
    keys: &Option<Arc<Keys>>,
) -> Result<Identity, String> {
    let mut rounds = 0;
    loop {
        let question = command::encode(&founding.lock().question());
        let others = members.iter().filter(|m| m.id != me);
        let asked = others.map(|m| {
            let question = question.clone();
            async move {
                let bytes = ask(&m.peers.to_string(), &question, keys.as_deref()).await.ok();
                (m.id, bytes.and_then(|bytes| command::decode::<Answer>(&bytes).ok()))
            }
        });
        let answers = futures::future::join_all(asked).await;
        let decision = {
            let mut founding = founding.lock();
            answers.into_iter().for_each(|(from, answer)| founding.hear(from, answer));
            founding.decide()
        };
        rounds += 1;
        match decision {
            Decision::Found(founded) => {
                let incarnation = founding.lock().draft().incarnation;
                return founder_identity(config, me, members, incarnation, founded);
            }
            Decision::Join(through) => {
                let others =
                    through.into_iter().filter(|http| *http != config.http.advertise.to_string()).collect::<Vec<_>>();
                return join(config, &others, why, true, keys).await;
            }
            // The others are starting too: not worth a word yet.
            Decision::Wait(_) if rounds < 10 => {}
            Decision::Wait(text) => wait_for(why, text),
        }
        tokio::time::sleep(if rounds < 100 { ROUND } else { SLOW_ROUND }).await;
    }
}

fn founder_identity(
    config: &Config,
    me: NodeId,
    members: &[Member],
    incarnation: u64,
    founded: Founded,
) -> Result<Identity, String> {
    let known = |m: &&Member| m.id != me;
    let incarnation_of = |node| founded.founders.iter().find(|(id, _)| *id == node).map_or(0, |(_, n)| *n);
    let groups = [SYSTEM_GROUP, FIRST_DATABASE_GROUP];
    let identity = Identity {
        cluster: founded.cluster,
        node: me,
        name: config.name.clone(),
        incarnation,
        groups: groups.map(|g| (g, founding::replica(me))).into(),
        members: members
            .iter()
            .filter(known)
            .map(|m| KnownMember { node: m.id, incarnation: incarnation_of(m.id), address: m.peers.to_string() })
            .collect(),
        places: members.iter().flat_map(|m| groups.map(|g| (g, founding::replica(m.id), m.id))).collect(),
        founders: founded.founders,
        begun: false,
        removed: false,
    };
    identity.create(&config.data_dir).map_err(|e| e.to_string())?;
    tracing::info!(cluster = format!("{:032x}", identity.cluster), "the cluster is founded");
    Ok(identity)
}

/// Answers nodes without an identity, as a member.
pub fn member_clerk(config: &Config, identity: &Identity) -> Clerk {
    let (name, http) = (config.cluster.clone(), config.http.advertise.to_string());
    let founded = Founded { cluster: identity.cluster, founders: identity.founders.clone() };
    Arc::new(move |question| match command::decode::<Question>(question) {
        Ok(question) => command::encode(&answer_as_member(&name, founded.clone(), &http, &question)).to_vec(),
        Err(_) => Vec::new(),
    })
}

// --- joining --------------------------------------------------------------------------------------------------------

/// Why a member does not let a node in.
enum Refused {
    /// It may do so later.
    Later(String),
    Never(String),
}

/// Asks members to be let in. `anew`: this node was a member before and has lost its data, so it keeps asking.
async fn join(
    config: &Config,
    members: &[String],
    why: &watch::Sender<String>,
    anew: bool,
    keys: &Option<Arc<Keys>>,
) -> Result<Identity, String> {
    // A join that was interrupted is repeated under the same name and incarnation, and gets the same answer.
    let note = config.data_dir.join("joining");
    let incarnation = match std::fs::read_to_string(&note) {
        Ok(text) => text.trim().parse().map_err(|_| format!("{} is damaged: delete it", note.display()))?,
        Err(_) => {
            let drawn: u64 = rand::random();
            super::note(&config.data_dir, "joining", &drawn.to_string())?;
            drawn
        }
    };
    let request = JoinRequest {
        cluster: config.cluster.clone(),
        name: config.name.clone(),
        incarnation,
        peer_addr: config.peers.advertise.to_string(),
        pg_addr: config.postgres.advertise.to_string(),
        http_addr: config.http.advertise.to_string(),
        token: config.join_token.as_ref().filter(|_| keys.is_none()).map(|token| Secret(token.0.clone())),
        speaks: config.speaks.0,
    };
    let way = way(config, keys.as_deref())?;
    if anew {
        let text =
            "this node has no data: it was lost, or the cluster was founded without it; it joins as a new member";
        wait_for(why, text.to_owned());
    }
    loop {
        for member in members {
            match ask_to_join(member, &request, &way).await {
                Ok(reply) => {
                    match &reply.authority {
                        Some(handover) if keys.is_none() => security::take(config, handover)?,
                        _ => {}
                    }
                    return joined_identity(config, incarnation, &reply);
                }
                Err(Refused::Never(why)) if !anew => return Err(format!("{member} does not let this node in: {why}")),
                Err(Refused::Never(text) | Refused::Later(text)) => {
                    wait_for(why, format!("this node has no data; {member} does not let it in yet: {}", text.trim()));
                }
            }
        }
        tokio::time::sleep(SLOW_ROUND).await;
    }
}

/// How to ask a member: with the node's certificate; with a token, believing the authority that it names; or, where only this
/// machine can be meant, just so.
fn way(config: &Config, keys: Option<&Keys>) -> Result<Way, String> {
    let tls = match (keys, &config.join_token) {
        (Some(keys), _) => Some(keys.now().dial.clone()),
        (None, Some(token)) => {
            let token = Token::parse(&token.0).ok_or("this is no join token: `quorate token create` makes one")?;
            Some(join_config(token.authority)?)
        }
        (None, None) => None,
    };
    Ok(Way { tls, login: None })
}

fn joined_identity(config: &Config, incarnation: u64, reply: &JoinReply) -> Result<Identity, String> {
    let known = |m: &admin::JoinMember| KnownMember {
        node: NodeId(m.node),
        incarnation: m.incarnation,
        address: m.peer_addr.clone(),
    };
    let identity = Identity {
        cluster: reply.cluster_id,
        node: NodeId(reply.node),
        name: config.name.clone(),
        incarnation,
        groups: reply.replicas.iter().map(|(g, r)| (GroupId(*g), ReplicaId(*r))).collect(),
        founders: Vec::new(),
        members: reply.members.iter().map(known).collect(),
        places: reply.placement.iter().map(|(g, r, n)| (GroupId(*g), ReplicaId(*r), NodeId(*n))).collect(),
        begun: false,
        removed: false,
    };
    identity.create(&config.data_dir).map_err(|e| e.to_string())?;
    tracing::info!(node = %identity.node, "the cluster has let this node in");
    Ok(identity)
}

async fn ask_to_join(member: &str, request: &JoinRequest, way: &Way) -> Result<JoinReply, Refused> {
    let body = serde_json::to_vec(request).map_err(|e| Refused::Never(e.to_string()))?;
    let said = way.ask(member, "/join", Some(body), Duration::from_secs(30)).await.map_err(Refused::Later)?;
    if !said.is_success() {
        return Err(if said.status == 409 { Refused::Never(said.text()) } else { Refused::Later(said.text()) });
    }
    serde_json::from_slice(&said.body).map_err(|e| Refused::Later(e.to_string()))
}

// --- the waiting room -----------------------------------------------------------------------------------------------

/// Tells people and programs what the node waits for.
struct WaitingRoom {
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl WaitingRoom {
    fn open(
        config: &Config,
        listeners: &Listeners,
        why: watch::Receiver<String>,
        keys: Option<Arc<Keys>>,
    ) -> Result<WaitingRoom, String> {
        let (stop, stopped) = watch::channel(false);
        let facts = Arc::new(Waiting { config: config.clone(), why: why.clone() });
        let gate = security::gate(config, keys.clone());
        let http = tokio::spawn(admin::serve(listeners.http()?, facts, gate, stopped.clone()));
        let mut options = frontend::Options::new(Arc::new(Postgres), frontend::cancel::CancelRegistry::new(NodeId(0)));
        options.max_connections = config.max_connections;
        options.drain = Duration::from_millis(100);
        // It tells everybody the same, before anybody has said who he is.
        options.guard = Arc::new(Guard::new(keys, Rules::open(), Arc::new(Everybody)));
        let databases: frontend::Databases<Router> = Arc::new(Closed(why));
        let front = frontend::serve(listeners.postgres()?, databases, Arc::new(options), stopped);
        Ok(WaitingRoom { stop, tasks: vec![http, tokio::spawn(front)] })
    }

    async fn close(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            // Connections that linger, of those who watch, do not keep the node.
            task.abort();
            let _ = task.await;
        }
    }
}

/// No database is served yet.
struct Closed(watch::Receiver<String>);

impl frontend::Lookup<Router> for Closed {
    fn closed(&self) -> SqlResult<()> {
        Err(SqlError::new(state::CANNOT_CONNECT_NOW, self.0.borrow().clone()).fatal())
    }

    fn find<'a>(&'a self, _: &'a str, _: bool) -> BoxFuture<'a, SqlResult<Arc<Router>>> {
        let closed = frontend::Lookup::<Router>::closed(self);
        Box::pin(async move { closed.and(Err(SqlError::internal("a closed node has no databases"))) })
    }

    fn is_open(&self, _: &str, _: u32) -> bool {
        false
    }
}

struct Waiting {
    config: Config,
    why: watch::Receiver<String>,
}

impl Waiting {
    fn later<T: Send + 'static>(&self) -> Later<T> {
        let why = self.why.borrow().clone();
        Box::pin(async move { Err(Problem::Later(why)) })
    }
}

impl Facts for Waiting {
    fn status(&self) -> ClusterStatus {
        let node = NodeRow {
            node: self.config.name.clone(),
            state: "waiting".into(),
            pg_addr: self.config.postgres.advertise.to_string(),
            peer_addr: self.config.peers.advertise.to_string(),
            http_addr: self.config.http.advertise.to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..NodeRow::default()
        };
        ClusterStatus {
            cluster: self.config.cluster.clone(),
            answered_by: self.config.name.clone(),
            nodes: vec![node],
            ..ClusterStatus::default()
        }
    }

    fn not_ready(&self) -> Option<String> {
        Some(self.why.borrow().clone())
    }

    fn join(&self, _: JoinRequest, _: Option<String>) -> Later<JoinReply> {
        self.later()
    }

    fn is_member(&self, node: &str) -> bool {
        node == self.config.name
    }

    fn log_in(&self, _: IpAddr, _: String, _: Secret) -> Later<Option<SignedIn>> {
        self.later()
    }

    fn sight(&self) -> Option<Arc<dyn Sight>> {
        None
    }

    fn copies(&self) -> Option<Arc<dyn Copies>> {
        None
    }

    fn token(&self, _: TokenOrder) -> Later<String> {
        self.later()
    }

    fn authority(&self, _: AuthorityOrder) -> Later<String> {
        self.later()
    }

    fn next_key(&self) -> Option<Secret> {
        None
    }

    fn transfer(&self, _: TransferRequest) -> Later<Vec<Transferred>> {
        self.later()
    }

    fn order(&self, _: NodeOrder) -> Later<String> {
        self.later()
    }

    fn entry(&self, _: EntryOrder) -> Later<String> {
        self.later()
    }

    fn scrub(&self, _: bool) -> ScrubProgress {
        ScrubProgress { node: self.config.name.clone(), ..ScrubProgress::default() }
    }
}
