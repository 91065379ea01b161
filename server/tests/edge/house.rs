//! Installations to test: a database, a Redis namespace and a bucket of their own, and the real binary over them.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use image::{ImageFormat, Rgb, RgbImage};
use secrecy::SecretString;
use serde_json::Value;
use storage::{Key, Store, embedded::Endpoint};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    browser::Browser,
    program::{Program, Settings},
    store::{Database, Product},
};

/// An account every house has.
pub const EMAIL: &str = "admin@lookreel.example";
const STORE_KEY_ID: &str = "edge";
const STORE_SECRET: &str = "a secret of the tests only";
const CALLBACK_SECRET: &str = "thirty-two characters and some more";

/// A database, a Redis namespace and a bucket.
pub struct Ground {
    pub database: Database,
    pub settings: Settings,
    pub dir: PathBuf,
    bucket: String,
}

impl Ground {
    /// Ground that nobody stood on before.
    pub async fn fresh() -> Self {
        let redis = std::env::var("REDIS_URL").expect("REDIS_URL names a Redis");
        Self::over(Database::create().await, redis).await
    }

    /// Ground over a database and a Redis of its own.
    pub async fn over(database: Database, redis: String) -> Self {
        let name = format!("edge-{}", Uuid::now_v7().simple());
        let dir = folder().join(&name);
        std::fs::create_dir_all(&dir).unwrap();
        let settings: Settings = vec![
            ("DATABASE_URL", database.url.clone()),
            ("REDIS_URL", redis),
            ("REDIS_NAMESPACE", name.clone()),
            ("S3_ENDPOINT", object_store().to_owned()),
            ("S3_BUCKET", name.clone()),
            ("S3_ACCESS_KEY_ID", STORE_KEY_ID.to_owned()),
            ("S3_SECRET_ACCESS_KEY", STORE_SECRET.to_owned()),
            ("S3_PATH_STYLE", "true".to_owned()),
            ("CALLBACK_SECRET", CALLBACK_SECRET.to_owned()),
            ("WORK_DIR", dir.join("work").display().to_string()),
            ("LEPTOS_SITE_ROOT", site().display().to_string()),
            ("TRUSTED_PROXIES", "1".to_owned()),
            ("WORKER_CONCURRENCY", "3".to_owned()),
            ("POLL_INTERVAL_SECS", "0.2".to_owned()),
            ("LOOKUP_AFTER_SECS", "0.5".to_owned()),
            ("RETRY_BASE_SECS", "0".to_owned()),
            // One model for every stage, so that what goes wrong with it shows.
            ("PRODUCT_STILL_MODELS", "gemini-nano-banana-2.1".to_owned()),
            ("PRODUCT_CLIP_MODELS", "fal-ai/pika/v2.2/pikaframes".to_owned()),
            // The slowest of the codecs has tests of its own.
            ("AV1", "false".to_owned()),
            // Nothing that happens by the clock happens in the middle of a test.
            ("ROUTINES", "false".to_owned()),
            ("SIMULATOR_STILL_DELAY_MS", "0".to_owned()),
            ("SIMULATOR_QUEUE_DELAY_MS", "0".to_owned()),
            ("SIMULATOR_CLIP_DELAY_MS", "0".to_owned()),
        ];
        let ground = Self { database, settings, dir, bucket: name };
        ground.objects().await.ensure_bucket().await.unwrap();
        ground
    }

