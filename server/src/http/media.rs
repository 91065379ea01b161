//! Media from the object store: streamed, with ranges, validators and cache headers. Stills belong to the desk and are
//! shown to people who are signed in; photos and finished videos are public.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use engine::Engine;
use storage::{Key, ObjectInfo};
use tower_sessions::Session;

use super::range::{self, Wanted};

/// Objects never change under their key.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// What only signed-in people may see is kept by nobody else.
const PRIVATE: &str = "private, max-age=3600";

/// `GET | HEAD /media/{key}`
pub async fn serve(
    State(engine): State<Engine>,
    session: Session,
    Path(key): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Ok(key) = Key::parse(&key) else { return StatusCode::NOT_FOUND.into_response() };
    if !key.is_public() && !matches!(app::auth::session_person(&engine, &session).await, Ok(Some(_))) {
        // Whether it exists is nobody else's business.
        return StatusCode::NOT_FOUND.into_response();
    }
    match answer(&engine, &key, &method, &headers).await {
        Ok(response) => response,
        Err(storage::Error::NotFound { .. }) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, object.key = key.as_str(), "object {} could not be served", key.as_str());
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
        }
    }
}

async fn answer(engine: &Engine, key: &Key, method: &Method, headers: &HeaderMap) -> Result<Response, storage::Error> {
    let Some(info) = engine.store().head(key).await? else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, &info.etag)) {
        return Ok(with_headers(StatusCode::NOT_MODIFIED.into_response(), key, &info));
    }
    // A range of another version is no range of this one.
    let same = text(header::IF_RANGE).is_none_or(|tag| tag == info.etag);
    let wanted = range::parse(text(header::RANGE).filter(|_| same), info.total_bytes);
    let mut response = match wanted {
        Wanted::Unsatisfiable => {
            let range = format!("bytes */{}", info.total_bytes);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response());
        }
        _ if method == Method::HEAD => Response::new(Body::empty()),
        _ => Response::new(Body::from_stream(engine.store().open(key, wanted.to_store()).await?.body)),
    };
    let length = match wanted {
        Wanted::Part(first, last) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            insert(
                response.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes {first}-{last}/{}", info.total_bytes),
            );
            last - first + 1
        }
        _ => info.total_bytes,
    };
    insert(response.headers_mut(), header::CONTENT_LENGTH, &length.to_string());
    Ok(with_headers(response, key, &info))
}

fn with_headers(mut response: Response, key: &Key, info: &ObjectInfo) -> Response {
    let headers = response.headers_mut();
    insert(headers, header::CONTENT_TYPE, &info.content_type);
    insert(headers, header::ETAG, &info.etag);
    insert(headers, header::ACCEPT_RANGES, "bytes");
    insert(headers, header::CACHE_CONTROL, if key.is_public() { FOR_EVER } else { PRIVATE });
    if key.is_public() {
        insert(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        insert(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, "content-length, content-range");
        insert(headers, header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    }
    if let Some(at) = info.last_modified {
        insert(headers, header::LAST_MODIFIED, &at.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    response
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
