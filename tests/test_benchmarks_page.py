"""The page's benchmarks judge fairly: wrong contestants are refused, ratios are those of the same round."""

import io
import json
import math
import tarfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import tasks
from benchmarks.page import inside, peers, race, report, rows, site
from benchmarks.page.race import Entrant, Ratio, Result


class Workers:
    """An arena without a browser: each contestant takes a fixed time for a step and has fixed losses."""

    def __init__(self, milliseconds: dict[str, float], losses: dict[str, list[float]]) -> None:
        self.milliseconds, self.of = milliseconds, losses
        self.timed: list[tuple[str, int]] = []
        self.running: set[str] = set()

    def start(self, name: str, script: str, settings: dict[str, Any]) -> None:
        if script == "broken.js":
            raise RuntimeError("Error: no such library\nat line 3")
        self.running.add(name)

    def ask(self, name: str, verb: str, argument: Any = None) -> Any:
        return self.of[name][:argument] if verb == "losses" else [0.5, 0.25]

    def time(self, name: str, steps: int) -> tuple[float, float]:
        self.timed.append((name, steps))
        took = steps * self.milliseconds[name]
        return took / 2, took  # the clock runs on while others compute

    def stop(self, name: str) -> None:
        self.running.discard(name)


FALLING = [1.0, 0.9, 0.8]


def entrant(name: str, **settings: Any) -> Entrant:
    return Entrant(name, settings.pop("script", "x.js"), {}, 32, **settings)


def test_a_race_times_everyone_in_turn_and_takes_ratios_of_rounds() -> None:
    workers = Workers({"fast": 0.5, "slow": 2.0}, {"fast": FALLING, "slow": FALLING})
    results = race.race(
        workers,
        [entrant("fast", reference=FALLING), entrant("slow")],
        rounds=4,
        check_steps=3,
        say=lambda _: None,
    )
    assert [len(result.micros) for result in results] == [4, 4]
    assert race.ratio(*results) == Ratio(4.0, 4.0, 4.0)
    assert (results[0].micros[0], results[0].wall[0]) == pytest.approx((250.0, 500.0))
    turns = workers.timed[-8:]
    assert [name for name, _ in turns] == ["fast", "slow", "slow", "fast", "fast", "slow", "slow", "fast"]
    assert all(
        steps * workers.milliseconds[name] / 2 == pytest.approx(race.TURN, rel=0.01) for name, steps in turns
    )
    assert workers.running == set()


def test_examples_per_second_count_the_examples_of_a_step() -> None:
    batch, epoch = Result("batch", 32, [64.0]), Result("epoch", 512, [512.0])
    assert batch.per_second == pytest.approx(5e5)
    assert race.ratio(epoch, batch).median == pytest.approx(2.0)
    assert race.fastest([batch, epoch, Result("failed", 32)]) is epoch


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([1.0, 0.9, 0.82], "differ by 2.5e-02"),
        ([1.0, 1.1, 1.2], "should fall"),
        ([1.0, math.nan, 0.8], "should fall"),
    ],
)
def test_a_contestant_with_other_losses_is_not_timed(losses: list[float], words: str) -> None:
    workers = Workers({"right": 1.0, "wrong": 1.0}, {"right": FALLING, "wrong": losses})
    entered = [entrant("right", reference=FALLING), entrant("wrong", reference=FALLING)]
    right, wrong = race.race(workers, entered, rounds=2, say=lambda _: None)
    assert (right.failure, len(right.micros)) == ("", 2)
    assert words in wrong.failure
    assert wrong.micros == []
    assert all(name == "right" for name, _ in workers.timed)


def test_a_library_that_cannot_be_loaded_is_reported_and_the_others_run() -> None:
    workers = Workers({"there": 1.0}, {"there": FALLING})
    results = race.race(
        workers,
        [entrant("absent", script="broken.js"), entrant("there")],
        rounds=1,
        check_steps=3,
        say=lambda _: None,
    )
    assert results[0].failure == "Error: no such library"
    assert len(results[1].micros) == 1


def test_wrong_maps_are_found() -> None:
    workers = Workers({"draws": 1.0}, {"draws": FALLING})
    for maps, words in (
        ([0.5, 0.25], ""),
        ([0.5, 0.26], "mean squares"),
        ([0.5], "draws 2 maps; expected 1"),
    ):
        result = race.admit(workers, entrant("draws", reference=FALLING, maps=maps), 3)
        assert words in result.failure
        assert bool(result.failure) == bool(words)


# ---- what the contestants compute


