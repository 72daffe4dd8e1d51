// What all widgets share. A widget's own module draws and reads controls; Python computes.
//
//   Scope       listeners and observers that end together, so that a widget drawn fifty times leaves nothing behind
//   open        a widget's frame: its look, its live summary for screen readers, its task, its line for refusals
//   ask         call an action of the Python side and wait for its answer
//   controls    selects, sliders, numbers, switches and buttons bound to traits
//   canvas      a drawing surface that is sharp on every screen and follows the theme
//   frames      draw what Python shows, when it can be seen, and say so (Python waits for that)
//   axes, decades, percent, above, chance, colour, markers, table    what charts need

import { guide } from "./steer.js";

// ------------------------------------------------------------------------------------------------ life and death

export class Scope {
  constructor() {
    this.endings = [];
  }

  listen(target, type, handler, options) {
    target.addEventListener(type, handler, options);
    this.endings.push(() => target.removeEventListener(type, handler, options));
  }

  // `event` is a model's event: "change:name" or "msg:custom".
  on(model, event, handler) {
    model.on(event, handler);
    this.endings.push(() => model.off(event, handler));
  }

  observe(observer, ...targets) {
    for (const [target, options] of targets) observer.observe(target, options);
    this.endings.push(() => observer.disconnect());
  }

  end() {
    for (const ending of this.endings.splice(0).reverse()) ending();
  }
}

// Make an element: node("button", {type: "button", "aria-pressed": "true"}, "text", child, …).
export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Ids that differ on every call. In Jupyter each widget has this module for itself, hence the part by chance.
const module = Math.random().toString(36).slice(2, 8);
let made = 0;
export const freshId = (stem) => `dlcore-${stem}-${module}-${++made}`;

// ------------------------------------------------------------------------------------------------------- a widget

// Keys that only move on.
const PASSING = ["Tab", "Shift", "Control", "Alt", "Meta", "PageUp", "PageDown"];

// Turn `el` into a widget's frame and return {scope, body, say}. `say(sentence)` shows a refusal.
export function open(el, model, label) {
  const scope = new Scope();
  const body = node("div", { class: "dlcore-body" });
  const refusal = node("p", { class: "dlcore-refusal", role: "alert" });
  const summary = node("p", { class: "dlcore-summary", role: "status", "aria-live": "polite" });
  const frame = node("section", { class: "dlcore-widget", "aria-label": label }, body, refusal, summary);
  el.replaceChildren(frame);
  // Else a key pressed in here is a command of JupyterLab, too: "x" on a button cuts the cell, and Enter, which it takes
  // for its own, ends no field.
  scope.listen(frame, "focusin", ({ target }) => (target.dataset.lmSuppressShortcuts = "true"));
  scope.listen(frame, "keydown", (event) => event.key === "Enter" && event.stopPropagation());
  const say = (sentence) => (refusal.textContent = sentence);
  scope.say = say; // for controls
  scope.on(model, "msg:custom", (message) => message.type === "refused" && say(message.message));
  // A refusal stays until the reader does the next thing. It is not taken back when something else succeeds: what a
  // link sets may be refused, and the action it calls allowed. A field speaks when it is left, so before the click that
  // left it: hence the press counts, and a click only where a key or a screen reader made it.
  const settle = () => say("");
  scope.listen(frame, "pointerdown", ({ target }) => target.closest("button, canvas, input, label, select, summary") && settle(), true);
  scope.listen(frame, "click", ({ detail }) => detail === 0 && settle(), true);
  scope.listen(frame, "input", settle, true);
  scope.listen(frame, "keydown", ({ key }) => !PASSING.includes(key) && settle(), true);
  // A screen reader is told at most every two seconds; the eye at once.
  let waiting = null;
  const retell = () => {
    waiting = null;
    summary.textContent = model.get("summary");
  };
  scope.on(model, "change:summary", () => (waiting ??= setTimeout(retell, 2000)));
  retell();
  scope.endings.push(() => clearTimeout(waiting));
  guide(scope, model, frame, ask, say);
  scope.endings.push(() => el.replaceChildren());
  return { scope, body, frame, say };
}

let asked = 0;
// Call the action `do_<action>` of the Python side; the promise holds what it returns, or fails with its sentence.
export function ask(model, action, args = {}) {
  const id = ++asked;
  return new Promise((resolve, reject) => {
    const answer = (message) => {
      if (message.id !== id) return;
      model.off("msg:custom", answer);
      if (message.type === "did") resolve(message.result);
      else reject(new Error(message.message));
    };
    model.on("msg:custom", answer);
    model.send({ type: "do", action, arguments: args, id });
  });
}

