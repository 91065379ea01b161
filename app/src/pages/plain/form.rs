//! Forms that come back refused: why, and what was typed, stand in the address.

use domain::options::InvalidOption;
use http::request::Parts;
use leptos::{
    prelude::*,
    server_fn::{ServerFn, error::ServerFnUrlError},
};
use leptos_i18n::td_string;

use crate::{
    AppError, components::error_block::ErrorBlock, query::typed_name, shell::use_locale, words::expected_values,
};

/// What the address says of a refused form.
pub(in crate::pages) struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    pub(super) fn of(request: &Parts) -> Self {
        let query = request.uri.query().unwrap_or_default();
        Self { pairs: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Why the form that is sent to a server function was refused, when it was.
    pub(super) fn refusal<S: ServerFn<Error = AppError>>(&self) -> Option<AppError> {
        let error = self.get("__err").filter(|_| self.get("__path") == Some(S::PATH))?;
        Some(ServerFnUrlError::<AppError>::decode_err(error))
    }

    /// What was typed into an input of a refused form.
    pub(super) fn typed(&self, form: &str, input: &str, refusal: Option<&AppError>) -> Option<String> {
        refusal.and_then(|_| self.get(&typed_name(form, input))).map(str::to_owned)
    }
}

/// That a form was refused, and why.
pub(super) fn refused(refusal: Option<&AppError>) -> Option<impl IntoView + use<>> {
    refusal.cloned().map(|error| view! { <ErrorBlock error/> })
}

/// A whole number with its label, and what is wrong with it.
pub(super) struct NumberField {
    /// What the form is called.
    pub(super) form: &'static str,
    /// What the input is called.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) most: u32,
}

impl NumberField {
    pub(super) fn view(self, form: &Form, refusal: Option<&AppError>) -> impl IntoView + use<> {
        let locale = use_locale();
        let Self { form: of, name, label, value, most } = self;
        let value = form.typed(of, name, refusal).unwrap_or(value);
        let wrong = wrong(refusal, name)
            .map(|field| td_string!(locale, options.invalid, expected = expected_values(&field.expected)));
        let (id, error_id) = (format!("{of}-{name}"), format!("{of}-{name}-error"));
        view! {
            <div class="field">
                <label class="field-label" for=id.clone()>
                    {label}
                </label>
                <input
                    class="input short number"
                    type="number"
                    inputmode="numeric"
                    min="0"
                    max=most
                    step="1"
                    id=id
                    name=name
                    value=value
                    aria-invalid=wrong.is_some().then_some("true")
                    aria-describedby=wrong.is_some().then(|| error_id.clone())
                />
                {wrong
                    .map(|text| {
                        view! {
                            <p class="field-error" id=error_id>
                                {text}
                            </p>
                        }
                    })}
            </div>
        }
    }
}

fn wrong<'a>(refusal: Option<&'a AppError>, name: &str) -> Option<&'a InvalidOption> {
    let Some(AppError::Invalid { fields }) = refusal else { return None };
    fields.iter().find(|field| field.field == name)
}
