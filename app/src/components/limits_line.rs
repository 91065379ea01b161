//! The limits of the day in one line, or the refusal once one is reached.

use domain::{MicroUsd, cost::LimitStatus};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{
    clock::{exact, short, use_clock},
    shell::use_facts,
};

/// Whether one more click of this price would pass a limit.
pub fn is_reached(limits: &LimitStatus, price: MicroUsd) -> bool {
    limits.generations >= limits.generations_limit || limits.spend + price > limits.spend_limit
}

/// How much of the day is used.
#[component]
pub fn LimitsLine(
    /// The limits of the day.
    limits: LimitStatus,
    /// The price of one more click.
    price: MicroUsd,
) -> impl IntoView {
    let facts = use_facts();
    let locale = facts.locale;
    let at = short(limits.resets_at, use_clock().now_once(), &facts.zone);
    let exactly = exact(limits.resets_at, &facts.zone);
    if is_reached(&limits, price) {
        return view! {
            <div class="alert" role="alert" data-state="attention" title=exactly>
                <Icon name=IconName::Attention size=20/>
                <div class="alert-body">
                    <p class="alert-text">{td_string!(locale, limits.reached, at = at)}</p>
                </div>
            </div>
        }
        .into_any();
    }
    let line = td_string!(
        locale,
        limits.line,
        used = limits.generations,
        limit = limits.generations_limit,
        spend = limits.spend.display_cents(),
        spend_limit = limits.spend_limit.display_cents()
    );
    view! {
        <p class="field-hint figures" title=exactly>
            {format!("{line} · {}", td_string!(locale, limits.resets, at = at))}
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_click_that_fits_exactly_is_allowed() {
        let limits = LimitStatus {
            generations: 3,
            generations_limit: 4,
            spend: MicroUsd::new(700),
            spend_limit: MicroUsd::new(1000),
            resets_at: DateTime::UNIX_EPOCH,
        };
        assert!(!is_reached(&limits, MicroUsd::new(300)));
        assert!(is_reached(&limits, MicroUsd::new(301)));
        assert!(is_reached(&LimitStatus { generations: 4, ..limits }, MicroUsd::ZERO));
    }
}
