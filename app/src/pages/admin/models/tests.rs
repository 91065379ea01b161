use chrono::{Days, Duration};
use domain::{
    MicroUsd, Recipe, Stage,
    models::{
        ModelChange, ModelChangeKind, ModelFigures, ModelView, PriceAmount, PriceUnit, RoutePlace, ScheduledPrice,
    },
    options::InvalidOption,
};

use super::{field::Field, *};
use crate::{api::models::AddPrice, i18n::Locale, sample};

fn amount(key: &str, micros: i64) -> PriceAmount {
    PriceAmount { key: key.to_owned(), amount: MicroUsd::new(micros) }
}

fn clip() -> ModelView {
    ModelView {
        name: "fal/fal-ai/pika/v2.2/pikaframes".into(),
        provider: "fal".into(),
        id: "fal-ai/pika/v2.2/pikaframes".into(),
        has_key: true,
        places: vec![RoutePlace { recipe: Recipe::ProductVideo, stage: Stage::Clip, place: 1 }],
        prices: vec![amount("1080p", 60_000), amount("720p", 40_000)],
        unit: PriceUnit::Second,
        usual_price: Some(MicroUsd::new(200_000)),
        valid_from: sample::now().date_naive(),
        scheduled: Vec::new(),
        source: "fal.ai model page <2026>".into(),
        retires_on: None,
        figures: Some(ModelFigures {
            calls: 40,
            failed: 2,
            judged: 38,
            published: 19,
            half_ms: Some(38_200),
            most_ms: Some(90_000),
            average: Some(MicroUsd::new(201_300)),
        }),
        history: Vec::new(),
    }
}

fn still() -> ModelView {
    ModelView {
        name: "gemini/gemini-3-pro-image".into(),
        provider: "gemini".into(),
        id: "gemini-3-pro-image".into(),
        has_key: false,
        places: vec![RoutePlace { recipe: Recipe::TryonVideo, stage: Stage::Stills, place: 3 }],
        prices: vec![amount("image_per_million", 120_000_000)],
        unit: PriceUnit::MillionTokens,
        figures: None,
        ..clip()
    }
}

fn desk(locale: Locale, models: Vec<ModelView>, opened: Option<&str>) -> String {
    let opened = opened.map(str::to_owned);
    sample::render(locale, move || {
        let opened = Memo::new(move |_| opened.clone());
        let changing = Changing { opened, query: Memo::new(|_| ParamsMap::new()) };
        view! { <Desk models=ModelsView { models, figures_days: 30 } changing/> }.into_any()
    })
}

#[test]
fn a_line_says_where_a_model_is_used_what_it_costs_and_how_it_does() {
    let html = desk(Locale::en, vec![clip()], None);
    for text in ["Product video · Clip", "First choice", "$0.2000", "4 s · 720p", "38 s", "95% within 1 min 30 s"] {
        assert!(html.contains(text), "{text} in {html}");
    }
    for text in ["5%", "2 of 40", "50%", "19 of 38", "$0.2013", "last 30 days"] {
        assert!(html.contains(text), "{text} in {html}");
    }
    assert!(html.contains("aria-expanded=\"false\"") && !html.contains("model-panel"), "{html}");
    assert!(html.contains("href=\"/admin/models?model=fal%2Ffal-ai%2Fpika%2Fv2.2%2Fpikaframes\""), "{html}");
    assert!(!html.contains("Not in use") && !html.contains("style="), "{html}");
}

#[test]
fn no_calls_are_no_figures_and_a_missing_key_is_named() {
    let html = desk(Locale::ko, vec![still()], None);
    assert!(html.contains("착용 영상 · 착용 이미지") && html.contains("대체 2"), "{html}");
    assert_eq!(html.matches('–').count(), 4, "{html}");
    assert!(html.contains("data-state=\"attention\"") && html.contains("API 키 없음"), "{html}");
    let unused = ModelView { places: Vec::new(), ..still() };
    let html = desk(Locale::ko, vec![unused], None);
    assert!(html.contains("사용하지 않음") && html.contains("API 키 없음"), "{html}");
    assert!(!html.contains("data-state=\"attention\""), "{html}");
}

