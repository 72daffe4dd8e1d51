// A border w1 x1 + w2 x2 + b = 0 in the plane: how it is drawn, and how it is taken hold of.
//
//   plane     a square of the screen and the coordinates in it
//   border    draw a line; halves shades its two sides, arrow draws w
//   grips     four handles that move the line: by pointer, finger or arrow keys
//   pusher, whenAny    many changes, one message, one picture
//
// A handle's place is turned into w and b here, as a slider's is into its number. All else is computed in Python.

import { axes, colour, css, node } from "./kit.js";

export const GREEN = { light: "#00795a", dark: "#3ccf9f" };
export const PURPLE = { light: "#9a4a7d", dark: "#e3a3c8" };
export const tone = (theme, colours) => colours[theme.dark ? "dark" : "light"];
const MARGIN = { left: 30, right: 6, top: 20, bottom: 36 };
const THIRD = 1 / 3;

// The height of a canvas whose plane is a square: only so is w seen at a right angle to the border.
export const tall = (width) => width - MARGIN.left - MARGIN.right + MARGIN.top + MARGIN.bottom;

// The square that shows [low, high]² on a canvas of that width: X and Y give pixels, `at` gives coordinates.
export function plane(width, low, high) {
  const side = width - MARGIN.left - MARGIN.right;
  const area = { left: MARGIN.left, top: MARGIN.top, width: side, height: side };
  const span = high - low;
  return {
    area,
    low,
    high,
    X: (x) => area.left + ((x - low) / span) * area.width,
    Y: (y) => area.top + ((high - y) / span) * area.height,
    at: (px, py) => [low + ((px - area.left) / area.width) * span, high - ((py - area.top) / area.height) * span],
    holds: ([x, y]) => x >= low && x <= high && y >= low && y <= high,
    clamp: ([x, y]) => [Math.min(high, Math.max(low, x)), Math.min(high, Math.max(low, y))],
  };
}

// Axes of the plane, labelled as in the book.
export function scales(context, place, theme, [across, up] = ["x₁", "x₂"]) {
  const range = [place.low, place.high];
  axes(context, place.area, range, range, theme, { xLabel: across, grid: false });
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText(up, place.area.left - 5, place.area.top - 7);
}

// Where the line w·x + b = level enters and leaves the plane; null if it does not.
export function chord([w1, w2, b], { low, high }, level = 0) {
  const c = b - level;
  const found = [];
  for (const side of [low, high]) {
    if (w2) found.push([side, -(w1 * side + c) / w2]);
    if (w1) found.push([-(w2 * side + c) / w1, side]);
  }
  const edge = 1e-9 * (high - low);
  const within = found.filter(([x, y]) => Math.min(x, y) >= low - edge && Math.max(x, y) <= high + edge);
  within.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  return within.length > 1 ? [within[0], within[within.length - 1]] : null;
}

// Draw something twice: a broad edge in the paper's colour, so that it stands out from any ground, then itself.
function edged(context, theme, colour, width, path, edge = 2.5) {
  for (const [style, more] of [
    [theme.paper, edge],
    [colour, 0],
  ]) {
    if (style === theme.paper && !edge) continue;
    context.strokeStyle = context.fillStyle = style;
    context.lineWidth = width + more;
    context.beginPath();
    path(more);
  }
}

// Draw the segment from p to q, in coordinates.
export function segment(context, place, theme, [p, q], { colour, width = 2, dash = [], plain = false }) {
  context.save();
  context.setLineDash(dash);
  const path = () => {
    context.moveTo(place.X(p[0]), place.Y(p[1]));
    context.lineTo(place.X(q[0]), place.Y(q[1]));
    context.stroke();
  };
  edged(context, theme, colour, width, path, plain ? 0 : 2.5);
  context.restore();
}

// Shade the two sides of a border: blue where the sum is positive, vermillion where it is negative.
export function halves(context, place, line, theme) {
  if (!line[0] && !line[1]) return;
  const { low, high } = place;
  const corners = [[low, low], [high, low], [high, high], [low, high]];
  const sum = ([x, y]) => line[0] * x + line[1] * y + line[2];
  for (const side of [1, -1]) {
    const shape = corners.flatMap((p, i) => {
      const q = corners[(i + 1) % 4];
      const [u, v] = [side * sum(p), side * sum(q)];
      const cut = [p[0] + (u / (u - v)) * (q[0] - p[0]), p[1] + (u / (u - v)) * (q[1] - p[1])];
      return [...(u >= 0 ? [p] : []), ...(u * v < 0 ? [cut] : [])];
    });
    context.beginPath();
    for (const [x, y] of shape) context.lineTo(place.X(x), place.Y(y));
    context.fillStyle = css(colour(side, theme.dark), theme.dark ? 0.28 : 0.14);
    context.fill();
  }
}

