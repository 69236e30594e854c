# wait.py - waiting for something to become true
#
# SPDX-License-Identifier: BSD-2-Clause
import time

# api.cache_check of the tests: what a worker knows, it believes for so long.
CACHE_CHECK_S = 0.01


def wait_until_known():
    """Waits until what was changed before counts in every worker.

    Whatever belfryctl and a client of the API change has been waited for; a test
    that changes something by SQL or another way calls this.
    """
    time.sleep(CACHE_CHECK_S)


def wait_until(condition, timeout=20.0, what="", every=0.02):
    """Calls condition() until its result is true and returns that result.

    Fails with "what" and the last result when timeout seconds are over.
    """
    end = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(
                f"{what or 'it'} did not happen within {timeout} s; "
                f"at the end there was {result!r}")
        time.sleep(every)
