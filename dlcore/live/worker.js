// Pyodide in a module worker. The page sends {type: "open" | "message" | "alive"}; see python.js for the answers.

const ROOT = new URL(".", import.meta.url);

// With JSPI, which Chromium has, Pyodide 0.27.7 loses a little of the C stack at every switch between tasks and dies of
// it after half a minute of start and pause (pyodide issue 6249). Without JSPI it does not need these switches.
delete WebAssembly.Suspending;
delete WebAssembly.promising;

// ---- loading

let loaded = 0;
let total = 0;
let told = 0;

function count(bytes) {
  loaded += bytes;
  if (performance.now() - told < 50 && loaded < total) return;
  told = performance.now();
  self.postMessage({ type: "progress", loaded, total });
}

// Pyodide waits forever for a file that does not come; `broken` does not.
let giveUp;
const broken = new Promise((_, reject) => (giveUp = reject));

const nameOf = (address) => new URL(address, ROOT).pathname.split("/").pop();

// What is under way before Pyodide asks for it: a promise by file name.
const ahead = new Map();

// Count what arrives, notice what does not, and verify what comes from another host. Pyodide itself verifies packages;
// it fetches through this.
function watchFetch({ bytes, core, verify }) {
  const fetchFile = self.fetch;
  self.fetch = async (address, options) => {
    const name = nameOf(address.url ?? address);
    if (ahead.has(name)) return ahead.get(name);
    if (!(name in bytes)) return fetchFile(address, options);
    if (verify && core[name]) options = { ...options, integrity: integrity(core[name]) };
    try {
      const answer = await fetchFile(address, options);
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      follow(answer.clone(), name);
      return answer;
    } catch (error) {
      giveUp(new Error(`${name} did not arrive (${error.message})`));
      throw error;
    }
  };
}

async function follow(answer, name) {
  const reader = answer.body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) count(part.value.length);
  } catch (error) {
    giveUp(new Error(`${name} broke off (${error.message})`));
  }
}

const hex = (sha256) => Uint8Array.from(sha256.match(/../g), (byte) => parseInt(byte, 16));
const integrity = (sha256) => `sha256-${btoa(String.fromCharCode(...hex(sha256)))}`;

// The address to import a script of Pyodide's from. From another host it is read and verified first.
async function script(base, name, { verify }) {
  if (!verify) return new URL(name, base).href;
  const answer = await fetch(new URL(name, base));
  return URL.createObjectURL(new Blob([await answer.text()], { type: "text/javascript" }));
}

async function load(manifest) {
  const base = new URL(manifest.pyodide, ROOT);
  const { lock } = manifest;
  lock.packages.dlcore.file_name = new URL(lock.packages.dlcore.file_name, ROOT).href;
  const importScript = async (name) => import(await script(base, name, manifest));
  // asm.js and the packages ahead of Pyodide's own asking for them: all downloads begin at once.
  for (const { file_name, sha256 } of Object.values(lock.packages)) {
    const coming = self.fetch(new URL(file_name, base).href, { integrity: integrity(sha256) });
    coming.catch(() => {}); // whoever waits for it hears of it, and `broken` does
    ahead.set(nameOf(file_name), coming);
  }
  const [{ loadPyodide }, memory] = await Promise.all([
    importScript("pyodide.mjs"),
    recall(memoryAs(manifest)),
    importScript("pyodide.asm.js").then(() => manifest.verify || count(manifest.bytes["pyodide.asm.js"])),
  ]);
  const lockFileURL = URL.createObjectURL(new Blob([JSON.stringify(lock)], { type: "application/json" }));
  const started = await start(loadPyodide, { indexURL: base.href, lockFileURL }, memory);
  await started.pyodide.loadPackage(["numpy", "traitlets", "dlcore"], { messageCallback: () => {} });
  return started;
}

// Start Python from the memory that an earlier visit has kept, as it stood before the first package: a second less. What
// Pyodide has for this is not documented, so where it does not take the memory, or has none to give, it just starts.
async function start(loadPyodide, options, memory) {
  if (memory) {
    try {
      const pyodide = await loadPyodide({ ...options, _loadSnapshot: memory });
      pyodide.runPython("import random; random.seed()"); // or every visit would draw the same
      return { pyodide };
    } catch {
      // Then as on a first visit.
    }
  }
  const pyodide = await loadPyodide({ ...options, _makeSnapshot: true });
  let made;
  try {
    made = pyodide.makeMemorySnapshot();
  } catch {
    // Then the next visit starts like this one.
  }
  // For this, Pyodide has recorded which parts of the page Python holds. It need not go on.
  pyodide.registerJsModule("js", self);
  pyodide.runPython("import sys; sys.modules.pop('js', None)");
  return { pyodide, made };
}

