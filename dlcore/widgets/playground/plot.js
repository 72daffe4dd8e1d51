// The large plot: what one unit says of every point of [-6, 6]², and the points. A click places a point of one's own.

import { NEGATIVE, POSITIVE, axes, button, canvas, checkbox, colour, css, floats, freshId, heat, marker, missing, node } from "../kit.js";
import { PARTS, nameOf, placeOf, shapeOf } from "./state.js";

const REACH = 6;
const STRENGTH = 0.62; // of the map's colours, so that points stand out from it
const MARGIN = { left: 28, right: 8, top: 18, bottom: 34 };

// Returns {element, redraw}.
export function plot(scope, model, view) {
  const title = node("strong");
  const scale = node("span", { class: "pg-scale", "aria-hidden": "true" }, "−1", node("span"), "+1");
  const points = pointLayer();
  let picture = null;
  const surface = canvas(
    scope,
    "What the network says of every point, with the data; the summary has it in words",
    (context, width, height, theme) => {
      const area = areaOf(width);
      const unit = shownUnit(model, view);
      picture = heatOf(model, view, unit, theme, picture);
      drawMap(context, area, picture);
      axes(context, area, [-REACH, REACH], [-REACH, REACH], theme, { xLabel: "x₁", yLabel: "x₂", grid: false, xCount: 6, yCount: 6 });
      context.drawImage(points(model, area, theme), area.left, area.top, area.width, area.height);
    },
    { height: (width) => areaOf(width).height + MARGIN.top + MARGIN.bottom },
  );
  const own = ownPoints(scope, model, view);
  scope.listen(surface, "click", (event) => {
    if (!own.active()) return;
    const area = areaOf(surface.clientWidth);
    const x1 = ((event.offsetX - area.left) / area.width) * 2 * REACH - REACH;
    const x2 = REACH - ((event.offsetY - area.top) / area.height) * 2 * REACH;
    if (Math.max(Math.abs(x1), Math.abs(x2)) <= REACH) own.click(x1, x2);
  });
  const redraw = () => {
    const unit = shownUnit(model, view);
    const last = shapeOf(model).length - 1;
    const name = unit.layer === last ? "Output" : nameOf(model, unit);
    if (title.textContent !== name) title.textContent = name;
    const bar = [-1, -0.5, 0, 0.5, 1].map((v) => css(colour(v, view.theme.dark), STRENGTH)).join(", ");
    scale.children[0].style.background = `linear-gradient(90deg, ${bar})`;
    surface.style.cursor = own.active() ? "crosshair" : "";
    surface.redraw();
  };
  const switches = [["show_test", "Show test points"], ["discretize", "Discretize output"]].map(([name, label]) => {
    const whole = checkbox(scope, model, name, label);
    whole.dataset.control = name;
    scope.on(model, `change:${name}`, view.soon);
    return whole;
  });
  const head = node("div", { class: "pg-row" }, title, scale);
  const element = node("div", { class: "pg-plot" }, head, surface, pointLegend(), node("div", { class: "pg-switches" }, ...switches), own.element);
  return { element, redraw };
}

const shownUnit = (model, view) => view.hovered ?? view.pinned ?? { layer: shapeOf(model).length - 1, index: 0 };

const areaOf = (width) => {
  const side = width - MARGIN.left - MARGIN.right;
  return { left: MARGIN.left, top: MARGIN.top, width: side, height: side };
};

function heatOf(model, view, unit, theme, reuse) {
  const side = model.get("resolution");
  const start = placeOf(model, unit) * side * side;
  if (start < 0 || view.numbers.maps.length < start + side * side) return reuse;
  return heat(view.numbers.maps, start, side, theme.dark, model.get("discretize"), reuse);
}

// The map's first column stands at -6 and its last at 6, so half a pixel lies outside on each side.
function drawMap(context, { left, top, width, height }, picture) {
  if (!picture) return;
  const half = width / (picture.width - 1) / 2;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.globalAlpha = STRENGTH;
  context.drawImage(picture, left - half, top - half, width + 2 * half, height + 2 * half);
  context.restore();
}

