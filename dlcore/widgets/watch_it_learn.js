// Watch it learn: a pad to draw on, what the network takes the picture for, and how well it reads what it never saw.

import { axes, button, canvas, chance, floats, frames, node, number, open, percent, runButton, table } from "./kit.js";
import { GREEN, PURPLE, pusher, tone, whenAny } from "./line.js";

const SIDE = 28; // pixels of the picture
const FINE = 1000; // places along each side of the pad
const PEN = 70; // the width of a line on the pad, in those places
const NEAR = 18; // nearer than this to the last place, the pen has not moved
const MOST_POINTS = 600;
const MOST_WHICH = 150;
const DIGITS = [...Array(10).keys()];
const PAPER = [250, 250, 250]; // in both themes: ink is dark, as in the digits
const INK = [25, 25, 32];
const a = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

// ------------------------------------------------------------------------------------------------------ the pad

// The picture that the network reads, as a canvas of its own size.
function pixels(model, reuse) {
  const view = model.get("shown");
  const context = reuse.getContext("2d");
  const picture = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const share = view.getUint8(i) / 255;
    PAPER.forEach((light, k) => (picture.data[4 * i + k] = light + share * (INK[k] - light)));
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
  return reuse;
}

function drawStrokes(context, side, strokes) {
  context.strokeStyle = `rgb(${INK})`;
  context.lineWidth = (PEN / FINE) * side;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    for (let i = 0; i < stroke.length; i += 2) context.lineTo((stroke[i] / FINE) * side, (stroke[i + 1] / FINE) * side);
    if (stroke.length === 2) context.lineTo((stroke[0] / FINE) * side + 0.01, (stroke[1] / FINE) * side);
    context.stroke();
  }
}

// The reader's drawing as it was made, with the picture that the network gets of it in the corner; or a test digit.
function drawPad(model, small, context, side) {
  const strokes = model.get("strokes");
  context.imageSmoothingEnabled = false;
  context.fillStyle = `rgb(${PAPER})`;
  context.fillRect(0, 0, side, side);
  if (!strokes.length) return context.drawImage(pixels(model, small), 0, 0, side, side);
  drawStrokes(context, side, strokes);
  const part = Math.max(SIDE, Math.round(side / 5));
  context.drawImage(pixels(model, small), side - part, side - part, part, part);
  context.strokeStyle = "#7a7a7a";
  context.lineWidth = 1;
  context.strokeRect(side - part - 0.5, side - part - 0.5, part, part);
}

// The pen: a stroke begins where it comes down; the first one takes the test digit's place.
function pen(scope, model, surface, push) {
  let stroke = null;
  const place = ({ clientX, clientY }) => {
    const box = surface.getBoundingClientRect();
    const within = (share) => Math.round(FINE * Math.max(0, Math.min(1, share)));
    return [within((clientX - box.left) / box.width), within((clientY - box.top) / box.height)];
  };
  const send = () => push({ strokes: [...before, stroke] });
  let before = [];
  scope.listen(surface, "pointerdown", (event) => {
    if (event.button) return;
    before = model.get("strokes");
    if (before.flat().length >= 2 * MOST_POINTS) return;
    surface.setPointerCapture(event.pointerId);
    stroke = place(event);
    send();
  });
  scope.listen(surface, "pointermove", (event) => {
    if (!stroke) return;
    const [x, y] = place(event);
    const moved = Math.hypot(x - stroke.at(-2), y - stroke.at(-1));
    if (moved < NEAR || before.flat().length + stroke.length >= 2 * MOST_POINTS) return;
    stroke = [...stroke, x, y];
    send();
  });
  for (const end of ["pointerup", "pointercancel"]) scope.listen(surface, end, () => (stroke = null));
}

function makePad(scope, model, push) {
  const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const surface = canvas(scope, "The pad: draw a digit here with a mouse, a pen or a finger. What the network takes it for stands beside it; test digits can be chosen with the buttons below.", (context, side) => drawPad(model, small, context, side));
  surface.classList.add("learn-paper");
  pen(scope, model, surface, push);
  const caption = node("p", { class: "learn-caption" });
  const update = () => {
    surface.redraw();
    caption.textContent = model.get("strokes").length ? "your drawing; in the corner what it sees" : `${a(model.get("digit"))} of the test digits. Draw your own`;
  };
  return { whole: node("div", { class: "learn-pad" }, surface, caption), update };
}

// ------------------------------------------------------------------------------------------------------ the answers

// Ten bars that are a table: each row says its number as well.
function answers() {
  const lines = DIGITS.map((digit) => {
    const bar = node("div", { class: "learn-bar" });
    const value = node("td");
    const row = node("tr", {}, node("th", { scope: "row" }, String(digit)), node("td", {}, node("div", { class: "learn-track" }, bar)), value);
    return { bar, value, row };
  });
  const head = node("tr", {}, ...["digit", "bar", "probability"].map((word) => node("th", { scope: "col" }, word)));
  const whole = node("table", { class: "learn-answers" }, node("caption", {}, "It takes this for"), node("thead", { class: "dlcore-spoken" }, head), node("tbody", {}, ...lines.map(({ row }) => row)));
  const update = (probabilities) => {
    const best = probabilities.indexOf(Math.max(...probabilities));
    lines.forEach(({ bar, value, row }, digit) => {
      bar.style.transform = `scaleX(${probabilities[digit]})`;
      value.textContent = chance(probabilities[digit]);
      row.dataset.best = String(digit === best);
    });
  };
  return { whole, update };
}

