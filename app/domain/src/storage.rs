//! What is stored, and for how long.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::options::InvalidOption;

/// The longest time something is kept before it goes: ten years.
pub const KEEP_DAYS_MAX: u16 = 3_650;

/// How many days things are kept; 0 keeps them for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepDays {
    /// What providers made, after the generation ended.
    pub originals: u16,
    /// Renditions, HLS and exports, after nothing points to the video any more.
    pub videos: u16,
    /// Posters, after nothing points to the video any more.
    pub posters: u16,
}

impl Default for KeepDays {
    fn default() -> Self {
        Self { originals: 7, videos: 30, posters: 90 }
    }
}

impl KeepDays {
    /// Reads what was typed.
    ///
    /// # Errors
    /// Every field that is not a whole number from 0 to [`KEEP_DAYS_MAX`].
    pub fn parse(originals: &str, videos: &str, posters: &str) -> Result<Self, Vec<InvalidOption>> {
        let mut wrong = Vec::new();
        let mut days = |field: &str, text: &str| {
            let days = text.trim().parse::<u16>().ok().filter(|days| *days <= KEEP_DAYS_MAX);
            days.unwrap_or_else(|| {
                wrong.push(InvalidOption::new(field, "0..=3650"));
                0
            })
        };
        let keep = Self {
            originals: days("originals", originals),
            videos: days("videos", videos),
            posters: days("posters", posters),
        };
        if wrong.is_empty() { Ok(keep) } else { Err(wrong) }
    }
}

/// The page of storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageDesk {
    /// What there is, by part.
    pub parts: Vec<StoredPart>,
    /// What would be removed now, by part.
    pub due: Vec<StoredPart>,
    /// The rules.
    pub keep: KeepDays,
    /// Who set them and when; none while they are those of the settings.
    pub set: Option<(String, DateTime<Utc>)>,
}

/// Objects of one part of videos, or of what they are made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPart {
    /// `original`, `rendition`, `hls`, `poster`, `export` or `tryon_image`.
    pub part: String,
    /// How many.
    pub objects: u64,
    /// What they weigh.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_are_read_and_every_wrong_one_is_named() {
        assert_eq!(KeepDays::parse(" 7", "30", "90").unwrap(), KeepDays::default());
        assert_eq!(KeepDays::parse("0", "0", "3650").unwrap().posters, 3_650);
        let wrong = KeepDays::parse("-1", "3651", "soon").unwrap_err();
        assert_eq!(wrong.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["originals", "videos", "posters"]);
    }
}
