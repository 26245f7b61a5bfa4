// Our quantised files against the published ones of llama.cpp, tensor by tensor: the same types,
// and an error of the weights that is not larger.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/quantize/quantize.h"
#include "gguf/reader.h"
#include "kernels/dispatch.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr double kWorstRatio = 1.02;

struct Published {
  fs::path path;
  const Mix* mix;
};

/// quant/llama-TYPE.gguf, all made from models/llama.gguf.
std::vector<Published> published() {
  std::vector<Published> found;
  const fs::path folder = fs::path(HEARTH_SHARED_DIR) / "quant";
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    const std::string stem = entry.path().stem().string();
    const Mix* mix = find_mix(stem.substr(stem.find('-') + 1));
    EXPECT_NE(mix, nullptr) << entry.path();
    if (mix) found.push_back({entry.path(), mix});
  }
  return found;
}

fs::path original() {
  return fs::path(HEARTH_SHARED_DIR) / "models" / "llama.gguf";
}

std::vector<float> weights(const gguf::Tensor& tensor) {
  std::vector<float> out(tensor.elements());
  kernels::scalar_kernels().dequantize_row[tensor.type](tensor.data.data(), out.data(), out.size());
  return out;
}

double nmse(const gguf::Tensor& reference, const gguf::Tensor& tensor) {
  const std::vector<float> x = weights(reference);
  const std::vector<float> y = weights(tensor);
  double error = 0;
  double power = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = static_cast<double>(x[i]) - y[i];
    error += off * off;
    power += static_cast<double>(x[i]) * x[i];
  }
  return error / power;
}

/// What a type may do to weights that are about normal.
double type_error(QuantType type) {
  struct Row {
    QuantType type;
    double nmse;
  };
  constexpr Row kRows[] = {
      {QuantType::F32, 0},       {QuantType::F16, 1e-7},    {QuantType::BF16, 4e-6},
      {QuantType::Q8_0, 4e-5},   {QuantType::Q6_K, 4e-4},   {QuantType::Q5_K, 1.6e-3},
      {QuantType::Q5_1, 1.8e-3}, {QuantType::Q5_0, 2.1e-3}, {QuantType::Q4_K, 6e-3},
      {QuantType::Q4_1, 7e-3},   {QuantType::Q4_0, 8.5e-3}, {QuantType::IQ4_NL, 7e-3},
      {QuantType::IQ4_XS, 7e-3}, {QuantType::Q3_K, 2.6e-2}, {QuantType::Q2_K, 0.1},
  };
  for (const Row& row : kRows) {
    if (row.type == type) return row.nmse;
  }
  return -1;
}

class QuantizeConformance : public ::testing::Test {
 protected:
  void SetUp() override {
    if (published().empty()) GTEST_SKIP() << "no quantised files under " << HEARTH_SHARED_DIR;
  }
  test::TempDir dir_;
};

TEST_F(QuantizeConformance, PublishedFilesDequantiseToTheOriginal) {
  const gguf::Reader reference = gguf::Reader::open(original());
  for (const Published& file : published()) {
    const gguf::Reader reader = gguf::Reader::open(file.path);
    for (const gguf::Tensor& tensor : reader.tensors()) {
      const gguf::Tensor* source = reference.find_tensor(tensor.name);
      ASSERT_NE(source, nullptr) << tensor.name;
      EXPECT_LE(nmse(*source, tensor), type_error(tensor.type)) << file.path << " " << tensor.name;
    }
  }
}

TEST_F(QuantizeConformance, TypesAreTheSameAndErrorsAreNotLarger) {
  const gguf::Reader reference = gguf::Reader::open(original());
  for (const Published& file : published()) {
    SCOPED_TRACE(std::string(file.mix->name));
    const gguf::Reader theirs = gguf::Reader::open(file.path);
    const fs::path path = dir_ / "ours.gguf";
    quantize_model(reference, path, *file.mix, {.n_threads = 2});
    const gguf::Reader ours = gguf::Reader::open(path);
    for (const char* key : {"general.file_type", "general.quantization_version"}) {
      EXPECT_EQ(ours.at(key).as_uint(), theirs.at(key).as_uint()) << key;
    }
    ASSERT_EQ(ours.tensors().size(), theirs.tensors().size());
    for (const gguf::Tensor& tensor : ours.tensors()) {
      const gguf::Tensor* their = theirs.find_tensor(tensor.name);
      ASSERT_NE(their, nullptr) << tensor.name;
      EXPECT_EQ(quant_type_info(tensor.type).name, quant_type_info(their->type).name)
          << tensor.name;
      const gguf::Tensor& source = *reference.find_tensor(tensor.name);
      EXPECT_LE(nmse(source, tensor), kWorstRatio * nmse(source, *their)) << tensor.name;
    }
  }
}

}  // namespace
}  // namespace hearth
