//! What can go wrong in the queue itself; what goes wrong inside a job is a [`crate::Failure`].

use uuid::Uuid;

/// An error of the queue. Never holds a secret: Redis addresses are left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Postgres refused or was not reachable.
    #[error("the job tables could not be read or written: {0}")]
    Database(#[from] sqlx::Error),
    /// Postgres did not answer in time; what was asked may have happened or not.
    #[error("the job tables did not answer in time")]
    TimedOut,
    /// Redis refused a command, or did not answer in time.
    #[error("redis did not do what was asked: {0}")]
    Redis(String),
    /// Redis is known to be away; the command was not even tried.
    #[error("redis is not reachable")]
    RedisAway,
    /// The Redis address cannot be understood.
    #[error(
        "the redis address is not valid ({reason}); expected redis://, rediss://, redis-sentinel:// or redis-cluster://"
    )]
    RedisAddress {
        /// What the parser said, without the address.
        reason: String,
    },
    /// The name under which the queue lives in Redis cannot be one.
    #[error("the redis namespace is not valid: expected 1 to 100 characters without braces")]
    RedisNamespace,
    /// Redis may throw keys away when it is full, and with them waiting ids and slots.
    #[error("redis has maxmemory-policy {found}; set it to noeviction, any other policy silently drops queued work")]
    EvictionPolicy {
        /// The policy Redis reported.
        found: String,
    },
    /// Somebody else holds the job by now, or it has ended: stop, nothing may be written any more.
    #[error("the lease of job {job_id} was lost")]
    LeaseLost {
        /// The job that was taken away.
        job_id: Uuid,
    },
    /// A field of a new job is out of range.
    #[error("{field} of the job is not valid: expected {expected}")]
    InvalidJob {
        /// The field's name.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A job's payload is not what its handler expects.
    #[error("the payload of job {job_id} cannot be read: {reason}")]
    Payload {
        /// The job.
        job_id: Uuid,
        /// What the parser said.
        reason: String,
    },
    /// The tables could not be brought up to date.
    #[error("the job tables could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A schedule's words are no cron expression, or its job could not be made.
    #[error("schedule {name} is not valid: {reason}")]
    Schedule {
        /// The schedule.
        name: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// The same dedupe key or id kept appearing and vanishing while enqueuing.
    #[error("the job could not be enqueued: another one with the same key came and went at the same time")]
    Contended,
    /// The domain's own error inside [`crate::Handler::give_up`].
    #[error("the handler could not give the job up: {0}")]
    Handler(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps an error of the domain so that it can leave [`crate::Handler::give_up`].
    pub fn handler(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Handler(source.into())
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Database(source) => is_passing(source),
            Self::TimedOut | Self::Redis(_) | Self::RedisAway | Self::Contended => true,
            Self::RedisAddress { .. }
            | Self::RedisNamespace
            | Self::EvictionPolicy { .. }
            | Self::LeaseLost { .. }
            | Self::InvalidJob { .. }
            | Self::Payload { .. }
            | Self::Migration(_)
            | Self::Schedule { .. }
            | Self::Handler(_) => false,
        }
    }
}

/// Whether Postgres was away or full, or somebody else's work or a time limit came between. The codes are those of
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            let classes = ["08", "40", "53", "57"];
            // A lock that was not given in time; a transaction that was idle for too long.
            classes.iter().any(|class| code.starts_with(class)) || matches!(&*code, "55P03" | "25P03")
        }),
        _ => false,
    }
}
