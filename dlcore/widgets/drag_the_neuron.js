// Drag the neuron: a diagram and a plane that show the same neuron. What is moved in one moves in the other.

import { ask, button, canvas, checkbox, colour, css, floats, heat, labelled, marker, missing, node, open, select, set, signed, table } from "./kit.js";
import { GREEN, arrow, border, chord, grips, plane, pusher, rounded, scales, segment, shown, tag, tall, tidy, tone, whenAny } from "./line.js";

const TARGET_WORDS = {
  none: "none, just play",
  origin: "1: through the origin",
  chapter: "2: the line of the chapter",
  flipped: "3: the other side",
  steeper: "4: surer",
};
const ACTIVATION_WORDS = { step: "step", sigmoid: "sigmoid σ", tanh: "tanh", relu: "ReLU", identity: "identity" };
const WEIGHTS = [
  ["w1", "w₁", "Weight w1, of x1", 5],
  ["w2", "w₂", "Weight w2, of x2", 5],
  ["b", "b", "Bias b", 10],
];
const EDGE = "rgb(255 255 255 / 0.85)";
const line = (model) => [model.get("w1"), model.get("w2"), model.get("b")];

// A field for a trait's number; `reach` adds a slider under it.
function field(scope, model, push, name, words, reach = 0) {
  const range = model.get("choices")[name];
  const box = node("input", { type: "number", name, min: range.low, max: range.high, step: 0.1, inputmode: "decimal", "aria-label": words });
  const bar = reach && node("input", { type: "range", min: -reach, max: reach, step: 0.05, "aria-label": `${words}, slider` });
  const show = () => {
    if (document.activeElement !== box || Number(box.value) !== model.get(name)) box.value = tidy(model.get(name));
    if (bar) bar.value = model.get(name);
  };
  scope.listen(box, "change", () => {
    if (box.value !== "") return set(model, name, Number(box.value));
    missing(scope, words, box, tidy(model.get(name)));
    show();
  });
  if (bar) scope.listen(bar, "input", () => push({ [name]: Number(bar.value) }));
  scope.on(model, `change:${name}`, show);
  show();
  return { box, bar };
}

// ---------------------------------------------------------------------------------------------------- the diagram

function diagram(scope, model, push) {
  const links = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  links.setAttribute("aria-hidden", "true");
  links.setAttribute("class", "neuron-links");
  const inputs = ["x1", "x2"].map((name) => {
    const { box } = field(scope, model, push, name, `Input ${name} of the chosen point`);
    return node("div", { class: "neuron-input" }, node("span", { "aria-hidden": "true" }, name === "x1" ? "x₁" : "x₂"), box);
  });
  inputs.push(node("div", { class: "neuron-input neuron-one", title: "The bias is the weight of an input that is always 1" }, "1"));
  const fields = {};
  const weights = WEIGHTS.map(([name, symbol, words, reach]) => {
    const { box, bar } = (fields[name] = field(scope, model, push, name, words, reach));
    return node("div", { class: "neuron-weight" }, node("span", { "aria-hidden": "true" }, symbol), box, bar);
  });
  const sum = node("output", {}, "");
  const answer = node("output", {}, "");
  const curve = canvas(scope, "The activation function, and where on it the chosen point is", (...given) => drawCurve(model, ...given), { ratio: 0.62 });
  const body = node(
    "div",
    { class: "neuron-cell" },
    node("div", {}, node("span", { class: "neuron-symbol" }, "z = "), sum),
    curve,
    node("div", { class: "neuron-answer" }, node("span", { class: "neuron-symbol" }, "ŷ "), answer),
  );
  const whole = node("div", { class: "neuron-diagram", role: "group", "aria-label": "The neuron: inputs, weights, sum and output" }, links, ...inputs, ...weights, body);

  const update = () => {
    sum.textContent = shown(model.get("z"));
    answer.textContent = model.get("formula")[2].split(") ").at(-1);
    for (const control of [fields.b.box, fields.b.bar]) control.disabled = model.get("no_bias");
    curve.redraw();
    drawLinks(links, model, whole, inputs, weights, body);
  };
  scope.observe(new ResizeObserver(update), [whole]);
  return { whole, update };
}

// From each input through its weight into the cell: as broad as the weight is large, dashed where it is negative.
function drawLinks(links, model, whole, inputs, weights, body) {
  const right = (part) => [part.offsetLeft + part.offsetWidth, part.offsetTop + part.offsetHeight / 2];
  const left = (part) => [part.offsetLeft, part.offsetTop + part.offsetHeight / 2];
  links.setAttribute("viewBox", `0 0 ${whole.clientWidth} ${whole.clientHeight}`);
  const goal = left(body);
  const paths = line(model).map((value, i) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const [a, b, c, d] = [right(inputs[i]), left(weights[i]), right(weights[i]), [goal[0], goal[1] + 14 * (i - 1)]];
    const bend = (c[0] + d[0]) / 2;
    path.setAttribute("d", `M${a} L${b} M${c} C${bend},${c[1]} ${bend},${d[1]} ${d}`);
    path.setAttribute("stroke", css(colour(value < 0 ? -1 : 1)));
    path.setAttribute("stroke-width", value ? Math.min(9, 1 + 1.5 * Math.abs(value)) : 0);
    path.setAttribute("stroke-dasharray", value < 0 ? "6 3" : "none");
    return path;
  });
  links.replaceChildren(...paths);
}

