// A snapshot with this device's camera, which is on only while the dialog is open.

import { h, say } from "../../core/dom.js";
import { openDialog } from "../../core/dialog.js";

const WHY = {
  NotAllowedError: "the browser may not use the camera: allow it beside the address, then try again",
  NotFoundError: "this device has no camera: choose a picture instead",
  NotReadableError: "another program uses the camera: close it, then try again",
};

// Returns a JPEG, or null when nothing was taken.
export function takeSnapshot() {
  return new Promise((resolve) => {
    const video = h("video", { autoplay: true, playsinline: true, "aria-label": "What the camera sees" });
    video.muted = true;
    const why = h("p", { class: "error", role: "alert" });
    const take = h("button", { class: "button primary", type: "button", disabled: true, onclick: () => shoot(video).then(end) }, "Take it");
    const turn = h("button", { class: "button", type: "button", hidden: true, onclick: () => start(!isBack) }, "Other camera");
    let stream = null, isBack = false, isOver = false;

    async function start(back) {
      isBack = back;
      stop(stream);
      try {
        stream = await camera(back);
      } catch (error) {
        say(why, WHY[error.name] ?? `the camera cannot be opened: ${error.message}`);
        return;
      }
      if (isOver) return stop(stream);
      video.srcObject = stream;
      await video.play();
      take.disabled = false;
      const devices = await navigator.mediaDevices.enumerateDevices();
      turn.hidden = devices.filter((device) => device.kind === "videoinput").length < 2;
    }

    function end(blob) {
      if (isOver) return;
      isOver = true;
      stop(stream);
      resolve(blob);
      dialog.close();
    }

    const content = h("div", { class: "stack photo-snapshot" }, video, why, h("div", { class: "row" }, take, turn));
    const dialog = openDialog("Take a snapshot", content, { onclose: () => end(null) });
    start(false);
  });
}

function camera(back) {
  if (!navigator.mediaDevices) throw new Error("browsers give it only to https pages and to localhost");
  return navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 }, height: { ideal: 1080 }, facingMode: back ? "environment" : "user" } });
}

function shoot(video) {
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}

const stop = (stream) => stream?.getTracks().forEach((track) => track.stop());
