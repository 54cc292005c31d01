"""A bundle is the study in one file: equal bytes each time, verified as it is, and refused when it would do harm."""

import hashlib
import io
import json
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from signed import signed_study

from netgain import verify
from netgain.bundle import write_bundle
from netgain.errors import ConfigError, IntegrityError
from netgain.ledger.files import DIGESTS
from study_forgery import fingerprint, shared

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    return shared(tmp_path_factory, "bundled", lambda folder: signed_study(folder, home))


@pytest.fixture(scope="session")
def bundle(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(study, tmp_path_factory.mktemp("out") / "study.zip").path


def test_a_bundle_says_what_its_folder_says(study: Path, bundle: Path) -> None:
    before = fingerprint(study)
    for remembered in (None, study / "checkpoints.txt"):
        found = verify.verify(bundle, checkpoint=remembered)
        assert found == verify.verify(study, checkpoint=remembered)
        assert found["record"]["reached"] == ("V1" if remembered is None else "V3")
    assert all(one["ok"] for one in found["checks"])
    assert fingerprint(study) == before


def test_the_same_study_gives_the_same_bytes(study: Path, bundle: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(study, tmp_path / "elsewhere"))
    made = write_bundle(moved, tmp_path / "again.zip")
    assert made.path.read_bytes() == bundle.read_bytes()
    assert (made.sha256, made.size) == (hashlib.sha256(bundle.read_bytes()).hexdigest(), bundle.stat().st_size)
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert json.loads(archive.read("bundle.json"))["files"] == made.files == len(names) - 4
        assert len(archive.read("README.txt").decode().splitlines()) == 2
        assert archive.read("keys.txt").decode().startswith("lab+")
    assert {"study/ledger.db", "study/checkpoints.txt", "study/report.html", "study/study.sha256"} < {*names}


def test_one_file_and_plain_python_check_a_bundle(bundle: Path, tmp_path: Path) -> None:
    alone = shutil.copy(str(verify.__file__), tmp_path / "verify.py")
    done = subprocess.run([sys.executable, "-I", "-S", alone, bundle, "--json"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (4, "")
    assert json.loads(done.stdout) == verify.verify(bundle)
    assert [path.name for path in tmp_path.iterdir()] == ["verify.py"]


def test_what_is_not_sealed_whole_or_has_no_place_is_not_bundled(study: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(study, tmp_path / "copy"))
    with pytest.raises(ConfigError, match="inside the study"):
        write_bundle(copy, copy / "bundle.zip")
    (tmp_path / "there.zip").write_text("mine")
    with pytest.raises(ConfigError, match="exists"):
        write_bundle(copy, tmp_path / "there.zip")
    (copy / "claim.toml").write_text("# another\n")
    with pytest.raises(IntegrityError, match="'claim.toml' is not what was sealed"):
        write_bundle(copy, tmp_path / "out.zip")
    (copy / "claim.toml").unlink()
    with pytest.raises(IntegrityError, match=r"'claim.toml'"):
        write_bundle(copy, tmp_path / "out.zip")
    (copy / DIGESTS).unlink()
    with pytest.raises(ConfigError, match="not finished"):
        write_bundle(copy, tmp_path / "out.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"copy", "there.zip"}


def test_a_bundle_with_a_changed_study_inside_is_invalid(bundle: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(spoilt, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(entry, data + b" " if entry.filename == "study/report.html" else data)
    found = verify.verify(spoilt)
    assert (found["verdict"], found["record"]["reached"]) == ("INVALID", None)
    assert "report.html" in found["reasons"][0]


# --- hostile files ----------------------------------------------------------------------------------------------------


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr, made.compress_type = 3, mode << 16, zipfile.ZIP_DEFLATED
    return made


def zipped(*parts: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for one, data in parts:
            archive.writestr(one, data)
    return file.getvalue()


def renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    """A zip whose writer did not mind the name."""
    assert len(old) == len(new) and data.count(old) == 2
    return data.replace(old, new)


HOSTILE = {
    "up": (lambda: zipped((entry("study/../../evil"), b"x")), "is not a plain path"),
    "absolute": (lambda: zipped((entry("/tmp/evil"), b"x")), "is not a plain path"),
    "backslash": (lambda: zipped((entry("study\\..\\evil"), b"x")), "is not a plain path"),
    "drive": (lambda: zipped((entry("C:/evil"), b"x")), "is not a plain path"),
    "nothing": (lambda: zipped((entry("study//evil"), b"x")), "is not a plain path"),
    "hidden end": (lambda: renamed(zipped((entry("study/aXb"), b"x")), b"aXb", b"a\0b"), "is not a plain path"),
    "link": (lambda: zipped((entry("study/link", stat.S_IFLNK | 0o777), b"/etc/passwd")), "is a link or no file"),
    "device": (lambda: zipped((entry("study/null", stat.S_IFCHR | 0o666), b"")), "is a link or no file"),
    "folder": (lambda: zipped((entry("study/folder/", stat.S_IFDIR | 0o755), b"")), "is not a plain path"),
    "bomb": (lambda: zipped((entry("study/zeros"), bytes(1 << 25))), "more than a hundred times its own size"),
    "other case": (lambda: zipped((entry("study/a"), b"x"), (entry("study/A"), b"y")), "is there twice"),
    "file as folder": (lambda: zipped((entry("study/a"), b"x"), (entry("study/a/b"), b"y")), "is not a bundle"),
    "text": (lambda: b"no zip at all", "is not a bundle"),
    "empty": (lambda: b"", "is not a bundle"),
    "other files": (lambda: zipped((entry("other/ledger.db"), b"x")), "is not a study"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_and_writes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, said = HOSTILE[name]
    (tmp_path / "in").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "in"))
    (tmp_path / "hostile.zip").write_bytes(make())
    with pytest.raises(LookupError, match=said):
        verify.verify(tmp_path / "hostile.zip")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["hostile.zip", "in"]


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped((entry("study/a"), b"x"), (entry("study/a"), b"y"))
    (tmp_path / "twice.zip").write_bytes(data)
    with pytest.raises(LookupError, match="is there twice"):
        verify.verify(tmp_path / "twice.zip")


def test_a_cut_off_or_flipped_bundle_is_refused_or_invalid_or_the_same(bundle: Path, tmp_path: Path) -> None:
    data, path, right = bundle.read_bytes(), tmp_path / "spoilt.zip", verify.verify(bundle)
    spoils: list[Callable[[], bytes]] = [lambda cut=cut: data[:cut] for cut in (10, len(data) // 2, len(data) - 1)]
    for number in range(12):
        place = number * len(data) // 12 + 7
        spoils.append(lambda place=place: data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
    refused = 0
    for spoil in spoils:
        path.write_bytes(spoil())
        try:
            found = verify.verify(path)
        except LookupError:
            refused += 1
            continue
        assert found["verdict"] == "INVALID" or found == right
    assert refused > 3


# --- golden bundles: they verify for ever -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.zip")), ids=lambda path: path.stem)
def test_a_golden_bundle_still_verifies(path: Path) -> None:
    """Made by an earlier netgain (tests/golden/README.md); a verifier that cannot read it any more breaks a promise."""
    told = json.loads((GOLDEN / "expected.json").read_text())[path.stem]
    kept = GOLDEN / f"{path.stem}.checkpoints.txt"
    found = verify.verify(path, checkpoint=kept if kept.exists() else None)
    assert [one["name"] for one in found["checks"] if one["ok"] is not True] == []
    assert {name: {**found, **found["record"]}[name] for name in told} == told
    assert hashlib.sha256(path.read_bytes()).hexdigest() in (GOLDEN / "README.md").read_text()
    assert path.stat().st_size < 300_000


def test_there_are_golden_bundles() -> None:
    assert len(list(GOLDEN.glob("*.zip"))) >= 2
