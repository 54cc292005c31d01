"""Processes for code that nobody trusts."""

from netgain.sandbox.seam import RESULT_FD, Backend, Finished, Job, Level, Limits

__all__ = ["RESULT_FD", "Backend", "Finished", "Job", "Level", "Limits"]
