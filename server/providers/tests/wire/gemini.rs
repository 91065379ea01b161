use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{FailureCode, MicroUsd, ModelType};
use providers::{
    Aspect, Catalogue, Certainty, GeminiSettings, GeminiVersion, Makers, Making, ModelRef, Picture, Provider,
    ProviderError, SharedCatalogue, StillAnswer, StillMaker, StillRequest, StillSize,
};
use serde_json::{Value, json};
use url::Url;

use crate::stub::{Reply, Stub, nowhere};

const MODEL: &str = "gemini-nano-banana-2.1";
const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0 a photo";

fn maker_with(url: &Url, change: impl FnOnce(&mut GeminiSettings)) -> Arc<dyn StillMaker> {
    let mut settings = GeminiSettings::simulator(url);
    change(&mut settings);
    let catalogue = SharedCatalogue::new(Catalogue::embedded().unwrap());
    Makers::new(None, Some(settings), catalogue).unwrap().still(&ModelRef::new(Provider::Gemini, MODEL)).unwrap()
}

fn maker(url: &Url, timeout: Duration) -> Arc<dyn StillMaker> {
    maker_with(url, |settings| settings.timeout = timeout)
}

fn photo() -> Picture {
    Picture { bytes: JPEG.to_vec(), content_type: "image/jpeg".into() }
}

fn request() -> StillRequest {
    StillRequest {
        photos: vec![photo()],
        person: None,
        prompt: "start pose".into(),
        aspect: Aspect::Portrait3x4,
        size: StillSize::K1,
        model_type: ModelType::Female,
        category: None,
        webhook_url: None,
        tags: Vec::new(),
    }
}

async fn made(maker: &dyn StillMaker, request: &StillRequest) -> Result<StillAnswer, ProviderError> {
    assert!(maker.requests().is_none(), "there is no queue");
    match maker.make_still(request).await? {
        Making::Made(answer) => Ok(answer),
        Making::Accepted(submitted) => panic!("a queue took it: {submitted:?}"),
    }
}

async fn make(reply: Reply) -> (Result<StillAnswer, ProviderError>, Stub) {
    let stub = Stub::start(move |_| reply.clone()).await;
    let answer = made(&*maker(&stub.url, Duration::from_secs(20)), &request()).await;
    (answer, stub)
}

fn usage() -> Value {
    json!({"promptTokenCount": 1380, "candidatesTokenCount": 1160, "thoughtsTokenCount": 60, "totalTokenCount": 2600,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}]})
}

#[tokio::test]
async fn a_still_is_asked_for_as_documented_and_priced_by_its_tokens() {
    let png = b"\x89PNG\r\n\x1a\n drawn";
    let (answer, stub) = make(Reply::json(
        200,
        &json!({"candidates": [{"content": {"role": "model", "parts": [
                {"inlineData": {"mimeType": "image/jpeg", "data": BASE64.encode(png)}}]}, "finishReason": "STOP"}],
            "usageMetadata": usage(), "modelVersion": MODEL, "responseId": "resp-1"}),
    ))
    .await;
    let still = answer.unwrap();
    assert_eq!((still.image.as_slice(), still.content_type), (png.as_slice(), "image/png"));
    assert_eq!((still.cost, still.request_id.as_deref()), (MicroUsd::new(36_420), Some("resp-1")));
    assert_eq!(still.usage, usage());

    let seen = stub.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, format!("/v1beta/models/{MODEL}:generateContent"));
    assert_eq!(seen[0].headers["x-goog-api-key"], "simulator-key");
    assert!(seen[0].headers["user-agent"].starts_with("lookreel/"));
    assert_eq!(
        seen[0].json(),
        json!({"contents": [{"role": "user", "parts": [
                {"text": "start pose"}, {"inlineData": {"mimeType": "image/jpeg", "data": BASE64.encode(JPEG)}}]}],
            "generationConfig": {"responseModalities": ["TEXT", "IMAGE"],
                "imageConfig": {"aspectRatio": "3:4", "imageSize": "1K"}}})
    );
}

#[tokio::test]
async fn a_refusal_that_comes_as_success_is_charged() {
    let (answer, _stub) = make(Reply::json(
        200,
        &json!({"candidates": [{"finishReason": "IMAGE_SAFETY", "index": 0}],
            "usageMetadata": {"promptTokenCount": 1380, "totalTokenCount": 1380}, "responseId": "resp-2"}),
    ))
    .await;
    let error = answer.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ContentRefused, Certainty::Ended));
    assert_eq!((error.charged, error.request_id.as_deref()), (Some(MicroUsd::new(2_070)), Some("resp-2")));
}

