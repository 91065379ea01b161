//! The way back to the page a form was sent from. Left to itself Leptos puts a question mark at the end of its address.

use http::{header, request::Parts};
use leptos::{
    prelude::use_context,
    server_fn::{ServerFn, error::ServerFnUrlError},
};

use crate::AppError;

/// Whether a page without scripts sent this form: a script asks for something else than a page.
pub(crate) fn is_plain_form() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// Leads back.
pub(crate) fn lead_back() {
    if let Some(page) = page_before() {
        leptos_axum::redirect(&page);
    }
}

fn page_before() -> Option<String> {
    let parts = use_context::<Parts>()?;
    crate::query::page_before(parts.headers.get(header::REFERER)?.to_str().ok()?)
}

/// Leads back a page without scripts; one with scripts stays where it is.
pub(crate) fn lead_plain_form_back() {
    if is_plain_form() {
        lead_back();
    }
}

/// Leads a page without scripts back to its refused form, with why and with what was typed into it, by
/// [`crate::query::typed_name`]; the page would come without it.
pub(crate) fn lead_refused_form_back<S: ServerFn<Error = AppError>>(error: &AppError, typed: &[(String, String)]) {
    if !is_plain_form() {
        return;
    }
    if let Some(address) = page_before().and_then(|page| refused_address(&page, S::PATH, error, typed)) {
        leptos_axum::redirect(&address);
    }
}

/// Ends a form: a page without scripts is led back, to its form as it was filled in when that was refused.
pub(crate) fn end<'a, S: ServerFn<Error = AppError>>(
    done: Result<(), engine::Error>,
    form: &str,
    typed: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), AppError> {
    let done = done.map_err(AppError::from);
    match &done {
        Ok(()) => lead_plain_form_back(),
        Err(error) => {
            let typed = typed.into_iter().map(|(input, text)| (crate::query::typed_name(form, input), text.to_owned()));
            lead_refused_form_back::<S>(error, &typed.collect::<Vec<_>>());
        }
    }
    done
}

fn refused_address(page: &str, path: &str, error: &AppError, typed: &[(String, String)]) -> Option<String> {
    /// Inputs that are kept, and characters of each: an address has its limits.
    const INPUTS: usize = 12;
    const CHARACTERS: usize = 500;

    // The host is left out again: the address is one of this server.
    let mut url = ServerFnUrlError::new(path, error.clone()).to_url(&format!("http://page{page}")).ok()?;
    for (name, text) in typed.iter().take(INPUTS) {
        let text: String = text.chars().take(CHARACTERS).collect();
        url.query_pairs_mut().append_pair(name, &text);
    }
    Some(format!("{}?{}", url.path(), url.query()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{page_before, typed_name};

    #[test]
    fn a_refused_form_comes_back_with_what_was_typed_and_leaves_nothing_behind() {
        let page = "/admin/models?model=fal%2Fpika";
        let typed = vec![
            (typed_name("price", "720p"), "0,05".to_owned()),
            (typed_name("price", "reason"), "값 & <편지>".repeat(200)),
        ];
        let error = AppError::Invalid { fields: Vec::new() };
        let address = refused_address(page, "/api/admin/models/price", &error, &typed).unwrap_or_default();
        let start = "/admin/models?model=fal%2Fpika&__path=%2Fapi%2Fadmin%2Fmodels%2Fprice&__err=";
        assert!(address.starts_with(start) && address.contains("&__price-720p=0%2C05&__price-reason="), "{address}");
        assert!(address.len() < 6_000, "{}", address.len());
        assert_eq!(page_before(&format!("https://shop.example{address}")).as_deref(), Some(page));
    }
}
