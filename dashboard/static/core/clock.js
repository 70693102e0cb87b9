// The server's clock, which is Redis's. Ages are only as true as this.

const KEEP_SECONDS = 60;
let best = null; // {offset, error, at}: of the samples of the last minute the one with the shortest way

const local = () => (performance.timeOrigin + performance.now()) / 1000;

export const now = () => local() + (best?.offset ?? 0);
export const isSet = () => best !== null;
export const clockError = () => best?.error ?? Infinity;
export const sent = local;

// Takes one exchange: asked at `sentAt` (of `sent()`), answered with the server's `serverNow`.
export function exchanged(sentAt, serverNow) {
  const arrived = local();
  take({ offset: serverNow - (sentAt + arrived) / 2, error: (arrived - sentAt) / 2, at: arrived });
}

// Takes a time that the server sent without being asked: late by the way, so only better than nothing.
export function heard(serverNow) {
  const arrived = local();
  if (best === null) take({ offset: serverNow - arrived, error: 0.5, at: arrived });
}

function take(sample) {
  if (best === null || sample.error <= best.error || sample.at - best.at > KEEP_SECONDS) best = sample;
}
