// How the history does: written until when, how much is there, and why not where it is not written.

import { get } from "../../core/api.js";
import { now } from "../../core/clock.js";
import { h, say } from "../../core/dom.js";
import { age, day, number } from "../../core/format.js";
import { whileSeen } from "../../core/seen.js";

const LOOK_SECONDS = 3;

export function status() {
  const line = h("p", { class: "muted status" });
  const element = h("p", { class: "trouble", role: "alert", hidden: true });
  const look = async () => {
    const answer = await get("/api/history/status").catch((error) => error);
    const trouble = troubleOf(answer);
    element.hidden = !trouble;
    say(element, trouble);
    if (!(answer instanceof Error)) say(line, wordsOf(answer));
  };
  const unwatch = whileSeen(line, LOOK_SECONDS, look);
  return { line, element, close: unwatch };
}

function troubleOf(answer) {
  if (answer instanceof Error) return answer.message;
  if (answer.writing) return "";
  const waiting = answer.behind ? ` ${number(answer.behind)} results wait; they are kept for ten minutes.` : "";
  return `The history is not being written: ${answer.why}.${waiting} What is live goes on.`.replace("..", ".");
}

function wordsOf({ results, since, bytes, written_until: until, keep_seconds: keep, behind }) {
  if (results === null) return "";
  const kept = keep ? `kept ${Math.round(keep / 86400)} days` : "kept for good";
  const fresh = until === null ? "nothing written yet" : `written until ${age(now() - until)} ago`;
  return [since && `${number(results)} results since ${day(since)}`, fresh, behind > 100 && `${number(behind)} behind`, bytes !== null && size(bytes), kept].filter(Boolean).join(" · ");
}

const size = (bytes) => (bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);
