//! A labelled input that says what is wrong with it.

use domain::{models::REASON_MAX_CHARS, options::InvalidOption};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::params::ParamsMap;

use super::Refusal;
use crate::{error::AppError, i18n::Locale, query::typed_name, shell::use_locale, words::expected_values};

/// What an input takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// US dollars.
    Dollars,
    /// A day.
    Day,
    /// Why something is changed.
    Reason,
}

/// An input of one of the forms.
pub(super) struct Input {
    /// What the form is called: the start of the ids in it.
    pub(super) form: &'static str,
    /// What the input is called where it is wrong.
    pub(super) key: String,
    /// What it is called in the form.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) value: String,
    /// What holds while it is empty.
    pub(super) placeholder: Option<String>,
    /// The first day that may be chosen.
    pub(super) first: Option<String>,
}

impl Input {
    /// An empty input that is called the same in the form and where it is wrong.
    pub(super) fn new(form: &'static str, key: &str, label: &str, kind: Kind) -> Self {
        Self {
            form,
            key: key.to_owned(),
            name: key.to_owned(),
            label: label.to_owned(),
            kind,
            value: String::new(),
            placeholder: None,
            first: None,
        }
    }

    /// As it was filled in before a page without scripts was refused.
    pub(super) fn typed(mut self, query: Memo<ParamsMap>, refusal: Refusal) -> Self {
        if let Some(text) = typed(query, refusal, self.form, &self.key) {
            self.value = text;
        }
        self
    }
}

/// What was typed into an input of a form that a page without scripts was refused; none of any other.
pub(super) fn typed(query: Memo<ParamsMap>, refusal: Refusal, form: &str, key: &str) -> Option<String> {
    if refusal.with_untracked(Option::is_none) {
        return None;
    }
    query.with_untracked(|query| query.get(&typed_name(form, key)))
}

/// Whether an input of this name was refused.
pub(super) fn is_wrong(refusal: Option<&AppError>, key: &str) -> bool {
    matches!(refusal, Some(AppError::Invalid { fields }) if fields.iter().any(|wrong| wrong.field == key))
}

/// The input with its label, and what is wrong with it.
#[component]
pub(super) fn Field(input: Input, refusal: Refusal) -> impl IntoView {
    let locale = use_locale();
    let Input { form, key, name, label, kind, value, placeholder, first } = input;
    let id = format!("{form}-{key}");
    let error_id = format!("{id}-error");
    let wrong = Memo::new(move |_| refusal.with(|refusal| wrong_sentence(locale, refusal.as_ref(), &key, kind)));
    let described = {
        let error_id = error_id.clone();
        move || wrong.with(Option::is_some).then(|| error_id.clone())
    };
    view! {
        <div class="field">
            <label class="field-label" for=id.clone()>
                {label}
            </label>
            <input
                class=if kind == Kind::Dollars { "input number" } else { "input" }
                type=if kind == Kind::Day { "date" } else { "text" }
                inputmode=(kind == Kind::Dollars).then_some("decimal")
                id=id
                name=name
                value=value
                placeholder=placeholder
                min=first
                maxlength=(kind == Kind::Reason).then_some(REASON_MAX_CHARS)
                required=kind == Kind::Reason
                autocomplete="off"
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                aria-describedby=described
            />
            {move || {
                wrong
                    .get()
                    .map(|text| {
                        view! {
                            <p class="field-error" id=error_id.clone()>
                                {text}
                            </p>
                        }
                    })
            }}
        </div>
    }
}

/// What a refusal says of one input.
fn wrong_sentence(locale: Locale, refusal: Option<&AppError>, key: &str, kind: Kind) -> Option<String> {
    let Some(AppError::Invalid { fields }) = refusal else { return None };
    let InvalidOption { expected, .. } = fields.iter().find(|wrong| wrong.field == key)?;
    let expected = expected_values(expected);
    Some(match kind {
        Kind::Dollars => td_string!(locale, options.invalid, expected = format!("${}", expected.replace('–', "–$"))),
        Kind::Day => td_string!(locale, options.invalid, expected = expected),
        Kind::Reason => td_string!(locale, models.reason_length, expected = expected),
    })
}
