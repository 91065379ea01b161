//! The description of the API (OpenAPI 3.1), made from the handlers and types that answer it. `docs/openapi.json` is the
//! same, and a test compares the two.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    http::{HeaderName, HeaderValue, Method, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{events, generation, problem, product, video, webhook};
use crate::http::webhooks;

/// What is said before the operations.
const ABOUT: &str = "Product videos for fashion shops: upload a try-on image, start a generation, watch it, play it. \
    Requests carry `Authorization: Bearer` and a token of /admin/tokens; what belongs to the desk may also be asked with \
    the session of a person who is signed in. Errors are problem documents (RFC 9457) whose `code` is stable. Money is \
    in millionths of a US dollar.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Lookreel", version = "1.0.0", description = ABOUT, license(name = "MIT", identifier = "MIT")),
    tags(
        (name = "video", description = "Videos of try-on images."),
        (name = "generations", description = "Generations of products, as the desk has them."),
        (name = "products", description = "Products and their photos."),
        (name = "webhooks", description = "Addresses that are told what changes."),
        (name = "providers", description = "What providers report to."),
    ),
    paths(
        video::generate, video::status, video::video, video::stream, video::upload_tryon_image,
        video::remove_tryon_image,
        generation::create, generation::list, generation::stats, generation::get, generation::cancel, generation::retry,
        generation::approve, generation::publish, generation::unpublish, events::one, events::all,
        product::list, product::create, product::get, product::change, product::upload_photo,
        webhook::list, webhook::add, webhook::get, webhook::remove, webhook::ping, webhook::deliveries, webhook::replay,
        webhooks::fal,
    ),
    components(schemas(problem::ProblemDocument)),
)]
struct Document;

/// Schemas of what is sent: nothing but their fields is taken.
const SENT: [&str; 10] = [
    "GenerateVideo",
    "VideoSettings",
    "CreateGeneration",
    "GenerationOptions",
    "RetryGeneration",
    "CreateProduct",
    "ChangeProduct",
    "NameInput",
    "DescriptionInput",
    "AddWebhook",
];

/// Statuses of problems, and what each says.
const PROBLEMS: [(&str, &str); 11] = [
    ("400", "The body or the `Idempotency-Key` cannot be read."),
    ("401", "No token, or one that is not believed."),
    ("403", "The token may not do this, or a page of another site asked."),
    ("404", "There is no such thing."),
    ("409", "Not in the present state, or the `Idempotency-Key` was used for something else."),
    ("413", "The body is larger than is taken."),
    ("415", "The body is of another media type."),
    ("422", "Fields are missing, unknown, of another type or out of range."),
    ("429", "Too many requests in a minute, too many open streams or uploads, or a limit of the day."),
    ("500", "A fault of ours."),
    ("503", "A part is away for a moment."),
];

/// The description, as JSON.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
        complete(&mut document);
        sorted(document)
    });
    &DOCUMENT
}

/// Whether there is such an operation and it takes nothing behind the question mark.
pub fn takes_no_query(method: &Method, path: &str) -> bool {
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
    let operation = &document()["paths"][path][method];
    let parameters = operation["parameters"].as_array();
    operation.is_object() && parameters.is_none_or(|all| all.iter().all(|parameter| parameter["in"] != "query"))
}

/// Fields by their names, whatever order a map keeps them in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields: BTreeMap<String, Value> = map.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// `GET /api/openapi.json`
pub async fn serve() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
        // Tools of others read it from their own pages.
        (HeaderName::from_static("access-control-allow-origin"), HeaderValue::from_static("*")),
    ];
    (headers, TEXT.as_str()).into_response()
}

