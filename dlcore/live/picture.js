// The picture and the words of a widget, where it cannot be drawn: an old browser, a page opened as a file, a script
// that did not arrive. A classic script, because file:// runs no modules.
(() => {
  const show = (place, sentence) => {
    const still = place.querySelector("noscript");
    if (!still || place.dataset.state === "picture") return;
    place.dataset.state = "picture";
    const note = document.createElement("p");
    note.className = "dlcore-live-note";
    note.textContent = sentence;
    const picture = document.createElement("div");
    picture.innerHTML = still.textContent; // with scripting on, the inside of <noscript> is text
    place.append(picture, note);
  };

  // The host, too, falls back on the picture; it may have done so before this script ran.
  document.addEventListener("dlcore-picture", ({ target }) => show(target, target.dataset.reason));

  // Modules have run by now, or never will.
  document.addEventListener("DOMContentLoaded", () => {
    const reason =
      location.protocol === "file:"
        ? "This is a picture: a page opened as a file cannot run Python. Open the book from a web server (make serve) and the widget is alive."
        : "This is a picture: the widget's script did not arrive. Reload the page to try again.";
    for (const place of document.querySelectorAll(".dlcore-live")) {
      if (!place.dataset.state || place.dataset.state === "failed") show(place, place.dataset.reason ?? reason);
    }
  });
})();
