// One hundred seeds: their curves, their maps, and one of them large.
//
// Which one is shown large is the view's own affair: it needs no Python, and starts none.

import { above, ask, axes, button, canvas, floats, frames, heat, ink, labelled, marker, node, number, onTheme, open, percent, runButton, select, signed, table } from "./kit.js";
import { tone, whenAny } from "./line.js";

const MEMBERS = 100;
const ROW = 10;
const SOLVED = 0.95;
const REACH = 6;
const BLUE = { light: "#0067a5", dark: "#62b4e8" };
const ORANGE = { light: "#b84f00", dark: "#ff9f5a" };
const DATASETS = { xor: "XOR", circle: "circle", gaussian: "two clouds", spiral: "spiral" };
const OPTIMIZERS = { sgd: "SGD", momentum: "SGD with momentum", rmsprop: "RMSProp", adam: "Adam" };
const WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16];
const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const FULL = 1.2; // the greatest loss that the chart shows
const loss = (v) => (Number.isFinite(v) ? above(v, 3) : "diverged");

const chosen = (model) => model.get("chosen") - 1;
const rightOf = (model, k) => floats(model.get("accuracies"))[k];
const lossOf = (model, k) => floats(model.get("curves")).at(k - MEMBERS);

// ---------------------------------------------------------------------------------------------------------- the curves

function line(context, X, Y, marks, value) {
  context.beginPath();
  marks.forEach((epoch, i) => {
    const v = value(i);
    context.lineTo(X(epoch), Y(Number.isFinite(v) ? Math.min(v, 2 * FULL) : 2 * FULL));
  });
}

function drawCurves(model, context, width, height, theme) {
  const [marks, curves, band] = [model.get("marks"), floats(model.get("curves")), floats(model.get("band"))];
  const area = { left: 40, top: 20, width: width - 52, height: height - 58 };
  const most = Math.min(FULL, Math.max(0.1, ...curves.filter(Number.isFinite)) * 1.05);
  const { X, Y } = axes(context, area, [0, model.get("epochs")], [0, most], theme, { xLabel: "epoch", yLabel: "test loss" });
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  context.strokeStyle = theme.muted;
  context.globalAlpha = 0.28;
  context.lineWidth = 1;
  for (let k = 0; k < MEMBERS; k++) {
    line(context, X, Y, marks, (i) => curves[i * MEMBERS + k]);
    context.stroke();
  }
  context.globalAlpha = 1;
  [0, 1, 2].forEach((which) => {
    context.setLineDash(which === 1 ? [] : [7, 4]);
    context.lineWidth = which === 1 ? 3 : 2;
    context.strokeStyle = tone(theme, BLUE);
    line(context, X, Y, marks, (i) => band[3 * i + which]);
    context.stroke();
  });
  context.setLineDash([2, 3]);
  context.lineWidth = 2.6;
  context.strokeStyle = tone(theme, ORANGE);
  line(context, X, Y, marks, (i) => curves[i * MEMBERS + chosen(model)]);
  context.stroke();
  context.restore();
}

// ------------------------------------------------------------------------------------------------------------ the maps

const sideOf = (model) => Math.round(Math.sqrt(signed(model.get("maps")).length / MEMBERS));

function drawTiles(model, context, width, _, theme) {
  const values = signed(model.get("maps"));
  const right = floats(model.get("accuracies"));
  const side = sideOf(model);
  const cell = width / ROW;
  let small = null;
  for (let k = 0; k < MEMBERS; k++) {
    small = heat(values, k * side * side, side, theme.dark, false, small);
    const [x, y] = [(k % ROW) * cell, Math.floor(k / ROW) * cell];
    context.drawImage(small, x + 2.5, y + 2.5, cell - 5, cell - 5);
    context.lineWidth = 1;
    context.strokeStyle = theme.line;
    context.strokeRect(x + 2.5, y + 2.5, cell - 5, cell - 5);
    if (right[k] >= SOLVED) tick(context, x + cell - 9, y + cell - 9, theme);
    if (k !== chosen(model)) continue;
    context.lineWidth = 3;
    context.strokeStyle = tone(theme, ORANGE);
    context.strokeRect(x + 1.5, y + 1.5, cell - 3, cell - 3);
  }
}

// A network that has solved the task has a tick.
function tick(context, x, y, theme) {
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.fillStyle = theme.text;
  context.fill();
  context.beginPath();
  context.moveTo(x - 3, y);
  context.lineTo(x - 0.8, y + 2.4);
  context.lineTo(x + 3.2, y - 2.6);
  context.lineWidth = 1.6;
  context.strokeStyle = theme.paper;
  context.stroke();
}

function drawLarge(model, context, width, height, theme) {
  const values = signed(model.get("maps"));
  const side = sideOf(model);
  const area = { left: 30, top: 8, width: width - 40, height: height - 46 };
  context.imageSmoothingEnabled = true;
  context.drawImage(heat(values, chosen(model) * side * side, side, theme.dark), area.left, area.top, area.width, area.height);
  const { X, Y } = axes(context, area, [-REACH, REACH], [-REACH, REACH], theme, { xLabel: "x₁ across, x₂ up; the test points", grid: false });
  const points = floats(model.get("test"));
  for (let i = 0; i < points.length; i += 3) {
    if (Math.max(Math.abs(points[i]), Math.abs(points[i + 1])) <= REACH) marker(context, X(points[i]), Y(points[i + 1]), points[i + 2], 2.6, theme.paper);
  }
}

