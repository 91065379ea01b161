//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is done once, and told the
//! same. Only what succeeded is kept; what failed may be tried again with the same key.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::RequestKey;
use engine::{AnswerClaim, Claimed, ClickName, KeptAnswer};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    Rest,
    caller::Caller,
    problem::{Code, Problem},
};

/// The header that names a request.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that says an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longest key, in characters.
const KEY_MAX_CHARS: usize = 255;

/// Whether a request has to carry a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It spends money.
    Required,
    /// It may.
    Optional,
}

/// What a request is told when it succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(KeptAnswer);

impl Answer {
    /// An answer with a body.
    pub fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| {
            tracing::error!(%error, "an answer could not be written: {error}");
            Problem::new(Code::Internal)
        })?;
        Ok(Self(KeptAnswer { status: status.as_u16(), location: None, body }))
    }

    /// The same, with where to find what was made.
    pub fn at(mut self, location: String) -> Self {
        self.0.location = Some(location);
        self
    }

    /// The answer as it is kept.
    pub fn kept(self) -> KeptAnswer {
        self.0
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        respond(self.0, false)
    }
}

/// An answer as it is sent.
pub fn respond(answer: KeptAnswer, is_repeated: bool) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(location) = answer.location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if is_repeated {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// The key of a request, where it has one.
///
/// # Errors
/// One that is missing and needed, or none.
pub fn key(headers: &HeaderMap, need: Need) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(HEADER).iter();
    let Some(value) = given.next() else {
        return match need {
            Need::Required => Err(Problem::new(Code::IdempotencyKeyMissing)),
            Need::Optional => Ok(None),
        };
    };
    let invalid = Problem::new(Code::IdempotencyKeyInvalid);
    let Ok(text) = value.to_str() else { return Err(invalid) };
    // The draft has it in quotes; many leave them out.
    let key = text.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text.trim());
    let is_key = (1..=KEY_MAX_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key && given.next().is_none() { Ok(Some(key.to_owned())) } else { Err(invalid) }
}

/// What a caller asks under a key: `request` is everything that makes it another request.
pub fn claim(caller: &Caller, key: &str, request: &[&[u8]]) -> AnswerClaim {
    AnswerClaim { caller: caller.id, key_sha256: digest(&[key.as_bytes()]), request_sha256: digest(request) }
}

/// The name of a click that a caller sent under a key.
pub fn request_key(caller: &Caller, key: &str) -> RequestKey {
    RequestKey::from_uuid(Uuid::new_v5(&caller.id, key.as_bytes()))
}

/// The same, with what was asked: the key names nothing else, however long ago that was.
pub fn click_name(caller: &Caller, key: &str, request: &[&[u8]]) -> ClickName {
    ClickName { key: request_key(caller, key), request_sha256: Some(digest(request)) }
}

/// Parts are told apart by their lengths.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Rest {
    /// Does a request once for its key, where it has one, and tells the same whenever it comes again. Nobody who hangs up ends
    /// it in the middle: [`to_its_end`] sees to that.
    ///
    /// # Errors
    /// What `work` says; a key that was used for something else, or is at work.
    pub async fn once(
        &self,
        caller: &Caller,
        key: Option<&str>,
        request: &[&[u8]],
        work: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Response, Problem> {
        let Some(key) = key else { return Ok(work.await?.into_response()) };
        let held = match self.engine.claim_answer(&claim(caller, key, request)).await.map_err(super::refused)? {
            Claimed::Known(answer) => return Ok(respond(answer, true)),
            Claimed::Other => return Err(Problem::new(Code::IdempotencyKeyReused)),
            Claimed::AtWork => return Err(Problem::new(Code::RequestInProgress).after(1)),
            Claimed::Work(held) => held,
        };
        match self.engine.work_under(&held, work).await {
            Ok(answer) => {
                let kept = answer.kept();
                // It is done: one that cannot be remembered is told all the same.
                match self.engine.keep_answer(&held, &kept).await {
                    Ok(true) => {}
                    Ok(false) => tracing::warn!("another try holds the key of a request that was done"),
                    Err(error) => tracing::warn!(%error, "an answer could not be kept: {error}"),
                }
                Ok(respond(kept, false))
            }
            Err(problem) => {
                if let Err(error) = self.engine.forget_answer(&held).await {
                    tracing::warn!(%error, "a key could not be let go of: {error}");
                }
                Err(problem)
            }
        }
    }
}

/// Lets a request that changes something run to its end, whether or not somebody still waits for the answer. A server drops
/// what it does for a connection that is gone: the work would be done and its key held by nobody.
pub async fn to_its_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a request of the API ended in the middle: {error}");
            Problem::new(Code::Internal).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(values: &[&str], need: Need) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, value.parse().unwrap());
        }
        key(&headers, need).map_err(|problem| problem.code())
    }

    #[test]
    fn keys_are_read_with_and_without_quotes() {
        assert_eq!(read(&["\"8e03978e\""], Need::Required), Ok(Some("8e03978e".to_owned())));
        assert_eq!(read(&["8e03978e"], Need::Required), Ok(Some("8e03978e".to_owned())));
        assert_eq!(read(&[], Need::Optional), Ok(None));
        assert_eq!(read(&[], Need::Required), Err(Code::IdempotencyKeyMissing));
        for values in [&[""][..], &["\"\""], &["a b"], &["a", "b"], &[&"a".repeat(256)]] {
            assert_eq!(read(values, Need::Optional), Err(Code::IdempotencyKeyInvalid), "{values:?}");
        }
    }

    #[test]
    fn parts_of_a_request_do_not_run_together() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"ab"]), digest(&[b"ab", b""]));
    }
}
