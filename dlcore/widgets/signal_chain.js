// Signal chain: what becomes of a signal, and of its gradient, in a deep chain of layers.
//
// Which layer is shown large is the view's own affair: it needs no Python, and starts none.

import { ask, button, canvas, colour, css, floats, labelled, node, open, percent, select, table } from "./kit.js";
import { GREEN, tone, whenAny } from "./line.js";

const BLUE = { light: "#0072b2", dark: "#56a9dd" };
const ORANGE = { light: "#b84f00", dark: "#f08a3c" };
const SERIES = [
  ["activations", BLUE, "disc"],
  ["between examples", GREEN, "triangle"],
  ["gradients", ORANGE, "square"],
];
const ACTIVATION_WORDS = {
  identity: "none (identity)", step: "step", sigmoid: "sigmoid", tanh: "tanh", relu: "ReLU", leaky_relu: "leaky ReLU",
  elu: "ELU", selu: "SELU", gelu: "GELU", silu: "SiLU", softplus: "softplus",
};
const INIT_WORDS = { glorot: "Glorot (1/n)", he: "He (2/n)", lecun: "LeCun (1/n)", normal: "normal, own scale" };
const NORM_WORDS = { none: "none", batch: "batch", layer: "layer" };
const VERDICT_WORDS = {
  healthy: "Healthy", vanishes: "Vanishes", explodes: "Explodes", overflow: "Explodes beyond float32", dead: "Dead units", saturated: "Saturated",
};
const PATIENCE = 600; // milliseconds until a value is sent though the one before has not been answered
const FLOAT32 = [-45, 39]; // powers of ten: beyond these there is nothing to plot
const LEFT = 46;
const RIGHT = 8;

const doubles = (view) => new Float64Array(view?.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : new ArrayBuffer(0));
const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const raised = (power) => String(power).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
const trueMinus = (text) => text.replace("-", "−");

// A number with three digits, as a power of ten where it is very large or small.
function worded(value) {
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  if (power >= -3 && power < 5) return trueMinus(String(Number(value.toPrecision(3))));
  return trueMinus(`${(value / 10 ** power).toFixed(1)} · 10${raised(power)}`);
}

// What Python has measured, by layer.
function measured(model) {
  const depth = model.get("shown_depth");
  const all = doubles(model.get("levels"));
  const theory = doubles(model.get("theory"));
  const row = (values, i) => values.subarray(i * depth, (i + 1) * depth);
  return {
    depth,
    stds: [0, 1, 2].map((i) => row(all, i)),
    flat: row(all, 3),
    dead: row(all, 4),
    theory: theory.length ? [row(theory, 0), row(theory, 1)] : [],
  };
}
const chosen = (model) => Math.min(model.get("layer"), model.get("shown_depth"));

// ------------------------------------------------------------------------------------------------------ controls

// Send changes one at a time: the next when Python has answered, so that a slider that is dragged leaves no queue.
function paced(scope, model) {
  let waiting = 0;
  let due = false;
  const send = () => {
    due = false;
    clearTimeout(waiting);
    waiting = setTimeout(free, PATIENCE);
    model.save_changes();
  };
  const free = () => {
    clearTimeout(waiting);
    waiting = 0;
    if (due) send();
  };
  scope.on(model, "change:frame", free);
  scope.endings.push(() => clearTimeout(waiting));
  return (name, value) => {
    model.set(name, value);
    if (waiting) due = true;
    else send();
  };
}

// A slider of a trait; with `log`, equal steps are equal factors. `change(name, value)` says what to do with a value.
function dial(scope, model, name, label, change, { log = false, step = 1, words = String, high = null } = {}) {
  const range = model.get("choices")[name];
  const to = log ? Math.log10 : Number;
  const from = log ? (v) => Number((10 ** v).toPrecision(2)) : Number;
  const control = node("input", { type: "range", name, min: to(range.low), max: to(range.high), step });
  const value = node("output");
  const tell = (given) => {
    value.textContent = words(given);
    control.setAttribute("aria-valuetext", value.textContent);
  };
  const show = () => {
    if (high) control.max = high();
    control.value = to(model.get(name));
    tell(model.get(name));
  };
  scope.on(model, `change:${name}`, show);
  scope.listen(control, "input", () => {
    const given = from(Number(control.value));
    tell(given);
    change(name, given);
  });
  show();
  const whole = labelled(label, control, value);
  value.setAttribute("for", control.id);
  return { whole, control, show };
}