// Set a trait as the reader does.
export function set(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

function drawn(model) {
  try {
    model.send({ type: "drawn" });
  } catch {
    // The kernel was restarted a moment ago: nobody waits for it any more.
  }
}

// Draw each frame Python shows; tell it when that is done. Hidden pages and widgets out of view do not draw, so
// Python, which waits for the word, does not train. `rest()` is how many milliseconds a picture stays at the least.
export function frames(scope, model, el, draw, rest = () => 0) {
  let later = 0;
  let visible = true;
  let due = false;
  let ticket = 0;
  const now = () => {
    ticket = 0;
    if (!visible || document.hidden) return;
    due = false;
    draw();
    clearTimeout(later);
    if (rest()) later = setTimeout(drawn, rest(), model);
    else drawn(model);
  };
  const soon = () => {
    due = true;
    if (!ticket) ticket = requestAnimationFrame(now);
  };
  scope.on(model, "change:frame", soon);
  scope.observe(
    new IntersectionObserver((entries) => {
      visible = entries.at(-1).isIntersecting; // several at once if the page was busy; the last is how it is
      if (visible && due) soon();
    }),
    [el],
  );
  scope.listen(document, "visibilitychange", () => due && soon());
  scope.endings.push(() => cancelAnimationFrame(ticket));
  scope.endings.push(() => clearTimeout(later));
  draw();
  if (model.get("running")) drawn(model); // Python may be waiting for a view that has gone
}

// Bytes reach us as a DataView, at any offset.
const aligned = (view) => (view?.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : new ArrayBuffer(0));
export const floats = (view) => new Float32Array(aligned(view));
export const signed = (view) => new Int8Array(aligned(view));

// ------------------------------------------------------------------------------------------------------- controls

// A label over its control.
export function labelled(label, control, ...more) {
  const id = (control.id ||= freshId("control"));
  return node("div", { class: "dlcore-control" }, node("label", { for: id }, label), control, ...more);
}

// A choice of a trait. `words` gives each option the words it is shown with.
export function select(scope, model, name, label, words = {}, options = null) {
  const given = options ?? model.get("choices")[name].options;
  const control = node("select", { name }, ...given.map((o) => node("option", { value: o }, words[o] ?? String(o))));
  const numeric = typeof given[0] === "number";
  const show = () => {
    const value = String(model.get(name));
    if (![...control.options].some((o) => o.value === value)) control.append(node("option", { value }, value));
    control.value = value;
  };
  scope.on(model, `change:${name}`, show);
  scope.listen(control, "change", () => set(model, name, numeric ? Number(control.value) : control.value));
  show();
  return labelled(label, control);
}

// A slider of a numeric trait, with its value in words beside it.
export function slider(scope, model, name, label, { step = 1, low, high, words = String } = {}) {
  const range = model.get("choices")[name];
  const control = node("input", { type: "range", name, min: low ?? range.low, max: high ?? range.high, step });
  const value = node("output", { for: (control.id = freshId("control")) });
  const show = () => {
    control.value = model.get(name);
    value.textContent = words(model.get(name));
    control.setAttribute("aria-valuetext", value.textContent);
  };
  scope.on(model, `change:${name}`, show);
  scope.listen(control, "input", () => {
    value.textContent = words(Number(control.value));
    control.setAttribute("aria-valuetext", value.textContent);
    set(model, name, Number(control.value));
  });
  show();
  return labelled(label, control, value);
}

// Say what a field for a number expects where nothing is in it, or text. Python is not asked: it may not run yet.
export function missing(scope, label, control, kept) {
  const received = control.validity.badInput ? "what is no number" : "nothing";
  const range = control.min === "" ? "" : ` from ${control.min} to ${control.max}`;
  scope.say(`${label}: expected a number${range}; received ${received}. The widget keeps ${kept}`);
}

// A field for a number. What is no number is refused here, what is not allowed by Python; the field goes back.
export function number(scope, model, name, label, { step = "any" } = {}) {
  const range = model.get("choices")[name];
  const control = node("input", { type: "number", name, min: range.low, max: range.high, step, inputmode: "decimal" });
  const show = () => (control.value = model.get(name));
  scope.on(model, `change:${name}`, show);
  scope.listen(control, "change", () => {
    if (control.value !== "") return set(model, name, Number(control.value));
    missing(scope, label, control, model.get(name));
    show();
  });
  show();
  return labelled(label, control);
}

// A box that is ticked or not.
export function checkbox(scope, model, name, label) {
  const control = node("input", { type: "checkbox", name });
  const show = () => (control.checked = model.get(name));
  scope.on(model, `change:${name}`, show);
  scope.listen(control, "change", () => set(model, name, control.checked));
  show();
  const whole = labelled(label, control);
  whole.classList.add("dlcore-checkbox");
  return whole;
}

export function button(scope, label, act, attributes = {}) {
  const made = node("button", { type: "button", ...attributes }, label);
  scope.listen(made, "click", act);
  return made;
}

// Run and pause: one button whose word is what it does.
export function runButton(scope, model) {
  const made = button(scope, "", () => set(model, "running", !model.get("running")), { class: "dlcore-run" });
  const show = () => {
    made.textContent = model.get("running") ? "Pause" : "Run";
    made.dataset.running = model.get("running");
  };
  scope.on(model, "change:running", show);
  show();
  return made;
}

// --------------------------------------------------------------------------------------------------------- canvas

const dark = () => {
  const told = document.documentElement.dataset.theme || document.body.dataset.jpThemeLight;
  if (told === "dark" || told === "false") return true;
  if (told === "light" || told === "true") return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
};

// Colours by role, read from the theme the widget lies in.
export function ink(el) {
  const style = getComputedStyle(el);
  const of = (name) => style.getPropertyValue(`--dlcore-${name}`).trim();
  return { dark: dark(), text: of("text"), muted: of("muted"), line: of("line"), paper: of("paper"), accent: of("accent") };
}

// A canvas that fills its place; `height(width)` is its height. `draw(context, width, height, ink)` works in CSS pixels
// and is called anew when the size or the theme changes; call `.redraw()` when the data do. Sizes and colours are kept
// between two drawings: to ask the page for them each time would make it lay itself out in the middle of a frame.
export function canvas(scope, label, draw, { ratio = 1, height: tall = (width) => width * ratio } = {}) {
  const surface = node("canvas", { role: "img", "aria-label": label });
  const context = surface.getContext("2d");
  let width = 0;
  let theme = null;
  let ticket = 0;
  const redraw = () => {
    width ||= surface.clientWidth;
    if (!width) return;
    theme ??= ink(surface);
    const height = Math.round(tall(width));
    const sharp = window.devicePixelRatio || 1;
    if (surface.width !== Math.round(width * sharp) || surface.height !== Math.round(height * sharp)) {
      surface.width = Math.round(width * sharp);
      surface.height = Math.round(height * sharp);
      surface.style.height = `${height}px`;
    }
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height, theme);
  };
  const resized = () => {
    width = surface.clientWidth;
    redraw();
  };
  const soon = () => (ticket = requestAnimationFrame(resized)); // within the observer's call a new height would be an error
  scope.observe(new ResizeObserver(soon), [surface]);
  scope.endings.push(() => cancelAnimationFrame(ticket));
  onTheme(scope, () => {
    theme = null;
    redraw();
  });
  surface.redraw = redraw;
  return surface;
}

