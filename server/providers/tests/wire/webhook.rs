use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::{Signer, SigningKey};
use http::{HeaderMap, HeaderName, HeaderValue};
use providers::{FalWebhook, WebhookError, WebhookVerifier, http_client, webhook::WebhookStatus};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::stub::{Reply, Stub, nowhere};

const ID: &str = "11111111-2222-4333-8444-555555555555";
const USER: &str = "user_test_1";
const TIMESTAMP: i64 = 1_790_000_000;
const BODY: &[u8] = br#"{"error": null, "gateway_request_id": "11111111-2222-4333-8444-555555555555", "payload": {"seed": 7, "video": {"url": "https://v3b.fal.media/files/b/x/y.mp4"}}, "request_id": "11111111-2222-4333-8444-555555555555", "status": "OK"}"#;
/// Made with two unrelated libraries, Node's crypto and Python's cryptography, from the seed 00 01 … 1f.
const SIGNATURE: &str = "e379acabab0e2042fb3e163d7b155ff8f6dde56ca8618b0fbd50d1a14c4d767b63f3111fb7f0475073d227924858d5af5fbff2c7e7ff1e61e51609b949559509";
const PUBLIC_X: &str = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(TIMESTAMP + 10, 0).unwrap()
}

fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
    values.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

fn vector() -> HeaderMap {
    signed_headers(ID, TIMESTAMP, SIGNATURE)
}

fn signed_headers(id: &str, timestamp: i64, signature: &str) -> HeaderMap {
    headers(&[
        ("x-fal-webhook-request-id", id),
        ("x-fal-webhook-user-id", USER),
        ("x-fal-webhook-timestamp", &timestamp.to_string()),
        ("x-fal-webhook-signature", signature),
    ])
}

fn sign(key: &SigningKey, timestamp: i64, body: &[u8]) -> HeaderMap {
    let message = format!("{ID}\n{USER}\n{timestamp}\n{}", hex::encode(Sha256::digest(body)));
    signed_headers(ID, timestamp, &hex::encode(key.sign(message.as_bytes()).to_bytes()))
}

fn jwk(x: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k"})
}

fn public(key: &SigningKey) -> Value {
    jwk(&BASE64URL.encode(key.verifying_key().as_bytes()))
}

