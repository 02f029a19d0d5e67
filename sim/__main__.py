"""Makes ``python -m sim`` the same as the console script ``mldelivery``."""

from sim.app import main

if __name__ == "__main__":
    main()
