/// A place in figure units (1000 from crown to floor) or in pixels; y grows down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub x: f32,
    pub y: f32,
}

/// Short for [`Point`].
pub(crate) const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

impl Point {
    pub(crate) fn plus(self, other: Self) -> Self {
        at(self.x + other.x, self.y + other.y)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        at(self.x - other.x, self.y - other.y)
    }

    pub(crate) fn times(self, factor: f32) -> Self {
        at(self.x * factor, self.y * factor)
    }

    pub(crate) fn length(self) -> f32 {
        self.x.hypot(self.y)
    }

    /// Turned by an angle in radians, clockwise on screen.
    pub(crate) fn turned(self, angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        at(self.x * cos - self.y * sin, self.x * sin + self.y * cos)
    }

    pub(crate) fn toward(self, other: Self, share: f32) -> Self {
        at(mix(self.x, other.x, share), mix(self.y, other.y, share))
    }
}

/// From `a` to `b` by a share of 0 to 1.
pub(crate) fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn smooth(low: f32, high: f32, value: f32) -> f32 {
    let share = ((value - low) / (high - low).max(1e-6)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// The value at `y` on a line through `(y, value)` knots, eased at the knots.
pub(crate) fn along(knots: &[(f32, f32)], y: f32) -> f32 {
    let Some((first, last)) = knots.first().zip(knots.last()) else { return 0.0 };
    if y <= first.0 {
        return first.1;
    }
    for pair in knots.windows(2) {
        if let [from, to] = pair
            && y <= to.0
        {
            return mix(from.1, to.1, smooth(from.0, to.0, y));
        }
    }
    last.1
}
