//! Paging by links.

use domain::page::{PAGE_ROWS, Page};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::empty::Empty;
use crate::shell::use_locale;

/// Which rows are shown, and the ways to the others. Nothing when all rows are on one page.
#[component]
pub fn Pager(
    /// Which page this is, from 1.
    number: u32,
    /// How many pages there are.
    pages: u32,
    /// Rows on all pages together.
    total: u64,
    /// Address of the page before and of the page after.
    neighbours: (String, String),
) -> impl IntoView {
    let locale = use_locale();
    if pages <= 1 {
        return None;
    }
    let (first, last) = range(number, total);
    let (before, after) = neighbours;
    let before = (number > 1).then_some(before);
    let after = (number < pages).then_some(after);
    Some(view! {
        <nav class="paging" aria-label=td_string!(locale, pager.label)>
            <span class="paging-range figures">{format!("{first}–{last} / {total}")}</span>
            <span class="paging-links">
                <PagerLink href=before rel="prev" word=td_string!(locale, pager.previous)/>
                <PagerLink href=after rel="next" word=td_string!(locale, pager.next)/>
            </span>
        </nav>
    })
}

/// First and last row of a page, from 1.
fn range(number: u32, total: u64) -> (u64, u64) {
    let rows = u64::from(PAGE_ROWS);
    let before = u64::from(number.saturating_sub(1)) * rows;
    ((before + 1).min(total), (before + rows).min(total))
}

#[component]
fn PagerLink(href: Option<String>, rel: &'static str, word: &'static str) -> impl IntoView {
    match href {
        Some(href) => view! { <a class="button small" href=href rel=rel>{word}</a> }.into_any(),
        None => view! { <span class="button small" aria-disabled="true">{word}</span> }.into_any(),
    }
}

/// A page past the end of a list: the way to its beginning.
#[component]
pub fn BeyondTheEnd(
    /// Address of the first page.
    first: String,
) -> impl IntoView {
    let locale = use_locale();
    view! {
        <Empty
            title=td_string!(locale, pager.beyond_title)
            text=td_string!(locale, pager.beyond_text)
            action=Some((first, td_string!(locale, pager.first)))
        />
    }
}

/// What [`Pager`] needs of a page.
pub fn extent<T>(page: &Page<T>) -> (u32, u32, u64) {
    (page.number, page.pages(), page.total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_ends_with_the_last_row() {
        assert_eq!(range(1, 132), (1, 20));
        assert_eq!(range(7, 132), (121, 132));
        assert_eq!(range(9, 132), (132, 132), "a page beyond the end claims no rows it does not have");
    }
}
