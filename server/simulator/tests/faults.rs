//! Every way to misbehave, and what it leaves on the bill.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Desk, PIKAFRAMES, short_clip};
use tokio::sync::mpsc;

type Delivery = (HeaderMap, Bytes);
type Ear = (mpsc::Sender<Delivery>, std::sync::Mutex<Vec<u16>>);

/// A webhook that answers the given codes in turn, then 200.
async fn listen(codes: Vec<u16>) -> (String, mpsc::Receiver<Delivery>) {
    let (sender, receiver) = mpsc::channel(16);
    let state = Arc::<Ear>::new((sender, std::sync::Mutex::new(codes)));
    let hear = |State(state): State<Arc<Ear>>, headers: HeaderMap, body: Bytes| async move {
        state.0.send((headers, body)).await.unwrap();
        let mut codes = state.1.lock().unwrap();
        let code = if codes.is_empty() { 200 } else { codes.remove(0) };
        StatusCode::from_u16(code).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/hook", post(hear)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}/hook"), receiver)
}

async fn next(deliveries: &mut mpsc::Receiver<Delivery>) -> Delivery {
    tokio::time::timeout(Duration::from_secs(30), deliveries.recv()).await.unwrap().unwrap()
}

async fn is_genuine(desk: &Desk, (headers, body): &Delivery) -> bool {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let message = format!(
        "{}\n{}\n{}\n{}",
        text("x-fal-webhook-request-id"),
        text("x-fal-webhook-user-id"),
        text("x-fal-webhook-timestamp"),
        hex::encode(Sha256::digest(body))
    );
    let keys = desk.json("/.well-known/jwks.json").await;
    let key = URL_SAFE_NO_PAD.decode(keys["keys"][0]["x"].as_str().unwrap()).unwrap();
    let key = VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap();
    let signature = hex::decode(text("x-fal-webhook-signature")).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    key.verify_strict(message.as_bytes(), &signature).is_ok()
}

async fn submit_with_hook(desk: &Desk, hook: &str, input: &Value) -> Value {
    let answer = desk.try_submit(&format!("?fal_webhook={hook}"), input).await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_webhook_is_signed_and_repeated_until_heard() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let (hook, mut deliveries) = listen(vec![503]).await;
    let accepted = submit_with_hook(&desk, &hook, &short_clip()).await;
    let first = next(&mut deliveries).await;
    let second = next(&mut deliveries).await;
    assert_eq!(first.1, second.1);
    assert!(is_genuine(&desk, &second).await);
    let body: Value = serde_json::from_slice(&second.1).unwrap();
    assert_eq!(body["request_id"], accepted["request_id"]);
    assert_eq!(body["status"], "OK");
    assert!(body["error"].is_null());
    assert!(body["payload"]["video"]["url"].is_string());
    desk.simulator.stop().await;
}

#[tokio::test]
async fn webhooks_can_be_forged_doubled_or_kept_back() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let (hook, mut deliveries) = listen(vec![]).await;
    desk.faults(json!([
        {"fault": "webhook_bad_signature"}, {"fault": "webhook_duplicate"}, {"fault": "webhook_none"},
    ]))
    .await;
    let bad = json!({"image_urls": []});
    submit_with_hook(&desk, &hook, &bad).await;
    let forged = next(&mut deliveries).await;
    assert!(!is_genuine(&desk, &forged).await);
    let body: Value = serde_json::from_slice(&forged.1).unwrap();
    assert_eq!(body["status"], "ERROR");
    assert_eq!(body["error"], "Invalid status code: 422");
    assert!(body["payload"]["detail"].is_array());

    let doubled = submit_with_hook(&desk, &hook, &bad).await;
    for _ in 0..2 {
        let delivery = next(&mut deliveries).await;
        assert_eq!(delivery.0["x-fal-webhook-request-id"], doubled["request_id"].as_str().unwrap());
    }
    let silent = submit_with_hook(&desk, &hook, &bad).await;
    desk.finish(&silent).await;
    let heard = submit_with_hook(&desk, &hook, &bad).await;
    let delivery = next(&mut deliveries).await;
    assert_eq!(delivery.0["x-fal-webhook-request-id"], heard["request_id"].as_str().unwrap());
    desk.simulator.stop().await;
}

