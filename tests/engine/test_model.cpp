// What files can get wrong: each error says all that is wrong, and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/device/reference_device.h"
#include "engine/model/graph.h"
#include "engine/model/model.h"
#include "tests/support/toy_model.h"

namespace hearth {
namespace {

using test::ToyOptions;
using testing::AllOf;
using testing::HasSubstr;

/// The message of the error that loading these bytes gives; empty if it gives none.
std::string error_of(const std::vector<std::byte>& bytes) {
  try {
    const gguf::Reader file = gguf::Reader::from_bytes(bytes, "toy.gguf");
    const Family& family = family_of(file);
    HParams hparams = read_hparams(file, family);
    ReferenceDevice device;
    const Placement placement = all_on(device, hparams.n_layer);
    load_model(file, family, std::move(hparams), placement);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Loads a good file whose metadata was spoiled after its tensors were made.
template <class Value>
std::string error_with(std::string_view key, Value value) {
  const std::vector<std::byte> good = test::toy_model({});
  const gguf::Reader file = gguf::Reader::from_bytes(good, "good");
  gguf::Writer writer;
  writer.copy_metadata(file);
  writer.set("llama." + std::string(key), value);
  for (const gguf::Tensor& tensor : file.tensors()) writer.add_tensor(tensor);
  return error_of(writer.to_bytes());
}

std::string error_without(std::string_view key) {
  const std::vector<std::byte> good = test::toy_model({});
  const gguf::Reader file = gguf::Reader::from_bytes(good, "good");
  gguf::Writer writer;
  writer.copy_metadata(file);
  writer.remove("llama." + std::string(key));
  for (const gguf::Tensor& tensor : file.tensors()) writer.add_tensor(tensor);
  return error_of(writer.to_bytes());
}

TEST(LoadModel, AcceptsWhatTheRulesMake) {
  EXPECT_EQ(error_of(test::toy_model({})), "");
}

TEST(LoadModel, ListsEveryTensorThatIsMissingOrMisshapen) {
  const std::string message = error_of(test::toy_model(
      {.without = {"blk.0.attn_k.weight", "blk.2.ffn_down.weight"},
       .misshapen = {{"blk.1.attn_norm.weight", {16, 1, 1}}, {"output_norm.weight", {33, 1, 1}}}}));
  EXPECT_THAT(message, AllOf(HasSubstr("toy.gguf"), HasSubstr("4 of its tensors"),
                             HasSubstr("blk.0.attn_k.weight [16, 32] is missing"),
                             HasSubstr("blk.2.ffn_down.weight [32, 48] is missing"),
                             HasSubstr("blk.1.attn_norm.weight is [16], not [32]"),
                             HasSubstr("output_norm.weight is [33], not [32]")));
}

TEST(LoadModel, ShortensAListOfManyProblems) {
  const std::string message = error_of(test::toy_model({.misshapen = {}, .metadata = {}}));
  EXPECT_EQ(message, "");
  EXPECT_THAT(error_with("block_count", std::uint32_t{40}), HasSubstr(" more"));
}

TEST(LoadModel, NamesAnUnknownFamilyAndTheKnownOnes) {
  gguf::Writer writer;
  writer.set("general.architecture", std::string_view("nonesuch"));
  EXPECT_THAT(error_of(writer.to_bytes()), AllOf(HasSubstr("nonesuch"), HasSubstr("gemma2")));
}

TEST(LoadModel, SaysThatAVocabularyHasNoWeights) {
  const std::vector<std::byte> toy = test::toy_model({});
  const gguf::Reader whole = gguf::Reader::from_bytes(toy, "toy.gguf");
  gguf::Writer vocabulary;
  for (const gguf::Entry& entry : whole.metadata()) vocabulary.set(entry.key, entry.value);
  EXPECT_THAT(error_of(vocabulary.to_bytes()), HasSubstr("has no weights"));
}

TEST(LoadModel, RefusesAFileWithoutAFamily) {
  EXPECT_THAT(error_of(gguf::Writer().to_bytes()), HasSubstr("general.architecture"));
}

TEST(HParams, ImpossibleNumbersAreNamed) {
  const auto u32 = [](std::uint32_t n) { return n; };
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;
  EXPECT_THAT(error_with("attention.head_count", u32(0)), HasSubstr("head_count"));
  EXPECT_THAT(error_with("attention.head_count", u32(5)), HasSubstr("head_count"));
  EXPECT_THAT(error_with("attention.head_count_kv", u32(3)),
              HasSubstr("a divisor of head_count 4"));
  EXPECT_THAT(error_with("attention.head_count_kv", u32(0)), HasSubstr("head_count_kv"));
  EXPECT_THAT(error_with("embedding_length", u32(0)), HasSubstr("embedding_length"));
  EXPECT_THAT(error_with("embedding_length", kHuge), HasSubstr("embedding_length"));
  EXPECT_THAT(error_with("block_count", u32(0)), HasSubstr("block_count"));
  EXPECT_THAT(error_with("block_count", u32(4000000000U)), HasSubstr("block_count"));
  EXPECT_THAT(error_with("feed_forward_length", u32(0)), HasSubstr("feed_forward_length"));
  EXPECT_THAT(error_with("feed_forward_length", std::int32_t{-5}),
              HasSubstr("feed_forward_length"));
  EXPECT_THAT(error_with("feed_forward_length", u32(40)), HasSubstr("ffn_down.weight is"));
  EXPECT_THAT(error_with("context_length", kHuge), HasSubstr("context_length"));
  EXPECT_THAT(error_with("vocab_size", u32(0)), HasSubstr("vocab_size"));
  EXPECT_THAT(error_with("vocab_size", u32(65)),
              HasSubstr("token_embd.weight is [64, 32], not [65, 32]"));
  EXPECT_THAT(error_with("rope.dimension_count", u32(7)), HasSubstr("rope.dimension_count"));
  EXPECT_THAT(error_with("rope.dimension_count", u32(10)), HasSubstr("rope.dimension_count"));
  EXPECT_THAT(error_with("attention.key_length", u32(0)), HasSubstr("key_length"));
  EXPECT_THAT(error_with("attention.value_length", u32(4000000)), HasSubstr("at most 1048576"));
  EXPECT_THAT(error_with("expert_count", u32(4)), HasSubstr("expert_used_count"));
}

TEST(HParams, NumbersThatAreNoneAreNamed) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::string eps = "attention.layer_norm_rms_epsilon";
  EXPECT_THAT(error_with(eps, kNan), HasSubstr(eps));
  EXPECT_THAT(error_with(eps, -1.0F), HasSubstr(eps));
  EXPECT_THAT(error_with(eps, std::string_view("small")), HasSubstr(eps));
  EXPECT_THAT(error_with("rope.freq_base", kInfinity), HasSubstr("rope.freq_base"));
  EXPECT_THAT(error_with("attention.scale", kNan), HasSubstr("attention.scale"));
  EXPECT_THAT(error_with("rope.scaling.type", std::string_view("magic")), HasSubstr("magic"));
  EXPECT_THAT(error_with("attention.head_count", std::string_view("four")),
              HasSubstr("head_count"));
}

TEST(HParams, MissingOnesAreAllListed) {
  EXPECT_THAT(error_without("block_count"), HasSubstr("llama.block_count is missing"));
  EXPECT_THAT(error_without("attention.layer_norm_rms_epsilon"), HasSubstr("epsilon is missing"));
  gguf::Writer writer;
  writer.set("general.architecture", std::string_view("llama"));
  EXPECT_THAT(error_of(writer.to_bytes()),
              AllOf(HasSubstr("block_count"), HasSubstr("embedding_length"),
                    HasSubstr("context_length"), HasSubstr("head_count")));
}

TEST(Graph, ListsTheVerbsInOrder) {
  const std::vector<std::byte> bytes = test::toy_model({.n_layer = 1, .with = {"output.weight"}});
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, "toy");
  std::vector<std::string> lines;
  for (const GraphOp& op : list_graph(file)) lines.push_back(op.verb + " " + op.weight);
  const std::vector<std::string> expected = {"get_rows token_embd.weight",
                                             "rms_norm blk.0.attn_norm.weight",
                                             "matmul blk.0.attn_q.weight",
                                             "matmul blk.0.attn_k.weight",
                                             "matmul blk.0.attn_v.weight",
                                             "rope_and_store ",
                                             "attention ",
                                             "matmul blk.0.attn_output.weight",
                                             "rms_norm blk.0.ffn_norm.weight",
                                             "gated_matmul blk.0.ffn_up.weight",
                                             "matmul blk.0.ffn_down.weight",
                                             "rms_norm output_norm.weight",
                                             "matmul output.weight"};
  EXPECT_EQ(lines, expected);
}

}  // namespace
}  // namespace hearth
