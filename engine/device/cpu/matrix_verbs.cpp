// Products of weights and activations: kernels/panels.h times kernels/strips.h, shared out over
// threads. A part of a product gets its epilogue from the thread that made it, while it is in that
// thread's cache.
#include <algorithm>
#include <cstdint>

#include "engine/device/cpu/cpu_device.h"
#include "engine/device/host_buffer.h"

namespace hearth {
namespace {

using kernels::Strip;

/// Weights that a thread multiplies with all strips before it takes the next: they should stay in
/// the second-level cache, beside a strip.
constexpr std::size_t kWeightsAtOnce = std::size_t{512} << 10;
/// Of a product, what a thread writes before it does the epilogue: half of a first-level cache.
constexpr std::size_t kFinishedAtOnce = std::size_t{16} << 10;
/// Parts of equal work that there should be for each thread: one of them waits for the other's last
/// part half as long as it takes, on average.
constexpr std::int64_t kPartsPerThread = 32;
/// Rows of the input that are worth a thread's fetching weights into its cache.
constexpr int kLeastRowsAtOnce = 96;

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

/// Rows and columns of a product's output.
struct Area {
  int row;
  int n_rows;
  std::int64_t column;
  std::size_t n_columns;
};

/// What becomes of an area of a product that stands in `out`.
void finish_area(const kernels::RowKernels& kernels, const Device::Product& product,
                 const Area& area) {
  for (int t = area.row; t < area.row + area.n_rows; ++t) {
    float* out = row_of(product.out, t) + area.column;
    if (product.bias) {
      kernels.add(out, row_of(product.bias, 0) + area.column, area.n_columns, out);
    }
    if (product.activation) {
      kernels.activate[static_cast<int>(*product.activation)](out, area.n_columns, out);
    }
    if (product.sum) {
      float* sum = row_of(product.sum, t) + area.column;
      kernels.add(sum, out, area.n_columns, sum);
    }
  }
}

/// Where a kernel puts an area: with the whole epilogue, unless there is an activation in its
/// middle.
kernels::MatmulOut out_of(const Device::Product& product, const Area& area) {
  kernels::MatmulOut out{.at = row_of(product.out, area.row) + area.column,
                         .stride = static_cast<std::size_t>(product.out.stride)};
  if (product.bias) out.bias = row_of(product.bias, 0) + area.column;
  if (product.sum && !product.activation) {
    out.sums = row_of(product.sum, area.row) + area.column;
    out.sum_stride = static_cast<std::size_t>(product.sum.stride);
  }
  return out;
}

Device::Product without_bias(Device::Product product) {
  product.bias = {};
  return product;
}

/// Panels whose product with a strip is about kFinishedAtOnce bytes; an even number, because some
/// kernels take two at a time.
std::int64_t panels_to_finish(const kernels::MatmulKernel& kernel) {
  const int floats = kernel.lanes * kernels::most_columns(kernel.strip);
  const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
  return static_cast<std::int64_t>(std::max<std::size_t>(1, kFinishedAtOnce / bytes / 2) * 2);
}

/// Panels [first, first + n) of a product's matrix times strips, of which the first begins with
/// `row` of the input; with the epilogue.
void multiply_panels(const kernels::RowKernels& rows, const Device::Product& product,
                     std::int64_t first, std::int64_t n, std::span<const Strip> strips, int row) {
  const PanelMatrix& w = panels_of(*product.w);
  const kernels::MatmulKernel& kernel = w.kernel_for(product.out.rows);
  const std::byte* panels = w.panels(0, first, n, panel_scratch(w, n));
  const Device::Product rest = without_bias(product);  // of an epilogue with an activation
  const bool in_pieces = rest.activation && strips.size() > 1;
  const std::int64_t at_once = in_pieces ? panels_to_finish(kernel) : n;
  for (const Strip& strip : strips) {
    for (std::int64_t p = 0; p < n; p += at_once) {
      const std::int64_t n_panels = std::min(at_once, n - p);
      const Area area{.row = row,
                      .n_rows = strip.n_columns,
                      .column = (first + p) * kernel.lanes,
                      .n_columns = static_cast<std::size_t>(w.rows_of(first + p, n_panels))};
      kernel.multiply(panels + static_cast<std::size_t>(p) * w.panel_bytes(), area.n_columns, strip,
                      out_of(product, area));
      if (rest.activation) finish_area(rows, rest, area);
    }
    row += strip.n_columns;
  }
}

/// Parts [i / n, (i + 1) / n) of `count` things.
struct Share {
  std::int64_t first;
  std::int64_t count;
};
Share share(std::int64_t count, std::int64_t i, std::int64_t n) {
  const std::int64_t first = count * i / n;
  return {first, count * (i + 1) / n - first};
}

/// How a product is cut into parts: groups of panels that stay in a cache, and, if these are few,
/// each of them with so many parts of the strips.
struct Cut {
  std::int64_t n_groups;
  std::int64_t n_strip_parts = 1;
};

std::vector<Cut> cut_products(std::span<const Device::Product> products, int n_threads) {
  std::vector<Cut> cuts;
  std::int64_t n_groups = 0;
  for (const Device::Product& product : products) {
    const PanelMatrix& w = panels_of(*product.w);
    const std::int64_t at_once = panels_at_once(w);
    cuts.push_back({(w.panels_per_matrix() + at_once - 1) / at_once});
    n_groups += cuts.back().n_groups;
  }
  for (std::size_t i = 0; i < cuts.size() && n_threads > 1; ++i) {
    const PanelMatrix& w = panels_of(*products[i].w);
    if (w.needs_scratch()) continue;  // a part would pack its panels anew
    const int n_rows = products[i].out.rows;
    const int strip_rows = kernels::most_columns(w.kernel_for(n_rows).strip);
    const std::int64_t n_strips = (n_rows + strip_rows - 1) / strip_rows;
    const std::int64_t wanted = (kPartsPerThread * n_threads + n_groups - 1) / n_groups;
    cuts[i].n_strip_parts = std::clamp<std::int64_t>(
        std::min<std::int64_t>(wanted, n_rows / kLeastRowsAtOnce), 1, n_strips);
  }
  return cuts;
}

}  // namespace

void CpuDevice::matmul(Tensor out, const Matrix& w, Tensor x) {
  const Product product[] = {{out, &w}};
  matmuls(product, x);
}

void CpuDevice::matmuls(std::span<const Product> products, Tensor x) {
  for (const Product& product : products) {
    HEARTH_CHECK(product.out.columns == product.w->rows() && x.columns == product.w->columns() &&
                 product.out.rows == x.rows);
    HEARTH_CHECK(!product.bias || product.bias.columns == product.out.columns);
    HEARTH_CHECK(!product.sum || (product.sum.columns == product.out.columns &&
                                  product.sum.rows == product.out.rows));
  }
  if (x.rows <= kernels::kStripColumns) {
    fill_strips(products, x);
    multiply_few(products);
    return;
  }
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
  multiply_many(ours);
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
        multiply_panels(kernels_.rows, product, p, std::min(at_once, end - p),
                        strips(w.kernel().strip), 0);
      }
      first -= here;
      last -= here;
    }
  });
}

