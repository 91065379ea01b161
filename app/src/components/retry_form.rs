//! The way on from a generation without a video: its retry with the price on the button, or the retry there is.

use domain::{
    MicroUsd,
    cost::{RetryOffer, Reused},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    error_block::ErrorBlock,
    limits_line::{LimitsLine, is_reached},
    post_form::PostForm,
};
use crate::{
    api::generations::{RetryDesk, RetryGeneration},
    i18n::Locale,
    live::use_live,
    shell::use_locale,
};

/// Asks for the retry of a generation.
#[component]
pub fn RetryForm(
    /// What is offered.
    desk: RetryDesk,
    /// The click.
    action: ServerAction<RetryGeneration>,
) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let pending = action.pending();
    let RetryDesk { of, key, offer } = desk;
    let offer = match offer {
        Ok(offer) => offer,
        Err(error) => return view! { <ErrorBlock error/> }.into_any(),
    };
    let (price, known) = (offer.quote.total, offer.quote.limits);
    let limits = Signal::derive(move || live.limits.get().unwrap_or(known));
    let is_over = Memo::new(move |_| is_reached(&limits.get(), price));
    let word = button_word(locale, &offer);
    view! {
        <PostForm
            action
            class="stack tight"
            read=|form| {
                Some(RetryGeneration { id: form.parse("id")?, key: form.parse("key")?, price: form.parse("price")? })
            }
        >
            <input type="hidden" name="id" value=of.to_string()/>
            <input type="hidden" name="key" value=key.to_string()/>
            <input type="hidden" name="price" value=price.micros().to_string()/>
            <button
                class="button primary"
                type="submit"
                disabled=move || pending.get() || is_over.get()
                aria-busy=move || pending.get().then_some("true")
                data-testid="retry"
            >
                {move || if pending.get() { td_string!(locale, generate.pending).to_owned() } else { word.clone() }}
            </button>
            {move || is_over.get().then(|| view! { <LimitsLine limits=limits.get() price/> })}
        </PostForm>
    }
    .into_any()
}

/// What it costs and what is not bought again.
fn button_word(locale: Locale, offer: &RetryOffer) -> String {
    let price = offer.quote.total;
    let word = if price == MicroUsd::ZERO {
        td_string!(locale, retry.free).to_owned()
    } else {
        td_string!(locale, retry.button, price = price.display_cents())
    };
    match offer.reused.last() {
        None => word,
        Some(Reused::OneStill) => format!("{word} · {}", td_string!(locale, retry.reuses_one_still)),
        Some(Reused::Stills) => format!("{word} · {}", td_string!(locale, retry.reuses_stills)),
        Some(Reused::Clip) => format!("{word} · {}", td_string!(locale, retry.reuses_clip)),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::{
        GenerationId, RequestKey,
        cost::{LimitStatus, Quote},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{AppError, sample};

    fn form(locale: Locale, offer: Result<RetryOffer, AppError>) -> String {
        let desk = RetryDesk {
            of: GenerationId::from_uuid(Uuid::from_u128(7)),
            key: RequestKey::from_uuid(Uuid::from_u128(8)),
            offer,
        };
        sample::render(locale, move || view! { <RetryForm desk action=ServerAction::new()/> })
    }

    fn offer(total: i64, spend_limit: i64, reused: &[Reused]) -> RetryOffer {
        let limits = LimitStatus {
            generations: 3,
            generations_limit: 100,
            spend: MicroUsd::new(900_000),
            spend_limit: MicroUsd::new(spend_limit),
            resets_at: sample::now(),
        };
        let quote = Quote { total: MicroUsd::new(total), lines: Vec::new(), limits };
        RetryOffer { quote, reused: reused.to_vec() }
    }

    #[test]
    fn the_button_says_what_it_costs_and_what_is_kept() {
        let html = form(Locale::en, Ok(offer(200_000, 20_000_000, &[Reused::Stills])));
        assert!(html.contains("Retry for $0.20 · the stills are reused"), "{html}");
        assert!(html.contains("method=\"post\"") && !html.contains("disabled"), "{html}");
        let html = form(Locale::ko, Ok(offer(271_760, 20_000_000, &[])));
        assert!(html.contains("$0.27에 다시 시도") && !html.contains("그대로"), "{html}");
        let html = form(Locale::en, Ok(offer(0, 20_000_000, &[Reused::Stills, Reused::Clip])));
        assert!(html.contains("Retry at no cost · the stills and the clip are reused"), "{html}");
    }

    #[test]
    fn without_a_price_or_beyond_the_limit_there_is_no_click() {
        let html = form(Locale::en, Ok(offer(200_000, 1_000_000, &[Reused::Stills])));
        assert!(html.contains("disabled"), "{html}");
        let html = form(Locale::en, Err(AppError::Unavailable));
        assert!(html.contains("role=\"alert\"") && !html.contains("<button"), "{html}");
    }
}
