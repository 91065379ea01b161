//! `/api/admin`: generations of products, their events, their figures; products.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Code, common, is_under_way, json as read, photo_form, problem};
use crate::{
    browser::header,
    house::{House, shared},
};

const GENERATIONS: &str = "/api/admin/video-generation";

async fn act(code: &Code, job: &str, action: &str, status: u16) -> Value {
    let answer = code.post(&format!("{GENERATIONS}/{job}/{action}"), &json!({})).send().await.unwrap();
    read(answer, status).await
}

/// Reads events up to one that says this.
async fn events_until(code: &Code, path: &str, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut answer = code.get(path).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "text/event-stream"));
    let (mut text, mut events) = (String::new(), Vec::new());
    let reading = async {
        while let Some(piece) = answer.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&piece).unwrap());
            while let Some((line, rest)) = text.split_once('\n') {
                let event = line.strip_prefix("data:").map(|data| serde_json::from_str::<Value>(data.trim()).unwrap());
                text = rest.to_owned();
                events.extend(event);
                if events.last().is_some_and(&is_last) {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), reading).await.expect("the events end");
    events
}

#[tokio::test]
async fn a_generation_is_started_watched_counted_and_its_video_chosen_again() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("desk").await;
    let code = Code::of(&house).await;
    let body = json!({"productId": product.id.to_string(), "options": {"duration": 3, "modelType": "male"}});
    let answer = code.post(GENERATIONS, &body).send().await.unwrap();
    let location = header(&answer, "location").to_owned();
    let made = read(answer, 202).await;
    let job = made["jobId"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("{GENERATIONS}/{job}"));
    assert!(made["options"]["modelType"] == "male" && is_under_way(&made), "{made}");
    assert!(made["heldMicroUsd"].as_i64().is_some_and(|held| held > 0), "{made}");
    let events = events_until(&code, &format!("{location}/events"), |event| event["status"] == "COMPLETED").await;
    assert!(events.iter().all(|event| event["jobId"] == job), "{events:?}");
    let versions: Vec<i64> = events.iter().map(|event| event["version"].as_i64().unwrap()).collect();
    assert!(versions.is_sorted_by(|earlier, later| earlier < later), "{versions:?}");
    let whole = code.read(&location).await;
    assert_eq!((&whole["status"], &whole["progress"]), (&json!("COMPLETED"), &json!(100)), "{whole}");
    assert!(whole["stages"].as_array().unwrap().iter().all(|stage| stage["state"] == "done"), "{whole}");
    assert_eq!(whole["paidMicroUsd"], house.ground.database.paid().await);
    let seen = code.get(&format!("{location}/events")).header("last-event-id", whole["version"].to_string());
    assert_eq!(seen.send().await.unwrap().status(), 204, "its end was seen");
    let stats = code.read(&format!("{GENERATIONS}/stats?days=1")).await;
    assert_eq!(
        (&stats["total"], &stats["byStatus"]["COMPLETED"], &stats["successRate"]),
        (&json!(1), &json!(1), &json!(1.0))
    );
    assert_eq!(stats["paidMicroUsd"], whole["paidMicroUsd"]);
    // Taken down, shown again, and replaced by a newer one.
    let shop = format!("/products/{}", product.slug);
    let video = whole["result"]["videoId"].as_str().unwrap();
    act(&code, &job, "unpublish", 200).await;
    assert!(!house.visitor().page(&shop).await.contains(video));
    let twice = code.post(&format!("{location}/unpublish"), &json!({})).send().await.unwrap();
    assert_eq!(problem(twice, 409, "conflict").await["reason"], "not_published");
    act(&code, &job, "publish", 200).await;
    act(&code, &job, "publish", 200).await;
    assert!(house.visitor().page(&shop).await.contains(video));
    let shown = "select count(*) from videos where unpublished_at is null";
    assert_eq!(house.ground.database.number(shown).await, 1);
    // Approving says so in somebody's name, whether it is shown or not.
    act(&code, &job, "approve", 200).await;
    act(&code, &job, "unpublish", 200).await;
    act(&code, &job, "approve", 200).await;
    assert!(house.visitor().page(&shop).await.contains(video));
    let approved = "select count(*) from audit_log where action = 'video.approved'";
    assert_eq!(house.ground.database.number(approved).await, 2);
}

