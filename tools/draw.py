"""Draw the pictures of the house: the logo and the favicon.

``python tools/draw.py`` writes them into ``assets/`` as SVG; nothing is drawn by hand.
"""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
BLUE, ORANGE, PAPER = "#0072b2", "#e69f00", "#ffffff"
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


def main() -> None:
    """Write every picture."""
    ASSETS.mkdir(exist_ok=True)
    (ASSETS / "logo.svg").write_text(svg(64, 64, neuron(), "A neuron: weighted inputs, a sum, an activation"))
    (ASSETS / "favicon.svg").write_text(svg(64, 64, neuron(), "Deep Learning, Live"))


if __name__ == "__main__":
    main()
