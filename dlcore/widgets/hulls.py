"""Can a line separate two classes of points? Decided exactly, with a proof that can be drawn.

The hull of a class is the smallest convex shape around it. A line has all of one class on one side and all of the
other on the other side exactly if the two hulls have no point in common.

    hull        the corners of that shape
    crossing    if the hulls meet: at most four points that no line can separate
    strip       if not: the border with the widest margin

Floats are fractions with a power of two below, so `crossing` multiplies by one such power and computes in integers:
its answer has no rounding in it.

Sources: P. Kirchberger, *Mathematische Annalen* 57, 1903 (four points suffice); A. M. Andrew, *Information
Processing Letters* 9, 1979 (the hull by one sweep along x).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np

Point = tuple[Any, Any]
Line = list[Point]


def turn(a: Point, b: Point, c: Point) -> Any:
    """Return twice the area of the triangle abc: above 0 if it turns left, 0 if the three are on a line."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def hull(points: Sequence[Point]) -> Line:
    """Return the corners of the convex hull, anticlockwise; of points on one line, its two ends.

    >>> hull([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2)])
    [(0, 0), (2, 0), (2, 2), (0, 2)]
    """
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    lower, upper = _half(ordered), _half(ordered[::-1])
    return lower[:-1] + upper[:-1]


def _half(ordered: Line) -> Line:
    chain: Line = []
    for point in ordered:
        while len(chain) > 1 and turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def crossing(positive: Sequence[Point], negative: Sequence[Point]) -> list[Line]:
    """Return what proves that no line separates the classes, as lines to draw; an empty list if one does.

    Either a segment between two points of each class, and the segments meet; or the triangle (closed) of three
    points of one class, and a single point of the other within it.

    >>> crossing([(0, 1), (1, 0)], [(0, 0), (1, 1)])
    [[(0.0, 1.0), (1.0, 0.0)], [(0.0, 0.0), (1.0, 1.0)]]
    >>> crossing([(0, 1), (1, 0)], [(0, 0), (-1, -1)])
    []
    """
    scale = _denominator([*positive, *negative])
    a, b = (hull([_whole(point, scale) for point in points]) for points in (positive, negative))
    found = _meeting_edges(a, b) or _inside(a, b) or _inside(b, a)
    return [[(x / scale, y / scale) for x, y in line] for line in found]


def _denominator(points: Sequence[Point]) -> int:
    return max((float(v).as_integer_ratio()[1] for point in points for v in point), default=1)


def _whole(point: Point, scale: int) -> Point:
    x, y = (float(v).as_integer_ratio() for v in point)
    return x[0] * (scale // x[1]), y[0] * (scale // y[1])


def _edges(corners: Line) -> Iterator[tuple[Point, Point]]:
    return pairwise([*corners, corners[0]]) if corners else iter(())


def _meeting_edges(a: Line, b: Line) -> list[Line]:
    for (p, q), (r, s) in product(_edges(a), _edges(b)):
        if _meet(p, q, r, s):
            return [[p, q], [r, s]]
    return []


def _meet(p: Point, q: Point, r: Point, s: Point) -> bool:
    """Return whether the segments pq and rs have a point in common."""
    around = turn(p, q, r), turn(p, q, s), turn(r, s, p), turn(r, s, q)
    if (around[0] > 0) != (around[1] > 0) and (around[2] > 0) != (around[3] > 0) and 0 not in around:
        return True
    corners = zip(around, ((p, q, r), (p, q, s), (r, s, p), (r, s, q)), strict=True)
    return any(area == 0 and _between(*three) for area, three in corners)


def _between(p: Point, q: Point, r: Point) -> bool:
    """Return whether r, known to be on the line through p and q, is on the segment."""
    return all(min(p[i], q[i]) <= r[i] <= max(p[i], q[i]) for i in (0, 1))


def _inside(a: Line, b: Line) -> list[Line]:
    """Return a triangle of b's corners that holds a point of a, if the hull a lies within the hull b."""
    for q, r in pairwise(b[1:]) if a else ():
        if min(turn(b[0], q, a[0]), turn(q, r, a[0]), turn(r, b[0], a[0])) >= 0:
            return [[b[0], q, r, b[0]], [a[0]]]
    return []


def strip(positive: Sequence[Point], negative: Sequence[Point]) -> tuple[tuple[float, float], float]:
    """Return weight and bias of the border with the widest margin between two classes that a line separates.

    It halves the shortest segment between the hulls; the sum is +1 and -1 at that segment's ends.

    Raises:
        ValueError: a class has no points, or no line separates the classes.

    >>> strip([(2, 0), (3, 5)], [(0, 0)])
    ((1.0, 0.0), -1.0)
    """
    if not positive or not negative or crossing(positive, negative):
        raise ValueError(
            f"strip: expected two classes that a line separates; received {len(positive)} and {len(negative)} "
            "points, and no line does. Ask crossing() first"
        )
    a, b = (hull([(float(x), float(y)) for x, y in points]) for points in (positive, negative))
    ways = [(p, _nearest(p, *edge)) for p, edge in product(a, _edges(b))]
    ways += [(_nearest(p, *edge), p) for p, edge in product(b, _edges(a))]
    near, far = min(ways, key=lambda way: (way[0][0] - way[1][0]) ** 2 + (way[0][1] - way[1][1]) ** 2)
    across = np.subtract(near, far)
    weight = 2 * across / (across @ across)
    bias = -float(weight @ np.add(near, far)) / 2
    return (float(weight[0]), float(weight[1])), bias


def _nearest(point: Point, start: Point, end: Point) -> Point:
    """Return the point of a segment that is nearest to `point`."""
    along = end[0] - start[0], end[1] - start[1]
    length = along[0] ** 2 + along[1] ** 2
    share = 0.0
    if length:
        share = ((point[0] - start[0]) * along[0] + (point[1] - start[1]) * along[1]) / length
    share = min(1.0, max(0.0, share))
    return start[0] + share * along[0], start[1] + share * along[1]
