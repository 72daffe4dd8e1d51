// What can be taken away: the program behind the picture, and a link that holds the whole state.

import { button, freshId, node } from "../kit.js";

const MARK = "#playground=";

export function program(scope, model, view) {
  const code = node("code");
  const copy = button(scope, "Copy", () => copyText(code.textContent, copy), { class: "pg-small" });
  const text = node("pre", { tabindex: "0", role: "region", "aria-label": "The program" }, code);
  const words = node("span");
  const folded = node("details", { "data-control": "program" }, node("summary", {}, "Show me the code"), node("p", {}, words, " ", copy), text);
  const refill = async () => {
    if (folded.open) code.textContent = (await view.act("program")) ?? "";
    copy.disabled = !code.textContent;
  };
  const tell = () => (words.textContent = model.get("running") ? "Pause, and the program will be that of the state on display." : "This program computes the loss on display.");
  copy.disabled = true;
  tell();
  scope.listen(folded, "toggle", refill);
  scope.on(model, "change:running", tell);
  scope.on(model, "change:saved", refill); // whenever training rests
  return folded;
}

export function linkControls(scope, model, view) {
  const field = node("input", { type: "text", readonly: true, id: freshId("link") });
  const whole = node("div", { class: "dlcore-control pg-link", hidden: true }, node("label", { for: field.id }, "Link to this very state"), field);
  const copy = button(scope, "Copy link", async () => {
    const link = await view.act("link");
    if (link === undefined) return;
    const address = location.href.split("#")[0] + MARK + link;
    takeUp(link);
    history.replaceState(history.state, "", address);
    field.value = address;
    whole.hidden = false;
    field.select();
    copyText(address, copy);
  });
  copy.dataset.control = "link";
  return { copy, whole };
}

// A button says for two seconds that its text was copied. Where the clipboard is closed, the text is there to select.
async function copyText(text, pressed) {
  const word = pressed.dataset.word ?? (pressed.dataset.word = pressed.textContent);
  try {
    await navigator.clipboard.writeText(text);
    pressed.textContent = "Copied";
  } catch {
    pressed.textContent = "Select and copy";
  }
  setTimeout(() => (pressed.textContent = word), 2000);
}

// One Playground of the page takes up the state in its address, once.
const takeUp = (link) => (document.documentElement.dataset.dlcorePlayground = link);

export function openAddress(scope, view) {
  const open = () => {
    const link = location.hash.startsWith(MARK) ? location.hash.slice(MARK.length) : "";
    if (!link || document.documentElement.dataset.dlcorePlayground === link) return;
    takeUp(link);
    view.act("open", { link });
  };
  scope.listen(window, "hashchange", open);
  open();
}
