//! The reference of the API as a page: the description in words, without scripts and without anybody else's server.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    extract::Request,
    http::header,
    response::{Html, IntoResponse as _, Response},
};
use domain::Locale;
use leptos::nonce::Nonce;
use serde_json::Value;

use super::{conflict, openapi, problem::Code, sentences};

/// How the page looks, beside what it has in common with the shop.
const STYLE: &str = "body{max-inline-size:60rem;margin-inline:auto;padding:2rem 1rem;line-height:1.6}\
    h2{margin-block:3rem .5rem}h3{margin-block:2rem .25rem}code,pre{font-family:ui-monospace,monospace;font-size:.875em}\
    table{border-collapse:collapse;inline-size:100%;margin-block:.5rem}\
    th,td{text-align:start;vertical-align:top;padding:.25rem .75rem .25rem 0;border-block-end:1px solid var(--line,#8884)}\
    #codes+table td:nth-child(2){overflow-wrap:normal}nav ul{list-style:none;padding:0}.method{text-transform:uppercase;font-weight:700}";

/// `GET /api/docs`
pub async fn serve(request: Request) -> Response {
    static BODY: LazyLock<String> = LazyLock::new(|| body(openapi::document()));
    let nonce = request.extensions().get::<Nonce>().map(ToString::to_string).unwrap_or_default();
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Lookreel API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"{}\">\
         <style nonce=\"{}\">{STYLE}</style></head><body>{}</body></html>",
        app::pages::shop::stylesheet_url(),
        escape(&nonce),
        BODY.as_str(),
    );
    ([(header::CACHE_CONTROL, "no-cache")], Html(page)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Text of the description: what stands in backticks is code.
fn prose(text: &str) -> String {
    let parts = escape(text).split('`').map(str::to_owned).collect::<Vec<_>>();
    let tags = ["", "<code>"].iter().cycle();
    let ends = ["", "</code>"].iter().cycle();
    parts.iter().zip(tags.zip(ends)).map(|(part, (tag, end))| format!("{tag}{part}{end}")).collect()
}

fn body(document: &Value) -> String {
    let mut html = String::with_capacity(64 * 1024);
    // Writing to a string never fails.
    _ = write!(
        html,
        "<main><h1>Lookreel API</h1><p>{}</p><p><a href=\"/api/openapi.json\">OpenAPI 3.1</a></p>",
        prose(word(&document["info"], "description"))
    );
    let tags: Vec<&Value> = document["tags"].as_array().into_iter().flatten().collect();
    for tag in tags {
        let name = word(tag, "name");
        _ = write!(html, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", escape(name), prose(word(tag, "description")));
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                if operation["tags"][0] == name {
                    html.push_str(&operation_html(path, method, operation));
                }
            }
        }
    }
    html.push_str("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        html.push_str(&schema_html(name, schema));
    }
    html.push_str(&codes());
    html.push_str("</main>");
    html
}

fn operation_html(path: &str, method: &str, operation: &Value) -> String {
    let mut html = format!(
        "<section><h3 id=\"{}\"><span class=\"method\">{method}</span> <code>{}</code></h3><p>{}</p>",
        escape(word(operation, "operationId")),
        escape(path),
        prose(&format!("{}\n{}", word(operation, "summary"), word(operation, "description")))
    );
    let scopes = operation["security"].as_array().into_iter().flatten().filter_map(|one| one["token"][0].as_str());
    for scope in scopes {
        _ = write!(html, "<p>Scope: <code>{}</code></p>", escape(scope));
    }
    let rows: String = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|parameter| {
            let needed = if parameter["required"] == true { "required" } else { "optional" };
            let place = word(parameter, "in");
            let (name, says) = (word(parameter, "name"), word(parameter, "description"));
            format!(
                "<tr><td><code>{}</code></td><td>{place}, {needed}</td><td>{}</td><td>{}</td></tr>",
                escape(name),
                kind(&parameter["schema"]),
                prose(says)
            )
        })
        .collect();
    if !rows.is_empty() {
        _ = write!(html, "<table><tbody>{rows}</tbody></table>");
    }
    for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        _ = write!(html, "<p>Body: <code>{}</code>, {}</p>", escape(media_type), kind(&content["schema"]));
    }
    html.push_str("<table><tbody>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let says = word(response, "description");
        let content = response["content"].as_object().into_iter().flatten().next();
        let shape = content.map(|(_, content)| kind(&content["schema"])).unwrap_or_default();
        let says = if says.is_empty() { "<a href=\"#Problem\">Problem</a>".to_owned() } else { prose(says) };
        _ = write!(html, "<tr><td><code>{}</code></td><td>{says}</td><td>{shape}</td></tr>", escape(status));
    }
    html.push_str("</tbody></table></section>");
    html
}

