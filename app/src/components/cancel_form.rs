//! Stopping a generation.

use domain::GenerationId;
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    post_form::PostForm,
};
use crate::{api::generations::CancelGeneration, shell::use_locale};

/// The way to the end, until it was asked for; then it says so until the end has come.
#[component]
pub fn CancelForm(
    /// What is to end.
    id: GenerationId,
    /// The click.
    cancel: ServerAction<CancelGeneration>,
    /// What the server knows.
    is_cancelling: Signal<bool>,
    /// Class of the button.
    class: &'static str,
) -> impl IntoView {
    let locale = use_locale();
    // Between the answer and the snapshot that shows it.
    let was_taken = move || cancel.value().with(|answer| matches!(answer, Some(Ok(asked)) if *asked == id));
    let is_asked = Memo::new(move |_| cancel.pending().get() || was_taken() || is_cancelling.get());
    view! {
        <PostForm action=cancel read=|form| Some(CancelGeneration { id: form.parse("id")? })>
            <input type="hidden" name="id" value=id.to_string()/>
            <button
                class=class
                type="submit"
                disabled=move || is_asked.get()
                aria-busy=move || is_asked.get().then_some("true")
                title=td_string!(locale, story.cancel_note)
                data-testid="cancel"
            >
                <Icon name=IconName::Stop/>
                {move || {
                    if is_asked.get() { td_string!(locale, story.cancelling) } else { td_string!(locale, story.cancel) }
                }}
            </button>
        </PostForm>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::{GenerationState, generation::GenerationView};

    use super::*;
    use crate::{i18n::Locale, sample};

    #[test]
    fn a_generation_that_is_being_stopped_offers_no_second_click() {
        let form = |cancel_requested| {
            let generation = GenerationView { cancel_requested, ..sample::generation(GenerationState::Encoding) };
            sample::render(Locale::ko, move || {
                let id = generation.id;
                let is_cancelling = Signal::derive(move || generation.is_cancelling());
                view! { <CancelForm id cancel=ServerAction::new() is_cancelling class="button"/> }
            })
        };
        let html = form(true);
        assert!(html.contains(" disabled") && html.contains("취소하는 중"), "{html}");
        let html = form(false);
        assert!(!html.contains(" disabled") && html.contains("생성 취소"), "{html}");
    }
}
