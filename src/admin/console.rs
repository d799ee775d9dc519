//! The console: its pages, which are part of the program, and what they ask: a stream of what goes on, the log's tail, SQL.
//!
//! One picture of the node is made each second for all who look, and none if nobody does. SQL runs in a session of the role
//! that has signed in; what the picture shows is for superusers, like everything else on this port.

use super::gate::Caller;
use super::{Answer, Facts, SignedIn, refused};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, http::header::WWW_AUTHENTICATE};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

/// Between two pictures.
const PERIOD: Duration = Duration::from_secs(1);

/// The pages by name. Nothing is loaded from anywhere else, which [`POLICY`] makes sure of.
const PAGES: &[(&str, &str, &[u8])] = &[
    ("index.html", "text/html; charset=utf-8", include_bytes!("console/index.html")),
    ("console.css", "text/css; charset=utf-8", include_bytes!("console/console.css")),
    ("icon.svg", "image/svg+xml", include_bytes!("console/icon.svg")),
    ("main.js", "text/javascript; charset=utf-8", include_bytes!("console/main.js")),
    ("dom.js", "text/javascript; charset=utf-8", include_bytes!("console/dom.js")),
    ("source.js", "text/javascript; charset=utf-8", include_bytes!("console/source.js")),
    ("advice.js", "text/javascript; charset=utf-8", include_bytes!("console/advice.js")),
    ("cluster.js", "text/javascript; charset=utf-8", include_bytes!("console/cluster.js")),
    ("groups.js", "text/javascript; charset=utf-8", include_bytes!("console/groups.js")),
    ("log.js", "text/javascript; charset=utf-8", include_bytes!("console/log.js")),
    ("latency.js", "text/javascript; charset=utf-8", include_bytes!("console/latency.js")),
    ("sessions.js", "text/javascript; charset=utf-8", include_bytes!("console/sessions.js")),
    ("databases.js", "text/javascript; charset=utf-8", include_bytes!("console/databases.js")),
    ("tasks.js", "text/javascript; charset=utf-8", include_bytes!("console/tasks.js")),
];

pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether everybody who has signed in may ask for it, not only superusers.
pub fn is_for_all_roles(path: &str) -> bool {
    let data = path.strip_prefix("/console/");
    path == "/console" || data.is_some_and(|name| matches!(name, "sql" | "me") || page(name).is_some())
}

/// Who asks for SQL to be run.
#[derive(Clone, Debug)]
pub struct Asker {
    pub from: IpAddr,
    pub encrypted: bool,
    pub role: String,
    /// He has shown the role's password.
    pub proven: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SqlRequest {
    pub sql: String,
    /// Where nobody has to sign in: who he is.
    pub role: Option<String>,
    pub database: Option<String>,
    /// Transactions begin as read-write ones.
    #[serde(default)]
    pub write: bool,
    pub rows: Option<usize>,
}

/// What the console sees of a node that is a member of its cluster.
pub trait Sight: Send + Sync + 'static {
    /// The picture, as JSON.
    fn glance(&self) -> String;
    /// The entries of a group's log from an index on, as JSON; from the last ones, if none is given.
    fn tail(&self, group: u64, from: Option<u64>) -> Answer<String>;
    /// Runs SQL in a session of its own; what came of it, as JSON. `Err`: he is not let in.
    fn sql(&self, asker: Asker, request: SqlRequest) -> Answer<Result<String, String>>;
}

/// What the pages' requests share.
pub struct Desk {
    facts: Arc<dyn Facts>,
    sight: Option<Arc<dyn Sight>>,
    /// The latest picture, as an event.
    picture: watch::Sender<Bytes>,
    viewer: Notify,
    shutdown: watch::Receiver<bool>,
}

pub fn routes(facts: Arc<dyn Facts>, shutdown: watch::Receiver<bool>) -> Router {
    let (picture, viewer) = (watch::Sender::new(Bytes::new()), Notify::new());
    let desk = Arc::new(Desk { sight: facts.sight(), facts, picture, viewer, shutdown });
    if let Some(sight) = desk.sight.clone() {
        tokio::spawn(make_pictures(Arc::downgrade(&desk), sight));
    }
    Router::new()
        .route("/", get(|| async { (StatusCode::FOUND, [(LOCATION, "/console")]) }))
        .route("/console", get(|| async { show("index.html") }))
        .route("/console/{page}", get(|Path(page): Path<String>| async move { show(&page) }))
        .route("/console/me", get(me))
        .route("/console/events", get(events))
        .route("/console/log", get(log))
        .route("/console/sql", post(sql))
        .with_state(desk)
}

async fn make_pictures(desk: std::sync::Weak<Desk>, sight: Arc<dyn Sight>) {
    while let Some(desk) = desk.upgrade() {
        if desk.picture.receiver_count() == 0 {
            tokio::select! {
                () = desk.viewer.notified() => {}
                () = stopped(desk.shutdown.clone()) => return,
            }
        }
        let event = format!("data: {}\n\n", sight.glance());
        desk.picture.send_replace(event.into());
        drop(desk);
        sleep(PERIOD).await;
    }
}

