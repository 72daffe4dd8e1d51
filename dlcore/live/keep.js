// What a reader sets on a still widget stays with the reader: in the browser's storage, under the page's address and the
// name that the widget has for it (`memory`, a hash of what it asks, so that another question gets no old answer).

const keyOf = (model) => `dlcore ${location.pathname} ${model.get("memory")}`;

function stored(model) {
  return JSON.parse(localStorage.getItem(keyOf(model))) ?? {};
}

const lasting = (model, name) => model.get("kept").includes(name);

// Store values by name; null forgets one.
export function keep(model, values) {
  if (!model.get("memory")) return;
  try {
    const all = Object.entries({ ...stored(model), ...values }).filter(([name, value]) => lasting(model, name) && value !== null);
    if (all.length) localStorage.setItem(keyOf(model), JSON.stringify(Object.fromEntries(all)));
    else localStorage.removeItem(keyOf(model));
  } catch {
    // The browser refuses to store, or what is there is none of ours: then the page forgets.
  }
}

// Give a model the values that were kept for it.
export function recall(model) {
  if (!model.get("memory")) return;
  try {
    model.take(Object.entries(stored(model)).filter(([name]) => lasting(model, name)));
  } catch {
    // As above.
  }
}
