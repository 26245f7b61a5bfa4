// Hugging Face checkpoints to GGUF. Tensors go through one at a time: memory is the largest of
// them, whatever the size of the model.
#pragma once

#include <filesystem>
#include <optional>

#include "base/progress.h"
#include "kernels/quant_types.h"

namespace hearth {

struct CheckpointOptions {
  std::optional<QuantType> type = {};  // of matrices; none: as they are in the checkpoint
  int n_threads = 1;
};

struct CheckpointReport {
  std::size_t tensors = 0;
  std::size_t dropped = 0;      // of the checkpoint, that the model does not need
  std::size_t other_parts = 0;  // of the checkpoint, that are not of text: images, sound
  std::size_t in_f16 = 0;       // matrices whose rows are not made of whole blocks of the type
  std::uint64_t bytes = 0;      // of the result
};

/// Writes the checkpoint in `folder` to the file `out`, whole or not at all. Progress counts bytes.
/// Throws Error when the family is not known, a file is missing or damaged, a tensor has no rule,
/// or the result would not be a model of its family; Cancelled.
CheckpointReport convert_checkpoint(const std::filesystem::path& folder,
                                    const std::filesystem::path& out,
                                    const CheckpointOptions& options,
                                    const ProgressFn& progress = {});

}  // namespace hearth
