// Whole models on the device: the reference's logits, the same text however the layers are split,
// plans that are exact, and what happens when memory or the device itself is gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/nmse.h"
#include "engine/runtime/builtin_model.h"
#include "engine/runtime/split_load.h"
#include "tests/support/temp_dir.h"
#include "tests/support/toy_model.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

using testing::HasSubstr;

using Tokens = std::vector<std::int32_t>;

std::int32_t highest(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// `prompt` and n tokens that the model says after it.
Tokens greedy(Context& context, const Tokens& prompt, int n) {
  Tokens text = prompt;
  std::int32_t next = highest(context.eval(prompt));
  for (int i = 0; i < n; ++i) {
    text.push_back(next);
    next = highest(context.eval(std::span(text).last(1)));
  }
  return text;
}

std::vector<float> all_logits(Context& context, const Tokens& tokens) {
  std::vector<float> all;
  context.eval_all(tokens, [&](std::span<const float> logits) {
    all.insert(all.end(), logits.begin(), logits.end());
  });
  return all;
}

LoadOptions on_gpu(int layers) {
  LoadOptions options{.n_threads = 1, .n_ctx = 64, .n_ubatch = 16};
  options.offload = {.layers = layers,
                     .gpu = {.device = wished_vulkan_device(),
                             .staging_bytes = 1 << 16,
                             .use_cache = false,
                             .tiers = "none"}};
  return options;
}

const std::filesystem::path kShared = HEARTH_SHARED_DIR;

gguf::Reader conformance_file(const char* folder, const std::string& name) {
  return gguf::Reader::open(kShared / folder / (name + ".gguf"));
}

/// Every number of layers on the GPU but none, and all of them once more with tiers.
std::vector<LoadOptions> every_split(int n_layer) {
  std::vector<LoadOptions> all;
  for (int layers = 1; layers <= n_layer; ++layers) all.push_back(on_gpu(layers));
  all.push_back(on_gpu(n_layer));
  all.back().offload.gpu.tiers = "subgroup,dot";
  return all;
}

class WholeModels : public VulkanTest {
 protected:
  gguf::Reader toy(const ToyOptions& options = {}) {
    bytes_.push_back(toy_model(options));
    return gguf::Reader::from_bytes(bytes_.back(), "toy");
  }
  const Tokens prompt_ = {1, 9, 4, 33, 17, 2, 60, 8, 21, 5, 13};

 private:
  std::deque<std::vector<std::byte>> bytes_;
};

/// Families that between them use every verb but the encoder's.
std::vector<ToyOptions> toys() {
  std::vector<ToyOptions> all;
  for (const char* name : {"llama", "gemma2", "gpt2", "bloom", "qwen3", "cohere2", "qwen2moe"}) {
    all.push_back(toy_of(*find_family(name)));
  }
  return all;
}

TEST_F(WholeModels, GiveTheLogitsOfTheReference) {
  for (const ToyOptions& options : toys()) {
    SCOPED_TRACE(options.family);
    const gguf::Reader file = toy(options);
    const ModelBundle truth = load_model(file, {.device = LoadOptions::On::reference, .n_ctx = 64});
    const ModelBundle tested =
        load_model_on(open_test_device({.staging_bytes = 1 << 16}), file,
                      {.n_ctx = 64, .n_ubatch = 5, .kv_type = QuantType::F32});
    EXPECT_LE(nmse(all_logits(*tested.context, prompt_), all_logits(*truth.context, prompt_)),
              1e-9);
  }
}

/// A prompt in many parts, two of them under way at once, and weights through the halves of a small
/// staging buffer.
TEST_F(WholeModels, ArriveAndComputeInParts) {
  const gguf::Reader file = toy();
  const ModelBundle truth = load_model(file, {.device = LoadOptions::On::reference, .n_ctx = 64});
  const std::vector<float> expected = all_logits(*truth.context, prompt_);
  std::uint64_t n_whole = 0;
  for (const std::uint64_t work_at_once : {std::uint64_t{0}, std::uint64_t{1}}) {
    const ModelBundle tested = load_model_on(
        open_test_device(
            {.staging_bytes = 1 << 12, .work_at_once = work_at_once, .always_stage = true}),
        file, {.n_ctx = 64, .kv_type = QuantType::F32});
    const auto& device = static_cast<const VulkanDevice&>(*tested.device);
    const std::uint64_t before = device.stats().submits;
    EXPECT_LE(nmse(all_logits(*tested.context, prompt_), expected), 1e-9);
    const std::uint64_t n = device.stats().submits - before;
    if (work_at_once == 0) n_whole = n;
    EXPECT_TRUE(work_at_once == 0 || n > n_whole + 4) << n << " parts, and whole " << n_whole;
  }
}

TEST_F(WholeModels, SayTheSameHoweverTheLayersAreSplit) {
  for (const ToyOptions& options :
       {ToyOptions{.family = "llama"}, ToyOptions{.family = "qwen3", .with = {"output.weight"}}}) {
    const gguf::Reader file = toy(options);
    const ModelBundle cpu = load_model(file, {.n_threads = 1, .n_ctx = 64});
    const Tokens expected = greedy(*cpu.context, prompt_, 12);
    for (int layers = 0; layers <= options.n_layer; ++layers) {
      const ModelBundle split = load_model(file, on_gpu(layers));
      EXPECT_EQ(greedy(*split.context, prompt_, 12), expected)
          << options.family << ", " << layers << " layers";
      EXPECT_EQ(split.gpu != nullptr, layers > 0);
    }
  }
}

/// The conformance set's models of float weights: as on the CPU alone, wherever they are cut, and
/// with all layers on shaders of tiers.
TEST_F(WholeModels, OfTheConformanceSetSayTheSameHoweverTheyAreSplit) {
  if (!std::filesystem::exists(kShared)) GTEST_SKIP() << "no conformance data at " << kShared;
  for (const char* name : {"llama", "llama3-rope", "gemma3", "gemma2", "phi3-longrope", "phi3",
                           "qwen2", "qwen3", "gpt2", "stories260K"}) {
    const gguf::Reader file = conformance_file("models", name);
    const ModelBundle cpu = load_model(file, {.n_threads = 1, .n_ctx = 64});
    const Tokens expected = greedy(*cpu.context, prompt_, 12);
    for (const LoadOptions& options : every_split(cpu.model->hparams.n_layer)) {
      const ModelBundle split = load_model(file, options);
      EXPECT_EQ(greedy(*split.context, prompt_, 12), expected)
          << name << ", " << options.offload.layers << " layers, " << options.offload.gpu.tiers;
    }
  }
}

/// Those of quantised weights, for which the CPU makes bytes of activations and the device may not:
/// another token is chosen only where that error decides, which is known from the table of what it
/// costs.
TEST_F(WholeModels, OfQuantisedWeightsChooseTheSameTokens) {
  if (kIsSanitized) GTEST_SKIP() << "the host's part in a type is in Sweep.Slices";
  if (!std::filesystem::exists(kShared)) GTEST_SKIP() << "no conformance data at " << kShared;
  constexpr double kErrorOfBytes = 6.9e-4;  // an NMSE: the table's largest
  for (const char* name : {"llama-F16", "llama-Q8_0", "llama-Q5_1", "llama-Q2_K", "llama-Q4_K_M",
                           "llama-Q6_K", "llama-IQ4_XS"}) {
    const gguf::Reader file = conformance_file("quant", name);
    const ModelBundle cpu = load_model(file, {.n_threads = 1, .n_ctx = 64});
    const Tokens text = greedy(*cpu.context, prompt_, 12);
    cpu.context->truncate(0);
    const std::vector<float> expected = all_logits(*cpu.context, text);
    double squares = 0.0;
    for (const float logit : expected) squares += static_cast<double>(logit) * logit;
    const double error = std::sqrt(kErrorOfBytes * squares / static_cast<double>(expected.size()));
    const std::size_t width = expected.size() / text.size();
    for (const LoadOptions& options : every_split(cpu.model->hparams.n_layer)) {
      const ModelBundle split = load_model(file, options);
      const std::vector<float> got = all_logits(*split.context, text);
      for (std::size_t t = prompt_.size() - 1; t < text.size(); ++t) {
        const auto logits = std::span(expected).subspan(t * width, width);
        const std::int32_t choice = highest(std::span(got).subspan(t * width, width));
        // Both may be off by that much; errors of four times their mean are rare.
        EXPECT_LE(logits[static_cast<std::size_t>(highest(logits))] -
                      logits[static_cast<std::size_t>(choice)],
                  2 * 4 * error)
            << name << ", " << options.offload.layers << " layers, " << options.offload.gpu.tiers;
      }
    }
  }
}

/// As on the reference: the CPU device quantises activations, which this model's weights let it do.
TEST_F(WholeModels, TheOneInTheBoxSaysTheSame) {
  const gguf::Reader file = gguf::Reader::from_bytes(builtin_model_bytes(), "built-in");
  const Tokens prompt = {10, 200, 31, 7, 99};
  const ModelBundle truth = load_model(file, {.device = LoadOptions::On::reference, .n_ctx = 64});
  const Tokens expected = greedy(*truth.context, prompt, 16);
  LoadOptions options = on_gpu(Offload::kAll);
  options.kv_type = QuantType::F32;
  const ModelBundle all = load_model(file, options);
  EXPECT_EQ(greedy(*all.context, prompt, 16), expected);
}

TEST_F(WholeModels, SeveralSequencesAtOnce) {
  const gguf::Reader file = toy();
  LoadOptions options = on_gpu(Offload::kAll);
  options.n_slots = 3;
  const ModelBundle gpu = load_model(file, options);
  const ModelBundle one = load_model(file, on_gpu(Offload::kAll));
  const Tokens texts[] = {{1, 2, 3, 4, 5, 6}, {40}, {7, 8}};
  const Context::Input inputs[] = {{0, texts[0]}, {1, texts[1]}, {2, texts[2]}};
  const std::span<const float> together = gpu.context->eval_batch(inputs);
  const auto width = static_cast<std::size_t>(gpu.context->n_vocab());
  for (std::size_t i = 0; i < 3; ++i) {
    one.context->truncate(0);
    const std::span<const float> alone = one.context->eval(texts[i]);
    const std::span<const float> row = together.subspan(i * width, width);
    EXPECT_LE(nmse({row.begin(), row.end()}, {alone.begin(), alone.end()}), 1e-10);
  }
}

/// The likeliest token is found where the logits are: four bytes come back, and no more than with
/// the logits is sent.
TEST_F(WholeModels, TellTheLikeliestTokenWithoutTheLogits) {
  for (const ToyOptions& options : {ToyOptions{}, toy_of(*find_family("gemma2"))}) {
    const gguf::Reader file = toy(options);
    const ModelBundle gpu = load_model(file, on_gpu(Offload::kAll));
    const std::int32_t expected = highest(gpu.context->eval(prompt_));
    gpu.context->truncate(0);
    EXPECT_EQ(gpu.context->eval_likeliest(prompt_), expected);
    const Tokens text = greedy(*gpu.context, {3}, 6);
    gpu.context->truncate(static_cast<int>(prompt_.size()) + 1);
    std::uint64_t before = 0;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
      before = gpu.gpu->stats().downloaded_bytes;
      EXPECT_EQ(gpu.context->eval_likeliest(std::span(text).subspan(i, 1)), text[i + 1]);
    }
    EXPECT_EQ(gpu.gpu->stats().downloaded_bytes - before, 4U);
  }
}

