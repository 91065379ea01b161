//! `/products`: every product that is on display.

use domain::product::ShopCard;
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    document::{Content, Scripts, open_graph},
    player::{CardClip, MotionIcons},
    price::won,
    words,
};
use crate::i18n::Locale;

/// Photos of the first rows are asked for at once, the others when they come near.
const EAGER_PHOTOS: usize = 4;

/// The grid of the shop.
pub(super) fn content(cards: Vec<ShopCard>, locale: Locale) -> Content {
    let description = td_string!(locale, shop.description);
    Content {
        title: format!("{} · Lookreel", td_string!(locale, shop.title)),
        head: view! {
            <meta name="description" content=description/>
            {open_graph("og:title", "Lookreel")}
            {open_graph("og:description", description)}
        }
        .into_any(),
        scripts: Scripts::Deferred,
        body: view! { <Grid cards locale/> }.into_any(),
    }
}

#[component]
fn Grid(cards: Vec<ShopCard>, locale: Locale) -> impl IntoView {
    let moves = cards.iter().any(|card| card.video.is_some());
    let empty = cards.is_empty();
    view! {
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
    let ShopCard { slug, name, price_krw, photo, video, .. } = card;
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
