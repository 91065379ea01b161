//! The limit of the day that will be reached first, in the top bar.

use domain::cost::{LimitKind, LimitStatus};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::limits_line::limits_words;
use crate::{
    clock::exact,
    i18n::Locale,
    shell::{use_facts, use_locale},
};

/// The share from which the bar asks for attention, in percent.
const NEAR_PERCENT: u8 = 80;

/// The hue of a limit of which so many percent are used.
pub const fn limit_hue(percent: u8) -> Option<&'static str> {
    match percent {
        100.. => Some("failed"),
        NEAR_PERCENT..100 => Some("attention"),
        _ => None,
    }
}

/// A thin bar with what is used of the fuller limit, leading to the costs; its title tells of both.
#[component]
pub fn Spend(
    /// The limits of the day.
    #[prop(into)]
    limits: Signal<LimitStatus>,
) -> impl IntoView {
    let facts = use_facts();
    let locale = use_locale();
    let hue = move || limit_hue(limits.get().percent());
    let title = move || {
        let limits = limits.get();
        let reset = td_string!(locale, limits.resets);
        format!("{} · {reset} {}", limits_words(locale, &limits), exact(limits.resets_at, &facts.zone))
    };
    let label = move || match limits.get().fuller() {
        LimitKind::Generations => td_string!(locale, spend.count),
        LimitKind::Spend => td_string!(locale, spend.label),
    };
    view! {
        <a class="spend" href="/admin/costs" data-state=hue title=title data-testid="spend">
            <span class="spend-text">{label} " " <b class="figures">{move || figures(locale, &limits.get())}</b></span>
            <progress
                class="progress"
                max="100"
                value=move || limits.get().percent().to_string()
                aria-label=label
            ></progress>
        </a>
    }
}

fn figures(locale: Locale, limits: &LimitStatus) -> String {
    match limits.fuller() {
        LimitKind::Generations => {
            td_string!(locale, spend.count_of, used = limits.generations, limit = limits.generations_limit)
        }
        LimitKind::Spend => td_string!(
            locale,
            spend.of,
            used = limits.spend.display_cents(),
            limit = limits.spend_limit.display_cents()
        ),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::MicroUsd;

    use super::*;
    use crate::sample;

    #[test]
    fn the_fuller_limit_is_shown_and_both_are_told() {
        let bar = |generations, spend| {
            let limits = LimitStatus {
                generations,
                generations_limit: 10,
                spend: MicroUsd::new(spend),
                spend_limit: MicroUsd::new(20_000_000),
                resets_at: sample::now(),
            };
            sample::render(Locale::ko, move || view! { <Spend limits=Signal::from(limits)/> })
        };
        let html = bar(10, 2_000_000);
        assert!(html.contains("오늘 생성") && html.contains(">10 / 10건<"), "{html}");
        assert!(html.contains("data-state=\"failed\"") && html.contains("value=\"100\""), "{html}");
        assert!(html.contains("$2.00/$20.00") && html.contains("Asia/Seoul"), "{html}");
        let html = bar(1, 17_000_000);
        assert!(html.contains("오늘 비용") && html.contains(">$17.00 / $20.00<"), "{html}");
        assert!(html.contains("data-state=\"attention\"") && html.contains("1/10건"), "{html}");
        assert!(!bar(1, 2_000_000).contains("data-state"));
    }
}
