//! The makers against the simulator, which judges them: its own protocol types, its own price list, its own bill.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::{FailureCode, MicroUsd};
use providers::{
    CancelAnswer, Catalogue, Certainty, ClipRequest, FalSettings, FalWebhook, ModelRef, Provider, RequestStatus,
    StillOrder, StillSize, WebhookError, WebhookVerifier, http_client, prompts::Part, webhook::WebhookStatus,
};
use secrecy::SecretString;
use serde_json::json;

use crate::{
    bench::{Bench, NANO, PATIENCE, PIKA, clip_request, makers, picture, plain_clip},
    stub::{Reply, Seen, Stub},
};

/// A place for webhooks that waits for the first one.
async fn mailbox() -> (Stub, tokio::sync::mpsc::UnboundedReceiver<Seen>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let stub = Stub::start(move |seen| {
        sender.send(seen.clone()).unwrap();
        Reply::bytes(200, "")
    })
    .await;
    (stub, receiver)
}

fn signature(seen: &Seen) -> http::HeaderMap {
    seen.headers
        .iter()
        .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn two_stills_and_a_clip_cost_what_the_simulator_bills() {
    let bench = Bench::start(|_| {}).await;
    let start = bench.still(Part::Start).await.unwrap();
    let end = bench.still(Part::End).await.unwrap();
    assert_ne!(start.image, end.image, "two poses");
    let seen = image::load_from_memory(&start.image).unwrap();
    assert!(seen.height() * 3 == seen.width() * 4, "{} x {}", seen.width(), seen.height());
    let order = StillOrder { size: StillSize::K1, pictures: 1 }.into();
    let nano = ModelRef::new(Provider::Gemini, NANO);
    let quote = Catalogue::embedded().unwrap().quote(&nano, &order, Utc::now()).unwrap();
    assert!(start.cost <= quote, "{} was held for {}", quote.display_exact(), start.cost.display_exact());

    let (mail, mut letters) = mailbox().await;
    let mut request = clip_request(picture(&start), Some(picture(&end)));
    request.webhook_url = Some(mail.url.join("api/video/webhook").unwrap());
    let submitted = bench.clips.submit(&request).await.unwrap();

    let letter = tokio::time::timeout(PATIENCE, letters.recv()).await.unwrap().unwrap();
    let verifier = WebhookVerifier::new(http_client().unwrap(), bench.url(".well-known/jwks.json"), None);
    let verified = verifier.verify(&signature(&letter), &letter.body, Utc::now()).await.unwrap();
    assert_eq!(verified.request_id, submitted.request_id);
    assert_eq!(FalWebhook::parse(&verified, &letter.body).unwrap().status, WebhookStatus::Ok);

    let clip = bench.end(&submitted, &request).await.unwrap();
    assert_eq!(clip.cost, clip.cost_expected);
    assert!(clip.billable_units.is_some());
    let file = bench.fetch(&clip.url).await.unwrap();
    assert!(file.bytes > 10_000 && file.content_type_sniffed() == "video/mp4");
    assert_eq!(bench.bill().await, [start.cost, end.cost, clip.cost]);
}

#[tokio::test]
async fn a_lost_submit_is_found_in_the_accounts_list_and_bought_once() {
    let bench = Bench::start(|_| {}).await;
    let since = Utc::now() - TimeDelta::seconds(1);
    assert_eq!(bench.clips.accepted_since(since).await.unwrap(), []);
    bench.set_fault(json!({"fault": "drop_answer", "model": PIKA})).await;
    let request = plain_clip();
    let error = bench.clips.submit(&request).await.unwrap_err();
    assert_eq!(error.certainty, Certainty::Unknown);

    let found = bench.clips.accepted_since(since).await.unwrap();
    assert_eq!(found.len(), 1);
    let submitted = bench.clips.locate(&found[0].request_id).unwrap();
    let clip = bench.end(&submitted, &request).await.unwrap();
    assert_eq!(bench.bill().await, [clip.cost]);
}

#[tokio::test]
async fn a_refused_submit_is_neither_listed_nor_billed() {
    let bench = Bench::start(|_| {}).await;
    let cases = [
        (503, FailureCode::ProviderUnavailable),
        (500, FailureCode::ProviderUnavailable),
        (429, FailureCode::ProviderBusy),
        (402, FailureCode::ProviderCredit),
    ];
    for (status, code) in cases {
        let fault = json!({"fault": "status", "status": status, "retry_after_secs": 7});
        bench.set_fault(fault.clone()).await;
        let error = bench.clips.submit(&plain_clip()).await.unwrap_err();
        assert_eq!((error.code, error.certainty), (code, Certainty::Refused), "{error}");
        bench.set_fault(fault).await;
        let error = bench.still(Part::Start).await.unwrap_err();
        assert_eq!((error.code, error.certainty), (code, Certainty::Refused), "{error}");
        if status == 429 {
            assert_eq!(error.retry, providers::Retry::Later { after: Some(Duration::from_secs(7)) });
        }
    }
    // Locked for whatever reason; what it says tells the reasons apart.
    bench.set_fault(json!({"fault": "status", "status": 403})).await;
    let error = bench.clips.submit(&plain_clip()).await.unwrap_err();
    assert!(matches!(error.code, FailureCode::ProviderAccount | FailureCode::ProviderCredit), "{error}");
    assert_eq!((error.certainty, error.is_retryable()), (Certainty::Refused, false));
    assert_eq!(bench.clips.accepted_since(Utc::now() - TimeDelta::hours(1)).await.unwrap(), []);
    assert_eq!(bench.bill().await, []);
}

#[tokio::test]
async fn a_still_whose_answer_was_lost_is_on_the_bill() {
    let bench = Bench::start(|_| {}).await;
    for fault in ["drop_answer", "garbage"] {
        bench.set_fault(json!({"fault": fault, "model": NANO})).await;
        let error = bench.still(Part::Start).await.unwrap_err();
        assert!(error.is_in_doubt(), "{fault}: {error}");
    }
    let still = bench.still(Part::Start).await.unwrap();
    assert_eq!(bench.bill().await, [still.cost; 3]);
}

#[tokio::test]
async fn refused_content_costs_what_the_bill_says() {
    let bench = Bench::start(|_| {}).await;
    bench.set_fault(json!({"fault": "moderation", "model": NANO})).await;
    let error = bench.still(Part::Start).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ContentRefused, Certainty::Ended));
    assert!(error.charged.unwrap() > MicroUsd::ZERO);
    assert_eq!(bench.bill().await, [error.charged.unwrap()]);

    for (fault, code) in [
        (json!({"fault": "moderation", "model": PIKA}), FailureCode::ContentRefused),
        (json!({"fault": "completed_with_error", "model": PIKA}), FailureCode::ProviderUnavailable),
        (json!({"fault": "completed_with_error", "model": PIKA, "status": 504}), FailureCode::ProviderTimeout),
    ] {
        bench.set_fault(fault).await;
        let request = plain_clip();
        let submitted = bench.clips.submit(&request).await.unwrap();
        let failed = bench.end(&submitted, &request).await.unwrap_err();
        assert_eq!((failed.code, failed.certainty), (code, Certainty::Ended), "{failed}");
        assert_eq!(failed.charged, Some(MicroUsd::ZERO));
        assert_eq!(failed.request_id, Some(submitted.request_id));
    }
    assert_eq!(bench.bill().await, [error.charged.unwrap()]);
}

