//! Prices as shoppers read them.

use crate::i18n::Locale;

/// An amount of won: `89,000원` or `₩89,000`.
pub(super) fn won(amount: i64, locale: Locale) -> String {
    let figures = grouped(amount);
    match locale {
        Locale::ko => format!("{figures}원"),
        Locale::en => format!("₩{figures}"),
    }
}

fn grouped(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if amount < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_thousands() {
        assert_eq!(won(0, Locale::ko), "0원");
        assert_eq!(won(999, Locale::en), "₩999");
        assert_eq!(won(1_000, Locale::ko), "1,000원");
        assert_eq!(won(12_345_678, Locale::en), "₩12,345,678");
        assert_eq!(won(-1_000, Locale::en), "₩-1,000");
    }
}
