// Paper folding: a slider leads a sheet of squared paper, with points and border, through the layers of a network.
//
// Python has drawn every stage; between two of them all points move on straight lines, so the view mixes two pictures.
// Where the reader looks and which point is followed stay here until a task asks for them: looking needs no Python.

import { ask, button, calm, canvas, floats, frames, labelled, marker, missing, node, open, percent, set, signed, table } from "./kit.js";
import { GREEN, shown, tone, whenAny } from "./line.js";

const WORDS = {
  data: { spiral: "two spirals", circle: "disc in a ring" },
  network: { dense: "dense layers, 8 units each", plane: "layers that stay in the plane" },
  layers: {},
  activation: { tanh: "tanh", relu: "ReLU" },
};
const LABELS = { data: "Points", network: "Network", layers: "Hidden layers", activation: "Bend" };
const EDGE = "rgb(255 255 255 / 0.85)";
const REACH = 1.14; // of a picture, from its middle to the frame; the points lie within 0.91
const SECONDS = 2.4; // that Play takes for a layer
const REST = 1100; // milliseconds of a stage for who wants no movement
const NEAR = 14; // pixels

const words = (view, Kind) => new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const subscript = (k) => String.fromCharCode(0x2080 + k);

// ----------------------------------------------------------------------------------------------- what Python has sent

// The pictures and values of all stages; taken apart anew when Python sends others.
function sheets(model) {
  const [points, lines, along, edge] = model.get("counts");
  const stages = model.get("stages");
  const all = words(model.get("frames"), Int16Array);
  const size = 2 * (points + lines * along + edge);
  const values = words(model.get("values"), Int16Array);
  let start = 0;
  const parts = stages.map(({ units }, k) => {
    const part = { picture: all.subarray(k * size, (k + 1) * size), values: values.subarray(start, start + points * units), units };
    start += points * units;
    return part;
  });
  return { parts, points, lines, along, links: words(model.get("links"), Uint16Array), labels: signed(model.get("labels")), scale: model.get("scale") };
}

// Between which stages a depth lies: the one before, and how far on.
function between(model, depth) {
  const stages = model.get("stages");
  const at = Math.max(0, Math.min(stages.length - 1, (depth / model.get("layers")) * (stages.length - 1)));
  const before = Math.min(Math.floor(at), Math.max(stages.length - 2, 0));
  return { before, share: at - before, nearest: Math.round(at) };
}

const valuesOf = ({ parts }, stage, point) => {
  const { values, units } = parts[stage];
  return Array.from(values.subarray(point * units, (point + 1) * units), (v) => v / 100);
};

function symbol(stages, stage, unit) {
  if (stage === 0) return `x${subscript(unit + 1)}`;
  return (stages[stage].depth % 1 ? "z" : "h") + subscript(unit + 1);
}

// ------------------------------------------------------------------------------------------------------- the picture

// Where everything is at a depth, in pixels, x and y in turn: points, then grid, then border.
function mixed(model, sheet, depth, width, height) {
  const { before, share } = between(model, depth);
  const [a, b] = [sheet.parts[before].picture, (sheet.parts[before + 1] ?? sheet.parts[before]).picture];
  const unit = Math.min(width, height) / 2 / REACH / sheet.scale;
  const places = new Float32Array(a.length);
  for (let i = 0; i < a.length; i += 2) {
    places[i] = width / 2 + unit * (a[i] + share * (b[i] - a[i]));
    places[i + 1] = height / 2 - unit * (a[i + 1] + share * (b[i + 1] - a[i + 1]));
  }
  return places;
}

