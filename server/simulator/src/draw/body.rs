use super::geometry::{Point, along, at, mix, smooth};
use super::pose::Pose;
use super::words::Person;

pub(crate) const CHIN_Y: f32 = 140.0;
pub(crate) const SHOULDER_Y: f32 = 196.0;
pub(crate) const WAIST_Y: f32 = 380.0;
pub(crate) const HIP_Y: f32 = 490.0;
pub(crate) const CROTCH_Y: f32 = 528.0;
pub(crate) const KNEE_Y: f32 = 735.0;
pub(crate) const ANKLE_Y: f32 = 948.0;
const ARM_LENGTH: f32 = 272.0;
const UPPER_ARM: f32 = 0.53;

/// Half widths of a figure, in figure units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build {
    pub neck: f32,
    pub shoulder: f32,
    /// Where a sleeve is sewn on.
    pub seam: f32,
    pub chest: f32,
    pub waist: f32,
    pub hip: f32,
    pub arm: f32,
    pub leg: f32,
}

impl Build {
    pub(crate) fn of(person: Person) -> Self {
        match person {
            Person::Female => Self {
                neck: 25.0,
                shoulder: 86.0,
                seam: 104.0,
                chest: 79.0,
                waist: 65.0,
                hip: 87.0,
                arm: 19.0,
                leg: 42.0,
            },
            Person::Male => Self {
                neck: 31.0,
                shoulder: 97.0,
                seam: 114.0,
                chest: 92.0,
                waist: 78.0,
                hip: 83.0,
                arm: 23.0,
                leg: 43.0,
            },
        }
    }
}

/// An arm that lies the way the sleeve was photographed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestArm {
    pub shoulder: Point,
    pub elbow: Point,
    pub wrist: Point,
}

impl RestArm {
    /// Along a sleeve; `sleeve_end` is where its cuff ends. A short sleeve
    /// only gives the direction.
    pub(crate) fn along_sleeve(shoulder: Point, sleeve_end: Point) -> Self {
        let reach = sleeve_end.minus(shoulder);
        let is_long = reach.length() > 0.68 * ARM_LENGTH;
        let length = if is_long { (reach.length() + 6.0).min(320.0) } else { ARM_LENGTH };
        let way = reach.times(1.0 / reach.length().max(1.0));
        Self::straight(shoulder, way, length)
    }

    /// Hanging beside the body; `side` is -1 on the left of the picture.
    pub(crate) fn hanging(build: &Build, side: f32) -> Self {
        let shoulder = at(side * (build.shoulder - 4.0), SHOULDER_Y + 6.0);
        Self::straight(shoulder, at(side * 0.10, 0.995), ARM_LENGTH)
    }

    /// Hanging clear of something wide without sleeves.
    pub(crate) fn hanging_clear(build: &Build, side: f32) -> Self {
        let shoulder = at(side * (build.seam - 5.0), SHOULDER_Y + 10.0);
        Self::straight(shoulder, at(side * 0.19, 0.982), ARM_LENGTH)
    }

    fn straight(shoulder: Point, way: Point, length: f32) -> Self {
        Self { shoulder, elbow: shoulder.plus(way.times(length * UPPER_ARM)), wrist: shoulder.plus(way.times(length)) }
    }

    /// The unit vector from shoulder to wrist.
    pub(crate) fn way(&self) -> Point {
        let reach = self.wrist.minus(self.shoulder);
        reach.times(1.0 / reach.length().max(1.0))
    }
}

/// A figure in a pose: takes places of the resting figure to where they are.
pub(crate) struct Body {
    pub build: Build,
    pub pose: Pose,
    pub arms: [RestArm; 2],
}

const LEG_X: [(f32, f32); 3] = [(HIP_Y + 10.0, 43.0), (KNEE_Y, 41.0), (ANKLE_Y, 38.0)];

