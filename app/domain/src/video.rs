//! A finished video as the desk shows it by itself: its files, its poster, its colours, its exports.

use serde::{Deserialize, Serialize};

use crate::{
    FailureCode, GenerationId, LocalText, ProductId, export::ExportView, generation::Frame, playback::PlaybackSummary,
    product::VideoView,
};

/// Moments a poster may be chosen from on the desk, evenly over the video: the pictures of its strip.
pub const POSTER_MOMENTS: u32 = 8;

/// The page of one video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoDesk {
    /// The video.
    pub video: VideoView,
    /// The product it is of.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: LocalText,
    /// The generation that made it.
    pub generation_id: GenerationId,
    /// Whether shoppers see it now.
    pub is_published: bool,
    /// The moment its poster was chosen from, in milliseconds; none while it is the program's choice.
    pub poster_at_ms: Option<u32>,
    /// A poster is being made.
    pub is_poster_coming: bool,
    /// Why the last one that was chosen is not there.
    pub poster_failure: Option<FailureCode>,
    /// The moments of the pictures in its strip, in milliseconds: what a poster can be chosen from.
    pub moments_ms: Vec<u32>,
    /// How far the product's colour is from what the stills and the clip show.
    pub colours: Vec<ColourDistance>,
    /// How it is played.
    pub playback: PlaybackSummary,
    /// Its exports, newest first.
    pub exports: Vec<ExportView>,
}

/// How far the main colour of the product's photo is from the nearest colour of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColourDistance {
    /// Which picture.
    pub of: Pictured,
    /// CIEDE2000, in hundredths.
    pub hundredths: u32,
}

/// What was held against the product's photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pictured {
    /// A still.
    Still(Frame),
    /// The clip: the middle one of its frames, by distance.
    Clip,
}

/// What a distance means to somebody who looks: CIEDE2000 below 2.3 is hardly seen, above 10 it is another colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourVerdict {
    /// The colour is the product's.
    Same,
    /// Seen by who compares.
    Near,
    /// Another colour.
    Other,
}

impl ColourDistance {
    /// What it means.
    pub const fn verdict(self) -> ColourVerdict {
        match self.hundredths {
            0..=499 => ColourVerdict::Same,
            500..=999 => ColourVerdict::Near,
            _ => ColourVerdict::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_said_in_words() {
        let verdict = |hundredths| ColourDistance { of: Pictured::Clip, hundredths }.verdict();
        assert_eq!([0, 499, 500, 999, 1_000].map(verdict), {
            use ColourVerdict::{Near, Other, Same};
            [Same, Same, Near, Near, Other]
        });
    }
}
