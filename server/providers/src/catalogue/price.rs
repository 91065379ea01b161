//! Price rules: integers only, rounded once, at the end, half up.

use std::collections::BTreeMap;

use domain::{MicroUsd, Resolution};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Bought, StillOrder, StillSize};

/// How a vendor charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum PriceRule {
    /// By tokens in and out.
    Tokens(Tokens),
    /// By the still.
    PerStill(PerStill),
    /// By seconds of the clip.
    PerSecond(PerSecond),
    /// By the clip.
    PerClip(PerClip),
}

impl PriceRule {
    pub(super) fn is_positive(&self) -> bool {
        fn all_above<K>(prices: &BTreeMap<K, i64>) -> bool {
            !prices.is_empty() && prices.values().all(|&price| price > 0)
        }
        match self {
            Self::Tokens(tokens) => {
                [tokens.input_per_million, tokens.text_per_million, tokens.image_per_million]
                    .iter()
                    .all(|&rate| rate > 0)
                    && !tokens.image_tokens.is_empty()
                    && tokens.image_tokens.values().all(|&count| count > 0)
            }
            Self::PerStill(price) => all_above(&price.per_still),
            Self::PerSecond(price) => all_above(&price.per_second),
            Self::PerClip(price) => {
                all_above(&price.per_clip) && price.many_frames.as_ref().is_none_or(|many| many.percent >= 100)
            }
        }
    }
}

/// The unit the provider's bill and price list count in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The provider's word for it: `second`, `image`, `request`.
    pub name: String,
    /// What the provider lists for one, or for `of` of them, in micro-USD.
    pub micro_usd: i64,
    /// How many of them that is for, where one costs less than a millionth of a dollar.
    #[serde(default = "one")]
    pub of: u32,
    /// Larger sizes and longer clips count as more units of that price. Otherwise a unit costs what the price rule says
    /// for the size that was bought.
    #[serde(default)]
    pub scaled: bool,
}

const fn one() -> u32 {
    1
}

/// Prices of a million tokens, and the bounds of one call for the amount held before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// A million tokens of prompt, words and photos alike, in micro-USD.
    pub input_per_million: i64,
    /// A million tokens of words and thoughts answered, in micro-USD.
    pub text_per_million: i64,
    /// A million tokens of pictures answered, in micro-USD.
    pub image_per_million: i64,
    /// Tokens of one picture answered, by size; a size that is missing is not made.
    pub image_tokens: BTreeMap<StillSize, u32>,
    /// Tokens of one photo sent.
    pub photo_tokens: u32,
    /// Tokens of the longest prompt.
    pub prompt_tokens: u32,
    /// Tokens of words and thoughts expected at most.
    pub margin_tokens: u32,
}

impl Tokens {
    /// The most a call is expected to cost; none for a size it does not make.
    pub(super) fn quote(&self, order: &StillOrder) -> Option<MicroUsd> {
        let picture = *self.image_tokens.get(&order.size)?;
        let input = u64::from(order.pictures) * u64::from(self.photo_tokens) + u64::from(self.prompt_tokens);
        Some(self.sum(input, u64::from(self.margin_tokens), u64::from(picture)))
    }

    /// What a call cost by the provider's count: Gemini's `usageMetadata`. None when it holds no count.
    ///
    /// Thoughts are charged as words. Where the answer's tokens are not told apart they are taken for pictures, the
    /// dearer kind.
    pub(super) fn price(&self, usage: &Value) -> Option<MicroUsd> {
        let count = |field: &str| usage.get(field).and_then(Value::as_u64);
        let input = count("promptTokenCount")?;
        let answered = count("candidatesTokenCount").unwrap_or(0);
        let thoughts = count("thoughtsTokenCount").unwrap_or(0);
        let pictures = match usage.get("candidatesTokensDetails").and_then(Value::as_array) {
            Some(details) => details
                .iter()
                .filter(|part| part.get("modality").and_then(Value::as_str) == Some("IMAGE"))
                .filter_map(|part| part.get("tokenCount").and_then(Value::as_u64))
                .sum(),
            None => answered,
        };
        Some(self.sum(input, answered.saturating_sub(pictures).saturating_add(thoughts), pictures))
    }

    fn sum(&self, input: u64, text: u64, pictures: u64) -> MicroUsd {
        let exact =
            [(input, self.input_per_million), (text, self.text_per_million), (pictures, self.image_per_million)]
                .into_iter()
                .map(|(tokens, rate)| i128::from(tokens) * i128::from(rate))
                .sum::<i128>();
        MicroUsd::new(i64::try_from((exact + 500_000) / 1_000_000).unwrap_or(i64::MAX))
    }
}

/// Price of a still by size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerStill {
    /// Micro-USD of a still, by size; a size without a price is not made.
    pub per_still: BTreeMap<StillSize, i64>,
}

impl PerStill {
    pub(super) fn price(&self, order: &StillOrder) -> Option<MicroUsd> {
        self.per_still.get(&order.size).copied().map(MicroUsd::new)
    }
}

/// Price of a second of clip by size, without sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerSecond {
    /// Shorter clips are charged as if this long.
    #[serde(default)]
    pub min_billed_seconds: u8,
    /// Micro-USD of a second, by size; a size without a price is not made.
    pub per_second: BTreeMap<Resolution, i64>,
}

impl PerSecond {
    /// What a second costs in this size.
    pub fn rate(&self, resolution: Resolution) -> Option<MicroUsd> {
        self.per_second.get(&resolution).copied().map(MicroUsd::new)
    }

