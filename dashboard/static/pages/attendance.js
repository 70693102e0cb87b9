// Attendance: who was here when, on a day or several; what was seen, what people said of it, and the pictures that show it.

import { ApiError, get } from "../core/api.js";
import { cameraChoice, rangeChoice } from "../core/choices.js";
import { h, say } from "../core/dom.js";
import { keyed } from "../core/keyed.js";
import { whileSeen } from "../core/seen.js";
import { daySpan, openCorrection } from "./attendance/correction.js";
import { newEntry, showEntry } from "./attendance/entry.js";
import { clocks, dayAfter, dayWords, today } from "./attendance/times.js";

const LOOK_SECONDS = 10;
const SPANS = { 1: "day", 7: "7 days", 31: "31 days" };

export function open(main, store) {
  const choice = { day: today(), days: 1, camera: "" };
  const day = h("input", { type: "date", "aria-label": "day", value: choice.day, onchange: () => day.value && choose({ day: day.value }) });
  const step = (sign, name, days) => h("button", { class: "button", type: "button", "aria-label": name, onclick: () => choose({ day: dayAfter(choice.day, days * choice.days) }) }, sign);
  const cameras = cameraChoice(store, (camera) => choose({ camera }));
  const spans = rangeChoice((days) => choose({ days }), choice.days, SPANS);
  const file = h("a", { class: "button", download: "" }, "CSV");
  const problem = h("p", { class: "error", role: "status" });
  const summary = h("p", { class: "muted summary" });
  const days = h("div", { class: "stack" });
  let turn = 0;

  const choose = (changes) => {
    Object.assign(choice, changes);
    day.value = choice.day;
    look();
  };
  const query = (more = {}) => new URLSearchParams({ day: choice.day, days: choice.days, ...(choice.camera ? { camera: choice.camera } : {}), ...more });
  const look = async () => {
    const mine = ++turn;
    file.href = `/api/attendance?${query({ format: "csv" })}`;
    const answer = await get(`/api/attendance?${query()}`).catch((error) => error);
    if (mine !== turn) return;
    if (answer instanceof Error && !(answer instanceof ApiError)) throw answer;
    say(problem, answer instanceof Error ? answer.message : "");
    days.classList.toggle("old", answer instanceof Error);
    if (!(answer instanceof Error)) show(answer);
  };
  const show = (answer) => {
    const words = clocks(answer.zone);
    say(summary, summaryOf(answer, words));
    const span = daySpan(answer.attendance, words);
    const known = [...new Set(answer.attendance.map((entry) => entry.day))].sort().reverse();
    keyed(days, known, (one) => one, newDay, (element, one) => {
      const entries = answer.attendance.filter((entry) => entry.day === one);
      keyed(element.querySelector("ul"), entries, ({ Person }) => Person.Id, (entry) => newEntry(entry), (item, entry) => showEntry(item, entry, { words, span, correct: () => openCorrection(entry, words, look) }));
    });
  };

  main.append(h("div", { class: "attendance stack" },
    h("div", { class: "page-head row apart" }, h("h1", {}, "Attendance"), file),
    h("div", { class: "row" }, h("div", { class: "row days" }, step("◀", "Before", -1), h("span", { class: "field" }, day), step("▶", "After", 1)), spans.element, cameras.element),
    problem, summary, days));
  const unwatch = whileSeen(main.firstChild, LOOK_SECONDS, look);
  return () => {
    turn += 1;
    unwatch();
    cameras.close();
  };
}

const newDay = (one) => h("section", { class: "stack" }, h("h2", {}, dayWords(one)), h("ul", { class: "people", role: "list" }));

function summaryOf({ attendance, zone, days = 1 }, words) {
  if (!attendance.length) return "Nobody is known yet: add people on the page People, and who is recognised is listed here.";
  const present = attendance.filter(({ state }) => state === "present").length;
  const of = `${present} of ${attendance.length}`;
  return days > 1 || new Set(attendance.map(({ day }) => day)).size > 1 ? `${of} days of people; times of ${words.zone ?? zone}` : `${of} ${attendance.length === 1 ? "person was" : "people were"} here; times of ${words.zone ?? zone}`;
}
