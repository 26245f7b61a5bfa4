// The CPU device's attention, rotation and row verbs: near the reference, and the same bits however
// a step's work is shared out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/nmse.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/cpu/kv_cache.h"
#include "engine/device/reference_device.h"

namespace hearth {
namespace {

/// Rows in a device's memory.
class DeviceRows {
 public:
  DeviceRows(Device& device, int rows, int columns)
      : device_(device),
        buffer_(
            device.allocate(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns))),
        view{.buffer = buffer_.get(),
             .rows = rows,
             .columns = columns,
             .stride = columns,
             .name = "rows"} {}

  DeviceRows(Device& device, int rows, const std::vector<float>& values)
      : DeviceRows(device, rows, static_cast<int>(values.size()) / rows) {
    device.upload(view, values);
  }

  std::vector<float> values() const {
    std::vector<float> out(static_cast<std::size_t>(view.rows) *
                           static_cast<std::size_t>(view.columns));
    device_.download(out, view);
    return out;
  }

 private:
  Device& device_;
  std::unique_ptr<Buffer> buffer_;

 public:
  Tensor view;
};

std::vector<float> normal_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

/// Columns [first, first + n) of rows of `columns`, as a part of a list of rows.
std::vector<float> rows_of(const std::vector<float>& all, std::size_t columns, int first, int n) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(columns) * first;
  return {begin, begin + static_cast<std::ptrdiff_t>(columns) * n};
}

/// A sequence's tokens, and the heads that they have.
struct Sequence {
  AttentionSpec spec;
  int n_tokens = 0;
  std::vector<float> q, k, v;

  Sequence(const AttentionSpec& s, int n, unsigned seed) : spec(s), n_tokens(n) {
    const auto rows = static_cast<std::size_t>(n);
    q = normal_values(rows * q_columns(), seed);
    k = normal_values(rows * k_columns(), seed + 1);
    v = normal_values(rows * v_columns(), seed + 2);
  }
  std::size_t q_columns() const { return static_cast<std::size_t>(spec.n_head * spec.head_dim_k); }
  std::size_t k_columns() const {
    return static_cast<std::size_t>(spec.n_head_kv * spec.head_dim_k);
  }
  std::size_t v_columns() const {
    return static_cast<std::size_t>(spec.n_head_kv * spec.head_dim_v);
  }

  KvShape shape(QuantType type, int n_slots = 1) const {
    return {.n_ctx = n_tokens + 3,
            .n_slots = n_slots,
            .type = type,
            .layers = {{.k_columns = static_cast<int>(k_columns()),
                        .v_columns = static_cast<int>(v_columns()),
                        .n_head_kv = spec.n_head_kv}}};
  }
};