/// What a schema takes, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    for alternative in ["allOf", "oneOf", "anyOf"] {
        let kinds: Vec<String> = schema[alternative].as_array().into_iter().flatten().map(kind).collect();
        if !kinds.is_empty() {
            return kinds.join(" or ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> =
            words.iter().filter_map(Value::as_str).map(|it| format!("<code>{it}</code>")).collect();
        return words.join(", ");
    }
    let mut text = match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => escape(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(escape).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    };
    for (name, label) in [("format", ""), ("minimum", "from "), ("maximum", "to "), ("default", "default ")] {
        match &schema[name] {
            Value::Null => {}
            Value::String(value) => _ = write!(text, ", {label}{}", escape(value)),
            value => _ = write!(text, ", {label}{value}"),
        }
    }
    text
}

fn schema_html(name: &str, schema: &Value) -> String {
    let mut html = format!("<h3 id=\"{0}\">{0}</h3><p>{1}</p>", escape(name), prose(word(schema, "description")));
    let Some(properties) = schema["properties"].as_object() else {
        _ = write!(html, "<p>{}</p>", kind(schema));
        return html;
    };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    html.push_str("<table><tbody>");
    for (field, property) in properties {
        let needed = if required.contains(&field.as_str()) { "" } else { "optional" };
        _ = write!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td>{needed}</td><td>{}</td></tr>",
            escape(field),
            kind(property),
            prose(word(property, "description"))
        );
    }
    html.push_str("</tbody></table>");
    html
}

/// Where the `type` of a problem leads.
fn codes() -> String {
    let mut html = "<h2 id=\"codes\">Codes of problems</h2><table><tbody>".to_owned();
    for code in Code::ALL {
        _ = write!(
            html,
            "<tr id=\"{0}\"><td><code>{0}</code></td><td>{1}</td><td>{2}</td></tr>",
            code.as_str(),
            code.status().as_u16(),
            prose(&sentences::detail(code, None, Locale::En))
        );
    }
    html.push_str("</tbody></table><h2 id=\"reasons\">Reasons of a <code>conflict</code></h2><table><tbody>");
    for why in conflict::reasons() {
        _ = write!(html, "<tr><td><code>{why}</code></td><td>{}</td></tr>", prose(conflict::sentence(why, Locale::En)));
    }
    html.push_str("</tbody></table>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_operation_and_every_code() {
        let html = body(openapi::document());
        for path in openapi::document()["paths"].as_object().into_iter().flatten().map(|(path, _)| path) {
            assert!(html.contains(&format!("<code>{path}</code>")), "{path}");
        }
        for code in Code::ALL {
            assert!(html.contains(&format!("id=\"{}\"", code.as_str())), "{code:?}");
        }
        assert!(!html.contains("<script") && !html.contains("http://") && !html.contains("https://cdn"), "no CDN");
    }

    #[test]
    fn words_in_backticks_are_code_and_nothing_else_is_markup() {
        assert_eq!(prose("`a` < \"b\""), "<code>a</code> &lt; &quot;b&quot;");
    }
}
