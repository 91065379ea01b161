//! fal's file storage: announce an upload, put the bytes, get them by URL.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::answer::{Detour, detour, fal_refusal, json_answer, refuse_as_fal};
use crate::desk::Step;
use crate::world::World;

/// What an upload will be.
#[derive(Deserialize)]
pub(crate) struct Announcement {
    content_type: String,
    #[serde(default)]
    file_name: String,
}

pub(crate) async fn initiate(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Json(announcement): Json<Announcement>,
) -> Response {
    if let Some(refusal) = fal_refusal(&world, &headers) {
        return refusal;
    }
    let announced = world.media.announce(&announcement.file_name, &announcement.content_type).await;
    match announced {
        Ok(file) => json_answer(
            200,
            json!({
                "upload_url": world.link(&format!("/files/upload/{}", file.key.simple())),
                "file_url": world.link(&file.url_path()),
            }),
        ),
        Err(error) => broken(&error),
    }
}

/// The announced address is the permission: no key here, as with fal.
pub(crate) async fn upload(State(world): State<Arc<World>>, Path(key): Path<String>, bytes: Bytes) -> Response {
    let Ok(key) = Uuid::parse_str(&key) else { return unknown() };
    match world.media.fill(key, bytes).await {
        Ok(true) => StatusCode::OK.into_response(),
        Ok(false) => unknown(),
        Err(error) => broken(&error),
    }
}

pub(crate) async fn download(State(world): State<Arc<World>>, Path((key, name)): Path<(String, String)>) -> Response {
    match detour(&world, &name, Step::Media, refuse_as_fal).await {
        Detour::Refuse(answer) => return answer,
        Detour::Swallow(swallow) => return swallow.answer(&world).await,
        Detour::Pass => {}
    }
    let Ok(key) = Uuid::parse_str(&key) else { return unknown() };
    match world.media.get(key).await {
        Ok(Some((file, bytes))) if file.file_name == name => HttpResponse::builder()
            .header(CONTENT_TYPE, file.content_type)
            .header(CONTENT_LENGTH, bytes.len())
            .body(Body::from(bytes))
            .unwrap_or_else(|error| broken(&std::io::Error::other(error))),
        Ok(_) => unknown(),
        Err(error) => broken(&error),
    }
}

fn unknown() -> Response {
    json_answer(404, json!({"detail": "File not found"}))
}

fn broken(error: &std::io::Error) -> Response {
    tracing::error!("the media shelf is broken: {error}");
    json_answer(500, json!({"detail": "Internal error"}))
}
