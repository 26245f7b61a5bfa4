#include "engine/device/vulkan/compute_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "engine/device/cpu/huge_pages.h"

namespace hearth {
namespace vulkan {
namespace {

/// Steps of up to this many rows are worth remembering: they come again and again.
constexpr int kMostReplayedRows = 8;

/// The next power of two.
int bucket_of(int n) {
  return static_cast<int>(std::bit_ceil(static_cast<unsigned>(n)));
}

}  // namespace

ComputeDevice::ComputeDevice(std::shared_ptr<Instance> instance, const Instance::Physical& physical,
                             const VulkanOptions& options, TierDecision tiers)
    : options_(options),
      tiers_(std::move(tiers)),
      gpu_(physical, std::move(instance), options, tiers_.on, tiers_.fragments),
      pipelines_(gpu_, KeptFile("pipelines", options, physical.info, gpu_.properties())),
      tape_(gpu_, pipelines_, options),
      arena_(gpu_, options.max_slab > 0 ? options.max_slab : kUsualSlab, Memory::device),
      host_arena_(gpu_, options.max_slab > 0 ? options.max_slab : kUsualSlab, Memory::host),
      tuning_(tuning_for(gpu_, options)) {
  try {
    staging_ = gpu_.make_buffer(padded(options.staging_bytes), Memory::host);
    partial_ = gpu_.make_buffer(padded(options.partial_bytes), Memory::device);
    bytes_ = gpu_.make_buffer(padded(bytes_room(options.partial_bytes)), Memory::device);
  } catch (...) {
    gpu_.free_buffer(partial_);
    gpu_.free_buffer(staging_);
    throw;
  }
}

ComputeDevice::~ComputeDevice() {
  gpu_.api().DeviceWaitIdle(gpu_.device());
  for (RawBuffer* buffer : {&staging_, &partial_, &bytes_, &step_buffer_})
    gpu_.free_buffer(*buffer);
}

std::string ComputeDevice::name() const {
  return fmt::format("vulkan:{} ({})", gpu_.info().index, gpu_.info().name);
}

VulkanStats ComputeDevice::stats() const {
  return {.allocated_bytes = gpu_.allocated_bytes(),
          .downloaded_bytes = downloaded_,
          .submits = tape_.submits(),
          .recordings = tape_.recordings(),
          .dispatches = tape_.dispatches(),
          .barriers = tape_.barriers()};
}

std::uint64_t ComputeDevice::max_binding() const {
  return options_.max_binding > 0 ? options_.max_binding : gpu_.limits().maxStorageBufferRange;
}

double ComputeDevice::copy_bandwidth() {
  constexpr int kRounds = 8;
  const std::uint64_t bytes = std::uint64_t{gpu_.info().is_software ? 4U : 128U} << 20;
  RawBuffer from = gpu_.make_buffer(bytes, Memory::device);
  RawBuffer to;
  double seconds = 0.0;
  try {
    to = gpu_.make_buffer(bytes, Memory::device);
    finish();
    const std::vector<RawBuffer> both = {from, to};
    tape_.fill_with_zeros(both);
    for (int i = 0; i < kRounds; ++i) copy("copy", bind(from).binding, bind(to).binding, bytes);
    const auto start = std::chrono::steady_clock::now();
    finish();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  } catch (...) {
    gpu_.free_buffer(to);
    gpu_.free_buffer(from);
    throw;
  }
  tape_.clear();
  gpu_.free_buffer(to);
  gpu_.free_buffer(from);
  return 2.0 * kRounds * static_cast<double>(bytes) / seconds;
}

// --- Memory ---

void ComputeDevice::reserve(const Reservation& reservation) {
  ensure_step_buffer(reservation.n_ubatch);
  arena_.reserve(reservation.pieces);
  host_arena_.reserve(reservation.host_pieces);
  touch_new_memory();
}

/// Writes zeros over slabs that nobody has written to: a driver that promised more than it has
/// shows it now.
void ComputeDevice::touch_new_memory() {
  std::vector<RawBuffer> slabs = arena_.take_new_slabs();
  const std::vector<RawBuffer> of_host = host_arena_.take_new_slabs();
  slabs.insert(slabs.end(), of_host.begin(), of_host.end());
  if (slabs.empty()) return;
  finish();
  tape_.fill_with_zeros(slabs);
}

void ComputeDevice::ensure_step_buffer(int n_rows) {
  if (step_buffer_.buffer && n_rows <= step_rows_) return;
  finish();
  const RawBuffer larger = gpu_.make_buffer(padded(step_layout(n_rows).bytes), Memory::host);
  gpu_.free_buffer(step_buffer_);
  tape_.clear();
  pipelines_.clear_sets();
  ropes_.clear();
  rope_at_.clear();
  step_buffer_ = larger;
  step_rows_ = std::max(n_rows, 64);
}

std::unique_ptr<Matrix> ComputeDevice::load(const HostMatrix& host) {
  if (!has_layout(host.type)) {
    throw Error(Error::Parts{.where = std::string(host.name),
                             .what = "weights of this type cannot lie on a Vulkan device",
                             .expected = {},
                             .got = std::string(quant_type_info(host.type).name)});
  }
  auto matrix = std::make_unique<SlicedMatrix>(
      host, lay_out(host.type, host.rows, host.columns, max_binding()));
  has_integer_weights_ = has_integer_weights_ || is_in_integers(*matrix, 1);
  for (const MatrixSlice& slice : matrix->layout.slices) {
    matrix->slices.push_back(arena_.take(slice.bytes));
    touch_new_memory();
    fill_slice(host, matrix->layout, slice, matrix->slices.back());
  }
  return matrix;
}

void ComputeDevice::pack_rows(const HostMatrix& host, const MatrixLayout& layout,
                              std::int64_t first, std::int64_t end,
                              const std::array<std::uint32_t*, kPlanes>& planes) {
  const std::size_t bytes =
      row_bytes(quant_type_info(host.type), static_cast<std::size_t>(host.columns));
  const auto pack = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) {
      std::array<std::uint32_t*, kPlanes> row = planes;
      for (std::size_t p = 0; p < kPlanes; ++p)
        row[p] += static_cast<std::size_t>(i) * layout.row_words[p];
      pack_row(host.type, host.columns,
               host.data.data() + static_cast<std::size_t>(first + i) * bytes, layout, row);
    }
    if (!host.is_mapped_file) return;
    drop_pages(host.data.subspan(static_cast<std::size_t>(first + from) * bytes,
                                 static_cast<std::size_t>(to - from) * bytes));
  };
  constexpr std::int64_t kWorthThreads = 1 << 16;  // elements
  if ((end - first) * host.columns < kWorthThreads) {
    pack(0, end - first);
    return;
  }
  if (!packers_) packers_ = std::make_unique<ThreadPool>(default_thread_count());
  packers_->run(end - first, pack);
}

