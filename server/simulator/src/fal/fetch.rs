use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::{Detail, Source};
use crate::world::World;

const FETCH_TIMEOUT: Duration = Duration::from_secs(20);
const MOST_BYTES: usize = 30 * 1024 * 1024;

/// The bytes of an input picture, from our own shelf, a data URI or the net.
/// What cannot be had, or is no picture, becomes fal's `file_download_error`
/// or `image_load_error`.
pub(crate) async fn fetch_picture(world: &World, source: &Source) -> Result<Bytes, Detail> {
    let address = source.address.as_str();
    let refuse = |kind: &'static str, why: String| Detail::about(&source.place, kind, why);
    let unreadable = |why: &str| refuse("image_load_error", format!("Failed to load the image: {why}"));
    let bytes = if let Some(data) = address.strip_prefix("data:") {
        decode_data_uri(data).ok_or_else(|| unreadable("the data URI is not valid"))?
    } else if let Some(key) = own_file(world, address) {
        let stored = world.media.get(key, world.clock.now()).await.map_err(|error| unreadable(&error.to_string()))?;
        let gone = || refuse("file_download_error", "Failed to download the file: not found".to_owned());
        stored.map(|(_, bytes)| bytes).ok_or_else(gone)?
    } else {
        match download(world, address).await {
            Ok(bytes) => bytes,
            Err(NoFile::TooLarge) => {
                let detail = refuse("file_too_large", "The file is too large".to_owned());
                return Err(detail.with_context(json!({"max_size": MOST_BYTES})));
            }
            Err(NoFile::Unreachable(why)) => {
                return Err(refuse("file_download_error", format!("Failed to download the file: {why}")));
            }
        }
    };
    let probe = bytes.clone();
    let readable = tokio::task::spawn_blocking(move || image::guess_format(&probe).is_ok()).await;
    if readable.unwrap_or(false) { Ok(bytes) } else { Err(unreadable("not a picture")) }
}

/// Why a file did not come.
enum NoFile {
    TooLarge,
    Unreachable(String),
}

fn decode_data_uri(data: &str) -> Option<Bytes> {
    let (kind, text) = data.split_once(',')?;
    if !kind.ends_with(";base64") || text.len() > MOST_BYTES / 3 * 4 {
        return None;
    }
    STANDARD.decode(text).ok().map(Bytes::from)
}

fn own_file(world: &World, address: &str) -> Option<Uuid> {
    let path = address.strip_prefix(world.base.as_str().trim_end_matches('/'))?;
    let key = path.strip_prefix("/files/b/")?.split('/').next()?;
    Uuid::parse_str(key).ok()
}

async fn download(world: &World, address: &str) -> Result<Bytes, NoFile> {
    let url = Url::parse(address).map_err(|error| NoFile::Unreachable(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NoFile::Unreachable(format!("the scheme {} is not supported", url.scheme())));
    }
    let broken = |error: reqwest::Error| NoFile::Unreachable(error.without_url().to_string());
    let answer = world.client.get(url).timeout(FETCH_TIMEOUT).send().await;
    let answer = answer.and_then(reqwest::Response::error_for_status).map_err(broken)?;
    let mut bytes = BytesMut::new();
    let mut stream = answer.bytes_stream();
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part.map_err(broken)?);
        if bytes.len() > MOST_BYTES {
            return Err(NoFile::TooLarge);
        }
    }
    Ok(bytes.freeze())
}
