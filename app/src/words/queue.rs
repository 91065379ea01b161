//! What may be paused.

use domain::queue::PauseScope;
use leptos_i18n::td_string;

use super::recipe;
use crate::i18n::Locale;

/// A provider, as it calls itself.
pub fn provider(word: &str) -> String {
    match word {
        "fal" => "fal.ai".to_owned(),
        "gemini" => "Gemini".to_owned(),
        other => other.to_owned(),
    }
}

/// What is paused, or may be.
pub fn pause_scope(locale: Locale, scope: &PauseScope) -> String {
    match scope {
        PauseScope::Everything => td_string!(locale, queue.everything).to_owned(),
        PauseScope::Recipe(value) => td_string!(locale, queue.recipe, name = recipe(locale, *value)),
        PauseScope::Provider(word) => td_string!(locale, queue.provider, name = provider(word)),
        PauseScope::Model(name) => {
            let name = name.split_once('/').map_or(name.as_str(), |(_, id)| id).to_owned();
            td_string!(locale, queue.model, name = name)
        }
    }
}