/// Where the half of the staging buffer begins that may be filled now: the device copies from the
/// other one meanwhile.
std::uint64_t ComputeDevice::staging_half() {
  static_assert(Tape::kFlights == 2);
  if (!is_filling_) finish();
  is_filling_ = true;
  staging_used_ = staging_.bytes;
  tape_.await_room();
  return n_halves_++ % 2 == 0 ? 0 : staging_.bytes / 2;
}

/// Straight into the slab where it is mapped, else through the halves of the staging buffer by
/// turns, so many rows at a time: while one half is copied, the other is read from the file.
void ComputeDevice::fill_slice(const HostMatrix& host, const MatrixLayout& layout,
                               const MatrixSlice& slice, const Piece& piece) {
  std::array<std::uint32_t*, kPlanes> planes = {};
  const auto words_at = [](std::byte* bytes) {
    return static_cast<std::uint32_t*>(static_cast<void*>(bytes));
  };
  if (piece.mapped) {
    for (std::size_t p = 0; p < kPlanes; ++p)
      planes[p] = words_at(piece.mapped) + slice.plane_at[p];
    pack_rows(host, layout, slice.first_row, slice.end_row, planes);
    return;
  }
  std::uint64_t row_words_here = 0;
  for (const std::uint32_t words : layout.row_words) row_words_here += words;
  HEARTH_CHECK(row_words_here > 0);
  const auto at_once = static_cast<std::int64_t>(staging_.bytes / 2 / (4 * row_words_here));
  HEARTH_CHECK(at_once > 0);
  for (std::int64_t first = slice.first_row; first < slice.end_row; first += at_once) {
    const std::int64_t end = std::min(slice.end_row, first + at_once);
    std::uint64_t at = staging_half();
    for (std::size_t p = 0; p < kPlanes; ++p) {
      const std::uint64_t bytes = 4 * static_cast<std::uint64_t>(end - first) * layout.row_words[p];
      planes[p] = words_at(staging_.mapped + at);
      if (bytes > 0) {
        const std::uint64_t to =
            piece.offset +
            4 * (slice.plane_at[p] +
                 static_cast<std::uint64_t>(first - slice.first_row) * layout.row_words[p]);
        copy("load", {staging_.buffer, at, bytes}, {piece.buffer, to, bytes}, bytes);
      }
      at += bytes;
    }
    pack_rows(host, layout, first, end, planes);
    tape_.send_part();
  }
}