/// Of several sequences, too: four bytes for each.
TEST_F(WholeModels, TellTheLikeliestTokensOfSeveralSequences) {
  const gguf::Reader file = toy();
  LoadOptions options = on_gpu(Offload::kAll);
  options.n_slots = 3;
  const ModelBundle gpu = load_model(file, options);
  const Tokens texts[] = {{1, 2, 3, 4, 5, 6}, {40}, {7, 8}};
  const Context::Input inputs[] = {{2, texts[0]}, {0, texts[1]}, {1, texts[2]}};
  const std::span<const float> logits = gpu.context->eval_batch(inputs);
  const std::size_t width = logits.size() / 3;
  Tokens expected;
  for (std::size_t i = 0; i < 3; ++i) expected.push_back(highest(logits.subspan(i * width, width)));
  for (int slot = 0; slot < 3; ++slot) gpu.context->truncate(slot, 0);
  const std::uint64_t before = gpu.gpu->stats().downloaded_bytes;
  EXPECT_EQ(gpu.context->eval_batch_likeliest(inputs), expected);
  EXPECT_EQ(gpu.gpu->stats().downloaded_bytes - before, 12U);
}

TEST_F(WholeModels, DecodingIsRecordedOnceAndReplayed) {
  const gguf::Reader file = toy();
  const ModelBundle gpu = load_model(file, on_gpu(Offload::kAll));
  greedy(*gpu.context, prompt_, 4);
  const VulkanStats before = gpu.gpu->stats();
  for (int i = 0; i < 10; ++i) gpu.context->eval(Tokens{5});
  const VulkanStats after = gpu.gpu->stats();
  EXPECT_EQ(after.submits - before.submits, 10U);       // one per token
  EXPECT_LE(after.recordings - before.recordings, 1U);  // a context of 32 may begin in between
}

