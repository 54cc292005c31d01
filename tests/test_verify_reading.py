"""`verify.py` sees canonical bytes while it reads them, and lets a second process do half: nothing is left out."""

import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from netgain import verify
from study_forgery import Events, forged, ladder_study, shared

EVENTS: list[Any] = [
    {"data": {"a": [], "b": {}, "status": {"1": "no answer: x"}, "values": [1, 0, 0.5, None, True]}, "kind": "scores"},
    {"data": {"cost": 1e-05, "far": 1e22, "low": -0.25, "text": "caf\u00e9 \u2028 {\"a\"}"}, "kind": "x", "prev": None},
    {"data": {"": 0, "a": {"a": {"b": 1, "c": [[], [{"d": "["}]]}}, "z": -12}, "kind": "row", "run": "r0/self"},
    {"data": {"colon": "a:", "minus": "1-0", "pipe": ["|"], "start": ":a"}, "kind": "odd texts", "time": ""},
]  # fmt: skip
PIECES = [b" ", b"\n", b"\t", b"\r", b'"', b",", b":", b"-", b"0", b"1", b".", b"e1", b"E1", b"{", b"}", b"[", b"]",
          b"\\", b"\\u0041", b'"a":1,', b'"|"', b',"|",', b"NaN", b"Infinity", b"true", b"\xc3", b"\xef"]  # fmt: skip


def row(body: bytes) -> tuple[int, bytes, bytes, bytes, bytes]:
    return 0, b"", b"", body, b""


def known(*bodies: bytes) -> list[Any] | None:
    return verify.together([row(body) for body in bodies])


def changed(body: bytes, rng: random.Random) -> bytes:
    """A body with one to three places cut, put in, put twice or exchanged."""
    for _ in range(rng.randint(1, 3)):
        at, to = sorted(rng.choices(range(len(body) + 1), k=2))
        way = rng.randrange(4)
        put = [rng.choice(PIECES), b"", body[at:to] * 2, body[at:to][::-1]][way]
        body = body[:at] + put + body[at if way == 0 else min(to, at + 4) if way == 1 else to :]
    return body


def exchanged(value: Any, rng: random.Random) -> Any:
    """The same value with keys in another order here and there."""
    if isinstance(value, dict):
        keys = rng.sample([*value], len(value))
        return {key: exchanged(value[key], rng) for key in keys}
    return [exchanged(one, rng) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(4))
def test_what_is_seen_to_be_canonical_is_what_writing_it_anew_gives(seed: int) -> None:
    rng, passed, refused = random.Random(seed), 0, 0
    bodies = [verify.canonical(event) for event in EVENTS]
    for _ in range(4000):
        group = [rng.choice(bodies) for _ in range(rng.randint(1, 3))]
        at = rng.randrange(len(group))
        group[at] = changed(group[at], rng) if rng.random() < 0.9 else write(exchanged(json.loads(group[at]), rng))
        found = known(*group)
        passed, refused = passed + (found is not None), refused + (found is None)
        if found is not None:
            assert [verify.canonical(one) for one in found] == group
            assert [json.loads(body) for body in group] == found
    assert passed > 50 < refused


