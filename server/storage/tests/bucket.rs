//! The store against the embedded endpoint: real client, real protocol, real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    io::Write,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::{ProductId, StillId, VideoId};
use futures::StreamExt;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use storage::{ByteRange, Error, Extension, Key, Settings, Store, embedded::Endpoint};
use tempfile::TempDir;
use uuid::Uuid;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

struct Bed {
    store: Store,
    endpoint: Endpoint,
    folder: TempDir,
}

fn settings(endpoint: String, secret: &str) -> Settings {
    Settings {
        endpoint: Some(endpoint),
        region: "auto".into(),
        bucket: "lookreel-media".into(),
        access_key_id: "desk".into(),
        secret_access_key: SecretString::from(secret),
        path_style: true,
    }
}

async fn bed() -> Bed {
    let folder = TempDir::new().unwrap();
    let endpoint = Endpoint::start(folder.path(), LOOPBACK, "desk", &"open sesame".into()).await.unwrap();
    let store = Store::connect(settings(endpoint.url(), "open sesame")).await.unwrap();
    store.ensure_bucket().await.unwrap();
    Bed { store, endpoint, folder }
}

fn key(number: u128) -> Key {
    Key::rendition(VideoId::from_uuid(Uuid::from_u128(number)), "720p.mp4").unwrap()
}

async fn all(object: storage::Object) -> Vec<u8> {
    let pieces: Vec<_> = object.body.collect().await;
    pieces.into_iter().flat_map(|piece| piece.unwrap().to_vec()).collect()
}

