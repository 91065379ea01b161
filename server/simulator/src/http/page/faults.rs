use std::fmt::Write as _;

use super::{escape, words, wrong_of};
use crate::fal::endpoints;
use crate::gemini::MODELS;
use crate::http::faults::{CHOICES, RuleForm, Wrong};
use crate::world::World;

const STEPS: [&str; 8] = ["submit", "status", "result", "cancel", "run", "webhook", "media", "listing"];
pub(super) const BLOCKS: [(&str, &str); 3] =
    [("finish_reason", "finishReason"), ("prompt_feedback", "promptFeedback"), ("text_only", "words only")];

/// The rules in force, and a form for another one.
pub(super) fn write_faults(world: &World, form: &RuleForm, wrong: Option<&Wrong>, page: &mut String) {
    page.push_str("<section><h2>Faults</h2><div class=card>");
    page.push_str(&wrong_of("rule", wrong).0);
    let rules = world.faults.list();
    if rules.is_empty() {
        page.push_str("<p class=quiet>None: everything works.</p><br>");
    } else {
        page.push_str("<ul class=rules>");
        for rule in &rules {
            let text = escape(&serde_json::to_string(rule).unwrap_or_default());
            let _ = write!(
                page,
                "<li><span>{}</span><form class=inline method=post action=/faults/remove>\
                 <input type=hidden name=rule value=\"{text}\"><button>Remove</button></form>",
                escape(&words::rule(rule))
            );
        }
        page.push_str("</ul>");
    }
    write_form(form, wrong, page);
    if !rules.is_empty() {
        page.push_str("<br><form method=post action=/faults/clear><button>Remove all</button></form>");
    }
    page.push_str("</div></section>");
}

fn write_form(form: &RuleForm, wrong: Option<&Wrong>, page: &mut String) {
    page.push_str("<form method=post action=/faults/add>");
    let faults = CHOICES.iter().flat_map(|(group, choices)| {
        choices.iter().map(move |choice| {
            let unit = choice.number.map(|(_, unit)| format!(" (number: {unit})")).unwrap_or_default();
            (*group, choice.name, format!("{}{unit}", choice.label))
        })
    });
    write_select(page, "What goes wrong", ("fault", &form.fault), wrong, faults);
    write_input(page, "Number", ("number", &form.number), wrong, "class=short inputmode=numeric");
    write_input(page, "Model or its start", ("model", &form.model), wrong, "list=models placeholder='every model'");
    page.push_str("<datalist id=models>");
    for model in endpoints().chain(MODELS.iter().map(|(id, _)| *id)) {
        let _ = write!(page, "<option value=\"{model}\">");
    }
    page.push_str("</datalist>");
    let steps = STEPS.iter().map(|step| ("", *step, (*step).to_owned()));
    let steps = std::iter::once(("", "", "as usual".to_owned())).chain(steps);
    write_select(page, "Step", ("step", &form.step), wrong, steps);
    write_input(page, "Prompt contains", ("prompt", &form.prompt), wrong, "");
    write_input(page, "Request id", ("request", &form.request), wrong, "");
    write_input(page, "From the n-th call", ("nth", &form.nth), wrong, "class=short inputmode=numeric");
    write_input(page, "Times", ("times", &form.times), wrong, "class=short inputmode=numeric");
    let blocks = BLOCKS.iter().map(|(value, label)| ("", *value, (*label).to_owned()));
    write_select(page, "Gemini refuses by", ("block", &form.block), wrong, blocks);
    let checked = if form.accepted.is_empty() { "" } else { " checked" };
    let _ = write!(
        page,
        "<label class=check><input type=checkbox name=accepted value=yes{checked}> status after accepting</label>\
         <button class=first>Switch on</button></form>"
    );
}

fn write_input(page: &mut String, label: &str, field: (&str, &str), wrong: Option<&Wrong>, more: &str) {
    let ((name, value), (said, marks)) = (field, wrong_of(field.0, wrong));
    let value = escape(value);
    let _ = write!(page, "<label>{label}<input name={name} value=\"{value}\" {more}{marks}>{said}</label>");
}

/// Options by group; those of no group stand for themselves.
fn write_select<'a>(
    page: &mut String,
    label: &str,
    field: (&str, &str),
    wrong: Option<&Wrong>,
    options: impl Iterator<Item = (&'a str, &'a str, String)>,
) {
    let ((name, chosen), (said, marks)) = (field, wrong_of(field.0, wrong));
    let _ = write!(page, "<label>{label}<select name={name}{marks}>");
    let mut open = "";
    for (group, value, text) in options {
        if group != open {
            if !open.is_empty() {
                page.push_str("</optgroup>");
            }
            let _ = write!(page, "<optgroup label=\"{group}\">");
            open = group;
        }
        let selected = if value == chosen { " selected" } else { "" };
        let _ = write!(page, "<option value=\"{value}\"{selected}>{}", escape(&text));
    }
    if !open.is_empty() {
        page.push_str("</optgroup>");
    }
    let _ = write!(page, "</select>{said}</label>");
}
