"""Technical debt."""

from sim.log import Tables
from sim.metrics.arrays import Window, overlap, ratio, reals, stretches, table
from sim.metrics.catalogue import Metric, measures


@measures(
    Metric(
        name="debt_h",
        label="technical debt",
        meaning="mean stock of clean-up work of a service",
        topic="service",
        dimension="quantity",
        unit="h",
        better="less",
        rests_on="n_services",
    )
)
def technical_debt(tables: Tables, window: Window) -> float:
    """Return the mean stock of debt of a service, in hours of clean-up work.

    The mean is taken over all services and the time of the window; a row of the table of debt holds
    until the service's next, and before its first row a service has none. NaN without services.
    """
    order, start, stop = stretches(tables, "debt")
    debt_h = reals(table(tables, "debt"), "debt_h")[order]
    n_services = len(table(tables, "services"))
    total = (debt_h * overlap(start, stop, window)).sum()
    return ratio(total, n_services * (window[1] - window[0]))
