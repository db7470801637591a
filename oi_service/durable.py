"""Files that survive a power cut: their bytes, and the names that folders give them."""

import os
from pathlib import Path

from oi_service.ids import new_id


def sync_folder(path: Path) -> None:
    """Have the names of a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, data: bytes, mode: int) -> bool:
    """Put a file there, whole at once and never over another; tell whether it is this one.

    By a hard link, which never replaces: whichever file is there, it is durable when this returns.
    """
    partial = path.parent / f".{path.name}.{new_id().hex}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(partial)
        ours = True
    except FileExistsError:
        ours = False
    finally:
        partial.unlink()
    sync_folder(path.parent)
    return ours
