// The forward pass: one walk for all families. Which parts there are, the weights say; how they are
// joined, the family's row says; the numbers come from the file. No family is named here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/model/model.h"

namespace hearth {

/// Room for the activations of one micro-batch of U tokens on one device. With experts, K of them
/// serve each token.
struct Scratch {
  Tensor x;                       // [U][n_embd], the residual stream
  Tensor normed;                  // [U][n_embd]
  Tensor qkv;                     // [U][n_q + n_k + n_v]
  Tensor heads;                   // [U][n_head * head_dim_v]
  Tensor attn_branch;             // [U][n_embd]
  Tensor gate_up;                 // [U][2 n_ff]
  Tensor ffn_branch;              // [U][n_embd]
  Tensor scores;                  // [U][n_expert]
  Tensor chosen, expert_weights;  // [U][K]
  Tensor expert_gate_up;          // [U K][2 n_ff_expert]
  Tensor expert_out;              // [U K][n_embd]
  Tensor expert_sum;              // [U][n_embd]
  Tensor logits;                  // [kHeadRows][n_vocab], on the output's device
  std::vector<std::unique_ptr<Buffer>> buffers;
};

inline constexpr int kMostHeadRows = 16;

/// Whether the layers of a model share the room for keys and values: an encoder sees its text in
/// one step, so that those of a layer are forgotten when the next one begins.
bool forgets_layers(const HParams& hparams);

/// What there is room for: sequences of n_ctx tokens each, and steps of n_ubatch.
struct KvRoom {
  int n_ctx;
  int n_ubatch;
  int n_slots = 1;
};

/// The caches' shape for the layers that are `here`; other layers have no columns. Where layers
/// share their room, it is that of the first.
KvShape kv_shape(const HParams& hparams, const std::function<bool(int layer)>& is_here,
                 QuantType type, const KvRoom& room);

/// For the layers of a model on a device.
KvShape kv_shape(const Model& model, const Device& device, const KvRoom& room);

/// Floats of each scratch tensor, named; what plans count and Forward allocates.
struct ScratchSize {
  Tensor Scratch::*tensor;
  std::string_view name;
  int rows;
  int columns;
};
std::vector<ScratchSize> scratch_sizes(const HParams& hparams, int n_ubatch, bool has_output);

/// The memory of one or more sequences on the model's devices, and the walk over the blocks.
class Forward {
 public:
  /// The most rows that logits() takes at once.
  static constexpr int kHeadRows = kMostHeadRows;

  /// Room for n_slots sequences of n_ctx tokens each, n_ubatch tokens at once. `model` must outlive
  /// it.
  Forward(const Model& model, int n_ctx, int n_ubatch, int n_slots = 1);

  int n_ctx() const { return n_ctx_; }
  int n_ubatch() const { return n_ubatch_; }
  int n_slots() const { return n_slots_; }

  /// Runs the step's tokens, at most n_ubatch. What a token gives does not depend on what else is
  /// in the step. Returns their hidden states after the last norm, on the output's device:
  /// [n_tokens][n_embd], or only the last row of each run, [runs][n_embd].
  Tensor run(std::span<const std::int32_t> tokens, const Step& step, bool only_last);

  /// The same for the sequence in slot 0, of which n_past tokens are in the caches.
  Tensor run(std::span<const std::int32_t> tokens, int n_past, bool only_last);

  /// Puts random keys and values where the step's rows have their place, in every layer.
  void store_random(const Step& step);

  /// Whether all is there that a row at `position` of a slot looks back at. Not where windowed
  /// layers have let go of it for later positions.
  bool can_go_on(int slot, int position) const;

  /// rows = hidden, as run() returned it.
  void hidden(std::vector<float>& rows, Tensor hidden);

  /// logits [hidden.rows][n_vocab] = head(hidden), at most kHeadRows rows.
  void logits(std::span<float> out, Tensor hidden);

  /// The token whose logit is the highest, of each of at most kHeadRows rows of `hidden`: where the
  /// output's device can tell, the logits stay there. -1 where a logit is not a number
  /// (Device::argmax).
  std::vector<std::int32_t> likeliest(Tensor hidden);

 private:
  struct Seat {  // what one device holds of the sequences
    Device* device;
    std::unique_ptr<KvCache> kv;
    Scratch scratch = {};
  };
  class Block;

  void note_stored(const Step& step);
  Seat& seat_of(const Device* device);
  void make_seat(Device* device);
  Tensor embed(Seat& seat, std::span<const std::int32_t> tokens, const Step& step);
  Tensor hand_over(Tensor x, Seat& from, Seat& to, const Step& step);
  Tensor head(Seat& seat, Tensor hidden);
  Tensor last_norm(Seat& seat, Tensor x);
  Tensor last_norm_of_runs(Seat& seat, Tensor x, const Step& step);

  const Model& model_;
  int n_ctx_;
  int n_ubatch_;
  int n_slots_;
  Rope global_rope_;
  Rope local_rope_;
  RelativeBias relative_bias_;
  std::vector<Seat> seats_;
  std::vector<int> highest_;  // [n_slots], the highest position that was stored since position 0
};

}  // namespace hearth
