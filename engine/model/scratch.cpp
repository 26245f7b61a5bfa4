// Sizes of what a sequence holds on a device, and their allocation.
#include <algorithm>

#include "engine/model/forward.h"

namespace hearth {

bool forgets_layers(const HParams& h) {
  const LayerHParams& first = h.layers.front();
  return !h.causal && std::all_of(h.layers.begin(), h.layers.end(), [&](const LayerHParams& layer) {
    return layer.n_head_kv == first.n_head_kv;
  });
}

KvShape kv_shape(const HParams& h, const std::function<bool(int layer)>& is_here, QuantType type,
                 const KvRoom& room) {
  KvShape shape{
      .n_ctx = room.n_ctx, .n_ubatch = room.n_ubatch, .n_slots = room.n_slots, .type = type};
  for (std::size_t il = 0; il < h.layers.size(); ++il) {
    const KvShape::Layer columns =
        is_here(static_cast<int>(il)) ? KvShape::Layer{.k_columns = h.n_k(h.layers[il]),
                                                       .v_columns = h.n_v(h.layers[il]),
                                                       .n_head_kv = h.layers[il].n_head_kv,
                                                       .window = h.causal ? h.layers[il].window : 0}
                                      : KvShape::Layer{};
    if (!forgets_layers(h) || il == 0) {
      shape.layers.push_back(columns);
    } else if (columns.k_columns > 0) {
      shape.layers.front() = columns;
    }
  }
  return shape;
}

KvShape kv_shape(const Model& model, const Device& device, const KvRoom& room) {
  const auto is_here = [&](int layer) {
    return model.placement.layers[static_cast<std::size_t>(layer)] == &device;
  };
  return kv_shape(model.hparams, is_here, model.kv_type, room);
}

std::vector<ScratchSize> scratch_sizes(const HParams& h, int n_ubatch, bool has_output) {
  int n_qkv = 0;
  int n_heads = 0;
  int n_ff = h.n_ff_shared_expert;
  for (const LayerHParams& layer : h.layers) {
    n_qkv = std::max(n_qkv, h.n_q(layer) + h.n_k(layer) + h.n_v(layer));
    n_heads = std::max(n_heads, h.n_attn_out(layer));
    n_ff = std::max(n_ff, layer.n_ff);
  }
  const int u = n_ubatch;
  std::vector<ScratchSize> sizes = {
      {&Scratch::x, "x", u, h.n_embd},
      {&Scratch::normed, "normed", u, h.n_embd},
      {&Scratch::qkv, "qkv", u, n_qkv},
      {&Scratch::heads, "heads", u, n_heads},
      {&Scratch::attn_branch, "attn_branch", u, h.n_embd},
      {&Scratch::gate_up, "gate_up", u, 2 * n_ff},
      {&Scratch::ffn_branch, "ffn_branch", u, h.n_embd},
  };
  if (h.n_expert > 0) {
    const int k = h.n_expert_used;
    sizes.push_back({&Scratch::scores, "scores", u, h.n_expert});
    sizes.push_back({&Scratch::chosen, "chosen", u, k});
    sizes.push_back({&Scratch::expert_weights, "expert_weights", u, k});
    sizes.push_back({&Scratch::expert_gate_up, "expert_gate_up", u * k, 2 * h.n_ff_expert});
    sizes.push_back({&Scratch::expert_out, "expert_out", u * k, h.n_embd});
    sizes.push_back({&Scratch::expert_sum, "expert_sum", u, h.n_embd});
  }
  if (has_output) {
    sizes.push_back({&Scratch::logits, "logits", std::min(u, kMostHeadRows), h.n_vocab});
  }
  return sizes;
}

void Forward::make_seat(Device* device) {
  const auto is_this = [&](const Seat& seat) { return seat.device == device; };
  if (std::any_of(seats_.begin(), seats_.end(), is_this)) return;
  Seat seat{.device = device,
            .kv = device->make_kv_cache(kv_shape(model_, *device, {n_ctx_, n_ubatch_, n_slots_}))};
  const bool has_output = device == model_.placement.output;
  for (const ScratchSize& size : scratch_sizes(model_.hparams, n_ubatch_, has_output)) {
    seat.scratch.buffers.push_back(device->allocate(static_cast<std::size_t>(size.rows) *
                                                    static_cast<std::size_t>(size.columns)));
    seat.scratch.*size.tensor = {.buffer = seat.scratch.buffers.back().get(),
                                 .rows = size.rows,
                                 .columns = size.columns,
                                 .stride = size.columns,
                                 .name = size.name};
  }
  seats_.push_back(std::move(seat));
}

}  // namespace hearth
