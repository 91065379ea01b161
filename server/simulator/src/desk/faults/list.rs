use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Call, Fault, Rule};
use crate::desk::{off_thread, read_json, replace_json};

/// The rules in force, tried in order; a used-up rule is dropped.
pub(crate) struct FaultList {
    path: PathBuf,
    rules: Mutex<Vec<Rule>>,
    /// One save after the other, so that an older list never comes last.
    saving: tokio::sync::Mutex<()>,
}

/// More rules than this are not a script any more.
const MOST_RULES: usize = 200;

impl FaultList {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("faults.json");
        let rules = read_json(&path)?.unwrap_or_default();
        Ok(Self { path, rules: Mutex::new(rules), saving: tokio::sync::Mutex::new(()) })
    }

    pub(crate) fn list(&self) -> Vec<Rule> {
        self.lock().clone()
    }

    /// Replaces every rule.
    pub(crate) async fn replace(&self, mut rules: Vec<Rule>) -> io::Result<()> {
        rules.truncate(MOST_RULES);
        *self.lock() = rules;
        self.save().await
    }

    /// Adds a rule behind the others.
    pub(crate) async fn push(&self, rule: Rule) -> io::Result<()> {
        let mut rules = self.list();
        rules.push(rule);
        self.replace(rules).await
    }

    /// Takes the first rule like this one off; `false` when there is none.
    pub(crate) async fn remove(&self, rule: &Rule) -> io::Result<bool> {
        let found = {
            let mut rules = self.lock();
            let place = rules.iter().position(|one| one == rule);
            place.map(|place| rules.remove(place)).is_some()
        };
        self.save().await?;
        Ok(found)
    }

    /// Uses up one turn of the first rule that meets this call. With `among`,
    /// only the faults it accepts are looked at.
    pub(crate) async fn take(&self, call: Call<'_>, among: fn(&Fault) -> bool) -> Option<Fault> {
        let (fault, is_counted) = {
            let mut rules = self.lock();
            let mut is_counted = false;
            let bitten = rules.iter_mut().filter(|rule| among(&rule.fault) && rule.meets(call)).find_map(|rule| {
                is_counted = true;
                rule.bites().then(|| rule.fault.clone())
            });
            rules.retain(|rule| rule.times > 0);
            (bitten, is_counted)
        };
        if is_counted && let Err(error) = self.save().await {
            tracing::warn!("the fault list could not be saved: {error}");
        }
        if let Some(fault) = &fault {
            tracing::info!(model = call.model, "{} meets the fault {fault:?} at {:?}", call.model, call.step);
        }
        fault
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn save(&self) -> io::Result<()> {
        let _turn = self.saving.lock().await;
        let (path, rules) = (self.path.clone(), self.list());
        off_thread(move || replace_json(&path, &rules)).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::Step;
    use super::*;

    const MODEL: &str = "fal-ai/pika/v2.2/pikaframes";

    async fn list_with(json: &str) -> (tempfile::TempDir, FaultList) {
        let folder = tempfile::tempdir().unwrap();
        let list = FaultList::open(folder.path()).unwrap();
        list.replace(serde_json::from_str(json).unwrap()).await.unwrap();
        (folder, list)
    }

    fn call(model: &str, step: Step) -> Call<'_> {
        Call { model, step, request: None, prompt: None }
    }

    fn status(status: u16) -> Fault {
        Fault::Status { status, retry_after_secs: None, accepted: false }
    }

    #[tokio::test]
    async fn rules_are_used_in_order_and_only_so_often() {
        let (folder, list) =
            list_with(r#"[{"model":"fal-ai/pika","fault":"status","status":429,"times":2},{"fault":"drop_answer"}]"#)
                .await;
        assert_eq!(list.take(call(MODEL, Step::Submit), |_| true).await, Some(status(429)));
        assert_eq!(list.take(call(MODEL, Step::Status), |_| true).await, None);
        let reopened = FaultList::open(folder.path()).unwrap();
        assert_eq!(reopened.take(call(MODEL, Step::Submit), |_| true).await, Some(status(429)));
        assert_eq!(reopened.take(call(MODEL, Step::Submit), |_| true).await, Some(Fault::DropAnswer));
        assert_eq!(reopened.take(call(MODEL, Step::Submit), |_| true).await, None);
    }

    #[tokio::test]
    async fn a_rule_for_another_model_is_left_alone() {
        let (_folder, list) = list_with(r#"[{"model":"gemini-3-pro-image","fault":"moderation"}]"#).await;
        assert_eq!(list.take(call("gemini-nano-banana-2.1", Step::Submit), |_| true).await, None);
        assert_eq!(list.list().len(), 1);
    }

    #[tokio::test]
    async fn one_request_is_chosen_by_count_by_id_or_by_its_words() {
        let (_folder, list) = list_with(
            r#"[{"fault":"status","status":500,"nth":3},{"fault":"status","status":501,"request":"r2","step":"status"},
                {"fault":"status","status":502,"prompt":"Raining"}]"#,
        )
        .await;
        let submit = call(MODEL, Step::Submit);
        assert_eq!(list.take(submit, |_| true).await, None);
        let rainy = Call { prompt: Some("it is raining"), ..submit };
        assert_eq!(list.take(rainy, |_| true).await, Some(status(502)));
        assert_eq!(list.take(submit, |_| true).await, Some(status(500)));
        assert_eq!(list.take(submit, |_| true).await, None);
        let look = |request| Call { request: Some(request), ..call(MODEL, Step::Status) };
        assert_eq!(list.take(look("r1"), |_| true).await, None);
        assert_eq!(list.take(look("r2"), |_| true).await, Some(status(501)));
    }

    #[tokio::test]
    async fn a_rule_is_removed_by_what_it_says() {
        let (_folder, list) = list_with(r#"[{"fault":"garbage"},{"fault":"drop_answer"}]"#).await;
        let rule: Rule = serde_json::from_str(r#"{"fault":"garbage"}"#).unwrap();
        assert!(list.remove(&rule).await.unwrap());
        assert!(!list.remove(&rule).await.unwrap());
        assert_eq!(list.list().len(), 1);
    }
}
