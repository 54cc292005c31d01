"""Writes the table of shipped studies in README.md from its record, docs/studies.json.

python tools/make_studies.py STUDY... --at COMMIT   verifies each study anew, and takes it into the record
python tools/make_studies.py --from-record          only writes the table again

A study of the same recipe and settings takes the place of the earlier one: the last one is shown, whatever it says.
"""

import argparse
import json
import statistics
import tempfile
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
README, RECORD = ROOT / "README.md", ROOT / "docs" / "studies.json"
BEGIN, END = "<!-- studies: by tools/make_studies.py from docs/studies.json -->", "<!-- end of studies -->"
COLUMNS = (
    "Loop", "Changes", "Starts", "Gain over generation 0", "Net gain after controls", "Rung", "Verdict", "Minutes",
)  # fmt: skip
MINUTES = 60.0


def told(folder, commit):
    """Return what a finished study says, by the verifier and the log; amounts that are not known are None.

    Raises:
        ValueError: its bundle does not say the same.
    """
    from netgain.bundle import write_bundle
    from netgain.ledger import Ledger
    from netgain.seal import facts_of
    from netgain.verify import verify

    found = verify(folder)
    with tempfile.TemporaryDirectory() as place:
        if verify(write_bundle(folder, Path(place, "study.zip")).path) != found:
            raise ValueError(f"the bundle of {folder} does not verify as the study does; next: compare the two")
    with Ledger.open(folder, readonly=True) as log:
        facts, times = facts_of(log), [entry.time for entry in log.events()]
    study, claim = facts.registration["study"], facts.claim
    first, last = (datetime.fromisoformat(times[place].replace("Z", "+00:00")) for place in (0, -1))
    return {
        "recipe": study.get("recipe") or folder.name,
        "settings": study.get("options", {}),
        "size": study.get("size"), "surfaces": study["surfaces"], "metric": claim["metric"], "claimed": claim["rung"],
        "by": claim["by"], "starts": len(facts.enrolled), "gain": over_the_first(facts, claim),
        "effect": found["effect"], "rung": found["rung"], "verdict": found["verdict"],
        "checks": all(one["ok"] for one in found["checks"]), "minutes": (last - first).total_seconds() / MINUTES,
        "cpu_minutes": computed(facts), "commit": commit, "day": times[0][:10],
    }  # fmt: skip


def over_the_first(facts, claim):
    """Return the median over starts of the sealed score over that of `frozen`; None where one of them is missing."""
    scores = [[facts.sealed_score(one, arm, claim["metric"]) for arm in (claim["arm"], "frozen")]
              for one in facts.enrolled]  # fmt: skip
    if any(one is None or one.mean is None for pair in scores for one in pair):
        return None
    return statistics.median(own.mean - first.mean for own, first in scores)


def computed(facts):
    """Return minutes of computing of all arms, building and answering; None where one is unknown."""
    booked = [run.row.get(phase) for run in facts.runs.values() for phase in ("build", "answer")]
    spent = [one.get("device_seconds") for one in booked if one]  # an arm that never built has nothing booked
    return None if None in spent else sum(spent) / MINUTES


def merged(record, new):
    """Return the record with new studies, each in the place of the last one of its recipe and settings."""

    def key(one):
        return one["recipe"], one["size"], json.dumps(one["settings"], sort_keys=True)

    found = {key(one): one for one in record}
    found |= {key(one): one for one in new}
    return [found[name] for name in sorted(found, key=str)]


def table(record):
    """Return the lines of the table."""
    rows = [row(one) for one in record]
    return "\n".join([f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS), *rows])


def row(one):
    """Return the line of a study."""
    page = ROOT / "docs" / "recipes" / f"{one['recipe']}.md"
    name = f"[`{one['recipe']}`](docs/recipes/{page.name})" if page.exists() else f"`{one['recipe']}`"
    size = {"size": one["size"]} if one["size"] not in (None, "default") else {}
    name = " ".join([name, *(f"`{key}={value}`" for key, value in sorted({**size, **own_settings(one)}.items()))])
    effect = one["effect"]
    net = "unknown" if effect["estimate"] is None else f"{effect['estimate']:+.3f}"
    ends = "" if effect["low"] is None or effect["high"] is None else f" [{effect['low']:+.3f}, {effect['high']:+.3f}]"
    gain = "unknown" if one["gain"] is None else f"{one['gain']:+.3f}"
    rung = f"{one['rung'] or 'none'} of {one['claimed']}"
    took = f"{one['minutes']:.1f}" + ("" if one["cpu_minutes"] is None else f" ({one['cpu_minutes']:.1f})")
    what = (name, ", ".join(one["surfaces"]), str(one["starts"]), gain, net + ends, rung, one["verdict"], took)
    return f"| {' | '.join(what)} |"


def own_settings(one):
    """Return the settings of a study that are not its recipe's own."""
    from netgain.recipes import build_recipe

    usual = build_recipe(one["recipe"], {}, one["size"] or "default").options
    return {name: value for name, value in one["settings"].items() if str(usual.get(name)) != str(value)}


def written(text, record):
    """Return the README with the table between its marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table(record)}\n\n{END}{rest.split(END)[1]}"


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("studies", nargs="*", type=Path)
    asked.add_argument("--at", metavar="COMMIT")
    asked.add_argument("--from-record", action="store_true")
    given = asked.parse_args()
    if bool(given.studies) == given.from_record or bool(given.studies) != bool(given.at):
        asked.error("give finished studies and --at COMMIT, or --from-record alone")
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else []
    record = merged(record, [told(one, given.at) for one in given.studies])
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    README.write_text(written(README.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