def write(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def test_ordinary_bodies_are_known_without_being_written_anew() -> None:
    bodies = [verify.canonical(event) for event in (EVENTS[0], EVENTS[2])]
    assert known(*bodies) == [EVENTS[0], EVENTS[2]]


@pytest.mark.parametrize(
    "bodies",
    [
        [b'{"b":1,"a":2}'],
        [b'{"x":[{"b":1,"a":2}]}'],
        [b'{"a":1,"a":1}'],
        [b'{"a":1,"a":1}', b'{"b" :1}'],  # as many `":` as keys were kept
        [b'{"a": 1}'],
        [b'{"a":"b c", "d":1}'],
        [b' {"a":1}'],
        [b'{"a":1}\n'],
        [b'{"a":\t1}'],
        [b'{"a":1\r}'],
        [b'{"a":1.50}'],
        [b'{"a":1E5}'],
        [b'{"a":1e5}'],
        [b'{"a":0.00001}'],
        [b'{"a":1e999}'],
        [b'{"a":NaN}'],
        [b'{"a":-Infinity}'],
        [b'{"a":-0}'],
        [b'{"a":[-0,1]}'],
        [b'{"a":[-0]}'],
        [b'{"a":"\\u0041"}'],
        [b'{"a":"\\/"}'],
        [b'{"a":1},{"b":2}', b'{"c":3'],
        [b'{"a":1},"|",{"b":2}'],
        [b'{"a":1},{"b":2}', b""],
        [b'{"a":[1', b"2]}"],
        [b'{"a":"\xff"}'],
        [b'{"a":1'],
        [b""],
    ],
)
def test_a_body_in_another_form_is_not_taken_for_canonical(bodies: list[bytes]) -> None:
    assert known(*bodies) is None


def test_a_body_that_is_no_text_is_not_taken_for_canonical() -> None:
    assert verify.together([(0, b"", b"", None, b"")]) is None
    assert verify.together([(0, b"", b"", 7, b"")]) is None


def test_work_of_a_second_process_comes_back_as_it_is() -> None:
    with verify.meanwhile(lambda: [os.getpid(), 0.1, None, {"a": ["b"]}], True) as result:
        child, *rest = result()
    assert child != os.getpid()
    assert rest == [0.1, None, {"a": ["b"]}]
    with verify.meanwhile(os.getpid, False) as result:
        assert result() == os.getpid()


@pytest.mark.parametrize("way", ["killed", "silent", "unspeakable"])
def test_work_of_a_process_that_failed_is_done_here(way: str, capfd: pytest.CaptureFixture[str]) -> None:
    here = os.getpid()

    def work() -> Any:
        if os.getpid() != here and way == "killed":
            os.kill(os.getpid(), 9)
        if os.getpid() != here and way == "silent":
            os._exit(0)
        return here if os.getpid() == here else object()  # what marshal has no bytes for

    with verify.meanwhile(work, True) as result:
        assert result() == here


def test_without_room_for_a_second_process_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", refuse)
    with verify.meanwhile(os.getpid, True) as result:
        assert result() == os.getpid()


def test_a_second_process_that_nobody_asks_ends_with_the_block() -> None:
    with verify.meanwhile(lambda: time.sleep(600), True):
        (child,) = multiprocessing.active_children()
    assert not child.is_alive()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(tmp_path_factory, "small", lambda path: ladder_study(path, replicas=2, rounds=1))


def other_decision(events: Events) -> None:
    next(one for one in events if one.kind == "gate_decision").data["level"] = 0.5  # type: ignore[index]


def other_items(events: Events) -> None:
    next(one for one in events if one.kind == "scores").data["items"] = "0" * 64  # type: ignore[index]


def other_start(events: Events) -> None:
    next(one for one in events if one.kind == "replica_enrolled").data["arms"].append("flat")


@pytest.mark.parametrize(
    ("edit", "check"), [(None, ""), (other_decision, "gate"), (other_items, "items"), (other_start, "runs")]
)
def test_two_processes_say_what_one_says(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: Any, check: str
) -> None:
    folder = forged(small, tmp_path / "copy", edit) if edit else small
    failing = both(folder, monkeypatch)
    assert check in failing if check else failing == []


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_a_body_that_is_not_canonical_is_named_by_whichever_process_reads_it(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    copy = Path(shutil.copytree(small, tmp_path / "copy"))
    with closing(sqlite3.connect(copy / "ledger.db")) as log, log:
        seq = int(share * log.execute("SELECT count(*) FROM events").fetchone()[0])
        (body,) = log.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchone()
        spaced = body.replace(",", ", ", 1)
        leaf = verify.sha(b"\x00" + spaced.encode())
        log.execute("UPDATE events SET body = ?, leaf = ? WHERE seq = ?", (spaced, leaf, seq))
    assert "log" in both(copy, monkeypatch)
    with monkeypatch.context() as inside:
        inside.setattr(verify, "MANY", 0)
        assert verify.Study(copy, 2).fault == f"ledger.db, seq {seq}: the body is not canonical JSON"


def both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the checks that fail, after both ways said the same; the second way had its second process."""
    monkeypatch.setattr(verify, "MANY", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    started: list[bool] = []
    real = verify.meanwhile

    def counted(work: Any, spare: bool) -> Any:
        started.append(spare)
        return real(work, spare)

    one = verify.verify(folder)
    monkeypatch.setattr(verify, "meanwhile", counted)
    assert verify.verify(folder, processes=2) == one
    assert started[0]
    return [check["name"] for check in one["checks"] if check["ok"] is False]