def test_the_loop_of_the_page_is_the_one_that_torch_checks() -> None:
    """T1 of the page has the losses of `benchmarks.ours`, which the other benchmarks compare with torch."""
    from benchmarks import harness, ours

    task = tasks.make("T1")
    other = harness.first_losses(ours.build(task, "cpu", library="numpy", captured=False), 20)
    for captured in (False, True):
        np.testing.assert_allclose(inside.training(task, captured=captured).losses(20), other, rtol=1e-6)


def test_frames_train_and_map_every_unit() -> None:
    frames = inside.Frames(captured=True)
    losses = frames.losses(30)
    assert losses[-1] < 0.5 * losses[0]
    assert [each.shape for each in frames.maps] == [(inside.SIDE**2,)] * 7
    x, y = np.array([[5.0, -4.0]], np.float32), inside.grid()
    nearest = int(np.abs(y - x).sum(1).argmin())
    assert frames.maps[-1][nearest] == pytest.approx(
        float(frames.model(y[nearest : nearest + 1]).numpy()[0, 0])
    )


def test_the_kernel_is_never_silently_absent() -> None:
    with pytest.raises(RuntimeError, match="SIMD kernel could not be loaded"):
        inside.build({"task": "T1", "simd": True, "captured": True})


# ---- peers and site


def archive(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as members:
        member = tarfile.TarInfo("package/build/x.js")
        member.size = len(content)
        members.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_a_peer_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "FOLDER", tmp_path)
    package = peers.Package("x", "1.0", "MIT", ("build/x.js",), peers.checksum(archive(b"right")))
    with pytest.raises(peers.Missing, match=r"x 1.0: expected sha512"):
        peers.unpack(package, archive(b"wrong"))
    assert not peers.is_there(package)
    peers.unpack(package, archive(b"right"))
    assert peers.is_there(package)
    assert (tmp_path / "x" / "build" / "x.js").read_bytes() == b"right"


def test_the_site_serves_its_folders_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("inside")
    (tmp_path / "secret.txt").write_text("outside")
    with site.served({"a": tmp_path / "a"}, {"/made.txt": b"made"}) as served:
        for path, text in (("a/x.txt", b"inside"), ("made.txt", b"made")):
            with urllib.request.urlopen(f"{served.address}/{path}") as answer:
                assert answer.read() == text
        for path in ("secret.txt", "a/../secret.txt", "b/x.txt"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{served.address}/{path}")
        assert served.requested[:2] == ["/a/x.txt", "/made.txt"]


def test_the_sources_hold_what_the_worker_imports() -> None:
    names = zipfile.ZipFile(io.BytesIO(site.sources())).namelist()
    assert {
        "dlcore/backprop.py",
        "dlcore/data/digits.npz",
        "benchmarks/tasks.py",
        "benchmarks/page/inside.py",
    } <= {*names}


# ---- the report


def test_a_target_is_met_only_by_what_was_measured() -> None:
    assert rows.Target("a", Ratio(2.0, 1.9, 2.1), 2.0).met
    assert not rows.Target("a", Ratio(1.9, 1.8, 2.0), 2.0).met
    assert rows.Target("a", Ratio(40.0, 39.0, 41.0), 50.0, "ms", least=False).met
    assert not rows.Target("a", race.NOT_MEASURED, 50.0, "ms", least=False).met


def test_the_page_names_targets_ratios_failures_and_survives_json() -> None:
    row = rows.ROWS["frame"]
    name = rows.PLAYGROUND + rows.WITH_KERNEL
    results = [
        Result(rows.CONVNET, 1, [4000.0, 4200.0], [1.0, 1.0]),
        Result(name, 1, [500.0, 500.0], [1.0, 1.0]),
        Result("x", 1, failure="broke"),
    ]
    stamp = {
        "date": "2026-01-01",
        "commit": "c",
        "machine": "m",
        "system": "s",
        "versions": {"Chromium": "1"},
    }
    target = rows.Target("first frame", report.quartiles([]), 2.5, "s", least=False)
    sections = {
        "frame": report.race_section(row, results, stamp),
        "live": report.measured_section("Live", {"frames, 1/s": [50.0, 60.0]}, [target], ["A note."], stamp),
    }
    page = report.markdown(json.loads(json.dumps(sections)))
    assert "at least 2 × | 8.20 × (8.10–8.30) | met |" in page
    assert "under 2.5 s | – | not measured |" in page
    assert "x did not take part: broke" in page
    assert "| frames, 1/s | 55.0 (52.5–57.5) |" in page
    assert "A note." in page
