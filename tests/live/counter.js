import { ask, button, floats, frames, node, number, open, runButton } from "../kit.js";

export default {
  render({ model, el }) {
    const { scope, body } = open(el, model, "Counter");
    const shown = node("output", { class: "count" });
    const answer = node("output", { class: "answer" });
    const act = (label, action) =>
      button(scope, label, () =>
        ask(model, action).then(
          (result) => (answer.textContent = JSON.stringify(result)),
          (error) => (answer.textContent = error.message),
        ),
      );
    const draw = () => (shown.textContent = floats(model.get("bars"))[3]);
    body.append(runButton(scope, model), act("Step", "step"), act("Hang", "hang"), act("Fail", "fail"));
    body.append(act("Digits", "count_digits"), act("Process", "process"), number(scope, model, "pace", "Pace"), shown, answer);
    scope.on(model, "change:bars", draw);
    frames(scope, model, el, draw);
    return () => scope.end();
  },
};
