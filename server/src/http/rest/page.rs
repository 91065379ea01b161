//! Lists by cursor: what comes after the last that was seen, whatever was added since.

use axum::http::Uri;
use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD},
};
use uuid::Uuid;

use super::{
    input::{self, Fields},
    problem::{FieldCode, Problem},
};

/// Most of a page.
pub const LIMIT_MAX: i64 = 100;
/// As many as are given when nobody says.
const LIMIT_DEFAULT: i64 = 20;

/// Which page is asked for.
pub struct PageQuery {
    /// Begins after this one.
    pub after: Option<Uuid>,
    limit: usize,
}

impl PageQuery {
    /// Reads `limit` and `cursor`; other parameters are left to the caller.
    ///
    /// # Errors
    /// A parameter that stands there twice.
    pub fn read(uri: &Uri) -> Result<(Self, Fields), Problem> {
        let mut fields = input::query(uri)?;
        let limit = fields.optional("limit", "1..=100", input::text_between(1, LIMIT_MAX)).unwrap_or(LIMIT_DEFAULT);
        let after = fields.optional("cursor", "nextCursor of the page before", |value| {
            value.as_str().and_then(open).ok_or(FieldCode::InvalidValue)
        });
        Ok((Self { after, limit: usize::try_from(limit).unwrap_or(1) }, fields))
    }

    /// How many are to be asked for: one more than the page has, to know whether there is another.
    pub fn most(&self) -> u32 {
        u32::try_from(self.limit).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The page, and where the next begins.
    pub fn cut<T>(&self, mut items: Vec<T>, id: impl Fn(&T) -> Uuid) -> (Vec<T>, Option<String>) {
        let has_more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| has_more).map(|last| seal(id(last)));
        (items, next)
    }
}

/// Nobody should build one.
fn seal(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

fn open(cursor: &str) -> Option<Uuid> {
    // The last of 22 characters has four bits more than are needed.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
    Uuid::from_slice(&LENIENT.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(address: &'static str) -> Result<PageQuery, Problem> {
        let (page, fields) = PageQuery::read(&Uri::from_static(address))?;
        fields.finish().map(|()| page)
    }

    #[test]
    fn a_cursor_leads_to_the_next_page() {
        let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let page = read("/x?limit=2").ok().unwrap();
        assert_eq!((page.most(), page.after), (3, None));
        let (items, next) = page.cut(ids.clone(), |id| *id);
        assert_eq!(items, ids[..2]);
        assert_eq!(open(&next.unwrap()), Some(ids[1]));
        let (_, next) = page.cut(ids[..2].to_vec(), |id| *id);
        assert_eq!(next, None, "the last page is full");
    }

    #[test]
    fn odd_parameters_are_refused() {
        for address in ["/x?limit=0", "/x?limit=101", "/x?limit=a", "/x?cursor=%20", "/x?limit=1&limit=2", "/x?page=2"]
        {
            assert!(read(address).is_err(), "{address}");
        }
    }
}
