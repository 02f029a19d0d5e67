"""``python -m sim`` and the console script ``mldelivery``."""

from sim.ending import ended_when_told


def main() -> None:
    """Run the command line of this process, and exit; see :func:`sim.app.main`."""
    with ended_when_told():
        from sim.app import main as run  # a second, in which somebody may have second thoughts

        run()


if __name__ == "__main__":
    main()
