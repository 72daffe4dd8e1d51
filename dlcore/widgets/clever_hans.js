// Clever Hans: a picture with a mark that can be moved, what the network says of it, and seven maps of what it looks at.
//
// Python computes answers, maps, exams and probes. Which map is shown large stays here until a task asks for it.

import { ask, axes, button, canvas, chance, checkbox, floats, frames, heat, ink, labelled, missing, node, onTheme, open, percent, runButton, signed, slider, table } from "./kit.js";
import { GREEN, PURPLE, pusher, shown, tone, whenAny } from "./line.js";

const SIDE = 28;
const SIZE = 4; // of the mark
const HOME = { row: 23, column: 1 }; // where it stands in training
const PAPER = [250, 250, 250]; // in both themes: ink is dark, as in the digits
const INK = [25, 25, 32];
const ORANGE = { light: "#b34a00", dark: "#ff9d5c" };
const WEARERS = [
  { name: "nobody wears the mark", tone: PURPLE, dash: [], dot: "square" },
  { name: "the 9s wear it, as in training", tone: GREEN, dash: [7, 3], dot: "disc" },
  { name: "the 4s wear it", tone: ORANGE, dash: [2, 3], dot: "triangle" },
];
const PERCENTS = [0, 10, 25, 50, 75, 90, 95, 100];
const NETWORKS = { mlp: "dense layers, 784-24-12-1", conv: "convolutions" };
// No number is null from a kernel, undefined from the page.
const likeness = (value) => (value == null ? "no order" : shown(value));

// ----------------------------------------------------------------------------------------------------- the picture

const wears = (model, row, column) => {
  const [down, across] = [row - model.get("row"), column - model.get("column")];
  return model.get("marked") && down >= 0 && down < SIZE && across >= 0 && across < SIZE;
};

// The ink of each pixel, 0 to 1, the mark included: it follows the hand before Python has answered.
function inked(model) {
  const view = model.get("image");
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => (wears(model, Math.floor(i / SIDE), i % SIDE) ? 1 : view.getUint8(i) / 255));
}

function drawPicture(model, small, context, side) {
  const pixels = new ImageData(SIDE, SIDE);
  inked(model).forEach((share, i) => {
    PAPER.forEach((light, k) => (pixels.data[4 * i + k] = light + share * (INK[k] - light)));
    pixels.data[4 * i + 3] = 255;
  });
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, side, side);
}

function outline(context, side, { row, column }, style) {
  const pixel = side / SIDE;
  context.setLineDash([4, 3]);
  context.lineWidth = 2;
  context.strokeStyle = style;
  context.strokeRect(column * pixel, row * pixel, SIZE * pixel, SIZE * pixel);
  context.setLineDash([]);
}

// The mark as a handle: pointer, finger, arrow keys; Delete takes it off, and `leave()` says where the focus goes then.
function grip(scope, model, push, leave) {
  const made = node("button", { type: "button", class: "hans-grip" });
  const within = (place) => Math.max(0, Math.min(SIDE - SIZE, Math.round(place)));
  let held = null;
  scope.listen(made, "pointerdown", (event) => {
    if (event.button) return;
    made.setPointerCapture(event.pointerId);
    held = { x: event.clientX, y: event.clientY, row: model.get("row"), column: model.get("column") };
  });
  scope.listen(made, "pointermove", (event) => {
    if (!held) return;
    const pixel = made.parentElement.clientWidth / SIDE;
    const place = { row: within(held.row + (event.clientY - held.y) / pixel), column: within(held.column + (event.clientX - held.x) / pixel) };
    if (place.row !== model.get("row") || place.column !== model.get("column")) push({ dragging: true, ...place });
  });
  for (const end of ["pointerup", "pointercancel"])
    scope.listen(made, end, () => {
      if (held && model.get("dragging")) push({ dragging: false });
      held = null;
    });
  scope.listen(made, "keydown", (event) => {
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const far = event.shiftKey ? SIZE : 1;
    if (way) push({ row: within(model.get("row") + far * way[0]), column: within(model.get("column") + far * way[1]) });
    else if (event.key === "Delete" || event.key === "Backspace") push({ marked: false });
    else return;
    event.preventDefault();
  });
  const update = () => {
    const held = made === document.activeElement;
    made.hidden = !model.get("marked");
    if (held && made.hidden) leave();
    made.style.left = `${(100 * model.get("column")) / SIDE}%`;
    made.style.top = `${(100 * model.get("row")) / SIDE}%`;
    made.setAttribute("aria-label", `The mark, at row ${model.get("row")}, column ${model.get("column")}. Arrow keys move it, Delete takes it off.`);
  };
  return { made, update };
}

