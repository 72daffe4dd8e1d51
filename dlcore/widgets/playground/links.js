// The weights: curves as wide as the weight is large, blue and whole if positive, vermillion and dashed if negative.

import { NEGATIVE, POSITIVE, css } from "../kit.js";
import { across, along, linkEnds } from "./geometry.js";
import { layersOf } from "./state.js";

const WIDEST = 8;

// `lit` is the unit whose incoming links stand out, `held` the link that is pointed at; both may be null.
export function paintLinks(context, geometry, { weights, gradients }, { lit, held, slopes }, theme) {
  const steepest = slopes ? largest(gradients) : 0;
  for (const { layer, from, to, weights: start } of layersOf(geometry.shape)) {
    for (let source = 0; source < from; source++) {
      for (let target = 0; target < to; target++) {
        const at = start + source * to + target;
        const line = linkEnds(geometry, layer, source, target);
        const isHeld = held !== null && held.layer === layer && held.source === source && held.target === target;
        const isFaint = !isHeld && lit !== null && !(lit.layer === layer && lit.index === target);
        paintLink(context, line, weights[at], theme, isHeld, isFaint);
        if (steepest) paintSlope(context, line, gradients[at] / steepest, theme);
      }
    }
  }
  context.setLineDash([]);
}

function paintLink(context, { x0, y0, x1, y1 }, weight, theme, held, faint) {
  const known = Number.isFinite(weight);
  const width = known ? Math.min(WIDEST, 0.6 + 1.5 * Math.abs(weight)) : 1;
  const middle = (x0 + x1) / 2;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
  if (held) {
    context.setLineDash([]);
    context.lineWidth = width + 6;
    context.strokeStyle = theme.line;
    context.stroke();
  }
  context.lineWidth = width;
  context.setLineDash(known ? (weight < 0 ? [6, 4] : []) : [1, 4]);
  const strength = (faint ? 0.25 : 1) * Math.min(1, 0.35 + Math.abs(weight));
  context.strokeStyle = known ? css(weight < 0 ? NEGATIVE : POSITIVE, strength) : theme.muted;
  context.stroke();
}

// A triangle that points up where the gradient asks for a larger weight, down for a smaller; its size tells how much.
function paintSlope(context, { x0, y0, x1, y1 }, share, theme) {
  const size = 6 * Math.sqrt(Math.abs(share));
  if (!(size > 0.8)) return;
  const x = x0 + (x1 - x0) * along(0.3);
  const y = y0 + (y1 - y0) * across(0.3);
  const tip = share < 0 ? -size : size; // against the gradient; y grows downwards
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(x, y + tip);
  context.lineTo(x - size * 0.8, y - tip * 0.7);
  context.lineTo(x + size * 0.8, y - tip * 0.7);
  context.closePath();
  context.fillStyle = theme.text;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = theme.paper;
  context.stroke();
}

const largest = (values) => values.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0);
