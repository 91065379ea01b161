use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{off_thread, read_json, replace_json};

/// Where in a request's life a rule bites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// fal submit, or Gemini `generateContent`.
    #[serde(alias = "generate")]
    Submit,
    Status,
    Result,
    Cancel,
    /// While the model works.
    Run,
    Webhook,
    /// Download of a result file.
    Media,
    /// The account's request list.
    Listing,
}

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Answer with this code before anything is accepted.
    Status {
        status: u16,
        #[serde(default)]
        retry_after_secs: Option<u64>,
    },
    /// Accept, bill, then close the connection without an answer.
    DropAnswer,
    /// Accept, bill, then answer 200 with something that is not JSON.
    Garbage,
    /// Accept, bill, then say nothing for so long and hang up.
    Never {
        #[serde(default = "hang_seconds")]
        seconds: u64,
    },
    /// Refuse the content: 422 on fal, `IMAGE_SAFETY` on Gemini.
    Moderation,
    /// Finish with an error of the 500 family.
    CompletedWithError {
        #[serde(default = "internal_error")]
        status: u16,
    },
    /// The clip ends in the middle.
    CorruptClip,
    /// The clip is a text playlist that calls itself MP4.
    WrongTypeClip,
    WebhookNone,
    WebhookBadSignature,
    WebhookDuplicate,
    WebhookLateMs {
        ms: u64,
    },
    /// Take this much longer.
    DelayMs {
        ms: u64,
    },
}

const fn hang_seconds() -> u64 {
    60
}

const fn internal_error() -> u16 {
    500
}

impl Fault {
    fn fits(&self, step: Step) -> bool {
        match self {
            Self::Moderation => matches!(step, Step::Run | Step::Submit),
            Self::CompletedWithError { .. } | Self::CorruptClip | Self::WrongTypeClip => step == Step::Run,
            Self::WebhookNone | Self::WebhookBadSignature | Self::WebhookDuplicate | Self::WebhookLateMs { .. } => {
                step == Step::Webhook
            }
            Self::DelayMs { .. } => true,
            Self::Status { .. } | Self::DropAnswer | Self::Garbage | Self::Never { .. } => {
                !matches!(step, Step::Run | Step::Webhook)
            }
        }
    }

    /// Where the fault bites when the rule does not say.
    fn usual_step(&self, step: Step) -> bool {
        match self {
            Self::Status { .. } | Self::DropAnswer | Self::Garbage | Self::Never { .. } | Self::DelayMs { .. } => {
                step == Step::Submit
            }
            _ => true,
        }
    }
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
    fn meets(&self, model: &str, step: Step) -> bool {
        self.times > 0
            && self.fault.fits(step)
            && self.step.map_or_else(|| self.fault.usual_step(step), |wanted| wanted == step)
            && self.model.as_ref().is_none_or(|wanted| model.starts_with(wanted.as_str()))
    }
}

/// The rules in force, tried in order; a used-up rule is dropped.
pub(crate) struct FaultList {
    path: PathBuf,
    rules: Mutex<Vec<Rule>>,
}

/// More rules than this are not a script any more.
const MOST_RULES: usize = 200;

impl FaultList {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("faults.json");
        let rules = read_json(&path)?.unwrap_or_default();
        Ok(Self { path, rules: Mutex::new(rules) })
    }

    pub(crate) fn list(&self) -> Vec<Rule> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces every rule.
    pub(crate) async fn replace(&self, mut rules: Vec<Rule>) -> io::Result<()> {
        rules.truncate(MOST_RULES);
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
        self.save().await
    }

    /// Adds a rule behind the others.
    pub(crate) async fn push(&self, rule: Rule) -> io::Result<()> {
        let mut rules = self.list();
        rules.push(rule);
        self.replace(rules).await
    }

    /// Uses up one turn of the first rule that meets this model at this step.
    /// With `among`, only the faults it accepts are looked at.
    pub(crate) async fn take(&self, model: &str, step: Step, among: fn(&Fault) -> bool) -> Option<Fault> {
        let fault = {
            let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            let rule = rules.iter_mut().find(|rule| rule.meets(model, step) && among(&rule.fault))?;
            rule.times -= 1;
            let fault = rule.fault.clone();
            rules.retain(|rule| rule.times > 0);
            fault
        };
        if let Err(error) = self.save().await {
            tracing::warn!("the fault list could not be saved: {error}");
        }
        tracing::info!(model, "{model} meets the fault {fault:?} at {step:?}");
        Some(fault)
    }

    async fn save(&self) -> io::Result<()> {
        let (path, rules) = (self.path.clone(), self.list());
        off_thread(move || replace_json(&path, &rules)).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    async fn list_with(json: &str) -> (tempfile::TempDir, FaultList) {
        let folder = tempfile::tempdir().unwrap();
        let list = FaultList::open(folder.path()).unwrap();
        list.replace(serde_json::from_str(json).unwrap()).await.unwrap();
        (folder, list)
    }

    #[tokio::test]
    async fn rules_are_used_in_order_and_only_so_often() {
        let (folder, list) =
            list_with(r#"[{"model":"fal-ai/pika","fault":"status","status":429,"times":2},{"fault":"drop_answer"}]"#)
                .await;
        let model = "fal-ai/pika/v2.2/pikaframes";
        let status = Fault::Status { status: 429, retry_after_secs: None };
        assert_eq!(list.take(model, Step::Submit, |_| true).await, Some(status.clone()));
        assert_eq!(list.take(model, Step::Status, |_| true).await, None);
        let reopened = FaultList::open(folder.path()).unwrap();
        assert_eq!(reopened.take(model, Step::Submit, |_| true).await, Some(status));
        assert_eq!(reopened.take(model, Step::Submit, |_| true).await, Some(Fault::DropAnswer));
        assert_eq!(reopened.take(model, Step::Submit, |_| true).await, None);
    }

    #[tokio::test]
    async fn a_rule_for_another_model_is_left_alone() {
        let (_folder, list) = list_with(r#"[{"model":"gemini-3-pro-image","fault":"moderation"}]"#).await;
        assert_eq!(list.take("gemini-nano-banana-2.1", Step::Submit, |_| true).await, None);
        assert_eq!(list.list().len(), 1);
    }
}
