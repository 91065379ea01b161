//! Where bytes live: any S3 (AWS, R2, MinIO) or the embedded endpoint, through one client.
//!
//! The key layout lives in this crate only ([`Key`]); everybody else holds keys and never builds one. Objects are
//! immutable: a key is written once with its final bytes, so every object may be cached for ever.

pub mod embedded;
mod error;
mod key;
mod lifecycle;
mod object;
mod settings;
mod store;
mod upload;

pub use error::Error;
pub use key::{Extension, InvalidKey, Key};
pub use lifecycle::LifecycleRule;
pub use object::{ByteRange, Listed, Object, ObjectInfo, StoredObject};
pub use settings::Settings;
pub use store::Store;
