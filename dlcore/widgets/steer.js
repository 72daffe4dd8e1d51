// Prose that steers: [three units](#steer/bump?units=3&do=next&goal=bends) acts on the widget named "bump".
//
//   steeringOf    what an address asks for: {name, values, first, action, goal}; null if it is no such address
//   guide         makes a widget follow such links, and shows the task that one of them sets
//
// Values are JSON, else text. `first` is an action that is called before they are set, `do` one that is called after.
// Of two widgets of one name, the nearest above the link is meant, else the first.

const STEERED = 1600; // milliseconds that a widget shows that it was steered
const ADDRESS = /^#steer\/([a-z][a-z0-9-]*)(?:\?(.*))?$/;

function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function steeringOf(hash) {
  const match = ADDRESS.exec(hash);
  if (!match) return null;
  const { first, do: action, goal, ...rest } = Object.fromEntries(new URLSearchParams(match[2] ?? ""));
  const values = Object.fromEntries(Object.entries(rest).map(([trait, text]) => [trait, valueOf(text)]));
  return { name: match[1], values, first, action, goal };
}

// The frame that a link means, among those of its notebook or page.
function meantBy(link, name) {
  const room = link.closest(".jp-NotebookPanel") ?? document;
  const frames = [...room.querySelectorAll(`.dlcore-widget[data-name="${name}"]`)];
  const above = frames.filter((frame) => frame.compareDocumentPosition(link) & Node.DOCUMENT_POSITION_FOLLOWING);
  return above.at(-1) ?? frames[0];
}

const paragraph = (kind) => {
  const made = document.createElement("p");
  made.className = kind;
  made.setAttribute("role", "status");
  return made;
};

// `ask(model, action)` calls an action; `say(sentence)` shows a refusal.
export function guide(scope, model, frame, ask, say) {
  const task = paragraph("dlcore-task");
  const news = paragraph("dlcore-spoken dlcore-news");
  frame.prepend(task, news);

  const label = () => (frame.dataset.name = model.get("name") ?? "");
  scope.on(model, "change:name", label);
  label();

  const show = () => {
    const words = model.get("choices")?.goal?.tasks?.[model.get("goal")];
    const done = Boolean(words && model.get("reached"));
    task.dataset.done = done;
    task.textContent = words ? `${done ? "Done" : "Task"}: ${words}` : "";
  };
  for (const trait of ["goal", "reached", "choices"]) scope.on(model, `change:${trait}`, show);
  show();

  let timer = 0;
  let followed = 0; // links
  scope.endings.push(() => clearTimeout(timer));
  scope.endings.push(() => ++followed); // a view that has gone sets nothing
  const showIt = () => {
    bringUp(frame);
    frame.classList.add("dlcore-steered");
    news.textContent = `${frame.getAttribute("aria-label")}: set as the text says.`;
    clearTimeout(timer);
    timer = setTimeout(() => {
      frame.classList.remove("dlcore-steered");
      news.textContent = ""; // so that the next time is news again
    }, STEERED);
  };

  const follow = (event) => {
    const link = event.target.closest?.('a[href*="#steer/"]');
    const asked = link && steeringOf(link.hash);
    if (!asked || asked.name !== model.get("name") || meantBy(link, asked.name) !== frame) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say("");
    const mine = ++followed;
    obey(model, asked, ask, say, () => mine !== followed);
    showIt();
  };
  scope.listen(document, "click", follow, true);
}

// An action is called in the state that the link sets, unless it is to be the first; the task begins after all.
// What the first action changes must have come here before the values are set: a value that stood here already would
// count as unchanged, be kept from Python, and then be lost to what the action makes of it.
async function obey(model, { values, first, action, goal }, ask, say, overtaken) {
  const act = (name) => ask(model, name).catch(() => undefined); // the frame shows the refusal
  const unknown = Object.keys(values).filter((trait) => model.get(trait) === undefined);
  if (unknown.length) say(`This link sets what the widget does not have: ${unknown.join(", ")}.`);
  if (first) await act(first);
  if (overtaken()) return;
  for (const [trait, value] of Object.entries(values)) if (!unknown.includes(trait)) model.set(trait, value);
  if (action) {
    model.save_changes();
    act(action);
  }
  if (goal !== undefined) {
    model.set("goal", goal);
    model.set("reached", false); // a task that is set again is to be done again
  }
  model.save_changes();
}

// Scroll unless most of what could be seen is seen.
function bringUp(frame) {
  const { top, bottom, height } = frame.getBoundingClientRect();
  const seen = Math.min(bottom, innerHeight) - Math.max(top, 0);
  if (seen >= 0.6 * Math.min(height, innerHeight)) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  frame.scrollIntoView({ block: height > innerHeight ? "start" : "nearest", behavior });
}
