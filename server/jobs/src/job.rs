//! The job as its caller and its handler see it.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, store, trace};

/// A job to be enqueued.
///
/// ```
/// # use serde_json::json;
/// let job = jobs::NewJob::new("welcome", "mail", json!({ "address": "ada@example.com" }))
///     .priority(100)
///     .max_attempts(5)
///     .dedupe_key("welcome ada@example.com");
/// # assert_eq!(job.max_attempts, 5);
/// ```
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Chosen by the caller (UUIDv7, so that ids sort by time); enqueuing the same id twice is one job.
    pub id: Uuid,
    /// Names the [`crate::Handler`], 1 to 100 characters.
    pub kind: String,
    /// Slots and rate are counted per group: `provider/model`, or `local`. 1 to 200 printable characters.
    pub group: String,
    /// On whose behalf, for limits and lists.
    pub owner: Option<Uuid>,
    /// 0 to 1023, lower first; every step is worth a second of waiting.
    pub priority: u16,
    /// Not before this instant. The database's clock decides; an instant in the past means at once.
    pub run_at: DateTime<Utc>,
    /// How many times the handler may fail before the job does, 1 to 100. Interruptions and parking do not count.
    pub max_attempts: u16,
    /// From the first start to the end, parked time and retries included; at most 30 days.
    pub run_timeout: Duration,
    /// What the handler needs; keep it small and refer to large inputs.
    pub payload: Value,
    /// At most one live job carries a key.
    pub dedupe_key: Option<String>,
    /// What it may be paused by, besides its kind and group; 1 to 200 characters.
    pub label: Option<String>,
    /// W3C `traceparent` of the request that enqueues; [`NewJob::new`] takes that of the span it is called in.
    pub trace_parent: Option<String>,
}

impl NewJob {
    /// A job that may run at once: 3 attempts, 10 minutes, middle priority.
    pub fn new(kind: impl Into<String>, group: impl Into<String>, payload: Value) -> Self {
        Self {
            id: Uuid::now_v7(),
            kind: kind.into(),
            group: group.into(),
            owner: None,
            priority: 512,
            // The past, not this machine's idea of now.
            run_at: DateTime::UNIX_EPOCH,
            max_attempts: 3,
            run_timeout: Duration::from_secs(600),
            payload,
            dedupe_key: None,
            label: None,
            trace_parent: trace::parent(),
        }
    }

    /// The job that comes after another one: on behalf of the same owner, with its label and trace.
    pub fn after(job: &Job, kind: impl Into<String>, group: impl Into<String>, payload: Value) -> Self {
        let next = Self::new(kind, group, payload);
        let trace_parent = next.trace_parent.clone().or_else(|| job.trace_parent.clone());
        Self { owner: job.owner, label: job.label.clone(), trace_parent, ..next }
    }

    /// The same with an id of the caller's.
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The same on somebody's behalf.
    pub fn owner(mut self, owner: Uuid) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The same with another priority: 0 to 1023, lower first.
    pub fn priority(mut self, priority: u16) -> Self {
        self.priority = priority;
        self
    }

    /// The same, not before an instant.
    pub fn run_at(mut self, run_at: DateTime<Utc>) -> Self {
        self.run_at = run_at;
        self
    }

    /// The same with so many attempts: 1 to 100.
    pub fn max_attempts(mut self, max_attempts: u16) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// The same with another time from the first start to the end: at most 30 days.
    pub fn run_timeout(mut self, run_timeout: Duration) -> Self {
        self.run_timeout = run_timeout;
        self
    }

    /// The same with a key that at most one live job carries.
    pub fn dedupe_key(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// The same with a label that it may be paused by: 1 to 200 characters.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |field, expected| Err(Error::InvalidJob { field, expected });
        if self.kind.is_empty() || self.kind.chars().count() > 100 {
            return refuse("kind", "1 to 100 characters");
        }
        let length = self.group.chars().count();
        if length == 0 || length > 200 || self.group.chars().any(char::is_control) {
            return refuse("group", "1 to 200 printable characters");
        }
        if self.label.as_ref().is_some_and(|label| !(1..=200).contains(&label.chars().count())) {
            return refuse("label", "1 to 200 characters");
        }
        if self.priority > 1023 {
            return refuse("priority", "0 to 1023");
        }
        if !(1..=100).contains(&self.max_attempts) {
            return refuse("max_attempts", "1 to 100");
        }
        if self.run_timeout < Duration::from_millis(1) || self.run_timeout > Duration::from_secs(30 * 24 * 3600) {
            return refuse("run_timeout", "1 ms to 30 days");
        }
        Ok(())
    }
}