impl Body {
    /// Bends a place of trunk, neck or anything that hangs from them.
    pub(crate) fn trunk(&self, place: Point) -> Point {
        let pose = &self.pose;
        let shift = along(
            &[
                (SHOULDER_Y, pose.shoulders_x),
                (WAIST_Y, pose.waist_x),
                (HIP_Y, pose.hips_x),
                (KNEE_Y + 60.0, pose.hem_x),
                (ANKLE_Y, pose.hem_x * 0.6),
            ],
            place.y,
        );
        let tilt = along(
            &[
                (SHOULDER_Y, pose.shoulders_tilt),
                (WAIST_Y, mix(pose.shoulders_tilt, pose.hips_tilt, 0.6)),
                (HIP_Y, pose.hips_tilt),
                (KNEE_Y, pose.hips_tilt * 0.35),
                (ANKLE_Y, 0.0),
            ],
            place.y,
        );
        let chest = 1.0 - ((place.y - 270.0) / 130.0).powi(2).min(1.0);
        let width = (1.0 - 0.045 * pose.turn) * (1.0 + 0.012 * pose.breath * chest);
        let rise = 2.2 * pose.breath * smooth(HIP_Y, SHOULDER_Y + 40.0, place.y).abs();
        let rise = if place.y < HIP_Y { rise } else { 0.0 };
        at(shift + place.x * width * tilt.cos(), place.y + place.x * tilt.sin() - rise)
    }

    /// Bends a place of a leg or what covers it; above the crotch it goes
    /// with the trunk.
    pub(crate) fn leg(&self, side: usize, place: Point) -> Point {
        let sign = sign_of(side);
        let leg = self.pose.legs[side.min(1)];
        let hip = at(sign * LEG_X[0].1, LEG_X[0].0);
        let hip_moved = self.trunk(hip).minus(hip);
        let knots = [
            (LEG_X[0].0, hip_moved.x),
            (KNEE_Y, mix(hip_moved.x, leg.ankle_x, 0.5) + leg.knee_x),
            (ANKLE_Y, leg.ankle_x),
        ];
        let drop = along(&[(LEG_X[0].0, hip_moved.y), (ANKLE_Y, leg.ankle_y)], place.y);
        let moved = at(place.x + along(&knots, place.y), place.y + drop);
        self.trunk(place).toward(moved, smooth(HIP_Y - 10.0, CROTCH_Y + 70.0, place.y))
    }

    /// The middle of a resting leg at a height.
    pub(crate) fn leg_middle(side: usize, y: f32) -> f32 {
        sign_of(side) * along(&LEG_X, y)
    }

    /// Bends a place of an arm, its sleeve or its hand.
    pub(crate) fn arm(&self, side: usize, place: Point) -> Point {
        let rest = &self.arms[side.min(1)];
        let arm = self.pose.arms[side.min(1)];
        let sign = -sign_of(side);
        let lift = sign * arm.lift + self.pose.shoulders_tilt * 0.5;
        let bend = lift + sign * arm.bend;
        let shoulder = self.trunk(rest.shoulder);
        let upper = |place: Point| shoulder.plus(place.minus(rest.shoulder).turned(lift));
        let elbow = upper(rest.elbow);
        let lower = elbow.plus(place.minus(rest.elbow).turned(bend));
        let way = rest.way();
        let from_elbow = place.minus(rest.elbow);
        let distance = from_elbow.x * way.x + from_elbow.y * way.y;
        upper(place).toward(lower, smooth(-26.0, 26.0, distance))
    }

    /// Where the hand holds something.
    pub(crate) fn grip(&self, side: usize) -> Point {
        let rest = &self.arms[side.min(1)];
        self.arm(side, rest.wrist.plus(rest.way().times(34.0)))
    }

    /// The pivot of the head.
    pub(crate) fn chin(&self) -> Point {
        self.trunk(at(0.0, CHIN_Y)).plus(at(self.pose.head_tilt * 30.0, 0.0))
    }
}

/// -1 on the left of the picture, 1 on the right.
pub(crate) fn sign_of(side: usize) -> f32 {
    if side == 0 { -1.0 } else { 1.0 }
}
