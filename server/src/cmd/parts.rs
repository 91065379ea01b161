//! Building an engine from settings.

use std::{
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use engine::{Engine, Routes};
use jobs::{Queue, RedisSettings, WorkerSettings};
use providers::{Catalogue, FalSettings, GeminiSettings, Makers, ModelRef, Provider, SharedCatalogue, WebhookVerifier};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgPool;
use storage::Store;
use url::Url;

use crate::config::{
    Config, Providers, Work,
    setting::{CALLBACK_SECRET, FAL_KEY, GEMINI_API_KEY, REDIS_URL, WORK_DIR, WrongSetting},
};

/// What an installation stands on, wherever it comes from.
pub struct Ground {
    pub pg: PgPool,
    pub redis_url: SecretString,
    pub store: Store,
    pub simulator_url: Option<Url>,
    pub callback_secret: SecretString,
    pub public_url: Url,
}

/// An engine with what the edge needs beside it.
pub struct Built {
    pub engine: Engine,
    pub webhooks: Arc<WebhookVerifier>,
    pub work_dir: PathBuf,
}

/// Builds the engine.
pub async fn build(ground: &Ground, config: &Config) -> anyhow::Result<Built> {
    let redis = RedisSettings { url: ground.redis_url.clone(), namespace: config.redis_namespace.clone() };
    let queue = Queue::connect(ground.pg.clone(), redis).await.map_err(no_queue)?;
    let catalogue = catalogue(&ground.pg).await?.in_zone(config.limits.shop_zone);
    let (fal, gemini) = provider_settings(ground.simulator_url.as_ref(), &config.providers)?;
    let routes = routes(&config.providers, &catalogue, gemini.is_some())?;
    let client = providers::http_client().context("the HTTP client could not be built")?;
    let webhooks = WebhookVerifier::new(client, fal.jwks_url.clone(), config.providers.fal_user_id.clone());
    let shared = SharedCatalogue::new(catalogue);
    let makers = Makers::new(Some(fal), gemini, shared).context("the providers' clients could not be built")?;
    let work_dir = work_dir(&config.work)?;
    let parts = engine::Parts {
        pg: ground.pg.clone(),
        queue,
        store: ground.store.clone(),
        makers,
        settings: engine_settings(ground, config, routes, config.clips.read()?, work_dir),
    };
    let work_dir = parts.settings.work_dir.clone();
    Ok(Built { engine: Engine::new(parts), webhooks: Arc::new(webhooks), work_dir })
}

/// What this program knows, with what was loaded into the database and what people changed there.
async fn catalogue(pg: &PgPool) -> anyhow::Result<Catalogue> {
    let own = Catalogue::embedded().context("the model catalogue could not be read")?;
    engine::load_catalogue(pg, &own, engine::Withdrawn::Stays)
        .await
        .context("the catalogue could not be written to the database")?;
    engine::read_catalogue(pg).await.context("the catalogue in the database could not be read")
}

/// The catalogue of an installation, unchanged; this program's own where nothing was started on it yet.
pub async fn installed_catalogue(pg: &PgPool) -> anyhow::Result<Catalogue> {
    let read = engine::read_catalogue(pg).await.context("the catalogue in the database could not be read")?;
    if !read.rows().is_empty() {
        return Ok(read);
    }
    Catalogue::embedded().context("the model catalogue could not be read")
}

/// Whether fal's list shows requests that still run is not documented, so its silence proves something only after any
/// clip would have ended. A simulator lists them at once.
fn lookup_after(ground: &Ground, config: &Config) -> Duration {
    let otherwise = if ground.simulator_url.is_some() { 10 } else { 360 };
    config.work.lookup_after_secs.unwrap_or(Duration::from_secs(otherwise))
}

/// Providers are told an address only where there is one they can reach: the configured one, or this machine's own for a
/// simulator.
fn callback_url(ground: &Ground, config: &Config) -> Option<Url> {
    config.public_url.clone().or_else(|| ground.simulator_url.is_some().then(|| ground.public_url.clone()))
}

/// The routes of the settings; every stage of product videos must have a model whose provider can be asked.
fn routes(wanted: &Providers, catalogue: &Catalogue, has_gemini: bool) -> anyhow::Result<Routes> {
    let routes = wanted.routes(catalogue)?;
    let can_ask = |model: &ModelRef| has_gemini || model.provider != Provider::Gemini;
    if !routes.product_stills.iter().any(can_ask) {
        return Err(GEMINI_API_KEY.missing().into());
    }
    Ok(routes)
}

/// Why there is no queue: a wrong setting, where it is one.
pub fn no_queue(error: jobs::Error) -> anyhow::Error {
    match error {
        jobs::Error::RedisAddress { reason } => {
            REDIS_URL.unusable(format!("is no address of a Redis ({reason})")).into()
        }
        jobs::Error::EvictionPolicy { found } => REDIS_URL
            .unusable(format!("names a Redis that may throw work away (maxmemory-policy {found})"))
            .expecting("one with maxmemory-policy noeviction")
            .into(),
        other => anyhow::Error::new(other).context("the queue could not be started"),
    }
}

fn engine_settings(
    ground: &Ground,
    config: &Config,
    routes: Routes,
    encode: engine::EncodeSettings,
    work_dir: PathBuf,
) -> engine::Settings {
    engine::Settings {
        zone: config.limits.shop_zone,
        daily_generations: config.limits.daily_generations,
        daily_spend: config.limits.daily_spend_usd,
        routes,
        media_base: config.media_base_url.clone(),
        callback_url: callback_url(ground, config),
        callback_secret: ground.callback_secret.clone(),
        webhooks_to_loopback: ground.simulator_url.is_some(),
        poll_interval: config.work.poll_interval_secs,
        poll_timeout: config.work.poll_timeout_secs,
        max_attempts: config.work.max_attempts,
        job_timeout: Duration::from_secs(config.work.job_timeout_secs),
        repeat_below: config.limits.repeat_below_usd,
        lookup_after: lookup_after(ground, config),
        encode,
        keep: config.keep.days(),
        work_dir,
    }
}

/// How the providers are asked: fal.ai always, because only it makes clips; Gemini where there is a key.
///
/// # Errors
/// A [`crate::config::setting::WrongSetting`] without a key of fal.ai.
pub fn provider_settings(
    simulator: Option<&Url>,
    wanted: &Providers,
) -> anyhow::Result<(FalSettings, Option<GeminiSettings>)> {
    if let Some(url) = simulator {
        return Ok((FalSettings::simulator(url)?, Some(GeminiSettings::simulator(url))));
    }
    let fal = wanted.fal_key.clone().ok_or_else(no_key)?;
    let gemini = wanted.gemini_api_key.clone().map(GeminiSettings::vendor).transpose()?;
    Ok((FalSettings::vendor(fal)?, gemini))
}

/// What to set: a key, or the way around one.
fn no_key() -> WrongSetting {
    let expected =
        format!("{}, or SIMULATOR_URL (--simulator-url) for `lookreel simulate` in its place", FAL_KEY.expected);
    FAL_KEY.missing().expecting(expected)
}

/// The folder of the settings, or one of the system's; nobody else may look into what is made here.
fn work_dir(work: &Work) -> anyhow::Result<PathBuf> {
    let Some(folder) = &work.work_dir else { return temporary_work_dir(&std::env::temp_dir()) };
    make_private(folder)?;
    Ok(folder.clone())
}

fn make_private(folder: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| WORK_DIR.wrong(folder.display()))
}

