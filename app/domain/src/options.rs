//! What a person may choose before a click, and nothing else.

use serde::{Deserialize, Serialize};

use crate::generation::Frame;

/// A choice that is out of range: which field, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{field}: expected {expected}")]
pub struct InvalidOption {
    /// The field's name on the wire and in the form.
    pub field: String,
    /// What it takes, in the notation of the API documents (`3..=5`, `720p|1080p`).
    pub expected: String,
}

impl InvalidOption {
    pub(crate) fn new(field: &str, expected: &str) -> Self {
        Self { field: field.to_owned(), expected: expected.to_owned() }
    }
}

/// How a video is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// Product photo → two wearing stills → a transition between them.
    #[default]
    ProductVideo,
    /// Product photo → one wearing still → a motion of it.
    TryonVideo,
}

impl Recipe {
    /// Every recipe that can be chosen.
    pub const ALL: [Self; 2] = [Self::ProductVideo, Self::TryonVideo];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProductVideo => "product_video",
            Self::TryonVideo => "tryon_video",
        }
    }

    /// The stills its clip is made from, first frame first.
    pub const fn frames(self) -> &'static [Frame] {
        match self {
            Self::ProductVideo => &[Frame::Start, Frame::End],
            Self::TryonVideo => &[Frame::Start],
        }
    }

    /// Reads the word on the wire.
    ///
    /// # Errors
    /// [`InvalidOption`] for any other word.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        Self::ALL
            .into_iter()
            .find(|recipe| recipe.as_str() == text)
            .ok_or_else(|| InvalidOption::new("recipe", "product_video|tryon_video"))
    }
}

/// Who wears the garment in the stills.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelType {
    /// A woman.
    #[default]
    Female,
    /// A man.
    Male,
}

impl ModelType {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Female, Self::Male];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }

    /// Reads the word on the wire.
    ///
    /// # Errors
    /// [`InvalidOption`] for any other word.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.as_str() == text)
            .ok_or_else(|| InvalidOption::new("model_type", "female|male"))
    }
}

/// The best rung that is made, by the short side of the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Resolution {
    /// 720 pixels on the short side.
    #[default]
    #[serde(rename = "720p")]
    P720,
    /// 1080 pixels on the short side.
    #[serde(rename = "1080p")]
    P1080,
}

impl Resolution {
    /// Every choice, smallest first.
    pub const ALL: [Self; 2] = [Self::P720, Self::P1080];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P720 => "720p",
            Self::P1080 => "1080p",
        }
    }

    /// Pixels on the short side.
    pub const fn short_side(self) -> u32 {
        match self {
            Self::P720 => 720,
            Self::P1080 => 1080,
        }
    }

    /// Reads the word on the wire.
    ///
    /// # Errors
    /// [`InvalidOption`] for any other word.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.as_str() == text)
            .ok_or_else(|| InvalidOption::new("resolution", "720p|1080p"))
    }
}

/// Which containers the video comes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoFormat {
    /// MP4, which plays everywhere.
    #[default]
    Mp4,
    /// WebM besides.
    Webm,
}

impl VideoFormat {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Mp4, Self::Webm];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Webm => "webm",
        }
    }

    /// Reads the word on the wire.
    ///
    /// # Errors
    /// [`InvalidOption`] for any other word.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.as_str() == text)
            .ok_or_else(|| InvalidOption::new("format", "mp4|webm"))
    }
}

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $field:literal, $min:literal ..= $max:literal = $default:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        pub struct $name(u8);

        impl $name {
            /// The smallest value.
            pub const MIN: u8 = $min;
            /// The largest value.
            pub const MAX: u8 = $max;

            /// The number itself.
            pub const fn get(self) -> u8 {
                self.0
            }

            /// Accepts a number in range.
            ///
            /// # Errors
            /// [`InvalidOption`] outside the range.
            pub fn parse(value: i64) -> Result<Self, InvalidOption> {
                u8::try_from(value)
                    .ok()
                    .filter(|number| (Self::MIN..=Self::MAX).contains(number))
                    .map(Self)
                    .ok_or_else(|| InvalidOption::new($field, concat!(stringify!($min), "..=", stringify!($max))))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<u8> for $name {
            type Error = InvalidOption;

            fn try_from(value: u8) -> Result<Self, InvalidOption> {
                Self::parse(i64::from(value))
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> u8 {
                value.0
            }
        }
    };
}

ranged!(
    /// Length of the clip in seconds.
    ClipSeconds, "duration", 3 ..= 5 = 4
);
ranged!(
    /// Frames per second of the renditions.
    FramesPerSecond, "fps", 24 ..= 30 = 24
);

/// Everything that is chosen before a click.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How the video is made.
    pub recipe: Recipe,
    /// Who wears the garment.
    pub model_type: ModelType,
    /// Length of the clip.
    pub duration: ClipSeconds,
    /// The best rung.
    pub resolution: Resolution,
    /// Frames per second.
    pub fps: FramesPerSecond,
    /// The containers.
    pub format: VideoFormat,
    /// Whether it can be streamed with HLS, too.
    pub hls: bool,
    /// Whether the shop's logo and the AI label are laid over it.
    pub branding: bool,
}

