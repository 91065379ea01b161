//! The pages of the desk that need no scripts: one video, and storage.

use uuid::Uuid;

use crate::{
    browser::{Browser, PAGE, header},
    house::shared,
    journey::finished,
};

async fn english() -> Browser {
    shared().await.admin().await.in_english()
}

/// The video of the shared generation, as its product's page names it.
async fn video(admin: &Browser) -> Uuid {
    let page = admin.page(&format!("/admin/products/{}", finished().await.product.id)).await;
    let rest = page.split("href=\"/admin/videos/").nth(1).expect("a link to the video");
    rest.split('"').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_export_is_asked_for_and_downloaded_without_scripts() {
    let admin = english().await;
    let video = video(&admin).await;
    let path = format!("/admin/videos/{video}");
    let page = admin.page(&path).await;
    assert!(page.contains("Video of Camel coat journey") && page.contains("No exports yet."), "{page}");
    assert!(!page.contains(".wasm") && !page.contains("style=") && !page.contains("http-equiv"), "{page}");
    let id = video.to_string();
    let ask = async |fields: &[(&str, &str)]| {
        let fields = [&[("video", id.as_str())], fields].concat();
        let form = admin.post("/api/admin/videos/export", PAGE, &fields).header("referer", admin.url(&path));
        let answer = form.send().await.unwrap();
        assert!(answer.status().is_redirection(), "{}", answer.status());
        header(&answer, "location").to_owned()
    };
    let refused = ask(&[("shape", "1:1"), ("fit", "crop"), ("focus_x", "101"), ("focus_y", "33")]).await;
    let page = admin.page(&refused).await;
    assert!(
        page.contains("Accepted: 0–100") && page.contains("value=\"101\"") && page.contains("aria-invalid"),
        "{page}"
    );
    assert_eq!(ask(&[("shape", "4:5"), ("fit", "crop"), ("focus_x", ""), ("focus_y", "")]).await, path);
    let mut page = admin.page(&path).await;
    for _ in 0..300 {
        if page.contains(">Download<") {
            break;
        }
        let is_waiting = page.contains("data-waiting") && page.contains("action=\"/api/admin/videos/export/cancel?");
        assert!(is_waiting, "what waits can be stopped: {page}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        page = admin.page(&path).await;
    }
    let file = page.split('"').find(|part| part.contains("/exports/")).expect("a file").to_owned();
    let answer = shared().await.visitor().get(&file).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "content-type")),
        (200, "video/mp4"),
        "signed for some hours"
    );
    let open = file.splitn(6, '/').nth(5).unwrap();
    assert_eq!(shared().await.visitor().get(&format!("/media/{open}")).send().await.unwrap().status(), 404);
}

/// The `action` of the form that is sent to an endpoint, as its page writes it.
fn action(page: &str, endpoint: &str) -> String {
    let begin = format!("action=\"{endpoint}");
    let rest = page.split(&begin).nth(1).unwrap_or_else(|| panic!("no form of {endpoint}: {page}"));
    format!("{endpoint}{}", rest.split('"').next().unwrap().replace("&amp;", "&"))
}

#[tokio::test]
async fn a_form_without_a_referer_leads_back_to_its_page() {
    let admin = english().await;
    let video = video(&admin).await;
    let path = format!("/admin/videos/{video}");
    let page = admin.page(&path).await;
    let id = video.to_string();
    let send = async |action: &str, fields: &[(&str, &str)], referer: Option<String>| {
        let form = admin.post(action, PAGE, fields);
        let form = if let Some(referer) = referer { form.header("referer", referer) } else { form };
        let answer = form.send().await.unwrap();
        assert!(answer.status().is_redirection(), "{action}: {}", answer.status());
        header(&answer, "location").replace(&admin.url(""), "")
    };
    let export = action(&page, "/api/admin/videos/export");
    let wrong = [("video", id.as_str()), ("shape", "1:1"), ("fit", "crop"), ("focus_x", "101")];
    // Not told at all, and cut down to the host.
    for referer in [None, Some(admin.url("/"))] {
        let back = send(&export, &wrong, referer).await;
        assert!(back.starts_with(&format!("{path}?__path=")), "{back}");
        assert!(admin.page(&back).await.contains("Accepted: 0–100"), "{back}");
    }
    let unreadable = [("video", "none"), ("shape", "1:1"), ("fit", "crop")];
    let back = send(&export, &unreadable, None).await;
    assert!(back.starts_with(&path), "what cannot be read comes back as well: {back}");
    let gone = [("export", "0193a1b2-0000-7000-8000-000000000001")];
    let back = send(&format!("/api/admin/videos/export/cancel?page={path}"), &gone, None).await;
    assert!(back.starts_with(&path) && admin.page(&back).await.contains("role=\"alert\""), "{back}");
    let back =
        send("/api/admin/storage/retention", &[("originals", "x"), ("videos", "1"), ("posters", "1")], None).await;
    assert!(back.starts_with("/admin/storage?__path="), "{back}");
    let back = send("/api/admin/videos/poster?page=//evil.example", &[("video", &id), ("at_ms", "600000")], None).await;
    assert!(back.starts_with("/admin/products?__path="), "never to others: {back}");
}

