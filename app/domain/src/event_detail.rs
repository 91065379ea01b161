//! What the details of some events say: written by the engine, read by the timeline, shaped here.

use std::fmt;

use crate::MicroUsd;

/// The detail of [`crate::generation::EventKind::RouteSwitched`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSwitch {
    /// The model that was given up, as `provider/id`.
    pub from: String,
    /// The model in its place.
    pub to: String,
    /// What was wrong with the first, in the provider's words or ours.
    pub reason: String,
}

impl RouteSwitch {
    /// Reads what its `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, rest) = text.split_once(" → ")?;
        let (to, reason) = rest.split_once(": ")?;
        Some(Self { from: from.to_owned(), to: to.to_owned(), reason: reason.to_owned() })
    }
}

impl fmt::Display for RouteSwitch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} → {}: {}", self.from, self.to, self.reason)
    }
}

/// The detail of [`crate::generation::EventKind::RetryScheduled`], where the try counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledTry {
    /// Which try it will be, from 2.
    pub number: u16,
    /// How many there are.
    pub of: u16,
    /// How long after the event it comes.
    pub wait_ms: u64,
    /// What was wrong with the last one, in the provider's words or ours.
    pub reason: String,
}

impl ScheduledTry {
    /// Reads what its `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (tries, rest) = text.strip_prefix("try ")?.split_once(" in ")?;
        let (number, of) = tries.split_once('/')?;
        let (wait_ms, reason) = rest.split_once(" ms: ")?;
        let (number, of, wait_ms) = (number.parse().ok()?, of.parse().ok()?, wait_ms.parse().ok()?);
        Some(Self { number, of, wait_ms, reason: reason.to_owned() })
    }
}

impl fmt::Display for ScheduledTry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "try {}/{} in {} ms: {}", self.number, self.of, self.wait_ms, self.reason)
    }
}

/// The detail of [`crate::generation::EventKind::BilledOtherwise`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillDifference {
    /// The model, as `provider/id`.
    pub model: String,
    /// What the provider asks for.
    pub billed: MicroUsd,
    /// What our price list says.
    pub listed: MicroUsd,
}

impl BillDifference {
    /// Reads what its `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (model, amounts) = text.split_once(": ")?;
        let (billed, listed) = amounts.strip_suffix(" listed")?.split_once(" billed, ")?;
        let amount = |text: &str| MicroUsd::parse_dollars(text.strip_prefix('$')?).ok();
        Some(Self { model: model.to_owned(), billed: amount(billed)?, listed: amount(listed)? })
    }
}

impl fmt::Display for BillDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (billed, listed) = (self.billed.display_exact(), self.listed.display_exact());
        write!(formatter, "{}: {billed} billed, {listed} listed", self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_read_as_they_were_written() {
        let switch = RouteSwitch {
            from: "gemini/gemini-3-pro-image".into(),
            to: "fal/fal-ai/nano-banana/edit".into(),
            reason: "HTTP 503: overloaded → later".into(),
        };
        assert_eq!(RouteSwitch::parse(&switch.to_string()), Some(switch));
        let scheduled = ScheduledTry { number: 2, of: 3, wait_ms: 12_000, reason: "HTTP 503: in 5 ms: later".into() };
        assert_eq!(ScheduledTry::parse(&scheduled.to_string()), Some(scheduled));
        let difference = BillDifference {
            model: "fal/fal-ai/pika/v2.2/pikaframes".into(),
            billed: MicroUsd::new(250_001),
            listed: MicroUsd::new(200_000),
        };
        assert_eq!(BillDifference::parse(&difference.to_string()), Some(difference));
        for text in ["", "try 2 in 5 ms", "HTTP 503: overloaded", "a: $0.2 billed", "a: 1 billed, 2 listed"] {
            assert_eq!((RouteSwitch::parse(text), BillDifference::parse(text)), (None, None), "{text}");
            assert_eq!(ScheduledTry::parse(text), None, "{text}");
        }
    }
}
