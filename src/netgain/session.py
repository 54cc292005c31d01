"""A study from its files to its verdict: registration, run, seal, verdict. Puts the doers together."""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from netgain import __version__
from netgain.arms import Arm, arm_named, missing_piece, required_controls, runs_of, spelled_out
from netgain.attempts import asked_before, book_answers, count_attempt, gate_banks, raised
from netgain.canonical import digest
from netgain.case import case_of
from netgain.claim import RUNGS, Claim
from netgain.contract import code_digest, differences, libraries, parts_of
from netgain.ending import Ended
from netgain.epochs import Consent, bridge, open_epoch, refusal, same_items
from netgain.errors import ConfigError, DiskFull, IntegrityError, Outage, Stopped, Waiting
from netgain.evaluation import Under
from netgain.evidence.ladder import nats_shown
from netgain.evidence.looks import looks_of
from netgain.evidence.verdict import Verdict, decide_verdict
from netgain.executors import MOST, Gathering, LocalWorkers, Reference, reference_of
from netgain.facts import Facts
from netgain.gates import GateOptions, GatePlan
from netgain.gates.gate import BettingGate, check_reach, on_used_items, plan_of
from netgain.items import Dealer
from netgain.jobs import Executor, Jobs
from netgain.ledger import Event, FolderLock, Ledger, Stored
from netgain.ledger.files import DIGESTS, sweep, write_durably
from netgain.planning import Plan, plan_study
from netgain.planting import Planted, Planter, check_planted, require_live
from netgain.poison import Deaths
from netgain.policy import Policy
from netgain.probation import Probation
from netgain.protecting import Scanner
from netgain.proving import enough_for
from netgain.recombine import mix
from netgain.run import half_of
from netgain.sandboxed import Sandboxes
from netgain.seal import Followed, facts_of, open_seal, score_sealed, served
from netgain.seeding import root as derived_root
from netgain.signing import Publisher, published, signed_by
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.study import WAITS, Conductor, Stepped, Watcher, asked_to_end, enrol
from netgain.suite import Suite
from netgain.transplant import missing_transplant, move_improvers, score_moved
from netgain.watching import OF_CANARIES, impossible_axes
from netgain.world import Monitor, World
from netgain.yardstick import score_by_generation_0

Json = Any


