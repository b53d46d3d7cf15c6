"""Parts of the training that a long run would hide: targets, pointer steps, growing, the floors."""

import unittest
from importlib.util import find_spec

import numpy as np

if find_spec("torch") is None:
    raise unittest.SkipTest("needs requirements.txt")

import torch

from headroom_training import measure, minilm, reader, rule, teacher
from headroom_training.corpus import segments_of
from headroom_training.labels import targets
from headroom_training.model import Headroom, Shape
from headroom_training.train import drawn_ratios, grown, pointer_steps, spans_of

SMALL = dict(vocab_size=50, d_model=16, d_ff=32, heads=2, head_width=8, embedding=8, pointer=8, keep_width=8)


def batch_of(tag, costs):
    words = len(tag)
    owners = torch.tensor([[word for word in range(words) for _ in range(costs[word])]])
    return {"ids": torch.zeros_like(owners), "owners": owners, "row_of_word": torch.zeros(words, dtype=torch.long),
            "counts": torch.tensor(costs, dtype=torch.float32), "tag": torch.tensor(tag), "rule": torch.tensor(tag)}


class Targets(unittest.TestCase):
    def test_a_harsher_ratio_never_wants_more(self):
        batch = batch_of([1.0, -1.0, 0.5, 0.0, 2.0, -0.5], [1, 2, 1, 1, 2, 1])
        mild, harsh = (targets(batch, torch.tensor([ratio])) for ratio in (2.0, 8.0))
        self.assertTrue(bool((harsh <= mild + 1e-6).all()))

    def test_the_decoders_targets_fit_the_budget(self):
        batch = batch_of([1.0, -1.0, 0.5, 0.0, 2.0, -0.5], [1, 2, 1, 1, 2, 1])
        keep = targets(batch, torch.tensor([2.0]), smooth=True) > 0.5
        self.assertTrue(0 < int(keep.sum()) <= 4)


class Schedule(unittest.TestCase):
    def test_mild_ratios_get_their_share_and_none_leaves_the_range(self):
        torch.manual_seed(1)
        ratios = drawn_ratios(4000, 0.5)
        self.assertTrue(1.3 < float(ratios.min()) and float(ratios.max()) < 24.3)
        self.assertAlmostEqual(float((ratios < 3.04).float().mean()), 0.5 + 0.5 * 1.2 / 4.2, delta=0.03)

    def test_a_lower_layer_of_the_tagger_learns_more_slowly_and_a_frozen_one_not_at_all(self):
        tagger = teacher.Tagger(minilm.MiniLm(vocabulary=9, layers=3, inner=8))
        groups = teacher.rates(tagger, 1, 0.5)
        self.assertEqual([group["scale"] for group in groups], [1.0, 1.0, 0.5])
        learned = {id(parameter) for group in groups for parameter in group["params"]}
        self.assertEqual(learned, {id(parameter) for parameter in tagger.parameters() if parameter.requires_grad})


class Reader(unittest.TestCase):
    def test_an_even_split_is_chance_and_a_clear_one_is_not(self):
        self.assertEqual(reader.sign_test(4, 4), 1.0)
        self.assertAlmostEqual(reader.sign_test(1, 9), 22 / 1024)


class Pointing(unittest.TestCase):
    def test_spans_are_runs_of_kept_words_over_the_whitespace_between(self):
        words = np.array([0, 0, -1, 1, 2, 3])
        self.assertEqual(spans_of(np.array([1, 1, 0, 1, 0, 1]), words, 6), ([(0, 3), (5, 5)], 5))

    def test_every_wanted_choice_is_allowed(self):
        rng = np.random.default_rng(1)
        words = np.repeat(np.arange(12), 2)[None]
        keep = np.repeat(rng.random(12) > 0.5, 2)[None]
        steps = pointer_steps(keep, words, np.ones((1, 24), int), 24)
        for step in np.flatnonzero(steps["known"][0]):
            self.assertTrue(steps["allowed"][0, step, steps["target"][0, step]])


