// A device runs the verbs of the forward pass, named as the papers name them, on memory that it
// owns: its weights' layout, its KV cache, its scratch.
//
// Rows are tokens. All activations are float32. An output may be the same view as an input where a
// verb works element by element or row by row (all but matmul and attention).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device/step.h"
#include "engine/device/tensor.h"
#include "kernels/activation.h"

namespace hearth {

/// Which elements of a head make a rotated pair: (2i, 2i + 1), or (i, i + n_rot / 2).
enum class RopePairing : std::uint8_t { interleaved, halves };

/// Rotary position embedding (arXiv 2104.09864). Scaling schemes are worked into the frequencies.
struct Rope {
  RopePairing pairing = RopePairing::interleaved;
  int head_dim = 0;
  std::vector<double> frequencies =
      {};                  // [n_rot / 2], radians per position; dimensions past n_rot stay
  double magnitude = 1.0;  // of the rotated pairs (YaRN's attention factor)
};

/// What the distance of a key from its query adds to a score, a number per head and distance
/// (arXiv 1910.10683, section 2.1; MPNet, arXiv 2004.09297).
struct RelativeBias {
  /// Devices look at keys in blocks: they read so far past the end of the context.
  static constexpr int kPastTheEnd = 64;

  int reach = 0;                   // distances from -reach to reach
  std::vector<float> values = {};  // [n_head][2 reach + 1]

  /// The values of a head, at distance 0.
  const float* of_head(int head) const {
    const auto width = 2 * static_cast<std::size_t>(reach) + 1;
    return values.data() + static_cast<std::size_t>(head) * width + static_cast<std::size_t>(reach);
  }
};

struct AttentionSpec {
  int layer = 0;  // of the KV cache
  int n_head = 0;
  int n_head_kv = 0;  // divides n_head: query head h reads head h / (n_head / n_head_kv)
  int head_dim_k = 0;
  int head_dim_v = 0;
  float scale = 1.0F;           // of q . k
  float softcap = 0.0F;         // c: scores become c tanh(score / c); 0 = none
  int window = 0;               // a token sees itself and window - 1 before it; 0 = all before it
  bool causal = true;           // false: every token of the sequence, later ones too
  float max_alibi_bias = 0.0F;  // ALiBi (arXiv 2108.12409): slopes 2^(-bias i / n_head); 0 = none
  /// Outlives the call. Its reach is the cache's n_ctx + kPastTheEnd at least.
  const RelativeBias* relative_bias = nullptr;
};

struct KvShape {
  struct Layer {
    int k_columns = 0;  // n_head_kv * head_dim_k
    int v_columns = 0;
    int n_head_kv = 1;
    int window = 0;  // a row looks back at so many positions, its own included; 0: at all
  };
  int n_ctx = 0;                    // positions of each sequence
  int n_ubatch = 0;                 // rows of a step at most
  int n_slots = 1;                  // sequences
  QuantType type = QuantType::F32;  // of what is stored: F32, F16 or Q8_0. The reference keeps F32
  std::vector<Layer> layers = {};

  /// Without what a device adds to fill its tiles.
  std::uint64_t bytes() const;
};

/// Keys and values of every position of every sequence, in a device's own layout.
class KvCache {
 public:
  explicit KvCache(KvShape shape) : shape_(std::move(shape)) {}
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;
  virtual ~KvCache() = default;

  const KvShape& shape() const { return shape_; }

  /// Where a device keeps no more of a windowed layer than rows to come can look back at: the first
  /// position of `layer` that is still there, if the highest that was ever stored is `highest`.
  virtual int first_kept(int layer, int highest) const;

 private:
  KvShape shape_;
};

/// How a router's scores become the weights of the experts (mixture of experts).
struct RouteSpec {
  int n_used = 0;          // experts per token
  bool sigmoid = false;    // scores through a sigmoid each, not a softmax over all
  bool normalise = false;  // weights of the chosen experts sum to 1
  float scale = 1.0F;      // of the weights, last
};

/// Memory that a device is to take before anything is read from a file (memory_rules.h). What is
/// loaded and allocated after that, in the same order, lies there.
struct Reservation {
  std::span<const std::uint64_t> pieces;
  std::span<const std::uint64_t> host_pieces;  // in the host's memory
  int n_ubatch = 0;                            // steps will have at most so many rows
};

/// The device is gone, and what it held: a driver that was reset, a cable that was pulled.
class DeviceLost : public Error {
 public:
  using Error::Error;
};

/// The device has no room for what it is asked to hold.
class OutOfDeviceMemory : public Error {
 public:
  using Error::Error;
};

class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  virtual std::string name() const = 0;

  // Memory.

  /// A device may have no use for it.
  virtual void reserve(const Reservation& reservation);

  /// Takes over a matrix, repacking it if the device likes. The host's bytes stay mapped while the
  /// matrix lives.
  virtual std::unique_ptr<Matrix> load(const HostMatrix& matrix) = 0;

