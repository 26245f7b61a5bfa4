// The self-tests of tiers: a few verbs on the device and on the reference, in shapes with ragged
// edges. Inputs are such that what a tier rounds is exact in them, so that one bar serves all.
#include <fmt/format.h>

#include <cmath>

#include "base/nmse.h"
#include "engine/device/reference_device.h"
#include "engine/device/vulkan/tiers.h"

namespace hearth::vulkan {
namespace {

constexpr double kBar = 1e-6;

/// Whole numbers from -127 to 127 without a visible order; 127 is among each 32 of them, so that
/// they become bytes as they are.
std::vector<float> whole_numbers(std::size_t n) {
  std::vector<float> values(n);
  std::uint32_t state = 12345;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(static_cast<int>(state >> 24) % 128) *
            ((state >> 16 & 1U) != 0 ? 1.0F : -1.0F);
  }
  for (std::size_t i = 0; i < n; i += 32) values[i] = 127.0F;
  return values;
}

/// The same steps on a device under test and on the reference.
class Trial {
 public:
  Trial(Device& tested, bool pretends_to_lie)
      : devices_{&tested, &truth_}, lies_(pretends_to_lie) {}

  /// `run` does something on a device and gives its result.
  template <class Run>
  void compare(const char* what, Run run) {
    if (!fault_.empty()) return;
    std::vector<float> got = run(*devices_[0]);
    const std::vector<float> expected = run(*devices_[1]);
    if (lies_) got.front() += 1000.0F;
    const double off = nmse(got, expected);
    if (!(off <= kBar))
      fault_ = fmt::format("{} is off by an NMSE of {:.1e}, allowed are {:.0e}", what, off, kBar);
  }

  const std::string& fault() const { return fault_; }

 private:
  ReferenceDevice truth_;
  std::array<Device*, 2> devices_;
  bool lies_;
  std::string fault_;
};

struct Numbers {
  Numbers(Device& device, int rows, int columns)
      : buffer(device.allocate(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns))),
        tensor{.buffer = buffer.get(),
               .rows = rows,
               .columns = columns,
               .stride = columns,
               .name = "self-test"} {}

  Numbers(Device& device, int rows, int columns, const std::vector<float>& values)
      : Numbers(device, rows, columns) {
    device.upload(tensor, values);
  }

  std::vector<float> read(Device& device) const {
    std::vector<float> values(static_cast<std::size_t>(tensor.rows) *
                              static_cast<std::size_t>(tensor.columns));
    device.download(values, tensor);
    return values;
  }

  std::unique_ptr<Buffer> buffer;
  Tensor tensor;
};

