//! A whole shop for one test: database, queue, object store, simulated providers, one admin, one product.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use chrono_tz::Tz;
use domain::{
    ClipSeconds, GenerationId, LocalText, MicroUsd, Options, ProductId, RequestKey, UserId,
    generation::{EventKind, GenerationDetail, GenerationView},
    user::Email,
};
use engine::{Engine, NewPhoto, NewProduct, Parts, Routes, Settings, Withdrawn};
use jobs::{Queue, RedisSettings, Worker, WorkerSettings};
use providers::{Catalogue, FalSettings, GeminiSettings, Makers, ModelRef, Provider, SharedCatalogue};
use secrecy::SecretString;
use serde_json::{Value, json};
use simulator::Simulator;
use sqlx::PgPool;
use storage::embedded::Endpoint;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use url::Url;
use uuid::Uuid;

use crate::store;

pub const CALLBACK_SECRET: &str = "a secret that only this test knows.";
pub const CATALOGUE: &str = include_str!("../../../providers/catalogue.toml");
pub const PASSWORD: &str = "correct horse battery";
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(15);
const OBJECTS_KEY: &str = "test";
const OBJECTS_SECRET: &str = "test-secret";

/// What a test wants to be otherwise.
pub struct Choices {
    pub daily_generations: u32,
    pub daily_spend: MicroUsd,
    pub poll_interval: Duration,
    pub poll_timeout: Duration,
    pub queue_delay_ms: u64,
    pub job_timeout: Duration,
    pub repeat_below: MicroUsd,
    pub catalogue: String,
    pub routes: Routes,
    /// Longest wait for an answer of Gemini.
    pub still_timeout: Duration,
    /// Longest time for a result file of fal.
    pub file_timeout: Duration,
    /// Another Redis than the one to test with.
    pub redis_url: Option<String>,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            daily_generations: 100,
            daily_spend: MicroUsd::new(100_000_000),
            poll_interval: Duration::from_millis(40),
            poll_timeout: Duration::from_secs(60),
            queue_delay_ms: 0,
            job_timeout: Duration::from_secs(300),
            repeat_below: MicroUsd::new(50_000),
            catalogue: CATALOGUE.to_owned(),
            routes: routes(),
            still_timeout: Duration::from_secs(300),
            file_timeout: Duration::from_secs(300),
            redis_url: None,
        }
    }
}

pub struct Shop {
    pub pg: PgPool,
    pub engine: Engine,
    pub person: UserId,
    pub product: ProductId,
    pub work_dir: PathBuf,
    objects: Option<Endpoint>,
    objects_address: SocketAddr,
    simulator: Simulator,
    tools: media::Tools,
    folder: TempDir,
}

/// What the simulator charged.
#[derive(Debug)]
pub struct Invoice {
    pub total: i64,
    /// Endpoints of what stands, oldest first.
    pub endpoints: Vec<String>,
    /// The providers' names of what stands.
    pub request_ids: Vec<String>,
    pub voided: usize,
}

impl Invoice {
    /// Of the models that stills are bought from in tests.
    pub fn stills(&self) -> usize {
        let makes_stills = |endpoint: &&String| {
            ["gemini", "nano-banana", "tryon", "try-on"].iter().any(|word| endpoint.contains(word))
        };
        self.endpoints.iter().filter(makes_stills).count()
    }

    pub fn clips(&self) -> usize {
        self.endpoints.len() - self.stills()
    }
}

impl Shop {
    pub async fn open(pg: PgPool) -> Self {
        Self::open_with(pg, Choices::default()).await
    }

