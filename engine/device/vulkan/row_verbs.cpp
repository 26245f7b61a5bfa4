// The verbs that work row by row or element by element.
#include <algorithm>
#include <bit>
#include <numbers>

#include "engine/device/host_buffer.h"
#include "engine/device/vulkan/verbs.h"

namespace hearth::vulkan {
namespace {

std::uint64_t elements(const Tensor& tensor) {
  return static_cast<std::uint64_t>(tensor.rows) * static_cast<std::uint64_t>(tensor.columns);
}

/// What a workgroup of argmax goes through.
constexpr std::uint64_t kColumnsOfAPart = 4096;

/// The stride of a tensor whose one row serves all.
int shared_stride(const Tensor& tensor) {
  return tensor.rows == 1 ? 0 : tensor.stride;
}

/// A frequency in radians per position as a part of a turn, 64 bits after the point.
std::uint64_t part_of_turn(double frequency) {
  const double turns = frequency / (2.0 * std::numbers::pi);
  const double part = turns - static_cast<double>(static_cast<std::int64_t>(turns));
  return static_cast<std::uint64_t>(part * 0x1p63) * 2;
}

/// Whether rows may be read as vectors of four.
bool has_quads(const Tensor& tensor) {
  return tensor.offset % 4 == 0 && (tensor.stride % 4 == 0 || tensor.rows == 1);
}

bool same_frequencies(const Rope& a, const Rope& b) {
  return a.frequencies == b.frequencies;
}

}  // namespace

/// Lanes of a workgroup that has a row of n elements, four to a lane and read.
std::uint32_t ComputeDevice::row_lanes(int n) const {
  if (tuning_.is_fixed) return tuning_.row_lanes;
  constexpr std::uint32_t kLeastLanes = 32;
  const std::uint32_t wanted = std::bit_ceil(static_cast<std::uint32_t>(n + 3) / 4);
  return std::min(tuning_.row_lanes, std::max(wanted, kLeastLanes));
}

void ComputeDevice::norm(const char* verb, Tensor out, Tensor x, Tensor weight, Tensor bias,
                         bool centred, float eps) {
  constexpr std::uint32_t kMostQuads = 8;
  const int groups = group_count(x, weight);
  const Tensor& other = bias ? bias : weight;
  const std::uint32_t lanes = row_lanes(weight.columns);
  std::uint32_t quads =
      static_cast<std::uint32_t>(groups_for(elements(weight.first_rows(1)), 4 * lanes));
  if (quads > kMostQuads || !has_quads(x) || !has_quads(out) || !has_quads(weight) ||
      !has_quads(other) || weight.columns % 4 != 0) {
    quads = 0;
  }
  const bool as_bytes = quads > 0 && groups == 1 && lanes % 8 == 0 && wants_bytes(out);
  run({.verb = verb,
       .module = "norm",
       .constants = {lanes, centred, quads, as_bytes},
       .bindings = {bind(x), bind(weight), bind(other), bind(out), bind(bytes_, as_bytes)},
       .push = push_words(x.rows, groups, weight.columns, x.offset, x.stride, out.offset,
                          out.stride, weight.offset, shared_stride(weight), other.offset,
                          shared_stride(other), static_cast<bool>(bias), eps),
       .groups = static_cast<std::uint64_t>(x.rows) * static_cast<std::uint64_t>(groups)});
  if (as_bytes) bytes_are_of(out);
}

void ComputeDevice::rms_norm(Tensor out, Tensor x, Tensor weight, float eps) {
  norm("rms_norm", out, x, weight, {}, false, eps);
}

void ComputeDevice::layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) {
  norm("layer_norm", out, x, weight, bias, true, eps);
}

/// Where a rope's frequencies are in the step buffer, in words.
std::uint32_t ComputeDevice::rope_table(const Rope& rope) {
  ensure_step_buffer(1);
  for (std::size_t i = 0; i < ropes_.size(); ++i) {
    if (same_frequencies(ropes_[i], rope)) return rope_at_[i];
  }
  const std::uint64_t tables_at = step_layout(step_rows_).tables_at;
  const std::uint64_t words = 2 * rope.frequencies.size();
  HEARTH_CHECK(words <= kTableWords);
  std::uint64_t at =
      ropes_.empty() ? tables_at : rope_at_.back() + 2 * ropes_.back().frequencies.size();
  if (at + words >
      tables_at + kTableWords) {  // more kinds of rope than there is room for: begin anew
    finish();
    ropes_.clear();
    rope_at_.clear();
    at = tables_at;
  }
  auto* table = static_cast<std::uint32_t*>(static_cast<void*>(step_buffer_.mapped)) + at;
  for (const double frequency : rope.frequencies) {
    const std::uint64_t part = part_of_turn(frequency);
    *table++ = static_cast<std::uint32_t>(part >> 32);
    *table++ = static_cast<std::uint32_t>(part);
  }
  ropes_.push_back(rope);
  rope_at_.push_back(static_cast<std::uint32_t>(at));
  return rope_at_.back();
}

/// What ROTATION_PUSH in shaders/common/rotation.glsl takes.
ComputeDevice::Rotation ComputeDevice::rotation_of(const Rope& rope) {
  const auto n_pairs = static_cast<int>(rope.frequencies.size());
  HEARTH_CHECK(2 * n_pairs <= rope.head_dim);
  const bool halves = rope.pairing == RopePairing::halves;
  return {n_pairs, push_words(n_pairs, rope_table(rope), halves ? 1 : 2, halves ? n_pairs : 1,
                              static_cast<float>(rope.magnitude))};
}

