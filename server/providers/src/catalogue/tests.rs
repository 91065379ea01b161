#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use domain::{ClipSeconds, Resolution};

use super::*;
use crate::{BillableUnits, Provider, StillOrder, StillSize};

const STILL: &str = "gemini-nano-banana-2.1";
const CLIP: &str = "fal-ai/pika/v2.2/pikaframes";

fn day(text: &str) -> DateTime<Utc> {
    format!("{text}T12:00:00Z").parse().unwrap()
}

fn today() -> DateTime<Utc> {
    day("2026-11-22")
}

fn gemini(id: &str) -> ModelRef {
    ModelRef::new(Provider::Gemini, id)
}

fn fal(id: &str) -> ModelRef {
    ModelRef::new(Provider::Fal, id)
}

fn still(size: StillSize, pictures: u32) -> Order {
    StillOrder { size, pictures }.into()
}

fn clip(seconds: i64, resolution: Resolution) -> Order {
    ClipOrder { duration: ClipSeconds::parse(seconds).unwrap(), resolution, fps: None }.into()
}

#[test]
fn quotes_follow_the_vendors_pages() {
    use Resolution::{P720, P1080};
    use StillSize::{K1, K2, K4};
    let catalogue = Catalogue::embedded().unwrap();
    let cases = [
        // (1120 + 400) x 1.5 + 200 x 7.5 + 1120 x 30
        (gemini(STILL), still(K1, 1), 37_380),
        (gemini(STILL), still(K1, 2), 39_060),
        (gemini(STILL), still(K1, 99), 59_220),
        (gemini("gemini-3-pro-image"), still(K1, 1), 161_440),
        (fal("fal-ai/nano-banana/edit"), still(K1, 1), 39_800),
        (fal("fal-ai/nano-banana-pro/edit"), still(K1, 1), 150_000),
        (fal("fal-ai/nano-banana-2/edit"), still(K2, 2), 120_000),
        (fal("google/nano-banana-2.1/edit"), still(K4, 1), 134_117),
        (fal("fal-ai/fashn/tryon/v1.6"), still(K1, 2), 75_000),
        (fal("fal-ai/kling/v1-5/kolors-virtual-try-on"), still(K1, 2), 70_000),
        (fal(CLIP), clip(3, P720), 200_000),
        (fal(CLIP), clip(5, P720), 200_000),
        (fal(CLIP), clip(4, P1080), 300_000),
        // 3 seconds are not made: 4 are bought, and 6 for 5.
        (fal("fal-ai/veo3.1/fast/first-last-frame-to-video"), clip(3, P720), 400_000),
        (fal("fal-ai/veo3.1/fast/first-last-frame-to-video"), clip(5, P1080), 600_000),
        (fal("fal-ai/kling-video/v3/standard/image-to-video"), clip(4, P720), 336_000),
        (fal("fal-ai/wan-flf2v"), clip(5, P720), 400_000),
        (fal("fal-ai/stable-video"), clip(5, P720), 75_000),
        (fal("fal-ai/pika/v2.2/image-to-video"), clip(3, P720), 200_000),
        (fal("fal-ai/pika/v2.2/image-to-video"), clip(5, P1080), 450_000),
    ];
    for (model, order, expected) in &cases {
        assert_eq!(catalogue.quote(model, order, today()), Ok(MicroUsd::new(*expected)), "{model} {order:?}");
    }
    let priced: std::collections::BTreeSet<_> = cases.iter().map(|(model, ..)| model.clone()).collect();
    assert_eq!(priced, catalogue.models(today()).map(ModelRow::model).collect(), "every model has a case");
}

#[test]
fn more_frames_a_second_can_cost_more() {
    let order = ClipOrder { duration: ClipSeconds::parse(5).unwrap(), resolution: Resolution::P720, fps: Some(20) };
    let catalogue = Catalogue::embedded().unwrap();
    let wan = fal("fal-ai/wan-flf2v");
    assert_eq!(catalogue.quote(&wan, &order.into(), today()), Ok(MicroUsd::new(500_000)));
    assert_eq!(catalogue.bought(&wan, &order, today()).unwrap().frames, Some(100));
}

