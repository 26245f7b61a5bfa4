#include "engine/device/cpu/cpu_device.h"

#include <algorithm>
#include <cstdint>

#include "engine/device/cpu/isa.h"
#include "engine/device/host_buffer.h"

namespace hearth {
namespace {

using kernels::Strip;

/// Weights that a thread multiplies with all strips before it takes the next: they should stay in
/// the second-level cache, beside a strip.
constexpr std::size_t kWeightsAtOnce = std::size_t{512} << 10;

const PanelMatrix& panels_of(const Matrix& matrix) {
  return static_cast<const PanelMatrix&>(matrix);
}

/// Room of this thread's own, until it asks again.
std::byte* thread_scratch(std::size_t bytes) {
  thread_local HugePages scratch;
  if (scratch.size() < bytes) scratch = HugePages(bytes);
  return scratch.data();
}

/// Room for the panels of a mapped matrix.
std::byte* panel_scratch(const PanelMatrix& w, std::int64_t n_panels) {
  if (!w.needs_scratch()) return nullptr;
  return thread_scratch(static_cast<std::size_t>(n_panels) * w.panel_bytes());
}

/// Panels of about kWeightsAtOnce bytes.
std::int64_t panels_at_once(const PanelMatrix& w) {
  return static_cast<std::int64_t>(std::max<std::size_t>(1, kWeightsAtOnce / w.panel_bytes()));
}

/// out = panels [first, first + n) of matrix `which` times the strips, which have the rows of out
/// one after the other.
void multiply_panels(const PanelMatrix& w, std::int64_t which, std::int64_t first, std::int64_t n,
                     std::span<const Strip> strips, const Tensor& out) {
  const kernels::MatmulKernel& kernel = w.kernel_for(out.rows);
  const std::byte* panels = w.panels(which, first, n, panel_scratch(w, n));
  const auto n_rows = static_cast<std::size_t>(w.rows_of(first, n));
  int row = 0;
  for (const Strip& strip : strips) {
    kernel.multiply(panels, n_rows, strip, row_of(out, row) + first * kernel.lanes,
                    static_cast<std::size_t>(out.stride));
    row += strip.n_columns;
  }
}

}  // namespace

CpuDevice::CpuDevice(const CpuOptions& options)
    : kernels_(options.level ? kernels_of(*options.level) : chosen_kernels()),
      pool_(options.n_threads > 0 ? options.n_threads : default_thread_count(),
            options.pin ? ThreadPool::Pinning::one_cpu_each : ThreadPool::Pinning::none),
      least_shared_(options.least_shared),
      repack_(options.repack),
      use_blas_(options.blas),
      blas_(find_blas(options.blas)) {}

std::unique_ptr<Matrix> CpuDevice::load(const HostMatrix& matrix) {
  // A table of rows is read here and there, and is best left where it is.
  const bool keep_packed = repack_ && matrix.use != HostMatrix::Use::rows;
  return std::make_unique<PanelMatrix>(
      matrix, kernels_, keep_packed ? PanelMatrix::Keep::packed : PanelMatrix::Keep::mapped, arena_,
      pool_);
}

void CpuDevice::for_items(std::int64_t n, std::int64_t cost, const Items& items) {
  if (n * cost < least_shared_) {
    items(0, n);
  } else {
    pool_.run(n, items);
  }
}

void CpuDevice::get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) {
  HEARTH_CHECK(out.columns == table.columns() && static_cast<std::size_t>(out.rows) == ids.size());
  for_items(out.rows, out.columns, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<int>(first); i < static_cast<int>(last); ++i) {
      const std::int32_t id = ids[static_cast<std::size_t>(i)];
      HEARTH_CHECK(id >= 0 && id < table.rows());
      panels_of(table).read_row(id, row_of(out, i));
    }
  });
}

void CpuDevice::matmul(Tensor out, const Matrix& w, Tensor x) {
  const Product product[] = {{out, &w}};
  matmuls(product, x);
}

void CpuDevice::matmuls(std::span<const Product> products, Tensor x) {
  for (const Product& product : products) {
    HEARTH_CHECK(product.out.columns == product.w->rows() && x.columns == product.w->columns() &&
                 product.out.rows == x.rows);
  }
  if (x.rows <= kernels::kStripColumns) {
    fill_strips(products, x);
    multiply_few(products);
  } else {
    multiply_many(products, x);
  }
  for (const Product& product : products) apply_epilogue(product);
}

