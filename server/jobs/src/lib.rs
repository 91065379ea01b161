//! A durable job queue: Postgres rows are the truth and the outbox, Redis only dispatches ids.
//!
//! Jobs are inserted in the caller's own transaction ([`enqueue`]), pushed to Redis after the commit
//! ([`Queue::dispatch`]) and run by a [`Worker`] under a fenced lease ([`Lease`]): whoever lost the lease cannot
//! write any more. Redis may be slow, wiped or gone: jobs wait in Postgres and are claimed from there.

mod error;
mod handler;
mod job;
mod lease;
mod limits;
mod pause;
mod queue;
mod redis;
mod schedule;
mod store;
mod trace;
mod worker;

pub use error::Error;
pub use handler::{Attempt, Failure, FailureClass, Handler, Outcome};
pub use job::{CancelRequest, Job, NewJob, enqueue, lock, request_cancel, wake};
pub use lease::Lease;
pub use limits::{Limit, Limits, Rate};
pub use pause::{Paused, Scope};
pub use queue::{Queue, QueueDepth, QueueHealth};
pub use redis::RedisSettings;
pub use schedule::Schedule;
pub use trace::{follow, trace_parent};
pub use worker::{Worker, WorkerSettings};
