//! From amounts to rectangles. Widths are shares of the drawing's width, heights are pixels: text beside them keeps its
//! size on every screen.

use std::fmt;

/// A share of the drawing's width in thousandths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// The whole width.
    const WHOLE: u32 = 100_000;

    /// Both shares together.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03}%", self.0 / 1000, self.0 % 1000)
    }
}

/// One rectangle of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Which part of the column it is, from 0.
    pub part: usize,
    /// Pixels from the top of the drawing.
    pub y: u32,
    /// Pixels.
    pub height: u32,
}

/// Where a column stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnBox {
    /// Left edge of the strip that belongs to the column.
    pub left: Share,
    /// Width of that strip.
    pub width: Share,
    /// Left edge of its bars.
    pub bar_left: Share,
    /// Width of its bars.
    pub bar_width: Share,
    /// Middle of the column.
    pub middle: Share,
    /// The bars from the ground up; parts without an amount have none.
    pub bars: Vec<Bar>,
    /// Pixels from the top of the drawing to the highest bar.
    pub top: u32,
}

/// Arranges columns of stacked amounts between `top` and `ground` (pixels from the top of the drawing). The largest sum
/// reaches `top`; anything above nothing is at least two pixels high; an amount below nothing is drawn as nothing.
pub fn arrange(columns: &[Vec<i64>], top: u32, ground: u32) -> Vec<ColumnBox> {
    let sum = |parts: &[i64]| parts.iter().fold(0_i64, |sum, amount| sum.saturating_add(*amount.max(&0)));
    let largest = columns.iter().map(|parts| sum(parts)).max().unwrap_or(0).max(1);
    let count = u32::try_from(columns.len()).unwrap_or(u32::MAX).max(1);
    let slot = Share::WHOLE / count;
    let bar = slot * 7 / 10;
    (0..count)
        .zip(columns)
        .map(|(at, parts)| {
            let left = slot * at;
            let bars = stack(parts, largest, top, ground);
            ColumnBox {
                left: Share(left),
                width: Share(slot),
                bar_left: Share(left + (slot - bar) / 2),
                bar_width: Share(bar),
                middle: Share(left + slot / 2),
                top: bars.last().map_or(ground, |bar| bar.y),
                bars,
            }
        })
        .collect()
}

fn stack(parts: &[i64], largest: i64, top: u32, ground: u32) -> Vec<Bar> {
    const LEAST_PIXELS: u32 = 2;
    let room = ground.saturating_sub(top);
    let mut y = ground;
    let mut bars = Vec::new();
    for (part, amount) in parts.iter().enumerate().filter(|(_, amount)| **amount > 0) {
        let share = i128::from(*amount) * i128::from(room) / i128::from(largest);
        let height = u32::try_from(share).unwrap_or(room).max(LEAST_PIXELS).min(y);
        y -= height;
        bars.push(Bar { part, y, height });
    }
    bars
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_largest_sum_reaches_the_top_and_bars_touch() {
        let boxes = arrange(&[vec![50, 50], vec![25, 0]], 20, 120);
        assert_eq!(boxes[0].bars, [Bar { part: 0, y: 70, height: 50 }, Bar { part: 1, y: 20, height: 50 }]);
        assert_eq!(boxes[0].top, 20);
        assert_eq!(boxes[1].bars, [Bar { part: 0, y: 95, height: 25 }]);
    }

    #[test]
    fn nothing_is_drawn_as_nothing_and_little_is_still_seen() {
        let boxes = arrange(&[vec![0, 0], vec![1, 1_000_000], vec![-5]], 0, 100);
        assert!(boxes[0].bars.is_empty());
        assert_eq!(boxes[0].top, 100);
        assert_eq!(boxes[1].bars[0].height, 2);
        assert!(boxes[2].bars.is_empty());
    }

    #[test]
    fn columns_fill_the_width_in_order() {
        let boxes = arrange(&vec![vec![1]; 30], 0, 100);
        assert_eq!(boxes.len(), 30);
        assert_eq!(boxes[0].left.to_string(), "0.000%");
        assert_eq!(boxes[29].left.to_string(), "96.657%");
        assert!(boxes.windows(2).all(|pair| pair[0].left < pair[1].left));
        assert!(boxes.iter().all(|column| column.left <= column.bar_left && column.bar_left < column.middle));
    }

    #[test]
    fn no_columns_and_huge_amounts_do_not_overflow() {
        assert!(arrange(&[], 0, 100).is_empty());
        assert_eq!(arrange(&[vec![i64::MAX, i64::MAX]], 0, 100)[0].bars[0].height, 100);
    }
}