// ------------------------------------------------------------------------------------------------------------- the rest

const memberRows = (model) =>
  Array.from({ length: MEMBERS }, (_, k) => [String(k + 1), String(model.get("seed") + k), loss(lossOf(model, k)), percent(rightOf(model, k), 1), rightOf(model, k) >= SOLVED ? "solved" : "not solved"]);

function curveRows(model) {
  const [curves, band] = [floats(model.get("curves")), floats(model.get("band"))];
  return model.get("marks").map((epoch, i) => [String(epoch), ...[0, 1, 2].map((w) => loss(band[3 * i + w])), loss(curves[i * MEMBERS + chosen(model)])]);
}

// A slider for the network that is shown large; moving it is not saved, as Python need not know.
function opener(scope, model) {
  const control = node("input", { type: "range", name: "chosen", min: 1, max: MEMBERS, step: 1 });
  const value = node("output");
  const show = () => {
    const k = chosen(model);
    control.value = k + 1;
    value.textContent = `network ${k + 1}, seed ${model.get("seed") + k}: loss ${loss(lossOf(model, k))}, ${percent(rightOf(model, k), 1)} right`;
    control.setAttribute("aria-valuetext", value.textContent);
  };
  scope.listen(control, "input", () => model.set("chosen", Number(control.value)));
  const whole = labelled("Open network", control, value);
  value.setAttribute("for", control.id);
  return { whole, show };
}

function legend() {
  const key = (kind, words) => node("span", { class: "seeds-key" }, node("i", { class: `seeds-line seeds-${kind}` }), words);
  return node("p", { class: "seeds-legend" }, key("all", "each network"), key("median", "median"), key("band", "10\u00a0% and 90\u00a0%"), key("one", "the open one"));
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "One hundred seeds");
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  const curves = canvas(scope, "The test loss of all hundred networks over the epochs, with their median and the band from 10 to 90 per cent. The table of curves below says the same.", (...given) => drawCurves(model, ...given), { height: (width) => Math.min(320, Math.max(230, 0.62 * width)) });
  const tiles = canvas(scope, "A small map for each network: what it says about every place of the plane. A tick marks those that solved the task. Click one to open it, or use the slider beside. The table of networks below lists all.", (...given) => drawTiles(model, ...given), { ratio: 1 });
  const large = canvas(scope, "The map of the chosen network, large, with the test points: discs for class +1, squares for class −1.", (...given) => drawLarge(model, ...given), { height: (width) => width });
  const choose = (k) => model.set("chosen", k + 1); // not saved: it needs no Python
  tiles.classList.add("seeds-clickable");
  scope.listen(tiles, "click", ({ offsetX, offsetY }) => {
    const cell = tiles.clientWidth / ROW;
    const at = (v) => Math.min(ROW - 1, Math.max(0, Math.floor(v / cell)));
    choose(at(offsetY) * ROW + at(offsetX));
  });
  const slider = opener(scope, model);
  const act = (name) => () => ask(model, name).catch(() => {});
  const forget = button(scope, "Forget it", act("forget"));
  const texts = ["outcome", "compared"].map((name) => ({ name, part: node("p", { class: `seeds-${name}` }) }));
  const listings = [
    table(scope, "The networks as a table", ["network", "seed", "test loss", "right", "state"], () => memberRows(model)),
    table(scope, "The curves as a table", ["epoch", "10\u00a0% are below", "median", "90\u00a0% are below", "the chosen one"], () => curveRows(model)),
  ];
  body.append(
    node(
      "div",
      { class: "dlcore-controls" },
      select(scope, model, "dataset", "Task", DATASETS),
      select(scope, model, "width", "Units in each of two layers", {}, WIDTHS),
      select(scope, model, "optimizer", "Optimizer", OPTIMIZERS),
      select(scope, model, "learning_rate", "Learning rate", {}, RATES),
      number(scope, model, "epochs", "Epochs", { step: 5 }),
    ),
    node("div", { class: "dlcore-controls seeds-go", role: "group", "aria-label": "Training" }, runButton(scope, model), button(scope, "One epoch", act("step")), button(scope, "Reset", act("reset")), button(scope, "Next hundred seeds", act("draw")), button(scope, "Keep this result", act("keep")), forget),
    node("div", { class: "seeds-texts" }, ...texts.map(({ part }) => part)),
    node(
      "div",
      { class: "dlcore-parts seeds-parts" },
      node("div", {}, curves, legend(), large),
      node("div", {}, tiles, node("div", { class: "dlcore-controls" }, slider.whole, ...[["Best", 0], ["Median", 50], ["Worst", MEMBERS - 1]].map(([word, rank]) => button(scope, word, () => choose(model.get("order")[rank]))))),
    ),
    ...listings,
  );
  const paint = () => {
    const theme = ink(frame);
    frame.style.setProperty("--seeds-band", tone(theme, BLUE));
    frame.style.setProperty("--seeds-one", tone(theme, ORANGE));
  };
  onTheme(scope, paint);
  paint();
  const update = () => {
    for (const { name, part } of texts) part.textContent = model.get(name);
    forget.hidden = !Object.keys(model.get("kept")).length;
    slider.show();
    for (const view of [curves, tiles, large]) view.redraw();
    for (const listing of listings) listing.refill();
  };
  whenAny(scope, model, ["chosen", "outcome", "compared", "kept", "order", "epochs", "marks", "maps", "test"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