void CpuDevice::multiply_many(std::span<const Product> products, Tensor x) {
  std::vector<Product> ours;
  for (const Product& product : products) {
    const bool by_blas =
        blas_ && is_for_blas(use_blas_, panels_of(*product.w).type(), x.columns, x.rows);
    if (by_blas) {
      multiply_by_blas(product, x);
    } else {
      ours.push_back(product);
    }
  }
  fill_strips(ours, x);
  for (const Product& product : ours) multiply_many(product);
}

void CpuDevice::fill_strips(std::span<const Product> products, Tensor x) {
  std::vector<const float*> rows(static_cast<std::size_t>(x.rows));
  for (int t = 0; t < x.rows; ++t) rows[static_cast<std::size_t>(t)] = row_of(x, t);
  bool is_filled[kernels::kStripKinds] = {};
  for (const Product& product : products) {
    const kernels::StripKind kind = panels_of(*product.w).kernel_for(x.rows).strip;
    const auto slot = static_cast<std::size_t>(kind);
    if (is_filled[slot]) continue;
    strips_[slot].fill(kernels_, kind, rows, static_cast<std::size_t>(x.columns), pool_);
    is_filled[slot] = true;
  }
}

const std::vector<Strip>& CpuDevice::strips(kernels::StripKind kind) const {
  return strips_[static_cast<std::size_t>(kind)].strips();
}

// One strip: each weight is used once or a few times, so memory is the limit. A thread has the same
// panels in every pass, next to each other.
void CpuDevice::multiply_few(std::span<const Product> products) {
  std::int64_t n_panels = 0;
  std::int64_t cost = 0;
  for (const Product& product : products) {
    n_panels += panels_of(*product.w).panels_per_matrix();
    cost += product.w->rows() * product.w->columns();
  }
  for_items(n_panels, cost / n_panels, [&](std::int64_t first, std::int64_t last) {
    for (const Product& product : products) {
      const PanelMatrix& w = panels_of(*product.w);
      const std::int64_t here = w.panels_per_matrix();
      const std::int64_t at_once = w.needs_scratch() ? panels_at_once(w) : here;
      const std::int64_t end = std::min(last, here);
      for (std::int64_t p = std::max<std::int64_t>(first, 0); p < end; p += at_once) {
        multiply_panels(w, 0, p, std::min(at_once, end - p), strips(w.kernel().strip), product.out);
      }
      first -= here;
      last -= here;
    }
  });
}

// Many strips: arithmetic is the limit. Threads take groups of panels as they come.
void CpuDevice::multiply_many(const Product& product) {
  const PanelMatrix& w = panels_of(*product.w);
  const std::int64_t at_once = panels_at_once(w);
  const std::int64_t n_groups = (w.panels_per_matrix() + at_once - 1) / at_once;
  pool_.run_one_by_one(n_groups, [&](std::int64_t group) {
    const std::int64_t first = group * at_once;
    const std::int64_t n = std::min(at_once, w.panels_per_matrix() - first);
    multiply_panels(w, 0, first, n, strips(w.kernel_for(product.out.rows).strip), product.out);
  });
}

// The file's rows, in groups of one size, so that it does not matter how many threads there are.
void CpuDevice::multiply_by_blas(const Product& product, Tensor x) {
  constexpr std::int64_t kRowsAtOnce = 256;
  const PanelMatrix& w = panels_of(*product.w);
  const kernels::DequantizeRow dequantize = kernels_.dequantize_row[w.type()];
  const auto n_columns = static_cast<std::size_t>(w.columns());
  pool_.run_one_by_one((w.rows() + kRowsAtOnce - 1) / kRowsAtOnce, [&](std::int64_t group) {
    const std::int64_t first = group * kRowsAtOnce;
    const auto n_rows = static_cast<std::size_t>(std::min(kRowsAtOnce, w.rows() - first));
    const std::byte* stored = w.file_rows(first);
    const float* rows = reinterpret_cast<const float*>(stored);
    if (w.type() != QuantType::F32 || reinterpret_cast<std::uintptr_t>(stored) % alignof(float)) {
      auto* floats = reinterpret_cast<float*>(thread_scratch(n_rows * n_columns * sizeof(float)));
      dequantize(stored, floats, n_rows * n_columns);
      rows = floats;
    }
    blas_->multiply(rows, static_cast<int>(n_rows), x.columns, row_of(x, 0), x.stride, x.rows,
                    row_of(product.out, 0) + first, product.out.stride);
  });
}

}  // namespace hearth
