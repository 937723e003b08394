"""What holds for every test: Hypothesis judges answers, not how fast a busy machine gives them."""

from hypothesis import settings

settings.register_profile("p2pchat", deadline=None)
settings.load_profile("p2pchat")
