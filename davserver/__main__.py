"""``python -m davserver`` is the command ``davserver``."""

import sys

from davserver.cli import main

sys.exit(main())
