// Properties that every family's forward pass must have, on random models made from the rules:
// prefill equals decoding token by token, bit for bit, whatever the micro-batch, the threads, and
// the split over devices.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <deque>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "base/nmse.h"
#include "engine/device/checked_device.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/reference_device.h"
#include "engine/model/forward.h"
#include "tests/support/toy_model.h"

namespace hearth {

/// For GoogleTest, which would print a row's bytes.
static void PrintTo(const Family& family, std::ostream* out) {
  *out << family.name;
}

namespace {

using test::ToyOptions;

const std::vector<std::int32_t> kTokens = {1, 5, 9, 33, 7, 33, 60, 2, 9, 11, 17, 3, 55};

/// A model over bytes that live as long as it does.
struct Loaded {
  Loaded(std::vector<std::byte> toy, Device& first, Device& second)
      : bytes(std::move(toy)), file(gguf::Reader::from_bytes(bytes, "toy")) {
    const Family& family = family_of(file);
    HParams hparams = read_hparams(file, family);
    Placement placement = all_on(first, hparams.n_layer);
    placement.layers.back() = &second;
    placement.output = &second;
    model = load_model(file, family, std::move(hparams), placement);
  }
  Loaded(std::vector<std::byte> toy, Device& device) : Loaded(std::move(toy), device, device) {}
  Loaded(const ToyOptions& options, Device& first, Device& second)
      : Loaded(test::toy_model(options), first, second) {}
  Loaded(const ToyOptions& options, Device& device) : Loaded(options, device, device) {}

