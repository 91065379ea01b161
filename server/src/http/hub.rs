//! One place per process that learns what changed and tells every viewer: one Redis subscription and one question to
//! Postgres, however many are watching.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use domain::{GenerationId, generation::GenerationView};
use engine::{CHANGES_AT_ONCE, Engine, GENERATIONS_CHANNEL};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Changes kept for a slow viewer; one that is slower loads everything anew.
const KEPT_CHANGES: usize = 512;
/// Postgres is asked this often for changes whose message was lost.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// A generation that changed.
pub struct Change {
    /// As it is now.
    pub view: Arc<GenerationView>,
    /// Once this is told everything up to this version is: from here a viewer goes on that comes back. The view may be newer.
    pub told: i64,
}

/// Tells viewers what changed.
pub struct Hub {
    changes: broadcast::Sender<Arc<Change>>,
}

impl Hub {
    /// Starts listening; ends when `stop` fires.
    pub fn start(engine: Engine, stop: CancellationToken) -> Self {
        let (changes, _) = broadcast::channel(KEPT_CHANGES);
        let listener = Listener { engine, changes: changes.clone(), newest: None };
        tokio::spawn(async move {
            tokio::select! { () = listener.run() => {} () = stop.cancelled() => {} }
        });
        Self { changes }
    }

    /// Everything that changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }
}

struct Listener {
    engine: Engine,
    changes: broadcast::Sender<Arc<Change>>,
    /// The newest version that was told; none while nobody watches.
    newest: Option<i64>,
}

impl Listener {
    async fn run(mut self) {
        let mut messages = self.engine.queue().subscribe(GENERATIONS_CHANNEL);
        let mut ticks = tokio::time::interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut named = BTreeSet::new();
            tokio::select! {
                message = messages.recv() => match message {
                    Ok(text) => { named.extend(text.parse::<GenerationId>()); }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => { ticks.tick().await; }
                },
                _ = ticks.tick() => {}
            }
            // Several changes of one generation are one snapshot.
            while let Ok(text) = messages.try_recv() {
                named.extend(text.parse::<GenerationId>());
            }
            if self.changes.receiver_count() == 0 {
                self.newest = None;
                continue;
            }
            if let Err(error) = self.tell(named).await {
                tracing::warn!(%error, "changes could not be read for viewers");
            }
        }
    }

    /// Tells in the order of the versions, so that nobody who goes on from one misses what came before it.
    async fn tell(&mut self, mut named: BTreeSet<GenerationId>) -> Result<(), engine::Error> {
        let mut newest = match self.newest {
            Some(version) => version,
            None => self.engine.newest_version().await?,
        };
        // Always asked: a message that names one generation says nothing of another whose message was lost.
        loop {
            let changed = self.engine.changed_since(newest).await?;
            self.send(&changed).await?;
            for (id, version) in &changed {
                named.remove(id);
                newest = *version;
            }
            self.newest = Some(newest);
            if changed.len() < CHANGES_AT_ONCE {
                break;
            }
        }
        let named: Vec<(GenerationId, i64)> = named.into_iter().map(|id| (id, newest)).collect();
        self.send(&named).await
    }

    async fn send(&self, changed: &[(GenerationId, i64)]) -> Result<(), engine::Error> {
        let ids: Vec<GenerationId> = changed.iter().map(|(id, _)| *id).collect();
        let views = self.engine.views(&ids).await?.into_iter();
        let mut views: HashMap<GenerationId, GenerationView> = views.map(|view| (view.id, view)).collect();
        for (id, told) in changed {
            if let Some(view) = views.remove(id) {
                // Nobody left to tell is not an error.
                let _ = self.changes.send(Arc::new(Change { view: Arc::new(view), told: *told }));
            }
        }
        Ok(())
    }
}
