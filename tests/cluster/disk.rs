//! A disk that runs full: writes end with an error that says so, nothing is lost, and with space it goes on.
//!
//! Needs a small file system of its own, and so the right to mount one; without it the test says so and passes.

use crate::support::cluster::{Cluster, Options, explain, sqlstate};
use crate::support::load::{Load, assert_exactly_once, assert_no_errors};
use crate::support::{PATIENCE, eventually, http, in_time};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A mounted tmpfs; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, mib: u32) -> Result<SmallDisk, String> {
        std::fs::create_dir_all(at).map_err(|e| e.to_string())?;
        let path = CString::new(at.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
        let options = CString::new(format!("size={mib}m,mode=700")).map_err(|e| e.to_string())?;
        // SAFETY: mount(2) with strings that live through the call.
        let result =
            unsafe { libc::mount(c"tmpfs".as_ptr(), path.as_ptr(), c"tmpfs".as_ptr(), 0, options.as_ptr().cast()) };
        if result == 0 { Ok(SmallDisk(at.to_owned())) } else { Err(std::io::Error::last_os_error().to_string()) }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Ok(path) = CString::new(self.0.as_os_str().as_bytes()) {
            // SAFETY: umount2(2) of what `mount` has mounted.
            unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
        }
    }
}

/// A disk of so many MiB for each of three nodes, and their data directories on them; `None` where that is not allowed.
fn small_disks(mib: u32) -> Option<(TempDir, Vec<SmallDisk>, BTreeMap<u64, PathBuf>)> {
    let mounts = tempfile::tempdir().expect("a temporary directory");
    let mut disks = Vec::new();
    let mut homes = BTreeMap::new();
    for id in 1..=3 {
        let at = mounts.path().join(format!("disk-{id}"));
        match SmallDisk::mount(&at, mib) {
            Ok(disk) => disks.push(disk),
            Err(e) => {
                println!("skipped: a tmpfs cannot be mounted here ({e})");
                return None;
            }
        }
        homes.insert(id, at.join("data"));
    }
    Some((mounts, disks, homes))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_runs_full() {
    let Some((_mounts, disks, homes)) = small_disks(400) else { return };
    let limits = "disk_watermark_mib = 40".to_owned();
    let mut cluster = Cluster::start_with(3, Options { homes, limits, ..Options::default() }).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body bytea)").await;

    // One disk fills up: the others are enough.
    let follower = cluster.follower("quorate").await;
    let ballast = fill(&disks[follower as usize - 1].0, 20);
    eventually("the node says that its disk is full", PATIENCE, async || {
        match http::get(cluster.node(follower).http, "/ready").await? {
            (503, body) if body.contains("disk full") => Ok(()),
            (code, body) => Err(format!("{code} {body}")),
        }
    })
    .await;
    let leader = cluster.leader("quorate").await;
    let load = Load::start(&cluster, 4, &[leader]).await;
    load.progress(100).await;
    std::fs::remove_file(&ballast).expect("our own file");
    cluster.wait_ready().await;
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;

    // All disks: a write ends with 53100 (or waits for its timeout), reads go on.
    let ballasts: Vec<PathBuf> = disks.iter().map(|d| fill(&d.0, 20)).collect();
    for id in 1..=3 {
        eventually("every node says that its disk is full", PATIENCE, async || {
            match http::get(cluster.node(id).http, "/ready").await? {
                (503, body) if body.contains("disk full") => Ok(()),
                (code, body) => Err(format!("{code} {body}")),
            }
        })
        .await;
    }
    let client = cluster.connect(leader).await;
    client.batch_execute("SET statement_timeout = '5s'").await.expect("set");
    let error = in_time("a write", client.batch_execute("INSERT INTO t VALUES (1, '')")).await.expect_err("disk full");
    assert!(["53100", "57014"].contains(&sqlstate(&error).as_str()), "{}", explain(&error));
    // Where all disks are full and the leadership has moved, the new leader cannot commit its first entry, without which
    // it may not promise that a read is fresh. A read that need not be is always answered.
    client.batch_execute("SET quorate.read_consistency = 'stale'").await.expect("set");
    in_time("a read", client.simple_query("SELECT count(*) FROM t")).await.expect("reads go on");
    for ballast in ballasts {
        std::fs::remove_file(ballast).expect("our own file");
    }
    cluster.wait_ready().await;
    cluster.run(leader, "INSERT INTO t VALUES (2, '')").await;

    drop(cluster);
}

