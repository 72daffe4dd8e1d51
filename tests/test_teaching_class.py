"""The pages for a class hold what the repository has: targets, files, remarks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("teaching/class.md", "teaching/students.md", "deploy/README.md")
TARGETS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands(page: str) -> str:
    """Return what stands as code: in blocks and between backticks."""
    found = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", text(page), re.DOTALL)
    return "\n".join(block or inline for block, inline in found)


@pytest.mark.parametrize("page", PAGES)
def test_each_make_target_exists(page: str) -> None:
    named = re.findall(r"(?:^|&& )make ([a-z]+)", commands(page), re.MULTILINE)
    assert named, f"{page} names no target"
    assert sorted(set(named) - TARGETS) == []


def test_the_ten_steps_are_ten() -> None:
    assert re.findall(r"^\*\*(\d+)\. ", text("teaching/class.md"), re.MULTILINE) == [
        str(step) for step in range(1, 11)
    ]


def test_the_names_of_the_assignments_are_those_that_there_are() -> None:
    page = text("teaching/class.md")
    (sentence,) = re.findall(
        r"names are those of the folders in `assignments/`: (.*?)\. The", page, re.DOTALL
    )
    there = {path.parent.name for path in ROOT.glob("assignments/*/*.ipynb")}
    assert set(re.findall(r"`(\w+)`", sentence)) == there


def test_each_variable_of_make_is_one_of_the_makefile() -> None:
    named = set(re.findall(r"\b([A-Z]{3,})=", commands("teaching/class.md")))
    assert {name for name in named if f"$({name})" not in text("Makefile")} == set()


def test_each_remark_is_one_that_grading_makes() -> None:
    """Between the dots and the numbers of a remark, each phrase of the table stands in the classroom's sources."""
    table = text("teaching/class.md").partition("## What the remarks mean")[2].partition("\n\nA line that")[0]
    remarks = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")][1:]
    assert len(remarks) > 9
    sources = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("classroom/*.py"))
    phrases = [
        phrase.strip() for remark in remarks for phrase in re.split(r"…|[0-9]+|[;:,]| markdown", remark)
    ]
    assert [phrase for phrase in phrases if phrase not in sources] == []


def test_both_pages_are_in_the_book() -> None:
    toc = yaml.safe_load(text("_toc.yml"))
    files = {
        page["file"] for part in toc["parts"] for one in part["chapters"] for page in one.get("sections", ())
    }
    assert {"teaching/class", "teaching/students"} <= files


@pytest.mark.parametrize("named", ["jupyterhub_config.py", "nbgrader_config.py", "proxy"])
def test_what_the_readme_of_the_class_names_is_there(named: str) -> None:
    assert f"deploy/{named}" in text("deploy/README.md")
    assert (ROOT / "deploy" / named).exists()
