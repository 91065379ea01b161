//! What goes over the wire: against a stub that answers as the vendors' documents say or breaks off, and against the
//! simulator with its own prices and its own bill.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod check;
mod endpoints;
mod fal;
mod fetch;
mod gemini;
mod makers;
mod models;
mod simulator;
mod stub;
mod webhook;
