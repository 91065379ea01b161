//! Forms whose browser does not tell which page they were sent from, by a setting, an extension or a policy. Whoever answers
//! a form leads back by its `Referer`; without one it would lead to the shop.

use app::query::{page_before, page_of_form};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::Response,
};

/// What addresses of ours begin with: `http` or `https`.
#[derive(Clone)]
pub struct Scheme(pub String);

/// Says for the browser what it does not: the page the form belongs to.
pub async fn complete(State(Scheme(scheme)): State<Scheme>, mut request: Request, next: Next) -> Response {
    if request.method() == Method::POST
        && !is_told(request.headers())
        && let Some(page) = page_of(&scheme, request.headers(), request.uri())
    {
        request.headers_mut().insert(header::REFERER, page);
    }
    next.run(request).await
}

/// A `Referer` that was cut down to its host names no page.
fn is_told(headers: &HeaderMap) -> bool {
    let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok());
    referer.and_then(page_before).is_some_and(|page| page != "/")
}

fn page_of(scheme: &str, headers: &HeaderMap, uri: &Uri) -> Option<HeaderValue> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let page = page_of_form(uri.path(), uri.query().unwrap_or_default())?;
    HeaderValue::try_from(format!("{scheme}://{host}{page}")).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_is_told_only_where_the_browser_told_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "shop.example".parse().unwrap());
        assert!(!is_told(&headers));
        let uri = "/api/admin/videos/export?page=%2Fadmin%2Fvideos%2F42".parse().unwrap();
        assert_eq!(page_of("https", &headers, &uri).unwrap(), "https://shop.example/admin/videos/42");
        assert_eq!(page_of("https", &headers, &"/products".parse().unwrap()), None);
        for (referer, told) in [("https://shop.example/", false), ("https://shop.example/admin/queue", true)] {
            headers.insert(header::REFERER, referer.parse().unwrap());
            assert_eq!(is_told(&headers), told, "{referer}");
        }
    }
}
