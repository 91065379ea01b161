use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{ClipSeconds, FailureCode, MicroUsd, Resolution};
use providers::{
    CancelAnswer, Catalogue, Certainty, ClipMaker, ClipRequest, FalSettings, Makers, ModelRef, Order, Picture,
    Provider, RequestStatus, SharedCatalogue,
};
use serde_json::json;
use url::Url;

use crate::stub::{Reply, Seen, Stub, nowhere};

const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";

pub fn makers(url: &Url) -> Makers {
    let catalogue = SharedCatalogue::new(Catalogue::embedded().unwrap());
    Makers::new(Some(FalSettings::simulator(url).unwrap()), None, catalogue).unwrap()
}

fn maker(url: &Url) -> Arc<dyn ClipMaker> {
    makers(url).clip(&ModelRef::new(Provider::Fal, PIKA)).unwrap()
}

pub fn png(last: u8) -> Picture {
    Picture::sniffed([b"\x89PNG\r\n\x1a\n".as_slice(), &[last]].concat()).unwrap()
}

pub fn request() -> ClipRequest {
    ClipRequest {
        start: png(1),
        end: Some(png(2)),
        prompt: "from start to end".into(),
        duration: ClipSeconds::parse(4).unwrap(),
        resolution: Resolution::P1080,
        fps: None,
        motion: None,
        webhook_url: Some(Url::parse("https://shop.example/api/video/webhook?call=1&x=2").unwrap()),
        tags: vec![
            ("generation".to_owned(), "0198c0de".to_owned()),
            ("bad".to_owned(), "a,b=c".to_owned()),
            ("slot".to_owned(), "clip".to_owned()),
        ],
    }
}

fn order() -> Order {
    request().order().into()
}

/// A server that stores pictures and answers a submit with `reply`.
pub async fn accepting(reply: Reply) -> Stub {
    Stub::start(move |seen: &Seen| {
        let host = &seen.headers["host"];
        if seen.path.starts_with("/storage/upload/initiate") {
            let name = seen.json()["file_name"].as_str().unwrap().to_owned();
            Reply::json(
                200,
                &json!({"upload_url": format!("http://{host}/put/{name}?sig=s3cret"),
                "file_url": format!("https://v3.fal.media/files/{name}")}),
            )
        } else if seen.method == "PUT" {
            Reply::json(200, &json!({}))
        } else {
            reply.clone()
        }
    })
    .await
}

#[tokio::test]
async fn a_clip_is_bought_as_documented() {
    let stub = accepting(Reply::json(
        200,
        &json!({"status": "IN_QUEUE", "request_id": "req-1", "queue_position": 0,
        "response_url": "https://evil.example/r", "status_url": "nonsense"}),
    ))
    .await;
    let submitted = maker(&stub.url).submit(&request()).await.unwrap();
    assert_eq!(submitted.status_url.as_str(), format!("{}fal-ai/pika/requests/req-1/status", stub.url));
    assert_eq!(submitted.response_url.as_str(), format!("{}fal-ai/pika/requests/req-1", stub.url));

    let seen = stub.seen();
    assert_eq!(seen.iter().map(|one| one.method.as_str()).collect::<Vec<_>>(), ["POST", "PUT", "POST", "PUT", "POST"]);
    assert_eq!(seen[0].path, "/storage/upload/initiate?storage_type=fal-cdn-v3");
    assert_eq!(seen[0].headers["authorization"], "Key simulator:key");
    assert_eq!(seen[0].headers["x-fal-object-lifecycle"], r#"{"expiration_duration_seconds":86400}"#);
    assert_eq!(seen[0].json(), json!({"content_type": "image/png", "file_name": "start.png"}));
    assert!(!seen[1].headers.contains_key("authorization"), "the file host gets no key");
    assert_eq!((seen[1].headers["content-type"].as_str(), &seen[1].body), ("image/png", &png(1).bytes));

    let submit = &seen[4];
    assert_eq!(
        submit.path,
        format!("/{PIKA}?fal_webhook=https%3A%2F%2Fshop.example%2Fapi%2Fvideo%2Fwebhook%3Fcall%3D1%26x%3D2")
    );
    assert_eq!(submit.headers["authorization"], "Key simulator:key");
    assert_eq!(submit.headers["x-fal-tags"], "generation=0198c0de,slot=clip");
    assert_eq!(submit.headers["x-fal-object-lifecycle-preference"], r#"{"expiration_duration_seconds":86400}"#);
    assert_eq!(
        submit.json(),
        json!({"image_urls": ["https://v3.fal.media/files/start.png", "https://v3.fal.media/files/end.png"],
            "prompt": "from start to end", "resolution": "1080p",
            "transitions": [{"duration": 4, "prompt": "from start to end"}]})
    );
}

#[tokio::test]
async fn only_the_submit_itself_can_be_in_doubt() {
    let stub = accepting(Reply::HangUp).await;
    let error = maker(&stub.url).submit(&request()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderUnreachable, Certainty::Unknown));
    assert_eq!(stub.seen().len(), 5, "the submit was sent once");

    let broken = Stub::start(|_| Reply::HangUp).await;
    let error = maker(&broken.url).submit(&request()).await.unwrap_err();
    assert_eq!(error.certainty, Certainty::NotSent, "the upload was lost, nothing was bought");
    assert_eq!(maker(&nowhere().await).submit(&request()).await.unwrap_err().certainty, Certainty::NotSent);
}

#[tokio::test]
async fn pictures_are_put_only_where_pictures_may_go() {
    let stub = Stub::start(|_| {
        Reply::json(200, &json!({"upload_url": "http://169.254.169.254/latest", "file_url": "https://fal.media/x"}))
    })
    .await;
    let error = maker(&stub.url).submit(&request()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderGarbage, Certainty::NotSent));
}

