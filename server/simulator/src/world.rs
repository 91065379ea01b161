use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::desk::{FaultList, Invoice, MediaShelf, RequestBook};
use crate::draw::{Artist, ClipOrder, DrawError, StillOrder};
use crate::fal::WebhookSigner;
use crate::{Error, Settings};

/// Pictures drawn at the same time: each keeps a core busy.
const DRAWING_AT_ONCE: usize = 2;

/// Everything the routes and the runner share.
pub(crate) struct World {
    pub settings: Settings,
    pub base: Url,
    pub requests: RequestBook,
    pub invoice: Invoice,
    pub media: MediaShelf,
    pub faults: FaultList,
    pub signer: WebhookSigner,
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
        Ok(Self {
            requests: RequestBook::open(folder).map_err(failed)?,
            invoice: Invoice::open(folder).map_err(failed)?,
            media: MediaShelf::open(folder, settings.media_ttl_secs).map_err(failed)?,
            faults: FaultList::open(folder).map_err(failed)?,
            signer: WebhookSigner::from_seed(settings.seed),
            client: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(5))
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            artist: Arc::new(Artist::open(folder, settings.ffmpeg.clone(), settings.seed).map_err(failed)?),
            easels: Arc::new(Semaphore::new(DRAWING_AT_ONCE)),
            slots: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            base,
            settings,
        })
    }

    /// Waits; `false` when the simulator stops meanwhile.
    pub(crate) async fn pause(&self, time: Duration) -> bool {
        if time.is_zero() {
            return !self.stop.is_cancelled();
        }
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stop.cancelled() => false,
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

    /// A URL of ours for a path that starts with a slash.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Draws a still where it may block.
    pub(crate) async fn draw(&self, order: StillOrder) -> Result<Bytes, DrawError> {
        let artist = self.artist.clone();
        self.at_easel(move || artist.draw_still(&order)).await
    }

    /// Films a clip where it may block.
    pub(crate) async fn film(&self, order: ClipOrder) -> Result<Bytes, DrawError> {
        let artist = self.artist.clone();
        self.at_easel(move || artist.film_clip(&order)).await
    }

    async fn at_easel<F>(&self, work: F) -> Result<Bytes, DrawError>
    where
        F: FnOnce() -> Result<Bytes, DrawError> + Send + 'static,
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
