"""Loops that are there already: a script, a trainer, a tuner, run beside control arms. Importing this costs nothing."""
