//! The shop: rendered on the server, no WASM. Everything here is complete without JavaScript; `/shop.js` adds motion.
//!
//! Nothing here waits while it is rendered: what a page shows is loaded first, then the document is written in one go.
//! Leptos' asynchronous rendering would run every loader twice and add scripts the shop has no use for.

mod document;
mod embed;
mod frame;
mod grid;
mod listing;
mod message;
mod player;
mod price;
mod product;
mod structured;
mod style;

pub use document::{ShopDocument, VARY, product_page, products_page, refusal_page};
pub use embed::embedded_video;
pub use listing::{robots, sitemap};
pub use style::{STYLESHEET, stylesheet_url};

use leptos_i18n::td_string;

use crate::i18n::Locale;

/// What the video of a product shows, in words: for who does not see it, and for search engines.
fn seen(name: &domain::LocalText, category: &str, locale: Locale) -> String {
    let name = words(name, locale);
    match category {
        "bag" => td_string!(locale, shop.video_carried, name = name),
        _ => td_string!(locale, shop.video_worn, name = name),
    }
}

/// The words of a text in the language of the page.
fn words(text: &domain::LocalText, locale: Locale) -> String {
    let locale = match locale {
        Locale::ko => domain::Locale::Ko,
        Locale::en => domain::Locale::En,
    };
    text.get(locale).to_owned()
}
