//! What players tell: counted by video and day, without a cookie, and never more than there is room for.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    browser::Browser,
    house::{House, shared},
    journey::finished,
};

const SUMS: &str = "select coalesce(sum(starts * 1000000 + completes * 10000 + stalls * 100 + (select sum(frames) from
    unnest(first_frames) frames)), 0)::bigint from playback_days";

/// Sends a beacon as a page of somebody else's shop does.
async fn tell(browser: &Browser, body: String) -> u16 {
    let request = browser.request(Method::POST, "/api/playback").header("content-type", "text/plain;charset=UTF-8");
    let request = request.header("origin", "https://shop.example").header("sec-fetch-site", "cross-site");
    let answer = request.body(body).send().await.unwrap();
    assert!(answer.headers().get("set-cookie").is_none());
    answer.status().as_u16()
}

async fn published(house: &House, slug: &str) -> String {
    let answer = house.visitor().get(&format!("/embed/products/{slug}")).send().await.unwrap().text().await.unwrap();
    serde_json::from_str::<Value>(&answer).unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn playbacks_are_added_up_and_shown_beside_the_cost() {
    let house = shared().await;
    let finished = finished().await;
    let (visitor, database) = (house.visitor(), &house.ground.database);
    let video = published(house, &finished.product.slug).await;
    let unknown = Uuid::now_v7().to_string();
    let said = [
        json!({"video": video, "event": "start"}),
        json!({"video": video, "event": "start"}),
        json!({"video": video, "event": "first-frame", "ms": 90}),
        json!({"video": video, "event": "first-frame", "ms": 7_000}),
        json!({"video": video, "event": "stall"}),
        json!({"video": video, "event": "complete"}),
        // Nobody is told whether there is such a video.
        json!({"video": unknown, "event": "start"}),
    ];
    for beacon in said {
        assert_eq!(tell(&visitor, beacon.to_string()).await, 204, "{beacon}");
    }
    let begun = Instant::now();
    while database.number(SUMS).await != 2_010_102 {
        assert!(begun.elapsed().as_secs() < 20, "{}", database.number(SUMS).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(database.number("select count(*) from playback_days").await, 1, "one video, one day");
    // A second batch is added to the first.
    assert_eq!(tell(&visitor, json!({"video": video, "event": "first-frame", "ms": 90}).to_string()).await, 204);
    while database.number("select first_frames[3]::bigint from playback_days").await != 2 {
        assert!(begun.elapsed().as_secs() < 40, "the second batch");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let admin = house.admin().await.in_english();
    let pages = [format!("/admin/products/{}", finished.product.id), format!("/admin/generations/{}", finished.id)];
    for path in pages.iter().map(String::as_str).chain(["/admin/costs"]) {
        let page = admin.page(path).await;
        let card = page.split("data-testid=\"playback\"").nth(1).unwrap_or_else(|| panic!("{path}"));
        assert!(card.contains(">50%<") && card.contains("Stalls: 1") && card.contains(" ms"), "{path}: {card}");
    }
}

#[tokio::test]
async fn what_is_no_beacon_is_refused() {
    let house = shared().await;
    let visitor = house.visitor();
    let video = Uuid::now_v7();
    for body in [
        String::new(),
        "{".to_owned(),
        json!({"video": video, "event": "start", "cookie": "x"}).to_string(),
        json!({"video": video, "event": "first-frame"}).to_string(),
        json!({"video": "../../etc", "event": "start"}).to_string(),
    ] {
        assert_eq!(tell(&visitor, body.clone()).await, 400, "{body}");
    }
    let long = json!({"video": video, "event": "start"}).to_string() + &" ".repeat(1_024);
    assert_eq!(tell(&visitor, long).await, 413);
    assert_eq!(visitor.get("/api/playback").send().await.unwrap().status(), 405);
    // Other addresses stay closed to pages of others.
    let request = visitor.request(Method::POST, "/api/preferences/language").header("origin", "https://shop.example");
    assert_eq!(request.header("sec-fetch-site", "cross-site").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn one_address_cannot_tell_without_end() {
    let house = shared().await;
    let (visitor, other) = (house.visitor(), house.visitor());
    let body = json!({"video": Uuid::now_v7(), "event": "start"}).to_string();
    let mut refused = 0;
    // Two windows' worth and one: however the minute falls, some are too many.
    for _ in 0..1_201 {
        refused += usize::from(tell(&visitor, body.clone()).await == 429);
    }
    assert!(refused > 0);
    assert_eq!(tell(&other, body).await, 204, "others go on");
}