#[test]
fn without_a_price_there_is_no_call() {
    let catalogue = Catalogue::embedded().unwrap();
    let (one, four) = (still(StillSize::K1, 1), clip(4, Resolution::P720));
    let refused = |model: &ModelRef, order: &Order| catalogue.quote(model, order, today()).unwrap_err();
    assert_eq!(refused(&gemini("nano"), &one), NoPrice::Unknown("gemini/nano".into()));
    assert_eq!(refused(&fal(STILL), &one), NoPrice::Unknown(format!("fal/{STILL}")), "of another provider");
    assert!(matches!(catalogue.quote(&gemini(STILL), &one, day("2026-10-05")), Err(NoPrice::Unknown(_))));
    assert!(matches!(refused(&fal(CLIP), &one), NoPrice::NotOffered(..)));
    assert!(matches!(refused(&gemini(STILL), &four), NoPrice::NotOffered(..)));
    let pro = fal("fal-ai/nano-banana-pro/edit");
    assert!(matches!(refused(&pro, &still(StillSize::K4, 1)), NoPrice::NotOffered(..)), "its price was not read");
    let kling = fal("fal-ai/kling-video/v3/standard/image-to-video");
    let error = ProviderError::from(refused(&kling, &clip(4, Resolution::P1080)));
    assert_eq!((error.code, error.certainty), (FailureCode::NoPrice, Certainty::NotSent));
}

/// The embedded rows with one changed.
fn with(id: &str, change: impl FnOnce(&mut ModelRow)) -> Vec<ModelRow> {
    let mut rows = Catalogue::embedded().unwrap().rows().to_vec();
    change(rows.iter_mut().find(|row| row.id == id).unwrap());
    rows
}

/// The embedded rows with a second price of the clip model from 2026-12-01.
fn with_second_price(change: impl FnOnce(&mut ModelRow)) -> Vec<ModelRow> {
    let mut rows = Catalogue::embedded().unwrap().rows().to_vec();
    let mut newer = rows.iter().find(|row| row.id == CLIP).unwrap().clone();
    newer.valid_from = "2026-12-01".parse().unwrap();
    newer.price_version = "2026-12-01".to_owned();
    if let PriceRule::PerSecond(price) = &mut newer.price {
        price.per_second.insert(Resolution::P720, 50_000);
    }
    change(&mut newer);
    rows.push(newer);
    rows
}

#[test]
fn a_new_price_begins_on_its_day_and_a_retired_model_is_not_sold() {
    let rows = with_second_price(|row| row.retires_on = Some("2027-01-01".parse().unwrap()));
    let catalogue = Catalogue::from_rows(rows).unwrap();
    let price = |at| catalogue.quote(&fal(CLIP), &clip(4, Resolution::P720), at).map(MicroUsd::micros);
    assert_eq!(price(day("2026-11-30")), Ok(200_000));
    assert_eq!(price(day("2026-12-01")), Ok(250_000));
    assert_eq!(price(day("2027-01-01")), Err(NoPrice::Retired(format!("fal/{CLIP}"))));
    let row = catalogue.row(&fal(CLIP), day("2027-01-01")).expect("old calls are still settled");
    assert_eq!(row.retires_within(30, day("2026-12-02").date_naive()), row.retires_on);
    assert_eq!(row.retires_within(30, day("2026-12-01").date_naive()), None);
    let error = ProviderError::from(price(day("2027-01-01")).unwrap_err());
    assert_eq!(error.code, FailureCode::ModelGone);
}

#[test]
fn a_price_can_end_without_another() {
    let rows = with(CLIP, |row| row.valid_to = Some("2026-12-01".parse().unwrap()));
    let catalogue = Catalogue::from_rows(rows).unwrap();
    let order = clip(4, Resolution::P720);
    assert!(catalogue.quote(&fal(CLIP), &order, day("2026-11-30")).is_ok());
    assert!(matches!(catalogue.quote(&fal(CLIP), &order, day("2026-12-01")), Err(NoPrice::Unknown(_))));
}

#[test]
fn makers_read_what_was_put_in_place_last() {
    let shared = SharedCatalogue::new(Catalogue::embedded().unwrap());
    let (reader, before) = (shared.clone(), shared.current());
    shared.replace(Catalogue::from_rows(with_second_price(|_| ())).unwrap());
    let price = |catalogue: &Catalogue| catalogue.quote(&fal(CLIP), &clip(4, Resolution::P720), day("2026-12-01"));
    assert_eq!(price(&before), Ok(MicroUsd::new(200_000)), "whoever holds one keeps it");
    assert_eq!(price(&reader.current()), Ok(MicroUsd::new(250_000)));
}

#[test]
fn rows_survive_a_database() {
    let rows = Catalogue::embedded().unwrap().rows().to_vec();
    let stored: Vec<serde_json::Value> = rows.iter().map(|row| serde_json::to_value(row).unwrap()).collect();
    let read: Vec<ModelRow> = stored.into_iter().map(|row| serde_json::from_value(row).unwrap()).collect();
    assert_eq!(read, rows);
}

