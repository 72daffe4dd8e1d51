// Bump builder: a curve, the ReLUs it is made of, and handles on them; beside it wide networks against deep ones.
//
// A unit has a handle at its joint: left and right move it, up and down change its slope. The chosen unit also has a
// lever, which points along its slope. All else is computed in Python.

import { ask, axes, button, canvas, floats, frames, labelled, missing, node, open, select, set, slider, table } from "./kit.js";
import { GREEN, PURPLE, pusher, shown, tone, whenAny } from "./line.js";

const TARGETS = { bump: "bump", sine: "sine", saw: "saw", step: "step", own: "my own curve" };
const VIEWS = { build: "Build it yourself", compare: "Wide against deep" };
const [LOWEST, HIGHEST] = [-1.6, 1.6]; // what the picture shows of y
const FRAME = { left: 34, right: 10, top: 10, bottom: 26 };
const LEVER = 46; // pixels
const MOST = 10; // of a slope that is set by hand
const NO_ANSWER = () => {}; // the frame shows what was refused

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const thousandths = (value) => Number(value.toFixed(3));

// ------------------------------------------------------------------------------------------------------- the picture

function placeOf(model, width, height) {
  const [low, high] = model.get("limits");
  const area = { left: FRAME.left, top: FRAME.top, width: width - FRAME.left - FRAME.right, height: height - FRAME.top - FRAME.bottom };
  return {
    area,
    low,
    high,
    X: (x) => area.left + ((x - low) / (high - low)) * area.width,
    Y: (y) => area.top + ((HIGHEST - y) / (HIGHEST - LOWEST)) * area.height,
    x: (px) => clamp(low + ((px - area.left) / area.width) * (high - low), low, high),
    y: (py) => clamp(HIGHEST - ((py - area.top) / area.height) * (HIGHEST - LOWEST), LOWEST, HIGHEST),
    xUnit: area.width / (high - low),
    yUnit: area.height / (HIGHEST - LOWEST),
  };
}

function stroke(context, points, { colour, width, dash = [], edge = null }) {
  for (const [style, thick] of edge ? [[edge, width + 3], [colour, width]] : [[colour, width]]) {
    context.setLineDash(dash);
    context.strokeStyle = style;
    context.lineWidth = thick;
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }
  context.setLineDash([]);
}

// What the lines say without colour: the target is dashed, the sum thick, the chosen unit's share dotted.
function drawBuild(model, place, chosen, context, theme) {
  const { X, Y, low, high, area } = place;
  axes(context, area, [low, high], [LOWEST, HIGHEST], theme, { xLabel: "" });
  stroke(context, [[X(low), Y(0)], [X(high), Y(0)]], { colour: theme.muted, width: 1.2 });
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  const wanted = floats(model.get("wanted"));
  const across = (i) => X(low + ((high - low) * i) / (wanted.length - 1));
  drawShares(model, place, chosen, context, theme);
  stroke(context, [...wanted].map((y, i) => [across(i), Y(y)]), { colour: theme.text, width: 2, dash: [7, 5] });
  const line = pairs(floats(model.get("line"))).map(([x, y]) => [X(x), Y(y)]);
  stroke(context, line, { colour: tone(theme, GREEN), width: 3, edge: theme.paper });
  for (const [x, y] of line.slice(1, -1)) bead(context, x, y, 4, tone(theme, GREEN), theme.paper);
  context.restore();
}

const pairs = (flat) => Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);