/// The published keys: the vector's, among others that are none of ours.
async fn jwks() -> Stub {
    Stub::start(|_| {
        Reply::json(200, &json!({"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}, jwk("AAAA"), jwk(PUBLIC_X)]}))
    })
    .await
}

fn verifier(url: &Url) -> WebhookVerifier {
    WebhookVerifier::new(http_client().unwrap(), url.join(".well-known/jwks.json").unwrap(), None)
}

#[tokio::test]
async fn the_known_vector_is_believed_and_its_keys_are_kept() {
    let stub = jwks().await;
    let verifier = verifier(&stub.url);
    for _ in 0..3 {
        let verified = verifier.verify(&vector(), BODY, now()).await.unwrap();
        assert_eq!((verified.request_id.as_str(), verified.user_id.as_str()), (ID, USER));
        assert_eq!(verified.timestamp.timestamp(), TIMESTAMP);
        let webhook = FalWebhook::parse(&verified, BODY).unwrap();
        assert_eq!((webhook.status, webhook.error), (WebhookStatus::Ok, None));
        assert_eq!((webhook.gateway_request_id.as_deref(), webhook.payload_error), (Some(ID), None));
        assert_eq!(webhook.payload["video"]["url"], "https://v3b.fal.media/files/b/x/y.mp4");
    }
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn anything_changed_is_not_believed() {
    let stub = jwks().await;
    let verifier = verifier(&stub.url);
    let changed = [BODY, b" "].concat();
    assert_eq!(verifier.verify(&vector(), &changed, now()).await, Err(WebhookError::BadSignature));
    let other_id = signed_headers("22222222-2222-4333-8444-555555555555", TIMESTAMP, SIGNATURE);
    assert_eq!(verifier.verify(&other_id, BODY, now()).await, Err(WebhookError::BadSignature));
    let later = signed_headers(ID, TIMESTAMP + 1, SIGNATURE);
    assert_eq!(verifier.verify(&later, BODY, now()).await, Err(WebhookError::BadSignature));
    let stranger = sign(&SigningKey::from_bytes(&[9; 32]), TIMESTAMP, BODY);
    assert_eq!(verifier.verify(&stranger, BODY, now()).await, Err(WebhookError::BadSignature));
    assert!(!WebhookError::BadSignature.is_retryable());
    assert_eq!(stub.seen().len(), 1, "forged webhooks do not make us ask for keys again and again");
}

#[tokio::test]
async fn time_and_account_must_fit() {
    let stub = jwks().await;
    let open = verifier(&stub.url);
    let at = |seconds| now() + TimeDelta::seconds(seconds);
    assert!(open.verify(&vector(), BODY, at(290)).await.is_ok());
    assert_eq!(open.verify(&vector(), BODY, at(291)).await, Err(WebhookError::Stale(301)));
    assert_eq!(open.verify(&vector(), BODY, at(-311)).await, Err(WebhookError::Stale(-301)));
    let pinned = |user: &str| WebhookVerifier::new(http_client().unwrap(), stub.url.clone(), Some(user.to_owned()));
    assert!(pinned(USER).verify(&vector(), BODY, now()).await.is_ok());
    assert_eq!(pinned("user_2").verify(&vector(), BODY, now()).await, Err(WebhookError::WrongUser));
}

#[tokio::test]
async fn incomplete_or_doubled_headers_are_not_believed() {
    let verifier = verifier(&nowhere().await);
    for name in
        ["x-fal-webhook-request-id", "x-fal-webhook-user-id", "x-fal-webhook-timestamp", "x-fal-webhook-signature"]
    {
        let mut missing = vector();
        missing.remove(name);
        assert_eq!(verifier.verify(&missing, BODY, now()).await, Err(WebhookError::Header(name)));
        let mut doubled = vector();
        doubled.append(name, HeaderValue::from_static("1"));
        assert_eq!(verifier.verify(&doubled, BODY, now()).await, Err(WebhookError::Header(name)));
    }
    let short = signed_headers(ID, TIMESTAMP, "e379");
    let expected = Err(WebhookError::Header("x-fal-webhook-signature"));
    assert_eq!(verifier.verify(&short, BODY, now()).await, expected);
}

#[tokio::test]
async fn a_rotated_key_is_found_and_an_old_one_forgotten() {
    let (old, new) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let rotated = Arc::new(AtomicBool::new(false));
    let (flag, keys) = (Arc::clone(&rotated), [public(&old), public(&new)]);
    let stub =
        Stub::start(move |_| Reply::json(200, &json!({"keys": [keys[usize::from(flag.load(Ordering::SeqCst))]]})))
            .await;
    let verifier = verifier(&stub.url);
    assert!(verifier.verify(&sign(&old, TIMESTAMP, BODY), BODY, now()).await.is_ok());

    rotated.store(true, Ordering::SeqCst);
    let soon = now() + TimeDelta::seconds(5);
    let by_new = sign(&new, TIMESTAMP, BODY);
    assert_eq!(verifier.verify(&by_new, BODY, soon).await, Err(WebhookError::BadSignature), "asked too lately");
    let later = now() + TimeDelta::seconds(31);
    assert!(verifier.verify(&by_new, BODY, later).await.is_ok());
    assert_eq!(verifier.verify(&sign(&old, TIMESTAMP, BODY), BODY, later).await, Err(WebhookError::BadSignature));
    assert_eq!(stub.seen().len(), 2);

    let next_day = later + TimeDelta::hours(24);
    assert!(verifier.verify(&sign(&new, next_day.timestamp(), BODY), BODY, next_day).await.is_ok());
    assert_eq!(stub.seen().len(), 3, "keys are read again after a day");
}

#[tokio::test]
async fn without_keys_nothing_is_believed_and_the_sender_may_come_back() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let stub = Stub::start(move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            Reply::bytes(500, "down")
        } else {
            Reply::json(200, &json!({"keys": [jwk(PUBLIC_X)]}))
        }
    })
    .await;
    let verifier = verifier(&stub.url);
    for _ in 0..2 {
        let error = verifier.verify(&vector(), BODY, now()).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(verifier.verify(&vector(), BODY, now() + TimeDelta::seconds(30)).await.is_ok());
}

#[tokio::test]
async fn a_body_about_another_request_is_malformed() {
    let stub = jwks().await;
    let verified = verifier(&stub.url).verify(&vector(), BODY, now()).await.unwrap();
    let error_body = json!({"request_id": ID, "gateway_request_id": "g", "status": "ERROR",
        "error": "Invalid status code: 422", "payload": {"detail": [{"type": "image_too_small"}]}});
    let webhook = FalWebhook::parse(&verified, error_body.to_string().as_bytes()).unwrap();
    assert_eq!(webhook.status, WebhookStatus::Error);
    assert_eq!(webhook.error.as_deref(), Some("Invalid status code: 422"));
    let other = json!({"request_id": "other", "status": "OK", "error": null, "payload": null});
    for wrong in [other.to_string(), "[]".to_owned(), String::new()] {
        assert!(matches!(FalWebhook::parse(&verified, wrong.as_bytes()), Err(WebhookError::Malformed(_))));
    }
}

#[tokio::test]
async fn a_webhook_without_its_output_says_why() {
    let stub = jwks().await;
    let verified = verifier(&stub.url).verify(&vector(), BODY, now()).await.unwrap();
    let body = json!({"request_id": ID, "gateway_request_id": "second-try", "status": "OK", "error": null,
        "payload": null, "payload_error": "Response payload is not JSON serializable"});
    let webhook = FalWebhook::parse(&verified, body.to_string().as_bytes()).unwrap();
    assert_eq!((webhook.status, webhook.payload), (WebhookStatus::Ok, Value::Null));
    assert_eq!(webhook.gateway_request_id.as_deref(), Some("second-try"), "it is known by its request");
    assert!(webhook.payload_error.unwrap().contains("serializable"));
}

#[tokio::test]
async fn a_signature_by_a_key_we_cannot_read_may_come_back() {
    let (old, new) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let (calls, known) = (AtomicUsize::new(0), public(&old));
    let stub = Stub::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(200, &json!({"keys": [known]})),
        _ => Reply::bytes(503, "down"),
    })
    .await;
    let verifier = verifier(&stub.url);
    assert!(verifier.verify(&sign(&old, TIMESTAMP, BODY), BODY, now()).await.is_ok());
    let later = now() + TimeDelta::seconds(31);
    let error = verifier.verify(&sign(&new, TIMESTAMP, BODY), BODY, later).await.unwrap_err();
    assert!(error.is_retryable(), "it may be signed by a new key: {error}");
    assert!(verifier.verify(&sign(&old, TIMESTAMP, BODY), BODY, later).await.is_ok(), "known keys stay good");
    assert_eq!(stub.seen().len(), 2);
}
