//! The simulator's own clock: what waits, expires and is forgotten by it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::Settings;
use support::{Desk, PIKAFRAMES, short_clip};

const HOUR: Duration = Duration::from_secs(3_600);

/// A desk whose clock stands still.
async fn still_desk(state: &Path, queue_delay_ms: u64) -> Desk {
    let stands_at = Some("2026-11-26T09:00:00Z".parse().unwrap());
    let state_dir = state.to_owned();
    Desk::open_with(Settings { state_dir, stands_at, queue_delay_ms, ..Settings::default() }).await
}

#[tokio::test]
async fn a_request_waits_until_the_clock_is_put_forward() {
    let state = tempfile::tempdir().unwrap();
    let desk = still_desk(state.path(), 3_600_000).await;
    let accepted = desk.submit(&short_clip()).await;
    let second = desk.submit(&short_clip()).await;
    assert_eq!((&accepted["queue_position"], &second["queue_position"]), (&json!(0), &json!(1)));
    let set = desk.client.put(format!("{}/clock", desk.base)).json(&json!({"advance_secs": 3600.0}));
    let shown: Value = set.send().await.unwrap().json().await.unwrap();
    assert_eq!(shown, json!({"now": "2026-11-26T10:00:00Z", "is_running": false}));
    let last = desk.finish(&accepted).await;
    assert_eq!(last["metrics"]["inference_time"], 0.0, "no time passes by itself");
    desk.finish(&second).await;
    desk.simulator.stop().await;
}

#[tokio::test]
async fn results_are_forgotten_after_an_hour_and_files_when_they_were_asked_to_go() {
    let state = tempfile::tempdir().unwrap();
    let desk = still_desk(state.path(), 0).await;
    let url = format!("{}/{PIKAFRAMES}", desk.base);
    let wish = r#"{"expiration_duration_seconds":600}"#;
    let ask = desk.client.post(url).header("X-Fal-Object-Lifecycle-Preference", wish).json(&short_clip());
    let short_lived: Value = ask.send().await.unwrap().json().await.unwrap();
    let kept = desk.submit(&short_clip()).await;
    let mut files = Vec::new();
    for accepted in [&short_lived, &kept] {
        desk.finish(accepted).await;
        let body: Value = desk.result(accepted).await.json().await.unwrap();
        files.push(body["video"]["url"].as_str().unwrap().to_owned());
    }
    let status = async |url: &str| desk.client.get(url).send().await.unwrap().status().as_u16();
    assert_eq!((status(&files[0]).await, status(&files[1]).await), (200, 200));
    desk.simulator.clock().advance(Duration::from_secs(600));
    assert_eq!((status(&files[0]).await, status(&files[1]).await), (404, 200));
    assert_eq!(desk.result(&kept).await.status(), 200);
    desk.simulator.clock().advance(HOUR);
    assert_eq!(desk.result(&kept).await.status(), 404);
    assert_eq!(status(kept["status_url"].as_str().unwrap()).await, 404);
    let listing = desk.json(&format!("/v1/models/requests/by-endpoint?endpoint_id={PIKAFRAMES}")).await;
    assert_eq!(listing["items"].as_array().unwrap().len(), 2, "the account's list knows them longer");
    desk.simulator.stop().await;
}

#[tokio::test]
async fn a_request_that_may_not_wait_so_long_fails_and_is_free() {
    let state = tempfile::tempdir().unwrap();
    let settings = Settings { state_dir: state.path().to_owned(), concurrency: 1, ..Settings::default() };
    let desk = Desk::open_with(settings).await;
    desk.faults(json!([{"fault": "delay_ms", "ms": 600_000, "step": "run"}])).await;
    let holder = desk.submit(&short_clip()).await;
    desk.reach_state(&holder, "IN_PROGRESS").await;
    let url = format!("{}/{PIKAFRAMES}", desk.base);
    let ask = desk.client.post(url).header("X-Fal-Request-Timeout", "120").json(&short_clip());
    let impatient: Value = ask.send().await.unwrap().json().await.unwrap();
    desk.simulator.clock().advance(Duration::from_secs(121));
    let last = desk.finish(&impatient).await;
    assert_eq!(last["error_type"], "request_timeout");
    let result = desk.result(&impatient).await;
    assert_eq!(result.status(), 504);
    assert_eq!(result.headers()["x-fal-request-timeout-type"], "user");
    assert_eq!(result.headers()["x-fal-retryable"], "false");
    desk.simulator.clock().advance(Duration::from_secs(600));
    desk.finish(&holder).await;
    assert_eq!(desk.total().await, 200_000);
    desk.simulator.stop().await;
}
