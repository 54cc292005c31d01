"""Gates: the registered rule, the sequential decision, the receipt without which nothing is promoted."""

from netgain.gates.judge import AxisScores, GateDecision, GateTest, Receipt, decide, issue
from netgain.gates.plan import GateMode, GatePlan, GuardRule
from netgain.gates.questions import Question, questions

__all__ = [
    "AxisScores",
    "GateDecision",
    "GateMode",
    "GatePlan",
    "GateTest",
    "GuardRule",
    "Question",
    "Receipt",
    "decide",
    "issue",
    "questions",
]