function drawCurve(model, context, width, height, theme) {
  const values = floats(model.get("curve"));
  const reach = model.get("reach");
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const X = (z) => 4 + ((Math.max(-reach, Math.min(reach, z)) + reach) / (2 * reach)) * (width - 8);
  const Y = (y) => height - 6 - ((Math.max(low, Math.min(high, y)) - low) / (high - low)) * (height - 12);
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(X(0), 2);
  context.lineTo(X(0), height - 2);
  context.moveTo(2, Y(0));
  context.lineTo(width - 2, Y(0));
  context.stroke();
  context.strokeStyle = theme.text;
  context.lineWidth = 2;
  context.beginPath();
  values.forEach((y, i) => context.lineTo(X(-reach + (2 * reach * i) / (values.length - 1)), Y(y)));
  context.stroke();
  context.beginPath();
  context.arc(X(model.get("z")), Y(model.get("output")), 4.5, 0, 2 * Math.PI);
  context.fillStyle = theme.accent;
  context.fill();
  context.strokeStyle = theme.paper;
  context.stroke();
}

// ------------------------------------------------------------------------------------------------------ the plane

function drawPlane(model, place, base, context, theme, store) {
  const { area } = place;
  const shades = signed(model.get("shades"));
  store.heat = heat(shades, 0, model.get("side"), theme.dark, false, store.heat);
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  context.globalAlpha = 0.55;
  context.drawImage(store.heat, area.left, area.top, area.width, area.height);
  context.globalAlpha = 1;
  const points = floats(model.get("points"));
  const size = area.width < 330 ? 2.8 : 3.4;
  for (let i = 0; i < points.length; i += 3) marker(context, place.X(points[i]), place.Y(points[i + 1]), points[i + 2], size, EDGE);
  context.restore();
  drawGoal(model, place, context, theme);
  drawOwn(model, place, base, context, theme);
  drawChosen(model, place, context, theme);
  scales(context, place, theme);
}

// The target: its border dashed, and where |w| counts also the strip in which it is unsure.
function drawGoal(model, place, context, theme) {
  const aim = model.get("aim");
  if (!aim.length) return;
  const look = { colour: theme.text, width: 2, dash: [7, 5] };
  border(context, place, theme, aim, look);
  if (aim[3]) for (const [level] of model.get("levels")) border(context, place, theme, aim, { ...look, width: 1.2, dash: [2, 4], plain: true }, level);
  const length = Math.hypot(aim[0], aim[1]);
  const foot = [(-aim[2] * aim[0]) / length ** 2, (-aim[2] * aim[1]) / length ** 2];
  const tip = aim[3] ? [foot[0] + aim[0], foot[1] + aim[1]] : [foot[0] + aim[0] / length, foot[1] + aim[1] / length];
  arrow(context, place, theme, foot, tip, { colour: theme.text, width: 1.5 });
}

function drawOwn(model, place, base, context, theme) {
  const own = line(model);
  const shade = tone(theme, GREEN);
  border(context, place, theme, own, { colour: shade, width: 2.5 });
  model.get("levels").forEach(([level, words], i) => {
    border(context, place, theme, own, { colour: shade, width: 1.2, dash: [5, 4], plain: true }, level);
    const [from, to] = chord(own, place, level) ?? [];
    const share = i % 2 ? 0.93 : 0.07; // at either end, since steep ones lie on each other
    if (from) tag(context, theme, words, place.X(to[0] * share + from[0] * (1 - share)), place.Y(to[1] * share + from[1] * (1 - share)), shade);
  });
  if (base) arrow(context, place, theme, base, [base[0] + own[0], base[1] + own[1]], { colour: shade, word: "w" });
}

// The chosen point, and its distance from the border once Python has said where that ends.
function drawChosen(model, place, context, theme) {
  const [x, y] = [model.get("x1"), model.get("x2")];
  const [w1, w2, b, ...foot] = model.get("foot");
  const fresh = [w1, w2, b].every((value, i) => value === line(model)[i]) && model.get("chosen").every((v, i) => v === [x, y][i]);
  if (foot.length && fresh) segment(context, place, theme, [[x, y], foot], { colour: theme.text, width: 1, dash: [3, 3] });
  context.beginPath();
  context.arc(place.X(x), place.Y(y), 7, 0, 2 * Math.PI);
  context.lineWidth = 4.5;
  context.strokeStyle = theme.paper;
  context.stroke();
  context.lineWidth = 2;
  context.strokeStyle = theme.text;
  context.stroke();
  tag(context, theme, "x", place.X(x) + 14, place.Y(y) - 10, theme.text);
}

