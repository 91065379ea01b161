use serde_json::{Value, json};

/// One entry of the `detail` list that fal answers a bad input with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detail {
    location: Vec<Value>,
    kind: &'static str,
    message: String,
    context: Option<Value>,
    input: Option<Value>,
}

impl Detail {
    /// A complaint about `field` of the body.
    pub(crate) fn at(field: &str, kind: &'static str, message: impl Into<String>) -> Self {
        Self { location: vec![json!("body"), json!(field)], kind, message: message.into(), context: None, input: None }
    }

    /// A complaint about a place somewhere in the body.
    pub(crate) fn about(place: &[Value], kind: &'static str, message: impl Into<String>) -> Self {
        let mut location = vec![json!("body")];
        location.extend_from_slice(place);
        Self { location, ..Self::at("", kind, message) }
    }

    /// The limits that were broken.
    pub(crate) fn with_context(mut self, context: Value) -> Self {
        self.context = Some(context);
        self
    }

    /// The value that was refused.
    pub(crate) fn with_input(mut self, input: &Value) -> Self {
        self.input = Some(input.clone());
        self
    }

    /// The error's name, what a client branches on.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "loc": self.location,
            "msg": self.message,
            "type": self.kind,
            "url": format!("https://docs.fal.ai/errors/#{}", self.kind),
        });
        if let Some(context) = &self.context {
            entry["ctx"] = context.clone();
        }
        if let Some(input) = &self.input {
            entry["input"] = input.clone();
        }
        entry
    }
}

/// The body of a 422: `{"detail":[…]}`.
pub(crate) fn detail_body(details: &[Detail]) -> Value {
    json!({"detail": details.iter().map(Detail::to_json).collect::<Vec<_>>()})
}
