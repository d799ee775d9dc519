//! The command line: what may be said, and which room carries it out.

mod backup;

use crate::admin::client::{Said, Way, get_json, wait_for};
use crate::admin::{
    AuthorityOrder, EntryOrder, NodeOrder, ScrubProgress, ScrubbedDatabase, Secret, TokenOrder, TransferRequest,
    Transferred,
};
use crate::clock::now_micros;
use crate::config::{Config, ConfigError, ConfigFile, InitialNode, JoinToken, Origin, SecurityFile};
use crate::pki::{self, Authority, Files, Subject};
use crate::setup;
use crate::status::{ClusterStatus, NodeRow, render, render_certificates, render_nodes, render_stuck};
use clap::{Args, Parser, Subcommand};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(name = "quorate", version, about = "A replicated SQL database that speaks the Postgres protocol")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
// Parsed once per process.
#[allow(clippy::large_enum_variant)]
enum Command {
    /// Start a cluster on this machine and print how to connect to it
    Demo(crate::demo::DemoArgs),
    /// Lay out the data directory of a new cluster's first node, for `quorate start --data-dir DIR`
    Init(StartArgs),
    /// Start one node
    Start(StartArgs),
    /// Show nodes, groups and replicas
    Status(StatusArgs),
    /// Move leadership to another node
    Transfer(TransferArgs),
    /// Show the cluster's nodes, remove or replace one
    #[command(subcommand)]
    Node(NodeCommand),
    /// Make, show and revoke tokens that let new nodes in
    #[command(subcommand)]
    Token(TokenCommand),
    /// Make clients' certificates, and change the cluster's authority
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Read through the database files of all nodes, and compare the replicas
    Scrub(ScrubArgs),
    /// Copy databases into a directory, from a cluster that goes on; see what is there
    Backup(backup::BackupArgs),
    /// Make databases of what is in a backup
    Restore(backup::RestoreArgs),
    /// Get past an entry of the log that no replica can apply
    #[command(subcommand)]
    Entry(EntryCommand),
    /// Mend a stopped node whose Raft term is impossible
    RepairTerm(RepairTermArgs),
    /// When a majority of the machines is lost for good: make a new cluster of what a stopped node has
    Recover(RecoverArgs),
}

