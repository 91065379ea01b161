//! What can go wrong with a request in a queue, whatever it makes: up to its acceptance, and while it is looked after.

use domain::{FailureCode as Code, Stage, cost::Reused};
use serde_json::{Value, json};

use super::Case;

/// What is made in the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) model: &'static str,
    pub(super) stage: Stage,
    /// Stills and clips on the bill when all is well.
    pub(super) all: (usize, usize),
    /// The same when nothing of the stage was taken.
    pub(super) none: (usize, usize),
    /// What a retry has when nothing of the stage was taken, and when one result of it is missing.
    pub(super) kept: [&'static [Reused]; 2],
}

impl Made {
    /// Requests of the stage.
    fn requests(self) -> usize {
        self.all.0 + self.all.1 - self.none.0 - self.none.1
    }

    /// A fault that one request meets once; everything is bought.
    pub(super) fn case(self, fault: &'static str, more: Value) -> Case {
        let mut rule = json!({"model": self.model});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Case::new(fault, rule, self.all)
    }

    fn status(self, fault: &'static str, status: u16) -> Case {
        self.case(fault, json!({"fault": "status", "status": status}))
    }

    /// Every request of the stage is refused at the door.
    fn shut(self, fault: &'static str, more: Value, code: Code) -> Case {
        let case = self.case(fault, more).failed(self.requests()).fails(code, self.stage, self.kept[0]);
        let case = if self.requests() == 2 { case.twice() } else { case };
        Case { bought: self.none, ..case }
    }

    /// The one request that met the fault ends without a result, paid or not.
    pub(super) fn lacks(self, case: Case, code: Code) -> Case {
        case.failed(1).fails(code, self.stage, self.kept[1])
    }

    /// The same, and its charge is taken back.
    fn lacks_unpaid(self, case: Case, code: Code) -> Case {
        let bought = if self.all.1 == 1 { (self.all.0, 0) } else { (self.all.0 - 1, 0) };
        Case { bought, ..self.lacks(case, code).voided(1) }
    }

    pub(super) fn before_it_is_taken(self) -> Vec<Case> {
        let for_good = |fault, status, code| {
            let case = self.status(fault, status).always().tried_again(2).fails(code, self.stage, self.kept[0]);
            Case { bought: self.none, ..case }
        };
        let status = |status: u16| json!({"fault": "status", "status": status});
        vec![
            self.case("slow to begin", json!({"fault": "delay_ms", "ms": 300})),
            self.status("busy once", 429).tried_again(1),
            self.status("broken once", 500).tried_again(1),
            self.status("away once", 503).tried_again(1),
            for_good("busy for good", 429, Code::ProviderBusy),
            for_good("away for good", 503, Code::ProviderUnavailable),
            self.shut("a key that is wrong", json!({"fault": "bad_key"}), Code::ProviderKey),
            self.shut("no credit", status(402), Code::ProviderCredit),
            self.shut("a locked account", status(403), Code::ProviderCredit),
            self.shut("a model that is gone", status(404), Code::ModelGone),
            self.shut("malformed", status(400), Code::ProviderRejected),
        ]
    }

    pub(super) fn after_it_was_taken(self) -> Vec<Case> {
        let after = |fault, status: u16| {
            self.case(fault, json!({"fault": "status", "status": status, "accepted": true})).doubted(1)
        };
        let lost = |fault, more| self.case(fault, more).doubted(1);
        let silent_list = json!({"model": self.model, "step": "listing", "fault": "status", "status": 503});
        vec![
            after("busy after accepting", 429),
            after("broken after accepting", 500),
            after("away after accepting", 503),
            lost("an answer that is dropped", json!({"fault": "drop_answer"})),
            lost("an answer that never comes", json!({"fault": "never", "seconds": 1})),
            lost("an answer nobody understands", json!({"fault": "garbage"})),
            lost("an answer that breaks off", json!({"fault": "cut_body", "step": "submit", "bytes": 20})),
            lost("a list that is away once", json!({"fault": "drop_answer"})).and(silent_list),
            self.case("a slow answer", json!({"fault": "slow_body", "step": "submit", "bytes_per_sec": 2_000})),
        ]
    }

    pub(super) fn while_it_is_made(self) -> Vec<Case> {
        let breaks = || json!({"fault": "completed_with_error"});
        let for_good = Case { bought: self.none, ..self.case("an error every time", breaks()) };
        let for_good = for_good.always().voided(3 * self.requests()).failed(3 * self.requests()).tried_again(2);
        let slow_runner = json!({"fault": "completed_with_error", "status": 504});
        vec![
            self.case("slow to make", json!({"fault": "delay_ms", "step": "run", "ms": 300})),
            self.case("completed with an error", breaks()).voided(1).failed(1).tried_again(1),
            self.case("a runner that timed out", slow_runner).voided(1).failed(1).tried_again(1),
            for_good.fails(Code::ProviderUnavailable, self.stage, self.kept[0]),
            self.lacks_unpaid(
                self.case("refused content", json!({"fault": "moderation", "step": "run"})),
                Code::ContentRefused,
            ),
        ]
    }

    pub(super) fn while_it_is_looked_at(self) -> Vec<Case> {
        let at = |fault, step: &str, mut more: Value| {
            more["step"] = json!(step);
            self.case(fault, more)
        };
        let status = |status: u16| json!({"fault": "status", "status": status});
        let dropped = || json!({"fault": "drop_answer"});
        let garbage = || json!({"fault": "garbage"});
        vec![
            at("a slow status", "status", json!({"fault": "delay_ms", "ms": 200})),
            at("a status that is busy", "status", status(429)),
            at("a status that breaks", "status", status(500)),
            at("a status that is dropped", "status", dropped()),
            at("a status nobody understands", "status", garbage()),
            // A key can be mended, and the request is bought.
            at("a status behind a refused key", "status", status(401)),
            at("a result that is away", "result", status(503)),
            at("a result that is dropped", "result", dropped()),
            at("a result nobody understands", "result", garbage()),
            // Nobody says what it cost: it is taken to have cost its price.
            self.lacks(at("a request nobody knows", "status", status(404)), Code::ResultMissing),
            self.lacks(at("a result that is gone", "result", status(404)), Code::ResultMissing),
        ]
    }

    pub(super) fn while_it_is_fetched(self, wrong_kind: Code) -> Vec<Case> {
        let at = |fault, mut more: Value| {
            more["step"] = json!("media");
            self.case(fault, more)
        };
        vec![
            at("a slow start of the file", json!({"fault": "delay_ms", "ms": 200})),
            at("a file host that is away", json!({"fault": "status", "status": 503})).tried_again(1),
            at("a file host that hangs up", json!({"fault": "drop_answer"})).tried_again(1),
            at("a file that breaks off on its way", json!({"fault": "cut_body", "bytes": 100})).tried_again(1),
            self.lacks(at("a page instead of the file", json!({"fault": "garbage"})), wrong_kind),
            self.lacks(at("a file that is gone", json!({"fault": "expired_media"})), Code::ResultMissing),
            self.lacks(at("a huge file", json!({"fault": "huge_media"})), Code::ResultMissing),
            self.lacks(self.case("something else than was made", json!({"fault": "wrong_type_media"})), wrong_kind),
        ]
    }
}
