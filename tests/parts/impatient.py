"""With falgate's arguments, this is a falgate that soon gives up a worker that does not answer."""

import runpy

from falgate.workers import parent

if __name__ == "__main__":
    parent.ASK_S = 0.1
    runpy.run_module("falgate", run_name="__main__", alter_sys=True)
