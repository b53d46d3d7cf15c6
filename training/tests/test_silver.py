"""How a parser's words become labels of our pieces. Needs no framework."""

import unittest
from pathlib import Path

from headroom_training import silver, tokenizer

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "tiny-headroom-t5"
HEAD = {"relations": {"a": "nsubj", "b": "ROOT", "c": "neg", "d": "punct"}, "tags": {"x": "PRP", "y": "VBD", "z": "RB"}}


class Pieces(unittest.TestCase):
    def test_words_that_the_text_does_not_part_stand_side_by_side(self):
        text, spans = silver.spans_of("They did\u0001n't stop\u0001.")
        self.assertEqual(text, "They didn't stop.")
        self.assertEqual([text[start:end] for start, end in spans], ["They", "did", "n't", "stop", "."])

    def test_the_first_piece_of_a_word_has_its_head_and_the_others_hang_on_it(self):
        names = silver.Names(HEAD)
        record = {"h": [2, 1, 0], "d": "acb", "p": "xzy", "t": "They unanimously waited"}
        text, spans = silver.spans_of(record["t"])
        pieces = tokenizer.load(FOLDER / "tokenizer.json")
        encoding = pieces.encode(text, add_special_tokens=False)
        _, heads, relations, _ = silver.to_pieces(record, encoding, text, spans, names)
        first = {}
        for piece, owner in enumerate(silver.owners_of(text, encoding.offsets, spans)):
            first.setdefault(owner, piece)
        self.assertEqual(heads[first[2]], first[2], "a root is its own head")
        self.assertEqual((heads[first[0]], heads[first[1]]), (first[2], first[2]))
        for piece, (head, relation) in enumerate(zip(heads, relations)):
            if piece not in first.values():
                self.assertEqual(names.relations[relation], silver.INSIDE)
                self.assertIn(head, first.values())


if __name__ == "__main__":
    unittest.main()
