// The budget: how much of it is spent, and a warning from 80 % on.

import { h, say } from "../../core/dom.js";
import { dayTime, dollars, percent } from "../../core/format.js";

const WARN = 0.8;

export function budgetCard() {
  const badge = h("span", { class: "badge" });
  const bar = h("i");
  const meter = h("div", { class: "meter", hidden: true, role: "meter", "aria-label": "budget spent", "aria-valuemin": 0, "aria-valuemax": 100 }, bar);
  const figure = h("p", { class: "figure number" });
  const note = h("p", { class: "muted note" });
  const element = h("section", { class: "card" }, h("div", { class: "row apart" }, h("h2", {}, "Budget"), badge), figure, meter, note);
  return {
    element,
    update(budget) {
      badge.hidden = figure.hidden = meter.hidden = !budget;
      if (!budget) return say(note, "No budget counts here: nothing is paid, or none is set. With --budget 10/day calls are held back once ten dollars of a day are spent.");
      const share = budget.limit_dollars ? budget.spent_dollars / budget.limit_dollars : 1;
      const level = share >= 1 ? "bad" : share >= WARN ? "warn" : "good";
      badge.className = `badge ${level}`;
      say(badge, share >= 1 ? "spent: calls are held back" : share >= WARN ? `${percent(share)}: nearly spent` : percent(share));
      say(figure, `${dollars(budget.spent_dollars)} of ${dollars(budget.limit_dollars)}`);
      meter.setAttribute("aria-valuenow", Math.round(Math.min(1, share) * 100));
      bar.style.width = `${Math.min(1, share) * 100}%`;
      bar.className = level;
      return say(note, [`until ${dayTime(budget.end)}`, budget.spent_at && share < 1 && `spent at ${dayTime(budget.spent_at)} if it goes on like this`, budget.not_by_camera_dollars > 0 && `${dollars(budget.not_by_camera_dollars)} of it by no camera`].filter(Boolean).join(" · "));
    },
  };
}
