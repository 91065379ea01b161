//! The pictures: a product photo becomes a still of a figure wearing it, two
//! stills become a clip that moves from one pose to the other, one still a
//! clip in which it breathes.
//!
//! A garment is lifted off its backdrop ([`cutout`]), measured ([`shape`]),
//! fitted on a resting figure ([`garment`]) and bent with the figure's bones
//! ([`body`], [`mesh`]), so that its own pixels are what is seen. Somebody
//! else's picture of a person is measured too ([`silhouette`]) and dressed in
//! the same way.

mod artist;
mod body;
mod camera;
mod clip;
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
mod picture;
mod pose;
mod scene;
mod shape;
mod silhouette;
mod still;
mod try_on;
mod words;

use std::fmt::Display;

use bytes::Bytes;

pub(crate) use artist::Artist;
pub(crate) use cutout::LEAST_SIDE;
pub(crate) use picture::PictureFormat;

/// What a still shall show.
#[derive(Clone, Debug)]
pub(crate) struct StillWish {
    pub prompt: String,
    /// As in `3:4`.
    pub aspect_ratio: Option<String>,
    /// 0.5K, 1K, 2K or 4K.
    pub size: String,
    /// Without a ratio: that of the first picture instead of 3:4.
    pub keeps_ratio: bool,
}

/// A still to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct StillOrder {
    /// The pictures that came with the prompt, in order; one is the product.
    pub photos: Vec<Bytes>,
    pub wish: StillWish,
    /// Which take: each is a little different.
    pub variant: u64,
    pub format: PictureFormat,
}

/// A person to be dressed.
#[derive(Clone, Debug)]
pub(crate) struct TryOnOrder {
    pub person: Bytes,
    pub garment: Bytes,
    /// `tops`, `bottoms`, `one-pieces` or `auto`.
    pub category: &'static str,
    /// In pixels; as the person's picture when absent.
    pub size: Option<(u32, u32)>,
    pub variant: u64,
    pub format: PictureFormat,
}

/// What a clip looks like, whatever it shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClipPlan {
    /// From each still to the next, or of the only one.
    pub frames: Vec<u32>,
    /// Frames per second.
    pub fps: u32,
    pub frame: Frame,
    /// Whether there is a sound track; it is silent.
    pub has_sound: bool,
    /// How much a single still moves; 1 is usual.
    pub motion: f32,
}

/// How large a clip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// In the first still's ratio, the short side so many pixels.
    ShortSide(u32),
    /// 16:9 or 9:16, whichever is nearer, the short side so many pixels.
    Widescreen(u32),
    /// In pixels.
    Exactly(u32, u32),
}

/// A clip to be filmed.
#[derive(Clone, Debug)]
pub(crate) struct ClipOrder {
    pub stills: Vec<Bytes>,
    pub plan: ClipPlan,
    /// Decides every free choice.
    pub seed: u64,
}

/// A finished file.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub bytes: Bytes,
    pub width: u32,
    pub height: u32,
    content_type: &'static str,
    extension: &'static str,
}

impl Drawn {
    pub(crate) fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// A name for the so many-th file of a result.
    pub(crate) fn file_name(&self, index: usize) -> String {
        match index {
            0 => format!("output.{}", self.extension),
            index => format!("output_{index}.{}", self.extension),
        }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrawError {
    /// What came in is no picture one can work from.
    #[error("the picture cannot be used: {0}")]
    Input(String),
    /// What came in is smaller than [`LEAST_SIDE`].
    #[error("the picture is too small")]
    TooSmall,
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
        matches!(self, Self::Input(_) | Self::TooSmall)
    }

    /// Whether it is to blame for its size.
    pub(crate) fn is_too_small(&self) -> bool {
        matches!(self, Self::TooSmall)
    }
}
