//! Spans: the way of single statements, for whoever joins them to a trace of his own (OpenTelemetry).
//!
//! Off, it costs a look at one flag. A statement is traced if its text begins or ends with a comment that has a
//! `traceparent` (W3C Trace Context, as sqlcommenter writes it) whose flag asks for it, or by chance, as the configuration says.
//! Its gateway makes the spans; where the time of an entry went its leader remembers for a while, and is asked.

use crate::id::GroupId;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Spans that wait to be sent; what is more is dropped, and counted.
const WAITING: usize = 8192;
/// Entries that a leader remembers.
const REMEMBERED: usize = 4096;

/// Where a span stands: its trace, and itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub trace: [u8; 16],
    pub span: [u8; 8],
}

impl Place {
    /// A new span in the same trace.
    pub fn below(self) -> Place {
        Place { span: rand::random(), ..self }
    }
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub struct Span {
    pub place: Place,
    pub parent: Option<[u8; 8]>,
    pub name: &'static str,
    pub begin: Instant,
    pub end: Instant,
    /// The statement itself, as opposed to what is done for it.
    pub is_root: bool,
    pub database: String,
    /// Why it failed: an SQLSTATE.
    pub error: Option<String>,
}

/// What there is to be told.
pub enum News {
    Span(Box<Span>),
    /// A write's outcome came from this entry: its stages belong below the place.
    Entry {
        place: Place,
        group: GroupId,
        index: u64,
        database: String,
    },
}

/// When an entry was where on its leader; nanoseconds since 1970, 0 if that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stages {
    pub proposed: u64,
    pub appended: u64,
    pub sync_begun: u64,
    pub synced: u64,
    pub committed: u64,
    pub applied: u64,
}

struct Tracing {
    on: AtomicBool,
    /// Of a million statements without a `traceparent`, how many are traced.
    share: AtomicU64,
    news: Mutex<Option<Sender<News>>>,
    dropped: AtomicU64,
    entries: Mutex<Entries>,
    epoch: (Instant, u64),
}

#[derive(Default)]
struct Entries {
    stages: HashMap<(GroupId, u64), Stages>,
    order: VecDeque<(GroupId, u64)>,
}

static TRACING: LazyLock<Tracing> = LazyLock::new(|| Tracing {
    on: AtomicBool::new(false),
    share: AtomicU64::new(0),
    news: Mutex::new(None),
    dropped: AtomicU64::new(0),
    entries: Mutex::default(),
    epoch: (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)),
});

/// Turns it on; the receiver gets what is to be told. `share`: of the statements that nobody asked for.
pub fn begin(share: f64) -> Receiver<News> {
    let (sender, receiver) = channel(WAITING);
    *TRACING.news.lock() = Some(sender);
    TRACING.share.store((share.clamp(0.0, 1.0) * 1e6) as u64, Ordering::Relaxed);
    TRACING.on.store(true, Ordering::Release);
    receiver
}

pub fn is_on() -> bool {
    TRACING.on.load(Ordering::Relaxed)
}

/// How many spans were lost since too many waited.
pub fn dropped() -> u64 {
    TRACING.dropped.load(Ordering::Relaxed)
}

