//! A request that is sent again is done once, however often and from however many places at once.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::Connection as _;
use uuid::Uuid;

use super::{Code, common, json as read, photo_form, problem};
use crate::{browser::header, house::House};

/// What was begun has ended by then.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_hundred_of_the_same_are_one_generation() {
    let house = House::build(&[("DAILY_GENERATIONS", "3")]).await;
    let product = house.ground.add_product("twice").await;
    let code = Code::of(&house).await;
    let image = code.upload(product.id).await;
    let body = json!({"tryonImageId": image, "settings": {"duration": 3}});
    let key = Uuid::now_v7().to_string();
    let answers = join_all((0..100).map(|_| code.post_as("/api/video/generate", &body, &key).send())).await;
    let mut jobs = Vec::new();
    for answer in answers {
        jobs.push(read(answer.unwrap(), 202).await["jobId"].clone());
    }
    assert!(jobs.iter().all(|job| *job == jobs[0]), "{jobs:?}");
    assert_eq!(house.ground.database.number("select count(*) from generations").await, 1);
    let again = code.post_as("/api/video/generate", &body, &key).send().await.unwrap();
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    let other = json!({"tryonImageId": image, "settings": {"duration": 4}});
    let refused = code.post_as("/api/video/generate", &other, &key).send().await.unwrap();
    problem(refused, 409, "idempotency_key_reused").await;
    let quoted = code.post_as("/api/video/generate", &body, &format!("\"{key}\"")).send().await.unwrap();
    assert_eq!(read(quoted, 202).await["jobId"], jobs[0], "quotes belong to the header");
    // Another token's keys are its own; what is beyond the limit writes nothing.
    let stranger = Code::of(&house).await;
    let theirs = read(stranger.post_as("/api/video/generate", &body, &key).send().await.unwrap(), 202).await;
    assert_ne!(theirs["jobId"], jobs[0]);
    let many = join_all((0..20).map(|_| code.post("/api/video/generate", &body).send())).await;
    let mut statuses: Vec<u16> = many.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 202).count(), 1, "{statuses:?}");
    assert!(statuses.iter().skip(1).all(|status| *status == 429), "{statuses:?}");
    assert_eq!(house.ground.database.number("select count(*) from generations").await, 3);
    let kept = "select count(*) from api_answers where status is not null";
    assert_eq!(house.ground.database.number(kept).await, 3, "only what succeeded is kept");
    let refused = code.post("/api/video/generate", &body).send().await.unwrap();
    assert!(header(&refused, "retry-after").parse::<u64>().is_ok_and(|wait| wait > 0));
    problem(refused, 429, "limit_reached").await;
    let half =
        "select count(*) from generations g where not exists (select 1 from calls c where c.generation_id = g.id)";
    assert_eq!(house.ground.database.number(half).await, 0, "none is half made");
}

#[tokio::test]
async fn what_spends_money_needs_a_key_and_everything_else_may_have_one() {
    let (code, product) = common().await;
    let product = json!({"productId": product.to_string()});
    for path in ["/api/video/generate", "/api/admin/video-generation"] {
        let request = code.request(reqwest::Method::POST, path).header("content-type", "application/json");
        let answer = request.body(product.to_string()).send().await.unwrap();
        problem(answer, 400, "idempotency_key_missing").await;
        let answer = code.post_as(path, &product, "two words").send().await.unwrap();
        problem(answer, 400, "idempotency_key_invalid").await;
    }
    let word = Uuid::now_v7().simple().to_string();
    let new = json!({
        "slug": word, "sku": word, "name": {"ko": "코트", "en": "Coat"}, "category": "outer", "priceKrw": 1000,
    });
    let key = Uuid::now_v7().to_string();
    let first = code.post_as("/api/admin/products", &new, &key).send().await.unwrap();
    let location = header(&first, "location").to_owned();
    let first: Value = read(first, 201).await;
    let again = code.post_as("/api/admin/products", &new, &key).send().await.unwrap();
    assert_eq!((header(&again, "idempotent-replayed"), header(&again, "location")), ("true", location.as_str()));
    assert_eq!(read(again, 201).await, first);
    problem(code.post("/api/admin/products", &new).send().await.unwrap(), 409, "conflict").await;
    // What failed may be tried again with the same key.
    let key = Uuid::now_v7().to_string();
    problem(code.post_as("/api/admin/products", &new, &key).send().await.unwrap(), 409, "conflict").await;
    let mut other = new.clone();
    other["slug"] = json!(format!("{word}-2"));
    other["sku"] = json!(format!("{word}-2"));
    read(code.post_as("/api/admin/products", &other, &key).send().await.unwrap(), 201).await;
}

#[tokio::test]
async fn who_hangs_up_does_not_end_what_was_begun() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("begun").await;
    let code = Code::of(&house).await;
    let key = Uuid::now_v7().to_string();
    let path = format!("/api/admin/products/{}/photos", product.id);
    let photo = || {
        let request = code.request(reqwest::Method::POST, &path).header("idempotency-key", &key);
        request.header("content-type", "multipart/form-data; boundary=edge").body(photo_form())
    };
    // Whoever adds a photo waits for the product.
    let mut conn = house.ground.database.connect().await;
    let mut held = conn.begin().await.unwrap();
    let hold = sqlx::query("select id from products where id = $1 for update").bind(product.id);
    hold.fetch_one(&mut *held).await.unwrap();
    let asking = tokio::spawn(photo().send());
    let waits = "select count(*) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock' and query like '%from products%'";
    let begun = Instant::now();
    while house.ground.database.number(waits).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "it waits for the product");
        tokio::time::sleep(PAUSE).await;
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    // The server notices that nobody is there any more.
    tokio::time::sleep(Duration::from_millis(500)).await;
    problem(photo().send().await.unwrap(), 409, "request_in_progress").await;
    held.rollback().await.unwrap();
    let begun = Instant::now();
    let again = loop {
        let answer = photo().send().await.unwrap();
        if answer.status() != 409 {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it was done");
        tokio::time::sleep(PAUSE).await;
    };
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    read(again, 201).await;
    let photos = code.read(&format!("/api/admin/products/{}", product.id)).await["photos"].clone();
    assert_eq!(photos.as_array().unwrap().len(), 2, "it was done once: {photos}");
}

#[tokio::test]
async fn a_key_of_yesterday_names_its_request_still() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("yesterday").await;
    let code = Code::of(&house).await;
    let key = Uuid::now_v7().to_string();
    let body = |duration: u8| json!({"productId": product.id.to_string(), "options": {"duration": duration}});
    let path = "/api/admin/video-generation";
    let made = read(code.post_as(path, &body(3), &key).send().await.unwrap(), 202).await;
    let mut conn = house.ground.database.connect().await;
    sqlx::query("delete from api_answers").execute(&mut conn).await.unwrap();
    let other = code.post_as(path, &body(4), &key).send().await.unwrap();
    problem(other, 409, "idempotency_key_reused").await;
    let again = read(code.post_as(path, &body(3), &key).send().await.unwrap(), 202).await;
    assert_eq!(again["jobId"], made["jobId"]);
    assert_eq!(house.ground.database.number("select count(*) from generations").await, 1);
}
