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

// Count what arrives, notice what does not, and verify what comes from another host. Pyodide itself verifies packages;
// it fetches through this.
function watchFetch({ bytes, core, verify }) {
  const fetchFile = self.fetch;
  self.fetch = async (address, options) => {
    const name = nameOf(address.url ?? address);
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
  // asm.js ahead of Pyodide's own asking for it: all downloads begin at once.
  const [{ loadPyodide }] = await Promise.all([
    importScript("pyodide.mjs"),
    importScript("pyodide.asm.js").then(() => manifest.verify || count(manifest.bytes["pyodide.asm.js"])),
  ]);
  return loadPyodide({
    indexURL: base.href,
    lockFileURL: URL.createObjectURL(new Blob([JSON.stringify(lock)], { type: "application/json" })),
    packages: ["numpy", "traitlets", "dlcore"],
  });
}

// Files that a program may open, fetched when it does.
function offerData(pyodide, { data }) {
  const packages = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
  for (const path of data) {
    const [, folder, name] = `${packages}/dlcore/${path}`.match(/(.*)\/(.*)/);
    pyodide.FS.createLazyFile(folder, name, new URL(path, ROOT).href, true, false);
  }
}

// ---- what an earlier visit has compiled

const KEPT = "dlcore-bytecode";
const LATER = 3000; // milliseconds after the start, when the reader's first wish is fulfilled

// The address under which the bytecode of exactly these files is kept.
const keptAs = ({ lock }) => new URL(`bytecode-${Object.values(lock.packages).map(({ sha256 }) => sha256.slice(0, 16)).join("-")}.zip`, ROOT).href;

// Unpack it, or see to it that the next visit has it. Browsers refuse storage in some modes: then each visit compiles.
async function recallBytecode(pyodide, manifest) {
  try {
    const found = await (await caches.open(KEPT)).match(keptAs(manifest));
    if (found) return pyodide.unpackArchive(await found.arrayBuffer(), "zip", { extractDir: "/" });
    pyodide.runPython("import sys; sys.dont_write_bytecode = False");
    setTimeout(() => keepBytecode(pyodide, manifest).catch(() => {}), LATER);
  } catch {
    return undefined;
  }
}

async function keepBytecode(pyodide, manifest) {
  const names = pyodide.toPy({ __name__: "bytecode" });
  pyodide.runPython(await text("bytecode.py"), { globals: names, filename: "bytecode.py" });
  const bytes = names.get("pack")();
  const packed = bytes.toJs();
  bytes.destroy();
  await caches.delete(KEPT); // that of other versions
  await (await caches.open(KEPT)).put(keptAs(manifest), new Response(packed));
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
  const pyodide = await Promise.race([load(manifest), broken]);
  self.pyodide = pyodide;
  self.postMessage({ type: "starting" });
  offerData(pyodide, manifest);
  await recallBytecode(pyodide, manifest);
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
