"""Create: the form of a walk, and its progress and film."""

import streamlit as st

from db.models import State
from momalisa.ui import draft, film_detail, sign_in, wall_label
from momalisa.ui.create import current_walk, estimate, form, progress, scrub, stops_form
from momalisa.ui.policy import Action

walk = current_walk.load_from_url()
progress.show_other_walks(except_for=walk.id if walk else None)

form_column, film_column = st.columns([5, 6], gap="large")

with form_column:
    st.title("Create", anchor=False)
    spec, problems = draft.validate()
    shown = problems if st.session_state.get("complain") else {}
    with st.container(key="stops"):
        stops_form.show_presets()
        stops_form.show_stops(shown)
    form.show_quality(shown)
    form.show_pacing(shown)
    form.show_more(shown)
    with st.container(key="begin"):
        with st.container(horizontal=True, vertical_alignment="center"):
            if sign_in.may(Action.MAKE):
                st.button("Walk", key="walk", type="primary", on_click=current_walk.submit_form)
            else:
                sign_in.show_invitation(Action.MAKE)
            if spec:
                st.text(estimate.describe_estimate(spec))
        if shown:
            st.error("The walk cannot begin yet: please look at the sentences beside the fields.")
        if spec and walk and walk.digest != spec.digest():
            scrub.show_draft_scrubber(spec)

with film_column, st.container(key="wall"):
    if walk is None:
        current_walk.show_empty_wall()
    elif walk.state is State.DONE:
        film_detail.show_film(walk)
        wall_label.show_wall_label(walk)
        with st.container(horizontal=True):
            film_detail.show_downloads(walk)
            film_detail.show_variation_buttons(walk)
        scrub.show_film_scrubber(walk)
    elif walk.state.is_final:
        current_walk.show_unfinished(walk)
        current_walk.show_previous_film(walk)
    else:
        progress.show_progress(walk)
        current_walk.show_previous_film(walk)