// The points on a canvas of their own, drawn anew only when they, the size or the theme change.
function pointLayer() {
  const layer = document.createElement("canvas");
  let painted = "";
  let of = null;
  return (model, area, theme) => {
    const sharp = window.devicePixelRatio || 1;
    const shown = model.get("show_test") || model.get("dataset") === "own"; // whoever places a point wants to see it
    const key = [area.width, sharp, theme.dark, shown].join();
    if (of === model.get("points") && painted === key) return layer;
    [of, painted] = [model.get("points"), key];
    layer.width = layer.height = Math.max(1, Math.round(area.width * sharp));
    const context = layer.getContext("2d");
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    const rows = floats(of);
    const size = Math.max(2.4, Math.min(3.4, area.width / 95));
    const X = (x) => ((x + REACH) / (2 * REACH)) * area.width;
    for (let i = 0; i < rows.length; i += 4) {
      const part = rows[i + 3];
      if (part !== PARTS.train && !shown) continue;
      const small = { [PARTS.test]: 0.85, [PARTS.validation]: 0.6 }[part] ?? 1;
      marker(context, X(rows[i]), X(-rows[i + 1]), rows[i + 2], size * small, theme.paper, part !== PARTS.train);
    }
    return layer;
  };
}

function pointLegend() {
  const shape = (kind) => node("span", { class: `pg-marker pg-${kind}` });
  const part = (kind, words) => node("span", {}, shape(kind), words);
  const element = node("p", { class: "pg-legend" }, part("disc", "positive"), part("square", "negative"), node("span", {}, shape("hollow"), "hollow: test"));
  element.style.setProperty("--pg-positive-colour", css(POSITIVE));
  element.style.setProperty("--pg-negative-colour", css(NEGATIVE));
  return element;
}

// --------------------------------------------------------------------------------------------------- points of one's own

function ownPoints(scope, model, view) {
  const field = (label, attributes) => {
    const input = node("input", { type: "number", id: freshId("point"), ...attributes });
    return { label, input, whole: node("div", { class: "dlcore-control" }, node("label", { for: input.id }, label), input) };
  };
  const x1 = field("x₁", { min: -REACH, max: REACH, step: 0.1, value: 0 });
  const x2 = field("x₂", { min: -REACH, max: REACH, step: 0.1, value: 0 });
  const target = field("target", { min: -1, max: 1, step: 0.1, value: 1 });
  const kind = node("select", { id: freshId("class") }, node("option", { value: 1 }, "+1 ●"), node("option", { value: -1 }, "−1 ■"));
  const kindWhole = node("div", { class: "dlcore-control" }, node("label", { for: kind.id }, "class"), kind);
  // Where the point lies was clicked, or is read from fields; what it is comes from a field in either case.
  const add = (read, place) => {
    const regression = model.get("problem") === "regression";
    const empty = (regression ? [...read, target] : read).find(({ input }) => input.value === "");
    if (empty) return missing(scope, empty.label, empty.input, "its points");
    const [a, b] = place ?? read.map(({ input }) => input.valueAsNumber);
    return view.act("add_point", { x1: Number(a.toFixed(2)), x2: Number(b.toFixed(2)), target: Number(regression ? target.input.value : kind.value) });
  };
  const fields = node("div", { class: "pg-fields" }, x1.whole, x2.whole, kindWhole, target.whole);
  const buttons = node(
    "div",
    { class: "pg-row" },
    button(scope, "Add point", () => add([x1, x2])),
    button(scope, "Clear points", () => view.act("clear_points")),
  );
  const words = node("p", {}, "Click the plot, or type a place. The first point replaces the data set.");
  const element = node("details", { class: "pg-own", "data-control": "own_points" }, node("summary", {}, "Points of your own"), words, fields, buttons);
  const show = () => {
    const regression = model.get("problem") === "regression";
    kindWhole.hidden = regression;
    target.whole.hidden = !regression;
  };
  scope.on(model, "change:problem", show);
  scope.listen(element, "toggle", view.soon);
  show();
  const active = () => element.open && !element.hidden;
  return { element, click: (a, b) => add([], [a, b]), active };
}
