"""`python -m scripts.soak`: the same as `hookswitch soak`."""

import sys

from scripts.cli import run
from scripts.soak.command import command

sys.exit(run(command))