  std::vector<std::byte> bytes;
  gguf::Reader file;
  Model model;
};

/// Hidden states of all tokens, [n][n_embd], in steps of the given sizes.
std::vector<float> hidden(const Model& model, int step, int n_ubatch) {
  Forward forward(model, static_cast<int>(kTokens.size()) + 3, n_ubatch);
  std::vector<float> all;
  std::vector<float> rows;
  for (std::size_t done = 0; done < kTokens.size();) {
    const std::size_t n = std::min(static_cast<std::size_t>(step), kTokens.size() - done);
    forward.hidden(rows,
                   forward.run(std::span(kTokens).subspan(done, n), static_cast<int>(done), false));
    all.insert(all.end(), rows.begin(), rows.end());
    done += n;
  }
  return all;
}

class EveryFamily : public testing::TestWithParam<Family> {};
class EveryDecoder : public testing::TestWithParam<Family> {};

TEST_P(EveryDecoder, PrefillEqualsDecodeBitForBit) {
  ReferenceDevice reference;
  CpuDevice cpu({.n_threads = 2, .least_shared = 0});
  for (Device* device : {static_cast<Device*>(&reference), static_cast<Device*>(&cpu)}) {
    const Loaded toy(test::toy_of(GetParam()), *device);
    const std::vector<float> prefill = hidden(toy.model, 13, 13);
    EXPECT_EQ(prefill, hidden(toy.model, 1, 13)) << device->name();
    EXPECT_EQ(prefill, hidden(toy.model, 5, 5)) << device->name();
  }
}

TEST_P(EveryFamily, ThreadsAndDevicesDoNotChangeAnyBit) {
  CpuDevice one({.n_threads = 1});
  CpuDevice two({.n_threads = 2, .least_shared = 0});  // shares out everything, however small
  const ToyOptions options = test::toy_of(GetParam());
  const std::vector<float> expected = hidden(Loaded(options, one).model, 13, 13);
  EXPECT_EQ(expected, hidden(Loaded(options, two).model, 13, 13));
  EXPECT_EQ(expected, hidden(Loaded(options, one, two).model, 13, 13)) << "split after layer 1";
  ReferenceDevice reference;
  const std::vector<float> truth = hidden(Loaded(options, reference).model, 13, 13);
  EXPECT_LT(nmse(expected, truth), 1e-10);
}

/// Two steps for three sequences, of lengths that differ in the first and of one token each in the
/// second; hidden states of all rows, then the last ones only.
std::vector<float> hidden_side_by_side(const Model& model, bool only_last) {
  Forward forward(model, 16, 13, 3);
  std::vector<float> all;
  std::vector<float> rows;
  const auto run = [&](std::vector<std::int32_t> tokens, std::vector<StepRun> runs) {
    forward.hidden(rows, forward.run(tokens, Step(runs), only_last));
    all.insert(all.end(), rows.begin(), rows.end());
  };
  run({1, 5, 9, 33, 7, 2, 60, 2, 9}, {{.slot = 2, .n_past = 0, .n_tokens = 5},
                                      {.slot = 0, .n_past = 0, .n_tokens = 1},
                                      {.slot = 1, .n_past = 0, .n_tokens = 3}});
  run({11, 17, 3}, {{.slot = 0, .n_past = 1, .n_tokens = 1},
                    {.slot = 1, .n_past = 3, .n_tokens = 1},
                    {.slot = 2, .n_past = 5, .n_tokens = 1}});
  return all;
}

/// The same sequences, each with a Forward of its own.
std::vector<float> hidden_one_by_one(const Model& model, bool only_last) {
  const std::vector<std::vector<std::int32_t>> prompts = {{2}, {60, 2, 9}, {1, 5, 9, 33, 7}};
  const std::vector<std::int32_t> next = {11, 17, 3};
  std::vector<std::vector<float>> first(3);
  std::vector<std::vector<float>> second(3);
  for (std::size_t i = 0; i < 3; ++i) {
    Forward forward(model, 16, 16);
    forward.hidden(first[i], forward.run(prompts[i], 0, only_last));
    const auto n = static_cast<int>(prompts[i].size());
    forward.hidden(second[i], forward.run(std::span(next).subspan(i, 1), n, only_last));
  }
  std::vector<float> all;
  for (const std::size_t i : {2U, 0U, 1U}) all.insert(all.end(), first[i].begin(), first[i].end());
  for (const auto& rows : second) all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

TEST_P(EveryFamily, SequencesInOneStepGiveTheBitsOfEachAlone) {
  ReferenceDevice reference;
  CpuDevice cpu({.n_threads = 2, .least_shared = 0});
  const ToyOptions options = test::toy_of(GetParam());
  for (Device* device : {static_cast<Device*>(&reference), static_cast<Device*>(&cpu)}) {
    const Loaded alone(options, *device);
    for (const bool only_last : {false, true}) {
      EXPECT_EQ(hidden_one_by_one(alone.model, only_last),
                hidden_side_by_side(alone.model, only_last))
          << device->name();
    }
  }
}

TEST(Sequences, ReachTheDevicesThatAreWatched) {
  ReferenceDevice reference;
  CpuDevice cpu({.n_threads = 2, .least_shared = 0});
  int failures = 0;
  CheckedDevice checked(cpu, reference, [&](const OpCheck& check) { failures += !check.passed(); });
  const Loaded toy(ToyOptions{}, checked);
  const Loaded plain(ToyOptions{}, cpu);
  EXPECT_EQ(hidden_side_by_side(toy.model, false), hidden_one_by_one(plain.model, false));
  EXPECT_EQ(failures, 0);
}

TEST_P(EveryFamily, ATokenChangesWhatComesAfterItAndNothingBefore) {
  ReferenceDevice device;
  const Loaded toy(test::toy_of(GetParam()), device);
  const auto n_embd = static_cast<std::size_t>(toy.model.hparams.n_embd);
  std::vector<std::int32_t> other = kTokens;
  other[6] = 61;
  Forward forward(toy.model, 16, 16);
  std::vector<float> a;
  std::vector<float> b;
  forward.hidden(a, forward.run(kTokens, 0, false));
  forward.hidden(b, forward.run(other, 0, false));
  const auto row = [&](const std::vector<float>& rows, std::size_t t) {
    return std::vector<float>(rows.begin() + static_cast<std::ptrdiff_t>(t * n_embd),
                              rows.begin() + static_cast<std::ptrdiff_t>((t + 1) * n_embd));
  };
  for (std::size_t t = 0; t < 6; ++t) EXPECT_EQ(row(a, t) == row(b, t), GetParam().causal) << t;
  EXPECT_NE(row(a, 6), row(b, 6));
  EXPECT_NE(row(a, 7), row(b, 7));
}

std::string row_name(const testing::TestParamInfo<Family>& row) {
  std::string name(row.param.name);
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

std::vector<Family> decoders() {
  std::vector<Family> causal;
  for (const Family& family : all_families()) {
    if (family.causal) causal.push_back(family);
  }
  return causal;
}

INSTANTIATE_TEST_SUITE_P(Rows, EveryDecoder, testing::ValuesIn(decoders()), row_name);
INSTANTIATE_TEST_SUITE_P(Rows, EveryFamily,
                         testing::ValuesIn(all_families().begin(), all_families().end()), row_name);

/// A window of 4 in every layer of a 1-layer model: what is further back cannot matter.
TEST(Windows, ATokenSeesItselfAndTheThreeBeforeIt) {
  ReferenceDevice device;
  ToyOptions options{.family = "phi3", .n_layer = 1};
  options.metadata = [](gguf::Writer& writer) {
    writer.set("phi3.attention.sliding_window", std::uint32_t{4});
  };
  const Loaded toy(options, device);
  Forward forward(toy.model, 16, 16);
  std::vector<float> full;
  forward.hidden(full, forward.run(kTokens, 0, true));
  const auto last_row_after_change_at = [&](std::size_t t) {
    std::vector<std::int32_t> other = kTokens;
    other[t] = 62;
    std::vector<float> row;
    forward.hidden(row, forward.run(other, 0, true));
    return row;
  };
  EXPECT_EQ(full, last_row_after_change_at(8)) << "four back";
  EXPECT_NE(full, last_row_after_change_at(9)) << "three back";
}

/// The file with, in every layer, the parts stacked into one matrix called `whole`.
std::vector<std::byte> stacked(const gguf::Reader& file, int n_layer, const std::string& whole,
                               const std::vector<std::string>& parts) {
  gguf::Writer writer;
  writer.copy_metadata(file);
  for (const gguf::Tensor& tensor : file.tensors()) {
    const auto is_part = [&](const std::string& part) {
      return tensor.name.ends_with("." + part + ".weight");
    };
    if (std::none_of(parts.begin(), parts.end(), is_part)) writer.add_tensor(tensor);
  }
  std::deque<std::vector<std::byte>> data;
  for (int il = 0; il < n_layer; ++il) {
    const std::string layer = "blk." + std::to_string(il) + ".";
    std::array<std::uint64_t, 2> dims = {0, 0};
    data.emplace_back();
    for (const std::string& part : parts) {
      const gguf::Tensor& tensor = *file.find_tensor(layer + part + ".weight");
      dims = {tensor.columns(), dims[1] + tensor.rows()};
      data.back().insert(data.back().end(), tensor.data.begin(), tensor.data.end());
    }
    writer.add_tensor(layer + whole + ".weight", QuantType::F32, dims, data.back());
  }
  return writer.to_bytes();
}

TEST(FusedMatrices, GiveTheSameBitsAsSeparateOnes) {
  ReferenceDevice device;
  const Loaded separate(ToyOptions{}, device);
  const std::vector<float> expected = hidden(separate.model, 13, 13);
  const Loaded qkv(stacked(separate.file, 3, "attn_qkv", {"attn_q", "attn_k", "attn_v"}), device);
  EXPECT_TRUE(qkv.model.weights.layers[2].attn_qkv);
  EXPECT_EQ(expected, hidden(qkv.model, 13, 13));
  const Loaded gate_up(stacked(separate.file, 3, "ffn_up", {"ffn_gate", "ffn_up"}), device);
  EXPECT_FALSE(gate_up.model.weights.layers[2].ffn_gate);
  EXPECT_EQ(expected, hidden(gate_up.model, 13, 13));
}

}  // namespace
}  // namespace hearth
