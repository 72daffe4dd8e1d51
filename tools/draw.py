"""Draw the pictures of the house: the logo, the favicon, and the picture of the README.

``python tools/draw.py`` writes them into ``assets/`` as SVG; nothing is drawn by hand.
"""

import math
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
BLUE, ORANGE, INK, PAPER = "#0072b2", "#e69f00", "#4a5568", "#ffffff"
LINE = 'stroke-linecap="round"'


def svg(width: int, height: int, body: list[str], title: str) -> str:
    """Return an SVG picture; ``title`` is what a screen reader says."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([head, f"<title>{title}</title>", *body, "</svg>", ""])


def neuron() -> list[str]:
    """Draw a neuron in a 64 × 64 box: three inputs whose widths are their weights, a sum, an output."""
    inputs = [(12, 6.0, BLUE), (32, 2.5, ORANGE), (52, 4.0, BLUE)]  # (height, weight, sign)
    body = [
        f'<path d="M10 {y} L38 32" stroke="{colour}" stroke-width="{width}" {LINE}/>'
        for y, width, colour in inputs
    ]
    body += [f'<path d="M38 32 H58" stroke="{BLUE}" stroke-width="5" {LINE}/>']
    body += [f'<circle cx="10" cy="{y}" r="6" fill="{colour}"/>' for y, _, colour in inputs]
    body += [f'<circle cx="38" cy="32" r="13" fill="{PAPER}" stroke="{BLUE}" stroke-width="4"/>']
    body += [f'<path d="M30 37 C37 37 39 27 46 27" fill="none" stroke="{ORANGE}" stroke-width="3.5" {LINE}/>']
    return body


def spiral(centre_x: float, centre_y: float, radius: float, points: int = 48) -> list[str]:
    """Draw the two arms of the spiral data set: filled discs against open squares."""
    body = []
    for i in range(4, points):
        reach, angle = radius * i / points, 1.75 * math.tau * i / points
        x, y = reach * math.sin(angle), reach * math.cos(angle)
        body.append(f'<circle cx="{centre_x + x:.1f}" cy="{centre_y + y:.1f}" r="3" fill="{BLUE}"/>')
        left, top = centre_x - x - 2.6, centre_y - y - 2.6
        square = f'<rect x="{left:.1f}" y="{top:.1f}" width="5.2" height="5.2"'
        body.append(f'{square} fill="{PAPER}" stroke="{ORANGE}" stroke-width="2"/>')
    return body


def text(x: float, y: float, words: str, size: int = 16, weight: int = 400) -> str:
    """Write ``words`` centred at (x, y)."""
    style = (
        f'font-family="system-ui, sans-serif" font-size="{size}" font-weight="{weight}" text-anchor="middle"'
    )
    return f'<text x="{x}" y="{y}" fill="{INK}" {style}>{words}</text>'


def map_of_the_project() -> list[str]:
    """Draw how one body of code is met three ways."""
    body = [
        f'<rect width="840" height="270" rx="12" fill="{PAPER}"/>',
        *spiral(130, 122, 88),
        text(130, 246, "data you can look at"),
    ]
    body += [
        '<g transform="translate(318 26) scale(3)">',
        *neuron(),
        "</g>",
        text(414, 246, "dlcore: code you can read through", weight=600),
    ]
    for y, verb, where in [
        (58, "read", "pages that need no server"),
        (128, "run", "notebooks, CPU or GPU"),
        (198, "set", "graded assignments"),
    ]:
        branch = f"M512 122 C552 122 556 {y} 592 {y}"
        body += [f'<path d="{branch}" fill="none" stroke="{BLUE}" stroke-width="3" {LINE}/>']
        body += [text(706, y - 4, verb, size=22, weight=600), text(706, y + 18, where)]
    return body


def main() -> None:
    """Write every picture."""
    ASSETS.mkdir(exist_ok=True)
    (ASSETS / "logo.svg").write_text(svg(64, 64, neuron(), "A neuron: weighted inputs, a sum, an activation"))
    (ASSETS / "favicon.svg").write_text(svg(64, 64, neuron(), "Deep Learning, Live"))
    (ASSETS / "readme.svg").write_text(
        svg(
            840,
            270,
            map_of_the_project(),
            "One body of code: read it on the web, run it in notebooks, set it as assignments",
        )
    )


if __name__ == "__main__":
    main()
