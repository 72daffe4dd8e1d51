// Predict: a question, the reader's answer, and beside it what was measured. There is no mathematics here but that of
// scales; what was measured comes from Python, and is shown once the reader has committed to an answer.

import { Scope, button, canvas, freshId, node, open, set, table, ticks } from "./kit.js";

const HINT = "Run the cell that measures, and the result appears here.";
const LEVELS = 100; // steps of a slider over the whole scale

// --------------------------------------------------------------------------------------------------- numbers, scales

const DIGITS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const raised = (power) => [...String(power)].map((digit) => DIGITS[digit]).join("");

// A number as a sentence shows it: 1,260 · 0.0321 · 2.5 × 10⁻⁷.
function numeral(value) {
  const size = Math.abs(value);
  if (size && (size < 1e-3 || size >= 1e6)) {
    const [factor, power] = value.toExponential(2).split("e");
    const times = Number(factor);
    return `${times === 1 ? "" : `${times} × `}10${raised(Number(power))}`.replace("-", "−");
  }
  const shown = Number.isInteger(value) ? value : Number(value.toPrecision(3));
  return shown.toLocaleString("en-GB", { maximumFractionDigits: 6 }).replace("-", "−");
}

// A number along an axis: large and small powers of ten in their short form.
function label(value) {
  const power = Math.round(Math.log10(value));
  const far = power > 3 || power < -2;
  return far && Math.abs(value / 10 ** power - 1) < 1e-9 ? `10${raised(power)}` : numeral(value);
}

// Between a value and its share of the way along a scale.
function scaleOf(low, high, log) {
  const share = log ? (v) => (v > 0 ? Math.log(v / low) / Math.log(high / low) : 0) : (v) => (v - low) / (high - low);
  const at = log ? (s) => low * (high / low) ** s : (s) => low + s * (high - low);
  const inside = (v) => Math.min(high, Math.max(low, v));
  return {
    share: (v) => Math.min(1, Math.max(0, share(v))),
    beyond: (v) => (v > high ? 1 : v < low ? -1 : 0),
    at: (s) => inside(tidied(at(s), log ? 0 : (high - low) / LEVELS)),
    marks: () => (log ? powers(low, high) : ticks(low, high, 4)),
  };
}

// Round to what a slider can mean: its step, or two digits on a logarithmic scale.
function tidied(value, step) {
  if (!step) return Number(value.toPrecision(2));
  const unit = 10 ** Math.floor(Math.log10(step) + 1e-9);
  return Number((Math.round(value / unit) * unit).toPrecision(12));
}

// Powers of ten on a logarithmic scale, at most about six.
function powers(low, high) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first) / 6));
  const found = [];
  for (let power = first; power <= last; power += step) found.push(10 ** power);
  return found.length > 1 ? found : [low, high];
}

const withUnit = (value, unit) => `${numeral(value)}${unit ? ` ${unit}` : ""}`;

// HTML that Python made from Markdown.
const html = (tag, attributes, source) => {
  const made = node(tag, attributes);
  made.innerHTML = source;
  return made;
};

// --------------------------------------------------------------------------------------------------------- a number