async fn stopped(mut shutdown: watch::Receiver<bool>) {
    drop(shutdown.wait_for(|stop| *stop).await);
}

fn page(name: &str) -> Option<(&'static str, &'static str, &'static [u8])> {
    PAGES.iter().find(|(known, ..)| *known == name).copied()
}

/// A page as it was compiled in; of a program that is being worked on, as it is now.
fn show(name: &str) -> Response {
    let Some((name, kind, compiled)) = page(name) else { return StatusCode::NOT_FOUND.into_response() };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/admin/console/");
    let now = cfg!(debug_assertions).then(|| std::fs::read(format!("{folder}{name}")).ok()).flatten();
    let body = now.map_or(Cow::Borrowed(compiled), Cow::Owned);
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, body.into_owned()).into_response()
}

/// Who has signed in, and whether there is anything to see yet.
#[derive(Serialize)]
struct Me {
    role: Option<String>,
    superuser: bool,
    cluster: String,
    node: String,
    waiting: Option<String>,
}

async fn me(State(desk): State<Arc<Desk>>, Extension(caller): Extension<Caller>) -> Json<Me> {
    let status = desk.facts.status();
    let signed_in = caller.role.as_ref();
    Json(Me {
        role: signed_in.map(|signed_in| signed_in.role.clone()),
        superuser: signed_in.is_none_or(|signed_in| signed_in.superuser),
        cluster: status.cluster,
        node: status.answered_by,
        waiting: desk.sight.is_none().then(|| desk.facts.not_ready().unwrap_or_default()),
    })
}

/// Pictures for as long as somebody looks and the node serves.
async fn events(State(desk): State<Arc<Desk>>) -> Response {
    if desk.sight.is_none() {
        return not_yet(&desk);
    }
    let pictures = desk.picture.subscribe();
    desk.viewer.notify_one();
    let stream = futures::stream::unfold((pictures, desk.shutdown.clone()), |(mut pictures, shutdown)| async {
        let changed = tokio::select! {
            changed = pictures.changed() => changed.is_ok(),
            () = stopped(shutdown.clone()) => false,
        };
        let event = pictures.borrow_and_update().clone();
        changed.then_some((Ok::<_, Infallible>(event), (pictures, shutdown)))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(stream)).into_response()
}

fn not_yet(desk: &Desk) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, desk.facts.not_ready().unwrap_or_default()).into_response()
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body).into_response()
}

#[derive(Deserialize)]
struct Tail {
    group: u64,
    from: Option<u64>,
}

async fn log(State(desk): State<Arc<Desk>>, Query(Tail { group, from }): Query<Tail>) -> Response {
    let Some(sight) = &desk.sight else { return not_yet(&desk) };
    sight.tail(group, from).await.map_or_else(|problem| refused(problem).into_response(), json)
}

async fn sql(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Json(request): Json<SqlRequest>,
) -> Response {
    let Some(sight) = &desk.sight else { return not_yet(&desk) };
    let (role, proven) = match (&caller.role, &request.role) {
        (Some(SignedIn { role, .. }), _) => (role.clone(), true),
        (None, Some(role)) if !caller.encrypted => (role.clone(), false),
        (None, None) if !caller.encrypted => ("quorate".to_owned(), false),
        // A node's certificate is no role's.
        (None, _) => return ask_who("SQL runs as a role: sign in as one"),
    };
    let asker = Asker { from: caller.from, encrypted: caller.encrypted, role, proven };
    match sight.sql(asker, request).await {
        Ok(Ok(answer)) => json(answer),
        Ok(Err(why)) if proven => (StatusCode::FORBIDDEN, why).into_response(),
        Ok(Err(why)) => ask_who(&why),
        Err(problem) => refused(problem).into_response(),
    }
}

fn ask_who(why: &str) -> Response {
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, super::gate::BASIC)], why.to_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_small_and_load_nothing_from_elsewhere() {
        let size: usize = PAGES.iter().map(|(_, _, bytes)| bytes.len()).sum();
        assert!(size <= 200 << 10, "{size} bytes");
        for (name, _, bytes) in PAGES {
            let text = std::str::from_utf8(bytes).unwrap();
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "https://",
                " style=",
                "onclick=",
            ] {
                assert!(!text.contains(word), "{name} has {word}");
            }
            // Every module that is imported is there.
            for import in text.split("from './").skip(1).filter_map(|rest| rest.split('\'').next()) {
                assert!(page(import).is_some(), "{name} imports {import}");
            }
        }
    }

    #[test]
    fn only_pages_and_sql_are_for_everybody() {
        for path in ["/console", "/console/main.js", "/console/sql", "/console/me"] {
            assert!(is_for_all_roles(path), "{path}");
        }
        for path in ["/console/events", "/console/log", "/status", "/scrub", "/console/../status", "/console/sql/"] {
            assert!(!is_for_all_roles(path), "{path}");
        }
    }
}
