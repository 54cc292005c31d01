"""Work that comes after the rounds, side by side, until somebody asks to end it.

What a call did is in the log when it returns, and is not done again: whoever ends between two calls loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Ended(Exception):
    """Somebody asked to stop or pause before everything was done."""


def each(calls: Sequence[tuple[Any, ...]], hands: int, asked: Callable[[], bool]) -> None:
    """Do calls, each a function and its arguments, with so many threads; once somebody asked, none is begun.

    Raises:
        Ended: some were not begun.
    """

    def done(call: tuple[Any, ...]) -> bool:
        if asked():
            return False
        call[0](*call[1:])
        return True

    with ThreadPoolExecutor(hands) as pool:
        begun = [one.result() for one in [pool.submit(done, call) for call in calls]]
    if not all(begun):
        raise Ended
