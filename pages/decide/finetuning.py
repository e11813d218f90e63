"""Fine-tuning."""

import streamlit as st

st.title("Fine-tuning")
