//! Who makes what: every maker by the model's name, over one set of keys and one catalogue.

use std::sync::Arc;

use chrono::Utc;
use domain::FailureCode;
use reqwest::Client;

use crate::{
    Catalogue, Certainty, ClipMaker, FalSettings, FetchRules, GeminiSettings, ModelRef, NoPrice, Provider,
    ProviderError, Retry, SharedCatalogue, StillMaker, catalogue::Role, fal_queue::Fal, gemini::Gemini, http_client,
};

/// Why nobody makes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMaker {
    /// There is no key for the provider.
    #[error("{0} is not configured: it has no key")]
    NotConfigured(Provider),
    /// The catalogue does not know the model, or it makes something else.
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
}

impl From<NoMaker> for ProviderError {
    fn from(error: NoMaker) -> Self {
        match error {
            NoMaker::NotConfigured(_) => {
                Self::new(FailureCode::ProviderKey, Certainty::NotSent, Retry::Never, error.to_string())
            }
            NoMaker::NoPrice(error) => error.into(),
        }
    }
}

/// Every maker there is. Cheap to clone and to ask.
#[derive(Clone)]
pub struct Makers {
    catalogue: SharedCatalogue,
    fal: Option<Fal>,
    gemini: Option<Gemini>,
}

impl Makers {
    /// Makers for the providers that have settings; the others answer [`NoMaker::NotConfigured`].
    ///
    /// # Errors
    /// [`ProviderError`] when TLS cannot be set up.
    pub fn new(
        fal: Option<FalSettings>,
        gemini: Option<GeminiSettings>,
        catalogue: SharedCatalogue,
    ) -> Result<Self, ProviderError> {
        let client: Client = http_client()?;
        let fal = fal.map(|settings| Fal::new(client.clone(), settings, catalogue.clone())).transpose()?;
        let gemini = gemini.map(|settings| Gemini::new(client, settings, catalogue.clone()));
        Ok(Self { catalogue, fal, gemini })
    }

    /// The models and prices as they are now.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.current()
    }

    /// The catalogue all makers read, to replace it.
    pub const fn shared_catalogue(&self) -> &SharedCatalogue {
        &self.catalogue
    }

    pub(crate) const fn fal(&self) -> Option<&Fal> {
        self.fal.as_ref()
    }

    pub(crate) const fn gemini(&self) -> Option<&Gemini> {
        self.gemini.as_ref()
    }

    /// Whether there is a key for the provider.
    pub const fn has_key(&self, provider: Provider) -> bool {
        match provider {
            Provider::Fal => self.fal.is_some(),
            Provider::Gemini => self.gemini.is_some(),
        }
    }

    /// Who makes stills with this model, also when it has been retired: its requests are still to be looked at. A new
    /// one is refused by [`StillMaker::make_still`] then.
    ///
    /// # Errors
    /// [`NoMaker`].
    pub fn still(&self, model: &ModelRef) -> Result<Arc<dyn StillMaker>, NoMaker> {
        self.expect_role(model, &[Role::Still, Role::TryOn], "it does not make stills")?;
        let missing = NoMaker::NotConfigured(model.provider);
        match model.provider {
            Provider::Fal => Ok(Arc::new(self.fal.as_ref().ok_or(missing)?.endpoint(model))),
            Provider::Gemini => Ok(Arc::new(self.gemini.as_ref().ok_or(missing)?.model(model))),
        }
    }

    /// Who makes clips with this model, also when it has been retired.
    ///
    /// # Errors
    /// [`NoMaker`].
    pub fn clip(&self, model: &ModelRef) -> Result<Arc<dyn ClipMaker>, NoMaker> {
        self.expect_role(model, &[Role::Transition, Role::Motion], "it does not make clips")?;
        let missing = NoMaker::NotConfigured(model.provider);
        match model.provider {
            Provider::Fal => Ok(Arc::new(self.fal.as_ref().ok_or(missing)?.endpoint(model))),
            Provider::Gemini => Err(NoPrice::NotOffered(model.to_string(), "it does not make clips").into()),
        }
    }

    /// The rules for fetching a still this provider made.
    ///
    /// # Errors
    /// [`NoMaker::NotConfigured`], also for a provider that sends its stills with the answer.
    pub fn still_files(&self, provider: Provider) -> Result<&FetchRules, NoMaker> {
        self.fal_of(provider).map(Fal::still_files)
    }

    /// The rules for fetching a clip this provider made.
    ///
    /// # Errors
    /// [`NoMaker::NotConfigured`], also for a provider that makes no clips.
    pub fn clip_files(&self, provider: Provider) -> Result<&FetchRules, NoMaker> {
        self.fal_of(provider).map(Fal::clip_files)
    }

    fn fal_of(&self, provider: Provider) -> Result<&Fal, NoMaker> {
        self.fal.as_ref().filter(|_| provider == Provider::Fal).ok_or(NoMaker::NotConfigured(provider))
    }

    fn expect_role(&self, model: &ModelRef, roles: &[Role], otherwise: &'static str) -> Result<(), NoMaker> {
        let catalogue = self.catalogue.current();
        let row = catalogue.row(model, Utc::now())?;
        if roles.iter().any(|role| row.roles.contains(role)) {
            Ok(())
        } else {
            Err(NoPrice::NotOffered(model.to_string(), otherwise).into())
        }
    }
}
