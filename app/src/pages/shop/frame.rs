//! What is around every page of the shop.

use leptos::prelude::*;
use leptos_i18n::{Locale as _, td_string};

use crate::i18n::Locale;

/// The frame of the shop: brand, language, the page.
#[component]
pub(super) fn ShopFrame(
    /// Language of the page.
    locale: Locale,
    /// Where the brand leads.
    home: &'static str,
    /// The page.
    children: Children,
) -> impl IntoView {
    let other = match locale {
        Locale::ko => Locale::en,
        Locale::en => Locale::ko,
    };
    view! {
        <a class="skip-link" href="#main">{td_string!(locale, nav.skip)}</a>
        <div class="shop">
            <header class="shop-head">
                <a class="shop-brand" href=home>
                    <Mark/>
                    "Lookreel"
                </a>
                <LanguageForm locale other/>
            </header>
            <main id="main" tabindex="-1">
                {children()}
            </main>
        </div>
    }
}

/// The mark of `favicon.svg`, here as part of the page: a picture of its own would be one more to load before the clip.
#[component]
fn Mark() -> impl IntoView {
    view! {
        <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="7" fill="#0b6277"/>
            <rect x="7" y="5.5" width="12" height="16" rx="2.5" fill="#fff" opacity=".4"/>
            <rect x="12" y="9.5" width="13" height="17" rx="2.5" fill="#fff"/>
            <path
                d="M16.6 14.7v6.6a.5.5 0 0 0 .8.4l4.8-3.3a.5.5 0 0 0 0-.8l-4.8-3.3a.5.5 0 0 0-.8.4z"
                fill="#0b6277"
            />
        </svg>
    }
}

/// One press changes the language; the server answers with a redirect to the same page.
#[component]
fn LanguageForm(locale: Locale, other: Locale) -> impl IntoView {
    view! {
        <form method="post" action="/api/preferences/language">
            <input type="hidden" name="language" value=other.as_str()/>
            <button class="shop-language" aria-label=td_string!(locale, shop.language_label)>
                <span lang=other.as_str()>{td_string!(locale, shop.language_other)}</span>
            </button>
        </form>
    }
}
