"""Every failure that netgain raises on purpose, with the exit code a command ends with.

    NetgainError        1
      ConfigError       2   the caller's mistake, found before anything runs
      StageError        1   a stage of the loop failed; carries stage, round, candidate
        ProposeError
        BuildError
        EvaluateError
          Poisoned
        GateError
        PromoteError
      SandboxError      1   our side failed (timeout, memory, died); never a score
        WorkerDied      1   a worker that was ready ended, or was ended, in the middle of a task
      LedgerError       7   corrupt or in conflict
      IntegrityError    7   a protected input, split or evaluator changed
      Busy             75   another run holds the folder
      DiskFull          5   no room left; the state is kept
      Outage            5   a service that the loop needs does not answer; the state is kept
      Stopped           5   somebody asked to stop or pause; the state is kept
      Waiting           6   all that is left waits for the answer of a person
    BudgetExhausted     8   a normal end, therefore no NetgainError

A newer ledger, a missing permission and an unknown name are ConfigErrors: the caller can mend them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar


class NetgainError(Exception):
    """A failure that says what happened, where, and what to do next.

    Args:
        what: What happened: the offending value quoted with ``!r``, and what was expected.
        where: ``file:line``, an event or a run; None where no place is to blame.
        fix: The next step, a command if there is one; None where nobody but us can take it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        step = f"; {self.fix}" if self.fix else ""
        return f"{place}{self.what}{step}"

    def as_json(self) -> dict[str, str | int | None]:
        """Return the same three facts for ``--json``, with the error's name and exit code."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "fix": self.fix,
            "exit_code": self.exit_code,
        }


class ConfigError(NetgainError):
    """The caller's mistake, found before anything runs."""

    exit_code = 2

    @classmethod
    def unknown(cls, kind: str, name: str, known: Iterable[str], *, where: str | None = None) -> ConfigError:
        """Return the error for a name that is not in a closed list.

        Args:
            kind: What the name should have been: "key", "recipe", "arm", ...
            name: The name as it was given.
            known: The names that exist, in the order in which they are listed.
            where: The place of the name, ``file:line``.
        """
        from difflib import get_close_matches  # only a mistake needs it

        names = list(known)
        listed = ", ".join(repr(other) for other in names) or "none (there are none)"
        near = get_close_matches(name, names, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else "take one of them or remove it"
        return cls(f"unknown {kind} {name!r}, expected one of {listed}", where=where, fix=fix)


class StageError(NetgainError):
    """A stage of the loop failed on one candidate.

    Args:
        what: What happened.
        where: The place in the ledger or in the loop's code.
        fix: The next step.
        round: The round in which it happened, from 1; None outside rounds.
        candidate: Digest of the candidate; None where none was made.
    """

    stage: ClassVar[str] = "unknown"

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        fix: str | None = None,
        round: int | None = None,
        candidate: str | None = None,
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.round = round
        self.candidate = candidate

    def as_json(self) -> dict[str, str | int | None]:
        """Return the base error's facts with stage, round and candidate."""
        return {**super().as_json(), "stage": self.stage, "round": self.round, "candidate": self.candidate}


class ProposeError(StageError):
    """The loop raised, or returned no admissible change, when asked for a proposal."""

    stage = "propose"


class BuildError(StageError):
    """A change could not be turned into a system."""

    stage = "build"


class EvaluateError(StageError):
    """Answers could not be obtained or scored; the pair is incomplete, never scored 0."""

    stage = "judge"


class Poisoned(EvaluateError):
    """A task killed its worker as often as is allowed: it has no result, and is evidence in neither direction."""


class GateError(StageError):
    """The gate or a guard failed; its answer is no."""

    stage = "judge"


class PromoteError(StageError):
    """A pointer could not be moved, above all for want of a receipt."""

    stage = "apply"


class SandboxError(NetgainError):
    """The process that ran foreign code failed (timeout, memory, died): it says something about us, never a score."""


class WorkerDied(SandboxError):
    """A worker that had said it was ready ended, or was ended at its deadline, in the middle of a task."""


class LedgerError(NetgainError):
    """The ledger is corrupt or two records contradict each other."""

    exit_code = 7


class IntegrityError(NetgainError):
    """A protected input, split or evaluator is not what was registered."""

    exit_code = 7


class Busy(NetgainError):
    """Another run holds the folder; trying again later is right."""

    exit_code = 75


class DiskFull(NetgainError):
    """There is no room left for the next record; everything recorded so far is kept."""

    exit_code = 5


class BudgetExhausted(Exception):
    """A budget of one call of `run` is used up: a normal end, not a failure. The state is kept and `run` continues.

    Args:
        unit: The unit that ran out, as in ``[budget]`` of netgain.toml.
        spent: What was spent in that unit; infinite when the loop does not meter it, so that no limit could hold.
        limit: What was allowed in that unit.
    """

    exit_code: ClassVar[int] = 8

    def __init__(self, unit: str, spent: float, limit: float) -> None:
        super().__init__(unit, spent, limit)
        self.unit = unit
        self.spent = spent
        self.limit = limit

    def __str__(self) -> str:
        if math.isinf(self.spent):
            return f"budget of {self.limit:g} {self.unit}: the loop does not meter {self.unit}"
        return f"budget of {self.limit:g} {self.unit} used up ({self.spent:g} spent)"


class Outage(NetgainError):
    """A service that the loop needs does not answer: raised by loop code. No round is lost; run again to go on."""

    exit_code = 5


class Stopped(NetgainError):
    """Somebody asked the study to stop or pause; the state is kept and `run` continues."""

    exit_code = 5


class Waiting(NetgainError):
    """All that is left of a study waits for people to answer; the state is kept and `run` continues."""

    exit_code = 6