// Many strips: arithmetic is the limit. Threads take parts of all products as they come.
void CpuDevice::multiply_many(std::span<const Product> products) {
  struct Part {
    const Product* product;
    Share panels;
    Share strips;
  };
  const std::vector<Cut> cuts = cut_products(products, pool_.size());
  std::vector<Part> parts;
  for (std::size_t i = 0; i < products.size(); ++i) {
    const PanelMatrix& w = panels_of(*products[i].w);
    const auto n_strips =
        static_cast<std::int64_t>(strips(w.kernel_for(products[i].out.rows).strip).size());
    for (std::int64_t group = 0; group < cuts[i].n_groups; ++group) {
      for (std::int64_t part = 0; part < cuts[i].n_strip_parts; ++part) {
        parts.push_back({&products[i], share(w.panels_per_matrix(), group, cuts[i].n_groups),
                         share(n_strips, part, cuts[i].n_strip_parts)});
      }
    }
  }
  pool_.run_one_by_one(static_cast<std::int64_t>(parts.size()), [&](std::int64_t i) {
    const Part& part = parts[static_cast<std::size_t>(i)];
    const kernels::StripKind kind =
        panels_of(*part.product->w).kernel_for(part.product->out.rows).strip;
    const auto first = static_cast<std::size_t>(part.strips.first);
    multiply_panels(
        kernels_.rows, *part.product, part.panels.first, part.panels.count,
        std::span(strips(kind)).subspan(first, static_cast<std::size_t>(part.strips.count)),
        static_cast<int>(part.strips.first) * kernels::most_columns(kind));
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
    finish_area(kernels_.rows, product,
                {.row = 0, .n_rows = x.rows, .column = first, .n_columns = n_rows});
  });
}

}  // namespace hearth
