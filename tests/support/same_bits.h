// The engine's promise on the CPU: what a model gives does not depend on the threads, on the tokens
// in a step, on its neighbours in a step, on where its weights lie, nor on the level of the
// kernels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gguf/reader.h"
#include "kernels/dispatch.h"
#include "kernels/quant_types.h"

namespace hearth::test {

/// One way to run a model on the CPU device. Everything is shared out, however small.
struct CpuRun {
  const kernels::IsaLevel* level = nullptr;  // nullptr: the fastest
  int n_threads = 1;
  int step = 512;  // tokens at a time; an encoder takes all at once
  bool repack = true;
  QuantType kv_type = QuantType::F32;
};

/// The levels that this machine has.
std::vector<const kernels::IsaLevel*> levels_here();

/// The logits of all tokens [n][n_vocab], or an encoder's pooled embedding [n_embd].
std::vector<float> cpu_outputs(const gguf::Reader& file, std::span<const std::int32_t> tokens,
                               const CpuRun& run);

enum class Ways : std::uint8_t { all, few };  // of running at each level; the fastest has all

/// Fails the running test where two ways to run `file` differ in a bit. At least 6 tokens.
void expect_same_bits(const gguf::Reader& file, const std::vector<std::int32_t>& tokens,
                      QuantType kv_type, Ways ways);

}  // namespace hearth::test
