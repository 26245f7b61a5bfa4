// Models of random weights in the shape of real ones: as large, as fast and as valid as those, for
// measuring. What they say is noise.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "engine/model/tensor_rules.h"
#include "engine/quantize/mix.h"
#include "engine/synth/shapes.h"

namespace hearth {

struct SynthOptions {
  std::uint64_t seed = 1;
  int n_layer = 0;  // 0: as many as the shape has
  int n_vocab = 0;  // the same; at least kLeastSynthVocab
};

/// A mix of `quantize` (any letter case), or one quant type for all matrices ("Q4_K").
std::optional<Mix> find_synth_mix(std::string_view name);

struct SynthTensor {
  std::string name;
  Dims dims;  // the fastest first
  QuantType type;

  std::uint64_t elements() const { return dims[0] * dims[1] * dims[2]; }
  std::uint64_t bytes() const;
};

struct SynthReport {
  std::vector<SynthTensor> tensors;  // in the order of the file
  std::uint64_t elements = 0;
  std::uint64_t file_bytes = 0;
};

/// What write_synth_model() would write.
SynthReport plan_synth_model(const Shape& shape, const Mix& mix, const SynthOptions& options);

/// Writes the model to `out`: the tensors of the shape's family, in the types that quantize_model()
/// gives them, filled with blocks of normally distributed weights whose variance is one over the
/// row's length, so that activations keep their size. The same seed gives the same bytes on every
/// machine. Memory is one tensor. `progress` counts bytes. Throws Error if the file cannot be
/// written, Cancelled.
SynthReport write_synth_model(const Shape& shape, const Mix& mix, const SynthOptions& options,
                              const std::filesystem::path& out, const ProgressFn& progress = {});

}  // namespace hearth
