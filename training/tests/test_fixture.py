"""The reference runtime on the tiny model under fixtures/: figures, places, tokenizer."""

import json
import tempfile
import unittest
from pathlib import Path

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
            ids = self.export.tokenizer.encode(text, add_special_tokens=False).ids
            self.assertEqual(self.export.tokenizer.decode(ids, skip_special_tokens=False), text)
            self.assertNotIn(0, ids)

    def test_figures_are_those_that_were_written(self):
        now = parity.figures(FOLDER)
        for old, new in zip(self.known["rows"], now["rows"]):
            self.assertEqual(old["ids"], new["ids"])
            for before, after in zip(old["words"], new["words"], strict=True):
                self.assertEqual(before[:5], list(after[:5]))
                for one, other in zip(before[5:], after[5:]):
                    self.assertAlmostEqual(one, other, places=4)

    def test_every_word_stands_in_the_text_and_has_a_head(self):
        for text in HARD + parity.TEXTS:
            words = self.export.words(text)
            for start, end, head, *_ in words:
                self.assertLessEqual(start, end)
                self.assertLessEqual(end, len(text))
                self.assertIn(head, range(len(words)))

    def test_a_changed_file_is_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            for path in FOLDER.iterdir():
                (Path(scratch) / path.name).write_bytes(path.read_bytes())
            with open(Path(scratch) / "encoder.onnx", "ab") as file:
                file.write(b"x")
            with self.assertRaises(ValueError):
                reference.Export(scratch)


if __name__ == "__main__":
    unittest.main()
