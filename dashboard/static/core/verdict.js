// What people say of an alert: confirmed, wrong, or nothing yet.

import { attempt, patch } from "./api.js";
import { toast } from "./dialog.js";
import { h } from "./dom.js";

const WORDS = { confirmed: "Confirm", wrong: "Wrong" };

// Returns an element with a badge and buttons, which change with the verdict.
export function verdictOf({ id, text, verdict }) {
  const element = h("span", { class: "row verdict" });
  const button = (words, one) => h("button", { class: "button quiet", type: "button", "aria-label": `${words}: ${text}`, onclick: () => judge(one) }, words);
  const show = (now) => element.replaceChildren(
    h("span", { class: `badge ${{ confirmed: "bad", wrong: "" }[now] ?? "warn"}` }, now ?? "alert"),
    ...(now ? [button("Undo", null)] : Object.entries(WORDS).map(([one, words]) => button(words, one))));
  async function judge(one) {
    const answer = await attempt(() => patch(`/api/alerts/${encodeURIComponent(id)}`, { verdict: one }), (message) => toast(message, "bad"));
    if (!answer) return;
    show(answer.verdict);
    element.querySelector("button").focus();
  }
  show(verdict);
  return element;
}