pub fn tell(news: News) {
    let sent = TRACING.news.lock().as_ref().is_some_and(|sender| sender.try_send(news).is_ok());
    if !sent {
        TRACING.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Nanoseconds since 1970.
pub fn nanos(at: Instant) -> u64 {
    let (instant, nanos) = TRACING.epoch;
    let after = at.saturating_duration_since(instant).as_nanos() as u64;
    let before = instant.saturating_duration_since(at).as_nanos() as u64;
    nanos + after - before.min(nanos)
}

/// And back.
pub fn instant(at: u64) -> Instant {
    let (instant, nanos) = TRACING.epoch;
    match at >= nanos {
        true => instant + Duration::from_nanos(at - nanos),
        false => instant.checked_sub(Duration::from_nanos(nanos - at)).unwrap_or(instant),
    }
}

/// Notes where an entry is. A new one begins with its first note.
pub fn note(group: GroupId, index: u64, change: impl FnOnce(&mut Stages)) {
    if !is_on() {
        return;
    }
    let mut entries = TRACING.entries.lock();
    let Entries { stages, order } = &mut *entries;
    let known = stages.entry((group, index)).or_insert_with(|| {
        order.push_back((group, index));
        Stages::default()
    });
    change(known);
    if order.len() > REMEMBERED
        && let Some(oldest) = order.pop_front()
    {
        stages.remove(&oldest);
    }
}

/// Where the time of an entry went, if this node led when it was written and remembers.
pub fn stages(group: GroupId, index: u64) -> Option<Stages> {
    TRACING.entries.lock().stages.get(&(group, index)).copied().filter(|stages| stages.proposed > 0)
}

tokio::task_local! {
    /// The span for which this task works now, and its database.
    static CURRENT: (Place, String);
}

/// Lets what runs in `work` be found below `place`.
pub async fn within<T>(place: Place, database: String, work: impl Future<Output = T>) -> T {
    CURRENT.scope((place, database), work).await
}

/// The log has answered this task's write with an entry's outcome.
pub fn answered(group: GroupId, index: u64) {
    if index > 0 && is_on() {
        let _ = CURRENT.try_with(|(place, database)| {
            tell(News::Entry { place: *place, group, index, database: database.clone() });
        });
    }
}

/// Where a statement's span stands, and below which one, if it is to be traced.
pub fn of_statement(text: &str) -> Option<(Place, Option<[u8; 8]>)> {
    let span = rand::random();
    if let Some((trace, parent, sampled)) = traceparent(text) {
        return sampled.then_some((Place { trace, span }, Some(parent)));
    }
    let chosen = rand::random_range(0..1_000_000) < TRACING.share.load(Ordering::Relaxed);
    chosen.then(|| (Place { trace: rand::random(), span }, None))
}

/// The trace and span of a `traceparent` in the comment that a statement begins or ends with, and whether it asks for spans.
fn traceparent(text: &str) -> Option<([u8; 16], [u8; 8], bool)> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let last = text.strip_suffix("*/").and_then(|rest| rest.rfind("/*").map(|at| &rest[at + 2..]));
    let first = text.strip_prefix("/*").and_then(|rest| rest.find("*/").map(|at| &rest[..at]));
    [last, first].into_iter().flatten().find_map(|comment| {
        let value = comment.split("traceparent=").nth(1)?.trim_start_matches(['\'', '"']);
        let mut parts = value.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let flags = u8::from_str_radix(flags.get(..2)?, 16).ok()?;
        let trace: [u8; 16] = hex::decode(trace).ok()?.try_into().ok()?;
        let span: [u8; 8] = hex::decode(span).ok()?.try_into().ok()?;
        let valid = version.len() == 2 && version != "ff" && trace != [0; 16] && span != [0; 8];
        valid.then_some((trace, span, flags & 1 == 1))
    })
}

/// Spans as OTLP has them in JSON (`ExportTraceServiceRequest`).
pub fn otlp(node: &str, cluster: &str, spans: &[Span]) -> Json {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let span = |span: &Span| {
        let mut attributes = vec![text("db.system.name", "quorate"), text("db.namespace", &span.database)];
        let mut out = json!({
            "traceId": hex::encode(span.place.trace),
            "spanId": hex::encode(span.place.span),
            "name": span.name,
            // A server's, or an internal one.
            "kind": if span.is_root { 2 } else { 1 },
            "startTimeUnixNano": nanos(span.begin).to_string(),
            "endTimeUnixNano": nanos(span.end).to_string(),
        });
        if let Some(parent) = span.parent {
            out["parentSpanId"] = hex::encode(parent).into();
        }
        if let Some(code) = &span.error {
            attributes.push(text("error.type", code));
            out["status"] = json!({"code": 2, "message": code});
        }
        out["attributes"] = attributes.into();
        out
    };
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            text("service.name", "quorate"),
            text("service.namespace", cluster),
            text("service.instance.id", node),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ]},
        "scopeSpans": [{"scope": {"name": "quorate"}, "spans": spans.iter().map(span).collect::<Vec<_>>()}],
    }]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_found_in_comments_only() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        for text in [
            format!("SELECT 1 /*traceparent='00-{id}-01'*/"),
            format!("SELECT 1 /*route='x',traceparent='00-{id}-01',tracestate='a'*/ ; "),
            format!("/* traceparent=00-{id}-01 */ SELECT 1"),
        ] {
            let (trace, span, sampled) = traceparent(&text).expect(&text);
            assert_eq!(format!("{}-{}", hex::encode(trace), hex::encode(span)), id);
            assert!(sampled);
        }
        assert!(!traceparent(&format!("SELECT 1 /*traceparent='00-{id}-00'*/")).unwrap().2);
        for text in [
            format!("SELECT '/*traceparent=''00-{id}-01''*/'"),
            format!("SELECT 1 /*traceparent='ff-{id}-01'*/"),
            "SELECT 1 /*traceparent='00-0-0-01'*/".to_owned(),
            "SELECT 1 /*traceparent='00-ü".to_owned(),
            format!("SELECT 1 /*traceparent='00-{}-{}-01'*/", "0".repeat(32), "0".repeat(16)),
        ] {
            assert_eq!(traceparent(&text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_what_a_collector_reads() {
        let place = Place { trace: [1; 16], span: [2; 8] };
        let now = Instant::now();
        let span = Span {
            place,
            parent: Some([3; 8]),
            name: "query",
            begin: now,
            end: now + Duration::from_millis(2),
            is_root: true,
            database: "quorate".into(),
            error: Some("23505".into()),
        };
        let told = otlp("db1", "quorate", &[span]);
        let told = &told["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(told["traceId"], "01".repeat(16));
        assert_eq!(told["parentSpanId"], "03".repeat(8));
        assert_eq!(told["status"]["code"], 2);
        let at = |key: &str| told[key].as_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(at("endTimeUnixNano") - at("startTimeUnixNano"), 2_000_000);
        assert_eq!(nanos(instant(at("startTimeUnixNano"))), at("startTimeUnixNano"));
    }
}
