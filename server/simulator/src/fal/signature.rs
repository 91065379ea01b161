use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Signs webhook deliveries the way fal does: Ed25519 over request id, user
/// id, timestamp and the SHA-256 of the raw body, joined by newlines.
pub(crate) struct WebhookSigner {
    key: SigningKey,
    user_id: String,
}

impl WebhookSigner {
    /// The same seed gives the same key and account in every run.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let secret = Sha256::digest(format!("webhook signing key {seed}"));
        let user = hex::encode(Sha256::digest(format!("webhook user {seed}")));
        Self::new(secret.into(), format!("user_{}", user.get(..16).unwrap_or("simulator")))
    }

    fn new(secret: [u8; 32], user_id: String) -> Self {
        Self { key: SigningKey::from_bytes(&secret), user_id }
    }

    /// The account that deliveries are signed for.
    pub(crate) fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The hexadecimal signature of one delivery; `timestamp` in Unix seconds.
    pub(crate) fn sign(&self, request_id: &str, timestamp: i64, body: &[u8]) -> String {
        let hash = hex::encode(Sha256::digest(body));
        let message = format!("{request_id}\n{}\n{timestamp}\n{hash}", self.user_id);
        hex::encode(self.key.sign(message.as_bytes()).to_bytes())
    }

    /// The public key as a JWK set.
    pub(crate) fn jwks(&self) -> Value {
        let public = URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": public}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"error": null, "gateway_request_id": "11111111-2222-4333-8444-555555555555", "payload": {"seed": 7, "video": {"url": "https://v3b.fal.media/files/b/x/y.mp4"}}, "request_id": "11111111-2222-4333-8444-555555555555", "status": "OK"}"#;

    /// A vector on which two independent implementations agree.
    #[test]
    fn the_known_vector_is_signed_as_known() {
        let secret: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap_or_default());
        let signer = WebhookSigner::new(secret, "user_test_1".to_owned());
        assert_eq!(BODY.len(), 230);
        assert_eq!(signer.jwks()["keys"][0]["x"], "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
        assert_eq!(
            signer.sign("11111111-2222-4333-8444-555555555555", 1_790_000_000, BODY.as_bytes()),
            "e379acabab0e2042fb3e163d7b155ff8f6dde56ca8618b0fbd50d1a14c4d767b\
             63f3111fb7f0475073d227924858d5af5fbff2c7e7ff1e61e51609b949559509"
        );
    }
}
