#include "engine/device/vulkan/tape.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace hearth::vulkan {
namespace {

/// A part of a step should keep the device about this long: less costs waits, more makes a screen
/// stutter and drivers believe that the device hangs.
constexpr double kShortSeconds = 0.05;
constexpr double kLongSeconds = 0.25;
constexpr std::uint64_t kFirstWorkAtOnce = std::uint64_t{1} << 33;
constexpr std::uint64_t kLeastWorkAtOnce = std::uint64_t{1} << 26;

constexpr std::uint32_t kMostQueries = 4096;

constexpr VkPipelineStageFlags kWorkStages =
    VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags kReads = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT;
constexpr VkAccessFlags kWrites = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

}  // namespace

Tape::Tape(Gpu& gpu, Pipelines& pipelines, const VulkanOptions& options)
    : gpu_(gpu),
      pipelines_(pipelines),
      profile_(options.profile && gpu.timestamp_bits() > 0),
      work_at_once_(options.work_at_once > 0 ? options.work_at_once : kFirstWorkAtOnce),
      least_work_at_once_(std::min(work_at_once_, kLeastWorkAtOnce)) {
  auto pool = vk_struct<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  pool.queueFamilyIndex = gpu_.queue_family();
  check(gpu_.api().CreateCommandPool(gpu_.device(), &pool, nullptr, &pool_),
        "creating a command pool");
  if (profile_) {
    auto queries = vk_struct<VkQueryPoolCreateInfo>(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
    queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
    queries.queryCount = kMostQueries;
    check(gpu_.api().CreateQueryPool(gpu_.device(), &queries, nullptr, &queries_),
          "creating a query pool");
  }
  for (Flight& flight : flights_) {
    const auto fence = vk_struct<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
    check(gpu_.api().CreateFence(gpu_.device(), &fence, nullptr, &flight.fence),
          "creating a fence");
    flight.commands = make_commands();
  }
}

Tape::~Tape() {
  const DeviceApi& api = gpu_.api();
  api.DeviceWaitIdle(gpu_.device());
  if (queries_) api.DestroyQueryPool(gpu_.device(), queries_, nullptr);
  for (const Flight& flight : flights_) api.DestroyFence(gpu_.device(), flight.fence, nullptr);
  api.DestroyCommandPool(gpu_.device(), pool_, nullptr);
}

VkCommandBuffer Tape::make_commands() {
  auto info =
      vk_struct<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  info.commandPool = pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = 1;
  VkCommandBuffer made = VK_NULL_HANDLE;
  check(gpu_.api().AllocateCommandBuffers(gpu_.device(), &info, &made),
        "allocating a command buffer");
  return made;
}

void Tape::begin(std::uint64_t kind) {
  finish();
  kind_ = profile_ ? 0 : kind;
  const auto found = recordings_.find(kind_);
  replayed_ = kind_ != 0 && found != recordings_.end() ? &found->second : nullptr;
}

void Tape::stop_replay() {
  if (!replayed_) return;
  ops_.assign(replayed_->ops.begin(),
              replayed_->ops.begin() + static_cast<std::ptrdiff_t>(cursor_));
  replayed_ = nullptr;
  cursor_ = 0;
}

void Tape::append(const TapeOp& op) {
  if (replayed_) {
    if (cursor_ < replayed_->ops.size() && replayed_->ops[cursor_].order == op.order) {
      ++cursor_;
      return;
    }
    stop_replay();
  }
  ops_.push_back(op);
  if (kind_ != 0) return;
  work_ += op.work;
  if (work_ >= work_at_once_ || (profile_ && 2 * ops_.size() >= kMostQueries)) send_loose(true);
}

void Tape::send_part() {
  stop_replay();
  kind_ = 0;
  send_loose(false);
}

void Tape::send_loose(bool is_measured) {
  if (ops_.empty()) return;
  const std::vector<TapeOp> ops = std::exchange(ops_, {});
  work_ = 0;
  await_room();
  Flight& flight = next_flight();
  record(flight.commands, ops);
  send(flight, flight.commands);
  flight.is_measured = is_measured;
  if (!profile_) return;
  land_all();  // the next part uses the same queries
  read_profile(ops);
}

void Tape::finish() {
  if (replayed_ && cursor_ > 0 && cursor_ == replayed_->ops.size()) {
    VkCommandBuffer commands = replayed_->commands;
    replayed_ = nullptr;
    cursor_ = 0;
    kind_ = 0;  // what follows within this step is not what such a step begins with
    await_room();
    send(next_flight(), commands);
    land_all();
    return;
  }
  stop_replay();
  if (kind_ == 0) {
    send_loose(false);
  } else if (!ops_.empty()) {
    Recording& recording = recordings_[kind_];
    kind_ = 0;
    if (!recording.commands) recording.commands = make_commands();
    recording.ops.clear();  // should recording fail, there is nothing to replay
    std::vector<TapeOp> ops = std::exchange(ops_, {});
    record(recording.commands, ops);
    recording.ops = std::move(ops);
    await_room();
    send(next_flight(), recording.commands);
  }
  land_all();
}

void Tape::barrier(VkCommandBuffer commands, VkPipelineStageFlags to, VkAccessFlags access) {
  auto info = vk_struct<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  info.srcAccessMask = kWrites;
  info.dstAccessMask = access;
  gpu_.api().CmdPipelineBarrier(commands, kWorkStages, to, 0, 1, &info, 0, nullptr, 0, nullptr);
}

void Tape::record_op(VkCommandBuffer commands, const Order& order) {
  const DeviceApi& api = gpu_.api();
  const std::span<const Binding> bindings = order.bindings.all();
  if (order.module.empty()) {
    const CopiedRows& rows = order.rows;
    std::vector<VkBufferCopy> copies;
    for (std::uint64_t row = 0; row < rows.n; ++row) {
      copies.push_back({bindings[0].offset + row * rows.from_pitch,
                        bindings[1].offset + row * rows.to_pitch, bindings[0].bytes});
    }
    api.CmdCopyBuffer(commands, bindings[0].buffer, bindings[1].buffer, rows.n, copies.data());
    return;
  }
  const Pipeline& pipeline =
      pipelines_.get(order.module, order.constants.all(), order.bindings.n, order.subgroup);
  VkDescriptorSet set = pipelines_.set(bindings);
  api.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle);
  api.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set,
                            0, nullptr);
  api.CmdPushConstants(commands, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4 * order.push.n,
                       order.push.words.data());
  api.CmdDispatch(commands, order.groups[0], order.groups[1], order.groups[2]);
  ++n_dispatches_;
}