/// Adds what is true of every operation.
fn complete(document: &mut Value) {
    document["servers"] = json!([{ "url": "/", "description": "This server." }]);
    let components = &mut document["components"];
    components["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer", "description": "A token of /admin/tokens, `lkr_` and 43 characters." },
        "session": { "type": "apiKey", "in": "cookie", "name": "lookreel",
            "description": "The session of a person who is signed in, `__Host-lookreel` on https; only from the desk's own pages." },
    });
    components["responses"] =
        PROBLEMS.iter().map(|(status, says)| ((*status).to_owned(), problem(status, says))).collect();
    components["headers"] = json!({
        "RateLimit": { "schema": { "type": "string" }, "example": "\"minute\";r=599;t=42",
            "description": "What is left of the minute: requests and seconds (draft-ietf-httpapi-ratelimit-headers)." },
        "RateLimit-Policy": { "schema": { "type": "string" }, "example": "\"minute\";q=600;w=60",
            "description": "How many requests a minute has." },
    });
    for name in SENT {
        if let Some(schema) = components["schemas"][name].as_object_mut() {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    }
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for operations in paths.values_mut().filter_map(Value::as_object_mut) {
        for (method, operation) in operations.iter_mut() {
            complete_operation(method, operation);
        }
    }
}

fn problem(status: &str, says: &str) -> Value {
    let mut response = json!({
        "description": says,
        "content": { problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    if matches!(status, "409" | "429" | "503") {
        response["headers"] = json!({ "Retry-After": { "schema": { "type": "integer", "minimum": 0 },
            "description": "Seconds to wait, where waiting helps." } });
    }
    if status == "401" {
        response["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" },
            "description": "RFC 6750." } });
    }
    response
}

fn complete_operation(method: &str, operation: &mut Value) {
    let is_ours = operation["tags"][0] != "providers";
    let has_body = !operation["requestBody"].is_null();
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let has = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
    let changes = method != "get";
    // A body that may be left out is none, not `null`.
    if let Some(schema) = operation.pointer_mut("/requestBody/content/application~1json/schema")
        && let Some(kinds) = schema["oneOf"].as_array()
        && let Some(kind) = kinds.iter().find(|kind| kind["type"] != "null").cloned()
    {
        *schema = kind;
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, response) in responses.iter_mut().filter(|_| is_ours) {
        if status.starts_with('2') {
            for name in ["RateLimit", "RateLimit-Policy"] {
                response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
            }
        }
    }
    for (status, _) in PROBLEMS {
        let is_said = match status {
            "401" | "500" | "503" => true,
            "403" | "429" => is_ours,
            "404" => has("path") || has_body && is_ours,
            "400" => has_body || changes,
            "409" => changes && is_ours,
            "413" => changes,
            // Also where nothing is to be sent: what is sent all the same is refused.
            "415" => changes && is_ours,
            "422" => is_ours,
            _ => false,
        };
        if is_said {
            let reference = json!({ "$ref": format!("#/components/responses/{status}") });
            responses.entry(status).or_insert(reference);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_description_that_is_checked_in_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let mut written = serde_json::to_string_pretty(document()).unwrap();
        written.push('\n');
        if std::env::var_os("WRITE_OPENAPI").is_some() {
            std::fs::write(path, &written).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == written, "docs/openapi.json is another: `WRITE_OPENAPI=1 cargo test openapi` writes it");
    }

    #[test]
    fn every_operation_has_a_name_and_says_what_may_go_wrong() {
        let paths = document()["paths"].as_object().unwrap();
        assert_eq!(document()["openapi"], "3.1.0");
        let mut names = Vec::new();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(!names.contains(&name), "{name} is twice there");
                names.push(name);
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
                assert!(responses.contains_key("401"), "{method} {path}");
            }
        }
        assert!(names.len() >= 30, "{names:?}");
        for name in SENT {
            assert_eq!(document()["components"]["schemas"][name]["additionalProperties"], false, "{name}");
        }
    }

    #[test]
    fn settings_are_those_of_the_plan() {
        let settings = &document()["components"]["schemas"]["VideoSettings"]["properties"];
        let expected = json!({"minimum": 3, "maximum": 5, "default": 4});
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&settings["duration"][name], value, "{name}");
        }
        for name in ["duration", "resolution", "fps", "format", "enableHLS", "enableBranding"] {
            assert!(!settings[name].is_null(), "{name}");
        }
        let result = &document()["components"]["schemas"]["VideoUrls"];
        assert_eq!(result["required"], json!(["mp4", "thumbnail"]));
    }
}