// -------------------------------------------------------------------------------------------------------- drawing

const across = (width, depth) => {
  const step = (width - LEFT - RIGHT) / depth;
  return { step, X: (i) => LEFT + (i + 0.5) * step, layer: (px) => Math.min(depth, Math.max(1, Math.floor((px - LEFT) / step) + 1)) };
};

function layerScale(context, width, bottom, depth, theme, label = true) {
  const { X } = across(width, depth);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.muted;
  context.textAlign = "center";
  context.textBaseline = "top";
  const every = [1, 2, 5, 10, 25].find((n) => (depth / n) * 22 < width - LEFT) ?? 50;
  for (let l = 1; l <= depth; l++) if (l === 1 || (l % every === 0 && l > every / 2)) context.fillText(String(l), X(l - 1), bottom + 4);
  if (label) context.fillText("layer", (LEFT + width - RIGHT) / 2, bottom + 18);
}

function caption(context, words, top, theme) {
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.text;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(words, 2, top);
}

// The chosen layer, as a line through the whole chart.
function cursor(context, x, top, bottom, theme) {
  context.strokeStyle = theme.text;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, bottom);
  context.stroke();
  context.setLineDash([]);
}

function mark(context, shape, x, y, size) {
  context.beginPath();
  if (shape === "disc") context.arc(x, y, size, 0, 2 * Math.PI);
  else if (shape === "square") context.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  else {
    context.moveTo(x, y - size * 1.2);
    context.lineTo(x + size * 1.1, y + size * 0.8);
    context.lineTo(x - size * 1.1, y + size * 0.8);
    context.closePath();
  }
  context.fill();
}

// Where values are not finite there is nothing to draw, and that is drawn.
function hatch(context, left, right, top, bottom, theme) {
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.beginPath();
  for (let x = left - (bottom - top); x < right; x += 8) {
    context.moveTo(x, bottom);
    context.lineTo(x + bottom - top, top);
  }
  context.stroke();
  context.restore();
}

function lostLayers(context, values, width, top, bottom, theme) {
  const { X, step } = across(width, values.length);
  values.forEach((v, i) => Number.isFinite(v) || hatch(context, X(i) - step / 2, X(i) + step / 2, top, bottom, theme));
}

// Whole powers of ten around all that is to be seen.
function powers({ stds, theory }) {
  const logs = [...stds, ...theory].flatMap((row) => [...row]).filter((v) => v > 0).map(Math.log10);
  const seen = logs.filter((l) => l >= FLOAT32[0] && l <= FLOAT32[1]);
  let [low, high] = [Math.floor(Math.min(0, ...seen)), Math.ceil(Math.max(0.1, ...seen))];
  if (high - low < 2) low = high - 2;
  return [low, high];
}

function drawLevels(model, context, width, height, theme) {
  const data = measured(model);
  const { depth, stds, theory } = data;
  const [top, bottom] = [22, height - 34];
  const [low, high] = powers(data);
  const { X } = across(width, depth);
  const Y = (v) => bottom - ((Math.min(high, Math.max(low, Math.log10(v))) - low) / (high - low)) * (bottom - top);
  caption(context, "standard deviation (each step a power of ten)", 2, theme);
  lostLayers(context, stds[0], width, top, bottom, theme);
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  const every = Math.ceil((high - low) / Math.max(2, (bottom - top) / 26));
  for (let p = low; p <= high; p++) {
    if (p % every) continue;
    context.strokeStyle = theme.line;
    context.beginPath();
    context.moveTo(LEFT, Y(10 ** p));
    context.lineTo(width - RIGHT, Y(10 ** p));
    context.stroke();
    context.fillStyle = theme.muted;
    context.fillText(p === 0 ? "1" : `10${raised(p)}`, LEFT - 5, Y(10 ** p));
  }
  context.strokeStyle = theme.line;
  context.strokeRect(LEFT, top, width - LEFT - RIGHT, bottom - top);
  cursor(context, X(chosen(model) - 1), top, bottom, theme);
  theory.forEach((row, which) => drawForecast(context, row, X, Y, which ? ORANGE : BLUE, theme));
  const size = Math.max(1.6, Math.min(3.5, (X(1) - X(0)) / 3 || 3.5));
  stds.forEach((row, which) => drawSeries(context, row, X, Y, SERIES[which], size, bottom, theme));
  layerScale(context, width, bottom, depth, theme);
}