void Tape::record(VkCommandBuffer commands, const std::vector<TapeOp>& ops) {
  const DeviceApi& api = gpu_.api();
  const auto info =
      vk_struct<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  check(api.BeginCommandBuffer(commands, &info), "recording commands");
  if (profile_) api.CmdResetQueryPool(commands, queries_, 0, kMostQueries);
  std::uint32_t query = 0;
  for (const TapeOp& op : ops) {
    // Beside what ops write, the first barrier covers what the submit before this one wrote.
    if (op.order.waits || profile_) {
      barrier(commands, kWorkStages, kReads | kWrites);
      ++n_barriers_;
    }
    const bool timed = profile_ && query + 2 <= kMostQueries;
    if (timed)
      api.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, query++);
    record_op(commands, op.order);
    if (timed)
      api.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, query++);
  }
  barrier(commands, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
  check(api.EndCommandBuffer(commands), "recording commands");
  ++n_recordings_;
}

void Tape::fill_with_zeros(std::span<const RawBuffer> buffers) {
  const DeviceApi& api = gpu_.api();
  const auto info =
      vk_struct<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  land_all();
  VkCommandBuffer commands = next_flight().commands;
  check(api.BeginCommandBuffer(commands, &info), "recording commands");
  for (const RawBuffer& buffer : buffers)
    api.CmdFillBuffer(commands, buffer.buffer, 0, VK_WHOLE_SIZE, 0);
  barrier(commands, kWorkStages | VK_PIPELINE_STAGE_HOST_BIT,
          kReads | kWrites | VK_ACCESS_HOST_WRITE_BIT);
  check(api.EndCommandBuffer(commands), "recording commands");
  send(next_flight(), commands);
  land_all();
}

void Tape::send(Flight& flight, VkCommandBuffer commands) {
  check(gpu_.api().ResetFences(gpu_.device(), 1, &flight.fence), "resetting a fence");
  flight.sent = std::chrono::steady_clock::now();
  gpu_.submit(commands, flight.fence);
  flight.is_under_way = true;
  flight.is_measured = false;
  ++n_submits_;
  ++n_sent_;
}

void Tape::await_room() {
  land(next_flight());
}

/// Waits for a part. Its time, since it was sent or the one before it was done, says how large the
/// next may be.
void Tape::land(Flight& flight) {
  if (!flight.is_under_way) return;
  flight.is_under_way = false;
  gpu_.wait(flight.fence);
  const auto began = std::max(flight.sent, landed_);
  landed_ = std::chrono::steady_clock::now();
  if (!flight.is_measured) return;
  const std::chrono::duration<double> took = landed_ - began;
  if (took.count() > kLongSeconds) work_at_once_ = std::max(least_work_at_once_, work_at_once_ / 2);
  if (took.count() < kShortSeconds) work_at_once_ *= 2;
}

void Tape::land_all() {
  for (std::size_t i = 0; i < kFlights; ++i) land(flights_[(n_sent_ + i) % kFlights]);
}

void Tape::clear() {
  finish();
  for (auto& [kind, recording] : recordings_) recording.ops.clear();
}

void Tape::read_profile(const std::vector<TapeOp>& ops) {
  const std::size_t n = std::min<std::size_t>(ops.size(), kMostQueries / 2);
  std::vector<std::uint64_t> ticks(2 * n);
  check(gpu_.api().GetQueryPoolResults(
            gpu_.device(), queries_, 0, static_cast<std::uint32_t>(2 * n), 8 * ticks.size(),
            ticks.data(), 8, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
        "reading timestamps");
  const double seconds_per_tick = static_cast<double>(gpu_.limits().timestampPeriod) * 1e-9;
  for (std::size_t i = 0; i < n; ++i) {
    VulkanOpTime& time = times_[ops[i].verb];
    time.op = ops[i].verb;
    ++time.count;
    time.seconds += static_cast<double>(ticks[2 * i + 1] - ticks[2 * i]) * seconds_per_tick;
    time.bytes += ops[i].bytes;
  }
}

std::vector<VulkanOpTime> Tape::take_profile() {
  finish();
  std::vector<VulkanOpTime> list;
  for (auto& [verb, time] : times_) list.push_back(std::move(time));
  times_.clear();
  std::sort(list.begin(), list.end(),
            [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return list;
}

}  // namespace hearth::vulkan
