//! `/products`: every product that is on display.

use domain::product::ShopCard;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_meta::{Meta, Title};

use super::{
    ShopFrame,
    message::Refusal,
    player::{CardClip, MotionIcons},
    price::won,
    words,
};
use crate::{AppError, i18n::Locale, shell::use_locale};

/// Photos of the first rows are asked for at once, the others when they come near.
const EAGER_PHOTOS: usize = 4;

/// The grid of the shop.
#[component]
pub fn ProductsPage() -> impl IntoView {
    let locale = use_locale();
    let engine = use_context::<engine::Engine>();
    // No resource: the browser never takes this page over, so its data need not travel a second time as JSON.
    view! {
        <ShopFrame>
            <Suspense>
                {move || {
                    let engine = engine.clone();
                    Suspend::new(async move {
                        match load(engine).await {
                            Ok(cards) => view! { <Grid cards locale/> }.into_any(),
                            Err(error) => view! { <Refusal error locale/> }.into_any(),
                        }
                    })
                }}
            </Suspense>
        </ShopFrame>
    }
}

async fn load(engine: Option<engine::Engine>) -> Result<Vec<ShopCard>, AppError> {
    Ok(engine.ok_or(AppError::Internal)?.shop_products().await?)
}

#[component]
fn Grid(cards: Vec<ShopCard>, locale: Locale) -> impl IntoView {
    let moves = cards.iter().any(|card| card.video.is_some());
    let empty = cards.is_empty();
    view! {
        <Title text=format!("{} · Lookreel", td_string!(locale, shop.title))/>
        <Meta name="description" content=td_string!(locale, shop.description)/>
        <Meta property="og:title" content="Lookreel"/>
        <Meta property="og:description" content=td_string!(locale, shop.description)/>
        <div class="shop-title">
            <h1>{td_string!(locale, shop.title)}</h1>
            {moves
                .then(|| {
                    view! {
                        <button
                            type="button"
                            class="shop-motion"
                            hidden
                            data-motion="on"
                            data-play=td_string!(locale, shop.motion_play)
                            data-pause=td_string!(locale, shop.motion_pause)
                        >
                            <MotionIcons/>
                            <span>{td_string!(locale, shop.motion_pause)}</span>
                        </button>
                    }
                })}
        </div>
        {empty.then(|| view! { <div class="shop-message"><p>{td_string!(locale, shop.empty)}</p></div> })}
        <ul class="shop-grid">
            {cards
                .into_iter()
                .enumerate()
                .map(|(at, card)| view! { <li><Card card locale eager={at < EAGER_PHOTOS}/></li> })
                .collect_view()}
        </ul>
    }
}

#[component]
fn Card(card: ShopCard, locale: Locale, eager: bool) -> impl IntoView {
    let ShopCard { slug, name, price_krw, photo, video } = card;
    view! {
        <a class="shop-card" href=format!("/products/{slug}")>
            <span class="shop-card-media">
                {photo
                    .map(|photo| {
                        view! {
                            <img
                                src=photo.url
                                width=photo.width
                                height=photo.height
                                alt=""
                                loading=if eager { "eager" } else { "lazy" }
                                fetchpriority=eager.then_some("high")
                                decoding="async"
                            />
                        }
                    })}
                {video.map(|video| view! { <CardClip video locale/> })}
            </span>
            <span class="shop-card-text">
                <span class="shop-card-name">{words(&name, locale)}</span>
                <span class="shop-card-price">{won(price_krw, locale)}</span>
            </span>
        </a>
    }
}