#[tokio::test]
async fn a_generation_is_stopped() {
    let house = House::build(&[("SIMULATOR_STILL_DELAY_MS", "5000")]).await;
    let product = house.ground.add_product("stopped").await;
    let code = Code::of(&house).await;
    let body = json!({"productId": product.id.to_string()});
    let job =
        read(code.post(GENERATIONS, &body).send().await.unwrap(), 202).await["jobId"].as_str().unwrap().to_owned();
    let told = act(&code, &job, "cancel", 202).await;
    assert_eq!(told["cancelRequested"], true, "{told}");
    let status = code.ended(&job).await;
    assert_eq!((&status["status"], &status["errorCode"]), (&json!("failed"), &json!("cancelled")), "{status}");
    assert_eq!(code.read(&format!("{GENERATIONS}/{job}")).await["status"], "CANCELLED");
    for action in ["approve", "publish"] {
        let refused = code.post(&format!("{GENERATIONS}/{job}/{action}"), &json!({})).send().await.unwrap();
        assert_eq!(problem(refused, 409, "conflict").await["reason"], "no_video");
    }
}

#[tokio::test]
async fn lists_go_on_where_they_stopped() {
    let (code, _) = common().await;
    let house = shared().await;
    let mut made = Vec::new();
    for number in 0..3 {
        made.push(house.ground.add_product(&format!("listed-{number}")).await.id.to_string());
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = code.read(&format!("/api/admin/products?limit=1{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() == 1, "{page}");
        found.push(items[0]["productId"].as_str().unwrap().to_owned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let places: Vec<usize> =
        made.iter().map(|id| found.iter().position(|other| other == id).expect("every product is listed")).collect();
    assert!(places.is_sorted_by(|earlier, later| earlier > later), "newest first: {places:?}");
    found.sort_unstable();
    found.dedup();
    assert!(found.len() >= 3);
    let none = code.read(&format!("{GENERATIONS}?productId={}&status=failed", made[0])).await;
    assert_eq!(none, json!({"items": []}));
}

#[tokio::test]
async fn a_product_is_added_changed_and_given_photos() {
    let (code, _) = common().await;
    let word = Uuid::now_v7().simple().to_string();
    let new = json!({
        "slug": word, "sku": word, "name": {"ko": "셔츠", "en": "Shirt"}, "category": "tops", "priceKrw": 39000,
    });
    let made = read(code.post("/api/admin/products", &new).send().await.unwrap(), 201).await;
    let id = made["productId"].as_str().unwrap();
    let path = format!("/api/admin/products/{id}");
    let change = json!({"name": {"ko": "린넨 셔츠", "en": "Linen shirt"}, "priceKrw": 42000});
    let patch = code.request(reqwest::Method::PATCH, &path).header("content-type", "application/json");
    let changed = read(patch.body(change.to_string()).send().await.unwrap(), 200).await;
    assert_eq!((&changed["name"]["en"], &changed["priceKrw"]), (&json!("Linen shirt"), &json!(42000)), "{changed}");
    assert_eq!(changed["sku"], word, "what is left out stays");
    let body = json!({"productId": id});
    let refused = problem(code.post(GENERATIONS, &body).send().await.unwrap(), 409, "conflict").await;
    assert_eq!(refused["reason"], "no_photo");
    let page = shared().await.admin().await.page(&format!("/admin/products/{id}")).await;
    assert!(page.contains("아직 상품 사진이 없어"), "the desk says why there is no price: {page}");
    let request = code.request(reqwest::Method::POST, &format!("{path}/photos"));
    let request = request.header("content-type", "multipart/form-data; boundary=edge").body(photo_form());
    let stored = read(request.send().await.unwrap(), 201).await;
    assert_eq!((&stored["width"], &stored["height"]), (&json!(600), &json!(800)), "{stored}");
    let whole = code.read(&path).await;
    assert_eq!(whole["photos"][0]["photoId"], stored["photoId"], "{whole}");
    let url = whole["photos"][0]["url"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200, "{url}");
    let odd = json!({"slug": "A B", "name": {"ko": ""}, "priceKrw": -1, "colour": "red"});
    let patch = code.request(reqwest::Method::PATCH, &path).header("content-type", "application/json");
    let told = problem(patch.body(odd.to_string()).send().await.unwrap(), 422, "invalid").await;
    assert_eq!(told["errors"].as_array().unwrap().len(), 5, "{told}");
}
