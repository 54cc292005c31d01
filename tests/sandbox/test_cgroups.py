"""Where control groups can be made, read from what the kernel says of itself; and one real group where we may."""

import os
import subprocess
from pathlib import Path

import pytest

from netgain.errors import SandboxError
from netgain.sandbox.cgroups import Group, Place, places, swept

FIRST = """30 25 0:26 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
31 25 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
"""


def machine(tmp_path, mounted, groups):
    """A folder that says what /proc/self would say."""
    proc = tmp_path / "proc"
    proc.mkdir()
    (proc / "mountinfo").write_text(mounted)
    (proc / "cgroup").write_text(groups)
    return proc


def second(tmp_path, *, controllers="memory pids", handed="memory pids"):
    """A machine with version 2 only, whose own group is /user/job."""
    own = tmp_path / "unified/user/job"
    own.mkdir(parents=True)
    for name, text in (("cgroup.controllers", controllers), ("cgroup.subtree_control", handed), ("cgroup.procs", "")):
        (own / name).write_text(text)
    mounted = f"30 25 0:26 / {tmp_path}/unified rw,relatime - cgroup2 cgroup2 rw\n"
    return machine(tmp_path, mounted, "0::/user/job\n"), own


def found(proc):
    return {one.controller: one for one in places(proc)}


def test_version_2_is_taken_where_it_hands_its_controllers_on(tmp_path):
    proc, own = second(tmp_path)
    assert found(proc)["memory"] == Place("memory", own, 2) and found(proc)["pids"] == Place("pids", own, 2)


def test_version_2_without_controllers_is_missing_with_its_reason(tmp_path):
    proc, _ = second(tmp_path, controllers="cpu", handed="")
    assert found(proc)["memory"].folder is None and "does not hand it on" in found(proc)["memory"].reason


def test_version_2_is_asked_to_hand_on_what_it_has(tmp_path):
    proc, own = second(tmp_path, handed="")
    assert found(proc)["pids"].folder == own
    assert (own / "cgroup.subtree_control").read_text() == "+pids"


def test_version_1_is_taken_where_version_2_has_nothing(tmp_path):
    for name in ("pids", "memory"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep/tasks").write_text("")
    mounted = FIRST.replace("/sys/fs/cgroup", str(tmp_path)) + f"9 9 0:9 / {tmp_path}/none rw - cgroup2 cgroup2 rw\n"
    proc = machine(tmp_path, mounted, "8:pids:/\n4:memory:/deep\n0::/\n")
    assert found(proc)["memory"] == Place("memory", tmp_path / "memory/deep", 1)


def test_a_mount_of_a_part_of_the_tree_is_understood(tmp_path):
    proc, own = second(tmp_path)
    (proc / "mountinfo").write_text(f"30 25 0:26 /user {tmp_path}/unified/user rw - cgroup2 cgroup2 rw\n")
    assert found(proc)["memory"].folder == own


def test_a_machine_without_proc_has_no_groups(tmp_path):
    assert {one.reason for one in places(tmp_path / "nothing")} == {"there are no control groups here"}


def test_what_cannot_be_limited_is_named():
    group = Group(1 << 20, 4, [Place("memory", None, reason="none"), Place("pids", None, reason="not ours")])
    assert group.missing == ["memory: none", "pids: not ours"]
    assert not group.keeps_memory and not group.keeps_processes
    assert group.broken() is None and group.peak() is None and group.cpu_s() is None and group.alive() == []


def real():
    mine = [one for one in places() if one.folder is not None]
    if len([one for one in mine if one.controller in ("memory", "pids")]) < 2:
        pytest.skip("; ".join(one.reason for one in places() if one.folder is None))
    return Group(64 << 20, 3)


def test_what_a_thread_starts_inside_is_born_inside_and_the_thread_comes_back():
    group = real()
    ours = Path("/proc/thread-self/cgroup")
    before = ours.read_text()
    try:
        with group.entered():
            child = subprocess.Popen(["sleep", "60"])
        group.move([child.pid])
        assert ours.read_text() == before
        assert group.alive() == [child.pid] and group.used()[1] == 1
        with pytest.raises(SandboxError, match="still alive"):
            group.close()
        child.kill()
        child.wait()
    finally:
        group.close()


def test_groups_of_dead_processes_are_removed(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f"netgain-{gone.pid}-0").mkdir()
    (tmp_path / f"netgain-{os.getpid()}-0").mkdir()
    assert swept(tmp_path) == 1 and [path.name for path in tmp_path.iterdir()] == [f"netgain-{os.getpid()}-0"]
