//! Reading what is sent: every wrong field is named, not only the first.

use std::collections::BTreeMap;

use axum::{
    extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request},
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    openapi,
    problem::{Code, FieldCode, FieldError, Problem},
};

/// Characters of a UUID with its hyphens; other ways to write one are not taken.
const UUID_CHARS: usize = 36;

/// A body that arrived whole.
pub struct Sent(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self(body)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::new(Code::TooLarge)),
            // It broke off, stood still for too long, or was in pieces that are none.
            Err(_) => Err(Problem::new(Code::Malformed)),
        }
    }
}

/// That nothing was sent, or an object of nothing.
pub struct Nothing;

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let Sent(body) = Sent::from_request(request, state).await?;
        json_or_nothing(&headers, &body)?.finish()?;
        Ok(Self)
    }
}

/// The variable parts of an address.
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::new(Code::NotFound))?;
        Ok(Self(params.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()))
    }
}

impl Params {
    /// A part as it stands in the address; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }

    /// An id; what is none names nothing.
    ///
    /// # Errors
    /// Not found.
    pub fn id<T>(&self, name: &str, wrap: fn(Uuid) -> T) -> Result<T, Problem> {
        uuid(self.text(name)).map(wrap).ok_or(Problem::new(Code::NotFound))
    }
}

/// A UUID as it is usually written.
pub fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == UUID_CHARS)
}

/// The fields of a JSON body.
///
/// # Errors
/// Another media type, or a body that is no JSON object.
pub fn json(headers: &HeaderMap, body: &Bytes) -> Result<Fields, Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(Fields { map, place: String::new(), wrong: Vec::new() }),
        Ok(_) => Err(Problem::field("body", FieldCode::WrongType, "object")),
        Err(_) => Err(Problem::new(Code::Malformed)),
    }
}

/// The same where nothing may be sent at all.
///
/// # Errors
/// As for [`json`].
pub fn json_or_nothing(headers: &HeaderMap, body: &Bytes) -> Result<Fields, Problem> {
    if body.is_empty() { Ok(Fields::none()) } else { json(headers, body) }
}

/// The parameters behind the question mark.
///
/// # Errors
/// One that stands there twice.
pub fn query(uri: &Uri) -> Result<Fields, Problem> {
    let mut map = Map::new();
    for (name, text) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if map.insert(name.to_string(), Value::String(text.into_owned())).is_some() {
            return Err(Problem::field(&name, FieldCode::InvalidValue, "one value"));
        }
    }
    Ok(Fields { map, place: String::new(), wrong: Vec::new() })
}

/// Refuses every parameter behind the question mark where the description knows of none. Where it knows some, whoever reads
/// them refuses the others.
pub async fn refuse_query(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if request.uri().query().is_none() || !openapi::takes_no_query(request.method(), path) {
        return next.run(request).await;
    }
    match query(request.uri()).and_then(Fields::finish) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Fields of an object, taken out one by one: what is left in the end is unknown.
pub struct Fields {
    map: Map<String, Value>,
    /// Where the object stands, like `settings.`.
    place: String,
    wrong: Vec<FieldError>,
}

/// What a field takes.
type Expected<'a> = &'a str;

impl Fields {
    /// No fields.
    pub fn none() -> Self {
        Self { map: Map::new(), place: String::new(), wrong: Vec::new() }
    }

    /// A field that has to be there.
    pub fn required<T: Default>(
        &mut self,
        name: &str,
        expected: Expected<'_>,
        read: impl FnOnce(&Value) -> Result<T, FieldCode>,
    ) -> T {
        if self.map.contains_key(name) {
            return self.optional(name, expected, read).unwrap_or_default();
        }
        self.refuse(name, FieldCode::Missing, expected);
        T::default()
    }

    /// A field that may be left out.
    pub fn optional<T>(
        &mut self,
        name: &str,
        expected: Expected<'_>,
        read: impl FnOnce(&Value) -> Result<T, FieldCode>,
    ) -> Option<T> {
        let value = self.map.remove(name)?;
        read(&value).map_err(|code| self.refuse(name, code, expected)).ok()
    }

    /// An object inside; no fields where it is left out.
    pub fn object(&mut self, name: &str) -> Self {
        let place = format!("{}{name}.", self.place);
        let inner = self.optional(name, "object", |value| value.as_object().cloned().ok_or(FieldCode::WrongType));
        Self { map: inner.unwrap_or_default(), place, wrong: Vec::new() }
    }

    /// Whether a field is there.
    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Takes over what is wrong with an object inside.
    pub fn absorb(&mut self, inner: Self) {
        self.wrong.extend(inner.into_wrong());
    }

    /// Names a field wrong.
    pub fn refuse(&mut self, name: &str, code: FieldCode, expected: &str) {
        self.wrong.push(FieldError::new(format!("{}{name}", self.place), code, expected));
    }

    /// Nothing is left, and nothing was wrong.
    ///
    /// # Errors
    /// Every wrong and every unknown field.
    pub fn finish(self) -> Result<(), Problem> {
        let wrong = self.into_wrong();
        if wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(wrong)) }
    }

    fn into_wrong(self) -> Vec<FieldError> {
        let unknown: BTreeMap<String, Value> = self.map.into_iter().collect();
        let unknown = unknown.into_keys().map(|name| {
            // A name may be as long as a body; nobody needs to read all of it.
            let name: String = name.chars().take(100).collect();
            FieldError::new(format!("{}{name}", self.place), FieldCode::Unknown, "")
        });
        self.wrong.into_iter().chain(unknown.take(50)).collect()
    }
}

