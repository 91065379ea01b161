//! The REST API under load, by a generator on the same machine: videos that are asked for, statuses that are read, of jobs that
//! wait and of jobs that are finished, whose files have to be looked up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures::future::try_join_all;
use reqwest::header;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use url::Url;
use uuid::Uuid;

use super::{click::Desk, figures::Figures, lookreel::Lookreel, table::Table};

/// Connections that ask at once.
const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
const EXCHANGE_LIMIT: Duration = Duration::from_secs(10);
/// Jobs that are finished before the queue is paused.
const FINISHED: usize = 4;
const FINISH_LIMIT: Duration = Duration::from_secs(120);

const GENERATE_PER_SECOND: f64 = 1_000.0;
const GENERATE_P99_MS: f64 = 50.0;
const STATUS_PER_SECOND: f64 = 8_000.0;
const STATUS_P99_MS: f64 = 15.0;

/// Measures both; what is asked for waits in a queue that is paused.
pub async fn measure(lookreel: &Lookreel, table: &mut Table) -> anyhow::Result<()> {
    let desk = Desk::sign_in(&lookreel.ready.url, &lookreel.ready).await?;
    let shop = Shop::open(lookreel, &desk).await?;
    let image = shop.upload(&desk).await?;
    println!("{FINISHED} videos are made");
    let finished = shop.finish(&desk, &image).await?;
    desk.post("api/admin/queue/pause", &[("scope", "everything"), ("reason", "measuring")]).await?;
    println!("videos are asked for");
    let target = Arc::new(Target::of(&lookreel.ready.url, &shop.token)?);
    let body = json!({"tryonImageId": image, "settings": {"duration": 3}}).to_string();
    let asked = run(
        target.clone(),
        move |target| target.post("/api/video/generate", &Uuid::now_v7().to_string(), &body),
        |answer| answer.split('"').nth(3).map(str::to_owned),
    );
    let (generated, waiting) = asked.await?;
    let what = format!("POST /api/video/generate, {CONNECTIONS} connections");
    table.at_least(&what, generated.per_second(), GENERATE_PER_SECOND, "/s");
    table.promise("  p99", generated.times.percentile_ms(99), GENERATE_P99_MS, "ms");
    table.detail("p50", generated.times.percentile_ms(50), "ms");
    let waiting: Vec<String> = waiting.into_iter().flatten().collect();
    anyhow::ensure!(!waiting.is_empty(), "no video was taken");
    println!("statuses of {} jobs that wait and {} that are finished are read", waiting.len(), finished.len());
    let read = run(
        target,
        move |target| {
            let chance = Uuid::now_v7().as_u128();
            // Every other one.
            let jobs = if chance & 1 == 0 { &waiting } else { &finished };
            let at = usize::try_from((chance >> 1) % jobs.len() as u128).unwrap_or(0);
            target.get(&format!("/api/video/status/{}", jobs.get(at).map_or("", String::as_str)))
        },
        |answer| answer.contains("\"mp4\""),
    );
    let (statuses, played) = read.await?;
    let count = played.iter().filter(|is_played| **is_played).count();
    anyhow::ensure!(count * 3 > played.len(), "{count} of {} statuses name a video", played.len());
    let what = format!("GET /api/video/status, {CONNECTIONS} connections");
    table.at_least(&what, statuses.per_second(), STATUS_PER_SECOND, "/s");
    table.promise("  p99", statuses.times.percentile_ms(99), STATUS_P99_MS, "ms");
    table.detail("p50", statuses.times.percentile_ms(50), "ms");
    Ok(())
}

/// Code of a shop with a token.
struct Shop {
    token: String,
    base: Url,
}

impl Shop {
    async fn open(lookreel: &Lookreel, desk: &Desk) -> anyhow::Result<Self> {
        let fields =
            [("name", "bench"), ("scope", "video:read"), ("scope", "video:generate"), ("scope", "product:read")];
        let page = desk.post("admin/tokens", &fields).await?.text().await?;
        let secret = page.split("value=\"lkr_").nth(1).and_then(|rest| rest.split('"').next());
        let token = format!("lkr_{}", secret.context("the page shows no token")?);
        Ok(Self { token, base: lookreel.ready.url.clone() })
    }

    /// The photo of a product as if somebody wore it there.
    async fn upload(&self, desk: &Desk) -> anyhow::Result<String> {
        let bearer = format!("Bearer {}", self.token);
        let list =
            desk.client.get(self.base.join("api/admin/products?limit=1")?).header(header::AUTHORIZATION, &bearer);
        let list: Value = list.send().await?.error_for_status()?.json().await?;
        let product = list["items"][0]["productId"].as_str().context("there is no product")?;
        let photo = list["items"][0]["photos"][0]["url"].as_str().context("it has no photo")?;
        let photo = desk.client.get(photo).send().await?.error_for_status()?.bytes().await?;
        let mut form = format!(
            "--bench\r\ncontent-disposition: form-data; name=\"productId\"\r\n\r\n{product}\r\n\
             --bench\r\ncontent-disposition: form-data; name=\"image\"; filename=\"worn\"\r\n\r\n"
        )
        .into_bytes();
        form.extend_from_slice(&photo);
        form.extend_from_slice(b"\r\n--bench--\r\n");
        let request =
            desk.client.post(self.base.join("api/video/tryon-images")?).header(header::AUTHORIZATION, &bearer);
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=bench").body(form);
        let stored: Value = request.send().await?.error_for_status()?.json().await?;
        Ok(stored["tryonImageId"].as_str().context("nothing was stored")?.to_owned())
    }