function drawForecast(context, row, X, Y, shade, theme) {
  context.strokeStyle = tone(theme, shade);
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  context.beginPath();
  let drawing = false;
  row.forEach((v, i) => {
    const inside = v > 0 && Math.log10(v) >= FLOAT32[0] && Math.log10(v) <= FLOAT32[1];
    if (inside) context[drawing ? "lineTo" : "moveTo"](X(i), Y(v));
    drawing = inside;
  });
  context.stroke();
  context.setLineDash([]);
}

// Marks joined by a thin line; a value of exactly 0 has no logarithm and is crossed on the lower edge.
function drawSeries(context, row, X, Y, [, shade, shape], size, bottom, theme) {
  context.fillStyle = context.strokeStyle = tone(theme, shade);
  context.lineWidth = 1;
  context.beginPath();
  row.forEach((v, i) => v > 0 && Number.isFinite(v) && context.lineTo(X(i), Y(v)));
  context.stroke();
  row.forEach((v, i) => {
    if (v > 0 && Number.isFinite(v)) mark(context, shape, X(i), Y(v), size);
    if (v !== 0) return;
    context.beginPath();
    for (const slope of [-1, 1]) {
      context.moveTo(X(i) - 3, bottom - 4 - 3 * slope);
      context.lineTo(X(i) + 3, bottom - 4 + 3 * slope);
    }
    context.stroke();
  });
}

// Two strips: in each column the histogram of a layer, the deeper the colour the more values.
function drawStrips(model, context, width, height, theme) {
  const { depth, stds } = measured(model);
  const shares = bytes(model.get("strips"));
  const cells = shares.length / 2 / depth;
  const { X } = across(width, depth);
  const each = (height - 34 - 2 * 22) / 2;
  ["activations", "gradients by the activations"].forEach((words, which) => {
    const top = 22 + which * (each + 22);
    caption(context, words, top - 18, theme);
    const strip = stripPicture(shares.subarray(which * depth * cells, (which + 1) * depth * cells), depth, cells, which, theme.dark);
    context.imageSmoothingEnabled = false;
    context.drawImage(strip, LEFT, top, width - LEFT - RIGHT, each);
    lostLayers(context, stds[2 * which], width, top, top + each, theme);
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.strokeRect(LEFT, top, width - LEFT - RIGHT, each);
    stripScale(context, model.get("ends")[which], model.get("activation"), which, top, each, theme);
    cursor(context, X(chosen(model) - 1), top, top + each, theme);
  });
  layerScale(context, width, height - 34, depth, theme);
}

function stripScale(context, [low, high], activation, which, top, tall, theme) {
  const closed = !which && ["sigmoid", "tanh", "step"].includes(activation);
  context.fillStyle = theme.muted;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const at = (v) => top + ((high - v) / (high - low)) * tall;
  context.fillText(`${closed ? "" : "≥ "}${high}`, LEFT - 5, top + 7);
  context.fillText(`${closed || low === 0 ? "" : "≤ "}${trueMinus(String(low))}`, LEFT - 5, top + tall - 7);
  if (low < 0 && high > 0) context.fillText("0", LEFT - 5, at(0));
}

function stripPicture(shares, depth, cells, which, onDark) {
  const picture = document.createElement("canvas");
  [picture.width, picture.height] = [depth, cells];
  const context = picture.getContext("2d");
  const image = context.createImageData(depth, cells);
  for (let l = 0; l < depth; l++) {
    for (let c = 0; c < cells; c++) {
      const [r, g, b] = colour(((which ? -1 : 1) * shares[l * cells + c]) / 255, onDark);
      image.data.set([r, g, b, 255], 4 * ((cells - 1 - c) * depth + l));
    }
  }
  context.putImageData(image, 0, 0);
  return picture;
}

