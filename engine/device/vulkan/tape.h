// The ops of a step on their way to the device. They are recorded into a command buffer once; when
// the next step of the same kind asks for the same ops, in the same order, the recorded buffer is
// sent again, and only the parameter buffer has changed (decoding: a token, a position). The first
// op that differs ends the replay, and the step is recorded anew.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/device/vulkan/gpu.h"
#include "engine/device/vulkan/pipelines.h"

namespace hearth::vulkan {

struct PushWords {
  std::array<std::uint32_t, kPushBytes / 4> words = {};
  std::uint32_t n = 0;

  bool operator==(const PushWords&) const = default;
};

/// Constants of a pipeline, or bindings of a set: a list that needs no memory of its own.
template <class Item, std::size_t kMost>
struct ShortList {
  std::array<Item, kMost> items = {};
  std::uint32_t n = 0;

  void push(const Item& item) {
    HEARTH_CHECK(n < kMost);
    items[n++] = item;
  }
  std::span<const Item> all() const { return {items.data(), n}; }
  bool operator==(const ShortList&) const = default;
};

/// Rows that are copied, each of as many bytes as the bindings have, from and to offsets so far
/// apart.
struct CopiedRows {
  std::uint32_t n = 1;
  std::uint32_t from_pitch = 0;  // bytes
  std::uint32_t to_pitch = 0;

  bool operator==(const CopiedRows&) const = default;
};

/// What the device is asked for: a dispatch of a shader, or, if it has no name, a copy of the first
/// binding to the second.
struct Order {
  std::string_view module = {};  // of the table of modules
  ShortList<std::uint32_t, kMostConstants> constants = {};
  ShortList<Binding, kMostBindings> bindings = {};
  PushWords push = {};
  std::array<std::uint32_t, 3> groups = {1, 1, 1};
  std::uint32_t subgroup = 0;  // width that the pipeline asks for; 0: any
  CopiedRows rows = {};        // of a copy
  bool waits = true;           // for the ops before it; else it may run beside them

  bool operator==(const Order&) const = default;
};

struct TapeOp {
  Order order = {};
  const char* verb = "";    // for the profile
  std::uint64_t bytes = 0;  // of weights, for the profile
  std::uint64_t work = 0;   // multiplications, about
};

class Tape {
 public:
  Tape(Gpu& gpu, Pipelines& pipelines, const VulkanOptions& options);
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape();

  /// What follows is a step of this kind: those of one kind replay each other. 0: is never
  /// replayed.
  void begin(std::uint64_t kind);

  /// Parts that may be under way at once: the device works on one while the next is recorded.
  static constexpr std::size_t kFlights = 2;

  /// Appends. A step of much work is sent in parts, so that no part keeps the device for long.
  void append(const TapeOp& op);

  /// Sends what there is and waits for all that is under way.
  void finish();

  /// Sends what there is and goes on. Waits for the part that was sent kFlights before it.
  void send_part();

  /// Waits until the next send_part() will not have to: of the last kFlights parts, the oldest is
  /// done then.
  void await_room();

  /// Writes zeros over whole buffers, and waits.
  void fill_with_zeros(std::span<const RawBuffer> buffers);

  bool is_empty() const { return ops_.empty() && cursor_ == 0; }

  /// Forgets what was recorded: when a buffer that it may name is freed.
  void clear();

  std::uint64_t submits() const { return n_submits_; }
  std::uint64_t recordings() const { return n_recordings_; }
  std::uint64_t dispatches() const { return n_dispatches_; }
  std::uint64_t barriers() const { return n_barriers_; }
  std::vector<VulkanOpTime> take_profile();

 private:
  struct Recording {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    std::vector<TapeOp> ops;
  };

  void stop_replay();
  void record(VkCommandBuffer commands, const std::vector<TapeOp>& ops);
  void record_op(VkCommandBuffer commands, const Order& order);
  void barrier(VkCommandBuffer commands, VkPipelineStageFlags to, VkAccessFlags access);
  /// A command buffer, and whether the device is at it.
  struct Flight {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VkFence fence = VK_NULL_HANDLE;
    bool is_under_way = false;
    bool is_measured = false;  // a part as large as parts may be
    std::chrono::steady_clock::time_point sent = {};
  };

  Flight& next_flight() { return flights_[n_sent_ % kFlights]; }
  void send(Flight& flight, VkCommandBuffer commands);
  void send_loose(bool is_measured);
  void land(Flight& flight);
  void land_all();
  void read_profile(const std::vector<TapeOp>& ops);
  VkCommandBuffer make_commands();

  Gpu& gpu_;
  Pipelines& pipelines_;
  bool profile_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkQueryPool queries_ = VK_NULL_HANDLE;
  std::map<std::uint64_t, Recording> recordings_;  // by kind
  std::uint64_t kind_ = 0;
  Recording* replayed_ = nullptr;  // the ops so far are its first `cursor_`
  std::size_t cursor_ = 0;
  std::vector<TapeOp> ops_;  // of this step, when it is not a replay
  std::array<Flight, kFlights> flights_;
  std::size_t n_sent_ = 0;                             // flights
  std::chrono::steady_clock::time_point landed_ = {};  // the last of them that was waited for
  std::uint64_t work_ = 0;
  std::uint64_t work_at_once_;
  std::uint64_t least_work_at_once_;
  std::map<std::string, VulkanOpTime> times_;
  std::uint64_t n_submits_ = 0;
  std::uint64_t n_recordings_ = 0;
  std::uint64_t n_dispatches_ = 0;  // of the recordings
  std::uint64_t n_barriers_ = 0;
};

}  // namespace hearth::vulkan
