//! Pages: the desk's and the shop's.

pub mod admin;
#[cfg(feature = "ssr")]
pub mod plain;
#[cfg(feature = "ssr")]
pub mod shop;
