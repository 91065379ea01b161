//! Models as pages show them: what they cost, where they are used, how they do.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{MicroUsd, Recipe, Stage};

/// Longest reason for a change of the catalogue, in characters.
pub const REASON_MAX_CHARS: usize = 500;

/// A model that ends within so many days wants attention.
pub const RETIRES_SOON_DAYS: u16 = 30;

/// The page of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsView {
    /// Every model of the catalogue: those in use first, in the order of the flow.
    pub models: Vec<ModelView>,
    /// The figures are of so many days.
    pub figures_days: u16,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelView {
    /// `provider/id`.
    pub name: String,
    /// Provider word.
    pub provider: String,
    /// What the provider calls it.
    pub id: String,
    /// There is a key for the provider.
    pub has_key: bool,
    /// Where it stands in the routes.
    pub places: Vec<RoutePlace>,
    /// What it costs today; of a model that is not sold yet, what it will cost first.
    pub prices: Vec<PriceAmount>,
    /// What the amounts are the price of.
    pub unit: PriceUnit,
    /// What one call of the usual kind costs today: a still, or a clip of the usual length and size.
    pub usual_price: Option<MicroUsd>,
    /// First day of the price.
    #[serde(with = "crate::calendar")]
    pub valid_from: NaiveDate,
    /// Prices that are not in force yet, the next one first.
    pub scheduled: Vec<ScheduledPrice>,
    /// Where the price was read.
    pub source: String,
    /// First day it is not bought any more.
    #[serde(with = "crate::calendar::optional")]
    pub retires_on: Option<NaiveDate>,
    /// Its calls of the last days; none without calls.
    pub figures: Option<ModelFigures>,
    /// Changes by people, newest first.
    pub history: Vec<ModelChange>,
}

/// A price that begins on a day to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledPrice {
    /// Its first day.
    #[serde(with = "crate::calendar")]
    pub valid_from: NaiveDate,
    /// What it will cost.
    pub prices: Vec<PriceAmount>,
    /// What one call of the usual kind will cost.
    pub usual_price: Option<MicroUsd>,
}

/// A place in a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutePlace {
    /// The recipe.
    pub recipe: Recipe,
    /// Its stage.
    pub stage: Stage,
    /// 1 is the first choice.
    pub place: u8,
}

/// One amount of a price, in the words of the catalogue's file: `720p`, `1K`, `image_per_million`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceAmount {
    /// What it is for.
    pub key: String,
    /// How much.
    pub amount: MicroUsd,
}

/// What a price is the price of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceUnit {
    /// A million tokens.
    MillionTokens,
    /// A still.
    Still,
    /// A second of a clip.
    Second,
    /// A clip of any length.
    Clip,
}

/// How the calls of a model went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFigures {
    /// Calls that ended, well or not.
    pub calls: u32,
    /// Of these, how many gave no result.
    pub failed: u32,
    /// Results whose generation has ended.
    pub judged: u32,
    /// Of these, how many became part of a published video.
    pub published: u32,
    /// Half of the results took no longer than this, in milliseconds.
    pub half_ms: Option<u32>,
    /// Nineteen of twenty took no longer than this, in milliseconds.
    pub most_ms: Option<u32>,
    /// What its calls cost on average.
    pub average: Option<MicroUsd>,
}

/// A change of the catalogue that a person made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChange {
    /// When.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// What.
    pub kind: ModelChangeKind,
    /// The day it holds from; none where a retirement was taken back.
    #[serde(with = "crate::calendar::optional")]
    pub day: Option<NaiveDate>,
    /// The amounts of a new price.
    pub prices: Vec<PriceAmount>,
    /// Why.
    pub reason: String,
}

/// What a person can change of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelChangeKind {
    /// A new price.
    Price,
    /// A price that does not begin after all.
    Withdrawal,
    /// It is bought until a day, or for longer again.
    Retirement,
}

/// A model in use that is not bought any more from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiringModel {
    /// `provider/id`.
    pub name: String,
    /// What the provider calls it.
    pub id: String,
    /// The first day without it; may be past.
    #[serde(with = "crate::calendar")]
    pub on: NaiveDate,
    /// What becomes of the routes it stands in.
    pub routes: Vec<RouteAfter>,
}

/// A route once a model of it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteAfter {
    /// The recipe.
    pub recipe: Recipe,
    /// Its stage.
    pub stage: Stage,
    /// What the provider calls the model that is asked first then; none when there is nothing to ask.
    pub next: Option<String>,
}

impl RouteAfter {
    /// The setting that names the models of the route; nothing for a stage that pays nobody.
    pub const fn setting(&self) -> &'static str {
        match (self.recipe, self.stage) {
            (Recipe::ProductVideo, Stage::Stills) => "PRODUCT_STILL_MODELS",
            (Recipe::ProductVideo, Stage::Clip) => "PRODUCT_CLIP_MODELS",
            (Recipe::TryonVideo, Stage::Stills) => "TRYON_STILL_MODELS",
            (Recipe::TryonVideo, Stage::Clip) => "TRYON_CLIP_MODELS",
            (_, Stage::Encode | Stage::Publish) => "",
        }
    }
}
