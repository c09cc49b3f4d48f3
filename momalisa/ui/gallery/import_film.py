"""Import of a film's settings: a file dropped on the Gallery loads them into Create's form.

The browser sends the file to `handle_upload`, which responds with the settings in it or an error
message. It is read by a process with limits of its own.
"""

from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from momalisa.film import embedded_spec, embedded_text
from momalisa.ui import draft, film_detail, sign_in
from momalisa.ui.components.drop import file_drop
from momalisa.ui.http import uploads
from momalisa.ui.http.permission import permit
from momalisa.ui.policy import Action

PATH = "/pictures/settings"


def show_import() -> None:
    """Show the field that takes a film's file, if the visitor may; open Create once it was read."""
    if not sign_in.may(Action.MAKE):
        return
    settings = file_drop(PATH, key="drop")
    if settings is not None:
        spec = embedded_spec.read_spec(settings.encode(), embedded_text.RECORD)
        draft.load_spec(spec.model_dump(mode="json"))
        film_detail.open_create_form()


async def handle_upload(request: Request) -> Response:
    """Respond with the settings in the uploaded file as JSON, or with a message."""
    read = partial(_read_settings, request.query_params.get("name", ""))
    return await uploads.receive(request, embedded_text.FILE_LIMIT, read)


def _read_settings(name: str, path: Path) -> Response:
    spec = embedded_spec.read_spec_from_file(path, name)
    return Response(spec.model_dump_json(), media_type="application/json")


ROUTE = Route(PATH, permit(Action.MAKE, handle_upload), methods=["POST"])
