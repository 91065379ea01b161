//! The limits of a day: refused clicks write nothing, and people are told once before it comes to that.

use domain::{MicroUsd, cost::LimitStatus};
use engine::Error;
use sqlx::PgPool;

use crate::{
    shop::{Choices, Shop, key, options},
    store,
};

async fn refused(shop: &Shop) -> LimitStatus {
    let before = store::written(&shop.pg).await;
    let books = store::books(&shop.pg).await;
    let error = shop.engine.generate(shop.person, shop.product, options(), key()).await.unwrap_err();
    assert_eq!(store::written(&shop.pg).await, before);
    assert_eq!(store::books(&shop.pg).await, books);
    match error {
        Error::LimitReached(status) => *status,
        other => panic!("refused with {other}"),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn so_many_generations_a_day_and_no_more(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { daily_generations: 5, ..Choices::default() }).await;
    for _ in 0..3 {
        shop.click().await;
    }
    assert!(store::notice_kinds(&shop.pg).await.is_empty());
    shop.click().await;
    let last = shop.click().await;
    assert_eq!(store::notice_kinds(&shop.pg).await, ["limit_near"], "told once, at four of five");

    let status = refused(&shop).await;
    assert_eq!((status.generations, status.generations_limit), (5, 5));
    let wait = status.resets_at - chrono::Utc::now();
    assert!(wait > chrono::TimeDelta::zero() && wait <= chrono::TimeDelta::hours(24), "{wait}");

    // Stopping one gives its money back, not its place.
    shop.engine.cancel(shop.person, last).await.unwrap();
    assert_eq!(refused(&shop).await.generations, 5);
}

#[sqlx::test(migrations = "../../migrations")]
async fn so_much_money_a_day_and_no_more(pg: PgPool) {
    // One click is held with about 27 cents.
    let shop = Shop::open_with(pg, Choices { daily_spend: MicroUsd::new(600_000), ..Choices::default() }).await;
    let price = shop.engine.quote(shop.product, &options()).await.unwrap().total;
    assert!((250_000..300_000).contains(&price.micros()), "{price}");
    shop.click().await;
    assert!(store::notice_kinds(&shop.pg).await.is_empty());
    let second = shop.click().await;
    assert_eq!(store::notice_kinds(&shop.pg).await, ["limit_near"]);
    let status = refused(&shop).await;
    assert_eq!((status.spend, status.spend_limit.micros()), (price + price, 600_000));

    // What a stopped generation had held can be spent again.
    shop.engine.cancel(shop.person, second).await.unwrap();
    assert_eq!(shop.engine.limits().await.unwrap().spend, price);
    shop.click().await;
    assert_eq!(store::notice_kinds(&shop.pg).await, ["limit_near"], "nobody is told twice a day");
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_clicks_at_once_cannot_share_the_last_place(pg: PgPool) {
    let shop = Shop::open_with(pg, Choices { daily_generations: 1, ..Choices::default() }).await;
    let click = || shop.engine.generate(shop.person, shop.product, options(), key());
    let (one, two, three) = tokio::join!(click(), click(), click());
    let taken = [&one, &two, &three].into_iter().filter(|click| click.is_ok()).count();
    assert_eq!(taken, 1);
    assert_eq!(shop.engine.limits().await.unwrap().generations, 1);
}
