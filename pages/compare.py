"""Compare: two films on one clock."""

import streamlit as st

from momalisa.ui import duo

st.title("Compare", anchor=False)
left, right = duo.choose()
with st.container():  # kept also while it is empty, so that the fields below never move
    if left and right:
        duo.show(left, right)
        if duo.finished(left, right):
            curves, table = st.columns(2, gap="large")
            with curves:
                duo.change_curves(left, right)
            with table:
                duo.differences(left, right)

st.header("Linear beside non-linear", anchor=False)
st.text("The same two prompts, walked in equal steps and in another pacing.")
duo.both_ways()
