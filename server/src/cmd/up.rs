//! Everything in one process: whatever is not set is embedded under the state folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use rand::RngExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use simulator::Simulator;
use storage::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{migrate, parts, parts::Ground, roles, say, seed, simulate, stop};
use crate::{
    config::{Common, Config, setting::STATE_DIR},
    embedded::{EmbeddedPostgres, EmbeddedRedis},
    http::health,
};

/// Public half of the embedded store's key; the secret half is made once and kept in the state folder.
const EMBEDDED_KEY_ID: &str = "lookreel";
/// Bucket of the embedded store.
const EMBEDDED_BUCKET: &str = "lookreel";

/// Settings of the role `up`.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder of the embedded parts and their data.
    #[arg(long, env = "STATE_DIR", default_value = ".lookreel")]
    state_dir: PathBuf,
    /// Print one JSON line when everything is ready.
    #[arg(long)]
    ready_json: bool,
    /// Do not add the demo catalogue to an empty shop.
    #[arg(long)]
    no_demo: bool,
    #[command(flatten)]
    behaviour: simulate::Behaviour,
    #[command(flatten)]
    config: Config,
}

/// What was started here and must be stopped here, in the reverse order.
#[derive(Default)]
struct Embedded {
    postgres: Option<EmbeddedPostgres>,
    redis: Option<EmbeddedRedis>,
    store: Option<storage::embedded::Endpoint>,
    simulator: Option<Simulator>,
}

