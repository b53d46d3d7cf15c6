"""How rare the words of a text are, by the engine's table."""

import unittest

from headroom_training import rarity


class Rarity(unittest.TestCase):
    def test_a_word_is_as_rare_as_the_engines_table_says(self):
        common, rare, unknown, number, mark = map(rarity.class_of, ("The", "aardvark,", "zyzzyxian", "A320", "--"))
        self.assertLess(common, rare)
        self.assertLessEqual(rare, unknown)
        self.assertEqual((unknown, number, mark), (rarity.UNKNOWN, rarity.NUMBER, rarity.NONE))

    def test_a_compound_is_as_rare_as_its_rarest_part(self):
        self.assertEqual(rarity.class_of("the/zyzzyxian"), rarity.UNKNOWN)
        self.assertEqual(rarity.of_tokens(["the", "7"], [0, -1, 1]),
                         [rarity.class_of("the"), rarity.NONE, rarity.NUMBER])


if __name__ == "__main__":
    unittest.main()
