// What goes out and what comes back, per second, over the last five.

import { h, say } from "../../core/dom.js";
import { milliseconds, rate } from "../../core/format.js";

const WINDOW_MS = 5000;
const TICK_MS = 500;

export class Figures {
  #events = [];
  #bytes = 0;
  #began = 0;
  #timer = 0;
  #stages = null;
  #error = "";

  constructor() {
    this.values = {};
    const rows = { sent: "sent", analysed: "analysed", skipped: "skipped", size: "a picture", service: "analysis takes", faces: "faces" };
    const list = h("dl", { class: "figures" });
    for (const [name, label] of Object.entries(rows)) {
      this.values[name] = h("dd", { class: "number" }, "–");
      list.append(h("div", {}, h("dt", {}, label), this.values[name]));
    }
    this.error = h("p", { class: "error", hidden: true });
    this.element = h("div", { class: "card" }, list, this.error);
  }

  sent(bytes) {
    this.#bytes = bytes;
    this.#note("sent");
  }

  skipped() {
    this.#note("skipped");
  }

  analysed(result) {
    this.#note("analysed");
    this.#error = result.error?.Message ?? "";
    if (result.error) return;
    this.#stages = result.stages;
    say(this.values.faces, result.FaceDetails?.length ?? 0);
  }

  clear() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#events = [];
    this.#stages = null;
    this.#error = "";
    for (const value of Object.values(this.values)) say(value, "–");
  }

  #note(kind) {
    const moment = performance.now();
    if (!this.#timer) {
      this.#began = moment;
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
    }
    this.#events.push({ kind, at: moment });
  }

  #tick() {
    const moment = performance.now();
    this.#events = this.#events.filter(({ at }) => at > moment - WINDOW_MS);
    const seconds = Math.max(1, Math.min(WINDOW_MS, moment - this.#began) / 1000);
    for (const kind of ["sent", "analysed", "skipped"]) {
      say(this.values[kind], rate(this.#events.filter((event) => event.kind === kind).length / seconds));
    }
    say(this.values.size, this.#bytes ? `${Math.round(this.#bytes / 1000)} KB` : "–");
    say(this.values.service, milliseconds(this.#stages?.service));
    say(this.error, this.#error);
    this.error.hidden = !this.#error;
  }
}
