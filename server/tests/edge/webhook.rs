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

/// What becomes of a webhook, how many requests the inbox then names, and how often they were told of.
const FATES: [(&str, i64, i64); 9] = [
    // Before any other, while no older key is known: a new key is asked for at most every 30 s.
    ("webhook_rotated_key", 1, 1),
    ("webhook_reordered", 1, 1),
    ("webhook_none", 0, 0),
    ("webhook_bad_signature", 0, 0),
    ("webhook_tampered", 0, 0),
    ("webhook_stale", 0, 0),
    ("webhook_duplicate", 1, 2),
    ("webhook_late_ms", 1, 1),
    // Its own, and one that nobody made.
    ("webhook_unknown_request", 2, 2),
];

#[tokio::test]
async fn a_generation_ends_whatever_becomes_of_its_webhook() {
    let house = House::build(&[]).await;
    let rules = FATES.map(|(fate, ..)| json!({"fault": fate, "ms": 3_000}));
    house.set_faults(&json!(rules)).await;
    let admin = house.admin().await;
    let database = &house.ground.database;
    let mut generations = Vec::new();
    for (fate, ..) in FATES {
        let product = house.ground.add_product(&fate.replace('_', "-")).await;
        let key = Uuid::now_v7();
        click(&admin, product.id, key).await;
        generations.push(generation_of(database, key).await);
    }
    for generation in generations {
        let end = wait_until(database, generation, |_| false).await;
        assert_eq!(end.state, "completed", "{}", house.program.log());
    }
    let invoice = house.invoice().await;
    assert_eq!((entries_of(&invoice, "fal"), entries_of(&invoice, "gemini")), (9, 18), "{invoice}");
    assert_eq!(database.paid().await, invoice["total_micro_usd"].as_i64().unwrap());
    let begun = std::time::Instant::now();
    let told = FATES.iter().map(|(_, _, told)| told).sum();
    while database.number("select coalesce(sum(deliveries), 0)::bigint from webhook_inbox").await < told {
        assert!(begun.elapsed().as_secs() < 30, "not all were told: {}", house.program.log());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // What was signed is in the inbox once, however often and whenever it came; what was not never is.
    let named: i64 = FATES.iter().map(|(_, named, _)| named).sum();
    assert_eq!(database.number("select count(*) from webhook_inbox").await, named);
    let strange = "select count(*) from webhook_inbox where request_id not in \
                   (select request_id from calls where request_id is not null)";
    assert_eq!(database.number(strange).await, 1, "no call took the name of a request nobody made");
    assert_eq!(database.number("select sum(deliveries)::bigint from webhook_inbox").await, told);
    assert_eq!(database.paid().await, house.invoice().await["total_micro_usd"].as_i64().unwrap());
}
