# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory below the user's cache where everything generated goes."""

import os
import pathlib


def cache_dir(*parts):
    """A directory in there, made if it is not there yet."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    path = pathlib.Path(base, "virtio-mem", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
