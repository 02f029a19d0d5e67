"""Self-service: on the golden path the people of a team do themselves what others did for them.

The platform lets those who have a change in hand execute a step of a group outside the team, so
that nothing is handed over.
"""

from sim.kernel.draws import BLOCKS, ONE_BY_ONE

from .context import Organization
from .entities import Change
from .steps import PlannedStep


def executor(organization: Organization, change: Change, step: PlannedStep, visit: int) -> str:
    """Return the role that executes ``step`` by hand for ``change``, which comes to it now.

    Args:
        organization: where they are.
        change: what the step is executed for.
        step: a step that people can execute.
        visit: how often the change has come to it.
    """
    service, spec = change.service, step.spec
    assert step.role is not None
    if not service.golden_path:
        return step.role
    role, in_hand = spec.golden_path_role or step.role, change.last_role
    if spec.self_service == 0 or service.team.has(role) or not service.team.has(in_hand):
        return role
    lane, number = change.substream
    luck = organization.table(
        f"{service.name}/{lane}/{step.lane}/{visit}/self_service",
        [None],
        BLOCKS if visit == 1 else ONE_BY_ONE,
    ).take(number)[0]
    return in_hand if luck < spec.self_service else role
