//! The whole job through the front door: sign in, click, watch, play, pay.

use std::process::Command;

use domain::MicroUsd;
use serde_json::Value;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    browser::{PAGE, header},
    click::{click, generation_of},
    house::{House, entries_of, shared},
    store::Product,
    stream::{Event, Events},
};

/// A generation of the shared house that was watched to its end.
pub struct Finished {
    pub product: Product,
    pub id: Uuid,
    /// Everything the stream told, to its end.
    pub events: Vec<Event>,
}

/// The one generation of the shared house, made by a double click.
pub async fn finished() -> &'static Finished {
    static FINISHED: OnceCell<Finished> = OnceCell::const_new();
    FINISHED
        .get_or_init(async || {
            let house = shared().await;
            let product = house.ground.add_product("journey").await;
            let admin = house.admin().await;
            let key = Uuid::now_v7();
            tokio::join!(click(&admin, product.id, key), click(&admin, product.id, key));
            let id = generation_of(&house.ground.database, key).await;
            let events = Events::open(&admin, &format!("/events/generations/{id}"), None).await.rest().await;
            // The same click again, after the end, changes nothing.
            click(&admin, product.id, key).await;
            assert_eq!(generation_of(&house.ground.database, key).await, id);
            Finished { product, id, events }
        })
        .await
}

#[tokio::test]
async fn the_stream_tells_it_from_the_first_snapshot_to_the_end() {
    let Finished { id, events, .. } = finished().await;
    assert!(events.iter().all(|event| event.kind == "generation" && event.data["id"] == id.to_string()));
    let ids: Vec<i64> = events.iter().map(|event| event.id.expect("every snapshot has an id")).collect();
    assert!(ids.is_sorted_by(|earlier, later| earlier < later), "{ids:?}");
    let progress: Vec<i64> = events.iter().map(|event| event.data["progress"].as_i64().unwrap()).collect();
    assert!(progress.is_sorted(), "{progress:?}");
    let first = &events[0].data;
    for field in ["state", "stages", "stills", "options", "product_name", "attempt", "held", "paid"] {
        assert!(!first[field].is_null(), "the first event is a whole snapshot: {field}");
    }
    let last = &events.last().unwrap().data;
    assert_eq!((&last["state"], &last["progress"]), (&Value::from("completed"), &Value::from(100)), "{last}");
    assert!(events.len() >= 4, "changes were told: {progress:?}");
}

