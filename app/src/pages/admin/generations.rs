//! The history.

use domain::{
    generation::{GenerationRow, StateGroup},
    page::Page,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;

use crate::{
    api::generations::list_generations,
    components::{
        empty::Empty,
        error_block::ErrorBlock,
        filters::{FilterChoice, Filters},
        generation_table::GenerationTable,
        lasting::Lasting,
        pager::{BeyondTheEnd, Pager, extent},
        refresher::Refresher,
        search_box::SearchBox,
        skeleton::TableSkeleton,
        title::PageTitle,
    },
    live::use_live,
    query::GenerationsQuery,
    shell::use_locale,
    words,
};

/// All generations, newest first.
#[component]
pub fn GenerationsPage() -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let query = use_query_map();
    let asked = Memo::new(move |_| query.with(GenerationsQuery::read));
    let rows = crate::wire::resource(
        move || (asked.get(), live.turns.get()),
        |(asked, _)| {
            let group = asked.filter.group.map_or("", StateGroup::as_str).to_owned();
            list_generations(asked.filter.search, group, asked.filter.mine, asked.page.get())
        },
    );
    let title = td_string!(locale, generations.title);
    let lasting = Lasting::here();
    view! {
        <PageTitle text=title.to_owned()/>
        <div class="stack">
            <header class="page-head">
                <div class="page-head-row">
                    <div class="page-head-text">
                        <h1 class="page-title">{title}</h1>
                    </div>
                </div>
            </header>
            <div class="toolbar">{move || view! { <HistoryFilters asked=asked.get()/> }}</div>
            <Transition fallback=move || view! { <TableSkeleton text=td_string!(locale, generations.loading)/> }>
                {move || {
                    let lasting = lasting.clone();
                    Suspend::new(async move {
                        match rows.await {
                            Ok(rows) => {
                                lasting.view(|| view! { <History rows asked=asked.get_untracked()/> }.into_any())
                            }
                            Err(error) => view! { <ErrorBlock error/> }.into_any(),
                        }
                    })
                }}
            </Transition>
        </div>
    }
    .into_any()
}

#[component]
fn HistoryFilters(asked: GenerationsQuery) -> impl IntoView {
    let locale = use_locale();
    let choice = |group: Option<StateGroup>, word| FilterChoice {
        href: asked.with_group(group).href(),
        word,
        is_current: asked.filter.group == group,
    };
    let mut choices = vec![choice(None, td_string!(locale, generations.all))];
    choices.extend(StateGroup::ALL.map(|group| choice(Some(group), words::group(locale, group))));
    choices.push(FilterChoice {
        href: asked.with_mine(!asked.filter.mine).href(),
        word: td_string!(locale, generations.mine),
        is_current: asked.filter.mine,
    });
    let kept = vec![
        ("state", asked.filter.group.map_or("", StateGroup::as_str)),
        ("mine", if asked.filter.mine { "1" } else { "" }),
    ];
    view! {
        <Filters label=td_string!(locale, generations.filter) choices/>
        <SearchBox
            action="/admin/generations"
            label=td_string!(locale, generations.search)
            placeholder=td_string!(locale, generations.placeholder)
            value=asked.filter.search
            kept
        />
    }
}

#[component]
fn History(rows: Page<GenerationRow>, asked: GenerationsQuery) -> impl IntoView {
    if rows.rows.is_empty() && rows.number > 1 {
        return view! { <BeyondTheEnd first=asked.at_page(1).href()/> }.into_any();
    }
    if rows.rows.is_empty() {
        return view! { <NoHistory is_filtered=asked.is_filtered()/> }.into_any();
    }
    let (number, pages, total) = extent(&rows);
    let is_running = rows.rows.iter().any(|row| !row.state.is_final());
    view! {
        {is_running.then(|| view! { <Refresher/> })}
        <GenerationTable rows=rows.rows/>
        <Pager
            number
            pages
            total
            neighbours=(asked.at_page(number.saturating_sub(1)).href(), asked.at_page(number + 1).href())
        />
    }
    .into_any()
}

#[component]
fn NoHistory(is_filtered: bool) -> impl IntoView {
    let locale = use_locale();
    let (title, text, action) = if is_filtered {
        (
            td_string!(locale, generations.empty_title),
            td_string!(locale, generations.empty_text),
            ("/admin/generations".to_owned(), td_string!(locale, products.clear)),
        )
    } else {
        (
            td_string!(locale, generations.none_title),
            td_string!(locale, generations.none_text),
            ("/admin/products".to_owned(), td_string!(locale, generations.none_action)),
        )
    };
    view! { <Empty title text action=Some(action)/> }
}
