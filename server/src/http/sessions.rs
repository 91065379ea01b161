//! Sessions: an opaque id in a cookie, everything else in the database, with a copy in Redis that is asked first. A copy
//! lives for a minute, so Redis may be lost, wiped or cut off: nobody is signed out by that, and nobody stays signed in
//! who left meanwhile.

use std::{fmt, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use engine::{Engine, KeptSession};
use fred::{
    prelude::{Builder, ClientLike as _, Config, Pool, ReconnectPolicy},
    types::config::UnresponsiveConfig,
};
use secrecy::ExposeSecret as _;
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::{
        SameSite,
        time::{Duration as CookieDuration, OffsetDateTime},
    },
    session::{Error, Id, Record},
    session_store,
};
use tower_sessions_redis_store::RedisStore;

use super::Edge;
use crate::config::setting::REDIS_URL;

/// Connections to Redis for sessions.
const CONNECTIONS: usize = 2;
/// A session ends so many days after it was last written: with the last visit, give or take [`RENEW_EVERY_SECS`].
const IDLE_DAYS: i64 = 14;
/// Visits write a session this often at most, in seconds.
const RENEW_EVERY_SECS: i64 = 24 * 60 * 60;
/// Key of the moment a session was last written, in seconds of Unix time.
const RENEWED_AT: &str = "renewed_at";
/// Redis may take so long to answer before the database is asked.
const COMMAND_TIMEOUT: Duration = Duration::from_millis(500);
/// Redis may take so long to be there when the server starts.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A copy in Redis lives so long: what could not be deleted there is gone by itself.
const COPY_LIFE: CookieDuration = CookieDuration::seconds(60);
/// Another id is drawn this often when one is taken.
const ID_TRIES: u32 = 3;

/// The session layer of this installation. Works without Redis, and with it as soon as it is there.
pub async fn layer(edge: &Edge) -> anyhow::Result<SessionManagerLayer<Sessions>> {
    let config =
        Config::from_url(edge.redis_url.expose_secret()).map_err(|_| REDIS_URL.unusable("is no address of a Redis"))?;
    let pool = Builder::from_config(config)
        .with_performance_config(|performance| performance.default_command_timeout = COMMAND_TIMEOUT)
        .with_connection_config(|connection| {
            connection.connection_timeout = CONNECT_TIMEOUT;
            connection.internal_command_timeout = CONNECT_TIMEOUT;
            connection.max_command_buffer_len = 1_000;
            connection.unresponsive =
                UnresponsiveConfig { max_timeout: Some(Duration::from_secs(3)), ..UnresponsiveConfig::default() };
        })
        .set_policy(ReconnectPolicy::new_exponential(0, 100, 2_000, 2))
        .build_pool(CONNECTIONS)
        .context("the session store could not be built")?;
    pool.connect();
    if tokio::time::timeout(CONNECT_TIMEOUT, pool.wait_for_connect()).await.is_err() {
        tracing::warn!("Redis does not answer; sessions are read from the database until it does");
    }
    let secure = edge.public_url.scheme() == "https";
    let name = if secure { "__Host-lookreel".to_owned() } else { "lookreel".to_owned() };
    Ok(SessionManagerLayer::new(Sessions::new(edge.engine.clone(), pool))
        .with_name(name)
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(idle_expiry()))
}

/// Where sessions are kept.
#[derive(Clone)]
pub struct Sessions {
    engine: Engine,
    redis: Pool,
    copies: RedisStore<Pool>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sessions")
    }
}

impl Sessions {
    fn new(engine: Engine, redis: Pool) -> Self {
        Self { engine, copies: RedisStore::new(redis.clone()), redis }
    }

    /// Whether it makes sense to ask Redis: a connection that is gone would only be waited for.
    fn has_redis(&self) -> bool {
        self.redis.clients().iter().any(|client| client.is_connected())
    }

    /// What Redis answers, or nothing when it does not.
    async fn ask_redis<T>(&self, question: impl Future<Output = session_store::Result<T>>) -> Option<T> {
        if !self.has_redis() {
            return None;
        }
        match question.await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!(%error, "Redis was of no use for a session: {error}");
                None
            }
        }
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        for _ in 0..ID_TRIES {
            let kept = self.engine.begin_session(&record.id.to_string(), &kept(record)?).await.map_err(away)?;
            if kept {
                self.ask_redis(self.copies.create(&mut copy_of(record))).await;
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(session_store::Error::Backend("no session id was free".to_owned()))
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.engine.write_session(&record.id.to_string(), &kept(record)?).await.map_err(away)?;
        self.ask_redis(self.copies.save(&copy_of(record))).await;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        if let Some(Some(copy)) = self.ask_redis(self.copies.load(id)).await {
            return Ok(Some(copy));
        }
        let Some(KeptSession { data, expires_at }) = self.engine.session(&id.to_string()).await.map_err(away)? else {
            return Ok(None);
        };
        let expiry_date = OffsetDateTime::from_unix_timestamp(expires_at.timestamp())
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        let record = Record { id: *id, data: data.into_iter().collect(), expiry_date };
        self.ask_redis(self.copies.create(&mut copy_of(&record))).await;
        Ok(Some(record))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.engine.end_session(&id.to_string()).await.map_err(away)?;
        self.ask_redis(self.copies.delete(id)).await;
        Ok(())
    }
}

