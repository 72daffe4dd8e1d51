// Capacity dial: the error over the width, as the reader expects it and as it is, and what one network answers.

import { above, ask, axes, button, canvas, floats, frames, labelled, node, open, percent, runButton, select, set, slider, table } from "./kit.js";
import { GREEN, PURPLE, pusher, tone, whenAny } from "./line.js";

const EDGES = { left: 38, right: 16, top: 24, bottom: 38 };
const COLUMNS = 7; // width; lowest, median, highest of those trained on; the same of the test
const SIDE = 14; // pixels of a picture
const PLACES = 41; // along the line between two pictures
const PAPER = [250, 250, 250]; // in both themes: ink is dark, as in the digits
const INK = [25, 25, 32];
const MARKS = [2, 5, 10, 20, 50, 100, 200, 600];
const DIGITS = [...Array(10).keys()];
const ORANGE = { light: "#a84a00", dark: "#ff9f5a" };

const shortly = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3))));
const strength = (value) => (value <= -6 ? "none" : shortly(10 ** value));
const until = (value) => (value >= 7 ? "no end" : `${shortly(Math.round(10 ** value))} steps`);
const a = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

const rowsOf = (model) => {
  const values = floats(model.get("curve"));
  return Array.from({ length: values.length / COLUMNS }, (_, k) => [...values.subarray(COLUMNS * k, COLUMNS * (k + 1))]);
};

// ------------------------------------------------------------------------------------------------------ the curves

const areaOf = (width, height) => ({ left: EDGES.left, top: EDGES.top, width: width - EDGES.left - EDGES.right, height: height - EDGES.top - EDGES.bottom });
const ends = (model) => [model.get("knots")[0], model.get("knots").at(-1)];
const across = (model, width) => Math.log(width / ends(model)[0]) / Math.log(ends(model)[1] / ends(model)[0]);

function trace(context, points, colour, { dash = [], width = 2.5 } = {}) {
  context.save();
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.setLineDash(dash);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
  context.restore();
}

// The band from the lowest to the highest seed, and the median; paler where the dials have changed since.
function drawErrors(context, place, rows, first, colour, dash, marker) {
  context.save();
  context.globalAlpha *= 0.16;
  context.fillStyle = colour;
  context.beginPath();
  for (const row of rows) context.lineTo(place.X(row[0]), place.Y(row[first]));
  for (const row of [...rows].reverse()) context.lineTo(place.X(row[0]), place.Y(row[first + 2]));
  context.fill();
  context.restore();
  trace(context, rows.map((row) => [place.X(row[0]), place.Y(row[first + 1])]), colour, { dash });
  context.fillStyle = colour;
  for (const row of rows) marker(context, place.X(row[0]), place.Y(row[first + 1]));
}

// Above the frame and right of its numbers, so that the two do not touch.
function title(context, area, words) {
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(words, area.left, area.top - 5);
}

const disc = (context, x, y) => {
  context.beginPath();
  context.arc(x, y, 3, 0, 2 * Math.PI);
  context.fill();
};
const square = (context, x, y) => context.fillRect(x - 2.5, y - 2.5, 5, 5);

function drawScale(context, model, area, theme) {
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillStyle = theme.muted;
  for (const mark of area.width < 300 ? MARKS.filter((_, i) => i % 2 === 0) : MARKS) context.fillText(String(mark), area.left + across(model, mark) * area.width, area.top + area.height + 4);
  context.fillText("units (width)", area.left + area.width / 2, area.top + area.height + 19);
}

