// The forward pass against stored logits of every family and quant type. NMSE = sum((x - ref)^2) /
// sum(ref^2) over all logits. The reference device must reach 1e-10 (another implementation in
// float64 agrees with these files to 1.4e-13), or 1e-6 for the three families whose stored logits
// were computed with a GELU table in half precision; the cpu device 1e-8, and 1e-6 for those three.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/nmse.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/reference_device.h"
#include "engine/runtime/context.h"
#include "gguf/reader.h"
#include "tests/support/read_floats.h"
#include "tests/support/same_bits.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

using Tokens = std::vector<std::int32_t>;
using On = LoadOptions::On;

const fs::path kShared = HEARTH_SHARED_DIR;

Tokens tokens_a() {
  return {1,  5, 9, 100, 7,   33,  64,  2,  90, 11, 127, 3,
          55, 8, 3, 17,  201, 402, 511, 30, 31, 32, 33,  34};
}

Tokens tokens_b() {
  return {1, 5, 9, 100, 7, 33, 64, 2, 90, 11, 127, 0, 55, 8, 3, 17};
}

Tokens four_times_a() {
  Tokens all;
  for (int i = 0; i < 4; ++i) {
    for (const std::int32_t token : tokens_a()) all.push_back(token);
  }
  return all;
}

struct Case {
  std::string model;     // path under the data, without .gguf
  std::string expected;  // path under the data
  Tokens tokens;
  double reference_bar = 1e-10;
  double cpu_bar = 1e-8;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.expected;
}

std::vector<Case> cases() {
  const double table = 1e-6;
  std::vector<Case> all = {
      {"models/llama", "models/llama.logits.f32", tokens_a()},
      {"models/llama3-rope", "models/llama3-rope.logits.f32", tokens_a()},
      {"models/gemma3", "models/gemma3.logits.f32", tokens_a(), table, table},
      {"models/phi3-longrope", "models/phi3-longrope.logits.f32", tokens_a()},
      {"models/phi3-longrope", "models/phi3-longrope.long.logits.f32", four_times_a()},
      {"models/bert", "models/bert.embedding.f32", tokens_a()},
      {"models/qwen2", "models/qwen2.logits.f32", tokens_b()},
      {"models/qwen3", "models/qwen3.logits.f32", tokens_b()},
      {"models/gemma2", "models/gemma2.logits.f32", tokens_b(), table, table},
      {"models/phi3", "models/phi3.logits.f32", tokens_b()},
      {"models/gpt2", "models/gpt2.logits.f32", tokens_b(), table, table},
  };
  // What quantised activations cost llama.cpp on the same files: ours must not cost more.
  const std::pair<const char*, double> quantised[] = {
      {"F16", 3.9e-7},    {"BF16", 2.5e-5},   {"Q4_0", 3.3e-4},   {"Q4_1", 3.4e-4},
      {"Q5_0", 3.0e-4},   {"Q5_1", 3.6e-4},   {"Q8_0", 3.2e-4},   {"Q2_K", 6.3e-4},
      {"Q3_K_M", 6.6e-4}, {"Q4_K_S", 6.5e-4}, {"Q4_K_M", 6.5e-4}, {"Q5_K_M", 6.6e-4},
      {"Q6_K", 6.3e-4},   {"IQ4_NL", 3.5e-4}, {"IQ4_XS", 6.9e-4}};
  for (const auto& [type, bar] : quantised) {
    const std::string name = std::string("quant/llama-") + type;
    all.push_back({name, name + ".logits.f32", tokens_a(), 1e-10, bar});
  }
  return all;
}

std::vector<float> run(const Case& c, std::unique_ptr<Device> device, On kind) {
  const gguf::Reader file = gguf::Reader::open(kShared / (c.model + ".gguf"));
  const ModelBundle bundle =
      load_model_on(std::move(device), file,
                    {.device = kind, .n_ctx = context_for(file, c.tokens.size()), .n_ubatch = 512});
  if (!bundle.model->hparams.causal) return bundle.context->embed(c.tokens);
  std::vector<float> all;
  bundle.context->eval_all(c.tokens, [&](std::span<const float> logits) {
    all.insert(all.end(), logits.begin(), logits.end());
  });
  return all;
}

class StoredLogits : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!fs::exists(kShared)) GTEST_SKIP() << "no conformance data at " << kShared;
  }

  static void check(const std::vector<float>& got, double bar, std::string_view on) {
    const std::vector<float> expected = test::read_floats(kShared / GetParam().expected);
    ASSERT_EQ(got.size(), expected.size());
    EXPECT_LE(nmse(got, expected), bar) << on;
  }
};

TEST_P(StoredLogits, OnTheReference) {
  check(run(GetParam(), std::make_unique<ReferenceDevice>(), On::reference),
        GetParam().reference_bar, "reference");
}

TEST_P(StoredLogits, OnTheCpuAtEveryLevel) {
  for (const kernels::IsaLevel* level : test::levels_here()) {
    const CpuOptions options = {.n_threads = 2, .level = level};
    check(run(GetParam(), std::make_unique<CpuDevice>(options), On::cpu), GetParam().cpu_bar,
          level->name);
  }
}

TEST_P(StoredLogits, AreTheSameBitsHoweverTheModelIsRun) {
  const gguf::Reader file = gguf::Reader::open(kShared / (GetParam().model + ".gguf"));
  test::expect_same_bits(file, GetParam().tokens, usual_kv_type(file), test::Ways::few);
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = fs::path(info.param.expected).stem().stem().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name + "_" + std::to_string(info.param.tokens.size());
}

INSTANTIATE_TEST_SUITE_P(Models, StoredLogits, testing::ValuesIn(cases()), case_name);

/// Greedily from BOS alone, 200 tokens.
std::string story(const gguf::Reader& file, const kernels::IsaLevel& level) {
  const std::unique_ptr<Tokenizer> tokenizer = Tokenizer::create(vocab_from_gguf(file));
  const CpuOptions options = {.n_threads = 2, .level = &level};
  const ModelBundle bundle =
      load_model_on(std::make_unique<CpuDevice>(options), file, {.n_ctx = 256});
  Tokens tokens = {tokenizer->vocab().bos};
  for (int i = 0; i < 199; ++i) {
    const std::span<const float> logits = bundle.context->eval(std::span(tokens).last(1));
    tokens.push_back(
        static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  }
  return tokenizer->decode(tokens);
}

/// Real weights and a real vocabulary: 60 words that are known.
TEST(Stories, AreTheOnesThatAreKnownAtEveryLevel) {
  const fs::path path = kShared / "models/stories260K.gguf";
  if (!fs::exists(path)) GTEST_SKIP() << "no conformance data at " << kShared;
  const gguf::Reader file = gguf::Reader::open(path);
  std::ifstream stored(kShared / "models/stories260K.greedy.txt");
  std::string expected(std::istreambuf_iterator<char>(stored), {});
  ASSERT_GT(expected.size(), 400U);
  for (const kernels::IsaLevel* level : test::levels_here()) {
    const std::string text = story(file, *level);
    const std::size_t common = std::min(text.size(), expected.size()) - 10;  // a word more or less
    EXPECT_EQ(text.substr(0, common), expected.substr(0, common)) << level->name;
    EXPECT_LT(text.size(), expected.size() + 20) << level->name;
  }
}

}  // namespace
}  // namespace hearth
