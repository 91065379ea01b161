//! Money as integer millionths of a US dollar: no rounding happens anywhere but on the screen.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Sub},
};

use serde::{Deserialize, Serialize};

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
    use super::*;

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
    fn exact_text_keeps_every_digit() {
        assert_eq!(MicroUsd::new(35_880).display_exact(), "$0.035880");
        assert_eq!(MicroUsd::new(-1).display_exact(), "-$0.000001");
    }
}
