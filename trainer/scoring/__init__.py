"""The trusted scorer, `python -m trainer.scoring DESCRIPTOR`: held-out tokens in, bits per byte and verdicts out.

scorer       collects a serving candidate's logits and scores them
blocks       which blocks of the held-out splits are scored
probes       causality, purity and normalisation, hidden among ordinary blocks
tolerance    how far honest answers differ on a device, calibrated with generation 0
"""
