// Every family and every quant type on the device, against stored logits of an independent
// implementation. Weights are dequantised exactly and activations stay floats, so the bars are
// those of float arithmetic.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/nmse.h"
#include "engine/runtime/context.h"
#include "tests/support/read_floats.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

namespace fs = std::filesystem;

const fs::path kShared = HEARTH_SHARED_DIR;

constexpr double kFloatBar = 1e-8;
constexpr double kTableBar = 1e-6;  // the stored logits come from a GELU table in half precision

struct Case {
  const char* model;
  bool is_b = false;  // which of the two lists of tokens
  double bar = kFloatBar;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.model;
}

const std::vector<std::int32_t> kTokensA = {1,  5, 9, 100, 7,   33,  64,  2,  90, 11, 127, 3,
                                            55, 8, 3, 17,  201, 402, 511, 30, 31, 32, 33,  34};
const std::vector<std::int32_t> kTokensB = {1,  5,  9,   100, 7,  33, 64, 2,
                                            90, 11, 127, 0,   55, 8,  3,  17};

class StoredLogitsOnVulkan : public VulkanTest, public testing::WithParamInterface<Case> {};

TEST_P(StoredLogitsOnVulkan, AreReached) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no conformance data at " << kShared;
  const std::string model = GetParam().model;
  const bool is_bert = model == "models/bert";
  const gguf::Reader file = gguf::Reader::open(kShared / (model + ".gguf"));
  const std::vector<float> expected =
      read_floats(kShared / (model + (is_bert ? ".embedding.f32" : ".logits.f32")));
  const std::vector<std::int32_t>& tokens = GetParam().is_b ? kTokensB : kTokensA;
  const ModelBundle bundle = load_model_on(open_test_device({.staging_bytes = 1 << 20}), file,
                                           {.n_ctx = context_for(file, tokens.size()),
                                            .n_ubatch = is_bert ? 64 : 10,
                                            .kv_type = QuantType::F32});
  std::vector<float> got;
  if (is_bert) {
    got = bundle.context->embed(tokens);
  } else {
    bundle.context->eval_all(tokens, [&](std::span<const float> logits) {
      got.insert(got.end(), logits.begin(), logits.end());
    });
  }
  ASSERT_EQ(got.size(), expected.size());
  EXPECT_LE(nmse(got, expected), GetParam().bar);
}

INSTANTIATE_TEST_SUITE_P(
    Models, StoredLogitsOnVulkan,
    testing::Values(Case{"models/llama"}, Case{"models/llama3-rope"},
                    Case{"models/gemma3", false, kTableBar}, Case{"models/phi3-longrope"},
                    Case{"models/bert"}, Case{"models/qwen2", true}, Case{"models/qwen3", true},
                    Case{"models/gemma2", true, kTableBar}, Case{"models/phi3", true},
                    Case{"models/gpt2", true, kTableBar}, Case{"quant/llama-F16"},
                    Case{"quant/llama-BF16"}, Case{"quant/llama-Q4_0"}, Case{"quant/llama-Q4_1"},
                    Case{"quant/llama-Q5_0"}, Case{"quant/llama-Q5_1"}, Case{"quant/llama-Q8_0"},
                    Case{"quant/llama-Q2_K"}, Case{"quant/llama-Q3_K_M"},
                    Case{"quant/llama-Q4_K_M"}, Case{"quant/llama-Q5_K_M"},
                    Case{"quant/llama-Q6_K"}, Case{"quant/llama-IQ4_NL"},
                    Case{"quant/llama-IQ4_XS"}),
    [](const auto& each) {
      std::string name = fs::path(each.param.model).filename().string();
      for (char& c : name) {
        if (c == '-' || c == '.') c = '_';
      }
      return name;
    });

}  // namespace
}  // namespace hearth::test
