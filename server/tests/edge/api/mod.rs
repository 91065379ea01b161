//! The REST API as a shop's own code uses it: tokens, requests over HTTP, nothing else.

mod desk;
mod examples;
mod idempotency;
mod private;
mod problems;
mod schemathesis;
mod streams;
mod tokens;
mod tryon;
mod uploads;
mod webhooks;

use std::time::{Duration, Instant};

use reqwest::{
    Method, RequestBuilder, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    browser::{Browser, header},
    house::{EMAIL, House, photo, shared, shared_product},
    program::run,
};

/// A job that has not ended by then is lost.
const PATIENCE: Duration = Duration::from_secs(90);
const PROBLEM: &str = "application/problem+json";

/// Code of a shop with a token.
#[derive(Clone)]
pub struct Code {
    browser: Browser,
    pub token: String,
}

impl Code {
    /// With every scope.
    pub async fn of(house: &House) -> Self {
        Self::with(house, &[]).await
    }

    /// With these scopes; all where there are none.
    pub async fn with(house: &House, scopes: &[&str]) -> Self {
        Self { browser: house.visitor(), token: make_token(house, &["--scopes", &scopes.join(",")]).await }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.browser.request(method, path).header(AUTHORIZATION, format!("Bearer {}", self.token))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// JSON with a key of its own.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.post_as(path, body, &Uuid::now_v7().to_string())
    }

    /// JSON with this key.
    pub fn post_as(&self, path: &str, body: &Value, key: &str) -> RequestBuilder {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        request.header(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// What an address answers, as JSON.
    pub async fn read(&self, path: &str) -> Value {
        json(self.get(path).send().await.unwrap(), 200).await
    }

    /// Uploads a picture of the product being worn; answers its id.
    pub async fn upload(&self, product: Uuid) -> String {
        let answer = self.upload_form(&form(&product.to_string(), &photo())).send().await.unwrap();
        json(answer, 201).await["tryonImageId"].as_str().unwrap().to_owned()
    }

    pub fn upload_form(&self, form: &[u8]) -> RequestBuilder {
        let request = self.request(Method::POST, "/api/video/tryon-images");
        request.header(CONTENT_TYPE, "multipart/form-data; boundary=edge").body(form.to_vec())
    }

    /// Starts a video of a try-on image; answers the job.
    pub async fn generate(&self, image: &str, settings: Value) -> String {
        let body = serde_json::json!({"tryonImageId": image, "settings": settings});
        let answer = self.post("/api/video/generate", &body).send().await.unwrap();
        json(answer, 202).await["jobId"].as_str().unwrap().to_owned()
    }

    /// The last status of a job.
    pub async fn ended(&self, job: &str) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.read(&format!("/api/video/status/{job}")).await;
            if matches!(status["status"].as_str(), Some("completed" | "failed")) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "{status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Makes a token on the command line.
pub async fn make_token(house: &House, more: &[&str]) -> String {
    let mut args: Vec<String> = ["admin", "create-token", EMAIL, "--name", "edge"].map(str::to_owned).to_vec();
    args.extend(more.iter().map(|word| (*word).to_owned()));
    args.retain(|word| !word.is_empty());
    if args.last().is_some_and(|word| word == "--scopes") {
        args.pop();
    }
    let settings = house.ground.settings.clone();
    let told = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&args, &settings)
    });
    let (code, token, error) = told.await.unwrap();
    assert_eq!(code, 0, "{error}");
    assert!(token.trim().starts_with("lkr_"), "{token}");
    token.trim().to_owned()
}

/// A form with a product and a picture.
pub fn form(product: &str, image: &[u8]) -> Vec<u8> {
    let mut form = format!(
        "--edge\r\ncontent-disposition: form-data; name=\"productId\"\r\n\r\n{product}\r\n\
         --edge\r\ncontent-disposition: form-data; name=\"image\"; filename=\"worn.png\"\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(image);
    form.extend_from_slice(b"\r\n--edge--\r\n");
    form
}

/// A form with a photo of a product.
pub fn photo_form() -> Vec<u8> {
    let mut form = b"--edge\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n\r\n".to_vec();
    form.extend(photo());
    form.extend(b"\r\n--edge--\r\n");
    form
}

/// Whether a generation has not ended. Work on it may have begun before the click was answered.
pub fn is_under_way(generation: &Value) -> bool {
    !matches!(generation["status"].as_str(), None | Some("COMPLETED" | "FAILED" | "CANCELLED"))
}

/// The body of an answer with this status.
pub async fn json(answer: Response, status: u16) -> Value {
    let found = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A problem document with this status and code.
pub async fn problem(answer: Response, status: u16, code: &str) -> Value {
    assert_eq!(header(&answer, "content-type"), PROBLEM, "{status} {code}");
    let told = json(answer, status).await;
    assert_eq!((&told["code"], &told["status"]), (&Value::from(code), &Value::from(status)), "{told}");
    assert_eq!(told["type"], format!("/api/docs#{code}"), "{told}");
    assert!(told["title"].is_string() && told["detail"].is_string(), "{told}");
    told
}

/// Code of the shared house, and its product.
async fn common() -> (Code, Uuid) {
    (Code::of(shared().await).await, shared_product().await.id)
}