export function border(context, place, theme, line, look, level = 0) {
  const ends = chord(line, place, level);
  if (ends) segment(context, place, theme, ends, look);
}

// An arrow from p to q, in coordinates, cut off at the plane's edge; `word` stands at its head.
export function arrow(context, place, theme, p, q, { colour, width = 2.5, word = "", dash = [] }) {
  const [ax, ay, bx, by] = [place.X(p[0]), place.Y(p[1]), place.X(q[0]), place.Y(q[1])];
  const length = Math.hypot(bx - ax, by - ay);
  if (length < 1) return;
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const head = Math.min(10, length);
  context.save();
  context.beginPath();
  context.rect(place.area.left, place.area.top, place.area.width, place.area.height);
  context.clip();
  edged(context, theme, colour, width, (more) => {
    context.setLineDash(dash);
    context.moveTo(ax, ay);
    context.lineTo(bx - ux * head, by - uy * head);
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(bx + ux * more, by + uy * more);
    context.lineTo(bx - ux * head - uy * (5 + more), by - uy * head + ux * (5 + more));
    context.lineTo(bx - ux * head + uy * (5 + more), by - uy * head - ux * (5 + more));
    context.fill();
  });
  context.restore();
  if (word) tag(context, theme, word, bx + ux * 14, by + uy * 14, colour);
}

// A word on the picture, readable on any ground.
export function tag(context, theme, word, x, y, colour) {
  context.save();
  context.font = "italic 600 13px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = theme.paper;
  context.strokeText(word, x, y);
  context.fillStyle = colour;
  context.fillText(word, x, y);
  context.restore();
}

// ------------------------------------------------------------------------------------------------------- handles

const dot = (p, q) => p[0] * q[0] + p[1] * q[1];
const minus = (p, q) => [p[0] - q[0], p[1] - q[1]];

// The line through `point` at a right angle to `w`.
const through = (point, w) => [w[0], w[1], -dot(w, point)];

// The line through `pivot` and `point`, with w as long as it was and on the side where it was.
function turned([w1, w2], pivot, point) {
  const [dx, dy] = minus(point, pivot);
  const length = Math.hypot(dx, dy);
  if (!length) return null;
  const scale = (Math.hypot(w1, w2) / length) * (-dy * w1 + dx * w2 < 0 ? -1 : 1);
  return through(pivot, [-dy * scale, dx * scale]);
}

// What each handle makes of the line when it is put at `point`; `base` is where the arrow w starts.
const MOVES = {
  middle: (line, base, point) => through(point, line),
  start: turned,
  end: turned,
  tip: (line, base, point) => through(base, minus(point, base)),
};

