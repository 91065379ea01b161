//! `/admin/models`: what can be bought, what it costs, how it does; a price or a retirement is added here. The model in
//! the address is open. Its forms are the browser's own, with or without scripts: they are seldom sent, and lead back to the
//! model, where what is wrong stands in the fields.

mod change;
mod field;
mod history;
mod table;
mod withdrawal;
mod words;

use domain::models::ModelsView;
use leptos::{
    prelude::*,
    server_fn::{ServerFn, error::ServerFnUrlError},
};
use leptos_i18n::td_string;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use self::table::ModelTable;
use crate::{
    api::models::load_models,
    components::{
        error_block::ErrorBlock,
        icon::{Icon, IconName},
        lasting::Lasting,
        skeleton::TableSkeleton,
        title::PageTitle,
    },
    error::AppError,
    live::use_live,
    query::address,
    shell::use_locale,
};

/// The page of models.
const PAGE: &str = "/admin/models";

/// Which model is open.
#[derive(Clone, Copy)]
struct Changing {
    opened: Memo<Option<String>>,
    /// The address, which may hold why a form was refused and what was typed into it.
    query: Memo<ParamsMap>,
}

impl Changing {
    /// Why the form that is sent to a server function was refused, when it was.
    fn refusal<S: ServerFn<Error = AppError>>(self) -> Refusal {
        self.refusal_of(S::PATH)
    }

    fn refusal_of(self, path: &'static str) -> Refusal {
        Memo::new(move |_| {
            self.query.with(|query| {
                let error = query.get_str("__err").filter(|_| query.get_str("__path") == Some(path))?;
                Some(ServerFnUrlError::<AppError>::decode_err(error))
            })
        })
    }
}

/// The page of models with one of them open.
pub fn model_address(name: &str) -> String {
    address(PAGE, &[("model", name)])
}

/// The page of models.
#[component]
pub fn ModelsPage() -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let query = use_query_map();
    let opened = Memo::new(move |_| query.with(|query| query.get("model")));
    let changing = Changing { opened, query };
    let models = crate::wire::resource(move || live.reopened.get(), |_| load_models());
    let lasting = Lasting::here();
    view! {
        <PageTitle text=td_string!(locale, models.title).to_owned()/>
        <Transition fallback=move || view! { <TableSkeleton text=td_string!(locale, models.loading)/> }>
            {move || {
                let lasting = lasting.clone();
                Suspend::new(async move {
                    match models.await {
                        Ok(models) => lasting.view(|| view! { <Desk models changing/> }.into_any()),
                        Err(error) => view! { <ErrorBlock error/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn Desk(models: ModelsView, changing: Changing) -> impl IntoView {
    let locale = use_locale();
    let known: Vec<String> = models.models.iter().map(|model| model.name.clone()).collect();
    let unknown = Memo::new(move |_| changing.opened.get().filter(|name| !known.contains(name)));
    let (used, other): (Vec<_>, Vec<_>) = models.models.into_iter().partition(|model| !model.places.is_empty());
    view! {
        <header class="page-head">
            <div class="page-head-text">
                <h1 class="page-title">{td_string!(locale, models.title)}</h1>
                <p class="page-sub">{td_string!(locale, models.days, days = models.figures_days)}</p>
            </div>
        </header>
        <div class="stack">
            {move || unknown.get().map(|name| view! { <Unknown name/> })}
            <ModelTable title=td_string!(locale, models.used) models=used changing/>
            <ModelTable title=td_string!(locale, models.other) models=other changing/>
        </div>
    }
}

/// That the model in the address is none.
#[component]
fn Unknown(name: String) -> impl IntoView {
    view! {
        <div class="alert" role="alert" data-state="attention" data-testid="unknown-model">
            <Icon name=IconName::Attention size=20/>
            <div class="alert-body">
                <p class="alert-text">{td_string!(use_locale(), models.unknown, model = name)}</p>
            </div>
        </div>
    }
}

/// Why a form was refused.
type Refusal = Memo<Option<AppError>>;

#[cfg(all(test, feature = "ssr"))]
mod tests;
