"""The report that a real run leaves behind is the one that its log gives again."""

from netgain.claim import Claim
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.report import render_report
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.testing.ladder import make


def test_a_run_leaves_the_report_of_its_log(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    simulated = make({})
    study = Study(
        simulated.loop, simulated.suite, ["self", "frozen"], Claim("ladder", by=0.05), replicas=6, rounds=1,
        reference=Reference("netgain.testing.ladder:make", {}),
    )  # fmt: skip
    verdict = run_study(study, tmp_path / "study")
    page = (tmp_path / "study" / "report.html").read_text("utf-8")
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        assert render_report(facts_of(log)) == page
    assert f"{verdict.word}</span></h1>" in page
