#!/usr/bin/env python3
"""Re-computes the verdict of a netgain study: `python3 verify.py STUDY [--checkpoint FILE] [--statement FILE]`.

STUDY is a folder, or the zip file that `netgain bundle` made, which is unpacked into a temporary folder. Standard
library only, imports nothing of netgain, writes nothing else: the independent twin of the code that ran the study,
to be read before it is believed. The checks of `CHECKS` run in order; each fails with the place that is wrong, or says
what holds. One failure makes the study INVALID. The word is computed from raw sealed scores and must equal the recorded
one. Not covered: whether the answers came from the systems named (a re-run shows that, evidence level 5), metrics and
items of the claimant's own code, which items a run had trained on, a folder invented as a whole.

Exit codes: 0 SUPPORTED (with or without limits), 3 REFUTED, 4 INCONCLUSIVE, 7 INVALID, 2 not a study that this reads.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import json
import marshal
import math
import multiprocessing
import os
import re
import shutil
import sqlite3
import stat
import sys
import zipfile
import zlib
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from functools import cache, lru_cache, partial, reduce
from itertools import accumulate, combinations, permutations, repeat, takewhile
from operator import attrgetter, mul
from pathlib import Path
from statistics import NormalDist, median
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any as Json

Record = dict[str, Json]
Column = Sequence[float | None]
Looks = tuple[list[int], list[int], list[int]]  # sizes; successes that support; successes up to which they refute
EXIT = {"SUPPORTED": 0, "SUPPORTED WITH LIMITS": 0, "REFUTED": 3, "INCONCLUSIVE": 4, "INVALID": 7}
BOTH = "frozen ordinary placebo"  # controls; a rung adds random search where its surfaces can be searched
RUNGS = ("R0", "R1", "R2", "R4", "R5", "R6", "R7")
NEEDED = {"R1": "frozen", "R2": BOTH, "R4": BOTH, "R5": f"{BOTH} flat one_step"}
NEEDED |= dict.fromkeys(("R6", "R7"), f"{NEEDED['R5']} stacked")
MATCHED = (("flops", "tokens"), ("calls",), ("device_seconds",))  # the first units that are booked are compared
KEPT = {"none": 0, "process": 1, "sandlock": 1, "bubblewrap": 2, "bubblewrap-server": 2, "wasm": 3}  # levels
ACTIONS = ("watch", "freeze", "pause", "reject", "roll_back", "halt")  # of an alarm, from least to most
HELD = {"freeze": "undecided", "reject": "dropped", "roll_back": "reject", "halt": "reject"}
DATABASE = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal")
DECIDING = ("propose", "build", "watch", "judge", "approve", "apply")  # stages that say what becomes of a run
QUESTION = ("suite", "axis", "gate", "decoding", "batching")  # parts of a contract that no epoch may move
MANY = 10_000  # entries from which on a second process is worth its start
NULLS = ("first", "drifted", "shuffled")  # improvers that the last one has to beat, moved to the same foreign starts


class Entry:
    """One event of the log; `run` is "" for the study itself, `data` is the event's own record."""

    __slots__ = ("data", "run", "seq")  # read millions of times

    def __init__(self, seq: int, run: str, data: Json) -> None:
        self.seq, self.run, self.data = seq, run, data


class Finding(Exception):
    """What ends a check: its outcome (False: wrong, None: not come to yet) and a sentence that says where."""


def need(holds: object, sentence: str, outcome: bool | None = False) -> None:
    if not holds:
        raise Finding(outcome, sentence)


# --- Bytes and values ------------------------------------------------------------------------------------------------
def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


PLAIN = frozenset((str, int, float, bool, type(None)))
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Json) -> bytes:
    return ENCODER.encode(value).encode()


def digest(value: Json) -> str:
    return sha(canonical(value)).hex()


def tree_head(leaves: Sequence[bytes]) -> str:
    """RFC 6962, section 2.1: join neighbours level by level; a node without a neighbour moves up as it is."""
    level = list(leaves) or [sha(b"")]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        joined = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level = joined + level[2 * len(joined) :]
    return level[0].hex()


def tree_heads(leaves: Sequence[bytes], sizes: set[int]) -> dict[int, str]:
    """Heads of the first so many leaves, in one pass: the perfect subtrees so far carry as a binary counter does."""
    found, tops = dict[int, str](), list[bytes]()
    for size, top in enumerate(leaves, 1):
        carry = size - 1
        while carry & 1:
            top, carry = sha(b"\x01" + tops.pop() + top), carry >> 1
        tops.append(top)
        if size in sizes:
            found[size] = reduce(lambda right, left: sha(b"\x01" + left + right), tops[::-1]).hex()
    return found


