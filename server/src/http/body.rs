//! How much is read of what a request sends, and what is said when it is more.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use app::AppError;
use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::Request,
    http::{header, request::Parts},
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt as _, stream};

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
            throw_away(body.into_data_stream(), most.saturating_add(THROWN_AWAY_BYTES)).await;
        }
        return refusal::answer(&parts, &AppError::TooLarge);
    }
    let asked = parts.clone();
    let sent = Arc::new(Sent::new(body, most));
    let response = next.run(Request::from_parts(parts, Sent::read(sent.clone()))).await;
    if is_refusal(&response) && sent.is_left_behind(&asked) {
        sent.throw_away().await;
    }
    // Whatever was made of the part that was read: the whole is why.
    if sent.is_too_large.load(Ordering::Relaxed) { refusal::answer(&asked, &AppError::TooLarge) } else { response }
}

fn is_refusal(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

fn announced_bytes(request: &Parts) -> Option<u64> {
    request.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What a request sends, for whoever answers it, and afterwards for nobody: a connection that is closed while something still
/// comes loses the answer on its way.
struct Sent {
    stream: Mutex<BodyDataStream>,
    /// Bytes that may still come.
    left: AtomicUsize,
    is_too_large: AtomicBool,
    is_begun: AtomicBool,
    is_over: AtomicBool,
}

impl Sent {
    fn new(body: Body, most: usize) -> Self {
        let is_over = AtomicBool::new(body.is_end_stream());
        let (stream, left) = (Mutex::new(body.into_data_stream()), AtomicUsize::new(most));
        Self { stream, left, is_too_large: AtomicBool::new(false), is_begun: AtomicBool::new(false), is_over }
    }

    /// The body up to the limit; then an error, and a note that it was this one.
    fn read(sent: Arc<Self>) -> Body {
        Body::from_stream(stream::poll_fn(move |context| {
            sent.is_begun.store(true, Ordering::Relaxed);
            let chunk = match sent.poll(context) {
                Poll::Ready(Some(Ok(chunk))) => chunk,
                other => return other,
            };
            let left = sent.left.load(Ordering::Relaxed);
            match left.checked_sub(chunk.len()) {
                Some(rest) => sent.left.store(rest, Ordering::Relaxed),
                None => {
                    sent.is_too_large.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(axum::Error::new(AppError::TooLarge))));
                }
            }
            Poll::Ready(Some(Ok(chunk)))
        }))
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = stream.poll_next_unpin(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.is_over.store(true, Ordering::Relaxed);
        }
        polled
    }

    /// Whether more is on its way that nobody read. Who asks before sending, and was never told to, sends nothing.
    fn is_left_behind(&self, request: &Parts) -> bool {
        let waits = request.headers.contains_key(header::EXPECT) && !self.is_begun.load(Ordering::Relaxed);
        !self.is_over.load(Ordering::Relaxed) && !waits
    }

    async fn throw_away(&self) {
        throw_away(stream::poll_fn(|context| self.poll(context)), THROWN_AWAY_BYTES).await;
    }
}

async fn throw_away(mut stream: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin, bytes: usize) {
    let mut left = bytes;
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
