"""The reference runtime on the tiny model under fixtures/: figures, budgets, tokenizer."""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np

from headroom_training import parity, reference

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "tiny-headroom-t5"
HARD = ["café naïve 🎉👩‍👩‍👧 漢字\r\n", "\tif x == 10:\n\n\n        return {\"a\": [1, 2]}  ", "</s><pad><unk>",
        "\u00a0\u3000x", "1234567"]


class Fixture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.export = reference.Export(FOLDER)
        cls.known = json.loads((FOLDER / "parity.json").read_text(encoding="utf-8"))

    def test_any_text_decodes_back_to_itself(self):
        for text in HARD + parity.TEXTS:
            ids, _ = self.export.tokens(text)
            self.assertEqual(self.export.tokenizer.decode(ids, skip_special_tokens=False), text)
            self.assertNotIn(0, ids)

    def test_offsets_cover_the_text_without_gaps(self):
        for text in HARD + parity.TEXTS:
            _, offsets = self.export.tokens(text)
            at = 0
            for start, end in offsets:
                self.assertTrue(start == at or end == at, (text, offsets))
                at = end
            self.assertEqual(at, len(text))

    def test_figures_are_those_that_were_written(self):
        now = parity.figures(FOLDER)
        for old, new in zip(self.known["rows"], now["rows"]):
            self.assertEqual(old["ids"], new["ids"])
            np.testing.assert_allclose(old["pooled"], new["pooled"], atol=self.known["tolerance"])
            for before, after in zip(old["ratios"], new["ratios"]):
                np.testing.assert_allclose(before["keep"], after["keep"], atol=self.known["tolerance"])
                self.assertEqual([list(span) for span in after["spans"]], before["spans"])

    def test_spans_keep_to_the_budget_and_to_word_boundaries(self):
        for text in parity.TEXTS:
            ids, offsets = self.export.tokens(text)
            for budget in (1, 2, 5, 9, len(ids)):
                spans = self.export.spans(text, 3.0, budget)
                self.assertLessEqual(sum(end - start + 1 for start, end in spans), budget)
                for word in reference.text_of(text, offsets, spans).split():
                    self.assertIn(word, text.split())

    def test_states_and_pooled_do_not_depend_on_the_ratio(self):
        ids, _ = self.export.tokens(parity.TEXTS[0])
        mild, harsh = self.export.encode([ids], [2.0]), self.export.encode([ids], [20.0])
        np.testing.assert_array_equal(mild["last_hidden_state"], harsh["last_hidden_state"])
        np.testing.assert_array_equal(mild["pooled"], harsh["pooled"])

    def test_a_changed_file_is_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            for path in FOLDER.iterdir():
                (Path(scratch) / path.name).write_bytes(path.read_bytes())
            with open(Path(scratch) / "decoder.onnx", "ab") as file:
                file.write(b"x")
            with self.assertRaises(ValueError):
                reference.Export(scratch)


if __name__ == "__main__":
    unittest.main()
