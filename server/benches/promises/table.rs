//! The table that is printed.

use std::fmt;

/// Rows as they were measured.
#[derive(Default)]
pub struct Table {
    notes: Vec<String>,
    rows: Vec<[String; 4]>,
}

impl Table {
    /// Says something about the whole run.
    pub fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    /// A promise: kept when the figure is below its budget.
    pub fn promise(&mut self, what: &str, figure: f64, budget: f64, unit: &str) {
        let verdict = if figure < budget { "kept" } else { "BROKEN" };
        self.rows.push([what.to_owned(), amount(figure, unit), amount(budget, unit), verdict.to_owned()]);
    }

    /// A promise: kept when the figure is not below its budget.
    pub fn at_least(&mut self, what: &str, figure: f64, budget: f64, unit: &str) {
        let verdict = if figure >= budget { "kept" } else { "BROKEN" };
        let budget = format!("≥ {}", amount(budget, unit));
        self.rows.push([what.to_owned(), amount(figure, unit), budget, verdict.to_owned()]);
    }

    /// A figure that explains the promise above it.
    pub fn detail(&mut self, what: &str, figure: f64, unit: &str) {
        self.rows.push([format!("  {what}"), amount(figure, unit), String::new(), String::new()]);
    }
}

fn amount(figure: f64, unit: &str) -> String {
    let decimals = if figure.fract() == 0.0 || figure.abs() >= 100.0 { 0 } else { 2 };
    format!("{figure:.decimals$} {unit}")
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        writeln!(out, "{:<76}{:>12}{:>12}   verdict", "promise", "measured", "budget")?;
        for [what, figure, budget, verdict] in &self.rows {
            writeln!(out, "{}", format!("{what:<76}{figure:>12}{budget:>12}   {verdict}").trim_end())?;
        }
        Ok(())
    }
}