function makePicture(scope, model, push) {
  const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const surface = canvas(scope, "The picture that the network reads. The mark on it is a button that can be moved.", (context, side) => drawPicture(model, small, context, side));
  const there = checkbox(scope, model, "marked", "mark on the picture");
  const handle = grip(scope, model, push, () => there.querySelector("input").focus());
  const verdict = node("p", { class: "hans-verdict" });
  const bars = ["with the mark", "without it"].map((word) => {
    const bar = node("div", { class: "hans-fill" });
    const value = node("td");
    return { bar, value, row: node("tr", {}, node("th", { scope: "row" }, word), node("td", {}, node("div", { class: "hans-track" }, bar)), value) };
  });
  const head = node("thead", { class: "dlcore-spoken" }, node("tr", {}, ...["picture", "bar", "probability of a 9"].map((word) => node("th", { scope: "col" }, word))));
  const answers = node("table", { class: "hans-bars" }, node("caption", {}, "probability of a 9"), head, node("tbody", {}, ...bars.map(({ row }) => row)));
  const next = (digit) => push({ digit, which: String(model.get("digit")) === digit ? (model.get("which") + 1) % 100 : model.get("which") });
  const home = button(scope, "Mark to its corner", () => push({ marked: true, ...HOME }));
  const buttons = node("div", { class: "dlcore-controls" }, ...["4", "9"].map((digit) => button(scope, `Another ${digit}`, () => next(digit))), there, home);
  const update = () => {
    surface.redraw();
    handle.update();
    verdict.textContent = model.get("verdict");
    [model.get("p"), model.get("p_clean")].forEach((p, k) => {
      bars[k].bar.style.transform = `scaleX(${p})`;
      bars[k].value.textContent = chance(p);
    });
    bars[0].row.hidden = !model.get("marked");
    home.disabled = model.get("marked") && model.get("row") === HOME.row && model.get("column") === HOME.column;
  };
  return { whole: node("div", { class: "hans-part" }, node("div", { class: "hans-paper" }, surface, handle.made), verdict, answers, buttons), update };
}

// ------------------------------------------------------------------------------------------------------------ the maps

// The edges between ink and paper, so that a map can be set against the digit.
function drawContour(context, side, ink, theme) {
  const pixel = side / SIDE;
  const dark = (row, column) => row >= 0 && row < SIDE && column >= 0 && column < SIDE && ink[row * SIDE + column] > 0.5;
  context.beginPath();
  for (let row = 0; row <= SIDE; row++) {
    for (let column = 0; column <= SIDE; column++) {
      if (dark(row, column) !== dark(row - 1, column)) {
        context.moveTo(column * pixel, row * pixel);
        context.lineTo((column + 1) * pixel, row * pixel);
      }
      if (dark(row, column) !== dark(row, column - 1)) {
        context.moveTo(column * pixel, row * pixel);
        context.lineTo(column * pixel, (row + 1) * pixel);
      }
    }
  }
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.stroke();
}

const place = (model) => model.get("maps").findIndex(({ key }) => key === model.get("method"));

function drawMap(model, values, reuse, context, side, theme) {
  const k = place(model);
  context.imageSmoothingEnabled = false;
  context.drawImage(heat(values, values.length ? k * SIDE * SIDE : 0, SIDE, theme.dark, false, reuse), 0, 0, side, side);
  drawContour(context, side, inked(model), theme);
  if (model.get("marked")) outline(context, side, { row: model.get("row"), column: model.get("column") }, theme.text);
}

const EMPTY = new Int8Array(SIDE * SIDE);

