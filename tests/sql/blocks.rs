//! The scripts once more, in transaction blocks: each statement in a block of its own, and a whole script in one block, with a
//! savepoint around each statement. What they answer is the same, and a block that nobody disturbs commits.
//!
//! Where the answers differ for a reason, [`EXCEPTIONS`] says so; each must still be one.

use super::{Block, Outcome, is_single, parse, scripts, show};
use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{self, Message, Raw};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Each,
    Whole,
}

/// In which manner, in which script, of which statements (by a part of their text) another answer is right, and why.
const EXCEPTIONS: &[(Option<Manner>, &str, &str, &str)] = &[
    (Some(Manner::Whole), "enums_uncommitted.sql", "select 'c'::unc", "the block that has added the label is not over"),
    (None, "session.sql", "LOCK TABLE s_cat", "it belongs into a block"),
    (None, "refusals_definitions.sql", "lock table nosuch", "it belongs into a block"),
    (None, "roles.sql", "CONNECTION LIMIT", OF_THE_CLUSTER),
    (None, "roles.sql", "ALLOW_CONNECTIONS false", OF_THE_CLUSTER),
    (None, "roles.sql", "SELECT datconnlimit", OF_THE_CLUSTER),
    (None, "transactions.sql", "DECLARE x_c CURSOR FOR SELECT 1", "it belongs into a block"),
    (Some(Manner::Whole), "ddl.sql", "INSERT INTO d_users (email)", DRAWS),
    (Some(Manner::Whole), "ddl.sql", "'a name that is too long'", DRAWS),
    (Some(Manner::Whole), "temporary.sql", "SELECT count(*) FROM tp_rows", "its block goes on"),
    (Some(Manner::Whole), "temporary.sql", "SELECT * FROM tp_now", "its block goes on"),
    (Some(Manner::Whole), "keys_deferrable.sql", "", "keys that are put off are checked at the end of the whole"),
    // And with other numbers other rows violate something.
    (Some(Manner::Whole), "violations.sql", "", DRAWS),
];
const OF_THE_CLUSTER: &str = "what the cluster notes of a database is not changed in a block, which is a database's";
const DRAWS: &str = "what a failed statement drew from a sequence that the same block has made is drawn again";

/// Answers, and the state that the session is in afterwards: `I`, `T` or `E`.
async fn ask(client: &mut Raw, sql: &str, copy: &[String]) -> std::io::Result<(Vec<String>, u8)> {
    client.send(&raw::query(sql)).await?;
    let mut messages: Vec<Message> = Vec::new();
    loop {
        let message = client.receive().await?;
        match message.tag {
            b'Z' => return Ok((show(&messages), message.body[0])),
            b'G' => {
                for line in copy {
                    client.send(&raw::frame(b'd', format!("{line}\n").as_bytes())).await?;
                }
                client.send(&raw::frame(b'c', b"")).await?;
            }
            _ => messages.push(message),
        }
    }
}

/// It belongs to no block, or makes one.
fn stands_alone(block: &Block) -> bool {
    let sql = block.sql().to_ascii_uppercase();
    let begins = |words: &&str| sql.starts_with(words);
    let alone =
        ["BEGIN", "START ", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "SET ", "RESET ", "SHOW "];
    let never = ["VACUUM", "REINDEX", "CREATE DATABASE", "DROP DATABASE", "DISCARD", "LISTEN", "PREPARE", "DEALLOCATE"];
    // They end transactions themselves.
    let online = sql.contains("INDEX CONCURRENTLY");
    let split = online || !is_single(block) && block.copy.is_empty() && !sql.starts_with("COPY");
    split || alone.iter().chain(&never).any(begins)
}

struct Player {
    client: Raw,
    /// The state of the session.
    state: u8,
    /// The open block is ours.
    ours: bool,
}

