//! The product table.

use domain::{
    GenerationState,
    page::Page,
    product::{ProductRow, VideoStatus},
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;

use crate::{
    api::products::list_products,
    components::{
        chip::StatusChip,
        empty::Empty,
        error_block::ErrorBlock,
        filters::{FilterChoice, Filters},
        lasting::Lasting,
        pager::{BeyondTheEnd, Pager, extent},
        product_cell::ProductCell,
        refresher::Refresher,
        skeleton::TableSkeleton,
        title::PageTitle,
    },
    live::use_live,
    query::ProductsQuery,
    shell::use_locale,
    words,
};

/// Products with the state of their video.
#[component]
pub fn ProductsPage() -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let query = use_query_map();
    let asked = Memo::new(move |_| query.with(ProductsQuery::read));
    let rows = crate::wire::resource(
        move || (asked.get(), live.turns.get()),
        |(asked, _)| {
            let status = asked.filter.status.map_or("", VideoStatus::as_str).to_owned();
            list_products(asked.filter.search, status, asked.page.get())
        },
    );
    let title = td_string!(locale, products.title);
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
            <div class="toolbar">
                {move || view! { <StatusFilters asked=asked.get()/> }}
            </div>
            <Transition fallback=move || view! { <TableSkeleton text=td_string!(locale, products.loading)/> }>
                {move || {
                    let lasting = lasting.clone();
                    Suspend::new(async move {
                        match rows.await {
                            Ok(rows) => {
                                lasting.view(|| view! { <ProductTable rows asked=asked.get_untracked()/> }.into_any())
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
fn StatusFilters(asked: ProductsQuery) -> impl IntoView {
    let locale = use_locale();
    let choice = |status: Option<VideoStatus>, word| FilterChoice {
        href: asked.with_status(status).href(),
        word,
        is_current: asked.filter.status == status,
    };
    let mut choices = vec![choice(None, td_string!(locale, products.all))];
    choices.extend(VideoStatus::ALL.map(|status| choice(Some(status), words::video_status(locale, status))));
    view! { <Filters label=td_string!(locale, products.filter) choices/> }
}

#[component]
fn ProductTable(rows: Page<ProductRow>, asked: ProductsQuery) -> impl IntoView {
    let locale = use_locale();
    if rows.rows.is_empty() && rows.number > 1 {
        return view! { <BeyondTheEnd first=asked.at_page(1).href()/> }.into_any();
    }
    if rows.rows.is_empty() {
        return view! { <NoProducts is_filtered=asked.is_filtered()/> }.into_any();
    }
    let (number, pages, total) = extent(&rows);
    let is_running = rows.rows.iter().any(|row| row.status == VideoStatus::InProgress);
    view! {
        {is_running.then(|| view! { <Refresher/> })}
        <div class="table-box">
            <table class="table" data-testid="products">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, products.product)}</th>
                        <th scope="col">{td_string!(locale, products.sku)}</th>
                        <th scope="col">{td_string!(locale, products.video)}</th>
                        <th scope="col">
                            <span class="visually-hidden">{td_string!(locale, products.open)}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {rows.rows.into_iter().map(|row| view! { <ProductLine row/> }).collect_view()}
                </tbody>
            </table>
        </div>
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
fn ProductLine(row: ProductRow) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let href = format!("/admin/products/{}", row.id);
    let known = (row.status, row.latest.map(|latest| latest.progress));
    // The stream is newer than the row; the row knows of a video an unlucky generation did not replace.
    let shown = Memo::new(move |_| {
        live.latest_of(row.id).map_or(known, |latest| (status_after(known.0, latest.state), Some(latest.progress)))
    });
    let sub = match locale {
        crate::i18n::Locale::ko => row.name.en.clone(),
        crate::i18n::Locale::en => row.name.ko.clone(),
    };
    view! {
        <tr>
            <ProductCell href=href.clone() photo=row.photo name=row.name sub/>
            <td data-label=td_string!(locale, products.sku)>
                <code>{row.sku}</code>
            </td>
            <td data-label=td_string!(locale, products.video)>
                {move || {
                    let (status, progress) = shown.get();
                    view! { <StatusChip status progress/> }
                }}
            </td>
            <td class="cell-actions">
                <a class="button small" href=href tabindex="-1" aria-hidden="true">
                    {td_string!(locale, products.open)}
                </a>
            </td>
        </tr>
    }
}

/// The status of a product whose newest generation is in `state`.
fn status_after(before: VideoStatus, state: GenerationState) -> VideoStatus {
    match state {
        GenerationState::Completed => VideoStatus::Ready,
        GenerationState::Failed | GenerationState::Cancelled if before == VideoStatus::Ready => VideoStatus::Ready,
        GenerationState::Failed | GenerationState::Cancelled => VideoStatus::Failed,
        _ => VideoStatus::InProgress,
    }
}

#[component]
fn NoProducts(is_filtered: bool) -> impl IntoView {
    let locale = use_locale();
    if is_filtered {
        let action = Some(("/admin/products".to_owned(), td_string!(locale, products.clear)));
        view! {
            <Empty
                title=td_string!(locale, products.empty_title)
                text=td_string!(locale, products.empty_text)
                action=action
            />
        }
        .into_any()
    } else {
        view! {
            <Empty
                title=td_string!(locale, products.none_title)
                text=td_string!(locale, products.none_text)
                action=None
            />
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlucky_generation_does_not_take_the_video_away() {
        assert_eq!(status_after(VideoStatus::Ready, GenerationState::Failed), VideoStatus::Ready);
        assert_eq!(status_after(VideoStatus::InProgress, GenerationState::Cancelled), VideoStatus::Failed);
        assert_eq!(status_after(VideoStatus::None, GenerationState::Queued), VideoStatus::InProgress);
    }
}
