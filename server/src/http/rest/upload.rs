//! Files that are sent as `multipart/form-data` (RFC 7578). Each is in memory until it is stored, so a few are taken at a time.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use multer::{Constraints, Multipart, SizeLimit};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};
use uuid::Uuid;

use super::problem::{Code, FieldCode, FieldError, Problem};

/// Largest file, in bytes: what models take.
pub const FILE_MAX_BYTES: usize = 20_000_000;
/// Largest other field, in bytes.
const TEXT_MAX_BYTES: u64 = 1_000;
/// Room for what stands around the parts.
const FRAME_BYTES: usize = 64 * 1024;
/// Forms that a process takes at the same time.
const AT_ONCE: usize = 8;
/// Of them those of one caller: whoever sends slowly keeps nobody else out.
const AT_ONCE_OF_CALLER: usize = 4;
/// The next one waits so long for a place.
const WAIT_LIMIT: Duration = Duration::from_secs(5);
/// Whoever found no place is told to come back after so long.
const RETRY_AFTER_SECS: u64 = 10;
/// A form takes its place for so long; one that has not arrived by then is given up.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(180);

/// Largest body of a request, in bytes, for addresses that take files; none for all others.
pub fn body_max_bytes(path: &str) -> Option<usize> {
    let takes_files =
        path == super::paths::TRYON_IMAGES || (path.starts_with("/api/admin/products/") && path.ends_with("/photos"));
    takes_files.then_some(FILE_MAX_BYTES + FRAME_BYTES)
}

/// A field of a form.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub expected: &'static str,
    /// Whether it is a file.
    pub is_file: bool,
}

/// The places for forms that are taken.
pub struct Uploads {
    all: Arc<Semaphore>,
    /// Of those who have a form under way, or wait.
    of_callers: Mutex<HashMap<Uuid, Weak<Semaphore>>>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE)), of_callers: Mutex::default() }
    }
}

/// A place that is taken: of all, and of the caller's.
type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Uploads {
    /// Reads a form: each of these parts once, and no other.
    ///
    /// # Errors
    /// Another media type, too many forms at the same time, a form that is damaged, late or too large, fields that are
    /// missing, unknown or there twice.
    pub async fn read(&self, caller: Uuid, headers: &HeaderMap, body: Body, parts: &[Part]) -> Result<Form, Problem> {
        let boundary = boundary(headers)?;
        let place = self.place(caller).await?;
        let reading = timeout(ARRIVAL_LIMIT, read(boundary, body, parts));
        let found = reading.await.map_err(|_| Problem::new(Code::Malformed))??;
        Ok(Form { found, _place: place })
    }

    async fn place(&self, caller: Uuid) -> Result<Place, Problem> {
        let until = Instant::now() + WAIT_LIMIT;
        let mine = timeout_at(until, self.of_caller(caller).acquire_owned());
        let Ok(Ok(mine)) = mine.await else {
            tracing::warn!("{AT_ONCE_OF_CALLER} files of {caller} are being taken, another one is refused");
            return Err(Problem::new(Code::TooManyUploads).after(RETRY_AFTER_SECS));
        };
        let Ok(Ok(place)) = timeout_at(until, self.all.clone().acquire_owned()).await else {
            tracing::warn!("{AT_ONCE} files are being taken, another one is refused");
            return Err(Problem::new(Code::Unavailable).after(RETRY_AFTER_SECS));
        };
        Ok((place, mine))
    }

    fn of_caller(&self, caller: Uuid) -> Arc<Semaphore> {
        let mut known = self.of_callers.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, places| places.strong_count() > 0);
        if let Some(places) = known.get(&caller).and_then(Weak::upgrade) {
            return places;
        }
        let places = Arc::new(Semaphore::new(AT_ONCE_OF_CALLER));
        known.insert(caller, Arc::downgrade(&places));
        places
    }
}

/// A form that was read; it has its place until it is dropped.
pub struct Form {
    found: BTreeMap<&'static str, Bytes>,
    _place: Place,
}

impl Form {
    /// Takes out what was sent as a part.
    pub fn take(&mut self, name: &str) -> Bytes {
        self.found.remove(name).unwrap_or_default()
    }
}

fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    multer::parse_boundary(media_type).map_err(|_| Problem::new(Code::UnsupportedMediaType))
}

async fn read(boundary: String, body: Body, parts: &[Part]) -> Result<BTreeMap<&'static str, Bytes>, Problem> {
    // What nobody asked for may be as large as a file: it is read past, to say that it is unknown.
    let texts = parts.iter().filter(|part| !part.is_file);
    let limits = texts.fold(SizeLimit::new().per_field(FILE_MAX_BYTES as u64), |limits, part| {
        limits.for_field(part.name, TEXT_MAX_BYTES)
    });
    let mut form =
        Multipart::with_constraints(body.into_data_stream(), boundary, Constraints::new().size_limit(limits));
    let mut found = BTreeMap::new();
    let mut wrong = Vec::new();
    while let Some(field) = form.next_field().await.map_err(refuse)? {
        let name = field.name().unwrap_or_default();
        match parts.iter().find(|part| part.name == name) {
            // Whatever is in it, and however much: the next part is found behind it.
            None => wrong.push(FieldError::new(name.chars().take(100).collect::<String>(), FieldCode::Unknown, "")),
            Some(part) => {
                let bytes = field.bytes().await.map_err(refuse)?;
                if found.insert(part.name, bytes).is_some() {
                    wrong.push(FieldError::new(part.name, FieldCode::InvalidValue, "one value"));
                }
            }
        }
        if wrong.len() > parts.len() {
            break;
        }
    }
    for part in parts.iter().filter(|part| !found.contains_key(part.name)) {
        wrong.push(FieldError::new(part.name, FieldCode::Missing, part.expected));
    }
    if wrong.is_empty() { Ok(found) } else { Err(Problem::invalid(wrong)) }
}

