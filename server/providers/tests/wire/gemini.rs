use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{FailureCode, MicroUsd, ModelType};
use providers::{
    Aspect, Catalogue, Certainty, GeminiSettings, GeminiStills, ProviderError, StillAnswer, StillMaker, StillRequest,
    http_client,
};
use serde_json::{Value, json};
use url::Url;

use crate::stub::{Reply, Stub, nowhere};

const MODEL: &str = "gemini-nano-banana-2.1";
const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0 a photo";

fn maker(url: &Url, timeout: Duration) -> GeminiStills {
    let settings = GeminiSettings { timeout, ..GeminiSettings::simulator(url) };
    let catalogue = Arc::new(Catalogue::embedded().unwrap());
    GeminiStills::new(http_client().unwrap(), settings, catalogue, MODEL).unwrap()
}

fn request() -> StillRequest {
    StillRequest {
        photo: JPEG.to_vec(),
        photo_content_type: "image/jpeg".into(),
        prompt: "start pose".into(),
        aspect: Aspect::Portrait3x4,
        model_type: ModelType::Female,
    }
}

async fn make(reply: Reply) -> (Result<StillAnswer, ProviderError>, Stub) {
    let stub = Stub::start(move |_| reply.clone()).await;
    let answer = maker(&stub.url, Duration::from_secs(20)).make_still(&request()).await;
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
    assert_eq!(error.code, FailureCode::ProviderAccount);
    assert!(!format!("{error} {error:?}").contains("simulator-key"), "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_nothing_is_sent_twice() {
    for reply in [Reply::HangUp, Reply::Truncated(b"{\"candidates\":".to_vec())] {
        let (answer, stub) = make(reply).await;
        let error = answer.unwrap_err();
        assert_eq!((error.code, error.certainty), (FailureCode::ProviderUnavailable, Certainty::Unknown));
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
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderUnavailable, Certainty::NotSent));
    assert!(error.is_retryable());

    let (_, stub) = make(Reply::HangUp).await;
    let odd = StillRequest { photo_content_type: "image/gif".into(), ..request() };
    let error = maker(&stub.url, Duration::from_secs(5)).make_still(&odd).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::PhotoRefused, Certainty::NotSent));
    assert_eq!(stub.seen().len(), 1, "the odd photo was not sent");
}
