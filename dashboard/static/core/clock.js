// The server's clock, which is Redis's. Ages are only as true as this.

const KEEP_SECONDS = 60;
let best = null; // of the samples of the last minute the one with the shortest way

const local = () => (performance.timeOrigin + performance.now()) / 1000;

export const now = () => local() + (best?.offset ?? 0);
export const sent = local;

// Takes one exchange: asked at `sentAt` (of `sent()`), answered with the server's `serverNow`.
export function exchanged(sentAt, serverNow) {
  const arrived = local();
  take({ offset: serverNow - (sentAt + arrived) / 2, least: serverNow - arrived, most: serverNow - sentAt, error: (arrived - sentAt) / 2, at: arrived });
}

// Takes a time that the server sent without being asked: late by an unknown way, so only better than nothing; the least late is best.
export function heard(serverNow) {
  const arrived = local();
  const offset = serverNow - arrived;
  take({ offset, least: offset, most: offset, error: Infinity, at: arrived });
}

function take(sample) {
  const isBetter = best === null || sample.error < best.error;
  const isBeyond = best !== null && sample.least > best.most; // that was later than this, or a clock stood still: this machine slept
  const isDue = best !== null && sample.at - best.at > KEEP_SECONDS && (sample.error < Infinity || best.error === Infinity);
  if (isBetter || isBeyond || isDue) best = sample;
}
