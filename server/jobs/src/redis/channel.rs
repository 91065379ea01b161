//! Pub/sub: one Redis subscription per process and channel, however many receivers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fred::clients::SubscriberClient;
use fred::interfaces::{EventInterface, PubsubInterface};
use fred::types::Message;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// How many messages a slow receiver may fall behind before it loses the oldest.
const BACKLOG: usize = 1_024;
/// Subscriptions are repeated this often: a round trip that shows a dead connection.
const REFRESH: Duration = Duration::from_secs(15);

/// Who listens to what.
pub(crate) struct Channels {
    wanted: Mutex<HashMap<String, broadcast::Sender<String>>>,
    changed: Notify,
}

impl Channels {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { wanted: Mutex::new(HashMap::new()), changed: Notify::new() })
    }

    /// A receiver of everything published from about now on. `channel` is the full Redis name.
    pub(crate) fn subscribe(&self, channel: &str) -> broadcast::Receiver<String> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        // Channels nobody listens to any more go when a new one comes.
        wanted.retain(|name, sender| name == channel || sender.receiver_count() > 0);
        let receiver = match wanted.get(channel) {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, receiver) = broadcast::channel(BACKLOG);
                wanted.insert(channel.to_owned(), sender);
                receiver
            }
        };
        self.changed.notify_one();
        receiver
    }

    fn wanted(&self) -> HashSet<String> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    fn deliver(&self, message: &Message) {
        let Ok(payload) = message.value.clone().convert::<String>() else { return };
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let channel: &str = &message.channel;
        if wanted.get(channel).is_some_and(|sender| sender.send(payload).is_err()) {
            wanted.remove(channel);
            self.changed.notify_one();
        }
    }

    /// Keeps what Redis sends us equal to what is wanted, until `closed`.
    pub(crate) async fn keep(self: Arc<Self>, client: SubscriberClient, closed: CancellationToken) {
        let mut messages = client.message_rx();
        let mut reconnects = client.reconnect_rx();
        let mut refresh = tokio::time::interval(REFRESH);
        let mut held = HashSet::new();
        loop {
            tokio::select! {
                () = closed.cancelled() => return,
                message = messages.recv() => match message {
                    Ok(message) => self.deliver(&message),
                    Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "redis messages came faster than they were read"),
                    Err(RecvError::Closed) => return,
                },
                _ = reconnects.recv() => {
                    held.clear();
                    self.settle(&client, &mut held).await;
                }
                () = self.changed.notified() => self.settle(&client, &mut held).await,
                _ = refresh.tick() => {
                    held.clear();
                    self.settle(&client, &mut held).await;
                }
            }
        }
    }

    async fn settle(&self, client: &SubscriberClient, held: &mut HashSet<String>) {
        let wanted = self.wanted();
        let missing: Vec<String> = wanted.difference(held).cloned().collect();
        let spare: Vec<String> = held.difference(&wanted).cloned().collect();
        if !missing.is_empty() {
            match client.subscribe(missing.clone()).await {
                Ok(()) => held.extend(missing),
                // Not kept in `held`: the reconnect or the next refresh tries again.
                Err(error) => tracing::debug!(%error, "subscribing to redis channels failed"),
            }
        }
        if !spare.is_empty() && client.unsubscribe(spare.clone()).await.is_ok() {
            for channel in &spare {
                held.remove(channel);
            }
        }
    }
}
