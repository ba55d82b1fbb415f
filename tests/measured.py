"""Runs a command, and says how long it took and how large its largest process grew."""

import resource
import subprocess
import sys
import time

started_s = time.monotonic()
status = subprocess.call(sys.argv[1:])
took_s = time.monotonic() - started_s
peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
sys.stderr.write(f"Took {took_s:.0f} s; the largest process took {peak_mib:.0f} MiB.\n")
sys.exit(status)
