//! One product: its photos, the click, and what became of it.

mod latest;
mod media;

use domain::{Options, ProductId, RequestKey, generation::GenerationView, product::ProductDetail};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::{use_params_map, use_query_map};

use self::{
    latest::{Earlier, LatestCard},
    media::{Photos, Published},
};
use super::not_found::NotFoundPage;
use crate::{
    api::{
        generations::{CancelGeneration, Generate, RetryGeneration},
        products::{ProductDesk, load_product},
    },
    components::{
        error_block::ErrorBlock,
        generate_form::{GenerateForm, PriceResource, price_of},
        icon::{Icon, IconName},
        lasting::Lasting,
        playback::Playback,
        refresher::Refresher,
        skeleton::PageSkeleton,
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
    let retry = ServerAction::<RetryGeneration>::new();
    let cancel = ServerAction::<CancelGeneration>::new();
    let chosen = RwSignal::new(use_query_map().with_untracked(query::options));
    let price = price_of(id, chosen);
    let turns = Memo::new(move |_| id.get().map(|id| live.turns_of(id)));
    let desk = crate::wire::resource(
        move || (id.get(), click.version().get(), retry.version().get(), cancel.version().get(), turns.get()),
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
                        Ok(desk) => lasting.view(|| view! { <Desk desk click retry cancel chosen price/> }.into_any()),
                        Err(AppError::NotFound) => view! { <NotFoundPage/> }.into_any(),
                        Err(error) => {
                            view! {
                                <PageTitle text=td_string!(locale, products.title).to_owned()/>
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

#[component]
fn Desk(
    desk: ProductDesk,
    click: ServerAction<Generate>,
    retry: ServerAction<RetryGeneration>,
    cancel: ServerAction<CancelGeneration>,
    chosen: RwSignal<Options>,
    price: PriceResource,
) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let ProductDesk { product, key, retry: offer } = desk;
    let name = local(&product.name, locale).to_owned();
    let (newest, earlier) = match product.generations.split_first() {
        Some((newest, earlier)) => (Some(newest.clone()), earlier.to_vec()),
        None => (None, Vec::new()),
    };
    // The clip of the newest generation stands in its row of pictures.
    let newest_id = newest.as_ref().map(|newest| newest.id);
    let other_video = product.video.clone().filter(|video| Some(video.generation_id) != newest_id);
    let played = product.playback.zip(product.video.as_ref().map(|video| video.cost));
    let latest = Memo::new(move |_| newest.clone().map(|newest| live.newest(newest)));
    let shown = product.generations.iter().map(|generation| generation.id).collect::<Vec<_>>();
    // Between the click and the answer that shows its generation.
    let was_clicked = move || matches!(click.value().get(), Some(Ok(id)) if !shown.contains(&id));
    let is_running = Memo::new(move |_| {
        latest.with(|latest| latest.as_ref().is_some_and(|latest| !latest.state.is_final())) || was_clicked()
    });
    // On a phone what became of the last click stands before the choices of the next, unless it went well.
    let is_result_first = Memo::new(move |_| {
        is_running.get() || latest.with(|latest| latest.as_ref().is_some_and(|latest| latest.failure.is_some()))
    });
    let has_photo = !product.photos.is_empty();
    let title = {
        let name = name.clone();
        Signal::derive(move || {
            latest
                .with(|latest| latest.as_ref().map_or_else(|| name.clone(), |latest| tab_title(locale, latest, &name)))
        })
    };
    view! {
        <PageTitle text=title/>
        {is_running.get_untracked().then(|| view! { <Refresher/> })}
        <div class="stack">
            <Head product=product.clone()/>
            <div class="split product-desk" data-result-first=move || is_result_first.get().then_some("")>
                <Photos photos=product.photos name=name.clone()/>
                <aside>
                    <ClickCard product=product.id key has_photo chosen price click is_running/>
                </aside>
                <div class="product-result stack">
                    <LatestCard latest offer retry cancel/>
                    {other_video.map(|video| view! { <Published video name/> })}
                    {played
                        .map(|(playback, cost)| {
                            view! { <Playback title=td_string!(locale, playback.title) playback cost/> }
                        })}
                </div>
            </div>
            <Earlier generations=earlier/>
        </div>
    }
}

/// The choices, their price and the click.
#[component]
fn ClickCard(
    product: ProductId,
    key: RequestKey,
    has_photo: bool,
    chosen: RwSignal<Options>,
    price: PriceResource,
    click: ServerAction<Generate>,
    is_running: Memo<bool>,
) -> impl IntoView {
    let locale = use_locale();
    let refused = move || click.value().get().and_then(Result::err);
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, options.title)}</h2>
            </header>
            <div class="card-body stack tight">
                {move || refused().map(|error| view! { <ErrorBlock error/> })}
                {(!has_photo).then(|| view! { <p class="field-error">{td_string!(locale, product.no_photo)}</p> })}
                <GenerateForm
                    product
                    key
                    chosen
                    price
                    action=click
                    is_busy=Signal::derive(move || is_running.get() || !has_photo)
                />
            </div>
        </section>
    }
}

/// Says in the tab how far a generation is, and only the name when none runs.
pub(super) fn tab_title(locale: crate::i18n::Locale, generation: &GenerationView, name: &str) -> String {
    if generation.state.is_final() {
        name.to_owned()
    } else if generation.is_cancelling() {
        format!("{} · {name}", td_string!(locale, story.cancelling))
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
