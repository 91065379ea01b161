//! What every answer may do in a browser: a strict content security policy with a fresh nonce, and the other headers
//! that close doors.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use leptos::nonce::Nonce;
use url::Url;

/// What a picture or a clip may do when a browser opens it as if it were a page: be seen.
const MEDIA_POLICY: &str = "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'";

/// The policy of this installation.
#[derive(Debug, Clone)]
pub struct Policy {
    media_origin: String,
}

impl Policy {
    /// Media of a CDN is allowed where media is served from one.
    pub fn new(media_base: &str) -> Self {
        let origin = Url::parse(media_base).ok().map(|url| url.origin().ascii_serialization());
        Self { media_origin: origin.unwrap_or_default() }
    }

    fn header(&self, nonce: &Nonce) -> String {
        let media = &self.media_origin;
        format!(
            "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
             img-src 'self' data: {media}; media-src 'self' blob: {media}; connect-src 'self' {media}; font-src 'self'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
        )
    }
}

/// Mints the nonce pages use and writes the headers.
pub async fn answer(State(policy): State<Policy>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&policy.header(&nonce)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    close_doors(headers);
    response
}

/// The same of an answer that is no page: nothing in it does anything.
pub async fn media(mut response: Response) -> Response {
    close_media(response.headers_mut());
    response
}

/// What [`media`] writes.
pub fn close_media(headers: &mut HeaderMap) {
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(MEDIA_POLICY));
    close_doors(headers);
}

fn close_doors(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
