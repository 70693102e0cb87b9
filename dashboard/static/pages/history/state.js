// What the page History is asked: a time, and perhaps a camera, a person, an emotion. It stands in the address, so that it can be passed on.

import { now } from "../../core/clock.js";

const QUARTER = 900;
export const LEAST_SECONDS = 60;
const MOST_SECONDS = 400 * 86400;
const NAMES = ["camera", "person", "emotion"];

// `seconds` is how far back from now, where the time goes on; else `since` and `until` stand.
export function stateOf() {
  const said = new URLSearchParams(location.hash.slice(1));
  const listeners = [];
  const state = {
    seconds: said.has("since") ? null : Number(said.get("last")) || QUARTER,
    since: Number(said.get("since")),
    until: Number(said.get("until")),
    faces: said.get("faces") !== "all",
    ...Object.fromEntries(NAMES.map((name) => [name, said.get(name) ?? ""])),
    onchange: (listener) => listeners.push(listener),
    change(changes) {
      Object.assign(state, changes);
      history.replaceState(null, "", `#${address(state)}`);
      listeners.forEach((listener) => listener());
    },
    range: () => (state.seconds ? { since: now() - state.seconds, until: now() } : { since: state.since, until: state.until }),
    goTo(since, until) {
      const wide = Math.max(LEAST_SECONDS, Math.min(MOST_SECONDS, until - since));
      const end = Math.min(now(), (since + until + wide) / 2);
      state.change({ seconds: null, since: end - wide, until: end });
    },
    // The question as a query; a time that goes on has no end.
    query(more = {}) {
      const { since, until } = state.range();
      const asked = { since: since.toFixed(3), ...(state.seconds ? {} : { until: until.toFixed(3) }), ...Object.fromEntries(NAMES.map((name) => [name, state[name]])), ...more };
      return new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== "")).toString();
    },
  };
  return state;
}

function address({ seconds, since, until, faces, ...rest }) {
  const time = seconds ? { last: seconds } : { since: Math.round(since), until: Math.round(until) };
  const asked = Object.fromEntries(NAMES.filter((name) => rest[name]).map((name) => [name, rest[name]]));
  return new URLSearchParams({ ...time, ...asked, ...(faces ? {} : { faces: "all" }) }).toString();
}