#[tokio::test]
async fn pages_without_scripts_have_the_menu_of_the_person() {
    let admin = english().await;
    for path in ["/admin/storage".to_owned(), format!("/admin/videos/{}", video(&admin).await)] {
        let page = admin.page(&path).await;
        assert!(page.contains("action=\"/api/session/sign-out\"") && page.contains("Sign out"), "{page}");
        let language = action(&page, "/api/preferences/language");
        let answer = admin.post(&language, PAGE, &[("language", "ko")]).send().await.unwrap();
        assert_eq!(header(&answer, "location"), path, "without a referer");
        assert!(header(&answer, "set-cookie").starts_with("language=ko;"));
        let theme = action(&page, "/api/preferences/theme");
        let answer = admin.post(&theme, PAGE, &[("theme", "dark")]).send().await.unwrap();
        assert_eq!(header(&answer, "location"), path);
        let dark = format!("{}; theme=dark", admin.cookie.clone().unwrap().replace("language=en", "language=ko"));
        let shown =
            admin.client.get(admin.url(&path)).header("cookie", dark).header("accept", PAGE).send().await.unwrap();
        let page = shown.text().await.unwrap();
        assert!(page.contains("data-theme=\"dark\"") && page.contains("로그아웃"), "{page}");
    }
}

#[tokio::test]
async fn a_video_that_is_none_is_a_page_that_says_so() {
    let admin = english().await;
    for id in [Uuid::now_v7().to_string(), "none".to_owned()] {
        let answer = admin.get(&format!("/admin/videos/{id}")).header("accept", PAGE).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{id}");
        assert!(answer.text().await.unwrap().contains("<h1"), "{id}");
    }
    for path in ["/admin/storage", "/admin/videos/0193a1b2-0000-7000-8000-000000000001"] {
        let answer = shared().await.visitor().get(path).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path} is behind the sign-in");
        let form = shared().await.visitor();
        for endpoint in ["videos/export", "videos/poster", "storage/retention"] {
            let answer = form.post(&format!("/api/admin/{endpoint}"), "application/json", &[]).send().await.unwrap();
            assert!(matches!(answer.status().as_u16(), 400 | 401), "{endpoint}: {}", answer.status());
        }
    }
}

#[tokio::test]
async fn the_rules_of_retention_are_set_where_they_are_shown() {
    let admin = english().await;
    finished().await;
    let page = admin.page("/admin/storage").await;
    assert!(page.contains("Videos</th>") && page.contains("Originals of providers"), "{page}");
    let send = async |originals: &str| {
        let fields = [("originals", originals), ("videos", "30"), ("posters", "90")];
        let form = admin.post("/api/admin/storage/retention", PAGE, &fields);
        let answer = form.header("referer", admin.url("/admin/storage")).send().await.unwrap();
        admin.page(header(&answer, "location")).await
    };
    let page = send("a week").await;
    assert!(page.contains("Accepted: 0–3650") && page.contains("value=\"a week\""), "{page}");
    assert!(page.contains("nobody has changed them here"), "{page}");
    let page = send("14").await;
    assert!(page.contains("value=\"14\"") && page.contains("Set by"), "{page}");
}