const numberForm = {
  fits: (form, answer) => typeof answer === "number" && answer >= form.low && answer <= form.high,

  // Controls to answer with; `choose(answer)` is called with each draft.
  controls(scope, form, choose, heading) {
    const scale = scaleOf(form.low, form.high, form.log);
    const bar = node("input", { type: "range", name: "prediction", min: 0, max: LEVELS, step: 1, "aria-labelledby": heading, "aria-valuetext": "nothing chosen" });
    const field = node("input", { type: "number", name: "prediction-number", min: form.low, max: form.high, step: "any", inputmode: "decimal", "aria-labelledby": heading });
    bar.value = LEVELS / 2;
    const whole = node("div", { class: "predict-number", "data-empty": "true" }, marksOf(scale), bar, node("div", { class: "predict-field" }, field, ...(form.unit ? [node("span", {}, form.unit)] : [])));
    const take = (value) => {
      whole.dataset.empty = "false";
      bar.setAttribute("aria-valuetext", withUnit(value, form.unit));
      choose(value);
    };
    const slid = () => {
      const value = scale.at(bar.value / LEVELS);
      field.value = value;
      take(value);
    };
    scope.listen(bar, "input", slid);
    scope.listen(bar, "click", slid); // a click where the handle lies is an answer, too, and no "input"
    scope.listen(field, "input", () => {
      if (field.value === "") return choose(null);
      const value = Number(field.value);
      bar.value = Math.round(scale.share(value) * LEVELS);
      if (numberForm.fits(form, value)) return take(value);
      choose(null, `Expected a number from ${numeral(form.low)} to ${numeral(form.high)}.`);
    });
    return whole;
  },

  // The answer, if there is one, and the result, if there is one, on one scale.
  outcome(scope, form, answer, result) {
    const scale = scaleOf(form.low, form.high, form.log);
    const mark = (value, kind, words) => {
      const share = scale.share(value);
      const edge = ["← ", "", ""][scale.beyond(value) + 1];
      const after = scale.beyond(value) > 0 ? " →" : "";
      const label = node("span", { class: "predict-label" }, `${edge}${words}: ${withUnit(value, form.unit)}${after}`);
      label.style.cssText = `left: ${100 * share}%; transform: translateX(${-100 * share}%)`;
      const point = node("i", { class: "predict-point" });
      point.style.left = `${100 * share}%`;
      return node("div", { class: `predict-mark predict-${kind}` }, label, point);
    };
    const marks = [];
    if (answer !== null) marks.push(mark(answer, "own", "you"));
    if (result !== null) marks.push(mark(result, "true", "measured"));
    return [node("div", { class: "predict-scale", "aria-hidden": "true" }, ...marks.slice(0, 1), node("div", { class: "predict-line" }), ...marks.slice(1), marksOf(scale))];
  },

  sentence(form, answer, result) {
    const measured = `Measured: ${withUnit(result, form.unit)}.`;
    if (answer === null) return measured;
    if (answer === result) return `As you predicted: ${withUnit(result, form.unit)}.`;
    const told = `You predicted ${withUnit(answer, form.unit)}. ${measured}`;
    const times = answer * result > 0 ? Math.max(answer / result, result / answer) : 0;
    if (!form.log && times < 2) return `${told} The difference is ${numeral(Math.abs(answer - result))}.`;
    if (!times) return told;
    return `${told} Your prediction is ${numeral(Number(times.toPrecision(2)))} times too ${result > answer ? "small" : "large"}.`;
  },

  told: (form, answer) => withUnit(answer, form.unit),
};

// The numbers along a scale: its two ends, and what lies well between them.
function marksOf(scale) {
  const [low, high] = [scale.at(0), scale.at(1)];
  const between = scale.marks().filter((value) => scale.share(value) > 0.1 && scale.share(value) < 0.9);
  const spans = [low, ...between, high].map((value) => {
    const made = node("span", {}, label(value));
    const share = 100 * scale.share(value);
    made.style.cssText = `left: ${share}%; transform: translateX(${-share}%)`;
    return made;
  });
  return node("div", { class: "predict-marks", "aria-hidden": "true" }, ...spans);
}

// ---------------------------------------------------------------------------------------------------------- choices

// One group of radio buttons.
function radios(scope, options, choose, labelling, group = freshId("choice")) {
  const rows = options.map((option, i) => {
    const control = node("input", { type: "radio", name: group, value: i });
    scope.listen(control, "change", () => choose(option.text));
    return node("label", { class: "predict-option" }, control, html("span", {}, option.html));
  });
  return node("div", { class: "predict-options", role: "radiogroup", "aria-labelledby": labelling }, ...rows);
}

// The options with what was chosen and what was measured marked, by words and by form.
function verdicts(options, answer, result) {
  return node(
    "ul",
    { class: "predict-verdicts" },
    ...options.map((option) => {
      const [own, right] = [option.text === answer, option.text === result];
      const words = [own && "your prediction", right && "found"].filter(Boolean);
      const row = node("li", { "data-own": String(own), "data-right": String(right) }, html("span", {}, option.html));
      if (words.length) row.append(node("span", { class: "predict-tag" }, words.join(" and ")));
      return row;
    }),
  );
}

const htmlOf = (options, text) => options.find((option) => option.text === text).html;

const choiceForm = {
  fits: (form, answer) => form.options.some((option) => option.text === answer),
  controls: (scope, form, choose, heading) => radios(scope, form.options, choose, heading),
  outcome: (scope, form, answer, result) => [verdicts(form.options, answer, result)],
  sentence(form, answer, result) {
    const found = htmlOf(form.options, result);
    if (answer === null) return `Found: ${found}.`;
    return answer === result ? `As you predicted: ${found}.` : `You predicted: ${htmlOf(form.options, answer)}. Found: ${found}.`;
  },
  told: (form, answer) => htmlOf(form.options, answer),
};