function drawChart(model, place, context, theme) {
  const { area } = place;
  axes(context, area, [0, 1], [0, 100], theme, { xCount: 0.4, yCount: 5 });
  title(context, area, "wrong answers, %");
  context.clearRect(area.left - 4, area.top + area.height + 1, area.width + EDGES.right + 4, EDGES.bottom);
  drawScale(context, model, area, theme);
  const limit = place.X(model.get("examples"));
  trace(context, [[limit, area.top], [limit, area.top + area.height]], theme.muted, { dash: [2, 4], width: 1.5 });
  const chosen = place.X(model.get("width"));
  trace(context, [[chosen, area.top], [chosen, area.top + area.height]], theme.accent, { width: 1.5 });
  const rows = rowsOf(model);
  const done = model.get("done");
  for (const [part, alpha] of [
    [rows.slice(Math.max(0, done - 1)), done < rows.length ? 0.35 : 0],
    [rows.slice(0, done), 1],
  ]) {
    if (!part.length || !alpha) continue;
    context.save();
    context.globalAlpha = alpha;
    drawErrors(context, place, part, 1, tone(theme, GREEN), [6, 4], square);
    drawErrors(context, place, part, 4, tone(theme, PURPLE), [], disc);
    context.restore();
  }
}

// ---------------------------------------------------------------------------------------------- the reader's curve

// Sliders that stand on end in the chart, one for each knot; a stroke of the pointer bends the curve at all it passes.
function drawing(scope, model, push, place, redraw) {
  const knots = model.get("knots");
  const heights = () => (model.get("guess").length ? [...model.get("guess")] : knots.map(() => 50));
  const bend = (i, height) => {
    const now = heights();
    now[i] = Math.round(Math.min(100, Math.max(0, height)));
    push({ guess: now });
    redraw();
  };
  const spots = knots.map((knot, i) => {
    const control = node("input", { type: "range", class: "capacity-knot", name: `guess-${i + 1}`, min: 0, max: 100, step: 1, "aria-label": `Your guess of the test error at ${knot} units, %` });
    scope.listen(control, "input", () => bend(i, Number(control.value)));
    return control;
  });
  const layer = node("div", { class: "capacity-knots", role: "group", "aria-label": "The test error that you expect" }, ...spots);
  const update = () => {
    const own = heights();
    spots.forEach((spot, i) => {
      spot.style.left = `${place().X(knots[i])}px`;
      spot.style.top = `${place().Y(own[i])}px`;
      spot.value = own[i];
      spot.setAttribute("aria-valuetext", model.get("guess").length ? percent(own[i] / 100) : "nothing drawn");
    });
    layer.dataset.empty = !model.get("guess").length;
  };
  return { layer, bend, update, heights };
}

function drawByPointer(scope, model, surface, place, strokes) {
  let last = null;
  const at = (event) => {
    const { left, top, width, height } = place().area;
    return [(event.offsetX - left) / width, 100 * (1 - (event.offsetY - top) / height)];
  };
  const stroke = (event) => {
    const here = at(event);
    const [from, to] = [last ?? here, here].sort((p, q) => p[0] - q[0]);
    const shares = model.get("knots").map((knot) => across(model, knot));
    const nearest = shares.reduce((best, share, i) => (Math.abs(share - here[0]) < Math.abs(shares[best] - here[0]) ? i : best), 0);
    shares.forEach((share, i) => {
      if (i === nearest) strokes.bend(i, here[1]);
      else if (share > from[0] && share < to[0]) strokes.bend(i, from[1] + ((share - from[0]) / (to[0] - from[0] || 1)) * (to[1] - from[1]));
    });
    last = here;
  };
  scope.listen(surface, "pointerdown", (event) => {
    if (event.button) return;
    surface.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
  });
  scope.listen(surface, "pointermove", (event) => last && stroke(event));
  for (const type of ["pointerup", "pointercancel"]) scope.listen(surface, type, () => (last = null));
}

// ---------------------------------------------------------------------------------------------------- the answers

// A picture of 14 × 14 pixels, on a canvas of its own size.
function picture(model, which, reuse) {
  const view = model.get("ends");
  const context = reuse.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const share = view.getUint8(which * SIDE * SIDE + i) / 255;
    PAPER.forEach((light, k) => (image.data[4 * i + k] = light + share * (INK[k] - light)));
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return reuse;
}