/// A queue that says a request is completed and answers its result with `reply`.
async fn check(status: serde_json::Value, reply: Reply) -> (Result<RequestStatus, providers::ProviderError>, Stub) {
    let stub =
        Stub::start(move |seen| if seen.path.contains("/status") { Reply::json(200, &status) } else { reply.clone() })
            .await;
    let maker = maker(&stub.url);
    let submitted = maker.locate("req-1").unwrap();
    let outcome = maker.check(&submitted, &order()).await;
    (outcome, stub)
}

fn video(units: Option<&str>) -> Reply {
    let file = json!({"url": "https://v3b.fal.media/files/x.mp4", "content_type": "video/mp4"});
    let reply = Reply::json(200, &json!({"video": file}));
    units.map_or_else(|| reply.clone(), |units| reply.clone().with("X-Fal-Billable-Units", units))
}

#[tokio::test]
async fn the_bill_is_kept_beside_our_own_price() {
    for (units, cost) in [(Some("5"), 300_000), (Some("7.5"), 450_000), (None, 300_000), (Some("what"), 300_000)] {
        let (outcome, stub) = check(json!({"status": "COMPLETED"}), video(units)).await;
        let RequestStatus::Finished(clip) = outcome.unwrap() else { panic!("not finished") };
        let differs = units == Some("7.5");
        assert_eq!(clip.url.as_str(), "https://v3b.fal.media/files/x.mp4");
        assert_eq!((clip.cost, clip.cost_expected), (MicroUsd::new(cost), MicroUsd::new(300_000)), "{units:?}");
        assert_eq!((clip.is_billed_otherwise(), clip.content_type.as_deref()), (differs, Some("video/mp4")));
        assert_eq!(stub.seen()[0].path, "/fal-ai/pika/requests/req-1/status?logs=0");
        assert_eq!(stub.seen()[1].path, "/fal-ai/pika/requests/req-1");
    }
}

#[tokio::test]
async fn a_completed_request_with_an_error_is_over_and_says_what_it_cost() {
    let refused = Reply::json(
        422,
        &json!({"detail": [{"loc": ["body", "prompt"], "msg": "no", "type": "content_policy_violation"}]}),
    )
    .with("X-Fal-Billable-Units", "5");
    let status = json!({"status": "COMPLETED", "error": "Invalid status code: 422", "error_type": "x"});
    let (outcome, _stub) = check(status.clone(), refused).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ContentRefused, Certainty::Ended));
    assert_eq!((error.charged, error.request_id.as_deref()), (Some(MicroUsd::new(300_000)), Some("req-1")));

    let (outcome, _stub) = check(status, Reply::json(500, &json!({"detail": "boom"}))).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code, error.charged), (FailureCode::ProviderUnavailable, Some(MicroUsd::ZERO)));
}

#[tokio::test]
async fn a_file_host_that_refuses_a_picture_is_not_the_account() {
    for (status, code, retryable) in
        [(403, FailureCode::ProviderUnavailable, true), (413, FailureCode::PhotoTooLarge, false)]
    {
        let stub = Stub::start(move |seen| {
            let host = &seen.headers["host"];
            match seen.method.as_str() {
                "PUT" => Reply::bytes(status, "SignatureDoesNotMatch"),
                _ => Reply::json(
                    200,
                    &json!({"upload_url": format!("http://{host}/put"), "file_url": "https://v3.fal.media/x"}),
                ),
            }
        })
        .await;
        let error = maker(&stub.url).submit(&request()).await.unwrap_err();
        assert_eq!((error.code, error.certainty), (code, Certainty::NotSent));
        assert_eq!(error.is_retryable(), retryable);
    }
}