const itemsForm = {
  fits: (form, answer) => Array.isArray(answer) && answer.length === form.items.length && answer.every((text) => choiceForm.fits(form, text)),

  controls(scope, form, choose) {
    const draft = form.items.map(() => null);
    const rows = form.items.map((item, i) => {
      const heading = html("div", { class: "predict-item", id: freshId("item") }, item.html);
      const take = (text) => {
        draft[i] = text;
        const missing = draft.filter((value) => value === null).length;
        choose(missing ? null : [...draft], missing ? `${missing} still to choose.` : "");
      };
      return node("div", { class: "predict-row" }, heading, radios(scope, form.options, take, heading.id));
    });
    return node("div", { class: "predict-rows" }, ...rows);
  },

  outcome(scope, form, answer, result) {
    const rows = form.items.map((item, i) => node("div", { class: "predict-row" }, html("div", { class: "predict-item" }, item.html), verdicts(form.options, answer?.[i], result?.[i])));
    return [node("div", { class: "predict-rows" }, ...rows)];
  },

  sentence(form, answer, result) {
    const listed = form.items.map((item, i) => `${item.html}: ${htmlOf(form.options, result[i])}`).join("; ");
    if (answer === null) return `Found: ${listed}.`;
    const right = form.items.filter((_, i) => answer[i] === result[i]).length;
    return `${right} of ${form.items.length} as you predicted. Found: ${listed}.`;
  },

  told: (form, answer) => form.items.map((item, i) => `${item.html}: ${htmlOf(form.options, answer[i])}`).join("; "),
};

// ---------------------------------------------------------------------------------------------------------- a curve

const MARGIN = { left: 46, right: 10, top: 26, bottom: 36 };
const across = (form, x) => (x - form.x[0]) / (form.x[1] - form.x[0]);
const areaOf = (width, height) => ({ left: MARGIN.left, top: MARGIN.top, width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom });

function drawAxes(context, area, form, scale, theme) {
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.muted;
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const x of ticks(...form.x, Math.max(2, area.width / 80))) context.fillText(numeral(x), area.left + across(form, x) * area.width, area.top + area.height + 4);
  context.fillText(form.x_label, area.left + area.width / 2, area.top + area.height + 19);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const y of scale.marks()) {
    const height = area.top + (1 - scale.share(y)) * area.height;
    context.fillText(label(y), area.left - 10, height); // clear of the first handle
    context.beginPath();
    context.moveTo(area.left, height);
    context.lineTo(area.left + area.width, height);
    context.stroke();
  }
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(form.y_label, 2, area.top - 10);
  context.strokeRect(area.left, area.top, area.width, area.height);
}

// A line through points, each given as its shares of the two axes.
function drawLine(context, area, points, { colour, dash = [] }) {
  context.save();
  context.beginPath();
  context.rect(area.left, area.top - 2, area.width, area.height + 4);
  context.clip();
  context.beginPath();
  for (const [x, y] of points) context.lineTo(area.left + x * area.width, area.top + (1 - y) * area.height);
  context.setLineDash(dash);
  context.lineWidth = 2.5;
  context.strokeStyle = colour;
  context.stroke();
  context.restore();
}