std::unique_ptr<Buffer> ComputeDevice::allocate(std::size_t n) {
  const std::uint64_t bytes = sizeof(float) * std::max<std::size_t>(n, 1);
  if (bytes > max_binding()) {
    throw Error(Error::Parts{.where = "--ubatch",
                             .what = "the results of a micro-batch are more than what a shader of "
                                     "this device sees of a buffer",
                             .expected = fmt::format("at most {} bytes", max_binding()),
                             .got = fmt::format("{}", bytes)});
  }
  auto buffer = std::make_unique<PieceBuffer>(arena_.take(bytes));
  touch_new_memory();
  bytes_of_.reset();  // it may lie where another buffer lay
  return buffer;
}

std::unique_ptr<KvCache> ComputeDevice::make_kv_cache(const KvShape& shape) {
  check_kv_shape(shape, max_binding());
  auto cache = std::make_unique<PieceKvCache>(shape);
  Arena& arena = options_.kv_on_host ? host_arena_ : arena_;
  for (const KvShape::Layer& layer : shape.layers) {
    cache->layers.emplace_back();
    if (layer.k_columns == 0) continue;
    cache->layers.back() = {.k = arena.take(kv_bytes(shape, layer, layer.k_columns)),
                            .v = arena.take(kv_bytes(shape, layer, layer.v_columns))};
  }
  touch_new_memory();
  return cache;
}

// --- Steps ---

void ComputeDevice::finish() {
  tape_.finish();
  hazards_.begin();
  staging_used_ = 0;
  is_filling_ = false;
}

std::uint64_t ComputeDevice::staging_room(std::uint64_t bytes) {
  if (staging_used_ + bytes > staging_.bytes) finish();
  const std::uint64_t at = staging_used_;
  staging_used_ += bytes;
  return at;
}

void ComputeDevice::copy(const char* verb, const Binding& from, const Binding& to,
                         std::uint64_t bytes, const CopiedRows& rows) {
  TapeOp op;
  op.verb = verb;
  op.order.bindings.push({from.buffer, from.offset, bytes});
  op.order.bindings.push({to.buffer, to.offset, bytes});
  op.order.rows = rows;
  const auto area = [&](const Binding& binding, std::uint32_t pitch) {
    return Area{.buffer = binding.buffer,
                .first = binding.offset,
                .bytes = bytes,
                .stride = pitch,
                .rows = rows.n};
  };
  const Area areas[] = {area(from, rows.from_pitch), area(to, rows.to_pitch)};
  append(op, areas, 2);
}

namespace {

/// Rows of a tensor, or a part of one, that fit the staging buffer.
struct Run {
  std::size_t at;      // of the tensor's values, row after row
  std::uint64_t from;  // bytes from the start of its buffer
  std::uint32_t row_bytes;
  std::uint32_t n_rows;
  std::uint32_t pitch;  // bytes from a row to the next

