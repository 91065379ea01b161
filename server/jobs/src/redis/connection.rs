//! How fred is set up. Every number here answers a fault seen in experiments: fred waits without limit by default.

use std::time::Duration;

use fred::clients::{Client, SubscriberClient};
use fred::interfaces::ClientLike;
use fred::types::config::{ConnectionConfig, PerformanceConfig, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, InfoKind};

use super::RedisSettings;
use crate::Error;

/// How long any single command may take.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

const SCHEMES: [&str; 6] = ["redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster"];

fn builder(settings: &RedisSettings) -> Result<Builder, Error> {
    // fred takes any scheme for a plain connection.
    let scheme = settings.address().split_once("://").map_or("", |(scheme, _)| scheme);
    if !SCHEMES.contains(&scheme) {
        return Err(Error::RedisAddress { reason: "unknown scheme".into() });
    }
    // The braces around it make it the hash tag, which an empty one or one with braces of its own would not be.
    let namespace = &settings.namespace;
    if !(1..=100).contains(&namespace.chars().count()) || namespace.contains(['{', '}']) {
        return Err(Error::RedisNamespace);
    }
    let mut config = fred::types::config::Config::from_url(settings.address())
        .map_err(|error| Error::RedisAddress { reason: error.details().to_owned() })?;
    // A Redis that is away at the start is the same to us as one that goes away later.
    config.fail_fast = false;
    let mut builder = Builder::from_config(config);
    builder
        .set_policy(ReconnectPolicy::new_exponential(0, 50, 2_000, 2))
        .with_connection_config(|connection: &mut ConnectionConfig| {
            connection.connection_timeout = COMMAND_TIMEOUT;
            connection.internal_command_timeout = COMMAND_TIMEOUT;
            // Per-call options are ignored by scripts; a second try would run one twice.
            connection.max_command_attempts = 1;
            connection.max_command_buffer_len = 10_000;
            connection.reconnect_on_auth_error = true;
            connection.tcp.nodelay = Some(true);
            connection.unresponsive =
                UnresponsiveConfig { max_timeout: Some(Duration::from_secs(3)), interval: Duration::from_secs(1) };
        })
        .with_performance_config(|performance: &mut PerformanceConfig| {
            performance.default_command_timeout = COMMAND_TIMEOUT;
            performance.broadcast_channel_capacity = 1_024;
        });
    Ok(builder)
}

/// Starts connecting in the background and answers at once.
pub(crate) fn open_client(settings: &RedisSettings) -> Result<Client, Error> {
    let client = builder(settings)?.build().map_err(refuse)?;
    drop(client.connect());
    Ok(client)
}

/// Starts connecting in the background and answers at once. Subscriptions are kept by [`super::channel::Channels`].
pub(crate) fn open_subscriber(settings: &RedisSettings) -> Result<SubscriberClient, Error> {
    let client = builder(settings)?.build_subscriber_client().map_err(refuse)?;
    drop(client.connect());
    Ok(client)
}

/// Ends a client; one that does not answer is left to its own timeouts.
pub(crate) async fn close_client<C: ClientLike>(client: &C) {
    if let Ok(Err(error)) = tokio::time::timeout(COMMAND_TIMEOUT, client.quit()).await {
        tracing::debug!(%error, "a redis connection did not close cleanly");
    }
}

/// What Redis does when it is full. `INFO`, because hosted Redis often forbids `CONFIG`.
pub(crate) async fn read_eviction_policy(client: &Client) -> Result<Option<String>, Error> {
    let info: String = client.info(Some(InfoKind::Memory)).await.map_err(refuse)?;
    Ok(info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).map(|found| found.trim().to_owned()))
}

/// fred's error without the address it was talking to.
pub(crate) fn refuse(error: fred::error::Error) -> Error {
    Error::Redis(format!("{:?}: {}", error.kind(), error.details()))
}
