//! Which fields of an endpoint take what, and where its answer keeps the file: what makes a new endpoint of fal a row
//! and not a release.

use std::collections::BTreeMap;

use domain::Resolution;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The fields of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputMapping {
    /// Where the pictures go.
    pub pictures: PictureFields,
    /// The field for the words; without one the model takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The field for a still's shape, written `3:4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<String>,
    /// The field for a still's size, written `1K`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// The field for a clip's size, with the endpoint's spelling of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<ResolutionField>,
    /// The field for what a garment covers, with the endpoint's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryField>,
    /// The field for how much moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motion: Option<NumberField>,
    /// Fields that are always the same.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fixed: Map<String, Value>,
}

/// Where pictures go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum PictureFields {
    /// All of them in one list, in order.
    List {
        /// The field of the list.
        list: String,
    },
    /// The first frame and, for transitions, the last.
    Frames {
        /// The field for the first frame.
        first: String,
        /// The field for the last frame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<String>,
    },
    /// A garment and somebody to wear it.
    TryOn {
        /// The field for the product photo.
        garment: String,
        /// The field for the person.
        person: String,
    },
}

/// A clip's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolutionField {
    /// Its field.
    pub field: String,
    /// What the endpoint calls our sizes; a size that is missing is called as we do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<Resolution, String>,
}

/// What a garment covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryField {
    /// Its field.
    pub field: String,
    /// The endpoint's word for shirts and jackets.
    pub top: String,
    /// Its word for trousers and skirts.
    pub bottom: String,
    /// Its word for dresses and overalls.
    pub one_piece: String,
    /// Its word for "see for yourself".
    pub any: String,
}

/// A number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberField {
    /// Its field.
    pub field: String,
    /// The smallest.
    pub min: u8,
    /// The largest.
    pub max: u8,
    /// What is sent when nothing is asked for.
    pub default: u8,
}

impl NumberField {
    pub(super) const fn is_range(&self) -> bool {
        self.min <= self.default && self.default <= self.max
    }
}

/// Where an answer keeps the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputMapping {
    /// JSON pointer (RFC 6901) to the file's address, like `/images/0/url`.
    pub file: String,
}

impl OutputMapping {
    /// The file's address, and beside it the media type the vendor names.
    pub fn find<'a>(&self, answer: &'a Value) -> Option<(&'a str, Option<&'a str>)> {
        let url = answer.pointer(&self.file)?.as_str()?;
        let beside = self.file.rsplit_once('/').map(|(parent, _)| format!("{parent}/content_type"));
        Some((url, beside.and_then(|pointer| answer.pointer(&pointer)).and_then(Value::as_str)))
    }
}
