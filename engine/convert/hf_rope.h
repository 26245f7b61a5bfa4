// The scalings of rotary embeddings: what config.json calls rope_scaling, as GGUF has it.
#pragma once

#include <string>
#include <vector>

#include "engine/convert/checkpoint.h"
#include "engine/convert/hf_families.h"
#include "gguf/writer.h"

namespace hearth {

/// A tensor that the checkpoint has as numbers of config.json: divisors of the frequencies, one for
/// each pair of dimensions that rotates.
struct RopeTensor {
  std::string name;
  std::vector<float> values;
};

/// Writes the keys "{arch}.rope.*" of a family that rotates; the tensors that go with them. Throws
/// Error on scalings that the engine does not have, and numbers that cannot be.
std::vector<RopeTensor> write_rope(const Checkpoint& checkpoint, const HfFamily& family,
                                   gguf::Writer& writer);

}  // namespace hearth
