"""A range of a file's bytes, as RFC 9110 has it: browsers resume downloads and seek by these."""

import re

from starlette.datastructures import Headers

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")
"""First and last byte, the last may be left out; or the number of bytes at the end."""


def choose_part(request: Headers, size: int, etag: str) -> tuple[int, range, dict[str, str]]:
    """The status, the bytes to send and further headers, for a file of `size` bytes.

    206 for one range; 416 and nothing if no byte of the file is in it. 200 and the whole file if
    there is none, or one that need not be understood: several ranges, other units, one that ends
    before it begins, or one of another version of the file (`If-Range`).
    """
    headers = {"Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(request.get("range", ""))
    if match is None or request.get("if-range", etag) != etag:
        return 200, range(size), headers
    first, last, at_end = match.groups()
    if last and int(last) < int(first):
        return 200, range(size), headers
    start = max(size - int(at_end), 0) if at_end else int(first)
    part = range(start, min(int(last) + 1, size) if last else size)
    if not part:
        return 416, part, headers | {"Content-Range": f"bytes */{size}"}
    content = f"bytes {part.start}-{part.stop - 1}/{size}"
    return 206, part, headers | {"Content-Range": content}