#[tokio::test]
async fn a_key_in_the_vendors_words_does_not_come_through() {
    let refusal = json!({"detail": "invalid key credentials: simulator:key (secret key)"});
    let stub = accepting(Reply::json(401, &refusal)).await;
    let error = maker(&stub.url).submit(&request()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderKey, Certainty::Refused));
    assert!(!format!("{error} {error:?}").contains("simulator:key"), "{error}");
}

#[tokio::test]
async fn a_broken_look_leaves_the_call_as_it_was() {
    for reply in [Reply::HangUp, Reply::bytes(502, "nginx"), Reply::bytes(200, "<html>")] {
        let (outcome, _stub) = check(json!({"status": "COMPLETED"}), reply).await;
        let error = outcome.unwrap_err();
        assert!(error.certainty == Certainty::Unchanged && error.is_retryable(), "{error:?}");
    }
    let (outcome, stub) = check(json!({"status": "IN_QUEUE", "queue_position": 2}), Reply::HangUp).await;
    assert_eq!(outcome.unwrap(), RequestStatus::Queued { position: Some(2) });
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn the_key_does_not_follow_a_stored_address_elsewhere() {
    let other = Stub::start(|_| Reply::json(200, &json!({"status": "IN_PROGRESS"}))).await;
    let queue = Stub::start(|_| Reply::json(202, &json!({"status": "IN_PROGRESS"}))).await;
    let maker = maker(&queue.url);
    let mut submitted = maker.locate("req-1").unwrap();
    submitted.status_url = other.url.join("steal").unwrap();
    assert_eq!(maker.check(&submitted, &order()).await.unwrap(), RequestStatus::Running);
    assert!(other.seen().is_empty());
    assert_eq!(queue.seen()[0].headers["authorization"], "Key simulator:key");
}

#[tokio::test]
async fn cancelling_is_a_put() {
    let stub = Stub::start(|_| Reply::json(202, &json!({"status": "CANCELLATION_REQUESTED"}))).await;
    let maker = maker(&stub.url);
    let submitted = maker.locate("req-1").unwrap();
    assert_eq!(maker.cancel(&submitted).await.unwrap(), CancelAnswer::Requested);
    let seen = stub.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("PUT", "/fal-ai/pika/requests/req-1/cancel"));
}

#[tokio::test]
async fn the_account_list_is_read_to_its_end() {
    let stub = Stub::start(|seen| {
        let item = |id: &str, at: &str, endpoint: &str| json!({"request_id": id, "endpoint_id": endpoint, "sent_at": at,
            "started_at": at, "ended_at": at, "status_code": 200, "duration": 1.5});
        if seen.path.contains("cursor=Mg%3D%3D") {
            Reply::json(200, &json!({"items": [item("old", "2026-11-01T00:00:01Z", PIKA), item("early", "2026-10-31T00:00:00Z", PIKA)],
                "next_cursor": null, "has_more": false}))
        } else {
            Reply::json(200, &json!({"items": [item("new", "2026-11-01T00:05:00Z", PIKA), item("other", "2026-11-01T00:05:00Z", "fal-ai/x")],
                "next_cursor": "Mg==", "has_more": true}))
        }
    })
    .await;
    let since: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().unwrap();
    let found = maker(&stub.url).accepted_since(since).await.unwrap();
    assert_eq!(found.iter().map(|one| one.request_id.as_str()).collect::<Vec<_>>(), ["old", "new"]);
    assert_eq!(
        stub.seen()[0].path,
        "/v1/models/requests/by-endpoint?endpoint_id=fal-ai%2Fpika%2Fv2.2%2Fpikaframes&start=2026-11-01T00%3A00%3A00.000Z&limit=100"
    );
    assert_eq!(stub.seen()[0].headers["authorization"], "Key simulator:key");
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let stub = Stub::start(|_| Reply::json(200, &json!({"items": [], "next_cursor": "x", "has_more": true}))).await;
    let error = maker(&stub.url).accepted_since(Utc::now()).await.unwrap_err();
    assert_eq!(error.certainty, Certainty::Unchanged);
    assert_eq!(stub.seen().len(), 20);
}
