//! Pages that say something instead of showing products.

use http::{Method, header, request::Parts};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::document::{Content, Scripts};
use crate::{AppError, i18n::Locale, query::page_before};

/// Where shoppers begin.
pub(super) const SHOP: &str = "/products";
/// Where people who work here begin.
const DESK: &str = "/admin/products";

/// Where the brand of a page for this request leads: what belongs to the desk leads to the desk.
pub(super) fn home(request: &Parts) -> &'static str {
    let path = request.uri.path();
    let is_desk = ["/admin", "/api/admin", "/api/session"].iter().any(|start| path.starts_with(start));
    if is_desk { DESK } else { SHOP }
}

/// What a shopper reads when a product cannot be shown.
pub(super) fn product(error: &AppError, request: &Parts, locale: Locale) -> Content {
    match error {
        AppError::NotFound => content(Message {
            title: td_string!(locale, shop.not_found_title),
            text: td_string!(locale, shop.not_found_text),
            first: Way::to(SHOP, td_string!(locale, shop.not_found_link)),
            second: None,
        }),
        error => refusal(error, request, locale),
    }
}

/// What is read instead of a page: there is none, what was sent is too much, or something of ours is away.
pub(super) fn refusal(error: &AppError, request: &Parts, locale: Locale) -> Content {
    let home = home(request);
    let before = before(request);
    let back = |href: &str| Way { is_back: true, ..Way::to(href, td_string!(locale, shop.back_link)) };
    content(match error {
        AppError::NotFound => Message {
            title: td_string!(locale, shop.no_page_title),
            text: td_string!(locale, shop.no_page_text),
            first: Way::to(SHOP, td_string!(locale, shop.not_found_link)),
            second: before.as_deref().map(back),
        },
        AppError::TooLarge => Message {
            title: td_string!(locale, shop.too_large_title),
            text: td_string!(locale, shop.too_large_text),
            first: back(before.as_deref().unwrap_or(home)),
            second: None,
        },
        _ => Message {
            title: td_string!(locale, shop.fault_title),
            text: td_string!(locale, shop.fault_text),
            first: Way::to(&again(request, home), td_string!(locale, shop.fault_link)),
            second: None,
        },
    })
}

/// The page of ours that led here.
fn before(request: &Parts) -> Option<String> {
    let word = |name| request.headers.get(name)?.to_str().ok();
    let (referer, host) = (word(header::REFERER)?, word(header::HOST)?);
    let (_, rest) = referer.split_once("://")?;
    let is_ours = rest.strip_prefix(host).is_some_and(|path| path.starts_with('/'));
    page_before(referer).filter(|_| is_ours)
}

/// The same address once more; a form is not sent twice.
fn again(request: &Parts, home: &str) -> String {
    let address = request.uri.path_and_query().filter(|_| request.method == Method::GET);
    address.map_or_else(|| home.to_owned(), ToString::to_string)
}

/// A sentence with the ways on.
struct Message {
    title: &'static str,
    text: &'static str,
    first: Way,
    second: Option<Way>,
}

struct Way {
    href: String,
    word: &'static str,
    /// The browser's own way back keeps what was typed: `/shop.js` takes it where there is one.
    is_back: bool,
}

impl Way {
    fn to(href: &str, word: &'static str) -> Self {
        Self { href: href.to_owned(), word, is_back: false }
    }

    fn link(self, class: &'static str) -> impl IntoView {
        let Self { href, word, is_back } = self;
        view! {
            <a class=class href=href data-back=is_back.then_some("")>
                {word}
            </a>
        }
    }
}

fn content(message: Message) -> Content {
    let Message { title, text, first, second } = message;
    Content {
        title: format!("{title} · Lookreel"),
        head: view! { <meta name="robots" content="noindex"/> }.into_any(),
        scripts: Scripts::Deferred,
        body: view! {
            <div class="shop-message">
                <h1 class="shop-name">{title}</h1>
                <p>{text}</p>
                <div class="shop-ways">
                    {first.link("shop-button")}
                    {second.map(|second| second.link("shop-way"))}
                </div>
            </div>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(method: Method, path: &str, referer: &str) -> Parts {
        let builder = http::Request::builder().method(method).uri(path).header("host", "shop.example");
        builder.header("referer", referer).body(()).unwrap().into_parts().0
    }

    fn body(error: AppError, request: &Parts) -> String {
        Owner::new().with(|| refusal(&error, request, Locale::en).body.to_html())
    }

    #[test]
    fn only_a_page_of_ours_is_led_back_to() {
        let page = |referer| before(&request(Method::GET, "/nothing", referer));
        assert_eq!(page("https://shop.example/products?q=a").as_deref(), Some("/products?q=a"));
        for referer in ["https://evil.example/products", "https://shop.example.evil/x", "https://shop.example", ""] {
            assert_eq!(page(referer), None, "{referer}");
        }
    }

    #[test]
    fn every_message_has_a_way_on() {
        let html = body(AppError::NotFound, &request(Method::GET, "/nothing", "https://shop.example/products/a"));
        assert!(html.contains("href=\"/products\"") && html.contains("href=\"/products/a\""), "{html}");
        let too_large = request(Method::POST, "/api/admin/queue/pause", "https://shop.example/admin/queue");
        assert!(body(AppError::TooLarge, &too_large).contains("href=\"/admin/queue\" data-back"));
        let html = body(AppError::Unavailable, &request(Method::GET, "/admin/costs?a=1", ""));
        assert!(html.contains("href=\"/admin/costs?a=1\""), "{html}");
        let html = body(AppError::Unavailable, &request(Method::POST, "/api/admin/x", ""));
        assert!(html.contains("href=\"/admin/products\""), "a form is not opened as a page: {html}");
    }
}
