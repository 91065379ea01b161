//! The queue's documented answers, as fal writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use domain::{FailureCode, MicroUsd};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::{
    answer::{self, Failure, Outcome, Step},
    refusal,
};
use crate::{
    CancelAnswer, Catalogue, Certainty, Provider, ProviderError, Retry,
    catalogue::OutputMapping,
    http_client::{Answer, Purpose},
};

const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";
const ID: &str = "764cabcf-b745-4b3e-ae38-1200304cf45b";

fn answer_with(status: u16, headers: &[(&'static str, &'static str)], body: &Value) -> Answer {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
    Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body.to_string()) }
}

fn answer_of(status: u16, body: &Value) -> Answer {
    answer_with(status, &[], body)
}

fn typed(status: u16, kind: &str) -> Answer {
    answer_of(
        status,
        &json!({"detail": [{"loc": ["body", "image_urls", 0], "msg": "vendor words", "type": kind,
            "url": format!("https://docs.fal.ai/errors/#{kind}"), "input": "data:image/png;base64,AAAA"}]}),
    )
}

fn queue() -> Url {
    Url::parse("https://queue.fal.run").unwrap()
}

#[test]
fn a_submit_keeps_the_queues_own_addresses_only() {
    let base = format!("https://queue.fal.run/fal-ai/pika/requests/{ID}");
    let body = json!({"status": "IN_QUEUE", "request_id": ID, "response_url": base, "queue_position": 0,
        "status_url": "https://elsewhere.example/status", "cancel_url": format!("{base}/cancel")});
    let submitted = answer::submitted(&answer_of(200, &body), &queue(), PIKA).unwrap();
    assert_eq!(submitted.request_id, ID);
    assert_eq!(submitted.status_url.as_str(), format!("{base}/status"));
    assert_eq!(submitted.cancel_url.as_str(), format!("{base}/cancel"));
}

#[test]
fn an_unreadable_success_leaves_the_submit_in_doubt() {
    for body in [json!("ok"), json!({"request_id": "../../etc"}), json!({"status": "IN_QUEUE"})] {
        let error = answer::submitted(&answer_of(200, &body), &queue(), PIKA).unwrap_err();
        assert_eq!((error.code, error.certainty), (FailureCode::ProviderGarbage, Certainty::Unknown), "{body}");
    }
    let moved = answer_with(302, &[("x-fal-request-id", ID)], &json!({}));
    let error = answer::submitted(&moved, &queue(), PIKA).unwrap_err();
    assert_eq!((error.certainty, error.request_id.as_deref()), (Certainty::Unknown, Some(ID)));
}

fn submit_error(answer: &Answer) -> ProviderError {
    answer::submitted(answer, &queue(), PIKA).unwrap_err()
}

#[test]
fn an_error_status_means_nothing_was_started() {
    let cases = [
        (401, json!({"detail": "invalid key credentials"}), FailureCode::ProviderKey, false),
        (401, json!({"detail": "Unauthorized"}), FailureCode::ProviderKey, false),
        (402, json!({"detail": "no credit"}), FailureCode::ProviderCredit, false),
        (403, json!({"detail": "User is locked. Reason: Exhausted balance."}), FailureCode::ProviderCredit, false),
        (403, json!({"detail": "User is locked"}), FailureCode::ProviderAccount, false),
        (404, json!({"detail": "Application not found"}), FailureCode::ModelGone, false),
        (413, json!({"detail": "Payload too large"}), FailureCode::PhotoTooLarge, false),
        (429, json!({"detail": "Too many"}), FailureCode::ProviderBusy, true),
        (500, json!({"detail": "Internal Server Error"}), FailureCode::ProviderUnavailable, true),
        (
            503,
            json!({"detail": "x", "error_type": "runner_scheduling_failure"}),
            FailureCode::ProviderUnavailable,
            true,
        ),
    ];
    for (status, body, code, retryable) in cases {
        let error = submit_error(&answer_of(status, &body));
        assert_eq!((error.code, error.certainty), (code, Certainty::Refused), "{status}");
        assert_eq!((error.is_retryable(), error.charged), (retryable, Some(MicroUsd::ZERO)), "{status}");
    }
}

#[test]
fn a_gateway_that_gave_up_leaves_the_submit_in_doubt() {
    let error = submit_error(&answer_of(504, &json!("nginx")));
    assert_eq!((error.certainty, error.charged), (Certainty::Unknown, None));
    let typed = answer_of(504, &json!({"detail": "Request timed out", "error_type": "request_timeout"}));
    assert_eq!(submit_error(&typed).certainty, Certainty::Refused);
}