  std::uint64_t bytes() const { return std::uint64_t{row_bytes} * n_rows; }
};

std::vector<Run> runs_of(const Tensor& tensor, std::uint64_t most_bytes) {
  constexpr std::size_t kSize = sizeof(float);
  const bool is_dense = tensor.stride == tensor.columns || tensor.rows == 1;
  const auto columns = static_cast<std::size_t>(tensor.columns);
  const auto rows = static_cast<std::size_t>(tensor.rows);
  const auto stride = static_cast<std::size_t>(tensor.stride);
  const std::size_t n_lines = is_dense ? 1 : rows;
  const std::size_t length = is_dense ? rows * columns : columns;
  const auto most = static_cast<std::size_t>(most_bytes / kSize);
  const std::size_t n_lines_at_once =
      std::max<std::size_t>(most / std::max<std::size_t>(length, 1), 1);
  std::vector<Run> runs;
  for (std::size_t line = 0; line < n_lines; line += n_lines_at_once) {
    for (std::size_t done = 0; done < length; done += most) {
      runs.push_back(
          {.at = line * columns + done,
           .from = kSize * (tensor.offset + line * stride + done),
           .row_bytes = static_cast<std::uint32_t>(kSize * std::min(most, length - done)),
           .n_rows = static_cast<std::uint32_t>(std::min(n_lines_at_once, n_lines - line)),
           .pitch = static_cast<std::uint32_t>(kSize * stride)});
    }
  }
  return runs;
}

}  // namespace

void ComputeDevice::upload(Tensor out, std::span<const float> data) {
  HEARTH_CHECK(data.size() ==
               static_cast<std::size_t>(out.columns) * static_cast<std::size_t>(out.rows));
  const Binding whole = bind(out).binding;
  for (const Run& run : runs_of(out, staging_.bytes)) {
    const std::uint64_t at = staging_room(run.bytes());
    std::memcpy(staging_.mapped + at, data.data() + run.at, run.bytes());
    copy("upload", {staging_.buffer, at, run.row_bytes},
         {whole.buffer, whole.offset + run.from, run.row_bytes}, run.row_bytes,
         {.n = run.n_rows, .from_pitch = run.row_bytes, .to_pitch = run.pitch});
  }
}

void ComputeDevice::download(std::span<float> data, Tensor x) {
  HEARTH_CHECK(data.size() ==
               static_cast<std::size_t>(x.columns) * static_cast<std::size_t>(x.rows));
  const Binding whole = bind(x).binding;
  struct Arrival {
    std::uint64_t at;
    Run run;
  };
  std::vector<Arrival> arrivals;
  const auto take = [&] {
    finish();
    for (const Arrival& arrival : arrivals)
      std::memcpy(data.data() + arrival.run.at, staging_.mapped + arrival.at, arrival.run.bytes());
    arrivals.clear();
  };
  for (const Run& run : runs_of(x, staging_.bytes)) {
    if (staging_used_ + run.bytes() > staging_.bytes) take();
    const std::uint64_t at = staging_room(run.bytes());
    downloaded_ += run.bytes();
    copy("download", {whole.buffer, whole.offset + run.from, run.row_bytes},
         {staging_.buffer, at, run.row_bytes}, run.row_bytes,
         {.n = run.n_rows, .from_pitch = run.pitch, .to_pitch = run.row_bytes});
    arrivals.push_back({at, run});
  }
  take();
}

void ComputeDevice::begin(const Step& step) {
  packers_.reset();
  finish();
  ensure_step_buffer(step.n_tokens());
  const int n = step.n_tokens();
  const auto kind = static_cast<std::uint64_t>(bucket_of(std::max(step.longest(), 1))) << 8 |
                    static_cast<std::uint64_t>(n);
  tape_.begin(n <= kMostReplayedRows ? kind : 0);
  step_ = step;
  bytes_of_.reset();
  ids_used_ = 0;
  auto* words = static_cast<std::uint32_t*>(static_cast<void*>(step_buffer_.mapped));
  for (const Step::Row& row : step.rows()) {
    *words++ = static_cast<std::uint32_t>(row.slot);
    *words++ = static_cast<std::uint32_t>(row.position);
    *words++ = static_cast<std::uint32_t>(row.end);
    *words++ = 0;
  }
}

