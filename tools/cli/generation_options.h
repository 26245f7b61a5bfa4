// The options of every command that draws tokens: sampling, limits, stop strings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/generate.h"
#include "engine/runtime/sampler.h"
#include "tokenizer/tokenizer.h"

namespace hearth::cli {

class Command;

struct GenerationOptions {
  SamplingOptions sampling;
  std::vector<std::string> logit_bias;  // "ID=BIAS"
  std::optional<std::uint64_t> seed;    // none: a new one every time
  int max_tokens = -1;
  bool ignore_end = false;
  std::vector<std::string> stop;  // with escapes
};

/// Adds --temp, --top-k, --top-p, --min-p, the penalties, --logit-bias, --seed, -n, --ignore-end
/// and --stop.
void add_generation_options(Command& command, GenerationOptions& options);

/// The seed that was given, or one that nobody can foresee; then it is the one from now on.
std::uint64_t settle_seed(GenerationOptions& options);

/// Throws Error naming the option that makes no sense.
Sampler make_sampler(GenerationOptions& options, const Tokenizer& tokenizer);

GenerateOptions make_generate_options(const GenerationOptions& options);

}  // namespace hearth::cli
