// What a session needs of a model: feed tokens, read logits, forget a tail. Sessions are
// tested with a fake.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/progress.h"

namespace hearth {

class Evaluator {
 public:
  virtual ~Evaluator() = default;

  virtual int n_vocab() const = 0;
  virtual int n_ctx() const = 0;   // tokens that fit
  virtual int n_past() const = 0;  // tokens in the KV cache

  /// Forgets every token from position `n` on; all of them, where layers with a window have let go
  /// of what a token at `n` would look back at. 0 <= n <= n_past(). Returns how many are left.
  virtual int truncate(int n) = 0;

  /// Appends `tokens` and returns the logits after the last of them, [n_vocab], valid until the
  /// next call. Throws Error when they do not fit, with the numbers; Cancelled when `progress` says
  /// stop (between micro-batches: what was done before stays in the cache).
  virtual std::span<const float> eval(std::span<const std::int32_t> tokens,
                                      const ProgressFn& progress = {}) = 0;

  /// As eval(), and the token whose logit is the highest, the lowest id of equal ones: what may be
  /// found without the logits leaving their device. Throws Error if a logit is NaN or +infinity, or
  /// none is finite.
  virtual std::int32_t eval_likeliest(std::span<const std::int32_t> tokens,
                                      const ProgressFn& progress = {});

  /// Called once per position, in order, with its logits [n_vocab], valid during the call only.
  using LogitsSink = std::function<void(std::span<const float> logits)>;

  /// As eval(), with the logits after every one of `tokens`.
  virtual void eval_all(std::span<const std::int32_t> tokens, const LogitsSink& sink,
                        const ProgressFn& progress = {}) = 0;
};

}  // namespace hearth
