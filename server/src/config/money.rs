//! Amounts as people write them.

use domain::MicroUsd;

/// Reads US dollars with at most six decimals; never through a float.
pub fn parse(text: &str) -> Result<MicroUsd, String> {
    MicroUsd::parse_dollars(text).map_err(|error| error.to_string())
}
