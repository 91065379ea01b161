//! What goes on meanwhile: people who click and change their minds, providers that refuse and stammer.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use rand::{RngExt as _, rngs::StdRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    browser::{Browser, JSON},
    clicks::{Click, Wish},
    house::EMAIL,
    pauses::{Hold, Next, Pause},
    town::{PASSWORD, Town},
};

/// Somebody looks for something to do this often.
const TICK: Duration = Duration::from_millis(400);
/// Nobody clicks while so many generations are under way.
const MOST_LIVE: usize = 10;
/// A page that takes longer is given up and asked again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Generations that are under way.
const LIVE: &str = "select id from generations where finished_at is null order by id";
/// Generations that gave no video and were not retried.
const RETRYABLE: &str = "select id from generations one where state in ('failed', 'cancelled')
     and not exists (select from generations other where other.retry_of = one.id) order by id";

/// What everybody did.
#[derive(Debug, Default, Clone)]
pub struct Deeds {
    pub clicks: Vec<Click>,
    pub holds: Vec<Hold>,
}

/// Everybody outside.
pub struct Crowd {
    rng: StdRng,
    browser: Browser,
    products: Vec<Uuid>,
    database_url: String,
    simulator: String,
    tick: u64,
    pause: Option<Pause>,
    deeds: Arc<Mutex<Deeds>>,
}

impl Crowd {
    pub fn new(town: &Town, rng: StdRng) -> Self {
        Self {
            rng,
            browser: Browser::new(&town.url),
            products: town.products.iter().map(|product| product.id).collect(),
            database_url: town.ground.database.url.clone(),
            simulator: town.simulator.trim_end_matches('/').to_owned(),
            tick: 0,
            pause: None,
            deeds: Arc::default(),
        }
    }

    pub fn deeds(&self) -> Arc<Mutex<Deeds>> {
        self.deeds.clone()
    }

