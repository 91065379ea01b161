//! Bodies that are slow, break off or never end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};

use crate::world::World;

const MOST_ANSWER_BYTES: usize = 512 * 1024 * 1024;
/// A slow body comes in so many pieces a second.
const PIECES_PER_SEC: u64 = 10;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// The connection breaks in the middle of a body.
#[derive(Debug, thiserror::Error)]
#[error("broken off on purpose")]
struct BrokenOff;

/// The same answer, its body at so many bytes a second by our clock.
pub(super) async fn slow_down(world: Arc<World>, answer: Response, bytes_per_sec: u64) -> Response {
    let (mut parts, whole) = take_apart(answer).await;
    announce(&mut parts, whole.len() as u64);
    let piece = usize::try_from((bytes_per_sec / PIECES_PER_SEC).max(1)).unwrap_or(usize::MAX);
    let pieces = stream::unfold((world, whole), move |(world, mut rest)| async move {
        if rest.is_empty() || !world.pause(Duration::from_millis(1_000 / PIECES_PER_SEC)).await {
            return None;
        }
        let next = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, BrokenOff>(next), (world, rest)))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// The same answer, broken off after so many bytes.
pub(super) async fn cut(answer: Response, bytes: u64) -> Response {
    let (mut parts, whole) = take_apart(answer).await;
    // Something must be missing, however short the body is.
    announce(&mut parts, (whole.len() as u64).max(bytes + 1));
    let kept = whole.slice(..usize::try_from(bytes).unwrap_or(usize::MAX).min(whole.len().saturating_sub(1)));
    let end = stream::once(async {
        // A pause in which what came before is sent.
        tokio::task::yield_now().await;
        Err(BrokenOff)
    });
    Response::from_parts(parts, Body::from_stream(stream::iter([Ok(kept)]).chain(end)))
}

/// The same answer, its body followed by zeros up to so many bytes.
pub(super) async fn lengthen(answer: Response, bytes: u64) -> Response {
    let (mut parts, whole) = take_apart(answer).await;
    let length = (whole.len() as u64).max(bytes);
    announce(&mut parts, length);
    let missing = length - whole.len() as u64;
    let zeros = stream::unfold(missing, |left| async move {
        let piece = left.min(ZEROS.len() as u64);
        let zeros = ZEROS.get(..usize::try_from(piece).unwrap_or(0)).unwrap_or(&[]);
        (left > 0).then(|| (Ok::<_, BrokenOff>(Bytes::from_static(zeros)), left - piece))
    });
    Response::from_parts(parts, Body::from_stream(stream::iter([Ok(whole)]).chain(zeros)))
}

async fn take_apart(answer: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = answer.into_parts();
    (parts, to_bytes(body, MOST_ANSWER_BYTES).await.unwrap_or_default())
}

fn announce(parts: &mut axum::http::response::Parts, length: u64) {
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
}
