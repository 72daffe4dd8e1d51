// A widget's state as its view sees it: what anywidget's front-end module interface calls the model.
//
// Bytes are DataViews. Messages have the form of Jupyter's widget protocol: {method: "update", state, buffer_paths} or
// {method: "custom", content}, with the buffers beside them.

const decode = (hex) => new DataView(Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16)).buffer);

export class Model {
  // `post(model, message)` takes what goes to Python: {number, content, buffers}.
  constructor(id, stored, post) {
    this.id = id;
    this.name = stored.class;
    this.still = Boolean(stored.state.still); // it computes nothing: what it posts is for the page alone
    this.post = post;
    this.values = { ...stored.state };
    for (const [name, data] of Object.entries(stored.buffers)) this.values[name] = decode(data);
    this.known = { ...this.values }; // as Python has it, or will once it has read all
    this.edited = new Set(); // set here, not yet saved
    this.number = 0; // of the last message to Python
    this.sent = {}; // the number of the message that carried a value
    this.asked = new Set(); // requests without an answer
    this.listeners = new Map();
  }

  // -- for the view

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    this.edited.add(name);
    this.emit(`change:${name}`, value);
    this.emit("change");
  }

  save_changes() {
    const state = Object.fromEntries([...this.edited].map((name) => [name, this.values[name]]));
    if (!this.edited.size) return;
    this.edited.clear();
    for (const name of Object.keys(state)) this.sent[name] = this.number + 1;
    const paths = Object.keys(state).filter((name) => ArrayBuffer.isView(state[name]));
    const plain = Object.fromEntries(Object.entries(state).filter(([name]) => !paths.includes(name)));
    this.deliver({ method: "update", state: plain, buffer_paths: paths.map((name) => [name]) }, paths.map((name) => state[name]));
    Object.assign(this.known, state);
  }

  send(content, callbacks, buffers = []) {
    if (content?.type === "do") this.asked.add(content.id);
    this.deliver({ method: "custom", content }, buffers);
  }

  on(event, listener) {
    if (!this.listeners.has(event)) this.listeners.set(event, []);
    this.listeners.get(event).push(listener);
  }

  off(event, listener) {
    if (event === undefined) return this.listeners.clear();
    const kept = listener ? (this.listeners.get(event) ?? []).filter((other) => other !== listener) : [];
    if (kept.length) this.listeners.set(event, kept);
    else this.listeners.delete(event);
  }

  // -- for the host

  deliver(content, buffers) {
    this.number += 1;
    this.post(this, { number: this.number, content, buffers });
  }

  emit(event, ...details) {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener(...details);
  }

  // Take a message of Python; `seen` is the number of the last message that Python had read when it wrote. A value that
  // the reader has changed since is old.
  receive(seen, content, buffers) {
    if (content.method === "custom") {
      this.asked.delete(content.content.id);
      return this.emit("msg:custom", content.content, buffers);
    }
    const state = { ...content.state };
    content.buffer_paths.forEach(([name], i) => (state[name] = new DataView(buffers[i].buffer)));
    const news = Object.entries(state).filter(([name]) => !(this.sent[name] > seen));
    Object.assign(this.known, Object.fromEntries(news));
    this.take(news.filter(([name]) => !this.edited.has(name)));
  }

  // Set values all together, then tell of each. Where the reader has since set another, that one stays.
  take(entries) {
    const changed = entries.filter(([name, value]) => !same(this.values[name], value));
    for (const [name, value] of changed) this.values[name] = value;
    for (const [name, value] of changed) this.emit(`change:${name}`, value);
    if (changed.length) this.emit("change");
  }

  // Python is gone: nothing trains, and no request will be answered.
  abandon(sentence) {
    this.known.running = false;
    this.take("running" in this.values ? [["running", false]] : []);
    this.edited.clear();
    for (const id of [...this.asked]) this.receive(Infinity, { method: "custom", content: { type: "refused", message: sentence, id } }, []);
  }
}

// Lists and dictionaries that say the same are the same; bytes always count as new.
const same = (a, b) => a === b || (typeof a === "object" && typeof b === "object" && !ArrayBuffer.isView(b) && JSON.stringify(a) === JSON.stringify(b));
