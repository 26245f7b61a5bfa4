// Every family and every quant type on the device, against stored logits of an independent
// implementation. Weights are dequantised exactly and activations stay floats, so the bars are
// those of float arithmetic; but for the tier whose products are those of integers, and layers that
// are left on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "base/nmse.h"
#include "engine/model/families.h"
#include "engine/runtime/context.h"
#include "tests/support/read_floats.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

namespace fs = std::filesystem;

const fs::path kShared = HEARTH_SHARED_DIR;

constexpr double kFloatBar = 1e-8;
constexpr double kTableBar = 1e-6;  // the stored logits come from a GELU table in half precision

/// Between a device and the CPU, where both compute in floats.
constexpr double kSplitBar = 1e-6;

struct Case {
  const char* model;
  bool is_b = false;  // which of the two lists of tokens
  double bar = kFloatBar;
  double bar_in_bytes = kSplitBar;  // where activations become bytes: what that costs llama.cpp
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.model;
}

const std::vector<std::int32_t> kTokensA = {1,  5, 9, 100, 7,   33,  64,  2,  90, 11, 127, 3,
                                            55, 8, 3, 17,  201, 402, 511, 30, 31, 32, 33,  34};
const std::vector<std::int32_t> kTokensB = {1,  5,  9,   100, 7,  33, 64, 2,
                                            90, 11, 127, 0,   55, 8,  3,  17};

class StoredLogitsOnVulkan : public VulkanTest, public testing::WithParamInterface<Case> {};

/// Whether they are reached on what `load` gives.
void expect_logits(const Case& c, double bar, const std::string& what,
                   const std::function<ModelBundle(const gguf::Reader&, LoadOptions)>& load) {
  const std::string model = c.model;
  const bool is_bert = model == "models/bert";
  const gguf::Reader file = gguf::Reader::open(kShared / (model + ".gguf"));
  const std::vector<float> expected =
      read_floats(kShared / (model + (is_bert ? ".embedding.f32" : ".logits.f32")));
  const std::vector<std::int32_t>& tokens = c.is_b ? kTokensB : kTokensA;
  const ModelBundle bundle = load(file, {.n_threads = 1,
                                         .n_ctx = context_for(file, tokens.size()),
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
  EXPECT_LE(nmse(got, expected), bar) << what;
}

TEST_P(StoredLogitsOnVulkan, AreReached) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no conformance data at " << kShared;
  for (const char* tiers : {"none", "subgroup", "subgroup,dot"}) {
    const bool in_bytes = std::string(tiers).find("dot") != std::string::npos;
    const double bar =
        in_bytes ? std::max(GetParam().bar, GetParam().bar_in_bytes) : GetParam().bar;
    expect_logits(
        GetParam(), bar, tiers, [&](const gguf::Reader& file, const LoadOptions& options) {
          return load_model_on(open_test_device({.staging_bytes = 1 << 20, .tiers = tiers}), file,
                               options);
        });
  }
}

/// Some layers on the CPU, which takes activations as bytes where weights are quantised. Families
/// are split everywhere; for types of weights it is enough that both devices have some.
TEST_P(StoredLogitsOnVulkan, AreReachedHoweverTheLayersAreSplit) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no conformance data at " << kShared;
  const double bar = std::max(GetParam().bar, GetParam().bar_in_bytes);
  const gguf::Reader file = gguf::Reader::open(kShared / (std::string(GetParam().model) + ".gguf"));
  const int n_layer = read_hparams(file, family_of(file)).n_layer;
  const bool is_family = std::string_view(GetParam().model).starts_with("models/");
  for (int layers = is_family ? 0 : 1; layers <= (is_family ? n_layer : 1); ++layers) {
    expect_logits(GetParam(), bar, std::to_string(layers) + " layers",
                  [&](const gguf::Reader& model, LoadOptions options) {
                    options.offload = {.layers = layers,
                                       .gpu = {.device = wished_vulkan_device(),
                                               .staging_bytes = 1 << 20,
                                               .use_cache = false,
                                               .tiers = "none"}};
                    return load_model(model, options);
                  });
  }
}

INSTANTIATE_TEST_SUITE_P(Models, StoredLogitsOnVulkan,
                         testing::Values(Case{"models/llama"}, Case{"models/llama3-rope"},
                                         Case{"models/gemma3", false, kTableBar},
                                         Case{"models/phi3-longrope"}, Case{"models/bert"},
                                         Case{"models/qwen2", true}, Case{"models/qwen3", true},
                                         Case{"models/gemma2", true, kTableBar},
                                         Case{"models/phi3", true},
                                         Case{"models/gpt2", true, kTableBar},
                                         Case{"quant/llama-F16", false, kFloatBar, 3.9e-7},
                                         Case{"quant/llama-BF16", false, kFloatBar, 2.5e-5},
                                         Case{"quant/llama-Q4_0", false, kFloatBar, 3.3e-4},
                                         Case{"quant/llama-Q4_1", false, kFloatBar, 3.4e-4},
                                         Case{"quant/llama-Q5_0", false, kFloatBar, 3.0e-4},
                                         Case{"quant/llama-Q5_1", false, kFloatBar, 3.6e-4},
                                         Case{"quant/llama-Q8_0", false, kFloatBar, 3.2e-4},
                                         Case{"quant/llama-Q2_K", false, kFloatBar, 6.3e-4},
                                         Case{"quant/llama-Q3_K_M", false, kFloatBar, 6.6e-4},
                                         Case{"quant/llama-Q4_K_S", false, kFloatBar, 6.5e-4},
                                         Case{"quant/llama-Q4_K_M", false, kFloatBar, 6.5e-4},
                                         Case{"quant/llama-Q5_K_M", false, kFloatBar, 6.6e-4},
                                         Case{"quant/llama-Q6_K", false, kFloatBar, 6.3e-4},
                                         Case{"quant/llama-IQ4_NL", false, kFloatBar, 3.5e-4},
                                         Case{"quant/llama-IQ4_XS", false, kFloatBar, 6.9e-4}),
                         [](const auto& each) {
                           std::string name = fs::path(each.param.model).filename().string();
                           for (char& c : name) {
                             if (c == '-' || c == '.') c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace hearth::test
