//! How a generation looks on the desk that did not go straight: stopped by a person, or with an answer that was lost.

use serde_json::json;
use uuid::Uuid;

use crate::{
    browser::{Browser, PAGE, header},
    click::{click, generation_of, wait_until},
    house::House,
    stream::Events,
};

/// The part of a page between an element with this class and the end of that element.
fn part<'a>(page: &'a str, class: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("class=\"{class}\"")).unwrap_or_else(|| panic!("no {class} in {page}"));
    rest.split(end).next().unwrap()
}

async fn cancel_button(admin: &Browser, path: &str) -> String {
    let page = admin.page(path).await;
    let form = page.split("generations/cancel\"").nth(1).unwrap_or_else(|| panic!("no way to stop it: {page}"));
    form.split("</form>").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_wish_to_stop_is_shown_until_the_end_and_the_end_is_no_failure() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("stop").await;
    let database = &house.ground.database;
    let admin = house.admin().await.in_english();
    // What runs at the provider already is waited for.
    house.set_faults(&json!([{"model": "fal-ai", "step": "run", "fault": "delay_ms", "ms": 4_000, "times": 1}])).await;
    let key = Uuid::now_v7();
    click(&admin, product.id, key).await;
    let id = generation_of(database, key).await;
    wait_until(database, id, |now| now.clip_call == "submitted").await;
    let page = format!("/admin/generations/{id}");
    let mut stream = Events::open(&admin, &format!("/events{}", page.trim_start_matches("/admin")), None).await;
    assert_eq!(stream.next().await.unwrap().data["cancel_requested"], false);
    assert!(cancel_button(&admin, &page).await.contains("Cancel generation"));

    let fields = [("id", id.to_string())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let form = admin.post("/api/admin/generations/cancel", PAGE, &fields).header("referer", admin.url(&page));
    let answer = form.send().await.unwrap();
    assert!(answer.status().is_redirection() && header(&answer, "location").ends_with(&page), "{}", answer.status());
    let told = loop {
        let event = stream.next().await.expect("the wish is told before the stream ends");
        if event.data["cancel_requested"] == true {
            break event;
        }
    };
    assert_eq!(told.data["finished_at"], serde_json::Value::Null, "{}", told.data);
    let button = cancel_button(&admin, &page).await;
    assert!(button.contains("Cancelling…") && button.contains(" disabled"), "{button}");
    for list in ["/admin/generations", &format!("/admin/products/{}", product.id)] {
        assert!(admin.page(list).await.contains("Cancelling…"), "{list}");
    }

    assert_eq!(wait_until(database, id, |_| false).await.state, "cancelled");
    let page = admin.page(&page).await;
    let story = part(&page, "story", "</ol>");
    assert!(story.contains("data-state=\"cancelled\"") && story.contains(">Cancelled<"), "{story}");
    let main = page.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    assert!(!main.contains("data-state=\"failed\"") && !main.contains("Cancelling"), "{main}");
    let without = admin.page("/admin/products?status=none").await;
    assert!(without.contains("Camel coat stop"), "a product whose generation was stopped has no video, and no failure");
}

#[tokio::test]
async fn a_lost_answer_that_was_asked_for_again_wants_no_attention() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("lost").await;
    let admin = house.admin().await.in_english();
    house.set_faults(&json!([{"model": "gemini", "fault": "drop_answer", "times": 1}])).await;
    let key = Uuid::now_v7();
    click(&admin, product.id, key).await;
    let id = generation_of(&house.ground.database, key).await;
    assert_eq!(wait_until(&house.ground.database, id, |_| false).await.state, "completed");
    let page = admin.page(&format!("/admin/generations/{id}")).await;
    let calls = part(&page, "table calls", "</table>");
    assert_eq!(calls.matches("No answer · asked again").count(), 1, "{calls}");
    assert_eq!(calls.matches("<tr").count(), 5, "the head and four requests: {calls}");
    for place in [calls, part(&page, "timeline", "</ol>")] {
        assert!(!place.contains("data-state=\"attention\""), "{place}");
    }
}
