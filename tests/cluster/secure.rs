//! A cluster as it stands in the open, begun with one command for each machine: who gets in, and who does not.

use crate::support::cluster::{QUORATE, one_value, run, run_program, spawn_child, sqlstate};
use crate::support::ports::free_port;
use crate::support::tls::{Tls, exchange};
use crate::support::{PATIENCE, eventually, in_time};
use quorate::admin::Secret;
use quorate::admin::client::Way;
use quorate::pki::{Authority, Files, NodeName, Subject, operator_config, visitor_config, write_private};
use quorate::status::ClusterStatus;
use rustls::ClientConfig;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_postgres::config::ChannelBinding;
use tokio_postgres::{Client, Config, Error, NoTls};

const PASSWORD: &str = "correct horse";

struct Open {
    dir: TempDir,
    nodes: Vec<Node>,
}

struct Node {
    home: PathBuf,
    postgres: u16,
    peers: u16,
    http: u16,
    process: Child,
}

impl Drop for Open {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            let _ = node.process.kill();
            let _ = node.process.wait();
            if std::thread::panicking() {
                eprintln!("--- {} ---\n{}", node.home.display(), self.dir.path().display());
                let log = std::fs::read_to_string(node.home.with_extension("log")).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                eprintln!("{}", lines[lines.len().saturating_sub(40)..].join("\n"));
            }
        }
    }
}

impl Open {
    /// Starts a node; `how` is what a person would type.
    fn start(&mut self, how: &[&str]) {
        self.start_with(how, free_port());
    }

    fn start_with(&mut self, how: &[&str], peers: u16) {
        let at = self.nodes.len() + 1;
        let home = self.dir.path().join(format!("node-{at}"));
        let ports = [free_port(), peers, free_port()];
        let mut command = Command::new(QUORATE);
        command.arg("start").arg("--data-dir").arg(&home).args([
            "--host",
            "localhost",
            "--name",
            &format!("node-{at}"),
        ]);
        for (flag, port) in ["--listen", "--peers", "--http"].into_iter().zip(ports) {
            command.arg(flag).arg(format!("127.0.0.1:{port}"));
        }
        command.args(how).env("QUORATE_PASSWORD", PASSWORD);
        let process = spawn_child(command, &home.with_extension("log"));
        let [postgres, peers, http] = ports;
        self.nodes.push(Node { home, postgres, peers, http, process });
    }

    async fn ready(&self) {
        for node in &self.nodes {
            // Written after all others.
            let certificate = Files::below(&node.home).certificate;
            let there = async || certificate.exists().then_some(()).ok_or("it has none".into());
            eventually("the node has a certificate", PATIENCE, there).await;
        }
        self.ready_with(&self.ca()).await;
    }

    async fn ready_with(&self, ca: &Path) {
        for node in &self.nodes {
            eventually("the node is ready", PATIENCE, async || {
                let way = Way { tls: Some(visitor_config(ca, None)?), login: None };
                let said = way.ask(&format!("localhost:{}", node.http), "/ready", None, PATIENCE).await?;
                said.is_success().then_some(()).ok_or_else(|| said.text())
            })
            .await;
        }
    }

    async fn command(&self, args: &[&str], node: usize) -> String {
        let home = self.nodes[node].home.to_str().unwrap();
        let ended = run_program(&[args, &["--data-dir", home]].concat()).await;
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.output);
        ended.output.trim().to_owned()
    }

    fn ca(&self) -> PathBuf {
        Files::below(&self.nodes[0].home).ca
    }

    fn tls(&self) -> Arc<ClientConfig> {
        visitor_config(&self.ca(), None).unwrap()
    }

    async fn connect(&self, node: usize, user: &str, password: &str) -> Result<Client, Error> {
        self.connect_with(node, user, password, self.tls()).await
    }

    async fn connect_with(
        &self,
        node: usize,
        user: &str,
        password: &str,
        tls: Arc<ClientConfig>,
    ) -> Result<Client, Error> {
        let mut config = self.config(node, user);
        config.password(password).ssl_mode(tokio_postgres::config::SslMode::Require);
        let (client, connection) = in_time("connecting", config.connect(Tls(tls))).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn config(&self, node: usize, user: &str) -> Config {
        let mut config = Config::new();
        config.host("localhost").port(self.nodes[node].postgres).user(user).dbname("quorate");
        config
    }
}

