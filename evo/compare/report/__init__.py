"""The report of an experiment: one HTML page with the figures, Markdown, tables for pandas.

page        writes all of it
findings    what may be claimed
figures     the figures
wording     numbers in words
templates/  `sentences` (reword them there), `report` (what is shown, in its order), `html` and `markdown` (how)
"""
