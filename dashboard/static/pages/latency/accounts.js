// The books: every sampled frame accounted for, the quota, the queue, and the money.

import { h, say } from "../../core/dom.js";
import { dollars, number, percent, rate } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";

const UNLIMITED = 1000; // calls a second: the local server's limit, which only spreads what it rehearses

export function accounts() {
  const parts = [equation(), quotas(), queue(), money()];
  const element = h("section", { "aria-label": "The books" }, parts[0].element, h("div", { class: "grid below" }, parts.slice(1).map((part) => part.element)));
  return { element, update: (stats) => parts.forEach((part) => part.update(stats)) };
}

function equation() {
  const terms = h("div", { class: "equation" });
  const verdict = h("span", { class: "badge" });
  const element = h("div", { class: "card" }, h("div", { class: "row apart" }, h("h2", {}, "Every sampled frame"), verdict), terms);
  return {
    element,
    update({ frames }) {
      const sum = (causes) => Object.values(causes).reduce((total, count) => total + count, 0);
      const parts = [
        { name: "sampled", value: frames.sampled, sign: "" },
        { name: "analysed", value: frames.analysed, sign: "=" },
        { name: "superseded", value: frames.superseded, sign: "+", hint: "a newer one was there" },
        { name: "dropped", value: sum(frames.dropped), sign: "+", causes: frames.dropped },
        { name: "failed", value: sum(frames.failed), sign: "+", causes: frames.failed },
        { name: "in flight", value: frames.in_flight, sign: "+" },
      ];
      keyed(terms, parts, (part) => part.name, newTerm, showTerm);
      const missing = frames.sampled - parts.slice(1).reduce((total, part) => total + part.value, 0);
      verdict.className = `badge ${missing ? "bad" : "good"}`;
      say(verdict, missing ? `✗ ${number(missing)} unaccounted for` : "✓ adds up");
    },
  };
}

const newTerm = ({ name }) => h("div", { class: "term" }, h("span", { class: "sign", "aria-hidden": "true" }), h("div", {}, h("b", { class: "number" }), h("span", {}, name), h("small", { class: "muted" })));

function showTerm(element, { value, sign, causes, hint = "" }) {
  const [mark, words] = element.children;
  say(mark, sign);
  say(words.children[0], number(value));
  const told = causes ? Object.entries(causes).map(([cause, count]) => `${cause} ${number(count)}`).join(", ") : hint;
  say(words.children[2], told);
}

function quotas() {
  const list = h("div", { class: "stack tight" });
  const none = h("p", { class: "muted" }, "no call was made yet");
  const element = h("div", { class: "card" }, h("h2", {}, "Quota"), none, list);
  return {
    element,
    update({ limits, provider, rehearsal }) {
      none.hidden = limits.length > 0;
      keyed(list, limits, (limit) => `${limit.scope} ${limit.operation}`, newMeter, (meter, limit) => showLimit(meter, limit, provider === "local" && !rehearsal?.tps?.[limit.operation]));
    },
  };
}

const newMeter = ({ operation }) => h("div", {},
  h("div", { class: "row apart" }, h("span", {}, operation), h("b", { class: "number" })),
  h("div", { class: "meter", role: "meter", "aria-label": `quota of ${operation} in use`, "aria-valuemin": "0", "aria-valuemax": "100" }, h("i")),
  h("small", { class: "muted" }));

function showLimit(element, { calls, rate: allowed, quota, use, cuts, held_seconds: held, held_why: why }, isOwn) {
  const [line, meter, note] = element.children;
  const isFree = isOwn && quota >= UNLIMITED;
  say(line.lastChild, isFree ? `${rate(calls)}` : `${rate(calls)} of ${rate(allowed)}`);
  meter.hidden = isFree;
  meter.setAttribute("aria-valuenow", Math.round((use ?? 0) * 100));
  meter.firstChild.style.width = `${Math.min(100, (use ?? 0) * 100)}%`;
  meter.firstChild.className = held ? "bad" : use >= 0.9 ? "warn" : "";
  const cut = allowed < quota ? `the quota is ${rate(quota)}: throttles cut it ${number(cuts)} times, it grows back` : `${percent(use)} of the quota`;
  say(note, held ? why : isFree ? "the local server has no quota: its cores are the limit" : cut);
}

function queue() {
  const [jobs, waiting, calling, idle] = ["jobs wait for a thread", "threads wait for a slot", "threads call Rekognition", "threads are idle"].map(line);
  const element = h("div", { class: "card" }, h("h2", {}, "Queue"), h("ul", { class: "figures" }, [jobs, waiting, calling, idle].map((part) => part.element)));
  return {
    element,
    update({ queue_length: length, workers }) {
      jobs.show(number(length));
      waiting.show(number(workers.waiting));
      calling.show(number(workers.calling));
      idle.show(number(workers.idle));
    },
  };
}

function money() {
  const [hour, month, budget] = ["an hour at this rate", "a month (730 hours)", "left of the budget"].map(line);
  const cameras = h("tbody");
  const details = h("details", {}, h("summary", {}, "by camera"), h("table", { class: "table" }, h("thead", {}, h("tr", {}, ["camera", "an hour", "a month"].map((text) => h("th", { scope: "col" }, text)))), cameras));
  const element = h("div", { class: "card" }, h("h2", {}, "Cost"), h("ul", { class: "figures" }, [hour, month, budget].map((part) => part.element)), details);
  return {
    element,
    update({ cost }) {
      hour.show(dollars(cost.dollars_per_hour));
      month.show(dollars(cost.dollars_per_month));
      budget.element.hidden = !cost.budget;
      if (cost.budget) budget.show(`${dollars(cost.budget.left_dollars)} of ${dollars(cost.budget.limit_dollars)}`);
      const rows = Object.entries(cost.cameras).sort((one, other) => other[1].dollars_per_hour - one[1].dollars_per_hour || one[0].localeCompare(other[0]));
      keyed(cameras, rows, ([id]) => id, ([id]) => h("tr", {}, h("th", { scope: "row" }, id), h("td", { class: "number" }), h("td", { class: "number" })), (row, [, camera]) => {
        say(row.children[1], dollars(camera.dollars_per_hour));
        say(row.children[2], dollars(camera.dollars_per_month));
      });
    },
  };
}

function line(words) {
  const value = h("b", { class: "number" }, "–");
  const element = h("li", {}, value, " ", h("span", {}, words));
  return { element, show: (text) => say(value, text) };
}
