"""Standard changes (ITIL): approved once and for all, so that they skip the approval itself."""

from .context import Organization
from .entities import Change
from .steps import PlannedStep


def skips(organization: Organization, change: Change, step: PlannedStep) -> bool:
    """Return whether ``change`` is a standard change, for which ``step`` is done already.

    One draw decides that for all steps and attempts of a change.
    """
    share = step.spec.standard_changes.get(change.kind, 0.0)
    if share == 0 or not change.service.golden_path:
        return False
    lane, number = change.substream
    name = f"{change.service.name}/{lane}/standard_change"
    return organization.table(name, [None]).take(number)[0] < share
