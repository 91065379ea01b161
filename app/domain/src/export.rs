//! Exports: a video in the shape of another place, for a marketplace or an advertisement.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ExportId, FailureCode, options::InvalidOption};

/// The shape of an export, as width to height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shape {
    /// 1:1.
    #[serde(rename = "1:1")]
    Square,
    /// 4:5, the tallest post of a feed.
    #[serde(rename = "4:5")]
    Feed,
    /// 9:16, a whole phone.
    #[serde(rename = "9:16")]
    Story,
    /// 16:9, a television.
    #[serde(rename = "16:9")]
    Wide,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 4] = [Self::Square, Self::Feed, Self::Story, Self::Wide];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Square => "1:1",
            Self::Feed => "4:5",
            Self::Story => "9:16",
            Self::Wide => "16:9",
        }
    }

    /// Width and height in the smallest whole numbers.
    pub const fn ratio(self) -> (u32, u32) {
        match self {
            Self::Square => (1, 1),
            Self::Feed => (4, 5),
            Self::Story => (9, 16),
            Self::Wide => (16, 9),
        }
    }

    /// Reads the word on the wire.
    ///
    /// # Errors
    /// [`InvalidOption`] for any other word.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        let found = Self::ALL.into_iter().find(|shape| shape.as_str() == text);
        found.ok_or_else(|| InvalidOption::new("shape", "1:1|4:5|9:16|16:9"))
    }
}

/// What becomes of a picture that does not have the shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// What stands over is cut off, around the focal point.
    #[default]
    Crop,
    /// All of it is shown, on a blurred copy of itself.
    Blur,
}

impl Fit {
    /// Every fit.
    pub const ALL: [Self; 2] = [Self::Crop, Self::Blur];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Blur => "blur",
        }
    }

    /// Reads the word on the wire.
    ///
    /// # Errors
    /// [`InvalidOption`] for any other word.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        let found = Self::ALL.into_iter().find(|fit| fit.as_str() == text);
        found.ok_or_else(|| InvalidOption::new("fit", "crop|blur"))
    }
}

/// What stays in the picture when it is cut: percent of the width from the left and of the height from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Focus {
    x: u8,
    y: u8,
}

impl Focus {
    /// The middle, a third from the top: where people are.
    pub const DEFAULT: Self = Self { x: 50, y: 33 };

    /// A point of the picture.
    ///
    /// # Errors
    /// [`InvalidOption`] names the side that is not 0 to 100.
    pub fn new(x: i64, y: i64) -> Result<Self, InvalidOption> {
        let percent = |field: &str, value: i64| {
            let whole = u8::try_from(value).ok().filter(|percent| *percent <= 100);
            whole.ok_or_else(|| InvalidOption::new(field, "0..=100"))
        };
        Ok(Self { x: percent("focus_x", x)?, y: percent("focus_y", y)? })
    }

    /// Percent of the width, from the left.
    pub const fn x(self) -> u8 {
        self.x
    }

    /// Percent of the height, from the top.
    pub const fn y(self) -> u8 {
        self.y
    }
}

impl Default for Focus {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExportOptions {
    /// The shape.
    pub shape: Shape,
    /// How the picture is brought into it.
    pub fit: Fit,
    /// What stays in the picture.
    pub focus: Focus,
}

/// Where an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// Asked for; its job waits or runs.
    Queued,
    /// It can be downloaded.
    Done,
    /// It could not be made.
    Failed,
}

impl ExportState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Reads the word of the database; anything else is a failure.
    pub fn parse(text: &str) -> Self {
        match text {
            "queued" => Self::Queued,
            "done" => Self::Done,
            _ => Self::Failed,
        }
    }
}

/// An export as the desk shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportView {
    /// Identifier.
    pub id: ExportId,
    /// What was asked for.
    pub options: ExportOptions,
    /// Where it is.
    pub state: ExportState,
    /// Measured percent while it is made; none while it waits.
    pub percent: Option<u8>,
    /// Somebody asked to stop it, and its end has not come yet.
    pub is_cancelling: bool,
    /// Why it could not be made; [`FailureCode::Cancelled`] when a person stopped it.
    pub failure: Option<FailureCode>,
    /// The file, once it is there.
    pub file: Option<ExportFile>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub requested_at: DateTime<Utc>,
}

/// The file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFile {
    /// Address, signed for some hours.
    pub url: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Length of the file.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for shape in Shape::ALL {
            assert_eq!(Shape::parse(shape.as_str()), Ok(shape));
            assert_eq!(serde_json::to_value(shape).unwrap(), shape.as_str());
        }
        for fit in Fit::ALL {
            assert_eq!(Fit::parse(fit.as_str()), Ok(fit));
        }
        assert_eq!(Shape::parse("3:4").unwrap_err().field, "shape");
        assert_eq!(Fit::parse("").unwrap_err().field, "fit");
        for state in [ExportState::Queued, ExportState::Done, ExportState::Failed] {
            assert_eq!(ExportState::parse(state.as_str()), state);
        }
    }

    #[test]
    fn a_focus_lies_in_the_picture() {
        let focus = Focus::new(0, 100).unwrap();
        assert_eq!((focus.x(), focus.y()), (0, 100));
        assert_eq!(Focus::new(101, 0).unwrap_err().field, "focus_x");
        assert_eq!(Focus::new(0, -1).unwrap_err().field, "focus_y");
    }
}
