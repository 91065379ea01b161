//! Which models stages are bought from: lists of ids, checked against the catalogue when the program starts.

use domain::{Recipe, Stage};
use engine::Routes;
use providers::{Catalogue, ModelRef, catalogue::ModelRow};

use super::{
    Providers,
    setting::{self, Setting, WrongSetting},
};

pub const PRODUCT_STILL_MODELS: &str = "gemini-nano-banana-2.1,google/nano-banana-2.1/edit,fal-ai/nano-banana-2/edit";
pub const PRODUCT_CLIP_MODELS: &str = "fal-ai/pika/v2.2/pikaframes,fal-ai/kling-video/v3/standard/image-to-video,\
     fal-ai/veo3.1/fast/first-last-frame-to-video";
pub const TRYON_STILL_MODELS: &str = "fal-ai/fashn/tryon/v1.6,fal-ai/kling/v1-5/kolors-virtual-try-on";
pub const TRYON_CLIP_MODELS: &str = "fal-ai/stable-video,fal-ai/pika/v2.2/image-to-video";

impl Providers {
    /// Which models stages are bought from.
    ///
    /// # Errors
    /// [`WrongSetting`] names the first word that is no model of the catalogue for its stage, and those that are.
    pub fn routes(&self, catalogue: &Catalogue) -> Result<Routes, WrongSetting> {
        let (product, tryon) = (Recipe::ProductVideo, Recipe::TryonVideo);
        let read = |setting, words, recipe, stage| route(catalogue, setting, words, recipe, stage);
        Ok(Routes {
            product_stills: read(setting::PRODUCT_STILL_MODELS, &self.product_still_models, product, Stage::Stills)?,
            product_clip: read(setting::PRODUCT_CLIP_MODELS, &self.product_clip_models, product, Stage::Clip)?,
            tryon_still: read(setting::TRYON_STILL_MODELS, &self.tryon_still_models, tryon, Stage::Stills)?,
            tryon_clip: read(setting::TRYON_CLIP_MODELS, &self.tryon_clip_models, tryon, Stage::Clip)?,
        })
    }
}

fn route(
    catalogue: &Catalogue,
    setting: Setting,
    words: &[String],
    recipe: Recipe,
    stage: Stage,
) -> Result<Vec<ModelRef>, WrongSetting> {
    let roles = Routes::roles(recipe, stage);
    let fitting: Vec<&ModelRow> =
        catalogue.rows().iter().filter(|row| roles.iter().any(|role| row.makes(*role))).collect();
    let wrong = |word: &str| {
        let mut known: Vec<&str> = fitting.iter().map(|row| row.id.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        setting.wrong(word).expecting(format!("{}: {}", setting.expected, known.join(", ")))
    };
    let words: Vec<&str> = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err(wrong(""));
    }
    let named = |word: &str| {
        let row = fitting.iter().find(|row| row.id == word || row.model().to_string() == word);
        row.map(|row| row.model()).ok_or_else(|| wrong(word))
    };
    words.into_iter().map(named).collect()
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

    fn routes(flags: &[&str]) -> Result<Routes, WrongSetting> {
        let arguments = Arguments::parse_from([&["lookreel"], flags].concat());
        arguments.providers.routes(&Catalogue::embedded().unwrap())
    }

    #[test]
    fn what_people_are_told_to_set_is_what_is_set() {
        let said = |recipe, stage| domain::models::RouteAfter { recipe, stage, next: None }.setting();
        let (product, tryon) = (Recipe::ProductVideo, Recipe::TryonVideo);
        assert_eq!(said(product, Stage::Stills), setting::PRODUCT_STILL_MODELS.variable);
        assert_eq!(said(product, Stage::Clip), setting::PRODUCT_CLIP_MODELS.variable);
        assert_eq!(said(tryon, Stage::Stills), setting::TRYON_STILL_MODELS.variable);
        assert_eq!(said(tryon, Stage::Clip), setting::TRYON_CLIP_MODELS.variable);
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
        assert!(
            text.contains("PRODUCT_CLIP_MODELS (--product-clip-models) is `fal-ai/stable-video`")
                && text.contains("wan-flf2v"),
            "{text}"
        );
        assert!(routes(&["--tryon-still-models", ","]).is_err());
        assert_eq!(routes(&["--product-still-models", "gemini/gemini-3-pro-image"]).unwrap().product_stills.len(), 1);
    }
}
