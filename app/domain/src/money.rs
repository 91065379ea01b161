//! Money as integer millionths of a US dollar: no rounding happens anywhere but on the screen.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Sub},
};

use serde::{Deserialize, Serialize};

/// A text that is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected US dollars with at most six decimals, like 25 or 12.50")]
pub struct InvalidAmount;

/// An amount in millionths of a US dollar (1 USD = 1 000 000). May be negative: an adjustment can give money back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(i64);

impl MicroUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `micros` millionths of a dollar.
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// The amount in millionths of a dollar.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads US dollars as people write them, `25` or `0.0375`: exactly, never through a float.
    ///
    /// # Errors
    /// [`InvalidAmount`] for signs, separators of thousands, more than six decimals, and more than fits.
    pub fn parse_dollars(text: &str) -> Result<Self, InvalidAmount> {
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || fraction.len() > 6 {
            return Err(InvalidAmount);
        }
        let digits = whole.bytes().chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(6));
        let mut micros = 0_i64;
        for digit in digits {
            let value = i64::from(digit.wrapping_sub(b'0'));
            let more = micros.checked_mul(10).filter(|_| value <= 9).and_then(|micros| micros.checked_add(value));
            micros = more.ok_or(InvalidAmount)?;
        }
        Ok(Self(micros))
    }

    /// The amount in US dollars as [`MicroUsd::parse_dollars`] reads it, with no more decimals than it needs but two at
    /// least: `30.00`, `0.0375`.
    pub fn dollars(self) -> String {
        let exact = self.display_exact().replace('$', "");
        let needed = exact.trim_end_matches('0').len().max(exact.len().saturating_sub(4));
        exact.get(..needed).unwrap_or_default().to_owned()
    }

    /// The amount as people read it: two decimals from one dollar up, four below, where cents would hide the
    /// difference between two stills.
    pub fn display(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        if micros >= 1_000_000 || micros == 0 {
            let cents = (micros + 5_000) / 10_000;
            format!("{sign}${}.{:02}", cents / 100, cents % 100)
        } else {
            let hundredths = (micros + 50) / 100;
            format!("{sign}${}.{:04}", hundredths / 10_000, hundredths % 10_000)
        }
    }

    /// The amount to the cent, for estimates (`about $0.29`); anything above nothing shows at least one cent.
    pub fn display_cents(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let cents = ((micros + 5_000) / 10_000).max(u64::from(micros > 0));
        format!("{sign}${}.{:02}", cents / 100, cents % 100)
    }

    /// The amount to the cent and never below it, for what is said to be the most.
    pub fn display_cents_up(self) -> String {
        let cents = Self(self.0.saturating_add(9_999) / 10_000 * 10_000);
        if self.0 > 0 { cents.display_cents() } else { self.display_cents() }
    }

    /// All six decimals, for tables that are compared with an invoice.
    pub fn display_exact(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        format!("{sign}${}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

impl fmt::Display for MicroUsd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.display())
    }
}

impl Add for MicroUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MicroUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MicroUsd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_dollars_exactly() {
        assert_eq!(MicroUsd::parse_dollars(" 25 "), Ok(MicroUsd::new(25_000_000)));
        assert_eq!(MicroUsd::parse_dollars("12.5"), Ok(MicroUsd::new(12_500_000)));
        assert_eq!(MicroUsd::parse_dollars("0.000001"), Ok(MicroUsd::new(1)));
        assert_eq!(MicroUsd::parse_dollars("9223372036854.775807"), Ok(MicroUsd::new(i64::MAX)));
        for text in
            ["", "-1", "+1", "1,5", "1.0000001", ".5", "1e3", "1 0", "1.5.0", "$1", "9223372036854.775808", "NaN", "①"]
        {
            assert_eq!(MicroUsd::parse_dollars(text), Err(InvalidAmount), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_amount_is_read_as_it_was_written(micros in 0..=i64::MAX) {
            let amount = MicroUsd::new(micros);
            prop_assert_eq!(MicroUsd::parse_dollars(&amount.dollars()), Ok(amount));
        }
    }

    #[test]
    fn dollars_have_the_decimals_they_need() {
        let dollars = |micros| MicroUsd::new(micros).dollars();
        assert_eq!([dollars(30_000_000), dollars(37_500), dollars(1)], ["30.00", "0.0375", "0.000001"]);
        assert_eq!([dollars(0), dollars(1_500_000)], ["0.00", "1.50"]);
    }

    #[test]
    fn shows_more_digits_below_a_dollar() {
        assert_eq!(MicroUsd::new(269_400).display(), "$0.2694");
        assert_eq!(MicroUsd::new(12_345_678).display(), "$12.35");
        assert_eq!(MicroUsd::new(-35_001).display(), "-$0.0350");
        assert_eq!(MicroUsd::ZERO.display(), "$0.00");
    }

    #[test]
    fn an_estimate_never_rounds_to_nothing() {
        assert_eq!(MicroUsd::new(1).display_cents(), "$0.01");
        assert_eq!(MicroUsd::new(271_760).display_cents(), "$0.27");
        assert_eq!(MicroUsd::ZERO.display_cents(), "$0.00");
    }

    #[test]
    fn the_most_is_never_rounded_down() {
        let most = |micros| MicroUsd::new(micros).display_cents_up();
        assert_eq!([most(0), most(1), most(10_000), most(10_001)], ["$0.00", "$0.01", "$0.01", "$0.02"]);
        assert_eq!([most(571_700), most(-12_000)], ["$0.58", "-$0.01"]);
        assert!(most(i64::MAX).starts_with("$9223372036854"), "{}", most(i64::MAX));
    }

    #[test]
    fn exact_text_keeps_every_digit() {
        assert_eq!(MicroUsd::new(35_880).display_exact(), "$0.035880");
        assert_eq!(MicroUsd::new(-1).display_exact(), "-$0.000001");
    }
}
