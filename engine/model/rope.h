// Rotary frequencies: bases, scaling schemes and per-dimension factors become one list of radians
// per position, so that devices know nothing of them.
#pragma once

#include "engine/device/device.h"
#include "engine/model/model.h"

namespace hearth {

/// The rotation of the layers that see everything, for a context of n_ctx tokens.
Rope global_rope(const Model& model, int n_ctx);

/// The rotation of the windowed layers.
Rope local_rope(const Model& model, int n_ctx);

}  // namespace hearth
