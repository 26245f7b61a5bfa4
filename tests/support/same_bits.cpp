#include "tests/support/same_bits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "engine/device/cpu/cpu_device.h"
#include "engine/runtime/context.h"

namespace hearth::test {
namespace {

using Floats = std::vector<float>;
using Tokens = std::vector<std::int32_t>;

ModelBundle load(const gguf::Reader& file, int n_ctx, const CpuRun& run, int n_slots = 1) {
  const CpuOptions cpu = {
      .n_threads = run.n_threads, .least_shared = 0, .repack = run.repack, .level = run.level};
  return load_model_on(std::make_unique<CpuDevice>(cpu), file,
                       {.n_ctx = n_ctx, .n_slots = n_slots, .kv_type = run.kv_type});
}

std::string described(const CpuRun& run) {
  const std::string level(run.level ? run.level->name : "fastest");
  return level + ", " + std::to_string(run.n_threads) + " threads, steps of " +
         std::to_string(run.step) + (run.repack ? "" : ", not repacked");
}

/// Whether they are the same floats. (As values: no model here gives NaN or a zero of either sign.)
void expect_equal(const Floats& got, const Floats& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  const auto differs = std::mismatch(got.begin(), got.end(), expected.begin());
  EXPECT_EQ(differs.first, got.end()) << what << ": output " << differs.first - got.begin()
                                      << " is " << *differs.first << ", not " << *differs.second;
}

/// Three sequences that begin alike and end at different places, side by side in two steps.
void expect_neighbours_do_not_matter(const gguf::Reader& file, const Tokens& tokens,
                                     const CpuRun& run, const Floats& expected) {
  const std::size_t n_vocab = expected.size() / tokens.size();
  const auto row = [&](std::size_t t) {
    const auto first = expected.begin() + static_cast<std::ptrdiff_t>(t * n_vocab);
    return Floats(first, first + static_cast<std::ptrdiff_t>(n_vocab));
  };
  const ModelBundle bundle = load(file, static_cast<int>(tokens.size()), run, 3);
  const std::span all(tokens);
  const auto step = [&](const std::vector<Context::Input>& inputs,
                        const std::vector<std::size_t>& ends, const char* what) {
    const std::span<const float> logits = bundle.context->eval_batch(inputs);
    Floats wanted;
    for (const std::size_t t : ends) {
      const Floats last = row(t);
      wanted.insert(wanted.end(), last.begin(), last.end());
    }
    expect_equal({logits.begin(), logits.end()}, wanted, described(run) + ", " + what);
  };
  const std::size_t n = tokens.size() - 1;
  step({{2, all.first(n)}, {0, all.first(1)}, {1, all.first(4)}}, {n - 1, 0, 3}, "three prompts");
  step({{1, all.subspan(4, 1)}, {0, all.subspan(1, 1)}, {2, all.subspan(n, 1)}}, {4, 1, n},
       "three tokens");
}

}  // namespace

std::vector<const kernels::IsaLevel*> levels_here() {
  std::vector<const kernels::IsaLevel*> levels;
  for (const kernels::IsaLevel& level : kernels::all_isa_levels()) {
    if (level.is_supported()) levels.push_back(&level);
  }
  return levels;
}

Floats cpu_outputs(const gguf::Reader& file, std::span<const std::int32_t> tokens,
                   const CpuRun& run) {
  const ModelBundle bundle = load(file, static_cast<int>(tokens.size()), run);
  if (!bundle.model->hparams.causal) return bundle.context->embed(tokens);
  Floats all;
  for (std::size_t done = 0; done < tokens.size();) {
    const std::size_t n = std::min(static_cast<std::size_t>(run.step), tokens.size() - done);
    bundle.context->eval_all(tokens.subspan(done, n), [&](std::span<const float> logits) {
      all.insert(all.end(), logits.begin(), logits.end());
    });
    done += n;
  }
  return all;
}

void expect_same_bits(const gguf::Reader& file, const Tokens& tokens, QuantType kv_type,
                      Ways ways) {
  const Floats expected = cpu_outputs(file, tokens, {.kv_type = kv_type});
  const bool is_causal = family_of(file).causal;
  for (const kernels::IsaLevel* level : levels_here()) {
    const bool all = ways == Ways::all || level == kernels::best_isa_level();
    CpuRun run = {.level = level, .kv_type = kv_type};
    const auto check = [&] {
      expect_equal(cpu_outputs(file, tokens, run), expected, described(run));
    };
    for (const int n_threads : all ? std::vector{1, 2, 3, 7} : std::vector{3}) {
      run.n_threads = n_threads;
      check();
    }
    run.repack = false;
    if (all) check();
    run.repack = true;
    if (!is_causal) continue;
    run.n_threads = 2;
    for (const int step : all ? std::vector{1, 5} : std::vector{1}) {
      run.step = step;
      check();
    }
    expect_neighbours_do_not_matter(file, tokens, run, expected);
  }
}

}  // namespace hearth::test
