// Ski-slope race: four optimizers on a surface of two weights. Each has a dash and a marker of its own.

import { ask, button, canvas, decades, floats, frames, ink, labelled, node, number, onTheme, open, runButton, select, slider, table, ticks } from "./kit.js";
import { GREEN, PURPLE, plane, pusher, scales, shown, tall, tone, whenAny } from "./line.js";

const REACH = 3;
const BANDS = 14;
const ORANGE = { light: "#b84f00", dark: "#ff9f5a" };
const BLUE = { light: "#0067a5", dark: "#62b4e8" };
const RUNNERS = [
  { name: "sgd", words: "SGD", colour: ORANGE, dash: [], shape: "square" },
  { name: "momentum", words: "Momentum", colour: BLUE, dash: [9, 4], shape: "disc" },
  { name: "rmsprop", words: "RMSProp", colour: GREEN, dash: [9, 3, 2, 3], shape: "triangle" },
  { name: "adam", words: "Adam", colour: PURPLE, dash: [2, 3], shape: "diamond" },
];
const SURFACES = { quadratic: "quadratic: a linear neuron", neuron: "a logistic neuron", two_layers: "two layers, one unit each" };
const BATCHES = { all: "all 64 examples", 16: "16 examples", 4: "4 examples", 1: "1 example" };
const spoken = (value) => (value === null || !Number.isFinite(value) ? "beyond all numbers" : Number(value.toPrecision(3)).toString().replace("-", "−"));

// The places and losses of each runner.
function courses(model) {
  const count = model.get("done") + 1;
  const [paths, losses] = [floats(model.get("paths")), floats(model.get("losses"))];
  return RUNNERS.map((runner, k) => ({
    ...runner,
    places: Array.from({ length: count }, (_, i) => [paths[2 * (k * count + i)], paths[2 * (k * count + i) + 1]]),
    losses: losses.subarray(k * count, (k + 1) * count),
  }));
}

// ------------------------------------------------------------------------------------------------------ the surface

const mixed = (a, b, share) => a.map((v, i) => Math.round(v + share * (b[i] - v)));

// The map of heights as bands with a line between them, in the pixels of the screen.
function relief(levels, size, dark) {
  const side = Math.round(Math.sqrt(levels.length));
  const picture = document.createElement("canvas");
  picture.width = picture.height = size;
  const context = picture.getContext("2d");
  const image = context.createImageData(size, size);
  const bands = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) bands[y * size + x] = Math.floor((height(levels, side, (x / (size - 1)) * (side - 1), (y / (size - 1)) * (side - 1)) * BANDS) / 255.001);
  }
  const [low, high, line] = dark ? [[24, 26, 32], [84, 92, 108], [128, 138, 156]] : [[255, 255, 255], [196, 205, 218], [140, 150, 166]];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const here = bands[y * size + x];
      const edge = (x + 1 < size && bands[y * size + x + 1] !== here) || (y + 1 < size && bands[(y + 1) * size + x] !== here);
      image.data.set([...(edge ? line : mixed(low, high, here / (BANDS - 1))), 255], 4 * (y * size + x));
    }
  }
  context.putImageData(image, 0, 0);
  return picture;
}

function height(levels, side, x, y) {
  const [i, j] = [Math.min(side - 2, Math.floor(x)), Math.min(side - 2, Math.floor(y))];
  const [u, v] = [x - i, y - j];
  const at = (a, b) => levels[b * side + a];
  return (1 - v) * ((1 - u) * at(i, j) + u * at(i + 1, j)) + v * ((1 - u) * at(i, j + 1) + u * at(i + 1, j + 1));
}

function mark(context, shape, x, y, size) {
  context.beginPath();
  if (shape === "disc") context.arc(x, y, size, 0, 2 * Math.PI);
  else if (shape === "square") context.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  else {
    const corners = shape === "triangle" ? [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]] : [[0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]];
    for (const [dx, dy] of corners) context.lineTo(x + size * dx, y + size * dy);
    context.closePath();
  }
  context.fill();
}

