//! One product: its photos, the click, and what became of it.

use domain::{
    Options, ProductId,
    generation::GenerationView,
    product::{Photo, ProductDetail, VideoView},
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::not_found::NotFoundPage;
use crate::{
    api::{
        generations::Generate,
        products::{ProductDesk, load_product},
    },
    components::{
        chip::StateChip,
        empty::Empty,
        error_block::ErrorBlock,
        failure_block::FailureBlock,
        generate_form::{GenerateForm, PriceResource, price_of},
        generation_table::GenerationTable,
        icon::{Icon, IconName},
        lasting::Lasting,
        moment::Moment,
        pictures::Pictures,
        player::Player,
        refresher::Refresher,
        skeleton::PageSkeleton,
        story::Story,
        title::PageTitle,
    },
    error::AppError,
    live::use_live,
    query,
    shell::use_locale,
    words::{self, local},
};

/// The page of the product in the address.
#[component]
pub fn ProductPage() -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<ProductId>().ok()));
    let click = ServerAction::<Generate>::new();
    let chosen = RwSignal::new(use_query_map().with_untracked(query::options));
    let price = price_of(id, chosen);
    let turns = Memo::new(move |_| id.get().map(|id| live.turns_of(id)));
    let desk = crate::wire::resource(
        move || (id.get(), click.version().get(), turns.get()),
        |(id, ..)| async move {
            match id {
                Some(id) => load_product(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    let lasting = Lasting::here();
    view! {
        <Transition fallback=move || view! { <PageSkeleton text=td_string!(locale, product.loading)/> }>
            {move || {
                let lasting = lasting.clone();
                Suspend::new(async move {
                    match desk.await {
                        Ok(desk) => lasting.view(|| view! { <Desk desk click chosen price/> }.into_any()),
                        Err(AppError::NotFound) => view! { <NotFoundPage/> }.into_any(),
                        Err(error) => view! { <ErrorBlock error/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn Desk(
    desk: ProductDesk,
    click: ServerAction<Generate>,
    chosen: RwSignal<Options>,
    price: PriceResource,
) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let ProductDesk { product, key } = desk;
    let name = local(&product.name, locale).to_owned();
    let (newest, earlier) = match product.generations.split_first() {
        Some((newest, earlier)) => (Some(newest.clone()), earlier.to_vec()),
        None => (None, Vec::new()),
    };
    let latest = Memo::new(move |_| newest.clone().map(|newest| live.newest(newest)));
    let is_running = move || latest.with(|latest| latest.as_ref().is_some_and(|latest| !latest.state.is_final()));
    let shown = product.generations.iter().map(|generation| generation.id).collect::<Vec<_>>();
    // Between the click and the answer that shows its generation.
    let was_clicked = move || matches!(click.value().get(), Some(Ok(id)) if !shown.contains(&id));
    let has_photo = !product.photos.is_empty();
    let title = {
        let name = name.clone();
        Signal::derive(move || {
            latest
                .with(|latest| latest.as_ref().map_or_else(|| name.clone(), |latest| tab_title(locale, latest, &name)))
        })
    };
    let refused = move || click.value().get().and_then(Result::err);
    view! {
        <PageTitle text=title/>
        {untrack(is_running).then(|| view! { <Refresher/> })}
        <div class="stack">
            <Head product=product.clone()/>
            <div class="split">
                <div class="stack">
                    <section class="card">
                        <header class="card-head">
                            <h2 class="card-title">{td_string!(locale, product.latest)}</h2>
                            {move || latest.get().map(|latest| view! { <LatestTools latest/> })}
                        </header>
                        <div class="card-body">
                            <Latest latest=latest/>
                        </div>
                    </section>
                    <Photos photos=product.photos.clone() name=name.clone()/>
                    {product.video.clone().map(|video| view! { <Published video name=name.clone()/> })}
                </div>
                <aside>
                    <section class="card">
                        <header class="card-head">
                            <h2 class="card-title">{td_string!(locale, options.title)}</h2>
                        </header>
                        <div class="card-body stack tight">
                            {move || refused().map(|error| view! { <ErrorBlock error/> })}
                            {(!has_photo)
                                .then(|| {
                                    view! { <p class="field-error">{td_string!(locale, product.no_photo)}</p> }
                                })}
                            <GenerateForm
                                product=product.id
                                key
                                chosen
                                price
                                action=click
                                is_busy=Signal::derive(move || is_running() || was_clicked() || !has_photo)
                            />
                        </div>
                    </section>
                </aside>
            </div>
            <Earlier generations=earlier/>
        </div>
    }
}

/// Says in the tab how far a generation is, and only the name when none runs.
pub(super) fn tab_title(locale: crate::i18n::Locale, generation: &GenerationView, name: &str) -> String {
    if generation.state.is_final() {
        name.to_owned()
    } else {
        format!("{}% · {} · {name}", generation.progress, words::generation_state(locale, generation.state))
    }
}

#[component]
fn Head(product: ProductDetail) -> impl IntoView {
    let locale = use_locale();
    let name = local(&product.name, locale).to_owned();
    view! {
        <header class="page-head">
            <a class="page-back" href="/admin/products">
                <Icon name=IconName::ArrowLeft/>
                {td_string!(locale, product.back)}
            </a>
            <div class="page-head-row">
                <div class="page-head-text">
                    <h1 class="page-title">{name}</h1>
                    <p class="page-sub">
                        <code>{product.sku}</code>
                    </p>
                </div>
                <div class="page-actions">
                    // The shop is another tree: the browser has to load it.
                    <a class="button" href=format!("/products/{}", product.slug) rel="external" target="_blank">
                        {td_string!(locale, product.shop)}
                        <Icon name=IconName::External/>
                    </a>
                </div>
            </div>
        </header>
    }
}

#[component]
fn LatestTools(latest: GenerationView) -> impl IntoView {
    let locale = use_locale();
    view! {
        <div class="row">
            <StateChip state=latest.state progress=latest.progress/>
            <a class="button small" href=format!("/admin/generations/{}", latest.id)>
                {td_string!(locale, product.details)}
            </a>
        </div>
    }
}

#[component]
fn Latest(latest: Memo<Option<GenerationView>>) -> impl IntoView {
    let locale = use_locale();
    // Built once for each generation; inside, signals follow its snapshots.
    let id = Memo::new(move |_| latest.with(|latest| latest.as_ref().map(|latest| latest.id)));
    let failed = Memo::new(move |_| latest.get().filter(|latest| latest.failure.is_some()));
    move || match id.get().and_then(|_| latest.get_untracked()) {
        Some(first) => {
            let generation = Signal::derive(move || latest.get().unwrap_or_else(|| first.clone()));
            view! {
                <div class="stack tight" data-testid="latest">
                    <Story generation/>
                    <Pictures generation/>
                    {move || failed.get().map(|generation| view! { <FailureBlock generation/> })}
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

#[component]
fn Photos(photos: Vec<Photo>, name: String) -> impl IntoView {
    let locale = use_locale();
    if photos.is_empty() {
        return None;
    }
    Some(view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, product.photos)}</h2>
            </header>
            <div class="card-body">
                <div class="pictures">
                    {photos
                        .into_iter()
                        .map(|photo| {
                            let picture = photo.picture;
                            view! {
                                <figure class="picture">
                                    <a
                                        class="picture-box"
                                        data-state="done"
                                        href=picture.url.clone()
                                        target="_blank"
                                        rel="external noopener"
                                    >
                                        <img
                                            src=picture.url.clone()
                                            width=picture.width
                                            height=picture.height
                                            alt=td_string!(locale, product.photo_alt, name = name.clone())
                                            loading="lazy"
                                            decoding="async"
                                        />
                                    </a>
                                </figure>
                            }
                        })
                        .collect_view()}
                </div>
            </div>
        </section>
    })
}

#[component]
fn Published(video: VideoView, name: String) -> impl IntoView {
    let locale = use_locale();
    let published_at = video.published_at;
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, product.video)}</h2>
                <span class="muted">
                    <Moment at=published_at/>
                    {format!(" · {}", video.cost.display())}
                </span>
            </header>
            <div class="card-body">
                <div class="pictures">
                    <figure class="picture">
                        <div class="picture-box" data-state="done" data-testid="published">
                            <Player video label=td_string!(locale, product.video_label, name = name)/>
                        </div>
                    </figure>
                </div>
            </div>
        </section>
    }
}

#[component]
fn Earlier(generations: Vec<GenerationView>) -> impl IntoView {
    let locale = use_locale();
    if generations.is_empty() {
        return None;
    }
    let rows = generations.iter().map(crate::components::generation_table::row_of).collect::<Vec<_>>();
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
