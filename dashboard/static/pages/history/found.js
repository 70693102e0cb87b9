// What was found, the newest first: results that follow on each other with the same faces stand together, gaps between them.

import { ApiError, get } from "../../core/api.js";
import { h, say } from "../../core/dom.js";
import { number } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { rename } from "../../core/people.js";
import { whileSeen } from "../../core/seen.js";
import { entriesOf } from "./grouping.js";
import { newEntry, showEntry } from "./entry.js";

const LOOK_SECONDS = 5;
const PAGE = 100;
const TRIES = 10; // pages that may come empty, one after the other, before people are asked to go on
const MOST = 1500; // results that are held here while time goes on

export function found(store, state) {
  const list = h("ol", { class: "found", role: "list" });
  const problem = h("p", { class: "error", role: "status" });
  const nothing = h("p", { class: "muted", hidden: true }, "Nothing was found in this time.");
  const more = h("button", { class: "button", type: "button", hidden: true, onclick: () => earlier() }, "Earlier");
  const newest = h("button", { class: "button", type: "button", hidden: true, onclick: () => again(true) }, "Newest again");
  const count = h("span", { class: "muted number" });
  const held = { results: [], gaps: [], next: null, pictures: false, isStill: false };
  let turn = 0;
  let isEmpty = true;

  const again = async (isNew) => {
    const mine = ++turn;
    const answer = await ask(state.query(wanted(state)));
    if (mine !== turn || !answer) return;
    if (isNew) Object.assign(held, { results: [], next: null, gaps: [], isStill: false });
    takeNewer(held, answer, state.range().since);
    show();
  };
  const earlier = async (tries = TRIES) => {
    const mine = ++turn;
    const answer = await ask(state.query({ ...wanted(state), before: held.next }));
    if (mine !== turn || !answer) return undefined;
    held.results.push(...answer.results);
    Object.assign(held, { next: answer.next, isStill: true }); // nothing moves under the eyes of who reads what was
    if (!answer.results.length && answer.next && tries > 1) return earlier(tries - 1); // the server looks at so many at a time
    return show();
  };
  const ask = async (query) => {
    try {
      const answer = await get(`/api/history?${query}`);
      say(problem, "");
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(problem, error.message);
      return null;
    }
  };
  const show = () => {
    const oldest = held.next && held.results.length ? held.results[held.results.length - 1].captured_at : 0; // what is older is not here yet
    const entries = entriesOf(held.results, held.gaps.filter(({ till }) => till >= oldest));
    keyed(list, entries, ({ key }) => key, newEntry, (element, entry) => showEntry(element, entry, held.pictures));
    isEmpty = !entries.length;
    nothing.hidden = !isEmpty || Boolean(held.next);
    more.hidden = !held.next;
    newest.hidden = !held.isStill;
    say(count, held.results.length ? `${number(held.results.length)}${held.next ? "+" : ""} results` : "");
  };

  const element = h("section", { class: "stack" }, h("div", { class: "row apart" }, h("h2", {}, "What was found"), h("div", { class: "row" }, count, newest)), problem, nothing, list, more);
  const unwatch = whileSeen(element, LOOK_SECONDS, () => ((state.seconds && !held.isStill) || isEmpty) && again(false));
  const forget = store.on("person", (person) => {
    held.results.forEach((result) => rename(result, person));
    show();
  });
  state.onchange(() => again(true));
  again(true);
  return {
    element,
    close() {
      turn += 1;
      forget();
      unwatch();
    },
  };
}

const wanted = ({ faces }) => ({ limit: PAGE, ...(faces ? { faces: "true" } : {}) });

// Newer results come before those that are held; where some between them were not sent, or many are held, the list begins anew.
function takeNewer(held, answer, since) {
  const known = new Set(held.results.map(({ number: place }) => place));
  const fresh = answer.results.filter(({ number: place }) => !known.has(place));
  const isJoined = held.results.length > 0 && held.results.length < MOST && (fresh.length < answer.results.length || !answer.next);
  if (!isJoined) Object.assign(held, { results: fresh, next: answer.next });
  else held.results.unshift(...fresh);
  held.results = held.results.filter(({ captured_at: at }) => at >= since);
  Object.assign(held, { gaps: answer.gaps, pictures: answer.pictures });
}
