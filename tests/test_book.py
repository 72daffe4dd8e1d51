"""The book, built and opened: no warning, no request to another host, every page whole.

On a desk and on a phone, by day and by night.
"""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.browser import AXE_RULES, DESK, PHONE, ROOT, Visit, axe, drawn, served

pytest.importorskip("jupyter_book", reason="the book is not built: jupyter-book is not installed")

# Sphinx puts the file's name where nobody wrote an alternative text.
PICTURES_WITHOUT_WORDS = """
    [...document.querySelectorAll('.bd-article img')]
        .filter(picture => !picture.alt || picture.alt.includes('_images/')).map(picture => picture.src)
"""

# axe takes some 5 ms for the contrast of a text, and most texts of a chapter look alike. Of those whose letters have
# the same colour, size and weight on the same backgrounds, by day and by night, three on a page are judged for all in
# each theme, in whatever width. Controls are all judged. A token of code that is like others becomes a part of its
# line, and a formula that is like others is emptied: two of three elements of a chapter are parts of formulas.
MARK_ALIKE = """() => {
    const root = document.documentElement, { theme } = root.dataset;
    const own = (element) => [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const coloured = "[style*=color], [mathcolor], [mathbackground]";
    const formulas = [...document.querySelectorAll("mjx-container")].filter(
        (formula) => formula.children.length && !formula.querySelector(coloured));
    const texts = [...document.body.querySelectorAll(":not(button, input, label, option, select, textarea)")]
        .filter((element) => own(element) && !element.closest("mjx-container")).concat(formulas);
    const looks = texts.map(() => "");
    for (root.dataset.theme of ["light", "dark"]) {
        const behind = new Map([[null, ""]]);
        const backgrounds = (element) => {
            if (!behind.has(element)) {
                const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
                const ground = `${backgroundColor} ${backgroundImage} ${opacity}/`;
                behind.set(element, ground + backgrounds(element.parentElement));
            }
            return behind.get(element);
        };
        texts.forEach((text, index) => {
            const { color, fontSize, fontWeight } = getComputedStyle(text);
            const seen = text.checkVisibility({ visibilityProperty: true, opacityProperty: true });
            const formula = text.localName === "mjx-container";
            looks[index] += [formula, color, fontSize, fontWeight, seen, backgrounds(text)].join("|");
        });
    }
    root.dataset.theme = theme;
    const another = (counts, look) => counts.set(look, (counts.get(look) ?? 0) + 1).get(look);
    const judged = ((window.judged ??= {})[theme] ??= new Map()), present = new Map();
    let alike = 0;
    texts.forEach((text, index) => {
        const needed = another(present, looks[index]) <= 3; // in the other theme, too
        text.removeAttribute("data-alike");
        if (another(judged, looks[index]) <= 3) return;
        alike += 1;
        if (!needed && text.matches("mjx-container")) text.replaceChildren();
        else if (!needed && text.matches("pre *") && !text.children.length) text.replaceWith(text.textContent);
        else text.setAttribute("data-alike", "");
    });
    return alike;
}"""
# A change of colour that takes its time would be judged half way.
AT_ONCE = "* { transition: none !important }"


def pages(book: Path) -> list[Path]:
    """Return the pages that a reader stays on: no template of the theme, no redirection to the first page."""
    return [
        page
        for page in sorted(book.rglob("*.html"))
        if "_static" not in page.parts and page.name != "index.html"
    ]