function drawShares(model, context, width, height, theme) {
  const { depth, flat, dead, stds } = measured(model);
  const [top, bottom] = [22, height - 34];
  const { X, step } = across(width, depth);
  const Y = (share) => bottom - share * (bottom - top);
  caption(context, "slopes nearly 0 (pale), units dead (full)", 2, theme);
  lostLayers(context, stds[0], width, top, bottom, theme);
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillStyle = theme.muted;
  for (const share of [0, 0.5, 1]) context.fillText(percent(share), LEFT - 5, Y(share));
  const wide = Math.max(1, step * 0.8);
  flat.forEach((share, i) => {
    if (!Number.isFinite(stds[0][i])) return;
    context.strokeStyle = context.fillStyle = theme.muted;
    context.globalAlpha = 0.35;
    context.fillRect(X(i) - wide / 2, Y(share), wide, bottom - Y(share));
    context.globalAlpha = 1;
    context.fillStyle = theme.text;
    context.fillRect(X(i) - wide / 4, Y(dead[i]), wide / 2, bottom - Y(dead[i]));
  });
  context.strokeStyle = theme.line;
  context.strokeRect(LEFT, top, width - LEFT - RIGHT, bottom - top);
  cursor(context, X(chosen(model) - 1), top, bottom, theme);
  layerScale(context, width, bottom, depth, theme);
}

// The chosen layer's two histograms, each over its own range.
function layerBars(model, which) {
  const depth = model.get("shown_depth");
  const all = floats(model.get("bars"));
  const cells = all.length / 2 / depth;
  const at = which * depth + chosen(model) - 1;
  const [low, high] = doubles(model.get("reaches")).subarray(2 * at, 2 * at + 2);
  return { shares: all.subarray(at * cells, (at + 1) * cells), low, high };
}

function drawLayer(model, context, width, height, theme) {
  const half = width / 2;
  const { stds } = measured(model);
  for (const which of [0, 1]) {
    const { shares, low, high } = layerBars(model, which);
    const [left, right, top, bottom] = [which * half + 8, (which + 1) * half - 8, 22, height - 22];
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = theme.text;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(which ? "its gradients" : "its activations", left, 2);
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.strokeRect(left, top, right - left, bottom - top);
    if (!Number.isFinite(stds[2 * which][chosen(model) - 1])) {
      hatch(context, left, right, top, bottom, theme);
      continue;
    }
    const most = Math.max(...shares) || 1;
    const step = (right - left) / shares.length;
    context.fillStyle = tone(theme, which ? ORANGE : BLUE);
    shares.forEach((s, i) => context.fillRect(left + i * step, bottom - (s / most) * (bottom - top - 4), Math.max(1, step - 1), (s / most) * (bottom - top - 4)));
    context.fillStyle = theme.muted;
    context.fillText(worded(low), left, bottom + 5);
    context.textAlign = "right";
    context.fillText(worded(high), right, bottom + 5);
  }
}

// ------------------------------------------------------------------------------------------------------- the rest

function levelRows(model) {
  const { depth, stds, flat, dead, theory } = measured(model);
  return Array.from({ length: depth }, (_, i) => [
    String(i + 1),
    ...stds.map((row) => worded(row[i])),
    ...[0, 1].map((which) => (theory.length ? worded(theory[which][i]) : "none")),
    percent(flat[i]),
    percent(dead[i]),
  ]);
}

function layerRows(model) {
  const [first, second] = [layerBars(model, 0), layerBars(model, 1)];
  const cell = ({ low, high, shares }, i) => [`${worded(low + ((high - low) * i) / shares.length)} to ${worded(low + ((high - low) * (i + 1)) / shares.length)}`, percent(shares[i], 1)];
  return Array.from(first.shares, (_, i) => [String(i + 1), ...cell(first, i), ...cell(second, i)]);
}