@dataclass(frozen=True)
class Study:
    """One loop, its suite, its arms and its claim.

    Attributes:
        loop, suite: what changes itself, and how it is measured.
        arms: names of arms; "self" and "frozen" are always among them. `subsets:A,B` stands for the arms that shares
            of surfaces need.
        claim: what is claimed.
        replicas: independent starts, enrolled by id and never replaced.
        rounds: horizon.
        root: 64 hex digits given by somebody, else drawn at registration. The secret of the items follows from a given
            root, so that the same root gives the same result. Who gave it could have known the items: evidence level 2
            at most.
        tries: answers per item of the arm `sampled`.
        gate: how the gate tests, chosen before data; see `netgain.gates.GateOptions`.
        monitors: what looks at every candidate before the gate does, with thresholds fixed here; `netgain.monitors`.
        probation: how long a promoted generation is on trial beside the one before; `netgain.probation.Probation`.
        canaries: keyed strings in every protected text item of a list, looked for in proposals and answers;
            `netgain.planting.Planted`.
        policy: which changes run unattended, wait for people, or are forbidden; see `netgain.policy.Policy`.
        limits: tokens, flops or calls that end a run of `self` cleanly.
        deadline_seconds: for one task of loop code: a worker that takes longer is ended, and after three times the task
            has no result. None: no task is ended; a stage of over an hour is recorded as stuck.
        pause_at: device_seconds, cost_usd or human_minutes after which one call of `run` pauses; it alters no result.
        reference: how workers find the loop; found by itself for a loop that is a name of the main script.
        about: what is shown of the study's origin: recipe, size, options.
        files: configuration files of the folder, name -> text; registered by digest.
        secrets: look -> 64 hex digits: the revealed secrets of a finished study that is repeated to the bit.
    """

    loop: Loop
    suite: Suite
    arms: Sequence[str]
    claim: Claim
    replicas: int = 6
    rounds: int = 5
    root: str | None = None
    tries: int = 8
    gate: GateOptions = field(default_factory=GateOptions)
    monitors: Sequence[Monitor] = ()
    probation: Probation | None = None
    canaries: Planted | None = None
    policy: Policy = field(default_factory=Policy)
    limits: Mapping[str, float] = field(default_factory=dict)
    deadline_seconds: float | None = None
    pause_at: Mapping[str, float] = field(default_factory=dict)
    reference: Reference | None = None
    about: Mapping[str, Json] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in (("replicas", self.replicas), ("rounds", self.rounds)):
            if value < 1:
                raise ConfigError(f"{name} {value!r}", fix="give a whole number of at least 1")
        object.__setattr__(self, "arms", spelled_out(self.arms, self.loop.surfaces))
        if self.deadline_seconds is not None and not self.deadline_seconds > 0:
            raise ConfigError(f"deadline_seconds {self.deadline_seconds!r}", fix="give more than 0, or leave it out")
        absent = [name for name in ("self", "frozen") if name not in self.arms]
        if absent:
            raise ConfigError(f"arms without {absent[0]!r}", fix="every study runs `self` and `frozen`")
        for name in (self.claim.arm, *self.claim.beats):
            if name not in self.arms:
                raise ConfigError.unknown("arm of this study", name, self.arms)
        if self.root is not None and not re.fullmatch(r"[0-9a-f]{64}", self.root):
            raise ConfigError(
                f"root {self.root!r}, expected 64 lower-case hex digits", fix="leave it out: one is drawn"
            )
        if set(self.loop.surfaces) <= set(self.policy.forbidden):
            what = f"the policy forbids every surface of the loop ({', '.join(self.loop.surfaces)}): nothing can change"
            raise ConfigError(what, fix="allow one of them, or wait for people with 'one' or 'two'")
        self._check_claim()
        self._check_monitors()
        if self.probation is not None:
            enough_for(self.probation, self.suite, self.rounds)
        if self.canaries is not None:
            check_planted(self.suite)

    def _check_monitors(self) -> None:
        """Refuse monitors that nobody could tell apart, and one that has to read canary items which no axis has."""
        names = [one.name for one in self.monitors]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"monitor {twice[0]!r} registered twice", fix="keep one of them")
        for one in self.monitors:
            reads, _, other = one.reads.partition(".")
            if one.reads == "cheats" and not impossible_axes(self.suite):
                what = f"monitor {one.name!r} reads {one.reads!r}, and no axis of kind 'impossible' has canary items"
                raise ConfigError(what, fix="add [canary_axes.NAME] with kind = 'impossible'")
            of = other or self.suite.gate_axis.name
            if reads in OF_CANARIES and one.reads != "cheats" and self.suite[of].canary_items < 2:
                what = f"monitor {one.name!r} reads {one.reads!r}, and the axis has no canary items"
                raise ConfigError(what, fix="set canary_items of the study, or of the axis, to at least 2, better 40")

    def _check_claim(self) -> None:
        lacking = missing_piece(self.arm(self.claim.arm), self.loop)
        if lacking is not None:
            raise ConfigError(f"claimed arm {self.claim.arm!r} cannot be run: {lacking}", fix="claim another arm")
        self._check_unit()
        # A mean and a version are tested at alpha itself; the looks of the typical start have a level of their own.
        fixed = self.claim.analysis == "typical start" and self.claim.about == "loop"
        design = looks_of(self.claim.looks, share=self.claim.share, level=self.claim.alpha) if fixed else None
        level = max(design.levels) if design else 0.0
        if level > self.claim.alpha:
            raise ConfigError(
                f"alpha {self.claim.alpha:g}: these looks give a false word with a chance of up to {level:.4f}",
                fix="claim an alpha of at least that, or register other looks",
            )
        axis = self.suite[self.claim.metric]
        if axis.sealed_items < 2:
            raise ConfigError(
                f"axis {axis.name!r} has {axis.sealed_items} sealed items", fix="a claim needs at least 2, better 200"
            )
        if axis.report_items < 2 and "ordinary" in self.arms:
            what = f"axis {axis.name!r} has {axis.report_items} report items, on which the best of `ordinary` is chosen"
            raise ConfigError(what, fix="give it at least 2, better 100")

    def _check_unit(self) -> None:
        """Refuse to answer a claim about a version with several starts: it would have to choose one of them."""
        if self.claim.about == "version" and self.replicas != 1:
            raise ConfigError(
                f"replicas {self.replicas} with a claim about a version, which is the one system that one run serves",
                fix="set replicas = 1, or claim about = 'loop' for what the loop does over starts",
            )

    @property
    def mode(self) -> str:
        """Gate mode: of the claim, else the loop's own."""
        return self.claim.mode or self.loop.gate

    def arm(self, name: str) -> Arm:
        """The arm of a name, which may use this loop's checks and this suite's guards."""
        guards, monitors = [axis.name for axis in self.suite.guards], [one.name for one in self.monitors]
        monitors += ["probation"] if self.probation else []  # its alarms can be waived as those of a monitor
        return arm_named(name, self.loop, guards, monitors)

    def gate_plan(self) -> GatePlan:
        """The gate's registered rule, as for items that were never asked."""
        return plan_of(self.suite, self.mode, self.rounds, self.gate)

    def chosen(self) -> dict[str, Arm]:
        """Run name -> arm, for every arm that the loop supports."""
        arms = [self.arm(name) for name in self.arms]
        runs = [run for arm in arms if missing_piece(arm, self.loop) is None for run in runs_of(arm, self.loop)]
        told = [name for name in self.policy.forbidden if name in self.loop.closable]
        return {run.run_name: replace(run, closed=(*run.closed, *told)) if told else run for run in runs}

    def untestable(self) -> dict[str, str]:
        """Arm -> what the loop lacks for it."""
        found = {name: missing_piece(self.arm(name), self.loop) for name in self.arms}
        return {name: why for name, why in found.items() if why is not None}

    def registered(self) -> dict[str, Json]:
        """The study as it is registered."""
        return {
            **self.about, "rounds": self.rounds, "arms": list(self.arms), "untestable": self.untestable(),
            "required": {rung: list(required_controls(rung, self.arms, self.loop)) for rung in RUNGS[1:]},
            "surfaces": list(self.loop.surfaces), "state": dict(self.loop.state or {}), "tries": self.tries,
            "filters": [{"name": one.name, "uses": list(one.uses)} for one in self.loop.filters],
            "transplant": {
                "starts": self.loop.transplant.starts if self.loop.transplant else 0,
                "missing": missing_transplant(self.loop, self.claim),
            },
            "limits": dict(self.limits), "menu": list(self.loop.menu), "sees_accepted": self.loop.sees_accepted,
            **({"monitors": [one.to_json() for one in self.monitors]} if self.monitors else {}),
            **({"probation": self.probation.to_json()} if self.probation else {}),
            **({"canaries": self.canaries.to_json()} if self.canaries else {}),
            "separable": list(self.loop.separable.names) if self.loop.separable else [],
            **({"deadline_seconds": self.deadline_seconds} if self.deadline_seconds is not None else {}),
            **({"sandbox": int(self.loop.sandbox)} if self.loop.sandbox is not None else {}),
            **({"policy": self.policy.to_json()} if self.policy.binds else {}),  # absent: everything runs unattended
        }  # fmt: skip

    def contract(self) -> dict[str, Json]:
        """Everything that defines a measurement, in parts that have a digest or a version each (`contract.flat`)."""
        decoding = {"tries": self.tries, "draws": self.gate.draws}
        return {
            "suite": self.suite.spec(), "gate": self.gate_plan().to_json(),
            "code": code_digest(self.reference), "libraries": libraries(self.reference),
            "batching": f"builds of up to {MOST} runs abreast, one thread" if self.loop.build_many
            else "one run, one thread",
            **parts_of(self.reference, self.suite.axes, limits=self.limits, decoding=decoding),
        }  # fmt: skip

    def claim_digest(self) -> str:
        """Digest of all that is registered but the draw of root and secret: equal for two studies of one claim."""
        covered = {
            "claim": self.claim.to_json(),
            "study": self.registered(),
            "contract_digest": digest(self.contract()),
        }
        return digest(covered)

    def plan(self, *, workers: int = 2, watch: Callable[[str], None] | None = None) -> Plan:
        """Calibrate shortly and say what the study costs and can resolve; see `netgain.planning.Plan`."""
        return plan_study(self, workers=workers, watch=watch)

    def run(
        self, path: str | Path, *, workers: int = 2, watch: Watcher | None = None, exploratory: bool = False,
        extend: bool = False, new_epoch: str | None = None,
    ) -> Verdict:  # fmt: skip
        """Run or continue in a folder until the verdict. A new study is planned first, as `netgain run` does.

        Args:
            path: the study's folder, made if absent; the other arguments are those of `run_study`.

        Raises:
            ConfigError: the loop or a metric fails at its first use, or the study cannot answer its claim; nothing is
                registered then. Further errors are those of `run_study`.
        """
        folder = Path(path)
        plan = None if registered(folder) else self._planned(workers, exploratory)
        return run_study(
            self, folder, workers=workers, watch=watch, exploratory=exploratory, extend=extend,
            plan=plan.to_json() if plan else None, new_epoch=new_epoch,
        )  # fmt: skip

    def _planned(self, workers: int, exploratory: bool) -> Plan:
        plan = self.plan(workers=workers)
        if not plan.answerable and not exploratory:
            raise ConfigError(
                f"this study cannot answer its claim: {'; '.join(plan.reasons)}",
                fix="change it, or run it with exploratory=True, which can never be evidence",
            )
        return plan


