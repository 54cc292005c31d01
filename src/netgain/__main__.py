"""`python -m netgain`: the commands, where the script `netgain` is not on the path."""

import sys

from netgain.cli import main

sys.exit(main())
