"""Accounts that root gives to jobs, and bytes that are handed to processes."""

import os
import threading

import pytest

from netgain.errors import SandboxError
from netgain.sandbox.accounts import PLACES, account, number
from netgain.sandbox.handing import _unlinked, checked_name, readable


@pytest.mark.parametrize("mapped", [(1 << 32) - 1, (1 << 31) - 1, 65536, 1000])
def test_places_of_a_process_have_different_numbers_that_this_machine_maps(mapped):
    found = [number(place, mapped) for place in range(PLACES)]
    assert len(set(found)) == PLACES
    assert all(0 < one < mapped for one in found)


def test_an_account_that_somebody_has_is_not_given_away(monkeypatch):
    taken = number(0, 1 << 20)
    monkeypatch.setattr("netgain.sandbox.accounts._known", lambda one: one == taken)
    assert number(0, 1 << 20) not in (taken, 0)


def test_a_place_is_free_again_afterwards():
    if os.geteuid() != 0:
        with account() as none:
            assert none is None
        return
    with account() as first, account() as second:
        assert first != second
    with account() as again:
        assert again == first


def test_threads_get_places_of_their_own():
    if os.geteuid() != 0:
        pytest.skip("only root has accounts to give")
    meeting, found = threading.Barrier(4), []

    def job():
        with account() as one:
            found.append(one)
            meeting.wait(10)

    threads = [threading.Thread(target=job) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 4


@pytest.mark.parametrize("make", [readable, _unlinked])
def test_bytes_are_read_from_their_start(make):
    end = make(b"x" * 100_000)
    try:
        assert os.read(end, 200_000) == b"x" * 100_000
    finally:
        os.close(end)


def test_nobody_can_change_what_was_handed():
    end = readable(b"same")
    try:
        for do in (lambda: os.write(end, b"other"), lambda: os.ftruncate(end, 0), lambda: os.pwrite(end, b"o", 0)):
            with pytest.raises(OSError, match="not permitted"):
                do()
        assert os.pread(end, 10, 0) == b"same"
    finally:
        os.close(end)


@pytest.mark.parametrize("name", ["a", "a/b.txt", ".hidden", "a..b"])
def test_a_plain_name_is_taken(name):
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "./a", "../a", "a/../b", "a\0b", "main.py"])
def test_a_name_that_leads_out_is_refused(name):
    with pytest.raises(SandboxError, match="expected one inside"):
        checked_name(name)
