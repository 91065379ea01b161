//! Uploads in one piece: announced and put, as the JavaScript client does, or
//! posted with a token, as the Python client does.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{SecondsFormat, TimeDelta};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{broken, unknown};
use crate::desk::MediaFile;
use crate::fal::lifetime_of;
use crate::http::answer::{fal_refusal, json_answer};
use crate::world::World;

/// How long an upload token can be used.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(1);
const TOKEN_TYPE: &str = "Bearer";

/// What an upload will be.
#[derive(Deserialize)]
pub(super) struct Announcement {
    pub content_type: String,
    #[serde(default)]
    pub file_name: String,
}

/// A file of this name that shall live as long as the headers say.
pub(super) fn describe(world: &World, headers: &HeaderMap, name: &str, content_type: &str) -> MediaFile {
    let now = world.clock.now();
    let wished = ["x-fal-object-lifecycle", "x-fal-object-lifecycle-preference"]
        .into_iter()
        .find_map(|name| headers.get(name).and_then(|value| value.to_str().ok()).and_then(lifetime_of));
    MediaFile::new(world.ids.next(now), name, content_type, world.media.expiry(now, wished))
}

pub(super) async fn initiate(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Json(announcement): Json<Announcement>,
) -> Response {
    if let Some(refusal) = fal_refusal(&world, &headers) {
        return refusal;
    }
    let file = describe(&world, &headers, &announcement.file_name, &announcement.content_type);
    match world.media.announce(&file).await {
        Ok(()) => json_answer(
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
pub(super) async fn fill(State(world): State<Arc<World>>, Path(key): Path<String>, bytes: Bytes) -> Response {
    let Ok(key) = Uuid::parse_str(&key) else { return unknown() };
    match world.media.fill(key, bytes).await {
        Ok(true) => StatusCode::OK.into_response(),
        Ok(false) => unknown(),
        Err(error) => broken(&error),
    }
}

/// A token for the CDN, which does not know the account's key.
pub(super) async fn give_token(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = fal_refusal(&world, &headers) {
        return refusal;
    }
    let expires_at = world.clock.now() + TOKEN_LIFE;
    json_answer(
        200,
        json!({
            "token": token_of(&world),
            "token_type": TOKEN_TYPE,
            "base_url": world.link(""),
            "expires_at": expires_at.to_rfc3339_opts(SecondsFormat::Secs, false),
        }),
    )
}

fn token_of(world: &World) -> String {
    hex::encode(Sha256::digest(format!("upload token {}", world.settings.seed)))
}

/// Refuses whoever has neither a token of ours nor the key.
pub(super) fn token_refusal(world: &World, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(&format!("{TOKEN_TYPE} {}", token_of(world))) {
        return None;
    }
    fal_refusal(world, headers)
}

/// The header of this name, or what is usual.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str, usual: &'a str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or(usual)
}

pub(super) async fn receive(State(world): State<Arc<World>>, headers: HeaderMap, bytes: Bytes) -> Response {
    if let Some(refusal) = token_refusal(&world, &headers) {
        return refusal;
    }
    let content_type = header(&headers, CONTENT_TYPE.as_str(), "application/octet-stream");
    let file = describe(&world, &headers, header(&headers, "x-fal-file-name", "upload.bin"), content_type);
    match world.media.put(file, bytes).await {
        Ok(file) => json_answer(200, json!({"access_url": world.link(&file.url_path())})),
        Err(error) => broken(&error),
    }
}
