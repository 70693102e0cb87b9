// What is looked for: a time, a camera, a person, an emotion.

import { get } from "../../core/api.js";
import { cameraChoice, rangeChoice } from "../../core/choices.js";
import { copy } from "../../core/dialog.js";
import { h } from "../../core/dom.js";
import { emotionWord } from "../../core/faces.js";

const EMOTIONS = ["HAPPY", "CALM", "SURPRISED", "SAD", "ANGRY", "CONFUSED", "FEAR", "DISGUSTED"];

export function filters(store, state) {
  const cameras = cameraChoice(store, (camera) => state.change({ camera }), state.camera);
  const person = choice("person", [["", "anybody"], ...(state.person ? [[state.person, state.person]] : [])], state.person, (value) => state.change({ person: value }));
  const emotion = choice("emotion", [["", "any emotion"], ...EMOTIONS.map((type) => [type, emotionWord(type)])], state.emotion, (value) => state.change({ emotion: value }));
  const ranges = rangeChoice((seconds) => state.change({ seconds }), state.seconds);
  const [from, to] = ["from", "to"].map((name) => h("input", { type: "datetime-local", step: 1, "aria-label": name }));
  const isFaces = h("input", { type: "checkbox", checked: state.faces, onchange: () => state.change({ faces: isFaces.checked }) });
  const show = () => {
    const { since, until } = state.range();
    ranges.show(state.seconds);
    from.value = local(since);
    to.value = local(until);
  };
  const go = () => {
    const [since, until] = [from, to].map((input) => new Date(input.value).getTime() / 1000);
    if (since < until) state.goTo(since, until);
  };
  from.addEventListener("change", go);
  to.addEventListener("change", go);
  state.onchange(show);
  show();
  listPeople(person, state);
  const element = h("section", { class: "card filters", "aria-label": "What to look for" },
    h("div", { class: "row" }, cameras.element, h("span", { class: "field" }, person), h("span", { class: "field" }, emotion), h("label", { class: "field check" }, isFaces, "only with faces")),
    h("div", { class: "row" }, ranges.element, h("span", { class: "field" }, from), h("span", { class: "dash" }, "–"), h("span", { class: "field" }, to)),
    h("details", {}, h("summary", {}, "Export"), exporting(state)));
  return { element, close: cameras.close };
}

function choice(name, options, chosen, onchoose) {
  const select = h("select", { "aria-label": name, onchange: () => onchoose(select.value) }, options.map(([value, words]) => h("option", { value }, words)));
  select.value = chosen;
  return select;
}

async function listPeople(select, { person }) {
  const { people } = await get("/api/people").catch(() => ({ people: [] })); // without names one looks for anybody
  const names = people.map(({ id, name }) => [id, name]).sort((one, other) => one[1].localeCompare(other[1]));
  const gone = person && !people.some(({ id }) => id === person) ? [[person, person]] : [];
  select.replaceChildren(...[["", "anybody"], ...gone, ...names].map(([value, words]) => h("option", { value }, words)));
  select.value = person;
}

function exporting(state) {
  const command = h("code", {});
  const tell = () => {
    const { since, until } = state.range();
    const times = [since, ...(state.seconds ? [] : [until])].map((at, index) => `${index ? "--until" : "--since"} ${new Date(at * 1000).toISOString().slice(0, 19)}Z`);
    command.textContent = ["rekstream export", ...times, state.camera && `--camera ${state.camera}`, "--format csv -o results.csv"].filter(Boolean).join(" ");
  };
  state.onchange(tell);
  tell();
  return h("div", { class: "stack tight" },
    h("p", { class: "muted" }, "As a file for a spreadsheet or a program (csv, jsonl, parquet), on the machine of the history:"),
    h("div", { class: "row" }, h("pre", { tabindex: 0 }, command), h("button", { class: "button", type: "button", onclick: () => copy(command.textContent) }, "Copy")));
}

// Seconds as an <input type=datetime-local> wants them, in the browser's zone.
function local(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}
