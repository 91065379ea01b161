use super::geometry::{at, smooth};
use super::pose::Pose;
use super::scene::Drift;

/// How long one breath takes, in seconds.
const BREATH_SECONDS: f32 = 3.4;

/// The pose and camera at a moment of a clip that moves through `poses`,
/// `seconds[i]` from one to the next. The first moment is exactly the first
/// pose, the last exactly the last.
pub(crate) fn moment(poses: &[Pose], seconds: &[f32], time: f32) -> (Pose, Drift) {
    let total: f32 = seconds.iter().sum();
    let share = (time / total.max(0.1)).clamp(0.0, 1.0);
    let mut pose = at_time(poses, seconds, time);
    // The hem is late, as cloth is.
    let late = at_time(poses, seconds, (time - 0.16).max(0.0));
    let settled = smooth(0.0, 0.12, share) * smooth(1.0, 0.86, share);
    pose.hem_x += (late.hem_x - pose.hem_x) * settled;
    pose.swing +=
        (late.swing - pose.swing) * settled + 0.05 * settled * (time * 4.2).sin() * f32::from(pose.swing != 0.0);
    pose.breath = settled * (0.5 - 0.5 * (time / BREATH_SECONDS * std::f32::consts::TAU).cos());
    pose.blink = blink(share, total);
    let arc = (share * std::f32::consts::PI).sin().powi(2);
    let drift = Drift { zoom: 0.04 * arc, way: at(5.0 * arc, -7.0 * arc) };
    (pose, drift)
}

/// The pose and camera at a moment of a clip out of a single pose: somebody
/// who stands, breathes and looks about a little while the camera comes
/// slowly nearer. The first moment is exactly the pose. `motion` is usually 1.
pub(crate) fn breathing(from: Pose, time: f32, total: f32, motion: f32, seed: u64) -> (Pose, Drift) {
    let share = (time / total.max(0.1)).clamp(0.0, 1.0);
    let strength = motion.clamp(0.05, 2.0) * smooth(0.0, (total * 0.3).min(0.8), time);
    let way = if seed.is_multiple_of(2) { 1.0 } else { -1.0 };
    // A short clip sways quicker: something must be seen to move.
    let turn = std::f32::consts::TAU / total.clamp(1.8, 4.2);
    let wave = |late: f32| (turn * (time - late)).sin();
    let mut pose = from;
    pose.breath += strength.min(1.0) * (0.5 - 0.5 * (time / BREATH_SECONDS * std::f32::consts::TAU).cos());
    pose.shoulders_x += way * 4.0 * strength * wave(0.0);
    pose.waist_x += way * 1.5 * strength * wave(0.1);
    pose.hips_x -= way * 3.0 * strength * wave(0.05);
    pose.hem_x -= way * 7.0 * strength * wave(0.3);
    pose.shoulders_tilt += way * 0.010 * strength * wave(0.0);
    pose.head_tilt += way * 0.030 * strength * wave(0.15);
    pose.head_turn += way * 0.22 * strength * wave(0.05);
    pose.swing += 0.05 * strength * wave(0.2);
    for (arm, late) in pose.arms.iter_mut().zip([0.12, 0.2]) {
        arm.lift += 0.022 * strength * (0.5 - 0.5 * (turn * (time - late)).cos());
    }
    pose.blink = pose.blink.max(blink(share, total));
    let near = (share + smooth(0.0, 1.0, share)) / 2.0 * motion.clamp(0.05, 2.0);
    (pose, Drift { zoom: 0.05 * near, way: at(way * 4.0 * near, -8.0 * near) })
}

fn at_time(poses: &[Pose], seconds: &[f32], time: f32) -> Pose {
    let mut begun = 0.0;
    for (pair, length) in poses.windows(2).zip(seconds) {
        let length = *length;
        if let [from, to] = pair
            && time <= begun + length
        {
            let share = ease((time - begun) / length.max(0.1));
            // Mixing would miss the last pose by a rounding.
            return if share >= 1.0 { *to } else { from.toward(to, share) };
        }
        begun += length;
    }
    poses.last().copied().unwrap_or_default()
}

/// Rests a little at both ends and is quickest in the middle.
fn ease(share: f32) -> f32 {
    let t = ((share - 0.08) / 0.84).clamp(0.0, 1.0);
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

/// One blink a little before the middle, a fifth of a second long.
fn blink(share: f32, total: f32) -> f32 {
    let away = ((share - 0.42) * total).abs();
    1.0 - smooth(0.02, 0.12, away)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::shape::Kind;
    use crate::draw::words::PoseName;

    #[test]
    fn the_ends_are_the_stills_and_the_middle_is_neither() {
        let poses = [PoseName::Start, PoseName::End].map(|name| Pose::of(name, Kind::Upper));
        assert_eq!(moment(&poses, &[4.0], 0.0).0, poses[0]);
        assert_eq!(moment(&poses, &[4.0], 4.0).0, poses[1]);
        let middle = moment(&poses, &[4.0], 2.0).0;
        assert!(middle.hips_x > poses[0].hips_x && middle.hips_x < poses[1].hips_x);
    }

    #[test]
    fn a_single_pose_is_left_slowly() {
        let pose = Pose::of(PoseName::Start, Kind::Upper);
        assert_eq!(breathing(pose, 0.0, 1.0, 1.0, 0).0, pose);
        let (later, drift) = breathing(pose, 1.0, 1.0, 1.0, 0);
        assert!(later != pose && drift.zoom > 0.03);
        let (calm, _) = breathing(pose, 0.5, 1.0, 0.1, 0);
        let (wild, _) = breathing(pose, 0.5, 1.0, 2.0, 0);
        assert!((calm.hem_x - pose.hem_x).abs() < (wild.hem_x - pose.hem_x).abs());
    }
}
