// The audience now and over time: of one camera or of all.

import { get } from "../../core/api.js";
import { createBars } from "../../core/bars.js";
import { createChart } from "../../core/chart.js";
import { cameraChoice, rangeChoice } from "../../core/choices.js";
import { now } from "../../core/clock.js";
import { h, say } from "../../core/dom.js";
import { emotionWord } from "../../core/faces.js";
import { number, percent } from "../../core/format.js";
import { whileSeen } from "../../core/seen.js";
import { nowCard } from "./now.js";
import { linesOf, shareLines } from "./series.js";
import { laughStrip } from "./strip.js";

const LOOK_SECONDS = 4;
const SLOW_SECONDS = 20; // how often more than a day is asked for
const DAY = 86400;
const COLOURS = { happy: 3, calm: 6, surprised: 2, sad: 1, angry: 5, confused: 7, afraid: 4, disgusted: 7 };

export function crowd(store) {
  const choice = { camera: "", seconds: 900 };
  const problem = h("p", { class: "error", role: "status" });
  const here = nowCard();
  const strip = laughStrip();
  const charts = [
    [createChart({ title: "People there", unit: "", help: "the mean number of people in each step", last: "last step" }), (answer) => linesOf(answer, { people: (step) => step.present }, 0)],
    [createChart({ title: "Attention and smiles", unit: "%", help: "of the time that people were there: facing the camera, and smiling", most: 100, last: "last step" }), (answer) => shareLines(answer, { attention: (step) => step.attention, smiling: (step) => step.smiling })],
    [createChart({ title: "Laughs", unit: "whole", help: "laughs that began in each step", columns: true, last: "last step" }, { laughs: 2 }), (answer) => linesOf(answer, { laughs: (step) => step.laughs }, 0)],
    [createChart({ title: "Emotions", unit: "%", help: "the share of each strongest emotion", columns: true, most: 100, last: "last step" }, COLOURS), (answer) => shareLines(answer, emotionsOf(answer))],
  ];
  const bars = {
    ages: createBars({ title: "Ages" }), genders: createBars({ title: "Women and men", help: "as the faces look to Rekognition" }),
    emotions: createBars({ title: "Emotions" }), dwell: createBars({ title: "How long they stay" }),
  };
  const totals = h("p", { class: "muted totals" });
  let turn = 0;
  let asked = 0;

  async function look(isDue = true) {
    if (!isDue && choice.seconds > DAY && Date.now() - asked < SLOW_SECONDS * 1000) return;
    const mine = ++turn;
    asked = Date.now();
    const answer = await get(`/api/audience?since=${now() - choice.seconds}${choice.camera && `&camera=${encodeURIComponent(choice.camera)}`}`).catch((error) => error);
    if (mine !== turn) return;
    say(problem, answer instanceof Error ? answer.message : "");
    contents.classList.toggle("old", answer instanceof Error);
    if (!(answer instanceof Error)) show(answer);
  }

  function show(answer) {
    here.update(answer);
    strip.update(answer);
    say(totals, sentence(answer));
    charts.forEach(([chart, lines]) => chart.update(lines(answer)));
    showMix(bars, answer);
  }

  const cameras = cameraChoice(store, (camera) => {
    choice.camera = camera;
    look();
  });
  const ranges = rangeChoice((seconds) => {
    choice.seconds = seconds;
    look();
  }, choice.seconds);
  const contents = h("div", { class: "stack" }, here.element,
    h("div", { class: "row apart" }, h("h2", {}, "Over time"), h("div", { class: "row" }, cameras.element, ranges.element)),
    totals, strip.element,
    h("div", { class: "charts" }, charts.map(([chart]) => chart.element)),
    h("div", { class: "mix" }, Object.values(bars).map((one) => one.element)));
  const element = h("div", { class: "audience stack" }, problem, contents);
  const unwatch = whileSeen(element, LOOK_SECONDS, () => look(false));
  return {
    element,
    close() {
      turn += 1;
      unwatch();
      cameras.close();
      here.close();
      strip.close();
      charts.forEach(([chart]) => chart.close());
    },
  };
}

function sentence({ totals: { arrivals, laughs, present, dwell_seconds: dwell } }) {
  if (!arrivals && !present) return "Nobody was seen in this time.";
  const stay = dwell === null ? "" : ` and stayed ${stayWords(dwell)} on average`;
  return `${number(arrivals)} ${arrivals === 1 ? "face" : "faces"} came${stay}; ${number(laughs)} ${laughs === 1 ? "laugh was" : "laughs were"} seen.`;
}

const stayWords = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} min`);

function emotionsOf({ emotions }) {
  const known = Object.keys(emotions).sort((one, other) => emotions[other] - emotions[one]);
  return Object.fromEntries(known.map((type) => [emotionWord(type), (step) => step.emotions?.[type] ?? 0]));
}

function showMix(bars, { ages, genders, emotions, dwell }) {
  bars.ages.update(people(ages, ({ from, to }) => (to === null ? `${from} and older` : `${from}–${to - 1}`)));
  bars.dwell.update(people(dwell, ({ from, to }) => (to === null ? `over ${span(from)}` : from === 0 ? `under ${span(to)}` : `${span(from)} to ${span(to)}`)));
  const counted = Object.entries(genders);
  const all = counted.reduce((sum, [, count]) => sum + count, 0);
  bars.genders.update(all ? counted.map(([name, count]) => ({ name: name === "Female" ? "women" : "men", words: `${percent(count / all)} · ${number(count)}`, share: count / all, colour: name === "Female" ? 4 : 6 })) : []);
  bars.emotions.update(Object.entries(emotions).sort((one, other) => other[1] - one[1]).map(([type, share]) => ({ name: emotionWord(type), words: percent(share), share, colour: COLOURS[emotionWord(type)] ?? 1 })));
}

function people(groups, name) {
  const most = Math.max(1, ...groups.map((group) => group.people));
  return groups.some((group) => group.people) ? groups.map((group) => ({ name: name(group), words: number(group.people), share: group.people / most })) : [];
}

const span = (seconds) => (seconds < 60 ? `${seconds} s` : `${seconds / 60} min`);
