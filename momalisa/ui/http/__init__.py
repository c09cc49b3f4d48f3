"""What the server answers beside Streamlit's pages: pictures, stills, downloads, middleware."""
