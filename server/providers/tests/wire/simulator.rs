//! The makers against the simulator, which judges them: its own protocol types, its own price list, its own bill.

use std::{io::Cursor, sync::Arc, time::Duration};

use ::simulator::{Settings, Simulator};
use chrono::{TimeDelta, Utc};
use domain::{ClipSeconds, FailureCode, MicroUsd, ModelType, Resolution};
use image::{ImageFormat, Rgb, RgbImage};
use providers::{
    Aspect, CancelAnswer, Catalogue, Certainty, ClipMaker, ClipRequest, ClipStatus, FalClips, FalSettings, FalWebhook,
    FetchRules, GeminiSettings, GeminiStills, Picture, ProviderError, StillAnswer, StillMaker, StillRequest, Submitted,
    WebhookError, WebhookVerifier, fetch_result, http_client,
    prompts::{self, Part, PromptFields, PromptVersion},
    webhook::WebhookStatus,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::stub::{Reply, Seen, Stub};

const NANO: &str = "gemini-nano-banana-2.1";
const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";
const PATIENCE: Duration = Duration::from_secs(60);

/// A simulator of its own for each test, and the real makers pointed at it.
struct Bench {
    simulator: Simulator,
    stills: GeminiStills,
    clips: FalClips,
    folder: TempDir,
}

impl Bench {
    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings { state_dir: folder.path().join("state"), ..Settings::default() };
        change(&mut settings);
        let simulator = Simulator::start(settings).await.unwrap();
        let url = simulator.url();
        let catalogue = Arc::new(Catalogue::embedded().unwrap());
        let client = http_client().unwrap();
        let stills =
            GeminiStills::new(client.clone(), GeminiSettings::simulator(&url), Arc::clone(&catalogue), NANO).unwrap();
        let clips = FalClips::new(client, FalSettings::simulator(&url).unwrap(), catalogue, PIKA).unwrap();
        Self { simulator, stills, clips, folder }
    }

    fn url(&self, path: &str) -> Url {
        self.simulator.url().join(path).unwrap()
    }

    async fn set_fault(&self, fault: Value) {
        let answer = http_client().unwrap().put(self.url("faults")).json(&json!([fault])).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }

    /// What stands on the bill: every amount, in order.
    async fn bill(&self) -> Vec<MicroUsd> {
        let invoice: Value =
            http_client().unwrap().get(self.url("invoice")).send().await.unwrap().json().await.unwrap();
        let amount = |entry: &Value| MicroUsd::new(entry["amount_micro_usd"].as_i64().unwrap());
        invoice["entries"].as_array().unwrap().iter().map(amount).collect()
    }

    async fn still(&self, part: Part) -> Result<StillAnswer, ProviderError> {
        self.stills.make_still(&still_request(part)).await
    }

    /// Looks until the request has ended one way or the other.
    async fn end(&self, submitted: &Submitted, order: &ClipRequest) -> Result<providers::ClipAnswer, ProviderError> {
        let looking = async {
            let mut turn = tokio::time::interval(Duration::from_millis(50));
            loop {
                turn.tick().await;
                if let ClipStatus::Finished(clip) = self.clips.check(submitted, &order.order()).await? {
                    return Ok(clip);
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("the request ends")
    }

    async fn fetch(&self, url: &Url) -> Result<providers::Fetched, ProviderError> {
        let rules = FetchRules::clips_of(&FalSettings::simulator(&self.simulator.url()).unwrap()).unwrap();
        fetch_result(url, &rules, &self.folder.path().join("clip.mp4")).await
    }
}

/// A shirt on white, as plain as a product photo can be.
fn photo() -> Vec<u8> {
    let shirt = |x: u32, y: u32| {
        (80..240).contains(&x) && (90..330).contains(&y) || (40..280).contains(&x) && (90..170).contains(&y)
    };
    let picture = RgbImage::from_fn(320, 420, |x, y| if shirt(x, y) { Rgb([30, 70, 160]) } else { Rgb([255; 3]) });
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

fn prompt(part: Part) -> String {
    let fields = PromptFields {
        name: "Oxford Shirt".into(),
        category: "shirts".into(),
        colour: Some("blue".into()),
        model_type: ModelType::Female,
    };
    prompts::render(PromptVersion::default(), part, &fields)
}

fn still_request(part: Part) -> StillRequest {
    StillRequest {
        photo: photo(),
        photo_content_type: "image/png".into(),
        prompt: prompt(part),
        aspect: Aspect::Portrait3x4,
        model_type: ModelType::Female,
    }
}

fn clip_request(start: &StillAnswer, end: &StillAnswer) -> ClipRequest {
    let picture =
        |still: &StillAnswer| Picture { bytes: still.image.clone(), content_type: still.content_type.to_owned() };
    ClipRequest {
        start: picture(start),
        end: picture(end),
        prompt: prompt(Part::Clip),
        duration: ClipSeconds::parse(3).unwrap(),
        resolution: Resolution::P720,
        webhook_url: None,
    }
}

/// A request whose pictures need not be worn by anybody.
fn plain_clip() -> ClipRequest {
    let still = StillAnswer {
        image: photo(),
        content_type: "image/png",
        cost: MicroUsd::ZERO,
        usage: Value::Null,
        request_id: None,
    };
    clip_request(&still, &still)
}

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
    let picture = image::load_from_memory(&start.image).unwrap();
    assert!(picture.height() * 3 == picture.width() * 4, "{} x {}", picture.width(), picture.height());
    let quote = Catalogue::embedded().unwrap().quote_still(NANO, 1, Utc::now()).unwrap();
    assert!(start.cost <= quote, "{} was held for {}", quote.display_exact(), start.cost.display_exact());

    let (mail, mut letters) = mailbox().await;
    let mut request = clip_request(&start, &end);
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
        (403, FailureCode::ProviderAccount),
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
    let order = request.order();
    assert_eq!(bench.clips.check(&submitted, &order).await.unwrap(), ClipStatus::Queued { position: Some(0) });
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
        let error = bench.clips.check(&submitted, &request.order()).await.unwrap_err();
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
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderAccount, Certainty::Refused));
    let error = bench.clips.submit(&plain_clip()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderAccount, Certainty::Refused));

    let settings =
        FalSettings { key: SecretString::from("right:key"), ..FalSettings::simulator(&bench.simulator.url()).unwrap() };
    let catalogue = Arc::new(Catalogue::embedded().unwrap());
    let clips = FalClips::new(http_client().unwrap(), settings, catalogue, PIKA).unwrap();
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
