"""`python -m service` is `parallax`."""

from service.cli import main

if __name__ == "__main__":
    main(prog_name="parallax")