impl Embedded {
    /// Waits until it is time to stop, or until a server that was started here ends by itself.
    async fn watch(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let postgres = async {
            match &self.postgres {
                Some(postgres) => postgres.exited().await,
                None => std::future::pending().await,
            }
        };
        let redis = async {
            match &self.redis {
                Some(redis) => redis.exited().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = postgres => anyhow::bail!("the private Postgres ended by itself; its log is in the state folder"),
            () = redis => anyhow::bail!("the private Redis ended by itself; its log is in the state folder"),
        }
    }

    async fn stop(self) {
        if let Some(simulator) = self.simulator {
            simulator.stop().await;
        }
        if let Some(store) = self.store {
            store.stop().await;
        }
        if let Some(redis) = self.redis {
            redis.stop().await;
        }
        if let Some(postgres) = self.postgres {
            postgres.stop().await;
        }
    }
}

/// Runs the role `up`.
pub async fn run(common: &Common, mut options: Options) -> anyhow::Result<()> {
    let stop = stop::on_signal()?;
    roles::check_site(&options.config)?;
    std::fs::create_dir_all(&options.state_dir).with_context(|| STATE_DIR.wrong(options.state_dir.display()))?;
    // Started programs run in folders of their own.
    options.state_dir = options.state_dir.canonicalize()?;
    if options.config.work.work_dir.is_none() {
        options.config.work.work_dir = Some(options.state_dir.join("work"));
    }
    let mut embedded = Embedded::default();
    let done = run_with(common, &options, &mut embedded, stop).await;
    embedded.stop().await;
    done
}

async fn run_with(
    common: &Common,
    options: &Options,
    embedded: &mut Embedded,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let config = &options.config;
    let listener = roles::listen(config).await?;
    let ground = ground(common, options, embedded, &listener).await?;
    let built = parts::build(&ground, config).await?;
    let admin = seed::admin(&built.engine, &options.state_dir).await?;
    if !options.no_demo {
        seed::catalogue(&built.engine).await?;
    }
    let checks = health::worker_routes(built.engine.clone(), built.work_dir.clone());
    roles::serve_metrics(&built, config, checks, &stop).await?;
    announce(options, &ground, embedded, &admin);
    let (served, worked, lost) = tokio::join!(
        async {
            let served = roles::run_server(listener, &ground, &built, config, stop.clone()).await;
            stop.cancel();
            served
        },
        async {
            let worked =
                async { roles::run_worker(&built, config, roles::find_tools().await?, stop.clone()).await }.await;
            stop.cancel();
            worked
        },
        async {
            let lost = embedded.watch(&stop).await;
            stop.cancel();
            lost
        },
    );
    built.engine.queue().close().await;
    ground.pg.close().await;
    served.and(worked).and(lost)
}

async fn ground(
    common: &Common,
    options: &Options,
    embedded: &mut Embedded,
    listener: &TcpListener,
) -> anyhow::Result<Ground> {
    let config = &options.config;
    let dir = &options.state_dir;
    let database_url = match &common.database_url {
        Some(url) => url.clone(),
        None => {
            let postgres = EmbeddedPostgres::start(dir).await?;
            SecretString::from(embedded.postgres.insert(postgres).url().to_owned())
        }
    };
    let redis_url = match &config.redis_url {
        Some(url) => url.clone(),
        None => {
            let redis = EmbeddedRedis::start(dir).await?;
            SecretString::from(embedded.redis.insert(redis).url().to_owned())
        }
    };
    let pg = migrate::open(database_url.expose_secret()).await?;
    migrate::apply(&pg).await?;
    let store = store(config, dir, embedded).await?;
    let simulator_url = simulator(options, embedded).await?;
    let callback_secret = match &config.callback_secret {
        Some(_) => parts::callback_secret(config)?,
        None => kept_secret(&dir.join("callback-secret"))?,
    };
    let public_url = roles::public_url(config, listener.local_addr()?)?;
    Ok(Ground { pg, redis_url, store, simulator_url, callback_secret, public_url })
}

async fn store(config: &Config, dir: &Path, embedded: &mut Embedded) -> anyhow::Result<Store> {
    if !config.object_store.is_unset() {
        return config.object_store.connect().await;
    }
    let secret = kept_secret(&dir.join("store-secret"))?;
    let free_port = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let endpoint =
        storage::embedded::Endpoint::start(&dir.join("objects"), free_port, EMBEDDED_KEY_ID, &secret).await?;
    let settings = storage::Settings {
        endpoint: Some(endpoint.url()),
        region: "auto".to_owned(),
        bucket: EMBEDDED_BUCKET.to_owned(),
        access_key_id: EMBEDDED_KEY_ID.to_owned(),
        secret_access_key: secret,
        path_style: true,
    };
    embedded.store = Some(endpoint);
    let store = Store::connect(settings).await.context("the embedded object store")?;
    store.ensure_bucket().await.context("the embedded object store")?;
    Ok(store)
}

async fn simulator(options: &Options, embedded: &mut Embedded) -> anyhow::Result<Option<Url>> {
    let wanted = &options.config.providers;
    if wanted.simulator_url.is_some() || wanted.fal_key.is_some() || wanted.gemini_api_key.is_some() {
        return Ok(wanted.simulator_url.clone());
    }
    let dir = options.state_dir.join("simulator");
    let kept = options.state_dir.join("simulator-port");
    let loopback = |port: u16| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let start = |port| Simulator::start(simulate::settings(&options.behaviour, loopback(port), None, dir.clone()));
    // Requests that are under way name files by the address of their first start.
    let port = std::fs::read_to_string(&kept).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let simulator = match start(port).await {
        Err(error) if port != 0 => {
            tracing::warn!(%error, "port {port} of the simulator is taken; requests under way will not find their files");
            start(0).await?
        }
        started => started?,
    };
    let url = simulator.url();
    if let Some(port) = url.port() {
        std::fs::write(&kept, port.to_string()).with_context(|| format!("{} could not be written", kept.display()))?;
    }
    embedded.simulator = Some(simulator);
    Ok(Some(url))
}

/// A secret that is made once and kept for the next start, readable by its owner only.
pub fn kept_secret(path: &Path) -> anyhow::Result<SecretString> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    if let Ok(text) = std::fs::read_to_string(path) {
        anyhow::ensure!(text.trim().len() >= 16, "{} is damaged; remove it and start again", path.display());
        return Ok(SecretString::from(text.trim().to_owned()));
    }
    let bytes: [u8; 24] = rand::rng().random();
    let text = hex::encode(bytes);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    Ok(SecretString::from(text))
}

fn announce(options: &Options, ground: &Ground, embedded: &Embedded, admin: &seed::Admin) {
    if options.ready_json {
        let line = json!({
            "url": ground.public_url.as_str(),
            "admin_email": admin.email,
            "admin_password": admin.password.as_ref().map(|password| password.expose_secret()),
            "simulator_url": ground.simulator_url.as_ref().map(Url::as_str),
        });
        return say(&line.to_string());
    }
    let desk = ground.public_url.join("admin").map_or_else(|_| ground.public_url.to_string(), |url| url.to_string());
    say("");
    say("  Lookreel is ready.");
    say(&format!("  Shop       {}products", ground.public_url));
    say(&format!("  Admin      {desk}"));
    match &admin.password {
        Some(password) => say(&format!("  Sign in    {}  {}", admin.email, password.expose_secret())),
        None => say(&format!("  Sign in    {} with the password you gave it", admin.email)),
    }
    if let Some(url) = ground.simulator_url.as_ref().filter(|_| embedded.simulator.is_some()) {
        say(&format!("  Simulator  {url} (no provider is paid; its invoice is at {url}invoice)"));
    }
    say("  Ctrl-C stops everything; data stays.");
    say("");
}
