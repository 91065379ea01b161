//! The last 30 days: the chart and its table.

use domain::{MicroUsd, cost::CostDay};
use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::{
    components::{
        chart::{Column, StackedColumns},
        icon::{Icon, IconName},
    },
    i18n::Locale,
    words::{self, day_name},
};

/// The last 30 days as columns, and the same numbers as a table.
#[component]
pub(super) fn Days(days: Vec<CostDay>, locale: Locale) -> impl IntoView {
    let providers = providers(&days);
    let total = days.iter().map(CostDay::total).sum::<MicroUsd>();
    let legend = providers
        .iter()
        .enumerate()
        .map(|(at, provider)| {
            let amount = days.iter().map(|day| paid_to(day, provider)).sum::<MicroUsd>();
            let mark = format!("legend-mark series-{}", (at + 1).min(4));
            view! {
                <li>
                    <span class=mark></span>
                    {words::provider(provider)}
                    <b class="figures">{amount.display()}</b>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">
                    {td_string!(locale, costs.days)} " "
                    <span class="costs-total figures">
                        {td_string!(locale, costs.days_total, amount = total.display())}
                    </span>
                </h2>
                <ul class="legend">{legend}</ul>
            </header>
            <div class="card-body stack tight">
                <StackedColumns
                    columns=day_columns(&days, &providers, locale)
                    label=td_string!(locale, costs.chart_label).to_owned()
                />
                <details class="disclosure">
                    <summary>
                        <Icon name=IconName::ChevronRight/>
                        {td_string!(locale, costs.table)}
                    </summary>
                    <div class="disclosure-body">
                        <DayTable days providers locale/>
                    </div>
                </details>
            </div>
        </section>
    }
}

/// The table twin of the chart, newest day first.
#[component]
fn DayTable(days: Vec<CostDay>, providers: Vec<String>, locale: Locale) -> impl IntoView {
    let head = providers.iter().map(|word| view! { <th scope="col" class="number">{words::provider(word)}</th> });
    let rows = days.iter().rev().map(|day| {
        let amounts = providers.iter().map(|word| view! { <td class="number">{paid_to(day, word).display()}</td> });
        view! {
            <tr>
                <th scope="row" class="figures">{day_name(day.date, locale)}</th>
                {amounts.collect_view()}
                <td class="number">{day.total().display()}</td>
                <td class="number">{day.videos}</td>
            </tr>
        }
    });
    view! {
        <div class="table-box">
            <table class="table dense">
                <caption class="visually-hidden">{td_string!(locale, costs.chart_label)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, costs.date)}</th>
                        {head.collect_view()}
                        <th scope="col" class="number">{td_string!(locale, costs.total)}</th>
                        <th scope="col" class="number">{td_string!(locale, costs.videos)}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// Providers in the order they first appear: the order of the stack and of the legend.
fn providers(days: &[CostDay]) -> Vec<String> {
    let mut found = Vec::<String>::new();
    for (provider, _) in days.iter().flat_map(|day| &day.by_provider) {
        if !found.contains(provider) {
            found.push(provider.clone());
        }
    }
    found
}

fn paid_to(day: &CostDay, provider: &str) -> MicroUsd {
    day.by_provider.iter().filter(|(word, _)| word == provider).map(|(_, amount)| *amount).sum()
}

/// Today and the dearest day keep their figures; every seventh day, counted back from today, is named.
fn day_columns(days: &[CostDay], providers: &[String], locale: Locale) -> Vec<Column> {
    let last = days.len().saturating_sub(1);
    let dearest = days.iter().enumerate().filter(|(_, day)| day.total() > MicroUsd::ZERO);
    let dearest = dearest.max_by_key(|(at, day)| (day.total(), *at)).map(|(at, _)| at);
    days.iter()
        .enumerate()
        .map(|(at, day)| {
            let date = day_name(day.date, locale);
            let total = day.total().display();
            let title =
                td_string!(locale, costs.bar_label, date = date.clone(), total = total.clone(), videos = day.videos);
            // Beside today's figure there is no room for another.
            let keep_value = at == last || (dearest == Some(at) && at + 4 <= last);
            Column {
                parts: providers.iter().map(|word| paid_to(day, word).micros()).collect(),
                value: total,
                title,
                tick: (last - at).is_multiple_of(7).then_some(date),
                minor_tick: !(last - at).is_multiple_of(14),
                keep_value,
            }
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(in super::super) fn day(date: &str, fal: i64, gemini: i64) -> CostDay {
        let by_provider = vec![("fal".to_owned(), MicroUsd::new(fal)), ("gemini".to_owned(), MicroUsd::new(gemini))];
        CostDay { date: date.parse().unwrap(), by_provider, videos: 1 }
    }

    #[test]
    fn columns_hold_exactly_what_was_paid() {
        let days = [day("2026-11-01", 200_000, 70_000), day("2026-11-02", 0, 0)];
        let columns = day_columns(&days, &providers(&days), Locale::ko);
        assert_eq!(columns[0].parts, [200_000, 70_000]);
        assert_eq!(columns[0].value, "$0.2700");
        assert_eq!(columns[1].value, "$0.00");
        assert_eq!(columns[1].tick.as_deref(), Some("11월 2일"));
        assert!(columns[1].keep_value);
    }
}
