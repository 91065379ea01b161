//! The catalogue in the database: what people add, what they retire, what other processes see of it.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, Utc};
use chrono_tz::Asia::Seoul;
use domain::{
    MicroUsd, Recipe, Stage,
    models::{ModelChangeKind, PriceAmount, RetiringModel, ScheduledPrice},
};
use engine::{Error, Routes, Withdrawn};
use providers::Catalogue;
use sqlx::PgPool;

use crate::{
    shop::{CATALOGUE, Choices, Shop, fal, options, routes},
    store,
};

const PIKA: &str = "fal/fal-ai/pika/v2.2/pikaframes";

fn day(ahead: u64) -> NaiveDate {
    Utc::now().with_timezone(&Seoul).date_naive().checked_add_days(Days::new(ahead)).unwrap()
}

fn amounts(key: &str, micros: i64) -> BTreeMap<String, MicroUsd> {
    BTreeMap::from([(key.to_owned(), MicroUsd::new(micros))])
}

async fn clip_price(shop: &Shop) -> i64 {
    shop.engine.quote(shop.product, &options()).await.unwrap().lines.last().unwrap().amount.micros()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_price_that_somebody_adds_holds_from_its_day_on_and_is_remembered(pg: PgPool) {
    let shop = Shop::open(pg).await;
    assert_eq!(clip_price(&shop).await, 200_000);
    let add = |micros, from, reason| {
        let amounts = amounts("720p", micros);
        let (engine, person) = (shop.engine.clone(), shop.person);
        async move { engine.add_price(person, PIKA, &amounts, from, reason).await }
    };
    add(50_000, day(3), "their letter").await.unwrap();
    assert_eq!(clip_price(&shop).await, 200_000, "not today");
    add(60_000, day(0), "their page today").await.unwrap();
    assert_eq!(clip_price(&shop).await, 300_000);
    let id = shop.click().await;
    let model = shop.engine.models().await.unwrap().models.into_iter().find(|model| model.name == PIKA).unwrap();
    let history: Vec<_> =
        model.history.iter().map(|change| (change.kind, change.day, change.reason.as_str())).collect();
    let price = ModelChangeKind::Price;
    assert_eq!(history, [(price, Some(day(0)), "their page today"), (price, Some(day(3)), "their letter")]);
    assert_eq!(model.prices.iter().find(|price| price.key == "720p").unwrap().amount.micros(), 60_000);
    assert_eq!((model.places[0].place, model.has_key), (1, true));
    assert!(store::calls(&shop.pg, id).await.iter().any(|call| call.slot == "clip"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_retired_model_is_not_sold_until_the_retirement_is_taken_back(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let retire = async |on, reason| shop.engine.retire_model(shop.person, PIKA, on, reason).await;
    retire(Some(day(10)), "they said so").await.unwrap();
    assert_eq!(clip_price(&shop).await, 200_000);
    retire(Some(day(0)), "it is gone").await.unwrap();
    let refused = shop.engine.quote(shop.product, &options()).await.unwrap_err();
    assert!(matches!(refused, Error::NoPrice(_)), "{refused}");
    retire(None, "it is back").await.unwrap();
    assert_eq!(clip_price(&shop).await, 200_000);
}

#[sqlx::test(migrations = "../../migrations")]
async fn wrong_changes_are_refused_field_by_field(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let yesterday = day(0).pred_opt().unwrap();
    let add = async |model: &str, amounts, from, reason: &str| {
        shop.engine.add_price(shop.person, model, &amounts, from, reason).await.unwrap_err()
    };
    let fields = |error: Error| match error {
        Error::Invalid(wrong) => wrong.into_iter().map(|field| field.field).collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    assert_eq!(fields(add(PIKA, amounts("8k", 1), yesterday, " ").await), ["valid_from", "reason", "8k"]);
    assert_eq!(fields(add(PIKA, amounts("720p", 0), day(0), "free?").await), ["720p"]);
    assert_eq!(fields(add(PIKA, BTreeMap::new(), day(0), "nothing").await), ["amounts"]);
    assert!(matches!(add("fal/none", amounts("720p", 1), day(0), "x").await, Error::NotFound(_)));
    assert!(matches!(add("none", amounts("720p", 1), day(0), "x").await, Error::NotFound(_)));
    assert_eq!(clip_price(&shop).await, 200_000);
}

async fn scheduled(shop: &Shop) -> Vec<(NaiveDate, i64, i64)> {
    let model = shop.engine.models().await.unwrap().models.into_iter().find(|model| model.name == PIKA).unwrap();
    let amount = |prices: &[PriceAmount], key| prices.iter().find(|price| price.key == key).unwrap().amount.micros();
    let price =
        |price: &ScheduledPrice| (price.valid_from, amount(&price.prices, "720p"), amount(&price.prices, "1080p"));
    model.scheduled.iter().map(price).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_price_to_come_is_shown_and_the_next_one_builds_on_it(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let add = async |key, micros, from| {
        shop.engine.add_price(shop.person, PIKA, &amounts(key, micros), from, "their letter").await.unwrap();
    };
    assert!(scheduled(&shop).await.is_empty());
    add("720p", 50_000, day(3)).await;
    add("1080p", 90_000, day(5)).await;
    add("1080p", 70_000, day(1)).await;
    let expected = [(day(1), 40_000, 70_000), (day(3), 50_000, 60_000), (day(5), 50_000, 90_000)];
    assert_eq!(scheduled(&shop).await, expected, "each builds on what is in force on its own first day");
    assert_eq!(clip_price(&shop).await, 200_000);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_price_to_come_can_be_withdrawn_and_stays_in_the_history(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let other = shop.other_process().await;
    let add = async |micros, from| {
        shop.engine.add_price(shop.person, PIKA, &amounts("720p", micros), from, "their letter").await.unwrap();
    };
    let withdraw = async |from, reason| shop.engine.withdraw_price(shop.person, PIKA, from, reason).await;
    add(50_000, day(3)).await;
    add(55_000, day(3)).await;
    add(60_000, day(9)).await;
    assert!(matches!(withdraw(day(3), " ").await, Err(Error::Invalid(wrong)) if wrong[0].field == "reason"));
    withdraw(day(3), "they changed their mind").await.unwrap();
    assert_eq!(scheduled(&shop).await.iter().map(|price| price.0).collect::<Vec<_>>(), [day(9)]);
    assert!(matches!(withdraw(day(3), "again").await, Err(Error::Conflict(_))));
    assert!(matches!(withdraw(day(4), "there is none").await, Err(Error::Conflict(_))));
    add(80_000, day(0)).await;
    assert!(matches!(withdraw(day(0), "it is in force").await, Err(Error::Conflict(_))));
    assert_eq!(clip_price(&shop).await, 400_000);
    add(52_000, day(3)).await;
    assert_eq!(scheduled(&shop).await[0].1, 52_000, "a price that is added later counts");
    other.refresh_catalogue().await.unwrap();
    let models = other.models().await.unwrap().models;
    let model = models.into_iter().find(|model| model.name == PIKA).unwrap();
    assert_eq!(model.scheduled.len(), 2, "other processes see the same");
    let kinds: Vec<_> = model.history.iter().map(|change| (change.kind, change.day)).collect();
    let price = |from| (ModelChangeKind::Price, Some(from));
    let withdrawn = (ModelChangeKind::Withdrawal, Some(day(3)));
    assert_eq!(kinds, [price(day(3)), price(day(0)), withdrawn, price(day(9)), price(day(3)), price(day(3))]);
    for sql in ["update catalogue_withdrawals set reason = 'x'", "delete from catalogue_withdrawals"] {
        assert!(store::tamper(&shop.pg, sql).await.is_err(), "{sql}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_model_that_is_sold_from_a_day_to_come_is_seen_and_can_be_changed(pg: PgPool) {
    const NEW: &str = "fal/fal-ai/pika/v9/frames";
    let shop = Shop::open(pg).await;
    let (_, pika) = CATALOGUE.split_once("id = \"fal-ai/pika/v2.2/pikaframes\"").unwrap();
    let (pika, _) = pika.split_once("[[model]]").unwrap();
    let pika = pika.replacen("valid_from = \"2026-07-10\"", &format!("valid_from = \"{}\"", day(5)), 1);
    let file =
        Catalogue::parse(&format!("[[model]]\nprovider = \"fal\"\nid = \"fal-ai/pika/v9/frames\"{pika}")).unwrap();
    let load = async |withdrawn| engine::load_catalogue(&shop.pg, &file, withdrawn).await.unwrap();
    assert_eq!(load(Withdrawn::Returns).await, 1);
    let seen = async || {
        shop.engine.refresh_catalogue().await.unwrap();
        shop.engine.models().await.unwrap().models.into_iter().find(|model| model.name == NEW)
    };
    let model = seen().await.unwrap();
    assert_eq!((model.valid_from, model.usual_price, model.scheduled.len()), (day(5), None, 1), "not sold today");
    assert_eq!(model.prices.iter().find(|price| price.key == "720p").unwrap().amount.micros(), 40_000);
    shop.engine.add_price(shop.person, NEW, &amounts("720p", 50_000), day(7), "their letter").await.unwrap();
    shop.engine.retire_model(shop.person, NEW, Some(day(20)), "their letter").await.unwrap();
    let model = seen().await.unwrap();
    assert_eq!((model.scheduled.len(), model.retires_on), (2, Some(day(20))));
    for from in [day(5), day(7)] {
        shop.engine.withdraw_price(shop.person, NEW, from, "not after all").await.unwrap();
    }
    assert!(seen().await.is_none(), "nothing of it is to come");
    assert_eq!(load(Withdrawn::Stays).await, 0, "the start of a program brings nothing back");
    assert!(seen().await.is_none());
    assert_eq!(
        (load(Withdrawn::Returns).await, load(Withdrawn::Returns).await),
        (1, 0),
        "who loads it on purpose does"
    );
    assert_eq!(seen().await.unwrap().valid_from, day(5));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_retiring_model_says_what_is_used_without_it(pg: PgPool) {
    let routes = Routes {
        product_clip: vec![fal("fal-ai/pika/v2.2/pikaframes"), fal("fal-ai/kling-video/v3/standard/image-to-video")],
        ..routes()
    };
    let shop = Shop::open_with(pg, Choices { routes, ..Choices::default() }).await;
    let retire =
        async |model: &str, on| shop.engine.retire_model(shop.person, model, Some(on), "a letter").await.unwrap();
    assert!(shop.engine.retiring_models().is_empty());
    retire(PIKA, day(20)).await;
    retire("fal/fal-ai/stable-video", day(10)).await;
    let told = |retiring: &[RetiringModel]| -> Vec<_> {
        let first = retiring.iter().map(|model| (model.on, model.routes[0].clone()));
        first.map(|(on, route)| (on, route.recipe, route.stage, route.next)).collect()
    };
    let kling = Some("fal-ai/kling-video/v3/standard/image-to-video".to_owned());
    let nothing = (day(10), Recipe::TryonVideo, Stage::Clip, None);
    let retiring = told(&shop.engine.retiring_models());
    assert_eq!(retiring, [nothing.clone(), (day(20), Recipe::ProductVideo, Stage::Clip, kling)]);
    retire("fal/fal-ai/kling-video/v3/standard/image-to-video", day(15)).await;
    let retiring = told(&shop.engine.retiring_models());
    assert_eq!(retiring[2], (day(20), Recipe::ProductVideo, Stage::Clip, None), "that one is gone by then");
    let pika = Some("fal-ai/pika/v2.2/pikaframes".to_owned());
    assert_eq!(retiring[1], (day(15), Recipe::ProductVideo, Stage::Clip, pika), "the first choice is still there");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_file_is_written_once_and_a_change_of_it_is_seen(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let rows = store::catalogue_rows(&shop.pg).await;
    let load =
        async |text: &str| engine::load_catalogue(&shop.pg, &Catalogue::parse(text).unwrap(), Withdrawn::Stays).await;
    assert_eq!(load(CATALOGUE).await.unwrap(), 0);
    assert_eq!(store::catalogue_rows(&shop.pg).await, rows, "nothing is written twice");
    let edited = CATALOGUE.replacen("\"720p\" = 40_000", "\"720p\" = 44_000", 1);
    assert_eq!(load(&edited).await.unwrap(), 1);
    assert_eq!(store::catalogue_rows(&shop.pg).await, rows + 1);
    shop.engine.refresh_catalogue().await.unwrap();
    assert_eq!(clip_price(&shop).await, 220_000);
    for sql in ["update catalogue_rows set reason = 'x'", "delete from catalogue_rows"] {
        assert!(store::tamper(&shop.pg, sql).await.is_err(), "{sql}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_process_sees_what_was_changed(pg: PgPool) {
    let shop = Shop::open(pg.clone()).await;
    let other = shop.other_process().await;
    shop.engine.add_price(shop.person, PIKA, &amounts("720p", 80_000), day(0), "dearer").await.unwrap();
    let price = async || other.quote(shop.product, &options()).await.unwrap().lines.last().unwrap().amount.micros();
    assert_eq!(price().await, 200_000);
    other.refresh_catalogue().await.unwrap();
    assert_eq!(price().await, 400_000);
}
