//! How an endpoint wants the length of a clip: the least uniform field among vendors.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Bought, ClipOrder};

/// How a length is written, and which lengths there are. The shortest one that is not shorter than the one asked for is
/// bought; the surplus is cut off later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "codec", rename_all = "snake_case")]
pub enum DurationCodec {
    /// `5`
    Integer(Lengths),
    /// `"5"`
    Text(Lengths),
    /// `"5s"`
    TextWithUnit(Lengths),
    /// `[{"duration": 5, "prompt": "…"}]`: one transition between two pictures.
    Transitions(Lengths),
    /// A number of frames at a number of frames a second.
    Frames(Frames),
    /// Always the same number of frames; the frames a second decide how long they last.
    FixedFrames(FixedFrames),
}

/// Lengths in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lengths {
    /// The field that takes it.
    pub field: String,
    /// The lengths there are.
    pub seconds: Seconds,
}

/// Whole seconds: a list, or everything from one to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Seconds {
    /// These, shortest first.
    List(Vec<u8>),
    /// All of these, both ends included.
    Range {
        /// The shortest.
        from: u8,
        /// The longest.
        to: u8,
    },
}

impl Seconds {
    /// The shortest one that is not shorter than `asked`.
    fn at_least(&self, asked: u8) -> Option<u8> {
        match self {
            Self::List(list) => list.iter().copied().filter(|&one| one >= asked).min(),
            Self::Range { from, to } => Some(asked.max(*from)).filter(|one| one <= to),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::List(list) => list.is_empty() || list.contains(&0),
            Self::Range { from, to } => *from == 0 || from > to,
        }
    }
}

/// Lengths in frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    /// The field for the number of frames.
    pub field: String,
    /// The field for the frames a second.
    pub fps_field: String,
    /// Frames a second when none are asked for.
    pub fps: u8,
    /// Fewest frames a second.
    pub fps_min: u8,
    /// Most frames a second.
    pub fps_max: u8,
    /// Fewest frames.
    pub frames_min: u32,
    /// Most frames.
    pub frames_max: u32,
}

/// One length in frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedFrames {
    /// How many there are.
    pub frames: u32,
    /// The field for the frames a second.
    pub fps_field: String,
    /// Frames a second when none are asked for.
    pub fps: u8,
    /// Fewest frames a second.
    pub fps_min: u8,
    /// Most frames a second.
    pub fps_max: u8,
}

impl DurationCodec {
    /// What is bought for an order; none when there is no length as long.
    pub fn bought(&self, order: &ClipOrder) -> Option<Bought> {
        let asked = order.duration.get();
        match self {
            Self::Integer(lengths) | Self::Text(lengths) | Self::TextWithUnit(lengths) | Self::Transitions(lengths) => {
                let seconds = lengths.seconds.at_least(asked)?;
                Some(Bought { millis: u32::from(seconds) * 1000, frames: None, fps: None })
            }
            Self::Frames(codec) => {
                let fps = order.fps.unwrap_or(codec.fps).clamp(codec.fps_min, codec.fps_max);
                let frames = (u32::from(asked) * u32::from(fps)).max(codec.frames_min);
                (frames <= codec.frames_max).then(|| of_frames(frames, fps))
            }
            Self::FixedFrames(codec) => {
                let fps = order.fps.unwrap_or(codec.fps).clamp(codec.fps_min, codec.fps_max);
                Some(of_frames(codec.frames, fps))
            }
        }
    }

    /// Writes what was bought into the fields of a request.
    pub fn write(&self, bought: &Bought, prompt: &str, body: &mut Map<String, Value>) {
        let seconds = bought.millis / 1000;
        let mut set = |field: &str, value: Value| body.insert(field.to_owned(), value);
        match self {
            Self::Integer(lengths) => {
                set(&lengths.field, json!(seconds));
            }
            Self::Text(lengths) => {
                set(&lengths.field, json!(seconds.to_string()));
            }
            Self::TextWithUnit(lengths) => {
                set(&lengths.field, json!(format!("{seconds}s")));
            }
            Self::Transitions(lengths) => {
                set(&lengths.field, json!([{"duration": seconds, "prompt": prompt}]));
            }
            Self::Frames(codec) => {
                set(&codec.field, json!(bought.frames));
                set(&codec.fps_field, json!(bought.fps));
            }
            Self::FixedFrames(codec) => {
                set(&codec.fps_field, json!(bought.fps));
            }
        }
    }

