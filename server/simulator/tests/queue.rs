//! fal's queue as its clients see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use simulator::Settings;
use support::{Desk, PIKAFRAMES, short_clip};

#[tokio::test]
async fn a_request_goes_from_the_queue_to_a_clip() {
    let state = tempfile::tempdir().unwrap();
    let desk =
        Desk::open_with(Settings { state_dir: state.path().to_owned(), queue_delay_ms: 300, ..Settings::default() })
            .await;
    let answer = desk.try_submit("", &short_clip()).await.unwrap();
    assert!(answer.headers().contains_key("x-fal-request-id"));
    let accepted: Value = answer.json().await.unwrap();
    let id = accepted["request_id"].as_str().unwrap().to_owned();
    let own = format!("{}/fal-ai/pika/requests/{id}", desk.base);
    assert_eq!(accepted["status"], "IN_QUEUE");
    assert_eq!(accepted["queue_position"], 0);
    assert_eq!(accepted["response_url"], own);
    assert_eq!(accepted["status_url"], format!("{own}/status"));
    assert_eq!(accepted["cancel_url"], format!("{own}/cancel"));

    let early = desk.get(&format!("/fal-ai/pika/requests/{id}/status?logs=0")).await;
    assert_eq!(early.status(), 202);
    let early: Value = early.json().await.unwrap();
    assert!(early["logs"].is_null());
    assert!(early["response_url"].is_string());
    let too_soon = desk.result(&accepted).await;
    assert_eq!(too_soon.status(), 400);
    let too_soon: Value = too_soon.json().await.unwrap();
    assert_eq!(too_soon, json!({"detail": "Request is still in progress"}));

    let last = desk.finish(&accepted).await;
    assert!(last["metrics"]["inference_time"].as_f64().unwrap() > 0.0);
    let done = desk.get(&format!("/{PIKAFRAMES}/requests/{id}/status?logs=true")).await;
    assert_eq!(done.status(), 200);
    assert!(done.json::<Value>().await.unwrap()["logs"].is_array());
    let result = desk.result(&accepted).await;
    assert_eq!(result.status(), 200);
    assert_eq!(result.headers()["x-fal-billable-units"], "5");
    assert_eq!(result.headers()["x-fal-request-id"], id.as_str());
    let result: Value = result.json().await.unwrap();
    assert_eq!(result["video"]["content_type"], "video/mp4");
    let clip = desk.client.get(result["video"]["url"].as_str().unwrap()).send().await.unwrap();
    let clip = clip.bytes().await.unwrap();
    assert_eq!(result["video"]["file_size"], clip.len());
    assert_eq!(&clip[4..8], b"ftyp");
    assert_eq!(desk.total().await, 200_000);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_request_can_be_cancelled_while_it_waits_and_costs_nothing() {
    let state = tempfile::tempdir().unwrap();
    let desk =
        Desk::open_with(Settings { state_dir: state.path().to_owned(), queue_delay_ms: 60_000, ..Settings::default() })
            .await;
    let accepted = desk.submit(&short_clip()).await;
    let second = desk.submit(&short_clip()).await;
    assert_eq!(second["queue_position"], 1);
    assert_eq!(desk.total().await, 400_000);
    let url = accepted["cancel_url"].as_str().unwrap();
    let cancelled = desk.client.put(url).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    let cancelled: Value = cancelled.json().await.unwrap();
    assert_eq!(cancelled, json!({"status": "CANCELLATION_REQUESTED"}));
    let again = desk.client.put(url).send().await.unwrap();
    assert_eq!(again.status(), 400);
    assert_eq!(again.json::<Value>().await.unwrap(), json!({"status": "ALREADY_COMPLETED"}));
    assert_eq!(desk.total().await, 200_000);
    assert_eq!(desk.result(&accepted).await.status(), 499);
    let unknown = "/fal-ai/pika/requests/019a0000-0000-7000-8000-000000000000/status";
    let unknown = desk.get(unknown).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<Value>().await.unwrap(), json!({"status": "NOT_FOUND"}));
    desk.simulator.stop().await;
}

