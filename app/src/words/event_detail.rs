//! Details of events that are more than an id or a provider's own words.

use domain::{
    event_detail::{BillDifference, RouteSwitch},
    generation::EventKind,
};
use leptos_i18n::td_string;

use crate::i18n::Locale;

/// What a detail says in the language of the page, and what is left of it for who asks.
pub fn event_detail(locale: Locale, kind: EventKind, detail: String) -> (Option<String>, Option<String>) {
    let told = match kind {
        EventKind::RouteSwitched => RouteSwitch::parse(&detail).map(|RouteSwitch { from, to, reason }| {
            (format!("{} → {}", model_id(&from), model_id(&to)), Some(reason).filter(|reason| !reason.is_empty()))
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