def registered(folder: Path) -> bool:
    """Whether the folder's claim is in its ledger, after which nothing is planned any more."""
    if not Ledger.begun(folder):
        return False
    with Ledger.open(folder, readonly=True) as log:
        return log.size > 0


def run_study(
    study: Study, folder: Path, *, workers: int = 2, watch: Watcher | None = None, exploratory: bool = False,
    extend: bool = False, plan: Mapping[str, Json] | None = None, say: Callable[[str], None] | None = None,
    new_epoch: str | None = None,
) -> Verdict:  # fmt: skip
    """Start a study without planning it, continue it, or (extend) go to its next registered look.

    Args:
        workers: processes side by side; no result depends on it.
        watch: called after every stage.
        exploratory: allow a study that cannot answer its claim; it can never be evidence.
        extend: enrol the replicas of the next registered look of a finished study.
        plan: what `netgain plan` found, to be recorded.
        say: called with one line at each phase.
        new_epoch: why the contract moved (code, scorer, library, limit): consent, on record as a person's, to go on
            under it in a new epoch (`netgain.epochs`).

    Raises:
        ConfigError: the folder holds another study, or the contract moved and nobody consented; names the parts.
        BudgetExhausted: a limit in seconds, money or minutes is reached; the state is kept and the same call continues.
        Stopped: somebody asked to stop or pause, or the file STOP is there; the same call continues.
        Waiting: all that is left waits for people to answer; the same call continues.
        Outage: a service that the loop needs does not answer; the same call continues.
        KeyboardInterrupt: interrupted; the state is kept and the same call continues.
    """
    reference = replace(study.reference or reference_of(study.loop), environment=tuple(study.loop.environment))
    study = replace(study, reference=reference)
    if new_epoch is not None:
        _may_go_on(folder, new_epoch)
    _make(folder)
    if (folder / DIGESTS).exists() and (verdict := _finished(study, folder, extend=extend)) is not None:
        return verdict
    if study.loop.ready is not None:
        study.loop.ready()
    with FolderLock(folder), _ledger(study, folder, exploratory, plan, reopen=extend) as log:
        sweep(folder)
        facts = facts_of(log)
        _same_claim(study, facts, consent=new_epoch is not None)
        if new_epoch is not None:
            dealer, consent = _dealer(study, folder, facts), Consent(getpass.getuser(), new_epoch)
            check = partial(same_items, facts, study.suite, dealer)
            open_epoch(log, facts, study.contract(), consent, _digests(study), check)
            facts = facts_of(log)
        _same_contract(study, facts)
        if facts.concluded and not extend:
            _close(folder, log, facts)
            return decide_verdict(case_of(facts))
        if extend:
            _new_secret(folder, log, study)
        with LocalWorkers(reference, workers) as executor:
            hands = Gathering(executor) if study.loop.build_many else executor
            world, say = _world(study, folder, log, facts, hands), say or (lambda _: None)
            with published(folder, log, watch or (lambda _: None), say) as watch:
                try:
                    bridge(world, facts, workers)
                    _conduct(world, study, folder, log, workers, watch, extend=extend)
                    return _conclude(world, study, folder, log, workers, say)
                except Ended:
                    conductor = Conductor(world, folder / "inbox", watch)
                    conductor.read_inbox()
                    raise _stopped(conductor, folder, log) from None


