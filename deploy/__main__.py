"""``python -m deploy`` is ``campus-risk``."""

from deploy.cli import main

main()
