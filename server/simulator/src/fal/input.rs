use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::Detail;

/// A picture an input names, and where in the body it does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub place: Vec<Value>,
    /// An http URL or a data URI.
    pub address: String,
}

/// A model's input while it is read: gives every field or its usual value and
/// collects everything that is wrong, as fal's validation does.
pub(crate) struct Input<'a> {
    body: &'a Map<String, Value>,
    /// Where this body stands, for nested ones.
    place: Vec<Value>,
    wrong: Vec<Detail>,
}

impl<'a> Input<'a> {
    /// Reads a whole input, or says everything that is wrong with it.
    pub(crate) fn read<T>(input: &'a Value, read: impl FnOnce(&mut Self) -> T) -> Result<T, Vec<Detail>> {
        let Some(body) = input.as_object() else {
            let message = "Input should be a valid dictionary or object to extract fields from";
            return Err(vec![Detail::about(&[], "model_attributes_type", message).with_input(input)]);
        };
        let mut reader = Self { body, place: Vec::new(), wrong: Vec::new() };
        let value = read(&mut reader);
        if reader.wrong.is_empty() { Ok(value) } else { Err(reader.wrong) }
    }

    /// A complaint of the model's own about a field.
    pub(crate) fn refuse(&mut self, field: &str, kind: &'static str, message: impl Into<String>) {
        let detail = Detail::about(&self.at(field), kind, message);
        self.wrong.push(detail);
    }

