// Quiz: questions, each with a button that checks the answer and says something to it. What the reader has done is in
// the trait `progress`, so that it is there when the view is drawn anew.

import { button, freshId, node, open, set } from "./kit.js";

// HTML that Python made from Markdown.
const setHtml = (made, source) => {
  made.innerHTML = source;
  return made;
};
const NOTHING = { chosen: [], typed: "", tries: 0, solved: false, first: false };
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

// What a reader typed, with a comma or a point, as a number; NaN if it is none.
function typedNumber(text) {
  const tidy = text.trim().replace("−", "-").replace(",", ".");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(tidy) ? Number(tidy) : NaN;
}

// ---------------------------------------------------------------------------------------------- what is said to what

// Each returns {right, lead, says: [HTML …]}; `lead` alone, without `right`, asks for an answer first.
function judgeNumber(question, { typed }) {
  const value = typedNumber(typed);
  if (Number.isNaN(value)) return { lead: typed.trim() ? "Expected a number, such as 0.25." : "Type a number first." };
  const near = (other) => Math.abs(value - other) <= question.tolerance + 1e-12 * Math.abs(other);
  if (near(question.answer)) return { right: true, lead: "Right.", says: [question.says] };
  const foreseen = question.wrong.find((wrong) => near(wrong.value));
  return { right: false, lead: "Not yet.", says: [(foreseen ?? { says: question.otherwise }).says] };
}

function judgeSingle(question, { chosen }) {
  if (!chosen.length) return { lead: "Choose an answer first." };
  const { right, says } = question.options[chosen[0]];
  return { right, lead: right ? "Right." : "Not yet.", says: [says], marked: chosen };
}

function judgeMultiple(question, { chosen }) {
  if (!chosen.length) return { lead: "Choose at least one answer first." };
  const wrong = chosen.filter((i) => !question.options[i].right);
  const missing = question.options.filter((option, i) => option.right && !chosen.includes(i)).length;
  const says = (i) => `<p class="quiz-which">${question.options[i].text}</p>${question.options[i].says}`;
  if (!wrong.length && !missing) return { right: true, lead: "Right, all of them.", says: chosen.filter((i) => question.options[i].says).map(says), marked: chosen };
  const parts = [];
  if (wrong.length) parts.push(`${count(wrong.length, "choice")} ${wrong.length === 1 ? "is" : "are"} wrong`);
  if (missing) parts.push(`${count(missing, "right answer")} ${missing === 1 ? "is" : "are"} missing`);
  return { right: false, lead: `Not yet: ${parts.join(", and ")}.`, says: wrong.map(says), marked: chosen };
}

const JUDGES = { single: judgeSingle, multiple: judgeMultiple, number: judgeNumber };

// ------------------------------------------------------------------------------------------------------ one question

// The controls of a choice; `chosen()` reads them.
function optionControls(question, group, done) {
  const type = question.kind === "single" ? "radio" : "checkbox";
  const boxes = question.options.map((_, i) => node("input", { type, name: group, value: i, checked: done.chosen.includes(i) }));
  const rows = question.options.map((option, i) => node("label", { class: "quiz-option" }, boxes[i], setHtml(node("span"), option.text)));
  const mark = (marked) => rows.forEach((row, i) => (row.dataset.mark = marked.includes(i) ? (question.options[i].right ? "right" : "wrong") : ""));
  return { parts: rows, mark, read: () => ({ chosen: boxes.flatMap((box, i) => (box.checked ? [i] : [])) }) };
}

function numberControls(question, done, legend) {
  const field = node("input", { type: "text", inputmode: "decimal", autocomplete: "off", name: "answer", "aria-labelledby": legend });
  field.value = done.typed;
  const row = node("div", { class: "quiz-number" }, field, ...(question.unit ? [node("span", {}, question.unit)] : []));
  return { parts: [row], mark: () => {}, read: () => ({ typed: field.value }) };
}

// One question as a form: its controls, its button, and what is said to the answer.
function questionForm(scope, question, position, progress) {
  const legend = freshId("question");
  const done = progress.read(position);
  const controls = question.kind === "number" ? numberControls(question, done, legend) : optionControls(question, freshId("answer"), done);
  const said = node("div", { class: "quiz-said", role: "status" });
  const ask = setHtml(node("div", { class: "quiz-ask" }), question.ask);
  const hint = question.kind === "multiple" ? [node("p", { class: "quiz-hint" }, "There may be more than one right answer.")] : [];
  const check = node("button", { type: "submit" }, "Check");
  const set = node("fieldset", {}, node("legend", { id: legend }, node("span", { class: "quiz-count" }, `Question ${position + 1}`), ask), ...hint, ...controls.parts, check);
  const form = node("form", { class: "quiz-question" }, set, said);

  const tell = ({ right, lead, says = [], marked = [] }) => {
    controls.mark(marked);
    said.dataset.right = right ?? "";
    const words = says.map((source) => setHtml(node("div"), source));
    said.replaceChildren(node("p", {}, node("strong", {}, lead)), ...words);
  };
  scope.listen(form, "submit", (event) => {
    event.preventDefault();
    const given = controls.read();
    const verdict = JUDGES[question.kind](question, { ...NOTHING, ...given });
    tell(verdict);
    if (verdict.right !== undefined) progress.checked(position, given, verdict.right);
  });
  // What was said belongs to an answer that is being changed.
  scope.listen(form, "input", () => {
    said.replaceChildren();
    said.dataset.right = "";
    controls.mark([]);
  });
  if (done.tries) tell(JUDGES[question.kind](question, done));
  return form;
}

// -------------------------------------------------------------------------------------------------------- the widget

// The trait `progress`, read and written for one question at a time.
function progressOf(model) {
  const read = (i) => model.get("progress")[i] ?? NOTHING;
  return {
    read,
    checked(i, given, right) {
      const before = read(i);
      const tries = before.tries + (before.solved ? 0 : 1);
      const now = { ...before, ...given, tries, solved: before.solved || right, first: before.first || (right && tries === 1) };
      set(model, "progress", model.get("progress").map((one, j) => (j === i ? now : one)));
    },
    clear: () => set(model, "progress", model.get("progress").map(() => ({ ...NOTHING }))),
  };
}

function scoreOf(progress) {
  const [solved, first, tried] = ["solved", "first", "tries"].map((name) => progress.filter((one) => one[name]).length);
  if (!tried) return `${count(progress.length, "question")}.`;
  const tries = progress.reduce((sum, one) => sum + one.tries, 0);
  return `${first} of ${progress.length} right at the first try, ${solved} right in all, after ${count(tries, "try", "tries")}.`;
}

function render({ model, el }) {
  const { scope, body, frame } = open(el, model, "Quiz");
  frame.querySelector(".dlcore-summary").hidden = true; // the score says it, and what it leaves out is to be read here
  const progress = progressOf(model);
  const list = node("div", { class: "quiz-questions" });
  const score = node("p", { class: "quiz-score", role: "status" });
  const draw = () => list.replaceChildren(...model.get("questions").map((question, i) => questionForm(scope, question, i, progress)));
  const again = button(scope, "Start over", () => {
    progress.clear();
    draw();
    list.querySelector("input").focus();
  });
  const update = () => {
    score.textContent = scoreOf(model.get("progress"));
    again.hidden = !model.get("progress").some((one) => one.tries);
  };
  scope.on(model, "change:progress", update);
  draw();
  update();
  body.append(list, node("div", { class: "quiz-foot" }, score, again));
  return () => scope.end();
}

export default { render };