function drawGrid(context, theme, { points, lines, along }, places) {
  context.strokeStyle = theme.muted;
  context.globalAlpha = 0.5;
  context.lineWidth = 0.8;
  context.beginPath();
  for (let line = 0; line < lines; line++) {
    for (let k = 0; k < along; k++) {
      const i = 2 * (points + line * along + k);
      if (k) context.lineTo(places[i], places[i + 1]);
      else context.moveTo(places[i], places[i + 1]);
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

function drawBorder(context, theme, { points, lines, along, links }, places) {
  const first = points + lines * along;
  context.lineCap = "round";
  for (const [style, thick] of [
    [theme.paper, 5.5],
    [tone(theme, GREEN), 3],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = thick;
    context.beginPath();
    for (let k = 0; k < links.length; k += 2) {
      const [i, j] = [2 * (first + links[k]), 2 * (first + links[k + 1])];
      context.moveTo(places[i], places[i + 1]);
      context.lineTo(places[j], places[j + 1]);
    }
    context.stroke();
  }
}

function drawRing(context, theme, x, y, size) {
  for (const [style, thick] of [
    [theme.paper, 5],
    [theme.text, 2.5],
  ]) {
    context.beginPath();
    context.arc(x, y, size + 4.5, 0, 2 * Math.PI);
    context.lineWidth = thick;
    context.strokeStyle = style;
    context.stroke();
  }
}

function picture(scope, model, state, look) {
  const host = node("div", { class: "paper-sheet" });
  const surface = canvas(
    scope,
    "The points, a grid of lines and the network's border as they are at the chosen depth. Text and tables beside it say the same.",
    (context, width, height, theme) => {
      const places = (state.places = mixed(model, state.sheet, model.get("depth"), width, height));
      drawGrid(context, theme, state.sheet, places);
      drawBorder(context, theme, state.sheet, places);
      const size = width < 330 ? 3 : 4;
      for (let i = 0; i < state.sheet.points; i++) marker(context, places[2 * i], places[2 * i + 1], state.sheet.labels[i], size, EDGE);
      const followed = model.get("point") - 1;
      marker(context, places[2 * followed], places[2 * followed + 1], state.sheet.labels[followed], size + 1.5, EDGE);
      drawRing(context, theme, places[2 * followed], places[2 * followed + 1], size + 1.5);
    },
    { height: (width) => Math.min(width, 460) },
  );
  const under = (event) => {
    let [best, least] = [-1, NEAR];
    for (let i = 0; i < state.sheet.points; i++) {
      const away = Math.hypot(state.places[2 * i] - event.offsetX, state.places[2 * i + 1] - event.offsetY);
      if (away < least) [best, least] = [i, away];
    }
    return best;
  };
  const hover = node("p", { class: "paper-hover" });
  scope.listen(surface, "pointermove", (event) => (hover.textContent = told(model, state.sheet, under(event))));
  scope.listen(surface, "pointerleave", () => (hover.textContent = ""));
  scope.listen(surface, "click", (event) => under(event) >= 0 && look({ point: under(event) + 1 }));
  host.append(surface);
  return { host, surface, hover };
}

const sign = (label) => (label < 0 ? "−1" : "+1");

function told(model, sheet, point) {
  if (point < 0) return "";
  const { nearest } = between(model, model.get("depth"));
  const numbers = valuesOf(sheet, nearest, point).map(shown).join(", ");
  return `Point ${point + 1}, class ${sign(sheet.labels[point])}, ${model.get("stages")[nearest].name}: ${numbers}`;
}

// ----------------------------------------------------------------------------------------------------- the controls

// A setting of the network: another choice is trained in front of the reader.
function choice(scope, model, name) {
  const { options, low, high } = model.get("choices")[name];
  const given = options ?? Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const control = node("select", { name }, ...given.map((o) => node("option", { value: o }, WORDS[name][o] ?? String(o))));
  const show = () => (control.value = String(model.get(name)));
  scope.on(model, `change:${name}`, show);
  scope.listen(control, "change", () => {
    const value = options ? control.value : Number(control.value);
    ask(model, "choose", { setting: name, value }).catch(show);
  });
  show();
  return labelled(LABELS[name], control);
}

function depthSlider(scope, model, look) {
  const control = node("input", { type: "range", name: "depth", min: 0, step: 0.02 });
  const value = node("output");
  const whole = labelled("Depth in the network", control, value);
  whole.classList.add("paper-depth");
  value.setAttribute("for", control.id);
  const update = () => {
    control.max = model.get("layers");
    control.value = model.get("depth");
    value.textContent = whereabouts(model);
    control.setAttribute("aria-valuetext", value.textContent);
  };
  scope.listen(control, "input", () => look({ depth: Number(control.value) }));
  // Page keys and letters would move it by a tenth of its length; from stage to stage is what one wants.
  scope.listen(control, "keydown", (event) => {
    const way = { PageUp: 1, PageDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    look({ depth: nextStage(model, way) });
  });
  return { whole, update };
}

function nextStage(model, way) {
  const depths = model.get("stages").map((stage) => stage.depth);
  const now = model.get("depth");
  const beyond = way > 0 ? depths.find((d) => d > now + 1e-6) : depths.findLast((d) => d < now - 1e-6);
  return beyond ?? (way > 0 ? depths[depths.length - 1] : 0);
}

function whereabouts(model) {
  const { before, share } = between(model, model.get("depth"));
  const stages = model.get("stages");
  if (share < 0.01) return stages[before].name;
  if (share > 0.99) return stages[before + 1].name;
  return `${stages[before].name} → ${stages[before + 1].name}`;
}

// From the input to the last layer, or on from where it stands; who wants less movement sees stage after stage.
function player(scope, model, look) {
  let ticket = 0;
  let timer = 0;
  let last = 0;
  let playing = false;
  const made = button(scope, "Play", () => (playing ? stop() : start()), { class: "dlcore-run", name: "play" });
  const stop = () => {
    playing = false;
    cancelAnimationFrame(ticket);
    clearTimeout(timer);
    made.textContent = "Play";
    made.dataset.running = false;
  };
  const end = () => model.get("depth") >= model.get("layers");
  const flow = (now) => {
    const on = last ? (now - last) / 1000 / SECONDS : 0;
    last = now;
    look({ depth: Math.min(model.get("layers"), model.get("depth") + on) });
    if (end()) stop();
    else ticket = requestAnimationFrame(flow);
  };
  const hop = () => {
    look({ depth: nextStage(model, 1) });
    if (end()) stop();
    else timer = setTimeout(hop, REST);
  };
  const start = () => {
    playing = true;
    last = 0;
    made.textContent = "Stop";
    made.dataset.running = true;
    if (end()) look({ depth: 0 });
    if (calm()) timer = setTimeout(hop, REST);
    else ticket = requestAnimationFrame(flow);
  };
  scope.endings.push(stop);
  return { made, stop };
}

// Train on from here, or pause: the button's word is what it does.
function trainer(scope, model) {
  const made = button(scope, "", () => set(model, "running", !model.get("running")), { class: "dlcore-run", name: "train" });
  const show = () => {
    made.textContent = model.get("running") ? "Pause" : "Train on";
    made.dataset.running = model.get("running");
  };
  scope.on(model, "change:running", show);
  show();
  return made;
}

// The point that is followed: its number, and each unit's value at the nearest stage as number and bar.
function follower(scope, model, state, look) {
  const box = node("input", { type: "number", name: "point", min: 1, max: model.get("choices").point.high, step: 1, inputmode: "numeric" });
  scope.listen(box, "input", () => {
    const asked = box.valueAsNumber;
    if (Number.isInteger(asked) && asked >= 1 && asked <= Number(box.max)) look({ point: asked });
  });
  scope.listen(box, "change", () => {
    if (box.valueAsNumber === model.get("point")) return;
    if (box.value === "") missing(scope, "Follow point", box, model.get("point"));
    else scope.say(`Follow point: expected a whole number from 1 to ${box.max}; received ${box.value}. The widget keeps ${model.get("point")}`);
    box.value = model.get("point");
  });
  const place = node("p", { class: "paper-place" });
  const bars = node("div", { class: "paper-units" });
  const update = () => {
    const point = model.get("point") - 1;
    if (document.activeElement !== box) box.value = point + 1;
    const [x1, x2, sum] = floats(model.get("places")).subarray(3 * point, 3 * point + 3);
    const right = sum >= 0 === state.sheet.labels[point] > 0;
    place.textContent = `At (${shown(x1)}, ${shown(x2)}), class ${sign(state.sheet.labels[point])}. Output neuron's sum ${shown(sum)}: ${right ? "right" : "wrong"}.`;
    drawBars(model, state.sheet, point, bars);
  };
  return { whole: node("div", { class: "paper-follow" }, labelled("Follow point", box), place, bars), update };
}

function drawBars(model, sheet, point, bars) {
  const { nearest } = between(model, model.get("depth"));
  const most = sheet.parts[nearest].values.reduce((far, v) => Math.max(far, Math.abs(v)), 1) / 100;
  const stages = model.get("stages");
  const rows = valuesOf(sheet, nearest, point).map((value, unit) => {
    const bar = node("i", { class: value < 0 ? "paper-negative" : "paper-positive" });
    bar.style.width = `${(50 * Math.abs(value)) / most}%`;
    return [node("span", {}, symbol(stages, nearest, unit)), node("span", { class: "paper-bar" }, bar), node("span", { class: "paper-value" }, shown(value))];
  });
  bars.replaceChildren(...rows.flat());
}

function legend() {
  const keys = [
    ["paper-square", "class −1"],
    ["paper-disc", "class +1"],
    ["paper-line", "the network's border"],
    ["paper-grid", "the sheet's lines"],
    ["paper-ring", "followed"],
  ];
  return node("p", { class: "paper-legend" }, ...keys.map(([mark, text]) => node("span", { class: "paper-key" }, node("i", { class: mark }), text)));
}

// ---------------------------------------------------------------------------------------------------------- the rest

function listings(scope, model, state) {
  const stageRows = () => model.get("stages").map((s) => [s.name, String(s.units), percent(s.share), String(s.right)]);
  const pathRows = () =>
    model.get("stages").map((s, k) => {
      const values = valuesOf(state.sheet, k, model.get("point") - 1).map(shown);
      return [s.name, ...Array.from({ length: 8 }, (_, i) => values[i] ?? "")];
    });
  const pointRows = () => {
    const places = floats(model.get("places"));
    return Array.from({ length: places.length / 3 }, (_, i) => [String(i + 1), sign(state.sheet.labels[i]), ...[...places.subarray(3 * i, 3 * i + 3)].map(shown)]);
  };
  return [
    table(scope, "The layers as a table", ["place", "numbers a point", "spread shown", "right with the best flat cut"], stageRows),
    table(scope, "The followed point as a table", ["place", ...Array.from({ length: 8 }, (_, i) => `${i + 1}`)], pathRows),
    table(scope, "The points as a table", ["point", "class", "x₁", "x₂", "output neuron's sum"], pointRows),
  ];
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Paper folding");
  const state = { sheet: sheets(model), places: [] };
  // Python is told only where a task asks what the reader looks at.
  const look = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    if (model.get("goal")) model.save_changes();
  };
  const play = player(scope, model, look);
  const byHand = (values) => {
    if ("depth" in values) play.stop();
    look(values);
  };
  const { host, surface, hover } = picture(scope, model, state, byHand);
  const depth = depthSlider(scope, model, byHand);
  const followed = follower(scope, model, state, byHand);
  const [name, text, story] = [node("strong"), node("p", { class: "paper-text", "aria-live": "polite" }), node("p", { class: "paper-story" })];
  const tables = listings(scope, model, state);
  const travel = node("div", { class: "dlcore-controls paper-travel" }, play.made, depth.whole);
  // The page fetches Python for whoever is about to touch a control; these only look.
  for (const part of [travel, followed.whole]) for (const type of ["pointerover", "pointerdown", "keydown"]) scope.listen(part, type, (event) => event.stopPropagation());
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(
    node("div", { class: "dlcore-controls" }, ...Object.keys(WORDS).map((setting) => choice(scope, model, setting))),
    node("div", { class: "dlcore-controls" }, trainer(scope, model), button(scope, "Train again from another seed", () => ask(model, "again").catch(() => {}))),
    story,
    node("div", { class: "paper-parts" },
      node("div", { class: "paper-part" }, host, travel, legend(), hover),
      node("div", { class: "paper-part" }, node("p", { class: "paper-stage" }, name), text, followed.whole),
    ),
    ...tables,
  );

  let stage = -1;
  const glance = () => {
    surface.redraw();
    depth.update();
    followed.update();
    const { nearest } = between(model, model.get("depth"));
    const told = model.get("stages")[nearest];
    name.textContent = told.name;
    if (text.textContent !== told.text) text.textContent = told.text;
    if (stage !== nearest) tables[1].refill();
    stage = nearest;
  };
  const update = () => {
    state.sheet = sheets(model);
    glance();
    story.textContent = model.get("story");
    for (const listing of tables) listing.refill();
  };
  whenAny(scope, model, ["depth"], glance);
  whenAny(scope, model, ["point"], () => {
    glance();
    tables[1].refill();
  });
  whenAny(scope, model, ["frames", "stages", "counts", "layers", "story"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
