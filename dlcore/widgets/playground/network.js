// The network: inputs that can be switched, layers that grow and shrink, each unit a button with its map.

import { Scope, button, canvas, colour, css, heat, node, set } from "../kit.js";
import { geometryOf, inputRows, linkAt } from "./geometry.js";
import { FEATURES, paintFeature } from "./icons.js";
import { paintLinks } from "./links.js";
import { decimals, nameOf, sameUnit, shapeOf, unitAt, weightPlace } from "./state.js";

const MOST_LAYERS = 6;
const MOST_UNITS = 8;

// The diagram. `view` is what is looked at (see playground.js). Returns {element, redraw}.
export function network(scope, model, view) {
  const stage = node("div", { class: "pg-stage" });
  const box = node("div", { class: "pg-network", role: "group", "aria-label": "Network" }, stage);
  const hint = node("div", { class: "pg-hint", "aria-hidden": "true", hidden: true });
  const layers = layerCount(scope, model);
  let drawn = null; // what belongs to one architecture: its key, elements, geometry, and a Scope of its own
  const links = canvas(
    scope,
    "The weights as lines between the units; the table of weights has them as numbers",
    (context, _, __, theme) => {
      const lit = view.pinned ?? (view.hovered?.layer ? view.hovered : null);
      const looks = { lit, held: view.link, slopes: model.get("show_gradients") };
      paintLinks(context, drawn.geometry, view.numbers, looks, theme);
    },
    { height: () => drawn.geometry.height },
  );
  links.classList.add("pg-links");

  // Elements are made anew only for another architecture; the focus stays on the control it was on.
  const build = () => {
    const key = JSON.stringify(model.get("units"));
    if (drawn?.key === key) return;
    const focused = stage.querySelector(":focus")?.dataset.key;
    view.hovered = view.link = null; // they may be gone
    drawn?.scope.end();
    drawn = { key, ...makeParts(model, view) };
    stage.replaceChildren(links, ...drawn.elements, hint);
    view.hideControls();
    arrange();
    if (focused) (stage.querySelector(`[data-key="${focused}"]:not(:disabled)`) ?? stage.querySelector("[tabindex='0']")).focus();
  };
  const arrange = () => {
    const shape = shapeOf(model);
    drawn.geometry = geometryOf(box.clientWidth || 320, shape, inputRows(model, shape[0]));
    place(stage, box, drawn);
    links.redraw();
  };
  const redraw = () => {
    build();
    paintMaps(drawn, model, view);
    links.redraw();
    tell();
  };
  // The value of what is pointed at, beside it.
  const tell = () => {
    const words = view.link ? linkWords(model, view) : view.hovered?.layer ? unitWords(model, view) : "";
    hint.hidden = !words;
    if (!words) return;
    hint.textContent = words;
    const { x, y } = hintPlace(drawn.geometry, view);
    hint.style.transform = `translate(${x}px, ${y}px)`;
  };
  const point = (link) => {
    view.link = link;
    links.style.cursor = link ? "pointer" : "";
    links.redraw();
    tell();
  };

  scope.listen(links, "pointermove", (event) => point(linkAt(drawn.geometry, event.offsetX, event.offsetY)));
  scope.listen(links, "pointerleave", () => point(null));
  scope.listen(links, "click", (event) => {
    const link = linkAt(drawn.geometry, event.offsetX, event.offsetY, 12);
    if (link) view.pin({ layer: link.layer, index: link.target }, link.source);
  });
  scope.on(model, "change:units", view.soon);
  scope.on(model, "change:features", () => showFeatures(drawn, model));
  let ticket = 0;
  scope.observe(new ResizeObserver(() => (ticket = requestAnimationFrame(arrange))), [box]);
  scope.endings.push(() => cancelAnimationFrame(ticket));
  scope.endings.push(() => drawn?.scope.end());
  build();
  return { element: node("div", { class: "pg-middle" }, layers, box, legend(scope, model)), redraw };
}

// Beside what is pointed at, on the side where there is room, and not over the next unit.
function hintPlace({ size, width, centre }, { link, hovered }) {
  const { x, y } = link ? link.spot : centre(hovered);
  const away = link ? 8 : size / 2 + 6;
  return { x: x + away + 110 < width ? x + away : x - away - 110, y: link ? y + 10 : y - 12 };
}