function bead(context, x, y, size, colour, edge) {
  context.beginPath();
  context.arc(x, y, size, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.strokeStyle = edge;
  context.lineWidth = 1.5;
  context.fill();
  context.stroke();
}

function drawShares(model, { X, Y, low, high }, chosen, context, theme) {
  const shares = pairs(floats(model.get("shares")));
  model.get("joints").forEach((joint, i) => {
    if (!shares[i]) return;
    const [first, last] = shares[i];
    const bend = joint > low && joint < high ? [[X(joint), Y(0)]] : [];
    const points = [[X(low), Y(first)], ...bend, [X(high), Y(last)]];
    const mine = i === chosen;
    stroke(context, points, { colour: tone(theme, PURPLE), width: mine ? 2.5 : 1.2, dash: mine ? [2, 4] : [] });
  });
}

// ------------------------------------------------------------------------------------------------------- the handles

// A handle over the canvas. `where()` gives its place in pixels or null; `drag` and `key` are told where it is to go.
function handle(scope, layer, { label, kind, where, hold = () => {}, drag, key }) {
  const spot = node("button", { type: "button", class: `dlcore-grip line-grip bump-${kind}`, "aria-label": label, title: label });
  layer.append(spot);
  let offset = null;
  scope.listen(spot, "focus", hold);
  scope.listen(spot, "pointerdown", (event) => {
    const place = where();
    if (event.button || !place) return;
    event.preventDefault();
    spot.focus({ preventScroll: true });
    spot.setPointerCapture(event.pointerId);
    const box = layer.getBoundingClientRect();
    offset = [place[0] - (event.clientX - box.left), place[1] - (event.clientY - box.top)];
  });
  scope.listen(spot, "pointermove", (event) => {
    if (!offset) return;
    const box = layer.getBoundingClientRect();
    drag(event.clientX - box.left + offset[0], event.clientY - box.top + offset[1]);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) scope.listen(spot, end, () => (offset = null));
  scope.listen(spot, "keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    key(way, event.shiftKey ? 5 : 1);
  });
  return () => {
    const place = where();
    spot.hidden = !place;
    if (!place) return;
    spot.style.left = `${place[0]}px`;
    spot.style.top = `${place[1]}px`;
  };
}

// All handles there can ever be; those that are not needed are hidden.
function handles(scope, model, state, layer, edit) {
  const most = model.get("choices").units.high;
  const joint = (i) => model.get("joints")[i];
  const seen = (i) => joint(i) >= state.place.low && joint(i) <= state.place.high;
  const updates = Array.from({ length: most }, (_, i) =>
    handle(scope, layer, {
      label: `Joint of unit ${i + 1}: drag, or move it with the left and right arrow keys and tilt it with up and down`,
      kind: "joint",
      where: () => (i < model.get("joints").length && seen(i) ? [state.place.X(joint(i)), state.place.Y(0)] : null),
      hold: () => state.choose(i),
      drag: (px) => edit("joints", i, state.place.x(px)),
      key: ([dx, dy], fast) => {
        if (dx) edit("joints", i, clamp(joint(i) + 0.05 * fast * dx, state.place.low, state.place.high));
        else edit("slopes", i, clamp(model.get("slopes")[i] + 0.1 * fast * dy, -MOST, MOST));
      },
    }),
  );
  updates.push(lever(scope, model, state, layer, edit, seen));
  model.get("knots").forEach((_, i) => updates.push(knot(scope, model, state, layer, edit, i)));
  return () => updates.forEach((update) => update());
}

// The end of the chosen unit's lever, which points where its share goes.
function lever(scope, model, state, layer, edit, seen) {
  const facing = () => (model.get("weights")[state.chosen] < 0 ? -1 : 1);
  const steep = () => state.place.yUnit / state.place.xUnit;
  const where = () => {
    const i = state.chosen;
    if (!(i < model.get("joints").length) || !seen(i)) return null;
    const angle = Math.atan(model.get("slopes")[i] * steep());
    return [state.place.X(model.get("joints")[i]) + facing() * LEVER * Math.cos(angle), state.place.Y(0) - LEVER * Math.sin(angle)];
  };
  return handle(scope, layer, {
    label: "Lever of the chosen unit: drag, or use the up and down arrow keys, to change its slope",
    kind: "lever",
    where,
    drag: (px, py) => {
      const run = Math.max(facing() * (px - state.place.X(model.get("joints")[state.chosen])), 1);
      edit("slopes", state.chosen, clamp((state.place.Y(0) - py) / run / steep(), -MOST, MOST));
    },
    key: ([, dy], fast) => dy && edit("slopes", state.chosen, clamp(model.get("slopes")[state.chosen] + 0.1 * fast * dy, -MOST, MOST)),
  });
}

// A point of the reader's own curve.
function knot(scope, model, state, layer, edit, i) {
  const x = () => state.place.low + ((state.place.high - state.place.low) * i) / (model.get("knots").length - 1);
  return handle(scope, layer, {
    label: `Your own curve at x = ${shown((4 * i) / (model.get("knots").length - 1))}: drag, or use the up and down arrow keys`,
    kind: "knot",
    where: () => (model.get("target") === "own" ? [state.place.X(x()), state.place.Y(model.get("knots")[i])] : null),
    drag: (_, py) => edit("knots", i, clamp(state.place.y(py), -1.5, 1.5)),
    key: ([, dy], fast) => dy && edit("knots", i, clamp(model.get("knots")[i] + 0.05 * fast * dy, -1.5, 1.5)),
  });
}

function picture(scope, model, state, edit) {
  const host = node("div", { class: "bump-plane" });
  const layer = node("div", { role: "group", "aria-label": "Handles of the units" });
  const surface = canvas(
    scope,
    "The target curve, the network's curve with its bends, and the share of each unit. Text and tables below say the same.",
    (context, width, height, theme) => {
      state.place = placeOf(model, width, height);
      drawBuild(model, state.place, state.chosen, context, theme);
      layer.style.setProperty("--line-grip", tone(theme, PURPLE));
      layer.style.setProperty("--bump-own", theme.text);
      drawLever(model, state, context, theme);
      place?.();
    },
    { height: (width) => clamp(width * 0.55, 230, 380) },
  );
  const place = handles(scope, model, state, layer, edit);
  scope.listen(surface, "click", (event) => {
    const { area, x } = state.place;
    if (event.offsetX < area.left || event.offsetX > area.left + area.width) return;
    ask(model, "add", { joint: thousandths(x(event.offsetX)) }).catch(NO_ANSWER);
  });
  host.append(surface, layer);
  return { host, surface };
}

function drawLever(model, { place, chosen }, context, theme) {
  const joint = model.get("joints")[chosen];
  if (joint === undefined || joint < place.low || joint > place.high) return;
  const angle = Math.atan((model.get("slopes")[chosen] * place.yUnit) / place.xUnit);
  const facing = model.get("weights")[chosen] < 0 ? -1 : 1;
  const [x, y] = [place.X(joint), place.Y(0)];
  stroke(context, [[x, y], [x + facing * LEVER * Math.cos(angle), y - LEVER * Math.sin(angle)]], { colour: tone(theme, PURPLE), width: 3, edge: theme.paper });
}

// ------------------------------------------------------------------------------------------------------ one's own net

function counters() {
  const cells = ["units", "parameters", "pieces", "mean squared error"].map((word) => {
    const value = node("strong");
    return { value, whole: node("p", {}, node("span", {}, word), value) };
  });
  const update = (model) => model.get("score").forEach((text, i) => (cells[i].value.textContent = text));
  return { whole: node("div", { class: "bump-counters" }, ...cells.map(({ whole }) => whole)), update };
}

// The chosen unit in numbers.
function unitFields(scope, model, state, edit) {
  const unit = node("select", { name: "unit" });
  scope.listen(unit, "change", () => state.choose(Number(unit.value)));
  const field = (name, label, list, step) => {
    const { low, high } = model.get("choices")[list] ?? { low: -100, high: 100 };
    const box = node("input", { type: "number", name, step, min: low ?? -100, max: high ?? 100, inputmode: "decimal" });
    scope.listen(box, "change", () => {
      if (box.value !== "") return edit(list, state.chosen, box.valueAsNumber);
      missing(scope, label, box, thousandths(model.get(list)[state.chosen]));
      update();
    });
    return { box, list, whole: labelled(label, box) };
  };
  const fields = [field("joint", "Joint", "joints", 0.05), field("slope", "Change of slope", "slopes", 0.1)];
  const left = node("input", { type: "checkbox", name: "left" });
  const flip = labelled("on at the left", left);
  flip.classList.add("dlcore-checkbox");
  scope.listen(left, "change", () => edit("weights", state.chosen, -model.get("weights")[state.chosen]));
  const remove = button(scope, "Remove the unit", () => ask(model, "remove", { unit: state.chosen + 1 }).catch(NO_ANSWER));
  const update = () => {
    const units = model.get("joints").length;
    if (unit.options.length !== units) unit.replaceChildren(...Array.from({ length: units }, (_, i) => node("option", { value: i }, String(i + 1))));
    unit.value = String(state.chosen);
    for (const { box, list } of fields) if (document.activeElement !== box || !box.matches(":focus")) box.value = units ? thousandths(model.get(list)[state.chosen]) : "";
    left.checked = model.get("weights")[state.chosen] < 0;
    for (const control of [unit, left, remove, ...fields.map(({ box }) => box)]) control.disabled = !units;
  };
  const whole = node("div", { class: "dlcore-controls bump-unit", role: "group", "aria-label": "The chosen unit" }, labelled("Unit", unit), ...fields.map((f) => f.whole), flip, remove);
  return { whole, update };
}

function trainButton(scope, model) {
  const made = button(scope, "", () => set(model, "running", !model.get("running")), { class: "dlcore-run", name: "train" });
  const show = () => {
    made.textContent = model.get("running") ? "Pause" : "Train";
    made.dataset.running = model.get("running");
  };
  scope.on(model, "change:running", show);
  show();
  return made;
}

function buildPart(scope, model, state, edit) {
  const act = (word, action) => button(scope, word, () => ask(model, action).catch(NO_ANSWER));
  const { host, surface } = picture(scope, model, state, edit);
  const [tally, fields] = [counters(), unitFields(scope, model, state, edit)];
  const [story, formula] = [node("p", { class: "bump-story" }), node("p", { class: "bump-formula" })];
  const listing = table(scope, "The units as a table", ["unit", "joint", "change of slope", "w", "share"], () => unitRows(model));
  const keys = [
    ["bump-wanted", "target"],
    ["bump-sum", "the network: the sum"],
    ["bump-share", "what each unit adds"],
    ["bump-mine", "the chosen unit"],
  ];
  const legend = node("p", { class: "bump-legend" }, ...keys.map(([mark, text]) => node("span", { class: "bump-key" }, node("i", { class: mark }), text)));
  const rate = slider(scope, model, "learning_rate", "Learning rate", { step: 0.001, words: (v) => v.toFixed(3) });
  const whole = node("div", { class: "bump-part" },
    node("div", { class: "dlcore-controls" }, select(scope, model, "target", "Target", TARGETS), act("Add a unit", "add"), act("Fit the heights", "fit"), act("Scatter", "scatter"), act("Clear", "clear")),
    node("div", { class: "dlcore-controls" }, trainButton(scope, model), rate, slider(scope, model, "bias", "Bias b of the output", { step: 0.05, low: -1.5, high: 1.5, words: shown })),
    host, legend, tally.whole, story, formula, fields.whole, listing,
  );
  const update = () => {
    state.chosen = clamp(state.chosen, 0, Math.max(model.get("joints").length - 1, 0));
    surface.redraw();
    tally.update(model);
    fields.update();
    story.textContent = model.get("story");
    formula.textContent = formulaOf(model);
    listing.refill();
  };
  return { whole, update };
}

const formulaOf = (model) => `ŷ = ${[shown(model.get("bias")), ...model.get("terms")].join(" + ").replaceAll("+ −", "− ")}`;

const unitRows = (model) =>
  model.get("joints").map((joint, i) => [String(i + 1), shown(joint), shown(model.get("slopes")[i]), shown(model.get("weights")[i]), model.get("terms")[i] ?? ""]);

// ---------------------------------------------------------------------------------------------- wide against deep

// The curves of the entrants: lists of places.
function curvesOf(model) {
  const all = pairs(floats(model.get("curves")));
  let start = 0;
  return model.get("entrants").map(({ points }) => all.slice(start, (start += points)));
}

function drawEntrant(model, which, context, width, height, theme) {
  const [low, high] = model.get("limits");
  const curves = curvesOf(model);
  if (!curves.length) return;
  const area = { left: FRAME.left, top: 6, width: width - FRAME.left - FRAME.right, height: height - 28 };
  const { X, Y } = axes(context, area, [low, high], [-0.3, 1.3], theme, { yCount: 3 });
  const at = ([x, y]) => [X(x), Y(clamp(y, -0.3, 1.3))];
  if (which) stroke(context, curves[0].map(at), { colour: theme.muted, width: 1.2, dash: [5, 4] });
  stroke(context, curves[which].map(at), { colour: tone(theme, which === 1 ? PURPLE : GREEN), width: 2.2 });
  for (const place of curves[which].slice(1, -1)) bead(context, ...at(place), 2.6, tone(theme, which === 1 ? PURPLE : GREEN), theme.paper);
}

function comparePart(scope, model) {
  const panels = [0, 1, 2].map((which) => {
    const title = node("strong");
    const words = node("span");
    const surface = canvas(scope, ["The deep network folded by hand.", "The best wide network that was trained.", "The best deep network that was trained."][which] + " The table below says the same in numbers.", (context, width, height, theme) => drawEntrant(model, which, context, width, height, theme), { height: () => 120 });
    return { title, words, surface, whole: node("div", { class: "bump-panel" }, node("p", {}, title, " ", words), surface) };
  });
  const verdict = node("p", { class: "bump-verdict", "aria-live": "polite" });
  const listing = table(scope, "The comparison as a table", ["network", "pieces", "error", "pieces over the seeds"], () => model.get("entrants").map((e) => [e.title, String(e.pieces), e.error, e.spread]));
  const whole = node("div", { class: "bump-part" },
    node("div", { class: "dlcore-controls" }, slider(scope, model, "depth", "Hidden layers of the deep network", { words: (d) => `${d}, of 2 units each` }), trainButton(scope, model), button(scope, "Other seeds", () => ask(model, "seeds").catch(NO_ANSWER))),
    verdict,
    ...panels.map((panel) => panel.whole),
    listing,
  );
  const update = () => {
    model.get("entrants").forEach((entrant, i) => {
      panels[i].title.textContent = entrant.title;
      panels[i].words.textContent = `${entrant.pieces} ${entrant.pieces === 1 ? "piece" : "pieces"}, error ${entrant.error}`;
      panels[i].surface.redraw();
    });
    verdict.textContent = model.get("verdict");
    listing.refill();
  };
  return { whole, update };
}

// ---------------------------------------------------------------------------------------------------------- the rest

function tabs(scope, model) {
  const buttons = Object.entries(VIEWS).map(([view, words]) => button(scope, words, () => set(model, "view", view), { value: view, name: "view" }));
  const update = () => buttons.forEach((made) => made.setAttribute("aria-pressed", String(made.value === model.get("view"))));
  return { whole: node("div", { class: "dlcore-controls", role: "group", "aria-label": "View" }, ...buttons), update };
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Bump builder");
  const push = pusher(scope, model);
  const edit = (name, i, value) => push({ [name]: model.get(name).map((old, k) => (k === i ? thousandths(value) : old)) });
  const state = { chosen: 0, place: null };
  state.place = placeOf(model, 600, 330);
  const [choice, build, compare] = [tabs(scope, model), buildPart(scope, model, state, edit), comparePart(scope, model)];
  const parts = { build, compare };
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(choice.whole, build.whole, compare.whole);

  const update = () => {
    choice.update();
    for (const [name, part] of Object.entries(parts)) part.whole.hidden = name !== model.get("view");
    parts[model.get("view")].update();
  };
  state.choose = (i) => {
    if (state.chosen === i) return;
    state.chosen = i;
    build.update();
  };
  let units = model.get("joints").length;
  scope.on(model, "change:joints", () => {
    if (model.get("joints").length > units) state.chosen = model.get("joints").length - 1; // the new one
    units = model.get("joints").length;
  });
  whenAny(scope, model, ["view", "target", "joints", "slopes", "weights", "bias", "knots", "wanted", "line", "shares", "score", "story", "terms", "entrants", "curves", "verdict"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
