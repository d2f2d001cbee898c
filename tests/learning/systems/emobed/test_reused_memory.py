from pipeline.learning.systems.emobed.reused_memory import ALIGNMENT, SMALLEST, empty, reused_memory

LARGE = SMALLEST // 4  # values


def test_memory_is_used_again_only_when_nothing_holds_it():
    with reused_memory():
        first = empty(3, LARGE)
        view, place = first[1:], first.data_ptr()
        view.fill_(5)
        del first
        second = empty(3, LARGE)
        assert second.data_ptr() != place
        assert (view == 5).all()
        del view
        third = empty(LARGE, 3)
        assert third.data_ptr() == place
        assert third.shape == (LARGE, 3)
        assert third.is_contiguous()
        assert third.data_ptr() % ALIGNMENT == 0


def test_a_graph_holds_what_it_will_read():
    with reused_memory():
        values = empty(LARGE).fill_(2).requires_grad_()
        square = values * empty(LARGE).fill_(3)
        place = square.grad_fn._saved_other.data_ptr()
        assert empty(LARGE).data_ptr() != place
        square.sum().backward()
        assert (values.grad == 3).all()


def test_a_block_of_more_than_twice_the_size_waits_for_a_large_array():
    with reused_memory():
        place = (large := empty(8 * LARGE)).data_ptr()
        del large
        small = empty(LARGE)
        assert small.data_ptr() != place
        assert empty(5 * LARGE).data_ptr() == place