#[derive(Subcommand)]
enum NodeCommand {
    /// Show the members and what each of them votes in
    List(Target),
    /// Take a node out of the cluster for good
    Remove {
        /// Its name, as `quorate node list` shows it
        node: String,
        #[command(flatten)]
        target: Target,
    },
    /// Take a node out and give its votes to one that stands by
    Replace {
        /// The name of the node that goes
        node: String,
        /// The node that takes its place; any that stands by if not given
        #[arg(long, value_name = "NODE")]
        with: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token and show it, once
    Create {
        /// How many nodes it lets in
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For how many hours
        #[arg(long, default_value_t = 24)]
        hours: u64,
        #[command(flatten)]
        target: Target,
    },
    /// Show the tokens, without their secrets
    List(Target),
    /// Let nobody in by a token any more
    Revoke {
        /// Its name, as `quorate token list` shows it
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Subcommand)]
enum CertificateCommand {
    /// Make a client's certificate, for the method `cert`
    Client(CertificateArgs),
    /// Make an authority for a cluster whose nodes are started with it in place, as ca.crt and ca.key in their `pki`
    Found {
        /// Name of the cluster
        #[arg(long, env = "QUORATE_CLUSTER", default_value = "quorate")]
        cluster: String,
        /// A directory for ca.crt and ca.key
        #[arg(long)]
        out: PathBuf,
    },
    /// Show whose certificates nodes have, and until when
    Show(Target),
    /// Give the cluster a new authority, and all nodes certificates of it; the old one is still believed
    Rotate {
        #[command(flatten)]
        target: Target,
        /// Give up a new authority that no node has a certificate of yet
        #[arg(long)]
        abandon: bool,
    },
    /// Believe the old authority no more
    Retire(Target),
}

#[derive(Args)]
struct CertificateArgs {
    /// The role that its bearer may log in as
    role: String,
    /// The data directory of a node that has the key of the cluster's authority
    #[arg(long, default_value = "data", env = "QUORATE_DATA_DIR")]
    data_dir: PathBuf,
    /// Where to write ROLE.crt and ROLE.key
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

#[derive(Subcommand)]
enum EntryCommand {
    /// Show which entries replicas cannot get past
    Show(Target),
    /// Have the group record an entry as failed: its commands take no effect, on any replica
    Skip {
        #[command(flatten)]
        entry: Entry,
        #[command(flatten)]
        target: Target,
    },
    /// Have a node try an entry once more over which its process has ended
    Retry {
        #[command(flatten)]
        entry: Entry,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Args)]
struct ScrubArgs {
    /// Only this node's files
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Which entry; all of it as `quorate entry show` says, so that no other one is meant.
#[derive(Args)]
struct Entry {
    #[arg(long, value_name = "NAME")]
    database: String,
    #[arg(long)]
    index: u64,
    #[arg(long)]
    term: u64,
}

/// Which node to ask.
#[derive(Args)]
struct Target {
    /// A demo's or a node's data directory
    #[arg(long, default_value = "data", env = "QUORATE_DATA_DIR")]
    data_dir: PathBuf,
    /// The HTTP address of a node that stays
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<String>,
    #[command(flatten)]
    visitor: Visitor,
}

/// Who asks, of a node that other machines can reach. Without any of these, the certificate in the data directory is shown.
#[derive(Args)]
struct Visitor {
    /// The CA of the cluster (PEM), to ask with a role's name and password
    #[arg(long, value_name = "FILE", env = "QUORATE_CA")]
    ca: Option<PathBuf>,
    /// A superuser; the password is in QUORATE_PASSWORD
    #[arg(long, value_name = "ROLE", env = "QUORATE_USER", default_value = "quorate")]
    user: String,
    /// A file with the password, instead of QUORATE_PASSWORD
    #[arg(long, value_name = "FILE", env = "QUORATE_PASSWORD_FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Args)]
struct RepairTermArgs {
    /// The data directory of a stopped node
    #[arg(long)]
    data_dir: PathBuf,
    /// The term that all members are to have; without it, shows what the node has
    #[arg(long)]
    term: Option<u64>,
}

#[derive(Args)]
struct RecoverArgs {
    /// The data directory of a stopped node. Nothing in it is changed
    #[arg(long)]
    data_dir: PathBuf,
    /// The directory of the new cluster's first node; without it, shows what the stopped node has
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Args)]
struct StartArgs {
    /// A configuration file (TOML); flags override it. Without, config.toml in the data directory, if there is one
    #[arg(long, env = "QUORATE_CONFIG")]
    config: Option<PathBuf>,
    /// The node's name; this machine's, if a cluster begins or is joined
    #[arg(long, env = "QUORATE_NAME")]
    name: Option<String>,
    #[arg(long, env = "QUORATE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// This machine's name or address for all others: listen everywhere, with certificates and passwords
    #[arg(long, env = "QUORATE_HOST")]
    host: Option<String>,
    /// Address for Postgres clients
    #[arg(long, value_name = "HOST:PORT", env = "QUORATE_LISTEN")]
    listen: Option<String>,
    /// Where clients reach this node, if not at --listen
    #[arg(long, value_name = "HOST:PORT", env = "QUORATE_ADVERTISE")]
    advertise: Option<String>,
    /// Address for the other nodes
    #[arg(long, value_name = "HOST:PORT", env = "QUORATE_PEERS")]
    peers: Option<String>,
    /// Where the other nodes reach this one, if not at --peers
    #[arg(long, value_name = "HOST:PORT", env = "QUORATE_ADVERTISE_PEERS")]
    advertise_peers: Option<String>,
    /// Address for health, metrics and status
    #[arg(long, value_name = "HOST:PORT", env = "QUORATE_HTTP")]
    http: Option<String>,
    /// Where operators and joining nodes reach this one, if not at --http
    #[arg(long, value_name = "HOST:PORT", env = "QUORATE_ADVERTISE_HTTP")]
    advertise_http: Option<String>,
    /// Name of the cluster
    #[arg(long, env = "QUORATE_CLUSTER")]
    cluster: Option<String>,
    /// A founding member, once for each: ID=NAME@HOST:PORT (the peer address)
    #[arg(long, value_name = "ID=NAME@HOST:PORT", env = "QUORATE_INITIAL", value_delimiter = ',')]
    initial: Vec<String>,
    /// Begin a new cluster with this node: make its authority, certificate, superuser and first join token
    #[arg(long, env = "QUORATE_INIT", conflicts_with_all = ["initial", "join"])]
    init: bool,
    /// A file with the superuser's password (or QUORATE_PASSWORD); without, one is drawn and shown once
    #[arg(long, value_name = "FILE", env = "QUORATE_PASSWORD_FILE")]
    password_file: Option<PathBuf>,
    /// Join the cluster of the member with this HTTP address
    #[arg(long, value_name = "HOST:PORT", env = "QUORATE_JOIN")]
    join: Option<String>,
    /// What lets the node in; `quorate token create` makes it
    #[arg(long, value_name = "TOKEN", env = "QUORATE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A file for the token, instead: who begins a cluster writes it, who joins waits for it
    #[arg(long, value_name = "FILE", env = "QUORATE_TOKEN_FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Certificates of your own (PEM): the authorities to believe
    #[arg(long, value_name = "FILE", env = "QUORATE_CA", requires_all = ["certificate", "key"])]
    ca: Option<PathBuf>,
    /// This node's
    #[arg(long, value_name = "FILE", env = "QUORATE_CERTIFICATE", requires_all = ["ca", "key"])]
    certificate: Option<PathBuf>,
    /// And its key
    #[arg(long, value_name = "FILE", env = "QUORATE_KEY", requires_all = ["ca", "certificate"])]
    key: Option<PathBuf>,
    /// text or json
    #[arg(long, env = "QUORATE_LOG_FORMAT")]
    log_format: Option<String>,
    /// A filter such as info or quorate::replica=debug
    #[arg(long, env = "QUORATE_LOG_FILTER")]
    log_filter: Option<String>,
    /// Where an OpenTelemetry collector takes spans of statements (OTLP by HTTP)
    #[arg(long, value_name = "http://HOST:PORT", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    trace_endpoint: Option<String>,
    /// The share of statements that is traced without being asked for by a traceparent, from 0 to 1
    #[arg(long, value_name = "SHARE", env = "QUORATE_TRACE_SHARE")]
    trace_share: Option<f64>,
}

#[derive(Args)]
struct StatusArgs {
    #[command(flatten)]
    target: Target,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct TransferArgs {
    /// The HTTP address of a node: without --to, it gives up what it leads
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<String>,
    /// The data directory of that node, instead of its address
    #[arg(long, env = "QUORATE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    visitor: Visitor,
    /// Only this group, wherever it is led
    #[arg(long, value_name = "N", conflicts_with = "database")]
    group: Option<u64>,
    /// Only this database, wherever it is led
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// The name of the node that is to lead
    #[arg(long, value_name = "NODE")]
    to: Option<String>,
}

/// Runs the command line; the exit code is 0, 1 for a failure and 2 for wrong arguments.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => crate::demo::run(&args),
        Command::Init(args) => begin(StartArgs { init: true, ..args }).map(drop),
        Command::Start(args) => start(args),
        Command::Status(args) => status(&args),
        Command::Transfer(args) => transfer(&args),
        Command::Node(command) => node(command),
        Command::Token(command) => token(command),
        Command::Certificate(command) => certificates(&command),
        Command::Entry(command) => entry(command),
        Command::Scrub(args) => scrub(&args),
        Command::Backup(args) => backup::run(args),
        Command::Restore(args) => backup::restore(&args),
        Command::RepairTerm(args) => crate::node::repair_term(&args.data_dir, args.term).map(|done| println!("{done}")),
        Command::Recover(args) => recover(&args).map(|done| println!("{done}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("quorate: {message}");
            ExitCode::FAILURE
        }
    }
}

fn recover(args: &RecoverArgs) -> Result<String, String> {
    let Some(into) = &args.into else { return crate::node::recover::look(&args.data_dir) };
    keep_private();
    crate::node::recover::recover(&args.data_dir, into)
}

/// What a node writes is its own.
fn keep_private() {
    // SAFETY: umask(2) cannot fail, and no other thread runs yet.
    unsafe { libc::umask(0o077) };
}

fn start(args: StartArgs) -> Result<(), String> {
    keep_private();
    let config = begin(args)?;
    init_logging(&config);
    crate::node::run(config)
}

/// The configuration to start with; if a cluster is to begin, its first node is laid out.
fn begin(mut args: StartArgs) -> Result<Config, String> {
    let (init, password_file, token_file) = (args.init, args.password_file.clone(), args.token_file.clone());
    let known = args.data_dir.as_ref().is_some_and(|dir| dir.join(crate::raftlog::identity::FILE).exists());
    if let Some(path) = token_file.as_ref().filter(|_| !init && !known) {
        args.token = Some(awaited(path)?);
    }
    // What is said with the first start counts for all later ones.
    let keep = args.config.is_none() && (init || args.join.is_some());
    let file = configuration(args).map_err(|e| e.to_string())?;
    let config = file.clone().check().map_err(|e| e.to_string())?;
    let begun = config.data_dir.join(crate::raftlog::identity::FILE).exists();
    if init && !begun && !Files::below(&config.data_dir).ca.exists() {
        let given = password(password_file.as_deref())?;
        let text = given.clone().unwrap_or_else(|| Secret(setup::password().to_string()));
        let made = setup::init(&file, &config, &text.0, keep, now_micros())?;
        announce(&config, &made, given.is_none().then_some(text.0.as_str()));
        if let Some(path) = &token_file {
            pki::write_private(path, &made.token).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    } else if !init && !begun && config.security.is_some() && founds(&config) {
        // One of the founders tells the others, and all are started with the same environment.
        if let Some(password) = password(password_file.as_deref())? {
            setup::found(&config.data_dir, &password.0)?;
        }
    } else if keep && !init && !begun {
        pki::own_dir(&config.data_dir).map_err(|e| e.to_string())?;
        setup::save(&file, &config.data_dir)?;
    }
    Ok(config)
}

/// Whether the node is the one that founds the cluster.
fn founds(config: &Config) -> bool {
    match &config.origin {
        Origin::Founder { id, members } => members.iter().all(|member| *id <= member.id),
        Origin::Join(_) => false,
    }
}

/// What is in a file, as soon as somebody has written it.
fn awaited(path: &Path) -> Result<String, String> {
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) => return Ok(text.trim().to_owned()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => std::thread::sleep(Duration::from_millis(200)),
            Err(e) => return Err(format!("{}: {e}", path.display())),
        }
    }
}

/// Tells what is told once.
fn announce(config: &Config, made: &setup::Made, password: Option<&str>) {
    let cluster = match config.cluster.as_str() {
        "quorate" => String::new(),
        name => format!(" --cluster {name}"),
    };
    let postgres = &config.postgres.advertise;
    println!("The cluster \"{}\" begins with this node, {}.\n", config.cluster, config.name);
    match password {
        Some(password) => println!("  superuser  quorate\n  password   {password}\n\nThe password is not shown again."),
        None => println!("  superuser  quorate, with the password that was given"),
    }
    println!("\nOn each further machine (up to four, within 24 hours):\n");
    println!(
        "  quorate start --data-dir {}{cluster} --host ITS-NAME --join {} --token {}",
        config.data_dir.display(),
        config.http.advertise,
        made.token
    );
    println!("\nClients need a copy of {}, which is no secret:\n", made.ca.display());
    println!(
        "  psql \"host={} port={} user=quorate dbname=quorate sslmode=verify-full sslrootcert=ca.crt\"\n",
        postgres.host, postgres.port
    );
}

/// The password that was given, if one was.
fn password(file: Option<&Path>) -> Result<Option<Secret>, String> {
    let text = match (file, std::env::var("QUORATE_PASSWORD")) {
        (Some(path), _) => std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?,
        (None, Ok(text)) => text,
        (None, Err(_)) => return Ok(None),
    };
    let text = text.trim_end_matches(['\r', '\n']);
    match text.is_empty() {
        true => Err("the password is empty".into()),
        false => Ok(Some(Secret(text.to_owned()))),
    }
}

fn configuration(args: StartArgs) -> Result<ConfigFile, ConfigError> {
    let kept = args.data_dir.as_ref().map(|dir| dir.join(setup::CONFIG)).filter(|path| path.exists());
    let mut file = match args.config.as_ref().or(kept.as_ref()) {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::default(),
    };
    let set = |slot: &mut Option<String>, flag: Option<String>| {
        if flag.is_some() {
            *slot = flag;
        }
    };
    set(&mut file.name, args.name);
    set(&mut file.listen.host, args.host);
    set(&mut file.listen.postgres, args.listen);
    set(&mut file.listen.advertise_postgres, args.advertise);
    set(&mut file.listen.peers, args.peers);
    set(&mut file.listen.advertise_peers, args.advertise_peers);
    set(&mut file.listen.http, args.http);
    set(&mut file.listen.advertise_http, args.advertise_http);
    set(&mut file.cluster.name, args.cluster);
    set(&mut file.cluster.join, args.join);
    set(&mut file.log.format, args.log_format);
    set(&mut file.log.filter, args.log_filter);
    set(&mut file.trace.endpoint, args.trace_endpoint);
    file.trace.share = args.trace_share.or(file.trace.share);
    if args.token.is_some() {
        file.cluster.join_token = args.token.map(JoinToken);
    }
    if args.data_dir.is_some() {
        file.data_dir = args.data_dir;
    }
    if !args.initial.is_empty() {
        file.cluster.initial = args.initial.iter().map(|text| initial(text)).collect::<Result<_, _>>()?;
    }
    if args.ca.is_some() {
        let written = file.security.take().unwrap_or_default();
        let (ca, certificate, key) = (args.ca, args.certificate, args.key);
        file.security = Some(SecurityFile { ca, certificate, key, ..written });
    }
    if file.name.is_none() && (args.init || file.cluster.join_token.is_some()) {
        file.name = Some(machine_name());
    }
    if args.init || file.cluster.join_token.is_some() {
        file.security.get_or_insert_default();
    }
    if args.init && file.cluster.initial.is_empty() {
        file.cluster.initial = setup::alone(file.name.as_deref().unwrap_or_default(), &file.peers()?);
    }
    Ok(file)
}

/// What this machine calls itself.
fn machine_name() -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer is as long as is said, and one byte longer than what may be written.
    let failed = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) } != 0;
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
    let name = String::from_utf8_lossy(&buffer[..end]).into_owned();
    if failed || name.is_empty() { "node-1".into() } else { name }
}

