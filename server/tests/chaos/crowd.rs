//! What goes on meanwhile: people who click and change their minds, providers that refuse and stammer.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{RngExt as _, rngs::StdRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Connection as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    browser::{Browser, JSON},
    click::Choices,
    house::EMAIL,
    town::{PASSWORD, Town},
};

/// Somebody looks for something to do this often.
const TICK: Duration = Duration::from_millis(400);
/// Nobody clicks while so many generations are under way.
const MOST_LIVE: usize = 10;
/// A page that takes longer is given up and asked again.
const PATIENCE: Duration = Duration::from_secs(5);

/// A click and what is known of it.
#[derive(Debug, Clone)]
pub struct Click {
    pub key: Uuid,
    product: Uuid,
    /// The generation, once the server has said so.
    pub generation: Option<Uuid>,
}

/// Everybody outside.
pub struct Crowd {
    rng: StdRng,
    browser: Browser,
    products: Vec<Uuid>,
    database_url: String,
    simulator: String,
    clicks: Arc<Mutex<Vec<Click>>>,
}

impl Crowd {
    pub fn new(town: &Town, rng: StdRng) -> Self {
        Self {
            rng,
            browser: Browser::new(&town.url),
            products: town.products.iter().map(|product| product.id).collect(),
            database_url: town.ground.database.url.clone(),
            simulator: town.simulator.trim_end_matches('/').to_owned(),
            clicks: Arc::default(),
        }
    }

    pub fn clicks(&self) -> Arc<Mutex<Vec<Click>>> {
        self.clicks.clone()
    }

    /// Until told to stop; then providers behave, and every click is repeated until it is answered.
    pub async fn live(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.act().await;
            tokio::time::sleep(TICK).await;
        }
        self.set_rules(&json!([])).await;
        for _ in 0..60 {
            if self.repeat_clicks().await {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
        panic!("a click is never answered: {:?}", self.clicks.lock().unwrap());
    }

    async fn act(&mut self) {
        let product = self.rng.random_range(0..self.products.len());
        let (cancels, breaks): (u64, u64) = (self.rng.random(), self.rng.random());
        if self.live_generations().await.is_some_and(|live| live.len() < MOST_LIVE) {
            let click = Click { key: Uuid::now_v7(), product: self.products[product], generation: None };
            self.clicks.lock().unwrap().push(click);
        }
        self.repeat_clicks().await;
        if chance(cancels, 12) {
            self.cancel_one(cancels).await;
        }
        if chance(breaks, 4) {
            let rules = self.draw_rules();
            self.set_rules(&rules).await;
        }
    }

    /// Sends every click that was not answered; whether all are now.
    async fn repeat_clicks(&mut self) -> bool {
        let open: Vec<Click> =
            self.clicks.lock().unwrap().iter().filter(|click| click.generation.is_none()).cloned().collect();
        for click in open {
            let (product, key) = (click.product.to_string(), click.key.to_string());
            let choices = Choices::default();
            let Some((status, body)) =
                self.post("/api/admin/generations/create", &choices.fields(&product, &key)).await
            else {
                return false;
            };
            match (status, body.as_str().and_then(|id| id.parse().ok())) {
                (StatusCode::OK, Some(id)) => {
                    let mut clicks = self.clicks.lock().unwrap();
                    clicks.iter_mut().filter(|one| one.key == click.key).for_each(|one| one.generation = Some(id));
                }
                (StatusCode::UNAUTHORIZED, _) => {
                    self.sign_in().await;
                    return false;
                }
                (status, _) => {
                    assert!(status.is_server_error(), "a click was answered {status}: {body}");
                    return false;
                }
            }
        }
        true
    }

    async fn cancel_one(&mut self, choice: u64) {
        let live = self.live_generations().await.unwrap_or_default();
        if live.is_empty() {
            return;
        }
        let at = usize::try_from(choice >> 32).unwrap() % live.len();
        // It may have ended by now, and the server may be away.
        _ = self.post("/api/admin/generations/cancel", &[("id", &live[at].to_string())]).await;
    }

    /// Sessions live in Redis: whoever loses it signs everybody out.
    async fn sign_in(&mut self) {
        let mut fresh = Browser::new(&self.browser.url("/"));
        let request =
            fresh.post("/api/session/sign-in", JSON, &[("email", EMAIL), ("password", PASSWORD), ("next", "")]);
        if let Ok(answer) = request.timeout(PATIENCE).send().await
            && let Some(cookie) = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok())
        {
            fresh.cookie = cookie.split(';').next().map(str::to_owned);
            self.browser = fresh;
        }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<(StatusCode, Value)> {
        let answer = self.browser.post(path, JSON, fields).timeout(PATIENCE).send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// None while the database is away.
    async fn live_generations(&self) -> Option<Vec<Uuid>> {
        let ask = async {
            let mut connection = sqlx::PgConnection::connect(&self.database_url).await.ok()?;
            let live = sqlx::query_scalar("select id from generations where finished_at is null order by id");
            let live = live.fetch_all(&mut connection).await.ok()?;
            connection.close().await.ok()?;
            Some(live)
        };
        timeout(PATIENCE, ask).await.ok().flatten()
    }

    /// What the providers do wrong next.
    fn draw_rules(&mut self) -> Value {
        let (clips, stills) = ("fal-ai", "gemini");
        let all = [
            json!({"model": clips, "fault": "status", "status": 429, "retry_after_secs": 1}),
            json!({"model": clips, "fault": "status", "status": 503}),
            json!({"model": stills, "fault": "status", "status": 500}),
            json!({"model": stills, "fault": "status", "status": 429}),
            json!({"model": clips, "fault": "drop_answer"}),
            json!({"model": stills, "fault": "drop_answer"}),
            json!({"model": stills, "fault": "never", "seconds": 2}),
            json!({"model": clips, "fault": "garbage", "step": "status"}),
            json!({"model": clips, "fault": "moderation", "step": "run"}),
            json!({"model": stills, "fault": "moderation"}),
            json!({"model": clips, "fault": "completed_with_error", "status": 500}),
            json!({"model": clips, "fault": "delay_ms", "ms": 1_500, "step": "run"}),
            json!({"model": stills, "fault": "delay_ms", "ms": 900}),
            json!({"fault": "webhook_none"}),
            json!({"fault": "webhook_duplicate"}),
            json!({"fault": "webhook_bad_signature"}),
            json!({"fault": "webhook_late_ms", "ms": 2_000}),
        ];
        let first = self.rng.random_range(0..all.len());
        let second = self.rng.random_range(0..all.len());
        json!([all[first], all[second]])
    }

    async fn set_rules(&self, rules: &Value) {
        let client = &self.browser.client;
        let set = client.put(format!("{}/faults", self.simulator)).body(rules.to_string()).send().await.unwrap();
        assert!(set.status().is_success(), "{}", set.status());
    }
}

/// One in so many.
fn chance(drawn: u64, one_in: u64) -> bool {
    drawn.is_multiple_of(one_in)
}
