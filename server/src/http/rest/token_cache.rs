//! Tokens that were just looked up. An answer is believed for five seconds, so that a token that is revoked may be used for
//! as long by a process that saw it before, and that a busy shop does not ask the database who it is with every request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use engine::{Engine, Error, Token};
use sha2::{Digest as _, Sha256};

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(5);
/// Answers that are kept, those about unknown secrets included.
const KEPT_MAX: usize = 10_000;

/// Answers by the SHA-256 of the secret, and when they were given.
type Kept = HashMap<[u8; 32], (Instant, Option<Arc<Token>>)>;

/// Answers of the last seconds.
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
        // A secret itself is never kept.
        let key: [u8; 32] = Sha256::digest(secret).into();
        if let Some(known) = self.known(&key, Instant::now()) {
            return Ok(known);
        }
        let found = engine.token(secret).await?.map(Arc::new);
        self.keep(key, found.clone(), Instant::now());
        Ok(found)
    }

    fn known(&self, key: &[u8; 32], now: Instant) -> Option<Option<Arc<Token>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, token) = kept.get(key)?;
        (now.duration_since(*at) < BELIEVED).then(|| token.clone())
    }

    fn keep(&self, key: [u8; 32], token: Option<Arc<Token>>, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (at, _)| now.duration_since(*at) < BELIEVED);
        }
        // So many wrong secrets within seconds are nobody's mistake: they are looked up each time.
        if kept.len() < KEPT_MAX {
            kept.insert(key, (now, token));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_believed_for_seconds_only() {
        let (cache, now) = (TokenCache::default(), Instant::now());
        assert_eq!(cache.known(&[1; 32], now), None);
        cache.keep([1; 32], None, now);
        assert_eq!(cache.known(&[1; 32], now + Duration::from_secs(4)), Some(None));
        assert_eq!(cache.known(&[1; 32], now + BELIEVED), None);
    }

    #[test]
    fn wrong_secrets_do_not_fill_the_memory() {
        let (cache, now) = (TokenCache::default(), Instant::now());
        for number in 0..=KEPT_MAX {
            cache.keep(Sha256::digest(number.to_be_bytes()).into(), None, now);
        }
        let count = |cache: &TokenCache| cache.kept.lock().map_or(0, |kept| kept.len());
        assert_eq!(count(&cache), KEPT_MAX);
        cache.keep([2; 32], None, now + BELIEVED);
        assert_eq!(count(&cache), 1, "those of before are gone");
    }
}
