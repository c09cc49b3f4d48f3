"""The three small components: poster grid, filmstrip and player, each with its CSS and JS.

Whatever a person wrote reaches the page through `textContent` and attributes set from
JavaScript, never as HTML.
"""