// Files that a program may open, fetched when it does.
function offerData(pyodide, { data }) {
  const packages = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
  for (const path of data) {
    const [, folder, name] = `${packages}/dlcore/${path}`.match(/(.*)\/(.*)/);
    pyodide.FS.createLazyFile(folder, name, new URL(path, ROOT).href, true, false);
  }
}

// ---- what an earlier visit has made

const KEPT = "dlcore-python";
const WHOLE = "bytes"; // the header that says how many there are
const LATER = 3000; // milliseconds after the start, when the reader's first wish is fulfilled

// The addresses under which the memory that these files make, and their bytecode, are kept.
const under = (kind, hashes) => new URL(`${kind}-${hashes.map((sha256) => sha256.slice(0, 16)).join("-")}`, ROOT).href;
const memoryAs = ({ core }) => under("memory", Object.values(core));
const bytecodeAs = ({ lock }) => under("bytecode", Object.values(lock.packages).map(({ sha256 }) => sha256));

// Browsers refuse storage in some modes: then each visit makes it all anew. So it does with what is not whole.
async function recall(address) {
  try {
    const found = await (await caches.open(KEPT)).match(address);
    const bytes = await found.arrayBuffer();
    return String(bytes.byteLength) === found.headers.get(WHOLE) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

// Keep it for the next visit, and nothing that other versions of this site have made.
async function keep(address, bytes, manifest) {
  const all = await caches.open(KEPT);
  const current = [memoryAs(manifest), bytecodeAs(manifest)];
  for (const { url } of await all.keys()) if (url.startsWith(ROOT) && !current.includes(url)) await all.delete(url);
  await all.put(address, new Response(bytes, { headers: { [WHOLE]: bytes.length } }));
}

// Unpack the bytecode, or see to it that the next visit has it.
async function prepare({ pyodide, made }, manifest) {
  const later = (what) => setTimeout(() => what().catch(() => {}), LATER);
  if (made) later(() => keep(memoryAs(manifest), made, manifest));
  const bytecode = await recall(bytecodeAs(manifest));
  if (bytecode) return pyodide.unpackArchive(bytecode, "zip", { extractDir: "/" });
  pyodide.runPython("import sys; sys.dont_write_bytecode = False");
  later(async () => keep(bytecodeAs(manifest), await packed(pyodide), manifest));
}

async function packed(pyodide) {
  const names = pyodide.toPy({ __name__: "bytecode" });
  pyodide.runPython(await text("bytecode.py"), { globals: names, filename: "bytecode.py" });
  const bytes = names.get("pack")();
  const found = bytes.toJs();
  bytes.destroy();
  return found;
}

async function text(name) {
  const answer = await fetch(new URL(name, ROOT), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${name} did not arrive (the server answered ${answer.status})`);
  return answer.text();
}

async function boot() {
  const bootCode = text("boot.py");
  const manifest = JSON.parse(await text("manifest.json"));
  total = Object.values(manifest.bytes).reduce((sum, bytes) => sum + bytes, 0);
  watchFetch(manifest);
  const started = await Promise.race([load(manifest), broken]);
  const pyodide = (self.pyodide = started.pyodide);
  self.postMessage({ type: "starting" });
  offerData(pyodide, manifest);
  await prepare(started, manifest);
  const names = pyodide.toPy({ __name__: "boot" });
  pyodide.runPython(await bootCode, { globals: names, filename: "boot.py" });
  const desk = names.get("Desk")(post);
  self.postMessage({ type: "ready" });
  return desk;
}

// ---- talking

function post(id, seen, content, buffers) {
  self.postMessage({ type: "message", id, seen, content, buffers }, buffers.map((view) => view.buffer));
}

function fail(error) {
  self.postMessage({ type: "failed", sentence: `Python stopped: ${error.message.trim().split("\n").pop()}.` });
}

const answers = {
  open: (desk, { id, name, state, number }) => desk.open(id, name, state, number),
  message: (desk, { id, number, content, buffers }) => desk.handle(id, number, content, buffers),
  alive: () => self.postMessage({ type: "alive" }),
};

const booted = boot();
booted.catch(fail);
// Messages wait for Python in the order in which they came.
self.onmessage = ({ data }) => booted.then((desk) => answers[data.type](desk, data)).catch(fail);