    pub async fn open_with(pg: PgPool, choices: Choices) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work_dir = folder.path().join("work");
        std::fs::create_dir_all(&work_dir).unwrap();
        let simulator = start_simulator(folder.path(), choices.queue_delay_ms).await;
        let objects = start_objects(folder.path(), SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let objects_address = objects.url().strip_prefix("http://").unwrap().parse().unwrap();
        let catalogue = Catalogue::parse(&choices.catalogue).unwrap();
        let settings = settings(&choices, work_dir.clone());
        let redis = choices.redis_url.clone();
        let redis =
            redis.unwrap_or_else(|| std::env::var("REDIS_URL").expect("REDIS_URL names the Redis to test with"));
        let redis = RedisSettings::new(redis, format!("test-{}", Uuid::new_v4()));
        let makers = makers(&choices, &simulator.url(), catalogue.clone());
        let parts = parts(&pg, redis, makers, &objects.url(), settings).await;
        let engine = Engine::new(parts);
        engine::load_catalogue(&pg, &catalogue, Withdrawn::Stays).await.unwrap();
        engine.refresh_catalogue().await.unwrap();
        engine.store().ensure_bucket().await.unwrap();
        let email = Email::parse("admin@shop.example").unwrap();
        let person = engine::create_user(&pg, &email, "Mina", PASSWORD).await.unwrap();
        let product = engine.add_product(&new_product("linen-shirt", "리넨 셔츠", "Linen shirt")).await.unwrap();
        let tools = media::Tools::find().await.unwrap();
        let objects = Some(objects);
        Self { pg, engine, person, product, work_dir, objects, objects_address, simulator, tools, folder }
    }

    /// An engine of another process over the same database.
    pub async fn other_process(&self) -> Engine {
        self.other_process_with(&Choices::default()).await
    }

    /// One that is set otherwise.
    pub async fn other_process_with(&self, choices: &Choices) -> Engine {
        let redis = RedisSettings::new(std::env::var("REDIS_URL").unwrap(), format!("test-{}", Uuid::new_v4()));
        let settings = settings(choices, self.work_dir.clone());
        let catalogue = Catalogue::parse(CATALOGUE).unwrap();
        let objects = format!("http://{}", self.objects_address);
        let makers = makers(choices, &self.simulator.url(), catalogue.clone());
        let parts = parts(&self.pg, redis, makers, &objects, settings).await;
        let engine = Engine::new(parts);
        engine::load_catalogue(&self.pg, &catalogue, Withdrawn::Stays).await.unwrap();
        engine.refresh_catalogue().await.unwrap();
        engine
    }

    pub async fn click(&self) -> GenerationId {
        self.click_with(options()).await
    }

    pub async fn click_with(&self, options: Options) -> GenerationId {
        self.engine.generate(self.person, self.product, options, key()).await.unwrap()
    }

    /// Retries for what the retry costs now.
    pub async fn retry(&self, id: GenerationId) -> Result<GenerationId, engine::Error> {
        let offer = self.engine.retry_offer(id).await;
        let price = offer.map_or(MicroUsd::ZERO, |offer| offer.quote.total);
        self.engine.retry(self.person, id, key(), Some(price)).await
    }

    pub fn worker(&self) -> Worker {
        let settings = WorkerSettings { retry_base_secs: 0, ..WorkerSettings::default() };
        Worker::new(self.engine.queue().clone(), settings).with_handlers(self.engine.handlers(self.tools.clone()))
    }

    /// One round of a worker in the background; aborting it is the worker's death.
    pub fn step_aside(&self) -> JoinHandle<usize> {
        let worker = self.worker();
        tokio::spawn(async move { worker.step().await.unwrap() })
    }

    /// Works until the generation has ended, and answers with everything that is shown of it.
    pub async fn finish(&self, id: GenerationId) -> GenerationDetail {
        let worker = self.worker();
        self.work_until(&worker, "the generation to end", async || self.view(id).await.state.is_final()).await;
        self.engine.generation(id).await.unwrap()
    }

