//! The amounts of a price rule by name, for pages and for people who enter a new price.

use std::collections::BTreeMap;

use domain::{MicroUsd, Resolution};

use super::{ModelRow, PriceRule};
use crate::StillSize;

/// The unit a bill counts in, where larger sizes count as more of them.
const UNIT: &str = "unit";
const INPUT: &str = "input_per_million";
const TEXT: &str = "text_per_million";
const IMAGE: &str = "image_per_million";

impl ModelRow {
    /// What it costs, amount by amount, in the words of the catalogue's file: sizes, or tokens in and out; and `unit` where
    /// the bill counts in units of one price.
    pub fn amounts(&self) -> Vec<(String, MicroUsd)> {
        fn sizes<K>(prices: &BTreeMap<K, i64>, word: fn(&K) -> &'static str) -> Vec<(String, MicroUsd)> {
            prices.iter().map(|(size, micros)| (word(size).to_owned(), MicroUsd::new(*micros))).collect()
        }
        let still = |size: &StillSize| size.as_str();
        let clip = |size: &Resolution| size.as_str();
        let mut amounts = match &self.price {
            PriceRule::Tokens(tokens) => {
                [(INPUT, tokens.input_per_million), (TEXT, tokens.text_per_million), (IMAGE, tokens.image_per_million)]
                    .map(|(name, micros)| (name.to_owned(), MicroUsd::new(micros)))
                    .to_vec()
            }
            PriceRule::PerStill(price) => sizes(&price.per_still, still),
            PriceRule::PerSecond(price) => sizes(&price.per_second, clip),
            PriceRule::PerClip(price) => sizes(&price.per_clip, clip),
        };
        if let Some(unit) = self.unit.as_ref().filter(|unit| unit.scaled) {
            amounts.push((UNIT.to_owned(), MicroUsd::new(unit.micro_usd)));
        }
        amounts
    }

    /// The same row with other amounts; names it does not have change nothing.
    #[must_use]
    pub fn with_amounts(mut self, amounts: &BTreeMap<String, MicroUsd>) -> Self {
        fn resize<K>(prices: &mut BTreeMap<K, i64>, word: fn(&K) -> &'static str, new: &BTreeMap<String, MicroUsd>) {
            for (size, micros) in prices.iter_mut() {
                if let Some(amount) = new.get(word(size)) {
                    *micros = amount.micros();
                }
            }
        }
        let still = |size: &StillSize| size.as_str();
        let clip = |size: &Resolution| size.as_str();
        match &mut self.price {
            PriceRule::Tokens(tokens) => {
                let rates = [
                    (INPUT, &mut tokens.input_per_million),
                    (TEXT, &mut tokens.text_per_million),
                    (IMAGE, &mut tokens.image_per_million),
                ];
                for (name, rate) in rates {
                    if let Some(amount) = amounts.get(name) {
                        *rate = amount.micros();
                    }
                }
            }
            PriceRule::PerStill(price) => resize(&mut price.per_still, still, amounts),
            PriceRule::PerSecond(price) => resize(&mut price.per_second, clip, amounts),
            PriceRule::PerClip(price) => resize(&mut price.per_clip, clip, amounts),
        }
        let smallest = self.smallest_size();
        if let Some(unit) = &mut self.unit {
            // A unit that is not scaled is one of the smallest size.
            let name = if unit.scaled { UNIT } else { smallest };
            if let Some(amount) = amounts.get(name) {
                unit.micro_usd = amount.micros();
            }
        }
        self
    }

    fn smallest_size(&self) -> &'static str {
        match &self.price {
            PriceRule::Tokens(_) => "",
            PriceRule::PerStill(price) => price.per_still.keys().next().map_or("", |size| size.as_str()),
            PriceRule::PerSecond(price) => price.per_second.keys().next().map_or("", |size| size.as_str()),
            PriceRule::PerClip(price) => price.per_clip.keys().next().map_or("", |size| size.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Catalogue;

    #[test]
    fn every_amount_of_every_row_can_be_changed_and_nothing_else_changes() {
        for row in Catalogue::embedded().unwrap().rows() {
            let before = row.amounts();
            assert!(!before.is_empty(), "{}", row.id);
            let doubled: BTreeMap<_, _> =
                before.iter().map(|(name, amount)| (name.clone(), MicroUsd::new(amount.micros() * 2))).collect();
            let after = row.clone().with_amounts(&doubled);
            assert_eq!(after.amounts().into_iter().collect::<BTreeMap<_, _>>(), doubled, "{}", row.id);
            let restored = after.with_amounts(&before.into_iter().collect());
            assert_eq!(&restored, row, "{}", row.id);
            assert_eq!(&row.clone().with_amounts(&BTreeMap::from([("8K".to_owned(), MicroUsd::new(1))])), row);
        }
    }
}
