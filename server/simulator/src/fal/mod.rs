//! fal.ai's queue: which models there are, how a request runs, how its end is told.

mod delivery;
mod detail;
mod fetch;
mod model;
mod pikaframes;
mod runner;
mod signature;

pub(crate) use delivery::deliver;
pub(crate) use detail::{Detail, detail_body};
pub(crate) use fetch::fetch_picture;
pub(crate) use model::{Model, Work, app_of};
pub(crate) use pikaframes::Transition;
pub(crate) use runner::{resume, run};
pub(crate) use signature::WebhookSigner;