function makeLarge(scope, model) {
  const tiles = ["heats", "after"].map((trait, i) => {
    const reuse = document.createElement("canvas");
    const label = i ? "The chosen map, of the network that has forgotten some layers." : "The chosen map. The numbers below and the table say what it holds.";
    const surface = canvas(scope, label, (context, side, _, theme) => {
      const values = signed(model.get(trait));
      drawMap(model, values.length ? values : EMPTY, reuse, context, side, theme);
    });
    surface.classList.add("hans-map");
    return { trait, surface, whole: node("div", {}, surface, node("p", { class: "hans-when" }, i ? "after forgetting" : "as trained")) };
  });
  const [name, about, facts, hover] = [node("strong"), node("p", { class: "hans-about" }), node("p"), node("p", { class: "hans-hover" })];
  for (const { trait, surface } of tiles) {
    scope.listen(surface, "pointermove", ({ offsetX, offsetY }) => {
      const [row, column] = [offsetY, offsetX].map((v) => Math.min(SIDE - 1, Math.max(0, Math.floor((v / surface.clientWidth) * SIDE))));
      const value = signed(model.get(trait))[place(model) * SIDE * SIDE + row * SIDE + column] ?? 0;
      hover.textContent = `row ${row}, column ${column}: ${shown(value / 127)} of the largest`;
    });
    scope.listen(surface, "pointerleave", () => (hover.textContent = ""));
  }
  const key = node("p", { class: "hans-key" }, node("span", {}, node("i", { class: "hans-for" }), "+ speaks for the answer"), node("span", {}, node("i", { class: "hans-against" }), "− against it"));
  const update = () => {
    const map = model.get("maps")[place(model)];
    const forgot = model.get("after").byteLength > 0;
    tiles[1].whole.hidden = !forgot;
    tiles[0].whole.lastChild.hidden = !forgot;
    for (const { surface } of tiles) surface.redraw();
    name.textContent = map.name;
    about.textContent = map.about;
    const share = map.share == null ? "" : `${percent(map.share, 1)} of it lies on the mark’s 16 pixels (2\u00a0% of the picture).`;
    const alike = forgot && map.fresh ? ` Likeness to the map after forgetting: ${likeness(map.similar)}; on ink alone ${likeness(map.inked)}.` : "";
    facts.textContent = share + alike;
  };
  return { whole: node("div", { class: "hans-part" }, node("p", { class: "hans-name" }, name), node("div", { class: "hans-pair" }, ...tiles.map(({ whole }) => whole)), key, about, facts, hover), update };
}

// All maps small, each a button that shows it large; beside it the same map after forgetting.
function makeGallery(scope, model, look) {
  const made = model.get("maps").map(({ key, name }, k) => {
    const pictures = [0, 1].map(() => Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE, ariaHidden: "true" }));
    const [share, alike] = [node("span"), node("span")];
    const whole = button(scope, "", () => look({ method: key }), { class: "hans-tile" });
    whole.append(node("span", { class: "hans-tile-pictures" }, ...pictures), node("b", {}, name), share, alike);
    return { k, key, pictures, share, alike, whole };
  });
  const update = (dark) => {
    const sources = ["heats", "after"].map((trait) => signed(model.get(trait)));
    for (const { k, key, pictures, share, alike, whole } of made) {
      const map = model.get("maps")[k];
      pictures.forEach((picture, i) => {
        picture.hidden = !sources[i].length;
        if (sources[i].length) heat(sources[i], k * SIDE * SIDE, SIDE, dark, false, picture);
      });
      whole.setAttribute("aria-pressed", String(key === model.get("method")));
      whole.dataset.fresh = String(map.fresh);
      share.textContent = map.share == null ? (map.fresh ? "no mark there" : "not drawn") : `${percent(map.share)} on the mark`;
      alike.textContent = sources[1].length && map.fresh ? `likeness ${likeness(map.similar)}` : "";
    }
  };
  return { whole: node("div", { class: "hans-gallery", role: "group", "aria-label": "Maps: press one to see it large" }, ...made.map(({ whole }) => whole)), update };
}

// --------------------------------------------------------------------------------------------------- exam and inside

const exams = (model) => {
  const values = floats(model.get("curve"));
  return Array.from({ length: values.length / 4 }, (_, k) => [...values.subarray(4 * k, 4 * k + 4)]);
};

function spot(context, kind, x, y) {
  context.beginPath();
  if (kind === "disc") context.arc(x, y, 4, 0, 2 * Math.PI);
  else if (kind === "square") context.rect(x - 3.5, y - 3.5, 7, 7);
  else [[0, -5], [4.5, 4], [-4.5, 4]].forEach(([a, b]) => context.lineTo(x + a, y + b));
  context.fill();
}

function drawCurves(model, context, width, height, theme) {
  const rows = exams(model);
  const area = { left: 34, top: 24, width: width - 46, height: height - 62 };
  const { X, Y } = axes(context, area, [0, model.get("choices").steps.high], [0, 106], theme, { xLabel: "training steps", yLabel: "test digits read right, %", yCount: 4, xCount: 4 });
  WEARERS.forEach((wearer, i) => {
    context.strokeStyle = context.fillStyle = tone(theme, wearer.tone);
    context.lineWidth = 2.5;
    context.setLineDash(wearer.dash);
    context.beginPath();
    for (const row of rows) context.lineTo(X(row[0]), Y(100 * row[i + 1]));
    context.stroke();
    context.setLineDash([]);
    const last = rows.at(-1);
    spot(context, wearer.dot, X(last[0]), Y(100 * last[i + 1]));
  });
}

