//! Settings of the parts that can be embedded.

use clap::Args;
use domain::{Recipe, Stage};
use engine::Routes;
use providers::{
    Catalogue, ModelRef,
    catalogue::{ModelRow, Role},
};
use secrecy::SecretString;
use url::Url;

/// A setting that a role cannot do without.
#[derive(Debug, thiserror::Error)]
#[error("{name} is not set: expected {expected}")]
pub struct MissingSetting {
    /// The environment variable.
    pub name: &'static str,
    /// What it takes.
    pub expected: &'static str,
}

/// Where media is kept.
#[derive(Debug, Clone, Args)]
pub struct ObjectStore {
    /// Address of an S3-compatible store (R2, MinIO); AWS itself when not set.
    #[arg(long, env = "S3_ENDPOINT")]
    pub s3_endpoint: Option<String>,
    /// Region; `auto` for R2.
    #[arg(long, env = "S3_REGION", default_value = "auto")]
    pub s3_region: String,
    /// Bucket.
    #[arg(long, env = "S3_BUCKET")]
    pub s3_bucket: Option<String>,
    /// Public half of the key.
    #[arg(long, env = "S3_ACCESS_KEY_ID", hide_env_values = true)]
    pub s3_access_key_id: Option<String>,
    /// Secret half of the key.
    #[arg(long, env = "S3_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub s3_secret_access_key: Option<SecretString>,
    /// endpoint/bucket/key instead of bucket.endpoint/key; MinIO wants it.
    #[arg(long, env = "S3_PATH_STYLE", default_value_t = false, action = clap::ArgAction::Set)]
    pub s3_path_style: bool,
}

impl ObjectStore {
    /// Nothing is set: the embedded endpoint is meant.
    pub fn is_unset(&self) -> bool {
        self.s3_bucket.is_none()
            && self.s3_endpoint.is_none()
            && self.s3_access_key_id.is_none()
            && self.s3_secret_access_key.is_none()
    }

    /// The settings of a real store.
    ///
    /// # Errors
    /// [`MissingSetting`] for the first one that is not set.
    pub fn settings(&self) -> Result<storage::Settings, MissingSetting> {
        let missing = |name, expected| MissingSetting { name, expected };
        Ok(storage::Settings {
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            bucket: self.s3_bucket.clone().ok_or_else(|| missing("S3_BUCKET", "the name of the bucket"))?,
            access_key_id: self
                .s3_access_key_id
                .clone()
                .ok_or_else(|| missing("S3_ACCESS_KEY_ID", "the public half of the bucket's key"))?,
            secret_access_key: self
                .s3_secret_access_key
                .clone()
                .ok_or_else(|| missing("S3_SECRET_ACCESS_KEY", "the secret half of the bucket's key"))?,
            path_style: self.s3_path_style,
        })
    }
}

/// Who makes stills and clips.
#[derive(Debug, Clone, Args)]
pub struct Providers {
    /// Key of fal.ai, like id:secret.
    #[arg(long, env = "FAL_KEY", hide_env_values = true)]
    pub fal_key: Option<SecretString>,
    /// Webhooks must be signed for this fal user id; any user when not set.
    #[arg(long, env = "FAL_USER_ID")]
    pub fal_user_id: Option<String>,
    /// Key of the Gemini API.
    #[arg(long, env = "GEMINI_API_KEY", hide_env_values = true)]
    pub gemini_api_key: Option<SecretString>,
    /// Address of a provider simulator to use instead of fal.ai and Gemini.
    #[arg(long, env = "SIMULATOR_URL")]
    pub simulator_url: Option<Url>,
    /// Models for the stills of product videos, first choice first: ids of the catalogue.
    #[arg(long, env = "PRODUCT_STILL_MODELS", value_delimiter = ',', default_value = PRODUCT_STILL_MODELS)]
    pub product_still_models: Vec<String>,
    /// Models for the clip of product videos (transitions between two stills), first choice first.
    #[arg(long, env = "PRODUCT_CLIP_MODELS", value_delimiter = ',', default_value = PRODUCT_CLIP_MODELS)]
    pub product_clip_models: Vec<String>,
    /// Models for the still of try-on videos, first choice first.
    #[arg(long, env = "TRYON_STILL_MODELS", value_delimiter = ',', default_value = TRYON_STILL_MODELS)]
    pub tryon_still_models: Vec<String>,
    /// Models for the clip of try-on videos (motion of one still), first choice first.
    #[arg(long, env = "TRYON_CLIP_MODELS", value_delimiter = ',', default_value = TRYON_CLIP_MODELS)]
    pub tryon_clip_models: Vec<String>,
}

