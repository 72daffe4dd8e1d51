// The losses: as numbers, as curves over the epochs, and as the band of 32 networks with other seeds.

import { above, axes, canvas, checkbox, floats, node, table } from "../kit.js";
import { PARTS, decimals, shareOf } from "./state.js";

const LINES = { // where each loss stands in a row of `curves`
  train: { column: 1, width: 1.5 },
  validation: { column: 3, width: 1.5, dash: [2, 3] },
  test: { column: 2, width: 2.5 },
};
const BAND = "rgb(170 68 153 / 0.28)"; // purple, which is neither class (Tol, 2021)
const MEDIAN = { light: "#882255", dark: "#dda0cf" };

// Returns {element, redraw}.
export function curves(scope, model, view) {
  const readouts = node("div", { class: "pg-readouts" });
  const value = {
    train: readout(readouts, "Train loss", "train"),
    test: readout(readouts, "Test loss", "test"),
    accuracy: readout(readouts, "Test accuracy"),
  };
  const chart = canvas(scope, "The losses over the epochs; the table below has them as numbers", (context, width, height, theme) => paintChart(context, width, height, theme, model), {
    height: (width) => (width < 320 ? 0.62 : 0.8) * width,
  });
  const legend = node("p", { class: "pg-legend" });
  const band = checkbox(scope, model, "band", "32 seeds");
  band.dataset.control = "band";
  const words = node("p", { class: "pg-band-words" });
  const redraw = () => {
    write(value.train.number, lossWords(model, "train"));
    write(value.test.number, lossWords(model, "test"));
    const accuracy = model.get("test_accuracy");
    value.accuracy.whole.hidden = accuracy === null || accuracy === undefined;
    write(value.accuracy.number, shareOf(accuracy));
    write(words, model.get("band") ? model.get("band_words") : "");
    showLegend(legend, model);
    chart.redraw();
  };
  scope.on(model, "change:band", view.soon);
  return { element: node("div", { class: "pg-curves" }, readouts, chart, legend, band, words), redraw };
}

const lossOf = (loss) => (Math.abs(loss) < 1 && loss !== null ? above(loss, 3) : decimals(loss));

// No loss at all is shown otherwise than a loss that is no number; Python sends null for both.
function lossWords(model, part) {
  const loss = model.get(`${part}_loss`);
  return Number.isFinite(loss) || hasPoints(model, part) ? lossOf(loss) : "none";
}

function hasPoints(model, part) {
  const rows = floats(model.get("points"));
  return rows.some((value, i) => i % 4 === 3 && value === PARTS[part]);
}

const write = (element, text) => element.textContent !== text && (element.textContent = text);

function readout(parent, label, line) {
  const number = node("output", { "aria-label": label });
  const sample = line ? node("span", { class: `pg-line pg-${line}` }) : "";
  const whole = node("div", {}, node("span", {}, sample, label), number);
  parent.append(whole);
  return { whole, number };
}

function rowsOf(model) {
  const values = floats(model.get("curves"));
  return Array.from({ length: values.length / 5 }, (_, i) => values.subarray(5 * i, 5 * i + 5));
}

function bandOf(model) {
  const values = model.get("band") ? floats(model.get("band_curves")) : new Float32Array(0);
  return Array.from({ length: values.length / 4 }, (_, i) => values.subarray(4 * i, 4 * i + 4));
}

function showLegend(legend, model) {
  const validation = rowsOf(model).some((row) => Number.isFinite(row[3]));
  const key = `${validation} ${model.get("band")}`;
  if (legend.dataset.key === key) return;
  legend.dataset.key = key;
  const entry = (kind, words) => node("span", {}, node("span", { class: `pg-line pg-${kind}` }), words);
  legend.replaceChildren(
    ...(validation ? [entry("validation", "validation")] : []),
    ...(model.get("band") ? [entry("band", "test loss of 8 in 10 networks"), entry("median", "their median")] : []),
  );
}

function paintChart(context, width, height, theme, model) {
  const rows = rowsOf(model);
  const band = bandOf(model);
  const area = { left: 40, top: 20, width: width - 56, height: height - 58 };
  const far = Math.max(1, rows.at(-1)?.[0] ?? 1, band.at(-1)?.[0] ?? 1);
  const { X, Y } = axes(context, area, [0, far], [0, highest(rows, band)], theme, { xLabel: "epoch", yLabel: "loss" });
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  if (band.length) paintBand(context, band, X, Y, theme);
  for (const { column, width: thick, dash } of Object.values(LINES)) {
    context.strokeStyle = column === LINES.train.column ? theme.muted : theme.text;
    context.lineWidth = thick;
    context.setLineDash(dash ?? []);
    trace(context, rows, X, Y, column);
    context.stroke();
  }
  context.restore();
}

// The axis ends a little above the largest loss; a loss that runs away leaves the chart instead of flattening it.
function highest(rows, band) {
  const losses = [...rows.flatMap((row) => [row[1], row[2]]), ...band.map((row) => row[3])].filter(Number.isFinite);
  const first = Math.max(rows[0]?.[1] || 0, rows[0]?.[2] || 0) || 1;
  return 1.05 * Math.min(losses.length ? Math.max(...losses) : 1, 3 * first) || 1;
}

function trace(context, rows, X, Y, column) {
  context.beginPath();
  let drawing = false;
  for (const row of rows) {
    const known = Number.isFinite(row[column]);
    if (known) context[drawing ? "lineTo" : "moveTo"](X(row[0]), Y(row[column]));
    drawing = known;
  }
}

function paintBand(context, band, X, Y, theme) {
  const known = band.filter((row) => Number.isFinite(row[1]) && Number.isFinite(row[3]));
  context.beginPath();
  for (const row of known) context.lineTo(X(row[0]), Y(row[1]));
  for (const row of known.toReversed()) context.lineTo(X(row[0]), Y(row[3]));
  context.fillStyle = BAND;
  context.fill();
  trace(context, band, X, Y, 2);
  context.setLineDash([6, 3]);
  context.lineWidth = 1.5;
  context.strokeStyle = MEDIAN[theme.dark ? "dark" : "light"];
  context.stroke();
  context.setLineDash([]);
}

// The curves as text: at most about forty rows.
export function curveTable(scope, model) {
  return table(scope, "Losses as a table", ["Epoch", "Training loss", "Test loss", "Validation loss", "Test accuracy"], () => {
    const rows = rowsOf(model);
    const step = Math.ceil(rows.length / 40);
    const some = rows.filter((_, i) => i % step === 0 || i === rows.length - 1);
    return some.map(([epoch, train, test, validation, accuracy]) => [
      epoch.toLocaleString("en"),
      lossOf(train),
      lossOf(test),
      Number.isNaN(validation) ? "none" : lossOf(validation),
      Number.isNaN(accuracy) ? "none" : shareOf(accuracy),
    ]);
  });
}