function drawPath(context, place, theme, { places, colour, dash, shape }) {
  const [X, Y] = [(w) => place.X(Math.max(-60, Math.min(60, w))), (w) => place.Y(Math.max(-60, Math.min(60, w)))];
  for (const [width, style] of [[5, theme.paper], [2.2, tone(theme, colour)]]) {
    context.beginPath();
    places.forEach(([a, b]) => context.lineTo(X(a), Y(b)));
    context.setLineDash(width > 3 ? [] : dash);
    context.globalAlpha = width > 3 ? 0.55 : 1;
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
  context.setLineDash([]);
  const every = Math.max(1, Math.floor((places.length - 1) / 8));
  places.forEach(([a, b], i) => {
    const last = i === places.length - 1;
    if (!i || (i % every && !last)) return;
    for (const [size, style] of [[last ? 7.5 : 4.5, theme.paper], [last ? 6 : 3.2, tone(theme, colour)]]) {
      context.fillStyle = style;
      mark(context, shape, X(a), Y(b), size);
    }
  });
}

function cross(context, x, y, theme, colour, turned) {
  const ways = turned ? [[1, 1], [1, -1]] : [[1, 0], [0, 1]];
  for (const [width, style] of [[6, theme.paper], [2.6, colour]]) {
    context.beginPath();
    for (const [dx, dy] of ways) {
      context.moveTo(x - 7 * dx, y - 7 * dy);
      context.lineTo(x + 7 * dx, y + 7 * dy);
    }
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
}

function drawSurface(model, place, context, theme, kept) {
  const { left, top, width } = place.area;
  const size = Math.round(width * (window.devicePixelRatio || 1));
  const levels = model.get("levels");
  if (kept.levels !== levels || kept.size !== size || kept.dark !== theme.dark) {
    const bytes = new Uint8Array(levels.buffer, levels.byteOffset, levels.byteLength);
    Object.assign(kept, { levels, size, dark: theme.dark, picture: relief(bytes, size, theme.dark) });
  }
  context.drawImage(kept.picture, left, top, width, width);
  scales(context, place, theme, ["w₁", "w₂"]);
  context.save();
  context.beginPath();
  context.rect(left, top, width, width);
  context.clip();
  for (const [a, b] of model.get("bottoms")) cross(context, place.X(a), place.Y(b), theme, theme.text, false);
  for (const course of courses(model)) if (course.places.length > 1) drawPath(context, place, theme, course);
  context.restore();
  const [sx, sy] = model.get("start");
  for (const [size, style] of [[9, theme.paper], [7, theme.text], [4, theme.paper]]) {
    context.beginPath();
    context.arc(place.X(sx), place.Y(sy), size, 0, 2 * Math.PI);
    context.fillStyle = style;
    context.fill();
  }
  const guess = model.get("guess");
  if (guess.length) cross(context, place.X(guess[0]), place.Y(guess[1]), theme, theme.accent, true);
}

// --------------------------------------------------------------------------------------------------------- the losses

function drawLosses(model, context, width, height, theme) {
  const area = { left: 46, top: 20, width: width - 60, height: height - 58 };
  const all = courses(model);
  const logs = (v) => Math.log10(Math.max(v, 1e-12));
  const seen = all.flatMap(({ losses }) => [...losses]).filter((v) => v > 0 && Number.isFinite(v) && v < 1e6).map(logs);
  let [low, high] = [Math.min(...seen), Math.max(...seen)];
  if (!(high - low > 0.3)) [low, high] = [low - 0.15, low + 0.15];
  const steps = model.get("steps");
  const X = (i) => area.left + (i / steps) * area.width;
  const Y = (v) => area.top + ((high - Math.min(high + 1, logs(v))) / (high - low)) * area.height;
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.muted;
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const v of decades(10 ** low, 10 ** high)) {
    context.fillText(spoken(v), area.left - 5, Y(v));
    context.beginPath();
    context.moveTo(area.left, Y(v));
    context.lineTo(area.left + area.width, Y(v));
    context.stroke();
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const t of ticks(0, steps, Math.max(2, area.width / 80))) context.fillText(String(t), X(t), area.top + area.height + 4);
  context.fillText("step", area.left + area.width / 2, area.top + area.height + 19);
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText("loss on all examples (logarithmic)", 2, area.top - 4);
  context.strokeRect(area.left, area.top, area.width, area.height);
  context.save();
  context.beginPath();
  context.rect(area.left, area.top - 2, area.width, area.height + 4);
  context.clip();
  for (const { losses, colour, dash, shape } of all) {
    context.strokeStyle = context.fillStyle = tone(theme, colour);
    context.lineWidth = 2;
    context.setLineDash(dash);
    context.beginPath();
    losses.forEach((v, i) => context.lineTo(X(i), Y(v)));
    context.stroke();
    context.setLineDash([]);
    const last = losses.length - 1;
    if (last) mark(context, shape, X(last), Y(losses[last]), 4);
  }
  context.restore();
}

// ---------------------------------------------------------------------------------------------------- taking hold

const SPOTS = {
  start: "The start: drag it, or move it with the arrow keys",
  guess: "Your prediction: drag it, or move it with the arrow keys",
};

// Two handles over the picture, and a click that places what the choice above says.
function handles(scope, model, host, place, push, redraw) {
  let held = null;
  const spots = {};
  const within = (v) => Number(Math.max(-REACH, Math.min(REACH, v)).toFixed(2));
  const put = (name, [a, b]) => {
    push({ [name]: [within(a), within(b)] });
    redraw();
  };
  const pointed = (event) => {
    const box = host.getBoundingClientRect();
    return place().at(event.clientX - box.left, event.clientY - box.top);
  };
  for (const [name, words] of Object.entries(SPOTS)) {
    const spot = node("button", { type: "button", class: "dlcore-grip", "data-spot": name });
    spots[name] = spot;
    host.append(spot);
    scope.listen(spot, "pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      spot.focus({ preventScroll: true });
      spot.setPointerCapture(event.pointerId);
      held = name;
    });
    scope.listen(spot, "click", (event) => event.stopPropagation());
    scope.listen(spot, "pointermove", (event) => held === name && put(name, pointed(event)));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) scope.listen(spot, end, () => (held = null));
    scope.listen(spot, "keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const step = event.shiftKey ? 0.5 : 0.1;
      const [a, b] = model.get(name);
      put(name, [a + step * way[0], b + step * way[1]]);
    });
    spot.dataset.words = words;
  }
  const update = () => {
    for (const [name, spot] of Object.entries(spots)) {
      const at = model.get(name);
      spot.hidden = !at.length;
      if (!at.length) continue;
      spot.style.left = `${place().X(at[0])}px`;
      spot.style.top = `${place().Y(at[1])}px`;
      spot.setAttribute("aria-label", `${spot.dataset.words}. Now at w₁ ${shown(at[0])}, w₂ ${shown(at[1])}`);
    }
  };
  return { update, put, pointed };
}

