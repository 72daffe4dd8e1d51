// The weights and the bias of the unit that was chosen, as fields: the way to every weight by keyboard.

import { button, freshId, missing, node } from "../kit.js";
import { nameOf, shapeOf, unitAt, weightPlace } from "./state.js";

// Returns {element, choose(unit or null, source), redraw}. It may be used while the network trains.
export function inspector(scope, model, view) {
  const title = node("strong");
  const fields = node("div", { class: "pg-fields" });
  const close = button(scope, "Close", () => view.pin(null), { class: "pg-small" });
  const element = node("div", { class: "pg-inspector", role: "group", hidden: true }, node("div", { class: "pg-row" }, title, close), fields);
  let made = []; // {field, source}

  const choose = (unit, source) => {
    element.hidden = !unit;
    made = unit ? sourcesOf(model, unit).map((from) => makeField(scope, model, view, unit, from)) : [];
    fields.replaceChildren(...made.map(({ whole }) => whole));
    if (!unit) return;
    title.textContent = `${nameOf(model, unit)}: bias and incoming weights`;
    element.setAttribute("aria-label", title.textContent);
    redraw();
    if (source !== undefined) made.find((entry) => entry.source === source)?.field.select();
  };
  const redraw = () => {
    if (!view.pinned) return;
    if (!unitAt(model, view.pinned)) return view.pin(null);
    const shape = shapeOf(model);
    if (made.length !== shape[view.pinned.layer - 1] + 1) return choose(view.pinned);
    for (const { field, source } of made) {
      const value = view.numbers.weights[weightPlace(shape, view.pinned, source)];
      if (!field.matches(":focus") || answered(field, model)) field.value = Number.isFinite(value) ? Number(value.toFixed(4)) : "";
    }
  };
  return { element, choose, redraw };
}

// While somebody types, a field keeps still. Once its number was sent, it shows what Python makes of it: in the next
// frame while training runs, at once otherwise.
function answered(field, model) {
  const { sent } = field.dataset;
  return sent !== undefined && (!model.get("running") || model.get("frame") > Number(sent));
}

// null stands for the bias, a number for the unit of the layer before.
const sourcesOf = (model, unit) => [null, ...Array(shapeOf(model)[unit.layer - 1]).keys()];

function makeField(scope, model, view, unit, source) {
  const id = freshId("weight");
  const from = source === null ? "bias" : unit.layer === 1 ? unitAt(model, { layer: 0, index: source }).label : `neuron ${source + 1}`;
  const field = node("input", { type: "number", step: "any", id, inputmode: "decimal" });
  const send = async (value) => {
    const place = { layer: unit.layer, target: unit.index };
    await (source === null ? view.act("set_bias", { ...place, value }) : view.act("set_weight", { ...place, source, value }));
    field.dataset.sent = model.get("frame");
    view.soon();
  };
  // These listeners belong to the field alone, so they go with it.
  for (const begin of ["focus", "input"]) field.addEventListener(begin, () => delete field.dataset.sent);
  field.addEventListener("change", () => {
    if (field.value !== "") return send(Number(field.value));
    const kept = view.numbers.weights[weightPlace(shapeOf(model), unit, source)];
    missing(scope, source === null ? "bias" : `weight from ${from}`, field, Number(kept.toFixed(4)));
    view.soon();
  });
  field.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (!by) return;
    event.preventDefault();
    field.value = Number((Number(field.value) + by).toFixed(4));
    delete field.dataset.sent;
    send(Number(field.value));
  });
  return { field, source, whole: node("div", { class: "dlcore-control" }, node("label", { for: id }, from), field) };
}
