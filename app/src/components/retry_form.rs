//! The retry of a generation without a video, with its price on the button.

use domain::{
    MicroUsd,
    cost::{RetryOffer, Reused},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    at_most::AtMost,
    error_block::ErrorBlock,
    limits_line::{LimitNote, reached},
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
    /// Whether it is the thing to do; else it is one thing among others.
    is_primary: bool,
) -> impl IntoView {
    let live = use_live();
    let RetryDesk { of, key, offer } = desk;
    let offer = match offer {
        Ok(offer) => offer,
        Err(error) => return view! { <ErrorBlock error/> }.into_any(),
    };
    let (price, known) = (offer.quote.total, offer.quote.limits);
    let most = offer.quote.most;
    let limits = Signal::derive(move || live.limits.get().unwrap_or(known));
    let is_over = Memo::new(move |_| reached(&limits.get(), price).is_some());
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
            <RetryButton price pending=action.pending() is_over is_primary/>
            <AtMost most/>
            <LimitNote limits price/>
        </PostForm>
    }
    .into_any()
}

#[component]
fn RetryButton(price: MicroUsd, pending: Memo<bool>, is_over: Memo<bool>, is_primary: bool) -> impl IntoView {
    let locale = use_locale();
    let is_free = price == MicroUsd::ZERO;
    let word = move || match (pending.get(), is_free) {
        (true, _) => td_string!(locale, generate.pending),
        (false, true) => td_string!(locale, retry.free),
        (false, false) => td_string!(locale, retry.button),
    };
    view! {
        <button
            class=if is_primary { "button primary" } else { "button" }
            type="submit"
            disabled=move || pending.get() || is_over.get()
            aria-busy=move || pending.get().then_some("true")
            data-testid="retry"
        >
            {word}
            {(!is_free)
                .then(|| {
                    view! {
                        // Seen as a line, read as a dot.
                        <span class="visually-hidden">" · "</span>
                        <span class="button-price figures">
                            {td_string!(locale, generate.price, price = price.display_cents())}
                        </span>
                    }
                })}
        </button>
    }
}

/// What a retry does not buy again, in a sentence; none when it buys everything.
pub fn reuse_sentence(locale: Locale, offer: &RetryOffer) -> Option<&'static str> {
    offer.reused.last().map(|what| match what {
        Reused::OneStill => td_string!(locale, retry.reuses_one_still),
        Reused::Stills => td_string!(locale, retry.reuses_stills),
        Reused::Clip => td_string!(locale, retry.reuses_clip),
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::{GenerationId, RequestKey};
    use uuid::Uuid;

    use super::*;
    use crate::{AppError, sample};

    fn form(locale: Locale, offer: Result<RetryOffer, AppError>) -> String {
        let desk = RetryDesk {
            of: GenerationId::from_uuid(Uuid::from_u128(7)),
            key: RequestKey::from_uuid(Uuid::from_u128(8)),
            offer,
        };
        sample::render(locale, move || view! { <RetryForm desk action=ServerAction::new() is_primary=true/> })
    }

    #[test]
    fn the_button_says_what_it_costs() {
        let html = form(Locale::en, Ok(sample::offer(200_000, 20_000_000, &[Reused::Stills])));
        assert!(html.contains("Retry") && html.contains("about $0.20"), "{html}");
        assert!(html.contains("method=\"post\"") && !html.contains("disabled"), "{html}");
        let html = form(Locale::ko, Ok(sample::offer(271_760, 20_000_000, &[])));
        assert!(html.contains("다시 시도") && html.contains("약 $0.27"), "{html}");
        let html = form(Locale::en, Ok(sample::offer(0, 20_000_000, &[Reused::Stills, Reused::Clip])));
        assert!(html.contains("Retry at no cost") && !html.contains("about"), "{html}");
    }

    #[test]
    fn what_is_not_bought_again_is_said() {
        let said = |reused: &[Reused]| reuse_sentence(Locale::en, &sample::offer(0, 1, reused)).unwrap_or_default();
        assert_eq!(said(&[]), "");
        assert_eq!(said(&[Reused::Stills]), "The stills already paid for are reused.");
        assert!(said(&[Reused::Stills, Reused::Clip]).contains("the clip"));
    }

    #[test]
    fn without_a_price_or_beyond_the_limit_there_is_no_click() {
        let html = form(Locale::en, Ok(sample::offer(200_000, 1_000_000, &[Reused::Stills])));
        assert!(html.contains("disabled") && html.contains("This would pass today's limit of $1.00."), "{html}");
        let html = form(Locale::en, Err(AppError::Unavailable));
        assert!(html.contains("role=\"alert\"") && !html.contains("<button"), "{html}");
    }
}
