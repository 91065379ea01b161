//! Keyboard: `/` searches, `g p` `g g` `g q` `g c` `g m` go to pages, `?` shows them all, Escape closes menus. Nothing happens while a person types.

use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast};
use leptos_i18n::td_string;
use leptos_router::hooks::use_navigate;

use super::announcer::close_popovers;
use crate::shell::use_locale;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Search,
    Help,
    Go(&'static str),
    /// The first key of two.
    Begin,
}

/// Reads a key; `has_begun` when the key before was `g`.
fn wish(key: &str, has_begun: bool) -> Option<Wish> {
    match (has_begun, key) {
        (true, "p") => Some(Wish::Go("/admin/products")),
        (true, "g") => Some(Wish::Go("/admin/generations")),
        (true, "q") => Some(Wish::Go("/admin/queue")),
        (true, "c") => Some(Wish::Go("/admin/costs")),
        (true, "m") => Some(Wish::Go("/admin/models")),
        (false, "g") => Some(Wish::Begin),
        (_, "/") => Some(Wish::Search),
        (_, "?") => Some(Wish::Help),
        _ => None,
    }
}

/// Listens to the keys of the desk and holds their list.
#[component]
pub fn Keys() -> impl IntoView {
    let locale = use_locale();
    let help = NodeRef::<html::Dialog>::new();
    listen(help);
    view! {
        <dialog class="dialog" node_ref=help aria-labelledby="keys-title">
            <h2 class="dialog-title" id="keys-title">
                {td_string!(locale, keys.title)}
            </h2>
            <KeyList/>
            <form class="dialog-actions" method="dialog">
                <button class="button" type="submit">
                    {td_string!(locale, keys.close)}
                </button>
            </form>
        </dialog>
    }
}

#[component]
fn KeyList() -> impl IntoView {
    let locale = use_locale();
    let keys = [
        ("/", td_string!(locale, keys.search)),
        ("g p", td_string!(locale, keys.products)),
        ("g g", td_string!(locale, keys.generations)),
        ("g q", td_string!(locale, keys.queue)),
        ("g c", td_string!(locale, keys.costs)),
        ("g m", td_string!(locale, keys.models)),
        ("?", td_string!(locale, keys.help)),
    ];
    let lines = keys.map(|(key, word)| {
        view! {
            <div class="fact">
                <dt>
                    <kbd>{key}</kbd>
                </dt>
                <dd>{word}</dd>
            </div>
        }
    });
    view! { <dl class="facts">{lines.into_iter().collect_view()}</dl> }
}

/// Does what keys ask for, for as long as the owner is there.
fn listen(help: NodeRef<html::Dialog>) {
    let navigate = use_navigate();
    let has_begun = StoredValue::new(false);
    Effect::new(move || {
        let navigate = navigate.clone();
        let listener = window_event_listener(ev::keydown, move |event| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() || is_typing(&event) {
                return;
            }
            if event.key() == "Escape" {
                close_popovers();
                return;
            }
            let wish = wish(&event.key(), has_begun.get_value());
            has_begun.set_value(wish == Some(Wish::Begin));
            match wish {
                Some(Wish::Search) => {
                    event.prevent_default();
                    focus_search();
                }
                Some(Wish::Help) => show(help),
                Some(Wish::Go(page)) => navigate(page, Default::default()),
                Some(Wish::Begin) | None => {}
            }
        });
        on_cleanup(move || listener.remove());
    });
}

fn show(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked().filter(|dialog| !dialog.open()) {
        // It fails only for a dialog that is open already.
        let _ = dialog.show_modal();
    }
}

/// Whether the key goes into a field.
fn is_typing(event: &web_sys::KeyboardEvent) -> bool {
    event.target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok()).is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") || element.is_content_editable()
    })
}

fn focus_search() {
    let field = document().query_selector("[data-search]").ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        // A refused focus leaves everything as it was.
        let _ = field.focus();
        field.select();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_lead_to_pages_and_one_alone_does_not() {
        assert_eq!(wish("g", false), Some(Wish::Begin));
        assert_eq!(wish("g", true), Some(Wish::Go("/admin/generations")));
        assert_eq!(wish("p", true), Some(Wish::Go("/admin/products")));
        assert_eq!(wish("p", false), None);
        assert_eq!(wish("/", true), Some(Wish::Search));
    }
}
