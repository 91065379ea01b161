use serde::{Deserialize, Serialize};

use super::{Fault, Step};

/// A moment at which something may go wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// Model or endpoint id.
    pub model: &'a str,
    pub step: Step,
    /// fal's request id, once there is one.
    pub request: Option<&'a str>,
    /// What the request asks for in words.
    pub prompt: Option<&'a str>,
}

/// A fault, whom it meets and how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Model or endpoint id, or the start of one; every model when absent.
    #[serde(default, alias = "endpoint", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Absent: the step where the fault usually happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Only the request with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Only requests whose prompt contains this, whatever the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Only from the so many-th matching call on, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// How many more requests it meets.
    #[serde(default = "once")]
    pub times: u32,
    #[serde(flatten)]
    pub fault: Fault,
}

const fn once() -> u32 {
    1
}

impl Rule {
    pub(super) fn meets(&self, call: Call<'_>) -> bool {
        self.times > 0
            && self.fault.fits(call.step)
            && self.step.map_or_else(|| self.fault.happens_usually_at(call.step), |wanted| wanted == call.step)
            && self.model.as_ref().is_none_or(|wanted| call.model.starts_with(wanted.as_str()))
            && self.request.as_ref().is_none_or(|wanted| call.request == Some(wanted.as_str()))
            && self.prompt.as_ref().is_none_or(|wanted| {
                call.prompt.is_some_and(|prompt| prompt.to_lowercase().contains(&wanted.to_lowercase()))
            })
    }

    /// Counts a matching call; whether the rule bites at this one.
    pub(super) fn bites(&mut self) -> bool {
        match &mut self.nth {
            Some(nth) if *nth > 1 => {
                *nth -= 1;
                false
            }
            _ => {
                self.times -= 1;
                true
            }
        }
    }
}
