//! The queue page through the front door, as a page without scripts uses it.

use serde_json::Value;

use crate::{
    browser::{Browser, JSON, PAGE, header},
    house::House,
};

const QUEUE: &str = "/admin/queue";

/// Sends a form of the queue page and answers with the page it leads back to.
async fn send(house: &House, admin: &Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let form = admin.post(path, PAGE, fields).header("referer", admin.url(QUEUE));
    let answer = form.send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let back = header(&answer, "location").replace(&house.url, "");
    assert!(back.starts_with(QUEUE), "{back}");
    admin.page(&back).await
}

#[tokio::test]
async fn forms_pause_and_resume_and_every_page_says_so() {
    let house = House::build(&[]).await;
    let mut admin = house.admin().await;
    admin.cookie = admin.cookie.map(|cookie| format!("{cookie}; language=en"));
    let page = admin.page(QUEUE).await;
    assert!(page.contains("action=\"/api/admin/queue/pause\"") && page.contains("Nothing is paused."), "{page}");
    assert!(page.contains("value=\"provider:fal\"") && page.contains("Redis answers"), "{page}");
    assert!(!page.contains("queue-alert"), "{page}");

    let fields = [("scope", "provider:fal"), ("reason", "An unclear <bill>")];
    let page = send(&house, &admin, "/api/admin/queue/pause", &fields).await;
    assert!(page.contains("An unclear &lt;bill&gt;") && page.contains("/api/admin/queue/resume"), "{page}");
    for path in ["/admin/products", "/admin/generations", "/admin/costs", QUEUE] {
        let page = admin.page(path).await;
        assert!(page.contains("Paused: Provider fal.ai. What is paused starts no new jobs."), "{path}: {page}");
    }

    let page = send(&house, &admin, "/api/admin/queue/pause", &[("scope", "provider:acme"), ("reason", "")]).await;
    assert!(page.contains("role=\"alert\""), "the page does not say that nothing was paused: {page}");
    for scope in ["provider:acme", "model:fal/nothing", "stage:clip", ""] {
        for path in ["/api/admin/queue/pause", "/api/admin/queue/resume"] {
            let fields = [("scope", scope), ("reason", "")];
            let answer = admin.post(path, JSON, &fields).send().await.unwrap();
            assert_eq!(answer.status(), 422, "{path} {scope}");
            let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert_eq!((&body["code"], &body["data"]["fields"][0]["field"]), (&"invalid".into(), &"scope".into()));
        }
    }

    let page = send(&house, &admin, "/api/admin/queue/resume", &[("scope", "provider:fal")]).await;
    assert!(page.contains("Nothing is paused.") && !page.contains("queue-alert"), "{page}");
}