#[test]
fn a_retirement_wants_attention_when_it_is_near_and_greys_the_model_when_it_is_past() {
    let in_days = |days| {
        let on = sample::now().date_naive() + Days::new(days);
        desk(Locale::en, vec![ModelView { retires_on: Some(on), ..clip() }], None)
    };
    assert!(in_days(30).contains("data-state=\"attention\"") && in_days(30).contains("2024-11-03"), "{}", in_days(30));
    assert!(!in_days(31).contains("data-state=\"attention\"") && in_days(31).contains("2024-11-04"), "{}", in_days(31));
    let past = in_days(0);
    assert!(past.contains("data-retired") && past.contains("Retired<") && past.contains("2024-10-04"), "{past}");
    assert!(!in_days(1).contains("data-retired"), "{}", in_days(1));
}

#[test]
fn an_open_model_has_its_price_its_forms_and_its_history() {
    let change = |kind, day, prices| ModelChange {
        at: sample::now() - Duration::minutes(5),
        by: "Mina".into(),
        kind,
        day,
        prices,
        reason: "The page says <so>".into(),
    };
    let day = Some(sample::now().date_naive());
    let history = vec![
        change(ModelChangeKind::Withdrawal, day, Vec::new()),
        change(ModelChangeKind::Retirement, None, Vec::new()),
        change(ModelChangeKind::Retirement, day, Vec::new()),
        change(ModelChangeKind::Price, day, vec![amount("720p", 37_500)]),
    ];
    let html = desk(Locale::en, vec![ModelView { history, ..clip() }], Some(&clip().name));
    for text in ["action=\"/api/admin/models/price\"", "action=\"/api/admin/models/retire\"", "method=\"post\""] {
        assert!(html.contains(text), "{text} in {html}");
    }
    for text in ["name=\"amounts[of_720p]\"", "placeholder=\"0.04\"", "value=\"2024-10-05\""] {
        assert!(html.contains(text), "{text} in {html}");
    }
    for text in ["min=\"2024-10-04\"", "$0.06", "Per second of a clip · from 2024-10-04 on", "page &lt;2026&gt;"] {
        assert!(html.contains(text), "{text} in {html}");
    }
    for text in [
        "Price from 2024-10-04: 720p $0.0375",
        "Retires on 2024-10-04",
        "Retirement taken back",
        "Price of 2024-10-04 withdrawn",
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
    assert!(html.contains("Mina") && html.contains("Days are those of Asia/Seoul"), "{html}");
    assert!(html.contains("The page says &lt;so&gt;") && html.contains("5 min ago"), "{html}");
    assert!(html.contains("aria-expanded=\"true\"") && !html.contains("take_back"), "nothing to take back: {html}");
    let retiring = ModelView { retires_on: day, ..clip() };
    let html = desk(Locale::en, vec![retiring], Some(&clip().name));
    assert!(html.contains("name=\"take_back\""), "{html}");
    let html = desk(Locale::en, vec![clip()], Some("fal/other"));
    assert!(!html.contains("model-panel"), "{html}");
}

#[test]
fn what_is_wrong_stands_in_its_field() {
    let wrong = |field: &str, expected: &str| InvalidOption { field: field.into(), expected: expected.into() };
    let fields = vec![wrong("720p", "0.000001..=1000"), wrong("reason", "1..=500")];
    let field = |locale, key: &'static str, kind| {
        let error = AppError::Invalid { fields: fields.clone() };
        let input = field::Input::new("price", key, key, kind);
        sample::render(locale, || {
            let refusal: Refusal = Memo::new(move |_| Some(error.clone()));
            view! { <Field input refusal/> }
        })
    };
    let html = field(Locale::en, "720p", field::Kind::Dollars);
    assert!(html.contains("$0.000001–$1000") && html.contains("aria-invalid=\"true\""), "{html}");
    assert!(
        html.contains("aria-describedby=\"price-720p-error\"") && html.contains("id=\"price-720p-error\""),
        "{html}"
    );
    assert!(field(Locale::ko, "reason", field::Kind::Reason).contains("1–500자로 적어 주세요"));
    let html = field(Locale::ko, "valid_from", field::Kind::Day);
    assert!(
        !html.contains("field-error") && !html.contains("aria-invalid") && html.contains("type=\"date\""),
        "{html}"
    );
}

