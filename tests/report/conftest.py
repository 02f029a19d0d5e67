"""The studies that the tests of reports look at."""

import pytest
from studies import make_empty_study, make_study

from sim import Study


@pytest.fixture(scope="session")
def study() -> Study:
    return make_study()


@pytest.fixture(scope="session")
def empty_study() -> Study:
    return make_empty_study()
