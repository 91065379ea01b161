//! What the providers list, compared with what we believe: a price that changed is known the next morning, not by the bill of
//! the month.

use chrono::{DateTime, Utc};
use domain::notice::Fact;
use providers::{
    check::{KeyCheck, ModelCheck, ProviderCheck, Verdict},
    check_providers,
};

use crate::{Engine, Error, limits, notices};

impl Engine {
    /// Asks every provider that has a key, spending nothing, and tells everybody what is not as our catalogue says of a
    /// model in use: each difference once, a refused key once a day.
    pub(super) async fn compare_with_providers(&self, tick: DateTime<Utc>) -> Result<(), Error> {
        let report = check_providers(self.makers()).await;
        let today = limits::today(tick, self.settings().zone);
        let mut conn = self.pg().acquire().await?;
        for provider in &report.providers {
            if let KeyCheck::Unreachable { detail, .. } = &provider.key {
                tracing::warn!(provider = %provider.provider, "{} could not be asked for its prices: {detail}", provider.provider);
            }
            if let KeyCheck::Refused { code, detail } = &provider.key {
                tracing::error!(provider = %provider.provider, "{} refuses our key ({}): {detail}", provider.provider, code.as_str());
                let fact = Fact::KeyRefused { provider: provider.provider.to_string(), code: *code };
                notices::store::insert_fact(&mut conn, &fact, &format!("{} {today}", provider.provider)).await?;
            }
            for (fact, subject) in self.differences(provider) {
                tracing::error!(provider = %provider.provider, "a provider's list is not what the catalogue says: {subject}");
                notices::store::insert_fact(&mut conn, &fact, &subject).await?;
            }
        }
        Ok(())
    }

    /// What is not as the catalogue says, of models in use, each with what makes it a difference of its own.
    fn differences(&self, provider: &ProviderCheck) -> Vec<(Fact, String)> {
        let in_use = self.settings().routes.models();
        let used = provider.models.iter().filter(|check| in_use.contains(&&check.model));
        used.filter_map(difference).collect()
    }
}

fn difference(check: &ModelCheck) -> Option<(Fact, String)> {
    let (provider, model) = (check.model.provider.to_string(), check.model.id.clone());
    match &check.verdict {
        Verdict::OtherPrice { listed, unit, .. } => {
            let subject = format!("{} {} {unit} {}", check.model, listed.micros(), check.price_version);
            Some((Fact::ModelPrice { provider, model }, subject.chars().take(200).collect()))
        }
        Verdict::NotListed => {
            Some((Fact::ModelMissing { provider, model }, format!("{} {}", check.model, check.price_version)))
        }
        Verdict::SamePrice | Verdict::Listed | Verdict::Unpriced { .. } => None,
    }
}