#[test]
fn a_price_to_come_stands_beside_todays_and_can_be_withdrawn() {
    let price = ScheduledPrice {
        valid_from: sample::now().date_naive() + Days::new(58),
        prices: vec![amount("720p", 50_000)],
        usual_price: Some(MicroUsd::new(250_000)),
    };
    let dearer = ModelView { scheduled: vec![price], ..clip() };
    let html = desk(Locale::en, vec![dearer.clone()], None);
    assert!(html.contains("from 2024-12-01: $0.2500") && html.contains("$0.2000"), "{html}");
    assert!(!html.contains("models/withdraw"), "{html}");
    let html = desk(Locale::ko, vec![dearer], Some(&clip().name));
    assert!(html.contains("2024-12-01부터 $0.2500") && html.contains("720p $0.05"), "{html}");
    assert!(html.contains("action=\"/api/admin/models/withdraw\"") && html.contains("value=\"2024-12-01\""), "{html}");
    let html = desk(Locale::ko, vec![clip()], Some(&clip().name));
    assert!(!html.contains("models/withdraw"), "nothing to withdraw: {html}");
}

#[test]
fn a_model_that_is_none_is_named() {
    let html = desk(Locale::en, vec![clip()], Some("fal/<zzz>"));
    assert!(html.contains("There is no model fal/&lt;zzz&gt;.") && html.contains("role=\"alert\""), "{html}");
    assert!(!desk(Locale::en, vec![clip()], Some(&clip().name)).contains("There is no model"));
    assert!(!desk(Locale::en, vec![clip()], None).contains("There is no model"));
}

/// The forms of an open model after its price form was refused.
fn refused_form(error: AppError, typed: &[(&'static str, &str)]) -> String {
    let refused =
        ServerFnUrlError::new(AddPrice::PATH, error).to_url("http://page/").map_err(|error| error.to_string());
    let refused = refused.unwrap_or_else(|error| unreachable!("{error}"));
    let said = refused.query_pairs().map(|(name, text)| (name.into_owned(), text.into_owned()));
    let query: ParamsMap =
        typed.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).chain(said).collect();
    sample::render(Locale::en, move || {
        let (model, name) = (clip(), clip().name);
        let opened = Memo::new(move |_| Some(name.clone()));
        let changing = Changing { opened, query: Memo::new(move |_| query.clone()) };
        view! { <Desk models=ModelsView { models: vec![model], figures_days: 30 } changing/> }.into_any()
    })
}

#[test]
fn a_refused_form_keeps_what_was_typed() {
    let typed = [
        ("__price-720p", "0,05"),
        ("__price-valid_from", "2024-01-01"),
        ("__price-reason", "a \"letter\""),
        ("__retire-reason", "of another form"),
    ];
    let wrong = InvalidOption { field: "720p".into(), expected: "0.000001..=1000".into() };
    let html = refused_form(AppError::Invalid { fields: vec![wrong] }, &typed);
    for text in ["value=\"0,05\"", "value=\"2024-01-01\"", "value=\"a &quot;letter&quot;\""] {
        assert!(html.contains(text), "{text} in {html}");
    }
    assert!(!html.contains("of another form") && !html.contains("Fill in at least"), "{html}");
    let wrong = InvalidOption { field: "amounts".into(), expected: "1080p|720p".into() };
    assert!(refused_form(AppError::Invalid { fields: vec![wrong] }, &[]).contains("Fill in at least one amount."));
}
