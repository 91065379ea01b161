//! Webhooks of shops: signed, sent until they are taken, sent again on request, never to where they should not go, and at
//! nobody's cost but the shop's that is slow.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::{Code, common, json as read, problem};
use crate::{
    browser::header,
    house::{House, shared},
};

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
    /// How long it takes to answer.
    pause: Duration,
    /// Messages that wait for their answer, and the most there were at once.
    waiting: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Inbox {
    /// Answers these statuses first.
    async fn open(answers: &[u16]) -> (Self, String) {
        Self { answers: Arc::new(Mutex::new(answers.to_vec())), ..Self::default() }.listen().await
    }

    /// Takes so long for every answer.
    async fn slow(pause: Duration) -> (Self, String) {
        Self { pause, ..Self::default() }.listen().await
    }

    async fn listen(self) -> (Self, String) {
        let inbox = self;
        let router = Router::new().route("/hook", post(take)).with_state(inbox.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (inbox, url)
    }

    fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
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

/// With a 503 it asks to be left alone for ten minutes.
async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap) {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (id, timestamp, signature) = (word("webhook-id"), word("webhook-timestamp"), word("webhook-signature"));
    inbox.messages.lock().unwrap().push(Message { id, timestamp, signature, body });
    let status = {
        let mut answers = inbox.answers.lock().unwrap();
        if answers.is_empty() { 204 } else { answers.remove(0) }
    };
    inbox.most.fetch_max(inbox.waiting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    tokio::time::sleep(inbox.pause).await;
    inbox.waiting.fetch_sub(1, Ordering::SeqCst);
    let mut told = HeaderMap::new();
    if status == 503 {
        told.insert("retry-after", HeaderValue::from_static("600"));
    }
    (StatusCode::from_u16(status).unwrap(), told)
}

async fn add(code: &Code, url: &str, events: &[&str]) -> Value {
    let answer = code.post(WEBHOOKS, &json!({"url": url, "events": events})).send().await.unwrap();
    read(answer, 201).await
}

fn path_of(webhook: &Value) -> String {
    format!("{WEBHOOKS}/{}", webhook["webhookId"].as_str().unwrap())
}

/// Answers the id of the message.
async fn ping(code: &Code, path: &str) -> String {
    let ping = read(code.post(&format!("{path}/ping"), &json!({})).send().await.unwrap(), 202).await;
    ping["deliveryId"].as_str().unwrap().to_owned()
}

/// What an address answers once it is so.
async fn read_until(code: &Code, path: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let found = code.read(path).await;
        if is_so(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
    let path = path_of(&webhook);
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
    let path = path_of(&add(&code, &url, &["generation.completed"]).await);
    let list = format!("{path}/deliveries");
    let id = ping(&code, &path).await;
    inbox.wait_for("the first try", |messages| !messages.is_empty()).await;
    let waiting = read_until(&code, &list, "the first try", |list| list["items"][0]["tries"] == 1).await;
    let waiting = &waiting["items"][0];
    assert_eq!((&waiting["state"], &waiting["lastStatus"]), (&json!("pending"), &json!(500)), "{waiting}");
    assert!(waiting["nextTryAt"].is_string(), "{waiting}");
    let replay = format!("{path}/deliveries/{id}/replay");
    read(code.post(&replay, &json!({})).send().await.unwrap(), 202).await;
    let messages = inbox.wait_for("the second try, at once", |messages| messages.len() == 2).await;
    assert!(messages.iter().all(|message| message.id == id && message.value()["type"] == "ping"), "{messages:?}");
    read_until(&code, &list, "it was taken", |list| list["items"][0]["state"] == "delivered").await;
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
    let (inbox, url) = Inbox::open(&[503, 410]).await;
    let path = path_of(&add(&code, &url, &["generation.completed"]).await);
    let list = format!("{path}/deliveries");
    let waiting = ping(&code, &path).await;
    read_until(&code, &list, "the first try", |list| list["items"][0]["nextTryAt"].is_string()).await;
    ping(&code, &path).await;
    read_until(&code, &path, "410 ends it", |webhook| webhook["disabledAt"].is_string()).await;
    problem(code.post(&format!("{path}/ping"), &json!({})).send().await.unwrap(), 404, "not_found").await;
    let told = code.read(&list).await;
    let ends = told["items"].as_array().unwrap();
    let statuses: Vec<u64> = ends.iter().filter_map(|end| end["lastStatus"].as_u64()).collect();
    assert_eq!(statuses, [410, 503], "{told}");
    assert!(ends.iter().all(|end| end["state"] == "failed" && end["nextTryAt"].is_null()), "nothing waits: {told}");
    assert!(ends[1]["lastError"].is_string(), "{told}");
    let replay = format!("{list}/{waiting}/replay");
    problem(code.post(&replay, &json!({})).send().await.unwrap(), 409, "conflict").await;
    assert_eq!(inbox.all().len(), 2);
}

#[tokio::test]
async fn a_secret_is_told_again_for_the_same_key_and_kept_nowhere() {
    let (code, _) = common().await;
    let (_, url) = Inbox::open(&[]).await;
    let body = json!({"url": url, "events": ["video.published"]});
    let key = Uuid::now_v7().to_string();
    let first = read(code.post_as(WEBHOOKS, &body, &key).send().await.unwrap(), 201).await;
    assert!(first["secret"].as_str().unwrap().starts_with("whsec_"), "{first}");
    let again = code.post_as(WEBHOOKS, &body, &key).send().await.unwrap();
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    assert_eq!((header(&again, "location"), header(&again, "cache-control")), (path_of(&first).as_str(), "no-store"));
    assert_eq!(read(again, 201).await, first, "whoever lost the first answer needs it");
    let secrets = "select count(*) from api_answers where body like '%whsec%'";
    assert_eq!(shared().await.ground.database.number(secrets).await, 0);
    assert_eq!(code.request(reqwest::Method::DELETE, &path_of(&first)).send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn shops_that_are_slow_keep_neither_others_nor_generations_waiting() {
    let house = House::build(&[("WORKER_CONCURRENCY", "4")]).await;
    let product = house.ground.add_product("patient").await;
    let code = Code::of(&house).await;
    let (slow, slow_url) = Inbox::slow(Duration::from_secs(3)).await;
    let (quick, quick_url) = Inbox::open(&[]).await;
    let other = path_of(&add(&code, &quick_url, &["video.unpublished"]).await);
    let first = path_of(&add(&code, &slow_url, &["video.unpublished"]).await);
    for _ in 0..6 {
        ping(&code, &first).await;
    }
    slow.wait_for("the slow one", |messages| !messages.is_empty()).await;
    ping(&code, &other).await;
    quick.wait_for("the other one", |messages| !messages.is_empty()).await;
    assert!(slow.all().len() < 6, "it did not wait for all of them");
    assert_eq!(slow.most_at_once(), 1, "one after the other");
    for _ in 0..3 {
        let more = path_of(&add(&code, &slow_url, &["video.unpublished"]).await);
        ping(&code, &more).await;
        ping(&code, &more).await;
    }
    let image = code.upload(product.id).await;
    let job = code.generate(&image, json!({"duration": 3})).await;
    assert_eq!(code.ended(&job).await["status"], "completed");
    assert!(slow.most_at_once() <= 2, "half of the seats, and not {}", slow.most_at_once());
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