fn initial(text: &str) -> Result<InitialNode, ConfigError> {
    let parts = text.split_once('=').and_then(|(id, rest)| {
        let (name, peers) = rest.split_once('@')?;
        Some(InitialNode { id: id.parse().ok()?, name: name.into(), peers: peers.into() })
    });
    parts.ok_or_else(|| ConfigError {
        problem: format!("--initial {text} is not understood"),
        advice: "write --initial ID=NAME@HOST:PORT, for example --initial 1=node-1@127.0.0.1:7433".into(),
    })
}

fn init_logging(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("QUORATE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(&config.log_filter));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_json {
        builder.json().init();
    } else {
        builder.with_ansi(false).init();
    }
}

fn status(args: &StatusArgs) -> Result<(), String> {
    match args.json {
        true => {
            status_of(&args.target, |status| serde_json::to_string_pretty(status).unwrap_or_else(|e| e.to_string()))
        }
        false => status_of(&args.target, render),
    }
}

/// Shows the status of the first node that answers.
fn status_of(target: &Target, show: impl Fn(&ClusterStatus) -> String) -> Result<(), String> {
    let (addresses, way) = (target.addresses()?, target.way()?);
    let mut last = String::new();
    for addr in &addresses {
        match get_json::<ClusterStatus>(addr, "/status", &way) {
            Ok(status) => {
                println!("{}", show(&status));
                return Ok(());
            }
            Err(e) => last = format!("{addr}: {e}"),
        }
    }
    Err(format!("no node answers ({last})\n  is one running? `quorate demo` starts a cluster, `quorate start` a node"))
}