/// A job as its handler sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// The id it was enqueued with.
    pub id: Uuid,
    /// Names the handler.
    pub kind: String,
    /// What its slots and rate are counted under.
    pub group: String,
    /// On whose behalf.
    pub owner: Option<Uuid>,
    /// What the caller stored.
    pub payload: Value,
    /// The attempt that is running or ran last, from 1; 0 if it never started.
    pub attempt: u16,
    /// How many there may be.
    pub max_attempts: u16,
    /// Times it was taken from a worker that stopped renewing, since its last progress.
    pub interruptions: u16,
    /// Where the handler last said it was ([`crate::Lease::checkpoint`]).
    pub step: Option<String>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it must have ended; unknown until it first starts.
    pub deadline_at: Option<DateTime<Utc>>,
    /// When its first attempt started.
    pub first_started_at: Option<DateTime<Utc>>,
    /// What it may be paused by, besides its kind and group.
    pub label: Option<String>,
    /// W3C `traceparent` of the request that enqueued it.
    pub trace_parent: Option<String>,
}

impl Job {
    /// The payload as what the handler expects. `?` on it ends the job with [`crate::Failure::INVALID_PAYLOAD`]: no
    /// retry would read it better.
    ///
    /// # Errors
    /// [`Error::Payload`].
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.payload).map_err(|error| Error::Payload { job_id: self.id, reason: error.to_string() })
    }
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelRequest {
    /// It was waiting and is now cancelled; its handler is not called, the caller does what that means for the domain.
    Gone,
    /// It is running: its token fires within a second and its handler's `give_up` follows.
    Asked,
    /// It has already ended, or there is no such job.
    Final,
}

/// Enqueues inside the caller's transaction. A live job with the same dedupe key (or the same id) is returned instead.
///
/// After the commit give the id to [`crate::Queue::dispatch`]; if that never happens the reconciler finds it within a
/// second.
///
/// # Errors
/// [`Error::InvalidJob`] for a field out of range, [`Error::Database`], [`Error::Contended`].
pub async fn enqueue(tx: &mut PgConnection, job: &NewJob) -> Result<Uuid, Error> {
    job.check()?;
    // The twin may end between the insert that met it and the look at it: then there is room again.
    for _ in 0..5 {
        if let Some(row) = store::insert(&mut *tx, job, false).await? {
            return Ok(row.id);
        }
        if let Some(id) = store::find_twin(tx, job.id, job.dedupe_key.as_deref()).await? {
            return Ok(id);
        }
    }
    Err(Error::Contended)
}

/// The same for many jobs in one statement, at most 1,000. Answers their ids in the same order.
///
/// # Errors
/// As for [`enqueue`].
pub async fn enqueue_all(tx: &mut PgConnection, jobs: &[NewJob]) -> Result<Vec<Uuid>, Error> {
    jobs.iter().try_for_each(NewJob::check)?;
    let inserted: HashSet<Uuid> = match jobs {
        [] => return Ok(Vec::new()),
        jobs => store::insert_all(&mut *tx, jobs, false).await?.into_iter().map(|row| row.id).collect(),
    };
    let mut ids = Vec::with_capacity(jobs.len());
    for job in jobs {
        let is_new = inserted.contains(&job.id);
        ids.push(if is_new { job.id } else { enqueue(tx, job).await? });
    }
    Ok(ids)
}

/// Holds a job's row, whatever its state, until the transaction ends: for whoever goes on to lock rows of its own and must
/// do so in the order in which a running job's handler does. False when there is no such job.
///
/// # Errors
/// [`Error::Database`].
pub async fn lock(tx: &mut PgConnection, job_id: Uuid) -> Result<bool, Error> {
    Ok(store::lock(tx, job_id).await?)
}

/// Makes a parked or queued job due now (a webhook arrived). Dispatch the id after the commit.
///
/// Returns false if it was not waiting. A job that is running at that moment remembers the wake: if it parks, it is due
/// at once.
///
/// # Errors
/// [`Error::Database`].
pub async fn wake(tx: &mut PgConnection, job_id: Uuid) -> Result<bool, Error> {
    Ok(store::wake(tx, job_id).await?)
}

/// Cancels a waiting job, or asks a running one to stop.
///
/// # Errors
/// [`Error::Database`].
pub async fn request_cancel(tx: &mut PgConnection, job_id: Uuid) -> Result<CancelRequest, Error> {
    Ok(match store::request_cancel(tx, job_id).await? {
        None => CancelRequest::Final,
        Some(state) if state == "running" => CancelRequest::Asked,
        Some(_) => CancelRequest::Gone,
    })
}
