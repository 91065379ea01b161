//! The page for people: bill, requests, clock and faults on one screen,
//! without a script.

mod faults;
mod tables;
mod words;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::faults::{RuleForm, Wrong};
use crate::world::World;

const STYLE: &str = include_str!("style.css");

/// Shows the page.
pub(crate) async fn show(State(world): State<Arc<World>>) -> Html<String> {
    Html(write(&world, &RuleForm { times: "1".to_owned(), ..RuleForm::default() }, None))
}

/// Shows the page with what is wrong beside its field, and the form as it was filled in.
pub(crate) fn refuse(world: &World, form: &RuleForm, wrong: &Wrong) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Html(write(world, form, Some(wrong)))).into_response()
}

fn write(world: &World, form: &RuleForm, wrong: Option<&Wrong>) -> String {
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width'><title>Provider simulator</title>\
         <link rel=icon href='data:,'><style>{STYLE}</style>"
    );
    write_head(world, wrong, &mut page);
    write_figures(world, &mut page);
    faults::write_faults(world, form, wrong, &mut page);
    tables::write_requests(world, &mut page);
    tables::write_bill(world, &mut page);
    page
}

/// What is wrong with a field, below it; and the attributes that lead there.
fn wrong_of(field: &str, wrong: Option<&Wrong>) -> (String, &'static str) {
    match wrong.filter(|wrong| wrong.field == field) {
        Some(Wrong { expected, .. }) => (
            format!("<span class=bad id=wrong role=alert>{}</span>", escape(expected)),
            " aria-invalid=true aria-describedby=wrong autofocus",
        ),
        None => (String::new(), ""),
    }
}

fn write_head(world: &World, wrong: Option<&Wrong>, page: &mut String) {
    let now = world.clock.now().format("%F %T");
    let state = if world.clock.is_running() { "" } else { ", standing still" };
    let (said, marks) = wrong_of("seconds", wrong);
    let _ = write!(
        page,
        "<header><div><h1>Provider simulator</h1><p class=quiet>fal.ai and Gemini on {}</div>\
         <form method=post action=/clock/advance><p class=quiet>{now} UTC{state}</p>\
         <label>Put forward, seconds<input class=short name=seconds type=number min=1 value=3600 required{marks}>{said}</label>\
         <button>Put forward</button></form></header><main>",
        escape(world.base.as_str())
    );
}

fn write_figures(world: &World, page: &mut String) {
    let entries = world.invoice.standing();
    let total: i64 = entries.iter().map(|entry| entry.amount_micro_usd).sum();
    let (waiting, running) = (world.requests.waiting(), world.requests.running());
    let _ = write!(
        page,
        "<section class=figures aria-label='At a glance'>\
         <div><b>{}</b><span class=quiet>for {} paid requests</span></div>\
         <div><b>{waiting}</b><span class=quiet>waiting</span></div>\
         <div><b>{running} of {}</b><span class=quiet>running</span></div>\
         <div><b>{}</b><span class=quiet>faults in force</span></div></section>",
        dollars(total),
        entries.len(),
        world.settings.concurrency.max(1),
        world.faults.list().len()
    );
}

/// Micro-USD as dollars, to the last digit that counts but at least cents.
fn dollars(micro_usd: i64) -> String {
    let text = exact_dollars(micro_usd);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}.{:0<2}", part.trim_end_matches('0'))
}

/// Micro-USD as dollars with every digit, for a column.
fn exact_dollars(micro_usd: i64) -> String {
    format!("${}.{:06}", micro_usd / 1_000_000, micro_usd % 1_000_000)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_exactly() {
        assert_eq!(dollars(200_000), "$0.20");
        assert_eq!(dollars(36_305), "$0.036305");
        assert_eq!(dollars(12_000_000), "$12.00");
    }
}
