# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a kdump-compressed dump that makedumpfile wrote without compression."""

import struct

PAGE = 4096
HEAD, WIDE = 6, 88      # the version since which a subheader has 64-bit sizes; its offset
DESC = "<QIIQ"


class Dump:
    """A dump file: blocks of header, subheader, two bitmaps, page descriptors, pages."""

    def __init__(self, path):
        self._file = path.open("rb")
        head = self._file.read(PAGE)
        if head[:8] != b"KDUMP   ":
            raise ValueError(f"{path}: begins with {head[:8]!r}")
        version, = struct.unpack_from("<i", head, 8)
        # After utsname (6 * 65) and a padded time of 16 bytes come status and sizes.
        size, sub, bitmaps = struct.unpack_from("<iiI", head, 428)
        if version < HEAD or size != PAGE:
            raise ValueError(f"{path}: version {version}, pages of {size}")
        self._file.seek((1 + sub) * PAGE)
        both = self._file.read(bitmaps * PAGE)
        self._descs = (1 + sub + bitmaps) * PAGE
        # The second one has the pages that are there.
        half = int.from_bytes(both[len(both) // 2:], "little")
        self._bits = half

    def close(self):
        """No longer read it."""
        self._file.close()

    def pages(self, start, end):
        """(address, contents) of each page that the dump has of a physical range."""
        low, high = start // PAGE, end // PAGE
        index = (self._bits & ((1 << low) - 1)).bit_count()
        bits = (self._bits >> low) & ((1 << (high - low)) - 1)
        text = bin(bits)[:1:-1]
        at = text.find("1")
        while at >= 0:
            self._file.seek(self._descs + index * struct.calcsize(DESC))
            offset, size, flags, _ = struct.unpack(DESC, self._file.read(struct.calcsize(DESC)))
            if flags or size != PAGE:
                raise ValueError(f"page {low + at:#x}: flags {flags:#x}, {size} bytes")
            self._file.seek(offset)
            yield (low + at) * PAGE, self._file.read(PAGE)
            index += 1
            at = text.find("1", at + 1)
