//! The queue on a real Postgres and a real Redis. Every test has its own database and its own namespace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancelling;
mod dispatching;
mod example;
mod failing;
mod leases;
mod lifecycle;
mod limits;
mod modes;
mod pausing;
mod races;
mod redis_loss;
mod slots;
mod stage;
mod stopping;
mod store;
mod sweeping;
mod upkeep;