// Call `act` when the page changes between light and dark.
export function onTheme(scope, act) {
  scope.observe(
    new MutationObserver(act),
    [document.documentElement, { attributes: true, attributeFilter: ["data-theme"] }],
    [document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] }],
  );
  scope.listen(matchMedia("(prefers-color-scheme: dark)"), "change", act);
}

// Whether the reader asked for less movement.
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// --------------------------------------------------------------------------------------------------- what charts need

// The two classes: told apart by everyone, by colour and by shape (Okabe and Ito, 2008).
export const NEGATIVE = [213, 94, 0]; // vermillion, squares
export const POSITIVE = [0, 114, 178]; // blue, discs
const MIDDLE = { light: [247, 247, 247], dark: [52, 52, 56] };

// The colour of a value in [-1, 1]: vermillion, pale, blue.
export function colour(value, onDark = false) {
  const v = Math.max(-1, Math.min(1, value));
  const end = v < 0 ? NEGATIVE : POSITIVE;
  const middle = onDark ? MIDDLE.dark : MIDDLE.light;
  return middle.map((m, i) => Math.round(m + Math.abs(v) * (end[i] - m)));
}

export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

// A map of values in int8, [-127, 127], rows from the top, as a canvas of its own size.
export function heat(values, offset, side, onDark, stepped = false, reuse = null) {
  const picture = reuse ?? document.createElement("canvas");
  if (picture.width !== side) picture.width = picture.height = side;
  const context = picture.getContext("2d");
  if (picture.pixels?.width !== side) picture.pixels = new ImageData(side, side);
  const words = new Uint32Array(picture.pixels.data.buffer);
  const palette = heatPalette(onDark);
  for (let i = 0; i < side * side; i++) {
    const v = values[offset + i];
    words[i] = palette[(stepped ? (v >= 0 ? 127 : -127) : v) + 128];
  }
  context.putImageData(picture.pixels, 0, 0);
  return picture;
}

