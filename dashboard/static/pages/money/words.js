// What is paid, and what calls that cost nothing would cost on AWS, in words and as series.

import { dollars, number } from "../../core/format.js";

export const isPaid = ({ dollars: paid }) => paid > 0;
export const sum = ({ dollars: paid, would_cost: would }) => paid + would;

// In a row of a table, where there is little room.
export const shortCost = ({ dollars: paid, would_cost: would }) => [paid || !would ? dollars(paid) : "", would ? `${dollars(would)} on AWS` : ""].filter(Boolean).join(", ");

export function costOf({ dollars: paid, would_cost: would }) {
  if (paid && would) return `${dollars(paid)} paid; what was free would have cost ${dollars(would)}`;
  return paid || !would ? dollars(paid) : `nothing paid, would be ${dollars(would)} on AWS`;
}

const DAY = 86400;
const SPANS = { 3600: "hour", [DAY]: "day", [7 * DAY]: "week" };
export const spanWords = (seconds) => SPANS[seconds] ?? (seconds < 120 ? `${number(Math.round(seconds))} s` : `${number(Math.round(seconds / 60))} min`);

// One sentence about the month: what it cost so far, and what it will have cost if it goes on as in the last day.
export const sentence = (month) => unbroken(wordsOf(month));
const unbroken = (words) => words.replaceAll(" $", "\u00a0$");

function wordsOf(month) {
  const ahead = month.forecasts.find(({ seconds }) => seconds === DAY) ?? month.forecasts[0];
  const as = ahead ? `if it goes on as in the last ${spanWords(ahead.seconds)}` : "";
  if (!month.calls) return "No call was made this month.";
  if (isPaid(month)) return `This month cost ${dollars(month.dollars)} so far${ahead ? `, and will have cost ${dollars(ahead.dollars)} ${as}` : ""}.`;
  return `Nothing was paid this month: on AWS it would have been ${dollars(month.would_cost)} so far${ahead ? `, and ${dollars(ahead.would_cost)} at its end ${as}` : ""}.`;
}

// The series of an answer as a chart's, with the steps in which nothing was called.
export function windowSeries({ since, until, bucket_seconds: step, series }) {
  const known = new Map(series.map((one) => [one.at, one]));
  const from = Math.floor(since / step) * step;
  const times = [...Array(Math.max(1, Math.ceil((until - from) / step))).keys()].map((index) => from + index * step);
  const line = (name, member) => ({ name, role: "value", points: times.map((at) => [at, known.get(at)?.[member] ?? 0]) });
  const lines = [line("paid", "dollars"), line("would have cost", "would_cost")].filter(({ points }) => points.some(([, value]) => value));
  return { from, to: from + times.length * step, step, series: lines };
}