/// Results of the whole sequence, `step` tokens at a time, in the slot given.
std::vector<float> attended(Device& device, KvCache& cache, const Sequence& s, int step, int slot) {
  std::vector<float> all;
  for (int past = 0; past < s.n_tokens; past += step) {
    const int n = std::min(step, s.n_tokens - past);
    const std::vector<StepRun> runs = {{.slot = slot, .n_past = past, .n_tokens = n}};
    device.begin(Step(runs));
    const DeviceRows q(device, n, rows_of(s.q, s.q_columns(), past, n));
    const DeviceRows k(device, n, rows_of(s.k, s.k_columns(), past, n));
    const DeviceRows v(device, n, rows_of(s.v, s.v_columns(), past, n));
    const DeviceRows out(device, n, s.spec.n_head * s.spec.head_dim_v);
    device.kv_store(cache, 0, k.view, v.view);
    device.attention(out.view, q.view, cache, s.spec);
    const auto rows = out.values();
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

std::vector<float> attended(Device& device, QuantType type, const Sequence& s, int step) {
  const auto cache = device.make_kv_cache(s.shape(type));
  return attended(device, *cache, s, step, 0);
}

struct Named {
  const char* name;
  AttentionSpec spec;
};

void PrintTo(const Named& named, std::ostream* out) {
  *out << named.name;
}

AttentionSpec grouped(int n_head, int n_head_kv, int head_dim) {
  return {.n_head = n_head,
          .n_head_kv = n_head_kv,
          .head_dim_k = head_dim,
          .head_dim_v = head_dim,
          .scale = 1.0F / std::sqrt(static_cast<float>(head_dim))};
}

std::vector<Named> specs() {
  AttentionSpec window = grouped(4, 2, 32);
  window.window = 100;
  AttentionSpec softcap = grouped(4, 1, 32);
  softcap.softcap = 2.0F;
  AttentionSpec alibi = grouped(6, 6, 32);
  alibi.max_alibi_bias = 8.0F;
  AttentionSpec uneven = grouped(2, 2, 64);
  uneven.head_dim_v = 32;
  return {{"grouped", grouped(14, 2, 32)},
          {"each_its_own", grouped(5, 5, 32)},
          {"one_for_all", grouped(16, 1, 32)},
          {"window", window},
          {"softcap", softcap},
          {"alibi", alibi},
          {"uneven", uneven}};
}

class CpuAttention : public testing::TestWithParam<Named> {};

TEST_P(CpuAttention, IsNearTheReference) {
  const Sequence s(GetParam().spec, 150, 1);
  ReferenceDevice reference;
  CpuDevice cpu({.n_threads = 2, .least_shared = 0});
  const std::vector<float> truth = attended(reference, QuantType::F32, s, 150);
  EXPECT_LT(nmse(attended(cpu, QuantType::F32, s, 150), truth), 1e-12);
  EXPECT_LT(nmse(attended(cpu, QuantType::F16, s, 150), truth), 1e-6);
  EXPECT_LT(nmse(attended(cpu, QuantType::Q8_0, s, 150), truth), 2e-4);
}

TEST_P(CpuAttention, IsTheSameForAnyStepsAndThreads) {
  const Sequence s(GetParam().spec, 530, 2);  // into a second chunk
  for (const QuantType type : {QuantType::F32, QuantType::F16, QuantType::Q8_0}) {
    CpuDevice one({.n_threads = 1});
    const std::vector<float> expected = attended(one, type, s, 530);
    for (const int n_threads : {1, 2, 3, 7}) {
      CpuDevice cpu({.n_threads = n_threads, .least_shared = 0});
      for (const int step : {1, 7, 512}) {
        if (step == 1 && n_threads % 2 == 1) continue;
        EXPECT_EQ(attended(cpu, type, s, step), expected) << n_threads << " threads, " << step;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, CpuAttention, testing::ValuesIn(specs()),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(CpuAttention, SequencesSideBySideAreAsEachAlone) {
  const AttentionSpec spec = grouped(6, 2, 32);
  const Sequence long_one(spec, 600, 3);
  const Sequence short_one(spec, 9, 4);
  CpuDevice cpu({.n_threads = 3, .least_shared = 0});
  const auto cache = cpu.make_kv_cache(long_one.shape(QuantType::F16, 2));
  const std::vector<float> long_alone = attended(cpu, *cache, long_one, 600, 1);
  const std::vector<float> short_alone = attended(cpu, *cache, short_one, 9, 0);
  // Again, the last token of the long one and all of the short one in one step.
  const std::vector<StepRun> runs = {{.slot = 1, .n_past = 599, .n_tokens = 1},
                                     {.slot = 0, .n_past = 0, .n_tokens = 9}};
  cpu.begin(Step(runs));
  std::vector<float> both = rows_of(long_one.q, long_one.q_columns(), 599, 1);
  both.insert(both.end(), short_one.q.begin(), short_one.q.end());
  const DeviceRows q(cpu, 10, both);
  const DeviceRows out(cpu, 10, spec.n_head * spec.head_dim_v);
  cpu.attention(out.view, q.view, *cache, spec);
  std::vector<float> expected = rows_of(long_alone, 6 * 32, 599, 1);
  expected.insert(expected.end(), short_alone.begin(), short_alone.end());
  EXPECT_EQ(out.values(), expected);
}

TEST(CpuAttention, AnEncoderSeesWhatComesLater) {
  AttentionSpec spec = grouped(3, 3, 32);
  spec.causal = false;
  const Sequence s(spec, 70, 5);
  ReferenceDevice reference;
  CpuDevice cpu({.n_threads = 2, .least_shared = 0});
  EXPECT_LT(nmse(attended(cpu, QuantType::F32, s, 70), attended(reference, QuantType::F32, s, 70)),
            1e-12);
}

TEST(CpuKvCache, SaysWhichHeadsATypeCannotHold) {
  const Sequence s(grouped(2, 2, 48), 4, 6);
  try {
    CpuKvCache cache(s.shape(QuantType::Q8_0));
    FAIL() << "48 is no multiple of 32";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("multiple of 32"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("48"), std::string::npos) << e.what();
  }
}

// A window of 100 and steps of 64 rows reach over 163 positions, which lie in two chunks of 512 at
// most; with 1000 and 32 they are 1031, in four.
TEST(CpuKvCache, KeepsNoMoreOfAWindowedLayerThanItsRowsLookBackAt) {
  const auto bytes = [](int n_ctx, int window, int n_ubatch) {
    return CpuKvCache::bytes_for(
        {.n_ctx = n_ctx,
         .n_ubatch = n_ubatch,
         .type = QuantType::F16,
         .layers = {{.k_columns = 64, .v_columns = 64, .window = window}}});
  };
  EXPECT_EQ(bytes(10000, 100, 64), bytes(1024, 0, 64));
  EXPECT_EQ(bytes(10000, 1000, 32), bytes(2048, 0, 32));
  EXPECT_EQ(bytes(10000, 1, 1), bytes(512, 0, 1));
  EXPECT_EQ(bytes(600, 100, 64), bytes(600, 0, 64));  // all that there is
}

TEST(CpuKvCache, SaysWhatIsLeftOfAWindowedLayer) {
  const CpuKvCache cache({.n_ctx = 10000,
                          .n_ubatch = 64,
                          .layers = {{.k_columns = 64, .v_columns = 64, .window = 100},
                                     {.k_columns = 64, .v_columns = 64}}});
  EXPECT_EQ(cache.first_kept(0, 1023), 0);
  EXPECT_EQ(cache.first_kept(0, 1024), 512);
  EXPECT_EQ(cache.first_kept(0, 9999), 18 * 512);
  EXPECT_EQ(cache.first_kept(1, 9999), 0);
}

TEST(CpuRope, IsNearTheReference) {
  for (const RopePairing pairing : {RopePairing::halves, RopePairing::interleaved}) {
    Rope rope{.pairing = pairing, .head_dim = 40, .frequencies = {}, .magnitude = 1.1};
    for (int i = 0; i < 18; ++i) rope.frequencies.push_back(std::pow(10000.0, -i / 18.0));
    Rope other = rope;
    other.magnitude = 1.0;
    const std::vector<float> x = normal_values(5 * 80, 7);
    const auto turned = [&](Device& device) {
      device.begin(Step(3000, 5));
      const DeviceRows rows(device, 5, x);
      device.rope(rows.view, rope);
      device.rope(rows.view, other);
      return rows.values();
    };
    ReferenceDevice reference;
    CpuDevice cpu({.n_threads = 2, .least_shared = 0});
    EXPECT_LT(nmse(turned(cpu), turned(reference)), 1e-13);
  }
}

TEST(CpuRows, AreNearTheReference) {
  const std::vector<float> a = normal_values(3 * 60, 8);
  const std::vector<float> b = normal_values(3 * 60, 9);
  const auto all_verbs = [&](Device& device) {
    const DeviceRows x(device, 3, a);
    const DeviceRows y(device, 3, b);
    const DeviceRows weight(device, 3, normal_values(60, 10));  // a row for each of three groups
    const DeviceRows bias(device, 1, normal_values(20, 11));
    const DeviceRows one_row(device, 1, normal_values(60, 12));
    std::vector<float> results;
    const DeviceRows out(device, 3, 60);
    const auto keep = [&] {
      const auto values = out.values();
      results.insert(results.end(), values.begin(), values.end());
    };
    device.rms_norm(out.view, x.view, weight.view, 1e-5F), keep();
    device.layer_norm(out.view, x.view, weight.view, bias.view, 1e-5F), keep();
    device.layer_norm(out.view, x.view, one_row.view, {}, 1e-5F), keep();
    device.add(out.view, x.view, one_row.view), keep();
    device.add(out.view, x.view, y.view), keep();
    device.scale(out.view, x.view, 0.7F), keep();
    device.softcap(out.view, x.view, 1.5F), keep();
    for (int i = 0; i < kActivations; ++i) {
      device.activation(out.view, x.view, static_cast<Activation>(i)), keep();
      device.glu(out.view, x.view, y.view, static_cast<Activation>(i)), keep();
    }
    return results;
  };
  ReferenceDevice reference;
  CpuDevice cpu({.n_threads = 2, .least_shared = 0});
  const std::vector<float> got = all_verbs(cpu);
  const std::vector<float> truth = all_verbs(reference);
  ASSERT_EQ(got.size(), truth.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], truth[i], 3e-6) << i;
}

}  // namespace
}  // namespace hearth