def _may_go_on(folder: Path, reason: str) -> None:
    """Refuse a new epoch of a study that was not begun, or is finished, unless it was finished in this very one."""
    facts = Facts()
    if registered(folder):
        with Ledger.open(folder, readonly=True) as log:
            facts = facts_of(log)
    same = bool(facts.epochs) and facts.epochs[-1].opened["reason"] == reason.strip()
    if not facts.registration or (facts.concluded and not same):
        what = "a new epoch continues a study that was begun and is not finished"
        raise ConfigError(what, where=str(folder), fix="leave --new-epoch out, or run a new study")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make {str(folder)!r}: {error.strerror}", fix="choose a folder you may write"
        ) from None


def _finished(study: Study, folder: Path, *, extend: bool) -> Verdict | None:
    """The verdict of a closed folder, which stays as it is; None when it may be opened again for its next look."""
    with Ledger.open(folder, readonly=True) as log:
        facts = facts_of(log)
    _same_claim(study, facts)
    if not extend:
        return decide_verdict(case_of(facts))
    _same_contract(study, facts)
    _next_look(study, facts)  # before anything of the closed folder is touched
    return None


def _ledger(study: Study, folder: Path, exploratory: bool, plan: Mapping[str, Json] | None, *, reopen: bool) -> Ledger:
    log = Ledger.open(folder, reopen=reopen) if Ledger.begun(folder) else Ledger.create(folder)
    if log.size == 0:  # new, or killed before the claim was in it
        _register(study, folder, log, exploratory, plan)
    return log


