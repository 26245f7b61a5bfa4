#include <gtest/gtest.h>

#include <set>

#include "gguf/keys.h"
#include "gguf/reader.h"
#include "tests/support/gguf_builder.h"

namespace hearth::gguf {
namespace {

TEST(Keys, EachStandsOnceAndHasAMeaning) {
  std::set<std::string_view> names;
  for (const KeyInfo& info : all_keys()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_NE(info.meaning, "") << info.name;
  }
}

TEST(Keys, AreFoundWithTheirArchitectureAndTheirNumbers) {
  const auto name = [](std::string_view key, std::string_view arch) {
    const KeyInfo* info = find_key(key, arch);
    return info ? info->name : std::string_view("none");
  };
  EXPECT_EQ(name("general.name", ""), "general.name");
  EXPECT_EQ(name("llama.block_count", "llama"), "{arch}.block_count");
  EXPECT_EQ(name("falcon-h1.rope.freq_base", "falcon-h1"), "{arch}.rope.freq_base");
  EXPECT_EQ(name("llama.block_count", "qwen2"), "none");
  EXPECT_EQ(name("llamablock_count", "llama"), "none");
  EXPECT_EQ(name("general.base_model.12.name", ""), "general.base_model.{n}.name");
  EXPECT_EQ(name("general.base_model.1.2.name", ""), "none");
  EXPECT_EQ(name("tokenizer.chat_template.tool_use", ""), "tokenizer.chat_template.{n}");
  EXPECT_EQ(name("tokenizer.chat_template.", ""), "none");
  EXPECT_EQ(name("{arch}.block_count", ""), "{arch}.block_count");
}

TEST(Keys, OfAnArchitectureAreSpeltByTheTable) {
  EXPECT_EQ(arch_key("qwen3", "attention.head_count_kv"), "qwen3.attention.head_count_kv");
}

TEST(KeysDeathTest, AKeyThatTheTableDoesNotKnowIsABugOfOurs) {
  EXPECT_DEATH(arch_key("llama", "atention.head_count"), "internal error");
}

TEST(Keys, TypesAcceptWhatFilesHaveAndNothingElse) {
  const test::Bytes file = test::GgufBuilder()
                               .kv<std::uint64_t>("u64", test::kU64, 1)
                               .kv<float>("f32", test::kF32, 1)
                               .kv_array<std::uint8_t>("bools", test::kBool, {1})
                               .kv_array<std::int32_t>("i32s", test::kI32, {1})
                               .build();
  const Reader reader = Reader::from_bytes(file.bytes(), "x");
  const auto fits = [&](KeyType type, std::string_view key) {
    return matches(type, reader.at(key));
  };
  EXPECT_TRUE(fits(KeyType::integer, "u64"));
  EXPECT_TRUE(fits(KeyType::integer_or_integers, "u64"));
  EXPECT_TRUE(fits(KeyType::integer_or_integers, "i32s"));
  EXPECT_TRUE(fits(KeyType::period_or_flags, "u64"));
  EXPECT_TRUE(fits(KeyType::period_or_flags, "bools"));
  EXPECT_TRUE(fits(KeyType::real, "u64"));
  EXPECT_TRUE(fits(KeyType::real, "f32"));
  EXPECT_TRUE(fits(KeyType::i32s, "i32s"));
  EXPECT_FALSE(fits(KeyType::u32, "u64"));
  EXPECT_FALSE(fits(KeyType::integer, "f32"));
  EXPECT_FALSE(fits(KeyType::integer, "i32s"));
  EXPECT_FALSE(fits(KeyType::integers, "u64"));
  EXPECT_FALSE(fits(KeyType::f32s, "i32s"));
  EXPECT_FALSE(fits(KeyType::flag, "bools"));
}

}  // namespace
}  // namespace hearth::gguf