std::vector<float> numbers(int rows, int columns) {
  return whole_numbers(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
}

std::vector<float> product(Device& device, const HostMatrix& host, int n) {
  const auto columns = static_cast<int>(host.columns);
  const std::unique_ptr<Matrix> w = device.load(host);
  const Numbers x(device, n, columns, numbers(n, columns));
  const Numbers out(device, n, static_cast<int>(host.rows));
  device.matmul(out.tensor, *w, x.tensor);
  return out.read(device);
}

std::vector<float> normed(Device& device) {
  const int columns = 333;
  const Numbers x(device, 3, columns, numbers(3, columns));
  const Numbers weight(device, 1, columns, numbers(1, columns));
  const Numbers out(device, 3, columns);
  device.rms_norm(out.tensor, x.tensor, weight.tensor, 1e-5F);
  return out.read(device);
}

/// A row's attention over the keys of 77 tokens.
std::vector<float> attended(Device& device) {
  const int n = 77;
  const int columns = 32;
  const auto cache = device.make_kv_cache({.n_ctx = n, .layers = {{columns, columns, 1}}});
  const Numbers kv(device, n, columns, numbers(n, columns));
  device.begin(Step(0, n));
  device.kv_store(*cache, 0, kv.tensor, kv.tensor);
  const Numbers q(device, 1, columns, numbers(1, columns));
  const Numbers out(device, 1, columns);
  device.begin(Step(n - 1, 1));
  device.attention(
      out.tensor, q.tensor, *cache,
      {.n_head = 1, .n_head_kv = 1, .head_dim_k = columns, .head_dim_v = columns, .scale = 1e-5F});
  return out.read(device);
}

/// A prompt after some others, of heads that share keys: more rows and keys than a block has.
std::vector<float> attended_prompt(Device& device) {
  const int n_past = 45;
  const int n = 75;
  const int dim = 32;
  const auto cache = device.make_kv_cache({.n_ctx = n_past + n, .layers = {{dim, dim, 1}}});
  const Numbers kv(device, n_past + n, dim, numbers(n_past + n, dim));
  device.begin(Step(0, n_past + n));
  device.kv_store(*cache, 0, kv.tensor, kv.tensor);
  const Numbers q(device, n, 2 * dim, numbers(n, 2 * dim));
  const Numbers out(device, n, 2 * dim);
  device.begin(Step(n_past, n));
  device.attention(out.tensor, q.tensor, *cache,
                   {.n_head = 2,
                    .n_head_kv = 1,
                    .head_dim_k = dim,
                    .head_dim_v = dim,
                    .scale = 2e-5F,
                    .window = 70});
  return out.read(device);
}

void test_subgroups(Trial& trial) {
  const int rows = 21;
  const int columns = 300;
  const std::vector<float> values = numbers(rows, columns);
  const HostMatrix matrix = {.name = "self-test",
                             .type = QuantType::F32,
                             .rows = rows,
                             .columns = columns,
                             .data = std::as_bytes(std::span(values))};
  trial.compare("matmul", [&](Device& device) { return product(device, matrix, 2); });
  trial.compare("rms_norm", normed);
  trial.compare("attention", attended);
}

/// A matrix of blocks with any integers in them. `halves`: where a block has its scales, which are
/// set to 2^-6.
struct Blocks {
  QuantType type;
  std::vector<std::size_t> halves;
};

std::vector<std::byte> random_blocks(const Blocks& blocks, std::size_t n) {
  const std::size_t block_bytes = quant_type_info(blocks.type).block_bytes;
  std::vector<std::byte> bytes(n * block_bytes);
  std::uint32_t state = 999;
  for (std::byte& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24);
  }
  for (std::size_t block = 0; block < n; ++block) {
    for (const std::size_t at : blocks.halves) {
      bytes[block * block_bytes + at] = std::byte{0};
      bytes[block * block_bytes + at + 1] = std::byte{0x24};
    }
  }
  return bytes;
}

void test_product(Trial& trial, const Blocks& blocks, int rows, int n) {
  const int columns = 256;
  const std::vector<std::byte> data =
      random_blocks(blocks, static_cast<std::size_t>(rows * columns) /
                                quant_type_info(blocks.type).block_elements);
  const HostMatrix matrix = {
      .name = "self-test", .type = blocks.type, .rows = rows, .columns = columns, .data = data};
  trial.compare("matmul", [&](Device& device) { return product(device, matrix, n); });
}

/// Codes without a sign and with one, few columns and many.
void test_dot_products(Trial& trial) {
  test_product(trial, {QuantType::Q4_K, {0, 2}}, 21, 1);
  test_product(trial, {QuantType::Q8_0, {0}}, 21, 9);
}

/// Tiles of every side (kSelfTestGroups), whole ones and parts. Half precision holds these weights
/// and inputs; of attention it holds all but the weights of keys.
void test_matrices(Trial& trial) {
  test_product(trial, {QuantType::Q8_0, {0}}, 200, 150);
  test_product(trial, {QuantType::Q4_K, {0, 2}}, 100, 60);
  test_product(trial, {QuantType::Q8_0, {0}}, 40, 30);
  trial.compare("attention", attended_prompt);
}

struct TestRow {
  Tier tier;
  void (*run)(Trial&);
};

constexpr TestRow kTests[] = {{Tier::subgroup, test_subgroups},
                              {Tier::dot, test_dot_products},
                              {Tier::matrix, test_matrices}};

}  // namespace

std::string self_test(Tier tier, Device& device, bool pretends_to_lie) {
  Trial trial(device, pretends_to_lie);
  for (const TestRow& row : kTests) {
    if (row.tier == tier) row.run(trial);
  }
  return trial.fault();
}

}  // namespace hearth::vulkan
