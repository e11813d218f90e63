"""What the pages are made of. The only package that imports streamlit; pandas lives here and in writers."""
