"""Gallery: the posters of all films, or one film with its label."""

import streamlit as st

from db.models import State
from momalisa.ui import annotations, film_detail, history, wall_label
from momalisa.ui.create import scrub
from momalisa.ui.gallery import filters, import_film, new_films, poster_grid, table_export

chosen = st.query_params.get("walk")
if chosen:
    walk = history.find_walk(chosen)
    with st.container(horizontal=True):
        film_detail.show_back_button()
        if walk is not None:
            poster_grid.show_neighbour_buttons(walk)
    if walk is None or walk.state is not State.DONE:
        film_detail.show_missing_film(walk)
        st.stop()
    left, right = st.columns([6, 5], gap="large")
    with left:
        film_detail.show_film(walk)
        scrub.show_film_scrubber(walk)
    with right:
        wall_label.show_wall_label(walk)
        with st.container(horizontal=True, vertical_alignment="center", key="door_use"):
            film_detail.show_reuse_buttons(walk)
            film_detail.show_variation_buttons(walk)
            film_detail.show_compare_link(walk)
        with st.container(horizontal=True):
            film_detail.show_downloads(walk)
        wall_label.show_fact_table(wall_label.facts(walk), key=walk.id)
        annotations.show_annotation_fields(walk)
        film_detail.show_delete_button(walk)
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom", key="head"):
    st.title("Gallery", anchor=False)
    beside_title = st.container()
search_column, import_column = st.columns([5, 1])
with search_column:
    query = filters.show_filters()
with import_column:
    import_film.show_import()
found = poster_grid.find_films(query)
with beside_title:  # where it moves nothing
    new_films.show_offer(query, found)
if not found.films:
    poster_grid.show_empty_gallery(query)
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.text(poster_grid.describe_result(query, found.total), width="stretch")
    poster_grid.show_exhibition_link(found.total)
    table_export.show_export_links()
if pending := poster_grid.describe_pending():
    st.text(pending)
poster_grid.show_posters(found.films[: poster_grid.PAGE_SIZE])
poster_grid.show_page_buttons(found.films)
