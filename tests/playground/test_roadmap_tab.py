"""The tab *Roadmap*: what it shows is what the command line finds."""

import numpy as np
from test_laboratory import laboratory, run

from sim.experiment.payback import Payback, pay_back
from sim.playground.roadmap import paybacks, roadmap_pieces
from sim.playground.state import from_query
from sim.report.payback import in_words


def test_a_roadmap_pays_back_as_on_the_command_line() -> None:
    state = from_query({"a.organization": "startup", "replications": "3", "roadmap.week": "8"})
    scenario = state.scenario_with_roadmap().model_copy(
        update={"horizon_weeks": 30, "warmup_weeks": 4}
    )

    async def test() -> None:
        async with laboratory(2) as made:
            found: list[Payback] = [each async for each in paybacks(scenario, 3, made)]
        counts = [len(each.invested.runs) for each in found]
        assert counts == sorted(counts)
        assert counts[-1] == 3
        expected = pay_back(scenario, n_jobs=1)
        np.testing.assert_array_equal(found[-1].cumulated(), expected.cumulated())
        assert found[-1].break_even() == expected.break_even()
        pieces = roadmap_pieces(found[-1], 3)
        assert pieces["progress"] == "done: 3 of 3 replications"
        assert in_words(expected).split(" in week")[0] in pieces["roadmap-answer"]
        assert "data:image/svg+xml" in pieces["roadmap-picture"]

    run(test)