/// A whole number, also as JSON writes one with a fraction of nothing (`4.0`).
pub fn integer(value: &Value) -> Result<i64, FieldCode> {
    if let Some(number) = value.as_i64() {
        return Ok(number);
    }
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Ok(number as i64),
        Some(number) if number.fract() == 0.0 => Err(FieldCode::InvalidValue),
        _ => Err(FieldCode::WrongType),
    }
}

/// A whole number in a range.
pub fn between(least: i64, most: i64) -> impl Fn(&Value) -> Result<i64, FieldCode> {
    move |value| integer(value).and_then(|number| in_range(number, least, most))
}

/// The same as text, for parameters.
pub fn text_between(least: i64, most: i64) -> impl Fn(&Value) -> Result<i64, FieldCode> {
    move |value| {
        let text = value.as_str().ok_or(FieldCode::WrongType)?;
        text.parse().map_err(|_| FieldCode::WrongType).and_then(|number| in_range(number, least, most))
    }
}

fn in_range(number: i64, least: i64, most: i64) -> Result<i64, FieldCode> {
    if (least..=most).contains(&number) { Ok(number) } else { Err(FieldCode::InvalidValue) }
}

/// Yes or no.
pub fn boolean(value: &Value) -> Result<bool, FieldCode> {
    value.as_bool().ok_or(FieldCode::WrongType)
}

/// An id.
pub fn id(value: &Value) -> Result<Uuid, FieldCode> {
    uuid(value.as_str().ok_or(FieldCode::WrongType)?).ok_or(FieldCode::InvalidValue)
}

/// Text of so many characters, without those that are not seen.
pub fn text(least: usize, most: usize) -> impl Fn(&Value) -> Result<String, FieldCode> {
    move |value| {
        let text = value.as_str().ok_or(FieldCode::WrongType)?;
        let is_seen = !text.chars().any(|letter| letter < ' ');
        let is_long_enough = (least..=most).contains(&text.chars().count());
        if is_seen && is_long_enough { Ok(text.to_owned()) } else { Err(FieldCode::InvalidValue) }
    }
}

/// One of some words.
pub fn word<T>(parse: impl Fn(&str) -> Option<T>) -> impl Fn(&Value) -> Result<T, FieldCode> {
    move |value| parse(value.as_str().ok_or(FieldCode::WrongType)?).ok_or(FieldCode::InvalidValue)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        json(&headers, &Bytes::from(value.to_string())).map_err(|problem| problem.code()).unwrap()
    }

    #[test]
    fn every_wrong_field_is_named_with_its_place() {
        let mut outer = fields(json!({"id": 4, "more": 1, "settings": {"fps": "x", "duration": 9, "odd": null}}));
        let id = outer.required("id", "uuid", id);
        let mut inner = outer.object("settings");
        inner.optional("fps", "24..=30", between(24, 30));
        inner.optional("duration", "3..=5", between(3, 5));
        outer.absorb(inner);
        outer.required("name", "text", text(1, 9));
        let wrong: Vec<(String, FieldCode)> = outer.into_wrong().into_iter().map(|one| (one.field, one.code)).collect();
        let expected = [
            ("id", FieldCode::WrongType),
            ("settings.fps", FieldCode::WrongType),
            ("settings.duration", FieldCode::InvalidValue),
            ("settings.odd", FieldCode::Unknown),
            ("name", FieldCode::Missing),
            ("more", FieldCode::Unknown),
        ];
        assert_eq!(wrong, expected.map(|(field, code)| (field.to_owned(), code)));
        assert_eq!(id, Uuid::nil());
    }

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        for (value, expected) in [
            (json!(4), Ok(4)),
            (json!(4.0), Ok(4)),
            (json!(4.5), Err(FieldCode::WrongType)),
            (json!("4"), Err(FieldCode::WrongType)),
            (json!(true), Err(FieldCode::WrongType)),
            (json!(null), Err(FieldCode::WrongType)),
            (json!(1e300), Err(FieldCode::InvalidValue)),
            (json!(99), Err(FieldCode::InvalidValue)),
        ] {
            assert_eq!(between(0, 9)(&value), expected, "{value}");
        }
    }

    #[test]
    fn ids_are_written_one_way() {
        let id = "0190f5b2-7d2a-7c3e-9b1f-0123456789ab";
        assert!(uuid(id).is_some());
        for text in ["", &id.replace('-', ""), &format!("{{{id}}}"), &format!("urn:uuid:{id}"), "../etc/passwd"] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }

    #[test]
    fn other_bodies_are_refused_by_what_they_are() {
        let refused = |media_type: &str, body: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, media_type.parse().unwrap());
            json(&headers, &Bytes::from_static(body.as_bytes())).map(|_| ()).map_err(|problem| problem.code())
        };
        assert_eq!(refused("text/plain", "{}"), Err(Code::UnsupportedMediaType));
        assert_eq!(refused("application/json", "{"), Err(Code::Malformed));
        assert_eq!(refused("application/json", ""), Err(Code::Malformed));
        assert_eq!(refused("application/json", "[]"), Err(Code::Invalid));
        assert_eq!(refused("Application/JSON;charset=utf-8", "{}"), Ok(()));
    }
}
