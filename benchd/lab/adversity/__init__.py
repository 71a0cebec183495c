"""The machine that looks for the next false pass: schedules of blows against the real core.

Lab only. See docs/adversity.md.
"""
