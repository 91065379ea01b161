//! What became of the clicks on a product.

use domain::generation::GenerationView;
use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::{
    api::generations::{CancelGeneration, RetryDesk, RetryGeneration},
    components::{
        cancel_form::CancelForm,
        chip::StateChip,
        empty::Empty,
        error_block::ErrorBlock,
        failure_block::FailureBlock,
        generation_table::{GenerationTable, row_of},
        pictures::Pictures,
        story::Story,
    },
    shell::use_locale,
};

/// The newest generation of a product: how it failed and what its retry costs, its story, its pictures.
#[component]
pub(super) fn LatestCard(
    /// As new as it is known; none before the first click.
    latest: Memo<Option<GenerationView>>,
    /// Its retry, where one is offered.
    offer: Option<RetryDesk>,
    /// The click on it.
    retry: ServerAction<RetryGeneration>,
    /// Stops it while it runs.
    cancel: ServerAction<CancelGeneration>,
) -> impl IntoView {
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(use_locale(), product.latest)}</h2>
                <LatestTools latest cancel/>
            </header>
            <div class="card-body">
                {move || cancel.value().get().and_then(Result::err).map(|error| view! { <ErrorBlock error/> })}
                <Latest latest offer retry/>
            </div>
        </section>
    }
}

#[component]
fn LatestTools(latest: Memo<Option<GenerationView>>, cancel: ServerAction<CancelGeneration>) -> impl IntoView {
    let locale = use_locale();
    let state = Memo::new(move |_| {
        latest.with(|latest| latest.as_ref().map(|one| (one.state, one.progress, one.is_cancelling())))
    });
    let id = Memo::new(move |_| latest.with(|latest| latest.as_ref().map(|one| one.id)));
    // The form stays while the generation goes on: somebody may be about to press it.
    let running = Memo::new(move |_| id.get().filter(|_| state.get().is_some_and(|(state, ..)| !state.is_final())));
    let is_cancelling = Signal::derive(move || state.get().is_some_and(|(.., is_cancelling)| is_cancelling));
    view! {
        <div class="row">
            {move || {
                state.get().map(|(state, progress, is_cancelling)| view! { <StateChip state progress is_cancelling/> })
            }}
            {move || running.get().map(|id| view! { <CancelForm id cancel is_cancelling class="button small danger"/> })}
            {move || {
                id.get()
                    .map(|id| {
                        view! {
                            <a class="button small" href=format!("/admin/generations/{id}")>
                                {td_string!(locale, product.details)}
                            </a>
                        }
                    })
            }}
        </div>
    }
}

#[component]
fn Latest(
    latest: Memo<Option<GenerationView>>,
    offer: Option<RetryDesk>,
    retry: ServerAction<RetryGeneration>,
) -> impl IntoView {
    let locale = use_locale();
    // Built once for each generation; inside, signals follow its snapshots.
    let id = Memo::new(move |_| latest.with(|latest| latest.as_ref().map(|latest| latest.id)));
    let failed = Memo::new(move |_| latest.get().filter(|latest| latest.failure.is_some()));
    move || match id.get().and_then(|_| latest.get_untracked()) {
        Some(first) => {
            let generation = Signal::derive(move || latest.get().unwrap_or_else(|| first.clone()));
            let offer = offer.clone();
            view! {
                <div class="stack" data-testid="latest">
                    {move || retry.value().get().and_then(Result::err).map(|error| view! { <ErrorBlock error/> })}
                    {move || {
                        let offer = offer.clone();
                        failed.get().map(|generation| view! { <FailureBlock generation offer retry/> })
                    }}
                    <Story generation/>
                    <Pictures generation/>
                </div>
            }
            .into_any()
        }
        None => view! {
            <Empty
                title=td_string!(locale, product.none_title)
                text=td_string!(locale, product.none_text)
                action=None
            />
        }
        .into_any(),
    }
}

/// Generations before the newest.
#[component]
pub(super) fn Earlier(generations: Vec<GenerationView>) -> impl IntoView {
    let locale = use_locale();
    if generations.is_empty() {
        return None;
    }
    let rows = generations.iter().map(row_of).collect::<Vec<_>>();
    Some(view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, product.previous)}</h2>
            </header>
            <div class="card-body flush">
                <GenerationTable rows/>
            </div>
        </section>
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::GenerationState;

    use super::*;
    use crate::{i18n::Locale, sample};

    #[test]
    fn what_runs_can_be_cancelled_where_it_was_clicked() {
        let tools = |latest: Option<GenerationView>| {
            sample::render(Locale::en, move || {
                let latest = Memo::new(move |_| latest.clone());
                view! { <LatestTools latest cancel=ServerAction::new()/> }
            })
        };
        let html = tools(Some(sample::generation(GenerationState::GeneratingVideo)));
        assert!(
            html.contains("action=\"/api/admin/generations/cancel\"") && html.contains("Cancel generation"),
            "{html}"
        );
        let asked = GenerationView { cancel_requested: true, ..sample::generation(GenerationState::GeneratingVideo) };
        let html = tools(Some(asked));
        assert!(html.contains(" disabled") && html.contains("Cancelling…"), "{html}");
        let html = tools(Some(sample::generation(GenerationState::Completed)));
        assert!(!html.contains("<form") && html.contains("/admin/generations/"), "{html}");
        assert!(!tools(None).contains("<a"), "nothing was clicked yet");
    }
}
