use std::{path::Path, time::Duration};

use domain::FailureCode;
use providers::{Certainty, FetchRules, Fetched, MediaKind, ProviderError, fetch_result};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::stub::{Reply, Stub, nowhere};

const CLIP: &[u8] = b"\0\0\0\x20ftypisom and the rest of the clip";

fn rules(allow_loopback: bool) -> FetchRules {
    let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    FetchRules::new(hosts, allow_loopback, vec![MediaKind::Mp4]).unwrap()
}

fn rules_with(change: impl FnOnce(&mut FetchRules)) -> FetchRules {
    let mut rules = rules(true);
    change(&mut rules);
    rules
}

async fn fetch(reply: Reply, rules: &FetchRules) -> (Result<Fetched, ProviderError>, TempDir, Stub) {
    let stub = Stub::start(move |_| reply.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let url = stub.url.join("files/clip.mp4").unwrap();
    let fetched = fetch_result(&url, rules, &folder.path().join("clip.mp4")).await;
    (fetched, folder, stub)
}

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_file_arrives_whole_hashed_and_without_the_key() {
    let (fetched, folder, stub) = fetch(Reply::bytes(200, CLIP).with("content-type", "text/html"), &rules(true)).await;
    let fetched = fetched.unwrap();
    assert_eq!(fetched.bytes, CLIP.len() as u64);
    assert_eq!(fetched.sha256, <[u8; 32]>::from(Sha256::digest(CLIP)));
    assert_eq!(fetched.content_type_sniffed(), "video/mp4");
    assert_eq!(std::fs::read(folder.path().join("clip.mp4")).unwrap(), CLIP);
    assert_eq!(names(folder.path()), ["clip.mp4"]);
    let seen = stub.seen();
    assert!(!seen[0].headers.contains_key("authorization") && !seen[0].headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn a_bad_file_leaves_nothing_behind() {
    let small = rules_with(|rules| rules.max_bytes = 20);
    let quick = rules_with(|rules| rules.idle_timeout = Duration::from_millis(200));
    let hasty = rules_with(|rules| rules.total_timeout = Duration::from_millis(200));
    let cases = [
        (Reply::bytes(200, "#EXTM3U\n#EXTINF:4,\nother.ts"), rules(true), FailureCode::ClipCorrupt, false),
        (Reply::bytes(200, ""), rules(true), FailureCode::ClipCorrupt, false),
        (Reply::bytes(200, b"\x89PNG\r\n\x1a\n a picture".as_slice()), rules(true), FailureCode::ClipCorrupt, false),
        (Reply::bytes(200, CLIP), small, FailureCode::ResultMissing, false),
        (Reply::Truncated(CLIP.to_vec()), rules(true), FailureCode::ProviderUnreachable, true),
        (Reply::Stall(CLIP.to_vec()), quick, FailureCode::ProviderTimeout, true),
        (Reply::Stall(CLIP.to_vec()), hasty, FailureCode::ProviderTimeout, true),
        (Reply::bytes(404, "gone"), rules(true), FailureCode::ResultMissing, false),
        (Reply::bytes(410, "expired"), rules(true), FailureCode::ResultMissing, false),
        (Reply::bytes(503, "busy"), rules(true), FailureCode::ProviderUnavailable, true),
        (Reply::HangUp, rules(true), FailureCode::ProviderUnreachable, true),
    ];
    for (index, (reply, rules, code, retryable)) in cases.into_iter().enumerate() {
        let (fetched, folder, _stub) = fetch(reply, &rules).await;
        let error = fetched.unwrap_err();
        assert_eq!((error.code, error.is_retryable()), (code, retryable), "case {index}: {error}");
        assert_eq!(error.certainty, Certainty::Unchanged);
        assert_eq!(names(folder.path()), Vec::<String>::new(), "case {index}");
    }
}

#[tokio::test]
async fn a_body_without_length_is_capped_while_it_comes() {
    let (fetched, _folder, _stub) = fetch(Reply::Unsized(CLIP.to_vec()), &rules(true)).await;
    assert_eq!(fetched.unwrap().bytes, CLIP.len() as u64);
    let small = rules_with(|rules| rules.max_bytes = CLIP.len() as u64 - 1);
    let (fetched, folder, _stub) = fetch(Reply::Unsized(CLIP.to_vec()), &small).await;
    assert_eq!(fetched.unwrap_err().code, FailureCode::ResultMissing);
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn this_machine_is_out_of_reach_without_the_flag() {
    let (fetched, _folder, stub) = fetch(Reply::bytes(200, CLIP), &rules(false)).await;
    assert_eq!(fetched.unwrap_err().code, FailureCode::ResultMissing);
    assert!(stub.seen().is_empty());
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to() {
    // Listed, https, port 443, and yet this very machine.
    let rules = rules(false);
    let url = url::Url::parse("https://localhost/clip.mp4").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = fetch_result(&url, &rules, &folder.path().join("clip.mp4")).await.unwrap_err();
    assert!(error.detail.contains("no address in the open internet"), "{error}");
}

#[tokio::test]
async fn redirects_are_checked_like_the_first_address() {
    let (fetched, _folder, stub) =
        fetch(Reply::bytes(302, "").with("location", "http://10.0.0.1/clip.mp4"), &rules(true)).await;
    assert!(fetched.unwrap_err().detail.contains("open internet"));
    assert_eq!(stub.seen().len(), 1);

    let (fetched, _folder, stub) = fetch(Reply::bytes(302, "").with("location", "/again"), &rules(true)).await;
    assert!(fetched.unwrap_err().detail.contains("redirects"));
    assert_eq!(stub.seen().len(), 4, "the first and three more");

    let target = Stub::start(|_| Reply::bytes(200, CLIP)).await;
    let (fetched, _folder, _stub) =
        fetch(Reply::bytes(307, "").with("location", target.url.join("x").unwrap().as_str()), &rules(true)).await;
    assert_eq!(fetched.unwrap().kind, MediaKind::Mp4);
}

#[tokio::test]
async fn a_host_that_is_away_is_asked_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let error = fetch_result(&nowhere().await, &rules(true), &folder.path().join("x")).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderUnreachable, Certainty::Unchanged));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_still_must_be_a_picture() {
    let pictures = FetchRules::new(vec!["127.0.0.1".to_owned()], true, MediaKind::PICTURES.to_vec()).unwrap();
    for (bytes, kind) in [
        (b"\x89PNG\r\n\x1a\n a picture".as_slice(), MediaKind::Png),
        (b"\xFF\xD8\xFF\xE0 a picture", MediaKind::Jpeg),
        (b"RIFF\0\0\0\0WEBPVP8 ", MediaKind::Webp),
    ] {
        let (fetched, _folder, _stub) = fetch(Reply::bytes(200, bytes), &pictures).await;
        assert_eq!(fetched.unwrap().kind, kind);
    }
    for wrong in [CLIP, b"<svg xmlns=...", b"GIF89a and more"] {
        let (fetched, folder, _stub) = fetch(Reply::bytes(200, wrong), &pictures).await;
        let error = fetched.unwrap_err();
        assert_eq!((error.code, error.certainty), (FailureCode::ProviderGarbage, Certainty::Unchanged));
        assert!(names(folder.path()).is_empty());
    }
}
