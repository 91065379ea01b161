//! What happened to a generation, in order: the timeline, and the words events are stored by.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{FailureCode, MicroUsd, Stage};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
    /// What, as a word of [`EventKind`].
    pub kind: EventKind,
    /// The stage it belongs to.
    pub stage: Option<Stage>,
    /// Who, when a person did it.
    pub actor: Option<String>,
    /// A failure code, for retries and failures.
    pub failure: Option<FailureCode>,
    /// An amount, where money moved.
    pub amount: Option<MicroUsd>,
    /// Raw detail (request id, tool output), shortened.
    pub detail: Option<String>,
}

/// What can happen to a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A person clicked.
    Requested,
    /// It is the retry of another; the detail is the id of that one.
    RetriedFrom,
    /// A retry takes over what a stage of the other paid for.
    StageReused,
    /// A retry takes over one of the stills the other paid for; the other still is made anew.
    StillReused,
    /// A stage began.
    StageStarted,
    /// A stage ended well.
    StageDone,
    /// A paid request was taken by the provider.
    CallSubmitted,
    /// A paid request ended well.
    CallDone,
    /// A paid request ended without a result.
    CallFailed,
    /// No answer came to a paid request.
    CallInDoubt,
    /// A paid request was made again by policy.
    CallRepeated,
    /// The provider's bill is not what our price list says; the detail has both.
    BilledOtherwise,
    /// A stage goes on with another model before anything of it was paid; the detail names both.
    RouteSwitched,
    /// A try failed, another follows.
    RetryScheduled,
    /// Work went on after a worker was lost.
    Resumed,
    /// A person asked to stop.
    CancelRequested,
    /// It ended well.
    Completed,
    /// It ended without a video.
    Failed,
    /// A person stopped it.
    Cancelled,
    /// A person retried it; the detail is the id of the retry.
    RetriedAs,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Requested,
        Self::RetriedFrom,
        Self::StageReused,
        Self::StillReused,
        Self::StageStarted,
        Self::StageDone,
        Self::CallSubmitted,
        Self::CallDone,
        Self::CallFailed,
        Self::CallInDoubt,
        Self::CallRepeated,
        Self::BilledOtherwise,
        Self::RouteSwitched,
        Self::RetryScheduled,
        Self::Resumed,
        Self::CancelRequested,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::RetriedAs,
    ];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::RetriedFrom => "retried_from",
            Self::StageReused => "stage_reused",
            Self::StillReused => "still_reused",
            Self::StageStarted => "stage_started",
            Self::StageDone => "stage_done",
            Self::CallSubmitted => "call_submitted",
            Self::CallDone => "call_done",
            Self::CallFailed => "call_failed",
            Self::CallInDoubt => "call_in_doubt",
            Self::CallRepeated => "call_repeated",
            Self::BilledOtherwise => "billed_otherwise",
            Self::RouteSwitched => "route_switched",
            Self::RetryScheduled => "retry_scheduled",
            Self::Resumed => "resumed",
            Self::CancelRequested => "cancel_requested",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::RetriedAs => "retried_as",
        }
    }

    /// Reads a stored word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
