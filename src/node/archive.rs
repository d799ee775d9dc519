//! Keeps the logs of databases beside their backups, so that a backup can be brought to any later moment.
//!
//! Whoever leads a database keeps its log: what is applied here, so what a majority has committed, in parts of at most
//! [`PART`] bytes, and notes how far. Followers look at that note, so that they do not give up what is not kept yet: one of
//! them may have to go on. A leader that was replaced and does not know yet keeps entries that its successor keeps as well, which
//! does no harm: they are the same.

use super::{Runtime, patience};
use crate::backup::keeper::Keeper;
use crate::backup::segment::{self, Segment, Through};
use crate::clock::now_micros;
use crate::command;
use crate::depot;
use crate::gateway::router::Router;
use crate::id::{GroupId, SYSTEM_GROUP};
use crate::raftlog::{Entry, LogError};
use crate::status::ArchiveRow;
use parking_lot::Mutex;
use protobuf::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often is looked for entries.
const PERIOD: Duration = Duration::from_millis(500);
/// How long entries may wait for others with which they become one part.
const GATHER: Duration = Duration::from_secs(1);
/// Bytes of a part, and entries that are worth one at once.
const PART: u64 = 4 << 20;
const MANY: u64 = 512;
/// How often a follower looks how far the log is kept.
const FOLLOW: Duration = Duration::from_secs(2);
/// How often it is noted of a database to which nobody writes that nothing was written; the more there are, the less often.
const IDLE: Duration = Duration::from_secs(4);
const IDLE_EACH: Duration = Duration::from_millis(50);
/// How long a majority is asked.
const ASK: Duration = Duration::from_secs(2);
/// By how much another leader's clock may be behind: µs.
const SKEW: i64 = 1_000_000;

/// What is told of it.
#[derive(Default)]
pub struct Archive {
    told: Mutex<BTreeMap<GroupId, Told>>,
}

#[derive(Clone)]
struct Told {
    index: u64,
    /// Since when entries wait.
    since: Option<Instant>,
    problem: Option<String>,
}

impl Archive {
    /// How far a database's log is kept, if this node keeps it.
    pub fn row(&self, group: GroupId) -> Option<ArchiveRow> {
        let told = self.told.lock().get(&group).cloned()?;
        let lag_ms = told.since.map_or(0, |since| since.elapsed().as_millis() as u64);
        Some(ArchiveRow { index: told.index, lag_ms, problem: told.problem })
    }
}

/// How far the log of a database that this node leads is kept.
#[derive(Clone, Default)]
struct Course {
    /// The first entry that is not.
    next: u64,
    since: Option<Instant>,
    through: Through,
    noted: Option<Instant>,
    gap: Option<String>,
}

/// Keeps the logs of the databases that this node leads, for ever.
pub async fn keep(runtime: Arc<Runtime>) {
    if runtime.config.backup.archive.is_none() {
        return;
    }
    let (mut keeper, mut courses) = (None, BTreeMap::<GroupId, Course>::new());
    let mut looked: BTreeMap<GroupId, Instant> = BTreeMap::new();
    loop {
        tokio::time::sleep(PERIOD).await;
        let routers = runtime.groups.routers();
        courses.retain(|group, _| routers.iter().any(|router| router.id == *group && router.group.is_leader()));
        looked.retain(|group, _| routers.iter().any(|router| router.id == *group));
        runtime.archive.told.lock().retain(|group, _| courses.contains_key(group));
        if keeper.is_none() {
            let config = runtime.config.backup.clone();
            let place = config.archive.unwrap_or_default();
            let opened = move || depot::open(&place, config.key_file.as_deref(), true);
            match blocking(opened).await {
                Ok(opened) => keeper = Some(Arc::new(opened)),
                Err(why) => {
                    tracing::warn!(why, "logs cannot be kept");
                    for router in routers.iter().filter(|router| router.id != SYSTEM_GROUP && router.group.is_leader())
                    {
                        courses.entry(router.id).or_default();
                        fail(&runtime, router.id, &why);
                    }
                    courses.clear();
                    tokio::time::sleep(FOLLOW).await;
                    continue;
                }
            }
        }
        let Some(keeper) = &keeper else { continue };
        for router in routers.into_iter().filter(|router| router.id != SYSTEM_GROUP) {
            let group = router.id;
            if !router.group.is_leader() {
                if looked.get(&group).is_none_or(|at| at.elapsed() >= FOLLOW) {
                    looked.insert(group, Instant::now());
                    let (keeper, cluster) = (keeper.clone(), cluster(&runtime));
                    match blocking(move || keeper.through(&cluster, group.0)).await {
                        Ok(through) => through.iter().for_each(|through| router.group.note_kept(through.index)),
                        Err(why) => tracing::debug!(%group, why, "how far the log is kept cannot be read"),
                    }
                }
                continue;
            }
            let course = courses.get(&group).cloned();
            let idle = IDLE + IDLE_EACH * courses.len() as u32;
            match lead(&runtime, keeper, &router, course, idle).await {
                Ok(course) => {
                    let index = course.next - 1;
                    router.group.note_kept(index);
                    let told = Told { index, since: course.since, problem: course.gap.clone() };
                    runtime.archive.told.lock().insert(group, told);
                    courses.insert(group, course);
                }
                Err(why) => {
                    tracing::warn!(%group, why, "the log is not kept at present");
                    courses.remove(&group);
                    fail(&runtime, group, &why);
                }
            }
        }
    }
}

