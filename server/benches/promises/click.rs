//! From the click to the finished video, as the person who clicked sees it, without the time ffmpeg takes.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use app::live::LiveEvent;
use domain::{GenerationId, GenerationState};
use reqwest::{Client, Response, header};
use tokio::time::timeout;
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::{
    ffmpeg::Journal,
    figures::Figures,
    lookreel::{Lookreel, Ready},
    table::Table,
};

const BUDGET_MS: f64 = 400.0;
/// Unmeasured runs before: they draw what the simulator then remembers.
const WARM_UP: usize = 2;
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// One run.
struct Run {
    whole: Duration,
    ffmpeg: Duration,
}

/// Measures generations of one product; answers the address of its page in the shop.
pub async fn measure(lookreel: &Lookreel, journal: &Journal, runs: usize, table: &mut Table) -> anyhow::Result<Url> {
    let desk = Desk::sign_in(&lookreel.ready.url, &lookreel.ready).await?;
    let product = desk.any_product().await?;
    let mut measured = Vec::with_capacity(runs);
    for number in 0..WARM_UP + runs {
        println!("generation {} of {}", number + 1, WARM_UP + runs);
        let run = desk.generate(product, journal).await?;
        if number >= WARM_UP {
            measured.push(run);
        }
    }
    let figures = |part: fn(&Run) -> Duration| Figures::from(measured.iter().map(part).collect::<Vec<_>>());
    let ours = figures(|run| run.whole.saturating_sub(run.ffmpeg));
    let what = format!("click to completed without ffmpeg, median of {runs}");
    table.promise(&what, ours.percentile_ms(50), BUDGET_MS, "ms");
    table.detail("slowest", ours.percentile_ms(100), "ms");
    table.detail("ffmpeg and ffprobe, median", figures(|run| run.ffmpeg).percentile_ms(50), "ms");
    table.detail("with them, median", figures(|run| run.whole).percentile_ms(50), "ms");
    desk.shop_page(product).await
}

/// A signed-in person.
pub struct Desk {
    /// Sends what belongs to nobody.
    pub client: Client,
    base: Url,
    cookie: String,
}

impl Desk {
    /// Signs in at a server, with the account of a shop.
    pub async fn sign_in(server: &Url, account: &Ready) -> anyhow::Result<Self> {
        let mut desk = Self { client: Client::new(), base: server.clone(), cookie: String::new() };
        let fields = [("email", account.admin_email.as_str()), ("password", &account.admin_password), ("next", "")];
        let response = desk.post("api/session/sign-in", &fields).await?;
        let cookie = response.headers().get(header::SET_COOKIE).context("the sign-in gave no cookie")?.to_str()?;
        desk.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(desk)
    }

    /// The first product of the list.
    pub async fn any_product(&self) -> anyhow::Result<Uuid> {
        const LINK: &str = "/admin/products/";
        let page = self.get("admin/products").await?.text().await?;
        page.match_indices(LINK)
            .find_map(|(at, _)| page.get(at + LINK.len()..at + LINK.len() + 36)?.parse().ok())
            .context("the list shows no product")
    }

    /// Where shoppers see a product.
    async fn shop_page(&self, product: Uuid) -> anyhow::Result<Url> {
        let page = self.get(&format!("admin/products/{product}")).await?.text().await?;
        let (_, rest) = page.split_once("href=\"/products/").context("the product does not link to the shop")?;
        let slug = rest.split('"').next().unwrap_or_default();
        Ok(self.base.join(&format!("products/{slug}"))?)
    }

    async fn generate(&self, product: Uuid, journal: &Journal) -> anyhow::Result<Run> {
        let clicked = SystemTime::now();
        self.make_video(product, &[("resolution", "720p")]).await?;
        let completed = SystemTime::now();
        Ok(Run { whole: completed.duration_since(clicked)?, ffmpeg: journal.busy(clicked, completed)? })
    }

    /// Clicks, and waits until the video is there.
    pub async fn make_video(&self, product: Uuid, options: &[(&str, &str)]) -> anyhow::Result<()> {
        let (product, key) = (product.to_string(), Uuid::now_v7().to_string());
        let fields = [
            ("product_id", product.as_str()),
            ("key", &key),
            ("recipe", "product_video"),
            ("model_type", "female"),
            ("duration", "4"),
            ("fps", "24"),
        ];
        let fields = [&fields, options].concat();
        let id: GenerationId = self.post("api/admin/generations/create", &fields).await?.json().await?;
        timeout(RUN_LIMIT, self.watch(id)).await.context("a generation took too long")?
    }

    /// Follows the live stream to its end.
    async fn watch(&self, id: GenerationId) -> anyhow::Result<()> {
        let mut stream = self.get(&format!("events/generations/{id}")).await?;
        let mut text = String::new();
        while let Some(piece) = stream.chunk().await? {
            text.push_str(std::str::from_utf8(&piece)?);
            while let Some((line, rest)) = text.split_once('\n') {
                let event = line.strip_prefix("data:").map(|data| serde_json::from_str(data.trim())).transpose()?;
                text = rest.to_owned();
                let Some(LiveEvent::Generation(view)) = event else { continue };
                match view.state {
                    GenerationState::Completed => return Ok(()),
                    state if state.is_final() => anyhow::bail!("a generation ended as {state:?}"),
                    _ => {}
                }
            }
        }
        anyhow::bail!("the live stream ended early")
    }

    async fn get(&self, path: &str) -> anyhow::Result<Response> {
        let request = self.client.get(self.base.join(path)?).header(header::COOKIE, &self.cookie);
        Ok(request.send().await?.error_for_status()?)
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Response> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .client
            .post(self.base.join(path)?)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(body);
        Ok(request.send().await?.error_for_status()?)
    }
}
