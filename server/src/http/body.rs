//! How much is read of what a request sends, and what is said when it is more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use app::AppError;
use axum::{
    body::Body,
    extract::Request,
    http::{header, request::Parts},
    middleware::Next,
    response::Response,
};
use futures::StreamExt as _;

use super::{refusal, rest};

/// Largest body of a request that sends no files, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// So much of a larger one is read and thrown away beyond that, in bytes: a browser shows an answer only once it has sent
/// everything.
const THROWN_AWAY_BYTES: usize = 16 * 1024 * 1024;
/// And for so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses bodies that are too large, whether they say so or go on for too long.
pub async fn limit(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let most = rest::body_max_bytes(parts.uri.path()).unwrap_or(MAX_BYTES);
    if announced_bytes(&parts).is_some_and(|bytes| bytes > most as u64) {
        // Who asks before sending is answered before.
        if !parts.headers.contains_key(header::EXPECT) {
            throw_away(body, most.saturating_add(THROWN_AWAY_BYTES)).await;
        }
        return refusal::answer(&parts, &AppError::TooLarge);
    }
    let asked = parts.clone();
    let is_too_large = Arc::new(AtomicBool::new(false));
    let response = next.run(Request::from_parts(parts, limited(body, most, is_too_large.clone()))).await;
    // Whatever was made of the part that was read: the whole is why.
    if is_too_large.load(Ordering::Relaxed) { refusal::answer(&asked, &AppError::TooLarge) } else { response }
}

fn announced_bytes(request: &Parts) -> Option<u64> {
    request.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body up to the limit; then an error, and a note that it was this one.
fn limited(body: Body, most: usize, is_too_large: Arc<AtomicBool>) -> Body {
    let mut left = most;
    Body::from_stream(body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => {
                is_too_large.store(true, Ordering::Relaxed);
                return Err(axum::Error::new(AppError::TooLarge));
            }
        }
        Ok(chunk)
    }))
}

async fn throw_away(body: Body, bytes: usize) {
    let mut left = bytes;
    let mut stream = body.into_data_stream();
    let reading = async {
        while let Some(Ok(chunk)) = stream.next().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Late or broken, the answer is the same.
    _ = tokio::time::timeout(PATIENCE, reading).await;
}
