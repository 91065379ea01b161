//! Stacked columns, one per day or other step.

use leptos::prelude::*;

use super::layout::{ColumnBox, arrange};

/// Height of the drawing in pixels.
const HEIGHT: u32 = 208;
/// Room above the highest column for its figure.
const TOP: u32 = 24;
/// Where columns stand; below are the words of the axis.
const GROUND: u32 = 180;

/// One column of the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Amounts from the ground up, in the order of the legend.
    pub parts: Vec<i64>,
    /// The figure above the column.
    pub value: String,
    /// Everything about the column in a sentence: its tooltip and its name for assistive technology.
    pub title: String,
    /// Below the axis, where there is room for it.
    pub tick: Option<String>,
    /// Whether the words below the axis stand on wide screens only.
    pub minor_tick: bool,
    /// Whether the figure is always shown; the others appear on hover and focus.
    pub keep_value: bool,
}

/// Columns over a common ground. Parts get the classes `series-1` to `series-4`; later parts share the last.
#[component]
pub fn StackedColumns(
    /// From left to right.
    columns: Vec<Column>,
    /// What the drawing shows, in words.
    label: String,
) -> impl IntoView {
    let amounts = columns.iter().map(|column| column.parts.clone()).collect::<Vec<_>>();
    let boxes = arrange(&amounts, TOP, GROUND);
    let last = columns.len().saturating_sub(1);
    view! {
        <svg class="chart" width="100%" height=HEIGHT role="group" aria-label=label>
            {columns
                .into_iter()
                .zip(boxes)
                .enumerate()
                .map(|(at, (column, place))| view! { <OneColumn column place anchor=anchor(at, last)/> })
                .collect_view()}
        </svg>
    }
}

/// Text over the outermost columns must not leave the drawing.
fn anchor(at: usize, last: usize) -> &'static str {
    if at < 2 {
        "start"
    } else if at + 2 > last {
        "end"
    } else {
        "middle"
    }
}

#[component]
fn OneColumn(column: Column, place: ColumnBox, anchor: &'static str) -> impl IntoView {
    let ColumnBox { left, width, bar_left, bar_width, middle, bars, top } = place;
    let title = column.title;
    let spoken = title.clone();
    let text_x = match anchor {
        "start" => bar_left.to_string(),
        "end" => bar_left.plus(bar_width).to_string(),
        _ => middle.to_string(),
    };
    view! {
        <g class="chart-column" class:kept=column.keep_value tabindex="0" role="img" aria-label=title>
            <title>{spoken}</title>
            <rect class="chart-strip" x=left.to_string() y="0" width=width.to_string() height=GROUND></rect>
            <rect class="chart-ground" x=bar_left.to_string() y=GROUND width=bar_width.to_string() height="1"></rect>
            {bars
                .into_iter()
                .map(|bar| {
                    let part = (bar.part + 1).min(4);
                    view! {
                        <rect
                            class=format!("chart-bar series-{part}")
                            x=bar_left.to_string()
                            y=bar.y
                            width=bar_width.to_string()
                            height=bar.height
                        ></rect>
                    }
                })
                .collect_view()}
            <text class="chart-value" x=text_x.clone() y=top.saturating_sub(6) text-anchor=anchor aria-hidden="true">
                {column.value}
            </text>
            {column
                .tick
                .map(|tick| {
                    view! {
                        <text class="chart-tick" class:minor=column.minor_tick x=text_x y={GROUND + 20} text-anchor=anchor aria-hidden="true">
                            {tick}
                        </text>
                    }
                })}
        </g>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn column(parts: &[i64]) -> Column {
        Column {
            parts: parts.to_vec(),
            value: "$1.00".to_owned(),
            title: "Nov 1: $1.00".to_owned(),
            tick: None,
            minor_tick: false,
            keep_value: false,
        }
    }

    #[test]
    fn every_column_can_be_focused_and_says_what_it_is() {
        let columns = vec![column(&[1, 2]), column(&[0, 0])];
        let html = Owner::new()
            .with(|| view! { <StackedColumns columns label="Cost per day".to_owned()/> }.into_any().to_html());
        assert_eq!(html.matches("tabindex=\"0\"").count(), 2);
        assert_eq!(html.matches("<title>Nov 1: $1.00").count(), 2);
        assert_eq!(html.matches("class=\"chart-bar series-").count(), 2, "a day without cost has no bar: {html}");
        assert!(!html.contains("style="), "inline styles are refused by the page's policy");
    }
}
