// A watch in the list: what it is for, whom it tells, and whether that works.

import { attempt, del, post } from "../../core/api.js";
import { toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";

export function watchCard({ id, who }, onchange) {
  const test = h("button", { class: "button", type: "button", "aria-label": `Test the watch for ${who}`, onclick: () => run(id, test, said) }, "Test");
  const remove = h("button", { class: "button danger", type: "button", "aria-label": `Remove the watch for ${who}`, onclick: () => drop(id, who, remove, onchange) }, "Remove");
  const said = h("div", { class: "answers", role: "status" });
  return h("li", { class: "card stack" },
    h("div", { class: "row apart" }, h("div", {}, h("strong", {}), h("div", { class: "muted rules" })), h("div", { class: "row" }, test, remove)),
    h("ul", { class: "receivers" }), said);
}

export function tellWatch(element, { who, cameras, cooldown, schedule, notify }) {
  say(element.querySelector("strong"), who);
  const rules = [cameras.length ? cameras.join(", ") : "all cameras", `once in ${cooldown} s at most`, schedule];
  say(element.querySelector(".rules"), rules.filter(Boolean).join(" · "));
  element.querySelector(".receivers").replaceChildren(...notify.map(receiverOf));
}

function receiverOf({ receiver, url, waiting, trouble }) {
  return h("li", {}, `receiver ${receiver}: `, h("span", { class: "mono" }, url),
    waiting ? h("span", { class: "badge warn" }, `${waiting} waiting`) : null, trouble ? h("span", { class: "error" }, ` ${trouble}`) : null);
}

async function run(id, button, said) {
  button.disabled = true;
  said.replaceChildren(h("p", { class: "muted" }, "is being sent …"));
  const answer = await attempt(() => post(`/api/watches/${encodeURIComponent(id)}/test`, {}), (message) => said.replaceChildren(h("p", { class: "error" }, message)));
  button.disabled = false;
  if (answer) said.replaceChildren(...answer.receivers.map((one) => h("p", { class: one.ok ? "good" : "error" }, `receiver ${one.receiver}: ${one.answer} (${one.seconds.toFixed(2)} s)`)));
}

// Removing is asked once: the button itself becomes the question.
async function drop(id, who, button, onchange) {
  if (!button.dataset.asked) {
    button.dataset.asked = "yes";
    return say(button, "Really remove?");
  }
  const answer = await attempt(() => del(`/api/watches/${encodeURIComponent(id)}`), (message) => toast(message, "bad"));
  if (answer) toast(`nothing is told of ${who} any more`, "good");
  return onchange();
}