function linkWords(model, { link, numbers }) {
  const to = { layer: link.layer, index: link.target };
  const weight = numbers.weights[weightPlace(shapeOf(model), to, link.source)];
  return `weight ${decimals(weight)}`;
}

function unitWords(model, { hovered, numbers }) {
  return `bias ${decimals(numbers.weights[weightPlace(shapeOf(model), hovered)])}`;
}

// --------------------------------------------------------------------------------------------- layers and their sizes

function layerCount(scope, model) {
  const change = (by) => {
    const hidden = model.get("hidden");
    set(model, "hidden", by < 0 ? hidden.slice(0, -1) : [...hidden, hidden.length ? Math.min(hidden.at(-1), 2) : 4]);
  };
  const words = node("output", { class: "pg-count" });
  const fewer = button(scope, "−", () => change(-1), { "aria-label": "Remove the last hidden layer" });
  const more = button(scope, "+", () => change(1), { "aria-label": "Add a hidden layer" });
  const show = () => {
    const count = model.get("hidden").length;
    words.textContent = `${count} hidden ${count === 1 ? "layer" : "layers"}`;
    fewer.disabled = count === 0;
    more.disabled = count === MOST_LAYERS;
  };
  scope.on(model, "change:hidden", show);
  show();
  return node("div", { class: "pg-layers", "data-control": "hidden" }, fewer, words, more);
}

function unitCount(scope, model, layer, units) {
  const name = `hidden layer ${layer + 1}`;
  const change = (by) => set(model, "hidden", model.get("hidden").map((n, i) => n + (i === layer ? by : 0)));
  const key = (word) => ({ "data-key": `${word}${layer}` });
  const fewer = button(scope, "−", () => change(-1), { "aria-label": `Remove a neuron from ${name}`, ...key("fewer") });
  const more = button(scope, "+", () => change(1), { "aria-label": `Add a neuron to ${name}`, ...key("more") });
  fewer.disabled = units === 1;
  more.disabled = units === MOST_UNITS;
  const words = node("span", {}, String(units), node("span", { class: "dlcore-spoken" }, ` neurons in ${name}`));
  return node("div", { class: "pg-head", "data-control": "hidden" }, fewer, words, more);
}

// ------------------------------------------------------------------------------------------------ inputs and neurons

function makeParts(model, view) {
  const scope = new Scope();
  const features = FEATURES.map((feature) => makeFeature(scope, model, view, feature));
  const heads = shapeOf(model).slice(1, -1).map((count, layer) => unitCount(scope, model, layer, count));
  const titles = ["Inputs", "Output"].map((word) => node("span", { class: "pg-title" }, word));
  const units = model.get("units").filter(({ layer }) => layer > 0).map((unit) => makeUnit(scope, model, view, unit));
  units.at(-1).element.tabIndex = 0;
  const group = node("div", { role: "group", "aria-label": "Neurons; arrow keys go from one to the next" });
  group.append(...units.map(({ element }) => element));
  scope.listen(group, "keydown", (event) => walk(event, units));
  return { scope, features, heads, titles, units, elements: [titles[0], ...features.map((f) => f.element), ...heads, titles[1], group] };
}

function makeFeature(scope, model, view, feature) {
  const picture = node("canvas", { width: 48, height: 48, "aria-hidden": "true" });
  const toggle = () => {
    const on = new Set(model.get("features"));
    if (!on.delete(feature.name)) on.add(feature.name);
    set(model, "features", FEATURES.map(({ name }) => name).filter((name) => on.has(name)));
  };
  const element = button(scope, "", toggle, { class: "pg-feature", "data-key": feature.name });
  element.append(node("span", {}, feature.label), picture);
  attend(scope, element, view, () => model.get("units").find((u) => u.layer === 0 && u.label === feature.label) ?? null);
  return { element, picture, feature };
}

