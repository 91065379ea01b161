//! A simulator and the makers pointed at it, what they are asked for, and the simulator's own bill.

use std::{io::Cursor, sync::Arc, time::Duration};

use ::simulator::{Settings, Simulator};
use domain::{ClipSeconds, MicroUsd, ModelType, Resolution};
use image::{ImageFormat, Rgb, RgbImage};
use providers::{
    Aspect, Catalogue, ClipMaker, ClipRequest, FalSettings, FileAnswer, GeminiSettings, Makers, Making, ModelRef,
    Order, Picture, Provider, ProviderError, RequestStatus, Requests, SharedCatalogue, StillAnswer, StillMaker,
    StillRequest, StillSize, Submitted, fetch_result, http_client,
    prompts::{self, Part, PromptFields, PromptVersion},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

pub const NANO: &str = "gemini-nano-banana-2.1";
pub const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A simulator of its own for each test, and the real makers pointed at it.
pub struct Bench {
    pub simulator: Simulator,
    pub makers: Makers,
    pub stills: Arc<dyn StillMaker>,
    pub clips: Arc<dyn ClipMaker>,
    pub folder: TempDir,
}

impl Bench {
    pub async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings { state_dir: folder.path().join("state"), ..Settings::default() };
        change(&mut settings);
        let simulator = Simulator::start(settings).await.unwrap();
        let makers = makers(FalSettings::simulator(&simulator.url()).unwrap(), &simulator.url());
        let stills = makers.still(&ModelRef::new(Provider::Gemini, NANO)).unwrap();
        let clips = makers.clip(&ModelRef::new(Provider::Fal, PIKA)).unwrap();
        Self { simulator, makers, stills, clips, folder }
    }

    pub fn url(&self, path: &str) -> Url {
        self.simulator.url().join(path).unwrap()
    }

    pub async fn set_fault(&self, fault: Value) {
        let answer = http_client().unwrap().put(self.url("faults")).json(&json!([fault])).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }

    /// What stands on the bill: every amount, in order.
    pub async fn bill(&self) -> Vec<MicroUsd> {
        let invoice: Value =
            http_client().unwrap().get(self.url("invoice")).send().await.unwrap().json().await.unwrap();
        let amount = |entry: &Value| MicroUsd::new(entry["amount_micro_usd"].as_i64().unwrap());
        invoice["entries"].as_array().unwrap().iter().map(amount).collect()
    }

    pub async fn still(&self, part: Part) -> Result<StillAnswer, ProviderError> {
        match self.stills.make_still(&still_request(part)).await? {
            Making::Made(answer) => Ok(answer),
            Making::Accepted(_) => panic!("Gemini has no queue"),
        }
    }

    /// Looks until the clip has ended one way or the other.
    pub async fn end(&self, submitted: &Submitted, request: &ClipRequest) -> Result<FileAnswer, ProviderError> {
        end(&*self.clips, submitted, &request.order().into()).await
    }

    pub async fn fetch(&self, url: &Url) -> Result<providers::Fetched, ProviderError> {
        let rules = self.makers.clip_files(Provider::Fal).unwrap();
        fetch_result(url, rules, &self.folder.path().join("clip.mp4")).await
    }
}

pub fn makers(fal: FalSettings, url: &Url) -> Makers {
    let catalogue = SharedCatalogue::new(Catalogue::embedded().unwrap());
    Makers::new(Some(fal), Some(GeminiSettings::simulator(url)), catalogue).unwrap()
}

/// Looks until a request has ended one way or the other.
pub async fn end<R: Requests + ?Sized>(
    requests: &R,
    submitted: &Submitted,
    order: &Order,
) -> Result<FileAnswer, ProviderError> {
    let looking = async {
        let mut turn = tokio::time::interval(Duration::from_millis(50));
        loop {
            turn.tick().await;
            if let RequestStatus::Finished(file) = requests.check(submitted, order).await? {
                return Ok(file);
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("the request ends")
}

/// A shirt on white, as plain as a product photo can be.
pub fn photo() -> Picture {
    let shirt = |x: u32, y: u32| {
        (80..240).contains(&x) && (90..330).contains(&y) || (40..280).contains(&x) && (90..170).contains(&y)
    };
    let picture = RgbImage::from_fn(320, 420, |x, y| if shirt(x, y) { Rgb([30, 70, 160]) } else { Rgb([255; 3]) });
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    Picture::sniffed(file.into_inner()).unwrap()
}

fn prompt(part: Part) -> String {
    let fields = PromptFields {
        name: "Oxford Shirt".into(),
        category: "shirts".into(),
        colour: Some("blue".into()),
        model_type: ModelType::Female,
    };
    prompts::render(PromptVersion::default(), part, &fields)
}

pub fn still_request(part: Part) -> StillRequest {
    StillRequest {
        photos: vec![photo()],
        person: None,
        prompt: prompt(part),
        aspect: Aspect::Portrait3x4,
        size: StillSize::K1,
        model_type: ModelType::Female,
        category: None,
        webhook_url: None,
        tags: Vec::new(),
    }
}

pub fn clip_request(start: Picture, end: Option<Picture>) -> ClipRequest {
    ClipRequest {
        start,
        end,
        prompt: prompt(Part::Clip),
        duration: ClipSeconds::parse(3).unwrap(),
        resolution: Resolution::P720,
        fps: None,
        motion: None,
        webhook_url: None,
        tags: Vec::new(),
    }
}

/// A request whose pictures need not be worn by anybody.
pub fn plain_clip() -> ClipRequest {
    clip_request(photo(), Some(photo()))
}

/// A still as it is sent on to a clip.
pub fn picture(still: &StillAnswer) -> Picture {
    Picture::sniffed(still.image.clone()).unwrap()
}
