//! The shop: rendered on the server, no WASM. Everything here is complete without JavaScript; `/shop.js` adds motion.
//!
//! Nothing here waits while it is rendered: what a page shows is loaded first, then the document is written in one go.
//! Leptos' asynchronous rendering would run every loader twice and add scripts the shop has no use for.

mod document;
mod frame;
mod grid;
mod message;
mod player;
mod price;
mod product;
mod style;

pub use document::{ShopDocument, VARY, product_page, products_page, refusal_page};
pub use style::{STYLESHEET, stylesheet_url};

use crate::i18n::Locale;

/// The words of a text in the language of the page.
fn words(text: &domain::LocalText, locale: Locale) -> String {
    let locale = match locale {
        Locale::ko => domain::Locale::Ko,
        Locale::en => domain::Locale::En,
    };
    text.get(locale).to_owned()
}