    /// Whether the field is there with a value.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.body.get(field).is_some_and(|value| !value.is_null())
    }

    /// A picture that must be there.
    pub(crate) fn picture(&mut self, field: &str) -> Source {
        let address = self.text(field);
        Source { place: self.at(field), address }
    }

    /// A picture that may be there.
    pub(crate) fn optional_picture(&mut self, field: &str) -> Option<Source> {
        let address = self.optional_text(field)?;
        Some(Source { place: self.at(field), address })
    }

    /// A list of pictures that must be there.
    pub(crate) fn pictures(&mut self, field: &str, count: RangeInclusive<usize>) -> Vec<Source> {
        let Some(value) = self.required(field) else { return Vec::new() };
        let Some(list) = value.as_array() else {
            self.wrong_value(field, "list_type", "Input should be a valid list", value);
            return Vec::new();
        };
        self.check_length(field, list.len(), &count);
        let mut pictures = Vec::new();
        for (index, one) in list.iter().enumerate() {
            let mut place = self.at(field);
            place.push(json!(index));
            match one.as_str() {
                Some(address) => pictures.push(Source { place, address: address.to_owned() }),
                None => self
                    .wrong
                    .push(Detail::about(&place, "string_type", "Input should be a valid string").with_input(one)),
            }
        }
        pictures
    }

    fn check_length(&mut self, field: &str, length: usize, count: &RangeInclusive<usize>) {
        if length < *count.start() {
            let message = format!("List should have at least {} items after validation, not {length}", count.start());
            let detail = Detail::about(&self.at(field), "sequence_too_short", message);
            self.wrong.push(detail.with_context(json!({"min_length": count.start(), "actual_length": length})));
        } else if length > *count.end() {
            let message = format!("List should have at most {} items after validation, not {length}", count.end());
            let detail = Detail::about(&self.at(field), "sequence_too_long", message);
            self.wrong.push(detail.with_context(json!({"max_length": count.end(), "actual_length": length})));
        }
    }

    /// Words that must be there; empty when they are not.
    pub(crate) fn text(&mut self, field: &str) -> String {
        match self.required(field) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => {
                self.wrong_value(field, "string_type", "Input should be a valid string", other);
                String::new()
            }
            None => String::new(),
        }
    }

    /// Words that may be there.
    pub(crate) fn optional_text(&mut self, field: &str) -> Option<String> {
        match self.body.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                self.wrong_value(field, "string_type", "Input should be a valid string", other);
                None
            }
        }
    }

    /// One of several words.
    pub(crate) fn choice(&mut self, field: &str, allowed: &[&'static str], usual: &'static str) -> &'static str {
        let Some(value) = self.body.get(field) else { return usual };
        if let Some(known) = value.as_str().and_then(|text| allowed.iter().find(|one| **one == text)) {
            return known;
        }
        self.wrong_literal(field, allowed.iter().map(|one| format!("'{one}'")).collect(), value);
        usual
    }

    /// One of several words, or none.
    pub(crate) fn optional_choice(&mut self, field: &str, allowed: &[&'static str]) -> Option<&'static str> {
        self.has(field).then(|| self.choice(field, allowed, ""))
    }

    /// One of several numbers, written as numbers.
    pub(crate) fn number_of(&mut self, field: &str, allowed: &[u32], usual: u32) -> u32 {
        let Some(value) = self.body.get(field) else { return usual };
        let known = value.as_u64().and_then(|number| allowed.iter().find(|one| u64::from(**one) == number));
        if let Some(known) = known {
            return *known;
        }
        self.wrong_literal(field, allowed.iter().map(u32::to_string).collect(), value);
        usual
    }

    /// A whole number within limits.
    pub(crate) fn integer(&mut self, field: &str, range: RangeInclusive<u32>, usual: u32) -> u32 {
        let Some(value) = self.body.get(field) else { return usual };
        let Some(number) = value.as_i64() else {
            self.wrong_value(field, "int_type", "Input should be a valid integer", value);
            return usual;
        };
        if !self.is_within(field, number as f64, f64::from(*range.start()), f64::from(*range.end()), value) {
            return usual;
        }
        u32::try_from(number).unwrap_or(usual)
    }

    /// A number within limits that only its reader cares about.
    pub(crate) fn decimal(&mut self, field: &str, range: RangeInclusive<f64>, usual: f64) -> f64 {
        let Some(value) = self.body.get(field) else { return usual };
        let Some(number) = value.as_f64() else {
            self.wrong_value(field, "float_type", "Input should be a valid number", value);
            return usual;
        };
        if self.is_within(field, number, *range.start(), *range.end(), value) { number } else { usual }
    }

    /// The seed, if one is given.
    pub(crate) fn seed(&mut self) -> Option<u64> {
        let value = self.body.get("seed").filter(|value| !value.is_null())?;
        let seed = value.as_u64().or_else(|| value.as_i64().map(i64::unsigned_abs));
        if seed.is_none() {
            self.wrong_value("seed", "int_type", "Input should be a valid integer", value);
        }
        seed
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, field: &str, usual: bool) -> bool {
        let Some(value) = self.body.get(field) else { return usual };
        match value.as_bool() {
            Some(flag) => flag,
            None => {
                self.wrong_value(field, "bool_type", "Input should be a valid boolean", value);
                usual
            }
        }
    }

    /// A list of objects that may be there, each read by itself.
    pub(crate) fn objects<T>(&mut self, field: &str, mut read: impl FnMut(&mut Self) -> T) -> Option<Vec<T>> {
        let value = self.body.get(field).filter(|value| !value.is_null())?;
        let Some(list) = value.as_array() else {
            self.wrong_value(field, "list_type", "Input should be a valid list", value);
            return None;
        };
        let mut read_ones = Vec::new();
        for (index, one) in list.iter().enumerate() {
            let mut place = self.at(field);
            place.push(json!(index));
            match one.as_object() {
                Some(body) => {
                    let mut inner = Self { body, place, wrong: Vec::new() };
                    read_ones.push(read(&mut inner));
                    self.wrong.append(&mut inner.wrong);
                }
                None => {
                    let message = "Input should be a valid dictionary or object to extract fields from";
                    self.wrong.push(Detail::about(&place, "model_attributes_type", message).with_input(one));
                }
            }
        }
        Some(read_ones)
    }

    /// A limit that a whole breaks, though each part keeps to its own.
    pub(crate) fn refuse_above(&mut self, field: &str, most: u32, message: &str) {
        let detail = Detail::about(&self.at(field), "less_than_equal", message);
        self.wrong.push(detail.with_context(json!({"le": most})));
    }

    fn at(&self, field: &str) -> Vec<Value> {
        let mut place = self.place.clone();
        place.push(json!(field));
        place
    }

    fn required(&mut self, field: &str) -> Option<&'a Value> {
        let value = self.body.get(field);
        if value.is_none() {
            let detail = Detail::about(&self.at(field), "missing", "Field required");
            self.wrong.push(detail);
        }
        value
    }

    fn is_within(&mut self, field: &str, number: f64, least: f64, most: f64, value: &Value) -> bool {
        let (kind, context, words) = if number < least {
            ("greater_than_equal", json!({"ge": plain(least)}), format!("greater than or equal to {least}"))
        } else if number > most {
            ("less_than_equal", json!({"le": plain(most)}), format!("less than or equal to {most}"))
        } else {
            return true;
        };
        let detail = Detail::about(&self.at(field), kind, format!("Input should be {words}"));
        self.wrong.push(detail.with_context(context).with_input(value));
        false
    }

    fn wrong_literal(&mut self, field: &str, mut allowed: Vec<String>, value: &Value) {
        let last = allowed.pop().unwrap_or_default();
        let expected = if allowed.is_empty() { last } else { format!("{} or {last}", allowed.join(", ")) };
        let detail = Detail::about(&self.at(field), "literal_error", format!("Input should be {expected}"));
        self.wrong.push(detail.with_context(json!({"expected": expected})).with_input(value));
    }

    fn wrong_value(&mut self, field: &str, kind: &'static str, message: &str, value: &Value) {
        let detail = Detail::about(&self.at(field), kind, message).with_input(value);
        self.wrong.push(detail);
    }
}

/// A whole number without a point.
fn plain(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}
