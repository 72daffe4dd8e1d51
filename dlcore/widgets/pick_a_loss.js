// Pick a loss: points that can be dragged, the line that a loss prefers, and each point's cost and slope as bars.

import { NEGATIVE, POSITIVE, above, ask, axes, button, canvas, checkbox, css, floats, frames, labelled, marker, node, number, open, percent, runButton, select, slider, table } from "./kit.js";
import { GREEN, PURPLE, pusher, shown, tag, tone, whenAny } from "./line.js";

const NAMES = { mse: "MSE", mae: "MAE", huber: "Huber", cross_entropy: "cross-entropy", hinge: "hinge" };
const PROBLEMS = { regression: "a line for numbers", classification: "two classes" };
const FRAME = { left: 40, right: 10, top: 20, bottom: 34 };
const REACH = 6;
const ORANGE = { light: "#a84a00", dark: "#ff9f5a" };
// Each loss has a colour and a way of being dashed.
const LOOKS = {
  mse: { colour: ORANGE, dash: [9, 4] },
  mae: { colour: PURPLE, dash: [2, 3] },
  huber: { colour: GREEN, dash: [10, 3, 2, 3] },
  cross_entropy: { colour: GREEN, dash: [10, 3, 2, 3] },
  hinge: { colour: PURPLE, dash: [2, 3] },
};
const EDGE = "rgb(255 255 255 / 0.85)";
const classes = (model) => model.get("problem") === "classification";

// What Python computed of each point: z, the output, the cost, and its slope.
function rows(model) {
  const values = floats(model.get("rows"));
  return Array.from({ length: values.length / 4 }, (_, i) => {
    const [z, output, cost, slope] = values.subarray(4 * i, 4 * i + 4);
    return { z, output, cost, slope };
  });
}

// ------------------------------------------------------------------------------------------------------ the plane

function planeOf(model, width, height) {
  const area = { left: FRAME.left, top: FRAME.top, width: width - FRAME.left - FRAME.right, height: height - FRAME.top - FRAME.bottom };
  const [low, high] = model.get("ends");
  return {
    area,
    X: (x) => area.left + ((x + REACH) / (2 * REACH)) * area.width,
    Y: (t) => area.top + ((high - t) / (high - low)) * area.height,
    at: (px, py) => [((px - area.left) / area.width) * 2 * REACH - REACH, high - ((py - area.top) / area.height) * (high - low)],
  };
}

function trace(context, place, values, { colour, width, dash = [] }) {
  context.save();
  context.beginPath();
  context.rect(place.area.left, place.area.top, place.area.width, place.area.height);
  context.clip();
  context.beginPath();
  values.forEach((y, i) => context.lineTo(place.X(-REACH + (2 * REACH * i) / (values.length - 1)), place.Y(y)));
  context.setLineDash(dash);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
  context.restore();
}

function drawPlane(model, place, context, theme, state) {
  axes(context, place.area, [-REACH, REACH], model.get("ends"), theme, { xLabel: "x", yLabel: classes(model) ? "class t, and p" : "t, and ŷ" });
  const names = model.get("allowed");
  const drawn = floats(model.get("fit_curves"));
  const size = drawn.length / names.length;
  names.forEach((name, k) => {
    if (!model.get("others") || (name === model.get("loss") && model.get("fitted"))) return;
    trace(context, place, drawn.subarray(k * size, (k + 1) * size), { colour: tone(theme, LOOKS[name].colour), width: 1.6, dash: LOOKS[name].dash });
  });
  if (!classes(model)) drawResiduals(model, place, context, theme);
  trace(context, place, floats(model.get("curve")), { colour: theme.paper, width: 6 });
  trace(context, place, floats(model.get("curve")), { colour: theme.accent, width: 3 });
  drawPoints(model, place, context, theme, state);
}

// From each point to the line: the error that the loss judges.
function drawResiduals(model, place, context, theme) {
  const found = rows(model);
  context.save();
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.beginPath();
  model.get("points").forEach(([x, t], i) => {
    if (!found[i]) return;
    const [low, high] = model.get("ends");
    context.moveTo(place.X(x), place.Y(t));
    context.lineTo(place.X(x), place.Y(Math.min(high, Math.max(low, found[i].output))));
  });
  context.stroke();
  context.restore();
}

function drawPoints(model, place, context, theme, state) {
  const found = rows(model);
  model.get("points").forEach(([x, t], i) => {
    const wrong = classes(model) && found[i] && found[i].z > 0 !== t > 0;
    marker(context, place.X(x), place.Y(t), classes(model) ? 2 * t - 1 : 1, 5.5, wrong ? theme.paper : EDGE, wrong);
    if (state.chosen === i) ring(context, place.X(x), place.Y(t), theme);
  });
}

