//! Notifications on every node, in the order of the log, while leaders die.

use crate::support::cluster::{Cluster, connect};
use crate::support::{PATIENCE, in_time};
use futures::{StreamExt, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls};

/// A client on this port that listens to `c`, and what it hears.
async fn listener(port: u16) -> (Client, mpsc::UnboundedReceiver<String>) {
    let address = format!("host=127.0.0.1 port={port} user=quorate dbname=quorate");
    let (client, mut connection) = tokio_postgres::connect(&address, NoTls).await.expect("connect");
    let (sender, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                let _ = sender.send(notification.payload().to_owned());
            }
        }
    });
    client.batch_execute("LISTEN c").await.expect("LISTEN");
    (client, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_hears_the_same_through_the_deaths_of_leaders() {
    let mut cluster = Cluster::start(3).await;
    let victim = cluster.leader("quorate").await;
    let ports: Vec<u16> = (1..=3).map(|id| cluster.node(id).postgres).collect();
    let living: Vec<u64> = (1..=3).filter(|id| *id != victim).collect();
    let mut listeners = Vec::new();
    for id in living.iter().chain(&living) {
        listeners.push(listener(cluster.node(*id).postgres).await);
    }
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writers: Vec<_> = (0..4)
        .map(|number: usize| {
            let (stop, count, ports) = (stop.clone(), count.clone(), ports.clone());
            tokio::spawn(async move {
                let (mut told, mut open, mut at) = (Vec::new(), None::<Client>, number);
                for n in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    while open.as_ref().is_none_or(Client::is_closed) {
                        open = connect(ports[at % 3]).await.ok();
                        at += 1;
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    let (text, client) = (format!("{number}-{n}"), open.as_ref().expect("just opened"));
                    if in_time("a notification", client.execute("SELECT pg_notify('c', $1)", &[&text])).await.is_ok() {
                        told.push(text);
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }
                told
            })
        })
        .collect();
    let progress = async |more: usize| {
        let (goal, until) = (count.load(Ordering::SeqCst) + more, Instant::now() + PATIENCE);
        while count.load(Ordering::SeqCst) < goal {
            assert!(Instant::now() < until, "nothing goes on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for _ in 0..3 {
        progress(40).await;
        cluster.kill(victim);
        progress(40).await;
        cluster.restart(victim).await;
        // It leads again, to be killed again.
        let leader = cluster.leader("quorate").await;
        let (through, to) = (format!("127.0.0.1:{}", cluster.node(leader).http), format!("node-{victim}"));
        let words = ["transfer", "--addr", &through, "--database", "quorate", "--to", &to];
        crate::support::cluster::run_program(&words).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut told = Vec::new();
    for writer in writers {
        told.extend(in_time("a writer", writer).await.expect("no panic"));
    }
    cluster.run(living[0], "NOTIFY c, 'end'").await;
    let mut all = Vec::new();
    for (_client, heard) in &mut listeners {
        let mut own = Vec::new();
        loop {
            match in_time("the end", heard.recv()).await.expect("its node lives").as_str() {
                "end" => break,
                text => own.push(text.to_owned()),
            }
        }
        all.push(own);
    }
    let first = &all[0];
    assert!(all.iter().all(|own| own == first), "all hear the same in the same order");
    let mut once = first.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), first.len(), "each is heard once");
    assert!(told.iter().all(|text| once.binary_search(text).is_ok()), "nothing that was acknowledged is lost");
    println!("{} notifications heard, {} acknowledged", first.len(), told.len());
}
