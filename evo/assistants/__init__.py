"""evo for coding agents, which then set up a task, run it within a budget, and read the result.

server      `evo mcp`: tools over the Model Context Protocol; each is one command of `evo`, run as a user would run it
skill       `evo skill`: where agents look for SKILL.md, which `skill/` holds
"""