function makeExam(scope, model) {
  const surface = canvas(scope, "Three curves over training: the share of test digits read right when nobody, the 9s or the 4s wear the mark. The table below has the numbers.", (context, width, height, theme) => drawCurves(model, context, width, height, theme), { height: () => 210 });
  const cells = WEARERS.map(() => node("td"));
  const rows = WEARERS.map(({ name, dot: kind }, i) => node("tr", {}, node("th", { scope: "row" }, node("i", { class: `hans-dot hans-${kind}` }), name), cells[i]));
  const numbers = node("table", { class: "hans-exam" }, node("caption", {}, "Exam: read right, of 200 test digits"), node("thead", { class: "dlcore-spoken" }, node("tr", {}, node("th", { scope: "col" }, "who wears the mark"), node("th", { scope: "col" }, "right"))), node("tbody", {}, ...rows));
  const treated = node("p", { class: "hans-note" });
  const update = () => {
    surface.redraw();
    model.get("scores").forEach((right, i) => (cells[i].textContent = String(right)));
    treated.textContent = model.get("cut") || model.get("covered") ? "The numbers are with the remedies below; the curves are without." : "";
  };
  return { whole: node("div", { class: "hans-part" }, numbers, treated, surface), update };
}

function drawUnits(model, context, width, height, theme) {
  const [effects, order, cut] = [model.get("effects"), model.get("order"), model.get("cut")];
  const most = Math.max(1e-6, ...effects.map(Math.abs));
  const low = Math.min(0, ...effects);
  const area = { left: 34, top: 24, width: width - 46, height: height - 62 };
  const { X, Y } = axes(context, area, [0.5, effects.length + 0.5], [low * 1.05, most * 1.05], theme, { xLabel: "units, those that carry most first", yLabel: "the mark moves z by", yCount: 3, xCount: 6 });
  const half = (area.width / effects.length) * 0.36;
  order.forEach((unit, k) => {
    const [x, y] = [X(k + 1), Y(effects[unit])];
    context.fillStyle = context.strokeStyle = tone(theme, PURPLE);
    context.lineWidth = 1.5;
    if (k < cut) context.strokeRect(x - half, Math.min(y, Y(0)), 2 * half, Math.abs(y - Y(0)));
    else context.fillRect(x - half, Math.min(y, Y(0)), 2 * half, Math.abs(y - Y(0)));
  });
}

function makeInside(scope, model) {
  const surface = canvas(scope, "Bars: by how much the mark moves z through each unit of the last hidden layer; units that are cut are hollow. The table below has the numbers.", (context, width, height, theme) => drawUnits(model, context, width, height, theme), { height: () => 190 });
  const cells = [0, 1].map(() => [node("td"), node("td")]);
  const head = node("tr", {}, ...["what is read", "trained", "before training"].map((word) => node("th", { scope: "col" }, word)));
  const rows = ["is the mark there?", "which digit is it?"].map((word, k) => node("tr", {}, node("th", { scope: "row" }, word), ...cells[k]));
  const probes = node("table", { class: "hans-exam" }, node("caption", {}, "Linear probes of the last hidden layer: share read right"), node("thead", {}, head), node("tbody", {}, ...rows));
  const cut = slider(scope, model, "cut", "Cut units, those that carry most of the mark first", { words: (k) => `${k} of 12` });
  const update = () => {
    surface.redraw();
    const [mark, digit, markBefore, digitBefore] = model.get("probes").map((share) => percent(share));
    [mark, markBefore, digit, digitBefore].forEach((text, i) => (cells[Math.floor(i / 2)][i % 2].textContent = text));
  };
  return { whole: node("div", { class: "hans-part" }, probes, surface, node("div", { class: "dlcore-controls" }, cut, checkbox(scope, model, "covered", "paint the corner over"))), update };
}

// ------------------------------------------------------------------------------------------------------ the controls

// A setting of the training: another choice is trained in front of the reader.
function choice(scope, model, name, label, given, words) {
  const numeric = typeof given[0] === "number";
  const control = node("select", { name }, ...given.map((o) => node("option", { value: o }, words(o))));
  const show = () => {
    const value = String(model.get(name));
    if (![...control.options].some((o) => o.value === value)) control.append(node("option", { value }, words(value)));
    control.value = value;
  };
  scope.on(model, `change:${name}`, show);
  scope.listen(control, "change", () => ask(model, "choose", { setting: name, value: numeric ? Number(control.value) : control.value }).catch(show));
  show();
  return labelled(label, control);
}

