// The one list of tensors: name, shape, when it must be there, where it goes. The loader, its error
// messages, the documentation and the random models of the tests all read it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/families.h"
#include "engine/model/hparams.h"
#include "engine/model/weights.h"

namespace hearth {

/// Sizes of a tensor, the fastest first, as GGUF has them.
using Dims = std::array<std::uint64_t, 3>;

/// The sizes of the tensor with this name, if there is one.
using FindDims = std::function<std::optional<Dims>(std::string_view name)>;

enum class TensorPart : std::uint8_t { weight, bias, scale };

/// One tensor that a model has or may have.
struct TensorSpec {
  std::string name;  // "blk.3.attn_q.weight"
  Dims dims;
  bool required;
  TensorPart part;
  int layer;  // -1: of the whole model
  std::variant<Linear LayerWeights::*, Norm LayerWeights::*, Linear ModelWeights::*,
               Norm ModelWeights::*, HostVector ModelWeights::*>
      field;
};

/// Every tensor that a model of this family and size can have. Which are required, and some shapes,
/// depend on which others are there, as `find` says.
std::vector<TensorSpec> tensor_specs(const Family& family, const HParams& hparams,
                                     const FindDims& find);

/// "[8, 256]", slowest first, without leading ones.
std::string describe(const Dims& dims);

}  // namespace hearth
