//! The REST API for shops' own code: `/api/video/*` for videos of try-on images, `/api/admin/*` for everything of the desk.
//! The same use-cases as the pages; what is different is how they are asked and answered.

mod caller;
mod code;
mod conflict;
mod events;
mod gather;
mod generation;
mod generation_schema;
mod idempotency;
mod input;
mod openapi;
mod page;
mod problem;
mod product;
mod rate_limit;
mod reference;
mod sentences;
mod stats_schema;
mod streams;
mod token_cache;
mod upload;
mod video;
mod video_schema;
mod webhook;
mod webhook_schema;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::request::Parts,
    middleware::{self, Next},
    response::Response,
    routing::{any, delete, get, patch, post},
};
use domain::GenerationId;
use engine::{Answered, Engine, ImageClick, VideoJob};
use tokio_util::sync::CancellationToken;
use tower_http::csrf::ProtectionError;
use url::Url;

use self::{gather::Gather, rate_limit::RateLimit, streams::Streams, token_cache::TokenCache, upload::Uploads};
pub use self::{
    input::{Params, Sent},
    problem::{Code, Problem, refuse},
    upload::body_max_bytes,
};
use super::{State, refusal, webhooks};

/// Addresses that are named in more than one place.
mod paths {
    pub const TRYON_IMAGES: &str = "/api/video/tryon-images";
    pub const GENERATIONS: &str = "/api/admin/video-generation";
    pub const PRODUCTS: &str = "/api/admin/products";
    pub const WEBHOOKS: &str = "/api/admin/webhooks";
}

/// Statuses that are asked for together, at most.
const STATUSES_AT_ONCE: usize = 256;
/// Clicks that are written together, at most.
const CLICKS_AT_ONCE: usize = 64;

/// What the handlers share.
pub struct Rest {
    engine: Engine,
    public_url: Url,
    tokens: TokenCache,
    rate_limit: Arc<RateLimit>,
    streams: Streams,
    uploads: Uploads,
    statuses: Gather<GenerationId, Result<Option<VideoJob>, ()>>,
    clicks: Gather<ImageClick, Result<Answered, engine::Error>>,
}

impl Rest {
    /// Starts what runs beside the handlers; ends when `stop` fires.
    pub fn start(engine: Engine, public_url: Url, requests_per_minute: u32, stop: CancellationToken) -> Self {
        let rate_limit = Arc::new(RateLimit::new(requests_per_minute));
        tokio::spawn(rate_limit.clone().add_up(engine.clone(), stop));
        let (asked, clicked) = (engine.clone(), engine.clone());
        let statuses = Gather::start(STATUSES_AT_ONCE, move |ids| {
            let engine = asked.clone();
            async move { statuses(&engine, ids).await }
        });
        let clicks = Gather::start(CLICKS_AT_ONCE, move |clicks: Vec<ImageClick>| {
            let engine = clicked.clone();
            async move { engine.generate_from_images(&clicks).await }
        });
        Self {
            engine,
            public_url,
            tokens: TokenCache::default(),
            rate_limit,
            streams: Streams::default(),
            uploads: Uploads::default(),
            statuses,
            clicks,
        }
    }

    /// An address as others need it: with scheme and host.
    fn absolute(&self, address: &str) -> String {
        match address.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.public_url.as_str().trim_end_matches('/')),
            None => address.to_owned(),
        }
    }
}

async fn statuses(engine: &Engine, ids: Vec<GenerationId>) -> Vec<Result<Option<VideoJob>, ()>> {
    match engine.video_jobs(&ids).await {
        // The same id may be asked for twice.
        Ok(found) => ids.iter().map(|id| Ok(found.get(id).cloned())).collect(),
        Err(error) => {
            tracing::error!(%error, "statuses of {} generations could not be read: {error}", ids.len());
            ids.iter().map(|_| Err(())).collect()
        }
    }
}

/// What providers report to: their signature stands for a token of ours.
fn providers() -> Router<State> {
    Router::new()
        .route("/api/video/webhook", post(webhooks::fal))
        .route("/api/video/webhook/fal", post(webhooks::fal))
        .route("/api/video/webhook/fal/{token}", post(webhooks::fal_named))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
        .layer(middleware::from_fn(problem::render))
}

