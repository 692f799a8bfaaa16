"""Regular files, folders that change places, and flushing to the disk: what Python does not offer as it is needed."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from io import BufferedReader
from pathlib import Path


def open_regular(path: Path | str, *, follow: bool = True) -> BufferedReader:
    """Open a file for reading that is one, and no pipe, socket or device, which may have no end or never begin.

    Parameters
    ----------
    path
        The file.
    follow
        Whether it may be a symbolic link to one.

    Raises
    ------
    OSError
        It cannot be opened, or is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "It is a pipe, a socket or a device, not a regular file", str(path))
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def exchange(one: Path, other: Path) -> bool:
    """Let two names change places in one step, which no end of the process can cut in two; whether that can be done.

    Raises
    ------
    OSError
        One of them does not exist, or may not be renamed.
    """
    at_working_folder = -100
    swap = 2
    try:
        library = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(one), os.fsencode(other)
        if sys.platform == "linux":
            failed = library.renameat2(at_working_folder, names[0], at_working_folder, names[1], ctypes.c_uint(swap))
        else:
            failed = library.renamex_np(*names, ctypes.c_uint(swap))
    except (AttributeError, OSError, TypeError):
        # A library without the call, or none that could be asked.
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    # The file system, or a kernel that is older than the library.
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(one))


def sync(folder: Path) -> None:
    """Bring the names in a folder to the disk: a rename alone may be lost in a power failure."""
    # Windows cannot open a folder, and needs no such step.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
