//! Paging: which slice of a list is asked for, and what came.

use serde::{Deserialize, Serialize};

/// Rows on one page of a table.
pub const PAGE_ROWS: u32 = 20;

/// A page number from the address bar; anything odd is the first page, the largest is 10 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageNumber(u32);

impl PageNumber {
    /// The first page.
    pub const FIRST: Self = Self(1);

    /// Reads the address bar kindly.
    pub fn parse_or_first(text: Option<&str>) -> Self {
        text.and_then(|text| text.parse::<u32>().ok()).map_or(Self::FIRST, |number| Self(number.clamp(1, 10_000)))
    }

    /// Counted from 1.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Rows before this page.
    pub const fn offset(self) -> i64 {
        (self.0 as i64 - 1) * PAGE_ROWS as i64
    }
}

/// One page of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// Which page this is, from 1.
    pub number: u32,
    /// Rows on all pages together.
    pub total: u64,
}

impl<T> Page<T> {
    /// How many pages there are; at least one.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.total.div_ceil(u64::from(PAGE_ROWS))).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_page_numbers_are_the_first_page() {
        for text in [None, Some(""), Some("0"), Some("-3"), Some("abc")] {
            assert_eq!(PageNumber::parse_or_first(text), PageNumber::FIRST);
        }
        assert_eq!(PageNumber::parse_or_first(Some("3")).offset(), 40);
    }
}
