//! What every answer carries and what is kept out before anything else looks at it.

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    browser::{JSON, PAGE, header},
    house::{House, shared},
    journey::finished,
};

#[tokio::test]
async fn scripts_run_only_with_the_nonce_of_their_page() {
    let house = shared().await;
    let admin = house.admin().await;
    let mut seen = Vec::new();
    let clip = format!("/products/{}", finished().await.product.slug);
    for path in ["/products", &clip, "/admin/sign-in", "/admin/products", "/admin/products"] {
        let browser = if path == "/admin/sign-in" { house.visitor() } else { admin.clone() };
        let answer = browser.get(path).header("accept", PAGE).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let policy = header(&answer, "content-security-policy").to_owned();
        for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        let script_src = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
        assert!(!script_src.contains("unsafe-inline") && !script_src.contains("'unsafe-eval'"), "{script_src}");
        let nonce = script_src.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 16, "{nonce}");
        let page = answer.text().await.unwrap();
        for tag in page.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let runs_nothing_written_here = tag.contains("src=") || tag.contains("application/ld+json");
            assert!(runs_nothing_written_here || tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{tag}>");
        }
        assert!(!page.contains(" onclick=") && !page.contains(" style=\""), "{path}");
        assert_eq!(
            page.contains("requestVideoFrameCallback"),
            path == clip,
            "{path}: a clip is begun where there is one"
        );
        seen.push(nonce);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "a nonce was used twice");
}

#[tokio::test]
async fn every_answer_closes_the_same_doors() {
    let visitor = shared().await.visitor();
    for path in ["/products", "/health/live", "/nothing-here", "/media/products/x/photos/y.jpg", "/favicon.svg"] {
        let answer = visitor.get(path).send().await.unwrap();
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&answer, "referrer-policy"), "same-origin", "{path}");
        assert!(!header(&answer, "content-security-policy").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn pages_of_the_desk_are_never_kept() {
    let house = shared().await;
    let admin = house.admin().await;
    for path in ["/admin/products", "/admin/generations", "/admin/costs"] {
        let answer = admin.get(path).header("accept", PAGE).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (200, "no-store"), "{path}");
        assert_eq!(header(&answer, "cross-origin-opener-policy"), "same-origin", "{path}");
    }
    // Whether somebody is signed in is not told to who opened the window.
    let refused = admin.get("/admin/videos/none").header("accept", PAGE).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "cross-origin-opener-policy")), (404, "same-origin"));
    let answer = house.visitor().get("/products").send().await.unwrap();
    assert_eq!(header(&answer, "cache-control"), "public, max-age=0, must-revalidate");
}

#[tokio::test]
async fn other_sites_cannot_post_in_somebodys_name() {
    let house = shared().await;
    let admin = house.admin().await;
    let before = house.ground.database.number("select count(*) from generations").await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        for path in ["/api/session/sign-out", "/api/admin/generations/create", "/api/preferences/language"] {
            let answer = admin.post(path, PAGE, &[("language", "en")]).header(name, value).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} with {name}: {value}");
        }
    }
    assert_eq!(house.ground.database.number("select count(*) from generations").await, before);
    // The session is still there, and its own pages may post.
    let own = admin.post("/api/admin/notices/read", JSON, &[]).header("sec-fetch-site", "same-origin");
    assert_eq!(own.send().await.unwrap().status(), 200);
    let own = admin.post("/api/admin/notices/read", JSON, &[]).header("origin", &house.url);
    assert_eq!(own.send().await.unwrap().status(), 200);
    // Providers post from elsewhere: what they may say is decided by their signature.
    let webhook = admin.post("/api/video/webhook", JSON, &[]).header("sec-fetch-site", "cross-site");
    assert_eq!(webhook.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let house = shared().await;
    let host = house.url.trim_start_matches("http://");
    for path in ["/api/session/sign-in", "/api/admin/generations/create", "/api/video/webhook"] {
        // Refused for what it announces, before any of it is sent.
        let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1048577\r\n\r\n");
        let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        socket.read_exact(&mut status).await.unwrap();
        assert_eq!(str::from_utf8(&status).unwrap(), "HTTP/1.1 413", "{path}");
    }
    // Without a length it is counted as it comes; who goes on sending may find the connection closed.
    let chunks = futures::stream::iter((0..5).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 300_000])));
    let request = house.visitor().request(Method::POST, "/api/video/webhook");
    let answer = request.body(reqwest::Body::wrap_stream(chunks)).send().await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 413));
    assert_eq!(house.visitor().get("/health/live").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let house = shared().await;
    let visitor = house.visitor();
    for path in ["/nothing", "/pkg/nothing.js", "/api/nothing", "/media/nothing", "/fonts/../Cargo.toml", "/pkg/"] {
        assert_eq!(visitor.get(path).send().await.unwrap().status(), 404, "{path}");
    }
    let admin = house.admin().await;
    let nobody = uuid::Uuid::now_v7();
    for path in
        ["/admin/nothing".to_owned(), format!("/admin/products/{nobody}"), format!("/admin/generations/{nobody}")]
    {
        let answer = admin.get(&path).header("accept", PAGE).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn health_names_every_part() {
    let visitor = shared().await.visitor();
    assert_eq!(visitor.get("/health/live").send().await.unwrap().text().await.unwrap(), "ok");
    let answer = visitor.get("/health/ready").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["ready"], true);
    for part in ["postgres", "object_store", "redis"] {
        assert_eq!(body["parts"][part], "ok", "{body}");
    }
}

#[tokio::test]
async fn a_worker_says_how_it_is_beside_its_figures() {
    let address = crate::house::free_address().to_string();
    let house = House::build(&[("METRICS_LISTEN", &address)]).await;
    let answer = reqwest::get(format!("http://{address}/health/ready")).await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    for part in ["postgres", "object_store", "redis", "work_dir"] {
        assert_eq!(body["parts"][part], "ok", "{part}: {body}");
    }
    let figures = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    assert!(figures.contains("jobs_depth{state=\"waiting\"} 0"), "{figures}");
    // The folder is gone, as good as a disk without room.
    std::fs::remove_dir_all(house.ground.dir.join("work")).unwrap();
    let answer = reqwest::get(format!("http://{address}/health/ready")).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("\"work_dir\":\"full\""));
}
