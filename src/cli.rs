//! The command line: what may be said, and which room carries it out.

use crate::admin::{NodeOrder, TransferRequest, Transferred};
use crate::config::{Config, ConfigError, ConfigFile, InitialNode};
use crate::status::{ClusterStatus, render, render_nodes};
use clap::{Args, Parser, Subcommand};
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
    Demo(DemoArgs),
    /// Start one node
    Start(StartArgs),
    /// Show nodes, groups and replicas
    Status(StatusArgs),
    /// Move leadership to another node
    Transfer(TransferArgs),
    /// Show the cluster's nodes, remove or replace one
    #[command(subcommand)]
    Node(NodeCommand),
    /// Mend a stopped node whose Raft term is impossible
    RepairTerm(RepairTermArgs),
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

/// Which node to ask.
#[derive(Args)]
struct Target {
    /// A demo's or a node's data directory
    #[arg(long, default_value = "data", conflicts_with = "addr")]
    data_dir: PathBuf,
    /// The HTTP address of a node that stays
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<String>,
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
pub struct DemoArgs {
    /// How many nodes
    #[arg(long, default_value_t = 3)]
    pub nodes: u64,
    /// Where the data lives; started again with the same directory, the cluster goes on
    #[arg(long, default_value = "data")]
    pub data_dir: PathBuf,
    /// Postgres port of the first node; the others follow
    #[arg(long, default_value_t = 5433)]
    pub base_port: u16,
}

#[derive(Args)]
struct StartArgs {
    /// A configuration file (TOML); flags override it
    #[arg(long)]
    config: Option<PathBuf>,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Address for Postgres clients
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Address for the other nodes
    #[arg(long, value_name = "HOST:PORT")]
    peers: Option<String>,
    /// Where the other nodes reach this one, if not at --peers
    #[arg(long, value_name = "HOST:PORT")]
    advertise_peers: Option<String>,
    /// Address for health, metrics and status
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// Name of the cluster
    #[arg(long)]
    cluster: Option<String>,
    /// A founding member, once for each: ID=NAME@HOST:PORT (the peer address)
    #[arg(long, value_name = "ID=NAME@HOST:PORT")]
    initial: Vec<String>,
    /// Join the cluster of the member with this HTTP address
    #[arg(long, value_name = "HOST:PORT")]
    join: Option<String>,
    /// text or json
    #[arg(long)]
    log_format: Option<String>,
    /// A filter such as info or quorate::replica=debug
    #[arg(long)]
    log_filter: Option<String>,
}

#[derive(Args)]
struct StatusArgs {
    /// A demo's or a node's data directory
    #[arg(long, default_value = "data", conflicts_with = "addr")]
    data_dir: PathBuf,
    /// The HTTP address of a node
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<String>,
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
    #[arg(long, conflicts_with = "addr")]
    data_dir: Option<PathBuf>,
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
        Command::Start(args) => start(args),
        Command::Status(args) => status(&args),
        Command::Transfer(args) => transfer(&args),
        Command::Node(command) => node(command),
        Command::RepairTerm(args) => crate::node::repair_term(&args.data_dir, args.term).map(|done| println!("{done}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("quorate: {message}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: StartArgs) -> Result<(), String> {
    let config = configuration(args).map_err(|e| e.to_string())?;
    init_logging(&config);
    crate::node::run(config)
}

fn configuration(args: StartArgs) -> Result<Config, ConfigError> {
    let mut file = match &args.config {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::default(),
    };
    let set = |slot: &mut Option<String>, flag: Option<String>| {
        if flag.is_some() {
            *slot = flag;
        }
    };
    set(&mut file.name, args.name);
    set(&mut file.listen.postgres, args.listen);
    set(&mut file.listen.peers, args.peers);
    set(&mut file.listen.advertise_peers, args.advertise_peers);
    set(&mut file.listen.http, args.http);
    set(&mut file.cluster.name, args.cluster);
    set(&mut file.cluster.join, args.join);
    set(&mut file.log.format, args.log_format);
    set(&mut file.log.filter, args.log_filter);
    if args.data_dir.is_some() {
        file.data_dir = args.data_dir;
    }
    if !args.initial.is_empty() {
        file.cluster.initial = args.initial.iter().map(|text| initial(text)).collect::<Result<_, _>>()?;
    }
    file.check()
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
    let addresses = match &args.addr {
        Some(addr) => vec![addr.clone()],
        None => addresses_below(&args.data_dir)?,
    };
    match args.json {
        true => status_of(&addresses, |status| serde_json::to_string_pretty(status).unwrap_or_else(|e| e.to_string())),
        false => status_of(&addresses, render),
    }
}

/// Shows the status of the first node that answers.
fn status_of(addresses: &[String], show: impl Fn(&ClusterStatus) -> String) -> Result<(), String> {
    let mut last = String::new();
    for addr in addresses {
        match fetch_status(addr) {
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
    let request = TransferRequest { group: args.group, database: args.database.clone(), to: args.to.clone() };
    let mut last = String::new();
    for addr in &addresses {
        match ask_transfer(addr, &request) {
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
        NodeCommand::List(target) => return status_of(&target.addresses()?, render_nodes),
        NodeCommand::Remove { node, target } => (target, NodeOrder::Remove { node }),
        NodeCommand::Replace { node, with, target } => (target, NodeOrder::Replace { node, with }),
    };
    let mut last = String::new();
    for addr in &target.addresses()? {
        match post(addr, "/node", &order).map(|mut response| response.body_mut().read_to_string()) {
            Ok(Ok(done)) => {
                println!("{done}");
                return Ok(());
            }
            Ok(Err(e)) => last = format!("{addr}: {e}"),
            Err(AskError::Unanswered(e)) => last = format!("{addr}: {e}"),
            Err(AskError::Refused(why)) => return Err(why),
        }
    }
    Err(format!("no node could do it ({last})"))
}

impl Target {
    fn addresses(&self) -> Result<Vec<String>, String> {
        match &self.addr {
            Some(addr) => Ok(vec![addr.clone()]),
            None => addresses_below(&self.data_dir),
        }
    }
}

enum AskError {
    /// Nobody is there, or this node cannot do it now: another one may.
    Unanswered(String),
    Refused(String),
}

fn post<T: serde::Serialize>(
    addr: &str,
    path: &str,
    request: &T,
) -> Result<ureq::http::Response<ureq::Body>, AskError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .build()
        .into();
    let sent = agent.post(format!("http://{addr}{path}")).send_json(request);
    let mut response = sent.map_err(|e| AskError::Unanswered(e.to_string()))?;
    if response.status().is_success() {
        return Ok(response);
    }
    let why = response.body_mut().read_to_string().unwrap_or_else(|e| e.to_string());
    Err(if response.status().as_u16() == 503 { AskError::Unanswered(why) } else { AskError::Refused(why) })
}

fn ask_transfer(addr: &str, request: &TransferRequest) -> Result<Vec<Transferred>, AskError> {
    let mut response = post(addr, "/transfer", request)?;
    response.body_mut().read_json().map_err(|e| AskError::Unanswered(e.to_string()))
}

/// Asks one node over HTTP.
pub fn fetch_status(addr: &str) -> Result<ClusterStatus, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().into();
    let mut response = agent.get(format!("http://{addr}/status")).call().map_err(|e| e.to_string())?;
    response.body_mut().read_json().map_err(|e| e.to_string())
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
