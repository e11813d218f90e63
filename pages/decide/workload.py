"""Workload."""

import streamlit as st

st.title("Workload")
