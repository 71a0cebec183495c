"""`benchd doctor`: everything an administrator would look at, each with its cure.

It only looks: no file is written, and nothing is started by being asked.
"""
