//! The body of a request, by the endpoint's mapping in the catalogue.

use domain::{FailureCode, Resolution};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    Certainty, ClipRequest, GarmentCategory, ModelRow, Picture, ProviderError, Retry, Role, StillRequest,
    catalogue::{CategoryField, InputLimits, InputMapping, PictureFields},
};

/// Tags of one request, at most.
const MAX_TAGS: usize = 10;

/// A picture and the field it goes into.
pub(super) struct Placed<'a> {
    pub(super) picture: &'a Picture,
    /// What it is called at the provider.
    pub(super) name: &'static str,
    field: Field<'a>,
}

enum Field<'a> {
    /// One of a list.
    List(&'a str),
    /// The only one.
    Own(&'a str),
}

impl Placed<'_> {
    /// Writes where the picture was stored.
    pub(super) fn write(&self, url: &Url, body: &mut Map<String, Value>) {
        let url = json!(url.as_str());
        match self.field {
            Field::Own(field) => {
                body.insert(field.to_owned(), url);
            }
            Field::List(field) => match body.get_mut(field).and_then(Value::as_array_mut) {
                Some(list) => list.push(url),
                None => {
                    body.insert(field.to_owned(), json!([url]));
                }
            },
        }
    }
}

/// The pictures of a still, checked, in the order they are sent.
///
/// # Errors
/// Not sent: a picture the endpoint does not take, or nobody to wear the garment.
pub(super) fn still_pictures<'a>(
    row: &'a ModelRow,
    mapping: &'a InputMapping,
    request: &'a StillRequest,
) -> Result<Vec<Placed<'a>>, ProviderError> {
    let photo = request.photos.first().ok_or_else(|| ours("a still needs a photo"))?;
    let placed = match &mapping.pictures {
        PictureFields::TryOn { garment, person } => {
            let who = request.person.as_ref().ok_or_else(|| ours("a try-on model needs a picture of a person"))?;
            vec![
                Placed { picture: who, name: "person", field: Field::Own(person) },
                Placed { picture: photo, name: "photo", field: Field::Own(garment) },
            ]
        }
        PictureFields::List { list } => {
            let room = usize::try_from(row.limits.photos_max).unwrap_or(usize::MAX);
            let people = request.person.iter().map(|picture| ("person", picture));
            let photos = request.photos.iter().map(|picture| ("photo", picture));
            let photos = photos.take(room.saturating_sub(people.len()));
            photos.chain(people).map(|(name, picture)| Placed { picture, name, field: Field::List(list) }).collect()
        }
        PictureFields::Frames { first, .. } => vec![Placed { picture: photo, name: "photo", field: Field::Own(first) }],
    };
    checked(placed, &row.limits)
}

/// The pictures of a clip, checked, in the order they are sent.
///
/// # Errors
/// Not sent: a picture the endpoint does not take, or no last picture where it needs one.
pub(super) fn clip_pictures<'a>(
    row: &'a ModelRow,
    mapping: &'a InputMapping,
    request: &'a ClipRequest,
) -> Result<Vec<Placed<'a>>, ProviderError> {
    let end = request.end.as_ref().filter(|_| row.makes(Role::Transition));
    if end.is_none() && !row.makes(Role::Motion) {
        return Err(ours("a transition needs a last picture"));
    }
    let start = &request.start;
    let mut placed = Vec::with_capacity(2);
    match &mapping.pictures {
        PictureFields::List { list } => {
            placed.push(Placed { picture: start, name: "start", field: Field::List(list) });
            placed.extend(end.map(|picture| Placed { picture, name: "end", field: Field::List(list) }));
        }
        PictureFields::Frames { first, last } => {
            placed.push(Placed { picture: start, name: "start", field: Field::Own(first) });
            let last = last.as_deref().zip(end);
            placed.extend(last.map(|(field, picture)| Placed { picture, name: "end", field: Field::Own(field) }));
        }
        PictureFields::TryOn { .. } => return Err(ours("a try-on model makes no clips")),
    }
    checked(placed, &row.limits)
}

/// Everything of a still but its pictures.
pub(super) fn still_body(mapping: &InputMapping, request: &StillRequest) -> Map<String, Value> {
    let mut body = mapping.fixed.clone();
    let words = [
        (mapping.prompt.as_deref(), request.prompt.as_str()),
        (mapping.aspect.as_deref(), request.aspect.as_str()),
        (mapping.size.as_deref(), request.size.as_str()),
    ];
    let category = mapping.category.as_ref().map(|field| (field.field.as_str(), word(field, request.category)));
    let given = words.into_iter().filter_map(|(field, value)| Some((field?, value)));
    body.extend(given.chain(category).map(|(field, value)| (field.to_owned(), json!(value))));
    body
}

/// Everything of a clip but its pictures.
///
/// # Errors
/// Not sent: the endpoint makes no clip of that length.
pub(super) fn clip_body(
    row: &ModelRow,
    mapping: &InputMapping,
    request: &ClipRequest,
) -> Result<Map<String, Value>, ProviderError> {
    let bought = row.bought(&request.order())?;
    let mut body = mapping.fixed.clone();
    if let Some(field) = &mapping.prompt {
        body.insert(field.clone(), json!(request.prompt));
    }
    if let Some(field) = &mapping.resolution {
        let ours: Resolution = request.resolution;
        let theirs = field.values.get(&ours).map_or(ours.as_str(), String::as_str);
        body.insert(field.field.clone(), json!(theirs));
    }
    if let Some(field) = &mapping.motion {
        let motion = request.motion.unwrap_or(field.default).clamp(field.min, field.max);
        body.insert(field.field.clone(), json!(motion));
    }
    if let Some(codec) = &row.duration {
        codec.write(&bought, &request.prompt, &mut body);
    }
    Ok(body)
}

/// Tags as fal takes them, `name=value,name=value`; none when there are none that can be sent.
pub(super) fn tags(tags: &[(String, String)]) -> Option<String> {
    let is_plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let sent: Vec<String> = tags
        .iter()
        .filter(|(name, value)| is_plain(name) && is_plain(value))
        .take(MAX_TAGS)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (!sent.is_empty()).then(|| sent.join(","))
}

fn word(field: &CategoryField, category: Option<GarmentCategory>) -> &str {
    match category {
        Some(GarmentCategory::Top) => &field.top,
        Some(GarmentCategory::Bottom) => &field.bottom,
        Some(GarmentCategory::OnePiece) => &field.one_piece,
        None => &field.any,
    }
}

fn checked<'a>(placed: Vec<Placed<'a>>, limits: &InputLimits) -> Result<Vec<Placed<'a>>, ProviderError> {
    placed.iter().try_for_each(|one| one.picture.check(limits))?;
    Ok(placed)
}

/// A request we should not have made.
fn ours(detail: &str) -> ProviderError {
    ProviderError::new(FailureCode::ProviderRejected, Certainty::NotSent, Retry::Never, detail)
}
