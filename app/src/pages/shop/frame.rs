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
                    <img src="/favicon.svg" alt="" width="24" height="24"/>
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
