//! A generation without a video: what happened, what it cost, what to do, which id to quote, and the way on.

use domain::{GenerationId, GenerationState, MicroUsd, generation::GenerationView};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    retry_form::RetryForm,
};
use crate::{
    api::generations::{RetryDesk, RetryGeneration},
    shell::use_locale,
    words,
};

/// Explains a failed or cancelled generation; nothing for any other.
#[component]
pub fn FailureBlock(
    /// The generation.
    generation: GenerationView,
    /// Its retry, where one is offered.
    offer: Option<RetryDesk>,
    /// The click on it.
    retry: ServerAction<RetryGeneration>,
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
    let id = generation.id;
    let way_on = match generation.retried_as {
        Some(retry) => Some(view! { <RetryLink retry/> }.into_any()),
        None => offer.filter(|offer| offer.of == id).map(|desk| view! { <RetryForm desk action=retry/> }.into_any()),
    };
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
                    {td_string!(locale, failed.quote)} " " <code>{id.to_string()}</code>
                </p>
                {way_on.map(|way_on| view! { <div class="alert-next">{way_on}</div> })}
            </div>
        </div>
    })
}

/// The way to the retry there is.
#[component]
fn RetryLink(retry: GenerationId) -> impl IntoView {
    view! {
        <a class="button" href=format!("/admin/generations/{retry}") data-testid="retried-as">
            {td_string!(use_locale(), retry.open)}
        </a>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{i18n::Locale, sample};

    #[test]
    fn a_failure_says_what_it_cost_and_which_id_to_quote() {
        let generation = sample::generation(GenerationState::Failed);
        let id = generation.id.to_string();
        let html = block(Locale::en, generation);
        for part in ["role=\"alert\"", "It cost $0.0718.", "Generate again in a moment.", &id, "timeout after 300 s"] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }

    #[test]
    fn a_running_generation_has_no_failure() {
        let generation = sample::generation(GenerationState::Encoding);
        let html = block(Locale::ko, generation);
        assert!(!html.contains("alert"), "{html}");
    }

    #[test]
    fn a_retried_one_leads_to_its_retry() {
        let retry = GenerationId::from_uuid(uuid::Uuid::from_u128(9));
        let generation = GenerationView { retried_as: Some(retry), ..sample::generation(GenerationState::Failed) };
        let html = block(Locale::en, generation);
        assert!(html.contains(&format!("href=\"/admin/generations/{retry}\"")), "{html}");
    }

    fn block(locale: Locale, generation: GenerationView) -> String {
        sample::render(locale, move || view! { <FailureBlock generation offer=None retry=ServerAction::new()/> })
    }
}
