//! A person with a browser, as far as a server can tell.

use std::time::Duration;

use reqwest::{
    Client, RequestBuilder, Response,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, SET_COOKIE},
    redirect::Policy,
};
use url::form_urlencoded::Serializer;

/// What a page of the browser accepts.
pub const PAGE: &str = "text/html,application/xhtml+xml";
/// What a script accepts.
pub const JSON: &str = "application/json";

/// One person: a client, a cookie, an address the proxy saw.
#[derive(Clone)]
pub struct Browser {
    pub client: Client,
    base: String,
    pub cookie: Option<String>,
    address: String,
}

impl Browser {
    /// Somebody new, at an address nobody else has.
    pub fn new(base: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(60)).build().unwrap();
        let bytes = uuid::Uuid::new_v4();
        let [a, b, c, ..] = bytes.as_bytes();
        let address = format!("10.{a}.{b}.{c}");
        Self { client, base: base.trim_end_matches('/').to_owned(), cookie: None, address }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.url(path)).header("x-forwarded-for", &self.address);
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(reqwest::Method::GET, path)
    }

    /// A page that is there, as text.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).header(ACCEPT, PAGE).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// A form that is sent, by a page or by a script.
    pub fn post(&self, path: &str, accept: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request(reqwest::Method::POST, path)
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
    }

    /// The same person, reading English.
    pub fn in_english(mut self) -> Self {
        self.cookie = self.cookie.map(|cookie| format!("{cookie}; language=en"));
        self
    }

    /// Tries to sign in.
    pub async fn sign_in(&self, accept: &str, email: &str, password: &str, next: &str) -> Response {
        let fields = [("email", email), ("password", password), ("next", next)];
        self.post("/api/session/sign-in", accept, &fields).send().await.unwrap()
    }

    /// Signs in for good.
    pub async fn signed_in(mut self, email: &str, password: &str) -> Self {
        let answer = self.sign_in(PAGE, email, password, "").await;
        assert!(answer.status().is_redirection(), "{}", answer.status());
        self.cookie = Some(cookie_of(&answer).split(';').next().unwrap().to_owned());
        self
    }
}

/// The session cookie an answer sets.
pub fn cookie_of(answer: &Response) -> String {
    let cookies = answer.headers().get_all(SET_COOKIE);
    let mut names = cookies.iter().filter_map(|cookie| cookie.to_str().ok());
    names.find(|cookie| cookie.contains("lookreel=")).expect("a session cookie").to_owned()
}

/// A header of an answer; empty when it has none.
pub fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
