//! Databases, as the cluster makes, shows, changes and drops them.
//!
//! ```text
//! CREATE                              the system group's row        anybody else sees
//!   name, numbers, founders ────────► creating                      no such database
//!   every node begins its replica,
//!   the group has a leader, its owner
//!   and the roles of the cluster
//!   ────────────────────────────────► live                          the database
//! DROP
//!   nobody is let in any more ──────► dropping                      no such database
//!   the sessions are gone (or it is reopened: 55006)
//!   ────────────────────────────────► no row                        no such database; every node removes its replica
//! ```
//!
//! Each step can be done again by anybody who sees the row. Whoever leads the system group does so when the node that began is
//! not heard of (`look_after`): a creation is completed, or given up if that takes too long; a drop is completed if there are
//! no sessions, and taken back otherwise. `postgres` and the templates that every cluster begins with have no group until
//! somebody connects to one of them: then it is made in the same way.
//!
//! A database that is made of another one begins as a copy of that one's file on one of its first voters (the seed), as of
//! one index that has everything acknowledged before; the others get it as any replica gets a snapshot.
//!
//! Roles are the home's (see `sql::ddl::roles::feed`): whoever leads another database's group has it told of them as soon as
//! they have changed, a statement about roles waits for that, and nobody is let in before.

use super::membership::{self, Book};
use super::{Runtime, patience, service};
use crate::cluster::databases::{self as wanted, Database, New, State};
use crate::cluster::{self, voters::MAX_VOTERS};
use crate::command::{Command, Definition, Outcome, Statement, Step, Write, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::frontend::{self, inner, no_such_database};
use crate::gateway::peer::{self, Reply, Request};
use crate::gateway::router::Router;
use crate::gateway::{Control, Who};
use crate::id::{FIRST_DATABASE_GROUP, GroupId, HOME, NodeId, SYSTEM_GROUP};
use crate::rights::{BOOTSTRAP, Role};
use crate::sql::Scope;
use crate::sql::catalog::{Catalog, Object};
use crate::sql::database::{Attributes, Create, Order, Place};
use crate::sql::ddl::roles::feed;
use crate::sql::lex::{quote_identifier, quote_literal};
use crate::sql::plan::{Plan, PlanKind};
use crate::types::Env;
use futures::future::{BoxFuture, join_all};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long other nodes are waited for, and sessions that are to go.
pub const HEED: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);
/// How long a client waits to be let into a database that is being made, or whose replica here begins.
const ENTER: Duration = Duration::from_secs(20);
/// How long one database may take to hear of roles.
const TELL: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 20;
/// How long the leader of the system group leaves a database alone that somebody else makes or drops.
const ORPHANED: Duration = Duration::from_secs(5);
/// After so long nothing comes of it any more.
const GIVE_UP: Duration = Duration::from_secs(600);
const ROUND: Duration = Duration::from_millis(100);

/// What sessions of the node itself go through.
pub struct Doors {
    pub databases: frontend::Databases<Router>,
    pub options: Arc<frontend::Options>,
}

// --- connecting -----------------------------------------------------------------------------------------------------

pub struct Lookup(pub Arc<Runtime>);

impl frontend::Lookup<Router> for Lookup {
    fn closed(&self) -> SqlResult<()> {
        match self.0.is_joining() {
            true => Err(SqlError::new(state::CANNOT_CONNECT_NOW, service::JOINING).fatal()),
            false => Ok(()),
        }
    }

    fn find<'a>(&'a self, name: &'a str, inner: bool) -> BoxFuture<'a, SqlResult<Arc<Router>>> {
        Box::pin(find(&self.0, name, inner))
    }

    fn is_open(&self, name: &str, oid: u32) -> bool {
        let book = self.0.registry.book();
        // Before this node has heard of the register there is the first database, which is never dropped.
        book.databases.is_empty() || book.database(name).is_some_and(|d| d.oid == oid && d.state == State::Live)
    }
}

/// What this node knows of a database after it has asked.
async fn known(runtime: &Arc<Runtime>, name: &str) -> SqlResult<Option<Database>> {
    // A node that has not heard of the register yet has the first database all the same.
    let book = runtime.registry.book();
    if book.databases.is_empty() && name == super::DATABASE {
        return Ok(None);
    }
    refresh(runtime).await?;
    Ok(runtime.registry.book().database(name).cloned())
}

/// After this, what this node knows includes everything acknowledged anywhere before.
async fn refresh(runtime: &Arc<Runtime>) -> SqlResult<Arc<Book>> {
    runtime.system().read_point(&patience(HEED)).await.map_err(|error| {
        let message = "databases cannot be looked up: this node does not reach a majority of the cluster";
        SqlError::new(state::CANNOT_CONNECT_NOW, message).detail(error.message)
    })?;
    follow(runtime).await?;
    Ok(runtime.registry.book())
}

async fn follow(runtime: &Arc<Runtime>) -> SqlResult<()> {
    let unreadable = |e| SqlError::new(state::CANNOT_CONNECT_NOW, format!("the system group cannot be read: {e:?}"));
    membership::follow(runtime).await.map_err(unreadable)
}

