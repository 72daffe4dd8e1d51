// The data: which set, how much noise, how many points to train on.

import { button, canvas, freshId, node, number, percent, set, slider } from "../kit.js";
import { DATASETS, paintDataset } from "./icons.js";

export function datasets(scope, model, view) {
  const group = freshId("dataset");
  const cards = Object.keys(DATASETS).map((name) => makeCard(scope, model, name, group));
  const choice = node("fieldset", { class: "pg-sets", "data-control": "dataset" }, node("legend", {}, "Data set"), ...cards.map((c) => c.whole));
  const noiseWords = node("p", { class: "pg-note", id: freshId("noise") });
  const sliders = {
    train_share: slider(scope, model, "train_share", "Train on", { words: (v) => percent(v / 100) }),
    noise: slider(scope, model, "noise", "Noise", { words: String }),
    batch_size: slider(scope, model, "batch_size", "Batch size"),
  };
  const noise = sliders.noise.querySelector("input");
  noise.setAttribute("aria-describedby", noiseWords.id);
  const again = button(scope, "Regenerate", () => view.act("regenerate"), { "data-control": "regenerate" });
  const seed = number(scope, model, "data_seed", "Data seed", { step: 1 });
  seed.dataset.control = "regenerate";
  for (const [name, whole] of Object.entries(sliders)) whole.dataset.control = name;
  noiseWords.dataset.control = "noise";
  const show = () => {
    for (const card of cards) card.show();
    const name = model.get("dataset");
    noiseWords.textContent = `Noise here: ${DATASETS[name].noise}.`;
    noise.disabled = name === "own";
  };
  for (const name of ["dataset", "problem"]) scope.on(model, `change:${name}`, show);
  show();
  const tuning = node("div", { class: "pg-sliders" }, sliders.train_share, sliders.noise, noiseWords, sliders.batch_size);
  return node("div", { class: "pg-data" }, choice, tuning, node("div", { class: "pg-again" }, seed, again));
}

function makeCard(scope, model, name, group) {
  const { label, problem } = DATASETS[name];
  const input = node("input", { type: "radio", name: group, value: name, id: freshId("set"), class: "dlcore-spoken" });
  const picture = canvas(scope, "", (context, side, _, theme) => paintDataset(context, side, name, theme));
  picture.setAttribute("aria-hidden", "true");
  picture.removeAttribute("role");
  const whole = node("div", { class: "pg-set" }, input, node("label", { for: input.id }, picture, label));
  scope.listen(input, "change", () => input.checked && set(model, "dataset", name));
  const show = () => {
    whole.hidden = problem !== "both" && problem !== model.get("problem");
    input.checked = model.get("dataset") === name;
  };
  return { whole, show };
}