    /// Until told to stop; then providers behave, what is paused is resumed, and every click is repeated until it is
    /// answered.
    pub async fn live(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.act().await;
            tokio::time::sleep(TICK).await;
        }
        self.set_rules(&json!([])).await;
        for _ in 0..60 {
            let is_resumed = self.resume().await;
            if self.repeat_clicks().await && is_resumed {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
        panic!("never answered: {:?}, {:?}", self.pause, self.deeds.lock().unwrap().clicks);
    }

    async fn act(&mut self) {
        self.tick += 1;
        let product = self.rng.random_range(0..self.products.len());
        let [cancels, retries, pauses, breaks]: [u64; 4] = self.rng.random();
        if self.ask(LIVE).await.is_some_and(|live| live.len() < MOST_LIVE) {
            self.click(Wish::Make(self.products[product]));
        }
        if chance(retries, 4) {
            self.retry_one(retries).await;
        }
        self.repeat_clicks().await;
        if chance(cancels, 12) {
            self.cancel_one(cancels).await;
        }
        self.pause_or_resume(pauses).await;
        if chance(breaks, 4) {
            let rules = self.draw_rules();
            self.set_rules(&rules).await;
        }
    }

    fn click(&self, wish: Wish) {
        self.deeds.lock().unwrap().clicks.push(Click::new(wish));
    }

    /// Sends every click that was not answered; whether all are now.
    async fn repeat_clicks(&mut self) -> bool {
        let is_open = |click: &&Click| click.generation.is_none();
        let open: Vec<Click> = self.deeds.lock().unwrap().clicks.iter().filter(is_open).cloned().collect();
        let answers = join_all(open.iter().map(|click| self.send(click))).await;
        let (mut all, mut is_signed_out) = (true, false);
        for (click, answer) in open.iter().zip(answers) {
            let id = match answer {
                Some((StatusCode::OK, body)) => body.as_str().and_then(|id| id.parse().ok()),
                Some((StatusCode::UNAUTHORIZED, _)) => {
                    is_signed_out = true;
                    None
                }
                Some((status, body)) => {
                    assert!(status.is_server_error(), "{click:?} was answered {status}: {body}");
                    None
                }
                None => None,
            };
            let mut deeds = self.deeds.lock().unwrap();
            deeds.clicks.iter_mut().filter(|one| one.key == click.key).for_each(|one| one.generation = id);
            all &= id.is_some();
        }
        if is_signed_out {
            self.sign_in().await;
        }
        all
    }

    async fn send(&self, click: &Click) -> Option<(StatusCode, Value)> {
        let (path, fields) = click.form();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.post(path, &fields).await
    }

    /// Somebody wants a video after all; now and then two at once do, or one whose finger slipped.
    async fn retry_one(&self, choice: u64) {
        let ended = self.ask(RETRYABLE).await.unwrap_or_default();
        let is_wanted = |of: &Uuid| {
            self.deeds.lock().unwrap().clicks.iter().any(|one| one.wish == Wish::Retry(*of) && one.generation.is_none())
        };
        let Some(of) = pick(&ended, choice).filter(|of| !is_wanted(of)) else { return };
        for _ in 0..=u8::from(chance(choice >> 8, 2)) {
            self.click(Wish::Retry(of));
        }
    }

    async fn pause_or_resume(&mut self, draw: u64) {
        let Some(pause) = &self.pause else {
            self.pause = Pause::drawn(self.tick, draw);
            return;
        };
        match pause.next(self.tick) {
            Next::Wait => {}
            Next::Pause => {
                let fields = [("scope", pause.scope), ("reason", "stocktaking")];
                if self.press("/api/admin/queue/pause", &fields).await {
                    let now = self.clock().await;
                    self.pause.as_mut().unwrap().note_held(now);
                }
            }
            Next::Resume => _ = self.resume().await,
        }
    }

    /// Ends the pause there is; whether there is none now.
    async fn resume(&mut self) -> bool {
        let now = self.clock().await;
        let Some(pause) = &mut self.pause else { return true };
        pause.note_ending(now);
        let scope = pause.scope;
        let is_over = self.press("/api/admin/queue/resume", &[("scope", scope)]).await;
        if is_over {
            let hold = self.pause.take().and_then(|pause| pause.hold());
            self.deeds.lock().unwrap().holds.extend(hold);
        }
        is_over
    }

    /// Presses a button once; whether it was answered well. The server may be away, but it may not refuse.
    async fn press(&mut self, path: &str, fields: &[(&str, &str)]) -> bool {
        match self.post(path, fields).await {
            Some((StatusCode::OK, _)) => return true,
            Some((StatusCode::UNAUTHORIZED, _)) => self.sign_in().await,
            Some((status, body)) => assert!(status.is_server_error(), "{path} was answered {status}: {body}"),
            None => {}
        }
        false
    }

    async fn cancel_one(&self, choice: u64) {
        let live = self.ask(LIVE).await.unwrap_or_default();
        if let Some(one) = pick(&live, choice) {
            // It may have ended by now, and the server may be away.
            _ = self.post("/api/admin/generations/cancel", &[("id", &one.to_string())]).await;
        }
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

    /// Which generations a question is about; nothing while the database is away.
    async fn ask(&self, question: &'static str) -> Option<Vec<Uuid>> {
        let ask = async {
            let mut connection = PgConnection::connect(&self.database_url).await.ok()?;
            let found = sqlx::query_scalar(question).fetch_all(&mut connection).await.ok()?;
            connection.close().await.ok()?;
            Some(found)
        };
        timeout(PATIENCE, ask).await.ok().flatten()
    }

    /// What time it is for the database, while it is there.
    async fn clock(&self) -> Option<DateTime<Utc>> {
        let ask = async {
            let mut connection = PgConnection::connect(&self.database_url).await.ok()?;
            let now = sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut connection).await.ok()?;
            connection.close().await.ok()?;
            Some(now)
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

/// One of them, if there is any.
fn pick(of: &[Uuid], choice: u64) -> Option<Uuid> {
    let at = usize::try_from(choice >> 32).unwrap().checked_rem(of.len())?;
    Some(of[at])
}
