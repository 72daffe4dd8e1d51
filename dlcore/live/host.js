// Makes the widgets of a page live. The page holds their state and a place for each, and a widget's own module draws
// it at once. Python is started by the first thing that a reader does to a widget that computes; for a still one, never.

import { keep, recall } from "./keep.js";
import { Model } from "./model.js";
import { Python } from "./python.js";

const ROOT = new URL(".", import.meta.url);
const HOVER = 150; // milliseconds over a control, until Python is loaded ahead of the click
const CONTROLS = "button, select, input, canvas, summary, [tabindex]";

const node = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

// A widget's place in the page: its view, and below it what Python has to say.
class Place {
  constructor(element) {
    this.element = element;
    this.model = models.get(element.dataset.model);
    this.view = node("div", { class: "dlcore-live-view" });
    this.status = node("div", { class: "dlcore-live-status" });
    this.asked = false; // whether this widget has called for Python
    element.dataset.state = "drawing";
    element.append(this.view, this.status);
    if (!this.model.still) warmUp(this.view);
    this.render();
  }

  async render() {
    try {
      this.cleanup?.();
      const module = (await import(new URL(this.element.dataset.module, ROOT))).default;
      const widget = typeof module === "function" ? await module() : module;
      await widget.initialize?.({ model: this.model });
      this.cleanup = await widget.render({ model: this.model, el: this.view });
      this.element.dataset.state = "drawn";
    } catch (error) {
      console.error(error);
      this.view.replaceChildren();
      this.element.dataset.state = "failed";
      this.element.dataset.reason = `This is a picture: the widget could not be drawn (${error.message}).`;
      this.element.dispatchEvent(new Event("dlcore-picture", { bubbles: true }));
    }
  }

  // Show how Python is doing.
  show({ phase, loaded, total, sentence }) {
    if (phase === "loading" && this.bar) return this.progress(loaded, total);
    this.bar = null;
    if (phase === "loading") this.status.replaceChildren(...this.makeBar());
    else if (phase === "starting") this.status.replaceChildren(say("Starting Python …"));
    else if (phase === "silent") this.status.replaceChildren(say("Python has not answered for some seconds."), stopButton());
    else if (phase === "failed") this.status.replaceChildren(say(sentence, "alert"), ...(python.obstacle ? [] : [againButton()]));
    else this.status.replaceChildren();
  }

  makeBar() {
    this.words = node("p", { "aria-hidden": "true" }, "Loading Python …");
    this.fill = node("div");
    this.bar = node("div", { role: "progressbar", "aria-label": "Loading Python", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0 }, this.fill);
    return [this.words, this.bar];
  }

  progress(loaded, total) {
    if (!total) return;
    const share = Math.floor((100 * loaded) / total);
    this.words.textContent = `Loading Python and NumPy, once: ${megabytes(total - loaded)} MB of ${megabytes(total)} MB left`;
    this.bar.setAttribute("aria-valuenow", share);
    this.bar.setAttribute("aria-valuetext", `${megabytes(total - loaded)} MB left`);
    this.fill.style.width = `${share}%`;
  }
}

const say = (sentence, role = "status") => node("p", { role }, sentence);

function stopButton() {
  const button = node("button", { type: "button" }, "Stop");
  button.addEventListener("click", () => python.restart("Stopped. It goes on from what is shown here."));
  return button;
}

function againButton() {
  const button = node("button", { type: "button" }, "Try again");
  button.addEventListener("click", () => python.restart("There was no answer."));
  return button;
}

// Who is about to touch a control will need Python in a moment; who reads on, or saves data, will not.
function warmUp(view) {
  if (navigator.connection?.saveData) return;
  const wake = (event) => python.phase === "asleep" && event.target.closest(CONTROLS) && python.wake();
  let timer = 0;
  view.addEventListener("pointerover", (event) => {
    clearTimeout(timer);
    if (event.pointerType === "mouse") timer = setTimeout(wake, HOVER, event);
  });
  view.addEventListener("pointerleave", () => clearTimeout(timer));
  view.addEventListener("pointerdown", wake);
  view.addEventListener("keydown", (event) => event.key !== "Tab" && wake(event));
}

function readStates() {
  const script = document.getElementById("dlcore-state");
  return script ? JSON.parse(script.textContent) : {};
}

function post(model, message) {
  if (model.still) return keep(model, message.content.state ?? {});
  for (const place of places) if (place.model === model) place.asked = true;
  const { phase } = python;
  python.post(model, message);
  if (phase === python.phase && phase !== "ready") announce(python.detail);
}

function announce(detail) {
  for (const place of places) if (place.asked) place.show(detail);
}

export const python = new Python(ROOT);
export const models = new Map(Object.entries(readStates()).map(([id, stored]) => [id, new Model(id, stored, post)]));
export const places = [];
for (const model of models.values()) if (model.still) recall(model);
python.addEventListener("state", ({ detail }) => announce(detail));
for (const element of document.querySelectorAll(".dlcore-live")) places.push(new Place(element));
if (python.obstacle) for (const place of places.filter(({ model }) => !model.still)) place.show({ phase: "failed", sentence: python.obstacle });
