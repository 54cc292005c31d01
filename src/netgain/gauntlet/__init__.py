"""Simulated and small real loops of known truth, genuine and fake: how often our own verdicts are wrong."""
