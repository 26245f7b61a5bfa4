#include "engine/model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/stable_math.h"

namespace hearth {
namespace {

/// Divisors of the frequencies, or none. LongRoPE (arXiv 2402.13753) has two lists: the long one
/// holds where the context is larger than the one the model was first trained with.
const HostVector& factors(const Model& model, int n_ctx) {
  const ModelWeights& w = model.weights;
  if (!w.rope_freqs.empty()) return w.rope_freqs;
  return n_ctx > model.hparams.rope_original_ctx ? w.rope_factors_long : w.rope_factors_short;
}

/// base^(-2i / n_rot) / factor, per pair i.
Rope plain_rope(const Model& model, double base, const HostVector& factors) {
  const HParams& h = model.hparams;
  Rope rope{.pairing = model.family->position == Position::rope_halves ? RopePairing::halves
                                                                       : RopePairing::interleaved,
            .head_dim = h.head_dim_k};
  for (int i = 0; i < h.n_rot / 2; ++i) {
    const double factor = factors.empty() ? 1.0 : factors[static_cast<std::size_t>(i)];
    rope.frequencies.push_back(stable_pow(base, -2.0 * i / h.n_rot) / factor);
  }
  return rope;
}

/// The dimension pair that turns `n_rotations` times over the original context.
double pair_of_rotations(const HParams& h, double n_rotations) {
  const double turns = h.rope_original_ctx / (n_rotations * 2.0 * std::numbers::pi);
  return h.n_rot * stable_log(turns) / (2.0 * stable_log(h.rope_base));
}

/// YaRN (arXiv 2309.00071): fast pairs keep their frequency, slow ones are stretched, those between
/// are mixed; the scores are sharpened by the square of a factor that grows with the stretch.
void apply_yarn(Rope& rope, const HParams& h) {
  const double low = std::max(0.0, std::floor(pair_of_rotations(h, h.yarn_beta_fast)));
  const double high = std::min(h.n_rot - 1.0, std::ceil(pair_of_rotations(h, h.yarn_beta_slow)));
  for (std::size_t i = 0; i < rope.frequencies.size(); ++i) {
    const double ramp = (static_cast<double>(i) - low) / std::max(0.001, high - low);
    const double kept = (1.0 - std::clamp(ramp, 0.0, 1.0)) * h.yarn_ext_factor;
    rope.frequencies[i] *= (1.0 - kept) / h.rope_factor + kept;
  }
  const auto sharpening = [&](double multiplier) {
    return h.rope_factor <= 1.0 ? 1.0 : 0.1 * multiplier * stable_log(h.rope_factor) + 1.0;
  };
  rope.magnitude *=
      sharpening(1.0) / (h.yarn_log_multiplier != 0.0 ? sharpening(h.yarn_log_multiplier) : 1.0);
}

}  // namespace

Rope global_rope(const Model& model, int n_ctx) {
  const HParams& h = model.hparams;
  Rope rope = plain_rope(model, h.rope_base, factors(model, n_ctx));
  rope.magnitude = h.rope_attn_factor;
  if (h.rope_scaling == RopeScaling::linear) {
    for (double& frequency : rope.frequencies) frequency /= h.rope_factor;
  }
  if (h.rope_scaling == RopeScaling::yarn) apply_yarn(rope, h);
  return rope;
}

Rope local_rope(const Model& model, int n_ctx) {
  if (model.family->local_rope == LocalRope::as_global) return global_rope(model, n_ctx);
  return plain_rope(model, model.hparams.rope_base_local, {});
}

}  // namespace hearth
