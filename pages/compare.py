"""Compare: two films on one clock."""

import streamlit as st

from momalisa.ui import duo

st.title("Compare", anchor=False)
left, right = duo.choose()
with st.container():  # kept also while it is empty, so that the fields below never move
    if left and right:
        duo.show(left, right)
        if left.distances and right.distances:
            curves, table = st.columns(2, gap="large")
            with curves:
                duo.change_curves(left, right)
            with table:
                duo.differences(left, right)

st.header("Linear beside dense-middle", anchor=False)
st.text("The same two prompts, walked in equal steps and with small steps in the middle.")
duo.both_ways()