// Ten outputs on the way from one picture to another; those of the two digits stand out.
function drawAnswers(model, smalls, context, width, height, theme) {
  const area = { left: 38, top: 24, width: width - 48, height: height - 86 };
  const values = floats(model.get("line"));
  const [start, end] = [model.get("start"), model.get("end")];
  const top = Math.max(1.5, ...values.map(Math.abs));
  const { X, Y } = axes(context, area, [0, 1], [-top, top], theme, { xCount: 0.4, yCount: 4 });
  title(context, area, `outputs, ${model.get("width")} units, first seed`);
  context.clearRect(area.left - 4, area.top + area.height + 1, width, height);
  trace(context, [[X(0), Y(0)], [X(1), Y(0)]], theme.muted, { width: 1 });
  const line = (digit) => Array.from({ length: PLACES }, (_, k) => [X(k / (PLACES - 1)), Y(values[10 * k + digit])]);
  for (const digit of DIGITS) if (digit !== start && digit !== end) trace(context, line(digit), theme.line, { width: 1.5 });
  trace(context, line(start), tone(theme, ORANGE), { width: 3 });
  if (end !== start) trace(context, line(end), theme.accent, { dash: [8, 4], width: 3 });
  context.imageSmoothingEnabled = false;
  const side = 42;
  const below = area.top + area.height + 8;
  [area.left, area.left + area.width - side].forEach((left, i) => context.drawImage(picture(model, i, smalls[i]), left, below, side, side));
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.muted;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const words = "from one test picture to the other";
  const room = area.width - 2 * side - 12;
  const lines = context.measureText(words).width <= room ? [words] : ["from one test", "picture to the other"];
  lines.forEach((line, i) => context.fillText(line, area.left + area.width / 2, below + side / 2 + 15 * (i - (lines.length - 1) / 2)));
}

// ------------------------------------------------------------------------------------------------------- controls

// A slider over the widths of the curve, which lie close together where it matters.
function widths(scope, model) {
  const control = node("input", { type: "range", name: "width", min: 0, step: 1 });
  const said = node("output", {});
  const nearest = () => {
    const places = model.get("places");
    const gap = (width) => Math.abs(Math.log(width / model.get("width")));
    return places.reduce((best, width, i) => (gap(width) < gap(places[best]) ? i : best), 0);
  };
  const show = () => {
    control.max = model.get("places").length - 1;
    control.value = nearest();
    said.textContent = `${model.get("width")} units`;
    control.setAttribute("aria-valuetext", said.textContent);
  };
  scope.listen(control, "input", () => set(model, "width", model.get("places")[Number(control.value)]));
  scope.on(model, "change:width", show);
  scope.on(model, "change:places", show);
  show();
  return labelled("Width", control, said);
}

function legend() {
  const key = (kind, words) => node("span", { class: "capacity-key" }, node("i", { class: `capacity-${kind}` }), words);
  return node("p", { class: "capacity-legend" }, key("train", "trained on (squares)"), key("test", "test (discs)"), key("own", "your guess"), key("limit", "as many units as examples"));
}

const tableRows = (model) => rowsOf(model).map((row, k) => [String(row[0]), ...row.slice(1).map((value) => above(value, 0)), k < model.get("done") ? "yes" : "no"]);

function answerRows(model) {
  const values = floats(model.get("line"));
  return Array.from({ length: PLACES }, (_, k) => k)
    .filter((k) => k % 5 === 0)
    .map((k) => [(k / (PLACES - 1)).toFixed(3), ...DIGITS.map((digit) => values[10 * k + digit].toFixed(2).replace("-", "−"))]);
}

