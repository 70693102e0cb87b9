// Money: what the calls cost, by operation, camera and day; how it goes on; the budget; the prices that this was counted with.

import { ApiError, get } from "../core/api.js";
import { createBars } from "../core/bars.js";
import { createChart } from "../core/chart.js";
import { cameraChoice, rangeChoice } from "../core/choices.js";
import { now } from "../core/clock.js";
import { h, say } from "../core/dom.js";
import { number } from "../core/format.js";
import { whileSeen } from "../core/seen.js";
import { budgetCard } from "./money/budget.js";
import { forecastCard } from "./money/forecast.js";
import { pricesCard } from "./money/prices.js";
import { isPaid, costOf, sentence, shortCost, sum, windowSeries } from "./money/words.js";

const LOOK_SECONDS = 10;
const MONTH = 0; // the range that begins with the month
const RANGES = { [MONTH]: "this month", 86400: "1 day", 604800: "7 days", 2592000: "30 days" };

export function open(main, store) {
  const choice = { camera: "", seconds: MONTH };
  const problem = h("p", { class: "error", role: "status" });
  const headline = h("p", { class: "headline" });
  const totals = h("p", { class: "muted totals" });
  const budget = budgetCard();
  const forecast = forecastCard();
  const prices = pricesCard();
  const chart = createChart({ title: "Over time", unit: "dollars", columns: true, last: "the last step", help: "by hour up to three days, else by day (UTC)" }, { paid: 1, "would have cost": 6 });
  const operations = createBars({ title: "By operation", nothing: "no call was made in this time" });
  const byCamera = createBars({ title: "By camera", help: "photo stands for calls of no camera", nothing: "no call was made in this time" });
  let turn = 0;

  const look = async () => {
    const mine = ++turn;
    const asked = { ...(choice.seconds ? { since: (now() - choice.seconds).toFixed(0) } : {}), ...(choice.camera ? { camera: choice.camera } : {}) };
    const answer = await get(`/api/money?${new URLSearchParams(asked)}`).catch((error) => error);
    if (mine !== turn) return;
    if (answer instanceof Error && !(answer instanceof ApiError)) throw answer;
    say(problem, answer instanceof Error ? answer.message : "");
    body.classList.toggle("old", answer instanceof Error);
    if (!(answer instanceof Error)) show(answer);
  };
  const show = (answer) => {
    say(headline, sentence(answer.month));
    say(totals, totalsOf(answer));
    budget.update(answer.budget);
    forecast.update(answer.month);
    prices.update(answer.prices);
    chart.update(windowSeries(answer));
    operations.update(rowsOf(answer.by_operation, ({ operation, provider }) => `${operation}, ${provider}`));
    byCamera.update(rowsOf(answer.by_camera, ({ camera }) => camera));
  };
  const choose = (changes) => {
    Object.assign(choice, changes);
    look();
  };
  const cameras = cameraChoice(store, (camera) => choose({ camera }));
  const ranges = rangeChoice((seconds) => choose({ seconds }), choice.seconds, RANGES);
  const body = h("div", { class: "stack" }, headline, h("div", { class: "grid" }, budget.element, forecast.element),
    h("div", { class: "row apart" }, h("h2", {}, "What was spent"), h("div", { class: "row" }, cameras.element, ranges.element)),
    totals, chart.element, h("div", { class: "grid" }, operations.element, byCamera.element), prices.element);
  main.append(h("div", { class: "money stack" }, h("h1", { class: "visually-hidden" }, "Money"), problem, body));
  const unwatch = whileSeen(main.firstChild, LOOK_SECONDS, look);
  return () => {
    turn += 1;
    unwatch();
    cameras.close();
    chart.close();
  };
}

function totalsOf(answer) {
  const { calls, failed, charged } = answer;
  const paid = isPaid(answer) ? `; ${number(charged)} are paid for` : "";
  return `${number(calls)} ${calls === 1 ? "call" : "calls"}${failed ? `, ${number(failed)} of them failed` : ""}${paid}: ${costOf(answer)}.`;
}

function rowsOf(rows, name) {
  const most = Math.max(...rows.map(sum), 0);
  const calls = Math.max(1, ...rows.map((row) => row.calls));
  return rows.map((row) => ({ name: name(row), words: `${number(row.calls)} calls · ${shortCost(row)}`, share: most ? sum(row) / most : row.calls / calls, colour: isPaid(row) ? 1 : 6 }));
}
