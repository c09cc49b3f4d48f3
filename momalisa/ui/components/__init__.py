"""Custom components, each a Python module with HTML, CSS and JavaScript files of the same name.

Like Streamlit's elements, their functions are named after what they show. Text that people wrote
reaches the page only through `textContent` and attributes set from JavaScript, never as HTML.
"""