// --- Memory ---

TEST_F(WholeModels, TakeWhatWasPlannedToTheByte) {
  ToyOptions tied;
  ToyOptions untied{.with = {"output.weight"}};
  for (const ToyOptions& options : {tied, untied}) {
    const gguf::Reader file = toy(options);
    for (const std::uint64_t max_slab : {std::uint64_t{0}, std::uint64_t{20000}}) {
      for (const int layers : {1, 3}) {
        LoadOptions load = on_gpu(layers);
        load.offload.gpu.max_slab = max_slab;
        const Planner planner(file);
        const LoadPlan plan = plan_load(file, load);
        const std::uint64_t planned = planner.gpu_share(layers, plan.shape, *plan.rules).allocated;
        const ModelBundle gpu = load_model(file, load);
        EXPECT_EQ(gpu.gpu->stats().allocated_bytes, planned);
        greedy(*gpu.context, prompt_, 4);
        EXPECT_EQ(gpu.gpu->stats().allocated_bytes, planned) << "working takes more";
      }
    }
  }
}

/// Keys and values in the host's memory: the same text, and that much less of the GPU's.
TEST_F(WholeModels, MayKeepKeysAndValuesInTheHostsMemory) {
  const gguf::Reader file = toy();
  const ModelBundle usual = load_model(file, on_gpu(2));
  LoadOptions options = on_gpu(2);
  options.offload.gpu.kv_on_host = true;
  const Planner planner(file);
  const LoadPlan plan = plan_load(file, options);
  const DeviceShare share = planner.gpu_share(2, plan.shape, *plan.rules);
  // two layers, keys and values, 64 positions of 16 numbers, which are floats as the weights are
  EXPECT_EQ(share.host_allocated, 2 * 2 * 64 * 16 * 4U);
  EXPECT_EQ(share.bytes_of("KV cache"), 0U);
  EXPECT_EQ(share.allocated + share.host_allocated, usual.gpu->stats().allocated_bytes);
  const ModelBundle gpu = load_model(file, options);
  EXPECT_EQ(gpu.gpu->stats().allocated_bytes, share.allocated + share.host_allocated);
  EXPECT_EQ(greedy(*gpu.context, prompt_, 8), greedy(*usual.context, prompt_, 8));
  options.offload.budget_bytes = share.allocated;
  options.offload.gpu.kv_on_host = false;
  EXPECT_THAT([&] { load_model(file, options); },
              testing::ThrowsMessage<OutOfDeviceMemory>(HasSubstr("--kv-device cpu")));
}