// --------------------------------------------------------------------------------------------------------- the rest

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Capacity dial");
  const push = pusher(scope, model);
  let area = areaOf(320, 260);
  const place = () => ({ area, X: (width) => area.left + across(model, width) * area.width, Y: (share) => area.top + (1 - share / 100) * area.height });
  const surface = canvas(
    scope,
    "Wrong answers over the number of units, on the digits trained on and in the test. Draw the test error that you expect here with the pointer; the sliders in it do the same by keyboard. The table of curves below has the numbers.",
    (context, width, height, theme) => {
      area = areaOf(width, height);
      drawChart(model, place(), context, theme);
      for (const [name, shade] of Object.entries({ train: GREEN, test: PURPLE, start: ORANGE })) frame.style.setProperty(`--capacity-${name}`, tone(theme, shade));
      if (model.get("guess").length) trace(context, model.get("knots").map((knot, i) => [place().X(knot), place().Y(strokes.heights()[i])]), theme.text, { dash: [7, 5] });
      strokes.update();
    },
    { height: (width) => Math.min(340, Math.max(230, 0.62 * width)) },
  );
  surface.classList.add("capacity-chart");
  const strokes = drawing(scope, model, push, place, () => surface.redraw());
  drawByPointer(scope, model, surface, place, strokes);
  const smalls = [0, 1].map(() => Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE }));
  const answers = canvas(scope, "The ten outputs of one network on the way from one test picture to another. The table of outputs below has the numbers.", (context, width, height, theme) => drawAnswers(model, smalls, context, width, height, theme), {
    height: (width) => Math.min(340, Math.max(250, 0.62 * width)),
  });
  const gauge = node("progress", { max: 1, value: 0, "aria-label": "Widths measured" });
  const texts = ["verdict", "course"].map((name) => ({ name, part: node("p", { class: `capacity-${name}` }) }));
  const who = node("p", { class: "capacity-legend" });
  const listings = [
    table(scope, "The curves as a table", ["units", "trained on: lowest", "median", "highest", "test: lowest", "median", "highest", "with these dials"], () => tableRows(model)),
    table(scope, "The outputs as a table", ["way", ...DIGITS.map(String)], () => answerRows(model)),
  ];
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  const dial = (name, label, how) => slider(scope, model, name, label, how);
  body.append(
    node("div", { class: "dlcore-controls" }, runButton(scope, model), button(scope, "Erase my curve", () => push({ guess: [] })), button(scope, "Reset", () => ask(model, "reset").catch(() => {})), gauge),
    node(
      "div",
      { class: "dlcore-controls capacity-dials", role: "group", "aria-label": "Dials" },
      widths(scope, model),
      dial("examples", "Examples", { step: 10 }),
      dial("label_noise", "Wrong labels", { step: 0.05, words: (value) => percent(value) }),
      dial("penalty", "Penalty λ", { step: 0.25, words: strength }),
      dial("dropout", "Dropout", { step: 0.05, words: (value) => String(Number(value.toFixed(2))) }),
      dial("stop", "Stop early", { step: 0.25, words: until }),
    ),
    node("div", { class: "dlcore-parts capacity-parts" }, node("div", {}, node("div", { class: "capacity-host" }, surface, strokes.layer), legend()), node("div", {}, answers, who, node("div", { class: "dlcore-controls" }, select(scope, model, "start", "From a", {}, DIGITS), select(scope, model, "end", "to a", {}, DIGITS)))),
    node("div", { class: "capacity-texts" }, ...texts.map(({ part }) => part)),
    ...listings,
  );

  const update = () => {
    surface.redraw();
    answers.redraw();
    gauge.max = model.get("places").length;
    gauge.value = model.get("done");
    who.replaceChildren(node("span", { class: "capacity-key" }, node("i", { class: "capacity-start" }), `output for ${a(model.get("start"))}`), node("span", { class: "capacity-key" }, node("i", { class: "capacity-end" }), `for ${a(model.get("end"))}`), node("span", { class: "capacity-key" }, node("i", { class: "capacity-others" }), "the other eight"));
    for (const { name, part } of texts) part.textContent = model.get(name);
    for (const listing of listings) listing.refill();
  };
  whenAny(scope, model, ["curve", "done", "places", "guess", "line", "ends", "width", "examples", "start", "end", "verdict", "course"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
