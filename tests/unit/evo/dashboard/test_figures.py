from evo.dashboard.figures import numbers_of


def test_numbers_that_no_float_holds_are_left_out() -> None:
    assert numbers_of(f"WIDTH = 64\nLARGE = {'9' * 400}\nBIAS = True\nENDLESS = 1e999\n") == {"WIDTH": 64.0}
