// Blame ledger: a graph of a few values, drawn from left to right (downwards where it is narrow), the question that is
// open, and the ledger as a table.

import { ask, button, canvas, frames, freshId, node, open, select } from "./kit.js";
import { GREEN, PURPLE, shown, tag, tone, whenAny } from "./line.js";

const EXPRESSIONS = { fork: "a value used twice", line: "a line, squared error", neuron: "a neuron and its loss", sine: "a sine and a way around" };
const RULES = { add: "add", overwrite: "overwrite" };
const NARROW = 520;
const HEAD = ["", "is", "value", "blame", "measured", ""];
const quietly = (promise) => promise.catch(() => {});

// The nodes as Python sent them, by name. What is not known yet is null from a kernel, undefined from the page.
const read = (model) => model.get("nodes").map(([name, formula, column, row, value, blame, measured, complete, agrees]) => ({ name, formula, column, row, value, blame, measured, complete, agrees }));

// ------------------------------------------------------------------------------------------------------ the graph

// Where each node stands: the flow goes to the right, or down on a phone.
function layout(nodes, width, height) {
  const [columns, rows] = ["column", "row"].map((key) => Math.max(...nodes.map((each) => each[key])));
  const down = width < NARROW;
  const box = { width: Math.min(104, (width - 8) / (down ? rows + 1 : columns + 1) - (down ? 8 : 44)), height: 42 };
  const along = (at, last, length, size) => size / 2 + 4 + (last ? (at / last) * (length - size - 8) : (length - size - 8) / 2);
  const place = ({ column, row }) => (down ? [along(row, rows, width, box.width), along(column, columns, height, box.height)] : [along(column, columns, width, box.width), along(row, rows, height, box.height)]);
  return { box, places: nodes.map(place) };
}

function drawEdge(context, theme, [from, to], [, , slope, , asked]) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.lineWidth = asked ? 3.5 : 1.5;
  context.strokeStyle = asked ? theme.accent : theme.muted;
  context.stroke();
  const middle = [0, 1].map((k) => 0.5 * from[k] + 0.5 * to[k]);
  if (asked) tag(context, theme, "?", ...middle, theme.accent);
  else if (slope != null) tag(context, theme, shown(slope), ...middle, tone(theme, PURPLE));
}

function drawNode(context, theme, { name, value, blame, complete, agrees }, [x, y], box) {
  context.beginPath();
  context.roundRect(x - box.width / 2, y - box.height / 2, box.width, box.height, 6);
  context.fillStyle = theme.paper;
  context.fill();
  context.lineWidth = complete && !agrees ? 3 : 1.5;
  context.strokeStyle = complete ? (agrees ? tone(theme, GREEN) : theme.text) : theme.muted;
  context.setLineDash(complete && !agrees ? [5, 3] : []);
  context.stroke();
  context.setLineDash([]);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "13px system-ui, sans-serif";
  context.fillStyle = theme.text;
  const room = box.width - 6;
  context.fillText(value == null ? name : `${name} = ${shown(value)}`, x, y - (blame == null ? 0 : 9), room);
  context.fillStyle = tone(theme, GREEN);
  context.font = "600 13px system-ui, sans-serif";
  if (blame != null) context.fillText(`blame ${shown(blame)}`, x, y + 10, room);
}

function drawGraph(model, context, width, height, theme) {
  const nodes = read(model);
  if (!nodes.length) return;
  const { box, places } = layout(nodes, width, height);
  for (const edge of model.get("edges")) drawEdge(context, theme, [places[edge[0]], places[edge[1]]], edge);
  nodes.forEach((each, i) => drawNode(context, theme, each, places[i], box));
}

const tallness = (model) => (width) => {
  const nodes = read(model);
  const columns = Math.max(1, ...nodes.map((each) => each.column));
  return width < NARROW ? 60 + 74 * columns : 210;
};

// ------------------------------------------------------------------------------------------------------ the ledger

