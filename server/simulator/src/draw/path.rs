use std::fmt::Write as _;

use super::geometry::Point;

/// An SVG path through the points, round at every one (Catmull–Rom), closed.
pub(crate) fn round_path(points: &[Point]) -> String {
    let count = points.len();
    let mut path = String::new();
    let get = |index: usize| points[index % count];
    if count < 3 {
        return path;
    }
    let _ = write!(path, "M{:.2} {:.2}", points[0].x, points[0].y);
    for index in 0..count {
        let (before, from) = (get(index + count - 1), get(index));
        let (to, after) = (get(index + 1), get(index + 2));
        let first = from.plus(to.minus(before).times(1.0 / 6.0));
        let second = to.minus(after.minus(from).times(1.0 / 6.0));
        let _ = write!(path, "C{:.2} {:.2} {:.2} {:.2} {:.2} {:.2}", first.x, first.y, second.x, second.y, to.x, to.y);
    }
    path.push('Z');
    path
}

/// An SVG path with straight sides through the points, closed.
pub(crate) fn straight_path(points: &[Point]) -> String {
    let mut path = String::new();
    for (index, point) in points.iter().enumerate() {
        let letter = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{:.2} {:.2}", point.x, point.y);
    }
    path.push('Z');
    path
}
