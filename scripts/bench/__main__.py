"""`python -m scripts.bench`: the same as `hookswitch bench`."""

import sys

from scripts.bench import command
from scripts.cli import run

sys.exit(run(command))
