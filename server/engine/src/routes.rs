//! Routes: which models a stage of a recipe is bought from, the first choice and what takes its place.

use domain::{MicroUsd, Options, Recipe, Stage};
use providers::{ClipOrder, ModelRef, NoMaker, NoPrice, Order, Role, StillOrder, StillSize};

use crate::{Engine, Error};

/// The models of every paid stage, first choice first. A stage without models cannot be bought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// The stills of `product_video`.
    pub product_stills: Vec<ModelRef>,
    /// The clip of `product_video`: models that move from one still to another.
    pub product_clip: Vec<ModelRef>,
    /// The still of `tryon_video`.
    pub tryon_still: Vec<ModelRef>,
    /// The clip of `tryon_video`: models that move one still.
    pub tryon_clip: Vec<ModelRef>,
}

impl Routes {
    /// The models of a stage, first choice first; none for stages that pay nobody.
    pub fn of(&self, recipe: Recipe, stage: Stage) -> &[ModelRef] {
        match (recipe, stage) {
            (Recipe::ProductVideo, Stage::Stills) => &self.product_stills,
            (Recipe::ProductVideo, Stage::Clip) => &self.product_clip,
            (Recipe::TryonVideo, Stage::Stills) => &self.tryon_still,
            (Recipe::TryonVideo, Stage::Clip) => &self.tryon_clip,
            (_, Stage::Encode | Stage::Publish) => &[],
        }
    }

    /// Every model of any route, each once.
    pub fn models(&self) -> Vec<&ModelRef> {
        let mut models: Vec<&ModelRef> = Vec::new();
        let routes = [&self.product_stills, &self.product_clip, &self.tryon_still, &self.tryon_clip];
        for model in routes.into_iter().flatten() {
            if !models.contains(&model) {
                models.push(model);
            }
        }
        models
    }

    /// What a model must be able to do to stand in the route of a stage.
    pub const fn roles(recipe: Recipe, stage: Stage) -> &'static [Role] {
        match (recipe, stage) {
            (_, Stage::Stills) => &[Role::Still, Role::TryOn],
            (Recipe::ProductVideo, Stage::Clip) => &[Role::Transition],
            (Recipe::TryonVideo, Stage::Clip) => &[Role::Motion],
            (_, Stage::Encode | Stage::Publish) => &[],
        }
    }
}

/// A model chosen from a route, and what a call to it costs.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) model: ModelRef,
    pub(crate) price_version: String,
    pub(crate) order: Order,
    pub(crate) estimate: MicroUsd,
    /// Models before it that cannot be asked now, and why.
    pub(crate) passed_over: Vec<(ModelRef, NoMaker)>,
}

impl Engine {
    /// The first model of a route that can be asked now and was not tried before. No price, no call.
    pub(crate) fn choose(&self, stage: Stage, options: &Options, tried: &[String]) -> Result<Choice, Error> {
        let route = self.settings().routes.of(options.recipe, stage);
        let mut passed_over = Vec::new();
        for model in route.iter().filter(|model| !tried.contains(&model.to_string())) {
            match self.price(model, stage, options) {
                Ok((price_version, order, estimate)) => {
                    return Ok(Choice { model: model.clone(), price_version, order, estimate, passed_over });
                }
                Err(reason) => passed_over.push((model.clone(), reason)),
            }
        }
        for (model, reason) in &passed_over {
            tracing::warn!(%model, %reason, "{model} cannot be asked: {reason}");
        }
        let name = passed_over.first().map_or_else(|| stage.to_string(), |(model, _)| model.to_string());
        Err(Error::NoPrice(name))
    }

    /// What one call of a stage costs with the dearest model of its route that can be asked now; none where none can.
    pub(crate) fn dearest(&self, stage: Stage, options: &Options) -> Option<MicroUsd> {
        let route = self.settings().routes.of(options.recipe, stage);
        let prices = route.iter().filter_map(|model| self.price(model, stage, options).ok());
        prices.map(|(_, _, estimate)| estimate).max()
    }

    fn price(&self, model: &ModelRef, stage: Stage, options: &Options) -> Result<(String, Order, MicroUsd), NoMaker> {
        if !self.makers().has_key(model.provider) {
            return Err(NoMaker::NotConfigured(model.provider));
        }
        let (catalogue, now) = (self.catalogue(), self.now());
        let row = catalogue.offer(model, now)?;
        if !Routes::roles(options.recipe, stage).iter().any(|role| row.makes(*role)) {
            return Err(NoPrice::NotOffered(model.to_string(), "not for this recipe").into());
        }
        let order: Order = match stage {
            Stage::Stills => StillOrder { size: StillSize::K1, pictures: 1 + u32::from(row.needs_person) }.into(),
            _ => ClipOrder { duration: options.duration, resolution: options.resolution, fps: None }.into(),
        };
        let estimate = catalogue.quote(model, &order, now)?;
        Ok((row.price_version.clone(), order, estimate))
    }
}
