//! The roles of an installation whose parts run elsewhere: serve and work.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use jobs::Worker;
use media::Tools;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use url::Url;

use super::{
    migrate,
    parts::{self, Built, Ground},
    say, stop,
};
use crate::{
    config::{
        Common, Config,
        setting::{LISTEN, REDIS_URL, SITE_ROOT},
    },
    http::{self, health},
};

/// Runs the role `serve`.
pub async fn serve(common: &Common, config: &Config) -> anyhow::Result<()> {
    let stop = stop::on_signal()?;
    check_site(config)?;
    let listener = listen(config).await?;
    let ground = ground(common, config, listener.local_addr()?).await?;
    let built = parts::build(&ground, config).await?;
    serve_metrics(&built, config, health::routes(built.engine.clone()), &stop).await?;
    say(&format!("Lookreel serves {}", ground.public_url));
    run_server(listener, &ground, &built, config, stop).await?;
    built.engine.queue().close().await;
    Ok(())
}

/// Runs the role `work`.
pub async fn work(common: &Common, config: &Config) -> anyhow::Result<()> {
    let stop = stop::on_signal()?;
    // Providers report to the server, not to this process.
    let ground = ground(common, config, config.listen).await?;
    let built = parts::build(&ground, config).await?;
    let checks = health::worker_routes(built.engine.clone(), built.work_dir.clone());
    serve_metrics(&built, config, checks, &stop).await?;
    let tools = find_tools().await?;
    say("Lookreel works.");
    run_worker(&built, config, tools, stop).await?;
    built.engine.queue().close().await;
    Ok(())
}

/// Serves metrics and health beside, if they are asked for.
pub async fn serve_metrics(
    built: &Built,
    config: &Config,
    health: Router,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    match config.metrics_listen {
        Some(address) => http::metrics::serve(address, built.engine.queue().clone(), health, stop.clone()).await,
        None => Ok(()),
    }
}

/// Serves until told to stop.
pub async fn run_server(
    listener: TcpListener,
    ground: &Ground,
    built: &Built,
    config: &Config,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    if is_in_the_clear(address, &ground.public_url) {
        tracing::warn!(
            "LISTEN {address} is reached from other machines and PUBLIC_URL {} is not https: passwords and sessions \
             travel in the clear; put TLS before it and set PUBLIC_URL",
            ground.public_url
        );
    }
    let edge = http::Edge {
        engine: built.engine.clone(),
        webhooks: built.webhooks.clone(),
        redis_url: ground.redis_url.clone(),
        public_url: ground.public_url.clone(),
        media_base: config.media_base_url.clone(),
        media_cache_bytes: u64::from(config.media_cache_mib) * 1024 * 1024,
        site_root: config.site_root.clone(),
        zone: config.limits.shop_zone,
        trusted_proxies: config.trusted_proxies,
        api_requests_per_minute: config.limits.api_requests_per_minute,
    };
    let _following = follow_catalogue(built, &stop);
    http::serve(listener, edge, stop).await
}

/// Reads changes of the catalogue for as long as the answer is kept.
fn follow_catalogue(built: &Built, stop: &CancellationToken) -> AbortOnDropHandle<()> {
    let (engine, stop) = (built.engine.clone(), stop.clone());
    AbortOnDropHandle::new(tokio::spawn(async move { engine.follow_catalogue(stop).await }))
}

/// What a worker cannot do without.
pub async fn find_tools() -> anyhow::Result<Tools> {
    Tools::find().await.context("ffmpeg and ffprobe are needed to make renditions")
}

/// Works until told to stop.
pub async fn run_worker(built: &Built, config: &Config, tools: Tools, stop: CancellationToken) -> anyhow::Result<()> {
    if let Err(error) = built.engine.sweep_work_dir().await {
        tracing::warn!(%error, "WORK_DIR could not be swept: {error}");
    }
    let _following = follow_catalogue(built, &stop);
    let handlers = built.engine.handlers(tools);
    let worker =
        Worker::new(built.engine.queue().clone(), parts::worker_settings(&config.work)).with_handlers(handlers);
    let schedules = if config.work.routines { built.engine.schedules()? } else { Vec::new() };
    worker.with_schedules(schedules).run(stop).await.context("the worker stopped")
}

pub async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen).await.with_context(|| LISTEN.wrong(config.listen))
}

/// Refuses to serve pages without their scripts and styles.
pub fn check_site(config: &Config) -> anyhow::Result<()> {
    let root = std::path::absolute(&config.site_root)?;
    let is_built = root.join("hash.txt").is_file() && root.join("pkg").is_dir();
    if is_built { Ok(()) } else { Err(SITE_ROOT.wrong(root.display()).into()) }
}

/// Whether others on the network can read what people send here.
fn is_in_the_clear(address: SocketAddr, public_url: &Url) -> bool {
    !address.ip().is_loopback() && public_url.scheme() != "https"
}

/// How browsers and providers reach the server that listens on an address.
pub fn public_url(config: &Config, address: SocketAddr) -> anyhow::Result<Url> {
    match &config.public_url {
        Some(url) => Ok(url.clone()),
        None => Ok(Url::parse(&format!("http://{address}/"))?),
    }
}

async fn ground(common: &Common, config: &Config, address: SocketAddr) -> anyhow::Result<Ground> {
    let redis_url = config.redis_url.clone().ok_or_else(|| REDIS_URL.missing())?;
    let callback_secret = parts::callback_secret(config)?;
    let store = config.object_store.connect().await?;
    let pg = migrate::connect(common).await?;
    migrate::check(&pg).await?;
    Ok(Ground {
        pg,
        redis_url,
        store,
        simulator_url: config.providers.simulator_url.clone(),
        callback_secret,
        public_url: public_url(config, address)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_server_without_tls_that_others_reach_is_warned_about() {
        for (address, public_url, warned) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000", false),
            ("[::1]:3000", "http://localhost:3000", false),
            ("0.0.0.0:3000", "https://shop.example", false),
            ("0.0.0.0:3000", "http://shop.example", true),
            ("[::]:3000", "http://[::]:3000", true),
            ("192.0.2.7:80", "http://192.0.2.7", true),
        ] {
            let is = is_in_the_clear(address.parse().unwrap(), &public_url.parse().unwrap());
            assert_eq!(is, warned, "{address} {public_url}");
        }
    }
}
