#![doc = include_str!("../README.md")]

mod error;
mod handler;
mod job;
mod lease;
mod limits;
mod pause;
mod queue;
mod redis;
mod schedule;
mod schema;
mod status;
mod store;
pub mod trace;
mod worker;

pub use error::Error;
pub use handler::{Attempt, Failure, FailureClass, Handler, Outcome};
pub use job::{CancelRequest, Job, NewJob, enqueue, enqueue_all, lock, request_cancel, wake};
pub use lease::Lease;
pub use limits::{Limit, Limits, Rate};
pub use pause::{Paused, Scope};
pub use queue::{Queue, QueueDepth, QueueHealth};
pub use redis::RedisSettings;
pub use schedule::Schedule;
pub use schema::migrate;
pub use status::{JobState, JobStatus, LiveJob, live};
pub use worker::{Worker, WorkerSettings};
