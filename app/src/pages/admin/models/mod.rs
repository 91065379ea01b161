//! `/admin/models`: what can be bought, what it costs, how it does; a price or a retirement is added here. The model in
//! the address is open: so a form without scripts leads back to it, and what is wrong stands in its fields.

mod change;
mod field;
mod history;
mod table;
mod withdrawal;
mod words;

use domain::models::ModelsView;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use self::table::ModelTable;
use crate::{
    api::models::{AddPrice, RetireModel, WithdrawPrice, load_models},
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

/// Which model is open, and what its forms call.
#[derive(Clone, Copy)]
struct Changing {
    opened: Memo<Option<String>>,
    /// The address, which may hold what was typed into a refused form.
    query: Memo<ParamsMap>,
    price: ServerAction<AddPrice>,
    withdraw: ServerAction<WithdrawPrice>,
    retire: ServerAction<RetireModel>,
}

impl Changing {
    fn new(opened: Memo<Option<String>>, query: Memo<ParamsMap>) -> Self {
        let (price, withdraw, retire) = (ServerAction::new(), ServerAction::new(), ServerAction::new());
        Self { opened, query, price, withdraw, retire }
    }

    /// Forgets what the forms were refused.
    fn clear(self) {
        self.price.clear();
        self.withdraw.clear();
        self.retire.clear();
    }

    /// Whether a form has just changed something.
    fn has_changed(self) -> bool {
        let values = [self.price.value(), self.withdraw.value(), self.retire.value()];
        // Each is read: one that is not would not be heard of.
        values.into_iter().filter(|value| value.with(|value| matches!(value, Some(Ok(()))))).count() > 0
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
    let changing = Changing::new(opened, query);
    // What one model was refused says nothing of another.
    Effect::new(move |before: Option<Option<String>>| {
        let opened = opened.get();
        if before.is_some_and(|before| before != opened) {
            changing.clear();
        }
        opened
    });
    let changes = RwSignal::new(0_u32);
    // A refused form stays as it was filled in; once one has changed something, what others were refused is past.
    Effect::new(move || {
        if changing.has_changed() {
            changing.clear();
            changes.update(|count| *count = count.wrapping_add(1));
            live.alerts.update(|count| *count = count.wrapping_add(1));
        }
    });
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

/// Why the last try of an action was refused.
type Refusal = Signal<Option<AppError>>;

#[cfg(all(test, feature = "ssr"))]
mod tests;
