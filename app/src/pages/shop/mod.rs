//! The shop: rendered on the server, no WASM. Everything here is complete without JavaScript; `/shop.js` adds motion.

mod frame;
mod grid;
mod message;
mod player;
mod price;
mod product;
mod style;

pub use frame::ShopFrame;
pub use grid::ProductsPage;
pub use message::ShopNotFound;
pub use product::ProductPage;
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
