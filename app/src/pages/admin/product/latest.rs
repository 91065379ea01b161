//! What became of the clicks on a product.

use domain::generation::GenerationView;
use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::{
    api::generations::{RetryDesk, RetryGeneration},
    components::{
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
) -> impl IntoView {
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(use_locale(), product.latest)}</h2>
                {move || latest.get().map(|latest| view! { <LatestTools latest/> })}
            </header>
            <div class="card-body">
                <Latest latest offer retry/>
            </div>
        </section>
    }
}

#[component]
fn LatestTools(latest: GenerationView) -> impl IntoView {
    let locale = use_locale();
    view! {
        <div class="row">
            <StateChip state=latest.state progress=latest.progress is_cancelling=latest.is_cancelling()/>
            <a class="button small" href=format!("/admin/generations/{}", latest.id)>
                {td_string!(locale, product.details)}
            </a>
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
