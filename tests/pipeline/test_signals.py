"""A signal ends the wait for an event wherever it comes, also in the middle of that event's own locking."""

import signal
import subprocess
import sys

import pytest

IN_THE_MIDDLE = """
import signal
from pipeline.signals import stop_event
stop = stop_event([signal.SIGUSR1])
with stop._cond:  # as wait() holds it for a moment
    signal.raise_signal(signal.SIGUSR1)
print(stop.wait(10))
"""


def test_a_signal_in_the_middle_of_waiting_locks_nothing_up():
    done = subprocess.run([sys.executable, "-c", IN_THE_MIDDLE], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_waits_ends_on_a_signal(name):
    program = (
        "import signal, sys; from pipeline.signals import stop_event; "
        "stop = stop_event([signal.SIGTERM, signal.SIGINT]); print('ready', flush=True); stop.wait(); sys.exit(7)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.send_signal(name)
        assert process.wait(10) == 7
