"""Changes the address in the browser's bar, which makes Streamlit open the page it names."""

import secrets

from momalisa.ui.components.assets import register_component

_ADDRESS = register_component("address")


def address_bar(*, key: str, address: str = "", replace: bool = False) -> None:
    """Open an address relative to the current one, if one is given.

    It becomes a new entry of the browser's history, or replaces the current entry.
    """
    data = {"address": address, "replace": replace, "id": secrets.token_hex(8) if address else ""}
    _ADDRESS(key=key, data=data)
