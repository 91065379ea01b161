use super::geometry::mix;
use super::shape::Kind;
use super::words::PoseName;

/// An arm: how far it is lifted outward from where the sleeve lay flat, and
/// how far the elbow is bent (negative: inward), in radians.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Arm {
    pub lift: f32,
    pub bend: f32,
}

/// A leg: how far knee and ankle are from standing straight, in figure units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Leg {
    pub knee_x: f32,
    pub ankle_x: f32,
    pub ankle_y: f32,
}

/// How the figure stands. Lengths in figure units, angles in radians; the
/// first of a pair is on the left of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pose {
    pub shoulders_x: f32,
    pub waist_x: f32,
    pub hips_x: f32,
    pub hem_x: f32,
    pub shoulders_tilt: f32,
    pub hips_tilt: f32,
    /// 0 faces us, 1 is turned a little to the right.
    pub turn: f32,
    pub head_tilt: f32,
    pub head_turn: f32,
    pub arms: [Arm; 2],
    pub legs: [Leg; 2],
    /// 0 calm, 1 smiling.
    pub smile: f32,
    /// 0 open eyes, 1 closed.
    pub blink: f32,
    /// 0 breathed out, 1 in.
    pub breath: f32,
    /// How far something carried swings, in radians.
    pub swing: f32,
}

impl Pose {
    /// The pose of a still, suited to what is worn.
    pub(crate) fn of(name: PoseName, kind: Kind) -> Self {
        let mut pose = match name {
            PoseName::Start => Self::standing(),
            PoseName::End => Self::hand_on_hip(),
        };
        if kind == Kind::Bag {
            pose.arms[0] = match name {
                PoseName::Start => Arm { lift: 0.04, bend: -0.03 },
                PoseName::End => Arm { lift: 0.30, bend: -0.10 },
            };
            pose.swing = if name == PoseName::End { -0.10 } else { 0.0 };
        }
        pose
    }

    /// The same pose in another take: head and arms a little otherwise. Take 0
    /// is the pose itself.
    pub(crate) fn varied(mut self, take: u64) -> Self {
        if take == 0 {
            return self;
        }
        let mixed = take.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let chance = |shift: u32| ((mixed >> shift) & 0xff) as f32 / 127.5 - 1.0;
        self.head_tilt += 0.035 * chance(56);
        self.head_turn += 0.25 * chance(48);
        self.shoulders_x += 3.0 * chance(40);
        self.hips_x += 4.0 * chance(32);
        for (arm, shift) in self.arms.iter_mut().zip([24, 16]) {
            arm.lift = (arm.lift + 0.02 * chance(shift)).max(0.0);
        }
        self
    }

    fn standing() -> Self {
        Self {
            hips_x: -7.0,
            waist_x: -3.0,
            hem_x: -3.0,
            shoulders_tilt: 0.012,
            hips_tilt: -0.025,
            head_tilt: -0.03,
            head_turn: -0.15,
            arms: [Arm { lift: 0.0, bend: -0.05 }, Arm { lift: 0.01, bend: -0.06 }],
            legs: [Leg { knee_x: 0.0, ankle_x: 0.0, ankle_y: 0.0 }, Leg { knee_x: 4.0, ankle_x: 12.0, ankle_y: 3.0 }],
            smile: 0.6,
            ..Self::default()
        }
    }

    fn hand_on_hip() -> Self {
        Self {
            shoulders_x: -10.0,
            waist_x: 4.0,
            hips_x: 24.0,
            hem_x: 16.0,
            shoulders_tilt: 0.055,
            hips_tilt: -0.075,
            turn: 0.6,
            head_tilt: 0.10,
            head_turn: 0.65,
            arms: [Arm { lift: 0.10, bend: -0.16 }, Arm { lift: 0.56, bend: -1.32 }],
            legs: [
                Leg { knee_x: -9.0, ankle_x: -44.0, ankle_y: 6.0 },
                Leg { knee_x: 10.0, ankle_x: -2.0, ankle_y: 0.0 },
            ],
            smile: 1.0,
            ..Self::default()
        }
    }

    /// From this pose to another by a share of 0 to 1.
    pub(crate) fn toward(&self, other: &Self, share: f32) -> Self {
        let arm = |i: usize| Arm {
            lift: mix(self.arms[i].lift, other.arms[i].lift, share),
            bend: mix(self.arms[i].bend, other.arms[i].bend, share),
        };
        let leg = |i: usize| Leg {
            knee_x: mix(self.legs[i].knee_x, other.legs[i].knee_x, share),
            ankle_x: mix(self.legs[i].ankle_x, other.legs[i].ankle_x, share),
            ankle_y: mix(self.legs[i].ankle_y, other.legs[i].ankle_y, share),
        };
        Self {
            shoulders_x: mix(self.shoulders_x, other.shoulders_x, share),
            waist_x: mix(self.waist_x, other.waist_x, share),
            hips_x: mix(self.hips_x, other.hips_x, share),
            hem_x: mix(self.hem_x, other.hem_x, share),
            shoulders_tilt: mix(self.shoulders_tilt, other.shoulders_tilt, share),
            hips_tilt: mix(self.hips_tilt, other.hips_tilt, share),
            turn: mix(self.turn, other.turn, share),
            head_tilt: mix(self.head_tilt, other.head_tilt, share),
            head_turn: mix(self.head_turn, other.head_turn, share),
            arms: [arm(0), arm(1)],
            legs: [leg(0), leg(1)],
            smile: mix(self.smile, other.smile, share),
            blink: mix(self.blink, other.blink, share),
            breath: mix(self.breath, other.breath, share),
            swing: mix(self.swing, other.swing, share),
        }
    }
}
