"""Archives are unpacked into memory by the collector's rules; each hostile one is made here and refused."""

import gzip
import io
import stat
import tarfile
import zipfile

import pytest

from netgain.errors import EvaluateError
from netgain.sandbox.archives import lay_out, unpack_archive
from netgain.sandbox.collector import Room

ROOM = Room(file=1 << 20, total=1 << 21, files=20, folders=10, depth=3)


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content, *mode in members:
            one = zipfile.ZipInfo(name)
            one.compress_type = method
            one.external_attr = (mode[0] if mode else stat.S_IFREG | 0o644) << 16
            archive.writestr(one, content)
    return made.getvalue()


def tarred(*members):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content, *kind in members:
            one = tarfile.TarInfo(name)
            one.type = kind[0] if kind else tarfile.REGTYPE
            if one.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                one.linkname, content = content, b""
            one.size = len(content)
            archive.addfile(one, io.BytesIO(content))
    return made.getvalue()


def changed(data, old, new):
    assert data.count(old) >= 1
    return data.replace(old, new)


def overlapping():
    """A zip whose directory lists the same packed bytes under many names."""
    whole = zipped(("a", b"x" * 3000), method=zipfile.ZIP_STORED)
    place = whole.rindex(b"PK\x01\x02")
    end = whole.rindex(b"PK\x05\x06")
    entry, tail = whole[place:end], whole[end:]
    entries = b"".join(entry[:46] + bytes([ord("a") + n]) for n in range(4))
    count = (4).to_bytes(2, "little")
    return whole[:place] + entries + tail[:8] + count + count + len(entries).to_bytes(4, "little") + tail[16:]


BOMB = bytes(1 << 20)
LISTED = b"PK\x01\x02\x14\x03\x14\x00"  # a member of the directory, up to its flags
HOSTILE = {
    "zip: dot-dot": zipped(("../x", b"1")),
    "zip: dot-dot inside": zipped(("a/../../x", b"1")),
    "zip: absolute": zipped(("/x", b"1")),
    "zip: backslash": zipped(("..\\x", b"1")),
    "zip: link": zipped(("x", b"/etc/passwd", stat.S_IFLNK | 0o777)),
    "zip: device": zipped(("x", b"", stat.S_IFCHR | 0o666)),
    "zip: FIFO": zipped(("x", b"", stat.S_IFIFO | 0o666)),
    "zip: bomb by ratio": zipped(("x", BOMB)),
    "zip: too much in all": zipped(*((f"{n}", bytes(1 << 20)) for n in range(3)), method=zipfile.ZIP_STORED),
    "zip: one too large": zipped(("x", bytes((1 << 20) + 1)), method=zipfile.ZIP_STORED),
    "zip: too many": zipped(*((str(n), b"") for n in range(21))),
    "zip: far too many": zipped(*((str(n), b"") for n in range(31))),
    "zip: too deep": zipped(("a/b/c/d", b"")),
    "zip: a file below a file": zipped(("a", b"1"), ("a/b", b"2")),
    "zip: encrypted": changed(zipped(("xyz", b"1")), LISTED + b"\x00", LISTED + b"\x01"),
    "zip: unknown packing": zipped(("x", b"1" * 100), method=zipfile.ZIP_LZMA),
    "zip: overlapping": overlapping(),
    "zip: damaged": zipped(("x", b"1" * 100))[:-30],
    "zip: wrong checksum": changed(zipped(("x", b"abcdef"), method=zipfile.ZIP_STORED), b"abcdef", b"abcdeg"),
    "tar: dot-dot": tarred(("../x", b"1")),
    "tar: absolute": tarred(("/x", b"1")),
    "tar: symbolic link": tarred(("x", "/etc/passwd", tarfile.SYMTYPE)),
    "tar: hard link": tarred(("x", "/etc/passwd", tarfile.LNKTYPE)),
    "tar: link, then write through it": tarred(("x", "/tmp", tarfile.SYMTYPE), ("x/y", b"1")),
    "tar: device": tarred(("x", b"", tarfile.CHRTYPE)),
    "tar: FIFO": tarred(("x", b"", tarfile.FIFOTYPE)),
    "tar: sparse": tarred(("x", b"", tarfile.GNUTYPE_SPARSE)),
    "tar: comes twice": tarred(("x", b"1"), ("x", b"2")),
    "tar: comes twice in two ways": tarred(("x", b"1"), ("./x", b"2")),
    "tar: a name with an escape": tarred(("\x1b[2J", b"1")),
    "tar: bomb by gzip": gzip.compress(tarred(("x", BOMB)), mtime=0),
    "tar: more after gzip": gzip.compress(tarred(("x", b"1")), mtime=0) + b"more",
    "tar: half of gzip": gzip.compress(tarred(("x", b"1")), mtime=0)[:-10],
    "tar: cut": tarred(("x", b"1" * 2000))[:1000],
    "neither": b"no archive at all",
    "bzip2": b"BZh91AY&SY" + bytes(20),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(name):
    with pytest.raises(EvaluateError, match="output refused") as error:
        unpack_archive(HOSTILE[name], ROOM)
    assert error.value.what.isprintable()


def test_members_over_each_other_are_found_before_any_is_read():
    with pytest.raises(EvaluateError, match="lie over each other"):
        unpack_archive(HOSTILE["zip: overlapping"], ROOM)


@pytest.mark.parametrize("make", [zipped, tarred, lambda *one: gzip.compress(tarred(*one), mtime=0)])
def test_an_honest_archive_gives_its_files(make, tmp_path):
    found = unpack_archive(make(("a", b"1"), ("b/c", b"2" * 1000)), ROOM)
    assert found == {"a": b"1", "b/c": b"2" * 1000}
    lay_out(found, tmp_path / "new")
    assert (tmp_path / "new" / "b" / "c").read_bytes() == b"2" * 1000
    with pytest.raises(FileExistsError):
        lay_out(found, tmp_path / "new")


def test_folders_and_leading_dots_of_common_tools_are_fine(tmp_path):
    (tmp_path / "in" / "b").mkdir(parents=True)
    (tmp_path / "in" / "b" / "c").write_bytes(b"2")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.add(tmp_path / "in", arcname=".")
    assert unpack_archive(made.getvalue(), ROOM) == {"b/c": b"2"}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.write(tmp_path / "in" / "b", "b/")
        archive.write(tmp_path / "in" / "b" / "c", "b/c")
    assert unpack_archive(made.getvalue(), ROOM) == {"b/c": b"2"}


def test_what_compresses_well_but_is_small_is_no_bomb():
    assert unpack_archive(zipped(("x", bytes(60_000))), ROOM) == {"x": bytes(60_000)}
