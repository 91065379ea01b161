//! The way back to the page a form was sent from. Left to itself Leptos puts a question mark at the end of its address.

use http::{header, request::Parts};
use leptos::prelude::use_context;

/// Whether a page without scripts sent this form: a script asks for something else than a page.
pub(crate) fn is_plain_form() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// Leads back.
pub(crate) fn lead_back() {
    let parts = use_context::<Parts>();
    let referer = parts.as_ref().and_then(|parts| parts.headers.get(header::REFERER)?.to_str().ok());
    if let Some(page) = referer.and_then(crate::query::page_before) {
        leptos_axum::redirect(&page);
    }
}

/// Leads back a page without scripts; one with scripts stays where it is.
pub(crate) fn lead_plain_form_back() {
    if is_plain_form() {
        lead_back();
    }
}
