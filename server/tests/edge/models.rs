//! The page of models through the front door, as a page without scripts uses it.

use chrono::{Days, NaiveDate, Utc};
use chrono_tz::Asia::Seoul;
use serde_json::Value;

use crate::{
    browser::{Browser, JSON, PAGE, header},
    house::House,
};

const MODELS: &str = "/admin/models";
const MODEL: &str = "fal/fal-ai/pika/v2.2/pikaframes";
const OPEN: &str = "/admin/models?model=fal%2Ffal-ai%2Fpika%2Fv2.2%2Fpikaframes";
const PRICE: &str = "/api/admin/models/price";
const RETIRE: &str = "/api/admin/models/retire";

const WITHDRAW: &str = "/api/admin/models/withdraw";

/// Days are those of the shop.
fn in_days(days: u64) -> NaiveDate {
    Utc::now().with_timezone(&Seoul).date_naive() + Days::new(days)
}

async fn english(house: &House) -> Browser {
    let mut admin = house.admin().await;
    admin.cookie = admin.cookie.map(|cookie| format!("{cookie}; language=en"));
    admin
}

/// Sends a form of the open model and answers with the page it leads back to, where the same model is open.
async fn send(house: &House, admin: &Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let form = admin.post(path, PAGE, fields).header("referer", admin.url(OPEN));
    let answer = form.send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let back = header(&answer, "location").replace(&house.url, "");
    assert!(back.starts_with(MODELS) && back.contains("model=fal"), "{back}");
    let page = admin.page(&back).await;
    assert!(page.contains("model-panel"), "the model is not open: {page}");
    page
}

/// What a script is answered: the status, the code and the names of the wrong fields.
async fn refused(admin: &Browser, path: &str, fields: &[(&str, &str)]) -> (u16, String, Vec<String>) {
    let answer = admin.post(path, JSON, fields).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let wrong = body["data"]["fields"].as_array().into_iter().flatten();
    let wrong = wrong.map(|field| field["field"].as_str().unwrap().to_owned()).collect();
    (status, body["code"].as_str().unwrap_or_default().to_owned(), wrong)
}

/// The history of the open model.
fn history(page: &str) -> &str {
    page.split("data-testid=\"model-history\"").nth(1).map_or("", |rest| rest.split("</ul>").next().unwrap())
}

#[tokio::test]
async fn a_price_from_a_later_day_is_kept_with_who_and_why_and_todays_stays() {
    let house = House::build(&[]).await;
    let admin = english(&house).await;
    let page = admin.page(OPEN).await;
    assert!(page.contains("First choice") && page.contains("name=\"amounts[of_720p]\""), "{page}");
    assert!(page.contains("placeholder=\"0.04\"") && history(&page).is_empty(), "{page}");

    let tomorrow = in_days(1).to_string();
    let fields = [
        ("model", MODEL),
        ("amounts[of_720p]", "0.0512345"),
        ("amounts[of_1080p]", "0.06"),
        ("valid_from", tomorrow.as_str()),
        ("reason", "  "),
    ];
    let page = send(&house, &admin, PRICE, &fields).await;
    for text in ["role=\"alert\"", "id=\"price-720p-error\"", "id=\"price-reason-error\"", "1–500 characters"] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(!page.contains("price-1080p-error") && history(&page).is_empty(), "{page}");
    for typed in ["value=\"0.0512345\"", "value=\"0.06\"", "value=\"  \"", &format!("value=\"{tomorrow}\"")] {
        assert!(page.contains(typed), "{typed} was typed: {page}");
    }

    let mut fields = fields;
    fields[1].1 = "0.051234";
    fields[4].1 = "New <list> of fal";
    let page = send(&house, &admin, PRICE, &fields).await;
    let told = history(&page);
    assert!(told.contains(&format!("Price from {tomorrow}:")) && told.contains("720p $0.051234"), "{told}");
    assert!(told.contains("New &lt;list&gt; of fal") && told.contains("Admin<"), "{told}");
    assert!(!page.contains("field-error") && page.contains("placeholder=\"0.04\""), "it holds from tomorrow: {page}");
    assert!(page.contains(&format!("from {tomorrow}: $0.2562")) && !page.contains("0.0512345"), "{page}");
    let kept = "select count(*) from catalogue_rows where added_by is not null and reason = 'New <list> of fal'";
    assert_eq!(house.ground.database.number(kept).await, 1);

    // From today on it is the price of the next click.
    let today = in_days(0).to_string();
    let fields = [("model", MODEL), ("amounts[of_720p]", "0.05"), ("valid_from", today.as_str()), ("reason", "today")];
    let page = send(&house, &admin, PRICE, &fields).await;
    assert!(page.contains("$0.2500") && page.contains("placeholder=\"0.06\""), "what is left out stays: {page}");
}

#[tokio::test]
async fn a_price_to_come_is_withdrawn_with_a_reason_and_once() {
    let house = House::build(&[]).await;
    let admin = english(&house).await;
    let (today, later) = (in_days(0).to_string(), in_days(5).to_string());
    for (day, amount) in [(&today, "0.03"), (&later, "0.07")] {
        let fields = [("model", MODEL), ("amounts[of_720p]", amount), ("valid_from", day), ("reason", "a letter")];
        send(&house, &admin, PRICE, &fields).await;
    }
    let fields = [("model", MODEL), ("valid_from", later.as_str()), ("reason", " ")];
    let page = send(&house, &admin, WITHDRAW, &fields).await;
    assert!(page.contains("withdraw-reason-error") && page.contains(&format!("from {later}: $0.3500")), "{page}");
    let fields = [("model", MODEL), ("valid_from", later.as_str()), ("reason", "they changed their mind")];
    let page = send(&house, &admin, WITHDRAW, &fields).await;
    assert!(!page.contains(&format!("from {later}: $")) && !page.contains("scheduled-prices"), "{page}");
    assert!(history(&page).contains(&format!("Price of {later} withdrawn")), "{page}");
    assert!(history(&page).contains(&format!("Price from {later}")), "what was added stays there: {page}");
    for day in [later.as_str(), today.as_str(), "soon"] {
        let fields = [("model", MODEL), ("valid_from", day), ("reason", "r")];
        assert_eq!(refused(&admin, WITHDRAW, &fields).await.0, 409, "{day}");
    }
    let nobody = [("model", "fal/nothing"), ("valid_from", later.as_str()), ("reason", "r")];
    assert_eq!(refused(&admin, WITHDRAW, &nobody).await.0, 404);
}

