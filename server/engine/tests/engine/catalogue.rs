//! The catalogue in the database: what people add, what they retire, what other processes see of it.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, Utc};
use domain::{MicroUsd, models::ModelChangeKind};
use engine::Error;
use providers::Catalogue;
use sqlx::PgPool;

use crate::{
    shop::{CATALOGUE, Shop, options},
    store,
};

const PIKA: &str = "fal/fal-ai/pika/v2.2/pikaframes";

fn day(ahead: u64) -> NaiveDate {
    Utc::now().date_naive().checked_add_days(Days::new(ahead)).unwrap()
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
    let yesterday = Utc::now().date_naive().pred_opt().unwrap();
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

#[sqlx::test(migrations = "../../migrations")]
async fn the_file_is_written_once_and_a_change_of_it_is_seen(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let rows = store::catalogue_rows(&shop.pg).await;
    shop.engine.load_catalogue(&Catalogue::parse(CATALOGUE).unwrap()).await.unwrap();
    assert_eq!(store::catalogue_rows(&shop.pg).await, rows, "nothing is written twice");
    let edited = CATALOGUE.replacen("\"720p\" = 40_000", "\"720p\" = 44_000", 1);
    shop.engine.load_catalogue(&Catalogue::parse(&edited).unwrap()).await.unwrap();
    assert_eq!(store::catalogue_rows(&shop.pg).await, rows + 1);
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
