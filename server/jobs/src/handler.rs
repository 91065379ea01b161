//! What a kind of job does, and how it says what came of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Error, Job, Lease};

/// One run of a job by a worker.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The job.
    pub job: Job,
    /// The right to write about it.
    pub lease: Lease,
    /// Fires when a person asked to cancel, the lease was lost or the time is up: stop now.
    pub cancel: CancellationToken,
    /// Fires when the process shuts down: finish, park or give back soon.
    pub stopping: CancellationToken,
    /// How long the job waits after this run when it may work next time; drawn when the run begins.
    pub backoff: Duration,
}

impl Attempt {
    /// How long the job waits before its next run after a failure that costs an attempt, where it has one left.
    pub fn wait_after(&self, failure: &Failure) -> Duration {
        match failure.class {
            FailureClass::RateLimited { retry_after: Some(pause) } => pause.max(self.backoff),
            _ => self.backoff,
        }
    }
}

/// What a run came to when nothing went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The handler already made the transition through the lease, in its own transaction; dispatch these new jobs now.
    Committed {
        /// Jobs enqueued in that transaction.
        dispatch: Vec<Uuid>,
    },
    /// The runtime marks the job succeeded.
    Done,
    /// Wait without holding a slot; waking it or the instant makes it due. Costs no attempt.
    Park {
        /// When to look again at the latest.
        until: DateTime<Utc>,
    },
    /// Given back at once, not an attempt. Free while the process shuts down, an interruption otherwise.
    Release,
}

/// Why a run failed, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What follows.
    pub class: FailureClass,
    /// Stable machine word, e.g. `provider_refused`.
    pub code: String,
    /// For the operator; no secrets.
    pub message: String,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// May work next time: tried again after an exponential wait with full jitter.
    Transient,
    /// The provider asked to slow down: tried again no sooner than it said, and its whole group waits as long.
    RateLimited {
        /// The `Retry-After` of the answer.
        retry_after: Option<Duration>,
    },
    /// A part that every job needs is away: tried again after some seconds at no cost of an attempt, until the deadline.
    Outage,
    /// Will never work: no further attempt.
    Permanent,
    /// A person wanted it to end.
    Cancelled,
}

impl Failure {
    /// Code of a job that ran past its deadline.
    pub const TIMED_OUT: &'static str = "timed_out";
    /// Code of a job whose worker vanished three times without progress.
    pub const WORKER_CRASHED: &'static str = "worker_crashed";
    /// Code of a job whose handler panicked.
    pub const PANICKED: &'static str = "panicked";
    /// Code of a job whose payload its handler cannot read.
    pub const INVALID_PAYLOAD: &'static str = "invalid_payload";
    /// Code of a job a person cancelled.
    pub const CANCELLED: &'static str = "cancelled";

    /// May work next time.
    pub fn transient(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Transient, code, message)
    }

    /// A part that every job needs is away.
    pub fn outage(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Outage, code, message)
    }

    /// Will never work.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Permanent, code, message)
    }

    /// The provider asked to slow down.
    pub fn rate_limited(retry_after: Option<Duration>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FailureClass::RateLimited { retry_after }, code, message)
    }

    /// A person wanted it to end.
    pub fn cancelled() -> Self {
        Self::new(FailureClass::Cancelled, Self::CANCELLED, "cancelled on request")
    }

    fn new(class: FailureClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into() }
    }
}

/// An error of the queue inside a handler, so that `?` does what is right: what no retry can mend is permanent, a database
/// that is away costs no attempt, and anything else is tried again. After [`Error::LeaseLost`] the runtime writes nothing,
/// whatever the handler returns.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Payload { .. } => Self::permanent(Self::INVALID_PAYLOAD, message),
            Error::InvalidJob { .. } => Self::permanent("invalid_job", message),
            Error::Database(_) | Error::TimedOut if error.is_retryable() => Self::outage("database_away", message),
            _ => Self::transient("queue_error", message),
        }
    }
}

/// The same for what a handler asks the database itself.
impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Error::Database(error).into()
    }
}

/// What a kind of job does. Runs may repeat: everything before a committed write can happen again.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Runs the job once. Must return soon after `attempt.cancel` fires; a few seconds later the future is dropped.
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure>;

    /// Called inside the transaction that makes the job failed or cancelled for good, also when its worker crashed or
    /// its deadline passed. May enqueue; the returned ids are dispatched after the commit. Does nothing by default.
    ///
    /// # Errors
    /// An error, or a panic, rolls the end of the job back; the sweeper tries again.
    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, Error> {
        let _ = (tx, job, failure);
        Ok(Vec::new())
    }
}

#[async_trait]
impl<H: Handler + ?Sized> Handler for Arc<H> {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        (**self).run(attempt).await
    }

    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, Error> {
        (**self).give_up(tx, job, failure).await
    }
}
