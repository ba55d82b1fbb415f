"""`falgate` and `python -m falgate`."""

from falgate.cli.main import main

if __name__ == "__main__":
    main()