    /// Whether it allows nothing, or contradicts itself.
    pub(super) fn is_faulty(&self) -> bool {
        match self {
            Self::Integer(lengths) | Self::Text(lengths) | Self::TextWithUnit(lengths) | Self::Transitions(lengths) => {
                lengths.field.is_empty() || lengths.seconds.is_empty()
            }
            Self::Frames(codec) => {
                codec.field.is_empty()
                    || codec.fps_field.is_empty()
                    || codec.frames_min == 0
                    || codec.frames_min > codec.frames_max
                    || !is_range(codec.fps_min, codec.fps, codec.fps_max)
            }
            Self::FixedFrames(codec) => {
                codec.frames == 0 || codec.fps_field.is_empty() || !is_range(codec.fps_min, codec.fps, codec.fps_max)
            }
        }
    }
}

fn of_frames(frames: u32, fps: u8) -> Bought {
    let millis = u64::from(frames) * 1000 / u64::from(fps.max(1));
    Bought { millis: u32::try_from(millis).unwrap_or(u32::MAX), frames: Some(frames), fps: Some(fps) }
}

const fn is_range(min: u8, between: u8, max: u8) -> bool {
    0 < min && min <= between && between <= max
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::{ClipSeconds, Resolution};

    use super::*;

    fn order(seconds: i64, fps: Option<u8>) -> ClipOrder {
        ClipOrder { duration: ClipSeconds::parse(seconds).unwrap(), resolution: Resolution::P720, fps }
    }

    fn lengths(seconds: Seconds) -> Lengths {
        Lengths { field: "duration".into(), seconds }
    }

    fn written(codec: &DurationCodec, order: &ClipOrder) -> Value {
        let mut body = Map::new();
        codec.write(&codec.bought(order).unwrap(), "turn", &mut body);
        Value::Object(body)
    }

    #[test]
    fn the_next_length_there_is_gets_bought() {
        let list = DurationCodec::TextWithUnit(lengths(Seconds::List(vec![4, 6, 8])));
        assert_eq!(list.bought(&order(3, None)).unwrap().millis, 4000);
        assert_eq!(list.bought(&order(5, None)).unwrap().millis, 6000);
        assert_eq!(written(&list, &order(5, None)), json!({"duration": "6s"}));
        let short = DurationCodec::Text(lengths(Seconds::List(vec![3, 4])));
        assert_eq!(short.bought(&order(5, None)), None, "nothing as long");
        assert_eq!(written(&short, &order(4, None)), json!({"duration": "4"}));
        let range = DurationCodec::Integer(lengths(Seconds::Range { from: 4, to: 15 }));
        assert_eq!(written(&range, &order(3, None)), json!({"duration": 4}));
        assert_eq!(written(&range, &order(5, None)), json!({"duration": 5}));
    }

    #[test]
    fn a_transition_carries_its_words() {
        let codec = DurationCodec::Transitions(Lengths {
            field: "transitions".into(),
            seconds: Seconds::Range { from: 1, to: 25 },
        });
        assert_eq!(written(&codec, &order(4, None)), json!({"transitions": [{"duration": 4, "prompt": "turn"}]}));
    }

    fn wan() -> DurationCodec {
        DurationCodec::Frames(Frames {
            field: "num_frames".into(),
            fps_field: "frames_per_second".into(),
            fps: 16,
            fps_min: 5,
            fps_max: 24,
            frames_min: 81,
            frames_max: 100,
        })
    }

    #[test]
    fn lengths_in_frames_are_at_least_as_long_as_asked() {
        let bought = |seconds, fps| wan().bought(&order(seconds, fps));
        assert_eq!(bought(5, None), Some(Bought { millis: 5062, frames: Some(81), fps: Some(16) }));
        assert_eq!(bought(5, Some(20)), Some(Bought { millis: 5000, frames: Some(100), fps: Some(20) }));
        assert_eq!(bought(5, Some(24)), None, "120 frames");
        assert_eq!(bought(3, Some(60)), Some(Bought { millis: 3375, frames: Some(81), fps: Some(24) }));
        assert_eq!(written(&wan(), &order(5, None)), json!({"num_frames": 81, "frames_per_second": 16}));
    }

    #[test]
    fn fixed_frames_last_as_long_as_their_speed_says() {
        let codec = DurationCodec::FixedFrames(FixedFrames {
            frames: 25,
            fps_field: "fps".into(),
            fps: 10,
            fps_min: 10,
            fps_max: 100,
        });
        assert_eq!(codec.bought(&order(5, None)).unwrap().millis, 2500);
        assert_eq!(codec.bought(&order(5, Some(25))).unwrap().millis, 1000);
        assert_eq!(written(&codec, &order(5, Some(5))), json!({"fps": 10}));
    }

    #[test]
    fn a_codec_that_allows_nothing_is_faulty() {
        for seconds in [Seconds::List(Vec::new()), Seconds::List(vec![0]), Seconds::Range { from: 5, to: 4 }] {
            assert!(DurationCodec::Integer(lengths(seconds)).is_faulty());
        }
        assert!(!wan().is_faulty());
    }
}
