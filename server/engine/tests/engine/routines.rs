//! What is done by the clock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    FailureCode, GenerationState,
    notice::{Fact, NoticeBody},
};
use engine::Routes;
use jobs::NewJob;
use serde_json::json;
use sqlx::PgPool;

use crate::{
    shop::{CATALOGUE, Choices, Shop, fal, fault, routes},
    store,
};

/// Runs a routine as its schedule would at this moment.
async fn run(shop: &Shop, name: &str, tick: DateTime<Utc>) {
    let mut conn = shop.pg.acquire().await.unwrap();
    let job = NewJob::new(name, "local", json!({ "tick": tick }));
    let id = jobs::enqueue(&mut conn, &job).await.unwrap();
    let worker = shop.worker();
    shop.work_until(&worker, name, async || store::has_succeeded(&shop.pg, id).await).await;
}

async fn facts(shop: &Shop) -> Vec<Fact> {
    let bell = shop.engine.bell(shop.person).await.unwrap();
    let facts = bell.notices.into_iter().filter_map(|notice| match notice.body {
        NoticeBody::Fact(fact) => Some(fact),
        _ => None,
    });
    facts.collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_day_is_reported_once_with_what_the_ledger_says(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = shop.click().await;
    assert_eq!(shop.finish(id).await.view.state, GenerationState::Completed);
    let tomorrow = Utc::now() + TimeDelta::days(1);
    for _ in 0..2 {
        run(&shop, "daily_report", tomorrow).await;
    }
    let paid = shop.assert_books_closed().await.total;
    let told = facts(&shop).await;
    assert!(
        matches!(&told[..], [Fact::DailyReport { videos: 1, failed: 0, paid: sum, .. }] if sum.micros() == paid),
        "{told:?}"
    );
    // Nothing happened on the day after.
    run(&shop, "daily_report", tomorrow + TimeDelta::days(1)).await;
    assert_eq!(facts(&shop).await, told);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_queue_that_stands_still_raises_one_alarm(pg: PgPool) {
    let shop = Shop::open(pg).await;
    run(&shop, "alarms", Utc::now()).await;
    assert!(facts(&shop).await.is_empty(), "all is well");
    // No worker here takes this kind.
    let mut conn = shop.pg.acquire().await.unwrap();
    let id = jobs::enqueue(&mut conn, &NewJob::new("nobodys", "elsewhere", json!({}))).await.unwrap();
    store::wait_since(&shop.pg, id, Duration::from_secs(1_260)).await;
    let noon = DateTime::from_timestamp(1_900_000_000 / 86_400 * 86_400 + 43_200, 0).unwrap();
    for minutes in [0, 5] {
        run(&shop, "alarms", noon + TimeDelta::minutes(minutes)).await;
    }
    assert_eq!(facts(&shop).await, [Fact::QueueStuck { minutes: 21 }]);
    run(&shop, "alarms", noon + TimeDelta::hours(6)).await;
    assert_eq!(facts(&shop).await.len(), 2, "it goes on");
    shop.engine.queue().pause(&jobs::Scope::Everything, None, "stocktaking").await.unwrap();
    run_paused(&shop, noon + TimeDelta::hours(12)).await;
    assert_eq!(facts(&shop).await.len(), 2, "what is paused is meant to wait");
}

/// Routines wait like everything else; only what they would say is looked at.
async fn run_paused(shop: &Shop, tick: DateTime<Utc>) {
    let mut conn = shop.pg.acquire().await.unwrap();
    jobs::enqueue(&mut conn, &NewJob::new("alarms", "local", json!({ "tick": tick }))).await.unwrap();
    assert_eq!(shop.worker().step().await.unwrap(), 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn failures_in_a_row_raise_one_alarm(pg: PgPool) {
    let shop = Shop::open(pg).await;
    shop.faults(json!([fault("gemini", "moderation", 20)])).await;
    for already in 1..=3 {
        let id = shop.click().await;
        let end = shop.finish(id).await;
        assert_eq!(end.view.failure.unwrap().code, FailureCode::ContentRefused, "{already}");
        run(&shop, "alarms", Utc::now()).await;
        let told = facts(&shop).await;
        assert_eq!(told.len(), usize::from(already == 3), "{already}: {told:?}");
    }
    assert_eq!(facts(&shop).await, [Fact::ManyFailures { failed: 3, ended: 3 }]);
}

/// The clip's model with another price of a unit, and one the provider does not know.
fn choices_the_provider_contradicts() -> Choices {
    let (before, pika) = CATALOGUE.split_once("id = \"fal-ai/pika/v2.2/pikaframes\"").unwrap();
    let (pika, _) = pika.split_once("[[model]]").unwrap();
    let edited = pika.replacen("micro_usd = 40_000", "micro_usd = 39_000", 1);
    assert_ne!(edited, pika);
    let unknown = format!("\n[[model]]\nprovider = \"fal\"\nid = \"fal-ai/pika/v9/frames\"{pika}");
    let catalogue = CATALOGUE.replacen(pika, &edited, 1) + &unknown;
    assert!(catalogue.starts_with(before));
    let product_clip = vec![fal("fal-ai/pika/v2.2/pikaframes"), fal("fal-ai/pika/v9/frames")];
    Choices { catalogue, routes: Routes { product_clip, ..routes() }, ..Choices::default() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_provider_lists_otherwise_is_told_once(pg: PgPool) {
    let shop = Shop::open_with(pg, choices_the_provider_contradicts()).await;
    for days in [0, 1] {
        run(&shop, "catalogue_check", Utc::now() + TimeDelta::days(days)).await;
    }
    let mut told = facts(&shop).await;
    told.sort_by_key(Fact::kind);
    let (provider, model) = ("fal".to_owned(), |id: &str| id.to_owned());
    let missing = Fact::ModelMissing { provider: provider.clone(), model: model("fal-ai/pika/v9/frames") };
    assert_eq!(told, [missing, Fact::ModelPrice { provider, model: model("fal-ai/pika/v2.2/pikaframes") }]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_said_of_a_list_that_is_as_we_believe(pg: PgPool) {
    let shop = Shop::open(pg).await;
    run(&shop, "catalogue_check", Utc::now()).await;
    assert_eq!(facts(&shop).await, []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn old_notices_are_forgotten(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let id = shop.click().await;
    shop.finish(id).await;
    assert_eq!(store::notice_kinds(&shop.pg).await, ["video_ready"]);
    run(&shop, "retention", Utc::now()).await;
    assert_eq!(store::notice_kinds(&shop.pg).await.len(), 1);
    store::age_notices(&shop.pg, 91).await;
    run(&shop, "retention", Utc::now()).await;
    assert!(store::notice_kinds(&shop.pg).await.is_empty());
}
