use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::desk::{FaultList, Invoice, MediaShelf, PartShelf, RequestBook};
use crate::draw::{Artist, ClipOrder, DrawError, Drawn, StillOrder, TryOnOrder};
use crate::fal::WebhookSigner;
use crate::ids::Ids;
use crate::{Clock, Error, Settings};

/// Pictures drawn at the same time: each keeps a core busy.
const DRAWING_AT_ONCE: usize = 2;

/// Everything the routes and the runner share.
pub(crate) struct World {
    pub settings: Settings,
    pub base: Url,
    pub clock: Clock,
    pub ids: Ids,
    pub requests: RequestBook,
    pub invoice: Invoice,
    pub media: MediaShelf,
    pub parts: PartShelf,
    pub faults: FaultList,
    pub signer: WebhookSigner,
    /// Ticks at every webhook that was told.
    pub told: watch::Sender<u64>,
    pub client: reqwest::Client,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    artist: Arc<Artist>,
    easels: Arc<Semaphore>,
    slots: Arc<Semaphore>,
}

impl World {
    /// Opens the state folder.
    pub(crate) fn open(settings: Settings, base: Url) -> Result<Self, Error> {
        let folder = settings.state_dir.as_path();
        let failed = |source| Error::state(folder, source);
        fs::create_dir_all(folder).map_err(failed)?;
        let clock = Clock::new(settings.stands_at);
        let requests = RequestBook::open(folder).map_err(failed)?;
        Ok(Self {
            ids: Ids::open(folder, settings.seed, requests.newest()).map_err(failed)?,
            requests,
            invoice: Invoice::open(folder).map_err(failed)?,
            media: MediaShelf::open(folder, settings.media_ttl_secs, clock.now()).map_err(failed)?,
            parts: PartShelf::default(),
            faults: FaultList::open(folder).map_err(failed)?,
            signer: WebhookSigner::open(folder, settings.seed).map_err(failed)?,
            told: watch::Sender::new(0),
            client: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(5))
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            artist: Arc::new(Artist::open(folder, settings.ffmpeg.clone(), settings.seed).map_err(failed)?),
            easels: Arc::new(Semaphore::new(DRAWING_AT_ONCE)),
            slots: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            clock,
            base,
            settings,
        })
    }

    /// Waits by our clock; `false` when the simulator stops meanwhile.
    pub(crate) async fn pause(&self, time: Duration) -> bool {
        self.pause_since(self.clock.now(), time).await
    }

    /// Waits until so long after a moment.
    pub(crate) async fn pause_since(&self, moment: DateTime<Utc>, time: Duration) -> bool {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        let until = moment.checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = self.clock.reach(until) => true,
        }
    }

    /// A place among the running requests, in order of asking; `None` when
    /// the simulator stops.
    pub(crate) async fn take_slot(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            slot = self.slots.clone().acquire_owned() => slot.ok(),
            () = self.stop.cancelled() => None,
        }
    }

    /// A place among the running requests, if one is free at once.
    pub(crate) fn take_free_slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// A URL of ours for a path that starts with a slash.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Draws a still where it may block.
    pub(crate) async fn draw(&self, order: StillOrder) -> Result<Drawn, DrawError> {
        let artist = self.artist.clone();
        self.at_easel(move || artist.draw_still(&order)).await
    }

    /// Draws a person in a garment where it may block.
    pub(crate) async fn try_on(&self, order: TryOnOrder) -> Result<Drawn, DrawError> {
        let artist = self.artist.clone();
        self.at_easel(move || artist.draw_try_on(&order)).await
    }

    /// Films a clip where it may block.
    pub(crate) async fn film(&self, order: ClipOrder) -> Result<Drawn, DrawError> {
        let artist = self.artist.clone();
        self.at_easel(move || artist.film_clip(&order)).await
    }

    async fn at_easel<F>(&self, work: F) -> Result<Drawn, DrawError>
    where
        F: FnOnce() -> Result<Drawn, DrawError> + Send + 'static,
    {
        let permit = self.easels.clone().acquire_owned().await.map_err(DrawError::studio)?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(DrawError::studio)?
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