    /// Sets or replaces settings.
    pub fn with(mut self, changed: &[(&'static str, &str)]) -> Self {
        for (name, value) in changed {
            self.settings.retain(|(known, _)| known != name);
            self.settings.push((name, (*value).to_owned()));
        }
        self
    }

    /// The bucket.
    pub async fn objects(&self) -> Store {
        let settings = storage::Settings {
            endpoint: Some(object_store().to_owned()),
            region: "auto".to_owned(),
            bucket: self.bucket.clone(),
            access_key_id: STORE_KEY_ID.to_owned(),
            secret_access_key: SecretString::from(STORE_SECRET),
            path_style: true,
        };
        Store::connect(settings).await.unwrap()
    }

    /// A product with a photo.
    pub async fn add_product(&self, name: &str) -> Product {
        let product = self.database.insert_product(name).await;
        let key = Key::parse(&product.photo_key).unwrap();
        self.objects().await.put_bytes(&key, photo().into(), "image/png").await.unwrap();
        product
    }
}

/// Everything in one process, as `lookreel up` runs it.
pub struct House {
    pub ground: Ground,
    pub url: String,
    pub simulator: String,
    pub password: String,
    pub program: Program,
}

impl House {
    /// An empty shop with these settings changed.
    pub async fn build(changed: &[(&'static str, &str)]) -> Self {
        Self::raise(changed, Program::start).await
    }

    async fn raise(changed: &[(&'static str, &str)], start: fn(&[&str], &Settings, &Path) -> Program) -> Self {
        let listen = free_address();
        let ground = Ground::fresh().await.with(&[("LISTEN", &listen.to_string())]).with(changed);
        let state_dir = ground.dir.join("state").display().to_string();
        let args = ["up", "--state-dir", &state_dir, "--ready-json", "--no-demo"];
        let (settings, dir) = (ground.settings.clone(), ground.dir.clone());
        let program = start(&args, &settings, &dir);
        let (program, ready) = tokio::task::spawn_blocking(move || {
            let ready = program.ready();
            (program, ready)
        })
        .await
        .unwrap();
        let word = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(word("admin_email"), EMAIL);
        let (simulator, password) = (word("simulator_url"), word("admin_password"));
        Self { ground, url: format!("http://{listen}"), simulator, password, program }
    }

    /// Somebody who is not signed in.
    pub fn visitor(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// Somebody who is.
    pub async fn admin(&self) -> Browser {
        self.visitor().signed_in(EMAIL, &self.password).await
    }

    pub async fn invoice(&self) -> Value {
        invoice(&self.simulator).await
    }

    /// What the simulated providers do wrong from now on.
    pub async fn set_faults(&self, rules: &Value) {
        let url = format!("{}/faults", self.simulator.trim_end_matches('/'));
        let answer = reqwest::Client::new().put(url).body(rules.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

/// The house tests share when they change nothing that others see.
pub async fn shared() -> &'static House {
    static HOUSE: OnceCell<House> = OnceCell::const_new();
    HOUSE.get_or_init(|| House::raise(&[], Program::start_tied)).await
}

/// A product of the shared house.
pub async fn shared_product() -> &'static Product {
    static PRODUCT: OnceCell<Product> = OnceCell::const_new();
    PRODUCT.get_or_init(async || shared().await.ground.add_product("shared").await).await
}

/// What a simulator says it is owed.
pub async fn invoice(simulator: &str) -> Value {
    let url = format!("{}/invoice", simulator.trim_end_matches('/'));
    let answer = reqwest::get(url).await.unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// Entries of an invoice for one provider.
pub fn entries_of(invoice: &Value, provider: &str) -> usize {
    let entries = invoice["entries"].as_array().unwrap();
    entries.iter().filter(|entry| entry["provider"] == provider).count()
}

/// An address of this machine that is free now.
pub fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// Where tests keep files: cargo's own folder for that. What earlier runs left is removed after an hour.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("edge");
        for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            let age = old.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > Duration::from_secs(3_600)) {
                _ = std::fs::remove_dir_all(old.path());
            }
        }
        all.join(Uuid::now_v7().simple().to_string())
    })
}

/// The built site; where there is none, as much of one as a server needs to start: few tests look at what it holds.
fn site() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    if built.join("hash.txt").is_file() {
        return built;
    }
    let bare = folder().join("site");
    std::fs::create_dir_all(bare.join("pkg")).unwrap();
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend/public");
    for file in std::fs::read_dir(public).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), bare.join(file.file_name())).unwrap();
    }
    std::fs::write(bare.join("hash.txt"), "js: 0\nwasm: 0\ncss: 0\n").unwrap();
    bare
}

/// One object store for the whole run, on a runtime that outlives every test.
fn object_store() -> &'static str {
    static STORE: OnceLock<(tokio::runtime::Runtime, Endpoint, String)> = OnceLock::new();
    let start = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let dir = folder().join("objects");
        std::fs::create_dir_all(&dir).unwrap();
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let secret = SecretString::from(STORE_SECRET);
        let endpoint = runtime.block_on(Endpoint::start(&dir, bind, STORE_KEY_ID, &secret)).unwrap();
        let url = endpoint.url();
        (runtime, endpoint, url)
    };
    let (_, _, url) = STORE.get_or_init(|| std::thread::spawn(start).join().unwrap());
    url
}

/// A coat, as far as a photo needs to show one.
pub fn photo() -> Vec<u8> {
    let picture = RgbImage::from_fn(600, 800, |x, y| {
        let is_coat = (180..420).contains(&x) && (120..700).contains(&y);
        if is_coat { Rgb([176, 130, u8::try_from(60 + y % 40).unwrap_or(60)]) } else { Rgb([242, 240, 236]) }
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}