#[test]
fn a_contradicting_row_is_refused_and_named() {
    let fault = |rows| match Catalogue::from_rows(rows) {
        Err(CatalogueError::Row { id, reason, .. }) => (id, reason),
        other => panic!("{other:?}"),
    };
    let twin = with_second_price(|row| row.valid_from = "2026-07-10".parse().unwrap());
    assert_eq!(fault(twin), (CLIP.to_owned(), "two rows of the model begin on the same day"));
    let twin = with_second_price(|row| row.price_version = "2026-11-01".to_owned());
    assert!(fault(twin).1.contains("price_version"));
    type Change = fn(&mut ModelRow);
    let changes: [(&str, Change); 11] = [
        ("above nothing", |row| row.unit.as_mut().unwrap().micro_usd = 0),
        ("above nothing", |row| {
            if let PriceRule::PerSecond(price) = &mut row.price {
                price.per_second.insert(Resolution::P720, -1);
            }
        }),
        ("roles", |row| row.roles = vec![Role::Still, Role::Transition]),
        ("roles", |row| row.roles.clear()),
        ("price rule", |row| row.duration = None),
        ("person", |row| row.needs_person = true),
        ("input and output", |row| row.output = None),
        ("last picture", |row| {
            row.input.as_mut().unwrap().pictures = PictureFields::Frames { first: "image_url".into(), last: None };
        }),
        ("out of order", |row| {
            let field = NumberField { field: "motion".into(), min: 2, max: 9, default: 1 };
            row.input.as_mut().unwrap().motion = Some(field);
        }),
        ("ends before", |row| row.valid_to = Some(row.valid_from)),
        ("JSON pointer", |row| row.output = Some(OutputMapping { file: "video.url".into() })),
    ];
    for (reason, change) in changes {
        let (id, found) = fault(with(CLIP, change));
        assert!(id == CLIP && found.contains(reason), "{found} is not about {reason}");
    }
    let misspelt = EMBEDDED.replace("in_doubt = \"ask\"", "in_dobt = \"ask\"");
    assert!(matches!(Catalogue::parse(&misspelt), Err(CatalogueError::Malformed(_))));
}

#[test]
fn the_bill_is_read_by_the_models_unit() {
    let catalogue = Catalogue::embedded().unwrap();
    let charge = |id: &str, units: &str, order: &Order| {
        catalogue.row(&fal(id), today()).unwrap().charge(BillableUnits::parse(units).unwrap(), order)
    };
    let micros = |amount| Some(MicroUsd::new(amount));
    assert_eq!(charge(CLIP, "5", &clip(4, Resolution::P720)), micros(200_000));
    assert_eq!(charge(CLIP, "5", &clip(4, Resolution::P1080)), micros(300_000), "a second at that size");
    assert_eq!(charge("fal-ai/wan-flf2v", "1.25", &clip(5, Resolution::P720)), micros(500_000), "more units");
    assert_eq!(charge("fal-ai/nano-banana-2/edit", "1.5", &still(StillSize::K2, 1)), micros(120_000));
    assert_eq!(charge("fal-ai/fashn/tryon/v1.6", "2", &still(StillSize::K1, 2)), micros(150_000), "twice");
    let tokens = charge("google/nano-banana-2.1/edit", "1120", &still(StillSize::K1, 1));
    assert_eq!(tokens, micros(39_529), "a token costs less than a millionth of a dollar");
    assert_eq!(charge("fal-ai/pika/v2.2/image-to-video", "5", &clip(3, Resolution::P1080)), micros(450_000));
    let rows = with(CLIP, |row| row.unit = None);
    let unknown = Catalogue::from_rows(rows).unwrap();
    let row = unknown.row(&fal(CLIP), today()).unwrap();
    assert_eq!(row.charge(BillableUnits::parse("5").unwrap(), &clip(4, Resolution::P720)), None);
}

#[test]
fn the_roles_of_the_plan_all_have_models() {
    let catalogue = Catalogue::embedded().unwrap();
    let count = |role| catalogue.models(today()).filter(|row| row.makes(role)).count();
    assert_eq!(Role::ALL.map(count), [6, 2, 4, 3]);
    assert!(catalogue.models(today()).all(|row| row.needs_person == row.makes(Role::TryOn)));
}

#[test]
fn days_begin_where_the_catalogue_is_kept() {
    let rows = with_second_price(|_| ());
    let late: DateTime<Utc> = "2026-11-30T15:00:00Z".parse().unwrap();
    let order = clip(4, Resolution::P720);
    let utc = Catalogue::from_rows(rows).unwrap();
    let before = utc.quote(&fal(CLIP), &order, late).unwrap();
    assert_eq!(utc.coming(&fal(CLIP), late).len(), 1);
    let seoul = utc.in_zone(chrono_tz::Asia::Seoul);
    assert!(seoul.quote(&fal(CLIP), &order, late).unwrap() > before, "it is December there");
    assert!(seoul.coming(&fal(CLIP), late).is_empty());
}