/// Bytes without a short period, so that swapped parts are noticed.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.rotate_left(17).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[tokio::test]
async fn what_is_put_comes_back_with_its_headers() {
    let bed = bed().await;
    let stored = bed.store.put_bytes(&key(1), Bytes::from_static(b"hello"), "video/mp4").await.unwrap();
    assert_eq!(stored.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(bed.store.get_bytes(&key(1), 5).await.unwrap(), "hello");

    let info = bed.store.head(&key(1)).await.unwrap().unwrap();
    assert_eq!((info.total_bytes, info.content_type.as_str()), (5, "video/mp4"));
    assert_eq!(info.cache_control.as_deref(), Some("public, max-age=31536000, immutable"));
    assert!(info.etag.starts_with('"') && info.etag.ends_with('"'), "{}", info.etag);

    let object = bed.store.open(&key(1), None).await.unwrap();
    assert_eq!(object.etag, info.etag);
    assert_eq!(object.last_modified, info.last_modified);
    assert!(info.last_modified.is_some());
    assert_eq!(all(object).await, b"hello");

    bed.store.delete(&key(1)).await.unwrap();
    bed.store.delete(&key(1)).await.unwrap();
    assert!(matches!(bed.store.get_bytes(&key(1), 5).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn ranges_are_exact() {
    let bed = bed().await;
    bed.store.put_bytes(&key(1), Bytes::from_static(b"0123456789"), "video/mp4").await.unwrap();
    let cases = [
        (ByteRange::From(7), 7, "789"),
        (ByteRange::Between(2, 4), 2, "234"),
        (ByteRange::Between(8, 99), 8, "89"),
        (ByteRange::Last(4), 6, "6789"),
    ];
    for (range, first, expected) in cases {
        let object = bed.store.open(&key(1), Some(range)).await.unwrap();
        assert_eq!(
            (object.first_byte, object.bytes, object.total_bytes),
            (first, expected.len() as u64, 10),
            "{range}"
        );
        assert_eq!(all(object).await, expected.as_bytes());
    }
    let answer = bed.store.open(&key(1), Some(ByteRange::From(10))).await;
    assert!(matches!(answer, Err(Error::OutOfRange { total_bytes: 10 })), "{answer:?}");
}

/// More than the endpoint serves at once: nobody waits for a place that an idle connection holds.
#[tokio::test]
async fn many_readers_at_once_are_all_served() {
    const READERS: usize = 600;
    let bed = bed().await;
    let bytes = Bytes::from(noise(200_000));
    bed.store.put_bytes(&key(1), bytes.clone(), "video/mp4").await.unwrap();
    let key = key(1);
    let reading = (0..READERS).map(|_| bed.store.get_bytes(&key, 1_000_000));
    let reading = futures::future::join_all(reading);
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await.expect("they all get their answer");
    assert!(read.into_iter().all(|one| one.unwrap() == bytes));
}

#[tokio::test]
async fn a_missing_object_is_none_or_not_found() {
    let bed = bed().await;
    assert_eq!(bed.store.head(&key(9)).await.unwrap(), None);
    let error = bed.store.open(&key(9), None).await.unwrap_err();
    assert!(matches!(&error, Error::NotFound(name) if name == key(9).as_str()), "{error:?}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn more_than_allowed_is_not_fetched() {
    let bed = bed().await;
    bed.store.put_bytes(&key(1), noise(4096).into(), "video/mp4").await.unwrap();
    let refused = bed.store.get_bytes(&key(1), 4095).await;
    assert!(matches!(refused, Err(Error::TooLarge { bytes: 4096, max_bytes: 4095, .. })), "{refused:?}");
    let target = bed.folder.path().join("copy.mp4");
    assert!(matches!(bed.store.get_to_file(&key(1), &target, 10).await, Err(Error::TooLarge { .. })));
    assert!(!target.exists());
}

#[tokio::test]
async fn a_wrong_key_pair_is_refused_and_not_repeated() {
    let bed = bed().await;
    let stranger = Store::connect(settings(bed.endpoint.url(), "wrong")).await.unwrap();
    let error = stranger.put_bytes(&key(1), Bytes::from_static(b"x"), "video/mp4").await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert!(!error.is_retryable() && !error.to_string().contains("wrong"));
    assert!(matches!(stranger.health().await, Err(Error::Refused(_))));
    assert!(matches!(stranger.ensure_bucket().await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable_within_seconds() {
    let bed = bed().await;
    bed.store.health().await.unwrap();
    bed.endpoint.stop().await;
    let begin = Instant::now();
    let error = bed.store.get_bytes(&key(1), 10).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(error.is_retryable());
    assert!(matches!(bed.store.health().await, Err(Error::Unavailable(_))));
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_missing_bucket_is_told_apart_from_a_missing_object() {
    let folder = TempDir::new().unwrap();
    let endpoint = Endpoint::start(folder.path(), LOOPBACK, "desk", &"open sesame".into()).await.unwrap();
    let store = Store::connect(settings(endpoint.url(), "open sesame")).await.unwrap();
    assert!(matches!(store.health().await, Err(Error::NotFound(_))));
    let (one, two) = tokio::join!(store.ensure_bucket(), store.ensure_bucket());
    one.unwrap();
    two.unwrap();
    store.ensure_bucket().await.unwrap();
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_long_file_travels_in_parts_and_back() {
    let bed = bed().await;
    // Not a multiple of the part, so that the last part is short.
    let bytes = noise(20 * 1024 * 1024 + 12_345);
    let mut source = tempfile::NamedTempFile::new().unwrap();
    source.write_all(&bytes).unwrap();
    let key = Key::original(VideoId::from_uuid(Uuid::from_u128(7)));
    let stored = bed.store.put_file(&key, source.path(), "video/mp4").await.unwrap();
    assert_eq!((stored.bytes, stored.sha256.as_str()), (bytes.len() as u64, &*hex::encode(Sha256::digest(&bytes))));

    let info = bed.store.head(&key).await.unwrap().unwrap();
    assert!(info.etag.ends_with("-3\""), "three parts: {}", info.etag);
    assert_eq!(info.cache_control.as_deref(), Some("public, max-age=31536000, immutable"));

    let target = TempDir::new().unwrap();
    let path = target.path().join("back.mp4");
    let fetched = bed.store.get_to_file(&key, &path, 64 * 1024 * 1024).await.unwrap();
    assert_eq!(fetched.sha256, stored.sha256);
    assert!(std::fs::read(&path).unwrap() == bytes);
    assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 1, "no part file is left");
}

#[tokio::test]
async fn a_file_of_exactly_one_part_and_an_empty_one_survive() {
    let bed = bed().await;
    for (number, length) in [(1, 8 * 1024 * 1024), (2, 0)] {
        let bytes = noise(length);
        let mut source = tempfile::NamedTempFile::new().unwrap();
        source.write_all(&bytes).unwrap();
        let stored = bed.store.put_file(&key(number), source.path(), "video/mp4").await.unwrap();
        assert_eq!(stored.bytes, length as u64);
        assert!(bed.store.get_bytes(&key(number), 1 << 24).await.unwrap() == bytes);
    }
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_aborted() {
    let bed = bed().await;
    let mut source = tempfile::NamedTempFile::new().unwrap();
    source.write_all(&noise(24 * 1024 * 1024)).unwrap();
    // The endpoint's own files: `.upload-{id}.json` while an upload is open, `.upload_id-{id}.part-{n}` for its parts.
    let count = |prefix: &str| {
        let names = std::fs::read_dir(bed.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(prefix)).count()
    };
    let until = async |holds: &dyn Fn() -> bool| {
        let wait = async {
            while !holds() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), wait).await
    };
    let upload = tokio::spawn({
        let (store, path) = (bed.store.clone(), source.path().to_owned());
        async move { store.put_file(&key(1), &path, "video/mp4").await }
    });
    until(&|| count(".upload_id-") > 0).await.expect("a part was stored");
    assert_eq!(count(".upload-"), 1);
    upload.abort();
    let dropped = upload.await.is_err_and(|error| error.is_cancelled());
    assert!(dropped, "the upload was over before it could be dropped");
    until(&|| count(".upload-") == 0).await.expect("the upload was aborted");
    assert_eq!(bed.store.head(&key(1)).await.unwrap(), None);
}

#[tokio::test]
async fn objects_survive_a_restart_of_the_endpoint() {
    let bed = bed().await;
    let still =
        Key::still(ProductId::from_uuid(Uuid::from_u128(1)), StillId::from_uuid(Uuid::from_u128(2)), Extension::Jpg);
    bed.store.put_bytes(&still, Bytes::from_static(b"still"), "image/jpeg").await.unwrap();
    bed.endpoint.stop().await;
    let endpoint = Endpoint::start(bed.folder.path(), LOOPBACK, "desk", &"open sesame".into()).await.unwrap();
    let store = Store::connect(settings(endpoint.url(), "open sesame")).await.unwrap();
    assert_eq!(store.head(&still).await.unwrap().unwrap().content_type, "image/jpeg");
    assert_eq!(store.get_bytes(&still, 10).await.unwrap(), "still");
}

#[tokio::test]
async fn the_endpoint_stops_while_a_reader_dawdles() {
    let bed = bed().await;
    bed.store.put_bytes(&key(1), noise(6 * 1024 * 1024).into(), "video/mp4").await.unwrap();
    let mut object = bed.store.open(&key(1), None).await.unwrap();
    object.body.next().await.unwrap().unwrap();
    let begin = Instant::now();
    bed.endpoint.stop().await;
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
    let rest: Vec<_> = object.body.collect().await;
    assert!(matches!(rest.last(), Some(Err(Error::Unavailable(_)))), "a body cut short must not look complete");
}

#[tokio::test]
async fn only_loopback_is_served() {
    let folder = TempDir::new().unwrap();
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = Endpoint::start(folder.path(), everywhere, "desk", &"open sesame".into()).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}
