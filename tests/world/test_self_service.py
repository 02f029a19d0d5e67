"""Self-service on the golden path: no handoff to others, and no board for standard changes."""

import math
from typing import Any

import pytest
from small_organization import idea_every, simulate, steps_of

import sim
from sim.scenario.errors import ScenarioError
from sim.scenario.from_data import validate

TEAM = {"people": {"ml_engineer": 20, "data_scientist": 20}}
DEPLOY = {"role": "operations", "effort_h": 2, "effect": "deploys"}
BUILD = {"role": "ml_engineer", "effort_h": 3}


def run(
    deploy: dict[str, Any] | None = None,
    golden_path: bool = True,
    weeks: int = 6,
    every_h: float = 200,
    **steps: dict[str, Any],
) -> sim.Run:
    """Simulate ideas that the team builds and a group outside deploys, 30 h after the handoff."""
    return simulate(
        weeks,
        teams={"team": TEAM},
        shared_people={"operations": 20, "platform": 20},
        services={"service": {"team": "team", "golden_path": golden_path}},
        changes=idea_every(every_h),
        pipeline={
            "steps": {"build": BUILD, **steps, "deploy": {**DEPLOY, **(deploy or {})}},
            "handoff_in_team": {"delay_h": 5},
            "handoff_across": {"delay_h": 30},
        },
    )


def test_those_who_have_it_in_hand_do_it_themselves() -> None:
    by_ticket, themselves = run(), run({"self_service": 1})
    assert steps_of(by_ticket, 0) == [
        ("build", 1, 200, 200, 203, "passed"),
        ("deploy", 1, 203, 233, 235, "passed"),
    ]
    assert steps_of(themselves, 0) == [
        ("build", 1, 200, 200, 203, "passed"),
        ("deploy", 1, 203, 203, 205, "passed"),  # their effort is what it was
    ]
    assert by_ticket.steps["role"].tolist()[:2] == ["ml_engineer", "operations"]
    assert themselves.steps["role"].tolist()[:2] == ["ml_engineer", "ml_engineer"]
    assert set(themselves.work["pool"]) == {"team/ml_engineer"}


def test_off_the_golden_path_there_is_no_self_service() -> None:
    bespoke, plain = run({"self_service": 1}, golden_path=False), run(golden_path=False)
    assert all(bespoke.tables[name].equals(table) for name, table in plain.tables.items())


def test_what_the_team_does_anyway_is_handed_over_in_it() -> None:
    """Self-service spares no handoff between two roles of the team."""
    themselves = run({"role": "data_scientist", "self_service": 1})
    assert steps_of(themselves, 0)[1] == ("deploy", 1, 203, 208, 210, "passed")


def test_what_others_have_in_hand_they_go_on_with() -> None:
    check = {"role": "operations", "effort_h": 1}
    themselves = run({"self_service": 1}, check=check)
    assert steps_of(themselves, 0)[1:] == [
        ("check", 1, 203, 233, 234, "passed"),
        ("deploy", 1, 234, 234, 236, "passed"),
    ]


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_the_share_of_handoffs_done_without(share: float) -> None:
    """The mean lead time is 3 + 2 + 30 (1 - share), within what luck allows."""
    many = run({"self_service": share}, weeks=1500, every_h=100)
    lead_time_h = (many.changes["deployed_at"] - many.changes["committed_at"]).dropna()
    n = len(lead_time_h)
    sd = 30 * math.sqrt(share * (1 - share))
    assert n > 2000
    assert abs(lead_time_h.mean() - (5 + 30 * (1 - share))) < 4 * sd / math.sqrt(n)
    assert set(lead_time_h.round(6)) == {5, 35}


def test_more_self_service_takes_a_handoff_from_the_same_changes_and_others() -> None:
    some, more = (
        run({"self_service": share}, weeks=200, every_h=100).steps for share in (0.3, 0.6)
    )
    without_some, without_more = (
        set(steps.loc[(steps["step"] == "deploy") & (steps["handoff_h"] == 0), "change_id"])
        for steps in (some, more)
    )
    assert without_some < without_more