function book() {
  const body = node("tbody");
  const head = node("tr", {}, ...HEAD.map((word) => node(word ? "th" : "td", word ? { scope: "col" } : {}, word)));
  const whole = node("table", { class: "blame-table" }, node("caption", {}, "The ledger"), node("thead", {}, head), body);
  const cell = (value) => node("td", {}, value == null ? "" : shown(value));
  const update = (model) => {
    const rows = read(model).map((each) => {
      const verdict = each.complete ? (each.agrees ? "✓ agrees" : "✗ differs") : "";
      return node("tr", {}, node("th", { scope: "row" }, each.name), node("td", {}, each.formula || "given"), cell(each.value), cell(each.blame), cell(each.measured), node("td", { class: each.agrees ? "" : "blame-differs" }, verdict));
    });
    body.replaceChildren(...rows);
  };
  return { whole: node("div", { class: "dlcore-scroll blame-scroll", tabindex: "0", role: "region", "aria-label": "The ledger" }, whole), update };
}

// The open question with its field.
function asking(scope, model, say) {
  const field = node("input", { type: "number", step: "any", name: "answer", inputmode: "decimal", autocomplete: "off" });
  const label = node("label", { class: "blame-question", for: (field.id = freshId("answer")) });
  const enter = button(scope, "Enter", () => submit());
  const show = button(scope, "Show me", () => quietly(ask(model, "show")));
  const message = node("p", { class: "blame-message" });
  // Of what is no number the page learns nothing, not even that it was typed.
  const submit = () => (field.value === "" ? say("Expected a number, as −6 or 0.25. Two decimals are enough; or press Show me.") : quietly(ask(model, "answer", { value: Number(field.value) })));
  scope.listen(field, "keydown", (event) => event.key === "Enter" && submit());
  const row = node("div", {}, label, node("div", { class: "dlcore-controls" }, field, enter, show));
  let before = "";
  const update = () => {
    const question = model.get("question");
    row.hidden = !question;
    label.textContent = question;
    if (question !== before) field.value = "";
    before = question;
    message.textContent = model.get("message");
    message.hidden = !message.textContent;
  };
  return { whole: node("div", { class: "blame-asking" }, row, message), update, field };
}

function render({ model, el }) {
  const { scope, body, frame, say } = open(el, model, "Blame ledger");
  const surface = canvas(scope, "The graph: each value in a box with its blame, each edge with its local slope. The ledger below says the same.", (context, width, height, theme) => {
    drawGraph(model, context, width, height, theme);
  }, { height: tallness(model) });
  surface.classList.add("blame-graph");
  const [ledger, question] = [book(), asking(scope, model, say)];
  const [story, count] = [node("p", { class: "blame-story" }), node("p", { class: "blame-count" })];
  const next = button(scope, "Next", () => quietly(ask(model, "next")));
  const forward = button(scope, "All values", () => quietly(ask(model, "forward")));
  frame.querySelector(".dlcore-summary").classList.add("dlcore-spoken"); // all that it says is to be seen elsewhere
  body.append(
    node("div", { class: "dlcore-controls" }, select(scope, model, "expression", "Expression", EXPRESSIONS), select(scope, model, "rule", "At a fork, shares", RULES), button(scope, "Other numbers", () => quietly(ask(model, "draw"))), button(scope, "Start again", () => quietly(ask(model, "reset")))),
    surface,
    story,
    question.whole,
    node("div", { class: "dlcore-controls blame-steps" }, next, forward, count),
    ledger.whole,
  );
  const update = () => {
    surface.redraw();
    ledger.update(model);
    const answering = question.whole.contains(document.activeElement);
    question.update();
    const [asked, done, at] = [Boolean(model.get("question")), model.get("done"), model.get("at")];
    const held = [next, forward].includes(document.activeElement);
    next.disabled = asked || done;
    forward.disabled = asked || done;
    // What was pressed has nothing more to do: go where it goes on.
    if (held && asked) question.field.focus();
    else if ((answering && !asked) || (held && done)) (done ? ledger.whole : next).focus({ preventScroll: true });
    story.textContent = model.get("story");
    const slips = model.get("slips");
    count.textContent = `Entry ${at} of ${model.get("length")}; ${model.get("typed")} by you, ${slips} wrong`;
  };
  whenAny(scope, model, ["nodes", "edges", "question", "message", "story", "at", "length", "done", "typed", "slips"], update);
  frames(scope, model, el, update);
  return () => scope.end();
}

export default { render };