#[tokio::test]
async fn who_comes_back_misses_nothing_and_is_not_told_twice() {
    let Finished { id, events, .. } = finished().await;
    let admin = shared().await.admin().await;
    let path = format!("/events/generations/{id}");
    let (first, last) = (events[0].id.unwrap(), events.last().unwrap().id.unwrap());
    // The bell of the end may be written a moment later and is a change of its own.
    let missed = Events::open(&admin, &path, Some(first)).await.rest().await;
    assert_eq!(missed.len(), 1, "one snapshot and the end of the stream");
    assert!(missed[0].id.unwrap() >= last);
    assert_eq!(missed[0].data["state"], "completed");
    let seen = admin.get(&path).header("last-event-id", missed[0].id.unwrap().to_string()).send().await.unwrap();
    assert_eq!(seen.status(), 204, "who has seen the end is told not to come back");
    for unknown in [Uuid::now_v7().to_string(), "not-an-id".to_owned()] {
        let answer = admin.get(&format!("/events/generations/{unknown}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{unknown}");
    }
    // The stream of lists: limits and bell first, then what was missed.
    let mut all = Events::open(&admin, "/events/generations", Some(first)).await;
    let (limits, bell) = (all.next().await.unwrap(), all.next().await.unwrap());
    assert_eq!((limits.kind.as_str(), bell.kind.as_str()), ("limits", "bell"));
    assert!(limits.data["generations"].as_i64().unwrap() >= 1, "{}", limits.data);
    assert!(bell.data["notices"].to_string().contains(&id.to_string()), "{}", bell.data);
    let missed = all.next().await.unwrap();
    assert_eq!((missed.kind.as_str(), &missed.data["id"]), ("generation", &Value::from(id.to_string())));
}

#[tokio::test]
async fn shoppers_play_what_was_made() {
    let house = shared().await;
    let finished = finished().await;
    let visitor = house.visitor();
    let page = visitor.page(&format!("/products/{}", finished.product.slug)).await;
    let address = |from: &str| page.split(from).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    let poster = address("poster=\"").expect("a poster before the video");
    let video = page
        .split('"')
        .find(|part| part.starts_with("/media/") && part.ends_with("720p.mp4"))
        .expect("the video")
        .to_owned();
    let answer = visitor.get(&poster).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(header(&answer, "content-type").starts_with("image/"));
    let answer = visitor.get(&video).header("range", "bytes=0-").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (206, "video/mp4"));
    let path = house.ground.dir.join("played.mp4");
    std::fs::write(&path, answer.bytes().await.unwrap()).unwrap();
    let told = Command::new("ffprobe")
        .args(["-v", "error", "-print_format", "json", "-show_streams", "-show_format"])
        .arg(&path)
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let stream = &told["streams"][0];
    assert_eq!(told["streams"].as_array().unwrap().len(), 1, "no sound: {told}");
    assert_eq!((&stream["codec_name"], &stream["pix_fmt"]), (&Value::from("h264"), &Value::from("yuv420p")));
    let (width, height) = (stream["width"].as_i64().unwrap(), stream["height"].as_i64().unwrap());
    assert_eq!(width.min(height), 720, "{width}x{height}");
    assert!(height > width, "portrait stays portrait: {width}x{height}");
    assert_eq!(stream["avg_frame_rate"], "24/1");
    let seconds: f64 = told["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((2.9..=3.1).contains(&seconds), "{seconds} s");
    let from_admin = visitor.get(&video.replace("encoded/720p.mp4", "original/video.mp4")).send().await.unwrap();
    assert_eq!(from_admin.status(), 404, "what the provider made stays with us");
}

#[tokio::test]
async fn what_it_cost_is_what_the_provider_bills() {
    let house = shared().await;
    finished().await;
    let invoice = house.invoice().await;
    let total = invoice["total_micro_usd"].as_i64().unwrap();
    assert_eq!((entries_of(&invoice, "fal"), entries_of(&invoice, "gemini")), (1, 2), "{invoice}");
    assert_eq!(house.ground.database.paid().await, total);
    assert_eq!(house.ground.database.open_holds().await, 0);
    let admin = house.admin().await;
    let costs = admin.page("/admin/costs").await;
    let (short, exact) = (MicroUsd::new(total).display(), MicroUsd::new(total).display_exact());
    assert!(costs.contains(&short) || costs.contains(&exact), "{short} is not on the cost page");
}

#[tokio::test]
async fn the_desk_shows_what_happened() {
    let house = shared().await;
    let finished = finished().await;
    let admin = house.admin().await;
    let english = admin.in_english();
    let page = english.page(&format!("/admin/generations/{}", finished.id)).await;
    assert!(page.contains("Camel coat") && page.contains("720p.mp4"), "the video is on its page");
    let stills = page.matches("/stills/").count();
    assert!(stills >= 2, "both stills are on the page, not {stills}");
    for path in ["/admin/generations?state=completed", "/admin/products?status=ready", "/admin/generations?mine=1"] {
        let list = english.page(path).await;
        assert!(list.contains("Camel coat journey"), "{path}");
    }
    let none = english.page("/admin/generations?state=failed").await;
    // The bell beside the list names it.
    let list = none.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    assert!(!list.contains("Camel coat journey"), "it did not fail");
    let page = english.page(&format!("/admin/products/{}", finished.product.id)).await;
    assert!(page.contains("720p.mp4"), "the product has its video");
}

#[tokio::test]
async fn a_click_beyond_the_limit_costs_nothing() {
    let house = House::build(&[("DAILY_SPEND_USD", "0.10")]).await;
    let product = house.ground.add_product("limit").await;
    let admin = house.admin().await;
    let (id, key) = (product.id.to_string(), Uuid::now_v7().to_string());
    let choices = crate::click::Choices::default();
    let form = admin.post("/api/admin/generations/create", "application/json", &choices.fields(&id, &key));
    let answer = form.send().await.unwrap();
    assert_eq!(answer.status(), 429);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!((&body["code"], &body["data"]["spend_limit"]), (&Value::from("limit_reached"), &Value::from(100_000)));
    assert!(body["data"]["resets_at"].as_i64().is_some_and(|micros| micros > 0), "{body}");
    assert_eq!(house.ground.database.number("select count(*) from generations").await, 0);
    assert_eq!(house.ground.database.open_holds().await, 0);
    assert_eq!(house.invoice().await["total_micro_usd"], 0);
    let page = admin.get(&format!("/admin/products/{id}")).header("accept", PAGE).send().await.unwrap();
    assert_eq!(page.status(), 200);
}