def _register(study: Study, folder: Path, log: Ledger, exploratory: bool, plan: Mapping[str, Json] | None) -> None:
    """Freeze the claim, before generation 1 exists. The root of all randomness is drawn here."""
    claim, registered, contract = study.claim.to_json(), study.registered(), study.contract()
    contract_digest, claim_digest = digest(contract), study.claim_digest()
    exposure = asked_before(study.suite)
    plan_now = on_used_items(study.gate_plan(), raised(exposure))
    if not exploratory:
        check_reach(plan_now)
    if study.canaries is not None:
        require_live(study.canaries)
    secret, bits = _drawn_secret(study), None if study.root else secrets.token_hex(16)
    _keep_secret(folder, secret)
    opened = {
        "schema": "netgain.ledger/1", "netgain": __version__, "python": platform.python_version(),
        "platform": platform.platform(), "libraries": contract["libraries"],
        "attempts_here": count_attempt(contract["suite"], registered.get("recipe")),
    }  # fmt: skip
    registration = {
        "claim": claim, "claim_digest": claim_digest, "study": registered, "contract": contract,
        "contract_digest": contract_digest, "secret_sha256": hashlib.sha256(secret).hexdigest(), "root_bits": bits,
        "root": study.root or derived_root(claim_digest, str(bits)), "given_root": study.root is not None,
        "exploratory": exploratory, "replicas": study.replicas, "exposure": exposure,
        "files": _digests(study), **signed_by(),
    }  # fmt: skip
    events = [Event("study_opened", None, opened), Event("claim_registered", None, registration)]
    log.append([*events, Event("planned", None, dict(plan))] if plan else events)