fn transfer(args: &TransferArgs) -> Result<(), String> {
    let addresses = match (&args.addr, &args.data_dir) {
        (Some(addr), _) => vec![addr.clone()],
        (None, Some(dir)) => addresses_below(dir)?,
        (None, None) => return Err("which node?\n  give --addr HOST:PORT (its HTTP address) or --data-dir DIR".into()),
    };
    if addresses.len() > 1 && args.to.is_none() && args.group.is_none() && args.database.is_none() {
        return Err(
            "there are several nodes in that directory, and each may lead something\n  say which one gives up \
                    what it leads with --addr HOST:PORT or its own --data-dir, or what is to move with --database NAME"
                .into(),
        );
    }
    let way = args.visitor.way(args.data_dir.as_deref())?;
    let request = TransferRequest { group: args.group, database: args.database.clone(), to: args.to.clone() };
    let mut last = String::new();
    for addr in &addresses {
        match ask_transfer(addr, &request, &way) {
            Ok(moved) if moved.is_empty() => println!("the node at {addr} leads nothing"),
            Ok(moved) => moved.iter().for_each(|m| match m.from == m.to {
                true => println!("{}: {} leads already", m.database, m.to),
                false => println!("{}: {} leads now, after {}", m.database, m.to, m.from),
            }),
            Err(AskError::Unanswered(e)) => {
                last = format!("{addr}: {e}");
                continue;
            }
            Err(AskError::Refused(why)) => return Err(why),
        }
        return Ok(());
    }
    Err(format!("no node answers ({last})"))
}