const palettes = {};
function heatPalette(onDark) {
  return (palettes[onDark] ??= Uint32Array.from({ length: 256 }, (_, i) => {
    const [r, g, b] = colour((i - 128) / 127, onDark);
    return (255 << 24) | (b << 16) | (g << 8) | r; // little-endian RGBA
  }));
}

// A point of a class: a disc for the positive, a square for the negative.
export function marker(context, x, y, target, size, edge, hollow = false) {
  const shade = css(colour(target < 0 ? Math.min(target, -0.35) : Math.max(target, 0.35)));
  context.beginPath();
  if (target >= 0) context.arc(x, y, size, 0, 2 * Math.PI);
  else context.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  context.fillStyle = hollow ? edge : shade;
  context.fill();
  context.lineWidth = hollow ? 1.5 : 1;
  context.strokeStyle = hollow ? shade : edge;
  context.stroke();
}

// Round numbers that cut [low, high] into about `count` parts.
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const found = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-6; t += step) found.push(Number(t.toPrecision(12)));
  return found;
}

// Labels for a logarithmic axis: powers of ten; 2 and 5 of each where few are in sight, round numbers where none is.
export function decades(low, high, count = 5) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const every = Math.max(1, Math.ceil((last - first) / count));
  const within = (parts, stride) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i)
      .filter((power) => power % stride === 0)
      .flatMap((power) => parts.map((part) => Number(`${part}e${power}`)))
      .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  const found = [within([1], every), within([1, 2, 5], 1)].find((each, i) => each.length > 2 - i);
  return found ?? ticks(low, high, count).filter((value) => value > 0);
}

// A number of so many decimals, but not 0 for what is more.
export function above(value, digits) {
  const text = value.toFixed(digits);
  return value > 0 && Number(text) === 0 ? `<\u00a0${(10 ** -digits).toFixed(digits)}` : text;
}

// A share as per cent, but not all for what is less; no line breaks before the sign.
export function percent(share, digits = 0) {
  const most = 100 - 10 ** -digits;
  const less = share < 1 && Number((100 * share).toFixed(digits)) === 100;
  return `${less ? `>\u00a0${most.toFixed(digits)}` : above(100 * share, digits)}\u00a0%`;
}

// The probability of a class: neither 0 nor 1, though its float may be.
export const chance = (probability) => percent(Math.min(Math.max(probability, 1e-9), 1 - 1e-9), 1);

const signText = (value) => String(value).replace("-", "−"); // with a true minus

// Axes around the area {left, top, width, height}; returns the functions from data to pixels.
export function axes(context, area, [x0, x1], [y0, y1], theme, { xLabel = "", yLabel = "", grid = true, xCount = Math.max(2, area.width / 80), yCount = Math.max(2, area.height / 40) } = {}) {
  const X = (x) => area.left + ((x - x0) / (x1 - x0 || 1)) * area.width;
  const Y = (y) => area.top + (1 - (y - y0) / (y1 - y0 || 1)) * area.height;
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.muted;
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const t of ticks(x0, x1, xCount)) context.fillText(signText(t), X(t), area.top + area.height + 4);
  if (xLabel) context.fillText(xLabel, area.left + area.width / 2, area.top + area.height + 18);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const t of ticks(y0, y1, yCount)) {
    context.fillText(signText(t), area.left - 5, Y(t));
    if (grid) {
      context.beginPath();
      context.moveTo(area.left, Y(t));
      context.lineTo(area.left + area.width, Y(t));
      context.stroke();
    }
  }
  if (yLabel) {
    context.textAlign = "left";
    context.textBaseline = "bottom";
    context.fillText(yLabel, 2, area.top - 7);
  }
  context.strokeRect(area.left, area.top, area.width, area.height);
  return { X, Y };
}

// A chart's numbers as a text table, folded away. `fill()` returns rows; it is called when the table is opened.
export function table(scope, caption, head, fill) {
  const body = node("tbody");
  const rows = node(
    "table",
    {},
    node("caption", {}, caption),
    node("thead", {}, node("tr", {}, ...head.map((h) => node("th", { scope: "col" }, h)))),
    body,
  );
  const folded = node("details", { class: "dlcore-table" }, node("summary", {}, caption), node("div", { class: "dlcore-scroll", tabindex: "0", role: "region", "aria-label": caption }, rows));
  const refill = () => {
    if (!folded.open) return;
    body.replaceChildren(...fill().map((row) => node("tr", {}, ...row.map((cell, i) => node(i ? "td" : "th", i ? {} : { scope: "row" }, cell)))));
  };
  scope.listen(folded, "toggle", refill);
  folded.refill = refill;
  return folded;
}
