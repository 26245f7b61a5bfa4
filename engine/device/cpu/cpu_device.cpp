#include "engine/device/cpu/cpu_device.h"

#include "engine/device/cpu/isa.h"
#include "engine/device/host_buffer.h"

namespace hearth {
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

std::unique_ptr<Buffer> CpuDevice::allocate(std::size_t n) {
  constexpr std::size_t kSmall = std::size_t{64} << 10;
  const std::size_t bytes = n * sizeof(float);
  if (bytes < kSmall) return ReferenceDevice::allocate(n);
  HugePageArena::Piece piece = buffers_.allocate(bytes);
  auto* data = reinterpret_cast<float*>(piece.data);
  // Its region lives on with other buffers, its memory does not.
  const auto give_back = [bytes, region = piece.region](std::byte* memory) {
    drop_pages({memory, bytes});
  };
  return std::make_unique<HostBuffer>(std::shared_ptr<std::byte>(piece.data, give_back), data);
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

}  // namespace hearth