// Handles over `host`, which holds the canvas. `read()` gives the line [w1, w2, b], `locked()` whether it must go
// through the origin, `place()` the plane; `move(line)` is called with the new one. Returns {base, update}.
export function grips(scope, host, whose, { colours, read, locked, place, move }) {
  const words = {
    start: `One end of ${whose}: drag or use the arrow keys to turn it`,
    middle: `Middle of ${whose}: drag or use the arrow keys to move it`,
    end: `Other end of ${whose}: drag or use the arrow keys to turn it`,
    tip: `Tip of w of ${whose}: drag or use the arrow keys to turn w or change its length`,
  };
  const layer = node("div", { class: "line-grips", role: "group", "aria-label": `Handles of ${whose}` });
  const spots = {};
  let anchor = null; // where the arrow started last: it stays there as far as the line lets it
  let held = null; // {name, base, offset, point} while a handle is dragged
  host.append(layer);

  const base = () => {
    const line = read();
    const length = dot(line, line);
    const { low, high } = place();
    anchor ??= [(low + high) / 2, (low + high) / 2];
    if (locked()) anchor = [0, 0];
    if (held && held.name !== "middle") return held.base;
    if (!length) return null;
    const off = (dot(line, anchor) + line[2]) / length;
    const foot = [anchor[0] - off * line[0], anchor[1] - off * line[1]];
    const ends = chord(line, place());
    if (place().holds(foot)) anchor = foot;
    else if (ends) anchor = [(ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2];
    else return place().clamp(foot); // the line is out of sight: its handle waits at the edge
    return anchor;
  };

  const where = () => {
    const [line, from] = [read(), base()];
    if (!from) return {};
    const found = locked() ? {} : { middle: from };
    const ends = chord(line, place());
    if (ends) {
      const most = THIRD * (place().high - place().low);
      ["start", "end"].forEach((name, i) => {
        const [dx, dy] = minus(ends[i], from);
        const share = Math.min(0.85, most / (Math.hypot(dx, dy) || 1));
        found[name] = [from[0] + share * dx, from[1] + share * dy];
      });
    }
    const tip = [from[0] + line[0], from[1] + line[1]];
    if (place().holds(tip)) found.tip = tip;
    if (held && held.name !== "middle") found[held.name] = held.point;
    return found;
  };

  const put = (name, point, from) => {
    const line = MOVES[name](read(), from, place().clamp(point));
    if (line && Math.hypot(line[0], line[1]) > 0.05) move(locked() ? [line[0], line[1], 0] : line);
  };

  const pointed = (event) => {
    const box = host.getBoundingClientRect();
    return place().at(event.clientX - box.left, event.clientY - box.top);
  };

  for (const name of Object.keys(words)) {
    const spot = node("button", { type: "button", class: `dlcore-grip line-grip line-grip-${name}`, "aria-label": words[name], title: words[name] });
    spots[name] = spot;
    layer.append(spot);
    scope.listen(spot, "pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      spot.focus({ preventScroll: true });
      spot.setPointerCapture(event.pointerId);
      const point = where()[name];
      held = { name, base: base(), offset: minus(point, pointed(event)), point };
    });
    scope.listen(spot, "pointermove", (event) => {
      if (held?.name !== name) return;
      const [x, y] = pointed(event);
      held.point = place().clamp([x + held.offset[0], y + held.offset[1]]);
      put(name, held.point, held.base);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      scope.listen(spot, end, () => {
        if (held?.name !== name) return;
        held = null;
        update();
      });
    }
    scope.listen(spot, "keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const point = where()[name];
      if (!way || !point) return;
      event.preventDefault();
      const step = (event.shiftKey ? 0.05 : 0.01) * (place().high - place().low);
      put(name, [point[0] + step * way[0], point[1] + step * way[1]], base());
    });
  }

  const update = (theme) => {
    if (theme) layer.style.setProperty("--line-grip", tone(theme, colours));
    const places = where();
    for (const [name, spot] of Object.entries(spots)) {
      const point = places[name];
      spot.hidden = !point;
      if (!point) continue;
      spot.style.left = `${place().X(point[0])}px`;
      spot.style.top = `${place().Y(point[1])}px`;
    }
  };
  scope.endings.push(() => layer.remove());
  return { base, update, layer };
}

// ---------------------------------------------------------------------------------------------- numbers and messages

export const tidy = (value) => Number(value.toFixed(2));
export const shown = (value) => tidy(value).toFixed(2).replace("-", "−").replace(/^−0\.00$/, "0.00");

// A handle gives no more digits than it has pixels, and stays in the trait's range.
export function rounded(model, name, value) {
  const { low, high } = model.get("choices")[name];
  return Number(Math.min(high, Math.max(low, value)).toFixed(3));
}

// Set several traits in one message, at most one for each picture of the screen.
export function pusher(scope, model) {
  let ticket = 0;
  scope.endings.push(() => cancelAnimationFrame(ticket));
  return (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    ticket ||= requestAnimationFrame(() => {
      ticket = 0;
      model.save_changes();
    });
  };
}

// Call `act` once before the next picture, however many of the traits change.
export function whenAny(scope, model, names, act) {
  let ticket = 0;
  const soon = () => {
    ticket ||= requestAnimationFrame(() => {
      ticket = 0;
      act();
    });
  };
  for (const name of names) scope.on(model, `change:${name}`, soon);
  scope.endings.push(() => cancelAnimationFrame(ticket));
}
