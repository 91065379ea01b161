//! Paid requests: planned with the click, written down before they are sent, closed with what they cost.

pub(crate) mod seen {
    pub(crate) mod store;
}
pub(crate) mod store;

use chrono::{DateTime, Utc};
use domain::{
    CallId, CallState, FailureCode, GenerationId, MicroUsd, Stage,
    generation::{Frame, mark},
};
use providers::{ModelRef, Order};

/// Which result a call is for: its place in the recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// The wearing still that becomes the first frame.
    StillStart,
    /// The wearing still that becomes the last frame.
    StillEnd,
    /// The clip between them.
    Clip,
}

impl Slot {
    const ALL: [Self; 3] = [Self::StillStart, Self::StillEnd, Self::Clip];

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.as_str() == text)
    }

    pub(crate) const fn still(frame: Frame) -> Self {
        match frame {
            Frame::Start => Self::StillStart,
            Frame::End => Self::StillEnd,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::StillStart => "still_start",
            Self::StillEnd => "still_end",
            Self::Clip => "clip",
        }
    }

    pub(crate) const fn stage(self) -> Stage {
        match self {
            Self::StillStart | Self::StillEnd => Stage::Stills,
            Self::Clip => Stage::Clip,
        }
    }

    /// Progress of a generation when nothing of this slot is there yet, in percent.
    pub(crate) const fn mark_before(self) -> u8 {
        match self {
            Self::StillStart | Self::StillEnd => 0,
            Self::Clip => mark::STILLS,
        }
    }

    pub(crate) const fn frame(self) -> Option<Frame> {
        match self {
            Self::StillStart => Some(Frame::Start),
            Self::StillEnd => Some(Frame::End),
            Self::Clip => None,
        }
    }
}

/// A call as the stages see it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) generation_id: GenerationId,
    pub(crate) slot: Slot,
    pub(crate) ordinal: i16,
    pub(crate) model: ModelRef,
    pub(crate) price_version: String,
    /// What it was bought as; none for calls of before that was written down.
    pub(crate) ordered: Option<Order>,
    pub(crate) state: CallState,
    pub(crate) estimate: MicroUsd,
    pub(crate) request_id: Option<String>,
    pub(crate) status_url: Option<String>,
    pub(crate) response_url: Option<String>,
    pub(crate) cancel_url: Option<String>,
    pub(crate) intent_at: Option<DateTime<Utc>>,
    pub(crate) submitted_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub(crate) failure: Option<FailureCode>,
    /// What the provider said, where it failed or is in doubt.
    pub(crate) detail: Option<String>,
}

/// A call to be planned.
pub(crate) struct NewCall {
    pub(crate) id: CallId,
    pub(crate) generation_id: GenerationId,
    pub(crate) slot: Slot,
    pub(crate) ordinal: i16,
    pub(crate) model: ModelRef,
    pub(crate) price_version: String,
    pub(crate) ordered: Option<Order>,
    pub(crate) estimate: MicroUsd,
}
