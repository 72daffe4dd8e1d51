// The Playground's view: what lies where, and one drawing per frame. Python computes; see the modules for the parts.

import { ask, button, checkbox, frames, ink, node, number, onTheme, open, runButton, select, set, table } from "../kit.js";
import { curveTable, curves } from "./curves.js";
import { datasets } from "./datasets.js";
import { inspector } from "./inspector.js";
import { network } from "./network.js";
import { plot } from "./plot.js";
import { linkControls, openAddress, program } from "./sharing.js";
import { decimals, layersOf, nameOf, readNumbers, sameUnit, shapeOf } from "./state.js";

const LEARNING_RATES = [0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const REGULARIZATION_RATES = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const NARROW = 560; // below it, settings and data are folded

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Playground");
  const view = makeView(scope, model, frame);
  const parts = [network(scope, model, view), plot(scope, model, view), curves(scope, model, view), inspector(scope, model, view), makeBar(scope, model, view)];
  const [net, map, losses, fields, bar] = parts;
  view.inspector = fields;
  const tables = [curveTable(scope, model), weightTable(scope, model, view)];
  const settings = fold("Settings", makeSettings(scope, model, view));
  const data = fold("Data", datasets(scope, model, view));
  const diagnosis = node("p", { class: "pg-diagnosis", hidden: true });
  net.element.append(switchFor(scope, model, view, "show_gradients", "Gradients on the links"), fields.element);
  losses.element.append(diagnosis);
  const output = node("div", { class: "pg-output" }, map.element, losses.element);
  const columns = node("div", { class: "pg-columns" }, data, net.element, output, makeFoot(scope, model, view, tables));
  body.append(node("div", { class: "pg" }, bar.element, settings, prediction(scope, model, view), columns));
  unfold(scope, frame, [settings, data]);

  const retell = nowAndThen(scope, () => tables.forEach((table) => table.refill()));
  view.draw = () => {
    view.numbers = readNumbers(model);
    for (const part of parts) part.redraw();
    columns.classList.toggle("pg-deep", model.get("units").at(-1).layer > 5);
    diagnosis.textContent = model.get("diagnosis");
    diagnosis.hidden = !diagnosis.textContent;
    retell();
  };
  view.hideControls();
  frames(scope, model, el, view.draw);
  openAddress(scope, view);
  return () => scope.end();
}

// What is looked at, and what the parts call: `look` at a unit, `pin` one, `act` in Python, draw `soon`.
function makeView(scope, model, frame) {
  let ticket = 0;
  const view = { pinned: null, hovered: null, link: null, theme: ink(frame), numbers: readNumbers(model) };
  view.soon = () => {
    ticket ||= requestAnimationFrame(() => {
      ticket = 0;
      view.draw();
    });
  };
  view.look = (unit) => {
    view.hovered = unit;
    view.soon();
  };
  // A second choice of the same unit lets it go; the choice of a weight, `source`, does not.
  view.pin = (unit, source) => {
    view.pinned = source === undefined && sameUnit(unit, view.pinned) ? null : unit;
    view.inspector.choose(view.pinned, source);
    view.soon();
  };
  view.act = (action, args = {}) => ask(model, action, args).catch(() => undefined); // the frame shows the refusal
  view.hideControls = () => {
    for (const element of frame.querySelectorAll("[data-control]")) element.hidden = model.get("hide").includes(element.dataset.control);
  };
  scope.on(model, "change:hide", () => {
    view.hideControls();
    view.soon();
  });
  onTheme(scope, () => {
    view.theme = ink(frame);
    view.soon();
  });
  scope.endings.push(() => cancelAnimationFrame(ticket));
  return view;
}

// ------------------------------------------------------------------------------------------------------- the controls

const marked = (name, element) => {
  element.dataset.control = name;
  return element;
};

function switchFor(scope, model, view, name, label) {
  scope.on(model, `change:${name}`, view.soon);
  return marked(name, checkbox(scope, model, name, label));
}

function makeBar(scope, model, view) {
  const step = () => {
    if (model.get("running")) set(model, "running", false);
    view.act("step");
  };
  const epoch = node("output", { "aria-label": "Epoch" });
  const main = node(
    "div",
    { class: "pg-bar" },
    marked("run", runButton(scope, model)),
    marked("step", button(scope, "Step", step)),
    marked("reset", button(scope, "Reset", () => view.act("reset"))),
    node("div", { class: "pg-epoch" }, node("span", {}, "Epoch"), epoch),
  );
  const seed = node("div", { class: "pg-seed", "data-control": "seed" }, number(scope, model, "seed", "Seed", { step: 1 }), button(scope, "New seed", () => view.act("new_seed")));
  const rest = node("div", { class: "pg-rest" }, marked("step_by", select(scope, model, "step_by", "Step by")), seed);
  const element = node("div", { class: "pg-top" }, main, rest);
  const redraw = () => {
    const words = model.get("epoch").toLocaleString("en");
    if (epoch.textContent !== words) epoch.textContent = words;
  };
  return { element, redraw };
}

