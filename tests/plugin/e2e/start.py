"""What `qgis --code` runs: makes the driver importable and starts it when the desktop's event loop turns."""

import os
import sys

sys.path.insert(0, os.environ["GROUNDPROOF_E2E_ROOT"])

from tests.plugin.e2e.driver import start

start()
