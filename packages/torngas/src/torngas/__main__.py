"""`python -m torngas` is the command `torngas`."""

from torngas.cli import main

if __name__ == "__main__":
    main()
