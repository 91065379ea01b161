//! The use-cases of Lookreel: what a person can do, what a worker does about it, and what it cost.
//!
//! [`Engine`] is the one door: pages and REST call its methods, a worker runs [`Engine::handlers`]. Everything that
//! must happen together happens in one Postgres transaction; Redis and the object store are told afterwards.

mod answers;
mod assets;
mod calls;
mod catalogue;
mod conflict;
mod error;
mod exports;
mod generations;
mod ledger;
mod limits;
mod media_urls;
mod notices;
mod outgoing;
mod pauses;
mod people;
mod playback;
mod products;
mod publication;
mod reports;
mod retention;
mod routes;
mod routines;
mod sessions;
mod settings;
mod stages;
mod tokens;
mod tryon;
mod video_jobs;
mod videos;
mod views;
mod webhooks;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, Utc};
use domain::{GenerationId, Stage};
use jobs::{Handler, Queue};
use providers::{Catalogue, Makers};
use sqlx::PgPool;
use storage::Store;

pub use answers::{AnswerClaim, Claimed, HeldKey, KeptAnswer};
pub use catalogue::{Withdrawn, load_catalogue, read_catalogue};
pub use conflict::Conflict;
pub use domain::storage::KeepDays;
pub use error::Error;
pub use generations::{changes::CHANGES_AT_ONCE, click::ClickName};
pub(crate) use media_urls::MediaUrls;
pub use outgoing::{Delivery, Endpoint, NewEndpoint, WebhookEvent, limit_deliveries};
pub use pauses::Pauses;
pub use people::{PASSWORD_MIN_CHARS, SignedIn, create_user};
pub use products::{NewPhoto, NewProduct, PHOTOS_MAX, ProductChange};
pub use retention::{Retention, RetentionReport, SweepReport, keep_days};
pub use routes::Routes;
pub use sessions::KeptSession;
pub use settings::{EncodeSettings, Settings};
pub use tokens::{ListedToken, MadeToken, NewToken, SECRET_PREFIX, Token, Usage, create_token, secret_sha256};
pub use tryon::{Answered, ImageClick, TryonImage};
pub use video_jobs::{GenerationStats, GenerationsAfter, VideoDetail, VideoFiles, VideoJob};
pub use webhooks::CallToken;

/// The Redis channel that names generations as they change.
pub const GENERATIONS_CHANNEL: &str = "generations";

/// How long measured stage durations are kept before they are asked for again.
const USUAL_SECONDS_AGE: Duration = Duration::from_secs(30);

/// The parts an engine works with.
pub struct Parts {
    /// Postgres.
    pub pg: PgPool,
    /// The job queue.
    pub queue: Queue,
    /// The object store.
    pub store: Store,
    /// Who makes stills and clips, by model; with the models and their prices.
    pub makers: Makers,
    /// Choices of the owner.
    pub settings: Settings,
}

/// Median and 95th percentile of what a stage took.
type UsualSeconds = HashMap<Stage, (u32, u32)>;

struct Inner {
    parts: Parts,
    media: MediaUrls,
    usual: Mutex<Option<(Instant, UsualSeconds)>>,
    playbacks: playback::Counted,
    /// How far the catalogue in the database was read.
    catalogue_mark: Mutex<catalogue::Mark>,
}

/// Everything a person can do and a worker must do. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

impl Engine {
    /// Puts an engine together; touches nothing.
    pub fn new(parts: Parts) -> Self {
        let media = MediaUrls::new(&parts.settings.media_base, parts.settings.callback_secret.clone());
        let catalogue_mark = Mutex::new(catalogue::Mark::default());
        let playbacks = playback::Counted::default();
        Self(Arc::new(Inner { parts, media, usual: Mutex::new(None), playbacks, catalogue_mark }))
    }

    /// What a worker must be given to run this engine's jobs.
    pub fn handlers(&self, tools: media::Tools) -> Vec<(&'static str, Arc<dyn Handler>)> {
        let routines = self.routine_handlers();
        stages::handlers(self, tools).into_iter().chain([outgoing::handler(self)]).chain(routines).collect()
    }

    /// The job queue, for subscriptions and health.
    pub fn queue(&self) -> &Queue {
        &self.0.parts.queue
    }

    /// The object store, for serving media and health.
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// Whether Postgres answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not within two seconds.
    pub async fn check_postgres(&self) -> Result<(), Error> {
        let ping = async {
            let mut conn = self.pg().acquire().await?;
            sqlx::Connection::ping(&mut *conn).await
        };
        match tokio::time::timeout(Duration::from_secs(2), ping).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Error::Unavailable { part: "postgres", source: error.into() }),
            Err(late) => Err(Error::Unavailable { part: "postgres", source: late.into() }),
        }
    }

    pub(crate) fn pg(&self) -> &PgPool {
        &self.0.parts.pg
    }

    pub(crate) fn makers(&self) -> &Makers {
        &self.0.parts.makers
    }

    /// The models and prices as they are now.
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        self.0.parts.makers.catalogue()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    pub(crate) fn media(&self) -> &MediaUrls {
        &self.0.media
    }

    pub(crate) fn playbacks(&self) -> &playback::Counted {
        &self.0.playbacks
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// Today in the shop's zone.
    pub(crate) fn today(&self) -> NaiveDate {
        limits::today(self.now(), self.settings().zone)
    }

    /// Tells everyone who watches that a generation changed. Best effort: viewers also ask.
    pub(crate) async fn announce(&self, id: GenerationId) {
        self.queue().publish(GENERATIONS_CHANNEL, &id.to_string()).await;
    }

    /// What stages usually take, measured over the last runs; asked for anew at most every half minute.
    pub(crate) async fn usual_seconds(&self) -> Result<HashMap<Stage, (u32, u32)>, Error> {
        let kept = self.0.usual.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, usual)) = kept.filter(|(at, _)| at.elapsed() < USUAL_SECONDS_AGE) {
            return Ok(usual);
        }
        let mut conn = self.pg().acquire().await?;
        let usual = views::store::usual_seconds(&mut conn).await?;
        *self.0.usual.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), usual.clone()));
        Ok(usual)
    }
}
