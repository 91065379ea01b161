//! The words and rules both halves of Lookreel share.
//!
//! No I/O, no clock, no async: everything here compiles for the browser and for the server, and every value that
//! exists is a valid one (parse, don't validate).

mod calendar;
pub mod cost;
pub mod event_detail;
pub mod export;
pub mod failure;
pub mod generation;
pub mod id;
pub mod models;
pub mod money;
pub mod notice;
pub mod options;
pub mod page;
pub mod playback;
pub mod product;
pub mod queue;
pub mod scope;
pub mod state;
pub mod storage;
pub mod text;
pub mod timeline;
pub mod user;
pub mod video;

pub use failure::FailureCode;
pub use id::{
    CallId, DeliveryId, EndpointId, ExportId, GenerationId, NoticeId, PhotoId, ProductId, RequestKey, StillId, TokenId,
    TryonImageId, UserId, VideoId,
};
pub use money::MicroUsd;
pub use options::{ClipSeconds, FramesPerSecond, ModelType, Options, Recipe, Resolution};
pub use scope::Scope;
pub use state::{CallState, GenerationState, Stage, StageState};
pub use text::{LocalText, Locale};
