//! One place per process that learns what changed and tells every viewer: one Redis subscription and one question to
//! Postgres, however many are watching.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{GenerationId, generation::GenerationView};
use engine::{Engine, GENERATIONS_CHANNEL};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Changes kept for a slow viewer; one that is slower loads everything anew.
const KEPT_CHANGES: usize = 512;
/// Postgres is asked this often for changes whose message was lost.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Tells viewers what changed.
pub struct Hub {
    changes: broadcast::Sender<Arc<GenerationView>>,
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
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<GenerationView>> {
        self.changes.subscribe()
    }
}

struct Listener {
    engine: Engine,
    changes: broadcast::Sender<Arc<GenerationView>>,
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

    async fn tell(&mut self, named: BTreeSet<GenerationId>) -> Result<(), engine::Error> {
        // Always asked: a message that names one generation says nothing of another whose message was lost.
        let (missed, newest) = match self.newest {
            Some(version) => self.engine.changed_since(version).await?,
            None => (Vec::new(), self.engine.newest_version().await?),
        };
        let ids: BTreeSet<GenerationId> = named.into_iter().chain(missed).collect();
        for view in self.engine.views(&ids.into_iter().collect::<Vec<_>>()).await? {
            // Nobody left to tell is not an error.
            let _ = self.changes.send(Arc::new(view));
        }
        self.newest = Some(newest);
        Ok(())
    }
}
