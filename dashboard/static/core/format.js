// Figures as people read them.

const thousands = new Intl.NumberFormat("en");

export const number = (value) => (value === null || value === undefined ? "–" : thousands.format(value));
export const percent = (share) => (share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`);
export const rate = (perSecond) => (perSecond === null || perSecond === undefined ? "–" : `${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s`);

export function age(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const positive = Math.max(0, seconds);
  if (positive < 1) return `${positive.toFixed(2)} s`;
  if (positive < 60) return `${positive.toFixed(1)} s`;
  return positive < 3600 ? `${Math.floor(positive / 60)} min` : `${Math.floor(positive / 3600)} h`;
}

export const milliseconds = (seconds) => (seconds === null || seconds === undefined ? "–" : `${Math.round(seconds * 1000)} ms`);

export function dollars(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0 $";
  return `${value < 0.01 ? value.toPrecision(1) : thousands.format(Number(value.toFixed(value < 10 ? 2 : 0)))} $`;
}

export const clockTime = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");
export const day = (seconds) => new Date(seconds * 1000).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" });

// A moment of today by its time alone, another with its day.
export const dayTime = (seconds) => `${day(seconds) === day(Date.now() / 1000) ? "" : `${day(seconds)}, `}${clockTime(seconds)}`;

// How old a shown picture may be: good up to a second, then amber, then red.
export const ageLevel = (seconds) => (seconds > 3 ? "bad" : seconds > 1 ? "warn" : "good");