    /// Makes videos of a picture and waits until they are there; answers their jobs.
    async fn finish(&self, desk: &Desk, image: &str) -> anyhow::Result<Vec<String>> {
        let bearer = format!("Bearer {}", self.token);
        let mut jobs = Vec::with_capacity(FINISHED);
        for _ in 0..FINISHED {
            let request = desk.client.post(self.base.join("api/video/generate")?);
            let key = Uuid::now_v7().to_string();
            let request = request.header(header::AUTHORIZATION, &bearer).header("idempotency-key", key);
            let settings = json!({"duration": 3, "format": "webm", "enableHLS": true});
            let body = json!({"tryonImageId": image, "settings": settings});
            let made: Value = request.json(&body).send().await?.error_for_status()?.json().await?;
            jobs.push(made["jobId"].as_str().context("no video was taken")?.to_owned());
        }
        for job in &jobs {
            timeout(FINISH_LIMIT, self.wait_for(desk, &bearer, job)).await.context("a video took too long")??;
        }
        Ok(jobs)
    }

    async fn wait_for(&self, desk: &Desk, bearer: &str, job: &str) -> anyhow::Result<()> {
        let address = self.base.join(&format!("api/video/status/{job}"))?;
        loop {
            let request = desk.client.get(address.clone()).header(header::AUTHORIZATION, bearer);
            let status: Value = request.send().await?.error_for_status()?.json().await?;
            match status["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed") => anyhow::bail!("a video was not made: {status}"),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }
}

/// Whom requests are written for.
struct Target {
    host: String,
    token: String,
}

impl Target {
    fn of(url: &Url, token: &str) -> anyhow::Result<Self> {
        let host =
            format!("{}:{}", url.host_str().context("no host")?, url.port_or_known_default().context("no port")?);
        Ok(Self { host, token: token.to_owned() })
    }

    fn get(&self, path: &str) -> String {
        let Self { host, token } = self;
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n")
    }

    fn post(&self, path: &str, key: &str, body: &str) -> String {
        let Self { host, token } = self;
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// What was measured.
struct Measured {
    times: Figures,
    count: usize,
    lasted: Duration,
}

impl Measured {
    fn per_second(&self) -> f64 {
        self.count as f64 / self.lasted.as_secs_f64()
    }
}

/// Every connection asks as soon as it is answered. Answers with what is noted of each answer as well.
///
/// One thread carries them all, as in wrk: what the generator takes is taken from the server, which has the same two cores.
async fn run<N: Send + 'static>(
    target: Arc<Target>,
    write: impl Fn(&Target) -> String + Send + 'static,
    note: impl Fn(&str) -> N + Send + 'static,
) -> anyhow::Result<(Measured, Vec<N>)> {
    tokio::task::spawn_blocking(move || {
        let thread = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread.block_on(async {
            let begun = Instant::now();
            let asking = (0..CONNECTIONS).map(|_| ask(&target, &write, &note, begun));
            let asked = try_join_all(asking).await?;
            let lasted = begun.elapsed().saturating_sub(WARM_UP);
            let (times, notes): (Vec<_>, Vec<_>) = asked.into_iter().flatten().unzip();
            Ok((Measured { count: times.len(), times: Figures::from(times), lasted }, notes))
        })
    })
    .await?
}

/// What one connection is answered after the warm-up, and how long each answer took.
async fn ask<N>(
    target: &Target,
    write: impl Fn(&Target) -> String,
    note: impl Fn(&str) -> N,
    begun: Instant,
) -> anyhow::Result<Vec<(Duration, N)>> {
    let mut connection = Connection::open(&target.host).await?;
    let mut answers = Vec::new();
    while begun.elapsed() < WARM_UP + MEASURED {
        let request = write(target);
        let asked = Instant::now();
        let body = timeout(EXCHANGE_LIMIT, connection.exchange(&request)).await.context("no answer")??;
        if begun.elapsed() > WARM_UP {
            answers.push((asked.elapsed(), note(body)));
        }
    }
    Ok(answers)
}

/// A kept connection that speaks as little HTTP as is needed: the generator should not be what is measured.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn open(host: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(8 * 1024) })
    }

    async fn exchange(&mut self, request: &str) -> anyhow::Result<&str> {
        self.stream.write_all(request.as_bytes()).await?;
        self.read.clear();
        let body = loop {
            anyhow::ensure!(self.stream.read_buf(&mut self.read).await? > 0, "the connection ended");
            if let Some(body) = self.whole()? {
                break body;
            }
        };
        Ok(std::str::from_utf8(self.read.get(body..).unwrap_or_default())?)
    }

    /// Where the body begins, once all of it is there.
    fn whole(&self) -> anyhow::Result<Option<usize>> {
        let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(self.read.get(..end).unwrap_or_default())?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("an answer without a length")?.trim().parse()?;
        let body = end + 4;
        if self.read.len() < body + length {
            return Ok(None);
        }
        let text = || String::from_utf8_lossy(self.read.get(body..).unwrap_or_default());
        anyhow::ensure!(
            head.starts_with("HTTP/1.1 2"),
            "refused: {}: {}",
            head.lines().next().unwrap_or_default(),
            text()
        );
        Ok(Some(body))
    }
}