// ----------------------------------------------------------------------------------------------------- controls, words

// A slider of equal factors.
function rate(scope, model, name, label, push) {
  const control = node("input", { type: "range", name, min: -3, max: 1, step: 0.02 });
  const value = node("output");
  const tell = (v) => {
    value.textContent = spoken(v);
    control.setAttribute("aria-valuetext", value.textContent);
  };
  const show = () => {
    control.value = Math.log10(model.get(name));
    tell(model.get(name));
  };
  scope.listen(control, "input", () => {
    const v = Number((10 ** Number(control.value)).toPrecision(3));
    tell(v);
    push({ [name]: Math.min(10, Math.max(0.001, v)) });
  });
  scope.on(model, `change:${name}`, show);
  show();
  return labelled(label, control, value);
}

function legend() {
  const svg = "http://www.w3.org/2000/svg";
  const keys = RUNNERS.map(({ name, words, dash, shape }) => {
    const line = document.createElementNS(svg, "svg");
    line.setAttribute("viewBox", "0 0 34 10");
    line.setAttribute("class", `ski-key-${name}`);
    line.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(svg, "path");
    path.setAttribute("d", "M0 5H34");
    path.setAttribute("stroke-dasharray", dash.join(" "));
    const dot = document.createElementNS(svg, "path");
    dot.setAttribute("d", { square: "M13 1h8v8h-8z", disc: "M17 1a4 4 0 1 0 .01 0z", triangle: "M17 0l5 9h-10z", diamond: "M17 0l5 5-5 5-5-5z" }[shape]);
    dot.setAttribute("class", "ski-dot");
    line.append(path, dot);
    return node("span", { class: "ski-key" }, line, words);
  });
  return node("p", { class: "ski-legend" }, ...keys, node("span", { class: "ski-key" }, "+ lowest place"), node("span", { class: "ski-key" }, "× your prediction"));
}

// No number is null from a kernel, undefined from the page.
const number3 = (v) => (v == null ? "–" : spoken(v));
const resultRows = (model) =>
  model.get("results").map((row) => [RUNNERS.find(({ name }) => name === row.name).words, row.place.map(shown).join(", "), spoken(row.loss), number3(row.curvature), number3(row.limit), row.word]);