#[tokio::test]
async fn webhooks_can_be_stale_changed_strange_or_in_another_order() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let (hook, mut deliveries) = listen(vec![]).await;
    desk.faults(json!([
        {"fault": "webhook_stale", "seconds": 900}, {"fault": "webhook_tampered"},
        {"fault": "webhook_unknown_request"}, {"fault": "webhook_rotated_key"},
    ]))
    .await;
    let bad = json!({"image_urls": []});
    submit_with_hook(&desk, &hook, &bad).await;
    let stale = next(&mut deliveries).await;
    assert!(is_genuine(&desk, &stale).await);
    let signed: i64 = stale.0["x-fal-webhook-timestamp"].to_str().unwrap().parse().unwrap();
    assert!(desk.simulator.clock().now().timestamp() - signed >= 900);

    submit_with_hook(&desk, &hook, &bad).await;
    let tampered = next(&mut deliveries).await;
    assert!(!is_genuine(&desk, &tampered).await && serde_json::from_slice::<Value>(&tampered.1).is_ok());

    let own = submit_with_hook(&desk, &hook, &bad).await;
    let strange = next(&mut deliveries).await;
    assert!(is_genuine(&desk, &strange).await);
    assert_ne!(strange.0["x-fal-webhook-request-id"], own["request_id"].as_str().unwrap());
    assert_eq!(next(&mut deliveries).await.0["x-fal-webhook-request-id"], own["request_id"].as_str().unwrap());

    let before = desk.json("/.well-known/jwks.json").await;
    submit_with_hook(&desk, &hook, &bad).await;
    let rotated = next(&mut deliveries).await;
    assert!(is_genuine(&desk, &rotated).await, "the newest key is first");
    let after = desk.json("/.well-known/jwks.json").await;
    assert_eq!(after["keys"][1], before["keys"][0]);

    desk.faults(json!([{"fault": "webhook_reordered"}])).await;
    let first = submit_with_hook(&desk, &hook, &bad).await;
    desk.finish(&first).await;
    let second = submit_with_hook(&desk, &hook, &bad).await;
    for accepted in [&second, &first] {
        let delivery = next(&mut deliveries).await;
        assert_eq!(delivery.0["x-fal-webhook-request-id"], accepted["request_id"].as_str().unwrap());
    }
    desk.simulator.stop().await;
}

#[tokio::test]
async fn downloads_can_be_gone_slow_huge_or_broken_off() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let made = desk.make(PIKAFRAMES, &short_clip()).await;
    let url = made["video"]["url"].as_str().unwrap();
    let whole = desk.download(&made["video"]["url"]).await;
    desk.faults(json!([
        {"model": PIKAFRAMES, "fault": "expired_media"},
        {"model": PIKAFRAMES, "fault": "huge_media", "bytes": 3_000_000},
        {"model": PIKAFRAMES, "fault": "cut_body", "bytes": 100},
        {"model": PIKAFRAMES, "fault": "slow_body", "bytes_per_sec": 10},
    ]))
    .await;
    assert_eq!(desk.client.get(url).send().await.unwrap().status(), 404);
    let huge = desk.client.get(url).send().await.unwrap();
    assert_eq!(huge.content_length(), Some(3_000_000));
    let huge = huge.bytes().await.unwrap();
    assert!(huge.len() == 3_000_000 && huge.starts_with(&whole));
    let cut = desk.client.get(url).send().await.unwrap();
    assert_eq!(cut.content_length(), Some(whole.len() as u64));
    assert!(cut.bytes().await.is_err());
    let mut slow = desk.client.get(url).send().await.unwrap();
    assert!(slow.chunk().await.unwrap().unwrap().len() < whole.len(), "ten bytes a second");
    desk.simulator.stop().await;
}

#[tokio::test]
async fn an_account_in_trouble_is_told_so_and_pays_nothing() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    for (rule, status, words) in [
        (json!({"fault": "bad_key"}), 401, "invalid key"),
        (json!({"fault": "status", "status": 402}), 402, "Payment required"),
        (json!({"fault": "status", "status": 403}), 403, "User is locked"),
    ] {
        desk.faults(json!([rule])).await;
        let refused = desk.try_submit("", &short_clip()).await.unwrap();
        assert_eq!(refused.status(), status);
        assert!(refused.json::<Value>().await.unwrap()["detail"].as_str().unwrap().contains(words));
    }
    desk.faults(json!([{"fault": "status", "status": 503, "accepted": true}])).await;
    let refused = desk.try_submit("", &short_clip()).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["x-fal-retryable"], "true");
    assert_eq!(desk.total().await, 200_000, "it was accepted all the same");
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_refusal_at_the_door_is_free_and_a_lost_answer_is_billed() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    desk.faults(json!([
        {"model": PIKAFRAMES, "fault": "status", "status": 429, "retry_after_secs": 2},
        {"model": PIKAFRAMES, "fault": "drop_answer"},
        {"model": PIKAFRAMES, "fault": "garbage"},
    ]))
    .await;
    let refused = desk.try_submit("", &short_clip()).await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "2");
    assert_eq!(desk.total().await, 0);
    assert!(desk.try_submit("", &short_clip()).await.is_err());
    assert_eq!(desk.total().await, 200_000);
    let garbage = desk.try_submit("", &short_clip()).await.unwrap();
    assert_eq!(garbage.status(), 200);
    assert!(garbage.json::<Value>().await.is_err());
    assert_eq!(desk.total().await, 400_000);

    let listing = desk.json(&format!("/v1/models/requests/by-endpoint?endpoint_id={PIKAFRAMES}&limit=1")).await;
    let invoice = desk.json("/invoice").await;
    assert_eq!(listing["items"][0]["request_id"], invoice["entries"][1]["request_id"]);
    assert_eq!(listing["has_more"], true);
    assert_eq!(listing["next_cursor"], "Mg==");
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_failed_run_is_not_billed() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    desk.faults(json!([
        {"fault": "moderation", "step": "run"}, {"fault": "completed_with_error", "status": 503},
    ]))
    .await;
    for (code, error_type) in [(422, "content_policy_violation"), (503, "runner_connection_error")] {
        let accepted = desk.submit(&short_clip()).await;
        let last = desk.finish(&accepted).await;
        assert_eq!(last["error_type"], error_type);
        assert_eq!(desk.result(&accepted).await.status(), code);
    }
    let invoice = desk.json("/invoice").await;
    assert_eq!(invoice["total_micro_usd"], 0);
    assert_eq!(invoice["voided"].as_array().unwrap().len(), 2);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_clip_can_be_cut_short_or_of_another_type() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    desk.faults(json!([{"fault": "corrupt_clip"}, {"fault": "wrong_type_clip"}])).await;
    let mut clips = Vec::new();
    for _ in 0..3 {
        let accepted = desk.submit(&short_clip()).await;
        desk.finish(&accepted).await;
        let result: Value = desk.result(&accepted).await.json().await.unwrap();
        let url = result["video"]["url"].as_str().unwrap();
        clips.push(desk.client.get(url).send().await.unwrap().bytes().await.unwrap());
    }
    assert!(clips[2].starts_with(&clips[0]) && clips[0].len() < clips[2].len() / 2);
    assert!(clips[1].starts_with(b"#EXTM3U"));
    assert_eq!(desk.total().await, 600_000);
    desk.simulator.stop().await;
}