function makeSettings(scope, model, view) {
  const choose = (name, label, words, options) => marked(name, select(scope, model, name, label, words, options));
  const loss = choose("loss", "Loss", { half_squared: "½(ŷ − y)²", cross_entropy: "cross-entropy" });
  const rate = choose("regularization_rate", "Regularization rate", {}, REGULARIZATION_RATES);
  const patience = marked("patience", number(scope, model, "patience", "Patience (epochs)", { step: 1 }));
  patience.querySelector("input").title = "Early stopping: epochs without a lower validation loss until training ends; 0 for never";
  const controls = [
    choose("problem", "Problem", { classification: "Classification", regression: "Regression" }),
    choose("learning_rate", "Learning rate", { 0.00001: "0.00001" }, LEARNING_RATES),
    choose("activation", "Activation", { relu: "ReLU" }),
    choose("regularization", "Regularization"),
    rate,
    loss,
    choose("optimizer", "Optimizer", { sgd: "SGD", rmsprop: "RMSProp", adam: "Adam" }),
    choose("initialization", "Initial weights", { playground: "U(−½, ½)", glorot: "Glorot", he: "He" }),
    patience,
    switchFor(scope, model, view, "predict_first", "Predict first"),
  ];
  const fit = () => {
    loss.querySelector("[value=cross_entropy]").disabled = model.get("problem") === "regression";
    rate.querySelector("select").disabled = model.get("regularization") === "none";
  };
  for (const name of ["problem", "regularization"]) scope.on(model, `change:${name}`, fit);
  fit();
  return node("div", { class: "pg-settings" }, ...controls);
}

// The reader says what will happen before it does; Python holds the answer against what happened.
function prediction(scope, model, view) {
  const question = node("p", { role: "status" });
  const options = node("div", { class: "pg-row" });
  const verdict = node("p", { role: "status" });
  const element = node("div", { class: "pg-prediction", role: "group", "aria-label": "Your prediction" }, question, options, verdict);
  const show = () => {
    const asked = model.get("prediction");
    element.hidden = !asked.question;
    if (element.hidden) return;
    question.textContent = asked.question;
    verdict.textContent = asked.verdict ?? "";
    const focused = [...options.children].findIndex((option) => option.matches(":focus"));
    options.replaceChildren(...asked.options.map((words, i) => optionButton(view, words, i, asked.answer === i)));
    options.children[focused]?.focus();
  };
  scope.on(model, "change:prediction", show);
  // Who pressed Run farther down shall see why nothing runs.
  const bringUp = () => {
    const { question: asked, answer } = model.get("prediction");
    const open = asked && !Number.isInteger(answer); // no answer is null in a kernel, undefined in the page
    if (open && !model.get("running")) element.scrollIntoView({ block: "nearest" });
  };
  scope.on(model, "change:running", () => requestAnimationFrame(bringUp)); // the question may come with the same message
  show();
  return element;
}

function optionButton(view, words, answer, chosen) {
  const made = node("button", { type: "button", "aria-pressed": String(chosen) }, words);
  made.addEventListener("click", () => view.act("predict", { answer })); // goes with the element
  return made;
}

function makeFoot(scope, model, view, tables) {
  const link = linkControls(scope, model, view);
  const preset = marked("preset", button(scope, "TensorFlow Playground’s task", () => view.act("preset", { name: "playground" })));
  return node("div", { class: "pg-foot" }, node("div", { class: "pg-row" }, link.copy, preset), link.whole, ...tables, program(scope, model, view));
}

// The weights as text; the fields to change them come with the choice of a neuron.
function weightTable(scope, model, view) {
  return table(scope, "Weights as a table", ["Into", "From", "Weight", "Gradient"], () => {
    const { weights, gradients } = view.numbers;
    return layersOf(shapeOf(model)).flatMap((layer) =>
      Array.from({ length: layer.to }, (_, index) => index).flatMap((index) => {
        const into = nameOf(model, { layer: layer.layer, index });
        const row = (from, at) => [into, from, decimals(weights[at]), decimals(gradients[at], 6)];
        const incoming = Array.from({ length: layer.from }, (_, source) => row(nameOf(model, { layer: layer.layer - 1, index: source }), layer.weights + source * layer.to + index));
        return [row("bias", layer.biases + index), ...incoming];
      }),
    );
  });
}

// ------------------------------------------------------------------------------------------------------------- layout

const fold = (label, content) => node("details", { class: "pg-fold" }, node("summary", {}, label), content);

// Where there is room all is open, and the style hides the handles.
function unfold(scope, frame, folds) {
  let wide = null;
  const fit = () => {
    const now = frame.clientWidth >= NARROW;
    if (now !== wide) for (const fold of folds) fold.open = now;
    wide = now;
  };
  scope.observe(new ResizeObserver(fit), [frame]);
  fit();
}

// Call `act` at most twice a second, the last time too.
function nowAndThen(scope, act) {
  let waiting = null;
  scope.endings.push(() => clearTimeout(waiting));
  return () => {
    waiting ??= setTimeout(() => {
      waiting = null;
      act();
    }, 500);
  };
}

export default { render };
