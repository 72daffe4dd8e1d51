// Where units and links lie on the stage, in pixels, and which link is near a place.

import { FEATURES } from "./icons.js";
import { unitAt } from "./state.js";

const SMALLEST_PITCH = 50; // from one layer to the next; below it the diagram scrolls in its box

// `space` is the width there is; `shape` the units of each layer; `rows` the row of each input's switch.
export function geometryOf(space, shape, rows) {
  const small = space < 480;
  const size = small ? 32 : 40;
  const left = (small ? 42 : 48) + size / 2; // after the inputs' labels
  const right = size / 2 + 6;
  const width = Math.max(space, left + right + (shape.length - 1) * SMALLEST_PITCH);
  const pitch = (width - left - right) / (shape.length - 1);
  const tight = pitch < 84;
  const top = tight ? 82 : 36;
  const row = size + (small ? 7 : 8);
  const most = Math.max(FEATURES.length, ...shape);
  const middle = top + (most * row) / 2;
  // A layer's units stand around the middle; inputs stand in the rows of their switches.
  const place = (layer, index, count) => ({ x: left + layer * pitch, y: middle + (index - (count - 1) / 2) * row });
  const centre = ({ layer, index }) =>
    layer === 0 ? place(0, rows[index], FEATURES.length) : place(layer, index, shape[layer]);
  const feature = (index) => place(0, index, FEATURES.length);
  return { width, height: top + most * row + 2, size, pitch, tight, top, left, shape, centre, feature };
}

export const inputRows = (model, count) =>
  Array.from({ length: count }, (_, index) => FEATURES.findIndex((f) => f.label === unitAt(model, { layer: 0, index })?.label));

// A link leaves and arrives level: x(t) = x0 + dx·along(t), y(t) = y0 + dy·across(t), t from 0 to 1.
export const along = (t) => 1.5 * t * (1 - t) + t ** 3;
export const across = (t) => t * t * (3 - 2 * t);

export function linkEnds(geometry, layer, source, target) {
  const from = geometry.centre({ layer: layer - 1, index: source });
  const to = geometry.centre({ layer, index: target });
  return { x0: from.x + geometry.size / 2, y0: from.y, x1: to.x - geometry.size / 2 - 1, y1: to.y };
}

// The link {layer, source, target} within `reach` pixels of a place, with that place as its spot; or null.
export function linkAt(geometry, x, y, reach = 7) {
  const { shape } = geometry;
  for (let layer = 1; layer < shape.length; layer++) {
    const { x0, x1 } = linkEnds(geometry, layer, 0, 0);
    if (x < x0 || x > x1) continue;
    const share = across(timeAt((x - x0) / (x1 - x0)));
    let best = null;
    for (let source = 0; source < shape[layer - 1]; source++) {
      for (let target = 0; target < shape[layer]; target++) {
        const { y0, y1 } = linkEnds(geometry, layer, source, target);
        const distance = Math.abs(y0 + (y1 - y0) * share - y);
        if (distance < (best?.distance ?? reach)) best = { distance, layer, source, target, spot: { x, y } };
      }
    }
    return best;
  }
  return null;
}

// The t with along(t) = share, by halving.
function timeAt(share) {
  let [low, high] = [0, 1];
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2;
    if (along(middle) < share) low = middle;
    else high = middle;
  }
  return low;
}