fn node(command: NodeCommand) -> Result<(), String> {
    let (target, order) = match command {
        NodeCommand::List(target) => return status_of(&target, render_nodes),
        NodeCommand::Remove { node, target } => (target, NodeOrder::Remove { node }),
        NodeCommand::Replace { node, with, target } => (target, NodeOrder::Replace { node, with }),
    };
    tell(&target, "/node", &order).map(|done| println!("{}", done.text()))
}

fn token(command: TokenCommand) -> Result<(), String> {
    let (target, order) = match command {
        TokenCommand::Create { uses, hours, target } => {
            (target, TokenOrder::Create { uses, seconds: hours.saturating_mul(3600) })
        }
        TokenCommand::List(target) => (target, TokenOrder::List),
        TokenCommand::Revoke { id, target } => (target, TokenOrder::Revoke { id }),
    };
    tell(&target, "/token", &order).map(|done| println!("{}", done.text()))
}

fn entry(command: EntryCommand) -> Result<(), String> {
    let (target, entry, retry) = match command {
        EntryCommand::Show(target) => return status_of(&target, render_stuck),
        EntryCommand::Skip { entry, target } => (target, entry, false),
        EntryCommand::Retry { entry, target } => (target, entry, true),
    };
    let Entry { database, index, term } = entry;
    let order = EntryOrder { database, index, term, retry };
    tell(&target, "/entry", &order).map(|done| println!("{}", done.text()))
}

