// The charts over time: range and camera to choose, throttles and restarts marked.

import { get } from "../../core/api.js";
import { cameraChoice } from "../../core/choices.js";
import { createChart } from "../../core/chart.js";
import { h, say } from "../../core/dom.js";
import { whileSeen } from "../../core/seen.js";
import { COLOURS } from "./stages.js";

const FIRST = ["age", "display_age", "stages", "frames", "calls", "threads"];
const RANGES = { "5m": "5 min", "15m": "15 min", "1h": "1 h" };
const LONG_RANGES = { "6h": "6 h", "1d": "1 day", "7d": "7 days", "30d": "30 days" };
const LOOK_SECONDS = 5;
const MOST_NOTICES = 500;
const MARKED = ["throttle", "held", "worker", "redis", "rehearsal"];

export function charts(store) {
  const choice = { range: "15m", camera: "" };
  const shown = [];
  let isClosed = false;
  const marks = marksOf(store, () => choice.camera);
  const cameras = cameraChoice(store, (camera) => choose({ camera }));
  const ranges = h("div", { class: "segmented", role: "group", "aria-label": "range" });
  const source = h("span", { class: "muted" });
  const [first, more] = [h("div", { class: "charts" }), h("div", { class: "charts" })];
  const message = h("p", { class: "error", hidden: true });
  const element = h("section", { class: "stack", "aria-label": "Charts" },
    h("div", { class: "row apart" }, h("h2", {}, "Over time"), h("div", { class: "row" }, source, cameras.element, ranges)),
    message, first, h("details", { class: "more" }, h("summary", {}, "more charts"), more));
  const choose = (changes) => {
    Object.assign(choice, changes);
    for (const button of ranges.children) button.setAttribute("aria-pressed", button.value === choice.range);
    shown.forEach((chart) => chart.look());
  };
  build();
  return {
    element,
    close() {
      isClosed = true;
      cameras.close();
      marks.close();
      shown.forEach((chart) => chart.close());
    },
  };

  async function build() {
    if (isClosed) return undefined;
    const answer = await get("/api/charts").catch((error) => error);
    if (isClosed) return undefined;
    message.hidden = !(answer instanceof Error);
    if (answer instanceof Error) {
      say(message, answer.message);
      return setTimeout(build, LOOK_SECONDS * 1000);
    }
    const isEndless = answer.most_seconds === null;
    say(source, answer.source === "local" ? "from the processes' own figures" : "from Prometheus");
    ranges.replaceChildren(...Object.entries({ ...RANGES, ...(isEndless ? LONG_RANGES : {}) }).map(([range, words]) => h("button", { class: "button", type: "button", value: range, onclick: () => choose({ range }) }, words)));
    const order = [...answer.charts].sort((one, other) => place(one) - place(other));
    for (const definition of order) {
      const chart = live(definition, choice, marks);
      shown.push(chart);
      (FIRST.includes(definition.id) ? first : more).append(chart.element);
    }
    return choose({});
  }
}

const place = ({ id }) => (FIRST.includes(id) ? FIRST.indexOf(id) : FIRST.length);

// A chart that asks for its points while it is seen.
function live(definition, choice, marks) {
  const chart = createChart(definition, definition.id === "stages" ? COLOURS : {});
  let turn = 0;
  const look = async () => {
    const mine = ++turn;
    const camera = definition.by_camera && choice.camera ? `&camera=${encodeURIComponent(choice.camera)}` : "";
    const answer = await get(`/api/charts/${definition.id}?range=${choice.range}${camera}`).catch((error) => error);
    if (mine !== turn) return;
    if (answer instanceof Error) chart.fail(answer.message);
    else chart.update(answer, marks.all());
  };
  const unwatch = whileSeen(chart.element, LOOK_SECONDS, look);
  return {
    element: chart.element,
    look: () => chart.element.getBoundingClientRect().bottom > 0 && chart.element.offsetParent && look(),
    close() {
      unwatch();
      chart.close();
    },
  };
}

function marksOf(store, camera) {
  const notices = [];
  const isMarked = (notice) => MARKED.includes(notice.kind) || (notice.camera !== undefined && notice.camera === camera());
  const forget = store.on("notice", (notice) => {
    notices.push(notice);
    notices.splice(0, Math.max(0, notices.length - MOST_NOTICES));
  });
  get("/api/notices").then((answer) => notices.unshift(...answer.notices), () => {}); // without notices there are no marks
  return { all: () => notices.filter(isMarked), close: forget };
}
