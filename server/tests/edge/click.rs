//! The click and what becomes of it.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::{
    browser::{Browser, PAGE, header},
    store::{Database, Moment, moment},
};

/// A generation that is not where it should be by then is lost.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(3);

/// The choices of a form.
#[derive(Debug, Clone)]
pub struct Choices(Vec<(&'static str, String)>);

impl Default for Choices {
    fn default() -> Self {
        let words = [
            ("recipe", "product_video"),
            ("model_type", "female"),
            ("duration", "3"),
            ("resolution", "720p"),
            ("fps", "24"),
        ];
        Self(words.map(|(name, value)| (name, value.to_owned())).to_vec())
    }
}

impl Choices {
    pub fn with(mut self, field: &str, value: &str) -> Self {
        for (name, chosen) in &mut self.0 {
            if *name == field {
                value.clone_into(chosen);
            }
        }
        self
    }

    /// The fields of the form.
    pub fn fields<'a>(&'a self, product: &'a str, key: &'a str) -> Vec<(&'a str, &'a str)> {
        let choices = self.0.iter().map(|(name, value)| (*name, value.as_str()));
        [("product_id", product), ("key", key)].into_iter().chain(choices).collect()
    }
}

/// Clicks as a page without scripts does; the key names the click.
pub async fn click(browser: &Browser, product: Uuid, key: Uuid) {
    let (product, key) = (product.to_string(), key.to_string());
    let choices = Choices::default();
    let form = browser.post("/api/admin/generations/create", PAGE, &choices.fields(&product, &key));
    let answer = form.send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    assert_eq!(header(&answer, "location"), format!("/admin/products/{product}"));
}

/// The generation a click made.
pub async fn generation_of(database: &Database, key: Uuid) -> Uuid {
    let found: Vec<Uuid> = sqlx::query_scalar("select id from generations where request_key = $1")
        .bind(key)
        .fetch_all(&mut database.connect().await)
        .await
        .unwrap();
    assert_eq!(found.len(), 1, "one click, one generation");
    found[0]
}

/// Waits until a generation is where it should be, or has ended.
pub async fn wait_until(database: &Database, generation: Uuid, is_there: impl Fn(&Moment) -> bool) -> Moment {
    let mut conn = database.connect().await;
    let begun = Instant::now();
    loop {
        let now = moment(&mut conn, generation).await;
        if is_there(&now) || matches!(now.state.as_str(), "completed" | "failed" | "cancelled") {
            return now;
        }
        assert!(begun.elapsed() < PATIENCE, "generation {generation} stays where it is: {now:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
