use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use url::Url;
use uuid::Uuid;

use super::Detail;
use crate::world::World;

const FETCH_TIMEOUT: Duration = Duration::from_secs(20);
const MOST_BYTES: usize = 30 * 1024 * 1024;

/// The bytes of an input picture, from our own shelf, a data URI or the net.
/// What cannot be had, or is no picture, becomes fal's `image_load_error`.
pub(crate) async fn fetch_picture(world: &World, field: &str, index: usize, address: &str) -> Result<Bytes, Detail> {
    let refuse =
        |why: String| Detail::at(field, "image_load_error", format!("Failed to load the image: {why}")).inside(index);
    let bytes = if let Some(data) = address.strip_prefix("data:") {
        decode_data_uri(data).ok_or_else(|| refuse("the data URI is not valid".into()))?
    } else if let Some(key) = own_file(world, address) {
        let stored = world.media.get(key).await.map_err(|error| refuse(error.to_string()))?;
        stored.map(|(_, bytes)| bytes).ok_or_else(|| refuse("no such file".into()))?
    } else {
        download(world, address).await.map_err(refuse)?
    };
    let probe = bytes.clone();
    let readable = tokio::task::spawn_blocking(move || image::guess_format(&probe).is_ok()).await;
    if readable.unwrap_or(false) { Ok(bytes) } else { Err(refuse("not a picture".into())) }
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

async fn download(world: &World, address: &str) -> Result<Bytes, String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the scheme {} is not supported", url.scheme()));
    }
    let answer = world
        .client
        .get(url)
        .timeout(FETCH_TIMEOUT)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| error.without_url().to_string())?;
    let mut bytes = BytesMut::new();
    let mut stream = answer.bytes_stream();
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part.map_err(|error| error.without_url().to_string())?);
        if bytes.len() > MOST_BYTES {
            return Err("the file is too large".into());
        }
    }
    Ok(bytes.freeze())
}
