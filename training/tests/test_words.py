import unittest

from headroom_training.words import boundary_masks, words_of_tokens


class Words(unittest.TestCase):
    def test_a_token_belongs_to_the_word_of_its_first_visible_character(self):
        text = "ab cd\n\n e"
        offsets = [(0, 1), (1, 2), (2, 5), (5, 7), (7, 9)]
        self.assertEqual(words_of_tokens(text, offsets), [0, 0, 1, -1, 2])

    def test_bytes_of_one_character_share_its_word(self):
        self.assertEqual(words_of_tokens("a 🎉", [(0, 1), (1, 2), (2, 3), (2, 3)]), [0, -1, 1, 1])

    def test_starts_and_ends_enclose_each_word(self):
        starts, ends = boundary_masks([0, 0, -1, 1, 2])
        self.assertEqual(starts, [True, False, False, True, True])
        self.assertEqual(ends, [False, True, False, True, True])


if __name__ == "__main__":
    unittest.main()
