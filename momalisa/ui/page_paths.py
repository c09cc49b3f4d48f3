"""The files of the pages, for `st.Page`, `st.page_link` and `navigation.open_page`."""

from momalisa.settings import CHECKOUT

PAGES = CHECKOUT / "pages"
HOME = PAGES / "home.py"
CREATE = PAGES / "create.py"
GALLERY = PAGES / "gallery.py"
COMPARE = PAGES / "compare.py"
INSIGHT = PAGES / "insight.py"
EXHIBITION = PAGES / "exhibition.py"
