"""Changes the address in the browser's bar, which makes Streamlit open the page it names."""

from momalisa.ui.components.assets import register_component

_ADDRESS = register_component("address")


def address_bar(
    *, key: str, address: str = "", request_id: str = "", replace: bool = False
) -> None:
    """Open an address relative to the current one, if one is given, once per request id.

    It becomes a new entry of the browser's history, or replaces the current entry.
    """
    _ADDRESS(key=key, data={"address": address, "id": request_id, "replace": replace})
