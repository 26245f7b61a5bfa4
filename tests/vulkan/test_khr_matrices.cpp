// Cooperative matrices in the words of the extension that drivers know: word by word on a small
// module, and on the shaders. That drivers do with them what they should is tested in
// test_matrix_tier.cpp.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "engine/device/vulkan/khr_matrices.h"
#include "engine/device/vulkan/pipelines.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth::test {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr Words::value_type op(std::uint32_t n, std::uint32_t code) {
  return n << 16 | code;
}

/// Opcodes and operands from the registries of SPV_NV_cooperative_matrix and
/// SPV_KHR_cooperative_matrix.
TEST(KhrMatrices, AreTheSameInOtherWords) {
  const Words head = {0x07230203, 0x00010300, 0, 100, 0};
  Words module = head;
  const auto add = [&module](std::initializer_list<std::uint32_t> words) {
    module.insert(module.end(), words);
  };
  add({op(2, 17), 1});         // capability Shader
  add({op(2, 17), 5357});      // capability CooperativeMatrixNV
  add({op(4, 71), 11, 1, 2});  // decorations: constants of the left factor, the right one, sums
  add({op(4, 71), 12, 1, 3});
  add({op(4, 71), 13, 1, 4});
  add({op(4, 21), 2, 32, 0});  // uint
  add({op(2, 20), 3});         // bool
  add({op(3, 41), 3, 4});      // true
  add({op(3, 42), 3, 5});      // false
  add({op(6, 5358), 21, 6, 7, 11, 8});
  add({op(6, 5358), 22, 6, 7, 12, 8});
  add({op(6, 5358), 23, 9, 7, 13, 8});
  add({op(8, 5359), 21, 31, 40, 41, 5, 24, 42});  // load by rows
  add({op(8, 5359), 22, 32, 40, 41, 4, 24, 42});  // load by columns
  add({op(6, 5361), 23, 33, 31, 32, 30});
  add({op(7, 5360), 50, 33, 41, 4, 40, 42});

  Words expected = head;
  expected[3] = 103;  // three more ids: the numbers 0, 1 and 2
  const auto expect = [&expected](std::initializer_list<std::uint32_t> words) {
    expected.insert(expected.end(), words);
  };
  expect({op(2, 17), 1});
  expect({op(2, 17), 6022});  // CooperativeMatrixKHR
  expect({op(4, 71), 11, 1, 2, op(4, 71), 12, 1, 3, op(4, 71), 13, 1, 4});
  expect({op(4, 21), 2, 32, 0});
  expect({op(4, 43), 2, 100, 0, op(4, 43), 2, 101, 1, op(4, 43), 2, 102, 2});
  expect({op(2, 20), 3, op(3, 41), 3, 4, op(3, 42), 3, 5});
  expect({op(7, 4456), 21, 6, 7, 11, 8, 100});  // MatrixA
  expect({op(7, 4456), 22, 6, 7, 12, 8, 101});  // MatrixB
  expect({op(7, 4456), 23, 9, 7, 13, 8, 102});  // MatrixAccumulator
  expect({op(8, 4457), 21, 31, 40, 100, 41, 24, 42});
  expect({op(8, 4457), 22, 32, 40, 101, 41, 24, 42});
  expect({op(6, 4459), 23, 33, 31, 32, 30});
  expect({op(7, 4458), 50, 33, 101, 41, 40, 42});
  EXPECT_EQ(vulkan::khr_matrices(module), expected);
}

TEST(KhrMatrices, LeaveOtherModulesAlone) {
  const std::span<const std::uint32_t> norm = vulkan::shader_code("norm");
  EXPECT_EQ(vulkan::khr_matrices(norm), Words(norm.begin(), norm.end()));
}

std::map<std::uint32_t, int> count_of_opcodes(const Words& module) {
  std::map<std::uint32_t, int> count;
  for (std::size_t at = 5; at < module.size(); at += module[at] >> 16)
    ++count[module[at] & 0xFFFFU];
  return count;
}

/// Modules with cooperative matrices.
const std::vector<std::string> kWithMatrices = {"gemm_matrix", "attn_block_matrix"};

TEST(KhrMatrices, OfTheShadersKeepTheirNumber) {
  for (const std::string& name : kWithMatrices) {
    const std::span<const std::uint32_t> code = vulkan::shader_code(name);
    auto before = count_of_opcodes({code.begin(), code.end()});
    auto after = count_of_opcodes(vulkan::khr_matrices(code));
    for (const auto& [nv, khr] :
         {std::pair{5358U, 4456U}, {5359U, 4457U}, {5360U, 4458U}, {5361U, 4459U}}) {
      EXPECT_GT(before[nv], 0) << nv;
      EXPECT_EQ(after[khr], before[nv]) << nv;
      EXPECT_EQ(after[nv], 0) << nv;
    }
    EXPECT_EQ(after[43], before[43] + 3);
    EXPECT_EQ(before[4456], 0);
  }
}

/// By a spirv-val that knows the extension (of 2023.4 or later); HEARTH_SPIRV_VAL names one.
TEST(KhrMatrices, AreValid) {
  const char* named = std::getenv("HEARTH_SPIRV_VAL");
  const std::string validator = named && *named ? named : "/usr/bin/spirv-val";
  if (!std::ifstream(validator)) GTEST_SKIP() << validator << " is not installed";
  const ProgramResult version = run_program({validator, "--version"});
  const std::size_t at = version.out.find(" v20");
  if (at == std::string::npos || version.out.substr(at + 2, 6) < "2023.4")
    GTEST_SKIP() << validator << " does not know cooperative matrices: " << version.out;
  const TempDir dir;
  for (const std::string& name : kWithMatrices) {
    const std::string path = (dir / (name + ".spv")).string();
    const Words module = vulkan::khr_matrices(vulkan::shader_code(name));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(module.data()),
               static_cast<std::streamsize>(4 * module.size()));
    for (const char* environment : {"vulkan1.1", "vulkan1.3"}) {
      const ProgramResult valid = run_program({validator, "--target-env", environment, path});
      EXPECT_EQ(valid.exit_code, 0) << name << ": " << valid.out << valid.err;
    }
  }
}

}  // namespace
}  // namespace hearth::test
