"""The audit: genomes that cheat and genomes that only look unusual, each with the verdict that it must get.

    cheats/     one trick a file; `EXPECTED` lists the verdicts that are right, each a status, perhaps with a part of
                the reason; `EXPECTED_ON_FLOOR` holds where nothing but a process group confines candidates
    honest/     legitimate and unusual; all of them must be scored
    common      what a file of these does not define itself: `Model`, `build_model`, `train`; what several build on
    specimens   reads them, and completes each to one source file
    running     evaluates them

The genomes are data, and part of the installed package, so that `evo audit` tries them on the machine of the user: what
a sandbox holds and what rounding does differ from machine to machine. Nothing imports them.
"""

from trainer.audit.running import AuditResult, audit_settings, run_audit
from trainer.audit.specimens import CHEATS, HONEST, Specimen, load_specimens

__all__ = ["CHEATS", "HONEST", "AuditResult", "Specimen", "audit_settings", "load_specimens", "run_audit"]
