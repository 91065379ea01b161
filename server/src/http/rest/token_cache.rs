//! Tokens that were just looked up. An answer is believed for five seconds, so that a token that is revoked may be used for
//! as long by a process that saw it before, and that a busy shop does not ask the database who it is with every request.
//! Only tokens that there are take up room: what strangers make up is forgotten at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use engine::{Engine, Error, Token, secret_sha256};

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(5);
/// Tokens that are kept; of more the database is asked each time.
const KEPT_MAX: usize = 10_000;

/// Tokens by the SHA-256 of the secret, and when they were found.
type Kept = HashMap<[u8; 32], (Instant, Arc<Token>)>;

/// Tokens of the last seconds.
#[derive(Default)]
pub struct TokenCache {
    kept: Mutex<Kept>,
}

impl TokenCache {
    /// The token of a secret, whatever became of it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is not known here and the database does not answer.
    pub async fn find(&self, engine: &Engine, secret: &str) -> Result<Option<Arc<Token>>, Error> {
        // A secret itself is never kept, and what cannot be one is looked for nowhere.
        let Some(key) = secret_sha256(secret) else { return Ok(None) };
        if let Some(known) = self.known(&key, Instant::now()) {
            return Ok(Some(known));
        }
        let found = engine.token(secret).await?.map(Arc::new);
        if let Some(token) = &found {
            self.keep(key, token.clone(), Instant::now());
        }
        Ok(found)
    }

    fn known(&self, key: &[u8; 32], now: Instant) -> Option<Arc<Token>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, token) = kept.get(key)?;
        (now.duration_since(*at) < BELIEVED).then(|| token.clone())
    }

    fn keep(&self, key: [u8; 32], token: Arc<Token>, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (at, _)| now.duration_since(*at) < BELIEVED);
        }
        if kept.len() < KEPT_MAX {
            kept.insert(key, (now, token));
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Scope, TokenId, UserId};
    use uuid::Uuid;

    use super::*;

    fn token() -> Arc<Token> {
        Arc::new(Token {
            id: TokenId::from_uuid(Uuid::from_u128(1)),
            owner: UserId::from_uuid(Uuid::from_u128(2)),
            scopes: vec![Scope::VideoRead],
            expires_at: None,
            is_revoked: false,
        })
    }

    #[test]
    fn an_answer_is_believed_for_seconds_only() {
        let (cache, now) = (TokenCache::default(), Instant::now());
        assert_eq!(cache.known(&[1; 32], now), None);
        cache.keep([1; 32], token(), now);
        assert_eq!(cache.known(&[1; 32], now + Duration::from_secs(4)), Some(token()));
        assert_eq!(cache.known(&[1; 32], now + BELIEVED), None);
    }

    #[test]
    fn many_tokens_do_not_fill_the_memory() {
        let (cache, now) = (TokenCache::default(), Instant::now());
        for number in 0..=KEPT_MAX {
            let mut key = [0; 32];
            key.iter_mut().zip(number.to_be_bytes()).for_each(|(place, byte)| *place = byte);
            cache.keep(key, token(), now);
        }
        let count = |cache: &TokenCache| cache.kept.lock().map_or(0, |kept| kept.len());
        assert_eq!(count(&cache), KEPT_MAX);
        cache.keep([2; 32], token(), now + BELIEVED);
        assert_eq!(count(&cache), 1, "those of before are gone");
    }
}
