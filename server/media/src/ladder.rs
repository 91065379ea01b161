//! Which rungs are made of a clip, and in which shape: by the short side, never upscaled, never stretched.

use domain::Resolution;

/// One output of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rung {
    pub resolution: Resolution,
    pub width: u32,
    pub height: u32,
}

impl Rung {
    /// The ceiling of the bit rate and the size of the rate buffer, in kbit/s and kbit: both the same, because a short
    /// clip begins with a full buffer.
    pub fn max_kbps(self) -> u32 {
        match self.resolution {
            Resolution::P720 => 3000,
            Resolution::P1080 => 6000,
        }
    }

    /// The smallest H.264 level that may carry the picture, not below the usual one of the rung (H.264, table A-1:
    /// macroblocks in a frame and in a second).
    pub fn level(self, fps: u32) -> &'static str {
        const LEVELS: [(&str, u32, u32); 5] = [
            ("3.1", 3_600, 108_000),
            ("4.0", 8_192, 245_760),
            ("4.2", 8_704, 522_240),
            ("5.0", 22_080, 589_824),
            ("5.1", 36_864, 983_040),
        ];
        let blocks = self.width.div_ceil(16) * self.height.div_ceil(16);
        let usual = usize::from(self.resolution == Resolution::P1080);
        let carries = |(_, frame, second): &&(&str, u32, u32)| blocks <= *frame && blocks * fps <= *second;
        LEVELS.iter().skip(usual).find(carries).map_or("5.2", |(name, ..)| name)
    }
}

/// The rungs of a clip of this size, smallest first: always one of at most 720 pixels on the short side, and 1080 when
/// it is asked for and the clip has it.
pub(crate) fn rungs(width: u32, height: u32, asked: Resolution) -> Vec<Rung> {
    let short = width.min(height).max(1);
    let made = |resolution: &Resolution| {
        *resolution <= asked && (*resolution == Resolution::P720 || resolution.short_side() <= short)
    };
    let rung = |resolution: Resolution| {
        // An odd short side loses a pixel: rounding up would be scaling up.
        let target = resolution.short_side().min(short & !1);
        let scale = |side: u32| {
            let (side, target, short) = (u64::from(side), u64::from(target), u64::from(short));
            u32::try_from((side * target + short) / (2 * short) * 2).unwrap_or(u32::MAX)
        };
        Rung { resolution, width: scale(width), height: scale(height) }
    };
    Resolution::ALL.into_iter().filter(made).map(rung).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shapes(width: u32, height: u32, asked: Resolution) -> Vec<(u32, u32)> {
        rungs(width, height, asked).iter().map(|rung| (rung.width, rung.height)).collect()
    }

    #[test]
    fn rungs_go_by_the_short_side() {
        assert_eq!(shapes(1080, 1920, Resolution::P1080), [(720, 1280), (1080, 1920)]);
        assert_eq!(shapes(1920, 1080, Resolution::P720), [(1280, 720)]);
        assert_eq!(shapes(720, 1280, Resolution::P1080), [(720, 1280)], "a 720p clip has no 1080p rung");
        assert_eq!(shapes(481, 855, Resolution::P1080), [(480, 854)]);
        assert_eq!(shapes(1080, 1080, Resolution::P720), [(720, 720)]);
    }

    #[test]
    fn the_level_is_not_above_need() {
        let rung = |width, height, resolution| Rung { resolution, width, height };
        assert_eq!(rung(720, 1280, Resolution::P720).level(30), "3.1");
        assert_eq!(rung(1080, 1920, Resolution::P1080).level(30), "4.0");
        assert_eq!(rung(320, 320, Resolution::P1080).level(24), "4.0");
        assert_eq!(rung(1680, 720, Resolution::P720).level(24), "4.0");
        assert_eq!(rung(4096, 1080, Resolution::P1080).level(30), "5.0");
    }

    proptest! {
        #[test]
        fn never_odd_never_larger_never_stretched(width in 64_u32..=4096, height in 64_u32..=4096, big in any::<bool>()) {
            let asked = if big { Resolution::P1080 } else { Resolution::P720 };
            let rungs = rungs(width, height, asked);
            prop_assert!(!rungs.is_empty());
            for rung in rungs {
                prop_assert!(rung.width % 2 == 0 && rung.height % 2 == 0);
                prop_assert!(rung.width <= width + 1 && rung.height <= height + 1);
                prop_assert!(rung.width.min(rung.height) <= rung.resolution.short_side());
                // The long side is within one step of two pixels of the exact shape.
                let exact = f64::from(rung.width.min(rung.height)) * f64::from(width.max(height)) / f64::from(width.min(height) & !1);
                let stretch = f64::from(rung.width.max(rung.height)) - exact;
                prop_assert!(stretch.abs() <= 2.0 + exact / f64::from(width.min(height)), "{rung:?} {exact}");
                prop_assert!(rung.level(30) != "5.2");
            }
        }
    }
}
