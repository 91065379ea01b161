//! Media from the object store: streamed, with ranges, validators and cache headers. Product photos and the files of videos
//! that are shown are for everybody; stills, originals, exports and videos nobody has published yet or somebody took down for
//! who is signed in, or has an address that was signed for some hours.

mod hot;
mod range;

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State as FromState, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
    routing::get,
};
use domain::VideoId;
use engine::Engine;
use moka::future::Cache;
use storage::{Key, ObjectInfo};
use tower_sessions::Session;

use self::{hot::Hot, range::Wanted};
use super::{State, csp};

/// Objects never change under their key.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// What not everybody may see is kept by nobody but who asked.
const PRIVATE: &str = "private, max-age=3600";
/// Videos that are known to be shown.
const SHOWN_MAX: u64 = 10_000;
/// One that is taken down is closed by every server after so long; what browsers have kept they have.
const SHOWN_FOR: Duration = Duration::from_secs(5);
/// While nobody can be asked, what was shown goes on being shown for so long.
const BELIEVED_FOR: Duration = Duration::from_secs(3600);

/// What serving media remembers. Cheap to clone.
#[derive(Clone)]
pub struct Media {
    hot: Hot,
    shown: Cache<VideoId, ()>,
    was_shown: Cache<VideoId, ()>,
}

/// Why a video is not known to be shown.
enum Hidden {
    /// It is not, now.
    Draft,
    /// Nobody could be asked.
    Unknown(engine::Error),
}

impl fmt::Display for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft => formatter.write_str("it is not shown"),
            Self::Unknown(error) => write!(formatter, "whether it is shown is not known: {error}"),
        }
    }
}

impl Media {
    /// Keeps at most so many bytes of small objects in memory.
    pub fn new(cache_bytes: u64) -> Self {
        let shown = |lasting| Cache::builder().max_capacity(SHOWN_MAX).time_to_live(lasting).build();
        Self { hot: Hot::new(cache_bytes), shown: shown(SHOWN_FOR), was_shown: shown(BELIEVED_FOR) }
    }

    /// The answer to who asks for what is known to be for everybody and is in memory.
    async fn hot_answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let key = Key::parse(path.strip_prefix(ROOT)?).ok()?;
        let is_public = key.is_public() && key.video().is_none_or(|video| self.shown.contains_key(&video));
        let kept = if is_public { self.hot.get(&key).await? } else { return None };
        let mut response = match asked(&kept.info, method, headers) {
            Asked::Nothing(response) => response,
            Asked::Bytes(wanted) if method == Method::HEAD => sized(Body::empty(), wanted, kept.info.total_bytes),
            Asked::Bytes(wanted) => sized(Body::from(wanted.of(&kept.bytes)), wanted, kept.info.total_bytes),
        };
        describe(&mut response, kept.headers.clone());
        Some(response)
    }

    /// Whether an object is for everybody. Who asks about the same video meanwhile waits for one answer.
    async fn is_public(&self, engine: &Engine, key: &Key) -> Result<bool, Arc<Hidden>> {
        let Some(video) = key.video().filter(|_| key.is_public()) else { return Ok(key.is_public()) };
        let asked = self.shown.try_get_with(video, async {
            if !engine.is_shown(video).await.map_err(Hidden::Unknown)? {
                self.was_shown.invalidate(&video).await;
                return Err(Hidden::Draft);
            }
            self.was_shown.insert(video, ()).await;
            Ok(())
        });
        match asked.await {
            Ok(()) => Ok(true),
            Err(hidden) => match *hidden {
                Hidden::Draft => Ok(false),
                Hidden::Unknown(_) if self.was_shown.contains_key(&video) => Ok(true),
                Hidden::Unknown(_) => Err(hidden),
            },
        }
    }
}

/// Where everything is.
const ROOT: &str = "/media/";

/// The addresses of media.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/media/{*key}", get(serve).options(preflight))
        .route("/media/signed/{expires}/{signature}/{*key}", get(serve_signed).options(preflight))
}

/// What is in memory and for everybody, before anybody asks for a session or begins a trace: the clips of a shop's pages are
/// most of what is asked for.
pub async fn answer_hot(FromState(media): FromState<Media>, request: Request, next: Next) -> Response {
    match media.hot_answer(request.method(), request.uri().path(), request.headers()).await {
        Some(response) => response,
        None => next.run(request).await,
    }
}

/// `GET | HEAD /media/{key}`
async fn serve(
    FromState(engine): FromState<Engine>,
    FromState(media): FromState<Media>,
    session: Session,
    key: Result<Path<String>, PathRejection>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(key) = key.ok().and_then(|Path(key)| Key::parse(&key).ok()) else { return nowhere() };
    match media.is_public(&engine, &key).await {
        Ok(true) => respond(&engine, &media, &key, FOR_EVER, &method, &headers).await,
        // Whether it exists is nobody else's business.
        Ok(false) if !matches!(app::auth::session_person(&engine, &session).await, Ok(Some(_))) => nowhere(),
        Ok(false) => respond(&engine, &media, &key, PRIVATE, &method, &headers).await,
        Err(hidden) => away(&key, &*hidden),
    }
}

