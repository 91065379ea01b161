//! Google's `generateContent` as its clients see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use simulator::Settings;
use support::{Desk, product_photo, question};

const MODEL: &str = "gemini-nano-banana-2.1";

#[tokio::test]
async fn an_answer_carries_a_picture_and_is_billed_by_its_tokens() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let ask = question("A woman wears this top. Pose A.", &product_photo());
    let answer: Value = desk.ask_gemini(MODEL, &ask).await.unwrap().json().await.unwrap();
    let candidate = &answer["candidates"][0];
    assert_eq!(candidate["finishReason"], "STOP");
    assert_eq!(candidate["content"]["role"], "model");
    assert_eq!(candidate["content"]["parts"][1]["inlineData"]["mimeType"], "image/jpeg");
    assert_eq!(answer["modelVersion"], MODEL);
    let usage = &answer["usageMetadata"];
    assert_eq!(usage["promptTokenCount"], 8 + 1120);
    assert_eq!(usage["thoughtsTokenCount"], 128);
    assert_eq!(usage["candidatesTokenCount"], 7 + 1120);
    assert_eq!(usage["totalTokenCount"], 1128 + 128 + 1127);
    // 1128 x 1.5 + 135 x 7.5 + 1120 x 30 = 36304.5 micro-USD, half rounds up.
    let invoice = desk.json("/invoice").await;
    assert_eq!(invoice["total_micro_usd"], 36_305);
    assert_eq!(invoice["entries"][0]["provider"], "gemini");
    assert_eq!(invoice["entries"][0]["request_id"], answer["responseId"]);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_block_is_a_200_that_bills_its_input() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    desk.faults(json!([{"model": MODEL, "fault": "moderation"}])).await;
    let ask = question("A woman wears this top. Pose A.", &product_photo());
    let answer = desk.ask_gemini(MODEL, &ask).await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["candidates"][0]["finishReason"], "IMAGE_SAFETY");
    assert!(answer["candidates"][0]["content"].is_null());
    assert_eq!(desk.total().await, 1128 * 3 / 2);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_block_comes_in_each_of_its_forms() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    desk.faults(json!([
        {"model": MODEL, "fault": "moderation", "as": "prompt_feedback"},
        {"model": MODEL, "fault": "moderation", "as": "finish_reason", "reason": "NO_IMAGE"},
        {"model": MODEL, "fault": "moderation", "as": "text_only"},
        {"model": MODEL, "fault": "truncated_media"},
    ]))
    .await;
    let ask = question("A woman wears this top. Pose A.", &product_photo());
    let mut answers: Vec<Value> = Vec::new();
    for _ in 0..4 {
        let answer = desk.ask_gemini(MODEL, &ask).await.unwrap();
        assert_eq!(answer.status(), 200);
        answers.push(answer.json().await.unwrap());
    }
    assert_eq!(answers[0]["promptFeedback"]["blockReason"], "PROHIBITED_CONTENT");
    assert!(answers[0].get("candidates").is_none());
    assert_eq!(answers[1]["candidates"][0]["finishReason"], "NO_IMAGE");
    let parts = answers[2]["candidates"][0]["content"]["parts"].as_array().unwrap();
    assert!(parts.len() == 1 && parts[0]["text"].is_string());
    assert_eq!(answers[2]["candidates"][0]["finishReason"], "STOP");
    let data = answers[3]["candidates"][0]["content"]["parts"][1]["inlineData"]["data"].as_str().unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap();
    assert!(!bytes.ends_with(&[0xff, 0xd9]), "a JPEG without its end");
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_key_is_checked_by_the_list_of_models_for_nothing() {
    let state = tempfile::tempdir().unwrap();
    let settings = Settings { state_dir: state.path().to_owned(), gemini_key: Some("k".into()), ..Settings::default() };
    let desk = Desk::open_with(settings).await;
    assert_eq!(desk.get("/v1beta/models").await.status(), 400);
    let url = format!("{}/v1/models", desk.base);
    let models: Value = desk.client.get(url).header("x-goog-api-key", "k").send().await.unwrap().json().await.unwrap();
    assert_eq!(models["models"][0]["name"], format!("models/{MODEL}"));
    assert_eq!(desk.total().await, 0);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn errors_have_googles_shape_and_cost_nothing() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open_with(Settings {
        state_dir: state.path().to_owned(),
        gemini_key: Some("k".into()),
        ..Settings::default()
    })
    .await;
    let ask = question("Pose A", &product_photo());
    let url = format!("{}/v1/models/{MODEL}:generateContent", desk.base);
    let bad = desk.client.post(url).header("x-goog-api-key", "wrong").json(&ask).send().await.unwrap();
    assert_eq!(bad.status(), 400);
    let bad: Value = bad.json().await.unwrap();
    assert_eq!(bad["error"]["details"][0]["reason"], "API_KEY_INVALID");
    let unknown = desk.ask_gemini("gemini-2.5-flash-image", &ask).await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<Value>().await.unwrap()["error"]["status"], "NOT_FOUND");
    desk.faults(json!([{"fault": "status", "status": 429}, {"fault": "drop_answer"}])).await;
    let busy = desk.ask_gemini(MODEL, &ask).await.unwrap();
    assert_eq!(busy.status(), 429);
    assert_eq!(busy.json::<Value>().await.unwrap()["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(desk.total().await, 0);
    assert!(desk.ask_gemini(MODEL, &ask).await.is_err());
    let dropped = desk.total().await;
    assert!(dropped > 30_000);
    desk.faults(json!([{"fault": "status", "status": 503, "accepted": true}])).await;
    assert_eq!(desk.ask_gemini(MODEL, &ask).await.unwrap().status(), 503);
    assert_eq!(desk.total().await, dropped, "an error is free, however late it comes");
    desk.simulator.stop().await;
}
