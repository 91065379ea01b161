//! fal's price list (platform API, `GET /v1/models/pricing`): whether the key is good and what an endpoint is listed at.
//! Costs nothing.

use domain::{FailureCode, MicroUsd};
use reqwest::Method;
use serde::Deserialize;

use super::{Fal, refusal};
use crate::{Certainty, ProviderError, Retry, http_client::Purpose, settings::join};

/// Endpoints asked about at once.
const AT_ONCE: usize = 20;

/// What fal lists for one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListedPrice {
    pub(crate) endpoint: String,
    pub(crate) unit: String,
    pub(crate) currency: String,
    /// Of one unit, in whole units of the currency: may be far below a millionth.
    unit_price: f64,
}

impl ListedPrice {
    /// What so many units cost, rounded to a millionth.
    pub(crate) fn of(&self, units: u32) -> MicroUsd {
        micro_usd(self.unit_price * f64::from(units)).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Page {
    prices: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    endpoint_id: String,
    unit_price: f64,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    currency: String,
}

impl Fal {
    /// What fal lists for these endpoints; one it does not list is left out.
    ///
    /// # Errors
    /// [`ProviderError`] with [`Certainty::Unchanged`]: the key was refused, or fal could not be asked.
    pub(crate) async fn listed_prices(&self, endpoints: &[&str]) -> Result<Vec<ListedPrice>, ProviderError> {
        let mut listed = Vec::new();
        for chunk in endpoints.chunks(AT_ONCE) {
            match self.page_of_prices(chunk).await {
                Ok(page) => listed.extend(page),
                // One endpoint it does not know may spoil the whole question: ask for each.
                Err(error) if chunk.len() > 1 && is_about_the_question(error.code) => {
                    for endpoint in chunk {
                        listed.extend(self.price_of(endpoint).await?);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    async fn price_of(&self, endpoint: &str) -> Result<Vec<ListedPrice>, ProviderError> {
        match self.page_of_prices(&[endpoint]).await {
            Err(error) if is_about_the_question(error.code) => Ok(Vec::new()),
            answered => answered,
        }
    }

    async fn page_of_prices(&self, endpoints: &[&str]) -> Result<Vec<ListedPrice>, ProviderError> {
        let mut url = join(&self.settings().platform_url, "v1/models/pricing");
        for endpoint in endpoints {
            url.query_pairs_mut().append_pair("endpoint_id", endpoint);
        }
        let answer = self.clean(self.ask(Method::GET, url).await)?;
        if !answer.status.is_success() {
            return self.clean(Err(refusal::refused(&answer, Purpose::Asks)));
        }
        let page: Page = serde_json::from_slice(&answer.body).map_err(|error| {
            let detail = format!("not a price list ({error}): {}", answer.text());
            ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::LATER, detail)
        })?;
        Ok(page.prices.into_iter().filter_map(listed).collect())
    }
}

fn listed(item: Item) -> Option<ListedPrice> {
    micro_usd(item.unit_price)?;
    let Item { endpoint_id: endpoint, unit_price, unit, currency } = item;
    Some(ListedPrice { endpoint, unit, currency, unit_price })
}

/// A price in dollars as JSON writes it, to the millionth; none for what is no price.
fn micro_usd(dollars: f64) -> Option<MicroUsd> {
    let (whole, fraction) = format!("{dollars:.6}").split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    format!("{whole}{fraction}").parse().ok().filter(|&micros: &i64| micros >= 0).map(MicroUsd::new)
}

/// fal understood who asks, and does not know what is asked about.
const fn is_about_the_question(code: FailureCode) -> bool {
    matches!(code, FailureCode::ResultMissing | FailureCode::ProviderRejected)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_documented_list_is_read_to_the_millionth() {
        let page: Page = serde_json::from_str(
            r#"{"prices":[{"endpoint_id":"fal-ai/flux/dev","unit_price":0.025,"unit":"image","currency":"USD"},
                {"endpoint_id":"fal-ai/x","unit_price":0.0000125,"unit":"compute_second","currency":"USD"},
                {"endpoint_id":"fal-ai/free","unit_price":0,"unit":"compute_second","currency":"USD"}],
                "next_cursor":null,"has_more":false}"#,
        )
        .unwrap();
        let prices: Vec<i64> = page.prices.into_iter().filter_map(listed).map(|one| one.of(1).micros()).collect();
        assert_eq!(prices, [25_000, 13, 0]);
        let token =
            Item { endpoint_id: "x".into(), unit_price: 0.000_035_294, unit: "token".into(), currency: "USD".into() };
        assert_eq!(listed(token).unwrap().of(1_000_000), MicroUsd::new(35_294_000));
        assert_eq!(micro_usd(1.1), Some(MicroUsd::new(1_100_000)));
        assert_eq!(micro_usd(-0.5), None);
        assert_eq!(micro_usd(f64::NAN), None);
    }
}
