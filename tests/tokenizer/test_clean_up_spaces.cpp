#include <gtest/gtest.h>

#include "tokenizer/clean_up_spaces.h"

namespace hearth {
namespace {

// Expectations by the definition in Hugging Face's clean_up_tokenization, whose replacements of
// " n't" apart are these.
TEST(CleanUpSpaces, DropsTheSpaceBeforePunctuation) {
  EXPECT_EQ(clean_up_spaces("Hello , world ! Why ? So ."), "Hello, world! Why? So.");
  EXPECT_EQ(clean_up_spaces("a  ,b"), "a ,b");
  EXPECT_EQ(clean_up_spaces("a ; b : c"), "a ; b : c");
  EXPECT_EQ(clean_up_spaces(""), "");
  EXPECT_EQ(clean_up_spaces(" "), " ");
}

TEST(CleanUpSpaces, JoinsContractionsAndLoneApostrophes) {
  EXPECT_EQ(clean_up_spaces("it 's I 'm we 've they 're he 'd she 'll"),
            "it's I'm we've they're he 'd she 'll");
  EXPECT_EQ(clean_up_spaces("o ' neill"), "o'neill");
  EXPECT_EQ(clean_up_spaces("a ' ' b"), "a'' b");
}

}  // namespace
}  // namespace hearth