/// The record as Redis has it: for a minute. When a session ends is decided by the layer, never by this.
fn copy_of(record: &Record) -> Record {
    let until = OffsetDateTime::now_utc() + COPY_LIFE;
    Record { expiry_date: record.expiry_date.min(until), ..record.clone() }
}

fn kept(record: &Record) -> session_store::Result<KeptSession> {
    let expires_at = DateTime::from_timestamp(record.expiry_date.unix_timestamp(), 0)
        .ok_or_else(|| session_store::Error::Encode("a session without an end".to_owned()))?;
    let data = record.data.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(KeptSession { data, expires_at })
}

fn away(error: engine::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

fn idle_expiry() -> Expiry {
    Expiry::OnInactivity(CookieDuration::days(IDLE_DAYS))
}

/// Somebody who is signed in was here: the session ends later, in the store and in the browser.
///
/// # Errors
/// When the session store is away.
pub async fn visit(session: &Session) -> Result<(), Error> {
    let renewed_at: Option<i64> = session.get(RENEWED_AT).await?;
    match renewed_at {
        Some(at) if !is_due(at) => Ok(()),
        _ => session.insert(RENEWED_AT, Utc::now().timestamp()).await,
    }
}

/// The same for a request whose session nobody has looked at yet: only a session that was visited before is renewed.
///
/// # Errors
/// When the session store is away.
pub async fn visit_again(session: &Session) -> Result<(), Error> {
    match session.get(RENEWED_AT).await? {
        Some(at) if is_due(at) => session.insert(RENEWED_AT, Utc::now().timestamp()).await,
        _ => Ok(()),
    }
}

fn is_due(renewed_at: i64) -> bool {
    Utc::now().timestamp().saturating_sub(renewed_at) >= RENEW_EVERY_SECS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use axum::{Router, body::Body, http::Request, routing::get};
    use serde_json::json;
    use tower::ServiceExt as _;
    use tower_sessions::MemoryStore;

    use super::*;

    /// A session that was last written so many days ago, and a desk that knows it.
    async fn desk(written_days_ago: i64) -> (Router, MemoryStore, Record) {
        let store = MemoryStore::default();
        let expiry_date = OffsetDateTime::now_utc() + CookieDuration::days(IDLE_DAYS - written_days_ago);
        let at = Utc::now().timestamp() - written_days_ago * RENEW_EVERY_SECS;
        let data = HashMap::from([(RENEWED_AT.to_owned(), json!(at))]);
        let mut record = Record { id: Default::default(), data, expiry_date };
        store.create(&mut record).await.unwrap();
        let layer = SessionManagerLayer::new(store.clone()).with_name("lookreel").with_expiry(idle_expiry());
        let look = async |session: Session| visit(&session).await.unwrap();
        let call = async |session: Session| visit_again(&session).await.unwrap();
        (Router::new().route("/page", get(look)).route("/call", get(call)).layer(layer), store, record)
    }

    /// Whether an answer renews the cookie.
    async fn renews(desk: &Router, path: &str, cookie: &str) -> bool {
        let request = Request::get(path).header("cookie", format!("lookreel={cookie}")).body(Body::empty()).unwrap();
        let answer = desk.clone().oneshot(request).await.unwrap();
        // A cookie that names no session is taken away.
        answer.headers().get("set-cookie").is_some_and(|cookie| !cookie.to_str().unwrap().contains("Max-Age=0"))
    }

    #[tokio::test]
    async fn a_visit_puts_the_end_off_once_a_day() {
        for path in ["/page", "/call"] {
            let (desk, store, record) = desk(13).await;
            assert!(renews(&desk, path, &record.id.to_string()).await, "{path}");
            let kept = store.load(&record.id).await.unwrap().unwrap();
            assert!(kept.expiry_date - OffsetDateTime::now_utc() > CookieDuration::days(IDLE_DAYS - 1), "{path}");
            assert!(!renews(&desk, path, &record.id.to_string()).await, "{path}: written again on the same day");
        }
        let (desk, _, record) = desk(0).await;
        assert!(!renews(&desk, "/page", &record.id.to_string()).await);
    }

    #[tokio::test]
    async fn a_request_without_a_session_gets_none() {
        let (desk, ..) = desk(0).await;
        assert!(!renews(&desk, "/call", "AAAAAAAAAAAAAAAAAAAAAA").await);
    }
}