class Assets(HTMLParser):
    """Collect the addresses that a page loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") not in (
            "next",
            "prev",
            "canonical",
            "search",
            "index",
            "author",
        ):
            self.found.append(values.get("href") or "")
        elif tag != "a":
            self.found += [
                values[name] or "" for name in ("src", "srcset", "data", "poster") if name in values
            ]

    @property
    def foreign(self) -> list[str]:
        return [address for address in self.found if address.startswith(("http:", "https:", "//"))]


def test_the_parser_sees_foreign_assets() -> None:
    script, sheet = (
        '<script src="https://a.org/x.js"></script>',
        '<link rel="stylesheet" href="//b.org/x.css">',
    )
    page = f'{script}{sheet}<img src="http://c.org/x.png"><a href="https://d.org">a link asks for nothing</a>'
    assert len(Assets(page).foreign) == 3
    assert Assets('<script src="../_static/x.js"></script><img src="data:image/png;base64,">').foreign == []


def test_no_page_names_an_asset_of_another_host(book: Path) -> None:
    assert pages(book)
    for page in pages(book):
        assert Assets(page.read_text(encoding="utf-8")).foreign == [], page


def test_no_style_sheet_names_another_host(book: Path) -> None:
    for sheet in book.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "url(http" not in text, sheet
        assert "url(//" not in text, sheet
        assert '@import "http' not in text, sheet


def test_every_page_of_the_contents_is_there(book: Path) -> None:
    chapters = [path.stem for path in (ROOT / "chapters").glob("*.ipynb")]
    assert {"intro.html", *(f"{chapter}.html" for chapter in chapters)} <= {page.name for page in pages(book)}
    assert "url=intro.html" in (book / "index.html").read_text(encoding="utf-8")


def test_the_site_carries_mathjax_and_no_source_maps(book: Path) -> None:
    assert (book / "vendor" / "mathjax" / "tex-mml-chtml.js").exists()
    assert list(book.rglob("*.map")) == []


# A class is handed to a process of pytest-xdist as a whole: two halves of the pages are looked at side by side, one
# opened on a desk by day, the other on a phone by night. Each is then turned to all that the other is.
@pytest.mark.browser
class TestOpenedInLight:
    def test_every_page_is_whole(self, book: Path, address: str, chromium: Any) -> None:
        every_page_is_whole(pages(book)[::2], book, address, chromium, ["light", "dark"], [DESK, PHONE])


@pytest.mark.browser
class TestOpenedInDark:
    def test_every_page_is_whole(self, book: Path, address: str, chromium: Any) -> None:
        every_page_is_whole(pages(book)[1::2], book, address, chromium, ["dark", "light"], [PHONE, DESK])


def every_page_is_whole(
    paths: list[Path],
    book: Path,
    address: str,
    chromium: Any,
    themes: list[str],
    widths: list[dict[str, int]],
) -> None:
    """Open each page in the first theme and width, then bring it to the others."""
    context = chromium.new_context(viewport=widths[0])
    context.add_init_script(
        f"localStorage.setItem('mode', '{themes[0]}'); localStorage.setItem('theme', '{themes[0]}')"
    )
    for path in paths:
        name = path.relative_to(book).as_posix()
        visit = Visit(context, f"{address}/{name}")
        assert [url for url in visit.requests if not url.startswith((address, "data:", "blob:"))] == [], name
        assert visit.evaluate("document.documentElement.dataset.theme") == themes[0], name
        formulas = visit.page.locator(".math").count()
        assert visit.page.locator("mjx-container").count() >= formulas, f"{name}: formulas were left raw"
        assert visit.page.locator("mjx-merror").count() == 0, f"{name}: MathJax could not read a formula"
        assert visit.evaluate(PICTURES_WITHOUT_WORDS) == [], name
        visit.page.add_style_tag(content=AT_ONCE)
        for width in widths:
            visit.page.set_viewport_size(width)
            assert_fits(visit, width, name)
        for theme in themes:
            turn_to(visit, theme)
            for width in widths:
                visit.page.set_viewport_size(width)
                visit.evaluate(MARK_ALIKE)
                found = violations(visit)
                assert found == [], f"{name}, {theme}, {width['width']} px wide"
        assert visit.complaints == [], name
        visit.page.close()
    context.close()


def turn_to(visit: Visit, theme: str) -> None:
    """Press the button of the page until it shows the theme."""
    shown = "document.documentElement.dataset.theme"
    for _ in range(3):
        if visit.evaluate(f"{shown} === '{theme}' && document.documentElement.dataset.mode === '{theme}'"):
            return
        visit.page.locator(".theme-switch-button").first.evaluate("button => button.click()")
    pytest.fail(f"{visit.page.url}: the button of the themes never comes to {theme}")


def violations(visit: Visit) -> list[Any]:
    """Return what axe finds wrong: each rule, with the elements that break it."""
    wrong, kept = axe(visit.page, rules=AXE_RULES, contrast_of=":not([data-alike])")
    assert "color-contrast" in kept | {rule for rule, _ in wrong}  # it has looked
    return wrong


def assert_fits(visit: Visit, viewport: dict[str, int], name: str) -> None:
    drawn(visit.page)
    width = visit.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"], f"{name} is {width} px wide on a screen of {viewport['width']}"


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_new_reader_sees_their_systems_theme_and_no_complaint(
    address: str, chromium: Any, theme: str
) -> None:
    with chromium.new_context(viewport=DESK, color_scheme=theme) as context:
        visit = Visit(context, f"{address}/intro.html")
        assert visit.evaluate("document.documentElement.dataset.theme") == theme
        assert visit.complaints == []


@pytest.mark.browser
def test_the_browser_test_sees_a_foreign_request_and_a_wide_page(tmp_path: Path, chromium: Any) -> None:
    script, wide = '<script src="http://localhost:1/x.js"></script>', '<div style="width: 2000px">wide</div>'
    (tmp_path / "broken.html").write_text(script + wide + '<img src="nowhere.png">')
    with served(tmp_path) as address:
        visit = Visit(chromium.new_context(viewport=PHONE), f"{address}/broken.html")
    assert any(not url.startswith(address) for url in visit.requests)
    assert visit.complaints
    assert visit.evaluate("document.documentElement.scrollWidth") > PHONE["width"]
    visit.page.set_content('<div class="bd-article"><img src="_images/x.png" alt="../_images/x.png"></div>')
    assert len(visit.evaluate(PICTURES_WITHOUT_WORDS)) == 1


@pytest.mark.browser
def test_one_pale_token_among_many_is_seen(chromium: Any) -> None:
    visit = Visit(chromium.new_context(viewport=DESK), "about:blank")
    tokens = "".join(f"<span>name{k}</span> " for k in range(50))
    for place, style in (("pre", "color: #999"), ("pre", "background: #222"), ("code", "color: #999")):
        pale = f'<{place}>{tokens}<span style="{style}">pale</span></{place}>'
        visit.page.set_content(f'<html lang="en"><title>Code</title><h1>Code</h1><pre>{tokens}</pre>{pale}')
        assert visit.evaluate(MARK_ALIKE) > 80
        assert visit.page.locator(place).last.inner_text().endswith("name48 name49 pale")
        assert violations(visit) == [("color-contrast", [f'<span style="{style}">pale</span>'])]


@pytest.mark.browser
def test_what_is_pale_at_night_alone_is_seen(chromium: Any) -> None:
    visit = Visit(chromium.new_context(viewport=DESK), "about:blank")
    style = "[data-theme=dark] body { background: #111; color: #eee } [data-theme=dark] .pale { color: #333 }"
    for place in (
        "<span class='pale'>name</span>",
        "<mjx-container class='pale'><mi>width</mi></mjx-container>",
    ):
        page = f"<title>Code</title><style>{style}</style><h1>Code</h1><pre>{(place + ' ') * 9}</pre>"
        visit.page.set_content(f'<html lang="en" data-theme="light">{page}')
        for _ in ("desk", "phone"):
            assert visit.evaluate(MARK_ALIKE) >= 3
            assert violations(visit) == []
        visit.evaluate("document.documentElement.dataset.theme = 'dark'")
        visit.evaluate(MARK_ALIKE)
        ((rule, elements),) = violations(visit)
        assert (rule, len(elements)) == ("color-contrast", 3)


@pytest.mark.browser
def test_the_phone_menu_opens_and_there_is_one_search(address: str, chromium: Any) -> None:
    visit = Visit(chromium.new_context(viewport=PHONE), f"{address}/intro.html")
    menu = visit.page.locator(".pst-primary-sidebar, .bd-sidebar-primary").first
    assert not menu.is_visible()
    visit.page.locator("button.primary-toggle").first.click()
    menu.wait_for(state="visible")
    assert (
        visit.page.locator(
            ".bd-sidebar-primary .search-button-field, .bd-sidebar-primary .search-button__button"
        ).count()
        <= 1
    )
