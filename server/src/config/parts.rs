//! Settings of the parts that can be embedded.

use anyhow::Context as _;
use clap::Args;
use secrecy::SecretString;
use url::Url;

use super::{
    routes,
    setting::{S3_ACCESS_KEY_ID, S3_BUCKET, S3_SECRET_ACCESS_KEY, WrongSetting},
    value,
};

/// Where media is kept.
#[derive(Debug, Clone, Args)]
pub struct ObjectStore {
    /// Address of an S3-compatible store (R2, MinIO); AWS itself when not set.
    #[arg(long, env = "S3_ENDPOINT", value_parser = value::web_address_text)]
    pub s3_endpoint: Option<String>,
    /// Region; `auto` for R2.
    #[arg(long, env = "S3_REGION", default_value = "auto")]
    pub s3_region: String,
    /// Bucket.
    #[arg(long, env = "S3_BUCKET", value_parser = value::bucket)]
    pub s3_bucket: Option<String>,
    /// Public half of the key.
    #[arg(long, env = "S3_ACCESS_KEY_ID", hide_env_values = true)]
    pub s3_access_key_id: Option<String>,
    /// Secret half of the key.
    #[arg(long, env = "S3_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub s3_secret_access_key: Option<SecretString>,
    /// endpoint/bucket/key instead of bucket.endpoint/key; MinIO wants it.
    #[arg(long, env = "S3_PATH_STYLE", default_value_t = false, action = clap::ArgAction::Set, value_parser = value::switch)]
    pub s3_path_style: bool,
    /// Tags posters for a lifecycle rule (AWS, MinIO); R2 refuses tags. `true` on AWS, `false` elsewhere when not set.
    #[arg(long, env = "S3_OBJECT_TAGS", value_parser = value::switch)]
    pub s3_object_tags: Option<bool>,
}

impl ObjectStore {
    /// Nothing is set: the embedded endpoint is meant.
    pub fn is_unset(&self) -> bool {
        self.s3_bucket.is_none()
            && self.s3_endpoint.is_none()
            && self.s3_access_key_id.is_none()
            && self.s3_secret_access_key.is_none()
    }

    /// Opens the store of the settings.
    ///
    /// # Errors
    /// [`WrongSetting`] for the first one that is not set; what the store says of others.
    pub async fn connect(&self) -> anyhow::Result<storage::Store> {
        let store = storage::Store::connect(self.settings()?).await.context("the object store")?;
        Ok(match self.s3_object_tags {
            Some(has_tags) => store.with_tags(has_tags),
            None => store,
        })
    }

    /// The settings of a real store.
    ///
    /// # Errors
    /// [`WrongSetting`] for the first one that is not set.
    fn settings(&self) -> Result<storage::Settings, WrongSetting> {
        Ok(storage::Settings {
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            bucket: self.s3_bucket.clone().ok_or_else(|| S3_BUCKET.missing())?,
            access_key_id: self.s3_access_key_id.clone().ok_or_else(|| S3_ACCESS_KEY_ID.missing())?,
            secret_access_key: self.s3_secret_access_key.clone().ok_or_else(|| S3_SECRET_ACCESS_KEY.missing())?,
            path_style: self.s3_path_style,
        })
    }
}

/// Who makes stills and clips.
#[derive(Debug, Clone, Args)]
pub struct Providers {
    /// Key of fal.ai, like id:secret.
    #[arg(long, env = "FAL_KEY", hide_env_values = true, value_parser = value::key)]
    pub fal_key: Option<SecretString>,
    /// Webhooks must be signed for this fal user id; any user when not set.
    #[arg(long, env = "FAL_USER_ID")]
    pub fal_user_id: Option<String>,
    /// Key of the Gemini API.
    #[arg(long, env = "GEMINI_API_KEY", hide_env_values = true, value_parser = value::key)]
    pub gemini_api_key: Option<SecretString>,
    /// Address of a provider simulator to use instead of fal.ai and Gemini.
    #[arg(long, env = "SIMULATOR_URL", value_parser = value::web_address)]
    pub simulator_url: Option<Url>,
    /// Models for the stills of product videos, first choice first: ids of the catalogue.
    #[arg(long, env = "PRODUCT_STILL_MODELS", value_delimiter = ',', default_value = routes::PRODUCT_STILL_MODELS)]
    pub product_still_models: Vec<String>,
    /// Models for the clip of product videos (transitions between two stills), first choice first.
    #[arg(long, env = "PRODUCT_CLIP_MODELS", value_delimiter = ',', default_value = routes::PRODUCT_CLIP_MODELS)]
    pub product_clip_models: Vec<String>,
    /// Models for the still of try-on videos, first choice first.
    #[arg(long, env = "TRYON_STILL_MODELS", value_delimiter = ',', default_value = routes::TRYON_STILL_MODELS)]
    pub tryon_still_models: Vec<String>,
    /// Models for the clip of try-on videos (motion of one still), first choice first.
    #[arg(long, env = "TRYON_CLIP_MODELS", value_delimiter = ',', default_value = routes::TRYON_CLIP_MODELS)]
    pub tryon_clip_models: Vec<String>,
}
