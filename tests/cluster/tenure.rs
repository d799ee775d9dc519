//! Locks while leaderships move and nodes die: nobody is told the same number twice, a row lock is a mutex, and the dead
//! hold nothing.

use crate::support::cluster::{Cluster, connect, run_program, sqlstate};
use crate::support::{PATIENCE, in_time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Error};

const CLIENTS: usize = 8;
const CHANGES: usize = 8;

/// What moves the leadership.
#[derive(Clone, Copy, PartialEq)]
enum Move {
    Transfer,
    Kill,
}

struct Field {
    ports: Vec<u16>,
    stop: AtomicBool,
    done: AtomicUsize,
}

impl Field {
    fn new(cluster: &Cluster) -> Arc<Field> {
        let ports = (1..=3).map(|id| cluster.node(id).postgres).collect();
        Arc::new(Field { ports, stop: AtomicBool::new(false), done: AtomicUsize::new(0) })
    }

    /// Waits for so many more blocks.
    async fn progress(&self, blocks: usize) {
        let goal = self.done.load(Ordering::SeqCst) + blocks;
        let until = Instant::now() + PATIENCE;
        while self.done.load(Ordering::SeqCst) < goal {
            assert!(Instant::now() < until, "nothing goes on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Runs blocks until told to stop; what each has returned that was committed, and the errors of those that live.
async fn work<T>(
    field: Arc<Field>,
    number: usize,
    mut block: impl AsyncFnMut(&Client) -> Result<T, Error>,
) -> (Vec<T>, BTreeMap<String, usize>) {
    let (mut done, mut errors, mut at) = (Vec::new(), BTreeMap::new(), number);
    let mut client: Option<Client> = None;
    while !field.stop.load(Ordering::SeqCst) {
        let Some(open) = client.take_if(|client| !client.is_closed()) else {
            client = connect(field.ports[at % 3]).await.ok();
            at += 1;
            if client.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            continue;
        };
        match in_time("a block", block(&open)).await {
            Ok(value) => {
                done.push(value);
                field.done.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) if error.code().is_none() || sqlstate(&error) == "57P01" => continue,
            Err(error) => {
                *errors.entry(sqlstate(&error)).or_default() += 1;
                let _ = open.batch_execute("ROLLBACK").await;
            }
        }
        client = Some(open);
    }
    (done, errors)
}

async fn move_leadership(cluster: &mut Cluster, how: Move) {
    let leader = cluster.leader("quorate").await;
    match how {
        Move::Transfer => {
            let (through, to) =
                (format!("127.0.0.1:{}", cluster.node(leader).http), format!("node-{}", leader % 3 + 1));
            let ended = run_program(&["transfer", "--addr", &through, "--database", "quorate", "--to", &to]).await;
            assert_eq!(ended.code, Some(0), "{}", ended.output);
        }
        Move::Kill => {
            cluster.kill(leader);
            tokio::time::sleep(Duration::from_millis(300)).await;
            cluster.restart(leader).await;
        }
    }
}

/// A planned change costs no block anything; an unplanned one those of the dead node only.
fn judge(how: Move, errors: &BTreeMap<String, usize>) {
    if how == Move::Transfer {
        assert!(errors.is_empty(), "{errors:?}");
    }
    assert!(errors.keys().all(|code| code == "40001"), "{errors:?}");
}

async fn tickets(how: Move) {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE c (id int PRIMARY KEY, n int); INSERT INTO c VALUES (1, 0)").await;
    let field = Field::new(&cluster);
    let take = async |client: &Client| {
        client.batch_execute("BEGIN; UPDATE c SET n = n + 1 WHERE id = 1").await?;
        let number: i32 = client.query_one("SELECT n FROM c WHERE id = 1", &[]).await?.get(0);
        client.batch_execute("COMMIT").await.map(|()| number)
    };
    let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(work(field.clone(), number, take))).collect();
    for _ in 0..CHANGES {
        field.progress(20).await;
        move_leadership(&mut cluster, how).await;
    }
    field.progress(20).await;
    field.stop.store(true, Ordering::SeqCst);
    let (mut told, mut errors) = (Vec::new(), BTreeMap::new());
    for client in clients {
        let (numbers, failed) = in_time("a client", client).await.expect("no panic");
        told.extend(numbers);
        failed.into_iter().for_each(|(code, n)| *errors.entry(code).or_default() += n);
    }
    let all = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), all, "the same number was told to two committed blocks");
    println!("{all} blocks, {CHANGES} changes of leader, errors {errors:?}");
    judge(how, &errors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_is_told_twice_when_a_leadership_is_handed_over() {
    tickets(Move::Transfer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_is_told_twice_when_leaders_are_killed() {
    tickets(Move::Kill).await;
}

/// Blocks that only lock: they leave nothing in the log that could be compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_lock_is_a_mutex_whoever_leads() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE l (id int PRIMARY KEY); INSERT INTO l VALUES (1)").await;
    let field = Field::new(&cluster);
    let origin = Instant::now();
    let hold = async move |client: &Client| {
        client.batch_execute("BEGIN; SELECT * FROM l WHERE id = 1 FOR UPDATE").await?;
        let since = origin.elapsed();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let until = origin.elapsed();
        client.batch_execute("COMMIT").await.map(|()| (since, until))
    };
    let clients: Vec<_> = (0..6).map(|number| tokio::spawn(work(field.clone(), number, hold))).collect();
    for change in 0..CHANGES {
        field.progress(5).await;
        let how = if change % 4 == 3 { Move::Kill } else { Move::Transfer };
        move_leadership(&mut cluster, how).await;
    }
    field.progress(5).await;
    field.stop.store(true, Ordering::SeqCst);
    let (mut held, mut errors) = (Vec::new(), BTreeMap::new());
    for client in clients {
        let (intervals, failed) = in_time("a client", client).await.expect("no panic");
        held.extend(intervals);
        errors.extend(failed);
    }
    held.sort_unstable();
    for pair in held.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "two committed blocks held the lock at once: {pair:?}");
    }
    println!("{} blocks, {CHANGES} changes of leader, errors {errors:?}", held.len());
    judge(Move::Kill, &errors);
}

/// What the clients of a dead node have locked is free as soon as the leader knows of its death.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dead_hold_no_locks() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE r (id int PRIMARY KEY, n int); INSERT INTO r VALUES (1, 0), (2, 0)").await;
    let leader = cluster.leader("quorate").await;
    let dead = cluster.follower("quorate").await;
    let other = 6 - leader - dead;
    let holder = cluster.connect(dead).await;
    holder.batch_execute("BEGIN; UPDATE r SET n = n + 1 WHERE id = 1").await.expect("the lock");
    let keeper = cluster.connect(other).await;
    keeper.batch_execute("BEGIN; UPDATE r SET n = n + 1 WHERE id = 2").await.expect("another lock");
    let waiting = cluster.connect(leader).await;
    let wait = tokio::spawn(async move { waiting.execute("UPDATE r SET n = n + 10 WHERE id = 1", &[]).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!wait.is_finished(), "the row is locked");
    let killed = Instant::now();
    cluster.kill(dead);
    in_time("the row", wait).await.expect("no panic").expect("update");
    let took = killed.elapsed();
    println!("the lock of a dead node's client was free after {took:?}");
    assert!(took < Duration::from_secs(5), "a lease is 10 s; it took {took:?}");
    // Those of the living are as they were.
    keeper.batch_execute("COMMIT").await.expect("commit");
    assert_eq!(cluster.value(leader, "SELECT string_agg(n::text, ' ' ORDER BY id) FROM r").await, "10 1");
}
