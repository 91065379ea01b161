//! fal.ai's queue: which models there are, how a request runs, how its end is told.

mod accept;
mod delivery;
mod detail;
mod fetch;
mod input;
mod models;
mod outcome;
mod produce;
mod runner;
mod signature;
mod work;

pub(crate) use accept::{Wishes, accept, lifetime_of, void_charge};
pub(crate) use delivery::deliver;
pub(crate) use detail::{Detail, detail_body};
pub(crate) use fetch::fetch_picture;
pub(crate) use input::{Input, Source};
pub(crate) use models::{Model, app_of, endpoints, prompt_of};
pub(crate) use outcome::cancelled;
pub(crate) use produce::spoil;
pub(crate) use runner::{resume, run, run_in};
pub(crate) use signature::WebhookSigner;
pub(crate) use work::{Output, Task, TryOnSize, Work};
