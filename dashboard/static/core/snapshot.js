// A snapshot with this device's camera, which is on only while the dialog is open.

import { h, say } from "./dom.js";
import { openDialog } from "./dialog.js";
import { Webcam, whyUnavailable } from "./webcam.js";
import { drawn } from "./pictures.js";

const SIZE = { width: 1920, height: 1080 };

// Returns a JPEG, or null when nothing was taken.
export function takeSnapshot() {
  return new Promise((resolve) => {
    const video = h("video", { autoplay: true, playsinline: true, "aria-label": "What the camera sees" });
    video.muted = true;
    const why = h("p", { class: "error", role: "alert" }, whyUnavailable());
    const take = h("button", { class: "button primary", type: "button", disabled: true, onclick: shoot }, "Take it");
    const turn = h("button", { class: "button", type: "button", hidden: true, onclick: () => start(facing === "user" ? "environment" : "user") }, "Other camera");
    let webcam = null, facing = "", isOver = false;

    async function start(side) {
      facing = side;
      webcam?.close();
      take.disabled = turn.disabled = true;
      const opened = await Webcam.open({ facing, size: SIZE }).catch((error) => error);
      turn.disabled = false;
      if (opened instanceof Error) return say(why, opened.message);
      if (isOver) return opened.close();
      say(why, "");
      webcam = opened;
      video.srcObject = webcam.stream;
      await video.play().catch(() => {}); // it was closed meanwhile
      take.disabled = !video.videoWidth;
      turn.hidden = (await opened.all()).length < 2;
      return undefined;
    }

    async function shoot() {
      end(await drawn(video, video.videoWidth, video.videoHeight));
    }

    function end(blob) {
      if (isOver) return;
      isOver = true;
      webcam?.close();
      resolve(blob);
      dialog.close();
    }

    const content = h("div", { class: "stack snapshot" }, video, why, h("div", { class: "row" }, take, turn));
    const dialog = openDialog("Take a snapshot", content, { onclose: () => end(null) });
    if (!why.textContent) start("user");
  });
}
