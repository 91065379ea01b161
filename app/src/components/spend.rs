//! The limits of the day in the top bar, the one that will be reached first in front.

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

/// A thin bar for the fuller limit of the day with the figures of both, leading to the costs.
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
    view! {
        <a class="spend" href="/admin/costs" data-state=hue title=title data-testid="spend">
            <span class="spend-text figures">
                {td_string!(locale, spend.label)} " " <Part limits kind=LimitKind::Generations/>
                <span class="spend-other">" · "</span> <Part limits kind=LimitKind::Spend/>
            </span>
            <progress
                class="progress"
                max="100"
                value=move || limits.get().percent().to_string()
                aria-label=move || limits_words(locale, &limits.get())
            ></progress>
        </a>
    }
}

/// What is used of one limit; the fuller one stands out, and is the one a narrow bar has room for.
#[component]
fn Part(limits: Signal<LimitStatus>, kind: LimitKind) -> impl IntoView {
    let locale = use_locale();
    move || {
        let limits = limits.get();
        let figures = figures(locale, &limits, kind);
        if limits.fuller() == kind {
            view! { <b>{figures}</b> }.into_any()
        } else {
            view! { <span class="spend-other">{figures}</span> }.into_any()
        }
    }
}

fn figures(locale: Locale, limits: &LimitStatus, kind: LimitKind) -> String {
    match kind {
        LimitKind::Generations => {
            td_string!(locale, spend.generations, used = limits.generations, limit = limits.generations_limit)
        }
        LimitKind::Spend => td_string!(
            locale,
            spend.spend,
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
    fn the_fuller_limit_stands_out_and_both_are_told() {
        let bar = |generations, spend| {
            let limits = LimitStatus {
                generations,
                generations_limit: 10,
                spend: MicroUsd::new(spend),
                spend_limit: MicroUsd::new(20_000_000),
                resets_at: sample::now(),
            };
            sample::render(Locale::ko, move || view! { <Spend limits=Signal::from(limits)/> }).replace("<!>", "")
        };
        let html = bar(10, 2_000_000);
        assert!(html.contains("<b>10/10건</b>") && html.contains("spend-other\">$2.00/$20.00<"), "{html}");
        assert!(html.contains("data-state=\"failed\"") && html.contains("value=\"100\""), "{html}");
        assert!(html.contains("Asia/Seoul"), "when they reset is in the title: {html}");
        let html = bar(1, 17_000_000);
        assert!(html.contains("<b>$17.00/$20.00</b>") && html.contains("1/10건"), "{html}");
        assert!(html.contains("data-state=\"attention\""), "{html}");
        assert!(!bar(1, 2_000_000).contains("data-state"));
    }
}
