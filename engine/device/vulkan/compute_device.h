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
#include "engine/device/vulkan/matrix_layout.h"
#include "engine/device/vulkan/pipelines.h"
#include "engine/device/vulkan/rules.h"
#include "engine/device/vulkan/tape.h"
#include "engine/device/vulkan/tiers.h"
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

/// Lanes per workgroup and tile sizes: powers of two, which suit the device.
struct Tuning {
  std::uint32_t matvec_lanes = 32;
  std::uint32_t matvec_rows = 4;    // of a workgroup, which share what is read of x
  std::uint32_t row_lanes = 128;    // norms, argmax: a workgroup per row
  std::uint32_t plain_lanes = 128;  // an invocation per element
  std::uint32_t attention_lanes = 64;
  std::uint32_t tile = 64;      // of gemm, a square
  std::uint32_t micro = 8;      // the part of it that a lane has, a square
  std::uint32_t micro_dot = 4;  // the same of gemm_dot
  /// Workgroups of gemm_matrix that keep a device busy: about two for each core of a large one.
  std::uint32_t busy_groups = 256;
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
  void attention(Tensor out, Tensor q, const KvCache& cache, const AttentionSpec& spec) override;

 private:
  /// A dispatch of a shader. `groups` may be more than x alone can be; the shader lays them out
  /// again.
  struct Dispatch {
    const char* verb;
    std::string_view module;
    std::initializer_list<std::uint32_t> constants;
    std::initializer_list<Binding> bindings;
    PushWords push;
    std::uint64_t groups = 1;
    std::array<std::uint32_t, 3> grid = {};  // instead of groups, if not zero
    std::uint32_t subgroup = 0;              // its width, which is asked for; 0: any
    bool is_independent = false;
    std::uint64_t bytes = 0;
    std::uint64_t work = 0;
  };
  void run(const Dispatch& dispatch);

  static Binding bind(const Piece& piece) { return {piece.buffer, piece.offset, piece.bytes}; }
  static Binding bind(const Tensor& tensor) {
    return bind(static_cast<PieceBuffer*>(tensor.buffer)->piece);
  }
  static Binding bind(const RawBuffer& buffer) { return {buffer.buffer, 0, buffer.bytes}; }

  std::uint64_t max_binding() const;
  void touch_new_memory();
  void ensure_step_buffer(int n_rows);
  void finish();
  std::uint64_t staging_room(std::uint64_t bytes);
  void copy(const char* verb, const Binding& from, const Binding& to, std::uint64_t bytes);
  std::uint64_t staging_half();
  void fill_slice(const HostMatrix& host, const MatrixLayout& layout, const MatrixSlice& slice,
                  const Piece& piece);
  void pack_rows(const HostMatrix& host, const MatrixLayout& layout, std::int64_t first,
                 std::int64_t end, const std::array<std::uint32_t*, kPlanes>& planes);

  /// Rows of x as a product takes them.
  struct Input {
    Binding binding;
    PushWords push;
    bool is_aligned;
  };
  bool is_in_halves(int n) const;
  bool is_in_integers(const SlicedMatrix& w, int n) const;
  int quantised_rows(int columns) const;
  void quantise(Tensor x);
  struct TiledShader;
  TiledShader tiled_shader(bool in_integers) const;
  Input input_of(Tensor x, Tensor out, bool in_integers) const;
  void multiply(Tensor out, const SlicedMatrix& w, Tensor x, bool is_independent);
  void multiply_experts(Tensor out, const SlicedMatrix& w, Tensor x, Tensor chosen);
  void norm(const char* verb, Tensor out, Tensor x, Tensor weight, Tensor bias, bool centred,
            float eps);
  enum class Elementwise : std::uint32_t { add, scale, softcap, activation, glu };
  void elementwise(const char* verb, Elementwise mode, Tensor out, Tensor a, Tensor b,
                   Activation activation, float factor);
  std::uint32_t rope_table(const Rope& rope);
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
  void multiply_in_halves(Tensor out, const SlicedMatrix& w, Tensor x, bool is_independent);
  bool attend_in_fragments(Tensor out, Tensor q, const PieceKvCache& cache,
                           const AttentionSpec& spec, int first, int n_rows);

  VulkanOptions options_;
  TierDecision tiers_;
  Gpu gpu_;
  Pipelines pipelines_;
  Tape tape_;
  Arena arena_;
  Arena host_arena_;
  Tuning tuning_;
  RawBuffer staging_;
  RawBuffer partial_;
  RawBuffer step_buffer_;
  int step_rows_ = 0;
  std::uint64_t staging_used_ = 0;
  bool is_filling_ = false;       // halves of the staging buffer are on their way into matrices
  int n_halves_ = 0;              // that were
  std::uint64_t downloaded_ = 0;  // bytes
  std::uint64_t ids_used_ = 0;    // words, in this step
  Step step_;
  std::vector<Rope> ropes_;  // whose tables are in the step buffer
  std::vector<std::uint32_t> rope_at_;
  std::unique_ptr<ThreadPool> packers_;  // while weights are loaded
};

}  // namespace hearth::vulkan