#[test]
fn statuses() {
    let step = |status, body| answer::step(&answer_of(status, &body));
    assert_eq!(step(202, json!({"status": "IN_QUEUE", "queue_position": 3})), Ok(Step::Queued(Some(3))));
    assert_eq!(step(200, json!({"status": "IN_PROGRESS", "logs": null})), Ok(Step::Running));
    let done = json!({"status": "COMPLETED", "logs": null, "metrics": {"inference_time": 41.2}});
    assert_eq!(step(200, done), Ok(Step::Completed(None)));
    let failed = json!({"status": "COMPLETED", "error": "Invalid status code: 422", "error_type": "bad"});
    let failure = Failure { error: "Invalid status code: 422".into(), error_type: Some("bad".into()) };
    assert_eq!(step(200, failed), Ok(Step::Completed(Some(failure))));
    let unknown = step(404, json!({"status": "NOT_FOUND"})).unwrap_err();
    assert_eq!((unknown.code, unknown.certainty), (FailureCode::ResultMissing, Certainty::Ended));
    assert_eq!(unknown.charged, None);
    let odd = step(200, json!({"status": "FAILED"})).unwrap_err();
    assert_eq!((odd.code, odd.certainty), (FailureCode::ProviderGarbage, Certainty::Unchanged));
    for status in [401, 500, 503] {
        let error = step(status, json!({"detail": "no"})).unwrap_err();
        assert!(error.certainty == Certainty::Unchanged && error.is_retryable(), "{status}: the clip is still bought");
    }
}

fn result(answer: &Answer) -> Result<Outcome, ProviderError> {
    answer::result(answer, &OutputMapping { file: "/video/url".to_owned() })
}

#[test]
fn results() {
    let video = json!({"video": {"url": "https://v3b.fal.media/files/b/x/y.mp4", "content_type": "video/mp4"}});
    let file = |url: &str, content_type: Option<&str>| Outcome::File {
        url: Url::parse(url).unwrap(),
        content_type: content_type.map(str::to_owned),
    };
    let found = file("https://v3b.fal.media/files/b/x/y.mp4", Some("video/mp4"));
    assert_eq!(result(&answer_of(200, &video)), Ok(found));
    let early = json!({"detail": "Request is still in progress"});
    assert_eq!(result(&answer_of(400, &early)), Ok(Outcome::NotReady));
    assert_eq!(result(&typed(422, "content_policy_violation")), Ok(Outcome::Failed));
    let gone = result(&answer_of(404, &json!({"detail": "Request not found"}))).unwrap_err();
    assert_eq!((gone.code, gone.certainty), (FailureCode::ResultMissing, Certainty::Ended));
    let gateway = result(&answer_of(502, &json!("nginx"))).unwrap_err();
    assert_eq!(gateway.certainty, Certainty::Unchanged);
    // The status of a request that failed has an error; this one has not.
    let machinery = json!({"detail": "Service unavailable", "error_type": "runner_scheduling_failure"});
    let machinery = result(&answer_of(503, &machinery)).unwrap_err();
    assert!(machinery.certainty == Certainty::Unchanged && machinery.is_retryable(), "{machinery:?}");
    assert_eq!(result(&typed(500, "internal_server_error")), Ok(Outcome::Failed));
    for empty in [json!({"images": []}), json!({"video": null}), json!({"video": {"url": "not an address"}})] {
        let error = result(&answer_of(200, &empty)).unwrap_err();
        assert_eq!((error.code, error.certainty), (FailureCode::ProviderGarbage, Certainty::Ended), "{empty}");
    }
}

#[test]
fn every_models_documented_answer_holds_its_file() {
    let catalogue = Catalogue::embedded().unwrap();
    let image = json!({"url": "https://v3b.fal.media/files/b/1.png", "content_type": "image/png", "file_name": "1.png",
        "file_size": 1_234_567, "width": 896, "height": 1200});
    let video = json!({"url": "https://v3b.fal.media/files/b/1.mp4", "content_type": "video/mp4", "file_name": "1.mp4",
        "file_size": 2_345_678});
    let of = |id: &str| match id {
        "fal-ai/kling/v1-5/kolors-virtual-try-on" => json!({"image": image}),
        "fal-ai/fashn/tryon/v1.6" => json!({"images": [image]}),
        edit if edit.contains("nano-banana") => json!({"images": [image], "description": "Here you are."}),
        "fal-ai/pika/v2.2/pikaframes" | "fal-ai/pika/v2.2/image-to-video" => json!({"video": video}),
        _ => json!({"video": video, "seed": 7}),
    };
    let rows: Vec<_> = catalogue.rows().iter().filter(|row| row.provider == Provider::Fal).collect();
    assert_eq!(rows.len(), 12);
    for row in rows {
        let found = answer::result(&answer_of(200, &of(&row.id)), row.output.as_ref().unwrap());
        let Ok(Outcome::File { url, content_type }) = found else { panic!("{}: {found:?}", row.id) };
        let is_still = row.roles.iter().all(|role| role.makes_stills());
        let expected = if is_still { ("/files/b/1.png", "image/png") } else { ("/files/b/1.mp4", "video/mp4") };
        assert_eq!((url.path(), content_type.as_deref()), (expected.0, Some(expected.1)), "{}", row.id);
    }
}

