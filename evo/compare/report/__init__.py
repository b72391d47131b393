"""The report of an experiment: one HTML page with the figures, Markdown, tables for pandas.

page        writes all of it
document    what the page and the Markdown say
findings    what may be claimed
wording     numbers and verdicts in words
figures     the figures
templates/
"""
