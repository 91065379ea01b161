//! fal's file storage: uploads in its three ways, downloads by URL.

mod parts;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response as HttpResponse;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use axum::routing::{get, post, put};
use serde_json::json;
use uuid::Uuid;

use super::answer::{Detour, detour, json_answer, refuse_as_fal};
use crate::desk::{Call, Step};
use crate::world::World;

/// The storage's routes: the initiating REST calls, the CDN's own, and files.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/storage/upload/initiate", post(upload::initiate))
        .route("/storage/upload/initiate-multipart", post(parts::initiate))
        .route("/storage/auth/token", post(upload::give_token))
        .route("/files/upload", post(upload::receive))
        .route("/files/upload/multipart", post(parts::begin))
        .route("/files/upload/{key}", put(upload::fill))
        .route("/files/b/{key}/{name}", get(download))
        .route("/files/b/{key}/{name}/multipart/{upload}/{number}", put(parts::keep))
        .route("/files/b/{key}/{name}/multipart/{upload}/complete", post(parts::complete))
}

async fn download(State(world): State<Arc<World>>, Path((key, name)): Path<(String, String)>) -> Response {
    let Ok(key) = Uuid::parse_str(&key) else { return unknown() };
    let (file, bytes) = match world.media.get(key, world.clock.now()).await {
        Ok(Some((file, bytes))) if file.file_name == name => (file, bytes),
        Ok(_) => return unknown(),
        Err(error) => return broken(&error),
    };
    // A rule for a model, a request or its words means the files it made.
    let origin = file.origin.as_ref();
    let id = origin.map(|origin| origin.request_id.to_string());
    let call = Call {
        model: origin.map_or(name.as_str(), |origin| origin.endpoint.as_str()),
        step: Step::Media,
        request: id.as_deref(),
        prompt: origin.and_then(|origin| origin.prompt.as_deref()),
    };
    let mishap = match detour(&world, call, refuse_as_fal).await {
        Detour::Refuse(answer) => return answer,
        Detour::Spoil(mishap) => Some(mishap),
        Detour::Pass => None,
    };
    let answer = HttpResponse::builder()
        .header(CONTENT_TYPE, file.content_type)
        .header(CONTENT_LENGTH, bytes.len())
        .body(Body::from(bytes))
        .unwrap_or_else(|error| broken(&std::io::Error::other(error)));
    match mishap {
        Some(mishap) => mishap.befall(&world, answer, refuse_as_fal).await,
        None => answer,
    }
}

fn unknown() -> Response {
    json_answer(404, json!({"detail": "File not found"}))
}

fn broken(error: &std::io::Error) -> Response {
    tracing::error!("the media shelf is broken: {error}");
    json_answer(500, json!({"detail": "Internal error"}))
}
