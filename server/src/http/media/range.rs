//! Ranges of bytes as browsers ask for them (RFC 9110, 14).

use axum::body::Bytes;
use storage::ByteRange;

/// What a `Range` header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: no header, or one that is not understood and must be ignored.
    Whole,
    /// One range that lies in the object, both ends included.
    Part(u64, u64),
    /// Nothing the object has.
    Unsatisfiable,
}

/// Reads a `Range` header for an object of `total` bytes. Several ranges are answered with everything, as the RFC
/// allows.
pub fn parse(header: Option<&str>, total: u64) -> Wanted {
    let Some(spec) = header.and_then(|text| text.strip_prefix("bytes=")) else { return Wanted::Whole };
    let Some((first, last)) = spec.trim().split_once('-').filter(|_| !spec.contains(',')) else { return Wanted::Whole };
    let (first, last) = (first.trim(), last.trim());
    match (position(first), position(last)) {
        (Some(first), Some(last)) if first > last => Wanted::Whole,
        (Some(_), None) if !last.is_empty() => Wanted::Whole,
        (Some(first), _) if first >= total => Wanted::Unsatisfiable,
        (Some(first), Some(last)) => Wanted::Part(first, last.min(total.saturating_sub(1))),
        (Some(first), None) => Wanted::Part(first, total.saturating_sub(1)),
        (None, Some(count)) if first.is_empty() => match (count.min(total), total) {
            (0, _) => Wanted::Unsatisfiable,
            (count, total) => Wanted::Part(total - count, total - 1),
        },
        _ => Wanted::Whole,
    }
}

/// A position however far away; none for what is no number.
fn position(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

impl Wanted {
    /// The bytes of a whole object that are asked for.
    pub fn of(self, whole: &Bytes) -> Bytes {
        let end = |last: u64| usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1).min(whole.len());
        match self {
            Self::Part(first, last) => {
                whole.slice(usize::try_from(first).unwrap_or(usize::MAX).min(end(last))..end(last))
            }
            Self::Whole | Self::Unsatisfiable => whole.clone(),
        }
    }

    /// What the object store is asked for.
    pub fn to_store(self) -> Option<ByteRange> {
        match self {
            Self::Part(first, last) => Some(ByteRange::Between(first, last)),
            Self::Whole | Self::Unsatisfiable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_browsers_send() {
        let cases = [
            (None, Wanted::Whole),
            (Some("bytes=0-"), Wanted::Part(0, 999)),
            (Some("bytes=0-1"), Wanted::Part(0, 1)),
            (Some("bytes=500-4000"), Wanted::Part(500, 999)),
            (Some("bytes=-100"), Wanted::Part(900, 999)),
            (Some("bytes=-5000"), Wanted::Part(0, 999)),
            (Some("bytes=1000-"), Wanted::Unsatisfiable),
            (Some("bytes=99999999999999999999999-"), Wanted::Unsatisfiable),
            (Some("bytes=0-99999999999999999999999"), Wanted::Part(0, 999)),
            (Some("bytes=0-x"), Wanted::Whole),
            (Some("bytes=-0"), Wanted::Unsatisfiable),
            (Some("bytes=5-2"), Wanted::Whole),
            (Some("bytes=0-1,5-6"), Wanted::Whole),
            (Some("bytes=a-b"), Wanted::Whole),
            (Some("items=0-1"), Wanted::Whole),
        ];
        for (header, wanted) in cases {
            assert_eq!(parse(header, 1000), wanted, "{header:?}");
        }
    }
}
