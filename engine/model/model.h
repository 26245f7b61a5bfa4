// A model: its family's row, its numbers, its weights on their devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "engine/device/device.h"
#include "engine/model/families.h"
#include "engine/model/hparams.h"
#include "engine/model/weights.h"
#include "gguf/reader.h"

namespace hearth {

/// Which device has what. The residual stream is handed over where neighbours differ.
struct Placement {
  Device* embedding = nullptr;
  std::vector<Device*> layers;  // [n_layer]
  Device* output = nullptr;     // the last norm and the head
};

/// Everything on one device.
Placement all_on(Device& device, int n_layer);

struct Model {
  const Family* family = nullptr;
  HParams hparams;
  Placement placement;
  ModelWeights weights = {};
  std::uint64_t weight_bytes = 0;      // as stored in the file
  QuantType kv_type = QuantType::F32;  // of the keys and values in caches

  /// The head's matrix: the embedding's where the file has none of its own.
  const Linear& head() const { return weights.output ? weights.output : weights.token_embd; }
};

/// Checks that the file has every tensor with its shape, then loads them. Throws one Error that
/// lists all problems. `file` must outlive the model. Progress counts bytes of weights.
Model load_model(const gguf::Reader& file, const Family& family, HParams hparams,
                 Placement placement, const ProgressFn& progress = {});

/// Every way in which the file's tensors are not those of this model, one line each; empty if fine.
std::vector<std::string> tensor_problems(const gguf::Reader& file, const Family& family,
                                         const HParams& hparams);

/// Throws Error with all of them.
void check_tensors(const gguf::Reader& file, const Family& family, const HParams& hparams);

}  // namespace hearth
