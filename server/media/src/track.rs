//! What is in a file, track by track, as ffmpeg's `framecrc` muxer writes it down while it reads the file.

/// A track and when its frames are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Track {
    /// ffmpeg's name for the codec, like `h264`.
    pub codec: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Pixels that are not square are stretched by players.
    pub has_square_pixels: bool,
    /// A tick is so many seconds, over and under the line.
    tick: (u32, u32),
    /// When each frame is shown and how long, in ticks, in the order of the file.
    frames: Vec<(i64, i64)>,
}

impl Track {
    pub fn frame_count(&self) -> u64 {
        u64::try_from(self.frames.len()).unwrap_or(u64::MAX)
    }

    /// Whether every frame is shown when a clip of this rate shows it, and for as long: to a tick or, where ticks are
    /// finer, to a millisecond, counted from the first frame.
    pub fn is_steady(&self, fps: u16) -> bool {
        let (over, under, fps) = (i128::from(self.tick.0), i128::from(self.tick.1), i128::from(fps));
        // Everything as multiples of `1 / (1000 × under × fps)` seconds: whole numbers, whatever the rate.
        let slack = (1000 * over).max(under) * fps;
        let is_near = |ticks: i128, frames: i128| (ticks * over * 1000 * fps - frames * 1000 * under).abs() <= slack;
        let mut frames = self.frames.clone();
        frames.sort_unstable();
        let first = frames.first().map_or(0, |frame| i128::from(frame.0));
        (0_i128..).zip(&frames).all(|(number, (shown_at, lasting))| {
            is_near(i128::from(*shown_at) - first, number) && is_near(i128::from(*lasting), 1)
        })
    }
}

/// Reads what was written down; none for anything else. Tracks come in the order in which they were written.
pub(crate) fn parse(text: &str) -> Option<Vec<Track>> {
    let mut tracks: Vec<Track> = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix('#') {
            let Some((name, value)) = line.split_once(": ") else { continue };
            let Some((name, number)) = name.split_once(' ') else { continue };
            let number: usize = number.parse().ok()?;
            if name == "tb" && number == tracks.len() {
                tracks.push(Track { tick: pair(value, '/')?, ..Track::default() });
                continue;
            }
            match (name, tracks.get_mut(number)) {
                ("codec_id", Some(track)) => value.clone_into(&mut track.codec),
                ("dimensions", Some(track)) => track.size = pair(value, 'x')?,
                // Nothing said is 0/1.
                ("sar", Some(track)) => track.has_square_pixels = matches!(value, "1/1" | "0/1"),
                _ => {}
            }
        } else if !line.is_empty() {
            let mut fields = line.split(',').map(str::trim);
            let track = tracks.get_mut(fields.next()?.parse::<usize>().ok()?)?;
            track.frames.push((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?));
        }
    }
    (!tracks.is_empty()).then_some(tracks)
}

/// Two positive numbers.
fn pair<T: std::str::FromStr + Default + PartialOrd>(text: &str, between: char) -> Option<(T, T)> {
    let (first, second) = text.split_once(between)?;
    let (first, second): (T, T) = (first.parse().ok()?, second.parse().ok()?);
    (first > T::default() && second > T::default()).then_some((first, second))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const TWO: &str = "#extradata 0:       49, 0x550c0fe0\n#software: Lavf59.27.100\n\
        #tb 0: 1/12288\n#media_type 0: video\n#codec_id 0: h264\n#dimensions 0: 720x1280\n#sar 0: 1/1\n\
        #tb 1: 1/1000\n#media_type 1: video\n#codec_id 1: vp9\n#dimensions 1: 64x64\n#sar 1: 4/3\n\
        0,      -1024,          0,      512,    67926, 0x2a99197d\n\
        1,          0,          0,       41,     7480, 0x4719b20d\n\
        0,       -512,       1024,      512,    25722, 0xf0f6d606, F=0x0\n\
        0,          0,        512,      512,      722, 0xf0f6d606, F=0x0\n\
        1,         42,         42,       41,      176, 0x04164e46, F=0x0\n\
        1,         83,         83,       41,      176, 0x04164e46, F=0x0\n";

    fn two() -> [Track; 2] {
        parse(TWO).unwrap().try_into().unwrap()
    }

    #[test]
    fn tracks_and_their_frames_are_read() {
        let [first, second] = two();
        assert_eq!((first.codec.as_str(), first.size, first.has_square_pixels), ("h264", (720, 1280), true));
        assert_eq!((second.codec.as_str(), second.size, second.has_square_pixels), ("vp9", (64, 64), false));
        assert_eq!((first.frame_count(), second.frame_count()), (3, 3));
    }

    #[test]
    fn a_rate_holds_for_every_frame_in_the_order_they_are_shown() {
        let [first, second] = two();
        assert!(first.is_steady(24) && second.is_steady(24));
        assert!(!first.is_steady(25) && !first.is_steady(30) && !second.is_steady(30));
        for (frame, other) in [("       1024,", "       1224,"), ("      512,      722", "      900,      722")] {
            let [first, second]: [Track; 2] = parse(&TWO.replace(frame, other)).unwrap().try_into().unwrap();
            assert!(!first.is_steady(24) && second.is_steady(24), "{other}");
        }
    }

    #[test]
    fn a_rate_that_is_nearly_right_is_wrong() {
        let track = |tick: (u32, u32), lasting: i64, frames: i64| Track {
            tick,
            frames: (0..frames).map(|number| (number * lasting, lasting)).collect(),
            ..Track::default()
        };
        assert!(track((1, 12_288), 512, 120).is_steady(24));
        assert!(!track((1, 12_544), 512, 24).is_steady(24), "24.5 a second");
        assert!(!track((1, 30_000), 1001, 120).is_steady(30), "29.97 a second");
        assert!(track((1001, 24_024), 1, 120).is_steady(24), "ticks that are no part of a second");
    }

    #[test]
    fn anything_else_is_none() {
        for broken in [
            "",
            "rubbish",
            &TWO.replace("1/12288", "0/0"),
            &TWO.replace("720x1280", "720"),
            &TWO.replace("1,         42,", "2,         42,"),
            &TWO.replace("       1024,", "       NOPTS,"),
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(text in "(#tb |#sar |#dimensions |[0-3]: |[0-9/x,-]{0,30}|\n){0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_numbers_can_be_judged(
            tick in any::<(u32, u32)>(),
            frames in prop::collection::vec(any::<(i64, i64)>(), 0..9),
            fps in any::<u16>(),
        ) {
            let _ = Track { tick, frames, ..Track::default() }.is_steady(fps);
        }
    }
}