/// To the last byte, without a watermark that warns: the database file cannot be written, then the log neither. Others
/// lead, nobody waits, and with space the node goes on: the same process, without a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_writes() {
    const LARGE_ROWS: i32 = 80;
    // The others must have room for all that is written while one is full, however long that takes.
    let Some((mounts, disks, homes)) = small_disks(1024) else { return };
    let limits = "disk_watermark_mib = 0".to_owned();
    let mut cluster = Cluster::start_with(3, Options { homes, limits, ..Options::default() }).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body text)").await;
    for leads in [true, false] {
        let victim = if leads { cluster.leader("quorate").await } else { cluster.follower("quorate").await };
        let pid = cluster.node(victim).pid();
        let others: Vec<u64> = cluster.living().into_iter().filter(|id| *id != victim).collect();
        let ballast = fill(&disks[victim as usize - 1].0, 0);
        let load = Load::start(&cluster, 4, &others).await;
        load.progress(60).await;
        // More than the log has prepared files for.
        let client = cluster.connect(others[0]).await;
        let body = "x".repeat(1 << 20);
        for id in 0..LARGE_ROWS {
            if id % 8 == 0 {
                // What the node itself has given back, by cutting its log or its WAL, is not to be room for all of this.
                fill(&disks[victim as usize - 1].0, 0);
            }
            let sql = "INSERT INTO t VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
            in_time("a large row", client.execute(sql, &[&id, &body])).await.expect("the others are enough");
        }
        eventually("the node says why it does not serve", PATIENCE, async || {
            match http::get(cluster.node(victim).http, "/ready").await? {
                (503, body) if body.contains("halted: ") && body.contains("(trying again)") => Ok(()),
                (code, body) => Err(format!("{code} {body}")),
            }
        })
        .await;
        assert_ne!(cluster.leader_among(&others, "quorate").await, victim, "it does not lead");
        let there = cluster.connect(victim).await;
        let error = in_time("a read there", there.simple_query("SELECT count(*) FROM t")).await.expect_err("it lags");
        assert_eq!(sqlstate(&error), "57P03", "{}", explain(&error));
        load.progress(60).await;
        std::fs::remove_file(&ballast).expect("our own file");
        cluster.wait_ready().await;
        let reports = load.finish().await;
        assert_no_errors(&reports);
        if leads {
            assert_exactly_once(&cluster, &reports).await;
        }
        cluster.wait_converged().await;
        assert!(cluster.is_running(victim) && cluster.node(victim).pid() == pid, "without a restart");
        assert_eq!(cluster.value(victim, "SELECT count(*) FROM t").await, LARGE_ROWS.to_string());
    }
    drop((cluster, disks, mounts));
}

/// Fills a file system up to `leave_mib`, again if it was filled before.
fn fill(disk: &Path, leave_mib: u64) -> PathBuf {
    use std::io::Write;
    let path = disk.join("ballast");
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).expect("our own disk");
    let block = vec![1u8; 1 << 20];
    while free_mib(disk) > leave_mib {
        if file.write_all(&block).is_err() {
            break;
        }
    }
    // The rest of a last block.
    while leave_mib == 0 && file.write_all(&[1; 4096]).is_ok() {}
    path
}

fn free_mib(disk: &Path) -> u64 {
    let path = CString::new(disk.as_os_str().as_bytes()).expect("a path");
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` is a C string and `stat` is room for the result, read only after success.
    unsafe {
        assert_eq!(libc::statvfs(path.as_ptr(), stat.as_mut_ptr()), 0);
        let stat = stat.assume_init();
        (stat.f_bavail * stat.f_frsize) >> 20
    }
}
