#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using test::ProgramResult;
using test::run_hearth;
using testing::HasSubstr;

class TemplateCommand : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = (dir_ / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  ProgramResult render(const std::string& source, const std::string& context,
                       const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"template", "--file", write("t.jinja", source), "--json",
                                     write("context.json", context)};
    args.insert(args.end(), more.begin(), more.end());
    return run_hearth(args);
  }

  test::TempDir dir_;
};

TEST_F(TemplateCommand, PrintsTheRenderingAndNothingElse) {
  const ProgramResult result =
      render("{% for m in messages %}{{ m.content }}|{% endfor %}{{ bos_token }}",
             R"({"messages": [{"content": "a"}, {"content": "é"}], "bos_token": "<s>"})");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "a|é|<s>");
  EXPECT_EQ(result.err, "");
}

TEST_F(TemplateCommand, TheClockIsFixedUnlessItIsSaid) {
  const std::string source = "{{ strftime_now('%d %b %Y %H:%M, %A') }}";
  EXPECT_EQ(render(source, "{}").out, "26 Jul 2024 09:30, Friday");
  EXPECT_EQ(render(source, "{}", {"--now", "2026-02-28 23:59"}).out, "28 Feb 2026 23:59, Saturday");
  EXPECT_EQ(render(source, "{}", {"--now", "noon"}).exit_code, 1);
}

TEST_F(TemplateCommand, AFailureIsOneLineWithThePlace) {
  const ProgramResult result = render("a\n{{ raise_exception('no system') }}", "{}");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("t.jinja:2:4: no system\n"));
}

TEST_F(TemplateCommand, BadJsonIsSaid) {
  const ProgramResult result = render("x", "{");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("context.json: is not JSON"));
}

TEST_F(TemplateCommand, AFileNeedsItsVariables) {
  const ProgramResult result = run_hearth({"template", "--file", write("t.jinja", "x")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("--json FILE"));
}

}  // namespace
}  // namespace hearth