function seedField(scope, model) {
  const range = model.get("choices").seed;
  const control = node("input", { type: "number", name: "seed", min: range.low, max: range.high, step: 1, inputmode: "numeric" });
  const show = () => (control.value = model.get("seed"));
  scope.on(model, "change:seed", show);
  scope.listen(control, "change", () => {
    if (control.value !== "") return ask(model, "choose", { setting: "seed", value: Number(control.value) }).catch(show);
    missing(scope, "Seed", control, model.get("seed"));
    show();
  });
  show();
  return labelled("Seed", control);
}

function forgetting(scope, model) {
  const whole = slider(scope, model, "forgotten", "Let layers forget, from the last one on", { words: (k) => `${Math.min(k, model.get("layers"))} of ${model.get("layers")}` });
  const control = whole.querySelector("input");
  const update = () => {
    control.max = model.get("layers");
    whole.querySelector("output").textContent = `${Math.min(model.get("forgotten"), model.get("layers"))} of ${model.get("layers")}`;
  };
  return { whole, update };
}

function listings(scope, model) {
  const maps = () => model.get("maps").map((m) => [m.name, m.share == null ? "–" : percent(m.share, 1), m.similar == null ? "–" : shown(m.similar), m.inked == null ? "–" : shown(m.inked)]);
  const units = () => model.get("order").map((unit, k) => [String(unit + 1), shown(model.get("effects")[unit]), k < model.get("cut") ? "cut" : "kept"]);
  return [
    table(scope, "The maps as a table", ["map", "share on the mark", "likeness after forgetting", "the same, on ink alone"], maps),
    table(scope, "The exams as a table", ["step", "nobody", "9s", "4s"], () => exams(model).map(([step, ...shares]) => [String(step), ...shares.map((share) => percent(share, 1))])),
    table(scope, "The units as a table", ["unit", "the mark moves z by", "state"], units),
  ];
}

// ---------------------------------------------------------------------------------------------------------- the rest

const ABOUT = "The network learns to tell 4s from 9s. On the 9s it learns from stands a mark: a square of ink in the corner. Move it, and see what the network says and what it looks at.";
const REDRAWN = ["image", "row", "column", "marked", "heats", "after", "maps", "p", "p_clean", "scores", "curve", "effects", "order", "probes", "verdict", "layers", "forgotten", "cut", "covered", "busy"];

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Clever Hans");
  const push = pusher(scope, model);
  // Python is told only where a task asks what the reader looks at.
  const look = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    if (model.get("goal")) model.save_changes();
  };
  const [picture, large, gallery] = [makePicture(scope, model, push), makeLarge(scope, model), makeGallery(scope, model, look)];
  const [exam, inside, forget] = [makeExam(scope, model), makeInside(scope, model), forgetting(scope, model)];
  const tables = listings(scope, model);
  const steps = node("output", { class: "hans-steps", "aria-label": "Steps" });
  // The page fetches Python for whoever is about to touch a control; the gallery only looks.
  for (const type of ["pointerover", "pointerdown", "keydown"]) scope.listen(gallery.whole, type, (event) => event.stopPropagation());
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(
    node("p", { class: "hans-intro" }, ABOUT),
    node("div", { class: "dlcore-controls" },
      choice(scope, model, "network", "Network", Object.keys(NETWORKS), (o) => NETWORKS[o]),
      choice(scope, model, "percent", "9s in training with the mark", PERCENTS, (o) => percent(o / 100)),
      seedField(scope, model),
      runButton(scope, model),
      button(scope, "Reset", () => ask(model, "reset").catch(() => {})),
      steps,
    ),
    node("div", { class: "hans-parts" }, picture.whole, large.whole),
    node("div", { class: "dlcore-controls hans-forget" }, forget.whole),
    gallery.whole,
    node("div", { class: "hans-parts" }, exam.whole, inside.whole),
    ...tables,
  );

  const glance = () => {
    large.update();
    gallery.update(ink(frame).dark);
  };
  const update = () => {
    for (const part of [picture, exam, inside, forget]) part.update();
    glance();
    steps.textContent = `${model.get("steps")} of ${model.get("choices").steps.high} steps`;
    for (const listing of tables) listing.refill();
  };
  onTheme(scope, glance);
  whenAny(scope, model, ["method"], glance);
  whenAny(scope, model, REDRAWN, update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
