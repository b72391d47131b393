"""Counts pairs of tokens: the smallest thing that learns.

Ends long before its budget does.
"""
