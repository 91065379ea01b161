//! Price rules: integers only, rounded once, at the end, half up.

use std::collections::BTreeMap;

use domain::{ClipSeconds, MicroUsd, Resolution};
use serde::Deserialize;
use serde_json::Value;

/// How a vendor charges.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum PriceRule {
    /// By tokens in and out.
    Tokens(Tokens),
    /// By seconds of the clip.
    PerSecond(PerSecond),
}

impl PriceRule {
    pub(super) fn is_positive(&self) -> bool {
        match self {
            Self::Tokens(tokens) => {
                [tokens.input_per_million, tokens.text_per_million, tokens.image_per_million]
                    .iter()
                    .all(|&rate| rate > 0)
                    && tokens.image_tokens > 0
            }
            Self::PerSecond(seconds) => {
                !seconds.per_second.is_empty() && seconds.per_second.values().all(|&rate| rate > 0)
            }
        }
    }
}

/// Prices of a million tokens, and the bounds of one call for the amount held before it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// A million tokens of prompt, words and photos alike, in micro-USD.
    pub input_per_million: i64,
    /// A million tokens of words and thoughts answered, in micro-USD.
    pub text_per_million: i64,
    /// A million tokens of pictures answered, in micro-USD.
    pub image_per_million: i64,
    /// Tokens of one picture answered.
    pub image_tokens: u32,
    /// Tokens of one photo sent.
    pub photo_tokens: u32,
    /// Tokens of the longest prompt.
    pub prompt_tokens: u32,
    /// Tokens of words and thoughts expected at most.
    pub margin_tokens: u32,
}

impl Tokens {
    /// The most a call with so many photos is expected to cost.
    pub(super) fn quote(&self, photos: u32) -> MicroUsd {
        let input = u64::from(photos) * u64::from(self.photo_tokens) + u64::from(self.prompt_tokens);
        self.sum(input, u64::from(self.margin_tokens), u64::from(self.image_tokens))
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

/// Price of a second of clip by size.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerSecond {
    /// Shorter clips are charged as if this long.
    pub min_billed_seconds: u8,
    /// Micro-USD of a second, by size; a size without a price is not made.
    pub per_second: BTreeMap<Resolution, i64>,
}

impl PerSecond {
    /// What a second costs in this size.
    pub fn rate(&self, resolution: Resolution) -> Option<MicroUsd> {
        self.per_second.get(&resolution).copied().map(MicroUsd::new)
    }

    pub(super) fn price(&self, duration: ClipSeconds, resolution: Resolution) -> Option<MicroUsd> {
        let seconds = duration.get().max(self.min_billed_seconds);
        self.rate(resolution).map(|rate| MicroUsd::new(rate.micros().saturating_mul(i64::from(seconds))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const RATES: Tokens = Tokens {
        input_per_million: 1_500_000,
        text_per_million: 7_500_000,
        image_per_million: 30_000_000,
        image_tokens: 1120,
        photo_tokens: 1120,
        prompt_tokens: 400,
        margin_tokens: 200,
    };

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
        assert_eq!(RATES.price(&usage(1380, 40, 60, 1120)), Some(MicroUsd::new(36_420)));
        // Half a millionth goes up: 1 x 1.5
        assert_eq!(RATES.price(&usage(1, 0, 0, 0)), Some(MicroUsd::new(2)));
    }

    #[test]
    fn what_is_not_told_apart_is_charged_as_pictures() {
        let plain = json!({"promptTokenCount": 0, "candidatesTokenCount": 10});
        assert_eq!(RATES.price(&plain), Some(MicroUsd::new(300)));
        assert_eq!(RATES.price(&json!({})), None);
    }

    proptest! {
        #[test]
        fn a_call_within_the_bounds_never_costs_more_than_was_held(
            photos in 1u32..15, prompt in 0u64..=400, text in 0u64..=100, thoughts in 0u64..=100, picture in any::<bool>()
        ) {
            let input = u64::from(photos) * 1120 + prompt;
            let paid = RATES.price(&usage(input, text, thoughts, if picture { 1120 } else { 0 })).unwrap();
            prop_assert!(paid <= RATES.quote(photos));
            prop_assert!(paid > MicroUsd::ZERO);
        }

        #[test]
        fn the_price_is_the_exact_sum_rounded_half_up(
            input in 0u64..1_000_000, text in 0u64..1_000_000, thoughts in 0u64..1_000_000, pictures in 0u64..1_000_000
        ) {
            let paid = RATES.price(&usage(input, text, thoughts, pictures)).unwrap().micros();
            let doubled = 3 * input + 15 * (text + thoughts) + 60 * pictures;
            prop_assert_eq!(paid.cast_unsigned(), doubled.div_ceil(2));
        }

        #[test]
        fn a_clip_is_never_charged_below_the_shortest(seconds in 3i64..=5) {
            let rule = PerSecond {
                min_billed_seconds: 4,
                per_second: BTreeMap::from([(Resolution::P720, 40_000)]),
            };
            let duration = ClipSeconds::parse(seconds).unwrap();
            prop_assert_eq!(
                rule.price(duration, Resolution::P720),
                Some(MicroUsd::new(40_000 * seconds.max(4)))
            );
            prop_assert_eq!(rule.price(duration, Resolution::P1080), None);
        }
    }
}