/// Adds the API.
pub fn routes(router: Router<State>, state: &State) -> Router<State> {
    let calls = videos(generations(desk(Router::new())))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
        .layer(middleware::from_fn(input::refuse_query))
        .layer(middleware::from_fn(idempotency::to_its_end))
        .layer(middleware::from_fn_with_state(state.rest.clone(), caller::authenticate))
        .layer(middleware::from_fn(problem::render));
    let pages = Router::new()
        .route("/api/openapi.json", get(openapi::serve))
        .route("/api/docs", get(reference::serve))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
        .layer(middleware::from_fn(problem::render));
    router.merge(calls).merge(pages).merge(providers()).route("/api/{*rest}", any(unknown))
}

fn videos(router: Router<State>) -> Router<State> {
    router
        .route("/api/video/generate", post(video::generate))
        .route("/api/video/status/{jobId}", get(video::status))
        .route("/api/video/{videoId}", get(video::video))
        .route("/api/video/{videoId}/stream", get(video::stream))
        .route(paths::TRYON_IMAGES, post(video::upload_tryon_image).layer(DefaultBodyLimit::disable()))
        .route("/api/video/tryon-images/{tryonImageId}", delete(video::remove_tryon_image))
}

fn generations(router: Router<State>) -> Router<State> {
    router
        .route(paths::GENERATIONS, get(generation::list).post(generation::create))
        .route("/api/admin/video-generation/stats", get(generation::stats))
        .route("/api/admin/video-generation/events", get(events::all))
        .route("/api/admin/video-generation/{jobId}", get(generation::get))
        .route("/api/admin/video-generation/{jobId}/events", get(events::one))
        .route("/api/admin/video-generation/{jobId}/cancel", post(generation::cancel))
        .route("/api/admin/video-generation/{jobId}/retry", post(generation::retry))
        .route("/api/admin/video-generation/{jobId}/approve", post(generation::approve))
        .route("/api/admin/video-generation/{jobId}/publish", post(generation::publish))
        .route("/api/admin/video-generation/{jobId}/unpublish", post(generation::unpublish))
}

fn desk(router: Router<State>) -> Router<State> {
    router
        .route(paths::PRODUCTS, get(product::list).post(product::create))
        .route("/api/admin/products/{productId}", get(product::get).merge(patch(product::change)))
        .route("/api/admin/products/{productId}/photos", post(product::upload_photo).layer(DefaultBodyLimit::disable()))
        .route(paths::WEBHOOKS, get(webhook::list).post(webhook::add))
        .route("/api/admin/webhooks/{webhookId}", get(webhook::get).merge(delete(webhook::remove)))
        .route("/api/admin/webhooks/{webhookId}/ping", post(webhook::ping))
        .route("/api/admin/webhooks/{webhookId}/deliveries", get(webhook::deliveries))
        .route("/api/admin/webhooks/{webhookId}/deliveries/{deliveryId}/replay", post(webhook::replay))
}

/// What nobody else of `/api` answers.
async fn unknown(request: Parts) -> Response {
    refusal::answer(&request, &app::AppError::NotFound)
}

/// Whether an address belongs to the desk: people who are signed in may ask there.
fn is_admin(path: &str) -> bool {
    path.starts_with("/api/admin/")
}

/// Whether what the edge refuses at an address is told as a problem document: everything of `/api` that is no server
/// function of a page.
pub fn speaks_problems(path: &str) -> bool {
    const PAGES: [&str; 14] = [
        "/api/session/",
        "/api/playback",
        "/api/preferences/",
        "/api/admin/frame",
        "/api/admin/generations/",
        "/api/admin/models/",
        "/api/admin/queue/",
        "/api/admin/notices/",
        "/api/admin/costs/",
        "/api/admin/storage/",
        "/api/admin/videos/",
        "/api/admin/products/list",
        "/api/admin/products/detail",
        "/api/admin/products/quote",
    ];
    path.starts_with("/api/") && !PAGES.iter().any(|page| path.starts_with(page))
}

/// Tells with a problem document what the fence before requests of other sites refused.
pub async fn tell_cross_origin(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let asked = speaks_problems(parts.uri.path()).then(|| parts.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    match asked {
        Some(asked) if response.extensions().get::<ProtectionError>().is_some() => refuse(&asked, Code::CrossOrigin),
        _ => response,
    }
}

/// What a use-case said, where the API's fields are called the same.
fn refused(error: engine::Error) -> Problem {
    Problem::of(error, str::to_owned)
}

/// The same of the options of a generation, whose fields the API calls otherwise.
fn option_name(field: &str) -> String {
    let names = HashMap::from([("model_type", "modelType"), ("hls", "enableHLS"), ("branding", "enableBranding")]);
    names.get(field).map_or(field, |name| name).to_owned()
}