/// A model whose heads are blocks of 32, with keys and values in bytes: the plan holds, and the
/// text of the conformance set's models is what the CPU says with bytes.
TEST_F(WholeModels, KeepKeysAndValuesInBytes) {
  ToyOptions options{.family = "llama"};
  options.n_embd = 128;
  const gguf::Reader file = toy(options);
  LoadOptions load = on_gpu(Offload::kAll);
  load.kv_type = QuantType::Q8_0;
  const Planner planner(file);
  const LoadPlan plan = plan_load(file, load);
  const ModelBundle gpu = load_model(file, load);
  EXPECT_EQ(gpu.gpu->stats().allocated_bytes,
            planner.gpu_share(3, plan.shape, *plan.rules).allocated);
  const ModelBundle truth = load_model(file, {.device = LoadOptions::On::reference, .n_ctx = 64});
  EXPECT_LE(nmse(all_logits(*gpu.context, prompt_), all_logits(*truth.context, prompt_)), 1e-3);
}

TEST_F(WholeModels, WhatDoesNotFitIsAnErrorThatSaysWhatWould) {
  const gguf::Reader file = toy();
  LoadOptions options = on_gpu(Offload::kAll);
  const Planner planner(file);
  const LoadPlan plan = plan_load(file, options);
  options.offload.budget_bytes = planner.gpu_share(2, plan.shape, *plan.rules).allocated;
  try {
    load_model(file, options);
    FAIL() << "it was loaded";
  } catch (const OutOfDeviceMemory& error) {
    EXPECT_THAT(error.what(), HasSubstr("3 of 3 layers and a context of 64 need"));
    EXPECT_THAT(error.what(), HasSubstr("what fits: -ngl 2"));
  }
  options.offload.layers = Offload::kAsFits;
  std::string said;
  options.note = [&](const std::string& text) { said = text; };
  const ModelBundle gpu = load_model(file, options);
  EXPECT_THAT(said, HasSubstr("2 of 3 layers fit"));
  EXPECT_LE(gpu.gpu->stats().allocated_bytes, options.offload.budget_bytes);
}

