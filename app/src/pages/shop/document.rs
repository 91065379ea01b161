//! The document around every page of the shop, and how the pages are made.

use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header, request::Parts};
use leptos::{nonce::Nonce, prelude::*};
use leptos_i18n::Locale as _;

use super::{frame::ShopFrame, grid, message, product, stylesheet_url};
use crate::{
    AppError,
    i18n::Locale,
    shell::{CommonHead, PageFacts, TYPEFACE_IN_TIME, Theme, has_typeface},
};

/// What Leptos writes between nodes. Text and attributes never hold it: there it is escaped.
pub(super) const NODE_MARK: &str = "<!>";

/// The headers that every page depends on: language and theme are in the cookies, else the browser's language counts.
pub const VARY: &str = "accept-language, cookie";

/// A page of the shop, ready to be sent.
#[derive(Debug)]
pub struct ShopDocument {
    /// 200, or what says that there is no such page.
    pub status: StatusCode,
    /// The whole document.
    pub html: String,
}

impl IntoResponse for ShopDocument {
    fn into_response(self) -> Response {
        (self.status, [(header::VARY, VARY)], Html(self.html)).into_response()
    }
}

/// `/products`: everything on display, as this request wants to read it.
pub async fn products_page(engine: &engine::Engine, request: &Parts) -> ShopDocument {
    let loaded = engine.shop_products().await.map_err(AppError::from);
    page(request, loaded, |cards, _, locale| grid::content(cards, locale))
}

/// `/products/{slug}`: one product; an unknown slug is a 404.
pub async fn product_page(engine: &engine::Engine, request: &Parts, slug: &str) -> ShopDocument {
    let loaded = engine.shop_product(slug).await.map_err(AppError::from);
    page(request, loaded, product::content)
}

/// A page that says why there is no other, for whatever else a request was.
pub fn refusal_page(request: &Parts, error: &AppError) -> ShopDocument {
    document(request, |locale| (error.status(), message::refusal(error, request, locale)))
}

/// What one page puts into the document.
pub(super) struct Content {
    pub(super) title: String,
    pub(super) head: AnyView,
    pub(super) body: AnyView,
    pub(super) scripts: Scripts,
}

/// When `embed.js` and `shop.js` run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scripts {
    /// As soon as the document was read.
    Deferred,
    /// When the script that begins the clip asks for them, most often after its first frame.
    ByClip,
}

/// Scheme and host of this request: other sites need whole addresses.
pub(super) struct Origin(Option<String>);

impl Origin {
    pub(super) fn of(request: &Parts) -> Self {
        let header = |name| request.headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = header("x-forwarded-proto").filter(|word| *word == "https").unwrap_or("http");
        Self(header(header::HOST.as_str()).map(|host| format!("{scheme}://{host}")))
    }

    #[cfg(test)]
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// A path with scheme and host; what is no path of ours stays as it is.
    pub(super) fn address(&self, path: &str) -> String {
        match &self.0 {
            Some(origin) if path.starts_with('/') => format!("{origin}{path}"),
            _ => path.to_owned(),
        }
    }
}

/// One fact for sites that show the page when it is shared (ogp.me).
pub(super) fn open_graph(name: &'static str, content: impl Into<String>) -> impl IntoView {
    leptos::html::meta().attr("property", name).content(content.into())
}

fn page<T>(
    request: &Parts,
    loaded: Result<T, AppError>,
    content: impl FnOnce(T, &Origin, Locale) -> Content,
) -> ShopDocument {
    document(request, |locale| match loaded {
        Ok(loaded) => (StatusCode::OK, content(loaded, &Origin::of(request), locale)),
        Err(error) => (error.status(), message::product(&error, request, locale)),
    })
}

fn document(request: &Parts, write: impl FnOnce(Locale) -> (StatusCode, Content)) -> ShopDocument {
    Owner::new().with(|| {
        provide_context(request.clone());
        if let Some(nonce) = request.extensions.get::<Nonce>() {
            provide_context(nonce.clone());
        }
        let PageFacts { locale, theme, .. } = PageFacts::read();
        let (status, content) = write(locale);
        let home = message::home(request);
        let typeface = if has_typeface(request) { Typeface::InTime } else { Typeface::Later };
        // Hydration looks for the marks between nodes; here nothing does, and inside a title they would be read.
        ShopDocument { status, html: shell(content, home, locale, theme, typeface).to_html().replace(NODE_MARK, "") }
    })
}

/// When a page is drawn in the typeface: who comes for the first time waits for the clip, not for letters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typeface {
    /// The browser has it, or had it within the hour.
    InTime,
    /// From the next page on: the script loads it when the page is quiet.
    Later,
}

