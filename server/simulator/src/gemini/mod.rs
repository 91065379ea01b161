//! Google's `generateContent` as far as image models go: what is asked, what
//! it costs, and the shapes of answers and refusals.

mod answer;
mod model;
mod question;

pub(crate) use answer::{Reply, google_error, refuse_as_google};
pub(crate) use model::{MODELS, Model};
pub(crate) use question::Question;