function ring(context, x, y, theme) {
  for (const [width, style] of [
    [5, theme.paper],
    [2.5, theme.accent],
  ]) {
    context.beginPath();
    context.arc(x, y, 10, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
}

// ------------------------------------------------------------------------------------------------------- the bars

// A round number that is not below `value`: the scale of the bars grows in jumps, so that growing bars are seen to grow.
function roof(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((m) => m * power).find((limit) => limit >= value * 0.999999);
}

// A frame with three marks at its left, and its words above it. `low` and `high` are the values at its bottom and top.
function upright(context, area, low, high, theme, words) {
  const Y = (value) => area.top + ((high - value) / (high - low)) * area.height;
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.muted;
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of [low, (low + high) / 2, high]) {
    context.fillText(String(Number(value.toPrecision(3))).replace("-", "−"), area.left - 5, Y(value));
    context.beginPath();
    context.moveTo(area.left, Y(value));
    context.lineTo(area.left + area.width, Y(value));
    context.stroke();
  }
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(words, area.left, area.top - 4);
  context.strokeRect(area.left, area.top, area.width, area.height);
  return Y;
}

function drawBars(model, what, context, width, height, theme, state) {
  const area = { left: FRAME.left, top: 20, width: width - FRAME.left - FRAME.right, height: height - 28 };
  const values = rows(model).map((row) => row[what]);
  const most = roof(Math.max(1, ...values.map(Math.abs)));
  const either = what === "slope";
  const Y = upright(context, area, either ? -most : 0, most, theme, either ? "slope of each cost as the line rises" : "cost of each point");
  const broad = Math.min(12, area.width / 30);
  model.get("points").forEach(([x], i) => {
    if (values[i] === undefined) return;
    const middle = area.left + ((x + REACH) / (2 * REACH)) * area.width;
    const [top, bottom] = [Y(Math.max(0, values[i])), Y(Math.min(0, values[i]))];
    const tall = Math.max(1, bottom - top);
    context.fillStyle = either ? css(values[i] < 0 ? NEGATIVE : POSITIVE) : theme.muted;
    context.fillRect(middle - broad / 2, top, broad, tall);
    if (state.chosen !== i) return;
    context.strokeStyle = theme.accent;
    context.lineWidth = 2.5;
    context.strokeRect(middle - broad / 2 - 2, top - 2, broad + 4, tall + 4);
    const side = middle > area.left + area.width - 60 ? -1 : 1;
    tag(context, theme, shown(values[i]), middle + side * (broad / 2 + 26), Math.min(area.top + area.height - 9, Math.max(area.top + 9, (top + bottom) / 2)), theme.text);
  });
}

// -------------------------------------------------------------------------------------------------- the descent

function drawHistory(model, context, width, height, theme) {
  const values = floats(model.get("history"));
  const losses = values.filter((_, k) => k % 2 === 0);
  const steps = Math.max(1, losses.length - 1);
  const area = { left: 46, top: 20, width: width - 56, height: height - 44 };
  const Y = upright(context, area, 0, roof(Math.max(1e-3, ...losses)), theme, classes(model) ? "loss; dashed: share right, 0 to 1" : "loss");
  const X = (k) => area.left + (k / steps) * area.width;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillText(losses.length > 1 ? `${steps} ${steps === 1 ? "step" : "steps"} of gradient descent` : "no steps with this loss yet", area.left + area.width / 2, area.top + area.height + 6);
  const curve = (y, colour, dash) => {
    context.save();
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = 2.5;
    context.beginPath();
    losses.forEach((_, k) => context.lineTo(X(k), y(k)));
    context.stroke();
    context.restore();
  };
  if (losses.length < 2) return;
  curve((k) => Y(losses[k]), theme.accent, []);
  if (classes(model)) curve((k) => area.top + (1 - values[2 * k + 1]) * area.height, theme.muted, [6, 4]);
}

// ------------------------------------------------------------------------------------------------------- handles

// One handle for each point. In a classification up and down change the class.
function handles(scope, model, host, place, push, state, redraw) {
  const layer = node("div", { class: "loss-handles", role: "group", "aria-label": "The points: drag them, or move them with the arrow keys" });
  const spots = [];
  let held = null;
  host.append(layer);

  const put = (i, x, t) => {
    const [low, high] = [-REACH, REACH];
    const within = (value) => Number(Math.min(high, Math.max(low, value)).toFixed(2));
    const moved = model.get("points").map((pair) => [...pair]);
    moved[i] = [within(x), classes(model) ? (t > 0.5 ? 1 : 0) : within(t)];
    push({ points: moved });
    redraw();
  };
  const pointed = (event) => {
    const box = host.getBoundingClientRect();
    return place().at(event.clientX - box.left, event.clientY - box.top);
  };
  const choose = (i) => {
    state.chosen = i;
    redraw();
  };

  const add = (i) => {
    const spot = node("button", { type: "button", class: "dlcore-grip loss-handle" });
    scope.listen(spot, "focus", () => choose(i));
    scope.listen(spot, "blur", () => choose(-1));
    scope.listen(spot, "pointerenter", () => choose(i));
    scope.listen(spot, "pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      spot.focus({ preventScroll: true });
      spot.setPointerCapture(event.pointerId);
      const [x, t] = model.get("points")[i];
      const [px, pt] = pointed(event);
      held = { i, offset: [x - px, t - pt] };
    });
    scope.listen(spot, "pointermove", (event) => {
      if (held?.i !== i) return;
      const [x, t] = pointed(event);
      put(i, x + held.offset[0], t + held.offset[1]);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) scope.listen(spot, end, () => (held = null));
    scope.listen(spot, "keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const [x, t] = model.get("points")[i];
      const step = event.shiftKey ? 1 : 0.2;
      put(i, x + step * way[0], classes(model) ? (way[1] ? (way[1] + 1) / 2 : t) : t + step * way[1]);
    });
    spots.push(spot);
    layer.append(spot);
  };

  const update = () => {
    const points = model.get("points");
    while (spots.length < points.length) add(spots.length);
    spots.forEach((spot, i) => {
      spot.hidden = i >= points.length;
      if (spot.hidden) return;
      const [x, t] = points[i];
      spot.style.left = `${place().X(x)}px`;
      spot.style.top = `${place().Y(t)}px`;
      const way = classes(model) ? "left and right move it, up and down change its class" : "the arrow keys move it";
      spot.setAttribute("aria-label", `Point ${i + 1}: x ${shown(x)}, ${classes(model) ? "class" : "t"} ${classes(model) ? t : shown(t)}; ${way}`);
    });
  };
  scope.endings.push(() => layer.remove());
  return { update };
}

