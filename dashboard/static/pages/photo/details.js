// What stands below every answer: where the time went, the raw JSON, the same in boto3's words.

import { h } from "../../core/dom.js";
import { copy } from "../../core/dialog.js";
import { age, milliseconds, number, percent } from "../../core/format.js";

const STAGES = [
  ["received", "sending it here and checking it"],
  ["reduce", "making it smaller"],
  ["queue", "waiting for a worker"],
  ["limit", "waiting for the rate limit"],
  ["upload", "sending it to Rekognition"],
  ["service", "Rekognition itself"],
  ["publish", "the way into Redis"],
  ["answer", "the way from Redis to here"],
];

export function details(answer) {
  const { python, ...rest } = answer;
  return h("div", { class: "stack" },
    timings(answer.timings, answer.sent),
    h("div", { class: "grid" }, folded("JSON", JSON.stringify(rest, null, 2)), folded("Python, with boto3 alone", python)));
}

function timings(seconds, sent) {
  const stages = STAGES.filter(([name]) => seconds[name] !== undefined);
  const total = seconds.total || 1;
  const [longest] = [...stages].sort((one, other) => seconds[other[0]] - seconds[one[0]]);
  const sentence = `${age(seconds.total)} from the request to the answer; ${percent(seconds[longest[0]] / total)} of that is ${longest[1]}.`;
  const color = (name) => `var(--stage-${name})`;
  return h("section", { class: "card photo-timings", "aria-label": "Where the time went" },
    h("p", {}, sentence, " ", h("span", { class: "muted" }, sentWords(sent))),
    h("div", { class: "photo-bar", "aria-hidden": "true" },
      stages.map(([name]) => h("span", { style: { flexGrow: seconds[name] / total, background: color(name) }, title: `${name} ${milliseconds(seconds[name])}` }))),
    h("dl", { class: "photo-legend" }, stages.map(([name, what]) => h("div", {},
      h("dt", { title: what }, h("span", { class: "dot", style: { background: color(name) } }), name, h("span", { class: "visually-hidden" }, ` (${what})`)),
      h("dd", { class: "number" }, milliseconds(seconds[name]))))));
}

function sentWords(sent) {
  if (sent.source) return `Sent: ${oneSent(sent.source)} and ${oneSent(sent.target)}.`;
  return `Sent: ${oneSent(sent)}.`;
}

function oneSent(sent) {
  if (sent.s3) return sent.s3;
  const size = `${sent.width} × ${sent.height}, ${number(Math.round(sent.bytes / 1024))} KB`;
  return sent.reduced ? `${size}, made smaller because Rekognition takes 5 MB` : size;
}

function folded(title, text) {
  return h("details", { class: "card photo-folded" },
    h("summary", {}, title),
    h("div", { class: "photo-text" },
      h("button", { class: "button", type: "button", "aria-label": `Copy: ${title}`, onclick: () => copy(text) }, "Copy"),
      h("pre", { tabindex: 0, "aria-label": title }, text)));
}
