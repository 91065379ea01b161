//! The product as seen: pages, components and server functions of the desk and the shop.
//!
//! Compiled twice: with `ssr` for the server, with `hydrate` for the browser (the desk only; the shop ships no WASM).

// Views are deep types.
#![recursion_limit = "256"]

pub mod api;
#[cfg(feature = "ssr")]
pub mod auth;
pub mod clock;
pub mod components;
pub mod error;
pub mod live;
pub mod pages;
pub mod query;
pub mod routes;
#[cfg(all(test, feature = "ssr"))]
mod sample;
pub mod shell;
pub mod wire;
pub mod words;

// Generated: not held to the rules of the house.
#[allow(missing_docs, clippy::all, clippy::expect_used, clippy::unwrap_used, clippy::panic)]
mod texts {
    include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));
}
pub use texts::i18n;

pub use error::AppError;
pub use routes::AdminApp;
#[cfg(feature = "ssr")]
pub use shell::admin_shell;
pub use shell::{Client, ShopZone};

/// Wakes the desk in the browser: takes over the HTML the server sent.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    leptos::mount::hydrate_body(AdminApp);
}
