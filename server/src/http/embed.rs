//! The video of a product for pages of others: what `<lookreel-video>` asks for, and the scripts it is made of.

use std::path::Path as FilePath;

use app::{AppError, pages::shop};
use axum::{
    Router,
    extract::{Path, State as FromState},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};
use engine::Engine;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tower_http::{compression::CompressionLayer, services::ServeFile};

use super::State;

/// A minute is how long a video that was replaced may still be shown.
const FRESH: &str = "public, max-age=60, stale-while-revalidate=600";
/// Scripts keep their address.
const SCRIPT: &str = "public, max-age=3600";

/// Adds the addresses that pages of others use.
pub fn routes(router: Router<State>, site_root: &FilePath) -> Router<State> {
    let file = |name| ServeFile::new(site_root.join(name)).precompressed_br().precompressed_gzip();
    let scripts = Router::new()
        .route_service("/embed.js", file("embed.js"))
        .route_service("/hls.light.min.js", file("hls.light.min.js"))
        .layer(middleware::map_response(async |response| kept(response, SCRIPT)));
    let video = Router::new().route("/embed/products/{reference}", get(product)).layer(CompressionLayer::new());
    router.merge(scripts.merge(video).layer(middleware::map_response(open_to_all)))
}

/// `GET /embed/products/{slug or id}`
async fn product(
    FromState(engine): FromState<Engine>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    request: Parts,
) -> Response {
    match shop::embedded_video(&engine, &request, &reference).await {
        Ok(json) => fresh(json, &headers),
        Err(error) => problem(&error),
    }
}

fn fresh(json: String, headers: &HeaderMap) -> Response {
    let digest = hex::encode(Sha256::digest(&json));
    // Weak: it is sent compressed as well.
    let etag = format!("W/\"{}\"", digest.get(..16).unwrap_or_default());
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let is_known = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
    let facts = [(header::ETAG, etag.as_str()), (header::CONTENT_TYPE, "application/json")];
    let response =
        if is_known { (StatusCode::NOT_MODIFIED, facts).into_response() } else { (facts, json).into_response() };
    kept(response, FRESH)
}

/// RFC 9457.
fn problem(error: &AppError) -> Response {
    let status = error.status();
    let body = json!({"type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16()});
    let response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response();
    kept(response, if status == StatusCode::NOT_FOUND { "public, max-age=60" } else { "no-store" })
}

fn kept(mut response: Response, how_long: &'static str) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(how_long));
    response
}

/// Anybody's page may read it; nothing in it depends on who asks.
async fn open_to_all(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (HeaderName::from_static("timing-allow-origin"), "*"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
