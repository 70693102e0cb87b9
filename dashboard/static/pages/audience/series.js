// The steps of an answer about the audience, as lines of a chart. Steps in which nobody was there are not in the answer.

export function linesOf({ since, until, step, series, now }, lines, empty = null) {
  const steps = new Map(series.map((one) => [one.at, one]));
  const running = Math.floor(now.at / step) * step; // a step that has just begun says nothing yet
  const end = Math.min(until, steps.has(running) ? running + step : Math.max(running, since + step));
  const times = [...Array(Math.max(1, Math.round((end - since) / step))).keys()].map((index) => since + index * step);
  const points = (read) => times.map((at) => [at, steps.has(at) ? (read(steps.get(at)) ?? null) : empty]);
  return { from: since, to: end, step, series: Object.entries(lines).map(([name, read]) => ({ name, role: "value", points: points(read) })) };
}

// The same of shares, as percent.
export const shareLines = (answer, lines) => linesOf(answer, Object.fromEntries(Object.entries(lines).map(([name, read]) => [name, (step) => percentOf(read(step))])));

export const percentOf = (share) => (share === null || share === undefined ? null : share * 100);
