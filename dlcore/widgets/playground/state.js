// What the synchronized arrays mean: which number is which weight, which unit has which name.

import { floats, percent, signed } from "../kit.js";

// The last number of each point: what it is for.
export const PARTS = { train: 0, test: 1, validation: 2 };

// The number of units of every layer, inputs first.
export function shapeOf(model) {
  const counts = [];
  for (const { layer } of model.get("units")) counts[layer] = (counts[layer] ?? 0) + 1;
  return counts;
}

export const unitAt = (model, { layer, index }) => model.get("units").find((u) => u.layer === layer && u.index === index);

export const sameUnit = (a, b) => a?.layer === b?.layer && a?.index === b?.index;

// A unit's place in the order of `units` and `maps`.
export const placeOf = (model, unit) => model.get("units").findIndex((u) => sameUnit(u, unit));

export function nameOf(model, unit) {
  if (unit.layer === 0) return unitAt(model, unit)?.label ?? "";
  return unit.layer === shapeOf(model).length - 1 ? "Output" : `Layer ${unit.layer}, neuron ${unit.index + 1}`;
}

// The arrays of the present picture, read once for all who draw it.
export function readNumbers(model) {
  return { weights: floats(model.get("weights")), gradients: floats(model.get("gradients")), maps: signed(model.get("maps")) };
}

// Each layer after the inputs: {layer, from, to, weights, biases}, the last two being where they begin.
export function layersOf(shape) {
  let at = 0;
  return shape.slice(1).map((to, i) => {
    const from = shape[i];
    const here = { layer: i + 1, from, to, weights: at, biases: at + from * to };
    at += (from + 1) * to;
    return here;
  });
}

// Where the weight into `unit` from `source` stands in `weights`; without a source, its bias.
export function weightPlace(shape, unit, source = null) {
  const { to, weights, biases } = layersOf(shape)[unit.layer - 1];
  return source === null ? biases + unit.index : weights + source * to + unit.index;
}

// A number as text, with a true minus; `-` if it is none.
export function decimals(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not a number";
  return (Math.abs(value) >= 1e5 ? value.toExponential(2) : value.toFixed(digits)).replace("-", "−");
}

export const shareOf = (value) => (Number.isFinite(value) && value !== null ? percent(value, 1) : "");
