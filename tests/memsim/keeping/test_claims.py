"""A claim is one process's, or that of several readers."""

from memsim._keeping import claimed


def test_a_claim_excludes_others_and_ends_with_its_block(tmp_path):
    with claimed(tmp_path / "deep" / "x") as mine:
        with claimed(tmp_path / "deep" / "x") as other, claimed(tmp_path / "deep" / "y") as free:
            assert mine and free and not other
        with claimed(tmp_path / "deep" / "x", shared=True) as reader:
            assert not reader
    with claimed(tmp_path / "deep" / "x") as mine:
        assert mine
    readers = claimed(tmp_path / "z", shared=True), claimed(tmp_path / "z", shared=True)
    with readers[0] as one, readers[1] as two, claimed(tmp_path / "z") as alone:
        assert one and two and not alone
    assert list((tmp_path / "deep").iterdir()) == []
