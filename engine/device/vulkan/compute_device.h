// The verbs of a Device as dispatches of shaders.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device/thread_pool.h"
#include "engine/device/vulkan/arena.h"
#include "engine/device/vulkan/gpu.h"
#include "engine/device/vulkan/hazards.h"
#include "engine/device/vulkan/matrix_layout.h"
#include "engine/device/vulkan/pipelines.h"
#include "engine/device/vulkan/rules.h"
#include "engine/device/vulkan/tape.h"
#include "engine/device/vulkan/tiers.h"
#include "engine/device/vulkan/tuning.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth::vulkan {

struct PieceBuffer final : Buffer {
  explicit PieceBuffer(const Piece& from) : piece(from) {}
  Piece piece;
};

struct SlicedMatrix final : Matrix {
  SlicedMatrix(const HostMatrix& host, MatrixLayout from)
      : Matrix(host.name, host.rows, host.columns), type(host.type), layout(std::move(from)) {}
  QuantType type;
  MatrixLayout layout;
  std::vector<Piece> slices;  // as layout.slices
};

/// Keys and values of a layer: [n_slots][n_head_kv][n_ctx][head_dim] each.
struct PieceKvCache final : KvCache {
  using KvCache::KvCache;
  struct Layer {
    Piece k;
    Piece v;
  };
  std::vector<Layer> layers;
};

/// Push constants in the order of the shader's block.
template <class... Values>
PushWords push_words(Values... values) {
  PushWords push;
  const auto add = [&push](auto value) {
    if constexpr (std::is_same_v<decltype(value), float>) {
      push.words[push.n++] = std::bit_cast<std::uint32_t>(value);
    } else {
      push.words[push.n++] = static_cast<std::uint32_t>(value);
    }
  };
  (add(values), ...);
  return push;
}

/// A buffer as a shader sees it, and what of it the op touches.
struct Bound {
  Binding binding;
  Area area;
};

class ComputeDevice final : public VulkanDevice {
 public:
  ComputeDevice(std::shared_ptr<Instance> instance, const Instance::Physical& physical,
                const VulkanOptions& options, TierDecision tiers);
  ~ComputeDevice() override;

  std::string name() const override;
  const VulkanDeviceInfo& info() const override { return gpu_.info(); }
  VulkanStats stats() const override;
  const std::vector<VulkanTier>& tiers() const override { return tiers_.reports; }
  std::vector<VulkanOpTime> take_profile() override { return tape_.take_profile(); }

  double copy_bandwidth() override;

  // compute_device.cpp: memory and steps
  void reserve(const Reservation& reservation) override;
  std::unique_ptr<Matrix> load(const HostMatrix& matrix) override;
  std::unique_ptr<Buffer> allocate(std::size_t n) override;
  std::unique_ptr<KvCache> make_kv_cache(const KvShape& shape) override;
  void upload(Tensor out, std::span<const float> data) override;
  void download(std::span<float> data, Tensor x) override;
  void begin(const Step& step) override;
  void submit() override;

