use domain::{FailureCode, MicroUsd};
use providers::{
    Catalogue, FalSettings, GeminiSettings, Makers, Provider, SharedCatalogue,
    check::{CheckReport, KeyCheck, Verdict},
    check_providers,
};
use serde_json::{Value, json};
use url::Url;

use crate::stub::{Reply, Seen, Stub, nowhere};

async fn check(fal: Option<&Url>, gemini: Option<&Url>) -> CheckReport {
    let catalogue = SharedCatalogue::new(Catalogue::embedded().unwrap());
    let fal = fal.map(|url| FalSettings::simulator(url).unwrap());
    check_providers(&Makers::new(fal, gemini.map(GeminiSettings::simulator), catalogue).unwrap()).await
}

fn key(report: &CheckReport, provider: Provider) -> &KeyCheck {
    &report.providers.iter().find(|one| one.provider == provider).unwrap().key
}

fn verdict<'a>(report: &'a CheckReport, id: &str) -> &'a Verdict {
    let mut models = report.providers.iter().flat_map(|one| &one.models);
    &models.find(|one| one.model.id == id).unwrap().verdict
}

/// The price fal lists for every endpoint it is asked about, by our own catalogue.
fn our_prices(seen: &Seen) -> Vec<Value> {
    let asked = Url::parse("http://x").unwrap().join(&seen.path).unwrap();
    let catalogue = Catalogue::embedded().unwrap();
    let listed = |id: &str| {
        let row = catalogue.rows().iter().find(|row| row.id == id).unwrap();
        let unit = row.unit.as_ref().unwrap();
        let price = unit.micro_usd as f64 / 1e6 / f64::from(unit.of);
        json!({"endpoint_id": id, "unit_price": price, "unit": format!("{}s", unit.name), "currency": "USD"})
    };
    asked.query_pairs().filter(|(name, _)| name == "endpoint_id").map(|(_, id)| listed(&id)).collect()
}

#[tokio::test]
async fn good_keys_and_the_same_prices_are_a_clean_report() {
    let fal = Stub::start(|seen| Reply::json(200, &json!({"prices": our_prices(seen)}))).await;
    let gemini = Stub::start(|seen| {
        if seen.path.contains("pageToken=next") {
            Reply::json(200, &json!({"models": [{"name": "models/gemini-3-pro-image"}]}))
        } else {
            Reply::json(
                200,
                &json!({"models": [{"name": "models/gemini-nano-banana-2.1", "displayName": "Nano Banana 2.1"}],
                    "nextPageToken": "next"}),
            )
        }
    })
    .await;
    let report = check(Some(&fal.url), Some(&gemini.url)).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(key(&report, Provider::Fal), &KeyCheck::Valid);
    assert_eq!(verdict(&report, "fal-ai/wan-flf2v"), &Verdict::SamePrice);
    assert_eq!(verdict(&report, "gemini-3-pro-image"), &Verdict::Listed);
    assert_eq!(verdict(&report, "google/nano-banana-2.1/edit"), &Verdict::SamePrice);

    let seen = fal.seen();
    assert_eq!((seen.len(), seen[0].method.as_str()), (1, "GET"), "nothing is bought");
    assert!(seen[0].path.starts_with("/v1/models/pricing?endpoint_id="));
    assert_eq!(seen[0].headers["authorization"], "Key simulator:key");
    assert_eq!(gemini.seen()[0].path, "/v1beta/models?pageSize=1000");
    assert_eq!(gemini.seen()[0].headers["x-goog-api-key"], "simulator-key");
}

#[tokio::test]
async fn another_price_and_a_missing_model_are_faults() {
    let fal = Stub::start(|seen| {
        let mut prices = our_prices(seen);
        prices.retain(|price| price["endpoint_id"] != "fal-ai/stable-video");
        for price in &mut prices {
            match price["endpoint_id"].as_str().unwrap() {
                "fal-ai/wan-flf2v" => price["unit_price"] = json!(0.5),
                "fal-ai/fashn/tryon/v1.6" => price["unit"] = json!("megapixels"),
                "fal-ai/nano-banana/edit" => price["currency"] = json!("EUR"),
                _ => {}
            }
        }
        Reply::json(200, &json!({"prices": prices}))
    })
    .await;
    let gemini = Stub::start(|_| Reply::json(200, &json!({"models": []}))).await;
    let report = check(Some(&fal.url), Some(&gemini.url)).await;
    assert!(!report.is_clean());
    let other = |our_unit: &str, ours, unit: &str, listed| Verdict::OtherPrice {
        our_unit: our_unit.into(),
        of: 1,
        ours: MicroUsd::new(ours),
        unit: unit.into(),
        listed: MicroUsd::new(listed),
    };
    assert_eq!(verdict(&report, "fal-ai/wan-flf2v"), &other("video", 400_000, "videos", 500_000));
    assert_eq!(verdict(&report, "fal-ai/fashn/tryon/v1.6"), &other("generation", 75_000, "megapixels", 75_000));
    assert_eq!(verdict(&report, "fal-ai/nano-banana/edit"), &other("image", 39_800, "images in EUR", 39_800));
    assert_eq!(verdict(&report, "fal-ai/stable-video"), &Verdict::NotListed);
    assert_eq!(verdict(&report, "fal-ai/pika/v2.2/pikaframes"), &Verdict::SamePrice);
    assert_eq!(verdict(&report, "gemini-3-pro-image"), &Verdict::NotListed);
}

#[tokio::test]
async fn an_endpoint_fal_does_not_know_does_not_hide_the_others() {
    let fal = Stub::start(|seen| {
        if seen.path.contains("stable-video") {
            return Reply::json(404, &json!({"error": {"type": "not_found", "message": "Endpoint not found"}}));
        }
        Reply::json(200, &json!({"prices": our_prices(seen)}))
    })
    .await;
    let report = check(Some(&fal.url), None).await;
    assert_eq!(verdict(&report, "fal-ai/stable-video"), &Verdict::NotListed);
    assert_eq!(verdict(&report, "fal-ai/wan-flf2v"), &Verdict::SamePrice);
    assert_eq!(key(&report, Provider::Gemini), &KeyCheck::NotConfigured);
}

#[tokio::test]
async fn a_refused_key_is_told_from_a_provider_that_is_away() {
    let fal = Stub::start(|_| Reply::json(401, &json!({"detail": "invalid key credentials: simulator:key"}))).await;
    let gemini = Stub::start(|_| {
        let reason = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"});
        Reply::json(
            400,
            &json!({"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT",
                "details": [reason]}}),
        )
    })
    .await;
    let report = check(Some(&fal.url), Some(&gemini.url)).await;
    for provider in Provider::ALL {
        let KeyCheck::Refused { code, detail } = key(&report, provider) else { panic!("{report:?}") };
        assert_eq!(*code, FailureCode::ProviderKey);
        assert!(!detail.contains("simulator:key"), "{detail}");
    }
    assert!(!report.is_clean());

    let url = nowhere().await;
    let report = check(Some(&url), Some(&url)).await;
    for provider in Provider::ALL {
        assert!(matches!(key(&report, provider), KeyCheck::Unreachable { .. }), "{report:?}");
    }
    assert!(check(None, None).await.is_clean(), "without keys there is nothing to mend");
    let stored = serde_json::to_value(&report).unwrap();
    assert_eq!(stored["providers"][0]["key"]["is"], "unreachable");
}
