//! One row of the catalogue: one version of one model.

use chrono::{NaiveDate, TimeDelta};
use domain::MicroUsd;
use serde::{Deserialize, Serialize};

use super::{DurationCodec, InputMapping, NoPrice, OutputMapping, PictureFields, PriceRule, Unit};
use crate::{BillableUnits, Bought, ClipOrder, ModelRef, Order, Provider, StillOrder};

/// Photos a model may take.
const PHOTO_TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// What a model makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A still of somebody wearing the garment, by a prompt.
    Still,
    /// A still of a given person wearing the garment.
    TryOn,
    /// A clip between two stills.
    Transition,
    /// A clip from one still.
    Motion,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Still, Self::TryOn, Self::Transition, Self::Motion];

    /// The word in the file and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::TryOn => "try_on",
            Self::Transition => "transition",
            Self::Motion => "motion",
        }
    }

    /// It makes stills, not clips.
    pub const fn makes_stills(self) -> bool {
        matches!(self, Self::Still | Self::TryOn)
    }
}

/// What follows when a paid request was sent, no answer came, and the provider cannot be asked what became of it. Requests
/// that can be looked up are looked up first, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// A person decides.
    Ask,
    /// Buy again, below the price the owner sets: both are on the bill.
    Repeat,
}

/// What a model takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLimits {
    /// Pictures in one request, that of the person included.
    pub photos_max: u32,
    /// Bytes of one picture.
    pub photo_max_bytes: usize,
    /// Media types it reads.
    pub photo_types: Vec<String>,
}

/// One version of one model: what it takes, how it is asked and what it costs from a day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRow {
    /// Who runs it.
    pub provider: Provider,
    /// Its id there.
    pub id: String,
    /// What it makes; either kinds of stills or kinds of clips.
    pub roles: Vec<Role>,
    /// Name of this version of the price, kept with every call bought at it.
    pub price_version: String,
    /// First day of this row.
    pub valid_from: NaiveDate,
    /// First day this row is no longer in force; without one it is until a newer one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// First day the provider, or the owner, no longer runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires_on: Option<NaiveDate>,
    /// Where the price was read.
    pub source: String,
    /// What to do with a lost answer that nobody can find.
    pub in_doubt: InDoubt,
    /// It needs a picture of the person who wears the garment.
    #[serde(default)]
    pub needs_person: bool,
    /// What it takes.
    pub limits: InputLimits,
    /// Which fields take what; for endpoints of fal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputMapping>,
    /// How it wants a length; clips only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<DurationCodec>,
    /// Where the file is in its answer; for endpoints of fal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputMapping>,
    /// The unit the provider's bill counts in; for endpoints of fal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What it costs.
    pub price: PriceRule,
}

impl ModelRow {
    /// The model this row is about.
    pub fn model(&self) -> ModelRef {
        ModelRef { provider: self.provider, id: self.id.clone() }
    }

    /// Whether the row is about this model.
    pub fn is_of(&self, model: &ModelRef) -> bool {
        self.provider == model.provider && self.id == model.id
    }

    /// Whether it makes this.
    pub fn makes(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the model has been switched off by a day.
    pub fn is_retired(&self, today: NaiveDate) -> bool {
        self.retires_on.is_some_and(|day| day <= today)
    }

    /// The day the model is switched off, when that is at most `days` away or past.
    pub fn retires_within(&self, days: u16, today: NaiveDate) -> Option<NaiveDate> {
        self.retires_on.filter(|day| *day - today <= TimeDelta::days(i64::from(days)))
    }

    /// The length that is bought for an order.
    ///
    /// # Errors
    /// [`NoPrice::NotOffered`] when it makes none as long.
    pub fn bought(&self, order: &ClipOrder) -> Result<Bought, NoPrice> {
        let codec = self.duration.as_ref().ok_or_else(|| self.refuse("it does not make clips"))?;
        codec.bought(order).ok_or_else(|| self.refuse("not of this length"))
    }

    /// What an order costs by this row; for tokens the most it is expected to cost.
    ///
    /// # Errors
    /// [`NoPrice::NotOffered`] when it makes nothing of that kind, size or length.
    pub fn price_of(&self, order: &Order) -> Result<MicroUsd, NoPrice> {
        let price = match order {
            Order::Still(still) => {
                // More than it takes are not sent.
                let sent = StillOrder { pictures: still.pictures.min(self.limits.photos_max), ..*still };
                match &self.price {
                    PriceRule::Tokens(tokens) => tokens.quote(&sent),
                    PriceRule::PerStill(price) => price.price(&sent),
                    PriceRule::PerSecond(_) | PriceRule::PerClip(_) => return Err(self.refuse("it makes clips")),
                }
            }
            Order::Clip(clip) => match &self.price {
                PriceRule::PerSecond(price) => price.price(&self.bought(clip)?, clip.resolution),
                PriceRule::PerClip(price) => price.price(&self.bought(clip)?, clip.resolution),
                PriceRule::Tokens(_) | PriceRule::PerStill(_) => return Err(self.refuse("it makes stills")),
            },
        };
        price.ok_or_else(|| self.refuse("not of this size"))
    }

    /// What the units on the provider's bill cost; none where the row does not say what a unit is.
    pub fn charge(&self, units: BillableUnits, order: &Order) -> Option<MicroUsd> {
        let unit = self.unit.as_ref()?;
        if unit.scaled {
            return Some(units.cost_of(MicroUsd::new(unit.micro_usd), unit.of));
        }
        let rate = match (&self.price, order) {
            (PriceRule::PerSecond(price), Order::Clip(clip)) => price.rate(clip.resolution)?,
            _ => self.price_of(order).ok()?,
        };
        Some(units.cost(rate))
    }

    /// What keeps two rows of one model from standing side by side.
    pub(super) fn clash(&self, other: &Self) -> Option<&'static str> {
        if self.valid_from == other.valid_from {
            Some("two rows of the model begin on the same day")
        } else if self.price_version == other.price_version {
            Some("two rows of the model have the same price_version")
        } else {
            None
        }
    }

