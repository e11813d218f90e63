"""What generates text: llama.cpp in worker processes, and a fake for tests. No Streamlit, no DuckDB here."""
