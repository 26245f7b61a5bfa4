// A loaded model and the sequences of tokens on it: what sessions, `logits`, `perplexity`, `embed`
// and `bench` run on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "engine/device/cpu/blas.h"
#include "engine/device/device.h"
#include "engine/device/vulkan/vulkan.h"
#include "engine/model/forward.h"
#include "engine/model/model.h"
#include "engine/runtime/evaluator.h"
#include "gguf/reader.h"

namespace hearth {

/// Token sequences in the KV caches of a model's devices, each in a slot of its own. Most have one;
/// what the functions without a slot mean is that in slot 0.
class Context final : public Evaluator {
 public:
  /// `model` must outlive the context. Throws Error when the model's positions end before n_ctx.
  Context(const Model& model, int n_ctx, int n_ubatch, int n_slots = 1);

  int n_vocab() const override { return model_->hparams.n_vocab; }
  int n_ctx() const override { return forward_->n_ctx(); }
  int n_past() const override { return n_past_.front(); }
  int truncate(int n) override { return truncate(0, n); }
  std::span<const float> eval(std::span<const std::int32_t> tokens,
                              const ProgressFn& progress = {}) override;
  std::int32_t eval_likeliest(std::span<const std::int32_t> tokens,
                              const ProgressFn& progress = {}) override;

  void eval_all(std::span<const std::int32_t> tokens, const LogitsSink& sink,
                const ProgressFn& progress = {}) override;

  int n_slots() const { return forward_->n_slots(); }
  int n_ubatch() const { return forward_->n_ubatch(); }
  int n_past(int slot) const { return n_past_[static_cast<std::size_t>(slot)]; }
  /// As Evaluator::truncate().
  int truncate(int slot, int n);

  /// What one sequence of several gets.
  struct Input {
    int slot;
    std::span<const std::int32_t> tokens;
  };

  /// Appends to several sequences at once, in as few passes over the weights as n_ubatch allows.
  /// Returns the logits after the last token of each, [inputs.size()][n_vocab], valid until the
  /// next call: those of eval(), bit for bit. No slot twice. Throws Error when something does not
  /// fit.
  std::span<const float> eval_batch(std::span<const Input> inputs);

  /// As eval_batch(), and of each sequence the token that eval_likeliest() gives.
  std::vector<std::int32_t> eval_batch_likeliest(std::span<const Input> inputs);

  /// Forgets the sequence and puts random keys and values in its place, as if n tokens had been
  /// there: to measure what comes after them.
  void pretend(int slot, int n);

  /// The hidden states after the last norm of every token of several sequences, each from its
  /// beginning (what was there before is forgotten), in one pass: [tokens of all][n_embd], valid
  /// until the next call. No slot twice; at most n_ubatch tokens in all.
  std::span<const float> hidden_batch(std::span<const Input> inputs);

  /// The pooled embedding of `tokens` [n_embd], not normalised. Forgets what was there before.
  /// Throws Error when they do not fit a micro-batch, which an encoder sees as a whole.
  std::vector<float> embed(std::span<const std::int32_t> tokens, const ProgressFn& progress = {});

  /// Gives the model on devices that are still there, when one is lost. It must outlive the
  /// context.
  using Rebuild = std::function<const Model&(const std::string& what_happened)>;

  /// What to do when a device is lost: go on with another model, which gets the sequences' tokens
  /// anew. Without it the loss is an error.
  void set_rebuild(Rebuild rebuild) { rebuild_ = std::move(rebuild); }

 private:
  template <class Work>
  void on_device(const Work& work);
  template <class Finish>
  void feed(std::span<const std::int32_t> tokens, const ProgressFn& progress, const Finish& finish);
  template <class Finish>
  void feed_batch(std::span<const Input> inputs, const Finish& finish);
  std::span<float> one_row() {
    return std::span(logits_).first(static_cast<std::size_t>(n_vocab()));
  }
  void recover(const std::string& what_happened);
  void compute_again(int slot);
  void remember(int slot, std::span<const std::int32_t> tokens);
  void check(int slot, std::span<const std::int32_t> tokens) const;
  int& past(int slot) { return n_past_[static_cast<std::size_t>(slot)]; }

  const Model* model_;
  Rebuild refuge_;  // that gave the model, after a loss
  std::unique_ptr<Forward> forward_;
  std::vector<int> n_past_;                         // [n_slots]
  std::vector<std::vector<std::int32_t>> history_;  // [n_slots], the tokens in the caches
  std::vector<float> logits_;  // [n_vocab], or a head pass's rows, or a batch's
  std::vector<float> hidden_;  // of a batch
  Rebuild rebuild_;
};

inline constexpr int kDefaultContext = 4096;

/// Bytes of memory that this process can still have; the container's limit counts.
std::uint64_t available_memory();

/// Which layers lie on a GPU: the last ones, and with them the head.
struct Offload {
  static constexpr int kAll = -1;
  static constexpr int kAsFits = -2;

  int layers = 0;                  // how many, or kAll, kAsFits
  VulkanOptions gpu = {};          // on which
  std::uint64_t budget_bytes = 0;  // of its memory; 0: what it says is free
};

/// How to load a model.
struct LoadOptions {
  enum class On : std::uint8_t { cpu, reference };
  On device = On::cpu;
  int n_threads = 0;  // 0: one per physical core
  int n_ctx = 0;      // 0: the model's own, at most usual_ctx
  int usual_ctx = kDefaultContext;
  int n_ubatch = 512;
  int n_slots = 1;     // sequences, each with room for n_ctx tokens
  bool repack = true;  // false: leave the weights in the file's map (slower, less memory)
  bool pin = false;    // a CPU for each thread, the caller's too
  UseBlas blas = UseBlas::off;
  std::optional<QuantType> kv_type = {};  // of the KV caches; none: usual_kv_type
  ProgressFn progress = {};
  std::uint64_t (*available_memory)() = hearth::available_memory;  // asked before memory is taken
  Offload offload = {};
  std::function<void(const std::string&)> note = {};  // hears what was decided, and what went wrong
};

/// A model with its device and one context on it; the three live and die together.
struct ModelBundle {
  std::unique_ptr<Device> device;
  std::unique_ptr<VulkanDevice> gpu;  // that has some of the layers, if one has
  std::unique_ptr<Model> model;
  std::unique_ptr<Context> context;
};

/// Loads `file`, which must outlive the bundle. Throws Error when the family is unknown, the file
/// does not fit it, or the memory does not suffice.
ModelBundle load_model(const gguf::Reader& file, const LoadOptions& options = {});

/// The same on a device of the caller's making: options.device and n_threads do not count.
ModelBundle load_model_on(std::unique_ptr<Device> device, const gguf::Reader& file,
                          const LoadOptions& options = {});

/// What keys and values are stored as when nobody asked: F16, or F32 where a file's matrices are.
QuantType usual_kv_type(const gguf::Reader& file);

/// The context for `n_tokens` tokens when nobody asked for a size: the next multiple of 256, unless
/// the model's positions end before.
int context_for(const gguf::Reader& file, std::size_t n_tokens);

}  // namespace hearth
