//! Figures, prices and changes as the page says them.

use chrono::Duration;
use domain::{
    MicroUsd, Options,
    models::{ModelChange, ModelChangeKind, ModelFigures, ModelView, PriceAmount, PriceUnit, RoutePlace},
};
use leptos_i18n::td_string;

use crate::{
    clock::lasting,
    i18n::Locale,
    words::{self, iso_day},
};

/// A figure with what it is made of.
pub(super) struct FigureWords {
    pub(super) label: &'static str,
    /// None when nothing is known.
    pub(super) value: Option<String>,
    pub(super) note: Option<String>,
    /// What it will be, from which day on.
    pub(super) later: Vec<String>,
}

/// Price, time, failures, published results and cost of a model, in this order.
pub(super) fn figures(locale: Locale, model: &ModelView) -> [FigureWords; 5] {
    let of = |part, whole| td_string!(locale, models.part_of, part = part, whole = whole);
    let figure = |label, value: Option<String>, note: Option<String>| {
        let note = note.filter(|_| value.is_some());
        FigureWords { label, value, note, later: Vec::new() }
    };
    let known = model.figures;
    let price = model.usual_price.map(MicroUsd::display);
    let time = |pick: fn(ModelFigures) -> Option<u32>| known.and_then(pick).map(|millis| took(locale, millis));
    let most = time(|known| known.most_ms).map(|time| td_string!(locale, models.most, time = time));
    let failed = known.and_then(|known| percent(known.failed, known.calls));
    let published = known.and_then(|known| percent(known.published, known.judged));
    let price = figure(td_string!(locale, models.price), price, Some(usual(locale, model.unit)));
    [
        FigureWords { later: scheduled(locale, model), ..price },
        figure(td_string!(locale, models.time), time(|known| known.half_ms), most),
        figure(td_string!(locale, models.failed), failed, known.map(|known| of(known.failed, known.calls))),
        figure(td_string!(locale, models.published), published, known.map(|known| of(known.published, known.judged))),
        figure(td_string!(locale, models.average), known.and_then(|known| known.average).map(MicroUsd::display), None),
    ]
}

/// Whole percent, rounded; none of nothing.
fn percent(part: u32, whole: u32) -> Option<String> {
    let (part, whole) = (u64::from(part), u64::from(whole));
    (whole > 0).then(|| format!("{}%", (part * 100 + whole / 2) / whole))
}

/// Tenths of a second below ten seconds.
fn took(locale: Locale, millis: u32) -> String {
    if millis < 10_000 {
        let tenths = millis / 100;
        td_string!(locale, time.seconds, count = format!("{}.{}", tenths / 10, tenths % 10))
    } else {
        lasting(locale, Duration::milliseconds(i64::from(millis)))
    }
}

/// What a model will cost from days to come on, a line for each.
fn scheduled(locale: Locale, model: &ModelView) -> Vec<String> {
    let lines = model.scheduled.iter().filter_map(|price| {
        let usual = price.usual_price?.display();
        Some(td_string!(locale, models.from_day, day = iso_day(price.valid_from), price = usual))
    });
    lines.collect()
}

/// What is bought when nobody chooses.
fn usual(locale: Locale, unit: PriceUnit) -> String {
    match unit {
        PriceUnit::MillionTokens | PriceUnit::Still => td_string!(locale, models.one_still).to_owned(),
        PriceUnit::Second | PriceUnit::Clip => {
            let Options { duration, resolution, .. } = Options::default();
            let length = td_string!(locale, options.seconds, count = duration.get());
            format!("{length} · {}", resolution.as_str())
        }
    }
}

/// What the amounts of a price are for.
pub(super) fn unit(locale: Locale, unit: PriceUnit) -> &'static str {
    match unit {
        PriceUnit::MillionTokens => td_string!(locale, models.per_million),
        PriceUnit::Still => td_string!(locale, models.per_still),
        PriceUnit::Second => td_string!(locale, models.per_second),
        PriceUnit::Clip => td_string!(locale, models.per_clip),
    }
}

/// One amount's name: a kind of token or the unit of the bill in words, a size as it is.
pub(super) fn amount_name(locale: Locale, key: &str) -> String {
    match key {
        "input_per_million" => td_string!(locale, models.input).to_owned(),
        "text_per_million" => td_string!(locale, models.text).to_owned(),
        "image_per_million" => td_string!(locale, models.image).to_owned(),
        "unit" => td_string!(locale, models.unit).to_owned(),
        size => size.to_owned(),
    }
}

/// The recipe and its stage, and which choice the model is there.
pub(super) fn place(locale: Locale, place: RoutePlace) -> (String, String) {
    let stage = words::stage_of(locale, place.recipe, place.stage);
    let choice = match place.place {
        0 | 1 => td_string!(locale, models.first).to_owned(),
        place => td_string!(locale, models.fallback, number = place - 1),
    };
    (format!("{} · {stage}", words::recipe(locale, place.recipe)), choice)
}

/// What a person changed.
pub(super) fn change(locale: Locale, change: &ModelChange) -> String {
    match (change.kind, change.day) {
        (ModelChangeKind::Price, day) => {
            let day = day.map(iso_day).unwrap_or_default();
            td_string!(locale, models.price_from, day = day, prices = prices(locale, &change.prices))
        }
        (ModelChangeKind::Withdrawal, day) => {
            td_string!(locale, models.withdrawn, day = day.map(iso_day).unwrap_or_default())
        }
        (ModelChangeKind::Retirement, Some(day)) => td_string!(locale, models.retires_on, day = iso_day(day)),
        (ModelChangeKind::Retirement, None) => td_string!(locale, models.taken_back).to_owned(),
    }
}

/// Amounts in one line.
pub(super) fn prices(locale: Locale, prices: &[PriceAmount]) -> String {
    let prices = prices.iter().map(|PriceAmount { key, amount }| {
        let name = amount_name(locale, key);
        format!("{name} ${}", amount.dollars())
    });
    prices.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_nothing_is_no_share() {
        assert_eq!(percent(1, 3).as_deref(), Some("33%"));
        assert_eq!(percent(2, 3).as_deref(), Some("67%"));
        assert_eq!(percent(0, 7).as_deref(), Some("0%"));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(u32::MAX, u32::MAX).as_deref(), Some("100%"));
    }

    #[test]
    fn short_times_keep_their_tenths() {
        assert_eq!(took(Locale::en, 340), "0.3 s");
        assert_eq!(took(Locale::ko, 9_999), "9.9초");
        assert_eq!(took(Locale::ko, 75_400), "1분 15초");
    }
}
