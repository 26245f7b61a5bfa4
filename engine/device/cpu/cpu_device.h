// The CPU with all its cores: kernels of the fastest level on repacked weights and quantised
// activations. An element of a result is computed whole by one thread and in a stated order
// (kernels/scalar/), so neither threads, nor the number of tokens in a step, nor the level change a
// bit.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/device/cpu/blas.h"
#include "engine/device/cpu/panel_matrix.h"
#include "engine/device/cpu/rope_tables.h"
#include "engine/device/cpu/strip_set.h"
#include "engine/device/reference_device.h"
#include "engine/device/thread_pool.h"
#include "kernels/dispatch.h"

namespace hearth {

struct CpuOptions {
  int n_threads = 0;                    // 0: default_thread_count()
  std::int64_t least_shared = 1 << 15;  // multiplications that are worth waking a thread for
  bool repack = true;  // false: weights stay in the file's map, and every pass packs them anew
  bool pin = false;    // a CPU for each thread, the caller's too (ThreadPool)
  UseBlas blas = UseBlas::off;
  const kernels::IsaLevel* level = nullptr;  // one that this machine has; nullptr: chosen_level()
};

class CpuDevice final : public ReferenceDevice {
 public:
  explicit CpuDevice(const CpuOptions& options = {});

  std::string name() const override { return "cpu"; }
  int n_threads() const { return pool_.size(); }

  std::unique_ptr<Matrix> load(const HostMatrix& matrix) override;
  std::unique_ptr<Buffer> allocate(std::size_t n) override;
  void get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) override;

  // matrix_verbs.cpp, expert_matmul.cpp
  void matmul(Tensor out, const Matrix& w, Tensor x) override;
  void matmuls(std::span<const Product> products, Tensor x) override;
  void expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) override;

  // row_verbs.cpp
  std::unique_ptr<KvCache> make_kv_cache(const KvShape& shape) override;
  void begin(const Step& step) override;
  void rms_norm(Tensor out, Tensor x, Tensor weight, float eps) override;
  void layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) override;
  void rope(Tensor x, const Rope& rope) override;
  void kv_store(KvCache& cache, int layer, Tensor k, Tensor v) override;
  void attention(Tensor out, Tensor q, const KvCache& cache, const AttentionSpec& spec) override;
  void glu(Tensor out, Tensor gate, Tensor up, Activation activation) override;
  void activation(Tensor out, Tensor x, Activation activation) override;
  void add(Tensor out, Tensor a, Tensor b) override;
  void scale(Tensor out, Tensor x, float factor) override;
  void softcap(Tensor out, Tensor x, float cap) override;

 protected:
  void for_items(std::int64_t n, std::int64_t cost, const Items& items) override;

 private:
  void multiply_few(std::span<const Product> products);
  void multiply_many(std::span<const Product> products);
  void multiply_by_blas(const Product& product, Tensor x);
  const std::vector<kernels::Strip>& strips(kernels::StripKind kind) const;
  void fill_strips(std::span<const Product> products, Tensor x);
  void for_rows(int n_rows, std::int64_t cost, const std::function<void(int)>& row);
  const RopeTable& rope_table(const Rope& rope, int n_rows);

  const kernels::KernelTable& kernels_;
  ThreadPool pool_;
  HugePageArena arena_;  // of the weights
  HugePageArena buffers_;
  std::int64_t least_shared_;
  bool repack_;
  UseBlas use_blas_;
  const Blas* blas_;
  std::array<StripSet, kernels::kStripKinds> strips_;  // by kind, of the present input
  std::vector<RopeTable> rope_tables_;                 // of the present step
};

}  // namespace hearth