/// Has nodes read through their files, shows how far they are, and then what was found.
fn scrub(args: &ScrubArgs) -> Result<(), String> {
    let way = args.target.way()?;
    let known =
        args.target.addresses()?.into_iter().find_map(|addr| get_json::<ClusterStatus>(&addr, "/status", &way).ok());
    let status = known.ok_or("no node answers\n  is one running?")?;
    let asked = |node: &&NodeRow| args.node.as_ref().is_none_or(|name| *name == node.node);
    let nodes: Vec<&NodeRow> = status.nodes.iter().filter(asked).collect();
    if nodes.is_empty() {
        return Err("there is no such node\n  `quorate node list` shows them".into());
    }
    let mut found = BTreeMap::new();
    for node in &nodes {
        let begun = post(&node.http_addr, "/scrub", &(), &way).map_err(|e| match e {
            AskError::Unanswered(why) | AskError::Refused(why) => why,
        });
        let begun = begun.and_then(|said| serde_json::from_slice(&said.body).map_err(|e| e.to_string()));
        found.insert(node.node.clone(), begun);
    }
    let terminal = std::io::stderr().is_terminal();
    while found.values().flatten().any(|progress: &ScrubProgress| progress.running) {
        std::thread::sleep(Duration::from_millis(200));
        for node in &nodes {
            if let Some(Ok(progress)) = found.get_mut(&node.node) {
                match get_json(&node.http_addr, "/scrub", &way) {
                    Ok(now) => *progress = now,
                    Err(why) => drop(found.insert(node.node.clone(), Err(why))),
                }
            }
        }
        if terminal {
            eprint!("\r{}", bar(found.values().flatten()));
        }
    }
    if terminal {
        eprintln!();
    }
    let mut sound = true;
    for (node, progress) in &found {
        match progress {
            Err(why) => {
                sound = false;
                println!("{node}: not read: {why}");
            }
            Ok(progress) => progress.databases.iter().for_each(|d| {
                sound &= d.damage.is_none();
                println!("{node}: {}", line_of(d));
            }),
        }
    }
    if sound { Ok(()) } else { Err("not everything is as it was written".into()) }
}

