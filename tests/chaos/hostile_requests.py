"""Strategies for hostile HTTP requests, as bytes: addresses, queries, headers, uploads."""

from io import BytesIO
from urllib.parse import quote, quote_plus
from zipfile import ZIP_DEFLATED, ZipFile

from hypothesis import strategies as st

Request = tuple[bytes, bool]
"""The bytes of a request, and whether it is whole."""

PAGES = ("", "create", "gallery", "compare", "insight", "exhibition", "sign-in", "home", "nothing")
NASTY = (
    *("", "..", "../../etc/passwd", "/etc/passwd", "~", "\0", "%", "%00", "%2e%2e/", "a" * 5000),
    *("'; DROP TABLE walks; --", '"', "<script>", "{}", "[]", "null", "NaN", "-1", "1e999"),
    *("9" * 400, "\u202e", "\ud7ff", "🎨", "ML.2026.0001", "true", "; rm -rf", "$(id)", "\r\nX: y"),
)
TEXT = st.sampled_from(NASTY) | st.text(max_size=60)
FIELDS = ("walk", "use", "a", "b", "of", "rounds", "seconds", "search", "before", "blind", "tag",
          "spec", "leg", "t", "at", "prompt", "seed", "looker", "name", "download", "sort", "model",
          "pacing")  # fmt: skip
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X")
HEADERS = ("Range", "If-None-Match", "If-Modified-Since", "If-Range", "Cookie", "Accept", "Origin",
           "Accept-Encoding", "Content-Type", "Authorization", "Forwarded", "X-Forwarded-For",
           "Sec-Fetch-Site", "Upgrade", "Connection", "Expect", "Referer", "X-Custom")  # fmt: skip
VALUES = st.one_of(
    TEXT,
    st.sampled_from(("bytes=0-", "bytes=-1", "bytes=9-1", "bytes=0-0,1-1," * 200, "*", "websocket",
                     "gzip;q=9", "Bearer x", "127.0.0.1", "cross-site", "100-continue",
                     "multipart/form-data; boundary=", "Thu, 99 Foo 9999 99:99:99 GMT")),
)  # fmt: skip


def _segment(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def _query(fields: list[tuple[str, str]]) -> str:
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value.encode('utf-8', 'surrogatepass'))}"
        for name, value in fields
    )


QUERIES = st.lists(st.tuples(st.sampled_from(FIELDS) | TEXT, TEXT), max_size=5).map(_query)
SEGMENTS = TEXT.map(_segment)
TEMPLATES = (
    *("/pictures/store/{}", "/pictures/store/saved_predictions/{}/{}.gif", "/pictures/still"),
    *("/pictures/frames/{}.png", "/pictures/frames/{}", "/pictures/walks/{}.mp4", "/pictures/live"),
    *("/pictures/walks/{}.{}", "/pictures/example/{}", "/pictures/{}", "/{}", "/{}/{}"),
    *("/healthz", "/readyz", "/metrics", "/_stcore/{}", "/media/{}", "/static/{}"),
    *("/component/{}/{}", "/oauth2callback", "/app/static/{}"),
    *(f"/{page}" for page in PAGES),
)
PATHS = st.builds(
    lambda template, one, two: template.format(one, two),
    st.sampled_from(TEMPLATES),
    SEGMENTS,
    SEGMENTS,
)
RAW_PATHS = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=200)


def _encode(
    method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> bytes:
    lines = [f"{method} {path}{'?' if query else ''}{query} HTTP/1.1", "Host: localhost"]
    lines += ["Connection: close", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


def _zip(content: bytes) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as archive:
        archive.writestr("walk.json", content)
    return data.getvalue()


_SIDES = st.integers(0, 65535).map(lambda side: side.to_bytes(2, "little"))
UPLOADED = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda a, b, rest: b"GIF89a" + a + b + b"\x80\0\0" + rest, _SIDES, _SIDES,
              st.binary(max_size=200)),
    st.binary(max_size=200).map(lambda rest: b"\x89PNG\r\n\x1a\n" + rest),
    st.binary(max_size=200).map(lambda rest: b"RIFF\xff\0\0\0WEBPVP8X" + rest),
    st.binary(max_size=200).map(lambda rest: b"\0\0\0\x20ftypisom" + rest),
    st.binary(max_size=200).map(_zip),
    TEXT.map(lambda text: f'{{"stops": "{text}"}}'.encode("utf-8", "surrogatepass")),
    st.just(b'{"stops": ' + b"[" * 20_000),
)  # fmt: skip

_HEADERS = st.lists(st.tuples(st.sampled_from(HEADERS), VALUES), max_size=3)
_PLAIN = st.builds(
    _encode, st.sampled_from(METHODS), PATHS | RAW_PATHS, QUERIES, _HEADERS, st.just(b"")
)
_UPLOADS = st.builds(
    _encode, st.just("POST"), st.just("/pictures/settings"), QUERIES, _HEADERS, UPLOADED
)
_BINARY = st.binary(max_size=400) | st.builds(
    lambda request, cut: request[: int(cut * len(request))], _PLAIN, st.floats(0, 1)
)
_WELL_FORMED = st.builds(_encode, st.just("GET"), PATHS, QUERIES, st.just([]), st.just(b""))
REQUESTS: st.SearchStrategy[Request] = st.integers(0, 99).flatmap(
    lambda number: (
        st.tuples(_UPLOADS, st.just(True))
        if number < 4
        else st.tuples(_BINARY, st.just(False))
        if number < 15
        else st.tuples(_WELL_FORMED if number < 55 else _PLAIN, st.just(True))
    )
)
"""Of each hundred requests, four are uploads and eleven are not whole."""