function picture(scope, model, push) {
  const store = {};
  const reach = model.get("reach");
  let place = plane(300, -reach, reach);
  const host = node("div", { class: "neuron-plane" });
  const handles = grips(scope, host, "the border", {
    colours: GREEN,
    read: () => line(model),
    locked: () => model.get("no_bias"),
    place: () => place,
    move: (moved) => push(Object.fromEntries(["w1", "w2", "b"].map((name, i) => [name, rounded(model, name, moved[i])]))),
  });
  const surface = canvas(scope, "The plane of the two inputs: points, border, and the neuron's output as colour. The tables below say the same.", (context, width, height, theme) => {
    place = plane(width, -reach, reach);
    drawPlane(model, place, handles.base(), context, theme, store);
    handles.update(theme);
  }, { height: tall });
  host.prepend(surface);
  scope.listen(surface, "click", (event) => {
    const [x, y] = nearest(model, place, event.offsetX, event.offsetY);
    push({ x1: x, x2: y });
  });
  return { host, surface };
}

// What was clicked: a point of the data if one is near, else the place itself.
function nearest(model, place, px, py) {
  const points = floats(model.get("points"));
  let [best, least] = [place.clamp(place.at(px, py)).map(tidy), 12];
  for (let i = 0; i < points.length; i += 3) {
    const away = Math.hypot(place.X(points[i]) - px, place.Y(points[i + 1]) - py);
    if (away < least) [best, least] = [[points[i], points[i + 1]], away];
  }
  return best;
}

function legend(scope, model) {
  const [low, high] = [node("span"), node("span")];
  const update = () => {
    const [a, b] = model.get("ends");
    low.textContent = `ŷ ${a === -5 ? "≤ −5" : `= ${String(a).replace("-", "−")}`}`;
    high.textContent = `${b === 5 ? "≥ " : ""}${b}`;
  };
  const whole = node(
    "p",
    { class: "neuron-legend" },
    node("span", { class: "neuron-key" }, node("i", { class: "neuron-square" }), "class −1"),
    node("span", { class: "neuron-key" }, node("i", { class: "neuron-disc" }), "class +1"),
    node("span", { class: "neuron-key" }, low, node("i", { class: "neuron-ramp" }), high),
  );
  return { whole, update };
}

// --------------------------------------------------------------------------------------------------------- the rest

// The targets, with a tick for those that were hit. A target comes with a place to start from.
function targets(scope, model) {
  const control = node("select", { name: "target" }, ...model.get("choices").target.options.map((name) => node("option", { value: name })));
  const show = () => {
    for (const option of control.options) option.textContent = `${TARGET_WORDS[option.value]}${model.get("hits").includes(option.value) ? " ✓" : ""}`;
    control.value = model.get("target");
  };
  scope.listen(control, "change", () => ask(model, "choose", { target: control.value }).catch(show));
  scope.on(model, "change:target", show);
  scope.on(model, "change:hits", show);
  show();
  return labelled("Hit this target", control);
}

function rows(model) {
  const [points, answers] = [floats(model.get("points")), floats(model.get("answers"))];
  return Array.from({ length: points.length / 3 }, (_, i) => {
    const [x1, x2, label] = points.subarray(3 * i, 3 * i + 3);
    const [z, y] = answers.subarray(2 * i, 2 * i + 2);
    return [String(i + 1), shown(x1), shown(x2), label < 0 ? "−1" : "+1", shown(z), shown(y), label * z > 0 ? "right" : "wrong"];
  });
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Drag the neuron");
  const push = pusher(scope, model);
  const drawing = diagram(scope, model, push);
  const { host, surface } = picture(scope, model, push);
  const key = legend(scope, model);
  const formula = [node("p"), node("p"), node("p")];
  const score = node("p", { class: "neuron-score" });
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  const verdict = node("p", { class: "neuron-advice" });
  const listing = table(scope, "The points as a table", ["point", "x₁", "x₂", "class", "z", "ŷ", "side"], () => rows(model));
  const controls = node(
    "div",
    { class: "dlcore-controls" },
    targets(scope, model),
    select(scope, model, "activation", "Activation", ACTIVATION_WORDS),
    checkbox(scope, model, "no_bias", "no bias"),
    button(scope, "Reset", () => ask(model, "reset").catch(() => {})),
    button(scope, "New points", () => ask(model, "draw").catch(() => {})),
  );
  const words = node("div", { class: "neuron-words" }, node("div", { class: "neuron-formula" }, ...formula), verdict);
  body.append(controls, node("div", { class: "dlcore-parts neuron-parts" }, node("div", { class: "neuron-left" }, drawing.whole, words), node("div", { class: "neuron-right" }, host, key.whole, score)), listing);

  const update = () => {
    drawing.update();
    surface.redraw();
    key.update();
    model.get("formula").forEach((text, i) => (formula[i].textContent = text));
    score.textContent = model.get("score");
    verdict.textContent = model.get("advice");
    verdict.dataset.hit = model.get("hit");
    listing.refill();
  };
  whenAny(scope, model, ["w1", "w2", "b", "x1", "x2", "shades", "points", "answers", "z", "output", "foot", "chosen", "curve", "aim", "no_bias", "formula", "advice", "hit"], update);
  update();
  return () => scope.end();
}

export default { render };