function makeUnit(scope, model, view, unit) {
  const picture = node("canvas", { "aria-hidden": "true" });
  const bias = node("span", { class: "pg-bias" });
  const element = button(scope, "", () => view.pin(unit), {
    class: "pg-unit",
    tabindex: "-1",
    "data-key": `unit${unit.layer}.${unit.index}`,
    "aria-label": nameOf(model, unit),
  });
  element.append(picture, bias);
  attend(scope, element, view, () => unit);
  return { element, picture, bias, unit };
}

// While it is pointed at or has the focus, a unit's map fills the large plot.
function attend(scope, element, view, unit) {
  scope.listen(element, "pointerenter", (event) => event.pointerType === "mouse" && view.look(unit()));
  scope.listen(element, "pointerleave", () => view.look(null));
  scope.listen(element, "focus", () => element.matches(":focus-visible") && view.look(unit()));
  scope.listen(element, "blur", () => view.look(null));
}

function walk(event, units) {
  const now = units.find(({ element }) => element === event.target)?.unit;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!now || !step) return;
  event.preventDefault();
  const inLayer = units.filter(({ unit }) => unit.layer === now.layer + step[0]);
  const next = inLayer[Math.max(0, Math.min(now.index + step[1], inLayer.length - 1))];
  if (!next) return;
  for (const { element } of units) element.tabIndex = element === next.element ? 0 : -1;
  next.element.focus();
}

// ---------------------------------------------------------------------------------------------------- place and paint

function place(stage, box, { geometry, features, heads, titles, units }) {
  const { width, height, size, tight } = geometry;
  stage.style.width = `${width}px`;
  stage.style.height = `${height}px`;
  if (width > box.clientWidth + 1) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
  const at = (element, x, y) => (element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`);
  features.forEach(({ element }, index) => {
    const { x, y } = geometry.feature(index);
    element.style.width = `${x + size / 2}px`;
    element.style.height = `${size}px`;
    at(element, 0, y - size / 2);
  });
  for (const { element, unit } of units) {
    const { x, y } = geometry.centre(unit);
    element.style.width = element.style.height = `${size}px`;
    at(element, x - size / 2, y - size / 2);
  }
  heads.forEach((head, i) => {
    head.classList.toggle("pg-tight", tight);
    at(head, geometry.left + (i + 1) * geometry.pitch - (tight ? 13 : 40), 0);
  });
  const titleTop = tight ? 31 : 4;
  at(titles[0], 0, titleTop);
  at(titles[1], width - 52, titleTop);
}

function paintMaps(drawn, model, view) {
  const { numbers, theme } = view;
  const side = model.get("resolution");
  const shape = shapeOf(model);
  const stepped = model.get("discretize");
  drawn.units.forEach(({ element, picture, bias, unit }, i) => {
    const start = (shape[0] + i) * side * side;
    if (numbers.maps.length >= start + side * side) heat(numbers.maps, start, side, theme.dark, stepped, picture);
    bias.style.backgroundColor = css(colour(numbers.weights[weightPlace(shape, unit)] || 0, theme.dark));
    element.setAttribute("aria-pressed", sameUnit(view.pinned, unit));
  });
  if (drawn.dark !== theme.dark) for (const { picture, feature } of drawn.features) paintFeature(picture, feature, theme.dark);
  drawn.dark = theme.dark;
  showFeatures(drawn, model);
}

function showFeatures({ features }, model) {
  const fixed = model.get("hide").includes("features");
  for (const { element, feature } of features) {
    const on = model.get("features").includes(feature.name);
    element.setAttribute("aria-pressed", on);
    element.disabled = fixed;
    element.hidden = fixed && !on;
  }
}

function legend(scope, model) {
  const sample = (kind) => node("span", { class: `pg-line pg-${kind}` });
  const slopes = node("span", {}, "▲▼ where the gradient pushes a weight");
  const show = () => (slopes.hidden = !model.get("show_gradients"));
  scope.on(model, "change:show_gradients", show);
  show();
  const weights = [["positive", "positive weight"], ["negative", "negative weight"]];
  return node("p", { class: "pg-legend" }, ...weights.map(([kind, words]) => node("span", {}, sample(kind), words)), node("span", {}, "the wider, the larger"), slopes);
}
