// Shows: started, stopped, and what each was worth.

import { attempt, del, get, post } from "../../core/api.js";
import { toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { dayTime } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { whileSeen } from "../../core/seen.js";
import { amountOf, countOf, spanOf } from "./money.js";
import { openReceipt } from "./receipt.js";
import { openStart } from "./start.js";

const LOOK_SECONDS = 4;

export function shows(store) {
  const problem = h("p", { class: "error", role: "status" });
  const nothing = h("p", { class: "muted" }, "There was no show yet. A show counts the laughs from its start to its stop; its receipt says what they come to.");
  const list = h("ul", { class: "shows", role: "list" });
  const element = h("div", { class: "audience stack" }, problem,
    h("div", { class: "row apart" }, h("h2", {}, "Shows"), h("button", { class: "button primary", type: "button", onclick: () => openStart(store, look) }, "Start a show")),
    nothing, list);
  let isClosed = false;

  async function look() {
    const found = await attempt(() => get("/api/shows"), (message) => !isClosed && say(problem, message));
    if (!found || isClosed) return;
    say(problem, "");
    nothing.hidden = found.shows.length > 0;
    keyed(list, found.shows, ({ id }) => id, (show) => card(show, look), tellCard);
    found.shows.filter(({ running }) => running).forEach((show) => follow(list, show));
  }

  const unwatch = whileSeen(element, LOOK_SECONDS, look);
  return {
    element,
    close() {
      isClosed = true;
      unwatch();
    },
  };
}

function card({ id, name }, look) {
  const refuse = (message) => toast(message, "bad");
  const stop = async () => {
    const receipt = await attempt(() => post(`/api/shows/${id}/stop`), refuse);
    if (receipt) openReceipt(receipt, look);
    look();
  };
  const remove = async () => {
    if (await attempt(() => del(`/api/shows/${id}`), refuse)) toast(`${name} is deleted, with what was kept of its time`, "good");
    look();
  };
  const read = async () => {
    const receipt = await attempt(() => get(`/api/shows/${id}`), refuse);
    if (receipt) openReceipt(receipt, look);
  };
  return h("li", { class: "card show" },
    h("div", { class: "row apart" }, h("strong", {}, name), h("span", { class: "badge" })),
    h("p", { class: "muted when" }),
    h("p", { class: "worth number" }),
    h("div", { class: "row" },
      h("button", { class: "button primary stop", type: "button", "aria-label": `Stop ${name}`, onclick: stop }, "Stop"),
      h("button", { class: "button", type: "button", "aria-label": `Receipt of ${name}`, onclick: read }, "Receipt"),
      h("button", { class: "button danger", type: "button", "aria-label": `Delete ${name}`, onclick: (event) => sure(event.target, remove) }, "Delete …")));
}

// Asks once more on the button itself.
function sure(button, action) {
  if (button.dataset.sure) {
    button.disabled = true;
    return action();
  }
  button.dataset.sure = "yes";
  button.removeAttribute("aria-label");
  return say(button, "Really delete it, with all results of its time?");
}

function tellCard(element, show) {
  const badge = element.querySelector(".badge");
  badge.className = `badge ${show.running ? "good" : ""}`;
  say(badge, show.running ? "running" : "over");
  element.querySelector(".stop").hidden = !show.running;
  say(element.querySelector(".when"), [spanOf(show), show.cameras.length ? show.cameras.join(", ") : "all cameras", show.gone_at && `deleted ${dayTime(show.gone_at)}`].filter(Boolean).join(" · "));
}

async function follow(list, { id }) {
  const receipt = await get(`/api/shows/${id}`).catch(() => null); // the list says what is wrong
  const element = list.querySelector(`[data-key="${id}"]`);
  if (receipt && element) say(element.querySelector(".worth"), [countOf(receipt), amountOf(receipt)].filter(Boolean).join(" · "));
}
