//! A generation as the desk shows it: one snapshot says everything a viewer needs, so that a reload, a reconnect or a
//! missed message loses nothing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    CallState, FailureCode, GenerationId, GenerationState, LocalText, MicroUsd, Options, ProductId, Stage, StageState,
    StillId,
    playback::PlaybackSummary,
    product::{Picture, VideoView},
};

pub use crate::timeline::{EventKind, TimelineEntry};

/// Progress marks in percent: what a finished stage is worth.
pub mod mark {
    /// Both stills are made.
    pub const STILLS: u8 = 33;
    /// The clip is stored.
    pub const CLIP: u8 = 66;
    /// The renditions are made.
    pub const ENCODED: u8 = 90;
    /// The video is on the product.
    pub const PUBLISHED: u8 = 100;
}

/// A generation with everything that is shown of it. Sent whole over server-sent events; `version` is the event id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationView {
    /// Identifier.
    pub id: GenerationId,
    /// Grows with every change; the id of the server-sent event.
    pub version: i64,
    /// The product it is for.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: LocalText,
    /// The product's first photo.
    pub product_photo: Option<Picture>,
    /// What was chosen.
    pub options: Options,
    /// Where it is.
    pub state: GenerationState,
    /// 0 to 100.
    pub progress: u8,
    /// The stages in order.
    pub stages: Vec<StageView>,
    /// Stills as far as they exist, start before end.
    pub stills: Vec<StillView>,
    /// The finished video.
    pub video: Option<VideoView>,
    /// Why it ended without a video.
    pub failure: Option<FailureView>,
    /// What is held for calls that have not ended.
    pub held: MicroUsd,
    /// What was paid.
    pub paid: MicroUsd,
    /// Which attempt the running stage is on, from 1, and how many there are.
    pub attempt: Attempts,
    /// When the next try is due, while one is waited for.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub next_try_at: Option<DateTime<Utc>>,
    /// A person has asked to stop it.
    pub cancel_requested: bool,
    /// Who clicked.
    pub requested_by: String,
    /// When it was clicked.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub finished_at: Option<DateTime<Utc>>,
    /// The generation it was retried from.
    pub retry_of: Option<GenerationId>,
    /// Its newest retry.
    pub retried_as: Option<GenerationId>,
}

impl GenerationView {
    /// A person has asked to stop it, and it has not ended yet.
    pub fn is_cancelling(&self) -> bool {
        self.cancel_requested && !self.state.is_final()
    }

    /// It ended without a video and nobody has retried it: only then a retry is offered.
    pub fn is_retryable(&self) -> bool {
        matches!(self.state, GenerationState::Failed | GenerationState::Cancelled) && self.retried_as.is_none()
    }
}

/// Which attempt of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// From 1.
    pub number: u16,
    /// At most so many.
    pub of: u16,
}

/// One node of the story line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageView {
    /// Which stage.
    pub stage: Stage,
    /// How far.
    pub state: StageState,
    /// When it began; none for one that is done because a retry took its results over.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub finished_at: Option<DateTime<Utc>>,
    /// What it cost so far.
    pub cost: MicroUsd,
    /// What it usually takes in seconds (p50, p95 of the last runs), once enough are known.
    pub usual_seconds: Option<(u32, u32)>,
    /// Measured percent inside the stage, only where it is measured (encode).
    pub percent: Option<u8>,
}

/// A wearing still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillView {
    /// Identifier.
    pub id: StillId,
    /// Which frame of the clip it is.
    pub frame: Frame,
    /// The picture.
    pub picture: Picture,
}

/// Which end of the clip a still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The first frame.
    Start,
    /// The last frame.
    End,
}

impl Frame {
    /// Both ends, first frame first.
    pub const ALL: [Self; 2] = [Self::Start, Self::End];

    /// Reads the word in the database.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frame| frame.as_str() == text)
    }

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// Why a generation ended without a video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureView {
    /// The code; the sentence is in the locales.
    pub code: FailureCode,
    /// The stage it ended in.
    pub stage: Option<Stage>,
    /// What the provider or a tool said, shortened and without secrets, for the details.
    pub detail: Option<String>,
}

/// A row of the history table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationRow {
    /// Identifier.
    pub id: GenerationId,
    /// The product it is for.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: LocalText,
    /// The product's first photo.
    pub product_photo: Option<Picture>,
    /// Where it is.
    pub state: GenerationState,
    /// 0 to 100.
    pub progress: u8,
    /// Why it ended without a video.
    pub failure: Option<FailureCode>,
    /// A person has asked to stop it.
    pub cancel_requested: bool,
    /// Who clicked.
    pub requested_by: String,
    /// When it was clicked.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub finished_at: Option<DateTime<Utc>>,
    /// What is held.
    pub held: MicroUsd,
    /// What was paid.
    pub paid: MicroUsd,
}

impl GenerationRow {
    /// A person has asked to stop it, and it has not ended yet.
    pub fn is_cancelling(&self) -> bool {
        self.cancel_requested && !self.state.is_final()
    }
}

/// A group of states for the filter chips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateGroup {
    /// Not final.
    Active,
    /// Completed.
    Completed,
    /// Failed.
    Failed,
    /// Cancelled.
    Cancelled,
}

impl StateGroup {
    /// Every chip in order.
    pub const ALL: [Self; 4] = [Self::Active, Self::Completed, Self::Failed, Self::Cancelled];

    /// The word in the address bar.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the address bar; an unknown word is no filter.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }
}

/// What the history shows: words in the address bar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationFilter {
    /// Words to find in product names and sku, or the beginning or end of an id (six characters or more).
    pub search: String,
    /// Only these states.
    pub group: Option<StateGroup>,
    /// Only those of the person who asks.
    pub mine: bool,
}

/// The page of one generation: the snapshot, its timeline and its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationDetail {
    /// The snapshot.
    pub view: GenerationView,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// Paid calls, oldest first.
    pub calls: Vec<CallView>,
    /// How its video is played.
    pub playback: Option<PlaybackSummary>,
}

/// One paid request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    /// The stage it belongs to.
    pub stage: Stage,
    /// Who was asked.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// Where it is.
    pub state: CallState,
    /// Why it ended without a result.
    pub failure: Option<FailureCode>,
    /// A later call took its place.
    pub was_repeated: bool,
    /// The provider's name for it.
    pub request_id: Option<String>,
    /// What was held for it.
    pub estimate: MicroUsd,
    /// What it cost, once it is known.
    pub cost: Option<MicroUsd>,
    /// When it was first about to be sent; before that, when it was planned.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub begun_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub finished_at: Option<DateTime<Utc>>,
}
