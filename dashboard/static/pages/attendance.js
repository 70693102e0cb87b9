// Attendance: who was here when, on a day or several; what was seen, what people said of it, and the pictures that show it.

import { ApiError, get } from "../core/api.js";
import { cameraChoice, rangeChoice } from "../core/choices.js";
import { h, say } from "../core/dom.js";
import { keyed } from "../core/keyed.js";
import { whileSeen } from "../core/seen.js";
import { daySpan, openCorrection } from "./attendance/correction.js";
import { newEntry, showEntry } from "./attendance/entry.js";
import { dayAfter, dayWords } from "./attendance/times.js";

const LOOK_SECONDS = 10;
const SPANS = { 1: "day", 7: "7 days", 31: "31 days" };

export function open(main, store) {
  const choice = { day: "", days: 1, camera: "" }; // without a day it is today, where the house stands
  const day = h("input", { type: "date", "aria-label": "day", onchange: () => day.value && choose({ day: day.value }) });
  const step = (sign, name, days) => h("button", { class: "button", type: "button", "aria-label": name, onclick: () => day.value && choose({ day: dayAfter(day.value, days * choice.days) }) }, sign);
  const cameras = cameraChoice(store, (camera) => choose({ camera }));
  const spans = rangeChoice((days) => choose({ days }), choice.days, SPANS);
  const file = h("a", { class: "button", download: "" }, "CSV");
  const problem = h("p", { class: "error", role: "status" });
  const summary = h("p", { class: "muted summary" });
  const days = h("div", { class: "stack" });
  let turn = 0;
  let today = "";

  const choose = (changes) => {
    Object.assign(choice, changes);
    if (changes.day) day.value = changes.day;
    look();
  };
  const isLive = () => choice.days === 1 && (!choice.day || choice.day === today);
  const query = (more = {}) => new URLSearchParams({ ...(choice.day ? { day: choice.day } : {}), days: choice.days, ...(choice.camera ? { camera: choice.camera } : {}), ...more });
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
    day.value = answer.day;
    if (!choice.day) today = answer.day;
    say(summary, summaryOf(answer));
    const span = daySpan(answer.attendance);
    const known = [...new Set(answer.attendance.map((entry) => entry.day))].sort().reverse();
    keyed(days, known, (one) => one, newDay, (element, one) => {
      say(element.firstChild, one === today ? `Today, ${dayWords(one)}` : dayWords(one));
      const entries = answer.attendance.filter((entry) => entry.day === one);
      keyed(element.querySelector("ul"), entries, ({ Person }) => Person.Id, (entry) => newEntry(entry), (item, entry) => showEntry(item, entry, span, () => openCorrection(entry, look)));
    });
  };

  main.append(h("div", { class: "attendance stack" },
    h("div", { class: "page-head row apart" }, h("h1", {}, "Attendance"), file),
    h("div", { class: "row" }, h("div", { class: "row days" }, step("◀", "Before", -1), h("span", { class: "field" }, day), step("▶", "After", 1)), spans.element, cameras.element),
    problem, summary, days));
  const unwatch = whileSeen(main.firstChild, LOOK_SECONDS, () => isLive() && look()); // only today goes on
  return () => {
    turn += 1;
    unwatch();
    cameras.close();
  };
}

const newDay = () => h("section", { class: "stack" }, h("h2", {}), h("ul", { class: "people", role: "list" }));

function summaryOf({ attendance, zone }) {
  if (!attendance.length) return "Nobody is known yet: add people on the page People, and who is recognised is listed here.";
  const present = attendance.filter(({ state }) => state === "present").length;
  const of = `${present} of ${attendance.length}`;
  const isLong = new Set(attendance.map(({ day: one }) => one)).size > 1;
  const who = isLong ? "days of people" : attendance.length === 1 ? "person was here" : "people were here";
  return `${of} ${who}; times are ${/^\w+\/\w+/.test(zone) ? `those of ${zone}` : zone}.`;
}