#[tokio::test]
async fn a_model_that_is_none_is_named() {
    let house = House::build(&[]).await;
    let page = english(&house).await.page("/admin/models?model=zzz").await;
    assert!(page.contains("There is no model zzz.") && !page.contains("model-panel"), "{page}");
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_written() {
    let house = House::build(&[]).await;
    let admin = house.admin().await;
    let (today, long_ago, far) = (in_days(0).to_string(), "2026-01-01".to_owned(), in_days(800).to_string());
    let price = |amount: &'static str, day: &str, reason: &'static str| {
        [("model", MODEL), ("amounts[of_720p]", amount), ("valid_from", day), ("reason", reason)].map(
            |(name, value)| {
                let pair: (String, String) = (name.to_owned(), value.to_owned());
                pair
            },
        )
    };
    let cases = [
        (price("0", &today, "r"), vec!["720p"]),
        (price("-1", &today, "r"), vec!["720p"]),
        (price("1,5", &today, "r"), vec!["720p"]),
        (price("1001", &today, "r"), vec!["720p"]),
        (price("0.05", &long_ago, "r"), vec!["valid_from"]),
        (price("0.05", &far, "r"), vec!["valid_from"]),
        (price("0.05", "tomorrow", "r"), vec!["valid_from"]),
        (price("x", "", ""), vec!["720p", "reason", "valid_from"]),
    ];
    for (fields, expected) in cases {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (status, code, mut wrong) = refused(&admin, PRICE, &fields).await;
        wrong.sort();
        assert_eq!(
            (status, code.as_str(), wrong),
            (422, "invalid", expected.iter().map(ToString::to_string).collect()),
            "{fields:?}"
        );
    }
    let rest = [("valid_from", today.as_str()), ("reason", "r")];
    let with = |more: &[(&'static str, &'static str)]| [more, &rest].concat();
    let (status, _, wrong) = refused(&admin, PRICE, &with(&[("model", MODEL), ("amounts[of_4k]", "1")])).await;
    assert_eq!((status, wrong), (422, vec!["4k".to_owned()]));
    let (status, _, wrong) = refused(&admin, PRICE, &with(&[("model", MODEL)])).await;
    assert_eq!((status, wrong), (422, vec!["amounts".to_owned()]));
    for model in ["fal/nothing", "acme/x", "nothing", ""] {
        for path in [PRICE, RETIRE] {
            let fields = with(&[("model", model), ("amounts[of_720p]", "1"), ("retires_on", "2030-01-01")]);
            let (status, code, _) = refused(&admin, path, &fields).await;
            assert_eq!((status, code.as_str()), (404, "not_found"), "{path} {model}");
        }
    }
    for day in ["", "soon", "2026-01-01"] {
        let fields = [("model", MODEL), ("retires_on", day), ("reason", "")];
        let (status, _, wrong) = refused(&admin, RETIRE, &fields).await;
        assert_eq!((status, wrong), (422, vec!["retires_on".to_owned(), "reason".to_owned()]), "{day}");
    }
    let written = "select (select count(*) from catalogue_rows where added_by is not null)
        + (select count(*) from catalogue_retirements)";
    assert_eq!(house.ground.database.number(written).await, 0);
}

#[tokio::test]
async fn a_model_in_use_that_ends_soon_is_named_on_every_page_until_that_is_taken_back() {
    let house = House::build(&[]).await;
    let admin = english(&house).await;
    let pages = ["/admin/products", "/admin/generations", "/admin/queue", "/admin/costs", MODELS];
    for path in pages {
        assert!(!admin.page(path).await.contains("retirement-alert"), "{path}");
    }
    let later = in_days(31).to_string();
    let fields = [("model", MODEL), ("retires_on", later.as_str()), ("reason", "announced")];
    let page = send(&house, &admin, RETIRE, &fields).await;
    assert!(page.contains(&later) && !page.contains("retirement-alert"), "{page}");

    let soon = in_days(30).to_string();
    let fields = [("model", MODEL), ("retires_on", soon.as_str()), ("reason", "sooner")];
    let page = send(&house, &admin, RETIRE, &fields).await;
    assert!(history(&page).contains(&format!("Retires on {soon}")) && history(&page).contains("sooner"), "{page}");
    for path in pages {
        let page = admin.page(path).await;
        let alert = page.split("retirement-alert").nth(1).unwrap_or_else(|| panic!("{path}: {page}"));
        assert!(alert.contains("fal-ai/pika/v2.2/pikaframes retires on"), "{path}: {page}");
        assert!(alert.contains(&format!("href=\"{OPEN}\"")), "{path}: {page}");
    }

    let fields = [("model", MODEL), ("retires_on", soon.as_str()), ("take_back", "true"), ("reason", "prolonged")];
    let page = send(&house, &admin, RETIRE, &fields).await;
    assert!(history(&page).contains("Retirement taken back") && history(&page).contains("prolonged"), "{page}");
    assert!(!page.contains("retirement-alert") && !page.contains("take_back"), "{page}");
}
