use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;

use crate::desk::RequestState;
use crate::world::World;

const SHOWN: usize = 50;
const FAULTS: [&str; 13] = [
    "status",
    "drop_answer",
    "garbage",
    "never",
    "moderation",
    "completed_with_error",
    "corrupt_clip",
    "wrong_type_clip",
    "webhook_none",
    "webhook_bad_signature",
    "webhook_duplicate",
    "webhook_late_ms",
    "delay_ms",
];

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8>\
<meta name=viewport content='width=device-width'><title>Provider simulator</title><style>\
:root{color-scheme:light dark}body{font:15px/1.5 system-ui;max-width:62rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
td,th{text-align:left;padding:.35rem .7rem .35rem 0;border-bottom:1px solid #8884;vertical-align:top}\
.n{text-align:right}h2{margin-top:2rem;font-size:1.1rem}form{display:flex;gap:.5rem;flex-wrap:wrap;margin:.7rem 0}\
input,select,button{font:inherit;padding:.2rem .5rem}code{font-size:.9em}.big{font-size:1.8rem}</style>";

/// The page for people: bill, requests and faults on one screen.
pub(crate) async fn show(State(world): State<Arc<World>>) -> Html<String> {
    let mut page = String::from(HEAD);
    page.push_str("<h1>Provider simulator</h1>");
    write_invoice(&world, &mut page);
    write_faults(&world, &mut page);
    write_requests(&world, &mut page);
    Html(page)
}

fn write_invoice(world: &World, page: &mut String) {
    let entries = world.invoice.standing();
    let total: i64 = entries.iter().map(|entry| entry.amount_micro_usd).sum();
    let _ = write!(
        page,
        "<p class=big>{} <small>for {} paid requests</small></p>\
         <table><tr><th>When<th>Provider<th>Endpoint<th>Units<th class=n>Amount",
        dollars(total),
        entries.len()
    );
    for entry in entries.iter().rev().take(SHOWN) {
        let _ = write!(
            page,
            "<tr><td>{}<td>{:?}<td>{}<td><code>{}</code><td class=n>{}",
            entry.accepted_at.format("%F %T"),
            entry.provider,
            escape(&entry.endpoint),
            escape(&entry.units.to_string()),
            dollars(entry.amount_micro_usd)
        );
    }
    page.push_str("</table>");
}

fn write_faults(world: &World, page: &mut String) {
    page.push_str("<h2>Faults</h2><ul>");
    let rules = world.faults.list();
    if rules.is_empty() {
        page.push_str("<li>none: everything works");
    }
    for rule in &rules {
        let text = serde_json::to_string(rule).unwrap_or_default();
        let _ = write!(page, "<li><code>{}</code>", escape(&text));
    }
    page.push_str("</ul><form method=post action=/faults/add><select name=fault>");
    for fault in FAULTS {
        let _ = write!(page, "<option>{fault}");
    }
    page.push_str(
        "</select><input name=model placeholder='model or endpoint (all)'>\
         <input name=times placeholder='times (1)' size=8>\
         <input name=number placeholder='code / ms / seconds' size=16><button>Switch on</button></form>\
         <form method=post action=/faults/clear><button>Switch all off</button></form>",
    );
}

fn write_requests(world: &World, page: &mut String) {
    let requests = world.requests.all();
    page.push_str("<h2>fal requests</h2><table><tr><th>Accepted<th>Request<th>Endpoint<th>State<th>Code");
    for request in requests.iter().rev().take(SHOWN) {
        let state = match request.state {
            RequestState::InQueue => "in queue",
            RequestState::InProgress => "in progress",
            RequestState::Completed => "completed",
            RequestState::Cancelled => "cancelled",
        };
        let code = request.outcome.as_ref().map(|outcome| outcome.status.to_string());
        let result = request.outcome.as_ref().and_then(|one| one.body["video"]["url"].as_str());
        let shown = match result {
            Some(url) => format!("<a href=\"{}\">{state}</a>", escape(url)),
            None => state.to_owned(),
        };
        let _ = write!(
            page,
            "<tr><td>{}<td><code>{}</code><td>{}<td>{shown}<td>{}",
            request.accepted_at.format("%F %T"),
            request.id,
            escape(&request.endpoint),
            code.unwrap_or_default()
        );
    }
    page.push_str("</table>");
}

fn dollars(micro_usd: i64) -> String {
    format!("${}.{:06}", micro_usd / 1_000_000, micro_usd % 1_000_000)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
