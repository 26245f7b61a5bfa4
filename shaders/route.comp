// A router's scores become choices and weights: a workgroup per token. The lower number wins a tie.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint SIGMOID = 0;

layout(binding = 0) readonly buffer Scores { float scores[]; };
layout(binding = 1) writeonly buffer Chosen { float chosen[]; };
layout(binding = 2) buffer Weights { float weights[]; };

layout(push_constant) uniform Push {
  uint n_rows, n_expert, n_used, normalise;
  uint scores_at, scores_stride;
  uint chosen_at, chosen_stride;
  uint weights_at, weights_stride;
  float scale;
};

shared uint best_of_lane[WG];

float sigmoid(float v) { return 1.0 / (1.0 + exp(-v)); }

/// Whether expert e comes after (score, number) in the order of choice.
bool is_after(uint e, float score, float last_score, uint last) {
  return score < last_score || (score == last_score && e > last);
}

void main() {
  const uint row = group();
  if (row >= n_rows) return;  // the whole workgroup
  const uint from = scores_at + row * scores_stride;
  float highest = -kInfinity;
  for (uint e = lane(); e < n_expert; e += WG) highest = max(highest, scores[from + e]);
  highest = workgroup_max(highest);
  float all = 0.0;
  for (uint e = lane(); e < n_expert; e += WG) all += exp(scores[from + e] - highest);
  all = workgroup_sum(all);

  float last_score = kInfinity;
  uint last = 0;
  bool is_first = true;
  float of_chosen = 0.0;
  for (uint k = 0; k < n_used; ++k) {
    uint best = n_expert;
    for (uint e = lane(); e < n_expert; e += WG) {
      const float score = scores[from + e];
      if (!is_first && !is_after(e, score, last_score, last)) continue;
      if (best == n_expert || score > scores[from + best]) best = e;
    }
    best_of_lane[lane()] = best;
    barrier();
    best = n_expert;
    for (uint i = 0; i < WG; ++i) {
      const uint e = best_of_lane[i];
      if (e == n_expert) continue;
      if (best == n_expert || scores[from + e] > scores[from + best] ||
          (scores[from + e] == scores[from + best] && e < best)) {
        best = e;
      }
    }
    barrier();
    if (best == n_expert) best = 0;  // scores that are no numbers
    last = best;
    last_score = scores[from + best];
    is_first = false;
    const float p = SIGMOID != 0 ? sigmoid(last_score) : exp(last_score - highest);
    of_chosen += p;
    if (lane() == 0) {
      chosen[chosen_at + row * chosen_stride + k] = float(best);
      weights[weights_at + row * weights_stride + k] = p;
    }
  }
  if (lane() != 0) return;
  const float divisor = normalise != 0 ? of_chosen : SIGMOID != 0 ? 1.0 : all;
  for (uint k = 0; k < n_used; ++k) weights[weights_at + row * weights_stride + k] *= scale / divisor;
}
