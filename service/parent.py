"""Ties the life of this process to its parent's."""

from __future__ import annotations

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(ending: signal.Signals) -> None:
    """Have the kernel send `ending` to this process when its parent dies, however that comes about. Linux only.

    The parent is the thread that started this process, and a change of user undoes it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ending)
