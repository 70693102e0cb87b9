// One sentence first, then the way from the lens to the paint as one bar, and what each stage is.

import { h, say } from "../../core/dom.js";
import { age, percent } from "../../core/format.js";
import { duration } from "../../core/scale.js";
import { STAGES, stageBar, totalOf } from "./stages.js";

export function sentence() {
  const words = h("h1", { class: "sentence" }, "Nothing was analysed in the last minute.");
  const why = h("p", { class: "row" });
  const average = stageBar("an average picture");
  const slow = stageBar("a slow picture");
  const rows = Object.fromEntries(Object.entries(STAGES).map(([name, meaning]) => [name, row(name, meaning)]));
  const total = row("total", "from the lens to here");
  const table = h("table", { class: "table stages" },
    h("thead", {}, h("tr", {}, ["stage", "average", "slow (p95)"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, Object.values(rows).map((entry) => entry.element), total.element));
  const element = h("section", { class: "card stack", "aria-label": "How old a picture is" },
    h("div", {}, words, why),
    h("div", { class: "bars" }, h("span", { class: "muted" }, "average"), average.element, h("span", { class: "muted" }, "slow"), slow.element),
    table);

  const update = (stats) => {
    showBottleneck(why, stats);
    const made = { average: withPaint(stats, "p50"), slow: withPaint(stats, "p95") };
    element.classList.toggle("empty", !made.average);
    if (!made.average) return say(words, "Nothing was analysed in the last minute.");
    say(words, told(stats, made.average));
    const longest = Math.max(totalOf(made.average), totalOf(made.slow));
    average.update(made.average, longest);
    slow.update(made.slow, longest);
    for (const [name, entry] of Object.entries(rows)) entry.update(made.average[name], made.slow[name]);
    return total.update(totalOf(made.average), totalOf(made.slow));
  };
  return { element, update };
}

// What frames around that percentile were made of, and the usual time to the screen, which only pages that show them know.
function withPaint({ made_of: madeOf, paint }, percentile) {
  const stages = madeOf?.[percentile];
  if (!stages) return null;
  return (paint?.p50 ?? null) === null ? stages : { ...stages, paint: paint.p50 };
}

function told(stats, stages) {
  const total = totalOf(stages);
  const [longest, seconds] = Object.entries(stages).sort((one, other) => other[1] - one[1])[0];
  const when = stages.paint === undefined ? "when its result comes out" : "when you see it";
  const practice = stats.rehearsal ? " (rehearsed: not real)" : "";
  return `A picture is ${age(total)} old ${when}; ${percent(seconds / total)} of that is ${nameOf(longest)}${practice}.`;
}

const nameOf = (stage) => ({ encode: "encoding it", publish: "publishing its result", service: "the service", limit: "the rate limit", queue: "the queue", paint: "painting it" })[stage] ?? `the ${stage}`;

function showBottleneck(line, { bottleneck, paint, made_of: madeOf }) {
  if (!line.firstChild) line.append(h("span", { class: "badge" }), h("span", { class: "muted" }));
  const [badge, words] = line.children;
  badge.className = `badge ${bottleneck.what === "none" ? "good" : "warn"}`;
  say(badge, bottleneck.what === "none" ? "no bottleneck" : `bottleneck: ${bottleneck.what}`);
  const isUnseen = madeOf?.p50 && (paint?.p50 ?? null) === null;
  say(words, `${bottleneck.why}.${isUnseen ? " Nobody looks at the pictures now: with Live open, the way to the screen is measured too." : ""}`);
}

function row(name, meaning) {
  const [average, slow] = [h("td", { class: "number" }), h("td", { class: "number" })];
  const element = h("tr", { class: name === "total" ? "total" : "" },
    h("th", { scope: "row" }, h("i", { class: `swatch ${name}`, "aria-hidden": "true" }), name, " ", h("small", { class: "muted" }, meaning)), average, slow);
  return {
    element,
    update(p50, p95) {
      say(average, duration(p50));
      say(slow, duration(p95));
    },
  };
}