void ComputeDevice::submit() {}

Bound ComputeDevice::bind(const Tensor& tensor) {
  Bound bound = bind(static_cast<PieceBuffer*>(tensor.buffer)->piece);
  if (tensor.rows == 0) return bound;
  const auto floats = [](auto n) { return sizeof(float) * static_cast<std::uint64_t>(n); };
  bound.area.first += floats(tensor.offset);
  bound.area.bytes = floats(tensor.columns);
  bound.area.stride = floats(tensor.stride);
  bound.area.rows = static_cast<std::uint64_t>(tensor.rows);
  return bound;
}

/// By the address of the name, which is a constant: this is asked for at every op of every token.
const ComputeDevice::Shader& ComputeDevice::shader_of(const char* name) {
  for (const auto& [known, shader] : shaders_) {
    if (known == name) return shader;
  }
  const std::string_view module = shader_for(name, tiers_.on);
  shaders_.push_back({name, {module, bindings_written_by(module)}});
  return shaders_.back().second;
}

void ComputeDevice::run(const Dispatch& dispatch) {
  TapeOp op;
  op.verb = dispatch.verb;
  op.bytes = dispatch.bytes;
  op.work = dispatch.work;
  Order& order = op.order;
  const Shader& shader = shader_of(dispatch.module);
  order.module = shader.module;
  for (const std::uint32_t constant : dispatch.constants) order.constants.push(constant);
  ShortList<Area, kMostBindings> areas;
  for (const Bound& bound : dispatch.bindings) {
    order.bindings.push(bound.binding);
    areas.push(bound.area);
  }
  order.push = dispatch.push;
  order.subgroup = dispatch.subgroup;
  order.groups = dispatch.grid;
  if (dispatch.grid[0] == 0) {
    const std::uint64_t most = gpu_.limits().maxComputeWorkGroupCount[0];
    const std::uint64_t lines = (dispatch.groups + most - 1) / most;
    order.groups = {static_cast<std::uint32_t>((dispatch.groups + lines - 1) / lines),
                    static_cast<std::uint32_t>(lines), 1};
  }
  append(op, areas.all(), shader.written);
}

void ComputeDevice::append(TapeOp& op, std::span<const Area> areas, std::uint32_t written) {
  op.order.waits = hazards_.must_wait(areas, written);
  tape_.append(op);
  if (!bytes_of_) return;
  for (std::size_t i = 0; i < areas.size(); ++i) {
    if ((written >> i & 1U) == 0 || !overlap(areas[i], *bytes_of_)) continue;
    bytes_of_.reset();
    return;
  }
}

namespace {

/// Throws Error if there is no such device, or no Vulkan at all.
const Instance::Physical& chosen_device(const VulkanOptions& options) {
  const VulkanListing listing = list_vulkan_devices();
  const VulkanDeviceInfo& info = choose_vulkan_device(listing, options.device);
  return Instance::shared()->devices()[static_cast<std::size_t>(info.index)];
}

}  // namespace
}  // namespace vulkan

std::unique_ptr<VulkanDevice> open_vulkan_device(const VulkanOptions& options) {
  const vulkan::Instance::Physical& physical = vulkan::chosen_device(options);
  const auto instance = vulkan::Instance::shared();
  return std::make_unique<vulkan::ComputeDevice>(instance, physical, options,
                                                 vulkan::decide_tiers(instance, physical, options));
}

std::vector<VulkanTier> vulkan_tiers(const VulkanOptions& options) {
  const vulkan::Instance::Physical& physical = vulkan::chosen_device(options);
  const auto instance = vulkan::Instance::shared();
  return vulkan::decide_tiers(instance, physical, options).reports;
}

}  // namespace hearth
