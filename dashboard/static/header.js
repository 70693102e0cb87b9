// The vital signs: who answers, cameras live, oldest age, money, bottleneck. Always there.

import { h, say } from "./core/dom.js";
import { now } from "./core/clock.js";
import { age, ageLevel, dollars, percent } from "./core/format.js";
import { seesNobody } from "./core/people.js";

const TICK_MS = 250;

export function showVitals(list, store) {
  const signs = ["answers", "cameras", "oldest", "cost", "bottleneck"].map((name) => sign(list, name));
  const [provider, cameras, oldest, cost, bottleneck] = signs;
  const tick = () => {
    if (!store.stats) return;
    put(provider, ...whoAnswers(store.stats));
    put(cameras, ...howMany(store));
    put(oldest, ...oldestAge(store));
    put(cost, ...howMuch(store.stats));
    put(bottleneck, store.stats.bottleneck.what, store.stats.bottleneck.what === "none" ? "good" : "warn", store.stats.bottleneck.why);
  };
  store.on("stats", tick);
  setInterval(tick, TICK_MS); // ages grow between the figures, too
}

function sign(list, name) {
  const value = h("dd", {}, "–");
  list.append(h("div", {}, h("dt", {}, name), value));
  return value;
}

function put(element, text, level = "", why = "") {
  say(element, text);
  if (element.className !== level) element.className = level;
  if (element.title !== why) element.title = why;
}

function whoAnswers(stats) {
  const rehearsal = stats.rehearsal ? " · REHEARSAL" : "";
  const privacy = stats.privacy ? " · private" : "";
  const name = stats.provider.startsWith("aws") ? stats.provider.replace("aws", "AWS") : stats.provider === "local" ? "LOCAL, 0 $" : stats.provider;
  return [name + rehearsal + privacy, rehearsal ? "warn" : ""];
}

function howMany(store) {
  const running = [...store.cameras.values()].filter((camera) => !camera.paused && camera.status.state !== "off");
  const live = running.filter((camera) => ["live", "ended"].includes(camera.status.state)).length;
  return [`${live} of ${running.length} live`, live === running.length ? "good" : "bad"];
}

// The oldest of what the cameras show now: a camera that is down keeps growing old, one whose gate sees nobody has nothing to show.
function oldestAge(store) {
  const ages = [...store.cameras.values()]
    .filter((camera) => !camera.paused && !["ended", "off"].includes(camera.status.state) && !seesNobody(camera))
    .map((camera) => store.results.get(camera.id))
    .filter(Boolean)
    .map((result) => now() - result.captured_at);
  const isWaiting = store.cameras.size > 0 && ages.length === 0;
  if (!ages.length) return [isWaiting ? "none yet" : "–"];
  const oldest = Math.max(...ages);
  return [age(oldest), ageLevel(oldest)];
}

function howMuch({ cost }) {
  if (!cost.budget) return [`${dollars(cost.dollars_per_hour)}/h`];
  const share = cost.budget.spent_dollars / cost.budget.limit_dollars;
  const level = share >= 1 ? "bad" : share >= 0.8 ? "warn" : "";
  return [`${dollars(cost.dollars_per_hour)}/h · ${percent(share)} of budget`, level, `${dollars(cost.budget.spent_dollars)} of ${dollars(cost.budget.limit_dollars)} spent`];
}