// ------------------------------------------------------------------------------------------------------- controls

// A slider that moves the line, and so takes it from the fit.
function mover(scope, model, push, name, word, reach) {
  const control = node("input", { type: "range", name, min: -reach, max: reach, step: 0.05 });
  const said = node("output", {});
  const show = () => {
    control.value = model.get(name);
    said.textContent = shown(model.get(name));
    control.setAttribute("aria-valuetext", said.textContent);
  };
  scope.listen(control, "input", () => {
    said.textContent = shown(Number(control.value));
    push({ [name]: Number(control.value), fitted: false });
  });
  scope.on(model, `change:${name}`, show);
  show();
  return labelled(word, control, said);
}

const words = (name, long) => long && NAMES[name] + (name === "mse" ? " of the sigmoid" : "");

// The losses that suit the problem.
function losses(scope, model) {
  const control = node("select", { name: "loss" });
  const show = () => {
    control.replaceChildren(...model.get("allowed").map((name) => node("option", { value: name }, (classes(model) && words(name, name === "mse")) || NAMES[name])));
    control.value = model.get("loss");
  };
  scope.listen(control, "change", () => {
    model.set("loss", control.value);
    model.save_changes();
  });
  scope.on(model, "change:allowed", show);
  scope.on(model, "change:loss", show);
  show();
  return labelled("Loss", control);
}

function dashed(dash, name) {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  line.setAttribute("viewBox", "0 0 30 6");
  line.setAttribute("class", `loss-line loss-line-${name}`);
  line.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M0 3H30");
  path.setAttribute("stroke-dasharray", dash.join(" "));
  line.append(path);
  return line;
}

function legend(model) {
  const whole = node("p", { class: "loss-legend" });
  const update = () => {
    const keys = [[dashed([], "now"), model.get("fitted") ? `${NAMES[model.get("loss")]}, the line now` : "the line now"]];
    for (const name of model.get("allowed")) {
      if (!model.get("others") || (name === model.get("loss") && model.get("fitted"))) continue;
      keys.push([dashed(LOOKS[name].dash, name), `fit of ${NAMES[name]}: ${shown(model.get("fits")[name][2])}`]);
    }
    whole.replaceChildren(...keys.map(([line, text]) => node("span", { class: "loss-key" }, line, text)));
    if (classes(model)) whole.append(node("span", { class: "loss-key" }, node("i", { class: "loss-square" }), "class 0"), node("span", { class: "loss-key" }, node("i", { class: "loss-disc" }), "class 1, hollow: on the wrong side"));
  };
  return { whole, update };
}

