//! The HTTP edge: which address is answered by whom, and what every answer carries.

mod body;
mod csp;
mod embed;
mod events;
mod files;
mod guard;
pub mod health;
mod hub;
mod media;
pub mod metrics;
mod pages;
mod playback;
mod referer;
mod refusal;
mod rest;
mod sessions;
mod tokens;
mod trace;
mod webhooks;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Router, ServiceExt,
    extract::{FromRef, Request},
    middleware,
    routing::get,
    serve::ListenerExt as _,
};
use chrono_tz::Tz;
use engine::Engine;
use leptos::config::LeptosOptions;
use providers::WebhookVerifier;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use tower_http::{csrf::CsrfLayer, timeout::RequestBodyTimeoutLayer};
use tower_sessions::SessionManagerLayer;
use url::Url;

use self::{hub::Hub, sessions::Sessions};

/// A body that stops arriving for so long is given up.
const BODY_STALL: Duration = Duration::from_secs(20);
/// Open answers may end for so long after a stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// What the edge is made from.
pub struct Edge {
    pub engine: Engine,
    pub webhooks: Arc<WebhookVerifier>,
    pub redis_url: SecretString,
    pub public_url: Url,
    pub media_base: String,
    /// Bytes of small objects that are kept in memory.
    pub media_cache_bytes: u64,
    pub site_root: PathBuf,
    pub zone: Tz,
    pub trusted_proxies: usize,
    /// Requests of the API that a token may send in a minute.
    pub api_requests_per_minute: u32,
}

/// What every handler may reach.
#[derive(Clone, FromRef)]
pub struct State {
    engine: Engine,
    webhooks: Arc<WebhookVerifier>,
    hub: Arc<Hub>,
    addresses: Arc<playback::Addresses>,
    media: media::Media,
    leptos: LeptosOptions,
    proxies: TrustedProxies,
    zone: Tz,
    rest: Arc<rest::Rest>,
}

/// How many proxies in front of this server are believed about who is connected.
#[derive(Debug, Clone, Copy)]
pub struct TrustedProxies(pub usize);

/// Serves until `stop` fires; open answers then have five seconds.
pub async fn serve(listener: TcpListener, edge: Edge, stop: CancellationToken) -> anyhow::Result<()> {
    let sessions = sessions::layer(&edge).await?;
    let leptos = pages::leptos_options(&edge, listener.local_addr()?)?;
    let hub = Arc::new(Hub::start(edge.engine.clone(), stop.clone()));
    let state = State {
        engine: edge.engine.clone(),
        webhooks: edge.webhooks.clone(),
        hub,
        addresses: Arc::new(playback::Addresses::new()),
        media: media::Media::new(edge.media_cache_bytes),
        leptos,
        proxies: TrustedProxies(edge.trusted_proxies),
        zone: edge.zone,
        rest: Arc::new(rest::Rest::start(
            edge.engine.clone(),
            edge.public_url.clone(),
            edge.api_requests_per_minute,
            stop.clone(),
        )),
    };
    let hot = middleware::from_fn_with_state(state.media.clone(), media::answer_hot);
    let router = layered(state, sessions, &edge);
    // Around the router, not in it: to find a route and its layers takes longer than such an answer.
    let service = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(hot.layer(router));
    tokio::spawn(playback::write_often(edge.engine.clone(), stop.clone()));
    let stopped = stop.clone();
    // What is written is whole, and waiting for more of it gains nothing. A connection that cannot be told so is gone already.
    let listener = listener.tap_io(|connection| _ = connection.set_nodelay(true));
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { stopped.cancelled().await });
    let served = tokio::select! {
        done = serving.into_future() => done.context("the HTTP server stopped"),
        () = async { stop.cancelled().await; tokio::time::sleep(STOP_PATIENCE).await } => Ok(()),
    };
    playback::write_last(&edge.engine).await;
    served
}

/// Everything there is, in what every answer passes through.
fn layered(state: State, sessions: SessionManagerLayer<Sessions>, edge: &Edge) -> Router {
    let scheme = referer::Scheme(edge.public_url.scheme().to_owned());
    let policy = csp::Policy::new(&edge.media_base);
    // No answer of theirs is a page, and none of them reads a body.
    let media = media::routes()
        .layer(sessions.clone())
        .layer(middleware::map_response(csp::media))
        .layer(middleware::from_fn(trace::answer));
    router(&state, &edge.site_root)
        .layer(middleware::from_fn_with_state(state.clone(), guard::admin))
        .layer(sessions)
        .layer(CsrfLayer::new().with_insecure_bypass(|_, uri| is_for_others(uri.path())))
        .layer(middleware::from_fn(rest::tell_cross_origin))
        .layer(middleware::from_fn(body::limit))
        .layer(middleware::from_fn_with_state(scheme, referer::complete))
        .layer(RequestBodyTimeoutLayer::new(BODY_STALL))
        .layer(middleware::from_fn_with_state(policy, csp::answer))
        .layer(middleware::from_fn(trace::answer))
        .merge(media)
        .with_state(state)
}

/// What pages and servers of others send to: nothing there is done in the name of who is signed in.
fn is_for_others(path: &str) -> bool {
    path.starts_with("/api/video/webhook") || path == playback::PATH
}

fn router(state: &State, site_root: &std::path::Path) -> Router<State> {
    let router = Router::new()
        .route("/events/generations", get(events::all))
        .route("/events/generations/{id}", get(events::one));
    let router = router.merge(health::routes(state.engine.clone()));
    let router = playback::routes(router);
    let router = embed::routes(router, site_root);
    let router = tokens::routes(router);
    let router = rest::routes(router, state);
    let router = pages::routes(router, state);
    files::routes(router, site_root)
}
