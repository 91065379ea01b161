//! What the simulator keeps on disk: who asked for what, what it costs, the
//! files it hands out and the faults it was told to show.

mod disk;
mod faults;
mod invoice;
mod media;
mod parts;
mod requests;

pub(crate) use disk::{off_thread, read_json, replace_file, replace_json};
pub(crate) use faults::{Block, Call, Fault, FaultList, Rule, Step};
pub(crate) use invoice::{Entry, Invoice, Provider};
pub(crate) use media::{MediaFile, MediaShelf, Origin};
pub(crate) use parts::PartShelf;
pub(crate) use requests::{FalRequest, LogLine, Outcome, RequestBook, RequestState, WebhookOrder};
