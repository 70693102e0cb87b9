// The own video with the newest result over it: boxes that fade as they get old, and how old they are.

import { h, say } from "../../core/dom.js";
import { now } from "../../core/clock.js";
import { drawFaces } from "../../core/faces.js";
import { age, ageLevel } from "../../core/format.js";

const FULL_SECONDS = 0.7;
const GONE_SECONDS = 2.5;
const SHARPEST = 2; // canvas pixels a CSS pixel

export class Stage {
  landmarks = true;
  seen = null; // the newest result, mirrored where the video is

  #isOn = false;
  #isMirror = false;
  #drawn = "";

  constructor() {
    this.video = h("video", { autoplay: true, playsinline: true, tabindex: -1, "aria-label": "What your camera sees" });
    this.video.muted = true;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.badge = h("span", { class: "badge" }, "no result yet");
    this.element = h("div", { class: "stage" }, this.video, this.canvas, h("div", { class: "over" }, this.badge));
    this.video.addEventListener("resize", () => this.#fit());
  }

  async show(webcam) {
    this.video.srcObject = webcam.stream;
    this.#isMirror = webcam.isMirror;
    this.video.classList.toggle("mirror", this.#isMirror);
    await this.video.play().catch(() => {}); // a newer stream came in between
    this.#fit();
  }

  start() {
    this.#isOn = true;
    this.#draw();
  }

  stop() {
    this.#isOn = false;
    this.video.srcObject = null;
    this.seen = null;
  }

  see(result) {
    if (this.seen && this.seen.captured_at > result.captured_at) return;
    this.seen = this.#isMirror ? mirrored(result) : result;
  }

  #fit() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth) this.element.style.setProperty("--ratio", videoWidth / videoHeight);
  }

  #draw() {
    if (!this.#isOn) return;
    const old = this.seen ? now() - this.seen.captured_at : Infinity;
    this.#sayAge(old);
    this.#drawFaces(old);
    requestAnimationFrame(() => this.#draw());
  }

  #sayAge(old) {
    say(this.badge, this.seen ? `${age(old)} from lens to screen` : "no result yet");
    const level = this.seen ? `badge ${ageLevel(old)}` : "badge";
    if (this.badge.className !== level) this.badge.className = level;
  }

  #drawFaces(old) {
    const { clientWidth: width, clientHeight: height } = this.element;
    const scale = Math.min(SHARPEST, devicePixelRatio);
    const alpha = Math.max(0, Math.min(1, (GONE_SECONDS - old) / (GONE_SECONDS - FULL_SECONDS)));
    const looks = [this.seen?.id, alpha.toFixed(2), this.landmarks, width, height].join();
    if (looks === this.#drawn) return;
    this.#drawn = looks;
    Object.assign(this.canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    if (alpha > 0) drawFaces(context, this.seen, width, height, { alpha, landmarks: this.landmarks });
  }
}

// The result as a mirror shows it; words stay readable, because the boxes are turned and not the canvas.
export function mirrored(result) {
  const faces = (result.FaceDetails ?? []).map((face) => ({
    ...face,
    BoundingBox: { ...face.BoundingBox, Left: 1 - face.BoundingBox.Left - face.BoundingBox.Width },
    Landmarks: face.Landmarks?.map((point) => ({ ...point, X: 1 - point.X })),
  }));
  return { ...result, FaceDetails: faces };
}