fn refuse(error: multer::Error) -> Problem {
    use multer::Error as E;
    match error {
        E::FieldSizeExceeded { .. } | E::StreamSizeExceeded { .. } => Problem::new(Code::TooLarge),
        _ => Problem::new(Code::Malformed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PARTS: [Part; 2] = [
        Part { name: "productId", expected: "uuid", is_file: false },
        Part { name: "image", expected: "a picture", is_file: true },
    ];

    const CALLER: Uuid = Uuid::from_u128(1);

    async fn form(media_type: &str, body: &'static str) -> Result<Vec<(&'static str, Bytes)>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        let read = Uploads::default().read(CALLER, &headers, Body::from(body), &PARTS).await;
        read.map(|form| form.found.into_iter().collect()).map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_form_has_each_part_once() {
        const TYPE: &str = "multipart/form-data; boundary=x";
        let id = "--x\r\ncontent-disposition: form-data; name=\"productId\"\r\n\r\nabc\r\n";
        let image = "--x\r\ncontent-disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\nbytes\r\n";
        let whole = Box::leak(format!("{id}{image}--x--\r\n").into_boxed_str());
        let found = form(TYPE, whole).await.unwrap();
        assert_eq!(found, [("image", Bytes::from("bytes")), ("productId", Bytes::from("abc"))]);
        let twice = Box::leak(format!("{id}{id}{image}--x--\r\n").into_boxed_str());
        let half = Box::leak(format!("{id}--x--\r\n").into_boxed_str());
        let torn = Box::leak(format!("{id}{image}").into_boxed_str());
        let long = Box::leak(format!("{}{image}--x--\r\n", id.replace("abc", &"a".repeat(2_000))).into_boxed_str());
        let odd = format!("--x\r\ncontent-disposition: form-data; name=\"photo\"\r\n\r\n{}\r\n", "p".repeat(9_000));
        let misnamed = Box::leak(format!("{id}{odd}--x--\r\n").into_boxed_str());
        for (body, code) in [
            (&*misnamed, Code::Invalid),
            (&*twice, Code::Invalid),
            (&*half, Code::Invalid),
            (&*torn, Code::Malformed),
            (&*long, Code::TooLarge),
        ] {
            assert_eq!(form(TYPE, body).await.unwrap_err(), code, "{body}");
        }
        assert_eq!(form("application/json", "{}").await.unwrap_err(), Code::UnsupportedMediaType);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_forms_are_taken_at_once_and_the_next_waits_for_seconds_only() {
        let uploads = Uploads::default();
        let mut places = Vec::new();
        for caller in (1..=AT_ONCE).map(|number| Uuid::from_u128(number as u128)) {
            places.push(uploads.place(caller).await.unwrap());
        }
        let another = Uuid::from_u128(99);
        assert_eq!(uploads.place(another).await.unwrap_err().code(), Code::Unavailable);
        let ((), next) = tokio::join!(
            async {
                tokio::time::sleep(WAIT_LIMIT / 2).await;
                drop(places.pop());
            },
            uploads.place(another)
        );
        assert!(next.is_ok(), "one that is done makes room");
        drop((places, next));
        drop(uploads.place(another).await.unwrap());
        assert_eq!(uploads.of_callers.lock().unwrap().len(), 1, "nobody is remembered who sends nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_leaves_places_to_others() {
        let uploads = Uploads::default();
        let mut places = Vec::new();
        for _ in 0..AT_ONCE_OF_CALLER {
            places.push(uploads.place(CALLER).await.unwrap());
        }
        assert_eq!(uploads.place(CALLER).await.unwrap_err().code(), Code::TooManyUploads);
        assert!(uploads.place(Uuid::from_u128(2)).await.is_ok());
        places.pop();
        assert!(uploads.place(CALLER).await.is_ok(), "one that is done makes room");
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_that_never_ends_is_given_up() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/form-data; boundary=x".parse().unwrap());
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let read = Uploads::default().read(CALLER, &headers, body, &PARTS).await;
        assert_eq!(read.err().map(|problem| problem.code()), Some(Code::Malformed));
    }

    #[test]
    fn only_addresses_of_files_take_large_bodies() {
        let product = "/api/admin/products/0190f5b2-7d2a-7c3e-9b1f-0123456789ab/photos";
        for path in ["/api/video/tryon-images", product] {
            assert!(body_max_bytes(path).is_some_and(|bytes| bytes > FILE_MAX_BYTES), "{path}");
        }
        assert_eq!(body_max_bytes("/api/video/generate"), None);
    }
}
