//! Uploads in parts, for large files: both clients name them by the file's
//! own address.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::upload::{Announcement, describe, header, token_refusal};
use super::{broken, unknown};
use crate::desk::MediaFile;
use crate::http::answer::{fal_refusal, json_answer};
use crate::world::World;

/// The parts an upload ends with.
#[derive(Deserialize)]
pub(super) struct Completion {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    part_number: u32,
}

/// Begins an upload as the JavaScript client does.
pub(super) async fn initiate(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Json(announcement): Json<Announcement>,
) -> Response {
    if let Some(refusal) = fal_refusal(&world, &headers) {
        return refusal;
    }
    let file = describe(&world, &headers, &announcement.file_name, &announcement.content_type);
    match start(&world, &file).await {
        Ok(upload) => {
            let file_url = world.link(&file.url_path());
            json_answer(200, json!({"upload_url": format!("{file_url}/multipart/{upload}"), "file_url": file_url}))
        }
        Err(answer) => answer,
    }
}

/// Begins an upload as the Python client does.
pub(super) async fn begin(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = token_refusal(&world, &headers) {
        return refusal;
    }
    let content_type = header(&headers, CONTENT_TYPE.as_str(), "application/octet-stream");
    let file = describe(&world, &headers, header(&headers, "x-fal-file-name", "upload.bin"), content_type);
    match start(&world, &file).await {
        Ok(upload) => {
            let body: Value = json!({"access_url": world.link(&file.url_path()), "uploadId": upload.to_string()});
            json_answer(200, body)
        }
        Err(answer) => answer,
    }
}

async fn start(world: &World, file: &MediaFile) -> Result<Uuid, Response> {
    let upload = world.ids.next(world.clock.now());
    world.parts.begin(upload).map_err(|error| json_answer(503, json!({"detail": error.to_string()})))?;
    world.media.announce(file).await.map_err(|error| broken(&error))?;
    Ok(upload)
}

type Place = (String, String, Uuid, u32);

/// Keeps one part. Its address is the permission.
pub(super) async fn keep(State(world): State<Arc<World>>, Path(place): Path<Place>, bytes: Bytes) -> Response {
    let (_, _, upload, number) = place;
    let etag = hex::encode(Sha256::digest(&bytes));
    match world.parts.keep(upload, number, bytes) {
        Ok(true) => {
            let mut answer = json_answer(200, json!({"partNumber": number, "etag": etag}));
            if let Ok(etag) = HeaderValue::from_str(&etag) {
                answer.headers_mut().insert(ETAG, etag);
            }
            answer
        }
        Ok(false) => unknown(),
        Err(error) => json_answer(413, json!({"detail": error.to_string()})),
    }
}

/// Joins the parts: from now on the file can be downloaded.
pub(super) async fn complete(
    State(world): State<Arc<World>>,
    Path((key, _, upload)): Path<(String, String, Uuid)>,
    Json(completion): Json<Completion>,
) -> Response {
    let Ok(key) = Uuid::parse_str(&key) else { return unknown() };
    let numbers: Vec<u32> = completion.parts.iter().map(|part| part.part_number).collect();
    let Some(whole) = world.parts.join(upload, &numbers) else {
        return json_answer(400, json!({"detail": "Some parts are missing"}));
    };
    match world.media.fill(key, whole).await {
        Ok(true) => json_answer(200, json!({"status": "ok"})),
        Ok(false) => unknown(),
        Err(error) => broken(&error),
    }
}
