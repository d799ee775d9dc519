//! What makes a node one that can be reached from other machines: its certificates, which stay fresh, and the roles of the
//! database, by which clients and operators log in.

use super::{Runtime, patience};
use crate::admin::{Gate, Handover};
use crate::clock::now_micros;
use crate::cluster::{self, token};
use crate::config::Config;
use crate::error::{SqlError, SqlResult, state};
use crate::frontend::login::{Account, Accounts, Guard};
use crate::frontend::{Databases, Options, inner};
use crate::gateway::router::Router;
use crate::id::FIRST_DATABASE_GROUP;
use crate::pki::{Files, Keys, NodeName, private_dir, write_private};
use crate::setup::{self, Bootstrap};
use futures::future::BoxFuture;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The role that every database begins with.
const SUPERUSER: &str = "quorate";

/// How long a login waits for a majority to say what it knows of a role.
const LOOK_UP: Duration = Duration::from_secs(10);
/// Between two looks at the files of the certificates.
const FRESH: Duration = Duration::from_secs(30);

/// Where the node's certificates are.
pub fn files(config: &Config) -> Files {
    let own = Files::below(&config.data_dir);
    match config.security.as_ref().and_then(|security| security.files.clone()) {
        Some([ca, certificate, key]) => Files { ca, certificate, key, own: false, ..own },
        None => own,
    }
}

/// The node's certificates; nothing if only this machine can reach it.
pub fn keys(config: &Config) -> Result<Option<Arc<Keys>>, String> {
    if config.security.is_none() {
        return Ok(None);
    }
    let files = files(config);
    if files.own && !files.certificate.exists() && files.ca.exists() && files.ca_key.exists() {
        // Whoever has laid the authority there has made a node of it.
        setup::issue(config, &files, &setup::hosts(config))?;
    }
    if !files.certificate.exists() {
        return Err(format!(
            "this node can be reached from other machines, but has no certificate: {} is missing\n  begin a cluster with \
             `quorate start --init …`, or join one with `quorate start --join HOST:PORT --token …`; or name your own \
             certificates in [security]",
            files.certificate.display()
        ));
    }
    let name = NodeName { cluster: config.cluster.clone(), node: config.name.clone() };
    Keys::open(files, name, setup::hosts(config)).map(Some)
}

/// Keeps what a member has handed over, and makes the node's certificate of it.
pub fn take(config: &Config, handover: &Handover) -> Result<(), String> {
    let (dir, files) = (config.data_dir.join("pki"), Files::below(&config.data_dir));
    let io = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| format!("{path}: {e}")
    };
    private_dir(&dir).map_err(io(&dir))?;
    let more = [(&files.cross, handover.cross.as_ref()), (&files.nobody, handover.nobody.as_ref().map(|kept| &kept.0))];
    for (path, text) in more {
        text.map_or(Ok(()), |text| write_private(path, text)).map_err(io(path))?;
    }
    write_private(&files.ca_key, &handover.key.0).map_err(io(&files.ca_key))?;
    write_private(&files.ca, &handover.bundle).map_err(io(&files.ca))?;
    setup::issue(config, &files, &setup::hosts(config)).map(|_| ())
}

/// Does what `quorate init` left for the time when the cluster exists.
pub async fn bootstrap(runtime: Arc<Runtime>, databases: Databases<Router>, options: Arc<Options>) {
    let dir = &runtime.config.data_dir;
    let bootstrap = match Bootstrap::load(dir) {
        Ok(None) => return,
        Ok(Some(bootstrap)) => bootstrap,
        Err(error) => return tracing::error!(%error, "what is to be done first cannot be read"),
    };
    loop {
        if runtime.caught_up() && runtime.registry.knows(runtime.identity.node) {
            let granted = match &bootstrap.token {
                Some(first) => {
                    let grant = token::grant(&first.grant(), now_micros());
                    let done = runtime.submit(&runtime.system(), &grant).await;
                    done.and_then(|done| cluster::done(&done).map(drop))
                }
                None => Ok(()),
            };
            let sql = format!("ALTER ROLE {SUPERUSER} PASSWORD '{}'", bootstrap.verifier);
            let database = runtime.name_of(FIRST_DATABASE_GROUP);
            let set = inner::run(SUPERUSER, &database, &[&sql], databases.clone(), options.clone()).await;
            match granted.and(set) {
                Ok(_) => break,
                Err(error) => tracing::warn!(%error, "the superuser has no password yet"),
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    match Bootstrap::done(dir) {
        Ok(()) => tracing::info!("the superuser has its password"),
        Err(error) => tracing::error!(%error, "that the superuser has its password was not noted"),
    }
}

/// Renews and rereads certificates for ever.
pub async fn keep_fresh(keys: Arc<Keys>) {
    loop {
        tokio::time::sleep(FRESH).await;
        let keys = keys.clone();
        match tokio::task::spawn_blocking(move || keys.refresh()).await {
            Ok(Ok(None)) | Err(_) => {}
            Ok(Ok(Some(done))) => tracing::info!("{done}"),
            Ok(Err(error)) => {
                tracing::error!(%error, "the certificates cannot be renewed or read; the old ones are in use")
            }
        }
    }
}

/// Who watches the node's doors.
pub fn guard(runtime: &Runtime) -> Arc<Guard> {
    // A database's roles are asked of any node, and changed on any node.
    let (keys, router) = (runtime.keys.clone(), runtime.home());
    let accounts: Arc<dyn Accounts> = Arc::new(Roles { router, confirmed: keys.is_some() });
    let mut guard = Guard::new(keys, runtime.config.rules.clone(), accounts);
    guard.count = runtime.failed_logins.clone();
    Arc::new(guard)
}

/// Who watches the HTTP port.
pub fn gate(config: &Config, keys: Option<Arc<Keys>>) -> Gate {
    Gate { keys, open_metrics: config.security.as_ref().is_some_and(|security| security.open_metrics) }
}

/// The database's roles.
struct Roles {
    router: Arc<Router>,
    /// As a majority has them now: a password that was changed on another node counts at once. Where nobody is asked for one,
    /// what this node knows is enough, and who has no majority is told so by what he asks for.
    confirmed: bool,
}

impl Accounts for Roles {
    fn look_up(&self, role: &str) -> BoxFuture<'static, SqlResult<Option<Account>>> {
        let (router, role, confirmed) = (self.router.clone(), role.to_owned(), self.confirmed);
        Box::pin(async move {
            if confirmed {
                router.read_point(&patience(LOOK_UP)).await.map_err(|error| {
                    let message = "roles cannot be looked up: this node does not reach a majority of the cluster";
                    SqlError::new(state::CANNOT_CONNECT_NOW, message).detail(error.message)
                })?;
            }
            let catalog = router.shared.catalog();
            Ok(catalog.login(&role).map(|login| Account {
                verifier: login.verifier.map(|secret| secret.0),
                can_login: login.can_login,
                superuser: login.superuser,
                valid_until: login.valid_until,
                connection_limit: login.connection_limit,
            }))
        })
    }
}
