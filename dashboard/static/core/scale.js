// Where the ticks of a chart stand, and how its values read.

import { age, clockTime, day, dayTime, dollars, number, rate } from "./format.js";

const STEPS = [1, 2, 2.5, 5, 10];
const DAY = 86400;
const TIME_STEPS = [0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, DAY, 2 * DAY, 7 * DAY];
const TICK_WIDTH = 90; // pixels

export function shown(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "s") return duration(value);
  if (unit.endsWith("/s") && !unit.startsWith("bytes")) return rate(value);
  if (unit === "bytes/s") return value < 1e6 ? `${Math.round(value / 1e3)} KB/s` : `${(value / 1e6).toFixed(1)} MB/s`;
  if (unit === "%") return `${Math.round(value)} %`;
  if (unit.startsWith("dollars")) return dollars(value);
  return number(Number(value.toFixed(value < 10 ? 1 : 0)));
}

// Seconds, or milliseconds where those are few.
export function duration(seconds) {
  if (seconds === null || seconds === undefined || seconds === 0 || seconds >= 0.0995) return age(seconds);
  return `${(seconds * 1000).toFixed(seconds < 0.001 ? 2 : seconds < 0.0095 ? 1 : 0)} ms`;
}

// Returns two to six round values from 0 to at least `most`; of what is counted ("whole") whole ones.
export function niceTicks(most, unit) {
  const least = unit === "s" ? 0.001 : 1;
  const raw = Math.max(most, least) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(unit === "whole" ? 1 : 0, power * STEPS.find((candidate) => candidate * power >= raw * 0.999));
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return [...Array(count + 1).keys()].map((index) => Number((index * step).toPrecision(6)));
}

// Returns round moments of the local time, [seconds, words].
export function timeTicks(from, to, width) {
  const few = Math.max(2, Math.floor(width / TICK_WIDTH));
  const step = TIME_STEPS.find((candidate) => (to - from) / candidate <= few) ?? (to - from) / few;
  const zone = new Date(from * 1000).getTimezoneOffset() * 60;
  const ticks = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) ticks.push([at, tickWords(at, step)]);
  return ticks;
}

const tenths = (at) => `${clockTime(at)}.${Math.floor((at % 1) * 10 + 1e-6)}`;

function tickWords(at, step) {
  if (step >= DAY) return day(at);
  if (step >= 60) return clockTime(at).slice(0, 5);
  return step < 1 ? tenths(at).slice(6) : clockTime(at);
}

// A moment of a chart, as exactly as it makes sense there: days where each is a point, tenths of a second over seconds.
export function momentOf(at, { span, step }) {
  if (span <= 30) return tenths(at);
  return step >= DAY ? day(at) : dayTime(at);
}