def _digests(study: Study) -> dict[str, str]:
    """Configuration file -> SHA-256."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in study.files.items()}


def _drawn_secret(study: Study, look: int | None = None) -> bytes:
    """32 bytes that all items but the sealed ones are drawn with; a given root says them, else nobody can know them.

    Args:
        look: number of starts of a further look; None for the first.
    """
    if (look or study.replicas) in study.secrets:
        return bytes.fromhex(study.secrets[look or study.replicas])
    if study.root is None:
        return secrets.token_bytes(32)
    return hashlib.sha256(f"secret|{study.root}{'' if look is None else f'|{look}'}".encode()).digest()


def _same_claim(study: Study, facts: Facts, *, consent: bool = False) -> None:
    """Refuse to continue under another claim or study: that would be a new study.

    Limits are part of the contract. They may move with consent to a new epoch, and netgain.toml, where they stand, with
    them; whatever else it says is compared here key by key.
    """
    held = facts.registration
    if not held:
        raise IntegrityError("the ledger holds no registered claim", fix="remove the folder and run again")
    new = "a later edit is a new claim: run it in a new folder, or undo the edit"
    now_registered = {**study.registered(), "limits": held["study"]["limits"]}
    for name, now in (("claim", study.claim.to_json()), ("study", now_registered)):
        if digest(now) != digest(held[name]):
            changed = sorted(key for key in {*now, *held[name]} if now.get(key) != held[name].get(key))
            raise ConfigError(f"the {name} changed since it was registered ({', '.join(changed)})", fix=new)
    files = facts.epochs[-1].opened["files"] if facts.epochs else held["files"]
    for name, now_digest in _digests(study).items():
        held_back = name == "netgain.toml" and (consent or dict(study.limits) != facts.limits)
        if now_digest != files.get(name) and not held_back:
            raise ConfigError(f"{name} changed since it was registered", where=name, fix=new)
    if study.root is not None and study.root != held["root"]:
        raise ConfigError("the root is not the registered one", fix="leave it out, or run in a new folder")


def _same_contract(study: Study, facts: Facts) -> None:
    """Refuse to continue with other code, libraries or suite: its numbers could not be compared."""
    if digest(study.contract()) != facts.contract_digest:
        raise refusal(facts, study.contract())


def _dealer(study: Study, folder: Path, facts: Facts) -> Dealer:
    starts = max(study.claim.sizes[-1], study.replicas)
    return Dealer(_secret(folder), study.rounds, starts, _planter(study, folder, facts))


def _planter(study: Study, folder: Path, facts: Facts) -> Planter | None:
    """What plants the study's canaries in protected items, where it registered any."""
    if not study.canaries:
        return None
    return Planter(study.canaries, _secret(folder), facts.registration["claim_digest"], claimed=study.claim.arm)


def _world(study: Study, folder: Path, log: Ledger, facts: Facts, executor: Executor) -> World:
    store = ObjectStore(folder / "objects")
    recorded = facts.contract
    world = World(
        loop=study.loop, suite=study.suite, arms=study.chosen(),
        gate=BettingGate(on_used_items(study.gate_plan(), raised(facts.registration["exposure"]))),
        scanner=Scanner(study.suite), monitors=study.monitors, probation=study.probation,
        canaries=_planter(study, folder, facts),
        screen_items=study.gate.screen_items, draws=study.gate.draws, show_step=study.gate_plan().show_step,
        mode=study.mode, dealer=_dealer(study, folder, facts), root=facts.registration["root"], log=log, store=store,
        jobs=Jobs(executor, store, Deaths(log), study.deadline_seconds, Sandboxes(log, study.loop.sandbox)),
        rounds=study.rounds, limits=study.limits, tries=study.tries, keep_at=(half_of(study.rounds),),
        one_generation_0=study.claim.starts != "fresh", contract=Under(facts.contract_digest, len(facts.epochs)),
        moved=lambda: list(differences(recorded, study.contract())),
        asked=partial(asked_to_end, folder / "inbox"),
    )  # fmt: skip
    return replace(world, schedule=Schedule(log))


def _secret(folder: Path) -> bytes:
    try:
        return bytes.fromhex((folder / ".secret").read_text())
    except (OSError, ValueError):
        raise IntegrityError(
            "the study's secret is gone: its items can no longer be drawn", where=str(folder / ".secret"),
            fix="restore the file from a copy, or run a new study",
        ) from None  # fmt: skip


class Schedule:
    """Build spend of a run up to the end of each round: numbers only, and of `self` all that a control learns of it.

    Read from its rows, so that a control which does the same adds up to the same, to the bit. The log only grows: of
    each run what came since the last call is read.
    """

    def __init__(self, log: Ledger) -> None:
        self._log = log
        self._known: dict[str, tuple[int, dict[int, dict[str, float | None]]]] = {}
        self._lock = Lock()

    def __call__(self, run: str) -> dict[int, dict[str, float | None]]:
        with self._lock:
            seen, by_round = self._known.get(run, (-1, {}))
            for event in self._log.events("stage_done", run, seen):
                seen = event.seq
                if event.data["round"]:
                    by_round[event.data["round"]] = event.data["row"]["build"]
            self._known[run] = seen, by_round
            return dict(by_round)


