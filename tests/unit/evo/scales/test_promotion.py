from evo.scales.promotion import spread


def test_a_spread_has_both_ends_of_a_ranking() -> None:
    assert spread([5, 3, 8, 1, 9, 2, 7], 3) == [5, 1, 7]
    assert spread([5, 3], 3) == [5, 3]
    assert spread([5, 3, 8], 1) == [8]
    assert spread([5, 3, 8], 0) == []
    assert spread([], 2) == []