const PRODUCT_STILL_MODELS: &str = "gemini-nano-banana-2.1,google/nano-banana-2.1/edit,fal-ai/nano-banana-2/edit";
const PRODUCT_CLIP_MODELS: &str = "fal-ai/pika/v2.2/pikaframes,fal-ai/kling-video/v3/standard/image-to-video,\
     fal-ai/veo3.1/fast/first-last-frame-to-video";
const TRYON_STILL_MODELS: &str = "fal-ai/fashn/tryon/v1.6,fal-ai/kling/v1-5/kolors-virtual-try-on";
const TRYON_CLIP_MODELS: &str = "fal-ai/stable-video,fal-ai/pika/v2.2/image-to-video";

impl Providers {
    /// Which models stages are bought from.
    ///
    /// # Errors
    /// [`WrongModel`] names the variable and the first word in it that is no model of the catalogue for that stage.
    pub fn routes(&self, catalogue: &Catalogue) -> Result<Routes, WrongModel> {
        let read = |name, words: &[String], recipe, stage| {
            let roles = Routes::roles(recipe, stage);
            let named = |word: &str| {
                let mut rows = catalogue.rows().iter().filter(|row| roles.iter().any(|role| row.makes(*role)));
                rows.find(|row| row.id == word || row.model().to_string() == word).map(ModelRow::model)
            };
            let words = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty());
            let models: Result<Vec<ModelRef>, WrongModel> =
                words.map(|word| named(word).ok_or_else(|| WrongModel::new(name, word, roles, catalogue))).collect();
            models.and_then(|models| match models.is_empty() {
                true => Err(WrongModel::new(name, "", roles, catalogue)),
                false => Ok(models),
            })
        };
        Ok(Routes {
            product_stills: read(
                "PRODUCT_STILL_MODELS",
                &self.product_still_models,
                Recipe::ProductVideo,
                Stage::Stills,
            )?,
            product_clip: read("PRODUCT_CLIP_MODELS", &self.product_clip_models, Recipe::ProductVideo, Stage::Clip)?,
            tryon_still: read("TRYON_STILL_MODELS", &self.tryon_still_models, Recipe::TryonVideo, Stage::Stills)?,
            tryon_clip: read("TRYON_CLIP_MODELS", &self.tryon_clip_models, Recipe::TryonVideo, Stage::Clip)?,
        })
    }
}

/// A route that names what is no model for its stage.
#[derive(Debug, thiserror::Error)]
#[error("{name}: `{word}` cannot be used there; expected one or more of {expected}, separated by commas")]
pub struct WrongModel {
    name: &'static str,
    word: String,
    expected: String,
}

impl WrongModel {
    fn new(name: &'static str, word: &str, roles: &[Role], catalogue: &Catalogue) -> Self {
        let mut ids: Vec<&str> = (catalogue.rows().iter())
            .filter(|row| roles.iter().any(|role| row.makes(*role)))
            .map(|row| row.id.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        Self { name, word: word.to_owned(), expected: ids.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        providers: Providers,
    }

    fn routes(flags: &[&str]) -> Result<Routes, WrongModel> {
        let arguments = Arguments::parse_from([&["lookreel"], flags].concat());
        arguments.providers.routes(&Catalogue::embedded().unwrap())
    }

    #[test]
    fn every_default_is_a_model_for_its_stage() {
        let routes = routes(&[]).unwrap();
        assert!(routes.product_stills.len() > 1 && routes.product_clip.len() > 1);
        assert!(routes.tryon_still.len() > 1 && routes.tryon_clip.len() > 1);
    }

    #[test]
    fn a_model_for_another_stage_is_refused_with_what_there_is() {
        let wrong = routes(&["--product-clip-models", "fal-ai/pika/v2.2/pikaframes,fal-ai/stable-video"]).unwrap_err();
        let text = wrong.to_string();
        assert!(text.contains("PRODUCT_CLIP_MODELS: `fal-ai/stable-video`") && text.contains("wan-flf2v"), "{text}");
        assert!(routes(&["--tryon-still-models", ","]).is_err());
        assert_eq!(routes(&["--product-still-models", "gemini/gemini-3-pro-image"]).unwrap().product_stills.len(), 1);
    }
}