#[tokio::test]
async fn a_key_in_the_vendors_words_does_not_come_through() {
    let body = json!({"error": {"code": 400, "message": "API key not valid: simulator-key", "status": "INVALID_ARGUMENT",
        "details": [{"reason": "API_KEY_INVALID"}]}});
    let (answer, _stub) = make(Reply::json(400, &body)).await;
    let error = answer.unwrap_err();
    assert_eq!(error.code, FailureCode::ProviderKey);
    assert!(!format!("{error} {error:?}").contains("simulator-key"), "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_nothing_is_sent_twice() {
    for reply in [Reply::HangUp, Reply::Truncated(b"{\"candidates\":".to_vec())] {
        let (answer, stub) = make(reply).await;
        let error = answer.unwrap_err();
        assert_eq!((error.code, error.certainty), (FailureCode::ProviderUnreachable, Certainty::Unknown));
        assert_eq!((error.charged, stub.seen().len()), (None, 1));
    }
    let (answer, _stub) = make(Reply::bytes(200, "<html>hello</html>")).await;
    let error = answer.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderGarbage, Certainty::Unknown));
}

#[tokio::test]
async fn silence_is_in_doubt() {
    let stub = Stub::start(|_| Reply::Stall(Vec::new())).await;
    let error = maker(&stub.url, Duration::from_millis(200)).make_still(&request()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderTimeout, Certainty::Unknown));
}

#[tokio::test]
async fn what_never_left_is_known_not_to_be_paid() {
    let error = maker(&nowhere().await, Duration::from_secs(5)).make_still(&request()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderUnreachable, Certainty::NotSent));
    assert!(error.is_retryable());

    let (_, stub) = make(Reply::HangUp).await;
    let odd = |content_type: &str, bytes: &[u8]| StillRequest {
        photos: vec![Picture { bytes: bytes.to_vec(), content_type: content_type.into() }],
        ..request()
    };
    let cases = [
        (odd("image/gif", b"GIF89a"), FailureCode::PhotoUnreadable),
        (odd("image/jpeg", b"<svg/>"), FailureCode::PhotoUnreadable),
        (odd("image/jpeg", &[JPEG, &[0; 7_000_000]].concat()), FailureCode::PhotoTooLarge),
        (StillRequest { photos: Vec::new(), ..request() }, FailureCode::ProviderRejected),
    ];
    for (odd, code) in cases {
        let error = maker(&stub.url, Duration::from_secs(5)).make_still(&odd).await.unwrap_err();
        assert_eq!((error.code, error.certainty), (code, Certainty::NotSent));
    }
    assert_eq!(stub.seen().len(), 1, "the odd photo was not sent");
}

#[tokio::test]
async fn both_versions_of_the_api_are_spoken_with_more_pictures_and_sizes() {
    let png = b"\x89PNG\r\n\x1a\n a person";
    for (version, path) in [(GeminiVersion::V1, "v1"), (GeminiVersion::V1beta, "v1beta")] {
        let stub = Stub::start(|_| Reply::json(200, &json!({"candidates": [{"finishReason": "NO_IMAGE"}]}))).await;
        let request = StillRequest {
            photos: vec![photo(), photo()],
            person: Picture::sniffed(png.to_vec()),
            size: StillSize::K4,
            aspect: Aspect::Portrait9x16,
            ..request()
        };
        let error =
            maker_with(&stub.url, |settings| settings.version = version).make_still(&request).await.unwrap_err();
        assert_eq!((error.code, error.certainty), (FailureCode::NoPicture, Certainty::Ended));
        let seen = &stub.seen()[0];
        assert_eq!(seen.path, format!("/{path}/models/{MODEL}:generateContent"));
        let parts = &seen.json()["contents"][0]["parts"];
        assert_eq!(parts.as_array().unwrap().len(), 4);
        assert_eq!(parts[3]["inlineData"], json!({"mimeType": "image/png", "data": BASE64.encode(png)}));
        let config = &seen.json()["generationConfig"]["imageConfig"];
        assert_eq!(config, &json!({"aspectRatio": "9:16", "imageSize": "4K"}));
        assert_eq!(GeminiVersion::parse(path), Some(version));
    }
}
