//! Signing in and out.

use std::time::Duration;

use crate::{
    browser::{JSON, PAGE, cookie_of, header},
    house::{EMAIL, House, shared},
    stream::Events,
};

#[tokio::test]
async fn the_desk_asks_who_it_is_and_remembers_the_way() {
    let visitor = shared().await.visitor();
    for (path, wanted) in [
        ("/admin", "%2Fadmin"),
        ("/admin/products?q=a%20b&page=2", "%2Fadmin%2Fproducts%3Fq%3Da%2520b%26page%3D2"),
        ("/admin/costs", "%2Fadmin%2Fcosts"),
        ("/admin/nonsense", "%2Fadmin%2Fnonsense"),
    ] {
        let answer = visitor.get(path).header("accept", PAGE).send().await.unwrap();
        assert!(answer.status().is_redirection(), "{path}: {}", answer.status());
        assert_eq!(header(&answer, "location"), format!("/admin/sign-in?next={wanted}"));
    }
    let page = visitor.page("/admin/sign-in?next=%2Fadmin%2Fcosts").await;
    assert!(page.contains(r#"name="next""#) && page.contains(r#"value="/admin/costs""#), "{page}");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_the_page_says_so() {
    let house = shared().await;
    let visitor = house.visitor();
    for (email, password) in [(EMAIL, "not the password"), ("nobody@shop.example", &house.password), ("x", "y")] {
        let answer = visitor.sign_in(JSON, email, password, "").await;
        assert_eq!(answer.status(), 401, "{email}");
        assert!(header(&answer, "set-cookie").is_empty(), "{email}");
        assert!(answer.text().await.unwrap().contains(r#""code":"wrong_credentials""#));
    }
    let fields = [("email", EMAIL), ("password", "not the password"), ("next", "")];
    let form = visitor.post("/api/session/sign-in", PAGE, &fields);
    let answer = form.header("referer", visitor.url("/admin/sign-in")).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let back = header(&answer, "location").replace(&house.url, "");
    assert!(back.starts_with("/admin/sign-in?"), "{back}");
    assert!(visitor.page(&back).await.contains(r#"role="alert""#));
}

#[tokio::test]
async fn signing_in_leads_to_the_desk_and_nowhere_else() {
    let house = shared().await;
    for (next, wanted) in [
        ("/admin/costs", "/admin/costs"),
        ("", "/admin/products"),
        ("https://evil.example/", "/admin/products"),
        ("//evil.example/admin", "/admin/products"),
        ("/admin/../../evil", "/admin/products"),
        ("/admin\\@evil.example", "/admin/products"),
    ] {
        let answer = house.visitor().sign_in(PAGE, EMAIL, &house.password, next).await;
        assert!(answer.status().is_redirection(), "{next}: {}", answer.status());
        assert_eq!(header(&answer, "location"), wanted, "{next}");
        let cookie = cookie_of(&answer);
        for flag in ["lookreel=", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test]
async fn a_session_ends_with_the_sign_out() {
    let house = shared().await;
    let admin = house.admin().await;
    assert!(admin.page("/admin/products").await.contains("</html>"));
    let answer = admin.post("/api/session/sign-out", PAGE, &[]).send().await.unwrap();
    assert_eq!(header(&answer, "location"), "/admin/sign-in");
    let answer = admin.get("/admin/products").send().await.unwrap();
    assert!(header(&answer, "location").starts_with("/admin/sign-in"), "the old cookie still opens the desk");
    let answer = admin.post("/api/admin/notices/read", JSON, &[]).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_visit_keeps_the_session_and_is_written_once_a_day() {
    let house = shared().await;
    let admin = house.admin().await;
    let visit = async || admin.get("/admin/products").header("accept", PAGE).send().await.unwrap();
    let first = visit().await;
    assert_eq!(first.status(), 200);
    let cookie = cookie_of(&first);
    assert!(cookie.contains("Max-Age=1209600") && cookie.contains("HttpOnly"), "{cookie}");
    assert!(cookie.starts_with(admin.cookie.as_ref().unwrap()), "the same session: {cookie}");
    assert_eq!(header(&visit().await, "set-cookie"), "");
}

#[tokio::test]
async fn streams_end_with_their_session_and_no_others_do() {
    let house = shared().await;
    let (leaving, staying) = (house.admin().await, house.admin().await);
    let ended = Events::open(&leaving, "/events/generations", None).await;
    let open = Events::open(&staying, "/events/generations", None).await;
    let answer = leaving.post("/api/session/sign-out", PAGE, &[]).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    // It is looked after with every heartbeat, each 15 s.
    let both = async {
        tokio::select! { _ = ended.rest() => true, _ = open.rest() => false }
    };
    assert!(tokio::time::timeout(Duration::from_secs(40), both).await.expect("the stream outlived its session"));
    let again = leaving.get("/events/generations").send().await.unwrap();
    assert_eq!(again.status(), 401, "a browser that comes back is turned away for good");
}

#[tokio::test]
async fn the_session_gets_a_new_name_when_somebody_signs_in() {
    let house = shared().await;
    let admin = house.admin().await;
    let again = admin.clone().signed_in(EMAIL, &house.password).await;
    assert_ne!(admin.cookie, again.cookie);
    let mut made_up = house.visitor();
    made_up.cookie = Some("lookreel=AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    let answer = made_up.get("/admin/products").send().await.unwrap();
    assert!(header(&answer, "location").starts_with("/admin/sign-in"));
}

#[tokio::test]
async fn who_tries_too_often_has_to_wait() {
    let house = shared().await;
    let visitor = house.visitor();
    for number in 0..10 {
        let answer = visitor.sign_in(JSON, EMAIL, "guess", "").await;
        assert_eq!(answer.status(), 401, "try {number}");
    }
    let answer = visitor.sign_in(JSON, EMAIL, &house.password, "").await;
    assert_eq!(answer.status(), 429, "the right password opens although this person is shut out");
    let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["code"], "too_many_tries");
    assert!((1..=300).contains(&body["data"]["retry_after_secs"].as_i64().unwrap()), "{body}");
    // A colleague at the same place is not shut out, nor the same person elsewhere.
    assert_eq!(visitor.sign_in(JSON, "colleague@shop.example", "guess", "").await.status(), 401);
    assert!(house.visitor().sign_in(PAGE, EMAIL, &house.password, "").await.status().is_redirection());
}

#[tokio::test]
async fn on_https_the_cookie_is_bound_to_the_host() {
    let house = House::build(&[("PUBLIC_URL", "https://shop.example/")]).await;
    let answer = house.visitor().sign_in(PAGE, EMAIL, &house.password, "").await;
    let cookie = cookie_of(&answer);
    assert!(cookie.starts_with("__Host-lookreel="), "{cookie}");
    for flag in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}