const tableRows = (model) => {
  const found = rows(model);
  return model.get("points").map(([x, t], i) => {
    const { z, output, cost, slope } = found[i];
    return [String(i + 1), shown(x), shown(t), shown(z), shown(output), above(cost, 3), slope.toFixed(3).replace("-", "−"), classes(model) ? (z > 0 === t > 0 ? "right" : "wrong") : "–"];
  });
};

function historyRows(model) {
  const values = floats(model.get("history"));
  const count = values.length / 2;
  const stride = Math.max(1, Math.ceil(count / 40));
  return Array.from({ length: count }, (_, k) => k)
    .filter((k) => k % stride === 0 || k === count - 1)
    .map((k) => [String(k), above(values[2 * k], 4), classes(model) ? percent(values[2 * k + 1]) : "–"]);
}

// --------------------------------------------------------------------------------------------------------- the rest

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Pick a loss");
  const state = { chosen: -1 };
  const push = pusher(scope, model);
  let place = planeOf(model, 320, 260);
  const host = node("div", { class: "loss-plane" });
  const surface = canvas(scope, "The plane: points, the line as it is, and the lines that the losses prefer. The table of points below says the same in numbers.", (context, width, height, theme) => {
    place = planeOf(model, width, height);
    drawPlane(model, place, context, theme, state);
    grips.update();
    for (const [name, { colour }] of Object.entries(LOOKS)) frame.style.setProperty(`--loss-${name.replace("_", "-")}`, tone(theme, colour));
  }, { height: (width) => Math.min(340, Math.max(230, 0.62 * width)) });
  const bars = ["cost", "slope"].map((what) =>
    canvas(scope, `${what === "cost" ? "What each point costs" : "The slope of each point's cost"}, as a bar below the point. The table of points below says the same in numbers.`, (context, width, height, theme) => drawBars(model, what, context, width, height, theme, state), { height: () => (what === "cost" ? 92 : 116) }),
  );
  const course = canvas(scope, "The loss after each step of gradient descent since it was started. The table of steps below says the same in numbers.", (context, width, height, theme) => drawHistory(model, context, width, height, theme), { height: () => 170 });
  const redraw = () => {
    surface.redraw();
    for (const bar of bars) bar.redraw();
  };
  const grips = handles(scope, model, host, () => place, push, state, redraw);
  host.prepend(surface);

  const key = legend(model);
  const delta = slider(scope, model, "delta", "δ of Huber's loss", { step: 0.1, words: shown });
  const act = (name) => () => ask(model, name).catch(() => {});
  const texts = ["score", "story", "pull", "move"].map((name) => ({ name, part: node("p", { class: `loss-${name}` }) }));
  const listings = [
    table(scope, "The points as a table", ["point", "x", "t", "z", "output", "cost", "slope", "side"], () => tableRows(model)),
    table(scope, "The steps as a table", ["step", "loss", "right"], () => historyRows(model)),
  ];
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(
    node("div", { class: "dlcore-controls" }, select(scope, model, "problem", "Task", PROBLEMS), losses(scope, model), delta, checkbox(scope, model, "others", "fits of all losses"), button(scope, "New points", act("draw")), button(scope, "Reset points", act("reset"))),
    node(
      "div",
      { class: "dlcore-parts loss-parts" },
      node("div", { class: "loss-left" }, host, key.whole, ...bars),
      node(
        "div",
        { class: "loss-right" },
        node("div", { class: "loss-texts" }, ...texts.map(({ part }) => part)),
        node("div", { class: "dlcore-controls", role: "group", "aria-label": "Move the line yourself" }, mover(scope, model, push, "w", "w of the line", 8), mover(scope, model, push, "b", "b of the line", 12), button(scope, "Fit", act("fit"))),
        node("div", { class: "dlcore-controls", role: "group", "aria-label": "Gradient descent" }, button(scope, "Start at 0", act("start")), button(scope, "Start surely wrong", act("start_wrong")), button(scope, "Step", act("step")), runButton(scope, model), number(scope, model, "learning_rate", "learning rate")),
        course,
      ),
    ),
    ...listings,
  );

  const update = () => {
    redraw();
    course.redraw();
    key.update();
    delta.hidden = model.get("loss") !== "huber";
    for (const { name, part } of texts) part.textContent = model.get(name);
    for (const listing of listings) listing.refill();
  };
  whenAny(scope, model, ["points", "rows", "curve", "fit_curves", "fits", "allowed", "loss", "problem", "others", "fitted", "w", "b", "history", "score", "story", "pull", "move"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
