//! Amounts as people write them.

use domain::MicroUsd;

/// Reads US dollars with at most six decimals; never through a float.
pub fn parse(text: &str) -> Result<MicroUsd, String> {
    let wrong = || "expected US dollars with at most six decimals, like 25 or 12.50".to_owned();
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let dollars: i64 = whole.parse().map_err(|_| wrong())?;
    let micros: i64 = format!("{fraction:0<6}").parse().map_err(|_| wrong())?;
    dollars.checked_mul(1_000_000).and_then(|amount| amount.checked_add(micros)).map(MicroUsd::new).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dollars_exactly() {
        assert_eq!(parse("25"), Ok(MicroUsd::new(25_000_000)));
        assert_eq!(parse("12.5"), Ok(MicroUsd::new(12_500_000)));
        assert_eq!(parse("0.000001"), Ok(MicroUsd::new(1)));
        for text in ["", "-1", "1,5", "1.0000001", ".5", "1e3", "99999999999999999"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
