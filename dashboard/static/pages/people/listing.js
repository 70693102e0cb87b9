// A list that is asked for at once, and again after something happened; what is wrong is said in its place.

import { ApiError } from "../../core/api.js";
import { h, say } from "../../core/dom.js";

const SETTLE_MS = 400; // several things happen at once: one question for all of them

// `ask` returns a promise of what `show` draws. Returns {element, again, close}; `kinds` of the store's events ask again.
export function listing(store, kinds, ask, show, element) {
  const problem = h("p", { class: "error", role: "status" });
  let timer = 0;
  let isClosed = false;

  async function again() {
    clearTimeout(timer);
    timer = 0;
    try {
      const answer = await ask();
      if (isClosed) return;
      say(problem, "");
      show(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!isClosed) say(problem, error.message);
    }
  }

  const soon = () => (timer ||= setTimeout(again, SETTLE_MS));
  const endings = kinds.map((kind) => store.on(kind, soon));
  endings.push(store.on("connection", () => store.connected && soon()));
  again();
  return {
    element: h("div", { class: "stack" }, problem, element),
    again,
    close() {
      isClosed = true;
      clearTimeout(timer);
      endings.forEach((end) => end());
    },
  };
}
