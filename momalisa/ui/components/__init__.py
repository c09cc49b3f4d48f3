"""The small components, each with its HTML, CSS and JavaScript beside it.

Whatever a person wrote reaches the page through `textContent` and attributes set from
JavaScript, never as HTML.
"""