impl Player {
    async fn say(&mut self, sql: &str) -> std::io::Result<Vec<String>> {
        let (lines, state) = ask(&mut self.client, sql, &[]).await?;
        self.state = state;
        Ok(lines)
    }

    /// Ends our block; what is wrong with that.
    async fn commit(&mut self) -> std::io::Result<Vec<String>> {
        if !std::mem::take(&mut self.ours) {
            return Ok(Vec::new());
        }
        let lines = self.say("COMMIT").await?;
        Ok(if lines == ["COMMIT"] { Vec::new() } else { lines })
    }

    async fn play(&mut self, block: &Block, manner: Manner) -> std::io::Result<Vec<String>> {
        let mut found = Vec::new();
        if self.state == b'I' || self.ours {
            if stands_alone(block) {
                found = self.commit().await?;
            } else {
                if !self.ours {
                    self.say("BEGIN").await?;
                    self.ours = true;
                }
                if manner == Manner::Whole {
                    self.say("SAVEPOINT around").await?;
                }
            }
        }
        let (lines, state) = ask(&mut self.client, &block.sql(), &block.copy).await?;
        self.state = state;
        found.extend(lines);
        if self.ours {
            match (manner, self.state) {
                (Manner::Whole, b'E') => {
                    self.say("ROLLBACK TO around").await?;
                    self.say("RELEASE around").await?;
                }
                (Manner::Whole, _) => _ = self.say("RELEASE around").await?,
                (Manner::Each, b'E') => {
                    self.say("ROLLBACK").await?;
                    self.ours = false;
                }
                (Manner::Each, _) => {
                    let refused = self.commit().await?;
                    // What is checked at the end fails at the end.
                    if !refused.is_empty() {
                        found = refused;
                    }
                }
            }
        }
        Ok(found)
    }
}

async fn run(manner: Manner) -> Outcome {
    let cluster = Cluster::start(1).await;
    let mut outcome = Outcome::default();
    let mut excepted = vec![false; EXCEPTIONS.len()];
    for path in scripts("scripts") {
        let port = cluster.node(1).postgres;
        let mut player = Player { client: Raw::connect(port).await.expect("connect"), state: b'I', ours: false };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let blocks = parse(&std::fs::read_to_string(&path).expect("a script"));
        for block in blocks.iter().filter(|b| !b.sql.is_empty()) {
            let place = format!("{name}:{} ({manner:?})", block.line);
            let found = match in_time(&place, player.play(block, manner)).await {
                Ok(found) => found,
                Err(e) => {
                    player = Player { client: Raw::connect(port).await.expect("again"), state: b'I', ours: false };
                    vec![format!("the connection ended: {e}")]
                }
            };
            let exception = EXCEPTIONS.iter().position(|(of, file, text, _)| {
                of.is_none_or(|of| of == manner) && *file == name && block.sql().contains(text)
            });
            match exception {
                Some(number) if found != block.expected_here() && found != block.gap => excepted[number] = true,
                _ => outcome.note(&place, block, &found),
            }
        }
        let refused = player.commit().await.expect("an answer");
        let excepted =
            EXCEPTIONS.iter().any(|(of, file, text, _)| *of == Some(manner) && *file == name && text.is_empty());
        if !refused.is_empty() && !excepted {
            outcome.wrong.push(format!("{name}: COMMIT of the whole: {refused:?}"));
        }
    }
    for ((of, file, text, _), used) in EXCEPTIONS.iter().zip(excepted) {
        if of.is_none_or(|of| of == manner) && !used && std::env::var_os("QUORATE_SCRIPT").is_none() {
            outcome.wrong.push(format!("{file}: \"{text}\" is no exception any more"));
        }
    }
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_statement_in_a_block_of_its_own() {
    if std::env::var_os("QUORATE_RECORD").is_none() {
        run(Manner::Each).await.check();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_script_in_one_block() {
    if std::env::var_os("QUORATE_RECORD").is_none() {
        run(Manner::Whole).await.check();
    }
}
