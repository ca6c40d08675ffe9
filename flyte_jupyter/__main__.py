"""`python -m flyte_jupyter run notebook.ipynb TASK --x 3`."""

import sys

from .notebook.command import main

if __name__ == "__main__":
    sys.exit(main())
