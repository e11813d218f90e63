"""Breakeven."""

import streamlit as st

st.title("Breakeven")
