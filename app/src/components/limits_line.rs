//! The limits of the day in one line, or the refusal once one is reached.

use chrono::{DateTime, Utc};
use domain::{
    MicroUsd,
    cost::{LimitKind, LimitStatus},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    moment::Moment,
};
use crate::{i18n::Locale, shell::use_locale};

/// The limit that one more click of this price would pass.
pub fn reached(limits: &LimitStatus, price: MicroUsd) -> Option<LimitKind> {
    if limits.generations >= limits.generations_limit {
        Some(LimitKind::Generations)
    } else {
        (limits.spend + price > limits.spend_limit).then_some(LimitKind::Spend)
    }
}

/// How much of the day is used.
#[component]
pub fn LimitsLine(
    /// The limits of the day.
    limits: LimitStatus,
    /// The price of one more click.
    price: MicroUsd,
) -> impl IntoView {
    let locale = use_locale();
    let at = limits.resets_at;
    let Some(limit) = reached(&limits, price) else {
        return view! { <p class="field-hint figures">{limits_words(locale, &limits)} " · " <Reset at/></p> }
            .into_any();
    };
    let sentence = reached_sentence(locale, &limits, limit);
    view! {
        <div class="alert" role="alert" data-state="attention">
            <Icon name=IconName::Attention size=20/>
            <div class="alert-body">
                <p class="alert-text">{sentence}</p>
                <p class="alert-text muted">
                    <Reset at/>
                </p>
            </div>
        </div>
    }
    .into_any()
}

/// Which limit is reached.
fn reached_sentence(locale: Locale, limits: &LimitStatus, limit: LimitKind) -> String {
    match limit {
        LimitKind::Generations => td_string!(locale, limits.generations_reached, limit = limits.generations_limit),
        LimitKind::Spend => td_string!(locale, limits.spend_reached, limit = limits.spend_limit.display_cents()),
    }
}

/// Why a button rests beside which there is no room for [`LimitsLine`]; nothing while one more click is allowed.
#[component]
pub fn LimitNote(
    /// The limits of the day.
    #[prop(into)]
    limits: Signal<LimitStatus>,
    /// The price of the click.
    price: MicroUsd,
) -> impl IntoView {
    let locale = use_locale();
    move || {
        let limits = limits.get();
        reached(&limits, price).map(|limit| {
            view! {
                <p class="alert-text">
                    {reached_sentence(locale, &limits, limit)} " " <Reset at=limits.resets_at/>
                </p>
            }
        })
    }
}

/// Both limits with what is used of them.
pub fn limits_words(locale: Locale, limits: &LimitStatus) -> String {
    td_string!(
        locale,
        limits.line,
        used = limits.generations,
        limit = limits.generations_limit,
        spend = limits.spend.display_cents(),
        spend_limit = limits.spend_limit.display_cents()
    )
}

/// How soon the limits begin anew.
#[component]
pub fn Reset(
    /// When they do.
    at: DateTime<Utc>,
) -> impl IntoView {
    view! {
        {td_string!(use_locale(), limits.resets)}
        " "
        <Moment at comes=true/>
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const HALF_FULL: LimitStatus = LimitStatus {
        generations: 3,
        generations_limit: 4,
        spend: MicroUsd::new(700),
        spend_limit: MicroUsd::new(1000),
        resets_at: DateTime::UNIX_EPOCH,
    };

    #[test]
    fn a_click_that_fits_exactly_is_allowed() {
        assert_eq!(reached(&HALF_FULL, MicroUsd::new(300)), None);
        assert_eq!(reached(&HALF_FULL, MicroUsd::new(301)), Some(LimitKind::Spend));
        let counted_out = LimitStatus { generations: 4, ..HALF_FULL };
        assert_eq!(reached(&counted_out, MicroUsd::ZERO), Some(LimitKind::Generations));
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn the_limit_that_is_full_is_named_with_how_soon_it_resets() {
        let resets_at = crate::sample::now() + chrono::Duration::minutes(90);
        let line = |limits: LimitStatus| {
            crate::sample::render(Locale::en, move || {
                view! { <LimitsLine limits=LimitStatus { resets_at, ..limits } price=MicroUsd::new(400)/> }
            })
        };
        let html = line(LimitStatus { generations: 4, ..HALF_FULL });
        assert!(html.contains("All 4 generations") && html.contains("in 1 h") && html.contains("title=\"20"), "{html}");
        assert!(line(HALF_FULL).contains("This would pass"), "what the money does not allow is said too");
        let html = line(LimitStatus { spend: MicroUsd::ZERO, ..HALF_FULL });
        assert!(html.contains("Today 3/4") && html.contains("in 1 h") && !html.contains("role=\"alert\""), "{html}");
    }
}
