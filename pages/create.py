"""Create: two prompts or more, and the walk between them."""

import streamlit as st

from db.models import State
from momalisa.ui import draft, film_detail, wall_label
from momalisa.ui.create import current_walk, estimate, form, progress, scrub

walk = current_walk.load_from_url()
progress.elsewhere(except_for=walk.id if walk else None)

table, wall = st.columns([5, 6], gap="large")

with table:
    st.title("Create", anchor=False)
    spec, problems = draft.validate()
    shown = problems if st.session_state.get("complain") else {}
    form.ideas()
    form.stops(shown)
    form.quality(shown)
    form.pacing(shown)
    form.more(shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Walk", key="walk", type="primary", on_click=current_walk.submit_form)
        if spec:
            st.text(estimate.sentence(spec))
    if shown:
        st.error("The walk cannot begin yet: please look at the sentences above.")
    if spec and (walk is None or walk.digest != spec.digest()):
        scrub.ahead(spec)

with wall:
    if walk is None:
        current_walk.empty_wall()
    elif walk.state is State.DONE:
        film_detail.show_film(walk)
        wall_label.show_wall_label(walk)
        with st.container(horizontal=True):
            film_detail.show_downloads(walk)
            film_detail.show_variation_buttons(walk)
        scrub.look(walk)
    elif walk.state.is_final:
        current_walk.unfinished(walk)
        current_walk.previous_film(walk)
    else:
        progress.watch(walk)
        current_walk.previous_film(walk)