    pub(super) fn price(&self, bought: &Bought, resolution: Resolution) -> Option<MicroUsd> {
        let millis = i64::from(bought.millis).max(i64::from(self.min_billed_seconds) * 1000);
        let exact = i128::from(millis) * i128::from(self.per_second.get(&resolution).copied()?);
        Some(MicroUsd::new(i64::try_from((exact + 500) / 1000).unwrap_or(i64::MAX)))
    }
}

/// Price of a clip by size, whatever its length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerClip {
    /// Micro-USD of a clip, by size; a size without a price is not made.
    pub per_clip: BTreeMap<Resolution, i64>,
    /// What more frames than usual cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub many_frames: Option<ManyFrames>,
}

/// A dearer clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManyFrames {
    /// With more frames than this.
    pub above: u32,
    /// It costs this many hundredths of the price.
    pub percent: u32,
}

impl PerClip {
    pub(super) fn price(&self, bought: &Bought, resolution: Resolution) -> Option<MicroUsd> {
        let base = self.per_clip.get(&resolution).copied()?;
        let surcharge =
            self.many_frames.as_ref().filter(|many| bought.frames.is_some_and(|frames| frames > many.above));
        let exact = i128::from(base) * surcharge.map_or(100, |many| i128::from(many.percent));
        Some(MicroUsd::new(i64::try_from((exact + 50) / 100).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rates() -> Tokens {
        Tokens {
            input_per_million: 1_500_000,
            text_per_million: 7_500_000,
            image_per_million: 30_000_000,
            image_tokens: BTreeMap::from([(StillSize::K1, 1120)]),
            photo_tokens: 1120,
            prompt_tokens: 400,
            margin_tokens: 200,
        }
    }

    fn usage(input: u64, text: u64, thoughts: u64, pictures: u64) -> Value {
        json!({
            "promptTokenCount": input,
            "candidatesTokenCount": text + pictures,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": input + text + thoughts + pictures,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": pictures}],
        })
    }

    #[test]
    fn a_usual_still_costs_what_the_page_says() {
        // 1380 x 1.5 + (40 + 60) x 7.5 + 1120 x 30
        assert_eq!(rates().price(&usage(1380, 40, 60, 1120)), Some(MicroUsd::new(36_420)));
        // Half a millionth goes up: 1 x 1.5
        assert_eq!(rates().price(&usage(1, 0, 0, 0)), Some(MicroUsd::new(2)));
    }

    #[test]
    fn what_is_not_told_apart_is_charged_as_pictures() {
        let plain = json!({"promptTokenCount": 0, "candidatesTokenCount": 10});
        assert_eq!(rates().price(&plain), Some(MicroUsd::new(300)));
        assert_eq!(rates().price(&json!({})), None);
    }

    proptest! {
        #[test]
        fn a_call_within_the_bounds_never_costs_more_than_was_held(
            photos in 1u32..15, prompt in 0u64..=400, text in 0u64..=100, thoughts in 0u64..=100, picture in any::<bool>()
        ) {
            let input = u64::from(photos) * 1120 + prompt;
            let paid = rates().price(&usage(input, text, thoughts, if picture { 1120 } else { 0 })).unwrap();
            let order = StillOrder { size: StillSize::K1, pictures: photos };
            prop_assert!(paid <= rates().quote(&order).unwrap());
            prop_assert!(paid > MicroUsd::ZERO);
        }

        #[test]
        fn the_price_is_the_exact_sum_rounded_half_up(
            input in 0u64..1_000_000, text in 0u64..1_000_000, thoughts in 0u64..1_000_000, pictures in 0u64..1_000_000
        ) {
            let paid = rates().price(&usage(input, text, thoughts, pictures)).unwrap().micros();
            let doubled = 3 * input + 15 * (text + thoughts) + 60 * pictures;
            prop_assert_eq!(paid.cast_unsigned(), doubled.div_ceil(2));
        }

        #[test]
        fn a_clip_is_never_charged_below_the_shortest(seconds in 1u32..=10) {
            let rule = PerSecond {
                min_billed_seconds: 4,
                per_second: BTreeMap::from([(Resolution::P720, 40_000)]),
            };
            let bought = Bought { millis: seconds * 1000, frames: None, fps: None };
            prop_assert_eq!(
                rule.price(&bought, Resolution::P720),
                Some(MicroUsd::new(40_000 * i64::from(seconds.max(4))))
            );
            prop_assert_eq!(rule.price(&bought, Resolution::P1080), None);
        }
    }

    #[test]
    fn a_size_without_a_price_is_not_made() {
        let rule = PerStill { per_still: BTreeMap::from([(StillSize::K1, 80_000), (StillSize::K4, 160_000)]) };
        let price = |size| rule.price(&StillOrder { size, pictures: 1 });
        assert_eq!(price(StillSize::K4), Some(MicroUsd::new(160_000)));
        assert_eq!(price(StillSize::K2), None);
        assert_eq!(rates().quote(&StillOrder { size: StillSize::K4, pictures: 1 }), None);
    }

    #[test]
    fn many_frames_cost_more() {
        let rule = PerClip {
            per_clip: BTreeMap::from([(Resolution::P720, 400_000)]),
            many_frames: Some(ManyFrames { above: 81, percent: 125 }),
        };
        let price =
            |frames| rule.price(&Bought { millis: 5000, frames: Some(frames), fps: Some(16) }, Resolution::P720);
        assert_eq!(price(81), Some(MicroUsd::new(400_000)));
        assert_eq!(price(82), Some(MicroUsd::new(500_000)));
    }
}
