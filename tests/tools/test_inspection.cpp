#include <gtest/gtest.h>

#include "tests/support/gguf_builder.h"
#include "tools/cli/inspection.h"

namespace hearth::cli {
namespace {

using test::GgufBuilder;

TEST(Inspection, AddsUpTensorsPerType) {
  const test::Bytes file = GgufBuilder()
                               .kv_str("general.architecture", "toy")
                               .kv<std::uint32_t>("general.file_type", test::kU32, 7)
                               .tensor("a", {32, 4}, 8, 0)
                               .tensor("b", {4}, 0, 160)
                               .tensor("c", {4}, 0, 192)
                               .data(std::string(208, 'x'))
                               .build();
  const Inspection inspection = inspect(gguf::Reader::from_bytes(file.bytes(), "x"));
  EXPECT_EQ(inspection.architecture, "toy");
  EXPECT_EQ(inspection.mix, "Q8_0");  // number 7 of the format document
  EXPECT_EQ(inspection.parameters, 136u);
  EXPECT_EQ(inspection.tensor_bytes, 4u * 34 + 32);
  ASSERT_EQ(inspection.types.size(), 2u);
  EXPECT_EQ(inspection.types[0].type, QuantType::Q8_0);
  EXPECT_EQ(inspection.types[1].tensors, 2u);
  EXPECT_DOUBLE_EQ(inspection.bits_per_weight, 8.0 * 168 / 136);
  EXPECT_FALSE(inspection.vocabulary.has_value());
}

TEST(Inspection, SaysWhyAVocabularyCannotBeUsed) {
  const test::Bytes file = GgufBuilder().kv_str("tokenizer.ggml.model", "no_vocab").build();
  const Inspection inspection = inspect(gguf::Reader::from_bytes(file.bytes(), "x"));
  ASSERT_TRUE(inspection.vocabulary.has_value());
  EXPECT_EQ(inspection.vocabulary->model, "no_vocab");
  EXPECT_EQ(inspection.vocabulary->kind, "");
  EXPECT_NE(inspection.vocabulary->problem, "");
}

TEST(Inspection, SaysWhichArchitecturesRun) {
  const auto supported = [](const char* arch) {
    const test::Bytes file = GgufBuilder().kv_str("general.architecture", arch).build();
    return inspect(gguf::Reader::from_bytes(file.bytes(), "x")).supported;
  };
  EXPECT_TRUE(supported("llama"));
  EXPECT_FALSE(supported("llama0"));
}

TEST(Inspection, NamesMatchPatterns) {
  EXPECT_TRUE(name_matches("blk.0.attn_q.weight", ""));
  EXPECT_TRUE(name_matches("blk.0.attn_q.weight", "attn_q"));
  EXPECT_TRUE(name_matches("blk.0.attn_q.weight", "blk.*.weight"));
  EXPECT_TRUE(name_matches("blk.0.attn_q.weight", "*"));
  EXPECT_TRUE(name_matches("aXbXc", "a*b*c"));
  EXPECT_TRUE(name_matches("abcbc", "a*bc"));  // the first "bc" is not the last
  EXPECT_FALSE(name_matches("blk.0.attn_q.weight", "attn_k"));
  EXPECT_FALSE(name_matches("blk.0.attn_q.weight", "blk.*.bias"));
  EXPECT_FALSE(name_matches("blk.0.attn_q.weight", "attn_q*"));  // with * it is the whole name
}

}  // namespace
}  // namespace hearth::cli
