"""What sluggish.js delays comes late, once, in order; what is cancelled does not come."""

from typing import Any

import pytest

from tests.browser import sluggish

pytestmark = pytest.mark.browser

FRAMES = """() => new Promise(done => {
  const told = [], start = performance.now();
  const frame = name => requestAnimationFrame(() => {
    told.push(name);
    if (name < 20) frame(name + 1);
    else done([told, performance.now() - start]);
  });
  cancelAnimationFrame(frame("cancelled"));
  frame(1);
})"""
ANSWERS = """() => new Promise(done => {
  const source = "onmessage = ({data}) => postMessage(data)";
  const worker = new Worker(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
  const told = [], start = performance.now();
  worker.onmessage = ({data}) => {
    told.push(data.number);
    if (data.number === 20) done([told, performance.now() - start]);
  };
  const message = {};
  for (message.number = 1; message.number <= 20; message.number++) worker.postMessage(message);
})"""


@pytest.fixture
def page(chromium: Any) -> Any:
    with sluggish(chromium.new_context)() as context:
        page = context.new_page()
        page.goto("about:blank")
        yield page


@pytest.mark.parametrize("program", [FRAMES, ANSWERS], ids=["frames", "messages"])
def test_it_is_late_and_in_order(page: Any, program: str) -> None:
    told, milliseconds = page.evaluate(program)
    assert told == list(range(1, 21))
    assert milliseconds > 200  # twenty frames; twenty messages there and back
