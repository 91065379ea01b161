//! The use-cases and the stages on a real Postgres, Redis, object store and ffmpeg; only the providers are simulated.
//! Every test has a shop of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api_store;
mod cancelling;
mod catalogue;
mod clip_faults;
mod crashes;
mod exports;
mod faults;
mod journey;
mod limits;
mod outages;
mod outgoing;
mod pages;
mod pausing;
mod people;
mod policies;
mod queued_stills;
mod recipes;
mod retention;
mod retries;
mod routes;
mod routines;
mod shop;
mod still_faults;
mod store;
mod tokens;
mod uploaded;
mod webhooks;
