//! What the simulator's own tests share: one running simulator, a drawn
//! product photo, and short ways to ask for things.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Response};
use resvg::{tiny_skia, usvg};
use serde_json::{Value, json};
use simulator::{Settings, Simulator};

pub const PIKAFRAMES: &str = "fal-ai/pika/v2.2/pikaframes";
pub const GARMENT: [u8; 3] = [46, 125, 90];
const PATIENCE: Duration = Duration::from_secs(180);

pub struct Desk {
    pub simulator: Simulator,
    pub client: Client,
    pub base: String,
}

impl Desk {
    pub async fn open(state: &Path) -> Self {
        Self::open_with(Settings { state_dir: state.to_owned(), ..Settings::default() }).await
    }

    pub async fn open_with(settings: Settings) -> Self {
        let simulator = Simulator::start(settings).await.unwrap();
        let base = simulator.url().as_str().trim_end_matches('/').to_owned();
        Self { simulator, client: Client::new(), base }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    pub async fn try_submit(&self, query: &str, input: &Value) -> reqwest::Result<Response> {
        let url = format!("{}/{PIKAFRAMES}{query}", self.base);
        self.client.post(url).json(input).send().await
    }

    /// Submits and answers the accepted request.
    pub async fn submit(&self, input: &Value) -> Value {
        self.submit_to(PIKAFRAMES, input).await
    }

    /// Submits to any endpoint.
    pub async fn submit_to(&self, endpoint: &str, input: &Value) -> Value {
        let answer = self.client.post(format!("{}/{endpoint}", self.base)).json(input).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{endpoint}");
        answer.json().await.unwrap()
    }

    /// Submits, waits and answers the result.
    pub async fn make(&self, endpoint: &str, input: &Value) -> Value {
        let accepted = self.submit_to(endpoint, input).await;
        self.finish(&accepted).await;
        let result = self.result(&accepted).await;
        let (status, body) = (result.status(), result.json::<Value>().await.unwrap());
        assert_eq!(status, 200, "{endpoint}: {body}");
        body
    }

    /// The bytes of a file of ours.
    pub async fn download(&self, url: &Value) -> Vec<u8> {
        let answer = self.client.get(url.as_str().unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }

    /// Waits for the end on the status stream, and answers the last status.
    pub async fn finish(&self, accepted: &Value) -> Value {
        let url = format!("{}/stream", accepted["status_url"].as_str().unwrap());
        let stream = self.client.get(url).timeout(PATIENCE).send().await.unwrap();
        let text = stream.text().await.unwrap();
        let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
        let last: Value = serde_json::from_str(last.unwrap()).unwrap();
        assert_eq!(last["status"], "COMPLETED");
        last
    }

    /// Waits until the queue says this of a request.
    pub async fn reach_state(&self, accepted: &Value, state: &str) {
        let looking = async {
            let mut turn = tokio::time::interval(Duration::from_millis(10));
            loop {
                turn.tick().await;
                let look = self.client.get(accepted["status_url"].as_str().unwrap()).send().await.unwrap();
                if look.json::<Value>().await.unwrap()["status"] == state {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect(state);
    }

    pub async fn result(&self, accepted: &Value) -> Response {
        self.client.get(accepted["response_url"].as_str().unwrap()).send().await.unwrap()
    }

    pub async fn faults(&self, rules: Value) {
        let url = format!("{}/faults", self.base);
        let answer = self.client.put(url).json(&rules).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }

    pub async fn ask_gemini(&self, model: &str, body: &Value) -> reqwest::Result<Response> {
        let url = format!("{}/v1beta/models/{model}:generateContent", self.base);
        self.client.post(url).header("x-goog-api-key", "k").json(body).send().await
    }

    /// A still in this pose, as bytes.
    pub async fn still(&self, photo: &[u8], words: &str) -> Vec<u8> {
        let answer = self.ask_gemini("gemini-nano-banana-2.1", &question(words, photo)).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        let data = body["candidates"][0]["content"]["parts"][1]["inlineData"]["data"].as_str();
        STANDARD.decode(data.unwrap()).unwrap()
    }

    /// Stores a picture, and answers its address.
    pub async fn upload(&self, picture: &[u8]) -> String {
        let url = format!("{}/storage/upload/initiate?storage_type=fal-cdn-v3", self.base);
        let about = json!({"content_type": "image/png", "file_name": "photo.png"});
        let ask = self.client.post(url).header("authorization", "Key key:secret").json(&about);
        let places: Value = ask.send().await.unwrap().json().await.unwrap();
        let put = self.client.put(places["upload_url"].as_str().unwrap()).body(picture.to_vec());
        assert_eq!(put.send().await.unwrap().status(), 200);
        places["file_url"].as_str().unwrap().to_owned()
    }

    pub async fn total(&self) -> i64 {
        self.json("/invoice").await["total_micro_usd"].as_i64().unwrap()
    }
}

pub fn question(words: &str, photo: &[u8]) -> Value {
    json!({
        "contents": [{"role": "user", "parts": [
            {"text": words},
            {"inlineData": {"mimeType": "image/png", "data": STANDARD.encode(photo)}},
        ]}],
        "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "3:4"}},
    })
}

pub fn data_uri(picture: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(picture))
}

/// Two plain pictures and one second: the smallest clip there is.
pub fn short_clip() -> Value {
    json!({
        "image_urls": [data_uri(&plain([200, 40, 40])), data_uri(&plain([40, 40, 200]))],
        "transitions": [{"duration": 1}], "resolution": "720p",
    })
}

/// A picture of one colour, in the ratio of a still.
pub fn plain(colour: [u8; 3]) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(90, 120, image::Rgb(colour));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A plain long-sleeved top on warm paper with a soft shadow, as PNG.
pub fn product_photo() -> Vec<u8> {
    let [r, g, b] = GARMENT;
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='600' height='800'><defs>\
         <filter id='s' x='-.2' y='-.2' width='1.4' height='1.4'><feGaussianBlur stdDeviation='12'/></filter>\
         <path id='g' d='M250 190Q300 225 350 190L400 205Q445 230 455 300L490 560L440 568L408 380L410 600L190 600L192 380L160 568L110 560L145 300Q155 230 200 205Z'/></defs>\
         <rect width='600' height='800' fill='#efe7da'/><use href='#g' y='14' fill='#000' opacity='.25' filter='url(#s)'/>\
         <use href='#g' fill='rgb({r},{g},{b})'/></svg>"
    );
    let tree = usvg::Tree::from_str(&svg, &usvg::Options::default()).unwrap();
    let mut canvas = tiny_skia::Pixmap::new(600, 800).unwrap();
    resvg::render(&tree, tiny_skia::Transform::identity(), &mut canvas.as_mut());
    canvas.encode_png().unwrap()
}
