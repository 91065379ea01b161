//! An address that leads nowhere.

use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::{
    components::{empty::Empty, title::PageTitle},
    shell::use_locale,
};

/// Says so, with the status to match.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    mark_not_found();
    let locale = use_locale();
    let title = td_string!(locale, not_found.title);
    view! {
        <PageTitle text=title.to_owned()/>
        <h1 class="visually-hidden">{title}</h1>
        <Empty
            title=title
            text=td_string!(locale, not_found.text)
            action=Some(("/admin/products".to_owned(), td_string!(locale, not_found.action)))
        />
    }
    .into_any()
}

/// Answers with 404; nothing in the browser.
fn mark_not_found() {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
}