#[tokio::test]
async fn a_playlist_that_calls_itself_a_clip_is_not_kept() {
    let bench = Bench::start(|_| {}).await;
    bench.set_fault(json!({"fault": "wrong_type_clip", "model": PIKA})).await;
    let request = plain_clip();
    let submitted = bench.clips.submit(&request).await.unwrap();
    let clip = bench.end(&submitted, &request).await.unwrap();
    let error = bench.fetch(&clip.url).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ClipCorrupt, Certainty::Unchanged));
    assert!(!bench.folder.path().join("clip.mp4").exists());
}

#[tokio::test]
async fn a_waiting_request_is_cancelled_and_not_billed() {
    let bench = Bench::start(|settings| settings.queue_delay_ms = 600_000).await;
    let request = plain_clip();
    let submitted = bench.clips.submit(&request).await.unwrap();
    let order = request.order().into();
    assert_eq!(bench.clips.check(&submitted, &order).await.unwrap(), RequestStatus::Queued { position: Some(0) });
    assert_eq!(bench.clips.cancel(&submitted).await.unwrap(), CancelAnswer::Requested);
    let error = bench.clips.check(&submitted, &order).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::Cancelled, Certainty::Ended));
    assert_eq!(bench.clips.cancel(&submitted).await.unwrap(), CancelAnswer::AlreadyCompleted);
    assert_eq!(bench.bill().await, []);

    let stranger = bench.clips.locate("0198c0de-0000-7000-8000-000000000000").unwrap();
    assert_eq!(bench.clips.cancel(&stranger).await.unwrap(), CancelAnswer::NotFound);
    let error = bench.clips.check(&stranger, &order).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ResultMissing, Certainty::Ended));
}

#[tokio::test]
async fn a_broken_look_is_looked_again() {
    let bench = Bench::start(|_| {}).await;
    let request = plain_clip();
    let submitted = bench.clips.submit(&request).await.unwrap();
    for (fault, step) in [("drop_answer", "status"), ("garbage", "status")] {
        bench.set_fault(json!({"fault": fault, "model": PIKA, "step": step})).await;
        let error = bench.clips.check(&submitted, &request.order().into()).await.unwrap_err();
        assert!(error.certainty == Certainty::Unchanged && error.is_retryable(), "{fault}: {error}");
    }
    let clip = bench.end(&submitted, &request).await.unwrap();
    assert_eq!(bench.bill().await, [clip.cost]);
}

#[tokio::test]
async fn a_wrong_key_is_an_account_problem() {
    let bench = Bench::start(|settings| {
        settings.fal_key = Some("right:key".into());
        settings.gemini_key = Some("right-key".into());
    })
    .await;
    let error = bench.still(Part::Start).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderKey, Certainty::Refused));
    let error = bench.clips.submit(&plain_clip()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderKey, Certainty::Refused));

    let url = bench.simulator.url();
    let settings = FalSettings { key: SecretString::from("right:key"), ..FalSettings::simulator(&url).unwrap() };
    let clips = makers(settings, &url).clip(&ModelRef::new(Provider::Fal, PIKA)).unwrap();
    assert!(clips.submit(&plain_clip()).await.is_ok());
}

#[tokio::test]
async fn a_forged_webhook_is_not_believed() {
    let bench = Bench::start(|_| {}).await;
    bench.set_fault(json!({"fault": "webhook_bad_signature", "model": PIKA})).await;
    let (mail, mut letters) = mailbox().await;
    let request = ClipRequest { webhook_url: Some(mail.url.clone()), ..plain_clip() };
    bench.clips.submit(&request).await.unwrap();
    let letter = tokio::time::timeout(PATIENCE, letters.recv()).await.unwrap().unwrap();
    let verifier = WebhookVerifier::new(http_client().unwrap(), bench.url(".well-known/jwks.json"), None);
    let verdict = verifier.verify(&signature(&letter), &letter.body, Utc::now()).await;
    assert_eq!(verdict, Err(WebhookError::BadSignature));
}
