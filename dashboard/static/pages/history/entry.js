// One entry of what was found: who, when, how they looked, and the picture where it is kept.

import { openDialog } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { drawFaces, faceWords } from "../../core/faces.js";
import { age, clockTime, dayTime, number } from "../../core/format.js";
import { gapWords } from "./drawing.js";

const MOST_FACES = 6; // in words; the rest is a number

const frameOf = ({ camera, id }) => `/api/history/frame?${new URLSearchParams({ camera, id })}`;

export function newEntry(entry) {
  if (entry.gap) return h("li", { class: "gap" }, gapWords(entry.gap));
  return h("li", {}, h("button", { class: "card entry", type: "button" },
    h("span", { class: "thumb" }),
    h("span", { class: "about" },
      h("span", { class: "row apart" }, h("b", {}), h("span", { class: "muted number when" })),
      h("span", { class: "faces" }))));
}

export function showEntry(element, entry, isArchived) {
  if (entry.gap) return;
  const [newest] = entry.results;
  const oldest = entry.results[entry.results.length - 1];
  element.firstChild.onclick = () => openResult(entry, isArchived);
  say(element.querySelector("b"), newest.camera);
  say(element.querySelector(".when"), whenWords(newest, oldest, entry.results.length));
  showFaces(element.querySelector(".faces"), newest);
  if (isArchived) showThumb(element.querySelector(".thumb"), newest);
}

function whenWords(newest, oldest, count) {
  const seconds = newest.captured_at - oldest.captured_at;
  return count > 1 ? `${dayTime(oldest.captured_at)} – ${clockTime(newest.captured_at)} · ${age(seconds)} · ${number(count)} results` : dayTime(newest.captured_at);
}

function showFaces(element, { FaceDetails = [], error, forgotten, operation }) {
  const lines = error ? [["failed", error.Message]] : forgotten ? [["", "somebody who was forgotten"]]
    : FaceDetails.length ? [...FaceDetails.slice(0, MOST_FACES).map(faceLine), ...(FaceDetails.length > MOST_FACES ? [["", `and ${number(FaceDetails.length - MOST_FACES)} more`]] : [])]
      : [["", operation === "DetectFaces" ? "no face" : operation]];
  const words = JSON.stringify(lines);
  if (element.dataset.words === words) return;
  element.dataset.words = words;
  element.replaceChildren(...lines.map(([name, line]) => h("span", {}, name && h("strong", {}, name), " ", h("span", { class: error ? "error" : "" }, line))));
}

function faceLine(face) {
  const { name, line } = faceWords(face);
  return [name, line || (name ? "" : "a face")];
}

// The picture of the result that came first; it stays while newer ones join the entry.
function showThumb(element, result) {
  if (element.dataset.of || result.error || result.forgotten) return;
  element.dataset.of = result.id;
  const image = h("img", { alt: "", loading: "lazy", src: frameOf(result), onerror: () => image.remove() });
  element.append(image);
}

function openResult({ results }, isArchived) {
  let index = 0;
  const holder = h("div", { class: "stack" });
  const place = h("span", { class: "muted number" });
  const [older, newer] = [["Older", 1], ["Newer", -1]].map(([name, step]) => h("button", { class: "button", type: "button", onclick: () => turnTo(index + step) }, name));
  const turnTo = (next) => {
    index = Math.max(0, Math.min(results.length - 1, next));
    const result = results[index];
    say(place, `${clockTime(result.captured_at)} · ${number(index + 1)} of ${number(results.length)}`);
    newer.disabled = index === 0;
    older.disabled = index === results.length - 1;
    holder.replaceChildren(...contentOf(result, isArchived));
  };
  const dialog = openDialog(`${results[0].camera}, ${dayTime(results[0].captured_at)}`, h("div", { class: "stack" },
    results.length > 1 ? h("div", { class: "row" }, older, newer, place) : null, holder), { wide: true });
  dialog.classList.add("history");
  turnTo(0);
}

function contentOf(result, isArchived) {
  const facts = { camera: result.camera, captured: dayTime(result.captured_at), "answered after": age(result.published_at - result.captured_at), "answered by": result.provider, operation: result.operation, result: result.id };
  const faces = h("span", { class: "faces" });
  showFaces(faces, result);
  return [
    h("div", { class: "frame" }, pictureOf(result, isArchived), h("div", { class: "stack" }, faces, h("dl", { class: "facts" }, Object.entries(facts).filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])))),
    h("details", {}, h("summary", {}, "as JSON"), h("pre", { tabindex: 0 }, JSON.stringify(result, null, 2))),
  ];
}

function pictureOf(result, isArchived) {
  const canvas = h("canvas", { class: "picture", role: "img", "aria-label": `the picture, with ${result.FaceDetails?.length ?? 0} faces`, hidden: true });
  const none = h("p", { class: "muted nothing" }, isArchived ? "Its picture is not in the archive." : "No pictures are archived: `rekstream up --archive FOLDER` keeps them.");
  const image = new Image();
  image.onload = () => {
    none.remove();
    canvas.hidden = false;
    const width = canvas.clientWidth;
    const height = (width * image.naturalHeight) / image.naturalWidth;
    Object.assign(canvas, { width: width * devicePixelRatio, height: height * devicePixelRatio });
    const context = canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    context.drawImage(image, 0, 0, width, height);
    drawFaces(context, result, width, height);
  };
  if (isArchived) image.src = frameOf(result);
  return h("div", {}, none, canvas);
}
