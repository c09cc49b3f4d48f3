"""Compare: two films on one clock, and a blind vote between them."""

import streamlit as st

from momalisa.ui.compare import blind_vote, side_by_side

st.title("Compare", anchor=False)
left, right = side_by_side.named()
if left and right and blind_vote.asked(left, right):
    blind_vote.ask(left, right)
    st.stop()
side_by_side.choose(left, right)
with st.container():  # kept also while it is empty, so that the fields below never move
    if left and right:
        if blind_vote.possible(left, right):
            blind_vote.tell(left, right)
        side_by_side.show(left, right)
        if side_by_side.finished(left, right):
            side_by_side.differences(left, right)

st.header("Linear beside non-linear", anchor=False)
st.text(
    "The same two prompts, walked in equal steps and in another pacing. A frame that both walks "
    "share is computed once."
)
side_by_side.both_ways()
