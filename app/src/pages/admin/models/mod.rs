//! `/admin/models`: what can be bought, what it costs, how it does; a price or a retirement is added here. The model in
//! the address is open: so a form without scripts leads back to it, and what is wrong stands in its fields.

mod change;
mod field;
mod history;
mod table;
mod words;

use domain::models::ModelsView;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;

use self::table::ModelTable;
use crate::{
    api::models::{AddPrice, RetireModel, load_models},
    components::{error_block::ErrorBlock, lasting::Lasting, skeleton::TableSkeleton, title::PageTitle},
    error::AppError,
    live::use_live,
    query::address,
    shell::use_locale,
};

/// The page of models.
const PAGE: &str = "/admin/models";

/// Which model is open, and what its forms call.
#[derive(Clone, Copy)]
struct Changing {
    opened: Memo<Option<String>>,
    price: ServerAction<AddPrice>,
    retire: ServerAction<RetireModel>,
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
    let changing = Changing { opened, price: ServerAction::new(), retire: ServerAction::new() };
    // What one model was refused says nothing of another.
    Effect::new(move |before: Option<Option<String>>| {
        let opened = opened.get();
        if before.is_some_and(|before| before != opened) {
            changing.price.clear();
            changing.retire.clear();
        }
        opened
    });
    let changes = RwSignal::new(0_u32);
    for value in [changing.price.value(), changing.retire.value()] {
        // A refused form stays as it was filled in.
        Effect::new(move || {
            if matches!(value.get(), Some(Ok(()))) {
                changes.update(|count| *count = count.wrapping_add(1));
                live.alerts.update(|count| *count = count.wrapping_add(1));
            }
        });
    }
    let models = crate::wire::resource(move || (changes.get(), live.reopened.get()), |_| load_models());
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
    let (used, other): (Vec<_>, Vec<_>) = models.models.into_iter().partition(|model| !model.places.is_empty());
    view! {
        <header class="page-head">
            <div class="page-head-text">
                <h1 class="page-title">{td_string!(locale, models.title)}</h1>
                <p class="page-sub">{td_string!(locale, models.days, days = models.figures_days)}</p>
            </div>
        </header>
        <div class="stack">
            <ModelTable title=td_string!(locale, models.used) models=used changing/>
            <ModelTable title=td_string!(locale, models.other) models=other changing/>
        </div>
    }
}

/// Why the last try of an action was refused.
type Refusal = Signal<Option<AppError>>;

#[cfg(all(test, feature = "ssr"))]
mod tests;
