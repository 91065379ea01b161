use std::fmt::Write as _;

use super::{escape, exact_dollars, words};
use crate::desk::{FalRequest, RequestState};
use crate::world::World;

const SHOWN: usize = 50;

/// fal's requests, newest first.
pub(super) fn write_requests(world: &World, page: &mut String) {
    let requests = world.requests.all();
    page.push_str("<section><h2>fal requests</h2>");
    if requests.is_empty() {
        page.push_str("<p class=quiet>None yet.</p></section>");
        return;
    }
    page.push_str(
        "<div class='card scroll'><table><thead><tr><th>Accepted<th>Endpoint<th>State<th class=number>Units<th>Result\
         <th>Request</thead><tbody>",
    );
    for request in requests.iter().rev().take(SHOWN) {
        let units = request.billable_units.map(|units| units.to_string()).unwrap_or_default();
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td class=number>{units}<td>{}<td><code>{}</code>",
            request.accepted_at.format("%F %T"),
            escape(&request.endpoint),
            state_of(world, request),
            result_of(request),
            request.id,
        );
    }
    page.push_str("</table></div></section>");
}

fn state_of(world: &World, request: &FalRequest) -> String {
    match (request.state, &request.outcome) {
        (RequestState::InQueue, _) => format!("in queue, {} ahead", world.requests.position(request.id)),
        (RequestState::InProgress, _) => "<span class=busy>in progress</span>".to_owned(),
        (RequestState::Cancelled, _) => "cancelled".to_owned(),
        (RequestState::Completed, Some(outcome)) if outcome.status >= 400 => {
            let kind = outcome.error_type.as_deref().unwrap_or_default();
            format!("<span class=bad>{} {}</span>", outcome.status, escape(kind))
        }
        (RequestState::Completed, _) => "<span class=good>completed</span>".to_owned(),
    }
}

/// The result as a small picture that leads to the file.
fn result_of(request: &FalRequest) -> String {
    let Some(outcome) = &request.outcome else { return String::new() };
    let url = |name: &str| outcome.body.pointer(name).and_then(|url| url.as_str()).map(escape);
    if let Some(video) = url("/video/url") {
        return format!(
            "<a href=\"{video}\" aria-label='The clip'><video src=\"{video}\" preload=metadata muted></video></a>"
        );
    }
    match url("/images/0/url").or_else(|| url("/image/url")) {
        Some(image) => format!("<a href=\"{image}\"><img src=\"{image}\" alt='The picture' loading=lazy></a>"),
        None => String::new(),
    }
}

/// What stands on the bill, newest first.
pub(super) fn write_bill(world: &World, page: &mut String) {
    page.push_str("<section><h2>Bill</h2>");
    let entries = world.invoice.standing();
    if entries.is_empty() {
        page.push_str("<p class=quiet>Nothing to pay yet.</p></section></main>");
        return;
    }
    page.push_str(
        "<div class='card scroll'><table><thead><tr><th>When<th>Model<th>Counted<th class=number>Amount</thead><tbody>",
    );
    for entry in entries.iter().rev().take(SHOWN) {
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td class=number>{}",
            entry.accepted_at.format("%F %T"),
            escape(&entry.endpoint),
            escape(&words::counted(&entry.units)),
            exact_dollars(entry.amount_micro_usd)
        );
    }
    page.push_str("</table></div>");
    let voided = world.invoice.voided().len();
    if voided > 0 {
        let _ = write!(page, "<p class='quiet below'>Taken back: {voided}, failed or cancelled.</p>");
    }
    page.push_str("</section></main>");
}
