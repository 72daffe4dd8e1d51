// dlcore in Pyodide; what it does with the settings is Python, in `inside.py`.

import "./contestant.js";
import { loadPyodide } from "../pyodide/pyodide.mjs";

// With JSPI, which this version of Pyodide would use, its stack leaks; the book's pages do without it, too.
delete WebAssembly.Suspending;
delete WebAssembly.promising;

serve(async (settings) => {
  const [pyodide, sources] = await Promise.all([
    loadPyodide({ lockFileURL: new URL("../lock.json", import.meta.url).href, packages: ["numpy", "traitlets"] }),
    fetch("../sources.zip").then((answer) => answer.arrayBuffer()),
  ]);
  pyodide.unpackArchive(sources, "zip", { extractDir: "/home/pyodide" });
  const runner = pyodide.pyimport("benchmarks.page.inside").build(pyodide.toPy(settings));
  return { losses: (n) => runner.losses(n).toJs(), train: (n) => runner.train(n), squares: () => runner.squares().toJs() };
});