#[test]
fn the_type_of_an_error_decides() {
    let cases = [
        ("content_policy_violation", 422, FailureCode::ContentRefused, Retry::Never),
        ("image_too_small", 422, FailureCode::PhotoTooSmall, Retry::Never),
        ("image_too_large", 422, FailureCode::PhotoTooLarge, Retry::Never),
        ("file_too_large", 422, FailureCode::PhotoTooLarge, Retry::Never),
        ("image_load_error", 422, FailureCode::PhotoUnreadable, Retry::Never),
        ("unsupported_image_format", 422, FailureCode::PhotoUnreadable, Retry::Never),
        ("face_detection_error", 422, FailureCode::NoPersonFound, Retry::Never),
        ("file_download_error", 422, FailureCode::PhotoUnreadable, Retry::Never),
        ("feature_not_supported", 422, FailureCode::InputUnsupported, Retry::Never),
        ("greater_than_equal", 422, FailureCode::ProviderRejected, Retry::Never),
        ("one_of", 422, FailureCode::ProviderRejected, Retry::Never),
        ("no_media_generated", 422, FailureCode::NoPicture, Retry::Never),
        ("sequence_too_long", 422, FailureCode::ProviderRejected, Retry::Never),
        ("missing", 422, FailureCode::ProviderRejected, Retry::Never),
        ("generation_timeout", 504, FailureCode::ProviderTimeout, Retry::LATER),
        ("downstream_service_error", 400, FailureCode::ProviderUnavailable, Retry::LATER),
        ("internal_server_error", 500, FailureCode::ProviderUnavailable, Retry::LATER),
    ];
    for (kind, status, code, retry) in cases {
        let error = refusal::ended(&typed(status, kind), None, None);
        assert_eq!((error.code, error.retry), (code, retry), "{kind}");
        assert_eq!((error.certainty, error.charged), (Certainty::Ended, Some(MicroUsd::ZERO)), "{kind}");
        assert!(error.detail.contains("image_urls.0: vendor words"), "{}", error.detail);
        assert!(!error.detail.contains("base64"), "the input is not repeated");
    }
}

#[test]
fn a_failure_says_what_it_cost_and_heeds_the_advice_of_either_header() {
    let failure = Failure { error: "Invalid status code: 500".into(), error_type: Some("runner_server_error".into()) };
    let charged = Some(MicroUsd::new(200_000));
    let error = refusal::ended(&answer_of(500, &json!({"detail": "boom"})), Some(&failure), charged);
    assert_eq!((error.code, error.charged), (FailureCode::ProviderUnavailable, charged));
    assert!(error.detail.contains("Invalid status code: 500"));
    for header in ["x-fal-retryable", "x-fal-needs-retry"] {
        for (word, expected) in
            [("false", Retry::Never), ("0", Retry::Never), ("1", Retry::LATER), ("true", Retry::LATER)]
        {
            let headers: &[(&'static str, &'static str)] = &[(header, word)];
            let error = refusal::ended(&answer_with(500, headers, &json!({"detail": "boom"})), None, None);
            assert_eq!(error.retry, expected, "{header}: {word}");
        }
    }
    let cancelled = answer_of(499, &json!({"detail": "x", "error_type": "client_cancelled"}));
    assert_eq!(refusal::ended(&cancelled, Some(&failure), None).code, FailureCode::Cancelled);
}

#[test]
fn a_plain_text_422_is_a_fault_of_ours() {
    let error = refusal::refused(&answer_of(422, &json!({"detail": "Unprocessable"})), Purpose::Pays);
    assert_eq!((error.code, error.retry), (FailureCode::ProviderRejected, Retry::Never));
}

#[test]
fn cancelling() {
    let answer = |status, word: &str| answer::cancelled(&answer_of(status, &json!({"status": word})));
    assert_eq!(answer(202, "CANCELLATION_REQUESTED"), Ok(CancelAnswer::Requested));
    assert_eq!(answer(200, "OK"), Ok(CancelAnswer::Requested));
    assert_eq!(answer(400, "ALREADY_COMPLETED"), Ok(CancelAnswer::AlreadyCompleted));
    assert_eq!(answer(404, "NOT_FOUND"), Ok(CancelAnswer::NotFound));
    assert_eq!(answer(500, "x").unwrap_err().certainty, Certainty::Unchanged);
}
