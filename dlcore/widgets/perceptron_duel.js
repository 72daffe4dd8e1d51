// Perceptron duel: on one side the points and the borders, on the other the path of the weights, mistake by mistake.

import { ask, button, canvas, checkbox, floats, frames, labelled, marker, missing, node, open, runButton, select, set, signed, table } from "./kit.js";
import { GREEN, PURPLE, arrow, border, grips, halves, plane, pusher, rounded, scales, segment, shown, tag, tall, tone, whenAny } from "./line.js";

const SETS = { separable: "separable", narrow: "separable, narrowly", chapter: "the points of the chapter", overlap: "two clouds that overlap", xor: "XOR", own: "my own points" };
const PACES = { slow: ["one a second", 1000], brisk: ["four a second", 250], fast: ["as fast as it can", 0] };
const EDGE = "rgb(255 255 255 / 0.85)";
const OWN = ["own_w1", "own_w2", "own_b"];
const own = (model) => OWN.map((name) => model.get(name));

// The points as rows [x1, x2, label]; they travel in float64, so that Python gets back what it sent.
function placed(model) {
  const view = model.get("points");
  return Array.from({ length: view.byteLength / 24 }, (_, i) => [0, 8, 16].map((at) => view.getFloat64(24 * i + at, true)));
}

// Row k of the trail: what mistake k made of w and b, and at which point; row 0 is the start.
function trail(model) {
  const values = floats(model.get("trail"));
  return Array.from({ length: values.length / 5 }, (_, k) => {
    const [w1, w2, b, row, pass] = values.subarray(5 * k, 5 * k + 5);
    return { line: [w1, w2, b], row, pass };
  });
}

// ------------------------------------------------------------------------------------------------------ the plane

function drawPlane(model, place, base, context, theme) {
  const [points, path, wrong] = [placed(model), trail(model), signed(model.get("wrong_now"))];
  const { line: now, row } = path[path.length - 1];
  halves(context, place, now, theme);
  for (const way of model.get("proof")) drawProof(context, place, theme, way);
  if (model.get("over")) drawWidest(model, place, context, theme);
  if (path.length > 1) border(context, place, theme, path[path.length - 2].line, { colour: theme.muted, width: 2, dash: [6, 5] });
  border(context, place, theme, now, { colour: tone(theme, GREEN), width: 3 });
  const size = points.length > 100 ? 3.2 : 5.5;
  points.forEach(([x1, x2, label], i) => marker(context, place.X(x1), place.Y(x2), label, size, wrong[i] ? theme.paper : EDGE, Boolean(wrong[i])));
  if (row >= 0 && points[row]) drawMistake(points[row], place, context, theme, size);
  if (model.get("own_line")) {
    border(context, place, theme, own(model), { colour: tone(theme, PURPLE), width: 2.5, dash: [12, 4, 2, 4] });
    if (base) arrow(context, place, theme, base, [base[0] + model.get("own_w1"), base[1] + model.get("own_w2")], { colour: tone(theme, PURPLE) });
  }
  scales(context, place, theme);
}

function drawProof(context, place, theme, way) {
  for (let i = 1; i < way.length; i++) segment(context, place, theme, [way[i - 1], way[i]], { colour: theme.text, width: 1.5 });
}

function drawWidest(model, place, context, theme) {
  const widest = model.get("widest");
  for (const level of [-1, 0, 1]) if (widest.length) border(context, place, theme, widest, { colour: theme.muted, width: level ? 1 : 1.5, dash: level ? [1, 4] : [2, 3], plain: true }, level);
}

