// Rehearse: let the local server be slow, strict or faulty, and watch how everything takes it.

import { put } from "../../core/api.js";
import { toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";

const PRESETS = {
  "a slow service": { latency: 0.6, latency_sigma: 0.25 },
  "2 calls a second": { tps: 2 },
  "one call in five fails": { errors: 0.2 },
};
const OPERATION = "DetectFaces";

export function rehearse() {
  const fields = {
    latency: slider("seconds added to each call", 3, 0.05, (value) => `${value.toFixed(2)} s`),
    latency_sigma: slider("how much they vary", 1, 0.05, (value) => (value ? `σ ${value.toFixed(2)}` : "not at all")),
    errors: slider("calls that fail", 1, 0.01, (value) => `${Math.round(value * 100)} %`),
    tps: quotaField(),
  };
  const state = h("p", { class: "state", role: "status" });
  const stop = h("button", { class: "button danger big", type: "button", hidden: true, onclick: () => send({ off: true }) }, "Stop rehearsing");
  const presets = Object.entries(PRESETS).map(([words, values]) => h("button", { class: "button", type: "button", onclick: () => send(asked(fill(fields, values))) }, words));
  const form = h("form", { class: "stack tight", onsubmit: (event) => { event.preventDefault(); send(asked(fields)); } },
    h("div", { class: "grid" }, Object.values(fields).map((field) => field.element)),
    h("div", { class: "row" }, h("button", { class: "button primary", type: "submit" }, "Rehearse this"), presets));
  const element = h("section", { class: "card rehearse", hidden: true }, h("h2", {}, "Rehearse"),
    h("p", { class: "muted" }, "The local Rekognition server beside this dashboard acts it out; workers on other machines have servers of their own. Nothing is paid, and the header says REHEARSAL as long as it lasts."),
    state, stop, form);
  let shown = null;
  return {
    element,
    update({ provider, rehearsal }) {
      element.hidden = provider !== "local";
      element.classList.toggle("on", Boolean(rehearsal));
      stop.hidden = !rehearsal;
      say(state, rehearsal ? `Now: ${inWords(rehearsal)}. What you see is not real slowness.` : "");
      const text = JSON.stringify(rehearsal);
      if (text !== shown && !form.contains(document.activeElement)) fill(fields, rehearsal ? { ...rehearsal, tps: rehearsal.tps[OPERATION] } : {});
      shown = text;
    },
  };
}

async function send(members) {
  const answer = await put("/api/rehearsal", members).catch((error) => error);
  if (answer instanceof Error) toast(answer.message, "bad");
  else toast(members.off ? "the rehearsal is over" : "it is rehearsed from now on", members.off ? "good" : "");
}

function asked(fields) {
  const values = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value()]));
  return { ...values, tps: values.tps ? { [OPERATION]: values.tps } : {} };
}

function fill(fields, values) {
  for (const [name, field] of Object.entries(fields)) field.set(values[name] ?? 0);
  return fields;
}

function inWords({ latency, latency_sigma: sigma, errors, tps }) {
  const parts = [
    latency && `${latency} s are added to each call${sigma ? ", more or less" : ""}`,
    errors && `${Math.round(errors * 100)} % of the calls fail`,
    ...Object.entries(tps).slice(0, 3).map(([operation, rate]) => `${rate} calls a second of ${operation}`),
  ];
  return parts.filter(Boolean).join(", ");
}

function slider(words, most, step, format) {
  const output = h("output", { class: "number" }, format(0));
  const input = h("input", { type: "range", min: "0", max: most, step, value: "0", oninput: () => say(output, format(Number(input.value))) });
  return {
    element: h("label", { class: "field" }, h("span", { class: "row apart" }, h("span", {}, words), output), input),
    value: () => Number(input.value),
    set(value) {
      input.value = value;
      say(output, format(Number(input.value)));
    },
  };
}

function quotaField() {
  const input = h("input", { type: "number", min: "0.1", max: "1000", step: "any", inputmode: "decimal", placeholder: "no limit" });
  return {
    element: h("label", { class: "field" }, h("span", {}, `calls a second allowed (${OPERATION})`), input),
    value: () => Number(input.value) || null,
    set: (value) => (input.value = value || ""),
  };
}
