// What people know better: when somebody came and left, or that they were excused. What was seen stays beside it.

import { attempt, patch } from "../../core/api.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { clockOf, dayWords } from "./times.js";

const HOUR = 60;

// The hours of the day that the strips show, in minutes: all in which somebody was there.
export function daySpan(entries) {
  const minutes = entries.flatMap((entry) => {
    const { minute } = clockOf(entry);
    return [entry.first_at, entry.last_at, entry.seen?.first_at, entry.seen?.last_at].filter((at) => at !== null && at !== undefined).map(minute);
  });
  if (!minutes.length) return { from: 8 * HOUR, to: 18 * HOUR };
  const from = Math.floor(Math.min(...minutes) / HOUR) * HOUR;
  return { from, to: Math.max(from + HOUR, Math.ceil(Math.max(...minutes) / HOUR) * HOUR) };
}

export function openCorrection(entry, onchange) {
  const { clock } = clockOf(entry);
  const { Person, day, seen, correction } = entry;
  const problem = h("p", { class: "error", role: "status" });
  const [arrival, leaving] = [correction?.arrival, correction?.leaving].map((value) => h("input", { type: "time", value: value ?? "" }));
  const excused = h("input", { value: correction?.excused ?? "", maxlength: 80, autocomplete: "off", placeholder: "ill" });
  const send = async (body) => {
    if (!(await attempt(() => patch(`/api/attendance/${encodeURIComponent(Person.Id)}/${day}`, body), (message) => say(problem, message)))) return;
    toast("corrected; the log of the page People says who did it", "good");
    dialog.close();
    onchange();
  };
  const save = (event) => {
    event.preventDefault();
    send({ arrival: arrival.value || null, leaving: leaving.value || null, excused: excused.value.trim() || null });
  };
  const form = h("form", { class: "stack", onsubmit: save },
    h("p", { class: "muted" }, seen ? `Seen from ${clock(seen.first_at)} to ${clock(seen.last_at)}: that stays, beside what you say.` : "Not seen on this day."),
    h("div", { class: "pair" }, field("Came at", arrival), field("Left at", leaving)),
    field("Or excused, because", excused, "one word, such as ill or travelling; no medical details"),
    problem,
    h("div", { class: "row" }, h("button", { class: "button primary" }, "Save"),
      correction ? h("button", { class: "button", type: "button", onclick: () => send({ arrival: null, leaving: null, excused: null }) }, "Take the correction back") : null));
  const dialog = openDialog(`${Person.Name}, ${dayWords(day)}`, form);
  dialog.classList.add("attendance");
}

const field = (words, input, hint = "") => h("label", { class: "field" }, words, hint && h("span", { class: "hint" }, hint), input);
