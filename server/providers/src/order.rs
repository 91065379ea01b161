//! What is bought: the part of a request its price follows from. Kept with the call, to check the bill.

use domain::{ClipSeconds, Resolution};
use serde::{Deserialize, Serialize};

/// What a call buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Order {
    /// One still.
    Still(StillOrder),
    /// One clip.
    Clip(ClipOrder),
}

impl From<StillOrder> for Order {
    fn from(order: StillOrder) -> Self {
        Self::Still(order)
    }
}

impl From<ClipOrder> for Order {
    fn from(order: ClipOrder) -> Self {
        Self::Clip(order)
    }
}

/// One still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StillOrder {
    /// Its size.
    #[serde(default)]
    pub size: StillSize,
    /// Pictures sent with it, that of the person included.
    pub pictures: u32,
}

/// One clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClipOrder {
    /// The length asked for; models of fixed lengths are asked for the next one they have, see [`Bought`].
    pub duration: ClipSeconds,
    /// Size.
    pub resolution: Resolution,
    /// Frames a second, for models that let one choose; the model's row says what is taken without a choice.
    #[serde(default)]
    pub fps: Option<u8>,
}

/// How large a still is, by the family's own names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StillSize {
    /// About one megapixel.
    #[default]
    #[serde(rename = "1K")]
    K1,
    /// About four megapixels.
    #[serde(rename = "2K")]
    K2,
    /// About sixteen megapixels.
    #[serde(rename = "4K")]
    K4,
}

impl StillSize {
    /// Every size, smallest first.
    pub const ALL: [Self; 3] = [Self::K1, Self::K2, Self::K4];

    /// The name as every vendor writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::K1 => "1K",
            Self::K2 => "2K",
            Self::K4 => "4K",
        }
    }
}

/// The length that is really bought: the shortest one the model makes that is not shorter than the one asked for. The
/// surplus is cut off later; the price follows this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    /// Length of the file to expect, in milliseconds. Shorter than asked only for models that make one fixed number of
    /// frames: their clips are slowed down.
    pub millis: u32,
    /// Frames of it, for models that count frames.
    pub frames: Option<u32>,
    /// Frames a second of it, for models that say.
    pub fps: Option<u8>,
}
