// The shapes are held to what the models' makers publish: the number of parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/quantize/quantize.h"
#include "engine/runtime/context.h"
#include "engine/synth/random_tensor.h"
#include "engine/synth/synth.h"
#include "engine/synth/vocabulary.h"
#include "gguf/check.h"
#include "gguf/reader.h"
#include "kernels/dispatch.h"
#include "tests/support/temp_dir.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

struct Published {
  std::string_view shape;
  std::uint64_t parameters;  // of the checkpoint on Hugging Face
};

// A tied head counts once. Beside the checkpoint, a GGUF file lacks BERT's pooler and its buffer of
// position ids, GPT-2's attention masks, the padding of Gemma 3's vocabulary; it has the factors of
// Llama 3.2's frequencies as a tensor.
constexpr std::uint64_t kPooler384 = 384 * 384 + 384;
constexpr std::uint64_t kPooler768 = 768 * 768 + 768;
constexpr Published kPublished[] = {
    {"qwen2.5-0.5b", 494'032'768},
    {"qwen2.5-1.5b", 1'543'714'304},
    {"qwen2.5-3b", 3'085'938'688},
    {"qwen2.5-7b", 7'615'616'512},
    {"qwen3-0.6b", 596'049'920},
    {"qwen3-4b", 4'022'468'096},
    {"llama2-7b", 6'738'415'616},
    {"llama3-8b", 8'030'261'248},
    {"llama3.2-1b", 1'235'814'400 + 32},
    {"llama3.2-3b", 3'212'749'824 + 64},
    {"mistral-7b", 7'248'023'552},
    {"gemma2-2b", 2'614'341'888},
    {"gemma3-1b", 999'885'952},
    {"phi3-mini", 3'821'079'552},
    {"gpt2", 124'439'808},
    {"minilm-l6", 22'713'216 - kPooler384},
    {"bert-base", 109'482'240 - kPooler768},
    {"mpnet-base", 109'486'464 - kPooler768 - 2 * 768},  // two positions are never used
};

const Mix& mix(std::string_view name) {
  const Mix* found = find_mix(name);
  EXPECT_NE(found, nullptr) << name;
  return *found;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SynthShapes, HaveAsManyParametersAsTheirModels) {
  for (const Published& row : kPublished) {
    const Shape* shape = find_shape(row.shape);
    ASSERT_NE(shape, nullptr) << row.shape;
    EXPECT_EQ(plan_synth_model(*shape, mix("BF16"), {}).elements, row.parameters) << row.shape;
  }
}

/// Elements of a shape's file, the embedding table apart: it is the head, too.
double millions_without_embeddings(const Shape& shape) {
  const auto table =
      static_cast<std::uint64_t>(shape.n_vocab) * static_cast<std::uint64_t>(shape.n_embd);
  return static_cast<double>(plan_synth_model(shape, mix("BF16"), {}).elements - table) / 1e6;
}

/// Those of which a report gives rounded numbers of the part that is here.
TEST(SynthShapes, RoundToWhatReportsSay) {
  // Gemma 3 technical report (arXiv 2503.19786), table 1: millions of non-embedding parameters.
  EXPECT_EQ(std::round(millions_without_embeddings(*find_shape("gemma3-1b"))), 698);
  EXPECT_EQ(std::round(millions_without_embeddings(*find_shape("gemma3-4b"))), 3209);
  // The card of Granite 3.0 1B-A400M: 1.3 billion parameters, 400 million of them active.
  const Shape& granite = *find_shape("granite3-1b-a400m");
  const SynthReport planned = plan_synth_model(granite, mix("BF16"), {});
  double experts = 0;
  for (const SynthTensor& tensor : planned.tensors) {
    if (tensor.dims[2] > 1) {
      experts += static_cast<double>(tensor.elements());
    }
  }
  const auto all = static_cast<double>(planned.elements);
  EXPECT_EQ(std::round(all / 1e8), 13);
  EXPECT_EQ(std::round((all - experts * 24 / 32) / 1e8), 4);
}

TEST(SynthShapes, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Shape& shape : all_shapes()) {
    EXPECT_TRUE(names.insert(shape.name).second) << shape.name;
  }
}

TEST(SynthTypes, AreThoseOfQuantize) {
  const SynthReport report = plan_synth_model(*find_shape("qwen2.5-1.5b"), mix("Q4_K_M"), {});
  std::map<std::string, QuantType> types;
  for (const SynthTensor& tensor : report.tensors) types[tensor.name] = tensor.type;
  EXPECT_EQ(types["token_embd.weight"], QuantType::Q6_K);  // tied
  EXPECT_EQ(types["blk.0.attn_q.weight"], QuantType::Q4_K);
  EXPECT_EQ(types["blk.0.attn_v.weight"], QuantType::Q6_K);  // the first eighth
  EXPECT_EQ(types["blk.3.ffn_down.weight"], QuantType::Q4_K);
  EXPECT_EQ(types["blk.5.ffn_down.weight"], QuantType::Q6_K);  // each third
  EXPECT_EQ(types["blk.0.attn_norm.weight"], QuantType::F32);
  EXPECT_EQ(types["blk.0.attn_q.bias"], QuantType::F32);
}

/// The types that quantize_model() gives an F32 file of the same shape.
TEST(SynthTypes, EqualAQuantisedFiles) {
  const test::TempDir dir;
  const SynthOptions small = {.n_layer = 9, .n_vocab = 512};
  for (const std::string_view name : {"Q4_K_M", "Q5_0", "BF16"}) {
    write_synth_model(*find_shape("minilm-l6"), mix("F32"), small, dir / "f32.gguf");
    const gguf::Reader in = gguf::Reader::open(dir / "f32.gguf");
    const QuantizeReport made = quantize_model(in, dir / "made.gguf", mix(name), {});
    const SynthReport planned = plan_synth_model(*find_shape("minilm-l6"), mix(name), small);
    ASSERT_EQ(made.tensors.size(), planned.tensors.size());
    for (std::size_t i = 0; i < made.tensors.size(); ++i) {
      EXPECT_EQ(made.tensors[i].name, planned.tensors[i].name);
      EXPECT_EQ(made.tensors[i].to, planned.tensors[i].type) << made.tensors[i].name;
    }
  }
}

TEST(SynthTypes, TakeAQuantTypeThatIsNoMix) {
  ASSERT_TRUE(find_synth_mix("q4_k"));
  const SynthReport report =
      plan_synth_model(*find_shape("llama2-7b"), *find_synth_mix("q4_k"), {});
  for (const SynthTensor& tensor : report.tensors) {
    EXPECT_EQ(tensor.type, tensor.dims[1] > 1 ? QuantType::Q4_K : QuantType::F32) << tensor.name;
  }
  EXPECT_FALSE(find_synth_mix("Q9_X"));
  EXPECT_FALSE(find_synth_mix("I32"));
}

class SynthModel : public ::testing::TestWithParam<std::string_view> {
 protected:
  /// A model of this shape with one layer and few tokens.
  gguf::Reader make(std::string_view type) {
    const Shape& shape = *find_shape(GetParam());
    const SynthReport report =
        write_synth_model(shape, mix(type), {.n_layer = 1, .n_vocab = kLeastSynthVocab}, path());
    EXPECT_EQ(report.file_bytes, std::filesystem::file_size(path()));
    return gguf::Reader::open(path());
  }
  std::filesystem::path path() const { return dir_ / "synth.gguf"; }

  test::TempDir dir_;
};

/// What each shape computes is finite and neither flat nor a single peak.
TEST_P(SynthModel, IsValidAndComputes) {
  const gguf::Reader file = make("Q4_0");
  EXPECT_TRUE(gguf::check(path()).ok());
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  const std::vector<TokenId> tokens = tokenizer->encode("Hi!");
  EXPECT_GE(tokens.size(), 3U);
  ModelBundle model = load_model(file, {.n_threads = 2, .n_ctx = 16});
  const bool causal = model.model->hparams.causal;
  const std::vector<float> embedding = causal ? std::vector<float>() : model.context->embed(tokens);
  const std::span<const float> values =
      causal ? model.context->eval(tokens) : std::span<const float>(embedding);
  double sum = 0.0;
  double squares = 0.0;
  for (const float value : values) {
    ASSERT_TRUE(std::isfinite(value));
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const auto n = static_cast<double>(values.size());
  const double deviation = std::sqrt(squares / n - sum / n * sum / n);
  EXPECT_GT(deviation, 0.05);
  EXPECT_LT(deviation, 20.0);
}

std::string test_name(const ::testing::TestParamInfo<std::string_view>& info) {
  std::string name(info.param);
  std::ranges::replace_if(
      name, [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
}

std::vector<std::string_view> shape_names() {
  std::vector<std::string_view> names;
  for (const Shape& shape : all_shapes()) names.push_back(shape.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Shapes, SynthModel, ::testing::ValuesIn(shape_names()), test_name);

/// Every type that a mix names, in a shape whose rows fit the blocks and in one whose do not.
class SynthType : public ::testing::TestWithParam<std::string_view> {};

TEST_P(SynthType, GivesFiniteLogits) {
  const test::TempDir dir;
  for (const std::string_view shape : {"gpt2", "qwen2.5-0.5b"}) {
    const SynthOptions options = {.n_layer = 1, .n_vocab = kLeastSynthVocab};
    write_synth_model(*find_shape(shape), mix(GetParam()), options, dir / "synth.gguf");
    EXPECT_TRUE(gguf::check(dir / "synth.gguf").ok());
    const gguf::Reader file = gguf::Reader::open(dir / "synth.gguf");
    ModelBundle model = load_model(file, {.n_threads = 2, .n_ctx = 16});
    const std::vector<std::int32_t> tokens = {65, 66, 67};
    for (const float logit : model.context->eval(tokens)) ASSERT_TRUE(std::isfinite(logit));
  }
}

std::vector<std::string_view> mix_names() {
  std::vector<std::string_view> names;
  for (const Mix& mix : all_mixes()) names.push_back(mix.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Mixes, SynthType, ::testing::ValuesIn(mix_names()), test_name);

TEST(Synth, TheSameSeedGivesTheSameBytes) {
  const test::TempDir dir;
  const Shape& shape = *find_shape("minilm-l6");
  const auto write = [&](std::uint64_t seed, const char* name) {
    write_synth_model(shape, mix("Q4_K_M"), {.seed = seed, .n_layer = 1, .n_vocab = 400},
                      dir / name);
    return bytes_of(dir / name);
  };
  const std::string first = write(7, "a");
  EXPECT_EQ(first, write(7, "b"));
  EXPECT_NE(first, write(8, "c"));
}

TEST(Synth, MatricesHaveTheVarianceOfTheirWidthAndDistinctRows) {
  RandomTensors random(3);
  constexpr std::uint64_t kRows = 3000;
  constexpr std::uint64_t kColumns = 512;
  const auto bytes = random.matrix(QuantType::Q8_0, kRows, kColumns);
  const std::size_t row = row_bytes(quant_type_info(QuantType::Q8_0), kColumns);
  ASSERT_EQ(bytes.size(), kRows * row);
  std::set<std::string> rows;
  std::vector<float> weights(kColumns);
  double squares = 0.0;
  for (std::uint64_t r = 0; r < kRows; ++r) {
    const std::byte* start = bytes.data() + r * row;
    rows.insert(std::string(reinterpret_cast<const char*>(start), row));
    kernels::scalar_kernels().dequantize_row[QuantType::Q8_0](start, weights.data(), kColumns);
    for (const float w : weights) squares += static_cast<double>(w) * static_cast<double>(w);
  }
  EXPECT_NEAR(squares / static_cast<double>(kRows), 1.0, 0.02);
  EXPECT_GT(rows.size(), kRows * 8 / 10);
}

TEST(Synth, AFileThatCannotBeWrittenIsAnError) {
  const test::TempDir dir;
  EXPECT_THROW(write_synth_model(*find_shape("minilm-l6"), mix("Q8_0"), {},
                                 dir / "no" / "such" / "folder.gguf"),
               Error);
}

}  // namespace
}  // namespace hearth
