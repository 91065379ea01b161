use serde_json::Value;

use super::{Detail, Transition};

/// The endpoints that can be called here. A new one is a variant, its input
/// type and an arm of the runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Pikaframes,
}

/// A checked input, ready to be worked on.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Transition(Transition),
}

impl Model {
    /// The model behind an endpoint id, sub-paths included.
    pub(crate) fn find(endpoint: &str) -> Option<Self> {
        match endpoint {
            "fal-ai/pika/v2.2/pikaframes" => Some(Self::Pikaframes),
            _ => None,
        }
    }

    /// Checks the input as the model would.
    pub(crate) fn parse(self, input: &Value) -> Result<Work, Vec<Detail>> {
        match self {
            Self::Pikaframes => Transition::parse(input).map(Work::Transition),
        }
    }
}

impl Work {
    /// Billable units and micro-USD.
    pub(crate) fn price(&self) -> (u64, i64) {
        match self {
            Self::Transition(transition) => transition.price(),
        }
    }
}

/// The part of an endpoint id that status and result addresses use:
/// `owner/app`, one segment more under the two shared namespaces.
pub(crate) fn app_of(endpoint: &str) -> String {
    let kept = match endpoint.split('/').next() {
        Some("workflows" | "comfy") => 3,
        _ => 2,
    };
    endpoint.split('/').take(kept).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_use_the_app_without_the_sub_path() {
        assert_eq!(app_of("fal-ai/pika/v2.2/pikaframes"), "fal-ai/pika");
        assert_eq!(app_of("workflows/me/thing/x"), "workflows/me/thing");
    }
}