    /// Works until something is true.
    pub async fn work_until(&self, worker: &Worker, what: &str, check: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !check().await {
            assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
            if worker.step().await.unwrap() == 0 {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// As if an object had been stored two days ago.
    pub fn age_object(&self, key: &storage::Key) {
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            folders.extend(entries.filter(|path| path.is_dir()));
            let Ok(file) = std::fs::File::options().write(true).open(folder.join(key.as_str())) else { continue };
            let then = std::time::SystemTime::now() - Duration::from_secs(48 * 3_600);
            return file.set_modified(then).unwrap();
        }
        panic!("{key} is not on the disk");
    }

    pub async fn view(&self, id: GenerationId) -> GenerationView {
        self.engine.generation_view(id).await.unwrap()
    }

    /// Replaces the ways in which the providers misbehave.
    pub async fn faults(&self, rules: Value) {
        let client = providers::http_client().unwrap();
        let answer = client.put(self.address("faults")).json(&rules).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }

    /// Rules that nothing has met yet.
    pub async fn faults_left(&self) -> usize {
        self.times_left().await.len()
    }

    /// How often each rule that is left may still be met.
    pub async fn times_left(&self) -> Vec<u64> {
        self.ask("faults").await.as_array().unwrap().iter().map(|rule| rule["times"].as_u64().unwrap()).collect()
    }

    pub async fn invoice(&self) -> Invoice {
        let body = self.ask("invoice").await;
        let words = |name: &str| {
            let entries = body["entries"].as_array().unwrap();
            entries.iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
        };
        Invoice {
            total: body["total_micro_usd"].as_i64().unwrap(),
            endpoints: words("endpoint"),
            request_ids: words("request_id"),
            voided: body["voided"].as_array().unwrap().len(),
        }
    }

    /// What fal's queue says of a request.
    pub async fn clip_status(&self, request_id: &str) -> String {
        let body = self.ask(&format!("fal-ai/pika/requests/{request_id}/status")).await;
        body["status"].as_str().unwrap().to_owned()
    }

    async fn ask(&self, path: &str) -> Value {
        let client = providers::http_client().unwrap();
        client.get(self.address(path)).send().await.unwrap().json().await.unwrap()
    }

    fn address(&self, path: &str) -> Url {
        self.simulator.url().join(path).unwrap()
    }

    /// Every hold is closed, the counters of the day say what the ledger says, and both say what the invoice says.
    pub async fn assert_books_closed(&self) -> Invoice {
        let (books, invoice) = (store::books(&self.pg).await, self.invoice().await);
        assert_eq!((books.open_holds, books.held, books.usage_held), (0, 0, 0), "{books:?}");
        assert_eq!(books.paid, books.usage_paid, "{books:?}");
        assert_eq!(books.paid, invoice.total, "ledger and invoice differ: {books:?} {invoice:?}");
        assert_eq!(self.engine.costs().await.unwrap().paid_today.micros(), invoice.total);
        invoice
    }

    /// The object store goes away.
    pub async fn stop_objects(&mut self) {
        self.objects.take().unwrap().stop().await;
    }

    /// It is back, at its old address with everything it had.
    pub async fn start_objects(&mut self) {
        self.objects = Some(start_objects(self.folder.path(), self.objects_address).await);
    }
}

/// A model of fal.ai, by what it is called there.
pub fn fal(id: &str) -> ModelRef {
    ModelRef { provider: Provider::Fal, id: id.to_owned() }
}

/// A model of the Gemini API.
pub fn gemini(id: &str) -> ModelRef {
    ModelRef { provider: Provider::Gemini, id: id.to_owned() }
}

/// One model for every stage, so that what goes wrong with it shows.
pub fn routes() -> Routes {
    Routes {
        product_stills: vec![gemini("gemini-nano-banana-2.1")],
        product_clip: vec![fal("fal-ai/pika/v2.2/pikaframes")],
        tryon_still: vec![fal("fal-ai/fashn/tryon/v1.6")],
        tryon_clip: vec![fal("fal-ai/stable-video")],
    }
}

pub fn options() -> Options {
    Options { duration: ClipSeconds::parse(3).unwrap(), ..Options::default() }
}

pub fn key() -> RequestKey {
    RequestKey::from_uuid(Uuid::now_v7())
}

pub fn new_product(slug: &str, ko: &str, en: &str) -> NewProduct {
    NewProduct {
        slug: slug.to_owned(),
        sku: format!("SKU-{}", slug.to_uppercase()),
        name: LocalText { ko: ko.to_owned(), en: en.to_owned() },
        description: LocalText::default(),
        category: "shirts".to_owned(),
        price_krw: 59_000,
        photos: vec![NewPhoto { bytes: photo().into() }],
    }
}

/// Waits for something that happens by itself.
pub async fn until(what: &str, check: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !check().await {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// How often each thing happened.
pub fn count(detail: &GenerationDetail, kind: EventKind) -> usize {
    detail.timeline.iter().filter(|entry| entry.kind == kind).count()
}

/// One fault, used so often.
pub fn fault(model: &str, name: &str, times: u32) -> Value {
    json!({"model": model, "fault": name, "times": times})
}

fn settings(choices: &Choices, work_dir: PathBuf) -> Settings {
    Settings {
        zone: Tz::Asia__Seoul,
        routes: choices.routes.clone(),
        daily_generations: choices.daily_generations,
        daily_spend: choices.daily_spend,
        media_base: "/media".to_owned(),
        callback_url: None,
        callback_secret: SecretString::from(CALLBACK_SECRET),
        webhooks_to_loopback: true,
        poll_interval: choices.poll_interval,
        poll_timeout: choices.poll_timeout,
        max_attempts: 3,
        job_timeout: choices.job_timeout,
        repeat_below: choices.repeat_below,
        lookup_after: Duration::from_millis(50),
        encode: engine::EncodeSettings { av1: false, brand: brand(), signer: None },
        keep: engine::KeepDays::default(),
        work_dir,
    }
}

/// The label alone.
fn brand() -> media::Brand {
    media::Brand::new(None, Some(media::LabelLanguage::Ko), media::Corner::TopRight, 80, 4).unwrap()
}

fn makers(choices: &Choices, url: &Url, catalogue: Catalogue) -> Makers {
    let fal = FalSettings { file_timeout: choices.file_timeout, ..FalSettings::simulator(url).unwrap() };
    let gemini = GeminiSettings { timeout: choices.still_timeout, ..GeminiSettings::simulator(url) };
    Makers::new(Some(fal), Some(gemini), SharedCatalogue::new(catalogue)).unwrap()
}

async fn parts(pg: &PgPool, redis: RedisSettings, makers: Makers, objects_url: &str, settings: Settings) -> Parts {
    let objects = storage::Settings {
        endpoint: Some(objects_url.to_owned()),
        region: "auto".to_owned(),
        bucket: "lookreel".to_owned(),
        access_key_id: OBJECTS_KEY.to_owned(),
        secret_access_key: SecretString::from(OBJECTS_SECRET),
        path_style: true,
    };
    Parts {
        pg: pg.clone(),
        queue: Queue::connect(pg.clone(), redis).await.unwrap(),
        store: storage::Store::connect(objects).await.unwrap(),
        makers,
        settings,
    }
}

async fn start_objects(folder: &Path, bind: SocketAddr) -> Endpoint {
    let secret = SecretString::from(OBJECTS_SECRET);
    Endpoint::start(&folder.join("objects"), bind, OBJECTS_KEY, &secret).await.unwrap()
}

/// A simulator of its own; only what was drawn before is shared, because drawing takes seconds.
async fn start_simulator(folder: &Path, queue_delay_ms: u64) -> Simulator {
    let state_dir = folder.join("providers");
    let drawn = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine-drawn");
    std::fs::create_dir_all(&state_dir).unwrap();
    std::fs::create_dir_all(&drawn).unwrap();
    std::os::unix::fs::symlink(drawn, state_dir.join("drawn")).unwrap();
    Simulator::start(simulator::Settings { state_dir, queue_delay_ms, ..simulator::Settings::default() }).await.unwrap()
}

/// A plain green shirt on warm paper, as JPEG.
fn photo() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(480, 640, |x, y| {
        let body = (150..330).contains(&x) && (140..500).contains(&y);
        let sleeves = (90..390).contains(&x) && (150..260).contains(&y);
        let neck = (215..265).contains(&x) && y < 165;
        image::Rgb(if (body || sleeves) && !neck { [46, 125, 90] } else { [239, 231, 218] })
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}