fn fail(runtime: &Runtime, group: GroupId, why: &str) {
    let mut told = runtime.archive.told.lock();
    let told = told.entry(group).or_insert(Told { index: 0, since: None, problem: None });
    told.since.get_or_insert_with(Instant::now);
    told.problem = Some(why.to_owned());
}

fn cluster(runtime: &Runtime) -> String {
    format!("{:032x}", runtime.identity.cluster)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

/// Goes on where the log is kept up to now.
async fn lead(
    runtime: &Arc<Runtime>,
    keeper: &Arc<Keeper>,
    router: &Arc<Router>,
    course: Option<Course>,
    idle: Duration,
) -> Result<Course, String> {
    let (group, cluster) = (router.id, cluster(runtime));
    let mut course = match course {
        Some(course) => course,
        None => {
            let (keeper, cluster, first) = (keeper.clone(), cluster.clone(), router.group.status().first_index);
            blocking(move || begin(&keeper, &cluster, group, first.max(1))).await?
        }
    };
    let applied = router.shared.applied();
    let mut quiet_since = None;
    if applied < course.next && course.noted.is_none_or(|at| at.elapsed() >= idle) {
        // Whatever is committed from now on has a later time.
        let before = now_micros() - SKEW;
        if router.read_point(&patience(ASK)).await.is_ok() && router.shared.applied() < course.next {
            quiet_since = Some(before);
        }
    }
    if applied >= course.next {
        let since = *course.since.get_or_insert_with(Instant::now);
        if since.elapsed() < GATHER && applied - course.next < MANY {
            return Ok(course);
        }
    } else if quiet_since.is_none() {
        course.since = None;
        return Ok(course);
    }
    let (keeper, log) = (keeper.clone(), runtime.log.clone());
    blocking(move || {
        let (mut through, gave_up) = (course.through, Instant::now());
        through.time = through.time.max(quiet_since.unwrap_or(i64::MIN));
        while course.next <= applied {
            let entries = match log.entries(group, course.next, applied + 1, PART) {
                Ok(entries) => entries,
                // It may be applied here, and not on the disk here yet; or given up already, which is found out anew.
                Err(LogError::Missing { .. }) if gave_up.elapsed() < GATHER => {
                    std::thread::sleep(PERIOD / 10);
                    continue;
                }
                Err(error) => return Err(error.to_string()),
            };
            let Some(last) = entries.last().map(|entry| entry.index) else { break };
            through.time = entries.iter().filter_map(floor_after).fold(through.time, i64::max);
            let entries = entries.iter().map(|entry| entry.write_to_bytes().map_err(|e| e.to_string()));
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            keeper.put_segment(&Segment {
                cluster_id: cluster.clone(),
                group: group.0,
                first: course.next,
                entries,
            })?;
            (course.next, through.index) = (last + 1, last);
        }
        course.since = None;
        keeper.note_through(&cluster, group.0, through)?;
        (course.through, course.noted) = (through, Some(Instant::now()));
        Ok(course)
    })
    .await
}

/// The first time that an entry leaves free.
fn floor_after(entry: &Entry) -> Option<i64> {
    let (now, commands) = command::head(&entry.data).ok()?;
    Some(now.saturating_add(i64::try_from(commands).ok()?))
}

/// How far the log is kept, by whomever; `first` is what this node's log still has.
fn begin(keeper: &Keeper, cluster: &str, group: GroupId, first: u64) -> Result<Course, String> {
    let names = keeper.segments(cluster, group.0)?;
    let last = names.iter().filter_map(|name| segment::range(name)).map(|(_, last)| last).max().unwrap_or(0);
    let noted = keeper.through(cluster, group.0)?.unwrap_or_default();
    let gap = (last > 0 && last + 1 < first).then(|| {
        let last = last + 1;
        format!("entries {last} to {} are not kept: make a new backup", first - 1)
    });
    let time = if gap.is_none() && noted.index <= last { noted.time } else { i64::MIN };
    let through = Through { index: last, time };
    Ok(Course { next: first.max(last + 1), since: None, through, noted: None, gap })
}
