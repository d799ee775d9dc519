//! The page of `quorate demo --chaos`: what it shows, and what its buttons ask for.

use super::chaos::Chaos;
use super::script::Action;
use crate::admin::console::POLICY;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::sync::Arc;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// Serves the page until the process ends.
pub async fn serve(listener: TcpListener, chaos: Arc<Chaos>) {
    const HTML: &str = "text/html; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let page = |kind: &'static str, text: &'static str| get(move || async move { show(kind, text) });
    let app = Router::new()
        .route("/", page(HTML, include_str!("chaos.html")))
        .route("/chaos.js", page(SCRIPT, include_str!("chaos.js")))
        .route("/dom.js", page(SCRIPT, include_str!("../admin/console/dom.js")))
        .route("/console.css", page("text/css; charset=utf-8", include_str!("../admin/console/console.css")))
        .route("/icon.svg", page("image/svg+xml", include_str!("../admin/console/icon.svg")))
        .route("/state", get(|State(chaos): State<Arc<Chaos>>| async move { Json(chaos.picture()) }))
        .route("/act", post(act))
        .layer(from_fn(only_own_pages))
        .with_state(chaos);
    while let Ok((stream, _)) = listener.accept().await {
        let app = app.clone();
        let service = service_fn(move |request| app.clone().oneshot(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn show(kind: &'static str, text: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    (headers, text).into_response()
}

/// No page of somebody else may press the buttons, nor one that has made a name of its own mean this machine.
async fn only_own_pages(request: Request, next: Next) -> Response {
    let text = |headers: &HeaderMap, name| {
        headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok()).map(str::to_owned)
    };
    let (host, origin) = (text(request.headers(), HOST), text(request.headers(), ORIGIN));
    let here = host.as_ref().is_some_and(|host| {
        host.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
            || host.starts_with("localhost:")
    });
    let own = origin.is_none_or(|origin| host.as_ref().is_some_and(|host| origin == format!("http://{host}")));
    if here && own { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

#[derive(Deserialize)]
struct Order {
    action: Action,
    node: String,
}

async fn act(State(chaos): State<Arc<Chaos>>, Json(Order { action, node }): Json<Order>) -> Response {
    match tokio::task::spawn_blocking(move || chaos.act(action, &node)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(why)) => (StatusCode::CONFLICT, why).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
