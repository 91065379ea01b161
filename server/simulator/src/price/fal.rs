//! fal's price list: what its model pages said from July to November 2026.

use serde_json::{Value, json};

/// What fal counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Image,
    Generation,
    Video,
    Token,
}

impl Unit {
    /// As the price listing calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Image => "image",
            Self::Generation => "generation",
            Self::Video => "video",
            Self::Token => "token",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Second => "seconds",
            Self::Image => "images",
            Self::Generation => "generations",
            Self::Video => "videos",
            Self::Token => "tokens",
        }
    }
}

/// What one request costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Charge {
    pub unit: Unit,
    /// What `X-Fal-Billable-Units` says.
    pub units: f64,
    pub amount_micro_usd: i64,
}

impl Charge {
    fn of(unit: Unit, count: u32, micro_usd_each: i64) -> Self {
        Self { unit, units: f64::from(count), amount_micro_usd: i64::from(count).saturating_mul(micro_usd_each) }
    }

    /// For the invoice: the units by name.
    pub(crate) fn counted(&self) -> Value {
        let count = if self.units.fract() == 0.0 { json!(self.units as i64) } else { json!(self.units) };
        json!({ self.unit.plural(): count })
    }
}

/// One line of the list: endpoint, unit, and micro-USD of a million units in
/// the plainest form there is (720p, silent, 1K).
pub(crate) const LIST: [(&str, Unit, i64); 14] = [
    ("fal-ai/nano-banana/edit", Unit::Image, 39_800_000_000),
    ("fal-ai/nano-banana-pro/edit", Unit::Image, 150_000_000_000),
    ("fal-ai/nano-banana-2/edit", Unit::Image, 80_000_000_000),
    ("google/nano-banana-2.1/edit", Unit::Token, TOKENS_2_1_PER_MILLION),
    ("fal-ai/fashn/tryon/v1.6", Unit::Generation, 75_000_000_000),
    ("fal-ai/kling/v1-5/kolors-virtual-try-on", Unit::Generation, 70_000_000_000),
    ("fal-ai/pika/v2.2/pikaframes", Unit::Second, 40_000_000_000),
    ("fal-ai/pika/v2.2/image-to-video", Unit::Second, 40_000_000_000),
    ("fal-ai/veo3.1/first-last-frame-to-video", Unit::Second, 200_000_000_000),
    ("fal-ai/veo3.1/fast/first-last-frame-to-video", Unit::Second, 100_000_000_000),
    ("fal-ai/kling-video/v3/standard/image-to-video", Unit::Second, 84_000_000_000),
    ("fal-ai/kling-video/v3/pro/image-to-video", Unit::Second, 112_000_000_000),
    ("fal-ai/wan-flf2v", Unit::Video, 400_000_000_000),
    ("fal-ai/stable-video", Unit::Video, 75_000_000_000),
];

/// Of pictures made by Nano Banana 2.1, in micro-USD per million tokens.
const TOKENS_2_1_PER_MILLION: i64 = 35_294_000;
/// Shorter Pikaframes clips are billed as this many seconds.
const LEAST_BILLED_SECONDS: u32 = 5;

/// `fal-ai/pika/v2.2/pikaframes`: by the second, five at least.
pub(crate) fn pikaframes(full_hd: bool, seconds: u32) -> Charge {
    Charge::of(Unit::Second, seconds.max(LEAST_BILLED_SECONDS), if full_hd { 60_000 } else { 40_000 })
}

/// `fal-ai/pika/v2.2/image-to-video`: five seconds are $0.20 or, in full HD, $0.45.
pub(crate) fn pika_image_to_video(full_hd: bool, seconds: u32) -> Charge {
    Charge::of(Unit::Second, seconds, if full_hd { 90_000 } else { 40_000 })
}

/// Veo 3.1 between two frames: by the second, dearer in 4K and with sound.
pub(crate) fn veo(fast: bool, is_4k: bool, audio: bool, seconds: u32) -> Charge {
    let rate = match (fast, is_4k, audio) {
        (false, false, false) => 200_000,
        (false, false, true) | (false, true, false) => 400_000,
        (false, true, true) => 600_000,
        (true, false, false) => 100_000,
        (true, false, true) => 150_000,
        (true, true, false) => 300_000,
        (true, true, true) => 350_000,
    };
    Charge::of(Unit::Second, seconds, rate)
}

/// Kling v3 from an image: by the second, dearer with sound.
pub(crate) fn kling_v3(pro: bool, audio: bool, seconds: u32) -> Charge {
    let rate = match (pro, audio) {
        (false, false) => 84_000,
        (false, true) => 126_000,
        (true, false) => 112_000,
        (true, true) => 168_000,
    };
    Charge::of(Unit::Second, seconds, rate)
}