# --- Ed25519 signatures (RFC 8032, section 5.1), for checking only; a few milliseconds each ---------------------------
FIELD, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
TWIST = -121665 * pow(121666, -1, FIELD) % FIELD  # the d of the curve -x^2 + y^2 = 1 + d x^2 y^2
ROOT = pow(2, (FIELD - 1) // 4, FIELD)  # of -1
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z
ZERO: Point = (0, 1, 1, 0)


def plus(one: Point, other: Point) -> Point:
    """Sum of two points; it holds for equal points too."""
    (x, y, z, t), (u, v, w, s) = one, other
    a, b = (y - x) * (v - u) % FIELD, (y + x) * (v + u) % FIELD
    c, d = 2 * t * s * TWIST % FIELD, 2 * z * w % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def point(data: bytes) -> Point | None:
    """The point that 32 bytes name, None for bytes that name none (section 5.1.3)."""
    number = int.from_bytes(data, "little")
    y, odd = number & (2**255 - 1), number >> 255
    if len(data) != 32 or y >= FIELD:
        return None
    u, v = (y * y - 1) % FIELD, (TWIST * y * y + 1) % FIELD
    x = u * v**3 * pow(u * v**7, (FIELD - 5) // 8, FIELD) % FIELD
    x = x * ROOT % FIELD if (v * x * x + u) % FIELD == 0 else x
    if (v * x * x - u) % FIELD or (x == 0 and odd):
        return None
    x = FIELD - x if x & 1 != odd else x
    return x, y, 1, x * y % FIELD


BASE = point((4 * pow(5, -1, FIELD) % FIELD).to_bytes(32, "little"))


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of a message is that of a public key: S B = R + k A, both factors in one run of doublings."""
    key, first, scalar = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or first is None or BASE is None or len(signature) != 64 or scalar >= ORDER:
        return False
    factor = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus = (FIELD - key[0], key[1], 1, FIELD - key[3])
    adds, sum_ = (ZERO, BASE, minus, plus(BASE, minus)), ZERO
    for bit in range(252, -1, -1):
        sum_ = plus(sum_, sum_)
        if picked := (scalar >> bit & 1) + 2 * (factor >> bit & 1):
            sum_ = plus(sum_, adds[picked])
    x, y, z, _ = sum_
    return (x - first[0] * z) % FIELD == 0 == (y - first[1] * z) % FIELD


def key_id(name: str, public: bytes) -> bytes:
    """C2SP signed-note: the four bytes by which a signature line names an Ed25519 key."""
    return sha(name.encode() + b"\n\x01" + public)[:4]


def read_key(text: str) -> tuple[str, bytes]:
    """Name and public half of a key as it is registered, `name+id+key`."""
    name, ident, body = text.split("+", 2)
    raw = base64.b64decode(body, validate=True)
    well = len(raw) == 33 and raw[0] == 1 and key_id(name, raw[1:]).hex() == ident
    need(well, f"{text!r} is no Ed25519 key with its id")
    return name, raw[1:]


def notes(text: str) -> list[tuple[str, list[str]]]:
    """The signed notes of a file, one after another: text, and signature lines."""
    parts = text.rstrip("\n").split("\n\n") if text.strip() else []
    need(len(parts) % 2 == 0, "the last note has no signature: it is cut off")
    return [(f"{body}\n", lines.split("\n")) for body, lines in zip(parts[::2], parts[1::2], strict=True)]


def signed_by(key: str, text: str, lines: Sequence[str]) -> bool:
    """Whether one of the signature lines below a text is that of a key."""
    name, public = read_key(key)
    start = f"\u2014 {name} "
    made = [base64.b64decode(line[len(start) :], validate=True) for line in lines if line.startswith(start)]
    return any(one[:4] == key_id(name, public) and signed(public, text.encode(), one[4:]) for one in made)


def differs(ours: Json, theirs: Json, where: str) -> str:
    """The first place where a record is not what we computed, numbers by more than 1e-9; "" when it is."""
    pairs: Json = None
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() <= theirs.keys():
        pairs = zip(ours, ours.values(), map(theirs.__getitem__, ours), strict=True)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = zip(range(len(ours)), ours, theirs, strict=True)
    if pairs is not None:
        for key, one, other in pairs:  # most are the same plain value: then there is nothing to find words for
            same = type(one) is type(other) and type(one) in PLAIN and one == other
            if not same and (found := differs(one, other, f"{where} {key}")):
                return found
        return ""
    near = {type(ours), type(theirs)} <= {int, float} and abs(ours - theirs) <= 1e-9
    same = near or (type(ours) is type(theirs) and ours == theirs)
    return "" if same else f"{where} is {theirs!r}, computed {ours!r}"


def mean(values: Column, empty: Json = None) -> Json:
    """Mean of the scores that are there: a missing score is not 0."""
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else empty


def trained(sheet: Record) -> set[int]:
    """Items of a block that the run had trained on."""
    return {int(index) for index, why in sheet["status"].items() if why.startswith("quarantined")}


def strict(sheet: Record) -> Record:
    """The sheet of what a claim is about, or of a candidate: no answer is a wrong one, so silence raises nothing."""
    wrong = {int(index) for index, why in sheet["status"].items() if why == "no answer"}
    values = [0 if index in wrong else value for index, value in enumerate(sheet["values"])]
    return {**sheet, "values": values, "status": {i: why for i, why in sheet["status"].items() if int(i) not in wrong}}


def share_apart(own: Record, theirs: Record, most: bool) -> Json:
    """Share by which the second spend exceeds the first, else falls short of it; None where a unit is unknown."""
    for units in MATCHED:
        known = [(own[one], theirs.get(one)) for one in units if own.get(one)]
        if known and all(spent is not None for _, spent in known):
            ratios = [spent / amount for amount, spent in known]
            noise = units == ("device_seconds",) and known[0][0] < 5.0  # seconds count from 5 on
            return 0.0 if noise else max(0.0, max(ratios) - 1.0 if most else 1.0 - min(ratios))
        if known:
            break
    return None


def silent(sheet: Record, gone: set[int]) -> bool:
    """Whether more than 5 % of a block was left unanswered, beside the items that are left out anyway."""
    values, most = sheet["values"], 0.05 * len(sheet["values"])
    return values.count(None) > most and sum(v is None and i not in gone for i, v in enumerate(values)) > most


# --- Reading the folder ----------------------------------------------------------------------------------------------
@contextmanager
def meanwhile(work: Callable[[], Json], spare: bool) -> Iterator[Callable[[], Json]]:
    """Work done by a second process beside the block, where one is to spare; the yielded call gives its result.

    A process that could not start, failed or said less than everything has done nothing: the work is then done here.
    """
    if not spare:
        yield work
        return
    fork = multiprocessing.get_context("fork")
    source, sink = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: sink.send_bytes(marshal.dumps(work())))

    def result() -> Json:
        with suppress(EOFError, OSError):
            return marshal.loads(source.recv_bytes())
        return work()

    with suppress(OSError):
        child.start()
    sink.close()
    try:
        yield result
    finally:
        source.close()
        if child.pid:
            child.kill()
            child.join()


def together(rows: list[Json]) -> list[Json] | None:
    """Events of rows whose bodies are seen to be canonical without being written anew; None where one may not be.

    Without backslashes and without blanks between tokens JSON has three freedoms left: the order of keys, keys that
    come twice, forms of numbers. `":` ends every key and may begin a text: where it stands as often as keys were kept,
    none came twice. "|" stands between bodies and nowhere else, so each is one value. Keys alike are one string.
    """
    kept: dict[tuple[str, ...], int] = defaultdict(int)  # keys of an object -> objects that have them

    def seen(one: Record) -> Record:
        kept[tuple(one)] += 1
        return one

    def number(text: str) -> float:
        need(repr(value := float(text)) == text, "a number in another form")
        return value

    try:
        text = b"[%b]" % b',"|",'.join([row[3] for row in rows])
        found = json.loads(text.decode(), object_hook=seen, parse_float=number, parse_constant=number)
    except (Finding, TypeError, ValueError):
        return None
    odd = any(one in text for one in (b"\\", b"\t", b"\n", b"\r", b"-0,", b"-0}", b"-0]"))
    odd = odd or any(b" " in row[3] and b" " in b"".join(row[3].split(b'"')[::2]) for row in rows)
    odd = odd or any([*keys] != sorted(keys) for keys in kept)
    once = text.count(b'":') == sum(len(keys) * count for keys, count in kept.items())
    alone = (len(found), found[1::2]) == (2 * len(rows) - 1, ["|"] * text.count(b'"|"'))
    return found[::2] if once and alone and not odd else None


def with_events(rows: list[Json], spare: bool) -> Iterator[tuple[Json, Json, bool]]:
    """Rows of the log, each with the event of its body, and whether those bytes are known to be canonical."""
    groups = [rows[at : at + 500] for at in range(0, len(rows), 500)]
    first, rest = groups[: len(groups) * 9 // 20], groups[len(groups) * 9 // 20 :]  # this one has more to do
    with meanwhile(lambda: [*map(together, rest)], spare) as result:
        for part, made in ((first, lambda: map(together, first)), (rest, result)):
            for group, found in zip(part, made(), strict=True):
                events = (json.loads(row[3].decode()) for row in group) if found is None else found
                yield from zip(group, events, repeat(found is not None))


class Study:
    """A study folder, read once. `fault` is the first thing wrong with its log, where reading stopped."""

    def __init__(self, folder: Path, processes: int = 1) -> None:
        self.two = processes > 1 < (os.cpu_count() or 1) and "fork" in multiprocessing.get_all_start_methods()
        self.folder, self.finished = folder, (folder / "study.sha256").is_file()
        if not self.finished and not (folder / "ledger.db").is_file():
            raise LookupError(f"{str(folder)!r} is not a study: it has no ledger.db")
        self.fault = self.newer = self.head = ""
        noted = folder / "checkpoints.txt"  # read before the log, so that a running study is never behind it
        self.noted = noted.read_bytes() if noted.is_file() else b""
        self.covered = 0  # entries under a signature that was checked
        self.entries: list[Entry] = []
        self.leaves: list[bytes] = []
        self.rows: dict[str, Json] = {}  # run -> where it stands: the row of its last event that has one
        self.kinds: dict[Json, list[Entry]] = defaultdict(list)  # by kind, and by (kind, run)
        self.told: dict[str, list[Entry]] = defaultdict(list)  # by run
        self.record: Record = {}  # of the registered claim
        self.axes: dict[str, Record] = {}
        try:
            self._read()
        except Finding as finding:
            self.fault = finding.args[1]
        except (sqlite3.Error, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
            self.fault = f"ledger.db cannot be read on at seq {len(self.entries)}: {error}"
        own = ("lock", "STOP", *(("study.sha256",) if self.finished else DATABASE))
        self.files: dict[str, str] = {}  # name, from the folder on -> digest of the bytes
        for root, _, names in os.walk(folder):
            inside = Path(root).relative_to(folder).as_posix() + "/"
            for name in (inside.removeprefix("./") + one for one in names):
                if name not in own:
                    with open(folder / name, "rb", buffering=0) as file:
                        self.files[name] = sha(file.read()).hex()

    def _read(self) -> None:
        # `immutable`: SQLite takes no lock and makes no side file, so a finished folder stays as it is, byte for byte.
        still = self.finished or not any((self.folder / name).exists() for name in DATABASE[1:])
        uri = f"{(self.folder / 'ledger.db').absolute().as_uri()}?mode=ro" + ("&immutable=1" if still else "")
        last: dict[str, str] = {}  # run -> leaf of its last event
        with closing(sqlite3.connect(uri, uri=True, timeout=30)) as database:
            database.text_factory = bytes
            database.execute("BEGIN")  # one view, whatever a running study appends meanwhile
            size, root, schema = database.execute("SELECT size, root, schema FROM head").fetchone()
            if schema != b"netgain.ledger/1":
                self.newer = f"ledger {schema.decode()!r}: take the verify.py of the netgain that wrote it"
                return
            rows = database.execute("SELECT * FROM events ORDER BY seq").fetchall()
            self.two = self.two and len(rows) >= MANY
            for at, (row, event, known) in enumerate(with_events(rows, self.two)):
                own, data = event.get("run") or "", event.get("data")
                wrong = self._odd(at, row, event, own, last.get(own), known)
                need(not wrong, wrong)
                last[own], entry, kind = row[4].hex(), Entry(at, own, data), event["kind"]
                self.leaves.append(row[4])
                for among in (self.entries, self.kinds[kind], self.kinds[kind, own], self.told[own]):
                    among.append(entry)
                if own and isinstance(data.get("row"), dict):
                    self.rows[own] = data["row"]
            need(size == len(self.entries), f"ledger.db: head says {size} entries, found {len(self.entries)}")
            self.head = tree_head(self.leaves)
            need(root == self.head.encode(), f"ledger.db: tree head of {size} entries")
            held = {key.decode(): json.loads(row) for key, row in database.execute("SELECT run, row FROM rows")}
            need(held == self.rows, "ledger.db: table rows is not what the events imply")
        self.replicas = sorted(entry.data["replica"] for entry in self.of("replica_enrolled"))
        for entry in self.of("claim_registered")[:1]:
            self.record = entry.data
            self.axes = {axis["name"]: axis for axis in self.record["contract"]["suite"]["axes"]}

    def _odd(self, at: int, row: Sequence[Json], event: Record, own: str, before: str | None, known: bool) -> str:
        """What is wrong with one entry; "" for nothing. All is looked at together, words are made only when needed."""
        seq, run, kind, body, leaf = row
        named = (event.get("kind", "").encode(), own.encode())
        linked = event.get("prev") == before and event.keys() == {"kind", "run", "prev", "time", "data"}
        fits = seq == at and sha(b"\x00" + body) == leaf and linked and (kind, run) == named
        if fits and (known or canonical(event) == body):
            return ""
        tests = [
            (seq == at, f" is missing: found seq {seq!r}"),
            (sha(b"\x00" + body) == leaf, ": the body does not have its leaf hash"),
            (event.keys() == {"kind", "run", "prev", "time", "data"}, ": not a leaf object"),
            (canonical(event) == body, ": the body is not canonical JSON"),
            ((kind, run) == named, ": columns differ from the body"),
        ]
        told = f": not after the last event of {own or 'the study'}"
        return f"ledger.db, seq {at}" + next((words for holds, words in tests if not holds), told)

    def of(self, kind: str, run: str | None = None, *, lacking: str = "") -> list[Entry]:
        need(not lacking or self.kinds[kind], lacking, None)
        return self.kinds[kind if run is None else (kind, run)]

    def limits(self, run: str) -> Record:
        """Limits that were in force when a run did its last stage."""
        under = in_force(self, self.of("stage_done", run)[-1].seq)
        held: Record = under["contract"].get("limits", {}) if "epoch" in under else self.record["study"]["limits"]
        return held

    def runs(self, replica: int, arm: str) -> dict[str, Record]:
        return {run: row for run, row in self.rows.items() if (row["replica"], row["arm"]) == (replica, arm)}

    def mode(self, run: str) -> str:
        """Gate mode of a run: that of the plan, unless its arm defines another; plain training has no gate."""
        pieces, plan = self.rows[run]["arm"].split("+"), self.record["contract"]["gate"]  # `random_gate`: the plan's
        return "watch" if "ungated" in pieces else "none" if "ordinary" in pieces else str(plan["mode"])

    def binds(self, run: str, name: str, action: str) -> bool:
        """Whether an alarm acts in a run: in no arm without a gate; pausing and halting bind the loop alone."""
        row = self.rows[run]
        loose = {"ungated", "ordinary", f"unguarded:{name}", f"unguarded:{name}.stop", "stop:off"}
        free = action == "watch" or loose & {*row["arm"].split("+")}
        return not free and (action not in ("pause", "halt") or row["arm"] == "self")

    def keys(self) -> list[tuple[int, str]]:
        """(entries, key) that sign the log: the registered one, and each that took over by an entry."""
        given = [(0, self.record["log_key"])] if "log_key" in self.record else []
        return given + [(entry.seq + 1, entry.data["new"]) for entry in self.of("key_rotated")]

    def key_at(self, size: int) -> str:
        """The key that signs a log of so many entries."""
        return str([key for since, key in self.keys() if since <= size][-1])

    def origin(self) -> str:
        """Name of the log in its checkpoints."""
        return f"netgain/{digest([self.record['claim_digest'], self.record['secret_sha256']])[:32]}"

    def checkpoint(self, text: str) -> tuple[int, str]:
        """Size and head (hex) that a checkpoint of this log says."""
        said, size, root, *more = [*text.split("\n"), "", ""]
        well = said == self.origin() and re.fullmatch("[1-9][0-9]{0,17}", size) and more == ["", "", ""]
        need(well, f"{text[:80]!r} is no checkpoint of the log {self.origin()!r}")
        return int(size), base64.b64decode(root, validate=True).hex()

    def waived(self, run: str) -> list[str]:
        """Guards whose tests bind nothing in a run: those that its arm names as `unguarded:AXIS` or `.gate`."""
        guards = [one["axis"] for one in self.record["contract"]["gate"]["guards"]]
        named = [piece.removesuffix(".gate") for piece in self.rows[run]["arm"].split("+")]
        return sorted({piece[10:] for piece in named if piece.startswith("unguarded:") and piece[10:] in guards})


# --- Files, log, registration, contract ------------------------------------------------------------------------------
def files(study: Study) -> str:
    """Every file of the folder is in study.sha256 with the digest that it has."""
    need(study.finished, "study.sha256 is not written: the study is not finished", None)
    text = (study.folder / "study.sha256").read_bytes()
    ours = [os.fsencode(f"{found}  {name}\n") for name, found in sorted(study.files.items())]
    odd = {line[66:].strip().decode(errors="replace") for line in {*text.splitlines(keepends=True)} ^ {*ours}}
    told = [f"{name!r} ({'changed' if name in study.files else 'missing'})" for name in sorted(odd)]
    need(text == b"".join(ours), f"changed, missing or not listed: {', '.join(told[:9]) or 'the order'}")
    return f"{len(ours)} files have the digests of study.sha256"


def log(study: Study) -> str:
    """Every leaf, every run's chain, the tree head, and the rows derived from the events."""
    need(not study.fault and not study.newer, study.fault or study.newer)
    return f"{len(study.entries)} entries, tree head {study.head}"


def registration(study: Study) -> str:
    """The claim came first and once, has the digest that it says, and fixed files, root, secret and used items."""
    data, (seq, *again) = study.record, [entry.seq for entry in study.of("claim_registered")]
    need(not again, f"seq {again[:1]}: a second claim is registered")
    for entry in study.of("stage_started") + study.of("stage_done"):
        need(entry.data["round"] < 1 or entry.seq > seq, f"seq {entry.seq}: a round before the claim (seq {seq})")
    covered = {name: data[name] for name in ("claim", "study", "contract_digest")}
    need(data["contract_digest"] == digest(data["contract"]), f"seq {seq}: contract digest")
    need(data["claim_digest"] == digest(covered), f"seq {seq}: claim digest")
    for name in ("claim.toml", "netgain.toml", "policy.toml"):  # netgain.toml also has limits, which an epoch may move
        held = in_force(study, math.inf)["files"] if name == "netgain.toml" else data["files"]
        need(held.get(name) == study.files.get(name), f"{name}: not the registered file (seq {seq})")
    drawn = sha(f"{data['claim_digest']}{data['root_bits']}".encode()).hex()
    need(data["given_root"] or data["root"] == drawn, f"seq {seq}: root is not of claim digest and random bits")
    plan = data["contract"]["gate"]
    judged = [plan["axis"], *(guard["axis"] for guard in plan["guards"])]
    banks = {axis for axis in judged if from_list(study.axes[axis])}
    need(data["exposure"].keys() == banks, f"seq {seq}: what was asked before is not said of {banks}")
    for axis, one in data["exposure"].items():
        wrong = differs(used(one), one["log_raise"], f"seq {seq}: nats for used items of {axis!r}")
        need(not wrong, wrong)
    committed = {entry.data["look"]: entry.data for entry in study.of("secret_committed")}  # of further looks
    for entry in study.of("secret_revealed"):
        wanted = committed.get(entry.data["look"], data)
        secret = sha(bytes.fromhex(entry.data["secret"])).hex()
        need(secret == wanted["secret_sha256"], f"seq {entry.seq}: the secret is not the one committed to")
    return f"claim {data['claim_digest']} registered at seq {seq}, before generation 1"


def signatures(study: Study) -> str:
    """Every checkpoint is a head of this log, and the last one of every key, and every change of keys, is signed."""
    text, keys, sizes = study.noted.decode(), study.keys(), dict[int, str]()
    if not keys:
        need(not text, "checkpoints.txt is there, and the claim was registered without a key")
        return "nothing is signed: the claim was registered without a key"
    for entry, before in zip(study.of("key_rotated"), keys, strict=False):
        ((body, lines),) = notes(entry.data["note"])
        wanted = f"netgain.key-rotation/1\n{study.origin()}\n{before[1]}\n{entry.data['new']}\n"
        both = [signed_by(key, body, lines) for key in (before[1], entry.data["new"])]
        need(body == wanted and all(both), f"seq {entry.seq}: a change of keys that not both keys have signed")
    parts = text.split("\n\n")
    whole = text if study.finished else "\n\n".join(parts[: (len(parts) - 1) // 2 * 2])  # a run is writing the rest
    found = notes(whole)
    for body, _ in found:
        size, root = study.checkpoint(body)
        need(size > next(reversed(sizes), 0), f"checkpoints.txt: a checkpoint of {size} entries behind a later one")
        sizes[size] = root
    heads = tree_heads(study.leaves, {*sizes})
    for size, root in sizes.items():
        need(heads.get(size) == root, f"checkpoints.txt: the log of {size} entries has another head than was signed")
    last = {study.key_at(size): (size, *note) for size, note in zip(sizes, found, strict=True)}
    for key, (size, body, lines) in last.items():
        need(signed_by(key, body, lines), f"checkpoints.txt: the one of {size} entries is not signed by its key")
        study.covered = size
    by = ", ".join(key.rpartition("+")[0] for _, key in keys)
    reach = f"signed up to entry {study.covered} of {len(study.leaves)} by {by}"
    return f"{len(found)} checkpoints are heads of this log; {reach}"


def remembered(study: Study, path: Path) -> str:
    """The log begins with what was signed when these checkpoints were taken away, and all of them are signed."""
    held, keys = notes(path.read_text("utf-8")), study.keys()
    need(held, f"{path.name} holds no checkpoint")
    need(keys, "a checkpoint was remembered, and the claim was registered without a key")
    sizes = [study.checkpoint(body) for body, _ in held]
    heads = tree_heads(study.leaves, {size for size, _ in sizes})
    for (size, root), (body, lines) in zip(sizes, held, strict=True):
        need(size <= len(study.leaves), f"{size} entries were signed, {len(study.leaves)} are here: rolled back")
        need(heads.get(size) == root, f"the first {size} entries are not the ones that were signed")
        need(signed_by(study.key_at(size), body, lines), f"the checkpoint of {size} entries is not signed by the key")
    return f"the first {max(sizes)[0]} of {len(study.leaves)} entries are those of {len(held)} remembered checkpoints"


def epoch_of(study: Study, seq: float) -> int:
    """The epoch that an entry lies in; the registered contract is epoch 0."""
    return bisect_right(study.of("epoch_opened"), seq, key=attrgetter("seq"))


def in_force(study: Study, seq: float) -> Record:
    """What the study ran under at an entry: the registration, or the record that opened the epoch."""
    at = epoch_of(study, seq)
    found: Record = study.of("epoch_opened")[at - 1].data if at else study.record
    return found


def contract(study: Study) -> str:
    """Every session of `run` had the contract of its epoch; epochs were consented to, in order, before the seal."""
    registered, sessions = study.record["contract_digest"], study.of("session")
    need(sessions or not study.of("stage_done"), "stages were done in no session")
    for entry in sessions:
        wanted = in_force(study, entry.seq)["contract_digest"]
        need(entry.data["contract_digest"] == wanted, f"seq {entry.seq}: another contract than registered")
    begun = [entry.seq for kind in ("seal_opened", "transplanted") for entry in study.of(kind)]
    for number, entry in enumerate(study.of("epoch_opened"), start=1):
        data, before, here = entry.data, in_force(study, entry.seq - 1), f"seq {entry.seq}: epoch {entry.data['epoch']}"
        need(data["epoch"] == number, f"{here} is number {number}")
        need(data["from"] == before["contract_digest"], f"{here} does not follow the contract before it")
        need(data["contract_digest"] == digest(data["contract"]), f"{here}: contract digest")
        one, other = flat(before["contract"]), flat(data["contract"])
        moved = {name: [one.get(name, "–"), other.get(name, "–")] for name in {*one, *other}
                 if one.get(name) != other.get(name)}  # fmt: skip
        moved = {name: pair for name, pair in moved.items() if name != "code" or not {"harness", "loop"} & moved.keys()}
        wrong = differs(moved, data["moved"], f"{here}: moved")
        need(not wrong and moved.keys() == data["moved"].keys(), wrong or f"{here} names parts that did not move")
        asked = [name for name in moved if name.partition(" ")[0] in QUESTION]
        same = all(before["contract"][name] == data["contract"][name] for name in ("suite", "gate", "batching"))
        need(not asked and same, f"{here} moves the question itself: {asked}")
        person = data["decided_by"] == "person" and data["by"].strip() and data["reason"].strip()
        need(person, f"{here}: no person consented with a reason")
        early = entry.seq < min(begun, default=math.inf)
        need(early, f"{here} is opened after the seal, or after improvers were moved")
    return f"contract {registered} in {len(sessions)} sessions, {len(study.of('epoch_opened'))} further epochs"


def flat(contract: Record) -> Record:
    """Name of a part of a contract -> its version, value or the beginning of its digest."""
    found: Record = {}
    nested = {"libraries": "library", "scorers": "scorer of", "limits": "limit of"}
    for name, value in contract.items():
        if name == "suite":
            found |= {f"axis {one['name']}": digest(one) for one in value["axes"]}
            found["suite"] = digest({key: one for key, one in value.items() if key != "axes"})
        elif name in nested:
            found |= {
                f"{nested[name]} {key}": one if isinstance(one, str) else f"{one:g}" for key, one in value.items()
            }
        else:
            found[name] = value if name in ("batching", "prices") else digest(value)
    return {name: one[:16] if len(one) == 64 else one for name, one in found.items()}


def from_list(axis: Record) -> bool:
    """Whether items, or the originals of twins, come from a fixed list, which may be used up."""
    source = axis["source"]
    while source["generator"] == "twins/1":
        source = source["base"]
    return bool(source["generator"] == "bank")


def used(asked: Record) -> float:
    """Nats by which a threshold rises on items that were asked before: all histories of answers, and their count."""
    queries, nats = asked["queries"], float(asked["shown_nats"])
    answers = [(asked["accepts"], queries)] if queries or nats else []
    answers += [(asked["rejects"], queries - asked["accepts"])] if asked["rejects"] else []
    for told, of in answers:
        nats += math.log(sum(math.comb(of, j) for j in range(told + 1))) + math.log(queries + 1)
    return nats


def gate_rule(study: Study, run: str, mode: str) -> Record:
    """The registered plan as it is for a run in a mode: guards that do not bind, thresholds raised for used items."""
    plan, asked = study.record["contract"]["gate"], study.record.get("exposure", {})
    nats = {axis: one["log_raise"] for axis, one in asked.items()}
    guards = [{**guard, "log_raise": nats.get(guard["axis"], 0.0)} for guard in plan["guards"]]
    own = {"mode": mode, "waived": study.waived(run), "log_raise": nats.get(plan["axis"], 0.0)}
    return {**plan, **own, "guards": guards}


# --- Items: derived again from the revealed secret -------------------------------------------------------------------
def of_bank(spec: Mapping[str, Json]) -> bool:
    """Whether items, or what they are twins of, are dealt from a list, whose gate share is cut by rounds."""
    return bool(spec["generator"] == "bank" or ("base" in spec and of_bank(spec["base"])))


def items(study: Study) -> str:
    """The items of every scored block are those that the secret and the names give; scores are numbers in [0, 1]."""
    known: set[tuple[Json, ...]] = set()
    asked: dict[tuple[Json, ...], str] = {}
    roots = {one: e.data["merkle_root"] for e in study.of("seal_opened") for one in e.data["replicas"]}
    looks = {e.data["replica"]: e.data["look"] for e in study.of("replica_enrolled")}
    secrets = {e.data["look"]: bytes.fromhex(e.data["secret"]) for e in study.of("secret_revealed")}
    specs = {name: canonical(axis["source"]) for name, axis in study.axes.items()}
    sources = {name: sha(spec).hex()[:16] for name, spec in specs.items()}
    for entry in study.of("scores"):
        data, spec, here = entry.data, study.axes[entry.data["axis"]]["source"], f"seq {entry.seq}"
        under, wanted = (data["contract"], data["epoch"]), in_force(study, entry.seq)["contract_digest"][:16]
        need(under == (wanted, epoch_of(study, entry.seq)), f"{here}: scored under contract and epoch {under}")
        need(data["source"] == sources[data["axis"]], f"{here}: items are not from the source of axis {data['axis']!r}")
        wrong = odd_score(data["values"], data["status"])
        need(not wrong, f"{here}: {wrong}")
        if study.axes[data["axis"]].get("group"):  # one score for all items of a cluster
            told: dict[str, Json] = {}
            named = enumerate(zip(data.get("clusters", []), data["values"], strict=False))
            split_up = [place for place, (of, value) in named if told.setdefault(of, value) != value]
            need(not split_up, f"{here}: item {split_up[:1]} has another score than its cluster")
        if spec["generator"] == "strings/1":
            replica = study.rows[entry.run]["replica"]
            if data["split"] in ("sealed", "transplant"):  # the sealed block is also asked what moved improvers made
                key = sha(f"seal|{study.record['claim_digest']}|{roots[replica]}|{replica}".encode())
            else:
                need(looks[replica] in secrets, "the secret is not revealed: the study is not finished", None)
                key = secrets[looks[replica]]
            split = "sealed" if data["split"] == "transplant" else data["split"]
            prefix = f"{split}|{data['source']}|{data['key']}|"
            mixed = data["split"] == "gate"  # its lengths come in an order that nobody can tell in advance
            block = (specs[data["axis"]], key, prefix, data["start"], len(data["values"]), mixed)
            known.add(block)
            need(data["items"] == derived(*block), f"{here}: items of {data['split']} block {data['key']!r}")
        shard = data["round"] if data["split"] == "gate" and of_bank(spec) else None  # a pair may be met in two rounds
        same = (data["split"], data["source"], data["key"], data["start"], len(data["values"]), shard)
        need(asked.setdefault(same, data["items"]) == data["items"], f"{here}: another run was asked other items")
    own = sorted(name for name, axis in study.axes.items() if axis["source"]["generator"] != "strings/1")
    return f"{len(known)} blocks of items derived again; items of own code or files, not derived: {own or 'none'}"


@lru_cache(maxsize=4096)
def derived(spec: bytes, key: bytes, prefix: str, start: int, count: int, mixed: bool) -> str:
    """Digest of the items of one block, whose generator is given as canonical JSON."""
    source, span = json.loads(spec), range(start, start + count)
    seeds = [(i, hmac.digest(key, f"{prefix}{i}".encode(), "sha256").hex()) for i in span]
    return digest([draw(source, seed, int(seed[:8], 16) if mixed else i) for i, seed in seeds])


def odd_score(values: Column, status: Record) -> str:
    """What is no score in a sheet: neither a number in [0, 1] nor null with its reason; "" when all are."""
    there = [value for value in values if value is not None]
    odd = [str(i) for i, one in enumerate(values) if one is None] if len(there) < len(values) else list[str]()
    odd = sorted({*odd} ^ status.keys())  # null without a reason, or a reason beside a score
    if {*map(type, there)} - {int, float} or not 0 <= min(there, default=0) <= max(there, default=0) <= 1:
        plain = [one is None or (type(one) in (int, float) and 0 <= one <= 1) for one in values]
        odd = [str(plain.index(False))]
    return f"score {dict(enumerate(values)).get(int(odd[0]), 'beyond the block')!r} of item {odd[0]}" if odd else ""


def measures(study: Study) -> str:
    """Every round's measurement scored, once, what the run then had on the whole report block (and anchor block)."""
    sheets: dict[tuple[Json, ...], Entry] = {}
    for entry in (entry for entry in study.of("scores") if entry.data["split"] in ("report", "anchor")):
        if entry.data["role"] == "bridge":  # asked once more for a new epoch: see `bridges`
            continue
        place = (entry.run, *(entry.data[name] for name in ("round", "split", "axis", "role")))
        need(place not in sheets, f"seq {entry.seq}: {entry.run} was measured twice in round {entry.data['round']}")
        sheets[place] = entry
    found = len(sheets)
    for entry in (entry for entry in study.of("stage_done") if entry.data["stage"] == "measure"):
        row, at, start = entry.data["row"], entry.data["round"], f"r{entry.data['row']['replica']}"
        asked = [("report", role, f"{start}|k{at}") for role in ("working", "released")]
        asked += [("anchor", "anchor", start)] if row["arm"] == "frozen" else []
        twice = (entry.run, at, "anchor", next(iter(study.axes)), "again") in sheets  # older records have none
        asked += [("anchor", "again", start)] if twice and row["arm"] == "frozen" and at == 0 else []
        for axis, spec in ((name, axis) for name, axis in study.axes.items() if axis["report_items"]):
            for split, role, key in asked:
                place, what = (entry.run, at, split, axis, role), f"{split} scores of {role} on {axis!r} in round {at}"
                need(place in sheets, f"seq {entry.seq}: {entry.run} has no {what}")
                sheet = sheets.pop(place)
                size = len(sheet.data["values"]) if from_list(spec) else spec["report_items"]
                wanted = {"system": row["anchor" if role == "again" else role], "key": key, "start": 0, "values": size}
                ours = {**sheet.data, "values": len(sheet.data["values"])}
                wrong = differs(wanted, ours, f"seq {sheet.seq}: {split} scores:")
                need(not wrong, wrong)
    need(not sheets, f"report or anchor scores of no measurement: {[*sheets][:1]}")
    return f"{found} blocks of report and anchor items, whole and of the systems that the runs then had"


def bridges(study: Study) -> str:
    """Before anything was done in an epoch, every run's last measured systems were asked again on the same items."""
    kinds = ("epoch_opened", "epoch_bridged", "stage_started", "scores")
    pending, pairs = 0, dict[tuple[str, str, str], list[Record]]()  # (run, axis, which system) -> [old, new]
    latest: dict[tuple[str, str, str], Record] = {}
    for seq, kind, entry in sorted((e.seq, name, e) for name in kinds for e in study.of(name)):
        data, run, here = entry.data, entry.run, f"seq {seq}: {entry.run or 'epoch'}"
        if kind == "epoch_opened":
            pending, pairs = data["epoch"], {}
        elif kind == "epoch_bridged":
            need(data["epoch"] == pending, f"{here} is bridged when none was opened")
            left = [" ".join(one) for one, old in latest.items() if old["epoch"] < pending]
            need(not left, f"{here}: its bridge leaves out {left[:1]}")
            wrong = differs([*_stated(pairs)], data["change"], f"{here}: the change of the measuring:")
            parted = {", ".join(one): why for one, pair in pairs.items() if (why := _gap(*pair))}
            ours = {**_unmeasured(study), **parted}
            wrong = wrong or differs(ours, data["unbridged"], f"{here}: what is not bridged:")
            whole = not wrong and ours.keys() == data["unbridged"].keys()
            need(whole, wrong or f"{here} says what else is not bridged")
            pending = 0
        elif kind == "stage_started":
            need(not pending, f"{here}: a stage of epoch {pending} before its bridge")
        elif data["role"] == "bridge":
            need(pending, f"{here}: a bridge with no epoch to open")
            same = [(run, data["axis"], which) for which in ("generation 0", "released")]
            same = [one for one in same if one in latest and _again(latest[one], data)]
            need(same and latest[same[0]]["epoch"] < pending, f"{here}: not what was measured before, or bridged twice")
            pairs[same[0]] = [latest[same[0]], data]
            latest |= dict.fromkeys(same, data)
        elif data["split"] == "anchor" and data["role"] == "anchor":
            latest[run, data["axis"], "generation 0"] = data
        elif data["split"] == "report" and data["role"] == "released":
            latest[run, data["axis"], "released"] = data
            if data["round"] == 0:
                latest.setdefault((run, data["axis"], "generation 0"), data)
    bridged, opened = (len(study.of(kind)) for kind in ("epoch_bridged", "epoch_opened"))
    return f"{bridged} of {opened} further epochs have a bridge, computed again"


def _again(old: Record, new: Record) -> bool:
    """Whether two sheets are of one system on one block, asked and answered in full."""
    same = all(old[name] == new[name] for name in ("split", "round", "key", "start", "items", "system"))
    return same and len(old["values"]) == len(new["values"])


def _unmeasured(study: Study) -> dict[str, str]:
    plan, why = study.record["contract"]["gate"], "no report items: nothing was measured that could be measured again"
    names = [plan["axis"], *(one["axis"] for one in plan["guards"]), study.record["claim"]["metric"]]
    return {f"axis {name}": why for name in names if not study.axes[name]["report_items"]}


def _gap(old: Record, new: Record) -> str:
    """Why a system is not bridged: over 5 % of its items, or all but one, have a score under the old contract only."""
    there = [(i, b) for i, (a, b) in enumerate(zip(old["values"], new["values"], strict=True)) if a is not None]
    gone = trained(new)
    lost, paired = sum(b is None and i not in gone for i, b in there), sum(b is not None for _, b in there)
    if lost > 0.05 * len(there):
        return f"{lost} of {len(there)} items have a score under the old contract only"
    return "" if paired >= 2 else f"{paired} items have a score under both contracts, at least 2 are needed"


def _stated(pairs: Mapping[tuple[str, str, str], Sequence[Record]]) -> Iterator[Record]:
    """Mean of new - old for every axis and kind of system, with its interval; systems on one block averaged by item."""
    for axis, which in sorted({(axis, which) for _, axis, which in pairs}):
        blocks: dict[str, dict[str, list[float | None]]] = defaultdict(dict)
        for old, new in (pair for (_, *kind), pair in pairs.items() if kind == [axis, which]):
            blocks[old["items"]][new["system"]] = minus(new["values"], old["values"])
        every = [mean(column) for block in blocks.values() for column in zip(*block.values(), strict=True)]
        gaps = [one for one in every if one is not None]
        ends = (least_mean(gaps, 0.025), -least_mean([-one for one in gaps], 0.025)) if gaps else (None, None)
        numbers = {"mean": mean(gaps), "low": ends[0], "high": ends[1], "items": len(every), "paired": len(gaps)}
        yield {"axis": axis, "of": which, **numbers}


@cache
def symbols_of(count: int) -> tuple[bytes, bytes]:
    """Table from byte to place among `count` symbols; bytes of the incomplete last cycle, which are dropped."""
    return bytes(byte % count for byte in range(256)), bytes(range(256 - 256 % count, 256))


def draw(spec: Record, seed: str, index: int) -> list[str]:
    """Generator strings/1: [input, target] of one item."""
    length, symbols, end = spec["lengths"][index % len(spec["lengths"])], spec["symbols"], spec["separator"]
    times, adds = 1 + (spec["form"] == "doubled"), spec["task"] == "addition"
    table, dropped = symbols_of(len(symbols))
    stream, places, each = b"", b"", length // times
    while len(places) <= each * (1 + adds):  # SHA-256(seed | 0), SHA-256(seed | 1), ... until one is left over
        stream += sha(f"{seed}|{len(stream) // 32}".encode())
        places = stream.translate(table, dropped)
    drawn = "".join([symbols[place] for place in places[: each * (1 + adds) + 1]])
    words = [times * drawn[start : start + each] for start in range(0, each * (1 + adds), each)]
    target = words[0][::-1] if spec["task"] == "reverse" else words[0]
    if adds:  # the least significant digit comes first
        target = str(sum(int(word[::-1]) for word in words)).zfill(length + 1)[::-1]
    if spec["form"] == "dice":
        target = drawn[-1]
    if spec["form"] == "malformed":  # no separator, or one foreign symbol: the next two bytes, dropped ones included
        used = next(n for n in range(len(stream)) if len(stream[:n].translate(None, dropped)) == each * (1 + adds))
        byte, target = stream[used], "!"
        place, end = byte % length, end if byte % 2 else ""
        words[0] = f"{words[0][:place]}#{words[0][place + 1 :]}" if byte % 2 else words[0]
    return ["+".join(words) + end, target]


# --- Runs: every row follows from the one before ---------------------------------------------------------------------
def half_of(study: Study) -> int:
    """The round whose released system is listed for the late value."""
    return (int(study.record["study"]["rounds"]) + 1) // 2


def runs(study: Study) -> str:
    """Every run that was registered is there and no other, and each of its rows follows from the one before."""
    data, expected = study.record["study"], set[str]()
    for arm in (name for name in data["arms"] if name not in data["untestable"]):
        expected |= {f"{arm}.{entry}" for entry in data["menu"]} if "ordinary" in arm.split("+") else {arm}
    for entry in study.of("replica_enrolled"):
        need({*entry.data["arms"]} == expected, f"seq {entry.seq}: start {entry.data['replica']} enrols other runs")
    names = {f"r{replica}/{name}" for replica in study.replicas for name in expected}
    need(
        names == study.rows.keys(), f"runs that are missing or not registered: {sorted(names ^ study.rows.keys())[:3]}"
    )
    for run in study.rows:
        _follow(study, run)
    for replica in study.replicas:
        made = {row["anchor"] for row in study.rows.values() if row["replica"] == replica} - {None}
        need(len(made) < 2, f"the arms of start {replica} have different generations 0")
    return f"{len(names)} runs, {len(study.of('stage_done'))} stages, each after the row before"


def _follow(study: Study, run: str) -> None:
    """One run: stages in order, pointers moved by decisions, spend added up, ended where it may end."""
    before = study.of("run_started", run)[0].data["row"]
    proposed = {entry.data["round"] for entry in study.of("decision", run)}
    pieces = before["arm"].split("+")
    opened = {*study.record["study"]["surfaces"]} - {one[8:] for one in pieces if one.startswith("without:")}
    for entry in study.of("decision", run):
        need(entry.data["surface"] in opened, f"seq {entry.seq}: a closed surface")
        aided = "unaided" in pieces and entry.data["decided_by"] == "person"
        need(not aided, f"seq {entry.seq}: a person decided in {run}")
    served = {before["released"]}  # what a rollback may go back to
    said = {kind: by_round(study.of(kind, run)) for kind in ("gate_decision", "watched", "probation")}
    for entry in sorted([*study.of("stage_done", run), *study.of("rollback", run)], key=lambda one: int(one.seq)):
        if "to" in entry.data:  # a rollback, to what the run had released; what was begun is given up
            moved = dict.fromkeys(("working", "released"), entry.data["system"])
            moved |= {"stage": "measure", "round": before["round"], "restores": before["restores"] + 1}
            wrong = differs(moved, entry.data["row"], f"seq {entry.seq}: {run}, rollback:")
            need(not wrong and moved["released"] in served, wrong or f"seq {entry.seq}: {run} never released that")
            told = {(e.data["round"], e.data.get("locus"), e.data["decided_by"]) for e in study.of("decision", run)}
            noted = (before["round"], "rollback", "person") in told
            need(noted, f"seq {entry.seq}: {run}, rollback: no decision of a person is on record")
            before = entry.data["row"]
            continue
        data, row, here = entry.data, entry.data["row"], f"seq {entry.seq}: {run}, {entry.data['stage']}"
        at = (before["stage"], before["round"])
        need(data["key"] == digest([run, before]) and (data["stage"], data["round"]) == at, f"{here}: out of order")
        wrong = differs(_pointers(said, study.mode(run), before, data, here), row, f"{here}: the row's")
        need(not wrong, wrong)
        if data["stage"] == "propose" and not data["out"].get("lost"):
            need(data["round"] in proposed, f"{here} has no decision record")
            channel = next(
                (one for one in before["arm"].split("+") if one in ("placebo", "oracle", "shuffled")), "true"
            )
            need(data["out"]["channel"]["channel"] == channel, f"{here}: the feedback's channel is not {channel!r}")
        for phase in ("build", "answer"):
            spent, held = data["spend"][phase], before[phase]
            pairs = {unit: (held[unit], spent[unit]) for unit in held} if held and spent else {}
            both = {unit: None if None in pair else sum(pair) for unit, pair in pairs.items()}
            wrong = differs(both or spent or held, row[phase], f"{here}: {phase}")
            need(not wrong, wrong)
        before = row
        served.add(row["released"])
    if before["stage"] == "done":
        _ended(study, run, before)


def _ended(study: Study, run: str, row: Record) -> None:
    """A run is over at its horizon, without a generation 0, or where the budget of its loop ended."""
    end, loop = row["end"], run if row["arm"] == "self_again" else f"r{row['replica']}/self"
    limits, own = study.limits(loop), study.rows[loop]
    halts = [e.data for e in study.of("watched", run) if e.data["acted"] == "halt"]
    if halts and (halts[-1]["round"], end) == (row["round"], f"halted by the monitor {halts[-1]['by']}"):
        return
    first = study.rows[f"r{row['replica']}/self"]
    if run != f"r{row['replica']}/self" and (first["round"], first["end"]) == (row["round"], end):
        return  # a control ends with its loop
    used = [own["build"][unit] for unit in limits if f"budget of {unit} used up" == end and own["end"] == end]
    fair = row["round"] == study.record["study"]["rounds"] if end == "planned length reached" else row["anchor"] is None
    need(fair or (used and used[0] >= limits[end.split()[2]]), f"{run}: ended in round {row['round']}: {end}")


def by_round(entries: Sequence[Entry]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = defaultdict(list)
    for entry in entries:
        found[entry.data["round"]].append(entry.data)
    return found


def _pointers(said: Record, mode: str, before: Record, data: Record, here: str) -> Record:
    """What a stage leaves: generation 0, working and released system, candidate, rollbacks so far."""
    now = {name: before[name] for name in ("anchor", "working", "released", "candidate", "restores")}
    out, told = data["out"], {kind: each.get(data["round"], []) for kind, each in said.items()}
    if out.get("lost"):
        return {**now, "candidate": None}
    if data["stage"] == "start":
        return now | dict.fromkeys(("anchor", "working", "released"), out["system"])
    if data["stage"] == "build":
        return {**now, "candidate": out["candidate"]}
    if data["stage"] == "probation":  # why it went back is looked at under probation
        back = [one for one in told["probation"] if one["acted"]]
        gone = dict.fromkeys(("working", "released"), back[0]["before"]) if back else {}
        return {**now, **gone, "restores": before["restores"] + len(back)}
    if data["stage"] != "apply":
        return now
    if before["verdict"] in ("denied", "expired"):  # nothing moves; that it was, is looked at under approvals
        return {**now, "candidate": None}
    acted = [one["acted"] for one in told["watched"]]
    held = [HELD[one] for one in acted if one in HELD]  # a monitor kept it from the gate, also from one that watches
    found = held or [effective(one) for one in told["gate_decision"]]
    need(found or mode == "none", f"{here}: no gate decision")
    if mode == "none" or (mode == "watch" and not held) or found[0] == "promote":
        moved = {"working": before["candidate"], "released": before["candidate"]}
    elif mode == "strict":
        moved = {"working": before["released"]}
    elif found[0] == "reject":
        moved = {"working": before["released"], "restores": before["restores"] + 1}
    else:
        moved = {} if found[0] == "dropped" else {"working": before["candidate"]}
    return {**now, **moved, "candidate": None}


def effective(decision: Record) -> str:
    """What a decision does: where promotions are drawn, one that was not drawn is undecided; harm is undone."""
    said, drawn = str(decision["outcome"]), decision.get("drawn")
    return said if drawn is None else "promote" if drawn else "undecided" if said == "promote" else said


def lots(study: Study, run: str) -> set[int] | None:
    """Rounds in which `random_gate` promotes: as many as `self` had, the ones with the smallest streams."""
    row, root = study.rows[run], study.record["root"]
    if "random_gate" not in row["arm"].split("+"):
        return None
    first = f"r{row['replica']}/self"
    count = sum(entry.data["receipt"] is not None for entry in study.of("gate_decision", first))
    ran = range(1, study.rows[first]["round"] + 1)
    lot = {k: sha(f"stream|{root}|{row['replica']}|{k}|judge|draw|{row['arm']}".encode())[:16] for k in ran}
    return {*sorted(ran, key=lambda k: lot[k])[:count]}


# --- Monitors: what each said follows from its number, what was done from what was said -----------------------------
def watched(study: Study) -> str:
    """Every registered monitor looked at every candidate that the gate was to see, or is on record as unable to."""
    told = study.record["study"].get("monitors", [])
    due = {(e.run, e.data["round"]): e for e in study.of("stage_done") if e.data["stage"] == "watch"}
    seen = {(entry.run, entry.data["round"]): entry for entry in study.of("watched")}
    need(due.keys() == seen.keys() and len(seen) == len(study.of("watched")), "watched: not one record per stage watch")
    for entry in study.of("gate_decision"):
        need(not told or (entry.run, entry.data["round"]) in seen, f"seq {entry.seq}: a candidate no monitor looked at")
    frozen: dict[str, dict[str, int]] = defaultdict(dict)  # run -> monitor whose freeze stands -> epoch of its alarm
    drifts = {one["name"] for one in told if one["reads"].partition(".")[0] == "sentinel"}
    for (run, at), entry in sorted(seen.items(), key=lambda one: one[1].seq):
        here, data = f"seq {entry.seq}: {run}, round {at}", entry.data
        names = [one["monitor"] for one in data["signals"]]
        ours = _checked(study, run, at) | _metered(study, run, at) | _canaries(study, run, at)
        ours |= _planted(study, run, at)
        wrong = differs(ours, data["vitals"], f"{here}: vitals:")
        more = {"quarantined", "metering"} & (data["vitals"].keys() - ours.keys())
        wrong = wrong or (f"{here}: nothing on record gives its {min(more)}" if more else "")
        wrong = wrong or differs([one["name"] for one in told], names, f"{here}: monitors:")
        need(not wrong, wrong)
        for rule, said in zip(told, data["signals"], strict=True):
            need(said["action"] == rule["action"], f"{here}: {rule['name']} acts otherwise than registered")
            value, edge = said["value"], rule["threshold"]
            beyond = None if value is None else value >= edge if rule["direction"] == "at_least" else value < edge
            excused = value is not None or (
                rule["reads"] in ("step", "since_start") and rule["reads"] not in data["vitals"]
            )
            quiet = said["alarm"] is False and said["reason"] and excused  # unproven, or nothing was decided before
            agreed = quiet or (said["alarm"] is beyond and (value is not None or said["reason"]))
            need(agreed, f"{here}: {rule['name']} says {said['alarm']}, computed {beyond}")
        asked = [(said["action"], said["monitor"]) for said in data["signals"] if said["alarm"] is not False]
        epoch = epoch_of(study, entry.seq)
        asked += [("freeze", name) for name, since in frozen[run].items() if name not in drifts or since == epoch]
        need(data.get("epoch", 0) == epoch, f"{here}: looked at in epoch {data.get('epoch', 0)}, not {epoch}")
        drifted = any(said["alarm"] and said["monitor"] in drifts for said in data["signals"])
        parts = flat(in_force(study, entry.seq)["contract"]) if "moved" in data else {}
        known = all(name in parts or name.startswith("library ") for name in data.get("moved", ()))
        need(known and ("moved" in data) == drifted, f"{here}: a drift names what moved, and nothing else does")
        bound = [
            (ACTIONS.index(what), -n, name) for n, (what, name) in enumerate(asked) if study.binds(run, name, what)
        ]
        most = max(bound, default=None)
        acted = (ACTIONS[most[0]], most[2]) if most else (None, None)
        need(acted == (data["acted"], data["by"]), f"{here}: did {data['acted']!r}, computed {acted[0]!r}")
        if most and acted[0] == "freeze":
            if most[2] in drifts and frozen[run].get(most[2]) != epoch:  # one of an earlier epoch is over
                frozen[run].pop(most[2], None)
            frozen[run].setdefault(most[2], epoch)
    return f"{len(seen)} candidates looked at by {len(told)} monitors"


def _checked(study: Study, run: str, at: int) -> Record:
    """Where a run stood, what the checks of its loop kept, how much of what passed outside truth calls right."""
    built = [e.data["row"] for e in study.of("stage_done", run) if (e.data["round"], e.data["stage"]) == (at, "build")]
    stood = {name: built[-1][name] for name in ("working", "restores")} if built else {}
    made = [e.data["out"] for e in study.of("stage_done", run) if (e.data["round"], e.data["stage"]) == (at, "propose")]
    channel = (made[-1].get("channel") or {}) if made else {}
    right = channel.get("right") or {}
    pairs = {"kept": (channel.get("kept"), channel.get("of"))}
    pairs["audit"] = (right.get("passed_right"), right.get("passed"))
    pairs["quarantined"] = (channel.get("quarantined"), channel.get("of"))
    counted = [(name, hits, asked) for name, (hits, asked) in pairs.items() if hits is not None and asked]
    return stood | {name: {"hits": hits, "asked": asked} for name, hits, asked in counted}


def _metered(study: Study, run: str, at: int) -> Record:
    """Seconds and what was booked for them, of the round and of generation 0, in the first unit that both book."""
    done = [e.data for e in study.of("stage_done", run)]
    spends = [[one["spend"]["build"] for one in done if one["round"] == at], [one["spend"]["start"] for one in done]]
    units = ("flops", "tokens", "device_seconds")
    sides = [{unit: [one.get(unit) for one in side if one] for unit in units} for side in spends]
    known = [{unit: None if None in all_ else sum(all_) for unit, all_ in side.items()} for side in sides]
    unit = next((one for one in units[:2] if known[0][one] and known[1][one]), None)
    now, first = ({"seconds": side["device_seconds"], "booked": unit and side[unit]} for side in known)
    return {"metering": {"unit": unit, **now, "first": first}} if unit else {}


def _canaries(study: Study, run: str, at: int) -> Record:
    """What canary and gate scores show to monitors: items lost and won, drift of generation 0, the last gains."""
    told, axis = [entry.data for entry in study.of("scores", run)], study.record["contract"]["suite"]["axes"][0]["name"]
    asked = [one for one in told if one["split"] == "canary" and one["round"] <= at]
    sheets = {(one["round"], one["axis"], one["role"]): one for one in asked}
    now_under = {
        one["epoch"] for one in asked if one["round"] == at
    }  # what was seen under another contract is no "then"
    asked = [one for one in asked if one["epoch"] in now_under]
    begun = {(one["axis"], one["role"]): one for one in reversed(asked)}  # the first of each
    gate = {
        one["role"]: one["values"]
        for one in told
        if (one["split"], one["round"], one["axis"]) == ("gate", at - 1, axis)
    }
    named = {"step": ("candidate", "released"), "since_start": ("candidate", "anchor")}
    found: Record = {name: {"differences": minus(gate[a], gate[b])} for name, (a, b) in named.items() if gate}
    for name in sorted({name for when, name, _ in sheets if when == at}):
        now, first, again = (sheets[at, name, role] for role in ("candidate", "anchor", "again"))
        row = study.rows[run]
        whose = dict.fromkeys(("anchor", "again"), row["anchor"])
        whose |= dict.fromkeys(("middle", "again_middle"), row["kept_at"].get(str(half_of(study))))
        seen = {role: one for role, one in whose.items() if (at, name, role) in sheets}
        odd = [role for role, one in seen.items() if sheets[at, name, role]["system"] != one]
        need(not odd, f"{run}, round {at}: canary scores of {odd[:1]} on {name!r} are of another system")
        before, end = begun[name, "anchor"], "" if name == axis else f".{name}"
        kinds = [
            (a >= 0.5, b >= 0.5) for a, b in zip(first["values"], now["values"], strict=True) if None not in (a, b)
        ]
        lost, won = kinds.count((True, False)), kinds.count((False, True))
        both = kinds.count((True, True))
        found[f"flips{end}"] = {"lost": lost, "won": won, "both": both, "neither": len(kinds) - lost - won - both}
        late, middle = before["round"] < at, sheets.get((at, name, "middle"))
        pair = (first, before) if late else (again, first)
        moved = [minus(pair[0]["values"], pair[1]["values"])]
        if middle and begun[name, "middle"]["round"] < at and middle["system"] != first["system"]:
            moved.append(minus(middle["values"], begun[name, "middle"]["values"]))  # an item counts once, with the mean
        found[f"sentinel{end}"] = {"differences": [mean(item) for item in zip(*moved, strict=True)]}
        if any("errors" in one["options"] for one in study.record["study"]["monitors"] if "options" in one):
            roles = [("anchor", "again"), ("middle", "again_middle")][: len(moved)]
            need(all((name, role) in begun for pair in roles for role in pair), f"{run}, {name}: not asked twice")
            noise = [minus(*(begun[name, role]["values"] for role in pair)) for pair in roles]
            each = [[(a or 0.0) ** 2 / 2 for a, b in zip(*item, strict=True) if b is not None]
                    for item in zip(zip(*noise, strict=True), zip(*moved, strict=True), strict=True)]  # fmt: skip
            there = [sum(one) / len(one) ** 2 for one in each if one]
            found[f"sentinel{end}"]["then_error"] = math.sqrt(sum(there)) / len(there) if there else 0.0
        found[f"behaviour{end}"] = {"first": first["classes"], "again": again["classes"], "now": now["classes"]}
        if study.axes[name]["kind"] == "impossible":  # scores of 0 are passes of what nobody passes honestly
            passed = {"hits": now["values"].count(0), "asked": sum(one is not None for one in now["values"])}
            both = found.setdefault("cheats", {"hits": 0, "asked": 0})
            found["cheats"] = {key: both[key] + passed[key] for key in both}
            found[f"cheats.{name}"] = passed
    return found


def minus(plus: Column, less: Column) -> list[float | None]:
    """Item by item; None where either side has no score."""
    return [None if a is None or b is None else a - b for a, b in zip(plus, less, strict=True)]


# --- Receipts: nothing is released without one -----------------------------------------------------------------------
def receipts(study: Study) -> str:
    """Every move of a run's released system has the receipt of the round's one gate decision, for this very move."""
    moves = 0
    for run in study.rows:
        before, mode, decisions = "", study.mode(run), study.of("gate_decision", run)
        plans: dict[str, str] = {}  # gate mode -> digest of the plan
        decided, drawn = {entry.data["round"]: entry.data for entry in decisions}, lots(study, run)
        for entry in decisions:
            due, said = None if drawn is None else entry.data["round"] in drawn, entry.data.get("drawn")
            need(said is due, f"seq {entry.seq}: {run} says that the round's promotion was drawn: {said}, not {due}")
        need(len(decided) == len(decisions), f"gate_decision: {run} has two in one round")
        for entry in study.told[run]:
            after = (entry.data.get("row") or {}).get("released") or before
            back = "to" in entry.data or entry.data.get("stage") == "probation"  # a person's rollback, or a trial's end
            if before and after != before and mode != "none" and not back:
                here, data = f"seq {entry.seq}: {run} released {after}", decided.get(entry.data["round"], {})
                need(data.get("receipt"), f"{here} without a receipt")
                need(effective(data) == "promote" or mode == "watch", f"{here} after {effective(data)!r}")
                used = "watch" if data["outcome"] != "promote" else mode  # drawn, and the gate had not promoted
                wrong = differs({"candidate": after, "released": before, "mode": used}, data, "its decision's")
                plan = plans[used] = plans.get(used) or digest(gate_rule(study, run, used))
                ours = {"candidate_digest": after, "released_digest": before, "plan_digest": plan, "round": data["k"]}
                ours |= {name: data[name] for name in ("outcome", "level", "tests", "mode", "waived")}
                wrong = wrong or differs(ours, data["receipt"], "its receipt's")
                need(not wrong, f"{here}: {wrong}")
                moves += 1
            before = after
    return f"{moves} moves of released systems, each with its receipt"


# --- Canaries: what a study planted, named again by the revealed secret ----------------------------------------------
PARTS = (
    r"netgain-canary",
    r"([a-z0-9][a-z0-9.-]{0,39})",
    r"(\d{4}-\d\d-\d\d)",
    r"(\d{2,4})",
    r"([0-9a-f]{16})(?![0-9a-f])",
)
FOUND = re.compile(r"(?:\s|\\[nrt])+".join(PARTS).encode())  # in an object, where a line break may be written out


def canaries(study: Study) -> str:
    """Every proposal searched again for the canaries that the secret gives; what was met is what is on record."""
    rule, told, count, answers = study.record["study"].get("canaries"), study.of("canary_met"), 0, 0
    need(rule or not told, "canary_met: the study planted no canaries")
    if not rule:
        return "the study planted none"
    need(study.of("secret_revealed"), "the secret is not revealed: the study is not finished", None)
    secrets = {e.data["look"]: bytes.fromhex(e.data["secret"]) for e in study.of("secret_revealed")}
    looks = {e.data["replica"]: e.data["look"] for e in study.of("replica_enrolled")}
    for run in study.rows:
        key = hmac.digest(secrets[looks[study.rows[run]["replica"]]], b"canaries", "sha256")
        held = {(e.data["round"], e.data["stage"]): e for e in study.of("canary_met", run)}
        places = [(e.data["round"], e.data["stage"]) for e in study.of("canary_met", run) if e.data["stage"] != "seal"]
        need(len({*places}) == len(places), f"canary_met: {run} has two of a stage")
        for entry in study.of("stage_done", run):
            data, here = entry.data, f"seq {entry.seq}: {run}, {entry.data['stage']}"
            out, met = data["out"].get("canaries"), held.pop((data["round"], data["stage"]), None)
            due = data["stage"] in ("propose", "judge", "watch", "measure", "probation") and not data["out"].get("lost")
            screened = data["stage"] == "judge" and study.record["contract"]["gate"]["screen_items"] and out is None
            need((out is not None) is due or screened, f"{here}: nothing says whether canaries were looked for")
            if data["stage"] == "propose" and due:
                found = planted(study, key, data["out"]["proposal"], here)
                said = {one for one, _ in met.data["met"]} if met else set[str]()
                need(found == said, f"{here}: met canaries of {sorted(said)}, the proposal holds {sorted(found)}")
            live = met.data["documents"] if met and any(state == "live" for _, state in met.data["met"]) else 0
            need(out is None or out["hits"] == live, f"{here}: {live} documents with a live canary are on record")
        need({stage for _, stage in held} <= {"seal"}, f"canary_met: {run} in no stage: {sorted(held)[:1]}")
        if rule.get("answers") and study.rows[run]["arm"] == study.record["claim"]["arm"]:
            answers += _kept_answers(study, key, run)
        for entry in study.of("canary_met", run):
            data, here = entry.data, f"seq {entry.seq}: {run}, canaries"
            state = "live" if data["day"] <= rule["expires"] else "expired"
            need(all(one == state for _, one in data["met"]), f"{here}: {data['day']} is not {data['met'][0][1]}")
            found = planted(study, key, data["evidence"], here)
            need({one for one, _ in data["met"]} <= found, f"{here}: its evidence holds {sorted(found)}")
            _left_out(study, run, entry)
            count += len(data["met"]) * (state == "live")
    searched = f"{answers} kept answers searched again" if rule.get("answers") else "answers were not kept"
    return f"{count} canaries met, each named again by the secret; {searched}"


def _kept_answers(study: Study, key: bytes, run: str) -> int:
    """Answers to report and canary items, searched again: what they hold was shown in their call, or is on record."""
    met = [(e.data["round"], e.data["stage"], {one for one, _ in e.data["met"]}) for e in study.of("canary_met", run)]
    sheets = [e for e in study.of("scores", run) if e.data["split"] in ("report", "canary")
              and e.data["role"] != "bridge"]  # fmt: skip
    for entry in sheets:
        data, here = entry.data, f"seq {entry.seq}: {run}, kept answers"
        need("kept" in data, f"{here}: there are none")
        found = planted(study, key, data["kept"], here)
        held = json.loads((study.folder / "objects" / data["kept"][:2] / data["kept"][2:]).read_bytes())
        need(digest(held["answers"]) == data["outputs"], f"{here}: not those that were scored")
        call = [e.data for e in sheets if all(e.data[name] == data[name] for name in ("split", "round", "role"))]
        most = sum(len(one["values"]) for one in call) * (study.record["study"]["canaries"]["carried"] == "asked")
        need(len(held["shown"]) <= most, f"{here}: {len(held['shown'])} items shown in a call of {most}")
        stage = {"report": "measure", "canary": "watch"}[data["split"]]
        known = set[str]().union(held["shown"], *(items for at, of, items in met if (at, of) == (data["round"], stage)))
        need(found <= known, f"{here} hold the canaries of {sorted(found - known)[:3]}, of which nothing is on record")
    return sum(len(entry.data["values"]) for entry in sheets)


def planted(study: Study, key: bytes, name: str, here: str) -> set[str]:
    """Items whose canary an object holds: strings that nobody can make without the secret."""
    path = study.folder / "objects" / name[:2] / name[2:]
    need(study.files.get(f"objects/{name[:2]}/{name[2:]}") == name, f"{here}: object {name} is missing")
    own, day, found = f"{study.record['claim_digest'][:12]}.", study.record["study"]["canaries"]["expires"], set[str]()
    for one in FOUND.finditer(path.read_bytes()):
        release, said, group, code = (part.decode() for part in one.groups())
        head = f"{release}\n{day}\n0\n"
        place = int.from_bytes(hmac.digest(key, f"{head}planted".encode(), "sha256")) % 8
        true = hmac.digest(key, f"{head}code {place}".encode(), "sha256").hex()[:16]
        if release.startswith(own) and (said, group, code) == (day, "00", true):
            found.add(release.removeprefix(own))
    return found


def _left_out(study: Study, run: str, met: Entry) -> None:
    """What was met is scored for nobody of the run from then on: in the places where it stands in report blocks."""
    for at, places in met.data["places"].get("report", {}).items():
        axis = study.record["contract"]["suite"]["axes"][0]["name"]
        for entry in (e for e in study.of("scores", run) if e.seq > met.seq):
            data = entry.data
            if (data["split"], data["axis"], str(data["round"])) == ("report", axis, at):
                need({*places} <= trained(data), f"seq {entry.seq}: {run} is scored on items whose canary was met")


def _planted(study: Study, run: str, at: int) -> Record:
    """Documents searched since the monitors looked last, this look's included, and those with a live canary."""
    if "canaries" not in study.record["study"]:
        return {}
    done = study.of("stage_done", run)
    place = next(i for i, e in enumerate(done) if (e.data["round"], e.data["stage"]) == (at, "watch"))
    before = max((i for i, e in enumerate(done[:place]) if e.data["stage"] == "watch"), default=-1)
    counts = [e.data["out"]["canaries"] for e in done[before + 1 : place + 1] if "canaries" in e.data["out"]]
    asked = [one["searched"] for one in counts]
    return {} if None in asked else {"canary": {"hits": sum(one["hits"] for one in counts), "asked": sum(asked)}}


# --- Probation: a promoted generation beside the one before it -------------------------------------------------------
def probation(study: Study) -> str:
    """Every round of a window was looked at on new items, and went back where harm was shown or nothing could be."""
    rule, looks, backs = study.record["study"].get("probation"), 0, 0
    for run in study.rows:
        told = {entry.data["round"]: entry for entry in study.of("probation", run)}
        need(len(told) == len(study.of("probation", run)), f"probation: {run} was looked at twice in a round")
        top, since, first, base = {**study.of("run_started", run)[0].data["row"]}, 0, 0, dict[str, Json]()
        shown: dict[int, str] = {}  # round of a look -> what was then released
        for entry in sorted([*study.of("stage_done", run), *study.of("rollback", run)], key=lambda one: int(one.seq)):
            row, stage = entry.data["row"], entry.data.get("stage", "rollback")
            here, at = f"seq {entry.seq}: {run}, {stage}", entry.data["round"]
            if stage == "probation":
                need(at in told and told[at].seq < entry.seq, f"{here}: no look is on record")
                shown = {**{k: one for k, one in shown.items() if k >= first}, at: top["released"]}
                acted = _looked(study, run, told.pop(at), since, base["released"], shown)
                safe = [base[f"safe_{name}"] for name in ("position", "feedback")]
                place = [row[start + name] for start in ("", "safe_") for name in ("position", "feedback")]
                need(not acted or place == safe * 2, f"{here}: not the position in which that one was released")
                looks, backs = looks + 1, backs + acted
            if row["released"] != top["released"]:
                if stage == "apply" and (not since or at >= since + rule["rounds"] if rule else True):
                    base, first = top, at  # what is replaced is not on trial, or has stood it
                since, top = at if stage == "apply" else 0, row
            due = rule and study.mode(run) in ("strict", "advance") and since and at < since + rule["rounds"]
            due = bool(due) and stage not in ("probation", "rollback")
            if row["stage"] in ("measure", "probation"):
                need((row["stage"] == "probation") is due, f"{here}: a look is {'due' if due else 'not due'}")
        need(not told, f"probation: {run} has looks of no stage: rounds {sorted(told)}")
    return f"{looks} looks at promoted generations, {backs} taken back; registered: {rule or 'none'}"


def _looked(study: Study, run: str, entry: Entry, since: int, replaced: str, shown: Mapping[int, str]) -> bool:
    """One look again, from the scores of all looks at the one before: whether the generation goes back."""
    data, here, rule = entry.data, f"seq {entry.seq}: {run}, probation", study.record["study"]["probation"]
    plan, tests = study.record["contract"]["gate"], []
    rules = {one["axis"]: one for one in (plan, *plan["guards"])}
    scored = [e for e in study.of("scores", run) if e.data["split"] == "probation" and e.seq < entry.seq]
    sheets = {(e.data["axis"], e.data["round"], e.data["role"]): e.data for e in scored}
    start = f"r{study.rows[run]['replica']}"
    for axis, spec in rules.items():
        both: dict[str, list[Json]] = {"before": [], "released": []}
        names: list[str] = []
        for at, released in shown.items():
            for role, system in (("before", replaced), ("released", released)):
                sheet = sheets[axis, at, role]
                wanted = {"system": system, "key": f"{start}|k{at}", "start": 0}
                wrong = differs(wanted, sheet, f"{here}: scores of {role} on {axis!r}:")
                need(not wrong, wrong)
                whole = from_list(study.axes[axis]) or len(sheet["values"]) == rule["items"]
                need(whole, f"{here}: {len(sheet['values'])} of {rule['items']} items")
                both[role] += (strict(sheet) if role == "released" else sheet)["values"]
                names += sheet.get("clusters") or [] if role == "released" else []
        last = [*zip(both["before"], both["released"], strict=True)][-len(sheet["values"]) :]
        gone, level = sum(None in pair for pair in last), rule["level"] / len(rules)
        numbers = (spec["step_margin"], spec["step_margin"], level)
        record, *_ = _test({**plan, "form": "betting"}, both, names or None, True, "probation", spec, "before",
                           "released", *numbers)  # fmt: skip
        test = {name: record[name] for name in ("axis", "log_e_peak", "log_threshold", "asked", "missing")}
        test |= {"blind": gone > 0.05 * len(last) or gone == len(last)}
        tests.append({**test, "alarm": record["log_e_peak"] >= record["log_threshold"]})
    alarm = True if any(one["alarm"] for one in tests) else None if any(one["blind"] for one in tests) else False
    ours: Record = {"since": since, "first": min(shown), "released": shown[data["round"]], "before": replaced}
    ours |= {"tests": tests, "alarm": alarm}
    ours |= {"acted": alarm is not False and study.binds(run, "probation", "roll_back")}
    wrong = differs(ours, data, f"{here}: recorded")
    need(not wrong, wrong)
    return bool(ours["acted"])


# --- Policy: what people allow, and what they answered ---------------------------------------------------------------
def approvals(study: Study) -> str:
    """What waits for people moved only after enough of them agreed to this very change; the forbidden was not built."""
    allowed, counted = (study.record["study"].get("policy") or {"surfaces": {}})["surfaces"], 0
    for run in study.rows:
        said, change, before, rules = "", "", study.of("run_started", run)[0].data["row"], defaultdict(set)
        for entry in study.of("decision", run):
            rules[entry.data["round"]].add(allowed.get(entry.data["surface"]))
        people = Counter((e.data["round"], e.data["decided_by"]) for e in study.of("decision", run)
                         if e.data.get("locus") == "approval")  # fmt: skip
        for entry in study.of("stage_done", run):
            at, out, stage = entry.data["round"], entry.data["out"], entry.data["stage"]
            here, change = f"seq {entry.seq}: {run}, round {at}: {stage}", out.get("change", change)
            given = [e.data for e in study.of("approval", run) if e.seq < entry.seq and e.data["round"] == at]
            told = [(one["answer"], one["by"].casefold()) for one in given if one["change"] == change]
            agreed = {by for one, by in told if one == "approve"}
            needed = 2 if "two" in rules[at] else "one" in rules[at]
            built = stage == "build" and not out.get("lost")
            need(not built or "forbidden" not in rules[at], f"{here} of a surface that the policy forbids")
            if stage == "approve":
                counted, said = counted + 1, "approved" if len(agreed) >= needed else "expired"
                said = "denied" if "deny" in dict(told) else said
                need(needed and out["answer"] == said, f"{here}: recorded {out['answer']!r}, computed {said!r}")
                due = len(told) + (said == "expired" and "unaided" not in before["arm"].split("+"))
                need(people[at, "person"] == due, f"{here}: {people[at, 'person']} of {due} decisions are on record")
            if stage == "apply":
                fair = (said,) if said in ("denied", "expired") else ("promote", "reject", "undecided", "dropped", None)
                need(before["verdict"] in fair, f"{here} after {before['verdict']!r}, the answers say {said!r}")
                moved = {out["working"], out["released"]} - {before["working"], before["released"]}
                enough, said = before["candidate"] not in moved or len(agreed) >= needed, ""
                need(enough, f"{here}: {len(agreed)} of {needed:d} approvals of change {change[:12]}")
            before = entry.data["row"]
    return f"{counted} times people were to decide; bounds: {allowed or 'none, everything ran unattended'}"


# --- Gate: every decision again, from raw scores ---------------------------------------------------------------------
def gate(study: Study) -> str:
    """Every decision is what the registered plan says about the raw scores, and fell at the first look that could."""
    scored = [entry for entry in study.of("scores") if entry.data["split"] in ("gate", "dev")]
    splits = {"gate": "", "dev": "dev "}  # development items: of a screen
    sheets = {(e.run, e.data["round"], splits[e.data["split"]] + e.data["axis"], e.data["role"]): e for e in scored}
    need(len(sheets) == len(scored), "scores: a gate block was scored twice in one round")
    ruled: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for entry in study.of("gate_decision"):
        ruled[entry.run, entry.data["round"]].append(entry)
    for sheet in scored:
        for entry in ruled[sheet.run, sheet.data["round"]]:
            fair = epoch_of(study, entry.seq) == sheet.data["epoch"]
            need(fair, f"seq {sheet.seq}: a score of another epoch in the decision at seq {entry.seq}")
    for entry in study.of("gate_decision"):
        wrong = _decide_again(study, entry, sheets)
        need(not wrong, f"seq {entry.seq}: decision of {entry.run}, round {entry.data['round']}: {wrong}")
    moves = sum(_climbed(study, run, sheets) for run in study.rows)
    told = f"; numbers that loops were shown moved {moves} times" if "show" in study.record["contract"]["gate"] else ""
    return f"{len(study.of('gate_decision'))} decisions replayed from raw scores{told}"


def _climbed(study: Study, run: str, sheets: Mapping[tuple[str, int, str, str], Entry]) -> int:
    """How often the number moved that a run was shown: the largest gain over generation 0, by whole steps.

    It moves when a gain beats it by the registered step and by 1/sqrt(pairs) (Blum & Hardt 2015), and never else; runs
    under a gate that only watches, or whose promotions are drawn, are shown none.
    """
    plan = study.record["contract"]["gate"]
    due = "show" in plan and study.mode(run) in ("strict", "advance") and lots(study, run) is None
    moves, level, shown, decided = 0, 0, None, {entry.seq for entry in study.of("gate_decision", run)}
    for entry in study.told[run]:
        here, data = f"seq {entry.seq}: {run}", entry.data
        if entry.seq in decided:
            need(("shown" in data) is due, f"{here} is {'not ' if due else ''}shown a number, against the plan")
            if due and data["reason"] not in ("screened", "missing", "unreadable"):
                columns = [sheets[run, data["round"], plan["axis"], role].data for role in ("candidate", "anchor")]
                moved = minus(strict(columns[0])["values"], columns[1]["values"])
                gains = [one for one in moved if one is not None]
                gain, least = math.fsum(gains) / max(1, len(gains)), max(plan["show_step"], len(gains) ** -0.5)
                if gains and gain > level * plan["show_step"] + least:
                    moves, level = moves + 1, round(gain / plan["show_step"])
            shown = level * plan["show_step"] if due else None
            wrong = differs(shown, data.get("shown"), f"{here}: the number shown")
            need(not wrong, wrong)
        if "row" in data:
            wrong = differs(shown, data["row"].get("shown"), f"{here}: the number shown in its row")
            need(not wrong, wrong)
    return moves


def _decide_again(study: Study, entry: Entry, sheets: Mapping[tuple[str, int, str, str], Entry]) -> str:
    data, mode = entry.data, study.mode(entry.run)
    mode = "watch" if data.get("drawn") and data["outcome"] != "promote" else mode
    plan = gate_rule(study, entry.run, mode)
    history = [e.data for e in study.of("gate_decision", entry.run) if e.seq < entry.seq]
    confirmed = [one["outcome"] for one in history if one["reason"] != "screened"]
    k, promoted = len(confirmed) + 1, confirmed.count("promote")
    always: Record = {"mode": mode, "promoted": promoted, "waived": plan["waived"]}
    screens = plan["screen_items"] and mode == "strict" and "drawn" not in data
    if screens and (said := _screened(study, entry, plan, sheets)):
        ours: Record = {"k": 0, "level": 0.0, "harm_level": 0.0, "tests": []}
        return differs({**always, **ours, "outcome": "undecided", "reason": said}, data, "recorded")
    roles = {"candidate": data["candidate"], "released": data["released"], "anchor": study.rows[entry.run]["anchor"]}
    columns: dict[str, dict[str, Column]] = defaultdict(dict)
    clusters: dict[str, Json] = {}
    for axis in (plan["axis"], *(guard["axis"] for guard in plan["guards"])):
        for role, system in roles.items():
            sheet = sheets[entry.run, data["round"], axis, role]
            wanted = {"system": system, "key": f"{data['candidate']}|{data['released']}", "start": 0}
            wrong = differs(wanted, sheet.data, f"scores of the {role} (seq {sheet.seq}):")
            need(not wrong and sheet.seq < entry.seq, wrong or f"seq {sheet.seq}: scored after the decision")
            columns[axis][role] = (strict(sheet.data) if role == "candidate" else sheet.data)["values"]
            named = sheet.data.get("clusters")
            need(clusters.setdefault(axis, named) == named, f"seq {sheet.seq}: other clusters than of the candidate")
    level, harm = _levels(plan, k, promoted)
    asked = _asked(plan, level, harm)
    sizes = {axis: len(column["candidate"]) for axis, column in columns.items()}
    steps = {axis: study.axes[axis]["gate_items"] or 1 for axis in columns}
    looks = max(1, math.ceil(sizes[plan["axis"]] / steps[plan["axis"]]))
    most = max(1, plan["max_pairs"] // plan["block"])
    drawn = [axis for axis in sizes if not from_list(study.axes[axis])]  # a bank may be used up
    for axis in drawn:
        need(sizes[axis] == looks * study.axes[axis]["gate_items"], f"{sizes[axis]} items of {axis!r} in {looks} looks")

    def tested(ended: bool) -> list[Json]:
        return [_test(plan, columns[one[1]["axis"]], clusters[one[1]["axis"]], ended, *one) for one in asked]

    tests = tested(False)
    for look in range(1, looks):
        seen = {axis: min(size, look * steps[axis]) for axis, size in sizes.items()}
        said, _ = _ruling(plan, mode, tests, seen)
        if said != "continue":
            return f"look {look} of {looks} already said {said}, yet more pairs were asked for"
    last = looks == most or all(size >= plan["max_pairs"] for size in sizes.values())
    said, reason = ("continue", "") if last else _ruling(plan, mode, tests, sizes)
    if said == "continue":  # no more pairs were to be had
        need(last or not drawn, f"seq {entry.seq}: undecided after {looks} looks of {most}")
        waiting = any(clusters.values()) or plan["form"] in ("group_sequential", "fixed")  # what an end alone decides
        tests = tested(True) if waiting else tests
        said, reason = _ruling(plan, mode, tests, sizes, ended=True)
    ours = {"tests": [record for record, *_ in tests], "level": level, "harm_level": harm, "k": k}
    return differs({**always, **ours, "outcome": said, "reason": reason}, data, "recorded")


def _screened(study: Study, entry: Entry, plan: Record, sheets: Mapping[tuple[str, int, str, str], Entry]) -> str:
    """ "screened" for a candidate that its screen on development items stops, else ""."""
    data, values = entry.data, []
    start = {"key": f"r{study.rows[entry.run]['replica']}|k{data['round']}"}
    start |= {"start": study.record["contract"]["suite"]["dev_items"]}
    for role in ("candidate", "released"):
        sheet = sheets[entry.run, data["round"], f"dev {plan['axis']}", role]
        wrong = differs({"system": data[role], **start}, sheet.data, f"screen of the {role} (seq {sheet.seq}):")
        need(not wrong and sheet.seq < entry.seq, wrong or f"seq {sheet.seq}: screened after the decision")
        values.append((strict(sheet.data) if role == "candidate" else sheet.data)["values"])
        whole = len(values[-1]) == plan["screen_items"] or from_list(study.axes[plan["axis"]])
        need(whole, f"seq {sheet.seq}: {len(values[-1])} of {plan['screen_items']} items screened")
    found = [one - other for one, other in zip(*values, strict=True) if None not in (one, other)]
    if len(found) < 2:
        return "screened"
    gain = math.fsum(found) / len(found)
    error = math.sqrt(math.fsum((one - gain) ** 2 for one in found) / (len(found) - 1) / len(found))
    z = gain / error if error else math.copysign(math.inf, gain) if gain else 0.0
    return "" if z > plan["screen_z"] else "screened"


def _levels(plan: Record, k: int, promoted: int) -> tuple[float, float]:
    """Levels of promotion and of harm of the k-th confirmation, by the plan's error ledger."""
    count = plan["confirmations"]
    need(k >= 1 and (count is None or k <= count), f"decision {k} of {count} declared")
    ledger = plan["ledger"] or ("spending" if count is None else "uniform")
    share = 1 / count if ledger == "uniform" else 1 / (3.38774 * k * math.log(k + 1) ** 2)
    return plan["level"] * share * (promoted + 1 if ledger == "e-lond" else 1), plan["harm_level"] * share


def _asked(plan: Record, level: float, harm: float) -> list[Json]:
    """Every test of a confirmation: kind, rule, plus, minus, null, gain that the bet is tuned for, level."""
    guards, gain = plan["guards"], plan["design_gain"]
    asked: list[Json] = [("release", plan, "candidate", "released", 0.0, gain, level * math.exp(-plan["log_raise"]))]
    for one in guards:
        total, own = one["total_margin"], level * math.exp(-one["log_raise"])
        asked.append(("guard", one, "candidate", "anchor", -total, total, own))
    for one in (plan, *guards):
        bet, each = gain if one is plan else one["step_margin"], harm / (2 * (1 + len(guards)))
        asked.append(("harm_step", one, "released", "candidate", one["step_margin"], bet, each))
        asked.append(("harm_total", one, "anchor", "candidate", one["total_margin"], bet, each))
    if plan["futility_level"] is not None:
        asked.append(("futility", plan, "released", "candidate", -gain, gain, plan["futility_level"]))
    return asked


def _placed(differences: Column, clusters: Sequence[str] | None, ended: bool) -> list[tuple[int, float | None]]:
    """Bets in order: pairs asked when it is placed, difference. A cluster bets once, when the next one has begun."""
    if clusters is None:
        return [*enumerate(differences, start=1)]
    starts = [i for i, one in enumerate(clusters) if i == 0 or one != clusters[i - 1]]
    need(len({clusters[i] for i in starts}) == len(starts), "a cluster comes back after another one")
    ends = [*starts[1:], len(clusters)][: len(starts)]
    bets = [(min(end + 1, len(clusters)), mean(differences[i:end])) for i, end in zip(starts, ends, strict=True)]
    return bets if ended else bets[:-1]


def _test(
    plan: Record, columns: Mapping[str, Column], clusters: Json, ended: bool, kind: str, rule: Record, plus: str,
    minus: str, *numbers: float,
) -> Json:  # fmt: skip
    """One test: its record, the pairs asked when it was first reached, those at each bet, and missing pairs so far.

    Betting e-process against "the mean of plus - minus is at most null" (Waudby-Smith & Ramdas 2024, section 4), with
    the design mixture or with fixed bets; or the exact test. Numbers: null, gain that the bet is tuned for, level.
    """
    (null, gain, level), moment, form = numbers, rule["planned_second_moment"], plan["form"]
    form = "exact" if form in ("fixed", "group_sequential") and kind == "release" else form
    form = form if form in ("exact", "grid") else "betting"
    pairs = [*zip(columns[plus], columns[minus], strict=True)]
    differences = [None if one is None or other is None else one - other for one, other in pairs]
    bets = [(asked, one) for asked, one in _placed(differences, clusters, ended) if one is not None]
    placed, moves = [asked for asked, _ in bets], [one for _, one in bets]
    squares = accumulate([one * one for one in moves], initial=50.0 * moment)
    aims = [gain * (50.0 + seen) / total for seen, total in zip(range(len(moves)), squares, strict=False)]
    scales, most = ((0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64), math.inf) if form == "grid" else (
        (0.5, 1.0, 2.0, 4.0), 0.9 / (1.0 + null)
    )  # fmt: skip
    aims = [1.0] * len(moves) if form == "grid" else aims
    shifted = [one - null for one in moves]
    factors = [[1.0 + (bet if (bet := scale * aim) < most else most) * one
                for aim, one in zip(aims, shifted, strict=True)] for scale in scales]  # fmt: skip
    threshold, reached = math.log(1 / level), math.inf
    capital = _mixed(factors)
    peaks = [*accumulate(capital, max, initial=0.0)][1:]
    if peaks and peaks[-1] >= threshold:
        reached = placed[next(i for i, one in enumerate(peaks) if one >= threshold)]
    last, peak = (capital[-1], peaks[-1]) if capital else (0.0, 0.0)
    missing = [*accumulate([one is None for one in differences])]
    sides = [sum(value is None for value in columns[side]) for side in (plus, minus)]
    record = {"kind": kind, "axis": rule["axis"], "form": form, "log_e": last, "log_e_peak": peak}
    record |= {"log_threshold": threshold, "pairs": len(moves), "asked": len(pairs)}
    record |= {"missing": missing[-1] if missing else 0, "missing_plus": sides[0], "missing_minus": sides[1]}
    if form == "exact":
        graded = clusters is not None or any(one not in (None, -1, 0, 1) for one in differences)
        found, may, first = (0.0, threshold, 0) if graded else _exact(plan, differences, level, ended)
        placed, reached = [] if graded else placed, first or math.inf
        record |= {"log_e": found, "log_e_peak": found, "log_threshold": may, "pairs": len(placed)}
    return record, reached, placed, missing


def _mixed(factors: Sequence[Sequence[float]]) -> list[float]:
    """Log of the mean over bets of the product of their factors so far, after each pair."""
    products = [[*accumulate(one, mul)] for one in factors]
    total = [*map(sum, zip(*products, strict=True))]
    if not total or (min(total) > 1e-280 and all(0.0 < one[-1] < math.inf for one in products)):
        return [math.log(one / len(factors)) for one in total]
    logs = [[*accumulate(map(math.log, one))] for one in factors]  # beyond what a float holds: add logarithms instead
    tops = [*map(max, *logs)]
    return [top + math.log(sum(math.exp(one[i] - top) for one in logs) / len(logs)) for i, top in enumerate(tops)]


def _exact(plan: Record, differences: Column, level: float, ended: bool) -> tuple[float, float, int]:
    """Exact McNemar test at its looks (Lan & DeMets 1983, O'Brien-Fleming type).

    Gives -log p, -log of what may be spent, and the pairs asked at which it rejected, 0 where it has not.
    """
    analyses = plan["analyses"] if plan["form"] == "group_sequential" else 1
    most, size = plan["max_pairs"], len(differences)
    looks = sorted({max(1, round(most * j / analyses)) for j in range(1, analyses + 1)})
    reached = [at for at in looks if at <= size]
    reached += [size] if ended and 0 < size < looks[-1] and size not in reached else []
    found, allowed, walk, spent, before = 0.0, level, [1.0], 0.0, 0
    for at in reached:
        wins, losses = (sum(one == side for one in differences[:at]) for side in (1, -1))
        steps, before = wins + losses - before, wins + losses
        tosses = [math.comb(steps, w) / 2**steps for w in range(steps + 1)]
        grown = [0.0] * (len(walk) + steps)
        for w, chance in enumerate(walk):
            for more, toss in enumerate(tosses):
                grown[w + more] += chance * toss
        share = 1.0 if ended and at == size else at / looks[-1]
        normal = NormalDist()
        early = 2.0 * normal.cdf(normal.inv_cdf(level / 2.0) / math.sqrt(share)) if share < 1.0 else level
        p, allowed = min(1.0, spent + math.fsum(grown[wins:])), max(1e-300, early)
        found = -math.log(max(p, 1e-300))
        if p <= allowed:
            return found, -math.log(allowed), at
        bound, tail = len(grown), 0.0
        while bound and tail + grown[bound - 1] <= allowed - spent:
            bound, tail = bound - 1, tail + grown[bound - 1]
        walk, spent = grown[:bound], spent + tail
    return found, -math.log(allowed), 0


def _ruling(
    plan: Record, mode: str, tests: Sequence[Json], seen: Mapping[str, int], ended: bool = False
) -> tuple[str, str]:
    """Outcome and reason after the first `seen` pairs of each axis: the first rule that holds."""
    said: dict[str, list[Json]] = defaultdict(list)  # kind of test -> what its tests say
    for record, reached, placed, missing in (test for test in tests if test[0]["axis"] not in plan["waived"]):
        pairs = seen[record["axis"]]
        gone = missing[pairs - 1] if pairs else 0
        waits = pairs > gone and not ended and record["form"] != "exact"  # for its first whole cluster
        nothing = not bisect_right(placed, pairs) and not waits
        few = "missing" if gone > plan["void_share"] * pairs else "unreadable" if nothing else ""
        said[record["kind"]].append(few or reached <= pairs)
    for reason in ("missing", "unreadable"):
        if any(reason in one for one in said.values()):
            return "undecided", reason
    if all(said["release"] + said["guard"]):
        return "promote", "better"
    if any(said["harm_step"] + said["harm_total"]):
        return "reject", "harm"
    if any(said["futility"]) and not any(said["release"]):
        return "reject" if mode == "strict" else "undecided", "futility"
    return ("undecided", "exhausted") if ended else ("continue", "collecting")


# --- Seal, blinding, objects -----------------------------------------------------------------------------------------
def seal(study: Study) -> str:
    """Opened once per start, after the last event of its runs, on the served systems; each block answered once."""
    need(study.replicas == [*range(len(study.replicas))], f"starts {study.replicas}: not enrolled one after the other")
    opened: list[int] = []
    for entry in study.of("seal_opened", lacking="the seal is not opened: runs are still going on"):
        data, here, size = entry.data, f"seq {entry.seq}: the seal", entry.data["merkle_size"]
        last = max(e.seq for e in study.entries[: entry.seq] if e.run)
        need(size == last + 1, f"{here} is of {size} entries, the last one of a run is seq {last}")
        need(data["merkle_root"] == tree_head(study.leaves[:size]), f"{here} has another root than {size} entries")
        need(not set(opened) & set(data["replicas"]), f"{here} of a start is opened a second time")
        opened += data["replicas"]
        rows = [row for row in study.rows.values() if row["replica"] in data["replicas"]]
        arms = {f"r{row['replica']}/{row['arm']}": (row["replica"], row["arm"]) for row in rows}
        need(arms.keys() == data["served"].keys(), f"{here} leaves out {sorted(arms.keys() ^ data['served'].keys())}")
        for name, (replica, arm) in arms.items():
            _sealed(study, entry, name, study.runs(replica, arm))
        _moved(study, entry)
    need(len(opened) == len(study.replicas), "the seal of the last starts is not opened", None)
    return f"opened once for each of {len(opened)} starts, after the last stage of their runs"


def _sealed(study: Study, seal: Entry, name: str, runs: Mapping[str, Record]) -> None:
    """One arm of one start: what it serves, and its sealed scores."""
    need(all(row["stage"] == "done" for row in runs.values()), f"seq {seal.seq}: {name} was not done")
    block, reported = name.partition("/")[0], dict[tuple[str, int], float]()  # scores on the report split
    place = {"split": "report", "role": "released", "axis": study.record["claim"]["metric"]}
    for entry in (entry for run in {*runs, f"{block}/frozen"} for entry in study.of("scores", run)):
        if place.items() <= entry.data.items():
            known = -1.0 if silent(entry.data, trained(entry.data)) else mean(entry.data["values"], -1.0)
            reported[entry.run, entry.data["round"]] = known
    best = max(runs, key=lambda run: reported.get((run, runs[run]["round"]), -1.0))
    # A menu of plain training serves its best, and never less than generation 0 on the same items.
    first, own = (reported.get((run, runs[best]["round"]), -1.0) for run in (f"{block}/frozen", best))
    below = runs[best]["variant"] and own < first
    system = runs[best]["anchor" if below else "released"]
    need(system == seal.data["served"][name], f"seq {seal.seq}: {name} does not serve its last released system")
    kept: Record = {}
    if runs[best]["arm"] in (study.record["claim"]["arm"], "ungated"):
        half, measured = half_of(study), [e.data for e in study.of("stage_done", best) if e.data["stage"] == "measure"]
        kept = {str(half): one["row"]["released"] for one in measured if one["round"] == half}
    listed = seal.data["listed"].get(name, {})
    need(listed == kept, f"seq {seal.seq}: {name} lists {listed}, its generation at half of the horizon is {kept}")
    asked = [("served", system)] if system else []
    asked += [("listed", one) for one in listed.values()]
    asked += [(f"mixture:{taken}", one) for taken, one in _mixtures(study, seal, best, system).items()]
    sizes = {axis: spec["sealed_items"] for axis, spec in study.axes.items() if spec["sealed_items"]}
    wanted = {(axis, *one, block, 0) for axis in sizes for one in asked}
    for entry in (entry for run in runs for entry in study.of("scores", run) if entry.data["split"] == "sealed"):
        data, here = entry.data, f"seq {entry.seq}: {name}"
        one = (data["axis"], data["role"], data["system"], data["key"], data["start"])
        need(one in wanted, f"{here} answered a sealed block twice, or with a system that was not frozen")
        need(entry.seq > seal.seq, f"{here} was scored before its seal was opened (seq {seal.seq})")
        whole = len(data["values"]) == sizes[one[0]] or from_list(study.axes[one[0]])
        need(whole, f"{here} answered {len(data['values'])} of {sizes[one[0]]} items")
        wanted.remove(one)
    need(not wanted, f"{name} has not answered its sealed blocks", None)


def _moved(study: Study, seal: Entry) -> None:
    """Improvers that were moved: all there are to all foreign starts, before the seal, and scored once after it."""
    plan, claim, served = study.record["study"].get("transplant", {"missing": "-"}), study.record["claim"], seal.data
    tried = sorted({claim["arm"], "ungated"} & {name.partition("/")[2] for name in served["served"]})
    for replica, arm in ((replica, arm) for replica in served["replicas"] for arm in tried):
        name = f"r{replica}/{arm}"
        run, last = served["from"][name], served["served"][name]
        row = study.rows[run]
        half, placebo = row["kept_at"].get(str(half_of(study))), f"r{replica}/placebo"
        shuffled = study.rows[served["from"][placebo]]["working"] if served["served"].get(placebo) else None
        systems = {"last": last, "half": half, "first": row["anchor"], "shuffled": shuffled}
        due = {key: one for key, one in systems.items() if one}
        made = [e for e in study.of("transplanted", run) if e.data["round"] == study.record["study"]["rounds"]]
        drift = sorted({e.data["improver_system"] for e in made if e.data["improver"] == "drifted"})
        due |= {"drifted": drift[0]} if drift else {}  # made by the loop's code: which system it is only a re-run shows
        starts = _foreign(study, served["replicas"], replica, plan.get("starts", 0))
        pairs = {(key, one) for key in due for one in starts} if last and not plan["missing"] else set()
        said = [(e.data["improver"], e.data["start"]) for e in made]
        need(len(drift) < 2 and {*said} == pairs and len(said) == len(pairs), f"{run} moved {sorted(said)[:3]}")
        for entry in made:
            data, here = entry.data, f"seq {entry.seq}: {run}, improver {entry.data['improver']}"
            need(entry.seq < seal.seq, f"{here} was moved after the seal (seq {seal.seq})")
            ours = {"improver_system": due[data["improver"]], "start_system": starts[data["start"]]}
            wrong = differs(ours, data, f"{here}: its")
            need(not wrong, wrong)
        _moved_scores(study, seal, run, {f"{e.data['improver']}|{e.data['start']}": e.data["system"] for e in made})


def _foreign(study: Study, replicas: Sequence[int], replica: int, most: int) -> dict[int, str]:
    """Start -> generation 0 of the next ones in a circle that have one, and another one than this start."""
    own, place = study.rows[f"r{replica}/frozen"]["anchor"], replicas.index(replica)
    anchors = {one: study.rows[f"r{one}/frozen"]["anchor"] for one in [*replicas[place + 1 :], *replicas[:place]]}
    other = {one: anchor for one, anchor in anchors.items() if anchor not in (None, own)}
    return dict([*other.items()][:most])


def _moved_scores(study: Study, seal: Entry, run: str, made: Mapping[str, Json]) -> None:
    """What moved improvers made answered the whole sealed block of its start, once, on the claimed axis."""
    metric = study.record["claim"]["metric"]
    wanted = {(role, system) for role, system in made.items() if system}
    for entry in (entry for entry in study.of("scores", run) if entry.data["split"] == "transplant"):
        data, here = entry.data, f"seq {entry.seq}: {run}"
        asked = (data["role"], data["system"])
        need(asked in wanted, f"{here}: a transplanted system answered twice, or was not made by that improver")
        need(entry.seq > seal.seq, f"{here}: a transplanted system was scored before the seal (seq {seal.seq})")
        place = {"axis": metric, "key": run.partition("/")[0], "start": 0}
        whole = len(data["values"]) == study.axes[metric]["sealed_items"]
        whole = whole or from_list(study.axes[metric])
        need(whole and not differs(place, data, ""), f"{here}: another block than the sealed one of its start")
        wanted.remove(asked)
    need(not wanted, f"{run} has transplanted systems without scores", None)


def _mixtures(study: Study, seal: Entry, run: str, system: Json) -> Record:
    """Mixtures of first and final parts that a run answers with: of the claimed arm all 2^k, the two ends what it had.

    No verdict reads them; why a system could not be taken apart is the claimant's own word.
    """
    mixed, row = seal.data.get("mixtures", {}).get(run, {}), study.rows[run]
    k = len(study.record["study"].get("separable", []))
    due = k and row["arm"] == study.record["claim"]["arm"] and system not in (None, row["anchor"])
    every = {f"{taken:0{k}b}" for taken in range(2**k)} if due else set[str]()
    refused = run in seal.data.get("not_separable", {}) and not mixed
    need(refused or mixed.keys() == every, f"seq {seal.seq}: {run} mixes {sorted(mixed)}, expected {sorted(every)}")
    ends = [mixed["0" * k], mixed["1" * k]] if mixed else [row["anchor"], system]
    need(ends == [row["anchor"], system], f"seq {seal.seq}: {run}: nothing mixed is not the system itself")
    return dict(mixed)


def blinding(study: Study) -> str:
    """Every run has a random label of its own in the log; workers are told neither label nor arm."""
    labels = [str(entry.data["label"]) for entry in study.of("run_started")]
    odd = [label for label in labels if not re.fullmatch(r"[0-9a-f]{8,64}", label) or labels.count(label) > 1]
    need(not odd and len(labels) == len(study.rows), f"run_started: {len(study.rows)} runs, odd labels {odd[:1]}")
    return f"{len(labels)} runs under random labels"


def objects(study: Study) -> str:
    """Every object has the digest of its name; first, served, listed and mixed ones, and the claim's, are there."""
    held = {name[8:].replace("/", ""): found for name, found in study.files.items() if name.startswith("objects/")}
    for name, found in held.items():
        need(name == found, f"objects/{name[:2]}/{name[2:]}: the bytes have digest {found}")
    gone = {*redacted(study)} - held.keys()
    held |= dict.fromkeys(gone, "")
    for entry in study.of("transplanted"):
        made = entry.data["system"]
        need(made is None or made in held, f"objects: {made}, made by a moved improver of {entry.run}, is missing")
    for entry in study.of("request"):
        told = str(entry.data["reason"])
        need(not told.startswith("private:") or told[8:] in held, f"seq {entry.seq}: its private reason is missing")
    mixed = [one for e in study.of("seal_opened") for one in e.data.get("mixtures", {}).values()]
    for one in (one for systems in mixed for one in systems.values()):
        need(one in held, f"objects: the mixture {one} is missing")
    for run, row in study.rows.items():
        claimed = row["arm"] == study.record["claim"]["arm"]
        past = [entry.data["row"]["released"] for entry in study.of("stage_done", run) if claimed]
        for pointer in (row["anchor"], row["released"], row["seen"], *row["kept_at"].values(), *past):
            need(pointer is None or pointer in held, f"objects: {pointer} of {run} is missing")
    told = f"; redacted: {', '.join(sorted(one[:12] for one in gone))}, which nobody can run or read again"
    return f"{len(held) - len(gone)} objects have the digests of their names{told if gone else ''}"


def sandboxes(study: Study) -> str:
    """Each sandbox on record has the level of its kind, and none is below the registered one, which needs a record."""
    least, used = study.record["study"].get("sandbox"), study.of("sandbox_used")
    for entry in used:
        name, level = entry.data["backend"], entry.data["level"]
        known = type(level) is int and 0 <= level <= 3 and KEPT.get(name, level) == level
        need(known, f"seq {entry.seq}: {name!r} is no sandbox of level S{level}")
        need(least is None or level >= least, f"seq {entry.seq}: {name!r} keeps S{level}, registered is S{least}")
    for seal in study.of("seal_opened")[:1] if least is not None else []:
        need(used and used[0].seq < seal.seq, f"seq {seal.seq}: no sandbox by the seal, registered is S{least}")
    names = sorted({f"{entry.data['backend']} (S{entry.data['level']})" for entry in used})
    return f"programs ran in {', '.join(names)}" if names else "no program of a stranger is on record"


def redacted(study: Study) -> dict[str, str]:
    """Object -> reason for which its bytes were taken away after the verdict. Its digest stays in the log."""
    return {one: entry.data["reason"] for entry in study.of("objects_redacted") for one in entry.data["digests"]}


# --- The word: the rules of design.md section 6, from raw sealed scores ----------------------------------------------
def looks_of(looks: Sequence[int] | str, share: float = 0.5, level: float = 0.05) -> Looks:
    """Thresholds: the smallest whose chance at the share is at most .05 j/J up to look j of J; open, by the e-process.

    Few successes are many failures, so the lower table is the upper one of failures at 1 - share.
    """
    sizes, tables = [*range(1, 25)] if looks == "open" else [*map(int, looks)], list[list[int]]()
    for q in (share, 1.0 - share):
        ups: list[int] = []
        for j, size in enumerate(sizes, start=1):
            if looks == "open":
                enough = (up for up in range(size + 1) if e_value(up, size, q) >= 1.0 / level)
            else:
                levels = ((up, chances((sizes[:j], [*ups, up], [-1] * j), q)[0]) for up in range(size + 1))
                enough = (up for up, chance in levels if chance <= 0.05 * j / len(sizes))
            ups.append(next(enough, size + 1))
        tables.append(ups)
    return sizes, tables[0], [size - up for size, up in zip(sizes, tables[1], strict=True)]


def e_value(k: int, n: int, q: float) -> float:
    """Evidence against "at most a share q succeeds": half on all succeeding, half on every share above q alike."""
    share, rest = Fraction(q), n - k
    terms = [(-1) ** i * math.comb(rest, i) * (1 - share ** (k + i + 1)) / (k + i + 1) for i in range(rest + 1)]
    mixed = sum(terms, Fraction(0)) / ((1 - share) * share**k * (1 - share) ** rest)
    return float((mixed + (share**-n if k == n else 0)) / 2)


def chances(looks: Looks, p: float) -> tuple[float, float]:
    """Exact chances of SUPPORTED and REFUTED when each start succeeds with p: counts carried from look to look."""
    alive, said, size = {0: 1.0}, [0.0, 0.0], 0
    for n, up, down in zip(*looks, strict=True):
        moved: dict[int, float] = defaultdict(float)
        for k, more in ((k, more) for k in alive for more in range(n - size + 1)):
            moved[k + more] += alive[k] * math.comb(n - size, more) * p**more * (1.0 - p) ** (n - size - more)
        said[0] += sum(weight for k, weight in moved.items() if k >= up)
        said[1] += sum(weight for k, weight in moved.items() if k <= down)
        alive, size = {k: weight for k, weight in moved.items() if down < k < up}, n
    return said[0], said[1]


def typical(
    gains: Sequence[Json], effect: float, looks: Looks, lost: Sequence[bool], share: float = 0.5
) -> SimpleNamespace:
    """Do more than a share of starts gain more than `effect`? The first look that decides, else the last one taken."""
    gains = [-math.inf if gain is None else gain for gain in gains]  # no gain known: no success
    word, look, ends = None, None, [-math.inf, math.inf]
    reason = f"{len(gains)} starts of which {sum(lost)} were lost: no registered look {looks[0]} was possible"
    for n, up, down in zip(*looks, strict=True):
        if n <= len(gains) and sum(lost[:n]) <= 1 and word is None:
            # A start lost to infrastructure counts against both words.
            low, high = ([end if gone else g for g, gone in zip(gains[:n], lost, strict=False)] for end in ends)
            least, most = (sum(gain > effect for gain in column) for column in (low, high))
            look, word = n, "SUPPORTED" if least >= up else "REFUTED" if most <= down else None
            reason = f"{least} of {n} starts exceed {effect:g}: {up} or more support it, {down} or fewer refute it"
            between = [sorted([*low, *ends[:1]])[n - up + 1], sorted([*high, *ends[1:]])[n - down - 1]]
    there = sorted(gain for gain, gone in zip(gains[: look or len(gains)], lost, strict=False) if not gone)
    reached = min(len(there) - 1, int((1.0 - share) * len(there) + 1e-9))
    middle = math.inf if not there else median(there) if share == 0.5 else there[reached]
    return told(word, look, reason, [middle, *(between if look else ends)], look or len(gains), there, effect)


def told(
    word: Json, look: Json, reason: str, found: Sequence[float], starts: int, gains: Sequence[float], effect: float
) -> SimpleNamespace:
    """What a test says: word, look, reason, numbers of the effect, starts, and how many of them exceed it."""
    numbers = dict(zip(("estimate", "low", "high"), (x if math.isfinite(x) else None for x in found), strict=True))
    successes = sum(gain > effect for gain in gains)
    return SimpleNamespace(word=word, look=look, reason=reason, numbers=numbers, starts=starts, successes=successes)


def means(
    columns: Sequence[Column], effect: float, sizes: Sequence[int], lost: Sequence[bool], level: float
) -> SimpleNamespace:
    """Does the mean difference to every control exceed `effect`, by t and by sign flips? Each look has its part."""
    rows = [[None if gone else one for one, gone in zip(column, lost, strict=True)] for column in columns]
    starts = zip(*rows, strict=True)
    least = [-math.inf if None in start else min(one for one in start if one is not None) for start in starts]
    word, look, reason, ends = None, None, f"{len(lost)} starts, looks at {[*sizes]}: none was possible", [math.inf] * 3
    for n in (n for n in sizes if n <= len(lost) and sum(lost[:n]) <= 1):
        if word is None:
            each, look = level / len(sizes), n
            # A difference that is not there is the worst possible one for a lower bound, the best for an upper one.
            worst, best = ([[end if d is None else d for d in row[:n]] for row in rows] for end in (-1.0, 1.0))
            lows = [min(t_lower(row, each), flips(row, each)) for row in worst]
            part, turned = each / len(rows), [[-d for d in row] for row in best]
            highs = [-min(t_lower(row, part), flips(row, part)) for row in turned]
            up, down = all(low - effect > 1e-9 for low in lows), any(effect - high > 1e-9 for high in highs)
            word = "SUPPORTED" if up else "REFUTED" if down else None
            middle = min((mean(row[:n]) for row in rows if mean(row[:n]) is not None), default=math.inf)
            ends = [middle, min(lows), min(highs)]
            reason = f"the mean over {n} starts lies in [{ends[1]:+.4f}, {ends[2]:+.4f}], claimed is {effect:g}"
    return told(word, look, reason, ends, look or len(lost), least[: look or len(lost)], effect)


def t_lower(values: Sequence[float], level: float) -> float:
    """Lower bound of a mean by Student's t, whose tail is integrated over the angle arctan(t / sqrt(freedom))."""
    n, middle = len(values), sum(values) / len(values)
    spread = math.sqrt(sum((one - middle) ** 2 for one in values) / (n - 1))
    return middle - t_point(level, n - 1) * spread / math.sqrt(n)


@cache
def t_point(level: float, freedom: int) -> float:
    """The t that is exceeded with chance `level`: bisection, Simpson's rule on 400 panels."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)

    def tail(angle: float) -> float:
        step = (math.pi / 2 - angle) / 400
        heights = [math.cos(angle + i * step) ** (freedom - 1) for i in range(401)]
        inner = 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])
        return scale * step / 3 * (heights[0] + inner + heights[-1])

    low, high = 0.0, math.pi / 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > level else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def flips(values: Sequence[float], level: float) -> float:
    """Lower bound of a mean by sign flips: the floor(level 2^n)-th smallest mean of a non-empty subset.

    Found by bisection. Subsets with a mean of at most m are counted by meeting in the middle: 2^(n/2) sums of each
    half, sorted, and two pointers; the engine lists all 2^n.
    """
    place, half = math.floor(level * 2 ** len(values)), len(values) // 2
    if place < 1:
        return -math.inf

    def at_most(m: float) -> int:
        sides = []
        for part in (values[:half], values[half:]):
            sums = [0.0]
            for one in part:
                sums += [total + one - m for total in sums]
            sides.append(sorted(sums))
        count, at = -1, len(sides[1])  # the empty set is in neither
        for total in sides[0]:
            while at and total + sides[1][at - 1] > 0.0:
                at -= 1
            count += at
        return count

    low, high = -1.0, 1.0
    for _ in range(52):
        middle = (low + high) / 2
        low, high = (low, middle) if at_most(middle) >= place else (middle, high)
    return high


def version(own: Column, first: Column, effect: float, level: float) -> SimpleNamespace:
    """Does this version score more than `effect` above generation 0? Unit: items, independent of each other."""
    both = zip(own, first, strict=True) if own and first else ()
    gaps = [one - other for one, other in both if one is not None and other is not None]
    if not gaps:
        return told(None, None, "no sealed item was answered by both", [math.inf] * 3, 0, [], effect)
    wins, losses = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    exact = effect == 0 and {*gaps} <= {-1, 0, 1}  # half of the level for McNemar's test
    each, tails = level / 2 if exact else level, []
    for k in (wins, losses):
        tails.append(sum(math.comb(wins + losses, i) for i in range(k, wins + losses + 1)) / 2 ** (wins + losses))
    up, down = (exact and tail <= each for tail in tails)
    low, high = least_mean(gaps, each), -least_mean([-gap for gap in gaps], each)
    low, high = max(low, 0.0) if up else low, min(high, 0.0) if down else high
    word = "SUPPORTED" if up or low > effect else "REFUTED" if down or high < effect else None
    reason = f"over {len(gaps)} items ({wins} better, {losses} worse) the gain lies in [{low:+.4f}, {high:+.4f}]"
    return told(word, len(gaps), reason, [sum(gaps) / len(gaps), low, high], len(gaps), gaps, 0.0)


def least_mean(gaps: Sequence[float], level: float) -> float:
    """Lower bound of a mean of independent gaps in [-1, 1]: fixed bets, their capitals averaged, against 1/level."""
    counts = Counter(gaps)

    def log_e(null: float) -> float:
        bets = [min(0.01 * 2**i, 0.9 / (1.0 + null)) for i in range(7)]
        logs = [sum(times * math.log1p(bet * (gap - null)) for gap, times in counts.items()) for bet in bets]
        return max(logs) + math.log(sum(math.exp(one - max(logs)) for one in logs) / 7)

    low, high = -1.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if log_e(middle) >= math.log(1.0 / level) else (low, middle)
    return low


class Case:
    """What the verdict rests on: the claim, and numbers per start in id order."""

    def __init__(self, study: Study, arm: str = "") -> None:
        self.claim, self.study, self.log = study.record["claim"], study.record["study"], study
        self.arm, self.rung, self.level = arm or self.claim["arm"], self.claim["rung"], self.claim["alpha"]
        self.of_version, self.of_mean = self.claim["about"] == "version", self.claim["analysis"] == "mean"
        looks, share = (1,) if self.of_version else self.claim["looks"], self.claim["share"]
        self.half = looks_of(looks, level=self.level)  # what is asked of more than half of starts in every claim
        self.looks = self.half if share == 0.5 else looks_of(looks, share, self.level)
        self.sealed, self.quarantined = dict[tuple[int, str, str, str], Json](), 0.0
        self.each: dict[tuple[int, str, str, str], list[Json]] = {}  # the same by item
        blocks: dict[tuple[int, str], dict[tuple[str, str], Record]] = defaultdict(dict)
        for data, row in ((e.data, study.rows[e.run]) for e in study.of("scores") if e.data["split"] == "sealed"):
            if not data["role"].startswith("mixture:"):  # a mixture takes no item away from the verdict
                blocks[row["replica"], data["axis"]][row["arm"], data["role"]] = data
        for (replica, axis), block in blocks.items():
            own = (self.claim["arm"], "ungated")
            self._compare(replica, axis, {one: strict(data) if one[0] in own else data for one, data in block.items()})
        self.guards = [name for name, axis in study.axes.items() if axis["guard"]]
        self.own = [study.runs(replica, self.arm) for replica in study.replicas]
        halted = {row["replica"] for row in study.rows.values() if row["stage"] != "done"}
        self.lost = [replica in halted for replica in study.replicas]
        self.typical = partial(typical, looks=self.half, lost=self.lost)
        asked = [entry for entry in study.of("decision") if any(entry.run in runs for runs in self.own)]
        self.people = sum(entry.data["decided_by"] in ("person", "model") for entry in asked)
        self.people += len(study.of("epoch_opened"))
        steered = {epoch_of(study, e.seq) for e in study.of("stage_done") if e.data["stage"] in DECIDING}
        self.epochs = sorted({*steered, len(study.of("epoch_opened"))})
        tied = {e.data["epoch"] for e in study.of("epoch_bridged") if not e.data["unbridged"]}
        self.unbridged = [f"epoch {one} is not bridged" for one in self.epochs[1:] if one not in tied]

    def _compare(self, replica: int, axis: str, block: Mapping[tuple[str, str], Record]) -> None:
        """Means over the same items for all arms of a start: none that one trained on, none that one left open."""
        gone = set[int]().union(*map(trained, block.values()))
        heard = [data["values"] for data in block.values() if not silent(data, gone)]
        same = [i for i, one in enumerate(zip(*heard, strict=True)) if None not in one and i not in gone]
        for asked, data in block.items():
            kept = [] if silent(data, gone) else [data["values"][i] for i in same]
            self.sealed[(replica, *asked, axis)], self.each[(replica, *asked, axis)] = mean(kept), kept
            share = len(gone) / max(1, len(data["values"]))
            self.quarantined = max(self.quarantined, share if axis == self.claim["metric"] else 0.0)

    def column(self, arm: str, axis: str, role: str = "served") -> list[Json]:
        return [self.sealed.get((replica, arm, role, axis)) for replica in self.log.replicas]

    def change(self, axis: str, arm: str, role: str = "served") -> list[Json]:
        """The claimed arm against another, or against itself at half of the horizon; None unknown."""
        pairs = zip(self.column(self.arm, axis), self.column(arm, axis, role), strict=True)
        return [None if None in pair else pair[0] - pair[1] for pair in pairs]

    def dropped(self, *asked: tuple[str, str, str]) -> list[str]:
        """Of (axis, arm, role): axes not shown to lose less than their total margin against what is named."""
        margins = {axis: -self.log.axes[axis]["margin"] for axis, _, _ in asked}
        if self.of_version:
            found = [(axis, self.of_items(axis, margin)) for axis, margin in margins.items()]
        else:
            found = [(one[0], self.typical(self.change(*one), margins[one[0]])) for one in asked]
        return [f"{axis} is not shown to be kept" for axis, kept in found if kept.word != "SUPPORTED"]

    def of_items(self, axis: str, effect: float) -> SimpleNamespace:
        """The version that the one start serves against generation 0; nothing to compare in a start that is lost."""
        asked = [(0, arm, "served", axis) for arm in (self.claim["arm"], "frozen")]
        own, first = ([] if any(self.lost) else self.each.get(one, []) for one in asked)
        return version(own, first, effect, self.level)

    def test(self, names: Sequence[str]) -> SimpleNamespace:
        """The claim's own test against these controls."""
        if self.of_version:
            return self.of_items(self.claim["metric"], self.claim["by"])
        if not self.of_mean:
            gains = self.gains(names, self.arm)
            return typical(gains, self.claim["by"], self.looks, self.lost, self.claim["share"])
        own, *others = self.columns(names, self.arm)
        gaps = [[None if b is None else (a or 0.0) - b for a, b in zip(own, other, strict=True)] for other in others]
        return means(gaps, self.claim["by"], self.claim["looks"], self.lost, self.level)

    def harm(self) -> bool:
        """Whether the placebo is shown to end below plain training, below standing still where nothing is trained.

        A start without both scores counts for it.
        """
        level = "ordinary" if {"data", "weights"} & {*self.study["surfaces"]} else "frozen"
        there = {*self.study["arms"]} - {*self.study["untestable"]}
        if not {"placebo", level} <= there:
            return False
        pairs = zip(*self.columns([level], "placebo"), strict=True)
        high = self.typical([1.0 if None in pair else pair[0] - pair[1] for pair in pairs], 0.0).numbers["high"]
        return high is not None and high < 0

    def residual(self) -> float | None:
        """Agreement of the placebo with the true feedback above chance, over all its examples; None unknown."""
        done = [e for e in self.log.of("stage_done") if self.log.rows[e.run]["arm"] == "placebo"]
        told = [e.data["out"]["channel"] for e in done if e.data["stage"] == "propose" and "channel" in e.data["out"]]
        told = [one for one in told if one.get("agreement") is not None and one["of"]]
        above = [one["of"] * (one["agreement"] - 1) + 2 * one["kept"] * (1 - one["kept"] / one["of"]) for one in told]
        return sum(above) / sum(one["of"] for one in told) if told else None

    def unfair(self, names: Sequence[str]) -> list[str]:
        """Controls that cannot refute: they were given over a tenth more, or unknown, or some of the true feedback."""
        spent = {name: self.apart(name, most=True) for name in names}
        more = [name for name, share in spent.items() if share is None or share > 0.10]
        return more + ["placebo"] * ("placebo" in {*names} - {*more} and (self.residual() or 0.0) > 0.02)

    def controls(self, rung: str, claimed: str, arm: str) -> tuple[list[str], dict[str, str]]:
        """Controls that a rung needs (the claimed rung adds the claim's own), and why some cannot be compared with."""
        searched = {"training", "architecture", "policy", "tools"} & set(self.study["surfaces"])
        names = NEEDED[rung].split() + (["random_search"] if searched and rung != "R1" else [])
        names += ["random_proposer"] if "improver" in self.study["surfaces"] and rung != "R1" else []
        filters = [f"unguarded:{one['name']}.filter" for one in self.study["filters"] if "filter" in one["uses"]]
        names += ["+".join(filters)] if filters and rung != "R1" else []
        names = list(dict.fromkeys([*names, *(self.claim["beats"] if rung == claimed else [])]))
        missing: dict[str, str] = {}
        for name in (name for name in names if name != arm):
            why = self.study["untestable"].get(name) or ("" if name in self.study["arms"] else "it was not run")
            short = 0.0 if why else self.underspent(name)
            why = f"it spent {100 * short:.0f} % less" if short is not None and short > 0.10 else why
            why = why or ("it did harm" if name == "placebo" and self.harm() else "")
            why = why or self.uninformative(name)
            missing |= {name: f"{name} is not testable: {why}"} if why else {}
        return names, missing

    def uninformative(self, arm: str) -> str:
        """Why an arm's run says nothing: too few of what it replaces in `self`; "" when it does."""
        own, pieces = [run for run in self.log.rows if run.endswith("/self")], arm.split("+")
        moved = [e for run in own for e in self.log.of("gate_decision", run) if e.data["receipt"] is not None]
        rounds = sum(self.log.rows[run]["round"] for run in own)
        asked = [entry.data["decided_by"] for run in own for entry in self.log.of("decision", run)]
        if "random_gate" in pieces and not 0.2 * rounds <= len(moved) <= 0.8 * rounds:
            return f"not informative: `self` promoted in {len(moved)} of {rounds} rounds"
        return "no person decided in `self`" if "unaided" in pieces and "person" not in asked else ""

    def vacuous(self) -> list[Record]:
        """Arms that gave, in at least 80 % of starts, the very answers of `frozen` or of the claimed arm."""
        served = [e for e in self.log.of("scores") if (e.data["split"], e.data["role"]) == ("sealed", "served")]
        said: dict[str, Record] = {"frozen": {}, self.claim["arm"]: {}}
        for entry in (entry for entry in served if entry.data["axis"] == self.claim["metric"]):
            row = self.log.rows[entry.run]
            said.setdefault(row["arm"], {})[row["replica"]] = entry.data["outputs"]
        found, own = [], self.claim["arm"]
        arms = [name for name in self.study["arms"] if name in said and name not in self.study["untestable"]]
        for arm, other in ((arm, other) for arm in arms if arm not in (own, "frozen") for other in ("frozen", own)):
            same = sum(said[other].get(replica) == answers for replica, answers in said[arm].items())
            if same >= 0.8 * len(self.lost) > 0:
                found.append({"arm": arm, "same_as": other, "starts": same, "of": len(self.lost)})
        return found

    def underspent(self, control: str) -> float | None:
        """Median over starts of the share by which a control spent less on building (seconds from 5); None unknown."""
        return self.apart(control, most=False)

    def apart(self, control: str, most: bool) -> float | None:
        """The same, or by which it spent more, in the unit in which it fell shortest or exceeded most."""
        if control in ("frozen", self.claim["arm"], self.arm) or control.split(":")[0] == "sampled":
            return 0.0

        def spent(replica: int, arm: str, most: bool) -> Record:  # of a menu the entry at this end
            runs = self.log.runs(replica, arm).values()
            amounts = {unit: [row["build"].get(unit) for row in runs] for units in MATCHED for unit in units}
            end = max if most else min
            return {unit: None if None in each or not each else end(each) for unit, each in amounts.items()}

        pairs = [(spent(one, self.claim["arm"], False), spent(one, control, most)) for one in self.log.replicas]
        shares = [one for pair in pairs if (one := share_apart(*pair, most)) is not None]
        return float(median(shares)) if shares and len(shares) == len(self.lost) else None

    def gains(self, names: Sequence[str], arm: str) -> list[Json]:
        """Net gain of each start: smallest difference over the controls; None where a score is missing."""
        starts = zip(*self.columns(names, arm), strict=True)
        least = [None if None in start else min(start[0] - one for one in start[1:]) for start in starts]
        return [None if gone else gain for gain, gone in zip(least, self.lost, strict=True)]

    def columns(self, names: Sequence[str], arm: str) -> list[list[Json]]:
        """Sealed scores of an arm and of controls. A control that failed where it was built has none."""
        built = [entry for entry in self.log.of("stage_failed") if entry.data["stage"] in ("start", "propose", "build")]
        failed = {entry.run.partition(".")[0] for entry in built}
        columns = {name: self.column(name, self.claim["metric"]) for name in (arm, *names)}
        for name in {*names} - {self.claim["arm"], "ungated"}:
            gone = [f"r{replica}/{name}" in failed for replica in self.log.replicas]
            columns[name] = [None if one else score for one, score in zip(gone, columns[name], strict=True)]
        return [columns[name] for name in (arm, *names)]

    def failing(self, rung: str) -> str:
        """Why a rung does not pass; "" when it does."""
        if self.of_version and rung not in ("R0", "R1"):
            return "not testable: it is about a loop, and this claim is about a version"
        if rung == "R0":
            moved = [any(row["released"] != row["anchor"] for row in runs.values()) for runs in self.own]
            if self.of_version and any(moved):
                return ""
            found = self.typical([1.0 if one else -1.0 for one in moved], 0.0)
            return "" if found.word == "SUPPORTED" else f"what is served equals generation 0: {found.reason}"
        (names, missing), metric = self.controls(rung, self.rung, self.arm), self.claim["metric"]
        if missing:
            return "; ".join(missing.values())
        found = self.test(names)
        wrong = [] if found.word == "SUPPORTED" else [f"net gain over {', '.join(names)}: {found.reason}"]
        if rung in ("R6", "R7"):
            return self.recursive(rung, wrong)
        if rung == "R4":
            ran = min((row["round"] for runs in self.own for row in runs.values()), default=0)
            listed = any((arm, role) == (self.arm, "listed") for _, arm, role, _ in self.sealed)
            if ran < 5 or not self.guards or not listed:
                return "not testable: needs five rounds, a guard axis, and the generation at half of the horizon"
            wrong += self.dropped(*((axis, "frozen", "served") for axis in self.guards))
            beyond = [max(row["round"] for row in runs.values()) > half_of(self.log) for runs in self.own]
            late = zip(self.change(metric, self.arm, "listed"), beyond, strict=True)
            kept = self.typical([one if on else None for one, on in late], -self.log.axes[metric]["margin"])
            wrong += [] if kept.word == "SUPPORTED" else [f"the late value is not shown to be kept: {kept.reason}"]
        return "; ".join(wrong)

    def moved(self, replica: int) -> dict[str, tuple[float, float]]:
        """Improver -> mean score and mean logit of what it made of foreign starts; none where one has no score.

        Over the same items for all of them; of the last improver, no answer is a wrong one.
        """
        runs = self.log.runs(replica, self.arm)
        scored = (entry.data for run in runs for entry in self.log.of("scores", run))
        sheets = {data["role"]: data for data in scored if data["split"] == "transplant"}
        sheets = {role: strict(data) if role.startswith("last|") else data for role, data in sheets.items()}
        gone = set[int]().union(*map(trained, sheets.values()))
        heard = {role: data["values"] for role, data in sheets.items() if not silent(data, gone)}
        same = [i for i, one in enumerate(zip(*heard.values(), strict=True)) if None not in one and i not in gone]
        tried: dict[str, list[str]] = defaultdict(list)
        for entry in (entry for run in runs for entry in self.log.of("transplanted", run)):
            tried[entry.data["improver"]].append(f"{entry.data['improver']}|{entry.data['start']}")
        found, n = dict[str, tuple[float, float]](), len(same)
        for name in (name for name, roles in tried.items() if n and all(role in heard for role in roles)):
            points = [sum(heard[role][i] for i in same) for role in tried[name]]
            logits = [math.log((k + 0.5) / (n - k + 0.5)) for k in points]
            found[name] = (sum(points) / n / len(points), sum(logits) / len(logits))
        return found

    def moved_short(self, null: str) -> list[Json]:
        """By start, the share by which a null's moved rounds spent less than those of the last improver."""
        found = []
        for replica in self.log.replicas:
            moves = [e.data for run in self.log.runs(replica, self.arm) for e in self.log.of("transplanted", run)]
            sums: dict[str, Record] = {"last": {}, null: {}}
            for move in (move for move in moves if move["improver"] in sums and move["system"]):
                held = sums[move["improver"]]
                for unit, spent in move["spend"]["transplant"].items():
                    held[unit] = None if None in (spent, held.get(unit, 0)) else held.get(unit, 0) + spent
            found += [share_apart(sums["last"], sums[null], False)] if all(sums.values()) else []
        return found

    def alike(self) -> int:
        """Starts in which the improver that grew on feedback without content is that of generation 0."""
        found = 0
        for replica in self.log.replicas:
            moves = [e.data for run in self.log.runs(replica, self.arm) for e in self.log.of("transplanted", run)]
            systems = {one["improver"]: one["improver_system"] for one in moves}
            found += "shuffled" in systems and systems["shuffled"] == systems.get("first")
        return found

    def recursive(self, rung: str, wrong: list[str]) -> str:
        """R6: the last improver beats generation 0 and both nulls elsewhere; R7: and ever faster, on both scales."""
        worth = [self.moved(replica) for replica in self.log.replicas]
        if not any(worth):
            return "not testable: " + (self.study.get("transplant", {}).get("missing") or "no improver was moved")
        for null, shares in ((null, self.moved_short(null)) for null in NULLS):
            if shares and (None in shares or median(shares) > 0.10):
                return f"not testable: moved rounds of {null} spent less than those of the last improver, or unknown"
        if self.alike() >= 0.8 * len(self.lost):
            return "not testable: the improver `shuffled` is that of generation 0 in four fifths of starts"
        whole = [one if {"last", *NULLS} <= {*one} else None for one in worth]
        ahead = [one["last"][0] - max(one[null][0] for null in NULLS) if one else None for one in whole]
        found = self.typical(ahead, self.claim.get("transplant_by", 0.0))
        wrong += [] if found.word == "SUPPORTED" else [f"moved to foreign starts: {found.reason}"]
        for scale in (0, 1) if rung == "R7" else ():
            gains = [one["last"][scale] - 2 * one["half"][scale] + one["first"][scale]
                     if {"last", "half", "first"} <= {*one} else None for one in worth]  # fmt: skip
            found = self.typical(gains, 0.0)
            wrong += [] if found.word == "SUPPORTED" else [f"the advantage does not accelerate: {found.reason}"]
        return "; ".join(wrong)

    def limits(self, found: SimpleNamespace, gains: Column) -> list[str]:
        """The closed list of what keeps SUPPORTED from standing alone."""
        short = 0 if self.of_version else found.starts - found.successes
        told = [f"{short} of {found.starts} starts did not exceed the claimed effect"] if short else []
        told += self.dropped(*((axis, "frozen", "served") for axis in self.guards))
        told += [] if self.guards else ["no guard axis was run"]
        told += self.planted()
        told += [f"decided under {len(self.epochs)} epochs of the contract"] if len(self.epochs) > 1 else []
        told += [f"monitor {name} could not look" for name in self.unseen()]
        told += [f"{self.people} decisions by a person or an outside model"] if self.people else []
        there = {*self.study["arms"]} - {*self.study["untestable"]}
        needed = [name for name in self.controls(self.rung, self.rung, self.arm)[0] if name in there]
        spent = {name: self.underspent(name) for name in needed}
        told += [f"{name} spent less or unknown" for name, less in spent.items() if less is None or less > 0.02]
        names, missing = self.controls(self.rung, self.rung, self.arm)
        if "placebo" in names and "placebo" not in missing:
            residual = self.residual()
            told += ["placebo is weakened, or its agreement is unknown"] if residual is None or residual > 0.02 else []
        some = 0.01 <= self.quarantined <= 0.05
        told += [f"{100 * self.quarantined:.1f} % of a sealed block quarantined"] if some else []
        over = [gain - self.claim["by"] for gain in gains if gain is not None]
        told += ["mean and median of the net gain disagree"] if over and mean(over) * median(over) < 0 else []
        near = [name for name, axis in self.log.axes.items() if axis["kind"] == "sibling" and axis["sealed_items"]]
        gained = sorted(gain for gain in self.change(near[0], "frozen") if gain is not None) if near else [1.0]
        return told if gained and gained[len(gained) // 2] > 0 else [*told, "narrow: no gain on the sibling axis"]

    def planted(self) -> list[str]:
        """Canaries of the study that were met in the claimed arm, and stages in which they were no test any more."""
        runs = [run for runs in self.own for run in runs]
        met = {(self.log.rows[run]["replica"], item) for run in runs for e in self.log.of("canary_met", run)
               for item, state in e.data["met"] if state == "live"}  # fmt: skip
        outs = [e.data["out"] for run in runs for e in self.log.of("stage_done", run)]
        blind = sum(out["canaries"]["searched"] is None for out in outs if "canaries" in out)
        told = [f"planted canaries of {len(met)} protected items were met"] if met else []
        return told + ([f"planted canaries had expired in {blind} stages"] if blind else [])

    def unseen(self) -> list[str]:
        """Monitors that could not look at a candidate of the claimed arm."""
        watched = [e.data["signals"] for runs in self.own for run in runs for e in self.log.of("watched", run)]
        seen = [one for signals in watched for one in signals]
        return sorted({one["monitor"] for one in seen if one["alarm"] is None})

    def passed(self) -> list[str]:
        """The rungs that pass, from R0 up to the first that does not."""
        return [*takewhile(lambda rung: not self.failing(rung), RUNGS)]

    def endogenous(self, passed: Sequence[str]) -> bool | None:
        """The mark R3: no outside label, model or person decided, and no outside verdict altered the path."""
        if self.of_version:  # the mark is about a loop
            return None
        if self.people or self.log.record["contract"]["suite"]["dev_items"]:
            return False
        if len(passed) < 2:  # a change alone is nothing that the mark could stand on
            return None
        if "ungated" in {*self.study["arms"]} - {*self.study["untestable"]} and self.arm == "self":
            return len(Case(self.log, "ungated").passed()) >= len(passed)
        strict = [entry for entry in self.log.of("gate_decision") if entry.data["mode"] == "strict"]
        held = {entry.run for entry in strict if entry.data["outcome"] != "promote"}
        rows = {run: row for runs in self.own for run, row in runs.items()}
        bits = ("promote", "reject") if self.study["sees_accepted"] else ()
        said = [e for e in self.log.of("gate_decision") if e.data["outcome"] in bits or "shown" in e.data]
        told = [e for e in said if e.data["round"] < self.log.rows[e.run]["round"]]
        held |= {entry.run for entry in self.log.of("watched") if entry.data["acted"]}
        held |= {entry.run for entry in told}  # a later proposal knew what the gate had said
        steered = [run in held or row["restores"] or row["released"] != row["working"] for run, row in rows.items()]
        return None if any(steered) else True


def decide(study: Study) -> Record:
    """Word, level, rung, mark and effect: the first line that holds."""
    case = Case(study)
    claim, passed = case.claim, case.passed()
    needed, missing = case.controls(case.rung, case.rung, case.arm)
    names = [name for name in needed if name not in missing]
    gains = case.gains(names, case.arm) if names else [None] * len(case.lost)
    found = case.test(names) if names else case.typical(gains, claim["by"])
    exploratory = study.record["exploratory"]
    made = [*{row["replica"]: row["anchor"] for row in study.rows.values() if row["anchor"]}.values()]
    alike = claim["starts"] == "fresh" and len({*made}) < len(made)  # starts that share a generation 0 are one start
    whole = found.look is not None and not alike and not study.record["given_root"] and not case.unbridged
    level = 1 if exploratory or not names else 3 if whole else 2
    below = [f"{rung}: {why}" for rung in RUNGS[: RUNGS.index(case.rung) + 1] if (why := case.failing(rung))]
    limits = case.limits(found, gains) if names and found.look is not None else []
    reasons = [found.reason, *missing.values()]
    unfair = case.unfair(names) if found.word == "REFUTED" else []
    fair = [name for name in names if name not in unfair]
    refuted = found.word == "REFUTED" and (not unfair or (bool(fair) and case.test(fair).word == "REFUTED"))
    weak = "spent over a tenth more, or unknown, or is a weak placebo: it cannot refute"
    reasons += [f"{name} {weak}" for name in unfair]
    lines = [
        (case.quarantined > 0.05, "INVALID", [f"{case.quarantined:.3f} of a sealed block had been trained on"]),
        (exploratory, "INCONCLUSIVE", ["exploratory: it can never be evidence"]),
        (not names or found.look is None, "INCONCLUSIVE", reasons),
        (alike, "INCONCLUSIVE", ["starts that are claimed to be fresh share a generation 0"]),
        (case.unbridged, "INCONCLUSIVE", case.unbridged),
        (refuted, "REFUTED", reasons),
        (found.word != "SUPPORTED" or missing or below, "INCONCLUSIVE", [*reasons, *below]),
        (level < 3, "INCONCLUSIVE", [*reasons, "the root was given by the claimant"]),
        (limits, "SUPPORTED WITH LIMITS", [*reasons, *limits]),
    ]
    word, reasons = next(((word, why) for holds, word, why in lines if holds), ("SUPPORTED", reasons))
    sure = 1.0 - sum(chances(case.looks, claim["share"]))
    effect = {**found.numbers, "confidence": sure, "n": found.starts}
    effect["unit"] = f"points of {claim['metric']} in [0, 1]"
    if case.of_version or case.of_mean:
        effect["confidence"] = 1.0 - 2.0 * case.level
        effect["unit"] += f", mean over {'items' if case.of_version else 'starts'}"
        reasons += ["it says nothing about the loop" if case.of_version else "a mean says nothing of single starts"]
    level = 0 if word == "INVALID" else level
    head = {"verdict": word, "level": level, "rung": passed[-1] if passed else None}
    head |= {"endogenous": case.endogenous(passed), "effect": effect, "reasons": reasons, "vacuous": case.vacuous()}
    return {**head, "limits": limits}


def shares(study: Study) -> Record:
    """What each surface's share of the gain is, from the runs told which are closed; {} where a subset was not run."""
    told, metric = study.record["study"], study.record["claim"]["metric"]
    arms: dict[frozenset[str], str] = {frozenset(): "self"}
    for arm in told["arms"]:
        pieces = arm.split("+")
        if arm not in told["untestable"] and all(one.startswith("without:") for one in pieces):
            arms[frozenset(one[8:] for one in pieces)] = arm
    players = [name for name in told["surfaces"] if any(name in closed for closed in arms)]
    if players == told["surfaces"]:
        arms.setdefault(frozenset(players), "frozen")
    wanted = [frozenset(one) for size in range(len(players) + 1) for one in combinations(players, size)]
    if not 2 <= len(players) <= 5 or not {*wanted} <= {*arms}:
        return {}
    case = Case(study)
    return shared_out(players, {closed: case.column(arms[closed], metric) for closed in wanted})


def shared_out(players: Sequence[str], columns: Mapping[frozenset[str], Sequence[Json]]) -> Record:
    """Mean share of each player and of all together with its t interval: (closed -> scores of starts).

    A share is what a surface adds where it is opened, over all orders of opening (Shapley 1953); the engine weighs
    subsets. A start without one of the scores has no shares.
    """
    each: dict[str, list[float]] = {name: [] for name in (*players, "together")}
    orders = [*permutations(players)]
    for scores in zip(*columns.values(), strict=True):
        value, whole = dict(zip(columns, scores, strict=True)), frozenset(players)
        if None in scores:
            continue
        adds = [(order[at], value[whole.difference(order[: at + 1])] - value[whole.difference(order[:at])])
                for order in orders for at in range(len(players))]  # fmt: skip
        for name in players:
            each[name].append(math.fsum(gain for one, gain in adds if one == name) / len(orders))
        each["together"].append(value[frozenset()] - value[whole])
    return {name: _mean_between(values) for name, values in each.items()}


def _mean_between(values: Sequence[float]) -> Record:
    told = {"mean": mean(values, None), "low": None, "high": None, "starts": len(values)}
    if len(values) < 2 or max(values) - min(values) <= 1e-12:
        return {**told, "reason": "an interval needs two starts that differ"}
    return {**told, "low": t_lower(values, 0.025), "high": -t_lower([-one for one in values], 0.025)}


def word(study: Study) -> str:
    """The verdict computed from raw scores is the recorded one."""
    entry, ours = study.of("verdict", lacking="no verdict is recorded: the study is not finished")[-1], decide(study)
    said = {name: ours[name] for name in ours if name not in ("reasons", "limits")}
    wrong = differs(said, entry.data, f"seq {entry.seq}: recorded")
    need(not wrong, wrong)
    need(len(ours["limits"]) == len(entry.data["limits"]), f"seq {entry.seq}: limits, computed {ours['limits']}")
    return f"{ours['verdict']}, rung {ours['rung']}, as recorded at seq {entry.seq}"


CHECKS = (
    files, log, registration, signatures, contract, items, measures, bridges, runs, watched, receipts, probation,
    canaries, approvals, gate, seal, blinding, objects, sandboxes, word,
)  # fmt: skip
APART = "items", "gate"  # about half of the work, and nothing of the others hangs on it


# --- A bundle: a study in one zip file, from anybody -----------------------------------------------------------------
@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder of a study; that of a bundle is unpacked into a temporary one."""
    if not path.is_file():
        yield path
        return
    with TemporaryDirectory(prefix="netgain-verify-") as name:
        try:
            _unpack(path, Path(name))
        except Finding as finding:
            raise LookupError(f"{str(path)!r} is refused: {finding.args[1]}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError, RuntimeError) as error:
            raise LookupError(f"{str(path)!r} is not a bundle: {error}") from None
        yield Path(name) / "study"


def _unpack(path: Path, into: Path) -> None:
    """Write the files of a zip whose names, kinds and sizes are harmless; Finding names the first that is not."""
    with zipfile.ZipFile(path) as archive:
        told = archive.infolist()
        need(len(told) <= 100_000, f"{len(told)} files")
        twice = [name for name, count in Counter(one.filename.casefold() for one in told).items() if count > 1]
        need(not twice, f"{twice[:1]} is there twice")
        size, most = sum(one.file_size for one in told), 100 * path.stat().st_size + 2**24
        need(size <= most, f"it would unpack to {size} bytes, more than a hundred times its own size")
        for one in told:
            parts, here = one.filename.split("/"), repr(one.filename)
            plain = one.filename == one.orig_filename and not re.search(r"[\x00-\x1f\\:]", one.filename)
            need(plain and not {"", ".", ".."} & {*parts}, f"{here} is not a plain path")
            need(stat.S_IFMT(one.external_attr >> 16) in (0, stat.S_IFREG), f"{here} is a link or no file")
            need(one.compress_type in (0, 8) and not one.flag_bits & 1, f"{here} is packed in a way not read here")
            (into / one.filename).parent.mkdir(parents=True, exist_ok=True)
            with archive.open(one) as source, open(into / one.filename, "xb") as target:
                shutil.copyfileobj(source, target)


# --- Another party's statement: what holds of it here, and whether it raises the level -------------------------------
MADE = ("round", "split", "axis", "role", "items", "system", "values", "outputs")
RULED = ("round", "candidate", "released", "outcome", "reason", "axis", "level", "tests")
ALIKE = ("suite", "gate", "code", "batching")  # parts of the contract that a second study shares with the first
ADDS = {"recomputation": 4, "replication": 5}  # kind of statement -> level of evidence


def result(study: Study) -> str:
    """Digest of what every run came to before the seal: outputs, scores, decisions and pointers, without the clocks."""
    told: dict[str, list[Json]] = defaultdict(list)
    kinds = {"stage_done": "stage", "scores": "scores", "gate_decision": "decision"}
    named = sorted((entry.seq, kind, entry) for kind in kinds for entry in study.of(kind))
    for _, kind, entry in named:
        data = entry.data
        if kind == "stage_done":
            channel = {name: one for name, one in data["out"].get("channel", {}).items() if name != "channel"}
            gone = ("replica", "arm", "variant", "plan", "start", "build", "answer")
            row = {name: one for name, one in data["row"].items() if name not in gone}
            told[entry.run].append(["stage", data["round"], data["stage"], {**data["out"], "channel": channel}, row])
        elif data.get("split") != "sealed":
            told[entry.run].append([kinds[kind], *(data[name] for name in (MADE if kind == "scores" else RULED))])
    return digest({run: digest(records) for run, records in told.items()})


def attached(study: Study, path: Path, trusted: str | None, own: Record) -> Record:
    """What a statement says about this study, whether that holds as far as it can be checked here, and what it adds.

    The second study is looked for beside the statement, under the name that this gives, and verified as a whole. `own`
    is the verdict as it was computed here, `trusted` the key of another party, as the reader knows it.
    """
    said = json.loads(path.read_text("utf-8"))
    level = said.get("kind") in ADDS and ADDS[said["kind"]] if isinstance(said, dict) else None
    if not level or said.get("schema") != "netgain.statement/1":
        raise LookupError(f"{str(path)!r} is not a statement: its schema is not netgain.statement/1")
    try:
        need(study.record, "this study has no whole log with a claim in it")
        wrong = differs(side(study), said["first"], "the statement's first study:")
        need(not wrong, wrong)
        noted(said)
        outcome: Json = (True, _second(study, said, path.resolve().parent) if level == 5 else _recomputed(said, own))
    except Finding as finding:
        outcome = finding.args
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        outcome = False, f"a part of it is not what it should be: {type(error).__name__}: {error}"
    holds, detail = outcome
    why = uncounted(study, said, trusted, own) if holds else "it does not hold here, so the level stays as it is"
    told = why or f"signed by {said['signer']}, the key that is trusted: evidence level {level}"
    found: Record = {"word": said.get("word"), "level": level, "counts": not why, "counts_reason": told}
    return {**found, "holds": holds, **({"holds_reason": detail} if holds is None else {}), "detail": detail}


def side(study: Study) -> Record:
    """How a statement names the study that it is about."""
    return {"claim_digest": study.record["claim_digest"], "tree_head": tree_head(study.leaves),
            "result_digest": result(study)}  # fmt: skip


def noted(said: Record) -> None:
    """A signed statement's note is over its digest, and by the key that it names."""
    if said.get("signed"):
        ((body, lines),) = notes(said["note"])
        text = f"netgain.statement/1\n{digest({name: one for name, one in said.items() if name != 'note'})}\n"
        need(body == text and signed_by(said["signer"], text, lines), "its signature is not that of this text and key")


def uncounted(study: Study, said: Record, trusted: str | None, own: Record) -> str:
    """Why a statement that holds raises no level: only its reader can know whose key it is. Empty where it does."""
    if not said.get("signed"):
        return "unsigned: who made it is not shown, so the level stays as it is"
    if said["signer"] != trusted:
        return f"signed by {said['signer']}: the level stays unless you know that key (--trust KEY)"
    if any(said["signer"] == key for _, key in [*study.keys()]):
        return "signed by the claimant's own key, so the level stays as it is"
    if said["kind"] == "replication" and (said["word"] != "reproduced" or not own["verdict"].startswith("SUPPORTED")):
        return "only a supported gain that is reproduced under a challenge counts, so the level stays as it is"
    return "" if own["level"] == 3 else f"the study itself is evidence of level {own['level']}, and stays that"


def _recomputed(said: Record, own: Record) -> str:
    """The other party's verdict is the one that was computed here."""
    wrong = differs({"word": own["verdict"], "rung": own["rung"]}, said, "the statement:")
    need(not wrong, wrong)
    return f"another computation came to {own['verdict']} as well"


def _second(study: Study, said: Record, beside: Path) -> str:
    """The second study: sound, of the same claim, under the root that is stated; and it comes to the word by itself."""
    folder = beside / Path(said["second"]["folder"]).name  # a plain name: a statement chooses no other place
    need(folder.is_dir(), f"the second study is not at hand ({folder.name}): only the first was compared", None)
    bad = [one for one in verify(folder)["checks"] if one["ok"] is not True]
    need(not bad, f"the second study does not verify: {[one['name'] for one in bad]}")
    second = Study(folder)
    for name in ("claim", "study"):
        wrong = differs(study.record[name], second.record[name], f"the second study's {name}")
        need(not wrong, wrong)
    other = [name for name in ALIKE if study.record["contract"][name] != second.record["contract"][name]]
    need(not other, f"the second study was run under another contract: {other}")
    ours = {"root": second.record["root"], "tree_head": tree_head(second.leaves), "result_digest": result(second)}
    wrong = differs(ours, said["second"], "the statement's second study:")
    need(not wrong, wrong)
    if said["challenge"] is None:
        need(second.record["root"] == study.record["root"], "no challenge, and another root than the first study's")
        found = "repeated to the bit" if result(study) == result(second) else "repeated with another result"
    else:
        drawn = sha(f"challenge|{study.record['claim_digest']}|{said['challenge']}".encode()).hex()
        need(second.record["root"] == drawn != study.record["root"], "the second study's root is not of the challenge")
        second.record = {**second.record, "given_root": False}  # whose root it is stands in the statement
        found = "reproduced" if decide(second)["verdict"].startswith("SUPPORTED") else "not reproduced"
    need(said["word"] == found, f"it says {said['word']!r}, the two studies say {found!r}")
    return f"both studies were read here; the second is sound and {decide(second)['verdict']} by itself"


def verify(folder: Path | str, statement: Json = None, checkpoint: Json = None, trusted: str | None = None,
           processes: int = 1) -> Record:  # fmt: skip
    """Everything as JSON; LookupError for what is not a study or statement, or has a ledger of a newer version.

    Statement and checkpoint are paths or None. `trusted` is the public key (`name+id+key`) of a party other than the
    claimant: its statements raise the level. Of two processes the second is a fork that does half of the work.
    """
    collecting = gc.isenabled()
    gc.disable()  # nothing here goes in a circle; looking for circles among millions of values would take seconds
    try:
        with unpacked(Path(folder)) as study:
            return _verified(Study(study, processes), statement, checkpoint, trusted)
    finally:
        if collecting:
            gc.enable()


def outcome(study: Study, check: Callable[[Study], str]) -> tuple[bool | None, str]:
    """Of one check: whether it holds (None: not come to yet), and what it says."""
    try:
        need(check in (files, log) or (study.record and not study.fault), "no whole log with a claim in it", None)
        return True, check(study)
    except Finding as finding:
        return finding.args[0], finding.args[1]
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return False, f"a record is not what it should be: {type(error).__name__}: {error}"


def _verified(study: Study, statement: Path | str | None, checkpoint: Path | str | None, trusted: str | None) -> Record:
    checks: list[Record] = []
    named: dict[str, Callable[[Study], str]] = {one.__name__: one for one in CHECKS}
    named |= {"remembered": partial(remembered, path=Path(checkpoint))} if checkpoint is not None else {}
    with meanwhile(lambda: [outcome(study, named[name]) for name in APART], study.two and not study.fault) as result:
        said = {name: outcome(study, check) for name, check in named.items() if name not in APART}
        said |= zip(APART, result(), strict=True)
    for name, (ok, detail) in ((name, said[name]) for name in named):
        checks.append({"name": name, "ok": ok, "detail": f"not checked: {detail}" if ok is None else detail})
    if study.newer and checks[0]["ok"] is not False:  # a changed byte is no newer version
        raise LookupError(study.newer)
    told = {ok: [f"{one['name']}: {one['detail']}" for one in checks if one["ok"] is ok] for ok in (False, None)}
    effect = dict.fromkeys(("estimate", "low", "high", "confidence", "unit", "n"))
    word = "INVALID" if told[False] else "INCONCLUSIVE"
    found: Record = {"verdict": word, "level": 0, "rung": None, "endogenous": None, "effect": effect}
    found = {**found, "reasons": told[False] or told[None]} if any(told.values()) else decide(study)
    beside: Record = {} if statement is None else {"attached": attached(study, Path(statement), trusted, found)}
    if statement is not None and beside["attached"]["counts"]:
        found = {**found, "level": beside["attached"]["level"]}
    if gone := {} if study.fault else redacted(study):
        beside["redacted"] = gone
    if parted := {} if any(told.values()) else shares(study):
        beside["shares"] = parted
    beside["record"] = levels(study, checks)
    return {"schema": "netgain.verify/1", **explained(found), "checks": checks, **beside}


def levels(study: Study, checks: Sequence[Record]) -> Record:
    """What of the record was checked: V0 well-formed, V1 all of it signed, V2 as remembered elsewhere, V3 the verdict.

    Reached is the last step before the first that is not. This is not the level of evidence (docs/concepts.md).
    """
    ok, told = ({one["name"]: one[what] for one in checks} for what in ("ok", "detail"))
    covers = f"signed up to entry {study.covered} of {len(study.entries)}: {told['signatures']}"
    steps = {
        "V0": (ok["log"] and ok["registration"] and ok["files"] is not False, "the record is not whole"),
        "V1": (ok["signatures"] and 0 < study.covered == len(study.entries),
               covers if study.covered else told["signatures"]),
        "V2": (ok.get("remembered"), told.get("remembered", "no remembered checkpoint was given (--checkpoint FILE)")),
        "V3": (all(one is True for one in ok.values()), "the verdict was not computed again"),
    }  # fmt: skip
    reached = [*takewhile(lambda name: steps[name][0], steps)]
    missed = {name: why for name, (holds, why) in steps.items() if not holds}
    found = {"reached": reached[-1] if reached else None, **{name: name not in missed for name in steps}}
    return {**found, **({} if reached else {"reached_reason": missed["V0"]}), "missed": missed}


def explained(found: Record) -> Record:
    """The same with `NAME_reason` beside every value that is null."""
    found = {name: value for name, value in found.items() if name not in ("limits", "vacuous")}
    why, effect = found["reasons"][0], found["effect"]
    steered = "an outside verdict chose what was served, and the arm `ungated` was not run"
    told = {"rung": why, "endogenous": steered if found["rung"] not in (None, "R0") else why}
    reasons = {f"{name}_reason": reason for name, reason in told.items() if found[name] is None}
    ends = {f"{name}_reason": f"the scores do not bound it: {why}" for name, one in effect.items() if one is None}
    return {**found, **reasons, "effect": {**effect, **ends}}


def in_words(found: Record) -> str:
    """The result for people: a line per check, then the word with its numbers, then the reasons."""
    marks = {True: "ok  ", False: "FAIL", None: "-   "}
    lines = [f"{marks[one['ok']]} {one['name']:<13} {one['detail']}" for one in found["checks"]]
    numbers = {"rung": found["rung"], "level": found["level"], **found["effect"]}
    lines += [f"{found['verdict']}: {', '.join(f'{name} {value}' for name, value in numbers.items())}"]
    steps = {"V0": "well-formed", "V1": "signed", "V2": "as remembered", "V3": "verdict computed again"}
    kept = found["record"]
    said = [f"{name} {what}" if kept[name] else f"not {name}: {kept['missed'][name]}" for name, what in steps.items()]
    lines += [f"record {kept['reached'] or 'no level'} ({'; '.join(said)})"]
    if "attached" in found:
        one = found["attached"]
        lines += [f"{marks[one['holds']]} statement     {one['word']}: {one['detail']}; {one['counts_reason']}"]
    for name, one in found.get("shares", {}).items():
        lines += [f"     share of {name}: {one['mean']} [{one['low']}, {one['high']}], {one['starts']} starts"]
    return "\n".join([*lines, *(f"     {reason}" for reason in found["reasons"])])


def main(arguments: Sequence[str]) -> int:
    try:
        given, named = [one for one in arguments if one != "--json"], dict[str, str]()
        for option in ("--statement", "--checkpoint", "--trust"):
            if option in given:
                at = given.index(option)
                named[option] = given[at + 1]
                del given[at : at + 2]
        (folder,) = given
        statement, checkpoint, trusted = map(named.get, ("--statement", "--checkpoint", "--trust"))
        found = verify(folder, statement, checkpoint, trusted, processes=2)
    except (LookupError, ValueError, OSError) as error:
        usage = (
            "usage: python3 verify.py STUDY|BUNDLE.zip [--checkpoint FILE] [--statement FILE [--trust KEY]] [--json]"
        )
        print(f"verify: {error}\n{usage}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=2) if "--json" in arguments else in_words(found))
    return EXIT[found["verdict"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