def test_a_platform_group_in_between_costs_a_handoff_on_the_golden_path_only() -> None:
    build = {**BUILD, "golden_path_role": "platform"}
    on, off = (
        run(golden_path=golden_path, package=build, deploy={"role": "ml_engineer"})
        for golden_path in (True, False)
    )
    assert [role for _, role in on.steps[["step", "role"]].iloc[:3].to_numpy()] == [
        "ml_engineer",
        "platform",
        "ml_engineer",
    ]
    assert on.steps["handoff_h"].tolist()[:3] == [0, 30, 30]
    assert off.steps["role"].tolist()[:3] == ["ml_engineer"] * 3
    assert off.steps["handoff_h"].tolist()[:3] == [0, 0, 0]


APPROVE = {"role": "operations", "effort_h": 1, "window": {"days": ["wed"], "hour": 14}}


def test_a_standard_change_needs_no_board() -> None:
    """It reaches the board in hour 233, after the meeting of that week; the next one is in 398."""
    deploy = {"role": None, "effort_h": 0}
    asked, standard = (
        run(deploy, approve={**APPROVE, "standard_changes": kinds})
        for kinds in ({}, {"feature": 1})
    )
    assert steps_of(asked, 0)[1:] == [
        ("approve", 1, 203, 398, 399, "passed"),
        ("deploy", 1, 399, 399, 399, "passed"),
    ]
    assert steps_of(standard, 0)[1:] == [("deploy", 1, 203, 203, 203, "passed")]


def test_standard_are_a_share_of_the_changes_of_a_kind_on_the_golden_path() -> None:
    deploy = {"role": None, "effort_h": 0}
    share = 0.4
    approve = {**APPROVE, "standard_changes": {"feature": share, "retrain": 1}}
    many = run(deploy, weeks=1500, every_h=100, approve=approve)
    approved = set(many.steps.loc[many.steps["step"] == "approve", "change_id"])
    deployed = set(many.changes.dropna(subset="deployed_at")["change_id"])
    n = len(deployed)
    assert n > 2000
    skipped = 1 - len(approved & deployed) / n
    assert abs(skipped - share) < 4 * math.sqrt(share * (1 - share) / n)

    improved = run(deploy, approve={**APPROVE, "standard_changes": {"improvement": 1}})
    bespoke = run(
        deploy, golden_path=False, approve={**APPROVE, "standard_changes": {"feature": 1}}
    )
    plain = run(deploy, approve=APPROVE)
    assert improved.steps.equals(plain.steps)
    assert bespoke.steps.equals(plain.steps)


def test_a_change_is_standard_for_every_board_and_stays_so() -> None:
    boards = {
        name: {**APPROVE, "window": None, "standard_changes": {"feature": share}}
        for name, share in (("first", 0.3), ("second", 0.6))
    }
    deploy = {"role": None, "effort_h": 0}
    fails = {"role": "ml_engineer", "fails": 0.5, "returns_to": "first"}
    many = run(deploy, weeks=300, every_h=100, **boards, check=fails)
    passed = many.changes.dropna(subset="deployed_at")["change_id"]
    by_change = many.steps[many.steps["change_id"].isin(passed)].groupby("change_id")["step"]
    counts = by_change.value_counts().unstack(fill_value=0)
    for board in ("first", "second"):
        assert ((counts[board] == 0) | (counts[board] == counts["check"])).all()
    skipped = {board: set(counts.index[counts[board] == 0]) for board in ("first", "second")}
    assert set() < skipped["first"] < skipped["second"]


@pytest.mark.parametrize(
    ("deploy", "message"),
    [
        ({"standard_changes": {"feature": 0.5}}, "a change must not skip deployment"),
        ({"role": None, "golden_path_role": "platform"}, "only machines execute the step"),
        ({"golden_path_role": "nobody"}, "has no 'nobody', nor is there a shared one"),
    ],
)
def test_what_cannot_be_is_refused(deploy: dict[str, Any], message: str) -> None:
    data = {
        "name": "small",
        "teams": {"team": TEAM},
        "shared_people": {"operations": 1, "platform": 1},
        "services": {"service": {"team": "team"}},
        "pipeline": {"steps": {"deploy": {**DEPLOY, **deploy}}},
    }
    with pytest.raises(ScenarioError, match=message):
        validate(data)
