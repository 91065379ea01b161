//! The product through its front door: the real binary, real Postgres, Redis, object store and ffmpeg, the simulator
//! as the providers. `DATABASE_URL` names a Postgres where databases may be made, `REDIS_URL` a Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod browser;
mod catalogue;
mod click;
mod clock;
mod config;
mod crash;
mod embed;
mod fence;
mod functions;
mod house;
mod journey;
mod media;
mod models;
mod outcome;
mod plain;
mod playback;
mod program;
mod queue;
mod redis;
mod refusal;
mod retry;
mod session;
mod shop;
mod steps;
mod store;
mod stream;
mod tap;
mod trace;
mod up;
mod village;
mod webhook;
mod wire;