def _tidy(log: Ledger, store: ObjectStore, claimed: str, *, positions: bool = False) -> None:
    """Drop what no verdict needs: candidates, positions, proposals, and promoted systems of controls.

    Only when no run goes on: equal content is one object, whichever run made it.

    Args:
        positions: keep them, because the loop's record is in them.
    """
    kept, made = set(), set()
    for run, row in log.rows().items():
        rows = [event.data["row"] for event in log.events("stage_done", run)]
        made |= {one[name] for one in rows for name in _POINTERS}
        kept |= {row["anchor"], row["released"], row["seen"], *row["kept_at"].values()}
        kept |= {one["released"] for one in rows} if row["arm"] == claimed else set()
        kept |= {row["working"]} if row["arm"] == "placebo" else set()  # a null of moved improvers
        kept |= {one["position"] for one in rows} if positions else set()
    dropped = sorted(name for name in made - kept if name and store.has(name))
    if dropped:
        log.append([Event("objects_dropped", None, {"digests": dropped, "reason": "all runs are over"})])
    for name in dropped:
        store.delete(name)


_POINTERS = (
    "working", "released", "candidate", "change", "position", "feedback", "safe_position", "safe_feedback", "seen",
)  # fmt: skip


def _conduct(
    world: World, study: Study, folder: Path, log: Ledger, workers: int, watch: Watcher, *, extend: bool
) -> None:
    session = {"netgain": __version__, "contract_digest": digest(study.contract())}
    log.append(
        [Event("session", None, session), _state("running", "stages are being done", "wait, or `netgain status`")]
    )
    size = _starts(study, log, extend=extend)
    enrol(world, range(size), size, lambda: secrets.token_hex(8))
    (folder / "inbox").mkdir(exist_ok=True)
    conductor = Conductor(world, folder / "inbox", _booking(study, log, watch), study.pause_at, study.deadline_seconds)
    try:
        asked = conductor.conduct(workers * MOST if study.loop.build_many else workers)  # so many can wait together
    except BaseException as error:
        conductor.abandon()
        with suppress(Exception):  # broad: the first error is the one to report
            log.append([_broken_off(error)])
        raise
    if conductor.exhausted is not None:
        log.append([_state("paused", conductor.why, "run again: it continues")])
        raise conductor.exhausted
    if asked == WAITS:
        command = f"`netgain status {folder}` lists it; answer with `netgain approve` or `deny`, then run again"
        log.append([_state("waiting_approval", conductor.why, command)])
        raise Waiting(conductor.why, where=str(folder), fix=command)
    if asked != "done":
        raise _stopped(conductor, folder, log)


def _stopped(conductor: Conductor, folder: Path, log: Ledger) -> Stopped:
    """What a request that was read ends a run with; the state is on record."""
    state = "paused" if conductor.asked == "pause" else "stopped"
    log.append([_state(state, conductor.why, "run again: it continues")])
    return Stopped(conductor.why, where=str(folder), fix="`netgain run` continues")


def _booking(study: Study, log: Ledger, watch: Watcher) -> Watcher:
    """A watcher that books, after every decision, what the gate's items have given away on this machine."""
    if not gate_banks(study.suite):
        return watch

    def booking(stepped: Stepped) -> None:
        if any(event.kind == "gate_decision" for event in stepped.outcome.events):
            _book(study, log)
        watch(stepped)

    return booking


def _book(study: Study, log: Ledger) -> bool:
    held = next(log.events("claim_registered")).data
    entries = list(log.events("gate_decision"))
    decisions = [event.data for event in entries]
    told_apart = study.mode == "advance" or study.loop.sees_accepted
    name = digest([held["claim_digest"], held["secret_sha256"]])[:16]
    nats = _nats_shown(study.gate_plan().show_step, entries)
    return book_answers(study.suite, name, decisions, told_apart=told_apart, shown_nats=nats)


def _nats_shown(step: float | None, decisions: Sequence[Stored]) -> float:
    """What the numbers that a study's runs were shown gave away; a screened candidate was asked no gate item."""
    runs: dict[str | None, list[float]] = {}
    for entry in decisions:
        if "shown" in entry.data and entry.data["reason"] != "screened":
            runs.setdefault(entry.run, []).append(entry.data["shown"])
    return 0.0 if step is None else nats_shown(step, list(runs.values()))


def _starts(study: Study, log: Ledger, *, extend: bool) -> int:
    """How many starts are to be enrolled: of an interrupted look all that it was begun for."""
    if extend and (facts := facts_of(log)).concluded:  # read only then: a resume must not wait for a long log
        return _next_look(study, facts)
    begun = [int(event.data["look"]) for event in log.events("replica_enrolled")]
    return max([study.replicas, *begun])


