//! Sessions: an opaque id in a cookie, everything else in Redis.

use std::time::Duration;

use anyhow::Context as _;
use fred::{
    prelude::{Builder, ClientLike as _, Config, Pool, ReconnectPolicy},
    types::config::UnresponsiveConfig,
};
use secrecy::ExposeSecret as _;
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};
use tower_sessions_redis_store::RedisStore;

use super::Edge;

/// Connections to Redis for sessions.
const CONNECTIONS: usize = 2;
/// A session ends so many days after it was last written: at the sign-in.
const IDLE_DAYS: i64 = 14;
/// Redis may take so long to answer.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// The session layer of this installation. Waits at most ten seconds for Redis; when it is away for longer the layer
/// works as soon as it is back.
pub async fn layer(edge: &Edge) -> anyhow::Result<SessionManagerLayer<RedisStore<Pool>>> {
    let config = Config::from_url(edge.redis_url.expose_secret())
        .map_err(|_| anyhow::anyhow!("REDIS_URL is not an address: expected redis://host:6379"))?;
    let pool = Builder::from_config(config)
        .with_performance_config(|performance| performance.default_command_timeout = COMMAND_TIMEOUT)
        .with_connection_config(|connection| {
            connection.connection_timeout = COMMAND_TIMEOUT;
            connection.internal_command_timeout = COMMAND_TIMEOUT;
            connection.max_command_buffer_len = 1_000;
            connection.unresponsive =
                UnresponsiveConfig { max_timeout: Some(Duration::from_secs(3)), ..UnresponsiveConfig::default() };
        })
        .set_policy(ReconnectPolicy::new_exponential(0, 100, 2_000, 2))
        .build_pool(CONNECTIONS)
        .context("the session store could not be built")?;
    pool.connect();
    if tokio::time::timeout(Duration::from_secs(10), pool.wait_for_connect()).await.is_err() {
        tracing::warn!("Redis does not answer; nobody can sign in until it does");
    }
    let secure = edge.public_url.scheme() == "https";
    let name = if secure { "__Host-lookreel".to_owned() } else { "lookreel".to_owned() };
    Ok(SessionManagerLayer::new(RedisStore::new(pool))
        .with_name(name)
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(tower_sessions::cookie::time::Duration::days(IDLE_DAYS))))
}
