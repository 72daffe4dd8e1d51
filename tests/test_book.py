"""The book, built and opened: no warning, no request to another host, every page whole.

On a desk and on a phone, by day and by night.
"""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.browser import AXE_RULES, DESK, PHONE, ROOT, Visit, served

pytest.importorskip("jupyter_book", reason="the book is not built: jupyter-book is not installed")

# Sphinx puts the file's name where nobody wrote an alternative text.
PICTURES_WITHOUT_WORDS = """
    [...document.querySelectorAll('.bd-article img')]
        .filter(picture => !picture.alt || picture.alt.includes('_images/')).map(picture => picture.src)
"""


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


@pytest.mark.browser
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_whole(
    book: Path, address: str, chromium: Any, viewport: dict[str, int], theme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(viewport=viewport)
    context.add_init_script(
        f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')"
    )
    for path in pages(book):
        name = path.relative_to(book).as_posix()
        visit = Visit(context, f"{address}/{name}")
        assert [url for url in visit.requests if not url.startswith((address, "data:", "blob:"))] == [], name
        assert visit.complaints == [], name
        assert visit.evaluate("document.documentElement.dataset.theme") == theme, name
        formulas = visit.page.locator(".math").count()
        assert visit.page.locator("mjx-container").count() >= formulas, f"{name}: formulas were left raw"
        assert visit.page.locator("mjx-merror").count() == 0, f"{name}: MathJax could not read a formula"
        width = visit.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"{name} is {width} px wide on a screen of {viewport['width']}"
        assert visit.evaluate(PICTURES_WITHOUT_WORDS) == [], name
        found = Axe().run(visit.page, options={"runOnly": AXE_RULES, "preload": False}).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == [], name
        visit.page.close()
    context.close()


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