    /// The first contradiction in the row.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let stills = self.roles.iter().filter(|role| role.makes_stills()).count();
        let says = |text: &str| !text.trim().is_empty();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
        if !says(&self.id) || !says(&self.price_version) || !says(&self.source) {
            Some("id, price_version and source must say something")
        } else if !self.id.bytes().all(is_plain)
            || self.id.split('/').any(|part| part.is_empty() || part.starts_with('.'))
        {
            Some("the id is made of letters, digits, `-`, `_` and `.`, with `/` between its parts")
        } else if self
            .roles
            .iter()
            .enumerate()
            .any(|(at, role)| self.roles.iter().skip(at + 1).any(|other| other == role))
        {
            Some("a role stands there twice")
        } else if self.limits.photos_max == 0 || self.limits.photo_types.is_empty() {
            Some("limits: it takes at least one photo of at least one type")
        } else if self.limits.photo_types.iter().any(|word| !PHOTO_TYPES.contains(&word.as_str())) {
            Some("limits: photo_types are image/jpeg, image/png and image/webp")
        } else if self.roles.is_empty() || (stills != 0 && stills != self.roles.len()) {
            Some("roles must be kinds of stills or kinds of clips")
        } else if !self.price_fits(stills != 0) {
            Some("the price rule does not fit the role")
        } else if !self.price.is_positive()
            || self.unit.as_ref().is_some_and(|unit| unit.micro_usd <= 0 || unit.of == 0)
        {
            Some("a price that is not above nothing")
        } else if self.needs_person != self.makes(Role::TryOn) {
            Some("a try-on model needs a person, and only such a model")
        } else if self.retires_on.is_some_and(|day| day < self.valid_from)
            || self.valid_to.is_some_and(|day| day <= self.valid_from)
        {
            Some("it ends before it begins")
        } else {
            self.mapping_fault()
        }
    }

    fn price_fits(&self, stills: bool) -> bool {
        match &self.price {
            PriceRule::Tokens(_) => stills && self.provider == Provider::Gemini,
            PriceRule::PerStill(_) => stills && self.provider == Provider::Fal,
            PriceRule::PerSecond(_) | PriceRule::PerClip(_) => {
                !stills && self.duration.as_ref().is_some_and(|codec| !codec.is_faulty())
            }
        }
    }

    fn mapping_fault(&self) -> Option<&'static str> {
        let (input, output) = match (self.provider, &self.input, &self.output) {
            (Provider::Gemini, None, None) => return None,
            (Provider::Gemini, ..) => return Some("a model of Gemini has no mapping"),
            (Provider::Fal, Some(input), Some(output)) => (input, output),
            (Provider::Fal, ..) => return Some("an endpoint of fal needs input and output"),
        };
        let takes_last = matches!(&input.pictures, PictureFields::Frames { last: Some(_), .. });
        let takes_list = matches!(&input.pictures, PictureFields::List { .. });
        let takes_person = matches!(&input.pictures, PictureFields::TryOn { .. });
        if takes_person != self.makes(Role::TryOn) {
            Some("a try-on model has fields for garment and person, and only such a model")
        } else if self.makes(Role::Transition) && !(takes_last || takes_list) {
            Some("a transition needs a field for the last picture")
        } else if input.motion.as_ref().is_some_and(|motion| !motion.is_range()) {
            Some("motion: min, default and max are out of order")
        } else if !output.file.starts_with('/') {
            Some("output.file is a JSON pointer and begins with /")
        } else {
            None
        }
    }

    fn refuse(&self, reason: &'static str) -> NoPrice {
        NoPrice::NotOffered(self.model().to_string(), reason)
    }
}