#[tokio::test]
async fn bad_input_ends_as_completed_with_422_and_is_free() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let missing = desk.submit(&json!({"prompt": "hello"})).await;
    let last = desk.finish(&missing).await;
    assert_eq!(last["error_type"], "missing");
    let result = desk.result(&missing).await;
    assert_eq!(result.status(), 422);
    let result: Value = result.json().await.unwrap();
    assert_eq!(result["detail"][0]["loc"], json!(["body", "image_urls"]));
    assert_eq!(result["detail"][0]["type"], "missing");

    let unreadable = json!({"image_urls": ["data:image/png;base64,aGVsbG8=", "http://127.0.0.1:9/x.png"]});
    let unreadable = desk.submit(&unreadable).await;
    desk.finish(&unreadable).await;
    let result: Value = desk.result(&unreadable).await.json().await.unwrap();
    assert_eq!(result["detail"][0]["type"], "image_load_error");
    assert_eq!(result["detail"][0]["loc"], json!(["body", "image_urls", 0]));
    assert_eq!(desk.total().await, 0);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn the_platform_tells_prices_and_where_webhooks_come_from() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let asked = format!("/v1/models/pricing?endpoint_id={PIKAFRAMES}&endpoint_id=fal-ai/stable-video");
    let prices = desk.json(&asked).await;
    assert_eq!(
        prices["prices"],
        json!([
            {"endpoint_id": PIKAFRAMES, "unit_price": 0.04, "unit": "second", "currency": "USD"},
            {"endpoint_id": "fal-ai/stable-video", "unit_price": 0.075, "unit": "video", "currency": "USD"},
        ])
    );
    assert!(desk.json("/v1/meta").await["webhook_ip_ranges"].is_array());
    desk.simulator.stop().await;
}

#[tokio::test]
async fn only_the_right_key_opens_the_queue() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open_with(Settings {
        state_dir: state.path().to_owned(),
        fal_key: Some("id:secret".into()),
        ..Settings::default()
    })
    .await;
    let refused = desk.try_submit("", &short_clip()).await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.json::<Value>().await.unwrap(), json!({"detail": "invalid key credentials"}));
    let listing = format!("/v1/models/requests/by-endpoint?endpoint_id={PIKAFRAMES}");
    assert_eq!(desk.get(&listing).await.status(), 401);
    let url = format!("{}{listing}", desk.base);
    let listed = desk.client.get(url).header("authorization", "Key id:secret").send().await.unwrap();
    assert_eq!(listed.json::<Value>().await.unwrap(), json!({"items": [], "next_cursor": null, "has_more": false}));
    desk.simulator.stop().await;
}

#[tokio::test]
async fn pictures_can_be_uploaded_first() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let photo = support::product_photo();
    let url = format!("{}/storage/upload/initiate?storage_type=fal-cdn-v3", desk.base);
    let about = json!({"content_type": "image/png", "file_name": "a b.png"});
    let places = desk.client.post(url).json(&about).send().await.unwrap();
    let places: Value = places.json().await.unwrap();
    let file = places["file_url"].as_str().unwrap();
    assert_eq!(desk.client.get(file).send().await.unwrap().status(), 404);
    let put = desk.client.put(places["upload_url"].as_str().unwrap()).body(photo.clone());
    assert_eq!(put.send().await.unwrap().status(), 200);
    let got = desk.client.get(file).send().await.unwrap();
    assert_eq!(got.headers()["content-type"], "image/png");
    assert_eq!(got.bytes().await.unwrap(), photo);
    let input = json!({"image_urls": [file, file], "transitions": [{"duration": 1}]});
    let accepted = desk.submit(&input).await;
    desk.finish(&accepted).await;
    assert_eq!(desk.result(&accepted).await.status(), 200);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn what_was_accepted_survives_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let slow = || Settings { state_dir: state.path().to_owned(), queue_delay_ms: 60_000, ..Settings::default() };
    let desk = Desk::open_with(slow()).await;
    let accepted = desk.submit(&short_clip()).await;
    desk.faults(json!([{"fault": "moderation", "model": "gemini"}])).await;
    let invoice = desk.json("/invoice").await;
    desk.simulator.stop().await;

    // A kill may leave half a line behind: it must not hide the others.
    let bill = state.path().join("invoice.jsonl");
    let mut torn = std::fs::read(&bill).unwrap();
    torn.extend_from_slice(b"{\"line\":\"charge\",\"ent");
    std::fs::write(&bill, torn).unwrap();

    let again = Desk::open(state.path()).await;
    assert_eq!(again.json("/invoice").await, invoice);
    assert_eq!(again.json("/faults").await[0]["fault"], "moderation");
    let id = accepted["request_id"].as_str().unwrap();
    let known = json!({
        "status_url": format!("{}/fal-ai/pika/requests/{id}/status", again.base),
        "response_url": format!("{}/fal-ai/pika/requests/{id}", again.base),
    });
    again.finish(&known).await;
    let result = again.result(&known).await;
    assert_eq!(result.status(), 200);
    assert_eq!(again.json("/invoice").await, invoice);
    again.simulator.stop().await;
}