async fn find(runtime: &Arc<Runtime>, name: &str, inner: bool) -> SqlResult<Arc<Router>> {
    frontend::Lookup::closed(&Lookup(runtime.clone()))?;
    let until = Instant::now() + ENTER;
    let mut database = runtime.registry.book().database(name).cloned();
    // What is live here was so a moment ago; everything else is asked.
    if database.as_ref().is_none_or(|d| d.state != State::Live) {
        database = match (known(runtime, name).await, database) {
            (Ok(found), _) => found,
            (Err(_), None) if name == super::DATABASE => None,
            (Err(error), _) => return Err(error),
        };
        if database.is_none() && name == super::DATABASE && runtime.registry.book().databases.is_empty() {
            return Ok(runtime.home());
        }
    }
    loop {
        let Some(found) = database else { return Err(no_such_database(name)) };
        if !found.connections && !inner {
            let message = format!("database \"{name}\" is not currently accepting connections");
            return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        match (found.state, found.group) {
            (State::Live, Some(group)) => return enter(runtime, name, group, until).await,
            (State::Creating, _) if found.oid >= HOME => return Err(no_such_database(name)),
            (State::Asleep, _) => wake(runtime, &found).await?,
            _ => tokio::time::sleep(LOOK).await,
        }
        if Instant::now() >= until {
            let message = format!("database \"{name}\" is being made or dropped");
            return Err(SqlError::new(state::CANNOT_CONNECT_NOW, message));
        }
        database = refresh(runtime).await?.database(name).cloned();
    }
}

/// The replica here, once it has what it should have.
async fn enter(runtime: &Arc<Runtime>, name: &str, group: GroupId, until: Instant) -> SqlResult<Arc<Router>> {
    let Some(hosted) = runtime.groups.wait(group, until).await else {
        let message = format!("the replica of database \"{name}\" on this node is not ready");
        return Err(SqlError::new(state::CANNOT_CONNECT_NOW, message));
    };
    let router = hosted.router.clone();
    if !hosted.is_current() && group != FIRST_DATABASE_GROUP {
        router.read_point(&patience(until.saturating_duration_since(Instant::now()))).await?;
        hosted.note_current();
    }
    told(runtime, &router, until).await?;
    Ok(router)
}

/// Makes one that every cluster begins with.
async fn wake(runtime: &Arc<Runtime>, database: &Database) -> SqlResult<()> {
    submit(runtime, &wanted::wake(&database.name, None, &founders(runtime).await?)).await?;
    let book = refresh(runtime).await?;
    match book.database(&database.name).cloned() {
        Some(made) if made.state == State::Creating => bring_to_life(runtime, &made).await,
        _ => Ok(()),
    }
}

// --- orders ---------------------------------------------------------------------------------------------------------

/// In whose name an order is carried out.
struct Client {
    role: Role,
    catalog: Arc<Catalog>,
    who: Who,
    /// Where it is connected.
    from: u32,
}

impl Client {
    fn is_superuser(&self) -> bool {
        self.role.superuser
    }

    fn may_create(&self) -> bool {
        self.role.superuser || self.role.create_database
    }
}

/// Does what a session asks of the cluster.
pub async fn carry_out(
    runtime: Arc<Runtime>,
    from: GroupId,
    order: Order,
    who: Who,
    control: Control,
) -> SqlResult<Vec<SqlError>> {
    // What the role may do is what it may now.
    runtime.home().read_point(&control).await?;
    let catalog = runtime.home().shared.catalog();
    let role = catalog.role(&who.user)?.clone();
    let from = runtime.oid(from);
    let client = Client { role, catalog, who, from };
    match order {
        Order::Create(create) => make(&runtime, &client, create).await.map(|()| Vec::new()),
        Order::Drop { name, if_exists, force } => unmake(&runtime, &client, &name, if_exists, force).await,
        Order::Rename { name, to } => rename(&runtime, &client, &name, &to).await.map(|()| Vec::new()),
        Order::Alter { name, attributes } => alter(&runtime, &client, &name, attributes).await.map(|()| Vec::new()),
        Order::Run { at, text } => run(&runtime, &client, at, &text, &control).await,
    }
}

fn denied(message: impl Into<String>) -> SqlError {
    SqlError::new(state::INSUFFICIENT_PRIVILEGE, message)
}

/// A database that a statement names, as of now.
async fn named(runtime: &Arc<Runtime>, name: &str) -> SqlResult<Database> {
    let until = Instant::now() + ENTER;
    loop {
        let missing = || SqlError::new(state::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"));
        let found = refresh(runtime).await?.database(name).cloned().ok_or_else(missing)?;
        match found.state {
            State::Live | State::Asleep => return Ok(found),
            State::Creating if found.oid >= HOME => return Err(missing()),
            _ if Instant::now() >= until => {
                return Err(in_use(&format!("database \"{name}\" is being made or dropped")));
            }
            // It will be one or the other soon.
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

fn in_use(message: &str) -> SqlError {
    SqlError::new(state::OBJECT_IN_USE, message)
}

/// The catalog of a database that has one, as of now.
async fn catalog_of(runtime: &Arc<Runtime>, database: &Database) -> SqlResult<Option<Arc<Catalog>>> {
    let Some(group) = database.group else { return Ok(None) };
    let hosted = runtime.groups.wait(group, Instant::now() + HEED).await;
    let Some(hosted) = hosted else {
        let message = format!("the replica of database \"{}\" on this node is not ready", database.name);
        return Err(SqlError::new(state::CANNOT_CONNECT_NOW, message));
    };
    hosted.router.read_point(&patience(HEED)).await?;
    Ok(Some(hosted.router.shared.catalog()))
}

async fn owns(runtime: &Arc<Runtime>, client: &Client, database: &Database) -> SqlResult<bool> {
    if client.is_superuser() {
        return Ok(true);
    }
    let catalog = catalog_of(runtime, database).await?;
    let owner = catalog.map_or(BOOTSTRAP, |catalog| catalog.rights.owner(Object::DATABASE));
    Ok(client.catalog.rights.roles.has_rights_of(client.role.oid, owner))
}

async fn check_owner(runtime: &Arc<Runtime>, client: &Client, database: &Database) -> SqlResult<()> {
    match owns(runtime, client, database).await? {
        true => Ok(()),
        false => Err(denied(format!("must be owner of database {}", database.name))),
    }
}

/// Proposes a command to the system group. Errors: what its guards say.
async fn submit(runtime: &Arc<Runtime>, command: &Command) -> SqlResult<()> {
    let outcome = runtime.submit(&runtime.system(), command).await?;
    cluster::done(&outcome).map(drop)
}

/// The first voters of a new group, once there is one: right after the cluster's own beginning no node has registered yet.
async fn founders(runtime: &Runtime) -> SqlResult<Vec<NodeId>> {
    let until = Instant::now() + HEED;
    loop {
        match voters(runtime) {
            none if none.is_empty() && Instant::now() < until => tokio::time::sleep(LOOK).await,
            none if none.is_empty() => {
                let message = "no node has registered yet that could have a database";
                return Err(SqlError::new(state::CANNOT_CONNECT_NOW, message));
            }
            voters => return Ok(voters),
        }
    }
}

/// Those that vote on the system group vote on all others.
fn voters(runtime: &Runtime) -> Vec<NodeId> {
    let status = runtime.system().group.status();
    let book = runtime.registry.book();
    let up = |node: &NodeId| book.nodes.get(node).is_some_and(|n| n.state == "up");
    let voters = status.membership.voters.iter().filter_map(|voter| status.nodes.get(voter).copied());
    let mut voters: Vec<NodeId> = voters.filter(up).collect();
    voters.sort();
    voters.truncate(MAX_VOTERS);
    voters
}

/// CREATE DATABASE.
async fn make(runtime: &Arc<Runtime>, client: &Client, create: Create) -> SqlResult<()> {
    let name = create.name;
    let owner = match &create.owner {
        Some(owner) => client.catalog.role(owner)?.oid,
        None => client.role.oid,
    };
    if !client.may_create() {
        return Err(denied("permission denied to create database"));
    }
    if !client.catalog.rights.roles.is_member(client.role.oid, owner) {
        return Err(denied(format!("must be member of role \"{}\"", client.catalog.rights.roles.name(owner))));
    }
    let template = create.template.as_deref().unwrap_or("template1");
    let source = match named(runtime, template).await {
        Err(error) if error.code == state::INVALID_CATALOG_NAME => {
            let message = format!("template database \"{template}\" does not exist");
            return Err(SqlError::new(state::INVALID_CATALOG_NAME, message));
        }
        source => source?,
    };
    if !source.is_template && !owns(runtime, client, &source).await? {
        return Err(denied(format!("permission denied to copy database \"{template}\"")));
    }
    if runtime.registry.book().database(&name).is_some() {
        let message = format!("database \"{name}\" already exists");
        return Err(SqlError::new(state::DUPLICATE_DATABASE, message));
    }
    let voters = founders(runtime).await?;
    let mut seed = None;
    if source.group.is_some() {
        let others = wait_for_sessions(runtime, client, &source).await?;
        if others > 0 {
            let message = format!("source database \"{template}\" is being accessed by other users");
            return Err(in_use(&message).detail(other_sessions(others)));
        }
        // This node's own replica, if it is to vote.
        let me = runtime.identity.node;
        seed = voters.iter().find(|node| **node == me).or(voters.first()).copied();
    }
    let Attributes { connections, is_template, connection_limit } = create.attributes;
    let attributes = wanted::Attributes { connections, is_template, connection_limit };
    let new = New { name: name.clone(), owner, attributes, template: source.group.filter(|_| seed.is_some()), seed };
    submit(runtime, &wanted::create(&new, &voters)).await?;
    bring_about(runtime, &name).await.map(drop)
}

/// Makes a database whose row is there, or has nothing come of it. Returns its OID.
async fn bring_about(runtime: &Arc<Runtime>, name: &str) -> SqlResult<u32> {
    let made = refresh(runtime).await?.database(name).cloned();
    let Some((made, group)) = made.and_then(|made| made.group.map(|group| (made, group))) else {
        return Err(SqlError::new(state::UNDEFINED_OBJECT, format!("database \"{name}\" was dropped meanwhile")));
    };
    let mut undo = Undo { runtime: runtime.clone(), group: Some(group) };
    bring_to_life(runtime, &made).await?;
    undo.group = None;
    Ok(made.oid)
}

/// A name that a restored database may have.
pub async fn check_free(runtime: &Arc<Runtime>, name: &str) -> SqlResult<()> {
    match refresh(runtime).await?.database(name) {
        None => Ok(()),
        Some(database) if database.state == State::Asleep => Ok(()),
        Some(_) => Err(SqlError::new(state::DUPLICATE_DATABASE, format!("database \"{name}\" already exists"))),
    }
}

/// Makes a database of what this node has in a file (see `restore`). Returns its OID; then it is there for everybody.
pub async fn make_of_file(runtime: &Arc<Runtime>, name: &str, attributes: wanted::Attributes) -> SqlResult<u32> {
    check_free(runtime, name).await?;
    let mut voters = founders(runtime).await?;
    let me = runtime.identity.node;
    if !voters.contains(&me) {
        // Who has the file begins.
        voters.pop();
        voters.push(me);
    }
    let command = match runtime.registry.book().database(name) {
        Some(_) => wanted::wake(name, Some(me), &voters),
        None => {
            let new = New { name: name.to_owned(), owner: BOOTSTRAP, attributes, template: None, seed: Some(me) };
            wanted::create(&new, &voters)
        }
    };
    submit(runtime, &command).await?;
    bring_about(runtime, name).await
}

/// Nothing comes of a database that was to be made of a file that is not here any more.
pub async fn give_up(runtime: &Arc<Runtime>, group: GroupId) {
    if let Err(error) = submit(runtime, &wanted::abandon(group)).await {
        tracing::warn!(%group, %error, "a database whose file is gone is not given up yet");
    }
}

/// Gives the home the roles of another cluster's home, which is told apart by having more than the first superuser. False if
/// this cluster has roles of its own: they stay, and no others come.
pub async fn take_roles(runtime: &Arc<Runtime>, other: &Catalog) -> SqlResult<bool> {
    for _ in 0..ATTEMPTS {
        runtime.home().read_point(&patience(HEED)).await?;
        let here = runtime.home().shared.catalog();
        if feed::has_roles(&here.rights) {
            return Ok(false);
        }
        let mut other = other.clone();
        feed::keep_password(&mut other.rights, &here.rights);
        if change_home(runtime, &here, |scope| feed::found(&other, scope)).await? {
            tell_all(runtime).await;
            return Ok(true);
        }
    }
    Err(too_fast())
}

/// Gives a restored database the settings that were made for it (ALTER DATABASE … SET).
pub async fn take_settings(runtime: &Arc<Runtime>, other: &Catalog, old: u32, new: u32) -> SqlResult<()> {
    if !other.rights.settings.keys().any(|(database, _)| *database == old) {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        runtime.home().read_point(&patience(HEED)).await?;
        let here = runtime.home().shared.catalog();
        if change_home(runtime, &here, |scope| feed::settle(&other.rights, (old, new), scope)).await? {
            tell_all(runtime).await;
            return Ok(());
        }
    }
    Err(too_fast())
}

fn too_fast() -> SqlError {
    SqlError::new(state::SERIALIZATION_FAILURE, "the database changes too fast to be told of roles")
}

/// False if the home's catalog has moved on meanwhile.
async fn change_home(
    runtime: &Arc<Runtime>,
    here: &Catalog,
    plan: impl FnOnce(&Scope<'_>) -> SqlResult<Plan>,
) -> SqlResult<bool> {
    let (env, path, name) = (Env::default(), Vec::new(), runtime.name_of(FIRST_DATABASE_GROUP));
    let plan = plan(&Scope::plain(here, &path, &env, "", &name))?;
    define(runtime, &runtime.home(), here, texts(plan)).await
}

/// The statements of a change of a catalog.
fn texts(plan: Plan) -> Vec<String> {
    match plan.kind {
        PlanKind::Write(write) => write.statements.into_iter().map(|statement| statement.sql.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// An empty home makes way for a restored database of its name, and keeps the cluster's roles under another one: which.
pub async fn stand_aside(runtime: &Arc<Runtime>, to: &str) -> SqlResult<String> {
    let name = runtime.name_of(FIRST_DATABASE_GROUP);
    if !feed::is_untouched(&runtime.home().shared.catalog()) {
        let message = format!("database \"{name}\" has content of its own");
        return Err(SqlError::new(state::DUPLICATE_DATABASE, message));
    }
    let book = refresh(runtime).await?;
    let mut names = std::iter::once(to.to_owned()).chain((2..).map(|n: u32| format!("{to}{n}")));
    let to = names.find(|name| book.database(name).is_none()).unwrap_or_default();
    let until = Instant::now() + HEED;
    loop {
        match heed_all(runtime, HOME).await {
            0 => break,
            n if Instant::now() >= until => return Err(accessed(&name).detail(other_sessions(n))),
            _ => tokio::time::sleep(5 * LOOK).await,
        }
    }
    submit(runtime, &wanted::rename(HOME, &to)).await?;
    heed_all(runtime, HOME).await;
    Ok(to)
}

/// A creation whose client has gone, or that has failed, comes to nothing.
struct Undo {
    runtime: Arc<Runtime>,
    group: Option<GroupId>,
}

impl Drop for Undo {
    fn drop(&mut self) {
        let Some(group) = self.group else { return };
        let runtime = self.runtime.clone();
        tokio::spawn(async move {
            match submit(&runtime, &wanted::abandon(group)).await {
                Ok(()) => tracing::info!(%group, "a database that was being made is given up"),
                Err(error) => tracing::warn!(%group, %error, "a database that was being made is not given up yet"),
            }
        });
    }
}

/// From the row to a database that everybody can use. Can be done again, and by several at once.
async fn bring_to_life(runtime: &Arc<Runtime>, database: &Database) -> SqlResult<()> {
    let Some(group) = database.group else { return Ok(()) };
    let until = Instant::now() + GIVE_UP;
    heed_all(runtime, database.oid).await;
    let Some(hosted) = runtime.groups.wait(group, until).await else {
        let message = format!("the replica of database \"{}\" on this node is not ready", database.name);
        return Err(SqlError::new(state::CANNOT_CONNECT_NOW, message));
    };
    let router = &hosted.router;
    let me = runtime.identity.node;
    if database.founders.values().any(|node| *node == me) && database.seed.is_none_or(|seed| seed == me) {
        router.group.begin();
    }
    // As of its first entries, or of its template's. What was restored is whose it was.
    if (database.oid >= HOME || database.template.is_some()) && !database.is_restored() {
        loop {
            let catalog = router.shared.catalog();
            // If somebody else has completed it, its owner has had time to grant and revoke. The catalog is older than this.
            let wanted = refresh(runtime).await?.databases.get(&database.oid).cloned();
            if wanted.is_none_or(|wanted| wanted.state != State::Creating) {
                return Ok(());
            }
            if catalog.rights.owner(Object::DATABASE) == database.owner
                && catalog.rights.acl(Object::DATABASE, 0).is_none()
                && router.shared.applied() > 0
            {
                break;
            }
            if define(runtime, router, &catalog, vec![feed::take_over(database.owner)]).await? {
                break;
            }
        }
    }
    tell(runtime, router).await?;
    submit(runtime, &wanted::complete(group)).await?;
    hosted.note_current();
    heed_all(runtime, database.oid).await;
    Ok(())
}

/// Changes the catalog of a database; false if it has moved on meanwhile.
async fn define(
    runtime: &Arc<Runtime>,
    router: &Arc<Router>,
    catalog: &Catalog,
    statements: Vec<String>,
) -> SqlResult<bool> {
    let statements = statements.into_iter().map(|sql| Statement::new(sql, Yields::Nothing)).collect();
    let step = Step { statements, params: vec![Vec::new()], ddl: Definition::Shared, ..Step::default() };
    let write = Write {
        schema_version: catalog.version,
        born: router.shared.applied(),
        env: Env::default(),
        steps: vec![step],
        transaction: None,
    };
    match &*runtime.submit(router, &Command::Write(write)).await? {
        Outcome::Done(_) => Ok(true),
        Outcome::Failed { error, .. } | Outcome::FailedAfter { error, .. } => Err(error.clone()),
        Outcome::Refused(_) => {
            // What is compiled next is to have seen what refused it.
            router.read_point(&patience(HEED)).await?;
            Ok(false)
        }
    }
}

/// DROP DATABASE.
async fn unmake(
    runtime: &Arc<Runtime>,
    client: &Client,
    name: &str,
    if_exists: bool,
    force: bool,
) -> SqlResult<Vec<SqlError>> {
    let database = match named(runtime, name).await {
        Err(error) if error.code == state::INVALID_CATALOG_NAME && if_exists => {
            let message = format!("database \"{name}\" does not exist, skipping");
            return Ok(vec![SqlError::new(state::SUCCESSFUL_COMPLETION, message)]);
        }
        found => found?,
    };
    check_owner(runtime, client, &database).await?;
    if database.is_template {
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, "cannot drop a template database"));
    }
    if database.oid == client.from {
        return Err(in_use("cannot drop the currently open database"));
    }
    if database.is_home() {
        let error = in_use(&format!("cannot drop database \"{name}\""));
        return Err(error.detail("It has the roles of the cluster."));
    }
    submit(runtime, &wanted::close(database.oid)).await?;
    let mut reopen = Reopen { runtime: runtime.clone(), oid: Some(database.oid) };
    if force {
        expel_all(runtime, database.oid).await;
    }
    let others = wait_for_sessions(runtime, client, &database).await?;
    if others > 0 {
        return Err(accessed(name).detail(other_sessions(others)));
    }
    submit(runtime, &wanted::remove(database.oid)).await?;
    reopen.oid = None;
    heed_all(runtime, database.oid).await;
    Ok(Vec::new())
}

/// A drop whose client has gone, or that has failed, comes to nothing.
struct Reopen {
    runtime: Arc<Runtime>,
    oid: Option<u32>,
}

impl Drop for Reopen {
    fn drop(&mut self) {
        let Some(oid) = self.oid else { return };
        let runtime = self.runtime.clone();
        tokio::spawn(async move {
            if let Err(error) = submit(&runtime, &wanted::reopen(oid)).await {
                tracing::warn!(oid, %error, "a database that was not dropped is not open again yet");
            }
        });
    }
}

fn accessed(name: &str) -> SqlError {
    in_use(&format!("database \"{name}\" is being accessed by other users"))
}

fn other_sessions(n: u64) -> String {
    match n {
        1 => "There is 1 other session using the database.".to_owned(),
        n => format!("There are {n} other sessions using the database."),
    }
}

/// ALTER DATABASE … RENAME.
async fn rename(runtime: &Arc<Runtime>, client: &Client, name: &str, to: &str) -> SqlResult<()> {
    let database = named(runtime, name).await?;
    check_owner(runtime, client, &database).await?;
    if !client.may_create() {
        return Err(denied("permission denied to rename database"));
    }
    if runtime.registry.book().database(to).is_some() {
        let message = format!("database \"{to}\" already exists");
        return Err(SqlError::new(state::DUPLICATE_DATABASE, message));
    }
    if database.oid == client.from {
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "current database cannot be renamed"));
    }
    let others = wait_for_sessions(runtime, client, &database).await?;
    if others > 0 {
        return Err(accessed(name).detail(other_sessions(others)));
    }
    submit(runtime, &wanted::rename(database.oid, to)).await?;
    heed_all(runtime, database.oid).await;
    Ok(())
}

async fn alter(runtime: &Arc<Runtime>, client: &Client, name: &str, attributes: Attributes) -> SqlResult<()> {
    let database = named(runtime, name).await?;
    check_owner(runtime, client, &database).await?;
    let Attributes { connections, is_template, connection_limit } = attributes;
    if connections == Some(false) && database.oid == client.from {
        let message = "cannot disallow connections for current database";
        return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    }
    submit(runtime, &wanted::alter(database.oid, &wanted::Attributes { connections, is_template, connection_limit }))
        .await?;
    heed_all(runtime, database.oid).await;
    Ok(())
}

/// Runs a statement where it belongs, in the client's name.
async fn run(
    runtime: &Arc<Runtime>,
    client: &Client,
    at: Place,
    text: &str,
    control: &Control,
) -> SqlResult<Vec<SqlError>> {
    let Some(doors) = runtime.doors.get() else {
        return Err(SqlError::new(state::CANNOT_CONNECT_NOW, "this node is starting"));
    };
    let become_user = format!("SET ROLE {}", quote_identifier(&client.who.user));
    let set_zone = format!("SET TIME ZONE {}", quote_literal(&client.who.time_zone));
    let statements = match client.who.user == client.who.session_user {
        true => vec![&*set_zone, text],
        false => vec![&*set_zone, &*become_user, text],
    };
    let there = |database: String| {
        let (statements, who) = (&statements, &client.who);
        async move {
            inner::run(&who.session_user, &database, statements, doors.databases.clone(), doors.options.clone()).await
        }
    };
    let home = runtime.name_of(FIRST_DATABASE_GROUP);
    let notices = match at {
        Place::Named(names) => {
            let mut notices = Vec::new();
            for name in names {
                named(runtime, &name).await?;
                notices = there(name).await?;
            }
            return Ok(notices);
        }
        Place::Settings { of } => {
            let database = named(runtime, &of).await?;
            check_owner(runtime, client, &database).await?;
            there(home).await?
        }
        Place::Home { dropped } => {
            for role in &dropped {
                check_dropped(runtime, role).await?;
            }
            there(home).await?
        }
    };
    runtime.home().read_point(control).await?;
    tell_all(runtime).await;
    if let Some(group) = runtime.registry.book().databases.get(&client.from).and_then(|d| d.group)
        && let Some(router) = runtime.router(group)
    {
        // What this session does next may be about it.
        told(runtime, &router, Instant::now() + TELL).await?;
    }
    Ok(notices)
}

/// Errors: 2BP01 if other databases have something of a role's. What is the home's the home says.
async fn check_dropped(runtime: &Arc<Runtime>, name: &str) -> SqlResult<()> {
    let Some(role) = runtime.home().shared.catalog().rights.roles.named(name).map(|role| role.oid) else {
        return Ok(());
    };
    let mut lines = Vec::new();
    let book = refresh(runtime).await?;
    for database in book.databases.values().filter(|d| d.state == State::Live && !d.is_home()) {
        let Some(catalog) = catalog_of(runtime, database).await? else { continue };
        let (env, path) = (Env::default(), Vec::new());
        let scope = Scope::plain(&catalog, &path, &env, "", &database.name);
        let (owner, count) = feed::dependents(&scope, role);
        if owner {
            lines.push(format!("owner of database {}", quote_identifier(&database.name)));
        }
        match count {
            0 => {}
            1 => lines.push(format!("1 object in database {}", quote_identifier(&database.name))),
            n => lines.push(format!("{n} objects in database {}", quote_identifier(&database.name))),
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let message = format!("role \"{name}\" cannot be dropped because some objects depend on it");
    Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message).detail(lines.join("\n")))
}

// --- the others -----------------------------------------------------------------------------------------------------

/// Waits until the nodes that can be reached have followed what was done so far; the sessions of a database.
async fn heed_all(runtime: &Arc<Runtime>, database: u32) -> u64 {
    // What was decided may have been applied at the leader alone.
    let decided = runtime.system().read_point(&patience(HEED)).await;
    if let Err(error) = decided {
        tracing::warn!(%error, "nodes may hear late of what was decided about a database");
    }
    let index = runtime.system().shared.applied();
    let request = peer::encode(&Request::Heed { index, database });
    let others = runtime.network.connected().into_iter().map(|node| {
        let request = request.clone();
        async move {
            let answer = runtime.network.call(node, request, Instant::now() + HEED).await.ok()?;
            match peer::decode(&answer).ok()? {
                Reply::Heeded { sessions } => Some(sessions),
                _ => None,
            }
        }
    });
    let (own, others) = tokio::join!(heed(runtime, index, database), join_all(others));
    let own = if let Reply::Heeded { sessions } = own { sessions } else { 0 };
    own + others.into_iter().flatten().sum::<u64>()
}

/// What another node is told: see [`Request::Heed`].
pub async fn heed(runtime: &Arc<Runtime>, index: u64, database: u32) -> Reply {
    // Whoever is too late for this hears of it as of everything else.
    let _ = tokio::time::timeout(HEED, runtime.system().shared.wait_applied(index)).await;
    let _ = follow(runtime).await;
    let book = runtime.registry.book();
    let group = book.databases.get(&database).and_then(|d| d.group);
    let here = |group: &GroupId| book.places.iter().any(|p| p.group == *group && p.node == runtime.identity.node);
    if let Some(group) = group.filter(here) {
        let _ = runtime.groups.wait(group, Instant::now() + HEED).await;
    }
    let sessions = runtime.cancels.count(|row| row.datid == database) as u64;
    Reply::Heeded { sessions }
}

async fn expel_all(runtime: &Arc<Runtime>, database: u32) {
    runtime.cancels.expel(database);
    let request = peer::encode(&Request::Expel { database });
    let others = runtime.network.connected().into_iter().map(|node| {
        let request = request.clone();
        async move { runtime.network.call(node, request, Instant::now() + HEED).await.is_ok() }
    });
    join_all(others).await;
}

/// How many other sessions there are in a database, after they were given some time to go.
async fn wait_for_sessions(runtime: &Arc<Runtime>, client: &Client, database: &Database) -> SqlResult<u64> {
    let own = u64::from(client.from == database.oid);
    let until = Instant::now() + HEED;
    loop {
        let others = heed_all(runtime, database.oid).await.saturating_sub(own);
        if others == 0 || Instant::now() >= until {
            return Ok(others);
        }
        tokio::time::sleep(5 * LOOK).await;
    }
}

// --- roles ----------------------------------------------------------------------------------------------------------

/// Has a database know the roles as this node's replica of the home has them.
async fn tell(runtime: &Arc<Runtime>, router: &Arc<Router>) -> SqlResult<()> {
    // Somebody else may change the catalog at the same time.
    for _ in 0..ATTEMPTS {
        let (home, here) = (runtime.home().shared.catalog(), router.shared.catalog());
        if router.id == FIRST_DATABASE_GROUP
            || feed::agree(&home.rights, &here.rights)
            || here.rights.told > home.version
        {
            return Ok(());
        }
        let (env, path) = (Env::default(), Vec::new());
        let name = runtime.name_of(router.id);
        let plan = feed::plan(&home, &Scope::plain(&here, &path, &env, "", &name))?;
        if define(runtime, router, &here, texts(plan)).await? {
            router.read_point(&patience(TELL)).await?;
        }
    }
    Err(too_fast())
}

/// Waits until a database knows the roles as this node's replica of the home has them.
async fn told(runtime: &Arc<Runtime>, router: &Arc<Router>, until: Instant) -> SqlResult<()> {
    let home = runtime.home();
    loop {
        let (home, here) = (home.shared.catalog(), router.shared.catalog());
        if router.id == FIRST_DATABASE_GROUP
            || feed::agree(&home.rights, &here.rights)
            || here.rights.told > home.version
        {
            return Ok(());
        }
        if Instant::now() >= until {
            let message = "the database does not know the roles of the cluster yet";
            return Err(SqlError::new(state::CANNOT_CONNECT_NOW, message));
        }
        tell(runtime, router).await?;
    }
}

async fn tell_all(runtime: &Arc<Runtime>) {
    let databases = runtime.groups.routers().into_iter().filter(|router| router.id != SYSTEM_GROUP);
    let all = databases.map(|router| async move {
        let group = router.id;
        match tokio::time::timeout(TELL, tell(runtime, &router)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%group, %error, "a database was not told of roles yet"),
            Err(_) => tracing::debug!(%group, "a database was not told of roles yet"),
        }
    });
    join_all(all).await;
}

// --- what is left lying ---------------------------------------------------------------------------------------------

/// Looks after the databases for ever: those that this node leads are told of roles, and what another node began and did not
/// end is ended by whoever leads the system group.
pub async fn look_after(runtime: Arc<Runtime>) {
    let mut seen: BTreeMap<(u32, bool), Instant> = BTreeMap::new();
    let mut version = 0;
    loop {
        let _ = tokio::time::timeout(ROUND, runtime.groups.home_bell.notified()).await;
        let home = runtime.home().shared.catalog();
        let routers = runtime.groups.routers();
        let led = |router: &&Arc<Router>| router.id != SYSTEM_GROUP && router.group.is_leader();
        let behind = |router: &&Arc<Router>| !feed::agree(&home.rights, &router.shared.catalog().rights);
        if version != home.version || routers.iter().filter(led).any(|router| behind(&router)) {
            version = home.version;
            for router in routers.iter().filter(led).filter(behind) {
                if let Ok(Err(error)) = tokio::time::timeout(TELL, tell(&runtime, router)).await {
                    tracing::debug!(group = %router.id, %error, "a database was not told of roles yet");
                }
            }
        }
        if !runtime.system().group.is_leader() {
            seen.clear();
            continue;
        }
        let book = runtime.registry.book();
        let unfinished = |d: &Database| matches!(d.state, State::Creating | State::Dropping);
        seen.retain(|(oid, dropping), _| {
            let state = if *dropping { State::Dropping } else { State::Creating };
            book.databases.get(oid).is_some_and(|d| d.state == state)
        });
        for database in book.databases.values().filter(|d| unfinished(d)) {
            let key = (database.oid, database.state == State::Dropping);
            let since = *seen.entry(key).or_insert_with(Instant::now);
            // A drop waits for sessions before it is decided.
            let patience = if key.1 { 3 * ORPHANED } else { ORPHANED };
            if since.elapsed() >= patience {
                end(&runtime, database, since.elapsed()).await;
            }
        }
    }
}

/// Ends what was begun.
async fn end(runtime: &Arc<Runtime>, database: &Database, since: Duration) {
    let ended = match (database.state, database.group) {
        (State::Creating, Some(group)) if since >= GIVE_UP => submit(runtime, &wanted::abandon(group)).await,
        (State::Creating, _) => match tokio::time::timeout(4 * HEED, bring_to_life(runtime, database)).await {
            Ok(done) => done,
            Err(_) => return,
        },
        _ => match heed_all(runtime, database.oid).await {
            0 => submit(runtime, &wanted::remove(database.oid)).await,
            _ => submit(runtime, &wanted::reopen(database.oid)).await,
        },
    };
    match ended {
        Ok(()) => tracing::info!(database = database.name, state = ?database.state, "what another node began is ended"),
        Err(error) => tracing::debug!(database = database.name, %error, "what another node began is not ended yet"),
    }
}

// --- showing --------------------------------------------------------------------------------------------------------

/// A row of `quorate.databases`.
#[derive(Serialize)]
pub struct Row {
    oid: u32,
    name: String,
    owner: u32,
    is_template: bool,
    connections: bool,
    connection_limit: i32,
    /// As PostgreSQL writes an array.
    acl: Option<String>,
    group_id: Option<u64>,
    state: &'static str,
    /// Bytes of the file here.
    size: u64,
}

/// The databases as of now, or, if no majority can say that in time, as far as they are known here.
pub async fn rows(runtime: &Arc<Runtime>) -> Vec<Row> {
    if let Err(error) = refresh(runtime).await {
        tracing::debug!(%error, "the databases are shown as they are known here");
    }
    let book = runtime.registry.book();
    book.databases.values().map(|database| row(runtime, database)).collect()
}

fn row(runtime: &Runtime, d: &Database) -> Row {
    let catalog = d.group.and_then(|group| runtime.router(group)).map(|router| router.shared.catalog());
    let rights = catalog.as_ref().map(|catalog| &catalog.rights);
    let acl = match (rights, d.oid < HOME && d.is_template) {
        (Some(rights), _) => rights.acl(Object::DATABASE, 0).map(|acl| acl.texts(&rights.roles)),
        (None, true) => Some(vec!["=c/quorate".to_owned(), "quorate=CTc/quorate".to_owned()]),
        (None, false) => None,
    };
    let file = d.group.and_then(|group| runtime.router(group)).map(|router| router.shared.file().path());
    let quoted = |text: &String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    Row {
        oid: d.oid,
        name: d.name.clone(),
        owner: rights.map_or(d.owner, |rights| rights.owner(Object::DATABASE)),
        is_template: d.is_template,
        connections: d.connections,
        connection_limit: d.connection_limit,
        acl: acl.map(|items| format!("{{{}}}", items.iter().map(quoted).collect::<Vec<_>>().join(","))),
        group_id: d.group.map(|group| group.0),
        // One that has no file yet has none.
        size: file.and_then(|file| std::fs::metadata(file).ok()).map_or(0, |file| file.len()),
        state: match d.state {
            State::Asleep => "asleep",
            State::Creating => "creating",
            State::Live => "live",
            State::Dropping => "dropping",
        },
    }
}
