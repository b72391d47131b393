"""Crossover without a language model.

merge      the changes of both parents since their common ancestor
uniform    each constant and each top-level definition from either parent
"""