/// An allocation fails, whichever: an error without a crash, or fewer layers where as many as fit
/// were asked for.
TEST_F(WholeModels, SurviveEveryFailureOfAnAllocation) {
  const gguf::Reader file = toy();
  LoadOptions options = on_gpu(Offload::kAll);
  options.offload.gpu.max_slab = 40000;
  bool is_loaded = false;
  for (int k = 0; !is_loaded; ++k) {
    SCOPED_TRACE(k);
    ASSERT_LT(k, 100);
    options.offload.gpu.fail_allocation = k;
    try {
      const ModelBundle gpu = load_model(file, options);
      EXPECT_GT(k, 4) << "staging, partial sums, parameters, and two slabs at least";
      is_loaded = true;
    } catch (const OutOfDeviceMemory& error) {
      EXPECT_THAT(error.what(), HasSubstr(k < 2 ? "no room for" : "less than it said"));
    }
  }
  options = on_gpu(Offload::kAsFits);
  options.offload.gpu.fail_allocation = 3;
  const ModelBundle cpu = load_model(file, options);  // every try fails
  EXPECT_EQ(cpu.gpu, nullptr);
  EXPECT_FALSE(greedy(*cpu.context, prompt_, 3).empty());
}

TEST_F(WholeModels, RefuseImpossibleWishes) {
  const gguf::Reader file = toy();
  EXPECT_THROW(load_model(file, on_gpu(4)), Error);
  EXPECT_THROW(load_model(file, on_gpu(-7)), Error);
  LoadOptions elsewhere = on_gpu(1);
  elsewhere.offload.gpu.device = "no such device";
  EXPECT_THROW(load_model(file, elsewhere), Error);
  LoadOptions bytes = on_gpu(1);
  bytes.kv_type = QuantType::Q8_0;  // the toy's heads are no multiples of 32
  EXPECT_THROW(load_model(file, bytes), Error);
}

// --- Loss ---

/// The device is lost at the k-th submit, for every k. While it loads, that is an error; while it
/// generates, the text goes on as if nothing had been.
TEST_F(WholeModels, GoOnOnTheCpuWheneverTheDeviceIsLost) {
  const gguf::Reader file = toy();
  const ModelBundle cpu = load_model(file, {.n_threads = 1, .n_ctx = 64});
  const Tokens expected = greedy(*cpu.context, prompt_, 8);
  int n_while_loading = 0;
  int n_while_generating = 0;
  bool is_lost = true;
  for (int k = 0; is_lost; ++k) {
    SCOPED_TRACE(k);
    ASSERT_LT(k, 1000);
    LoadOptions options = on_gpu(2);
    options.offload.gpu.always_stage = true;
    options.offload.gpu.lose_at_submit = k;
    std::vector<std::string> said;
    options.note = [&](const std::string& text) { said.push_back(text); };
    try {
      const ModelBundle gpu = load_model(file, options);
      EXPECT_EQ(greedy(*gpu.context, prompt_, 8), expected);
      is_lost = !said.empty();
      if (!is_lost) continue;
      ++n_while_generating;
      ASSERT_EQ(said.size(), 1U);
      EXPECT_THAT(said[0], HasSubstr("on the CPU"));
    } catch (const DeviceLost&) {
      EXPECT_EQ(n_while_generating, 0) << "an error although it was loaded";
      ++n_while_loading;
    }
  }
  EXPECT_GT(n_while_loading, 3);
  EXPECT_GT(n_while_generating, 8);  // a prompt and eight tokens at least
}

// --- The cache of pipelines ---

TEST_F(WholeModels, PipelinesAreKeptOnDiskAndASpoiledFileIsNoHarm) {
  const gguf::Reader file = toy();
  const TempDir folder;
  const auto run = [&] {
    const ModelBundle gpu = load_model_on(
        open_test_device({.staging_bytes = 1 << 16, .cache_folder = folder.path().string()}), file,
        {.n_ctx = 32, .kv_type = QuantType::F32});
    return greedy(*gpu.context, {1, 2}, 3);
  };
  const Tokens expected = run();
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    files.push_back(entry.path());
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(run(), expected);
  for (const std::uintmax_t size :
       {std::uintmax_t{0}, std::uintmax_t{10}, std::filesystem::file_size(files[0]) - 1}) {
    std::filesystem::resize_file(files[0], size);
    EXPECT_EQ(run(), expected);
  }
}

}  // namespace
}  // namespace hearth::test