fn line_of(found: &ScrubbedDatabase) -> String {
    let mut line = format!("{}: {} of {} pages read", found.database, found.read, found.pages);
    match &found.damage {
        Some(damage) => line.push_str(&format!("; {damage}: the replica is rebuilt from the others")),
        None => line.push_str(", none is damaged"),
    }
    if let Some(compared) = &found.compared {
        line.push_str(&format!("; {compared}"));
    }
    line
}

/// How far all of them are.
fn bar<'a>(all: impl Iterator<Item = &'a ScrubProgress>) -> String {
    let (mut read, mut pages) = (0u64, 0u64);
    for database in all.flat_map(|progress| &progress.databases) {
        (read, pages) = (read + u64::from(database.read), pages + u64::from(database.pages));
    }
    let done = (read * 40).checked_div(pages).unwrap_or(0) as usize;
    format!("[{:<40}] {read} of {pages} pages", "#".repeat(done))
}

/// Gives an order to the first node that can carry it out.
fn tell<T: serde::Serialize>(target: &Target, path: &str, order: &T) -> Result<Said, String> {
    let way = target.way()?;
    let mut last = String::new();
    for addr in &target.addresses()? {
        match post(addr, path, order, &way) {
            Ok(said) => return Ok(said),
            Err(AskError::Unanswered(e)) => last = format!("{addr}: {e}"),
            Err(AskError::Refused(why)) => return Err(why),
        }
    }
    Err(format!("no node could do it ({last})"))
}

fn certificates(command: &CertificateCommand) -> Result<(), String> {
    let (target, order) = match command {
        CertificateCommand::Client(args) => return certificate(args),
        CertificateCommand::Found { cluster, out } => return found(cluster, out),
        CertificateCommand::Show(target) => {
            return status_of(target, |status| render_certificates(status, pki::day));
        }
        CertificateCommand::Rotate { target, abandon: false } => (target, AuthorityOrder::Rotate),
        CertificateCommand::Rotate { target, abandon: true } => (target, AuthorityOrder::Abandon),
        CertificateCommand::Retire(target) => (target, AuthorityOrder::Retire),
    };
    let said = tell(target, "/authority", &order)?;
    println!("{}", said.text());
    Ok(())
}

