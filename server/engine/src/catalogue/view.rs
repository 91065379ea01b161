//! The page of models.

use chrono::{NaiveDate, TimeDelta};
use domain::{
    Options, Recipe, Stage,
    models::{
        ModelView, ModelsView, PriceAmount, PriceUnit, RETIRES_SOON_DAYS, RetiringModel, RouteAfter, RoutePlace,
        ScheduledPrice,
    },
};
use providers::{
    ClipOrder, ModelRef, Order, StillOrder, StillSize,
    catalogue::{ModelRow, PriceRule},
};

use super::store;
use crate::{Engine, Error};

/// Figures are of the calls that ended in so many days.
const FIGURES_DAYS: u16 = 30;
/// Changes by people that are shown of one model.
const CHANGES_MOST: i64 = 10;

impl Engine {
    /// Every model, also one that is not sold yet: what it costs today, where it is used, how its calls went lately, what people changed.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn models(&self) -> Result<ModelsView, Error> {
        let now = self.now();
        let mut conn = self.pg().acquire().await?;
        let mut figures = store::figures(&mut conn, now - TimeDelta::days(i64::from(FIGURES_DAYS))).await?;
        let mut history = store::changes(&mut conn, CHANGES_MOST).await?;
        drop(conn);
        let catalogue = self.catalogue();
        let today = self.today();
        let mut models: Vec<ModelView> = catalogue
            .models(now)
            .chain(catalogue.models_to_come(now))
            .map(|row| {
                let name = row.model().to_string();
                ModelView {
                    provider: row.provider.to_string(),
                    id: row.id.clone(),
                    has_key: self.makers().has_key(row.provider),
                    places: self.places(&row.model()),
                    prices: prices(row),
                    unit: unit(&row.price),
                    usual_price: row.price_of(&usual_order(row)).ok().filter(|_| row.valid_from <= today),
                    valid_from: row.valid_from,
                    scheduled: catalogue.coming(&row.model(), now).into_iter().map(scheduled).collect(),
                    source: row.source.clone(),
                    retires_on: row.retires_on,
                    figures: figures.remove(&name),
                    history: history.remove(&name).unwrap_or_default(),
                    name,
                }
            })
            .collect();
        let rank = |model: &ModelView| {
            let first = model.places.first().map(|place| (place.recipe as u8, place.stage as u8, place.place));
            (first.is_none(), first, model.name.clone())
        };
        models.sort_by_key(rank);
        Ok(ModelsView { models, figures_days: FIGURES_DAYS })
    }

    /// Models of the routes that end within [`RETIRES_SOON_DAYS`] or have ended, soonest first.
    pub fn retiring_models(&self) -> Vec<RetiringModel> {
        let (catalogue, today) = (self.catalogue(), self.today());
        let retiring = self.settings().routes.models().into_iter().filter_map(|model| {
            let on = catalogue.row_on(model, today).ok()?.retires_within(RETIRES_SOON_DAYS, today)?;
            let routes = self.places(model).into_iter();
            let routes = routes.map(|RoutePlace { recipe, stage, .. }| RouteAfter {
                recipe,
                stage,
                next: self.first_of(recipe, stage, on.max(today)).map(|model| model.id.clone()),
            });
            Some(RetiringModel { name: model.to_string(), id: model.id.clone(), on, routes: routes.collect() })
        });
        let mut retiring: Vec<_> = retiring.collect();
        retiring.sort_by_key(|model| model.on);
        retiring
    }

    /// The model a stage is bought from on a day, as far as is known today.
    fn first_of(&self, recipe: Recipe, stage: Stage, day: NaiveDate) -> Option<&ModelRef> {
        let catalogue = self.catalogue();
        self.settings().routes.of(recipe, stage).iter().find(|model| {
            let row = catalogue.row_on(model, day);
            self.makers().has_key(model.provider) && row.is_ok_and(|row| !row.is_retired(day))
        })
    }

    fn places(&self, model: &ModelRef) -> Vec<RoutePlace> {
        let stages = Recipe::ALL.into_iter().flat_map(|recipe| [(recipe, Stage::Stills), (recipe, Stage::Clip)]);
        stages
            .filter_map(|(recipe, stage)| {
                let place = self.settings().routes.of(recipe, stage).iter().position(|one| one == model)?;
                Some(RoutePlace { recipe, stage, place: u8::try_from(place + 1).unwrap_or(u8::MAX) })
            })
            .collect()
    }
}

fn scheduled(row: &ModelRow) -> ScheduledPrice {
    ScheduledPrice {
        valid_from: row.valid_from,
        prices: prices(row),
        usual_price: row.price_of(&usual_order(row)).ok(),
    }
}

/// The amounts of a row, as pages show them.
pub(super) fn prices(row: &ModelRow) -> Vec<PriceAmount> {
    row.amounts().into_iter().map(|(key, amount)| PriceAmount { key, amount }).collect()
}

const fn unit(price: &PriceRule) -> PriceUnit {
    match price {
        PriceRule::Tokens(_) => PriceUnit::MillionTokens,
        PriceRule::PerStill(_) => PriceUnit::Still,
        PriceRule::PerSecond(_) => PriceUnit::Second,
        PriceRule::PerClip(_) => PriceUnit::Clip,
    }
}

/// One still, or a clip of the length and size that are chosen when nobody chooses.
fn usual_order(row: &ModelRow) -> Order {
    let options = Options::default();
    if row.roles.iter().any(|role| role.makes_stills()) {
        StillOrder { size: StillSize::K1, pictures: 1 + u32::from(row.needs_person) }.into()
    } else {
        ClipOrder { duration: options.duration, resolution: options.resolution, fps: None }.into()
    }
}
