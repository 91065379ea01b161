//! Slots and rates as people write them: `fal=4,gemini/gemini-3-pro-image=2` and `gemini=60/60`.

use std::time::Duration;

use jobs::{Limit, Limits, Rate};

/// A limit of a provider (`fal`) or of one of its models (`fal/fal-ai/pika/v2.2/pikaframes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    name: String,
    value: T,
}

/// Reads one `name=slots`.
pub fn parse_slots(text: &str) -> Result<Named<usize>, String> {
    let wrong = || "expected a provider or model and how many run at once, 0 to 10000, like fal=4".to_owned();
    let (name, slots) = text.trim().rsplit_once('=').ok_or_else(wrong)?;
    let value = slots.parse().ok().filter(|slots| *slots <= 10_000).ok_or_else(wrong)?;
    named(name, value).ok_or_else(wrong)
}

/// Reads one `name=starts/seconds`; that many may also start at once.
pub fn parse_rate(text: &str) -> Result<Named<Rate>, String> {
    let wrong =
        || "expected a provider or model, starts up to 100000 and seconds up to 86400, like gemini=60/60".to_owned();
    let (name, rate) = text.trim().rsplit_once('=').ok_or_else(wrong)?;
    let (starts, secs) = rate.split_once('/').ok_or_else(wrong)?;
    let starts: u32 = starts.parse().ok().filter(|starts| (1..=100_000).contains(starts)).ok_or_else(wrong)?;
    let secs: u64 = secs.parse().ok().filter(|secs| (1..=86_400).contains(secs)).ok_or_else(wrong)?;
    named(name, Rate { starts, per: Duration::from_secs(secs), burst: starts }).ok_or_else(wrong)
}

fn named<T>(name: &str, value: T) -> Option<Named<T>> {
    let name = name.trim();
    (!name.is_empty() && name.len() <= 200).then(|| Named { name: name.to_owned(), value })
}

/// The limits of the queue. A name without a slash is a provider.
pub fn combine(slots: &[Named<usize>], rates: &[Named<Rate>], user_slots: Option<usize>) -> Limits {
    let mut limits = Limits { owner_slots: user_slots, ..Limits::default() };
    for Named { name, value } in slots {
        entry(&mut limits, name).slots = Some(*value);
    }
    for Named { name, value } in rates {
        entry(&mut limits, name).rate = Some(*value);
    }
    limits
}

fn entry<'a>(limits: &'a mut Limits, name: &str) -> &'a mut Limit {
    let names = if name.contains('/') { &mut limits.groups } else { &mut limits.families };
    names.entry(name.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_provider_and_a_model_have_limits_of_their_own() {
        let slots = [parse_slots("fal=4").unwrap(), parse_slots("fal/fal-ai/pika/v2.2/pikaframes=2").unwrap()];
        let limits = combine(&slots, &[parse_rate("fal=10/60").unwrap()], Some(3));
        assert_eq!(limits.owner_slots, Some(3));
        assert_eq!(limits.families["fal"].slots, Some(4));
        assert_eq!(limits.families["fal"].rate.unwrap().per, Duration::from_secs(60));
        assert_eq!(limits.groups["fal/fal-ai/pika/v2.2/pikaframes"], Limit::slots(2));
    }

    #[test]
    fn other_words_are_refused() {
        for text in ["", "fal", "=3", "fal=", "fal=-1", "fal=x", "fal=3/"] {
            assert!(parse_slots(text).is_err(), "{text:?}");
        }
        for text in ["", "fal=3", "fal=0/60", "fal=3/0", "=3/60", "fal=a/b"] {
            assert!(parse_rate(text).is_err(), "{text:?}");
        }
    }
}
