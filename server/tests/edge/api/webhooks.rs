//! Webhooks of shops: signed, sent until they are taken, sent again on request, and never to where they should not go.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Code, common, json as read, problem};
use crate::house::House;

const WEBHOOKS: &str = "/api/admin/webhooks";
const PATIENCE: Duration = Duration::from_secs(60);

/// A message as a shop receives it.
#[derive(Debug, Clone)]
struct Message {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl Message {
    fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// As the specification has it: no code of ours.
    fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        self.signature == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[derive(Clone, Default)]
struct Inbox {
    messages: Arc<Mutex<Vec<Message>>>,
    /// Answers that are still to be given; 204 after them.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Inbox {
    /// Answers these statuses first.
    async fn open(answers: &[u16]) -> (Self, String) {
        let inbox = Self { answers: Arc::new(Mutex::new(answers.to_vec())), ..Self::default() };
        let router = Router::new().route("/hook", post(take)).with_state(inbox.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (inbox, url)
    }

    fn all(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    async fn wait_for(&self, what: &str, is_there: impl Fn(&[Message]) -> bool) -> Vec<Message> {
        let begun = Instant::now();
        loop {
            let messages = self.all();
            if is_there(&messages) {
                return messages;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: {messages:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (id, timestamp, signature) = (word("webhook-id"), word("webhook-timestamp"), word("webhook-signature"));
    inbox.messages.lock().unwrap().push(Message { id, timestamp, signature, body });
    let mut answers = inbox.answers.lock().unwrap();
    let status = if answers.is_empty() { 204 } else { answers.remove(0) };
    StatusCode::from_u16(status).unwrap()
}

async fn add(code: &Code, url: &str, events: &[&str]) -> Value {
    let answer = code.post(WEBHOOKS, &json!({"url": url, "events": events})).send().await.unwrap();
    read(answer, 201).await
}

#[tokio::test]
async fn a_shop_is_told_of_a_generation_and_its_video_with_a_signature() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("told").await;
    let code = Code::of(&house).await;
    let (inbox, url) = Inbox::open(&[]).await;
    let all = ["generation.updated", "generation.completed", "video.published", "generation.failed"];
    let webhook = add(&code, &url, &all).await;
    let secret = webhook["secret"].as_str().unwrap().to_owned();
    let path = format!("{WEBHOOKS}/{}", webhook["webhookId"].as_str().unwrap());
    assert!(code.read(&path).await.get("secret").is_none(), "it is shown once");
    let image = code.upload(product.id).await;
    let job = code.generate(&image, json!({"duration": 3})).await;
    let status = code.ended(&job).await;
    let has = |messages: &[Message], event: &str| messages.iter().any(|message| message.value()["type"] == event);
    let messages = inbox
        .wait_for("both ends", |messages| has(messages, "generation.completed") && has(messages, "video.published"))
        .await;
    for message in &messages {
        assert!(message.is_signed_with(&secret), "{message:?}");
        let value = message.value();
        assert_eq!(value["data"]["jobId"], job, "{value}");
        assert!(value["timestamp"].as_str().unwrap().ends_with('Z'), "{value}");
    }
    let done = messages.iter().find(|message| message.value()["type"] == "generation.completed").unwrap().value();
    assert_eq!(
        (&done["data"]["status"], &done["data"]["videoId"]),
        (&json!("COMPLETED"), &status["result"]["videoId"])
    );
    assert!(!has(&messages, "generation.failed"));
}

#[tokio::test]
async fn a_message_is_sent_until_it_is_taken_and_again_when_somebody_asks() {
    let house = House::build(&[]).await;
    let code = Code::of(&house).await;
    let (inbox, url) = Inbox::open(&[500]).await;
    let webhook = add(&code, &url, &["generation.completed"]).await;
    let path = format!("{WEBHOOKS}/{}", webhook["webhookId"].as_str().unwrap());
    let ping = read(code.post(&format!("{path}/ping"), &json!({})).send().await.unwrap(), 202).await;
    let id = ping["deliveryId"].as_str().unwrap().to_owned();
    inbox.wait_for("the first try", |messages| !messages.is_empty()).await;
    let begun = Instant::now();
    let waiting = loop {
        let list = code.read(&format!("{path}/deliveries")).await;
        if list["items"][0]["tries"] == 1 {
            break list["items"][0].clone();
        }
        assert!(begun.elapsed() < PATIENCE, "{list}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&waiting["state"], &waiting["lastStatus"]), (&json!("pending"), &json!(500)), "{waiting}");
    assert!(waiting["nextTryAt"].is_string(), "{waiting}");
    let replay = format!("{path}/deliveries/{id}/replay");
    problem(code.post(&replay, &json!({})).send().await.unwrap(), 409, "conflict").await;
    let messages = inbox.wait_for("the second try", |messages| messages.len() == 2).await;
    assert!(messages.iter().all(|message| message.id == id && message.value()["type"] == "ping"), "{messages:?}");
    let begun = Instant::now();
    while code.read(&format!("{path}/deliveries")).await["items"][0]["state"] != "delivered" {
        assert!(begun.elapsed() < PATIENCE, "it was taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    read(code.post(&replay, &json!({})).send().await.unwrap(), 202).await;
    let messages = inbox.wait_for("the replay", |messages| messages.len() == 3).await;
    assert_eq!(messages[2].id, id, "the same message");
    assert_eq!(code.request(reqwest::Method::DELETE, &path).send().await.unwrap().status(), 204);
    problem(code.get(&path).send().await.unwrap(), 404, "not_found").await;
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_told_nothing_more() {
    let house = House::build(&[]).await;
    let code = Code::of(&house).await;
    let (inbox, url) = Inbox::open(&[410]).await;
    let webhook = add(&code, &url, &["generation.completed"]).await;
    let path = format!("{WEBHOOKS}/{}", webhook["webhookId"].as_str().unwrap());
    read(code.post(&format!("{path}/ping"), &json!({})).send().await.unwrap(), 202).await;
    let begun = Instant::now();
    while code.read(&path).await["disabledAt"].is_null() {
        assert!(begun.elapsed() < PATIENCE, "410 ends it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    problem(code.post(&format!("{path}/ping"), &json!({})).send().await.unwrap(), 404, "not_found").await;
    assert_eq!(inbox.all().len(), 1);
}

#[tokio::test]
async fn messages_go_nowhere_they_should_not() {
    let (code, _) = common().await;
    for url in [
        "http://shop.example/hook",
        "https://shop.example:8443/hook",
        "https://user:secret@shop.example/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/hook",
        "ftp://shop.example/hook",
        "file:///etc/passwd",
        "not an address",
    ] {
        let body = json!({"url": url, "events": ["video.published"]});
        let told = problem(code.post(WEBHOOKS, &body).send().await.unwrap(), 422, "invalid").await;
        assert_eq!(told["errors"][0]["field"], "url", "{url}: {told}");
    }
    for events in [json!([]), json!(["ping"]), json!("video.published"), json!([1])] {
        let body = json!({"url": "https://shop.example/hook", "events": events});
        let told = problem(code.post(WEBHOOKS, &body).send().await.unwrap(), 422, "invalid").await;
        assert_eq!(told["errors"][0]["field"], "events", "{told}");
    }
}
