"""`python -m netgain.cli`: the program `netgain` where it is not installed."""

from netgain.cli import main

main()
