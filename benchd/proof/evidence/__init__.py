"""What each stage saw, as types: a frozen dataclass per stage, its names the record's words.

JSON becomes these, and these JSON, in `forms` alone; everybody else uses attributes.
"""
