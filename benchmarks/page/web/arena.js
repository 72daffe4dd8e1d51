// The page: starts one worker for each contestant and passes requests on. Python drives it through `arena`.

const workers = new Map();

function start(name, script, settings) {
  const type = script.endsWith(".mjs") ? "module" : "classic";
  const worker = new Worker(new URL(script, import.meta.url), { type });
  const waiting = new Map();
  worker.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    error === undefined ? resolve(value) : reject(new Error(error));
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || `${script} could not be loaded`));
    waiting.clear();
  };
  let requests = 0;
  const ask = (verb, argument) =>
    new Promise((resolve, reject) => {
      waiting.set(++requests, { resolve, reject });
      worker.postMessage({ id: requests, verb, argument });
    });
  workers.set(name, { worker, ask });
  return ask("build", settings);
}

window.arena = {
  start,
  ask: (name, verb, argument) => workers.get(name).ask(verb, argument),
  stop(name) {
    workers.get(name)?.worker.terminate();
    workers.delete(name);
  },
};
