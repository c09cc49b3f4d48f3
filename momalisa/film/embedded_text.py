"""Reads the text that a film, frame or archive carries: the settings that it was made with.

Imports little, since it runs in a process of its own (`momalisa.limited_process`).
"""

import json
from codecs import BOM_UTF8, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from PIL import ExifTags

from momalisa.errors import BadInput
from momalisa.film.pixel_budget import open_picture

RECORD = "walk.json"
FILE_LIMIT = 200 * 2**20
"""Most bytes of a file to read a text from."""
RECORD_BYTES = 2_000_000
"""Most bytes of a record, `walk.json`, which votes may fill."""
ENTRIES_LIMIT = 10_000
"""Most files in an archive: Python keeps an object for each."""
TOO_LONG = "The settings in this file are far too long to be those of a walk."
UNICODE_PREFIX = b"UNICODE\0"
"""Character code that precedes the text in an EXIF UserComment."""

_BEFORE_JSON = BOM_UTF8 + BOM_UTF32_LE + BOM_UTF32_BE + b" \t\r\n"
"""Bytes that may precede it: marks of encodings, and white space, with zeros in some of them."""
_ZIP_ENTRY_SIGNATURE = b"PK\x01\x02"


def extract_text_of_file(path: str) -> str:
    """Extract the text in a file, of at most RECORD_BYTES bytes. Raises BadInput."""
    data = extract_text(Path(path).read_bytes())
    if len(data) > RECORD_BYTES:
        raise BadInput(TOO_LONG)
    return data if isinstance(data, str) else data.decode(errors="replace")


def check_file_size(size: int) -> None:
    """Raise BadInput if a file has more than FILE_LIMIT bytes."""
    if size > FILE_LIMIT:
        raise BadInput(f"This file is larger than {FILE_LIMIT >> 20} MB, so it is not read.")


def extract_text(data: bytes) -> str | bytes:
    """Extract the text in a JSON file, archive, film or frame, unparsed. Raises BadInput."""
    check_file_size(len(data))
    if data[:64].lstrip(_BEFORE_JSON).startswith(b"{"):
        return _decode_json(data)
    return _decode_json(_read_record(data)) if data.startswith(b"PK") else read_comment(data)


def _decode_json(data: bytes) -> str | bytes:
    """JSON as it is, or decoded where a shell or an editor wrote it in UTF-16 or UTF-32."""
    encoding = json.detect_encoding(data[:4])
    if encoding.startswith("utf-8"):
        return data
    if len(data) > 4 * RECORD_BYTES:
        raise BadInput(TOO_LONG)
    return data.decode(encoding, errors="replace")


def read_comment(data: bytes) -> str:
    """The comment of a GIF, MP4, WebP or PNG, or "". Raises BadInput if it cannot be decoded."""
    with decode_errors_as_bad_input():
        return _mp4_comment(data) if data[4:8] == b"ftyp" else _picture_comment(data)


@contextmanager
def decode_errors_as_bad_input() -> Iterator[None]:
    """Re-raise any other exception of a decoder as BadInput."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        raise BadInput("This file is damaged, or of a kind that is not read here.") from error


def _read_record(archive: bytes) -> bytes:
    """Read walk.json from a ZIP, at most RECORD_BYTES + 1 bytes of it: it may be a ZIP bomb."""
    if archive.count(_ZIP_ENTRY_SIGNATURE) > ENTRIES_LIMIT:
        raise BadInput("This archive holds too many files to be one of ours.")
    with decode_errors_as_bad_input(), ZipFile(BytesIO(archive)) as opened:
        entry = opened.getinfo(RECORD)
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise ValueError("other compression methods decompress in one step")
        with opened.open(entry) as record:
            return record.read(RECORD_BYTES + 1)


def _mp4_comment(data: bytes) -> str:
    import av  # slow to import, and needed for this format only

    with av.open(BytesIO(data), format="mp4") as container:
        return container.metadata.get("comment", "")


def _picture_comment(data: bytes) -> str:
    with open_picture(BytesIO(data)) as image:
        if image.format == "PNG":
            return str(image.info.get("Comment", ""))
        if image.format == "GIF":
            return bytes(image.info.get("comment", b"")).decode()
        exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
    comment = exif.get(ExifTags.Base.UserComment, b"")
    if not comment.startswith(UNICODE_PREFIX):
        return ""
    return str(comment.removeprefix(UNICODE_PREFIX).decode("utf-16"))
