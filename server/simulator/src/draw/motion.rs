use super::geometry::{at, smooth};
use super::pose::Pose;
use super::scene::Drift;

/// How long one breath takes, in seconds.
const BREATH_SECONDS: f32 = 3.4;

/// The pose and camera at a moment of a clip that moves through `poses`,
/// `seconds[i]` from one to the next. The first moment is exactly the first
/// pose, the last exactly the last.
pub(crate) fn moment(poses: &[Pose], seconds: &[u64], time: f32) -> (Pose, Drift) {
    let total: f32 = seconds.iter().map(|one| *one as f32).sum();
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

fn at_time(poses: &[Pose], seconds: &[u64], time: f32) -> Pose {
    let mut begun = 0.0;
    for (pair, length) in poses.windows(2).zip(seconds) {
        let length = *length as f32;
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
        assert_eq!(moment(&poses, &[4], 0.0).0, poses[0]);
        assert_eq!(moment(&poses, &[4], 4.0).0, poses[1]);
        let middle = moment(&poses, &[4], 2.0).0;
        assert!(middle.hips_x > poses[0].hips_x && middle.hips_x < poses[1].hips_x);
    }
}
