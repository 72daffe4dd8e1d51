// Small pictures of the inputs and of the data sets. They only remind; the numbers are Python's.

import { colour, css, heat, marker } from "../kit.js";

export const FEATURES = [
  { name: "x1", label: "x₁", of: (x) => x / 6 },
  { name: "x2", label: "x₂", of: (x, y) => y / 6 },
  { name: "x1_squared", label: "x₁²", of: (x) => (x * x) / 18 },
  { name: "x2_squared", label: "x₂²", of: (x, y) => (y * y) / 18 },
  { name: "x1x2", label: "x₁x₂", of: (x, y) => (x * y) / 18 },
  { name: "sin_x1", label: "sin x₁", of: (x) => Math.sin(x) },
  { name: "sin_x2", label: "sin x₂", of: (x, y) => Math.sin(y) },
];

export function paintFeature(picture, { of }, onDark) {
  const side = 48;
  const values = new Int8Array(side * side);
  const step = 12 / (side - 1);
  for (let i = 0; i < values.length; i++) {
    const value = of(-6 + step * (i % side), 6 - step * Math.floor(i / side));
    values[i] = 127 * Math.max(-1, Math.min(1, value));
  }
  heat(values, 0, side, onDark, false, picture);
}

// `noise` says what noise does to this set, which is not the same for all.
export const DATASETS = {
  circle: { problem: "classification", label: "Circle", noise: "wrong labels, most near the border" },
  xor: { problem: "classification", label: "XOR", noise: "wrong labels, most near the axes" },
  gaussian: { problem: "classification", label: "Gaussian", noise: "wider clouds, which overlap" },
  spiral: { problem: "classification", label: "Spiral", noise: "points off their arm, labels kept" },
  plane: { problem: "regression", label: "Plane", noise: "wrong targets, no point moves" },
  multi_gaussian: { problem: "regression", label: "Hills", noise: "wrong targets, no point moves" },
  own: { problem: "both", label: "Yours", noise: "none, the points are yours" },
};

// Points of a set as [x, y, target], spread evenly rather than drawn at random.
function examplePoints(name) {
  const turn = (i, radius, target) => [radius * Math.cos(2.4 * i), radius * Math.sin(2.4 * i), target];
  const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  const grid = (make) => many(49, (i) => make(-5 + (10 / 6) * (i % 7), -5 + (10 / 6) * Math.floor(i / 7)));
  const hill = (x, y) => [-4, 0, 4].flatMap((cx, i) => [-2.5, 2.5].map((cy, j) => ((i + j) % 2 ? 1 : -1) * Math.max(0, 1 - Math.hypot(x - cx, y - cy) / 2))).reduce((a, b) => a + b);
  const sets = {
    circle: () => [...many(10, (i) => turn(i, 0.6 * Math.sqrt(i), 1)), ...many(22, (i) => turn(i, 4.6, -1))],
    xor: () => many(36, (i) => [-4.7 + 1.88 * (i % 6), -4.7 + 1.88 * Math.floor(i / 6)]).map(([x, y]) => [x, y, x * y >= 0 ? 1 : -1]),
    gaussian: () => many(26, (i) => turn(i, 0.55 * Math.sqrt(i), i % 2 ? 1 : -1)).map(([x, y, t]) => [x + 2.4 * t, y + 2.4 * t, t]),
    spiral: () => many(34, (i) => spiralPoint(Math.floor(i / 2) + 1, i % 2 ? 1 : -1)),
    plane: () => grid((x, y) => [x, y, (x + y) / 10]),
    multi_gaussian: () => grid((x, y) => [x, y, hill(x, y)]),
    own: () => [[-3, 2, 1], [-1, 3.4, 1], [0.5, 1.2, 1], [-1.5, -2.5, -1], [1.8, -1.4, -1], [3.4, -3, -1]],
  };
  return sets[name]();
}

function spiralPoint(i, sign) {
  const angle = (1.75 * 2 * Math.PI * i) / 18 + (sign > 0 ? 0 : Math.PI);
  return [(5 * i * Math.sin(angle)) / 17, (5 * i * Math.cos(angle)) / 17, sign];
}

export function paintDataset(context, side, name, theme) {
  const at = (value) => side / 2 + (value / 6) * (side / 2);
  for (const [x, y, target] of examplePoints(name)) {
    if (DATASETS[name].problem === "regression") {
      context.fillStyle = css(colour(target, theme.dark));
      context.fillRect(at(x) - side / 15, at(-y) - side / 15, side / 7.5, side / 7.5);
    } else marker(context, at(x), at(-y), target, side / (name === "own" ? 17 : 24), theme.paper);
  }
  if (name === "own") {
    context.strokeStyle = theme.text;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(at(3), at(-4.6));
    context.lineTo(at(3), at(-1.8));
    context.moveTo(at(1.6), at(-3.2));
    context.lineTo(at(4.4), at(-3.2));
    context.stroke();
  }
}
