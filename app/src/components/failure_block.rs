//! A generation without a video: what happened, what it cost, what to do, which id to quote, and the way on.

use domain::{
    FailureCode, GenerationId, GenerationState, MicroUsd,
    generation::{FailureView, GenerationView},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    retry_form::{RetryForm, reuse_sentence},
};
use crate::{
    api::generations::{RetryDesk, RetryGeneration},
    i18n::Locale,
    shell::use_locale,
    words::{self, RetryHelp},
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
        (td_string!(locale, failed.cancelled_title), "none", IconName::Cancelled)
    } else {
        (td_string!(locale, failed.title), "failed", IconName::Failed)
    };
    let id = generation.id;
    let what = words::failure_what(locale, failure.code);
    let what = format!("{what} {}", cost_sentence(locale, generation.paid));
    let way_on = match generation.retried_as {
        Some(retry) => view! { <RetryLink retry/> }.into_any(),
        None => {
            let offer = offer.filter(|offer| offer.of == id);
            view! { <WayOn failure=failure.clone() offer retry/> }.into_any()
        }
    };
    Some(view! {
        <div class="alert" role="alert" data-state=hue>
            <Icon name=icon size=20/>
            <div class="alert-body">
                <p class="alert-title">{title}</p>
                <p class="alert-text">{what}</p>
                {way_on}
                {failure.detail.map(|detail| view! { <Detail detail/> })}
                <p class="alert-id">
                    {td_string!(locale, failed.quote)} " " <code>{id.to_string()}</code>
                </p>
            </div>
        </div>
    })
}

fn cost_sentence(locale: Locale, paid: MicroUsd) -> String {
    if paid == MicroUsd::ZERO {
        td_string!(locale, failed.no_cost).to_owned()
    } else {
        td_string!(locale, failed.cost, cost = paid.display())
    }
}

/// What to do, and the retry where it can be of use: its advice and its button say the same.
#[component]
fn WayOn(failure: FailureView, offer: Option<RetryDesk>, retry: ServerAction<RetryGeneration>) -> impl IntoView {
    let locale = use_locale();
    let help = words::retry_help(failure.code);
    let offer = offer.filter(|_| help != RetryHelp::Never);
    let reuse = offer.as_ref().and_then(|desk| reuse_sentence(locale, desk.offer.as_ref().ok()?));
    // There the advice says so itself: it is the reason not to retry.
    let reuse = reuse.filter(|_| failure.code != FailureCode::ContentRefused);
    let form = offer.map(|desk| {
        view! {
            <div class="alert-next">
                <RetryForm desk action=retry is_primary={help == RetryHelp::Helps}/>
            </div>
        }
    });
    let next = words::failure_next(locale, &failure);
    view! {
        <p class="alert-text">{reuse.map_or_else(|| next.to_owned(), |reuse| format!("{next} {reuse}"))}</p>
        {form}
    }
}

/// A provider's or a tool's own words, for who asks.
#[component]
fn Detail(detail: String) -> impl IntoView {
    view! {
        <details class="disclosure">
            <summary>
                <Icon name=IconName::ChevronRight/>
                {td_string!(use_locale(), failed.detail)}
            </summary>
            <div class="disclosure-body">
                <code>{detail}</code>
            </div>
        </details>
    }
}

/// The way to the retry there is.
#[component]
fn RetryLink(retry: GenerationId) -> impl IntoView {
    view! {
        <div class="alert-next">
            <a class="button" href=format!("/admin/generations/{retry}") data-testid="retried-as">
                {td_string!(use_locale(), retry.open)}
            </a>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::{FailureCode, RequestKey, Stage, cost::Reused};
    use uuid::Uuid;

    use super::*;
    use crate::sample;

    fn block(locale: Locale, generation: GenerationView) -> String {
        let offer = RetryDesk {
            of: generation.id,
            key: RequestKey::from_uuid(Uuid::from_u128(8)),
            offer: Ok(sample::offer(200_000, 20_000_000, &[Reused::Stills])),
        };
        sample::render(locale, move || {
            view! { <FailureBlock generation offer=Some(offer) retry=ServerAction::new()/> }
        })
    }

    fn failed(code: FailureCode, stage: Stage) -> String {
        let failure = Some(sample::failure(code, stage, None));
        block(Locale::en, GenerationView { failure, ..sample::generation(GenerationState::Failed) })
    }

    #[test]
    fn a_failure_says_what_it_cost_and_which_id_to_quote() {
        let generation = sample::generation(GenerationState::Failed);
        let id = generation.id.to_string();
        let html = block(Locale::en, generation);
        for part in ["role=\"alert\"", "It cost $0.0718.", "Retry in a moment.", &id, "timeout after 300 s"] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }

    #[test]
    fn the_advice_fits_the_button() {
        let html = failed(FailureCode::ProviderTimeout, Stage::Clip);
        assert!(html.contains("Retry in a moment. The stills already paid for are reused."), "{html}");
        assert!(html.contains("class=\"button primary\""), "a retry is the thing to do: {html}");
        for (code, stage, advice) in [
            (FailureCode::PhotoRefused, Stage::Stills, "Replace it"),
            (FailureCode::ContentRefused, Stage::Stills, "another product photo"),
            (FailureCode::ContentRefused, Stage::Clip, "a new generation makes new ones, a retry reuses"),
            (FailureCode::ProviderAccount, Stage::Stills, "Ask an operator"),
        ] {
            let html = failed(code, stage);
            assert!(html.contains(advice) && html.contains("data-testid=\"retry\""), "{html}");
            assert!(!html.contains("primary"), "the same would come of it: {html}");
            assert!(html.matches("already paid for").count() <= 1, "{html}");
        }
        let html = failed(FailureCode::ProductGone, Stage::Stills);
        assert!(!html.contains("<button"), "a retry without a photo cannot begin: {html}");
    }

    #[test]
    fn a_cancelled_generation_is_no_failure() {
        let html = block(Locale::ko, sample::generation(GenerationState::Cancelled));
        assert!(html.contains("data-state=\"none\"") && !html.contains("data-state=\"failed\""), "{html}");
        assert!(html.contains("생성을 취소했습니다") && html.contains("이미 지불한 착용 이미지는 그대로"), "{html}");
    }

    #[test]
    fn a_running_generation_has_no_failure() {
        let html = block(Locale::ko, sample::generation(GenerationState::Encoding));
        assert!(!html.contains("alert"), "{html}");
    }

    #[test]
    fn a_retried_one_leads_to_its_retry_and_advises_nothing_else() {
        let retry = GenerationId::from_uuid(Uuid::from_u128(9));
        let generation = GenerationView { retried_as: Some(retry), ..sample::generation(GenerationState::Failed) };
        let html = block(Locale::en, generation);
        assert!(html.contains(&format!("href=\"/admin/generations/{retry}\"")), "{html}");
        assert!(!html.contains("Retry in a moment") && !html.contains("<button"), "{html}");
    }
}
