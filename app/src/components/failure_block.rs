//! A generation without a video: what happened, what it cost, what to do, which id to quote.

use domain::{GenerationState, MicroUsd, generation::GenerationView};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{shell::use_locale, words};

/// Explains a failed or cancelled generation; nothing for any other.
#[component]
pub fn FailureBlock(
    /// The generation.
    generation: GenerationView,
) -> impl IntoView {
    let locale = use_locale();
    let failure = generation.failure?;
    let (title, hue, icon) = if generation.state == GenerationState::Cancelled {
        (td_string!(locale, failed.cancelled_title), "attention", IconName::Cancelled)
    } else {
        (td_string!(locale, failed.title), "failed", IconName::Failed)
    };
    let cost = if generation.paid == MicroUsd::ZERO {
        td_string!(locale, failed.no_cost).to_owned()
    } else {
        td_string!(locale, failed.cost, cost = generation.paid.display())
    };
    let detail = failure.detail.map(|detail| {
        view! {
            <details class="disclosure">
                <summary>
                    <Icon name=IconName::ChevronRight/>
                    {td_string!(locale, failed.detail)}
                </summary>
                <div class="disclosure-body">
                    <code>{detail}</code>
                </div>
            </details>
        }
    });
    Some(view! {
        <div class="alert" role="alert" data-state=hue>
            <Icon name=icon size=20/>
            <div class="alert-body">
                <p class="alert-title">{title}</p>
                <p class="alert-text">
                    {format!("{} {cost} {}", words::failure_what(locale, failure.code), words::failure_next(locale, failure.code))}
                </p>
                {detail}
                <p class="alert-id">
                    {td_string!(locale, failed.quote)} " " <code>{generation.id.to_string()}</code>
                </p>
            </div>
        </div>
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{i18n::Locale, sample};

    #[test]
    fn a_failure_says_what_it_cost_and_which_id_to_quote() {
        let generation = sample::generation(GenerationState::Failed);
        let id = generation.id.to_string();
        let html = sample::render(Locale::en, move || view! { <FailureBlock generation/> });
        for part in ["role=\"alert\"", "It cost $0.0718.", "Generate again in a moment.", &id, "timeout after 300 s"] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }

    #[test]
    fn a_running_generation_has_no_failure() {
        let generation = sample::generation(GenerationState::Encoding);
        let html = sample::render(Locale::ko, move || view! { <FailureBlock generation/> });
        assert!(!html.contains("alert"), "{html}");
    }
}
