// Expected values are published: the test vectors of xxHash's own documentation and packages.
#include <gtest/gtest.h>

#include <string>

#include "base/hash64.h"

namespace hearth {
namespace {

TEST(Hash64, GivesThePublishedValues) {
  EXPECT_EQ(hash64(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(hash64("a"), 0xD24EC4F1A98C6E5Bu);
  EXPECT_EQ(hash64("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(hash64("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1u);
}

TEST(Hash64, DoesNotDependOnTheCuts) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += static_cast<char>(i * 37);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Hash64 hash;
    hash.add(std::string_view(text).substr(0, cut));
    hash.add(std::string_view(text).substr(cut));
    ASSERT_EQ(hash.value(), hash64(text)) << cut;
  }
}

TEST(Hash64, SeesEveryBit) {
  std::string text(100, 'x');
  const std::uint64_t before = hash64(text);
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string other = text;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
    ASSERT_NE(hash64(other), before) << bit;
  }
}

}  // namespace
}  // namespace hearth