function lossRows(model) {
  const all = courses(model);
  const count = all[0].losses.length;
  const stride = Math.max(1, Math.ceil(count / 40));
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => i % stride === 0 || i === count - 1)
    .map((i) => [String(i), ...all.map(({ losses }) => spoken(losses[i]))]);
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Ski-slope race");
  const push = pusher(scope, model);
  const kept = {};
  let place = plane(320, -REACH, REACH);
  const host = node("div", { class: "ski-plane" });
  const surface = canvas(
    scope,
    "The surface of the loss over two weights, with the paths of the four optimizers. The table of runners below says where each is.",
    (context, width, _, theme) => {
      place = plane(width, -REACH, REACH);
      drawSurface(model, place, context, theme, kept);
      grips.update();
    },
    { height: tall },
  );
  const curves = canvas(scope, "The loss of each optimizer after each step. The table of losses below says the same in numbers.", (context, width, tallness, theme) => drawLosses(model, context, width, tallness, theme), { height: () => 230 });
  host.append(surface);
  const grips = handles(scope, model, host, () => place, push, () => surface.redraw());
  const aim = node("select", {}, node("option", { value: "start" }, "the start"), node("option", { value: "guess" }, "my prediction of the end"));
  scope.listen(surface, "click", (event) => {
    const at = grips.pointed(event);
    if (at.every((v) => Math.abs(v) <= REACH)) grips.put(aim.value, at);
  });
  // By keyboard a prediction begins in the middle and is moved from there.
  scope.listen(aim, "change", () => aim.value === "guess" && !model.get("guess").length && grips.put("guess", [0, 0]));

  const act = (name) => () => ask(model, name).catch(() => {});
  const texts = ["verdict", "judged"].map((name) => ({ name, part: node("p", { class: `ski-${name}` }) }));
  const shape = [slider(scope, model, "condition", "Condition of the valley", { words: (v) => String(v) }), slider(scope, model, "tilt", "Tilt of the valley", { words: (v) => `${v}°` })];
  const places = table(scope, "The runners as a table", ["runner", "w₁, w₂", "loss", "λ there", "2/λ there", "state"], () => resultRows(model));
  const listing = table(scope, "The losses as a table", ["step", ...RUNNERS.map(({ words }) => words)], () => lossRows(model));
  const words = Object.fromEntries(RUNNERS.map(({ name, words: said }) => [name, said]));
  const states = node("ul", { class: "ski-states" });
  body.append(
    node("div", { class: "dlcore-controls" }, select(scope, model, "surface", "Surface", SURFACES), ...shape, select(scope, model, "batch", "Each step sees", BATCHES)),
    node(
      "div",
      { class: "dlcore-parts" },
      node("div", { class: "ski-left" }, node("div", { class: "dlcore-controls" }, labelled("A click on the picture sets", aim), select(scope, model, "whom", "Prediction is for", words)), host, legend()),
      node(
        "div",
        { class: "ski-right" },
        node(
          "div",
          { class: "dlcore-controls" },
          rate(scope, model, "learning_rate", "Rate of SGD and momentum", push),
          rate(scope, model, "adaptive_rate", "Rate of RMSProp and Adam", push),
          slider(scope, model, "momentum", "Momentum", { step: 0.01, words: shown }),
          number(scope, model, "steps", "Steps", { step: 10 }),
        ),
        node("div", { class: "dlcore-controls ski-go", role: "group", "aria-label": "The race" }, runButton(scope, model), button(scope, "Step", act("step")), button(scope, "All steps", act("finish")), button(scope, "Back to the start", act("reset"))),
        node("div", { class: "ski-texts" }, ...texts.map(({ part }) => part), states),
        curves,
      ),
    ),
    places,
    listing,
  );
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  const paint = () => {
    const theme = ink(frame);
    for (const { name, colour } of RUNNERS) frame.style.setProperty(`--ski-${name}`, tone(theme, colour));
  };
  const update = () => {
    surface.redraw();
    curves.redraw();
    for (const one of shape) one.hidden = model.get("surface") !== "quadratic";
    for (const { name, part } of texts) part.textContent = model.get(name).replaceAll("2/λ", "2/\u2060λ"); // on one line
    states.replaceChildren(...model.get("results").map((row) => node("li", {}, `${words[row.name]}: ${row.word}, loss ${spoken(row.loss)}`)));
    places.refill();
    listing.refill();
  };
  onTheme(scope, paint);
  paint();
  whenAny(scope, model, ["levels", "bottoms", "paths", "losses", "results", "verdict", "judged", "start", "guess", "surface", "steps"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