  /// Zeroed room for `n` floats.
  virtual std::unique_ptr<Buffer> allocate(std::size_t n) = 0;

  virtual std::unique_ptr<KvCache> make_kv_cache(const KvShape& shape) = 0;

  /// out [n_tokens][columns] = data, row after row.
  virtual void upload(Tensor out, std::span<const float> data) = 0;

  /// data = x, row after row. Waits for what is queued.
  virtual void download(std::span<float> data, Tensor x) = 0;

  /// The column of the highest element of each row of x, the first of several that are equal; -1
  /// for a row that has NaN or +infinity, or nothing but -infinity. Waits for what is queued.
  virtual std::vector<std::int32_t> argmax(Tensor x);

  /// The verbs that follow belong to this step: rope, kv_store and attention take each row's
  /// sequence and position from it. A device may queue verbs until submit() or a download.
  virtual void begin(const Step& step) = 0;
  virtual void submit() = 0;

  // The verbs.

  /// out row i = row ids[i] of `table`. Each id is less than table.rows().
  virtual void get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) = 0;

  /// out [n][R] = x [n][C] times the transpose of w [R][C].
  virtual void matmul(Tensor out, const Matrix& w, Tensor x) = 0;

  /// A product and its epilogue, each part where there is one: out = activation(x w^T + bias), or,
  /// with a sum, sum += that; `out` then is room to work in, and holds anything afterwards.
  struct Product {
    Tensor out;
    const Matrix* w;
    Tensor bias = {};  // one row, added to all
    std::optional<Activation> activation = {};
    Tensor sum = {};  // neither x nor a part of it

    Tensor result() const { return sum ? sum : out; }
  };

  /// Products that share their input, so that a device can prepare it once. A device may do an
  /// epilogue while the product is at hand: the results are those of the plain verbs.
  virtual void matmuls(std::span<const Product> products, Tensor x);

  /// up.out = activation(gate) * up, where both are products and their biases; the gate's out is
  /// room to work in, and holds anything afterwards. Neither has more of an epilogue.
  virtual void gated_matmul(const Product& gate, const Product& up, Tensor x,
                            Activation activation);

  /// Each group of weight.columns elements of each row of x, divided by its root mean square
  /// (arXiv 1910.07467), times the weight: one row for all groups, or a row per group.
  virtual void rms_norm(Tensor out, Tensor x, Tensor weight, float eps) = 0;

  /// As rms_norm, with the mean taken away first and a bias, possibly absent, added last (arXiv
  /// 1607.06450).
  virtual void layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) = 0;

  /// Rotates every head of every row of x by its position.
  virtual void rope(Tensor x, const Rope& rope) = 0;

  /// Puts the rows of k and v at the step's positions of `layer`, each in its sequence's slot.
  virtual void kv_store(KvCache& cache, int layer, Tensor k, Tensor v) = 0;

  /// rope of q and of k, and kv_store of k and v; k holds anything afterwards.
  virtual void rope_and_store(Tensor q, Tensor k, Tensor v, const Rope& rope, KvCache& cache,
                              int layer);

  /// out [n][n_head * head_dim_v] = softmax(scale q k^T + mask) v, each row over its own sequence,
  /// whose keys and values up to the step's last position are stored (arXiv 1706.03762; grouped
  /// heads arXiv 2305.13245).
  virtual void attention(Tensor out, Tensor q, const KvCache& cache, const AttentionSpec& spec) = 0;

  /// out = activation(gate) * up, element by element (arXiv 2002.05202).
  virtual void glu(Tensor out, Tensor gate, Tensor up, Activation activation) = 0;

  virtual void activation(Tensor out, Tensor x, Activation activation) = 0;

  /// out = a + b. b has as many rows as a, or one row that is added to all.
  virtual void add(Tensor out, Tensor a, Tensor b) = 0;

  virtual void scale(Tensor out, Tensor x, float factor) = 0;

  /// out = cap * tanh(x / cap).
  virtual void softcap(Tensor out, Tensor x, float cap) = 0;

  // Mixture of experts (arXiv 1701.06538). A token's n_used choices are columns of `chosen` [n][K]
  // and `weights` [n][K]; `chosen` holds expert numbers as floats.

  virtual void route(Tensor chosen, Tensor weights, Tensor scores, const RouteSpec& spec) = 0;

  /// Row i of out [n K][R] = the i-th choice's matrix times its token's row of x, which has n rows
  /// (one per token) or n K (one per choice).
  virtual void expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) = 0;

  /// out row t [n][C] = sum over k of weights[t][k] * x row t K + k.
  virtual void expert_sum(Tensor out, Tensor x, Tensor weights) = 0;

 protected:
  /// The epilogue of a product that stands in `out`, by the plain verbs.
  void apply_epilogue(const Product& product);
};

}  // namespace hearth
