//! A page that says something instead of showing products.

use http::StatusCode;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_meta::{Meta, Title};

use super::ShopFrame;
use crate::{AppError, i18n::Locale, shell::use_locale};

/// The page of an address that leads nowhere.
#[component]
pub fn ShopNotFound() -> impl IntoView {
    let locale = use_locale();
    view! {
        <ShopFrame>
            <Refusal error=AppError::NotFound locale/>
        </ShopFrame>
    }
}

/// What a shopper reads when a page cannot be shown; sets the answer's status.
#[component]
pub(super) fn Refusal(
    /// Why.
    error: AppError,
    /// Language of the page.
    locale: Locale,
) -> impl IntoView {
    let gone = matches!(error, AppError::NotFound);
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(if gone { StatusCode::NOT_FOUND } else { error.status() });
    }
    let (title, text) = if gone {
        (td_string!(locale, shop.not_found_title), td_string!(locale, shop.not_found_text))
    } else {
        (td_string!(locale, shop.fault_title), td_string!(locale, shop.fault_text))
    };
    view! {
        <Title text=title/>
        <Meta name="robots" content="noindex"/>
        <div class="shop-message">
            <h1 class="shop-name">{title}</h1>
            <p>{text}</p>
            <a class="shop-button" href="/products">{td_string!(locale, shop.not_found_link)}</a>
        </div>
    }
}
