use image::{RgbImage, imageops};
use serde::{Deserialize, Serialize};

/// Pixels on each side of a likeness.
const SIDE: u32 = 24;
/// Two pictures whose likenesses differ by less, on average over all channels, are one picture in two encodings.
const SAME: f32 = 2.0;

/// How a picture looks when it is very small: the same after it was encoded again, another for another pose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Likeness(Vec<u8>);

impl Likeness {
    pub(super) fn of(picture: &RgbImage) -> Self {
        Self(imageops::resize(picture, SIDE, SIDE, imageops::FilterType::Triangle).into_raw())
    }

    /// Mean difference per channel, from 0 to 255.
    fn distance(&self, other: &Self) -> f32 {
        let sum: u32 = self.0.iter().zip(&other.0).map(|(one, two)| u32::from(one.abs_diff(*two))).sum();
        sum as f32 / self.0.len().max(1) as f32
    }

    /// The nearest of many, if it is the same picture.
    pub(super) fn nearest<T>(&self, many: impl Iterator<Item = (Self, T)>) -> Option<T> {
        many.map(|(likeness, thing)| (self.distance(&likeness), thing))
            .filter(|(distance, _)| *distance < SAME)
            .min_by(|(one, _), (two, _)| one.total_cmp(two))
            .map(|(_, thing)| thing)
    }
}
