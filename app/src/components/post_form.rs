//! A form that calls a server function: by the browser itself before the page is awake, by the page afterwards.
//!
//! Leptos's own `ActionForm` reads any type out of any form; a reader per form is a tenth of that in the browser half.

use leptos::{ev::SubmitEvent, html, prelude::*, wasm_bindgen::JsCast};

/// What the inputs of a form say.
pub struct Fields(web_sys::FormData);

impl Fields {
    /// Of a form as it stands; none when the browser has no such form any more.
    pub fn of(form: &web_sys::HtmlFormElement) -> Option<Self> {
        web_sys::FormData::new_with_form(form).ok().map(Self)
    }

    /// What an input says; none without such an input.
    pub fn word(&self, name: &str) -> Option<String> {
        self.0.get(name).as_string()
    }

    /// What an input says, read as another type; none when it cannot be.
    pub fn parse<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.word(name)?.parse().ok()
    }
}

/// A form whose submit is a call of `action`.
#[component]
pub fn PostForm<S>(
    /// What the submit calls.
    action: ServerAction<S>,
    /// The arguments in the form. A form that cannot be read is sent as it is: the server says what is wrong with it.
    read: fn(&Fields) -> Option<S>,
    /// Class of the form.
    #[prop(optional)]
    class: &'static str,
    /// The form itself, for who wants to read it between submits.
    #[prop(optional)]
    node_ref: NodeRef<html::Form>,
    /// Called after an input has changed.
    #[prop(optional, into)]
    on_change: Option<Callback<()>>,
    /// Inputs and buttons.
    children: Children,
) -> impl IntoView
where
    S: leptos::server_fn::ServerFn + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
    ServerAction<S>: Copy,
{
    let submit = move |event: SubmitEvent| {
        let form = event.target().and_then(|form| form.dyn_into().ok());
        if let Some(arguments) = form.as_ref().and_then(Fields::of).as_ref().and_then(read) {
            event.prevent_default();
            action.dispatch(arguments);
        }
    };
    view! {
        <form
            method="post"
            action=S::url()
            class=class
            node_ref=node_ref
            on:submit=submit
            on:change=move |_| {
                if let Some(on_change) = on_change {
                    on_change.run(());
                }
            }
        >
            {children()}
        </form>
    }
}
