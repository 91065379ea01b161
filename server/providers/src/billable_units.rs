//! Units on a provider's bill.

use std::fmt;

use domain::MicroUsd;
use serde::{Deserialize, Serialize};

/// Units on the provider's bill in millionths, because a bill may count in fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BillableUnits(u64);

impl BillableUnits {
    /// Reads a decimal number like `5` or `4.25`; digits beyond the sixth are dropped. None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let mut millionths: u64 = whole.parse().ok()?;
        for index in 0..6 {
            let digit = fraction.as_bytes().get(index).map_or(0, |byte| u64::from(byte - b'0'));
            millionths = millionths * 10 + digit;
        }
        Some(Self(millionths))
    }

    /// The units in millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// What they cost at `rate` a unit, half a millionth rounded up.
    pub fn cost(self, rate: MicroUsd) -> MicroUsd {
        self.cost_of(rate, 1)
    }

    /// What they cost at `rate` for so many units, half a millionth rounded up.
    pub fn cost_of(self, rate: MicroUsd, units: u32) -> MicroUsd {
        let divisor = i128::from(units.max(1)) * 1_000_000;
        let exact = i128::from(self.0) * i128::from(rate.micros());
        MicroUsd::new(i64::try_from((exact + divisor / 2) / divisor).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for BillableUnits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn units_are_read_as_decimals_and_priced_without_loss() {
        let units = |text| BillableUnits::parse(text).map(BillableUnits::millionths);
        assert_eq!(units("5"), Some(5_000_000));
        assert_eq!(units(" 4.25 "), Some(4_250_000));
        assert_eq!(units("5.0"), Some(5_000_000));
        assert_eq!(units("0.1234567"), Some(123_456));
        for wrong in ["", "-1", "1e3", "five", "1.2.3", ".5", "9999999999999"] {
            assert_eq!(units(wrong), None, "{wrong}");
        }
        let tokens = BillableUnits::parse("1120").unwrap();
        assert_eq!(tokens.cost_of(MicroUsd::new(35_294_000), 1_000_000), MicroUsd::new(39_529));
        assert_eq!(BillableUnits::parse("5").unwrap().cost(MicroUsd::new(40_000)), MicroUsd::new(200_000));
        assert_eq!(BillableUnits::parse("0.0000125").unwrap().cost(MicroUsd::new(40_000)), MicroUsd::ZERO);
    }
}
