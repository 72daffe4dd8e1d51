"""What Python has compiled, for the next visit: importing NumPy and dlcore then takes a third of the time.

worker.js unpacks what an earlier visit has kept before anything is imported, or lets this one write and calls `pack`.
"""

import io
import sys
import zipfile
from pathlib import Path

HEAD = 16  # bytes before the code in a .pyc: magic number, flags, and eight that tell the source's state (PEP 552)
UNCHECKED = (1).to_bytes(4, "little")  # a hash in those eight, not to be compared with the source's


def pack() -> bytes:
    """Return a zip of the bytecode that was written while importing, and remove it.

    The files of a wheel are as old as their unpacking, so their age proves nothing: the bytecode is marked as not to be
    checked. Whoever keeps it does so under the wheels' hashes.
    """
    sys.dont_write_bytecode = True
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for module in list(sys.modules.values()):
            path = Path(getattr(module, "__cached__", None) or "none")
            if path.is_file():
                code = path.read_bytes()
                archive.writestr(str(path.relative_to("/")), code[:4] + UNCHECKED + code[8:])
                path.unlink()
    return file.getvalue()
