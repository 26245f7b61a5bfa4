// For tests that run the program with the model in the box: skipped in a build without one.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/run_hearth.h"

namespace hearth::test {

class BuiltinModelTest : public testing::Test {
 protected:
  void SetUp() override {
    static const bool kThere = run_hearth({"tokenize", "--ids", "x"}).exit_code == 0;
    if (!kThere) GTEST_SKIP() << "this build has no built-in model";
  }
};

}  // namespace hearth::test