class Network(unittest.TestCase):
    def test_growing_leaves_the_function_as_it_was(self):
        torch.manual_seed(1)
        model = Headroom(Shape(**SMALL, encoder_layers=2)).eval()
        ids, mask = torch.randint(0, 50, (2, 9)), torch.ones(2, 9, dtype=torch.long)
        bigger = grown(model, 5).eval()
        self.assertEqual(len(bigger.encoder.layers), 5)
        torch.testing.assert_close(model.encoder.states(ids, mask), bigger.encoder.states(ids, mask))

    def test_padding_changes_nothing(self):
        torch.manual_seed(1)
        model = Headroom(Shape(**SMALL, encoder_layers=2)).eval()
        ids, mask = torch.randint(1, 50, (1, 6)), torch.ones(1, 6, dtype=torch.long)
        padded = torch.cat([ids, torch.zeros(1, 3, dtype=torch.long)], 1)
        longer = torch.cat([mask, torch.zeros(1, 3, dtype=torch.long)], 1)
        torch.testing.assert_close(model.encoder.states(ids, mask), model.encoder.states(padded, longer)[:, :6],
                                   atol=1e-5, rtol=1e-4)

    def test_steps_at_once_equal_steps_one_by_one(self):
        torch.manual_seed(1)
        model = Headroom(Shape(**SMALL, encoder_layers=1)).eval()
        mask = torch.ones(1, 7, dtype=torch.long)
        states = model.encoder.states(torch.randint(0, 50, (1, 7)), mask)
        pointer, cross = model.decoder.keys(states, torch.zeros(1, 7), mask)
        places, phases, left = [-1, 2, 4], [0, 1, 0], [6.0, 6.0, 3.0]
        previous = torch.stack([torch.zeros(16), states[0, 2], states[0, 4]])[None]
        empty = [(torch.zeros(1, 2, 0, 8), torch.zeros(1, 2, 0, 8))] * 2
        whole, _ = model.decoder(previous, torch.tensor([phases]), torch.tensor([left]), torch.tensor([places]), mask,
                                 pointer, cross, empty)
        past = empty
        for step in range(3):
            one, past = model.decoder(previous[:, step:step + 1], torch.tensor([phases[step:step + 1]]),
                                      torch.tensor([left[step:step + 1]]), torch.tensor([places[step:step + 1]]), mask,
                                      pointer, cross, past)
            torch.testing.assert_close(one[0, 0], whole[0, step], atol=1e-4, rtol=1e-4)


class Floors(unittest.TestCase):
    def test_an_answer_counts_as_whole_words_only(self):
        self.assertTrue(measure.contains("It cost $1,452.4 then.", ["1,452.4"]))
        self.assertFalse(measure.contains("Parisian", ["Paris"]))

    def test_a_budget_is_kept(self):
        self.assertEqual(measure.take([3, 1, 2], [2, 1, 2], 3), [0, 1])

    def test_a_name_is_kept_whole_or_not_at_all(self):
        words = "then Boris Yeltsin met Gennady Zyuganov, who".split()
        self.assertEqual(measure.name_runs(words), [(0, 1), (1, 3), (3, 4), (4, 6), (6, 7)])
        self.assertEqual(measure.take_runs(words, [0, 9, 1, 0, 2, 2, 0], [1] * 7, 3), [0, 1, 2])

    def test_names_and_numbers_come_before_common_words(self):
        words = "the man went to Oslo in 1952 with the others".split()
        scores = rule.importance(words, rule.Idf({}, 100))
        self.assertGreater(scores[4], scores[0])
        self.assertGreater(scores[6], scores[3])

    def test_segments_hold_the_text_in_order(self):
        import random
        text = " ".join(f"Sentence number {number} says something." for number in range(40))
        self.assertEqual(" ".join(segments_of(text, random.Random(1))).split(), text.split())


if __name__ == "__main__":
    unittest.main()