function legend(theory) {
  const key = (shape, words) => node("span", { class: "signal-key" }, node("i", { class: `signal-${shape}` }), words);
  return node("p", { class: "signal-legend" }, ...SERIES.map(([words, , shape]) => key(shape, words)), theory);
}

function knobs(scope, model) {
  const push = paced(scope, model);
  const scale = dial(scope, model, "scale", "Std of normal weights", push, { log: true, step: 0.05, words: (v) => worded(v) });
  const lock = () => (scale.control.disabled = model.get("init") !== "normal");
  scope.on(model, "change:init", lock);
  lock();
  const whole = node(
    "div",
    { class: "dlcore-controls signal-controls" },
    select(scope, model, "activation", "Activation", ACTIVATION_WORDS),
    select(scope, model, "init", "Weights", INIT_WORDS),
    select(scope, model, "normalization", "Normalization", NORM_WORDS),
    dial(scope, model, "depth", "Depth", push, { words: (v) => `${v} layers` }).whole,
    scale.whole,
    dial(scope, model, "bias", "Bias of all units", push, { step: 0.1, words: (v) => trueMinus(v.toFixed(1)) }).whole,
    dial(scope, model, "width", "Width", push, { step: 16, words: (v) => `${v} units` }).whole,
    dial(scope, model, "input_scale", "Std of the inputs", push, { log: true, step: 0.1, words: (v) => worded(v) }).whole,
    button(scope, "New draw", () => ask(model, "draw").catch(() => {})),
  );
  return whole;
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Signal chain");
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  const views = [
    ["Standard deviations of activations and gradients, layer by layer. The table below says the same.", drawLevels, 0.72],
    ["Two strips: the histogram of the activations of each layer, and that of its gradients. Layer tables below.", drawStrips, 0.85],
    ["Share of slopes that are nearly 0 and of dead units, layer by layer. The table below says the same.", drawShares, 0.42],
    ["Histograms of activations and gradients of the chosen layer. The second table below says the same.", drawLayer, 0.34],
  ].map(([words, draw, ratio]) => canvas(scope, words, (...given) => draw(model, ...given), { ratio }));
  const [levels, strips, shares, large] = views;
  const choose = (_, layer) => model.set("layer", layer); // not saved: Python need not know
  const layer = dial(scope, model, "layer", "Layer shown large", choose, { high: () => model.get("shown_depth"), words: () => `${chosen(model)} of ${model.get("shown_depth")}` });
  for (const view of [levels, strips, shares]) {
    view.classList.add("signal-clickable");
    scope.listen(view, "click", (event) => choose("layer", across(view.clientWidth, model.get("shown_depth")).layer(event.offsetX)));
  }
  const word = node("strong");
  const sentence = node("span");
  const verdict = node("p", { class: "signal-verdict" }, word, " ", sentence);
  const theory = node("span", { class: "signal-key" });
  const tables = [
    table(scope, "All layers as a table", ["layer", "std of activations", "between examples", "std of gradients", "forecast, activations", "forecast, gradients", "slopes nearly 0", "dead units"], () => levelRows(model)),
    table(scope, "The chosen layer as a table", ["bar", "activations", "share", "gradients", "share"], () => layerRows(model)),
  ];
  body.append(
    knobs(scope, model),
    verdict,
    node("div", { class: "dlcore-parts signal-parts" }, node("div", {}, levels, legend(theory), shares), node("div", {}, strips, layer.whole, large)),
    ...tables,
  );
  const update = () => {
    word.textContent = `${VERDICT_WORDS[model.get("verdict").word]}.`;
    sentence.textContent = model.get("verdict").sentence;
    verdict.dataset.word = model.get("verdict").word;
    theory.replaceChildren(...(doubles(model.get("theory")).length ? [node("i", { class: "signal-dashes" }), "forecast for a wide chain"] : ["no forecast for batch normalization"]));
    layer.show();
    views.forEach((view) => view.redraw());
    tables.forEach((one) => one.refill());
  };
  whenAny(scope, model, ["levels", "strips", "bars", "reaches", "theory", "shown_depth", "verdict", "layer"], update);
  update();
  return () => scope.end();
}

export default { render };