/// The same choices as text and numbers from outside, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawOptions {
    /// A [`Recipe`] word.
    pub recipe: String,
    /// A [`ModelType`] word.
    pub model_type: String,
    /// Seconds.
    pub duration: i64,
    /// A [`Resolution`] word.
    pub resolution: String,
    /// Frames per second.
    pub fps: i64,
    /// A [`VideoFormat`] word.
    pub format: String,
    /// Whether it can be streamed with HLS, too.
    pub hls: bool,
    /// Whether the shop's logo and the AI label are laid over it.
    pub branding: bool,
}

impl RawOptions {
    /// Choices as they go over the wire.
    pub fn of(options: &Options) -> Self {
        Self {
            recipe: options.recipe.as_str().to_owned(),
            model_type: options.model_type.as_str().to_owned(),
            duration: i64::from(options.duration.get()),
            resolution: options.resolution.as_str().to_owned(),
            fps: i64::from(options.fps.get()),
            format: options.format.as_str().to_owned(),
            hls: options.hls,
            branding: options.branding,
        }
    }

    /// Believes the choices, or names every one that is out of range.
    ///
    /// # Errors
    /// One [`InvalidOption`] for each wrong field, in the order of the form.
    pub fn parse(&self) -> Result<Options, Vec<InvalidOption>> {
        let mut wrong = Vec::new();
        let recipe = keep(Recipe::parse(&self.recipe), &mut wrong);
        let model_type = keep(ModelType::parse(&self.model_type), &mut wrong);
        let duration = keep(ClipSeconds::parse(self.duration), &mut wrong);
        let resolution = keep(Resolution::parse(&self.resolution), &mut wrong);
        let fps = keep(FramesPerSecond::parse(self.fps), &mut wrong);
        let format = keep(VideoFormat::parse(&self.format), &mut wrong);
        let Self { hls, branding, .. } = *self;
        let options = Options { recipe, model_type, duration, resolution, fps, format, hls, branding };
        if wrong.is_empty() { Ok(options) } else { Err(wrong) }
    }
}

fn keep<T: Default>(parsed: Result<T, InvalidOption>, wrong: &mut Vec<InvalidOption>) -> T {
    parsed.unwrap_or_else(|error| {
        wrong.push(error);
        T::default()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn raw(duration: i64, resolution: &str, fps: i64) -> RawOptions {
        RawOptions {
            recipe: "product_video".into(),
            model_type: "female".into(),
            duration,
            resolution: resolution.into(),
            fps,
            format: "mp4".into(),
            hls: false,
            branding: false,
        }
    }

    #[test]
    fn names_every_wrong_field() {
        let wrong = raw(9, "4k", 12).parse().unwrap_err();
        let fields: Vec<_> = wrong.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["duration", "resolution", "fps"]);
    }

    proptest! {
        #[test]
        fn accepts_exactly_the_documented_range(duration in any::<i64>(), fps in any::<i64>()) {
            let accepted = raw(duration, "720p", fps).parse().is_ok();
            prop_assert_eq!(accepted, (3..=5).contains(&duration) && (24..=30).contains(&fps));
        }
    }

    #[test]
    fn json_out_of_range_is_refused() {
        assert!(serde_json::from_str::<ClipSeconds>("6").is_err());
        assert_eq!(serde_json::from_str::<ClipSeconds>("5").unwrap().get(), 5);
    }
}
