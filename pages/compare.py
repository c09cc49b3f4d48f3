"""Compare: two films on one clock, and a blind vote between them."""

import streamlit as st

from momalisa.ui import duo, verdict

st.title("Compare", anchor=False)
left, right = duo.named()
if left and right and verdict.asked(left, right):
    verdict.ask(left, right)
    st.stop()
duo.choose(left, right)
with st.container():  # kept also while it is empty, so that the fields below never move
    if left and right:
        if verdict.possible(left, right):
            verdict.tell(left, right)
        duo.show(left, right)
        if duo.finished(left, right):
            duo.differences(left, right)

st.header("Linear beside non-linear", anchor=False)
st.text(
    "The same two prompts, walked in equal steps and in another pacing. A frame that both walks "
    "share is computed once."
)
duo.both_ways()