def _next_look(study: Study, facts: Facts) -> int:
    have = len(facts.enrolled)
    later = [size for size in study.claim.sizes if size > have]
    if not later:
        raise ConfigError(f"{have} replicas: no registered look is left", fix="register a new claim")
    return later[0]


def _new_secret(folder: Path, log: Ledger, study: Study) -> None:
    """A secret of its own for the items of a further look: the first one has been revealed."""
    facts = facts_of(log)
    if not facts.concluded:  # interrupted: starts of this look are enrolled, and draw from the secret that is there
        return
    size = _next_look(study, facts)
    secret = _drawn_secret(study, size)
    _keep_secret(folder, secret)  # after a kill before the next line a new one is committed to: no start has used it
    log.append([Event("secret_committed", None, {"look": size, "secret_sha256": hashlib.sha256(secret).hexdigest()})])


def _keep_secret(folder: Path, secret: bytes) -> None:
    write_durably(folder / ".secret", secret.hex().encode())
    os.chmod(folder / ".secret", 0o600)


def _broken_off(error: BaseException) -> Event:
    """The state after an error: paused when running again is all it takes, failed when something has to be mended."""
    if isinstance(error, KeyboardInterrupt | DiskFull | Outage):
        reason = str(error) or "interrupted"
        return _state("paused", reason, "run again: it continues")
    return _state("failed", str(error) or type(error).__name__, "mend it, then run again: it continues")


def _state(state: str, reason: str, following: str) -> Event:
    return Event("state", None, {"state": state, "reason": reason, "next": following})


def _conclude(
    world: World, study: Study, folder: Path, log: Ledger, workers: int, say: Callable[[str], None]
) -> Verdict:
    follow = Followed(log)
    facts = follow.facts()
    known = [replica for seal in facts.seals for replica in seal["replicas"]]
    fresh = [replica for replica in sorted(facts.enrolled) if replica not in known]
    look = len(facts.enrolled)
    arms = [name for name in study.arms if name not in study.untestable()]
    if fresh:
        if not any(replica in fresh for replica, _ in facts.moves):  # else interrupted: those systems are needed
            # By the store that goes on writing: another one would leave it sure of objects that are gone.
            assert isinstance(world.store, ObjectStore)
            _tidy(log, world.store, study.claim.arm, positions=study.loop.keeps_positions)
        if not missing_transplant(study.loop, study.claim):
            own = [name for name in (study.claim.arm, "ungated") if name in arms]
            say(f"moving improvers of {len(fresh)} starts")
            move_improvers(world, facts, fresh, list(dict.fromkeys(own)), workers)
        say(f"opening the seal for {len(fresh)} starts")
        open_seal(log, facts, look, fresh, arms, mix(world, _served(facts, study, fresh)))
    facts = follow.facts()
    score_sealed(world, facts, facts.seals[-1], workers)
    score_moved(world, facts, facts.seals[-1], workers)
    score_by_generation_0(world, facts, facts.seals[-1])
    verdict = decide_verdict(case_of(follow.facts()))
    _finish(study, folder, log, verdict, look, follow)
    return verdict


def _served(facts: Facts, study: Study, replicas: Sequence[int]) -> dict[str, str | None]:
    """Run of the claimed arm -> what it serves."""
    return dict(served(facts, replica, study.claim.arm) for replica in replicas)


def _finish(
    study: Study, folder: Path, log: Ledger, verdict: Verdict, look: int, follow: Followed
) -> None:  # fmt: skip
    """Record verdict and secret, then close the folder."""
    secret = (folder / ".secret").read_text()
    banks = [axis.name for axis in gate_banks(study.suite)]
    if banks:
        log.append([Event("exposure_booked", None, {"look": look, "axes": banks, "kept": _book(study, log)})])
    log.append([
        Event("secret_revealed", None, {"look": look, "secret": secret}),
        Event("verdict", None, {"look": look, **verdict.to_json()}),
        _state("done", "planned length reached", "`netgain report`, `netgain verify`"),
    ])  # fmt: skip
    _close(folder, log, follow.facts())


def _close(folder: Path, log: Ledger, facts: Facts) -> None:
    """Write the report and the digests of all files; nothing to do in a closed folder."""
    if (folder / DIGESTS).exists():
        return
    from netgain.report import write_report

    write_report(folder, facts)
    (folder / ".secret").unlink(missing_ok=True)
    Publisher(folder, log).publish()
    log.seal_files()
