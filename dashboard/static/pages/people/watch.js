// Adds a watch: for whom or what, where, whom to tell, and how often.

import { attempt, get, post } from "../../core/api.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";

const EMOTIONS = ["HAPPY", "SAD", "ANGRY", "CONFUSED", "DISGUSTED", "SURPRISED", "CALM", "FEAR"];
const KINDS = { person: "a person", unknown: "somebody unknown", emotion: "an emotion", label: "a thing in the picture", budget: "the budget, at 80 % and when it is spent" };

export async function openWatch(store, onchange) {
  const here = location.pathname;
  const { people } = await get("/api/people").catch(() => ({ people: [] }));
  if (location.pathname !== here) return;
  const kind = select(Object.entries(KINDS));
  const person = select(people.map(({ id, name }) => [id, name]));
  const emotion = select(EMOTIONS.map((name) => [name, name.toLowerCase()]));
  const label = h("input", { type: "text", autocomplete: "off", placeholder: "Dog" });
  const whom = { person: field("Who", person, people.length ? "" : "nobody is known yet: add somebody first"), emotion: field("Emotion", emotion), label: field("Label", label, "as Rekognition calls it: Dog, Car, Backpack") };
  const cameras = h("fieldset", { class: "people-cameras" }, h("legend", {}, "Cameras (none chosen: all)"),
    ...[...store.cameras.keys()].sort().map((id) => h("label", { class: "field check" }, h("input", { type: "checkbox", value: id }), id)));
  const notify = h("textarea", { rows: 3, spellcheck: "false", autocomplete: "off", class: "mono", placeholder: "https://example.com/hook" });
  const cooldown = h("input", { type: "number", min: 0, value: 60, inputmode: "numeric" });
  const schedule = h("input", { type: "text", autocomplete: "off", spellcheck: "false", placeholder: "always" });
  const said = h("p", { class: "error", role: "status" });
  const choose = () => {
    Object.entries(whom).forEach(([name, element]) => (element.hidden = name !== kind.value));
    cameras.hidden = kind.value === "budget"; // it is that of all
  };
  kind.addEventListener("change", choose);
  choose();
  const form = h("form", { class: "stack", onsubmit: submit },
    field("Tell me of", kind), ...Object.values(whom), cameras,
    field("Notify", notify, "one address a line: a webhook (https://…), mailto://, slack://, mqtt://, sns:// … They are stored, and never shown again."),
    h("div", { class: "grid" }, field("Cooldown", cooldown, "seconds before the same is told again"), field("Schedule", schedule, "for example mon-fri 18:00-08:00")),
    said, h("div", { class: "row" }, h("button", { class: "button primary" }, "Add")));
  const dialog = openDialog("Add a watch", form);
  kind.focus();

  async function submit(event) {
    event.preventDefault();
    const answer = await attempt(() => post("/api/watches", membersOf()), (message) => say(said, message));
    if (!answer) return;
    dialog.close();
    toast(`you hear of ${answer.who} from now on`, "good");
    onchange();
  }

  function membersOf() {
    const who = { person: person.value, unknown: "unknown", budget: "budget", emotion: `emotion=${emotion.value}`, label: `label=${label.value.trim()}` }[kind.value];
    const members = {
      who,
      cameras: cameras.hidden ? [] : [...cameras.querySelectorAll("input:checked")].map(({ value }) => value),
      notify: notify.value.split("\n").map((line) => line.trim()).filter(Boolean),
      schedule: schedule.value.trim(),
    };
    return cooldown.value === "" ? members : { ...members, cooldown: Number(cooldown.value) };
  }
}

const select = (entries) => h("select", {}, ...entries.map(([value, words]) => h("option", { value }, words)));

const field = (label, input, hint = "") => h("label", { class: "field" }, label, input, hint ? h("span", { class: "hint" }, hint) : null);
