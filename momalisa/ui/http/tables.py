"""Downloads of the films found as a table: written to a file on request, one at a time.

A history of 50,000 films takes seconds and is read row by row: a table for each click in each open
page, in memory, took 1.4 GB.
"""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.gallery_query import Filters
from momalisa.errors import NotStored
from momalisa.ui import page_paths
from momalisa.ui.gallery import filters, table_export
from momalisa.ui.http import downloads
from momalisa.ui.http.addresses import address_of
from momalisa.ui.http.downloads import Exported
from momalisa.ui.http.permission import permit
from momalisa.ui.http.shared_calls import SharedCalls
from momalisa.ui.http.threads import Threads
from momalisa.ui.policy import Action

TABLES = SharedCalls[Exported](
    Threads("tables", 1, seconds=300.0),
    total=downloads.WAITING,
    each=downloads.WAITING_EACH,
    discard=lambda exported: exported.folder.cleanup(),
)


async def serve_table(request: Request) -> Response:
    """Answer with the films that the Gallery's query string `of` finds, or with an error page."""
    kind, query = request.path_params["kind"], request.query_params.get("of", "")
    try:
        if kind not in table_export.WRITERS:
            raise NotStored("There is no such table.")
        return await TABLES.run(
            (kind, query),
            partial(_write, kind, filters.parse_query(query).filters),
            partial(_response, kind),
            address=address_of(request),
            is_gone=request.is_disconnected,
        )
    except Exception as error:
        what = f"{kind!r} of the films found"
        back = f"/{page_paths.GALLERY.stem}?{query}"
        return downloads.error_page(error, what, ("Back to the Gallery", back))


def _write(kind: str, found: Filters, stopped: table_export.Stopped) -> Exported:
    """Write the table to a file. Raises Cancelled."""
    folder = TemporaryDirectory(prefix="momalisa-")
    path = Path(folder.name) / "table"
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table_export.WRITERS[kind](file, found, stopped)
    except BaseException:
        folder.cleanup()
        raise
    return Exported(folder, path)


def _response(kind: str, exported: Exported) -> Response:
    return downloads.file_response(exported, table_export.CONTENT_TYPES[kind], f"films.{kind}")


ROUTE = Route(table_export.PATH + ".{kind}", permit(Action.VIEW, serve_table))
