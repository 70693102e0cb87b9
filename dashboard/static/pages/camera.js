// Your camera: this browser becomes a camera like any other, and sees what was found in its pictures.

import { h, say } from "../core/dom.js";
import { Webcam, whyUnavailable } from "../core/webcam.js";
import { Figures } from "./camera/figures.js";
import { Moods } from "./camera/moods.js";
import { Sampler } from "./camera/sampler.js";
import { Sender } from "./camera/sender.js";
import { Stage } from "./camera/stage.js";

const NAME = "camera-name";

export function open(main, store) {
  const page = new CameraPage(store);
  main.append(page.element);
  return () => page.close();
}

class CameraPage {
  #store;
  #webcam = null;
  #sender = null;
  #sampler = null;
  #awake = null;
  #turn = 0; // of asking for a camera: Stop, leaving the page or another wish makes what is under way void
  #stops = [];

  constructor(store) {
    this.#store = store;
    this.stage = new Stage();
    this.moods = new Moods();
    this.figures = new Figures();
    this.state = h("p", { class: "state", role: "status" });
    this.where = h("p", { class: "muted" });
    this.start = h("div", { class: "card stack start" }, ...this.#beginning());
    this.run = h("div", { class: "camera-run", hidden: true }, ...this.#running());
    this.element = h("div", { class: "stack camera" }, h("div", { class: "about" }, h("h1", {}, "Your camera"), this.where), this.start, this.state, this.run);
    this.#sayWhere();
    this.#stops = [store.on("stats", () => this.#sayWhere()), store.on("result", (result) => this.#see(result))];
  }

  close() {
    this.#stops.forEach((stop) => stop());
    this.#end();
  }

  #beginning() {
    const why = whyUnavailable();
    if (why) return [h("p", { class: "error" }, why)];
    this.name = h("input", { value: localStorage.getItem(NAME) ?? guessedName(), maxlength: 40, autocomplete: "off" });
    this.begin = h("button", { class: "button primary", type: "submit" }, "Use this device's camera");
    const form = h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); this.#begin(); } },
      h("label", { class: "field" }, "Name", this.name), this.begin);
    return [form, h("p", { class: "muted" }, "The browser will ask whether it may. Leaving this page or pressing Stop ends it.")];
  }

  #running() {
    this.devices = h("select", { "aria-label": "Camera", onchange: () => this.#look({ deviceId: this.devices.value }) });
    this.turn = h("button", { class: "button", type: "button", onclick: () => this.#look({ facing: this.#webcam.otherSide }) }, "Front / back");
    const landmarks = h("input", { type: "checkbox", checked: true, onchange: () => { this.stage.landmarks = landmarks.checked; } });
    const analysed = h("input", { type: "checkbox", onchange: () => { this.stage.showsAnalysed = analysed.checked; } });
    const controls = h("div", { class: "row controls" },
      h("button", { class: "button danger", type: "button", onclick: () => this.#end("stopped") }, "Stop"),
      h("div", { class: "field device" }, this.devices), this.turn,
      h("label", { class: "field check" }, landmarks, "Landmarks"),
      h("label", { class: "field check" }, analysed, "The picture that was analysed"));
    return [h("div", { class: "stack" }, this.stage.element, controls), h("div", { class: "stack" }, this.figures.element, this.moods.element)];
  }

  async #begin() {
    localStorage.setItem(NAME, this.name.value);
    this.begin.disabled = true;
    say(this.state, "waiting for the camera …");
    await this.#look({});
    this.begin.disabled = false;
  }

  // Opens a camera, another one in place of the first; what goes wrong is one sentence.
  async #look(wish) {
    const mine = ++this.#turn;
    this.#webcam?.close();
    const webcam = await Webcam.open(wish).catch((error) => error);
    const isVoid = mine !== this.#turn;
    if (webcam instanceof Error) return isVoid ? undefined : this.#end(webcam.message, true);
    if (isVoid) return webcam.close();
    this.#webcam = webcam;
    this.#webcam.onended = () => this.#end("the camera was unplugged, or taken away by the system", true);
    this.start.hidden = true;
    this.run.hidden = false;
    await this.stage.show(this.#webcam);
    if (mine !== this.#turn) return undefined;
    this.#listDevices();
    return this.#send();
  }

  async #listDevices() {
    const webcam = this.#webcam;
    const found = await webcam.all();
    if (webcam !== this.#webcam) return;
    this.devices.replaceChildren(...found.map(({ id, name }) => h("option", { value: id }, name)));
    this.devices.value = this.#webcam.deviceId;
    this.devices.parentElement.hidden = found.length < 2;
    this.turn.hidden = !this.#webcam.otherSide || found.length < 2;
  }

  #send() {
    if (this.#sender) return;
    this.#sender = new Sender(this.name.value.trim(), {
      onstate: (text, isBad) => this.#say(text, isBad),
      onover: (text) => this.#end(text, true),
      onsend: (takenAt, jpeg) => this.stage.remember(takenAt, jpeg),
      counts: this.figures,
    });
    this.#sampler = new Sampler(this.stage.video, this.#sender);
    this.#sender.open();
    this.#sampler.start();
    this.stage.start();
    this.#stayAwake();
  }

  // A phone's screen that goes dark would end it; where the browser has no such thing, it does.
  async #stayAwake() {
    const lock = await navigator.wakeLock?.request("screen").catch(() => null);
    if (!this.#sender) lock?.release();
    else this.#awake = lock;
  }

  async #see(result) {
    if (!this.#sender || result.camera !== this.#sender.camera) return;
    this.figures.analysed(result);
    if (result.error) return;
    await this.stage.see(result);
    this.moods.see(this.stage.seen);
  }

  #end(text = "", isBad = false) {
    this.#turn += 1;
    this.#sampler?.stop();
    this.#sender?.close();
    this.#webcam?.close();
    this.#awake?.release();
    this.#sampler = this.#sender = this.#webcam = this.#awake = null;
    this.stage.stop();
    this.figures.clear();
    this.moods.clear();
    this.run.hidden = true;
    this.start.hidden = false;
    this.#say(text, isBad);
  }

  #say(text, isBad) {
    say(this.state, text);
    this.state.classList.toggle("error", Boolean(isBad));
  }

  #sayWhere() {
    const stats = this.#store.stats;
    const isPaid = stats?.provider.startsWith("aws");
    const who = !stats ? "analysed" : isPaid ? `sent on to Amazon Rekognition (${stats.provider})` : "analysed there";
    const covered = stats?.privacy ? " Faces are covered in every picture that others see." : "";
    say(this.where, `This device becomes a camera of rekstream: its pictures go to ${location.host}, are ${who}, and what was found comes back. None is written to disk.${covered}`);
  }
}

const guessedName = () => (/Android|iPhone|iPad/.test(navigator.userAgent) ? "phone" : "browser");
