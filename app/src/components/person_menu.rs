//! The person's menu: language, theme, sign-out. Plain forms: each answer is a new document in the new choice.

use domain::user::Person;
use leptos::prelude::*;
use leptos_i18n::{Locale as _, td_string};

use super::icon::{Icon, IconName};
use crate::{
    i18n::Locale,
    query::form_address,
    shell::{Theme, use_facts},
};

/// The menu of the person who is signed in.
#[component]
pub fn PersonMenu(
    /// Who it is, when that is known.
    person: Option<Person>,
    /// The page it stands on, where that is known: its choices lead back there, whatever the browser tells.
    #[prop(optional, into)]
    page: String,
) -> impl IntoView {
    let facts = use_facts();
    let locale = facts.locale;
    view! {
        <details class="popover" name="topbar">
            <summary
                class="button quiet icon-only"
                aria-label=td_string!(locale, person.menu)
                data-testid="person-menu"
            >
                <Icon name=IconName::Person size=20/>
            </summary>
            <div class="popover-panel menu">
                {person
                    .map(|person| {
                        view! {
                            <div class="popover-head">
                                <div>
                                    <h2>{person.name}</h2>
                                    <p class="muted">{person.email}</p>
                                </div>
                            </div>
                        }
                    })}
                <LanguageMenu current=locale page=page.clone()/>
                <ThemeMenu current=facts.theme page/>
                <form method="post" action="/api/session/sign-out">
                    <ul class="menu-list">
                        <li>
                            <a class="menu-item" href="/admin/storage" rel="external">
                                <Icon name=IconName::Layers/>
                                {td_string!(locale, storage.title)}
                            </a>
                        </li>
                        <li>
                            // A page of the server alone.
                            <a class="menu-item" href="/admin/tokens" rel="external">
                                <Icon name=IconName::Settings/>
                                {td_string!(locale, person.tokens)}
                            </a>
                        </li>
                        <li>
                            <button class="menu-item" type="submit">
                                <Icon name=IconName::SignOut/>
                                {td_string!(locale, person.sign_out)}
                            </button>
                        </li>
                    </ul>
                </form>
            </div>
        </details>
    }
}

/// Every language with its name in itself.
fn languages(locale: Locale) -> [(Locale, &'static str); 2] {
    [(Locale::ko, td_string!(locale, language.ko)), (Locale::en, td_string!(locale, language.en))]
}

/// Chooses the language of pages, in one quiet line.
#[component]
pub fn LanguageLine(
    /// The language of this page.
    current: Locale,
) -> impl IntoView {
    let choices = languages(current).map(|(choice, word)| {
        let language = choice.as_str();
        let pressed = if choice == current { "true" } else { "false" };
        view! {
            <button class="language" type="submit" name="language" value=language lang=language aria-pressed=pressed>
                {word}
            </button>
        }
    });
    view! {
        <form
            class="language-line"
            method="post"
            action="/api/preferences/language"
            aria-label=td_string!(current, language.label)
        >
            {choices.into_iter().collect_view()}
        </form>
    }
}

#[component]
fn LanguageMenu(current: Locale, page: String) -> impl IntoView {
    let choices = languages(current);
    view! {
        <form method="post" action=form_address("/api/preferences/language", &page)>
            <p class="menu-title">{td_string!(current, language.label)}</p>
            <ul class="menu-list">
                {choices
                    .into_iter()
                    .map(|(choice, word)| {
                        view! {
                            <li>
                                <MenuChoice
                                    name="language"
                                    value=choice.as_str()
                                    is_current=choice == current
                                    icon=IconName::Language
                                >
                                    <span lang=choice.as_str()>{word}</span>
                                </MenuChoice>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </form>
    }
}

#[component]
fn ThemeMenu(current: Option<Theme>, page: String) -> impl IntoView {
    let locale = use_facts().locale;
    let choices = [
        (None, "system", IconName::Display, td_string!(locale, theme.system)),
        (Some(Theme::Light), "light", IconName::Sun, td_string!(locale, theme.light)),
        (Some(Theme::Dark), "dark", IconName::Moon, td_string!(locale, theme.dark)),
    ];
    view! {
        <form method="post" action=form_address("/api/preferences/theme", &page)>
            <p class="menu-title">{td_string!(locale, theme.label)}</p>
            <ul class="menu-list">
                {choices
                    .into_iter()
                    .map(|(choice, value, icon, word)| {
                        view! {
                            <li>
                                <MenuChoice name="theme" value=value is_current=choice == current icon=icon>
                                    <span>{word}</span>
                                </MenuChoice>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </form>
    }
}

#[component]
fn MenuChoice(
    name: &'static str,
    value: &'static str,
    is_current: bool,
    icon: IconName,
    children: Children,
) -> impl IntoView {
    let pressed = if is_current { "true" } else { "false" };
    view! {
        <button class="menu-item" type="submit" name=name value=value aria-pressed=pressed>
            <Icon name=icon/>
            {children()}
        </button>
    }
}
