"""Compare: two films played in step, a film's grid of settings, and blind votes between films."""

import streamlit as st

from momalisa.ui.compare import blind_vote, grid_view, scrub_pair, side_by_side, variations

st.title("Compare", anchor=False)
left, right = side_by_side.films_in_url()
if left and right and blind_vote.is_requested(left, right):
    blind_vote.show_ballot(left, right)
    st.stop()
if film := grid_view.film_in_url():
    grid_view.show_grid(film)
    st.stop()
side_by_side.show_film_choice(left, right)
with st.container():  # always there, so that the fields below never move
    if left and right:
        if blind_vote.can_vote(left, right):
            blind_vote.show_result(left, right)
        side_by_side.show_films(left, right)
        if side_by_side.are_finished(left, right):
            side_by_side.show_differences(left, right)
            scrub_pair.show_film_pair(left, right)
if left:
    variations.show_variations(left)
    grid_view.show_link(left)

st.header("Linear beside non-linear", anchor=False)
st.text(
    "The same two prompts, walked in equal steps and in another pacing. A frame that both walks "
    "share is computed once."
)
side_by_side.show_pacing_comparison()
