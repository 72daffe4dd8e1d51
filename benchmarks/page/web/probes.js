// What is measured in a page of the book, on the first of its widgets.

const { models, python } = await import(new URL("live/host.js", document.baseURI));
const [model] = models.values();
const PATIENCE = 120_000; // milliseconds

/** Frames drawn in so many seconds, the longest pause between two animation frames, the longest task (ms; 0: none of 50). */
export async function watch(seconds) {
  const found = { frames: 0, gap: 0, task: 0 };
  const note = (entries) => entries.forEach(({ duration }) => (found.task = Math.max(found.task, duration)));
  const tasks = new PerformanceObserver((list) => note(list.getEntries()));
  tasks.observe({ type: "longtask" });
  const { send } = model;
  model.send = (message, ...more) => {
    if (message.type === "drawn") found.frames++;
    return send.call(model, message, ...more);
  };
  const start = performance.now();
  let last = await nextFrame();
  while (performance.now() - start < 1000 * seconds) {
    const now = await nextFrame();
    found.gap = Math.max(found.gap, now - last);
    last = now;
  }
  found.seconds = (performance.now() - start) / 1000;
  note(tasks.takeRecords());
  tasks.disconnect();
  model.send = send;
  return found;
}

const nextFrame = () => new Promise(requestAnimationFrame);

/** Milliseconds from a click on Run to the first frame that Python computed and the page has painted. */
export async function firstFrame() {
  const buttons = [...document.querySelectorAll(".dlcore-live button")];
  const run = buttons.find((button) => button.textContent.trim() === "Run");
  if (!run) throw new Error("the page has no button Run");
  const start = performance.now();
  const trained = new Promise((resolve, reject) => {
    model.on("change:frame", () => model.get("epoch") > 0 && resolve());
    python.addEventListener("state", ({ detail }) => detail.phase === "failed" && reject(new Error(detail.sentence)));
    setTimeout(() => reject(new Error(`no live frame within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  run.click();
  await trained;
  await nextFrame(); // in which it is drawn
  await new Promise((resolve) => setTimeout(resolve)); // after that it is on the screen
  return performance.now() - start;
}
