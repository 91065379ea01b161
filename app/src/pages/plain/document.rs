//! The document around every plain page.

use domain::user::Person;
use http::request::Parts;
use leptos::prelude::*;
use leptos_i18n::{Locale as _, td_string};
use leptos_meta::HashedStylesheet;

use crate::{
    AppError,
    components::person_menu::PersonMenu,
    i18n::Locale,
    shell::{CommonHead, PageFacts, ShopZone, Theme},
};

/// What Leptos writes between nodes. Text and attributes never hold it: there it is escaped.
const NODE_MARK: &str = "<!>";
/// What every plain page is rendered from.
pub struct PlainPage<'a> {
    /// The request, with the [`Person`] who is signed in among its extensions.
    pub request: &'a Parts,
    /// Where the built site is.
    pub options: &'a LeptosOptions,
    /// The shop's zone.
    pub zone: &'a ShopZone,
}

/// What one page puts into the document.
pub(super) struct Content {
    pub(super) title: String,
    pub(super) body: AnyView,
    /// Something on it will change by itself: `/plain.js` looks again, and replaces what has a `data-part` and nothing else.
    pub(super) is_waiting: bool,
}

impl PlainPage<'_> {
    /// Writes the document of something that was loaded, or why it was not.
    pub(super) fn write<T>(
        &self,
        loaded: Result<T, AppError>,
        content: impl FnOnce(T, &Form, &PageFacts) -> Content,
    ) -> Result<String, AppError> {
        let loaded = loaded?;
        Ok(Owner::new().with(|| {
            provide_context(self.request.clone());
            provide_context(self.zone.clone());
            let facts = PageFacts::read();
            provide_context(facts.clone());
            let content = content(loaded, &Form::of(self.request), &facts);
            let header = header(self.request, facts.locale);
            // Hydration looks for the marks between nodes; here nothing does, and inside a title they would be read.
            shell(content, header, self.options.clone(), facts.locale, facts.theme).to_html().replace(NODE_MARK, "")
        }))
    }
}

pub(super) use super::form::Form;

/// Brand, the way to the other pages, and the menu of the person, as on the desk.
fn header(request: &Parts, locale: Locale) -> impl IntoView + use<> {
    let person = request.extensions.get::<Person>().cloned();
    let pages = [
        ("/admin/products", td_string!(locale, nav.products)),
        ("/admin/generations", td_string!(locale, nav.generations)),
        ("/admin/queue", td_string!(locale, nav.queue)),
        ("/admin/costs", td_string!(locale, nav.costs)),
        ("/admin/models", td_string!(locale, nav.models)),
    ];
    let links = pages.map(|(page, word)| {
        view! {
            <li>
                <a href=page>{word}</a>
            </li>
        }
    });
    view! {
        <header class="plain-head">
            <a class="plain-brand" href="/admin/products">
                <img src="/favicon.svg" alt="" width="24" height="24"/>
                "Lookreel"
            </a>
            <nav class="plain-nav" aria-label=td_string!(locale, nav.label)>
                <ul>{links.into_iter().collect_view()}</ul>
            </nav>
            <PersonMenu person page=request.uri.path()/>
        </header>
    }
}

fn shell(
    content: Content,
    header: impl IntoView,
    options: LeptosOptions,
    locale: Locale,
    theme: Option<Theme>,
) -> impl IntoView {
    let Content { title, body, is_waiting } = content;
    view! {
        <!DOCTYPE html>
        <html lang=locale.as_str() data-theme=theme.map(Theme::as_str)>
            <head>
                <CommonHead/>
                <meta name="robots" content="noindex"/>
                <HashedStylesheet id="desk" options/>
                <script src="/plain.js" defer></script>
                <title>{format!("{title} · Lookreel")}</title>
            </head>
            <body>
                <a class="skip-link" href="#main">
                    {td_string!(locale, nav.skip)}
                </a>
                <div class="plain">
                    {header}
                    <main id="main" class="content" tabindex="-1" data-waiting=is_waiting.then_some("")>
                        {body}
                    </main>
                </div>
            </body>
        </html>
    }
}