/// `fal-ai/wan-flf2v`: a 720p clip is one unit, a 480p one half, and more
/// than 81 frames count a quarter more.
pub(crate) fn wan_flf2v(is_720p: bool, frames: u32) -> Charge {
    let (units, amount_micro_usd) = match (is_720p, frames > 81) {
        (true, false) => (1.0, 400_000),
        (true, true) => (1.25, 500_000),
        (false, false) => (0.5, 200_000),
        (false, true) => (0.625, 250_000),
    };
    Charge { unit: Unit::Video, units, amount_micro_usd }
}

/// `fal-ai/stable-video`: by the clip.
pub(crate) fn stable_video() -> Charge {
    Charge::of(Unit::Video, 1, 75_000)
}

/// `fal-ai/fashn/tryon/v1.6`: by the picture made.
pub(crate) fn fashn_tryon(samples: u32) -> Charge {
    Charge::of(Unit::Generation, samples, 75_000)
}

/// `fal-ai/kling/v1-5/kolors-virtual-try-on`: by the request.
pub(crate) fn kolors_tryon() -> Charge {
    Charge::of(Unit::Generation, 1, 70_000)
}

/// `fal-ai/nano-banana/edit`: by the image.
pub(crate) fn nano_banana(images: u32) -> Charge {
    Charge::of(Unit::Image, images, 39_800)
}

/// `fal-ai/nano-banana-pro/edit`: by the image; one in 4K counts as two.
/// (The page only says that 4K is dearer.)
pub(crate) fn nano_banana_pro(is_4k: bool, images: u32) -> Charge {
    Charge::of(Unit::Image, if is_4k { images * 2 } else { images }, 150_000)
}

/// `fal-ai/nano-banana-2/edit`: by the image and its size, and a little for
/// searching the web and for thinking hard.
pub(crate) fn nano_banana_2(size: &str, images: u32, searches: bool, thinks_hard: bool) -> Charge {
    let each = match size {
        "0.5K" => 60_000,
        "2K" => 120_000,
        "4K" => 160_000,
        _ => 80_000,
    };
    let extra = if searches { 15_000 } else { 0 } + if thinks_hard { 2_000 } else { 0 };
    let amount_micro_usd = i64::from(images) * each + extra;
    Charge { unit: Unit::Image, units: amount_micro_usd as f64 / 80_000.0, amount_micro_usd }
}

/// `google/nano-banana-2.1/edit`: by the tokens of the pictures made.
pub(crate) fn nano_banana_2_1(tokens: u32) -> Charge {
    let amount = (i64::from(tokens) * TOKENS_2_1_PER_MILLION + 500_000) / 1_000_000;
    Charge { unit: Unit::Token, units: f64::from(tokens), amount_micro_usd: amount }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(charge: Charge) -> (f64, i64) {
        (charge.units, charge.amount_micro_usd)
    }

    #[test]
    fn a_short_clip_is_billed_as_five_seconds() {
        assert_eq!(cost(pikaframes(false, 4)), (5.0, 200_000));
        assert_eq!(cost(pikaframes(true, 4)), (5.0, 300_000));
        assert_eq!(cost(pikaframes(false, 12)), (12.0, 480_000));
        assert_eq!(cost(pika_image_to_video(true, 5)), (5.0, 450_000));
    }

    #[test]
    fn sound_size_and_length_cost_what_the_pages_say() {
        assert_eq!(cost(veo(true, false, true, 8)), (8.0, 1_200_000));
        assert_eq!(cost(veo(false, true, true, 4)), (4.0, 2_400_000));
        assert_eq!(cost(kling_v3(false, true, 5)), (5.0, 630_000));
        assert_eq!(cost(wan_flf2v(false, 81)), (0.5, 200_000));
        assert_eq!(cost(wan_flf2v(true, 82)), (1.25, 500_000));
        assert_eq!(cost(stable_video()), (1.0, 75_000));
    }

    #[test]
    fn pictures_cost_what_the_pages_say() {
        assert_eq!(cost(nano_banana_2("2K", 2, true, false)), (3.1875, 255_000));
        assert_eq!(cost(nano_banana_pro(true, 1)), (2.0, 300_000));
        assert_eq!(cost(nano_banana_2_1(1120)), (1120.0, 39_529));
        assert_eq!(nano_banana_2("0.5K", 1, false, false).counted(), json!({"images": 0.75}));
        assert_eq!(fashn_tryon(2).counted(), json!({"generations": 2}));
    }
}
