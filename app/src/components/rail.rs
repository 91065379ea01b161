//! The way to the pages: a rail at the left, a bar at the bottom of a phone.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_location;

use super::icon::{Icon, IconName};
use crate::shell::use_locale;

/// The main menu, with how many generations are under way.
#[component]
pub fn Rail(
    /// Generations under way.
    #[prop(into)]
    active: Signal<u64>,
) -> impl IntoView {
    let locale = use_locale();
    view! {
        <nav class="rail" aria-label=td_string!(locale, nav.label)>
            <a class="rail-brand" href="/admin/products">
                <img class="rail-mark" src="/favicon.svg" alt="" width="24" height="24"/>
                <span class="rail-name">"Lookreel"</span>
            </a>
            <ul class="rail-list">
                <RailLink href="/admin/products" icon=IconName::Products word=td_string!(locale, nav.products)/>
                <RailLink
                    href="/admin/generations"
                    icon=IconName::Generations
                    word=td_string!(locale, nav.generations)
                    count=active
                />
                <RailLink href="/admin/queue" icon=IconName::Queue word=td_string!(locale, nav.queue)/>
                <RailLink href="/admin/costs" icon=IconName::Costs word=td_string!(locale, nav.costs)/>
                <RailLink href="/admin/models" icon=IconName::Models word=td_string!(locale, nav.models)/>
            </ul>
        </nav>
    }
}

#[component]
fn RailLink(
    href: &'static str,
    icon: IconName,
    word: &'static str,
    #[prop(optional)] count: Option<Signal<u64>>,
) -> impl IntoView {
    let locale = use_locale();
    let pathname = use_location().pathname;
    let is_current = move || pathname.with(|path| is_within(path, href)).then_some("page");
    let count = move || count.map_or(0, |count| count.get());
    view! {
        <li>
            <a class="rail-link" href=href aria-current=is_current>
                <Icon name=icon size=20/>
                <span class="rail-word">{word}</span>
                {move || {
                    (count() > 0)
                        .then(|| {
                            view! {
                                <span class="rail-count figures" data-testid="active-count">
                                    <span aria-hidden="true">{count()}</span>
                                    <span class="visually-hidden">
                                        {td_string!(locale, nav.active, count = count())}
                                    </span>
                                </span>
                            }
                        })
                }}
            </a>
        </li>
    }
}

/// Whether a path is a page or one of the pages below it.
fn is_within(path: &str, page: &str) -> bool {
    path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_below_belongs_to_its_list() {
        assert!(is_within("/admin/products", "/admin/products"));
        assert!(is_within("/admin/products/42", "/admin/products"));
        assert!(!is_within("/admin/productsx", "/admin/products"));
    }
}
