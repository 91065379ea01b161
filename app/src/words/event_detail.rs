//! Details of events that are more than an id or a provider's own words.

use chrono::Duration;
use domain::{
    event_detail::{BillDifference, RouteSwitch, ScheduledTry},
    generation::{EventKind, TimelineEntry},
};
use leptos_i18n::td_string;

use crate::{clock::lasting, i18n::Locale};

/// What a detail says in the language of the page, and what is left of it for who asks.
pub fn event_detail(locale: Locale, kind: EventKind, detail: String) -> (Option<String>, Option<String>) {
    let told = match kind {
        EventKind::RouteSwitched => RouteSwitch::parse(&detail)
            .map(|RouteSwitch { from, to, reason }| (format!("{} → {}", model_id(&from), model_id(&to)), some(reason))),
        EventKind::RetryScheduled => ScheduledTry::parse(&detail).map(|next| {
            let ScheduledTry { number, of, wait_ms, reason } = next;
            let wait = lasting(locale, Duration::milliseconds(i64::try_from(wait_ms).unwrap_or(i64::MAX)));
            (td_string!(locale, event_detail.next_try, number = number, of = of, wait = wait), some(reason))
        }),
        EventKind::BilledOtherwise => BillDifference::parse(&detail).map(|difference| {
            let BillDifference { model, billed, listed } = difference;
            let (billed, listed) = (billed.display_exact(), listed.display_exact());
            let model = model_id(&model);
            (td_string!(locale, event_detail.billed, model = model, billed = billed, listed = listed), None)
        }),
        _ => None,
    };
    told.map_or((None, Some(detail)), |(words, rest)| (Some(words), rest))
}

/// The words of a provider that are told in one event only.
pub fn reason_of(entry: &TimelineEntry) -> Option<String> {
    let detail = entry.detail.as_deref()?;
    match entry.kind {
        EventKind::RetryScheduled => {
            Some(ScheduledTry::parse(detail).map_or_else(|| detail.to_owned(), |next| next.reason))
        }
        _ => Some(detail.to_owned()),
    }
}

/// The detail of an event without the words that were told before; none when there is nothing else in it.
pub fn without_reason(entry: &TimelineEntry) -> Option<String> {
    let next = entry.detail.as_deref().filter(|_| entry.kind == EventKind::RetryScheduled);
    let next = next.and_then(ScheduledTry::parse)?;
    Some(ScheduledTry { reason: String::new(), ..next }.to_string())
}

fn some(reason: String) -> Option<String> {
    Some(reason).filter(|reason| !reason.is_empty())
}

/// What the provider calls a model of ours, without the provider.
fn model_id(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, id)| id)
}

#[cfg(test)]
mod tests {
    use domain::MicroUsd;

    use super::*;

    #[test]
    fn a_switch_names_both_models_and_keeps_the_reason_for_later() {
        let switch = RouteSwitch {
            from: "gemini/gemini-3-pro-image".into(),
            to: "fal/fal-ai/nano-banana/edit".into(),
            reason: "HTTP 503: overloaded".into(),
        };
        let (told, rest) = event_detail(Locale::ko, EventKind::RouteSwitched, switch.to_string());
        assert_eq!(told.as_deref(), Some("gemini-3-pro-image → fal-ai/nano-banana/edit"));
        assert_eq!(rest.as_deref(), Some("HTTP 503: overloaded"));
    }

    #[test]
    fn another_try_says_which_it_is_and_when_it_comes() {
        let next = ScheduledTry { number: 2, of: 3, wait_ms: 12_400, reason: "HTTP 503: overloaded".into() };
        let told = |locale| event_detail(locale, EventKind::RetryScheduled, next.to_string());
        let rest = Some("HTTP 503: overloaded".to_owned());
        assert_eq!(told(Locale::en), (Some("Try 2 of 3, 12 s later".to_owned()), rest.clone()));
        assert_eq!(told(Locale::ko), (Some("3회 중 2번째 시도, 12초 뒤".to_owned()), rest));
    }

    #[test]
    fn a_bill_and_our_price_are_told_in_both_languages() {
        let difference = BillDifference {
            model: "fal/fal-ai/pika".into(),
            billed: MicroUsd::new(250_000),
            listed: MicroUsd::new(200_000),
        };
        let told = |locale| event_detail(locale, EventKind::BilledOtherwise, difference.to_string());
        let words = "fal-ai/pika: $0.250000 billed, $0.200000 in our price list".to_owned();
        assert_eq!(told(Locale::en), (Some(words), None));
        assert_eq!(told(Locale::ko), (Some("fal-ai/pika: 청구 $0.250000, 가격표 $0.200000".to_owned()), None));
    }

    #[test]
    fn other_details_stay_as_they_are() {
        let id = "01936f3e".to_owned();
        assert_eq!(event_detail(Locale::en, EventKind::CallSubmitted, id.clone()), (None, Some(id.clone())));
        assert_eq!(event_detail(Locale::en, EventKind::RouteSwitched, id.clone()), (None, Some(id)));
    }
}
