"""What texts are made into before any model sees them, and what is measured in them. Needs no framework."""

import unittest

from headroom_training import corpus, kinds


class Sentences(unittest.TestCase):
    def test_marks_and_contractions_are_set_apart_and_numbers_stay_whole(self):
        self.assertEqual(corpus.spaced("They've left, Ann; it didn't cost 1,500.50 dollars."),
                         "They 've left , Ann ; it did n't cost 1,500.50 dollars .")

    def test_only_whole_sentences_of_prose_stand_alone_and_each_once(self):
        prose = "The bridge was closed for two days. See above\nThe bridge was closed for two days. It was cold."
        segments = [{"kind": "prose", "text": prose}, {"kind": "documentation", "text": prose}]
        found = [row["text"].replace(" .", ".") for row in corpus.single_sentences(segments, 9, 1)]
        self.assertEqual(found, ["The bridge was closed for two days."])


class Atoms(unittest.TestCase):
    def test_names_numbers_and_identifiers_are_atoms_without_the_marks_around_them(self):
        found = kinds.atoms("Call `read_file(path)` in src/main.rs twice (about 30 times), says Ann.")
        self.assertEqual(found, {"Call", "read_file(path", "src/main.rs", "30", "Ann"})


if __name__ == "__main__":
    unittest.main()