/// A work folder where everybody may make one: it is ours, or it is not used.
fn temporary_work_dir(temp: &Path) -> anyhow::Result<PathBuf> {
    let folder = temp.join("lookreel-work");
    make_private(&folder)?;
    let found = std::fs::symlink_metadata(&folder)?;
    // Who may write somewhere owns what they write there.
    let probe = folder.join(format!("owner-{}", std::process::id()));
    let ours = found.is_dir()
        && std::fs::File::create(&probe).and_then(|file| file.metadata()).is_ok_and(|file| file.uid() == found.uid());
    _ = std::fs::remove_file(&probe);
    anyhow::ensure!(ours, "{} belongs to somebody else; set {WORK_DIR} to a folder of your own", folder.display());
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
    Ok(folder)
}

/// How a worker of these settings runs.
pub fn worker_settings(work: &Work) -> WorkerSettings {
    WorkerSettings {
        concurrency: usize::from(work.worker_concurrency),
        grace_secs: work.grace_secs,
        lease_secs: work.lease_secs,
        heartbeat_secs: (work.lease_secs / 3).max(1),
        retry_base_secs: work.retry_base_secs,
        limits: work.queue_limits(),
        keep_days: work.keep_jobs_days,
        ..WorkerSettings::default()
    }
}

/// The secret that signs callback addresses.
///
/// # Errors
/// When it is too short to be one.
pub fn callback_secret(config: &Config) -> Result<SecretString, WrongSetting> {
    let secret = config.callback_secret.clone().ok_or_else(|| CALLBACK_SECRET.missing())?;
    if secret.expose_secret().chars().count() < 32 {
        return Err(CALLBACK_SECRET.unusable("is too short"));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mode(folder: &Path) -> u32 {
        std::fs::metadata(folder).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_look_into_a_work_folder() {
        let temp = tempfile::tempdir().unwrap();
        let chosen = temp.path().join("chosen/deep");
        make_private(&chosen).unwrap();
        assert_eq!(mode(&chosen), 0o700);
        // An open one of an earlier version is closed.
        let earlier = temp.path().join("lookreel-work");
        std::fs::create_dir(&earlier).unwrap();
        std::fs::set_permissions(&earlier, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(temporary_work_dir(temp.path()).unwrap(), earlier);
        assert_eq!((mode(&earlier), std::fs::read_dir(&earlier).unwrap().count()), (0o700, 0));
    }

    #[test]
    fn a_link_somebody_put_there_is_not_followed() {
        let (temp, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), temp.path().join("lookreel-work")).unwrap();
        let refused = temporary_work_dir(temp.path()).unwrap_err();
        assert!(refused.to_string().contains("WORK_DIR"), "{refused}");
    }
}