#[tokio::test]
async fn faults_can_be_seen_and_switched_on_by_people() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let form = [("fault", "status"), ("model", "gemini"), ("times", "2"), ("number", "503")];
    let body: String = form.map(|(key, value)| format!("{key}={value}")).join("&");
    let add = desk
        .client
        .post(format!("{}/faults/add", desk.base))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    assert!(add.send().await.unwrap().text().await.unwrap().contains("Provider simulator"));
    assert_eq!(
        desk.json("/faults").await,
        json!([{"model": "gemini", "times": 2, "fault": "status", "status": 503, "retry_after_secs": null}])
    );
    let post = |path: &str, body: String| {
        let post = desk.client.post(format!("{}{path}", desk.base));
        post.header("content-type", "application/x-www-form-urlencoded").body(body).send()
    };
    let form = "fault=moderation&block=text_only&prompt=red%20coat&nth=2&times=&number=&step=&request=&model=";
    let page = post("/faults/add", form.to_owned()).await.unwrap().text().await.unwrap();
    assert!(page.contains("red coat") && !page.contains("<script"));
    assert!(page.contains("answer with a status, 503 · models that begin with gemini · 2 times"), "{page}");
    let rule = desk.json("/faults").await[1].clone();
    assert_eq!(rule, json!({"prompt": "red coat", "nth": 2, "times": 1, "fault": "moderation", "as": "text_only"}));
    let escaped: String = url::form_urlencoded::byte_serialize(rule.to_string().as_bytes()).collect();
    assert_eq!(post("/faults/remove", format!("rule={escaped}")).await.unwrap().status(), 200);
    assert_eq!(desk.json("/faults").await.as_array().unwrap().len(), 1);
    let cleared = desk.client.delete(format!("{}/faults", desk.base)).send().await.unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(desk.json("/faults").await, json!([]));
    desk.simulator.stop().await;
}

#[tokio::test]
async fn wrong_input_comes_back_with_the_page_and_what_is_wrong() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    for (path, body, kept) in [
        ("/faults/add", "fault=status&number=soon&model=fal-ai%2Fpika&times=3", "value=\"soon\""),
        ("/faults/add", "fault=delay_ms&number=&times=3", "value=\"3\""),
        ("/faults/add", "fault=garbage&times=often%3Cb%3E", "value=\"often&lt;b&gt;\""),
        ("/faults/add", "fault=explode", "name=fault aria-invalid"),
        ("/faults/add", "", "name=fault aria-invalid"),
        ("/faults/remove", "rule=nonsense", "expected one of the rules"),
        ("/clock/advance", "seconds=soon", "expected seconds"),
        ("/clock/advance", "", "expected seconds"),
    ] {
        let post = desk.client.post(format!("{}{path}", desk.base));
        let post = post.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = post.send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (422, &"text/html; charset=utf-8".parse().unwrap()),
            "{body}"
        );
        let page = answer.text().await.unwrap();
        assert!(
            page.contains("Provider simulator") && page.contains(kept) && page.contains("role=alert"),
            "{body}: {page}"
        );
    }
    assert_eq!(desk.json("/faults").await, json!([]));
    desk.simulator.stop().await;
}
