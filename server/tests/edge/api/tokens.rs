//! Tokens: made on the desk and on the command line, shown once, scoped, ended, revoked, counted.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Code, json as read, make_token, problem};
use crate::{
    browser::{PAGE, header},
    house::{House, shared},
};

#[tokio::test]
async fn who_asks_without_a_token_is_told_how_to_get_one() {
    let visitor = shared().await.visitor();
    let job = "/api/video/status/0190f5b2-7d2a-7c3e-9b1f-0123456789ab";
    let answer = visitor.get(job).send().await.unwrap();
    assert_eq!(header(&answer, "www-authenticate"), "Bearer realm=\"lookreel\"");
    problem(answer, 401, "token_missing").await;
    for given in ["Bearer nothing", "Bearer lkr_short", "Basic abc", &format!("Bearer lkr_{}", "a".repeat(43))] {
        let answer = visitor.get(job).header("authorization", given).send().await.unwrap();
        assert!(header(&answer, "www-authenticate").contains("invalid_token"), "{given}");
        problem(answer, 401, "token_invalid").await;
    }
}

#[tokio::test]
async fn a_token_may_do_what_it_was_made_for() {
    let house = shared().await;
    let reader = Code::with(house, &["video:read", "product:read"]).await;
    reader.read("/api/admin/products").await;
    for (answer, scope) in [
        (reader.post("/api/video/generate", &json!({})).send().await.unwrap(), "video:generate"),
        (reader.get("/api/admin/video-generation/stats").send().await.unwrap(), "generation:read"),
        (reader.get("/api/admin/webhooks").send().await.unwrap(), "webhook:manage"),
    ] {
        assert!(header(&answer, "www-authenticate").contains(&format!("scope=\"{scope}\"")), "{scope}");
        let told = problem(answer, 403, "scope_missing").await;
        assert!(told["detail"].as_str().unwrap().contains(scope), "{told}");
    }
}

#[tokio::test]
async fn a_token_is_made_and_revoked_on_the_desk_and_its_secret_is_seen_once() {
    let house = House::build(&[]).await;
    let admin = house.admin().await;
    // Older than the one that is made here, which the list then shows first.
    let older = Code::of(&house).await;
    assert!(house.visitor().get("/admin/tokens").send().await.unwrap().status().is_redirection());
    let fields = [("name", "web shop"), ("scope", "product:read"), ("scope", "video:read"), ("days", "30")];
    let page = admin.post("/admin/tokens", PAGE, &fields).send().await.unwrap().text().await.unwrap();
    let secret = page.split("value=\"lkr_").nth(1).and_then(|rest| rest.split('"').next()).expect("the secret");
    let secret = format!("lkr_{secret}");
    let code = Code { token: secret.clone(), ..older };
    code.read("/api/admin/products").await;
    let list = admin.page("/admin/tokens").await;
    assert!(list.contains("web shop") && !list.contains(&secret), "it is not shown again");
    let places = house.ground.database.places_of("web shop").await;
    assert_eq!(places, ["api_tokens.name"], "what is written down is found");
    // The whole of it, as it is sent, and the bytes it stands for.
    let bytes = URL_SAFE_NO_PAD.decode(secret.strip_prefix("lkr_").unwrap()).unwrap();
    for text in [secret.as_bytes(), &secret.as_bytes()[4..], &bytes] {
        assert_eq!(house.ground.database.places_of_bytes(text).await, [""; 0], "nor kept");
    }
    let begun = Instant::now();
    while house.ground.database.number("select count(*) from api_tokens where last_used_at is not null").await == 0 {
        assert!(begun.elapsed().as_secs() < 10, "its use is noted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let refused = admin.post("/admin/tokens", PAGE, &[("name", ""), ("scope", "odd")]).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let revoke =
        list.split("action=\"").filter_map(|part| part.split('"').next()).find(|path| path.ends_with("/revoke"));
    let answer = admin.post(revoke.unwrap(), PAGE, &[]).send().await.unwrap();
    assert_eq!(header(&answer, "location"), "/admin/tokens");
    let begun = Instant::now();
    loop {
        let answer = code.get("/api/admin/products").send().await.unwrap();
        if answer.status() == 401 {
            problem(answer, 401, "token_invalid").await;
            break;
        }
        assert!(begun.elapsed().as_secs() < 10, "a revoked token is believed for seconds only");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_ended_token_says_so() {
    let house = House::build(&[]).await;
    let token = make_token(&house, &["--days", "1"]).await;
    let mut conn = house.ground.database.connect().await;
    sqlx::query("update api_tokens set expires_at = now() - interval '1 minute'").execute(&mut conn).await.unwrap();
    let code = Code { token, ..Code::of(&house).await };
    problem(code.get("/api/admin/products").send().await.unwrap(), 401, "token_expired").await;
}

#[tokio::test]
async fn a_minute_has_so_many_requests() {
    let house = House::build(&[("API_REQUESTS_PER_MINUTE", "5")]).await;
    let code = Code::of(&house).await;
    let mut left = Vec::new();
    // Where one minute ends and the next begins there are twice as many.
    for _ in 0..11 {
        let answer = code.get("/api/admin/products").send().await.unwrap();
        assert_eq!(header(&answer, "ratelimit-policy"), "\"minute\";q=5;w=60");
        left.push(header(&answer, "ratelimit").to_owned());
        if answer.status() == 429 {
            let wait: u64 = header(&answer, "retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            problem(answer, 429, "too_many_requests").await;
            let other = Code::of(&house).await;
            assert_eq!(
                other.get("/api/admin/products").send().await.unwrap().status(),
                200,
                "others are not in its way"
            );
            return;
        }
    }
    panic!("eleven requests were let through: {left:?}");
}

#[tokio::test]
async fn people_who_are_signed_in_may_ask_for_what_is_the_desks() {
    let house = shared().await;
    let admin = house.admin().await;
    let list = read(admin.get("/api/admin/products").send().await.unwrap(), 200).await;
    assert!(list["items"].is_array(), "{list}");
    let answer = admin.get("/api/video/0190f5b2-7d2a-7c3e-9b1f-0123456789ab").send().await.unwrap();
    problem(answer, 401, "token_missing").await;
    for path in ["/api/admin/webhooks", "/api/video/generate", "/api/admin/nothing"] {
        let foreign = admin.request(reqwest::Method::POST, path).header("sec-fetch-site", "cross-site");
        problem(foreign.header("accept-language", "ko").send().await.unwrap(), 403, "cross_origin").await;
    }
}