fn found(cluster: &str, out: &Path) -> Result<(), String> {
    // Both or none: a key beside somebody else's certificate would be taken for its.
    if let Some(there) = ["ca.key", "ca.crt"].map(|name| out.join(name)).into_iter().find(|path| path.exists()) {
        return Err(format!("{} is there already", there.display()));
    }
    let issued = Authority::found(cluster)?;
    pki::private_dir(out).map_err(|e| format!("{}: {e}", out.display()))?;
    for (name, text) in [("ca.key", &*issued.key), ("ca.crt", &issued.certificate)] {
        let path = out.join(name);
        pki::write_private(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn certificate(args: &CertificateArgs) -> Result<(), String> {
    let issued = Files::below(&args.data_dir).authority()?.issue(&Subject::Client(args.role.clone()))?;
    for (ending, text) in [("key", &*issued.key), ("crt", &issued.certificate)] {
        let path = args.out.join(format!("{}.{ending}", args.role));
        pki::write_private(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

impl Target {
    fn addresses(&self) -> Result<Vec<String>, String> {
        match &self.addr {
            Some(addr) => Ok(vec![addr.clone()]),
            None => addresses_below(&self.data_dir),
        }
    }

    fn way(&self) -> Result<Way, String> {
        self.visitor.way(Some(&self.data_dir))
    }
}

impl Visitor {
    /// With a role's password, if a CA is given; with the certificate in the data directory, if there is one; or just so.
    fn way(&self, data_dir: Option<&Path>) -> Result<Way, String> {
        if let Some(ca) = &self.ca {
            let password =
                password(self.password_file.as_deref())?.ok_or("the password must be in QUORATE_PASSWORD")?;
            let tls = pki::visitor_config(ca, None)?;
            return Ok(Way { tls: Some(tls), login: Some((self.user.clone(), password)) });
        }
        let files = data_dir.map(Files::below).filter(|files| files.certificate.exists());
        let tls = files.map(|files| pki::operator_config(&files)).transpose()?;
        Ok(Way { tls, login: None })
    }
}

enum AskError {
    /// Nobody is there, or this node cannot do it now: another one may.
    Unanswered(String),
    Refused(String),
}

fn post<T: serde::Serialize>(addr: &str, path: &str, request: &T, way: &Way) -> Result<Said, AskError> {
    let body = serde_json::to_vec(request).map_err(|e| AskError::Refused(e.to_string()))?;
    let said = wait_for(way.ask(addr, path, Some(body), Duration::from_secs(60))).map_err(AskError::Unanswered)?;
    match said.status {
        _ if said.is_success() => Ok(said),
        503 => Err(AskError::Unanswered(said.text())),
        _ => Err(AskError::Refused(said.text())),
    }
}

fn ask_transfer(addr: &str, request: &TransferRequest, way: &Way) -> Result<Vec<Transferred>, AskError> {
    let said = post(addr, "/transfer", request, way)?;
    serde_json::from_slice(&said.body).map_err(|e| AskError::Unanswered(e.to_string()))
}

/// The HTTP addresses of the nodes whose data directories are `dir` or in it.
fn addresses_below(dir: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut candidates = vec![dir.to_owned()];
    if let Ok(entries) = std::fs::read_dir(dir) {
        candidates.extend(entries.flatten().map(|e| e.path()));
    }
    candidates.sort();
    for candidate in candidates {
        if let Ok(text) = std::fs::read_to_string(candidate.join("http")) {
            found.push(text.trim().to_owned());
        }
    }
    if found.is_empty() {
        return Err(format!(
            "{} holds no node's data\n  give --data-dir of a demo or of a node, or --addr HOST:PORT",
            dir.display()
        ));
    }
    Ok(found)
}
