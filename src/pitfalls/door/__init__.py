"""The one door for what comes from outside: paths, texts, JSON, TOML and Parquet. No torch.

Whatever is wrong with it is told here, as a `PitfallsError` of one line that starts with the place.
What passes is sound: text is Unicode, values are not nested without end, numbers can be printed.
"""
