"""Gates: the registered rule, the sequential decision, the receipt without which nothing is promoted."""

from netgain.gates.judge import AxisScores, GateDecision, GateTest, Receipt, decide, decide_all, issue
from netgain.gates.plan import GateForm, GateMode, GateOptions, GatePlan, GuardRule
from netgain.gates.questions import Question, questions

__all__ = [
    "AxisScores",
    "GateDecision",
    "GateForm",
    "GateMode",
    "GateOptions",
    "GatePlan",
    "GateTest",
    "GuardRule",
    "Question",
    "Receipt",
    "decide",
    "decide_all",
    "issue",
    "questions",
]
