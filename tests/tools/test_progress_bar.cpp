#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tools/cli/progress_bar.h"

namespace hearth::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::string written_to(std::FILE* file) {
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

TEST(ProgressLine, ShowsPartAndTimeLeft) {
  EXPECT_EQ(progress_line("load", 0, 10, seconds(0)),
            "load  [>                             ]   0 %");
  EXPECT_EQ(progress_line("load", 5, 10, seconds(30)),
            "load  [===============>              ]  50 %  0:30 left");
  EXPECT_EQ(progress_line("load", 1, 100, seconds(60)),
            "load  [>                             ]   1 %  1:39:00 left");
  EXPECT_EQ(progress_line("load", 10, 10, seconds(30)),
            "load  [==============================] 100 %");
}

TEST(ProgressLine, HoldsForOddTotals) {
  EXPECT_THAT(progress_line("x", 0, 0, seconds(5)), HasSubstr("100 %"));
  EXPECT_THAT(progress_line("x", 7, 5, seconds(5)), HasSubstr("100 %"));
  EXPECT_THAT(progress_line("x", 1, ~std::uint64_t{0}, seconds(5)), HasSubstr("99:59:59 left"));
}

TEST(ProgressBar, DrawsAndWipesItsLine) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  {
    ProgressBar bar("work", file);
    const ProgressFn progress = bar.progress();
    EXPECT_TRUE(progress(1, 4));
    EXPECT_TRUE(progress(2, 4));  // too soon to be drawn again
    EXPECT_THAT(written_to(file), HasSubstr("25 %"));
    EXPECT_THAT(written_to(file), Not(HasSubstr("50 %")));
  }
  EXPECT_THAT(written_to(file), ::testing::EndsWith("\r\x1b[K"));
  std::fclose(file);
}

TEST(ProgressBar, IsSilentWithoutATerminal) {
  // the tests' stderr may be a terminal, so say so explicitly
  ProgressBar bar("work", nullptr);
  EXPECT_TRUE(bar.progress()(1, 4));
}

TEST(ProgressBar, CtrlCAsksTheWorkToStop) {
  ProgressBar bar("work", nullptr);
  const ProgressFn progress = bar.progress();
  EXPECT_TRUE(progress(1, 4));
  std::raise(SIGINT);
  EXPECT_FALSE(progress(2, 4));
  EXPECT_THROW(report(progress, 2, 4), Cancelled);
}

TEST(Interrupt, IsReadyAgainAfterClear) {
  Interrupt interrupt;
  EXPECT_FALSE(interrupt.requested());
  std::raise(SIGINT);
  EXPECT_TRUE(interrupt.requested());
  interrupt.clear();
  EXPECT_FALSE(interrupt.requested());
  std::raise(SIGINT);
  EXPECT_TRUE(interrupt.requested());
}

TEST(Interrupt, NestedOnesShareTheCtrlC) {
  Interrupt outer;
  {
    Interrupt inner;
    std::raise(SIGINT);
    EXPECT_TRUE(inner.requested());
  }
  EXPECT_TRUE(outer.requested());
  const Interrupt late;
  EXPECT_TRUE(late.requested());
}

TEST(InterruptDeathTest, TheThirdCtrlCEndsTheProgram) {
  const auto press = [](int times) {
    Interrupt interrupt;
    for (int i = 0; i < times; ++i) std::raise(SIGINT);
    std::exit(0);
  };
  EXPECT_EXIT(press(2), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(press(3), ::testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptDeathTest, TheFormerHandlerComesBack) {
  const auto press = [] {
    { const Interrupt interrupt; }
    std::raise(SIGINT);
    std::exit(0);
  };
  EXPECT_EXIT(press(), ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace hearth::cli
