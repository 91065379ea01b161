//! Server functions: who is it, parse, one call of the engine. Every one is a public endpoint and guards itself.

#[cfg(feature = "ssr")]
pub(crate) mod back;
pub mod costs;
pub mod frame;
pub mod generations;
pub mod models;
pub mod notices;
pub mod people;
pub mod preferences;
pub mod products;
pub mod queue;
pub mod storage;
pub mod videos;