void ComputeDevice::rope(Tensor x, const Rope& rope) {
  const int n_head = x.columns / rope.head_dim;
  HEARTH_CHECK(x.columns % rope.head_dim == 0);
  if (rope.frequencies.empty()) return;
  const Rotation rotation = rotation_of(rope);
  const std::uint64_t n = static_cast<std::uint64_t>(x.rows) * static_cast<std::uint64_t>(n_head) *
                          static_cast<std::uint64_t>(rotation.n_pairs);
  run({.verb = "rope",
       .module = "rope",
       .constants = {tuning_.plain_lanes},
       .bindings = {bind(x), bind(step_buffer_)},
       .push = push_words(x.rows, n_head, rope.head_dim, x.offset, x.stride) + rotation.push,
       .groups = groups_for(n, tuning_.plain_lanes)});
}

void ComputeDevice::elementwise(const char* verb, Elementwise mode, Tensor out, Tensor a, Tensor b,
                                Activation activation, float factor) {
  const Tensor& other = b ? b : a;
  HEARTH_CHECK(a.columns == out.columns && other.columns == out.columns && a.rows >= out.rows);
  run({.verb = verb,
       .module = "elementwise",
       .constants = {tuning_.plain_lanes, static_cast<std::uint32_t>(mode),
                     static_cast<std::uint32_t>(activation)},
       .bindings = {bind(a), bind(other), bind(out)},
       .push = push_words(out.rows, out.columns, a.offset, a.stride, other.offset,
                          other.rows == 1 ? 0 : other.stride, out.offset, out.stride, factor),
       .groups = groups_for(elements(out), tuning_.plain_lanes)});
}

void ComputeDevice::glu(Tensor out, Tensor gate, Tensor up, Activation activation) {
  elementwise("glu", Elementwise::glu, out, gate, up, activation, 0.0F);
}

void ComputeDevice::activation(Tensor out, Tensor x, Activation activation) {
  elementwise("activation", Elementwise::activation, out, x, {}, activation, 0.0F);
}

void ComputeDevice::add(Tensor out, Tensor a, Tensor b) {
  HEARTH_CHECK(b.rows == out.rows || b.rows == 1);
  elementwise("add", Elementwise::add, out, a, b, {}, 0.0F);
}

void ComputeDevice::scale(Tensor out, Tensor x, float factor) {
  elementwise("scale", Elementwise::scale, out, x, {}, {}, factor);
}

void ComputeDevice::softcap(Tensor out, Tensor x, float cap) {
  elementwise("softcap", Elementwise::softcap, out, x, {}, {}, cap);
}

void ComputeDevice::route(Tensor chosen, Tensor weights, Tensor scores, const RouteSpec& spec) {
  HEARTH_CHECK(spec.n_used <= scores.columns && chosen.columns == spec.n_used &&
               weights.columns == spec.n_used);
  run({.verb = "route",
       .module = "route",
       .constants = {tuning_.row_lanes, spec.sigmoid},
       .bindings = {bind(scores), bind(chosen), bind(weights)},
       .push = push_words(scores.rows, scores.columns, spec.n_used, spec.normalise, scores.offset,
                          scores.stride, chosen.offset, chosen.stride, weights.offset,
                          weights.stride, spec.scale),
       .groups = static_cast<std::uint64_t>(scores.rows)});
}

void ComputeDevice::expert_sum(Tensor out, Tensor x, Tensor weights) {
  HEARTH_CHECK(x.rows == weights.rows * weights.columns && x.columns == out.columns);
  run({.verb = "expert_sum",
       .module = "expert_sum",
       .constants = {tuning_.plain_lanes},
       .bindings = {bind(x), bind(weights), bind(out)},
       .push = push_words(out.rows, out.columns, weights.columns, x.offset, x.stride,
                          weights.offset, weights.stride, out.offset, out.stride),
       .groups = groups_for(elements(out), tuning_.plain_lanes)});
}

std::vector<std::int32_t> ComputeDevice::argmax(Tensor x) {
  const std::uint64_t bytes = sizeof(std::uint32_t) * static_cast<std::uint64_t>(x.rows);
  HEARTH_CHECK(bytes <= options_.partial_bytes && bytes <= staging_.bytes);
  const std::uint64_t parts = groups_for(static_cast<std::uint64_t>(x.columns), kColumnsOfAPart);
  const auto rows = static_cast<std::uint64_t>(x.rows);
  HEARTH_CHECK(bytes * (parts + 1) <= options_.partial_bytes);
  const bool is_whole = parts == 1;
  run({.verb = "argmax",
       .module = "argmax",
       .constants = {tuning_.row_lanes, false, is_whole},
       .bindings = {bind(x), bind(partial_)},
       .push =
           push_words(rows, x.columns, x.offset, x.stride, is_whole ? 0 : rows, 0, kColumnsOfAPart),
       .groups = rows * parts});
  if (!is_whole) {
    run({.verb = "argmax",
         .module = "argmax",
         .constants = {tuning_.row_lanes, true, true},
         .bindings = {bind(x), bind(partial_)},
         .push = push_words(rows, parts, x.offset, x.stride, 0, rows, parts),
         .groups = rows});
  }
  const std::uint64_t at = staging_room(bytes);
  downloaded_ += bytes;
  copy("download", bind(partial_).binding, {staging_.buffer, at, bytes}, bytes);
  finish();
  std::vector<std::int32_t> best;
  const auto* words =
      static_cast<const std::int32_t*>(static_cast<const void*>(staging_.mapped + at));
  best.assign(words, words + x.rows);
  return best;
}

}  // namespace hearth::vulkan