// The point that was wrong, and what was added: the point itself, with the sign of its class.
function drawMistake([x1, x2, label], place, context, theme, size) {
  arrow(context, place, theme, [0, 0], [label * x1, label * x2], { colour: theme.accent, width: 2 });
  tag(context, theme, "y·x", place.X(0.55 * label * x1) + 14, place.Y(0.55 * label * x2) + 10, theme.accent);
  for (const [width, style] of [
    [5, theme.paper],
    [2.5, theme.accent],
  ]) {
    context.beginPath();
    context.arc(place.X(x1), place.Y(x2), size + 5, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
}

// ---------------------------------------------------------------------------------------------------- the weights

// Where w has been since the start, in the plane of the weights, and the last step: y·x.
function drawWeights(model, context, width, theme) {
  const path = trail(model);
  const reach = 1.45 * Math.max(1.5, ...path.flatMap(({ line }) => [Math.abs(line[0]), Math.abs(line[1])]));
  const place = plane(width, -reach, reach);
  scales(context, place, theme, ["w₁", "w₂"]);
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.beginPath();
  for (const { line } of path) context.lineTo(place.X(line[0]), place.Y(line[1]));
  context.stroke();
  context.fillStyle = theme.muted;
  for (const { line } of path) context.fillRect(place.X(line[0]) - 1.5, place.Y(line[1]) - 1.5, 3, 3);
  const now = path[path.length - 1].line;
  const before = path.length > 1 ? path[path.length - 2].line : null;
  if (before) arrow(context, place, theme, [0, 0], before, { colour: theme.muted, width: 2, dash: [5, 4] });
  arrow(context, place, theme, [0, 0], now, { colour: tone(theme, GREEN), width: 3, word: "w" });
  if (before) arrow(context, place, theme, before, now, { colour: theme.accent, width: 2 });
  if (before) tag(context, theme, "y·x", place.X((before[0] + now[0]) / 2), place.Y((before[1] + now[1]) / 2) - 10, theme.accent);
  context.beginPath();
  context.arc(place.X(now[0]), place.Y(now[1]), 4, 0, 2 * Math.PI);
  context.fillStyle = tone(theme, GREEN);
  context.fill();
  const words = `b = ${before ? `${shown(before[2])} → ` : ""}${shown(now[2])}`;
  tag(context, theme, words, place.area.left + 12 + 3.4 * words.length, place.area.top + 14, theme.text);
}

// ------------------------------------------------------------------------------------------------------- controls

function counters(model) {
  const cells = {};
  const words = { mistakes: "mistakes", passes: "passes", wrong: "wrong now", bound: "at most" };
  const parts = Object.entries(words).map(([name, word]) => node("p", {}, node("span", {}, word), (cells[name] = node("strong"))));
  const update = () => {
    const counts = model.get("counts");
    for (const name of Object.keys(words)) cells[name].textContent = String(counts[name]);
    cells.wrong.textContent = `${counts.wrong} of ${counts.points}`;
    cells.bound.textContent = counts.bound ? counts.bound.toLocaleString("en") : model.get("proof").length ? "∞" : "–";
  };
  return { whole: node("div", { class: "duel-counters" }, ...parts), update };
}

// Points by keyboard: a class, two numbers, and what to do there.
function placing(scope, model, state) {
  const classes = [-1, 1].map((label) => {
    const pick = () => {
      state.label = label;
      for (const made of classes) made.setAttribute("aria-pressed", String(Number(made.value) === label));
    };
    const mark = node("i", { class: label < 0 ? "duel-square" : "duel-disc" });
    const made = button(scope, mark, pick, { value: label, "aria-pressed": String(label === state.label) });
    made.append(label < 0 ? " −1" : " +1");
    return made;
  });
  const [x1, x2] = ["x₁", "x₂"].map((word) => {
    const [low, high] = model.get("limits");
    const box = node("input", { type: "number", step: model.get("grid"), min: low, max: high, value: 0 });
    return { word, box, whole: labelled(word, box) };
  });
  const quietly = (promise) => promise.catch(() => {});
  const at = (action, more) => {
    const empty = [x1, x2].find(({ box }) => box.value === "");
    if (empty) return missing(scope, empty.word, empty.box, "its points");
    return quietly(ask(model, action, { x1: x1.box.valueAsNumber, x2: x2.box.valueAsNumber, ...more }));
  };
  return node(
    "div",
    { class: "dlcore-controls duel-placing", role: "group", "aria-label": "Place points" },
    node("div", { class: "dlcore-control" }, node("span", { class: "duel-label" }, "new points"), node("div", { class: "duel-classes", role: "group", "aria-label": "Class of new points" }, ...classes)),
    x1.whole,
    x2.whole,
    button(scope, "Add", () => at("add", { label: state.label })),
    button(scope, "Remove", () => at("remove")),
    button(scope, "Clear", () => quietly(ask(model, "clear"))),
  );
}

function pace(scope, state) {
  const control = node("select", { name: "pace" }, ...Object.entries(PACES).map(([name, [words]]) => node("option", { value: name }, words)));
  control.value = state.pace;
  scope.listen(control, "change", () => (state.pace = control.value));
  return labelled("Pace of Run", control);
}

function picture(scope, model, frame, push, state) {
  let place = plane(300, ...model.get("limits"));
  const host = node("div", { class: "duel-plane" });
  const handles = grips(scope, host, "your line", {
    colours: PURPLE,
    read: () => own(model),
    locked: () => false,
    place: () => place,
    move: (moved) => push(Object.fromEntries(OWN.map((name, i) => [name, rounded(model, name, moved[i])]))),
  });
  const surface = canvas(scope, "The plane: points of two classes, the perceptron's border before and after its last mistake, and your own line. Text and tables below say the same.", (context, width, height, theme) => {
    place = plane(width, ...model.get("limits"));
    drawPlane(model, place, handles.base(), context, theme);
    handles.layer.hidden = !model.get("own_line");
    handles.update(theme);
    frame.style.setProperty("--duel-now", tone(theme, GREEN));
    frame.style.setProperty("--duel-own", tone(theme, PURPLE));
  }, { height: tall });
  host.prepend(surface);
  scope.listen(surface, "click", (event) => {
    const hit = placed(model).find(([x1, x2]) => Math.hypot(place.X(x1) - event.offsetX, place.Y(x2) - event.offsetY) < 10);
    const [x1, x2] = hit ?? place.clamp(place.at(event.offsetX, event.offsetY));
    ask(model, hit ? "remove" : "add", hit ? { x1, x2 } : { x1, x2, label: state.label }).catch(() => {});
  });
  return { host, surface };
}

function legend(model) {
  const keys = [
    ["now", "border now", () => true],
    ["before", "before", () => model.get("mistakes") > 0],
    ["own", "yours", () => model.get("own_line")],
    ["widest", "widest margin", () => model.get("over") && model.get("widest").length],
  ].map(([name, words, when]) => ({ part: node("span", { class: "duel-key" }, node("i", { class: `duel-line duel-line-${name}` }), words), when }));
  keys.push({ part: node("span", { class: "duel-key" }, node("i", { class: "duel-hollow" }), "hollow: wrong now"), when: () => model.get("counts").wrong > 0 });
  const update = () => {
    for (const { part, when } of keys) part.hidden = !when();
  };
  return { whole: node("p", { class: "duel-legend" }, ...keys.map(({ part }) => part)), update };
}

// --------------------------------------------------------------------------------------------------------- the rest

const mistakeRows = (model) =>
  trail(model).map(({ line, row, pass }, k) => {
    const point = placed(model)[row];
    const what = point ? [String(pass), `${row + 1}`, `(${shown(point[0])}, ${shown(point[1])})`, point[2] < 0 ? "−1" : "+1"] : ["", "start", "", ""];
    return [String(k), ...what, ...line.map(shown)];
  });

const pointRows = (model) => {
  const wrong = signed(model.get("wrong_now"));
  return placed(model).map(([x1, x2, label], i) => [String(i + 1), shown(x1), shown(x2), label < 0 ? "−1" : "+1", wrong[i] ? "wrong" : "right"]);
};

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Perceptron duel");
  const state = { label: 1, pace: "brisk" };
  const push = pusher(scope, model);
  const { host, surface } = picture(scope, model, frame, push, state);
  const path = canvas(scope, "The path of the weights w1 and w2 from mistake to mistake. The table of mistakes below says the same.", (context, width, height, theme) => drawWeights(model, context, width, theme), { height: tall });
  const [tally, key] = [counters(model), legend(model)];
  const texts = ["question", "story", "ending", "duel"].map((name) => ({ name, part: node("p", { class: `duel-${name}` }) }));
  const listings = [
    table(scope, "The mistakes as a table", ["mistake", "pass", "point", "place", "class", "w₁", "w₂", "b"], () => mistakeRows(model)),
    table(scope, "The points as a table", ["point", "x₁", "x₂", "class", "side"], () => pointRows(model)),
  ];
  const next = button(scope, "Next mistake", () => ask(model, "next").catch(() => {}));
  const back = button(scope, "Back", () => ask(model, "back").catch(() => {}));
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(
    node("div", { class: "dlcore-controls" }, select(scope, model, "data", "Points", SETS), button(scope, "New points", () => ask(model, "draw").catch(() => {})), checkbox(scope, model, "own_line", "my own line")),
    node("div", { class: "dlcore-controls" }, next, back, runButton(scope, model), pace(scope, state), button(scope, "Reset", () => ask(model, "reset").catch(() => {}))),
    node("div", { class: "duel-parts" }, node("div", { class: "duel-part" }, node("p", { class: "duel-title" }, "The points"), host, key.whole), node("div", { class: "duel-part" }, node("p", { class: "duel-title" }, "The weights"), path, tally.whole)),
    node("div", { class: "duel-texts" }, ...texts.map(({ part }) => part)),
    placing(scope, model, state),
    ...listings,
  );

  const update = () => {
    surface.redraw();
    path.redraw();
    tally.update();
    key.update();
    for (const { name, part } of texts) part.textContent = model.get(name);
    next.disabled = model.get("over");
    back.disabled = model.get("mistakes") === 0;
    for (const listing of listings) listing.refill();
  };
  whenAny(scope, model, ["points", "trail", "wrong_now", "limits", "proof", "widest", "counts", "over", "mistakes", "question", "story", "ending", "duel", "own_line", ...OWN], update);
  frames(scope, model, el, update, () => PACES[state.pace][1]);
  return () => scope.end();
}

export default { render };
