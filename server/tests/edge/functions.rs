//! Server functions are public addresses: each guards itself and answers with a typed error.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    browser::{Browser, JSON, PAGE, header},
    click::Choices,
    house::{shared, shared_product},
};

async fn refused(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let answer = browser.post(path, JSON, fields).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {status} {text}")))
}

#[tokio::test]
async fn nobody_is_nobody() {
    let house = shared().await;
    let product = shared_product().await;
    let visitor = house.visitor();
    let (id, generation) = (product.id.to_string(), Uuid::now_v7().to_string());
    let list = [("search", ""), ("status", ""), ("group", ""), ("mine", "false"), ("page", "1")];
    let click = Choices::default();
    let mut create = click.fields(&id, &generation);
    create.push(("id", &id));
    for (path, fields) in [
        ("/api/admin/generations/create", create.as_slice()),
        ("/api/admin/generations/cancel", &[("id", generation.as_str())]),
        ("/api/admin/generations/retry", &[("id", &generation), ("key", &generation), ("price", "0")]),
        ("/api/admin/generations/list", &list),
        ("/api/admin/generations/detail", &[("id", generation.as_str())]),
        ("/api/admin/notices/read", &[]),
        ("/api/admin/queue/load", &[]),
        ("/api/admin/queue/pause", &[("scope", "everything"), ("reason", "")]),
        ("/api/admin/queue/resume", &[("scope", "everything")]),
        ("/api/admin/models/load", &[]),
        ("/api/admin/models/price", &[("model", "fal/x"), ("valid_from", "2030-01-01"), ("reason", "r")]),
        ("/api/admin/models/retire", &[("model", "fal/x"), ("retires_on", "2030-01-01"), ("reason", "r")]),
        ("/api/admin/products/list", &list),
        ("/api/admin/products/detail", &[("id", id.as_str())]),
        ("/api/admin/products/quote", create.as_slice()),
    ] {
        let (status, body) = refused(&visitor, path, fields).await;
        assert_eq!((status, &body["code"]), (401, &Value::from("signed_out")), "{path}");
    }
    for path in ["/events/generations".to_owned(), format!("/events/generations/{generation}")] {
        assert_eq!(visitor.get(&path).send().await.unwrap().status(), 401, "{path}");
    }
}

#[tokio::test]
async fn choices_out_of_range_are_named_and_nothing_is_written() {
    let house = shared().await;
    let product = shared_product().await;
    let admin = house.admin().await;
    let written = "select count(*) from generations where request_key = '00000000-0000-7000-8000-00000000bad0'";
    let key = "00000000-0000-7000-8000-00000000bad0";
    let id = product.id.to_string();
    for (field, value, expected) in [
        ("duration", "2", "3..=5"),
        ("duration", "6", "3..=5"),
        ("duration", "-9223372036854775808", "3..=5"),
        ("fps", "23", "24..=30"),
        ("fps", "31", "24..=30"),
        ("resolution", "4k", "720p|1080p"),
        ("model_type", "dog", "female|male"),
        ("recipe", "film", "product_video|tryon_video"),
    ] {
        let choices = Choices::default().with(field, value);
        for path in ["/api/admin/generations/create", "/api/admin/products/quote"] {
            let mut fields = choices.fields(&id, key);
            fields.push(("id", &id));
            let (status, body) = refused(&admin, path, &fields).await;
            assert_eq!((status, &body["code"]), (422, &Value::from("invalid")), "{field}={value}: {body}");
            assert_eq!(body["data"]["fields"][0]["field"], field, "{body}");
            assert_eq!(body["data"]["fields"][0]["expected"], expected, "{body}");
        }
    }
    let many = Choices::default().with("duration", "9").with("fps", "1");
    let (_, body) = refused(&admin, "/api/admin/generations/create", &many.fields(&id, key)).await;
    assert_eq!(body["data"]["fields"].as_array().unwrap().len(), 2, "every wrong field is named: {body}");
    assert_eq!(house.ground.database.number(written).await, 0);
}

#[tokio::test]
async fn odd_requests_are_the_askers_fault() {
    let house = shared().await;
    let admin = house.admin().await;
    let (nobody, key) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let choices = Choices::default();
    let (status, body) = refused(&admin, "/api/admin/generations/create", &choices.fields(&nobody, &key)).await;
    assert_eq!((status, &body["code"]), (404, &Value::from("not_found")), "an unknown product");
    for (path, fields) in [
        ("/api/admin/generations/detail", [("id", nobody.as_str())]),
        ("/api/admin/generations/cancel", [("id", nobody.as_str())]),
        ("/api/admin/products/detail", [("id", nobody.as_str())]),
    ] {
        let (status, body) = refused(&admin, path, &fields).await;
        assert_eq!((status, &body["code"]), (404, &Value::from("not_found")), "{path}");
    }
    let retry = [("id", nobody.as_str()), ("key", key.as_str()), ("price", "0")];
    let (status, body) = refused(&admin, "/api/admin/generations/retry", &retry).await;
    assert_eq!((status, &body["code"]), (404, &Value::from("not_found")), "an unknown generation");
    let malformed = choices.clone().with("duration", "four");
    for fields in [choices.fields("not an id", &key), vec![("id", "1")], vec![], malformed.fields(&nobody, &key)] {
        let (status, body) = refused(&admin, "/api/admin/generations/create", &fields).await;
        assert_eq!((status, &body["code"]), (400, &Value::from("bad_request")), "{fields:?}");
    }
}

#[tokio::test]
async fn a_page_without_scripts_is_led_back_with_the_reason() {
    let house = shared().await;
    let product = shared_product().await;
    let admin = house.admin().await;
    let (id, key) = (product.id.to_string(), Uuid::now_v7().to_string());
    let page = format!("/admin/products/{id}");
    let choices = Choices::default().with("fps", "60");
    let form = admin.post("/api/admin/generations/create", PAGE, &choices.fields(&id, &key));
    let answer = form.header("referer", admin.url(&page)).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let back = header(&answer, "location").replace(&house.url, "");
    assert!(back.starts_with(&page), "{back}");
    let html = admin.page(&back).await;
    assert!(html.contains("24–30") && html.contains("field-error"), "the page does not say what is wrong");
}
