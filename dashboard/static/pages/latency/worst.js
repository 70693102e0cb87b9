// The worst frames of the hour: how old they were, why, and what they showed.

import { get } from "../../core/api.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { drawFaces } from "../../core/faces.js";
import { age, ageLevel, clockTime, percent } from "../../core/format.js";
import { duration } from "../../core/scale.js";
import { keyed } from "../../core/keyed.js";
import { whileSeen } from "../../core/seen.js";
import { STAGES, stageBar, totalOf } from "./stages.js";

const LOOK_SECONDS = 5;

export function worst() {
  const list = h("div", { class: "worst" });
  const none = h("p", { class: "muted" }, "none yet");
  const each = h("tbody");
  const byCamera = h("details", { hidden: true }, h("summary", {}, "the worst of each camera"), h("table", { class: "table" }, each));
  const element = h("section", { class: "card" }, h("h2", {}, "The worst frames of the hour"), none, list, byCamera);
  const look = async () => {
    const found = await get("/api/worst").catch(() => null); // the header says when the server is away
    if (!found) return;
    none.hidden = found.worst.length > 0;
    byCamera.hidden = found.by_camera.length < 2;
    keyed(list, found.worst, (frame) => frame.id, newTile);
    keyed(each, found.by_camera, (frame) => frame.id, newRow);
  };
  return { element, close: whileSeen(element, LOOK_SECONDS, look) };
}

function newTile(frame) {
  const picture = frame.has_picture
    ? h("img", { src: `/api/worst/${frame.id}/frame.jpg`, alt: "", loading: "lazy", onerror: () => picture.replaceWith(noPicture()) })
    : noPicture();
  return h("button", { class: "tile", type: "button", onclick: () => show(frame), "aria-label": `${age(frame.age_seconds)} old, ${frame.camera}, ${clockTime(frame.published_at)}: show it` },
    picture,
    h("span", { class: "row apart" }, h("b", {}, frame.camera), h("span", { class: `badge ${ageLevel(frame.age_seconds)}` }, age(frame.age_seconds))),
    h("span", { class: "muted" }, `${clockTime(frame.published_at)} · ${mostly(frame)}`));
}

const noPicture = () => h("span", { class: "nothing muted" }, "its picture is not kept");

function newRow(frame) {
  return h("tr", {},
    h("th", { scope: "row" }, frame.camera),
    h("td", { class: "number" }, age(frame.age_seconds)),
    h("td", {}, clockTime(frame.published_at)),
    h("td", {}, mostly(frame)),
    h("td", {}, h("button", { class: "button", type: "button", "aria-label": `show the worst frame of ${frame.camera}`, onclick: () => show(frame) }, "show")));
}

function mostly({ stages, age_seconds: seconds }) {
  const [stage, longest] = Object.entries(stages).sort((one, other) => other[1] - one[1])[0] ?? ["?", 0];
  return `${percent(longest / seconds)} ${stage}`;
}

async function show(frame) {
  const whole = await get(`/api/worst/${frame.id}`).catch((error) => error);
  if (whole instanceof Error) return toast(whole.message, "bad");
  const bar = stageBar("this frame");
  const facts = { camera: whole.camera, captured: clockTime(whole.captured_at), "result came out": clockTime(whole.published_at), age: age(whole.age_seconds), host: whole.host || "unknown", worker: whole.worker || "unknown", "answered by": whole.provider, picture: `${whole.width} × ${whole.height}`, result: whole.id };
  const dialog = openDialog(`${whole.camera}: ${age(whole.age_seconds)} old when its result came out`, h("div", { class: "stack latency" },
    bar.element,
    h("div", { class: "frame" },
      whole.has_picture ? pictureOf(whole) : h("p", { class: "muted" }, "its picture was gone before it could be kept"),
      h("div", { class: "stack" },
        h("dl", { class: "facts" }, Object.keys(STAGES).filter((name) => name in whole.stages).flatMap((name) => [h("dt", {}, h("i", { class: `swatch ${name}` }), name), h("dd", { class: "number" }, duration(whole.stages[name]))])),
        h("dl", { class: "facts" }, Object.entries(facts).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))))), { wide: true });
  bar.update(whole.stages, Math.max(totalOf(whole.stages), whole.age_seconds)); // it knows its width only there
  return dialog;
}

function pictureOf(whole) {
  const canvas = h("canvas", { class: "picture", width: whole.width, height: whole.height, style: { aspectRatio: `${whole.width} / ${whole.height}` }, role: "img", "aria-label": `the frame, with ${whole.FaceDetails?.length ?? 0} faces` });
  const image = new Image();
  image.onload = () => {
    const [width, height] = [canvas.clientWidth, (canvas.clientWidth * whole.height) / whole.width]; // words stay readable on a phone
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const context = canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    context.drawImage(image, 0, 0, width, height);
    drawFaces(context, whole, width, height);
  };
  image.onerror = () => say(canvas.parentElement.insertBefore(h("p", { class: "error" }), canvas), "its picture is not kept any more");
  image.src = `/api/worst/${whole.id}/frame.jpg`;
  return canvas;
}
