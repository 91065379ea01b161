//! Retry through the front door, as a page without scripts does it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    browser::{JSON, PAGE, header},
    click::{click, generation_of, wait_until},
    house::{House, entries_of},
};

const ANOTHER_KEY: &str = "00000000-0000-7000-8000-00000000bad1";

/// The value of a hidden input of the form that retries.
fn input(page: &str, name: &str) -> String {
    let form = page.split("/api/admin/generations/retry\"").nth(1).expect("a form that retries");
    let form = form.split("</form>").next().unwrap();
    let input = form.split("<input").find(|input| input.contains(&format!("name=\"{name}\""))).expect(name);
    input.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn refuse_clips(house: &House, times: u32) {
    house.set_faults(&json!([{"model": "fal-ai/pika", "step": "run", "fault": "moderation", "times": times}])).await;
}

#[tokio::test]
async fn a_form_retries_and_both_pages_lead_to_each_other() {
    let house = House::build(&[("DAILY_GENERATIONS", "3")]).await;
    let product = house.ground.add_product("retry").await;
    let database = &house.ground.database;
    let admin = house.admin().await.in_english();
    refuse_clips(&house, 2).await;
    let key = Uuid::now_v7();
    click(&admin, product.id, key).await;
    let failed = generation_of(database, key).await;
    assert_eq!(wait_until(database, failed, |_| false).await.state, "failed");

    // The price is there before the click, on both pages.
    let own = format!("/admin/generations/{failed}");
    let page = admin.page(&own).await;
    for page in [&page, &admin.page(&format!("/admin/products/{}", product.id)).await] {
        assert!(page.contains("about $0.20"), "{page}");
        // The clip was refused for what it shows: the same stills are likely to be refused again.
        let button = page.split("data-testid=\"retry\"").next().unwrap().rsplit("<button").next().unwrap();
        assert!(page.contains("a retry reuses those already paid for") && !button.contains("primary"), "{page}");
        assert_eq!(input(page, "id"), failed.to_string());
    }
    let key = input(&page, "key");
    let fields = [("id", failed.to_string()), ("key", key.clone()), ("price", input(&page, "price"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let press = async || {
        let answer = admin.post("/api/admin/generations/retry", PAGE, &fields).send().await.unwrap();
        assert!(answer.status().is_redirection(), "{}", answer.status());
        header(&answer, "location").to_owned()
    };
    let (one, two) = tokio::join!(press(), press());
    let retry = generation_of(database, key.parse().unwrap()).await;
    assert_eq!((&one, &two), (&format!("/admin/generations/{retry}"), &one), "a double click");
    let page = admin.page(&one).await;
    assert!(page.contains(&format!("href=\"{own}\"")) && page.contains("Retry of"), "{page}");
    let page = admin.page(&own).await;
    assert!(page.contains(&format!("href=\"{one}\"")) && !page.contains("generations/retry\""), "{page}");

    // That one fails as well; its own retry gives the video.
    assert_eq!(wait_until(database, retry, |_| false).await.state, "failed");
    let (id, key) = (retry.to_string(), Uuid::now_v7());
    let key_text = key.to_string();
    let cheaper = [("id", id.as_str()), ("key", key_text.as_str()), ("price", "199999")];
    let answer = admin.post("/api/admin/generations/retry", JSON, &cheaper).send().await.unwrap();
    assert_eq!(answer.status(), 409, "it costs more than was shown");
    assert!(answer.text().await.unwrap().contains(r#""code":"price_changed","data":{"price":200000}"#));
    let again = [("id", id.as_str()), ("key", key_text.as_str()), ("price", "200000")];
    let answer = admin.post("/api/admin/generations/retry", JSON, &again).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let last = generation_of(database, key).await;
    assert_eq!(wait_until(database, last, |_| false).await.state, "completed");
    let shop = house.visitor().page(&format!("/products/{}", product.slug)).await;
    assert!(shop.contains("720p.mp4"), "the shop shows the video");
    let invoice = house.invoice().await;
    assert_eq!((entries_of(&invoice, "gemini"), entries_of(&invoice, "fal")), (2, 1), "{invoice}");
    assert_eq!(database.paid().await, invoice["total_micro_usd"].as_i64().unwrap());

    // What gave a video, and what runs, is refused in the words of the click.
    let id = last.to_string();
    let fields = [("id", id.as_str()), ("key", ANOTHER_KEY), ("price", "0")];
    let answer = admin.post("/api/admin/generations/retry", JSON, &fields).send().await.unwrap();
    assert_eq!(answer.status(), 409);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["code"], "conflict");
    // A page without scripts is led back with the error.
    let form = admin.post("/api/admin/generations/retry", PAGE, &fields);
    let answer = form.header("referer", admin.url(&format!("/admin/generations/{id}"))).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let back = header(&answer, "location").split_once("/admin/").map(|(_, path)| format!("/admin/{path}")).unwrap();
    let page = admin.page(&back).await;
    assert!(page.contains("This cannot be done in the present state."), "{page}");
}

#[tokio::test]
async fn beyond_the_limit_of_the_day_the_button_rests() {
    let house = House::build(&[("DAILY_GENERATIONS", "1")]).await;
    let product = house.ground.add_product("retry-limit").await;
    let admin = house.admin().await.in_english();
    refuse_clips(&house, 1).await;
    let key = Uuid::now_v7();
    click(&admin, product.id, key).await;
    let failed = generation_of(&house.ground.database, key).await;
    assert_eq!(wait_until(&house.ground.database, failed, |_| false).await.state, "failed");
    let page = admin.page(&format!("/admin/generations/{failed}")).await;
    let form = page.split("generations/retry\"").nth(1).unwrap().split("</form>").next().unwrap();
    assert!(form.contains("disabled"), "{form}");
    let (id, key) = (failed.to_string(), input(&page, "key"));
    let fields = [("id", id.as_str()), ("key", key.as_str()), ("price", "200000")];
    let answer = admin.post("/api/admin/generations/retry", JSON, &fields).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(house.ground.database.number("select count(*) from generations").await, 1);
}
