//! Figures as the cost page says them.

use domain::MicroUsd;
use leptos_i18n::td_string;

use crate::i18n::Locale;

/// A part in whole percent, rounded; of nothing it is zero.
pub(super) fn whole_percent(part: MicroUsd, whole: MicroUsd) -> i64 {
    if whole.micros() <= 0 {
        return 0;
    }
    (part.micros().saturating_mul(100).saturating_add(whole.micros() / 2)) / whole.micros()
}

pub(super) fn compared(now: MicroUsd, before: MicroUsd, locale: Locale) -> String {
    if before <= MicroUsd::ZERO {
        return td_string!(locale, costs.last, amount = before.display());
    }
    let more = now - before;
    let less = before - now;
    match (whole_percent(more, before), whole_percent(less, before)) {
        (percent @ 1.., _) => td_string!(locale, costs.more, percent = percent),
        (_, percent @ 1..) => td_string!(locale, costs.less, percent = percent),
        _ => td_string!(locale, costs.same).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_with_the_same_days_of_last_month() {
        let said = |now, before| compared(MicroUsd::new(now), MicroUsd::new(before), Locale::en);
        assert!(said(150, 100).starts_with("50% more"));
        assert!(said(50, 100).starts_with("50% less"));
        assert!(said(100, 100).starts_with("Same"));
        assert!(said(100, 0).starts_with("$0.00"));
    }
}
