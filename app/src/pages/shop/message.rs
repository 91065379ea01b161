//! A page that says something instead of showing products.

use leptos::prelude::*;
use leptos_i18n::td_string;

use super::document::Content;
use crate::{AppError, i18n::Locale};

/// What a shopper reads when a page cannot be shown.
pub(super) fn content(error: &AppError, locale: Locale) -> Content {
    let (title, text) = match error {
        AppError::NotFound => (td_string!(locale, shop.not_found_title), td_string!(locale, shop.not_found_text)),
        _ => (td_string!(locale, shop.fault_title), td_string!(locale, shop.fault_text)),
    };
    Content {
        title: title.to_owned(),
        head: view! { <meta name="robots" content="noindex"/> }.into_any(),
        body: view! {
            <div class="shop-message">
                <h1 class="shop-name">{title}</h1>
                <p>{text}</p>
                <a class="shop-button" href="/products">{td_string!(locale, shop.not_found_link)}</a>
            </div>
        }
        .into_any(),
    }
}
