"""Create: two prompts or more, and the walk between them."""

import streamlit as st

from db.models import State
from momalisa.ui import between, draft, easel, estimate, exhibit, form, label, making

easel.set_up()
walk = easel.walk_on_show()
making.elsewhere(except_for=walk.id if walk else None)

table, wall = st.columns([5, 6], gap="large")

with table:
    st.title("Create", anchor=False)
    spec, problems = draft.check()
    shown = problems if st.session_state.get("complain") else {}
    form.ideas()
    form.stops(shown)
    form.quality(shown)
    form.pacing(shown)
    form.more(shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Walk", key="walk", type="primary", on_click=easel.walk)
        if spec:
            st.text(estimate.sentence(spec))
    if shown:
        st.error("The walk cannot begin yet: please look at the sentences above.")
    if spec and (walk is None or walk.digest != spec.digest()):
        between.ahead(spec)

with wall:
    if walk is None:
        easel.empty_wall()
    elif walk.state is State.DONE:
        exhibit.show(walk)
        label.wall_label(walk)
        with st.container(horizontal=True):
            exhibit.take_away(walk)
            exhibit.carry_on(walk)
        between.look(walk)
    elif walk.state.over:
        easel.unfinished(walk)
        easel.previous_film(walk)
    else:
        making.watch(walk)
        easel.previous_film(walk)
