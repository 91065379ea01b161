//! The pictures: a product photo becomes a still of a figure wearing it, two
//! stills become a clip that moves from one pose to the other.
//!
//! A garment is lifted off its backdrop ([`cutout`]), measured ([`shape`]),
//! fitted on a resting figure ([`garment`]) and bent with the figure's bones
//! ([`body`], [`mesh`]), so that its own pixels are what is seen.

mod artist;
mod body;
mod cutout;
mod figure;
mod film;
mod garment;
mod geometry;
mod head;
mod likeness;
mod look;
mod mesh;
mod motion;
mod path;
mod pose;
mod scene;
mod shape;
mod words;

use std::fmt::Display;

use bytes::Bytes;

pub(crate) use artist::Artist;

/// A still to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct StillOrder {
    /// The pictures that came with the prompt, in order; one is the product.
    pub photos: Vec<Bytes>,
    pub prompt: String,
    /// As in `3:4`; the photo's usual 3:4 when absent.
    pub aspect_ratio: Option<String>,
    /// 1K, 2K or 4K.
    pub size: String,
}

/// A clip to be filmed.
#[derive(Clone, Debug)]
pub(crate) struct ClipOrder {
    pub stills: Vec<Bytes>,
    /// Seconds from each still to the next.
    pub seconds: Vec<u64>,
    /// Short side 1080 pixels instead of 720.
    pub full_hd: bool,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrawError {
    /// What came in is no picture one can work from.
    #[error("the picture cannot be used: {0}")]
    Input(String),
    /// Something here failed.
    #[error("the studio failed: {0}")]
    Studio(String),
}

impl DrawError {
    pub(crate) fn input(cause: impl Display) -> Self {
        Self::Input(cause.to_string())
    }

    pub(crate) fn studio(cause: impl Display) -> Self {
        Self::Studio(cause.to_string())
    }

    /// Whether the caller's picture is to blame.
    pub(crate) fn is_input(&self) -> bool {
        matches!(self, Self::Input(_))
    }
}
