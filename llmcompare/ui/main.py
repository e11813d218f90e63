"""The script that Streamlit runs: page settings, navigation, the frame around every page."""

from llmcompare.ui import frame

frame.run()