/// `GET | HEAD /media/signed/{expires}/{signature}/{key}`
async fn serve_signed(
    FromState(engine): FromState<Engine>,
    FromState(media): FromState<Media>,
    address: Result<Path<(i64, String, String)>, PathRejection>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Ok(Path((expires, signature, key))) = address else { return nowhere() };
    match Key::parse(&key) {
        Ok(key) if engine.is_signed(&key, expires, &signature) => {
            // Who has the address may see it, from whatever page: players fetch parts of a stream.
            open(respond(&engine, &media, &key, PRIVATE, &method, &headers).await)
        }
        _ => nowhere(),
    }
}

/// There is nothing here, for now: what is a draft today may be shown tomorrow.
fn nowhere() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// `OPTIONS /media/{key}`: what players of other pages may ask (Fetch standard, CORS preflight).
async fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "range, if-range, if-none-match"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

async fn respond(
    engine: &Engine,
    media: &Media,
    key: &Key,
    cache_control: &'static str,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    match answer(engine, media, key, method, headers).await {
        Ok((response, info)) => with_headers(response, cache_control, &info),
        Err(storage::Error::NotFound(_)) => nowhere(),
        Err(error) => away(key, &error),
    }
}

fn away(key: &Key, error: &dyn fmt::Display) -> Response {
    tracing::error!(%error, object.key = key.as_str(), "object {} could not be served", key.as_str());
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
}

/// The answer without its headers, and the object they are to describe.
async fn answer(
    engine: &Engine,
    media: &Media,
    key: &Key,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(Response, ObjectInfo), storage::Error> {
    let store = engine.store();
    let mut kept = media.hot.get(key).await;
    let info = match &kept {
        Some(kept) => kept.info.clone(),
        None => store.head(key).await?.ok_or_else(|| storage::Error::NotFound(key.to_string()))?,
    };
    let wanted = match asked(&info, method, headers) {
        Asked::Nothing(response) => return Ok((response, info)),
        Asked::Bytes(wanted) => wanted,
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        if kept.is_none() {
            kept = media.hot.read(store, key, &info, headers_for_everybody).await;
        }
        match &kept {
            Some(kept) => Body::from(wanted.of(&kept.bytes)),
            None => Body::from_stream(store.open(key, wanted.to_store()).await?.body),
        }
    };
    Ok((sized(body, wanted, info.total_bytes), info))
}

/// What a request wants of an object.
enum Asked {
    /// No bytes of it: the answer says why.
    Nothing(Response),
    /// These.
    Bytes(Wanted),
}

fn asked(info: &ObjectInfo, method: &Method, headers: &HeaderMap) -> Asked {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, &info.etag)) {
        return Asked::Nothing(StatusCode::NOT_MODIFIED.into_response());
    }
    // A range of another version is no range of this one, and ranges are of GET alone (RFC 9110, 14.2).
    let same = text(header::IF_RANGE).is_none_or(|tag| tag == info.etag) && method == Method::GET;
    let wanted = range::parse(text(header::RANGE).filter(|_| same), info.total_bytes);
    if wanted == Wanted::Unsatisfiable {
        let range = format!("bytes */{}", info.total_bytes);
        return Asked::Nothing((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response());
    }
    Asked::Bytes(wanted)
}

/// An answer that says how long it is.
fn sized(body: Body, wanted: Wanted, total_bytes: u64) -> Response {
    let mut response = Response::new(body);
    let length = match wanted {
        Wanted::Part(first, last) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes {first}-{last}/{total_bytes}"));
            last - first + 1
        }
        Wanted::Whole | Wanted::Unsatisfiable => total_bytes,
    };
    insert(response.headers_mut(), header::CONTENT_LENGTH, &length.to_string());
    response
}

fn with_headers(mut response: Response, cache_control: &'static str, info: &ObjectInfo) -> Response {
    describe(&mut response, headers_of(info, cache_control));
    response
}

/// What the answer says of the object, besides what it says of itself.
fn describe(response: &mut Response, mut headers: HeaderMap) {
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::LAST_MODIFIED);
        // Nobody keeps a mistake.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.extend(std::mem::take(response.headers_mut()));
    *response.headers_mut() = headers;
}

/// All there is to say of an object in memory, before what a range changes.
fn headers_for_everybody(info: &ObjectInfo) -> HeaderMap {
    let mut headers = headers_of(info, FOR_EVER);
    csp::close_media(&mut headers);
    headers
}

fn headers_of(info: &ObjectInfo, cache_control: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    insert(&mut headers, header::CONTENT_TYPE, &info.content_type);
    insert(&mut headers, header::ETAG, &info.etag);
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    say(header::ACCEPT_RANGES, "bytes");
    say(header::CACHE_CONTROL, cache_control);
    if cache_control == FOR_EVER {
        open_headers(&mut headers);
    }
    if let Some(at) = info.last_modified {
        insert(&mut headers, header::LAST_MODIFIED, &at.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    headers
}

/// An answer that scripts on pages of others may read.
fn open(mut response: Response) -> Response {
    open_headers(response.headers_mut());
    response
}

fn open_headers(headers: &mut HeaderMap) {
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    say(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    say(header::ACCESS_CONTROL_EXPOSE_HEADERS, "content-length, content-range");
    say(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
