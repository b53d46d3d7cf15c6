"""Reading a model back from its export, and the atoms that duplicates have to share."""

import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path

if find_spec("torch") is None:
    raise unittest.SkipTest("needs requirements.txt")

import torch

from headroom_training import duplicates, export, rarity, warm
from headroom_training.model import Shape

TOKENIZER = Path(__file__).resolve().parents[2] / "fixtures" / "tiny-headroom-t5" / "tokenizer.json"


class Warm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shape = Shape(vocab_size=50, d_model=16, d_ff=24, heads=2, head_width=8, encoder_layers=2, embedding=8,
                      pointer=8, keep_width=12)
        cls.model = warm.random_model(shape)
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        for name, quantize in (("fp32", False), ("int8", True)):
            export.export(cls.model, TOKENIZER, Path(cls.scratch.name) / name, "test", "1", quantize)

    def test_fp32_weights_come_back_as_they_were(self):
        again = warm.model_of(Path(self.scratch.name) / "fp32").state_dict()
        for name, value in self.model.state_dict().items():
            torch.testing.assert_close(again[name], value, msg=name)

    def test_int8_weights_come_back_to_within_a_step(self):
        again = warm.model_of(Path(self.scratch.name) / "int8").state_dict()
        for name, value in self.model.state_dict().items():
            self.assertLess(float((again[name] - value).abs().max()), 0.05, name)

    def test_what_is_added_to_the_shape_changes_nothing_yet(self):
        told = warm.model_of(Path(self.scratch.name) / "fp32", rarities=rarity.CLASSES)
        ids, mask = torch.arange(1, 9)[None], torch.ones(1, 8, dtype=torch.long)
        states = told.encoder.states(ids, mask, torch.arange(8)[None])
        torch.testing.assert_close(states, self.model.encoder.states(ids, mask))


class Duplicates(unittest.TestCase):
    def test_a_word_that_opens_a_sentence_is_no_name(self):
        self.assertTrue(duplicates.same_atoms("Rain fell in Oslo. Then it stopped.",
                                              "In Oslo rain fell, then it stopped."))
        self.assertFalse(duplicates.same_atoms("It cost 7 euros.", "It cost 8 euros."))


if __name__ == "__main__":
    unittest.main()
