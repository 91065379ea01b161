//! Webhooks: believed for their signature only, and never needed.

use chrono::Utc;
use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::StatusCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    browser::JSON,
    click::{click, generation_of, wait_until},
    house::{House, entries_of},
};

/// The simulator's key and account, made from its seed the way it makes them.
fn sign(request: &str, timestamp: i64, body: &str) -> (String, String) {
    let seed = simulator::Settings::default().seed;
    let secret: [u8; 32] = Sha256::digest(format!("webhook signing key {seed}")).into();
    let user = hex::encode(Sha256::digest(format!("webhook user {seed}")));
    let user = format!("user_{}", &user[..16]);
    let message = format!("{request}\n{user}\n{timestamp}\n{}", hex::encode(Sha256::digest(body)));
    (user, hex::encode(SigningKey::from_bytes(&secret).sign(message.as_bytes()).to_bytes()))
}

struct Delivery {
    request: String,
    timestamp: i64,
    user: String,
    signature: String,
    body: String,
}

impl Delivery {
    fn signed(request: &str, timestamp: i64) -> Self {
        let body = json!({"request_id": request, "status": "OK", "payload": {}}).to_string();
        let (user, signature) = sign(request, timestamp, &body);
        Self { request: request.to_owned(), timestamp, user, signature, body }
    }

    async fn send(&self, house: &House, path: &str) -> StatusCode {
        let request = house.visitor().request(reqwest::Method::POST, path);
        let answer = request
            .header("content-type", JSON)
            .header("x-fal-webhook-request-id", &self.request)
            .header("x-fal-webhook-user-id", &self.user)
            .header("x-fal-webhook-timestamp", self.timestamp.to_string())
            .header("x-fal-webhook-signature", &self.signature)
            .body(self.body.clone())
            .send();
        answer.await.unwrap().status()
    }
}

#[tokio::test]
async fn only_the_right_signature_is_believed() {
    let house = crate::house::shared().await;
    let request = Uuid::new_v4().to_string();
    let now = Utc::now().timestamp();
    let changed = |change: fn(&mut Delivery)| {
        let mut delivery = Delivery::signed(&request, now);
        change(&mut delivery);
        delivery
    };
    for (what, delivery) in [
        ("a changed body", changed(|delivery| delivery.body.push(' '))),
        ("another request", changed(|delivery| delivery.request = Uuid::new_v4().to_string())),
        ("another account", changed(|delivery| delivery.user.push('x'))),
        ("a made-up signature", changed(|delivery| delivery.signature = "ab".repeat(64))),
        ("no signature", changed(|delivery| delivery.signature.clear())),
        ("an old delivery", Delivery::signed(&request, now - 3_600)),
        ("one from the future", Delivery::signed(&request, now + 3_600)),
    ] {
        for path in ["/api/video/webhook", "/api/video/webhook/fal/made-up.token"] {
            assert_eq!(delivery.send(house, path).await, 401, "{what}");
        }
    }
    let seen = "select count(*) from webhook_inbox where body_sha256 <> ''";
    let before = house.ground.database.number(seen).await;
    // Right, but about a request nobody made: taken down, so that the provider stops telling.
    let delivery = Delivery::signed(&request, now);
    for path in ["/api/video/webhook", "/api/video/webhook/fal/made-up.token", "/api/video/webhook"] {
        assert_eq!(delivery.send(house, path).await, 200);
    }
    assert_eq!(house.ground.database.number(seen).await - before, 1, "once, however often it came");
    let times = "select max(deliveries)::bigint from webhook_inbox where call_id is null";
    assert_eq!(house.ground.database.number(times).await, 3);
}

#[tokio::test]
async fn a_generation_ends_whatever_becomes_of_its_webhook() {
    let house = House::build(&[]).await;
    let faults = json!([
        {"fault": "webhook_none"},
        {"fault": "webhook_bad_signature"},
        {"fault": "webhook_duplicate"},
    ]);
    let client = house.visitor().client;
    let set = client.put(format!("{}/faults", house.simulator.trim_end_matches('/'))).body(faults.to_string());
    assert!(set.send().await.unwrap().status().is_success());
    let admin = house.admin().await;
    let database = &house.ground.database;
    let mut generations = Vec::new();
    for name in ["one", "two", "three"] {
        let product = house.ground.add_product(name).await;
        let key = Uuid::now_v7();
        click(&admin, product.id, key).await;
        generations.push(generation_of(database, key).await);
    }
    for generation in generations {
        let end = wait_until(database, generation, |_| false).await;
        assert_eq!(end.state, "completed", "{}", house.program.log());
    }
    let invoice = house.invoice().await;
    assert_eq!((entries_of(&invoice, "fal"), entries_of(&invoice, "gemini")), (3, 6), "{invoice}");
    assert_eq!(database.paid().await, invoice["total_micro_usd"].as_i64().unwrap());
    // The one that came twice is in the inbox once; the forged one and the one that never came are not.
    let begun = std::time::Instant::now();
    while database.number("select coalesce(sum(deliveries), 0)::bigint from webhook_inbox").await < 2 {
        assert!(begun.elapsed().as_secs() < 20, "the second delivery never came");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(database.number("select count(*) from webhook_inbox").await, 1);
    assert_eq!(database.number("select count(*) from webhook_inbox where call_id is not null").await, 1);
}