  // matrix_verbs.cpp
  void get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) override;
  void matmul(Tensor out, const Matrix& w, Tensor x) override;
  void matmuls(std::span<const Product> products, Tensor x) override;
  void gated_matmul(const Product& gate, const Product& up, Tensor x,
                    Activation activation) override;
  void expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) override;

  // row_verbs.cpp
  void rms_norm(Tensor out, Tensor x, Tensor weight, float eps) override;
  void layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) override;
  void rope(Tensor x, const Rope& rope) override;
  void glu(Tensor out, Tensor gate, Tensor up, Activation activation) override;
  void activation(Tensor out, Tensor x, Activation activation) override;
  void add(Tensor out, Tensor a, Tensor b) override;
  void scale(Tensor out, Tensor x, float factor) override;
  void softcap(Tensor out, Tensor x, float cap) override;
  void route(Tensor chosen, Tensor weights, Tensor scores, const RouteSpec& spec) override;
  void expert_sum(Tensor out, Tensor x, Tensor weights) override;
  std::vector<std::int32_t> argmax(Tensor x) override;

  // attention.cpp
  void kv_store(KvCache& cache, int layer, Tensor k, Tensor v) override;
  void rope_and_store(Tensor q, Tensor k, Tensor v, const Rope& rope, KvCache& cache,
                      int layer) override;
  void attention(Tensor out, Tensor q, const KvCache& cache, const AttentionSpec& spec) override;

 private:
  /// A dispatch of a shader. `groups` may be more than x alone can be; the shader lays them out
  /// again.
  struct Dispatch {
    const char* verb;
    const char* module;  // of the base
    std::initializer_list<std::uint32_t> constants;
    std::initializer_list<Bound> bindings;
    PushWords push;
    std::uint64_t groups = 1;
    std::array<std::uint32_t, 3> grid = {};  // instead of groups, if not zero
    std::uint32_t subgroup = 0;              // its width, which is asked for; 0: any
    std::uint64_t bytes = 0;
    std::uint64_t work = 0;
  };
  void run(const Dispatch& dispatch);

  /// The module that is used for one of the base, and the bindings that it writes to.
  struct Shader {
    std::string_view module;
    std::uint32_t written;
  };
  const Shader& shader_of(const char* name);
  void append(TapeOp& op, std::span<const Area> areas, std::uint32_t written);

  static Bound bind(const Piece& piece) {
    return {{piece.buffer, piece.offset, piece.bytes},
            {.buffer = piece.buffer, .first = piece.offset, .bytes = piece.bytes}};
  }
  static Bound bind(const Tensor& tensor);
  /// A binding that the shader may not use: then no op waits for it.
  static Bound bind(const Tensor& tensor, bool is_used) {
    return {bind(tensor).binding, is_used ? bind(tensor).area : Area{}};
  }
  /// Without a bias something must be bound all the same: what is read in any case.
  static Bound bias_of(const Product& product, const Bound& input) {
    return product.bias ? bind(product.bias) : Bound{input.binding, Area{}};
  }
  static Bound bind(const RawBuffer& buffer, bool is_used) {
    return {bind(buffer).binding, is_used ? bind(buffer).area : Area{}};
  }
  static Bound bind(const RawBuffer& buffer) {
    return {{buffer.buffer, 0, buffer.bytes}, {.buffer = buffer.buffer, .bytes = buffer.bytes}};
  }

  std::uint64_t max_binding() const;
  void touch_new_memory();
  void ensure_step_buffer(int n_rows);
  void finish();
  std::uint64_t staging_room(std::uint64_t bytes);
  /// `bytes`: of a row.
  void copy(const char* verb, const Binding& from, const Binding& to, std::uint64_t bytes,
            const CopiedRows& rows = {});
  std::uint64_t staging_half();
  void fill_slice(const HostMatrix& host, const MatrixLayout& layout, const MatrixSlice& slice,
                  const Piece& piece);
  void pack_rows(const HostMatrix& host, const MatrixLayout& layout, std::int64_t first,
                 std::int64_t end, const std::array<std::uint32_t*, kPlanes>& planes);

  /// Rows of x as a product takes them.
  struct Input {
    Bound bound;
    PushWords push;
    bool is_aligned;
  };
  bool is_in_halves(int n) const;
  /// The matrix whose rows go with those of another one, as far on in the same buffer.
  struct Gate {
    bool is_there = false;
    std::uint32_t shift = 0;  // words
    Activation activation = {};
  };
  bool is_in_integers(const SlicedMatrix& w, int n) const;
  int quantised_rows(int columns) const;
  void quantise(Tensor x);
  bool has_bytes(Tensor x) const;
  bool wants_bytes(Tensor x) const;
  void bytes_are_of(Tensor x);
  struct TiledShader;
  TiledShader tiled_shader(bool in_integers, std::uint64_t rows, std::uint64_t n) const;
  std::uint32_t matvec_lanes(int columns, std::uint32_t n, bool in_integers) const;
  Input input_of(Tensor x, Tensor out, bool in_integers) const;
  void multiply(const Product& product, Tensor x);
  void multiply_few(const Product& product, Tensor x, const Bound& weights,
                    const MatrixSlice& slice, const Gate& gate);
  void multiply_many(const Product& product, Tensor x, const Piece& piece,
                     const MatrixSlice& slice);
  bool gate_is_near(const Product& gate, const Product& up) const;
  void multiply_experts(Tensor out, const SlicedMatrix& w, Tensor x, Tensor chosen);
  void norm(const char* verb, Tensor out, Tensor x, Tensor weight, Tensor bias, bool centred,
            float eps);
  enum class Elementwise : std::uint32_t { add, scale, softcap, activation, glu };
  void elementwise(const char* verb, Elementwise mode, Tensor out, Tensor a, Tensor b,
                   Activation activation, float factor);
  std::uint32_t rope_table(const Rope& rope);
  std::uint32_t row_lanes(int n) const;
  struct Rotation {
    int n_pairs = 0;
    PushWords push = {};
  };
  Rotation rotation_of(const Rope& rope);
  void store(Tensor q, Tensor k, Tensor v, const Rotation& rotation, KvCache& cache, int layer);
  int chunks_for(int groups, int n_rows) const;
  void attend_split(Tensor out, Tensor q, const PieceKvCache& cache, const AttentionSpec& spec,
                    int first, int n_rows);
  void attend_block(Tensor out, Tensor q, const PieceKvCache& cache, const AttentionSpec& spec,
                    int first, int n_rows);
  static PushWords block_push(const Tensor& out, const Tensor& q, const PieceKvCache& kv,
                              const AttentionSpec& spec, int first, int n_rows);
  std::uint64_t block_work(const AttentionSpec& spec, int n_rows) const;

  // matrix_tier.cpp
  int rows_of_halves(int columns) const;
  void halve(Tensor x);
  void matmuls_in_halves(std::span<const Product> products, Tensor x);
  void multiply_in_halves(Tensor out, const SlicedMatrix& w, Tensor x);
  bool attend_in_fragments(Tensor out, Tensor q, const PieceKvCache& cache,
                           const AttentionSpec& spec, int first, int n_rows);

  VulkanOptions options_;
  TierDecision tiers_;
  Gpu gpu_;
  Pipelines pipelines_;
  Tape tape_;
  Hazards hazards_;
  std::vector<std::pair<const char*, Shader>> shaders_;
  Arena arena_;
  Arena host_arena_;
  Tuning tuning_;
  RawBuffer staging_;
  RawBuffer partial_;
  RawBuffer bytes_;  // rows of x for products in integers
  RawBuffer step_buffer_;
  int step_rows_ = 0;
  std::uint64_t staging_used_ = 0;
  bool is_filling_ = false;       // halves of the staging buffer are on their way into matrices
  int n_halves_ = 0;              // that were
  std::uint64_t downloaded_ = 0;  // bytes
  std::uint64_t ids_used_ = 0;    // words, in this step
  Step step_;
  std::optional<Area> bytes_of_;      // what stands in bytes_, while it is what stands there, too
  bool has_integer_weights_ = false;  // matrices whose products are those of integers
  std::vector<Rope> ropes_;           // whose tables are in the step buffer
  std::vector<std::uint32_t> rope_at_;
  std::unique_ptr<ThreadPool> packers_;  // while weights are loaded
};

}  // namespace hearth::vulkan
