// Break one gradient: two loss curves, the gradient check as a table, six guesses, and the pass itself once it is known.

import { ask, axes, button, canvas, floats, frames, node, open, select, table } from "./kit.js";
import { GREEN, tone, whenAny } from "./line.js";

const DATA = { circle: "circle", spiral: "spiral" };
const ORANGE = { light: "#a84a00", dark: "#ff9f5a" };
const FRAME = { left: 44, right: 12, top: 22, bottom: 36 };
const HEAD = ["", "verdict", "backward ÷ difference", "shape", "relative error"];
const quietly = (promise) => promise.catch(() => {});

// The losses of the right pass and of the broken one, step by step.
function curves(model) {
  const values = floats(model.get("curves"));
  return [values.subarray(0, values.length / 2), values.subarray(values.length / 2)];
}

function drawCurves(model, context, width, height, theme) {
  const both = curves(model);
  const steps = both[0].length - 1;
  const high = 2 * both[0][0];
  const area = { left: FRAME.left, top: FRAME.top, width: width - FRAME.left - FRAME.right, height: height - FRAME.top - FRAME.bottom };
  const { X, Y } = axes(context, area, [0, steps], [0, high], theme, { xLabel: "step", yLabel: "loss" });
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  const looks = [
    { colour: GREEN, dash: [8, 5] },
    { colour: ORANGE, dash: [] },
  ];
  both.forEach((losses, i) => {
    context.beginPath();
    losses.forEach((loss, step) => context.lineTo(X(step), Y(Math.min(loss, 2 * high))));
    context.setLineDash(looks[i].dash);
    context.lineWidth = 2.5;
    context.strokeStyle = tone(theme, looks[i].colour);
    context.stroke();
  });
  context.restore();
}

// No error is null from a kernel, undefined from the page.
const written = (error) => (error == null ? "–" : error < 1e-3 ? error.toExponential(0).replace("-", "−") : error.toFixed(2));

// The check, always open: it is what the reader reasons from.
function check() {
  const body = node("tbody");
  const whole = node("table", { class: "broken-check" }, node("caption", {}, "The gradient check"), node("thead", {}, node("tr", {}, ...HEAD.map((word) => node(word ? "th" : "td", word ? { scope: "col" } : {}, word)))), body);
  const update = (model) => {
    const rows = model.get("rows").map(([name, shape, wanted, error, ratio, agrees]) => {
      const size = shape === wanted ? shape : `${shape}, not ${wanted}`;
      const verdict = node("td", { class: agrees ? "broken-fine" : "broken-wrong" }, agrees ? "✓ agrees" : "✗ wrong");
      return node("tr", {}, node("th", { scope: "row" }, name), verdict, ...[ratio, size, written(error)].map((word) => node("td", {}, word)));
    });
    body.replaceChildren(...rows);
  };
  return { whole: node("div", { class: "dlcore-scroll broken-scroll", tabindex: "0", role: "region", "aria-label": "The gradient check" }, whole), update };
}

function guessing(scope, model, onward) {
  const buttons = model.get("bugs").map(([key, name]) => button(scope, name, () => quietly(ask(model, "guess", { bug: key })), { value: key }));
  const update = () => {
    const over = model.get("found") || model.get("told");
    const held = buttons.indexOf(document.activeElement);
    for (const made of buttons) made.disabled = over || model.get("guesses").includes(made.value);
    // Whoever guessed by keyboard goes on from the next guess, or from where the next mystery is.
    if (held >= 0 && buttons[held].disabled) ([...buttons.slice(held), ...buttons].find((made) => !made.disabled) ?? onward).focus({ preventScroll: true });
  };
  const whole = node("div", { class: "broken-guesses", role: "group", "aria-label": "Which bug is it?" }, node("p", { class: "broken-question" }, "Which bug is it?"), ...buttons);
  return { whole, update };
}

// The right pass, folded away, and beside it the broken one as soon as it is known.
function sources(model) {
  const sides = node("div", { class: "broken-code" });
  const whole = node("details", { class: "broken-source" }, node("summary", {}, "The backward pass, line by line"), sides);
  const listing = (word, which) => {
    const lines = model.get("code").map((line) => {
      const text = `${line[2] ? (which ? "− " : "+ ") : "  "}${line[which]}\n`;
      return line[2] ? node("mark", {}, text) : text;
    });
    return node("div", { class: "broken-side" }, node("p", { class: "broken-question" }, word), node("pre", { tabindex: "0", role: "region", "aria-label": word }, ...lines));
  };
  let known = false;
  const update = () => {
    const now = model.get("found") || model.get("told");
    if (now !== known) whole.open = now;
    known = now;
    sides.replaceChildren(...(known ? [listing("broken", 1)] : []), listing("right", 0));
  };
  return { whole, update };
}

function legend() {
  const key = (name, words) => node("span", { class: "broken-key" }, node("i", { class: `broken-line broken-line-${name}` }), words);
  return node("p", { class: "broken-legend" }, key("broken", "broken"), key("right", "right"));
}

function curveRows(model) {
  const [own, broken] = curves(model);
  const shown = (loss) => (loss > 1e37 ? "overflow" : loss.toPrecision(3));
  return Array.from({ length: 7 }, (_, i) => Math.round((i * (own.length - 1)) / 6)).map((step) => [String(step), shown(broken[step]), shown(own[step])]);
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Break one gradient");
  const surface = canvas(scope, "The loss of the broken backward pass, step by step, beside that of the right one. The sentence and the table below say the same.", (context, width, height, theme) => {
    frame.style.setProperty("--broken-own", tone(theme, GREEN));
    frame.style.setProperty("--broken-wrong", tone(theme, ORANGE));
    drawCurves(model, context, width, height, theme);
  }, { height: (width) => Math.min(0.62 * width, 260) });
  const next = button(scope, "Next mystery", () => quietly(ask(model, "next")));
  const [found, guesses, code] = [check(), guessing(scope, model, next), sources(model)];
  const [words, answer] = [node("p", {}), node("p", { class: "broken-answer" })];
  const title = node("p", { class: "broken-title" });
  const listing = table(scope, "The curves as a table", ["step", "loss, broken", "loss, right"], () => curveRows(model));
  const tell = button(scope, "Tell me", () => quietly(ask(model, "tell")));
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(
    node("div", { class: "dlcore-controls" }, next, select(scope, model, "data", "Points", DATA), select(scope, model, "learning_rate", "Learning rate"), tell),
    title,
    node("div", { class: "dlcore-parts broken-parts" }, node("div", {}, legend(), surface, words), node("div", {}, found.whole)),
    guesses.whole,
    answer,
    code.whole,
    listing,
  );
  const update = () => {
    surface.redraw();
    found.update(model);
    guesses.update();
    code.update();
    const row = model.get("streak");
    title.textContent = `Mystery ${model.get("seed")}${row ? ` · in a row: ${row}` : ""}`;
    words.textContent = model.get("curve_words");
    answer.textContent = model.get("feedback");
    const held = tell === document.activeElement;
    tell.disabled = model.get("found") || model.get("told");
    if (held && tell.disabled) next.focus({ preventScroll: true });
    listing.refill();
  };
  whenAny(scope, model, ["seed", "curves", "rows", "guesses", "found", "told", "streak", "curve_words", "feedback", "code"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
