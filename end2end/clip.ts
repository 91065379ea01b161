// Clips as a viewer sees them.

import { expect, type Locator } from "@playwright/test";

const END_LIMIT_MS = 25_000;

/** The whole of it was played, from the first moment to the last, and pictures were shown. */
export async function expectPlayedToItsEnd(video: Locator): Promise<void> {
  const missing = () =>
    video.evaluate((clip: HTMLVideoElement) => {
      const { played, duration } = clip;
      if (!(duration > 1) || played.length === 0) return "nothing was played";
      const [from, to] = [played.start(0), played.end(played.length - 1)];
      if (played.length > 1 || from > 0.1 || to < duration - 0.1) return `played ${from}–${to} of ${duration} s`;
      const { totalVideoFrames, droppedVideoFrames } = clip.getVideoPlaybackQuality();
      return totalVideoFrames - droppedVideoFrames > duration ? "" : `${totalVideoFrames} pictures, ${droppedVideoFrames} dropped`;
    });
  await expect.poll(missing, { timeout: END_LIMIT_MS }).toBe("");
}

export function isPlaying(video: Locator): Promise<boolean> {
  return video.evaluate((clip: HTMLVideoElement) => !clip.paused && clip.readyState >= 2);
}

/** The picture is there, not only its place. */
export async function expectLoaded(picture: Locator): Promise<void> {
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth)).toBeGreaterThan(100);
}
