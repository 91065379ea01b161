use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::desk::{off_thread, read_json, replace_json};

/// How far a forger's key is from ours.
const FORGERY_SEED: u64 = 0x0bad_5eed;

/// Signs webhook deliveries the way fal does: Ed25519 over request id, user
/// id, timestamp and the SHA-256 of the raw body, joined by newlines.
pub(crate) struct WebhookSigner {
    /// Keeps how often the key was replaced.
    path: PathBuf,
    seed: u64,
    user_id: String,
    /// The newest is last and signs.
    keys: Mutex<Vec<SigningKey>>,
}

impl WebhookSigner {
    /// The same seed gives the same keys and account in every run.
    pub(crate) fn open(folder: &Path, seed: u64) -> io::Result<Self> {
        let path = folder.join("keys.json");
        let replaced = read_json::<u32>(&path)?.unwrap_or_default();
        let keys = (0..=replaced).map(|turn| key_of(seed, turn)).collect();
        let user = hex::encode(Sha256::digest(format!("webhook user {seed}")));
        let user_id = format!("user_{}", user.get(..16).unwrap_or("simulator"));
        Ok(Self { path, seed, user_id, keys: Mutex::new(keys) })
    }

    /// The account that deliveries are signed for.
    pub(crate) fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The hexadecimal signature of one delivery; `timestamp` in Unix seconds.
    pub(crate) fn sign(&self, request_id: &str, timestamp: i64, body: &[u8]) -> String {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.last().map(|key| sign_with(key, request_id, &self.user_id, timestamp, body)).unwrap_or_default()
    }

    /// A signature of the right form by a key that is not ours.
    pub(crate) fn forge(&self, request_id: &str, timestamp: i64, body: &[u8]) -> String {
        sign_with(&key_of(FORGERY_SEED, 0), request_id, &self.user_id, timestamp, body)
    }

    /// Signs with a new key from now on; older ones stay in the set.
    pub(crate) async fn replace_key(&self) -> io::Result<()> {
        let replaced = {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let replaced = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            keys.push(key_of(self.seed, replaced));
            replaced
        };
        let path = self.path.clone();
        off_thread(move || replace_json(&path, &replaced)).await
    }

    /// The public keys as a JWK set, newest first.
    pub(crate) fn jwks(&self) -> Value {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let public = |key: &SigningKey| {
            let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
            json!({"kty": "OKP", "crv": "Ed25519", "x": x})
        };
        json!({"keys": keys.iter().rev().map(public).collect::<Vec<_>>()})
    }
}

fn key_of(seed: u64, turn: u32) -> SigningKey {
    let name = match turn {
        0 => format!("webhook signing key {seed}"),
        turn => format!("webhook signing key {seed} {turn}"),
    };
    SigningKey::from_bytes(&Sha256::digest(name).into())
}

fn sign_with(key: &SigningKey, request_id: &str, user_id: &str, timestamp: i64, body: &[u8]) -> String {
    let hash = hex::encode(Sha256::digest(body));
    let message = format!("{request_id}\n{user_id}\n{timestamp}\n{hash}");
    hex::encode(key.sign(message.as_bytes()).to_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BODY: &str = r#"{"error": null, "gateway_request_id": "11111111-2222-4333-8444-555555555555", "payload": {"seed": 7, "video": {"url": "https://v3b.fal.media/files/b/x/y.mp4"}}, "request_id": "11111111-2222-4333-8444-555555555555", "status": "OK"}"#;

    /// A vector on which two independent implementations agree.
    #[test]
    fn the_known_vector_is_signed_as_known() {
        let secret: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap_or_default());
        let signer = WebhookSigner {
            path: PathBuf::new(),
            seed: 0,
            user_id: "user_test_1".to_owned(),
            keys: Mutex::new(vec![SigningKey::from_bytes(&secret)]),
        };
        assert_eq!(BODY.len(), 230);
        assert_eq!(signer.jwks()["keys"][0]["x"], "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
        assert_eq!(
            signer.sign("11111111-2222-4333-8444-555555555555", 1_790_000_000, BODY.as_bytes()),
            "e379acabab0e2042fb3e163d7b155ff8f6dde56ca8618b0fbd50d1a14c4d767b\
             63f3111fb7f0475073d227924858d5af5fbff2c7e7ff1e61e51609b949559509"
        );
    }

    #[tokio::test]
    async fn a_replaced_key_signs_and_the_old_one_stays_in_the_set() {
        let folder = tempfile::tempdir().unwrap();
        let signer = WebhookSigner::open(folder.path(), 1).unwrap();
        let (before, old) = (signer.sign("r", 1, b"{}"), signer.jwks()["keys"][0].clone());
        signer.replace_key().await.unwrap();
        assert_ne!(signer.sign("r", 1, b"{}"), before);
        let reopened = WebhookSigner::open(folder.path(), 1).unwrap();
        assert_eq!(reopened.jwks(), signer.jwks());
        assert_eq!(signer.jwks()["keys"][1], old);
    }
}
