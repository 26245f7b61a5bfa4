// A loaded model and one sequence of tokens on it: what sessions, `logits`, `perplexity` and
// `embed` run on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "engine/device/device.h"
#include "engine/model/forward.h"
#include "engine/model/model.h"
#include "engine/runtime/evaluator.h"
#include "gguf/reader.h"

namespace hearth {

/// A token sequence in the KV caches of a model's devices.
class Context final : public Evaluator {
 public:
  /// `model` must outlive the context. Throws Error when the model's positions end before n_ctx.
  Context(const Model& model, int n_ctx, int n_ubatch);

  int n_vocab() const override { return model_.hparams.n_vocab; }
  int n_ctx() const override { return forward_.n_ctx(); }
  int n_past() const override { return n_past_; }
  void truncate(int n) override;
  std::span<const float> eval(std::span<const std::int32_t> tokens,
                              const ProgressFn& progress = {}) override;

  void eval_all(std::span<const std::int32_t> tokens, const LogitsSink& sink,
                const ProgressFn& progress = {}) override;

  /// The pooled embedding of `tokens` [n_embd], not normalised. Forgets what was there before.
  /// Throws Error when they do not fit a micro-batch, which an encoder sees as a whole.
  std::vector<float> embed(std::span<const std::int32_t> tokens, const ProgressFn& progress = {});

 private:
  void check(std::span<const std::int32_t> tokens) const;

  const Model& model_;
  Forward forward_;
  int n_past_ = 0;
  std::vector<float> logits_;  // [n_vocab], or a head pass's rows
};

inline constexpr int kDefaultContext = 4096;

/// How to load a model.
struct LoadOptions {
  enum class On : std::uint8_t { cpu, reference };
  On device = On::cpu;
  int n_threads = 0;   // 0: one per physical core
  bool repack = true;  // false: leave the weights in the file's map (slower, less memory)
  int n_ctx = 0;      // 0: the model's own, at most usual_ctx
  int usual_ctx = kDefaultContext;
  int n_ubatch = 512;
  ProgressFn progress = {};
};

/// A model with its device and one context on it; the three live and die together.
struct ModelBundle {
  std::unique_ptr<Device> device;
  std::unique_ptr<Model> model;
  std::unique_ptr<Context> context;
};

/// Loads `file`, which must outlive the bundle. Throws Error when the family is unknown, the file
/// does not fit it, or the memory does not suffice.
ModelBundle load_model(const gguf::Reader& file, const LoadOptions& options = {});

/// The same on a device of the caller's making: options.device and n_threads do not count.
ModelBundle load_model_on(std::unique_ptr<Device> device, const gguf::Reader& file,
                          const LoadOptions& options = {});

/// The context for `n_tokens` tokens when nobody asked for a size: the next multiple of 256, unless
/// the model's positions end before.
int context_for(const gguf::Reader& file, std::size_t n_tokens);

/// Bytes of memory that this process can still have; the container's limit counts.
std::uint64_t available_memory();

}  // namespace hearth
