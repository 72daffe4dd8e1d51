// A slow machine, for tests in a browser: frames come late, and so does what Python and the page tell each other.
//
// All stays in order; only the moment is by chance (half of it at once, the rest up to LATE milliseconds later). What a
// fast machine does between two frames, and a reader cannot, falls apart here: a test that types into a field which the
// next frame empties, or that reads a picture before it is drawn.

(() => {
  const LATE = 300;
  let state = 20261122;
  const chance = () => (state = (state * 16807) % 2147483647) / 2147483647; // the same in each page
  const delay = () => (chance() < 0.5 ? 0 : chance() * LATE);

  // ---- frames

  const frame = window.requestAnimationFrame.bind(window);
  let made = 0;
  let [coming, running] = [new Map(), new Map()];
  const run = (now) => {
    [coming, running] = [new Map(), coming];
    for (const [ticket, act] of running) {
      running.delete(ticket); // else it could not cancel another of the same frame
      try {
        act(now);
      } catch (error) {
        reportError(error);
      }
    }
  };
  window.requestAnimationFrame = (act) => {
    if (!coming.size) setTimeout(() => frame(run), delay());
    coming.set(++made, act);
    return made;
  };
  window.cancelAnimationFrame = (ticket) => [coming, running].forEach((acts) => acts.delete(ticket));

  // ---- messages

  // Something that calls what it is given later, one after the other.
  const line = () => {
    const waiting = [];
    let free = 0;
    return (act) => {
      free = Math.max(free, performance.now() + delay());
      waiting.push(act);
      setTimeout(() => waiting.shift()(), free - performance.now()); // timers of one millisecond come in any order
    };
  };

  for (const Source of [Worker, EventSource, WebSocket]) {
    const { get, set } = Object.getOwnPropertyDescriptor(Source.prototype, "onmessage");
    Object.defineProperty(Source.prototype, "onmessage", {
      get,
      set(handler) {
        const later = line();
        set.call(this, handler && ((event) => later(() => this.silenced || handler.call(this, event))));
      },
    });
  }

  const { postMessage, terminate } = Worker.prototype;
  Worker.prototype.postMessage = function (message) {
    const copy = structuredClone(message); // as it is now
    (this.outgoing ??= line())(() => this.silenced || postMessage.call(this, copy));
  };
  Worker.prototype.terminate = function () {
    this.silenced = true;
    terminate.call(this);
  };

  const ask = window.fetch.bind(window);
  window.fetch = async (address, options) => {
    if (options?.method === "POST") await new Promise((sent) => setTimeout(sent, delay()));
    return ask(address, options);
  };
})();