// Test digits by button: another press shows another one of the same.
function picks(scope, model, push) {
  const made = DIGITS.map((digit) => {
    const take = () => {
      const again = model.get("digit") === digit && !model.get("strokes").length;
      push({ digit, which: again ? (model.get("which") + 1) % (MOST_WHICH + 1) : model.get("which"), strokes: [] });
    };
    return button(scope, String(digit), take, { "aria-label": `Show ${a(digit)} of the test digits` });
  });
  const update = () => made.forEach((part, digit) => part.setAttribute("aria-pressed", String(!model.get("strokes").length && model.get("digit") === digit)));
  return { whole: node("div", { class: "learn-picks", role: "group", "aria-label": "Take a test digit" }, ...made), update };
}

// ------------------------------------------------------------------------------------------------------ how it learns

const tests = (model) => {
  const values = floats(model.get("curve"));
  return Array.from({ length: values.length / 3 }, (_, k) => [...values.subarray(3 * k, 3 * k + 3)]);
};

function drawCurve(context, theme, area, rows, column, { range, label, shade, end }) {
  const { X, Y } = axes(context, area, [0, end], range, theme, { yLabel: label, yCount: 2, xCount: 5 });
  context.strokeStyle = context.fillStyle = shade;
  context.lineWidth = 2.5;
  context.beginPath();
  for (const row of rows) context.lineTo(X(row[0]), Y(Math.min(range[1], row[column] * (column === 1 ? 100 : 1))));
  context.stroke();
  const last = rows.at(-1);
  context.beginPath();
  context.arc(X(last[0]), Y(Math.min(range[1], last[column] * (column === 1 ? 100 : 1))), 4, 0, 2 * Math.PI);
  context.fill();
}

function drawCurves(model, context, width, height, theme) {
  const rows = tests(model);
  const side = { left: 34, width: width - 54 };
  const tall = (height - 92) / 2;
  const end = model.get("most");
  drawCurve(context, theme, { ...side, top: 24, height: tall }, rows, 1, { range: [0, 100], label: "test digits read right, %", shade: tone(theme, GREEN), end });
  drawCurve(context, theme, { ...side, top: 72 + tall, height: tall }, rows, 2, { range: [0, 3], label: "loss", shade: tone(theme, PURPLE), end });
}

function readouts() {
  const cells = {};
  const words = { steps: "steps", right: "of the test digits right", loss: "loss" };
  const parts = Object.entries(words).map(([name, word]) => node("p", {}, (cells[name] = node("strong")), node("span", {}, word)));
  const update = (model) => {
    cells.steps.textContent = model.get("steps").toLocaleString("en");
    cells.right.textContent = percent(model.get("accuracy"), 1);
    cells.loss.textContent = model.get("test_loss").toFixed(2);
  };
  return { whole: node("div", { class: "learn-readouts" }, ...parts), update };
}

// ------------------------------------------------------------------------------------------------------ the rest

const ABOUT =
  "Nearly all of this network’s 25,450 numbers were drawn by chance, so it guesses. On Run it learns from 8,000 handwritten digits, 32 at a time, and keeps reading your picture.";
const HAND = "Your drawing is centred and scaled as the digits were. Still it is not one of them: pens, hands and screens differ, and it may be misread where they are not.";

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Watch it learn");
  const push = pusher(scope, model);
  const [pad, bars, row, counts] = [makePad(scope, model, push), answers(), picks(scope, model, push), readouts()];
  const curves = canvas(scope, "Two curves over the steps of learning: the share of test digits read right, and the loss. The table below has their numbers.", (context, width, height, theme) => drawCurves(model, context, width, height, theme), { height: () => 240 });
  const listing = table(scope, "How it learns, as a table", ["step", "right", "loss"], () => tests(model).map(([steps, right, loss]) => [String(steps), percent(right, 1), loss.toFixed(3)]));
  const reset = button(scope, "Reset", () => push({ running: false, steps: 0 }));
  const clear = button(scope, "Clear", () => push({ strokes: [] }));
  const verdict = node("p", { class: "learn-verdict" });
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(
    node("p", { class: "learn-about" }, ABOUT),
    node("div", { class: "dlcore-controls" }, runButton(scope, model), reset, clear),
    node("div", { class: "learn-parts" }, node("div", { class: "learn-read" }, pad.whole, bars.whole, node("div", { class: "learn-below" }, verdict, row.whole, node("p", { class: "learn-hand" }, HAND))), node("div", { class: "learn-progress" }, counts.whole, curves)),
    node("div", { class: "dlcore-controls learn-seed" }, number(scope, model, "seed", "seed", { step: 1 })),
    listing,
  );

  const update = () => {
    pad.update();
    bars.update(model.get("probabilities"));
    row.update();
    counts.update(model);
    curves.redraw();
    verdict.textContent = model.get("verdict");
    clear.disabled = !model.get("strokes").length;
    listing.refill();
  };
  whenAny(scope, model, ["strokes", "digit", "shown", "probabilities", "curve", "steps", "verdict"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