fn shell(
    content: Content,
    home: &'static str,
    locale: Locale,
    theme: Option<Theme>,
    typeface: Typeface,
) -> impl IntoView {
    let Content { title, head, body, scripts } = content;
    let scripts = (scripts == Scripts::Deferred).then(|| {
        view! {
            <script src="/embed.js" defer></script>
            <script src="/shop.js" defer></script>
        }
    });
    let sheet = |when| (typeface == when).then_some(TYPEFACE_IN_TIME);
    view! {
        <!DOCTYPE html>
        <html lang=locale.as_str() data-theme=theme.map(Theme::as_str) data-typeface-later=sheet(Typeface::Later)>
            <head>
                <CommonHead typeface=sheet(Typeface::InTime)/>
                <link rel="stylesheet" href=stylesheet_url()/>
                {scripts}
                <title>{title}</title>
                {head}
            </head>
            <body>
                <ShopFrame locale home>{body}</ShopFrame>
            </body>
        </html>
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Parts {
        let builder = http::Request::get("/products");
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        builder.body(()).unwrap().into_parts().0
    }

    fn page(headers: &[(&str, &str)], loaded: Result<(), AppError>) -> ShopDocument {
        super::page(&request(headers), loaded, |(), origin, _| Content {
            title: "Coats & <more>".to_owned(),
            head: view! { <link rel="canonical" href=origin.address("/products")/> }.into_any(),
            body: view! { <p data-word="<!>">"Coats <!>"</p> }.into_any(),
            scripts: Scripts::Deferred,
        })
    }

    #[test]
    fn a_document_is_whole_and_holds_no_scripts_but_its_own() {
        let ShopDocument { status, html } = page(&[("host", "shop.example"), ("cookie", "theme=dark")], Ok(()));
        assert_eq!(status, StatusCode::OK);
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"ko\" data-theme=\"dark\" data-typeface-later="),
            "{html}"
        );
        assert!(html.ends_with("</html>"), "{html}");
        assert_eq!(html.matches("<script").count(), 2, "{html}");
        assert_eq!(html.matches(" defer></script>").count(), 2, "{html}");
        assert!(html.contains("<title>Coats &amp; &lt;more&gt;</title>"), "{html}");
        assert!(html.contains("href=\"http://shop.example/products\""), "{html}");
        assert!(html.contains("<p data-word=\"&lt;!&gt;\">Coats &lt;!&gt;</p>"), "{html}");
        assert!(!html.contains(".wasm") && !html.contains("style="), "{html}");
    }

    #[test]
    fn scripts_that_the_clip_asks_for_are_not_in_the_document() {
        let html = super::page(&request(&[]), Ok(()), |(), _, _| Content {
            title: String::new(),
            head: ().into_any(),
            body: ().into_any(),
            scripts: Scripts::ByClip,
        });
        assert!(!html.html.contains("<script"), "{}", html.html);
    }

    #[test]
    fn letters_are_waited_for_only_where_the_browser_has_them() {
        let linked = "<link rel=\"stylesheet\" href=\"/fonts/pretendard-in-time.css\">";
        let first = page(&[], Ok(())).html;
        assert!(first.contains("<html lang=\"ko\" data-typeface-later=\"/fonts/pretendard-in-time.css\">"), "{first}");
        assert!(!first.contains(linked), "{first}");
        let next = page(&[("cookie", "theme=dark; typeface=here")], Ok(())).html;
        assert!(next.contains(linked) && !next.contains("typeface-later"), "{next}");
    }

    #[test]
    fn the_language_is_the_readers() {
        assert!(page(&[("accept-language", "en-GB,en;q=0.9")], Ok(())).html.contains("lang=\"en\""));
        assert!(
            page(&[("accept-language", "en"), ("cookie", "language=ko")], Ok(())).html.contains("<html lang=\"ko\"")
        );
    }

    #[test]
    fn what_cannot_be_shown_says_so_with_its_status() {
        for (error, status, words) in [
            (AppError::NotFound, StatusCode::NOT_FOUND, "shop-message"),
            (AppError::Unavailable, StatusCode::SERVICE_UNAVAILABLE, "shop-message"),
        ] {
            let document = page(&[], Err(error));
            assert_eq!(document.status, status);
            assert!(document.html.contains(words) && document.html.contains("noindex"), "{}", document.html);
        }
    }

    #[test]
    fn addresses_of_other_hosts_stay() {
        let origin = Origin::of(&request(&[("host", "shop.example"), ("x-forwarded-proto", "https")]));
        assert_eq!(origin.address("/media/a.jpg"), "https://shop.example/media/a.jpg");
        assert_eq!(origin.address("https://cdn.example/a.jpg"), "https://cdn.example/a.jpg");
    }
}
