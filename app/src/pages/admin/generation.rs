//! One generation: its story, its pictures, what happened, what was bought.

use domain::{
    GenerationId, Options,
    generation::{CallView, GenerationDetail, GenerationView, TimelineEntry},
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_params_map;

use super::{not_found::NotFoundPage, product::tab_title};
use crate::{
    api::generations::{CancelGeneration, GenerationDesk, RetryDesk, RetryGeneration, load_generation},
    components::{
        calls::Calls,
        cancel_form::CancelForm,
        chip::StateChip,
        error_block::ErrorBlock,
        failure_block::FailureBlock,
        icon::{Icon, IconName},
        lasting::Lasting,
        moment::Moment,
        pictures::Pictures,
        playback::Playback,
        refresher::Refresher,
        skeleton::PageSkeleton,
        story::Story,
        timeline::Timeline,
        title::PageTitle,
    },
    error::AppError,
    i18n::Locale,
    live::use_live,
    shell::use_locale,
    words::{self, local},
};

/// The page of the generation in the address.
#[component]
pub fn GenerationPage() -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<GenerationId>().ok()));
    let cancel = ServerAction::<CancelGeneration>::new();
    let retry = ServerAction::<RetryGeneration>::new();
    // Timeline and calls load anew when something happened, not with every percent.
    let happened = Memo::new(move |_| id.get().and_then(|id| live.generation(id)).map(|view| happenings(&view)));
    let detail = crate::wire::resource(
        move || (id.get(), cancel.version().get(), retry.version().get(), happened.get(), live.reopened.get()),
        |(id, ..)| async move {
            match id {
                Some(id) => load_generation(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    let lasting = Lasting::here();
    view! {
        <Transition fallback=move || view! { <PageSkeleton text=td_string!(locale, generation.loading)/> }>
            {move || {
                let lasting = lasting.clone();
                Suspend::new(async move {
                    match detail.await {
                        Ok(GenerationDesk { detail, retry: offer }) => {
                            lasting.view(|| view! { <Detail detail offer cancel retry/> }.into_any())
                        }
                        Err(AppError::NotFound) => view! { <NotFoundPage/> }.into_any(),
                        Err(error) => {
                            view! {
                                <PageTitle text=td_string!(locale, generation.title).to_owned()/>
                                <ErrorBlock error/>
                            }
                            .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

/// What changes in a snapshot when the timeline or the calls have changed.
fn happenings(
    view: &GenerationView,
) -> (domain::GenerationState, bool, Vec<domain::StageState>, usize, i64, i64, u16, Option<GenerationId>) {
    (
        view.state,
        view.cancel_requested,
        view.stages.iter().map(|stage| stage.state).collect(),
        view.stills.len(),
        view.paid.micros(),
        view.held.micros(),
        view.attempt.number,
        view.retried_as,
    )
}

#[component]
fn Detail(
    detail: GenerationDetail,
    offer: Option<RetryDesk>,
    cancel: ServerAction<CancelGeneration>,
    retry: ServerAction<RetryGeneration>,
) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let GenerationDetail { view: page, timeline, calls, playback } = detail;
    let known = page.clone();
    let generation = Memo::new(move |_| live.newest(known.clone()));
    let name = local(&page.product_name, locale).to_owned();
    let title = {
        let name = name.clone();
        Signal::derive(move || {
            generation.with(|generation| {
                format!("{} · {}", tab_title(locale, generation, &name), td_string!(locale, generation.title))
            })
        })
    };
    let failed = Memo::new(move |_| Some(generation.get()).filter(|generation| generation.failure.is_some()));
    view! {
        <PageTitle text=title/>
        {(!page.state.is_final()).then(|| view! { <Refresher/> })}
        <div class="stack">
            <Head page=page.clone() generation cancel/>
            {move || cancel.value().get().and_then(Result::err).map(|error| view! { <ErrorBlock error/> })}
            {move || retry.value().get().and_then(Result::err).map(|error| view! { <ErrorBlock error/> })}
            {move || {
                let offer = offer.clone();
                failed.get().map(|generation| view! { <FailureBlock generation offer retry/> })
            }}
            <section class="card">
                <div class="card-body stack">
                    <Story generation/>
                    <Pictures generation/>
                </div>
            </section>
            {playback
                .map(|playback| {
                    view! { <Playback title=td_string!(locale, playback.title) playback cost=page.paid/> }
                })}
            <Evidence options=page.options id=page.id timeline calls/>
        </div>
    }
}

/// What was bought, what happened, what was chosen.
#[component]
fn Evidence(options: Options, id: GenerationId, timeline: Vec<TimelineEntry>, calls: Vec<CallView>) -> impl IntoView {
    let locale = use_locale();
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, generation.calls)}</h2>
            </header>
            <div class="card-body flush">
                <Calls calls/>
            </div>
        </section>
        <div class="split">
            <section class="card">
                <header class="card-head">
                    <h2 class="card-title">{td_string!(locale, generation.timeline)}</h2>
                </header>
                <div class="card-body">
                    <Timeline entries=timeline recipe=options.recipe/>
                </div>
            </section>
            <aside>
                <section class="card">
                    <header class="card-head">
                        <h2 class="card-title">{td_string!(locale, generation.options)}</h2>
                    </header>
                    <div class="card-body">
                        <Chosen options id/>
                    </div>
                </section>
            </aside>
        </div>
    }
}

#[component]
fn Head(
    page: GenerationView,
    generation: Memo<GenerationView>,
    cancel: ServerAction<CancelGeneration>,
) -> impl IntoView {
    let locale = use_locale();
    let name = local(&page.product_name, locale).to_owned();
    let state = Memo::new(move |_| {
        generation.with(|generation| (generation.state, generation.progress, generation.is_cancelling()))
    });
    let is_running = Memo::new(move |_| !state.get().0.is_final());
    let is_cancelling = Signal::derive(move || state.get().2);
    let id = page.id;
    view! {
        <header class="page-head">
            <a class="page-back" href="/admin/generations">
                <Icon name=IconName::ArrowLeft/>
                {td_string!(locale, generation.back)}
            </a>
            <div class="page-head-row">
                <div class="page-head-text">
                    <div class="page-title-row">
                        <h1 class="page-title">{name}</h1>
                        {move || {
                            let (state, progress, is_cancelling) = state.get();
                            view! { <StateChip state progress is_cancelling/> }
                        }}
                    </div>
                    <p class="page-sub">
                        {td_string!(locale, generation.requested, who = page.requested_by.clone())} " · "
                        <Moment at=page.created_at/>
                        {page.retry_of.map(|id| view! { <RetryOf id/> })}
                    </p>
                </div>
                <div class="page-actions">
                    <a class="button" href=format!("/admin/products/{}", page.product_id)>
                        {td_string!(locale, generation.product)}
                    </a>
                    {move || is_running.get().then(|| view! { <CancelForm id cancel is_cancelling class="button danger"/> })}
                </div>
            </div>
        </header>
    }
}

/// The way back to the generation this one is a retry of.
#[component]
fn RetryOf(id: GenerationId) -> impl IntoView {
    view! {
        " · "
        {td_string!(use_locale(), retry.of)}
        " "
        <a href=format!("/admin/generations/{id}") data-testid="retry-of">
            <code>{id.to_string()}</code>
        </a>
    }
}

#[component]
fn Chosen(options: Options, id: GenerationId) -> impl IntoView {
    let locale = use_locale();
    let facts = chosen_facts(locale, &options);
    view! {
        <dl class="facts">
            {facts
                .into_iter()
                .map(|(word, value)| {
                    view! {
                        <div class="fact">
                            <dt>{word}</dt>
                            <dd class="figures">{value}</dd>
                        </div>
                    }
                })
                .collect_view()}
            <div class="fact">
                <dt>{td_string!(locale, generation.id)}</dt>
                <dd>
                    <code data-testid="generation-id">{id.to_string()}</code>
                </dd>
            </div>
        </dl>
    }
}

fn chosen_facts(locale: Locale, options: &Options) -> Vec<(&'static str, String)> {
    let format = words::format(locale, options.format).to_owned();
    let also = [
        options.hls.then(|| td_string!(locale, options.hls)),
        options.branding.then(|| td_string!(locale, options.branding)),
    ];
    let also: Vec<_> = also.into_iter().flatten().collect();
    let mut facts = vec![
        (td_string!(locale, options.recipe), words::recipe(locale, options.recipe).to_owned()),
        (td_string!(locale, options.model_type), words::model_type(locale, options.model_type).to_owned()),
        (td_string!(locale, options.duration), td_string!(locale, options.seconds, count = options.duration.get())),
        (td_string!(locale, options.resolution), options.resolution.as_str().to_owned()),
        (td_string!(locale, options.fps), td_string!(locale, options.fps_value, count = options.fps.get())),
        (td_string!(locale, options.format), format),
    ];
    if !also.is_empty() {
        facts.push((td_string!(locale, options.also), also.join(", ")));
    }
    facts
}