// The height at `x` of the line through points in rising order of x; beyond its ends, that of the nearer end.
function heightAt(points, x) {
  const after = points.findIndex(([px]) => px >= x);
  if (after === 0) return points[0][1];
  if (after < 0) return points.at(-1)[1];
  const [[x0, y0], [x1, y1]] = [points[after - 1], points[after]];
  return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

// The value of a line {xs, ys} at `x`, as it is told: that of the nearest place before and after, joined on the axis's scale.
function valueAt(form, [xs, ys], x) {
  const after = xs.findIndex((other) => other >= x);
  if (after <= 0 || xs[after] === x) return ys.at(after);
  const [part, low, high] = [(x - xs[after - 1]) / (xs[after] - xs[after - 1]), ys[after - 1], ys[after]];
  return form.log && low > 0 && high > 0 ? low * (high / low) ** part : low + part * (high - low);
}

const sharesOf = (form, scale, [xs, ys]) => xs.map((x, i) => [across(form, x), scale.share(ys[i])]);

const curveForm = {
  fits: (form, answer) => Array.isArray(answer) && answer[0]?.length === form.knots.length && answer[1]?.every((y) => y >= form.y[0] && y <= form.y[1]),

  controls(scope, form, choose, heading) {
    const scale = scaleOf(...form.y, form.log);
    const places = form.knots.map((x) => across(form, x));
    const draft = form.knots.map(() => null); // shares of the height; null: not drawn yet
    const filled = () => {
      const drawn = places.map((x, i) => [x, draft[i]]).filter(([, height]) => height !== null);
      return drawn.length ? places.map((x) => heightAt(drawn, x)) : places.map(() => 0.5);
    };
    const value = (share) => scale.at(share);
    let area = null;
    const knots = form.knots.map((x, i) => {
      const control = node("input", { type: "range", name: `knot-${i + 1}`, min: 0, max: LEVELS, step: 1, "aria-label": `${form.x_label || "x"} ${numeral(x)}` });
      const dot = node("i");
      scope.listen(control, "input", () => {
        draft[i] = control.value / LEVELS;
        changed();
      });
      return { control, dot, whole: node("div", { class: "predict-knot" }, control, dot) };
    });
    const layer = node("div", { class: "predict-knots", role: "group", "aria-labelledby": heading }, ...knots.map((knot) => knot.whole));
    const surface = canvas(
      scope,
      "Axes to draw on with the pointer. The sliders in it do the same by keyboard.",
      (context, width, height, theme) => {
        area = areaOf(width, height);
        drawAxes(context, area, form, scale, theme);
        const heights = filled();
        if (draft.some((share) => share !== null)) drawLine(context, area, places.map((x, i) => [x, heights[i]]), { colour: theme.text, dash: [7, 5] });
        knots.forEach(({ whole }, i) => {
          whole.style.left = `${area.left + places[i] * area.width}px`;
          whole.style.top = `${area.top + (1 - heights[i]) * area.height}px`;
        });
      },
      { height: tall },
    );
    const changed = () => {
      const heights = filled();
      const drawn = draft.some((share) => share !== null);
      layer.dataset.empty = !drawn;
      knots.forEach(({ control }, i) => {
        if (document.activeElement !== control) control.value = Math.round(heights[i] * LEVELS);
        control.setAttribute("aria-valuetext", drawn ? numeral(value(heights[i])) : "nothing drawn");
      });
      surface.redraw();
      if (drawn) choose([form.knots, heights.map(value)]);
    };
    const host = node("div", { class: "predict-canvas predict-drawing" }, surface, layer);
    drawByPointer(scope, surface, () => area, places, (i, share) => (draft[i] = share), changed);
    changed();
    return host;
  },

  outcome(scope, form, answer, result) {
    const scale = scaleOf(...form.y, form.log);
    const [own, found] = [answer, result].map((line) => line && sharesOf(form, scale, line));
    const surface = canvas(
      scope,
      "Your prediction and what was measured. The table below holds both.",
      (context, width, height, theme) => {
        const area = areaOf(width, height);
        drawAxes(context, area, form, scale, theme);
        if (found) drawLine(context, area, found, { colour: theme.accent });
        if (own) drawLine(context, area, own, { colour: theme.text, dash: [7, 5] });
      },
      { height: tall },
    );
    const keys = [own && ["own", "your prediction"], found && ["true", "measured"]].filter(Boolean);
    const key = node("p", { class: "predict-key" }, ...keys.map(([kind, words]) => node("span", {}, node("i", { class: `predict-sample-${kind}` }), words)));
    const listing = table(scope, "The curves as a table", [form.x_label || "x", ...keys.map(([, words]) => words)], () =>
      form.knots.map((x) => [numeral(x), ...[answer, result].filter(Boolean).map((line) => numeral(valueAt(form, line, x)))]),
    );
    return [node("div", { class: "predict-canvas" }, surface), key, listing];
  },

  sentence(form, answer, result) {
    const scale = scaleOf(...form.y, form.log);
    const told = (line, x) => numeral(valueAt(form, line, x));
    const axis = form.x_label || "x";
    const [first, last] = [form.knots[0], form.knots.at(-1)];
    const run = `Measured: ${told(result, first)} at ${axis} ${numeral(first)}, ${told(result, last)} at ${numeral(last)}.`;
    if (answer === null) return run;
    const [own, found] = [answer, result].map((line) => sharesOf(form, scale, line));
    const gaps = own.map(([x, height]) => Math.abs(height - heightAt(found, x)));
    const worst = gaps.indexOf(Math.max(...gaps));
    if (gaps[worst] < 0.05) return `Your curve follows the measured one. ${run}`;
    const x = form.knots[worst];
    return `${run} Your curve is furthest off at ${axis} ${numeral(x)}: you drew ${told(answer, x)}, measured was ${told(result, x)}.`;
  },

  told: () => "the curve drawn above",
};

const tall = (width) => Math.max(190, Math.min(320, width * 0.5));

const REACH = 10; // pixels beside a knot within which the pointer still moves it

// A stroke of the pointer bends the curve at all knots that it passes; it begins at the nearest, which it takes along
// while it stays in its column.
function drawByPointer(scope, surface, area, places, bend, changed) {
  let last = null;
  let start = 0;
  const at = (event) => {
    const { left, top, width, height } = area();
    return [(event.offsetX - left) / width, Math.min(1, Math.max(0, 1 - (event.offsetY - top) / height))];
  };
  const nearest = (x) => places.reduce((best, place, i) => (Math.abs(place - x) < Math.abs(places[best] - x) ? i : best), 0);
  const stroke = (event) => {
    const here = at(event);
    const line = [last, here].sort((a, b) => a[0] - b[0]);
    places.forEach((place, i) => place >= line[0][0] && place <= line[1][0] && bend(i, heightAt(line, place)));
    const [knot, away] = [nearest(here[0]), area().width];
    if (Math.abs(places[knot] - here[0]) * away < REACH || Math.abs(start - here[0]) * away < REACH) bend(knot, here[1]);
    last = here;
    changed();
  };
  scope.listen(surface, "pointerdown", (event) => {
    if (event.button !== 0 || !area()) return;
    surface.setPointerCapture(event.pointerId);
    last = at(event);
    start = last[0];
    stroke(event);
  });
  scope.listen(surface, "pointermove", (event) => last && stroke(event));
  for (const type of ["pointerup", "pointercancel"]) scope.listen(surface, type, () => (last = null));
}

// ------------------------------------------------------------------------------------------------------- the widget

const FORMS = { number: numberForm, choice: choiceForm, items: itemsForm, curve: curveForm };

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Predict");
  frame.querySelector(".dlcore-summary").hidden = true; // it says what is to be read here
  const way = FORMS[model.get("kind")];
  const form = model.get("form");
  const heading = freshId("question");
  const question = html("div", { class: "predict-question", id: heading }, model.get("question"));
  const place = node("div", { class: "predict-place" });
  const status = node("div", { class: "predict-status", role: "status" });
  const foot = node("div", { class: "dlcore-controls" });
  body.append(node("p", { class: "predict-title" }, "Predict"), question, place, status, foot);

  let stage = new Scope();
  let peeking = false; // the reader looks at the result without a prediction
  const answer = () => (way.fits(form, model.get("answer")) ? model.get("answer") : null);

  const ask = () => {
    let draft = null;
    const commit = button(stage, "That is my prediction", () => {
      set(model, "answer", draft);
      again()?.focus();
    }, { class: "predict-commit", disabled: true });
    const choose = (value, remark = "") => {
      draft = value;
      commit.disabled = value === null;
      status.textContent = remark;
    };
    const show = model.get("result") === null ? [] : [button(stage, "Show me", () => peek(true), { class: "predict-link" })];
    status.textContent = "";
    place.replaceChildren(way.controls(stage, form, choose, heading));
    foot.replaceChildren(commit, ...show);
  };

  const again = () => foot.querySelector(".predict-again");
  const peek = (looking) => {
    peeking = looking;
    update();
    (again() ?? place.querySelector("input")).focus();
  };

  const tell = () => {
    const [own, found] = [answer(), model.get("result")];
    const back = button(stage, own === null ? "Predict first" : "Predict again", () => {
      set(model, "answer", null);
      peek(false);
    }, { class: "predict-again" });
    place.replaceChildren(...way.outcome(stage, form, own, found));
    foot.replaceChildren(back);
    status.innerHTML = found === null ? `You predict: ${way.told(form, own)}. ${HINT}` : way.sentence(form, own, found);
  };

  const update = () => {
    stage.end();
    stage = new Scope();
    if (answer() !== null || (peeking && model.get("result") !== null)) tell();
    else ask();
  };
  scope.on(model, "change:answer", update);
  scope.on(model, "change:result", update);
  scope.endings.push(() => stage.end());
  update();
  return () => scope.end();
}

export default { render };
