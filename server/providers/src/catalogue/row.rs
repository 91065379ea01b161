//! One row of the catalogue: one version of one model.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::MicroUsd;
use serde::{Deserialize, Serialize};

use super::{DurationCodec, InputMapping, NoPrice, OutputMapping, PriceRule, Unit};
use crate::{Bought, ClipOrder, ModelRef, Order, Provider};

/// What a model makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A still of somebody wearing the garment, by a prompt.
    Still,
    /// A still of a given person wearing the garment.
    TryOn,
    /// A clip between two stills.
    Transition,
    /// A clip from one still.
    Motion,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Still, Self::TryOn, Self::Transition, Self::Motion];

    /// The word in the file and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::TryOn => "try_on",
            Self::Transition => "transition",
            Self::Motion => "motion",
        }
    }

    /// It makes stills, not clips.
    pub const fn makes_stills(self) -> bool {
        matches!(self, Self::Still | Self::TryOn)
    }
}

/// What follows when a paid request was sent, no answer came, and the provider cannot be asked what became of it. Requests
/// that can be looked up are looked up first, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// A person decides.
    Ask,
    /// Buy again, below the price the owner sets: both are on the bill.
    Repeat,
}

/// What a model takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLimits {
    /// Pictures in one request, that of the person included.
    pub photos_max: u32,
    /// Bytes of one picture.
    pub photo_max_bytes: usize,
    /// Media types it reads.
    pub photo_types: Vec<String>,
    /// Pixels the shorter side of a picture must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_min_side: Option<u32>,
}

/// One version of one model: what it takes, how it is asked and what it costs from a day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRow {
    /// Who runs it.
    pub provider: Provider,
    /// Its id there.
    pub id: String,
    /// What it makes; either kinds of stills or kinds of clips.
    pub roles: Vec<Role>,
    /// Name of this version of the price, kept with every call bought at it.
    pub price_version: String,
    /// First day (UTC) of this row.
    pub valid_from: NaiveDate,
    /// First day (UTC) this row is no longer in force; without one it is until a newer one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// First day (UTC) the provider, or the owner, no longer runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires_on: Option<NaiveDate>,
    /// Where the price was read.
    pub source: String,
    /// What to do with a lost answer that nobody can find.
    pub in_doubt: InDoubt,
    /// It needs a picture of the person who wears the garment.
    #[serde(default)]
    pub needs_person: bool,
    /// What it takes.
    pub limits: InputLimits,
    /// Which fields take what; for endpoints of fal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputMapping>,
    /// How it wants a length; clips only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<DurationCodec>,
    /// Where the file is in its answer; for endpoints of fal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputMapping>,
    /// The unit the provider's bill counts in; for endpoints of fal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What it costs.
    pub price: PriceRule,
}
