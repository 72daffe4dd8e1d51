// Python as the page sees it: one worker, started by the first message, watched, stopped and started anew.
//
// It tells of itself by events of type "state", whose detail has a phase:
//   loading {loaded, total}   starting   ready   silent   failed {sentence}

const PATIENCE = 3000; // milliseconds without an answer until the reader is offered to stop it
const PAUSE = 500; // from a message to asking for a sign of life

export class Python extends EventTarget {
  constructor(root) {
    super();
    this.root = root;
    this.worker = null;
    this.phase = "asleep";
    this.detail = { phase: "asleep" };
    this.models = new Map(); // those that Python has been told of
    this.asking = null; // the timer of the question, or of the wait for its answer
  }

  // Why it cannot run here; nothing if it can.
  get obstacle() {
    if (typeof WebAssembly === "undefined") return "This browser has no WebAssembly, so Python cannot run here: the widget shows its stored state.";
    if (typeof Worker === "undefined") return "This browser has no workers, so Python cannot run here: the widget shows its stored state.";
    return "";
  }

  // Start loading, if that is still to be done.
  wake() {
    if (this.worker || this.obstacle) return;
    this.tell("loading", { loaded: 0, total: 0 });
    this.worker = new Worker(new URL("worker.js", this.root), { type: "module", name: "Python" });
    this.worker.onmessage = ({ data }) => this[`on_${data.type}`](data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(`Python could not be started: ${event.message || "worker.js did not arrive"}.`);
    };
  }

  // Hand a model's message on. The first one is preceded by the model's state, as Python last knew it.
  post(model, message) {
    if (this.obstacle || this.phase === "failed") return this.fail(this.obstacle || this.sentence, model);
    this.wake();
    if (!this.models.has(model.id)) this.open(model, message.number - 1);
    this.worker.postMessage({ type: "message", id: model.id, ...message });
    this.watch();
  }

  open(model, number) {
    this.models.set(model.id, model);
    this.worker.postMessage({ type: "open", id: model.id, name: model.name, state: model.known, number });
  }

  // -- what the worker says

  on_progress({ loaded, total }) {
    this.tell("loading", { loaded, total });
  }

  on_starting() {
    this.tell("starting");
  }

  on_ready() {
    this.tell("ready");
    this.watch();
  }

  on_message({ id, seen, content, buffers }) {
    this.models.get(id)?.receive(seen, content, buffers);
  }

  on_alive() {
    clearTimeout(this.asking);
    this.asking = null;
    if (this.phase === "silent") this.tell("ready");
  }

  on_failed({ sentence }) {
    this.fail(sentence);
  }

  // -- watching

  // Some time after a message, ask for a sign of life; while none comes, the reader may stop Python.
  watch() {
    if (this.asking || this.phase !== "ready") return;
    this.asking = setTimeout(() => {
      this.worker.postMessage({ type: "alive" });
      this.asking = setTimeout(() => this.tell("silent"), PATIENCE);
    }, PAUSE);
  }

  tell(phase, more = {}) {
    this.phase = phase;
    this.detail = { phase, ...more };
    this.dispatchEvent(new CustomEvent("state", { detail: this.detail }));
  }

  // Python is lost: say so, and leave no request unanswered.
  fail(sentence, ...others) {
    this.sentence = sentence;
    this.end();
    this.tell("failed", { sentence });
    for (const model of new Set([...this.models.values(), ...others])) model.abandon("There was no answer.");
  }

  end() {
    this.worker?.terminate();
    this.worker = null;
    clearTimeout(this.asking);
    this.asking = null;
  }

  // Stop what runs and start again, with every widget as it was last seen.
  restart(sentence) {
    this.end();
    this.phase = "asleep";
    for (const model of this.models.values()) model.abandon(sentence);
    const models = [...this.models.values()];
    this.models.clear();
    this.wake();
    for (const model of models) this.open(model, model.number);
  }
}
