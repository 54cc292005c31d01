"""Power loss at every write of a random workload: every image of the disk is opened by the real code and looked at.

What was acknowledged has to be there, unchanged; what is there has to be whole; and work has to be able to go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from netgain.errors import NetgainError
from netgain.ledger import Event, Ledger, files, fold
from netgain.ledger.files import DIGESTS
from netgain.stores import ObjectStore
from netgain.testing.crashdb import recorded
from netgain.testing.crashfs import Image, RecordedOs, Recording, images

STUDY = "study"
OBJECTS = "objects"


@dataclass(frozen=True)
class Kept:
    """What was acknowledged: the ledger's size and tree head so far, or the digest of one object."""

    size: int | None = None
    root: str = ""
    name: str = ""


@dataclass
class Found:
    """What looking at many images showed.

    Attributes:
        images: how many were looked at.
        different: how many of them differ in their bytes; equal disks have equal ends and are opened once.
        wrong: (image, what was wrong), nothing if all is well.
    """

    images: int = 0
    different: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)


def workload(folder: Path, seed: int, *, steps: int = 12, short: bool = False) -> Recording:
    """A small study's life, recorded: objects, entries that move rows, a reopening, sometimes the end.

    Args:
        folder: empty, where it really happens.
        seed: of everything that is drawn.
        steps: appends.
        short: writes of plain files may take fewer bytes than they are given.
    """
    chance, recording = Random(seed), Recording(folder)
    takes: Callable[[int], int] = (lambda size: chance.randint(1, max(1, size))) if short else lambda size: size
    with recorded(recording, RecordedOs(recording, takes)):
        log = Ledger.create(folder / STUDY)
        recording.acknowledge(Kept(0, log.root()))
        for step in range(steps):
            store = ObjectStore(folder / STUDY / OBJECTS)  # a new session knows nothing of what the last one flushed
            names = [store.put(chance.randbytes(chance.randint(0, 3000))) for _ in range(chance.randint(0, 2))]
            for name in names:
                recording.acknowledge(Kept(name=name))
            data = {"n": step, "objects": names, "fill": "x" * chance.randint(0, 6000), "row": {"n": step}}
            log.append([Event("note", None, {"n": step}), Event("stage_done", f"r{chance.randint(0, 2)}/self", data)])
            recording.acknowledge(Kept(log.size, log.root()))
            if chance.random() < 0.15:
                log.close()
                log = Ledger.open(folder / STUDY)
        _end(log, finished=chance.random() < 0.5)
    return recording


class Interrupted(BaseException):
    """A session that was killed here."""


def objects_workload(folder: Path, seed: int, *, steps: int = 20) -> Recording:
    """Objects alone, by sessions that know nothing of each other, on a disk that takes as many bytes as it likes.

    Some are killed between the rename of a file and the flush of its folder; the next one keeps the same bytes.
    """
    chance, recording = Random(seed), Recording(folder)

    def killed(number: int) -> None:
        if recording.ops[-1].kind == "unname":
            raise Interrupted

    with recorded(recording, RecordedOs(recording, lambda size: chance.randint(1, max(1, size)))):
        files.make_folder(folder / STUDY)
        for _ in range(steps):
            data = chance.randbytes(chance.choice([1, 600, 5000]))
            if chance.random() < 0.3:
                recording.before = killed
                with suppress(Interrupted):
                    ObjectStore(folder / STUDY / OBJECTS).put(data)
                recording.before = lambda number: None
            recording.acknowledge(Kept(name=ObjectStore(folder / STUDY / OBJECTS).put(data)))
    return recording


def _end(log: Ledger, *, finished: bool) -> None:
    if finished:
        log.seal_files()
    else:
        log.close()


def survives(recording: Recording, seed: int, scratch: Path, *, most: int | None = None) -> Found:
    """Look at every image of a recording, or at so many drawn ones."""
    chance, found, known = Random(seed), Found(), dict[str, Ended]()
    made = images(recording.ops, chance)
    for image in made if most is None else _drawn(made, 4 * len(recording.ops) + 4, most, chance):
        found.images += 1
        key = _digest(image.tree)
        if key not in known:
            found.different += 1
            known[key] = ended(image.write(scratch) / STUDY)
        acknowledged = recording.acknowledged(image.place)
        found.wrong += [(f"{image.model} at {image.place}", one) for one in _lost(known[key], acknowledged)]
    return found


def _drawn(made: Iterator[Image], count: int, most: int, chance: Random) -> Iterator[Image]:
    taken = set(chance.sample(range(count), min(count, most)))
    return (image for number, image in enumerate(made) if number in taken)


def _digest(tree: Mapping[str, bytes | None]) -> str:
    whole = hashlib.sha256()
    for path, data in tree.items():
        whole.update(repr((path, data and hashlib.sha256(data).digest())).encode())
    return whole.hexdigest()


@dataclass(frozen=True)
class Ended:
    """What the real code makes of a disk.

    Attributes:
        roots: size -> tree head of the log that it opens; empty where there is no ledger.
        objects: names of the objects that are there, all of them whole.
        wrong: what is broken in itself.
    """

    roots: Mapping[int, str]
    objects: frozenset[str]
    wrong: tuple[str, ...]


def ended(study: Path) -> Ended:
    """Open a study folder as the next `run` would, and go on in it."""
    wrong: list[str] = []
    store = ObjectStore(study / OBJECTS)
    objects = [name for name in store.digests() if _whole(store, name, wrong)]
    try:
        roots = _opened(study, wrong)
    except NetgainError as error:
        wrong.append(f"the ledger does not open: {error}")
        roots = {}
    return Ended(roots, frozenset(objects), tuple(wrong))


def _whole(store: ObjectStore, name: str, wrong: list[str]) -> bool:
    try:
        store.get(name)
    except NetgainError as error:
        wrong.append(f"object {name[:12]}: {error.what}")
        return False
    return True


def _opened(study: Path, wrong: list[str]) -> dict[int, str]:
    if not Ledger.begun(study):
        return {}
    with Ledger.open(study, reopen=(study / DIGESTS).exists()) as log:
        entries = list(log.events())
        roots = {size: log.root(size) for size in range(len(entries) + 1)}
        if log.rows() != fold(entries):
            wrong.append("the rows are not those of the log")
        if (checked := log._db.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            wrong.append(f"integrity: {checked}")
        log.append([Event("note", None, {"after": "the power loss"})])
    return roots


def _lost(end: Ended, acknowledged: list[Kept]) -> list[str]:
    wrong = list(end.wrong)
    for one in acknowledged:
        if one.size is None:
            wrong += [] if one.name in end.objects else [f"acknowledged object {one.name[:12]} is lost"]
        elif end.roots.get(one.size) != one.root:
            wrong.append(f"acknowledged log of {one.size} entries is lost or changed")
    return wrong
