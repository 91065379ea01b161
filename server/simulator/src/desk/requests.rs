use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use super::{off_thread, read_json, replace_json};

/// Where a request is. The wire shows `Cancelled` as completed with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RequestState {
    InQueue,
    InProgress,
    Completed,
    Cancelled,
}

impl RequestState {
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

/// What the result address answers once the request is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub status: u16,
    pub body: Value,
    /// The text beside `COMPLETED` when it failed.
    pub error: Option<String>,
    pub error_type: Option<String>,
}

/// Where to tell the end of a request, and whether that was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WebhookOrder {
    pub url: String,
    pub settled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogLine {
    pub message: String,
    pub timestamp: DateTime<Utc>,
    pub level: String,
    pub source: String,
}

impl LogLine {
    pub(crate) fn new(message: impl Into<String>, timestamp: DateTime<Utc>) -> Self {
        Self { message: message.into(), timestamp, level: "INFO".to_owned(), source: "USER".to_owned() }
    }
}

/// One accepted fal request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FalRequest {
    pub id: Uuid,
    pub endpoint: String,
    pub state: RequestState,
    pub accepted_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub webhook: Option<WebhookOrder>,
    pub invoice_id: Option<Uuid>,
    pub billable_units: Option<f64>,
    pub cancel_asked: bool,
    pub outcome: Option<Outcome>,
    pub logs: Vec<LogLine>,
    /// The words it asks with, for faults that look for a word.
    #[serde(default)]
    pub prompt: Option<String>,
    /// When it must have started, at the caller's wish.
    #[serde(default)]
    pub start_by: Option<DateTime<Utc>>,
    /// How long its files live, at the caller's wish.
    #[serde(default)]
    pub media_ttl_secs: Option<u64>,
}

/// Results are kept so long, and large ones so long.
const RESULT_KEPT: TimeDelta = TimeDelta::hours(1);
const LARGE_RESULT_KEPT: TimeDelta = TimeDelta::minutes(6);
const LARGE_RESULT_BYTES: usize = 10_000;

impl FalRequest {
    /// Whether the queue has forgotten it: results live an hour, large ones
    /// six minutes.
    pub(crate) fn is_forgotten(&self, now: DateTime<Utc>) -> bool {
        let (Some(ended), Some(outcome)) = (self.ended_at, &self.outcome) else { return false };
        let is_large = outcome.body.to_string().len() >= LARGE_RESULT_BYTES;
        now - ended >= if is_large { LARGE_RESULT_KEPT } else { RESULT_KEPT }
    }
}

/// Finished requests beyond this many are forgotten at the next start.
const KEPT_ON_START: usize = 5_000;

/// Every request ever accepted, in order of acceptance (ids are UUIDv7).
pub(crate) struct RequestBook {
    folder: PathBuf,
    requests: Arc<Mutex<BTreeMap<Uuid, FalRequest>>>,
    writing: tokio::sync::Mutex<()>,
    changes: watch::Sender<u64>,
}

impl RequestBook {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.join("requests");
        fs::create_dir_all(&folder)?;
        let mut requests = BTreeMap::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.ends_with(".request.json") {
                continue;
            }
            match read_json::<FalRequest>(&path) {
                Ok(Some(request)) => {
                    requests.insert(request.id, request);
                }
                Ok(None) => {}
                Err(error) => tracing::warn!("{} is not readable: {error}", path.display()),
            }
        }
        let book = Self {
            folder,
            requests: Arc::new(Mutex::new(requests)),
            writing: tokio::sync::Mutex::new(()),
            changes: watch::Sender::new(0),
        };
        book.forget_oldest()?;
        Ok(book)
    }

    /// Writes down a new request with its input; durable when this returns.
    pub(crate) async fn add(&self, request: FalRequest, input: Value) -> io::Result<()> {
        let _turn = self.writing.lock().await;
        let (input_path, path) = (self.input_path(request.id), self.request_path(request.id));
        let written = request.clone();
        off_thread(move || {
            replace_json(&input_path, &input)?;
            replace_json(&path, &written)
        })
        .await?;
        self.lock().insert(request.id, request);
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Changes a request, on disk first; `None` when it is unknown.
    pub(crate) async fn change(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut FalRequest) + Send,
    ) -> io::Result<Option<FalRequest>> {
        let _turn = self.writing.lock().await;
        let Some(mut request) = self.get(id) else { return Ok(None) };
        change(&mut request);
        let (path, written) = (self.request_path(id), request.clone());
        off_thread(move || replace_json(&path, &written)).await?;
        self.lock().insert(id, request.clone());
        self.changes.send_modify(|count| *count += 1);
        Ok(Some(request))
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<FalRequest> {
        self.lock().get(&id).cloned()
    }

    /// The input as it was submitted.
    pub(crate) async fn input(&self, id: Uuid) -> io::Result<Option<Value>> {
        let path = self.input_path(id);
        off_thread(move || read_json(&path)).await
    }

    /// All requests, oldest first.
    pub(crate) fn all(&self) -> Vec<FalRequest> {
        self.lock().values().cloned().collect()
    }

    /// The newest id.
    pub(crate) fn newest(&self) -> Option<Uuid> {
        self.lock().last_key_value().map(|(id, _)| *id)
    }

    /// How many requests run.
    pub(crate) fn running(&self) -> usize {
        self.lock().values().filter(|one| one.state == RequestState::InProgress).count()
    }

    /// How many requests wait before this one.
    pub(crate) fn position(&self, id: Uuid) -> usize {
        self.lock().range(..id).filter(|(_, one)| one.state == RequestState::InQueue).count()
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().values().filter(|one| one.state == RequestState::InQueue).count()
    }

    /// Ticks at every change of any request.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Uuid, FalRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_oldest(&self) -> io::Result<()> {
        let mut requests = self.lock();
        let surplus = requests.len().saturating_sub(KEPT_ON_START);
        let old: Vec<Uuid> =
            requests.values().filter(|one| one.state.is_over()).take(surplus).map(|one| one.id).collect();
        for id in old {
            requests.remove(&id);
            fs::remove_file(self.request_path(id))?;
            fs::remove_file(self.input_path(id))?;
        }
        Ok(())
    }

    fn request_path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.request.json"))
    }

    fn input_path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.input.json"))
    }
}
