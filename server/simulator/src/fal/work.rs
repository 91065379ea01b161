use super::Source;
use crate::draw::{ClipPlan, PictureFormat, StillWish};
use crate::price::Charge;

/// A checked input: what is to be made, what it costs, how it is handed over.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub task: Task,
    pub charge: Charge,
    pub seed: Option<u64>,
    pub output: Output,
}

/// What is to be made.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Pictures from pictures and words.
    Edit { pictures: Vec<Source>, wish: StillWish, count: u32, format: PictureFormat },
    /// Pictures of a person wearing a garment.
    TryOn {
        person: Source,
        garment: Source,
        category: &'static str,
        size: TryOnSize,
        count: u32,
        format: PictureFormat,
    },
    /// A clip from one or more pictures.
    Clip { keyframes: Vec<Source>, plan: ClipPlan },
}

/// How large a try-on picture becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TryOnSize {
    /// In pixels, whatever the person's picture.
    Fixed(u32, u32),
    /// As the person's picture.
    AsPerson,
}

/// The shape of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// `images` and a `description`, each image with its size in pixels.
    DescribedImages { inline: bool },
    /// `images`, files only.
    Images { inline: bool },
    /// One `image` with its size in pixels.
    Image { inline: bool },
    /// A `video`.
    Video,
    /// A `video` and the `seed`.
    VideoAndSeed,
}
