"""HTTP routes beside Streamlit's own (pictures, stills, downloads) and middleware."""
