use std::fmt::Write as _;

use super::escape;
use crate::fal::endpoints;
use crate::gemini::MODELS;
use crate::http::faults::CHOICES;
use crate::world::World;

const STEPS: [&str; 8] = ["submit", "status", "result", "cancel", "run", "webhook", "media", "listing"];
const BLOCKS: [(&str, &str); 3] =
    [("finish_reason", "finishReason"), ("prompt_feedback", "promptFeedback"), ("text_only", "words only")];

/// The rules in force, and a form for another one.
pub(super) fn write_faults(world: &World, page: &mut String) {
    page.push_str("<section><h2>Faults</h2><div class=card>");
    let rules = world.faults.list();
    if rules.is_empty() {
        page.push_str("<p class=quiet>None: everything works.</p><br>");
    } else {
        page.push_str("<ul class=rules>");
        for rule in &rules {
            let text = escape(&serde_json::to_string(rule).unwrap_or_default());
            let _ = write!(
                page,
                "<li><code>{text}</code><form class=inline method=post action=/faults/remove>\
                 <input type=hidden name=rule value=\"{text}\"><button>Remove</button></form>"
            );
        }
        page.push_str("</ul>");
    }
    write_form(page);
    if !rules.is_empty() {
        page.push_str("<br><form method=post action=/faults/clear><button>Remove all</button></form>");
    }
    page.push_str("</div></section>");
}

fn write_form(page: &mut String) {
    page.push_str("<form method=post action=/faults/add><label>What goes wrong<select name=fault>");
    for (group, choices) in CHOICES {
        let _ = write!(page, "<optgroup label=\"{group}\">");
        for choice in choices {
            let _ = write!(page, "<option value={}>{}", choice.name, escape(choice.label));
        }
        page.push_str("</optgroup>");
    }
    page.push_str(
        "</select></label><label>Number<input class=short name=number inputmode=numeric></label>\
         <label>Model or its start<input name=model list=models placeholder='every model'></label><datalist id=models>",
    );
    for model in endpoints().chain(MODELS.iter().map(|(id, _)| *id)) {
        let _ = write!(page, "<option value=\"{model}\">");
    }
    page.push_str("</datalist><label>Step<select name=step><option value=''>as usual");
    for step in STEPS {
        let _ = write!(page, "<option>{step}");
    }
    page.push_str(
        "</select></label><label>Prompt contains<input name=prompt></label><label>Request id<input name=request></label>\
         <label>From the n-th call<input class=short name=nth inputmode=numeric></label>\
         <label>Times<input class=short name=times inputmode=numeric value=1></label>\
         <label>Gemini refuses by<select name=block>",
    );
    for (value, label) in BLOCKS {
        let _ = write!(page, "<option value={value}>{label}");
    }
    page.push_str(
        "</select></label><label class=check><input type=checkbox name=accepted value=yes> status after accepting</label>\
         <button class=first>Switch on</button></form>",
    );
}
