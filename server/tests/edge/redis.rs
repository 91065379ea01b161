//! A Redis that goes away: the desk stays open, says so, and nobody's session is lost or kept by it.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    browser::{Browser, PAGE, header},
    house::{EMAIL, House, free_address},
};

/// Longer than the desk may take to notice.
const NOTICE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A `redis-server` of one test; dropping it kills it.
struct Redis(Child);

impl Redis {
    async fn start(address: SocketAddr) -> Self {
        let port = address.port().to_string();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self(child);
        let listens = async || tokio::net::TcpStream::connect(address).await.is_ok();
        until("Redis listens", listens).await;
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(NOTICE, looking).await.unwrap_or_else(|_| panic!("{what}: not within {NOTICE:?}"));
}

async fn opens_the_desk(browser: &Browser) -> bool {
    let answer = browser.get("/admin/products").header("accept", PAGE).send().await.unwrap();
    answer.status() == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_the_desk_is_open_and_says_so() {
    let address = free_address();
    let redis = Redis::start(address).await;
    let house = House::build(&[("REDIS_URL", &format!("redis://{address}"))]).await;
    let (staying, leaving) = (house.admin().await, house.admin().await);
    let alert = r#"data-testid="queue-alert""#;
    assert!(!staying.page("/admin/products").await.contains(alert));

    drop(redis);
    until("the banner", async || staying.page("/admin/products").await.contains(alert)).await;
    let late = house.admin().await;
    assert!(opens_the_desk(&late).await, "nobody can sign in");
    assert_eq!(leaving.post("/api/session/sign-out", PAGE, &[]).send().await.unwrap().status(), 302);
    let turned_away = leaving.get("/admin/products").send().await.unwrap();
    assert!(header(&turned_away, "location").starts_with("/admin/sign-in"));

    let _redis = Redis::start(address).await;
    until("the banner is gone", async || !staying.page("/admin/products").await.contains(alert)).await;
    for (browser, stays) in [(&staying, true), (&late, true), (&leaving, false)] {
        assert_eq!(opens_the_desk(browser).await, stays, "an empty Redis decided who is signed in");
    }
    assert!(house.visitor().sign_in(PAGE, EMAIL, "not the password", "").await.status().is_redirection());
}
