// The own video with the newest result over it: boxes that fade as they get old, and how old they are.
// Or, by choice, the very picture that was analysed, in which the boxes are where the faces were.

import { h, say } from "../../core/dom.js";
import { now } from "../../core/clock.js";
import { drawFaces, fading } from "../../core/faces.js";
import { age, ageLevel } from "../../core/format.js";

const SHARPEST = 2; // canvas pixels a CSS pixel
const MOST_REMEMBERED = 40; // pictures whose result may still come

export class Stage {
  landmarks = true;
  showsAnalysed = false;
  seen = null; // the newest result, mirrored where the video is

  #isOn = false;
  #isMirror = false;
  #drawn = "";
  #sent = new Map(); // when it was taken -> the JPEG
  #picture = null; // the one of the newest result, while it is wanted

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
    this.#picture?.close();
    this.seen = this.#picture = null;
    this.#sent.clear();
  }

  // Keeps a picture that was sent until its result is there.
  remember(takenAt, jpeg) {
    this.#sent.set(takenAt, jpeg);
    if (this.#sent.size > MOST_REMEMBERED) this.#sent.delete(this.#sent.keys().next().value);
  }

  async see(result) {
    if (this.seen && this.seen.captured_at > result.captured_at) return;
    const jpeg = this.showsAnalysed ? this.#sent.get(result.captured_at) : null;
    const picture = jpeg ? await createImageBitmap(jpeg).catch(() => null) : null;
    if (!this.#isOn || (this.seen && this.seen.captured_at > result.captured_at)) {
      picture?.close();
      return;
    }
    this.#picture?.close();
    this.#picture = picture;
    this.seen = this.#isMirror ? mirrored(result) : result;
    for (const takenAt of this.#sent.keys()) if (takenAt <= result.captured_at) this.#sent.delete(takenAt);
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
    const picture = this.showsAnalysed ? this.#picture : null;
    const alpha = picture ? 1 : fading(old);
    const looks = [this.seen?.id, alpha.toFixed(2), this.landmarks, Boolean(picture), width, height].join();
    if (looks === this.#drawn) return;
    this.#drawn = looks;
    Object.assign(this.canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    if (picture) this.#drawPicture(context, picture, width, height);
    if (alpha > 0) drawFaces(context, this.seen, width, height, { alpha, landmarks: this.landmarks });
  }

  #drawPicture(context, picture, width, height) {
    context.save();
    if (this.#isMirror) context.setTransform(-context.getTransform().a, 0, 0, context.getTransform().d, context.canvas.width, 0);
    context.drawImage(picture, 0, 0, width, height);
    context.restore();
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
