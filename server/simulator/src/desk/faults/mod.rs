//! Faults by script: what goes wrong, whom it meets, how often.

mod fault;
mod list;
mod rule;

pub(crate) use fault::{Block, Fault, Step};
pub(crate) use list::FaultList;
pub(crate) use rule::{Call, Rule};