fn code(result: Result<Client, Error>) -> String {
    result.map_or_else(|error| sqlstate(&error), |_| "let in".into())
}

/// Writes what an authority has issued, so that a client can show it.
fn identity(dir: &Path, name: &str, ca: &Authority, subject: &Subject, believed: &Path) -> Arc<ClientConfig> {
    let issued = ca.issue(subject).unwrap();
    let [certificate, key] = ["crt", "key"].map(|ending| dir.join(format!("{name}.{ending}")));
    write_private(&certificate, &issued.certificate).unwrap();
    write_private(&key, &issued.key).unwrap();
    visitor_config(believed, Some((&certificate, &key))).unwrap()
}

fn load(files: &Files) -> Authority {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    Authority::load(&read(&files.ca), &read(&files.ca_key)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_commands_and_nobody_else() {
    let mut open = Open { dir: tempfile::tempdir().unwrap(), nodes: Vec::new() };
    open.start(&["--init"]);
    open.ready().await;
    let greeting = std::fs::read_to_string(open.nodes[0].home.with_extension("log")).unwrap();
    assert!(!greeting.contains(PASSWORD), "it was given");
    let token = greeting.split("--token ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap().to_owned();
    let member = format!("localhost:{}", open.nodes[0].http);
    for _ in 0..2 {
        open.start(&["--join", &member, "--token", &token]);
    }
    open.ready().await;
    eventually("three vote", PATIENCE, async || {
        let text = open.command(&["status", "--json"], 1).await;
        let status: ClusterStatus = serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))?;
        let three = status.groups.iter().filter(|group| group.voters.split(' ').count() == 3).count();
        if three == 2 { Ok(()) } else { Err(text) }
    })
    .await;
    passwords(&open).await;
    certificates(&open).await;
    doors(&open).await;
    console(&open).await;
    tokens(&mut open, &member).await;
    secrets_stay_in_their_files(&open, &token);
}

/// Founders with certificates of an authority of their own, and rules that ask for different proofs.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_rules_of_ones_own() {
    let mut open = Open { dir: tempfile::tempdir().unwrap(), nodes: Vec::new() };
    let dir = open.dir.path().to_owned();
    let issued = Authority::found("a company").unwrap();
    write_private(&dir.join("ca.crt"), &issued.certificate).unwrap();
    let company = Authority::load(&issued.certificate, &issued.key).unwrap();
    let ports: Vec<u16> = (0..2).map(|_| free_port()).collect();
    let configure = |at: usize, origin: &str, peers: u16| {
        let (node, here) = (format!("node-{at}"), dir.display());
        let name = NodeName { cluster: "own".into(), node: node.clone() };
        let subject = Subject::Node { name, hosts: vec!["localhost".into()] };
        let own = company.issue(&subject).unwrap();
        write_private(&dir.join(format!("{node}.crt")), &own.certificate).unwrap();
        write_private(&dir.join(format!("{node}.key")), &own.key).unwrap();
        let text = format!(
            "name = \"{node}\"\n[listen]\npeers = \"127.0.0.1:{peers}\"\n[cluster]\nname = \"own\"\n{origin}\n[security]\n\
             ca = \"{here}/ca.crt\"\ncertificate = \"{here}/{node}.crt\"\nkey = \"{here}/{node}.key\"\n\
             authentication_timeout = 2\nrules = [\"hostssl all ann all cert\", \"host all mallory all reject\", \
             \"hostssl all quorate all scram-sha-256\", \"hostssl sameuser all all trust\"]\n"
        );
        let path = dir.join(format!("{node}.toml"));
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let initial: String = (1..)
        .zip(&ports)
        .map(|(id, port)| format!("{{ id = {id}, name = \"node-{id}\", peers = \"localhost:{port}\" }},"))
        .collect();
    for (at, port) in (1..).zip(&ports) {
        let config = configure(at, &format!("initial = [{initial}]"), *port);
        open.start_with(&["--config", &config, "--advertise-peers", &format!("localhost:{port}")], *port);
    }
    open.ready_with(&dir.join("ca.crt")).await;
    // A third joins by its certificate, without a token.
    let port = free_port();
    let config = configure(3, &format!("join = \"localhost:{}\"", open.nodes[1].http), port);
    open.start_with(&["--config", &config], port);
    open.ready_with(&dir.join("ca.crt")).await;

    let tls = visitor_config(&dir.join("ca.crt"), None).unwrap();
    let owner = open.connect_with(2, "quorate", PASSWORD, tls.clone()).await.unwrap();
    run(&owner, "CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE mallory LOGIN").await;
    let certified = |role: &str| identity(&dir, role, &company, &Subject::Client(role.into()), &dir.join("ca.crt"));
    let ann = open.connect_with(0, "ann", "", certified("ann")).await.unwrap();
    let seen = "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(one_value(&ann, seen).await, "CN=ann");
    assert_eq!(code(open.connect_with(0, "ann", "", certified("bob")).await), "28000");
    assert_eq!(code(open.connect_with(0, "ann", "", tls.clone()).await), "28000");
    let refusal = async |user: &str| {
        let error = open.connect_with(1, user, PASSWORD, certified(user)).await.err().unwrap();
        error.as_db_error().unwrap().message().to_owned()
    };
    assert!(refusal("mallory").await.starts_with("pg_hba.conf rejects connection for host \"127.0.0.1\", user"));
    let nobody = refusal("bob").await;
    assert!(nobody.contains("user \"bob\", database \"quorate\", SSL encryption"), "{nobody}");
    let mut plain = open.config(0, "quorate");
    let refused = plain.password(PASSWORD).connect(NoTls).await.err().unwrap();
    assert!(refused.as_db_error().unwrap().message().ends_with("no encryption"));
    // Who says nothing is not waited for.
    assert_eq!(exchange(open.nodes[0].postgres, None, b"").await.unwrap(), b"");
}

async fn passwords(open: &Open) {
    let owner = open.connect(0, "quorate", PASSWORD).await.unwrap();
    run(&owner, "CREATE ROLE ann LOGIN PASSWORD 'one'; CREATE ROLE mute LOGIN; CREATE ROLE nobody PASSWORD 'one'")
        .await;
    assert_eq!(one_value(&open.connect(1, "ann", "one").await.unwrap(), "SELECT current_user").await, "ann");
    // Changed here, and the old one is worth nothing there at once.
    run(&owner, "ALTER ROLE ann PASSWORD 'two'").await;
    assert_eq!(code(open.connect(2, "ann", "one").await), "28P01");
    assert_eq!(code(open.connect(2, "ann", "two").await), "let in");
    for (user, password) in [("ann", "wrong"), ("not there", "one"), ("mute", "one"), ("mute", "x")] {
        let error = open.connect(0, user, password).await.err().unwrap();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), "28P01", "{user}");
        assert_eq!(error.message(), format!("password authentication failed for user \"{user}\""));
    }
    assert_eq!(code(open.connect(0, "nobody", "one").await), "28000");
    run(&owner, "ALTER ROLE ann VALID UNTIL '2001-01-01'").await;
    assert_eq!(code(open.connect(1, "ann", "two").await), "28P01");
    // A limit is the cluster's: a session on one node counts on the others.
    run(&owner, "ALTER ROLE ann VALID UNTIL 'infinity' CONNECTION LIMIT 1; CREATE ROLE bob LOGIN PASSWORD 'b'").await;
    let alone = async |node: usize, user: &str, password: &str| {
        eventually("earlier sessions have ended", PATIENCE, async || {
            open.connect(node, user, password).await.map_err(|e| format!("{e:?}"))
        })
        .await
    };
    let only = alone(0, "ann", "two").await;
    for node in 0..3 {
        assert_eq!(code(open.connect(node, "ann", "two").await), "53300");
    }
    drop(only);
    drop(alone(1, "ann", "two").await);
    run(&owner, "ALTER DATABASE quorate CONNECTION LIMIT 2").await;
    let second = alone(2, "bob", "b").await;
    assert_eq!(code(open.connect(1, "bob", "b").await), "53300", "the owner is counted as well");
    assert_eq!(code(open.connect(1, "quorate", PASSWORD).await), "let in", "superusers have no limits");
    run(&owner, "ALTER DATABASE quorate CONNECTION LIMIT -1").await;
    assert_eq!(code(open.connect(1, "bob", "b").await), "let in");
    drop(second);
    // A password is bound to the channel: the client insists.
    let mut config = open.config(0, "quorate");
    config.password(PASSWORD).channel_binding(ChannelBinding::Require);
    let (bound, connection) = in_time("binding", config.connect(Tls(open.tls()))).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(one_value(&bound, "SHOW ssl").await, "on");
    let seen = "SELECT ssl::text || version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(one_value(&bound, seen).await, "trueTLSv1.3");
    // Without a password; and what comes with SSLRequest instead of after it is not heard.
    let mut silent = open.config(0, "quorate");
    silent.ssl_mode(tokio_postgres::config::SslMode::Require);
    assert!(silent.connect(Tls(open.tls())).await.is_err());
    let stuffed = exchange(open.nodes[0].postgres, None, b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\0\x03\0\0").await;
    assert!(String::from_utf8_lossy(&stuffed.unwrap()).contains("unencrypted data after SSL request"));
    // A long statement is stopped by a request that is encrypted as well.
    let cancel = bound.cancel_token();
    let sleeping = tokio::spawn(async move { bound.batch_execute("SELECT pg_sleep(3600)").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    cancel.cancel_query(Tls(open.tls())).await.unwrap();
    let stopped = in_time("cancelling", sleeping).await.unwrap().unwrap_err();
    assert_eq!(sqlstate(&stopped), "57014");
}

async fn certificates(open: &Open) {
    let (dir, files) = (open.dir.path(), Files::below(&open.nodes[0].home));
    let strange = Authority::found("quorate").unwrap();
    let believed = dir.join("strange.crt");
    write_private(&believed, &strange.certificate).unwrap();
    // A client that believes somebody else does not even ask.
    let tls = visitor_config(&believed, None).unwrap();
    assert!(open.connect_with(0, "quorate", PASSWORD, tls).await.is_err());
    // A certificate of somebody else's authority, though the password is right.
    let strange = Authority::load(&strange.certificate, &strange.key).unwrap();
    let node = |cluster: &str| Subject::Node {
        name: NodeName { cluster: cluster.into(), node: "node-2".into() },
        hosts: vec!["localhost".into()],
    };
    let forged = identity(dir, "forged", &strange, &node("quorate"), &files.ca);
    assert!(open.connect_with(0, "quorate", PASSWORD, forged.clone()).await.is_err());
    let own = load(&files);
    let client = identity(dir, "client", &own, &Subject::Client("ann".into()), &files.ca);
    let other = identity(dir, "other", &own, &node("another"), &files.ca);
    let expired = {
        let issued = own.issue_until(&node("quorate"), std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
        let [certificate, key] = ["crt", "key"].map(|ending| dir.join(format!("expired.{ending}")));
        write_private(&certificate, &issued.certificate).unwrap();
        write_private(&key, &issued.key).unwrap();
        visitor_config(&files.ca, Some((&certificate, &key))).unwrap()
    };
    // At the peer port nobody hears a byte: not a stranger in plain text, not one without a certificate, with a forged or an
    // expired one, a client's, or that of a node of another cluster.
    let hello = [&[0u8; 8][..], b"hello"].concat();
    let peers = open.nodes[0].peers;
    let nobody = Some(open.tls());
    for tls in [None, nobody, Some(forged.clone()), Some(expired.clone()), Some(client.clone()), Some(other.clone())] {
        let plain = tls.is_none();
        let heard = exchange(peers, tls, &hello).await.unwrap_or_default();
        // To plain text TLS has an alert and nothing else.
        assert!(heard.is_empty() || plain && heard.len() == 7 && heard[0] == 21, "{heard:?}");
    }
    // At the HTTP port they are nobody, or not even that.
    let ask = async |tls: &Arc<ClientConfig>, path: &str| {
        let way = Way { tls: Some(tls.clone()), login: None };
        let said = way.ask(&format!("localhost:{}", open.nodes[0].http), path, None, PATIENCE).await;
        said.map(|said| said.status)
    };
    for tls in [&forged, &expired] {
        assert!(ask(tls, "/health").await.is_err());
    }
    for tls in [&client, &other, &open.tls()] {
        assert_eq!(ask(tls, "/health").await, Ok(200));
        assert_eq!(ask(tls, "/status").await, Ok(401));
    }
    assert_eq!(ask(&operator_config(&files).unwrap(), "/status").await, Ok(200));
}

async fn doors(open: &Open) {
    let http = open.nodes[0].http;
    let ask = async |login: Option<(&str, &str)>, path: &str, body: Option<&str>| {
        let login = login.map(|(role, password)| (role.to_owned(), Secret(password.to_owned())));
        let way = Way { tls: Some(open.tls()), login };
        let body = body.map(|body| body.as_bytes().to_vec());
        way.ask(&format!("localhost:{http}"), path, body, PATIENCE).await.unwrap().status
    };
    for path in ["/status", "/metrics"] {
        assert_eq!(ask(None, path, None).await, 401, "{path}");
        assert_eq!(ask(Some(("quorate", PASSWORD)), path, None).await, 200, "{path}");
    }
    assert_eq!(ask(None, "/transfer", Some("{}")).await, 401);
    assert_eq!(ask(None, "/node", Some("{\"remove\":{\"node\":\"node-2\"}}")).await, 401);
    assert_eq!(ask(None, "/token", Some("\"list\"")).await, 401);
    assert_eq!(ask(Some(("quorate", "wrong")), "/status", None).await, 401);
    assert_eq!(ask(Some(("ann", "two")), "/status", None).await, 401, "no superuser");
    // Without TLS there is nothing at this port, and no password at the other.
    assert!(exchange(http, None, b"GET /health HTTP/1.0\r\n\r\n").await.unwrap_or_default().len() <= 7);
    let mut plain = open.config(0, "quorate");
    plain.password(PASSWORD);
    let (client, connection) = in_time("on this machine", plain.connect(NoTls)).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(one_value(&client, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await, "false");
    let rules = "SELECT string_agg(type || ' ' || auth_method, ',' ORDER BY line_number) FROM pg_hba_file_rules";
    let expected = "hostssl scram-sha-256,host scram-sha-256,host scram-sha-256";
    assert_eq!(one_value(&client, rules).await, expected);
}

/// The console tells a role what SQL would tell it, and runs its SQL as its own.
async fn console(open: &Open) {
    let http = open.nodes[0].http;
    let ask = async |login: Option<(&str, &str)>, path: &str, body: Option<&str>| {
        let login = login.map(|(role, password)| (role.to_owned(), Secret(password.to_owned())));
        let way = Way { tls: Some(open.tls()), login };
        let body = body.map(|body| body.as_bytes().to_vec());
        let said = way.ask(&format!("localhost:{http}"), path, body, PATIENCE).await.unwrap();
        (said.status, said.text())
    };
    let (root, ann) = (Some(("quorate", PASSWORD)), Some(("ann", "two")));
    for path in ["/console", "/console/me", "/console/main.js", "/console/log?group=2", "/console/events"] {
        assert_eq!(ask(None, path, None).await.0, 401, "{path}");
    }
    assert_eq!(ask(Some(("ann", "wrong")), "/console/me", None).await.0, 401);
    for path in ["/console", "/console/me", "/console/main.js"] {
        assert_eq!(ask(ann, path, None).await.0, 200, "{path}");
    }
    for path in ["/console/log?group=2", "/console/events", "/scrub", "/backup?id=1", "/restore?id=1", "/console/none"]
    {
        assert_eq!(ask(ann, path, None).await.0, 401, "{path} is for superusers");
    }
    assert_eq!(ask(root, "/console/log?group=2", None).await.0, 200);
    let sql = async |login: Option<(&str, &str)>, body: &str| ask(login, "/console/sql", Some(body)).await;
    assert_eq!(sql(None, r#"{"sql": "SELECT 1"}"#).await.0, 401);
    // Whatever the request says of its role.
    let (_, who) = sql(ann, r#"{"sql": "SELECT session_user, current_user", "role": "quorate"}"#).await;
    assert!(who.contains(r#"[["ann","ann"]]"#), "{who}");
    let secret = r#"{"sql": "SELECT * FROM quorate.nodes"}"#;
    assert!(sql(ann, secret).await.1.contains("42501"));
    assert!(sql(root, secret).await.1.contains("node-1"));
    let settings = r#"{"sql": "SET session_replication_role = replica; CREATE ROLE eve SUPERUSER", "write": true}"#;
    assert!(sql(ann, settings).await.1.contains("42501"), "a superuser's rights are not lent");
    assert!(sql(root, r#"{"sql": "CREATE TABLE slip (a int)"}"#).await.1.contains("25006"));
    let none = sql(ann, r#"{"sql": "SELECT 1", "database": "system"}"#).await.1;
    assert!(none.contains("3D000"), "{none}");
}

async fn tokens(open: &mut Open, member: &str) {
    let join = async |open: &Open, name: &str, token: &str| {
        let home = open.dir.path().join(name);
        let port = || format!("127.0.0.1:{}", free_port());
        let (listen, peers, http) = (port(), port(), port());
        let args = ["start", "--host", "localhost", "--name", name, "--listen", &listen, "--peers", &peers, "--http"];
        let rest = [&http, "--join", member, "--token", token, "--data-dir", home.to_str().unwrap()];
        let ended = run_program(&[&args[..], &rest].concat()).await;
        assert_ne!(ended.code, Some(0));
        ended.output
    };
    let once = open.command(&["token", "create"], 1).await;
    let gone = open.command(&["token", "create"], 1).await;
    let id = gone.split('.').nth(1).unwrap();
    open.command(&["token", "revoke", id], 2).await;
    assert!(join(open, "x1", &gone).await.contains("not known, or was revoked"));
    assert!(join(open, "x2", "quorate.1.2.3").await.contains("this is no join token"));
    open.start(&["--join", member, "--token", &once]);
    open.ready().await;
    assert!(join(open, "x3", &once).await.contains("was used up"), "a token is not used twice");
    let late = open.command(&["token", "create", "--hours", "0"], 0).await;
    assert!(join(open, "x4", &late).await.contains("has expired"));
    assert!(open.command(&["token", "list"], 3).await.contains("used up"));
}

fn secrets_stay_in_their_files(open: &Open, token: &str) {
    use std::os::unix::fs::PermissionsExt;
    let secret = token.split('.').nth(2).unwrap();
    for node in &open.nodes {
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let files = Files::below(&node.home);
        assert_eq!(mode(&node.home), 0o700);
        for file in [&files.key, &files.ca_key, &node.home.join("identity")] {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
        let log = std::fs::read_to_string(node.home.with_extension("log")).unwrap();
        // The first node has shown the token to whoever started it; no log line has it.
        let logged =
            log.lines().filter(|line| line.contains("INFO") || line.contains("WARN") || line.contains("ERROR"));
        let logged: String = logged.collect();
        assert!(!logged.contains(secret) && !logged.contains(PASSWORD) && !logged.contains("SCRAM-SHA-256$"));
        assert!(!std::fs::read_to_string(node.home.join("config.toml")).unwrap().contains(secret));
    }
}

/// Clients that come and go all the time, and believe what is in `ca`.
struct Visits {
    stop: Arc<std::sync::atomic::AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Result<u32, String>>>,
}

impl Visits {
    fn begin(open: &Open, ca: &Path) -> Visits {
        let stop: Arc<std::sync::atomic::AtomicBool> = Arc::default();
        let tls = visitor_config(ca, None).unwrap();
        let visit = |node: usize| {
            let mut config = open.config(node, "quorate");
            config.password(PASSWORD).ssl_mode(tokio_postgres::config::SslMode::Require);
            let (stop, tls) = (stop.clone(), tls.clone());
            tokio::spawn(async move {
                let mut visits = 0;
                let stays = connect_as(&config, &tls).await?;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let comes = connect_as(&config, &tls).await?;
                    for client in [&comes, &stays] {
                        client.batch_execute("INSERT INTO visits VALUES (1)").await.map_err(|e| format!("{e:?}"))?;
                    }
                    visits += 1;
                }
                Ok(visits)
            })
        };
        let tasks = (0..open.nodes.len()).map(visit).collect();
        Visits { stop, tasks }
    }

    async fn end(self) -> u32 {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let mut visits = 0;
        for task in self.tasks {
            visits += in_time("a client ends", task).await.unwrap().expect("no connection fails");
        }
        visits
    }
}

async fn connect_as(config: &Config, tls: &Arc<ClientConfig>) -> Result<Client, String> {
    let (client, connection) = config.connect(Tls(tls.clone())).await.map_err(|e| format!("{e:?}"))?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_under_load() {
    let mut open = Open { dir: tempfile::tempdir().unwrap(), nodes: Vec::new() };
    open.start(&["--init"]);
    open.ready().await;
    let (dir, files) = (open.dir.path().to_owned(), Files::below(&open.nodes[0].home));
    let member = format!("localhost:{}", open.nodes[0].http);
    for _ in 0..2 {
        let token = open.command(&["token", "create"], 0).await;
        open.start(&["--join", &member, "--token", &token]);
    }
    open.ready().await;
    let token = open.command(&["token", "create"], 1).await;
    let owner = open.connect(0, "quorate", PASSWORD).await.unwrap();
    run(&owner, "CREATE TABLE visits (n int)").await;
    // What somebody may have kept: the authority with its key, and certificates of a node and of a client.
    let old_ca = dir.join("old.crt");
    std::fs::copy(&files.ca, &old_ca).unwrap();
    let old = load(&files);
    let name = NodeName { cluster: "quorate".into(), node: "node-2".into() };
    let stolen = Subject::Node { name, hosts: vec!["localhost".into()] };
    let stolen = identity(&dir, "stolen", &old, &stolen, &old_ca);

    let before = hex::encode(old.fingerprint().unwrap());
    let visits = Visits::begin(&open, &old_ca);
    let said = open.command(&["certificate", "rotate"], 1).await;
    assert!(said.contains("all nodes have certificates of the new authority"), "{said}");
    // A node shows what the others last reported to it: who was not asked to rotate hears it a moment later.
    let one_authority = async |open: &Open, expected: usize| {
        eventually("all nodes are of one authority", PATIENCE, async || {
            let text = open.command(&["status", "--json"], 0).await;
            let status: ClusterStatus = serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))?;
            let nodes: Vec<_> = status.nodes.into_iter().filter_map(|node| node.authority).collect();
            let one = nodes.first().filter(|first| nodes.len() == expected && nodes.iter().all(|node| node == *first));
            one.filter(|one| **one != before).cloned().ok_or(text)
        })
        .await
    };
    let now = one_authority(&open, 3).await;
    // A token from before names an authority that is still believed.
    open.start(&["--join", &member, "--token", &token]);
    open.ready().await;
    assert_eq!(one_authority(&open, 4).await, now);
    assert!(open.command(&["certificate", "rotate"], 3).await.contains(&now), "it is the same one");
    // Each node takes over, and leads with a certificate that clients of the old authority believe.
    for node in 0..3 {
        open.command(&["transfer", "--to", &format!("node-{}", node + 1)], node).await;
    }
    assert!(visits.end().await > 0);

    let visits = Visits::begin(&open, &files.ca);
    let said = open.command(&["certificate", "retire"], 2).await;
    assert!(said.contains(&now), "{said}");
    eventually("the other nodes' reports are there", PATIENCE, async || {
        let shown = open.command(&["certificate", "show"], 0).await;
        if shown.matches("retired").count() == 4 { Ok(()) } else { Err(shown) }
    })
    .await;
    assert!(visits.end().await > 0);
    for node in 0..4 {
        let (peers, http) = (open.nodes[node].peers, open.nodes[node].http);
        let hello = [&[0u8; 8][..], b"hello"].concat();
        assert!(exchange(peers, Some(stolen.clone()), &hello).await.unwrap_or_default().is_empty());
        let way = Way { tls: Some(stolen.clone()), login: None };
        assert!(way.ask(&format!("localhost:{http}"), "/health", None, PATIENCE).await.is_err());
        let tls = visitor_config(&old_ca, None).unwrap();
        assert!(open.connect_with(node, "quorate", PASSWORD, tls).await.is_err());
        let home = Files::below(&open.nodes[node].home);
        assert_eq!(std::fs::read_to_string(&home.ca).unwrap().matches("BEGIN").count(), 1);
        assert!(!home.next_key.exists() && !home.cross.exists());
    }
    // Nobody gets the key by a password, nor by a client's certificate.
    let client = identity(&dir, "client", &load(&files), &Subject::Client("ann".into()), &files.ca);
    for (tls, login) in [(open.tls(), Some(("quorate".into(), Secret(PASSWORD.into())))), (client, None)] {
        let way = Way { tls: Some(tls), login };
        let said = way.ask(&member, "/authority/key", None, PATIENCE).await.unwrap();
        assert!(matches!(said.status, 401 | 403) && !said.text().contains("KEY"), "{}", said.status);
    }
    // Once more, from what has become of it.
    let said = open.command(&["certificate", "rotate"], 0).await;
    assert!(!said.contains(&now), "{said}");
    open.command(&["certificate", "retire"], 1).await;
    assert_eq!(code(open.connect(3, "quorate", PASSWORD).await), "let in");
}

/// As in Kubernetes: nobody is first, and all have the authority from the start.
#[tokio::test(flavor = "multi_thread")]
async fn founders_that_share_an_authority() {
    let mut open = Open { dir: tempfile::tempdir().unwrap(), nodes: Vec::new() };
    let dir = open.dir.path().to_owned();
    let out = dir.join("ca");
    let made = run_program(&["certificate", "found", "--out", out.to_str().unwrap()]).await;
    assert_eq!(made.code, Some(0), "{}", made.output);
    assert_ne!(run_program(&["certificate", "found", "--out", out.to_str().unwrap()]).await.code, Some(0));
    // Only this machine can reach them.
    let config = dir.join("config.toml");
    std::fs::write(&config, "[security]\n").unwrap();
    let config = config.to_str().unwrap().to_owned();
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let founders = (1..).zip(&ports).map(|(at, port)| format!("{at}=node-{at}@localhost:{port}"));
    let founders = founders.collect::<Vec<_>>().join(",");
    for (at, port) in (1..).zip(&ports) {
        let pki = dir.join(format!("node-{at}")).join("pki");
        std::fs::create_dir_all(&pki).unwrap();
        for file in ["ca.crt", "ca.key"] {
            std::fs::copy(out.join(file), pki.join(file)).unwrap();
        }
        open.start_with(&["--initial", &founders, "--config", &config], *port);
    }
    open.ready().await;
    assert_eq!(code(open.connect(2, "quorate", PASSWORD).await), "let in");
    assert_eq!(code(open.connect(1, "quorate", "wrong").await), "28P01");
    // One more, later: its certificate is enough.
    let pki = dir.join("node-4").join("pki");
    std::fs::create_dir_all(&pki).unwrap();
    for file in ["ca.crt", "ca.key"] {
        std::fs::copy(out.join(file), pki.join(file)).unwrap();
    }
    let member = format!("localhost:{}", open.nodes[0].http);
    open.start(&["--join", &member, "--config", &config]);
    open.ready().await;
    assert_eq!(code(open.connect(3, "quorate", PASSWORD).await), "let in");
    assert!(open.command(&["certificate", "rotate"], 3).await.contains("retire"));
}
