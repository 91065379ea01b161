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
        chip::StateChip,
        error_block::ErrorBlock,
        failure_block::FailureBlock,
        icon::{Icon, IconName},
        lasting::Lasting,
        moment::Moment,
        pictures::Pictures,
        playback::Playback,
        post_form::PostForm,
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
                        Err(error) => view! { <ErrorBlock error/> }.into_any(),
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
                    <Timeline entries=timeline/>
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
                    {move || is_running.get().then(|| view! { <CancelForm id cancel is_cancelling/> })}
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

/// The way to the end, until it was asked for; then it says so until the end has come.
#[component]
fn CancelForm(
    id: GenerationId,
    cancel: ServerAction<CancelGeneration>,
    /// What the server knows.
    is_cancelling: Signal<bool>,
) -> impl IntoView {
    let locale = use_locale();
    // Between the answer and the snapshot that shows it.
    let was_taken = move || cancel.value().with(|answer| matches!(answer, Some(Ok(asked)) if *asked == id));
    let is_asked = Memo::new(move |_| cancel.pending().get() || was_taken() || is_cancelling.get());
    view! {
        <PostForm action=cancel read=|form| Some(CancelGeneration { id: form.parse("id")? })>
            <input type="hidden" name="id" value=id.to_string()/>
            <button
                class="button danger"
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

fn chosen_facts(locale: Locale, options: &Options) -> [(&'static str, String); 5] {
    [
        (td_string!(locale, options.recipe), words::recipe(locale, options.recipe).to_owned()),
        (td_string!(locale, options.model_type), words::model_type(locale, options.model_type).to_owned()),
        (td_string!(locale, options.duration), td_string!(locale, options.seconds, count = options.duration.get())),
        (td_string!(locale, options.resolution), options.resolution.as_str().to_owned()),
        (td_string!(locale, options.fps), td_string!(locale, options.fps_value, count = options.fps.get())),
    ]
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::GenerationState;

    use super::*;
    use crate::sample;

    #[test]
    fn a_generation_that_is_being_stopped_offers_no_second_click() {
        let form = |cancel_requested| {
            let generation = GenerationView { cancel_requested, ..sample::generation(GenerationState::Encoding) };
            sample::render(Locale::ko, move || {
                let id = generation.id;
                let is_cancelling = Signal::derive(move || generation.is_cancelling());
                view! { <CancelForm id cancel=ServerAction::new() is_cancelling/> }
            })
        };
        let html = form(true);
        assert!(html.contains(" disabled") && html.contains("취소하는 중"), "{html}");
        let html = form(false);
        assert!(!html.contains(" disabled") && html.contains("생성 취소"), "{html}");
    }
}
